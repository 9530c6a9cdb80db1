"""Maximal abelian covers: acyclic for every digraph, above every delay cover."""

from itertools import pairwise, product

import networkx as nx
import oracle
import pytest
from certified import CASES, stages_of
from hypothesis import given, settings
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.morphism.graph_map import arcs_at
from unrollgraph.testing import delay_graphs

graphs = st.sampled_from([1, 2]).flatmap(
    lambda d: delay_graphs(dimension=d, vertices=4, edges=7).map(lambda G: (G, d))
)


def betti(G):
    return G.number_of_edges() - len(G) + nx.number_weakly_connected_components(G)


def parts(time):
    return time if isinstance(time, tuple) else (time,)


@given(graphs)
def test_there_is_one_generator_for_each_independent_cycle(case):
    G, _ = case
    A, b = ug.abelianize(G), betti(G)
    found = [parts(d) for _, _, d in A.edges(data="delay")]
    if b == 0:
        assert all(d == (0,) for d in found)
    else:
        units = [tuple(int(i == k) for i in range(b)) for k in range(b)]
        assert sorted(d for d in found if any(d)) == sorted(units)
        still = nx.MultiGraph((e[0], e[1]) for e in A.edges if not any(parts(A.edges[e]["delay"])))
        still.add_nodes_from(G)
        assert nx.is_forest(still)
    bare = A.copy()
    for H in (bare, G := G.copy()):
        for edge in H.edges:
            H.edges[edge].pop("delay", None)
    assert nx.utils.graphs_equal(bare, G)


@given(graphs)
def test_the_maximal_abelian_cover_of_any_digraph_is_acyclic(case):
    """Whatever the delays: also where the delay cover has cycles."""
    A = ug.abelianize(case[0])
    d = max(1, betti(case[0]))
    schedule = ug.acyclicity_certificate(A)
    assert schedule.is_linear
    assert oracle.proves_acyclic(A, stages_of(schedule), dimension=d)


@given(graphs, st.data())
def test_the_periods_map_it_onto_the_delay_cover(case, data):
    G, d = case
    A = ug.abelianize(G)
    above, below, down = ug.DelayCover(A), ug.DelayCover(G), ug.period_map(G)
    b = max(1, betti(G))
    x = tuple(data.draw(st.lists(st.integers(-9, 9), min_size=b, max_size=b)))
    for v in G:
        node = v, x if b > 1 else x[0]
        assert down(node) in below
        for a, c, *key in arcs_at(above, node, "out"):
            assert (down(a), down(c), *key) in arcs_at(below, down(node), "out")
    assert len(down.matrix) == d
    assert {len(row) for row in down.matrix} == {betti(G)}


@settings(max_examples=20)
@given(delay_graphs(vertices=3, edges=4))
def test_its_closed_walks_are_those_that_use_every_edge_as_often_each_way(G):
    """Of all closed undirected walks of the base, listed by brute force."""
    A = ug.abelianize(G)
    delay = {(u, v, *key): d for u, v, key, d in oracle.wires(A, dimension=max(1, betti(G)))}
    for root in G:
        for walk, end in oracle.reduced_walks(G, root, 4):
            if end != root:
                continue
            total = [sum(s * delay[e][k] for e, s in walk) for k in range(max(1, betti(G)))]
            used = {e: sum(s for f, s in walk if f == e) for e, _ in walk}
            assert (not any(total)) == (not any(used.values()))


def test_each_component_is_connected_once():
    G = nx.compose(ug.gallery.narx(2), nx.relabel_nodes(ug.gallery.narx(3), str.upper))
    families = ug.components(ug.DelayCover(ug.abelianize(G)))
    assert [(family.rank, family.copies) for family in families] == [
        (2, float("inf")),
        (3, float("inf")),
    ]
    (family,) = ug.components(ug.DelayCover(ug.abelianize(ug.gallery.narx(3))))
    assert (family.rank, family.copies, family.invariants) == (3, 1, ())


def test_row_47_the_maximal_abelian_cover_of_the_tetrahedron_is_srs():
    (case,) = [c for c in CASES if c["name"].startswith("srs")]
    K4 = nx.DiGraph([(u, v) for u, v, _ in case["edges"]])
    A = ug.abelianize(K4)
    assert shells(A, "1", 13) == case["expect"]["coordination_sequence"]
    below = nx.DiGraph()
    for u, v, d in case["edges"]:
        below.add_edge(u, v, delay=tuple(d))
    down = ug.period_map(below)
    images = {down(("1", x)) for x in product(range(-2, 3), repeat=3)}
    assert len(images) == 125  # one to one: srs is that cover


@pytest.mark.parametrize(
    "case", [c for c in CASES if 45 <= c["row"] <= 48], ids=lambda c: c["name"]
)
def test_rows_45_to_48_shells_have_the_published_sizes(case):
    G = nx.MultiDiGraph()
    for u, v, d in case["edges"]:
        G.add_edge(u, v, delay=tuple(d))
    expected = case["expect"]["coordination_sequence"]
    assert shells(G, case["expect"]["start"], min(len(expected), 8)) == expected[:8]


def shells(G, start, count):
    """Sizes of the shells around a vertex of the cover, by breadth-first search."""
    cover = ug.DelayCover(ug.with_reverses(G))
    node = start, (0,) * cover.dimension
    met, shell, found = {node}, [node], []
    for _ in range(count):
        found.append(len(shell))
        shell = list({b for a in shell for b in cover.successors(a)} - met)
        met.update(shell)
    return found


def test_row_50_one_loop_is_its_own_and_two_loops_are_not():
    """A ball of the universal cover is a piece of the delay cover for one loop only."""
    for loops, universal in ((1, True), (2, False)):
        G = nx.MultiDiGraph([("h", "h", {"delay": k + 1}) for k in range(loops)])
        ball = nx.Graph(ug.universal_cover(G, "h", 4).to_undirected())
        cover = ug.DelayCover(ug.with_reverses(G))
        met, shell = {("h", 0)}, [("h", 0)]
        piece = nx.Graph()
        piece.add_node(("h", 0))
        for _ in range(4):
            joined = [(a, b) for a in shell for b in cover.successors(a)]
            shell = list({b for _, b in joined} - met)
            met.update(shell)
            piece.add_edges_from(joined)
        assert nx.is_isomorphic(ball, piece) == universal
        matrix = ug.period_map(G).matrix
        assert (len(matrix[0]) <= 1) == universal  # the map down is one to one


def test_row_49_two_bases_of_one_cover():
    """The directed line, above one vertex and above two."""
    one, two = [c for c in CASES if c["row"] == 49]
    line = nx.path_graph(13, create_using=nx.DiGraph)
    for case, steps in ((one, 13), (two, 7)):
        G = nx.MultiDiGraph()
        G.add_weighted_edges_from(case["edges"], weight="delay")
        window = ug.unroll(G, steps)
        assert nx.is_isomorphic(nx.DiGraph(window.subgraph(list(window)[:13])), line)
        C = ug.cyclic_cover(G, case["expect"]["cyclic"])
        assert nx.is_isomorphic(nx.DiGraph(C), nx.cycle_graph(12, create_using=nx.DiGraph))
        assert [family.copies for family in ug.components(ug.DelayCover(G))] == [1]


def test_vertices_of_other_covers_are_refused():
    down = ug.period_map(ug.gallery.narx(2))
    for node in (("h", 3), ("h", (1, 2, 3)), ("z", (0, 0)), "h", ("h", (0.5, 1)), ([], (0, 0))):
        with pytest.raises(ug.errors.LiftError, match="not a vertex of the maximal abelian cover"):
            down(node)
    tree = nx.path_graph(3, create_using=nx.DiGraph)
    assert [d for _, _, d in ug.abelianize(tree).edges(data="delay")] == [0, 0]
    assert ug.period_map(tree)((2, 5)) == (2, 0)


@pytest.mark.parametrize("suffix", ["json", "csv", "gml", "graphml"])
def test_a_maximal_abelian_cover_travels_in_every_format(tmp_path, suffix):
    A = ug.abelianize(ug.gallery.narx(2))
    ug.io.write(A, tmp_path / f"a.{suffix}")
    back = ug.io.read(tmp_path / f"a.{suffix}")
    assert sorted(back.edges(data="delay")) == sorted(A.edges(data="delay"))


def test_delays_that_could_not_be_stored_are_refused():
    G = nx.MultiDiGraph([(0, 0)] * 10_001)
    with pytest.raises(
        ValueError, match="the delays of the maximal abelian cover would have 100020001 entries"
    ):
        ug.abelianize(G)


def test_many_independent_cycles_are_acyclic_too():
    """Beyond the dimension in which slopes are searched for, none has to be."""
    G = nx.MultiDiGraph(list(pairwise(range(90))) * 2 + [(89, 0)])
    A = ug.abelianize(G)
    assert ug.DelayGraph(A).dimension == 90
    assert ug.is_acyclic(ug.DelayCover(A))
