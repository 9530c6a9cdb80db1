"""Walks between two vertices of a delay graph, and searches for a shortest one.

A path of the cover from ``(u, s)`` to ``(v, s + t)`` is the lift of a walk from u to v of total
delay t. `between` keeps the edges that can be reached from u and from which v can be reached.

*Bounds in Z* (`time_bounds`). If no cycle has a negative total, no edge goes back in time under
some potential, and times stay between start and goal. Otherwise let there be n vertices and delays
of at most D, and take a walk of least cost with the fewest edges. For each time h after start and
goal, note the first and the last vertex of the walk at time h or later, and how much later each is.
There are at most (n D)^2 combinations. If two times h had the same one, the two parts of the walk
between them could be removed: same total, no higher cost, fewer edges. So times stay within (n D)^2
of start and goal.

*Bounds in Z^d*. One of three conditions makes the search finite and exact; otherwise it needs a
radius. Along each axis all cycles have totals of one sign, so times stay between start and goal; or
a linear schedule exists, and its keys stay between those of start and goal; or the totals of all
cycles cancel, as in a crystal net with its reverses, and the cosets of a lattice decide in advance
whether there is a path.

*Search*. A* with a lower bound that is linear in time. If a multiplier y for each axis and a level
p for each vertex satisfy ``y . d <= cost + p(tail) - p(head)`` on every edge, then a walk from u to
v of total s costs at least ``y . s + p(v) - p(u)``. The best y solve a linear program, whose dual
is a fractional flow from u to v of total s. If there is no such flow, some y give a positive bound
for zero costs, which proves that no walk has total s. The program is solved in floats; y is rounded
to fractions, and p is computed in exact integers. So rounding can lose a bound, not falsify it.

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
from unrollgraph.errors import CyclicCoverError, RadiusError, TooLargeError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import Digraph, SearchResult, astar, dijkstra, vertices_between
from unrollgraph.graph.potentials import feasible_potential, nonnegative_times
from unrollgraph.graph.times import add
from unrollgraph.limits import MOST_SEARCHED
from unrollgraph.measure._components import canceling_parts, same_component
from unrollgraph.measure.acyclicity import acyclicity_certificate
from unrollgraph.measure.lattices import dot

IntArray = NDArray[np.int64]
NEAR_STATES = 2_000  # vertices of the cover that a first search visits at most
NEAR_STATES_EACH = 4  # in Z also this number for each vertex of the base graph, if that is more
Segments = list[tuple[tuple[int, ...], int]]  # a walk: edges, and their repetitions


@dataclass(frozen=True)
class Walks:
    """Edges that walks from a start to a goal can use, with vertices renumbered."""

    vertices: IntArray  # their numbers in the graph
    edges: IntArray  # their numbers in the graph
    tails: IntArray  # new numbers of vertices, as in heads, start and goal
    heads: IntArray
    delays: IntArray  # shape (m, d)
    costs: tuple[int, ...]  # one for each edge, >= 0
    start: int
    goal: int

    @property
    def n(self) -> int:
        """Number of vertices."""
        return len(self.vertices)

    @property
    def digraph(self) -> Digraph:
        """The edges as a `Digraph`."""
        return Digraph(self.n, self.tails, self.heads, self.delays)

    def named(self, edges: Iterable[int]) -> tuple[int, ...]:
        """Edge numbers in the graph."""
        return tuple(self.edges[list(edges)].tolist())

    def keeping(self, edges: Sequence[bool] | NDArray[np.bool_]) -> Walks | None:
        """Keep only the walks that use some edges; None if no walks are left."""
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
        """Keep all vertices and only some edges."""
        return replace(
            self,
            edges=self.edges[edges],
            tails=self.tails[edges],
            heads=self.heads[edges],
            delays=self.delays[edges],
            costs=tuple(self.costs[e] for e in edges.tolist()),
        )

    def avoiding(self, vertices: Iterable[int]) -> Walks | None:
        """Keep only the walks that avoid some vertices; None if no walks are left."""
        out = np.zeros(self.n, dtype=bool)
        out[list(vertices)] = True
        if out[self.start] or out[self.goal]:
            return None
        return self.keeping(~(out[self.tails] | out[self.heads]))

    def mirrored(self) -> Walks:
        """Negate all delays."""
        return replace(self, delays=-self.delays)


def between(graph: DelayGraph, start: int, goal: int, costs: Sequence[int]) -> Walks | None:
    """Return the walks from one vertex to another; None if there are no walks."""
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
class TimeBounds:
    """Bounds on the times t of a walk: ``low <= t + clock[v] - clock[start] <= high``."""

    clock: list[int]  # a potential: a number for each vertex
    low: int  # low > high if no walk has the total
    high: int
    sign: int  # 1 if no cycle has a negative total, else -1 if none has a positive one, else 0


def time_bounds(walks: Walks, total: int, axis: int = 0) -> TimeBounds:
    """Bounds on the times of some walk of least cost with a given total delay."""
    delays = walks.delays[:, axis]
    for sign in (1, -1):
        ticks, _, cycle = nonnegative_times(walks.n, walks.tails, walks.heads, sign * delays)
        if not cycle:
            clock = (sign * ticks).tolist()
            end = total + clock[walks.goal] - clock[walks.start]
            if sign * end < 0:
                return TimeBounds(clock, 1, 0, sign)
            return TimeBounds(clock, min(0, end), max(0, end), sign)
    margin = (walks.n * int(np.abs(delays).max(initial=0))) ** 2
    return TimeBounds([0] * walks.n, min(0, total) - margin, max(0, total) + margin, 0)


def as_segments(walks: Walks, found: SearchResult) -> Segments | None:
    """Convert the result of a search to segments, with edge numbers of the graph."""
    return None if found.cost is None else [(walks.named(found.steps), 1)]


def inserted(
    walks: Walks, way: Sequence[int], turns: Iterable[tuple[Sequence[int], int]]
) -> Segments:
    """Insert repeated closed walks into a walk, each at the first common vertex."""
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


def search(walks: Walks, total: int, bounds: TimeBounds, most: int) -> SearchResult:
    """Search the cover (in Z) within bounds for a path of least cost."""
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
        return SearchResult(None, (), exhausted=True)
    end = total + clock[walks.goal] - clock[walks.start]
    return astar((walks.start, 0), (walks.goal, end), moves, most=most)


FINEST = 10**6  # largest denominator of the multipliers
LARGEST_COST = 2**1000  # largest sum of costs for the linear program, near the largest float
LEAST = 1e-7  # least share of an axis in the objective
LONG_TIME = 10**6  # a time so long that the levels of start and goal hardly matter


def reaches_in_space(
    walks: Walks, ends: tuple[Any, Any], step: tuple[int, ...], radius: int | None
) -> bool:
    """Whether some walk has a given total delay in Z^d."""
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
    """Find a walk of least cost and given total in Z^d, as segments; else None.

    A few vertices are searched first. Then a lattice or multipliers may prove that there is no such
    walk. If the search is not confined, it ends at the radius, given in units of cost.
    """
    walks = _without_still_loops(walks)
    inner = inner_graph(walks)
    inside, confined = bounds_in_space(walks, inner, step)
    confined = confined or _cancels(walks)
    limit = None if confined or radius is None else radius * unit
    near = search_in_space(walks, step, inside, limit, [], NEAR_STATES)
    if near.exhausted:
        return as_segments(walks, near)
    if not same_component(DelayCover(inner), *_copies(walks, step)) or is_infeasible(walks, step):
        return None
    bound = best_bound(walks, step)
    least = 0 if bound is None else -(-bound.at(walks.start, step) // (bound.unit * unit))
    if not confined and radius is None:
        raise RadiusError(
            f"the search for a path from {ends[0]!r} to {ends[1]!r} is unbounded: the total delays "
            "of the cycles between them neither follow a common direction nor all cancel; "
            f"give a radius, the largest length of a path, of at least {least}"
        )
    if limit is not None and (not near.full or least > (radius or 0)):
        raise _beyond(ends, radius, least)
    found = search_in_space(walks, step, inside, limit, best_bounds(walks, step), MOST_SEARCHED)
    if found.full:
        raise TooLargeError(
            f"no path from {ends[0]!r} to {ends[1]!r} was found among {MOST_SEARCHED} vertices of "
            "the cover, the limit of the search; use vertices that are closer to each other"
            f"{'' if min(walks.costs) else ', or positive lengths'}"
        )
    if limit is not None and not found.exhausted:
        raise _beyond(ends, radius, least)
    return as_segments(walks, found)


def _beyond(ends: tuple[Any, Any], radius: int | None, least: int) -> RadiusError:
    return RadiusError(
        f"no path from {ends[0]!r} to {ends[1]!r} has a length <= {radius}, and every path has a "
        f"length >= {least}; raise the radius to search for longer paths"
    )


def _without_still_loops(walks: Walks) -> Walks:
    """Remove self-loops of delay 0, which change neither vertex nor time."""
    moving = (walks.tails != walks.heads) | walks.delays.any(axis=1)
    return walks if moving.all() else walks.taking(moving.nonzero()[0])


def inner_graph(walks: Walks) -> DelayGraph:
    """Return the delay graph of the walks, with their new numbers as vertices."""
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
    """Return a test for vertices that can lie on a path, and whether it is confining."""
    axes = [(k, time_bounds(walks, total, k)) for k, total in enumerate(step)]
    signed = [(k, c) for k, c in axes if c.sign or c.low > c.high]
    start = walks.start
    schedule = None
    if len(signed) < len(step) and len(walks.edges):
        try:
            proof = acyclicity_certificate(inner)
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
    """Whether all edges form one canceling part."""
    return [len(part) for part in canceling_parts(walks.digraph)] == [len(walks.edges)]


# -- the search and its bound --------------------------------------------------------------


class Bound(NamedTuple):
    """A lower bound on the cost of walks to the goal, linear in their total delay.

    A walk from v of total delay s costs at least ``(multipliers . s + rest[v]) / unit``.
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
) -> SearchResult:
    """Search the cover by A* with lower bounds; the vertex nearest the goal wins ties."""
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
    """Whether multipliers prove that no walk has the total delay."""
    bound = best_bound(replace(walks, costs=(0,) * len(walks.edges)), step)
    return bound is not None and bound.at(walks.start, step) > 0


def best_bounds(walks: Walks, step: Sequence[int]) -> list[Bound]:
    """Best lower bounds for the start, and for both directions of each axis."""
    d = len(step)
    axes = [
        tuple(x * (k == axis) for k in range(d))
        for axis in range(d)
        for x in (LONG_TIME, -LONG_TIME)
    ]
    found = [best_bound(walks, total) for total in (step, *axes)]
    return [bound for bound in found if bound is not None]


def best_bound(walks: Walks, step: Sequence[int]) -> Bound | None:
    """Find the greatest bound for walks of a total delay from the start, or None."""
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
    """Multipliers of a greatest bound, of absolute value <= 1 + the sum of all costs."""
    from scipy.optimize import linprog  # noqa: PLC0415  (heavy: loaded on first use)
    from scipy.sparse import csr_array  # noqa: PLC0415

    m, d = walks.delays.shape
    edges = np.arange(m)
    entries = np.concatenate([np.full(m, -1.0), np.ones(m), walks.delays.T.ravel().astype(float)])
    columns = np.concatenate([d + walks.tails, d + walks.heads, np.repeat(np.arange(d), m)])
    shape = (m, d + walks.n)
    conditions: Any = csr_array((entries, (np.tile(edges, d + 2), columns)), shape=shape)
    scale = max(map(abs, step), default=0) or 1  # keeps the objective small
    shares = [x / scale for x in step]
    # smaller shares would be lost within the tolerances of the solver
    seen = [np.sign(s) * max(abs(s), LEAST) for s in shares]
    value = np.array([*seen, *[0.0] * walks.n])
    value[d + walks.goal] += 1 / scale
    value[d + walks.start] -= 1 / scale
    most, zero = 1 + sum(walks.costs), (Fraction(0),) * int(d)
    if most > LARGEST_COST:
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
