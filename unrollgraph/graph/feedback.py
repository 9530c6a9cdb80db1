"""Feedback delays: which edges of a plain directed graph go back in time.

A network is often given without delays. To compute it step by step one chooses an
order of its vertices; the edges that go backward in it take their value from the
previous step. Those edges are a *feedback arc set*: without them no cycle is left.
Giving them the delay 1, and all others 0, makes every cycle take at least one step,
so that the unrolling is acyclic.

Which set one takes is a choice. Depth-first search follows the edges as a reader
would from the roots; the greedy heuristic of Eades, Lin and Smyth aims at few
delays; an order given by hand says it exactly.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import networkx as nx

from unrollgraph.graph.delay_graph import DelayGraph, each_vertex

__all__ = ["delay_feedback"]


def delay_feedback(
    G: Any,
    *,
    order: Sequence[Any] | None = None,
    roots: Iterable[Any] | None = None,
    method: str = "dfs",
    delay: str = "delay",
) -> Any:
    """Give the delay 1 to edges that close cycles, and 0 to all others.

    Parameters
    ----------
    G : networkx.DiGraph or networkx.MultiDiGraph
        Any directed graph. Delays that it has are replaced.
    order : sequence of vertices, optional
        Every vertex once: the edges that do not go forward in this order are
        delayed. Excludes ``roots`` and ``method``.
    roots : iterable of vertices, optional
        Where depth-first search begins; vertices that it does not reach follow in
        the order of ``G``.
    method : {"dfs", "greedy"}
        ``"dfs"`` delays the back edges of a depth-first search. ``"greedy"`` delays
        the backward edges of the order of Eades, Lin and Smyth, at most
        ``m/2 - n/6`` of them where no edge is a loop or has its reverse and no
        vertex is isolated.
    delay : str
        The edge attribute to write.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A copy of ``G`` in which every directed cycle, loops included, has a
        positive total delay.

    Raises
    ------
    ValueError
        If ``order`` is not every vertex once, comes with another choice, or the
        method is unknown.

    Notes
    -----
    O(n + m); the greedy order O((n + m) log n).

    References
    ----------
    P. Eades, X. Lin, W. F. Smyth, A fast and effective heuristic for the feedback
    arc set problem, Information Processing Letters 47 (1993).

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> ring = nx.DiGraph([("in", "A"), ("A", "B"), ("B", "C"), ("C", "A"), ("C", "out")])
    >>> [e for *e, d in ug.delay_feedback(ring).edges(data="delay") if d]
    [['C', 'A']]
    >>> [e for *e, d in ug.delay_feedback(ring, roots=["C"]).edges(data="delay") if d]
    [['B', 'C']]
    """
    plain = _without_delays(G, delay)
    if order is not None and (roots is not None or method != "dfs"):
        raise ValueError("order says which edges are delayed; give no roots or method beside it")
    if roots is not None and method != "dfs":
        raise ValueError(f"roots are where depth-first search begins; method {method!r} has none")
    if order is not None:
        late = _backward(plain, _positions(plain, order))
    elif method == "dfs":
        late = _back_edges(plain, list(roots or ()))
    elif method == "greedy":
        late = _backward(plain, _greedy_positions(plain))
    else:
        raise ValueError(f"the method is 'dfs' or 'greedy', not {method!r}")
    return plain.with_delays([int(e in late) for e in range(len(plain.edges))])


def _without_delays(G: Any, delay: str) -> DelayGraph:
    """Read the graph whatever stands in its delays."""
    if isinstance(G, DelayGraph):
        return DelayGraph(G.with_delays([0] * len(G.edges)), G.delay_name)
    if not isinstance(G, nx.DiGraph):
        return DelayGraph(G, delay)
    H: Any = G.copy()
    for *_, data in H.edges(data=True):
        data[delay] = 0
    return DelayGraph(H, delay)


def _positions(graph: DelayGraph, order: Sequence[Any]) -> list[int]:
    each_vertex(graph, order, "order")
    place = {vertex: k for k, vertex in enumerate(order)}
    if len(place) != len(order):
        raise ValueError("order names a vertex twice; it must name every vertex once")
    for vertex in graph.vertices:
        if vertex not in place:
            raise ValueError(f"order leaves out {vertex!r}; it must name every vertex once")
    return [place[vertex] for vertex in graph.vertices]


def _backward(graph: DelayGraph, position: list[int]) -> set[int]:
    """Edges that do not go forward when vertices stand at these positions."""
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), strict=True)
    return {e for e, (u, v) in enumerate(ends) if position[v] <= position[u]}


def _back_edges(graph: DelayGraph, roots: list[Any]) -> set[int]:
    """Edges from a vertex to one above it on the path of a depth-first search."""
    each_vertex(graph, roots, "roots")
    heads = graph.heads.tolist()
    state = [0] * len(graph.vertices)  # 0 not met, 1 on the path, 2 done
    back: set[int] = set()
    for root in [*(graph.number[v] for v in roots), *range(len(graph.vertices))]:
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(graph.out_numbers[root]))]
        while path:
            u, edges = path[-1]
            for e in edges:
                v = heads[e]
                if state[v] == 1:
                    back.add(e)
                elif not state[v]:
                    state[v] = 1
                    path.append((v, iter(graph.out_numbers[v])))
                    break
            else:
                state[u] = 2
                path.pop()
    return back


def _greedy_positions(graph: DelayGraph) -> list[int]:
    """Order vertices as Eades, Lin and Smyth do.

    Sinks go to the back and sources to the front; where there are none, the vertex
    with the largest surplus of out-edges goes to the front. Vertices wait in a heap,
    where an entry that is out of date is recognised when it is taken. Ties go to the
    earlier vertex.
    """
    n = len(graph.vertices)
    tails, heads = graph.tails.tolist(), graph.heads.tolist()
    loops = [u == v for u, v in zip(tails, heads, strict=True)]
    out = [[heads[e] for e in graph.out_numbers[v] if not loops[e]] for v in range(n)]
    into = [[tails[e] for e in graph.in_numbers[v] if not loops[e]] for v in range(n)]
    outs, ins = [len(a) for a in out], [len(a) for a in into]

    def rank(v: int) -> tuple[int, int, int]:
        kind = 0 if not outs[v] else 1 if not ins[v] else 2
        return kind, ins[v] - outs[v] if kind == 2 else 0, v

    heap = [rank(v) for v in range(n)]
    heapq.heapify(heap)
    position = [0] * n
    front, rear, placed = 0, n - 1, [False] * n
    while heap:
        entry = heapq.heappop(heap)
        v = entry[2]
        if placed[v] or entry != rank(v):
            continue
        placed[v] = True
        if entry[0] == 0:
            position[v], rear = rear, rear - 1
        else:
            position[v], front = front, front + 1
        for w in out[v]:
            ins[w] -= 1
        for w in into[v]:
            outs[w] -= 1
        for w in {*out[v], *into[v]}:
            if not placed[w]:
                heapq.heappush(heap, rank(w))
    return position
