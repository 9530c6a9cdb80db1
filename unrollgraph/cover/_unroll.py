"""Finite parts and quotients of the delay cover: windows, and time modulo n.

A window keeps the copies ``(v, t)`` with t in a range (in Z^d, a box) and the arcs
between them. Its projection is a covering but for the *boundary*: the arcs of the
delay cover with one end inside. An edge of delay d crosses a window of T steps
``min(|d|, T)`` times on either side; on the in-side these are the reads of an initial
state.

The *cyclic cover* is the quotient of the delay cover by the shift of n. Giving each arc
the delay ``(t + delay) // n`` that it carries over makes it a delay graph again, whose
delay cover is that of the base with n steps taken as one: the *n-unfolding* of signal
processing (Parhi, 1999, ch. 5). So unfolding by m and then by n is unfolding by mn.

A *clock* on a graph H above a delay graph (G, d), by ``f: H -> G``, is a function theta of its
vertices with ``theta(head) - theta(tail) = d(f(arc))`` for each arc. The delay cover has the
clock ``(v, t) -> t``, and is universal: ``x -> (f(x), theta(x))`` is a map from H to the delay
cover over G, and there is no other that keeps time. So maps from H to G that keep delays are the
same thing as maps from H to the unrolling that keep time: unrolling is right adjoint to
forgetting the clock.

References
----------
E. Goubault, E. Haucourt and S. Krishnan, "Covering space theory for directed topology", Theory
and Applications of Categories 22(9), 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unrollgraph.cover.lift import make_lift
from unrollgraph.cover.windows import as_torus, as_window
from unrollgraph.errors import LiftError, show_edge, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.graph.times import add, as_time
from unrollgraph.morphism.coverings import check_finite_graphs
from unrollgraph.morphism.graph_map import GraphMap, arcs_of, as_graph_map


def unroll(G: Any, window: Any, *, delay: str = "delay") -> Any:
    """Unroll a delay graph over a window of time.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    window : range, int or tuple
        A non-empty range of step 1, which may begin below zero; an int n means
        ``range(n)``. For delays in Z^d with d >= 2, a tuple of d of those.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Lift
        Vertices ``(v, t)``, time by time; an arc ``(u, t) -> (v, t + d)`` for every
        edge of delay d wherever both ends lie in the window. The window is kept as
        ``.window``.

    Raises
    ------
    WindowError
        If the window is empty, has gaps, or has another number of axes than the
        delays.
    DelayError, TypeError
        If delays are none, or ``G`` is no directed graph of networkx.

    Notes
    -----
    O(size of G); nothing is stored per step.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> U = ug.unroll(ug.gallery.seed_network(), 4)
    >>> U.number_of_nodes(), U.number_of_edges()
    (20, 19)
    >>> nx.is_directed_acyclic_graph(U)
    True
    >>> U.fibre("C")
    (('C', 0), ('C', 1), ('C', 2), ('C', 3))
    >>> U.boundary_in(), U.boundary_out()
    (((('C', -1), ('A', 0)),), ((('C', 3), ('A', 4)),))
    """
    graph = as_delay_graph(G, delay)
    return make_lift(graph, as_window(graph, window))


def cyclic_cover(G: Any, n: Any, *, delay: str = "delay") -> Any:
    """Cover a delay graph n times, time running modulo n.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    n : int or tuple of int
        Number of sheets; for delays in Z^d with d >= 2, one number for each axis.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Lift
        Vertices ``(v, t)`` with 0 <= t < n; an arc ``(u, t) -> (v, (t + d) % n)`` for
        every edge of delay d and every t, with the delay ``(t + d) // n``. Its
        projection is a covering. ``cyclic_cover(cyclic_cover(G, m), n)`` is
        ``cyclic_cover(G, m * n)`` by ``((v, a), b) -> (v, a + m * b)``.

    Raises
    ------
    WindowError
        If n is not positive, or has another number of entries than the delays.

    Notes
    -----
    O(size of G); nothing is stored per sheet.

    References
    ----------
    K. K. Parhi, VLSI Digital Signal Processing Systems (Wiley, 1999), ch. 5.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ring = ug.cyclic_cover(ug.gallery.seed_network(), 3)
    >>> ug.is_covering(ring)
    True
    >>> ring.edges[("C", 1), ("A", 2)]["delay"], ring.edges[("C", 2), ("A", 0)]["delay"]
    (0, 1)
    """
    graph = as_delay_graph(G, delay)
    return make_lift(graph, as_torus(graph, n))


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
    check_finite_graphs(f)
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
