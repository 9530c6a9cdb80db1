"""Windows of the delay cover against brute force, one, two and three dimensions."""

import json
from itertools import islice, product
from pathlib import Path

import networkx as nx
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.testing import delay_graphs

CASES = json.loads((Path(__file__).parent / "data" / "reference_cases.json").read_text())["cases"]


@st.composite
def windows(draw, dimensions=(1, 2, 3)):
    """A delay graph, a box for it as ranges, and the window as a user writes it."""
    d = draw(st.sampled_from(dimensions))
    G = draw(delay_graphs(dimension=d, vertices=4, edges=6))
    longest = {1: 8, 2: 4, 3: 3}[d]
    ranges = []
    for _ in range(d):
        start = draw(st.integers(-5, 3))
        ranges.append(range(start, start + draw(st.integers(1, longest))))
    return G, ranges, ranges[0] if d == 1 else tuple(ranges)


def arcs_of(U):
    return list(U.edges(keys=True)) if U.is_multigraph() else list(U.edges())


@given(windows())
def test_a_window_is_what_brute_force_finds(case):
    G, ranges, window = case
    U = ug.unroll(G, window)
    assert type(U).__mro__.count(type(G)) == 1
    assert sorted(arcs_of(U)) == sorted(oracle.window_arcs(G, ranges))
    times = [oracle.plain(t) for t in product(*ranges)]
    assert list(U) == [(v, t) for t in times for v in G]
    assert U.window == window


@given(windows())
def test_successors_and_predecessors_are_two_sides_of_the_same_arcs(case):
    G, _, window = case
    U = ug.unroll(G, window)
    forward = sorted((a, b) for a in U for b in U.successors(a))
    backward = sorted((a, b) for b in U for a in U.predecessors(b))
    assert forward == backward
    for a, row in U.pred.items():
        for b in row:
            assert U.succ[b][a] == row[b]


@given(windows())
def test_sizes_are_counted_without_looking(case):
    G, ranges, window = case
    U = ug.unroll(G, window)
    arcs = oracle.window_arcs(G, ranges)
    assert U.number_of_edges() == U.size() == len(arcs)
    assert len(U) == U.number_of_nodes() == U.order() == len(list(U))
    for a in list(U)[:5]:
        for b in list(U)[:5]:
            assert U.number_of_edges(a, b) == sum(arc[:2] == (a, b) for arc in arcs)


@given(windows())
def test_the_boundary_is_what_crosses_by_brute_force(case):
    G, ranges, window = case
    U = ug.unroll(G, window)
    entering, leaving = oracle.boundary_arcs(G, ranges)
    assert set(U.boundary_in()) == entering
    assert set(U.boundary_out()) == leaving
    assert len(U.boundary_in()) == len(entering)
    assert len(U.boundary_out()) == len(leaving)


@given(windows())
def test_the_obstructions_of_a_window_are_exactly_its_boundary(case):
    G, _, window = case
    U = ug.unroll(G, window)

    def below(arc):
        return (arc[0][0], arc[1][0], *arc[2:])

    expected = {(arc[1], below(arc), "missing-in") for arc in U.boundary_in()}
    expected |= {(arc[0], below(arc), "missing-out") for arc in U.boundary_out()}
    found = [(o.node, o.edge, o.kind) for o in ug.obstructions(U)]
    assert set(found) == expected
    assert len(found) == len(expected)


@given(windows())
def test_arrays_name_the_arcs_sorted_by_their_tails(case):
    G, _, window = case
    U = ug.unroll(G, window)
    nodes = list(U)
    edges = list(G.edges(keys=True)) if G.is_multigraph() else list(G.edges())
    arrays = U.to_arrays()
    named = [
        (nodes[a], nodes[b], *edges[e][2:])
        for a, b, e in zip(arrays.tails, arrays.heads, arrays.edges, strict=True)
    ]
    assert sorted(named) == sorted(arcs_of(U))
    order = list(zip(arrays.tails.tolist(), arrays.edges.tolist(), strict=True))
    assert order == sorted(order)
    for (u, _), (v, _), *key in [named[k] for k in range(len(named))]:
        assert G.has_edge(u, v, *key)


@given(windows())
def test_the_matrix_counts_arcs_in_canonical_order(case):
    G, _, window = case
    U = ug.unroll(G, window)
    matrix = U.to_csr()
    expected = nx.to_numpy_array(U, weight=None, multigraph_weight=sum)
    assert np.array_equal(matrix.toarray(), expected)
    assert matrix.indices.dtype == np.int32
    assert matrix.dtype == np.int64
    claimed = matrix.has_canonical_format
    del matrix._has_canonical_format, matrix._has_sorted_indices
    assert claimed
    assert matrix.has_canonical_format


def test_large_patterns_are_climbed_as_small_ones_are():
    """The doubling of short patterns and the breaks at each delay, at sizes beyond a page."""
    G = nx.MultiDiGraph()
    rng = np.random.default_rng(0)
    for u, v, d in rng.integers([0, 0, -40], [7, 7, 41], (25, 3)).tolist():
        G.add_edge(u, v, delay=d)
    T = 5000
    U = ug.unroll(G, T)
    arrays = U.to_arrays()
    graph = ug.DelayGraph(G)
    n = len(graph.vertices)
    t = np.arange(T)[:, None]
    inside = (t + graph.delays[:, 0] >= 0) & (t + graph.delays[:, 0] < T)
    tails = (t * n + graph.tails)[inside]
    heads = ((t + graph.delays[:, 0]) * n + graph.heads)[inside]
    edges = np.broadcast_to(np.arange(len(graph.edges)), inside.shape)[inside]
    order = np.lexsort((edges, tails))
    assert np.array_equal(arrays.tails, tails[order])
    assert np.array_equal(arrays.heads, heads[order])
    assert np.array_equal(arrays.edges, edges[order])
    coo = __import__("scipy.sparse").sparse.coo_array((np.ones(len(tails)), (tails, heads)))
    coo.resize(len(U), len(U))
    assert (coo.tocsr() != U.to_csr()).nnz == 0


def test_delays_longer_than_the_window_leave_only_the_boundary():
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=2**31)
    U = ug.unroll(G, 1000)
    assert U.number_of_edges() == 0
    assert len(U.boundary_in()) == len(U.boundary_out()) == 1000
    assert U.to_csr().nnz == 0
    assert len(U.to_arrays().tails) == 0


def test_huge_windows_are_counted_exactly_or_refused():
    G = nx.MultiDiGraph()
    for d in (0, 1, 2**31):
        G.add_edge("a", "a", delay=(d, 0))
    U = ug.unroll(G, (range(2**31 + 1), range(2**31 - 1)))
    n = 2**31 - 1
    assert U.number_of_edges() == n * ((2**31 + 1) + 2**31 + 1) > 2**62
    assert U._index_type() is np.int64
    assert ug.unroll(ug.gallery.elman(), 3)._index_type() is np.int32
    with pytest.raises(ug.errors.WindowError, match="more than sys.maxsize"):
        ug.unroll(G, (2**40, 2**40))
    with pytest.raises(ug.errors.WindowError, match="more than sys.maxsize"):
        ug.cyclic_cover(ug.gallery.elman(), 2**63)


def test_reference_row_73_and_the_count_of_the_boundary():
    (case,) = [c for c in CASES if c["row"] == 73]
    G = nx.DiGraph()
    G.add_weighted_edges_from(case["edges"], weight="delay")
    expect = case["expect"]["window"]
    U = ug.unroll(G, range(*expect["times"]))
    kinds = [o.kind for o in ug.obstructions(U)]
    assert U.number_of_nodes() == expect["nodes"]
    assert U.number_of_edges() == expect["arcs"]
    assert kinds.count("missing-in") == expect["missing_in"]
    assert kinds.count("missing-out") == expect["missing_out"]


def test_a_graph_without_edges_or_vertices_unrolls():
    assert ug.unroll(nx.DiGraph(), 3).to_csr().shape == (0, 0)
    assert list(ug.unroll(nx.DiGraph(), 3)) == []
    G = nx.DiGraph()
    G.add_node("a")
    U = ug.unroll(G, range(-1, 1))
    assert list(U) == [("a", -1), ("a", 0)]
    assert U.to_csr().nnz == len(U.to_arrays().heads) == 0


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (0, "is empty"),
        (-3, "is empty"),
        (range(3, 3), "is empty"),
        (range(0, 6, 2), "its step is not 1"),
        (range(6, 0, -1), "its step is not 1"),
        (2.0, "of type float"),
        (True, "of type bool"),
        ("4", "of type str"),
        ((2, 2), "has 2 axes, but the delays are in Z\\^1; give one range"),
    ],
    ids=repr,
)
def test_bad_windows_are_refused(window, text):
    with pytest.raises(ug.errors.WindowError, match=text) as caught:
        ug.unroll(ug.gallery.elman(), window)
    assert caught.value.window == window


def test_a_window_of_too_few_axes_is_refused():
    G = nx.DiGraph()
    G.add_edge("h", "h", delay=(1, 0))
    with pytest.raises(ug.errors.WindowError, match="a tuple of 2 ranges"):
        ug.unroll(G, 3)
    with pytest.raises(ug.errors.WindowError, match="is empty"):
        ug.unroll(G, (3, 0))


def test_numpy_integers_name_the_same_copies_and_never_come_back():
    U = ug.unroll(ug.gallery.seed_network(), np.int64(4))
    assert U.window == range(4)
    assert ("A", np.int64(2)) in U
    assert list(U.successors(("C", np.int64(2)))) == [("A", 3), ("out", 2)]
    assert all(type(t) is int for a, b in U.edges for _, t in (a, b))
    assert ("A", 4) not in U
    assert ("A", 1.0) in U  # as in a copy: 1.0 == 1
    assert ("A", 1.5) not in U
    assert "A" not in U
    assert ("A",) not in U
    assert (["A"], 0) not in U


def test_times_are_pairs_of_a_vertex_and_a_time_even_for_tuple_vertices():
    G = nx.DiGraph()
    G.add_edge((0, 1), (0, 2), delay=1)
    U = ug.unroll(G, 2)
    assert list(U.edges) == [(((0, 1), 0), ((0, 2), 1))]
    assert U.project(((0, 2), 1)) == (0, 2)


def test_long_axes_are_not_listed():
    G = nx.DiGraph()
    G.add_edge("h", "h", delay=(1, 1))
    far = 10**9
    U = ug.unroll(G, (2, range(-far, far)))
    assert list(islice(U, 2)) == [("h", (0, -far)), ("h", (0, 1 - far))]
    assert next(iter(U.edges)) == (("h", (0, -far)), ("h", (1, 1 - far)))
    torus = ug.cyclic_cover(G, (2, far))
    assert list(islice(torus, 2)) == [("h", (0, 0)), ("h", (0, 1))]
    assert not ug.is_covering(U)
    assert next(ug.obstructions(U)).node == ("h", (0, -far))
