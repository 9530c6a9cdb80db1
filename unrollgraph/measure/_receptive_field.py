"""Receptive fields: the time lags at which an input reaches an output.

The output at time T depends on the input at time T - lag iff a walk from the input to the output
has this lag as its total delay. If such walks can meet a cycle of nonzero total delay, there are
infinitely many lags, but they are *eventually periodic*: finitely many arithmetic progressions
describe them (`unrollgraph.measure.walk_totals`). Bidirectional networks have lags of both signs;
feed-forward networks have finitely many lags.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unrollgraph.errors import CertificateError, WindowError, check_size
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph, each_vertex
from unrollgraph.graph.times import integer
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.measure.certificates import one_axis
from unrollgraph.measure.path_search import between
from unrollgraph.measure.walk_totals import Family, families


@dataclass(frozen=True)
class ReceptiveField:
    """The lags at which an input reaches an output.

    Attributes
    ----------
    source, target : vertices
        The input and the output.
    progressions : tuple of (int, int)
        First lag and step: the lags first, first + step, first + 2 step, .... The step is
        negative if the lags decrease, and 0 for a single lag.
    classes : tuple of (int, int)
        Residue and modulus: all integers of this residue are lags.
    graph : DelayGraph
        The delay graph.
    families : tuple of Family
        Tables of total delays, for `check`.

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
        """The least lag; None if there are no lags or no least one."""
        return self._end(1)

    @property
    def latest(self) -> int | None:
        """The greatest lag; None if there are no lags or no greatest one."""
        return self._end(-1)

    def lags(self, window: range) -> tuple[int, ...]:
        """Return the lags in a range, ascending; `WindowError` for other types."""
        if not isinstance(window, range):
            raise WindowError(
                f"the lags must be listed in a range such as range(10), not in {window!r}",
                window=window,
            )
        count = (window.stop - window.start) // window.step
        check_size(
            count, MOST_OBJECTS, "the list of lags", "use a shorter range, or test `lag in field`"
        )
        return tuple(lag for lag in sorted(window) if lag in self)

    def check(self) -> bool:
        """Verify that every total of a walk from source to target is a lag; return True.

        A walk for each lag is found by ``unrollgraph.shortest_path``. The check visits every edge
        once for each table entry at its tail.

        Raises
        ------
        CertificateError
            If not; its attribute ``edge`` is an edge to a total that is not in the tables, if any.
        """
        gone: set[int] = set()
        for family in self.families:
            _check_known(self.graph, family, gone, self._ends)
            gone |= set(family.through)
        start, goal = self._ends
        whole = bool(self.families) and not self.families[-1].modulus
        if not whole and start not in gone and start in _before(self.graph, goal, gone):
            raise CertificateError("the tables do not cover all walks from source to target")
        if (self.progressions, self.classes) != _described(self.families):
            raise CertificateError("the progressions do not agree with the tables")
        return True

    @property
    def _ends(self) -> tuple[int, int]:
        return self.graph.number[self.source], self.graph.number[self.target]

    def _end(self, sign: int) -> int | None:
        if self.classes or any(sign * step < 0 for _, step in self.progressions):
            return None
        ends = [first for first, _ in self.progressions]
        return (min(ends) if sign > 0 else max(ends)) if ends else None


def receptive_field(
    G: GraphLike, source: Any, target: Any, *, delay: str = "delay"
) -> ReceptiveField:
    """Find the lags at which an input reaches an output.

    O(n m D) for each cycle, of total D, whose vertices are removed; at most n cycles.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays must be integers, of any sign.
    source, target : vertices
        The input and the output.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    ReceptiveField
        The target at time T depends on the source at time T - lag for its lags. It is empty if
        there is no path.

    Raises
    ------
    ValueError
        If source or target is not a vertex of the graph, or if delays are vectors.
    TooLargeError
        If a table of total delays would have more than 10,000,000 entries.

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
    """Progressions and classes of families, without those contained in earlier ones."""
    classes: list[tuple[int, int]] = []
    progressions: list[tuple[int, int]] = []
    known: dict[int, dict[int, int]] = {}  # first lag by step and residue
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
    """Whether a progression is contained in those of a step with known first lags."""
    begin = table.get(first % abs(step) if step else first)
    if begin is None or not _holds((begin, step), first):
        return False
    return not by or (by * step > 0 and by % step == 0)


def _coarse(residues: set[int], modulus: int) -> list[tuple[int, int]]:
    """Describe residues by classes modulo the least possible divisor of ``modulus``."""
    for m in range(1, abs(modulus) + 1):
        if modulus % m == 0 and all((r + m) % abs(modulus) in residues for r in residues):
            return [(r, m) for r in sorted({r % m for r in residues})]
    return []


def _rays(firsts: set[int], step: int) -> list[tuple[int, int]]:
    """Merge progressions of one step to those of the least possible divisor of it."""
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
    """Vertices from which a walk that avoids the vertices ``gone`` reaches the goal."""
    found, queue = {goal} - gone, [goal] if goal not in gone else []
    for v in queue:  # grows while it is read
        for e in graph.in_numbers[v]:
            u = int(graph.tails[e])
            if u not in found and u not in gone:
                found.add(u)
                queue.append(u)
    return found


def _check_known(graph: DelayGraph, family: Family, gone: set[int], ends: tuple[int, int]) -> None:
    """Raise if a walk that avoids ``gone`` has a total that is not in the table."""
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
        raise CertificateError("the table does not contain the walk without edges")
    for state, total in table.items():
        for e in graph.out_numbers[state[0]] if state[0] in useful else ():
            further = None if total is None else total + int(graph.delays[e, 0])
            if int(graph.heads[e]) in useful and not known(after(state, e), further):
                raise CertificateError(
                    f"a walk along edge {graph.edges[e]!r} has a total that is not in the table",
                    edge=graph.edges[e],
                )
    ending = {r: total for (v, passed, r), total in table.items() if v == goal and passed}
    if family.first != (ending if modulus else dict.fromkeys(family.table.get(goal, ()))):
        raise CertificateError("the first totals at the target do not agree with the table")


def _as_triples(table: Any) -> dict[Any, int]:
    """Convert sets of totals to the form of a table with infinite modulus."""
    return {(v, False, total): total for v, totals in table.items() for total in totals}
