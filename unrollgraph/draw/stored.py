"""Lifts with everything that `networkx.display` reads: places, colours, labels, curvature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unrollgraph.draw.below import arc_colour, arcs_over, graph_below
from unrollgraph.draw.choice import lift_scene
from unrollgraph.draw.options import MOST_EDGES, as_labels
from unrollgraph.draw.palette import delay_colours
from unrollgraph.draw.routes import Ways
from unrollgraph.draw.scene import Formula


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
