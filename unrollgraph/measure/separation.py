"""d-separation in the infinite delay cover.

A time-series graph of a causal model is a delay graph whose delays are time lags, and the model
itself is its infinite delay cover. Two sets X and Y of variables at given times are *d-separated*
by a set Z iff no walk between them is *active*: its colliders are in Z and its other vertices are
not. (A vertex of a walk is a collider if both its edges point to it. There is an active walk iff
there is an active path in the usual sense, where a collider may also be an ancestor of Z: descend
from the collider to Z and return.) Other software searches a window of the cover and can miss a
common cause further back; here the result is exact.

*Reduction.* Order the times such that no edge goes back (`unrollgraph.measure.ancestors`), and let
t0 be the least time of X, Y and Z. An active walk stays among the ancestors of the three sets: from
any of its vertices a directed part leads to an end of the walk or to a collider. Before t0 nothing
is given, so a part of the walk before t0 has no collider. It is a trek, and so are its ends related
in the table of treks. Conversely, a trek between two vertices before t0 stays before t0. Take the
ancestors at times >= t0, their parents before t0, and for each trek between two such parents a
shortcut, from a visit that came from a child to a visit that goes on to a child. In this finite
graph a breadth-first search finds an active walk, or shows that there is none.

References
----------
J. Pearl, Causality (2009), section 1.2.3. R. D. Shachter, Bayes-ball, UAI (1998). A. Gerhardus,
J. Wahl, S. Faltenbacher, U. Ninad, J. Runge, Projecting infinite time series graphs to finite
marginal graphs using number theory, arXiv 2310.05526 (2023), which shows by other means that
finitely many steps suffice. B. van der Zander, M. Liskiewicz, Finding minimal d-separators in
linear time and applications, UAI (2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.errors import CertificateError, SeparatedError, show_vertex
from unrollgraph.graph.delay_graph import GraphLike
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.measure.ancestors import (
    AncestralWindow,
    OrderedTimes,
    State,
    ancestral_window,
    listed,
    ordered_times,
)
from unrollgraph.measure.certificates import check_integers

Node = Any  # a vertex (v, t) of the cover
Visit = tuple[State, bool]  # a vertex, and whether the walk came from a child of it
UP, DOWN = "up", "down"


@dataclass(frozen=True)
class ActiveWalk:
    """A walk that proves that two sets of vertices are not d-separated.

    Attributes
    ----------
    cover : DelayCover
        The cover.
    nodes : tuple of vertices
        The vertices of the walk, in order. Edges can point in both directions.
    x, y, given : frozenset of vertices
        The three sets.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> walk = ug.find_active_walk(cover, ("in", 0), ("C", 0), {("out", 0)})
    >>> print(walk)
    (in, 0) -> (A, 0) -> (B, 0) -> (C, 0)
    >>> walk.colliders, walk.edges[1], walk.check()
    ((), (('A', 0), ('B', 0)), True)
    """

    cover: DelayCover = field(repr=False)
    nodes: tuple[Node, ...]
    x: frozenset[Node]
    y: frozenset[Node]
    given: frozenset[Node]

    @property
    def edges(self) -> tuple[Any, ...]:
        """The edges of the walk, in order; each one as an edge of the cover, in its direction."""
        steps = ((a, b) if self._forward(a, b) else (b, a) for a, b in pairwise(self.nodes))
        if not self.cover.is_multigraph():
            return tuple(steps)
        return tuple((a, b, next(iter(self.cover[a][b]))) for a, b in steps)

    @property
    def colliders(self) -> tuple[Node, ...]:
        """The vertices of the walk to which both of its edges at them point, in order."""
        inner = zip(self.nodes, self.nodes[1:], self.nodes[2:], strict=False)
        return tuple(b for a, b, c in inner if self._forward(a, b) and self._forward(c, b))

    def check(self) -> bool:
        """Verify that the walk is active; return True.

        Raises
        ------
        CertificateError
            If not.
        """
        if not self.nodes or self.nodes[0] not in self.x or self.nodes[-1] not in self.y:
            raise CertificateError("the walk does not lead from x to y")
        if {self.nodes[0], self.nodes[-1]} & self.given:
            raise CertificateError("an end of the walk is given")
        for a in self.nodes:
            if a not in self.cover:
                raise CertificateError(f"{a!r} is not a vertex of the cover")
        for a, b in pairwise(self.nodes):
            if not self._forward(a, b) and not self._forward(b, a):
                raise CertificateError(f"the cover has no edge between {a!r} and {b!r}")
        for a, b, c in zip(self.nodes, self.nodes[1:], self.nodes[2:], strict=False):
            if (self._forward(a, b) and self._forward(c, b)) != (b in self.given):
                raise CertificateError(
                    f"the walk is blocked at {b!r}: a vertex of the walk must be given iff both "
                    "edges point to it"
                )
        return True

    def _forward(self, a: Node, b: Node) -> bool:
        return self.cover.has_edge(a, b)

    def __str__(self) -> str:
        text = _show(self.nodes[0])
        for a, b in pairwise(self.nodes):
            text += f" {'->' if self._forward(a, b) else '<-'} {_show(b)}"
        return text


def _show(node: Node) -> str:
    return f"({show_vertex(node[0])}, {node[1]})"


@dataclass(frozen=True)
class Separation:
    """A proof that two sets of vertices are d-separated.

    It lists the vertices that active walks from ``x`` can reach, each with the direction of the
    last edge. The list is complete, because it is closed under all continuations of a walk. Before
    the time ``first`` nothing is given, so walks have no colliders there; the proof lists pairs of
    vertices that have no common ancestor.

    Attributes
    ----------
    cover : DelayCover
        The cover.
    x, y, given : frozenset of vertices
        The three sets.
    sign, shifts : int, mapping
        The *ordered time* ``sign * t + shifts[v]`` of a vertex ``(v, t)`` does not decrease along
        any edge into an ancestor of the three sets.
    first : int
        Least ordered time of the three sets.
    reached : frozenset of (vertex, str)
        Vertices at ordered times >= ``first`` that active walks reach, and their parents before;
        with "up" if the walk comes from a child, "down" if it comes from a parent.
    apart : frozenset of (vertex, vertex, int)
        Pairs (v, w, d) of base vertices such that v and w at ordered times that differ by d >= 0
        (v is later) have no common ancestor.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> try:
    ...     ug.find_active_walk(cover, ("in", 0), ("out", 1), {("B", 0), ("B", 1)})
    ... except ug.errors.SeparatedError as error:
    ...     error.separation.check()
    True
    """

    cover: DelayCover = field(repr=False)
    x: frozenset[Node]
    y: frozenset[Node]
    given: frozenset[Node]
    sign: int = field(repr=False)
    shifts: Mapping[Any, int] = field(repr=False)
    first: int = field(repr=False)
    reached: frozenset[tuple[Node, str]] = field(repr=False)
    apart: frozenset[tuple[Any, Any, int]] = field(repr=False)

    def check(self) -> bool:
        """Verify the proof from the edges of the cover; return True.

        O(edges among the ancestors, plus in-edges of the pairs).

        Raises
        ------
        CertificateError
            If it does not prove the separation.
        """
        self._check_form()
        ancestors, border = self._ancestors()
        if not {(a, UP) for a in self.x} <= self.reached:
            raise CertificateError("the list of reached vertices does not contain all of x")
        if any(a in self.y for a, _ in self.reached):
            raise CertificateError("an active walk reaches y")
        for a, way in self.reached:
            for b in self._continuations(a, way, ancestors, border):
                if b not in self.reached:
                    raise CertificateError(
                        f"a walk can continue from {a!r} to {b[0]!r}, which is not in the list of "
                        "reached vertices"
                    )
        for pair in self.apart:
            if pair[0] == pair[1] and not pair[2]:
                raise CertificateError(f"{pair[0]!r} is its own common ancestor")
            if not self._moves(*pair) <= self.apart:
                raise CertificateError(
                    f"the pair {pair!r} has parents that are not in the list of pairs without a "
                    "common ancestor"
                )
        return True

    def _check_form(self) -> None:
        if self.sign not in (1, -1):
            raise CertificateError(f"the sign is {self.sign!r}, but must be 1 or -1")
        gaps = [gap for *_, gap in self.apart]
        check_integers("times and differences", [self.first, *self.shifts.values(), *gaps])
        if self.x & self.y or self.given & (self.x | self.y):
            raise CertificateError("the three sets are not disjoint")
        sets = self.x | self.y | self.given
        if sets and min(map(self._time, sets)) != self.first:
            raise CertificateError("the first time is not the least time of the three sets")

    def _time(self, node: Node) -> int:
        if node not in self.cover or node[0] not in self.shifts:
            raise CertificateError(f"{node!r} is not a vertex of the cover with an ordered time")
        return self.sign * int(node[1]) + self.shifts[node[0]]

    def _parents(self, node: Node) -> list[Node]:
        parents = list(self.cover.predecessors(node))
        for a in parents:
            if self._time(a) > self._time(node):
                raise CertificateError(f"the edge from {a!r} to {node!r} goes back in ordered time")
        return parents

    def _ancestors(self) -> tuple[set[Node], set[Node]]:
        """Ancestors of the three sets since the first time, and their parents before it."""
        queue = [*self.x, *self.y, *self.given]
        ancestors, border = set(queue), set[Node]()
        for b in queue:  # grows while it is read
            for a in self._parents(b):
                if self._time(a) < self.first:
                    border.add(a)
                elif a not in ancestors:
                    ancestors.add(a)
                    queue.append(a)
        return ancestors, border

    def _continuations(
        self, a: Node, way: str, ancestors: set[Node], border: set[Node]
    ) -> Iterator[tuple[Node, str]]:
        if self._time(a) < self.first:
            for b in border if way == UP else ():
                if self._pair(a, b) not in self.apart:
                    yield b, DOWN
        elif (way == UP) != (a in self.given):
            yield from ((b, UP) for b in self.cover.predecessors(a))
        if a not in self.given:
            yield from ((b, DOWN) for b in self.cover.successors(a) if b in ancestors)

    def _pair(self, a: Node, b: Node) -> tuple[Any, Any, int]:
        gap = self._time(a) - self._time(b)
        return (a[0], b[0], gap) if gap >= 0 else (b[0], a[0], -gap)

    def _moves(self, v: Any, w: Any, gap: int) -> set[tuple[Any, Any, int]]:
        """Pairs in which a parent replaces the later vertex, or one of two at equal times."""
        if v not in self.shifts or w not in self.shifts:
            raise CertificateError(f"{(v, w)!r} is not a pair of vertices with ordered times")
        a = v, self.sign * (gap - self.shifts[v])
        b = w, -self.sign * self.shifts[w]
        moves = {self._pair(p, b) for p in self._parents(a)}
        if not gap:
            moves |= {self._pair(a, p) for p in self._parents(b)}
        return moves


def d_separated(G: GraphLike, x: Any, y: Any, given: Any = (), *, delay: str = "delay") -> bool:
    """Whether a set of vertices d-separates two others in the infinite delay cover.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays must be integers.
    x, y, given : vertex, or iterable of vertices
        Disjoint finite sets of vertices ``(v, t)`` of the cover.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    bool
        Exact: common causes at any time before the given vertices are taken into account. For a
        proof see `find_active_walk`.

    Raises
    ------
    LiftError
        If a vertex is not a vertex of the cover.
    ValueError
        If the sets are not disjoint, or if delays are vectors.
    CyclicCoverError
        If an ancestor of the sets is on a directed cycle of the cover.
    UnboundedError
        If the ancestors contain cycles of positive and of negative total delay.
    TooLargeError
        If there are more than 2,000,000 ancestors between the given times, or the table of treks
        exceeds its limit, about n m D = 25,000,000 for n ancestors in the base graph with m edges
        and delays of at most D.

    Notes
    -----
    O(edges among the ancestors of the sets, from the least of the given times on). If an active
    walk can reach times before it, also O(n m D) for the table of treks, and O(b^2) for the b
    ancestors before that time that have a child at or after it; b is at most n D.

    Examples
    --------
    A common cause h of two rings of 7 and 8 variables, which reaches ``a0`` and ``b0`` at the same
    time after 22 steps at the earliest:

    >>> import unrollgraph as ug
    >>> G = ug.gallery.driven_rings(7, 8, 3)
    >>> ug.d_separated(G, ("a0", 0), ("b0", 0))
    False
    """
    return _decide(as_cover(G, delay), x, y, given)[1] is None


def find_active_walk(
    G: GraphLike, x: Any, y: Any, given: Any = (), *, delay: str = "delay"
) -> ActiveWalk:
    """Find a walk between two sets that a third set does not block.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays must be integers.
    x, y, given : vertex, or iterable of vertices
        Disjoint finite sets of vertices ``(v, t)`` of the cover.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    ActiveWalk
        Its colliders are in ``given``, its other vertices are not. It can have repeated vertices,
        where it descends from a collider of a path to a given vertex and returns.

    Raises
    ------
    SeparatedError
        If ``given`` d-separates the two sets; a `networkx.NetworkXNoPath`. Its attribute
        ``separation`` is the proof, a `Separation`.
    LiftError, ValueError, CyclicCoverError, UnboundedError, TooLargeError
        As for `d_separated`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> print(ug.find_active_walk(cover, ("in", 1), ("C", 0), ("B", 1)))
    (in, 1) -> (A, 1) -> (B, 1) <- (A, 1) <- (C, 0)
    """
    cover = as_cover(G, delay)
    window, end, came, sets = _decide(cover, x, y, given)
    if end is None:
        raise SeparatedError(
            "the given vertices d-separate x and y: no walk between them is active; the attribute "
            "`separation` of this error is a proof",
            separation=_separation(cover, window, came, sets),
        )
    states = [end[0]]
    while (before := came[end]) is not None:
        if before[0][1] < window.first and end[0][1] < window.first:
            states += window.times.treks.trek(end[0], before[0])[1:]
        else:
            states.append(before[0])
        end = before
    nodes = map(window.times.node, reversed(states))
    return ActiveWalk(cover, tuple(nodes), *map(frozenset, sets))


Came = dict[Visit, Visit | None]


def _decide(
    cover: DelayCover, x: Any, y: Any, given: Any
) -> tuple[AncestralWindow, Visit | None, Came, list[list[Node]]]:
    """Search an active walk: window, last visit or None, previous visits, and the three sets."""
    sets = disjoint_sets(cover, {"x": x, "y": y, "given": given})
    times, states = _states(cover, *sets)
    window = ancestral_window(times, states, min((t for _, t in states), default=0))
    x_states, y_states, given_states = (set(map(times.state, found)) for found in sets)
    end, came = search(window, x_states, y_states, given_states)
    return window, end, came, sets


def search(
    window: AncestralWindow,
    starts: Iterable[State],
    goals: set[State],
    given: set[State],
    open_colliders: bool = False,
) -> tuple[Visit | None, Came]:
    """Search active walks breadth-first; return the first visit of a goal, and all visits.

    With ``open_colliders`` every vertex can be a collider. If all vertices of the window are
    ancestors of the starts and goals or given, this changes no answer about the goals.
    """
    came: Came = {(a, True): None for a in starts}
    queue = list(came)
    for visit in queue:  # grows while it is read
        a, up = visit
        if a in goals:
            return visit, came
        following: list[Visit] = []
        if a[1] < window.first:
            following += [(b, False) for b in window.past[a]] if up else []
            following += [(a, True)] if open_colliders else []
        elif up != (a in given) or (open_colliders and not up):
            following += [(b, True) for b in window.parents[a]]
        if a not in given:
            following += [(b, False) for b in window.children.get(a, ())]
        for new in following:
            if new not in came:
                came[new] = visit
                queue.append(new)
    return None, came


def find_minimal_separator(
    cover: DelayCover, x: Any, y: Any, included: Any, restricted: Any | None
) -> set[Node] | None:
    """Find a minimal set that d-separates x and y, as in networkx; None if no set does.

    All ancestors of the sets are candidates unless they are restricted. If all of them are given,
    a walk with open colliders leaves x and y by one edge, or by two that meet in a collider. So
    candidates before x, y and ``included`` by more than the largest delay are not needed.
    """
    left, right, kept = disjoint_sets(cover, {"x": x, "y": y, "included": included})
    allowed = None if restricted is None else set(listed(cover, restricted))
    if allowed is not None and not allowed.issuperset(kept):
        raise ValueError(f"included must be a subset of restricted, but has {kept!r}")
    times, states = _states(cover, left, right, kept)
    first = min((t for _, t in states), default=0)
    if allowed is None:
        window = ancestral_window(times, states, first - times.largest)
        candidates = set(window.parents)
    else:
        number = cover.delay_graph.number
        wanted = {times.state(a) for a in allowed if number[a[0]] in times.parents}
        window = ancestral_window(times, states, min([first, *(t for _, t in wanted)]))
        candidates = wanted & set(window.parents)
    x_states, y_states, kept_states = (
        set(map(times.state, found)) for found in (left, right, kept)
    )
    candidates -= x_states | y_states
    reached = _closure(window, x_states, candidates)
    if reached & y_states:
        return None
    candidates &= reached | kept_states
    candidates &= _closure(window, y_states, candidates) | kept_states
    return set(map(times.node, candidates))


def is_minimal_separator(
    cover: DelayCover, x: Any, y: Any, z: Any, included: Any, restricted: Any | None
) -> bool:
    """Whether a set d-separates x and y and no smaller one with ``included`` does."""
    left, right, given = disjoint_sets(cover, {"x": x, "y": y, "z": z})
    kept = listed(cover, included)
    if not set(given).issuperset(kept):
        raise ValueError(f"included must be a subset of z, but has {kept!r}")
    if restricted is not None and not set(listed(cover, restricted)).issuperset(given):
        raise ValueError(f"z must be a subset of restricted, but has {given!r}")
    times, states = _states(cover, left, right, kept)
    number = cover.delay_graph.number
    if any(number[v] not in times.parents for v, _ in given):
        return False
    given_states = set(map(times.state, given))
    window = ancestral_window(
        times, states, min((t for _, t in [*states, *given_states]), default=0)
    )
    if not given_states <= set(window.parents):
        return False
    y_states = set(map(times.state, right))
    reached = _closure(window, map(times.state, left), given_states)
    loose = given_states - set(map(times.state, kept))
    return not reached & y_states and loose <= reached & _closure(window, y_states, given_states)


def _closure(window: AncestralWindow, starts: Iterable[State], given: set[State]) -> set[State]:
    """Vertices that are d-connected to the starts, those of the window and of its border."""
    return {a for a, _ in search(window, starts, set(), given, open_colliders=True)[1]}


def _states(cover: DelayCover, *sets: list[Node]) -> tuple[OrderedTimes, list[State]]:
    """Ordered times of the ancestors of several sets, and the states of the sets."""
    nodes = [a for found in sets for a in found]
    number = cover.delay_graph.number
    times = ordered_times(cover.delay_graph, [number[v] for v, _ in nodes])
    return times, list(map(times.state, nodes))


def disjoint_sets(cover: DelayCover, named: dict[str, Any]) -> list[list[Node]]:
    """Return sets of vertices as lists; raise if one is not in the cover or in two sets."""
    owner: dict[Node, str] = {}
    sets = []
    for name, nodes in named.items():
        found = listed(cover, nodes)
        for a in found:
            if a in owner:
                raise ValueError(
                    f"{a!r} is in {owner[a]} and in {name}, but the sets must be disjoint"
                )
            owner[a] = name
        sets.append(found)
    return sets


def _separation(
    cover: DelayCover, window: AncestralWindow, came: Came, sets: list[list[Node]]
) -> Separation:
    times, vertices = window.times, cover.delay_graph.vertices
    reached = frozenset((times.node(a), UP if up else DOWN) for a, up in came)
    apart: set[tuple[Any, Any, int]] = set()
    for a in {a for a, up in came if up and a[1] < window.first}:
        related = set(window.past[a])
        apart |= {_ordered(a, b) for b in window.border if b not in related}
    queue = list(apart)
    for v, w, gap in queue:  # grows while it is read
        moves = {_ordered((u, gap - d), (w, 0)) for u, d in times.parents[v]}
        if not gap:
            moves |= {_ordered((v, 0), (u, -d)) for u, d in times.parents[w]}
        queue.extend(moves - apart)
        apart |= moves
    shifts = FrozenDict({vertices[v]: shift for v, shift in times.shifts.items()})
    named = frozenset((vertices[v], vertices[w], gap) for v, w, gap in apart)
    x, y, given = map(frozenset, sets)
    return Separation(cover, x, y, given, times.sign, shifts, window.first, reached, named)


def _ordered(a: State, b: State) -> tuple[int, int, int]:
    gap = a[1] - b[1]
    return (a[0], b[0], gap) if gap >= 0 else (b[0], a[0], -gap)
