"""Fibrations, opfibrations and coverings, and the lift of one map through a covering.

Let ``p`` be a homomorphism and ``x`` a vertex of its total graph. Then ``p`` maps the
arcs into ``x`` to the edges into ``p(x)``, and the arcs out of ``x`` to the edges out
of ``p(x)``.

* ``p`` is a *fibration* if the first map is one to one and onto at every ``x``,
* an *opfibration* if the second is,
* a *covering* if both are.

Fibres may be empty; over a connected base the fibres of a covering are all equally
large. On multigraphs and loops it is edges that count, not neighbours.

Each failure is an `Obstruction`: at a vertex, an edge of the base over which an arc is
missing or one too many. The obstructions of a window of the delay cover are exactly
its boundary. The infinite delay cover itself is tested at one vertex of each fibre,
which is enough since it looks the same from all of them.

*Lifting a map.* Let ``p: H -> G`` and ``q: K -> G`` be maps to one base, q a covering, x a vertex
of H and y one of K with ``p(x) = q(y)``. There is at most one map ``r: H' -> K`` over G with
``r(x) = y``, where H' is the component of x: it must carry an undirected walk from x to the lift
along q, from y, of what lies below that walk. There is one exactly when every closed walk at x
goes to a closed one.

So a spanning tree of H' tells r, and each other arc whether there is one; an arc that says no
closes a walk in H that is open in K.

References
----------
P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002).

A. Hatcher, Algebraic Topology (2002), propositions 1.33 and 1.34, the lifting criterion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.errors import (
    LiftError,
    NotACoveringError,
    show_edge,
    show_kind,
    show_vertex,
    show_walk,
)
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.morphism.graph_map import GraphMap, arcs_at, arcs_of, as_graph_map


@dataclass(frozen=True)
class Obstruction:
    """One place at which an arc does not lift uniquely.

    Attributes
    ----------
    node : object
        A vertex of the total graph.
    edge : tuple
        The edge of the base over which it fails; for ``"not-an-edge"`` the arc of
        the total graph that lies over no edge.
    kind : str
        ``"missing-in"``, ``"extra-in"``, ``"missing-out"``, ``"extra-out"`` or
        ``"not-an-edge"``.
    """

    node: Any
    edge: tuple[Any, ...]
    kind: str

    def __str__(self) -> str:
        return _SENTENCES[self.kind].format(node=show_vertex(self.node), edge=show_edge(self.edge))


_SENTENCES = {
    "missing-in": "no arc into {node} lies over the edge {edge}",
    "extra-in": "more than one arc into {node} lies over the edge {edge}",
    "missing-out": "no arc out of {node} lies over the edge {edge}",
    "extra-out": "more than one arc out of {node} lies over the edge {edge}",
    "not-an-edge": "the arc {edge} lies over no edge of the base",
}


def obstructions(p: Any) -> Iterator[Obstruction]:
    """Iterate over every reason why a map is not a covering.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph that knows it.

    Yields
    ------
    Obstruction
        Vertex by vertex in the order of the total graph, missing or surplus arcs
        in the order of the base edges, one for each arc that is missing or too
        many.

    Notes
    -----
    O(n + m) of the total graph, lazily; of the base for a `DelayCover`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> U = ug.unroll(ug.gallery.seed_network(), 4)
    >>> for obstruction in ug.obstructions(U):
    ...     print(obstruction)
    no arc into ('A', 0) lies over the edge C -> A
    no arc out of ('C', 3) lies over the edge C -> A
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


def check_covering(p: Any) -> None:
    """Raise with the first obstruction if a map is not a covering.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph that knows it.

    Raises
    ------
    NotACoveringError
        Carrying the `Obstruction`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.seed_network()
    >>> ug.check_covering(ug.DelayCover(G))
    >>> ug.check_covering(ug.unroll(G, 4))
    Traceback (most recent call last):
    ...
    unrollgraph.errors.NotACoveringError: not a covering: no arc into ('A', 0) lies over ...
    """
    for obstruction in obstructions(p):
        raise NotACoveringError(
            f"not a covering: {obstruction}; in a covering the arcs at each vertex correspond "
            "one to one to the edges at its image",
            obstruction=obstruction,
        )


def is_homomorphism(p: Any) -> bool:
    """Whether every arc lies over an edge between the images of its ends.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.is_homomorphism(ug.unroll(ug.gallery.seed_network(), 4))
    True
    """
    return _free_of(p, "not-an-edge")


def is_fibration(p: Any) -> bool:
    """Whether in-arcs lift uniquely: each vertex reads exactly what its image reads.

    Examples
    --------
    A window whose first step reads from before it is no fibration.

    >>> import unrollgraph as ug
    >>> ug.is_fibration(ug.unroll(ug.gallery.seed_network(), 4))
    False
    """
    return _free_of(p, "not-an-edge", "missing-in", "extra-in")


def is_opfibration(p: Any) -> bool:
    """Whether out-arcs lift uniquely: walks lift, from any vertex above their start.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.is_opfibration(ug.cyclic_cover(ug.gallery.seed_network(), 3))
    True
    """
    return _free_of(p, "not-an-edge", "missing-out", "extra-out")


def is_covering(p: Any) -> bool:
    """Whether in-arcs and out-arcs lift uniquely.

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
    """Whether the projection of a lift is a covering, decided from its arrays.

    False also where the numbers of vertices and arcs exclude it, or too many are in question.
    """
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
    # each vertex has each edge at its image once: none twice, and their number is right
    return all(
        np.array_equal(below[at], ends[arrays.edges, side])
        and len(np.unique(at.astype(np.int64) * max(1, m) + arrays.edges)) == len(at)
        and np.bincount(ends[:, side], minlength=n)[below].sum() == len(at)
        for side, at in enumerate((arrays.tails, arrays.heads))
    )


def _star(p: GraphMap, node: Any, side: str) -> Iterator[Obstruction]:
    """Compare the arcs on one side of a vertex with the edges on that side of its image."""
    above = Counter(p.edge(a) for a in arcs_at(p.total, node, side) if p.covers_edge(a))
    for edge in arcs_at(p.base, p(node), side):
        count = above[edge]
        if not count:
            yield Obstruction(node, edge, f"missing-{side}")
        for _ in range(count - 1):
            yield Obstruction(node, edge, f"extra-{side}")


def factor(p: Any, q: Any) -> GraphMap:
    """Find the map through which one covering factors over another.

    Parameters
    ----------
    p : GraphMap or Lift
        A homomorphism from a finite graph H to the base.
    q : GraphMap or Lift
        A covering of the same base by a finite graph K. A window will do as far as what is
        needed of it is there.

    Returns
    -------
    GraphMap
        A map r from H to K with ``r.then(q) == p``. For each weak component of H its first vertex
        goes to the first vertex of K that will do, in the order of the fibre.

    Raises
    ------
    LiftError
        If there is none. It carries as ``walk`` an undirected walk, a tuple of ``(arc, sign)``,
        that is closed in H while the lift to K of what lies below it is open, for the first
        vertex of the fibre.
    TypeError
        If a graph is infinite.

    Notes
    -----
    O(size of H x size of a fibre of q), much less if the first choice will do, as it always does
    for a regular q over a connected base if any does.

    Examples
    --------
    The ring of six covers the ring of two, and that of three, but that of three not that of two.

    >>> import unrollgraph as ug
    >>> G = ug.gallery.elman()
    >>> six, three, two = (ug.cyclic_cover(G, n) for n in (6, 3, 2))
    >>> r = ug.factor(six, three)
    >>> r(("h", 5)), r.then(three) == six.projection
    (('h', 2), True)
    >>> ug.factor(three, two)
    Traceback (most recent call last):
    ...
    unrollgraph.errors.LiftError: ... the walk ... is closed, but what lies below it, ... is open
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
                f"the one does not factor over the other: no vertex lies over {show_vertex(p(x))} "
                f"in the other, but {show_vertex(x)} in the one",
                node=x,
            )
    return GraphMap(p.total, q.total, {x: nodes[x] for x in p.total}, edges)


def pointed(p: GraphMap, q: GraphMap, x: Any, y: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The map over the base from the component of x that sends x to y: of vertices and of arcs."""
    nodes, edges, stars = {x: y}, {}, _Stars(q)
    reached: dict[Any, tuple[Any, int] | None] = {x: None}
    queue = [x]
    for u in queue:  # grows while it is read
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
                    f"the one does not factor over the other: the walk {_told(walk)} is closed, "
                    f"but what lies below it, lifted from {show_vertex(y)}, is open",
                    node=x,
                    edge=arc,
                    walk=walk,
                )
    return nodes, edges


def _arcs_round(graph: Any, node: Any) -> Iterator[tuple[Any, int]]:
    """Arcs at a vertex, with the sign in which they leave it."""
    yield from ((arc, 1) for arc in arcs_at(graph, node, "out"))
    yield from ((arc, -1) for arc in arcs_at(graph, node, "in"))


class _Stars:
    """The arcs above at a vertex by the edges below, listed once for each vertex and side."""

    def __init__(self, q: GraphMap) -> None:
        self._map = q
        self._found: dict[tuple[Any, int], dict[Any, list[Any]]] = {}

    def over(self, edge: Any, y: Any, sign: int) -> list[Any]:
        """The arcs at y over an edge that leave it, or, for the sign -1, that enter it."""
        if (y, sign) not in self._found:
            star = self._found[y, sign] = {}
            for arc in arcs_at(self._map.total, y, "out" if sign > 0 else "in"):
                if self._map.covers_edge(arc):
                    star.setdefault(self._map.edge(arc), []).append(arc)
        return self._found[y, sign].get(edge, [])


def _over(p: GraphMap, stars: _Stars, arc: Any, y: Any, sign: int) -> Any:
    """The arc above at y, leaving it or entering, over the same edge as an arc."""
    if not p.covers_edge(arc):
        raise LiftError(f"the arc {show_edge(arc)} lies over no edge of the base", edge=arc)
    edge = p.edge(arc)
    found = stars.over(edge, y, sign)
    if len(found) != 1:
        many = "no arc" if not found else "more than one arc"
        way = "out of" if sign > 0 else "into"
        raise LiftError(
            f"the one does not factor over the other: {many} {way} {show_vertex(y)} lies over the "
            f"edge {show_edge(edge)}, so the other is no covering there",
            node=y,
            edge=edge,
        )
    return found[0]


def _way(reached: dict[Any, Any], v: Any) -> tuple[tuple[Any, int], ...]:
    """From the root of a tree to a vertex."""
    steps = []
    while reached[v] is not None:
        arc, sign = reached[v]
        steps.append((arc, sign))
        v = arc[0] if sign > 0 else arc[1]
    return tuple(steps[::-1])


def _back(walk: tuple[tuple[Any, int], ...]) -> tuple[tuple[Any, int], ...]:
    return tuple((arc, -sign) for arc, sign in reversed(walk))


def _told(walk: tuple[tuple[Any, int], ...]) -> str:
    """An undirected walk by its stops."""
    return show_walk([arc if sign > 0 else (arc[1], arc[0], *arc[2:]) for arc, sign in walk])


def check_finite_graphs(*maps: GraphMap) -> None:
    """Refuse maps of infinite graphs."""
    for p in maps:
        if not isinstance(p.total, nx.DiGraph):
            raise TypeError(
                f"this needs finite graphs, but {show_kind(p.total)} is infinite; take a "
                "window of it, or clock_lift for maps into it"
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
                f"both maps must go to one base, but their {what} differ: {odd!r} is in that of "
                f"{where} alone"
            )
