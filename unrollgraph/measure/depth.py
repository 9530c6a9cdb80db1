"""Depth: how many operations lie between what a network reads and what it answers.

Measures of Zhang et al. (2016), for a network that runs forward in time. Of all paths of
the unrolling from time i to time i + n let D(n) be the length of a longest and d(n) that
of a shortest one, counted in edges.

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
S. Zhang et al., Architectural complexity measures of recurrent neural networks,
NIPS 2016, arXiv 1602.08210.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import networkx as nx

from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, each_vertex, integer
from unrollgraph.graph.digraph import dijkstra
from unrollgraph.measure.cycle_ratio import max_cycle_ratio, min_cycle_ratio


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
    return max_cycle_ratio(as_delay_graph(G, delay)).ratio / _ticks(period)


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
    return _ticks(period) / min_cycle_ratio(as_delay_graph(G, delay)).ratio


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


def _ticks(period: int) -> int:
    try:
        ticks = integer(period)
    except TypeError:
        ticks = 0
    if ticks < 1:
        raise ValueError(f"the period is {period!r}, but a step has a whole number of ticks")
    return ticks
