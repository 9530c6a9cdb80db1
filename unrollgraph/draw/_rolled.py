"""A delay graph, drawn from the bottom up in the order in which a time step is computed.

Vertices in one column have their edges to its left and right, in nested tracks; in other
arrangements, edges are routed around vertices. Each edge of nonzero delay has its delay as a label.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from unrollgraph.draw.layout import (
    Routes,
    Spot,
    beside_line,
    bow,
    bulge,
    fibre_colors,
    loop,
    middle,
    ports,
    rising,
    straight,
    through,
    tracks,
    turned,
)
from unrollgraph.draw.ranks import Arrangement, arranged, ranks_of
from unrollgraph.draw.render import (
    MOST_EDGES,
    check_few,
    on_paper,
)
from unrollgraph.draw.scene import (
    Badge,
    Points,
    Scene,
    Stroke,
    as_walk,
    badge_width,
    delay_pens,
    flattened,
)
from unrollgraph.draw.style import Style, as_labels
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


def rolled(
    G: GraphLike,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    delay: str = "delay",
) -> Axes:
    """Draw a delay graph from the bottom up, with delays on its edges.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on (default: axes of a new figure).
    labels : mapping, optional
        Labels of base vertices (default: their names); ``"$h_1$"`` is set as a formula.
    palette : sequence or mapping, optional
        Colors to use in turn (default: Okabe-Ito), or a mapping from base vertices to colors.
    walk : sequence of edges, optional
        Walk of G to highlight; an edge is ``(u, v)``, or ``(u, v, key)`` in a multigraph.
    width : {"column", "text", "slide"} or float, optional
        Printed width, at which letters have at least 6 points: 3.35, 7 or (letters of 10 points)
        10 inches, or a number of inches. Default: the natural width, at most 10 inches; or that of
        ``ax``. Names that do not fit get short keys, explained below the picture.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError, LiftError
        If there are no vertices or more than 2000 edges, or ``walk`` is not a walk of G.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.rolled(ug.gallery.seed_network())
    >>> [text.get_text() for text in ax.texts][-1]
    'delay 1'
    """
    graph = as_delay_graph(G, delay)
    check_few(graph.base, MOST_EDGES, mend="draw a subgraph")
    lit = None if walk is None else {*as_walk(graph.base, walk)}
    style = Style(as_labels(labels), palette, steps=1)
    return on_paper(lambda s: rolled_scene(graph, s), style, ax, width, graph.vertices, lit)


def rolled_scene(
    graph: DelayGraph,
    style: Style,
    *,
    gap: float = 1.0,
    marks: Sequence[str] | None = None,
    places: Arrangement | None = None,
) -> Scene:
    """Scene of a delay graph; ``marks`` are texts on edges (default: delays)."""
    fill = fibre_colors(graph, style.palette)
    discs = {v: style.disc(v, (0.0, 0.0), fill[v], style.label(v)) for v in graph.vertices}
    size = max(0.26, style.least)
    words = _marks(graph) if marks is None else marks
    words = [text.replace("-", "\N{MINUS SIGN}") if marks is None else text for text in words]
    if places is None:
        wide = {v: disc.wide for v, disc in discs.items()}
        joined = {
            frozenset(edge[:2]): badge_width(text, size) + 0.35
            for edge, text in zip(graph.edges, words, strict=True)
            if text
        }
        places = arranged(ranks_of(graph, style.abreast), graph, wide, joined)
    spots = {v: Spot(at.x, at.y * gap, discs[v].wide) for v, at in places.spots.items()}
    places = replace(places, spots=spots)
    route = _tower if places.is_column else _spread
    routes, badges = route(graph, places, words, size)
    pens = delay_pens(graph.times)
    strokes = [Stroke(edge, routes[k], *pens[graph.times[k]]) for k, edge in enumerate(graph.edges)]
    labels = [
        Badge(graph.edges[k], at, words[k], pens[graph.times[k]].color, size)
        for k, at in badges.items()
    ]
    placed = tuple(replace(discs[v], at=(spot.x, spot.y)) for v, spot in spots.items())
    return Scene(placed, tuple(strokes), badges=tuple(labels))


Badges: TypeAlias = dict[int, tuple[float, float]]  # place of the badge of each edge


def _tower(
    graph: DelayGraph, arrangement: Arrangement, words: Sequence[str], size: float
) -> tuple[dict[int, Points], Badges]:
    """Routes of edges and places of badges beside a column of vertices."""
    spots = arrangement.spots
    order = {v: k for k, v in enumerate(sorted(spots, key=lambda v: spots[v].y))}
    ends = [(float(order[edge[0]]), float(order[edge[1]])) for edge in graph.edges]
    places = [(spots[edge[0]], spots[edge[1]]) for edge in graph.edges]
    column = max(spot.wide for spot in spots.values())
    moving = [k for k, text in enumerate(words) if text or ends[k][0] == ends[k][1]]
    still = [k for k in range(len(ends)) if k not in set(moving)]
    plain = direct(ends, still)
    bowed = [k for k in still if k not in plain]
    routes = {k: straight(*places[k]) for k in plain}
    badges: Badges = {}
    reach = tracks([span(ends[k]) for k in bowed])
    for k, track in zip(bowed, reach, strict=True):
        routes[k] = bow(*places[k], 0.12 + 0.34 * track, 1.2 * column)
    wide = max((badge_width(text, size) for text in words if text), default=0.0)
    for side in (1, -1):
        # beside bows, there is space on the right only
        own = [k for k in moving if bool(bowed or ends[k][1] <= ends[k][0]) == (side > 0)]
        track_of = tracks([span(ends[k]) for k in own])
        turns = ports([ends[k] for k in own], track_of)
        for k, track, turn in zip(own, track_of, turns, strict=True):
            a, b = places[k]
            far = column + 0.35 + max(0.55, wide + 0.2) * track
            if a == b:
                opening = 0.4 + 0.35 * min(track, 3)
                aim = sum(turn) / 2
                angle = aim if side > 0 else math.pi - aim
                routes[k] = loop(a, angle, far - column, opening)
            else:
                routes[k] = bulge(a, b, far, side, turn)
            if words[k]:
                x, y = middle(routes[k])
                badges[k] = (x + side * (badge_width(words[k], size) / 2 + 0.06), y)
    return routes, badges


def _spread(
    graph: DelayGraph, arrangement: Arrangement, words: Sequence[str], size: float
) -> tuple[dict[int, Points], Badges]:
    """Routes of edges and places of badges where some ranks have several vertices."""
    spots = arrangement.spots
    found = Routes(spots)
    routes, badges = {}, {}
    for k in sorted(range(len(graph.edges)), key=lambda k: bool(words[k])):
        u, v = graph.edges[k][:2]
        if u == v:
            side = 0.0 if spots[u].x >= 0 else math.pi
            routes[k] = turned(spots[u], found.held(u, u), side + 0.5 * math.cos(side), 1.0, 0.24)
        elif k in arrangement.ways:
            routes[k] = through(spots[u], arrangement.ways[k], spots[v], found.others(u, v))
            found.held(u, v)
        elif (free := _rise(found, arrangement, u, v)) is not None:
            routes[k] = free
        else:
            routes[k], _ = found.between(u, v)
    taken: list[tuple[float, float, float]] = []
    lines = np.vstack([flattened(route, 24) for route in routes.values()] or [np.zeros((0, 2))])
    for k, text in enumerate(words):
        if text:
            wide = badge_width(text, size)
            badges[k] = beside_line(routes[k], wide, [*spots.values()], taken, lines, size)
            taken.append((*badges[k], wide))
    return routes, badges


def _rise(routes: Routes, places: Arrangement, u: Any, v: Any) -> Points | None:
    """Free route of the first edge between two vertices of neighboring ranks, or None."""
    spots = places.spots
    if abs(spots[u].y - spots[v].y) != places.row or routes.count(u, v) or routes.count(v, u):
        return None
    free = rising(spots[u], spots[v], routes.others(u, v))
    if free is not None:
        routes.held(u, v)
    return free


def _marks(graph: DelayGraph) -> list[str]:
    words = [
        str(d) if any(parts) else ""
        for d, parts in zip(graph.times, graph.delays.tolist(), strict=True)
    ]
    lone = len(list(filter(None, words))) == 1
    return [f"delay {text}" if lone and text else text for text in words]


def direct(ends: list[tuple[float, float]], still: list[int]) -> set[int]:
    """Edges drawn as straight lines: one for each pair of neighboring rows."""
    found: dict[tuple[float, float], int] = {}
    for k in still:
        if abs(ends[k][0] - ends[k][1]) == 1:
            found.setdefault(span(ends[k]), k)
    return set(found.values())


def span(pair: tuple[float, float]) -> tuple[float, float]:
    """Range of rows of an edge; a loop has the length 0.6."""
    low, high = min(pair), max(pair)
    return (low, high) if low < high else (low - 0.3, high + 0.3)
