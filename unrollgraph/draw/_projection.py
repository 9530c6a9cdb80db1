"""Any lift over its base: fibres in rows, beside the vertices over which they lie.

What lies over one edge can so be read as a permutation of the sheets. In a row, arcs to later
copies run above it and arcs to earlier ones below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx

from unrollgraph.cover.lift import Lift
from unrollgraph.draw._rolled import beside, on_paper, rolled_scene, window_scene
from unrollgraph.draw.layout import RADIUS, Ways, arch, fibre_colours, rows_of, turned
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_colour,
    arcs_over,
    as_labels,
    check_few,
    check_lift,
    graph_below,
    short_index,
)
from unrollgraph.draw.scene import (
    PAPER,
    Band,
    Disc,
    Points,
    Scene,
    Stroke,
    as_walk,
    delay_colours,
    lit_scene,
    mixed,
)
from unrollgraph.errors import show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import GraphMap, as_graph_map

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
        check_few(lift.total, max_edges)
    else:
        check_lift(lift, max_edges)
    return on_paper(projection_scene(lift, as_labels(labels), palette, walk), ax)


def projection_scene(over: Any, labels: Mapping[Any, str], palette: Any, walk: Any = None) -> Scene:
    """Picture of a lift, or of any map, and its base, in the same rows."""
    p, graph = as_graph_map(over), graph_below(over)
    if isinstance(over, Lift) and isinstance(getattr(over, "window", None), range):
        left = rolled_scene(graph, labels, palette)
        right = window_scene(over, labels, palette, ghosts=False)  # fibres in the order of time
    else:
        left, right = _scenes(p, graph, labels, palette)
    if walk is not None:
        steps = as_walk(p.total, walk)
        left = lit_scene(left, {p.edge(arc) for arc in steps})
        right = lit_scene(right, {*steps})
    return beside(left, right, ("base", "lift", r"\pi"))


def _scenes(
    p: GraphMap, graph: DelayGraph, labels: Mapping[Any, str], palette: Any
) -> tuple[Scene, Scene]:
    """The base, and what lies over it with a column for each sheet."""
    rows = rows_of(graph)
    fibres = {v: p.fibre(v) for v in graph.vertices}
    place = {node: k for fibre in fibres.values() for k, node in enumerate(fibre)}
    arcs = list(arcs_over(p))
    gap = _gap(p, place, arcs)
    fill = fibre_colours(graph, palette)
    at = {n: (k * _COLUMN, rows[p(n)] * gap) for n, k in place.items()}
    discs = tuple(
        Disc(node, at[node], RADIUS, fill[v], labels.get(v, show_vertex(v)), short_index(node))
        for v, fibre in fibres.items()
        for node in fibre
    )
    end = max((x for x, _ in at.values()), default=0.0) + 0.5
    bands = tuple(
        Band(v, -0.5, end, row * gap, 0.62, mixed(fill[v], PAPER, 0.82)) for v, row in rows.items()
    )
    left = rolled_scene(graph, labels, palette, gap=gap, marks=_marks(graph, fibres, arcs))
    return left, Scene(discs, _strokes(graph, at, arcs), bands)


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
    if any(set(move) != set(sheets) or set(move.values()) != set(sheets) for move in moves):
        return None  # of a map that is no covering
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
    ways = Ways(at)
    strokes = []
    for arc, below in arcs:
        a, b = arc[:2]
        if a == b:
            points = turned(at[a], ways.held(a, a), 0.9, 0.9)
        elif at[a][1] == at[b][1]:
            points = _along(at[a], at[b], ways.held(a, b))
        else:
            points, _ = ways.between(a, b)
        strokes.append(Stroke(arc, points, arc_colour(graph, tint, below)))
    return tuple(strokes)


def _along(a: tuple[float, float], b: tuple[float, float], before: int) -> Points:
    """In a row: above it to a later copy, below it to an earlier one."""
    far = abs(b[0] - a[0]) / _COLUMN
    points = arch(a, b, 0.3 + 0.14 * far + 0.08 * before)
    if b[0] < a[0]:
        points[:, 1] = 2 * a[1] - points[:, 1]
    return points
