"""A scene drawn by matplotlib, and the options that all pictures take, checked before.

Everything goes on in collections, so that thousands of edges are drawn in a fraction of a
second: one of lines, one of arrowheads, one of discs, one of bands. Texts are set one by one,
as large as fits, and left out where there are too many edges to read them. Letters and lines keep
their proportions whatever becomes of the axes: matplotlib counts them in points, so they are
measured anew whenever the axes are drawn.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

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
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from matplotlib.textpath import TextPath

from unrollgraph.cover.lift import Lift
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    Colour,
    Disc,
    Formula,
    Line,
    Points,
    Polygon,
    Scene,
    badge_width,
    flattened,
    mixed,
    on,
    resolved,
    text_width,
)
from unrollgraph.errors import show_kind
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import arcs_of, as_graph_map

Box: TypeAlias = tuple[float, float, float, float]  # left, bottom, right, top

INCH = 0.62  # inches in a unit
FRAME = 1.2  # points of the line around a badge
MARGIN = 0.35
MOST_PIXELS = 10_000  # along a side of a picture of points
MOST_LABELLED = 300  # vertices, beyond which labels could not be read


def check_axes(ax: Any) -> Any:
    """Refuse what is given for axes and is none."""
    if not isinstance(ax, Axes):
        hint = {"Figure": "; take one of its axes", "FuncAnimation": "; use its own save"}
        kind = type(ax).__name__
        raise TypeError(
            f"a picture is on the axes of matplotlib, not on a {kind}{hint.get(kind, '')}"
        )
    return ax


def new_axes(scene: Scene) -> Any:
    """Make axes of the size of a scene, in a figure that `pyplot.show` shows."""
    return axes_over(extent(scene))


def axes_over(box: Box) -> Any:
    """Make axes over a left, a bottom, a right and a top, in a figure that `pyplot.show` shows.

    With a backend that shows nothing, pyplot does not hold the figure, which would stay open for
    the rest of the program.
    """
    from matplotlib import pyplot as plt  # noqa: PLC0415  (chooses a backend on first use)

    options: Any = {"figsize": _inches(box), "facecolor": PAPER}
    figure = plt.figure(**options) if shows_figures() else FigureCanvasAgg(Figure(**options)).figure
    return figure.add_axes((0, 0, 1, 1))


def shows_figures() -> bool:
    """Whether the backend of matplotlib shows figures on a screen or in a notebook."""
    silent = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)  # type: ignore[no-untyped-call]
    return str(mpl.get_backend()).lower() not in silent


def hidden_axes(scene: Scene) -> Any:
    """Make axes of the size of a scene, in a figure that is not shown."""
    return Figure(figsize=_inches(extent(scene)), facecolor=PAPER).add_axes((0, 0, 1, 1))


def _inches(box: Box) -> tuple[float, float]:
    left, bottom, right, top = box
    return (right - left) * INCH, (top - bottom) * INCH


def printed(axes: Any, kind: str, dpi: float = 200) -> bytes:
    """The figure of some axes as a file: the same bytes every time."""
    stamp: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    figure = axes.figure.figure  # of a figure itself, of a subfigure what it is part of
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


def extent(scene: Scene) -> Box:
    """Left, bottom, right and top of everything in a scene."""
    points = [np.array([disc.at]) + s * disc.radius for disc in scene.discs for s in (-1, 1)]
    points += [flattened(stroke.points, 6) for stroke in scene.strokes]
    points += [shape.points for shape in scene.shapes]
    points += [_box(text.at, text_width(text), text.size, text.align) for text in scene.texts]
    points += [np.array([[band.left, band.at], [band.right, band.at]]) for band in scene.bands]
    points += [_box(badge.at, badge_width(badge.words), 0.2, "center") for badge in scene.badges]
    every = np.concatenate([*points, np.zeros((1, 2))])
    low, high = every.min(axis=0) - MARGIN, every.max(axis=0) + MARGIN
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _box(at: tuple[float, float], width: float, size: float, align: str) -> Points:
    """Two corners of what words take."""
    left = at[0] - width * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    return np.array([[left, at[1] - size], [left + width, at[1] + size]])


def paint(scene: Scene, axes: Any, box: Box | None = None) -> Any:
    """Draw a scene on axes, in its own units and at equal aspect; return the axes."""
    left, bottom, right, top = box or extent(scene)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal", adjustable="box")
    axes.set_axis_off()
    drawing = resolved(scene)
    _fill(drawing.floor, axes, 1.0, edgecolors="face", linewidths=0.4)
    lines = [_draw(drawing.dashed, axes, 1.5, linestyles=(0, (4, 4)))] if drawing.dashed else []
    lines.append(_draw([*drawing.halos, *drawing.lines], axes, 2.0, capstyle="butt"))
    _fill(drawing.above, axes, 3.0, edgecolors="none")
    discs = axes.add_collection(_Discs(scene, axes.transData))
    words = list(_words(scene, axes)) if len(scene.discs) <= MOST_LABELLED else []
    axes.add_artist(_Proportions(words, [*lines, discs])).measure()
    return axes


def trail(axes: Any, starts: Sequence[tuple[float, float]]) -> Any:
    """Make a function that draws lines behind tokens, which begin at some places."""
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

    def show(trails: Sequence[Sequence[tuple[Points, Colour]]]) -> Any:
        every = [piece for pieces in trails for piece in pieces]
        lines.set_segments([line for line, _ in every])
        lines.set_color([colour for _, colour in every])
        ends = [
            pieces[-1][0][-1] if pieces else start
            for pieces, start in zip(trails, starts, strict=True)
        ]
        tokens.set_offsets(ends)
        return lines, tokens

    return show


def animated(figure: Any, frame: Callable[[int], Any], frames: int) -> FuncAnimation:
    """Make an animation of 20 frames a second."""
    return FuncAnimation(figure, frame, frames=frames, interval=50, blit=False, init_func=list)


def painted(axes: Any) -> Scene:
    """Everything that was drawn on axes, as a scene."""
    found = Scene()
    for artist in axes.collections:
        if isinstance(artist, _Discs):
            found = found + artist.scene
    return found


class _Discs(EllipseCollection):
    """The vertices of a scene, which remember the whole of it."""

    def __init__(self, scene: Scene, transform: Any) -> None:
        self.scene = scene
        sizes = [2 * disc.radius for disc in scene.discs]
        rims = [mixed(disc.fill, INK, 0.08) if disc.ghost else PAPER for disc in scene.discs]
        super().__init__(
            sizes,
            sizes,
            np.zeros(len(sizes)),
            units="xy",
            offsets=[disc.at for disc in scene.discs] or np.zeros((0, 2)),
            offset_transform=transform,
            facecolors=[disc.fill for disc in scene.discs],
            edgecolors=rims,
            linewidths=1.4,
            zorder=4,
        )


class _Proportions(Artist):
    """What keeps letters and lines in proportion: it is drawn first, and measures the others."""

    def __init__(self, words: Sequence[tuple[Any, float]], lines: Sequence[Any]) -> None:
        super().__init__()
        self.set_zorder(-1)
        self.set_in_layout(False)
        self.words = words  # and their sizes in units
        self.lines = [(collection, np.asarray(collection.get_linewidth())) for collection in lines]
        self.unit = 0.0  # in points, when they were measured last

    def draw(self, renderer: Any) -> None:  # noqa: ARG002  (it is told by the axes alone)
        self.measure()

    def measure(self) -> None:
        """Give letters and lines the sizes that they have in the axes as these are now.

        Words whose place has been moved out of the axes are not shown.
        """
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
            if frame := text.get_bbox_patch():
                frame.set_linewidth(FRAME * unit / (72 * INCH))
        for collection, widths in self.lines:
            collection.set_linewidth(widths * unit / (72 * INCH))


def _words(scene: Scene, axes: Any) -> Iterator[tuple[Any, float]]:
    """Set all words, and yield them with their sizes."""
    for disc in scene.discs:
        for at, words, size, weight in lettering(disc):
            how = {"ha": "center", "va": "baseline", "weight": weight, "zorder": 5}
            yield axes.text(*at, written(words), color=on(disc.fill), **how), size
    for text in scene.texts:
        how = {"ha": text.align, "va": "center", "zorder": 5}
        yield axes.text(*text.at, written(text.words), color=text.colour, **how), text.size
    for badge in scene.badges:
        how = {"ha": "center", "va": "center", "zorder": 6, "color": badge.colour}
        frame = {"boxstyle": "round,pad=0.25", "fc": PAPER, "ec": badge.colour, "lw": FRAME}
        yield axes.text(*badge.at, written(badge.words), bbox=frame, **how), 0.26


def _fill(polygons: Sequence[Polygon], axes: Any, level: float, **how: Any) -> None:
    points, fills = [p.points for p in polygons], [p.fill for p in polygons]
    axes.add_collection(PolyCollection(points, facecolors=fills, zorder=level, **how))


def _draw(lines: Sequence[Line], axes: Any, level: float, **how: Any) -> Any:
    points, colours = [line.points for line in lines], [line.colour for line in lines]
    widths = [line.width for line in lines]
    return axes.add_collection(
        LineCollection(points, colors=colours, linewidths=widths, zorder=level, **how)
    )


def lettering(disc: Disc) -> Iterator[tuple[tuple[float, float], str, float, str]]:
    """Label and index of a disc: middle of their baselines, words, sizes and weights.

    As large as they can be without leaving the disc.
    """
    if not disc.label:
        return
    own, below = _width(written(disc.label), "bold"), 0.66 * _width(disc.index, "normal")
    below += 0.1 if disc.index else 0.0  # a little air
    size = min(0.3, 1.48 * disc.radius / (own + below))
    x, y = disc.at
    start = x - size * (own + below) / 2
    yield (start + size * own / 2, y - 0.36 * size), disc.label, size, "bold"
    if disc.index:
        middle = start + size * (own + 0.1 + (below - 0.1) / 2)
        yield (middle, y - 0.52 * size), disc.index, 0.66 * size, "normal"


def written(words: str) -> str:
    """Words as matplotlib takes them: a formula between dollars, and no mathematics in others."""
    return f"${words}$" if isinstance(words, Formula) else words.replace("$", r"\$")


def no_formula(words: str) -> str:
    """Why matplotlib cannot set a formula with its dollars; empty if it can."""
    try:
        MathTextParser("path").parse(words)
    except ValueError as error:
        return str(error).strip().splitlines()[-1].removeprefix("ParseFatalException: ")
    return ""


@lru_cache(maxsize=4096)
def _width(words: str, weight: str) -> float:
    """Width of words in units of their size."""
    if not words.strip():
        return 0.2 * bool(words)  # of blanks there are no outlines
    font = FontProperties(weight=weight)
    return max(TextPath((0, 0), words, size=100, prop=font).get_extents().width / 100, 0.2)


MOST_EDGES = 2000  # more cannot be told apart


def as_labels(labels: Any) -> Mapping[Any, str]:
    """Labels as a mapping from vertices to words of one line; between dollars is a formula."""
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise TypeError(
            f"labels= is a mapping from vertices to words, not {show_kind(labels)}; write "
            "for example labels={'A': 'input'}"
        )
    for vertex, words in labels.items():
        if not isinstance(words, str):
            raise TypeError(
                f"labels= gives {vertex!r} {show_kind(words)}, but a label is a str; write "
                f"{str(words)!r}"
            )
        if not words.isprintable():
            raise ValueError(f"labels= gives {vertex!r} {words!r}, but a label is one line of text")
    return {vertex: _set(vertex, words) for vertex, words in labels.items()}


def _set(vertex: Any, words: str) -> str:
    """A label, as a formula if it stands between dollars."""
    if len(words) < 3 or words[0] != "$" or words[-1] != "$":
        return words
    if reason := no_formula(words):
        raise ValueError(
            f"labels= gives {vertex!r} {words!r}, which is no formula that matplotlib can set "
            f"({reason}); mend it, or leave out the dollars"
        )
    return Formula(words[1:-1])


def check_few(
    graph: Any, most: int, arcs: int | None = None, mend: str = "draw fewer, or raise max_edges"
) -> None:
    """Refuse a graph without vertices, or with more arcs than can be drawn."""
    if not len(graph):
        raise ValueError("there are no vertices, so there is nothing to draw; draw another graph")
    arcs = graph.number_of_edges() if arcs is None else arcs
    if arcs > most:
        raise ValueError(f"{arcs} edges are more than can be told apart, which are {most}; {mend}")


def check_lift(lift: Any, most: int) -> None:
    """Refuse what is no lift, or has more arcs than can be drawn."""
    if not isinstance(lift, Lift):
        raise TypeError(
            f"what is drawn over its base is a lift, not {show_kind(lift)}; make one with "
            "unroll, cyclic_cover, permutation_lift, universal_cover or their like"
        )
    check_few(lift, most)


def check_drawable(U: Any, most: int, axes: int = 2) -> None:
    """Refuse what is no window, has too many axes, or more arcs than can be drawn."""
    if not isinstance(U, Lift) or not hasattr(U, "window"):
        raise TypeError(
            f"what is drawn unrolled is a window of a delay cover, not {show_kind(U)}; make "
            "one with unroll(G, window)"
        )
    if not isinstance(U.window, range):
        check_flat(len(U.window), axes)
    check_few(U, most)


def check_flat(dimension: int, axes: int) -> None:
    """Refuse times that have no place on paper."""
    if dimension > axes:
        where = "one line" if axes == 1 else "a plane"
        raise ValueError(
            f"times in Z^{dimension} do not stand in {where}; draw a window of a graph with "
            f"delays in {'Z' if axes == 1 else 'Z or Z^2'}"
        )


def graph_below(over: Any) -> DelayGraph:
    """The base of a lift, or of any map, with its delays."""
    p = as_graph_map(over)
    known = getattr(p.total, "delay_graph", None)
    return known if known is not None and known.base is p.base else DelayGraph(p.base)


def short_index(node: Any) -> str:
    """What tells a copy from the others, if it is short."""
    if not isinstance(node, tuple) or len(node) != 2:
        return ""
    words = ",".join(map(str, node[1])) if isinstance(node[1], tuple) else str(node[1])
    return words if len(words) <= 7 else ""


def arcs_over(over: Any) -> Iterator[tuple[tuple[Any, ...], int | None]]:
    """Each arc of a lift, or above any map, and the number of the edge below it.

    Instead of the number None for what lies over no edge, where a map is no homomorphism.
    """
    p = as_graph_map(over)
    number = graph_below(p).edge_number
    return ((arc, number.get(p.edge(arc))) for arc in map(tuple, arcs_of(p.total)))


def arc_colour(graph: DelayGraph, tint: Mapping[Any, Colour], edge: int | None) -> Colour:
    """Colour of an arc: that of the delay of the edge below it."""
    return INK if edge is None else tint[graph.times[edge]]
