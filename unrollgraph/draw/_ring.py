"""A lift on a ring: every fibre a circle, every sheet a spoke.

Of a cyclic cover this shows the symmetry: turning the ring by one spoke is a deck
transformation. Edges are straight where nothing stands in their way. Fibres lie in the order of
the rows from within, or from without if edges bow less then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from unrollgraph.draw._rolled import on_paper
from unrollgraph.draw.layout import RADIUS, Ways, fibre_colours, rows_of, turned
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_colour,
    arcs_over,
    as_labels,
    check_lift,
    graph_below,
    short_index,
)
from unrollgraph.draw.scene import (
    PAPER,
    QUIET,
    Disc,
    Points,
    Scene,
    Shape,
    Stroke,
    Text,
    as_walk,
    delay_colours,
    lit_scene,
    mixed,
)
from unrollgraph.errors import show_vertex

_APART = 1.05  # from one circle to the next, and at least from spoke to spoke


def ring(
    lift: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    max_edges: int = MOST_EDGES,
) -> Any:
    """Draw a cyclic cover, or another lift with fibres of one size, on a ring.

    Parameters
    ----------
    lift : Lift
        A cyclic cover, as `cyclic_cover` makes it, or a lift over as many sheets at every vertex.
    ax, labels, palette
        As for `rolled`; labels are those of the vertices below.
    walk : sequence of arcs, optional
        A walk of the lift to light up.
    max_edges : int
        How many arcs may be drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``lift`` is no lift.
    ValueError
        If fibres are of different sizes, or there are too many arcs.
    LiftError
        If the walk is none.

    Examples
    --------
    The graph of Petersen, five times the dumbbell.

    >>> import unrollgraph as ug
    >>> petersen = ug.cyclic_cover(ug.gallery.dumbbell(2), 5)
    >>> ax = ug.draw.ring(petersen)
    >>> len(ax.collections[-1].get_offsets())
    10
    """
    check_lift(lift, max_edges)
    scene = ring_scene(lift, as_labels(labels), palette)
    if walk is not None:
        scene = lit_scene(scene, {*as_walk(lift, walk)})
    return on_paper(scene, ax)


def ring_scene(lift: Any, labels: Mapping[Any, str], palette: Any) -> Scene:
    """Picture of a lift on a ring."""
    graph = graph_below(lift)
    fibres = {v: lift.fibre(v) for v in graph.vertices}
    sizes = {len(fibre) for fibre in fibres.values()}
    if len(sizes) > 1:
        raise ValueError(
            f"the fibres have {min(sizes)} to {max(sizes)} vertices, but on a ring stand fibres of "
            "one size; draw this lift with draw.projection, or a tree with draw.tree"
        )
    spokes = sizes.pop() if sizes else 1
    rows = rows_of(graph)
    inner = max(1.1, _APART / (2 * math.sin(math.pi / max(spokes, 2))))
    ways = [{v: inner + _APART * row for v, row in rows.items()}]
    ways.append({v: inner + _APART * (len(rows) - 1 - row) for v, row in rows.items()})
    drawn = [(_strokes(lift, graph, fibres, radii), radii) for radii in ways]
    (strokes, _), radii = min(drawn, key=lambda found: round(found[0][1], 6))
    fill = fibre_colours(graph, palette)
    at = _places(fibres, radii)
    discs = tuple(
        Disc(node, at[node], RADIUS, fill[v], labels.get(v, show_vertex(v)), short_index(node))
        for v, fibre in fibres.items()
        for node in fibre
    )
    shapes = []
    for v in sorted(radii, key=lambda v: -radii[v]):
        shapes.append(Shape(v, _circle(radii[v] + 0.31), mixed(fill[v], PAPER, 0.82)))
        shapes.append(Shape(v, _circle(radii[v] - 0.31), PAPER))
    outside = max(radii.values(), default=0.0) + 0.72
    first = next(iter(fibres.values()), ())
    texts = tuple(
        Text(_at(k, spokes, outside), short_index(node), QUIET, 0.26)
        for k, node in enumerate(first)
    )
    return Scene(discs, strokes, texts=texts, shapes=tuple(shapes))


def _strokes(lift: Any, graph: Any, fibres: Any, radii: Any) -> tuple[tuple[Stroke, ...], float]:
    """Strokes of all arcs, and how far they bow in all."""
    tint = delay_colours(graph.times)
    at = _places(fibres, radii)
    ways = Ways(at)
    strokes, total = [], 0.0
    for arc, below in arcs_over(lift):
        a, b = arc[:2]
        if a == b:
            angle = math.atan2(at[a][1], at[a][0]) + math.pi / 2  # on either side of the spoke
            points = turned(at[a], ways.held(a, a), angle, math.pi, 0.3)
        else:
            points, bow = ways.between(a, b)
            total += abs(bow)
        strokes.append(Stroke(arc, points, arc_colour(graph, tint, below)))
    return tuple(strokes), total


def _places(fibres: Mapping[Any, Any], radii: Mapping[Any, float]) -> dict[Any, Any]:
    return {
        node: _at(k, len(fibre), radii[v])
        for v, fibre in fibres.items()
        for k, node in enumerate(fibre)
    }


def _at(spoke: int, spokes: int, radius: float) -> tuple[float, float]:
    """Clockwise from above."""
    angle = math.pi / 2 - 2 * math.pi * spoke / spokes
    return radius * math.cos(angle), radius * math.sin(angle)


def _circle(radius: float) -> Points:
    turn = np.linspace(0, 2 * math.pi, 144, endpoint=False)
    return radius * np.column_stack([np.cos(turn), np.sin(turn)])
