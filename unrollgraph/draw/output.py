"""Pictures in files, in notebooks, and by `networkx.display`.

A file has the format of its suffix and the same bytes every time, and is written whole or not at
all. A notebook shows the picture that suits the value, if it is not large. A lift is copied with
the places, colours, labels and curvatures that `networkx.display` reads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.cover._unroll import unroll
from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.cover.lift import Lift
from unrollgraph.cover.trees import TreeLift
from unrollgraph.draw._projection import projection_scene
from unrollgraph.draw._ring import ring_scene
from unrollgraph.draw._rolled import beside, rolled_scene, window_scene
from unrollgraph.draw._tree import tree_scene
from unrollgraph.draw.layout import Ways
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_colour,
    arcs_over,
    as_labels,
    check_axes,
    check_lift,
    graph_below,
    hidden_axes,
    paint,
    printed,
)
from unrollgraph.draw.scene import Formula, Scene, delay_colours
from unrollgraph.draw.tikz import to_tikz
from unrollgraph.errors import FormatError, UnrollgraphError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.io.files import write_whole
from unrollgraph.morphism.graph_map import GraphMap

_PRINTED = (".svg", ".pdf", ".png")


def save(ax: Any, path: str | os.PathLike[str], *, dpi: float = 200) -> None:
    """Save the figure of some axes to a file, by its suffix.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of this package returned.
    path : path
        A file whose suffix is ``.svg``, ``.pdf``, ``.png`` or, for TikZ, ``.tex``.
    dpi : float
        Points per inch of a ``.png``, fewer if a side would have more than 10,000.

    Raises
    ------
    FormatError
        If the suffix is another.
    TypeError, ValueError
        If ``ax`` are no axes, or ``dpi`` is not positive.
    OSError
        If the file cannot be written; what stood there before still does.

    Notes
    -----
    Unlike ``ax.figure.savefig`` it writes the same bytes for the same picture.

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
        raise ValueError(f"dpi={dpi!r} is no density of points; give a number above 0")
    suffix = Path(path).suffix.lower()
    if suffix == ".tex":
        write_whole(path, to_tikz(ax).encode("utf-8"))
    elif suffix in _PRINTED:
        write_whole(path, printed(ax, suffix[1:], dpi))
    else:
        known = f"{', '.join(_PRINTED)} or .tex"
        raise FormatError(f"{path}: the suffix {suffix!r} names no format of pictures; use {known}")


def lift_scene(lift: Any, labels: Mapping[Any, str], palette: Any, most: int) -> Scene:
    """Picture of a lift: a window, a tree, a ring, or copies beside their base."""
    check_lift(lift, most)
    axes = getattr(lift, "window", ())
    if isinstance(axes, range) or len(axes) == 2:
        return window_scene(lift, labels, palette, ghosts=False)
    if isinstance(lift, TreeLift):
        return tree_scene(lift, labels, palette)
    if axes == () and len({len(lift.fibre(v)) for v in lift.base}) == 1:
        return ring_scene(lift, labels, palette)
    return projection_scene(lift, labels, palette)


def decorated(
    U: Any,
    *,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    max_edges: int = MOST_EDGES,
) -> Any:
    """Copy a lift with the attributes by which `networkx.display` draws it well.

    Parameters
    ----------
    U : Lift
        Any lift.
    labels, palette
        As for `rolled`; labels are those of the vertices below.
    max_edges : int
        How many arcs may be drawn.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        An ordinary, writable graph. Vertices have the attributes ``pos`` (a pair of float),
        ``color`` (three floats from 0 to 1) and ``label``; edges have ``color`` and, where a
        straight line would run through a vertex or over another, ``curvature``.

    Raises
    ------
    TypeError
        If ``U`` is no lift.
    ValueError
        If there are too many arcs.

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
    scene = lift_scene(U, as_labels(labels), palette, max_edges)
    below = graph_below(U)
    tint = delay_colours(below.times)
    copy = U.copy()
    at = {}
    for disc in scene.discs:
        if disc.key in copy:
            at[disc.key] = disc.at
            label = f"${disc.label}$" if isinstance(disc.label, Formula) else disc.label
            label += f" {disc.index}" * bool(disc.index)
            copy.nodes[disc.key].update(pos=disc.at, color=disc.fill, label=label)
    ways = Ways(at)
    for arc, edge in arcs_over(U):
        a, b = arc[:2]
        copy.edges[arc]["color"] = arc_colour(below, tint, edge)
        if a == b:
            continue
        _, bow = ways.between(a, b)
        if bow:
            length = float(np.hypot(*np.subtract(at[b], at[a])))
            copy.edges[arc]["curvature"] = f"arc3,rad={-2 * bow / length:.3f}"
    return copy


_MOST = 150  # edges, beyond which a picture takes longer than one waits for
_STEPS = 4  # of an unrolling without end


def svg(thing: Any) -> str | None:
    """Picture of a delay graph, a lift, a map or a cover as SVG; None if it is too large."""
    scene = None
    with suppress(UnrollgraphError):  # of a map between graphs whose delays cannot be read
        scene = _scene(thing)
    if scene is None:
        return None
    return printed(paint(scene, hidden_axes(scene)), "svg").decode("utf-8")


def _scene(thing: Any) -> Scene | None:
    if isinstance(thing, DelayGraph):
        return rolled_scene(thing, {}, None) if 0 < _size(thing.base) <= _MOST else None
    if isinstance(thing, DelayCover):
        graph = thing.delay_graph
        if graph.dimension > 2 or not 0 < _size(graph.base) * _STEPS**graph.dimension <= _MOST:
            return None
        window = unroll(graph, (_STEPS,) * graph.dimension if graph.dimension > 1 else _STEPS)
        right = window_scene(window, {}, None, ghosts=True)
        return beside(rolled_scene(graph, {}, None), right)
    if isinstance(thing, Lift):
        return lift_scene(thing, {}, None, _MOST) if 0 < _size(thing) <= _MOST else None
    if isinstance(thing, GraphMap) and isinstance(thing.total, nx.Graph):
        return projection_scene(thing, {}, None) if 0 < _size(thing.total) <= _MOST else None
    return None


def _size(graph: Any) -> int:
    """Number of edges, and of vertices if there are none."""
    return int(graph.number_of_edges()) or len(graph)
