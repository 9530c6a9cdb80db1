"""Symmetries of a covering: the deck group and the monodromy group.

A *deck transformation* of p is an automorphism of its total graph H over the identity of the base
graph, on vertices and edges. If p is a covering and H is connected, it is determined by the image
of one vertex. So only the identity has a fixed vertex (the deck group acts *freely*), and the order
of the group is at most the size of a fibre, with equality iff the group acts transitively on
fibres: the covering is *regular*.

*Monodromy*: each closed undirected walk at a base vertex v, lifted from every vertex over v,
permutes the fibre of v. The orbits are the intersections of the fibre with the components of
H. Both actions commute, since a deck transformation maps lifts to lifts. (J. L. Gross and
T. W. Tucker, Topological Graph Theory, 1987, chapter 2; A. Hatcher, Algebraic Topology, 2002,
section 1.3.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx

from unrollgraph.errors import LiftError
from unrollgraph.morphism.coverings import check_covering, check_finite_graphs, pointed
from unrollgraph.morphism.graph_map import GraphMap, MapLike, arcs_at, as_graph_map

if TYPE_CHECKING:
    from sympy.combinatorics import PermutationGroup


def deck_group(p: MapLike) -> PermutationGroup:
    """Compute the deck group of a connected covering.

    Parameters
    ----------
    p : GraphMap or Lift
        A covering by a finite, weakly connected graph.

    Returns
    -------
    sympy.combinatorics.PermutationGroup
        Acts on the positions of the vertices in ``list(total)``; it has few generators. Cost:
        O(size of the total graph x size of a fibre). The deck group of a connected `DelayCover` is
        Z^d by `DelayCover.shift`; that of a component consists of the shifts that preserve it.

    Raises
    ------
    NotACoveringError
        If the map is not a covering.
    LiftError
        If the total graph is not connected.
    TypeError
        If the total graph is infinite.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ring = ug.cyclic_cover(ug.gallery.seed_network(), 4)
    >>> group = ug.deck_group(ring)
    >>> group.order(), group.is_cyclic
    (4, True)
    """
    from sympy.combinatorics import Permutation, PermutationGroup  # noqa: PLC0415  (heavy)

    p = _connected_covering(p)
    nodes = list(p.total)
    place = {node: k for k, node in enumerate(nodes)}
    found: list[Any] = []
    orbit = {0} if nodes else set()
    for y in p.fibre(p(nodes[0])) if nodes else ():
        if place[y] in orbit:
            continue
        try:
            image, _ = pointed(p, p, nodes[0], y)
        except LiftError:
            continue
        found.append([place[image[node]] for node in nodes])
        queue = [*orbit]
        for here in queue:  # extends the orbit of the first vertex
            for move in found:
                if move[here] not in orbit:
                    orbit.add(move[here])
                    queue.append(move[here])
    identity = list(range(len(nodes)))
    return PermutationGroup([Permutation(move) for move in found or [identity]])


def is_regular(p: MapLike) -> bool:
    """Whether the deck group of a connected covering acts transitively on fibres.

    Cost: O(size of the total graph x size of a fibre).

    Parameters
    ----------
    p : GraphMap or Lift
        A covering by a finite, weakly connected graph.

    Raises
    ------
    NotACoveringError, LiftError, TypeError
        As for `deck_group`.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> from sympy.combinatorics import SymmetricGroup
    >>> eight = nx.MultiDiGraph()
    >>> _ = eight.add_edge("v", "v", "a", voltage=(1, 2, 0))
    >>> _ = eight.add_edge("v", "v", "b", voltage=(1, 0, 2))
    >>> ug.is_regular(ug.derived_graph(eight, SymmetricGroup(3)))
    True
    >>> ug.is_regular(ug.permutation_lift(eight))
    False
    """
    p = _connected_covering(p)
    first = next(iter(p.total), None)
    for y in () if first is None else p.fibre(p(first)):
        try:
            pointed(p, p, first, y)
        except LiftError:
            return False
    return True


def monodromy(p: MapLike, vertex: Any) -> PermutationGroup:
    """Compute the group of permutations of a fibre by closed undirected walks.

    Parameters
    ----------
    p : GraphMap or Lift
        A covering by a finite graph, connected or not.
    vertex : vertex of the base graph
        The vertex at which the walks begin and end.

    Returns
    -------
    sympy.combinatorics.PermutationGroup
        Acts on the positions of ``p.fibre(vertex)``. It has a generator for each edge outside a
        spanning tree of the component of ``vertex``; duplicates are omitted, and so is the identity
        unless the group is trivial. In a product the walk of the first factor is traversed first,
        as in SymPy. Cost: O(size of the total graph over the component).

    Raises
    ------
    NotACoveringError, TypeError
        As for `deck_group`.
    LiftError
        If ``vertex`` is not a vertex of the base graph.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> two = ug.cyclic_cover(ug.gallery.narx(2), 4)  # loops of delay 1 and 2
    >>> group = ug.monodromy(two, "h")
    >>> group.order(), group.is_transitive()
    (4, True)
    """
    from sympy.combinatorics import Permutation, PermutationGroup  # noqa: PLC0415  (heavy)

    p = as_graph_map(p)
    check_finite_graphs(p)
    check_covering(p)
    fibre = p.fibre(vertex)
    moves = _moves(p, vertex)
    place = {node: k for k, node in enumerate(fibre)}
    found = {tuple(place[node] for node in move) for move in moves}
    found.discard(tuple(range(len(fibre))))
    return PermutationGroup(
        [Permutation([*move]) for move in sorted(found)] or [Permutation(list(range(len(fibre))))]
    )


def _moves(p: GraphMap, root: Any) -> list[list[Any]]:
    """Permutations of the fibre of a root: along a tree to an edge, over it, and back."""
    ends: dict[Any, dict[Any, Any]] = {}  # base edge -> heads of its lifts by tail
    listed = set()

    def along(edge: Any) -> dict[Any, Any]:
        if edge[0] not in listed:
            listed.add(edge[0])
            for node in p.fibre(edge[0]):
                for arc in arcs_at(p.total, node, "out"):
                    ends.setdefault(p.edge(arc), {})[arc[0]] = arc[1]
        return ends.setdefault(edge, {})

    carried: dict[Any, list[Any]] = {root: [*p.fibre(root)]}
    queue, moves = [root], []
    for u in queue:  # extended in the loop
        for edge in (*arcs_at(p.base, u, "out"), *arcs_at(p.base, u, "in")):
            v = edge[1] if edge[0] == u else edge[0]
            if v not in carried:
                step = along(edge)
                if edge[0] != u:
                    step = {head: tail for tail, head in step.items()}
                carried[v] = [step[node] for node in carried[u]]
                queue.append(v)
    for u in queue:
        for edge in arcs_at(p.base, u, "out"):
            start = {node: k for k, node in enumerate(carried[edge[1]])}
            step = along(edge)
            moves.append([carried[root][start[step[node]]] for node in carried[u]])
    return moves


def _connected_covering(p: Any) -> GraphMap:
    covering = as_graph_map(p)
    check_finite_graphs(covering)
    check_covering(covering)
    if covering.total and not nx.is_weakly_connected(covering.total):
        parts = list(nx.weakly_connected_components(covering.total))
        raise LiftError(
            f"the total graph is not connected: it has {len(parts)} components; use a GraphMap of "
            "a single component"
        )
    return covering
