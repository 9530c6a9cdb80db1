"""Draw scenes with matplotlib, and check the parameters that all pictures share.

Lines, arrowheads, discs and bands are matplotlib collections, so thousands of edges are drawn in a
fraction of a second. Texts are omitted if there are more than 300 vertices. Font sizes and line
widths are recomputed from the size of the axes each time they are drawn.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from unrollgraph.cover.lift import Lift
from unrollgraph.draw.scene import (
    INCH,
    INK,
    PAPER,
    Box,
    Color,
    Disc,
    Line,
    Pen,
    Points,
    Polygon,
    Scene,
    extent,
    legible,
    lit_scene,
    mixed,
    on,
    resolved,
)
from unrollgraph.draw.style import Style, fitted, font_families, lettering, room_of, written
from unrollgraph.errors import show_kind
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import arcs_of, as_graph_map

MOST_PIXELS = 10_000  # along a side of a PNG file
MOST_LABELLED = 300  # vertices; texts in larger pictures are too small to read


def check_axes(ax: Any) -> Axes:
    """Return ``ax``; raise TypeError if it is not matplotlib axes."""
    if not isinstance(ax, Axes):
        hint = {"Figure": "; pass one of its axes", "FuncAnimation": "; use its method save"}
        kind = type(ax).__name__
        raise TypeError(f"ax must be matplotlib axes, not {show_kind(ax)}{hint.get(kind, '')}")
    return ax


def new_axes(box: Box, unit: float = INCH) -> Axes:
    """Make axes for a bounding box in a new figure, which pyplot shows if the backend can."""
    # pyplot would keep a figure open for the rest of the program, so it gets only shown ones
    from matplotlib import pyplot as plt  # noqa: PLC0415  (chooses a backend on first use)

    options: Any = {"figsize": _inches(box, unit), "facecolor": PAPER}
    figure = plt.figure(**options) if shows_figures() else FigureCanvasAgg(Figure(**options)).figure
    return figure.add_axes((0, 0, 1, 1))


def shows_figures() -> bool:
    """Whether the backend of matplotlib shows figures on a screen or in a notebook."""
    silent = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)  # type: ignore[no-untyped-call]
    return str(mpl.get_backend()).lower() not in silent


def hidden_axes(scene: Scene) -> Any:
    """Make axes of the size of a scene in a figure that is not shown."""
    return Figure(figsize=_inches(extent(scene), INCH), facecolor=PAPER).add_axes((0, 0, 1, 1))


def _inches(box: Box, unit: float) -> tuple[float, float]:
    left, bottom, right, top = box
    return (right - left) * unit, (top - bottom) * unit


def printed(axes: Any, kind: str, dpi: float = 200) -> bytes:
    """Contents of a reproducible file of a figure."""
    stamp: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    figure = axes.figure.figure  # the figure of a subfigure
    dpi = min(dpi, MOST_PIXELS / max(figure.get_size_inches()))
    fixed: dict[Any, Any] = {
        "svg.hashsalt": "unrollgraph",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
    }
    file = io.BytesIO()
    with rc_context(fixed):
        figure.savefig(file, format=kind, metadata=stamp, dpi=dpi)
    return file.getvalue()


def paint(scene: Scene, axes: Any, box: Box | None = None) -> Axes:
    """Draw a scene on axes in its units and at equal aspect; return the axes."""
    left, bottom, right, top = box or extent(scene)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal", adjustable="box")
    axes.set_axis_off()
    drawing = resolved(scene)
    _fill(drawing.floor, axes, 1.0, edgecolors="face", linewidths=0.4)
    lines = _draw([*drawing.halos, *drawing.lines], axes, 2.0, capstyle="butt")
    _fill(drawing.above, axes, 3.0, edgecolors="none")
    discs = axes.add_collection(_Discs(scene, axes.transData))
    words = list(_words(scene, axes)) if len(scene.discs) <= MOST_LABELLED else []
    axes.add_artist(_Proportions(words, [lines, discs])).measure()
    painted_on: Axes = axes
    return painted_on


def on_paper(
    build: Callable[[Style], Scene],
    style: Style,
    ax: Any,
    width: Any = None,
    vertices: Iterable[Any] = (),
    lit: Set[Any] | None = None,
) -> Axes:
    """Draw a picture on axes, by default on new axes, with the largest letters that fit.

    If ``lit`` is given, edges with these keys are highlighted.
    """

    def legibly(style: Style) -> Scene:
        scene = build(style)
        return legible(scene if lit is None else lit_scene(scene, lit), style.least)

    room = room_of(width, None if ax is None else check_axes(ax))
    scene, style = fitted(legibly, style, room, [*vertices])
    left, bottom, right, top = extent(scene)
    if room.exact and ax is None:
        free = (room.width / style.unit - (right - left)) / 2
        left, right = left - free, right + free
    box = left, bottom, right, top
    return paint(scene, new_axes(box, style.unit) if ax is None else ax, box)


def trail(axes: Any, starts: Sequence[tuple[float, float]]) -> Any:
    """Return a function that draws lines with a token at the end of each."""
    tokens = axes.add_collection(
        EllipseCollection(
            [0.24] * len(starts),
            [0.24] * len(starts),
            [0] * len(starts),
            units="xy",
            offsets=starts,
            offset_transform=axes.transData,
            facecolors=[INK] * len(starts),
            edgecolors=[PAPER] * len(starts),
            linewidths=1.5,
            zorder=7,
        )
    )
    lines = axes.add_collection(LineCollection([], linewidths=3.2, zorder=3.6))

    def show(trails: Sequence[Sequence[tuple[Points, Color]]]) -> Any:
        every = [piece for pieces in trails for piece in pieces]
        lines.set_segments([line for line, _ in every])
        lines.set_color([color for _, color in every])
        ends = [
            pieces[-1][0][-1] if pieces else start
            for pieces, start in zip(trails, starts, strict=True)
        ]
        tokens.set_offsets(ends)
        return lines, tokens

    return show


def animated(figure: Any, frame: Callable[[int], Any], frames: int) -> FuncAnimation:
    """Make an animation with 20 frames per second."""
    return FuncAnimation(figure, frame, frames=frames, interval=50, blit=False, init_func=list)


def painted(axes: Any) -> Scene:
    """Sum of the scenes that were drawn on axes."""
    found = Scene()
    for artist in axes.collections:
        if isinstance(artist, _Discs):
            found = found + artist.scene
    return found


class _Discs(EllipseCollection):
    """Collection of the discs of a scene, with a reference to the scene."""

    def __init__(self, scene: Scene, transform: Any) -> None:
        self.scene = scene
        sizes = [2 * disc.radius for disc in scene.discs]
        rims = [rim(disc) for disc in scene.discs]
        super().__init__(
            sizes,
            sizes,
            np.zeros(len(sizes)),
            units="xy",
            offsets=[disc.at for disc in scene.discs] or np.zeros((0, 2)),
            offset_transform=transform,
            facecolors=[disc.fill for disc in scene.discs],
            edgecolors=rims,
            linewidths=[2.4 if disc.marked else 1.4 for disc in scene.discs],
            zorder=4,
        )
        if any(disc.wide for disc in scene.discs):
            self.set_paths([_pill(disc.wide / disc.radius) for disc in scene.discs])


def rim(disc: Disc) -> Color:
    """Color of the rim of a disc."""
    if disc.marked:
        return INK
    return mixed(disc.fill, INK, 0.08) if disc.ghost else PAPER


@lru_cache
def _pill(wide: float) -> Path:
    """Outline of a pill of height 2."""
    turn = np.linspace(0, math.pi, 24)
    half = np.column_stack([wide + np.sin(turn), -np.cos(turn)])
    return Path(np.vstack([half, -half, half[:1]]), closed=True)


class _Proportions(Artist):
    """Artist that is drawn first and scales texts and lines with the axes."""

    def __init__(self, words: Sequence[tuple[Any, float]], lines: Sequence[Any]) -> None:
        super().__init__()
        self.set_zorder(-1)
        self.set_in_layout(False)
        self.words = words  # pairs of a text and its size in units of the scene
        self.lines = [(collection, np.asarray(collection.get_linewidth())) for collection in lines]
        self.unit = 0.0  # unit of length in points at the last measurement

    def draw(self, renderer: Any) -> None:  # noqa: ARG002  (only the axes determine the sizes)
        self.measure()

    def measure(self) -> None:
        """Scale texts and lines with the axes, and hide texts outside their limits."""
        axes: Any = self.axes
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        for text, _ in self.words:
            x, y = text.get_position()
            text.set_visible(left <= x <= right and bottom <= y <= top)
        box = axes.get_window_extent()
        pixels = min(box.width / abs(right - left), box.height / abs(top - bottom))
        unit = round(pixels * 72 / axes.figure.dpi, 6)
        if unit == self.unit:
            return
        self.unit = unit
        for text, size in self.words:
            text.set_fontsize(size * unit)
        for collection, widths in self.lines:
            collection.set_linewidth(widths * unit / (72 * INCH))


def _words(scene: Scene, axes: Any) -> Iterator[tuple[Any, float]]:
    for disc in scene.discs:
        for at, words, size, weight in lettering(disc):
            how = {"ha": "center", "va": "baseline", "weight": weight, "zorder": 5}
            yield _text(axes, at, words, color=on(disc.fill), **how), size
    for text in scene.texts:
        how = {"ha": text.align, "va": "center", "zorder": 5}
        yield _text(axes, text.at, text.words, color=text.color, **how), text.size
    for badge in scene.badges:
        how = {"ha": "center", "va": "center", "zorder": 6, "color": badge.color}
        paper = {"boxstyle": "square,pad=0.06", "facecolor": PAPER, "edgecolor": "none"}
        yield _text(axes, badge.at, badge.words, bbox=paper, **how), badge.size


def _text(axes: Any, at: tuple[float, float], words: str, **how: Any) -> Any:
    return axes.text(*at, written(words), family=list(font_families(words)), **how)


def _fill(polygons: Sequence[Polygon], axes: Any, level: float, **how: Any) -> None:
    points, fills = [p.points for p in polygons], [p.fill for p in polygons]
    axes.add_collection(PolyCollection(points, facecolors=fills, zorder=level, **how))


def _draw(lines: Sequence[Line], axes: Any, level: float, **how: Any) -> Any:
    points, colors = [line.points for line in lines], [line.color for line in lines]
    widths = [line.width for line in lines]
    return axes.add_collection(
        LineCollection(points, colors=colors, linewidths=widths, zorder=level, **how)
    )


MOST_EDGES = 2000  # more edges are not legible


def check_few(
    graph: Any,
    most: int,
    arcs: int | None = None,
    mend: str = "draw fewer edges, or increase max_edges",
) -> None:
    """Raise ValueError if a graph has no vertices or too many edges."""
    if not len(graph):
        raise ValueError("the graph has no vertices, so there is nothing to draw; add vertices")
    arcs = graph.number_of_edges() if arcs is None else arcs
    if arcs > most:
        raise ValueError(f"cannot draw {arcs} edges: the limit is {most}; {mend}")


def check_lift(lift: Any, most: int) -> None:
    """Raise TypeError if an object is not a Lift; check its size."""
    if not isinstance(lift, Lift):
        raise TypeError(
            f"this picture needs a Lift, not {show_kind(lift)}; make one with unroll, "
            "cyclic_cover, permutation_lift or universal_cover"
        )
    check_few(lift, most)


def check_drawable(U: Any, most: int, axes: int = 2) -> None:
    """Raise TypeError if an object is not a window; check its dimension and size."""
    if not isinstance(U, Lift) or not hasattr(U, "window"):
        raise TypeError(
            f"U must be a window of a delay cover, not {show_kind(U)}; make one with "
            "unroll(G, window)"
        )
    if not isinstance(U.window, range):
        check_flat(len(U.window), axes)
    check_few(U, most)


def check_flat(dimension: int, axes: int) -> None:
    """Raise ValueError if times have too many axes."""
    if dimension > axes:
        raise ValueError(
            f"cannot draw times in Z^{dimension} in this picture; draw a graph with delays in "
            f"{'Z' if axes == 1 else 'Z or Z^2'}"
        )


def graph_below(over: Any) -> DelayGraph:
    """Delay graph of the base of a lift or a map."""
    p = as_graph_map(over)
    known = getattr(p.total, "delay_graph", None)
    return known if known is not None and known.base is p.base else DelayGraph(p.base)


def short_index(node: Any) -> str:
    """Text of the sheet of a copy, or empty if it is longer than 7 characters."""
    if not isinstance(node, tuple) or len(node) != 2:
        return ""
    words = ",".join(map(str, node[1])) if isinstance(node[1], tuple) else str(node[1])
    return words if len(words) <= 7 else ""


def arcs_over(over: Any) -> Iterator[tuple[tuple[Any, ...], int | None]]:
    """Pairs of an edge of the total graph and the number of its image, or None without one."""
    p = as_graph_map(over)
    number = graph_below(p).edge_number
    return ((arc, number.get(p.edge(arc))) for arc in map(tuple, arcs_of(p.total)))


def arc_pen(graph: DelayGraph, pens: Mapping[Any, Pen], edge: int | None) -> Pen:
    """Color and dashes of an edge over a base edge, by the delay of the base edge."""
    return Pen(INK) if edge is None else pens[graph.times[edge]]
