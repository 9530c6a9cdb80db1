"""networkx's own functions on the infinite cover, beside windows and what is known of them."""

import math
import subprocess
import sys

import networkx as nx
import oracle
import pytest
from certified import QUARTER, graph_of
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.backend import dispatcher
from unrollgraph.testing import delay_graphs

SMALL = {"vertices": 3, "edges": 5, "delays": 2}
WIDE = range(-40, 41)


def window(G, times=WIDE):
    """A window as a plain graph of networkx, made by the oracle."""
    H = nx.MultiDiGraph()
    H.add_nodes_from((v, t) for v in G for t in times)
    H.add_edges_from(arc[:2] for arc in oracle.window_arcs(G, [times]))
    return H


def test_the_backend_is_found_and_answers_to_the_names_of_networkx():
    assert "unrollgraph" in nx.utils.backends.backends
    for name in dir(dispatcher):
        assert getattr(nx, name).name == name


def test_importing_networkx_does_not_import_this_package():
    code = "import sys, networkx; print('unrollgraph' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@QUARTER
@given(st.data())
def test_paths_are_those_of_a_window(data):
    G = data.draw(delay_graphs(**SMALL))
    cover, H = ug.DelayCover(G), window(G)
    a, b = ((data.draw(st.sampled_from(list(G))), t) for t in (0, data.draw(st.integers(-4, 4))))
    joined = nx.has_path(H, a, b)
    assert nx.has_path(cover, a, b) == joined
    if joined:
        length = nx.shortest_path_length(H, a, b)
        assert nx.shortest_path_length(cover, a, b) == length
        assert nx.shortest_path_length(cover, source=a, target=b, method="bellman-ford") == length
        assert nx.dijkstra_path_length(cover, a, b) == length
        for find in (nx.shortest_path, nx.bidirectional_shortest_path, nx.dijkstra_path):
            path = find(cover, a, b)
            assert nx.is_path(H, path)
            assert (path[0], path[-1], len(path)) == (a, b, length + 1)
    else:
        with pytest.raises(nx.NetworkXNoPath):
            nx.shortest_path(cover, a, b)


@given(delay_graphs(**SMALL), st.integers(0, 4))
def test_what_is_near_is_what_is_near_in_a_window(G, distance):
    cover, H, a = ug.DelayCover(G), window(G, range(-9, 10)), (next(iter(G)), 0)
    assert nx.descendants_at_distance(cover, a, distance) == nx.descendants_at_distance(
        H, a, distance
    )
    near = nx.single_source_shortest_path_length(H, a, cutoff=distance)
    assert nx.single_source_shortest_path_length(cover, a, cutoff=distance) == near
    assert nx.single_source_shortest_path_length(cover, a, distance - 0.5) == near


@pytest.mark.parametrize("cutoff", [-1, 0, 0.5, 1, 2.0, 2.7, 3])
def test_cutoffs_and_distances_are_what_they_are_to_networkx(cutoff):
    G = ug.gallery.bidirectional()
    cover, H, a = ug.DelayCover(G), window(G, range(-9, 10)), ("x", 0)
    near = nx.single_source_shortest_path_length(H, a, cutoff=cutoff)
    assert nx.single_source_shortest_path_length(cover, a, cutoff=cutoff) == near
    assert nx.descendants_at_distance(cover, a, cutoff) == nx.descendants_at_distance(H, a, cutoff)


def test_components_are_sets():
    even, odd = nx.weakly_connected_components(ug.DelayCover(graph_of([("h", "h", 2)])))
    again, _ = nx.weakly_connected_components(ug.DelayCover(graph_of([("h", "h", 2)])))
    some = {("h", 0), ("h", 1), ("x", 0), 5}
    assert even & some == some & even == {("h", 0)}
    assert some - odd == {("h", 0), ("x", 0), 5}
    assert even <= again == even & again
    assert even >= {("h", 10**9)}
    assert even > {("h", 10**9)}
    assert not even >= some
    assert not even <= odd
    assert not even < again
    assert even & odd == set()
    assert even.isdisjoint(odd)
    assert even.isdisjoint({("h", 1)})
    assert not even.isdisjoint(some)
    for endless in (lambda: even | some, lambda: some | even, lambda: even - some):
        with pytest.raises(TypeError, match="a component of the cover is infinite"):
            endless()


def test_infinitely_far_is_no_cutoff():
    cover = ug.DelayCover(ug.gallery.seed_network())
    with pytest.raises(ug.errors.InfiniteCoverError, match="without cutoff"):
        nx.single_source_shortest_path_length(cover, ("A", 0), cutoff=math.inf)


def test_of_very_many_components_the_first_are_there_at_once():
    many = nx.weakly_connected_components(ug.DelayCover(graph_of([("h", "h", 2**31)])))
    assert next(many).node == ("h", 0)
    assert next(many).node == ("h", 1)


def test_weights_are_read_as_networkx_reads_them():
    G = nx.DiGraph()
    G.add_edge("a", "b", delay=1, weight=5, cost=2)
    G.add_edge("b", "a", delay=0)
    cover, H = ug.DelayCover(G), window(G, range(9))
    for (u, _), (v, _), data in H.edges(data=True):
        data.update({k: x for k, x in G.edges[u, v].items() if k != "delay"})
    ends = ("a", 0), ("b", 3)
    for weight in (None, "weight", "cost", "nothing"):
        length = nx.shortest_path_length(H, *ends, weight=weight)
        assert nx.shortest_path_length(cover, *ends, weight=weight) == length
        assert nx.shortest_path(cover, *ends, weight) == nx.shortest_path(H, *ends, weight)
    assert nx.dijkstra_path_length(cover, *ends) == nx.dijkstra_path_length(H, *ends)


@QUARTER
@given(delay_graphs(**SMALL))
def test_cycles_are_those_of_a_window(G):
    cover, H = ug.DelayCover(G), window(G)
    acyclic = nx.is_directed_acyclic_graph(H)  # a cycle of so small a graph fits into it
    assert nx.is_directed_acyclic_graph(cover) == acyclic
    if acyclic:
        with pytest.raises(nx.NetworkXNoCycle):
            nx.find_cycle(cover)
    else:
        cycle = nx.find_cycle(cover)
        assert all(cover.has_edge(*arc) for arc in cycle)
        assert cycle[-1][1] == cycle[0][0]


@QUARTER
@given(delay_graphs(**SMALL), st.data())
def test_components_are_those_of_the_middle_of_a_window(G, data):
    cover, H = ug.DelayCover(G), window(G)
    nodes = [(v, t) for v in G for t in range(-6, 7)]
    below = {}  # which vertices of the middle of the window lie together
    for k, part in enumerate(nx.weakly_connected_components(H)):
        below |= dict.fromkeys(part, k)
    count = nx.number_weakly_connected_components(cover)
    assert nx.is_weakly_connected(cover) == (count == 1)
    if math.isinf(count):
        with pytest.raises(ug.errors.InfiniteCoverError, match=r"unrollgraph\.components"):
            nx.weakly_connected_components(cover)
        return
    parts = list(nx.weakly_connected_components(cover))
    assert len(parts) == count == len({below[node] for node in nodes})
    for a in data.draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=4)):
        (own,) = (part for part in parts if a in part)
        assert all((b in own) == (below[a] == below[b]) for b in nodes)


@QUARTER
@given(delay_graphs(**SMALL))
def test_strong_components_are_those_of_the_middle_of_a_window(G):
    cover, H = ug.DelayCover(G), window(G)
    nodes = [(v, t) for v in G for t in range(-4, 5)]
    owner = {}
    for k, part in enumerate(nx.strongly_connected_components(H)):
        owner |= dict.fromkeys(part, k)
    families = ug.strong_components(cover)
    assert all(family.check() for family in families)
    assert (not families) == nx.is_directed_acyclic_graph(cover)
    of = {v: family for family in families for v in family.vertices}
    for a in nodes:
        for b in nodes:
            together = a == b or (
                a[0] in of
                and b[0] in of[a[0]].vertices
                and of[a[0]].component(a) == of[a[0]].component(b)
            )
            assert together == (owner[a] == owner[b]), (a, b)
    count = nx.number_strongly_connected_components(cover)
    assert nx.is_strongly_connected(cover) == (count == 1)
    if math.isinf(count):
        with pytest.raises(ug.errors.InfiniteCoverError, match=r"unrollgraph\.strong_components"):
            nx.strongly_connected_components(cover)
    else:
        parts = list(nx.strongly_connected_components(cover))
        assert len(parts) == count
        assert all(sum(node in part for part in parts) == 1 for node in nodes)


@QUARTER
@pytest.mark.parametrize("dimension", [2, 3])
@given(data=st.data())
def test_strong_components_in_space_are_where_paths_lead_both_ways(dimension, data):
    G = data.draw(delay_graphs(dimension=dimension, vertices=3, edges=6, delays=1))
    cover = ug.DelayCover(G)
    families = ug.strong_components(cover)
    assert all(family.check() for family in families)
    assert (not families) == ug.is_acyclic(cover)
    zero = (0,) * dimension
    for family in families:
        u = family.vertices[0]
        assert any(cover.successors((u, zero)))
        for row in family.basis:
            there = (u, oracle.moved(zero, row))
            # both ways, as paths that a search finds
            assert len(ug.shortest_path(cover, (u, zero), there, radius=60)) > 1
            assert len(ug.shortest_path(cover, there, (u, zero), radius=60)) > 1


@QUARTER
@given(delay_graphs(**SMALL))
def test_colors_and_trees_are_those_of_a_window(G):
    cover, H = ug.DelayCover(G), window(G)
    # a cycle of so few edges and so small delays fits into the window
    assert nx.is_bipartite(cover) == nx.is_bipartite(H)
    assert nx.is_forest(cover) == nx.is_forest(H)
    assert nx.is_tree(cover) == (nx.is_forest(H) and nx.is_weakly_connected(cover))


def test_a_line_and_a_grid():
    line = ug.DelayCover(graph_of([("h", "h", 1)]))
    assert nx.is_tree(line)
    assert nx.is_bipartite(line)
    plane = ug.DelayCover(ug.with_reverses(ug.gallery.bouquet((1, 0), (0, 1))))
    assert nx.is_strongly_connected(plane)
    assert nx.is_bipartite(plane)
    assert not nx.is_forest(plane)
    triangles = ug.with_reverses(ug.gallery.bouquet((1, 0), (0, 1), (1, 1)))
    assert not nx.is_bipartite(ug.DelayCover(triangles))
    (whole,) = nx.strongly_connected_components(plane)
    (h,) = plane.base
    assert (h, (10**20, -3)) in whole
    assert (h, 3) not in whole
    assert "z" not in whole


def test_what_has_no_answer_says_so_at_once():
    cover = ug.DelayCover(ug.gallery.seed_network())
    a = ("A", 0)
    for call in (
        lambda: nx.pagerank(cover),
        lambda: nx.topological_sort(cover),
        lambda: nx.descendants(cover, a),
        lambda: nx.ancestors(cover, a),
        lambda: nx.shortest_path_length(cover, weight=max, source=a, target=a),
    ):
        with pytest.raises(
            ug.errors.InfiniteCoverError, match="is not supported for an infinite cover"
        ):
            call()
    for call, mend in (
        (lambda: nx.single_source_shortest_path_length(cover, a), "pass cutoff="),
        (lambda: nx.shortest_path(cover, a), "pass source and target"),
        (lambda: nx.shortest_path(cover), "pass source and target"),
        (lambda: nx.shortest_path_length(cover, target=a), "pass source and target"),
        (lambda: nx.find_cycle(cover, a), "omit both"),
        (lambda: nx.find_cycle(cover, orientation="ignore"), "omit both"),
    ):
        with pytest.raises(ug.errors.InfiniteCoverError, match=mend):
            call()
    coins = ug.DelayCover(graph_of([("a", "a", d) for d in [(0, 1), (0, -1), (2, 0), (3, 0)]]))
    with pytest.raises(ug.errors.InfiniteCoverError, match=r"unrollgraph\.has_path\(.*radius"):
        nx.has_path(coins, ("a", (0, 0)), ("a", (1, 0)))


def test_wrong_arguments_raise_what_networkx_raises():
    cover = ug.DelayCover(ug.gallery.seed_network())
    with pytest.raises(nx.NodeNotFound, match="is not a vertex of the cover"):
        nx.has_path(cover, ("A", 0), "Z")
    with pytest.raises(nx.NodeNotFound, match="is not a vertex of the cover"):
        nx.descendants_at_distance(cover, ("Z", 0), 1)
    with pytest.raises(ValueError, match="method not supported"):
        nx.shortest_path(cover, ("A", 0), ("A", 0), method="walk")
    empty = ug.DelayCover(nx.DiGraph())
    for ask in (nx.is_weakly_connected, nx.is_strongly_connected, nx.is_tree, nx.is_forest):
        with pytest.raises(nx.NetworkXPointlessConcept):
            ask(empty)
    with pytest.raises(nx.NetworkXNotImplemented):
        nx.is_connected(cover)  # a question about undirected graphs


def test_plain_graphs_and_lifts_never_come_here():
    G = ug.gallery.seed_network()
    U = ug.unroll(G, 3)
    assert nx.is_directed_acyclic_graph(U)
    assert nx.has_path(U, ("A", 0), ("A", 2))
    assert U.__networkx_backend__ == "networkx"
    with pytest.raises(NotImplementedError, match="for the given arguments"):
        nx.pagerank(G, backend="unrollgraph")
    cover = ug.DelayCover(G)
    with nx.config(fallback_to_nx=True), pytest.raises(nx.NetworkXNotImplemented):
        nx.pagerank(cover)  # nothing is converted, even where networkx would
    with nx.config.backend_priority(algos=["unrollgraph"]):
        assert nx.is_directed_acyclic_graph(U)
        assert not nx.is_directed_acyclic_graph(G)


def test_components_are_sets_that_nobody_lists():
    even, odd = nx.weakly_connected_components(ug.DelayCover(graph_of([("h", "h", 2)])))
    assert even != odd
    assert even
    assert len({even, odd}) == 2
    assert "component of ('h', 0)" in repr(even)
    for ask in (list, len):
        with pytest.raises(TypeError, match="is infinite"):
            ask(even)


def test_still_cycles_are_taken_in_all_at_once():
    path = ug.with_reverses(nx.path_graph(20_000, create_using=nx.DiGraph))
    (family,) = ug.strong_components(ug.DelayCover(path))
    assert len(family.vertices) == 20_000
    assert nx.number_strongly_connected_components(ug.DelayCover(path)) == math.inf


def test_a_part_keeps_the_edges_of_the_still_cycles_that_it_takes_in():
    edges = [("a", "b", 0), ("b", "a", 0), ("a", "a", 1), ("b", "b", -1)]
    (family,) = ug.strong_components(ug.DelayCover(graph_of(edges)))
    assert (family.vertices, family.copies) == (("a", "b"), 1)
    assert len(family.graph.edges) == 4


# -- functions of networkx that read a finite part of the cover -------------------------

A, B = ("h", 0), ("y", 6)
WITHIN = {
    "all_shortest_paths": [
        ((A, B), {}),
        ((A, B), {"weight": "cost"}),
        ((A, B), {"weight": "delay"}),
    ],
    "all_simple_edge_paths": [((A, ("y", 3)), {"cutoff": 4})],
    "all_simple_paths": [((A, ("y", 3)), {"cutoff": 4}), ((A, ("y", 9)), {"cutoff": 2})],
    "bfs_edges": [((A, False, 3), {}), ((A,), {"depth_limit": 3, "reverse": True})],
    "bfs_successors": [((A,), {"depth_limit": 3})],
    "bfs_tree": [((A,), {"depth_limit": 3}), ((A,), {"depth_limit": 2, "reverse": True})],
    "dfs_edges": [((A, 3), {}), ((A, 0), {}), ((A, 1), {})],
    "dfs_labeled_edges": [((A,), {"depth_limit": 3})],
    "dfs_postorder_nodes": [((A,), {"depth_limit": 3})],
    "dfs_predecessors": [((A,), {"depth_limit": 3})],
    "dfs_preorder_nodes": [((A,), {"depth_limit": 3})],
    "dfs_successors": [((A,), {"depth_limit": 3})],
    "dfs_tree": [((A,), {"depth_limit": 3}), ((A,), {"depth_limit": 0})],
    "ego_graph": [((A,), {}), ((A, 2, False), {}), ((A, 4), {"distance": "cost"})],
    "predecessor": [((A,), {"cutoff": 3})],
    "single_source_dijkstra": [((A,), {"cutoff": 5, "weight": "cost"})],
    "single_source_dijkstra_path": [((A,), {"cutoff": 5, "weight": "cost"})],
    "single_source_dijkstra_path_length": [((A,), {"cutoff": 5, "weight": "cost"})],
    "single_source_shortest_path": [((A, 3), {})],
    "single_target_shortest_path": [((A, 3), {})],
    "single_target_shortest_path_length": [((A, 3), {})],
}
LIMITS = {"dfs_edges": {"depth_limit": 3}, "single_target_shortest_path": {"cutoff": 3}}
LIMITS |= {name: {"cutoff": 3} for name in WITHIN if "shortest_path" in name}
CALLS = [(name, *call) for name, calls in WITHIN.items() for call in calls]


def in_full(answer):
    """An answer with the order of everything in it."""
    if isinstance(answer, nx.Graph):
        return sorted(answer.nodes(data=True)), sorted(answer.edges.data("cost")), type(answer)
    if isinstance(answer, dict):
        return list(answer.items())
    return tuple(map(in_full, answer)) if isinstance(answer, tuple) else list(answer)


@pytest.mark.parametrize(("name", "args", "options"), CALLS)
@pytest.mark.parametrize("G", [ug.gallery.skip(3), ug.gallery.elman()], ids=["multi", "simple"])
def test_functions_of_networkx_with_a_finite_answer(name, args, options, G):
    for k, edge in enumerate(G.edges):
        G.edges[edge]["cost"] = k + 1
    function = getattr(nx, name)
    window = ug.unroll(G, range(-20, 21)).copy()
    assert in_full(function(ug.DelayCover(G), *args, **options)) == in_full(
        function(window, *args, **options)
    )


@pytest.mark.parametrize("name", sorted({call[0] for call in CALLS} - {"all_shortest_paths"}))
def test_without_a_limit_they_raise_at_once(name):
    cover = ug.DelayCover(ug.gallery.elman())
    ends = (A, B) if name.startswith("all") else (A,)
    limit = {"radius": math.inf} if name == "ego_graph" else {}
    with pytest.raises(ug.errors.InfiniteCoverError, match="without"):
        getattr(nx, name)(cover, *ends, **limit)
    with pytest.raises(nx.NodeNotFound, match="is not a vertex of the cover"):
        getattr(nx, name)(cover, ("h", 0.5), *ends[1:], **WITHIN[name][-1][1] or LIMITS[name])


def test_limits_that_bound_nothing():
    cover = ug.DelayCover(ug.gallery.elman())
    with pytest.raises(ug.errors.InfiniteCoverError, match="an edge of length 0 or less"):
        nx.single_source_dijkstra_path(cover, A, cutoff=3, weight="delay")
    G = graph_of([("a", "a", 1), ("a", "b", 0), ("b", "b", -1)])
    nx.set_edge_attributes(G, 0, "free")
    free = ug.DelayCover(G)
    for call in (
        lambda: nx.ego_graph(cover, A, distance="delay"),
        lambda: nx.all_shortest_paths(free, ("a", 0), ("b", 3), weight="free"),
    ):
        with pytest.raises(ug.errors.InfiniteCoverError, match="nx.*_.* with an edge of length 0"):
            call()
    with pytest.raises(ug.errors.InfiniteCoverError, match="undirected=True"):
        nx.ego_graph(cover, A, undirected=True)
    with pytest.raises(ug.errors.InfiniteCoverError, match="without a source"):
        nx.dfs_tree(cover, depth_limit=2)
    with pytest.raises(nx.NetworkXNoPath):
        nx.all_shortest_paths(cover, A, ("y", -1))


def test_all_shortest_paths_with_lengths_of_zero_backward_in_time():
    G = graph_of([("a", "b", 2), ("b", "a", -3), ("a", "a", -1), ("b", "c", 5)])
    nx.set_edge_attributes(G, {("a", "b", 0): 1}, "cost")
    nx.set_edge_attributes(G, {edge: 0 for edge in G.edges(keys=True) if edge[0] != "a"}, "cost")
    nx.set_edge_attributes(G, {("a", "a", 0): 1}, "cost")
    window = ug.unroll(G, range(-30, 31)).copy()
    ends = ("a", 0), ("c", 3)
    paths = list(nx.all_shortest_paths(ug.DelayCover(G), *ends, weight="cost"))
    assert len(paths) > 1
    assert sorted(paths) == sorted(nx.all_shortest_paths(window, *ends, weight="cost"))
