"""A picture before it is drawn: discs, strokes, shapes and texts, in units of the paper.

What a figure shows is decided here and in the modules that make scenes; how it is put on
paper is the business of `render` and `tikz`. So the geometry can be tested, and one scene serves
matplotlib and TikZ alike. One unit is the distance between two rows.

Each vertex of the base has a colour, and each delay. Vertices take the palette of Okabe and Ito,
which people with any kind of colour vision tell apart; beyond its seven hues it repeats, lighter
and darker, and beyond 35 colours alike. Whatever fades is mixed toward the paper and never made
transparent, since transparent strokes darken where they overlap.

A walk can be highlighted: what it takes stands out, and all else fades. It is a sequence of
edges, head to tail, as `lift_walk` takes it. Below it is what it is; above it is lifted,
beginning at the earliest time at which all of it lies in the window.

References
----------
M. Okabe and K. Ito, Color universal design (2008). WCAG 2.2, section 1.4.3, on contrast.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, is_color_like, to_rgb
from numpy.typing import NDArray

from unrollgraph.errors import LiftError, show_edge
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import lift_walk

Colour: TypeAlias = tuple[float, float, float]

PAPER: Colour = (1.0, 1.0, 1.0)
INK: Colour = to_rgb("#20262e")
_BLACK: Colour = (0.0, 0.0, 0.0)
QUIET: Colour = to_rgb("#9aa1ad")
MARKER: Colour = to_rgb("#ffd84d")
_FIBRES = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#f0e442"]
_DELAYS = ["#c0392b", "#7d3c98", "#1f618d", "#935116", "#0e6655", "#6e2c00"]


def vertex_colours(vertices: Sequence[Hashable], palette: Any = None) -> dict[Any, Colour]:
    """Colour each vertex: from the palette in turn, or as a mapping says."""
    if isinstance(palette, Mapping):
        named = dict(zip(palette, _listed([*palette.values()]), strict=True)) if palette else {}
        return {v: named.get(v, QUIET) for v in vertices}
    hues = _listed(_FIBRES if palette is None else palette)
    return {vertex: _shade(hues, k) for k, vertex in enumerate(vertices)}


def _shade(hues: Sequence[Colour], k: int) -> Colour:
    """Colour of the k-th thing: first time pure, then lighter, then darker."""
    turn, hue = divmod(k, len(hues))
    toward = PAPER if turn % 2 else INK
    share = min(0.6, 0.5 * ((turn + 1) // 2) - (0.25 if turn and not turn % 2 else 0))
    return mixed(hues[hue], toward, share)


def _listed(palette: Any) -> list[Colour]:
    """Colours of a palette that was given; `TypeError` or `ValueError` if it is none."""
    if isinstance(palette, str) or not isinstance(palette, Iterable):
        raise TypeError(
            f"palette={palette!r} is no list of colours; give one such as ['tab:blue', '#e69f00']"
        )
    colours = [*palette]
    for colour in colours:
        if not is_color_like(colour):
            raise ValueError(
                f"palette= holds {colour!r}, which is no colour; give a name such as 'tab:blue', "
                "'#e69f00', or three numbers from 0 to 1"
            )
    if not colours:
        raise ValueError("palette= holds no colours; give at least one")
    return [to_rgb(colour) for colour in colours]


def delay_colours(delays: Sequence[Any]) -> dict[Any, Colour]:
    """Colour each delay that occurs, zero in ink and the others by their size."""
    moving = sorted({d for d in delays if any(_parts(d))}, key=lambda d: (_size(d), _parts(d)))
    hues = _listed(_DELAYS)
    found = {d: _shade(hues, k) for k, d in enumerate(moving)}
    return found | {d: INK for d in delays if not any(_parts(d))}


def _parts(delay: Any) -> tuple[int, ...]:
    return delay if isinstance(delay, tuple) else (delay,)


def _size(delay: Any) -> int:
    return sum(map(abs, _parts(delay)))


def ramp(shares: Sequence[float], palette: Any = None) -> list[Colour]:
    """Colours from 0 to 1 along a colormap of matplotlib, or between the colours of a list."""
    if isinstance(palette, Mapping):
        raise TypeError("palette= here is a colormap or a list of colours, from least to most")
    if palette is None or isinstance(palette, str):
        if palette is not None and palette not in colormaps:
            raise ValueError(
                f"palette={palette!r} names no colormap of matplotlib; take 'viridis', 'magma' or "
                "another of those, or a list of colours"
            )
        shades = colormaps[palette or "viridis"]
    else:
        colours = _listed(palette)
        shades = LinearSegmentedColormap.from_list(
            "given", [*colours, colours[-1]][: max(2, len(colours))]
        )
    return [to_rgb(shades(float(share))) for share in shares]


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """Mix a colour with a share of another."""
    r, g, b = (a + share * (c - a) for a, c in zip(colour, other, strict=True))
    return r, g, b


def on(background: Colour) -> Colour:
    """Black or white, whichever reads better: one of them has a contrast of 4.58 or more."""
    light = _luminance(background) + 0.05
    return _BLACK if light / 0.05 >= 1.05 / light else PAPER


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


Points = NDArray[np.float64]


class Formula(str):
    """Words that are mathematics of TeX, without the dollars around them."""

    __slots__ = ()


@dataclass(frozen=True)
class Disc:
    """A vertex."""

    key: Any
    at: tuple[float, float]
    radius: float
    fill: Colour
    label: str = ""
    index: str = ""
    ghost: bool = False


@dataclass(frozen=True)
class Stroke:
    """An edge: a chain of cubic curves, its arrowhead at the end of the last.

    ``points`` has shape (3 k + 1, 2): ends and control points of k cubics; a straight line
    may be given by its two ends. It fades from ``fade[0]`` to ``fade[1]``, where 0 is the full
    colour and 1 is paper. A halo is a broader stroke behind it.
    """

    key: Any
    points: Points
    colour: Colour
    width: float = 1.6
    arrow: bool = True
    fade: tuple[float, float] = (0.0, 0.0)
    dashed: bool = False
    halo: Colour | None = None


@dataclass(frozen=True)
class Shape:
    """A filled polygon: on the floor below everything, or above the lines as arrowheads are."""

    key: Any
    points: Points
    fill: Colour
    above: bool = False


@dataclass(frozen=True)
class Band:
    """The pale stripe behind a fibre, from left to right at a height; its ends may fade."""

    key: Any
    left: float
    right: float
    at: float
    height: float
    colour: Colour
    fades: bool = False


@dataclass(frozen=True)
class Text:
    """Words beside the graph."""

    at: tuple[float, float]
    words: str
    colour: Colour = INK
    size: float = 0.3
    align: str = "center"


@dataclass(frozen=True)
class Badge:
    """A delay, written on its edge."""

    key: Any
    at: tuple[float, float]
    words: str
    colour: Colour


def badge_width(words: str) -> float:
    """About how wide a badge is."""
    return 0.2 + 0.145 * len(words)


def text_width(text: Text) -> float:
    """About how wide words are."""
    formula = isinstance(text.words, Formula)
    words = re.sub(r"\\[a-z]+|[_^{}]", "", text.words) if formula else text.words
    return 0.6 * text.size * len(words)


@dataclass(frozen=True)
class Scene:
    """All that a figure shows."""

    discs: tuple[Disc, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    bands: tuple[Band, ...] = ()
    texts: tuple[Text, ...] = ()
    badges: tuple[Badge, ...] = ()
    shapes: tuple[Shape, ...] = ()

    def __add__(self, other: Scene) -> Scene:
        return Scene(
            self.discs + other.discs,
            self.strokes + other.strokes,
            self.bands + other.bands,
            self.texts + other.texts,
            self.badges + other.badges,
            self.shapes + other.shapes,
        )


def shifted(scene: Scene, right: float, up: float = 0.0) -> Scene:
    """Move a scene."""
    step = np.array([right, up])

    def moved(thing: Any) -> Any:
        return replace(thing, at=(thing.at[0] + right, thing.at[1] + up))

    def carried(thing: Any) -> Any:
        return replace(thing, points=thing.points + step)

    bands = (
        replace(band, left=band.left + right, right=band.right + right, at=band.at + up)
        for band in scene.bands
    )
    return Scene(
        tuple(map(moved, scene.discs)),
        tuple(map(carried, scene.strokes)),
        tuple(bands),
        tuple(map(moved, scene.texts)),
        tuple(map(moved, scene.badges)),
        tuple(map(carried, scene.shapes)),
    )


# -- a scene as polygons and lines, which every renderer draws alike -----------------------

HEAD = 0.17  # length of an arrowhead
HALO = 6.0  # points by which a halo is broader
_FADE = 1.6  # over which the end of a band fades


class Polygon(NamedTuple):
    """A filled polygon."""

    points: Points
    fill: Colour


class Line(NamedTuple):
    """A line through points, its width in points of the paper."""

    points: Points
    colour: Colour
    width: float


class Drawing(NamedTuple):
    """Polygons and lines of a scene: the floor, dashed lines, halos, lines, and what lies above."""

    floor: list[Polygon]
    dashed: list[Line]
    halos: list[Line]
    lines: list[Line]
    above: list[Polygon]


def resolved(scene: Scene) -> Drawing:
    """Make polygons and lines of the bands, shapes and strokes of a scene.

    What fades is drawn in pieces, each of one colour. The halo of a stroke lies below all strokes.
    """
    floor = [stripe for band in scene.bands for stripe in _stripes(band)]
    floor += [Polygon(shape.points, shape.fill) for shape in scene.shapes if not shape.above]
    drawing = Drawing(floor, [], [], [], [])
    for stroke in scene.strokes:
        points = flattened(stroke.points)
        if stroke.dashed:
            drawing.dashed.append(Line(points, stroke.colour, stroke.width))
            continue
        if stroke.halo:
            drawing.halos.append(Line(points, stroke.halo, stroke.width + HALO))
        if stroke.arrow:
            points, head = _headed(points, HEAD * max(1.0, stroke.width / 2.2))
            drawing.above.append(Polygon(head, mixed(stroke.colour, PAPER, stroke.fade[1])))
        if stroke.fade == (0.0, 0.0):
            drawing.lines.append(Line(points, stroke.colour, stroke.width))
            continue
        shares = np.linspace(*stroke.fade, len(points) - 1).round(2).tolist()
        for k, share in enumerate(shares):
            shade = mixed(stroke.colour, PAPER, share)
            drawing.lines.append(Line(points[k : k + 2], shade, stroke.width))
    drawing.above.extend(Polygon(shape.points, shape.fill) for shape in scene.shapes if shape.above)
    return drawing


def _stripes(band: Band) -> Iterator[Polygon]:
    """Rectangles of a band, paler toward its ends if it fades."""
    cuts, shades = np.array([band.left, band.right]), [0.0]
    if band.fades:
        edge = np.linspace(0, _FADE, 17)
        cuts = np.concatenate([band.left + edge, (band.right - edge)[::-1]])
        rise = (1 - edge[1:] / _FADE).tolist()
        shades = [*rise, 0.0, *rise[::-1]]
    low, high = band.at - band.height / 2, band.at + band.height / 2
    for a, b, shade in zip(cuts[:-1], cuts[1:], shades, strict=True):
        corners = np.array([(a, low), (b, low), (b, high), (a, high)])
        yield Polygon(corners, mixed(band.colour, PAPER, shade))


def _headed(points: Any, length: float = HEAD) -> tuple[Any, Any]:
    """Cut a line short for its arrowhead, and return both."""
    tip = points[-1]
    away = np.linalg.norm(points - tip, axis=1)
    k = int(np.flatnonzero(away >= length)[-1]) if np.any(away >= length) else 0
    inner, outer = away[k + 1], away[k]
    share = (length - inner) / (outer - inner) if outer > inner else 0.0
    root = points[k + 1] + share * (points[k] - points[k + 1])
    along = (tip - root) / np.linalg.norm(tip - root)
    across = np.array([-along[1], along[0]]) * length * 0.38
    line = np.vstack([points[: k + 1], root + along * length * 0.3])
    return line, np.array([tip, root + across, root - across])


def flattened(points: Points, steps: int = 32) -> Any:
    """Points along a chain of cubics, its ends included."""
    if len(points) == 2:
        return points
    t = np.linspace(0, 1, steps + 1)[:, None]
    pieces = [
        (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]
        for p in (points[k : k + 4] for k in range(0, len(points) - 1, 3))
    ]
    return np.concatenate([pieces[0], *[piece[1:] for piece in pieces[1:]]])


# -- walks that are highlighted -------------------------------------------------------------

_BACK = 0.7  # how far what is not lit goes toward paper
_BROAD = 2.4


def as_walk(graph: Any, walk: Iterable[Any]) -> tuple[tuple[Any, ...], ...]:
    """Return a walk of a graph as a tuple of edges; `LiftError` if it is none."""
    form = "(u, v, key)" if graph.is_multigraph() else "(u, v)"
    if isinstance(walk, str) or not isinstance(walk, Iterable):
        raise LiftError(f"walk={walk!r} is no walk; give its edges in order, each as {form}")
    given = [*walk]
    for edge in given:
        if not isinstance(edge, tuple | list) or len(edge) != len(form.split()):
            raise LiftError(
                f"walk= holds {edge!r}, which is no edge; give the edges of the walk in order, "
                f"each as {form}"
            )
    edges = tuple(map(tuple, given))
    for k, edge in enumerate(edges):
        if not _is_edge(graph, edge):
            raise LiftError(f"{edge!r} is no edge of the graph that is drawn", edge=edge)
        if k and edges[k - 1][1] != edge[0]:
            raise LiftError(
                f"the walk does not join: after {show_edge(edges[k - 1])} comes {show_edge(edge)}",
                edge=edge,
            )
    return edges


def _is_edge(graph: Any, edge: tuple[Any, ...]) -> bool:
    try:
        return bool(graph.has_edge(*edge))
    except TypeError:  # of what cannot be hashed
        return False


def lifted(U: Any, walk: Iterable[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return a walk of the base, and its lift into a window."""
    edges = as_walk(U.base, walk)
    if not edges:
        return (), ()
    start = edges[0][0], start_of_lift(U.delay_graph, edges, U.window)
    return edges, lift_walk(U, edges, start)


def start_of_lift(graph: DelayGraph, edges: tuple[Any, ...], window: Any) -> Any:
    """Earliest time at which a walk begins whose lift lies in a window."""
    axes = (window,) if isinstance(window, range) else window
    here, seen = [0] * len(axes), [[0] * len(axes)]
    for edge in edges:
        step = graph.delays[graph.edge_number[edge]].tolist()
        here = [a + b for a, b in zip(here, step, strict=True)]
        seen.append(here)
    start = []
    for axis, times in zip(axes, zip(*seen, strict=True), strict=True):
        if max(times) - min(times) >= len(axis):
            raise ValueError(
                f"the lift of the walk takes {max(times) - min(times) + 1} times, but the window "
                f"has {len(axis)}; take a longer window, or a shorter walk"
            )
        start.append(axis.start - min(times))
    return start[0] if isinstance(window, range) else tuple(start)


def lit(strokes: tuple[Any, ...], keys: Set[Any]) -> tuple[Any, ...]:
    """Make some strokes broad, and let the others step back."""
    back = [replace(s, colour=mixed(s.colour, PAPER, _BACK)) for s in strokes if s.key not in keys]
    front = [replace(s, width=_BROAD, halo=MARKER) for s in strokes if s.key in keys]
    return (*back, *front)


def lit_scene(scene: Scene, keys: Set[Any]) -> Scene:
    """Light up the strokes of a scene that have certain keys, and let other badges step back."""
    badges = tuple(
        b if b.key in keys else replace(b, colour=mixed(b.colour, PAPER, _BACK))
        for b in scene.badges
    )
    return replace(scene, strokes=lit(scene.strokes, keys), badges=badges)
