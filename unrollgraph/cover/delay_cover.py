"""The delay cover: the infinite unrolling of a delay graph.

Its vertices are ``(v, t)`` for every vertex v and every time t in Z^d. An edge ``u -> v`` of delay
d has a copy ``(u, t) -> (v, t + d)`` for every t. In topological graph theory this is the *derived
graph* of a voltage graph (Gross, 1974). The projection ``(v, t) -> v`` is a covering. The shifts in
time are deck transformations; if the cover is connected, there are no others. The cover has a
directed cycle iff a directed closed walk of the base graph has total delay zero.

*Maximal abelian cover.* Give the edges of a spanning forest of G the delay 0 and the b other edges
distinct unit vectors of Z^b. The total delay of a closed walk is then its class in the homology
group H_1(G) = Z^b. Each component of this delay cover is the *maximal abelian cover* of a component
of G: it covers every connected regular covering with an abelian deck group. It is acyclic, since a
directed closed walk uses no edge backward and so has a nonzero class. The delays of G define a
linear map M on the classes: column k is the total delay of the k-th independent cycle, a *period*
in crystallography. If ``c_v`` is the total delay of the forest path from a root to v, then
``(v, x) -> (v, M x + c_v)`` maps each component of the maximal abelian cover onto a component of
the delay cover of G (J. Baez, Topological crystals, arXiv 1607.07748).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import networkx as nx
import numpy as np

from unrollgraph.cover.lift import make_lift
from unrollgraph.cover.windows import AllTimes
from unrollgraph.errors import FrozenError, LiftError, check_size
from unrollgraph.graph.cycle_space import forest_of
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph, known
from unrollgraph.graph.frozen import FrozenDict, Pictured, stored_graph
from unrollgraph.graph.times import add, as_time
from unrollgraph.limits import MOST_NUMBERS
from unrollgraph.morphism.graph_map import GraphMap

if TYPE_CHECKING:
    from networkx.classes.coreviews import AdjacencyView
    from networkx.classes.reportviews import (
        DiDegreeView,
        InDegreeView,
        InEdgeView,
        InMultiDegreeView,
        InMultiEdgeView,
        NodeView,
        OutDegreeView,
        OutEdgeView,
        OutMultiDegreeView,
    )

# public names of networkx graphs; those that DelayCover does not define raise an error
_OF_FINITE_GRAPHS = {name for name in dir(nx.MultiDiGraph) if not name.startswith("_")}
_WRITING = ("add_", "remove_", "clear", "update")
# private mappings that networkx functions read without dispatching
_MAPPINGS = {"_adj", "_succ", "_pred", "_node"}


class DelayCover(Pictured):
    """The infinite delay cover of a delay graph.

    Queries about single vertices or edges (`has_edge`, `degree`, ``cover[a]``, ...) return the same
    as for a finite networkx graph and cost O(degree of the vertex). Operations on all vertices
    (iteration, ``len``) raise `InfiniteCoverError`, a `TypeError`. Functions of networkx with a
    finite result are supported: see `unrollgraph.backend`.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> list(cover.successors(("C", -7)))
    [('A', -6), ('out', -7)]
    >>> cover.has_edge(("C", 4), ("A", 5)), cover.degree(("A", 0))
    (True, 3)
    >>> cover["C", 0]
    AtlasView({('A', 1): {'delay': 1}, ('out', 0): {'delay': 0}})
    >>> ("C", 10**100) in cover
    True
    """

    __networkx_backend__ = "unrollgraph"  # networkx dispatches its functions to it

    def __init__(self, G: GraphLike, delay: str = "delay") -> None:
        self.__dict__["_graph"] = as_delay_graph(G, delay)

    _graph: DelayGraph

    @property
    def base(self) -> nx.DiGraph[Any]:
        """Frozen copy of the base graph."""
        return self._graph.base

    @property
    def delay_graph(self) -> DelayGraph:
        """The base graph as a `DelayGraph`."""
        return self._graph

    @property
    def dimension(self) -> int:
        """Dimension d of the delays in Z^d."""
        return self._graph.dimension

    @cached_property
    def projection(self) -> GraphMap:
        """The map ``(v, t) -> v`` to the base graph."""
        return GraphMap.projecting(self, self.base, _Projection(self))

    def project(self, node: Any) -> Any:
        """Base vertex of a vertex of the cover."""
        return self.locate(node)[0]

    def shift(self, node: Any, by: Any) -> Any:
        """Return a vertex shifted by ``by`` in time, a deck transformation."""
        vertex, time = self.locate(node)
        step = as_time(by, self.dimension)
        if step is None:
            raise ValueError(
                f"invalid shift {by!r}: a shift in time must be {self._kind_of_time()}"
            )
        return vertex, add(time, step, 1)

    def fundamental_domain(self) -> list[Any]:
        """List the vertices at time zero, one of each fibre."""
        zero = 0 if self.dimension == 1 else (0,) * self.dimension
        return [(vertex, zero) for vertex in self._graph.vertices]

    def locate(self, node: Any) -> tuple[Any, Any]:
        """Return the base vertex and the time of a vertex of the cover."""
        if isinstance(node, tuple) and len(node) == 2 and known(node[0], self._graph.number):
            time = as_time(node[1], self.dimension)
            if time is not None:
                return self._graph.vertices[self._graph.number[node[0]]], time
        raise LiftError(
            f"{node!r} is not a vertex of the cover; its vertices are pairs (v, t) of a base "
            f"vertex v and a time t, {self._kind_of_time()}",
            node=node,
        )

    def _kind_of_time(self) -> str:
        return "an integer" if self.dimension == 1 else f"a tuple of {self.dimension} integers"

    # -- local queries with the methods of networkx ----------------------------------------

    @cached_property
    def _local(self) -> nx.DiGraph[Any]:
        """The cover as a networkx graph whose adjacency is computed on access."""
        return make_lift(self._graph, AllTimes(self._graph))

    def is_directed(self) -> bool:
        """Return True."""
        return True

    def is_multigraph(self) -> bool:
        """Whether edges have keys."""
        return self._graph.multigraph

    def __contains__(self, node: object) -> bool:
        return node in self._local

    has_node = __contains__

    def __getitem__(self, node: Any) -> Mapping[Any, Any]:
        return self._local[node]

    @property
    def nodes(self) -> NodeView[Any]:
        """Attributes of a vertex, as ``cover.nodes[a]``."""
        return self._local.nodes

    @property
    def adj(self) -> AdjacencyView[Any, Any, Any]:
        """Successors of a vertex with edge attributes, as ``cover.adj[a]``."""
        return self._local.adj

    succ = adj

    @property
    def pred(self) -> AdjacencyView[Any, Any, Any]:
        """Predecessors of a vertex with edge attributes, as ``cover.pred[a]``."""
        return self._local.pred

    @property
    def edges(self) -> OutEdgeView[Any]:
        """Out-edges, ``cover.edges([a, b])``, or attributes, ``cover.edges[a, b]``."""
        return self._local.edges

    out_edges = edges

    @property
    def in_edges(self) -> InEdgeView[Any] | InMultiEdgeView[Any]:
        """In-edges of given vertices, ``cover.in_edges(a)``; parameters as in networkx."""
        return self._local.in_edges

    @property
    def degree(self) -> DiDegreeView[Any]:
        """Number of edges at a vertex, ``cover.degree(a)``."""
        return self._local.degree

    @property
    def in_degree(self) -> InDegreeView[Any] | InMultiDegreeView[Any]:
        """Number of in-edges of a vertex, ``cover.in_degree(a)``."""
        return self._local.in_degree

    @property
    def out_degree(self) -> OutDegreeView[Any] | OutMultiDegreeView[Any]:
        """Number of out-edges of a vertex, ``cover.out_degree(a)``."""
        return self._local.out_degree

    def successors(self, node: Any) -> Iterator[Any]:
        """Iterate over the heads of the out-edges of a vertex, without repetition."""
        return self._local.successors(self.locate(node))

    neighbors = successors

    def predecessors(self, node: Any) -> Iterator[Any]:
        """Iterate over the tails of the in-edges of a vertex, without repetition."""
        return self._local.predecessors(self.locate(node))

    def has_edge(self, u: Any, v: Any, key: Any = None) -> bool:
        """Whether there is an edge from u to v, with the given key if any."""
        return bool(self._local.has_edge(u, v, **self._keyed(key)))

    has_successor = has_edge

    def has_predecessor(self, u: Any, v: Any) -> bool:
        """Whether there is an edge from v to u."""
        return self.has_edge(v, u)

    def get_edge_data(self, u: Any, v: Any, key: Any = None, default: Any = None) -> Any:
        """Attributes of the edge from u to v; without a key, of all parallel edges by key."""
        return self._local.get_edge_data(u, v, **self._keyed(key), default=default)

    def number_of_edges(self, u: Any = None, v: Any = None) -> int:
        """Number of edges from u to v."""
        return self._local.number_of_edges(u, v)

    def subgraph(self, nodes: Iterable[Any]) -> nx.DiGraph[Any]:
        """Return a copy of the subgraph that finitely many vertices induce."""
        # vertices in the order of a window, so that predecessors have that order too
        number = self._graph.number
        located = set(map(self.locate, nodes))
        kept = dict.fromkeys(sorted(located, key=lambda a: (a[1], number[a[0]])))
        rows = ((a, b, self._local[a][b]) for a in kept for b in self._local[a] if b in kept)
        edges: Iterable[Any]
        if self._graph.multigraph:
            edges = (((a, b, key), dict(row)) for a, b, keys in rows for key, row in keys.items())
        else:
            edges = (((a, b), dict(row)) for a, b, row in rows)
        vertices = ((a, dict(self._local.nodes[a])) for a in kept)
        return stored_graph(self._graph.multigraph, vertices, edges)

    def _keyed(self, key: Any) -> dict[str, Any]:
        return {"key": key} if self._graph.multigraph else {}

    # -- methods that an infinite, frozen graph does not support ---------------------------

    def _infinite(self, *_: Any) -> NoReturn:
        AllTimes(self._graph).refuse()

    __len__ = __iter__ = fibre = _infinite

    def __getattr__(self, name: str) -> Any:
        if name in _MAPPINGS:
            return getattr(self._local, name)
        if name in _OF_FINITE_GRAPHS and name.startswith(_WRITING):
            raise FrozenError(
                f"a DelayCover is frozen; {name} is not supported, change the base graph"
            )
        if name in _OF_FINITE_GRAPHS:
            self._infinite()
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
    """The projection as a mapping from the vertices of the cover."""

    def __init__(self, cover: DelayCover) -> None:
        self._cover = cover

    def __getitem__(self, node: Any) -> Any:
        return self._cover.project(node)

    def __iter__(self) -> Iterator[Any]:
        return self._cover._infinite()

    def __len__(self) -> int:
        return self._cover._infinite()

    def __contains__(self, node: object) -> bool:
        return node in self._cover

    def fibre(self, _: Any) -> NoReturn:
        self._cover._infinite()

    def written(self, node: Any) -> tuple[Any, Any]:
        """Return a vertex with its time as a Python int or a tuple of Python ints."""
        return self._cover.locate(node)


def as_cover(G: GraphLike, delay: str = "delay") -> DelayCover:
    """Return the delay cover of a graph; a delay cover is returned unchanged."""
    return G if isinstance(G, DelayCover) and delay == "delay" else DelayCover(G, delay)


@dataclass(frozen=True)
class PeriodMap:
    """Map ``(v, x) -> (v, M x + c_v)`` from a maximal abelian to a delay cover.

    ``matrix`` is M, with a row for each axis of the delays and a column for each independent cycle.
    ``offsets`` maps each vertex to its time ``c_v``, an int or a tuple of ints.
    """

    matrix: tuple[tuple[int, ...], ...]
    offsets: Mapping[Any, Any]

    def __call__(self, node: Any) -> Any:
        """Image of a vertex ``(v, x)``."""
        vertex, x = node if isinstance(node, tuple) and len(node) == 2 else (None, None)
        cycles = len(self.matrix[0])
        place = as_time(x, max(1, cycles))
        if place is None or not known(vertex, self.offsets):
            wanted = "an integer" if cycles < 2 else f"a tuple of {cycles} integers"
            raise LiftError(
                f"{node!r} is not a vertex of the maximal abelian cover; its vertices are pairs "
                f"(v, x) of a base vertex v and x, {wanted}",
                node=node,
            )
        parts = place if cycles > 1 else (place,) * cycles
        offset = self.offsets[vertex]
        start = offset if len(self.matrix) > 1 else (offset,)
        time = tuple(
            c + sum(m * p for m, p in zip(row, parts, strict=True))
            for c, row in zip(start, self.matrix, strict=True)
        )
        return vertex, time if len(time) > 1 else time[0]


def abelianize(G: GraphLike, *, delay: str = "delay") -> nx.DiGraph[Any]:
    """Return a copy of a graph whose delay cover is the maximal abelian cover.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A copy with delays in Z^b, b = m - n + (number of components): 0 on a spanning forest,
        distinct unit vectors on the other edges; integers if b <= 1. Each component of its delay
        cover is the maximal abelian cover of a component of ``G`` and is acyclic; `period_map` maps
        it to the delay cover of ``G``. Cost: O(n + m) for each axis of the delays, and O(m b) for
        the new delays.

    Raises
    ------
    TooLargeError
        If the delays would have more than 10**8 entries (m * b).

    References
    ----------
    T. Sunada, Topological Crystallography (Springer, 2013), ch. 6.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> A = ug.abelianize(ug.gallery.narx(2))
    >>> list(A.edges(data="delay"))
    [('x', 'h', (0, 0)), ('h', 'h', (1, 0)), ('h', 'h', (0, 1)), ('h', 'y', (0, 0))]
    >>> ug.is_acyclic(ug.DelayCover(A))
    True
    """
    graph = as_delay_graph(G, delay)
    m = len(graph.edges)
    others = forest_of(graph).cotree.tolist()
    hint = "take a smaller graph, or set the delays explicitly"
    check_size(len(others) * m, MOST_NUMBERS, "the delays of the maximal abelian cover", hint)
    units = np.eye(len(others), dtype=np.int64).tolist()
    zero = (0,) * len(others) if len(others) > 1 else 0
    delays: list[Any] = [zero] * m
    for e, unit in zip(others, units, strict=True):
        delays[e] = tuple(unit) if len(others) > 1 else 1
    return graph.with_delays(delays)


def period_map(G: GraphLike, *, delay: str = "delay") -> PeriodMap:
    """Compute the map from the maximal abelian cover to the delay cover.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    PeriodMap
        The map ``(v, x) -> (v, M x + c_v)`` from the delay cover of ``abelianize(G)`` to that of
        ``G``. It maps each component onto a component. Cost: O(n + m) for each axis of the delays.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> down = ug.period_map(ug.gallery.narx(2))
    >>> down.matrix, down(("h", (3, 1))), down(("h", (1, 2)))
    (((1, 2),), ('h', 5), ('h', 5))
    """
    graph = as_delay_graph(G, delay)
    forest = forest_of(graph)
    times = graph.as_times(forest.potentials(graph.delays))
    matrix = tuple(map(tuple, forest.totals(graph.delays).T.tolist()))
    return PeriodMap(matrix, FrozenDict(zip(graph.vertices, times, strict=True)))
