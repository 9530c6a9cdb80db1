"""Every example script runs from top to bottom, in a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
TRAINED = [path for path in SCRIPTS if "sys.argv" in path.read_text(encoding="utf-8")]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_example_runs(script, tmp_path):
    runs(tmp_path, script)


@pytest.mark.slow
@pytest.mark.parametrize("script", TRAINED, ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", ["1", "2"])
def test_what_is_trained_reaches_its_losses_from_other_seeds(script, seed, tmp_path):
    """The scripts state what they reach, and end with an error if they do not."""
    assert re.search(r"^ *assert ", script.read_text(encoding="utf-8"), re.M)
    runs(tmp_path, script, seed)


def runs(tmp_path, *words):
    done = subprocess.run(
        [sys.executable, "-W", "error", *map(str, words)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        # scripts that run beside each other would wait for each other's threads
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_there_are_examples():
    assert len(SCRIPTS) > 20
    assert len(TRAINED) == 7
