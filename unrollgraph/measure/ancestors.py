"""Ancestors in the infinite delay cover, as a finite window and a table for all earlier times.

A *trek* between two vertices is a path without colliders, up to a common ancestor and down; the
ancestor may be one of the two. Whether there is a trek depends only on the two base vertices and
the difference of their times. A finite graph decides it for all differences up to the largest
delay D. Its states are pairs of base vertices with a difference. A move replaces the later of the
two vertices by one of its parents, or either vertex if the times are equal. Since no edge goes
back in time, a vertex that is later than the other one is not the common ancestor, so the trek
continues to one of its parents. Hence there is a trek iff moves lead to a pair of equal vertices
at equal times. A move leaves a difference of at most D, so there are n^2 (D + 1) states up to
symmetry. One search, backward from the pairs of equal vertices, finds all pairs with a trek.

All times here are *ordered*: `OrderedTimes` shifts and if necessary reverses time such that no edge
goes back. It exists if the cycles among the ancestors have positive totals, or all negative ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.errors import UnboundedError, check_size
from unrollgraph.graph.delay_graph import DelayGraph, known, part_of
from unrollgraph.graph.digraph import levels
from unrollgraph.graph.potentials import nonnegative_times
from unrollgraph.limits import MOST_COUNTED, MOST_NUMBERS
from unrollgraph.measure.acyclicity import acyclicity_certificate
from unrollgraph.measure.certificates import one_axis

State = tuple[int, int]  # number of a base vertex, and ordered time
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class OrderedTimes:
    """Times in which no edge among the ancestors of some base vertices goes back."""

    graph: DelayGraph
    sign: int  # the ordered time of (v, t) is sign * t + shifts[v]
    shifts: dict[int, int]  # one for each ancestor
    parents: dict[int, tuple[State, ...]]  # tails and ordered delays of the in-edges, distinct

    def state(self, node: tuple[Any, int]) -> State:
        """State of a vertex of the cover."""
        v = self.graph.number[node[0]]
        return v, self.sign * node[1] + self.shifts[v]

    def node(self, state: State) -> tuple[Any, int]:
        """Vertex of the cover of a state."""
        v, time = state
        return self.graph.vertices[v], self.sign * (time - self.shifts[v])

    def parents_of(self, state: State) -> list[State]:
        """States of the parents."""
        return [(u, state[1] - d) for u, d in self.parents[state[0]]]

    @cached_property
    def largest(self) -> int:
        """Largest ordered delay."""
        return max((d for found in self.parents.values() for _, d in found), default=0)

    @cached_property
    def treks(self) -> Treks:
        """The pairs of vertices with a trek."""
        return Treks(self)


def ordered_times(graph: DelayGraph, vertices: Iterable[int]) -> OrderedTimes:
    """Order the times of the ancestors of base vertices; O(n m)."""
    one_axis(graph)
    every = graph.tails.tolist()
    queue = list(dict.fromkeys(vertices))
    base = set(queue)
    for v in queue:  # grows while it is read
        new = {every[e] for e in graph.in_numbers[v]} - base
        base |= new
        queue.extend(new)
    edges = np.array([e for v in sorted(base) for e in graph.in_numbers[v]], dtype=np.int64)
    tails, heads, delays = graph.tails[edges], graph.heads[edges], graph.delays[edges, 0]
    cycles = []
    for sign in (1, -1):
        n = len(graph.vertices)
        shifts, still, cycle = nonnegative_times(n, tails, heads, sign * delays)
        if not cycle:
            break
        cycles.append(tuple(graph.edges[e] for e in edges[list(cycle)].tolist()))
    else:
        negative, positive = (f"{graph.show_walk(c)} (total {_total(graph, c)})" for c in cycles)
        raise UnboundedError(
            f"among the ancestors are the cycles {positive} and {negative}, but the totals of all "
            "cycles must have one sign here; take a window of the cover with unrollgraph.unroll",
            cycle=cycles[0],
        )
    if levels(n, tails[still], heads[still]).min(initial=0) < 0:
        acyclicity_certificate(part_of(graph, sorted(base), edges.tolist()))  # raises
    found: dict[int, dict[State, None]] = {v: {} for v in sorted(base)}
    ordered = sign * delays + shifts[heads] - shifts[tails]
    for u, v, d in zip(tails.tolist(), heads.tolist(), ordered.tolist(), strict=True):
        found[v][u, d] = None
    parents = {v: tuple(states) for v, states in found.items()}
    return OrderedTimes(graph, sign, {v: int(shifts[v]) for v in parents}, parents)


def _total(graph: DelayGraph, cycle: tuple[Any, ...]) -> int:
    return sum(graph.time_of(edge) for edge in cycle)


@dataclass(frozen=True)
class AncestralWindow:
    """Ancestors of vertices of the cover at ordered times >= ``first``, and their parents."""

    times: OrderedTimes
    first: int
    parents: dict[State, list[State]]  # of each vertex of the window
    children: dict[State, list[State]]  # in the window, of each vertex or parent

    @cached_property
    def border(self) -> tuple[State, ...]:
        """Parents before the window, sorted."""
        return tuple(sorted(a for a in self.children if a[1] < self.first))

    @cached_property
    def past(self) -> dict[State, list[State]]:
        """For each vertex of the border those to which it has a trek before the window."""
        if not self.border:
            return {}
        related = self.times.treks.among(self.border)
        rows = (np.flatnonzero(row).tolist() for row in related)
        return {a: [self.border[k] for k in row] for a, row in zip(self.border, rows, strict=True)}


def listed(cover: DelayCover, nodes: Any) -> list[Any]:
    """Return the vertices of a set, or a single vertex, as a list without repetition."""
    single = not isinstance(nodes, Iterable) or (
        # also if it is not a vertex of the cover: then the error names it
        isinstance(nodes, tuple) and len(nodes) == 2 and not isinstance(nodes[1], tuple)
    )
    single = single or known(nodes, cover)
    return list(dict.fromkeys(map(cover.locate, [nodes] if single else nodes)))


def ancestral_window(times: OrderedTimes, states: Iterable[State], first: int) -> AncestralWindow:
    """Find the ancestors of vertices back to an ordered time; O(edges among them)."""
    parents: dict[State, list[State]] = {}
    children: dict[State, list[State]] = {}
    queue = list(dict.fromkeys(states))
    seen = set(queue)
    for a in queue:  # grows while it is read
        parents[a] = times.parents_of(a)
        for p in parents[a]:
            children.setdefault(p, []).append(a)
            if p[1] >= first and p not in seen:
                seen.add(p)
                queue.append(p)
        hint = "choose vertices closer in time"
        check_size(len(queue), MOST_COUNTED, "the ancestors between the given times", hint)
    return AncestralWindow(times, first, parents, children)


class Treks:
    """Pairs of vertices of the cover with a common ancestor, computed for all pairs at once."""

    def __init__(self, times: OrderedTimes) -> None:
        from scipy.sparse import coo_array, csgraph  # noqa: PLC0415  (heavy: loaded on first use)

        self.times = times
        self._place = {v: k for k, v in enumerate(times.parents)}
        self._n, self._size = len(self._place), times.largest + 1
        edges = [
            (self._place[u], self._place[v], d) for v in times.parents for u, d in times.parents[v]
        ]
        states = self._n**2 * self._size
        check_size(
            4 * max(self._n, len(edges)) * self._n * self._size,
            MOST_NUMBERS,
            f"the table of pairs of {self._n} vertices with delays of at most {times.largest}",
            "use a larger unit of time, or take a window of the cover with unrollgraph.unroll",
        )
        u, v, d = (np.array(column)[:, None, None] for column in zip(*edges, strict=True))
        other, gap = np.arange(self._n)[:, None], np.arange(self._size)
        before, after = self._index(v, other, gap).ravel(), self._index(u, other, gap - d).ravel()
        equal = self._index(other[:, 0], other[:, 0], 0)
        # the search runs backward, from one more state that leads to the pairs of equal vertices
        rows = np.concatenate([after, np.full(self._n, states)])
        columns = np.concatenate([before, equal])
        ones = np.ones(len(rows), dtype=np.int8)
        graph = coo_array((ones, (rows, columns)), shape=(states + 1, states + 1)).tocsr()
        _, self._next = csgraph.breadth_first_order(graph, states)

    def _index(self, v: Any, w: Any, gap: Any) -> Any:
        """Number of a pair whose first vertex is later by ``gap``."""
        swap = (gap < 0) | ((gap == 0) & (v > w))
        return (np.where(swap, w, v) * self._n + np.where(swap, v, w)) * self._size + np.abs(gap)

    def among(self, states: Sequence[State]) -> NDArray[np.bool_]:
        """Whether there is a trek, for each pair of vertices of a list."""
        check_size(
            len(states) ** 2,
            MOST_NUMBERS,
            f"the table of treks between {len(states)} parents before the given vertices",
            "use a larger unit of time, or fewer vertices",
        )
        v, t = self._columns(states, min((time for _, time in states), default=0))
        known: NDArray[np.bool_] = self._next[self._index(v[:, None], v, t[:, None] - t)] >= 0
        return known

    def _columns(self, states: Iterable[State], zero: int) -> tuple[IntArray, IntArray]:
        pairs = [(self._place[v], time - zero) for v, time in states]
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def trek(self, a: State, b: State) -> list[State]:
        """Return a trek between two vertices, up to a common ancestor and down."""
        left, right = [a], [b]
        while left[-1] != right[-1]:
            goal = self._next[self._number(left[-1], right[-1])]
            first, second = (left, right) if left[-1][1] >= right[-1][1] else (right, left)
            moved = self._moved(first, second[-1], goal)
            if not moved:  # equal times
                self._moved(second, first[-1], goal)
        return left + right[-2::-1]

    def _moved(self, side: list[State], other: State, goal: int) -> bool:
        """Append the parent to a side that makes the pair the one of number ``goal``."""
        for parent in self.times.parents_of(side[-1]):
            if self._number(parent, other) == goal:
                side.append(parent)
                return True
        return False

    def _number(self, a: State, b: State) -> int:
        return int(self._index(self._place[a[0]], self._place[b[0]], a[1] - b[1]))
