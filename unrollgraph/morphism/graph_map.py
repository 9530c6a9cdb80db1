"""A map between two directed graphs.

A *graph map* sends vertices of a total graph to vertices of a base, and arcs to
edges. It is a *homomorphism* when the ends of an arc go to the ends of its edge;
whether it is one, and whether arcs lift uniquely along it, is the subject of
`unrollgraph.morphism.coverings`.

On a multigraph the images of the vertices do not say to which of several parallel
edges an arc goes. So arcs have images of their own: they go by key where the keys
of the two graphs agree, or are given one by one.

Along an opfibration every walk of the base lifts uniquely from any vertex above its start. The
lift of a closed walk need not be closed: in the delay cover its end lies later by the total delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NoReturn

import networkx as nx

from unrollgraph.errors import FrozenError, LiftError, show_edge, show_vertex
from unrollgraph.graph.delay_graph import known
from unrollgraph.graph.frozen import FrozenDict, Pictured


class GraphMap(Pictured):
    """A map from a total graph to a base.

    Parameters
    ----------
    total, base : networkx.DiGraph or networkx.MultiDiGraph
        The graph above and the graph below. They are not copied: change them and the
        map is no longer one.
    nodes : mapping
        The vertex of ``base`` under each vertex of ``total``.
    edges : mapping, optional
        The edge of ``base`` under each arc of ``total``. May be left out where the
        keys agree or no edges of the base are parallel: then an arc goes to the
        edge between the images of its ends, of the same key if there are several.

    Raises
    ------
    LiftError
        If a vertex has no image, or one that is no vertex of the base; or an arc
        has no entry in ``edges``.

    Examples
    --------
    The hexagon covers the triangle twice.

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
        for graph, what in ((total, "total graph"), (base, "base")):
            if not isinstance(graph, nx.DiGraph):
                raise TypeError(
                    f"the {what} of a GraphMap is a networkx DiGraph or MultiDiGraph, "
                    f"not {type(graph).__name__}"
                )
        for node in total:
            if node not in nodes:
                raise LiftError(f"the map gives no image of {show_vertex(node)}", node=node)
            if nodes[node] not in base:
                raise LiftError(
                    f"the map sends {show_vertex(node)} to {nodes[node]!r}, which is no vertex "
                    "of the base",
                    node=node,
                )
        if edges is not None:
            for arc in arcs_of(total):
                if arc not in edges:
                    raise LiftError(f"edges gives no image of the arc {show_edge(arc)}", edge=arc)
                if not isinstance(edges[arc], tuple) or len(edges[arc]) not in {2, 3}:
                    raise LiftError(
                        f"edges sends the arc {show_edge(arc)} to {edges[arc]!r}, which is no "
                        "edge; an edge is (u, v), or (u, v, key) in a multigraph",
                        edge=arc,
                    )
            edges = FrozenDict(edges)
        self.__dict__.update(total=total, base=base, nodes=FrozenDict(nodes), edges=edges)

    @classmethod
    def projecting(cls, total: Any, base: Any, nodes: Mapping[Any, Any]) -> GraphMap:
        """Make the map of a graph that was built with it: nothing is checked or listed.

        ``nodes`` may compute its values, and may have a method ``fibre``.
        """
        p = object.__new__(cls)
        p.__dict__.update(total=total, base=base, nodes=nodes, edges=None)
        return p

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was pickled; frozen dicts are pickled as plain ones."""
        self.__dict__.update(
            {name: FrozenDict(x) if type(x) is dict else x for name, x in state.items()}
        )

    def __call__(self, node: Any) -> Any:
        """Image of a vertex."""
        try:
            return self.nodes[node]
        except (KeyError, TypeError):
            raise LiftError(
                f"{show_vertex(node)} is no vertex of the graph above", node=node
            ) from None

    def edge(self, arc: tuple[Any, ...]) -> tuple[Any, ...]:
        """Image of an arc; it need not be an edge of the base unless the map is a homomorphism.

        Raises
        ------
        LiftError
            If it could be any of several parallel edges.
        """
        if self.edges is not None:
            if arc not in self.edges:
                raise LiftError(f"{arc!r} is no arc of the total graph", edge=arc)
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
            f"the arc {show_edge(arc)} could lie over any of {len(keys)} edges "
            f"{show_vertex(tail)} -> {show_vertex(head)}; say which with edges=",
            edge=(tail, head),
        )

    def covers_edge(self, arc: tuple[Any, ...]) -> bool:
        """Whether an arc lies over an edge of the base between the images of its ends."""
        edge = self.edge(arc)
        return (
            len(edge) == (3 if self.base.is_multigraph() else 2)
            and edge[:2] == (self(arc[0]), self(arc[1]))
            and bool(self.base.has_edge(*edge))
        )

    def fibre(self, vertex: Any) -> tuple[Any, ...]:
        """All vertices above one of the base, in the order of the total graph."""
        if vertex not in self.base:
            raise LiftError(f"{show_vertex(vertex)} is no vertex of the base", node=vertex)
        lazy = getattr(self.nodes, "fibre", None)
        found: tuple[Any, ...] = lazy(vertex) if lazy else self._fibres.get(vertex, ())
        return found

    @cached_property
    def _fibres(self) -> dict[Any, tuple[Any, ...]]:
        fibres: dict[Any, list[Any]] = {}
        for node in self.total:
            fibres.setdefault(self.nodes[node], []).append(node)
        return {vertex: tuple(copies) for vertex, copies in fibres.items()}

    def then(self, q: Any) -> GraphMap:
        """Compose with a map whose total graph is this map's base.

        Parameters
        ----------
        q : GraphMap or anything with a projection
            A map from ``self.base``; a lift may stand for its projection.

        Returns
        -------
        GraphMap
            The map ``x -> q(self(x))`` from ``self.total`` to ``q.base``.
        """
        q = as_graph_map(q)
        nodes = {}
        for node in self.total:
            middle = self(node)
            if middle not in q.nodes:
                raise LiftError(
                    f"the maps do not compose: {show_vertex(middle)} is no vertex of the second "
                    "map's total graph",
                    node=middle,
                )
            nodes[node] = q(middle)
        edges = {arc: q.edge(self.edge(arc)) for arc in arcs_of(self.total)}
        return GraphMap(self.total, q.base, nodes, edges)

    def __eq__(self, other: object) -> bool:
        """Whether the images agree, vertex by vertex and arc by arc."""
        if not isinstance(other, GraphMap):
            return NotImplemented
        if self is other:
            return True
        if not isinstance(self.total, nx.DiGraph) or not isinstance(other.total, nx.DiGraph):
            return bool(self.total == other.total)  # infinite, with the one map it knows
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


def as_graph_map(p: Any) -> GraphMap:
    """Return a map itself, or the projection of what has one."""
    if isinstance(p, GraphMap):
        return p
    projection = getattr(p, "projection", None)
    if isinstance(projection, GraphMap):
        return projection
    raise TypeError(
        f"expected a GraphMap, or a graph that knows its projection, not {type(p).__name__}; "
        "make one with GraphMap(total, base, nodes)"
    )


def arcs_of(graph: Any) -> Any:
    """Edges of a networkx graph, with their keys where it has any."""
    return graph.edges(keys=True) if graph.is_multigraph() else graph.edges()


def arcs_at(graph: Any, node: Any, side: str) -> Any:
    """Edges into (side ``"in"``) or out of a vertex, with their keys where it has any."""
    view = graph.in_edges if side == "in" else graph.out_edges
    return view(node, keys=True) if isinstance(graph, nx.MultiDiGraph) else view(node)


def lift_walk(p: Any, walk: Iterable[tuple[Any, ...]], start: Any) -> tuple[tuple[Any, ...], ...]:
    """Lift a walk of the base, beginning at a vertex above its start.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph that knows it.
    walk : iterable of edges
        Edges of the base, head to tail: ``(u, v)``, or ``(u, v, key)`` in a
        multigraph.
    start : vertex of the total graph
        A vertex above the tail of the first edge.

    Returns
    -------
    tuple of arcs
        The walk above, head to tail; it projects to ``walk``.

    Raises
    ------
    LiftError
        If the edges do not join, the start is not above the first of them, or at
        some vertex no arc, or more than one, lies over the next edge.

    Notes
    -----
    O(length of the walk x largest out-degree).

    Examples
    --------
    The cycle of the seed network, closed below, climbs one step above.

    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> cycle = [("A", "B"), ("B", "C"), ("C", "A")]
    >>> ug.lift_walk(cover, cycle, ("A", 0))[-1]
    (('C', 0), ('A', 1))
    """
    p = as_graph_map(p)
    if start not in p.total:
        raise LiftError(f"{show_vertex(start)} is no vertex of the graph above", node=start)
    # a lift knows how it writes a vertex: with times that are Python ints
    written = getattr(p.nodes, "written", None)
    here, lifted = written(start) if written else start, []
    for step in walk:
        edge = tuple(step) if isinstance(step, Iterable) else (step,)
        parts = 3 if p.base.is_multigraph() else 2
        if len(edge) != parts or not known(edge, p.base.edges):
            raise LiftError(f"{edge!r} is no edge of the base", node=here, edge=edge)
        if edge[0] != p(here):
            raise LiftError(
                f"the walk does not join: the edge {show_edge(edge)} does not leave "
                f"{show_vertex(p(here))}, over which {show_vertex(here)} lies",
                node=here,
                edge=edge,
            )
        arcs = [
            arc
            for arc in arcs_at(p.total, here, "out")
            if p.covers_edge(arc) and p.edge(arc) == edge
        ]
        if len(arcs) != 1:
            raise LiftError(
                f"{'no arc' if not arcs else 'more than one arc'} out of {show_vertex(here)} "
                f"lies over the edge {show_edge(edge)}, so the walk does not lift uniquely there",
                node=here,
                edge=edge,
            )
        lifted.append(arcs[0])
        here = arcs[0][1]
    return tuple(lifted)
