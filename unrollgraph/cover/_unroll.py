"""Finite parts and quotients of the delay cover: windows and cyclic covers.

A *window* is the subgraph of the delay cover induced by the vertices ``(v, t)`` with t in a range
(in Z^d: in a box). Its projection is a covering except at the *boundary*: the edges of the delay
cover with one end in the window. On each side of a window of T steps, an edge of delay d has
``min(|d|, T)`` boundary edges. Those that enter the window read the initial state.

The *cyclic cover* is the quotient of the delay cover by the shift of n. With the delay
``(t + delay) // n`` on each edge it is a delay graph, whose delay cover is isomorphic to that of
the base graph with n steps counted as one: the *n-unfolding* of signal processing.

A *time function* theta of a homomorphism ``f: H -> G`` to a delay graph maps vertices of H to times
such that ``theta(head) - theta(tail)`` is the delay of ``f(edge)`` for every edge. The maps from H
to the delay cover over f are exactly ``x -> (f(x), theta(x))``. So unrolling is right adjoint to
forgetting the time function (E. Goubault, E. Haucourt and S. Krishnan, "Covering space theory for
directed topology", Theory and Applications of Categories 22(9), 2009).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unrollgraph.cover.lift import Lift, make_lift
from unrollgraph.cover.windows import WindowLike, as_torus, as_window
from unrollgraph.errors import LiftError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph
from unrollgraph.graph.times import add, as_time
from unrollgraph.morphism.coverings import check_finite_graphs
from unrollgraph.morphism.graph_map import GraphMap, arcs_of, as_graph_map


def unroll(G: GraphLike, window: WindowLike, *, delay: str = "delay") -> Lift:
    """Unroll a delay graph over a window of time.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    window : range, int or tuple
        A non-empty range of step 1, which may contain negative times; an int n means ``range(n)``.
        For delays in Z^d with d >= 2, a tuple of d of these.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Lift
        Vertices ``(v, t)``, ordered by time. Every edge of delay d has a copy
        ``(u, t) -> (v, t + d)`` for each t such that both ends are in the window. The attribute
        ``window`` is the range, or the tuple of ranges. Cost: O(size of G); edges are computed on
        access, not stored.

    Raises
    ------
    WindowError
        If the window is empty, its step is not 1, or its number of axes is not d.
    DelayError, TypeError
        If a delay is not an integer or a tuple of d integers, or ``G`` is not a directed graph.

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


def cyclic_cover(G: GraphLike, n: int | tuple[int, ...], *, delay: str = "delay") -> Lift:
    """Construct the cover of a delay graph with n sheets and time modulo n.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    n : int or tuple of int
        Number of sheets; for delays in Z^d with d >= 2, one number for each axis.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Lift
        Vertices ``(v, t)`` with 0 <= t < n. Every edge of delay d has a copy
        ``(u, t) -> (v, (t + d) % n)`` of delay ``(t + d) // n`` for each t. The projection is a
        covering. ``cyclic_cover(cyclic_cover(G, m), n)`` is isomorphic to
        ``cyclic_cover(G, m * n)`` by ``((v, a), b) -> (v, a + m * b)``. Cost: O(size of G); edges
        are computed on access, not stored.

    Raises
    ------
    WindowError
        If ``n`` is not a positive integer, or not a tuple of d of them for d >= 2.

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
    f: GraphMap | Lift, clock: Mapping[Any, Any] | Callable[[Any], Any], *, delay: str = "delay"
) -> GraphMap:
    """Lift a map with a time function to a window of the delay cover.

    Parameters
    ----------
    f : GraphMap or Lift
        A homomorphism from a finite graph H to a delay graph G.
    clock : mapping or callable
        Time of each vertex of H, an integer or a tuple of integers. Along each edge it must change
        by the delay of the image of the edge.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    GraphMap
        The map ``x -> (f(x), clock(x))`` from H to the smallest window that contains all times.
        Cost: O(n + m) of H; the window is not stored.

    Raises
    ------
    LiftError
        If f is not a homomorphism, a time is missing or invalid, or the time does not change by the
        delay along an edge. The error has the first such ``edge`` or ``node``.
    TypeError
        If H is infinite, or ``clock`` is not a mapping or callable.

    Examples
    --------
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
    unrollgraph.errors.LiftError: invalid clock: along the edge (2, 3) the time changes ...
    """
    f = as_graph_map(f)
    check_finite_graphs(f)
    known = getattr(f.total, "delay_graph", None)
    graph = known if known is not None and known.base is f.base else DelayGraph(f.base, delay)
    if not isinstance(clock, Mapping) and not callable(clock):
        raise TypeError(
            f"clock must be a mapping from vertices to times, or a callable, not {show_kind(clock)}"
        )
    times = {x: _time(x, clock, graph.dimension) for x in f.total}
    arcs = {}
    for arc in arcs_of(f.total):
        if not f.covers_edge(arc):
            raise LiftError(
                f"the edge {arc!r} is not mapped to an edge of the base graph between the images "
                "of its ends; the map must be a homomorphism",
                edge=arc,
            )
        edge = f.edge(arc)
        d = graph.times[graph.edge_number[edge]]
        here, there = times[arc[0]], times[arc[1]]
        if there != add(here, d, 1):
            raise LiftError(
                f"invalid clock: along the edge {arc!r} the time changes from {here} to {there}, "
                f"but it must change by {d}, the delay of the edge {edge!r}",
                edge=arc,
            )
        arcs[arc] = (edge[0], here), (edge[1], there), *edge[2:]
    window = unroll(graph, _spanned([*times.values()], graph.dimension))
    return GraphMap(f.total, window, {x: (f(x), times[x]) for x in f.total}, arcs)


def _time(x: Any, clock: Any, dimension: int) -> Any:
    try:
        given = clock[x] if isinstance(clock, Mapping) else clock(x)
    except KeyError:
        raise LiftError(
            f"clock has no time for the vertex {x!r}; every vertex of the total graph needs one",
            node=x,
        ) from None
    time = as_time(given, dimension)
    if time is None:
        wanted = "an integer" if dimension == 1 else f"a tuple of {dimension} integers"
        raise LiftError(
            f"invalid time {given!r} of the vertex {x!r}: a time must be {wanted}", node=x
        )
    return time


def _spanned(times: list[Any], dimension: int) -> Any:
    """Smallest window that contains the given times."""
    rows = [time if isinstance(time, tuple) else (time,) for time in times] or [(0,) * dimension]
    axes = tuple(range(min(axis), max(axis) + 1) for axis in zip(*rows, strict=True))
    return axes if dimension > 1 else axes[0]
