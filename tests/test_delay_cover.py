"""The infinite cover: one vertex at a time, the same from every time, and never listed."""

import copy
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.morphism.graph_map import arcs_at
from unrollgraph.testing import delay_graphs


@given(delay_graphs(), st.integers(-(10**30), 10**30))
def test_a_shift_in_time_is_an_automorphism_over_the_base(G, by):
    cover = ug.DelayCover(G)
    for node in cover.fundamental_domain():
        moved = cover.shift(node, by)
        assert cover.project(moved) == cover.project(node)
        for side in ("in", "out"):
            here, there = (list(arcs_at(cover, x, side)) for x in (node, moved))
            assert [(cover.shift(a, by), cover.shift(b, by), *key) for a, b, *key in here] == there


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
        for arc in arcs_at(cover, node, "out"):
            assert arc in arcs_at(cover, arc[1], "in")
        for arc in arcs_at(cover, node, "in"):
            assert arc in arcs_at(cover, arc[0], "out")


@given(delay_graphs())
def test_the_delay_cover_is_a_covering(G):
    cover = ug.DelayCover(G)
    ug.check_covering(cover)
    assert ug.is_covering(cover) == ug.is_fibration(cover) == ug.is_opfibration(cover) is True
    assert ug.is_homomorphism(cover)


def test_the_covering_law_is_tested_and_not_assumed(monkeypatch):
    cover = ug.DelayCover(ug.gallery.seed_network())
    monkeypatch.setattr(ug.DelayCover, "out_edges", lambda self, node: list(self.edges(node))[1:])
    assert {o.kind for o in ug.obstructions(cover)} == {"missing-out"}


@pytest.mark.parametrize(
    "act",
    [
        len,
        list,
        lambda c: list(c.nodes),
        lambda c: len(c.edges),
        lambda c: list(c.degree),
        lambda c: c.projection.fibre("A"),
        lambda c: c.fibre("A"),
        lambda c: c.number_of_nodes(),
        lambda c: list(c.projection.nodes),
        lambda c: len(c.projection.nodes),
    ],
)
def test_what_would_take_for_ever_suggests_a_window(act):
    assert issubclass(ug.errors.InfiniteCoverError, TypeError)
    with pytest.raises(ug.errors.InfiniteCoverError, match="infinite; take a finite part .*unroll"):
        act(ug.DelayCover(ug.gallery.seed_network()))


def test_membership_and_times():
    cover = ug.DelayCover(ug.gallery.seed_network())
    assert ("A", -(10**50)) in cover
    assert ("A", np.int32(3)) in cover
    assert cover.shift(("A", np.int32(3)), np.int64(2)) == ("A", 5)
    assert type(cover.shift(("A", np.int32(3)), np.int64(2))[1]) is int
    for stranger in [("Z", 0), ("A", 0.5), ("A",), "A", ("A", (0,)), (["A"], 0), None]:
        assert stranger not in cover
    with pytest.raises(ug.errors.LiftError, match="a time t, an integer"):
        cover.successors(("A", 0.5))
    with pytest.raises(ValueError, match="invalid shift 'x': a shift in time must be an integer"):
        cover.shift(("A", 0), "x")


def test_parallel_edges_keep_their_keys_and_neighbors_come_once():
    G = nx.MultiDiGraph()
    G.add_edge("a", "b", "x", delay=1)
    G.add_edge("a", "b", "y", delay=1)
    cover = ug.DelayCover(G)
    assert list(cover.out_edges(("a", 0), keys=True)) == [
        (("a", 0), ("b", 1), "x"),
        (("a", 0), ("b", 1), "y"),
    ]
    assert list(cover.successors(("a", 0))) == [("b", 1)]


LOCAL = [
    lambda g, a, _: g.has_node(a),
    lambda g, a, b: g.has_edge(a, b),
    lambda g, a, b: g.has_successor(a, b),
    lambda g, a, b: g.has_predecessor(a, b),
    lambda g, a, b: g.get_edge_data(a, b, default="none"),
    lambda g, a, b: g.number_of_edges(a, b),
    lambda g, a, _: dict(g[a]),
    lambda g, a, _: dict(g.adj[a]),
    lambda g, a, _: dict(g.succ[a]),
    lambda g, a, _: dict(g.pred[a]),
    lambda g, a, _: [*g.neighbors(a)] + [*g.predecessors(a)],
    lambda g, a, _: (g.degree(a), g.in_degree(a), g.out_degree(a)),
    lambda g, a, b: dict(g.degree([a, b])),
    lambda g, a, b: [*g.edges([a, b], data=True)],
    lambda g, a, _: [*g.out_edges(a)] + [*g.in_edges(a, data="delay")],
    lambda g, a, _: g.nodes[a],
    lambda g, a, b: nx.to_dict_of_dicts(nx.MultiDiGraph(g.subgraph([b, a, *g[a]]))),
    lambda g, a, b: (nx.is_path(g, [a, b]), nx.degree(g, a), [*nx.all_neighbors(g, a)]),
]


@pytest.mark.parametrize("ask", LOCAL)
@given(G=delay_graphs(vertices=3, delays=2), data=st.data())
def test_local_questions_have_the_answers_of_a_large_window(ask, G, data):
    nx.set_node_attributes(G, {v: f"of {v}" for v in G}, "about")
    ends = st.tuples(st.sampled_from(list(G)), st.integers(-2, 2))
    a, b = data.draw(ends), data.draw(ends)
    assert ask(ug.DelayCover(G), a, b) == ask(ug.unroll(G, range(-9, 10)), a, b)


def test_a_question_about_one_key_of_parallel_edges():
    cover = ug.DelayCover(ug.gallery.narx(2))
    a, b = ("h", 5), ("h", 7)
    assert cover.has_edge(a, b, 1)
    assert not cover.has_edge(a, b, 0)
    assert cover.get_edge_data(a, b, 1) == cover.edges[a, b, 1] == {"delay": 2}
    assert cover.get_edge_data(a, b, 0, default={}) == {}
    assert nx.path_weight(cover, [("h", 0), ("h", 1), ("h", 3)], "delay") == 3


def test_a_stranger_has_no_neighbors():
    cover = ug.DelayCover(ug.gallery.seed_network())
    for ask in (lambda x: cover[x], lambda x: cover.adj[x], lambda x: cover.nodes[x]):
        with pytest.raises(KeyError):
            ask(("Z", 0))
    with pytest.raises(ug.errors.LiftError, match="'A', 0.5. is not a vertex of the cover"):
        cover.subgraph([("A", 0), ("A", 0.5)])
    assert not cover.has_edge(("Z", 0), ("A", 0))


@pytest.mark.parametrize("name", ["add_node", "add_edges_from", "remove_edge", "clear", "update"])
def test_methods_that_write_say_that_it_is_frozen(name):
    cover = ug.DelayCover(ug.gallery.elman())
    with pytest.raises(
        ug.errors.FrozenError, match=f"frozen; {name} is not supported, change the base"
    ):
        getattr(cover, name)
    assert not hasattr(cover, "add_nothing")


def test_it_is_a_frozen_value():
    G = ug.gallery.seed_network()
    cover = ug.DelayCover(G)
    G.remove_node("A")
    assert cover == ug.DelayCover(ug.gallery.seed_network())
    assert cover != ug.DelayCover(ug.gallery.elman())
    for other in (pickle.loads(pickle.dumps(cover)), copy.deepcopy(cover)):
        assert other == cover
        assert hash(other) == hash(cover)
    with pytest.raises(ug.errors.FrozenError):
        cover.base = G
    with pytest.raises(AttributeError, match="no attribute 'color'"):
        _ = cover.color
    assert repr(cover) == "DelayCover(DelayGraph(5 vertices, 5 edges, delays in Z))"
    assert cover.dimension == 1


def test_what_needs_all_of_an_infinite_graph_says_so():
    cover = ug.DelayCover(ug.gallery.seed_network())
    assert list(nx.neighbors(cover, ("A", 0))) == [("B", 0)]
    for question in (nx.describe, nx.density, nx.number_of_nodes, nx.number_of_edges):
        with pytest.raises(TypeError, match="the delay cover is infinite; take a finite part"):
            question(cover)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cover.nothing
