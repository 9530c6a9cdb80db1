"""The unrolling as a helix over the base graph, like the line over the circle.

The vertices on cycles (all vertices, if there are no cycles) are placed on a circle, at angles
theta in the order of the rows, and the others outside it. The copy of a vertex at time t has the
height ``t + theta / (2 pi)``; an edge of delay d turns by ``theta(head) - theta(tail) + 2 pi d``.
So the lift of a closed walk of total delay d rises by d turns. The base graph is at the bottom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, product
from typing import TYPE_CHECKING, Any

import numpy as np

from unrollgraph.cover._unroll import unroll
from unrollgraph.cover.windows import WindowLike
from unrollgraph.draw.layout import GAP, fibre_colors, rows_of
from unrollgraph.draw.render import MOST_EDGES, check_drawable, on_paper
from unrollgraph.draw.scene import (
    PAPER,
    QUIET,
    Color,
    Disc,
    Points,
    Scene,
    Shape,
    Stroke,
    delay_colors,
    headed,
    lifted,
    lit,
    mixed,
)
from unrollgraph.draw.style import RADIUS, Style, as_labels
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph
from unrollgraph.graph.digraph import strong_components

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


PITCHES = (1.5, 1.8, 2.2, 2.8)  # heights of a turn, in the order in which they are tried
TILT = 0.3  # height on paper per unit of depth
OUTSIDE = 1.5  # least distance from the circle to the vertices outside it
SAMPLES = 48  # points per turn
_TWISTS = (0.0, 0.5, -0.5, 0.9, -0.9, 1.4, -1.4)  # angles of vertices outside from neighbors
_MOST_TURNS, _MOST_VERTICES, _MOST_EDGES = 12, 16, 30  # for legibility
_ROUNDS = 3  # most turns of an edge of the base graph, for legibility


@dataclass(frozen=True)
class Strand:
    """A three-dimensional edge: its projected points and their depths, from tail to head."""

    key: Any
    points: Points
    depth: Points  # grows away from the viewer
    color: Color
    fade: tuple[float, float] = (0.0, 0.0)  # at tail and head; 0 is the full color, 1 is paper
    width: float = 1.9
    halo: Color = PAPER


@dataclass(frozen=True)
class Helix:
    discs: tuple[Disc, ...]
    strands: tuple[Strand, ...]
    fibres: tuple[tuple[float, float, float, Color], ...]  # x, bottom, top
    floor: tuple[float, float, float, float]  # center and half axes of an ellipse
    hidden: int  # overlaps of vertices, and of edges with vertices


@dataclass(frozen=True)
class _Place:
    """Position of a fibre in cylindrical coordinates, with its height at time 0 in turns."""

    angle: float
    radius: float
    height: float
    step: float = 0.0  # angle to the next vertex on the circle; 0 outside it
    pitch: float = PITCHES[0]
    wide: float = 0.0

    def at(self, time: float) -> tuple[float, float, float]:
        """Coordinates at a time: to the right, away from the viewer, and up."""
        return (
            self.radius * math.cos(self.angle),
            self.radius * math.sin(self.angle),
            self.pitch * (self.height + time),
        )


def helix(  # noqa: PLR0913  (options of a picture)
    G: GraphLike,
    window: WindowLike,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    max_edges: int = MOST_EDGES,
    delay: str = "delay",
) -> Axes:
    """Draw the unrolling of a graph as a helix over the graph.

    Parameters
    ----------
    G, ax, labels, palette, walk, width, delay
        See `rolled`; delays in Z. The lift of the walk is highlighted too.
    window : range or int
        Times to draw; edges with an end one step outside fade, longer ones are omitted.
    max_edges : int
        Largest number of edges to draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If delays are vectors, the helix would be illegible (vertices or edges hidden, more than 16
        vertices, 30 edges or 12 turns), or the lift of the walk does not fit in the window.
    LiftError
        If ``walk`` is not a walk of G.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.helix(ug.gallery.seed_network(), 3)
    >>> len(ax.collections[-1].get_offsets())  # 3 copies of 5 vertices, 5 base vertices, 2 ghosts
    22
    """
    graph = as_delay_graph(G, delay)
    U = unroll(graph, window)
    check_drawable(U, max_edges, axes=1)
    times = U.window
    assert isinstance(times, range)  # for delays with one axis
    if len(graph.vertices) > _MOST_VERTICES or len(graph.edges) > _MOST_EDGES:
        raise ValueError(
            f"cannot draw a helix of {len(graph.vertices)} vertices and {len(graph.edges)} edges: "
            f"at most {_MOST_VERTICES} and {_MOST_EDGES} are legible; draw it with draw.unrolled "
            "or draw.side_by_side"
        )
    if len(times) > _MOST_TURNS:
        raise ValueError(
            f"cannot draw a helix of {len(times)} turns: at most {_MOST_TURNS} are legible; use a "
            "shorter window"
        )
    keys = None if walk is None else {*chain(*lifted(U, walk))}

    def build(style: Style) -> Scene:
        picture = helix_of(graph, times, style)
        if picture.hidden:
            raise ValueError(
                f"a helix of this graph would hide {picture.hidden} vertices or parts of edges; "
                "draw it with draw.unrolled or draw.side_by_side"
            )
        if keys is not None:
            picture = replace(picture, strands=lit(picture.strands, keys))
        return flat(picture)

    return on_paper(build, Style(as_labels(labels), palette), ax, width, graph.vertices)


def helix_of(graph: DelayGraph, window: range, style: Style) -> Helix:
    """Make the helix of a window, with the edges that leave it by one time step."""
    rows = rows_of(graph)
    fill = fibre_colors(graph, style.palette)
    tint = delay_colors(graph.times)
    last = max(map(str, window), key=len, default="")
    wide = {v: style.disc(v, (0.0, 0.0), fill[v], style.label(v), last).wide for v in rows}
    places, hidden = _places(graph, rows, len(window) + 1, wide)
    nth, lanes = _parallel(graph, graph.times), _lanes(graph, places)
    strands, met = [], {(v, t) for v in places for t in window}
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        for t in range(window.start - 1, window.stop + 1):
            ends = ((edge[0], t), (edge[1], t + d))
            outside = tuple(time not in window for _, time in ends)
            near = t + d - window.start > -2 and t + d - window.stop < 1
            if all(outside) or not near:
                continue
            met.update(ends)
            curve = _curve(places[edge[0]], places[edge[1]], (t, d), nth[k], lanes[k])
            fade = (0.85 if outside[0] else 0.0, 0.85 if outside[1] else 0.0)
            strands.append(_strand((*ends, *edge[2:]), curve, wide, tint[d], fade))
    seen = {(v, t): _seen(*places[v].at(t)) for v, t in met}
    farthest = max(place.radius for place in places.values())
    floor = min(y for _, y in seen.values()) - TILT * farthest - 1.0
    below = {v: replace(place, pitch=0.0) for v, place in places.items()}
    rounds = _rounds(graph, places)
    nth = _parallel(graph, rounds)
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        x, y, z = _curve(below[edge[0]], below[edge[1]], (0, rounds[k]), nth[k], lanes[k])
        strands.append(_strand(edge, (x, y, z + floor), wide, tint[d]))
    discs, fibres = [], []
    for v, place in places.items():
        words = style.label(v)
        x, y = _seen(*place.at(0)[:2], floor)
        discs.append(replace(style.disc(v, (x, y), fill[v], words), wide=wide[v]))
        own = sorted(t for w, t in met if w == v)
        fibres.append((x, y, seen[v, own[-1]][1], fill[v]))
        for t in own:
            ghost = t not in window
            color = mixed(fill[v], PAPER, 0.75) if ghost else fill[v]
            label, index = ("", "") if ghost else (words, str(t))
            disc = style.disc((v, t), seen[v, t], color, label, index)
            discs.append(replace(disc, ghost=ghost, wide=0.0 if ghost else wide[v]))
    reach = max(place.radius for place in places.values() if place.step) + 0.75
    return Helix(
        tuple(discs), tuple(strands), tuple(fibres), (0.0, floor, reach, TILT * reach), hidden
    )


def flat(helix: Helix) -> Scene:
    """Project a helix to a scene, in pieces sorted from back to front."""
    reach = max((float(np.abs(strand.depth).max()) for strand in helix.strands), default=1.0)
    pieces, heads = [], []
    for strand in helix.strands:
        points, head = headed(strand.points)
        share = np.linspace(*strand.fade, len(points) - 1)
        for k, s in enumerate(share.tolist()):
            depth = float(strand.depth[k : k + 2].mean())
            pale = mixed(strand.color, PAPER, 0.25 * (1 + depth / reach))
            pieces.append((depth, strand, points[k : k + 2], mixed(pale, PAPER, s)))
        shade = mixed(strand.color, PAPER, strand.fade[1])
        heads.append(Shape(strand.key, head, shade, above=True))
    pieces.sort(key=lambda piece: -piece[0])
    strokes = [
        Stroke(
            "fibre",
            np.array([[x, low], [x, top]]),
            mixed(tint, PAPER, 0.35),
            (0.09, 0.09),
            1.1,
            arrow=False,
        )
        for x, low, top, tint in helix.fibres
    ]
    for _, strand, ends, color in pieces:
        broad = strand.width + (3.1 if strand.halo == PAPER else 5.5)
        # A wider piece in the halo color separates each piece from those behind it. Pieces overlap
        # to hide seams, and more than their halos, so that no halo covers the same edge.
        for shade, width, over in ((strand.halo, broad, 0.3), (color, strand.width, 0.5)):
            longer = ends + over * (ends[1] - ends[0]) * [[-1], [1]]
            strokes.append(Stroke(strand.key, longer, shade, (), width, arrow=False))
    middle, floor, wide, high = helix.floor
    turn = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    oval = np.column_stack([middle + wide * np.cos(turn), floor + high * np.sin(turn)])
    ground = Shape("floor", oval, mixed(QUIET, PAPER, 0.86))
    return Scene(helix.discs, tuple(strokes), shapes=(ground, *heads))


def _seen(x: Any, y: Any, z: Any) -> tuple[Any, Any]:
    """Project to paper; points farther away appear higher."""
    return x, z + TILT * y


def _rounds(graph: DelayGraph, places: Mapping[Any, _Place]) -> list[int]:
    """Number of times that each edge goes around the base circle."""
    return [
        max(-_ROUNDS, min(_ROUNDS, d)) if places[edge[0]].step and places[edge[1]].step else 0
        for edge, d in zip(graph.edges, graph.times, strict=True)
    ]


def _parallel(graph: DelayGraph, times: Sequence[int]) -> list[int]:
    """Number of earlier edges between the same copies, in either direction, for given delays."""
    seen: dict[Any, int] = {}
    found = []
    for edge, d in zip(graph.edges, times, strict=True):
        joined = frozenset([(edge[0], 0), (edge[1], d)])
        back = frozenset([(edge[0], -d), (edge[1], 0)])
        found.append(seen.get(joined, 0))
        for pair in {joined, back}:
            seen[pair] = found[-1] + 1
    return found


def _places(
    graph: DelayGraph, rows: dict[Any, int], longest: int, wide: Mapping[Any, float]
) -> tuple[dict[Any, _Place], int]:
    """Choose places with the fewest overlaps, and count them.

    Cycles are on a circle, and other vertices are outside it.
    """
    n = len(graph.vertices)
    rank = strong_components(n, graph.tails, graph.heads)
    sizes = np.bincount(rank, minlength=1)
    loops = set(graph.tails[graph.tails == graph.heads].tolist())
    round_ = [v for k, v in enumerate(graph.vertices) if sizes[rank[k]] > 1 or k in loops]
    circle = sorted(round_ or graph.vertices, key=rows.__getitem__)
    widest = max(wide.values())
    radius = max(2.25, 0.42 * len(circle)) * (1 + 0.8 * widest)
    turn = 2 * math.pi / max(len(circle), 1)
    outside = sorted(set(graph.vertices) - set(circle), key=rows.__getitem__)
    best: tuple[tuple[int, int, int], dict[Any, _Place]] | None = None
    starts = (np.arange(8) * turn / 8 - 0.5 * math.pi + 0.1).tolist()
    for pitch, start, twist in product(PITCHES, starts, _TWISTS):
        places = _standing(graph, circle, outside, (radius, turn, start, twist), widest)
        places = {v: replace(at, pitch=pitch, wide=wide[v]) for v, at in places.items()}
        hidden = _hidden(graph, places, longest, wide)
        if best is None or hidden < best[0]:
            best = hidden, places
        if not any(hidden):
            break
    assert best is not None
    return best[1], best[0][0] + best[0][1]


def _hidden(
    graph: DelayGraph, places: dict[Any, _Place], longest: int, wide: Mapping[Any, float]
) -> tuple[int, int, int]:
    """Number of overlaps between discs, between edges and discs, and of points between edges."""
    # only edges of delay <= longest are drawn, and only the edges that run along others overlap
    upper = [d if abs(d) <= longest else None for d in graph.times]
    found = _overlaps(graph, places, upper, wide)
    if found[0] or found[1]:
        return found
    below = {v: replace(place, pitch=0.0) for v, place in places.items()}
    base = _overlaps(graph, below, _rounds(graph, places), wide)
    return found[0], found[1], found[2] + base[2]


def _overlaps(
    graph: DelayGraph,
    places: dict[Any, _Place],
    times: Sequence[int | None],
    wide: Mapping[Any, float],
) -> tuple[int, int, int]:
    discs = np.array([_seen(*place.at(0)) for place in places.values()])
    half = np.array([wide[v] for v in places])
    pitch = next(iter(places.values())).pitch

    def distance(points: Points, others: Points, wide: Points) -> Points:
        across = np.abs(points[:, None] - others)
        up = across[..., 1] % pitch if pitch else across[..., 1]
        x = np.maximum(across[..., 0] - wide, 0.0)
        away: Points = np.hypot(x, np.minimum(up, pitch - up) if pitch else up)
        return away

    between = half[:, None] + half
    apart = distance(discs, discs, between) + 9 * np.eye(len(discs))
    overlaps = int(np.sum(apart < 2.15 * RADIUS)) // 2
    number = {v: k for k, v in enumerate(places)}
    lanes, nth = _lanes(graph, places), _parallel(graph, [d or 0 for d in times])
    crossed, lines = 0, []
    for k, (edge, d) in enumerate(zip(graph.edges, times, strict=True)):
        if d is None:
            continue
        curve = _curve(places[edge[0]], places[edge[1]], (0, d), nth[k], lanes[k])
        line = np.column_stack(_seen(*curve))[::2]
        away = distance(line, discs, half)
        near = away.min(axis=0) < RADIUS
        # the middle part may meet other copies of its ends
        own = [number[edge[0]], number[edge[1]]]
        near[own] = away[len(line) // 5 : -len(line) // 5].min(axis=0)[own] < RADIUS
        crossed += int(near.sum())
        lines.append(line[away.min(axis=1) > RADIUS + 0.06])
    return overlaps, crossed, _covered(lines, distance)


def _covered(lines: list[Points], distance: Callable[..., Points]) -> int:
    """Number of points of lines that run along other lines."""
    lines = [line for line in lines if len(line) > 1]
    if len(lines) < 2:
        return 0
    points = np.vstack(lines)
    slopes = np.vstack([np.gradient(line, axis=0) for line in lines])
    slopes /= np.hypot(*slopes.T)[:, None] + 1e-12
    owner = np.repeat(np.arange(len(lines)), list(map(len, lines)))
    parallel = np.abs(slopes[:, :1] * slopes[:, 1] - slopes[:, 1:] * slopes[:, 0]) < 0.4
    near = distance(points, points, np.zeros(1)) < 0.12
    return int(np.sum(near & parallel & (owner[:, None] != owner))) // 2


def _standing(
    graph: DelayGraph,
    circle: list[Any],
    outside: list[Any],
    form: tuple[float, float, float, float],
    wide: float,
) -> dict[Any, _Place]:
    """Place vertices on a circle, by radius, step and start angle, and others outside, by twist."""
    radius, turn, start, twist = form
    found = {
        v: _Place(start + k * turn, radius, k / len(circle), turn) for k, v in enumerate(circle)
    }
    taken = [place.at(0)[0] for place in found.values()]
    for v in outside:
        found[v] = _outside(graph, v, found, taken, (radius, twist), wide)
        taken.append(found[v].at(0)[0])
    return found


def _outside(
    graph: DelayGraph,
    vertex: Any,
    found: dict[Any, _Place],
    taken: list[float],
    form: tuple[float, float],
    space: float,
) -> _Place:
    """Place a vertex outside the circle near its neighbors, away from other fibres."""
    number = graph.number[vertex]
    after = [graph.edges[e][1] for e in graph.out_numbers[number] if graph.edges[e][1] in found]
    before = [graph.edges[e][0] for e in graph.in_numbers[number] if graph.edges[e][0] in found]
    joined = [found[v] for v in after + before]
    sign = -1 if after and not before else 1
    height = joined[0].height + sign * 0.12 if joined else 0.5
    radius, twist = form
    angle = twist + (joined[0].angle if joined else 0.0)
    steps = [angle + side * 0.12 * k for k in range(26) for side in (1, -1)]
    for farther in count():
        wide = radius + OUTSIDE + 1.6 * space + 0.9 * farther
        for a in steps:
            if all(abs(wide * math.cos(a) - x) > 0.8 + 2 * space for x in taken):
                return _Place(a, wide, height)
    raise AssertionError("unreachable: a sufficiently wide circle has room for the vertex")


def _curve(u: _Place, v: _Place, step: tuple[int, int], nth: int, inward: float) -> Any:
    """Curve in space of the nth edge from u to v, for ``step = (time, delay)``."""
    time, delay = step
    sweep = v.angle - u.angle + 2 * math.pi * delay
    turns = abs(sweep) / (2 * math.pi) if u.step and v.step else 1
    s = np.linspace(0, 1, max(SAMPLES, int(SAMPLES * turns)))
    (ax, ay, az), (bx, by, bz) = u.at(time), v.at(time + delay)
    if u is v and not delay:
        wide = 0.36 + 0.14 * nth
        away = wide * (1 - np.cos(2 * math.pi * s))
        return ax + math.copysign(1.0, ax) * away, ay + 0 * s, az + wide * np.sin(2 * math.pi * s)
    if u.step and v.step:
        angle = u.angle + sweep * s
        share = np.minimum(abs(sweep) * np.minimum(s, 1 - s) / min(u.step, 1.5), 1.0)
        radius = u.radius * (1 - inward * np.sin(0.5 * math.pi * share) ** 2)
        x, y = radius * np.cos(angle), radius * np.sin(angle)
    else:
        x, y = ax + (bx - ax) * s, ay + (by - ay) * s
        aside = 0.3 * (-1) ** nth * ((nth + 1) // 2) * np.sin(math.pi * s)
        along = np.array(_seen(bx - ax, by - ay, bz - az))
        right, up = along[::-1] * (-1, 1) / np.linalg.norm(along)
        return x + aside * right, y, az + (bz - az) * s + aside * up
    return x, y, az + (bz - az) * s


def _lanes(graph: DelayGraph, places: Mapping[Any, _Place]) -> list[float]:
    """Distance of each edge from the circle, as a share of its radius."""
    # an edge that passes vertices on the circle has a separate circle inside it
    nth = _parallel(graph, graph.times)
    sweeps = {}
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        u, v = places[edge[0]], places[edge[1]]
        sweep = abs(v.angle - u.angle + 2 * math.pi * d)
        if u.step and v.step and (nth[k] or sweep > 1.5 * u.step):
            sweeps[k] = sweep
    wide = max(place.wide for place in places.values())
    first = 0.25 + 0.3 * wide
    apart = min(0.16, (0.8 - first) / max(len(sweeps), 1))
    lanes = [0.0] * len(graph.edges)
    for lane, k in enumerate(sorted(sweeps, key=sweeps.__getitem__)):
        lanes[k] = first + apart * lane
    return lanes


def _strand(
    key: Any,
    curve: Any,
    wide: Mapping[Any, float],
    color: Color,
    fade: tuple[float, float] = (0.0, 0.0),
) -> Strand:
    """Project a curve to paper, without the parts hidden by its end discs."""
    points = np.column_stack(_seen(*curve))
    ends = [end[0] if end not in wide else end for end in key[:2]]  # vertices of the base
    away = []
    for at, end in ((points[0], ends[0]), (points[-1], ends[1])):
        x, y = np.abs(points - at).T
        away.append(np.hypot(np.maximum(x - wide[end], 0.0), y) > RADIUS + GAP)
    first = int(np.argmax(away[0]))
    last = len(points) - int(np.argmax(away[1][::-1]))
    keep = slice(first, max(last, first + 2))
    return Strand(key, points[keep], curve[1][keep], color, fade)
