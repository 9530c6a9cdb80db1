"""Certificates that an infinite cover is acyclic, or that it has a cycle.

A `Schedule` proves that the delay cover is acyclic: it assigns a key to every vertex ``(v, t)``,
and the keys strictly increase along every edge. Each base vertex v has one affine form
``X . t + rho`` per stage, and the key is the tuple of their values. Along an edge of delay d, a
form with the same slope X at both ends changes by the constant
``X . d + rho(head) - rho(tail)``, so a check of the base edges covers all edges of the cover.

A `ZeroWalk` is a closed walk of the base graph with total delay zero. It proves that the cover
has a cycle, because its lifts are closed. Its length may grow with the delays, so it is stored as
segments with counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from unrollgraph.errors import CertificateError, show_walk
from unrollgraph.graph.delay_graph import DelayGraph, Edge, known
from unrollgraph.graph.times import as_time
from unrollgraph.measure.lattices import dot


@dataclass(frozen=True)
class Stage:
    """One affine form per base vertex: slope times time plus an offset.

    Attributes
    ----------
    slopes : tuple of tuple of int
        The slope at each vertex, in the order of the vertices.
    offsets : tuple of int
        The offset at each vertex.
    """

    slopes: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True)
class Schedule:
    """A proof that a delay cover is acyclic: keys that increase along every edge.

    Attributes
    ----------
    graph : DelayGraph
        The base graph.
    stages : tuple of Stage
        The forms; keys are compared lexicographically, the first stage first.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> schedule = ug.acyclicity_certificate(ug.gallery.seed_network())
    >>> schedule.key(("C", 0)), schedule.key(("A", 1)), schedule.is_linear
    ((3,), (6,), True)
    >>> schedule.check()
    True
    """

    graph: DelayGraph
    stages: tuple[Stage, ...]

    @property
    def is_linear(self) -> bool:
        """Whether there is one stage, with the same slope at every vertex."""
        return len(self.stages) == 1 and len(set(self.stages[0].slopes)) <= 1

    @property
    def time_direction(self) -> str:
        """Direction of time as in `time_direction`; `ValueError` for vectors."""
        one_axis(self.graph)
        if not self.is_linear:
            return "mixed"
        return "backward" if any(slope < (0,) for slope in self.stages[0].slopes) else "forward"

    def key(self, node: Any) -> tuple[int, ...]:
        """Key of a vertex ``(v, t)`` of the delay cover: one integer per stage."""
        vertex, time = node if isinstance(node, tuple) and len(node) == 2 else (None, None)
        found = as_time(time, self.graph.dimension)
        if not known(vertex, self.graph.number) or found is None:
            raise ValueError(f"{node!r} is not a vertex of the cover")
        k = self.graph.number[vertex]
        times = found if isinstance(found, tuple) else (found,)
        return tuple(dot(s.slopes[k], times) + s.offsets[k] for s in self.stages)

    def check(self) -> bool:
        """Verify that keys increase along every edge of the infinite cover; return True.

        O(stages x edges x d) exact integer operations.

        Raises
        ------
        CertificateError
            If they do not; its attribute ``edge`` is the first such base edge.
        """
        graph = self.graph
        for stage in self.stages:
            _check_exact(stage, len(graph.vertices), graph.dimension)
        ends = zip(graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True)
        for edge, (u, v, delay) in zip(graph.edges, ends, strict=True):
            if not self._increases(u, v, delay):
                raise CertificateError(
                    f"the schedule does not increase along edge {edge!r}", edge=edge
                )
        return True

    def _increases(self, u: int, v: int, delay: list[int]) -> bool:
        for stage in self.stages:
            if stage.slopes[u] != stage.slopes[v]:
                return False  # the change depends on the time
            gain = dot(stage.slopes[u], delay) + stage.offsets[v] - stage.offsets[u]
            if gain:
                return gain > 0
        return False

    def __repr__(self) -> str:
        count = len(self.stages)
        kind = "linear" if self.is_linear else "lexicographic"
        return (
            f"<{kind} Schedule of {len(self.graph.vertices)} vertices in "
            f"{count} stage{'s' if count > 1 else ''}>"
        )


@dataclass(frozen=True)
class ZeroWalk:
    """A closed walk of total delay zero, whose lifts to the delay cover are closed.

    A directed walk proves that the delay cover has a directed cycle. A signed walk may traverse
    edges backward; its lifts to the delay cover are closed, but its lifts to the maximal abelian
    cover are not. Iteration yields the edges one by one; their number may be very large. For
    delays in Z the walk is a shortest one if the search for it stayed within its limit.

    Attributes
    ----------
    graph : DelayGraph
        The base graph.
    segments : tuple of (walk, count)
        Consecutive walks, each traversed ``count`` times; a walk with a count > 1 is closed.
        A walk is a tuple of edges.
    signed : bool
        Whether a walk is a tuple of ``(edge, sign)``, with sign -1 for an edge traversed backward.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.MultiDiGraph()
    >>> _ = G.add_edge("a", "a", delay=2), G.add_edge("a", "a", delay=-3)
    >>> walk = ug.find_zero_walk(G)
    >>> walk.segments
    (((('a', 'a', 0),), 3), ((('a', 'a', 1),), 2))
    >>> walk.length, walk.check()
    (5, True)
    """

    graph: DelayGraph
    segments: tuple[tuple[tuple[Any, ...], int], ...]
    signed: bool = False

    @property
    def length(self) -> int:
        """Number of edges; it may exceed the range of ``len``."""
        return sum(len(walk) * count for walk, count in self.segments)

    def __iter__(self) -> Iterator[Any]:
        for walk, count in self.segments:
            done = 0
            while done < count:  # a count may exceed the range of `range` and `repeat`
                yield from walk
                done += 1

    def total(self) -> tuple[int, ...]:
        """Total delay, in exact integers."""
        sums = [0] * self.graph.dimension
        for edge, times in self._passed().items():
            for axis, d in enumerate(self.graph.delays[self.graph.edge_number[edge]].tolist()):
                sums[axis] += times * d
        return tuple(sums)

    def _steps(self, walk: tuple[Any, ...]) -> tuple[tuple[Edge, int], ...]:
        """Return the edges of a walk with their signs."""
        return walk if self.signed else tuple((edge, 1) for edge in walk)

    def _passed(self) -> dict[Edge, int]:
        """Count the forward minus the backward traversals of each edge."""
        passed: dict[Edge, int] = {}
        for walk, count in self.segments:
            for edge, sign in self._steps(walk):
                passed[edge] = passed.get(edge, 0) + sign * count
        return passed

    def check(self) -> bool:
        """Verify that the walk is closed and has total delay zero; return True.

        O(edges in the segments), independent of the counts.

        Raises
        ------
        CertificateError
            If not, or if the walk traverses every edge as often forward as backward.
        """
        walks = []
        for walk, count in self.segments:
            if not walk or type(count) is not int or count < 1:
                raise CertificateError(
                    f"a segment of the walk is empty or has the count {count!r}; it needs at least "
                    "one edge and an integer count >= 1"
                )
            steps = self._steps(walk)
            for edge, sign in steps:
                if not known(edge, self.graph.edge_number) or sign not in {1, -1}:
                    raise CertificateError(
                        f"{edge!r} is not an edge of the graph, or its sign {sign!r} is neither 1 "
                        "nor -1",
                        edge=edge,
                    )
            for before, after in pairwise([*steps, steps[0]] if count > 1 else steps):
                _check_joins(before, after)
            walks.append(steps)
        if not walks:
            raise CertificateError("the walk has no edges")
        for before_walk, after_walk in pairwise([*walks, walks[0]]):
            _check_joins(before_walk[-1], after_walk[0])
        if any(self.total()):
            raise CertificateError(f"the total delay of the walk is {self.total()}, not zero")
        if not any(self._passed().values()):
            raise CertificateError(
                "the walk traverses every edge as often forward as backward, so it proves nothing"
            )
        return True

    def __str__(self) -> str:
        """Segments such as ``(a -> a) x 3``, separated by ``, then``."""
        parts = []
        for walk, count in self.segments:
            edges = [e if sign > 0 else (e[1], e[0], *e[2:]) for e, sign in self._steps(walk)]
            text = show_walk(edges) if self.signed else self.graph.show_walk(edges)
            parts.append(f"{text}" if count == 1 else f"({text}) x {count}")
        return ", then ".join(parts)


def one_axis(graph: DelayGraph) -> None:
    """Raise `ValueError` if the delays are vectors."""
    if graph.dimension > 1:
        raise ValueError(
            f"the delays are vectors in Z^{graph.dimension}, but they must be integers here; for "
            "vectors, acyclicity_certificate(G).stages[0].slopes contains a direction of time"
        )


def check_integers(what: str, numbers: Iterable[Any]) -> None:
    """Raise `CertificateError` for a number that is not a Python int."""
    for number in numbers:
        if type(number) is not int:
            raise CertificateError(f"{what} must be integers, but {number!r} is among them")


def _check_exact(stage: Stage, n: int, dimension: int) -> None:
    """Raise `CertificateError` if a stage has a wrong shape or non-integers."""
    numbers = [*stage.offsets, *chain.from_iterable(stage.slopes)]
    if (
        len(stage.offsets) != n
        or len(stage.slopes) != n
        or any(len(slope) != dimension for slope in stage.slopes)
        or any(type(number) is not int for number in numbers)
    ):
        raise CertificateError(
            f"invalid stage: it needs {n} slopes of length {dimension} and {n} offsets, "
            "all of them integers"
        )


def _check_joins(before: tuple[Edge, int], after: tuple[Edge, int]) -> None:
    here = before[0][1 if before[1] > 0 else 0]
    edge, sign = after
    if here != edge[0 if sign > 0 else 1]:
        raise CertificateError(
            f"the walk is not contiguous: edge {edge!r} does not continue from vertex {here!r}",
            edge=edge,
        )
