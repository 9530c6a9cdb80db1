"""Cyclic covers: coverings, unfoldings of unfoldings, and the named graphs they make."""

import json
from itertools import product
from pathlib import Path

import networkx as nx
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.morphism.graph_map import arcs_at
from unrollgraph.testing import delay_graphs

CASES = json.loads((Path(__file__).parent / "data" / "reference_cases.json").read_text())["cases"]


@st.composite
def covers(draw):
    d = draw(st.sampled_from([1, 2]))
    G = draw(delay_graphs(dimension=d, vertices=4, edges=6))
    moduli = tuple(draw(st.integers(1, 5 if d == 1 else 3)) for _ in range(d))
    return G, moduli, moduli[0] if d == 1 else moduli


@given(covers())
def test_arcs_wrap_around_and_carry_over(case):
    G, moduli, n = case
    C = ug.cyclic_cover(G, n)
    expected = []
    for t in product(*map(range, moduli)):
        for u, v, key, d in oracle.wires(G, dimension=len(moduli)):
            pairs = [divmod(a + b, m) for a, b, m in zip(t, d, moduli, strict=True)]
            carried, head = (oracle.plain(part) for part in zip(*pairs, strict=True))
            expected.append(((u, oracle.plain(t)), (v, head), *key, carried))
    edges = C.edges(keys=True, data="delay") if C.is_multigraph() else C.edges(data="delay")
    assert sorted(map(tuple, edges)) == sorted(expected)
    assert C.number_of_edges() == len(expected)


@given(covers())
def test_the_projection_is_a_covering_and_keeps_degrees(case):
    G, moduli, n = case
    C = ug.cyclic_cover(G, n)
    assert ug.is_covering(C)
    for node in C:
        assert C.in_degree(node) == G.in_degree(node[0])
        assert C.out_degree(node) == G.out_degree(node[0])
    assert len(C) == len(G) * int(np.prod(moduli))


@given(delay_graphs(vertices=4, edges=6), st.integers(1, 4), st.integers(1, 4))
def test_unfolding_by_m_and_then_by_n_is_unfolding_by_mn(G, m, n):
    twice = ug.cyclic_cover(ug.cyclic_cover(G, m), n)
    once = ug.cyclic_cover(G, m * n)
    renamed = nx.relabel_nodes(
        twice, {node: (node[0][0], node[0][1] + m * node[1]) for node in twice}
    )
    assert nx.utils.graphs_equal(renamed, once.copy())


@given(delay_graphs(vertices=4, edges=6), st.integers(1, 4))
def test_the_delay_cover_of_an_unfolding_takes_n_steps_as_one(G, n):
    above = ug.DelayCover(ug.cyclic_cover(G, n))
    cover = ug.DelayCover(G)

    def rename(node):
        (v, t), T = node
        return v, t + n * T

    for node in above.fundamental_domain():
        arcs = {(rename(a), rename(b), *key) for a, b, *key in arcs_at(above, node, "out")}
        assert arcs == set(arcs_at(cover, rename(node), "out"))


@given(covers())
def test_arrays_and_matrix_are_those_of_networkx(case):
    G, _, n = case
    C = ug.cyclic_cover(G, n)
    nodes = list(C)
    edges = list(G.edges(keys=True)) if G.is_multigraph() else list(G.edges())
    arrays = C.to_arrays()
    named = sorted(
        (nodes[a], nodes[b], *edges[e][2:])
        for a, b, e in zip(arrays.tails, arrays.heads, arrays.edges, strict=True)
    )
    arcs = C.edges(keys=True) if C.is_multigraph() else C.edges()
    assert named == sorted(arcs)
    expected = nx.to_numpy_array(C, weight=None, multigraph_weight=sum)
    assert np.array_equal(C.to_csr().toarray(), expected)


@pytest.mark.parametrize(
    "case", [c for c in CASES if 41 <= c["row"] <= 44], ids=lambda c: c["name"]
)
def test_the_cover_is_the_named_graph(case):
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(case["edges"], weight="delay")
    name, _, arguments = case["expect"]["isomorphic_to"][:-1].partition("(")
    named = getattr(nx, name)(*json.loads(f"[{arguments}]"))
    C = ug.cyclic_cover(G, case["expect"]["cyclic"])
    assert nx.is_isomorphic(nx.Graph(C.to_undirected()), named)
    both = ug.cyclic_cover(ug.with_reverses(G), case["expect"]["cyclic"])
    assert nx.is_isomorphic(nx.Graph(both), named)


def test_reference_row_81_unfolds_loops_1_and_2_by_2():
    (case,) = [c for c in CASES if c["name"] == "unfolding of loops 1, 2 by 2"]
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(case["edges"], weight="delay")
    C = ug.cyclic_cover(G, 2)
    found = sorted([f"{u}{s}", f"{v}{t}", d] for (u, s), (v, t), d in C.edges(data="delay"))
    assert found == sorted(case["expect"]["unfolded_edges"])


def test_there_are_no_other_sheets():
    C = ug.cyclic_cover(ug.gallery.elman(), 3)
    assert ("h", 2) in C
    assert all(("h", t) not in C for t in (-1, 3, 7, 0.5, None))
    G = nx.DiGraph()
    G.add_edge("h", "h", delay=(1, 0))
    D = ug.cyclic_cover(G, (2, 3))
    assert ("h", (1, 2)) in D
    assert all(("h", t) not in D for t in ((2, 0), (0, 3), (-1, 0), 1, (0,), (0, 0, 0)))


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3", (2, 2), ()], ids=repr)
def test_bad_numbers_of_sheets_are_refused(n):
    with pytest.raises(ug.errors.WindowError, match="must be a positive integer"):
        ug.cyclic_cover(ug.gallery.elman(), n)
