"""Layered layout of the vertices of one time step.

The rank of a vertex is the length of a longest path to it, among edges of delay zero, except that a
vertex without such an edge into it stands one rank below its first successor. An edge over several
ranks has a point in each rank between its ends. Crossings are reduced by sorting each rank by the
mean places of neighbors, in sweeps up and down; then the places in a rank are the ones of least
squares from the mean places of neighbors, with the order and the distances kept. The method is that
of K. Sugiyama, S. Tagawa and M. Toda, Methods for visual understanding of hierarchical system
structures (1981).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.draw.layout import Spot, rows_of
from unrollgraph.draw.scene import Points
from unrollgraph.draw.style import RADIUS
from unrollgraph.graph.delay_graph import DelayGraph

_BESIDE = 0.36  # gap between neighbors in a rank
_THIN = 0.3  # width of an edge in a rank
_DENSE = 1.5  # distance of ranks with many edges between them
_SWEEPS = 8
_MOST = 1500  # edges; ranks of larger graphs are not sorted


@dataclass(frozen=True)
class Arrangement:
    """Places of the vertices of a time step, and of the points of long edges of delay zero."""

    spots: Mapping[Any, Spot]
    ways: Mapping[int, Points] = field(default_factory=dict)  # by number of the edge
    row: float = 1.0  # distance of ranks

    @property
    def is_column(self) -> bool:
        """Whether all vertices stand in one column."""
        return len({spot.x for spot in self.spots.values()}) < 2


def column_of(graph: DelayGraph) -> Arrangement:
    """All vertices in one column."""
    return Arrangement({v: Spot(0.0, float(row)) for v, row in rows_of(graph).items()})


def arranged(
    ranks: Sequence[Sequence[Any]],
    graph: DelayGraph,
    wide: Mapping[Any, float],
    between: Mapping[frozenset[Any], float] | None = None,
) -> Arrangement:
    """Arrange vertices in given ranks; ``wide`` is of their pills, ``between`` of badges."""
    height = {v: y for y, rank in enumerate(ranks) for v in rank}
    if all(len(rank) == 1 for rank in ranks):
        return Arrangement({v: Spot(0.0, float(y), wide[v]) for v, y in height.items()})
    layers: list[list[Any]] = [list(rank) for rank in ranks]
    links: list[tuple[Any, Any]] = []  # between neighboring ranks, upward
    chains: dict[int, list[Any]] = {}
    for k in np.flatnonzero(~graph.delays.any(axis=1)).tolist():
        u, v = sorted(graph.edges[k][:2], key=height.__getitem__)
        chain = [(_Point(k, y)) for y in range(height[u] + 1, height[v])]
        for point in chain:
            layers[point.rank].append(point)
        ends = [u, *chain, v]
        links += [pair for pair in pairwise(ends) if pair[0] != pair[1]]
        if chain:
            chains[k] = chain
    if len(links) <= _MOST:
        layers = _sorted(layers, links)
    x = _placed(layers, links, wide, between or {})
    row = _DENSE if len(links) > 2 * len(height) else 1.0
    spots = {v: Spot(round(x[v], 6), row * y, wide[v]) for v, y in height.items()}
    ways = {}
    for k, chain in chains.items():
        up = height[graph.edges[k][0]] < height[graph.edges[k][1]]
        points = np.array([(x[point], row * point.rank) for point in chain])
        ways[k] = points if up else points[::-1]
    return Arrangement(spots, ways, row)


@dataclass(frozen=True)
class _Point:
    """Point of a long edge in a rank."""

    edge: int
    rank: int


def ranks_of(graph: DelayGraph, abreast: int) -> list[list[Any]]:
    """Vertices of a time step in ranks from the bottom up, at most ``abreast`` in each.

    Parts of the graph that no edge of delay zero joins stand above each other.
    """
    rows = rows_of(graph)
    still = [graph.edges[k][:2] for k in np.flatnonzero(~graph.delays.any(axis=1)).tolist()]
    parts = nx.utils.UnionFind(rows)
    before: dict[Any, list[Any]] = {v: [] for v in rows}
    for u, v in still:
        parts.union(u, v)
        before[v].append(u)
    within: nx.DiGraph[Any] = nx.DiGraph(still)
    within.add_nodes_from(rows)
    cycle = {v: k for k, own in enumerate(nx.strongly_connected_components(within)) for v in own}
    depth: dict[Any, int] = {}
    top: dict[int, int] = {}  # largest depth so far on each cycle
    for v in rows:  # in topological order, with the vertices of a cycle one after the other
        below = [depth[u] for u in before[v] if u in depth]
        depth[v] = top[cycle[v]] = max([*below, top.get(cycle[v], -1)]) + 1
    for v in rows:
        after = [depth[w] for w in within.successors(v) if w != v]
        if not before[v] and after:
            depth[v] = min(after) - 1
    ranks: list[list[Any]] = []
    for root in dict.fromkeys(parts[v] for v in rows):
        levels: dict[int, list[Any]] = {}
        for v in rows:
            if parts[v] == root:
                levels.setdefault(depth[v], []).append(v)
        for k in sorted(levels):
            size = math.ceil(len(levels[k]) / math.ceil(len(levels[k]) / abreast))
            ranks += [levels[k][i : i + size] for i in range(0, len(levels[k]), size)]
    return ranks


def _sorted(layers: list[list[Any]], links: Sequence[tuple[Any, Any]]) -> list[list[Any]]:
    """Sort each layer by the mean places of neighbors, and keep the order of fewest crossings."""
    below: dict[Any, list[Any]] = {}
    above: dict[Any, list[Any]] = {}
    for u, v in links:
        above.setdefault(u, []).append(v)
        below.setdefault(v, []).append(u)
    best, least = layers, _crossings(layers, links)
    order = layers
    for k in range(_SWEEPS):
        if not least:
            break
        near, way = (above, -1) if k % 2 else (below, 1)
        at = _indices(order)
        moved = []
        for layer in order[::way]:
            means = {v: _mean([at[w] for w in near.get(v, ())], at[v]) for v in layer}
            layer = sorted(layer, key=means.__getitem__)  # noqa: PLW2901
            at |= {v: i - (len(layer) - 1) / 2 for i, v in enumerate(layer)}
            moved.append(layer)
        order = moved[::way]
        found = _crossings(order, links)
        if found < least:
            best, least = order, found
    return best


def _mean(places: Sequence[float], default: float) -> float:
    return sum(places) / len(places) if places else default


def _indices(layers: Sequence[Sequence[Any]]) -> dict[Any, float]:
    return {v: k - (len(layer) - 1) / 2 for layer in layers for k, v in enumerate(layer)}


def _crossings(layers: Sequence[Sequence[Any]], links: Sequence[tuple[Any, Any]]) -> int:
    at = _indices(layers)
    rank = {v: y for y, layer in enumerate(layers) for v in layer}
    tails = np.array([at[u] for u, _ in links])
    heads = np.array([at[v] for _, v in links])
    level = np.array([rank[u] for u, _ in links])
    total = 0
    for y in np.unique(level):
        a, b = tails[level == y], heads[level == y]
        total += int(np.sum((a[:, None] < a) & (b[:, None] > b)))
    return total


def _placed(
    layers: Sequence[Sequence[Any]],
    links: Sequence[tuple[Any, Any]],
    wide: Mapping[Any, float],
    between: Mapping[frozenset[Any], float],
) -> dict[Any, float]:
    """Places along each layer, near the mean places of neighbors."""

    def step(u: Any, v: Any) -> float:
        points = [isinstance(w, _Point) for w in (u, v)]
        halves = [
            _THIN / 2 if point else wide[w] + RADIUS
            for w, point in zip((u, v), points, strict=True)
        ]
        gap = 0.0 if all(points) else max(_BESIDE, between.get(frozenset((u, v)), 0.0))
        return sum(halves) + gap

    from scipy.optimize import isotonic_regression  # noqa: PLC0415  (heavy: loaded on first use)

    near: dict[Any, list[Any]] = {}
    for u, v in links:
        near.setdefault(u, []).append(v)
        near.setdefault(v, []).append(u)
    x: dict[Any, float] = {}
    offsets = []
    for layer in layers:
        gaps = [step(u, v) for u, v in pairwise(layer)]
        steps = np.concatenate([[0.0], np.cumsum(gaps)])
        offsets.append(steps)
        x |= dict(zip(layer, (steps - steps[-1] / 2).tolist(), strict=True))
    for k in range(2 * _SWEEPS):
        way = -1 if k % 2 else 1
        for layer, steps in list(zip(layers, offsets, strict=True))[::way]:
            wanted = np.array([_mean([x[w] for w in near.get(v, ())], 0.0) for v in layer])
            x |= dict(
                zip(layer, (isotonic_regression(wanted - steps).x + steps).tolist(), strict=True)
            )
    middle = (max(x.values()) + min(x.values())) / 2
    return {v: at - middle for v, at in x.items()}
