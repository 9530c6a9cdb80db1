"""Trees above a graph: walks listed by brute force, sizes in closed form, the runner on them."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.testing import delay_graphs

CASES = json.loads((Path(__file__).parent / "data" / "reference_cases.json").read_text())["cases"]


def arcs(G):
    return list(G.edges(keys=True)) if G.is_multigraph() else list(G.edges())


@given(delay_graphs(vertices=4, edges=6), st.data())
def test_the_universal_cover_is_the_reduced_walks(G, data):
    root, radius = data.draw(st.sampled_from(list(G))), data.draw(st.integers(0, 3))
    ball = ug.universal_cover(G, root, radius)
    expected = [(end, walk) for walk, end in oracle.reduced_walks(G, root, radius)]
    assert sorted(ball, key=repr) == sorted(expected, key=repr)
    assert nx.is_tree(nx.Graph(ball.to_undirected()))
    assert ball.number_of_edges() == len(ball) - 1
    for a, b, *key in arcs(ball):  # one end is the other, and one step more
        (_, shorter), (_, longer), sign = (a, b, 1) if len(a[1]) < len(b[1]) else (b, a, -1)
        assert longer == (*shorter, ((a[0], b[0], *key), sign))
    distance = nx.single_source_shortest_path_length(ball.to_undirected(), (root, ()))
    assert all(distance[node] == len(node[1]) for node in ball)
    assert [len(walk) for _, walk in ball] == sorted(len(walk) for _, walk in ball)


@pytest.mark.parametrize("side", ["in", "out"])
@given(G=delay_graphs(vertices=4, edges=6), data=st.data())
def test_in_and_out_trees_are_the_directed_walks(side, G, data):
    root, depth = data.draw(st.sampled_from(list(G))), data.draw(st.integers(0, 3))
    tree = (ug.in_tree if side == "in" else ug.out_tree)(G, root, depth)
    far = 0 if side == "in" else -1
    expected = [
        (walk[far][0 if side == "in" else 1] if walk else root, walk)
        for walk in oracle.directed_walks(G, root, depth, side)
    ]
    assert sorted(tree, key=repr) == sorted(expected, key=repr)
    if side == "out":
        assert nx.is_arborescence(tree)
    else:
        assert nx.is_arborescence(tree.reverse())
    assert next(iter(tree)) == (root, ())


@given(delay_graphs(vertices=4, edges=6), st.integers(0, 3))
def test_an_in_tree_is_an_out_tree_of_the_reverse(G, depth):
    into, out = ug.in_tree(G, "a", depth), ug.out_tree(G.reverse(), "a", depth)

    def turned(walk):
        return tuple((v, u, *key) for u, v, *key in reversed(walk))

    assert sorted(((v, turned(walk)) for v, walk in into), key=repr) == sorted(out, key=repr)


@pytest.mark.parametrize("loops", [1, 2, 3])
def test_balls_of_bouquets_have_the_sizes_of_free_groups(loops):
    G = nx.MultiDiGraph([("v", "v")] * loops)
    for radius in range(5):
        shells = [1, *(2 * loops * (2 * loops - 1) ** k for k in range(radius))]
        assert len(ug.universal_cover(G, "v", radius)) == sum(shells)


def test_row_79_the_in_tree_grows_as_fibonacci_and_the_cover_by_one():
    (case,) = [c for c in CASES if c["row"] == 79]
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(case["edges"], weight="delay")
    for n, (size, ancestors) in enumerate(
        zip(case["expect"]["in_tree_sizes"], case["expect"]["cover_ancestors"], strict=True)
    ):
        U = ug.unroll(G, n + 1)
        tree = ug.in_tree(U, ("h", n))
        assert len(tree) == size
        assert len({v for v, _ in tree}) == ancestors == 1 + len(nx.ancestors(U, ("h", n)))
        assert ug.is_fibration(tree)


@pytest.mark.parametrize("network", ["seed", "lstm", "bidirectional"])
def test_row_79_the_runner_agrees_on_the_tree_that_shares_nothing(network):
    """The value at the root, and the gradients, are those over the window."""
    make = getattr(nn.architectures, network)
    net = nn.Network(make(2, 3, 1), seed=3)
    (source,) = [v for v, op in net.delay_graph.base.nodes(data="op") if isinstance(op, nn.Input)]
    output = "h" if network == "lstm" else "out" if network == "seed" else "y"
    T, at = 4, 2 if network == "bidirectional" else 3
    U = ug.unroll(net, T)
    p = ug.in_tree(U, (output, at)).projection.then(U.projection)
    assert ug.is_fibration(p.total)
    assert len(p.total) > len(nx.ancestors(U, (output, at)))
    x = np.random.default_rng(0).normal(size=(T, 2))
    copies = np.array([x[node[0][1]] for node in p.fibre(source)])
    window, tree = net.forward({source: x}), net.forward({source: copies}, over=p)
    root = ((output, at), ())
    assert np.allclose(tree[root], window[output, at], rtol=0, atol=1e-12)
    size = window.values[output].shape[-1]
    above = np.zeros((len(p.fibre(output)), size))
    above[p.fibre(output).index(root)] = 1
    below = np.zeros((T, size))
    below[at] = 1
    one, other = tree.backward({output: above}), window.backward({output: below})
    for name in net.parameters:
        assert np.allclose(one.parameters[name], other.parameters[name], rtol=0, atol=1e-12)


def test_without_a_depth_a_tree_ends_or_names_the_cycle():
    G = ug.gallery.seed_network()
    with pytest.raises(
        ug.errors.InfinitePathsError, match="end in 'out', .* cycle C -> A -> B -> C"
    ) as e:
        ug.in_tree(G, "out")
    assert e.value.cycles == ((("C", "A"), ("A", "B"), ("B", "C")),)
    assert isinstance(e.value, nx.NetworkXUnfeasible)
    with pytest.raises(
        ug.errors.InfinitePathsError, match="begin in 'in', .* cycle A -> B -> C -> A"
    ):
        ug.out_tree(G, "in")
    assert len(ug.in_tree(G, "in")) == len(ug.out_tree(G, "out")) == 1
    assert ug.in_tree(G, "in").boundary_in() == ()
    M = nx.MultiDiGraph([("a", "b"), ("b", "b"), ("b", "b")])
    with pytest.raises(ug.errors.InfinitePathsError) as e:
        ug.in_tree(M, "b")
    assert e.value.cycles in [((("b", "b", key),),) for key in (0, 1)]


def test_of_a_long_lift_only_what_the_tree_meets_is_looked_at():
    U = ug.unroll(ug.gallery.narx(2), 10**9)
    tree = ug.in_tree(U, ("h", 10**8), 5)
    assert len(tree.fibre(("h", 10**8 - 6))) == 5 + 6 + 1  # one, two or three steps of 2, in 6
    assert tree.base is U
    assert ug.in_tree(ug.DelayGraph(U.base), "h", 1).base is not U


def test_roots_depths_and_sizes_are_checked():
    G = ug.gallery.narx(2)
    for make in (ug.in_tree, ug.out_tree, ug.universal_cover):
        with pytest.raises(ug.errors.LiftError, match="the root 'nobody' is not a vertex"):
            make(G, "nobody", 2)
        for depth in (-1, 1.5, True, "2"):
            with pytest.raises(ValueError, match="it must be an integer >= 0"):
                make(G, "h", depth)
        with pytest.raises(ValueError, match="too large to be stored: .*; take a (rad|dep)"):
            make(G, "h", 10**6)
        with pytest.raises(TypeError, match="a tree needs a networkx DiGraph"):
            make(nx.Graph(G), "h", 2)
    with pytest.raises(ValueError, match="the radius is None"):
        ug.universal_cover(G, "h", None)


def test_a_tree_is_a_value_of_its_own():
    G = ug.gallery.narx(2)
    G.nodes["h"]["op"] = {"kind": 1}
    tree = ug.universal_cover(G, "h", 1)
    G.add_edge("x", "new")
    G.nodes["h"]["op"] = 7
    assert "new" not in tree.base
    assert tree.nodes["h", ()]["op"] == {"kind": 1}
    for write in (
        lambda: tree.add_edge(1, 2),
        lambda: tree.nodes["h", ()].update(op=1),
        lambda: tree.edges[next(iter(tree.edges))].update(delay=1),
        lambda: tree.graph.update(name="x"),
        lambda: tree.base.nodes["h"].update(op=1),
    ):
        with pytest.raises(ug.errors.FrozenError):
            write()
    assert repr(tree) == "<MultiDiTree of 3 vertices, root h: 7 nodes>"
    with pytest.raises(AttributeError, match="not a window"):
        _ = tree.window
    copy = tree.copy()
    copy.add_edge("free", "now")
    assert isinstance(tree, ug.Lift)
    assert type(tree.__class__()) is nx.MultiDiGraph


def test_a_small_tree_above_a_long_window_is_small():
    tree = ug.in_tree(ug.unroll(ug.gallery.narx(2), 10**12), ("h", 5), 1)
    adjacency = nx.adjacency_matrix(nx.MultiDiGraph(tree), nodelist=list(tree))
    assert (tree.to_csr() != adjacency).nnz == 0
