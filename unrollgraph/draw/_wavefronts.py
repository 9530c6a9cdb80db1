"""Wavefronts: copies that can be computed in parallel have the same color.

The wavefront of a copy is the number of edges of a longest path to it within the window, which is
the earliest step of a parallel computation in which it can be computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unrollgraph.cover.lift import Lift
from unrollgraph.draw._unrolled import columns, window_scene
from unrollgraph.draw.render import MOST_EDGES, check_drawable, on_paper
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    QUIET,
    Scene,
    Text,
    as_walk,
    mixed,
    ramp,
)
from unrollgraph.draw.style import Style, as_labels
from unrollgraph.errors import LiftError
from unrollgraph.graph.digraph import cycle_among, levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


def wavefronts(
    U: Lift,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    max_edges: int = MOST_EDGES,
) -> Axes:
    """Draw a window with its copies colored and numbered by wavefront.

    Parameters
    ----------
    U : Lift
        A window over Z or Z^2, as returned by `unroll`.
    ax, walk, width, max_edges
        See `unrolled`.
    labels : mapping, optional
        Labels of base vertices at their rows (default: their names).
    palette : str or sequence, optional
        Name of a colormap, or colors from the least value to the largest.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``U`` is not a window.
    ValueError
        If times have more than two axes, or there are too many edges.
    LiftError
        If ``U`` has a cycle, or ``walk`` is not a walk of U.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.wavefronts(ug.unroll(ug.gallery.grid_2d(), (3, 3)))
    >>> ax.texts[-1].get_text()
    'wavefronts 0 to 6'
    """
    check_drawable(U, max_edges)
    front = _fronts(U)
    last = max(front.values(), default=0)
    shades = ramp([k / max(last, 1) for k in range(last + 1)], palette)
    lit = None if walk is None else {*as_walk(U, walk)}

    def build(style: Style) -> Scene:
        named = replace(style, at_rows=True)
        scene = window_scene(U, named, ghosts=False)
        discs = tuple(
            replace(
                style.disc(disc.key, disc.at, shades[front[disc.key]], str(front[disc.key])),
                wide=disc.wide,
            )
            for disc in scene.discs
        )
        strokes = tuple(replace(s, color=mixed(s.color, PAPER, 0.35)) for s in scene.strokes)
        bands = tuple(replace(band, color=mixed(QUIET, PAPER, 0.88)) for band in scene.bands)
        scene = replace(scene, discs=discs, strokes=strokes, bands=bands)
        return scene + _legend(scene, last)

    style = Style(as_labels(labels), steps=columns(U, walk))
    return on_paper(build, style, ax, width, U.base, lit)


def _fronts(U: Any) -> dict[Any, int]:
    arrays = U.to_arrays()
    found = levels(len(U), arrays.tails, arrays.heads)
    if len(found) and found.min() < 0:
        graph = U.delay_graph
        cycle = [
            graph.edges[arrays.edges[k]] for k in cycle_among(found, arrays.tails, arrays.heads)
        ]
        raise LiftError(
            "the window has no wavefronts because it has a cycle over "
            f"{graph.show_walk(cycle)}; change the delay of an edge of this cycle"
        )
    return dict(zip(U, found.tolist(), strict=True))


def _legend(scene: Scene, last: int) -> Scene:
    """Range of the wavefronts below the picture."""
    left = min(disc.at[0] for disc in scene.discs)
    low = min(text.at[1] for text in scene.texts)
    right = max(disc.at[0] for disc in scene.discs)
    words = f"wavefronts 0 to {last}"
    return Scene(texts=(Text(((left + right) / 2, low - 0.6), words, INK, 0.27),))
