"""When two delay graphs have the same cover, up to a symmetry of the base.

An isomorphism of the covers of (G, d) and (H, e) that commutes with shifts in time has the form
``(v, t) -> (f(v), t + r(v))``, where f is an isomorphism of the graphs that takes edges to edges
with ``e(f(a)) = d(a) + r(head) - r(tail)``: G carried over by f is retimed into H. So covers are
compared by the symmetries of their bases, and for each of them by a retiming.

Parallel edges may be taken to each other in any order. Their delays, moved by the same
``r(head) - r(tail)``, must be those of the other graph, in whatever order; so their sums tell the
difference, and it need not be guessed.

References
----------
J. L. Gross and T. W. Tucker, Topological Graph Theory (Wiley, 1987), section 2.5. C. E. Leiserson
and J. B. Saxe, Retiming synchronous circuitry, Algorithmica 6 (1991).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.errors import LiftError, NotARetimingError
from unrollgraph.graph.cycle_space import spanning_forest
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.graph.digraph import color_refinement
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import check_shift

REFUSAL = "no isomorphism of the covers commutes with shifts in time"
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class CoverIsomorphism:
    """An isomorphism of delay covers, ``(v, t) -> (nodes[v], t + shifts[v])``.

    Call it with a vertex of the one to find that of the other.

    Attributes
    ----------
    nodes, edges : mapping
        Vertices and edges of the second base by those of the first.
    shifts : mapping
        The shift in time of each vertex of the first base, an int or a tuple of ints.
    """

    nodes: Mapping[Any, Any]
    edges: Mapping[Any, Any]
    shifts: Mapping[Any, Any]

    def __call__(self, node: Any) -> Any:
        """Image of a vertex ``(v, t)``."""
        if not (isinstance(node, tuple) and len(node) == 2 and known(node[0], self.nodes)):
            raise LiftError(f"{node!r} is no vertex of the cover", node=node)
        vertex, time = node
        shift = self.shifts[vertex]
        vector = shift if isinstance(shift, tuple) else (shift,)
        try:
            moved = [
                a + b for a, b in zip(check_shift(time, vertex, len(vector)), vector, strict=True)
            ]
        except ValueError:
            raise LiftError(f"{node!r} is no vertex of the cover", node=node) from None
        return self.nodes[vertex], tuple(moved) if isinstance(shift, tuple) else moved[0]


def isomorphic_covers(G: Any, H: Any, *, delay: str = "delay") -> CoverIsomorphism:
    """Find an isomorphism of two delay covers that commutes with shifts in time.

    Parameters
    ----------
    G, H : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        Two delay graphs, of whatever names.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    CoverIsomorphism
        The first that is found.

    Raises
    ------
    NotARetimingError
        If there is none.

    Notes
    -----
    Component by component, over the isomorphisms of the graphs, which networkx finds by VF2,
    O(n + m log m) each, in exact integers. What no retiming changes tells vertices and edges apart
    from the beginning: delays of loops, differences between parallel edges, totals of opposite
    ones, and what of these is near a vertex. There may be exponentially many all the same.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = ug.gallery.seed_network()
    >>> H = nx.relabel_nodes(ug.retime(G, {"B": 2}), {"A": "first", "B": "second"})
    >>> same = ug.isomorphic_covers(G, H)
    >>> same(("B", 5)), same.edges["A", "B"]
    (('second', 7), ('first', 'second'))
    >>> H.edges["C", "first"]["delay"] = 4
    >>> ug.isomorphic_covers(G, H)
    Traceback (most recent call last):
    ...
    unrollgraph.errors.NotARetimingError: no isomorphism of the covers commutes with shifts in ...
    """
    one, other = as_delay_graph(G, delay), as_delay_graph(H, delay)
    if one.dimension != other.dimension:
        raise NotARetimingError(
            f"{REFUSAL}: delays are in Z^{one.dimension} in the one graph and in "
            f"Z^{other.dimension} in the other"
        )
    above, below = _bundles(one), _bundles(other)
    first, second = _skeleton(one, above), _skeleton(other, below)
    _colour([first, second])
    here, there = (sorted(colour for _, colour in g.nodes(data="colour")) for g in (first, second))
    if here != there:
        raise NotARetimingError(f"{REFUSAL}: {_why(0)}")
    free: dict[Any, list[Any]] = {}
    for colours, image in _parts(second):
        free.setdefault(colours, []).append(image)
    nodes: dict[Any, Any] = {}
    shifts: dict[Any, Any] = {}
    tried = 0
    for colours, part in _parts(first):
        images = free.get(colours, [])
        # those that are alike to a third are alike: the first that is found will do
        for k, image in enumerate(images):
            more, moved, count = _alike(part, image, above, below)
            tried += count
            if more:
                nodes.update(more)
                shifts.update(moved)
                del images[k]
                break
        else:
            raise NotARetimingError(f"{REFUSAL}: {_why(tried)}")
    return CoverIsomorphism(
        FrozenDict({v: nodes[v] for v in one.vertices}),
        FrozenDict(_matched(one, nodes, above, below)),
        FrozenDict({v: shifts[v] if one.dimension > 1 else shifts[v][0] for v in one.vertices}),
    )


def _why(tried: int) -> str:
    count = "is 1" if tried == 1 else f"are {tried}"
    return (
        f"no isomorphism of the graphs, of which there {count} to be tried, carries the delays of "
        "the one, retimed, to those of the other"
        if tried
        else "no isomorphism of the graphs keeps what no retiming changes: delays of loops, "
        "differences between parallel edges, totals of opposite ones"
    )


def _bundles(graph: DelayGraph) -> dict[Pair, list[tuple[tuple[int, ...], Any]]]:
    """The edges from one vertex to another, with their delays, in the order of these."""
    found: dict[Pair, list[tuple[tuple[int, ...], Any]]] = {}
    for edge, d in zip(graph.edges, graph.delays.tolist(), strict=True):
        found.setdefault(edge[:2], []).append((tuple(d), edge))
    for edges in found.values():
        edges.sort(key=lambda pair: pair[0])
    return found


def _skeleton(graph: DelayGraph, bundles: Any) -> Any:
    """A simple graph of numbers: at vertices the delays of loops; at edges differences and totals.

    Retiming moves the delays of all edges from u to v by the same, so it leaves the differences
    between them; and by the opposite those from v to u, so it leaves the sum of any two.
    """
    skeleton: nx.DiGraph[Any] = nx.DiGraph(dimension=graph.dimension)
    skeleton.add_nodes_from((k, {"name": v, "colour": ()}) for v, k in graph.number.items())
    for (u, v), own in bundles.items():
        least = own[0][0]
        if u == v:
            skeleton.nodes[graph.number[v]]["colour"] = tuple(d for d, _ in own)
            continue
        apart = tuple(tuple(a - b for a, b in zip(d, least, strict=True)) for d, _ in own)
        back = bundles.get((v, u), ())
        around = back and tuple(a + b for a, b in zip(least, back[0][0], strict=True))
        skeleton.add_edge(graph.number[u], graph.number[v], kind=(apart, around))
    return skeleton


def _parts(skeleton: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Its weak components, each with the colours of its vertices."""
    for part in nx.weakly_connected_components(skeleton):
        colours = sorted(skeleton.nodes[v]["colour"] for v in part)
        yield tuple(colours), skeleton.subgraph(part).copy()


def _alike(part: Any, image: Any, above: Any, below: Any) -> tuple[Any, Any, int]:
    """Images and shifts of the vertices of a component, none if there are none; and trials."""
    tried = 0
    for match in _isomorphisms(part, image):
        tried += 1
        name = image.nodes
        nodes = {part.nodes[v]["name"]: name[match[v]]["name"] for v in part}
        shifts = _shifts(part, nodes, above, below)
        if shifts is not None:
            return nodes, shifts, tried
    return {}, {}, tried


def _isomorphisms(part: Any, image: Any) -> Iterator[Mapping[int, int]]:
    """Isomorphisms of two components whose vertices have the same colours."""
    place = {colour: w for w, colour in image.nodes(data="colour")}
    if len(place) == len(image):  # colours tell all of them apart, and what is near them
        yield {v: place[colour] for v, colour in part.nodes(data="colour")}
        return

    ways, others = _ways(part), _ways(image)
    if ways is not None and others is not None:
        start = min(part)
        for goal in image:
            if image.nodes[goal]["colour"] == part.nodes[start]["colour"]:
                yield from _carried(ways, others, start, goal)
        return

    def alike(what: str) -> Any:
        return lambda a, b: a[what] == b[what]

    limit = sys.getrecursionlimit()
    matcher = nx.isomorphism.DiGraphMatcher(part, image, alike("colour"), alike("kind"))
    try:
        yield from matcher.isomorphisms_iter()
    finally:
        sys.setrecursionlimit(limit)  # which the matcher has raised


def _ways(part: Any) -> dict[int, dict[Any, int]] | None:
    """Neighbors of each vertex by side, kind and color; None if these do not tell them apart."""
    ways: dict[int, dict[Any, int]] = {}
    for v in part:
        own = ways[v] = {}
        for side, row in enumerate((part.succ[v], part.pred[v])):
            own |= {(side, data["kind"], part.nodes[w]["colour"]): w for w, data in row.items()}
        if len(own) < len(part.succ[v]) + len(part.pred[v]):
            return None
    return ways


def _carried(
    ways: dict[int, dict[Any, int]], others: dict[int, dict[Any, int]], start: int, goal: int
) -> Iterator[Mapping[int, int]]:
    """The isomorphism that sends one vertex to another, if there is one: each step is forced."""
    match, todo = {start: goal}, [start]
    while todo:
        v = todo.pop()
        own, other = ways[v], others[match[v]]
        if own.keys() != other.keys():
            return
        for way, w in own.items():
            if w not in match:
                match[w] = other[way]
                todo.append(w)
            elif match[w] != other[way]:
                return
    if len(set(match.values())) == len(others):
        yield match


def _colour(graphs: list[Any]) -> None:
    """Refine the colours of vertices by those of their neighbours, until nothing is told apart."""
    union = nx.disjoint_union_all(graphs)
    given: dict[Any, int] = {}
    colours = [given.setdefault(c, len(given)) for _, c in union.nodes(data="colour")]
    names: dict[Any, int] = {}
    rows = [(u, v, names.setdefault(d["kind"], len(names))) for u, v, d in union.edges(data=True)]
    tails, heads, kinds = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    # an edge is seen from its head, and by another kind from its tail
    found = color_refinement(
        np.append(tails, heads),
        np.append(heads, tails),
        np.append(2 * kinds, 2 * kinds + 1),
        np.array(colours, dtype=np.int64),
    )
    nodes = [data for graph in graphs for _, data in graph.nodes(data=True)]
    for data, own in zip(nodes, found.tolist(), strict=True):
        data["colour"] = own


def _shifts(part: Any, nodes: Mapping[Any, Any], above: Any, below: Any) -> dict[Any, Any] | None:
    """The shift of each vertex of a component, or None if delays do not fit."""
    number = {v: k for k, v in enumerate(nodes)}
    pairs, gains = [], []
    for k, m in part.edges:
        u, v = part.nodes[k]["name"], part.nodes[m]["name"]
        own, theirs = above[u, v], below[nodes[u], nodes[v]]
        columns = [zip(*(d for d, _ in edges), strict=True) for edges in (own, theirs)]
        gain = [(sum(b) - sum(a)) // len(own) for a, b in zip(*columns, strict=True)]
        moved = [tuple(a + g for a, g in zip(d, gain, strict=True)) for d, _ in own]
        if moved != [d for d, _ in theirs]:
            return None
        pairs.append((number[u], number[v]))
        gains.append(gain)
    tails, heads = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    weights = np.array(gains, dtype=np.int64).reshape(-1, part.graph["dimension"])
    forest = spanning_forest(len(nodes), tails, heads)
    if forest.totals(weights).any():
        return None
    return dict(zip(nodes, map(tuple, forest.potentials(weights).tolist()), strict=True))


def _matched(one: DelayGraph, nodes: Mapping[Any, Any], above: Any, below: Any) -> dict[Any, Any]:
    """The edge of the other graph for each edge, parallel ones in the order of their delays."""
    found = {
        edge: image
        for (u, v), own in above.items()
        for (_, edge), (_, image) in zip(own, below[nodes[u], nodes[v]], strict=True)
    }
    return {edge: found[edge] for edge in one.edges}
