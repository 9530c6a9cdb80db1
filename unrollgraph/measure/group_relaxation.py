"""Far away in Z^d: shortest walks from the classes of total delays modulo cycles.

Let prices be the best for walks of a total s, and let cycles be tight by them: their reduced
cost is zero (`goals`). A walk may go round them as often as it likes and is not dearer for it;
so of walks whose totals differ by a combination of those cycles only one of least reduced cost
is needed. There are few classes of totals modulo the cycles if these span Z^d: they are searched
as a finite graph, whatever the distance.

* No walk of the total s has a smaller reduced cost than the best of its class.
* If the best of the class meets all the cycles, and what its total lacks is a combination of
  them that takes none a negative number of times, then it is put right by going round, and is a
  shortest walk of the total s.
* If those that meet all the cycles are dearer, a walk that does not may be the shortest. It is
  looked for in the graph without the vertices of a cycle, for each of them.

The programme's own proof, a flow, names the cycles: it consists of them. Far from the borders
of the cone that they span nothing is lacking. Near a border, where one cone ends and the next one
begins, prices between those of either side leave only the cycles tight that both go round. There
are infinitely many classes modulo these, but few of them are cheap, and they are searched by cost.

References
----------
R. E. Gomory, On the relation between integer and noninteger solutions to linear programs,
Proceedings of the National Academy of Sciences 53 (1965).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.sheets import add
from unrollgraph.graph.digraph import cycle_among, levels
from unrollgraph.measure.goals import Prices, Worth, apart, best_prices, between_sides, worth
from unrollgraph.measure.lattices import Lattice, dot, orthogonal, pivots, reduced, solve
from unrollgraph.measure.walks import Found, Segments, Walks, inserted, shortest

MOST = 20_000  # classes to look through, if there are finitely many
FEW = 2_000  # and if there are not
IntArray = NDArray[np.int64]
Vector = tuple[int, ...]
Cycle = tuple[tuple[int, ...], Vector]  # its edges and its total


class Told(NamedTuple):
    """The least cost of a walk of a total, None if there is no walk, and one by segments."""

    cost: int | None
    walk: Segments


def far_walk(walks: Walks, step: Vector, depth: int = 3) -> Told | None:
    """A walk of least cost of a total delay, if any; None if that is not decided.

    Notes
    -----
    Two searches among O(n c 2^d) states, where c is the number of classes modulo at most d
    cycles, each of them O(log) exact operations for every edge; if that decides nothing, two more
    by the prices between those on either side; and the same without each cycle, so many times
    deep, where walks that meet them all are dearer than the best of the class.
    """
    prices = best_prices(walks, step)
    told = _far_by(walks, step, depth, prices)
    return told or _far_by(walks, step, depth, between_sides(walks, step, prices))


def _far_by(walks: Walks, step: Vector, depth: int, prices: Prices) -> Told | None:
    """A walk of least cost, by some prices and the flow that names the cycles."""
    value = worth(walks, prices.axes)
    if value is None:
        return None
    price = _reduced(walks, value)
    cycles = _of_flow(walks, prices, price)
    if not cycles:
        return None
    cheapest = _of_class(walks, step, price, cycles, [])
    found = _of_class(walks, step, price, cycles, cycles)
    if not (cheapest.exhausted and found.exhausted):
        return None
    best = Told(None, [])
    if found.cost is not None:
        lacking = add(step, total_delay(walks, found.steps), -1)
        counts = solve([total for _, total in cycles], lacking)
        if min(counts) < 0:
            return None
        turns = [(edges, int(k)) for (edges, _), k in zip(cycles, counts, strict=True)]
        best = _told(walks, inserted(walks, found.steps, turns))
    if found.cost == cheapest.cost:
        return best
    for edges, _ in cycles:  # perhaps a walk that does not meet this one is cheaper
        rest = walks.avoiding(walks.tails[list(edges)].tolist())
        if rest is None or apart(rest, step):
            continue
        other = far_walk(rest, step, depth - 1) if depth else None
        if other is None:
            return None
        if other.cost is not None and (best.cost is None or other.cost < best.cost):
            best = other
    return best


def _told(walks: Walks, found: Segments) -> Told:
    """A walk with its cost, by the numbers of edges in the graph."""
    cost = sum(count * sum(walks.costs[e] for e in part) for part, count in found)
    return Told(cost, [(walks.named(part), count) for part, count in found])


def total_delay(walks: Walks, edges: Iterable[int]) -> Vector:
    """The sum of the delays of some edges."""
    rows = walks.delays[list(edges)].tolist() if edges else []
    return tuple(map(sum, zip(*rows, strict=True))) or (0,) * walks.delays.shape[1]


def _reduced(walks: Walks, value: Worth) -> list[int]:
    """What edges cost beyond their worth, in parts of one."""
    rows = zip(walks.tails.tolist(), walks.heads.tolist(), walks.costs, strict=True)
    return [
        value.unit * cost - dot(value.prices, d) + value.rest[v] - value.rest[u]
        for (u, v, cost), d in zip(rows, walks.delays.tolist(), strict=True)
    ]


def _of_flow(walks: Walks, prices: Prices, price: Sequence[int]) -> list[Cycle]:
    """Cycles of the flow, the fullest first, as long as they are tight and independent."""
    flow = prices.flow.copy()
    least = 1e-9 * flow.max(initial=0)
    edges = np.flatnonzero((flow > least) & (np.array(price) == 0))
    peeled: list[tuple[float, tuple[int, ...]]] = []
    while cycle := _some_cycle(walks, edges):
        amount = flow[list(cycle)].min()
        peeled.append((amount, cycle))
        flow[list(cycle)] -= amount
        edges = edges[flow[edges] > least]
    kept: list[Cycle] = []
    for _, cycle in sorted(peeled, reverse=True):
        kept = _extended(walks, kept, cycle)
    return kept


def _some_cycle(walks: Walks, edges: IntArray) -> tuple[int, ...]:
    """A cycle of some edges; empty if there is none."""
    tails, heads = walks.tails[edges], walks.heads[edges]
    level = levels(walks.n, tails, heads)
    if level.min(initial=0) >= 0:
        return ()
    return tuple(edges[list(cycle_among(level, tails, heads))].tolist())


def _extended(walks: Walks, cycles: list[Cycle], edges: tuple[int, ...]) -> list[Cycle]:
    """Cycles and one more, if its total is independent of theirs."""
    d = walks.delays.shape[1]
    more = [*cycles, (edges, total_delay(walks, edges))]
    rank = d - len(orthogonal([total for _, total in more], d))
    return more if rank == len(more) else cycles


def _of_class(
    walks: Walks,
    step: Vector,
    price: Sequence[int],
    cycles: list[Cycle],
    met: list[Cycle],
) -> Found:
    """Search for a walk of least reduced cost in the class of a total that meets some cycles.

    A state is a vertex, a class of totals modulo the cycles, and which were met, as bits.
    """
    lattice = Lattice(len(step))
    for _, total in cycles:
        lattice.add(total)
    rows = pivots(lattice.basis)
    bits = [0] * walks.n
    for k, (edges, _) in enumerate(met):
        for e in edges:
            bits[walks.tails[e]] |= 1 << k
    out: list[list[tuple[int, Vector, int, int]]] = [[] for _ in range(walks.n)]
    for e, (u, v) in enumerate(zip(walks.tails.tolist(), walks.heads.tolist(), strict=True)):
        out[u].append((v, tuple(walks.delays[e].tolist()), price[e], e))

    def moves(state: tuple[int, Vector, int]) -> Iterable[tuple[Any, int, int]]:
        u, here, so_far = state
        for v, d, cost, e in out[u]:
            yield (v, reduced(add(here, d, 1), rows), so_far | bits[v]), cost, e

    def left(state: tuple[int, Vector, int]) -> tuple[int, int]:
        lacking = reduced(add(step, state[1], -1), rows)
        return 0, dot(lacking, lacking)

    return shortest(
        (walks.start, (0,) * len(step), bits[walks.start]),
        (walks.goal, reduced(step, rows), (1 << len(met)) - 1),
        moves,
        most=MOST if len(cycles) == len(step) else FEW,
        left=left,
    )
