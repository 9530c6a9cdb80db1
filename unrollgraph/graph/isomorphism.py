"""Isomorphisms of delay covers that commute with shifts in time.

Such an isomorphism of the covers of (G, d) and (H, e) has the form
``(v, t) -> (f(v), t + r(v))``, where f is an isomorphism from G to H with
``e(f(a)) = d(a) + r(head) - r(tail)`` for every edge a: H is a retiming of the image of G. The
algorithm enumerates the isomorphisms f and tests each for a retiming. Parallel edges may be
permuted; their delays change by ``r(head) - r(tail)``, which their sums in G and H determine.

References
----------
J. L. Gross, T. W. Tucker, Topological Graph Theory (1987), section 2.5. C. E. Leiserson,
J. B. Saxe, Retiming synchronous circuitry, Algorithmica 6 (1991).
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
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph, known
from unrollgraph.graph.digraph import color_refinement
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import check_shift

REFUSAL = "no isomorphism of the covers commutes with shifts in time"
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class CoverIsomorphism:
    """An isomorphism of delay covers, callable: ``(v, t) -> (nodes[v], t + shifts[v])``.

    Attributes
    ----------
    nodes, edges : mapping
        Vertex or edge of the second base graph for each of the first.
    shifts : mapping
        Shift in time of each vertex of the first base graph, an int or a tuple of ints.
    """

    nodes: Mapping[Any, Any]
    edges: Mapping[Any, Any]
    shifts: Mapping[Any, Any]

    def __call__(self, node: Any) -> Any:
        """Return the image of a vertex ``(v, t)``."""
        if not (isinstance(node, tuple) and len(node) == 2 and known(node[0], self.nodes)):
            raise LiftError(f"{node!r} is not a vertex of the cover", node=node)
        vertex, time = node
        shift = self.shifts[vertex]
        vector = shift if isinstance(shift, tuple) else (shift,)
        try:
            moved = [
                a + b for a, b in zip(check_shift(time, vertex, len(vector)), vector, strict=True)
            ]
        except ValueError:
            raise LiftError(f"{node!r} is not a vertex of the cover", node=node) from None
        return self.nodes[vertex], tuple(moved) if isinstance(shift, tuple) else moved[0]


def isomorphic_covers(G: GraphLike, H: GraphLike, *, delay: str = "delay") -> CoverIsomorphism:
    """Find an isomorphism of two delay covers that commutes with shifts in time.

    Parameters
    ----------
    G, H : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graphs.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    CoverIsomorphism
        The first isomorphism found.

    Raises
    ------
    NotARetimingError
        If the covers have no such isomorphism.

    Notes
    -----
    Color refinement first distinguishes vertices by invariants of retiming: delays of loops,
    differences between parallel edges, totals of opposite edges. Then the isomorphisms of the weak
    components, found by VF2 of networkx, are tested in O(n + m log m) each, in exact integers.
    In the worst case their number is exponential.

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
            f"{REFUSAL}: the delays are in Z^{one.dimension} in the first graph and in "
            f"Z^{other.dimension} in the second"
        )
    above, below = _bundles(one), _bundles(other)
    first, second = _skeleton(one, above), _skeleton(other, below)
    _color([first, second])
    here, there = (sorted(color for _, color in g.nodes(data="color")) for g in (first, second))
    if here != there:
        raise NotARetimingError(f"{REFUSAL}: {_why(0)}")
    free: dict[Any, list[Any]] = {}
    for colors, image in _parts(second):
        free.setdefault(colors, []).append(image)
    nodes: dict[Any, Any] = {}
    shifts: dict[Any, Any] = {}
    tried = 0
    for colors, part in _parts(first):
        images = free.get(colors, [])
        # isomorphism is transitive, so the first match is as good as any other
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
    return (
        f"no isomorphism of the graphs ({tried} tested) maps the delays of the first graph to a "
        "retiming of those of the second"
        if tried
        else "no isomorphism of the graphs preserves the invariants of retiming: delays of loops, "
        "differences between parallel edges, totals of opposite edges"
    )


def _bundles(graph: DelayGraph) -> dict[Pair, list[tuple[tuple[int, ...], Any]]]:
    """Map each pair of adjacent vertices to its edges and their delays, sorted by delay."""
    found: dict[Pair, list[tuple[tuple[int, ...], Any]]] = {}
    for edge, d in zip(graph.edges, graph.delays.tolist(), strict=True):
        found.setdefault(edge[:2], []).append((tuple(d), edge))
    for edges in found.values():
        edges.sort(key=lambda pair: pair[0])
    return found


def _skeleton(graph: DelayGraph, bundles: Any) -> Any:
    """Return a simple graph of vertex numbers with the invariants of retiming as attributes.

    They are the delays of loops, the differences of delays of parallel edges, and the sum of the
    least delays of the two directions.
    """
    skeleton: nx.DiGraph[Any] = nx.DiGraph(dimension=graph.dimension)
    skeleton.add_nodes_from((k, {"name": v, "color": ()}) for v, k in graph.number.items())
    for (u, v), own in bundles.items():
        least = own[0][0]
        if u == v:
            skeleton.nodes[graph.number[v]]["color"] = tuple(d for d, _ in own)
            continue
        apart = tuple(tuple(a - b for a, b in zip(d, least, strict=True)) for d, _ in own)
        back = bundles.get((v, u), ())
        around = back and tuple(a + b for a, b in zip(least, back[0][0], strict=True))
        skeleton.add_edge(graph.number[u], graph.number[v], kind=(apart, around))
    return skeleton


def _parts(skeleton: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the weak components, each with the sorted colors of its vertices."""
    for part in nx.weakly_connected_components(skeleton):
        colors = sorted(skeleton.nodes[v]["color"] for v in part)
        yield tuple(colors), skeleton.subgraph(part).copy()


def _alike(part: Any, image: Any, above: Any, below: Any) -> tuple[Any, Any, int]:
    """Return the images and shifts of a component, or ({}, {}), and the number of tests."""
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
    """Yield the isomorphisms of two components with the same colors."""
    place = {color: w for w, color in image.nodes(data="color")}
    if len(place) == len(image):  # all colors differ, so they determine the isomorphism
        yield {v: place[color] for v, color in part.nodes(data="color")}
        return

    ways, others = _ways(part), _ways(image)
    if ways is not None and others is not None:
        start = min(part)
        for goal in image:
            if image.nodes[goal]["color"] == part.nodes[start]["color"]:
                yield from _carried(ways, others, start, goal)
        return

    def alike(what: str) -> Any:
        return lambda a, b: a[what] == b[what]

    limit = sys.getrecursionlimit()
    matcher = nx.isomorphism.DiGraphMatcher(part, image, alike("color"), alike("kind"))
    try:
        yield from matcher.isomorphisms_iter()
    finally:
        sys.setrecursionlimit(limit)  # the matcher raises the limit


def _ways(part: Any) -> dict[int, dict[Any, int]] | None:
    """Return the neighbors of each vertex by side, kind and color; None if these are not unique."""
    ways: dict[int, dict[Any, int]] = {}
    for v in part:
        own = ways[v] = {}
        for side, row in enumerate((part.succ[v], part.pred[v])):
            own |= {(side, data["kind"], part.nodes[w]["color"]): w for w, data in row.items()}
        if len(own) < len(part.succ[v]) + len(part.pred[v]):
            return None
    return ways


def _carried(
    ways: dict[int, dict[Any, int]], others: dict[int, dict[Any, int]], start: int, goal: int
) -> Iterator[Mapping[int, int]]:
    """Yield the only isomorphism that maps ``start`` to ``goal``, if it exists."""
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


def _color(graphs: list[Any]) -> None:
    """Refine the colors of the vertices by color refinement, in place."""
    union = nx.disjoint_union_all(graphs)
    given: dict[Any, int] = {}
    colors = [given.setdefault(c, len(given)) for _, c in union.nodes(data="color")]
    names: dict[Any, int] = {}
    rows = [(u, v, names.setdefault(d["kind"], len(names))) for u, v, d in union.edges(data=True)]
    tails, heads, kinds = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    # every edge and its reverse, of another kind
    found = color_refinement(
        np.append(tails, heads),
        np.append(heads, tails),
        np.append(2 * kinds, 2 * kinds + 1),
        np.array(colors, dtype=np.int64),
    )
    nodes = [data for graph in graphs for _, data in graph.nodes(data=True)]
    for data, own in zip(nodes, found.tolist(), strict=True):
        data["color"] = own


def _shifts(part: Any, nodes: Mapping[Any, Any], above: Any, below: Any) -> dict[Any, Any] | None:
    """Return the shift of each vertex of a component, or None if there is no retiming."""
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
    """Return the image of each edge, where parallel edges are matched by delay."""
    found = {
        edge: image
        for (u, v), own in above.items()
        for (_, edge), (_, image) in zip(own, below[nodes[u], nodes[v]], strict=True)
    }
    return {edge: found[edge] for edge in one.edges}
