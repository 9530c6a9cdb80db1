"""The minimal base: the smallest graph of which a graph is a fibration.

Two vertices are alike if their in-edges can be paired so that each pair comes from
vertices that are alike, for ever backwards: if their in-trees are isomorphic. A network run
with equal inputs has equal values at them. Merging all that are alike gives the *minimal
base*, and the map onto it is the coarsest fibration of the graph. It is also the
coarsest equitable partition by in-edges, which colour refinement finds.

Since a graph and a fibration of it that is onto its vertices have the same in-trees, they have the
same minimal base: that of any covering of a connected graph, by one with vertices, is that of the
graph.

References
----------
P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002). A. Cardon and
M. Crochemore, Partitioning a graph in ``O(|A| log |V|)``, Theoretical Computer Science 19
(1982). J. E. Hopcroft, An n log n algorithm for minimizing states in a finite automaton
(1971).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, count, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import show_edge
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.graph.digraph import Incidence
from unrollgraph.graph.frozen import FrozenDict, frozen_graph, without_collection
from unrollgraph.morphism.graph_map import GraphMap

IntArray = NDArray[np.int64]


@without_collection
def minimal_base(G: Any, *, colour: str | None = None, delay: str = "delay") -> GraphMap:
    """Merge all vertices that look alike, as far back as one can see.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph. Delays play no part unless ``colour`` names them.
    colour : str, optional
        An edge attribute by which in-edges are told apart; its values must be hashable. An
        edge without it has the colour None, or the delay 0.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    GraphMap
        The coarsest fibration, from ``G`` onto a frozen `MultiDiGraph`. A vertex of the base is
        called by the first of those above it, and has a copy of each of their in-edges,
        with keys 0, 1, ... between a pair and the colour as attribute.

    Raises
    ------
    TypeError
        If a colour cannot be hashed.

    Notes
    -----
    O(m log n) steps, and sorting. Plan: begin with one class, and split classes by how many
    edges of each colour come from each class, until nothing splits. When a class falls apart,
    all parts but the largest have to be counted anew, since what comes from the largest is
    then known by subtraction (Hopcroft); so an edge is looked at once for each time that
    the class of its tail is at least halved.

    References
    ----------
    P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002).

    Examples
    --------
    In a ring all vertices look alike. A path shows how far its ends are.

    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> ug.minimal_base(nx.cycle_graph(6, create_using=nx.DiGraph)).base.edges
    OutMultiEdgeView([(0, 0, 0)])
    >>> p = ug.minimal_base(nx.path_graph(4).to_directed())
    >>> [p.fibre(v) for v in p.base]
    [(0, 3), (1, 2)]
    >>> ug.is_fibration(p)
    True
    """
    graph = as_delay_graph(G, delay)
    colours = _colours(graph, colour)
    numbers: dict[Any, int] = {}
    kinds = np.array([numbers.setdefault(one, len(numbers)) for one in colours], dtype=np.int64)
    block = _refined(graph, kinds)
    _, first = np.unique(block, return_index=True)
    names = [graph.vertices[v] for v in first[block].tolist()]  # of the class of each vertex
    keys = _keys(graph, block, kinds)
    images = [
        (names[u], names[v], key)
        for u, v, key in zip(graph.tails.tolist(), graph.heads.tolist(), keys, strict=True)
    ]
    data = [FrozenDict() if colour is None else FrozenDict({colour: one}) for one in numbers]
    base = frozen_graph(
        True,
        FrozenDict(),
        [(graph.vertices[v], FrozenDict()) for v in sorted(first.tolist())],
        (
            (images[e], data[kinds[e]])
            for e in np.flatnonzero(first[block][graph.heads] == graph.heads).tolist()
        ),
    )
    nodes = dict(zip(graph.vertices, names, strict=True))
    total = graph.base if isinstance(G, DelayGraph) else G
    return GraphMap(total, base, nodes, dict(zip(graph.edges, images, strict=True)))


def _keys(graph: DelayGraph, block: IntArray, kinds: IntArray) -> list[int]:
    """Number the edges from one class into a vertex, in the same order of kinds everywhere."""
    origin = block[graph.tails]
    order = np.lexsort((kinds, origin, graph.heads))
    heads, origin = graph.heads[order], origin[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(heads) != 0) | (np.diff(origin) != 0)
    place = np.arange(len(order))
    keys = np.empty(len(order), dtype=np.int64)
    keys[order] = place - np.maximum.accumulate(np.where(fresh, place, 0))
    return keys.tolist()


def _colours(graph: DelayGraph, name: str | None) -> list[Any]:
    if name is None:
        return [None] * len(graph.edges)
    found = list(graph.times) if name == graph.delay_name else graph.edge_values(name)
    for edge, value in zip(graph.edges, found, strict=True):
        try:
            hash(value)
        except TypeError:
            raise TypeError(
                f"edge {show_edge(edge)} has the {name} {value!r}, which cannot be hashed, so it "
                "cannot tell edges apart; use a tuple, a number or a string"
            ) from None
    return found


def _refined(graph: DelayGraph, kinds: IntArray) -> IntArray:
    """Number the classes of the coarsest partition that is equitable by in-edges.

    While much has to be counted anew, everything is, with arrays.
    """
    n = len(graph.vertices)
    block = np.zeros(n, dtype=np.int64)
    due = np.arange(min(n, 1))
    moved = n
    while 16 * moved > n:
        finer = _signatures(graph, kinds, block)
        due, moved = _due(block, finer)
        block = finer
    return _finished(graph, kinds, block, due.tolist()) if len(due) else block


def _signatures(graph: DelayGraph, kinds: IntArray, block: IntArray) -> IntArray:
    """Number vertices by the classes and kinds of their in-edges.

    From one class on these partitions are each finer than the one before.
    """
    marks = block[graph.tails] * (kinds.max(initial=0) + 1) + kinds
    text = marks[np.lexsort((marks, graph.heads))].tobytes()
    degrees = np.bincount(graph.heads, minlength=len(block))
    ends = (np.cumsum(degrees) * marks.itemsize).tolist()
    numbers: dict[bytes, int] = {}
    found = [
        numbers.setdefault(text[start:end], len(numbers)) for start, end in pairwise([0, *ends])
    ]
    return np.array(found, dtype=np.int64)


def _due(block: IntArray, finer: IntArray) -> tuple[IntArray, int]:
    """Return the classes of a finer partition to count anew, and how many vertices they have.

    Those are all parts of a class but the largest.
    """
    sizes, whole = np.bincount(finer), np.empty(finer.max(initial=-1) + 1, dtype=np.int64)
    whole[finer] = block
    order = np.lexsort((sizes, whole))
    last = np.append(np.diff(whole[order]) != 0, True)[: len(order)]
    due = np.sort(order[~last])
    return due, int(sizes[due].sum())


def _finished(graph: DelayGraph, kinds: IntArray, coarse: IntArray, due: list[int]) -> IntArray:
    """Refine a partition further, counting only the classes that are due.

    In each round they are counted all at once: a vertex that they reach gets the list of
    (class, kind, number of edges) as its signature, and classes fall apart by signature.
    """
    n = len(graph.vertices)
    # an edge leads to a mark: its head, and by how many times n its kind
    out = Incidence(n, graph.tails)
    starts, marks = out.starts.tolist(), (graph.heads + n * kinds)[out.edges].tolist()
    coloured = kinds.max(initial=0) > 0
    block = coarse.tolist()
    sizes = np.bincount(coarse)
    splits = sizes > 1  # classes of one vertex never split, and are only counted
    splits[due] = True
    members: dict[int, set[int]] = {}
    for v in np.flatnonzero(splits[coarse]).tolist():
        members.setdefault(block[v], set()).add(v)
    fresh = count(len(sizes))
    while due:
        signature: dict[int, list[int]] = {}
        for number in due:
            leaving = [marks[starts[u] : starts[u + 1]] for u in members[number]]
            counts = Counter(chain.from_iterable(leaving))
            for mark in sorted(counts) if coloured else counts:
                v = mark % n
                if block[v] in members:
                    signature.setdefault(v, []).extend((number, mark // n, counts[mark]))
        groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for v, found in signature.items():
            groups.setdefault((block[v], tuple(found)), []).append(v)
        parts: dict[int, list[list[int]]] = {}
        for (number, _), vertices in groups.items():
            parts.setdefault(number, []).append(vertices)
        due = []
        for number, pieces in parts.items():
            due.extend(_split(number, pieces, block, members, fresh))
    return np.array(block, dtype=np.int64)


def _split(
    number: int,
    pieces: list[list[int]],
    block: list[int],
    members: dict[int, set[int]],
    fresh: Iterator[int],
) -> list[int]:
    """Let pieces fall off a class; return the classes to count: all parts but the largest."""
    whole = members[number]
    if len(whole) == sum(map(len, pieces)):
        pieces.sort(key=len)
        pieces.pop()  # stays what it was
    parts = [number]
    for piece, new in zip(pieces, fresh, strict=False):
        whole.difference_update(piece)
        members[new] = set(piece)
        for v in piece:
            block[v] = new
        parts.append(new)
    return sorted(parts, key=lambda k: len(members[k]))[:-1]
