"""Trees of walks over a graph: the universal cover, in-trees and out-trees.

A vertex is ``(v, walk)``, where the walk joins v and the root r. An edge extends a walk by one
edge. Infinite trees are truncated; the edges that extend the longest walks are then the boundary.

* The *universal cover* has the reduced walks from r, which traverse edges in either direction but
  never the same edge back immediately. It covers every connected covering of the component of r
  (J. Stillwell, Classical Topology and Combinatorial Group Theory, Springer, 1993, ch. 2).
* The *in-tree* has the directed walks that end in r. It is the computation of the value at r
  without sharing of intermediate results: the universal fibration (Boldi & Vigna).
* The *out-tree* has the directed walks that begin in r, hence all vertices that r influences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.cover.lift import Lift, LiftArrays
from unrollgraph.errors import InfinitePathsError, LiftError, show_kind, show_vertex, show_walk
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import cycle_among, levels
from unrollgraph.graph.frozen import FrozenDict, frozen_copy
from unrollgraph.graph.times import check_integer
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.morphism.graph_map import GraphMap, arcs_of


def universal_cover(G: nx.DiGraph[Any] | DelayGraph, root: Any, radius: int) -> Lift:
    """Construct a ball of the universal cover: the reduced walks from a root.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph; delays are not used.
    root : vertex
        The vertex at which the walks begin.
    radius : int
        Maximum number of edges of a walk.

    Returns
    -------
    Lift
        Vertices ``(v, walk)``, ordered by the length of the walk from the root to v. A walk is a
        tuple of pairs ``(edge, sign)`` with sign -1 for an edge against its direction. Without
        directions the lift is a tree. It is a covering except at the boundary. Cost:
        O(vertices of the ball x radius), which may grow exponentially with the radius.

    Raises
    ------
    LiftError
        If ``root`` is not a vertex.
    TypeError
        If ``G`` is not a directed networkx graph.
    ValueError
        If ``radius`` is not an integer >= 0, or the ball is too large to be stored.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ball = ug.universal_cover(ug.gallery.narx(2), "h", 2)
    >>> len(ball), len(ball.fibre("h")), len(ball.boundary_in()), len(ball.boundary_out())
    (27, 17, 30, 30)
    """
    return _tree(_Growth(_as_base(G), root, _as_depth(radius, "radius"), "universal"))


def in_tree(H: nx.DiGraph[Any] | DelayGraph, root: Any, depth: int | None = None) -> Lift:
    """Construct the tree of all directed walks that end in a root.

    Parameters
    ----------
    H : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph, for example a lift.
    root : vertex
        The vertex in which the walks end.
    depth : int, optional
        Maximum number of edges of a walk; required if a cycle leads to the root.

    Returns
    -------
    Lift
        Vertices ``(v, walk)``, ordered by the length of the walk from v to the root, a tuple of
        edges. Edges lead toward the root. It is a fibration except at the boundary. Cost:
        O(vertices of the tree x depth), which may grow exponentially with the depth. Of a lift,
        only the part that the walks reach is read.

    Raises
    ------
    LiftError, TypeError, ValueError
        As for `universal_cover`.
    InfinitePathsError
        If ``depth`` is None and there are infinitely many walks; ``cycles`` contains a cycle.

    References
    ----------
    P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002).

    Examples
    --------
    >>> import unrollgraph as ug
    >>> U = ug.unroll(ug.gallery.narx(2), 4)
    >>> tree = ug.in_tree(U, ("h", 3))
    >>> len(tree), len(tree.fibre(("h", 0)))
    (14, 3)
    >>> len(tree.projection.then(U.projection).fibre("h"))
    7
    """
    return _tree(_Growth(_as_base(H), root, _as_depth(depth, "depth"), "in"))


def out_tree(H: nx.DiGraph[Any] | DelayGraph, root: Any, depth: int | None = None) -> Lift:
    """Construct the tree of all directed walks that begin in a root.

    Parameters
    ----------
    H, root, depth
        As for `in_tree`; walks begin in ``root``; ``depth`` is required if it leads to a cycle.

    Returns
    -------
    Lift
        Vertices ``(v, walk)``, ordered by the length of the walk from the root to v, a tuple of
        edges. Edges lead away from the root. It is an opfibration except at the boundary.

    Raises
    ------
    LiftError, TypeError, InfinitePathsError, ValueError
        As for `in_tree`, which has the same cost.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> tree = ug.out_tree(ug.gallery.seed_network(), "A", 4)
    >>> [v for v, walk in tree]
    ['A', 'B', 'C', 'A', 'out', 'B']
    >>> ug.is_fibration(tree), tree.boundary_in()
    (False, ())
    """
    return _tree(_Growth(_as_base(H), root, _as_depth(depth, "depth"), "out"))


# -- walks and sizes ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Step:
    """An edge that extends a walk, its direction, and the vertex that it reaches."""

    edge: Any
    sign: int
    to: Any
    data: Any


_SIDES = {"universal": ("out", "in"), "in": ("in",), "out": ("out",)}
_WALKS: dict[str, Callable[[Any, _Step], Any]] = {
    "universal": lambda walk, step: (*walk, (step.edge, step.sign)),
    "in": lambda walk, step: (step.edge, *walk),
    "out": lambda walk, step: (*walk, step.edge),
}


@dataclass(frozen=True)
class _Growth:
    """The parameters of a tree, and the edges that extend its walks."""

    base: Any
    root: Any
    depth: int | None
    kind: str

    def __post_init__(self) -> None:
        if self.root not in self.base:
            raise LiftError(
                f"the root {self.root!r} is not a vertex of the graph; choose one of its vertices",
                node=self.root,
            )

    @cached_property
    def _steps(self) -> dict[Any, list[_Step]]:
        return {}

    def steps(self, vertex: Any, came: _Step | None) -> Iterator[_Step]:
        """Iterate over the edges that extend a walk, except the last one back."""
        if vertex not in self._steps:
            self._steps[vertex] = [
                _Step(arc, 1, arc[1], data) if side == "out" else _Step(arc, -1, arc[0], data)
                for side in _SIDES[self.kind]
                for arc, data in _with_data(self.base, vertex, side)
            ]
        for step in self._steps[vertex]:
            back = came is not None and step.edge == came.edge and step.sign == -came.sign
            if not back:
                yield step

    def node(self, parent: Any, step: _Step) -> Any:
        """Vertex of the tree after a step."""
        return step.to, _WALKS[self.kind](parent[1], step)

    def check_fits(self) -> None:
        """Raise if the tree is infinite or too large, before it is built."""
        if self.depth is None:
            self._check_ends()
        ends: Counter[Any] = Counter({(self.root, None): 1})
        length = total = 0
        while ends and (self.depth is None or length < self.depth):
            length += 1
            longer: Counter[Any] = Counter()
            for (vertex, came), count in ends.items():
                for step in self.steps(vertex, came):
                    longer[step.to, step if self.kind == "universal" else None] += count
            ends = longer
            total += length * ends.total()
            if total > MOST_OBJECTS:
                what = "radius" if self.kind == "universal" else "depth"
                raise ValueError(
                    f"the tree is too large to be stored: its walks of at most {length} edges have "
                    f"more than {MOST_OBJECTS} edges in total; take a {what} less than {length}"
                )

    def _check_ends(self) -> None:
        """Raise `InfinitePathsError` with a cycle if there are infinitely many walks."""
        number, wires, edges = {self.root: 0}, [], []
        for vertex in (order := [self.root]):  # extended in the loop
            for step in self.steps(vertex, None):
                if step.to not in number:
                    number[step.to] = len(order)
                    order.append(step.to)
                wires.append((number[vertex], number[step.to]))
                edges.append(step.edge)
        tails, heads = np.array(wires, dtype=np.int64).reshape(-1, 2).T
        level = levels(len(order), tails, heads)
        if level.min() < 0:
            cycle = [edges[a] for a in cycle_among(level, tails, heads)]
            if self.kind == "in":
                cycle.reverse()
            raise InfinitePathsError(
                f"infinitely many walks {'end' if self.kind == 'in' else 'begin'} in "
                f"{self.root!r}, since they can repeat the cycle {show_walk(cycle)}; set depth",
                cycles=(tuple(cycle),),
            )


def _with_data(base: Any, vertex: Any, side: str) -> Iterator[tuple[Any, Any]]:
    """Iterate over the edges on one side of a vertex with their attributes."""
    view = base.in_edges if side == "in" else base.out_edges
    arcs = view(vertex, keys=True, data=True) if base.is_multigraph() else view(vertex, data=True)
    for *arc, data in arcs:
        yield tuple(arc), data


def _as_base(G: Any) -> Any:
    """Base graph of a tree: a lift itself, otherwise a frozen copy."""
    if isinstance(G, DelayGraph):
        return G.base
    if isinstance(G, Lift):
        return G
    if not isinstance(G, nx.DiGraph):
        raise TypeError(
            f"a tree needs a networkx DiGraph or MultiDiGraph, not {show_kind(G)}; convert an "
            "undirected graph with to_directed(), and use a window (unroll) of a delay cover"
        )
    return frozen_copy(G)


def _as_depth(depth: Any, name: str) -> int | None:
    if depth is None and name == "depth":
        return None
    return check_integer(depth, f"the {name}")


# -- the lift --------------------------------------------------------------------------------


class TreeLift(Lift):
    """A tree of walks, a lift that is stored."""

    _growth: _Growth
    _below: dict[Any, Any]
    _tips: list[tuple[Any, _Step | None]]

    @property
    def base(self) -> Any:
        """The base graph, a frozen networkx graph."""
        return self._growth.base

    @cached_property
    def projection(self) -> GraphMap:
        """The map ``(v, walk) -> v`` to the base graph."""
        return GraphMap.projecting(self, self.base, self._below)

    def _boundary(self, side: str) -> tuple[Any, ...]:
        sign = 1 if side == "out" else -1
        return tuple(
            _arc(tip, self._growth.node(tip, step), step)
            for tip, came in self._tips
            for step in self._growth.steps(tip[0], came)
            if step.sign == sign
        )

    def to_arrays(self) -> LiftArrays:
        """Return all edges as arrays; reads all edges of the base graph."""
        edge_number = {edge: k for k, edge in enumerate(arcs_of(self.base))}
        tails, edges, heads = self._columns(lambda arc: edge_number[self.projection.edge(arc)])
        return LiftArrays(tails, heads, edges)

    def _ends(self) -> tuple[Any, Any]:
        tails, _, heads = self._columns(lambda _: 0)
        return tails, heads

    def _columns(self, edge: Callable[[Any], int]) -> list[Any]:
        """Tails, edge numbers and heads of the edges, sorted in this order."""
        number = {node: k for k, node in enumerate(self._below)}
        rows = [(number[arc[0]], edge(arc), number[arc[1]]) for arc in arcs_of(self)]
        columns = np.array(sorted(rows), dtype=self._index_type()).reshape(-1, 3)
        return [np.ascontiguousarray(column) for column in columns.T]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        growth = self._growth
        return _regrown, (growth.base, growth.root, growth.depth, growth.kind)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} of {len(self.base)} vertices, root "
            f"{show_vertex(self._growth.root)}: {len(self._below)} nodes>"
        )


class DiTree(TreeLift):
    """A tree over a `DiGraph`."""


class MultiDiTree(TreeLift, nx.MultiDiGraph):  # type: ignore[type-arg]
    """A tree over a `MultiDiGraph`."""


def _regrown(base: Any, root: Any, depth: int | None, kind: str) -> Any:
    return _tree(_Growth(_as_base(base), root, depth, kind))


def _tree(growth: _Growth) -> Lift:
    """Build a tree level by level and store it."""
    growth.check_fits()
    base = growth.base
    multigraph = base.is_multigraph()
    seed = (growth.root, ())
    below = {seed: growth.root}
    succ: dict[Any, Any] = {seed: {}}
    pred: dict[Any, Any] = {seed: {}}
    tips: list[tuple[Any, _Step | None]] = [(seed, None)]
    length = 0
    while tips and (growth.depth is None or length < growth.depth):
        length += 1
        longer: list[tuple[Any, _Step | None]] = []
        for parent, came in tips:
            for step in growth.steps(parent[0], came):
                node = growth.node(parent, step)
                below[node], succ[node], pred[node] = step.to, {}, {}
                tail, head, *key = _arc(parent, node, step)
                data = FrozenDict({key[0]: step.data}) if multigraph else step.data
                succ[tail][head] = pred[head][tail] = data
                longer.append((node, step))
        tips = longer
    tree: Any = object.__new__(MultiDiTree if multigraph else DiTree)
    tree._growth, tree._below, tree._tips = growth, FrozenDict(below), tips
    tree.graph = base.graph
    tree._node = {node: base.nodes[vertex] for node, vertex in below.items()}
    tree._succ = tree._adj = succ
    tree._pred = pred
    tree.__networkx_cache__ = {}
    made: Lift = tree
    return made


def _arc(parent: Any, node: Any, step: _Step) -> tuple[Any, ...]:
    """Edge between two vertices of a tree, with the key of its base edge if any."""
    ends = (parent, node) if step.sign > 0 else (node, parent)
    return (*ends, *step.edge[2:])
