"""When do arcs lift uniquely? Fibrations, opfibrations, coverings.

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

References
----------
P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from unrollgraph.errors import NotACoveringError, show_edge, show_vertex
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.morphism.graph_map import GraphMap, arcs_at, as_graph_map


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
