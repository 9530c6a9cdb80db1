"""Retiming keeps closed walks and covers; it is found, or refuted by a closed walk."""

from collections import Counter

import fixtures
import networkx as nx
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.morphism.graph_map import arcs_at
from unrollgraph.testing import delay_graphs

SHIFTS = st.dictionaries(st.sampled_from("abcde"), st.integers(-5, 5))


def shifted_arcs(arcs, shifts):
    return {
        ((u, s + shifts.get(u, 0)), (v, t + shifts.get(v, 0)), *key)
        for (u, s), (v, t), *key in arcs
    }


@given(delay_graphs(), SHIFTS)
def test_shifting_the_clocks_is_an_isomorphism_of_covers(G, shifts):
    shifts = {v: r for v, r in shifts.items() if v in G}
    H = ug.retime(G, shifts)
    cover, other = ug.DelayCover(G), ug.DelayCover(H)
    for v, t in cover.fundamental_domain():
        arcs = shifted_arcs(arcs_at(cover, (v, t), "out"), shifts)
        assert arcs == set(arcs_at(other, (v, t + shifts.get(v, 0)), "out"))


@given(delay_graphs(), SHIFTS)
def test_cycles_keep_their_totals(G, shifts):
    H = ug.retime(G, {v: r for v, r in shifts.items() if v in G})
    assert oracle.cycle_totals(G) == oracle.cycle_totals(H)


@given(delay_graphs(dimension=2), st.data())
def test_the_shifts_are_found_again_up_to_a_constant(G, data):
    vector = st.tuples(st.integers(-5, 5), st.integers(-5, 5))
    shifts = {v: data.draw(vector) for v in G}
    H = ug.retime(G, shifts)
    found = ug.find_retiming(G, H)
    assert nx.utils.graphs_equal(ug.retime(G, found), H)
    for component in nx.weakly_connected_components(G):
        first = next(v for v in G if v in component)
        assert found[first] == (0, 0)
        for v in component:
            assert found[v] == tuple(a - b for a, b in zip(shifts[v], shifts[first], strict=True))


@given(delay_graphs(), st.data())
def test_a_refusal_carries_a_closed_walk_whose_totals_differ(G, data):
    H = G.copy()
    for *_, item in H.edges(data=True):
        item["delay"] += data.draw(st.integers(-1, 1))
    try:
        found = ug.find_retiming(G, H)
    except ug.errors.NotARetimingError as error:
        assert not ug.is_retiming(G, H)
        totals, here = [0, 0], None
        ends = [(e[:2] if sign > 0 else (e[1], e[0]), e, sign) for e, sign in error.walk]
        for (tail, head), edge, sign in ends:
            assert here is None or tail == here
            here = head
            for k, graph in enumerate((G, H)):
                totals[k] += sign * graph.edges[edge]["delay"]
        assert here == ends[0][0][0]
        assert totals[0] != totals[1]
    else:
        assert ug.is_retiming(G, H)
        assert nx.utils.graphs_equal(ug.retime(G, found), H)


def test_reference_row_20_is_a_retiming_of_row_4():
    core = ug.gallery.top_down().subgraph(["h1", "h2"]).copy()
    assert ug.find_retiming(core, fixtures.retimed_top_down()) == {"h1": 0, "h2": 3}


def test_graphs_of_other_shape_are_no_retimings():
    G = ug.gallery.elman()
    H = G.copy()
    H.add_edge("y", "x")
    with pytest.raises(
        ug.errors.NotARetimingError, match="the edges differ: .* is only in the second graph"
    ):
        ug.find_retiming(G, H)
    H = G.copy()
    H.remove_node("y")
    with pytest.raises(
        ug.errors.NotARetimingError, match="vertices differ: 'y' is only in the first graph"
    ):
        ug.find_retiming(G, H)
    H = nx.DiGraph()
    H.add_nodes_from(G)
    H.add_edges_from(G.edges, delay=(0, 1))
    with pytest.raises(ug.errors.NotARetimingError, match=r"Z\^1 in the first graph and in Z\^2"):
        ug.find_retiming(G, H)


@pytest.mark.parametrize(
    ("shifts", "text"),
    [
        ({"z": 1}, "'z', which is not a vertex"),
        ({"h": 1.5}, "shift of 'h' is 1.5, but it must be an integer"),
        ({"h": (1, 2)}, "must be an integer"),
        ({"h": 2**40}, "must be at most 2"),
    ],
)
def test_bad_shifts_are_refused(shifts, text):
    with pytest.raises(ValueError, match=text):
        ug.retime(ug.gallery.elman(), shifts)
    with pytest.raises(TypeError, match="a mapping from vertices to shifts, not a list"):
        ug.retime(ug.gallery.elman(), ["h"])


def test_reverses_of_reverses_are_refused_and_odd_attributes_kept():
    G = nx.DiGraph()
    G.add_edge("a", "b", delay=1, key="k", u_for_edge=3)
    H = ug.with_reverses(G)
    assert H.edges["b", "a", (0, "reverse")] == {"delay": -1, "key": "k", "u_for_edge": 3}
    assert nx.utils.graphs_equal(ug.with_reverses(H), H)
    H.edges["b", "a", (0, "reverse")]["delay"] = 2
    with pytest.raises(
        ValueError, match=r"reverse edge \('b', 'a', \(0, 'reverse'\)\): the graph has an edge"
    ):
        ug.with_reverses(H)


@given(delay_graphs(dimension=2))
def test_reverses_have_opposite_delays_and_the_same_ends(G):
    H = ug.with_reverses(G)
    assert H.is_multigraph()
    for u, v, key, d in H.edges(keys=True, data="delay"):
        if isinstance(key, tuple) and key[1:] == ("reverse",):
            twin = H.edges[v, u, key[0]]["delay"]
            assert twin == tuple(-x for x in d)


@given(delay_graphs(dimension=2, delays=1) | delay_graphs(delays=1))
def test_reverses_are_added_where_they_are_missing(G):
    def wires(H, sign=1):
        pairs = H.edges(data="delay", default=0)
        vectors = [(u, v, d if isinstance(d, tuple) else (d,)) for u, v, d in pairs]
        return Counter(
            (u, v, d) if sign > 0 else (v, u, tuple(-x for x in d)) for u, v, d in vectors
        )

    H = ug.with_reverses(G)
    assert nx.utils.graphs_equal(ug.with_reverses(H), H)
    still = {e for e in wires(G) if e[0] == e[1] and not any(e[2])}
    there, back = wires(G), wires(G, -1)
    for edge, count in wires(H).items():
        # of a loop of delay zero, which is its own reverse, the edges are paired
        expected = count % 2 == 0 if edge in still else count == max(there[edge], back[edge])
        assert expected


def test_bonds_listed_from_both_ends_are_not_doubled():
    """Graphene from one end of each bond, and as neighbor lists give it."""
    once, both = nx.MultiDiGraph(), nx.MultiDiGraph()
    for cell in ((0, 0), (1, 0), (0, 1)):
        once.add_edge("a", "b", delay=cell)
        both.add_edge("a", "b", delay=cell)
        both.add_edge("b", "a", delay=tuple(-x for x in cell))
    for G in (once, both):
        bands = np.linalg.eigvalsh(ug.bloch_matrix(ug.with_reverses(G), (0, 0)))
        assert bands == pytest.approx([-3, 3])


def test_a_retiming_that_was_found_is_applied():
    G = ug.gallery.top_down(3)
    found = ug.min_period_retiming(G)
    assert nx.utils.graphs_equal(ug.retime(G, found), ug.retime(G, found.shifts))
    with pytest.raises(
        TypeError, match="shifts must be a mapping from vertices to shifts, not a list"
    ):
        ug.retime(G, [1])
