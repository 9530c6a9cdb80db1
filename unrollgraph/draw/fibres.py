"""Any lift over its base: fibres in rows, beside the vertices over which they lie.

What lies over one edge can so be read as a permutation of the sheets. In a row, arcs to later
copies run above it and arcs to earlier ones below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.cover.lift import Lift
from unrollgraph.draw.below import (
    arc_colour,
    arcs_over,
    graph_below,
    must_be_few,
    must_be_lift,
    short_index,
)
from unrollgraph.draw.canvas import extent
from unrollgraph.draw.highlight import as_walk, lit_scene
from unrollgraph.draw.layout import RADIUS, fibre_colours, rows_of
from unrollgraph.draw.palette import INK, PAPER, QUIET, delay_colours, mixed
from unrollgraph.draw.routes import arch, loop, passing, straight
from unrollgraph.draw.scene import Band, Disc, Points, Scene, Stroke, Text, shifted
from unrollgraph.draw.stills import MOST_EDGES, beside, on_paper, rolled_scene, window_scene
from unrollgraph.errors import show_vertex
from unrollgraph.morphism.graph_map import GraphMap, as_graph_map

__all__ = ["projection", "projection_scene"]

_COLUMN = 1.3


def projection(
    lift: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    max_edges: int = MOST_EDGES,
) -> Any:
    """Draw any lift over its base, each fibre beside the vertex over which it lies.

    Parameters
    ----------
    lift : Lift or GraphMap
        Any lift: a window, a cyclic cover, a lift by voltages, a tree; or any map between
        finite graphs.
    ax, labels, palette
        As for `rolled`; labels are those of the vertices below.
    walk : sequence of arcs, optional
        A walk of the lift to light up, with what lies below it.
    max_edges : int
        How many arcs may be drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``lift`` is neither.
    ValueError
        If there are too many arcs.
    LiftError
        If the walk is none.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.projection(ug.random_lift(ug.gallery.seed_network(), 3, seed=1))
    >>> len(ax.collections[-1].get_offsets())  # five vertices below, fifteen above
    20
    """
    if isinstance(lift, GraphMap) and isinstance(lift.total, nx.Graph):
        must_be_few(lift.total.number_of_edges(), max_edges)
    else:
        must_be_lift(lift, max_edges)
    return on_paper(projection_scene(lift, labels or {}, palette, walk), ax)


def projection_scene(over: Any, labels: Mapping[Any, str], palette: Any, walk: Any = None) -> Scene:
    """Picture of a lift, or of any map, and its base, in the same rows."""
    lift, graph = as_graph_map(over), graph_below(over)
    if isinstance(over, Lift) and isinstance(getattr(over, "window", None), range):
        return _window(over, graph, labels, palette, walk)
    rows = rows_of(graph)
    fibres = {v: lift.fibre(v) for v in graph.vertices}
    place = {node: k for fibre in fibres.values() for k, node in enumerate(fibre)}
    arcs = list(arcs_over(lift))
    gap = _gap(lift, place, arcs)
    left = rolled_scene(graph, labels, palette, gap=gap, marks=_marks(graph, fibres, arcs))
    fill = fibre_colours(graph, palette)
    at = {node: (k * _COLUMN, 0.0) for node, k in place.items()}
    at = {n: (at[n][0], rows[v] * gap) for v, fibre in fibres.items() for n in fibre}
    discs = tuple(
        Disc(node, at[node], RADIUS, fill[v], labels.get(v, show_vertex(v)), short_index(node))
        for v, fibre in fibres.items()
        for node in fibre
    )
    end = max((x for x, _ in at.values()), default=0.0) + 0.5
    bands = tuple(
        Band(v, -0.5, end, row * gap, 0.62, mixed(fill[v], PAPER, 0.82)) for v, row in rows.items()
    )
    right = Scene(discs, _strokes(graph, at, arcs), bands)
    if walk is not None:
        steps = as_walk(lift.total, walk)
        left = lit_scene(left, {lift.edge(arc) for arc in steps})
        right = lit_scene(right, {*steps})
    right = shifted(right, extent(left)[2] - extent(right)[0] + 0.4)
    above = max(extent(left)[3], extent(right)[3]) + 0.05
    middle = (extent(right)[0] + extent(right)[2]) / 2
    arrow = Stroke("projection", straight((middle, above), (0.4, above)), QUIET, 1.2)
    words = Text((middle / 2, above + 0.28), r"\pi", QUIET, 0.3, formula=True)
    titles = (
        words,
        Text((0.0, above), "base", INK, 0.3),
        Text((middle + 0.5, above), "lift", INK, 0.3),
    )
    return left + right + Scene(texts=titles, strokes=(arrow,))


def _window(lift: Any, graph: Any, labels: Any, palette: Any, walk: Any) -> Scene:
    """Picture of a window: its fibres lie in the order of time."""
    left = rolled_scene(graph, labels, palette)
    right = window_scene(lift, labels, palette, ghosts=False)
    if walk is not None:
        steps = as_walk(lift, walk)
        left = lit_scene(left, {lift.projection.edge(arc) for arc in steps})
        right = lit_scene(right, {*steps})
    return beside(left, right)


def _gap(p: Any, place: Any, arcs: Any) -> float:
    """Distance of rows: room for arcs along them, and for the slant of those between them."""
    along = across = 0
    for arc, _ in arcs:
        far = abs(place[arc[1]] - place[arc[0]])
        if p(arc[0]) == p(arc[1]):
            along = max(along, far)
        else:
            across = max(across, far)
    return max(1.0, 0.9 + 0.3 * along, min(1.0 + 0.22 * across, 2.6))


def _marks(graph: Any, fibres: Any, arcs: Any) -> list[str] | None:
    """How each edge permutes the sheets, where no delays say what it does."""
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
    return [_cycles(move) for move in moves]


def _cycles(move: dict[Any, Any]) -> str:
    """A permutation in cycles, the empty word for the one that moves nothing."""
    words, left = "", dict(move)
    while left:
        cycle = [next(iter(left))]
        while (following := left.pop(cycle[-1])) != cycle[0]:
            cycle.append(following)
        if len(cycle) > 1:
            words += f"({' '.join(map(str, cycle))})"
    return words


def _strokes(graph: Any, at: Mapping[Any, tuple[float, float]], arcs: Any) -> tuple[Stroke, ...]:
    tint = delay_colours(graph.times)
    middles = np.array(list(at.values()))
    number = {node: k for k, node in enumerate(at)}
    taken: dict[Any, list[float]] = {}
    strokes = []
    for arc, below in arcs:
        a, b = arc[:2]
        held = taken.setdefault((a, b), [])
        if a == b:
            points, bow = loop(at[a], 0.9 + 0.9 * len(held), 0.2), 0.0
        elif at[a][1] == at[b][1]:
            points, bow = _along(at[a], at[b], len(held)), 0.0
        else:
            others = np.delete(middles, [number[a], number[b]], axis=0)
            back = [-h for h in taken.get((b, a), ())]
            points, bow = passing(at[a], at[b], others, [*held, *back])
        held.append(bow)
        strokes.append(Stroke(arc, points, arc_colour(graph, tint, below)))
    return tuple(strokes)


def _along(a: tuple[float, float], b: tuple[float, float], before: int) -> Points:
    """In a row: above it to a later copy, below it to an earlier one."""
    far = abs(b[0] - a[0]) / _COLUMN
    points = arch(a, b, 0.3 + 0.14 * far + 0.08 * before)
    if b[0] < a[0]:
        points[:, 1] = 2 * a[1] - points[:, 1]
    return points
