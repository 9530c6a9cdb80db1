"""Independent cycles of a graph, directions of edges left aside, and what totals they have.

A spanning forest gives each vertex one path from the root of its tree. Each edge outside the
forest, a *cotree* edge, closes one cycle: along the edge, and back through the forest. These
*fundamental* cycles are a basis of the cycle space, which has dimension m - n + c for c
components. With the total weight from its root as the potential p of a vertex, the fundamental
cycle of an edge has the total ``w + p(tail) - p(head)``, and edges of the forest have zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.digraph import Incidence

if TYPE_CHECKING:
    from unrollgraph.graph.delay_graph import DelayGraph

IntArray = NDArray[np.int64]
Steps = list[tuple[int, int]]  # edges, with the sign in which they are walked


@dataclass(frozen=True)
class Forest:
    """A spanning forest, breadth first from the first vertex of each component.

    Attributes
    ----------
    tails, heads : ndarray of int64, shape (m,)
        Ends of the edges of the graph.
    order : list of int
        All vertices, each after that from which it was reached.
    reached : list of int
        The edge by which each vertex was reached; -1 at a root.
    component : ndarray of int64, shape (n,)
        Number of the component of each vertex, in the order of their first vertices.
    """

    tails: IntArray
    heads: IntArray
    order: list[int]
    reached: list[int]
    component: IntArray

    @cached_property
    def cotree(self) -> IntArray:
        """Numbers of the edges outside the forest."""
        outside = np.ones(len(self.tails), dtype=bool)
        outside[[e for e in self.reached if e >= 0]] = False
        return np.flatnonzero(outside)

    def potential(self, weights: list[int]) -> list[int]:
        """Total weight of the path from its root to each vertex."""
        tail, head = self.tails.tolist(), self.heads.tolist()
        found = [0] * len(self.order)
        for v in self.order:
            e = self.reached[v]
            if e >= 0:
                forward = head[e] == v
                found[v] = found[tail[e]] + weights[e] if forward else found[head[e]] - weights[e]
        return found

    def potentials(self, weights: IntArray) -> IntArray:
        """The same for vectors: weights of shape (m, d), potentials of shape (n, d)."""
        columns = [self.potential(column) for column in weights.T.tolist()]
        return np.array(columns, dtype=weights.dtype).reshape(weights.shape[1], -1).T

    def totals(self, weights: IntArray) -> IntArray:
        """Total weight of the fundamental cycle of each cotree edge, shape (m - n + c, d)."""
        p, e = self.potentials(weights), self.cotree
        return weights[e] + p[self.tails[e]] - p[self.heads[e]]

    def path(self, v: int) -> Steps:
        """The path through the forest from its root to a vertex."""
        steps = []
        while self.reached[v] >= 0:
            e = self.reached[v]
            sign = 1 if self.heads[e] == v else -1
            steps.append((e, sign))
            v = int(self.tails[e] if sign > 0 else self.heads[e])
        return steps[::-1]

    def cycle(self, e: int) -> Steps:
        """The fundamental cycle of a cotree edge: along it, and back through the forest."""
        to_tail, to_head = self.path(int(self.tails[e])), self.path(int(self.heads[e]))
        while to_tail and to_head and to_tail[0] == to_head[0]:
            del to_tail[0], to_head[0]
        return [(e, 1), *((k, -sign) for k, sign in reversed(to_head)), *to_tail]

    def loop(self, e: int) -> Steps:
        """A closed walk from the root: to a cotree edge, along it, and back."""
        back = self.path(int(self.heads[e]))
        home = [(k, -sign) for k, sign in reversed(back)]
        return [*self.path(int(self.tails[e])), (e, 1), *home]


def spanning_forest(n: int, tails: IntArray, heads: IntArray) -> Forest:
    """Find a spanning forest of a graph of n vertices, in O(n + m)."""
    out, into = Incidence(n, tails), Incidence(n, heads)
    out_starts, in_starts = out.starts.tolist(), into.starts.tolist()
    out_edges, in_edges = out.edges.tolist(), into.edges.tolist()
    tail, head = tails.tolist(), heads.tolist()
    order: list[int] = []
    reached, component = [-2] * n, [0] * n
    count = 0
    for root in range(n):
        if reached[root] != -2:
            continue
        reached[root] = -1
        queue = [root]
        for u in queue:  # grows while it is read
            component[u] = count
            for e in out_edges[out_starts[u] : out_starts[u + 1]]:
                if reached[head[e]] == -2:
                    reached[head[e]] = e
                    queue.append(head[e])
            for e in in_edges[in_starts[u] : in_starts[u + 1]]:
                if reached[tail[e]] == -2:
                    reached[tail[e]] = e
                    queue.append(tail[e])
        order += queue
        count += 1
    return Forest(tails, heads, order, reached, np.array(component, dtype=np.int64))


def forest_of(graph: DelayGraph) -> Forest:
    """Find a spanning forest of a delay graph."""
    return spanning_forest(len(graph.vertices), graph.tails, graph.heads)
