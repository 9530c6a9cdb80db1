"""Lengths of longest and shortest paths of the unrolling, and the depth of a network.

Of a network that runs forward in time: the length, in edges, of a longest or shortest
path from ``(source, 0)`` to ``(target, n)``. Let x(v, t) be that length at ``(v, t)``. Then

    x(v, t) = max of x(u, t - d) + 1 over the in-edges u -> v of delay d,

which is linear where sums are maxima and products sums (*max-plus*), and with minima
likewise. Clocks make all delays non-negative, and those that are zero go up in level, so
each time follows from the last few.

Two roads lead to time n. Stepping costs O(n m). What times to come need of the past is a
*state* of as many numbers as a value is remembered for, summed over the vertices: N in all.
The state after n steps is a power of one N x N matrix, by squaring in O(N^3 log n). A network
with one value remembered for one step has N = 1, and a million steps are twenty products.

The *depth* of a network follows Zhang et al. (2016), for a network that runs forward in time. Of
all paths of the unrolling from time i to time i + n let D(n) be the length of a longest and d(n)
that of a shortest one, counted in edges.

* The *recurrent depth* is the limit of D(n)/n, the greatest ratio of edges to delay over
  the cycles: how many operations a step of time adds.
* The *feed-forward depth* is the supremum of D(n) - n times that, over paths from an input
  to an output: what lies above the recurrence. A single hidden layer has 2.
* The *recurrent skip coefficient* is the limit of n/d(n), the greatest ratio of delay to
  edges: how many steps of time an operation can skip.

All of them are exact fractions; `max_cycle_ratio` and `min_cycle_ratio` tell the cycles
and what proves them. The first and the last do not change under retiming, nor does the
second as long as inputs and outputs keep their clocks.

References
----------
F. Baccelli, G. Cohen, G. J. Olsder, J.-P. Quadrat, Synchronization and Linearity (1992). Mean
recurrent length: S. Chang et al., Dilated recurrent neural networks, NIPS 2017,
arXiv 1710.02224.

S. Zhang et al., Architectural complexity measures of recurrent neural networks,
NIPS 2016, arXiv 1602.08210.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import check_size, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, each_vertex, known, part_of
from unrollgraph.graph.digraph import dijkstra, levels, vertices_between
from unrollgraph.graph.times import check_integer, integer
from unrollgraph.limits import MOST_NUMBERS
from unrollgraph.measure.certificates import one_axis
from unrollgraph.measure.cycle_ratio import clocks_forward, max_cycle_ratio, min_cycle_ratio

Numbers = NDArray[Any]
NEVER = -(2**60)  # no path; whatever is added to it in one product stays below half of it


def longest_path_length(
    G: Any, source: Any, target: Any, steps: int, *, delay: str = "delay"
) -> int:
    """Edges of a longest path of the unrolling over a number of steps.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    source, target : vertex
        The path leads from ``(source, 0)`` to ``(target, steps)``.
    steps : int
        Any number of steps.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    int
        The length of a longest path.

    Raises
    ------
    networkx.NetworkXNoPath
        If there is no path.
    UnboundedError
        If a cycle that paths from source to target may meet has a total delay of zero or
        less; it carries the cycle.
    ValueError
        If source or target is no vertex, delays are vectors, or so large that a step has
        too much to remember.

    Notes
    -----
    O(m n) for n steps, or O(N^3 log n) where what is remembered from step to step are N
    numbers, whichever is less. Pseudo-polynomial in the delays, since N grows with them.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.longest_path_length(ug.gallery.seed_network(), "in", "out", 10**6)
    3000004
    """
    between = _Between(as_delay_graph(G, delay), source, target)
    last = _whole(steps) + between.shift
    length = between.at(last) if between.joined and last >= 0 else None
    if length is None:
        raise _no_path(source, target, steps)
    return length


def longest_path_lengths(
    G: Any, source: Any, target: Any, steps: int, *, delay: str = "delay"
) -> tuple[int | None, ...]:
    """Edges of longest paths of the unrolling, for each number of steps below a number.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    source, target : vertex
        Paths lead from ``(source, 0)`` to ``(target, n)``.
    steps : int
        How many lengths: for n = 0, 1, ..., steps - 1.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    tuple of int or None
        The length for each n; None where no path leads.

    Raises
    ------
    UnboundedError, ValueError
        As for `longest_path_length`.

    Notes
    -----
    O(m steps).

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.longest_path_lengths(ug.gallery.top_down(), "x", "y", 4)
    (3, 5, 7, 9)
    """
    return _Between(as_delay_graph(G, delay), source, target).up_to(
        check_integer(steps, "the number of steps"), 1
    )


def shortest_path_lengths(
    G: Any, source: Any, target: Any, steps: int, *, delay: str = "delay"
) -> tuple[int | None, ...]:
    """Edges of shortest paths of the unrolling, for each number of steps below a number.

    Parameters, errors and cost are those of `longest_path_lengths`.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    source, target : vertex
        Paths lead from ``(source, 0)`` to ``(target, n)``.
    steps : int
        How many lengths: for n = 0, 1, ..., steps - 1.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    tuple of int or None
        The length for each n; None where no path leads.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.shortest_path_lengths(ug.gallery.skip(3), "x", "y", 6)
    (2, 3, 4, 3, 4, 5)
    """
    return _Between(as_delay_graph(G, delay), source, target).up_to(
        check_integer(steps, "the number of steps"), -1
    )


def mean_recurrent_length(
    G: Any, source: Any, target: Any, steps: int, *, delay: str = "delay"
) -> Fraction:
    """Mean length of the shortest paths over 0, 1, ..., steps - 1 steps of time.

    Small where information from any number of steps ago needs few operations to arrive.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    source, target : vertex
        The input and the output.
    steps : int
        Over how many steps to take the mean; for a dilated network its longest delay.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Fraction
        The mean.

    Raises
    ------
    networkx.NetworkXNoPath
        If for some number of steps no path leads from source to target.
    UnboundedError, ValueError
        As for `longest_path_length`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.mean_recurrent_length(ug.gallery.dilated(4), "x", "h4", 8)
    Fraction(11, 2)
    """
    if check_integer(steps, "the number of steps") == 0:
        raise ValueError("the mean is taken over at least one number of steps")
    lengths = shortest_path_lengths(G, source, target, steps, delay=delay)
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        raise _no_path(source, target, lengths.index(None))
    return Fraction(sum(known), len(known))


def _whole(steps: Any) -> int:
    try:
        return integer(steps)
    except TypeError:
        raise ValueError(f"the number of steps is {steps!r}, but it must be an integer") from None


class _Between:
    """What lies on paths from the source to the target, with clocks that never go back."""

    def __init__(self, graph: DelayGraph, source: Any, target: Any) -> None:
        one_axis(graph)
        for vertex in (source, target):
            if not known(vertex, graph.number):
                raise ValueError(f"{show_vertex(vertex)} is no vertex of the graph")
        n, start, goal = len(graph.vertices), graph.number[source], graph.number[target]
        keep = vertices_between(n, graph.tails, graph.heads, start, goal).tolist()
        self.joined = bool(keep)
        self.shift = 0
        if not self.joined:
            return
        inner = part_of(graph, keep)
        ticks, _ = clocks_forward(inner, inner.delays[:, 0].tolist())
        self.n = len(inner.vertices)
        self.source, self.target = inner.number[source], inner.number[target]
        self.delays = inner.delays[:, 0] + ticks[inner.heads] - ticks[inner.tails]
        self.tails, self.heads = inner.tails, inner.heads
        self.shift = int(ticks[self.target] - ticks[self.source])
        still = self.delays == 0
        self.level = levels(self.n, self.tails[still], self.heads[still])

    def up_to(self, steps: int, sign: int) -> tuple[int | None, ...]:
        """Longest (or for sign -1 shortest) lengths for each number of steps below one."""
        if not self.joined or steps + self.shift < 1:
            _affordable(steps, steps)
            return (None,) * steps
        found = self._stepped(steps + self.shift, sign)
        return tuple(found[n + self.shift] if n + self.shift >= 0 else None for n in range(steps))

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
        """Leave out edges of a delay beyond the last time."""
        near = self.delays <= last
        self.tails, self.heads, self.delays = (
            array[near] for array in (self.tails, self.heads, self.delays)
        )

    def _stepped(self, times: int, sign: int) -> list[int | None]:
        """Length to the target at the times 0, 1, ..., each from the last few."""
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
        """In-edges by the level of their heads, and within a level by head."""
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
        """Where in the state the last values of each vertex begin, and the size of the state."""
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
        """Length to the target at one time, 1 or more, by powers of the matrix of one step.

        Entry ``starts[u] + a`` of the state is the value of u, a steps ago.
        """
        kind: Any = np.int64 if (self.n + 1) * (last + 2) < -NEVER // 4 else object
        never: Any = NEVER if kind is np.int64 else float("-inf")
        late = [e for e, d in enumerate(self.delays.tolist()) if d]
        entries = [self.source, *(int(self.heads[e]) for e in late)]
        within = self._within_a_step(entries, kind, never)
        kept, places = list(memory), list(memory.values())
        step = np.full((size, size), never, dtype=kind)
        out = np.full(size, never, dtype=kind)
        # a value grows older by one, until another vertex's values begin
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
        """Longest lengths along edges of delay zero from some vertices: a column for each."""
        lengths = np.full((self.n, len(entries)), never, dtype=kind)
        lengths[entries, range(len(entries))] = 0
        still = np.flatnonzero(self.delays == 0)
        for e in still[np.argsort(self.level[self.heads[still]], kind="stable")].tolist():
            u, v = self.tails[e], self.heads[e]
            lengths[v] = np.maximum(lengths[v], lengths[u] + 1)
        return lengths


def _product(a: Numbers, b: Numbers, kind: Any, never: Any) -> Numbers:
    """Product of two matrices where sums are maxima and products sums."""
    result = np.full((len(a), b.shape[1]), never, dtype=kind)
    for k in range(len(b)):
        np.maximum(result, a[:, k, None] + b[k], out=result)
    return result


def _affordable(numbers: int, steps: int) -> None:
    hint = "use a larger unit of time, or fewer steps"
    check_size(numbers, MOST_NUMBERS, f"the state for {steps} steps", hint)


def _no_path(source: Any, target: Any, time: int) -> nx.NetworkXNoPath:
    return nx.NetworkXNoPath(
        f"no path leads from ({show_vertex(source)}, 0) to ({show_vertex(target)}, {time})"
    )


def _length(value: Any, sign: int) -> int | None:
    return sign * int(value) if value > NEVER // 2 else None


def recurrent_depth(G: Any, *, period: int = 1, delay: str = "delay") -> Fraction:
    """Operations that each step of time adds to the longest paths.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph that runs forward in time.
    period : int
        Ticks in a step: a network may be written with delays in steps of several ticks,
        as `gallery.clockwork` is. The depth is that of one tick.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Fraction
        The greatest ratio of edges to delay over all cycles, by the period.

    Raises
    ------
    networkx.NetworkXNoCycle
        If there is no cycle.
    UnboundedError
        If a cycle has a total delay of zero or less; it carries the cycle.

    Notes
    -----
    The cost is that of `max_cycle_ratio`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.recurrent_depth(ug.gallery.top_down())
    Fraction(2, 1)
    >>> ug.recurrent_depth(ug.gallery.clockwork([1, 2, 4]), period=4)
    Fraction(1, 1)
    """
    return max_cycle_ratio(as_delay_graph(G, delay)).ratio / check_integer(period, "the period", 1)


def skip_coefficient(G: Any, *, period: int = 1, delay: str = "delay") -> Fraction:
    """Steps of time that an operation can skip on the shortest paths.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph that runs forward in time.
    period : int
        Ticks in a step, as for `recurrent_depth`; the coefficient is in ticks.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Fraction
        The greatest ratio of delay to edges over all cycles, times the period.

    Raises
    ------
    networkx.NetworkXNoCycle
        If there is no cycle.
    UnboundedError
        If a cycle has a total delay of zero or less; it carries the cycle.

    Notes
    -----
    The cost is that of `min_cycle_ratio`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.skip_coefficient(ug.gallery.skip(21))
    Fraction(21, 1)
    """
    return check_integer(period, "the period", 1) / min_cycle_ratio(as_delay_graph(G, delay)).ratio


def feedforward_depth(G: Any, sources: Any, targets: Any, *, delay: str = "delay") -> Fraction:
    """Operations between input and output that no passing of time accounts for.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph that runs forward in time.
    sources, targets : vertex or iterable of vertices
        Where paths begin and end: the inputs and the outputs.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Fraction
        The greatest ``edges - delay * recurrent depth`` over all paths.

    Raises
    ------
    networkx.NetworkXNoPath
        If no path leads from a source to a target.
    networkx.NetworkXNoCycle
        If there is no cycle.
    UnboundedError
        If a cycle has a total delay of zero or less; it carries the cycle.
    ValueError
        If a source or a target is no vertex.

    Notes
    -----
    `max_cycle_ratio`, whose potential makes all weights of one sign, and a search by
    Dijkstra's algorithm in exact integers: O(m log n) besides.

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
    potential = [rate.potentials[v] for v in graph.vertices]
    heads, delays = graph.heads.tolist(), graph.delays[:, 0].tolist()

    # q edges - p delay is the fall of the potential but for what Dijkstra's distances count
    def moves(u: int) -> Iterator[tuple[int, int, int]]:
        for e in graph.out_numbers[u]:
            yield heads[e], p * delays[e] - q + potential[heads[e]] - potential[u], e

    nearest, _ = dijkstra({v: potential[v] for v in begin}, moves)
    reached = [potential[v] - nearest[v] for v in end if v in nearest]
    if not reached:
        raise nx.NetworkXNoPath("no path leads from a source to a target")
    return Fraction(max(reached), q)


def _numbers(graph: DelayGraph, names: Any) -> list[int]:
    """Numbers of one vertex or several, as networkx takes a bunch of nodes."""
    try:
        if names in graph.number:
            return [graph.number[names]]
    except TypeError:  # a list, say, cannot be a vertex
        pass
    if not isinstance(names, Iterable):
        raise ValueError(f"{names!r} is no vertex of the graph, nor several of them")
    listed = list(names)
    each_vertex(graph, listed, "the list of sources or targets")
    return [graph.number[name] for name in listed]
