"""Order in which values are computed, over a window or over another acyclic graph.

A plan depends on the graph and its projection, not on arrays, and is reused.

**Over a window.** Values read each other with delays and thus form a delay graph. Its strong
components are planned in topological order. A value on no cycle is computed for all steps at once,
*in bulk*. Products of matrices with inputs are therefore outside the loop and, in the backward
pass, slopes of nonlinearities and gradients of weights. A component that is a cycle is *stepped*:
step s computes value v at time ``s - r(v)``, where the *clocks* r reduce all delays of the
component to non-negative ones and the reads of reduced delay 0 are acyclic. Steps run forward in
time if the cycles have positive total delays, backward if they have negative ones. A bidirectional
network has a component of either kind.

**Over another acyclic graph.** The strong components are the same. A value on no cycle is computed
at all copies of its vertex at once. A component that is a cycle is computed level by level, where
the level of a copy is the length of the longest path into it. Copies are stored by level, so that
a level is a slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import CyclicCoverError, LiftError, show_walk
from unrollgraph.graph.delay_graph import DelayGraph, delay_hint
from unrollgraph.graph.digraph import cycle_among, levels, strong_components
from unrollgraph.graph.potentials import forward_times
from unrollgraph.morphism.graph_map import GraphMap, arcs_of
from unrollgraph.nn.program import Ref, Value

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
        In the order in which a step computes them.
    clocks : tuple of int
        Step s computes ``values[k]`` at time ``s - clocks[k]``, counted from the first time if
        the sign is 1 and from the last time if it is -1.
    sign : int
        1 forward in time, -1 backward.
    """

    values: tuple[int, ...]
    clocks: tuple[int, ...]
    sign: int


class Schedule:
    """Values to compute, and their order, which is found on first use.

    Attributes
    ----------
    graph : DelayGraph
        The base graph.
    values : tuple of Value
        All values, including those that are read only.
    chosen : tuple of int
        Values to compute; the others are given.
    back : bool
        Whether the values are a gradient, which is read back through edges.
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
    def parts(self) -> tuple[Part, ...]:
        """The order over any other graph."""
        return plan_parts(self.values, self.chosen)


# -- values as a graph -------------------------------------------------------------


def _condensed(
    values: Sequence[Value], chosen: Iterable[int]
) -> Iterator[tuple[list[int], list[tuple[int, int, Ref]]]]:
    """Yield the strong components in topological order, with the reads inside each."""
    names = sorted(chosen)
    place = {k: i for i, k in enumerate(names)}
    wires = [
        (place[ref.value], i, ref)
        for k, i in place.items()
        for ref in values[k].args
        if ref.value in place
    ]
    tails = np.array([u for u, _, _ in wires], dtype=np.int64)
    heads = np.array([v for _, v, _ in wires], dtype=np.int64)
    component = strong_components(len(names), tails, heads).tolist()
    members: dict[int, list[int]] = {}
    local = []
    for i, c in enumerate(component):
        of_it = members.setdefault(c, [])
        local.append(len(of_it))
        of_it.append(names[i])
    inside: dict[int, list[tuple[int, int, Ref]]] = {}
    for u, v, ref in wires:
        if component[u] == component[v]:
            inside.setdefault(component[u], []).append((local[u], local[v], ref))
    for c in sorted(members):
        yield members[c], inside.get(c, [])


# -- over a window -----------------------------------------------------------------


def plan_window(
    graph: DelayGraph, values: Sequence[Value], chosen: Iterable[int]
) -> tuple[Bulk | Loop, ...]:
    """Order the chosen values over a window; the other values are given."""
    delay = graph.delays[:, 0].tolist()
    steps: list[Bulk | Loop] = []
    for members, wires in _condensed(values, chosen):
        if not wires:
            steps.append(Bulk(members[0]))
            continue
        tails, heads = (np.array([wire[end] for wire in wires]) for end in (0, 1))
        edges = [(ref.edge, ref.back) for _, _, ref in wires]
        delays = [0 if e is None else -delay[e] if back else delay[e] for e, back in edges]
        clocks, level, sign = clocks_of(len(members), tails, heads, np.array(delays))
        if not sign:
            raise cyclic_error(graph, [values[k] for k in members])
        order = sorted(range(len(members)), key=lambda i: (level[i], i))
        steps.append(Loop(tuple(members[i] for i in order), tuple(clocks[i] for i in order), sign))
    return tuple(steps)


def clocks_of(
    n: int, tails: IntArray, heads: IntArray, delays: IntArray
) -> tuple[list[int], list[int], int]:
    """Clocks, levels and direction of a strong component; direction 0 if it is cyclic."""
    for sign in (1, -1):
        clocks, level, cycle = forward_times(n, tails, heads, sign * delays)
        if not cycle:
            return (clocks - clocks.min()).tolist(), level.tolist(), sign
    return [], [], 0


def cyclic_error(graph: DelayGraph, values: list[Value]) -> CyclicCoverError:
    """Error for a component with cycles of both signs or of total delay 0."""
    inside = {value.vertex for value in values}
    edges = [
        e
        for e, (u, v) in enumerate(zip(graph.tails.tolist(), graph.heads.tolist(), strict=True))
        if u in inside and v in inside
    ]
    ends = graph.tails[edges], graph.heads[edges]
    cycles = []
    for sign in (1, -1):
        _, _, cycle = forward_times(len(graph.vertices), *ends, sign * graph.delays[edges, 0])
        walk = tuple(graph.edges[edges[k]] for k in cycle)
        total = sum(graph.delays[[edges[k] for k in cycle], 0].tolist())
        shown = graph.show_walk(walk)
        cycles.append((total, f"the cycle {shown} has total delay {total}", walk))
    zero = next((one for one in cycles if not one[0]), None)
    reason = (
        zero[1] if zero else f"{cycles[0][1]} and {cycles[1][1]}, which combine to total delay 0"
    )
    return CyclicCoverError(
        f"the unrolling has a directed cycle, so there is no order in which to compute it: "
        f"{reason}; unrollgraph.find_zero_walk returns the whole walk{delay_hint(graph)}",
        walk=zero[2] if zero else None,
    )


# -- over any other graph ----------------------------------------------------------------


@dataclass(frozen=True)
class Copies:
    """A total graph as executors use it: fibres, and edges by their base edges.

    Attributes
    ----------
    fibres : tuple of tuple
        Copies of each vertex, in the order of the total graph.
    position : dict
        For each copy, the number of its base vertex and its position in the fibre.
    sources : tuple of ndarray
        For each base edge and each copy of its head, the position of the copy of its tail that
        is read; -1 if no edge into the copy lies over the base edge.
    """

    fibres: tuple[tuple[Any, ...], ...]
    position: dict[Any, tuple[int, int]]
    sources: tuple[IntArray, ...]


@dataclass(frozen=True)
class Part:
    """Values computed together over a graph that is not a window."""

    at: dict[int, tuple[int, ...]]  # values at each vertex, in the order within a copy
    stepped: bool  # whether they read each other through edges and are computed by level


@dataclass(frozen=True)
class Level:
    """Range of stored copies of one vertex that do not depend on each other."""

    vertex: int
    start: int
    stop: int


@dataclass(frozen=True)
class Wavefronts:
    """Vertices of an acyclic graph over the base, in the order of computation and storage.

    Attributes
    ----------
    order : tuple of ndarray
        For each vertex, the positions of its copies in the fibre, sorted by level.
    levels : tuple of Level
        Sources before their readers.
    sources : tuple of ndarray
        For each base edge and each stored copy of its head, the index of the stored copy of its
        tail that is read; the number of copies of the tail if no copy is read.
    targets : tuple of ndarray
        For each base edge and each stored copy of its tail, the index of a stored copy that
        reads it; the number of copies of the head if no copy reads it.
    single : tuple of bool
        For each base edge, whether each copy of its tail has at most one reader.
    """

    order: tuple[IntArray, ...]
    levels: tuple[Level, ...]
    sources: tuple[IntArray, ...]
    targets: tuple[IntArray, ...]
    single: tuple[bool, ...]


def plan_copies(graph: DelayGraph, p: GraphMap) -> Copies:
    """Fibres and sources of a total graph; raises LiftError if it cannot be run."""
    if set(p.base) != set(graph.vertices) or set(arcs_of(p.base)) != set(graph.edges):
        raise LiftError(
            "the base of the projection differs from the graph of the network; use a projection to "
            "the same vertices and edges"
        )
    fibres: list[list[Any]] = [[] for _ in graph.vertices]
    position: dict[Any, tuple[int, int]] = {}
    for node in p.total:
        v = graph.number[p(node)]
        position[node] = (v, len(fibres[v]))
        fibres[v].append(node)
    sources = _by_arrays(graph, p, fibres, position)
    if sources is None:
        sources = _by_arcs(graph, p, fibres, position)
    return Copies(tuple(map(tuple, fibres)), position, tuple(sources))


def _by_arrays(
    graph: DelayGraph,
    p: GraphMap,
    fibres: list[list[Any]],
    position: dict[Any, tuple[int, int]],
) -> list[IntArray] | None:
    """Sources from the arrays of a lift; None for other graphs or unusual edges."""
    if getattr(p.total, "projection", None) is not p or not hasattr(p.total, "to_arrays"):
        return None
    arrays = p.total.to_arrays()
    below = np.array([graph.edge_number[edge] for edge in arcs_of(p.base)], dtype=np.int64)
    edges, at = below[arrays.edges], np.array([*position.values()], dtype=np.int64)
    (tails, starts), (heads, ends) = at[arrays.tails].T, at[arrays.heads].T
    if np.any(tails != graph.tails[edges]) or np.any(heads != graph.heads[edges]):
        return None
    sources = []
    order = np.argsort(edges, kind="stable")
    cuts = np.searchsorted(edges[order], np.arange(len(graph.edges) + 1))
    for e, v in enumerate(graph.heads.tolist()):
        arcs = order[cuts[e] : cuts[e + 1]]
        source = np.full(len(fibres[v]), -1, dtype=np.int64)
        source[ends[arcs]] = starts[arcs]
        if np.count_nonzero(source >= 0) < len(arcs):
            return None  # two edges into a copy over one base edge
        sources.append(source)
    return sources


def _by_arcs(
    graph: DelayGraph,
    p: GraphMap,
    fibres: list[list[Any]],
    position: dict[Any, tuple[int, int]],
) -> list[IntArray]:
    """Sources edge by edge; raises LiftError for edges that cannot be read."""
    sources = [np.full(len(fibres[v]), -1, dtype=np.int64) for v in graph.heads.tolist()]
    for arc in arcs_of(p.total):
        e = graph.edge_number.get(p.edge(arc), -1)
        (u, i), (v, j) = position[arc[0]], position[arc[1]]
        if e < 0 or (int(graph.tails[e]), int(graph.heads[e])) != (u, v):
            raise LiftError(
                f"edge {arc!r} of the total graph does not lie over an edge of the network; "
                "correct the projection",
                edge=arc,
            )
        if sources[e][j] >= 0:
            raise LiftError(
                f"more than one edge into vertex {arc[1]!r} lies over edge {graph.edges[e]!r} of "
                "the network; keep only one of them",
                node=arc[1],
                edge=graph.edges[e],
            )
        sources[e][j] = i
    return sources


def plan_levels(graph: DelayGraph, copies: Copies) -> Wavefronts:
    """Order the copies of each vertex by their level in the total graph."""
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
            f"the total graph has the directed cycle {show_walk(cycle)}, so there is no order in "
            "which to compute it; run over an acyclic graph",
            walk=tuple(cycle),
        )
    vertex = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((vertex, level))
    keys = level[order] * len(sizes) + vertex[order]
    cuts = np.flatnonzero(np.diff(keys)) + 1
    done = [0] * len(sizes)
    found = []
    for group in np.split(order, cuts) if len(order) else []:
        v = int(vertex[group[0]])
        found.append(Level(v, done[v], done[v] + len(group)))
        done[v] += len(group)
    stored = [order[vertex[order] == v] - begin[v] for v in range(len(sizes))]
    return _stored(graph, copies, stored, tuple(found))


def _stored(
    graph: DelayGraph, copies: Copies, order: list[IntArray], found: tuple[Level, ...]
) -> Wavefronts:
    """Convert sources from positions in fibres to positions in storage."""
    rank = [np.append(np.argsort(own), len(own)) for own in order]  # index -1 reads the last entry
    sources, targets, single = [], [], []
    for e, (u, v) in enumerate(zip(graph.tails.tolist(), graph.heads.tolist(), strict=True)):
        source = rank[u][copies.sources[e][order[v]]]
        target = np.full(len(order[u]) + 1, len(order[v]))
        target[source] = np.arange(len(source))
        sources.append(source)
        targets.append(target[:-1])
        readers = np.bincount(source, minlength=len(order[u]) + 1)[:-1]
        single.append(bool(readers.max(initial=0) < 2))
    return Wavefronts(tuple(order), found, tuple(sources), tuple(targets), tuple(single))


def plan_parts(values: Sequence[Value], chosen: Iterable[int]) -> tuple[Part, ...]:
    """Order the chosen values over a graph that is not a window.

    A value on no cycle of values is computed at all copies of its vertex at once. Consecutive
    values at one vertex form one part, unless one reads another through an edge.
    """
    parts: list[Part] = []
    for members, wires in _condensed(values, chosen):
        at: dict[int, list[int]] = {}
        for k in members:
            at.setdefault(values[k].vertex, []).append(k)
        if wires:
            ordered = {v: tuple(_order_within(values, ks)) for v, ks in at.items()}
            parts.append(Part(ordered, stepped=True))
            continue
        (k,) = members
        v, last = values[k].vertex, parts[-1] if parts else None
        if last and not last.stepped and v in last.at:
            inner = last.at[v]
            if all(ref.edge is None or ref.value not in inner for ref in values[k].args):
                parts[-1] = Part({v: (*inner, k)}, stepped=False)
                continue
        parts.append(Part({v: (k,)}, stepped=False))
    return tuple(parts)


def _order_within(values: Sequence[Value], chosen: Sequence[int]) -> list[int]:
    """Order the values at one vertex so that each follows those it reads there."""
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
