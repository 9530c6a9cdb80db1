"""Base graphs of given graphs: the delay graph of a window, and the minimal base.

`roll` is the inverse of `unroll`. If the vertices of a graph are the copies of some vertices at all
times of a window, and its edges are the same at all times, it is the window of exactly one smallest
delay graph. So `roll` converts a time-indexed graph of another program (a temporal causal graph, a
scheduled circuit, an unrolled network) to a delay graph. ``roll(unroll(G, window))`` is G without
the edges that have no copy in the window. Programs for time series also write a *template*: each
edge of the delay graph once, from its lagged tail to one common present time.

Two vertices are *equivalent* if their in-trees are isomorphic. Then their in-edges can be paired
such that the tails of each pair are equivalent, and a network with equal inputs has equal values at
both. Merging all equivalent vertices yields the *minimal base*. The map to it is the coarsest
fibration of the graph, and its fibres are the coarsest equitable partition by in-edges, which color
refinement computes with the method of Hopcroft. A graph and its image under a fibration onto all
vertices have the same in-trees, hence the same minimal base; an example is a nonempty covering of a
connected graph.

References
----------
A. Cardon and M. Crochemore, Partitioning a graph in ``O(|A| log |V|)``, Theoretical Computer
Science 19 (1982). J. E. Hopcroft, An n log n algorithm for minimizing states in a finite automaton
(1971).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, pairwise
from math import prod
from typing import Any, TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import NotPeriodicError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph, check_delay
from unrollgraph.graph.digraph import color_refinement
from unrollgraph.graph.frozen import FrozenDict, frozen_graph, same_attributes, without_collection
from unrollgraph.graph.times import add, as_time, box
from unrollgraph.morphism.graph_map import GraphMap, arcs_at

_FIRST, _SECOND = operator.itemgetter(0), operator.itemgetter(1)


def roll(
    H: nx.DiGraph[Any],
    *,
    node: Callable[[Any], Any] | None = None,
    time: Callable[[Any], Any] | None = None,
    delay: str = "delay",
) -> nx.DiGraph[Any]:
    """Convert a time-indexed graph to its delay graph; the inverse of `unroll`.

    Parameters
    ----------
    H : networkx.DiGraph or networkx.MultiDiGraph
        A window, which has a copy of each vertex at each time, or a template, which has each edge
        once. In a template all edges end at the same time, and each vertex at another time has an
        out-edge.
    node, time : callable, optional
        Functions that return the base vertex of a vertex, and its time, an integer or a tuple of
        integers. Default: the entries of a pair ``(v, t)``.
    delay : str
        Edge attribute of the delays in the result. An edge of ``H`` that has it must have the
        difference of its times as its value.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        The smallest delay graph G with ``unroll(G, window)`` equal to ``H`` up to names, or the
        graph with the edges of the template. It is a multigraph if ``H`` is one, or if edges of
        different delays join the same vertices. Attributes are kept, and keys too, except
        duplicates between the same vertices. An empty ``H`` returns an empty graph. Cost:
        O(size of H).

    Raises
    ------
    NotPeriodicError
        If a time is invalid, a copy of a vertex or an edge is missing, two vertices are the same
        copy, or copies differ in their attributes.
    DelayError
        If the absolute delay of an edge of a template is more than 2**31.
    TypeError
        If ``H`` is not a directed networkx graph, or ``node`` or ``time`` is not callable or
        returns None or an unhashable value.

    Examples
    --------
    Names with a lag, as in tables of time series.

    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> H = nx.DiGraph([("x@0", "y@1"), ("x@1", "y@2"), ("y@0", "y@1"), ("y@1", "y@2")])
    >>> H.add_node("x@2")
    >>> G = ug.roll(H, node=lambda s: s[:-2], time=lambda s: int(s[-1]))
    >>> list(G.edges(data="delay"))
    [('x', 'y', 1), ('y', 'y', 1)]

    A template, with each edge once.

    >>> T = nx.DiGraph([(("x", -2), ("x", 0)), (("x", -1), ("y", 0)), (("y", 0), ("z", 0))])
    >>> list(ug.roll(T).edges(data="delay"))
    [('x', 'x', 2), ('x', 'y', 1), ('y', 'z', 0)]
    """
    if not isinstance(H, nx.DiGraph):
        raise TypeError(
            f"roll needs a finite directed networkx graph, not {show_kind(H)}; convert an "
            "undirected graph with to_directed(), and use the base of a delay cover"
        )
    for read, what in ((node, "node"), (time, "time")):
        if read is not None and not callable(read):
            raise TypeError(f"{what} must be a callable that takes a vertex, not {read!r}")
    window = _read(H, node or _FIRST, time or _SECOND)
    edges = _edges(H, window, delay)
    if _is_template(H, window):
        for edge, copies in edges.items():
            check_delay(edge[2], next(iter(copies.values()))[0])
    else:
        _check_complete(window)
        for edge, copies in edges.items():
            _check_everywhere(window, edge, copies)
    return _rolled(H, window, edges, delay)


@dataclass(frozen=True)
class _Window:
    """Vertices of a time-indexed graph, to and from pairs (base vertex, time)."""

    place: dict[Any, tuple[Any, Any]]
    copy: dict[tuple[Any, Any], Any]
    vertices: list[Any]
    axes: tuple[range, ...]

    def times(self, step: Any = None) -> Iterator[Any]:
        """Iterate over the times, or over those from which ``step`` stays in the window."""
        parts = (0,) * len(self.axes) if step is None else step
        inside = [
            range(max(axis.start, axis.start - d), min(axis.stop, axis.stop - d))
            for axis, d in zip(self.axes, parts, strict=True)
        ]
        return iter(inside[0]) if len(inside) == 1 else box(inside)

    def count(self, step: Any) -> int:
        """Number of times from which ``step`` stays in the window."""
        return prod(len(a) - abs(d) for a, d in zip(self.axes, step, strict=True))


def _read(H: Any, node: Callable[[Any], Any], time: Callable[[Any], Any]) -> _Window:
    """Read the base vertex and the time of every vertex; raise if two are equal."""
    place: dict[Any, tuple[Any, Any]] = {}
    copy: dict[tuple[Any, Any], Any] = {}
    dimension = 0
    for name in H:
        vertex, moment = _half(name, node, "node"), _half(name, time, "time")
        dimension = dimension or (len(moment) if isinstance(moment, tuple) else 1)
        when = as_time(moment, dimension) if dimension else None
        if when is None:
            wanted = "an integer" if dimension < 2 else f"a tuple of {dimension} integers"
            raise NotPeriodicError(
                f"invalid time {moment!r} of the vertex {name!r}: a time must be {wanted} here; "
                "pass a function that returns it as time=",
                found=name,
            )
        if (vertex, when) in copy:
            raise NotPeriodicError(
                f"the vertices {copy[vertex, when]!r} and {name!r} are both the copy of {vertex!r} "
                f"at time {when}; a vertex must have one copy at each time",
                found=name,
            )
        place[name] = vertex, when
        copy[vertex, when] = name
    vertices = list(dict.fromkeys(vertex for vertex, _ in copy))
    columns = zip(*(when if dimension > 1 else (when,) for _, when in copy), strict=True)
    axes = tuple(range(min(c), max(c) + 1) for c in map(set, columns))
    return _Window(place, copy, vertices, axes)


def _is_template(H: Any, window: _Window) -> bool:
    """Whether all edges end at one time, and vertices at other times have out-edges."""
    ends = {window.place[v][1] for v, into in H.pred.items() if into}
    return len(ends) == 1 and all(
        H.succ[v] for v, (_, when) in window.place.items() if when not in ends
    )


def _check_complete(window: _Window) -> None:
    """Check that each base vertex has a copy at each time."""
    vertices, copy = window.vertices, window.copy
    if len(copy) < len(vertices) * prod(axis.stop - axis.start for axis in window.axes):
        when, vertex = next(
            (when, v) for when in window.times() for v in vertices if (v, when) not in copy
        )
        axes = window.axes[0] if len(window.axes) == 1 else window.axes
        raise NotPeriodicError(
            f"the copy of {vertex!r} at time {when} is missing; every vertex needs one at each "
            f"time of the window {axes}, except in a template, where each edge occurs once and all "
            "end at the same time",
            missing=(vertex, when),
        )


def _half(name: Any, read: Callable[[Any], Any], what: str) -> Any:
    if (read is _FIRST or read is _SECOND) and not (isinstance(name, tuple) and len(name) == 2):
        raise NotPeriodicError(
            f"the vertex {name!r} is not a pair of a base vertex and a time; pass a function that "
            f"reads it as {what}=",
            found=name,
        )
    half = read(name)
    try:
        hash(half)
    except TypeError:
        half = None
    if half is None:
        raise TypeError(
            f"{what} returns {read(name)!r} for the vertex {name!r}; the value must be hashable "
            "and not None, such as a string, a number or a tuple"
        )
    return half


_Arcs: TypeAlias = dict[Any, tuple[Any, Any]]  # time of the tail -> edge and attributes
_Edge: TypeAlias = tuple[Any, Any, tuple[int, ...], Any]  # tail, head, delay, key if any


def _edges(H: Any, window: _Window, delay: str) -> dict[_Edge, _Arcs]:
    """Group the edges by base edge, and index each group by the time of the tail."""
    found: dict[_Edge, _Arcs] = {}
    everything = H.edges(keys=True, data=True) if H.is_multigraph() else H.edges(data=True)
    for *ends, data in everything:
        arc = tuple(ends)
        (u, start), (v, end) = window.place[arc[0]], window.place[arc[1]]
        step = add(end, start, -1)
        parts = step if isinstance(step, tuple) else (step,)
        given = data.get(delay)
        if given is not None and check_delay(given, arc) != parts:
            raise NotPeriodicError(
                f"the times of the edge {arc!r} differ by {step}, but its attribute {delay!r} is "
                f"{given!r}; correct one of them, or use another attribute with delay=",
                found=arc,
            )
        found.setdefault((u, v, parts, *arc[2:]), {})[start] = arc, data
    return found


def _check_everywhere(window: _Window, edge: _Edge, copies: _Arcs) -> None:
    """Check that a base edge has a copy at each time for which both ends exist."""
    u, v, step, *key = edge
    if len(copies) == window.count(step):
        return
    start = next(start for start in window.times(step) if start not in copies)
    end = add(start, step if len(step) > 1 else step[0], 1)
    there, _ = next(iter(copies.values()))
    missing = (window.copy[u, start], window.copy[v, end], *key)
    raise NotPeriodicError(
        f"the edge {there!r} exists, but its shift {missing!r} does not; an edge needs a copy at "
        "every time for which both ends are in the window",
        found=there,
        missing=missing,
    )


def _rolled(H: Any, window: _Window, edges: dict[_Edge, _Arcs], delay: str) -> nx.DiGraph[Any]:
    """Build the delay graph."""
    pairs = {(edge[:2], edge[3:]) for edge in edges}
    simple = not H.is_multigraph() and len(pairs) == len(edges)
    G: nx.DiGraph[Any] = nx.DiGraph() if simple else nx.MultiDiGraph()
    G.graph.update(H.graph)
    copies: dict[Any, list[Any]] = {vertex: [] for vertex in window.vertices}
    for name, data in H.nodes(data=True):
        copies[window.place[name][0]].append((name, data))
    for vertex, found in copies.items():
        G.add_node(vertex)
        G.nodes[vertex].update(_agreed(found, "vertex"))
    ordered = _in_order(H, window, edges)
    for edge, new in zip(ordered, _named(ordered, simple=simple), strict=True):
        G.add_edge(*new)
        step = edge[2]
        own = [
            (arc, {name: value for name, value in data.items() if name != delay})
            for arc, data in edges[edge].values()
        ]
        G.edges[new].update(_agreed(own, "edge"))
        G.edges[new][delay] = step if len(step) > 1 else step[0]
    return G


def _named(edges: list[_Edge], *, simple: bool) -> list[tuple[Any, ...]]:
    """Name the base edges by their keys, except duplicates, which get new keys."""
    if simple:
        return [(u, v) for u, v, *_ in edges]
    taken: dict[Any, set[Any]] = {}
    first: set[_Edge] = set()
    for edge in edges:
        u, v, _, *key = edge
        if key and key[0] not in taken.setdefault((u, v), set()):
            taken[u, v].add(key[0])
            first.add(edge)
    found = []
    for edge in edges:
        u, v, _, *key = edge
        if edge in first:
            found.append((u, v, key[0]))
            continue
        held = taken.setdefault((u, v), set())
        fresh = next(k for k in count() if k not in held)
        held.add(fresh)
        found.append((u, v, fresh))
    return found


def _in_order(H: Any, window: _Window, edges: dict[_Edge, _Arcs]) -> list[_Edge]:
    """Order edges as the out-edges of every vertex; merge the orders of its copies."""
    of = {arc: edge for edge, copies in edges.items() for arc, _ in copies.values()}
    rows: dict[Any, list[list[_Edge]]] = {vertex: [] for vertex in window.vertices}
    for name in H:
        row = [of[arc] for arc in arcs_at(H, name, "out")]
        if row:
            rows[window.place[name][0]].append(row)
    return [edge for own in rows.values() for edge in _merged(own)]


def _merged(rows: list[list[_Edge]]) -> list[_Edge]:
    rows = sorted(rows, key=len, reverse=True)  # copies at the boundary lack edges
    place = {edge: k for k, edge in enumerate(dict.fromkeys(e for row in rows for e in row))}
    before: nx.DiGraph[_Edge] = nx.DiGraph()
    before.add_nodes_from(place)
    before.add_edges_from(pair for row in rows for pair in pairwise(row))
    try:
        return list(nx.lexicographical_topological_sort(before, key=place.__getitem__))
    except nx.NetworkXUnfeasible:  # the copies have conflicting orders
        return list(place)


def _agreed(copies: list[tuple[Any, Any]], what: str) -> Any:
    """Return the attributes that all copies have; raise if they differ."""
    (first, data), *others = copies
    for other, own in others:
        if not same_attributes(data, own):
            raise NotPeriodicError(
                f"{first!r} and {other!r} are copies of the same {what}, but their attributes "
                f"differ: {dict(data)!r} and {dict(own)!r}; make them equal, or remove them",
                found=first,
                missing=other,
            )
    return data


IntArray = NDArray[np.int64]


@without_collection
def minimal_base(G: GraphLike, *, color: str | None = None, delay: str = "delay") -> GraphMap:
    """Merge all vertices that have isomorphic in-trees.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    color : str, optional
        Edge attribute that distinguishes in-edges; its values must be hashable. Without the
        attribute an edge has the color None, or delay 0 if ``color`` is the delay attribute.
        Default: all edges have the same color; delays are not used.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    GraphMap
        The coarsest fibration of ``G``, onto a frozen `MultiDiGraph`. A vertex of the base graph is
        the first vertex of its fibre and has copies of the in-edges of this vertex, with keys 0, 1,
        ... between two vertices and the color as attribute. Cost: O(m log n) and sorting, by color
        refinement: after a split, all parts of a class but the largest are counted again.

    Raises
    ------
    TypeError
        If a color is not hashable.

    References
    ----------
    P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002).

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> ug.minimal_base(nx.cycle_graph(6, create_using=nx.DiGraph)).base.edges
    OutMultiEdgeView([(0, 0, 0)])
    >>> p = ug.minimal_base(nx.path_graph(4).to_directed())
    >>> [p.fibre(v) for v in p.base]
    [(0, 3), (1, 2)]
    >>> ug.is_fibration(p)
    True
    """
    graph = as_delay_graph(G, delay)
    colors = _colors(graph, color)
    numbers: dict[Any, int] = {}
    kinds = np.array([numbers.setdefault(one, len(numbers)) for one in colors], dtype=np.int64)
    one_class = np.zeros(len(graph.vertices), dtype=np.int64)
    block = color_refinement(graph.tails, graph.heads, kinds, one_class)
    _, first = np.unique(block, return_index=True)
    names = [
        graph.vertices[v] for v in first[block].tolist()
    ]  # the name of the class of each vertex
    keys = _keys(graph, block, kinds)
    images = [
        (names[u], names[v], key)
        for u, v, key in zip(graph.tails.tolist(), graph.heads.tolist(), keys, strict=True)
    ]
    data = [FrozenDict() if color is None else FrozenDict({color: one}) for one in numbers]
    base = frozen_graph(
        True,
        FrozenDict(),
        [(graph.vertices[v], FrozenDict()) for v in sorted(first.tolist())],
        (
            (images[e], data[kinds[e]])
            for e in np.flatnonzero(first[block][graph.heads] == graph.heads).tolist()
        ),
    )
    nodes = dict(zip(graph.vertices, names, strict=True))
    total = graph.base if isinstance(G, DelayGraph) else G
    return GraphMap(total, base, nodes, dict(zip(graph.edges, images, strict=True)))


def _keys(graph: DelayGraph, block: IntArray, kinds: IntArray) -> list[int]:
    """Keys of the in-edges of each vertex: numbered by color from each class."""
    origin = block[graph.tails]
    order = np.lexsort((kinds, origin, graph.heads))
    heads, origin = graph.heads[order], origin[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(heads) != 0) | (np.diff(origin) != 0)
    place = np.arange(len(order))
    keys = np.empty(len(order), dtype=np.int64)
    keys[order] = place - np.maximum.accumulate(np.where(fresh, place, 0))
    return keys.tolist()


def _colors(graph: DelayGraph, name: str | None) -> list[Any]:
    if name is None:
        return [None] * len(graph.edges)
    found = list(graph.times) if name == graph.delay_name else graph.edge_values(name)
    for edge, value in zip(graph.edges, found, strict=True):
        try:
            hash(value)
        except TypeError:
            raise TypeError(
                f"invalid color {value!r} of edge {edge!r}: values of the attribute {name!r} must "
                "be hashable; use a tuple, a number or a string"
            ) from None
    return found
