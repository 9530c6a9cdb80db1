"""Windows over Z^2: one cell of the plane for each time, with all vertices in each cell.

In each cell the vertices are arranged in the same row or circle, chosen such that edges hit few
vertices and bend little; all copies of an edge have the same shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from unrollgraph.draw.layout import (
    clearance,
    fibre_colors,
    passing,
    rows_of,
    spot,
    turned,
)
from unrollgraph.draw.scene import (
    PAPER,
    QUIET,
    Formula,
    Points,
    Scene,
    Shape,
    Stroke,
    Text,
    delay_pens,
    mixed,
)
from unrollgraph.draw.style import Style
from unrollgraph.graph.delay_graph import DelayGraph

_APART = 0.95  # distance of neighbors in a cell
_AROUND = (1.25, 1.9, 2.6)  # gaps between the contents of two cells, tried in this order


def plane_scene(
    graph: DelayGraph,
    window: tuple[range, range],
    style: Style,
    *,
    ghosts: bool,
) -> Scene:
    """Scene of a window over Z^2, with the first axis of time to the right and the second up."""
    rows = rows_of(graph)
    fill = fibre_colors(graph, style.palette)
    pens = delay_pens(graph.times)
    wide = {v: style.disc(v, (0.0, 0.0), fill[v], style.label(v)).wide for v in rows}
    offsets, cell, routes = _arranged(graph, wide)
    margin = 1 if ghosts else 0
    inside = set(product(*window))
    shown = list(product(*(range(axis.start - margin, axis.stop + margin) for axis in window)))
    origin = np.array([axis.start for axis in window])
    corner = {t: cell * (np.array(t) - origin) for t in shown}
    strokes = []
    for edge, d, route in zip(graph.edges, graph.times, routes, strict=True):
        for t in shown:
            end = (t[0] + d[0], t[1] + d[1])
            outside = (t not in inside, end not in inside)
            if end not in corner or all(outside):
                continue
            fade = (0.85 if outside[0] else 0.0, 0.85 if outside[1] else 0.0)
            key = ((edge[0], t), (edge[1], end), *edge[2:])
            points = route + corner[t]
            strokes.append(Stroke(key, points, *pens[d], 1.6, not outside[1], fade))
    met = {end for stroke in strokes for end in stroke.key[:2]}
    discs = []
    for t, v in product(shown, rows):
        ghost = t not in inside
        if ghost and (v, t) not in met:
            continue
        x, y = (corner[t] + offsets[v]).tolist()
        color = mixed(fill[v], PAPER, 0.6) if ghost else fill[v]
        disc = style.disc((v, t), (x, y), color, "" if ghost else style.label(v))
        discs.append(replace(disc, ghost=ghost, wide=wide[v]))
    left = min([-cell / 2, *(disc.at[0] - disc.wide - 0.35 for disc in discs)])
    low = min([-cell / 2, *(disc.at[1] - 0.35 for disc in discs)])
    return Scene(
        tuple(discs),
        tuple(strokes),
        texts=tuple(_times(window, cell, left, low)),
        shapes=tuple(_cells(corner, inside, cell)),
    )


def _cells(corner: dict[Any, Points], inside: set[Any], cell: float) -> Iterator[Shape]:
    half = cell / 2 - 0.09
    square = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    for t in inside:
        yield Shape(t, square + corner[t], mixed(QUIET, PAPER, 0.9))


def _times(window: tuple[range, range], cell: float, left: float, low: float) -> Iterator[Text]:
    for k, t in enumerate(window[0]):
        words = f"t_1 = {t}" if k == 0 else str(t)
        yield Text((k * cell, low - 0.3), Formula(words), QUIET, 0.26)
    for k, t in enumerate(window[1]):
        words = f"t_2 = {t}" if k == 0 else str(t)
        yield Text((left - 0.1, k * cell), Formula(words), QUIET, 0.26, "right")


def _arranged(
    graph: DelayGraph, wide: Mapping[Any, float]
) -> tuple[dict[Any, Points], float, list[Points]]:
    """Places of the vertices in a cell, its size, and routes of edges from the cell at 0."""
    widest = max(wide.values())
    found: tuple[tuple[int, float], Any] | None = None
    for around in _AROUND:
        for places in _arrangements(len(wide), _APART + 2 * widest):
            cell = float(np.ptp(places, axis=0).max()) + around + 2 * widest
            offsets = dict(zip(wide, places, strict=True))
            routes, bows, hidden = _routes(graph, offsets, cell, wide)
            cost = hidden, round(4 * sum(bows) + cell, 6)
            if found is None or cost < found[0]:
                found = cost, (offsets, cell, routes)
        if found and not found[0][0]:
            break
    assert found is not None
    return found[1]  # type: ignore[no-any-return]


def _arrangements(n: int, apart: float) -> Iterator[Points]:
    if n == 1:
        yield np.zeros((1, 2))
        return
    for degrees in (45, 135, 63, 27, 90):
        angle = math.radians(degrees)
        along = (np.arange(n) - (n - 1) / 2)[:, None] * apart
        yield along * np.array([math.cos(angle), math.sin(angle)])
    if n > 2:
        radius = apart / (2 * math.sin(math.pi / n))
        for turn in range(8):
            angles = 2 * math.pi * (np.arange(n) / n + turn / (8 * n)) - math.pi / 2
            yield radius * np.column_stack([np.cos(angles), np.sin(angles)])


def _routes(
    graph: DelayGraph, offsets: dict[Any, Points], cell: float, wide: Mapping[Any, float]
) -> tuple[list[Points], list[float], int]:
    """Routes of edges from the cell at 0, their bends, and how many hit another vertex."""
    routes, bows, hidden = [], [], 0
    taken: dict[Any, list[float]] = {}
    loops: dict[Any, int] = {}
    near = np.array(list(product((-1, 0, 1), repeat=2)))
    for edge, d in zip(graph.edges, graph.times, strict=True):
        a = offsets[edge[0]]
        b = offsets[edge[1]] + cell * np.array(d)
        start, end = spot(a, wide[edge[0]]), spot(b, wide[edge[1]])
        if np.allclose(a, b):
            nth = loops[edge[0]] = loops.get(edge[0], -1) + 1
            routes.append(turned(start, nth, math.radians(110), math.pi / 2, 0.3))
            bows.append(0.0)
            continue
        line = np.array(d) * np.linspace(0, 1, max(map(abs, d)) + 1)[:, None]
        cells = np.unique((line.round()[:, None] + near).reshape(-1, 2), axis=0)
        others = np.array([[*(o + cell * c), wide[v]] for v, o in offsets.items() for c in cells])
        keep = np.hypot(*(others[:, :2] - a).T) > 1e-9
        keep &= np.hypot(*(others[:, :2] - b).T) > 1e-9
        between = edge[0], edge[1], d
        held = taken.setdefault(between, [])
        back = edge[1], edge[0], (-d[0], -d[1])
        others = others[keep]
        points, bow = passing(start, end, others, [*held, *(-h for h in taken.get(back, ()))])
        hidden += clearance(points, others) < 0
        held.append(bow)
        routes.append(points)
        bows.append(abs(bow))
    return routes, bows, hidden
