"""The algebra against tables, brute force, SciPy's filters and the NumPy runner."""

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
    np.testing.assert_allclose(signal.lfilter([1, 2, 1], [1, -0.5, 0.25], pulse), expected)


@given(forward_graphs(vertices=4, edges=6))
def test_transforms_of_the_local_group_multiply_back(G):
    for part in ug.DelayGraph(G).base, G:
        try:
            local = ug.symbolic.local_group(part)
        except ValueError:
            continue
        assert local.left * local.generators * local.right == local.smith
        assert abs(local.left.det()) == abs(local.right.det()) == 1


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
