"""Numbers of paths: closed forms, sums over windows, and when there are infinitely many."""

import math

import networkx as nx
import oracle
import pytest
from certified import CASES, graph_of
from forward import forward_graphs
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.testing import delay_graphs

ROWS = [case for case in CASES if "directed_walk_counts" in case["expect"]]


def counted(G, start, goal, window):
    """Walks of a window between two of its vertices, length by length; inf if they do not end."""
    out, into = {}, {}
    for a, b, *_ in oracle.window_arcs(G, [window]):
        out.setdefault(a, []).append(b)
        into.setdefault(b, []).append(a)
    useful, queue = {goal}, [goal]
    for node in queue:  # grows while it is read
        for before in into.get(node, []):
            if before not in useful:
                useful.add(before)
                queue.append(before)
    total, shell = 0, {start: 1} if start in useful else {}
    for _ in range(len(G) * len(window) + 1):
        if not shell:
            return total
        total += shell.get(goal, 0)
        longer = {}
        for node, number in shell.items():
            for after in out.get(node, []):
                if after in useful:
                    longer[after] = longer.get(after, 0) + number
        shell = longer
    return math.inf


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case["name"])
def test_reference_walks(case):
    cover, expect = ug.DelayCover(graph_of(case["edges"])), case["expect"]["directed_walk_counts"]
    start = expect["source"], oracle.plain((0,) * cover.dimension)
    times = [tuple(t) if isinstance(t, list) else t for t in expect["delays"]]
    found = [ug.path_count(cover, start, (expect["target"], t)) for t in times]
    assert found == expect["counts"]


def test_infinitely_many_paths_name_their_two_cycles():
    (case,) = (case for case in CASES if case["row"] == 84)
    cover = ug.DelayCover(graph_of(case["edges"]))
    with pytest.raises(ug.errors.InfinitePathsError, match="can repeat a -> a") as caught:
        ug.path_count(cover, ("a", 0), ("b", 0))
    assert caught.value.cycles == ((("a", "a", 0),), (("b", "b", 0),))
    assert ug.path_count(cover, ("a", 0), ("a", 5)) == 1
    assert ug.path_count(cover, ("b", 0), ("a", 5)) == 0


def test_paths_in_the_plane_are_binomials_and_delannoy_numbers():
    grid = ug.DelayCover(ug.gallery.bouquet((1, 0), (0, 1)))
    (h,) = grid.base
    assert ug.path_count(grid, (h, (0, 0)), (h, (4, 4))) == 70
    assert ug.path_count(grid, (h, (3, 1)), (h, (9, 21))) == math.comb(26, 6)
    assert ug.path_count(grid, (h, (0, 0)), (h, (1, -1))) == 0
    king = ug.DelayCover(ug.gallery.bouquet((1, 0), (0, 1), (1, 1)))
    diagonal = [ug.path_count(king, (h, (0, 0)), (h, (n, n))) for n in range(7)]
    assert diagonal == [1, 3, 13, 63, 321, 1683, 8989]  # OEIS A001850
    net = ug.DelayCover(ug.with_reverses(ug.gallery.diamond()))
    with pytest.raises(ug.errors.InfinitePathsError, match="they can repeat"):
        ug.path_count(net, ("a", (0, 0, 0)), ("a", (0, 0, 1)))
    opposed = [("a", "a", (1, 0)), ("b", "b", (-1, 0)), ("a", "b", (0, 1)), ("b", "a", (0, 0))]
    with pytest.raises(ValueError, match="no linear schedule"):
        ug.path_count(in_the_plane(*opposed), ("a", (0, 0)), ("a", (3, 2)))


@given(forward_graphs(vertices=4, edges=7, delays=2, shift=1), st.data())
def test_networks_have_as_many_paths_as_their_windows(G, data):
    source, target = (data.draw(st.sampled_from(list(G))) for _ in range(2))
    t = data.draw(st.integers(-3, 8))
    found = ug.path_count(ug.DelayCover(G), (source, 0), (target, t))
    # clocks move by one at most for each of four vertices
    assert found == counted(G, (source, 0), (target, t), range(-12, 22))


@given(delay_graphs(vertices=3, edges=5, delays=2), st.data())
def test_paths_are_infinitely_many_exactly_when_wider_windows_hold_more(G, data):
    source, target = (data.draw(st.sampled_from(list(G))) for _ in range(2))
    t = data.draw(st.integers(-3, 3))
    ends = (source, 0), (target, t)
    counts = [counted(G, *ends, range(-w, w + 1)) for w in (12, 30)]
    cover = ug.DelayCover(G)
    try:
        found = ug.path_count(cover, *ends)
    except ug.errors.InfinitePathsError as error:
        totals = [sum(G.edges[e]["delay"] for e in cycle) for cycle in error.cycles]
        assert totals == [0] or totals[0] > 0 > totals[1]
        assert counts[0] < counts[1] or counts[1] == math.inf
    else:
        assert counts == [found, found]


def test_numbers_grow_and_stay_exact():
    cover = ug.DelayCover(ug.gallery.bouquet(1, 2))
    (h,) = cover.base
    a, b = 0, 1
    for _ in range(1001):
        a, b = b, a + b
    assert ug.path_count(cover, (h, 0), (h, 1000)) == a
    assert ug.path_count(cover, (h, 0), (h, -1)) == 0
    parallel = ug.DelayCover(graph_of([("a", "b", 1), ("a", "b", 1)]))
    assert ug.path_count(parallel, ("a", 0), ("b", 1)) == 2


@pytest.mark.parametrize("far", [5 * 10**6 + 1, 10**30 + 1])
def test_where_there_is_no_way_there_are_none_to_count(far):
    two = ug.DelayCover(ug.gallery.bouquet(2))
    assert ug.path_count(two, ("a", 0), ("a", far)) == 0
    with pytest.raises(ValueError, match="choose vertices whose times are closer"):
        ug.path_count(two, ("a", 0), ("a", far + 1))


def test_signs_that_never_meet_on_one_path_do_no_harm():
    edges = [("s", "p", 0), ("p", "p", 2), ("p", "t", 0), ("s", "n", 0), ("n", "n", -2)]
    G = graph_of([*edges, ("n", "t", 0), ("s", "t", 0)])
    cover = ug.DelayCover(G)
    assert ug.path_count(cover, ("s", 0), ("t", 0)) == 3
    assert ug.path_count(cover, ("s", 0), ("t", 4)) == 1
    assert ug.path_count(cover, ("s", 0), ("t", -4)) == 1
    assert ug.path_count(cover, ("s", 0), ("t", 3)) == 0
    G.add_edge("p", "n", delay=1)  # now they do, but at odd times only
    assert ug.path_count(ug.DelayCover(G), ("s", 0), ("t", 4)) == 1
    with pytest.raises(
        ug.errors.InfinitePathsError,
        match=r"p -> p of total delay 2 and n -> n of total delay -2",
    ):
        ug.path_count(ug.DelayCover(G), ("s", 0), ("t", 3))


def test_a_cycle_that_stays_still_matters_only_to_those_who_meet_it():
    cover = ug.DelayCover(graph_of([("a", "b", 1), ("b", "a", 0), ("b", "b", 0)]))
    assert ug.path_count(cover, ("a", 0), ("a", 0)) == 1
    with pytest.raises(ug.errors.InfinitePathsError, match=r"b -> b of total delay 0"):
        ug.path_count(cover, ("a", 0), ("a", 1))


def test_counts_that_nobody_could_finish_are_refused_at_once():
    cover = ug.DelayCover(ug.gallery.bouquet(1, 2))
    with pytest.raises(
        ValueError, match="lie between source and target; choose vertices whose times"
    ):
        ug.path_count(cover, ("a", 0), ("a", 10**9))
    rare = graph_of([("a", "b", 10**9), ("b", "a", 10**9), ("a", "a", 10**9)])
    assert ug.path_count(ug.DelayCover(rare), ("a", 0), ("b", 10**10)) == 55
    assert ug.path_count(ug.DelayCover(rare), ("a", 0), ("b", 10**10 + 1)) == 0


def test_from_a_vertex_to_itself_leads_the_path_without_arcs():
    line = ug.DelayCover(graph_of([("a", "b", 1)]))
    plane = ug.DelayCover(graph_of([("a", "b", (1, 0))]))
    assert ug.path_count(line, ("a", 3), ("a", 3)) == 1
    assert ug.path_count(plane, ("a", (3, 1)), ("a", (3, 1))) == 1
    assert ug.path_count(plane, ("a", (3, 1)), ("a", (3, 2))) == 0


# -- in Z^d, where closed walks cancel ---------------------------------------------------------


def in_the_plane(*edges):
    G = nx.MultiDiGraph()
    for u, v, d in edges:
        G.add_edge(u, v, delay=d)
    return ug.DelayCover(G)


@pytest.mark.parametrize(
    ("edges", "target", "count"),
    [
        ([("a", "a", (1, 0)), ("a", "a", (-1, 0))], ("a", (0, 0)), None),
        ([("a", "a", (1, 0)), ("a", "a", (-1, 0))], ("a", (5, 0)), None),
        ([("a", "a", (1, 0)), ("a", "a", (-1, 0))], ("a", (0, 1)), 0),
        ([("a", "a", (0, 0)), ("a", "a", (1, 0))], ("a", (3, 0)), None),
        ([("a", "a", (0, 0)), ("a", "a", (1, 0))], ("a", (0, 1)), 0),
        ([("a", "a", (0, 0)), ("a", "a", (1, 0))], ("a", (-1, 0)), 0),
        # a zero loop that only some paths meet: by b none leads to an odd place
        (
            [
                ("a", "a", (1, 0)),
                ("a", "b", (2, 0)),
                ("b", "b", (0, 0)),
                ("b", "c", (0, 2)),
                ("a", "c", (0, 1)),
            ],
            ("c", (3, 1)),
            1,
        ),
        (
            [
                ("a", "a", (1, 0)),
                ("a", "b", (2, 0)),
                ("b", "b", (0, 0)),
                ("b", "c", (0, 2)),
                ("a", "c", (0, 1)),
            ],
            ("c", (3, 2)),
            None,
        ),
    ],
)
def test_paths_in_the_plane_that_meet_a_zero_walk_are_infinitely_many(edges, target, count):
    cover = in_the_plane(*edges)
    if count is not None:
        assert ug.path_count(cover, ("a", (0, 0)), target) == count
        return
    with pytest.raises(ug.errors.InfinitePathsError, match="infinitely many paths") as caught:
        ug.path_count(cover, ("a", (0, 0)), target)
    for walk in caught.value.cycles:
        assert walk[0][0] == walk[-1][1]
        assert all(edge in cover.base.edges for edge in walk)


@given(delay_graphs(dimension=2, vertices=3, edges=4, delays=1))
def test_counts_in_the_plane_are_those_of_a_window(G):
    """A window from which no path of at most eight arcs leaves."""
    cover = ug.DelayCover(G)
    U = ug.unroll(G, (range(-8, 9), range(-8, 9)))
    source = (next(iter(G)), (0, 0))
    row, counts = {source: 1}, {source: 1}
    for _ in range(8):
        row, last = {}, row
        for node, number in last.items():
            for _, head in U.out_edges(node):
                row[head] = row.get(head, 0) + number
        for node, number in row.items():
            counts[node] = counts.get(node, 0) + number
    for target in [(v, (x, y)) for v in G for x in (-1, 0, 2) for y in (-1, 0, 1)]:
        try:
            found = ug.path_count(cover, source, target)
        except ug.errors.InfinitePathsError:
            found = math.inf
        except (ug.errors.RadiusError, ValueError):
            continue  # neither cancels nor goes forward
        assert found >= counts.get(target, 0)
        if not row:  # all paths end within eight arcs
            assert found == counts.get(target, 0)


@pytest.mark.parametrize("target", [(2, 1), (1, 2), (-1, 0), (3, -5), (2, 2), (0, 0)])
@pytest.mark.parametrize(
    "loops", [[(2, 0), (0, 2)], [(1, 1)], [(3, 1), (-1, 2)], [(2, 0), (-2, 0)]]
)
def test_a_zero_loop_changes_no_path(loops, target):
    plain = [("a", "a", d) for d in loops]
    still = [*plain, ("a", "a", (0, 0))]
    found = [ug.has_path(in_the_plane(*e), ("a", (0, 0)), ("a", target)) for e in (plain, still)]
    assert found[0] == found[1]
