"""A closed walk of total delay zero, from cycles whose totals cancel.

Let cycles of a strongly connected graph have totals ``g_1, ..., g_k`` and a positive
combination ``c_1 g_1 + ... + c_k g_k = 0``. If those that take part meet in a vertex,
running each through ``c_i`` times from there is a closed walk of total zero. Else some
closed walk W meets them all. Its total w is a combination of theirs, and so, since
adding zero often enough makes its coefficients positive, is some multiple of ``-w``:
``N w + n_1 g_1 + ... + n_k g_k = 0`` in natural numbers. So W is run through N times, and each
cycle ``n_i`` times where W first meets it.

The counts may have hundreds of digits; the walk is a handful of segments all the same.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, lcm

from unrollgraph.graph.digraph import breadth_first
from unrollgraph.measure.rational import orthogonal, primitive, solve
from unrollgraph.measure.separation import Cycle, Wiring

Segments = list[tuple[tuple[int, ...], int]]
MOST_STATES = 50_000  # a tenth of a second of searching


def shortest_zero_walk(wiring: Wiring, length: int) -> tuple[int, ...] | None:
    """Find a shortest closed walk of total zero, for delays in Z.

    Breadth-first search over pairs of a vertex and a total, from all vertices in step.

    Parameters
    ----------
    wiring : Wiring
        A graph with delays in Z.
    length : int
        The length of a walk that is known; only shorter ones are looked for.

    Returns
    -------
    tuple of int or None
        The edges of the walk; None if no shorter one is found among `MOST_STATES` pairs.
    """
    heads, delays = wiring.heads.tolist(), wiring.delays[:, 0].tolist()
    out: list[list[int]] = [[] for _ in range(wiring.n)]
    for e, u in enumerate(wiring.tails.tolist()):
        out[u].append(e)
    came: list[dict[tuple[int, int], tuple[int, tuple[int, int]]]] = [{} for _ in out]
    fronts = [[(start, 0)] for start in range(wiring.n)]
    states = 0
    for _ in range(length - 1):
        for start, front in enumerate(fronts):
            found: list[tuple[int, int]] = []
            for state in front:
                for e in out[state[0]]:
                    new = heads[e], state[1] + delays[e]
                    if new in came[start]:
                        continue
                    came[start][new] = e, state
                    if new == (start, 0):
                        return _walk_to(came[start], new)
                    found.append(new)
            states += len(found)
            if states > MOST_STATES:
                return None
            fronts[start] = found
    return None


def _walk_to(
    came: dict[tuple[int, int], tuple[int, tuple[int, int]]], end: tuple[int, int]
) -> tuple[int, ...]:
    """Edges of the walk by which a search came to its end, which is where it began."""
    edges: list[int] = []
    state = end
    while not edges or state != end:
        e, state = came[state]
        edges.append(e)
    return tuple(reversed(edges))


def zero_walk(wiring: Wiring, cycles: list[Cycle], relation: tuple[int, ...]) -> Segments:
    """Make one closed walk of total zero in a strongly connected wiring.

    Parameters
    ----------
    wiring : Wiring
        Strongly connected.
    cycles : list of Cycle
        Cycles of the wiring, whose totals span those of all its closed walks.
    relation : tuple of int
        Positive, one for each cycle: so often taken their totals add up to zero.

    Returns
    -------
    list of (edges, count)
        Walks, joined head to tail, closed where the count exceeds one.
    """
    totals = [cycle.total for cycle in cycles]
    tails = wiring.tails.tolist()
    met = [{tails[e] for e in cycle.edges} for cycle in cycles]
    counts = primitive(_thinned(totals, list(map(Fraction, relation)), keep=1))
    shared = set.intersection(*(met[k] for k, count in enumerate(counts) if count))
    if shared:
        return _turns(cycles, counts, tails, min(shared))
    tour = _tour(wiring, met)
    total = [sum(column) for column in wiring.delays[tour].T.tolist()]
    if not any(total):
        return [(tuple(tour), 1)]
    needed = solve(totals, [-x for x in total])
    extra = max(0, *(ceil(-a / n) for a, n in zip(needed, relation, strict=True)))
    needed = [a + extra * n for a, n in zip(needed, relation, strict=True)]
    needed = _thinned(totals, needed, keep=0)
    rounds = lcm(*(a.denominator for a in needed))
    return _joined(tour, rounds, cycles, [int(a * rounds) for a in needed], tails)


def _thinned(totals: list[tuple[int, ...]], weights: list[Fraction], keep: int) -> list[Fraction]:
    """Lead weights to zero, without changing what they combine to, until few are left.

    Caratheodory: as long as the totals that count have more than ``keep`` relations among
    themselves, going along one of them makes a weight zero before any is negative.
    """
    while True:
        used = [k for k, weight in enumerate(weights) if weight]
        rows = list(zip(*(totals[k] for k in used), strict=True))
        relations = orthogonal(rows, len(used))
        if len(relations) <= keep:
            return weights
        ray = primitive([weights[k] for k in used])
        relation = next(r for r in relations if r not in (ray, tuple(-x for x in ray)))
        if max(relation) <= 0:
            relation = tuple(-x for x in relation)
        step = min(weights[k] / x for k, x in zip(used, relation, strict=True) if x > 0)
        weights = list(weights)
        for k, x in zip(used, relation, strict=True):
            weights[k] -= step * x


def _tour(wiring: Wiring, met: list[set[int]]) -> list[int]:
    """Return a closed walk that meets every cycle, always on to the nearest one."""
    vertices = sorted(set.union(*met))
    start = max(vertices, key=lambda v: sum(v in some for some in met))
    pending = [some for some in met if start not in some]
    here, tour = start, []
    while pending:
        came = breadth_first(wiring.n, wiring.tails, wiring.heads, here)
        goal = next(v for v in came if any(v in some for some in pending))
        tour += _way(came, wiring, goal)
        pending = [some for some in pending if goal not in some]
        here = goal
    came = breadth_first(wiring.n, wiring.tails, wiring.heads, here)
    return tour + _way(came, wiring, start)


def _way(came: dict[int, int], wiring: Wiring, v: int) -> list[int]:
    way = []
    while came[v] >= 0:
        way.append(came[v])
        v = int(wiring.tails[came[v]])
    return way[::-1]


def _turned(cycle: Cycle, tails: list[int], v: int) -> tuple[int, ...]:
    """Return the edges of a cycle, from v on."""
    k = next(k for k, e in enumerate(cycle.edges) if tails[e] == v)
    return cycle.edges[k:] + cycle.edges[:k]


def _turns(cycles: list[Cycle], counts: tuple[int, ...], tails: list[int], v: int) -> Segments:
    return [
        (_turned(cycle, tails, v), count)
        for cycle, count in zip(cycles, counts, strict=True)
        if count
    ]


def _joined(
    tour: list[int], rounds: int, cycles: list[Cycle], counts: list[int], tails: list[int]
) -> Segments:
    """Run the cycles where the tour first meets them, and the tour for the other rounds."""
    at: dict[int, Segments] = {}
    for cycle, count in zip(cycles, counts, strict=True):
        if count:
            on = {tails[e] for e in cycle.edges}
            k = next(k for k, e in enumerate(tour) if tails[e] in on)
            at.setdefault(k, []).append((_turned(cycle, tails, tails[tour[k]]), count))
    places = sorted(at)
    first = places[0]
    segments: Segments = []
    for k, after in pairwise([*places, first + len(tour)]):
        piece = [tour[j % len(tour)] for j in range(k, after)]
        segments += [*at[k], (tuple(piece), 1)]
    whole = tuple(tour[first:] + tour[:first])
    if len(places) == 1:
        segments[-1] = (whole, rounds)
    elif rounds > 1:
        segments.append((whole, rounds - 1))
    return segments
