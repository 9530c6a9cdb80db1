"""Existence of paths between vertices of a delay cover, and shortest paths.

A path of the cover from ``(u, s)`` to ``(v, s + t)`` is the lift of a walk of the base graph from u
to v of total delay t. In Z the answer is exact for delays of both signs and for all t: a few
vertices of the cover are searched first; if that does not decide, the total delays of walks are
computed modulo the total delay of a cycle (`walk_totals`). In Z^d the cover is searched by A*
(`path_search`), which is exact if the search is confined and otherwise needs a radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.errors import TooLargeError, check_size
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike
from unrollgraph.graph.digraph import SearchResult
from unrollgraph.graph.times import ExactNumbers, add, check_integer
from unrollgraph.limits import MOST_OBJECTS, MOST_SEARCHED
from unrollgraph.measure.cycle_ratio import Weights, edge_weights
from unrollgraph.measure.path_search import (
    NEAR_STATES,
    NEAR_STATES_EACH,
    Segments,
    Walks,
    as_segments,
    best_bounds,
    between,
    inserted,
    least_in_space,
    reaches_in_space,
    search,
    search_in_space,
    time_bounds,
)
from unrollgraph.measure.walk_totals import TableError, families, label, negative_walk, rate


def has_path(
    G: GraphLike,
    source: Any,
    target: Any,
    *,
    radius: int | None = None,
    delay: str = "delay",
) -> bool:
    """Whether the infinite cover has a path from one vertex to another.

    The cost in Z is O(n m D) for cycles of total delay D, independent of the times. In Z^d it is at
    most 2 d + 3 linear programs in n + d variables, and a search of the cover between source and
    target.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertices of the cover
        Pairs ``(v, t)`` of a vertex of the base graph and a time.
    radius : int, optional
        Largest number of edges of a path; used only in Z^d if the search is unbounded.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    bool
        Exact; in Z and in crystal nets for times of any size.

    Raises
    ------
    LiftError
        If source or target is not a vertex of the cover.
    RadiusError
        If the search in Z^d is unbounded, and the radius is missing or too small.
    TooLargeError
        In Z: if no search of the cover decides, and a table of total delays has more than
        10,000,000 entries. In Z^d: if no path was found among 200,000 vertices of the cover.

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
    graph, walks, step = walks_between(as_cover(G, delay), source, target)
    if walks is None:
        return False
    if graph.dimension > 1:
        return reaches_in_space(walks, (source, target), step, radius)
    return reaches(walks, step)


def shortest_path_length(
    G: GraphLike,
    source: Any,
    target: Any,
    *,
    weight: Weights = None,
    radius: int | None = None,
    delay: str = "delay",
) -> int | Fraction | float:
    """Compute the length of a shortest path of the infinite cover.

    The cost in Z is one search of O(n D) triples for each cycle of least ratio of length to delay,
    where D is its total delay, independent of the times; for near times, a search of the cover
    between them. In Z^d it is that of `has_path`.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertices of the cover
        Pairs ``(v, t)`` of a vertex of the base graph and a time.
    weight : str or mapping, optional
        Edge attribute or mapping with the length >= 0 of each edge (default: 1 for every edge).
    radius : int, optional
        Largest length of a path; used only in Z^d if the search is unbounded.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    int, Fraction or float
        The length. A float if some edge has a float length, otherwise exact.

    Raises
    ------
    networkx.NetworkXNoPath
        If there is no path.
    LiftError, RadiusError, TooLargeError
        As for `has_path`.
    ValueError
        If a length is negative, missing or not a number.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.skip(5))
    >>> ug.shortest_path_length(cover, ("x", 0), ("y", 10**6))
    200002
    """
    weights, found = _shortest(as_cover(G, delay), source, target, weight, radius)
    length = Fraction(_cost(found, weights), weights.unit)
    if weights.floats:
        try:
            return float(length)
        except OverflowError:
            raise ValueError(
                "the length exceeds the largest float; use integers or fractions as edge lengths"
            ) from None
    return length.numerator if length.denominator == 1 else length


def shortest_path(
    G: GraphLike,
    source: Any,
    target: Any,
    *,
    weight: Weights = None,
    radius: int | None = None,
    delay: str = "delay",
) -> list[Any]:
    """Find a shortest path of the infinite cover.

    The cost is that of `shortest_path_length` plus the length of the path.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertices of the cover
        Pairs ``(v, t)`` of a vertex of the base graph and a time.
    weight : str or mapping, optional
        Edge attribute or mapping with the length >= 0 of each edge (default: 1 for every edge).
    radius : int, optional
        Largest length of a path; used only in Z^d if the search is unbounded.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    list of vertices
        The path, from source to target.

    Raises
    ------
    networkx.NetworkXNoPath, LiftError, RadiusError, ValueError
        As for `shortest_path_length`.
    TooLargeError
        If the path has more than 10,000,000 edges, or as for `shortest_path_length`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> ug.shortest_path(cover, ("in", 0), ("out", 1))
    [('in', 0), ('A', 0), ('B', 0), ('C', 0), ('A', 1), ('B', 1), ('C', 1), ('out', 1)]
    """
    cover = as_cover(G, delay)
    graph = cover.delay_graph
    _, found = _shortest(cover, source, target, weight, radius)
    arcs = sum(len(walk) * count for walk, count in found)
    check_size(
        arcs, MOST_OBJECTS, "the list of vertices", "shortest_path_length returns the length alone"
    )
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
    """Return the delay graph, the walks to consider, and their required total."""
    (u, begin), (v, end) = cover.locate(source), cover.locate(target)
    graph = cover.delay_graph
    costs = weights.whole if weights is not None else [1] * len(graph.edges)
    return graph, between(graph, graph.number[u], graph.number[v], costs), add(end, begin, -1)


def _shortest(
    cover: DelayCover, source: Any, target: Any, weight: Any, radius: int | None
) -> tuple[ExactNumbers, Segments]:
    """Return the exact weights, and a shortest walk of the base graph as segments."""
    radius = None if radius is None else check_integer(radius, "the radius")
    weights = edge_weights(cover.delay_graph, weight)
    for edge, number in zip(cover.delay_graph.edges, weights.whole, strict=True):
        if number < 0:
            raise ValueError(
                f"invalid length {Fraction(number, weights.unit)} on edge {edge!r}: lengths must "
                "be >= 0"
            )
    graph, walks, step = walks_between(cover, source, target, weights)
    found: Segments | None = None
    if walks is not None and graph.dimension > 1:
        found = least_in_space(walks, (source, target), step, radius, weights.unit)
    elif walks is not None:
        found = _least(walks, step)
    if found is None:
        raise nx.NetworkXNoPath(f"the cover has no path from {source!r} to {target!r}")
    return weights, found


def _cost(found: Segments, weights: ExactNumbers) -> int:
    return sum(count * sum(weights.whole[e] for e in walk) for walk, count in found)


# -- in Z ----------------------------------------------------------------------------------


def reaches(walks: Walks | None, total: int) -> bool:
    """Whether some walk has the given total delay."""
    if walks is None:
        return False
    bounds = time_bounds(walks, total)
    near = search(walks, total, bounds, max(NEAR_STATES, NEAR_STATES_EACH * walks.n))
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
    """Remove the edges that alone exceed the time bounds; None if no walks are left."""
    bounds = time_bounds(walks, total)
    if not bounds.sign:
        return walks
    clock = np.array(bounds.clock, dtype=object)
    change = walks.delays[:, 0] + clock[walks.heads] - clock[walks.tails]
    return walks.keeping(np.array([bounds.low <= d <= bounds.high for d in change], dtype=bool))


def _least(walks: Walks, total: int) -> Segments | None:
    """Find a walk of least cost and given total delay, as segments; else None.

    If a first search does not decide, each round finds the best walk that meets a cycle of least
    ratio of cost to delay, by its triple (`walk_totals`), and the next round considers the walks
    that avoid the cycle. The last round is one whose ratio excludes a better walk, or one whose
    triples do not decide; then the cover is searched.
    """
    near = search(
        walks, total, time_bounds(walks, total), max(NEAR_STATES, NEAR_STATES_EACH * walks.n)
    )
    if near.exhausted:
        return as_segments(walks, near)
    rest = _within(walks, total)
    if rest is None or not reaches(rest, total):
        return None
    best: tuple[int, Segments] | None = None
    while rest is not None:
        found = _cheapest_meeting(rest, total, best[0] if best is not None else None)
        if not found.settled and reaches(rest, total):
            last = _last_search(rest, total)
            if last.cost is not None and (best is None or last.cost < best[0]):
                best = last.cost, as_segments(rest, last) or []
        if found.cost is not None and (best is None or found.cost < best[0]):
            best = found.cost, found.walk or []
        rest = rest.avoiding(found.met) if found.met else None
    return best[1] if best is not None else None


class _Round(NamedTuple):
    """Result of one round of `_least`."""

    settled: bool  # False if the cover must be searched
    met: set[int]  # vertices that the next round avoids; empty if this is the last round
    cost: int | None = None
    walk: Segments | None = None


def _cheapest_meeting(walks: Walks, total: int, known: int | None) -> _Round:
    """Find the best walk that meets a cycle of least ratio of cost to delay."""
    sign = 1 if total >= 0 else -1
    onward = walks if sign > 0 else walks.mirrored()
    found = rate(onward)
    if found is None:
        return _Round(settled=False, met=set())
    pi = found.potential
    offset = found.cost * sign * total + pi[walks.goal] - pi[walks.start]
    if known is not None and offset >= known * found.delay:
        return _Round(settled=True, met=set())
    met = {int(walks.tails[e]) for e in found.cycle}
    modulus = int(onward.delays[list(found.cycle), 0].sum())
    residue = sign * total % modulus
    try:
        labels = label(onward, met, modulus, found.reduced)
    except TableError:
        return _Round(settled=False, met=set())
    end = labels.triple(residue)
    if end not in labels.cost:
        return _Round(settled=True, met=met)
    way = labels.walk(residue)
    lacking = sign * total - int(onward.delays[way, 0].sum()) if way else sign * total
    turns: list[tuple[Sequence[int], int]] = []
    if lacking < 0:
        stops = [walks.start, *walks.heads[way].tolist()]
        fall = next((v for v in stops if v in labels.negative), None)
        if fall is None:
            return _Round(settled=False, met=set())
        down = negative_walk(onward, found.reduced, fall)
        depth = -modulus * int(onward.delays[list(down), 0].sum())  # keeps the residue
        times = -(lacking // depth)
        turns.append((down, times * modulus))
        lacking += times * depth
    turns.append((found.cycle, lacking // modulus))
    cost = (labels.cost[end] + offset) // found.delay
    walk = [(walks.named(part), count) for part, count in inserted(walks, way, turns)]
    return _Round(settled=True, met=met, cost=cost, walk=walk)


def _last_search(walks: Walks, total: int) -> SearchResult:
    """Search the cover with lower bounds on the cost, if the triples do not decide."""
    limits = time_bounds(walks, total)
    clock, start = limits.clock, limits.clock[walks.start]

    def inside(state: tuple[int, tuple[int]]) -> bool:
        v, (time,) = state
        return limits.low <= time + clock[v] - start <= limits.high

    bounds = best_bounds(walks, (total,))
    found = search_in_space(walks, (total,), inside, None, bounds, MOST_SEARCHED)
    if not found.exhausted:
        raise TooLargeError(
            f"no shortest path was found among {MOST_SEARCHED} vertices of the cover, the limit of "
            "the search; use a larger unit of time, or take a window with unrollgraph.unroll"
        )
    return found
