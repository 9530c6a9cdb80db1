"""Minimal bases: the coarsest fibration, by brute force, in published cases, and at scale."""

import json
from itertools import product
from pathlib import Path

import networkx as nx
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.testing import delay_graphs

CASES = json.loads((Path(__file__).parent / "data" / "reference_cases.json").read_text())["cases"]


def classes(p):
    return [list(p.fibre(v)) for v in p.base]


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["row"] in {69, 70}], ids=lambda c: c["name"]
)
def test_rows_69_and_70_have_the_published_classes(case):
    G = nx.DiGraph([(u, v) for u, v, _ in case["edges"]])
    G = G.subgraph(sorted(G)).copy()
    p = ug.minimal_base(G)
    found = classes(p)
    assert sorted(map(sorted, found)) == case["expect"]["minimal_base_classes"]
    number = {v: sorted(map(sorted, found)).index(sorted(p.fibre(v))) for v in p.base}
    counts = [
        [number[u], number[v], p.base.number_of_edges(u, v)] for u, v in nx.DiGraph(p.base).edges
    ]
    assert sorted(counts) == case["expect"]["minimal_base_arcs"]


@given(delay_graphs(vertices=6, edges=10), st.sampled_from([None, "delay", "kind"]), st.data())
def test_the_classes_are_those_of_isomorphic_in_trees(G, color, data):
    for edge in G.edges:
        if color == "kind" and data.draw(st.booleans()):
            G.edges[edge]["kind"] = data.draw(st.sampled_from(["x", ("y", 1), 2]))
    p = ug.minimal_base(G, color=color)
    assert classes(p) == oracle.alike(G, color)
    assert ug.is_fibration(p)
    assert all(p(v) == p.fibre(p(v))[0] for v in G)  # called by the first above it
    for arc in G.edges:
        below = p.base.edges[p.edge(arc)]
        assert below == ({} if color is None else {color: G.edges[arc].get(color)})


@given(delay_graphs(vertices=6, edges=10))
def test_the_minimal_base_is_its_own(G):
    p = ug.minimal_base(G)
    again = ug.minimal_base(p.base)
    assert classes(again) == [[v] for v in p.base]
    assert nx.utils.graphs_equal(again.base, p.base)
    assert nx.is_frozen(p.base)


@given(delay_graphs(vertices=4, edges=8), st.integers(2, 5))
def test_told_apart_by_delay_it_unrolls_to_a_fibration(G, steps):
    """Windows over the base: copies that read alike merge at every time."""
    p = ug.minimal_base(G, color="delay")
    cover, below = ug.DelayCover(G), ug.DelayCover(p.base)
    for v in G:
        into = [(p(a[0]), a[1]) for a, _ in cover.in_edges((v, steps))]
        assert sorted(into) == sorted(a for a, _ in below.in_edges((p(v), steps)))


def test_an_absent_delay_is_zero_and_another_absent_attribute_is_none():
    G = nx.DiGraph([("a", "b"), ("b", "a")])
    G.edges["a", "b"]["delay"] = 0
    assert len(ug.minimal_base(G, color="delay").base) == 1
    G.edges["a", "b"]["gain"] = 0
    assert len(ug.minimal_base(G, color="gain").base) == 2
    G.edges["a", "b"]["gain"] = [1]
    with pytest.raises(TypeError, match="color .1. of edge .'a', 'b'.: .* 'gain' must be hashable"):
        ug.minimal_base(G, color="gain")
    H = nx.DiGraph([("a", "b")])
    H.edges["a", "b"]["lag"] = 3
    assert ug.minimal_base(H, color="lag", delay="lag").base.edges["a", "b", 0] == {"lag": 3}


# -- larger graphs, on which classes are counted one by one ------------------------------------


def structured():
    yield "path", nx.path_graph(150, create_using=nx.DiGraph), 150
    yield "path both ways", nx.path_graph(150).to_directed(), 75
    yield "binary tree", nx.balanced_tree(2, 5).to_directed(), 6
    yield "tree towards its root", nx.balanced_tree(3, 4, create_using=nx.DiGraph).reverse(), 5
    grid = nx.grid_2d_graph(9, 9).to_directed()
    yield "square", grid, 15  # pairs of distances to the nearest sides, in either order
    ladder = nx.circular_ladder_graph(60).to_directed()
    ladder.add_edge("tail", 0)
    yield "ladder with a tail", ladder, None
    G = nx.MultiDiGraph(nx.path_graph(80).to_directed())
    G.add_edge(0, 1)
    yield "a doubled edge", G, None


@pytest.mark.parametrize(
    ("G", "count"), [row[1:] for row in structured()], ids=[row[0] for row in structured()]
)
def test_structured_graphs_fall_into_their_orbits(G, count):
    p = ug.minimal_base(G)
    assert classes(p) == oracle.alike(G)
    assert count in {None, len(p.base)}


def test_colors_tell_apart_in_whatever_order_edges_stand():
    """A path whose neighbors are joined by edges of three colors, each pair in its own order."""
    rng = np.random.default_rng(0)
    G = nx.MultiDiGraph()
    for k in range(60):
        for color in rng.permutation(["red", "green", "blue"]).tolist():
            G.add_edge(k, k + 1, color=color)
            G.add_edge(k + 1, k, color=color)
    p = ug.minimal_base(G, color="color")
    assert classes(p) == oracle.alike(G, "color") == [[k, 60 - k] for k in range(30)] + [[30]]
    for arc in G.edges:
        assert p.base.edges[p.edge(arc)] == {"color": G.edges[arc]["color"]}
    G.edges[0, 1, 0]["color"] = "black"
    assert len(ug.minimal_base(G, color="color").base) == 61


def test_a_long_path_is_not_counted_anew_for_each_of_its_vertices():
    """If the larger parts were counted, this would take minutes."""
    n = 20_000
    G = nx.path_graph(n, create_using=nx.DiGraph)
    assert len(ug.minimal_base(G).base) == n
    assert len(ug.minimal_base(nx.path_graph(n).to_directed()).base) == n // 2


@pytest.mark.parametrize("colors", [1, 3])
def test_lifts_of_random_graphs_fall_into_the_fibres_of_their_base(colors):
    rng = np.random.default_rng(colors)
    G = nx.MultiDiGraph()
    G.add_nodes_from(range(300))
    for u, v, c in rng.integers([0, 0, 0], [300, 300, colors], (900, 3)).tolist():
        G.add_edge(u, v, kind=c)
    lift = ug.random_lift(G, 7, seed=1)
    below, above = ug.minimal_base(G, color="kind"), ug.minimal_base(lift, color="kind")
    assert classes(above) == [
        [node for node in lift if node[0] in set(below.fibre(v))] for v in below.base
    ]
    assert ug.is_fibration(above)


def test_equal_inputs_give_equal_values_along_the_fibres():
    """What the base computes, pulled back, is what the graph above computes."""
    G = nn.architectures.stacked(2, 3, 1)
    net = nn.Network(G, seed=1)
    steps = 4
    x = np.random.default_rng(0).normal(size=(steps, 2))
    window = net.forward({"x": x})
    lift = ug.random_lift(G, 2, seed=3)
    U = ug.unroll(lift, steps)
    down = U.projection.then(lift.projection)
    copies = np.array([x[t] for (_, _), t in down.fibre("x")])
    run = net.forward({"x": copies}, over=down)
    for (v, s), t in product(lift, range(steps)):
        assert np.allclose(run[(v, s), t], window[v, t], rtol=0, atol=1e-12)
    ones = {"y": np.ones((len(down.fibre("y")), 1))}
    one, other = run.backward(ones), window.backward({"y": np.ones((steps, 1))})
    for name in net.parameters:  # two sheets, twice the gradient
        assert np.allclose(one.parameters[name], 2 * other.parameters[name], rtol=0, atol=1e-12)
