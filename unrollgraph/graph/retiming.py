"""Retiming: moving the zero of each vertex's clock.

A retiming by shifts ``r`` gives the edge ``u -> v`` of delay ``d`` the delay
``d + r(v) - r(u)``. Around closed walks the shifts cancel, so totals stay, and
``(v, t) -> (v, t + r(v))`` is an isomorphism of the delay covers over the same
base. In signal processing this is *retiming* (Leiserson and Saxe, 1991), in
topological graph theory a change of gauge, for signed graphs *switching*.

Conversely two delays on one graph differ by a retiming exactly when they agree on
every closed undirected walk; a spanning forest decides it in linear time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.errors import NotARetimingError, show_edge, show_kind, show_walk
from unrollgraph.graph.cycle_space import forest_of
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, check_delay, each_vertex
from unrollgraph.graph.times import check_shift


def retime(G: Any, shifts: Mapping[Any, Any], *, delay: str = "delay") -> Any:
    """Shift the clock of each vertex: another delay graph with the same cover.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    shifts : mapping or Retiming
        The shift of a vertex, an integer or a tuple of d integers; vertices left
        out are not shifted. Of a `Retiming` its ``shifts`` are taken.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A copy in which an edge ``u -> v`` has the delay ``d + r(v) - r(u)``. Then
        ``(v, t) -> (v, t + r(v))`` maps the delay cover of ``G`` to that of the
        copy, one to one and onto.

    Raises
    ------
    ValueError
        If a shift is no integer vector of the right dimension, or is given for
        something that is no vertex.
    DelayError
        If a new delay leaves the range of +-2**31.

    Notes
    -----
    O(n + m), in exact integers.

    References
    ----------
    C. E. Leiserson and J. B. Saxe, Retiming synchronous circuitry,
    Algorithmica 6 (1991).

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.top_down()
    >>> H = ug.retime(G, {"h2": 3})
    >>> [(u, v, d) for u, v, d in H.edges(data="delay") if u != v and u[0] == v[0]]
    [('h1', 'h2', 3), ('h2', 'h1', -2)]
    """
    graph = as_delay_graph(G, delay)
    if not isinstance(shifts, Mapping):
        shifts = getattr(shifts, "shifts", shifts)  # of a Retiming
    if not isinstance(shifts, Mapping):
        raise TypeError(
            f"shifts is a mapping from vertices to shifts, not {show_kind(shifts)}; write "
            "for example {'A': 1}"
        )
    each_vertex(graph, shifts, "shifts")
    zero = (0,) * graph.dimension
    r = [
        check_shift(shifts[v], v, graph.dimension) if v in shifts else zero for v in graph.vertices
    ]
    delays = []
    for edge, u, v, old in zip(
        graph.edges, graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True
    ):
        new = tuple(d + b - a for d, a, b in zip(old, r[u], r[v], strict=True))
        check_delay(new, edge)
        delays.append(new if graph.dimension > 1 else new[0])
    return graph.with_delays(delays)


def find_retiming(G: Any, H: Any, *, delay: str = "delay") -> dict[Any, Any]:
    """Find the shifts by which ``H`` is a retiming of ``G``.

    Parameters
    ----------
    G, H : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        Two delay graphs with the same vertices and edges, in any order.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    dict
        A shift for each vertex, 0 for the first vertex of each weak component,
        such that ``retime(G, shifts)`` has the delays of ``H``.

    Raises
    ------
    NotARetimingError
        If there are none; it carries a closed undirected walk whose totals in
        ``G`` and ``H`` differ.

    Notes
    -----
    O(n + m) for each dimension, in exact integers.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.seed_network()
    >>> ug.find_retiming(G, ug.retime(G, {"B": 2, "C": -1}))
    {'in': 0, 'A': 0, 'B': 2, 'C': -1, 'out': 0}
    """
    old, new = as_delay_graph(G, delay), as_delay_graph(H, delay)
    _same_shape(old, new)
    gains = new.delays[[new.edge_number[edge] for edge in old.edges]] - old.delays
    forest = forest_of(old)
    changed = forest.totals(gains)
    if changed.any():
        (k, axis), *_ = np.argwhere(changed).tolist()
        walk = tuple((old.edges[e], sign) for e, sign in forest.cycle(int(forest.cotree[k])))
        sums = [
            sum(sign * g.delays[g.edge_number[edge], axis].item() for edge, sign in walk)
            for g in (old, new)
        ]
        stops = show_walk(
            [edge if sign > 0 else (edge[1], edge[0], *edge[2:]) for edge, sign in walk]
        )
        raise NotARetimingError(
            f"a retiming keeps the total delay of closed walks, but {stops} has "
            f"{sums[0]} in the one graph and {sums[1]} in the other"
            + (f" (coordinate {axis})" if old.dimension > 1 else ""),
            walk=walk,
        )
    return dict(zip(old.vertices, old.as_times(forest.potentials(gains)), strict=True))


def is_retiming(G: Any, H: Any, *, delay: str = "delay") -> bool:
    """Whether ``H`` is a retiming of ``G``; `find_retiming` tells the shifts, or why not.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.seed_network()
    >>> ug.is_retiming(G, ug.retime(G, {"B": 7}))
    True
    """
    try:
        find_retiming(G, H, delay=delay)
    except NotARetimingError:
        return False
    return True


def with_reverses(G: Any, *, delay: str = "delay") -> nx.MultiDiGraph[Any]:
    """Add to each edge its reverse, of opposite delay, where it is missing.

    A graph that is walked in both directions, such as the bonds of a crystal net, is a
    symmetric directed graph. Of bonds that are listed from both ends, as neighbor lists do,
    the two edges are each other's reverse, and none is added.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    networkx.MultiDiGraph
        Each edge under its key (0 where ``G`` is not a multigraph), followed by its
        reverse under ``(key, "reverse")``, with equal attributes and the opposite
        delay, unless another edge of ``G`` is its reverse. Applied to its result, the
        function changes nothing.

    Raises
    ------
    ValueError
        If an edge has the ends and key of a reverse, but not its delay.

    Notes
    -----
    O(n + m). Edges with the same ends and delay are paired with their reverses one to one.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("a", "b", delay=2)
    >>> list(ug.with_reverses(G).edges(keys=True, data="delay"))
    [('a', 'b', 0, 2), ('b', 'a', (0, 'reverse'), -2)]
    >>> G.add_edge("b", "a", delay=-2)  # the same bond, listed from its other end
    >>> list(ug.with_reverses(G).edges(keys=True, data="delay"))
    [('a', 'b', 0, 2), ('b', 'a', 0, -2)]
    """
    graph = as_delay_graph(G, delay)
    H: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    H.graph.update(graph.graph_data)
    H.add_nodes_from(zip(graph.vertices, graph.vertex_data, strict=True))
    name = graph.delay_name
    paired = _with_a_reverse(graph)
    for e, (edge, data, d) in enumerate(
        zip(graph.edges, graph.edge_data, graph.times, strict=True)
    ):
        key = edge[2] if graph.multigraph else 0
        new = [((*edge[:2], key), d)]
        if e not in paired:
            opposite = -d if graph.dimension == 1 else tuple(-part for part in d)
            new.append(((edge[1], edge[0], (key, "reverse")), opposite))
        for one, time in new:
            if H.has_edge(*one):
                raise ValueError(
                    f"the reverse of an edge would be {show_edge(one)}, which is there already "
                    "with another delay; rename the key"
                )
            H.add_edge(*one)
            H.edges[one].update({**data, name: time})
    return H


def _with_a_reverse(graph: DelayGraph) -> set[int]:
    """Edges that another edge reverses, paired one to one in the order of the graph."""
    waiting: dict[Any, list[int]] = {}
    paired: set[int] = set()
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True)
    for e, (u, v, d) in enumerate(ends):
        reverses = waiting.get((v, u, *(-part for part in d)))
        if reverses:
            paired |= {e, reverses.pop(0)}
        else:
            waiting.setdefault((u, v, *d), []).append(e)
    return paired


def _same_shape(old: DelayGraph, new: DelayGraph) -> None:
    for what, a, b in (
        ("vertices", dict.fromkeys(old.vertices), dict.fromkeys(new.vertices)),
        ("edges", dict.fromkeys(old.edges), dict.fromkeys(new.edges)),
    ):
        for odd in (x for x in a | b if (x in a) != (x in b)):
            raise NotARetimingError(
                f"a retiming changes delays only, but the {what} differ: {odd!r} is in "
                f"{'the first' if odd in a else 'the second'} graph alone"
            )
    if old.dimension != new.dimension:
        raise NotARetimingError(
            f"a retiming changes delays only, but delays are in Z^{old.dimension} in the one "
            f"graph and in Z^{new.dimension} in the other"
        )
