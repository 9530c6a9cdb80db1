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

References
----------
P. Brucker, R. M. Karp and others on cycle means; see `unrollgraph.measure.policy` for the
algorithm. K. K. Parhi, VLSI Digital Signal Processing Systems (1999), on iteration bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.errors import (
    CertificateError,
    DelayError,
    UnboundedError,
    show_edge,
    show_walk,
)
from unrollgraph.graph.delay_graph import DelayGraph, Edge, as_delay_graph
from unrollgraph.graph.digraph import cycle_among, levels
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.potentials import ascent
from unrollgraph.measure.certificates import must_be_integers, one_axis
from unrollgraph.measure.policy import best_cycle
from unrollgraph.measure.weights import Weights, edge_weights, scaled


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
    costs, delays : Weights
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
    costs: Weights = field(repr=False)
    delays: Weights = field(repr=False)
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
        must_be_integers("potentials and clocks", [*p.values(), *s.values()])
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


def _delays(G: Any, delay: str) -> tuple[DelayGraph, Weights]:
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
    return graph, Weights(graph.delays[:, 0].tolist(), 1, floats=False)


class _Nowhere:
    """The name of an attribute that no edge has."""


_NOWHERE: Any = _Nowhere()
