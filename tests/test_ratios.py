"""Cycle ratios and depths: by listing cycles, by published values, and by their certificates."""

import copy
import dataclasses
import json
import math
import pickle
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import networkx as nx
import numpy as np
import oracle
import pytest
from certified import CASES, graph_of
from forward import forward_graphs
from hypothesis import assume, given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.measure import cycle_ratio
from unrollgraph.testing import delay_graphs

VECTORS = json.loads((Path(__file__).parent / "data" / "cycle_ratio.json").read_text())["graphs"]


def edges_of(G):
    return list(G.edges(keys=True)) if G.is_multigraph() else list(G.edges)


def numbered(G, cost, delay="delay"):
    """Each edge with its cost and delay as fractions."""
    costs = cost if isinstance(cost, dict) else {e: G.edges[e].get(cost, 1) for e in edges_of(G)}
    return {e: (Fraction(costs[e]), Fraction(G.edges[e].get(delay, 0))) for e in edges_of(G)}


def proved(G, cost, extreme, delay="delay"):
    """The ratio, after everything that proves it has been verified twice."""
    found = extreme(G, cost, delay=delay)
    parts = found.ratio, found.cycle, found.potential, found.delay_potential
    sign = 1 if extreme is ug.max_cycle_ratio else -1
    assert oracle.proves_ratio(numbered(G, cost, delay), parts, sign)
    assert found.check()
    assert min(found.potential.values()) == 0
    return found.ratio


COSTS = {
    "integers": st.integers(-9, 9),
    "fractions": st.fractions(-9, 9, max_denominator=12),
    "floats": st.floats(-9, 9, allow_nan=False, allow_subnormal=False),
    "at the end of 64 bits": st.integers(-(2**57), 2**57),
    "enormous": st.integers(-(10**40), 10**40),
}


@pytest.mark.parametrize("kind", COSTS)
@given(data=st.data())
def test_the_ratios_are_those_of_a_simple_cycle(kind, data):
    G = data.draw(forward_graphs())
    edges = edges_of(G)
    for e in edges:
        G.edges[e]["work"] = data.draw(COSTS[kind])
    numbers = numbered(G, "work")
    ratios = [
        Fraction(sum(numbers[e][0] for e in c), sum(numbers[e][1] for e in c))
        for c in oracle.cycles(G)
    ]
    for extreme, best in ((ug.max_cycle_ratio, max), (ug.min_cycle_ratio, min)):
        if ratios:
            assert proved(G, "work", extreme) == best(ratios)
            assert extreme(G, "work").floats == any(
                isinstance(G.edges[e]["work"], float) for e in edges
            )
        else:
            with pytest.raises(nx.NetworkXNoCycle, match="no cycle"):
                extreme(G, "work")


@pytest.mark.parametrize("seed", range(20))
def test_graphs_with_many_cycles_are_proved(seed):
    """Too many cycles to list, but not to prove that one is the greatest."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 300))
    G = nx.MultiDiGraph()
    shift = rng.integers(-9, 9, n).tolist()
    most = 10 ** int(rng.integers(1, 14))
    ring = rng.permutation(n // 2 * 2).reshape(-1, 2)  # pairs, each a cycle by itself
    ends = np.concatenate([ring, ring[:, ::-1], rng.integers(0, n, (2 * n, 2))])
    for u, v in ends.tolist():
        late = int(rng.integers(int(u >= v), 5))
        G.add_edge(u, v, delay=late + shift[v] - shift[u], work=int(rng.integers(-most, most)))
    least, greatest = proved(G, "work", ug.min_cycle_ratio), proved(G, "work", ug.max_cycle_ratio)
    assert least <= greatest


@pytest.mark.parametrize("extreme", [ug.max_cycle_ratio, ug.min_cycle_ratio])
def test_values_come_from_afar_in_a_few_rounds(extreme, monkeypatch):
    """A long way with one delay at its end: a vertex a round would be a thousand rounds."""
    rounds = []
    improve = cycle_ratio._Graph.improve
    monkeypatch.setattr(
        cycle_ratio._Graph, "improve", lambda *given: rounds.append(0) or improve(*given)
    )
    rng, n, G = np.random.default_rng(5), 3000, nx.DiGraph()
    for u in range(n):
        for v in range(u + 1, u + 4):
            G.add_edge(u, v % n, delay=int(v >= n), work=int(rng.integers(1, 1000)))
    proved(G, "work", extreme)
    assert len(rounds) < 40


@given(delay_graphs(vertices=5, edges=9, delays=2))
def test_a_cycle_that_takes_no_time_is_named(G):
    totals = oracle.cycle_totals(G)
    assume(any(total <= 0 for total in totals))
    for ask in (ug.max_cycle_ratio, ug.min_cycle_ratio, ug.recurrent_depth, ug.clock_period):
        with pytest.raises(
            ug.errors.UnboundedError, match="the total delay of every cycle must be positive"
        ) as caught:
            ask(G)
        cycle = caught.value.cycle
        assert sum(G.edges[e]["delay"] for e in cycle) <= 0
        joins = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        assert all(a[1] == b[0] for a, b in joins)
        assert isinstance(caught.value, nx.NetworkXUnbounded)


def test_delays_may_be_fractions_decimals_or_floats():
    G = nx.DiGraph()
    G.add_edge("a", "b", work=Decimal("0.3"), time=Fraction(1, 3))
    G.add_edge("b", "a", work=1, time=Decimal("0.5"))
    assert proved(G, "work", ug.max_cycle_ratio, "time") == Fraction(13, 10) / Fraction(5, 6)
    G.edges["a", "b"]["time"] = 0.1
    found = ug.max_cycle_ratio(G, "work", delay="time")
    assert found.floats
    assert found.ratio == Fraction(13, 10) / (Fraction(0.1) + Fraction(1, 2))
    assert ug.max_cycle_ratio(G, {e: np.int32(3) for e in G.edges}, delay="time").check()


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (None, r"edge \('a', 'a'\) has no cost in attribute 'work'; add it"),
        (float("nan"), r"the cost of edge \('a', 'a'\) is nan, but it must be a number"),
        ("3", "is '3', but"),
        (True, "is True, but"),
        (1j, "but it must be a number"),
        (np.longdouble(1), "but it must be a number"),
    ],
)
def test_costs_that_are_no_numbers_are_refused(work, text):
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=1, work=work)
    with pytest.raises(ValueError, match=text):
        ug.max_cycle_ratio(G, "work")


def test_other_refusals_name_what_is_wrong():
    G = nx.DiGraph()
    G.add_edge("a", "a", delay="x")
    with pytest.raises(ValueError, match=r"the delay of edge \('a', 'a'\) is 'x'"):
        ug.max_cycle_ratio(G)
    with pytest.raises(ValueError, match="costs contains .'a', 'b'., which is not an edge"):
        ug.max_cycle_ratio(ug.gallery.elman(), {("a", "b"): 3})
    with pytest.raises(ValueError, match="in Z.2"):
        ug.max_cycle_ratio(ug.gallery.grid_2d())
    G.edges["a", "a"]["delay"] = (1, 1.5)
    with pytest.raises(ug.errors.DelayError, match="delays must be integers"):
        ug.max_cycle_ratio(G)
    with pytest.raises(ug.errors.DelayError):  # depth is of networks, whose delays are steps
        ug.recurrent_depth(nx.DiGraph([("a", "a", {"delay": 0.5})]))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_published_ratios_of_other_libraries(case):
    """Boost's values are stated within 0.005, JGraphT's exactly."""
    G = nx.MultiDiGraph()
    for u, v, cost, delay in case["edges_u_v_w1_w2"]:
        G.add_edge(u, v, cost=Decimal(str(cost)), delay=Decimal(str(delay)), step=1)
    for name, exact in case["exact_checked"].items():
        extreme = ug.max_cycle_ratio if name.startswith("max") else ug.min_cycle_ratio
        delay = "step" if "mean" in name else "delay"
        published = case["expected"][name]
        if exact is None:
            with pytest.raises(nx.NetworkXNoCycle):
                extreme(G, "cost", delay=delay)
        else:
            ratio = proved(G, "cost", extreme, delay)
            assert ratio == Fraction(exact)
            assert math.isclose(ratio, Fraction(published), abs_tol=0.005)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if {"max_cycle_ratio", "min_cycle_ratio"} & set(c["expect"])],
    ids=lambda c: c["name"],
)
def test_reference_rows_61_to_68(case):
    G = graph_of(case["edges"])
    edges = [(u, v, k) for (u, v, _), k in zip(case["edges"], keys(case["edges"]), strict=True)]
    cost = dict(zip(edges, case["costs"], strict=True))
    for extreme in (ug.max_cycle_ratio, ug.min_cycle_ratio):
        if extreme.__name__ in case["expect"]:
            expected = case["expect"][extreme.__name__]
            if expected is None:
                with pytest.raises(nx.NetworkXNoCycle):
                    extreme(G, cost)
            else:
                assert proved(G, cost, extreme) == Fraction(expected)


def keys(edges):
    """The key that networkx gives each of some wires."""
    met = {}
    return [met.setdefault((u, v), []).append(0) or len(met[u, v]) - 1 for u, v, *_ in edges]


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["row"] <= 20], ids=lambda case: case["name"]
)
def test_reference_rows_1_to_20(case):
    G, expect = graph_of(case["edges"]), case["expect"]
    if "recurrent_depth" in expect:
        assert ug.recurrent_depth(G) == Fraction(expect["recurrent_depth"])
        assert ug.skip_coefficient(G) == Fraction(expect["skip_coefficient"])
    if "feedforward_depth" in expect:
        depth = ug.feedforward_depth(G, expect["sources"], expect["targets"])
        assert depth == Fraction(expect["feedforward_depth"])
    for name in ("longest_path_lengths", "shortest_path_lengths"):
        if name in expect:
            (source,), (target,) = expect["sources"], expect["targets"]
            found = getattr(ug, name)(G, source, target, range(len(expect[name])))
            assert found == tuple(expect[name])
    if "mean_recurrent_length" in expect:
        steps = range(*expect["mean_over_delays"])
        mean = ug.mean_recurrent_length(G, "x", expect["targets"][0], steps)
        assert mean == Fraction(expect["mean_recurrent_length"])


@pytest.mark.parametrize("periods", [[1, 2, 4], [2, 3], [1, 3, 6], [4]])
def test_a_clockwork_network_measures_the_same_in_ticks_and_in_steps(periods):
    ticks, steps = ug.gallery.clockwork(periods, ticks=True), ug.gallery.clockwork(periods)
    period = math.lcm(*periods)
    assert ug.recurrent_depth(ticks) == ug.recurrent_depth(steps, period=period)
    assert ug.skip_coefficient(ticks) == ug.skip_coefficient(steps, period=period)
    if periods == [1, 2, 4]:
        assert (ug.recurrent_depth(steps), ug.skip_coefficient(steps)) == (4, 1)
    with pytest.raises(ValueError, match="the period is .*, but it must be a positive integer"):
        ug.recurrent_depth(steps, period=0)


@given(forward_graphs(), st.data())
def test_depth_and_skip_are_those_of_listed_cycles_and_survive_retiming(G, data):
    assume(oracle.cycles(G))
    H = ug.retime(G, {v: data.draw(st.integers(-9, 9)) for v in G})
    sums = [(len(c), sum(G.edges[e]["delay"] for e in c)) for c in oracle.cycles(G)]
    for graph in (G, H):
        assert ug.recurrent_depth(graph) == max(Fraction(a, b) for a, b in sums)
        assert ug.skip_coefficient(graph) == max(Fraction(b, a) for a, b in sums)


@given(forward_graphs(), st.data())
def test_feedforward_depth_is_that_of_listed_simple_paths(G, data):
    assume(oracle.cycles(G))
    ends = st.lists(st.sampled_from(sorted(G)), min_size=1, max_size=2, unique=True)
    sources, targets = data.draw(ends), data.draw(ends)
    rate = max(Fraction(len(c), sum(G.edges[e]["delay"] for e in c)) for c in oracle.cycles(G))
    values = [Fraction(0)] if set(sources) & set(targets) else []

    def extend(v, met, value):
        if v in targets:
            values.append(value)
        for u, w, _, (d,) in oracle.wires(G):
            if u == v and w not in met:
                extend(w, met | {w}, value + 1 - d * rate)

    for source in sources:
        extend(source, {source}, Fraction(0))
    if values:
        assert ug.feedforward_depth(G, sources, iter(targets)) == max(values)
    else:
        with pytest.raises(nx.NetworkXNoPath):
            ug.feedforward_depth(G, sources, targets)


def test_ends_that_are_no_vertices_are_refused():
    G = ug.gallery.elman()
    for wrong in ("z", ["x", "z"], 3):
        with pytest.raises(ValueError, match="(which is not|is neither) a vertex of the graph"):
            ug.feedforward_depth(G, wrong, "y")
    with pytest.raises(nx.NetworkXNoCycle):
        ug.feedforward_depth(nx.DiGraph([("x", "y")]), "x", "y")


def test_another_delay_may_be_read_from_a_delay_graph():
    G = nx.DiGraph()
    G.add_edge("a", "b", delay=1, lag=5)
    G.add_edge("b", "a", delay=1, lag=Fraction(1, 2))
    for graph in (G, ug.DelayGraph(G)):
        assert ug.max_cycle_ratio(graph, delay="lag").ratio == Fraction(4, 11)
        assert ug.max_cycle_ratio(graph).ratio == 1


def test_a_certificate_that_was_tampered_with_is_refused():
    found = ug.max_cycle_ratio(ug.gallery.top_down(3))
    wrong = [
        ({"ratio": found.ratio + 1}, "critical cycle has cost"),
        ({"ratio": found.ratio - Fraction(1, 9)}, "potential violates its inequality"),
        ({"_potential": dict.fromkeys(found._potential, 0)}, "potential violates its inequality"),
        (
            {"_delay_potential": dict.fromkeys(found._delay_potential, 0)},
            "delay potential violates its inequality",
        ),
        ({"_potential": dict.fromkeys(found._potential, math.nan)}, "nan is among them"),
        ({"_delay_potential": dict.fromkeys(found._delay_potential, 0.5)}, "0.5 is among them"),
        ({"cycle": ()}, "not a closed walk"),
        ({"cycle": (("h1", "h2"), ("h2", "h2"))}, "not a closed walk"),
        ({"cycle": (("a", "a"),)}, "not a closed walk"),
    ]
    for change, text in wrong:
        with pytest.raises(ug.errors.CertificateError, match=text):
            dataclasses.replace(found, **change).check()


def test_results_are_frozen_and_can_be_sent_elsewhere():
    G = ug.gallery.elman()
    ratio, retiming = ug.max_cycle_ratio(G), ug.min_period_retiming(G)
    for value, parts in ((ratio, ratio.potential), (retiming, retiming.shifts)):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
        with pytest.raises(ug.errors.FrozenError, match="frozen object and cannot be changed"):
            parts["h"] = 3
