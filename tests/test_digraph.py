"""Levels, components, cycles and potentials of plain arrays, against other roads."""

import networkx as nx
import numpy as np
import oracle
from hypothesis import given
from hypothesis import strategies as st

from unrollgraph.graph.cycle_space import spanning_forest
from unrollgraph.graph.digraph import cycle_among, levels, strong_components, tree_walk
from unrollgraph.graph.potentials import feasible_potential


@st.composite
def weighted(draw, n=6, m=14, weight=4):
    size = draw(st.integers(1, n))
    end = st.integers(0, size - 1)
    rows = draw(st.lists(st.tuples(end, end, st.integers(-weight, weight)), max_size=m))
    tails, heads, weights = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 3
    )
    return size, np.array(tails, np.int64), np.array(heads, np.int64), list(weights)


def is_cycle(cycle, tails, heads):
    ends = [(int(tails[e]), int(heads[e])) for e in cycle]
    joined = all(a[1] == b[0] for a, b in zip(ends, ends[1:] + ends[:1], strict=True))
    return bool(cycle) and joined and len({a for a, _ in ends}) == len(ends)


@given(weighted())
def test_levels_are_longest_paths_or_a_cycle_is_found(case):
    n, tails, heads, _ = case
    level = levels(n, tails, heads)
    expected = oracle.levels(n, list(zip(tails.tolist(), heads.tolist(), strict=True)))
    if expected is None:
        assert level.min() < 0
        assert is_cycle(cycle_among(level, tails, heads), tails, heads)
    else:
        assert level.tolist() == expected


@given(weighted())
def test_components_are_those_of_networkx_in_a_topological_order(case):
    n, tails, heads, _ = case
    G = nx.DiGraph()
    G.add_nodes_from(range(n))
    G.add_edges_from(zip(tails.tolist(), heads.tolist(), strict=True))
    component = strong_components(n, tails, heads)
    classes = {frozenset(np.flatnonzero(component == c).tolist()) for c in set(component.tolist())}
    assert classes == {frozenset(c) for c in nx.strongly_connected_components(G)}
    assert np.all(component[tails] <= component[heads])
    assert set(component.tolist()) == set(range(len(classes)))


@given(weighted())
def test_a_shortest_walk_joins_and_is_as_short_as_networkx_says(case):
    n, tails, heads, _ = case
    G = nx.DiGraph()
    G.add_nodes_from(range(n))
    G.add_edges_from(zip(tails.tolist(), heads.tolist(), strict=True))
    for goal, length in nx.single_source_shortest_path_length(G, 0).items():
        walk = tree_walk(n, tails, heads, 0, goal)
        here = 0
        for e in walk:
            assert tails[e] == here
            here = heads[e]
        assert (here, len(walk)) == (goal, length)


@given(weighted())
def test_a_forest_potential_reduces_its_forest_to_zero(case):
    n, tails, heads, weights = case
    forest = spanning_forest(n, tails, heads)
    potential, reached = forest.potential(weights), forest.reached
    for e in reached:
        if e >= 0:
            assert weights[e] + potential[tails[e]] - potential[heads[e]] == 0
    G = nx.MultiGraph()
    G.add_nodes_from(range(n))
    G.add_edges_from(zip(tails.tolist(), heads.tolist(), strict=True))
    assert reached.count(-1) == nx.number_connected_components(G)


@given(weighted())
def test_a_feasible_potential_or_a_negative_cycle_as_networkx_decides(case):
    n, tails, heads, weights = case
    potential, cycle = feasible_potential(n, tails, heads, weights)
    G = nx.MultiDiGraph()
    G.add_nodes_from(range(n))
    for u, v, w in zip(tails.tolist(), heads.tolist(), weights, strict=True):
        G.add_edge(u, v, weight=w)
    assert bool(cycle) == nx.negative_edge_cycle(G)
    if cycle:
        assert is_cycle(cycle, tails, heads)
        assert sum(weights[e] for e in cycle) < 0
    else:
        assert all(
            w + potential[u] - potential[v] >= 0
            for u, v, w in zip(tails.tolist(), heads.tolist(), weights, strict=True)
        )


def test_potentials_leave_64_bits_without_a_word():
    big = 2**80
    tails, heads = np.array([0, 1, 2]), np.array([1, 2, 0])
    potential, cycle = feasible_potential(3, tails, heads, [big, -3 * big, 2 * big])
    assert not cycle
    assert [
        w + potential[u] - potential[v]
        for u, v, w in zip(tails, heads, [big, -3 * big, 2 * big], strict=True)
    ] == [0, 0, 0]
    assert feasible_potential(3, tails, heads, [big, -3 * big, 2 * big - 1])[1] == (0, 1, 2)


def test_a_cycle_of_zeros_is_no_negative_cycle():
    """It is met on the way down from an edge that falls."""
    tails, heads = np.array([0, 0, 1, 2, 3]), np.array([1, 1, 2, 3, 1])
    weights = [0, -5, 0, 0, 0]
    potential, cycle = feasible_potential(4, tails, heads, weights)
    assert not cycle
    assert potential[1] - potential[0] == -5


def test_one_round_carries_a_change_as_far_as_it_goes(monkeypatch):
    """A falling label in front of a long path of zeros: the path is scanned once, not n times."""
    from unrollgraph.graph import potentials

    looks = []
    look = potentials._parent_cycle
    monkeypatch.setattr(potentials, "_parent_cycle", lambda *a: looks.append(a) or look(*a))
    n = 2000
    tails = np.array([0, *range(n - 1)])
    heads = np.array([1, *range(1, n)])
    _, cycle = feasible_potential(n, tails, heads, [0, -1, *[0] * (n - 2)])
    assert not cycle
    assert len(looks) <= 2


def test_a_long_negative_ring_is_found_without_recursion():
    n = 50_000
    tails = np.arange(n)
    heads = (tails + 1) % n
    weights = [1] * n
    weights[n // 2] = -n
    _, cycle = feasible_potential(n, tails, heads, weights)
    assert len(cycle) == n
