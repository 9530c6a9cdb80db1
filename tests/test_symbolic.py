"""The algebra against tables, brute force, SciPy's filters and the NumPy runner."""

import math
import re

import networkx as nx
import numpy as np
import pytest
import sympy
from certified import CASES, graph_of
from forward import forward_graphs
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

import unrollgraph as ug
from unrollgraph import nn

z = sympy.Symbol("z")
ROWS = {case["row"]: case for case in CASES}


@pytest.mark.parametrize("row", [51, 52, 53])
def test_reference_polynomials_and_counts(row):
    G, expect = graph_of(ROWS[row]["edges"]), ROWS[row]["expect"]
    D = ug.symbolic.determinant(G, z)
    assert sympy.expand(D - sympy.sympify(expect["determinant"], locals={"z": z})) == 0
    counts = expect["closed_walk_counts"]
    assert list(ug.symbolic.closed_walk_counts(G, len(counts))) == counts


@given(forward_graphs(vertices=4, edges=7), st.data())
def test_a_series_lists_as_many_walks_as_there_are_paths_above(G, data):
    u, v = (data.draw(st.sampled_from(list(G))) for _ in range(2))
    cover = ug.DelayCover(G)
    expected = tuple(ug.path_count(cover, (u, 0), (v, t)) for t in range(7))
    assert ug.symbolic.walk_series(G, u, v, 6) == expected


def test_the_biquad_is_that_of_scipy():
    case = ROWS[57]
    G = graph_of(case["edges"])
    for edge, gain in zip(G.edges, case["gains"], strict=True):
        G.edges[edge]["gain"] = gain
    expected = case["expect"]["impulse_response"]
    found = ug.symbolic.walk_series(G, "x", "y", len(expected) - 1, gain="gain")
    assert [float(x) for x in found] == expected
    H = ug.symbolic.transfer_function(G, "x", "y", z)
    assert sympy.cancel(H - ug.symbolic.transfer_function(G, "x", "y", z, method="mason")) == 0
    system = ug.symbolic.state_space(G, outputs=["y"])
    eye = sympy.eye(system.A.rows)
    again = (system.D + z * system.C * (eye - z * system.A).inv() * system.B)[0, 0]
    assert sympy.cancel(H - again) == 0
    pulse = np.eye(1, len(expected))[0]
    heard = signal.lfilter([1, 2, 1], [1, -0.5, 0.25], pulse)
    np.testing.assert_allclose([float(x) for x in found], heard, atol=1e-15)


@given(forward_graphs(vertices=4, edges=6))
def test_local_groups_multiply_back_and_count_components(G):
    for part in nx.weakly_connected_components(G):
        H = G.subgraph(part)
        local = ug.symbolic.local_group(H)
        assert local.left * local.generators * local.right == local.smith
        assert abs(local.left.det()) == abs(local.right.det()) == 1
        count = nx.number_weakly_connected_components(ug.DelayCover(H))
        assert local.index == (sympy.oo if count == math.inf else count)


def test_gains_may_speak_of_a_z_of_their_own():
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=1, gain=z)
    assert ug.symbolic.walk_series(G, "a", "a", 3, gain="gain") == (1, z, z**2, z**3)


S = ug.symbolic
BOTH = graph_of([("a", "a", 1), ("a", "b", 0), ("b", "b", -1)])
TIGHT = graph_of([("a", "b", 0), ("b", "a", 0)])
NET = nn.Network(nn.architectures.seed(1, 1, 1))
PI = S.fundamental_group(ug.gallery.seed_network(), "A")


@pytest.mark.parametrize(
    ("ask", "error", "text"),
    [
        (lambda: S.adjacency(BOTH, "z"), ValueError, "z is 'z', but it must be one symbol"),
        (lambda: S.adjacency(ug.gallery.diamond(), z), ValueError, "a tuple of 3 symbols"),
        (lambda: S.walk_series(BOTH, "a", "b", 3), ValueError, "gain time and others lose it"),
        (lambda: S.walk_series(BOTH, ["a"], "b", 3), ValueError, "is no vertex of the graph"),
        (lambda: S.walk_series(TIGHT, "a", "b", 3), ug.CyclicCoverError, "total delay 0"),
        (lambda: S.closed_walk_counts(BOTH, -1), ValueError, "must be an integer >= 0"),
        (lambda: S.closed_walk_counts(ug.gallery.diamond(), 2), ValueError, "delays are in Z^3"),
        (lambda: S.zeta(TIGHT, z), ug.CyclicCoverError, "total delay 0"),
        (lambda: S.transfer_function(TIGHT, "a", "b", z), ValueError, "no one solution"),
        (lambda: S.transfer_function(BOTH, "a", "b", z, method="x"), ValueError, "or 'mason'"),
        (lambda: S.state_space(TIGHT, "a", "b"), ug.CyclicCoverError, "no edge of the cycle"),
        (lambda: S.state_space(BOTH, "a", "b"), ValueError, "remembers the past alone"),
        (lambda: S.state_space(ug.gallery.bouquet(1)), ValueError, "name the inputs"),
        (lambda: S.local_group(nx.DiGraph([(0, 1), (2, 3)])), ValueError, "has 2 components"),
        (lambda: S.fundamental_group(BOTH, "q"), ValueError, "the root q is no vertex"),
        (lambda: PI.word([5]), ValueError, "5 is no step along an edge"),
        (lambda: PI.word([("A", "B"), ("C", "A")]), ValueError, "does not join at C -> A"),
        (lambda: S.unrolled(BOTH, 2), TypeError, "is an unrollgraph.nn.Network"),
        (lambda: S.unrolled(NET, range(2)), ValueError, "must be an integer >= 0"),
        (lambda: S.unrolled(NET, 0), ValueError, "over one step at least"),
        (lambda: S.gradients(NET, 2, ["q"]), ValueError, "outputs names 'q'"),
    ],
)
def test_questions_that_make_no_sense_are_answered_in_one_sentence(ask, error, text):
    with pytest.raises(error, match=re.escape(text)):
        ask()


@pytest.mark.parametrize("gain", ["a", None, True, math.nan, object(), [1]])
def test_what_is_no_gain_is_refused(gain):
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=1, gain=gain)
    with pytest.raises(ValueError, match="the gain of the edge a -> a is"):
        S.adjacency(G, z, gain="gain")


@pytest.mark.parametrize("name", ["seed", "gru", "lstm", "bidirectional"])
def test_closed_gradients_are_those_of_the_runner(name):
    net = nn.Network(getattr(nn.architectures, name)(1, 1, 1))
    T, rng = 3, np.random.default_rng(0)
    (source,) = (v for v, d in net.graph.base.nodes(data=True) if isinstance(d["op"], nn.Input))
    U, D = ug.symbolic.unrolled(net, T), ug.symbolic.gradients(net, T)
    ((out, _), *_) = D.outside
    x, g = rng.normal(size=(T, 1)), rng.normal(size=(T, 1))
    run = net.forward({source: x})
    back = run.backward({out: g})
    symbols = [*U.weights.values(), *U.inputs.values(), *D.outside.values()]
    given_ = [net.parameters[k].reshape(s.shape) for k, s in U.weights.items()]
    given_ += [x[t].reshape(1, 1) for _, t in U.inputs] + [g[t].reshape(1, 1) for _, t in D.outside]

    wanted = {("value", t): (U.values[out, t], run.values[out][t]) for t in range(T)}
    for key, copies in D.copies.items():
        wanted |= {(key, t): (copies[t], back.copies(key)[t]) for t in range(T)}
        wanted[key] = D.sums[key], back.parameters[key]
    entries = [entry for matrix, _ in wanted.values() for entry in matrix]
    # together, so that what they share is computed once
    found = sympy.lambdify(symbols, entries, cse=True)(*given_)
    expected = np.concatenate([np.ravel(array) for _, array in wanted.values()])
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)
