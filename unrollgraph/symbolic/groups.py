"""Fundamental group, homology and total delays, ignoring edge directions.

The closed walks of a connected graph at a root, up to backtracking, form the *fundamental group*.
It is free: for a spanning tree, each edge outside the tree is one generator. The word of a walk is
the product of the generators of its edges, inverted where an edge is walked against its direction.
Two walks with the same ends have the same word exactly when their lifts from one vertex of the
universal cover have the same end. The abelianization is H_1: the integer combinations of edges in
which the inflow of each vertex equals its outflow. The total delay is a homomorphism from H_1 to
Z^d. Its image is the *local group*; its cosets correspond to the components of the delay cover. The
Smith form L M R of a basis M (L, R unimodular) decomposes the quotient of Z^d into cyclic groups.

References
----------
J. Stillwell, Classical Topology and Combinatorial Group Theory (Springer, 1993), ch. 2. J. L.
Gross and T. W. Tucker, Topological Graph Theory (Wiley, 1987), section 2.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import sympy
from sympy.combinatorics.free_groups import free_group

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.graph.cycle_space import forest_of
from unrollgraph.graph.delay_graph import GraphLike, as_delay_graph, known
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.measure import components

Step = tuple[tuple[Any, ...], int]


@dataclass(frozen=True)
class FundamentalGroup:
    """The fundamental group of a component of a graph, as a free group.

    Attributes
    ----------
    root : vertex
        The first and last vertex of the closed walks.
    group : sympy.combinatorics.free_groups.FreeGroup
        The free group, with one generator for each edge outside the tree.
    words : mapping
        For each edge of the component, its generator, or the identity for an edge of the tree.
    tree : tuple of edges
        The spanning tree.
    """

    root: Any
    group: Any
    words: Mapping[Any, Any]
    tree: tuple[Any, ...]

    def word(self, walk: Iterable[Any]) -> Any:
        """Return the word of a walk.

        Parameters
        ----------
        walk : iterable
            Edges, or pairs ``(edge, sign)`` as in `universal_cover`; sign -1 walks it backward.

        Returns
        -------
        sympy.combinatorics.free_groups.FreeGroupElement
            The product of the words of the steps, reduced.

        Raises
        ------
        TypeError, ValueError
            If ``walk`` is not an iterable of joined steps along edges of the component.

        Examples
        --------
        >>> import unrollgraph as ug
        >>> pi = ug.symbolic.fundamental_group(ug.gallery.bouquet(1, 2), "a")
        >>> x, y = ("a", "a", 0), ("a", "a", 1)
        >>> pi.word([(x, 1), (y, 1), (x, -1), (x, 1), (y, 1)])
        x0*x1**2
        """
        if not isinstance(walk, Iterable):
            raise TypeError(
                f"invalid walk {walk!r}: pass an iterable of edges or of pairs (edge, sign)"
            )
        result, here, begun = self.group.identity, None, False
        for step in walk:
            pair = isinstance(step, tuple) and len(step) == 2 and not known(step, self.words)
            edge, sign = step if pair else (step, 1)
            if not known(edge, self.words) or type(sign) is not int or abs(sign) != 1:
                raise ValueError(
                    f"invalid step {step!r}: a step must be an edge of the component of "
                    f"{self.root!r}, or a pair of such an edge and 1 or -1"
                )
            tail, head = (edge[0], edge[1]) if sign > 0 else (edge[1], edge[0])
            if begun and tail != here:
                raise ValueError(
                    f"the walk is not connected: the step {step!r} starts at {tail!r}, but the "
                    f"step before it ends at {here!r}; insert the edges between them"
                )
            here, begun = head, True
            result = result * self.words[edge] ** sign
        return result


def fundamental_group(G: GraphLike, root: Any, *, delay: str = "delay") -> FundamentalGroup:
    """Compute the fundamental group of a graph, with edge directions ignored.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays are ignored.
    root : vertex
        The base point of the closed walks; only its weak component is used.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    FundamentalGroup
        A free group of rank m - n + 1 for the component, and the word of each edge; O(n + m) time.

    Raises
    ------
    ValueError
        If ``root`` is not a vertex.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> pi = ug.symbolic.fundamental_group(ug.gallery.seed_network(), "A")
    >>> pi.group
    <free group on the generators (x0,)>
    >>> pi.word([("A", "B"), ("B", "C"), ("C", "A")])
    x0
    """
    graph = as_delay_graph(G, delay)
    if not known(root, graph.number):
        raise ValueError(
            f"the root {root!r} is not a vertex of the graph; pass one of its vertices"
        )
    forest = forest_of(graph)
    label = forest.component[graph.tails]
    edges = np.flatnonzero(label == forest.component[graph.number[root]]).tolist()
    cotree = set(forest.cotree.tolist())
    outside = [e for e in edges if e in cotree]
    group, *generators = free_group([f"x{k}" for k in range(len(outside))])
    words = dict.fromkeys((graph.edges[e] for e in edges), group.identity)
    words.update(zip((graph.edges[e] for e in outside), generators, strict=True))
    tree = tuple(graph.edges[e] for e in edges if e not in cotree)
    return FundamentalGroup(root, group, FrozenDict(words), tree)


@dataclass(frozen=True)
class HomologyBasis:
    """A basis of H_1 of a graph.

    Attributes
    ----------
    edges : tuple of edges
        The edges of the graph, in the order of the columns of the matrix.
    cycles : tuple of tuple
        Simple cycles, with edge directions ignored: tuples of ``(edge, sign)``.
    matrix : sympy.ImmutableMatrix
        Row i, column j: the sign of edge j in cycle i, or 0.
    """

    edges: tuple[Any, ...]
    cycles: tuple[tuple[Step, ...], ...]
    matrix: sympy.ImmutableMatrix


def homology_basis(G: GraphLike, *, delay: str = "delay") -> HomologyBasis:
    """Compute a basis of the cycles of a graph, with edge directions ignored.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays are ignored.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    HomologyBasis
        For each of the m - n + c edges outside a spanning forest of c trees, the cycle through
        this edge and the forest. Costs O(n + m), and the size of the matrix.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> basis = ug.symbolic.homology_basis(ug.gallery.seed_network())
    >>> basis.cycles
    (((('B', 'C'), 1), (('C', 'A'), 1), (('A', 'B'), 1)),)
    >>> basis.matrix
    Matrix([[0, 1, 1, 1, 0]])
    """
    graph = as_delay_graph(G, delay)
    forest = forest_of(graph)
    cycles, rows = [], []
    for e in forest.cotree.tolist():
        steps, row = forest.cycle(e), [0] * len(graph.edges)
        for k, sign in steps:
            row[k] += sign
        cycles.append(tuple((graph.edges[k], sign) for k, sign in steps))
        rows.append(row)
    matrix = sympy.ImmutableMatrix(len(rows), len(graph.edges), [*chain(*rows)])
    return HomologyBasis(graph.edges, tuple(cycles), matrix)


@dataclass(frozen=True)
class LocalGroup:
    """Total delays of the closed walks, ignoring edge directions: a subgroup of Z^d.

    Attributes
    ----------
    generators, basis : sympy.ImmutableMatrix
        The rows are the total delays of a basis of H_1, and a basis of the group in Hermite form.
    smith, left, right : sympy.ImmutableMatrix
        Smith form ``smith = left * basis * right``; left and right are unimodular.
    invariants : tuple of int
        The diagonal of ``smith``; each entry divides the next.
    index : sympy.Integer or sympy.oo
        The index of the group in Z^d, which is the number of components of the delay cover.
    """

    generators: sympy.ImmutableMatrix
    basis: sympy.ImmutableMatrix
    smith: sympy.ImmutableMatrix
    left: sympy.ImmutableMatrix
    right: sympy.ImmutableMatrix
    invariants: tuple[int, ...]
    index: Any


def local_group(G: GraphLike, *, delay: str = "delay") -> LocalGroup:
    """Compute the group of total delays of a connected graph, with its Smith form.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; it must be weakly connected.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    LocalGroup
        The same group as in `components`, as matrices and at the same cost.

    Raises
    ------
    ValueError
        If G is not connected or has no vertices.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> local = ug.symbolic.local_group(ug.gallery.bouquet(4, 6))
    >>> local.generators, local.invariants, local.index
    (Matrix([
    [4],
    [6]]), (2,), 2)
    >>> local.left * local.basis * local.right == local.smith
    True
    """
    graph = as_delay_graph(G, delay)
    if not graph.vertices:
        raise ValueError(
            "the graph has no vertices, so it does not have a local group; add a vertex"
        )
    forest = forest_of(graph)
    if forest.component.any():
        raise ValueError(
            f"the graph has {int(forest.component.max()) + 1} components, each with a separate "
            "local group; pass one component, such as G.subgraph(component)"
        )
    (family,) = components(DelayCover(graph))
    shape = len(family.basis), graph.dimension
    basis = sympy.ImmutableMatrix(*shape, [*chain(*family.basis)])
    left, right = map(sympy.ImmutableMatrix, (family.left, family.right))
    smith = left * basis * right
    return LocalGroup(
        sympy.ImmutableMatrix(len(forest.cotree), shape[1], forest.totals(graph.delays).ravel()),
        basis,
        sympy.ImmutableMatrix(smith),
        left,
        right,
        tuple(int(smith[k, k]) for k in range(shape[0])),
        sympy.oo if family.copies == math.inf else sympy.Integer(family.copies),
    )
