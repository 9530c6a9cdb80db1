"""The network rolled, unrolled, and both side by side in the same rows.

Downstairs, edges with a delay run round on the right and say it on a badge, longer edges
without one on the left. Upstairs every copy of a vertex stands in its row, every time in its
column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from unrollgraph.cover._unroll import unroll
from unrollgraph.draw._plane import plane_scene
from unrollgraph.draw.layout import (
    COLUMN,
    RADIUS,
    across,
    arch,
    bow,
    bulge,
    fibre_colours,
    lanes,
    middle,
    passing,
    ports,
    rows_of,
    straight,
    turned,
)
from unrollgraph.draw.render import (
    MOST_EDGES,
    as_labels,
    check_axes,
    check_drawable,
    check_few,
    extent,
    new_axes,
    paint,
)
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    QUIET,
    Badge,
    Band,
    Disc,
    Formula,
    Points,
    Scene,
    Stroke,
    Text,
    as_walk,
    badge_width,
    delay_colours,
    lifted,
    lit_scene,
    mixed,
    shifted,
    text_width,
)
from unrollgraph.errors import show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph


def rolled(
    G: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    delay: str = "delay",
) -> Any:
    """Draw a delay graph: one column, what is computed first below, delays on badges.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    ax : matplotlib.axes.Axes, optional
        Where to draw; unless given a new figure of the right size is made.
    labels : mapping, optional
        What to write on vertices instead of their names; ``"$h_1$"`` is set as a formula.
    palette : sequence or mapping, optional
        Colours of vertices: in turn, or vertex by vertex.
    walk : sequence of edges, optional
        A walk to light up; an edge is ``(u, v)``, or ``(u, v, key)`` in a multigraph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    LiftError
        If the walk is none.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.rolled(ug.gallery.seed_network())
    >>> [text.get_text() for text in ax.texts][-1]
    'delay 1'
    """
    graph = as_delay_graph(G, delay)
    check_few(graph.base, MOST_EDGES, mend="draw a part of the graph")
    scene = rolled_scene(graph, as_labels(labels), palette)
    if walk is not None:
        scene = lit_scene(scene, {*as_walk(graph.base, walk)})
    return on_paper(scene, ax)


def unrolled(
    U: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    ghosts: bool = False,
    max_edges: int = MOST_EDGES,
) -> Any:
    """Draw a window of an unrolling: a row for each fibre, a column for each time.

    Parameters
    ----------
    U : Lift
        A window of a delay cover over Z or Z^2, as `unroll` makes it.
    ax, labels, palette
        As for `rolled`; labels are those of the vertices below.
    walk : sequence of arcs, optional
        A walk of U to light up.
    ghosts : bool
        Whether pale copies at both ends show that the unrolling goes on.
    max_edges : int
        How many arcs may be drawn.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``U`` is no window.
    ValueError
        If times have more than two axes, or there are too many arcs.
    LiftError
        If the walk is none.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.unrolled(ug.unroll(ug.gallery.seed_network(), 4))
    >>> ax.texts[-1].get_text()
    '$t = 3$'
    """
    check_drawable(U, max_edges)
    scene = window_scene(U, as_labels(labels), palette, ghosts=ghosts)
    if walk is not None:
        scene = lit_scene(scene, {*as_walk(U, walk)})
    return on_paper(scene, ax)


def side_by_side(  # noqa: PLR0913  (options of a picture)
    G: Any,
    window: Any,
    *,
    ax: Any = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Any = None,
    ghosts: bool = True,
    max_edges: int = MOST_EDGES,
    delay: str = "delay",
) -> Any:
    """Draw a delay graph and a window of its unrolling in the same rows.

    The projection is a horizontal one: every copy stands to the right of what it is a copy of.

    Parameters
    ----------
    G, ax, labels, palette, delay
        As for `rolled`.
    window : range or int
        As for `unroll`.
    walk : sequence of edges, optional
        A walk of G to light up, below and, lifted, above.
    ghosts, max_edges
        As for `unrolled`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    LiftError
        If the walk is none.
    ValueError
        If times have more than two axes, there are too many arcs, or the walk lifted leaves
        the window.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.side_by_side(ug.gallery.seed_network(), 4)
    >>> sum(text.get_text() == "unrolled" for text in ax.texts)
    1
    """
    graph = as_delay_graph(G, delay)
    U = unroll(graph, window)
    check_drawable(U, max_edges)
    left = rolled_scene(graph, as_labels(labels), palette)
    right = window_scene(U, as_labels(labels), palette, ghosts=ghosts)
    if walk is not None:
        edges, arcs = lifted(U, walk)
        left, right = lit_scene(left, {*edges}), lit_scene(right, {*arcs})
    return on_paper(beside(left, right), ax)


def beside(
    left: Scene,
    right: Scene,
    names: tuple[str, str, str] = ("rolled", "unrolled", r"\pi(v, t) = v"),
) -> Scene:
    """Put what is below to the left of what is above, with the map from one to the other."""
    left = shifted(left, 0.0, _middle_height(right) - _middle_height(left))
    right = shifted(right, extent(left)[2] - extent(right)[0] + 0.4)
    above = max(extent(left)[3], extent(right)[3]) + 0.1
    centre = (extent(right)[0] + extent(right)[2]) / 2
    near, far = (text_width(Text((0.0, 0.0), name, INK, 0.32)) / 2 for name in names[:2])
    lacking = near + far + 1.4 - centre  # between the titles the arrow needs some room
    if lacking > 0:
        right, centre = shifted(right, lacking), centre + lacking
    titles = (
        Text((0.0, above), names[0], INK, 0.32),
        Text((centre, above), names[1], INK, 0.32),
        Text(((near + centre - far) / 2, above + 0.28), Formula(names[2]), QUIET, 0.28),
    )
    arrow = np.linspace((centre - far - 0.2, above), (near + 0.2, above), 4)
    return left + right + Scene(texts=titles, strokes=(Stroke("projection", arrow, QUIET, 1.2),))


def _middle_height(scene: Scene) -> float:
    heights = [disc.at[1] for disc in scene.discs]
    return (min(heights) + max(heights)) / 2


def on_paper(scene: Scene, ax: Any) -> Any:
    """Draw a scene on axes, or on axes of its own size."""
    return paint(scene, new_axes(scene) if ax is None else check_axes(ax))


def rolled_scene(
    graph: DelayGraph,
    labels: Mapping[Any, str],
    palette: Any,
    *,
    gap: float = 1.0,
    marks: Sequence[str] | None = None,
    rows: dict[Any, int] | None = None,
) -> Scene:
    """Picture of the base: one column, on badges delays, or what else edges are marked with."""
    rows = rows or rows_of(graph)
    fill = fibre_colours(graph, palette)
    tint = delay_colours(graph.times)
    discs = tuple(
        Disc(v, (0.0, row * gap), RADIUS, fill[v], labels.get(v, show_vertex(v)))
        for v, row in rows.items()
    )
    strokes, badges = [], []
    ends = [(float(rows[edge[0]]), float(rows[edge[1]])) for edge in graph.edges]
    places = [((0.0, low * gap), (0.0, high * gap)) for low, high in ends]
    words = _marks(graph) if marks is None else marks
    moving = [k for k, text in enumerate(words) if text or ends[k][0] == ends[k][1]]
    still = [k for k in range(len(ends)) if k not in set(moving)]
    plain = _direct(ends, still)
    bowed = [k for k in still if k not in plain]
    for k in plain:
        strokes.append(Stroke(graph.edges[k], straight(*places[k]), tint[graph.times[k]]))
    reach = lanes([_span(ends[k]) for k in bowed])
    for k, lane in zip(bowed, reach, strict=True):
        points = bow(*places[k], 0.12 + 0.34 * lane)
        strokes.append(Stroke(graph.edges[k], points, tint[graph.times[k]]))
    wide = max((badge_width(text) for text in words if text), default=0.0)
    tall = max((lane for lane in reach), default=-1) + 1
    for side in (1, -1):
        own = [k for k in moving if (ends[k][1] > ends[k][0]) == (side < 0)]
        start = 0 if side > 0 else tall
        lane_of = lanes([_span(ends[k]) for k in own])
        turns = ports([ends[k] for k in own], lane_of)
        for k, lane, turn in zip(own, lane_of, turns, strict=True):
            far = 0.35 + wide / 2 + max(0.55, wide + 0.1) * (lane + start)
            points = bulge(*places[k], far, side, turn)
            colour = tint[graph.times[k]]
            strokes.append(Stroke(graph.edges[k], points, colour))
            if words[k]:
                badges.append(Badge(graph.edges[k], middle(points), words[k], colour))
    return Scene(discs, tuple(strokes), badges=tuple(badges))


def _marks(graph: DelayGraph) -> list[str]:
    """What stands on each edge: its delay, unless it is zero."""
    words = [
        str(d) if any(parts) else ""
        for d, parts in zip(graph.times, graph.delays.tolist(), strict=True)
    ]
    lone = len(list(filter(None, words))) == 1
    return [f"delay {text}" if lone and text else text for text in words]


def _direct(ends: list[tuple[float, float]], still: list[int]) -> set[int]:
    """Edges that can go straight: to the next row, one for each pair."""
    found: dict[tuple[float, float], int] = {}
    for k in still:
        if abs(ends[k][0] - ends[k][1]) == 1:
            found.setdefault(_span(ends[k]), k)
    return set(found.values())


def _span(pair: tuple[float, float]) -> tuple[float, float]:
    """Rows that an edge passes; a loop takes a little of its own."""
    low, high = min(pair), max(pair)
    return (low, high) if low < high else (low - 0.3, high + 0.3)


def window_scene(U: Any, labels: Mapping[Any, str], palette: Any, *, ghosts: bool) -> Scene:
    """Picture of a window, in a line or in the plane."""
    if isinstance(U.window, range):
        return unrolled_scene(U.delay_graph, U.window, labels, palette, ghosts=ghosts)
    return plane_scene(U.delay_graph, U.window, labels, palette, ghosts=ghosts)


def unrolled_scene(
    graph: DelayGraph,
    window: range,
    labels: Mapping[Any, str],
    palette: Any,
    *,
    ghosts: bool,
    rows: dict[Any, int] | None = None,
) -> Scene:
    """Picture of a window, one column for each time; ghosts stand for what goes on."""
    rows = rows or rows_of(graph)
    fill = fibre_colours(graph, palette)
    tint = delay_colours(graph.times)
    shown = range(window.start - 1, window.stop + 1) if ghosts else window
    column = max(COLUMN, 2 * RADIUS + 0.8 + _widest(graph, rows))
    x = {t: (t - window.start) * column for t in shown}
    discs = []
    for t, (v, row) in product(shown, rows.items()):
        ghost = t not in window
        colour = mixed(fill[v], PAPER, 0.5) if ghost else fill[v]
        label, index = ("", "") if ghost else (labels.get(v, show_vertex(v)), str(t))
        discs.append(Disc((v, t), (x[t], float(row)), RADIUS, colour, label, index, ghost))
    pad = 0.55 if ghosts else 0.0
    bands = tuple(
        Band(
            v,
            min(x.values()) - 0.5 - pad,
            max(x.values()) + 0.5 + pad,
            float(row),
            0.62,
            mixed(fill[v], PAPER, 0.82),
            fades=ghosts,
        )
        for v, row in rows.items()
    )
    strokes = list(_arcs(graph, rows, shown, window, x, tint))
    times = tuple(Text((x[t], -0.75), Formula(f"t = {t}"), QUIET, 0.26) for t in window)
    dots: tuple[Text, ...] = ()
    if ghosts:
        level = (len(rows) - 1) / 2
        dots = tuple(
            Text((side, level), "...", QUIET, 0.4)
            for side in (min(x.values()) - 0.95, max(x.values()) + 0.95)
        )
    return Scene(tuple(discs), tuple(strokes), bands, times + dots)


def _widest(graph: DelayGraph, rows: dict[Any, int]) -> float:
    """How far edges bow to the left of a column."""
    _, _, reach = _still(graph, rows)
    return 0.1 + 0.17 * max(reach.values()) if reach else 0.0


def _still(
    graph: DelayGraph, rows: dict[Any, int]
) -> tuple[list[tuple[float, float]], set[int], dict[int, int]]:
    """Rows of the ends of each edge; which go straight up a column; in which lanes others do."""
    ends = [(float(rows[edge[0]]), float(rows[edge[1]])) for edge in graph.edges]
    still = [k for k, d in enumerate(graph.times) if not d]
    plain = _direct(ends, still)
    bowed = [k for k in still if k not in plain]
    return ends, plain, dict(zip(bowed, lanes([_span(ends[k]) for k in bowed]), strict=True))


def _arcs(
    graph: DelayGraph, rows: dict[Any, int], shown: range, window: range, x: Any, tint: Any
) -> Iterator[Stroke]:
    """Strokes of all copies of the edges, fading where they leave the window."""
    column = x[shown[1]] - x[shown[0]] if len(shown) > 1 else COLUMN
    routes = _routes(graph, rows, column, len(shown))
    for edge, d, route in zip(graph.edges, graph.times, routes, strict=True):
        for t in shown:
            if t + d not in shown or (t not in window and t + d not in window and d):
                continue
            outside = (t not in window, t + d not in window)
            colour = tint[d]
            if all(outside):
                colour = mixed(colour, PAPER, 0.65)
                fade = (0.0, 0.0)
            else:
                fade = (0.85 if outside[0] else 0.0, 0.85 if outside[1] else 0.0)
            arrow = not (outside[1] and not outside[0])
            key = ((edge[0], t), (edge[1], t + d), *edge[2:])
            yield Stroke(key, route + np.array([x[t], 0.0]), colour, 1.6, arrow, fade)


def _routes(graph: DelayGraph, rows: dict[Any, int], column: float, longest: int) -> list[Points]:
    """Routes of the copies that leave at the first column; all others run alike."""
    ends, plain, reach = _still(graph, rows)
    bends = _bends(graph, rows)
    before: dict[Any, int] = {}  # loops at a vertex that go as far
    taken: dict[Any, list[float]] = {}
    routes = []
    for k, d in enumerate(graph.times):
        low, high = ends[k]
        a, b = (0.0, low), (column * d, high)
        if low == high:
            nth = before[low, abs(d)] = before.get((low, abs(d)), -1) + 1
            height = 0.37 + 0.07 * min(abs(d), 4) + 0.12 * nth
            points = arch(a, b, height) if d else turned(a, nth, 0.6, 1.2)
        elif not d:
            points = straight(a, b) if k in plain else bow(a, b, 0.1 + 0.17 * reach[k])
        elif abs(d) >= longest:
            points = straight(a, b)  # of which there is no copy
        else:
            held = taken.setdefault((low, high, d), [])
            used = [*held, *(-far for far in taken.get((high, low, -d), ()))]
            if abs(d) == 1 and not used:
                points, far = across(a, b, bends[k]), 0.0
            else:
                times = range(min(0, d), max(0, d) + 1)
                others = [(column * t, float(row)) for t in times for row in rows.values()]
                others = [at for at in others if at not in (a, b)]
                points, far = passing(a, b, np.array(others).reshape(-1, 2), used)
            held.append(far)
        routes.append(points)
    return routes


def _bends(graph: DelayGraph, rows: dict[Any, int]) -> dict[int, float]:
    """Where the edges out of one vertex climb: those that go farther, farther from it."""
    out: dict[Any, list[int]] = {}
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        if d and edge[0] != edge[1]:
            out.setdefault(edge[0], []).append(k)
    found = {}
    for numbers in out.values():
        order = sorted(
            numbers, key=lambda k: -abs(rows[graph.edges[k][1]] - rows[graph.edges[k][0]])
        )
        for place, k in enumerate(order):
            found[k] = 0.5 if len(order) == 1 else 0.3 + 0.45 * place / (len(order) - 1)
    return found
