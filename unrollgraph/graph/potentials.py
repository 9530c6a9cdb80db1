"""Potentials on vertices that make the reduced weights of edges non-negative.

For integer weights ``w`` and a potential ``p``, the reduced weight of an edge ``u -> v`` is
``w + p(u) - p(v)``. A closed walk has the same total of weights and of reduced weights. Hence

* a potential with all reduced weights zero exists iff every closed *undirected* walk has total
  zero (see `cycle_space`);
* a potential with non-negative reduced weights exists iff every *directed* cycle has a
  non-negative total (`feasible_potential`, and `nonnegative_times` for delays); it can be chosen
  without a cycle of reduced weights zero iff every directed cycle has a positive total
  (`forward_times`).

All sums are exact Python integers; within a spanning forest they are below ``n * max|w|``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.cycle_space import spanning_forest
from unrollgraph.graph.digraph import Incidence, cycle_among, from_first, levels

IntArray = NDArray[np.int64]


def feasible_potential(
    n: int, tails: IntArray, heads: IntArray, weights: list[int]
) -> tuple[list[int], tuple[int, ...]]:
    """Find a potential with non-negative reduced weights, or a negative cycle.

    Returns ``(p, ())`` with ``w + p(tail) - p(head) >= 0`` on every edge, or ``([], cycle)`` with
    the edge numbers of a directed cycle of negative total.

    Notes
    -----
    First the weights are reduced to zero on a spanning forest, which removes retimings. Then the
    algorithm of Goldberg and Radzik (1993) computes shortest distances from a virtual source with
    an edge to every vertex. Each round scans the vertices whose label decreased, and those
    reachable from them by edges of reduced weight <= 0, in topological order. A cycle found in
    this search is returned if its total is negative; cycles in the graph of parents are searched
    each time that n vertices have been scanned. A round includes a round of Bellman and Ford, so
    there are at most n rounds: O(n m). Graphs of networks and circuits usually need a few.
    """
    forest = spanning_forest(n, tails, heads).potential(weights)
    by_tail = Incidence(n, tails)
    starts, order = by_tail.starts.tolist(), by_tail.edges.tolist()
    head, tail = heads[by_tail.edges].tolist(), tails[by_tail.edges].tolist()
    weight = [weights[e] + forest[u] - forest[v] for e, u, v in zip(order, tail, head, strict=True)]
    label = [0] * n
    parent = [-1] * n  # position of the edge that determined the label of a vertex
    state = bytearray(n)  # in this round: 0 not visited, 1 on the path, 2 done
    place = [0] * n  # position of the next edge to try
    height = [0] * n  # reduced total of the path to a vertex
    active = [tail[k] for k in range(len(weight)) if weight[k] < 0]
    work = 0
    while active:
        done: list[int] = []
        for root in active:
            if state[root]:
                continue
            state[root], place[root], height[root] = 1, starts[root], 0
            path = [root]
            while path:
                u = path[-1]
                here, stop = label[u], starts[u + 1]
                for k in range(place[u], stop):
                    v = head[k]
                    reduced = weight[k] + here - label[v]
                    if reduced > 0 or state[v] == 2:
                        continue
                    if not state[v]:
                        place[u] = k + 1
                        state[v], place[v], height[v] = 1, starts[v], height[u] + reduced
                        path.append(v)
                        break
                    if height[u] + reduced < height[v]:
                        along = [place[w] - 1 for w in path[path.index(v) : -1]]
                        return [], from_first([order[j] for j in [*along, k]], tails)
                else:
                    state[u] = 2
                    done.append(path.pop())
        changed: dict[int, None] = {}
        for u in reversed(done):
            state[u] = 0
            changed.pop(u, None)
            here = label[u]
            for k in range(starts[u], starts[u + 1]):
                v = head[k]
                if weight[k] + here < label[v]:
                    label[v], parent[v] = weight[k] + here, k
                    changed[v] = None
        active = list(changed)
        work += len(done)
        if work > n:
            work = 0
            cycle = _parent_cycle(parent, tail)
            if cycle:
                return [], from_first([order[k] for k in cycle], tails)
    return [a + b for a, b in zip(forest, label, strict=True)], ()


def nonnegative_times(
    n: int, tails: IntArray, heads: IntArray, delays: IntArray
) -> tuple[IntArray, IntArray, tuple[int, ...]]:
    """Find a time function r with ``d + r(head) - r(tail) >= 0``, or a cycle of negative delay.

    Returns ``(r, still, ())`` with the edges ``still`` for which equality holds, or ``([], [],
    cycle)`` with the edge numbers of the cycle. Delays are an array of int64 with
    ``4 n max|d| < 2**63``, or of Python integers of any size.
    """
    r = np.zeros(n, dtype=delays.dtype)
    if len(delays) and delays.min() < 0:
        potential, cycle = feasible_potential(n, tails, heads, delays.tolist())
        if cycle:
            return r[:0], np.empty(0, dtype=np.int64), cycle
        r = -np.array(potential, dtype=delays.dtype)
    return r, np.flatnonzero(delays + r[heads] - r[tails] == 0), ()


def forward_times(
    n: int, tails: IntArray, heads: IntArray, delays: IntArray
) -> tuple[IntArray, IntArray, tuple[int, ...]]:
    """Find times and levels in whose order all edges go forward, or a cycle of delay <= 0.

    Returns ``(r, level, ())``: all ``d + r(head) - r(tail)`` are non-negative, and the level
    increases along the edges where they are zero, so every edge of the cover increases
    ``(t + r(v), level(v))``. Or returns ``([], [], cycle)`` with the edge numbers of the cycle.
    """
    none = np.empty(0, dtype=np.int64)
    r, still, cycle = nonnegative_times(n, tails, heads, delays)
    if cycle:
        return none, none, cycle
    level = levels(n, tails[still], heads[still])
    if level.min(initial=0) < 0:
        found = still[list(cycle_among(level, tails[still], heads[still]))]
        return none, none, tuple(found.tolist())
    return r, level, ()


def _parent_cycle(parent: list[int], tail: list[int]) -> list[int]:
    """Return the edge positions of a cycle in the graph of parents, or an empty list."""
    seen = [0] * len(parent)
    for mark in range(1, len(parent) + 1):
        v = mark - 1
        while not seen[v] and parent[v] >= 0:
            seen[v] = mark
            v = tail[parent[v]]
        if parent[v] >= 0 and seen[v] == mark:
            cycle = [parent[v]]
            u = tail[parent[v]]
            while u != v:
                cycle.append(parent[u])
                u = tail[parent[u]]
            return cycle[::-1]
    return []
