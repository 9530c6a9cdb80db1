"""Coverings by voltages: definitions, deck transformations, and the graphs they are famous for."""

import json
from collections import Counter
from itertools import permutations
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy.combinatorics import (
    AlternatingGroup,
    CyclicGroup,
    Permutation,
    PermutationGroup,
    SymmetricGroup,
)

import unrollgraph as ug
from unrollgraph.testing import delay_graphs

DATA = Path(__file__).parent / "data"
NAMED = json.loads((DATA / "voltage_graphs.json").read_text())
S3 = SymmetricGroup(3)


def voltage_graph(edges, kind=nx.MultiDiGraph, name="voltage"):
    G = kind()
    for u, v, voltage in edges:
        G.add_edge(u, v, **{name: voltage})
    return G


def after(first, then):
    """The array form of first one permutation, then another."""
    return tuple(then[i] for i in first)


# -- by the definition ---------------------------------------------------------------------


@given(delay_graphs(vertices=3, edges=5, multigraph=True), st.data())
def test_an_edge_leads_from_each_sheet_to_its_image(G, data):
    sheets = data.draw(st.integers(1, 4))
    voltage = {
        edge: tuple(data.draw(st.permutations(range(sheets)))) for edge in G.edges(keys=True)
    }
    forms = [tuple, list, np.array, Permutation]
    for edge, images in voltage.items():
        G.edges[edge]["voltage"] = data.draw(st.sampled_from(forms))(images)
    if not voltage:
        with pytest.raises(ug.errors.VoltageError, match="no edge has a permutation as"):
            ug.permutation_lift(G)
        return
    expected = [
        ((u, s), (v, images[s]), key)
        for (u, v, key), images in voltage.items()
        for s in range(sheets)
    ]
    assert sorted(ug.permutation_lift(G).edges(keys=True)) == sorted(expected)


@given(delay_graphs(vertices=3, edges=5, multigraph=True), st.data())
def test_an_edge_multiplies_by_its_element_from_the_right(G, data):
    elements = list(permutations(range(3)))
    for edge in G.edges(keys=True):
        if data.draw(st.booleans()):
            G.edges[edge]["voltage"] = data.draw(st.sampled_from(elements))
    expected = [
        ((u, g), (v, after(g, a or (0, 1, 2))), key)
        for u, v, key, a in G.edges(keys=True, data="voltage")
        for g in elements
    ]
    cover = ug.derived_graph(G, S3)
    assert sorted(cover.edges(keys=True)) == sorted(expected)
    assert cover.fibre("a") == tuple(("a", g) for g in elements)  # identity first, then in order
    for h in elements:  # every element is a deck transformation, from the left
        moved = [((u, after(h, g)), (v, after(h, k)), key) for (u, g), (v, k), key in expected]
        assert sorted(moved) == sorted(expected)


def test_products_are_those_of_sympy():
    a, g = Permutation([1, 2, 0, 3]), Permutation([1, 0, 3, 2])
    G = voltage_graph([("v", "v", a)])
    cover = ug.derived_graph(G, AlternatingGroup(4))
    assert list(cover.successors(("v", tuple(g.array_form)))) == [("v", tuple((g * a).array_form))]


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_over_a_cyclic_group_it_is_the_cyclic_cover(n):
    G = ug.gallery.same_layer_skips(3)
    C = ug.cyclic_cover(G, n)
    turns = [tuple((s + k) % n for s in range(n)) for k in range(n)]
    for edge in G.edges(keys=True) if G.is_multigraph() else G.edges:
        G.edges[edge]["voltage"] = turns[G.edges[edge]["delay"] % n]
    for cover, name in (
        (ug.permutation_lift(G), lambda s: s),
        (ug.derived_graph(G, PermutationGroup([Permutation(t) for t in turns])), lambda g: g[0]),
    ):
        renamed = nx.relabel_nodes(cover, {x: (x[0], name(x[1])) for x in cover})
        assert sorted(map(str, renamed.edges)) == sorted(map(str, C.edges))


# -- at random -----------------------------------------------------------------------------


def test_random_lifts_repeat_with_their_seed_and_draw_every_permutation_alike():
    G = nx.MultiDiGraph([("v", "v")] * 3000)
    one, same = ug.random_lift(G, 3, seed=7), ug.random_lift(G, 3, seed=np.random.default_rng(7))
    assert list(one.edges(keys=True)) == list(same.edges(keys=True))
    images = {}
    for (_, s), (_, image), key in one.edges(keys=True):
        images.setdefault(key, {})[s] = image
    drawn = Counter(tuple(row[s] for s in range(3)) for row in images.values())
    assert set(drawn) == set(permutations(range(3)))
    # 500 of each are expected, with a deviation of 20
    assert all(400 < count < 600 for count in drawn.values())
    assert list(ug.random_lift(G, 3, seed=8).edges(keys=True)) != list(one.edges(keys=True))


def test_sheets_are_named_by_python_integers():
    G = voltage_graph([("v", "v", np.array([1, 0], dtype=np.int8))])
    lift = ug.permutation_lift(G)
    assert np.int64(1) == 1
    assert ("v", np.int64(1)) in lift
    assert all(type(s) is int for _, s in lift)
    assert [type(s) for _, s in lift.successors(("v", np.int64(0)))] == [int]
    assert ("v", 2) not in lift
    assert ("v", "0") not in lift
    assert ("v", -1) not in lift
    cover = ug.derived_graph(G, SymmetricGroup(2))
    assert ("v", (1, 0)) in cover
    assert ("v", (1, 1)) not in cover
    assert ("v", [1, 0]) not in cover
    assert [type(x) for _, g in cover for x in g] == [int] * 4


def test_where_parallel_edges_meet_the_matrix_counts_them():
    G = voltage_graph([("v", "v", (1, 0, 2)), ("v", "v", (1, 2, 0))])
    assert ug.permutation_lift(G).to_csr().toarray().tolist() == [[0, 2, 0], [1, 0, 1], [1, 0, 1]]


def test_what_a_sympy_permutation_does_not_mention_stays_in_place():
    G = voltage_graph([("v", "v", Permutation(0, 1)), ("v", "v", Permutation(3))])
    lift = ug.permutation_lift(G)
    assert len(lift) == 4
    assert lift.has_edge(("v", 0), ("v", 1), 0)
    assert lift.has_edge(("v", 3), ("v", 3), 0)
    assert len(ug.derived_graph(G, SymmetricGroup(4))) == 24


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("voltage", "text"),
    [
        ((0, 0), "contains each of 0, ..., n - 1 once"),
        ((1, 2), "contains each of 0, ..., n - 1 once"),
        ((), "a voltage must be a permutation"),
        (3, "use cyclic_cover for integer delays"),
        ("01", "a voltage must be a permutation"),
        ({0: 1, 1: 0}, "a voltage must be a permutation"),
        ((0.0, 1.0), "a voltage must be a permutation"),
        ((True, False), "a voltage must be a permutation"),
        (None, "invalid voltage None on edge"),
        ((0, 1, 2), "permutes 2 sheets, but that of edge .'v', 'v', 1. permutes 3"),
    ],
)
def test_what_is_no_voltage_is_refused(voltage, text):
    G = voltage_graph([("v", "v", (1, 0)), ("v", "v", voltage)])
    with pytest.raises(ug.errors.VoltageError, match=text) as caught:
        ug.permutation_lift(G)
    assert caught.value.edge[:2] == ("v", "v")


@pytest.mark.parametrize("voltage", [(1, 0, 2), (0, 1), (1, 2, 3, 0), Permutation(0, 4)])
def test_what_is_no_element_of_the_group_is_refused(voltage):
    G = voltage_graph([("u", "v", (1, 2, 0)), ("v", "v", voltage)])
    with pytest.raises(
        ug.errors.VoltageError, match="edge .'v', 'v', 0.: it is not an element of the group"
    ) as caught:
        ug.derived_graph(G, AlternatingGroup(3))
    assert caught.value.value == tuple(getattr(voltage, "array_form", voltage))


def test_what_is_no_group_or_too_large_is_refused():
    G = voltage_graph([("v", "v", (1, 0))])
    with pytest.raises(TypeError, match="PermutationGroup, not an int"):
        ug.derived_graph(G, 5)
    with pytest.raises(ValueError, match="elements of the group would have 5748019200"):
        ug.derived_graph(G, SymmetricGroup(12))
    with pytest.raises(ValueError, match="the group has degree 0"):
        ug.derived_graph(nx.DiGraph(), PermutationGroup())
    many = voltage_graph([("v", "v", p) for p in permutations(range(8))][:600])
    with pytest.raises(ValueError, match="the table of products would have 24192000 entries"):
        ug.derived_graph(many, SymmetricGroup(8))
    for sheets in (0, -1, 1.5, True, None):
        with pytest.raises(ValueError, match="the number of sheets is"):
            ug.random_lift(G, sheets)
    for large in (G, nx.empty_graph(2, nx.DiGraph)):
        with pytest.raises(
            ValueError, match="permutations would have 1000000000001 entries, .* take fewer"
        ):
            ug.random_lift(large, 10**12 + 1)


# -- named graphs --------------------------------------------------------------------------


def by_delays(edges, n):
    G = voltage_graph(edges, name="delay")
    return ug.cyclic_cover(ug.with_reverses(G), n)


def by_permutations(edges, n):
    turns = [tuple((s + k) % n for s in range(n)) for k in range(n)]
    return ug.permutation_lift(voltage_graph([(u, v, turns[k % n]) for u, v, k in edges]))


def by_a_group(edges, n):
    group = CyclicGroup(n)
    return ug.derived_graph(
        voltage_graph([(u, v, group.generators[0] ** k) for u, v, k in edges]), group
    )


ROADS = pytest.mark.parametrize("road", [by_delays, by_permutations, by_a_group])


@ROADS
@pytest.mark.parametrize("case", NAMED["lcf_voltage_graphs"], ids=lambda c: c["name"])
def test_the_cover_has_the_published_order_girth_and_diameter(case, road):
    lift = road(case["arcs_base_voltage"], case["exponent"])
    assert ug.is_covering(lift)
    found = nx.Graph(lift.to_undirected())
    assert len(found) == case["order"]
    assert nx.girth(found) == case["published"]["girth"]
    assert nx.diameter(found) == case["published"]["diameter"]
    named = nx.LCF_graph(case["order"], case["lcf"], case["exponent"])
    assert set(dict(found.degree).values()) == {3}
    if case["order"] <= 60:  # isomorphism of cages is slow to decide beyond
        assert nx.is_isomorphic(found, named)
    if case["networkx_generator"]:
        assert nx.is_isomorphic(found, getattr(nx, case["networkx_generator"])())


@ROADS
@pytest.mark.parametrize("case", NAMED["generalized_petersen"], ids=lambda c: c["name"])
def test_the_cover_is_the_generalized_petersen_graph(case, road):
    n, k = case["G(n,k)"]
    found = nx.Graph(road(case["arcs_base_voltage"], n).to_undirected())
    wheel = [
        [(("o", i), ("o", (i + 1) % n)), (("i", i), ("i", (i + k) % n)), (("o", i), ("i", i))]
        for i in range(n)
    ]
    assert nx.is_isomorphic(found, nx.Graph([pair for three in wheel for pair in three]))
    if case["networkx_generator"]:
        assert nx.is_isomorphic(found, getattr(nx, case["networkx_generator"])())


@ROADS
@pytest.mark.parametrize("case", NAMED["k2_voltage"], ids=lambda c: c["name"])
def test_two_vertices_and_three_edges_make_the_named_graph(case, road):
    n = int(case["group"].removeprefix("Z_"))
    found = nx.Graph(road(case["arcs_base_voltage"], n).to_undirected())
    assert nx.is_isomorphic(found, getattr(nx, case["networkx_generator"])())


def test_published_coverings_are_coverings_and_the_square_over_the_triangle_is_none():
    cases = {(c["cover"], c["base"]): c for c in NAMED["covering_yes_no"]}
    rings = {n: nx.cycle_graph(n).to_directed() for n in (3, 4, 6)}
    for n in (6, 4):
        p = ug.GraphMap(
            rings[n],
            rings[3],
            {v: v % 3 for v in rings[n]},
            {(u, v): (u % 3, v % 3) for u, v in rings[n].edges},
        )
        case = cases[f"C{n}", "C3"]
        assert ug.is_covering(p) == case["is_cover"]
        assert not case["is_cover"] or {len(p.fibre(v)) for v in p.base} == {case["sheets"]}
    # the tetrahedron, four times above one loop and one half-edge
    G = voltage_graph([("v", "v", 1), ("v", "v", -1), ("v", "v", 2)], name="delay")
    K4 = ug.cyclic_cover(G, 4)
    assert nx.is_isomorphic(nx.Graph(K4), nx.complete_graph(4))
    assert cases["K4", "one vertex, one loop, one half-edge"]["sheets"] == len(K4.fibre("v"))
    assert ug.is_covering(K4)
    # the cube, twice above the tetrahedron, by the voltage 1 mod 2 on every edge
    T = nx.complete_graph(4).to_directed()
    nx.set_edge_attributes(T, (1, 0), "voltage")
    cube = ug.permutation_lift(T)
    assert nx.is_isomorphic(nx.Graph(cube), nx.hypercube_graph(3))
    assert all(nx.shortest_path_length(cube, *cube.fibre(v)) == 3 for v in T)  # antipodal


def test_the_cayley_graph_of_adjacent_swaps_is_the_permutohedron():
    swaps = [(1, 0, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2)]
    G = voltage_graph([("v", "v", swap) for swap in swaps])
    found = nx.Graph(ug.derived_graph(G, SymmetricGroup(4)))
    expected = nx.Graph()
    for g in permutations(range(4)):  # orders of four things, neighbors swapped
        for k in range(3):
            h = list(g)
            h[k], h[k + 1] = h[k + 1], h[k]
            expected.add_edge(g, tuple(h))
    assert nx.is_isomorphic(found, expected)
    (named,) = [c for c in NAMED["lcf_voltage_graphs"] if c["name"] == "Truncated octahedral"]
    assert nx.is_isomorphic(found, nx.LCF_graph(24, named["lcf"], named["exponent"]))
