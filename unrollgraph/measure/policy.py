"""Policy iteration: the cycle of greatest ratio of cost to delay, in exact integers.

Given are integer costs ``c`` and delays ``d >= 0`` on the edges of a graph all of whose
cycles have a positive total delay. For a ratio ``p/q`` weigh each edge by
``w = q c - p d``. A cycle has a positive weight exactly when its ratio is greater than
``p/q``; so ``p/q`` is the greatest of all exactly when it is that of some cycle and
there are *values* x with

    x(tail) >= w + x(head)   on every edge,

for around a cycle the values cancel and leave ``0 >= w``. The values prove the answer.

A *policy* chooses for each vertex one of its out-edges, or to stop, and its value is the
weight of the path that it prescribes and of the value at its end, which is free. One
round gives every vertex the out-edge of greatest ``w + x(head)`` wherever that exceeds
``x(tail)``. If the new policy has no cycle all values are as large as before or larger.
If it has, the best of its cycles has a greater ratio than ``p/q``: that is the new ratio,
each cycle is cut at one vertex, which stops with the value it had, and so on. Values rise
over finitely many policies while the ratio stays, and the ratio over finitely many
cycles; so the rounds end, with values that prove the ratio. In practice there are a
dozen or two. The first policy takes the greatest weights, its cycles cut.

References
----------
R. A. Howard, Dynamic Programming and Markov Processes (1960). J. Cochet-Terrasson et al.,
Numerical computation of spectral elements in max-plus algebra (1998). A. Dasdan,
S. S. Irani, R. K. Gupta, Efficient algorithms for optimum cycle mean and optimum cost to
time ratio problems, DAC (1999).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.digraph import Incidence

# Sums below this are exact in int64, and so are the sums of two of them.
SAFE = 2**61

IntArray = NDArray[np.int64]
Numbers = NDArray[Any]  # of int64, or of Python integers where those do not suffice


class Best(NamedTuple):
    """The greatest ratio, a cycle that has it, and values that prove it, times its denominator."""

    ratio: Fraction
    cycle: tuple[int, ...]
    values: list[int]


def best_cycle(
    n: int,
    tails: IntArray,
    heads: IntArray,
    costs: list[int],
    delays: list[int],
    cycle: tuple[int, ...],
) -> Best:
    """Find the cycle of greatest ratio, beginning with any cycle.

    Parameters
    ----------
    n : int
        Number of vertices.
    tails, heads : ndarray of int64, shape (m,)
        Ends of the edges.
    costs, delays : list of int
        Of the edges; every cycle has a positive total delay.
    cycle : tuple of int
        Edge numbers of a cycle.

    Returns
    -------
    Best
        With the ratio p/q in lowest terms, ``q * cost - p * delay + x(head) - x(tail) <= 0``
        on every edge.

    Notes
    -----
    A round is O(m + n log n) operations on arrays, of int64 as long as the greatest sum
    that may occur fits, else of Python integers.
    """
    graph = _Graph(n, tails, heads, costs, delays)
    ratio = graph.ratio(cycle)
    values: Numbers = np.zeros(n, dtype=np.int64)
    # were all to stop at first, values would have to come from afar, a vertex a round
    policy = graph.greedy(graph.weights(ratio))
    _, going_round = graph.follow(policy, graph.weights(ratio), values)
    while True:
        old = ratio
        for edges in graph.cycles(policy, going_round):
            policy[tails[edges[0]]] = -1
            if graph.ratio(edges) > ratio:
                ratio, cycle = graph.ratio(edges), edges
        weights = graph.weights(ratio)
        stops = _alike(_rescaled(values, ratio.denominator, old.denominator), weights)
        values, _ = graph.follow(policy, weights, stops)
        while True:
            better = graph.improve(policy, weights, values)
            if better is None:
                return Best(ratio, cycle, values.tolist())
            policy = better
            found, going_round = graph.follow(policy, weights, stops)
            if len(going_round):
                break
            values = found


class _Graph:
    """The edges in the order of their tails; a *place* is a position in that order."""

    def __init__(
        self, n: int, tails: IntArray, heads: IntArray, costs: list[int], delays: list[int]
    ) -> None:
        by_tail = Incidence(n, tails)
        self.n = n
        self.number = by_tail.edges
        self.tail, self.head = tails[self.number], heads[self.number]
        self.costs, self.delays = costs, delays
        counts = np.diff(by_tail.starts)
        self.leaving = np.flatnonzero(counts)  # vertices with out-edges
        self.first = by_tail.starts[self.leaving]
        self.group = np.repeat(np.arange(len(self.leaving)), counts[self.leaving])
        self.greatest = (max(map(abs, costs)), max(map(abs, delays)))
        self.weighed: dict[Any, tuple[Numbers, Numbers]] = {}

    def ratio(self, edges: tuple[int, ...]) -> Fraction:
        """Cost over delay of some edges."""
        return Fraction(sum(self.costs[e] for e in edges), sum(self.delays[e] for e in edges))

    def weights(self, ratio: Fraction) -> Numbers:
        """Weight of each place, in integers that hold every sum of a policy."""
        p, q = ratio.numerator, ratio.denominator
        most = q * self.greatest[0] + abs(p) * self.greatest[1]
        kind: Any = np.int64 if 4 * (self.n + 1) * most < SAFE else object
        if kind not in self.weighed:
            costs, delays = (np.array(list_, dtype=kind) for list_ in (self.costs, self.delays))
            self.weighed[kind] = costs[self.number], delays[self.number]
        costs, delays = self.weighed[kind]
        weights: Numbers = q * costs - p * delays
        return weights

    def greedy(self, weights: Numbers) -> IntArray:
        """Give each vertex that has one its out-edge of greatest weight."""
        policy = np.full(self.n, -1, dtype=np.int64)
        policy[self.leaving] = self._greatest(weights)[1]
        return policy

    def improve(self, policy: IntArray, weights: Numbers, values: Numbers) -> IntArray | None:
        """Give each vertex its best out-edge where that beats its value; None if none does."""
        gain = weights + values[self.head] - values[self.tail]
        best, places = self._greatest(gain)
        winning = best > 0
        if not winning.any():
            return None
        better = policy.copy()
        better[self.leaving[winning]] = places[winning]
        return better

    def _greatest(self, amounts: Numbers) -> tuple[Numbers, IntArray]:
        """The greatest amount on the out-edges of each vertex that has some, and a place of it."""
        best = np.maximum.reduceat(amounts, self.first)
        reached = np.flatnonzero(amounts == best[self.group])
        places = np.empty(len(self.leaving), dtype=np.int64)
        places[self.group[reached]] = reached
        return best, places

    def follow(
        self, policy: IntArray, weights: Numbers, stops: Numbers
    ) -> tuple[Numbers, IntArray]:
        """Value of each vertex under a policy, and the vertices that lie on its cycles.

        Paths are followed 1, 2, 4, ... steps at a time. With a cycle there are no values.
        """
        goes = policy >= 0
        end = np.arange(self.n)
        end[goes] = self.head[policy[goes]]
        total = np.zeros(self.n, dtype=weights.dtype)
        total[goes] = weights[policy[goes]]
        for _ in range(self.n.bit_length()):
            if not goes[end].any():
                break
            total = total + total[end]
            end = end[end]
        # after n steps or more, what still goes goes round for ever
        return total + stops[end], np.unique(end[goes[end]])

    def cycles(self, policy: IntArray, going_round: IntArray) -> list[tuple[int, ...]]:
        """Edge numbers of the cycles of a policy, given the vertices on them."""
        chosen = policy[going_round]
        leads = dict(
            zip(
                going_round.tolist(),
                zip(self.number[chosen].tolist(), self.head[chosen].tolist(), strict=True),
                strict=True,
            )
        )
        found = []
        while leads:
            v = next(iter(leads))
            edges = []
            while v in leads:
                edge, v = leads.pop(v)
                edges.append(edge)
            found.append(tuple(edges))
        return found


def _alike(stops: Numbers, weights: Numbers) -> Numbers:
    """Stopping values in the kind of the weights; zeros where their sums might not fit.

    Any stopping values are right, since the values prove the answer whatever they are.
    """
    if weights.dtype == object:
        return stops.astype(object)
    if max(stops.max(), -stops.min(), key=int) >= SAFE:
        return np.zeros(len(stops), dtype=np.int64)
    return stops.astype(np.int64)


def _rescaled(values: Numbers, new: int, old: int) -> Numbers:
    """About ``values * new / old``, in integers."""
    if values.dtype == object:
        scaled: Numbers = values * new // old
        return scaled
    limit = float(SAFE)
    return np.clip(np.rint(values * (new / old)), -limit, limit).astype(np.int64)
