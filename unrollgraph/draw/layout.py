"""Where vertices stand: rows by what is computed first, columns by time.

Every vertex of the base has a row of its own, and all its copies stand in it, so that the
projection of a window is a horizontal one. Rows go up in the order of the edges of delay
zero, ties as the vertices were given; where such edges form a cycle its vertices stay
together. Columns are times. For delays in Z^2 each time is a cell of its own in the plane.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from unrollgraph.draw.palette import Colour, vertex_colours
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import strong_components

RADIUS = 0.27  # of a vertex, in rows
COLUMN = 1.6  # from one time to the next, in rows


def rows_of(graph: DelayGraph) -> dict[Any, int]:
    """Row of each vertex, counted from below."""
    still = np.flatnonzero(~graph.delays.any(axis=1))
    n = len(graph.vertices)
    tails, heads = graph.tails[still], graph.heads[still]
    piece = strong_components(n, tails, heads).tolist()
    members: dict[int, list[int]] = {}
    for v, own in enumerate(piece):
        members.setdefault(own, []).append(v)
    after: dict[int, list[int]] = {own: [] for own in members}
    waiting = dict.fromkeys(members, 0)
    for u, v in zip(tails.tolist(), heads.tolist(), strict=True):
        if piece[u] != piece[v]:
            after[piece[u]].append(piece[v])
            waiting[piece[v]] += 1
    # of what is ready, what was given first
    ready = [(own[0], p) for p, own in members.items() if not waiting[p]]
    heapify(ready)
    rows: dict[Any, int] = {}
    while ready:
        _, p = heappop(ready)
        for v in members[p]:
            rows[graph.vertices[v]] = len(rows)
        for q in after[p]:
            waiting[q] -= 1
            if not waiting[q]:
                heappush(ready, (members[q][0], q))
    return rows


def fibre_colours(graph: DelayGraph, palette: Any) -> dict[Any, Colour]:
    """Colour of each fibre, in the order of the rows."""
    rows = rows_of(graph)
    return vertex_colours(sorted(rows, key=rows.__getitem__), palette)
