"""The infinite cover: one vertex at a time, the same from every time, and never listed."""

import copy
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.testing import delay_graphs


@given(delay_graphs(), st.integers(-(10**30), 10**30))
def test_a_shift_in_time_is_an_automorphism_over_the_base(G, by):
    cover = ug.DelayCover(G)
    for node in cover.fundamental_domain():
        moved = cover.shift(node, by)
        assert cover.project(moved) == cover.project(node)
        for view in (cover.out_edges, cover.in_edges):
            arcs = [(cover.shift(a, by), cover.shift(b, by), *key) for a, b, *key in view(node)]
            assert arcs == view(moved)


@given(delay_graphs(dimension=2))
def test_a_window_agrees_with_the_cover_in_its_interior(G):
    cover = ug.DelayCover(G)
    U = ug.unroll(G, (range(-6, 7), range(-6, 7)))
    for v in G:
        assert list(U.successors((v, (0, 0)))) == list(cover.successors((v, (0, 0))))
        assert list(U.predecessors((v, (0, 0)))) == list(cover.predecessors((v, (0, 0))))


@given(delay_graphs())
def test_in_edges_and_out_edges_are_the_same_arcs(G):
    cover = ug.DelayCover(G)
    for node in cover.fundamental_domain():
        for arc in cover.out_edges(node):
            assert arc in cover.in_edges(arc[1])
        for arc in cover.in_edges(node):
            assert arc in cover.out_edges(arc[0])


@given(delay_graphs())
def test_the_delay_cover_is_a_covering(G):
    cover = ug.DelayCover(G)
    ug.check_covering(cover)
    assert ug.is_covering(cover) == ug.is_fibration(cover) == ug.is_opfibration(cover) is True
    assert ug.is_homomorphism(cover)


def test_the_covering_law_is_tested_and_not_assumed(monkeypatch):
    cover = ug.DelayCover(ug.gallery.seed_network())
    out_edges = ug.DelayCover.out_edges
    monkeypatch.setattr(ug.DelayCover, "out_edges", lambda self, node: out_edges(self, node)[1:])
    assert {o.kind for o in ug.obstructions(cover)} == {"missing-out"}


@pytest.mark.parametrize(
    "act",
    [
        len,
        list,
        lambda c: c.nodes,
        lambda c: c.edges,
        lambda c: c.degree,
        lambda c: c.projection.fibre("A"),
        lambda c: c.fibre("A"),
        lambda c: c["A", 0],
        lambda c: list(c.projection.nodes),
        lambda c: len(c.projection.nodes),
    ],
)
def test_what_would_take_for_ever_suggests_a_window(act):
    with pytest.raises(TypeError, match="infinite; take a finite piece .*unroll"):
        act(ug.DelayCover(ug.gallery.seed_network()))


def test_membership_and_times():
    cover = ug.DelayCover(ug.gallery.seed_network())
    assert ("A", -(10**50)) in cover
    assert ("A", np.int32(3)) in cover
    assert cover.shift(("A", np.int32(3)), np.int64(2)) == ("A", 5)
    assert type(cover.shift(("A", np.int32(3)), np.int64(2))[1]) is int
    for stranger in [("Z", 0), ("A", 0.5), ("A",), "A", ("A", (0,)), (["A"], 0), None]:
        assert stranger not in cover
    with pytest.raises(ug.LiftError, match="a time, an integer"):
        cover.successors(("A", 0.5))
    with pytest.raises(ValueError, match="a shift in time is an integer, not 'x'"):
        cover.shift(("A", 0), "x")


def test_parallel_edges_keep_their_keys_and_neighbours_come_once():
    G = nx.MultiDiGraph()
    G.add_edge("a", "b", "x", delay=1)
    G.add_edge("a", "b", "y", delay=1)
    cover = ug.DelayCover(G)
    assert cover.out_edges(("a", 0)) == [(("a", 0), ("b", 1), "x"), (("a", 0), ("b", 1), "y")]
    assert list(cover.successors(("a", 0))) == [("b", 1)]


def test_it_is_a_frozen_value():
    G = ug.gallery.seed_network()
    cover = ug.DelayCover(G)
    G.remove_node("A")
    assert cover == ug.DelayCover(ug.gallery.seed_network())
    assert cover != ug.DelayCover(ug.gallery.elman())
    for other in (pickle.loads(pickle.dumps(cover)), copy.deepcopy(cover)):
        assert other == cover
        assert hash(other) == hash(cover)
    with pytest.raises(ug.FrozenError):
        cover.base = G
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = cover.colour
    assert repr(cover) == "DelayCover(DelayGraph(5 vertices, 5 edges, delays in Z))"
    assert cover.dimension == 1


def test_what_needs_all_of_an_infinite_graph_says_so():
    cover = ug.DelayCover(ug.gallery.seed_network())
    assert list(nx.neighbors(cover, ("A", 0))) == [("B", 0)]
    for question in (nx.describe, nx.density, nx.degree, nx.nodes_with_selfloops, nx.edges):
        with pytest.raises(TypeError, match="the delay cover is infinite; take a finite piece"):
            question(cover)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cover.nothing
