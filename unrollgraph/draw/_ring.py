"""A lift on a ring: each rank of the base graph is a circle, and each sheet is a sector.

For a cyclic cover, the rotation by one sector is a deck transformation. Ranks are in their order
from the inside out or from the outside in, depending on which order bends the edges less.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrollgraph.cover.lift import Lift
from unrollgraph.draw.layout import Routes, Spot, fibre_colors, spot, turned
from unrollgraph.draw.ranks import arranged, ranks_of
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_pen,
    arcs_over,
    check_lift,
    graph_below,
    on_paper,
    short_index,
)
from unrollgraph.draw.scene import (
    PAPER,
    QUIET,
    Points,
    Scene,
    Shape,
    Stroke,
    Text,
    as_walk,
    delay_pens,
    mixed,
)
from unrollgraph.draw.style import RADIUS, Style, as_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


_APART = 0.95  # distance of circles, and least distance of spokes
_INDEXED = 12  # most copies of a vertex that have their index in the disc, not only outside


def ring(
    lift: Lift,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    max_edges: int = MOST_EDGES,
) -> Axes:
    """Draw a cyclic cover, or another lift whose fibres have equal sizes, on a ring.

    Parameters
    ----------
    lift : Lift
        A cyclic cover, or another lift whose fibres have equal sizes.
    ax, labels, palette, walk, width, max_edges
        See `unrolled`; a walk of the lift.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, LiftError
        If ``lift`` is not a Lift, or ``walk`` is not a walk of it.
    ValueError
        If fibres have different sizes, or there are too many edges.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> petersen = ug.cyclic_cover(ug.gallery.dumbbell(2), 5)
    >>> ax = ug.draw.ring(petersen)
    >>> len(ax.collections[-1].get_offsets())
    10
    """
    check_lift(lift, max_edges)
    lit = None if walk is None else {*as_walk(lift, walk)}
    style = Style(as_labels(labels), palette, steps=1)
    return on_paper(lambda s: ring_scene(lift, s), style, ax, width, lift.base, lit)


def ring_scene(lift: Any, style: Style) -> Scene:
    graph = graph_below(lift)
    fibres = {v: lift.fibre(v) for v in graph.vertices}
    sizes = {len(fibre) for fibre in fibres.values()}
    if len(sizes) > 1:
        raise ValueError(
            f"the fibres have {min(sizes)} to {max(sizes)} vertices, but a ring needs fibres of "
            "equal sizes; draw this lift with draw.projection, or a tree with draw.tree"
        )
    spokes = sizes.pop() if sizes else 1
    fill = fibre_colors(graph, style.palette)
    last = max((short_index(node) for own in fibres.values() for node in own), key=len, default="")
    indexed = spokes <= _INDEXED and all(style.shows(style.label(v), last) for v in fibres)
    discs = {
        node: style.disc(
            node, (0.0, 0.0), fill[v], style.label(v), short_index(node) if indexed else ""
        )
        for v, fibre in fibres.items()
        for node in fibre
    }
    wide = {v: max((discs[node].wide for node in own), default=0.0) for v, own in fibres.items()}
    places = arranged(ranks_of(graph, style.abreast), graph, wide).spots
    drawn = []
    for way in (1, -1):
        radii = _radii(places, spokes, way)
        at = _places(fibres, places, radii)
        drawn.append((*_strokes(lift, graph, at), at, radii))
    strokes, _, at, radii = min(drawn, key=lambda found: round(found[1], 6))
    placed = tuple(
        replace(disc, at=(at[n].x, at[n].y), wide=at[n].wide) for n, disc in discs.items()
    )
    shapes = []
    shared = Counter(radii.values())
    for v in sorted(radii, key=lambda v: -radii[v]):
        color = mixed(fill[v], PAPER, 0.82) if shared[radii[v]] == 1 else mixed(QUIET, PAPER, 0.9)
        shapes.append(Shape(v, _circle(radii[v] + 0.31), color))
        shapes.append(Shape(v, _circle(radii[v] - 0.31), PAPER))
    outside = max(radii.values(), default=0.0) + 0.72
    outside += max(wide.values(), default=0.0)
    first = next(iter(fibres.values()), ())
    texts = tuple(
        Text(_at(k, spokes, outside), short_index(node), QUIET, 0.26)
        for k, node in enumerate(first)
    )
    return Scene(placed, strokes, texts=texts, shapes=tuple(shapes))


def _strokes(lift: Any, graph: Any, at: Any) -> tuple[tuple[Stroke, ...], float]:
    pens = delay_pens(graph.times)
    routes = Routes(at)
    strokes, total = [], 0.0
    for arc, below in arcs_over(lift):
        a, b = arc[:2]
        if a == b:
            # alternately on both sides of the spoke
            angle = math.atan2(at[a][1], at[a][0]) + math.pi / 2
            points = turned(at[a], routes.held(a, a), angle, math.pi, 0.3)
        else:
            points, bow = routes.between(a, b)
            total += abs(bow)
        strokes.append(Stroke(arc, points, *arc_pen(graph, pens, below)))
    return tuple(strokes), total


def _radii(places: Mapping[Any, Spot], spokes: int, way: int) -> dict[Any, float]:
    """Radius of each fibre: a circle for each rank, the first one inside if ``way`` is 1."""
    found: dict[Any, float] = {}
    radius = inner = 0.0
    for y in sorted({own.y for own in places.values()})[::way]:
        rank = [v for v, own in places.items() if own.y == y]
        ends = [places[v].x + side * (places[v].wide + RADIUS) for v in rank for side in (-1, 1)]
        needed = max(ends) - min(ends) + _APART - 2 * RADIUS  # on a chord between two spokes
        outer = max(places[v].wide for v in rank)
        radius += _APART + inner + outer
        radius = max(radius, needed / (2 * math.sin(math.pi / max(spokes, 2))))
        found |= dict.fromkeys(rank, radius)
        inner = outer
    return found


def _places(
    fibres: Mapping[Any, Any], places: Mapping[Any, Spot], radii: Mapping[Any, float]
) -> dict[Any, Spot]:
    return {
        node: spot(
            _at(k + len(fibre) * places[v].x / (2 * math.pi * radii[v]), len(fibre), radii[v]),
            places[v].wide,
        )
        for v, fibre in fibres.items()
        for k, node in enumerate(fibre)
    }


def _at(spoke: float, spokes: int, radius: float) -> tuple[float, float]:
    """Position on a spoke; spokes are numbered clockwise from the top."""
    angle = math.pi / 2 - 2 * math.pi * spoke / spokes
    return radius * math.cos(angle), radius * math.sin(angle)


def _circle(radius: float) -> Points:
    turn = np.linspace(0, 2 * math.pi, 144, endpoint=False)
    return radius * np.column_stack([np.cos(turn), np.sin(turn)])
