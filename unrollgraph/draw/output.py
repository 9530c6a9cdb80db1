"""Save pictures, show them in notebooks, and prepare graphs for `networkx.display`.

Files are reproducible byte for byte and written atomically. A notebook shows delay graphs, covers
and maps as pictures of at most 150 edges.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from unrollgraph.cover._unroll import unroll
from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.cover.lift import Lift
from unrollgraph.cover.trees import TreeLift
from unrollgraph.draw._projection import projection_scene
from unrollgraph.draw._ring import ring_scene
from unrollgraph.draw._rolled import rolled_scene
from unrollgraph.draw._tree import tree_scene
from unrollgraph.draw._unrolled import beside, window_scene
from unrollgraph.draw.layout import Routes, Spot
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_pen,
    arcs_over,
    check_axes,
    check_lift,
    graph_below,
    hidden_axes,
    paint,
    printed,
)
from unrollgraph.draw.scene import Formula, Scene, delay_pens
from unrollgraph.draw.style import Style, as_labels
from unrollgraph.draw.tikz import to_tikz
from unrollgraph.errors import FormatError, UnrollgraphError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.io.files import write_whole
from unrollgraph.morphism.graph_map import GraphMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_PRINTED = (".svg", ".pdf", ".png")


def save(ax: Axes, path: str | os.PathLike[str], *, dpi: float = 200) -> None:
    """Save a figure to a file in the format of its suffix.

    Unlike ``ax.figure.savefig``, it writes the same bytes for the same picture.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes of the figure, as returned by a function of `unrollgraph.draw`.
    path : path
        File with the suffix ``.svg``, ``.pdf``, ``.png`` or, for TikZ, ``.tex``.
    dpi : float
        Pixels per inch of a ``.png``, reduced if a side would have more than 10,000 pixels.

    Raises
    ------
    FormatError
        If the suffix is not one of these.
    TypeError, ValueError
        If ``ax`` is not matplotlib axes, or ``dpi`` is not positive; for ``.tex`` see `to_tikz`.
    OSError
        If the file cannot be written; an existing file is then unchanged.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import unrollgraph as ug
    >>> path = Path(mkdtemp()) / "seed.svg"
    >>> ug.draw.save(ug.draw.rolled(ug.gallery.seed_network()), path)
    >>> path.read_text().startswith("<?xml")
    True
    """
    check_axes(ax)
    if not dpi > 0:
        raise ValueError(f"invalid dpi={dpi!r}: must be a positive number")
    suffix = Path(path).suffix.lower()
    if suffix == ".tex":
        write_whole(path, to_tikz(ax).encode("utf-8"))
    elif suffix in _PRINTED:
        write_whole(path, printed(ax, suffix[1:], dpi))
    else:
        known = f"{', '.join(_PRINTED)} or .tex"
        raise FormatError(f"{path}: unknown picture format {suffix!r}; use {known}")


def lift_scene(lift: Any, style: Style, most: int) -> Scene:
    """Scene of a lift as a window, a tree or a ring, or else beside its base."""
    check_lift(lift, most)
    axes = getattr(lift, "window", ())
    if isinstance(axes, range) or len(axes) == 2:
        return window_scene(lift, style, ghosts=False)
    if isinstance(lift, TreeLift):
        return tree_scene(lift, style)
    if axes == () and len({len(lift.fibre(v)) for v in lift.base}) == 1:
        return ring_scene(lift, style)
    return projection_scene(lift, style)


def decorated(
    U: Lift,
    *,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    max_edges: int = MOST_EDGES,
) -> nx.DiGraph[Any]:
    """Copy a lift, with attributes for `networkx.display`.

    Parameters
    ----------
    U : Lift
        The lift.
    labels, palette, max_edges
        See `unrolled`.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A mutable copy. Vertices have ``pos`` (two floats), ``color`` (three floats from 0 to 1)
        and ``label``; edges have ``color``, and ``curvature`` if they are curved.

    Raises
    ------
    TypeError
        If ``U`` is not a Lift.
    ValueError
        If there are too many edges.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> H = ug.draw.decorated(ug.unroll(ug.gallery.seed_network(), 3))
    >>> H.nodes["A", 1]["pos"], H.nodes["A", 1]["label"]
    ((1.6, 1.0), 'A 1')
    >>> import networkx as nx
    >>> nx.display(H) is H
    True
    """
    scene = lift_scene(U, Style(as_labels(labels), palette, pills=False), max_edges)
    below = graph_below(U)
    pens = delay_pens(below.times)
    copy = U.copy()
    at = {}
    for disc in scene.discs:
        if disc.key in copy:
            at[disc.key] = Spot(*disc.at)
            label = f"${disc.label}$" if isinstance(disc.label, Formula) else disc.label
            label += f" {disc.index}" * bool(disc.index)
            copy.nodes[disc.key].update(pos=disc.at, color=disc.fill, label=label)
    routes = Routes(at)
    for arc, edge in arcs_over(U):
        a, b = arc[:2]
        copy.edges[arc]["color"] = arc_pen(below, pens, edge).color
        if a == b:
            continue
        _, bow = routes.between(a, b)
        if bow:
            length = float(np.hypot(*np.subtract(at[b][:2], at[a][:2])))
            copy.edges[arc]["curvature"] = f"arc3,rad={-2 * bow / length:.3f}"
    return copy


_MOST = 150  # edges; larger graphs are not drawn in a notebook
_STEPS = 4  # time steps of the window of a delay cover


def svg(thing: Any) -> str | None:
    """SVG of a delay graph, lift, map or cover; None if it is empty or too large."""
    scene = None
    with suppress(UnrollgraphError):  # a map between graphs with invalid delays
        scene = _scene(thing)
    if scene is None:
        return None
    return printed(paint(scene, hidden_axes(scene)), "svg").decode("utf-8")


def _scene(thing: Any) -> Scene | None:
    if isinstance(thing, DelayGraph):
        return rolled_scene(thing, Style()) if 0 < _size(thing.base) <= _MOST else None
    if isinstance(thing, DelayCover):
        graph = thing.delay_graph
        if graph.dimension > 2 or not 0 < _size(graph.base) * _STEPS**graph.dimension <= _MOST:
            return None
        window = unroll(graph, (_STEPS,) * graph.dimension if graph.dimension > 1 else _STEPS)
        right = window_scene(window, Style(), ghosts=True, names=False)
        return beside(rolled_scene(graph, Style()), right)
    if isinstance(thing, Lift):
        return lift_scene(thing, Style(), _MOST) if 0 < _size(thing) <= _MOST else None
    if isinstance(thing, GraphMap) and isinstance(thing.total, nx.Graph):
        return projection_scene(thing, Style()) if 0 < _size(thing.total) <= _MOST else None
    return None


def _size(graph: Any) -> int:
    return int(graph.number_of_edges()) or len(graph)
