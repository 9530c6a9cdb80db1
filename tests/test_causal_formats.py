"""Causal graphs in the forms of tigramite and pywhy-graphs."""

import networkx as nx
import numpy as np
import pytest
from certified import graph_of
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug

EDGES = [("x", "x", 1), ("x", "y", 0), ("y", "z", 2), ("z", "x", 3)]


def links_of(G):
    return sorted(G.edges(data="delay"))


@pytest.mark.parametrize("form", ["edges", "links", "array"])
def test_every_form_is_read_back(form):
    G = graph_of(EDGES)
    names = None if form == "edges" else list(G)
    back = ug.io.from_causal(ug.io.to_causal(G, form=form), names=names)
    assert links_of(back) == links_of(G)
    assert list(back) == list(G)


@given(
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=9),
    st.sampled_from(["links", "array"]),
)
def test_forms_of_random_graphs_are_read_back(edges, form):
    # without edges of lag 0 in both directions, which no time-series graph has
    edges = {(u, v, d) for u, v, d in edges if d or u < v}
    G = nx.MultiDiGraph()
    G.add_nodes_from(range(4))
    G.add_edges_from((u, v, {"delay": d}) for u, v, d in edges)
    assert links_of(ug.io.from_causal(ug.io.to_causal(G, form=form))) == links_of(G)


def test_the_forms_of_other_programs_are_read():
    links = {0: [((0, -1), 0.7, abs)], 1: [((1, -1), 0.8, abs), ((0, -2), 0.5, abs)]}
    assert links_of(ug.io.from_causal(links)) == [(0, 0, 1), (0, 1, 2), (1, 1, 1)]
    array = np.full((2, 2, 2), "", dtype="<U3")
    array[0, 1, 0], array[1, 0, 0], array[1, 1, 1] = "-->", "<--", "-->"
    assert links_of(ug.io.from_causal(array, names="ab")) == [("a", "b", 0), ("b", "b", 1)]
    assert links_of(ug.io.from_causal(array == "-->")) == [(0, 1, 0), (1, 1, 1)]
    names = {("x", 0): [(("x", 0), -1)]}  # names may be tuples
    assert links_of(ug.io.from_causal(names)) == [(("x", 0), ("x", 0), 1)]
    copies = nx.DiGraph([(("a", -3), ("b", -2)), (("a", -1), ("b", 0))])
    assert links_of(ug.io.from_causal(copies)) == [("a", "b", 1)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (7, "expected edges"),
        ([("a", "b")], "invalid edge"),
        ({0: [(0, 0.5)]}, r"invalid link \(0, 0.5\) of variable 0"),
        ({0: [()]}, r"invalid link \(\)"),
        ({0: None}, "links of variable 0 are None"),
        ({0: [(0, 1)]}, "goes back in time by 1"),
        ({"directed": [(("x", -1), ("y", 0))]}, "invalid link"),
        (nx.Graph([(("a", -1), ("b", 0))]), "undirected"),
        (np.full((2, 2, 1), None), "type object"),
        (np.zeros((2, 3, 1), dtype="<U3"), r"shape \(2, 3, 1\)"),
        (np.zeros((2, 2, 1)), "type float64"),
        (np.full((1, 1, 2), "o->"), r"entry \[0, 0, 0\] is 'o->'"),
        (np.full((2, 2, 1), "<--"), r"entry \[0, 0, 0\] is '<--'"),
    ],
)
def test_other_data_are_rejected(data, message):
    with pytest.raises(ug.errors.FormatError, match=message):
        ug.io.from_causal(data)


def test_what_has_no_lag_is_not_written():
    with pytest.raises(ug.errors.FormatError, match=r"edge \('a', 'b', 0\) is -1"):
        ug.io.to_causal(graph_of([("a", "b", -1)]))
    with pytest.raises(ValueError, match="'edges', 'links', 'array'"):
        ug.io.to_causal(graph_of([]), form="list")
    for edges in ([("a", "b", 0), ("b", "a", 0)], [("a", "a", 0)]):
        with pytest.raises(ug.errors.FormatError, match="cannot hold the edges of lag 0"):
            ug.io.to_causal(graph_of(edges), form="array")
    with pytest.raises(ug.errors.TooLargeError, match="write links instead"):
        ug.io.to_causal(graph_of([("a", "a", 2**31)]), form="array")
    with pytest.raises(ug.errors.FormatError, match="a different name for each"):
        ug.io.from_causal({0: [], 1: []}, names=["x", "x"])
    with pytest.raises(ug.errors.FormatError, match="has the key 0, not 'directed'"):
        ug.io.projection_to_causal(nx.MultiDiGraph([(("a", 0), ("b", 0))]))
    with pytest.raises(TypeError, match="not a DiGraph"):
        ug.io.projection_to_causal(nx.DiGraph())
    with pytest.raises(ug.errors.FormatError, match="names has 1 entries"):
        ug.io.from_causal({0: [(1, -1)]}, names=["x"])


def test_a_projection_has_a_mark_for_each_pair():
    G = graph_of([("h", "x", 1), ("h", "y", 2), ("x", "y", 1)])
    P = ug.latent_projection(G, [("x", 0), ("y", 1), ("y", 2)])
    array = ug.io.projection_to_causal(P, form="array")
    assert array.shape == (2, 2, 3, 3)
    assert array[0, 1, 2, 1] == "+->"
    assert array[1, 0, 1, 2] == "<-+"
    assert np.count_nonzero(array) == 2
