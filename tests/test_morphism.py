"""Maps between graphs: the covering laws, composition, and lifts of walks."""

import pickle
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.testing import delay_graphs

C3, C4, C6 = (nx.cycle_graph(n, create_using=nx.DiGraph) for n in (3, 4, 6))


def stars(p, side):
    """The edge map on one side of each vertex, worked out from the definition."""
    for node in p.total:
        above = [a for a in arcs(p.total) if a[side] == node]
        below = [e for e in arcs(p.base) if e[side] == p.nodes[node]]
        yield [p.edges[a] for a in above], below


def arcs(G):
    return list(G.edges(keys=True)) if G.is_multigraph() else list(G.edges())


@st.composite
def maps(draw):
    """A homomorphism, mostly no covering: arcs drawn above the edges of a base."""
    base = draw(delay_graphs(vertices=3, edges=4, multigraph=True))
    copies = draw(st.integers(1, 2))
    nodes = {(v, k): v for v in base for k in range(copies)}
    above = [
        ((e[0], i), (e[1], j), e) for e in arcs(base) for i, j in product(range(copies), repeat=2)
    ]
    chosen = draw(st.lists(st.sampled_from(above), max_size=8)) if above else []
    total = nx.MultiDiGraph()
    total.add_nodes_from(nodes)
    edges = {}
    for tail, head, e in chosen:
        edges[tail, head, total.add_edge(tail, head)] = e
    return ug.GraphMap(total, base, nodes, edges)


@given(maps())
def test_the_four_laws_are_their_definitions(p):
    into = all(sorted(a) == sorted(b) for a, b in stars(p, 1))
    out = all(sorted(a) == sorted(b) for a, b in stars(p, 0))
    assert ug.is_homomorphism(p)
    assert ug.is_fibration(p) == into
    assert ug.is_opfibration(p) == out
    assert ug.is_covering(p) == (into and out)


@given(maps())
def test_the_obstructions_are_exactly_what_is_missing_or_too_much(p):
    expected = []
    for side, name in ((1, "in"), (0, "out")):
        for (above, below), node in zip(stars(p, side), p.total, strict=True):
            for e in below:
                count = above.count(e)
                expected += [(node, e, f"missing-{name}")] * (count == 0)
                expected += [(node, e, f"extra-{name}")] * (count - 1)
    found = [(o.node, o.edge, o.kind) for o in ug.obstructions(p)]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    if expected:
        with pytest.raises(ug.errors.NotACoveringError, match="not a covering: ") as caught:
            ug.check_covering(p)
        assert caught.value.obstruction == next(ug.obstructions(p))
    else:
        ug.check_covering(p)


def test_the_hexagon_covers_the_triangle_and_the_square_does_not():
    """Pisanski's examples: C6 -> C3 is a double cover, C4 -> C3 is none."""
    assert ug.is_covering(ug.GraphMap(C6, C3, {v: v % 3 for v in C6}))
    for images in product(C3, repeat=4):
        assert not ug.is_covering(ug.GraphMap(C4, C3, dict(zip(C4, images, strict=True))))


def test_the_cube_covers_the_tetrahedron_with_antipodal_fibres():
    """Pisanski's example: Q3 -> K4, two sheets."""
    Q3, K4 = nx.DiGraph(nx.hypercube_graph(3)), nx.DiGraph(nx.complete_graph(4))
    fibre = {}
    for node in Q3:
        antipode = tuple(1 - x for x in node)
        fibre[node] = fibre.get(antipode, len(set(fibre.values())))
    p = ug.GraphMap(Q3, K4, fibre)
    assert ug.is_covering(p)
    assert {len(p.fibre(v)) for v in K4} == {2}


def test_on_multigraphs_edges_count_and_not_neighbors():
    base = nx.MultiDiGraph([("a", "b", "x"), ("a", "b", "y")])
    total = nx.MultiDiGraph([(1, 2, "x"), (1, 3, "x"), (1, 2, "y")])
    p = ug.GraphMap(total, base, {1: "a", 2: "b", 3: "b"})
    found = {str(o) for o in ug.obstructions(p)}
    assert found == {
        "more than one edge out of 1 lies over the base edge ('a', 'b', 'x')",
        "no edge into 3 lies over the base edge ('a', 'b', 'y')",
    }


def test_an_arc_over_no_edge_is_no_homomorphism():
    p = ug.GraphMap(nx.DiGraph([(0, 1), (1, 0)]), nx.DiGraph([("a", "b")]), {0: "a", 1: "b"})
    assert [(o.kind, o.edge) for o in ug.obstructions(p)] == [("not-an-edge", (1, 0))]
    assert not ug.is_homomorphism(p)
    wrong = ug.GraphMap(
        nx.DiGraph([(0, 1)]),
        nx.DiGraph([("a", "b"), ("b", "a")]),
        {0: "a", 1: "b"},
        {(0, 1): ("b", "a")},
    )
    assert next(ug.obstructions(wrong)).kind == "not-an-edge"


def test_an_arc_that_could_lie_over_several_edges_must_be_told():
    base = nx.MultiDiGraph([("a", "b", "x"), ("a", "b", "y")])
    with pytest.raises(
        ug.errors.LiftError, match="any of 2 parallel edges from 'a' to 'b'; specify"
    ):
        ug.is_covering(ug.GraphMap(nx.DiGraph([(0, 1)]), base, {0: "a", 1: "b"}))
    single = nx.MultiDiGraph([("a", "b", "x")])
    assert ug.is_covering(ug.GraphMap(nx.DiGraph([(0, 1)]), single, {0: "a", 1: "b"}))


@pytest.mark.parametrize(
    ("nodes", "edges", "text"),
    [
        ({0: "a"}, None, "no image of the vertex 1"),
        ({0: "a", 1: "c"}, None, "maps 1 to 'c', which is not a vertex"),
        ({0: "a", 1: "b"}, {}, "no image of the edge .0, 1."),
    ],
)
def test_a_map_that_is_none_is_refused(nodes, edges, text):
    with pytest.raises(ug.errors.LiftError, match=text):
        ug.GraphMap(nx.DiGraph([(0, 1)]), nx.DiGraph([("a", "b")]), nodes, edges)


def test_what_has_no_map_is_refused():
    with pytest.raises(TypeError, match="make one with GraphMap"):
        ug.is_covering(nx.DiGraph())
    with pytest.raises(TypeError, match="total graph of a GraphMap must be a networkx"):
        ug.GraphMap([(0, 1)], C3, {})


@given(delay_graphs(vertices=3, edges=5), st.integers(1, 3), st.integers(1, 3))
def test_maps_compose(G, m, n):
    first = ug.cyclic_cover(G, m)
    second = ug.cyclic_cover(first, n)
    # the base of the second is the first as it was stored
    p = ug.GraphMap(second, first, {node: node[0] for node in second})
    q = p.then(first)
    assert ug.is_covering(q)
    assert q.base is first.base
    assert all(q(node) == node[0][0] for node in second)
    for v in G:
        assert set(q.fibre(v)) == {node for node in second if node[0][0] == v}
    assert q == p.then(first.projection)
    assert q != p


def test_maps_that_do_not_meet_do_not_compose():
    p = ug.GraphMap(C6, C3, {v: v % 3 for v in C6})
    with pytest.raises(ug.errors.LiftError, match="cannot be composed"):
        p.then(ug.unroll(ug.gallery.elman(), 2))


@given(delay_graphs(vertices=4, edges=8), st.data())
def test_a_walk_lifts_to_one_walk_that_climbs_by_its_delay(G, data):
    assume(G.number_of_edges())
    here = data.draw(st.sampled_from(list(G)))
    start, walk, climbed = here, [], 0
    for _ in range(data.draw(st.integers(0, 6))):
        out = [e for e in arcs(G) if e[0] == here]
        if not out:
            break
        walk.append(data.draw(st.sampled_from(out)))
        climbed += G.edges[walk[-1]]["delay"]
        here = walk[-1][1]
    cover = ug.DelayCover(G)
    lifted = ug.lift_walk(cover, walk, (start, 5))
    assert [cover.projection.edge(arc) for arc in lifted] == walk
    assert all(a[1] == b[0] for a, b in pairwise(lifted))
    if walk:
        assert lifted[0][0] == (start, 5)
        assert lifted[-1][1] == (here, 5 + climbed)
    C = ug.cyclic_cover(G, 3)
    around = ug.lift_walk(C, walk, (start, 2))
    if walk:
        assert around[-1][1] == (here, (2 + climbed) % 3)


@pytest.mark.parametrize(
    ("walk", "start", "text"),
    [
        ([("A", "C")], ("A", 0), r"\('A', 'C'\) is not an edge"),
        ([("A", "B")], ("B", 0), "does not begin at 'B'"),
        ([("A", "B"), ("A", "B")], ("A", 0), "does not begin at 'B'"),
        ([("C", "A")], ("C", 3), r"no edge out of \('C', 3\) lies over the base edge \('C', 'A'\)"),
        ([("A", "B")], ("A", 9), r"\('A', 9\) is not a vertex"),
        ([("A", "B", 0)], ("A", 0), "is not an edge"),
        ([(["A"], "B")], ("A", 0), "is not an edge"),
        ([1], ("A", 0), "is not an edge"),
    ],
)
def test_walks_that_do_not_lift_are_refused(walk, start, text):
    with pytest.raises(ug.errors.LiftError, match=text):
        ug.lift_walk(ug.unroll(ug.gallery.seed_network(), 4), walk, start)


def test_lifts_have_times_in_python_integers():
    U = ug.unroll(ug.gallery.seed_network(), 4)
    for p in (U, ug.DelayCover(ug.gallery.seed_network())):
        (arc,) = ug.lift_walk(p, [("A", "B")], ("A", np.int64(2)))
        assert all(type(t) is int for _, t in arc)


@pytest.mark.parametrize("image", [5, None, ("a",), ["a", "b"]])
def test_an_image_that_is_no_edge_is_refused(image):
    total, base = nx.DiGraph([(0, 1)]), nx.DiGraph([("a", "b")])
    with pytest.raises(ug.errors.LiftError, match="which is not an edge; an edge is"):
        ug.GraphMap(total, base, {0: "a", 1: "b"}, {(0, 1): image})


def test_maps_of_infinite_covers_can_be_compared():
    cover, same = (ug.DelayCover(ug.gallery.seed_network()) for _ in range(2))
    assert cover.projection == cover.projection == same.projection
    assert cover.projection != ug.DelayCover(ug.gallery.elman()).projection


def test_a_walk_with_two_lifts_is_refused():
    total, base = nx.DiGraph([(0, 1), (0, 2)]), nx.DiGraph([("a", "b")])
    p = ug.GraphMap(total, base, {0: "a", 1: "b", 2: "b"})
    with pytest.raises(ug.errors.LiftError, match="more than one edge out of 0"):
        ug.lift_walk(p, [("a", "b")], 0)


def test_a_map_is_a_frozen_value():
    nodes = {v: v % 3 for v in C6}
    p = ug.GraphMap(C6, C3, nodes)
    nodes[0] = 2
    assert p(0) == 0
    with pytest.raises(ug.errors.FrozenError):
        p.total = C3
    tree = ug.out_tree(C3, 0, 2).projection
    for q in (p, pickle.loads(pickle.dumps(p)), ug.minimal_base(C3), tree):
        with pytest.raises(ug.errors.FrozenError):
            q.nodes[0] = 2
    named = ug.GraphMap(C3, C3, {v: v for v in C3}, {e: e for e in C3.edges})
    with pytest.raises(ug.errors.FrozenError):
        named.edges.clear()
    assert p.fibre(0) == (0, 3)
    with pytest.raises(ug.errors.LiftError):
        p.fibre(9)


def test_a_tree_whose_numbers_are_those_of_a_covering_is_none():
    """One in-edge of three, beside two vertices alone: two vertices, one arc, as a half of G."""
    G = nx.DiGraph([("a", "b"), ("c", "b"), ("e", "b")])
    G.add_nodes_from("fg")
    tree = ug.out_tree(G, "a")
    assert len(tree) * G.number_of_edges() == tree.number_of_edges() * len(G)
    assert not ug.is_covering(tree)
    assert [str(o) for o in ug.obstructions(tree)] == [
        f"no edge into {list(tree)[1]!r} lies over the base edge {(v, 'b')}" for v in "ce"
    ]


@pytest.mark.parametrize("n", [6, 7, 8])
def test_graphs_whose_neighbors_are_told_apart_are_compared_exactly(n):
    """Circulant graphs with two kinds of edges, beside networkx's comparison of labeled graphs."""

    def circulant(s, t):
        G, labeled = nx.MultiDiGraph(), nx.DiGraph()
        for k in range(n):
            G.add_edge(k, (k + s) % n, delay=0)
            for delay in (0, 1):
                G.add_edge(k, (k + t) % n, delay=delay)
            labeled.add_edge(k, (k + s) % n, kind=0)
            labeled.add_edge(k, (k + t) % n, kind=1)
        return G, labeled

    steps = [(s, t) for s in range(1, n) for t in range(1, n) if s != t and (s + t) % n]
    shapes = [circulant(s, t) for s, t in steps]
    shapes = [pair for pair in shapes if nx.is_weakly_connected(pair[1])]
    same = nx.isomorphism.categorical_edge_match("kind", None)
    for (G, one), (H, other) in product(shapes[:6], shapes):
        expected = nx.is_isomorphic(one, other, edge_match=same)
        try:
            ug.isomorphic_covers(G, H)
        except ug.errors.NotARetimingError:
            found = False
        else:
            found = True
        assert found == expected


def test_a_walk_that_leaves_a_window_is_told_to_take_a_larger_one():
    U = ug.unroll(ug.gallery.seed_network(), 4)
    with pytest.raises(ug.errors.LiftError, match=r"no edge out of .* there; use a larger window"):
        ug.lift_walk(U, [("C", "A")], ("C", 3))
