"""The walks between two vertices of a delay graph, and searches among their lifts.

A path of the cover from ``(u, s)`` to ``(v, s + t)`` is the lift of a walk from u to v of
total delay t. Such walks use the edges that can be reached from u and from which v can be
reached; `between` leaves out all others.

*Where a shortest one need not go.* If no cycle has a negative total there are clocks by which no
edge goes back, and by them no time lies before the start or after the goal. Else let n
vertices and delays of at most D be left, and let a walk of least cost have the fewest edges.
For each time h above start and goal take the place where it first climbs to h or above, and the
place where it last leaves h or above: a vertex each, and how far above h. Of those pairs there
are at most (n D)^2. Were there more such h, two of them would agree, and what the walk does
between them, up on the one side and down on the other, could be left out: the total is the
same, the cost no higher, the edges fewer. So it stays within (n D)^2 of start and goal, and
`corridor` is finite in every case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import Found, astar, breadth_first
from unrollgraph.graph.potentials import clocks
from unrollgraph.measure.linear_schedule import Wiring

IntArray = NDArray[np.int64]
LARGEST = 10_000_000  # entries of a table of totals: some ten seconds
NEAR = 2_000  # vertices of the cover to look through before anything is computed below, and
NEAR_EACH = 4  # for each vertex of the base
FARTHEST = 200_000  # vertices of the cover that a search may meet
Segments = list[tuple[tuple[int, ...], int]]  # a walk: edges, and how often they are walked


@dataclass(frozen=True)
class Walks:
    """The edges that walks from a start to a goal can use, vertices numbered anew.

    Attributes
    ----------
    vertices, edges : ndarray of int
        Their numbers in the graph.
    tails, heads : ndarray of int
        Ends of the edges, by the new numbers.
    delays : ndarray of int64, shape (m, d)
        Their delays.
    costs : tuple of int
        Their costs, none of them negative.
    start, goal : int
        New numbers.
    """

    vertices: IntArray
    edges: IntArray
    tails: IntArray
    heads: IntArray
    delays: IntArray
    costs: tuple[int, ...]
    start: int
    goal: int

    @property
    def n(self) -> int:
        """Number of vertices."""
        return len(self.vertices)

    @property
    def wiring(self) -> Wiring:
        """The edges as arrays alone."""
        return Wiring(self.n, self.tails, self.heads, self.delays)

    def named(self, edges: Iterable[int]) -> tuple[int, ...]:
        """Edges by their numbers in the graph."""
        return tuple(self.edges[list(edges)].tolist())

    def keeping(self, edges: Sequence[bool] | NDArray[np.bool_]) -> Walks | None:
        """The walks that use only some edges; None if there are none."""
        kept = np.flatnonzero(edges)
        tails, heads = self.tails[kept], self.heads[kept]
        behind = breadth_first(self.n, tails, heads, self.start)
        before = breadth_first(self.n, heads, tails, self.goal)
        if self.goal not in behind:
            return None
        ends = np.array(sorted(behind.keys() & before.keys()), dtype=np.int64)
        place = np.full(self.n, -1)
        place[ends] = np.arange(len(ends))
        inner = (place[tails] >= 0) & (place[heads] >= 0)
        kept = kept[inner]
        return Walks(
            self.vertices[ends],
            self.edges[kept],
            place[self.tails[kept]],
            place[self.heads[kept]],
            self.delays[kept],
            tuple(self.costs[e] for e in kept.tolist()),
            int(place[self.start]),
            int(place[self.goal]),
        )

    def taking(self, edges: IntArray) -> Walks:
        """The same vertices with some of the edges."""
        return Walks(
            self.vertices,
            self.edges[edges],
            self.tails[edges],
            self.heads[edges],
            self.delays[edges],
            tuple(self.costs[e] for e in edges.tolist()),
            self.start,
            self.goal,
        )

    def avoiding(self, vertices: Iterable[int]) -> Walks | None:
        """The walks that meet none of some vertices; None if there are none."""
        out = np.zeros(self.n, dtype=bool)
        out[list(vertices)] = True
        if out[self.start] or out[self.goal]:
            return None
        return self.keeping(~(out[self.tails] | out[self.heads]))

    def mirrored(self) -> Walks:
        """The same walks with all delays negated."""
        return Walks(
            self.vertices,
            self.edges,
            self.tails,
            self.heads,
            -self.delays,
            self.costs,
            self.start,
            self.goal,
        )


def between(graph: DelayGraph, start: int, goal: int, costs: Sequence[int]) -> Walks | None:
    """The walks from one vertex of a graph to another; None if there are none."""
    every = np.arange(len(graph.edges))
    whole = Walks(
        np.arange(len(graph.vertices)),
        every,
        graph.tails,
        graph.heads,
        graph.delays,
        tuple(costs),
        start,
        goal,
    )
    return whole.keeping(np.ones(len(every), dtype=bool))


@dataclass(frozen=True)
class Corridor:
    """Bounds on the times of a walk: ``low <= t + clock(v) - clock(start) <= high``.

    Attributes
    ----------
    clock : list of int
        For each vertex.
    low, high : int
        The bounds; low > high where no walk has the total.
    sign : int
        1 if no cycle has a negative total, else -1 if none has a positive one, else 0.
    """

    clock: list[int]
    low: int
    high: int
    sign: int


def corridor(walks: Walks, total: int, axis: int = 0) -> Corridor:
    """Bounds within which some walk of least cost of a total delay stays."""
    delays = walks.delays[:, axis]
    for sign in (1, -1):
        ticks, _, cycle = clocks(walks.n, walks.tails, walks.heads, sign * delays)
        if not cycle:
            clock = (sign * ticks).tolist()
            end = total + clock[walks.goal] - clock[walks.start]
            if sign * end < 0:
                return Corridor(clock, 1, 0, sign)
            return Corridor(clock, min(0, end), max(0, end), sign)
    margin = (walks.n * int(np.abs(delays).max(initial=0))) ** 2
    return Corridor([0] * walks.n, min(0, total) - margin, max(0, total) + margin, 0)


def as_segments(walks: Walks, found: Found) -> Segments | None:
    """What a search found, by the numbers of edges in the graph."""
    return None if found.cost is None else [(walks.named(found.steps), 1)]


def inserted(
    walks: Walks, way: Sequence[int], turns: Iterable[tuple[Sequence[int], int]]
) -> Segments:
    """A walk with closed walks inserted so many times, each where it is first met."""
    waiting = [(tuple(edges), count) for edges, count in turns if count]
    found: Segments = []
    piece: list[int] = []
    for e in (-1, *way):
        if e >= 0:
            piece.append(e)
        here = int(walks.heads[e]) if e >= 0 else walks.start
        for turn in list(waiting):
            edges, count = turn
            tails = walks.tails[list(edges)].tolist()
            if here in tails:
                at = tails.index(here)
                found += [(tuple(piece), 1), (edges[at:] + edges[:at], count)]
                piece = []
                waiting.remove(turn)
    return [(part, count) for part, count in [*found, (tuple(piece), 1)] if part]


def search(walks: Walks, total: int, bounds: Corridor, most: int) -> Found:
    """Search the cover for a path of least cost of a total delay (in Z) within bounds."""
    clock, low, high = bounds.clock, bounds.low, bounds.high
    out: list[list[tuple[int, int, int, int]]] = [[] for _ in range(walks.n)]
    rows = zip(
        walks.tails.tolist(),
        walks.heads.tolist(),
        walks.delays[:, 0].tolist(),
        walks.costs,
        strict=True,
    )
    for k, (u, v, d, cost) in enumerate(rows):
        out[u].append((v, d + clock[v] - clock[u], cost, k))

    def moves(state: tuple[int, int]) -> Iterable[tuple[tuple[int, int], int, int]]:
        u, time = state
        for v, d, cost, k in out[u]:
            if low <= time + d <= high:
                yield (v, time + d), cost, k

    if low > high:
        return Found(None, (), exhausted=True)
    end = total + clock[walks.goal] - clock[walks.start]
    return astar((walks.start, 0), (walks.goal, end), moves, most=most)
