"""A window of an unrolling, alone or beside its base graph.

A window over Z has columns for each time, with the arrangement of the base graph. If there is too
little space, the first time steps and the last one are drawn.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from unrollgraph.cover._unroll import unroll
from unrollgraph.cover.lift import Lift
from unrollgraph.cover.windows import WindowLike
from unrollgraph.draw._plane import plane_scene
from unrollgraph.draw._rolled import direct, rolled_scene, span
from unrollgraph.draw.layout import (
    Spot,
    across,
    arch,
    bow,
    clearance,
    corridor,
    fibre_colors,
    passing,
    rising,
    straight,
    through,
    tracks,
    turned,
)
from unrollgraph.draw.ranks import Arrangement, arranged, ranks_of
from unrollgraph.draw.render import (
    MOST_EDGES,
    check_drawable,
    on_paper,
)
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    QUIET,
    Band,
    Color,
    Formula,
    Points,
    Scene,
    Stroke,
    Text,
    as_walk,
    delay_pens,
    extent,
    flattened_all,
    lifted,
    lit_scene,
    mixed,
    shifted,
    text_width,
)
from unrollgraph.draw.style import RADIUS, Style, as_labels, broken
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


def unrolled(  # noqa: PLR0913  (options of a picture)
    U: Lift,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    ghosts: bool = False,
    max_edges: int = MOST_EDGES,
) -> Axes:
    """Draw a window of an unrolling, with one or more columns of vertices for each time.

    Vertices that no edge of delay zero orders stand side by side. If the window is too long
    for the width, the first time steps and the last one are drawn.

    Parameters
    ----------
    U : Lift
        A window over Z or Z^2, as returned by `unroll`; over Z^2, each time has a cell.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on (default: axes of a new figure).
    labels : mapping, optional
        Labels of base vertices (default: their names); ``"$h_1$"`` is set as a formula.
    palette : sequence or mapping, optional
        Colors to use in turn (default: Okabe-Ito), or a mapping from base vertices to colors.
    walk : sequence of edges, optional
        Walk of U to highlight, also against the direction of edges; an edge is ``(u, v)``, or
        ``(u, v, key)`` in a multigraph.
    width : {"column", "text", "slide"} or float, optional
        Printed width, as for `rolled`.
    ghosts : bool
        Whether to show pale copies one step outside the window.
    max_edges : int
        Largest number of edges to draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, LiftError
        If ``U`` is not a window, or ``walk`` is not a walk of it.
    ValueError
        If times have more than two axes, or there are too many edges.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.unrolled(ug.unroll(ug.gallery.seed_network(), 4))
    >>> ax.texts[-1].get_text()
    '$t = 3$'
    """
    check_drawable(U, max_edges)
    lit = None if walk is None else {*as_walk(U, walk, directed=False)}
    style = Style(as_labels(labels), palette, steps=columns(U, walk))
    return on_paper(lambda s: window_scene(U, s, ghosts=ghosts), style, ax, width, U.base, lit)


def side_by_side(  # noqa: PLR0913  (options of a picture)
    G: GraphLike,
    window: WindowLike,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    palette: Any = None,
    walk: Iterable[Any] | None = None,
    width: Width | None = None,
    ghosts: bool = True,
    max_edges: int = MOST_EDGES,
    delay: str = "delay",
) -> Axes:
    """Draw a delay graph and a window of its unrolling in the same rows.

    Parameters
    ----------
    G, ax, labels, palette, walk, width, delay
        See `rolled`; delays in Z or Z^2. The lift of the walk is highlighted too.
    window : range, int or tuple
        See `unroll`.
    ghosts, max_edges
        See `unrolled`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If delays are not in Z or Z^2, there are too many edges, or the lift leaves the window.
    LiftError
        If ``walk`` is not a walk of G.

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
    lit = None if walk is None else {*chain(*lifted(U, walk))}

    def build(style: Style) -> Scene:
        left = rolled_scene(graph, style)
        right = window_scene(U, style, ghosts=ghosts, names=False)
        if lit is not None:
            left, right = lit_scene(left, lit), lit_scene(right, lit)
        return beside(left, right)

    style = Style(as_labels(labels), palette, steps=columns(U, walk))
    return on_paper(build, style, ax, width, graph.vertices)


def columns(U: Any, walk: Any) -> int | None:
    """Number of columns of a window that may be left out; a walk is shown in full."""
    return len(U.window) if walk is None and isinstance(U.window, range) else None


def beside(
    left: Scene,
    right: Scene,
    names: tuple[str, str, str] = ("rolled", "unrolled", r"\pi(v, t) = v"),
) -> Scene:
    """Put the base graph to the left of a cover, with titles and an arrow for the projection."""
    left = shifted(left, 0.0, _middle_height(right) - _middle_height(left))
    right = shifted(right, extent(left)[2] - extent(right)[0] - 0.2)
    above = max(extent(left)[3], extent(right)[3]) + 0.1
    center = (extent(right)[0] + extent(right)[2]) / 2
    near, far = (text_width(Text((0.0, 0.0), name, INK, 0.32)) / 2 for name in names[:2])
    lacking = near + far + 1.4 - center  # space for the arrow between the titles
    if lacking > 0:
        right, center = shifted(right, lacking), center + lacking
    titles = (
        Text((0.0, above), names[0], INK, 0.32),
        Text((center, above), names[1], INK, 0.32),
        Text(((near + center - far) / 2, above + 0.28), Formula(names[2]), QUIET, 0.28),
    )
    arrow = np.linspace((center - far - 0.2, above), (near + 0.2, above), 4)
    return (
        left + right + Scene(texts=titles, strokes=(Stroke("projection", arrow, QUIET, (), 1.2),))
    )


def _middle_height(scene: Scene) -> float:
    heights = [disc.at[1] for disc in scene.discs]
    return (min(heights) + max(heights)) / 2


def window_scene(U: Any, style: Style, *, ghosts: bool, names: bool = True) -> Scene:
    if isinstance(U.window, range):
        return unrolled_scene(U.delay_graph, U.window, style, ghosts=ghosts, names=names)
    return plane_scene(U.delay_graph, U.window, style, ghosts=ghosts)


@dataclass(frozen=True)
class _Block:
    """Consecutive columns of a window, with a column of ghosts or a gap at each end."""

    times: range
    place: int  # of its first column
    ends: tuple[bool, bool]  # whether edges may fade on the left and on the right

    @property
    def shown(self) -> range:
        return range(self.times.start - self.ends[0], self.times.stop + self.ends[1])


def _blocks(window: range, most: int | None, *, ghosts: bool) -> list[_Block]:
    """The whole window, or its first columns and its last one."""
    if most is None or len(window) <= most:
        return [_Block(window, 0, (ghosts, ghosts))]
    first = range(window.start, window.start + most - 1)
    return [_Block(first, 0, (ghosts, True)), _Block(window[-1:], most, (True, ghosts))]


def unrolled_scene(
    graph: DelayGraph,
    window: range,
    style: Style,
    *,
    ghosts: bool,
    places: Arrangement | None = None,
    names: bool = True,
) -> Scene:
    """Scene of a window over Z, with columns for each time, and for ghosts at each end.

    If the name of a vertex alone in its rank does not fit in its disc, all such names stand at the
    left of their rows, or not at all if ``names`` is false.
    """
    fill = fibre_colors(graph, style.palette)
    ghosts = ghosts and style.ghosts
    blocks = _blocks(window, style.steps, ghosts=ghosts)
    last = max((str(t) for t in window), key=len, default="")
    wide = {v: style.disc(v, (0.0, 0.0), fill[v], style.label(v), last).wide for v in fill}
    at_row: set[Any] = set()
    if places is None:
        ranks = ranks_of(graph, style.abreast)
        lone = {rank[0] for rank in ranks if len(rank) == 1}
        in_column = style.pills and len(lone) == len(wide)
        if style.at_rows or (in_column and any(wide[v] > WIDE for v in lone)):
            at_row = {*wide} if style.at_rows else lone
            wide |= {v: style.disc(v, (0.0, 0.0), fill[v], "", last).wide for v in at_row}
        places = arranged(ranks, graph, wide)
    spots = places.spots
    label = {v: "" if v in at_row else style.label(v) for v in spots}
    column = _column(graph, places, style)
    x = {t: (b.place + t - b.times.start) * column for b in blocks for t in b.times}
    discs = []
    indexed = all(style.shows(words, last) for words in label.values())
    for t, (v, spot) in product(x, spots.items()):
        index = str(t) if indexed else ""
        disc = style.disc((v, t), (x[t] + spot.x, spot.y), fill[v], label[v], index)
        discs.append(disc if disc.wide == spot.wide else replace(disc, wide=spot.wide))
    if ghosts:
        outer = (window.start - 1, -1), (window.stop, blocks[-1].place + len(blocks[-1].times))
        for t, place in outer:
            for v, spot in spots.items():
                disc = style.disc((v, t), (place * column + spot.x, spot.y), fill[v])
                discs.append(
                    replace(disc, fill=mixed(fill[v], PAPER, 0.5), ghost=True, wide=spot.wide)
                )
    strokes = _arcs(graph, places, blocks, column, ghosts=ghosts)
    scene = Scene(tuple(discs), tuple(strokes))
    ends = [disc.at[0] + side * disc.wide for disc in discs for side in (-1, 1)]
    return scene + _margins(
        scene, style, fill, (min(ends), max(ends)), x, at_row if names else set()
    )


WIDE = 0.12  # least half-width of a pill for which names stand at the rows


def _margins(
    scene: Scene,
    style: Style,
    fill: Mapping[Any, Color],
    ends: tuple[float, float],
    x: Mapping[int, float],
    at_row: set[Any],
) -> Scene:
    """Bands behind the rows, times below them, and names at their left."""
    ghosts = any(disc.ghost for disc in scene.discs)
    pad = 0.5 + (0.55 if ghosts else 0.0)
    # vertices from left to right
    height = {d.key[0]: d.at[1] for d in sorted(scene.discs, key=lambda d: d.at[0])}
    bands = row_bands(height, fill, ends, pad, fades=ghosts)
    step = min((b - a for a, b in pairwise(x.values())), default=math.inf)
    times = [
        Text((at, -0.75), Formula(f"t = {t}"), QUIET, max(0.26, style.least)) for t, at in x.items()
    ]
    if max(map(text_width, times)) > 0.9 * step:
        times = [replace(text, words=Formula(t)) for text, t in zip(times, x, strict=True)]
        times.append(
            Text((ends[0] - 0.1 - pad, -0.75), Formula("t ="), QUIET, times[0].size, "right")
        )
    level = (min(height.values()) + max(height.values())) / 2
    dots = []
    if ghosts:
        dots = [Text((end, level), "...", QUIET, 0.4) for end in (ends[0] - 0.95, ends[1] + 0.95)]
    for (a, one), (b, other) in pairwise(x.items()):
        if b - a > 1:
            dots.append(Text(((one + other) / 2, level), "...", INK, 0.5))
    size = max(0.22, style.least)
    lines = max(1, min(3, int(0.95 / (1.15 * size))))
    reach = [float(line[:, 0].min()) - 0.15 for line in flattened_all(scene.strokes, 6)]
    left = min([ends[0] - pad - 0.1 - 0.4 * ghosts, *reach])
    names = [
        Text((left, y), _in_lines([style.label(v) for v in rank], lines), INK, size, "right")
        for y, rank in _ranked(height).items()
        if at_row.issuperset(rank)
    ]
    return Scene(bands=bands, texts=(*times, *dots, *names))


def row_bands(
    height: Mapping[Any, float],
    fill: Mapping[Any, Color],
    ends: Sequence[float],
    pad: float,
    *,
    fades: bool = False,
) -> tuple[Band, ...]:
    """Bands behind rows: in the color of the fibre, or gray if it is not alone in its row."""
    counts, left, right = Counter(height.values()), min(ends) - pad, max(ends) + pad
    gray = mixed(QUIET, PAPER, 0.9)
    rows = {y: v for v, y in height.items()}
    return tuple(
        Band(
            v, left, right, y, 0.62, mixed(fill[v], PAPER, 0.82) if counts[y] == 1 else gray, fades
        )
        for y, v in rows.items()
    )


def _ranked(height: Mapping[Any, float]) -> dict[float, list[Any]]:
    ranks: dict[float, list[Any]] = {}
    for v, y in height.items():
        ranks.setdefault(y, []).append(v)
    return ranks


_ONE_LINE = 16  # letters; fewer names of a rank stand in one line


def _in_lines(labels: Sequence[str], most: int) -> str:
    """Labels of a rank, separated by spaces."""
    if any(isinstance(label, Formula) for label in labels):
        words = (w if isinstance(w, Formula) else rf"\mathrm{{{_escaped(w)}}}" for w in labels)
        return Formula(r"\quad ".join(words))
    line = "  ".join(labels)
    return line if len(labels) > 1 and len(line) <= _ONE_LINE else "\n".join(broken(line, most))


def _escaped(words: str) -> str:
    """Text as a part of a formula."""
    words = re.sub(r"([_$%#&{}])", r"\\\1", words.replace("\\", r"\backslash "))
    return words.replace("^", r"\wedge ").replace(" ", r"\ ")


def _column(graph: DelayGraph, places: Arrangement, style: Style) -> float:
    """Distance of time steps."""
    spots = places.spots
    edges = [(spot.x + side * (spot.wide + RADIUS)) for spot in spots.values() for side in (-1, 1)]
    edges += [float(x) for way in places.ways.values() for x in way[:, 0]]
    bows = _still(graph, spots)[1] if places.is_column else {}
    aside = 0.1 + 0.17 * max(bows.values()) if bows else 0.0
    return max(style.column, max(edges) - min(edges) + style.column / 2 + aside)


def _still(graph: DelayGraph, spots: Mapping[Any, Spot]) -> tuple[set[int], dict[int, int]]:
    """Edges of delay zero beside a column: the straight ones, and the tracks of the others."""
    ends = [(spots[edge[0]].y, spots[edge[1]].y) for edge in graph.edges]
    still = [k for k, d in enumerate(graph.times) if not d]
    plain = direct(ends, still)
    bowed = [k for k in still if k not in plain]
    return plain, dict(zip(bowed, tracks([span(ends[k]) for k in bowed]), strict=True))


def _arcs(
    graph: DelayGraph,
    places: Arrangement,
    blocks: Sequence[_Block],
    column: float,
    *,
    ghosts: bool,
) -> Iterator[Stroke]:
    pens = delay_pens(graph.times)
    longest = max(len(block.shown) for block in blocks)
    routes = _routes(graph, places, column, longest)
    for block, (edge, d, route) in product(
        blocks, zip(graph.edges, graph.times, routes, strict=True)
    ):
        for t in block.shown:
            outside = (t not in block.times, t + d not in block.times)
            if t + d not in block.shown or (all(outside) and (d or not ghosts)):
                continue
            if all(outside) and t not in (blocks[0].shown[0], blocks[-1].shown[-1]):
                continue  # in a gap
            color, dash = pens[d]
            fade = (0.85 if outside[0] else 0.0, 0.85 if outside[1] else 0.0)
            if all(outside):
                color, fade = mixed(color, PAPER, 0.65), (0.0, 0.0)
            arrow = not (outside[1] and not outside[0])
            key = ((edge[0], t), (edge[1], t + d), *edge[2:])
            at = (block.place + t - block.times.start) * column
            yield Stroke(
                key, route[t % len(route)] + np.array([at, 0.0]), color, dash, 1.6, arrow, fade
            )


def _routes(
    graph: DelayGraph, places: Arrangement, column: float, longest: int
) -> list[list[Points]]:
    """Routes of the copies that start in the column at x = 0; the others are their translates."""
    # the copies of an edge over a row take turns at several heights, since they overlap
    spots, alone = places.spots, places.is_column
    plain, reach = _still(graph, spots) if alone else (set(), {})
    wide = 1.2 * max(spot.wide for spot in spots.values())
    bends = _bends(graph, spots)
    loops: dict[Any, int] = {}  # loops at a vertex with delays of the same absolute value
    taken: dict[Any, list[float]] = {}
    routes: list[list[Points]] = []
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        a, end = spots[edge[0]], spots[edge[1]]
        b = Spot(end.x + column * d, end.y, end.wide)
        if edge[0] == edge[1]:
            nth = loops[a, abs(d)] = loops.get((a, abs(d)), -1) + 1
            steep = min(40.0 + 20 * (abs(d) - 1) + 8 * nth, 80.0)
            top = min(0.37 + 0.07 * abs(d), 0.62) + 0.12 * nth
            heights = np.linspace(top, min(top, 0.42 + 0.12 * nth), max(1, min(abs(d), 4)))
            routes.append(
                [arch(a, b, h, steep) if d else turned(a, nth, 0.6, 1.2) for h in heights]
            )
            continue
        if not d and alone:
            route = straight(a, b) if k in plain else bow(a, b, 0.1 + 0.17 * reach[k], wide)
            routes.append([route])
            continue
        if abs(d) >= longest:
            routes.append([straight(a, b)])  # too long to have a copy in the window
            continue
        held = taken.setdefault((a, end, d), [])
        used = [*held, *(-far for far in taken.get((end, a, -d), ()))]
        times = range(min(0, d) - 1, max(0, d) + 2)
        others = [Spot(s.x + column * t, s.y, s.wide) for t in times for s in spots.values()]
        points = np.array([s for s in others if s not in (a, b)]).reshape(-1, 3)
        if k in places.ways:
            held.append(0.0)
            routes.append([through(a, places.ways[k], b, points)])
            continue
        near = not d and not used and abs(a.y - b.y) == places.row
        if near and (free := rising(a, b, points)) is not None:
            held.append(0.0)
            routes.append([free])
            continue
        route, far = across(a, b, bends.get(k, 0.5)), 0.0
        if abs(d) != 1 or used or clearance(route, points) < 0.05:
            route, far = passing(a, b, points, used)
        if d and (abs(far) > 1.2 or clearance(route, points) < 0.03):
            gap = column * (d - math.copysign(0.5, d))  # between the columns before the head
            free = corridor(a, b, gap, points, len(used))
            route = route if free is None else free
        held.append(far)
        routes.append([route])
    return routes


def _bends(graph: DelayGraph, spots: Mapping[Any, Spot]) -> dict[int, float]:
    """Bend of each edge for `across`; edges to distant rows bend closer to their tail."""
    out: dict[Any, list[int]] = {}
    for k, (edge, d) in enumerate(zip(graph.edges, graph.times, strict=True)):
        if d and edge[0] != edge[1]:
            out.setdefault(edge[0], []).append(k)
    found = {}
    for numbers in out.values():
        order = sorted(
            numbers, key=lambda k: -abs(spots[graph.edges[k][1]].y - spots[graph.edges[k][0]].y)
        )
        for place, k in enumerate(order):
            found[k] = 0.5 if len(order) == 1 else 0.3 + 0.45 * place / (len(order) - 1)
    return found
