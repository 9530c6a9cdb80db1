"""Windows of the delay cover: the unrolling as far as one looks.

A window keeps the copies ``(v, t)`` with t in a range (in Z^d, a box) and the arcs
between them. Its projection is a covering but for the *boundary*: the arcs of the
delay cover with one end inside. An edge of delay d crosses a window of T steps
``min(|d|, T)`` times on either side; on the in-side these are the reads of an initial
state.
"""

from __future__ import annotations

from typing import Any

from unrollgraph.cover.lift import make_lift
from unrollgraph.cover.sheets import as_window
from unrollgraph.graph.delay_graph import as_delay_graph


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
