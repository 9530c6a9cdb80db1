"""The walks between two vertices of a delay graph, and searches for a shortest one.

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

*In Z^d* a search is exact where it is confined:

* along each axis where all cycles have totals of one sign, times stay between start and goal;
* where a linear schedule exists, so do its keys;
* where all the totals between the two vertices cancel, as in a crystal net with its reverses,
  those of closed walks form a lattice. Its cosets tell what is reached, and the search
  ends.

Elsewhere it needs a radius, the largest length of a path to look for.

The search is A*, led by a lower bound that is linear in time. Let walks of a total delay s be
looked for, from u to v. Give a multiplier y to a step along each axis and a level p to each
vertex. If every edge fulfils

    y . d <= cost + p(tail) - p(head),

then no walk costs less than ``y . s + p(v) - p(u)``, the sum of the left sides. The best
multipliers solve a linear program, whose dual is a flow from u to v of total delay s that may
be divided. Where there is no such flow, there are multipliers that show it: with costs of zero
the bound is positive, and no walk has that total.

The program is solved in floats. Its multipliers are rounded to fractions, levels for them are
computed in exact integers, and what they show is checked there; multipliers that were rounded to
something false lead to no wrong answer, but to no bound.

References
----------
P. E. Hart, N. J. Nilsson, B. Raphael, A formal basis for the heuristic determination of minimum
cost paths, IEEE Transactions on Systems Science and Cybernetics 4 (1968). D. B. Johnson,
Efficient algorithms for shortest paths in sparse networks, Journal of the ACM 24 (1977).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.errors import CyclicCoverError, RadiusError, TooLargeError, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import Digraph, Found, astar, dijkstra, vertices_between
from unrollgraph.graph.potentials import clocks, feasible_potential
from unrollgraph.graph.times import add
from unrollgraph.limits import MOST_SEARCHED
from unrollgraph.measure._components import cancelling_parts, same_component
from unrollgraph.measure.acyclicity import verdict
from unrollgraph.measure.lattices import dot

IntArray = NDArray[np.int64]
NEAR = 2_000  # vertices of the cover to look through before anything is computed below, and
NEAR_EACH = 4  # for each vertex of the base
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
    def digraph(self) -> Digraph:
        """The edges as arrays alone."""
        return Digraph(self.n, self.tails, self.heads, self.delays)

    def named(self, edges: Iterable[int]) -> tuple[int, ...]:
        """Edges by their numbers in the graph."""
        return tuple(self.edges[list(edges)].tolist())

    def keeping(self, edges: Sequence[bool] | NDArray[np.bool_]) -> Walks | None:
        """The walks that use only some edges; None if there are none."""
        kept = np.flatnonzero(edges)
        tails, heads = self.tails[kept], self.heads[kept]
        ends = vertices_between(self.n, tails, heads, self.start, self.goal)
        if not len(ends):
            return None
        place = np.full(self.n, -1)
        place[ends] = np.arange(len(ends))
        inner = self.taking(kept[(place[tails] >= 0) & (place[heads] >= 0)])
        return replace(
            inner,
            vertices=self.vertices[ends],
            tails=place[inner.tails],
            heads=place[inner.heads],
            start=int(place[self.start]),
            goal=int(place[self.goal]),
        )

    def taking(self, edges: IntArray) -> Walks:
        """The same vertices with some of the edges."""
        return replace(
            self,
            edges=self.edges[edges],
            tails=self.tails[edges],
            heads=self.heads[edges],
            delays=self.delays[edges],
            costs=tuple(self.costs[e] for e in edges.tolist()),
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
        return replace(self, delays=-self.delays)


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


FINEST = 10**6  # denominators of multipliers
DEAREST = 2**1000  # near to what floats can hold
LEAST = 1e-7
AFAR = 10**6  # steps, against which it does not count between which vertices they lead


def reaches_in_space(
    walks: Walks, ends: tuple[Any, Any], step: tuple[int, ...], radius: int | None
) -> bool:
    """Whether some walk has a total delay in Z^d; for a crystal net its cosets decide."""
    walks = _without_still_loops(walks)
    if _cancels(walks):
        return same_component(DelayCover(inner_graph(walks)), *_copies(walks, step))
    return least_in_space(walks, ends, step, radius) is not None


def least_in_space(
    walks: Walks,
    ends: tuple[Any, Any],
    step: tuple[int, ...],
    radius: int | None,
    unit: int = 1,
) -> Segments | None:
    """A walk of least cost of a total delay in Z^d, by segments; None if there is none.

    Where nothing confines the search, not beyond a radius, in units of cost. A few vertices are
    searched first. Then a lattice or multipliers may show that there is no walk.
    """
    walks = _without_still_loops(walks)
    inner = inner_graph(walks)
    inside, confined = bounds_in_space(walks, inner, step)
    confined = confined or _cancels(walks)
    limit = None if confined or radius is None else radius * unit
    near = search_in_space(walks, step, inside, limit, [], NEAR)
    if near.exhausted:
        return as_segments(walks, near)
    if not same_component(DelayCover(inner), *_copies(walks, step)) or is_infeasible(walks, step):
        return None
    bound = best_bound(walks, step)
    least = 0 if bound is None else -(-bound.at(walks.start, step) // (bound.unit * unit))
    if not confined and radius is None:
        raise RadiusError(
            f"nothing bounds the search for a path from {show_vertex(ends[0])} to "
            f"{show_vertex(ends[1])}, since the total delays of cycles between them have several "
            "directions; give a radius, the largest length of a path to look for, of at least "
            f"{least}"
        )
    if limit is not None and (not near.full or least > (radius or 0)):
        raise _beyond(ends, radius, least)
    found = search_in_space(walks, step, inside, limit, best_bounds(walks, step), MOST_SEARCHED)
    if found.full:
        raise TooLargeError(
            f"no path from {show_vertex(ends[0])} to {show_vertex(ends[1])} was found among "
            f"{MOST_SEARCHED} vertices of the cover, as many as are looked through; take vertices "
            f"that are nearer to each other{'' if min(walks.costs) else ', or lengths above 0'}"
        )
    if limit is not None and not found.exhausted:
        raise _beyond(ends, radius, least)
    return as_segments(walks, found)


def _beyond(ends: tuple[Any, Any], radius: int | None, least: int) -> RadiusError:
    return RadiusError(
        f"no path from {show_vertex(ends[0])} to {show_vertex(ends[1])} is of length {radius} "
        f"or less, and none is shorter than {least}; there may be longer ones: raise the radius"
    )


def _without_still_loops(walks: Walks) -> Walks:
    """The walks without self-loops of delay zero, which change neither vertex nor time."""
    moving = (walks.tails != walks.heads) | walks.delays.any(axis=1)
    return walks if moving.all() else walks.taking(moving.nonzero()[0])


def inner_graph(walks: Walks) -> DelayGraph:
    """The delay graph of the walks alone, by their own numbers."""
    G: Any = nx.MultiDiGraph()
    G.add_nodes_from(range(walks.n))
    rows = zip(walks.tails.tolist(), walks.heads.tolist(), walks.delays.tolist(), strict=True)
    G.add_edges_from((u, v, {"delay": tuple(d)}) for u, v, d in rows)
    return DelayGraph(G)


def _copies(walks: Walks, step: Any) -> tuple[Any, Any]:
    return (walks.start, (0,) * len(step)), (walks.goal, step)


def bounds_in_space(
    walks: Walks, inner: DelayGraph, step: tuple[int, ...]
) -> tuple[Callable[[Any], bool], bool]:
    """Whether a vertex may lie on a path, and whether finitely many may."""
    axes = [(k, corridor(walks, total, k)) for k, total in enumerate(step)]
    signed = [(k, c) for k, c in axes if c.sign or c.low > c.high]
    start = walks.start
    schedule = None
    if len(signed) < len(step) and len(walks.edges):
        try:
            proof = verdict(inner)
        except CyclicCoverError:
            proof = None
        if proof is not None and proof.is_linear:
            schedule = proof
    last = schedule.key((walks.goal, step)) if schedule is not None else ()

    def inside(node: Any) -> bool:
        v, time = node
        for k, c in signed:
            if not c.low <= time[k] + c.clock[v] - c.clock[start] <= c.high:
                return False
        return schedule is None or schedule.key(node) <= last

    nowhere = any(c.low > c.high for _, c in signed)
    confined = schedule is not None or len(signed) == len(step) or not len(walks.edges)
    return inside, confined or nowhere


def _cancels(walks: Walks) -> bool:
    """Whether all edges lie in one part whose totals cancel one another."""
    return [len(part) for part in cancelling_parts(walks.digraph)] == [len(walks.edges)]


# -- the search and its bound --------------------------------------------------------------


class Bound(NamedTuple):
    """A lower bound on the cost of walks to the goal, linear in their total delay.

    No walk from v of a total delay s costs less than ``(multipliers . s + rest[v]) / unit``.
    """

    unit: int
    multipliers: tuple[int, ...]
    rest: list[int]

    def at(self, v: int, total: Sequence[int]) -> int:
        """The bound times the unit."""
        return max(0, dot(self.multipliers, total) + self.rest[v])


def search_in_space(
    walks: Walks,
    step: tuple[int, ...],
    inside: Callable[[Any], bool],
    radius: int | None,
    bounds: Sequence[Bound],
    most: int,
) -> Found:
    """Search the cover, led by lower bounds; of equals the nearest to the goal is first."""
    unit = lcm(*(bound.unit for bound in bounds))
    weights = [unit // bound.unit for bound in bounds]
    out: list[list[tuple[int, Any, int, int]]] = [[] for _ in range(walks.n)]
    ends = zip(walks.tails.tolist(), walks.heads.tolist(), strict=True)
    rows = zip(ends, walks.delays.tolist(), walks.costs, strict=True)
    for e, ((u, v), d, cost) in enumerate(rows):
        out[u].append((v, tuple(d), unit * cost, e))

    def moves(state: Any) -> Iterable[tuple[Any, int, int]]:
        u, time = state
        for v, d, cost, e in out[u]:
            after = v, add(time, d, 1)
            if inside(after):
                yield after, cost, e

    def left(state: Any) -> tuple[int, int]:
        v, time = state
        way = add(step, time, -1)
        rest = (k * b.at(v, way) for k, b in zip(weights, bounds, strict=True))
        return max(rest, default=0), dot(way, way)

    found = astar(
        (walks.start, (0,) * len(step)),
        (walks.goal, step),
        moves,
        most=most,
        radius=None if radius is None else radius * unit,
        left=left,
    )
    return found if found.cost is None else replace(found, cost=found.cost // unit)


def is_infeasible(walks: Walks, step: Sequence[int]) -> bool:
    """Whether multipliers show that no walk has the total delay."""
    bound = best_bound(replace(walks, costs=(0,) * len(walks.edges)), step)
    return bound is not None and bound.at(walks.start, step) > 0


def best_bounds(walks: Walks, step: Sequence[int]) -> list[Bound]:
    """Bounds that are greatest at the start, and far away along each axis for what strays."""
    d = len(step)
    axes = [tuple(x * (k == axis) for k in range(d)) for axis in range(d) for x in (AFAR, -AFAR)]
    found = [best_bound(walks, total) for total in (step, *axes)]
    return [bound for bound in found if bound is not None]


def best_bound(walks: Walks, step: Sequence[int]) -> Bound | None:
    """The bound that is greatest for walks of a total delay from the start; None if none is found.

    Notes
    -----
    A linear program of n + d numbers and m conditions, and exact shortest distances.
    """
    multipliers = _lp_relaxation(walks, step)
    unit = lcm(*(y.denominator for y in multipliers))
    whole = tuple(int(y * unit) for y in multipliers)
    left = [
        unit * cost - dot(whole, delay)
        for cost, delay in zip(walks.costs, walks.delays.tolist(), strict=True)
    ]
    level, cycle = feasible_potential(walks.n, walks.tails, walks.heads, left)
    if cycle:
        return None
    into: list[list[tuple[int, int, int]]] = [[] for _ in range(walks.n)]
    ends = zip(walks.tails.tolist(), walks.heads.tolist(), left, strict=True)
    for e, (u, v, x) in enumerate(ends):
        into[v].append((u, x + level[u] - level[v], e))
    rest, _ = dijkstra({walks.goal: level[walks.goal]}, into.__getitem__)
    return Bound(unit, whole, [rest[v] - level[v] for v in range(walks.n)])


def _lp_relaxation(walks: Walks, step: Sequence[int]) -> tuple[Fraction, ...]:
    """Multipliers of the axes of a greatest bound, none beyond the sum of all costs and 1."""
    from scipy.optimize import linprog  # noqa: PLC0415  (heavy: loaded on first use)
    from scipy.sparse import csr_array  # noqa: PLC0415

    m, d = walks.delays.shape
    edges = np.arange(m)
    entries = np.concatenate([np.full(m, -1.0), np.ones(m), walks.delays.T.ravel().astype(float)])
    columns = np.concatenate([d + walks.tails, d + walks.heads, np.repeat(np.arange(d), m)])
    shape = (m, d + walks.n)
    conditions: Any = csr_array((entries, (np.tile(edges, d + 2), columns)), shape=shape)
    scale = max(map(abs, step), default=0) or 1  # so that no number is large
    shares = [x / scale for x in step]
    # what is less than that beside the rest would be lost among the tolerances of the solver
    seen = [np.sign(s) * max(abs(s), LEAST) for s in shares]
    value = np.array([*seen, *[0.0] * walks.n])
    value[d + walks.goal] += 1 / scale
    value[d + walks.start] -= 1 / scale
    most, zero = 1 + sum(walks.costs), (Fraction(0),) * int(d)
    if most > DEAREST:
        return zero
    found: Any = linprog(
        -value,
        A_ub=conditions,
        b_ub=[float(cost) for cost in walks.costs],
        bounds=(-most, most),
    )
    if found.status != 0:
        return zero
    return tuple(Fraction(y).limit_denominator(FINEST) for y in found.x[:d])
