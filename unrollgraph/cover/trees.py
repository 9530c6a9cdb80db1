"""Trees above a graph: nothing shared at all.

A vertex of such a tree is a walk, and an arc makes it longer by one edge. Three trees
grow from a root r:

* the *universal cover*: the reduced walks from r, in which edges are taken in either
  direction but never back at once. Its projection is a covering, and every connected
  covering of the component of r lies between the two;
* the *in-tree*: the directed walks that end in r. It is what r computes if nothing is
  shared: the universal fibration (Boldi & Vigna);
* the *out-tree*: the directed walks that begin in r: what r has an influence on.

They are infinite wherever a walk can go on for ever, and are then cut off: what would
come next is the boundary. A vertex is ``(v, walk)``, where v is the other end of the
walk from r.

References
----------
P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002). J. Stillwell,
Classical Topology and Combinatorial Group Theory (Springer, 1993), ch. 2.
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


def universal_cover(G: Any, root: Any, radius: Any) -> Any:
    """Make a ball of the universal cover: the reduced walks from a root.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph; delays play no part.
    root : vertex
        The vertex at which walks begin.
    radius : int
        Largest number of edges of a walk.

    Returns
    -------
    Lift
        Vertices ``(v, walk)``, nearest first; a walk from the root to v is a tuple of
        pairs ``(edge, sign)``, the sign -1 where an edge is taken against its direction.
        A tree, seen without directions; a covering but for the boundary, the arcs that
        lead further out.

    Raises
    ------
    LiftError
        If ``root`` is no vertex.
    TypeError
        If the graph is no directed one of networkx.
    ValueError
        If ``radius`` is no integer >= 0, or the ball too large to be stored.

    Notes
    -----
    O(vertices of the ball x radius), which may grow exponentially with the radius.

    Examples
    --------
    Two loops at one vertex, an input and an output: six arcs meet at every copy of ``h``.

    >>> import unrollgraph as ug
    >>> ball = ug.universal_cover(ug.gallery.narx(2), "h", 2)
    >>> len(ball), len(ball.fibre("h")), len(ball.boundary_in()), len(ball.boundary_out())
    (27, 17, 30, 30)
    """
    return _tree(_Growth(_as_base(G), root, _as_depth(radius, "radius"), "universal"))


def in_tree(H: Any, root: Any, depth: Any = None) -> Any:
    """Make the tree of all directed walks that end in a root: its computation, unshared.

    Parameters
    ----------
    H : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph, a lift included.
    root : vertex
        The vertex in which walks end.
    depth : int, optional
        Largest number of edges of a walk; may be left out where no cycle leads to the root.

    Returns
    -------
    Lift
        Vertices ``(v, walk)``, nearest first, the walk from v to the root a tuple of
        edges; arcs lead towards the root. A fibration but for the boundary, the arcs
        that come from further away.

    Raises
    ------
    LiftError
        If ``root`` is no vertex.
    TypeError
        If the graph is no directed one of networkx.
    InfinitePathsError
        If no depth is given and there are infinitely many walks; it carries a cycle.
    ValueError
        If ``depth`` is no integer >= 0, or the tree too large to be stored.

    Notes
    -----
    O(vertices of the tree x depth), which may grow exponentially with the depth. Of a
    lift only what the tree meets is looked at.

    References
    ----------
    P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002).

    Examples
    --------
    What an output is computed from, over four steps and over the network.

    >>> import unrollgraph as ug
    >>> U = ug.unroll(ug.gallery.narx(2), 4)
    >>> tree = ug.in_tree(U, ("h", 3))
    >>> len(tree), len(tree.fibre(("h", 0)))
    (14, 3)
    >>> len(tree.projection.then(U.projection).fibre("h"))
    7
    """
    return _tree(_Growth(_as_base(H), root, _as_depth(depth, "depth"), "in"))


def out_tree(H: Any, root: Any, depth: Any = None) -> Any:
    """Make the tree of all directed walks that begin in a root: its influence, unshared.

    Parameters
    ----------
    H : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph, a lift included.
    root : vertex
        The vertex in which walks begin.
    depth : int, optional
        Largest number of edges of a walk; may be left out where the root leads to no cycle.

    Returns
    -------
    Lift
        Vertices ``(v, walk)``, nearest first, the walk from the root to v a tuple of
        edges; arcs lead away from the root. An opfibration but for the boundary, the
        arcs that lead further away.

    Raises
    ------
    LiftError
        If ``root`` is no vertex.
    TypeError
        If the graph is no directed one of networkx.
    InfinitePathsError
        If no depth is given and there are infinitely many walks; it carries a cycle.
    ValueError
        If ``depth`` is no integer >= 0, or the tree too large to be stored.

    Notes
    -----
    O(vertices of the tree x depth), which may grow exponentially with the depth. Of a
    lift only what the tree meets is looked at.

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


# -- growing -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Step:
    """One edge more: over which edge, in which direction, to which vertex."""

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
    """How a tree grows: from which root, how far, along which sides of a vertex."""

    base: Any
    root: Any
    depth: int | None
    kind: str

    def __post_init__(self) -> None:
        if self.root not in self.base:
            raise LiftError(
                f"the root {show_vertex(self.root)} is no vertex of the graph", node=self.root
            )

    @cached_property
    def _steps(self) -> dict[Any, list[_Step]]:
        return {}

    def steps(self, vertex: Any, came: _Step | None) -> Iterator[_Step]:
        """Iterate over the ways on from a vertex, but not straight back."""
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
        """Name of the vertex of the tree to which a step leads."""
        return step.to, _WALKS[self.kind](parent[1], step)

    def check_fits(self) -> None:
        """Refuse a tree that is infinite or too large, before it is grown."""
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
                    f"the tree is too large to be stored: the walks of up to {length} edges have "
                    f"more than {MOST_OBJECTS} edges together; take a {what} less than {length}"
                )

    def _check_ends(self) -> None:
        """Raise with a cycle if the walks go on for ever."""
        number, wires, edges = {self.root: 0}, [], []
        for vertex in (order := [self.root]):  # grows while it is read
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
                f"{show_vertex(self.root)}, since they can go round {show_walk(cycle)}; give a "
                "depth",
                cycles=(tuple(cycle),),
            )


def _with_data(base: Any, vertex: Any, side: str) -> Iterator[tuple[Any, Any]]:
    """Iterate over the arcs on one side of a vertex with their attributes, in one pass."""
    view = base.in_edges if side == "in" else base.out_edges
    arcs = view(vertex, keys=True, data=True) if base.is_multigraph() else view(vertex, data=True)
    for *arc, data in arcs:
        yield tuple(arc), data


def _as_base(G: Any) -> Any:
    """The graph below a tree: a lift itself, else a frozen copy."""
    if isinstance(G, DelayGraph):
        return G.base
    if isinstance(G, Lift):
        return G
    if not isinstance(G, nx.DiGraph):
        raise TypeError(
            f"a tree grows above a networkx DiGraph or MultiDiGraph, not {show_kind(G)}; of "
            "an undirected graph take to_directed(), of a delay cover a window, by unroll"
        )
    return frozen_copy(G)


def _as_depth(depth: Any, name: str) -> int | None:
    if depth is None and name == "depth":
        return None
    return check_integer(depth, f"the {name}")


# -- the lift --------------------------------------------------------------------------------


class TreeLift(Lift):
    """A tree above a graph: a lift that is stored."""

    _growth: _Growth
    _below: dict[Any, Any]
    _tips: list[tuple[Any, _Step | None]]

    @property
    def base(self) -> Any:
        """The graph below: a frozen networkx graph, as it was when the tree was made."""
        return self._growth.base

    @cached_property
    def projection(self) -> GraphMap:
        """The map to the base, ``(v, walk) -> v``."""
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
        """Return all arcs as arrays; above a lift its arcs are counted, one after another."""
        edge_number = {edge: k for k, edge in enumerate(arcs_of(self.base))}
        tails, edges, heads = self._columns(lambda arc: edge_number[self.projection.edge(arc)])
        return LiftArrays(tails, heads, edges)

    def _ends(self) -> tuple[Any, Any]:
        tails, _, heads = self._columns(lambda _: 0)
        return tails, heads

    def _columns(self, edge: Callable[[Any], int]) -> list[Any]:
        """Tails, numbers of edges, and heads of the arcs, in the order of these."""
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


class DiTree(TreeLift, nx.DiGraph):  # type: ignore[type-arg]
    """A tree above a `DiGraph`."""


class MultiDiTree(TreeLift, nx.MultiDiGraph):  # type: ignore[type-arg]
    """A tree above a `MultiDiGraph`."""


def _regrown(base: Any, root: Any, depth: int | None, kind: str) -> Any:
    return _tree(_Growth(_as_base(base), root, depth, kind))


def _tree(growth: _Growth) -> Any:
    """Grow a tree and store it, level by level."""
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
    return tree


def _arc(parent: Any, node: Any, step: _Step) -> tuple[Any, ...]:
    """Arc between two vertices of a tree, with its key if it has one."""
    ends = (parent, node) if step.sign > 0 else (node, parent)
    return (*ends, *step.edge[2:])
