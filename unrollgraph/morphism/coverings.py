"""Fibrations, opfibrations and coverings; lifting a map through a covering.

A homomorphism is a *fibration* if at every vertex it maps the in-edges one-to-one onto the in-edges
of the image of the vertex, an *opfibration* if this holds for out-edges, and a *covering* if both
hold (P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243, 2002). On multigraphs
edges are compared, not neighbors. Fibres may be empty; the fibres of a covering of a connected base
graph have equal size. An `Obstruction` is a vertex at which an edge over a base edge is missing or
surplus. Those of a window of the delay cover correspond to its boundary edges. The delay cover is
tested at one vertex of each fibre, since deck transformations map these to all other vertices.

*Lifting a map.* Let ``p: H -> G`` be a homomorphism, ``q: K -> G`` a covering, and ``p(x) = q(y)``.
On the component of x there is at most one map ``r`` to K over G with ``r(x) = y``: it maps the end
of an undirected walk from x to the end of the lift from y of the image of the walk. It exists iff
the image of every closed walk at x has a closed lift at y (A. Hatcher, Algebraic Topology, 2002,
propositions 1.33 and 1.34). `factor` computes r along a spanning tree and checks the other edges;
an edge that fails closes a walk in H that is open in K.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.errors import LiftError, NotACoveringError, show_kind, show_walk
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.morphism.graph_map import GraphMap, MapLike, arcs_at, arcs_of, as_graph_map


@dataclass(frozen=True)
class Obstruction:
    """A vertex and an edge at which unique lifting fails.

    ``node`` is a vertex of the total graph. ``kind`` is "missing-in", "extra-in", "missing-out",
    "extra-out" or "not-an-edge". ``edge`` is the base edge, or for "not-an-edge" the edge of the
    total graph.
    """

    node: Any
    edge: tuple[Any, ...]
    kind: str

    def __str__(self) -> str:
        return _SENTENCES[self.kind].format(node=self.node, edge=self.edge)


_SENTENCES = {
    "missing-in": "no edge into {node!r} lies over the base edge {edge!r}",
    "extra-in": "more than one edge into {node!r} lies over the base edge {edge!r}",
    "missing-out": "no edge out of {node!r} lies over the base edge {edge!r}",
    "extra-out": "more than one edge out of {node!r} lies over the base edge {edge!r}",
    "not-an-edge": "the edge {edge!r} is not mapped to a base edge between the images of its ends",
}


def obstructions(p: MapLike) -> Iterator[Obstruction]:
    """Iterate over the vertices and edges at which a map fails to be a covering.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph with a projection.

    Yields
    ------
    Obstruction
        One for each missing or surplus edge, in the order of the vertices of the total graph, and
        at each vertex in the order of the base edges. Cost: O(n + m) of the total graph, lazily; of
        the base graph for a `DelayCover`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> U = ug.unroll(ug.gallery.seed_network(), 4)
    >>> for obstruction in ug.obstructions(U):
    ...     print(obstruction)
    no edge into ('A', 0) lies over the base edge ('C', 'A')
    no edge out of ('C', 3) lies over the base edge ('C', 'A')
    """
    p = as_graph_map(p)
    if _covers_by_arrays(p):
        return
    domain = getattr(p.total, "fundamental_domain", None)
    for node in domain() if domain else p.total:
        out = arcs_at(p.total, node, "out")
        yield from (
            Obstruction(arc[0], arc, "not-an-edge") for arc in out if not p.covers_edge(arc)
        )
        yield from _star(p, node, "in")
        yield from _star(p, node, "out")


def check_covering(p: MapLike) -> None:
    """Raise an error if a map is not a covering.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph with a projection.

    Raises
    ------
    NotACoveringError
        If the map is not a covering; ``obstruction`` is the first `Obstruction`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.seed_network()
    >>> ug.check_covering(ug.DelayCover(G))
    >>> ug.check_covering(ug.unroll(G, 4))
    Traceback (most recent call last):
    ...
    unrollgraph.errors.NotACoveringError: not a covering: no edge into ('A', 0) lies over ...
    """
    for obstruction in obstructions(p):
        raise NotACoveringError(
            f"not a covering: {obstruction}; a covering maps the edges at each vertex one-to-one "
            "onto the edges at its image",
            obstruction=obstruction,
        )


def is_homomorphism(p: MapLike) -> bool:
    """Whether every edge is mapped to an edge between the images of its ends.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph with a projection.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.is_homomorphism(ug.unroll(ug.gallery.seed_network(), 4))
    True
    """
    return _free_of(p, "not-an-edge")


def is_fibration(p: MapLike) -> bool:
    """Whether in-edges lift uniquely at every vertex.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph with a projection.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.is_fibration(ug.unroll(ug.gallery.seed_network(), 4))
    False
    """
    return _free_of(p, "not-an-edge", "missing-in", "extra-in")


def is_opfibration(p: MapLike) -> bool:
    """Whether out-edges lift uniquely at every vertex; then walks lift uniquely.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph with a projection.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.is_opfibration(ug.cyclic_cover(ug.gallery.seed_network(), 3))
    True
    """
    return _free_of(p, "not-an-edge", "missing-out", "extra-out")


def is_covering(p: MapLike) -> bool:
    """Whether in-edges and out-edges lift uniquely at every vertex.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph with a projection.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.is_covering(ug.DelayCover(ug.gallery.seed_network()))
    True
    """
    return not list(islice(obstructions(p), 1))


def _free_of(p: Any, *kinds: str) -> bool:
    return all(obstruction.kind not in kinds for obstruction in obstructions(p))


def _covers_by_arrays(p: GraphMap) -> bool:
    """Whether arrays prove that a lift is a covering; False if they are too large."""
    lift: Any = p.total
    if getattr(lift, "projection", None) is not p or not hasattr(lift, "to_arrays"):
        return False
    n, m, nodes = len(p.base), p.base.number_of_edges(), len(lift)
    if not 0 < nodes < MOST_OBJECTS or lift.number_of_edges() * n != nodes * m:
        return False
    number = {v: k for k, v in enumerate(p.base)}
    below = np.array([number[p(node)] for node in lift])
    arrays = lift.to_arrays()
    edges = p.base.edges(keys=True) if p.base.is_multigraph() else p.base.edges
    pairs = [[number[edge[0]], number[edge[1]]] for edge in edges]
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    # at each vertex no base edge occurs twice, and the total number of edges is right
    return all(
        np.array_equal(below[at], ends[arrays.edges, side])
        and len(np.unique(at.astype(np.int64) * max(1, m) + arrays.edges)) == len(at)
        and np.bincount(ends[:, side], minlength=n)[below].sum() == len(at)
        for side, at in enumerate((arrays.tails, arrays.heads))
    )


def _star(p: GraphMap, node: Any, side: str) -> Iterator[Obstruction]:
    """Compare the edges on one side of a vertex with those of its image."""
    above = Counter(p.edge(a) for a in arcs_at(p.total, node, side) if p.covers_edge(a))
    for edge in arcs_at(p.base, p(node), side):
        count = above[edge]
        if not count:
            yield Obstruction(node, edge, f"missing-{side}")
        for _ in range(count - 1):
            yield Obstruction(node, edge, f"extra-{side}")


def factor(p: MapLike, q: MapLike) -> GraphMap:
    """Factor a map through a covering: find r with ``r.then(q) == p``.

    Parameters
    ----------
    p : GraphMap or Lift
        A homomorphism from a finite graph H to the base graph.
    q : GraphMap or Lift
        A covering of the same base graph by a finite graph K, or a window that contains all edges
        that are needed.

    Returns
    -------
    GraphMap
        The map r from H to K. In each weak component of H, r maps the first vertex to the first
        vertex of its fibre in K for which r exists. Cost: O(size of H x size of a fibre of q);
        O(size of H) if the first vertex of the fibre succeeds, as for a regular q over a connected
        base graph if r exists.

    Raises
    ------
    LiftError
        If there is no such map. ``walk``, pairs ``(edge, sign)``, is then an undirected walk that
        is closed in H, but open in K if lifted from the first vertex of the fibre.
    TypeError
        If a total graph is infinite.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.elman()
    >>> six, three, two = (ug.cyclic_cover(G, n) for n in (6, 3, 2))
    >>> r = ug.factor(six, three)
    >>> r(("h", 5)), r.then(three) == six.projection
    (('h', 2), True)
    >>> ug.factor(three, two)
    Traceback (most recent call last):
    ...
    unrollgraph.errors.LiftError: ... the walk ... is closed, but the lift of its image ... is open
    """
    p, q = as_graph_map(p), as_graph_map(q)
    check_finite_graphs(p, q)
    _check_one_base(p, q)
    nodes: dict[Any, Any] = {}
    edges: dict[Any, Any] = {}
    for x in p.total:
        if x in nodes:
            continue
        first: LiftError | None = None
        for y in q.fibre(p(x)):
            try:
                found = pointed(p, q, x, y)
            except LiftError as error:
                first = first or error
                continue
            nodes |= found[0]
            edges |= found[1]
            break
        else:
            raise first or LiftError(
                f"the first map does not factor through the second: the fibre of {p(x)!r}, the "
                f"image of {x!r}, is empty under the second map",
                node=x,
            )
    return GraphMap(p.total, q.total, {x: nodes[x] for x in p.total}, edges)


def pointed(p: GraphMap, q: GraphMap, x: Any, y: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Images of vertices and edges of the component of x under the map with x -> y."""
    nodes, edges, stars = {x: y}, {}, _Stars(q)
    reached: dict[Any, tuple[Any, int] | None] = {x: None}
    queue = [x]
    for u in queue:  # extended in the loop
        for arc, sign in _arcs_round(p.total, u):
            if arc in edges:
                continue
            lifted = _over(p, stars, arc, nodes[u], sign)
            edges[arc] = lifted
            v, w = (arc[1], lifted[1]) if sign > 0 else (arc[0], lifted[0])
            if v not in nodes:
                nodes[v], reached[v] = w, (arc, sign)
                queue.append(v)
            elif nodes[v] != w:
                walk = (*_way(reached, u), (arc, sign), *_back(_way(reached, v)))
                raise LiftError(
                    f"the first map does not factor through the second: the walk {_told(walk)} is "
                    f"closed, but the lift of its image from {y!r} is open",
                    node=x,
                    edge=arc,
                    walk=walk,
                )
    return nodes, edges


def _arcs_round(graph: Any, node: Any) -> Iterator[tuple[Any, int]]:
    """Edges at a vertex, with sign 1 for out-edges and -1 for in-edges."""
    yield from ((arc, 1) for arc in arcs_at(graph, node, "out"))
    yield from ((arc, -1) for arc in arcs_at(graph, node, "in"))


class _Stars:
    """Edges at vertices of the total graph by base edge, grouped once for each side."""

    def __init__(self, q: GraphMap) -> None:
        self._map = q
        self._found: dict[tuple[Any, int], dict[Any, list[Any]]] = {}

    def over(self, edge: Any, y: Any, sign: int) -> list[Any]:
        """Out-edges of y over a base edge, or in-edges for sign -1."""
        if (y, sign) not in self._found:
            star = self._found[y, sign] = {}
            for arc in arcs_at(self._map.total, y, "out" if sign > 0 else "in"):
                if self._map.covers_edge(arc):
                    star.setdefault(self._map.edge(arc), []).append(arc)
        return self._found[y, sign].get(edge, [])


def _over(p: GraphMap, stars: _Stars, arc: Any, y: Any, sign: int) -> Any:
    """The unique edge over the image of an edge at y, on the side of ``sign``."""
    if not p.covers_edge(arc):
        raise LiftError(
            f"the edge {arc!r} is not mapped to an edge of the base graph between the images of "
            "its ends; the map must be a homomorphism",
            edge=arc,
        )
    edge = p.edge(arc)
    found = stars.over(edge, y, sign)
    if len(found) != 1:
        many = "no edge" if not found else "more than one edge"
        way = "out of" if sign > 0 else "into"
        raise LiftError(
            f"the first map does not factor through the second: {many} {way} {y!r} lies over the "
            f"base edge {edge!r}, so the second map is not a covering there",
            node=y,
            edge=edge,
        )
    return found[0]


def _way(reached: dict[Any, Any], v: Any) -> tuple[tuple[Any, int], ...]:
    """Walk in the search tree from the root to a vertex."""
    steps = []
    while reached[v] is not None:
        arc, sign = reached[v]
        steps.append((arc, sign))
        v = arc[0] if sign > 0 else arc[1]
    return tuple(steps[::-1])


def _back(walk: tuple[tuple[Any, int], ...]) -> tuple[tuple[Any, int], ...]:
    return tuple((arc, -sign) for arc, sign in reversed(walk))


def _told(walk: tuple[tuple[Any, int], ...]) -> str:
    """Text of an undirected walk."""
    return show_walk([arc if sign > 0 else (arc[1], arc[0], *arc[2:]) for arc, sign in walk])


def check_finite_graphs(*maps: GraphMap) -> None:
    """Raise `TypeError` if a total graph is infinite."""
    for p in maps:
        if not isinstance(p.total, nx.DiGraph):
            raise TypeError(
                f"this function needs finite graphs, but {show_kind(p.total)} is infinite; take a "
                "window of it, or use clock_lift for maps into it"
            )


def _check_one_base(p: GraphMap, q: GraphMap) -> None:
    if p.base is q.base:
        return
    for what, one, other in (
        ("vertices", dict.fromkeys(p.base), dict.fromkeys(q.base)),
        ("edges", dict.fromkeys(arcs_of(p.base)), dict.fromkeys(arcs_of(q.base))),
    ):
        for odd in (x for x in one | other if (x in one) != (x in other)):
            where = "the first" if odd in one else "the second"
            raise LiftError(
                f"both maps must have the same base graph, but the {what} differ: {odd!r} is only "
                f"in the base graph of {where} map"
            )
