"""Verdicts on the infinite cover, each certificate verified by code that shares nothing."""

import random
from itertools import islice

import networkx as nx
import oracle
import pytest
from certified import CASES, decide, graph_of, stages_of
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.testing import delay_graphs


@given(delay_graphs(vertices=5, edges=9))
def test_the_verdict_agrees_with_a_large_window(G):
    answer = decide(G)
    window = oracle.has_cycle(oracle.window_arcs(G, [range(80)]))
    assert window == isinstance(answer, ug.measure.ZeroWalk)


@given(delay_graphs(vertices=5, edges=9, delays=30))
def test_the_direction_is_the_sign_of_the_simple_cycles(G):
    """Forward: all positive, or none; backward: all negative."""
    totals = oracle.cycle_totals(G)
    answer = decide(G)
    direction = ug.time_direction(G)
    if all(total > 0 for total in totals):
        assert direction == "forward"
    elif all(total < 0 for total in totals):
        assert direction == "backward"
    else:
        assert direction in {"mixed", "cyclic"}
    assert (direction == "cyclic") == isinstance(answer, ug.measure.ZeroWalk)
    if direction in {"forward", "backward"}:
        assert answer.is_linear
        slope = answer.stages[0].slopes[0][0]
        assert slope > 0 if direction == "forward" else slope < 0


@given(delay_graphs(vertices=5, edges=9, delays=30))
def test_a_schedule_is_linear_whenever_a_linear_one_exists(G):
    """A linear one needs cycles of one sign: X . d(c) > 0 for every cycle c."""
    totals = oracle.cycle_totals(G)
    one_sign = all(total > 0 for total in totals) or all(total < 0 for total in totals)
    answer = decide(G)
    if isinstance(answer, ug.measure.Schedule):
        assert answer.is_linear == one_sign


@given(delay_graphs(vertices=5, edges=9), st.data())
def test_verdict_and_direction_survive_retiming_and_turn_with_time(G, data):
    H = ug.retime(G, {v: data.draw(st.integers(-9, 9)) for v in G})
    assert ug.time_direction(H) == ug.time_direction(G)
    decide(H)
    turned = G.copy()
    for *_, item in turned.edges(data=True):
        item["delay"] *= -1
    swap = {"forward": "backward", "backward": "forward"}
    direction = ug.time_direction(G)
    if oracle.cycle_totals(G):
        assert ug.time_direction(turned) == swap.get(direction, direction)
    else:
        assert ug.time_direction(turned) == "forward"
    decide(turned)


@given(delay_graphs(vertices=5, edges=9))
def test_keys_increase_along_the_arcs_of_any_window(G):
    try:
        schedule = ug.acyclicity_certificate(G)
    except ug.errors.CyclicCoverError:
        return
    for a, b, *_ in oracle.window_arcs(G, [range(-20, 20)]):
        assert schedule.key(a) < schedule.key(b)


@given(delay_graphs(vertices=5, edges=9))
def test_a_cycle_of_the_cover_is_one(G):
    cover = ug.DelayCover(G)
    if ug.is_acyclic(cover):
        assert ug.acyclicity_certificate(cover).check()
        for find in (ug.find_zero_walk, ug.find_cycle):
            with pytest.raises(nx.NetworkXNoCycle):
                find(G if find is ug.find_zero_walk else cover)
        return
    cycle = ug.find_cycle(cover)
    assert all(cover.has_edge(*arc) for arc in cycle)
    turned = cycle[1:] + cycle[:1]
    assert all(a[1] == b[0] for a, b in zip(cycle, turned, strict=True))
    assert len({arc[0] for arc in cycle}) == len(cycle)
    walk = ug.find_zero_walk(G)
    assert sum(1 for _ in walk) == walk.length >= 1


@given(delay_graphs(vertices=5, edges=9, delays=2**31))
def test_the_largest_delays_are_decided_exactly(G):
    decide(G)


@pytest.mark.parametrize(
    "case", [c for c in CASES if "direction" in c["expect"]], ids=lambda c: c["name"]
)
def test_reference_rows_in_z(case):
    expect, G = case["expect"], graph_of(case["edges"])
    answer = decide(G)
    assert isinstance(answer, ug.measure.Schedule) == expect["acyclic"]
    assert ug.time_direction(G) == expect["direction"]
    if "zero_walk_min_length" in expect:
        assert answer.length >= expect["zero_walk_min_length"]
    if "schedule" in expect:  # the reference's own schedule is one too
        assert oracle.proves_acyclic(
            G, [{v: (expect["schedule"]["X"], o) for v, o in expect["schedule"]["offset"].items()}]
        )


def test_two_signed_loops_have_the_shortest_walk():
    assert ug.find_zero_walk(graph_of([("a", "a", 2), ("a", "a", -3)])).length == 5


@pytest.mark.parametrize(
    "edges",
    [
        [("a", "a", 5), ("b", "b", -7), ("a", "b", 1), ("b", "a", 0)],
        [("a", "a", 5), ("b", "b", -7), ("a", "b", -9), ("b", "a", 0)],
        [("a", "a", 5), ("b", "b", -7), ("a", "b", 4), ("b", "a", -4)],
        [("a", "c", 5), ("c", "a", 0), ("c", "b", 1), ("b", "c", -9)],
        [("a", "a", 6), ("a", "a", -4)],
    ],
    ids=["bridge above", "bridge below", "bridge zero", "meeting", "common divisor"],
)
def test_cycles_of_both_signs_are_made_to_cancel(edges):
    assert isinstance(decide(graph_of(edges)), ug.measure.ZeroWalk)


def test_counts_have_no_common_divisor():
    walk = decide(graph_of([("a", "a", 6), ("a", "a", -4)]))
    assert sorted(n for _, n in walk.segments) == [2, 3]


def test_an_enormous_zero_walk_is_told_in_short():
    B = 2**31
    G = graph_of([("a", "b", B), ("b", "a", 0), ("c", "c", 1 - B), ("b", "c", 5), ("c", "b", -4)])
    walk = decide(G)
    assert isinstance(walk, ug.measure.ZeroWalk)
    assert len(walk.segments) <= 3
    assert walk.length > 10**6
    with pytest.raises(ValueError, match="raise the limit, or use find_zero_walk"):
        ug.find_cycle(ug.DelayCover(G))
    for limit in (-1, "x", 0.5):
        with pytest.raises(ValueError, match="the limit is .*, but it must be an integer >= 0"):
            ug.find_cycle(ug.DelayCover(G), limit=limit)


@pytest.mark.slow
@pytest.mark.parametrize("excess", [1, 0, -1])
def test_seventy_thousand_vertices_with_the_largest_delays(excess):
    """Sums reach 1.5e14, offsets 1e19, beyond 64 bits; the last edge decides by one."""
    n = 70_001
    delays = [-(2**31), 2**31] * (n // 2)
    random.Random(0).shuffle(delays)
    G = nx.DiGraph()
    for k, d in enumerate(delays):
        G.add_edge(k, k + 1, delay=d)
    G.add_edge(n - 1, 0, delay=excess)
    answer = decide(G)
    if excess:
        assert answer.time_direction == ("forward" if excess > 0 else "backward")
    else:
        assert answer.length == n


def test_all_delays_at_the_limit_need_more_than_64_bits():
    n = 70_000
    G = nx.DiGraph()
    for k in range(n):
        G.add_edge(k, k + 1, delay=-(2**31))
        G.add_edge(k + 1, k, delay=2**31)
    assert decide(G).length == 2
    path = nx.DiGraph()
    for k in range(n):
        path.add_edge(k, k + 1, delay=2**31 if k % 2 else 0)
        path.add_edge(("side", k), k, delay=-(2**31))
    assert decide(path).time_direction == "forward"
    zigzag = nx.DiGraph()
    nx.add_path(zigzag, range(n), delay=-(2**31))
    nx.add_path(zigzag, [("zero", k) for k in range(n)], delay=0)
    schedule = decide(zigzag)
    assert max(map(abs, schedule.stages[0].offsets)) > 2**63


def test_edgeless_and_empty_graphs_are_acyclic():
    assert decide(nx.DiGraph()).is_linear
    assert decide(nx.DiGraph()).stages[0].offsets == ()
    G = nx.DiGraph()
    G.add_nodes_from("ab")
    assert decide(G).is_linear
    assert ug.time_direction(G) == "forward"


# -- certificates that do not hold -------------------------------------------------


def test_a_schedule_that_does_not_increase_is_found_out():
    schedule = ug.acyclicity_certificate(ug.gallery.seed_network())
    (stage,) = schedule.stages
    flat = ug.measure.Schedule(schedule.graph, (ug.measure.Stage(stage.slopes, (0,) * 5),))
    with pytest.raises(
        ug.errors.CertificateError, match=r"does not increase along edge \('in', 'A'\)"
    ) as e:
        flat.check()
    assert e.value.edge == ("in", "A")
    falling = ug.measure.Schedule(
        schedule.graph, (ug.measure.Stage(stage.slopes, (9, *stage.offsets[1:])),)
    )
    with pytest.raises(ug.errors.CertificateError, match=r"along edge \('in', 'A'\)"):
        falling.check()
    for bad in (
        ug.measure.Stage(stage.slopes, (0.0, 1.5, 2, 3, 4)),
        ug.measure.Stage(stage.slopes[1:], stage.offsets),
        ug.measure.Stage(stage.slopes, stage.offsets[1:]),
        ug.measure.Stage(((5, 0),) * 5, stage.offsets),
    ):
        with pytest.raises(ug.errors.CertificateError, match="all of them integers"):
            ug.measure.Schedule(schedule.graph, (bad,)).check()
    slopes = (*stage.slopes[:-1], (9,))
    with pytest.raises(ug.errors.CertificateError, match=r"along edge \('C', 'out'\)"):
        ug.measure.Schedule(schedule.graph, (ug.measure.Stage(slopes, stage.offsets),)).check()
    with pytest.raises(ug.errors.CertificateError):
        ug.measure.Schedule(schedule.graph, ()).check()
    with pytest.raises(ValueError, match="is not a vertex of the cover"):
        schedule.key(("A", 0.5))


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ((), "no edges"),
        ((((), 1),), "empty"),
        ((((("a", "a", 0),), 0),), "empty"),
        ((((("a", "a", 9),), 1),), "is not an edge of the graph"),
        (((((["a"], "a", 0),), 1),), "is not an edge of the graph"),
        ((((("a", "a", 0),), 1.5),), "has the count 1.5; .* an integer count >= 1"),
        ((((("a", "b", 0), ("a", "b", 0)), 1),), "walk is not contiguous"),
        ((((("a", "b", 0),), 2),), "walk is not contiguous"),
        ((((("a", "b", 0),), 1),), "walk is not contiguous"),
        ((((("a", "a", 0),), 3), ((("a", "b", 0),), 1)), "walk is not contiguous"),
        ((((("a", "a", 0),), 3),), r"total delay of the walk is \(6,\)"),
    ],
)
def test_a_walk_that_is_no_zero_walk_is_found_out(segments, text):
    graph = ug.DelayGraph(graph_of([("a", "a", 2), ("a", "a", -3), ("a", "b", 0)]))
    with pytest.raises(ug.errors.CertificateError, match=text):
        ug.measure.ZeroWalk(graph, segments).check()


def test_the_oracle_is_not_fooled_either():
    G = ug.gallery.seed_network()
    (good,) = stages_of(ug.acyclicity_certificate(G))
    assert oracle.proves_acyclic(G, [good])
    assert not oracle.proves_acyclic(G, [dict.fromkeys(G, ((0,), 0))])
    assert not oracle.proves_acyclic(G, [{**good, "C": ((9,), 3)}])
    loops = graph_of([("a", "a", 2), ("a", "a", -3)])
    two, three = ((("a", "a", 0),), 3), ((("a", "a", 1),), 2)
    assert oracle.proves_cyclic(loops, [two, three])
    assert not oracle.proves_cyclic(loops, [two])
    assert not oracle.proves_cyclic(loops, [])


# -- which question is asked of what -------------------------------------------------


@pytest.mark.parametrize("ask", [ug.is_acyclic, ug.find_cycle, ug.find_zero_walk])
def test_a_question_takes_whatever_has_a_delay_graph(ask):
    G = nx.DiGraph([("a", "b"), ("b", "a")])
    for form in (ug.DelayGraph(G), ug.DelayCover(G), ug.DelayCover(ug.DelayCover(G))):
        assert str(ask(form)) == str(ask(G))
    for stranger in (nx.Graph(G), "G", None, G.adj):
        with pytest.raises(
            TypeError, match="a delay graph (must be directed|such as a DelayCover)"
        ):
            ask(stranger)


def test_the_refusal_names_walk_total_and_mend():
    G = ug.gallery.seed_network()
    G.edges["C", "A"]["delay"] = 0
    with pytest.raises(nx.NetworkXUnfeasible) as caught:
        ug.acyclicity_certificate(G)
    assert str(caught.value) == (
        "the unrolling has a directed cycle, since the closed walk A -> B -> C -> A has total "
        "delay 0; change the delay of one of its edges"
    )


@pytest.mark.parametrize("node", [5, ("A", 1, 2), (["A"], 0), ("A", "x"), ("Z", 0)])
def test_the_key_of_what_is_no_vertex(node):
    with pytest.raises(ValueError, match="is not a vertex of the cover"):
        ug.acyclicity_certificate(ug.gallery.seed_network()).key(node)


# -- witnesses -----------------------------------------------------------------------------------


def shortest_by_powers(G, most):
    """Length of a shortest closed walk of total zero: traces of powers of the matrix A(z)."""
    total = {(v, v, 0) for v in G}
    for length in range(1, most + 1):
        total = {
            (start, w, t + d)
            for start, v, t in total
            for _, w, d in G.out_edges(v, data="delay", default=0)
        }
        if any(start == v and not t for start, v, t in total):
            return length
    return None


@given(delay_graphs(vertices=4, edges=6))
def test_a_short_zero_walk_in_z_is_a_shortest_one(G):
    try:
        walk = ug.find_zero_walk(G)
    except nx.NetworkXNoCycle:
        return
    assert walk.check()
    assert walk.length == shortest_by_powers(G, walk.length)


def test_a_short_walk_is_found_beside_long_delays():
    G = nx.MultiDiGraph()
    G.add_edge("a", "a", delay=10**6)
    G.add_edge("a", "a", delay=1 - 10**6)
    assert ug.find_zero_walk(G).length == 2 * 10**6 - 1  # too long to be searched for
    G.add_edge("a", "b", delay=7)
    G.add_edge("b", "c", delay=-9)
    G.add_edge("c", "a", delay=2)
    assert ug.find_zero_walk(G).length == 3


def test_witnesses_tell_parallel_edges_apart():
    G = nx.MultiDiGraph()
    G.add_edge("a", "b", "slow", delay=2)
    G.add_edge("a", "b", "fast", delay=1)
    G.add_edge("b", "a", "back", delay=-1)
    text = r"a -> b \(key 'fast', delay 1\) -> a \(delay -1\) has total delay 0"
    with pytest.raises(ug.errors.CyclicCoverError, match=text):
        ug.acyclicity_certificate(G)
    nx.set_node_attributes(G, nn.Dense(1), "op")
    with pytest.raises(ug.errors.CyclicCoverError, match=r"\(key '\w+', delay -?\d\)"):
        nn.Network(G).forward({}, steps=2)
    with pytest.raises(
        ug.errors.UnboundedError, match=r"b -> a \(key 'back', delay -1\)|\(key 'fast', del"
    ):
        ug.max_cycle_ratio(G)
    H = G.copy()
    H.edges["a", "b", "slow"]["delay"] = 5
    with pytest.raises(ug.errors.NotARetimingError, match=r"a -> b \(key '\w+'\)"):
        ug.find_retiming(G, H)


def test_a_walk_of_any_count_is_iterated():
    G = nx.MultiDiGraph()
    G.add_edge("a", "a", delay=1)
    walk = ug.measure.ZeroWalk(ug.DelayGraph(G), (((("a", "a", 0),), 2**64),))
    assert list(islice(walk, 3)) == [("a", "a", 0)] * 3


def test_a_walk_that_is_shorter_by_one_edge_is_found():
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from([("a", "a", -2), ("a", "a", -1), ("a", "a", 1)], weight="delay")
    assert ug.find_zero_walk(G).length == 2  # -1 and 1, not -2 and twice 1


@pytest.mark.parametrize(
    ("edges", "length"),
    [
        ([(0, 1, 1), (0, 1, 1), (0, 0, 0), (1, 0, -1), (1, 0, 1)], 1),
        ([(0, 3, 0), (3, 1, 0), (1, 0, 0), (2, 2, 0)], 1),
    ],
)
def test_a_shortest_walk_is_found_in_any_part(edges, length):
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(edges, weight="delay")
    assert ug.find_zero_walk(G).length == length
