"""Paths of the infinite cover, beside searches of wide windows and closed forms."""

import heapq
import math
import time
from fractions import Fraction
from itertools import pairwise, product

import networkx as nx
import numpy as np
import oracle
import pytest
import sympy
from certified import QUARTER, graph_of
from hypothesis import example, given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.measure import path_search, paths
from unrollgraph.measure.path_search import between, is_infeasible
from unrollgraph.measure.walk_totals import label
from unrollgraph.testing import delay_graphs


def lengths(G, source, times, weight=None):
    """Least lengths from (source, 0) to all vertices in a window, by Dijkstra's search on it."""
    out = {}
    for (u, v, _, (d,)), (*_, data) in zip(oracle.wires(G), G.edges(data=True), strict=True):
        out.setdefault(u, []).append((v, d, data[weight] if weight else 1))
    found, heap = {}, [(0, source, 0)]
    while heap:
        length, u, t = heapq.heappop(heap)
        if (u, t) in found:
            continue
        found[u, t] = length
        for v, d, w in out.get(u, []):
            if t + d in times and (v, t + d) not in found:
                heapq.heappush(heap, (length + w, v, t + d))
    return found


def is_path(G, path, source, target):
    """Whether a list of vertices is a path, arc for arc, by the definition."""
    steps = {(u, v, d) for u, v, _, (d,) in oracle.wires(G)}
    arcs = pairwise(path)
    return (path[0], path[-1]) == (source, target) and all(
        (a[0], b[0], b[1] - a[1]) in steps for a, b in arcs
    )


def some(data, most):
    """A few times of either sign."""
    if data is None:
        return range(-most, most + 1)
    times = st.integers(-most, most)
    return data.draw(st.lists(times, min_size=4, max_size=4, unique=True))


# wider than the bound that the proof gives for three vertices and delays up to two, (3 x 2)^2
WIDE = range(-60, 61)


def weighted(draw, G):
    for *_, data in G.edges(data=True):
        data["w"] = draw(st.integers(0, 3))
    return G


@pytest.mark.parametrize("near", [0, paths.NEAR_STATES], ids=["by totals", "as it comes"])
@given(data=st.data())
@example(data=None)
@QUARTER
def test_paths_are_those_of_a_wide_window(near, data):
    if data is None:  # a chain of components of both signs
        G = graph_of([("a", "a", 2), ("a", "b", 0), ("b", "b", -2), ("b", "c", 1)])
        source = "a"
    else:
        G = data.draw(delay_graphs(vertices=3, edges=6, delays=2))
        source = data.draw(st.sampled_from(list(G)))
    cover, expected = ug.DelayCover(G), lengths(G, source, WIDE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "NEAR_STATES", near)
        for v in G:
            for t in some(data, 14):
                ends = (source, 5), (v, 5 + t)
                length = expected.get((v, t))
                assert ug.has_path(cover, *ends) == (length is not None), ends
                if length is None:
                    with pytest.raises(nx.NetworkXNoPath, match="the cover has no path from"):
                        ug.shortest_path_length(cover, *ends)
                else:
                    assert ug.shortest_path_length(cover, *ends) == length
                    path = ug.shortest_path(cover, *ends)
                    assert len(path) == length + 1
                    assert is_path(G, path, *ends)


@pytest.mark.parametrize("near", [0, paths.NEAR_STATES], ids=["by totals", "as it comes"])
@given(data=st.data())
def test_lengths_may_be_weights_that_are_not_negative(near, data):
    G = weighted(data.draw, data.draw(delay_graphs(vertices=3, edges=6, delays=2)))
    source = data.draw(st.sampled_from(list(G)))
    cover, expected = ug.DelayCover(G), lengths(G, source, WIDE, "w")
    weight = {edge: G.edges[edge]["w"] for edge in cover.delay_graph.edges}
    cheapest = {}
    for u, v, data_ in G.edges(data=True):
        step = u, v, data_["delay"]
        cheapest[step] = min(data_["w"], cheapest.get(step, math.inf))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "NEAR_STATES", near)
        for v in G:
            for t in some(data, 9):
                ends = (source, 0), (v, t)
                if (v, t) in expected:
                    found = ug.shortest_path_length(cover, *ends, weight="w")
                    assert found == expected[v, t], ends
                    path = ug.shortest_path(cover, *ends, weight=weight)
                    assert is_path(G, path, *ends)
                    least = sum(cheapest[a[0], b[0], b[1] - a[1]] for a, b in pairwise(path))
                    assert least == found
                else:
                    assert not ug.has_path(cover, *ends)


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=3),
    st.integers(0, 60),
    st.integers(1, 10**12),
)
def test_coins_are_paid_with_the_fewest(coins, amount, many):
    """One vertex with loops is the problem of giving change."""
    G = ug.gallery.bouquet(*coins)
    cover = ug.DelayCover(G)
    (h,) = G
    fewest = [0] + [math.inf] * amount
    for total in range(1, amount + 1):
        fewest[total] = min((fewest[total - c] + 1 for c in coins if c <= total), default=math.inf)
    assert ug.has_path(cover, (h, 0), (h, amount)) == (fewest[amount] < math.inf)
    if fewest[amount] < math.inf:
        assert ug.shortest_path_length(cover, (h, 0), (h, amount)) == fewest[amount]
    # of amounts beyond all bounds, the greatest coin pays nearly everything
    best, divisor = max(coins), math.gcd(*coins)
    far = best**3 + many * best + divisor * (amount % best)
    base = best**3 + divisor * (amount % best)
    table = [0] + [math.inf] * base
    for total in range(1, base + 1):
        table[total] = min((table[total - c] + 1 for c in coins if c <= total), default=math.inf)
    assert ug.shortest_path_length(cover, (h, 0), (h, far)) == table[base] + many


def test_the_seed_network_over_more_steps_than_could_be_walked():
    cover = ug.DelayCover(ug.gallery.seed_network())
    far = 10**100
    assert ug.has_path(cover, ("in", -far), ("out", far))
    assert not ug.has_path(cover, ("in", far), ("out", -far))
    assert ug.shortest_path_length(cover, ("in", 0), ("out", far)) == 3 * far + 4
    assert len(ug.shortest_path(cover, ("in", 0), ("out", 10**5))) == 3 * 10**5 + 5


def test_networks_that_read_both_ways():
    cover = ug.DelayCover(ug.gallery.bidirectional())
    for t in (-(10**9), -1, 0, 1, 10**9):
        assert ug.shortest_path_length(cover, ("x", 0), ("y", t)) == abs(t) + 2
    assert not ug.has_path(cover, ("f", 0), ("f", -1))


def test_delays_of_both_signs_reach_all_multiples_of_their_divisor():
    cover = ug.DelayCover(graph_of([("a", "a", 6), ("a", "a", -10)]))
    assert [t for t in range(-20, 21) if ug.has_path(cover, ("a", 0), ("a", t))] == [
        *range(-20, 21, 2)
    ]
    assert ug.shortest_path_length(cover, ("a", 0), ("a", 6 * 10**9 + 2)) == 10**9 + 3
    assert not ug.has_path(cover, ("a", 0), ("a", 10**30 + 1))


def test_large_delays_do_no_harm_near_by_and_are_told_far_away():
    big = 2**31
    cover = ug.DelayCover(graph_of([("a", "a", big), ("a", "a", big - 1)]))
    assert ug.has_path(cover, ("a", 0), ("a", 3 * big - 2))
    assert not ug.has_path(cover, ("a", 0), ("a", 3 * big - 4))
    with pytest.raises(ValueError, match="take a window with"):
        ug.has_path(cover, ("a", 0), ("a", 10**15))


def test_what_is_too_large_for_tables_is_searched_for_if_it_is_near():
    G = nx.DiGraph()
    for v in range(1000):  # cycles of 50,000 steps and more, through 1,000 vertices
        G.add_edge(v, (v + 1) % 1000, delay=100)
        G.add_edge(v, (v + 2) % 1000, delay=101)
    cover = ug.DelayCover(G)
    ends = (0, 0), (200, 150 * 100 + 50)
    assert ug.has_path(cover, *ends)
    assert ug.shortest_path_length(cover, *ends) == 150
    assert not ug.has_path(cover, (0, 0), (200, 150 * 100 + 49))
    with pytest.raises(ValueError, match="take a window with"):
        ug.has_path(cover, (0, 0), (200, 10**9))


def test_lengths_are_exact_numbers():
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=1, w=Fraction(1, 3), f=0.5, i=2)
    cover, ends = ug.DelayCover(G), (("a", 0), ("a", 10))
    assert ug.shortest_path_length(cover, *ends, weight="w") == Fraction(10, 3)
    assert ug.shortest_path_length(cover, *ends, weight={("a", "a"): Fraction(1, 2)}) == 5
    for name, length in [("f", 5.0), ("i", 20)]:
        found = ug.shortest_path_length(cover, *ends, weight=name)
        assert (found, type(found)) == (length, type(length))


def test_one_may_go_round_free_cycles_in_both_directions():
    """A ring of a hundred steps; at its vertex 0 time may pass and go back for nothing."""
    G = nx.MultiDiGraph()
    for k in range(100):
        G.add_edge(k, (k + 1) % 100, delay=5, w=1)
    G.add_edge(0, 0, delay=6, w=0)
    G.add_edge(0, 0, delay=-10, w=0)
    cover = ug.DelayCover(G)
    for target, length in [((1, 7), 1), ((1, -(10**30) + 1), 1), ((50, 10**30), 50), ((0, 2), 0)]:
        assert ug.shortest_path_length(cover, (0, 0), target, weight="w") == length
    with pytest.raises(nx.NetworkXNoPath):
        ug.shortest_path_length(cover, (0, 0), (1, 6), weight="w")
    path = ug.shortest_path(cover, (0, 0), (1, -701), weight="w")
    assert is_path(G, path, (0, 0), (1, -701))


@pytest.mark.parametrize("loops", [(6, -10), (6, -9), (-6, 9), (4, 6, -9), (15, -6, -10)])
def test_free_cycles_put_right_what_a_long_step_did(loops):
    steps = [("a", "a", d, 0) for d in loops]
    steps += [("a", "b", 40, 1), ("a", "b", -40, 2), ("b", "b", 7, 5)]
    G = nx.MultiDiGraph()
    for u, v, d, w in steps:
        G.add_edge(u, v, delay=d, w=w)
    cover, expected = ug.DelayCover(G), lengths(G, "a", range(-400, 401), "w")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "NEAR_STATES", 0)
        for t in range(-20, 21):
            ends = ("a", 0), ("b", t)
            assert ug.has_path(cover, *ends) == (("b", t) in expected)
            if ("b", t) in expected:
                path = ug.shortest_path(cover, *ends, weight="w")
                assert is_path(G, path, *ends)
                assert ug.shortest_path_length(cover, *ends, weight="w") == expected["b", t]


def test_free_cycles_that_lead_beyond_the_goal_are_left():
    """Time passes for nothing in steps of 50; what is wanted is a time below, and costs more."""
    G = nx.MultiDiGraph()
    for k in range(60):
        G.add_edge(k, (k + 1) % 60, delay=-3, w=2)
        G.add_edge(k, (k + 7) % 60, delay=4, w=3)
    G.add_edge(0, 0, delay=50, w=0)
    cover, expected = ug.DelayCover(G), lengths(G, 0, range(-400, 401), "w")
    assert len({t for t in range(-30, 31) if (1, t) in expected}) == 12
    for t in range(-30, 31):
        ends = (0, 0), (1, t)
        assert ug.has_path(cover, *ends) == ((1, t) in expected)
        if (1, t) in expected:
            assert ug.shortest_path_length(cover, *ends, weight="w") == expected[1, t]


def test_free_steps_in_both_directions():
    """Edges of length 0 make whole lines lie at distance 0, and no search of it would end."""
    G = nx.MultiDiGraph()
    G.add_edge("a", "a", delay=1, w=0)
    G.add_edge("a", "a", delay=-1, w=0)
    G.add_edge("a", "b", delay=0, w=1)
    cover = ug.DelayCover(G)
    assert ug.shortest_path_length(cover, ("a", 0), ("b", 300), weight="w") == 1
    with pytest.raises(nx.NetworkXNoPath):
        ug.shortest_path_length(cover, ("b", 0), ("a", 0), weight="w")


# -- in Z^d -------------------------------------------------------------------------


def boxed(G, dimension, source, reach, most):
    """Distances from a vertex at time zero within a box, as far as a number."""
    zero = (0,) * dimension
    found, shell = {(source, zero): 0}, [(source, zero)]
    wires = oracle.wires(G, dimension=dimension)
    for k in range(1, most + 1):
        new = []
        for u, t in shell:
            for tail, head, _, d in wires:
                after = head, oracle.moved(t, d)
                if tail == u and after not in found and max(map(abs, after[1])) <= reach:
                    found[after] = k
                    new.append(after)
        shell = new
    return found


def asked(cover, a, b, radius=None):
    """Whether there is a path; None where a search is not bounded."""
    try:
        return ug.has_path(cover, a, b, radius=radius)
    except ug.errors.RadiusError:
        return None


def priced(cover, a, b, radius=None):
    """The least sum of weights, infinite without a path; None where a search is not bounded."""
    try:
        return ug.shortest_path_length(cover, a, b, weight="w", radius=radius)
    except nx.NetworkXNoPath:
        return math.inf
    except ug.errors.RadiusError:
        return None


STEP = st.integers(-1, 1)
TWENTY_TWO_STEPS = [("a", "a", (1, -1)), ("a", "b", (-1, 0)), ("b", "c", (1, 1))]
TWENTY_TWO_STEPS += [("c", "a", (-1, 1))]  # from c at (0, 0) to b at (2, 1)


WAYS_TO_TELL = {
    "as it comes": {},
    "by multipliers": {"NEAR_STATES": 1},
}


@pytest.mark.parametrize("told", WAYS_TO_TELL)
@QUARTER
@given(
    delay_graphs(dimension=2, vertices=3, edges=5, delays=1).flatmap(
        lambda G: st.tuples(
            st.just(G),
            st.sampled_from(list(G)),
            st.lists(st.tuples(*[st.integers(-40, 40)] * 2), min_size=2, max_size=2),
        )
    )
)
@example((graph_of(TWENTY_TWO_STEPS), "c", [(0, 0), (40, 10)]))
def test_paths_in_the_plane(told, drawn):
    G, source, targets = drawn
    cover, wires = ug.DelayCover(G), oracle.wires(G, dimension=2)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in WAYS_TO_TELL[told].items():
            patch.setattr(path_search, name, value)
        for v in G:
            for t in [(0, 0), (2, 1), (-1, 2), *targets]:
                ends = (source, (0, 0)), (v, t)
                length = oracle.least_cost(wires, source, v, t, [1] * len(wires))
                found = asked(cover, *ends)
                if found is None:
                    if length is None:
                        assert asked(cover, *ends, radius=6) is not True
                    else:
                        assert ug.shortest_path_length(cover, *ends, radius=length) == length
                        if length > 1:
                            with pytest.raises(ug.errors.RadiusError, match="raise the radius"):
                                ug.shortest_path_length(cover, *ends, radius=length - 1)
                else:
                    assert found == (length is not None), (ends, list(G.edges(data=True)))
                    if found:
                        path = ug.shortest_path(cover, *ends)
                        assert (path[0], path[-1], len(path)) == (*ends, length + 1)
                        assert all(b in cover.successors(a) for a, b in pairwise(path))


def walked(G, steps, source):
    """Where a walk ends that takes the k-th way onward for each number k."""
    ways = {v: [w for w in oracle.wires(G, dimension=2) if w[0] == v] for v in G}
    here, time = source, (0, 0)
    for k in steps:
        _, here, _, d = ways[here][k % len(ways[here])]
        time = oracle.moved(time, d)
    return here, time


@QUARTER
@given(
    st.lists(
        st.tuples(st.sampled_from(["aa", "ab", "ba", "bb"]), st.tuples(*[STEP] * 2)), max_size=4
    ),
    st.tuples(*[STEP] * 2),
    st.lists(st.lists(st.integers(0, 9), max_size=40), min_size=3, max_size=3),
)
def test_what_was_walked_to_is_reached(more, back, walks):
    """Two vertices joined in both directions: whatever walk there was, a shortest one is found."""
    G = graph_of([("a", "b", (0, 0)), ("b", "a", back), *((*ends, d) for ends, d in more)])
    cover, wires = ug.DelayCover(G), oracle.wires(G, dimension=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path_search, "NEAR_STATES", 1)
        for steps in walks:
            ends = ("a", (0, 0)), walked(G, steps, "a")
            length = oracle.least_cost(wires, "a", *ends[1], [1] * len(wires))
            path = ug.shortest_path(cover, *ends, radius=length)
            assert (path[0], path[-1], len(path)) == (*ends, length + 1)
            assert all(b in cover.successors(a) for a, b in pairwise(path))


NETS = st.lists(
    st.tuples(*[st.sampled_from("abc")] * 2, st.tuples(*[st.integers(-2, 3)] * 2)),
    min_size=1,
    max_size=5,
)
AT_TWO_VERTICES = [("a", "a", (1, 0)), ("b", "b", (0, 1)), ("a", "b", (0, 0)), ("b", "a", (0, 0))]


@QUARTER
@given(NETS, st.lists(st.integers(1, 3), min_size=5, max_size=5), st.data())
@example([("a", "a", d) for d in [(2, 0), (3, 0), (0, 1)]], [1] * 5, None)
@example([("b", "a", (1, 2)), ("a", "a", (-1, -1)), ("a", "a", (-2, 3))], [1] * 5, None)
@example([*AT_TWO_VERTICES, ("a", "a", (0, 1))], [1, 3, 5, 1, 5], None)
@example([("a", "b", (0, 1)), ("b", "b", (1, 0)), ("b", "b", (-1, 0))], [1] * 5, None)
def test_what_is_infeasible_by_multipliers_has_no_walk(net, costs, data):
    G, costs = graph_of(net), costs[: len(net)]  # these in the order of the edges of the graph
    graph, wires = ug.DelayGraph(G), oracle.wires(G, dimension=2)
    for v in G:
        walks = between(graph, 0, graph.number[v], [1] * len(graph.edges))
        drawn = st.lists(st.tuples(*[st.integers(-5, 5)] * 2), min_size=2, max_size=2)
        for t in data.draw(drawn) if data else product(range(-1, 4, 2), repeat=2):
            cost = oracle.least_cost(wires, graph.vertices[0], v, t, costs)
            assert cost is None or (walks is not None and not is_infeasible(walks, t)), (v, t)


@QUARTER
@given(
    st.lists(
        st.tuples(st.sampled_from(["aa", "ab", "ba", "bb"]), st.tuples(*[STEP] * 2)),
        min_size=2,
        max_size=5,
    ),
    st.lists(st.integers(1, 4), min_size=7, max_size=7),
    st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=2, max_size=2),
    st.tuples(*[st.integers(-9, 9)] * 2),
)
def test_dear_and_cheap_steps_in_the_plane(more, costs, walks, somewhere):
    """What was walked to, perhaps dearly, and what perhaps is not reached."""
    G = graph_of([("a", "b", (0, 0)), ("b", "a", (0, 0)), *((*ends, d) for ends, d in more)])
    for (*_, own), cost in zip(G.edges(data=True), costs, strict=False):
        own["w"] = cost
    cover, wires = ug.DelayCover(G), oracle.wires(G, dimension=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path_search, "NEAR_STATES", 1)
        for v, t in [*(walked(G, steps, "a") for steps in walks), ("b", somewhere)]:
            ends = ("a", (0, 0)), (v, t)
            cost = oracle.least_cost(wires, "a", v, t, costs[: len(wires)])
            least = priced(cover, *ends)
            if least is None:
                least = priced(cover, *ends, radius=cost or 20)
            assert least == (math.inf if cost is None else cost) or least is cost is None


@QUARTER
@given(data=st.data())
def test_crystal_nets_are_walked_without_a_radius(data):
    G = ug.with_reverses(data.draw(delay_graphs(dimension=2, vertices=3, edges=4, delays=1)))
    source = data.draw(st.sampled_from(list(G)))
    cover, expected = ug.DelayCover(G), boxed(G, 2, source, 8, 8)
    for v in G:
        for t in [(0, 0), (1, 0), (2, -1), (-2, 2)]:
            ends = (source, (0, 0)), (v, t)
            assert ug.has_path(cover, *ends) == ug.same_component(cover, *ends)
            if (v, t) in expected:
                assert ug.shortest_path_length(cover, *ends) == expected[v, t]


KNIGHT = [(x, y) for x in (-2, -1, 1, 2) for y in (-2, -1, 1, 2) if abs(x) != abs(y)]


@pytest.mark.parametrize(
    ("steps", "goal"),
    [
        pytest.param(KNIGHT, (2001, 1000), marks=pytest.mark.slow),
        ([(0, 2), (1, 0), (2, 2), (3, 0), (2, 3), (3, 3)], (313, 313)),
        ([(2, 2), (1, 0), (0, 1)], (1001, 1001)),
    ],
)
def test_along_a_ray_the_cycles_on_either_side_are_in_nobodys_way(steps, goal):
    """Near where two cones of cycles meet one is gone round almost never."""
    cover, ends = ug.DelayCover(ug.gallery.bouquet(*steps)), (("a", (0, 0)), ("a", goal))
    assert ug.shortest_path_length(cover, *ends) == oracle.least_steps(steps, goal)


@pytest.mark.slow
def test_far_away_in_space_an_error_says_how_far_was_looked():
    """In Z^d a search ends after so many vertices, confined or not, also where a path exists."""
    board = ug.DelayCover(ug.gallery.bouquet(*KNIGHT))
    with pytest.raises(ug.errors.TooLargeError, match="found among 200000 vertices of the cover"):
        ug.shortest_path_length(board, ("a", (0, 0)), ("a", (2 * 10**30 + 3, 10**30)))
    forward = ug.DelayCover(graph_of(AT_TWO_VERTICES))
    with pytest.raises(ug.errors.TooLargeError, match="use vertices that are closer"):
        ug.has_path(forward, ("a", (0, 0)), ("a", (10**20, 3)))


def test_whether_a_net_is_joined_is_told_by_its_lattice():
    board = ug.DelayCover(ug.gallery.bouquet(*KNIGHT))
    assert ug.has_path(board, ("a", (0, 0)), ("a", (2 * 10**30 + 3, 10**30)))
    bishop = ug.DelayCover(ug.gallery.bouquet((1, 1), (1, -1), (-1, 1), (-1, -1)))
    assert not ug.has_path(bishop, ("a", (0, 0)), ("a", (2 * 10**30 + 3, 10**30)))
    assert ug.has_path(bishop, ("a", (0, 0)), ("a", (2 * 10**30 + 2, 10**30)))


def test_a_length_beyond_all_floats_is_told_as_such():
    G = nx.DiGraph()
    G.add_edge("a", "a", delay=1, w=0.5)
    ends = ("a", 0), ("a", 10**400)
    with pytest.raises(ValueError, match="exceeds the largest float; use integers"):
        ug.shortest_path_length(ug.DelayCover(G), *ends, weight="w")
    G.edges["a", "a"]["w"] = Fraction(1, 2)
    assert ug.shortest_path_length(ug.DelayCover(G), *ends, weight="w") == 5 * 10**399


def test_distances_in_nets_have_closed_forms():
    cover = ug.DelayCover(ug.with_reverses(ug.gallery.bouquet((1, 0), (0, 1))))
    (h,) = cover.base
    assert ug.shortest_path_length(cover, (h, (0, 0)), (h, (7, -5))) == 12
    forward = ug.DelayCover(ug.gallery.grid_2d())
    (h, *_) = (v for v in forward.base if forward.base.has_edge(v, v))
    assert not ug.has_path(forward, (h, (0, 0)), (h, (10**9, -1)))


LINE_AND_COINS = [("a", "a", d) for d in [(0, 1), (0, -1), (2, 0), (3, 0)]]


def test_where_nothing_bounds_a_search_a_radius_is_asked_for():
    """One cannot pay 1 with coins of 2 and 3; and one may go up and down for ever meanwhile."""
    cover = ug.DelayCover(graph_of(LINE_AND_COINS))
    assert ug.shortest_path_length(cover, ("a", (0, 0)), ("a", (7, 2))) == 5
    with pytest.raises(ug.errors.RadiusError, match="give a radius"):
        ug.has_path(cover, ("a", (0, 0)), ("a", (1, 0)))
    with pytest.raises(nx.ExceededMaxIterations, match="raise the radius"):
        ug.has_path(cover, ("a", (0, 0)), ("a", (1, 0)), radius=20)
    halves = dict.fromkeys(cover.base.edges(keys=True), Fraction(1, 2))
    with pytest.raises(ug.errors.RadiusError, match="has a length <= 20,"):
        ug.shortest_path(cover, ("a", (0, 0)), ("a", (1, 0)), weight=halves, radius=20)


TO_AND_FRO = [("a", "a", (-1, -1)), ("a", "a", (1, 1)), ("a", "b", (-3, 2)), ("b", "a", (0, 1))]


def test_a_radius_is_a_length_in_weights():
    G = graph_of([*TO_AND_FRO, ("a", "b", (0, 1))])
    wires = oracle.wires(G, dimension=2)
    weight = {w[:2] + w[2]: 50 if w[::3] == ("a", (0, 1)) else 2 for w in wires}
    cover, ends = ug.DelayCover(G), (("a", (0, 0)), ("b", (-1, 2)))
    least = oracle.least_cost(wires, "a", *ends[1], list(weight.values()))
    assert ug.shortest_path_length(cover, *ends, weight=weight, radius=least) == least
    with pytest.raises(ug.errors.RadiusError, match="give a radius"):
        ug.shortest_path_length(cover, *ends, weight=weight)
    with pytest.raises(ug.errors.RadiusError, match="raise the radius"):
        ug.shortest_path_length(cover, *ends, weight=weight, radius=least - 1)


def test_what_no_search_would_end_is_told_by_prices_and_lattices():
    loops = [("a", "a", (2, 0)), ("a", "a", (-2, 0)), ("a", "b", (0, 1)), ("b", "a", (0, 0))]
    cover = ug.DelayCover(graph_of(loops))
    assert ug.shortest_path_length(cover, ("a", (0, 0)), ("b", (4, 1))) == 3
    assert not ug.has_path(cover, ("a", (0, 0)), ("b", (3, 1)))
    assert not ug.has_path(cover, ("a", (0, 0)), ("b", (4, -1)))
    with pytest.raises(ug.errors.RadiusError, match="has a length <= 2,"):
        ug.shortest_path_length(cover, ("a", (0, 0)), ("b", (4, 1)), radius=2)
    far = ("a", (0, 0)), ("b", (2 * 10**9, 10**9))  # of length 3 * 10**9 - 1
    with pytest.raises(
        ug.errors.RadiusError, match="every path has a length >= 2999999999; raise the radius"
    ):
        ug.has_path(cover, *far, radius=10**9)
    with pytest.raises(ug.errors.RadiusError, match="a radius, .* of at least 2999999999"):
        ug.has_path(cover, *far)


@pytest.mark.parametrize("k", [1, 10, 10**3])
def test_distances_in_diamond(k):
    """Bonds are four vectors of sum zero, taken there and back in turn: count how often each."""
    cover = ug.DelayCover(ug.with_reverses(ug.gallery.diamond()))
    for t in [(k, k, k), (k, 0, 0), (k, -k, 0), (-7 * k, 3 * k, 2), (k + 1, -2 * k, 5 * k)]:
        for v, surplus in (("a", 0), ("b", 1)):
            bonds = surplus - sum(t), *t
            found = ug.shortest_path_length(cover, ("a", (0, 0, 0)), (v, t))
            assert found == sum(map(abs, bonds))


def test_all_cycles_that_are_needed_are_visited():
    """Time passes along one axis at one vertex and along the other at another."""
    cover = ug.DelayCover(graph_of(AT_TWO_VERTICES))
    for x, y in [(50, 50), (50, 0), (0, 50), (10**4, 3), (3, 10**4)]:
        found = ug.shortest_path_length(cover, ("a", (0, 0)), ("a", (x, y)))
        assert found == x + y + (2 if y else 0)
        assert not ug.has_path(cover, ("a", (0, 0)), ("a", (x, -1)))


@pytest.mark.parametrize("far", [1024, 999_983, 1_000_003])
def test_prices_may_have_large_denominators(far):
    cover = ug.DelayCover(ug.gallery.bouquet((1, 0), (-1, 0), (0, far), (0, -far)))
    (h,) = cover.base
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path_search, "NEAR_STATES", 1)
        assert ug.shortest_path_length(cover, (h, (0, 0)), (h, (-2, 3 * far))) == 5
        if far < 10**6:
            ends = (h, (0, 0)), (h, (5000, 7000 * far))
            assert ug.shortest_path_length(cover, *ends) == 12_000


def test_lengths_beyond_floats():
    G = ug.gallery.bouquet((1, 0), (0, 1), (-1, 0), (0, -1))
    (h,) = G
    for k, (*_, data) in enumerate(G.edges(data=True)):
        data["w"] = 10**400 + k
    cover = ug.DelayCover(G)
    ends = (h, (0, 0)), (h, (3, 2))
    assert ug.shortest_path_length(cover, *ends, weight="w") == 5 * 10**400 + 2
    with pytest.raises(ValueError, match="the limit of the search"):
        ug.shortest_path_length(cover, (h, (0, 0)), (h, (3000, 2000)), weight="w")


def test_a_knight_far_away():
    """On a plain board: half of the way along, or a third of both, whichever is more; parity."""
    leaps = [(x, y) for x in (-2, -1, 1, 2) for y in (-2, -1, 1, 2) if abs(x) != abs(y)]
    cover = ug.DelayCover(ug.gallery.bouquet(*leaps))
    (h,) = cover.base
    for x, y in [(40, 3), (57, 56), (100, 98), (300, 7)]:
        least = max(-(-max(x, y) // 2), -(-(x + y) // 3))
        least += (least + x + y) % 2
        assert ug.shortest_path_length(cover, (h, (0, 0)), (h, (x, y))) == least


@pytest.mark.parametrize("ask", [ug.has_path, ug.shortest_path, ug.shortest_path_length])
def test_questions_about_paths_that_make_no_sense(ask):
    G = ug.gallery.seed_network()
    cover = ug.DelayCover(G)
    with pytest.raises(ug.errors.LiftError, match="is not a vertex of the cover"):
        ask(cover, ("A", 0), ("Z", 0))
    with pytest.raises(ug.errors.LiftError, match="is not a vertex of the cover"):
        ask(cover, ("A", 0.5), ("A", 1))
    assert ask(G, ("A", 0), ("A", 1)) == ask(cover, ("A", 0), ("A", 1))
    for radius in (-1, 2.5, "x", True):
        with pytest.raises(ValueError, match="the radius is .*, but it must be an integer >= 0"):
            ask(cover, ("A", 0), ("A", 1), radius=radius)
    if ask is not ug.has_path:
        nx.set_edge_attributes(G, -1, "w")
        with pytest.raises(ValueError, match="lengths must be >= 0"):
            ask(ug.DelayCover(G), ("A", 0), ("A", 1), weight="w")
        with pytest.raises(ValueError, match="has no cost in attribute 'no'"):
            ask(ug.DelayCover(G), ("A", 0), ("A", 1), weight="no")


@pytest.mark.parametrize("near", [0, paths.NEAR_STATES], ids=["by totals", "as it comes"])
def test_a_dear_way_to_a_cheap_cycle_pays_from_some_distance_on(near, monkeypatch):
    monkeypatch.setattr(paths, "NEAR_STATES", near)
    G = nx.DiGraph()
    G.add_edge("s", "x", w=100)
    G.add_edge("x", "x", delay=1, w=1)
    G.add_edge("x", "t", w=0)
    G.add_edge("s", "y", w=0)
    G.add_edge("y", "y", delay=1, w=2)
    G.add_edge("y", "t", w=0)
    cover = ug.DelayCover(G)
    for steps in (0, 1, 50, 99, 101, 200, 10**9):
        found = ug.shortest_path_length(cover, ("s", 0), ("t", steps), weight="w")
        assert found == min(100 + steps, 2 * steps)


def test_a_path_that_nobody_could_list_is_refused_at_once():
    with pytest.raises(
        ValueError, match="the list of vertices would have 3000000004 entries, .* shortest_path_l"
    ):
        ug.shortest_path(ug.DelayCover(ug.gallery.seed_network()), ("in", 0), ("out", 10**9))


def test_a_search_that_gives_up_before_its_radius_does_not_say_that_there_is_nothing(monkeypatch):
    monkeypatch.setattr(path_search, "MOST_SEARCHED", 20)
    cover = ug.DelayCover(graph_of(LINE_AND_COINS))
    with pytest.raises(ValueError, match="among 20 vertices of the cover"):
        ug.has_path(cover, ("a", (0, 0)), ("a", (1, 0)), radius=10**6)


def test_long_rings_of_short_delays_are_answered():
    """Whose table has five million numbers."""
    n = 1600
    ring = nx.DiGraph([(k, (k + 1) % n, {"delay": 1}) for k in range(n)])
    cover = ug.DelayCover(ring)
    assert ug.has_path(cover, (0, 0), (5, 10**6 * n + 5))
    assert not ug.has_path(cover, (0, 0), (5, 10**6 * n + 4))
    assert ug.shortest_path_length(cover, (0, 0), (5, 10**6 * n + 5)) == 10**6 * n + 5
    assert ug.receptive_field(ring, 0, 5).progressions == ((5, n),)


def test_what_takes_too_large_a_table_says_how_large():
    n = 4000
    ring = nx.DiGraph([(k, (k + 1) % n, {"delay": 1}) for k in range(n)])
    ring.add_edge(0, 2, delay=1)
    with pytest.raises(
        ug.errors.TooLargeError, match="need a table of [0-9]+ entries, more than 10000000"
    ):
        ug.has_path(ug.DelayCover(ring), (0, 0), (5, 10**15))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (lambda G: ug.spectrum(ug.DelayCover(G), 10**9), "the spectrum would have"),
        (
            lambda G: ug.symbolic.closed_walk_counts(G, 10**30),
            "the series would have .* pass a smaller n",
        ),
        (lambda G: ug.unroll(G, 10**12).to_csr(), "the arrays of the lift would have"),
        (lambda G: ug.unroll(G, 10**12).to_arrays(), "take a smaller window"),
        (
            lambda G: ug.receptive_field(G, "x", "h").lags(range(10**12)),
            "the list of lags would have",
        ),
        (
            lambda G: ug.symbolic.determinant(slow(G), sympy.Symbol("z")),
            "the polynomial in z would have",
        ),
        (lambda G: ug.symbolic.state_space(slow(G), ["x"], ["y"]), "the state would have"),
        (lambda G: ug.symbolic.zeta(slow(G), sympy.Symbol("z")), "use a larger unit of time"),
    ],
)
def test_answers_of_too_many_numbers_are_refused(question, text):
    with pytest.raises(ug.errors.TooLargeError, match=text):
        question(ug.gallery.elman())


def slow(G):
    G.edges["h", "h"]["delay"] = 10**9
    return G


def test_a_window_with_an_enormous_delay_is_refused():
    net = nn.Network(slow(nn.architectures.elman(1, 2, 1)))
    with pytest.raises(
        ug.errors.TooLargeError, match="the state outside of the window would have 2000000000"
    ):
        net.forward({"x": np.ones((3, 1))})


@pytest.mark.parametrize(
    ("question", "seconds"),
    [
        (lambda: ug.shortest_path_length(ug.DelayCover(path()), (0, 0), (15_999, 0)), 3),
        (lambda: nx.is_bipartite(ug.DelayCover(ladder(3_200))), 3),
        (lambda: ug.isomorphic_covers(ring(3_200), ring(3_200)), 3),
        (lambda: ug.is_covering(ug.cyclic_cover(ring(100_000), 2)), 6),
    ],
    ids=["path", "ladder", "rings", "covering"],
)
def test_costs_are_not_quadratic(question, seconds):
    """They were 11, 11, 9 and 25 seconds."""
    start = time.process_time()  # other processes do not count
    assert question()
    assert time.process_time() - start < seconds


def path():
    return nx.path_graph(16_000, create_using=nx.DiGraph)


def ring(n):
    return nx.DiGraph([(k, (k + 1) % n, {"delay": 1}) for k in range(n)])


def ladder(n):
    G = nx.DiGraph()
    for side in "ab":
        G.add_edges_from(((side, k), (side, k + 1)) for k in range(n - 1))
    G.add_edges_from((("a", k), ("b", k)) for k in range(n))
    return G


@given(
    delay_graphs(vertices=3, edges=6, delays=3), st.lists(st.integers(0, 2), min_size=6, max_size=6)
)
def test_labels_are_least_by_cost_and_then_by_total(G, costs):
    """Of each vertex and residue, and whether a vertex was met: by rounds over all edges."""
    graph = ug.DelayGraph(G)
    walks = between(graph, 0, len(graph.vertices) - 1, costs[: len(graph.edges)])
    if walks is None:
        return
    modulus, met = 3, {walks.goal}
    found = label(walks, met, modulus, list(walks.costs))
    rows = zip(walks.tails, walks.heads, walks.delays[:, 0], walks.costs, strict=True)
    rows = [tuple(map(int, row)) for row in rows]
    start = walks.start, walks.start in met, 0
    least, rounds = {start: (0, 0)}, 2 * walks.n * modulus
    for k in range(2 * rounds):
        before = dict(least)
        for (v, passed, r), (cost, total) in before.items():
            for u, w, d, c in rows:
                if u == v:
                    key = w, passed or w in met, (r + d) % modulus
                    new = cost + c, total + d
                    if new < least.get(key, (math.inf, 0)):
                        least[key] = new
        if k == rounds:
            settled = dict(least)
    assert found.cost.keys() == {(2 * v + p) * modulus + r for v, p, r in least}
    for (v, p, r), (cost, total) in least.items():
        triple = (2 * v + p) * modulus + r
        assert found.cost[triple] == cost
        if triple in found.total:
            assert found.total[triple] == total
        else:  # it falls for ever along a cycle without cost, or is behind one that does
            assert settled[v, p, r] != (cost, total) or found.negative
