"""Moving pictures: a walk and its lift, and a cycle that opens into a line.

The unrolling opens through the finite covers below it. On a ring of n copies, with n a whole
number, stands the n-fold cyclic cover; between n and n + 1 one more copy parts from the first.
When all are there the ring is cut and bent straight: what was round is a window of the line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover._unroll import unroll
from unrollgraph.draw._rolled import (
    beside,
    rolled_scene,
    unrolled_scene,
    window_scene,
)
from unrollgraph.draw.layout import COLUMN, GAP, RADIUS, smooth, trimmed
from unrollgraph.draw.render import (
    MOST_EDGES,
    animated,
    as_labels,
    axes_over,
    check_drawable,
    check_few,
    check_flat,
    extent,
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
    delay_colours,
    flattened,
    lifted,
    lit_scene,
    mixed,
)
from unrollgraph.errors import LiftError
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph

_PER_EDGE = 12  # frames in which a walk takes an edge
_PER_COPY = 16  # frames in which one more copy parts from the first
_REST = 8  # frames for which it stands still
_STRAIGHT = 30  # frames in which the ring is bent straight
_INNER = 1.2  # least radius of a ring
_LONGEST = 24  # delay with which an edge can be followed round a ring
_TURN = 2 * math.pi


def animate_walk(
    G: Any,
    walk: Iterable[Any],
    *,
    window: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    delay: str = "delay",
) -> Any:
    """Animate a walk of a delay graph and, beside it, its lift to the unrolling.

    Parameters
    ----------
    G, labels, palette, delay
        As for `rolled`.
    walk : sequence of edges
        A walk of G; an edge is ``(u, v)``, or ``(u, v, key)`` in a multigraph.
    window : range or int, optional
        As for `unroll`; unless given, the least that holds the lift, and one time more.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Save it with ``animation.save("walk.gif", writer="pillow")``; keep it in a variable
        while it plays.

    Raises
    ------
    LiftError
        If the walk is none, or has no edges.
    ValueError
        If the lift leaves the window, times are in Z^d for d > 2, or there are too many arcs.

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
        raise LiftError("the walk has no edges, so there is nothing to see; give it one")
    U = unroll(graph, _room(graph, steps) if window is None else window)
    check_drawable(U, MOST_EDGES)
    edges, arcs = lifted(U, steps)
    left = lit_scene(rolled_scene(graph, as_labels(labels), palette), set())
    right = lit_scene(window_scene(U, as_labels(labels), palette, ghosts=False), set())
    scene = beside(left, right)
    routes = {stroke.key: stroke for stroke in scene.strokes}
    tint = delay_colours(graph.times)
    bright = {edge: tint[d] for edge, d in zip(graph.edges, graph.times, strict=True)}
    below = [(flattened(routes[edge].points), bright[edge]) for edge in edges]
    above = [
        (flattened(routes[arc].points), bright[edge]) for edge, arc in zip(edges, arcs, strict=True)
    ]
    places = {disc.key: disc.at for disc in scene.discs}
    starts = places[edges[0][0]], places[arcs[0][0]]
    axes = paint(scene, new_axes(scene))
    show = trail(axes, starts)
    frames = _PER_EDGE * len(edges) + 1 + 2 * _REST

    def frame(k: int) -> Any:
        done = min(max(k - _REST, 0) / _PER_EDGE, float(len(edges)))
        return show([_gone(below, done), _gone(above, done)])

    return animated(axes.figure, frame, frames)


def _room(graph: DelayGraph, steps: tuple[Any, ...]) -> Any:
    """The least window that holds the lift of a walk that begins at time 0, and one time more."""
    here = np.zeros(graph.dimension, dtype=np.int64)
    seen = [here]
    for edge in steps:
        here = here + graph.delays[graph.edge_number[edge]]
        seen.append(here)
    low, high = np.min(seen, axis=0).tolist(), np.max(seen, axis=0).tolist()
    axes = tuple(range(a, b + 2) for a, b in zip(low, high, strict=True))
    return axes[0] if len(axes) == 1 else axes


def _gone(routes: list[Any], done: float) -> list[Any]:
    """Lines behind a token that has taken so many edges, in their colours."""
    found = []
    for k, (points, colour) in enumerate(routes):
        if k >= done:
            break
        share = min(done - k, 1.0) * (len(points) - 1)
        whole = int(share)
        line = points[: whole + 1]
        if whole < len(points) - 1:
            tip = points[whole] + (share - whole) * (points[whole + 1] - points[whole])
            line = np.vstack([line, tip])
        found.append((line, colour))
    return found


def animate_unrolling(
    G: Any,
    steps: int,
    *,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    delay: str = "delay",
) -> Any:
    """Animate how a network opens, through its cyclic covers, into a window of its unrolling.

    Parameters
    ----------
    G, labels, palette, delay
        As for `rolled`; delays in Z.
    steps : int
        The number of copies at the end, at least 2.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Save it with ``animation.save("unrolling.gif", writer="pillow")``; keep it in a
        variable while it plays.

    Raises
    ------
    ValueError
        If ``steps`` is less than 2, times are vectors, or there are too many arcs.

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
        raise ValueError(
            f"steps={steps!r}, but an unrolling opens over at least 2 steps; give 2 or more"
        )
    check_few(graph.base, MOST_EDGES, steps * len(graph.edges), "take fewer steps")
    farthest = int(np.abs(graph.delays).max(initial=0))
    if farthest > _LONGEST:
        raise ValueError(
            f"an edge of delay {farthest} runs round a ring too often to be followed, which is "
            f"{_LONGEST} times; draw the window with draw.unrolled"
        )
    flat = _Flat(graph, steps, as_labels(labels), palette)
    bends = [*_bends(steps)]
    turning = [(n / 2, 0.0) for n in range(2, 2 * steps + 1)]
    turning += [(float(steps), k / 8) for k in range(1, 9)]
    boxes = np.array([extent(flat.bent(*bend)) for bend in turning])
    box = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
    axes = axes_over(box)
    bent = lru_cache(maxsize=2)(flat.bent)  # what stands still is bent once

    def frame(k: int) -> Any:
        axes.clear()
        return paint(bent(*bends[k]), axes, box).collections

    return animated(axes.figure, frame, len(bends))


def _bends(steps: int) -> Iterator[tuple[float, float]]:
    """How many copies stand on the ring, and how far it is bent straight, frame by frame."""
    for n in range(1, steps):
        yield from [(float(n), 0.0)] * _REST
        yield from ((n + _eased(k / _PER_COPY), 0.0) for k in range(1, _PER_COPY))
    yield from [(float(steps), 0.0)] * _REST
    yield from ((float(steps), _eased(k / _STRAIGHT)) for k in range(1, _STRAIGHT))
    yield from [(float(steps), 1.0)] * (2 * _REST)


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)


class _Flat:
    """The line from which rings are bent."""

    def __init__(
        self, graph: DelayGraph, steps: int, labels: Mapping[Any, str], palette: Any
    ) -> None:
        reach = int(np.abs(graph.delays).max(initial=0))
        window = range(-reach, steps + 1 + reach)
        self.steps = steps
        self.scene = unrolled_scene(graph, window, labels, palette, ghosts=False)
        columns = sorted({disc.at[0] for disc in self.scene.discs})
        self.column = columns[1] - columns[0]
        self.origin = columns[reach]
        middles = {disc.key: np.array(disc.at) for disc in self.scene.discs}
        self.lines = {
            stroke.key: np.vstack(
                [middles[stroke.key[0]], flattened(stroke.points, 24), middles[stroke.key[1]]]
            )
            for stroke in self.scene.strokes
        }
        # of edges between the same two copies the first is a spiral on the ring
        pairs = {frozenset(stroke.key[:2]): stroke.key for stroke in reversed(self.scene.strokes)}
        self.spirals = {k for k in pairs.values() if abs(k[1][1] - k[0][1]) == 1}

    def bent(self, copies: float, straight: float) -> Scene:
        """Bend the line until so many copies stand on a ring, or as far as it is not straight."""
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
        """An arc on the ring; what has no end among the copies pales as these part."""
        head = stroke.key[1][1]
        share = 0.0
        if not 0 <= head < here:
            share = straight if not parting else min(1.0, 4 * min(parting, 1 - parting))
        if stroke.key[0][1] == here - 1 and parting:
            share = max(share, 1 - parting)
        if share >= 1:
            return None
        line = self.lines[stroke.key]
        if stroke.key in self.spirals:  # nothing stands between
            spiral = np.linspace(line[0], line[-1], len(line))
            line = spiral + straight * (line - spiral)
        line = self._place(line, copies, straight)
        around = stroke.key[0] == stroke.key[1]
        if np.hypot(*np.ptp(line, axis=0)) < 3 * RADIUS and not around:
            return None
        points = smooth(trimmed(line, RADIUS + GAP))
        return replace(stroke, points=points, colour=mixed(stroke.colour, PAPER, share))

    def _place(self, points: Points, copies: float, straight: float) -> NDArray[np.float64]:
        """Where points of the line lie when it is bent."""
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
