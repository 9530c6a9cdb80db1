"""The documentation as it was built: its links, what it loads, how it stands on a phone.

The folder is named by UNROLLGRAPH_SITE; without it there is nothing to test.
"""

import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(os.environ.get("UNROLLGRAPH_SITE", "_"))


@pytest.fixture(scope="module", autouse=True)
def _site():
    if not SITE.is_dir() and not os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
        pytest.skip("UNROLLGRAPH_SITE names no documentation that was built")
    assert (SITE / "index.html").exists()


class Page(HTMLParser):
    """The names that a page gives, where it leads, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.names, self.links, self.loads = {""}, [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.names.update(found[key] for key in ("id", "name") if found.get(key))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        loaded = found.get("src") or (found.get("href") if tag == "link" else None)
        if loaded:
            self.loads.append(loaded)
        for part in (found.get("srcset") or "").split(","):
            if part.strip():
                self.loads.append(part.split()[0])


@cache
def page(path):
    return Page(path.read_text(encoding="utf-8"))


def pages():
    return sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)


def written():
    """Pages that somebody wrote, and not those made of docstrings."""
    return [
        path for path in pages() if "generated" not in path.parts and "_modules" not in path.parts
    ]


def is_elsewhere(link):
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def test_every_link_within_the_site_leads_somewhere():
    broken = []
    for path in pages():
        for link in [*page(path).links, *page(path).loads]:
            if is_elsewhere(link):
                continue
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = page(target).names if target.suffix == ".html" and target.is_file() else None
            if not target.is_file() or (known and unquote(parts.fragment) not in known):
                broken.append((path.name, link))
    assert broken == []
    assert len(pages()) > 200


def test_names_of_functions_lead_to_their_reference():
    article = (SITE / "reference.html").read_text(encoding="utf-8").split("<article")[1]
    linked = set(re.findall(r'href="api/generated/unrollgraph\.([\w.]+)\.html', article))
    assert {
        "unroll",
        "acyclicity_certificate",
        "DelayCover",
        "draw.bands",
        "nn.Network",
        "symbolic.determinant",
    } <= linked


def test_nothing_is_loaded_from_elsewhere():
    for path in pages():
        far = [link for link in page(path).loads if is_elsewhere(link) and link[:5] != "data:"]
        assert far == [], path
    for path in SITE.rglob("*.css"):
        far = re.findall(r"url\(['\"]?((?:https?:)?//[^)]*)", path.read_text(encoding="utf-8"))
        assert far == [], path


def test_pictures_are_told_to_those_who_do_not_see_them():
    for path in written():
        for tag in re.findall(r"<img[^>]*>", path.read_text(encoding="utf-8")):
            assert 'alt="' in tag, (path, tag)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_and_ask_for_nothing(chromium, width):
    context = chromium.new_context(viewport={"width": width, "height": 844})
    tab = context.new_page()
    complaints, requests = [], []
    tab.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    for path in written():
        tab.goto(path.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
    assert complaints == []
    assert all(url.startswith(("file:", "data:")) for url in requests)


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index", "theory", "covering-spaces", "comparison", "pictures"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages(chromium, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(color_scheme=scheme)
    tab = context.new_page()
    tab.goto((SITE / f"{name}.html").as_uri())
    tab.wait_for_timeout(1000)  # mathematics is set
    rules = {"runOnly": ["wcag2a", "wcag2aa"]}
    found = Axe().run(tab, context=".bd-article", options=rules)  # the frame is the theme's
    context.close()
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.browser
def test_mathematics_is_set_without_a_network(chromium):
    tab = chromium.new_page()
    tab.goto((SITE / "covering-spaces.html").as_uri())
    tab.wait_for_selector("mjx-container svg")
    assert tab.locator("mjx-container").count() >= 3
    assert tab.locator("mjx-merror").count() == 0
    tab.close()
