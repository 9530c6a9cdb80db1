"""Fundamental cycles of the undirected graph, and their total weights.

A spanning forest contains one path from the root of a tree to each of its vertices. Each edge
outside the forest, a *cotree* edge, closes one *fundamental* cycle with a path in the forest. These
cycles are a basis of the cycle space, of dimension m - n + c for c weak components. Let the
potential p of a vertex be the total weight of the path from its root. Then the fundamental cycle
of an edge of weight w has the total weight ``w + p(tail) - p(head)``, which is 0 in the forest.
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
Steps = list[tuple[int, int]]  # edges, each with the sign 1, or -1 against its direction


@dataclass(frozen=True)
class Forest:
    """A breadth-first spanning forest from the first vertex of each weak component.

    `order` lists the vertices, parents before children. `reached` is the edge between each vertex
    and its parent, -1 for a root. `component` is the weak component of each vertex, shape (n,).
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
        """Compute the total weight of the path from the root to each vertex."""
        tail, head = self.tails.tolist(), self.heads.tolist()
        found = [0] * len(self.order)
        for v in self.order:
            e = self.reached[v]
            if e >= 0:
                forward = head[e] == v
                found[v] = found[tail[e]] + weights[e] if forward else found[head[e]] - weights[e]
        return found

    def potentials(self, weights: IntArray) -> IntArray:
        """Compute potentials of shape (n, d) from weights of shape (m, d)."""
        columns = [self.potential(column) for column in weights.T.tolist()]
        return np.array(columns, dtype=weights.dtype).reshape(weights.shape[1], -1).T

    def totals(self, weights: IntArray) -> IntArray:
        """Compute the total weight of each fundamental cycle, shape (m - n + c, d)."""
        p, e = self.potentials(weights), self.cotree
        return weights[e] + p[self.tails[e]] - p[self.heads[e]]

    def path(self, v: int) -> Steps:
        """Return the path in the forest from the root to a vertex."""
        steps = []
        while self.reached[v] >= 0:
            e = self.reached[v]
            sign = 1 if self.heads[e] == v else -1
            steps.append((e, sign))
            v = int(self.tails[e] if sign > 0 else self.heads[e])
        return steps[::-1]

    def cycle(self, e: int) -> Steps:
        """Return the fundamental cycle of a cotree edge, which begins with this edge."""
        to_tail, to_head = self.path(int(self.tails[e])), self.path(int(self.heads[e]))
        while to_tail and to_head and to_tail[0] == to_head[0]:
            del to_tail[0], to_head[0]
        return [(e, 1), *((k, -sign) for k, sign in reversed(to_head)), *to_tail]

    def loop(self, e: int) -> Steps:
        """Return the closed walk from the root to a cotree edge, along it, and back."""
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
        for u in queue:  # queue grows during the loop
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
