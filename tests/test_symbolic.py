"""Polynomials and filters against tables, brute force, SciPy's filters and the NumPy runner."""

import math
import re
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import networkx as nx
import numpy as np
import oracle
import pytest
import sympy
from certified import CASES, graph_of
from forward import forward_graphs
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.testing import delay_graphs

x, y = sympy.symbols("x y")
z = sympy.Symbol("z")
ROWS = {case["row"]: case for case in CASES}


@pytest.mark.parametrize("row", [51, 52, 53])
def test_reference_polynomials_and_counts(row):
    G, expect = graph_of(ROWS[row]["edges"]), ROWS[row]["expect"]
    D = ug.symbolic.determinant(G, z)
    assert sympy.expand(D - sympy.sympify(expect["determinant"], locals={"z": z})) == 0
    counts = expect["closed_walk_counts"]
    assert list(ug.symbolic.closed_walk_counts(G, len(counts))) == counts


@pytest.mark.parametrize("row", [51, 53, 54])
def test_reference_walks(row):
    expect = ROWS[row]["expect"]["directed_walk_counts"]
    G, ends = graph_of(ROWS[row]["edges"]), (expect["source"], expect["target"])
    counts = expect["counts"]
    assert list(ug.symbolic.walk_series(G, *ends, len(counts) - 1)) == counts


@pytest.mark.parametrize("row", [55, 56])
def test_bands_at_roots_of_unity_are_the_spectrum_of_the_cyclic_cover(row):
    G, expect = graph_of(ROWS[row]["edges"]), ROWS[row]["expect"]
    n = expect["cyclic"]
    product = sympy.S.One
    for k in range(n):
        bloch = ug.symbolic.adjacency(G, sympy.exp(2 * sympy.pi * sympy.I * k / n))
        product *= (y * sympy.eye(bloch.rows) - bloch).det()
    wanted = sympy.prod(y - value for value in expect["spectrum"])
    for at in range(-5, 6):  # both begin with y^n, so n points prove them equal
        assert abs(complex(sympy.N((product - wanted).subs(y, at), 30))) < 1e-20
    matrix = nx.to_numpy_array(ug.cyclic_cover(G, n), dtype=int)
    assert sympy.Matrix(matrix).charpoly(y).as_expr() == sympy.expand(wanted)


@given(delay_graphs(vertices=4, edges=8, dimension=2), st.data())
def test_a_determinant_is_that_of_leibniz(G, data):
    at = [Fraction(data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))) for _ in "xy"]
    entries = {}
    for u, v, _, (a, b) in oracle.wires(G, dimension=2):
        entries[u, v] = entries.get((u, v), 0) + at[0] ** a * at[1] ** b
    names = list(G)
    total = Fraction(0)
    for turned in permutations(range(len(names))):
        sign = (-1) ** sum(turned[i] > turned[j] for j in range(len(names)) for i in range(j))
        for i, j in enumerate(turned):
            sign *= (i == j) - entries.get((names[i], names[j]), 0)
        total += sign
    D = ug.symbolic.determinant(G, (x, y))
    values = {
        s: sympy.Rational(a.numerator, a.denominator) for s, a in zip((x, y), at, strict=True)
    }
    assert D.subs(values) == sympy.Rational(total.numerator, total.denominator)


@given(delay_graphs(vertices=4, edges=7), st.data())
def test_neither_retiming_nor_reversal_changes_the_determinant(G, data):
    D = ug.symbolic.determinant(G, z)
    shifts = {v: data.draw(st.integers(-3, 3)) for v in G}
    assert ug.symbolic.determinant(ug.retime(G, shifts), z) == D
    assert ug.symbolic.determinant(G.reverse(), z) == D


@given(delay_graphs(vertices=3, edges=5))
def test_the_cover_of_two_sheets_has_two_factors(G):
    """Over the square roots of one, det(I - A(z)) det(I - A(-z)) is that of the cover at z^2."""
    D = ug.symbolic.determinant(G, z)
    above = ug.symbolic.determinant(ug.cyclic_cover(G, 2), z)
    assert sympy.expand(D * D.subs(z, -z) - above.subs(z, z**2)) == 0


@given(delay_graphs(vertices=2, edges=4), delay_graphs(vertices=2, edges=4))
def test_components_multiply(G, H):
    both = nx.disjoint_union(nx.MultiDiGraph(G), nx.MultiDiGraph(H))
    D = ug.symbolic.determinant
    assert sympy.expand(D(both, z) - D(G, z) * D(H, z)) == 0


@given(forward_graphs(vertices=3, edges=6))
def test_closed_walks_are_counted_by_listing_them(G):
    """Each of k steps begins one of them: a rooted walk of l edges counts k / l times."""
    last, wires = 4, oracle.wires(G)
    counts = [Fraction(0)] * (last + 1)
    for start in G:
        walks = {(start, 0): 1}
        for length in range(1, last * len(G) + 1):
            longer = {}
            for (v, total), number in walks.items():
                for u, w, _, (d,) in wires:
                    if u == v:
                        longer[w, total + d] = longer.get((w, total + d), 0) + number
            walks = longer
            for k in range(1, last + 1):
                counts[k] += Fraction(k, length) * walks.get((start, k), 0)
    assert list(ug.symbolic.closed_walk_counts(G, last)) == counts[1:]
    logarithm = -sympy.log(ug.symbolic.determinant(G, z))
    series = sympy.series(logarithm, z, 0, last + 1).removeO()
    assert [k * series.coeff(z, k) for k in range(1, last + 1)] == counts[1:]


def test_a_graph_without_cycles_has_the_determinant_one():
    G = nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")])
    assert ug.symbolic.determinant(G, z) == ug.symbolic.zeta(G, z) == 1
    assert ug.symbolic.closed_walk_counts(G, 3) == (0, 0, 0)
    assert ug.symbolic.walk_series(G, "a", "c", 2) == (2, 0, 0)
    assert ug.symbolic.determinant(nx.DiGraph(), z) == 1


def test_time_may_run_backward():
    G = graph_of([("h", "h", -1), ("h", "h", -2)])
    assert sympy.expand(ug.symbolic.determinant(G, z) - (1 - 1 / z - 1 / z**2)) == 0
    H = ug.symbolic.transfer_function(G, "h", "h", z)
    assert sympy.cancel(H - 1 / (1 - 1 / z - 1 / z**2)) == 0
    # in nonnegative powers of z there is the walk without edges alone
    assert ug.symbolic.walk_series(G, "h", "h", 3) == (1, 0, 0, 0)
    assert ug.symbolic.closed_walk_counts(G, 3) == (0, 0, 0)


def test_in_the_plane_walks_are_those_of_delannoy():
    G = graph_of([("h", "h", [1, 0]), ("h", "h", [0, 1]), ("h", "h", [1, 1])])
    H = ug.symbolic.transfer_function(G, "h", "h", (x, y))
    assert sympy.cancel(H - 1 / (1 - x - y - x * y)) == 0
    diagonal = [
        H.diff(x, n).subs(x, 0).diff(y, n).subs(y, 0) / sympy.factorial(n) ** 2 for n in range(5)
    ]
    assert diagonal == [1, 3, 13, 63, 321]
    assert ug.symbolic.zeta(G, (x, y)) == 1 / ug.symbolic.determinant(G, (x, y))


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
    assert sympy.cancel(H - response(ug.symbolic.state_space(G, outputs=["y"]))) == 0
    pulse = np.eye(1, len(expected))[0]
    heard = signal.lfilter([1, 2, 1], [1, -0.5, 0.25], pulse)
    np.testing.assert_allclose([float(x) for x in found], heard, atol=1e-15)


def with_gains(G, data):
    """Small rational gains, now and then a symbol, now and then none."""
    for edge in list(G.edges(keys=True) if G.is_multigraph() else G.edges()):
        kind = data.draw(st.integers(0, 9))
        if kind:
            number = sympy.Rational(data.draw(st.integers(-3, 3)), data.draw(st.integers(1, 4)))
            G.edges[edge]["gain"] = number if kind < 8 else number * sympy.Symbol(f"k{kind}")
    return G


@given(forward_graphs(vertices=4, edges=7), st.data())
def test_matrix_and_mason_and_state_space_agree(G, data):
    with_gains(G, data)
    u, v = (data.draw(st.sampled_from(list(G))) for _ in range(2))
    H = ug.symbolic.transfer_function(G, u, v, z)
    assert sympy.cancel(H - ug.symbolic.transfer_function(G, u, v, z, method="mason")) == 0
    series = ug.symbolic.walk_series(G, u, v, 4, gain="gain")
    shift = 12  # what comes before the input, if delays are negative, is moved into sight
    expanded = sympy.series(sympy.cancel(H * z**shift), z, 0, shift + 5).removeO()
    assert [sympy.expand(expanded.coeff(z, shift + k) - series[k]) for k in range(5)] == [0] * 5
    if min((d for *_, d in G.edges(data="delay")), default=0) >= 0:
        system = ug.symbolic.state_space(G, [u], [v])
        assert sympy.cancel(H - response(system)) == 0


def response(system):
    eye = sympy.eye(system.A.rows)
    return (system.D + z * system.C * (eye - z * system.A).inv() * system.B)[0, 0]


def causal(seed):
    """A random stable linear network from x to 3: delays up to 3, loops in every layer."""
    rng = np.random.default_rng(seed)
    wires = [(0, 1), (1, 2), (2, 3), *rng.integers(0, 4, (7, 2)).tolist()]
    G = nx.MultiDiGraph([("x", 0)])
    for u, v in wires:
        d = int(rng.integers(0 if u < v else 1, 4))
        G.add_edge(u, v, delay=d, gain=round(float(rng.uniform(-0.4, 0.4)), 3))
    return G


@pytest.mark.parametrize("seed", range(8))
def test_the_impulse_response_is_that_of_scipy_and_of_the_runner(seed):
    G, T = causal(seed), 30
    found = [float(c) for c in ug.symbolic.walk_series(G, "x", 3, T - 1, gain="gain")]
    pulse = np.eye(1, T)[0]
    above, below = sympy.fraction(ug.symbolic.transfer_function(G, "x", 3, z))
    taps = [
        [float(c) for c in reversed(sympy.Poly(part, z).all_coeffs())] for part in (above, below)
    ]
    np.testing.assert_allclose(found, signal.lfilter(*taps, pulse), atol=1e-12)
    system = ug.symbolic.state_space(G, ["x"], [3])
    matrices = [np.array(m, dtype=float) for m in (system.A, system.B, system.C, system.D)]
    _, heard, _ = signal.dlsim((*matrices, 1), pulse[:, None])
    np.testing.assert_allclose(found, heard[:, 0], atol=1e-12)

    for v in G:
        G.nodes[v]["op"] = nn.Input(1) if v == "x" else nn.Dense(1, "linear", bias=False)
    net = nn.Network(G)
    for v in range(4):
        net.parameters[f"{v}.weight"][:] = [g or 1 for _, w, g in G.edges(data="gain") if w == v]
    run = net.forward({"x": pulse[:, None]})
    np.testing.assert_allclose(found, run.values[3][:, 0], atol=1e-12)


def test_gains_may_speak_of_a_z_of_their_own():
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=1, gain=z)
    assert ug.symbolic.walk_series(G, "a", "a", 3, gain="gain") == (1, z, z**2, z**3)


S = ug.symbolic
BOTH = graph_of([("a", "a", 1), ("a", "b", 0), ("b", "b", -1)])
LOOP = graph_of([("a", "a", 1)])
ROUND = nx.MultiDiGraph()  # sin^2 + cos^2 = 1, without a delay
for function in (sympy.sin, sympy.cos):
    ROUND.add_edge("a", "a", gain=function(x) ** 2)
TIGHT = graph_of([("a", "b", 0), ("b", "a", 0)])
NET = nn.Network(nn.architectures.seed(1, 1, 1))
PI = S.fundamental_group(ug.gallery.seed_network(), "A")


@pytest.mark.parametrize(
    ("ask", "error", "text"),
    [
        (lambda: S.adjacency(BOTH, "z"), ValueError, "invalid z 'z': it must be one symbol"),
        (lambda: S.adjacency(ug.gallery.diamond(), z), ValueError, "a tuple of 3 symbols"),
        (lambda: S.walk_series(BOTH, "a", "b", 3), ValueError, "positive and negative total"),
        (lambda: S.walk_series(BOTH, ["a"], "b", 3), ValueError, "is not a vertex of the graph"),
        (lambda: S.walk_series(TIGHT, "a", "b", 3), ug.errors.CyclicCoverError, "total delay 0"),
        (lambda: S.closed_walk_counts(BOTH, -1), ValueError, "must be an integer >= 0"),
        (lambda: S.closed_walk_counts(ug.gallery.diamond(), 2), ValueError, "graph are in Z^3"),
        (lambda: S.zeta(TIGHT, z), ug.errors.CyclicCoverError, "total delay 0"),
        (lambda: S.transfer_function(TIGHT, "a", "b", z), ValueError, "not have a unique solution"),
        (
            lambda: S.transfer_function(BOTH, "a", "b", z, method="x"),
            ValueError,
            "or method='mason'",
        ),
        (lambda: S.zeta(LOOP, 1), ValueError, "the zeta function is undefined"),
        (lambda: S.determinant(BOTH, 0), ValueError, "has no value at z = 0"),
        (lambda: S.adjacency(BOTH, 0), ValueError, "A(z) has no value at z = 0"),
        (lambda: S.adjacency(LOOP, math.nan), ValueError, "it must be one symbol"),
        (lambda: S.transfer_function(ROUND, "a", "a", z), ValueError, "not have a unique solution"),
        (lambda: S.transfer_function(LOOP, "a", "a", 1), ValueError, "not have a unique solution"),
        (lambda: S.state_space(LOOP, 3), TypeError, "inputs must be an iterable of vertices"),
        (lambda: S.state_space(LOOP, [["a"]]), ValueError, "which is not a vertex"),
        (lambda: S.gradients(NET, 1, 3), TypeError, "outputs must be an iterable of vertices"),
        (lambda: S.gradients(NET, 1, [["out"]]), ValueError, "which is not a vertex"),
        (lambda: S.local_group(nx.DiGraph()), ValueError, "the graph has no vertices"),
        (lambda: PI.word(3), TypeError, "invalid walk 3: pass an iterable of edges"),
        (lambda: PI.word([(("A", "B"), 1.0)]), ValueError, "a step must be an edge"),
        (
            lambda: S.state_space(TIGHT, "a", "b"),
            ug.errors.CyclicCoverError,
            "every edge of the cycle a -> b -> a has delay 0",
        ),
        (lambda: S.state_space(BOTH, "a", "b"), ValueError, "requires delays >= 0"),
        (lambda: S.state_space(ug.gallery.bouquet(1)), ValueError, "pass inputs=[...]"),
        (lambda: S.local_group(nx.DiGraph([(0, 1), (2, 3)])), ValueError, "has 2 components"),
        (lambda: S.fundamental_group(BOTH, "q"), ValueError, "the root 'q' is not a vertex"),
        (lambda: PI.word([5]), ValueError, "invalid step 5: a step must be an edge"),
        (lambda: PI.word([("A", "B"), ("C", "A")]), ValueError, "('C', 'A') starts at 'C'"),
        (lambda: S.unrolled(BOTH, 2), TypeError, "must be an unrollgraph.nn.Network"),
        (lambda: S.unrolled(NET, range(2)), ValueError, "must be an integer >= 0"),
        (lambda: S.unrolled(NET, 0), ValueError, "must be at least 1"),
        (lambda: S.gradients(NET, 2, ["q"]), ValueError, "outputs contains 'q'"),
    ],
)
def test_questions_that_make_no_sense_are_answered_in_one_sentence(ask, error, text):
    with pytest.raises(error, match=re.escape(text)):
        ask()


def rooted(u, v, number):
    return sympy.sqrt((2, 3, 5)[(u * v + number) % 3])


def test_radicals_are_no_hindrance():
    """Compared with numbers of many digits; SymPy alone does not end."""
    G = nx.DiGraph()
    for u in range(6):
        for v in range(6):
            G.add_edge(u, v, delay=1, gain=rooted(u, v, u))
    D = S.determinant(G, z, gain="gain")
    assert D.is_polynomial(z)
    at = sympy.Rational(1, 7)
    numbers = sympy.Matrix(6, 6, lambda u, v: int(u == v) - at * rooted(u, v, u).n(40))
    assert abs(D.subs(z, at).n(30) - numbers.det()) < 1e-25
    series = S.walk_series(G, 0, 1, 4, gain="gain")
    matrix = sympy.Matrix(6, 6, lambda u, v: rooted(u, v, u))
    assert [sympy.expand(c - (matrix**k)[0, 1]) for k, c in enumerate(series)] == [0] * 5
    H = S.transfer_function(G, 0, 1, z)
    assert abs(H.subs(z, at).n(30) - numbers.inv()[0, 1]) < 1e-25


def test_a_series_holds_no_unit_of_delay_where_gains_have_denominators():
    a = sympy.Symbol("a")
    G = nx.DiGraph()
    G.add_edge("x", "y", delay=-1, gain=1 / (a + 1))
    G.add_edge("y", "y", delay=2, gain=z / (1 - z))
    before, value, after = S.walk_series(G, "x", "y", 2, gain="gain")
    assert (before, after) == (0, 0)
    assert sympy.cancel(value - z / ((1 - z) * (a + 1))) == 0


def test_decimals_are_exact_however_they_are_written():
    for gain in (0.1, np.float64(0.1), Decimal("0.1"), sympy.Float(0.1)):
        G = nx.DiGraph()
        G.add_edge("a", "a", delay=1, gain=gain)
        assert S.determinant(G, z, gain="gain") == 1 - z / 10
        assert S.determinant(G, 0.5, gain="gain") == sympy.Rational(19, 20)


@pytest.mark.parametrize(
    "gain",
    ["a", None, True, math.nan, object(), [1], math.inf, sympy.oo + z, sympy.AccumBounds(0, 1)],
)
def test_what_is_no_gain_is_refused(gain):
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=1, gain=gain)
    with pytest.raises(ValueError, match=r"invalid gain .* on edge \('a', 'a'\)"):
        S.adjacency(G, z, gain="gain")
