"""The delay graph: a finite directed graph with an integer vector on each edge.

An edge ``u -> v`` of delay ``d`` means that the value of ``v`` at time ``T`` depends on the value
of ``u`` at time ``T - d``. In topological graph theory this is a *voltage graph* over Z^d. A
`DelayGraph` is a validated copy of a networkx graph with the edge attribute ``delay``.

Edges are numbered in the order of ``G.edges``, which networkx keeps when it copies or writes a
graph. The in-edges of a vertex have the same order; the order of ``G.pred`` changes by ``copy()``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, Protocol, TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import DelayError, FrozenError, show_kind, show_walk
from unrollgraph.graph.frozen import (
    FrozenDict,
    Pictured,
    frozen_graph,
    same_attributes,
    stored_graph,
    without_collection,
)
from unrollgraph.graph.times import integer
from unrollgraph.limits import LARGEST_DELAY

Vertex: TypeAlias = Hashable
Edge: TypeAlias = tuple[Any, ...]

_ABSENT: Any = object()
_MEND = {float: "round it or rescale the time unit", str: "convert it with int()"}
NO_ATTRIBUTE: Any = object()  # the name of an attribute that no edge has


class DelayGraph(Pictured):
    """An immutable, validated copy of a directed graph with delays, made in O(n + m).

    Two are equal if their vertices, edges, delays and attributes are equal, in the same order.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays: an integer, or a tuple of d >= 2 integers, of absolute
        value at most 2**31; a tuple of one integer means that integer. A missing attribute
        means 0, but if ``delay`` is not the default, at least one edge must have it.

    Attributes
    ----------
    vertices, edges : tuple
        The vertices and edges, in the order of ``G``: ``(u, v)``, or ``(u, v, key)`` in a
        multigraph.
    tails, heads : ndarray of int64, shape (m,)
        Numbers of the tail and the head of each edge; read-only.
    delays : ndarray of int64, shape (m, d)
        The delays; read-only.
    multigraph : bool
        Whether edges have keys.
    delay_name : str
        Edge attribute of the delays.
    number : mapping
        Number of each vertex.
    vertex_data, edge_data, graph_data : tuple of dict, tuple of dict, dict
        Attributes of `vertices`, `edges` and the graph; read-only.

    Raises
    ------
    DelayError
        If a delay is not an integer, too large, or of another dimension than the others, or
        if ``delay`` is not the default and no edge has this attribute.
    TypeError
        If ``G`` is not a directed graph.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("x", "h")
    >>> G.add_edge("h", "h", delay=1)
    >>> graph = ug.DelayGraph(G)
    >>> graph
    DelayGraph(2 vertices, 2 edges, delays in Z)
    >>> graph.edges, graph.delays.tolist()
    ((('x', 'h'), ('h', 'h')), [[0], [1]])
    """

    vertices: tuple[Any, ...]
    edges: tuple[Edge, ...]
    tails: NDArray[np.int64]
    heads: NDArray[np.int64]
    delays: NDArray[np.int64]
    multigraph: bool
    delay_name: str
    number: Mapping[Any, int]
    graph_data: FrozenDict
    _vertex_data: list[dict[Any, Any]]
    _edge_data: list[dict[Any, Any]]

    @without_collection
    def __init__(self, G: GraphLike, delay: str = "delay") -> None:
        if not isinstance(delay, str) and delay is not NO_ATTRIBUTE:
            raise TypeError(f"delay={delay!r} must be a string, the name of an edge attribute")
        if not isinstance(G, nx.Graph | DelayGraph):
            G = getattr(G, "delay_graph", G)
        if isinstance(G, DelayGraph):
            if delay in ("delay", G.delay_name):
                self.__dict__.update(G.__dict__)
                return
            G = G.to_networkx()
        if not isinstance(G, nx.Graph):
            raise TypeError(
                "expected a networkx DiGraph or MultiDiGraph, a DelayGraph, or an object with a "
                f"delay graph such as a DelayCover, but got {show_kind(G)}"
            )
        if not G.is_directed():
            raise TypeError(
                "the graph is undirected, but a delay graph must be directed; write each edge "
                "once, with a delay, in a DiGraph or MultiDiGraph, and add the reverse edges with "
                "unrollgraph.with_reverses"
            )
        edges, data = _read_edges(G)
        named = isinstance(delay, str) and delay != "delay"
        if named and edges and not any(delay in item for item in data):
            names = ", ".join(
                repr(name) for name in dict.fromkeys(k for item in data for k in item)
            )
            raise DelayError(
                f"no edge has the attribute {delay!r} (argument delay); edge attributes found: "
                f"{names or 'none'}"
            )
        number = {vertex: k for k, vertex in enumerate(G)}
        delays = _read_delays([item.get(delay, _ABSENT) for item in data], edges)
        for item, vector in zip(data, delays.tolist(), strict=True):
            if isinstance(item.get(delay), list | np.ndarray):  # mutable
                item[delay] = tuple(vector) if len(vector) > 1 else vector[0]
        self.__dict__.update(
            vertices=tuple(number),
            edges=edges,
            number=FrozenDict(number),
            tails=_frozen_array([number[edge[0]] for edge in edges]),
            heads=_frozen_array([number[edge[1]] for edge in edges]),
            delays=delays,
            multigraph=G.is_multigraph(),
            delay_name=delay,
            graph_data=FrozenDict(G.graph),
            _vertex_data=[item.copy() for _, item in G.nodes(data=True)],
            _edge_data=data,
        )

    # -- sizes ---------------------------------------------------------------

    @property
    def dimension(self) -> int:
        """Number d of integers in a delay."""
        return int(self.delays.shape[1])

    # -- indices, computed on first use ---------------------------------------

    @cached_property
    def vertex_data(self) -> tuple[FrozenDict, ...]:
        """Attributes of each vertex; read-only."""
        return tuple(map(FrozenDict, self._vertex_data))

    @cached_property
    def edge_data(self) -> tuple[FrozenDict, ...]:
        """Attributes of each edge; read-only."""
        return tuple(map(FrozenDict, self._edge_data))

    @cached_property
    def edge_number(self) -> Mapping[Edge, int]:
        """Position of each edge in `edges`."""
        return FrozenDict({edge: k for k, edge in enumerate(self.edges)})

    @cached_property
    def out_numbers(self) -> tuple[tuple[int, ...], ...]:
        """Numbers of the edges out of each vertex, ascending."""
        return _group(self.tails, len(self.vertices))

    @cached_property
    def in_numbers(self) -> tuple[tuple[int, ...], ...]:
        """Numbers of the edges into each vertex, ascending."""
        return _group(self.heads, len(self.vertices))

    @cached_property
    def times(self) -> tuple[Any, ...]:
        """Delay of each edge: an int, or a tuple of ints if d >= 2."""
        return tuple(self.as_times(self.delays))

    def as_times(self, vectors: NDArray[np.int64]) -> list[Any]:
        """Convert the rows of an array of shape (k, d) to ints if d is 1, else to tuples."""
        return vectors[:, 0].tolist() if self.dimension == 1 else [*map(tuple, vectors.tolist())]

    def time_of(self, edge: Edge) -> Any:
        """Delay of an edge: an int, or a tuple of ints if d >= 2."""
        return self.times[self.edge_number[edge]]

    @cached_property
    def _parallel(self) -> frozenset[tuple[Any, Any]]:
        pairs = Counter(edge[:2] for edge in self.edges)
        return frozenset(pair for pair, count in pairs.items() if count > 1)

    def is_parallel(self, edge: Edge) -> bool:
        """Whether an edge has parallel edges, from the same tail to the same head."""
        return edge[:2] in self._parallel

    def show_walk(self, walk: Iterable[Edge], most: int = 12) -> str:
        """Return the text of a walk; parallel edges with keys, and in this case all delays."""
        return show_walk(walk, most, self.time_of, self.is_parallel)

    def edge_values(self, name: Any, default: Any = None) -> list[Any]:
        """Value of an attribute of each edge, in the order of `edges`."""
        return [data.get(name, default) for data in self._edge_data]

    def vertex_values(self, name: Any, default: Any = None) -> list[Any]:
        """Value of an attribute of each vertex, in the order of `vertices`."""
        return [data.get(name, default) for data in self._vertex_data]

    # -- back to networkx ------------------------------------------------------

    @cached_property
    def base(self) -> nx.DiGraph[Any]:
        """Frozen networkx copy of this graph, with its attributes."""
        return frozen_graph(
            self.multigraph,
            self.graph_data,
            zip(self.vertices, self.vertex_data, strict=True),
            zip(self.edges, self.edge_data, strict=True),
        )

    def to_networkx(self) -> nx.DiGraph[Any]:
        """Return a `DiGraph` or `MultiDiGraph` of this graph, with its attributes.

        Examples
        --------
        >>> import unrollgraph as ug
        >>> ug.DelayGraph(ug.gallery.seed_network()).to_networkx().edges["C", "A"]
        {'delay': 1}
        """
        vertices = zip(self.vertices, map(dict, self._vertex_data), strict=True)
        edges = zip(self.edges, map(dict, self._edge_data), strict=True)
        G = stored_graph(self.multigraph, vertices, edges)
        G.graph.update(self.graph_data)
        return G

    def with_delays(self, delays: Sequence[Any]) -> nx.DiGraph[Any]:
        """Return a networkx copy in which edge k has the delay ``delays[k]``."""
        G = self.to_networkx()
        for edge, value in zip(self.edges, delays, strict=True):
            G.edges[edge][self.delay_name] = value
        return G

    # -- immutability and comparison --------------------------------------------

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenError(
            f"a DelayGraph is immutable: its attribute {name!r} cannot be set; make a DelayGraph "
            "from a changed copy, to_networkx()"
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenError(
            f"a DelayGraph is immutable: its attribute {name!r} cannot be deleted; make a "
            "DelayGraph from a changed copy, to_networkx()"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DelayGraph):
            return NotImplemented
        return (
            self.multigraph == other.multigraph
            and self.vertices == other.vertices
            and self.edges == other.edges
            and np.array_equal(self.delays, other.delays)
            and all(map(same_attributes, self._vertex_data, other._vertex_data))
            and all(map(same_attributes, self._other_data(), other._other_data()))
            and same_attributes(self.graph_data, other.graph_data)
        )

    def __hash__(self) -> int:
        return hash((self.vertices, self.edges, self.delays.tobytes()))

    def _other_data(self) -> list[dict[Any, Any]]:
        return [
            {name: value for name, value in data.items() if name != self.delay_name}
            for data in self._edge_data
        ]

    def __reduce__(self) -> tuple[type, tuple[Any, str]]:
        return DelayGraph, (self.to_networkx(), self.delay_name)

    def __repr__(self) -> str:
        power = "" if self.dimension == 1 else f"^{self.dimension}"
        return (
            f"DelayGraph({len(self.vertices)} vertices, {len(self.edges)} edges, "
            f"delays in Z{power})"
        )


class HasDelayGraph(Protocol):
    """An object with a delay graph, such as a `DelayCover` or a `Network`."""

    @property
    def delay_graph(self) -> DelayGraph:
        """The base graph with its delays."""


# the first argument of functions on a delay graph or its cover
GraphLike: TypeAlias = "nx.DiGraph[Any] | DelayGraph | HasDelayGraph"


def as_delay_graph(G: GraphLike, delay: str = "delay") -> DelayGraph:
    """Return the delay graph of an object, or make one from a networkx graph."""
    if not isinstance(G, nx.Graph | DelayGraph):
        G = getattr(G, "delay_graph", G)
    if isinstance(G, DelayGraph) and delay in ("delay", G.delay_name):
        return G
    return DelayGraph(G, delay)


# Names of delays in other programs, in the order in which they are tried.
DELAY_LIKE = (
    *("delay", "delays", "timedelay", "lag", "lags", "timelag", "tau", "tojimage"),
    *("latency", "tokens", "initialtokens", "registers", "offset", "shift", "dt", "weight"),
)


def delay_like_attribute(graph: DelayGraph) -> str | None:
    """Return an edge attribute that is probably the delay, if no edge has a delay.

    It has a name in `DELAY_LIKE` and integer values that are not all zero; None if not found.
    """
    if any(graph.delay_name in data for data in graph._edge_data):
        return None
    rank = {name: k for k, name in enumerate(DELAY_LIKE)}
    found = {name for data in graph._edge_data for name in data}
    names = {name for name in found if isinstance(name, str) and name.isprintable()}
    plain = {name: re.sub(r"[\W_]", "", name).lower() for name in sorted(names)}
    for name in sorted((n for n in plain if plain[n] in rank), key=lambda n: rank[plain[n]]):
        values = [data[name] for data in graph._edge_data if name in data]
        vectors = [_integers(value) for value in values]
        if all(v is not None for v in vectors) and any(x for v in vectors for x in v or ()):
            return name
    return None


def delay_hint(graph: DelayGraph) -> str:
    """Return the end of an error message that suggests a name of the delays, or ''."""
    name = delay_like_attribute(graph)
    if name is None:
        return ""
    return (
        f"; no edge has the attribute {graph.delay_name!r}, so every delay is 0, but edges have "
        f"{name!r}: pass delay={name!r} (to io.read, if the graph was read from a file)"
    )


def _integers(value: Any) -> list[int] | None:
    """Convert an attribute value, also a string or a float, to integers; None if impossible."""
    parts = value if isinstance(value, tuple | list | np.ndarray) else (value,)
    try:
        numbers = [int(part) for part in parts if not isinstance(part, bool)]
        floats = [float(part) for part in parts]
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if numbers == floats else None


def part_of(
    graph: DelayGraph, vertices: Iterable[int], edges: Iterable[int] | None = None
) -> DelayGraph:
    """Return the subgraph of some vertices, with some of their edges (default: all), in order."""
    inner: Any = nx.MultiDiGraph() if graph.multigraph else nx.DiGraph()
    inner.add_nodes_from(graph.vertices[v] for v in vertices)
    for e in range(len(graph.edges)) if edges is None else edges:
        edge = graph.edges[e]
        if edge[0] in inner and edge[1] in inner:
            inner.add_edge(*edge, delay=graph.times[e])
    return DelayGraph(inner)


# -- reading delays ------------------------------------------------------------


def check_delay(value: Any, edge: Edge) -> tuple[int, ...]:
    """Return a delay as a tuple of Python ints; `DelayError` if it is invalid."""
    parts = value if isinstance(value, tuple | list | np.ndarray) else (value,)
    try:
        vector = tuple(integer(part) for part in parts)
    except TypeError:
        vector = ()
    if not vector:
        mend = _MEND.get(type(value), "omit the attribute for delay 0")
        raise DelayError(
            f"invalid delay {value!r} on edge {edge!r}: delays must be integers, or tuples of "
            f"integers for delays in Z^d; {mend}",
            edge=edge,
            value=value,
        )
    if any(abs(part) > LARGEST_DELAY for part in vector):
        raise DelayError(
            f"invalid delay {value!r} on edge {edge!r}: the absolute value must be at most 2**31; "
            "use a larger unit of time",
            edge=edge,
            value=value,
        )
    return vector


def _read_edges(G: Any) -> tuple[tuple[Edge, ...], list[dict[Any, Any]]]:
    """Return the edges in the order of ``G.edges``, and copies of their attributes."""
    # plain dicts: the garbage collector need not track them, and `edge_data` freezes them later
    if G.is_multigraph():
        edges = [(u, v, k) for u, row in G.adjacency() for v, keyed in row.items() for k in keyed]
        data = [d.copy() for _, row in G.adjacency() for kd in row.values() for d in kd.values()]
        return tuple(edges), data
    pairs = [(u, v) for u, row in G.adjacency() for v in row]
    return tuple(pairs), [d.copy() for _, row in G.adjacency() for d in row.values()]


def _read_delays(values: list[Any], edges: tuple[Edge, ...]) -> NDArray[np.int64]:
    if all(kind is int for kind in set(map(type, values))):
        try:
            delays = np.array(values, dtype=np.int64).reshape(-1, 1)
        except OverflowError:
            delays = None
        if delays is not None and np.all((delays >= -LARGEST_DELAY) & (delays <= LARGEST_DELAY)):
            return _frozen_array(delays)
    vectors = [
        None if value is _ABSENT else check_delay(value, edge)
        for value, edge in zip(values, edges, strict=True)
    ]
    first = next((k for k, vector in enumerate(vectors) if vector is not None), None)
    dimension = 1 if first is None else len(vectors[first] or ())
    zero = (0,) * dimension
    for vector, value, edge in zip(vectors, values, edges, strict=True):
        if vector is not None and len(vector) != dimension:
            raise DelayError(
                f"invalid delay {value!r} on edge {edge!r}: it has dimension {len(vector)}, but "
                f"the delay on edge {edges[first or 0]!r} has dimension {dimension}; all delays "
                "of a graph must have the same dimension",
                edge=edge,
                value=value,
            )
    return _frozen_array(
        np.array([zero if v is None else v for v in vectors], dtype=np.int64).reshape(-1, dimension)
    )


def _frozen_array(values: Any) -> NDArray[np.int64]:
    array = np.array(values, dtype=np.int64)
    array.flags.writeable = False
    return array


def _group(ends: NDArray[np.int64], n: int) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = [[] for _ in range(n)]
    for number, end in enumerate(ends.tolist()):
        groups[end].append(number)
    return tuple(map(tuple, groups))


def each_vertex(graph: DelayGraph, names: Iterable[Any], what: str) -> list[Any]:
    """Return vertices as a list; `ValueError` if one is not a vertex of the graph."""
    if not isinstance(names, Iterable):
        raise TypeError(
            f"{what} must be an iterable of vertices, such as [{names!r}], not {names!r}"
        )
    listed = list(names)
    for name in listed:
        if not known(name, graph.number):
            raise ValueError(f"{what} contains {name!r}, which is not a vertex of the graph")
    return listed


def known(vertex: Any, vertices: Any) -> bool:
    """Whether a value is one of the vertices; False if it is not hashable."""
    try:
        return vertex in vertices
    except TypeError:
        return False
