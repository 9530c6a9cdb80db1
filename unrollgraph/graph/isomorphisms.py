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

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.errors import LiftError, NotARetimingError
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, check_shift, known
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.potentials import forest_potential

__all__ = ["CoverIsomorphism", "isomorphic_covers"]

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
    Over the isomorphisms of the graphs, which networkx finds by VF2, O(n + m log m) each, in exact
    integers. What no retiming changes tells vertices and edges apart from the beginning: delays of
    loops, differences between parallel edges, totals of opposite ones, and what of these is near a
    vertex. There may be exponentially many all the same.

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
    tried = 0
    for nodes in _isomorphisms(one, other, above, below):
        tried += 1
        shifts = _shifts(one, nodes, above, below)
        if shifts is not None:
            edges = _matched(one, nodes, above, below)
            return CoverIsomorphism(FrozenDict(nodes), FrozenDict(edges), FrozenDict(shifts))
    count = "is 1" if tried == 1 else f"are {tried}"
    why = (
        f"no isomorphism of the graphs, of which there {count} to be tried, carries the delays of "
        "the one, retimed, to those of the other"
        if tried
        else "no isomorphism of the graphs keeps what no retiming changes: delays of loops, "
        "differences between parallel edges, totals of opposite ones"
    )
    raise NotARetimingError(f"{REFUSAL}: {why}")


def _bundles(graph: DelayGraph) -> dict[Pair, list[tuple[tuple[int, ...], Any]]]:
    """The edges from one vertex to another, with their delays, in the order of these."""
    found: dict[Pair, list[tuple[tuple[int, ...], Any]]] = {}
    for edge, d in zip(graph.edges, graph.delays.tolist(), strict=True):
        found.setdefault(edge[:2], []).append((tuple(d), edge))
    for edges in found.values():
        edges.sort(key=lambda pair: pair[0])
    return found


def _isomorphisms(one: DelayGraph, other: DelayGraph, above: Any, below: Any) -> Any:
    """Isomorphisms of the graphs: of their vertices, by what no retiming changes."""
    first, second = _skeleton(one, above), _skeleton(other, below)
    _colour([first, second])
    here, there = (Counter(c for _, c in g.nodes(data="colour")) for g in (first, second))
    if here != there:
        return iter(())

    def alike(a: Any, b: Any) -> bool:
        return bool(a == b)

    matcher = nx.isomorphism.DiGraphMatcher(first, second, node_match=alike, edge_match=alike)
    return matcher.isomorphisms_iter()


def _skeleton(graph: DelayGraph, bundles: Any) -> Any:
    """A simple graph: at vertices the delays of loops; at edges their differences and totals.

    Retiming moves the delays of all edges from u to v by the same, so it leaves the differences
    between them; and by the opposite those from v to u, so it leaves the sum of any two.
    """
    skeleton: nx.DiGraph[Any] = nx.DiGraph()
    skeleton.add_nodes_from((v, {"colour": ()}) for v in graph.vertices)
    for (u, v), own in bundles.items():
        least = own[0][0]
        if u == v:
            skeleton.nodes[v]["colour"] = tuple(d for d, _ in own)
            continue
        apart = tuple(tuple(a - b for a, b in zip(d, least, strict=True)) for d, _ in own)
        back = bundles.get((v, u), ())
        around = back and tuple(a + b for a, b in zip(least, back[0][0], strict=True))
        skeleton.add_edge(u, v, kind=(apart, around))
    return skeleton


def _colour(graphs: list[Any]) -> None:
    """Refine the colours of vertices by those of their neighbours, until nothing is told apart."""
    count = 0
    while True:
        seen: dict[Any, int] = {}
        for graph in graphs:
            colour = dict(graph.nodes(data="colour"))
            for v in graph:
                onward = sorted((e["kind"], colour[w]) for w, e in graph.succ[v].items())
                behind = sorted((e["kind"], colour[w]) for w, e in graph.pred[v].items())
                told = colour[v], tuple(onward), tuple(behind)
                graph.nodes[v]["colour"] = seen.setdefault(told, len(seen))
        if len(seen) == count:
            return
        count = len(seen)


def _shifts(
    one: DelayGraph, nodes: Mapping[Any, Any], above: Any, below: Any
) -> dict[Any, Any] | None:
    """The shift of each vertex, or None if delays do not fit."""
    pairs, gains = [], []
    for (u, v), own in above.items():
        theirs = below[nodes[u], nodes[v]]
        gain = []
        for axis in range(one.dimension):
            total = sum(d[axis] for d, _ in theirs) - sum(d[axis] for d, _ in own)
            gain.append(total // len(own))
        moved = [tuple(a + g for a, g in zip(d, gain, strict=True)) for d, _ in own]
        if moved != [d for d, _ in theirs]:
            return None
        pairs.append((one.number[u], one.number[v]))
        gains.append(gain)
    tails, heads = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    axes = []
    for axis in range(one.dimension):
        gain = [g[axis] for g in gains]
        r, _ = forest_potential(len(one.vertices), tails, heads, gain)
        if any(r[v] - r[u] != g for (u, v), g in zip(pairs, gain, strict=True)):
            return None
        axes.append(r)
    columns = axes[0] if one.dimension == 1 else list(zip(*axes, strict=True))
    return dict(zip(one.vertices, columns, strict=True))


def _matched(one: DelayGraph, nodes: Mapping[Any, Any], above: Any, below: Any) -> dict[Any, Any]:
    """The edge of the other graph for each edge, parallel ones in the order of their delays."""
    found = {
        edge: image
        for (u, v), own in above.items()
        for (_, edge), (_, image) in zip(own, below[nodes[u], nodes[v]], strict=True)
    }
    return {edge: found[edge] for edge in one.edges}
