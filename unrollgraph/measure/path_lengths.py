"""Lengths of longest and shortest paths of the cover, and depth of a network.

The length x(v, t) of a longest path from ``(source, 0)`` to ``(v, t)``, in edges, is the maximum
of ``x(u, t - d) + 1`` over the in-edges u -> v of delay d, for a shortest path the minimum. This
is linear in the max-plus algebra. A potential makes all delays nonnegative, and edges of delay
zero are sorted by level, so stepping to time n costs O(n m). Alternatively, a *state* contains for
each vertex as many values as the largest delay of its out-edges, N values in total. The state
after n steps follows from a power of an N x N matrix, by squaring in O(N^3 log n).

*Depth* as in Zhang et al. (2016): let D(n) and d(n) be the lengths of a longest and a shortest
path of the unrolling from time i to time i + n.

* *Recurrent depth*: the limit of D(n)/n, the greatest ratio of edges to delay over all cycles.
* *Feed-forward depth*: the supremum of D(n) - n * recurrent depth over paths from an input to an
  output. A network with a single hidden layer has 2.
* *Recurrent skip coefficient*: the limit of n/d(n), the greatest ratio of delay to edges.

All are exact fractions. `max_cycle_ratio` and `min_cycle_ratio` return the critical cycles.
Retiming preserves all three, the second only if inputs and outputs are not shifted.

References
----------
F. Baccelli, G. Cohen, G. J. Olsder, J.-P. Quadrat, Synchronization and Linearity (1992).
S. Chang et al., Dilated recurrent neural networks, NIPS 2017, arXiv 1710.02224 (mean recurrent
length). S. Zhang et al., Architectural complexity measures of recurrent neural networks, NIPS
2016, arXiv 1602.08210.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import as_cover
from unrollgraph.errors import check_size
from unrollgraph.graph.delay_graph import (
    DelayGraph,
    GraphLike,
    as_delay_graph,
    each_vertex,
    known,
    part_of,
)
from unrollgraph.graph.digraph import dijkstra, levels, vertices_between
from unrollgraph.graph.times import check_integer
from unrollgraph.limits import MOST_NUMBERS
from unrollgraph.measure.certificates import one_axis
from unrollgraph.measure.cycle_ratio import check_forward, max_cycle_ratio, min_cycle_ratio

Numbers = NDArray[Any]
NEVER = -(2**60)  # no path; sums of NEVER and a length stay below NEVER // 2


def longest_path_length(G: GraphLike, source: Any, target: Any, *, delay: str = "delay") -> int:
    """Number of edges of a longest path of the delay cover.

    The cost is the minimum of O(m n) for n time steps and O(N^3 log n) for a state of N values. N
    grows with the delays, so this is pseudo-polynomial.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertex of the delay cover
        The ends of the path: pairs of a vertex of ``G`` and a time.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    int
        The length.

    Raises
    ------
    networkx.NetworkXNoPath
        If there is no path.
    UnboundedError
        If a cycle on a walk from source to target has a total delay <= 0.
    LiftError
        If source or target is not a vertex of the cover.
    ValueError
        If the delays are vectors, or so large that the state does not fit into memory.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.longest_path_length(ug.gallery.seed_network(), ("in", 0), ("out", 10**6))
    3000004
    """
    cover = as_cover(G, delay)
    (u, start), (v, end) = cover.locate(source), cover.locate(target)
    between = _Between(cover.delay_graph, u, v)
    last = end - start + between.shift
    length = between.at(last) if between.joined and last >= 0 else None
    if length is None:
        raise _no_path(source, target)
    return length


def longest_path_lengths(
    G: GraphLike, source: Any, target: Any, steps: range, *, delay: str = "delay"
) -> tuple[int | None, ...]:
    """Number of edges of longest paths of the cover, for many time differences.

    O(m n) for the greatest n.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertex
        Vertices of ``G``; paths lead from ``(source, 0)`` to ``(target, n)``.
    steps : range
        The time differences n.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    tuple of int or None
        The length for each n; None if there is no path.

    Raises
    ------
    UnboundedError, ValueError
        As for `longest_path_length`, and if source or target is not a vertex of ``G``.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.longest_path_lengths(ug.gallery.top_down(), "x", "y", range(4))
    (3, 5, 7, 9)
    """
    return _Between(as_delay_graph(G, delay), source, target).at_each(_checked(steps), 1)


def shortest_path_lengths(
    G: GraphLike, source: Any, target: Any, steps: range, *, delay: str = "delay"
) -> tuple[int | None, ...]:
    """Number of edges of shortest paths of the cover, for many time differences.

    Errors and computing time are those of `longest_path_lengths`.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertex
        Vertices of ``G``; paths lead from ``(source, 0)`` to ``(target, n)``.
    steps : range
        The time differences n.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    tuple of int or None
        The length for each n; None if there is no path.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.shortest_path_lengths(ug.gallery.skip(3), "x", "y", range(6))
    (2, 3, 4, 3, 4, 5)
    """
    return _Between(as_delay_graph(G, delay), source, target).at_each(_checked(steps), -1)


def mean_recurrent_length(
    G: GraphLike, source: Any, target: Any, steps: range, *, delay: str = "delay"
) -> Fraction:
    """Mean of `shortest_path_lengths`.

    If it is small, few operations connect the inputs of all these earlier times to the output.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertex
        Vertices of ``G``: an input and an output.
    steps : range
        The time differences n; ``range(d)`` for a dilated network with largest delay d.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Fraction
        The mean.

    Raises
    ------
    networkx.NetworkXNoPath
        If there is no path for some time difference.
    UnboundedError, ValueError
        As for `longest_path_lengths`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.mean_recurrent_length(ug.gallery.dilated(4), "x", "h4", range(8))
    Fraction(11, 2)
    """
    if not len(_checked(steps)):
        raise ValueError("steps is empty; the mean requires at least one time difference")
    lengths = shortest_path_lengths(G, source, target, steps, delay=delay)
    reached = [length for length in lengths if length is not None]
    if len(reached) < len(lengths):
        raise _no_path((source, 0), (target, steps[lengths.index(None)]))
    return Fraction(sum(reached), len(reached))


def _checked(steps: Any) -> range:
    if isinstance(steps, range):
        return steps
    raise TypeError(f"steps must be a range, such as range(4), not {steps!r}")


class _Between:
    """The subgraph between source and target, with nonnegative delays by a potential."""

    def __init__(self, graph: DelayGraph, source: Any, target: Any) -> None:
        one_axis(graph)
        for vertex in (source, target):
            if not known(vertex, graph.number):
                raise ValueError(f"{vertex!r} is not a vertex of the graph")
        n, start, goal = len(graph.vertices), graph.number[source], graph.number[target]
        keep = vertices_between(n, graph.tails, graph.heads, start, goal).tolist()
        self.joined = bool(keep)
        self.shift = 0
        if not self.joined:
            return
        inner = part_of(graph, keep)
        ticks, _ = check_forward(inner, inner.delays[:, 0].tolist())
        self.n = len(inner.vertices)
        self.source, self.target = inner.number[source], inner.number[target]
        self.delays = inner.delays[:, 0] + ticks[inner.heads] - ticks[inner.tails]
        self.tails, self.heads = inner.tails, inner.heads
        self.shift = int(ticks[self.target] - ticks[self.source])
        still = self.delays == 0
        self.level = levels(self.n, self.tails[still], self.heads[still])

    def at_each(self, steps: range, sign: int) -> tuple[int | None, ...]:
        """Longest (sign 1) or shortest (sign -1) length for each time difference."""
        count = len(steps)
        _affordable(count, count)
        times = (max(steps) if count else -1) + self.shift + 1
        if not self.joined or times < 1:
            return (None,) * count
        lengths = self._stepped(times, sign)
        return tuple(lengths[n + self.shift] if n + self.shift >= 0 else None for n in steps)

    def at(self, last: int) -> int | None:
        """Longest length to the target at one time."""
        self._forget(last)
        memory, size = self._memory()
        by_squaring = size**3 * max(last, 1).bit_length()
        if by_squaring < last * (len(self.tails) + 1000):
            _affordable(size * size, last)
            return self._leapt(last, memory, size)
        return self._stepped(last + 1, 1)[last]

    def _forget(self, last: int) -> None:
        """Remove the edges with delays greater than the last time."""
        near = self.delays <= last
        self.tails, self.heads, self.delays = (
            array[near] for array in (self.tails, self.heads, self.delays)
        )

    def _stepped(self, times: int, sign: int) -> list[int | None]:
        """Compute the length to the target at the times 0, 1, ... by stepping."""
        self._forget(times - 1)
        rows = int(self.delays.max(initial=0)) + 1
        _affordable(rows * self.n + times, times)
        past = np.full((rows, self.n), NEVER)
        groups = self._groups()
        found: list[int | None] = []
        for t in range(times):
            now = past[t % rows]
            now[:] = NEVER
            if t == 0:
                now[self.source] = 0
            for tails, delays, first, heads in groups:
                reach = np.maximum.reduceat(past[(t - delays) % rows, tails] + sign, first)
                now[heads] = np.maximum(now[heads], reach)
            found.append(_length(now[self.target], sign))
        return found

    def _groups(self) -> list[tuple[Any, ...]]:
        """Group the edges by the level of their heads, and within a level by head."""
        groups = []
        into = self.level[self.heads]
        for level in range(int(self.level.max(initial=0)) + 1):
            edges = np.flatnonzero(into == level)
            if len(edges):
                edges = edges[np.argsort(self.heads[edges], kind="stable")]
                heads, first = np.unique(self.heads[edges], return_index=True)
                groups.append((self.tails[edges], self.delays[edges], first, heads))
        return groups

    def _memory(self) -> tuple[dict[int, int], int]:
        """Return where the values of each vertex start in the state, and the state's size."""
        longest: dict[int, int] = {}
        for u, d in zip(self.tails.tolist(), self.delays.tolist(), strict=True):
            if d:
                longest[u] = max(longest.get(u, 0), d)
        starts, size = {}, 0
        for u, most in longest.items():
            starts[u] = size
            size += most
        return starts, size

    def _leapt(self, last: int, memory: dict[int, int], size: int) -> int | None:
        """Compute the length to the target at a time >= 1 by powers of the step matrix."""
        kind: Any = np.int64 if (self.n + 1) * (last + 2) < -NEVER // 4 else object
        never: Any = NEVER if kind is np.int64 else float("-inf")
        late = [e for e, d in enumerate(self.delays.tolist()) if d]
        entries = [self.source, *(int(self.heads[e]) for e in late)]
        within = self._within_a_step(entries, kind, never)
        # entry memory[u] + a of the state is the value of u, a steps ago
        kept, places = list(memory), list(memory.values())
        step = np.full((size, size), never, dtype=kind)
        out = np.full(size, never, dtype=kind)
        # each value moves to the entry of the next older one of its vertex
        begin = set(places)
        for place in range(size - 1):
            if place + 1 not in begin:
                step[place, place + 1] = 0
        for column, e in enumerate(late, start=1):
            row = memory[int(self.tails[e])] + int(self.delays[e]) - 1
            step[row, places] = np.maximum(step[row, places], within[kept, column] + 1)
            out[row] = max(out[row], within[self.target, column] + 1)
        state = np.full(size, never, dtype=kind)
        state[places] = within[kept, 0]
        power, left = step, last - 1
        while left:
            if left & 1:
                state = (state[:, None] + power).max(axis=0, initial=never)
            left >>= 1
            if left:
                power = _product(power, power, kind, never)
        return _length((state + out).max(initial=never), 1)

    def _within_a_step(self, entries: list[int], kind: Any, never: Any) -> Numbers:
        """Longest lengths along edges of delay zero; one column for each start."""
        lengths = np.full((self.n, len(entries)), never, dtype=kind)
        lengths[entries, range(len(entries))] = 0
        still = np.flatnonzero(self.delays == 0)
        for e in still[np.argsort(self.level[self.heads[still]], kind="stable")].tolist():
            u, v = self.tails[e], self.heads[e]
            lengths[v] = np.maximum(lengths[v], lengths[u] + 1)
        return lengths


def _product(a: Numbers, b: Numbers, kind: Any, never: Any) -> Numbers:
    """Product of two matrices in the max-plus algebra."""
    result = np.full((len(a), b.shape[1]), never, dtype=kind)
    for k in range(len(b)):
        np.maximum(result, a[:, k, None] + b[k], out=result)
    return result


def _affordable(numbers: int, steps: int) -> None:
    hint = "use a larger time unit or fewer steps"
    check_size(numbers, MOST_NUMBERS, f"the state for {steps} steps", hint)


def _no_path(source: Any, target: Any) -> nx.NetworkXNoPath:
    return nx.NetworkXNoPath(f"the cover has no path from {source!r} to {target!r}")


def _length(value: Any, sign: int) -> int | None:
    return sign * int(value) if value > NEVER // 2 else None


def recurrent_depth(G: GraphLike, *, period: int = 1, delay: str = "delay") -> Fraction:
    """Number of operations that a time step adds to the longest paths.

    The cost is that of `max_cycle_ratio`.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every cycle must have a positive total delay.
    period : int
        Number of ticks in a unit of delay, as in `gallery.clockwork`; the depth is per tick.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Fraction
        The greatest ratio of edges to delay over all cycles, divided by the period.

    Raises
    ------
    networkx.NetworkXNoCycle, UnboundedError
        As for `max_cycle_ratio`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.recurrent_depth(ug.gallery.top_down())
    Fraction(2, 1)
    >>> ug.recurrent_depth(ug.gallery.clockwork([1, 2, 4]), period=4)
    Fraction(1, 1)
    """
    return max_cycle_ratio(as_delay_graph(G, delay)).ratio / check_integer(period, "the period", 1)


def skip_coefficient(G: GraphLike, *, period: int = 1, delay: str = "delay") -> Fraction:
    """Number of time steps that an operation can skip on the shortest paths.

    The cost is that of `min_cycle_ratio`.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every cycle must have a positive total delay.
    period : int
        Number of ticks in a unit of delay; the coefficient is in ticks.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Fraction
        The greatest ratio of delay to edges over all cycles, times the period.

    Raises
    ------
    networkx.NetworkXNoCycle, UnboundedError
        As for `max_cycle_ratio`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.skip_coefficient(ug.gallery.skip(21))
    Fraction(21, 1)
    """
    return check_integer(period, "the period", 1) / min_cycle_ratio(as_delay_graph(G, delay)).ratio


def feedforward_depth(
    G: GraphLike, sources: Any, targets: Any, *, delay: str = "delay"
) -> Fraction:
    """Number of operations between input and output in excess of the recurrent depth.

    The cost is that of `max_cycle_ratio` plus O(m log n) for Dijkstra's algorithm.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every cycle must have a positive total delay.
    sources, targets : vertex or iterable of vertices
        The inputs and the outputs.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Fraction
        The greatest ``edges - delay * recurrent depth`` over all paths.

    Raises
    ------
    networkx.NetworkXNoPath
        If there is no path from a source to a target.
    networkx.NetworkXNoCycle, UnboundedError
        As for `max_cycle_ratio`.
    ValueError
        If a source or a target is not a vertex of ``G``.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.feedforward_depth(ug.gallery.stacked(4), "x", "y")
    Fraction(5, 1)
    """
    graph = as_delay_graph(G, delay)
    begin, end = (_numbers(graph, names) for names in (sources, targets))
    rate = max_cycle_ratio(graph)
    p, q = rate.ratio.numerator, rate.ratio.denominator
    potential = [int(q * rate.potential[v]) for v in graph.vertices]
    heads, delays = graph.heads.tolist(), graph.delays[:, 0].tolist()

    # q edges - p delay = decrease of the potential - Dijkstra's distance
    def moves(u: int) -> Iterator[tuple[int, int, int]]:
        for e in graph.out_numbers[u]:
            yield heads[e], p * delays[e] - q + potential[heads[e]] - potential[u], e

    nearest, _ = dijkstra({v: potential[v] for v in begin}, moves)
    reached = [potential[v] - nearest[v] for v in end if v in nearest]
    if not reached:
        raise nx.NetworkXNoPath("the graph has no path from a source to a target")
    return Fraction(max(reached), q)


def _numbers(graph: DelayGraph, names: Any) -> list[int]:
    """Return the numbers of a vertex or of several, as in networkx's ``nbunch``."""
    try:
        if names in graph.number:
            return [graph.number[names]]
    except TypeError:  # unhashable, for example a list
        pass
    if not isinstance(names, Iterable):
        raise ValueError(f"{names!r} is neither a vertex of the graph nor an iterable of vertices")
    listed = list(names)
    each_vertex(graph, listed, "the list of sources or targets")
    return [graph.number[name] for name in listed]
