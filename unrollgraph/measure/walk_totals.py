"""Totals of walks: which delays add up along a walk from one vertex to another.

In Z that set is *eventually periodic*, in both directions, and this page finds it. A closed
walk of total m > 0 at a vertex x can be inserted into every walk through x. So among the
walks through x whose totals are r modulo m only the least total counts: all r + k m above it
are totals too. Least totals are shortest distances in a finite graph, whose vertices are
triples: a vertex, whether x was met, and the total so far modulo m. What does not meet x is
found in the graph without x, and so on, until no cycle with a total other than zero is left;
then the totals are finitely many.

* All vertices of the cycle of total m serve together as x; it is chosen short.
* Cycles of negative totals only: the same with all delays negated.
* A strong component with cycles of both signs: its closed walks have all multiples of a
  number g as totals, since a set of integers of both signs that is closed under sums is a
  group. So all its vertices serve together, with m = g, and totals have no least one.
* Where a walk can also meet a negative cycle elsewhere, there is no least total either.

*Costs.* Let p/q be the least ratio of cost to delay over the cycles of positive delay. With the
potential that proves it every edge gets a reduced cost ``q c - p d + pi(tail) - pi(head)`` that
is not negative, and a cycle that has the ratio costs nothing at all. So through it the same
triples tell, for each residue, the least reduced cost C and the least total T at which it is had;
from T on, the walks of least cost repeat: cost ``(C + p t + ...) / q`` at every total t of the
residue. Below T they are few, and are looked for in the cover itself. If p is zero, cycles of
negative total may cost nothing either; past one of them there is no such T, and going round it
often enough leads as far back as one likes.

The number of triples is twice the number of vertices times m: the cost grows with the
delays, not with their digits. It cannot but do so, since one vertex with loops poses the
question which sums can be paid in given coins, which is NP-complete.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unrollgraph.errors import TooLargeError
from unrollgraph.graph.cycle_space import spanning_forest
from unrollgraph.graph.digraph import astar, dijkstra, strong_components, tree_walk
from unrollgraph.graph.potentials import feasible_potential
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.measure.path_search import Walks


class TableError(TooLargeError):
    """A table of residues that would not fit into memory."""


@dataclass(frozen=True)
class Family:
    """The totals of walks that meet some vertices and none of those met before.

    Attributes
    ----------
    through : tuple of int
        Numbers in the graph of the vertices met; empty where walks meet no cycle whose total
        is not zero.
    modulus : int
        Total of a closed walk at each of them; negative where totals go down from `first`.
    first : dict
        For each residue modulo the modulus that occurs, the total that begins it; None where
        all of that residue are totals. Without a modulus each total stands for itself.
    table : dict
        What proves that there are no others: the same for walks to every vertex. The keys are
        the vertex, whether the vertices were met, and the residue. Without a modulus they are
        vertices, and the values sets of totals.
    """

    through: tuple[int, ...]
    modulus: int
    first: dict[int, int | None]
    table: dict[Any, Any] = field(repr=False, compare=False)

    def __contains__(self, total: int) -> bool:
        if not self.modulus:
            return total in self.first
        residue = total % abs(self.modulus)
        if residue not in self.first:
            return False
        begin = self.first[residue]
        return begin is None or (total >= begin if self.modulus > 0 else total <= begin)


def families(walks: Walks | None) -> Iterator[Family]:
    """All totals (in Z) of walks, as finitely many families."""
    while walks is not None:
        met, modulus = _repeating(walks)
        if not modulus:
            sums = _totals(walks)
            sets = {int(walks.vertices[v]): totals for v, totals in enumerate(sums)}
            yield Family((), 0, dict.fromkeys(sums[walks.goal]), sets)
            return
        found = label(walks if modulus > 0 else walks.mirrored(), met, abs(modulus), _free(walks))
        sign = 1 if modulus > 0 else -1
        table = dict(found.named(sign))
        goal = int(walks.vertices[walks.goal])
        first = {r: total for (v, passed, r), total in table.items() if v == goal and passed}
        yield Family(tuple(walks.vertices[sorted(met)].tolist()), modulus, first, table)
        walks = walks.avoiding(met)


def _free(walks: Walks) -> list[int]:
    return [0] * len(walks.edges)


def _repeating(walks: Walks) -> tuple[set[int], int]:
    """Vertices with a closed walk of some total other than zero, and that total."""
    parts = [_Part(walks, edges) for edges in strong_parts(walks)]
    for part in parts:
        if part.falls and part.climbs:
            return set(part.ends), part.divisor()
    for sign in (1, -1):
        cycles = [part.short_cycle(sign) for part in parts if (part.climbs, part.falls)[sign < 0]]
        if cycles:
            total, met = min(cycles, key=lambda found: found[0])
            return met, sign * total
    return set(), 0


class _Part:
    """A strong component: which signs the totals of its cycles have."""

    def __init__(self, walks: Walks, edges: Any) -> None:
        names, inner = walks.digraph.restricted(edges)
        self.ends: list[int] = names.tolist()
        self.tails, self.heads = inner.tails, inner.heads
        self.delays: list[int] = inner.delays[:, 0].tolist()
        self.potential, fall = self._feasible(1)
        self.mirrored, climb = self._feasible(-1)
        self.falls, self.climbs = bool(fall), bool(climb)

    def _feasible(self, sign: int) -> Any:
        weights = [sign * d for d in self.delays]
        return feasible_potential(len(self.ends), self.tails, self.heads, weights)

    def divisor(self) -> int:
        """Greatest common divisor of the totals of all cycles."""
        forest = spanning_forest(len(self.ends), self.tails, self.heads)
        return math.gcd(*forest.totals(np.array(self.delays)[:, None])[:, 0].tolist())

    def short_cycle(self, sign: int) -> tuple[int, set[int]]:
        """A cycle of least positive total (of all delays times a sign): total and vertices.

        From the head of each edge that takes time, by clocks, back to its tail.
        """
        p = self.potential if sign > 0 else self.mirrored
        out: list[list[tuple[int, int, int]]] = [[] for _ in self.ends]
        late = []
        for u, v, d in zip(self.tails.tolist(), self.heads.tolist(), self.delays, strict=True):
            time = sign * d + p[u] - p[v]
            out[u].append((v, time, v))
            if time:
                late.append((time, u, v))
        best, met = 0, set[int]()
        for time, u, v in sorted(late):
            if met and time >= best:
                break
            radius = best - time - 1 if met else None
            way = astar(v, u, out.__getitem__, most=len(out), radius=radius)
            if way.cost is not None:
                best, met = time + way.cost, {self.ends[w] for w in (v, *way.steps)}
        return best, met


def strong_parts(walks: Walks) -> list[Any]:
    """Edges of each strong component that has some."""
    strong = strong_components(walks.n, walks.tails, walks.heads)
    inner = np.flatnonzero(strong[walks.tails] == strong[walks.heads])
    owner = strong[walks.tails[inner]]
    return [inner[owner == k] for k in np.unique(owner).tolist()]


def _totals(walks: Walks) -> list[set[int]]:
    """The totals of walks to each vertex, where every cycle has total zero."""
    strong = strong_components(walks.n, walks.tails, walks.heads)
    offset = [0] * walks.n
    for edges in strong_parts(walks):
        part = _Part(walks, edges)
        for v, p in zip(part.ends, part.potential, strict=True):
            offset[v] = p
    sums: list[set[int]] = [set() for _ in range(walks.n)]  # of each component, by potentials
    sums[strong[walks.start]].add(-offset[walks.start])
    order = np.argsort(strong[walks.tails], kind="stable")
    for e in order.tolist():
        u, v = int(walks.tails[e]), int(walks.heads[e])
        if strong[u] != strong[v]:
            change = int(walks.delays[e, 0]) + offset[u] - offset[v]
            sums[strong[v]] |= {total + change for total in sums[strong[u]]}
            _check_table(len(sums[strong[v]]))
    return [{total + offset[v] for total in sums[strong[v]]} for v in range(walks.n)]


# -- triples: a vertex, whether some vertices were met, the total modulo m -----------------


@dataclass(frozen=True)
class Labels:
    """Least cost of each triple, and the least total at which it is had.

    Attributes
    ----------
    walks : Walks
        The walks.
    modulus : int
        The modulus.
    cost : dict
        Least cost of each triple that is reached.
    total : dict
        Least total at that cost; missing where there is no least one.
    came : dict
        The triple and the edge before, for those that have a total; for those that have none,
        on a way from a cycle of negative total and no cost.
    before : dict
        The triple and the edge before, on any way of least cost.
    falling : frozenset
        The vertices of such cycles.
    """

    walks: Walks
    modulus: int
    cost: dict[int, int]
    total: dict[int, int]
    came: dict[int, tuple[int, int]]
    before: dict[int, tuple[int, int]]
    falling: frozenset[int]

    def triple(self, residue: int) -> int:
        """The triple of the goal, the vertices having been met."""
        return (2 * self.walks.goal + 1) * self.modulus + residue

    def named(self, sign: int) -> Iterator[tuple[tuple[int, bool, int], int | None]]:
        """Each triple by its vertex in the graph, with its total; both times a sign."""
        names = self.walks.vertices.tolist()
        for s in self.cost:
            rest, r = divmod(s, self.modulus)
            total = self.total.get(s)
            key = names[rest // 2], bool(rest % 2), sign * r % self.modulus
            yield key, None if total is None else sign * total

    def walk(self, residue: int) -> list[int]:
        """Edges of a walk that has the least cost of a residue, and its least total if any."""
        edges = []
        s = self.triple(residue)
        for links in (self.came, self.before):  # the first leads to the start, or to a cycle
            while s in links:
                s, edge = links[s]
                edges.append(edge)
        return edges[::-1]


def label(walks: Walks, met: set[int], modulus: int, costs: list[int]) -> Labels:
    """Find the least cost of each triple, and the least total at which it is had.

    Notes
    -----
    Plan. Least costs by Dijkstra's search. Then only edges count along which they are had. Among
    those some may form cycles of negative total; where one was met there is no least total, nor
    behind it. All else by Dijkstra's search once more, by cost first and then by the total less a
    potential that makes the delays of edges without cost non-negative.
    """
    _check_table(2 * walks.n * modulus)
    ends = zip(walks.tails.tolist(), walks.heads.tolist(), strict=True)
    delays = walks.delays[:, 0].tolist()
    out: list[list[tuple[int, int, int, int]]] = [[] for _ in range(walks.n)]
    for k, ((u, v), d, cost) in enumerate(zip(ends, delays, costs, strict=True)):
        out[u].append((v, d, cost, k))

    def after(s: int) -> Iterator[tuple[int, int, int, int]]:
        rest, r = divmod(s, modulus)
        u, passed = divmod(rest, 2)
        for v, d, cost, k in out[u]:
            now = 2 * v + (passed or v in met)
            yield now * modulus + (r + d) % modulus, cost, k, d

    begin = (2 * walks.start + (walks.start in met)) * modulus
    least, parents = dijkstra({begin: 0}, lambda s: (move[:3] for move in after(s)))
    potential, falling = _tight(walks, costs)
    endless = {s for s in least if s // modulus // 2 in falling}
    queue = list(endless)
    came: dict[int, tuple[int, int]] = {}
    for s in queue:  # grows while it is read
        for s2, cost, k, _ in after(s):
            if s2 not in endless and least[s] + cost == least[s2]:
                came[s2] = s, k
                endless.add(s2)
                queue.append(s2)
    if begin in endless:
        return Labels(walks, modulus, least, {}, came, parents, frozenset(falling))
    largest = max(map(abs, potential), default=0) + max(map(abs, delays), default=0)
    # a cost outweighs all changes of the total along a path, which meets no triple twice
    unit = 1 + 4 * largest * len(least)

    def height(s: int) -> int:
        return potential[s // modulus // 2]

    def onward(s: int) -> Iterator[tuple[int, int, int]]:
        for s2, cost, k, d in after(s):
            if least[s] + cost == least[s2] and s2 not in endless:
                yield s2, unit * cost + d + height(s) - height(s2), k

    both, links = dijkstra({begin: 0}, onward)
    total = {s: x - unit * least[s] + height(s) - height(begin) for s, x in both.items()}
    return Labels(walks, modulus, least, total, came | links, parents, frozenset(falling))


def falling_walk(walks: Walks, costs: list[int], vertex: int) -> tuple[int, ...]:
    """A closed walk through a vertex of negative total and no cost; the vertex is on some."""
    free = np.array([not cost for cost in costs], dtype=bool)
    inner = walks.taking(np.flatnonzero(free))
    edges = next(edges for edges in strong_parts(inner) if vertex in inner.tails[edges])
    n, tails, heads = walks.n, inner.tails[edges], inner.heads[edges]
    delays = inner.delays[edges, 0]
    _, cycle = feasible_potential(n, tails, heads, delays.tolist())
    there = tree_walk(n, tails, heads, vertex, int(tails[cycle[0]]))
    back = tree_walk(n, tails, heads, int(tails[cycle[0]]), vertex)
    aside = int(delays[[*there, *back]].sum()) if there or back else 0
    rounds = 1 + max(0, aside) // -int(delays[list(cycle)].sum())
    found = edges[[*there, *(cycle * rounds), *back]]
    return tuple(np.flatnonzero(free)[found].tolist())


def _tight(walks: Walks, costs: list[int]) -> tuple[list[int], set[int]]:
    """Potential by which no edge without cost goes back, and vertices on cycles that do."""
    free = np.array([not cost for cost in costs], dtype=bool)
    tails, heads, delays = walks.tails[free], walks.heads[free], walks.delays[free, 0]
    potential, cycle = feasible_potential(walks.n, tails, heads, delays.tolist())
    if not cycle:
        return potential, set()
    inner = walks.taking(np.flatnonzero(free))
    parts = [_Part(inner, edges) for edges in strong_parts(inner)]
    falling = {v for part in parts if part.falls for v in part.ends}
    sound = np.array([v not in falling for v in range(walks.n)])
    kept = sound[tails] & sound[heads]
    potential, _ = feasible_potential(walks.n, tails[kept], heads[kept], delays[kept].tolist())
    return potential, falling


# -- costs ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """The least ratio of cost to delay over cycles of positive delay, and what proves it.

    Attributes
    ----------
    cost, delay : int
        The ratio is cost / delay, in lowest terms.
    reduced : list of int
        For each edge ``delay * c - cost * d + pi(tail) - pi(head)``, none of them negative.
    potential : list of int
        pi, for each vertex.
    cycle : tuple of int
        Edges of a cycle that has the ratio.
    """

    cost: int
    delay: int
    reduced: list[int]
    potential: list[int]
    cycle: tuple[int, ...]


def rate(walks: Walks) -> Rate | None:
    """Least ratio of cost to delay over the cycles of positive delay; None if there are none.

    Newton's iteration: from the ratio of one cycle to that of a cycle which refutes it.
    """
    n, tails, heads = walks.n, walks.tails, walks.heads
    delays: list[int] = walks.delays[:, 0].tolist()
    _, cycle = feasible_potential(n, tails, heads, [-d for d in delays])
    while cycle:
        above, below = sum(walks.costs[e] for e in cycle), sum(delays[e] for e in cycle)
        common = math.gcd(above, below)
        p, q = above // common, below // common
        weights = [q * c - p * d for c, d in zip(walks.costs, delays, strict=True)]
        pi, better = feasible_potential(n, tails, heads, weights)
        if not better:
            ends = zip(tails.tolist(), heads.tolist(), weights, strict=True)
            return Rate(p, q, [w + pi[u] - pi[v] for u, v, w in ends], pi, cycle)
        cycle = better
    return None


def _check_table(number: int) -> None:
    if number > MOST_OBJECTS:
        raise TableError(
            f"the answer takes a table of {number} numbers, more than {MOST_OBJECTS}: one for each "
            "vertex and each step of a cycle; take a window with unrollgraph.unroll, or if all "
            "delays have a common divisor divide them by it"
        )
