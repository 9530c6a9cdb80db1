"""The documentation's table has every network, and agrees with what is published."""

import importlib.util
from pathlib import Path

import pytest

import unrollgraph as ug


@pytest.fixture(scope="module")
def tables():
    path = Path(__file__).parent.parent / "docs" / "tables.py"
    spec = importlib.util.spec_from_file_location("tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_wiring_and_architecture_has_a_row(tables):
    names = {row["network"].partition("(")[0] for row in tables.rows()}
    assert set(ug.gallery.__all__) <= names | tables.OTHERS
    assert {f"nn {name}" for name in ug.nn.architectures.__all__} <= names


def test_published_values_are_those_computed(tables):
    rows = [row for row in tables.rows() if row["published"]]
    assert len(rows) >= 10
    for row in rows:
        for name, value in row["published"].items():
            assert row[name] == value, row["network"]


def test_only_networks_that_do_not_run_forward_have_no_depth(tables):
    none = {row["network"]: row["why none"] for row in tables.rows() if "why none" in row}
    assert none == {
        "bidirectional": "not forward",
        "nn bidirectional": "not forward",
        "grid_2d": "in Z^2",
        "nn grid_2d": "in Z^2",
        "opposed_pair": "in Z^2",
        "diamond": "in Z^3",
        "srs": "in Z^3",
    }
    assert "- 11/2 | 11/2\n" in tables.depths()
