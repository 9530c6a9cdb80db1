"""Strong components, levels and cycles of a directed graph given by arrays.

The functions here know nothing of delays. A graph is its number ``n`` of vertices
and the arrays ``tails`` and ``heads``; an edge is its number in them.

Levels: the *level* of a vertex is the number of edges on a longest path that ends
in it. A graph has levels exactly when it is acyclic; where it is not, the vertices
on a cycle or behind one have none, and `cycle_among` finds a cycle among them.
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
    """The edges grouped by one of their ends: those of vertex v are ``edges[s[v]:s[v+1]]``.

    Within a group edges keep their order.
    """

    __slots__ = ("edges", "starts")

    def __init__(self, n: int, ends: IntArray) -> None:
        self.edges: IntArray = np.argsort(ends, kind="stable")
        self.starts: IntArray = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.bincount(ends, minlength=n), out=self.starts[1:])


class Digraph(NamedTuple):
    """A delay graph, or a part of one, as arrays: n vertices, and ends and delays of edges."""

    n: int
    tails: IntArray
    heads: IntArray
    delays: IntArray  # shape (m, d)

    def restricted(self, edges: IntArray) -> tuple[IntArray, Digraph]:
        """The part of some edges and their ends: the vertices that it has, and itself."""
        ends, place = np.unique(
            np.concatenate([self.tails[edges], self.heads[edges]]), return_inverse=True
        )
        half = len(edges)
        return ends, Digraph(len(ends), place[:half], place[half:], self.delays[edges])


def levels(n: int, tails: IntArray, heads: IntArray) -> IntArray:
    """Edges on a longest path into each vertex; -1 on a cycle or behind one.

    Kahn's algorithm (1962), in O(n + m).
    """
    by_tail = Incidence(n, tails)
    starts = by_tail.starts.tolist()
    targets = heads[by_tail.edges].tolist()
    waiting = np.bincount(heads, minlength=n).tolist()
    level = [0] * n
    ready = [v for v in range(n) if not waiting[v]]
    for u in ready:  # grows while it is read
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
    """Find a cycle, as edge numbers, among the vertices that `levels` left at -1.

    Each of them has an in-edge from another, so walking backwards along any such
    edge must come round. The cycle begins at its first vertex. O(n + m).
    """
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
    """Turn a cycle of edge numbers so that it begins at its first vertex."""
    k = int(np.argmin(tails[cycle]))
    return tuple(cycle[k:] + cycle[:k])


def strong_components(n: int, tails: IntArray, heads: IntArray) -> IntArray:
    """Number the strong components along a topological order; return that of each vertex.

    Every edge leads to a component of the same or a larger number. O(n + m),
    components by SciPy.
    """
    from scipy.sparse import coo_array, csgraph  # noqa: PLC0415  (heavy: loaded on first use)

    ones = np.ones(len(tails), dtype=np.int8)
    matrix = coo_array((ones, (tails, heads)), shape=(n, n))
    count, label = csgraph.connected_components(matrix, directed=True, connection="strong")
    label = label.astype(np.int64)
    across = label[tails] != label[heads]
    level = levels(int(count), label[tails[across]], label[heads[across]])
    # Ties are broken by the first vertex of a component, so that numbers depend on
    # the order of the vertices alone.
    _, first = np.unique(label, return_index=True)
    rank = np.empty(count, dtype=np.int64)
    rank[np.lexsort((first, level))] = np.arange(count)
    return rank[label]


def tree_walk(n: int, tails: IntArray, heads: IntArray, start: int, goal: int) -> tuple[int, ...]:
    """Edge numbers of a shortest walk from start to goal, by breadth-first search."""
    came = breadth_first(n, tails, heads, start)
    walk: list[int] = []
    v = goal
    while v != start:
        walk.append(came[v])
        v = int(tails[came[v]])
    return tuple(reversed(walk))


def breadth_first(n: int, tails: IntArray, heads: IntArray, start: int) -> dict[int, int]:
    """Return the edge by which each vertex is first reached, nearest first; -1 at the start."""
    by_tail = Incidence(n, tails)
    starts, out = by_tail.starts.tolist(), by_tail.edges.tolist()
    head = heads.tolist()
    came = {start: -1}
    queue = [start]
    for u in queue:  # grows while it is read
        for e in out[starts[u] : starts[u + 1]]:
            if head[e] not in came:
                came[head[e]] = e
                queue.append(head[e])
    return came


def vertices_between(n: int, tails: IntArray, heads: IntArray, start: int, goal: int) -> IntArray:
    """Vertices on walks from start to goal, ascending; empty if there is no such walk."""
    after = breadth_first(n, tails, heads, start)
    before = breadth_first(n, heads, tails, goal)
    found = sorted(after.keys() & before.keys()) if goal in after else []
    return np.array(found, dtype=np.int64)


# -- cheapest paths, where each state yields the next ones ---------------------------------


def dijkstra(
    starts: Mapping[Any, int], moves: Callable[[Any], Iterable[tuple[Any, int, Any]]]
) -> tuple[dict[Any, int], dict[Any, tuple[Any, Any]]]:
    """Least costs of all states, and the state and the step before each; by Dijkstra (1959).

    ``starts`` gives states to begin with and their costs. ``moves(state)`` yields what comes
    next, what it costs, at least zero, and a name for the step.
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
class Found:
    """What a search found.

    Attributes
    ----------
    cost : int or None
        Least cost of a path to the goal; None if there is none, or none was met.
    steps : tuple
        What the path was made of.
    exhausted : bool
        Whether everything was seen that can be reached, or the goal was.
    full : bool
        Whether the search gave up since it had met too many states.
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
) -> Found:
    """A cheapest path from a start to a goal, by A*, or by Dijkstra's algorithm without ``left``.

    ``moves(state)`` yields what comes next, what it costs, and a name for the step. ``left(state)``
    is a bound from below on the cost of what is left, that falls by no more than the cost along
    any step, and a number by which equals are ordered. The search gives up after so many states,
    or beyond a radius in cost.
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
            return Found(cost, tuple(reversed(steps)), exhausted=True)
        if len(done) >= most:
            return Found(None, (), exhausted=False, full=True)
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
    return Found(None, (), exhausted=not beyond)


# -- color refinement ----------------------------------------------------------------------


def color_refinement(
    tails: IntArray, heads: IntArray, kinds: IntArray, colors: IntArray
) -> IntArray:
    """Color vertices so that those of one color have in-edges of the same kinds from each color.

    The coarsest such coloring that is at least as fine as ``colors``, numbers from 0 that occur.

    Notes
    -----
    O(m log n) and sorting. While much has to be counted anew, everything is, with arrays. Then of
    a class that falls apart all parts but the largest are, since what comes from the largest is
    known by subtraction (Hopcroft).
    """
    n = len(colors)
    block, due, moved = colors, np.unique(colors), n
    while 16 * moved > n:
        finer = _signatures(tails, heads, kinds, block)
        due, moved = _due(block, finer)
        block = finer
    return _finished(tails, heads, kinds, block, due.tolist()) if len(due) else block


def _signatures(tails: IntArray, heads: IntArray, kinds: IntArray, block: IntArray) -> IntArray:
    """Number vertices by their class, and the classes and kinds of their in-edges."""
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
    """Return the classes of a finer partition to count anew, and how many vertices they have.

    Those are all parts of a class but the largest.
    """
    sizes, whole = np.bincount(finer), np.empty(finer.max(initial=-1) + 1, dtype=np.int64)
    whole[finer] = block
    order = np.lexsort((sizes, whole))
    last = np.append(np.diff(whole[order]) != 0, True)[: len(order)]
    due = np.sort(order[~last])
    return due, int(sizes[due].sum())


def _finished(
    tails: IntArray, heads: IntArray, kinds: IntArray, coarse: IntArray, due: list[int]
) -> IntArray:
    """Refine a partition further, counting only the classes that are due.

    In each round they are counted all at once: a vertex that they reach gets the list of
    (class, kind, number of edges) as its signature, and classes fall apart by signature.
    """
    n = len(coarse)
    # an edge leads to a mark: its head, and by how many times n its kind
    out = Incidence(n, tails)
    starts, marks = out.starts.tolist(), (heads + n * kinds)[out.edges].tolist()
    coloured = kinds.max(initial=0) > 0
    block = coarse.tolist()
    sizes = np.bincount(coarse)
    splits = sizes > 1  # classes of one vertex never split, and are only counted
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
            for mark in sorted(counts) if coloured else counts:
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
    """Let pieces fall off a class; return the classes to count: all parts but the largest."""
    whole = members[number]
    if len(whole) == sum(map(len, pieces)):
        pieces.sort(key=len)
        pieces.pop()  # stays what it was
    parts = [number]
    for piece, new in zip(pieces, fresh, strict=False):
        whole.difference_update(piece)
        members[new] = set(piece)
        for v in piece:
            block[v] = new
        parts.append(new)
    return sorted(parts, key=lambda k: len(members[k]))[:-1]
