"""The universal property of the unrolling: maps with a clock.

A *clock* on a graph H above a delay graph (G, d), by ``f: H -> G``, is a function theta of its
vertices with ``theta(head) - theta(tail) = d(f(arc))`` for each arc. The delay cover has the clock
``(v, t) -> t``. It is the last word on clocks: ``x -> (f(x), theta(x))`` is a map from H to the
delay cover over G, and there is no other that keeps time. So maps from H to G that keep delays are
the same thing as maps from H to the unrolling that keep time: unrolling is right adjoint to
forgetting the clock.

References
----------
E. Goubault, E. Haucourt and S. Krishnan, "Covering space theory for directed topology", Theory
and Applications of Categories 22(9), 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unrollgraph.cover.sheets import add, as_time
from unrollgraph.cover.unrolling import unroll
from unrollgraph.errors import LiftError, show_edge, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.factoring import must_be_finite
from unrollgraph.morphism.graph_map import GraphMap, arcs_of, as_graph_map


def clock_lift(
    f: Any, clock: Mapping[Any, Any] | Callable[[Any], Any], *, delay: str = "delay"
) -> GraphMap:
    """Lift a map with a clock to the unrolling of its base.

    Parameters
    ----------
    f : GraphMap or Lift
        A homomorphism from a finite graph H to a delay graph G.
    clock : mapping or callable
        The time of each vertex of H, an integer or a tuple of integers, that goes forward along
        each arc by the delay of the edge below it.
    delay : str
        The edge attribute of G that holds the delay.

    Returns
    -------
    GraphMap
        The map ``x -> (f(x), clock(x))`` from H to the window of the unrolling that the times
        span, the only one over G whose time is the clock.

    Raises
    ------
    LiftError
        If along an arc, the first one, time does not go forward by the delay; or a time is none,
        or the arc lies over no edge.
    TypeError
        If H is infinite.

    Notes
    -----
    O(n + m) of H; the window is not stored.

    Examples
    --------
    A path of the seed network, twice round its cycle:

    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = ug.gallery.seed_network()
    >>> H = nx.path_graph(6, create_using=nx.DiGraph)
    >>> f = ug.GraphMap(H, G, dict(enumerate("ABCABC")))
    >>> r = ug.clock_lift(f, {0: 7, 1: 7, 2: 7, 3: 8, 4: 8, 5: 8})
    >>> r(5), r.base.window
    (('C', 8), range(7, 9))
    >>> ug.clock_lift(f, lambda x: 0)
    Traceback (most recent call last):
    ...
    unrollgraph.errors.LiftError: ... along 2 -> 3 the clock goes from 0 to 0, but C -> A has ...
    """
    f = as_graph_map(f)
    must_be_finite(f)
    known = getattr(f.total, "delay_graph", None)
    graph = known if known is not None and known.base is f.base else DelayGraph(f.base, delay)
    if not isinstance(clock, Mapping) and not callable(clock):
        raise TypeError(
            f"a clock is a mapping from vertices to times, or a function, not {show_kind(clock)}"
        )
    times = {x: _time(x, clock, graph.dimension) for x in f.total}
    arcs = {}
    for arc in arcs_of(f.total):
        if not f.covers_edge(arc):
            raise LiftError(f"the arc {show_edge(arc)} lies over no edge of the base", edge=arc)
        edge = f.edge(arc)
        d = graph.times[graph.edge_number[edge]]
        here, there = times[arc[0]], times[arc[1]]
        if there != add(here, d, 1):
            raise LiftError(
                f"this is no clock: along {show_edge(arc)} the clock goes from {here} to {there}, "
                f"but {show_edge(edge)} has delay {d}",
                edge=arc,
            )
        arcs[arc] = (edge[0], here), (edge[1], there), *edge[2:]
    window = unroll(graph, _spanned([*times.values()], graph.dimension))
    return GraphMap(f.total, window, {x: (f(x), times[x]) for x in f.total}, arcs)


def _time(x: Any, clock: Any, dimension: int) -> Any:
    try:
        given = clock[x] if isinstance(clock, Mapping) else clock(x)
    except KeyError:
        raise LiftError(f"the clock gives {show_vertex(x)} no time", node=x) from None
    time = as_time(given, dimension)
    if time is None:
        wanted = "an integer" if dimension == 1 else f"a tuple of {dimension} integers"
        raise LiftError(
            f"the clock gives {show_vertex(x)} the time {given!r}, but a time is {wanted}", node=x
        )
    return time


def _spanned(times: list[Any], dimension: int) -> Any:
    """The least window that has some times."""
    rows = [time if isinstance(time, tuple) else (time,) for time in times] or [(0,) * dimension]
    axes = tuple(range(min(axis), max(axis) + 1) for axis in zip(*rows, strict=True))
    return axes if dimension > 1 else axes[0]
