"""Components of delay covers: published indices, torsion, proofs, and counting by brute force."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import networkx as nx
import numpy as np
import oracle
import pytest
from certified import CASES, graph_of
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.measure.lattices import Lattice, is_unimodular, smith
from unrollgraph.testing import delay_graphs


def families(G):
    """The component families, their proofs verified twice."""
    cover = ug.DelayCover(G)
    found = ug.components(cover)
    for family in found:
        assert family.check()
        assert oracle.proves_components(G, family, cover.dimension)
    return found


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["row"] in {38, 39, 40, 50}], ids=lambda c: c["name"]
)
def test_rows_38_to_40_and_50_have_the_known_index(case):
    (family,) = families(graph_of(case["edges"]))
    copies = case["expect"]["copies"]
    assert family.copies == (math.inf if copies == "inf" else copies)
    assert list(family.invariants) == case["expect"]["invariants"]


def test_row_82_near_misses():
    found = [families(graph_of(c["edges"]))[0].copies for c in CASES if c["row"] == 82]
    assert found == [math.inf, 2, math.inf]


graphs = st.sampled_from([1, 2, 3]).flatmap(
    lambda d: st.tuples(delay_graphs(dimension=d, vertices=4, edges=6), st.just(d))
)


@given(graphs)
def test_every_family_carries_its_proof(case):
    G, _ = case
    found = families(G)
    assert [set(family.vertices) for family in found] == [
        set(part) for part in nx.weakly_connected_components(G)
    ]
    assert [v for family in found for v in family.vertices[:1]] == [
        next(v for v in G if v in family.vertices) for family in found
    ]


@given(graphs, st.data())
def test_modulo_n_the_components_are_counted_by_the_invariants(case, data):
    """By networkx on the torus: Z^d/A becomes Z^d/(A + n Z^d)."""
    G, d = case
    n = data.draw(st.integers(1, 4))
    C = ug.cyclic_cover(G, n if d == 1 else (n,) * d)
    expected = 0
    for family in ug.components(ug.DelayCover(G)):
        expected += math.prod(math.gcd(n, a) for a in family.invariants)
    assert nx.number_weakly_connected_components(C) == expected


@given(graphs, st.data())
def test_vertices_that_meet_in_a_window_are_in_one_component(case, data):
    """And modulo a multiple of the torsion, those that are told apart do not meet either."""
    G, d = case
    cover = ug.DelayCover(G)
    found = ug.components(cover)
    label = {}
    U = ug.unroll(G, (4,) * d if d > 1 else 8)
    for family in found:
        for node in U:
            if node[0] in family.vertices:
                label[node] = (family.vertices, family.component(node))
    for part in nx.weakly_connected_components(U):
        assert len({label[node] for node in part}) == 1
    a, b = data.draw(st.sampled_from(list(U))), data.draw(st.sampled_from(list(U)))
    assert ug.same_component(cover, a, b) == (label[a] == label[b])
    n = math.lcm(64 if d == 1 else 4, *(x for family in found for x in family.invariants if x))
    free = any(0 in family.invariants for family in found)  # such shifts close up on a torus,
    if label[a] != label[b] and n**d <= 4000 and (d == 1 or not free):  # but for d = 1 only far off
        torus = ug.cyclic_cover(G, (n,) * d if d > 1 else n)
        wrap = [(v, tuple(x % n for x in t) if d > 1 else t % n) for v, t in (a, b)]
        parts = [part for part in nx.weakly_connected_components(torus) if wrap[0] in part]
        assert wrap[1] not in parts[0]


@given(graphs, st.data())
def test_retiming_and_another_basis_of_time_change_nothing(case, data):
    G, d = case
    shift = st.integers(-5, 5) if d == 1 else st.tuples(*[st.integers(-5, 5)] * d)
    H = ug.retime(G, {v: data.draw(shift) for v in G})
    numbers = [(f.rank, f.copies, f.invariants) for f in families(G)]
    assert [(f.rank, f.copies, f.invariants) for f in families(H)] == numbers
    assert [f.basis for f in families(H)] == [f.basis for f in families(G)]
    if d > 1:
        for edge in G.edges:
            x, y, *rest = G.edges[edge]["delay"]
            G.edges[edge]["delay"] = (x + 3 * y, y, *rest)
        assert [(f.rank, f.copies, f.invariants) for f in families(G)] == numbers


@given(graphs)
def test_components_tell_apart_as_many_copies_as_there_are(case):
    G, d = case
    for family in ug.components(ug.DelayCover(G)):
        v = family.vertices[0]
        box = (
            [range(max(1, *(abs(x) for row in family.basis for x in row)))] if family.basis else []
        )
        if d == 1 and family.basis:
            assert len({family.component((v, t)) for t in box[0]}) == family.copies
        if d > 1 and family.copies < 30:
            side = range(int(family.copies))
            assert len({family.component((v, t)) for t in product(side, repeat=d)}) == family.copies


def test_components_far_apart_are_told_exactly():
    G = nx.MultiDiGraph()
    big = 2**31
    G.add_edge("h", "h", delay=(big, big - 1))
    G.add_edge("h", "h", delay=(big - 1, big - 2))
    (family,) = families(G)
    assert (family.copies, family.invariants) == (1, ())
    cover = ug.DelayCover(G)
    assert ug.same_component(cover, ("h", (0, 0)), ("h", (10**40, -(10**30))))
    G.add_edge("k", "k", delay=(0, 6))
    cover = ug.DelayCover(G)
    assert not ug.same_component(cover, ("h", (0, 0)), ("k", (0, 0)))
    assert ug.same_component(cover, ("k", (3, 6 * 10**30)), ("k", (np.int64(3), 0)))
    assert not ug.same_component(cover, ("k", (3, 6 * 10**30 + 1)), ("k", (3, 0)))
    with pytest.raises(ug.errors.LiftError, match="not a vertex of the cover"):
        ug.same_component(cover, ("h", (0, 0)), ("h", 0))
    with pytest.raises(ug.errors.LiftError, match="not a vertex of the cover"):
        ug.same_component(cover, (["h"], (0, 0)), ("h", (0, 0)))
    with pytest.raises(ug.errors.LiftError, match="over the component of 'h'"):
        ug.components(cover)[0].component((["h"], (0, 0)))
    with pytest.raises(ug.errors.LiftError, match="over the component of 'h'"):
        ug.components(cover)[0].component(("k", (0, 0)))
    assert ug.components(G) == ug.components(cover) == ug.components(cover.delay_graph)


def test_only_cycles_that_enlarge_the_lattice_generate_it():
    G = nx.MultiDiGraph()
    for delay in (4, 8, -4, 6, 2):
        G.add_edge("h", "h", delay=delay)
    (family,) = families(G)
    assert family.generators == (("h", "h", 0), ("h", "h", 3))
    assert family.basis == ((2,),)


def test_interpenetrating_nets_are_counted():
    """Diamond with all delays doubled: eight nets through each other."""
    G = ug.gallery.diamond()
    for edge in G.edges:
        G.edges[edge]["delay"] = tuple(2 * x for x in G.edges[edge]["delay"])
    (family,) = families(G)
    assert (family.rank, family.copies, family.invariants) == (3, 8, (2, 2, 2))
    assert families(ug.gallery.srs())[0].copies == 1
    assert families(nx.empty_graph(3, create_using=nx.DiGraph))[2].invariants == (0,)
    assert ug.components(ug.DelayCover(nx.DiGraph())) == ()


# -- a proof is checked ------------------------------------------------------------------------


def torsion():
    G = nx.MultiDiGraph()
    G.add_edge("a", "b", delay=(1, 0))
    G.add_edge("b", "a", delay=(1, 4))
    G.add_edge("b", "b", delay=(6, 8))
    return ug.components(ug.DelayCover(G))[0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"basis": ((2, 4), (0, 2))}, "is not the combination of total delays"),
        ({"basis": ((2, 4), (0, 8))}, "is not in the lattice"),
        ({"offsets": {"a": (0, 0), "b": (0, 0)}}, "do not connect"),
        ({"left": ((2, 0), (0, 1))}, "not unimodular"),
        ({"right": ((1, 1), (0, 1))}, "not diagonal"),
        ({"copies": 4}, "do not agree with the Smith form"),
        ({"rank": 1}, "do not agree with the Smith form"),
        ({"invariants": (8,)}, "do not agree with the Smith form"),
        ({"combination": ((1, 0), (0, 1))}, "is not the combination of total delays"),
    ],
)
def test_a_proof_that_proves_nothing_is_refused(change, text):
    family = torsion()
    assert family.check()
    assert (family.copies, family.invariants) == (8, (2, 4))
    with pytest.raises(ug.errors.CertificateError, match=text):
        replace(family, **change).check()


@pytest.mark.parametrize(
    "change",
    [
        {"left": ((1, 0),), "rank": 1, "copies": math.inf, "invariants": (2, 0)},
        {"vertices": ("b",)},
        {"vertices": ("a", "b", "a")},
        {"vertices": ()},
        {"vertices": ("a", "nobody")},
        {"offsets": {"a": (0, 0)}},
        {"offsets": {"a": 0, "b": 0}},
        {"generators": (("a", "nobody", 0), ("b", "b", 0))},
        {"left": ((1,), (0,))},
        {"right": ((1, 0, 0), (0, 1, 0))},
        {"basis": ((0, 0), (0, 0))},
        {"basis": ((0, 4), (2, 0))},
        {"combination": ((1,), (0,))},
        {"combination": ((Fraction(1, 2), 0), (0, 1))},
        {"left": ((1.0, 0), (0, 1))},
    ],
)
def test_a_proof_of_another_shape_is_refused(change):
    with pytest.raises(ug.errors.CertificateError):
        replace(torsion(), **change).check()


def test_half_a_closed_walk_joins_nothing():
    """Two components, which half of a loop of delay 2 would make one."""
    (family,) = ug.components(ug.DelayCover(graph_of([("h", "h", 2)])))
    assert (family.copies, family.check()) == (2, True)
    one = {"copies": 1, "invariants": (), "basis": ((1,),)}
    for half in (Fraction(1, 2), 0.5):
        with pytest.raises(
            ug.errors.CertificateError, match="entries of the proof must be integers"
        ):
            replace(family, **one, combination=((half,),)).check()


def test_a_proof_about_a_part_of_a_component_is_refused():
    G = nx.DiGraph([("c", "a"), ("c", "b")])
    G.add_edge("a", "b", delay=3)
    (family,) = families(G)
    assert (family.rank, family.copies) == (1, 3)
    part = replace(
        family,
        vertices=("b",),
        basis=(),
        combination=(),
        generators=(),
        left=(),
        right=((1,),),
        rank=0,
        copies=math.inf,
        invariants=(0,),
    )
    with pytest.raises(
        ug.errors.CertificateError, match="joins a vertex in `vertices` to one that is not"
    ):
        part.check()


# -- lattices ------------------------------------------------------------------------------------

vectors = st.integers(1, 4).flatmap(
    lambda d: st.lists(
        st.lists(st.integers(-50, 50), min_size=d, max_size=d), min_size=1, max_size=6
    )
)


@given(vectors)
def test_the_hermite_basis_is_the_one_of_its_lattice(rows):
    lattice = Lattice(len(rows[0]))
    for row in rows:
        lattice.add(row)
    basis = lattice.basis
    leads = [next(k for k, x in enumerate(row) if x) for row in basis]
    assert leads == sorted(set(leads))
    for i, (row, lead) in enumerate(zip(basis, leads, strict=True)):
        assert row[lead] > 0
        assert all(0 <= basis[k][lead] < row[lead] for k in range(i))
    assert all(oracle.in_lattice(row, basis) for row in rows)
    assert oracle.times(lattice.combination, [list(g) for g in lattice.generators]) == basis
    backwards = Lattice(len(rows[0]))
    for row in reversed(rows):
        backwards.add([-x for x in row])
    assert backwards.basis == basis
    assert not any(lattice.add(row) for row in rows)


@given(vectors)
def test_the_smith_form_is_that_of_sympy(rows):
    from sympy import ZZ, Matrix
    from sympy.matrices.normalforms import smith_normal_form

    lattice = Lattice(len(rows[0]))
    for row in rows:
        lattice.add(row)
    left, diagonal, right = smith(lattice.basis, len(rows[0]))
    assert is_unimodular(left)
    assert is_unimodular(right)
    known = smith_normal_form(Matrix(rows), domain=ZZ)
    expected = [abs(known[k, k]) for k in range(min(known.shape)) if known[k, k]]
    assert diagonal == sorted(expected)
    if lattice.basis:
        product_ = oracle.times(oracle.times(left, lattice.basis), right)
        assert [row[k] for k, row in enumerate(product_)] == diagonal


@given(st.lists(st.lists(st.integers(-4, 4), min_size=3, max_size=3), min_size=3, max_size=3))
def test_unimodular_means_of_determinant_one(matrix):
    assert is_unimodular(matrix) == (abs(oracle.determinant(matrix)) == 1)
