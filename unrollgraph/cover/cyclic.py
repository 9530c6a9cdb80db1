"""Cyclic covers: time closed up after n steps.

The cyclic cover is the quotient of the delay cover by the shift of n. Giving each arc
the delay ``(t + delay) // n`` that it carries over makes it a delay graph again, whose
delay cover is that of the base with n steps taken as one: the *n-unfolding* of signal
processing (Parhi, 1999, ch. 5). So unfolding by m and then by n is unfolding by mn.
"""

from __future__ import annotations

from typing import Any

from unrollgraph.cover.lift import make_lift
from unrollgraph.cover.sheets import as_torus
from unrollgraph.graph.delay_graph import as_delay_graph


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
