"""Clock periods and retimings: by trying all shifts, by published values, by their proofs."""

import dataclasses
import json
import math
from fractions import Fraction
from pathlib import Path

import fixtures
import networkx as nx
import oracle
import pytest
from certified import CASES, graph_of
from forward import forward_graphs
from hypothesis import assume, given
from hypothesis import strategies as st

import unrollgraph as ug

DFG = json.loads((Path(__file__).parent / "data" / "dsp_retiming.json").read_text())["dfg"]


def best(G, durations, fixed=()):
    """The least period, its retiming and proof verified apart from the package."""
    found = ug.min_period_retiming(G, durations, fixed=fixed)
    assert found.check()
    assert oracle.clock_period(G, durations, found.shifts) == found.period
    assert not any(found.shifts[v] for v in fixed)
    assert sum(durations[v] for v in found.critical_path) == found.period
    H = ug.retime(G, found.shifts)
    assert ug.clock_period(H, durations) == found.period
    for u, v in zip(found.critical_path, found.critical_path[1:], strict=False):
        joining = H.get_edge_data(u, v)
        edges = joining.values() if H.is_multigraph() else [joining]
        assert 0 in [data["delay"] for data in edges]
    assert proves(G, durations, found, fixed)
    return found


def proves(G, durations, found, fixed):
    """Fewer registers on a closed walk than it has pieces as long as the period."""
    if not found.period:
        return True
    registers = long = 0
    for piece, after in zip(found.proof, found.proof[1:] + found.proof[:1], strict=True):
        stops = [piece.start, *(edge[1] for edge in piece.walk)]
        joined = all(edge[0] == stop for edge, stop in zip(piece.walk, stops, strict=False))
        if not joined or (stops[-1] != after.start and not {stops[-1], after.start} <= set(fixed)):
            return False
        registers += sum(G.edges[edge]["delay"] for edge in piece.walk)
        long += sum(durations[v] for v in stops) >= found.period
    return registers < long


DURATIONS = st.one_of(
    st.integers(0, 5), st.fractions(0, 5, max_denominator=3), st.sampled_from([0.1, 0.2, 0.3])
)


@given(forward_graphs(vertices=4, edges=7, delays=2, shift=0), st.data())
def test_the_least_period_is_that_of_all_shifts_tried(G, data):
    durations = {v: Fraction(data.draw(DURATIONS)) for v in G}
    assert ug.clock_period(G, durations) == oracle.clock_period(G, durations)
    assert best(G, durations).period == oracle.least_period(G, durations, 3)


@given(forward_graphs(vertices=4, edges=7, delays=2, shift=1), st.data())
def test_fixed_vertices_keep_their_clocks_and_delays_may_be_negative(G, data):
    durations = {v: data.draw(st.integers(0, 5)) for v in G}
    fixed = data.draw(st.lists(st.sampled_from(sorted(G)), min_size=1, max_size=3, unique=True))
    expected = oracle.least_period(G, durations, 6, fixed)
    if expected is None:
        with pytest.raises(ValueError, match="every retiming has a negative delay: the edges"):
            ug.min_period_retiming(G, durations, fixed=fixed)
    else:
        assert best(G, durations, tuple(fixed)).period == expected


@given(forward_graphs())
def test_with_unit_durations_it_is_the_depth_rounded_up(G):
    """Row 80: the longest chain of delay zero, in vertices."""
    depth = math.ceil(ug.recurrent_depth(G)) if oracle.cycles(G) else 1
    assert best(G, dict.fromkeys(G, 1)).period == depth


@given(forward_graphs(), st.data())
def test_the_iteration_bound_bounds_every_period_and_unfolds(G, data):
    assume(oracle.cycles(G))
    durations = {v: data.draw(st.integers(0, 9)) for v in G}
    bound = ug.iteration_bound(G, durations)
    assert bound.check()
    listed = [
        Fraction(sum(durations[e[0]] for e in c), sum(G.edges[e]["delay"] for e in c))
        for c in oracle.cycles(G)
    ]
    assert bound.ratio == max(listed)
    period = best(G, durations).period
    assert bound.ratio <= period <= max(0, bound.ratio + max(durations.values()))
    n = data.draw(st.integers(1, 4))
    unfolded = ug.cyclic_cover(G, n)
    times = {(v, t): durations[v] for v, t in unfolded}
    assert ug.iteration_bound(unfolded.copy(), times).ratio == n * bound.ratio


@pytest.mark.parametrize("case", [c for c in CASES if c["row"] in (58, 59, 60, 81)])
def test_reference_rows_58_to_60_and_81(case):
    G, expect = graph_of(case["edges"]), case["expect"]
    times = case.get("durations", dict.fromkeys(G, 1))
    if "clock_period" in expect:
        assert ug.clock_period(G, times) == expect["clock_period"]
        assert best(G, times).period == expect["min_clock_period"]
        assert ug.clock_period(ug.retime(G, expect["retiming_example"]), times) == 13
    if "iteration_bound" in expect:
        assert ug.iteration_bound(G, times).ratio == Fraction(expect["iteration_bound"])
    if "loop_bounds" in expect:
        loops = [
            Fraction(sum(times[e[0]] for e in c), sum(G.edges[e]["delay"] for e in c))
            for c in oracle.cycles(G)
        ]
        assert sorted(loops) == sorted(map(Fraction, expect["loop_bounds"]))
    if "unfold" in expect:
        H = ug.cyclic_cover(G, expect["unfold"]).copy()
        if "unfolded_iteration_bound" in expect:
            bound = ug.iteration_bound(H, {(v, t): times[v] for v, t in H})
            assert bound.ratio == Fraction(expect["unfolded_iteration_bound"])
        if "unfolded_edges" in expect:
            wires = [(f"{u}{s}", f"{v}{t}", d) for (u, s), (v, t), d in H.edges(data="delay")]
            assert sorted(wires) == sorted(map(tuple, expect["unfolded_edges"]))


@pytest.mark.parametrize(
    "case", [c for c in DFG if "edges_u_v_delay" in c], ids=lambda case: case["id"]
)
def test_published_circuits(case):
    G, times = graph_of(case["edges_u_v_delay"]), case["node_time"]
    if "iteration_bound" in case:
        assert ug.iteration_bound(G, times).ratio == Fraction(case["iteration_bound"])
    if "clock_period" in case:
        assert ug.clock_period(G, times) == case["clock_period"]
        assert best(G, times).period == case["min_period_by_retiming"]
        assert best(G, times, ("0",)).period == case["min_period_by_retiming"]
        example = dict(zip(sorted(times), case["one_optimal_retiming"], strict=True))
        assert oracle.clock_period(G, times, example) == case["min_period_by_retiming"]


def correlator(taps):
    """Comparators in a row behind a register each, and adders that sum up what they find."""
    wires = [("host", "c1", 1)]
    wires += [(f"c{i}", f"c{i + 1}", 1) for i in range(1, taps)]
    wires += [(f"c{i}", f"a{i}", 0) for i in range(1, taps)]
    wires += [(f"a{i + 1}", f"a{i}", 0) for i in range(1, taps - 1)]
    G = graph_of([*wires, (f"c{taps}", f"a{taps - 1}", 0), ("a1", "host", 0)])
    return G, {v: {"h": 0, "c": 3, "a": 7}[v[0]] for v in G}


def test_the_published_family_of_correlators():
    (family,) = [c for c in DFG if "node_time_rule" in c]
    for taps in (6, 7, 12, 49):
        period = best(*correlator(taps)).period
        assert period == family["min_period_by_retiming"]
    G, times = correlator(4)
    assert (ug.clock_period(G, times), best(G, times).period) == (24, 13)


def test_durations_come_from_an_attribute_and_bad_ones_are_refused():
    G = ug.gallery.elman()
    nx.set_node_attributes(G, {"x": 0, "h": Fraction(7, 2), "y": 1}, "time")
    assert ug.clock_period(G, "time") == Fraction(9, 2)
    G.nodes["h"]["time"] = -1
    with pytest.raises(ValueError, match="the duration of vertex 'h' is -1, but durations must be"):
        ug.clock_period(G, "time")
    del G.nodes["h"]["time"]
    with pytest.raises(ValueError, match="vertex 'h' has no duration in attribute 'time'"):
        ug.min_period_retiming(G, "time")
    with pytest.raises(ValueError, match="durations contains 'z'"):
        ug.iteration_bound(G, {"z": 1})
    with pytest.raises(ValueError, match="fixed contains 'z'"):
        ug.min_period_retiming(G, fixed=["z"])
    with pytest.raises(TypeError, match="fixed must be an iterable of vertices"):
        ug.min_period_retiming(G, fixed=3)
    with pytest.raises(ValueError, match="number of registers must be >= 0; min_period_retiming"):
        ug.clock_period(fixtures.retimed_top_down())
    with pytest.raises(ValueError, match="in Z.2"):
        ug.clock_period(ug.gallery.grid_2d())
    assert ug.clock_period(nx.DiGraph()) == ug.min_period_retiming(nx.DiGraph()).period == 0


def test_a_retiming_that_was_tampered_with_is_refused():
    case = next(c for c in CASES if c["row"] == 58)
    G = graph_of(case["edges"])
    found = ug.min_period_retiming(G, case["durations"], fixed=["h"])
    short = found.proof[:1] + found.proof[2:]
    wrong = [
        ({"shifts": {**found.shifts, "v2": -9}}, "has the negative delay .* after the retiming"),
        ({"shifts": {v: r + 1 for v, r in found.shifts.items()}}, "fixed vertex .* shifted by 1"),
        ({"shifts": {**found.shifts, "v2": Fraction(1, 2)}}, "shifts must be integers"),
        ({"shifts": dict.fromkeys(G, 0)}, "the period after the retiming is not 13"),
        ({"proof": ()}, "0 registers, but must have fewer than its 0 segments"),
        ({"proof": short}, "segments of the proof do not join"),
        ({"proof": (ug.measure.PathSegment("h", (("h", "v1", 0),)),)}, "the proof do not join"),
        ({"proof": (ug.measure.PathSegment("h", (("v1", "v2", 0),)),)}, "not a walk"),
        ({"proof": (ug.measure.PathSegment("v7", ()),)}, "fewer than its 0 segments"),
    ]
    for change, text in wrong:
        with pytest.raises(ug.errors.CertificateError, match=text):
            dataclasses.replace(found, **change).check()
