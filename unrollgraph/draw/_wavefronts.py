"""Wavefronts: what can be computed at the same moment has one colour.

The front of a copy is the number of arcs on a longest path to it within the window: the moment
at which it is computed if everything is computed as soon as can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unrollgraph.draw._rolled import on_paper, window_scene
from unrollgraph.draw.render import MOST_EDGES, as_labels, check_drawable
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    QUIET,
    Scene,
    Text,
    as_walk,
    flattened,
    lit_scene,
    mixed,
    ramp,
)
from unrollgraph.errors import LiftError, show_vertex, show_walk
from unrollgraph.graph.digraph import cycle_among, levels


def wavefronts(
    U: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    max_edges: int = MOST_EDGES,
) -> Any:
    """Draw a window with each copy coloured, and numbered, by when it can be computed.

    Parameters
    ----------
    U : Lift
        A window of a delay cover over Z or Z^2, as `unroll` makes it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; unless given a new figure of the right size is made.
    labels : mapping, optional
        What to write on the copies of a vertex instead of the numbers of their fronts.
    palette : str or sequence, optional
        The name of a colormap, or colours from the first front to the last.
    walk : sequence of arcs, optional
        A walk of U to light up.
    max_edges : int
        How many arcs may be drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``U`` is no window.
    ValueError
        If times have more than two axes, or there are too many arcs.
    LiftError
        If the window has a cycle, or the walk is none.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.wavefronts(ug.unroll(ug.gallery.grid_2d(), (3, 3)))
    >>> ax.texts[-1].get_text()
    'computed at the moments 0 to 6'
    """
    check_drawable(U, max_edges)
    front, names = _fronts(U), as_labels(labels)
    scene = window_scene(U, names, None, ghosts=False)
    last = max(front.values(), default=0)
    shades = ramp([k / max(last, 1) for k in range(last + 1)], palette)
    discs = tuple(
        replace(
            disc,
            fill=shades[front[disc.key]],
            label=disc.label if disc.key[0] in names else str(front[disc.key]),
            index="",
        )
        for disc in scene.discs
    )
    strokes = tuple(replace(s, colour=mixed(s.colour, PAPER, 0.35)) for s in scene.strokes)
    bands = tuple(replace(band, colour=mixed(QUIET, PAPER, 0.88)) for band in scene.bands)
    scene = replace(scene, discs=discs, strokes=strokes, bands=bands)
    if walk is not None:
        scene = lit_scene(scene, {*as_walk(U, walk)})
    return on_paper(scene + _legend(scene, U, last), ax)


def _fronts(U: Any) -> dict[Any, int]:
    arrays = U.to_arrays()
    found = levels(len(U), arrays.tails, arrays.heads)
    if len(found) and found.min() < 0:
        edges = U.delay_graph.edges
        cycle = [edges[arrays.edges[k]] for k in cycle_among(found, arrays.tails, arrays.heads)]
        raise LiftError(
            "the window has no wavefronts, since it has a cycle, over "
            f"{show_walk(cycle, delay=U.delay_graph.time_of)}; give an edge of that cycle another "
            "delay"
        )
    return dict(zip(U, found.tolist(), strict=True))


def _legend(scene: Scene, U: Any, last: int) -> Scene:
    """What the numbers mean; in a line of times also the names of the rows."""
    left = min(disc.at[0] for disc in scene.discs)
    low = min(text.at[1] for text in scene.texts)
    right = max(disc.at[0] for disc in scene.discs)
    words = f"computed at the moments 0 to {last}"
    texts = [Text(((left + right) / 2, low - 0.6), words, INK, 0.27)]
    if isinstance(U.window, range):
        ends = [flattened(stroke.points, 6)[:, 0].min() for stroke in scene.strokes]
        beside = min([left - 0.75, *(end - 0.25 for end in ends)])
        names = [
            Text((beside, disc.at[1]), show_vertex(disc.key[0]), INK, 0.3, "right")
            for disc in scene.discs
            if disc.key[1] == U.window.start
        ]
        texts = [*names, *texts]
    return Scene(texts=tuple(texts))
