"""Trees over a graph, from the root outward, with stubs of the edges that leave the tree.

A tree grows to the right if all edges point away from the root, to the left if all point to the
root, and in all directions otherwise. Each vertex is at the middle of its evenly spaced leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrollgraph.cover.lift import Lift
from unrollgraph.cover.trees import TreeLift
from unrollgraph.draw.layout import GAP, Spot, fibre_colors, leave, spot, straight
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_pen,
    arcs_over,
    check_lift,
    graph_below,
    on_paper,
    short_index,
)
from unrollgraph.draw.scene import Scene, Stroke, as_walk, delay_pens
from unrollgraph.draw.style import RADIUS, Style, as_labels
from unrollgraph.errors import show_kind
from unrollgraph.graph.delay_graph import DelayGraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


_LEAF = 0.72  # distance of leaves
_STEP = 1.35  # horizontal distance of a vertex and its children
_SHORTER = 0.8  # length of an edge, as a share of that of the edge before it
_STUB = 0.75  # distance from the center of a vertex to the end of a stub


def tree(
    lift: Lift,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    max_edges: int = MOST_EDGES,
) -> Axes:
    """Draw a tree over a graph from its root outward.

    Parameters
    ----------
    lift : Lift
        A tree from `universal_cover`, `in_tree` or `out_tree`.
    ax, labels, palette, walk, width, max_edges
        See `unrolled`; a walk of the lift.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, LiftError
        If ``lift`` is not a tree, or ``walk`` is not a walk of it.
    ValueError
        If there are too many edges.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ball = ug.universal_cover(ug.gallery.bouquet(1, 1), "a", 2)
    >>> ax = ug.draw.tree(ball)
    >>> len(ax.collections[-1].get_offsets())
    17
    """
    check_lift(lift, max_edges)
    if not isinstance(lift, TreeLift):
        raise TypeError(
            "draw.tree needs a tree from universal_cover, in_tree or out_tree, not "
            f"{show_kind(lift)}; draw other lifts with draw.projection"
        )
    lit = None if walk is None else {*as_walk(lift, walk)}
    style, base = Style(as_labels(labels), palette), graph_below(lift).vertices
    return on_paper(lambda s: tree_scene(lift, s), style, ax, width, base, lit)


def tree_scene(lift: Any, style: Style) -> Scene:
    graph = graph_below(lift)
    pens = delay_pens(graph.times)
    fill, names = _named(lift, graph, style)
    discs = [
        style.disc(node, (0.0, 0.0), fill[v], *names[v])
        for node in lift
        for v in [lift.project(node)]
    ]
    places, away = _places(lift, max(disc.wide for disc in discs))
    at = {disc.key: spot(places[disc.key], disc.wide) for disc in discs}
    placed = tuple(replace(disc, at=places[disc.key], marked=not k) for k, disc in enumerate(discs))
    strokes = [
        Stroke(arc, straight(at[arc[0]], at[arc[1]]), *arc_pen(graph, pens, below))
        for arc, below in arcs_over(lift)
    ]
    return Scene(placed, (*strokes, *_stubs(lift, graph, at, away)))


def _named(lift: Any, graph: DelayGraph, style: Style) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Colors of the base vertices, and a pair (label, index) for each.

    If the base is itself a lift, a vertex has the color and the label of its image in that base.
    """
    if not isinstance(lift.base, Lift):
        fill = fibre_colors(graph, style.palette)
        return fill, {v: (style.label(v), "") for v in graph.vertices}
    under = fibre_colors(graph_below(lift.base), style.palette)
    owner = {v: lift.base.project(v) for v in graph.vertices}
    names = {v: (style.label(w), short_index(v)) for v, w in owner.items()}
    return {v: under[w] for v, w in owner.items()}, names


def _parents(lift: Any, root: Any) -> dict[Any, Any]:
    """Parent of each vertex, None for the root; vertices are in the order of their distance."""
    found: dict[Any, Any] = {root: None}
    for node in (waiting := [root]):
        near = [n for n in (*lift.pred[node], *lift.succ[node]) if n not in found]
        found |= dict.fromkeys(near, node)
        waiting += near
    return found


def _center(lift: Any) -> Any:
    """The root or, if it has a single neighbor, this neighbor."""
    root = next(iter(lift))
    near = [*lift.pred[root], *lift.succ[root]]
    return near[0] if len(near) == 1 and len(lift) > 2 else root


def _places(lift: Any, wide: float) -> tuple[dict[Any, Any], dict[Any, float]]:
    """Position of each vertex, and the angle at which the tree continues from it."""
    parent = _parents(lift, next(iter(lift)))
    depth = _depths(parent)
    arcs = list(lift.edges())
    for way, end in ((1, 1), (-1, 0)):
        if all(parent[arc[end]] == arc[1 - end] for arc in arcs) and arcs:
            step = _STEP + 2 * wide
            row = _rows(parent)
            at = {v: (way * step * depth[v], -_LEAF * row[v]) for v in parent}
            return at, dict.fromkeys(parent, 0.0 if way > 0 else math.pi)
    parent = _parents(lift, _center(lift))
    depth, leaf = _depths(parent), _leaves(parent)
    total = leaf[next(iter(parent))][1]
    angle = {v: math.pi - 2 * math.pi * leaf[v][0] / total for v in parent}
    radius = _radii(depth, angle, _LEAF + 2 * wide, 1.0 + 1.6 * wide)
    at = {
        v: (radius[d] * math.cos(angle[v]), radius[d] * math.sin(angle[v]))
        for v, d in depth.items()
    }
    return at, angle


def _depths(parent: Mapping[Any, Any]) -> dict[Any, int]:
    depth: dict[Any, int] = {}
    for node, above in parent.items():
        depth[node] = 0 if above is None else depth[above] + 1
    return depth


def _radii(
    depth: Mapping[Any, int], angle: Mapping[Any, float], apart: float, shortest: float
) -> list[float]:
    """Radius of each level; edges are shorter outward, as far as the vertices have space."""
    last = max(depth.values())
    shares = np.cumsum([0.0, *(_SHORTER**k for k in range(last))])
    scale = shortest / _SHORTER ** max(last - 1, 0)
    for level in range(1, last + 1):
        turns = np.sort([angle[v] for v in depth if depth[v] == level])
        nearest = float(np.diff(turns, append=turns[0] + 2 * math.pi).min())
        needed = apart / (2 * math.sin(min(nearest, math.pi) / 2))
        scale = max(scale, needed / shares[level])
    radii: list[float] = (scale * shares).tolist()
    return radii


def _children(parent: Mapping[Any, Any]) -> dict[Any, list[Any]]:
    children: dict[Any, list[Any]] = {v: [] for v in parent}
    for node, above in parent.items():
        if above is not None:
            children[above].append(node)
    return children


def _rows(parent: Mapping[Any, Any]) -> dict[Any, float]:
    """Row of each vertex: subtrees as close as each level admits, parents centered."""
    # the method of E. Reingold and J. Tilford, Tidier drawings of trees (1981)
    children = _children(parent)
    offset: dict[Any, float] = {}  # from the parent
    ends: dict[Any, list[tuple[float, float]]] = {}  # first and last row of each level, from a root
    for node in reversed(list(parent)):
        levels: list[tuple[float, float]] = []
        for child in children[node]:
            own = ends.pop(child)
            pairs = zip(levels, own, strict=False)
            shift = max((last - first + 1 for (_, last), (first, _) in pairs), default=0.0)
            own = [(first + shift, last + shift) for first, last in own]
            both = zip(levels, own, strict=False)
            joined = [(min(a, c), max(b, d)) for (a, b), (c, d) in both]
            levels = joined + levels[len(joined) :] + own[len(joined) :]
            offset[child] = shift
        middle = (offset[children[node][-1]] if children[node] else 0.0) / 2
        for child in children[node]:
            offset[child] -= middle
        ends[node] = [(0.0, 0.0), *((a - middle, b - middle) for a, b in levels)]
    rows: dict[Any, float] = {}
    for node, above in parent.items():
        rows[node] = 0.0 if above is None else rows[above] + offset[node]
    return rows


def _leaves(parent: Mapping[Any, Any]) -> dict[Any, tuple[float, int]]:
    """Middle of the leaves of each subtree, counted in order, and their number."""
    children = _children(parent)
    width: dict[Any, int] = {}
    for node in reversed(list(parent)):
        width[node] = sum(width[child] for child in children[node]) or 1
    first: dict[Any, int] = {}
    for node in parent:
        start = first.setdefault(node, 0)
        for child in children[node]:
            first[child] = start
            start += width[child]
    return {v: (first[v] + (width[v] - 1) / 2, width[v]) for v in parent}


def _stubs(
    lift: Any, graph: DelayGraph, at: Mapping[Any, Spot], away: Mapping[Any, float]
) -> Iterator[Stroke]:
    pens = delay_pens(graph.times)
    beyond: dict[Any, list[Any]] = {}
    for arc in lift.boundary_out():
        beyond.setdefault(arc[0], []).append((arc, 1))
    for arc in lift.boundary_in():
        beyond.setdefault(arc[1], []).append((arc, -1))
    for tip, arcs in beyond.items():
        fan = min(0.5, 1.4 / len(arcs)) if len(at) > 1 else 2 * math.pi / len(arcs)
        for k, (arc, way) in enumerate(arcs):
            turn = away[tip] + fan * (k - (len(arcs) - 1) / 2)
            along = np.array([math.cos(turn), math.sin(turn)])
            start = np.array(leave(at[tip], (along[0], along[1])))
            points = start + np.linspace(0.0, _STUB - RADIUS - GAP, 4)[:, None] * along
            edge = (arc[0][0], arc[1][0], *arc[2:])
            fade = (0.1, 1.0) if way > 0 else (1.0, 0.1)
            pen = pens[graph.times[graph.edge_number[edge]]]
            yield Stroke(arc, points[::way], pen.color, (), 1.6, False, fade)
