"""The group of a graph against reduced walks, lattices and the parts of the cover."""

import math
from itertools import combinations

import networkx as nx
import oracle
import pytest
import sympy
from certified import graph_of
from hypothesis import example, given
from hypothesis import strategies as st
from sympy.matrices.normalforms import smith_normal_form

import unrollgraph as ug
from unrollgraph.testing import delay_graphs


def edges_of(G):
    return list(G.edges(keys=True) if G.is_multigraph() else G.edges())


@given(delay_graphs(vertices=3, edges=4), st.data())
def test_words_tell_the_vertices_of_the_universal_cover(G, data):
    root = data.draw(st.sampled_from(list(G)))
    pi = ug.symbolic.fundamental_group(G, root)
    walks = oracle.reduced_walks(G, root, 3)
    ball = ug.universal_cover(G, root, 3)
    assert {(end, walk) for walk, end in walks} == set(ball)
    words = {(end, pi.word(walk)) for end, walk in ball}
    assert len(words) == len(ball)  # two reduced walks never end at one vertex with one word


@given(delay_graphs(vertices=4, edges=7), st.data())
def test_the_word_of_a_walk_is_that_of_the_end_of_its_lift(G, data):
    """Walk at random, forward and backward, and reduce it by hand: the word is the same."""
    root = here = data.draw(st.sampled_from(list(G)))
    pi = ug.symbolic.fundamental_group(G, root)
    walk, reduced = [], []
    for _ in range(8):
        steps = [(e, s) for e in edges_of(G) for s in (1, -1) if e[0 if s > 0 else 1] == here]
        if not steps:
            break
        edge, sign = data.draw(st.sampled_from(steps))
        walk.append((edge, sign))
        here = edge[1 if sign > 0 else 0]
        if reduced and reduced[-1] == (edge, -sign):
            reduced.pop()
        else:
            reduced.append((edge, sign))
    assert pi.word(walk) == pi.word(reduced)
    assert (pi.word(walk) * pi.word([(e, -s) for e, s in reversed(walk)])).is_identity
    if not reduced:
        assert pi.word(walk).is_identity
    elif here == root:
        assert not pi.word(walk).is_identity  # the group is free


@given(delay_graphs(vertices=4, edges=6))
def test_the_group_has_a_generator_for_each_edge_off_a_spanning_tree(G):
    for part in nx.weakly_connected_components(G):
        H = G.subgraph(part)
        pi = ug.symbolic.fundamental_group(G, min(part))
        assert set(pi.words) == set(edges_of(H))
        tree = nx.MultiGraph([e[:2] for e in pi.tree])
        tree.add_nodes_from(part)
        assert nx.is_tree(tree)
        assert pi.group.rank == H.number_of_edges() - len(part) + 1


@example(nx.cycle_graph(7, create_using=nx.DiGraph))
@given(delay_graphs(vertices=4, edges=6))
def test_cycles_of_the_basis_span_all_cycles_with_integers(G):
    basis = ug.symbolic.homology_basis(G)
    assert list(basis.edges) == edges_of(G)
    count = G.number_of_edges() - len(G) + nx.number_weakly_connected_components(G)
    assert len(basis.cycles) == count == basis.matrix.rows
    for cycle, row in zip(basis.cycles, basis.matrix.tolist(), strict=True):
        ends = [(e[0], e[1]) if s > 0 else (e[1], e[0]) for e, s in cycle]
        assert all(a[1] == b[0] for a, b in zip(ends, [*ends[1:], ends[0]], strict=True))
        assert len({a for a, _ in ends}) == len(ends)  # simple
        own = [sum(s for e, s in cycle if e == edge) for edge in basis.edges]
        assert own == row
    # a sublattice of full rank is the whole of what it spans where its minors have no divisor
    if count:
        minors = [
            int(oracle.determinant([[row[c] for c in columns] for row in basis.matrix.tolist()]))
            for columns in combinations(range(len(basis.edges)), count)
        ]
        assert math.gcd(*minors) == 1


@pytest.mark.parametrize("dimension", [1, 2])
@given(data=st.data())
def test_local_groups_multiply_back_and_count_components(dimension, data):
    G = data.draw(delay_graphs(vertices=3, edges=5, dimension=dimension))
    for part in nx.weakly_connected_components(G):
        H = G.subgraph(part)
        if not H.edges:
            continue  # nothing would tell the dimension
        local = ug.symbolic.local_group(H)
        assert local.left * local.basis * local.right == local.smith
        assert abs(local.left.det()) == abs(local.right.det()) == 1
        assert local.smith.is_diagonal()
        assert all(b % a == 0 for a, b in zip(local.invariants, local.invariants[1:], strict=False))
        (family,) = ug.components(ug.DelayCover(H))
        assert oracle.proves_components(H, family, dimension)
        assert local.basis == sympy.Matrix(len(family.basis), dimension, sum(family.basis, ()))
        smith = smith_normal_form(local.generators, domain=sympy.ZZ)
        size = min(smith.shape)
        found = [abs(smith[k, k]) for k in range(size) if smith[k, k]]
        assert found == list(local.invariants)
        assert local.index == (sympy.oo if family.copies == math.inf else family.copies)
        free = [0] * (dimension - len(local.invariants))
        assert (*(a for a in local.invariants if a != 1), *free) == family.invariants


def test_index_of_the_local_group_by_hand():
    G = graph_of([("h", "h", [2, 4]), ("h", "h", [6, 8])])
    local = ug.symbolic.local_group(G)
    assert (local.invariants, local.index) == ((2, 4), 8)
