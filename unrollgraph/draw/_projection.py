"""A lift beside its base graph: each fibre in the row of its base vertex.

The edges over a base edge can be read as a permutation of the sheets. Within a row, edges to later
copies run over the row, and edges to earlier copies under it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from unrollgraph.cover.lift import Lift
from unrollgraph.draw._rolled import rolled_scene
from unrollgraph.draw._unrolled import WIDE, beside, columns, row_bands, window_scene
from unrollgraph.draw.layout import Routes, Spot, arch, clearance, fibre_colors, turned
from unrollgraph.draw.ranks import arranged, ranks_of
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_pen,
    arcs_over,
    check_few,
    check_lift,
    graph_below,
    on_paper,
    short_index,
)
from unrollgraph.draw.scene import (
    QUIET,
    Points,
    Scene,
    Stroke,
    Text,
    as_walk,
    delay_pens,
    extent,
    lit_scene,
)
from unrollgraph.draw.style import Style, as_labels
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import GraphMap, as_graph_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


_COLUMN = 1.3


def projection(
    lift: Lift,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    max_edges: int = MOST_EDGES,
) -> Axes:
    """Draw a lift beside its base graph, each fibre next to its base vertex.

    Parameters
    ----------
    lift : Lift or GraphMap
        A window, cyclic cover, voltage lift or tree, or a map between finite graphs.
    ax, labels, palette, walk, width, max_edges
        See `unrolled`; a walk of the lift, whose projection is highlighted too.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, LiftError
        If ``lift`` is not a Lift or a GraphMap, or ``walk`` is not a walk of it.
    ValueError
        If there are too many edges.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.projection(ug.random_lift(ug.gallery.seed_network(), 3, seed=1))
    >>> len(ax.collections[-1].get_offsets())  # 5 base vertices and 15 copies
    20
    """
    if isinstance(lift, GraphMap) and isinstance(lift.total, nx.Graph):
        check_few(lift.total, max_edges)
    else:
        check_lift(lift, max_edges)
    over_time = isinstance(getattr(lift, "window", None), range)
    steps = columns(lift, walk) if over_time else 1
    style = Style(as_labels(labels), palette, steps=steps)
    base = graph_below(lift).vertices
    return on_paper(lambda s: projection_scene(lift, s, walk), style, ax, width, base)


def projection_scene(over: Any, style: Style, walk: Any = None) -> Scene:
    """Scene of a lift or a map beside its base graph, in the same rows."""
    p, graph = as_graph_map(over), graph_below(over)
    if isinstance(over, Lift) and isinstance(getattr(over, "window", None), range):
        left = rolled_scene(graph, style)
        # fibres in the order of time
        right = window_scene(over, style, ghosts=False, names=False)
    else:
        left, right = _scenes(p, graph, style)
    if walk is not None:
        steps = as_walk(p.total, walk)
        left = lit_scene(left, {p.edge(arc) for arc in steps})
        right = lit_scene(right, {*steps})
    return beside(left, right, ("base", "lift", r"\pi"))


def _scenes(p: GraphMap, graph: DelayGraph, style: Style) -> tuple[Scene, Scene]:
    """Scenes of the base graph, and of the total graph with a column for each sheet."""
    fibres = {v: p.fibre(v) for v in graph.vertices}
    place = {node: k for fibre in fibres.values() for k, node in enumerate(fibre)}
    arcs = list(arcs_over(p))
    gap = _gap(p, place, arcs)
    fill = fibre_colors(graph, style.palette)
    sheets = [short_index(node) for node in next(iter(fibres.values()), ())]
    named = all(sheets == [short_index(node) for node in fibre] for fibre in fibres.values())
    last = max(sheets, key=len, default="")
    indexed = not named or all(style.shows(style.label(v), last) for v in fibres)
    copies = [
        style.disc(node, (0.0, 0.0), fill[v], style.label(v), short_index(node) if indexed else "")
        for v, fibre in fibres.items()
        for node in fibre
    ]
    if any(disc.wide > WIDE for disc in copies):  # the names stand in the base graph
        copies = [style.disc(c.key, c.at, c.fill, "", short_index(c.key)) for c in copies]
    wide = dict.fromkeys(fibres, 0.0) | {p(disc.key): disc.wide for disc in copies}
    names = {v: style.disc(v, (0.0, 0.0), fill[v], style.label(v)).wide for v in fibres}
    places = arranged(ranks_of(graph, style.abreast), graph, wide)
    base = replace(arranged(ranks_of(graph, style.abreast), graph, names), ways={})
    sides = [spot.x + side * spot.wide for spot in places.spots.values() for side in (-1, 1)]
    column = _COLUMN + max(sides) - min(sides)
    at = {}
    for disc in copies:
        own = places.spots[p(disc.key)]
        at[disc.key] = Spot(place[disc.key] * column + own.x, own.y * gap, disc.wide)
    discs = tuple(replace(disc, at=(at[disc.key].x, at[disc.key].y)) for disc in copies)
    ends = [spot.x + side * spot.wide for spot in at.values() for side in (-1, 1)] or [0.0]
    bands = row_bands({v: spot.y * gap for v, spot in places.spots.items()}, fill, ends, 0.5)
    marks = _marks(graph, fibres, arcs)
    left = rolled_scene(graph, style, gap=gap, marks=marks, places=base)
    strokes = _strokes(graph, at, arcs, column)
    right = Scene(discs, strokes, bands)
    if not indexed:
        low, size = extent(right)[1] - 0.3, max(0.26, style.least)
        below = [Text((k * column, low), words, QUIET, size) for k, words in enumerate(sheets)]
        right = replace(right, texts=tuple(below))
    return left, right


def _gap(p: Any, place: Any, arcs: Any) -> float:
    """Distance of rows, such that edges along and between them have enough space."""
    along = across = 0
    for arc, _ in arcs:
        far = abs(place[arc[1]] - place[arc[0]])
        if p(arc[0]) == p(arc[1]):
            along = max(along, far)
        else:
            across = max(across, far)
    return max(1.0, 0.9 + 0.3 * along, min(1.0 + 0.22 * across, 2.6))


def _marks(graph: Any, fibres: Any, arcs: Any) -> list[str] | None:
    """Permutation of the sheets by each edge, if all delays are 0 and the map is a covering."""
    if graph.delays.any():
        return None
    pairs = all(isinstance(n, tuple) and len(n) == 2 for own in fibres.values() for n in own)
    if not pairs or any(below is None for _, below in arcs):
        return None
    names = {v: [node[1] for node in fibre] for v, fibre in fibres.items()}
    sheets = next(iter(names.values()), [])
    if len(sheets) > 6 or any(own != sheets for own in names.values()):
        return None
    moves: list[dict[Any, Any]] = [{} for _ in graph.edges]
    for arc, below in arcs:
        moves[below][arc[0][1]] = arc[1][1]
    if any(set(move) != set(sheets) or set(move.values()) != set(sheets) for move in moves):
        return None  # not a covering
    return [_cycles(move) for move in moves]


def _cycles(move: dict[Any, Any]) -> str:
    """Cycle notation of a permutation, empty for the identity."""
    words, left = "", dict(move)
    while left:
        cycle = [next(iter(left))]
        while (following := left.pop(cycle[-1])) != cycle[0]:
            cycle.append(following)
        if len(cycle) > 1:
            words += f"({' '.join(map(str, cycle))})"
    return words


def _strokes(graph: Any, at: Mapping[Any, Spot], arcs: Any, column: float) -> tuple[Stroke, ...]:
    pens = delay_pens(graph.times)
    routes, along = Routes(at), Counter[Any]()
    strokes = []
    for arc, below in arcs:
        a, b = arc[:2]
        if a == b:
            points = turned(at[a], routes.held(a, a), 0.9, 0.9)
        elif at[a].y == at[b].y and (line := _along(at, a, b, along, column)) is not None:
            points = line
        else:
            points, _ = routes.between(a, b)
        strokes.append(Stroke(arc, points, *arc_pen(graph, pens, below)))
    return tuple(strokes)


def _along(
    at: Mapping[Any, Spot], a: Any, b: Any, before: Counter[Any], column: float
) -> Points | None:
    """Route along a row, over it to a later copy and under it to an earlier one, or None."""
    start, end = at[a], at[b]
    far = abs(end.x - start.x) / column
    nth = before[a, b]
    steep = min(38 + 16 * (far - 1) + 16 * nth, 80)
    points = arch(start, end, 0.3 + 0.14 * far + 0.16 * nth, steep)
    if end.x < start.x:
        points[:, 1] = 2 * start.y - points[:, 1]
    others = [spot for spot in at.values() if spot not in (start, end)]
    if clearance(points, np.array(others).reshape(-1, 3)) < 0.05:
        return None
    before[a, b] += 1
    return points
