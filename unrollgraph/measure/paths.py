"""Paths of the infinite cover: whether one leads from here to there, and a shortest one.

A path of the cover is the lift of a walk below, so the question is which walks from u to v have a
given total delay. In Z the answer is exact for delays of every sign and for times however far
apart (`walk_totals` tells how): a few vertices of the cover are searched first, and what is
further away is told from the totals modulo a cycle.

In Z^d the cover is searched by A*, where something confines the search (`path_search`).
Elsewhere the search needs a radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.errors import TooLargeError, check_size, show_edge, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import Found
from unrollgraph.graph.times import ExactNumbers, add, check_integer
from unrollgraph.limits import MOST_OBJECTS, MOST_SEARCHED
from unrollgraph.measure.cycle_ratio import edge_weights
from unrollgraph.measure.path_search import (
    NEAR,
    NEAR_EACH,
    Segments,
    Walks,
    as_segments,
    best_bounds,
    between,
    corridor,
    inserted,
    least_in_space,
    reaches_in_space,
    search,
    search_in_space,
)
from unrollgraph.measure.walk_totals import TableError, falling_walk, families, label, rate


def has_path(cover: DelayCover, source: Any, target: Any, *, radius: int | None = None) -> bool:
    """Whether a path of the infinite cover leads from one vertex to another.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    source, target : vertices of the cover
        Pairs of a vertex of the base and a time.
    radius : int, optional
        The largest number of arcs to look for, where no bound on the search is known; only in
        Z^d.

    Returns
    -------
    bool
        Exact; in Z, and in crystal nets, however far apart they are.

    Raises
    ------
    LiftError
        If source or target is no vertex of the cover.
    RadiusError
        If times are in Z^d, nothing decides or confines the search, and no path was found
        within the radius, or none was given.
    TooLargeError
        If times are in Z and the table of the answer, one number for each vertex and each step
        of a cycle, would have more than 10,000,000 numbers, and no near search decides. If they
        are in Z^d, and the path is not found among 200,000 vertices of the cover.

    Notes
    -----
    In Z: O(n m D) for cycles of a total of D, whatever the times. In Z^d 2 d + 1 linear programs of
    n + d numbers, and the number of vertices of the cover between source and target.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> ug.has_path(cover, ("in", 0), ("out", 10**100))
    True
    >>> ug.has_path(cover, ("in", 0), ("out", -1))
    False
    """
    radius = None if radius is None else check_integer(radius, "the radius")
    graph, walks, step = walks_between(cover, source, target)
    if walks is None:
        return False
    if graph.dimension > 1:
        return reaches_in_space(walks, (source, target), step, radius)
    return reaches(walks, step)


def shortest_path_length(
    cover: DelayCover, source: Any, target: Any, *, weight: Any = None, radius: int | None = None
) -> Any:
    """Length of a shortest path of the infinite cover from one vertex to another.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    source, target : vertices of the cover
        Pairs of a vertex of the base and a time.
    weight : str or mapping, optional
        The edge attribute that holds the lengths of edges, or a mapping from the edges of the
        base; unless given every edge has length 1. No length is negative.
    radius : int, optional
        The largest length to look for, where no bound on the search is known.

    Returns
    -------
    int, Fraction or float
        The length: a float if a length was one, else exact.

    Raises
    ------
    networkx.NetworkXNoPath
        If there is no path.
    LiftError, RadiusError
        As for `has_path`.
    ValueError
        If a length is negative, missing or no number, or as for `has_path`.

    Notes
    -----
    In Z one search among O(n D) triples for each cycle of a best ratio of length to delay, D
    its delay, whatever the times; where these are near, among the vertices of the cover
    between them. In Z^d as `has_path`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.skip(5))
    >>> ug.shortest_path_length(cover, ("x", 0), ("y", 10**6))
    200002
    """
    weights, found = _shortest(cover, source, target, weight, radius)
    length = Fraction(_cost(found, weights), weights.unit)
    if weights.floats:
        try:
            return float(length)
        except OverflowError:
            raise ValueError(
                "the length is larger than all floats; give edges integers or fractions as lengths"
            ) from None
    return length.numerator if length.denominator == 1 else length


def shortest_path(
    cover: DelayCover, source: Any, target: Any, *, weight: Any = None, radius: int | None = None
) -> list[Any]:
    """Find a shortest path of the infinite cover from one vertex to another.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    source, target : vertices of the cover
        Pairs of a vertex of the base and a time.
    weight : str or mapping, optional
        The edge attribute that holds the lengths of edges, or a mapping from the edges of the
        base; unless given every edge has length 1. No length is negative.
    radius : int, optional
        The largest length to look for, where no bound on the search is known.

    Returns
    -------
    list of vertices
        The path, from source to target.

    Raises
    ------
    networkx.NetworkXNoPath, LiftError, RadiusError
        As for `shortest_path_length`.
    ValueError
        If the path is too long to be listed, or as for `shortest_path_length`.

    Notes
    -----
    As `shortest_path_length`, and the length of the path.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> ug.shortest_path(cover, ("in", 0), ("out", 1))
    [('in', 0), ('A', 0), ('B', 0), ('C', 0), ('A', 1), ('B', 1), ('C', 1), ('out', 1)]
    """
    graph = as_cover(cover).delay_graph
    _, found = _shortest(cover, source, target, weight, radius)
    arcs = sum(len(walk) * count for walk, count in found)
    check_size(arcs, MOST_OBJECTS, "the list of vertices", "shortest_path_length tells its length")
    node = cover.locate(source)
    path = [node]
    for walk, count in found:
        for e in walk * count:
            node = graph.edges[e][1], add(node[1], graph.times[e], 1)
            path.append(node)
    return path


def walks_between(
    cover: DelayCover, source: Any, target: Any, weights: ExactNumbers | None = None
) -> tuple[DelayGraph, Walks | None, Any]:
    """The base, the walks below, and the total delay that they must have."""
    (u, begin), (v, end) = as_cover(cover).locate(source), cover.locate(target)
    graph = cover.delay_graph
    costs = weights.whole if weights is not None else [1] * len(graph.edges)
    return graph, between(graph, graph.number[u], graph.number[v], costs), add(end, begin, -1)


def _shortest(
    cover: DelayCover, source: Any, target: Any, weight: Any, radius: int | None
) -> tuple[ExactNumbers, Segments]:
    """A walk of least cost below, as segments."""
    radius = None if radius is None else check_integer(radius, "the radius")
    weights = edge_weights(as_cover(cover).delay_graph, weight)
    for edge, number in zip(cover.delay_graph.edges, weights.whole, strict=True):
        if number < 0:
            raise ValueError(
                f"the edge {show_edge(edge)} has the length {Fraction(number, weights.unit)}, but "
                "no length may be negative"
            )
    graph, walks, step = walks_between(cover, source, target, weights)
    found: Segments | None = None
    if walks is not None and graph.dimension > 1:
        found = least_in_space(walks, (source, target), step, radius, weights.unit)
    elif walks is not None:
        found = _least(walks, step)
    if found is None:
        raise nx.NetworkXNoPath(
            f"no path of the cover leads from {show_vertex(source)} to {show_vertex(target)}"
        )
    return weights, found


def _cost(found: Segments, weights: ExactNumbers) -> int:
    return sum(count * sum(weights.whole[e] for e in walk) for walk, count in found)


# -- in Z ----------------------------------------------------------------------------------


def reaches(walks: Walks | None, total: int) -> bool:
    """Whether some walk has the total."""
    if walks is None:
        return False
    bounds = corridor(walks, total)
    near = search(walks, total, bounds, max(NEAR, NEAR_EACH * walks.n))
    if near.exhausted:
        return near.cost is not None
    try:
        return any(total in family for family in families(_within(walks, total)))
    except TableError:
        last = search(walks, total, bounds, MOST_SEARCHED)
        if not last.exhausted:
            raise
        return last.cost is not None


def _within(walks: Walks, total: int) -> Walks | None:
    """The walks without edges that alone lead beyond the corridor."""
    bounds = corridor(walks, total)
    if not bounds.sign:
        return walks
    clock = np.array(bounds.clock, dtype=object)
    change = walks.delays[:, 0] + clock[walks.heads] - clock[walks.tails]
    return walks.keeping(np.array([bounds.low <= d <= bounds.high for d in change], dtype=bool))


def _least(walks: Walks, total: int) -> Segments | None:
    """A walk of least cost of a total, by segments; None if there is none.

    Plan. Near by, a search of the cover. Else round after round the walks that meet a cycle of
    least ratio of cost to delay, in the direction of the total, are told by their triples; then
    those that avoid it. A round whose ratio alone makes walks dearer than one that is known
    ends it, and so does one in which the total lies below the first that repeats: the cover is
    searched then.
    """
    near = search(walks, total, corridor(walks, total), max(NEAR, NEAR_EACH * walks.n))
    if near.exhausted:
        return as_segments(walks, near)
    rest = _within(walks, total)
    if rest is None or not reaches(rest, total):
        return None
    best: tuple[int, Segments] | None = None
    while rest is not None:
        told = _told(rest, total, best[0] if best is not None else None)
        if not told.settled and reaches(rest, total):
            last = _last_search(rest, total)
            if last.cost is not None and (best is None or last.cost < best[0]):
                best = last.cost, as_segments(rest, last) or []
        if told.cost is not None and (best is None or told.cost < best[0]):
            best = told.cost, told.walk or []
        rest = rest.avoiding(told.met) if told.met else None
    return best[1] if best is not None else None


class _Told(NamedTuple):
    """What one round tells: of the walks that meet some vertices, or of all that are left."""

    settled: bool  # whether what it tells is all
    met: set[int]  # empty if nothing is left to tell
    cost: int | None = None
    walk: Segments | None = None


def _told(walks: Walks, total: int, known: int | None) -> _Told:
    """The walks of least cost that meet a cycle of least ratio, in the direction of the total."""
    sign = 1 if total >= 0 else -1
    onward = walks if sign > 0 else walks.mirrored()
    found = rate(onward)
    if found is None:
        return _Told(settled=False, met=set())
    pi = found.potential
    offset = found.cost * sign * total + pi[walks.goal] - pi[walks.start]
    if known is not None and offset >= known * found.delay:
        return _Told(settled=True, met=set())
    met = {int(walks.tails[e]) for e in found.cycle}
    modulus = int(onward.delays[list(found.cycle), 0].sum())
    residue = sign * total % modulus
    try:
        labels = label(onward, met, modulus, found.reduced)
    except TableError:
        return _Told(settled=False, met=set())
    end = labels.triple(residue)
    if end not in labels.cost:
        return _Told(settled=True, met=met)
    way = labels.walk(residue)
    lacking = sign * total - int(onward.delays[way, 0].sum()) if way else sign * total
    turns: list[tuple[Sequence[int], int]] = []
    if lacking < 0:
        stops = [walks.start, *walks.heads[way].tolist()]
        fall = next((v for v in stops if v in labels.falling), None)
        if fall is None:
            return _Told(settled=False, met=set())
        down = falling_walk(onward, found.reduced, fall)
        depth = -modulus * int(onward.delays[list(down), 0].sum())  # of the same residue
        times = -(lacking // depth)
        turns.append((down, times * modulus))
        lacking += times * depth
    turns.append((found.cycle, lacking // modulus))
    cost = (labels.cost[end] + offset) // found.delay
    walk = [(walks.named(part), count) for part, count in inserted(walks, way, turns)]
    return _Told(settled=True, met=met, cost=cost, walk=walk)


def _last_search(walks: Walks, total: int) -> Found:
    """Search the cover, led by prices, where triples tell too little."""
    limits = corridor(walks, total)
    clock, start = limits.clock, limits.clock[walks.start]

    def inside(state: tuple[int, tuple[int]]) -> bool:
        v, (time,) = state
        return limits.low <= time + clock[v] - start <= limits.high

    bounds = best_bounds(walks, (total,))
    found = search_in_space(walks, (total,), inside, None, bounds, MOST_SEARCHED)
    if not found.exhausted:
        raise TooLargeError(
            f"no shortest path was found among {MOST_SEARCHED} vertices of the cover; use a larger "
            "unit of time, or take a window with unrollgraph.unroll"
        )
    return found
