"""Latent projection of the infinite delay cover to finitely many vertices.

The projection of a causal graph to its observed vertices has a directed edge a -> b iff there is a
directed path whose inner vertices are latent (not observed), and a bidirected edge a <-> b iff a
latent vertex has such paths to a and to b (J. Pearl, T. Verma, 1991). It has the same separations
among the observed vertices as the whole graph, the infinite past included. Edges from the past are
found by the table of treks (`unrollgraph.measure.ancestors`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.cover.delay_cover import as_cover
from unrollgraph.errors import check_size
from unrollgraph.graph.delay_graph import GraphLike
from unrollgraph.limits import MOST_COUNTED
from unrollgraph.measure.ancestors import OrderedTimes, State, listed, ordered_times


def latent_projection(
    G: GraphLike, observed: Iterable[Any], *, delay: str = "delay"
) -> nx.MultiDiGraph[Any]:
    """Project the infinite delay cover to finitely many observed vertices.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays must be integers.
    observed : vertex, or iterable of vertices
        Pairs ``(v, t)`` of a base vertex and a time. All other vertices of the cover are latent.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    networkx.MultiDiGraph
        The acyclic directed mixed graph on the observed vertices. The key and the attribute
        ``kind`` of an edge are "directed" or "bidirected". A bidirected edge is listed once, from
        the vertex that is earlier in ``observed``. The attribute ``path`` lists the vertices of a
        path in the cover that the edge stands for: from tail to head, for a bidirected edge up to
        a latent common ancestor and down. Its inner vertices are latent.

    Raises
    ------
    LiftError, CyclicCoverError, UnboundedError, TooLargeError, ValueError
        As for `d_separated`.

    Notes
    -----
    O(k m T) for k observed vertices at T times, O(b^2) for the b parents before these times that
    are found, and the table of treks, see `d_separated`. In the projection, two sets are
    m-separated by a third iff `d_separated` holds.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_weighted_edges_from([("h", "h", 1), ("h", "x", 1), ("h", "y", 3)], weight="delay")
    >>> P = ug.latent_projection(G, [("x", 0), ("y", 0), ("x", 1)])
    >>> list(P.edges)  # doctest: +NORMALIZE_WHITESPACE
    [(('x', 0), ('y', 0), 'bidirected'), (('x', 0), ('x', 1), 'bidirected'),
     (('y', 0), ('x', 1), 'bidirected')]
    >>> P.edges[("x", 0), ("y", 0), "bidirected"]["path"]
    (('x', 0), ('h', -1), ('h', -2), ('h', -3), ('y', 0))
    """
    cover = as_cover(G, delay)
    nodes = listed(cover, observed)
    number = cover.delay_graph.number
    times = ordered_times(cover.delay_graph, [number[v] for v, _ in nodes])
    states = [times.state(a) for a in nodes]
    first = min((t for _, t in states), default=0)
    latent: list[Came] = []
    for a in states:
        latent.append(_latent_ancestors(times, a, set(states), first))
        hint = "observe fewer vertices, or vertices closer in time"
        check_size(sum(map(len, latent)), MOST_COUNTED, "the latent ancestors", hint)
    projection: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    projection.add_nodes_from(nodes)

    def join(kind: str, path: list[State]) -> None:
        found = tuple(map(times.node, path))
        projection.add_edge(found[0], found[-1], kind, kind=kind, path=found)

    for came in latent:
        for a in states:
            if came.get(a) is not None:
                join("directed", _down(came, a))
    for (i, j), (p, q) in _joined(times, latent, set(states), first):
        up, down = _down(latent[i], p)[::-1], _down(latent[j], q)
        join("bidirected", up[:-1] + times.treks.trek(p, q) + down[1:] if p != q else up + down[1:])
    return projection


Came = dict[State, State | None]  # the next vertex of a directed path


def _latent_ancestors(times: OrderedTimes, a: State, observed: set[State], first: int) -> Came:
    """Vertices with a path to ``a`` through latent vertices at ordered times >= ``first``."""
    came: Came = {a: None}
    queue = [a]
    for b in queue:  # grows while it is read
        for p in times.parents_of(b):
            if p not in came:
                came[p] = b
                if p not in observed and p[1] >= first:
                    queue.append(p)
        hint = "observe vertices closer in time"
        check_size(len(queue), MOST_COUNTED, "the latent ancestors of a vertex", hint)
    return came


def _down(came: Came, a: State) -> list[State]:
    """Return the directed path from a vertex."""
    path = [a]
    while (b := came[path[-1]]) is not None:
        path.append(b)
    return path


def _joined(
    times: OrderedTimes, latent: list[Came], observed: set[State], first: int
) -> Iterator[tuple[tuple[int, int], tuple[State, State]]]:
    """Yield pairs of observed vertices and latent ancestors of theirs, equal or with a trek."""
    hidden = [[p for p in came if p not in observed] for came in latent]
    border = sorted({p for found in hidden for p in found if p[1] < first})
    place = {p: k for k, p in enumerate(border)}
    treks = times.treks.among(border) if border else np.zeros((0, 0), dtype=bool)
    past = [[place[p] for p in found if p in place] for found in hidden]
    for i, j in combinations(range(len(latent)), 2):
        shared = next((p for p in hidden[i] if p in latent[j]), None)
        if shared is not None:
            yield (i, j), (shared, shared)
            continue
        rows, columns = np.nonzero(treks[np.ix_(past[i], past[j])])
        if len(rows):
            yield (i, j), (border[past[i][rows[0]]], border[past[j][columns[0]]])
