"""Find slopes that are positive on the total delays of as many cycles as possible.

A slope X with ``X . total > 0`` for the total delay of every cycle defines a linear schedule of
the unrolling. If some totals have a positive combination that is zero, there is no such slope.
The totals in such combinations span a subspace, the *lineality*. `separate` finds the lineality
and a slope that is zero on it and positive on all other totals, by learning cycles:

1. Take X orthogonal to the known lineality and positive on the known cycles outside of it. This
   has only d unknowns; `nearest_point` finds X, or a combination of these cycles in the
   lineality, which then grows. X has nearly the widest margin, so each new cycle excludes a large
   share of the remaining slopes.
2. Compute offsets rho with ``X . d + rho(head) - rho(tail) >= 0`` on every edge, as exact shortest
   distances. If there are no such offsets, learn a cycle of negative total along X.
3. Otherwise the *tight* edges, where equality holds, contain exactly the cycles orthogonal to X.
   If one of them is not in the lineality, learn it.
4. Otherwise return X. The cycles orthogonal to X lie in the strong components of the tight edges,
   the *parts*. The certificate that no slope is positive on more cycles: cycles whose totals span
   the lineality, with positive coefficients for which the totals sum to zero. If these cycles lie
   in one part, they can be joined to a closed walk of total zero (`acyclicity`).

References
----------
Those of `acyclicity`, and A. Darte, F. Vivien, Optimal fine and medium grain parallelism detection
in polyhedral reduced dependence graphs, International Journal of Parallel Programming 25 (1997).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import DelayError
from unrollgraph.graph.digraph import Digraph, breadth_first, cycle_among, levels, strong_components
from unrollgraph.graph.potentials import nonnegative_times
from unrollgraph.limits import LARGEST_DIMENSION
from unrollgraph.measure.lattices import dot, nearest_point, orthogonal, primitive, rounded, solve

IntArray = NDArray[np.int64]


class Cycle(NamedTuple):
    """A cycle as edge numbers, and its total delay."""

    edges: tuple[int, ...]
    total: tuple[int, ...]


@dataclass(frozen=True)
class Lineality:
    """A span of totals with a positive combination that is zero, with its proof.

    Attributes
    ----------
    cycles : tuple of Cycle
        Cycles whose totals span the space.
    counts : tuple of int
        A positive coefficient for each cycle; the combination of the totals is zero.
    across : tuple of tuple of int
        A basis of the orthogonal complement; empty for a single cycle of total zero.
    """

    cycles: tuple[Cycle, ...]
    counts: tuple[int, ...]
    across: tuple[tuple[int, ...], ...]

    def coordinates(self, vector: Iterable[int]) -> tuple[int, ...]:
        """Coordinates of a vector modulo the space; zero iff it lies in the space."""
        vector = tuple(vector)
        return tuple(dot(axis, vector) for axis in self.across)

    def holds(self, vector: Iterable[int]) -> bool:
        """Whether a vector lies in the space."""
        return not any(self.coordinates(vector))

    def extended(self, cycles: list[Cycle], weights: list[Fraction]) -> Lineality:
        """Return the lineality extended by cycles with a positive combination in it."""
        dimension = len(cycles[0].total)
        # subtract the combination in terms of the known cycles; adding a multiple of their zero
        # combination makes all counts positive
        within = [
            sum((w * c.total[axis] for w, c in zip(weights, cycles, strict=True)), Fraction(0))
            for axis in range(dimension)
        ]
        old = solve([c.total for c in self.cycles], within)
        ratios = [floor(a / n) + 1 for a, n in zip(old, self.counts, strict=True)]
        turns = max(0, *ratios, 0)
        mended = [turns * n - a for a, n in zip(old, self.counts, strict=True)]
        together = (*self.cycles, *cycles)
        return Lineality(
            together,
            primitive([*mended, *weights]),
            orthogonal([c.total for c in together], dimension),
        )


class Separation(NamedTuple):
    """The result of `separate`.

    ``slope . delay + offset(head) - offset(tail)`` is zero on the edges of the parts, else
    positive. Each part is strongly connected, and its totals lie in the lineality. If the search
    finds a cycle of total zero, it is the only part, and slope and offsets have no meaning.
    """

    slope: tuple[int, ...]
    offsets: list[int]
    parts: list[IntArray]
    lineality: Lineality


def separate(digraph: Digraph) -> Separation:
    """Find the lineality and a slope positive on the totals of all other cycles.

    O(n m) exact operations for each slope tried; their number is small if d is small, because each
    excludes about half of the remaining slopes. For each slope, small linear systems in d unknowns
    are solved: milliseconds for d = 3, seconds for d = 16.
    """
    dimension = digraph.delays.shape[1]
    lineality = Lineality((), (), ())
    known: list[Cycle] = []
    slope = (1,) * dimension
    while True:
        times, tight, edges = nonnegative_times(*digraph[:3], _along(digraph, slope))
        parts: list[IntArray] = []
        if not edges:
            level = levels(digraph.n, digraph.tails[tight], digraph.heads[tight])
            if level.min(initial=0) < 0:
                found = cycle_among(level, digraph.tails[tight], digraph.heads[tight])
                edges = tuple(tight[list(found)].tolist())
                if lineality.cycles and lineality.holds(_total(digraph, edges)):
                    level, parts = _condensed(digraph, tight)
                    edges = _stray(digraph, parts, lineality)
            if not edges:
                scale = 1 + int(level.max(initial=0))
                offsets = zip(times.tolist(), level.tolist(), strict=True)
                return Separation(
                    tuple(scale * x for x in slope),
                    [scale * a + b for a, b in offsets],
                    parts,
                    lineality,
                )
        cycle = Cycle(edges, _total(digraph, edges))
        if not any(cycle.total):
            zero = Lineality((cycle,), (1,), ())
            return Separation(slope, [0] * digraph.n, [np.array(edges)], zero)
        if not known and not lineality.cycles:
            lineality = Lineality((), (), orthogonal([], _limited(dimension)))
        slope, lineality, known = _direction([*known, cycle], lineality)


def _direction(
    known: list[Cycle], lineality: Lineality
) -> tuple[tuple[int, ...], Lineality, list[Cycle]]:
    """Extend the lineality by the known cycles; return a slope positive on the others."""
    while known:
        points = _levelled([lineality.coordinates(cycle.total) for cycle in known])
        nearest, weights = nearest_point([point for point, _ in points])
        if any(nearest):
            small = rounded(nearest, [point for point, _ in points])
            return _combined(small, lineality.across), lineality, known
        canceling = [known[k] for k in weights]
        lineality = lineality.extended(canceling, [w * points[k][1] for k, w in weights.items()])
        known = [cycle for cycle in known if not lineality.holds(cycle.total)]
    dimension = len(lineality.cycles[0].total)
    axes = lineality.across or ((0,) * dimension,)
    return _combined([1] * len(axes), axes), lineality, known


def _combined(factors: Iterable[int], axes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    rows = [[f * x for x in axis] for f, axis in zip(factors, axes, strict=True)]
    return primitive([sum(column) for column in zip(*rows, strict=True)])


def _levelled(points: list[tuple[int, ...]]) -> list[tuple[tuple[int, ...], int]]:
    """Scale points by powers of two to about the same length, so that none dominates."""
    bits = [max(x.bit_length() for x in point) for point in points]
    scales = [1 << (max(bits) - b) for b in bits]
    return [
        (tuple(x * scale for x in point), scale)
        for point, scale in zip(points, scales, strict=True)
    ]


def _limited(dimension: int) -> int:
    """Return the dimension; raise `DelayError` if learning cycles would take too long."""
    if dimension > LARGEST_DIMENSION:
        raise DelayError(
            f"the delays are in Z^{dimension}, but the cycles of this graph can be analyzed only "
            f"up to Z^{LARGEST_DIMENSION}; drop axes that are not needed for acyclicity"
        )
    return dimension


def _along(digraph: Digraph, slope: tuple[int, ...]) -> NDArray[Any]:
    """Return the delays along a slope, in int64 if sums along walks fit."""
    largest = int(np.abs(digraph.delays).max(initial=0)) * sum(map(abs, slope))
    if 4 * (digraph.n + 1) * largest < 2**62:
        return digraph.delays @ np.array(slope, dtype=np.int64)
    along: NDArray[Any] = digraph.delays.astype(object) @ np.array(slope, dtype=object)
    return along


def _total(digraph: Digraph, edges: Iterable[int]) -> tuple[int, ...]:
    return tuple(sum(column) for column in digraph.delays[list(edges)].T.tolist())


def _condensed(digraph: Digraph, tight: IntArray) -> tuple[IntArray, list[IntArray]]:
    """Return levels along tight edges between components, and edges per component."""
    n, tails, heads = digraph.n, digraph.tails[tight], digraph.heads[tight]
    component = strong_components(n, tails, heads)
    across = component[tails] != component[heads]
    level = levels(int(component.max()) + 1, component[tails[across]], component[heads[across]])
    inner = tight[~across]
    label = component[digraph.tails[inner]]
    inner, label = inner[np.argsort(label, kind="stable")], np.sort(label)
    begins = np.flatnonzero(np.diff(label)) + 1
    return level[component], np.split(inner, begins)


def _stray(digraph: Digraph, parts: list[IntArray], lineality: Lineality) -> tuple[int, ...]:
    """Return a cycle in one of the parts whose total is not in the lineality, or ().

    The test covers the closed walks that go from a root of the part to an edge by a tree, along
    the edge, and back by a tree. If their totals lie in the lineality, those of all cycles do.
    """
    if not lineality.across:
        return ()
    for part in parts:
        _, piece = digraph.restricted(part)
        there = breadth_first(piece.n, piece.tails, piece.heads, 0)
        back = breadth_first(piece.n, piece.heads, piece.tails, 0)
        place = [lineality.coordinates(delay) for delay in piece.delays.tolist()]
        out, home = _heights(there, piece.tails, place), _heights(back, piece.heads, place)
        ends = zip(piece.tails.tolist(), piece.heads.tolist(), strict=True)
        for e, (u, v) in enumerate(ends):
            if any(a + b + c for a, b, c in zip(out[u], place[e], home[v], strict=True)):
                walk = [
                    *reversed(_path(there, piece.tails, u)),
                    e,
                    *_path(back, piece.heads, v),
                ]
                cycles = _simple(walk, piece)
                stray = next(c for c in cycles if not lineality.holds(_total(piece, c)))
                return tuple(part[stray].tolist())
    return ()


def _heights(
    came: dict[int, int], ends: IntArray, place: list[tuple[int, ...]]
) -> dict[int, tuple[int, ...]]:
    """Sum the coordinates of the edges along the tree path to each vertex."""
    sums: dict[int, tuple[int, ...]] = {}
    for v, e in came.items():
        before = sums[int(ends[e])] if e >= 0 else (0,) * len(place[0])
        step = place[e] if e >= 0 else before
        sums[v] = tuple(a + b for a, b in zip(before, step, strict=True))
    return sums


def _path(came: dict[int, int], ends: IntArray, v: int) -> list[int]:
    """Return the edges of the tree from v to its root."""
    path = []
    while came[v] >= 0:
        path.append(came[v])
        v = int(ends[came[v]])
    return path


def _simple(walk: list[int], piece: Digraph) -> list[list[int]]:
    """Decompose a closed walk into simple cycles."""
    cycles, path = [], []
    position = {int(piece.tails[walk[0]]): 0}
    for e in walk:
        path.append(e)
        head = int(piece.heads[e])
        if head in position:
            cycle, path = path[position[head] :], path[: position[head]]
            for done in cycle[1:]:
                del position[int(piece.tails[done])]
            cycles.append(cycle)
        else:
            position[head] = len(path)
    return cycles
