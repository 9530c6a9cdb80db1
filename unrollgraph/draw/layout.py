"""Where vertices stand, and how edges run.

Every vertex of the base has a row of its own, and all its copies stand in it, so that the
projection of a window is a horizontal one. Rows go up in the order of the edges of delay
zero, ties as the vertices were given; where such edges form a cycle its vertices stay
together. Columns are times. For delays in Z^2 each time is a cell of its own in the plane.

All routes of edges are chains of cubic curves from the rim of one disc to the rim of another. In a
column an edge to the next row is straight, a longer one bows to the left of what it passes.
From a column to the next an edge leaves on the right, with a negative delay on the left, and
swings to its row in an S.

Farther, and where vertices stand in no rows, an edge is an arc that bows as little as it must
to pass by all the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from unrollgraph.draw.scene import Colour, Points, flattened, vertex_colours
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import strong_components

RADIUS = 0.27  # of a vertex, in rows
COLUMN = 1.6  # from one time to the next, in rows


def rows_of(graph: DelayGraph) -> dict[Any, int]:
    """Row of each vertex, counted from below."""
    still = np.flatnonzero(~graph.delays.any(axis=1))
    n = len(graph.vertices)
    tails, heads = graph.tails[still], graph.heads[still]
    piece = strong_components(n, tails, heads).tolist()
    members: dict[int, list[int]] = {}
    for v, own in enumerate(piece):
        members.setdefault(own, []).append(v)
    after: dict[int, list[int]] = {own: [] for own in members}
    waiting = dict.fromkeys(members, 0)
    for u, v in zip(tails.tolist(), heads.tolist(), strict=True):
        if piece[u] != piece[v]:
            after[piece[u]].append(piece[v])
            waiting[piece[v]] += 1
    # of what is ready, what was given first
    ready = [(own[0], p) for p, own in members.items() if not waiting[p]]
    heapify(ready)
    rows: dict[Any, int] = {}
    while ready:
        _, p = heappop(ready)
        for v in members[p]:
            rows[graph.vertices[v]] = len(rows)
        for q in after[p]:
            waiting[q] -= 1
            if not waiting[q]:
                heappush(ready, (members[q][0], q))
    return rows


def fibre_colours(graph: DelayGraph, palette: Any) -> dict[Any, Colour]:
    """Colour of each fibre, in the order of the rows."""
    rows = rows_of(graph)
    return vertex_colours(sorted(rows, key=rows.__getitem__), palette)


GAP = 0.05  # between a rim and the end of a stroke
_REACH = RADIUS + GAP


def _chain(*points: tuple[float, float]) -> Points:
    return np.array(points, dtype=np.float64)


def straight(a: tuple[float, float], b: tuple[float, float]) -> Points:
    """From rim to rim along the line between two middles."""
    (x, y), (u, v) = a, b
    length = math.hypot(u - x, v - y)
    dx, dy = (u - x) / length * _REACH, (v - y) / length * _REACH
    start, end = (x + dx, y + dy), (u - dx, v - dy)
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return _chain(
        start,
        (start[0] + third[0], start[1] + third[1]),
        (end[0] - third[0], end[1] - third[1]),
        end,
    )


def _rim(at: tuple[float, float], angle: float) -> tuple[float, float]:
    return at[0] + _REACH * math.cos(angle), at[1] + _REACH * math.sin(angle)


def bow(a: tuple[float, float], b: tuple[float, float], reach: float) -> Points:
    """Within a column, around what stands between; to the left for a positive reach."""
    up = 1 if b[1] >= a[1] else -1
    lean = math.atan2(1.0, 0.55 + 0.4 * abs(reach))
    side = -1 if reach > 0 else 1
    out = math.pi / 2 - side * (math.pi / 2 - lean)
    start, end = _rim(a, up * out), _rim(b, -up * out)
    x = a[0] + side * (_REACH + abs(reach)) * 4 / 3 - side * _REACH / 3
    height = abs(b[1] - a[1])
    return _chain(
        start,
        (x, start[1] + up * 0.25 * height),
        (x, end[1] - up * 0.25 * height),
        end,
    )


def bulge(
    a: tuple[float, float],
    b: tuple[float, float],
    reach: float,
    side: int,
    turns: tuple[float, float],
) -> Points:
    """Beside a column, to the right for side 1: out of one disc, round, and into another.

    ``turns`` are the angles at which it leaves and enters, upward from the horizontal.
    """
    start, end = _rim(a, turns[0]), _rim(b, turns[1])
    x = a[0] + _REACH + reach * 4 / 3
    rise = 0.12 + 0.3 * reach if a == b else 0.0
    points = _chain(start, (x, start[1] + rise), (x, end[1] - rise), end)
    if side < 0:
        points[:, 0] = 2 * a[0] - points[:, 0]
    return points


def ports(spans: Sequence[tuple[float, float]], lane: Sequence[int]) -> list[tuple[float, float]]:
    """Angles at which edges beside a column leave and enter, so that they do not cross there.

    From above to below at each vertex: what goes up, the nearest lane first, then loops in each
    other, then what goes down, the nearest lane last.
    """
    at: dict[float, list[tuple[tuple[int, int], int, int]]] = {}
    for k, ((tail, head), own) in enumerate(zip(spans, lane, strict=True)):
        if tail == head:
            places = ((1, -own), (1, own + 1))
        else:
            up, down = (0, own), (2, -own)
            places = (up, down) if tail < head else (down, up)
        at.setdefault(tail, []).append((places[0], k, 0))
        at.setdefault(head, []).append((places[1], k, 1))
    angles = [[0.0, 0.0] for _ in spans]
    for ends in at.values():
        step = min(0.42, 2.2 / max(len(ends) - 1, 1))
        for place, (_, k, end) in enumerate(sorted(ends)):
            angles[k][end] = step * ((len(ends) - 1) / 2 - place)
    return [(one, other) for one, other in angles]


def across(a: tuple[float, float], b: tuple[float, float], bend: float) -> Points:
    """From one column to the next, in an S; ``bend`` says where it climbs, from 0 to 1."""
    way = 1 if b[0] > a[0] else -1
    start, end = (a[0] + way * _REACH, a[1]), (b[0] - way * _REACH, b[1])
    x = start[0] + bend * (end[0] - start[0])
    return _chain(start, (x, start[1]), (x, end[1]), end)


def arch(a: tuple[float, float], b: tuple[float, float], height: float) -> Points:
    """Over the row of a vertex to a later copy of it."""
    way = 1 if b[0] > a[0] else -1
    turn = math.radians(48)
    start, end = (
        _rim(a, turn if way > 0 else math.pi - turn),
        _rim(b, math.pi - turn if way > 0 else turn),
    )
    width = abs(end[0] - start[0])
    top = a[1] + height
    lift = (top - start[1]) * 4 / 3
    inset = 0.3 * width if width < 2 else 0.38 * width  # round, so that copies part
    return _chain(
        start,
        (start[0] + way * inset, start[1] + lift),
        (end[0] - way * inset, end[1] + lift),
        end,
    )


def passing(
    a: tuple[float, float],
    b: tuple[float, float],
    others: Points,
    taken: Iterable[float] = (),
) -> tuple[Points, float]:
    """Bow as little as must be to pass by other discs, and return how far.

    To the left of its direction for a positive bow, and never as far as one that is taken. If
    nothing is clear, what comes least near to a disc.
    """
    taken = list(taken)
    steps = [
        side * 0.15 * k for k in range(25 + 4 * len(taken)) for side in ((1, -1) if k else (1,))
    ]
    free = [h for h in steps if all(abs(h - other) > 0.25 for other in taken)]
    best, found = -math.inf, (straight(a, b), 0.0)
    aside = _aside(a, b, others)
    for h in free:
        points, gaps = straight(a, b), aside
        if h:
            points = _bent(a, b, h)
            near = others[aside < abs(h) + 2 * RADIUS]  # no bow comes near to the rest
            away = near[:, None] - flattened(points, 24)
            gaps = np.hypot(away[..., 0], away[..., 1])
        clear = float(gaps.min(initial=math.inf)) - RADIUS
        if clear > 0.11:
            return points, h
        if clear > best:
            best, found = clear, (points, h)
    return found


def _aside(a: tuple[float, float], b: tuple[float, float], others: Points) -> Points:
    """Distance of points from the line between two others."""
    start, along = np.array(a), np.subtract(b, a)
    share = np.clip((others - start) @ along / (along @ along), 0, 1)
    away = others - start - share[:, None] * along
    distance: Points = np.hypot(away[:, 0], away[:, 1])
    return distance


def _bent(a: tuple[float, float], b: tuple[float, float], bow: float) -> Points:
    """Bow from rim to rim; its middle is that far from the line between the middles."""
    start, end = np.array(a), np.array(b)
    along = end - start
    left = np.array([-along[1], along[0]]) / np.hypot(*along) * bow * 4 / 3
    first, second = start + 0.28 * along + left, end - 0.28 * along + left
    start = start + _REACH * (first - start) / np.hypot(*(first - start))
    end = end + _REACH * (second - end) / np.hypot(*(second - end))
    return np.array([start, first, second, end])


def loop(at: tuple[float, float], angle: float, size: float) -> Points:
    """From a disc in one direction round and back into it."""
    opening = 0.55
    far = _REACH + size * 4 / 3
    return np.array(
        [
            (at[0] + r * math.cos(angle + turn), at[1] + r * math.sin(angle + turn))
            for r, turn in (
                (_REACH, opening),
                (far, 0.8 * opening),
                (far, -0.8 * opening),
                (_REACH, -opening),
            )
        ]
    )


def turned(
    at: tuple[float, float], nth: int, first: float, turn: float, size: float = 0.2
) -> Points:
    """The nth loop at a disc: each a turn further, and after a whole round larger."""
    ways = int(2 * math.pi / turn + 0.05)
    outer, way = divmod(nth, ways)
    return loop(at, first + turn * way, size + 0.22 * outer)


class Ways:
    """Arcs between the discs of a picture, of which none runs upon another.

    Made of the middles of the discs; it remembers which ways are taken.
    """

    def __init__(self, at: Mapping[Any, tuple[float, float]]) -> None:
        self._at = at
        self._middles = np.array(list(at.values()))
        self._number = {key: k for k, key in enumerate(at)}
        self._taken: dict[Any, list[float]] = {}

    def held(self, a: Any, b: Any) -> int:
        """Say how many ways from one disc to another, or loops, were taken; take one more."""
        held = self._taken.setdefault((a, b), [])
        held.append(0.0)
        return len(held) - 1

    def between(self, a: Any, b: Any) -> tuple[Points, float]:
        """Take a way from one disc to another, passing by all others; return how far it bows."""
        others = np.delete(self._middles, [self._number[a], self._number[b]], axis=0)
        held = self._taken.setdefault((a, b), [])
        back = [-bow for bow in self._taken.get((b, a), ())]
        points, bow = passing(self._at[a], self._at[b], others, [*held, *back])
        held.append(bow)
        return points, bow


def trimmed(points: Points, radius: float) -> Points:
    """Cut off what lies within a radius of its first and of its last point."""
    ends = []
    for line in (points, points[::-1]):
        away = np.hypot(*(line - line[0]).T)
        k = int(np.argmax(away > radius))
        share = (radius - away[k - 1]) / (away[k] - away[k - 1])
        ends.append((k, line[k - 1] + share * (line[k] - line[k - 1])))
    (first, start), (last, end) = ends
    return np.vstack([start, points[first : len(points) - last], end])


def smooth(points: Points) -> Points:
    """Chain of cubics through points, with the directions of Catmull and Rom."""
    slope = np.gradient(points, axis=0) / 3
    chain = np.empty((3 * len(points) - 2, 2))
    chain[0::3] = points
    chain[1::3] = points[:-1] + slope[:-1]
    chain[2::3] = points[1:] - slope[1:]
    return chain


def lanes(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Give each span the first lane in which it meets none that is shorter."""
    found = [0] * len(spans)
    taken: list[list[tuple[float, float]]] = []
    order = sorted(range(len(spans)), key=lambda k: (spans[k][1] - spans[k][0], k))
    for k in order:
        low, high = spans[k]
        # what lies inside a span lies nearer to the column
        inside = [
            i for i, held in enumerate(taken) if any(not _apart(s, (low, high)) for s in held)
        ]
        lane = max(inside, default=-1) + 1
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        found[k] = lane
    return found


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[1] <= other[0] or other[1] <= one[0]


def middle(points: Points) -> tuple[float, float]:
    """The point half-way along a chain of an odd number of cubics."""
    pieces = (len(points) - 1) // 3
    k = 3 * (pieces // 2)
    p = points[k : k + 4]
    x, y = (p[0] + 3 * p[1] + 3 * p[2] + p[3]) / 8
    return float(x), float(y)
