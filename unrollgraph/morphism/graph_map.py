"""Maps between two directed graphs.

A *graph map* maps the vertices and edges of a total graph to those of a base graph. It is a
*homomorphism* if it maps the ends of every edge to the ends of the image of the edge;
`unrollgraph.morphism.coverings` tests this. If the base graph has parallel edges, an edge is mapped
to the edge with the same key, or the images of the edges are given explicitly.

Along an opfibration every walk of the base graph lifts uniquely from each vertex over its start.
The lift of a closed walk can be open: in the delay cover its end is later by the total delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NoReturn, Protocol, TypeAlias

import networkx as nx

from unrollgraph.errors import FrozenError, LiftError
from unrollgraph.graph.delay_graph import known
from unrollgraph.graph.frozen import FrozenDict, Pictured


class GraphMap(Pictured):
    """A map from a total graph to a base graph.

    Parameters
    ----------
    total, base : networkx.DiGraph or networkx.MultiDiGraph
        The total graph and the base graph. They are not copied and must not be changed.
    nodes : mapping
        The base vertex of each vertex of ``total``.
    edges : mapping, optional
        The base edge of each edge of ``total``. Default: the edge between the images of the ends,
        with the same key if there are several.

    Raises
    ------
    LiftError
        If an image is missing, or is not a vertex of ``base`` or an edge tuple.
    TypeError
        If ``total`` or ``base`` is not a directed networkx graph.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> hexagon = nx.cycle_graph(6, create_using=nx.DiGraph)
    >>> triangle = nx.cycle_graph(3, create_using=nx.DiGraph)
    >>> p = ug.GraphMap(hexagon, triangle, {v: v % 3 for v in hexagon})
    >>> p(4), p.edge((5, 0)), p.fibre(1)
    (1, (2, 0), (1, 4))
    >>> ug.is_covering(p)
    True
    """

    total: Any
    base: Any
    nodes: Mapping[Any, Any]
    edges: Mapping[Any, Any] | None

    def __init__(
        self,
        total: Any,
        base: Any,
        nodes: Mapping[Any, Any],
        edges: Mapping[Any, Any] | None = None,
    ) -> None:
        for graph, what in ((total, "total graph"), (base, "base graph")):
            if not isinstance(graph, nx.DiGraph):
                raise TypeError(
                    f"the {what} of a GraphMap must be a networkx DiGraph or MultiDiGraph, "
                    f"not {type(graph).__name__}"
                )
        for node in total:
            if node not in nodes:
                raise LiftError(
                    f"nodes has no image of the vertex {node!r}; add one for every vertex of the "
                    "total graph",
                    node=node,
                )
            if nodes[node] not in base:
                raise LiftError(
                    f"nodes maps {node!r} to {nodes[node]!r}, which is not a vertex of the base "
                    "graph; every image must be one",
                    node=node,
                )
        if edges is not None:
            for arc in arcs_of(total):
                if arc not in edges:
                    raise LiftError(
                        f"edges has no image of the edge {arc!r}; add one for every edge of the "
                        "total graph",
                        edge=arc,
                    )
                if not isinstance(edges[arc], tuple) or len(edges[arc]) not in {2, 3}:
                    raise LiftError(
                        f"edges maps the edge {arc!r} to {edges[arc]!r}, which is not an edge; an "
                        "edge is (u, v), or (u, v, key) in a multigraph",
                        edge=arc,
                    )
            edges = FrozenDict(edges)
        self.__dict__.update(total=total, base=base, nodes=FrozenDict(nodes), edges=edges)

    @classmethod
    def projecting(cls, total: Any, base: Any, nodes: Mapping[Any, Any]) -> GraphMap:
        """Make the projection of a lift, without checks; ``nodes`` may be computed lazily."""
        p = object.__new__(cls)
        p.__dict__.update(total=total, base=base, nodes=nodes, edges=None)
        return p

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled map; frozen dicts are pickled as plain dicts."""
        self.__dict__.update(
            {name: FrozenDict(x) if type(x) is dict else x for name, x in state.items()}
        )

    def __call__(self, node: Any) -> Any:
        """Image of a vertex."""
        try:
            return self.nodes[node]
        except (KeyError, TypeError):
            raise LiftError(f"{node!r} is not a vertex of the total graph", node=node) from None

    def edge(self, arc: tuple[Any, ...]) -> tuple[Any, ...]:
        """Image of an edge; `LiftError` if it is ambiguous among parallel edges."""
        if self.edges is not None:
            if arc not in self.edges:
                raise LiftError(f"{arc!r} is not an edge of the total graph", edge=arc)
            image: tuple[Any, ...] = self.edges[arc]
            return image
        tail, head = self(arc[0]), self(arc[1])
        if not self.base.is_multigraph():
            return tail, head
        keys = self.base.succ[tail].get(head, {})
        if not keys:
            return tail, head
        if len(arc) == 3 and arc[2] in keys:
            return tail, head, arc[2]
        if len(keys) == 1:
            return tail, head, next(iter(keys))
        raise LiftError(
            f"the edge {arc!r} could be mapped to any of {len(keys)} parallel edges from {tail!r} "
            f"to {head!r}; specify its image with edges=",
            edge=(tail, head),
        )

    def covers_edge(self, arc: tuple[Any, ...]) -> bool:
        """Whether an edge is mapped to a base edge between the images of its ends."""
        edge = self.edge(arc)
        return (
            len(edge) == (3 if self.base.is_multigraph() else 2)
            and edge[:2] == (self(arc[0]), self(arc[1]))
            and bool(self.base.has_edge(*edge))
        )

    def fibre(self, vertex: Any) -> tuple[Any, ...]:
        """All vertices over a base vertex, in the order of the total graph."""
        if vertex not in self.base:
            raise LiftError(f"{vertex!r} is not a vertex of the base graph", node=vertex)
        lazy = getattr(self.nodes, "fibre", None)
        found: tuple[Any, ...] = lazy(vertex) if lazy else self._fibres.get(vertex, ())
        return found

    @cached_property
    def _fibres(self) -> dict[Any, tuple[Any, ...]]:
        fibres: dict[Any, list[Any]] = {}
        for node in self.total:
            fibres.setdefault(self.nodes[node], []).append(node)
        return {vertex: tuple(copies) for vertex, copies in fibres.items()}

    def then(self, q: MapLike) -> GraphMap:
        """Compose with a map q (GraphMap, Lift, ...) to ``x -> q(self(x))``."""
        q = as_graph_map(q)
        nodes = {}
        for node in self.total:
            middle = self(node)
            if middle not in q.nodes:
                raise LiftError(
                    f"the maps cannot be composed: {middle!r} is not a vertex of the total graph "
                    "of the second map",
                    node=middle,
                )
            nodes[node] = q(middle)
        edges = {arc: q.edge(self.edge(arc)) for arc in arcs_of(self.total)}
        return GraphMap(self.total, q.base, nodes, edges)

    def __eq__(self, other: object) -> bool:
        """Whether the images of all vertices and edges are equal."""
        if not isinstance(other, GraphMap):
            return NotImplemented
        if self is other:
            return True
        if not isinstance(self.total, nx.DiGraph) or not isinstance(other.total, nx.DiGraph):
            return bool(self.total == other.total)  # infinite covers have one projection
        if set(self.total) != set(other.total) or set(self.base) != set(other.base):
            return False
        arcs = set(arcs_of(self.total))
        return (
            arcs == set(arcs_of(other.total))
            and set(arcs_of(self.base)) == set(arcs_of(other.base))
            and all(self(node) == other(node) for node in self.total)
            and all(self.edge(arc) == other.edge(arc) for arc in arcs)
        )

    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenError(f"a GraphMap is frozen; {name} cannot be set")

    def __repr__(self) -> str:
        return f"GraphMap({self.total!r} -> {self.base})"


class HasProjection(Protocol):
    """A graph with a projection, such as a `Lift` or a `DelayCover`."""

    @property
    def projection(self) -> GraphMap:
        """The map to the base graph."""


# a map, or a graph with a projection
MapLike: TypeAlias = "GraphMap | HasProjection"


def as_graph_map(p: MapLike) -> GraphMap:
    """Return a map unchanged, or the projection of a graph."""
    if isinstance(p, GraphMap):
        return p
    projection = getattr(p, "projection", None)
    if isinstance(projection, GraphMap):
        return projection
    raise TypeError(
        f"expected a GraphMap, or a graph with a projection, not {type(p).__name__}; "
        "make one with GraphMap(total, base, nodes)"
    )


def arcs_of(graph: Any) -> Any:
    """Edges of a networkx graph, with keys in a multigraph."""
    return graph.edges(keys=True) if graph.is_multigraph() else graph.edges()


def arcs_at(graph: Any, node: Any, side: str) -> Any:
    """In-edges (side ``"in"``) or out-edges of a vertex, with keys in a multigraph."""
    view = graph.in_edges if side == "in" else graph.out_edges
    return view(node, keys=True) if graph.is_multigraph() else view(node)


def lift_walk(
    p: MapLike, walk: Iterable[tuple[Any, ...]], start: Any
) -> tuple[tuple[Any, ...], ...]:
    """Lift a walk of the base graph from a given vertex over its start.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph with a projection.
    walk : iterable of edges
        Consecutive edges of the base graph, ``(u, v)``, or ``(u, v, key)`` in a multigraph.
    start : vertex of the total graph
        A vertex over the tail of the first edge.

    Returns
    -------
    tuple of edges
        The walk of the total graph that begins at ``start`` and is mapped to ``walk``. Cost:
        O(length of the walk x largest out-degree).

    Raises
    ------
    LiftError
        If ``walk`` is not a walk of the base graph, ``start`` is not over its first vertex, or not
        exactly one edge lifts the next edge at some vertex.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> cycle = [("A", "B"), ("B", "C"), ("C", "A")]
    >>> ug.lift_walk(cover, cycle, ("A", 0))[-1]
    (('C', 0), ('A', 1))
    """
    p = as_graph_map(p)
    if start not in p.total:
        raise LiftError(f"the start {start!r} is not a vertex of the total graph", node=start)
    # lifts return their vertices with times as Python ints
    written = getattr(p.nodes, "written", None)
    here, lifted = written(start) if written else start, []
    for step in walk:
        edge = tuple(step) if isinstance(step, Iterable) else (step,)
        parts = 3 if p.base.is_multigraph() else 2
        if len(edge) != parts or not known(edge, p.base.edges):
            raise LiftError(
                f"{edge!r} is not an edge of the base graph; an edge is (u, v), or (u, v, key) in "
                "a multigraph",
                node=here,
                edge=edge,
            )
        if edge[0] != p(here):
            raise LiftError(
                f"the walk does not join: the edge {edge!r} does not begin at {p(here)!r}, the "
                f"image of {here!r}",
                node=here,
                edge=edge,
            )
        arcs = [
            arc
            for arc in arcs_at(p.total, here, "out")
            if p.covers_edge(arc) and p.edge(arc) == edge
        ]
        if len(arcs) != 1:
            many = "more than one edge" if arcs else "no edge"
            hint = "; use a larger window" if getattr(p.total, "window", None) else ""
            raise LiftError(
                f"{many} out of {here!r} lies over the base edge {edge!r}, so the walk does not "
                f"lift uniquely there{hint}",
                node=here,
                edge=edge,
            )
        lifted.append(arcs[0])
        here = arcs[0][1]
    return tuple(lifted)
