"""The group of a graph: loops, what they commute to, and what time hears of them.

Seen without directions, the loops of a connected graph at a root make up its *fundamental group*,
which is free: take a spanning tree, and each edge outside it is a generator. A walk is spelled by
writing down, in order, the generators that it passes, inverted where it goes backward; two walks
between the same ends have the same word exactly when they end at the same vertex of the universal
cover.

Where generators may change places it becomes H_1, the lattice of all integer combinations of edges
that enter each vertex as often as they leave it. The total delay is a homomorphism from it into
Z^d. Its image is the *local group*: which times are connected with each other above. By the Smith
form, S = L M R with L and R unimodular and S diagonal, the quotient of Z^d by it is a sum of
cyclic groups. Its elements number the components of the delay cover.

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
from unrollgraph.errors import show_edge, show_vertex
from unrollgraph.graph.cycle_space import forest_of
from unrollgraph.graph.delay_graph import as_delay_graph, known
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.measure import components

Step = tuple[tuple[Any, ...], int]


@dataclass(frozen=True)
class FundamentalGroup:
    """The loops at a root, as a free group.

    Attributes
    ----------
    root : vertex
        Where loops begin and end.
    group : sympy.combinatorics.free_groups.FreeGroup
        The free group, one generator for each edge outside the tree.
    words : mapping
        The word of each edge of the component of the root: a generator, or the identity on the
        tree.
    tree : tuple of edges
        The spanning tree.
    """

    root: Any
    group: Any
    words: Mapping[Any, Any]
    tree: tuple[Any, ...]

    def word(self, walk: Iterable[Any]) -> Any:
        """Spell a walk.

        Parameters
        ----------
        walk : iterable
            Edges, or pairs ``(edge, sign)`` with the sign -1 where an edge is taken against its
            direction, as the vertices of `universal_cover` have them.

        Returns
        -------
        sympy.combinatorics.free_groups.FreeGroupElement
            The product of the words along the walk, reduced.

        Raises
        ------
        ValueError
            If a step is no edge of the component, or the walk does not join.

        Examples
        --------
        >>> import unrollgraph as ug
        >>> pi = ug.symbolic.fundamental_group(ug.gallery.bouquet(1, 2), "a")
        >>> x, y = ("a", "a", 0), ("a", "a", 1)
        >>> pi.word([(x, 1), (y, 1), (x, -1), (x, 1), (y, 1)])
        x0*x1**2
        """
        if not isinstance(walk, Iterable):
            raise TypeError(f"a walk is a sequence of edges, not {walk!r}")
        result, here, begun = self.group.identity, None, False
        for step in walk:
            pair = isinstance(step, tuple) and len(step) == 2 and not known(step, self.words)
            edge, sign = step if pair else (step, 1)
            if not known(edge, self.words) or type(sign) is not int or abs(sign) != 1:
                raise ValueError(
                    f"{step!r} is no step along an edge of the component of "
                    f"{show_vertex(self.root)}; write an edge, or a pair of an edge and 1 or -1"
                )
            tail, head = (edge[0], edge[1]) if sign > 0 else (edge[1], edge[0])
            if begun and tail != here:
                raise ValueError(f"the walk does not join at {show_edge(edge)}")
            here, begun = head, True
            result = result * self.words[edge] ** sign
        return result


def fundamental_group(G: Any, root: Any, *, delay: str = "delay") -> FundamentalGroup:
    """Find the fundamental group of a graph, seen without directions.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph; delays play no part.
    root : vertex
        Where loops begin and end. Its component alone matters.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    FundamentalGroup
        The free group of SymPy, and the word of each edge.

    Raises
    ------
    ValueError
        If ``root`` is no vertex.

    Notes
    -----
    O(n + m). The rank is m - n + 1, counted in the component.

    Examples
    --------
    The cycle of the seed network is its one generator.

    >>> import unrollgraph as ug
    >>> pi = ug.symbolic.fundamental_group(ug.gallery.seed_network(), "A")
    >>> pi.group
    <free group on the generators (x0,)>
    >>> pi.word([("A", "B"), ("B", "C"), ("C", "A")])
    x0
    """
    graph = as_delay_graph(G, delay)
    if not known(root, graph.number):
        raise ValueError(f"the root {show_vertex(root)} is no vertex of the graph")
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
    """A basis of H_1 of a graph, the lattice of its cycles.

    Attributes
    ----------
    edges : tuple of edges
        The edges of the graph, in the order of the columns of the matrix.
    cycles : tuple of tuple
        Simple closed walks, seen without directions: tuples of ``(edge, sign)``.
    matrix : sympy.ImmutableMatrix
        A row for each cycle: how often it goes along each edge.
    """

    edges: tuple[Any, ...]
    cycles: tuple[tuple[Step, ...], ...]
    matrix: sympy.ImmutableMatrix


def homology_basis(G: Any, *, delay: str = "delay") -> HomologyBasis:
    """Find a basis of the cycles of a graph, seen without directions.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph; delays play no part.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    HomologyBasis
        One cycle for each edge outside a spanning forest: through that edge, and back through
        the forest. Every cycle is an integer combination of them in one way.

    Notes
    -----
    O(n + m), and the length of the cycles. There are m - n + c of them, c the number of components.

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
    """The total delays of all closed walks, seen without directions: a subgroup of Z^d.

    Attributes
    ----------
    generators : sympy.ImmutableMatrix
        A row for each cycle of a basis of H_1: its total delay.
    basis : sympy.ImmutableMatrix
        A basis of the group, in Hermite form.
    smith : sympy.ImmutableMatrix
        The diagonal matrix ``left * basis * right``.
    left, right : sympy.ImmutableMatrix
        Unimodular integer matrices.
    invariants : tuple of int
        The entries of its diagonal, each a divisor of the next.
    index : sympy.Integer or sympy.oo
        How many classes Z^d has modulo the group: the number of components of the delay cover.
    """

    generators: sympy.ImmutableMatrix
    basis: sympy.ImmutableMatrix
    smith: sympy.ImmutableMatrix
    left: sympy.ImmutableMatrix
    right: sympy.ImmutableMatrix
    invariants: tuple[int, ...]
    index: Any


def local_group(G: Any, *, delay: str = "delay") -> LocalGroup:
    """Find the local group of a connected delay graph, with its Smith form.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph that is connected, seen without directions.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    LocalGroup
        Generators, and the transforms that make them diagonal.

    Raises
    ------
    ValueError
        If G is not connected: each component has a local group of its own.

    Notes
    -----
    As `components`, whose proof it holds as matrices.

    Examples
    --------
    Loops of 4 and of 6 steps: times of the same parity are connected.

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
        raise ValueError("the graph has no vertices, so no local group; give one that has")
    forest = forest_of(graph)
    if forest.component.any():
        raise ValueError(
            f"the graph has {int(forest.component.max()) + 1} components, each with a local group "
            "of its own; give one, such as G.subgraph(component)"
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
