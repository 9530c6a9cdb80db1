"""Clock period of a circuit, and retiming to the least period.

A synchronous circuit is a delay graph without negative delays: vertices compute for a given
duration, and an edge of delay d has d registers. The *clock period* is the greatest sum of
durations on a path of edges of delay zero.

Retiming moves registers through vertices. The least period over all retimings without negative
delays is proved as follows. Retiming preserves the total delay of a closed walk. Cut a closed walk
into k segments that share their end vertices. If its total delay is less than k, then in every
retiming a segment has no register, so the period is at least the duration of the shortest
segment. A `Retiming` has k such segments, each with a duration of at least its period. If some
vertices are fixed, the walk may jump between them, since their shifts are equal.

Algorithm: for the period P, each path of duration P or more needs a register, so its last vertex
is shifted by 1 more. Either the period becomes less than P, and P is reduced, or the reasons for
the shift of a vertex lead back to it, and the segments of this closed walk are the proof.

References
----------
C. E. Leiserson, J. B. Saxe, Retiming synchronous circuitry, Algorithmica 6 (1991).
H. Zhou, Deriving a new efficient algorithm for min-period retiming, ASP-DAC (2005).
K. K. Parhi, VLSI Digital Signal Processing Systems (1999).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from unrollgraph.errors import CertificateError, show_stops
from unrollgraph.graph.delay_graph import DelayGraph, Edge, GraphLike, as_delay_graph, each_vertex
from unrollgraph.graph.digraph import levels
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import ExactNumbers
from unrollgraph.measure.certificates import check_integers, one_axis
from unrollgraph.measure.cycle_ratio import (
    CycleRatio,
    Weights,
    check_forward,
    durations_of,
    max_cycle_ratio,
)


class PathSegment(NamedTuple):
    """A walk with its start vertex; the walk may have no edges."""

    start: Any
    walk: tuple[Edge, ...]

    @property
    def vertices(self) -> tuple[Any, ...]:
        """The vertices along the walk."""
        return (self.start, *(edge[1] for edge in self.walk))


@dataclass(frozen=True)
class Retiming:
    """A retiming of least clock period, with its proof.

    Attributes
    ----------
    shifts : mapping
        The shift of each vertex, as in `retime`; 0 at fixed vertices.
    period : Fraction
        The clock period after the retiming.
    critical_path : tuple of vertices
        A path of delay zero after the retiming whose durations sum to the period.
    graph : DelayGraph
        The circuit before the retiming.
    durations : mapping
        The duration of each vertex.
    fixed : tuple of vertices
        The vertices that must not be shifted.
    proof : tuple of PathSegment
        Walks that prove that no smaller period is possible. Each ends where the next begins,
        cyclically, or both ends are fixed vertices. Their total delay is less than the number of
        walks with a duration >= `period`. Empty if the period is 0.
    """

    shifts: Mapping[Any, int]
    period: Fraction
    critical_path: tuple[Any, ...]
    graph: DelayGraph = field(repr=False)
    durations: Mapping[Any, Fraction] = field(repr=False)
    fixed: tuple[Any, ...] = field(repr=False)
    proof: tuple[PathSegment, ...] = field(repr=False)

    def check(self) -> bool:
        """Verify that the retiming is valid and its period is the least; return True.

        O(n + m) exact operations.

        Raises
        ------
        CertificateError
            If the shifts, the period or the proof are wrong.
        """
        graph, r = self.graph, self.shifts
        check_integers("shifts", r.values())
        delay = dict(zip(graph.edges, graph.delays[:, 0].tolist(), strict=True))
        after = {edge: d + r[edge[1]] - r[edge[0]] for edge, d in delay.items()}
        for edge, d in after.items():
            if d < 0:
                raise CertificateError(
                    f"edge {edge!r} has the negative delay {d} after the retiming", edge=edge
                )
        for vertex in self.fixed:
            if r[vertex]:
                raise CertificateError(f"fixed vertex {vertex!r} is shifted by {r[vertex]}")
        whole = np.array([after[edge] for edge in graph.edges], dtype=object)
        if _longest(graph, whole, [self.durations[v] for v in graph.vertices])[0] != self.period:
            raise CertificateError(f"the period after the retiming is not {self.period}")
        if self.period:
            self._check_proof(delay)
        return True

    def _check_proof(self, delay: Mapping[Edge, int]) -> None:
        total = count = 0
        for piece, after in zip(self.proof, self.proof[1:] + self.proof[:1], strict=True):
            here = piece.start
            for edge in piece.walk:
                if edge not in delay or edge[0] != here:
                    raise CertificateError(
                        "a segment of the proof is not a walk of the graph", edge=edge
                    )
                here = edge[1]
                total += delay[edge]
            if here != after.start and not {here, after.start} <= set(self.fixed):
                raise CertificateError("consecutive segments of the proof do not join")
            count += sum(self.durations[v] for v in piece.vertices) >= self.period
        if total >= count:
            raise CertificateError(
                f"the proof has {total} registers, but must have fewer than its {count} segments "
                f"with a duration >= {self.period}"
            )

    def __repr__(self) -> str:
        return f"Retiming(period {self.period}, critical path {show_stops(self.critical_path)})"


def clock_period(G: GraphLike, duration: Weights = None, *, delay: str = "delay") -> Fraction:
    """Greatest sum of durations on a path of delay zero.

    O(n + m) exact operations.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays must be >= 0, and every cycle must have a positive total delay.
    duration : str or mapping, optional
        Vertex attribute of the durations (numbers >= 0), or a mapping; default: 1 each.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Fraction
        The period; 0 for a graph without vertices.

    Raises
    ------
    UnboundedError
        If a cycle has a total delay <= 0; the attribute ``cycle`` contains it.
    ValueError
        If a delay is negative or a vector, or a duration is missing, negative or not a number.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.clock_period(ug.gallery.seed_network())
    Fraction(5, 1)
    """
    graph = as_delay_graph(G, delay)
    durations = durations_of(graph, duration)
    one_axis(graph)
    delays = graph.delays[:, 0]
    check_forward(graph, delays.tolist())
    for k in np.flatnonzero(delays < 0)[:1].tolist():
        raise ValueError(
            f"edge {graph.edges[k]!r} has delay {delays[k]}, but a number of registers must be "
            ">= 0; min_period_retiming finds an equivalent circuit without negative delays"
        )
    return Fraction(_longest(graph, delays, durations.whole)[0], durations.unit)


def iteration_bound(G: GraphLike, duration: Weights = None, *, delay: str = "delay") -> CycleRatio:
    """Least time per step over all schedules of the computation.

    The cost is that of `max_cycle_ratio`. The n-unfolding ``cyclic_cover(G, n)`` computes n steps
    at once and has n times the bound.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every cycle must have a positive total delay.
    duration : str or mapping, optional
        Vertex attribute of the durations (numbers >= 0), or a mapping; default: 1 each.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    CycleRatio
        The greatest ratio of durations to delay over all cycles, with its proof.

    Raises
    ------
    networkx.NetworkXNoCycle, UnboundedError
        As for `max_cycle_ratio`.
    ValueError
        If a duration is missing, negative or not a number, or if the delays are vectors.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("A", "B")
    >>> G.add_edge("B", "A", delay=1)
    >>> ug.iteration_bound(G, {"A": 2, "B": 4})
    CycleRatio(6, A -> B -> A)
    """
    graph = as_delay_graph(G, delay)
    durations = durations_of(graph, duration)
    at = dict(zip(graph.vertices, _numbers(durations), strict=True))
    return max_cycle_ratio(graph, {edge: at[edge[0]] for edge in graph.edges})


def min_period_retiming(
    G: GraphLike,
    duration: Weights = None,
    *,
    fixed: Iterable[Any] = (),
    delay: str = "delay",
) -> Retiming:
    """Find a retiming with the least clock period.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every cycle must have a positive total delay.
    duration : str or mapping, optional
        Vertex attribute of the durations (numbers >= 0), or a mapping; default: 1 each.
    fixed : iterable of vertices
        Vertices that must not be shifted: the interface of the circuit.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Retiming
        The shifts for `retime`, the period and a critical path, with the proof. After the
        retiming no delay is negative.

    Raises
    ------
    UnboundedError
        If a cycle has a total delay <= 0; the attribute ``cycle`` contains it.
    ValueError
        If every retiming that keeps the fixed vertices has a negative delay, a fixed vertex is not
        in the graph, a duration is missing, negative or not a number, or the delays are vectors.

    Notes
    -----
    At most O(n^2) rounds of O(n + m). Random circuits of 10,000 vertices take a second; moving a
    register along a chain of 2,000 vertices takes twenty. Without fixed vertices and with unit
    durations, the least period is the greatest ratio of edges to delay over all cycles, rounded up
    (1 without cycles).

    Examples
    --------
    >>> import unrollgraph as ug
    >>> found = ug.min_period_retiming(ug.gallery.seed_network(), fixed=["in"])
    >>> found.period, found.shifts["out"]
    (Fraction(3, 1), 1)
    """
    graph = as_delay_graph(G, delay)
    one_axis(graph)
    kept = tuple(each_vertex(graph, fixed, "fixed"))
    durations = durations_of(graph, duration)
    ticks, _ = check_forward(graph, graph.delays[:, 0].tolist())
    best = _Rounds(graph, durations.whole, kept, [int(t) for t in ticks]).run()
    base = best.shifts[graph.number[kept[0]]] if kept else min(best.shifts, default=0)
    names = graph.vertices
    return Retiming(
        shifts=FrozenDict((v, shift - base) for v, shift in zip(names, best.shifts, strict=True)),
        period=Fraction(best.period, durations.unit),
        critical_path=tuple(names[v] for v in best.path),
        graph=graph,
        durations=FrozenDict(zip(names, _numbers(durations), strict=True)),
        fixed=kept,
        proof=best.proof,
    )


# -- rounds of retiming ------------------------------------------------------------


class _Best(NamedTuple):
    shifts: list[int]
    period: int
    path: list[int]
    proof: tuple[PathSegment, ...]


class _Reason(NamedTuple):
    """Why a vertex was shifted: a constraint by the first vertex of a chain of edges."""

    vertex: int
    edges: tuple[int, ...]


class _Rounds:
    """Increase shifts for stated reasons until the reasons of a shift form a cycle.

    The shifts are the least ones that satisfy all reasons, starting from the given shifts. A reason
    is a path as long as the period, which needs a register; an edge, whose delay must not be
    negative; or the fixed vertices, whose shifts must be equal.
    """

    def __init__(
        self, graph: DelayGraph, durations: Sequence[int], fixed: tuple[Any, ...], shifts: list[int]
    ) -> None:
        self.graph, self.durations, self.shifts = graph, durations, shifts
        self.delays = graph.delays[:, 0].tolist()
        self.tails, self.heads = graph.tails.tolist(), graph.heads.tolist()
        self.fixed = [graph.number[v] for v in fixed]
        self.reasons: dict[int, _Reason] = {}

    def run(self) -> _Best:
        """Reduce the period until it is the least."""
        best: _Best | None = None
        proof = self._settle(set(self.fixed))
        while not proof:
            period, finish, chains = self._paths()
            if best is None or period < best.period:
                path = self._path(finish.index(period), chains) if finish else []
                best = _Best(list(self.shifts), period, path, ())
                if not period:
                    return best
            late = [v for v, time in enumerate(finish) if time >= best.period]
            for v in late:
                edges = self._unchained(chains[v])
                first = self.tails[edges[0]] if edges else v
                self.reasons[v] = _Reason(first, edges)
            for v in late:
                self.shifts[v] += 1
            proof = self._around(late) or self._settle(set(late))
        if best is None:
            raise ValueError(
                "with these fixed vertices every retiming has a negative delay: the edges "
                f"{', '.join(repr(e) for p in proof for e in p.walk)} between fixed vertices have "
                "a negative total delay; fix fewer vertices"
            )
        return best._replace(proof=proof)

    def _settle(self, moved: set[int]) -> tuple[PathSegment, ...]:
        """Make fixed shifts equal and delays nonnegative, or return a proof."""
        out = self.graph.out_numbers
        while moved:
            changed = []
            if moved & set(self.fixed):
                leader = max(self.fixed, key=self.shifts.__getitem__)
                for v in self.fixed:
                    if self.shifts[v] < self.shifts[leader]:
                        self.shifts[v] = self.shifts[leader]
                        self.reasons[v] = _Reason(leader, ())
                        changed.append(v)
                        moved.add(v)
            for u in sorted(moved):
                for e in out[u]:
                    v, least = self.heads[e], self.shifts[u] - self.delays[e]
                    if self.shifts[v] < least:
                        self.shifts[v] = least
                        self.reasons[v] = _Reason(u, (e,))
                        changed.append(v)
            proof = self._around(changed)
            if proof:
                return proof
            moved = set(changed)
        return ()

    def _paths(self) -> tuple[int, list[int], list[Any]]:
        """Return the period, and the finish time and critical chain of each vertex."""
        after = np.array(
            [
                d + self.shifts[v] - self.shifts[u]
                for d, u, v in zip(self.delays, self.tails, self.heads, strict=True)
            ],
            dtype=object,
        )
        return _longest(self.graph, after, self.durations)

    def _unchained(self, chain: Any) -> tuple[int, ...]:
        edges = []
        while chain:
            edge, chain = chain
            edges.append(edge)
        return tuple(reversed(edges))

    def _path(self, v: int, chains: list[Any]) -> list[int]:
        edges = self._unchained(chains[v])
        return [self.tails[e] for e in edges] + [v]

    def _around(self, moved: list[int]) -> tuple[PathSegment, ...]:
        """Return the segments if the reasons for the moved vertices contain a cycle."""
        seen: dict[int, int] = {}
        for mark, root in enumerate(moved):
            v = root
            while v in self.reasons and v not in seen:
                seen[v] = mark
                v = self.reasons[v].vertex
            if seen.get(v) == mark and v in self.reasons:
                names, edges = self.graph.vertices, self.graph.edges
                pieces: list[PathSegment] = []
                u = v
                while not pieces or u != v:
                    reason = self.reasons[u]
                    walk = tuple(edges[e] for e in reason.edges)
                    pieces.append(PathSegment(names[reason.vertex], walk))
                    u = reason.vertex
                return tuple(reversed(pieces))
        return ()


def _longest(
    graph: DelayGraph, delays: Any, durations: Sequence[Any]
) -> tuple[Any, list[Any], list[Any]]:
    """Compute longest sums of durations along the edges of delay zero (no cycles).

    Returns the greatest sum, that of the paths into each vertex, and for each vertex the chain
    ``(last edge, chain before it)`` of its path, or None.
    """
    n = len(graph.vertices)
    still = np.flatnonzero(delays == 0)
    tails, heads = graph.tails[still], graph.heads[still]
    order = np.argsort(levels(n, tails, heads)[heads], kind="stable")
    finish = list(durations)
    chains: list[Any] = [None] * n
    for e, u, v in zip(
        still[order].tolist(), tails[order].tolist(), heads[order].tolist(), strict=True
    ):
        if finish[u] + durations[v] > finish[v]:
            finish[v] = finish[u] + durations[v]
            chains[v] = (e, chains[u])
    return max(finish, default=0), finish, chains


def _numbers(weights: ExactNumbers) -> list[Fraction]:
    return [Fraction(number, weights.unit) for number in weights.whole]
