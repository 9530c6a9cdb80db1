"""Trees: from the root outward, with stubs where they go on.

A tree whose arcs all lead away from its root grows to the right, one whose arcs all lead to it
stands the other way round, and one of both kinds, such as a universal cover, grows in all
directions. Every leaf has a place of its own, and a vertex stands in the middle of its leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from unrollgraph.cover.lift import Lift
from unrollgraph.cover.trees import TreeLift
from unrollgraph.draw._rolled import on_paper
from unrollgraph.draw.layout import GAP, RADIUS, fibre_colours, straight
from unrollgraph.draw.render import (
    MOST_EDGES,
    arc_colour,
    arcs_over,
    as_labels,
    check_lift,
    graph_below,
    short_index,
)
from unrollgraph.draw.scene import Disc, Scene, Stroke, as_walk, delay_colours, lit_scene
from unrollgraph.errors import show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph

_LEAF = 0.72  # from leaf to leaf
_STEP = 1.35  # from a vertex to those it bears, at least
_STUB = 0.75


def tree(
    lift: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    max_edges: int = MOST_EDGES,
) -> Any:
    """Draw a tree above a graph from its root outward.

    Parameters
    ----------
    lift : Lift
        A tree, as `universal_cover`, `in_tree` and `out_tree` make it.
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
        If there are too many arcs.
    LiftError
        If the walk is none.

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
            f"{show_kind(lift)} is no tree; draw it with draw.projection, or grow a tree "
            "with universal_cover, in_tree or out_tree"
        )
    scene = tree_scene(lift, as_labels(labels), palette)
    if walk is not None:
        scene = lit_scene(scene, {*as_walk(lift, walk)})
    return on_paper(scene, ax)


def tree_scene(lift: Any, labels: Mapping[Any, str], palette: Any) -> Scene:
    """Picture of a tree."""
    graph = graph_below(lift)
    tint = delay_colours(graph.times)
    fill, names = _named(lift, graph, labels, palette)
    at, away = _places(lift, _parents(lift))
    discs = tuple(
        Disc(node, at[node], RADIUS, fill[v], *names[v])
        for node in lift
        for v in [lift.project(node)]
    )
    strokes = [
        Stroke(arc, straight(at[arc[0]], at[arc[1]]), arc_colour(graph, tint, below))
        for arc, below in arcs_over(lift)
    ]
    return Scene(discs, (*strokes, *_stubs(lift, graph, at, away)))


def _named(
    lift: Any, graph: DelayGraph, labels: Mapping[Any, str], palette: Any
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Colour, and label with index, of each vertex below; copies have those of what they copy."""
    if not isinstance(lift.base, Lift):
        fill = fibre_colours(graph, palette)
        return fill, {v: (labels.get(v, show_vertex(v)), "") for v in graph.vertices}
    under = fibre_colours(graph_below(lift.base), palette)
    owner = {v: lift.base.project(v) for v in graph.vertices}
    names = {v: (labels.get(w, show_vertex(w)), short_index(v)) for v, w in owner.items()}
    return {v: under[w] for v, w in owner.items()}, names


def _parents(lift: Any) -> dict[Any, Any]:
    """The vertex from which each was reached; vertices come nearest first."""
    found: dict[Any, Any] = {}
    for node in lift:
        near = [*lift.pred[node], *lift.succ[node]]
        found[node] = next((other for other in near if other in found), None)
    return found


def _places(lift: Any, parent: Mapping[Any, Any]) -> tuple[dict[Any, Any], dict[Any, float]]:
    """Where each vertex stands, and in which direction the tree grows on from there."""
    depth: dict[Any, int] = {}
    for node, above in parent.items():
        depth[node] = 0 if above is None else depth[above] + 1
    leaf = _leaves(parent)
    arcs = list(lift.edges())
    for way, end in ((1, 1), (-1, 0)):
        if all(parent[arc[end]] == arc[1 - end] for arc in arcs) and arcs:
            at = {v: (way * _STEP * depth[v], -_LEAF * leaf[v][0]) for v in parent}
            return at, dict.fromkeys(parent, 0.0 if way > 0 else math.pi)
    total = leaf[next(iter(parent))][1]
    angle = {v: math.pi - 2 * math.pi * leaf[v][0] / total for v in parent}
    radius = [0.0]
    for level in range(1, max(depth.values()) + 1):
        turns = np.sort([angle[v] for v in parent if depth[v] == level])
        nearest = float(np.diff(turns, append=turns[0] + 2 * math.pi).min())
        apart = _LEAF / (2 * math.sin(min(nearest, math.pi) / 2))
        radius.append(max(radius[-1] + 1.0, apart))
    at = {
        v: (radius[d] * math.cos(angle[v]), radius[d] * math.sin(angle[v]))
        for v, d in depth.items()
    }
    return at, angle


def _leaves(parent: Mapping[Any, Any]) -> dict[Any, tuple[float, int]]:
    """The middle of the leaves beyond each vertex, and their number, in order from the root."""
    children: dict[Any, list[Any]] = {v: [] for v in parent}
    for node, above in parent.items():
        if above is not None:
            children[above].append(node)
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
    lift: Any, graph: DelayGraph, at: Mapping[Any, tuple[float, float]], away: Mapping[Any, float]
) -> Iterator[Stroke]:
    """Ends of the arcs that lead on, fading."""
    tint = delay_colours(graph.times)
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
            points = np.array(at[tip]) + np.linspace(RADIUS + GAP, _STUB, 4)[:, None] * along
            edge = (arc[0][0], arc[1][0], *arc[2:])
            fade = (0.1, 1.0) if way > 0 else (1.0, 0.1)
            colour = tint[graph.times[graph.edge_number[edge]]]
            yield Stroke(arc, points[::way], colour, 1.6, False, fade)
