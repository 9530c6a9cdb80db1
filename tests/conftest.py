"""Profiles of Hypothesis, and a browser.

The default profile repeats itself, ``thorough`` looks further each time.
"""

import importlib.util
import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, derandomize=True, max_examples=50)
settings.register_profile(
    "thorough",
    deadline=None,
    derandomize=False,  # else it would follow the default profile, which is loaded before
    max_examples=2000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium, driven by Playwright."""
    there = importlib.util.find_spec("playwright") and shutil.which("chromium")
    if not there and not os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
        pytest.skip("playwright or chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()
