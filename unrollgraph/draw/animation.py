"""Animations of a walk with its lift, and of a graph that unrolls through its cyclic covers.

The unrolling is shown on a ring of n copies, which is the n-fold cyclic cover, for n = 1, 2, ...
Between n and n + 1 another copy separates from the first. At the end the ring is cut and bent into
a line, which is a window of the delay cover.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover._unroll import unroll
from unrollgraph.cover.windows import WindowLike
from unrollgraph.draw._rolled import rolled_scene
from unrollgraph.draw._unrolled import beside, unrolled_scene, window_scene
from unrollgraph.draw.layout import Spot, smooth, trimmed
from unrollgraph.draw.render import (
    MOST_EDGES,
    animated,
    check_drawable,
    check_few,
    check_flat,
    new_axes,
    paint,
    trail,
)
from unrollgraph.draw.scene import (
    PAPER,
    Points,
    Scene,
    Stroke,
    as_walk,
    delay_colors,
    extent,
    flattened,
    lifted,
    lit_scene,
    mixed,
)
from unrollgraph.draw.style import COLUMN, RADIUS, Style, as_labels
from unrollgraph.errors import LiftError
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation


_PER_EDGE = 12  # frames per edge of a walk
_PER_COPY = 16  # frames in which a copy separates from the first
_REST = 8  # frames of a pause
_STRAIGHT = 30  # frames in which the ring is bent into a line
_INNER = 1.2  # least radius of a ring
_LONGEST = 24  # largest absolute value of a delay, for legibility
_TURN = 2 * math.pi


def animate_walk(
    G: GraphLike,
    walk: Iterable[Any],
    *,
    window: WindowLike | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    delay: str = "delay",
) -> FuncAnimation:
    """Animate a walk of a delay graph together with its lift to the unrolling.

    Parameters
    ----------
    G, walk, labels, palette, delay
        See `rolled`; delays in Z or Z^2, and a walk of at least one edge.
    window : range, int or tuple, optional
        See `unroll` (default: the times of the lift from time 0, and one more on each axis).

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Save it with ``.save("walk.gif", writer="pillow")``; keep a reference while it plays.

    Raises
    ------
    LiftError
        If ``walk`` is not a walk of G, or has no edges.
    ValueError
        If delays are not in Z or Z^2, there are too many edges, or the lift leaves the window.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import unrollgraph as ug
    >>> round_ = [("A", "B"), ("B", "C"), ("C", "A")]
    >>> animation = ug.draw.animate_walk(ug.gallery.seed_network(), round_)
    >>> animation.save(Path(mkdtemp()) / "walk.gif", writer="pillow", dpi=30)
    """
    graph = as_delay_graph(G, delay)
    steps = as_walk(graph.base, walk)
    if not steps:
        raise LiftError("the walk has no edges, so there is nothing to animate; give at least one")
    U = unroll(graph, _room(graph, steps) if window is None else window)
    check_drawable(U, MOST_EDGES)
    edges, arcs = lifted(U, steps)
    left = lit_scene(rolled_scene(graph, Style(as_labels(labels), palette)), set())
    right = lit_scene(
        window_scene(U, Style(as_labels(labels), palette), ghosts=False, names=False), set()
    )
    scene = beside(left, right)
    routes = {stroke.key: stroke for stroke in scene.strokes}
    tint = delay_colors(graph.times)
    bright = {edge: tint[d] for edge, d in zip(graph.edges, graph.times, strict=True)}
    below = [(flattened(routes[edge].points), bright[edge]) for edge in edges]
    above = [
        (flattened(routes[arc].points), bright[edge]) for edge, arc in zip(edges, arcs, strict=True)
    ]
    places = {disc.key: disc.at for disc in scene.discs}
    starts = places[edges[0][0]], places[arcs[0][0]]
    axes = paint(scene, new_axes(extent(scene)))
    show = trail(axes, starts)
    frames = _PER_EDGE * len(edges) + 1 + 2 * _REST

    def frame(k: int) -> Any:
        done = min(max(k - _REST, 0) / _PER_EDGE, float(len(edges)))
        return show([_gone(below, done), _gone(above, done)])

    return animated(axes.figure, frame, frames)


def _room(graph: DelayGraph, steps: tuple[Any, ...]) -> Any:
    """Smallest window of the lift of a walk from time 0, and one more time on each axis."""
    here = np.zeros(graph.dimension, dtype=np.int64)
    seen = [here]
    for edge in steps:
        here = here + graph.delays[graph.edge_number[edge]]
        seen.append(here)
    low, high = np.min(seen, axis=0).tolist(), np.max(seen, axis=0).tolist()
    axes = tuple(range(a, b + 2) for a, b in zip(low, high, strict=True))
    return axes[0] if len(axes) == 1 else axes


def _gone(routes: list[Any], done: float) -> list[Any]:
    """Lines and colors of the first ``done`` edges of a walk; ``done`` may be fractional."""
    found = []
    for k, (points, color) in enumerate(routes):
        if k >= done:
            break
        share = min(done - k, 1.0) * (len(points) - 1)
        whole = int(share)
        line = points[: whole + 1]
        if whole < len(points) - 1:
            tip = points[whole] + (share - whole) * (points[whole + 1] - points[whole])
            line = np.vstack([line, tip])
        found.append((line, color))
    return found


def animate_unrolling(
    G: GraphLike,
    steps: int,
    *,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    delay: str = "delay",
) -> FuncAnimation:
    """Animate how a graph unrolls through its cyclic covers into a window.

    Parameters
    ----------
    G, labels, palette, delay
        See `rolled`; delays in Z, of absolute value at most 24.
    steps : int
        Number of time steps of the window, at least 2.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Save it with ``.save("open.gif", writer="pillow")``; keep a reference while it plays.

    Raises
    ------
    ValueError
        If ``steps`` is not an integer >= 2, delays are invalid, or there are too many edges.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import unrollgraph as ug
    >>> animation = ug.draw.animate_unrolling(ug.gallery.elman(), 2)
    >>> animation.save(Path(mkdtemp()) / "unrolling.gif", writer="pillow", dpi=20)
    """
    graph = as_delay_graph(G, delay)
    check_flat(graph.dimension, 1)
    if not isinstance(steps, int | np.integer) or steps < 2:
        raise ValueError(f"invalid steps={steps!r}: must be an integer of at least 2")
    check_few(graph.base, MOST_EDGES, steps * len(graph.edges), "use fewer steps")
    farthest = int(np.abs(graph.delays).max(initial=0))
    if farthest > _LONGEST:
        raise ValueError(
            f"cannot animate a delay of absolute value {farthest}: at most {_LONGEST} turns around "
            "the ring are legible; draw the window with draw.unrolled"
        )
    flat = _Flat(graph, steps, Style(as_labels(labels), palette, pills=False))
    bends = [*_bends(steps)]
    turning = [(n / 2, 0.0) for n in range(2, 2 * steps + 1)]
    turning += [(float(steps), k / 8) for k in range(1, 9)]
    boxes = np.array([extent(flat.bent(*bend)) for bend in turning])
    box = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
    axes = new_axes(box)
    bent = lru_cache(maxsize=2)(flat.bent)  # frames of a pause are computed once

    def frame(k: int) -> Any:
        axes.clear()
        return paint(bent(*bends[k]), axes, box).collections

    return animated(axes.figure, frame, len(bends))


def _bends(steps: int) -> Iterator[tuple[float, float]]:
    """Number of copies on the ring, and progress of its bending into a line, for each frame."""
    for n in range(1, steps):
        yield from [(float(n), 0.0)] * _REST
        yield from ((n + _eased(k / _PER_COPY), 0.0) for k in range(1, _PER_COPY))
    yield from [(float(steps), 0.0)] * _REST
    yield from ((float(steps), _eased(k / _STRAIGHT)) for k in range(1, _STRAIGHT))
    yield from [(float(steps), 1.0)] * (2 * _REST)


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)


class _Flat:
    """Unrolled graph on a line, which is bent into rings."""

    def __init__(self, graph: DelayGraph, steps: int, style: Style) -> None:
        reach = int(np.abs(graph.delays).max(initial=0))
        window = range(-reach, steps + 1 + reach)
        self.steps = steps
        self.scene = unrolled_scene(graph, window, style, ghosts=False)
        first = self.scene.discs[0].key[0]
        columns = [disc.at[0] for disc in self.scene.discs if disc.key[0] == first]
        self.column = columns[1] - columns[0]
        self.origin = self.scene.texts[reach].at[0]
        middles = {disc.key: np.array(disc.at) for disc in self.scene.discs}
        self.lines = {
            stroke.key: np.vstack(
                [middles[stroke.key[0]], flattened(stroke.points, 24), middles[stroke.key[1]]]
            )
            for stroke in self.scene.strokes
        }
        # The first edge between two copies one step apart is a spiral on the ring.
        pairs = {frozenset(stroke.key[:2]): stroke.key for stroke in reversed(self.scene.strokes)}
        self.spirals = {k for k in pairs.values() if abs(k[1][1] - k[0][1]) == 1}

    def bent(self, copies: float, straight: float) -> Scene:
        """Scene of a ring of ``copies`` copies, bent into a line by a share ``straight``."""
        here = math.ceil(copies)
        parting = copies - math.floor(copies)  # 0 on a whole ring
        discs = []
        for disc in reversed(self.scene.discs):
            time = disc.key[1]
            if 0 <= time < here:
                (x, y) = self._place(np.array([disc.at]), copies, straight)[0].tolist()
                last = parting and time == here - 1
                label = "" if last and parting < 0.5 else disc.label
                index = disc.index if copies > 1 and label else ""
                discs.append(replace(disc, at=(x, y), label=label, index=index))
        strokes = [stroke for stroke in self.scene.strokes if 0 <= stroke.key[0][1] < here]
        drawn = [self._drawn(s, copies, straight, here, parting) for s in strokes]
        return Scene(tuple(discs), tuple(s for s in drawn if s is not None))

    def _drawn(
        self, stroke: Stroke, copies: float, straight: float, here: int, parting: float
    ) -> Stroke | None:
        """Stroke of an edge on the ring, or None; edges without a head in the ring fade."""
        head = stroke.key[1][1]
        share = 0.0
        if not 0 <= head < here:
            share = straight if not parting else min(1.0, 4 * min(parting, 1 - parting))
        if stroke.key[0][1] == here - 1 and parting:
            share = max(share, 1 - parting)
        if share >= 1:
            return None
        line = self.lines[stroke.key]
        if stroke.key in self.spirals:  # no vertex lies between
            spiral = np.linspace(line[0], line[-1], len(line))
            line = spiral + straight * (line - spiral)
        line = self._place(line, copies, straight)
        around = stroke.key[0] == stroke.key[1]
        if np.hypot(*np.ptp(line, axis=0)) < 3 * RADIUS and not around:
            return None
        points = smooth(trimmed(line, (Spot(*line[0]), Spot(*line[-1]))))
        return replace(stroke, points=points, color=mixed(stroke.color, PAPER, share))

    def _place(self, points: Points, copies: float, straight: float) -> NDArray[np.float64]:
        time = (points[:, 0] - self.origin) / self.column
        angle = _TURN / copies * (1 - straight)
        ring = max(_INNER, COLUMN * copies / _TURN)
        width = (1 - straight) * _TURN * ring / copies + straight * self.column
        middle = (self.steps - 1) / 2 * straight
        if angle < 1e-6:
            return np.column_stack([width * (time - middle), points[:, 1]])
        radius = width / angle
        turned = angle * (time - middle)
        out = radius + points[:, 1]
        height = out * np.cos(turned) - radius
        return np.column_stack([out * np.sin(turned), height])
