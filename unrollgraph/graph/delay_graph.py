"""The delay graph: a finite directed graph with an integer vector on each edge.

An edge ``u -> v`` of delay ``d`` says that the value of ``v`` at time ``T``
reads the value of ``u`` at time ``T - d``. In topological graph theory this is
a *voltage graph* with voltages in Z^d.

A user writes a delay graph as a networkx `DiGraph` or `MultiDiGraph` whose edges
carry an attribute ``delay``: an integer, or a tuple of d >= 2 integers; where it
is absent the delay is zero. `DelayGraph` is what the package reads from it, once,
at the door: everything is checked there and nowhere again, and later changes of
the networkx graph do not show.

Edges are numbered in the order of ``G.edges``, which networkx keeps when it
copies and writes a graph; the order of the in-edges of a vertex means that order
too, since networkx's own order of predecessors changes under ``copy()``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import DelayError, FrozenError, show_edge
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


class DelayGraph(Pictured):
    """A frozen, validated reading of a directed graph with delays.

    Two delay graphs are equal when their vertices, edges, delays and other
    attributes are, all in the same order.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        The graph to read. It is not kept.
    delay : str
        The edge attribute that holds the delay: an integer, or a tuple of
        d >= 2 integers, each of absolute value at most 2**31. A tuple of one
        integer means that integer; an absent attribute means zero. A name other
        than the default must be an attribute of at least one edge.

    Attributes
    ----------
    vertices : tuple
        The vertices in the order of ``G``.
    edges : tuple of tuple
        The edges in the order of ``G.edges``: ``(u, v)``, or ``(u, v, key)`` in a
        multigraph.
    tails, heads : ndarray of int, shape (m,)
        Numbers of the end vertices of each edge; read-only.
    delays : ndarray of int64, shape (m, d)
        The delays; read-only.
    multigraph : bool
        Whether parallel edges are told apart by keys.
    delay_name : str
        The attribute from which the delays were read.
    number : mapping
        Number of each vertex.
    vertex_data, edge_data : tuple of dict
        The attributes, in the order of `vertices` and `edges`; read-only.
    graph_data : dict
        The attributes of the graph; read-only.

    Raises
    ------
    DelayError
        If a delay is not an integer, too large, or of another dimension than the
        others, or if no edge has the attribute ``delay`` and it is not the default.
    TypeError
        If ``G`` is not a directed networkx graph.

    Notes
    -----
    Time and memory are linear in the size of ``G``.

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
    def __init__(self, G: Any, delay: str = "delay") -> None:
        if isinstance(G, DelayGraph):
            if delay in ("delay", G.delay_name):
                self.__dict__.update(G.__dict__)
                return
            G = G.to_networkx()
        if not isinstance(G, nx.Graph):
            raise TypeError(
                f"a delay graph is read from a networkx DiGraph or MultiDiGraph, not from "
                f"{type(G).__name__}"
            )
        if not G.is_directed():
            raise TypeError(
                "a delay graph is directed; write each edge once, with a delay, in a DiGraph or "
                "MultiDiGraph, and unrollgraph.with_reverses adds those that lead back"
            )
        edges, data = _read_edges(G)
        named = isinstance(delay, str) and delay != "delay"
        if named and edges and not any(delay in item for item in data):
            names = ", ".join(
                repr(name) for name in dict.fromkeys(k for item in data for k in item)
            )
            raise DelayError(
                f"no edge has the attribute {delay!r}, which delay= names; the attributes of the "
                f"edges are {names or 'none'}"
            )
        number = {vertex: k for k, vertex in enumerate(G)}
        delays = _read_delays([item.get(delay, _ABSENT) for item in data], edges)
        for item, vector in zip(data, delays.tolist(), strict=True):
            if isinstance(item.get(delay), list | np.ndarray):  # whose owner may change it
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

    # -- indices, made when first needed --------------------------------------

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
        """Number of each edge."""
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
        """Delay of each edge as users write it: an int, or a tuple of ints if d >= 2."""
        return tuple(self.as_times(self.delays))

    def as_times(self, vectors: NDArray[np.int64]) -> list[Any]:
        """Rows of an array of shape (k, d) as times: integers if d is 1, else tuples."""
        return vectors[:, 0].tolist() if self.dimension == 1 else [*map(tuple, vectors.tolist())]

    def time_of(self, edge: Edge) -> Any:
        """Delay of an edge as users write it."""
        return self.times[self.edge_number[edge]]

    def edge_values(self, name: Any, default: Any = None) -> list[Any]:
        """Value of an attribute of each edge, in the order of `edges`."""
        return [data.get(name, default) for data in self._edge_data]

    def vertex_values(self, name: Any, default: Any = None) -> list[Any]:
        """Value of an attribute of each vertex, in the order of `vertices`."""
        return [data.get(name, default) for data in self._vertex_data]

    # -- back to networkx ------------------------------------------------------

    @cached_property
    def base(self) -> Any:
        """The same as a frozen networkx graph, made once."""
        return frozen_graph(
            self.multigraph,
            self.graph_data,
            zip(self.vertices, self.vertex_data, strict=True),
            zip(self.edges, self.edge_data, strict=True),
        )

    def to_networkx(self) -> Any:
        """Return this graph as a networkx graph of its kind, with its attributes.

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

    def with_delays(self, delays: Sequence[Any]) -> Any:
        """Return a networkx copy in which edge k has the delay ``delays[k]``."""
        G = self.to_networkx()
        for edge, value in zip(self.edges, delays, strict=True):
            G.edges[edge][self.delay_name] = value
        return G

    # -- a frozen value --------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenError(f"a DelayGraph is frozen; {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenError(f"a DelayGraph is frozen; {name} cannot be deleted")

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


def as_delay_graph(G: Any, delay: str = "delay") -> DelayGraph:
    """Return ``G`` itself if it is a `DelayGraph` of those delays, else its reading."""
    if isinstance(G, DelayGraph) and delay in ("delay", G.delay_name):
        return G
    return DelayGraph(G, delay)


# Names under which other programs write delays; the first that fits is reported.
DELAY_LIKE = (
    *("delay", "delays", "timedelay", "lag", "lags", "timelag", "tau", "tojimage"),
    *("latency", "tokens", "initialtokens", "registers", "offset", "shift", "dt", "weight"),
)


def delay_like_attribute(graph: DelayGraph) -> str | None:
    """Name an edge attribute that looks like the delay of a graph in which no edge has a delay.

    Returns
    -------
    str or None
        The name; None if some edge has the attribute ``graph.delay_name``, or if no other
        attribute has both a name in `DELAY_LIKE` and integer values that are not all zero.
    """
    if any(graph.delay_name in data for data in graph._edge_data):
        return None
    rank = {name: k for k, name in enumerate(DELAY_LIKE)}
    names = {name for data in graph._edge_data for name in data if isinstance(name, str)}
    plain = {name: re.sub(r"[\W_]", "", name).lower() for name in sorted(names)}
    for name in sorted((n for n in plain if plain[n] in rank), key=lambda n: rank[plain[n]]):
        values = [data[name] for data in graph._edge_data if name in data]
        vectors = [_integers(value) for value in values]
        if all(v is not None for v in vectors) and any(x for v in vectors for x in v or ()):
            return name
    return None


def delay_hint(graph: DelayGraph) -> str:
    """End of a message about a graph whose delays may have another name; empty if they have not."""
    name = delay_like_attribute(graph)
    if name is None:
        return ""
    return (
        f"; no edge has the attribute {graph.delay_name!r}, so every delay is 0, but edges have "
        f"{name!r}: pass delay={name!r}, to io.read if the graph was read from a file"
    )


def _integers(value: Any) -> list[int] | None:
    """Integers of a value of an attribute, also written as text or floats; None if it is other."""
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
    """The delay graph of some vertices, and of some edges or else all between them, in order."""
    inner: Any = nx.MultiDiGraph() if graph.multigraph else nx.DiGraph()
    inner.add_nodes_from(graph.vertices[v] for v in vertices)
    for e in range(len(graph.edges)) if edges is None else edges:
        edge = graph.edges[e]
        if edge[0] in inner and edge[1] in inner:
            inner.add_edge(*edge, delay=graph.times[e])
    return DelayGraph(inner)


# -- reading delays ------------------------------------------------------------


def check_delay(value: Any, edge: Edge) -> tuple[int, ...]:
    """Return a delay as a tuple of Python ints, or say what is wrong with it."""
    parts = value if isinstance(value, tuple | list | np.ndarray) else (value,)
    try:
        vector = tuple(integer(part) for part in parts)
    except TypeError:
        vector = ()
    if not vector:
        raise DelayError(
            f"edge {show_edge(edge)} has the delay {value!r}, but a delay is an integer, or a "
            "tuple of integers for delays in Z^d; write one, or leave the attribute out for 0",
            edge=edge,
            value=value,
        )
    if any(abs(part) > LARGEST_DELAY for part in vector):
        raise DelayError(
            f"edge {show_edge(edge)} has the delay {value!r}, beyond the range of +-2**31 in "
            "which sums are guaranteed exact; use a larger unit of time",
            edge=edge,
            value=value,
        )
    return vector


def _read_edges(G: Any) -> tuple[tuple[Edge, ...], list[dict[Any, Any]]]:
    """Edges in the order of ``G.edges``, and copies of their attributes.

    Plain dicts of numbers and strings are of no concern to the garbage collector,
    and are frozen only when somebody asks for them.
    """
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
                f"edge {show_edge(edge)} has the delay {value!r}, of dimension {len(vector)}, "
                f"but edge {show_edge(edges[first or 0])} has one of dimension {dimension}; "
                "all delays of a graph need as many entries",
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
    """List vertices by name; `ValueError` for the first name that is no vertex of the graph."""
    if not isinstance(names, Iterable):
        raise TypeError(f"{what} is to name vertices, such as [{names!r}], but is {names!r}")
    listed = list(names)
    for name in listed:
        if not known(name, graph.number):
            raise ValueError(f"{what} names {name!r}, which is no vertex of the graph")
    return listed


def known(vertex: Any, vertices: Any) -> bool:
    """Whether something is one of the vertices; what cannot be hashed is none."""
    try:
        return vertex in vertices
    except TypeError:
        return False
