"""Potentials toward a goal: what leads a search in Z^d, or shows that it is in vain.

Let walks of a total delay s in Z^d be looked for, from u to v. Give a price y to a step along
each axis and a level p to each vertex. If no edge is worth more than it costs,

    y . d <= cost + p(tail) - p(head)    for every edge,

then no walk is cheaper than ``y . s + p(v) - p(u)``, the sum of what its edges are worth. So
the difference of both sides, the *reduced* cost of an edge, is not negative, a shortest walk by
reduced costs is a shortest walk, and a search by them meets no vertex of the cover from which
the goal is too far: it is the search A* by a lower bound that is linear in time.

The best prices solve a linear programme, whose dual is a flow from u to v of total delay s that
may be divided. Where there is none, there are prices by which every edge is worth nothing or
less, and the way nonetheless more than nothing: then no walk has that total.

The programme is solved in floats. Its prices are rounded to fractions, levels for them are
computed in exact integers, and what they show is checked there; prices that were rounded to
something false lead to no wrong answer, but to none.

References
----------
P. E. Hart, N. J. Nilsson, B. Raphael, A formal basis for the heuristic determination of minimum
cost paths, IEEE Transactions on Systems Science and Cybernetics 4 (1968). D. B. Johnson,
Efficient algorithms for shortest paths in sparse networks, Journal of the ACM 24 (1977).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from heapq import heappop, heappush
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.sheets import add
from unrollgraph.graph.potentials import feasible_potential
from unrollgraph.measure.lattices import dot
from unrollgraph.measure.walks import Found, Walks, shortest

FINEST = 10**6  # denominators of prices
DEAREST = 2**1000  # near to what floats can hold
LEAST = 1e-7
BESIDE = 100  # of the length of a way, how far beside it others are taken
AFAR = 10**6  # steps, against which it does not count between which vertices they lead


class Prices(NamedTuple):
    """What a programme found: prices of the axes, rounded, and the flow that proves them best."""

    axes: tuple[Fraction, ...]
    flow: NDArray[np.float64]


class Worth(NamedTuple):
    """Prices of steps along the axes, and with them a bound on what is left of a way.

    From ``(v, t)`` on no walk to the goal costs less than ``(prices . (s - t) + rest[v]) / unit``.
    """

    unit: int
    prices: tuple[int, ...]
    rest: list[int]


def least_costs(walks: Walks, step: Sequence[int]) -> tuple[int, list[Worth]]:
    """Bounds on what is left of a way of a total delay, in parts of one; each holds everywhere.

    The first is the best at the start; others are the best far behind the goal, and far away
    along each axis, so that what strays is met by one of them.

    Notes
    -----
    A linear programme of n + d numbers and m conditions for each of at most 2 d + 2
    directions, and exact shortest distances.
    """
    d = len(step)
    behind = tuple(-AFAR * x for x in step)
    axes = [tuple(x * (k == axis) for k in range(d)) for axis in range(d) for x in (AFAR, -AFAR)]
    goals = [tuple(step), behind, *axes]
    prices = dict.fromkeys(best_prices(walks, goal).axes for goal in goals)
    found = [w for w in (worth(walks, y) for y in prices) if w is not None]
    unit = lcm(*(w.unit for w in found))
    return unit, [
        Worth(
            unit,
            tuple(x * unit // w.unit for x in w.prices),
            [x * unit // w.unit for x in w.rest],
        )
        for w in found
    ]


def led_search(
    walks: Walks,
    step: tuple[int, ...],
    inside: Callable[[Any], bool],
    radius: int | None,
    bounds: tuple[int, list[Worth]],
    most: int,
) -> Found:
    """Search the cover by bounds, which may be none; of equals the nearest to the goal is first."""
    unit, worths = bounds
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
        least = max((dot(w.prices, way) + w.rest[v] for w in worths), default=0)
        return max(0, least), dot(way, way)

    found = shortest(
        (walks.start, (0,) * len(step)),
        (walks.goal, step),
        moves,
        most=most,
        radius=None if radius is None else radius * unit,
        left=left,
    )
    return found if found.cost is None else replace(found, cost=found.cost // unit)


def apart(walks: Walks, step: Sequence[int]) -> bool:
    """Whether prices show that no walk has the total delay."""
    free = replace(walks, costs=(0,) * len(walks.edges))
    found = worth(free, best_prices(free, step).axes)
    return found is not None and dot(found.prices, step) + found.rest[walks.start] > 0


def best_prices(walks: Walks, step: Sequence[int]) -> Prices:
    """Prices of the axes by which a way is worth most, none beyond the sum of all costs and 1."""
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
    most = 1 + sum(walks.costs)
    if most > DEAREST:
        return Prices((Fraction(0),) * d, np.zeros(m))
    found: Any = linprog(
        -value,
        A_ub=conditions,
        b_ub=[float(cost) for cost in walks.costs],
        bounds=(-most, most),
    )
    if found.status != 0:
        return Prices((Fraction(0),) * d, np.zeros(m))
    axes = tuple(Fraction(y).limit_denominator(FINEST) for y in found.x[:d])
    return Prices(axes, -found.ineqlin.marginals)


def between_sides(walks: Walks, step: Sequence[int], prices: Prices) -> Prices:
    """Prices in the midst of those that are best beside a way, with its flow.

    By them only what ways on all sides of it go round costs as much as it is worth.
    """
    near = max(1, max(map(abs, step), default=0) // BESIDE)
    sides = [
        best_prices(walks, [x + off * (k == axis) for k, x in enumerate(step)]).axes
        for axis in range(len(step))
        for off in (near, -near)
    ]
    kept = [axes for axes in sides if worth(walks, axes) is not None] or [prices.axes]
    middle = tuple(sum(parts, Fraction(0)) / len(kept) for parts in zip(*kept, strict=True))
    return Prices(middle, prices.flow)


def worth(walks: Walks, prices: Sequence[Fraction]) -> Worth | None:
    """What prices come to, in exact integers; None if a cycle is worth more than it costs."""
    unit = lcm(*(y.denominator for y in prices))
    whole = tuple(int(y * unit) for y in prices)
    left = [
        unit * cost - dot(whole, delay)
        for cost, delay in zip(walks.costs, walks.delays.tolist(), strict=True)
    ]
    level, cycle = feasible_potential(walks.n, walks.tails, walks.heads, left)
    if cycle:
        return None
    ends = zip(walks.tails.tolist(), walks.heads.tolist(), left, strict=True)
    rest = _distances(walks, [x + level[u] - level[v] for u, v, x in ends])
    return Worth(unit, whole, [x + level[walks.goal] - level[v] for v, x in enumerate(rest)])


def _distances(walks: Walks, costs: Sequence[int]) -> list[int]:
    """Costs of cheapest ways of any delay from each vertex to the goal, by Dijkstra's search."""
    into: list[list[tuple[int, int]]] = [[] for _ in range(walks.n)]
    for u, v, cost in zip(walks.tails.tolist(), walks.heads.tolist(), costs, strict=True):
        into[v].append((u, cost))
    found: dict[int, int] = {}
    heap = [(0, walks.goal)]
    while heap:
        rest, v = heappop(heap)
        if v not in found:
            found[v] = rest
            for u, cost in into[v]:
                if u not in found:
                    heappush(heap, (rest + cost, u))
    return [found[v] for v in range(walks.n)]
