"""The delay cover: the unrolling, without end in either direction.

Its vertices are ``(v, t)`` for every vertex v and every time t in Z^d; an edge
``u -> v`` of delay d has a copy ``(u, t) -> (v, t + d)`` for every t. The projection
``(v, t) -> v`` is a covering, and the shifts in time are deck transformations: all of them,
if the cover is connected. It has a directed cycle exactly when some closed walk of the base has
total delay zero.

It is the pullback of the graph along the covering of Z^d's one-vertex graph by Z^d
itself; in topological graph theory, the *derived graph* of a voltage graph (Gross,
1974).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NoReturn

import networkx as nx

from unrollgraph.cover.sheets import add, as_time
from unrollgraph.errors import FrozenError, LiftError, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.graph.frozen import Pictured
from unrollgraph.morphism.graph_map import GraphMap

# what a graph of networkx has, and a graph that is infinite or frozen has not
_ENDLESS = {name for name in dir(nx.MultiDiGraph) if not name.startswith("_")}
_ENDLESS |= {"_adj", "_succ", "_pred", "_node"}


class DelayCover(Pictured):
    """The bi-infinite unrolling of a delay graph.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Notes
    -----
    Whatever would take for ever (iterating, ``len``) raises `TypeError` and suggests
    `unroll`. Questions about a single vertex cost its degree. Those functions of networkx that
    have an answer for the infinite graph take it, see `unrollgraph.backend`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> list(cover.successors(("C", -7)))
    [('A', -6), ('out', -7)]
    >>> ("C", 10**100) in cover
    True
    """

    __networkx_backend__ = "unrollgraph"  # to which networkx hands its functions

    def __init__(self, G: Any, delay: str = "delay") -> None:
        self.__dict__["_graph"] = as_delay_graph(G, delay)

    _graph: DelayGraph

    @property
    def base(self) -> Any:
        """The graph below: a frozen networkx graph, as it was when the cover was made."""
        return self._graph.base

    @property
    def delay_graph(self) -> DelayGraph:
        """The graph below with its delays, whatever attribute held them."""
        return self._graph

    @property
    def dimension(self) -> int:
        """Dimension d of time."""
        return self._graph.dimension

    def is_directed(self) -> bool:
        """Return True, as networkx asks of a graph."""
        return True

    def is_multigraph(self) -> bool:
        """Whether parallel arcs are told apart by keys."""
        return self._graph.multigraph

    @cached_property
    def projection(self) -> GraphMap:
        """The map to the base, ``(v, t) -> v``."""
        return GraphMap.projecting(self, self.base, _Projection(self))

    def project(self, node: Any) -> Any:
        """Vertex of the base below a vertex."""
        return self._find(node)[0]

    def shift(self, node: Any, by: Any) -> Any:
        """Image of a vertex under the deck transformation that adds ``by`` to its time."""
        vertex, time = self._find(node)
        step = as_time(by, self.dimension)
        if step is None:
            raise ValueError(
                f"a shift in time is {self._kind_of_time()}, not {by!r}",
            )
        return vertex, add(time, step, 1)

    def out_edges(self, node: Any) -> list[Any]:
        """Arcs that leave a vertex, in the order of the base edges, with keys if any."""
        vertex, time = self._find(node)
        graph = self._graph
        return [
            (node_, (graph.edges[e][1], add(time, graph.times[e], 1)), *graph.edges[e][2:])
            for node_ in [(vertex, time)]
            for e in graph.out_numbers[graph.number[vertex]]
        ]

    def in_edges(self, node: Any) -> list[Any]:
        """Arcs that enter a vertex, in the order of their tails in a window, with keys if any."""
        vertex, time = self._find(node)
        graph = self._graph
        arcs = [
            (add(time, graph.times[e], -1), int(graph.tails[e]), e)
            for e in graph.in_numbers[graph.number[vertex]]
        ]
        return [
            ((graph.vertices[u], start), (vertex, time), *graph.edges[e][2:])
            for start, u, e in sorted(arcs)
        ]

    def successors(self, node: Any) -> Iterator[Any]:
        """Iterate over the vertices to which an arc leads, each once."""
        return iter(dict.fromkeys(arc[1] for arc in self.out_edges(node)))

    neighbors = successors

    def predecessors(self, node: Any) -> Iterator[Any]:
        """Iterate over the vertices from which an arc comes, each once."""
        return iter(dict.fromkeys(arc[0] for arc in self.in_edges(node)))

    def fundamental_domain(self) -> list[Any]:
        """One vertex of each fibre, at time zero; shifts carry them to all others."""
        zero = 0 if self.dimension == 1 else (0,) * self.dimension
        return [(vertex, zero) for vertex in self._graph.vertices]

    def __contains__(self, node: Any) -> bool:
        try:
            self._find(node)
        except (LiftError, TypeError):
            return False
        return True

    def _find(self, node: Any) -> tuple[Any, Any]:
        """Vertex below, and time in Python ints."""
        if isinstance(node, tuple) and len(node) == 2 and known(node[0], self._graph.number):
            time = as_time(node[1], self.dimension)
            if time is not None:
                return self._graph.vertices[self._graph.number[node[0]]], time
        raise LiftError(
            f"{show_vertex(node)} is no vertex of the cover; its vertices are pairs of a vertex "
            f"of the base and a time, {self._kind_of_time()}",
            node=node,
        )

    def _kind_of_time(self) -> str:
        return "an integer" if self.dimension == 1 else f"a tuple of {self.dimension} integers"

    def _endless(self, *_: Any) -> NoReturn:
        raise TypeError(
            "the delay cover is infinite; take a finite piece of it with "
            "unrollgraph.unroll(G, window)"
        )

    __len__ = __iter__ = __getitem__ = fibre = _endless

    def __getattr__(self, name: str) -> NoReturn:
        if name in _ENDLESS:
            self._endless()
        raise AttributeError(f"a DelayCover has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenError(f"a DelayCover is frozen; {name} cannot be set")

    def __eq__(self, other: object) -> bool:
        return self._graph == other._graph if isinstance(other, DelayCover) else NotImplemented

    def __hash__(self) -> int:
        return hash((DelayCover, self._graph))

    def __reduce__(self) -> tuple[type, tuple[DelayGraph]]:
        return DelayCover, (self._graph,)

    def __repr__(self) -> str:
        return f"DelayCover({self._graph!r})"


class _Projection(Mapping[Any, Any]):
    """The projection of the vertices, of which there are infinitely many."""

    def __init__(self, cover: DelayCover) -> None:
        self._cover = cover

    def __getitem__(self, node: Any) -> Any:
        return self._cover.project(node)

    def __iter__(self) -> Iterator[Any]:
        return self._cover._endless()

    def __len__(self) -> int:
        return self._cover._endless()

    def __contains__(self, node: object) -> bool:
        return node in self._cover

    def fibre(self, _: Any) -> NoReturn:
        self._cover._endless()


def as_cover(cover: Any) -> DelayCover:
    """Return a delay cover itself; for a plain graph say how to make it."""
    if isinstance(cover, DelayCover):
        return cover
    raise TypeError(
        f"this question is about an infinite cover, but it was given {show_kind(cover)}; "
        "ask it of DelayCover(G)"
    )
