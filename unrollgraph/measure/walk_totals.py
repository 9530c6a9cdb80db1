"""Total delays of the walks between two vertices of a delay graph.

In Z the set of totals is *eventually periodic* in both directions. A closed walk of total m > 0 at
a vertex x can be inserted into every walk through x. So for each residue r modulo m, the totals of
the walks through x are ``first, first + m, first + 2 m, ...``, where ``first`` is the least one.
These least totals are shortest distances in a finite graph of *triples*: a vertex, whether x was
met, and the total modulo m. Walks that avoid x are treated in the graph without x, and so on, until
every cycle has total zero; then there are finitely many totals.

* All vertices of the cycle of total m take the place of x; a short cycle is chosen.
* If all cycles have totals <= 0, all delays are negated.
* If a strong component has cycles of both signs, the totals of its closed walks are the multiples
  of some g, since a set of integers of both signs that is closed under sums is a group. Then all
  its vertices take the place of x, and m = g; all integers of a residue are totals. The same holds
  for residues of walks that also meet a negative cycle of another component.

*Costs* (`rate`, `label`). Let p/q be the least ratio of cost to delay over the cycles of positive
delay. It has a potential pi with reduced costs ``q c - p d + pi(tail) - pi(head) >= 0`` on all
edges, and zero around a cycle of ratio p/q. Through this cycle, the triples give for each residue
the least reduced cost C and the least total T of a walk with that cost. For each total t >= T of
the residue the least cost is ``(C + p t + pi(goal) - pi(start)) / q``. Totals less than T are
searched in the cover. If p = 0, a cycle of negative total can also have reduced cost zero. A walk
that meets one can repeat it to reach arbitrarily small totals, so that there is no T.

There are 2 n m triples for n vertices, so the cost grows with the delays, not with their digits.
This is unavoidable: for one vertex with loops the problem is which sums can be paid with given
coins, which is NP-complete.
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
    """A table of total delays that has too many entries."""


@dataclass(frozen=True)
class Family:
    """Totals of the walks that meet some vertices and avoid those of earlier families."""

    # Numbers in the graph of the vertices met; empty if all cycles have total zero.
    through: tuple[int, ...]
    # Total of a closed walk at each of them; negative if totals decrease, 0 if `through` is empty.
    modulus: int
    # First total for each residue that occurs; None if all integers of the residue are totals.
    # If the modulus is 0, the keys are the totals.
    first: dict[int, int | None]
    # The certificate: the same for walks to every vertex. Keys are (vertex, whether `through` was
    # met, residue). If the modulus is 0, it maps vertices to sets of totals.
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
    """Yield all totals (in Z) of walks as finitely many families."""
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
    """Vertices with closed walks of one nonzero total, and that total, or 0."""
    parts = [_CyclicPart(walks, edges) for edges in strong_parts(walks)]
    for part in parts:
        if part.has_negative and part.has_positive:
            return set(part.ends), part.divisor()
    for sign in (1, -1):
        cycles = [
            part.short_cycle(sign)
            for part in parts
            if (part.has_positive, part.has_negative)[sign < 0]
        ]
        if cycles:
            total, met = min(cycles, key=lambda found: found[0])
            return met, sign * total
    return set(), 0


class _CyclicPart:
    """A strong component, and the signs of the totals of its cycles."""

    def __init__(self, walks: Walks, edges: Any) -> None:
        names, inner = walks.digraph.restricted(edges)
        self.ends: list[int] = names.tolist()
        self.tails, self.heads = inner.tails, inner.heads
        self.delays: list[int] = inner.delays[:, 0].tolist()
        self.potential, fall = self._feasible(1)
        self.mirrored, climb = self._feasible(-1)
        self.has_negative, self.has_positive = bool(fall), bool(climb)

    def _feasible(self, sign: int) -> Any:
        weights = [sign * d for d in self.delays]
        return feasible_potential(len(self.ends), self.tails, self.heads, weights)

    def divisor(self) -> int:
        """Greatest common divisor of the totals of all cycles."""
        forest = spanning_forest(len(self.ends), self.tails, self.heads)
        return math.gcd(*forest.totals(np.array(self.delays)[:, None])[:, 0].tolist())

    def short_cycle(self, sign: int) -> tuple[int, set[int]]:
        """Total and vertices of a cycle of least positive total, delays times ``sign``."""
        p = self.potential if sign > 0 else self.mirrored
        out: list[list[tuple[int, int, int]]] = [[] for _ in self.ends]
        late = []
        for u, v, d in zip(self.tails.tolist(), self.heads.tolist(), self.delays, strict=True):
            time = sign * d + p[u] - p[v]
            out[u].append((v, time, v))
            if time:
                late.append((time, u, v))
        best, met = 0, set[int]()
        # the shortest way back from the head of each edge of positive reduced delay
        for time, u, v in sorted(late):
            if met and time >= best:
                break
            radius = best - time - 1 if met else None
            way = astar(v, u, out.__getitem__, most=len(out), radius=radius)
            if way.cost is not None:
                best, met = time + way.cost, {self.ends[w] for w in (v, *way.steps)}
        return best, met


def strong_parts(walks: Walks) -> list[Any]:
    """Edge numbers of each strong component that has edges."""
    strong = strong_components(walks.n, walks.tails, walks.heads)
    inner = np.flatnonzero(strong[walks.tails] == strong[walks.heads])
    owner = strong[walks.tails[inner]]
    return [inner[owner == k] for k in np.unique(owner).tolist()]


def _totals(walks: Walks) -> list[set[int]]:
    """The totals of walks to each vertex if every cycle has total zero."""
    strong = strong_components(walks.n, walks.tails, walks.heads)
    offset = [0] * walks.n
    for edges in strong_parts(walks):
        part = _CyclicPart(walks, edges)
        for v, p in zip(part.ends, part.potential, strict=True):
            offset[v] = p
    sums: list[set[int]] = [set() for _ in range(walks.n)]  # by component, less the potential
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
    """Least cost of each triple, and the least total of a walk with that cost."""

    walks: Walks
    modulus: int
    cost: dict[int, int]  # of each triple that is reached
    total: dict[int, int]  # of each triple that has a least total
    # Previous triple and edge: on a walk of least cost and total from the start, or, for a triple
    # without a least total, on a walk from a vertex of `negative`.
    came: dict[int, tuple[int, int]]
    before: dict[int, tuple[int, int]]  # previous triple and edge on any walk of least cost
    negative: frozenset[int]  # vertices on closed walks of negative total and cost zero

    def triple(self, residue: int) -> int:
        """The triple of the goal and a residue, the vertices having been met."""
        return (2 * self.walks.goal + 1) * self.modulus + residue

    def named(self, sign: int) -> Iterator[tuple[tuple[int, bool, int], int | None]]:
        """Yield the triples, by vertices of the graph, and their totals, times ``sign``."""
        names = self.walks.vertices.tolist()
        for s in self.cost:
            rest, r = divmod(s, self.modulus)
            total = self.total.get(s)
            key = names[rest // 2], bool(rest % 2), sign * r % self.modulus
            yield key, None if total is None else sign * total

    def walk(self, residue: int) -> list[int]:
        """Edges of a walk of least cost, and of least total if any, for a residue."""
        edges = []
        s = self.triple(residue)
        for links in (self.came, self.before):  # `came` ends at the start or in `negative`
            while s in links:
                s, edge = links[s]
                edges.append(edge)
        return edges[::-1]


def label(walks: Walks, met: set[int], modulus: int, costs: list[int]) -> Labels:
    """Find the least cost of each triple, and the least total at that cost."""
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
    # Only edges on walks of least cost are used from here on. Those of cost zero can form cycles of
    # negative total; triples that are reached from such a cycle have no least total (`endless`).
    potential, negative = _tight(walks, costs)
    endless = {s for s in least if s // modulus // 2 in negative}
    queue = list(endless)
    came: dict[int, tuple[int, int]] = {}
    for s in queue:  # grows while it is read
        for s2, cost, k, _ in after(s):
            if s2 not in endless and least[s] + cost == least[s2]:
                came[s2] = s, k
                endless.add(s2)
                queue.append(s2)
    if begin in endless:
        return Labels(walks, modulus, least, {}, came, parents, frozenset(negative))
    # For other triples compare costs first, then totals. They are reduced by a potential that makes
    # the delays of edges of cost zero nonnegative.
    largest = max(map(abs, potential), default=0) + max(map(abs, delays), default=0)
    # one unit of cost exceeds all changes of the total along a path without repeated triples
    unit = 1 + 4 * largest * len(least)

    def height(s: int) -> int:
        return potential[s // modulus // 2]

    def onward(s: int) -> Iterator[tuple[int, int, int]]:
        for s2, cost, k, d in after(s):
            if least[s] + cost == least[s2] and s2 not in endless:
                yield s2, unit * cost + d + height(s) - height(s2), k

    both, links = dijkstra({begin: 0}, onward)
    total = {s: x - unit * least[s] + height(s) - height(begin) for s, x in both.items()}
    return Labels(walks, modulus, least, total, came | links, parents, frozenset(negative))


def negative_walk(walks: Walks, costs: list[int], vertex: int) -> tuple[int, ...]:
    """A closed walk of negative total and cost zero through a vertex of `negative`."""
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
    """A potential for edges of cost zero, and the vertices on their negative cycles."""
    free = np.array([not cost for cost in costs], dtype=bool)
    tails, heads, delays = walks.tails[free], walks.heads[free], walks.delays[free, 0]
    potential, cycle = feasible_potential(walks.n, tails, heads, delays.tolist())
    if not cycle:
        return potential, set()
    inner = walks.taking(np.flatnonzero(free))
    parts = [_CyclicPart(inner, edges) for edges in strong_parts(inner)]
    negative = {v for part in parts if part.has_negative for v in part.ends}
    sound = np.array([v not in negative for v in range(walks.n)])
    kept = sound[tails] & sound[heads]
    potential, _ = feasible_potential(walks.n, tails[kept], heads[kept], delays[kept].tolist())
    return potential, negative


# -- costs ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """The least ratio of cost to delay over cycles of positive delay, with its proof."""

    cost: int  # the ratio is cost / delay, in lowest terms
    delay: int
    reduced: list[int]  # delay * c - cost * d + pi(tail) - pi(head) >= 0 for each edge
    potential: list[int]  # pi, for each vertex
    cycle: tuple[int, ...]  # edges of a cycle with this ratio


def rate(walks: Walks) -> Rate | None:
    """Least ratio of cost to delay over cycles of positive delay, or None."""
    n, tails, heads = walks.n, walks.tails, walks.heads
    delays: list[int] = walks.delays[:, 0].tolist()
    _, cycle = feasible_potential(n, tails, heads, [-d for d in delays])
    while cycle:  # Newton's iteration: each cycle has a lower ratio than the one before
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
            f"the total delays need a table of {number} entries, more than {MOST_OBJECTS}; take a "
            "window with unrollgraph.unroll, or divide all delays by a common divisor, if any"
        )
