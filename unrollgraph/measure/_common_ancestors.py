"""Common ancestors of two vertices of the delay cover, at all times.

The ancestors of ``(v, t)`` over a base vertex h are at the times t - lag, for the lags of the
receptive field from h to v: finitely many arithmetic progressions. Two of them have common members
iff their first members agree modulo the greatest common divisor of their steps (the Chinese
remainder theorem); the common members are again a progression.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd
from typing import Any

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.errors import CertificateError
from unrollgraph.graph.delay_graph import GraphLike
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.measure._receptive_field import ReceptiveField, receptive_field
from unrollgraph.measure.ancestors import ordered_times
from unrollgraph.measure.paths import has_path

Progression = tuple[int, int]  # first time and step: first, first + step, ...; 0 for one time


@dataclass(frozen=True)
class CommonAncestors:
    """The common ancestors of two vertices of the infinite cover.

    Attributes
    ----------
    cover : DelayCover
        The cover.
    a, b : vertices of the cover
        The two vertices; each is an ancestor of itself.
    progressions : mapping of vertex to tuple of (int, int)
        For each base vertex with common ancestors their times, as first time and step: first,
        first + step, .... The step is 0 for a single time, and negative unless time is reversed.
        Base vertices with later common ancestors come first.
    fields : tuple of (ReceptiveField, ReceptiveField)
        The lags from each base vertex to the two vertices, for `check`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.skip(5))
    >>> found = ug.common_ancestors(cover, ("h", 3), ("y", 9))
    >>> found.progressions
    {'x': ((3, -1),), 'h': ((3, -1),)}
    >>> found.nearest, ("x", -10**9) in found, found.check()
    (('x', 3), True, True)
    """

    cover: DelayCover = field(repr=False)
    a: Any
    b: Any
    progressions: Mapping[Any, tuple[Progression, ...]]
    fields: tuple[tuple[ReceptiveField, ReceptiveField], ...] = field(repr=False)

    @property
    def nearest(self) -> Any:
        """A common ancestor that is the latest one, or None if there are no common ancestors.

        If all cycles of the graph have negative totals, time is reversed: it is the earliest one.
        """
        for vertex, found in self.progressions.items():
            return vertex, found[0][0]
        return None

    def __contains__(self, node: object) -> bool:
        if node not in self.cover:
            return False
        vertex, time = self.cover.locate(node)
        return any(_holds(p, time) for p in self.progressions.get(vertex, ()))

    def __bool__(self) -> bool:
        return bool(self.progressions)

    def check(self) -> bool:
        """Verify that there are no other common ancestors; return True.

        The receptive fields are verified. Of each progression, the first member is verified to be a
        common ancestor.

        Raises
        ------
        CertificateError
            If the receptive fields or the progressions are incomplete, or a first member is wrong.
        """
        ends = [(f.source, f.target, g.source, g.target) for f, g in self.fields]
        targets = self.cover.project(self.a), self.cover.project(self.b)
        if ends != [(h, targets[0], h, targets[1]) for h in self.cover.delay_graph.vertices]:
            raise CertificateError("the receptive fields are not those of all base vertices")
        for one in (one for pair in self.fields for one in pair):
            if one.graph != self.cover.delay_graph:
                raise CertificateError("a receptive field is that of another graph")
            one.check()
        if dict(self.progressions) != _progressions(self.fields, self.a[1], self.b[1]):
            raise CertificateError("the progressions do not agree with the receptive fields")
        for vertex, found in self.progressions.items():
            for first, _ in found:
                if not all(has_path(self.cover, (vertex, first), end) for end in (self.a, self.b)):
                    raise CertificateError(f"{(vertex, first)!r} is not a common ancestor")
        return True


def common_ancestors(G: GraphLike, a: Any, b: Any, *, delay: str = "delay") -> CommonAncestors:
    """Find the common ancestors of two vertices of the infinite delay cover.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays must be integers.
    a, b : vertices of the cover
        Pairs ``(v, t)`` of a base vertex and a time.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    CommonAncestors
        Their times over each base vertex, as arithmetic progressions. It is false if there are no
        common ancestors. The cost is that of two receptive fields for each base vertex, and of all
        pairs of their progressions.

    Raises
    ------
    LiftError, CyclicCoverError, UnboundedError, TooLargeError, ValueError
        As for `d_separated`.

    Examples
    --------
    Two rings of 7 and 8 variables that h drives at different places:

    >>> import unrollgraph as ug
    >>> G = ug.gallery.driven_rings(7, 8, 3)
    >>> ug.common_ancestors(G, ("a0", 0), ("b0", 0)).progressions
    {'h': ((-22, -56),)}
    """
    cover = as_cover(G, delay)
    a, b = cover.locate(a), cover.locate(b)
    graph = cover.delay_graph
    ordered_times(graph, [graph.number[a[0]], graph.number[b[0]]])  # raises if there is no order
    fields = tuple(
        (receptive_field(graph, h, a[0]), receptive_field(graph, h, b[0])) for h in graph.vertices
    )
    return CommonAncestors(cover, a, b, FrozenDict(_progressions(fields, a[1], b[1])), fields)


def _progressions(
    fields: tuple[tuple[ReceptiveField, ReceptiveField], ...], a: int, b: int
) -> dict[Any, tuple[Progression, ...]]:
    """Times of common ancestors of vertices at two times, by base vertex, latest first."""
    steps = [step for pair in fields for one in pair for _, step in one.progressions]
    sign = -1 if min(steps, default=0) < 0 else 1  # lags decrease if time is reversed
    found: dict[Any, tuple[Progression, ...]] = {}
    for one, other in fields:
        left = [(a - first, -step) for first, step in one.progressions]
        right = [(b - first, -step) for first, step in other.progressions]
        both = [p for p in (_common(p, q) for p in left for q in right) if p is not None]
        times: list[Progression] = []
        # the finest first, as they contain others
        for p in sorted(both, key=lambda p: (-sign * p[0], abs(p[1]) or 2**63)):
            if not any(_contains(q, p) for q in times):
                times.append(p)
        if times:
            found[one.source] = tuple(times)
    return dict(sorted(found.items(), key=lambda item: -sign * item[1][0][0]))


def _common(p: Progression, q: Progression) -> Progression | None:
    """Common members of two progressions whose steps do not have opposite signs."""
    if not p[1] or not q[1]:
        single, progression = (p, q) if not p[1] else (q, p)
        return (single[0], 0) if _holds(progression, single[0]) else None
    (first, step), (second, other) = p, q
    common = gcd(step, other)
    if (second - first) % common:
        return None
    skipped = max(0, -((first - second) // step))  # members before the other one begins
    member = first + skipped * step
    turns = pow(step // common, -1, abs(other) // common)
    member += (second - member) // common * turns % (abs(other) // common) * step
    return member, abs(other) // common * step


def _holds(progression: Progression, time: int) -> bool:
    first, step = progression
    if not step:
        return time == first
    return (time - first) % step == 0 and (time - first) // step >= 0


def _contains(large: Progression, small: Progression) -> bool:
    return _holds(large, small[0]) and (not small[1] or bool(large[1] and small[1] % large[1] == 0))
