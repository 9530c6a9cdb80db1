"""Certificates: what proves that an infinite cover is acyclic, or that it is not.

A `Schedule` gives every vertex ``(v, t)`` of the delay cover a key, and keys strictly
increase along every arc; so there is no cycle. It is a finite thing: to each vertex v
of the base belong affine forms ``X . t + rho``, one for each stage, and the key is the
tuple of their values. Along an arc over an edge of delay d a form with the same slope at both ends
changes by the constant ``X . d + rho(head) - rho(tail)``, so that going once through
the edges of the base checks all arcs of the cover.

A `ZeroWalk` is a closed walk of the base whose total delay is zero; its lift is closed
too, so there is a cycle. Such a walk may need a number of edges of the size of the
delays, so it is kept as segments with counts and never written out.

Both verify themselves with ``check()``, in exact integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from unrollgraph.errors import CertificateError, show_edge, show_vertex, show_walk
from unrollgraph.graph.delay_graph import DelayGraph, Edge, known
from unrollgraph.graph.times import as_time
from unrollgraph.measure.lattices import dot


@dataclass(frozen=True)
class Stage:
    """One affine form for each vertex of the base: slope times time, plus an offset.

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
    """A proof that a delay cover is acyclic: keys that increase along every arc.

    Attributes
    ----------
    graph : DelayGraph
        The base.
    stages : tuple of Stage
        Keys are compared first by the first stage, and so on.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> schedule = ug.verdict(ug.gallery.seed_network())
    >>> schedule.key(("C", 0)), schedule.key(("A", 1)), schedule.is_linear
    ((3,), (6,), True)
    >>> schedule.check()
    True
    """

    graph: DelayGraph
    stages: tuple[Stage, ...]

    @property
    def is_linear(self) -> bool:
        """Whether one form with the same slope everywhere suffices."""
        return len(self.stages) == 1 and len(set(self.stages[0].slopes)) <= 1

    @property
    def time_direction(self) -> str:
        """For delays in Z ``"forward"``, ``"backward"`` or ``"mixed"``, as `time_direction` says.

        Raises
        ------
        ValueError
            If the delays are vectors, which have no such direction.
        """
        one_axis(self.graph)
        if not self.is_linear:
            return "mixed"
        return "backward" if any(slope < (0,) for slope in self.stages[0].slopes) else "forward"

    def key(self, node: Any) -> tuple[int, ...]:
        """Key of a vertex ``(v, t)`` of the delay cover: one integer for each stage."""
        vertex, time = node if isinstance(node, tuple) and len(node) == 2 else (None, None)
        found = as_time(time, self.graph.dimension)
        if not known(vertex, self.graph.number) or found is None:
            raise ValueError(f"{show_vertex(node)} is no vertex of the cover")
        k = self.graph.number[vertex]
        times = found if isinstance(found, tuple) else (found,)
        return tuple(dot(s.slopes[k], times) + s.offsets[k] for s in self.stages)

    def check(self) -> bool:
        """Verify that keys increase along every arc of the infinite cover.

        Returns
        -------
        bool
            True.

        Raises
        ------
        CertificateError
            With the first edge over which they do not.

        Notes
        -----
        O(stages x edges x d) exact integer operations.
        """
        graph = self.graph
        for stage in self.stages:
            _check_exact(stage, len(graph.vertices), graph.dimension)
        ends = zip(graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True)
        for edge, (u, v, delay) in zip(graph.edges, ends, strict=True):
            if not self._increases(u, v, delay):
                raise CertificateError(
                    f"the schedule does not increase over the edge {show_edge(edge)}", edge=edge
                )
        return True

    def _increases(self, u: int, v: int, delay: list[int]) -> bool:
        for stage in self.stages:
            if stage.slopes[u] != stage.slopes[v]:
                return False  # the change depends on the time and was not decided before
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
    """A closed walk of total delay zero, whose lift is closed too.

    A directed one proves that a delay cover has a cycle. One that goes against some edges is,
    above, a cycle of the cover seen without directions, which its maximal abelian cover opens.
    Iterating yields its edges one by one, of which there may be very many. The walk is not a
    shortest one in general; in Z, where few edges and small delays allow to search for it, it is.

    Attributes
    ----------
    graph : DelayGraph
        The base.
    segments : tuple of (walk, count)
        Walks joined head to tail, each walked ``count`` times; a walk that is walked
        more than once is closed. A walk is a tuple of edges.
    signed : bool
        Whether walks are tuples of ``(edge, sign)`` instead, with the sign -1 where the walk goes
        against the edge.

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
        """Number of edges; it may exceed what ``len`` can return."""
        return sum(len(walk) * count for walk, count in self.segments)

    def __iter__(self) -> Iterator[Any]:
        for walk, count in self.segments:
            done = 0
            while done < count:  # a count may exceed what `range` and `repeat` take
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
        """A walk as edges with signs."""
        return walk if self.signed else tuple((edge, 1) for edge in walk)

    def _passed(self) -> dict[Edge, int]:
        """How often each edge is passed forward, less how often backward."""
        passed: dict[Edge, int] = {}
        for walk, count in self.segments:
            for edge, sign in self._steps(walk):
                passed[edge] = passed.get(edge, 0) + sign * count
        return passed

    def check(self) -> bool:
        """Verify that the walk is closed, of total zero, and passes some edge more often one way.

        Returns
        -------
        bool
            True.

        Raises
        ------
        CertificateError
            If it is not.

        Notes
        -----
        O(edges in the segments), whatever their counts.
        """
        walks = []
        for walk, count in self.segments:
            if not walk or type(count) is not int or count < 1:
                raise CertificateError(
                    "a segment of the walk is empty, or no whole number of times"
                )
            steps = self._steps(walk)
            for edge, sign in steps:
                if not known(edge, self.graph.edge_number) or sign not in {1, -1}:
                    raise CertificateError(f"{edge!r} is no edge of the graph", edge=edge)
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
            raise CertificateError("the walk goes along each edge as often forward as backward")
        return True

    def __str__(self) -> str:
        """Segments such as ``(a -> a) x 3``, one after another."""
        parts = []
        for walk, count in self.segments:
            edges = [e if sign > 0 else (e[1], e[0], *e[2:]) for e, sign in self._steps(walk)]
            text = show_walk(edges, delay=None if self.signed else self.graph.time_of)
            parts.append(f"{text}" if count == 1 else f"({text}) x {count}")
        return ", then ".join(parts)


def one_axis(graph: DelayGraph) -> None:
    """Refuse delays that are vectors, where one direction of time is asked for."""
    if graph.dimension > 1:
        raise ValueError(
            f"time has one direction where delays are integers, but these are in "
            f"Z^{graph.dimension}; the slopes of verdict(G) tell a direction in which to run"
        )


def check_integers(what: str, numbers: Iterable[Any]) -> None:
    """Refuse what could prove something false: fractions of a step, floats, no numbers."""
    for number in numbers:
        if type(number) is not int:
            raise CertificateError(f"{what} are integers, but {number!r} is among them")


def _check_exact(stage: Stage, n: int, dimension: int) -> None:
    """Certificates are in Python integers, one form for each vertex."""
    numbers = [*stage.offsets, *chain.from_iterable(stage.slopes)]
    if (
        len(stage.offsets) != n
        or len(stage.slopes) != n
        or any(len(slope) != dimension for slope in stage.slopes)
        or any(type(number) is not int for number in numbers)
    ):
        raise CertificateError(
            f"a stage needs {n} slopes of {dimension} and {n} offsets, all of them integers"
        )


def _check_joins(before: tuple[Edge, int], after: tuple[Edge, int]) -> None:
    here = before[0][1 if before[1] > 0 else 0]
    edge, sign = after
    if here != edge[0 if sign > 0 else 1]:
        raise CertificateError(
            f"the walk does not join: {show_edge(edge)} does not leave {show_vertex(here)}",
            edge=edge,
        )
