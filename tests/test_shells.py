"""Shells of the infinite cover: published sequences, and breadth-first search over tuples."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import oracle
import pytest
from certified import CASES, graph_of
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.measure import periodic_graphs
from unrollgraph.testing import delay_graphs

NETS = json.loads((Path(__file__).parent / "data" / "oeis_nets.json").read_text())["nets"]
ROWS = [case for case in CASES if "coordination_sequence" in case["expect"]]


def covers(dimension):
    return delay_graphs(dimension=dimension, vertices=4, edges=7, delays=2)


def distances(G, dimension, node, most):
    """Breadth-first search over tuples, straight from the definition."""
    wires = oracle.wires(G, dimension=dimension)
    found, shell = {node: 0}, [node]
    for k in range(1, most + 1):
        longer = []
        for v, t in shell:
            time = t if dimension > 1 else (t,)
            for tail, head, _, d in wires:
                new = (head, oracle.plain(oracle.moved(time, d)))
                if tail == v and new not in found:
                    found[new] = k
                    longer.append(new)
        shell = longer
    return found


@pytest.mark.parametrize("net", NETS, ids=lambda net: net["rcsr_id"])
def test_nets_have_their_published_coordination_sequences(net):
    cover = ug.DelayCover(ug.with_reverses(graph_of(net["edges"])))
    zero = (0,) * net["dim"]
    terms = tuple(net["a"])
    vertices = {v for edge in net["edges"] for v in edge[:2]}
    assert len(vertices) == net["n_vertices"]
    found = [ug.coordination_sequence(cover, (v, zero), len(terms) - 1) for v in vertices]
    assert terms in found
    if net["vertex_transitive_in_cs"]:
        assert set(found) == {terms}


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case["name"])
def test_reference_nets(case):
    G = graph_of(case["edges"])
    cover = ug.DelayCover(ug.with_reverses(G) if case["undirected"] else G)
    terms = case["expect"]["coordination_sequence"]
    start = (case["expect"]["start"], (0,) * cover.dimension)
    assert ug.coordination_sequence(cover, start, len(terms) - 1) == tuple(terms)


def test_the_srs_net_follows_its_polynomials():
    cover = ug.DelayCover(ug.with_reverses(ug.gallery.srs()))
    found = ug.coordination_sequence(cover, (1, (0, 0, 0)), 31)
    for n in range(3, 31):
        if n % 3 == 0:
            assert 3 * found[n] == 4 * n * n
        if n % 3 == 1:
            assert 3 * found[n] == 4 * n * n + n + 4


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("largest", [periodic_graphs.LARGEST, 0], ids=["in a box", "in sets"])
@given(data=st.data())
def test_shells_are_those_of_breadth_first_search(dimension, largest, data):
    G = data.draw(covers(dimension))
    time = data.draw(st.tuples(*[st.integers(-9, 9)] * dimension))
    node = (data.draw(st.sampled_from(list(G))), oracle.plain(time))
    most = data.draw(st.integers(0, 6 if dimension < 3 else 4))
    cover = ug.DelayCover(G)
    expected = distances(G, dimension, node, most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periodic_graphs, "LARGEST", largest)
        found = periodic_graphs.distances_within(cover, node, most)
        sizes = ug.coordination_sequence(cover, node, most)
        last = periodic_graphs.descendants_at_distance(cover, node, most)
    assert found == expected
    assert [*found.values()] == sorted(found.values())
    assert sizes == tuple([*expected.values()].count(k) for k in range(most + 1))
    assert last == {vertex for vertex, k in expected.items() if k == most}
    assert repr(sorted(found)) == repr(sorted(expected))  # Python ints, not those of NumPy


def test_distances_do_not_depend_on_how_large_times_are():
    G = nx.DiGraph([("a", "b", {"delay": 2**31}), ("b", "a", {"delay": -(2**31) + 1})])
    assert periodic_graphs.distances_within(ug.DelayCover(G), ("a", 10**30), 3) == {
        ("a", 10**30): 0,
        ("b", 10**30 + 2**31): 1,
        ("a", 10**30 + 1): 2,
        ("b", 10**30 + 2**31 + 1): 3,
    }


def test_shells_end_where_nothing_goes_on():
    cover = ug.DelayCover(nx.DiGraph([("a", "b")]))
    assert ug.coordination_sequence(cover, ("a", 0), 4) == (1, 1, 0, 0, 0)
    assert periodic_graphs.descendants_at_distance(cover, ("a", 0), 4) == set()
    assert ug.coordination_sequence(cover, ("b", 0), 0) == (1,)


@pytest.mark.parametrize(
    "ask",
    [
        ug.coordination_sequence,
        periodic_graphs.descendants_at_distance,
        periodic_graphs.distances_within,
    ],
)
def test_questions_about_shells_that_make_no_sense(ask):
    cover = ug.DelayCover(ug.gallery.seed_network())
    with pytest.raises(ValueError, match="the distance is -1, but it must be an integer >= 0"):
        ask(cover, ("A", 0), -1)
    with pytest.raises(ug.errors.LiftError, match="is not a vertex of the cover"):
        ask(cover, ("Z", 0), 1)
    with pytest.raises(ValueError, match="the distance is 1.5, but it must be an integer >= 0"):
        ask(cover, ("A", 0), 1.5)


def test_a_distance_may_be_larger_than_any_index():
    cover = ug.DelayCover(nx.DiGraph([("a", "b")]))
    assert periodic_graphs.distances_within(cover, ("a", 0), 10**30) == {("a", 0): 0, ("b", 0): 1}
    assert periodic_graphs.descendants_at_distance(cover, ("a", 0), 10**30) == set()
    with pytest.raises(ValueError, match="the list of sizes would have 10000000000 entries"):
        ug.coordination_sequence(cover, ("a", 0), 10**10)


def test_shells_that_do_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr(periodic_graphs, "LARGEST", 0)
    monkeypatch.setattr(periodic_graphs, "MOST_OBJECTS", 1000)
    plane = ug.DelayCover(ug.with_reverses(ug.gallery.bouquet((1, 0), (0, 1))))
    assert ug.coordination_sequence(plane, ("a", (0, 0)), 20)[-1] == 80
    with pytest.raises(
        ValueError, match="the set of nearer vertices would have 1013 entries, more than 1000"
    ):
        ug.coordination_sequence(plane, ("a", (0, 0)), 30)


@pytest.mark.parametrize("time", [2**63 - 1, -(2**63), 10**30])
def test_times_of_any_size_have_neighbors(time):
    cover = ug.DelayCover(ug.gallery.seed_network())
    found = periodic_graphs.descendants_at_distance(cover, ("C", time), 1)
    assert found == set(cover.successors(("C", time))) == {("A", time + 1), ("out", time)}
    far = periodic_graphs.distances_within(cover, ("A", time), 4)
    near = periodic_graphs.distances_within(cover, ("A", 0), 4)
    assert far == {(v, t + time): length for (v, t), length in near.items()}


# -- the spectrum -------------------------------------------------------------------


def adjacency(G):
    return nx.to_numpy_array(G, weight=None, dtype=float)


@pytest.mark.parametrize("row", [55, 56])
def test_reference_spectra(row):
    (case,) = (case for case in CASES if case["row"] == row)
    cover = ug.DelayCover(graph_of(case["edges"]))
    found = ug.spectrum(cover, case["expect"]["cyclic"])
    np.testing.assert_allclose(found, sorted(case["expect"]["spectrum"]), atol=1e-12)


@given(data=st.data())
@pytest.mark.parametrize("dimension", [1, 2])
def test_the_spectrum_is_that_of_the_cyclic_cover(dimension, data):
    G = ug.with_reverses(data.draw(covers(dimension)))
    n = data.draw(st.tuples(*[st.integers(1, 4)] * dimension))
    lift = ug.cyclic_cover(G, oracle.plain(n))
    found = ug.spectrum(ug.DelayCover(G), oracle.plain(n))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, np.linalg.eigvalsh(adjacency(lift)), atol=1e-9)


@given(data=st.data())
def test_the_directed_spectrum_has_the_power_sums_of_the_cyclic_cover(data):
    """Sums of powers are closed walks; they are well conditioned where eigenvalues are not."""
    G = data.draw(covers(1))
    n = data.draw(st.integers(1, 5))
    matrix = adjacency(ug.cyclic_cover(G, n))
    found = ug.spectrum(ug.DelayCover(G), n)
    assert found.shape == (n * len(G),)
    for k in range(1, 5):
        walks = np.trace(np.linalg.matrix_power(matrix, k))
        np.testing.assert_allclose((found.astype(complex) ** k).sum(), walks, atol=1e-4)


@given(data=st.data())
def test_retiming_and_reversal_turn_the_bloch_matrix(data):
    G = data.draw(covers(2))
    theta = np.array(data.draw(st.tuples(*[st.floats(-4, 4)] * 2)))
    shifts = {v: data.draw(st.tuples(*[st.integers(-3, 3)] * 2)) for v in G}
    matrix = ug.bloch_matrix(G, theta)
    turn = np.diag([np.exp(1j * theta @ np.array(shifts[v])) for v in G])
    retimed = ug.bloch_matrix(ug.retime(G, shifts), theta)
    np.testing.assert_allclose(retimed, turn.conj() @ matrix @ turn, atol=1e-9)
    both = ug.bloch_matrix(ug.with_reverses(G), theta)
    once = ug.bloch_matrix(one_end_of_each_bond(G), theta)
    np.testing.assert_allclose(both, once + once.conj().T, atol=1e-9)


def one_end_of_each_bond(G):
    """A graph without the edges that are reverses of earlier ones."""
    H, waiting = nx.MultiDiGraph(), []
    H.add_nodes_from(G)
    for u, v, d in G.edges(data="delay", default=(0, 0)):
        back = (v, u, tuple(-x for x in d))
        if back in waiting:
            waiting.remove(back)
        else:
            waiting.append((u, v, d))
            H.add_edge(u, v, delay=d)
    return H


@given(covers(1), st.floats(-4, 4))
def test_a_wave_is_carried_along_by_the_bloch_matrix(G, theta):
    """The definition: apply the adjacency to a wave on a window."""
    wave = np.random.default_rng(0).normal(size=len(G))
    number = {v: k for k, v in enumerate(G)}
    expected = np.zeros(len(G), dtype=complex)
    for u, v, _, (d,) in oracle.wires(G):
        expected[number[u]] += np.exp(1j * theta * d) * wave[number[v]]
    np.testing.assert_allclose(ug.bloch_matrix(G, theta) @ wave, expected, atol=1e-9)


def test_large_delays_lose_no_digits_of_a_spectrum():
    near, far = nx.DiGraph(), nx.DiGraph()
    near.add_edge("h", "h", delay=1)
    far.add_edge("h", "h", delay=2**31 - 7)  # 1 modulo 5
    assert (2**31 - 7) % 5 == 1
    found = ug.spectrum(ug.DelayCover(far), 5)
    np.testing.assert_array_equal(found, ug.spectrum(ug.DelayCover(near), 5))


def test_questions_about_spectra_that_make_no_sense():
    G = ug.gallery.grid_2d()
    with pytest.raises(ValueError, match="must be 2 finite numbers, an angle for each axis"):
        ug.bloch_matrix(G, 0.5)
    with pytest.raises(ValueError, match="must be a finite number"):
        ug.bloch_matrix(ug.gallery.elman(), float("inf"))
    with pytest.raises(ValueError, match="invalid theta 'x': must be a finite number"):
        ug.bloch_matrix(ug.gallery.elman(), "x")
    with pytest.raises(ug.errors.WindowError, match="tuple of 2 positive integers"):
        ug.spectrum(ug.DelayCover(G), 3)
