"""Scenes: pictures as data, which `render` and `tikz` draw.

The unit of length is the distance between two rows. The default colors of vertices are those of
M. Okabe and K. Ito, Color universal design (2008), which people with any color vision distinguish.
They repeat in lighter and darker shades after 7 vertices, and are not unique after 35. Fading mixes
a color with white, because transparent lines would be darker where they overlap. Edges of a
highlighted walk have halos, and others fade. The lift of a highlighted walk starts at the earliest
time for which it lies in the window.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, is_color_like, to_rgb
from numpy.typing import NDArray

from unrollgraph.errors import LiftError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import lift_walk

Color: TypeAlias = tuple[float, float, float]
Dash: TypeAlias = tuple[float, ...]  # lengths of dashes and gaps in turn; a solid line if empty
Box: TypeAlias = tuple[float, float, float, float]  # left, bottom, right, top

INCH = 0.62  # natural inches per unit of length
MARGIN = 0.35

PAPER: Color = (1.0, 1.0, 1.0)
INK: Color = to_rgb("#20262e")
_BLACK: Color = (0.0, 0.0, 0.0)
QUIET: Color = to_rgb("#6b7280")  # contrast with white: 4.8
MARKER: Color = to_rgb("#ffd84d")
_FIBRES = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#f0e442"]
_DELAYS = ["#c0392b", "#7d3c98", "#1f618d", "#935116", "#0e6655", "#6e2c00"]


def vertex_colors(vertices: Sequence[Hashable], palette: Any = None) -> dict[Any, Color]:
    """Color of each vertex, from a palette in turn or from a mapping (gray if missing)."""
    if isinstance(palette, Mapping):
        named = dict(zip(palette, _listed([*palette.values()]), strict=True)) if palette else {}
        return {v: named.get(v, QUIET) for v in vertices}
    hues = _listed(_FIBRES if palette is None else palette)
    return {vertex: _shade(hues, k) for k, vertex in enumerate(vertices)}


def _shade(hues: Sequence[Color], k: int) -> Color:
    """Color number k: pure in the first round, then lighter and darker shades in turn."""
    turn, hue = divmod(k, len(hues))
    toward = PAPER if turn % 2 else INK
    share = min(0.6, 0.5 * ((turn + 1) // 2) - (0.25 if turn and not turn % 2 else 0))
    return mixed(hues[hue], toward, share)


def _listed(palette: Any) -> list[Color]:
    """Colors of a palette; raise TypeError or ValueError if it is invalid."""
    if isinstance(palette, str) or not isinstance(palette, Iterable):
        raise TypeError(
            f"invalid palette={palette!r}: must be a list of colors, such as "
            "['tab:blue', '#e69f00']"
        )
    colors = [*palette]
    for color in colors:
        if not is_color_like(color):
            raise ValueError(
                f"invalid color {color!r} in palette: give a name such as 'tab:blue' or '#e69f00', "
                "or three numbers from 0 to 1"
            )
    if not colors:
        raise ValueError("palette is empty; give at least one color")
    return [to_rgb(color) for color in colors]


def delay_colors(delays: Sequence[Any]) -> dict[Any, Color]:
    """Color of each delay: dark gray for zero, the others in the order of their size."""
    moving = sorted({d for d in delays if any(_parts(d))}, key=lambda d: (_size(d), _parts(d)))
    hues = _listed(_DELAYS)
    found = {d: _shade(hues, k) for k, d in enumerate(moving)}
    return found | {d: INK for d in delays if not any(_parts(d))}


_DASHES: list[Dash] = [(), (0.17, 0.08), (0.07, 0.07), (0.24, 0.07, 0.07, 0.07)]


class Pen(NamedTuple):
    """Color and dashes of an edge."""

    color: Color
    dash: Dash = ()


def delay_pens(delays: Sequence[Any]) -> dict[Any, Pen]:
    """Color and dashes of each delay; the smallest one that is not zero has a solid line."""
    colors = delay_colors(delays)
    still = [d for d in colors if not any(_parts(d))]
    moving = [d for d in colors if any(_parts(d))]
    dashes = {d: _DASHES[k % len(_DASHES)] for k, d in enumerate(moving)}
    return {d: Pen(colors[d], dashes.get(d, ())) for d in [*still, *moving]}


def _parts(delay: Any) -> tuple[int, ...]:
    return delay if isinstance(delay, tuple) else (delay,)


def _size(delay: Any) -> int:
    return sum(map(abs, _parts(delay)))


def ramp(shares: Sequence[float], palette: Any = None) -> list[Color]:
    """Colors at numbers from 0 to 1 in a colormap of matplotlib or a list of colors."""
    if isinstance(palette, Mapping):
        raise TypeError(
            "palette must be the name of a colormap or a list of colors for this picture, not a "
            "mapping"
        )
    if palette is None or isinstance(palette, str):
        if palette is not None and palette not in colormaps:
            raise ValueError(
                f"invalid palette={palette!r}: not a colormap of matplotlib; use one such as "
                "'viridis' or 'magma', or a list of colors"
            )
        shades = colormaps[palette or "viridis"]
    else:
        colors = _listed(palette)
        shades = LinearSegmentedColormap.from_list(
            "given", [*colors, colors[-1]][: max(2, len(colors))]
        )
    return [to_rgb(shades(float(share))) for share in shares]


def mixed(color: Color, other: Color, share: float) -> Color:
    """Mix a color with a share of another."""
    r, g, b = (a + share * (c - a) for a, c in zip(color, other, strict=True))
    return r, g, b


def on(background: Color) -> Color:
    """Black or white, whichever has more contrast, at least 4.58 (WCAG 2.2, section 1.4.3)."""
    light = _luminance(background) + 0.05
    return _BLACK if light / 0.05 >= 1.05 / light else PAPER


def _luminance(color: Color) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


Points = NDArray[np.float64]


class Formula(str):
    """TeX formula, without dollar signs."""

    __slots__ = ()


@dataclass(frozen=True)
class Disc:
    """A vertex: a disc, or a pill if ``wide`` is not 0."""

    key: Any
    at: tuple[float, float]
    radius: float
    fill: Color
    label: str = ""  # of at most 3 lines
    index: str = ""
    ghost: bool = False
    wide: float = 0.0  # half the length of the straight sides of a pill
    sizes: tuple[float, float] = (0.3, 0.2)  # of the letters of label and index
    marked: bool = False  # with a dark rim


@dataclass(frozen=True)
class Stroke:
    """An edge: a chain of k cubic curves, or a segment, with an arrowhead at its end."""

    key: Any
    points: Points  # shape (3 k + 1, 2), ends and control points, or shape (2, 2)
    color: Color
    dash: Dash = ()
    width: float = 1.6
    arrow: bool = True
    fade: tuple[float, float] = (0.0, 0.0)  # at start and end; 0 is the full color, 1 is paper
    halo: Color | None = None  # of a wider stroke behind this one


@dataclass(frozen=True)
class Shape:
    """A filled polygon, behind everything else or in front of the lines."""

    key: Any
    points: Points
    fill: Color
    above: bool = False


@dataclass(frozen=True)
class Band:
    """The pale stripe behind a fibre, centered at a height; its ends may fade."""

    key: Any
    left: float
    right: float
    at: float
    height: float
    color: Color
    fades: bool = False


@dataclass(frozen=True)
class Text:
    """A text next to the graph."""

    at: tuple[float, float]
    words: str
    color: Color = INK
    size: float = 0.3
    align: str = "center"


@dataclass(frozen=True)
class Badge:
    """A label of an edge, such as its delay."""

    key: Any
    at: tuple[float, float]
    words: str
    color: Color
    size: float = 0.26


def badge_width(words: str, size: float = 0.26) -> float:
    """Approximate width of a badge."""
    return (0.4 + 0.58 * len(words)) * size


def text_width(text: Text) -> float:
    """Approximate width of a text."""
    formula = isinstance(text.words, Formula)
    words = re.sub(r"\\[a-z]+|[_^{}]", "", text.words) if formula else text.words
    wide = (len(line) + sum(c >= "\u2e80" for c in line) for line in words.split("\n"))
    return 0.6 * text.size * max(wide)


def text_height(text: Text) -> float:
    """Approximate height of a text, with a space above and below."""
    return text.size * (2.0 + 1.2 * text.words.count("\n"))


@dataclass(frozen=True)
class Scene:
    """Contents of a picture."""

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
    """Translate a scene."""
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


# -- sizes ----------------------------------------------------------------------------------------


def extent(scene: Scene) -> Box:
    """Bounding box of a scene, with a margin."""
    points = [
        np.array([disc.at]) + np.array([[disc.wide, 0.0]]) * s + s * disc.radius
        for disc in scene.discs
        for s in (-1, 1)
    ]
    points += flattened_all(scene.strokes, 6)
    points += [shape.points for shape in scene.shapes]
    points += [
        _box(text.at, text_width(text), text_height(text) / 2, text.align) for text in scene.texts
    ]
    points += [np.array([[band.left, band.at], [band.right, band.at]]) for band in scene.bands]
    points += [
        _box(badge.at, badge_width(badge.words, badge.size), 0.2, "center")
        for badge in scene.badges
    ]
    every = np.concatenate([*points, np.zeros((1, 2))])
    low, high = every.min(axis=0) - MARGIN, every.max(axis=0) + MARGIN
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _box(at: tuple[float, float], width: float, half: float, align: str) -> Points:
    left = at[0] - width * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    return np.array([[left, at[1] - half], [left + width, at[1] + half]])


def legible(scene: Scene, least: float) -> Scene:
    """Scene with letters of texts and badges of at least a size."""
    texts = tuple(t if t.size >= least else replace(t, size=least) for t in scene.texts)
    badges = tuple(b if b.size >= least else replace(b, size=least) for b in scene.badges)
    return replace(scene, texts=texts, badges=badges)


# -- scenes as polygons and lines --------------------------------------------------------------

HEAD = 0.17  # length of an arrowhead
HALO = 6.0  # width of a halo in points, in addition to the width of its edge
FADE = 1.6  # length over which the end of a band fades


class Polygon(NamedTuple):
    """A filled polygon."""

    points: Points
    fill: Color


class Line(NamedTuple):
    """A polyline, with its width in points."""

    points: Points
    color: Color
    width: float


class Drawing(NamedTuple):
    """Polygons and lines of a scene, from back to front."""

    floor: list[Polygon]
    halos: list[Line]
    lines: list[Line]
    above: list[Polygon]


def resolved(scene: Scene) -> Drawing:
    """Polygons and lines of a scene; fading lines and bands become pieces of constant color."""
    floor = [stripe for band in scene.bands for stripe in _stripes(band)]
    floor += [Polygon(shape.points, shape.fill) for shape in scene.shapes if not shape.above]
    drawing = Drawing(floor, [], [], [])
    for stroke, line in zip(scene.strokes, flattened_all(scene.strokes), strict=True):
        points = line
        if stroke.halo:
            drawing.halos.append(Line(points, stroke.halo, stroke.width + HALO))
        if stroke.arrow:
            points, head = headed(points, HEAD * max(1.0, stroke.width / 2.2))
            drawing.above.append(Polygon(head, mixed(stroke.color, PAPER, stroke.fade[1])))
        pieces = [*_dashes(points, stroke.dash)] if stroke.dash else [points]
        if stroke.fade != (0.0, 0.0) and not stroke.dash:
            pieces = [points[k : k + 2] for k in range(len(points) - 1)]
        shares = np.linspace(*stroke.fade, len(pieces)).round(2).tolist()
        for piece, share in zip(pieces, shares, strict=True):
            shade = mixed(stroke.color, PAPER, share)
            drawing.lines.append(Line(piece, shade, stroke.width))
    drawing.above.extend(Polygon(shape.points, shape.fill) for shape in scene.shapes if shape.above)
    return drawing


def _dashes(points: Points, dash: Dash) -> Iterator[Points]:
    """Pieces of a line."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    cuts = np.concatenate([[0.0], np.cumsum(dash * math.ceil(length[-1] / sum(dash)))])
    cuts = np.minimum(cuts, length[-1])
    for start, end in zip(cuts[:-1:2], cuts[1::2], strict=False):
        inner = length[(length > start) & (length < end)]
        at = np.concatenate([[start], inner, [end]])
        if end > start:
            yield np.column_stack([np.interp(at, length, axis) for axis in points.T])


def _stripes(band: Band) -> Iterator[Polygon]:
    cuts, shades = np.array([band.left, band.right]), [0.0]
    if band.fades:
        edge = np.linspace(0, FADE, 17)
        cuts = np.concatenate([band.left + edge, (band.right - edge)[::-1]])
        rise = (1 - edge[1:] / FADE).tolist()
        shades = [*rise, 0.0, *rise[::-1]]
    low, high = band.at - band.height / 2, band.at + band.height / 2
    for a, b, shade in zip(cuts[:-1], cuts[1:], shades, strict=True):
        corners = np.array([(a, low), (b, low), (b, high), (a, high)])
        yield Polygon(corners, mixed(band.color, PAPER, shade))


def headed(points: Any, length: float = HEAD) -> tuple[Any, Any]:
    """Shorten a line for its arrowhead, and return both."""
    tip = points[-1]
    away = np.hypot(points[:, 0] - tip[0], points[:, 1] - tip[1])
    far = np.flatnonzero(away >= length)
    k = int(far[-1]) if len(far) else 0
    inner, outer = away[k + 1], away[k]
    share = (length - inner) / (outer - inner) if outer > inner else 0.0
    root = points[k + 1] + share * (points[k] - points[k + 1])
    along = tip - root
    along = along / math.hypot(along[0], along[1])
    across = np.array([-along[1], along[0]]) * length * 0.38
    line = np.vstack([points[: k + 1], root + along * length * 0.3])
    return line, np.array([tip, root + across, root - across])


def flattened_all(strokes: Sequence[Stroke], steps: int = 32) -> list[Points]:
    """Points along each stroke; all strokes of the same number of cubics are computed at once."""
    found: list[Points] = [np.empty(0)] * len(strokes)
    groups: dict[int, list[int]] = {}
    for k, stroke in enumerate(strokes):
        groups.setdefault(len(stroke.points), []).append(k)
    for size, own in groups.items():
        stack = np.stack([strokes[k].points for k in own])
        lines = stack if size == 2 else flattened(np.moveaxis(stack, 0, 1), steps).swapaxes(0, 1)
        for k, line in zip(own, lines, strict=True):
            found[k] = line
    return found


def flattened(points: Points, steps: int = 32) -> Any:
    """Points along a chain of cubics, including its ends."""
    if len(points) == 2:
        return points
    cubics = np.stack([points[:-1:3], points[1::3], points[2::3], points[3::3]])
    lines = np.tensordot(_bernstein(steps), cubics, 1).swapaxes(0, 1)
    return np.concatenate([lines[:, :-1].reshape(-1, *points.shape[1:]), lines[-1, -1:]])


@cache
def _bernstein(steps: int) -> Points:
    """Weights of the four points of a cubic at equidistant parameters."""
    t = np.linspace(0, 1, steps + 1)
    weights: Points = np.column_stack(
        [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    )
    return weights


# -- highlighted walks --------------------------------------------------------------------------

_BACK = 0.7  # share of paper in the color of other edges
_BROAD = 2.4  # width of a highlighted edge


def as_walk(
    graph: Any, walk: Iterable[Any], *, directed: bool = True
) -> tuple[tuple[Any, ...], ...]:
    """Return a walk of a graph as a tuple of edges; raise LiftError if it is not a walk."""
    form = "(u, v, key)" if graph.is_multigraph() else "(u, v)"
    if isinstance(walk, str) or not isinstance(walk, Iterable):
        raise LiftError(f"invalid walk={walk!r}: give its edges in order, each as {form}")
    given = [*walk]
    for edge in given:
        if not isinstance(edge, tuple | list) or len(edge) != len(form.split()):
            raise LiftError(
                f"invalid edge {edge!r} in walk: give the edges in order, each as {form}"
            )
    edges = tuple(map(tuple, given))
    for k, edge in enumerate(edges):
        if not _is_edge(graph, edge):
            raise LiftError(
                f"the walk has the edge {edge!r}, which is not in the graph that is drawn",
                edge=edge,
            )
        before = edges[k - 1][1:2] if directed else edges[k - 1][:2]
        if k and not {*before} & {*edge[: 1 if directed else 2]}:
            raise LiftError(
                f"the walk is not connected: edge {edge!r} does not "
                f"{'start where' if directed else 'share an end with'} edge {edges[k - 1]!r}"
                f"{' ends' if directed else ''}",
                edge=edge,
            )
    return edges


def _is_edge(graph: Any, edge: tuple[Any, ...]) -> bool:
    try:
        return bool(graph.has_edge(*edge))
    except TypeError:  # an unhashable end or key
        return False


def lifted(U: Any, walk: Iterable[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return a walk of the base as a tuple of edges, and its lift to a window."""
    edges = as_walk(U.base, walk)
    if not edges:
        return (), ()
    start = edges[0][0], start_of_lift(U.delay_graph, edges, U.window)
    return edges, lift_walk(U, edges, start)


def start_of_lift(graph: DelayGraph, edges: tuple[Any, ...], window: Any) -> Any:
    """Earliest start time for which the lift of a walk lies in a window."""
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
                f"the lift of the walk needs {max(times) - min(times) + 1} times, but the window "
                f"has {len(axis)}; use a longer window or a shorter walk"
            )
        start.append(axis.start - min(times))
    return start[0] if isinstance(window, range) else tuple(start)


def lit(strokes: tuple[Any, ...], keys: Set[Any]) -> tuple[Any, ...]:
    """Highlight strokes with certain keys, and fade the others."""
    back = [replace(s, color=mixed(s.color, PAPER, _BACK)) for s in strokes if s.key not in keys]
    front = [replace(s, width=_BROAD, halo=MARKER) for s in strokes if s.key in keys]
    return (*back, *front)


def lit_scene(scene: Scene, keys: Set[Any]) -> Scene:
    """Highlight the strokes of a scene that have certain keys, and fade other badges."""
    badges = tuple(
        b if b.key in keys else replace(b, color=mixed(b.color, PAPER, _BACK)) for b in scene.badges
    )
    return replace(scene, strokes=lit(scene.strokes, keys), badges=badges)
