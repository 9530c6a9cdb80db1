"""The unrolling as a helix over the network: the picture of the line over the circle.

The vertices that lie on cycles stand on a circle in the order in which they are computed,
those that feed them or are fed by them outside. Time goes up, and one turn takes one step: a
copy at time t of a vertex at the angle theta has the height ``t + theta / 2 pi``, and an edge of
delay d turns by ``theta(head) - theta(tail) + 2 pi d``. So a walk that is closed below goes
round, and its lift goes up by as many turns as its total delay.

Below lies the network itself. Fibres are dashed, and what is farther away is paler.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, product
from typing import Any

import numpy as np

from unrollgraph.cover._unroll import unroll
from unrollgraph.draw._rolled import on_paper
from unrollgraph.draw.layout import GAP, RADIUS, fibre_colours, rows_of
from unrollgraph.draw.render import MOST_EDGES, as_labels, check_drawable
from unrollgraph.draw.scene import (
    HEAD,
    PAPER,
    QUIET,
    Colour,
    Disc,
    Points,
    Scene,
    Shape,
    Stroke,
    delay_colours,
    lifted,
    lit,
    mixed,
)
from unrollgraph.errors import show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.graph.digraph import strong_components

PITCHES = (2.2, 3.0, 3.8, 4.6)  # heights of a turn, the least that will do
_BASE = 1.1 * RADIUS  # radius of the vertices below
TILT = 0.36  # of what lies back, seen from above
OUTSIDE = 1.5  # from the circle to what stands outside
SAMPLES = 48  # points on a turn
_ROUNDS = 3  # how often an edge runs round below; nobody counts more


@dataclass(frozen=True)
class Strand:
    """An edge in space, as points on paper with their depths, from tail to head.

    Depths grow away from the eye. It fades from ``fade[0]`` to ``fade[1]``, where 1 is paper.
    """

    key: Any
    points: Points
    depth: Points
    colour: Colour
    fade: tuple[float, float] = (0.0, 0.0)
    width: float = 1.9
    halo: Colour = PAPER


@dataclass(frozen=True)
class Helix:
    """All that the picture shows: discs and strands, fibres, and the floor."""

    discs: tuple[Disc, ...]
    strands: tuple[Strand, ...]
    fibres: tuple[tuple[float, float, float, Colour], ...]  # x, bottom, top
    floor: tuple[float, float, float, float]  # middle and half axes


@dataclass(frozen=True)
class _Place:
    """Where the fibre of a vertex stands: its angle, its radius, its height at time 0."""

    angle: float
    radius: float
    height: float
    step: float = 0.0  # on the circle the angle to the next; outside zero
    pitch: float = PITCHES[0]

    def at(self, time: float) -> tuple[float, float, float]:
        """Across, away from the eye, and up."""
        return (
            self.radius * math.cos(self.angle),
            self.radius * math.sin(self.angle),
            self.pitch * (self.height + time),
        )


def helix(  # noqa: PLR0913  (options of a picture)
    G: Any,
    window: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    max_edges: int = MOST_EDGES,
    delay: str = "delay",
) -> Any:
    """Draw an unrolling as a helix over its network: the line over the circle.

    Parameters
    ----------
    G, ax, labels, palette, delay
        As for `rolled`.
    window : range or int
        As for `unroll`; arcs that leave it by one time fade, what goes farther is left out.
    walk : sequence of edges, optional
        A walk of G to light up, below and, lifted, above.
    max_edges : int
        How many arcs may be drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If delays are vectors, there are too many arcs, or the walk lifted leaves the window.
    LiftError
        If the walk is none.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.helix(ug.gallery.seed_network(), 3)
    >>> len(ax.collections[-1].get_offsets())  # 3 copies of 5 vertices, their bases, 2 ghosts
    22
    """
    graph = as_delay_graph(G, delay)
    U = unroll(graph, window)
    check_drawable(U, max_edges, axes=1)
    picture = helix_of(graph, U.window, as_labels(labels), palette)
    if walk is not None:
        edges, arcs = lifted(U, walk)
        picture = replace(picture, strands=lit(picture.strands, {*edges, *arcs}))
    scene = flat(picture)
    return on_paper(scene, ax)


def helix_of(graph: DelayGraph, window: range, labels: Mapping[Any, str], palette: Any) -> Helix:
    """Work out the picture of a window, with what crosses its boundary."""
    rows = rows_of(graph)
    fill = fibre_colours(graph, palette)
    tint = delay_colours(graph.times)
    places = _places(graph, rows, len(window) + 1)
    nth = _parallel(graph, graph.times)
    strands, met = [], {(v, t) for v in places for t in window}
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        for t in range(window.start - 1, window.stop + 1):
            ends = ((edge[0], t), (edge[1], t + d))
            outside = tuple(time not in window for _, time in ends)
            near = t + d - window.start > -2 and t + d - window.stop < 1
            if all(outside) or not near:
                continue
            met.update(ends)
            curve = _curve(places[edge[0]], places[edge[1]], (t, d), nth[k])
            fade = (0.85 if outside[0] else 0.0, 0.85 if outside[1] else 0.0)
            strands.append(_strand((*ends, *edge[2:]), curve, RADIUS, tint[d], fade))
    seen = {(v, t): _seen(*places[v].at(t)) for v, t in met}
    wide = max(place.radius for place in places.values())
    floor = min(y for _, y in seen.values()) - TILT * wide - 1.0
    below = {v: replace(place, pitch=0.0) for v, place in places.items()}
    rounds = [max(-_ROUNDS, min(_ROUNDS, d)) for d in graph.times]
    nth = _parallel(graph, rounds)
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        x, y, z = _curve(below[edge[0]], below[edge[1]], (0, rounds[k]), nth[k])
        strands.append(_strand(edge, (x, y, z + floor), _BASE, tint[d]))
    discs, fibres = [], []
    for v, place in places.items():
        words = labels.get(v, show_vertex(v))
        x, y = _seen(*place.at(0)[:2], floor)
        discs.append(Disc(v, (x, y), _BASE, fill[v], words))
        own = sorted(t for w, t in met if w == v)
        fibres.append((x, y, seen[v, own[-1]][1], fill[v]))
        for t in own:
            ghost = t not in window
            colour = mixed(fill[v], PAPER, 0.75) if ghost else fill[v]
            label, index = ("", "") if ghost else (words, str(t))
            discs.append(Disc((v, t), seen[v, t], RADIUS, colour, label, index, ghost))
    reach = max(place.radius for place in places.values() if place.step) + 0.75
    return Helix(tuple(discs), tuple(strands), tuple(fibres), (0.0, floor, reach, TILT * reach))


def flat(helix: Helix) -> Scene:
    """Put a helix on paper, from what is farthest away to what is nearest.

    Each piece of a strand has a casing of paper, which parts it from what runs behind it; it
    reaches a little farther than its casing, so that it is not parted from what it is a piece of.
    """
    reach = max((float(np.abs(strand.depth).max()) for strand in helix.strands), default=1.0)
    pieces, heads = [], []
    for strand in helix.strands:
        share = np.linspace(*strand.fade, len(strand.points) - 1)
        for k, s in enumerate(share.tolist()):
            depth = float(strand.depth[k : k + 2].mean())
            pale = mixed(strand.colour, PAPER, 0.25 * (1 + depth / reach))
            pieces.append((depth, strand, strand.points[k : k + 2], mixed(pale, PAPER, s)))
        shade = mixed(strand.colour, PAPER, max(strand.fade) * 0.6)
        heads.append(Shape(strand.key, _midway(strand.points), shade, above=True))
    pieces.sort(key=lambda piece: -piece[0])
    strokes = [
        Stroke("fibre", np.array([[x, low], [x, top]]), mixed(tint, PAPER, 0.35), 1.1, dashed=True)
        for x, low, top, tint in helix.fibres
    ]
    for _, strand, ends, colour in pieces:
        broad = strand.width + (3.1 if strand.halo == PAPER else 5.5)
        # pieces overlap, so that no seams are seen, and strands more than halos, which cover them
        for shade, width, over in ((strand.halo, broad, 0.3), (colour, strand.width, 0.5)):
            longer = ends + over * (ends[1] - ends[0]) * [[-1], [1]]
            strokes.append(Stroke(strand.key, longer, shade, width, arrow=False))
    middle, floor, wide, high = helix.floor
    turn = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    oval = np.column_stack([middle + wide * np.cos(turn), floor + high * np.sin(turn)])
    ground = Shape("floor", oval, mixed(QUIET, PAPER, 0.86))
    return Scene(helix.discs, tuple(strokes), shapes=(ground, *heads))


def _midway(points: Points) -> Points:
    """Make an arrowhead half-way along a line."""
    k = len(points) // 2
    along = points[k] - points[k - 1]
    along = along / (np.linalg.norm(along) or 1.0)
    across = np.array([-along[1], along[0]]) * HEAD * 0.42
    tip, root = points[k] + along * HEAD / 2, points[k] - along * HEAD / 2
    return np.array([tip, root + across, root - across])


def _seen(x: Any, y: Any, z: Any) -> tuple[Any, Any]:
    """On paper: what lies back is seen a little higher."""
    return x, z + TILT * y


def _parallel(graph: DelayGraph, times: Sequence[int]) -> list[int]:
    """How many edges before each one join the same copies, if they took so long."""
    seen: dict[Any, int] = {}
    found = []
    for edge, d in zip(graph.edges, times, strict=True):
        joined = frozenset([(edge[0], 0), (edge[1], d)])
        back = frozenset([(edge[0], -d), (edge[1], 0)])
        found.append(seen.get(joined, 0))
        for pair in {joined, back}:
            seen[pair] = found[-1] + 1
    return found


def _places(graph: DelayGraph, rows: dict[Any, int], longest: int) -> dict[Any, _Place]:
    """Stand the vertices on cycles on a circle, and the others outside."""
    n = len(graph.vertices)
    rank = strong_components(n, graph.tails, graph.heads)
    sizes = np.bincount(rank, minlength=1)
    loops = set(graph.tails[graph.tails == graph.heads].tolist())
    round_ = [v for k, v in enumerate(graph.vertices) if sizes[rank[k]] > 1 or k in loops]
    circle = sorted(round_ or graph.vertices, key=rows.__getitem__)
    radius = max(2.25, 0.42 * len(circle))
    turn = 2 * math.pi / max(len(circle), 1)
    outside = sorted(set(graph.vertices) - set(circle), key=rows.__getitem__)
    best: tuple[tuple[int, int], dict[Any, _Place]] | None = None
    starts = (np.arange(6) * turn / 6 - 0.5 * math.pi + 0.1).tolist()
    for pitch, start, twist in product(PITCHES, starts, (0.0, 0.6, -0.6)):
        places = _standing(graph, circle, outside, (radius, turn, start, twist))
        places = {v: replace(place, pitch=pitch) for v, place in places.items()}
        hidden = _hidden(graph, places, longest)
        if best is None or hidden < best[0]:
            best = hidden, places
        if hidden == (0, 0):
            break
    assert best is not None
    return best[1]


def _hidden(graph: DelayGraph, places: dict[Any, _Place], longest: int) -> tuple[int, int]:
    """How many copies hide one of another vertex, and how many run over an edge.

    Of edges that are no longer than can be drawn.
    """
    discs = np.array([_seen(*place.at(0)) for place in places.values()])
    pitch = next(iter(places.values())).pitch

    def distance(points: Points) -> Points:
        across = points[:, None] - discs
        up = np.abs(across[..., 1]) % pitch
        away: Points = np.hypot(across[..., 0], np.minimum(up, pitch - up))
        return away

    overlaps = int(np.sum(distance(discs) + np.eye(len(discs)) < 2.15 * RADIUS))
    number = {v: k for k, v in enumerate(places)}
    crossed = 0
    for edge, d in zip(graph.edges, graph.times, strict=True):
        if abs(d) > longest:
            continue
        line = np.column_stack(_seen(*_curve(places[edge[0]], places[edge[1]], (0, d))))[::2]
        away = distance(line)
        near = away.min(axis=0) < RADIUS
        own = [number[edge[0]], number[edge[1]]]  # half-way it may meet other copies of its ends
        near[own] = away[len(line) // 5 : -len(line) // 5].min(axis=0)[own] < RADIUS
        crossed += int(near.sum())
    return overlaps, crossed


def _standing(
    graph: DelayGraph,
    circle: list[Any],
    outside: list[Any],
    form: tuple[float, float, float, float],
) -> dict[Any, _Place]:
    """Stand vertices on a circle, a turn apart from a start, and others outside, twisted."""
    radius, turn, start, twist = form
    found = {
        v: _Place(start + k * turn, radius, k / len(circle), turn) for k, v in enumerate(circle)
    }
    taken = [place.at(0)[0] for place in found.values()]
    for v in outside:
        found[v] = _outside(graph, v, found, taken, (radius, twist))
        taken.append(found[v].at(0)[0])
    return found


def _outside(
    graph: DelayGraph,
    vertex: Any,
    found: dict[Any, _Place],
    taken: list[float],
    form: tuple[float, float],
) -> _Place:
    """Stand a vertex near what it is joined to, where its fibre meets no other."""
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
        wide = radius + OUTSIDE + 0.9 * farther
        for a in steps:
            if all(abs(wide * math.cos(a) - x) > 0.8 for x in taken):
                return _Place(a, wide, height)
    raise AssertionError("a circle that is wide enough has room")


def _curve(u: _Place, v: _Place, step: tuple[int, int], nth: int = 0) -> Any:
    """Run in space from one copy to another, round the circle if both stand on it.

    The copies have a time and a time later by a delay; of edges between them it is the nth.
    """
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
        # what passes others on the circle keeps inside it, the farther the more
        passed = abs(sweep) / u.step - 1
        inward = min(0.16 + 0.08 * passed, 0.6) if passed > 0.5 else 0.0
        inward += (0.95 - inward) * (1 - 0.8**nth)
        radius = u.radius * (1 - inward * np.sin(math.pi * s))
        x, y = radius * np.cos(angle), radius * np.sin(angle)
    else:
        x, y = ax + (bx - ax) * s, ay + (by - ay) * s
        aside = 0.3 * (-1) ** nth * ((nth + 1) // 2) * np.sin(math.pi * s)
        along = np.array(_seen(bx - ax, by - ay, bz - az))
        right, up = along[::-1] * (-1, 1) / np.linalg.norm(along)
        return x + aside * right, y, az + (bz - az) * s + aside * up
    return x, y, az + (bz - az) * s


def _strand(
    key: Any, curve: Any, radius: float, colour: Colour, fade: tuple[float, float] = (0.0, 0.0)
) -> Strand:
    """Put a curve on paper, without what its ends hide."""
    points = np.column_stack(_seen(*curve))
    away = [np.hypot(*(points - end).T) > radius + GAP for end in (points[0], points[-1])]
    first = int(np.argmax(away[0]))
    last = len(points) - int(np.argmax(away[1][::-1]))
    keep = slice(first, max(last, first + 2))
    return Strand(key, points[keep], curve[1][keep], colour, fade)
