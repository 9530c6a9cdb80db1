"""Paths of the infinite cover: whether one leads from here to there, and a shortest one.

A path of the cover is the lift of a walk below, so the question is which walks from u to v
have a given total delay. In Z the answer is exact for delays of every sign and for times
however far apart (`totals` tells how): a few vertices of the cover are searched first, and what
is further away is told from the totals modulo a cycle.

In Z^d a search is exact where it is confined:

* along each axis where all cycles have totals of one sign, times stay between start and goal;
* where a linear schedule exists, so do its keys;
* where all the totals between the two vertices cancel, as in a crystal net with its reverses,
  those of closed walks form a lattice. Its cosets tell what is reached, and then the search
  ends.

Elsewhere no bound is built in, and the search needs a radius.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.cover.sheets import add
from unrollgraph.errors import CyclicCoverError, RadiusError, show_edge, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.measure.acyclicity import verdict
from unrollgraph.measure.strong_parts import cancelling_parts
from unrollgraph.measure.totals import TableError, families, label, rate
from unrollgraph.measure.walks import (
    FARTHEST,
    Found,
    Walks,
    between,
    corridor,
    search,
    shortest,
)
from unrollgraph.measure.weak_components import same_component
from unrollgraph.measure.weights import Weights, edge_weights

__all__ = ["has_path", "shortest_path", "shortest_path_length"]

NEAR = 2_000  # vertices of the cover to look through before anything is computed below
LONGEST = 10_000_000  # arcs of a path that is listed
Walk = list[tuple[tuple[int, ...], int]]  # edges, and how often they are walked


def has_path(cover: DelayCover, source: Any, target: Any, *, radius: int | None = None) -> bool:
    """Whether a path of the infinite cover leads from one vertex to another.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    source, target : vertices of the cover
        Pairs of a vertex of the base and a time.
    radius : int, optional
        The largest number of arcs to look for, where no bound on the search is known.

    Returns
    -------
    bool
        Exact, however far apart they are.

    Raises
    ------
    LiftError
        If source or target is no vertex of the cover.
    RadiusError
        If times are in Z^d, nothing confines the search, and no path was found within the
        radius, or none was given.
    ValueError
        If delays are so large that the answer would not fit into memory.

    Notes
    -----
    In Z: O(n m D) for cycles of a total of D, whatever the times. In Z^d the number of
    vertices of the cover between source and target.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> ug.has_path(cover, ("in", 0), ("out", 10**100))
    True
    >>> ug.has_path(cover, ("in", 0), ("out", -1))
    False
    """
    graph, walks, step = walks_between(cover, source, target)
    if walks is None:
        return False
    if graph.dimension > 1:
        return _in_space(cover, walks, (source, target), step, radius).cost is not None
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
        return float(length)
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
    if arcs > LONGEST:
        raise ValueError(
            f"the path found from {show_vertex(source)} to {show_vertex(target)} has {arcs} arcs, "
            "too many to list; shortest_path_length tells its length"
        )
    node = cover._find(source)
    path = [node]
    for walk, count in found:
        for e in walk * count:
            node = graph.edges[e][1], add(node[1], graph.times[e], 1)
            path.append(node)
    return path


def walks_between(
    cover: DelayCover, source: Any, target: Any, weights: Weights | None = None
) -> tuple[DelayGraph, Walks | None, Any]:
    """The base, the walks below, and the total delay that they must have."""
    (u, begin), (v, end) = as_cover(cover)._find(source), cover._find(target)
    graph = cover.delay_graph
    costs = weights.whole if weights is not None else [1] * len(graph.edges)
    return graph, between(graph, graph.number[u], graph.number[v], costs), add(end, begin, -1)


def _shortest(
    cover: DelayCover, source: Any, target: Any, weight: Any, radius: int | None
) -> tuple[Weights, Walk]:
    """A walk of least cost below, as segments."""
    weights = edge_weights(as_cover(cover).delay_graph, weight)
    for edge, number in zip(cover.delay_graph.edges, weights.whole, strict=True):
        if number < 0:
            raise ValueError(
                f"the edge {show_edge(edge)} has the length {Fraction(number, weights.unit)}, but "
                "no length may be negative"
            )
    graph, walks, step = walks_between(cover, source, target, weights)
    found: Walk | None = None
    if walks is not None and graph.dimension > 1:
        reach = None if radius is None else radius * weights.unit
        seen = _in_space(cover, walks, (source, target), step, reach)
        found = None if seen.cost is None else [(seen.steps, 1)]
    elif walks is not None:
        found = _least(walks, step)
    if found is None:
        raise nx.NetworkXNoPath(
            f"no path of the cover leads from {show_vertex(source)} to {show_vertex(target)}"
        )
    return weights, found


def _cost(found: Walk, weights: Weights) -> int:
    return sum(count * sum(weights.whole[e] for e in walk) for walk, count in found)


# -- in Z ----------------------------------------------------------------------------------


def reaches(walks: Walks | None, total: int) -> bool:
    """Whether some walk has the total."""
    if walks is None:
        return False
    bounds = corridor(walks, total)
    near = search(walks, total, bounds, NEAR)
    if near.exhausted:
        return near.cost is not None
    try:
        return any(total in family for family in families(_within(walks, total)))
    except TableError:
        last = search(walks, total, bounds, FARTHEST)
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


def _least(walks: Walks, total: int) -> Walk | None:
    """A walk of least cost of a total, by segments; None if there is none.

    Plan. Near by, a search of the cover. Else round after round the walks that meet a cycle of
    least ratio of cost to delay, in the direction of the total, are told by their triples; then
    those that avoid it. A round whose ratio alone makes walks dearer than one that is known
    ends it, and so does one in which the total lies below the first that repeats: the cover is
    searched then.
    """
    near = search(walks, total, corridor(walks, total), NEAR)
    if near.exhausted:
        return _named(walks, near)
    rest = _within(walks, total)
    if rest is None or not reaches(rest, total):
        return None
    best: tuple[int, Walk] | None = None
    while rest is not None:
        told = _told(rest, total, best[0] if best is not None else None)
        if not told.settled and reaches(rest, total):
            last = search(rest, total, corridor(rest, total), FARTHEST)
            _must_be_exhausted(last)
            if last.cost is not None and (best is None or last.cost < best[0]):
                best = last.cost, _named(rest, last) or []
        if told.cost is not None and (best is None or told.cost < best[0]):
            best = told.cost, told.walk or []
        rest = rest.avoiding(told.met) if told.met else None
    return best[1] if best is not None else None


class _Told(NamedTuple):
    """What one round tells: of the walks that meet some vertices, or of all that are left."""

    settled: bool  # whether what it tells is all
    met: set[int]  # empty if nothing is left to tell
    cost: int | None = None
    walk: Walk | None = None


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
    if labels.total.get(end, sign * total + 1) > sign * total:
        return _Told(settled=False, met=set())
    cost = (labels.cost[end] + offset) // found.delay
    times = (sign * total - labels.total[end]) // modulus
    walk = _inserted(walks, labels.walk(residue), found.cycle, times)
    return _Told(settled=True, met=met, cost=cost, walk=walk)


def _named(walks: Walks, found: Found) -> Walk | None:
    """What a search found, by the numbers of edges in the graph."""
    return None if found.cost is None else [(_edges(walks, found.steps), 1)]


def _edges(walks: Walks, edges: Iterable[int]) -> tuple[int, ...]:
    return tuple(walks.edges[list(edges)].tolist())


def _inserted(walks: Walks, way: list[int], cycle: tuple[int, ...], times: int) -> Walk:
    """A walk with a cycle inserted so many times where they first meet."""
    tails = [int(walks.tails[e]) for e in cycle]
    stops = [walks.start, *(int(walks.heads[e]) for e in way)]
    k = next(k for k, v in enumerate(stops) if v in tails)
    turn = tails.index(stops[k])
    parts = [(way[:k], 1), ([*cycle[turn:], *cycle[:turn]], times), (way[k:], 1)]
    return [(_edges(walks, part), count) for part, count in parts if part and count]


def _must_be_exhausted(found: Found) -> None:
    if not found.exhausted:
        raise ValueError(
            f"no shortest path was found among {FARTHEST} vertices of the cover; use a larger unit "
            "of time, or take a window with unrollgraph.unroll"
        )


# -- in Z^d --------------------------------------------------------------------------------


def _in_space(
    cover: DelayCover, walks: Walks, ends: tuple[Any, Any], step: Any, radius: int | None
) -> Found:
    """Search for a path in Z^d, if something confines it; else within a radius."""
    graph = cover.delay_graph
    inner = inner_graph(walks)
    inside, confined = bounds_in_space(walks, inner, step)
    if not confined and _cancels(walks):
        if not same_component(DelayCover(inner), *_copies(walks, step)):
            return Found(None, (), exhausted=True)
        confined = True
    if not confined and radius is None:
        raise RadiusError(
            f"nothing bounds the search for a path from {show_vertex(ends[0])} to "
            f"{show_vertex(ends[1])}, since the total delays of cycles between them have several "
            "directions; give a radius, the largest length of a path to look for"
        )
    out: list[list[tuple[int, Any, int, int]]] = [[] for _ in range(walks.n)]
    rows = zip(
        walks.tails.tolist(),
        walks.heads.tolist(),
        walks.edges.tolist(),
        walks.costs,
        strict=True,
    )
    for u, v, e, cost in rows:
        out[u].append((v, graph.times[e], cost, e))

    def moves(state: Any) -> Iterable[tuple[Any, int, int]]:
        u, time = state
        for v, d, cost, e in out[u]:
            after = v, add(time, d, 1)
            if inside(after):
                yield after, cost, e

    zero = (0,) * graph.dimension
    limit = None if confined else radius
    found = shortest((walks.start, zero), (walks.goal, step), moves, most=FARTHEST, radius=limit)
    if not found.exhausted and not found.full:
        raise RadiusError(
            f"no path from {show_vertex(ends[0])} to {show_vertex(ends[1])} is of length {radius} "
            "or less; there may be longer ones: raise the radius"
        )
    _must_be_exhausted(found)
    return found


def inner_graph(walks: Walks) -> DelayGraph:
    """The delay graph of the walks alone, by their own numbers."""
    G: Any = nx.MultiDiGraph()
    G.add_nodes_from(range(walks.n))
    rows = zip(walks.tails.tolist(), walks.heads.tolist(), walks.delays.tolist(), strict=True)
    G.add_edges_from((u, v, {"delay": tuple(d)}) for u, v, d in rows)
    return DelayGraph(G)


def _copies(walks: Walks, step: Any) -> tuple[Any, Any]:
    return (walks.start, (0,) * len(step)), (walks.goal, step)


def bounds_in_space(
    walks: Walks, inner: DelayGraph, step: tuple[int, ...]
) -> tuple[Callable[[Any], bool], bool]:
    """Whether a vertex may lie on a path, and whether finitely many may."""
    axes = [(k, corridor(walks, total, k)) for k, total in enumerate(step)]
    signed = [(k, c) for k, c in axes if c.sign or c.low > c.high]
    start = walks.start
    schedule = None
    if len(signed) < len(step) and len(walks.edges):
        try:
            proof = verdict(inner)
        except CyclicCoverError:
            proof = None
        if proof is not None and proof.is_linear:
            schedule = proof
    last = schedule.key((walks.goal, step)) if schedule is not None else ()

    def inside(node: Any) -> bool:
        v, time = node
        for k, c in signed:
            if not c.low <= time[k] + c.clock[v] - c.clock[start] <= c.high:
                return False
        return schedule is None or schedule.key(node) <= last

    nowhere = any(c.low > c.high for _, c in signed)
    confined = schedule is not None or len(signed) == len(step) or not len(walks.edges)
    return inside, confined or nowhere


def _cancels(walks: Walks) -> bool:
    """Whether all edges lie in one part whose totals cancel one another."""
    return [len(part) for part in cancelling_parts(walks.wiring)] == [len(walks.edges)]
