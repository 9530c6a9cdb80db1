"""Strong components, levels, paths and color refinement of a directed graph given by arrays.

A graph is given by its number ``n`` of vertices and the arrays ``tails`` and ``heads``; an edge is
an index of these arrays. The *level* of a vertex is the number of edges on a longest path that
ends in it; vertices that are reachable from a cycle have the level -1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain, count, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


class Incidence:
    """Edges grouped by an end: those at v are ``edges[starts[v]:starts[v+1]]``, in order."""

    __slots__ = ("edges", "starts")

    def __init__(self, n: int, ends: IntArray) -> None:
        self.edges: IntArray = np.argsort(ends, kind="stable")
        self.starts: IntArray = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.bincount(ends, minlength=n), out=self.starts[1:])


class Digraph(NamedTuple):
    """A delay graph, or a subgraph of one, as arrays."""

    n: int
    tails: IntArray
    heads: IntArray
    delays: IntArray  # shape (m, d)

    def restricted(self, edges: IntArray) -> tuple[IntArray, Digraph]:
        """Return the vertices of the subgraph of some edges, and the subgraph."""
        ends, place = np.unique(
            np.concatenate([self.tails[edges], self.heads[edges]]), return_inverse=True
        )
        half = len(edges)
        return ends, Digraph(len(ends), place[:half], place[half:], self.delays[edges])


def levels(n: int, tails: IntArray, heads: IntArray) -> IntArray:
    """Compute the level of each vertex by Kahn's algorithm (1962), in O(n + m)."""
    by_tail = Incidence(n, tails)
    starts = by_tail.starts.tolist()
    targets = heads[by_tail.edges].tolist()
    waiting = np.bincount(heads, minlength=n).tolist()
    level = [0] * n
    ready = [v for v in range(n) if not waiting[v]]
    for u in ready:  # the list grows during the loop
        above = level[u] + 1
        for v in targets[starts[u] : starts[u + 1]]:
            level[v] = max(level[v], above)
            waiting[v] -= 1
            if not waiting[v]:
                ready.append(v)
    result = np.array(level, dtype=np.int64)
    result[np.array(waiting, dtype=np.int64) > 0] = -1
    return result


def cycle_among(level: IntArray, tails: IntArray, heads: IntArray) -> tuple[int, ...]:
    """Find a cycle, as edge numbers, among the vertices of level -1, in O(n + m)."""
    # each of these vertices has an in-edge from another one, so a backward walk finds a cycle
    within = np.flatnonzero((level[tails] < 0) & (level[heads] < 0))
    back = dict(zip(heads[within].tolist(), within.tolist(), strict=True))
    v = next(iter(back))
    position: dict[int, int] = {}
    walk: list[int] = []
    while v not in position:
        position[v] = len(walk)
        walk.append(back[v])
        v = int(tails[back[v]])
    return from_first(walk[position[v] :][::-1], tails)


def from_first(cycle: list[int], tails: IntArray) -> tuple[int, ...]:
    """Rotate a cycle of edge numbers so that it begins at its vertex of least number."""
    k = int(np.argmin(tails[cycle]))
    return tuple(cycle[k:] + cycle[:k])


def strong_components(n: int, tails: IntArray, heads: IntArray) -> IntArray:
    """Number the strong components in topological order; return the number of each vertex.

    Ties are broken by the first vertex of a component. O(n + m), by SciPy.
    """
    from scipy.sparse import coo_array, csgraph  # noqa: PLC0415  (heavy: loaded on first use)

    ones = np.ones(len(tails), dtype=np.int8)
    matrix = coo_array((ones, (tails, heads)), shape=(n, n))
    count, label = csgraph.connected_components(matrix, directed=True, connection="strong")
    label = label.astype(np.int64)
    across = label[tails] != label[heads]
    level = levels(int(count), label[tails[across]], label[heads[across]])
    _, first = np.unique(label, return_index=True)
    rank = np.empty(count, dtype=np.int64)
    rank[np.lexsort((first, level))] = np.arange(count)
    return rank[label]


def tree_walk(n: int, tails: IntArray, heads: IntArray, start: int, goal: int) -> tuple[int, ...]:
    """Return the edge numbers of a path from start to goal with the fewest edges."""
    came = breadth_first(n, tails, heads, start)
    walk: list[int] = []
    v = goal
    while v != start:
        walk.append(came[v])
        v = int(tails[came[v]])
    return tuple(reversed(walk))


def breadth_first(n: int, tails: IntArray, heads: IntArray, start: int) -> dict[int, int]:
    """Map each reachable vertex to the edge that reached it first; -1 for the start."""
    by_tail = Incidence(n, tails)
    starts, out = by_tail.starts.tolist(), by_tail.edges.tolist()
    head = heads.tolist()
    came = {start: -1}
    queue = [start]
    for u in queue:  # queue grows during the loop
        for e in out[starts[u] : starts[u + 1]]:
            if head[e] not in came:
                came[head[e]] = e
                queue.append(head[e])
    return came


def vertices_between(n: int, tails: IntArray, heads: IntArray, start: int, goal: int) -> IntArray:
    """Return the vertices on walks from start to goal, ascending; empty if there is no walk."""
    after = breadth_first(n, tails, heads, start)
    before = breadth_first(n, heads, tails, goal)
    found = sorted(after.keys() & before.keys()) if goal in after else []
    return np.array(found, dtype=np.int64)


# -- shortest paths in a graph of states ---------------------------------------------------


def dijkstra(
    starts: Mapping[Any, int], moves: Callable[[Any], Iterable[tuple[Any, int, Any]]]
) -> tuple[dict[Any, int], dict[Any, tuple[Any, Any]]]:
    """Return the least cost of each reachable state, and its previous state and step.

    ``starts`` maps initial states to their costs. ``moves(state)`` yields the next state, the
    cost of the step, at least 0, and the step.
    """
    least, came = dict(starts), dict[Any, tuple[Any, Any]]()
    heap = [(cost, k, state) for k, (state, cost) in enumerate(least.items())]
    heapify(heap)
    count = len(heap)
    while heap:
        cost, _, state = heappop(heap)
        if cost > least[state]:
            continue
        for after, price, step in moves(state):
            further = cost + price
            if further < least.get(after, further + 1):
                least[after], came[after] = further, (state, step)
                heappush(heap, (further, count, after))
                count += 1
    return least, came


@dataclass(frozen=True)
class SearchResult:
    """Result of a path search: the least cost and the steps of a path, or None and ().

    `exhausted` is true if the goal was reached or all reachable states were visited, `full` if the
    search stopped at the maximum number of states.
    """

    cost: int | None
    steps: tuple[Any, ...]
    exhausted: bool
    full: bool = False


def astar(
    start: Any,
    goal: Any,
    moves: Callable[[Any], Iterable[tuple[Any, int, Any]]],
    *,
    most: int,
    radius: int | None = None,
    left: Callable[[Any], tuple[int, int]] = lambda _: (0, 0),
) -> SearchResult:
    """Find a path of least cost by A*, without ``left`` by Dijkstra's algorithm.

    ``moves(state)`` yields the next state, the cost of the step and the step. ``left(state)``
    returns a consistent lower bound of the remaining cost, and a number that breaks
    ties. The search visits at most ``most`` states, and ignores paths whose cost plus bound
    exceeds ``radius``.
    """
    best: dict[Any, int] = {start: 0}
    came: dict[Any, tuple[Any, Any]] = {}
    done: set[Any] = set()
    heap: list[tuple[int, int, int, Any]] = [(0, 0, 0, start)]
    count, beyond = 0, False
    while heap:
        *_, state = heappop(heap)
        if state in done:
            continue
        cost = best[state]
        if state == goal:
            steps = []
            while state != start:
                state, step = came[state]
                steps.append(step)
            return SearchResult(cost, tuple(reversed(steps)), exhausted=True)
        if len(done) >= most:
            return SearchResult(None, (), exhausted=False, full=True)
        done.add(state)
        for after, price, step in moves(state):
            further = cost + price
            if further >= best.get(after, further + 1):
                continue
            rest, order = left(after)
            if radius is not None and further + rest > radius:
                beyond = True
                continue
            best[after] = further
            came[after] = state, step
            count += 1
            heappush(heap, (further + rest, order, count, after))
    return SearchResult(None, (), exhausted=not beyond)


# -- color refinement ----------------------------------------------------------------------


def color_refinement(
    tails: IntArray, heads: IntArray, kinds: IntArray, colors: IntArray
) -> IntArray:
    """Refine a coloring until vertices of one color have equal in-edges.

    Equal means: the same number of in-edges of each kind from each color. The result is the
    coarsest such refinement of ``colors``, which are consecutive numbers from 0.

    Notes
    -----
    O(m log n) and sorting. The first rounds count the in-edges of all vertices, with arrays. Later
    rounds count, for a class that was split, the edges out of all parts but the largest (Hopcroft).
    """
    n = len(colors)
    block, due, moved = colors, np.unique(colors), n
    while 16 * moved > n:
        finer = _signatures(tails, heads, kinds, block)
        due, moved = _due(block, finer)
        block = finer
    return _finished(tails, heads, kinds, block, due.tolist()) if len(due) else block


def _signatures(tails: IntArray, heads: IntArray, kinds: IntArray, block: IntArray) -> IntArray:
    """Number the vertices by their class and by the classes and kinds of their in-edges."""
    marks = block[tails] * (kinds.max(initial=0) + 1) + kinds
    text = marks[np.lexsort((marks, heads))].tobytes()
    degrees = np.bincount(heads, minlength=len(block))
    ends = (np.cumsum(degrees) * marks.itemsize).tolist()
    numbers: dict[Any, int] = {}
    found = [
        numbers.setdefault((own, text[start:end]), len(numbers))
        for own, (start, end) in zip(block.tolist(), pairwise([0, *ends]), strict=True)
    ]
    return np.array(found, dtype=np.int64)


def _due(block: IntArray, finer: IntArray) -> tuple[IntArray, int]:
    """Return all parts of split classes but the largest, and their total number of vertices."""
    sizes, whole = np.bincount(finer), np.empty(finer.max(initial=-1) + 1, dtype=np.int64)
    whole[finer] = block
    order = np.lexsort((sizes, whole))
    last = np.append(np.diff(whole[order]) != 0, True)[: len(order)]
    due = np.sort(order[~last])
    return due, int(sizes[due].sum())


def _finished(
    tails: IntArray, heads: IntArray, kinds: IntArray, coarse: IntArray, due: list[int]
) -> IntArray:
    """Refine a partition, where each round counts only the edges out of the classes in ``due``.

    The signature of a vertex is its list of (class, kind, number of in-edges) from these classes;
    classes are split by signature.
    """
    n = len(coarse)
    # the mark of an edge is its head plus n times its kind
    out = Incidence(n, tails)
    starts, marks = out.starts.tolist(), (heads + n * kinds)[out.edges].tolist()
    colored = kinds.max(initial=0) > 0
    block = coarse.tolist()
    sizes = np.bincount(coarse)
    splits = sizes > 1  # classes of one vertex cannot be split
    splits[due] = True
    members: dict[int, set[int]] = {}
    for v in np.flatnonzero(splits[coarse]).tolist():
        members.setdefault(block[v], set()).add(v)
    fresh = count(len(sizes))
    while due:
        signature: dict[int, list[int]] = {}
        for number in due:
            leaving = [marks[starts[u] : starts[u + 1]] for u in members[number]]
            counts = Counter(chain.from_iterable(leaving))
            for mark in sorted(counts) if colored else counts:
                v = mark % n
                if block[v] in members:
                    signature.setdefault(v, []).extend((number, mark // n, counts[mark]))
        groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for v, found in signature.items():
            groups.setdefault((block[v], tuple(found)), []).append(v)
        parts: dict[int, list[list[int]]] = {}
        for (number, _), vertices in groups.items():
            parts.setdefault(number, []).append(vertices)
        due = []
        for number, pieces in parts.items():
            due.extend(_split(number, pieces, block, members, fresh))
    return np.array(block, dtype=np.int64)


def _split(
    number: int,
    pieces: list[list[int]],
    block: list[int],
    members: dict[int, set[int]],
    fresh: Iterator[int],
) -> list[int]:
    """Split a class; return the classes to count: all parts but the largest."""
    whole = members[number]
    if len(whole) == sum(map(len, pieces)):
        pieces.sort(key=len)
        pieces.pop()  # keeps the number of the class
    parts = [number]
    for piece, new in zip(pieces, fresh, strict=False):
        whole.difference_update(piece)
        members[new] = set(piece)
        for v in piece:
            block[v] = new
        parts.append(new)
    return sorted(parts, key=lambda k: len(members[k]))[:-1]
