"""A lift is a networkx graph: what works on its stored copy works on it."""

import copy
import pickle
import tracemalloc

import matplotlib as mpl
import networkx as nx
import pytest

import unrollgraph as ug

mpl.use("Agg")


def simple():
    G = ug.gallery.lstm()
    G.nodes["x"]["op"] = {"kind": "input"}
    G.graph["name"] = "cell"
    return G


def multiple():
    G = nx.MultiDiGraph(ug.gallery.narx(3))
    G.add_edge("h", "x", "odd", delay=-2, color="red")
    return G


LIFTS = {
    "window": lambda: ug.unroll(simple(), range(-1, 3)),
    "multi window": lambda: ug.unroll(multiple(), 5),
    "cyclic": lambda: ug.cyclic_cover(simple(), 3),
    "multi cyclic": lambda: ug.cyclic_cover(multiple(), 4),
    "random": lambda: ug.random_lift(simple(), 3, seed=0),
    "multi random": lambda: ug.random_lift(multiple(), 4, seed=0),
    "universal": lambda: ug.universal_cover(simple(), "h", 2),
    "multi in-tree": lambda: ug.in_tree(ug.gallery.narx(3), "y", 3),
}


def plain(G):
    """Everything in a graph, without an order of predecessors, in plain values."""
    if isinstance(G, nx.Graph):
        edges = G.edges(keys=True, data=True) if G.is_multigraph() else G.edges(data=True)
        rows = sorted(map(repr, edges))
        return (
            G.is_directed(),
            G.is_multigraph(),
            dict(G.graph),
            sorted(map(repr, G.nodes.data())),
            rows,
        )
    return G


def draw(G):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    try:
        nx.draw(G, pos={node: (k, k * k % 7) for k, node in enumerate(G)}, ax=axes)
        return len(axes.patches), len(axes.collections)
    finally:
        plt.close(figure)


BOTH_KINDS = {
    "copy": lambda G: G.copy(),
    "copy of the class": lambda G: G.__class__(G),
    "reverse": lambda G: G.reverse(),
    "reverse view": lambda G: G.reverse(copy=False),
    "subgraph": lambda G: G.subgraph(list(G)[:9]),
    "subgraph copy": lambda G: G.subgraph(list(G)[3:9]).copy(),
    "edge subgraph": lambda G: G.edge_subgraph(list(G.edges)[:7]),
    "to undirected": lambda G: G.to_undirected(),
    "to undirected view": lambda G: G.to_undirected(as_view=True),
    "to directed": lambda G: G.to_directed(),
    "pickle": lambda G: pickle.loads(pickle.dumps(G)),
    "deepcopy": copy.deepcopy,
    "relabel": lambda G: nx.relabel_nodes(G, {node: k for k, node in enumerate(sorted(G))}),
    "relabel to strings": lambda G: nx.relabel_nodes(G, str),
    "compose": lambda G: nx.compose(G, G.__class__([(("x", 0), "new")])),
    "union": lambda G: nx.disjoint_union(G, G),
    "line graph": lambda G: sorted(nx.line_graph(G).edges()),
    "ego graph": lambda G: nx.ego_graph(G, next(iter(G)), radius=2),
    "isomorphism": lambda G: nx.is_isomorphic(G, G.copy()),
    "topological sort": nx.is_directed_acyclic_graph,
    "components": lambda G: sorted(map(sorted, nx.weakly_connected_components(G))),
    "strong components": lambda G: sorted(map(sorted, nx.strongly_connected_components(G))),
    "adjacency": lambda G: nx.to_numpy_array(G, nodelist=sorted(G)).tolist(),
    "degrees": lambda G: sorted((n, G.in_degree(n), G.out_degree(n), G.degree(n)) for n in G),
    "weighted size": lambda G: G.size(weight="delay"),
    "node-link": lambda G: sorted(map(repr, nx.node_link_data(G)["edges"])),
    "dict of dicts": nx.to_dict_of_dicts,
    "edge boundary": lambda G: sorted(nx.edge_boundary(G, list(G)[:5])),
    "restricted view": lambda G: nx.restricted_view(G, [next(iter(G))], []),
    "density": nx.density,
    "selfloops": lambda G: sorted(nx.selfloop_edges(G)),
    "info": lambda G: str(G).split(" with ")[1],
    "draw": draw,
}
SIMPLE_KIND = {
    "WL hash": nx.weisfeiler_lehman_graph_hash,
    "transitive closure": nx.transitive_closure,
    "transitive reduction": nx.transitive_reduction,
    "simple cycles": lambda G: len(list(nx.simple_cycles(G))),
    "longest path": nx.dag_longest_path_length,
}
RUNS = [(lift, name) for lift in LIFTS for name in BOTH_KINDS]
RUNS += [("window", name) for name in SIMPLE_KIND]
RUNS += [("cyclic", "WL hash"), ("cyclic", "simple cycles"), ("cyclic", "transitive closure")]


@pytest.mark.filterwarnings("ignore:The hashes produced for")
@pytest.mark.parametrize(("lift", "name"), RUNS, ids=lambda text: text)
def test_networkx_gives_the_same_on_a_lift_and_on_its_stored_copy(lift, name):
    run = {**BOTH_KINDS, **SIMPLE_KIND}[name]
    U = LIFTS[lift]()
    stored = U.copy()
    assert type(stored) in {nx.DiGraph, nx.MultiDiGraph}
    try:
        expected = plain(run(stored))
    except nx.NetworkXException as error:
        with pytest.raises(type(error)):
            run(U)
    else:
        assert plain(run(U)) == expected


@pytest.mark.parametrize("lift", LIFTS)
def test_writing_raises_and_a_copy_can_be_written(lift):
    U = LIFTS[lift]()
    node, (tail, head, *key) = next(iter(U)), next(iter(U.edges))
    writes = [
        lambda G: G.add_node("z"),
        lambda G: G.add_nodes_from("z"),
        lambda G: G.remove_node(node),
        lambda G: G.remove_nodes_from([node]),
        lambda G: G.add_edge(node, "z"),
        lambda G: G.add_edges_from([(node, "z")]),
        lambda G: G.add_weighted_edges_from([(node, "z", 1)]),
        lambda G: G.remove_edge(tail, head),
        lambda G: G.remove_edges_from([(tail, head)]),
        lambda G: G.update([(node, "z")]),
        lambda G: G.clear_edges(),
        lambda G: G.nodes[node].update(op=1),
        lambda G: G.nodes[node].__setitem__("op", 1),
        lambda G: G.edges[(tail, head, *key)].__setitem__("delay", 9),
        lambda G: G.get_edge_data(tail, head).update(delay=9),
        lambda G: G.graph.__setitem__("name", "z"),
        lambda G: nx.set_node_attributes(G, 1, "op"),
        lambda G: setattr(G, "name", "z"),
    ]
    before = plain(U)
    for write in writes:
        with pytest.raises(ug.errors.FrozenError, match="frozen|immutable"):
            write(U)
        write(U.copy())
    with pytest.raises(ug.errors.FrozenError):
        U.clear()
    assert plain(U) == before
    assert nx.is_frozen(U)
    assert not nx.is_frozen(U.copy())


def test_the_attributes_of_copies_are_those_below():
    U = LIFTS["window"]()
    assert U.nodes["x", 2] == {"op": {"kind": "input"}}
    assert U.edges[("h", 0), ("i", 1)] == {"delay": 1}
    assert U.graph == {"name": "cell"}
    assert U.name == "cell"
    stored = U.copy()
    stored.nodes["x", 2]["op"] = "changed"
    assert U.nodes["x", 2] == {"op": {"kind": "input"}}


def test_a_lift_knows_its_map():
    U = LIFTS["multi window"]()
    assert isinstance(U, ug.Lift)
    assert isinstance(U, nx.MultiDiGraph)
    p = U.projection
    assert p.total is U
    assert p.base is U.base
    assert nx.utils.graphs_equal(nx.MultiDiGraph(U.base), multiple())
    assert U.project(("h", 3)) == p(("h", 3)) == "h"
    assert p.edge((("h", 0), ("h", 1), 0)) == ("h", "h", 0)
    assert U.fibre("h") == p.fibre("h") == tuple(("h", t) for t in range(5))
    with pytest.raises(ug.errors.LiftError, match="not a vertex of the base graph"):
        U.fibre("nobody")
    with pytest.raises(ug.errors.LiftError, match="not a vertex of the total graph"):
        U.project(("h", 9))
    assert dict(p.nodes) == {node: node[0] for node in U}


def test_only_a_window_has_a_window():
    assert LIFTS["window"]().window == range(-1, 3)
    with pytest.raises(AttributeError, match="not a window"):
        _ = LIFTS["cyclic"]().window
    assert LIFTS["cyclic"]().boundary_in() == LIFTS["cyclic"]().boundary_out() == ()


def test_the_class_makes_empty_graphs_as_networkx_expects():
    U = LIFTS["window"]()
    assert type(U.__class__()) is nx.DiGraph
    assert type(U.__class__(backend="networkx")) is nx.DiGraph
    assert type(LIFTS["multi cyclic"]().__class__()) is nx.MultiDiGraph


def test_a_million_steps_take_no_memory():
    G = ug.DelayGraph(ug.gallery.seed_network())
    ug.unroll(G, 10)
    tracemalloc.start()
    try:
        U = ug.unroll(G, 10**6)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20
    assert U.number_of_nodes() == 5 * 10**6
    assert U.number_of_edges() == 5 * 10**6 - 1
    assert list(U.successors(("C", 999_998))) == [("A", 999_999), ("out", 999_998)]


def test_a_lift_of_a_later_changed_graph_stays_as_it_was():
    G = simple()
    U = ug.unroll(G, 3)
    before = plain(U)
    G.remove_node("x")
    G.edges["h", "i"]["delay"] = 7
    assert plain(U) == before


def test_pickling_keeps_a_lift_a_lift():
    U = pickle.loads(pickle.dumps(LIFTS["cyclic"]()))
    assert isinstance(U, ug.Lift)
    assert ug.is_covering(U)


def test_repr_tells_the_sizes():
    assert repr(LIFTS["window"]()) == "<DiLift of 10 vertices: 40 nodes, 63 edges>"


# -- as a copy does it -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lift",
    [
        lambda G: ug.unroll(G, 4),
        lambda _: ug.unroll(ug.gallery.grid_2d(), (3, 3)),
        lambda G: ug.cyclic_cover(G, 3),
        lambda G: ug.random_lift(G, 3, seed=1),
        lambda _: ug.unroll(ug.gallery.dipole(3), 3),
        lambda _: ug.unroll(ug.with_reverses(ug.gallery.diamond()), (2, 2, 2)),
    ],
)
def test_neighbors_counts_and_names_are_those_of_a_copy(lift):
    U = lift(ug.gallery.lstm())
    H = U.copy()
    for node in H:
        assert list(U.predecessors(node)) == list(H.predecessors(node))
        assert list(U.successors(node)) == list(H.successors(node))
        v, t = node
        other = (v, float(t)) if isinstance(t, int) else (v, tuple(map(float, t)))
        assert other in U
        assert other in H
        assert list(U.successors(other)) == list(H.successors(other))
    assert list(U.in_edges) == list(H.in_edges)
    assert len(U.edges) == len(U.out_edges) == len(U.in_edges) == len(H.edges)
    assert len(U.edges([node])) == len(H.edges([node]))
    assert (v, 0.5) not in U


def test_arcs_are_counted_without_listing_them():
    U = ug.unroll(ug.gallery.lstm(), 10**9)
    assert len(U.edges) == len(U.in_edges) == U.number_of_edges() > 10**9
