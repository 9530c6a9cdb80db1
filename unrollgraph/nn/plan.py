"""Plans: in which order values are computed above a window, or above any graph.

A plan depends on the graph and on its projection, never on arrays, and is kept.

**Over a window.** Values read each other through delays, so they form a delay graph of
their own. Its strong components are taken in topological order. A value on no cycle
depends on no other step of itself: it is computed for all steps at once, *in bulk*.
Thus the product of a matrix with an input falls out of the loop by itself, and so do,
backward, the slopes of non-linearities and the gradients of weights. A component that
is a cycle is *stepped*: clocks are found by which all its delays are non-negative and
its zero delays acyclic, forward in time if its cycles are positive, backward if they
are negative; then in step s the value v is computed at its time ``s - r(v)``. A
bidirectional network is two such components.

**Over any other acyclic graph.** Its vertices are taken level by level; at each level
all copies of a vertex are computed at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import CyclicCoverError, LiftError, show_edge, show_vertex, show_walk
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.order import cycle_among, levels, strong_components
from unrollgraph.graph.potentials import ascent
from unrollgraph.morphism.graph_map import GraphMap, arcs_of
from unrollgraph.nn.values import Value

__all__ = [
    "Bulk",
    "Copies",
    "Level",
    "Loop",
    "Program",
    "plan_copies",
    "plan_levels",
    "plan_window",
]

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Bulk:
    """A value computed for all steps at once."""

    value: int


@dataclass(frozen=True)
class Loop:
    """Values computed step by step.

    Attributes
    ----------
    values : tuple of int
        In the order within a step.
    clocks : tuple of int
        In step s the value ``values[k]`` is computed at the time number
        ``s - clocks[k]``, counted from the first if the sign is 1, else from the last.
    sign : int
        1 forward in time, -1 backward.
    """

    values: tuple[int, ...]
    clocks: tuple[int, ...]
    sign: int


class Program:
    """Values to be computed together, and the order in which to; found once, when asked for.

    Attributes
    ----------
    graph : DelayGraph
        The base.
    values : tuple of Value
        All values that are referred to.
    chosen : tuple of int
        Those to compute; the others are there already.
    back : bool
        Whether values are read back through edges: whether this is a gradient.
    """

    def __init__(
        self, graph: DelayGraph, values: tuple[Value, ...], chosen: Iterable[int], *, back: bool
    ) -> None:
        self.graph, self.values, self.back = graph, values, back
        self.chosen = tuple(sorted(chosen))

    @cached_property
    def steps(self) -> tuple[Bulk | Loop, ...]:
        """The order over a window."""
        return plan_window(self.graph, self.values, self.chosen)

    @cached_property
    def at_vertex(self) -> dict[int, list[int]]:
        """The order at one copy, for each vertex: for any other graph."""
        at: dict[int, list[int]] = {}
        for k in self.chosen:
            at.setdefault(self.values[k].vertex, []).append(k)
        return {v: _order_within(self.values, ks) for v, ks in at.items()}


# -- over a window -----------------------------------------------------------------


def plan_window(
    graph: DelayGraph, values: Sequence[Value], chosen: Iterable[int]
) -> tuple[Bulk | Loop, ...]:
    """Order the chosen values, of which the others are already computed."""
    names = sorted(chosen)
    place = {k: i for i, k in enumerate(names)}
    delay = graph.delays[:, 0].tolist()
    wires = [
        (
            place[ref.value],
            i,
            0 if ref.edge is None else -delay[ref.edge] if ref.back else delay[ref.edge],
        )
        for k, i in place.items()
        for ref in values[k].args
        if ref.value in place
    ]
    tails, heads, delays = (
        np.array(column, dtype=np.int64)
        for column in (zip(*wires, strict=True) if wires else ([], [], []))
    )
    component = strong_components(len(names), tails, heads)
    inner = component[tails] == component[heads]
    members: dict[int, list[int]] = {}
    for i, c in enumerate(component.tolist()):
        members.setdefault(c, []).append(i)
    edges: dict[int, list[int]] = {}
    for e in np.flatnonzero(inner).tolist():
        edges.setdefault(int(component[tails[e]]), []).append(e)
    steps: list[Bulk | Loop] = []
    for c in sorted(members):
        if c not in edges:
            steps.append(Bulk(names[members[c][0]]))
            continue
        local = {i: k for k, i in enumerate(members[c])}
        u, v = (np.array([local[int(a[e])] for e in edges[c]]) for a in (tails, heads))
        clocks, level, sign = _clocks(len(local), u, v, delays[edges[c]])
        if not sign:
            raise _cyclic(graph, [values[names[i]] for i in members[c]])
        order = sorted(range(len(local)), key=lambda k: (level[k], k))
        steps.append(
            Loop(tuple(names[members[c][k]] for k in order), tuple(clocks[k] for k in order), sign)
        )
    return tuple(steps)


def _clocks(
    n: int, tails: IntArray, heads: IntArray, delays: IntArray
) -> tuple[list[int], list[int], int]:
    """Clocks, levels and direction of a strong component; direction 0 if it has none."""
    for sign in (1, -1):
        clocks, level, cycle = ascent(n, tails, heads, sign * delays)
        if not cycle:
            return (clocks - clocks.min()).tolist(), level.tolist(), sign
    return [], [], 0


def _cyclic(graph: DelayGraph, values: list[Value]) -> CyclicCoverError:
    """The refusal of a component with cycles of both signs, or of total zero.

    The cycles are looked for among the edges of the base that join its vertices.
    """
    inside = {value.vertex for value in values}
    edges = [
        e
        for e, (u, v) in enumerate(zip(graph.tails.tolist(), graph.heads.tolist(), strict=True))
        if u in inside and v in inside
    ]
    ends = graph.tails[edges], graph.heads[edges]
    told = []
    for sign in (1, -1):
        _, _, cycle = ascent(len(graph.vertices), *ends, sign * graph.delays[edges, 0])
        walk = tuple(graph.edges[edges[k]] for k in cycle)
        total = sum(graph.delays[[edges[k] for k in cycle], 0].tolist())
        told.append((total, f"the cycle {show_walk(walk)} has total delay {total}", walk))
    zero = next((one for one in told if not one[0]), None)
    reason = zero[1] if zero else f"{told[0][1]} and {told[1][1]}, which can be made to cancel"
    return CyclicCoverError(
        f"the unrolling has a directed cycle, so there is no order in which to compute it: "
        f"{reason}; unrollgraph.find_zero_walk tells the whole of it",
        walk=zero[2] if zero else None,
    )


# -- over any other graph ----------------------------------------------------------------


@dataclass(frozen=True)
class Copies:
    """A graph above the base as the runner sees it: fibres, and arcs by their edges.

    Attributes
    ----------
    fibres : tuple of tuple
        The copies of each vertex, in the order of the total graph.
    position : dict
        Number of the vertex below each copy, and its position in the fibre.
    sources : tuple of ndarray
        For each edge and each copy of its head, the position of the copy of its tail
        from which it is read; -1 where no arc lies over the edge.
    """

    fibres: tuple[tuple[Any, ...], ...]
    position: dict[Any, tuple[int, int]]
    sources: tuple[IntArray, ...]


@dataclass(frozen=True)
class Level:
    """Copies of one vertex that do not depend on each other.

    Attributes
    ----------
    vertex : int
        Number of the vertex below.
    rows : ndarray of int
        Positions of the copies in the fibre.
    """

    vertex: int
    rows: IntArray


def plan_copies(graph: DelayGraph, p: GraphMap) -> Copies:
    """Read a graph above the base, and refuse what cannot be run."""
    if set(p.base) != set(graph.vertices) or set(arcs_of(p.base)) != set(graph.edges):
        raise LiftError("the graph to run over does not lie above the network: its base differs")
    fibres: list[list[Any]] = [[] for _ in graph.vertices]
    position: dict[Any, tuple[int, int]] = {}
    for node in p.total:
        v = graph.number[p(node)]
        position[node] = (v, len(fibres[v]))
        fibres[v].append(node)
    sources = [np.full(len(fibres[v]), -1, dtype=np.int64) for v in graph.heads.tolist()]
    for arc in arcs_of(p.total):
        e = graph.edge_number.get(p.edge(arc), -1)
        (u, i), (v, j) = position[arc[0]], position[arc[1]]
        if e < 0 or (int(graph.tails[e]), int(graph.heads[e])) != (u, v):
            raise LiftError(f"the arc {show_edge(arc)} lies over no edge of the network", edge=arc)
        if sources[e][j] >= 0:
            raise LiftError(
                f"more than one arc into {show_vertex(arc[1])} lies over the edge "
                f"{show_edge(graph.edges[e])}; what a vertex reads must be unique",
                node=arc[1],
                edge=graph.edges[e],
            )
        sources[e][j] = i
    return Copies(tuple(map(tuple, fibres)), position, tuple(sources))


def plan_levels(graph: DelayGraph, copies: Copies) -> tuple[Level, ...]:
    """Group the copies of each vertex by their level in the total graph."""
    sizes = np.array([len(fibre) for fibre in copies.fibres], dtype=np.int64)
    begin = np.concatenate(([0], np.cumsum(sizes)))
    tails, heads = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for e, source in enumerate(copies.sources):
        there = np.flatnonzero(source >= 0)
        tails.append(begin[graph.tails[e]] + source[there])
        heads.append(begin[graph.heads[e]] + there)
    tail, head = np.concatenate(tails), np.concatenate(heads)
    level = levels(int(begin[-1]), tail, head)
    if level.min(initial=0) < 0:
        nodes = [node for fibre in copies.fibres for node in fibre]
        cycle = [(nodes[tail[a]], nodes[head[a]]) for a in cycle_among(level, tail, head)]
        raise CyclicCoverError(
            f"the graph to run over has the directed cycle {show_walk(cycle)}, so there is no "
            "order in which to compute it",
            walk=tuple(cycle),
        )
    vertex = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((vertex, level))
    keys = level[order] * len(sizes) + vertex[order]
    cuts = np.flatnonzero(np.diff(keys)) + 1
    return tuple(
        Level(int(vertex[group[0]]), group - begin[vertex[group[0]]])
        for group in np.split(order, cuts)
        if len(group)
    )


def _order_within(values: Sequence[Value], chosen: Sequence[int]) -> list[int]:
    """Order the values at one vertex so that each follows what it reads at its own copy."""
    place = {k: i for i, k in enumerate(chosen)}
    wires = [
        (place[ref.value], i)
        for k, i in place.items()
        for ref in values[k].args
        if ref.edge is None and ref.value in place
    ]
    tails, heads = (
        np.array(c, dtype=np.int64) for c in (zip(*wires, strict=True) if wires else ([], []))
    )
    level = levels(len(chosen), tails, heads)
    return [chosen[i] for i in np.argsort(level, kind="stable").tolist()]
