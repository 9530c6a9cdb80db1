"""Positions of vertices and routes of edges.

Each fibre has a row and each time has a column. The rows are in a topological order of the strong
components of the edges of delay zero, from the bottom up; ties are in the order of the vertices.
A route is a chain of cubic Bezier curves from the rim of one disc to the rim of another. Within a
column, an edge to the next row is straight, and a longer edge bends to the left. An edge between
copies of a vertex runs over its row, and an edge between neighboring columns is an S-curve. Other
edges bend as little as possible to avoid the vertices.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from unrollgraph.draw.scene import Color, Points, flattened, vertex_colors
from unrollgraph.draw.style import RADIUS
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import strong_components


def rows_of(graph: DelayGraph) -> dict[Any, int]:
    """Row of each vertex, counted from the bottom."""
    still = np.flatnonzero(~graph.delays.any(axis=1))
    n = len(graph.vertices)
    tails, heads = graph.tails[still], graph.heads[still]
    piece = strong_components(n, tails, heads).tolist()
    members: dict[int, list[int]] = {}
    for v, own in enumerate(piece):
        members.setdefault(own, []).append(v)
    order: nx.DiGraph[int] = nx.DiGraph()
    order.add_nodes_from(members)
    pairs = zip(tails.tolist(), heads.tolist(), strict=True)
    order.add_edges_from((piece[u], piece[v]) for u, v in pairs if piece[u] != piece[v])
    pieces = nx.lexicographical_topological_sort(order, key=lambda own: members[own][0])
    return {graph.vertices[v]: row for row, v in enumerate(v for p in pieces for v in members[p])}


def fibre_colors(graph: DelayGraph, palette: Any) -> dict[Any, Color]:
    """Color of each fibre, in the order of the rows."""
    rows = rows_of(graph)
    return vertex_colors(sorted(rows, key=rows.__getitem__), palette)


GAP = 0.05  # distance from the rim of a disc to the end of an edge
_REACH = RADIUS + GAP


class Spot(NamedTuple):
    """Center of a disc, or of a pill whose straight sides have the length ``2 * wide``."""

    x: float
    y: float
    wide: float = 0.0


def _chain(*points: tuple[float, float]) -> Points:
    return np.array(points, dtype=np.float64)


def spot(at: Any, wide: float) -> Spot:
    """Spot of a vertex at a point."""
    x, y = at
    return Spot(float(x), float(y), wide)


def straight(a: Spot, b: Spot) -> Points:
    """Straight route between the rims of a and b."""
    start, end = leave(a, (b.x - a.x, b.y - a.y)), leave(b, (a.x - b.x, a.y - b.y))
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return _chain(
        start,
        (start[0] + third[0], start[1] + third[1]),
        (end[0] - third[0], end[1] - third[1]),
        end,
    )


def leave(at: Spot, way: Any) -> tuple[float, float]:
    """Point at which a ray from the center leaves a disc or a pill."""
    length = math.hypot(*way)
    dx, dy = way[0] / length, way[1] / length
    if abs(dy) * at.wide >= _REACH * abs(dx) and at.wide:
        far = _REACH / abs(dy)  # through a straight side
    else:
        far = at.wide * abs(dx) + math.sqrt(_REACH**2 - (at.wide * dy) ** 2)
    return at.x + far * dx, at.y + far * dy


def _rim(at: Spot, angle: float) -> tuple[float, float]:
    """Point of a rim whose normal has an angle."""
    along = math.cos(angle)
    side = 0.0 if abs(along) < 1e-9 else math.copysign(at.wide, along)
    return at.x + side + _REACH * along, at.y + _REACH * math.sin(angle)


def bow(a: Spot, b: Spot, reach: float, wide: float) -> Points:
    """Route within a column of half-width ``wide``, bent to the left (right if negative)."""
    up = 1 if b[1] >= a[1] else -1
    lean = math.atan2(1.0, 0.55 + 0.4 * abs(reach))
    side = -1 if reach > 0 else 1
    out = math.pi / 2 - side * (math.pi / 2 - lean)
    start, end = _rim(a, up * out), _rim(b, -up * out)
    x = a[0] + side * (wide + (_REACH + abs(reach)) * 4 / 3 - _REACH / 3)
    height = abs(b[1] - a[1])
    return _chain(
        start,
        (x, start[1] + up * 0.25 * height),
        (x, end[1] - up * 0.25 * height),
        end,
    )


def bulge(a: Spot, b: Spot, reach: float, side: int, turns: tuple[float, float]) -> Points:
    """Route beside a column, on the right for ``side=1``; ``turns`` are the angles at its ends."""
    start, end = _rim(a, turns[0]), _rim(b, turns[1])
    x = a[0] + _REACH + reach * 4 / 3
    points = _chain(start, (x, start[1]), (x, end[1]), end)
    if side < 0:
        points[:, 0] = 2 * a[0] - points[:, 0]
    return points


def ports(spans: Sequence[tuple[float, float]], track: Sequence[int]) -> list[tuple[float, float]]:
    """Angles at the ends of edges beside a column, chosen to avoid crossings at vertices."""
    # from top to bottom at each vertex: edges up by track, nested loops, edges down in reverse
    at: dict[float, list[tuple[tuple[int, int], int, int]]] = {}
    for k, ((tail, head), own) in enumerate(zip(spans, track, strict=True)):
        if tail == head:
            places = ((1, -own), (1, own + 1))
        else:
            up, down = (0, own), (2, -own)
            places = (up, down) if tail < head else (down, up)
        at.setdefault(tail, []).append((places[0], k, 0))
        at.setdefault(head, []).append((places[1], k, 1))
    angles = [[0.0, 0.0] for _ in spans]
    for ends in at.values():
        step = min(0.6, 2.2 / max(len(ends) - 1, 1))
        for place, (_, k, end) in enumerate(sorted(ends)):
            angles[k][end] = step * ((len(ends) - 1) / 2 - place)
    return [(one, other) for one, other in angles]


def across(a: Spot, b: Spot, bend: float) -> Points:
    """S-curve between columns that changes rows at the share ``bend`` of the way."""
    way = 1 if b[0] > a[0] else -1
    start, end = (a.x + way * (a.wide + _REACH), a.y), (b.x - way * (b.wide + _REACH), b.y)
    x = start[0] + bend * (end[0] - start[0])
    return _chain(start, (x, start[1]), (x, end[1]), end)


def arch(a: Spot, b: Spot, height: float, degrees: float = 48.0) -> Points:
    """Route over a row, from one copy of a vertex to another."""
    way = 1 if b[0] > a[0] else -1
    turn = math.radians(degrees)
    start, end = (
        _rim(a, turn if way > 0 else math.pi - turn),
        _rim(b, math.pi - turn if way > 0 else turn),
    )
    width = abs(end[0] - start[0])
    top = a[1] + height
    lift = (top - start[1]) * 4 / 3
    inset = 0.3 * width if width < 2 else 0.38 * width  # rounder if wide, to separate the copies
    return _chain(
        start,
        (start[0] + way * inset, start[1] + lift),
        (end[0] - way * inset, end[1] + lift),
        end,
    )


def passing(a: Spot, b: Spot, others: Points, taken: Iterable[float] = ()) -> tuple[Points, float]:
    """Route with the least bend (> 0: left) that avoids discs and taken bends, and its bend.

    The others are an array of spots, of shape (n, 3).
    """
    taken = list(taken)
    steps = [
        side * 0.15 * k for k in range(25 + 4 * len(taken)) for side in ((1, -1) if k else (1,))
    ]
    free = [h for h in steps if all(abs(h - other) > 0.25 for other in taken)]
    best, found = -math.inf, (straight(a, b), 0.0)
    aside = _aside(a, b, others)
    for h in free:
        points = _bent(a, b, h) if h else straight(a, b)
        near = others[aside < abs(h) + 2 * RADIUS]  # the others are too far away
        clear = clearance(points, near)
        if clear > 0.11:
            return points, h
        if clear > best:  # the fallback if no candidate avoids all discs
            best, found = clear, (points, h)
    return found


def clearance(points: Points, others: Points) -> float:
    """Least distance of a route from the rims of an array of spots, or infinity beyond 0.2."""
    beyond = np.maximum(points.min(axis=0) - others[:, :2], others[:, :2] - points.max(axis=0))
    beyond[:, 0] -= others[:, 2]
    others = others[np.all(beyond < RADIUS + 0.2, axis=1)]
    if not len(others):
        return math.inf
    length = float(np.hypot(*np.diff(points[::3], axis=0).T).max(initial=0.0))
    steps = min(120, max(16, math.ceil(10 * length)))  # in each cubic
    away = others[:, None, :2] - flattened(points, steps)
    x = np.maximum(np.abs(away[..., 0]) - others[:, None, 2], 0.0)
    return float(np.hypot(x, away[..., 1]).min(initial=math.inf)) - RADIUS


def _aside(a: Spot, b: Spot, others: Points) -> Points:
    """Lower bounds of the distances of spots from the segment between a and b."""
    start, along = np.array(a[:2]), np.subtract(b[:2], a[:2])
    centers = others[:, :2]
    share = np.clip((centers - start) @ along / (along @ along), 0, 1)
    away = centers - start - share[:, None] * along
    distance: Points = np.hypot(away[:, 0], away[:, 1]) - others[:, 2]
    return distance


def _bent(a: Spot, b: Spot, bow: float) -> Points:
    """Route from rim to rim whose midpoint is ``bow`` to the left of the segment from a to b."""
    start, end = np.array(a[:2]), np.array(b[:2])
    along = end - start
    left = np.array([-along[1], along[0]]) / np.hypot(*along) * bow * 4 / 3
    first, second = start + 0.28 * along + left, end - 0.28 * along + left
    return np.array([leave(a, first - start), first, second, leave(b, second - end)])


def loop(at: Spot, angle: float, size: float, opening: float = 0.6) -> Points:
    """Route of a round loop at a disc, in the direction ``angle``."""
    high = 0.3 + 0.45 * size
    x, y = _REACH * math.cos(opening), _REACH * math.sin(opening)
    far = _REACH + size * 4 / 3
    along = np.array([math.cos(angle), math.sin(angle)])
    aside = 0.0 if abs(along[0]) < 1e-9 else math.copysign(at.wide, along[0])
    local = np.array([(x, y), (far, high), (far, -high), (x, -y)])
    turn = np.array([along, (-along[1], along[0])])
    points: Points = local @ turn + (at.x + aside, at.y)
    return points


def turned(at: Spot, nth: int, first: float, turn: float, size: float = 0.2) -> Points:
    """Route of the nth loop at a disc: each is rotated by ``turn``, and larger after each round."""
    routes = int(2 * math.pi / turn + 0.05)
    outer, way = divmod(nth, routes)
    return loop(at, first + turn * way, size + 0.22 * outer)


class Routes:
    """Routes of edges between discs at given centers, no two of them equal."""

    def __init__(self, at: Mapping[Any, Spot]) -> None:
        self._at = at
        self._middles = np.array(list(at.values()))
        self._number = {key: k for k, key in enumerate(at)}
        self._taken: dict[Any, list[float]] = {}

    def held(self, a: Any, b: Any) -> int:
        """Count the earlier edges from a to b, and add one."""
        held = self._taken.setdefault((a, b), [])
        held.append(0.0)
        return len(held) - 1

    def count(self, a: Any, b: Any) -> int:
        """Count the earlier edges from a to b."""
        return len(self._taken.get((a, b), ()))

    def others(self, a: Any, b: Any) -> Points:
        """Places of the other vertices."""
        return np.delete(self._middles, [self._number[a], self._number[b]], axis=0)

    def between(self, a: Any, b: Any) -> tuple[Points, float]:
        """Add an edge from a to b, and return its route and its bend."""
        others = self.others(a, b)
        held = self._taken.setdefault((a, b), [])
        back = [-bow for bow in self._taken.get((b, a), ())]
        points, bow = passing(self._at[a], self._at[b], others, [*held, *back])
        held.append(bow)
        return points, bow


def trimmed(points: Points, ends: tuple[Spot, Spot]) -> Points:
    """Cut off the parts of a line that are within its end vertices."""
    cuts = []
    for line, end in ((points, ends[0]), (points[::-1], ends[1])):
        x, y = np.abs(line - end[:2]).T
        away = np.hypot(np.maximum(x - end.wide, 0.0), y)
        k = int(np.argmax(away > _REACH))
        share = (_REACH - away[k - 1]) / (away[k] - away[k - 1])
        cuts.append((k, line[k - 1] + share * (line[k] - line[k - 1])))
    (first, start), (last, end_) = cuts
    return np.vstack([start, points[first : len(points) - last], end_])


def smooth(points: Points) -> Points:
    """Chain of cubics through points, with the tangents of a Catmull-Rom spline."""
    slope = np.gradient(points, axis=0) / 3
    chain = np.empty((3 * len(points) - 2, 2))
    chain[0::3] = points
    chain[1::3] = points[:-1] + slope[:-1]
    chain[2::3] = points[1:] - slope[1:]
    return chain


def through(a: Spot, way: Points, b: Spot, others: Points) -> Points:
    """Straight route if it is free, or a route that is vertical in points between a and b."""
    if clearance(straight(a, b), others) > 0.11:
        return straight(a, b)
    rise = np.array([0.0, 0.45 if b.y > a.y else -0.45])
    # vertical at the ends as well, if the next point is far aside
    first = way[0] - rise if abs(way[0, 0] - a.x) < 0.4 else a[:2] + rise
    last = way[-1] + rise if abs(way[-1, 0] - b.x) < 0.4 else b[:2] - rise
    start, end = leave(a, first - a[:2]), leave(b, last - b[:2])
    chain = [np.array(start), a[:2] + 0.8 * (first - a[:2])]
    for point in way:
        chain += [point - rise, point, point + rise]
    chain += [b[:2] + 0.8 * (last - b[:2]), np.array(end)]
    return np.array(chain)


def rising(a: Spot, b: Spot, others: Points) -> Points | None:
    """Route between neighboring ranks, straight or at its ends vertical; None if not free."""
    rise = np.array([0.0, 0.5 if b.y > a.y else -0.5])
    first, last = np.array(a[:2]) + rise, np.array(b[:2]) - rise
    curve = np.array([leave(a, rise), first, last, leave(b, -rise)])
    corners = np.array([curve[0], first, last, curve[-1]])
    for route in (straight(a, b), curve, _rounded(corners, 0.2)):
        if clearance(route, others) > 0.08:
            return route
    return None


def corridor(a: Spot, b: Spot, gap: float, others: Points, nth: int = 0) -> Points | None:
    """The nth shortest free route between rows and, at x = gap, columns, or None."""
    way = 1.0 if b.x > a.x else -1.0
    found: list[tuple[float, Points]] = []
    for up, down in product((0.5, -0.5), repeat=2):
        first = (a.x + way * (a.wide + 0.3), a.y + up)
        last = (b.x - way * (b.wide + 0.3), b.y + down)
        start = leave(a, np.subtract(first, a[:2]))
        end = leave(b, np.subtract(last, b[:2]))
        corners = np.array([start, first, (gap, first[1]), (gap, last[1]), last, end])
        route = _rounded(corners, 0.3)
        if clearance(route, others) > 0.05:
            found.append((float(np.hypot(*np.diff(corners, axis=0).T).sum()), route))
    found.sort(key=lambda own: own[0])
    return found[nth][1] if nth < len(found) else None


def _rounded(corners: Points, radius: float) -> Points:
    """Chain of cubics along a polyline with rounded corners."""
    chain = [corners[0]]
    for before, corner, after in zip(corners[:-2], corners[1:-1], corners[2:], strict=True):
        ends = []
        for other in (before, after):
            length = float(np.hypot(*(other - corner)))
            ends.append(corner + (other - corner) * (min(radius, 0.5 * length) / max(length, 1e-9)))
        here, (into, out) = chain[-1], ends
        chain += [here + (into - here) / 3, here + (into - here) * 2 / 3, into]
        chain += [into + (corner - into) * 2 / 3, out + (corner - out) * 2 / 3, out]
    here, end = chain[-1], corners[-1]
    return np.array([*chain, here + (end - here) / 3, here + (end - here) * 2 / 3, end])


def tracks(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Track of each span: 1 more than the largest track of a shorter span that it overlaps."""
    found = [0] * len(spans)
    taken: list[list[tuple[float, float]]] = []
    order = sorted(range(len(spans)), key=lambda k: (spans[k][1] - spans[k][0], k))
    for k in order:
        low, high = spans[k]
        # shorter spans are nearer to the column
        inside = [
            i for i, held in enumerate(taken) if any(not _apart(s, (low, high)) for s in held)
        ]
        track = max(inside, default=-1) + 1
        if track == len(taken):
            taken.append([])
        taken[track].append((low, high))
        found[k] = track
    return found


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[1] <= other[0] or other[1] <= one[0]


def middle(points: Points) -> tuple[float, float]:
    """Midpoint of the middle cubic of a chain."""
    pieces = (len(points) - 1) // 3
    k = 3 * (pieces // 2)
    p = points[k : k + 4]
    x, y = (p[0] + 3 * p[1] + 3 * p[2] + p[3]) / 8
    return float(x), float(y)


def beside_line(
    line: Points,
    wide: float,
    spots: Sequence[Spot],
    taken: Sequence[tuple[float, float, float]],
    lines: Points,
    size: float,
) -> tuple[float, float]:
    """Place of a badge beside a line, away from vertices, other badges and points of lines."""
    high = 0.55 * size
    points = flattened(line, 40)
    discs = np.array(spots)
    shares = 0.5 + np.array([0, 4, -4, 8, -8, 12, -12, 16, -16, 20, -20, 24, -24, 30, -30]) / 100
    k = (shares * (len(points) - 1)).astype(int)
    along = points[k + 1] - points[k - 1]
    normal = np.column_stack([-along[:, 1], along[:, 0]])
    normal /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    steps = np.array([0.08, 0.4, 0.8, 1.4, 2.0])
    far = steps + (np.abs(normal) @ [0.5 * wide, high])[:, None]  # by share and step
    moves = np.array([1, -1])[:, None, None] * far[:, None, :, None] * normal[:, None, None]
    at = (points[k][:, None, None] + moves).reshape(-1, 2)  # by share, side and step

    def away(others: Points) -> tuple[Points, Points]:
        x, y = (np.abs(others[:, k] - at[:, k, None]) for k in (0, 1))
        return x, y

    half = wide / 2, high
    near = np.all((lines > at.min(axis=0) - half) & (lines < at.max(axis=0) + half), axis=1)
    x, y = away(lines[near])
    hits = np.tile(steps, len(at) // len(steps))
    hits += np.sum((x < wide / 2) & (y < high), axis=1)
    x, y = away(discs)
    gap = np.hypot(np.maximum(x - discs[:, 2], 0.0), y)
    hits += 20 * np.sum(gap < RADIUS + max(high, wide / 2), axis=1)
    badges = np.array(taken).reshape(-1, 3)
    x, y = away(badges)
    hits += 20 * np.sum((x < (wide + badges[:, 2]) / 2) & (y < 2 * high), axis=1)
    u, v = at[np.argmin(hits)].tolist()
    return u, v
