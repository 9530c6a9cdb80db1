"""The laws of all graphs above a graph, each over every construction.

A construction takes a random delay graph and draws whatever else it needs. What it promises
is said beside it: on which sides of a vertex arcs lift uniquely (but for the boundary), and
how large fibres are.
"""

import pickle
from dataclasses import dataclass
from itertools import product

import networkx as nx
import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.combinatorics import AlternatingGroup, CyclicGroup, DihedralGroup, SymmetricGroup

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.testing import delay_graphs

GROUPS = [CyclicGroup(4), SymmetricGroup(3), DihedralGroup(4), AlternatingGroup(4)]
ELEMENTS = {id(group): [tuple(g.array_form) for g in group.elements] for group in GROUPS}


@dataclass
class Above:
    G: object
    lift: object
    sides: str = "in out"
    sheets: int | None = None


def with_voltages(draw, G, choices):
    H = G.copy()
    for edge in oracle_edges(H):
        if draw(st.booleans()) or edge == oracle_edges(H)[0]:
            H.edges[edge]["voltage"] = draw(st.sampled_from(choices))
    return H


def oracle_edges(G):
    return [(u, v, *key) for u, v, key, _ in oracle.wires(G)]


def window(draw, G):
    start = draw(st.integers(-3, 3))
    length = draw(st.integers(1, 6))
    return Above(G, ug.unroll(G, range(start, start + length)), sheets=length)


def cyclic(draw, G):
    n = draw(st.integers(1, 5))
    return Above(G, ug.cyclic_cover(G, n), sheets=n)


def permutation(draw, G):
    n = draw(st.integers(1, 4))
    G.add_edge("a", "a")
    G = with_voltages(draw, G, list(map(tuple, [draw(st.permutations(range(n))) for _ in "ab"])))
    return Above(G, ug.permutation_lift(G), sheets=n)


def derived(draw, G):
    group = draw(st.sampled_from(GROUPS))
    G.add_edge("a", "a")
    G = with_voltages(draw, G, ELEMENTS[id(group)])
    return Above(G, ug.derived_graph(G, group), sheets=int(group.order()))


def random(draw, G):
    n = draw(st.integers(1, 5))
    return Above(G, ug.random_lift(G, n, seed=draw(st.integers(0, 99))), sheets=n)


def universal(draw, G):
    return Above(G, ug.universal_cover(G, draw(st.sampled_from(list(G))), draw(st.integers(0, 3))))


def in_tree(draw, G):
    root = draw(st.sampled_from(list(G)))
    return Above(G, ug.in_tree(G, root, draw(st.integers(0, 3))), sides="in")


def out_tree(draw, G):
    root = draw(st.sampled_from(list(G)))
    return Above(G, ug.out_tree(G, root, draw(st.integers(0, 3))), sides="out")


def plane(draw):
    G = draw(delay_graphs(dimension=2, vertices=3, edges=5))
    sizes = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    return G, sizes


def window_2d(draw, _):
    G, sizes = plane(draw)
    start = draw(st.integers(-2, 2))
    axes = range(start, start + sizes[0]), range(sizes[1])
    return Above(G, ug.unroll(G, axes), sheets=sizes[0] * sizes[1])


def torus(draw, _):
    G, sizes = plane(draw)
    return Above(G, ug.cyclic_cover(G, sizes), sheets=sizes[0] * sizes[1])


CONSTRUCTIONS = {
    "window": window,
    "window in the plane": window_2d,
    "cyclic cover": cyclic,
    "torus": torus,
    "permutation lift": permutation,
    "derived graph": derived,
    "random lift": random,
    "universal cover": universal,
    "in-tree": in_tree,
    "out-tree": out_tree,
}
CLOSED = ["cyclic cover", "torus", "permutation lift", "derived graph", "random lift"]
LAYERED = {name: CONSTRUCTIONS[name] for name in CONSTRUCTIONS if "tree" not in name}
del LAYERED["universal cover"]


@st.composite
def above(draw, make):
    return make(draw, draw(delay_graphs(vertices=4, edges=6)))


def every(constructions):
    """Run a test over constructions, which share the examples of a thorough run."""
    share = settings(max_examples=max(50, settings.default.max_examples // 10))
    over = pytest.mark.parametrize("make", constructions.values(), ids=list(constructions))
    return lambda test: over(share(test))


def arcs(G):
    return list(G.edges(keys=True)) if G.is_multigraph() else list(G.edges())


@every(CONSTRUCTIONS)
@given(st.data())
def test_the_projection_takes_the_first_half_and_keeps_edges_and_attributes(make, data):
    case = data.draw(above(make))
    G, lift = case.G, case.lift
    assert ug.is_homomorphism(lift)
    assert nx.utils.graphs_equal(lift.base.copy(), G)
    assert lift.is_multigraph() == G.is_multigraph()
    for node in lift:
        assert lift.project(node) == node[0]
        assert lift.nodes[node] == G.nodes[node[0]]
    for a, b, *key in arcs(lift):
        edge = (a[0], b[0], *key)
        assert lift.projection.edge((a, b, *key)) == edge
        above_it, below = dict(lift.edges[(a, b, *key)]), dict(G.edges[edge])
        for data_ in (above_it, below):
            data_.pop("delay", None)  # a cyclic cover has delays of its own
        assert above_it == below


@every(CONSTRUCTIONS)
@given(st.data())
def test_arcs_lift_uniquely_but_for_the_boundary(make, data):
    """Said of every vertex and edge from the definition, without the package's own laws."""
    case = data.draw(above(make))
    lift, entering, leaving = case.lift, case.lift.boundary_in(), case.lift.boundary_out()
    everywhere = [*arcs(lift), *entering, *leaving]
    assert len(set(everywhere)) == len(everywhere)
    for here, side in ((1, "in"), (0, "out")):
        if side not in case.sides:
            continue
        over = {}
        for arc in everywhere:
            over.setdefault(arc[here], []).append((arc[0][0], arc[1][0], *arc[2:]))
        edges = oracle_edges(case.G)
        for node in lift:
            below = [edge for edge in edges if edge[here] == node[0]]
            assert sorted(over.get(node, [])) == sorted(below)
    assert all((a in lift) != (b in lift) for a, b, *_ in (*entering, *leaving))


@every(CONSTRUCTIONS)
@given(st.data())
def test_the_laws_find_exactly_the_boundary(make, data):
    case = data.draw(above(make))
    lift = case.lift
    found = {}
    for obstruction in ug.obstructions(lift):
        found.setdefault(obstruction.kind, []).append((obstruction.node, obstruction.edge))
    for side, end, boundary in (("in", 1, lift.boundary_in()), ("out", 0, lift.boundary_out())):
        if side in case.sides:
            expected = [(arc[end], (arc[0][0], arc[1][0], *arc[2:])) for arc in boundary]
            assert sorted(found.pop(f"missing-{side}", []), key=repr) == sorted(expected, key=repr)
            assert (ug.is_fibration if side == "in" else ug.is_opfibration)(lift) == (not expected)
        else:
            assert not boundary
            found.pop(f"missing-{side}", None)
    assert not found


@every(CONSTRUCTIONS)
@given(st.data())
def test_fibres_part_the_vertices_in_their_order(make, data):
    case = data.draw(above(make))
    for v in case.G:
        fibre = case.lift.fibre(v)
        assert fibre == tuple(node for node in case.lift if node[0] == v)
        assert fibre == case.lift.projection.fibre(v)
        assert case.sheets is None or len(fibre) == case.sheets


def below(arc):
    return (arc[0][0], arc[1][0], *arc[2:])


@every(LAYERED)
@given(st.data())
def test_walks_lift_to_one_walk_each(make, data):
    case = data.draw(above(make))
    lift, start = case.lift, data.draw(st.sampled_from(list(case.lift)))
    walk, at, here = [], start[0], start
    for _ in range(data.draw(st.integers(0, 5))):
        onward = [edge for edge in oracle_edges(case.G) if edge[0] == at]
        if not onward:
            break
        walk.append(data.draw(st.sampled_from(onward)))
        at = walk[-1][1]
    path, leaving = [], False
    for edge in walk:  # by hand, arc by arc
        onward = [arc for arc in arcs(lift) if (arc[0], below(arc)) == (here, edge)]
        leaving = not onward
        if leaving:
            break
        path += onward
        here = onward[0][1]
    if leaving:
        assert any(arc[0] == here and below(arc) == edge for arc in lift.boundary_out())
        with pytest.raises(ug.errors.LiftError):
            ug.lift_walk(lift, walk, start)
    else:
        assert ug.lift_walk(lift, walk, start) == tuple(path)


@every(CONSTRUCTIONS)
@given(st.data())
def test_arrays_and_matrix_are_those_of_networkx(make, data):
    lift = data.draw(above(make)).lift
    nodes, edges = list(lift), arcs(lift.base)
    arrays = lift.to_arrays()
    assert arrays.heads.dtype == np.int32
    named = [
        (nodes[a], nodes[b], *edges[e][2:])
        for a, b, e in zip(arrays.tails, arrays.heads, arrays.edges, strict=True)
    ]
    assert sorted(named, key=repr) == sorted(arcs(lift), key=repr)
    assert len(named) == lift.number_of_edges()
    order = list(zip(arrays.tails.tolist(), arrays.edges.tolist(), strict=True))
    assert order == sorted(order)
    expected = nx.to_numpy_array(lift, weight=None, multigraph_weight=sum)
    matrix = lift.to_csr()
    assert np.array_equal(matrix.toarray(), expected)
    assert matrix.nnz == np.count_nonzero(expected)
    assert matrix.indices.dtype == np.int32


@every(CONSTRUCTIONS)
@given(st.data())
def test_a_stored_copy_and_a_pickled_one_are_the_same_graph(make, data):
    lift = data.draw(above(make)).lift
    stored = lift.copy()
    assert type(stored) in {nx.DiGraph, nx.MultiDiGraph}
    assert nx.utils.graphs_equal(stored, lift)
    again = pickle.loads(pickle.dumps(lift))
    assert type(again) is type(lift)
    assert list(again) == list(lift)
    assert nx.utils.graphs_equal(again.copy(), stored)
    assert again.boundary_in() == lift.boundary_in()


@every({name: CONSTRUCTIONS[name] for name in CLOSED})
@given(st.data())
def test_coverings_compose_to_coverings(make, data):
    case = data.draw(above(make))
    upper = ug.random_lift(case.lift, 2, seed=data.draw(st.integers(0, 9)))
    p = upper.projection.then(case.lift.projection)
    assert ug.is_covering(upper)
    assert ug.is_covering(p)
    assert all(len(p.fibre(v)) == 2 * case.sheets for v in case.G)


@every({name: CONSTRUCTIONS[name] for name in CLOSED})
@given(st.data())
def test_a_covering_has_the_minimal_base_of_its_base(make, data):
    case = data.draw(above(make))
    below, upper = ug.minimal_base(case.G), ug.minimal_base(case.lift)
    assert len(below.base) == len(upper.base)
    assert nx.is_isomorphic(below.base, upper.base, edge_match=lambda a, b: len(a) == len(b))
    for v in below.base:
        pulled = {node for w in below.fibre(v) for node in case.lift.fibre(w)}
        assert pulled in [set(upper.fibre(name)) for name in upper.base]


@every({name: CONSTRUCTIONS[name] for name in CLOSED})
@given(st.data())
def test_a_connected_covering_is_covered_by_the_universal_cover(make, data):
    """Reduced walks of the base lift from any vertex; their ends are those of the ball above."""
    case = data.draw(above(make))
    start = next(iter(case.lift))
    below = ug.universal_cover(case.G, start[0], 2)
    upper = ug.universal_cover(case.lift, start, 2)

    def down(walk):
        return tuple(((a[0], b[0], *key), sign) for (a, b, *key), sign in walk)

    assert sorted(((v[0], down(walk)) for v, walk in upper), key=repr) == sorted(below, key=repr)


@given(delay_graphs(vertices=4, edges=6), st.integers(1, 3))
def test_the_universal_cover_maps_onto_the_delay_cover(G, radius):
    cover = ug.DelayCover(G)
    delay = {(u, v, *key): d[0] for u, v, key, d in oracle.wires(G)}
    ball = ug.universal_cover(G, next(iter(G)), radius)

    def time(walk):
        return sum(sign * delay[edge] for edge, sign in walk)

    for (u, there), (v, here), *key in arcs(ball):
        arc = ((u, time(there)), (v, time(here)), *key)
        assert cover.has_edge(*arc)


@given(delay_graphs(vertices=4, edges=6), st.integers(1, 4))
def test_components_of_cyclic_covers_are_counted_by_the_invariants(G, n):
    """Modulo n the group Z/A becomes Z/(A + nZ)."""
    number = nx.number_weakly_connected_components(ug.cyclic_cover(G, n))
    assert number == sum(
        int(np.gcd(n, family.basis[0][0] if family.basis else 0))
        for family in ug.components(ug.DelayCover(G))
    )


@given(delay_graphs(dimension=2, vertices=3, edges=5), st.integers(1, 4), st.integers(1, 4))
def test_the_delay_cover_of_a_window_of_a_lift_is_that_of_the_lift_of_a_window(G, m, n):
    """Unrolling and lifting commute: they are one fibre product."""
    lifted = ug.random_lift(G, 3, seed=m)
    one = ug.unroll(lifted, (m, n))
    images = {}
    for arc in arcs(lifted):
        images[arc[0][0], arc[1][0], *arc[2:], arc[0][1]] = arc[1][1]
    window_ = ug.unroll(G, (m, n))
    other = nx.MultiDiGraph()
    other.add_nodes_from(((v, s), t) for v, t in window_ for s in range(3))
    for (u, t), (v, r), *key in arcs(window_):
        for s in range(3):
            other.add_edge(((u, s), t), ((v, images[u, v, *key, s]), r), *key)
    assert set(one) == set(other)
    assert sorted(map(repr, arcs(one))) == sorted(
        repr(arc if G.is_multigraph() else arc[:2]) for arc in other.edges(keys=True)
    )


def test_all_sizes_of_windows_in_the_plane_have_the_boundary_of_the_formula():
    """Per edge prod(T) - prod(max(0, T - |d|)) arcs enter, and as many leave."""
    G = nx.MultiDiGraph()
    G.add_edge("h", "h", delay=(1, -2))
    for sizes in product(range(1, 5), repeat=2):
        U = ug.unroll(G, sizes)
        inside = max(0, sizes[0] - 1) * max(0, sizes[1] - 2)
        assert len(U.boundary_in()) == len(U.boundary_out()) == sizes[0] * sizes[1] - inside


# -- what runs on them ---------------------------------------------------------------------


def through(middle, upper):
    """The map from a graph above a lift to the base of the lift."""
    return upper.projection.then(middle)


def lifted_window(G):
    lift = ug.random_lift(G, 3, seed=2)
    return through(lift, ug.unroll(lift, 3))


def unfolded_window(G):
    cover = ug.cyclic_cover(G, 2)
    return through(cover, ug.unroll(cover, 3))


def tree_of_a_window(G):
    U = ug.unroll(G, 3)
    return through(U, ug.in_tree(U, ("y", 2)))


ACYCLIC = {
    "window": lambda G: ug.unroll(G, 4).projection,
    "in-tree": lambda G: ug.in_tree(G, "y", 4).projection,
    "out-tree": lambda G: ug.out_tree(G, "x", 4).projection,
    "universal cover": lambda G: ug.universal_cover(G, "y", 3).projection,
    "window of a random lift": lifted_window,
    "window of a cyclic cover": unfolded_window,
    "in-tree of a window": tree_of_a_window,
}


@pytest.mark.parametrize("make", ACYCLIC.values(), ids=list(ACYCLIC))
@pytest.mark.parametrize("network", ["elman", "narx", "bidirectional", "stacked"])
def test_isomorphic_graphs_above_run_alike(make, network):
    """Names and orders of copies do not matter, only the map: values and gradients agree."""
    net = nn.Network(getattr(nn.architectures, network)(2, 3, 2), seed=4)
    p = make(net.delay_graph)
    rng = np.random.default_rng(5)
    nodes = list(p.total)
    rename = dict(zip(nodes, rng.permutation(len(nodes)).tolist(), strict=True))
    H = nx.MultiDiGraph()
    H.add_nodes_from(range(len(nodes)))
    edges = {}
    for arc in arcs(p.total):
        tail, head = rename[arc[0]], rename[arc[1]]
        edges[tail, head, H.add_edge(tail, head)] = p.edge(arc)
    q = ug.GraphMap(H, p.base, {rename[node]: p(node) for node in nodes}, edges)
    x = {node: rng.normal(size=2) for node in p.fibre("x")}
    back = {new: node for node, new in rename.items()}
    one = net.forward({"x": np.array([x[node] for node in p.fibre("x")])}, over=p)
    other = net.forward({"x": np.array([x[back[k]] for k in q.fibre("x")])}, over=q)
    for node in nodes:
        assert np.allclose(one[node], other[rename[node]], rtol=0, atol=1e-12)
    seed = {node: rng.normal(size=one[node].shape) for node in p.fibre("y")}
    here = one.backward({"y": np.array([seed[node] for node in p.fibre("y")])})
    there = other.backward({"y": np.array([seed[back[k]] for k in q.fibre("y")])})
    for name in net.parameters:
        assert np.allclose(here.parameters[name], there.parameters[name], rtol=0, atol=1e-12)
    reads = dict(zip(q.fibre("x"), there.inputs["x"], strict=True))
    for node, gradient in zip(p.fibre("x"), here.inputs["x"], strict=True):
        assert np.allclose(gradient, reads[rename[node]], rtol=0, atol=1e-12)
