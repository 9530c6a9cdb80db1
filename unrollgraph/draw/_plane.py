"""Windows over Z^2: each time a cell of the plane, and the same small graph in every cell.

In a cell the vertices of the base stand in a row or on a circle, turned so that edges bow as
little as can be; then every copy of an edge runs alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from unrollgraph.draw.layout import RADIUS, fibre_colours, passing, rows_of, turned
from unrollgraph.draw.scene import (
    PAPER,
    QUIET,
    Disc,
    Formula,
    Points,
    Scene,
    Shape,
    Stroke,
    Text,
    delay_colours,
    flattened,
    mixed,
)
from unrollgraph.errors import show_vertex
from unrollgraph.graph.delay_graph import DelayGraph

_APART = 0.95  # between neighbours in a cell
_AROUND = (1.25, 1.9, 2.6)  # from what is in a cell to what is in the next, if need be more


def plane_scene(
    graph: DelayGraph,
    window: tuple[range, range],
    labels: Mapping[Any, str],
    palette: Any,
    *,
    ghosts: bool,
) -> Scene:
    """Picture of a window over Z^2, the first time to the right and the second up."""
    rows = rows_of(graph)
    fill = fibre_colours(graph, palette)
    tint = delay_colours(graph.times)
    offsets, cell, routes = _arranged(graph, sorted(rows, key=rows.__getitem__))
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
            strokes.append(Stroke(key, points, tint[d], 1.6, not outside[1], fade))
    met = {end for stroke in strokes for end in stroke.key[:2]}
    discs = []
    for t, v in product(shown, rows):
        ghost = t not in inside
        if ghost and (v, t) not in met:
            continue
        x, y = (corner[t] + offsets[v]).tolist()
        colour = mixed(fill[v], PAPER, 0.6) if ghost else fill[v]
        label = "" if ghost else labels.get(v, show_vertex(v))
        discs.append(Disc((v, t), (x, y), RADIUS, colour, label, "", ghost))
    return Scene(
        tuple(discs),
        tuple(strokes),
        texts=tuple(_times(window, cell, cell * (0.5 + margin))),
        shapes=tuple(_cells(corner, inside, cell)),
    )


def _cells(corner: dict[Any, Points], inside: set[Any], cell: float) -> Iterator[Shape]:
    half = cell / 2 - 0.09
    square = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    for t in inside:
        yield Shape(t, square + corner[t], mixed(QUIET, PAPER, 0.9))


def _times(window: tuple[range, range], cell: float, away: float) -> Iterator[Text]:
    for k, t in enumerate(window[0]):
        words = f"t_1 = {t}" if k == 0 else str(t)
        yield Text((k * cell, -away - 0.3), Formula(words), QUIET, 0.26)
    for k, t in enumerate(window[1]):
        words = f"t_2 = {t}" if k == 0 else str(t)
        yield Text((-away - 0.1, k * cell), Formula(words), QUIET, 0.26, "right")


def _arranged(
    graph: DelayGraph, vertices: list[Any]
) -> tuple[dict[Any, Points], float, list[Points]]:
    """Places of the vertices in a cell, its size, and routes from the cell at the origin."""
    found: tuple[tuple[int, float], Any] | None = None
    for around in _AROUND:
        for places in _arrangements(len(vertices)):
            cell = float(np.ptp(places, axis=0).max()) + around
            offsets = dict(zip(vertices, places, strict=True))
            routes, bows, hidden = _routes(graph, offsets, cell)
            cost = hidden, round(4 * sum(bows) + cell, 6)
            if found is None or cost < found[0]:
                found = cost, (offsets, cell, routes)
        if found and not found[0][0]:
            break
    assert found is not None
    return found[1]  # type: ignore[no-any-return]


def _arrangements(n: int) -> Iterator[Points]:
    """Ways to stand n vertices in a cell, about its middle."""
    if n == 1:
        yield np.zeros((1, 2))
        return
    for degrees in (45, 135, 63, 27, 90):
        angle = math.radians(degrees)
        along = (np.arange(n) - (n - 1) / 2)[:, None] * _APART
        yield along * np.array([math.cos(angle), math.sin(angle)])
    if n > 2:
        radius = _APART / (2 * math.sin(math.pi / n))
        for turn in range(8):
            angles = 2 * math.pi * (np.arange(n) / n + turn / (8 * n)) - math.pi / 2
            yield radius * np.column_stack([np.cos(angles), np.sin(angles)])


def _routes(
    graph: DelayGraph, offsets: dict[Any, Points], cell: float
) -> tuple[list[Points], list[float], int]:
    """Routes of the edges that leave the cell at the origin, how far they bow, how many hit."""
    routes, bows, hidden = [], [], 0
    taken: dict[Any, list[float]] = {}
    loops: dict[Any, int] = {}
    near = np.array(list(product((-1, 0, 1), repeat=2)))
    for edge, d in zip(graph.edges, graph.times, strict=True):
        a = offsets[edge[0]]
        b = offsets[edge[1]] + cell * np.array(d)
        if np.allclose(a, b):
            nth = loops[edge[0]] = loops.get(edge[0], -1) + 1
            routes.append(turned((a[0], a[1]), nth, math.radians(110), math.pi / 2, 0.3))
            bows.append(0.0)
            continue
        line = np.array(d) * np.linspace(0, 1, max(map(abs, d)) + 1)[:, None]
        cells = np.unique((line.round()[:, None] + near).reshape(-1, 2), axis=0)
        others = np.array([o + cell * c for o in offsets.values() for c in cells])
        keep = np.hypot(*(others - a).T) > 1e-9
        keep &= np.hypot(*(others - b).T) > 1e-9
        between = edge[0], edge[1], d
        held = taken.setdefault(between, [])
        back = edge[1], edge[0], (-d[0], -d[1])
        others = others[keep]
        points, bow = passing(
            (a[0], a[1]), (b[0], b[1]), others, [*held, *(-h for h in taken.get(back, ()))]
        )
        away = others[:, None] - flattened(points)
        hidden += bool((np.hypot(away[..., 0], away[..., 1]) < RADIUS).any())
        held.append(bow)
        routes.append(points)
        bows.append(abs(bow))
    return routes, bows, hidden
