"""Potentials: numbers on vertices that make the weights of edges zero or non-negative.

For integer weights ``w`` and a potential ``p`` the reduced weight of an edge
``u -> v`` is ``w + p(u) - p(v)``. Around a closed walk the potential cancels, so
reduced and plain totals agree. Hence

* all weights can be reduced to zero exactly when every closed *undirected* walk
  has total zero (`cycle_space` makes a spanning forest zero; what then
  remains is the answer);
* all weights can be reduced to non-negative ones exactly when every *directed*
  cycle has a non-negative total (`feasible_potential`, and `clocks` for delays), and
  without a cycle of zeros exactly when every directed cycle has a positive one (`ascent`).

All sums are Python integers and therefore exact, whatever the weights. Within a
spanning forest they stay below ``n * max|w|``.
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
    """Reduce all weights to non-negative ones, or find a negative cycle.

    Returns ``(p, ())`` with ``w + p(tail) - p(head) >= 0`` on every edge, or
    ``([], cycle)`` with the edge numbers of a directed cycle of negative total.

    Notes
    -----
    Plan. Reduce a spanning forest to zero first: that undoes any gauge in the
    weights and leaves little to do. Then shortest distances from a source joined
    to every vertex, by the rounds of Goldberg and Radzik (1993): in each round the
    vertices whose label fell, and all that hangs on them by edges of reduced
    weight <= 0, are scanned in topological order, so that one round carries a
    change as far as it goes. A cycle met on the way closes with its reduced total;
    if that is negative it is the answer. Each round does at least what a round of
    Bellman and Ford does, so without a negative cycle there are at most n of them:
    O(n m). On graphs of networks and circuits a handful of rounds suffices; where
    labels fall one by one into a large hub there are as many rounds as falls. With a
    negative cycle the parents of the vertices close up after at most n rounds; they
    are looked at whenever the work since the last look exceeds n.
    """
    forest = spanning_forest(n, tails, heads).potential(weights)
    by_tail = Incidence(n, tails)
    starts, order = by_tail.starts.tolist(), by_tail.edges.tolist()
    head, tail = heads[by_tail.edges].tolist(), tails[by_tail.edges].tolist()
    weight = [weights[e] + forest[u] - forest[v] for e, u, v in zip(order, tail, head, strict=True)]
    label = [0] * n
    parent = [-1] * n  # position of the edge that gave a vertex its label
    state = bytearray(n)  # in this round: 0 not met, 1 on the path, 2 done
    place = [0] * n  # position of the next edge to try
    height = [0] * n  # reduced total of the path down to a vertex
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


def clocks(
    n: int, tails: IntArray, heads: IntArray, delays: IntArray
) -> tuple[IntArray, IntArray, tuple[int, ...]]:
    """Find clocks by which no edge goes back in time, or a cycle that does.

    Returns ``(r, still, ())``: all ``d + r(head) - r(tail)`` are non-negative, and zero
    for the edges ``still``. Or returns ``([], [], cycle)`` with the edge numbers of a
    cycle of negative total. Delays are an array of int64 with ``4 n max|d| < 2**63``, or
    of Python integers of any size.
    """
    r = np.zeros(n, dtype=delays.dtype)
    if len(delays) and delays.min() < 0:
        potential, cycle = feasible_potential(n, tails, heads, delays.tolist())
        if cycle:
            return r[:0], np.empty(0, dtype=np.int64), cycle
        r = -np.array(potential, dtype=delays.dtype)
    return r, np.flatnonzero(delays + r[heads] - r[tails] == 0), ()


def ascent(
    n: int, tails: IntArray, heads: IntArray, delays: IntArray
) -> tuple[IntArray, IntArray, tuple[int, ...]]:
    """Find clocks and levels by which all edges go forward in time, or a cycle that does not.

    Returns ``(r, level, ())``: all ``d + r(head) - r(tail)`` are non-negative, and
    along the edges where they are zero the level increases; so with time counted by
    ``t + r(v)``, and by level within a time, every edge goes forward. Or returns
    ``([], [], cycle)`` with the edge numbers of a cycle of total delay <= 0.
    """
    none = np.empty(0, dtype=np.int64)
    r, still, cycle = clocks(n, tails, heads, delays)
    if cycle:
        return none, none, cycle
    level = levels(n, tails[still], heads[still])
    if level.min(initial=0) < 0:
        found = still[list(cycle_among(level, tails[still], heads[still]))]
        return none, none, tuple(found.tolist())
    return r, level, ()


def _parent_cycle(parent: list[int], tail: list[int]) -> list[int]:
    """Return the edges, by position, of a cycle among the parents; empty if there is none."""
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
