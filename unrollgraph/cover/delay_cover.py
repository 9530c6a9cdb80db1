"""The delay cover: the unrolling, without end in either direction.

Its vertices are ``(v, t)`` for every vertex v and every time t in Z^d; an edge
``u -> v`` of delay d has a copy ``(u, t) -> (v, t + d)`` for every t. The projection
``(v, t) -> v`` is a covering, and the shifts in time are deck transformations: all of them,
if the cover is connected. It has a directed cycle exactly when some closed walk of the base has
total delay zero.

It is the pullback of the graph along the covering of Z^d's one-vertex graph by Z^d
itself; in topological graph theory, the *derived graph* of a voltage graph (Gross,
1974).

The maximal abelian cover is a delay cover too. Choose a spanning forest of G, give its edges the
delay 0, and each of the b other edges a direction of its own in Z^b. The total delay of a closed
walk is then its class in the first homology group H_1(G) = Z^b: it says how often each
independent cycle was gone round, and forgets the order. So each component of the delay cover is
the *maximal abelian cover* of the component of G below it: it covers every connected regular
covering whose deck group is abelian.

A directed closed walk uses some edges forward and none backward, so its class is not
zero: the maximal abelian cover of any directed graph is acyclic, whatever its delays.

The delays of G are totals of closed walks too, hence a linear map of that class: if the
k-th independent cycle has the total delay ``M_k`` and the forest gives v the time ``c_v``,

    (v, x) -> (v, M x + c_v)

maps the maximal abelian cover into the delay cover of G, onto one component above each
component of G. In crystallography the columns of M are the *periods* of a net.

References
----------
T. Sunada, Topological Crystallography (Springer, 2013), ch. 6. J. Baez, Topological
crystals, arXiv 1607.07748.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import networkx as nx
import numpy as np

from unrollgraph.errors import FrozenError, LiftError, check_size, show_kind, show_vertex
from unrollgraph.graph.cycle_space import forest_of
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.graph.frozen import FrozenDict, Pictured
from unrollgraph.graph.times import add, as_time
from unrollgraph.limits import MOST_NUMBERS
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
        return self.locate(node)[0]

    def shift(self, node: Any, by: Any) -> Any:
        """Image of a vertex under the deck transformation that adds ``by`` to its time."""
        vertex, time = self.locate(node)
        step = as_time(by, self.dimension)
        if step is None:
            raise ValueError(
                f"a shift in time is {self._kind_of_time()}, not {by!r}",
            )
        return vertex, add(time, step, 1)

    def out_edges(self, node: Any) -> list[Any]:
        """Arcs that leave a vertex, in the order of the base edges, with keys if any."""
        vertex, time = self.locate(node)
        graph = self._graph
        return [
            (node_, (graph.edges[e][1], add(time, graph.times[e], 1)), *graph.edges[e][2:])
            for node_ in [(vertex, time)]
            for e in graph.out_numbers[graph.number[vertex]]
        ]

    def in_edges(self, node: Any) -> list[Any]:
        """Arcs that enter a vertex, in the order of their tails in a window, with keys if any."""
        vertex, time = self.locate(node)
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
            self.locate(node)
        except (LiftError, TypeError):
            return False
        return True

    def locate(self, node: Any) -> tuple[Any, Any]:
        """Return the vertex of the base below a vertex of the cover, and its time."""
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


@dataclass(frozen=True)
class Periods:
    """The map ``(v, x) -> (v, M x + c_v)`` from a maximal abelian cover to a delay cover.

    Call it with a vertex of the one to find that of the other.

    Attributes
    ----------
    matrix : tuple of tuple of int
        M, one row for each axis of the delays, one column for each independent cycle.
    offsets : dict
        The time ``c_v`` of each vertex, an int or a tuple of ints.
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
                f"{show_vertex(node)} is no vertex of the maximal abelian cover; its vertices are "
                f"pairs of a vertex of the base and {wanted}",
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


def abelianize(G: Any, *, delay: str = "delay") -> Any:
    """Give a graph the delays whose cover is its maximal abelian cover.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A copy with delays in Z^b, b = m - n + (number of components): 0 on a spanning
        forest, a unit vector on each other edge. For b = 1 they are integers, for b = 0 all
        are 0. Each component of its delay cover is the maximal abelian cover of a component
        of ``G``, and is acyclic; `period_map` maps it into the delay cover of ``G``.

    Raises
    ------
    ValueError
        If m delays of b entries are too many to be stored.

    Notes
    -----
    O(m + n) for each dimension, and b**2 for the unit vectors.

    References
    ----------
    T. Sunada, Topological Crystallography (Springer, 2013), ch. 6.

    Examples
    --------
    Two loops: time forgets which of them was taken, the maximal abelian cover forgets
    only in which order.

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
    hint = "take a smaller graph, or delays of your own"
    check_size(len(others) * m, MOST_NUMBERS, "the delays of the maximal abelian cover", hint)
    units = np.eye(len(others), dtype=np.int64).tolist()
    zero = (0,) * len(others) if len(others) > 1 else 0
    delays: list[Any] = [zero] * m
    for e, unit in zip(others, units, strict=True):
        delays[e] = tuple(unit) if len(others) > 1 else 1
    return graph.with_delays(delays)


def period_map(G: Any, *, delay: str = "delay") -> Periods:
    """Map the cover of ``abelianize(G)`` into the delay cover of ``G``.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Periods
        The map ``(v, x) -> (v, M x + c_v)``. It is onto one component over each component
        of ``G``.

    Notes
    -----
    O(m + n) for each dimension.

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
    return Periods(matrix, FrozenDict(zip(graph.vertices, times, strict=True)))
