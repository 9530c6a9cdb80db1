"""Feedback delays: choose the edges of a directed graph that read the previous time step.

A *feedback arc set* is a set of edges that contains an edge of every cycle. If these edges have
the delay 1 and all others 0, every cycle has a positive total delay, and the unrolling is acyclic.
There are four ways to choose the set: the backward edges of a given order, the back edges of a
depth-first search, the greedy heuristic of Eades, Lin and Smyth, and a minimum set by integer
programming (an NP-hard problem, with a time limit).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from numbers import Real
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import TimeLimitError
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, each_vertex
from unrollgraph.graph.digraph import strong_components, tree_walk

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
MOST_WEIGHT = 10**12  # with larger weights, totals in floating point cannot be compared reliably


def delay_feedback(
    G: GraphLike,
    *,
    order: Iterable[Any] | None = None,
    roots: Iterable[Any] | None = None,
    method: str = "dfs",
    weight: str | None = None,
    time_limit: float = 60.0,
    delay: str = "delay",
) -> nx.DiGraph[Any]:
    """Set the delays to 1 on a feedback arc set and to 0 on all other edges.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The directed graph; existing delays are replaced.
    order : iterable of vertices, optional
        Every vertex once; the edges that do not go forward in this order get the delay 1.
        Excludes ``roots`` and ``method``.
    roots : iterable of vertices, optional
        First roots of the depth-first search, before the vertices in the order of ``G``.
    method : {"dfs", "greedy", "exact"}
        ``"dfs"`` chooses the back edges of a depth-first search. ``"greedy"`` chooses the
        backward edges of the order of Eades, Lin and Smyth: at most ``m/2 - n/6`` edges if
        there are no loops, no pairs of opposite edges and no isolated vertices. ``"exact"``
        chooses the fewest edges, or edges of least total ``weight``.
    weight : str, optional
        Edge attribute of the costs for ``method="exact"``: numbers >= 0, 1 if missing;
        default: every edge costs 1.
    time_limit : float
        Maximum time of ``method="exact"`` in seconds.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A copy of ``G`` in which every directed cycle has a positive total delay.

    Raises
    ------
    ValueError
        If ``order`` does not contain every vertex once, an argument is used with a method
        that does not have it, the method is unknown, no edge has the attribute ``weight``,
        a weight is not a number from 0 to 10**12, or ``time_limit`` is not a number >= 0.
    TimeLimitError
        If ``"exact"`` has not proved a solution optimal within ``time_limit``.

    Notes
    -----
    O(n + m); ``"greedy"`` O((n + m) log n). ``"exact"`` solves an integer program for each
    strong component by HiGHS: less than a second for a sparse component of 600 edges, minutes
    for a dense one of 300. If weights are not integers, the total is optimal within 1e-6 times
    the sum of all weights.

    References
    ----------
    P. Eades, X. Lin, W. F. Smyth, A fast and effective heuristic for the feedback arc set problem,
    Information Processing Letters 47 (1993). A. Baharev, H. Schichl, A. Neumaier, T. Achterberg,
    An exact method for the minimum feedback arc set problem, ACM J. Exp. Algorithmics 26 (2021).

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
        raise ValueError("order cannot be combined with roots or method; omit one of them")
    if roots is not None and method != "dfs":
        raise ValueError(f"roots is used by method='dfs' only, but the method is {method!r}")
    if weight is not None and method != "exact":
        raise ValueError(f"weight is used by method='exact' only, but the method is {method!r}")
    if order is not None:
        late = _backward(plain, _positions(plain, order))
    elif method == "dfs":
        late = _back_edges(plain, () if roots is None else roots)
    elif method == "greedy":
        late = _backward(plain, _greedy_positions(len(plain.vertices), plain.tails, plain.heads))
    elif method == "exact":
        if not isinstance(time_limit, Real) or not time_limit >= 0:
            raise ValueError(
                f"time_limit is {time_limit!r}, but it must be a number of seconds >= 0"
            )
        late = _cheapest(plain, _costs(plain, weight), time_limit)
    else:
        raise ValueError(f"method must be 'dfs', 'greedy' or 'exact', not {method!r}")
    return plain.with_delays([int(e in late) for e in range(len(plain.edges))])


def _without_delays(G: Any, delay: str) -> DelayGraph:
    """Return the delay graph of a graph whose delays may be invalid."""
    if isinstance(G, DelayGraph):
        name = G.delay_name if delay == "delay" else delay
        return _without_delays(G.to_networkx(), name)
    if not isinstance(G, nx.DiGraph):
        return DelayGraph(G, delay)
    H: Any = G.copy()
    for *_, data in H.edges(data=True):
        data[delay] = 0
    return DelayGraph(H, delay)


def _positions(graph: DelayGraph, order: Iterable[Any]) -> list[int]:
    listed = each_vertex(graph, order, "order")
    place = {vertex: k for k, vertex in enumerate(listed)}
    if len(place) != len(listed):
        raise ValueError("order contains a vertex twice; it must contain every vertex once")
    for vertex in graph.vertices:
        if vertex not in place:
            raise ValueError(f"order lacks {vertex!r}; it must contain every vertex once")
    return [place[vertex] for vertex in graph.vertices]


def _backward(graph: DelayGraph, position: list[int]) -> set[int]:
    """Return the edges whose head does not come after their tail."""
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), strict=True)
    return {e for e, (u, v) in enumerate(ends) if position[v] <= position[u]}


def _back_edges(graph: DelayGraph, roots: Iterable[Any]) -> set[int]:
    """Return the back edges of a depth-first search, which lead to a vertex on its path."""
    listed = each_vertex(graph, roots, "roots")
    heads = graph.heads.tolist()
    state = [0] * len(graph.vertices)  # 0 not visited, 1 on the path, 2 done
    back: set[int] = set()
    for root in [*(graph.number[v] for v in listed), *range(len(graph.vertices))]:
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


def _greedy_positions(n: int, tails: IntArray, heads: IntArray) -> list[int]:
    """Return the position of each vertex in the order of Eades, Lin and Smyth.

    Place a sink last, else a source first, else the vertex of largest out-degree minus in-degree
    first, and remove it from the graph. Ties are broken by vertex number.
    """
    out: list[list[int]] = [[] for _ in range(n)]
    into: list[list[int]] = [[] for _ in range(n)]
    for u, v in zip(tails.tolist(), heads.tolist(), strict=True):
        if u != v:
            out[u].append(v)
            into[v].append(u)
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
        if placed[v] or entry != rank(v):  # an outdated entry
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


def _costs(graph: DelayGraph, weight: str | None) -> FloatArray:
    """Return the cost of each edge."""
    if weight is None:
        return np.ones(len(graph.edges))
    costs = graph.edge_values(weight)
    if graph.edges and all(cost is None for cost in costs):
        raise ValueError(f"no edge has the attribute {weight!r} (argument weight)")
    for edge, cost in zip(graph.edges, costs, strict=True):
        if cost is not None and not (isinstance(cost, Real) and 0 <= cost <= MOST_WEIGHT):  # type: ignore[operator]
            raise ValueError(
                f"invalid weight {cost!r:.40} on edge {edge!r}: the attribute {weight!r} must be "
                f"a number from 0 to {MOST_WEIGHT}"
            )
    return np.array([1.0 if cost is None else float(cost) for cost in costs])


def _cheapest(graph: DelayGraph, costs: FloatArray, time_limit: float) -> set[int]:
    """Find a feedback arc set of least cost, for each strong component separately."""
    n, tails, heads = len(graph.vertices), graph.tails, graph.heads
    component = strong_components(n, tails, heads)
    late = set(np.flatnonzero(tails == heads).tolist())
    inner = np.flatnonzero((component[tails] == component[heads]) & (tails != heads))
    label = component[tails[inner]]
    deadline = time.monotonic() + time_limit
    for one in np.unique(label).tolist():
        edges = inner[label == one]
        ends, wire = np.unique(np.stack([tails[edges], heads[edges]]), axis=1, return_inverse=True)
        cost = np.bincount(wire.ravel(), costs[edges]).astype(np.float64)
        chosen = _cheapest_cover(n, ends[0], ends[1], cost, deadline)
        if chosen is None:
            raise TimeLimitError(
                f"method='exact' did not prove a solution optimal within time_limit={time_limit} "
                "seconds; raise time_limit, or use method='greedy'"
            )
        late |= set(edges[chosen[wire.ravel()]].tolist())
    return late


def _cheapest_cover(
    n: int, tails: IntArray, heads: IntArray, cost: FloatArray, deadline: float
) -> NDArray[np.bool_] | None:
    """Choose edges of least cost that cover every cycle; None if the deadline passes."""
    # the integer program has a row for each known cycle; uncovered cycles are added until all are
    # covered
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  (heavy)
    from scipy.sparse import csr_array  # noqa: PLC0415

    # two different totals of integer costs differ by at least 1
    gap = 1 - 1e-6 if np.all(cost % 1 == 0) else 1e-6 * max(1.0, float(cost.sum()))
    cycles: list[list[int]] = []
    chosen: NDArray[np.bool_] = np.zeros(len(tails), dtype=bool)
    while True:
        missed = _cycles_of_a_greedy_order(n, tails, heads, np.flatnonzero(~chosen))
        if not missed:
            return chosen
        cycles += missed
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        # SciPy before 1.15 takes indices of 32 bits only
        rows = np.repeat(np.arange(len(cycles), dtype=np.int32), list(map(len, cycles)))
        columns = np.concatenate(cycles).astype(np.int32)
        shape = (len(cycles), len(tails))
        met = csr_array((np.ones(len(columns)), (rows, columns)), shape=shape)
        found = milp(
            cost,
            integrality=np.ones(len(tails), dtype=np.int64),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(met, lb=1),
            options={"mip_rel_gap": 0, "time_limit": left},
        )
        if found.x is None or found.mip_dual_bound is None:
            return None
        chosen = np.asarray(found.x, dtype=float) > 0.5
        if cost @ chosen >= found.mip_dual_bound + gap:
            return None


def _cycles_of_a_greedy_order(
    n: int, tails: IntArray, heads: IntArray, left: IntArray
) -> list[list[int]]:
    """Return a shortest cycle through each backward edge of a greedy order, in the edges left."""
    tails, heads = tails[left], heads[left]
    position = np.array(_greedy_positions(n, tails, heads))
    component = strong_components(n, tails, heads)
    late = (position[heads] <= position[tails]) & (component[heads] == component[tails])
    return [
        left[[e, *tree_walk(n, tails, heads, int(heads[e]), int(tails[e]))]].tolist()
        for e in np.flatnonzero(late).tolist()
    ]
