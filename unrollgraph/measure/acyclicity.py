"""Decide whether the infinite delay cover is acyclic, with a proof.

The delay cover has a directed cycle iff some closed walk of the base graph has total delay 0.

There are offsets rho such that ``X . t + rho(v)`` increases along every edge of the cover iff the
slope X satisfies ``X . total > 0`` for the total delay of every cycle: a *linear* schedule. For
delays in Z one exists iff the totals of all cycles are positive, or all are negative.

Otherwise some totals have a positive combination that is zero. `separate` finds a slope with
``X . total >= 0`` for every cycle and equality only for the totals in such combinations. The edges
of the cycles with equality form strongly connected parts. If there is one part, it contains a
closed walk of total zero. If there are several, each is decided recursively, and its forms are
compared after the previous ones: a *lexicographic* schedule, of at most d + 1 stages in Z^d. For
delays in Z one exists iff each strong component by itself has a linear schedule.

Zero walk: let cycles of a strongly connected graph have totals ``g_i`` that span the totals of all
closed walks, with ``c_1 g_1 + ... + c_k g_k = 0`` for positive integers ``c_i``. If the cycles
share a vertex, traverse each ``c_i`` times from there. Otherwise take a closed walk W that meets
all of them. Its total w satisfies ``N w + n_1 g_1 + ... + n_k g_k = 0`` for integers N > 0 and
``n_i >= 0``. Traverse W N times and cycle i ``n_i`` times where W first meets it.

References
----------
R. M. Karp, R. E. Miller, S. Winograd, The organization of computations for uniform recurrence
equations, Journal of the ACM 14 (1967). L. Lamport, The parallel execution of DO loops,
Communications of the ACM 17 (1974). J. B. Orlin, Some problems on dynamic/periodic graphs, in
Progress in Combinatorial Optimization (1984). S. R. Kosaraju, G. F. Sullivan, Detecting cycles in
dynamic graphs in polynomial time, STOC (1988).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, lcm
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import CyclicCoverError
from unrollgraph.graph.delay_graph import DelayGraph, Edge, GraphLike, as_delay_graph, delay_hint
from unrollgraph.graph.digraph import Digraph, breadth_first
from unrollgraph.graph.times import add, check_integer
from unrollgraph.measure.certificates import Schedule, Stage, ZeroWalk, one_axis
from unrollgraph.measure.lattices import orthogonal, primitive, solve
from unrollgraph.measure.linear_schedule import Cycle, Separation, separate

Segments = list[tuple[tuple[int, ...], int]]
MOST_PAIRS = 50_000  # takes about 0.1 seconds


def shortest_zero_walk(digraph: Digraph, length: int) -> tuple[int, ...] | None:
    """Find a shortest closed walk of total zero with fewer than ``length`` edges.

    For delays in Z. Breadth-first search over pairs (vertex, total), from all start vertices in
    parallel. Returns its edge numbers; None if no walk is found among `MOST_PAIRS` pairs.
    """
    heads, delays = digraph.heads.tolist(), digraph.delays[:, 0].tolist()
    out: list[list[int]] = [[] for _ in range(digraph.n)]
    for e, u in enumerate(digraph.tails.tolist()):
        out[u].append(e)
    came: list[dict[tuple[int, int], tuple[int, tuple[int, int]]]] = [{} for _ in out]
    fronts = [[(start, 0)] for start in range(digraph.n)]
    states = 0
    for _ in range(length - 1):
        for start, front in enumerate(fronts):
            found: list[tuple[int, int]] = []
            for state in front:
                for e in out[state[0]]:
                    new = heads[e], state[1] + delays[e]
                    if new in came[start]:
                        continue
                    came[start][new] = e, state
                    if new == (start, 0):
                        return _walk_to(came[start], new)
                    found.append(new)
            states += len(found)
            if states > MOST_PAIRS:
                return None
            fronts[start] = found
    return None


def _walk_to(
    came: dict[tuple[int, int], tuple[int, tuple[int, int]]], end: tuple[int, int]
) -> tuple[int, ...]:
    """Return the edges of the closed walk with which a search ended."""
    edges: list[int] = []
    state = end
    while not edges or state != end:
        e, state = came[state]
        edges.append(e)
    return tuple(reversed(edges))


def zero_walk(digraph: Digraph, cycles: list[Cycle], relation: tuple[int, ...]) -> Segments:
    """Construct a closed walk of total zero in a strongly connected digraph.

    The totals of the cycles must span the totals of all closed walks. ``relation`` has a positive
    coefficient for each cycle; this combination of the totals must be zero. Returns consecutive
    walks ``(edge numbers, count)``; a walk with a count > 1 is closed.
    """
    totals = [cycle.total for cycle in cycles]
    tails = digraph.tails.tolist()
    met = [{tails[e] for e in cycle.edges} for cycle in cycles]
    counts = primitive(_thinned(totals, list(map(Fraction, relation)), keep=1))
    shared = set.intersection(*(met[k] for k, count in enumerate(counts) if count))
    if shared:
        return _turns(cycles, counts, tails, min(shared))
    tour = _tour(digraph, met)
    total = [sum(column) for column in digraph.delays[tour].T.tolist()]
    if not any(total):
        return [(tuple(tour), 1)]
    needed = solve(totals, [-x for x in total])
    extra = max(0, *(ceil(-a / n) for a, n in zip(needed, relation, strict=True)))
    needed = [a + extra * n for a, n in zip(needed, relation, strict=True)]
    needed = _thinned(totals, needed, keep=0)
    rounds = lcm(*(a.denominator for a in needed))
    return _joined(tour, rounds, cycles, [int(a * rounds) for a in needed], tails)


def _thinned(totals: list[tuple[int, ...]], weights: list[Fraction], keep: int) -> list[Fraction]:
    """Set weights to zero by Caratheodory's theorem, keeping the sum of the totals."""
    while True:
        used = [k for k, weight in enumerate(weights) if weight]
        rows = list(zip(*(totals[k] for k in used), strict=True))
        relations = orthogonal(rows, len(used))
        if len(relations) <= keep:
            return weights
        # adding a multiple of a relation makes one weight zero and none negative
        ray = primitive([weights[k] for k in used])
        relation = next(r for r in relations if r not in (ray, tuple(-x for x in ray)))
        if max(relation) <= 0:
            relation = tuple(-x for x in relation)
        step = min(weights[k] / x for k, x in zip(used, relation, strict=True) if x > 0)
        weights = list(weights)
        for k, x in zip(used, relation, strict=True):
            weights[k] -= step * x


def _tour(digraph: Digraph, met: list[set[int]]) -> list[int]:
    """Return a closed walk that meets every cycle, by greedy nearest-cycle search."""
    vertices = sorted(set.union(*met))
    start = max(vertices, key=lambda v: sum(v in some for some in met))
    pending = [some for some in met if start not in some]
    here, tour = start, []
    while pending:
        came = breadth_first(digraph.n, digraph.tails, digraph.heads, here)
        goal = next(v for v in came if any(v in some for some in pending))
        tour += _way(came, digraph, goal)
        pending = [some for some in pending if goal not in some]
        here = goal
    came = breadth_first(digraph.n, digraph.tails, digraph.heads, here)
    return tour + _way(came, digraph, start)


def _way(came: dict[int, int], digraph: Digraph, v: int) -> list[int]:
    way = []
    while came[v] >= 0:
        way.append(came[v])
        v = int(digraph.tails[came[v]])
    return way[::-1]


def _turned(cycle: Cycle, tails: list[int], v: int) -> tuple[int, ...]:
    """Return the edges of a cycle, starting at vertex v."""
    k = next(k for k, e in enumerate(cycle.edges) if tails[e] == v)
    return cycle.edges[k:] + cycle.edges[:k]


def _turns(cycles: list[Cycle], counts: tuple[int, ...], tails: list[int], v: int) -> Segments:
    return [
        (_turned(cycle, tails, v), count)
        for cycle, count in zip(cycles, counts, strict=True)
        if count
    ]


def _joined(
    tour: list[int], rounds: int, cycles: list[Cycle], counts: list[int], tails: list[int]
) -> Segments:
    """Traverse the tour ``rounds`` times and each cycle where the tour first meets it."""
    at: dict[int, Segments] = {}
    for cycle, count in zip(cycles, counts, strict=True):
        if count:
            on = {tails[e] for e in cycle.edges}
            k = next(k for k, e in enumerate(tour) if tails[e] in on)
            at.setdefault(k, []).append((_turned(cycle, tails, tails[tour[k]]), count))
    places = sorted(at)
    first = places[0]
    segments: Segments = []
    for k, after in pairwise([*places, first + len(tour)]):
        piece = [tour[j % len(tour)] for j in range(k, after)]
        segments += [*at[k], (tuple(piece), 1)]
    whole = tuple(tour[first:] + tour[:first])
    if len(places) == 1:
        segments[-1] = (whole, rounds)
    elif rounds > 1:
        segments.append((whole, rounds - 1))
    return segments


def acyclicity_certificate(G: GraphLike, *, delay: str = "delay") -> Schedule:
    """Return a proof that the delay cover is acyclic, or raise its refutation.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Schedule
        Keys that increase along every edge of the cover; linear if a linear schedule exists.

    Raises
    ------
    CyclicCoverError
        If the cover has a directed cycle; the attribute ``walk`` is the `ZeroWalk`.
    DelayError
        If d > 64 and some nonzero total delay of a cycle has a coordinate sum <= 0.

    Notes
    -----
    In Z: O(n m) exact integer operations in the worst case, in practice time linear in the number
    of edges. In Z^d: the same for each slope tried; their number is small if d is small. 10,000
    edges take 0.1 seconds in Z^3; some hundreds take seconds in Z^16 and minutes in Z^30.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> ug.acyclicity_certificate(ug.gallery.bidirectional())
    <lexicographic Schedule of 4 vertices in 2 stages>
    >>> G = nx.DiGraph()
    >>> G.add_edge("a", "b")
    >>> G.add_edge("b", "a")
    >>> ug.acyclicity_certificate(G)
    Traceback (most recent call last):
    ...
    unrollgraph.errors.CyclicCoverError: the unrolling has a directed cycle, since the closed
    walk a -> b -> a has total delay 0; change the delay of one of its edges
    """
    graph = as_delay_graph(G, delay)
    n, zero = len(graph.vertices), (0,) * graph.dimension
    whole = Digraph(n, graph.tails, graph.heads, graph.delays)
    slopes, offsets = [[zero] * n], [[0] * n]
    todo = [(0, np.arange(n), np.arange(len(graph.edges)), whole)]
    for depth, vertices, edges, piece in todo:  # the loop appends to the list
        if depth == len(slopes):
            slopes.append([zero] * n)
            offsets.append([0] * n)
        found = separate(piece)
        if len(found.parts) == 1:
            _refuse(graph, edges, piece, found)
        for v, offset in zip(vertices.tolist(), found.offsets, strict=True):
            slopes[depth][v], offsets[depth][v] = found.slope, offset
        for part in found.parts:
            ends, inner = piece.restricted(part)
            todo.append((depth + 1, vertices[ends], edges[part], inner))
    forms = zip(slopes, offsets, strict=True)
    return Schedule(graph, tuple(Stage(tuple(a), tuple(b)) for a, b in forms))


def is_acyclic(G: GraphLike, *, delay: str = "delay") -> bool:
    """Whether the infinite delay cover has no directed cycle.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.is_acyclic(ug.DelayCover(ug.gallery.seed_network()))
    True
    """
    try:
        acyclicity_certificate(G, delay=delay)
    except CyclicCoverError:
        return False
    return True


def find_zero_walk(G: GraphLike, *, delay: str = "delay") -> ZeroWalk:
    """Find a closed walk of total delay zero.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    ZeroWalk
        The walk, as segments with counts. For delays in Z it is a shortest one if a search over
        50,000 pairs (vertex, total) suffices; otherwise it need not be a shortest one.

    Raises
    ------
    networkx.NetworkXNoCycle
        If the cover is acyclic.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("a", "b", delay=3)
    >>> G.add_edge("b", "a", delay=-3)
    >>> list(ug.find_zero_walk(G))
    [('a', 'b'), ('b', 'a')]
    """
    try:
        acyclicity_certificate(G, delay=delay)
    except CyclicCoverError as error:
        walk: ZeroWalk = error.walk
        return walk
    raise nx.NetworkXNoCycle("no closed walk has total delay 0: the delay cover is acyclic")


def find_cycle(G: GraphLike, *, limit: int = 1_000_000, delay: str = "delay") -> tuple[Edge, ...]:
    """Find a directed cycle of the infinite cover.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    limit : int
        Maximum number of edges to follow; the length of a cycle may grow with the delays.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    tuple of edges
        The edges of a simple cycle of the cover, in order.

    Raises
    ------
    networkx.NetworkXNoCycle
        If the cover is acyclic.
    ValueError
        If no cycle closes within ``limit`` edges; use `find_zero_walk` then.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("a", "b", delay=3)
    >>> G.add_edge("b", "a", delay=-3)
    >>> ug.find_cycle(ug.DelayCover(G))
    ((('a', 0), ('b', 3)), (('b', 3), ('a', 0)))
    """
    graph, most = as_delay_graph(G, delay), check_integer(limit, "the limit")
    walk = find_zero_walk(graph)
    time: Any = 0 if graph.dimension == 1 else (0,) * graph.dimension
    arcs: list[Any] = []
    met: dict[Any, int] = {}
    for edge in walk:
        if len(arcs) == most:
            raise ValueError(
                f"no cycle closes within {limit} edges; raise the limit, or use find_zero_walk, "
                f"which returns a closed walk of {walk.length} edges as segments"
            )
        tail = (edge[0], time)
        met[tail] = len(arcs)
        time = add(time, graph.times[graph.edge_number[edge]], 1)
        head = (edge[1], time)
        arcs.append((tail, head, *edge[2:]))
        if head in met:
            return tuple(arcs[met[head] :])
    raise AssertionError("a zero walk closes")


def time_direction(G: GraphLike, *, delay: str = "delay") -> str:
    """Return the direction of time in which the cover can be computed.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; its delays must be integers.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    str
        ``"forward"`` if every cycle has a positive total delay or there are no cycles,
        ``"backward"`` if every cycle has a negative total delay, ``"mixed"`` if the cover is
        acyclic and there are cycles of both kinds, ``"cyclic"`` if the cover has a cycle.

    Raises
    ------
    ValueError
        If the delays are vectors.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.time_direction(ug.gallery.seed_network())
    'forward'
    >>> ug.time_direction(ug.gallery.bidirectional())
    'mixed'
    """
    graph = as_delay_graph(G, delay)
    one_axis(graph)
    try:
        return acyclicity_certificate(graph).time_direction
    except CyclicCoverError:
        return "cyclic"


def _refuse(graph: DelayGraph, edges: NDArray[np.int64], piece: Digraph, found: Separation) -> None:
    """Raise `CyclicCoverError` with a zero walk in the only part of a separation."""
    (part,) = found.parts
    place = {e: k for k, e in enumerate(part.tolist())}
    cycles = [Cycle(tuple(place[e] for e in c.edges), c.total) for c in found.lineality.cycles]
    within = Digraph(piece.n, piece.tails[part], piece.heads[part], piece.delays[part])
    names = [graph.edges[e] for e in edges[part].tolist()]
    segments = zero_walk(within, cycles, found.lineality.counts)
    length = sum(len(walk) * count for walk, count in segments)
    walk = ZeroWalk(
        graph, tuple((tuple(names[k] for k in walk), count) for walk, count in segments)
    )
    if graph.dimension == 1:
        whole = Digraph(len(graph.vertices), graph.tails, graph.heads, graph.delays)
        if shorter := shortest_zero_walk(whole, length):
            walk = ZeroWalk(graph, ((tuple(graph.edges[e] for e in shorter), 1),))
    raise CyclicCoverError(
        f"the unrolling has a directed cycle, since the closed walk {walk} has total delay 0; "
        f"change the delay of one of its edges{delay_hint(graph)}",
        walk=walk,
    )
