"""Receptive fields: from which times an input reaches an output.

The output at time T depends on the input at time T - lag exactly when a walk leads from the
input to the output whose total delay is the lag. Those lags are infinitely many as soon as a
cycle with a delay lies between, but they are *eventually periodic*: finitely many arithmetic
progressions describe them, as `unrollgraph.measure.walk_totals` shows.

Bidirectional networks have lags of both signs; a feed-forward network has finitely many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unrollgraph.errors import CertificateError, WindowError, check_size
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, each_vertex
from unrollgraph.graph.times import integer
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.measure.certificates import one_axis
from unrollgraph.measure.path_search import between
from unrollgraph.measure.walk_totals import Family, families


@dataclass(frozen=True)
class ReceptiveField:
    """The lags from which an input reaches an output.

    Attributes
    ----------
    source, target : vertices
        The input and the output.
    progressions : tuple of (int, int)
        First lag and step: lags first, first + step, first + 2 step, ...; the step is
        negative where lags go down, and 0 for a single lag.
    classes : tuple of (int, int)
        Residue and modulus: all lags of that residue.
    graph : DelayGraph
        The network.
    families : tuple of Family
        How they were found.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> field = ug.receptive_field(ug.gallery.dilated(3), "x", "h3")
    >>> field.progressions
    ((0, 1),)
    >>> 10**9 in field, -1 in field, field.earliest, field.latest, field.check()
    (True, False, 0, None, True)
    """

    source: Any
    target: Any
    progressions: tuple[tuple[int, int], ...]
    classes: tuple[tuple[int, int], ...]
    graph: DelayGraph = field(repr=False)
    families: tuple[Family, ...] = field(repr=False)

    def __contains__(self, lag: object) -> bool:
        try:
            number = integer(lag)
        except TypeError:
            return False
        return any(_holds(p, number) for p in self.progressions) or any(
            (number - residue) % modulus == 0 for residue, modulus in self.classes
        )

    @property
    def earliest(self) -> int | None:
        """The least lag; None if there is none, or lags go down for ever."""
        return self._end(1)

    @property
    def latest(self) -> int | None:
        """The greatest lag; None if there is none, or lags go up for ever."""
        return self._end(-1)

    def lags(self, window: range) -> tuple[int, ...]:
        """The lags in a range, ascending; `WindowError` for what is no range."""
        if not isinstance(window, range):
            raise WindowError(f"lags are listed in a range, not in {window!r}", window=window)
        count = (window.stop - window.start) // window.step
        check_size(
            count, MOST_OBJECTS, "the list of lags", "take a shorter range, or test lag in field"
        )
        return tuple(lag for lag in sorted(window) if lag in self)

    def check(self) -> bool:
        """Verify that no walk has a total that is not among the lags.

        That each lag has a walk, ``unrollgraph.shortest_path`` shows by one.

        Returns
        -------
        bool
            True.

        Raises
        ------
        CertificateError
            With an edge along which totals are reached that the tables do not know, or if the
            progressions do not say what the tables say.

        Notes
        -----
        For each family a table gives each vertex, residue, and whether the family's vertices
        were met, the first total. Going once over all edges shows that no walk does better.
        """
        gone: set[int] = set()
        for family in self.families:
            _check_known(self.graph, family, gone, self._ends)
            gone |= set(family.through)
        start, goal = self._ends
        whole = bool(self.families) and not self.families[-1].modulus
        if not whole and start not in gone and start in _before(self.graph, goal, gone):
            raise CertificateError("there are walks of which the tables say nothing")
        if (self.progressions, self.classes) != _described(self.families):
            raise CertificateError("the progressions are not those of the tables")
        return True

    @property
    def _ends(self) -> tuple[int, int]:
        return self.graph.number[self.source], self.graph.number[self.target]

    def _end(self, sign: int) -> int | None:
        if self.classes or any(sign * step < 0 for _, step in self.progressions):
            return None
        ends = [first for first, _ in self.progressions]
        return (min(ends) if sign > 0 else max(ends)) if ends else None


def receptive_field(G: Any, source: Any, target: Any, *, delay: str = "delay") -> ReceptiveField:
    """Find the lags from which an input reaches an output.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph with delays in Z, of any sign.
    source, target : vertices
        The input and the output.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    ReceptiveField
        The lags, as finitely many progressions: the target at time T depends on the source at
        time T - lag. Without a path it is empty.

    Raises
    ------
    ValueError
        If source or target is no vertex, delays are vectors, or so large that the tables
        would not fit into memory.

    Notes
    -----
    O(n m D) for each cycle of total D that is taken out, at most n of them.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.receptive_field(ug.gallery.seed_network(), "in", "out").progressions
    ((0, 1),)
    >>> both = ug.receptive_field(ug.gallery.bidirectional(), "x", "y")
    >>> both.progressions
    ((0, 1), (0, -1))
    """
    graph = as_delay_graph(G, delay)
    one_axis(graph)
    for vertex in (source, target):
        each_vertex(graph, [vertex], "the receptive field")
    walks = between(graph, graph.number[source], graph.number[target], [0] * len(graph.edges))
    found = tuple(families(walks))
    return ReceptiveField(source, target, *_described(found), graph, found)


def _holds(progression: tuple[int, int], lag: int) -> bool:
    first, step = progression
    if not step:
        return lag == first
    return (lag - first) % step == 0 and (lag - first) // step >= 0


def _described(found: tuple[Family, ...]) -> tuple[Any, Any]:
    """Progressions and classes of families, without those that lie within one before."""
    classes: list[tuple[int, int]] = []
    progressions: list[tuple[int, int]] = []
    known: dict[int, dict[int, int]] = {}  # by step and residue, the first that was met
    for family in found:
        step = family.modulus
        every = {r for r, first in family.first.items() if first is None}
        for residue, modulus in _coarse(every, step):
            if not any(modulus % m == 0 and (residue - r) % m == 0 for r, m in classes):
                classes.append((residue, modulus))
        if not step:
            rays = [(total, 0) for total in sorted(family.first)]
        else:
            rays = _rays({first for first in family.first.values() if first is not None}, step)
        for first, by in rays:
            if any(by % m == 0 and (first - r) % m == 0 for r, m in classes):
                continue
            if not any(_within(first, by, s, table) for s, table in known.items()):
                progressions.append((first, by))
                table, residue = known.setdefault(by, {}), first % abs(by) if by else first
                if residue not in table or (first - table[residue]) * by < 0:
                    table[residue] = first
    return tuple(progressions), tuple(classes)


def _within(first: int, by: int, step: int, table: dict[int, int]) -> bool:
    """Whether a progression lies within one of a step, whose first of each residue are known."""
    begin = table.get(first % abs(step) if step else first)
    if begin is None or not _holds((begin, step), first):
        return False
    return not by or (by * step > 0 and by % step == 0)


def _coarse(residues: set[int], modulus: int) -> list[tuple[int, int]]:
    """A set of residues modulo the least divisor for which it is a union of classes."""
    for m in range(1, abs(modulus) + 1):
        if modulus % m == 0 and all((r + m) % abs(modulus) in residues for r in residues):
            return [(r, m) for r in sorted({r % m for r in residues})]
    return []


def _rays(firsts: set[int], step: int) -> list[tuple[int, int]]:
    """Progressions of a step as those of the least divisor that makes the same of them.

    With all of ``a, a + m, ..., a + step - m`` among the firsts they make one of step m.
    """
    sign = 1 if step > 0 else -1
    least = {sign * first for first in firsts}
    for m in range(1, abs(step)):
        if abs(step) % m:
            continue
        heads = [a for a in least if a - m not in least]
        length = abs(step) // m
        if not least or len(heads) * length != len(least):
            continue
        if all(a + k * m in least for a in heads for k in range(length)):
            return [(sign * a, sign * m) for a in sorted(heads)]
    return [(sign * a, step) for a in sorted(least)]


def _before(graph: DelayGraph, goal: int, gone: set[int]) -> set[int]:
    """Vertices from which a goal is reached without meeting some others."""
    found, queue = {goal} - gone, [goal] if goal not in gone else []
    for v in queue:  # grows while it is read
        for e in graph.in_numbers[v]:
            u = int(graph.tails[e])
            if u not in found and u not in gone:
                found.add(u)
                queue.append(u)
    return found


def _check_known(graph: DelayGraph, family: Family, gone: set[int], ends: tuple[int, int]) -> None:
    """Raise if some walk that avoids what is gone has a total that a table does not know."""
    (start, goal), modulus = ends, family.modulus
    sign, through = 1 if modulus > 0 else -1, set(family.through)
    useful = _before(graph, goal, gone)
    table = family.table if modulus else _as_triples(family.table)

    def known(state: Any, total: int | None) -> bool:
        if state not in table:
            return False
        best = table[state]
        return best is None or (total is not None and sign * best <= sign * total)

    def after(state: Any, e: int) -> Any:
        _, passed, residue = state
        v, d = int(graph.heads[e]), int(graph.delays[e, 0])
        total = residue + d
        return v, passed or v in through, total % abs(modulus) if modulus else total

    if start in useful and not known((start, start in through, 0), 0):
        raise CertificateError("the table does not know the walk without edges")
    for state, total in table.items():
        for e in graph.out_numbers[state[0]] if state[0] in useful else ():
            further = None if total is None else total + int(graph.delays[e, 0])
            if int(graph.heads[e]) in useful and not known(after(state, e), further):
                raise CertificateError(
                    "a walk has a total that the field does not know", edge=graph.edges[e]
                )
    ending = {r: total for (v, passed, r), total in table.items() if v == goal and passed}
    if family.first != (ending if modulus else dict.fromkeys(family.table.get(goal, ()))):
        raise CertificateError("the totals at the target are not those of the table")


def _as_triples(table: Any) -> dict[Any, int]:
    """Sets of totals as if they were residues modulo infinity."""
    return {(v, False, total): total for v, totals in table.items() for total in totals}
