"""Clock periods: how fast a circuit can be clocked, and how retiming makes it faster.

A synchronous circuit is a delay graph: vertices compute for some duration, and an edge of
delay d passes through d registers, so no delay is negative. Within a period signals run
along edges of delay zero; the *clock period* is the greatest sum of durations on a path of
such edges.

Retiming moves registers through vertices and changes nothing else. The least period over
all retimings that leave no delay negative comes with a proof. A closed walk keeps its total
delay; cut it into k pieces that share their ends. If its total delay is less than k, then
in every retiming one of the pieces has no register, and so the period is at least the
duration of the shortest piece. `Retiming` has k pieces like that whose durations all reach
its period.

Where some vertices must keep their clocks (those through which a circuit meets the world)
the walk may jump from one of them to another, for their distance in time does not change.

The retiming is found as those walks are. While the period is P, every path of duration P or
more needs a register: its last vertex is delayed once more on account of the first. Either
all periods become shorter than P, and P is lowered; or a vertex is delayed on account of
itself, and the pieces on the way round are the proof.

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

from unrollgraph.errors import CertificateError, show_edge, show_stops, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, Edge, as_delay_graph, each_vertex
from unrollgraph.graph.digraph import levels
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import ExactNumbers
from unrollgraph.measure.certificates import check_integers, one_axis
from unrollgraph.measure.cycle_ratio import (
    CycleRatio,
    clocks_forward,
    durations_of,
    max_cycle_ratio,
)


class Piece(NamedTuple):
    """A walk from a vertex; of no edges where the vertex by itself takes long enough."""

    start: Any
    walk: tuple[Edge, ...]

    @property
    def vertices(self) -> tuple[Any, ...]:
        """The vertices along the walk."""
        return (self.start, *(edge[1] for edge in self.walk))


@dataclass(frozen=True)
class Retiming:
    """A retiming of least clock period, with what proves that none is less.

    Attributes
    ----------
    shifts : mapping
        The shift of each vertex, as `retime` takes it; 0 at fixed vertices.
    period : Fraction
        The clock period after it.
    critical_path : tuple of vertices
        A path of delay zero, after it, whose durations sum up to the period.
    graph : DelayGraph
        The circuit before it.
    durations : mapping
        The duration of each vertex.
    fixed : tuple of vertices
        Vertices that keep their clocks.
    proof : tuple of Piece
        k pieces, each as long as the period, of a closed walk with fewer than k registers;
        empty where the period is 0. Pieces that are not as long as the period, where
        there are fixed vertices, do not count.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("A", "B")
    >>> G.add_edge("B", "A", delay=2)
    >>> found = ug.min_period_retiming(G, {"A": 2, "B": 4})
    >>> found
    Retiming(period 4, critical path B)
    >>> ug.clock_period(G, {"A": 2, "B": 4}), found.check()
    (Fraction(6, 1), True)
    """

    shifts: Mapping[Any, int]
    period: Fraction
    critical_path: tuple[Any, ...]
    graph: DelayGraph = field(repr=False)
    durations: Mapping[Any, Fraction] = field(repr=False)
    fixed: tuple[Any, ...] = field(repr=False)
    proof: tuple[Piece, ...] = field(repr=False)

    def check(self) -> bool:
        """Verify that the retiming is allowed and has its period, and that none has less.

        Returns
        -------
        bool
            True.

        Raises
        ------
        CertificateError
            With what refutes it.

        Notes
        -----
        O(n + m) exact operations.
        """
        graph, r = self.graph, self.shifts
        check_integers("shifts", r.values())
        delay = dict(zip(graph.edges, graph.delays[:, 0].tolist(), strict=True))
        after = {edge: d + r[edge[1]] - r[edge[0]] for edge, d in delay.items()}
        for edge, d in after.items():
            if d < 0:
                raise CertificateError(f"{show_edge(edge)} would have delay {d}", edge=edge)
        for vertex in self.fixed:
            if r[vertex]:
                raise CertificateError(f"{show_vertex(vertex)} is fixed, but is shifted")
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
                    raise CertificateError("a piece of the proof is no walk", edge=edge)
                here = edge[1]
                total += delay[edge]
            if here != after.start and not {here, after.start} <= set(self.fixed):
                raise CertificateError("the pieces of the proof do not join")
            count += sum(self.durations[v] for v in piece.vertices) >= self.period
        if total >= count:
            raise CertificateError(
                f"the proof has {count} pieces as long as the period, and {total} registers"
            )

    def __repr__(self) -> str:
        return f"Retiming(period {self.period}, critical path {show_stops(self.critical_path)})"


def clock_period(G: Any, duration: Any = None, *, delay: str = "delay") -> Fraction:
    """Greatest sum of durations on a path of delay zero.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph without negative delays, and without a cycle of delay zero.
    duration : str or mapping, optional
        The vertex attribute that holds the duration, or a mapping from vertices to
        durations; unless given every vertex takes 1. Durations are numbers of any kind,
        none of them negative.
    delay : str
        The edge attribute that holds the delay: the registers on an edge.

    Returns
    -------
    Fraction
        The period; 0 for a graph without vertices.

    Raises
    ------
    UnboundedError
        If a cycle has a total delay of zero or less; it carries the cycle.
    ValueError
        If a delay is negative, or a duration is missing, negative or no number.

    Notes
    -----
    O(n + m), exactly.

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
    clocks_forward(graph, delays.tolist())
    for k in np.flatnonzero(delays < 0)[:1].tolist():
        raise ValueError(
            f"the edge {show_edge(graph.edges[k])} has delay {delays[k]}, but a circuit has no "
            "negative number of registers; min_period_retiming finds an equal circuit without"
        )
    return Fraction(_longest(graph, delays, durations.whole)[0], durations.unit)


def iteration_bound(G: Any, duration: Any = None, *, delay: str = "delay") -> CycleRatio:
    """Least time that each step takes, however the computation is scheduled.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph whose cycles all have a positive total delay.
    duration : str or mapping, optional
        Durations of the vertices, as for `clock_period`.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    CycleRatio
        The greatest ratio of durations to delay over the cycles, the critical cycle and
        the proof.

    Raises
    ------
    networkx.NetworkXNoCycle
        If there is no cycle.
    UnboundedError
        If a cycle has a total delay of zero or less; it carries the cycle.
    ValueError
        If a duration is missing, negative or no number.

    Notes
    -----
    The cost is that of `max_cycle_ratio`. `cyclic_cover(G, n)`, the n-unfolding, takes n
    steps at once and has n times the bound.

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
    G: Any, duration: Any = None, *, fixed: Iterable[Any] = (), delay: str = "delay"
) -> Retiming:
    """Find a retiming after which the clock period is least.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph whose cycles all have a positive total delay. Delays may be
        negative; after the retiming none is.
    duration : str or mapping, optional
        Durations of the vertices, as for `clock_period`.
    fixed : iterable of vertices
        Vertices whose clocks are not moved: where the circuit meets the world.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Retiming
        Shifts for `retime`, the period, a path that has it, and the proof that no
        retiming has a smaller one.

    Raises
    ------
    UnboundedError
        If a cycle has a total delay of zero or less; it carries the cycle.
    ValueError
        If with these fixed vertices some delay is negative in every retiming, a fixed
        vertex is none of the graph, or a duration is missing, negative or no number.

    Notes
    -----
    Each round costs O(n + m); there are at most O(n^2) of them. Random circuits of 10,000
    vertices take a second; where a register travels along a chain of 2,000 it is twenty.
    Without fixed vertices, and with unit durations, the least period is the greatest
    ratio of edges to delay over the cycles, rounded up.

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
    ticks, _ = clocks_forward(graph, graph.delays[:, 0].tolist())
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
    proof: tuple[Piece, ...]


class _Reason(NamedTuple):
    """Why a vertex was delayed: on account of the first vertex of a chain of edges."""

    vertex: int
    edges: tuple[int, ...]


class _Rounds:
    """Delay vertices for good reasons until one is delayed on account of itself.

    All shifts are the least that the reasons ask for, beginning with those given. Reasons
    are of three kinds: a path as long as the period needs a register; no delay is
    negative; fixed vertices go together.
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
        """Lower the period as far as it goes."""
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
                "with these fixed vertices some delay is negative in every retiming: "
                f"the edges {', '.join(show_edge(e) for p in proof for e in p.walk)} between them "
                "have a negative total delay; fix fewer vertices"
            )
        return best._replace(proof=proof)

    def _settle(self, moved: set[int]) -> tuple[Piece, ...]:
        """Let fixed vertices go together and no delay be negative; or return a proof."""
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
        """The period, when each vertex is done, and the chain of edges that it waits for."""
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

    def _around(self, moved: list[int]) -> tuple[Piece, ...]:
        """Follow reasons back from what has moved; where that goes round, return the pieces."""
        seen: dict[int, int] = {}
        for mark, root in enumerate(moved):
            v = root
            while v in self.reasons and v not in seen:
                seen[v] = mark
                v = self.reasons[v].vertex
            if seen.get(v) == mark and v in self.reasons:
                names, edges = self.graph.vertices, self.graph.edges
                pieces: list[Piece] = []
                u = v
                while not pieces or u != v:
                    reason = self.reasons[u]
                    walk = tuple(edges[e] for e in reason.edges)
                    pieces.append(Piece(names[reason.vertex], walk))
                    u = reason.vertex
                return tuple(reversed(pieces))
        return ()


def _longest(
    graph: DelayGraph, delays: Any, durations: Sequence[Any]
) -> tuple[Any, list[Any], list[Any]]:
    """Longest sums of durations along edges of delay zero, which have no cycle.

    Returns the greatest, that of the paths into each vertex, and for each vertex the chain
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
