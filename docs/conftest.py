"""The blocks of code on the pages are run, and what they write goes to a folder of its own."""

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    from matplotlib import pyplot as plt  # noqa: PLC0415  (only where something was drawn)

    plt.close("all")
