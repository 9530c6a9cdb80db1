"""Number of paths between two vertices of a delay cover.

The paths are the lifts of the walks of the base graph with one total delay; they may repeat
vertices. In Z their number is infinite iff a walk with this total can meet

* a vertex on a closed walk of total zero, or
* a component whose cycles all have positive totals and one whose cycles all have negative totals:
  repetitions of their cycles compensate each other.

By Dickson's lemma, among infinitely many walks of one total some two differ only by inserted closed
walks, whose totals add up to zero. `walk_totals` decides whether such a walk exists, on a graph
whose vertices record which components a walk has met. If the number is finite, each walk meets
components of one sign only and follows a schedule. The numbers of paths from the start are then
summed over the vertices of the cover in schedule order.

In Z^d paths are counted if a linear schedule exists once the vertices on closed walks of total zero
are removed; a path that meets such a vertex is one of infinitely many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import product
from typing import Any

import numpy as np

from unrollgraph.cover.delay_cover import as_cover
from unrollgraph.errors import CyclicCoverError, InfinitePathsError, TooLargeError
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike
from unrollgraph.graph.potentials import forward_times, nonnegative_times
from unrollgraph.graph.times import add
from unrollgraph.limits import MOST_COUNTED
from unrollgraph.measure.acyclicity import acyclicity_certificate
from unrollgraph.measure.certificates import ZeroWalk
from unrollgraph.measure.path_search import Walks, bounds_in_space, inner_graph, reaches_in_space
from unrollgraph.measure.paths import reaches, walks_between
from unrollgraph.measure.walk_totals import strong_parts


def path_count(G: GraphLike, source: Any, target: Any, *, delay: str = "delay") -> int:
    """Count the paths of the infinite cover from one vertex to another.

    The cost is one addition for each edge of the cover between source and target, of integers with
    as many digits as the result.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertices of the cover
        Pairs ``(v, t)`` of a vertex of the base graph and a time.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    int
        Exact. Parallel edges count separately. A vertex has one path without edges to itself.

    Raises
    ------
    InfinitePathsError
        If there are infinitely many paths. Its ``cycles`` are a cycle of total zero, or cycles
        whose totals cancel, that the paths can repeat.
    LiftError
        If source or target is not a vertex of the cover.
    ValueError
        If delays are in Z^d and the cycles between source and target have no linear schedule.
    TooLargeError
        If more than 2,000,000 vertices of the cover lie between source and target, or as for
        `has_path`.
    RadiusError
        If it is undecided, in Z^d, whether a path meets a closed walk of total zero.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> fibonacci = ug.DelayCover(ug.gallery.bouquet(1, 2))
    >>> (h,) = fibonacci.base
    >>> [ug.path_count(fibonacci, (h, 0), (h, n)) for n in range(10)]
    [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]
    """
    graph, walks, step = walks_between(as_cover(G, delay), source, target)
    if walks is None:
        return 0
    if not len(walks.edges):
        return int(not np.any(step))
    if graph.dimension > 1:
        return _in_space(graph, walks, (source, target), step)
    for culprits in (_alone, _opposed):
        met: set[int] = set()
        for cycles, groups in culprits(walks):
            if reaches(_meeting(walks, groups), step):
                below = [walks.edges[cycle].tolist() for cycle in cycles]
                raise _infinite(graph, (source, target), below)
            met |= groups[0] if len(groups) == 1 else set()
        left = walks.avoiding(met)
        if left is None:
            return 0
        walks = left
    up, down = (_ends(walks, sign) for sign in (1, -1))
    count = _forward(walks.avoiding(down), step)
    if down:
        count += _forward(walks.avoiding(up), step, -1)
        count -= _forward(walks.avoiding(up | down), step)
    return count


class _CycleSigns:
    """A strong component, and the signs of the totals of its cycles."""

    def __init__(self, walks: Walks, edges: Any) -> None:
        ends, self._inner = walks.digraph.restricted(edges)
        n, tails, heads, delays = self._inner
        self.vertices: set[int] = set(ends.tolist())
        *_, low = forward_times(n, tails, heads, delays[:, 0])
        *_, high = forward_times(n, tails, heads, -delays[:, 0])
        # edges of a cycle of total <= 0, and of one of total >= 0; empty if there is no such cycle
        self.low, self.high = (edges[list(cycle)].tolist() for cycle in (low, high))
        self.edges = edges

    def still(self) -> Any:
        """Edges of delay 0 under a potential that makes all delays >= 0, or all <= 0, else None."""
        n, tails, heads, delays = self._inner
        for sign in (1, -1):
            _, still, cycle = nonnegative_times(n, tails, heads, sign * delays[:, 0])
            if not cycle:
                return self.edges[still]
        return None


def _cycle_signs(walks: Walks) -> list[_CycleSigns]:
    return [_CycleSigns(walks, edges) for edges in strong_parts(walks)]


def _ends(walks: Walks, sign: int) -> set[int]:
    """Vertices of the components whose cycles have totals of a sign."""
    kinds = _cycle_signs(walks)
    return {v for kind in kinds if (kind.high if sign > 0 else kind.low) for v in kind.vertices}


def _alone(walks: Walks) -> Iterator[tuple[list[list[int]], list[set[int]]]]:
    """Yield closed walks of total zero, and vertices that are each on such a walk."""
    # A component with totals of both signs has such a walk through every vertex. Otherwise only the
    # cycles of edges whose delays are zero under a potential have total zero.
    for kind in _cycle_signs(walks):
        if not (kind.low and kind.high):
            continue
        still = kind.still()
        if still is None:
            zero = [c for c in (kind.low, kind.high) if not walks.delays[c, 0].sum()]
            yield zero[:1] or [kind.high, kind.low], [kind.vertices]
            continue
        inner = walks.taking(still)
        for part in _cycle_signs(inner):
            yield [still[part.low].tolist()], [part.vertices]


def _opposed(walks: Walks) -> Iterator[tuple[list[list[int]], list[set[int]]]]:
    """Yield a cycle of positive and one of negative total, and their components."""
    kinds = _cycle_signs(walks)
    for up, down in product(kinds, kinds):
        if up.high and down.low:
            yield [up.high, down.low], [up.vertices, down.vertices]


def _meeting(walks: Walks, groups: list[set[int]]) -> Walks | None:
    """The walks that meet every given set; new vertices record which sets were met."""
    masks, every = range(2 ** len(groups)), 2 ** len(groups) - 1
    mark = [sum(1 << k for k, group in enumerate(groups) if v in group) for v in range(walks.n)]
    ends = [*zip(walks.tails.tolist(), walks.heads.tolist(), strict=True)]
    size = len(masks)
    tails = [u * size + mask for u, _ in ends for mask in masks]
    heads = [v * size + (mask | mark[v]) for _, v in ends for mask in masks]
    whole = Walks(
        np.arange(walks.n * size),
        np.arange(len(tails)),
        np.array(tails, dtype=np.int64),
        np.array(heads, dtype=np.int64),
        np.repeat(walks.delays, size, axis=0),
        (1,) * len(tails),
        walks.start * size + mark[walks.start],
        walks.goal * size + every,
    )
    return whole.keeping(np.ones(len(tails), dtype=bool))


def _infinite(graph: DelayGraph, ends: Any, cycles: list[list[int]]) -> InfinitePathsError:
    walks = tuple(tuple(graph.edges[e] for e in cycle) for cycle in cycles)
    totals = [graph.delays[cycle].sum(axis=0).tolist() for cycle in cycles]
    round_ = " and ".join(
        f"{graph.show_walk(walk)} of total delay {total[0] if len(total) == 1 else tuple(total)}"
        for walk, total in zip(walks, totals, strict=True)
    )
    return InfinitePathsError(
        f"there are infinitely many paths from {ends[0]!r} to {ends[1]!r}, since they can repeat "
        f"{round_}; count the paths of a window, unrollgraph.unroll(G, window)",
        cycles=walks,
    )


def _forward(walks: Walks | None, total: int, sign: int = 1) -> int:
    """Count the walks of a total delay if all cycles have totals of one sign."""
    if walks is None:
        return 0
    delays = sign * walks.delays[:, 0]
    clock, level, _ = forward_times(walks.n, walks.tails, walks.heads, delays)
    late, rank = clock.tolist(), level.tolist()
    last = sign * total + late[walks.goal] - late[walks.start]
    longest = int((delays + clock[walks.heads] - clock[walks.tails]).max(initial=0))
    if last > MOST_COUNTED * min(longest, 1 / walks.n) and not reaches(walks, total):
        return 0
    if last > MOST_COUNTED * longest:
        raise _too_many()
    out: list[list[tuple[int, int]]] = [[] for _ in range(walks.n)]
    for u, v, d in zip(walks.tails.tolist(), walks.heads.tolist(), delays.tolist(), strict=True):
        out[u].append((v, d + late[v] - late[u]))

    def after(state: Any) -> Iterator[tuple[Any, Any]]:
        u, time = state
        for v, d in out[u]:
            if time + d <= last:
                yield (time + d, rank[v]), (v, time + d)

    return _counted((walks.start, 0), (walks.goal, last), after)


def _counted(start: Any, goal: Any, after: Callable[[Any], Iterator[tuple[Any, Any]]]) -> int:
    """Sum the numbers of paths in the order of keys, which increase along every edge."""
    count, heap = {start: 1}, [((), 0, start)]
    met = 0
    while heap:
        _, _, state = heappop(heap)
        number = count.pop(state)
        if state == goal:
            return number
        for key, further in after(state):
            if further in count:
                count[further] += number
            else:
                count[further] = number
                met += 1
                heappush(heap, (key, met, further))
        if met > MOST_COUNTED:
            raise _too_many()
    return 0


def _too_many() -> TooLargeError:
    return TooLargeError(
        f"more than {MOST_COUNTED} vertices of the cover lie between source and target; choose "
        "vertices whose times are closer"
    )


# -- in Z^d --------------------------------------------------------------------------------


def _in_space(graph: DelayGraph, walks: Walks, ends: Any, step: Any) -> int:
    """Count the paths in Z^d along a linear schedule."""
    inner = inner_graph(walks)
    try:
        schedule = acyclicity_certificate(inner)
    except CyclicCoverError as error:
        # A path that meets the zero walk can repeat it. Without such paths, remove its vertices.
        met = {v for walk, _ in error.walk.segments for edge in walk for v in edge[:2]}
        meeting = _meeting(walks, [met])
        if meeting is not None and reaches_in_space(meeting, ends, step, None):
            raise _infinite(graph, ends, _cycles_of(error.walk, walks)) from None
        left = walks.avoiding(met)
        return 0 if left is None else _in_space(graph, left, ends, step)
    if not schedule.is_linear:
        raise ValueError(
            f"the paths from {ends[0]!r} to {ends[1]!r} cannot be counted, since there is no "
            "linear schedule for the edges between them; count the paths of a window, "
            "unrollgraph.unroll(G, window)"
        )
    inside, _ = bounds_in_space(walks, inner, step)
    last = schedule.key((walks.goal, step))

    def after(node: Any) -> Iterator[tuple[Any, Any]]:
        u, time = node
        for e in inner.out_numbers[u]:
            further = int(inner.heads[e]), add(time, inner.times[e], 1)
            key = schedule.key(further)
            if key <= last and inside(further):
                yield key, further

    return _counted((walks.start, (0,) * len(step)), (walks.goal, step), after)


def _cycles_of(walk: ZeroWalk, walks: Walks) -> list[list[int]]:
    """Edge numbers of the closed segments of a zero walk.

    If a segment is not closed and the walk has at most `MOST_COUNTED` edges, of the whole walk.
    """
    number: dict[Any, int] = {}
    keys: dict[tuple[int, int], int] = {}
    rows = zip(walks.tails.tolist(), walks.heads.tolist(), walks.edges.tolist(), strict=True)
    for u, v, e in rows:  # parallel edges have the keys of `inner_graph`
        key = keys.get((u, v), 0)
        keys[u, v] = key + 1
        number[u, v, key] = e
    parts = [part for part, _ in walk.segments]
    if any(part[0][0] != part[-1][1] for part in parts) and walk.length <= MOST_COUNTED:
        parts = [tuple(walk)]
    return [[number[edge] for edge in part] for part in parts if part[0][0] == part[-1][1]]
