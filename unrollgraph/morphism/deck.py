"""Symmetries of a covering: the deck group above, the monodromy below.

A *deck transformation* of p is an automorphism of its total graph H over the identity of the
base. If p is a covering and H connected, it is known from the image of one vertex, by unique
lifting; so only the identity has a fixed vertex: the deck group acts *freely*, and its order is
at most the size of a fibre. It is the size of a fibre exactly when the covering is *regular*:
all vertices of a fibre look alike.

*Monodromy* goes round below: each closed undirected walk at v, lifted from every vertex above v,
permutes the fibre. The orbits of these permutations are what the components of H have of the
fibre. Both actions commute, since a deck transformation carries lifts to lifts.

Walks are undirected here, and arcs are told apart by the edges below them.

References
----------
J. L. Gross and T. W. Tucker, Topological Graph Theory (Wiley, 1987), chapter 2. A. Hatcher,
Algebraic Topology (2002), section 1.3.
"""

from __future__ import annotations

from typing import Any

import networkx as nx

from unrollgraph.errors import LiftError
from unrollgraph.morphism.coverings import check_covering, check_finite_graphs, pointed
from unrollgraph.morphism.graph_map import GraphMap, arcs_at, as_graph_map


def deck_group(p: Any) -> Any:
    """Find all automorphisms of a connected covering over the identity of its base.

    Parameters
    ----------
    p : GraphMap or Lift
        A covering by a finite graph that is weakly connected.

    Returns
    -------
    sympy.combinatorics.PermutationGroup
        On the positions of the vertices in ``list(total)``; its generators are few.

    Raises
    ------
    NotACoveringError
        If it is no covering.
    LiftError
        If the total graph is not connected.
    TypeError
        If it is infinite; that of a connected `DelayCover` is Z^d, by `DelayCover.shift`, that of
        a component those shifts that keep it.

    Notes
    -----
    O(size of the graph x size of a fibre): a vertex can go to each of its fibre at most once.

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
        for here in queue:  # where the group so far carries the first vertex
            for move in found:
                if move[here] not in orbit:
                    orbit.add(move[here])
                    queue.append(move[here])
    identity = list(range(len(nodes)))
    return PermutationGroup([Permutation(move) for move in found or [identity]])


def is_regular(p: Any) -> bool:
    """Whether the deck group carries every vertex of a fibre to every other.

    Parameters
    ----------
    p : GraphMap or Lift
        A covering by a finite graph that is weakly connected.

    Raises
    ------
    NotACoveringError, LiftError, TypeError
        As by `deck_group`.

    Notes
    -----
    O(size of the graph x size of a fibre).

    Examples
    --------
    Six sheets over two loops that permute them as a group does are regular; three that permute
    them in all ways are not.

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


def monodromy(p: Any, vertex: Any) -> Any:
    """Find how closed undirected walks below permute a fibre.

    Parameters
    ----------
    p : GraphMap or Lift
        A covering by a finite graph, connected or not.
    vertex : vertex of the base
        At which the walks are closed.

    Returns
    -------
    sympy.combinatorics.PermutationGroup
        On the positions of ``p.fibre(vertex)``, with a generator for each edge outside a spanning
        tree of the component of the vertex that moves something. Walks are multiplied as SymPy
        multiplies permutations: what stands first is walked first.

    Raises
    ------
    NotACoveringError
        If it is no covering.
    LiftError
        If ``vertex`` is no vertex of the base.
    TypeError
        If the graph is infinite.

    Notes
    -----
    O(size of the graph above the component).

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
    """Where walks carry the fibre of a root: along a tree, through an edge, and back.

    Through the edges of the tree itself nothing moves.
    """
    ends: dict[Any, dict[Any, Any]] = {}  # of each arc above an edge, its head by its tail
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
    for u in queue:  # grows while it is read
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
            f"the total graph is not connected, but has {len(parts)} components; take one of them, "
            "with a GraphMap of its own"
        )
    return covering
