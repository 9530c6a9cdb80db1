"""A type checker accepts the README and the examples, and infers the types that users meet."""

import doctest
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ANSWERS = """
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, assert_type

import networkx as nx
import numpy as np
from matplotlib.axes import Axes

import unrollgraph as ug
from unrollgraph import nn

G = ug.gallery.seed_network()
net = nn.Network(nn.architectures.seed(2, 3, 1))
cover = ug.DelayCover(G)
assert_type(G, "nx.DiGraph[str]")
assert_type(ug.unroll(G, 4), ug.Lift)
assert_type(ug.unroll(net, range(-2, 3)), ug.Lift)
assert_type(ug.unroll(cover, 4).projection, ug.GraphMap)
assert_type(ug.cyclic_cover(G, 3), ug.Lift)
assert_type(ug.random_lift(G, 3, seed=0), ug.Lift)
assert_type(ug.universal_cover(G, "A", 2), ug.Lift)
assert_type(ug.retime(G, {"A": 1}), "nx.DiGraph[Any]")
assert_type(ug.is_acyclic(net), bool)
assert_type(ug.acyclicity_certificate(cover), ug.measure.Schedule)
assert_type(ug.find_zero_walk(ug.DelayGraph(G)), ug.measure.ZeroWalk)
assert_type(ug.max_cycle_ratio(G), ug.measure.CycleRatio)
assert_type(ug.max_cycle_ratio(G).ratio, Fraction)
assert_type(ug.min_period_retiming(G, fixed=["in"]), ug.measure.Retiming)
assert_type(ug.components(G), "tuple[ug.measure.ComponentFamily, ...]")
assert_type(ug.longest_path_length(G, ("in", 0), ("out", 9)), int)
assert_type(ug.shortest_path_lengths(G, "in", "out", range(9)), "tuple[int | None, ...]")
assert_type(ug.is_covering(ug.unroll(G, 4)), bool)
assert_type(ug.obstructions(cover), "Iterator[ug.morphism.Obstruction]")
assert_type(cover.has_edge(("C", 0), ("A", 1)), bool)
assert_type(ug.draw.side_by_side(G, 4), Axes)
assert_type(ug.io.read("net.json"), "nx.DiGraph[Any]")
assert_type(nn.load("net.npz"), nn.Network)
run = net.forward({"in": np.ones((4, 2))})
assert_type(run, nn.Run)
assert_type(run.backward({"out": np.ones((4, 1))}), nn.Gradients)
assert_type(nn.loss(net, {"in": np.ones((4, 2))}, {"out": np.ones((4, 1))}), float)
ug.unroll(nx.Graph(), 4)  # type: ignore[arg-type]
ug.is_acyclic("G")  # type: ignore[arg-type]
ug.unroll(G, 4.0)  # type: ignore[arg-type]
"""


@pytest.fixture(scope="module")
def mypy():
    if not importlib.util.find_spec("mypy") and not os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
        pytest.skip("mypy is not installed")

    def accepts(*files, options=()):
        command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml"]
        command += options
        done = subprocess.run(
            [*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return accepts


def test_answers_have_precise_types(mypy, tmp_path):
    (tmp_path / "answers.py").write_text(ANSWERS)
    mypy(tmp_path / "answers.py")


def test_the_readme_and_the_examples_are_typed(mypy, tmp_path):
    examples = doctest.DocTestParser().get_examples((ROOT / "README.md").read_text())
    assert len(examples) > 10
    (tmp_path / "readme.py").write_text("".join(example.source for example in examples))
    scripts = [tmp_path / "readme.py"]
    for path in sorted((ROOT / "examples").glob("*.py")):
        scripts.append(tmp_path / path.name)
        scripts[-1].write_text(path.read_text())
    # scripts have functions without annotations, and networkx makes graphs of any vertices
    untyped = [
        "--allow-untyped-defs",
        "--allow-untyped-calls",
        "--no-warn-unused-ignores",  # the package ignores calls that are allowed here
        "--disable-error-code=var-annotated",
    ]
    mypy(*scripts, options=untyped)
