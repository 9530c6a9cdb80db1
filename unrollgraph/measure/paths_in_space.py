"""Shortest paths in Z^d: what confines a search, what leads it, and what spares it.

A search is exact where it is confined:

* along each axis where all cycles have totals of one sign, times stay between start and goal;
* where a linear schedule exists, so do its keys;
* where all the totals between the two vertices cancel, as in a crystal net with its reverses,
  those of closed walks form a lattice. Its cosets tell what is reached, and the search
  ends.

Plan. A few vertices are looked through as they come: what is near is found there. Then a lattice
or prices may show that there is no path (`_components`, `goals`). Far away a shortest one is
told by classes of totals, confined or not (`group_relaxation`). What they do not decide is
searched once more, led by prices, if it is confined, if a radius is given, or if some path is
found when costs are forgotten: none of least cost is dearer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import networkx as nx

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.errors import CyclicCoverError, RadiusError, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.measure._components import cancelling_parts, same_component
from unrollgraph.measure.acyclicity import verdict
from unrollgraph.measure.goals import apart, least_costs, led_search
from unrollgraph.measure.group_relaxation import far_walk
from unrollgraph.measure.walks import FARTHEST, NEAR, Segments, Walks, as_segments, corridor


def reaches_in_space(
    walks: Walks, ends: tuple[Any, Any], step: tuple[int, ...], radius: int | None
) -> bool:
    """Whether some walk has a total delay in Z^d; for a crystal net its cosets decide."""
    walks = _without_still_loops(walks)
    if _cancels(walks):
        return same_component(DelayCover(inner_graph(walks)), *_copies(walks, step))
    return least_in_space(walks, ends, step, radius) is not None


def least_in_space(
    walks: Walks,
    ends: tuple[Any, Any],
    step: tuple[int, ...],
    radius: int | None,
    unit: int = 1,
) -> Segments | None:
    """A walk of least cost of a total delay in Z^d, by segments; None if there is none.

    Where nothing confines the search, not beyond a radius, in units of cost.
    """
    walks = _without_still_loops(walks)
    inner = inner_graph(walks)
    inside, confined = bounds_in_space(walks, inner, step)
    confined = confined or _cancels(walks)
    limit = None if confined or radius is None else radius * unit
    near = led_search(walks, step, inside, limit, (1, []), NEAR)
    if near.exhausted:
        return as_segments(walks, near)
    if not same_component(DelayCover(inner), *_copies(walks, step)) or apart(walks, step):
        return None
    far = far_walk(walks, step)
    if far is not None and far.cost is None:
        return None
    cost = 0 if far is None or far.cost is None else far.cost
    if limit is not None and (not near.full or cost > limit):
        raise _beyond(ends, radius)
    if far is not None:
        return far.walk
    if not confined and radius is None:
        limit = _cost_of_some(walks, ends, step)
        if limit is None:
            return None
    found = led_search(walks, step, inside, limit, least_costs(walks, step), FARTHEST)
    if found.full:
        raise ValueError(
            f"no path from {show_vertex(ends[0])} to {show_vertex(ends[1])} was found among "
            f"{FARTHEST} vertices of the cover, as many as are looked through; take vertices "
            f"that are nearer to each other{'' if min(walks.costs) else ', or lengths above 0'}"
        )
    if limit is not None and not found.exhausted:
        raise _beyond(ends, radius)
    return as_segments(walks, found)


def _without_still_loops(walks: Walks) -> Walks:
    """The walks without self-loops of delay zero, which change neither vertex nor time."""
    moving = (walks.tails != walks.heads) | walks.delays.any(axis=1)
    return walks if moving.all() else walks.taking(moving.nonzero()[0])


def _cost_of_some(walks: Walks, ends: tuple[Any, Any], step: tuple[int, ...]) -> int | None:
    """What some walk of a total delay costs, found without regard to costs; None without one."""
    if set(walks.costs) <= {1}:
        raise RadiusError(
            f"nothing bounds the search for a path from {show_vertex(ends[0])} to "
            f"{show_vertex(ends[1])}, since the total delays of cycles between them have several "
            "directions; give a radius, the largest length of a path to look for"
        )
    found = least_in_space(replace(walks, costs=(1,) * len(walks.edges)), ends, step, None)
    if found is None:
        return None
    cost: dict[int, int] = dict(zip(walks.edges.tolist(), walks.costs, strict=True))
    return sum(count * sum(cost[e] for e in part) for part, count in found)


def _beyond(ends: tuple[Any, Any], radius: int | None) -> RadiusError:
    return RadiusError(
        f"no path from {show_vertex(ends[0])} to {show_vertex(ends[1])} is of length {radius} "
        "or less; there may be longer ones: raise the radius"
    )


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
