"""Retiming: delay graphs on the same base graph with isomorphic covers.

A retiming by shifts ``r`` changes the delay ``d`` of an edge ``u -> v`` to ``d + r(v) - r(u)``. The
total delay of a closed walk does not change, and ``(v, t) -> (v, t + r(v))`` is an isomorphism of
the covers. Other names are gauge equivalence and, for signed graphs, *switching*. Conversely, two
delay functions on one graph differ by a retiming iff all closed undirected walks have the same
total delays. A spanning forest decides this in linear time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.errors import NotARetimingError, show_kind, show_walk
from unrollgraph.graph.cycle_space import forest_of
from unrollgraph.graph.delay_graph import (
    DelayGraph,
    GraphLike,
    as_delay_graph,
    check_delay,
    each_vertex,
)
from unrollgraph.graph.times import check_shift


def retime(G: GraphLike, shifts: Mapping[Any, Any], *, delay: str = "delay") -> nx.DiGraph[Any]:
    """Retime a delay graph by a shift of each vertex.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    shifts : mapping or Retiming
        Shift of each vertex, an integer or a tuple of d integers; 0 for missing vertices.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A copy in which an edge ``u -> v`` has the delay ``d + r(v) - r(u)``. The bijection
        ``(v, t) -> (v, t + r(v))`` is an isomorphism of the covers. Takes O(n + m).

    Raises
    ------
    ValueError
        If a shift is not an integer vector of dimension d, or a key is not a vertex.
    DelayError
        If the absolute value of a new delay exceeds 2**31.

    References
    ----------
    C. E. Leiserson and J. B. Saxe, Retiming synchronous circuitry, Algorithmica 6 (1991).

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
        shifts = getattr(shifts, "shifts", shifts)  # a Retiming
    if not isinstance(shifts, Mapping):
        raise TypeError(
            f"shifts must be a mapping from vertices to shifts, not {show_kind(shifts)}; write "
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


def find_retiming(G: GraphLike, H: GraphLike, *, delay: str = "delay") -> dict[Any, Any]:
    """Find shifts such that ``retime(G, shifts)`` has the delays of ``H``.

    Parameters
    ----------
    G, H : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graphs, with the same vertices and edges in any order.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    dict
        Shift of each vertex, 0 for the first vertex of each weak component. Takes O(n + m) for
        each dimension.

    Raises
    ------
    NotARetimingError
        If ``H`` is not a retiming of ``G``; if vertices, edges and dimensions agree, its
        attribute ``walk`` is a closed undirected walk whose total delays differ.

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
            f"a retiming preserves the total delay of closed walks, but {stops} has total delay "
            f"{sums[0]} in the first graph and {sums[1]} in the second"
            + (f" (coordinate {axis})" if old.dimension > 1 else ""),
            walk=walk,
        )
    return dict(zip(old.vertices, old.as_times(forest.potentials(gains)), strict=True))


def is_retiming(G: GraphLike, H: GraphLike, *, delay: str = "delay") -> bool:
    """Whether ``H`` is a retiming of ``G``; `find_retiming` returns the shifts.

    Parameters
    ----------
    G, H : networkx.DiGraph, DelayGraph, DelayCover or Network
        Two delay graphs.
    delay : str
        Edge attribute of the delays.

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


def with_reverses(G: GraphLike, *, delay: str = "delay") -> nx.MultiDiGraph[Any]:
    """Add the missing reverse edges with opposite delays, for example to a crystal net.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    networkx.MultiDiGraph
        Each edge with its key (0 if ``G`` is not a multigraph). If ``G`` has no reverse edge for
        it, a reverse edge follows, with the key ``(key, "reverse")``, the opposite delay and
        the same other attributes.

    Raises
    ------
    ValueError
        If ``G`` has an edge with the ends and key of a new edge, but another delay.

    Notes
    -----
    O(n + m). Edges and reverse edges are paired one to one. Applied to its result, the function
    changes nothing.

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
                    f"cannot add the reverse edge {one!r}: the graph has an edge with these ends "
                    "and this key, but another delay; rename its key"
                )
            H.add_edge(*one)
            H.edges[one].update({**data, name: time})
    return H


def _with_a_reverse(graph: DelayGraph) -> set[int]:
    """Return the edges whose reverse is in the graph, paired one to one in order."""
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
                f"a retiming changes only the delays, but the {what} differ: {odd!r} is only in "
                f"{'the first' if odd in a else 'the second'} graph"
            )
    if old.dimension != new.dimension:
        raise NotARetimingError(
            f"a retiming preserves the dimension of the delays, but the delays are in "
            f"Z^{old.dimension} in the first graph and in Z^{new.dimension} in the second"
        )
