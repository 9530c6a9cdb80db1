"""How many paths of the infinite cover lead from one vertex to another.

They are the lifts of the walks below with one total delay; where a path comes back to a vertex
of the cover it is counted for each way round. In Z their number is infinite exactly when such a
walk can meet

* a vertex on a closed walk of total zero, or
* a component whose cycles all have positive totals and one whose cycles have negative ones:
  so many turns round the one make up for so many round the other.

For, of infinitely many walks with one total some differ only by closed walks inserted (Dickson),
whose totals then add up to zero. Whether such a walk has the total is a question about
walks that remember which components they met, and `walk_totals` answers it. Else
each walk meets components of one sign only, and goes along a schedule from start to goal: their
number is a sum over the vertices of the cover between, in the order of the schedule.

In Z^d paths are counted where a linear schedule exists, after the vertices on closed walks of
total zero are left out; a path that meets one of them is one of infinitely many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import product
from typing import Any

import numpy as np

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.errors import (
    CyclicCoverError,
    InfinitePathsError,
    TooLargeError,
    show_vertex,
    show_walk,
)
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.potentials import ascent, clocks
from unrollgraph.graph.times import add
from unrollgraph.limits import MOST_COUNTED
from unrollgraph.measure.acyclicity import verdict
from unrollgraph.measure.certificates import ZeroWalk
from unrollgraph.measure.path_search import Walks, bounds_in_space, inner_graph, reaches_in_space
from unrollgraph.measure.paths import reaches, walks_between
from unrollgraph.measure.walk_totals import strong_parts


def path_count(cover: DelayCover, source: Any, target: Any) -> int:
    """Count the paths of the infinite cover from one vertex to another.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    source, target : vertices of the cover
        Pairs of a vertex of the base and a time.

    Returns
    -------
    int
        Exact; parallel arcs count. From a vertex to itself the path without arcs counts too.

    Raises
    ------
    InfinitePathsError
        If there are infinitely many; it carries the cycle of total zero, or the cycles
        whose totals cancel, that they go round.
    LiftError
        If source or target is no vertex of the cover.
    ValueError
        If times are in Z^d and cycles between source and target neither cancel nor go
        forward along one direction, or if more vertices of the cover lie between them than
        fit into memory.
    RadiusError
        If times are in Z^d and nothing decides whether a path meets a closed walk of total zero.

    Notes
    -----
    One sum for each arc of the cover between source and target; the numbers have as many digits
    as their answer.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> fibonacci = ug.DelayCover(ug.gallery.bouquet(1, 2))
    >>> (h,) = fibonacci.base
    >>> [ug.path_count(fibonacci, (h, 0), (h, n)) for n in range(10)]
    [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]
    """
    graph, walks, step = walks_between(as_cover(cover), source, target)
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


class _Kind:
    """A strong component, and which signs the totals of its cycles have.

    Attributes
    ----------
    vertices : set of int
        Its vertices.
    low, high : list of int
        A cycle of total zero or less, and one of zero or more, by its edges; empty if there
        is none.
    """

    def __init__(self, walks: Walks, edges: Any) -> None:
        ends, self._inner = walks.digraph.restricted(edges)
        n, tails, heads, delays = self._inner
        self.vertices: set[int] = set(ends.tolist())
        *_, low = ascent(n, tails, heads, delays[:, 0])
        *_, high = ascent(n, tails, heads, -delays[:, 0])
        self.low, self.high = (edges[list(cycle)].tolist() for cycle in (low, high))
        self.edges = edges

    def still(self) -> Any:
        """Edges without delay by clocks by which none goes back; None if there are no such."""
        n, tails, heads, delays = self._inner
        for sign in (1, -1):
            _, still, cycle = clocks(n, tails, heads, sign * delays[:, 0])
            if not cycle:
                return self.edges[still]
        return None


def _kinds(walks: Walks) -> list[_Kind]:
    return [_Kind(walks, edges) for edges in strong_parts(walks)]


def _ends(walks: Walks, sign: int) -> set[int]:
    """Vertices of the components with totals of a sign, where each has totals of one sign."""
    kinds = _kinds(walks)
    return {v for kind in kinds if (kind.high if sign > 0 else kind.low) for v in kind.vertices}


def _alone(walks: Walks) -> Iterator[tuple[list[list[int]], list[set[int]]]]:
    """Closed walks of total zero, and vertices each of which is on one.

    In a component with totals of both signs all are; in one with totals of one sign, and zero,
    those on cycles that stay still by clocks.
    """
    for kind in _kinds(walks):
        if not (kind.low and kind.high):
            continue
        still = kind.still()
        if still is None:
            zero = [c for c in (kind.low, kind.high) if not walks.delays[c, 0].sum()]
            yield zero[:1] or [kind.high, kind.low], [kind.vertices]
            continue
        inner = walks.taking(still)
        for part in _kinds(inner):
            yield [still[part.low].tolist()], [part.vertices]


def _opposed(walks: Walks) -> Iterator[tuple[list[list[int]], list[set[int]]]]:
    """A cycle of positive and one of negative total, and their components."""
    kinds = _kinds(walks)
    for up, down in product(kinds, kinds):
        if up.high and down.low:
            yield [up.high, down.low], [up.vertices, down.vertices]


def _meeting(walks: Walks, groups: list[set[int]]) -> Walks | None:
    """The walks that meet each of some sets: their vertices remember which they met."""
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
        f"{show_walk(walk, delay=graph.time_of)} of total delay "
        f"{total[0] if len(total) == 1 else tuple(total)}"
        for walk, total in zip(walks, totals, strict=True)
    )
    return InfinitePathsError(
        f"infinitely many paths lead from {show_vertex(ends[0])} to {show_vertex(ends[1])}, since "
        f"they can go round {round_}; count those of a window, unrollgraph.unroll(G, window)",
        cycles=walks,
    )


def _forward(walks: Walks | None, total: int, sign: int = 1) -> int:
    """Count the walks of a total where all cycles have totals of one sign."""
    if walks is None:
        return 0
    delays = sign * walks.delays[:, 0]
    clock, level, _ = ascent(walks.n, walks.tails, walks.heads, delays)
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
    """Count paths by adding up counts in the order of keys, which every step makes larger."""
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
        f"more than {MOST_COUNTED} vertices of the cover lie between source and target; count over "
        "fewer steps"
    )


# -- in Z^d --------------------------------------------------------------------------------


def _in_space(graph: DelayGraph, walks: Walks, ends: Any, step: Any) -> int:
    """Count the paths in Z^d, by a linear schedule.

    A path that meets a closed walk of total zero can go round it: there are infinitely many, or
    none, and what is on such a walk is left out then.
    """
    inner = inner_graph(walks)
    try:
        schedule = verdict(inner)
    except CyclicCoverError as error:
        met = {v for walk, _ in error.walk.segments for edge in walk for v in edge[:2]}
        meeting = _meeting(walks, [met])
        if meeting is not None and reaches_in_space(meeting, ends, step, None):
            raise _infinite(graph, ends, _cycles_of(error.walk, walks)) from None
        left = walks.avoiding(met)
        return 0 if left is None else _in_space(graph, left, ends, step)
    if not schedule.is_linear:
        raise ValueError(
            f"the paths from {show_vertex(ends[0])} to {show_vertex(ends[1])} cannot be counted, "
            "since no linear schedule exists for what lies between; count those of a window, "
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
    """The closed parts of a zero walk by edges of the base, or the whole of it if one is open."""
    number: dict[Any, int] = {}
    keys: dict[tuple[int, int], int] = {}
    rows = zip(walks.tails.tolist(), walks.heads.tolist(), walks.edges.tolist(), strict=True)
    for u, v, e in rows:  # as `inner_graph` numbers parallel edges
        key = keys.get((u, v), 0)
        keys[u, v] = key + 1
        number[u, v, key] = e
    parts = [part for part, _ in walk.segments]
    if any(part[0][0] != part[-1][1] for part in parts) and walk.length <= MOST_COUNTED:
        parts = [tuple(walk)]
    return [[number[edge] for edge in part] for part in parts if part[0][0] == part[-1][1]]
