"""Greatest and least cycle ratios of a delay graph, with proofs.

The ratio of a cycle is its total cost divided by its total delay. The greatest ratio is the rate
at which longest paths of the delay cover grow. For unit costs it is the *recurrent depth* of a
network; with computing times as costs it is the *iteration bound* of a circuit or loop: no
schedule takes less time per step. In max-plus algebra it is the eigenvalue.

A ratio r is proved to be the greatest by a *cycle* that has it and a *potential* p with
``cost <= r * delay + p(head) - p(tail)`` on every edge; the differences cancel around cycles. The
potential is a schedule: vertex ``(v, t)`` starts at time ``r t + p(v)``. For the least ratio the
inequality is reversed. A second potential s with ``delay + s(head) - s(tail) > 0`` on every edge
proves that every cycle has a positive total delay.

Algorithm: Howard's policy iteration in exact integers, for costs c and delays ``d >= 0``. For a
ratio ``p/q``, edges have the weight ``w = q c - p d``. The ratio ``p/q`` of a cycle is the greatest
iff there are *values* x with ``x(tail) >= w + x(head)`` on every edge. A *policy* chooses for each
vertex an out-edge, or to stop at an arbitrary value. The value of a vertex is the weight of its
path under the policy plus the value at the end. Each round gives every vertex its out-edge of
greatest ``w + x(head)`` if that exceeds ``x(tail)``. If the new policy has no cycle, the values do
not decrease. Otherwise its best cycle has a ratio greater than ``p/q``, which becomes the new
ratio, and each cycle is cut at a vertex. There are finitely many policies and cycles.

All numbers, also floats, are exact rationals; they are multiplied by their common denominator.

References
----------
K. K. Parhi, VLSI Digital Signal Processing Systems (1999), on iteration bounds. R. A. Howard,
Dynamic Programming and Markov Processes (1960). J. Cochet-Terrasson et al., Numerical computation
of spectral elements in max-plus algebra (1998). A. Dasdan, S. S. Irani, R. K. Gupta, Efficient
algorithms for optimum cycle mean and optimum cost to time ratio problems, DAC (1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import (
    CertificateError,
    DelayError,
    UnboundedError,
    show_walk,
)
from unrollgraph.graph.delay_graph import (
    NO_ATTRIBUTE,
    DelayGraph,
    Edge,
    GraphLike,
    as_delay_graph,
    each_vertex,
)
from unrollgraph.graph.digraph import Incidence, cycle_among, levels
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.potentials import forward_times
from unrollgraph.graph.times import ExactNumbers, scaled
from unrollgraph.measure.certificates import check_integers, one_axis

# numbers below this and sums of two of them are exact in int64
SAFE = 2**61

# numbers of edges or vertices: an attribute name, a mapping, or None for 1 each
Weights: TypeAlias = str | Mapping[Any, Any] | None

IntArray = NDArray[np.int64]
Numbers = NDArray[Any]  # of int64, or of Python ints if int64 is too small


class Best(NamedTuple):
    """The greatest ratio p/q, a cycle with this ratio, and the values that prove it."""

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
    """Find a cycle of greatest ratio, starting from any cycle.

    The delays must be >= 0, and every cycle must have a positive total delay. On every edge the
    result satisfies ``q * cost - p * delay + x(head) - x(tail) <= 0`` for the ratio p/q in lowest
    terms. A round is O(m + n log n) array operations, in int64 or, for large sums, in Python ints.
    """
    graph = _Graph(n, tails, heads, costs, delays)
    ratio = graph.ratio(cycle)
    values: Numbers = np.zeros(n, dtype=np.int64)
    # if all vertices stopped at first, values would spread by one edge per round
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
        """Total cost divided by total delay of some edges."""
        return Fraction(sum(self.costs[e] for e in edges), sum(self.delays[e] for e in edges))

    def weights(self, ratio: Fraction) -> Numbers:
        """Return the weight of each place, in a dtype that holds all sums."""
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
        """Return a policy of out-edges of greatest weight."""
        policy = np.full(self.n, -1, dtype=np.int64)
        policy[self.leaving] = self._greatest(weights)[1]
        return policy

    def improve(self, policy: IntArray, weights: Numbers, values: Numbers) -> IntArray | None:
        """Return the policy with all improving out-edges; None if no edge improves it."""
        gain = weights + values[self.head] - values[self.tail]
        best, places = self._greatest(gain)
        winning = best > 0
        if not winning.any():
            return None
        better = policy.copy()
        better[self.leaving[winning]] = places[winning]
        return better

    def _greatest(self, amounts: Numbers) -> tuple[Numbers, IntArray]:
        """Return the greatest amount among the out-edges of each vertex, and its place."""
        best = np.maximum.reduceat(amounts, self.first)
        reached = np.flatnonzero(amounts == best[self.group])
        places = np.empty(len(self.leaving), dtype=np.int64)
        places[self.group[reached]] = reached
        return best, places

    def follow(
        self, policy: IntArray, weights: Numbers, stops: Numbers
    ) -> tuple[Numbers, IntArray]:
        """Return the value of each vertex under a policy, and the vertices on its cycles."""
        goes = policy >= 0
        end = np.arange(self.n)
        end[goes] = self.head[policy[goes]]
        total = np.zeros(self.n, dtype=weights.dtype)
        total[goes] = weights[policy[goes]]
        for _ in range(self.n.bit_length()):  # path lengths double in each iteration
            if not goes[end].any():
                break
            total = total + total[end]
            end = end[end]
        # a path that has not stopped after n steps has entered a cycle
        return total + stops[end], np.unique(end[goes[end]])

    def cycles(self, policy: IntArray, going_round: IntArray) -> list[tuple[int, ...]]:
        """Return the cycles of a policy as edge numbers, given the vertices on them."""
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
    """Convert stopping values, which are arbitrary, to the dtype of the weights."""
    if weights.dtype == object:
        return stops.astype(object)
    if max(stops.max(), -stops.min(), key=int) >= SAFE:
        return np.zeros(len(stops), dtype=np.int64)  # avoids overflow
    return stops.astype(np.int64)


def _rescaled(values: Numbers, new: int, old: int) -> Numbers:
    """Return about ``values * new / old``, in integers."""
    if values.dtype == object:
        scaled: Numbers = values * new // old
        return scaled
    limit = float(SAFE)
    return np.clip(np.rint(values * (new / old)), -limit, limit).astype(np.int64)


def edge_weights(graph: DelayGraph, cost: Any) -> ExactNumbers:
    """Return the costs of the edges: 1 each, from an attribute, or from a mapping."""
    for edge in cost if isinstance(cost, Mapping) else ():
        if edge not in graph.edge_number:
            raise ValueError(
                f"the mapping of costs contains {edge!r}, which is not an edge of the graph"
            )
    return _read(cost, graph.edges, graph.edge_values, lambda edge: f"edge {edge!r}", "cost")


def durations_of(graph: DelayGraph, duration: Any) -> ExactNumbers:
    """Return the durations of the vertices; `ValueError` for a negative one."""
    if isinstance(duration, Mapping):
        each_vertex(graph, duration, "the mapping of durations")
    found = _read(
        duration,
        graph.vertices,
        graph.vertex_values,
        lambda vertex: f"vertex {vertex!r}",
        "duration",
    )
    for vertex, number in zip(graph.vertices, found.whole, strict=True):
        if number < 0:
            raise ValueError(
                f"the duration of vertex {vertex!r} is {Fraction(number, found.unit)}, but "
                "durations must be >= 0"
            )
    return found


def _read(source: Any, things: Sequence[Any], attribute: Any, show: Any, what: str) -> ExactNumbers:
    """Read numbers of edges or vertices from an attribute or mapping; None: 1 each."""
    if source is None:
        return ExactNumbers([1] * len(things), 1, floats=False)
    mapping = isinstance(source, Mapping)
    values = [source.get(thing) for thing in things] if mapping else attribute(source)
    for thing, value in zip(things, values, strict=True):
        if value is None:
            where = "in the mapping" if mapping else f"in attribute {source!r}"
            raise ValueError(
                f"{show(thing)} has no {what} {where}; add it, or use the default, 1 for each"
            )
    return scaled(values, lambda k: f"the {what} of {show(things[k])}")


@dataclass(frozen=True)
class CycleRatio:
    """The greatest or least ratio of cost to delay over all cycles, with its proof.

    Attributes
    ----------
    ratio : Fraction
        The exact ratio.
    cycle : tuple of edges
        A *critical* cycle: a cycle with this ratio.
    greatest : bool
        Whether the ratio is the greatest or the least.
    edges : tuple of edges
        The edges of the graph, in the order of the costs and delays.
    costs, delays : ExactNumbers
        The numbers of the edges, as integers over a common denominator.
    potential : mapping from vertices to Fraction
        On every edge ``cost <= ratio * delay + potential[head] - potential[tail]``, with ``>=`` for
        the least ratio. The least value is 0.
    delay_potential : mapping from vertices to Fraction
        On every edge ``delay + delay_potential[head] - delay_potential[tail] > 0``.

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
    _potential: Mapping[Any, int] = field(repr=False)  # numerators over one denominator
    _delay_potential: Mapping[Any, int] = field(repr=False)

    @property
    def floats(self) -> bool:
        """Whether a number was a float; the ratio is exact for its binary value."""
        return self.costs.floats or self.delays.floats

    @cached_property
    def potential(self) -> Mapping[Any, Fraction]:
        """Potential that proves that no cycle has a greater, or lesser, ratio."""
        unit = self._rate.denominator * self.costs.unit
        return FrozenDict({v: Fraction(p, unit) for v, p in self._potential.items()})

    @cached_property
    def delay_potential(self) -> Mapping[Any, Fraction]:
        """Potential that proves the total delay of every cycle positive."""
        unit = (len(self._delay_potential) + 1) * self.delays.unit
        return FrozenDict({v: Fraction(s, unit) for v, s in self._delay_potential.items()})

    def check(self) -> bool:
        """Verify that the cycle has the ratio and that the ratio is extreme; return True.

        O(m) exact integer operations.

        Raises
        ------
        CertificateError
            If not; its attribute ``edge`` is the first edge that violates an inequality, if any.
        """
        p, s = self._potential, self._delay_potential
        scale = len(s) + 1
        check_integers("potentials", [*p.values(), *s.values()])
        rate, sign = self._rate, 1 if self.greatest else -1
        above, below = rate.numerator, rate.denominator
        place = {edge: k for k, edge in enumerate(self.edges)}
        for edge, cost, delay in zip(self.edges, self.costs.whole, self.delays.whole, strict=True):
            u, v = edge[0], edge[1]
            if scale * delay + s[v] - s[u] <= 0:
                raise CertificateError(
                    f"the delay potential violates its inequality on edge {edge!r}", edge=edge
                )
            if sign * (above * delay + p[v] - p[u] - below * cost) < 0:
                raise CertificateError(
                    f"the potential violates its inequality on edge {edge!r}", edge=edge
                )
        ends = [edge[:2] for edge in self.cycle if edge in place]
        joints = zip(ends, ends[1:] + ends[:1], strict=True)
        if not ends or len(ends) < len(self.cycle) or any(a[1] != b[0] for a, b in joints):
            raise CertificateError("the critical cycle is not a closed walk of the graph")
        spent, passed = (
            Fraction(sum(weights.whole[place[edge]] for edge in self.cycle), weights.unit)
            for weights in (self.costs, self.delays)
        )
        if spent != self.ratio * passed:
            raise CertificateError(
                f"the critical cycle has cost {spent} and delay {passed}, not the "
                f"ratio {self.ratio}"
            )
        return True

    @property
    def _rate(self) -> Fraction:
        """The ratio in terms of the integer numerators."""
        return self.ratio * Fraction(self.costs.unit, self.delays.unit)

    def __repr__(self) -> str:
        return f"CycleRatio({self.ratio}, {show_walk(self.cycle)})"


def max_cycle_ratio(G: GraphLike, cost: Weights = None, *, delay: str = "delay") -> CycleRatio:
    """Find the greatest ratio of cost to delay over all cycles.

    It is the growth rate of the longest paths of the delay cover.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every cycle must have a positive total delay.
    cost : str or mapping, optional
        Edge attribute of the costs, or a mapping from edges to costs; default: 1 each.
        Costs are integers, fractions, decimals or floats of any sign.
    delay : str
        Edge attribute of the delays, which may be numbers of the same kinds.

    Returns
    -------
    CycleRatio
        The ratio as a `fractions.Fraction`, a cycle with this ratio, and the proof.

    Raises
    ------
    networkx.NetworkXNoCycle
        If there is no cycle.
    UnboundedError
        If a cycle has a total delay <= 0; the attribute ``cycle`` contains it.
    ValueError
        If a cost is missing or is not a number, or if the delays are vectors.

    Notes
    -----
    Policy iteration in exact integers, usually 10 to 25 rounds of O(m + n log n). If a delay is
    negative, a potential is computed first, in O(n m) in the worst case.

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


def min_cycle_ratio(G: GraphLike, cost: Weights = None, *, delay: str = "delay") -> CycleRatio:
    """Find the least ratio of cost to delay over all cycles.

    It is the growth rate of the shortest paths of the delay cover. Errors and computing time are
    those of `max_cycle_ratio`.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every cycle must have a positive total delay.
    cost : str or mapping, optional
        Edge attribute of the costs, or a mapping from edges to costs; default: 1 each.
        Costs are integers, fractions, decimals or floats of any sign.
    delay : str
        Edge attribute of the delays, which may be numbers of the same kinds.

    Returns
    -------
    CycleRatio
        The ratio, a cycle with this ratio, and the proof.

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
    ticks, clock = check_forward(graph, delays.whole, delays.unit)
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
    # -values are a potential for the shifted delays; convert it to the user's delays
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
        _potential=FrozenDict((v, x - least) for v, x in zip(graph.vertices, start, strict=True)),
        _delay_potential=FrozenDict(zip(graph.vertices, clock, strict=True)),
    )


def check_forward(graph: DelayGraph, delays: Sequence[int], unit: int = 1) -> tuple[Any, list[int]]:
    """Return potentials for positive delays; `UnboundedError` if a cycle prevents it.

    The first, an array of integers, makes all delays nonnegative. The second makes them positive;
    it consists of the numerators of `CycleRatio.delay_potential`, and includes levels along edges
    of delay zero.
    """
    n = len(graph.vertices)
    small = 4 * (n + 1) * max(map(abs, delays), default=0) < 2**62
    array = np.array(delays, dtype=np.int64 if small else object)
    ticks, level, cycle = forward_times(n, graph.tails, graph.heads, array)
    if cycle:
        edges = tuple(graph.edges[e] for e in cycle)
        own = {graph.edges[e]: Fraction(delays[e], unit) for e in cycle}
        total = sum(own.values())
        raise UnboundedError(
            f"the cycle {show_walk(edges, 12, own.__getitem__, graph.is_parallel)} has total delay "
            f"{total}; the total delay of every cycle must be positive",
            cycle=edges,
        )
    pairs = zip(ticks.tolist(), level.tolist(), strict=True)
    return ticks, [tick * (n + 1) + rank for tick, rank in pairs]


def _delays(G: Any, delay: str) -> tuple[DelayGraph, ExactNumbers]:
    """Read a graph whose delays may be any rational numbers."""
    try:
        graph = as_delay_graph(G, delay)
    except DelayError:
        graph = DelayGraph(G, NO_ATTRIBUTE)
        values = graph.edge_values(delay, 0)
        absent = not any(delay in data for data in graph.edge_data)
        if absent or any(isinstance(value, tuple | list | np.ndarray) for value in values):
            raise
        return graph, scaled(values, lambda k: f"the delay of edge {graph.edges[k]!r}")
    one_axis(graph)
    return graph, ExactNumbers(graph.delays[:, 0].tolist(), 1, floats=False)
