"""From a graph back to a base: rolling up a window, and the minimal base.

A graph whose vertices are the copies of some vertices at all times of a window, and whose
arcs look the same at all times, is a window of the unrolling of exactly one smallest delay
graph. That is how a time-indexed graph from elsewhere (a temporal causal graph, a
scheduled circuit, an unrolled network) comes to its base. The law is

    roll(unroll(G, window)) = G without the edges whose delay reaches across the window,

since of those no copy lies inside.

Programs for time series also write a *template*: each edge once, from its lagged cause to the
same present time. It holds the edges of the delay graph one by one.

Two vertices are alike if their in-edges can be paired so that each pair comes from
vertices that are alike, for ever backwards: if their in-trees are isomorphic. A network run
with equal inputs has equal values at them. Merging all that are alike gives the *minimal
base*, and the map onto it is the coarsest fibration of the graph. It is also the
coarsest equitable partition by in-edges, which colour refinement finds.

Since a graph and a fibration of it that is onto its vertices have the same in-trees, they have the
same minimal base: that of any covering of a connected graph, by one with vertices, is that of the
graph.

References
----------
P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002). A. Cardon and
M. Crochemore, Partitioning a graph in ``O(|A| log |V|)``, Theoretical Computer Science 19
(1982). J. E. Hopcroft, An n log n algorithm for minimizing states in a finite automaton
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

from unrollgraph.errors import NotPeriodicError, show_edge, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, check_delay
from unrollgraph.graph.digraph import color_refinement
from unrollgraph.graph.frozen import FrozenDict, frozen_graph, same_attributes, without_collection
from unrollgraph.graph.times import add, as_time, box
from unrollgraph.morphism.graph_map import GraphMap, arcs_at

_FIRST, _SECOND = operator.itemgetter(0), operator.itemgetter(1)


def roll(
    H: Any,
    *,
    node: Callable[[Any], Any] | None = None,
    time: Callable[[Any], Any] | None = None,
    delay: str = "delay",
) -> Any:
    """Roll a time-indexed graph up into the delay graph of which it is a window.

    Parameters
    ----------
    H : networkx.DiGraph or networkx.MultiDiGraph
        A graph each of whose vertices is a copy of something at a time: a window, with all
        copies at all times, or a template, with each edge once. In a template all arcs end at
        the same time, and each vertex of another time is the tail of an arc.
    node, time : callable, optional
        What a vertex is a copy of, and its time, an integer or a tuple of integers. By
        default the two halves of a pair ``(v, t)``.
    delay : str
        The edge attribute under which delays are written. If the arcs of ``H`` carry it, it
        must be the difference of their times.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        The smallest delay graph G with ``unroll(G, window)`` equal to ``H`` up to names, or
        the graph with the edges of a template. It is of the kind of ``H``, but a multigraph
        where two delays join the same pair. Vertices and arcs keep their attributes; keys are
        kept unless two edges between a pair would have the same. Without vertices it is empty.

    Raises
    ------
    NotPeriodicError
        If a copy of a vertex is missing, an arc is there at one time and not at another, or
        two copies differ in their attributes.
    DelayError
        If an arc of a template takes more time than a delay may be, 2**31.

    Notes
    -----
    O(size of H).

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
            f"what is rolled up is a finite directed networkx graph, not {show_kind(H)}; of "
            "an undirected graph take to_directed(), of a delay cover its base"
        )
    for read, what in ((node, "node"), (time, "time")):
        if read is not None and not callable(read):
            raise TypeError(f"{what}= is a function of a vertex, not {read!r}")
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
    """The vertices of a time-indexed graph.

    ``place`` says of which vertex each is a copy, and at what time; ``copy`` is its inverse.
    """

    place: dict[Any, tuple[Any, Any]]
    copy: dict[tuple[Any, Any], Any]
    vertices: list[Any]
    axes: tuple[range, ...]

    def times(self, step: Any = None) -> Iterator[Any]:
        """Iterate over the times; given a step, over those from which it stays inside."""
        parts = (0,) * len(self.axes) if step is None else step
        inside = [
            range(max(axis.start, axis.start - d), min(axis.stop, axis.stop - d))
            for axis, d in zip(self.axes, parts, strict=True)
        ]
        return iter(inside[0]) if len(inside) == 1 else box(inside)

    def count(self, step: Any) -> int:
        """Number of times from which a step stays inside."""
        return prod(len(a) - abs(d) for a, d in zip(self.axes, step, strict=True))


def _read(H: Any, node: Callable[[Any], Any], time: Callable[[Any], Any]) -> _Window:
    """Read what the vertices are copies of; no two may be the same copy."""
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
                f"the vertex {show_vertex(name)} has the time {moment!r}, but a time is "
                f"{wanted} here; say with time= how to read it",
                found=name,
            )
        if (vertex, when) in copy:
            raise NotPeriodicError(
                f"the vertices {show_vertex(copy[vertex, when])} and {show_vertex(name)} are both "
                f"the copy of {show_vertex(vertex)} at time {when}; a window has one of each",
                found=name,
            )
        place[name] = vertex, when
        copy[vertex, when] = name
    vertices = list(dict.fromkeys(vertex for vertex, _ in copy))
    columns = zip(*(when if dimension > 1 else (when,) for _, when in copy), strict=True)
    axes = tuple(range(min(c), max(c) + 1) for c in map(set, columns))
    return _Window(place, copy, vertices, axes)


def _is_template(H: Any, window: _Window) -> bool:
    """Whether all arcs end at one time, and each vertex of another time begins one."""
    ends = {window.place[v][1] for v, into in H.pred.items() if into}
    return len(ends) == 1 and all(
        H.succ[v] for v, (_, when) in window.place.items() if when not in ends
    )


def _check_complete(window: _Window) -> None:
    """Check that there is a copy of each vertex at each time."""
    vertices, copy = window.vertices, window.copy
    if len(copy) < len(vertices) * prod(axis.stop - axis.start for axis in window.axes):
        when, vertex = next(
            (when, v) for when in window.times() for v in vertices if (v, when) not in copy
        )
        axes = window.axes[0] if len(window.axes) == 1 else window.axes
        raise NotPeriodicError(
            f"the copy of {show_vertex(vertex)} at time {when} is missing; every vertex needs "
            f"one at each time of the window {axes}, unless each edge is there once and all end at "
            "the same time",
            missing=(vertex, when),
        )


def _half(name: Any, read: Callable[[Any], Any], what: str) -> Any:
    if (read is _FIRST or read is _SECOND) and not (isinstance(name, tuple) and len(name) == 2):
        raise NotPeriodicError(
            f"the vertex {show_vertex(name)} is no pair of a vertex and a time; say with {what}= "
            "how to read it",
            found=name,
        )
    half = read(name)
    try:
        hash(half)
    except TypeError:
        half = None
    if half is None:
        raise TypeError(
            f"{what}= sends {show_vertex(name)} to {read(name)!r}, which can be no vertex or time; "
            "return a string, a number or a tuple"
        )
    return half


_Arcs: TypeAlias = dict[Any, tuple[Any, Any]]  # by time: the arc and its attributes
_Edge: TypeAlias = tuple[Any, Any, tuple[int, ...], Any]  # tail, head, delay, key if any


def _edges(H: Any, window: _Window, delay: str) -> dict[_Edge, _Arcs]:
    """Sort the arcs by the edge of which they are copies: by the time of the tail of each."""
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
                f"the arc {show_edge(arc)} takes the time {step} but carries the {delay} "
                f"{given!r}; mend one of them, or name another attribute with delay=",
                found=arc,
            )
        found.setdefault((u, v, parts, *arc[2:]), {})[start] = arc, data
    return found


def _check_everywhere(window: _Window, edge: _Edge, copies: _Arcs) -> None:
    """An arc that is there at one time is there at all."""
    u, v, step, *key = edge
    if len(copies) == window.count(step):
        return
    start = next(start for start in window.times(step) if start not in copies)
    end = add(start, step if len(step) > 1 else step[0], 1)
    there, _ = next(iter(copies.values()))
    missing = (window.copy[u, start], window.copy[v, end], *key)
    raise NotPeriodicError(
        f"the arc {show_edge(there)} is there, but its shift {show_edge(missing)} is not; an edge "
        "needs an arc at every time at which both ends are in the window",
        found=there,
        missing=missing,
    )


def _rolled(H: Any, window: _Window, edges: dict[_Edge, _Arcs], delay: str) -> Any:
    """Write down the graph below."""
    pairs = {(edge[:2], edge[3:]) for edge in edges}
    simple = not H.is_multigraph() and len(pairs) == len(edges)
    G: Any = nx.DiGraph() if simple else nx.MultiDiGraph()
    G.graph.update(H.graph)
    copies: dict[Any, list[Any]] = {vertex: [] for vertex in window.vertices}
    for name, data in H.nodes(data=True):
        copies[window.place[name][0]].append((name, data))
    for vertex, found in copies.items():
        G.add_node(vertex)
        G.nodes[vertex].update(_agreed(found, show_vertex))
    ordered = _in_order(H, window, edges)
    for edge, new in zip(ordered, _named(ordered, simple=simple), strict=True):
        G.add_edge(*new)
        step = edge[2]
        own = [
            (arc, {name: value for name, value in data.items() if name != delay})
            for arc, data in edges[edge].values()
        ]
        G.edges[new].update(_agreed(own, show_edge))
        G.edges[new][delay] = step if len(step) > 1 else step[0]
    return G


def _named(edges: list[_Edge], *, simple: bool) -> list[tuple[Any, ...]]:
    """Name the edges below: by their keys, but for those whose key another has before."""
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
    """Edges in an order in which the arcs out of every vertex stand, if there is one.

    At the boundary some arcs are missing, so no vertex need have all; their orders are merged,
    and where they leave something open the vertex with most arcs is asked first.
    """
    of = {arc: edge for edge, copies in edges.items() for arc, _ in copies.values()}
    rows: dict[Any, list[list[_Edge]]] = {vertex: [] for vertex in window.vertices}
    for name in H:
        row = [of[arc] for arc in arcs_at(H, name, "out")]
        if row:
            rows[window.place[name][0]].append(row)
    return [edge for own in rows.values() for edge in _merged(own)]


def _merged(rows: list[list[_Edge]]) -> list[_Edge]:
    rows = sorted(rows, key=len, reverse=True)
    place = {edge: k for k, edge in enumerate(dict.fromkeys(e for row in rows for e in row))}
    before: nx.DiGraph[_Edge] = nx.DiGraph()
    before.add_nodes_from(place)
    before.add_edges_from(pair for row in rows for pair in pairwise(row))
    try:
        return list(nx.lexicographical_topological_sort(before, key=place.__getitem__))
    except nx.NetworkXUnfeasible:  # they stand in several orders
        return list(place)


def _agreed(copies: list[tuple[Any, Any]], show: Callable[[Any], str]) -> Any:
    """The attributes that all copies have."""
    (first, data), *others = copies
    for other, own in others:
        if not same_attributes(data, own):
            raise NotPeriodicError(
                f"{show(first)} and {show(other)} are copies of one thing, but their attributes "
                f"differ: {dict(data)!r} and {dict(own)!r}; make them agree, or leave them out",
                found=first,
                missing=other,
            )
    return data


IntArray = NDArray[np.int64]


@without_collection
def minimal_base(G: Any, *, colour: str | None = None, delay: str = "delay") -> GraphMap:
    """Merge all vertices that look alike, as far back as one can see.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph. Delays play no part unless ``colour`` names them.
    colour : str, optional
        An edge attribute by which in-edges are told apart; its values must be hashable. An
        edge without it has the colour None, or the delay 0.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    GraphMap
        The coarsest fibration, from ``G`` onto a frozen `MultiDiGraph`. A vertex of the base is
        called by the first of those above it, and has a copy of each of their in-edges,
        with keys 0, 1, ... between a pair and the colour as attribute.

    Raises
    ------
    TypeError
        If a colour cannot be hashed.

    Notes
    -----
    O(m log n) steps, and sorting. Plan: begin with one class, and split classes by how many
    edges of each colour come from each class, until nothing splits. When a class falls apart,
    all parts but the largest have to be counted anew, since what comes from the largest is
    then known by subtraction (Hopcroft); so an edge is looked at once for each time that
    the class of its tail is at least halved.

    References
    ----------
    P. Boldi and S. Vigna, Fibrations of graphs, Discrete Mathematics 243 (2002).

    Examples
    --------
    In a ring all vertices look alike. A path shows how far its ends are.

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
    colours = _colours(graph, colour)
    numbers: dict[Any, int] = {}
    kinds = np.array([numbers.setdefault(one, len(numbers)) for one in colours], dtype=np.int64)
    one_class = np.zeros(len(graph.vertices), dtype=np.int64)
    block = color_refinement(graph.tails, graph.heads, kinds, one_class)
    _, first = np.unique(block, return_index=True)
    names = [graph.vertices[v] for v in first[block].tolist()]  # of the class of each vertex
    keys = _keys(graph, block, kinds)
    images = [
        (names[u], names[v], key)
        for u, v, key in zip(graph.tails.tolist(), graph.heads.tolist(), keys, strict=True)
    ]
    data = [FrozenDict() if colour is None else FrozenDict({colour: one}) for one in numbers]
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
    """Number the edges from one class into a vertex, in the same order of kinds everywhere."""
    origin = block[graph.tails]
    order = np.lexsort((kinds, origin, graph.heads))
    heads, origin = graph.heads[order], origin[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(heads) != 0) | (np.diff(origin) != 0)
    place = np.arange(len(order))
    keys = np.empty(len(order), dtype=np.int64)
    keys[order] = place - np.maximum.accumulate(np.where(fresh, place, 0))
    return keys.tolist()


def _colours(graph: DelayGraph, name: str | None) -> list[Any]:
    if name is None:
        return [None] * len(graph.edges)
    found = list(graph.times) if name == graph.delay_name else graph.edge_values(name)
    for edge, value in zip(graph.edges, found, strict=True):
        try:
            hash(value)
        except TypeError:
            raise TypeError(
                f"edge {show_edge(edge)} has the {name} {value!r}, which cannot be hashed, so it "
                "cannot tell edges apart; use a tuple, a number or a string"
            ) from None
    return found
