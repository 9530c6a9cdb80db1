"""Cycle ratios: what a network gains per unit of time when it goes round and round.

The ratio of a cycle is its cost over its delay. The greatest ratio over all cycles is
the rate at which longest paths of the delay cover grow, for unit costs the *recurrent
depth* of a network; with computing times as costs it is the *iteration bound* of a
circuit or a loop: no schedule, however parallel, takes less time for each step. In
max-plus algebra it is the eigenvalue.

Two things prove that a ratio r is the greatest:

* a *cycle* that has it, and
* a *potential* p with ``cost <= r * delay + p(head) - p(tail)`` on every edge, whose
  differences cancel around cycles. It is a schedule: let copy ``(v, t)`` start at
  ``r t + p(v)``, and each arc finds as much time as it costs.

For the least ratio the inequality is turned round. Dividing by the delay of a cycle needs
it to be positive, which is proved as well: by a *clock* s with
``delay + s(head) - s(tail) > 0`` on every edge.

The cycle is found by Howard's policy iteration, in exact integers. Given are integer costs ``c``
and delays ``d >= 0`` on the edges of a graph all of whose cycles have a positive total delay. For
a ratio ``p/q`` weigh each edge by ``w = q c - p d``. A cycle has a positive weight exactly when
its ratio is greater than ``p/q``; so ``p/q`` is the greatest of all exactly when it is that of
some cycle and there are *values* x with

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

Costs, durations and delays may be integers, fractions, decimals or floats. All of them are
rational, a float too, whose value is a fraction with a power of two below. So each list of them
is multiplied by its common denominator and is then a list of Python integers, and no sum of
those is rounded. Where one of the numbers was a float, the result says so.

References
----------
K. K. Parhi, VLSI Digital Signal Processing Systems (1999), on iteration bounds.

R. A. Howard, Dynamic Programming and Markov Processes (1960). J. Cochet-Terrasson et al.,
Numerical computation of spectral elements in max-plus algebra (1998). A. Dasdan,
S. S. Irani, R. K. Gupta, Efficient algorithms for optimum cycle mean and optimum cost to
time ratio problems, DAC (1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import (
    CertificateError,
    DelayError,
    UnboundedError,
    show_edge,
    show_vertex,
    show_walk,
)
from unrollgraph.graph.delay_graph import DelayGraph, Edge, as_delay_graph, each_vertex
from unrollgraph.graph.digraph import Incidence, cycle_among, levels
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.potentials import ascent
from unrollgraph.graph.times import ExactNumbers, scaled
from unrollgraph.measure.certificates import check_integers, one_axis

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


def edge_weights(graph: DelayGraph, cost: Any) -> ExactNumbers:
    """Numbers on edges: 1 each, or an attribute's values, or those of a mapping."""
    for edge in cost if isinstance(cost, Mapping) else ():
        if edge not in graph.edge_number:
            raise ValueError(f"the mapping of costs names {edge!r}, which is no edge of the graph")
    return _read(
        cost, graph.edges, graph.edge_values, lambda edge: f"the edge {show_edge(edge)}", "cost"
    )


def durations_of(graph: DelayGraph, duration: Any) -> ExactNumbers:
    """Numbers on vertices, none of them negative: 1 each, an attribute's, or a mapping's."""
    if isinstance(duration, Mapping):
        each_vertex(graph, duration, "the mapping of durations")
    found = _read(duration, graph.vertices, graph.vertex_values, show_vertex, "duration")
    for vertex, number in zip(graph.vertices, found.whole, strict=True):
        if number < 0:
            raise ValueError(
                f"the duration of {show_vertex(vertex)} is {Fraction(number, found.unit)}, but "
                "nothing takes less than no time"
            )
    return found


def _read(source: Any, things: Sequence[Any], attribute: Any, show: Any, what: str) -> ExactNumbers:
    """Numbers of edges or vertices, from wherever the user has written them."""
    if source is None:
        return ExactNumbers([1] * len(things), 1, floats=False)
    mapping = isinstance(source, Mapping)
    values = [source.get(thing) for thing in things] if mapping else attribute(source)
    for thing, value in zip(things, values, strict=True):
        if value is None:
            where = "in the mapping" if mapping else f"under {source!r}"
            raise ValueError(
                f"{show(thing)} has no {what} {where}; give it one, or leave {what} out for 1 each"
            )
    return scaled(values, lambda k: f"the {what} of {show(things[k])}")


@dataclass(frozen=True)
class CycleRatio:
    """The greatest or the least ratio of cost to delay over all cycles, with its proof.

    Attributes
    ----------
    ratio : Fraction
        The ratio; exactly, whatever numbers were given.
    cycle : tuple of edges
        A cycle that has it: the *critical* cycle.
    greatest : bool
        Whether the ratio is the greatest, not the least.
    edges : tuple of edges
        The edges of the graph, in whose order costs and delays are.
    costs, delays : ExactNumbers
        The number of each edge, as an integer over a unit.
    potentials, clocks : dict
        What `potential` and `clock` are made from: a numerator for each vertex.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> found = ug.max_cycle_ratio(ug.gallery.top_down())
    >>> found
    CycleRatio(2, h1 -> h2 -> h1)
    >>> found.potential["h2"] - found.potential["h1"], found.check()
    (Fraction(1, 1), True)
    """

    ratio: Fraction
    cycle: tuple[Edge, ...]
    greatest: bool
    edges: tuple[Edge, ...] = field(repr=False)
    costs: ExactNumbers = field(repr=False)
    delays: ExactNumbers = field(repr=False)
    potentials: Mapping[Any, int] = field(repr=False)
    clocks: Mapping[Any, int] = field(repr=False)

    @property
    def floats(self) -> bool:
        """Whether a float was among the numbers.

        The ratio is then exact for the binary fractions that floats are: 0.1 is a little
        more than 1/10.
        """
        return self.costs.floats or self.delays.floats

    @cached_property
    def potential(self) -> Mapping[Any, Fraction]:
        """A number for each vertex, the least of them 0, that bounds the ratio of every cycle.

        On every edge ``cost <= ratio * delay + potential[head] - potential[tail]``; for the
        least ratio with ``>=``.
        """
        unit = self._rate.denominator * self.costs.unit
        return FrozenDict({v: Fraction(p, unit) for v, p in self.potentials.items()})

    @cached_property
    def clock(self) -> Mapping[Any, Fraction]:
        """A number for each vertex with ``delay + clock[head] - clock[tail] > 0`` on every edge.

        All cycles have a positive delay.
        """
        unit = (len(self.clocks) + 1) * self.delays.unit
        return FrozenDict({v: Fraction(s, unit) for v, s in self.clocks.items()})

    def check(self) -> bool:
        """Verify that the cycle has the ratio and that no cycle has a greater, or smaller, one.

        Returns
        -------
        bool
            True.

        Raises
        ------
        CertificateError
            With the first edge that refutes it.

        Notes
        -----
        O(m) exact integer operations.
        """
        p, s, scale = self.potentials, self.clocks, len(self.clocks) + 1
        check_integers("potentials and clocks", [*p.values(), *s.values()])
        rate, sign = self._rate, 1 if self.greatest else -1
        above, below = rate.numerator, rate.denominator
        place = {edge: k for k, edge in enumerate(self.edges)}
        for edge, cost, delay in zip(self.edges, self.costs.whole, self.delays.whole, strict=True):
            u, v = edge[0], edge[1]
            if scale * delay + s[v] - s[u] <= 0:
                raise CertificateError(
                    f"by the clock the edge {show_edge(edge)} takes no time", edge=edge
                )
            if sign * (above * delay + p[v] - p[u] - below * cost) < 0:
                raise CertificateError(
                    f"the potential does not bound the edge {show_edge(edge)}", edge=edge
                )
        ends = [edge[:2] for edge in self.cycle if edge in place]
        joints = zip(ends, ends[1:] + ends[:1], strict=True)
        if not ends or len(ends) < len(self.cycle) or any(a[1] != b[0] for a, b in joints):
            raise CertificateError("the critical cycle is no closed walk of the graph")
        spent, passed = (
            Fraction(sum(weights.whole[place[edge]] for edge in self.cycle), weights.unit)
            for weights in (self.costs, self.delays)
        )
        if spent != self.ratio * passed:
            raise CertificateError(
                f"the critical cycle costs {spent} in {passed} steps, not {self.ratio} a step"
            )
        return True

    @property
    def _rate(self) -> Fraction:
        """The ratio in units of the whole numbers."""
        return self.ratio * Fraction(self.costs.unit, self.delays.unit)

    def __repr__(self) -> str:
        return f"CycleRatio({self.ratio}, {show_walk(self.cycle)})"


def max_cycle_ratio(G: Any, cost: Any = None, *, delay: str = "delay") -> CycleRatio:
    """Find the greatest ratio of cost to delay over all cycles.

    It is the rate at which the longest paths of the delay cover grow.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A graph whose cycles all have a positive total delay.
    cost : str or mapping, optional
        The edge attribute that holds the cost, or a mapping from edges to costs;
        unless given every edge costs 1. Costs are integers, fractions, decimals or
        floats of any sign.
    delay : str
        The edge attribute that holds the delay; absent means 0. Here it may be any
        number that a cost may be.

    Returns
    -------
    CycleRatio
        The ratio as a `fractions.Fraction`, a cycle that has it, and what proves that
        no cycle has a greater one.

    Raises
    ------
    networkx.NetworkXNoCycle
        If there is no cycle.
    UnboundedError
        If a cycle has a total delay of zero or less; it carries the cycle.
    ValueError
        If a cost is missing or no number, or delays are vectors.

    Notes
    -----
    Policy iteration in exact integers, each round O(m + n log n); a dozen rounds or two.
    Before it one pass in which all delays become non-negative by clocks, which costs
    O(n m) at worst where some are negative.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("a", "b", work=3, delay=1)
    >>> G.add_edge("b", "a", work=4, delay=1)
    >>> ug.max_cycle_ratio(G, "work").ratio
    Fraction(7, 2)
    """
    return _extreme(G, cost, delay, greatest=True)


def min_cycle_ratio(G: Any, cost: Any = None, *, delay: str = "delay") -> CycleRatio:
    """Find the least ratio of cost to delay over all cycles.

    It is the rate at which the shortest paths of the delay cover grow. Parameters, errors and
    cost are those of `max_cycle_ratio`.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A graph whose cycles all have a positive total delay.
    cost : str or mapping, optional
        The edge attribute that holds the cost, or a mapping from edges to costs.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    CycleRatio
        The ratio, a cycle that has it, and what proves that no cycle has a smaller one.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.min_cycle_ratio(ug.gallery.skip(5))
    CycleRatio(1/5, h -> h (key 1))
    """
    return _extreme(G, cost, delay, greatest=False)


def _extreme(G: Any, cost: Any, delay: str, *, greatest: bool) -> CycleRatio:
    graph, delays = _delays(G, delay)
    costs = edge_weights(graph, cost)
    n, tails, heads = len(graph.vertices), graph.tails, graph.heads
    ticks, clock = clocks_forward(graph, delays.whole, delays.unit)
    level = levels(n, tails, heads)
    if level.min(initial=0) >= 0:
        raise nx.NetworkXNoCycle("the graph has no cycle, so there is no cycle ratio")
    sign = 1 if greatest else -1
    gauge = np.array(delays.whole, dtype=ticks.dtype) + ticks[heads] - ticks[tails]
    best = best_cycle(
        n,
        tails,
        heads,
        [sign * number for number in costs.whole],
        gauge.tolist(),
        cycle_among(level, tails, heads),
    )
    # values times -1 are a potential for the delays of the clocks; back to the user's
    p = best.ratio.numerator
    start = [sign * (p * t - x) for x, t in zip(best.values, ticks.tolist(), strict=True)]
    least = min(start)
    return CycleRatio(
        ratio=sign * best.ratio * Fraction(delays.unit, costs.unit),
        cycle=tuple(graph.edges[e] for e in best.cycle),
        greatest=greatest,
        edges=graph.edges,
        costs=costs._replace(whole=tuple(costs.whole)),
        delays=delays._replace(whole=tuple(delays.whole)),
        potentials=FrozenDict((v, x - least) for v, x in zip(graph.vertices, start, strict=True)),
        clocks=FrozenDict(zip(graph.vertices, clock, strict=True)),
    )


def clocks_forward(
    graph: DelayGraph, delays: Sequence[int], unit: int = 1
) -> tuple[Any, list[int]]:
    """Clocks by which every edge takes time, or `UnboundedError` with a cycle that takes none.

    Returns whole ticks by which no delay is negative, as an array, and the numerators of the
    clock of a `CycleRatio`: ticks, and within a tick the level along edges of delay zero.
    """
    n = len(graph.vertices)
    small = 4 * (n + 1) * max(map(abs, delays), default=0) < 2**62
    array = np.array(delays, dtype=np.int64 if small else object)
    ticks, level, cycle = ascent(n, graph.tails, graph.heads, array)
    if cycle:
        edges = tuple(graph.edges[e] for e in cycle)
        own = {graph.edges[e]: Fraction(delays[e], unit) for e in cycle}
        total = sum(own.values())
        raise UnboundedError(
            f"the cycle {show_walk(edges, delay=own.__getitem__)} has total delay {total}, but "
            "going round must take time; give it a positive delay",
            cycle=edges,
        )
    pairs = zip(ticks.tolist(), level.tolist(), strict=True)
    return ticks, [tick * (n + 1) + rank for tick, rank in pairs]


def _delays(G: Any, delay: str) -> tuple[DelayGraph, ExactNumbers]:
    """Read a graph whose delays may be any rational numbers."""
    try:
        graph = as_delay_graph(G, delay)
    except DelayError:
        graph = DelayGraph(G, _NOWHERE)
        values = graph.edge_values(delay, 0)
        absent = not any(delay in data for data in graph.edge_data)
        if absent or any(isinstance(value, tuple | list | np.ndarray) for value in values):
            raise
        return graph, scaled(values, lambda k: f"the delay of the edge {show_edge(graph.edges[k])}")
    one_axis(graph)
    return graph, ExactNumbers(graph.delays[:, 0].tolist(), 1, floats=False)


class _Nowhere:
    """The name of an attribute that no edge has."""


_NOWHERE: Any = _Nowhere()
