"""Which cover is it? The delay cover between the universal and the maximal abelian one.

The components of the delay cover of (G, d) are coverings of the weak components of G, and which
they are is told by the closed undirected walks of total delay zero. Let G be connected, with
``b = m - n + 1`` independent cycles. Their total delays make a linear map from H_1(G) = Z^b to Z^d.

* A component is the *maximal abelian* cover exactly when that map is one to one: then a closed walk
  is closed above only if it goes round every cycle as often forward as backward.
* It is the *universal* cover, a tree, exactly when ``b = 0``, or ``b = 1`` and the one cycle has a
  total that is not zero. With two independent cycles a and b there is always the walk
  ``a b a^-1 b^-1``: its total is zero whatever the delays, but it is no detour that could be
  shortened.

The kernel of the map is a lattice. A basis of it, each element as a closed walk, says all that
the delay cover forgets and the maximal abelian one remembers.

References
----------
J. Baez, Topological crystals, arXiv 1607.07748. T. Sunada, Topological Crystallography (Springer,
2013), chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from unrollgraph.cover.delay_cover import as_cover
from unrollgraph.errors import CertificateError, show_edge
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.graph.digraph import weak_components
from unrollgraph.graph.potentials import forest_potential, way_from_root
from unrollgraph.measure.certificates import must_be_integers
from unrollgraph.measure.lattices import kernel

Step = tuple[tuple[Any, ...], int]


@dataclass(frozen=True)
class ZeroCycle:
    """A closed undirected walk of total delay zero that is not zero in homology.

    Attributes
    ----------
    graph : DelayGraph
        Where it goes.
    segments : tuple
        Pairs of a closed walk from one vertex, a tuple of ``(edge, sign)``, and how often it is
        walked before the next.
    """

    graph: DelayGraph = field(repr=False)
    segments: tuple[tuple[tuple[Step, ...], int], ...]

    @property
    def length(self) -> int:
        """Number of steps."""
        return sum(len(walk) * count for walk, count in self.segments)

    def __iter__(self) -> Iterator[Step]:
        for walk, count in self.segments:
            for _ in range(count):
                yield from walk

    def check(self) -> bool:
        """Verify that the walk is closed, of total delay zero, and not zero in homology.

        Raises
        ------
        CertificateError
            With what refutes it.
        """
        graph = self.graph
        if not self.segments or not all(walk for walk, _ in self.segments):
            raise CertificateError("the walk, or a segment of it, has no steps")
        must_be_integers("counts of segments", [count for _, count in self.segments])
        if min(count for _, count in self.segments) < 1:
            raise CertificateError("a segment is walked at least once")
        for edge, sign in chain.from_iterable(walk for walk, _ in self.segments):
            if not known(edge, graph.edge_number) or sign not in {1, -1}:
                raise CertificateError(f"{edge!r} is no edge of the graph", edge=edge)
        start = _ends(self.segments[0][0][0])[0]
        total = [0] * graph.dimension
        passed: dict[Any, int] = {}
        for walk, count in self.segments:
            here = start
            for step in walk:
                edge, sign = step
                tail, head = _ends(step)
                if tail != here:
                    raise CertificateError(
                        f"the walk does not join at {show_edge(edge)}", edge=edge
                    )
                here = head
                delay = graph.delays[graph.edge_number[edge]].tolist()
                total = [t + sign * count * d for t, d in zip(total, delay, strict=True)]
                passed[edge] = passed.get(edge, 0) + sign * count
            if here != start:
                raise CertificateError("a segment of the walk is not closed")
        if any(total):
            raise CertificateError(f"the total delay of the walk is {total}, not zero")
        if not any(passed.values()):
            raise CertificateError("the walk goes along each edge as often forward as backward")
        return True


def _ends(step: Step) -> tuple[Any, Any]:
    """Where a step comes from, and where it goes."""
    (tail, head, *_), sign = step
    return (tail, head) if sign > 0 else (head, tail)


def is_universal(cover: Any) -> bool:
    """Whether each component of a delay cover is the universal cover of what lies below it.

    Parameters
    ----------
    cover : DelayCover
        The cover, of any base, connected or not.

    Returns
    -------
    bool
        Whether its components are trees, directions left aside.

    Notes
    -----
    O(n + m).

    Examples
    --------
    The unrolling of the seed network is a tree. That of a feed-forward network with a skip
    connection is acyclic, but it is none.

    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> ug.is_universal(ug.DelayCover(ug.gallery.seed_network()))
    True
    >>> skip = ug.DelayCover(nx.DiGraph([("x", "h"), ("h", "y"), ("x", "y")]))
    >>> ug.is_acyclic(skip), ug.is_universal(skip)
    (True, False)
    """
    cycles, _ = _independent(as_cover(cover).delay_graph)
    return all(not own or (len(own) == 1 and any(own[0][1])) for own in cycles)


def is_maximal_abelian(cover: Any) -> bool:
    """Whether each component of a delay cover is the maximal abelian cover of what lies below it.

    Parameters
    ----------
    cover : DelayCover
        The cover, of any base, connected or not.

    Notes
    -----
    O(n + m), and exact row operations on at most d rows for each weak component.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.narx(2)  # loops of delay 1 and 2: two cycles, but one direction of time
    >>> ug.is_maximal_abelian(ug.DelayCover(G))
    False
    >>> ug.is_maximal_abelian(ug.DelayCover(ug.abelianize(G)))
    True
    """
    graph = as_cover(cover).delay_graph
    cycles, _ = _independent(graph)
    return all(
        len(own) <= graph.dimension and not kernel([t for _, t in own], graph.dimension)
        for own in cycles
    )


def zero_cycles(G: Any, *, delay: str = "delay") -> tuple[ZeroCycle, ...]:
    """Find what the delay cover forgets of the cycles of its base.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    tuple of ZeroCycle
        Closed undirected walks of total delay zero, for each weak component of G so many that
        their classes are a basis of the lattice of all such classes in its H_1. None exactly
        when `is_maximal_abelian`.

    Notes
    -----
    O(n + m), the size of the walks, and exact row operations, d for each independent cycle.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.narx(2)  # loops of delay 1 and 2: twice the one, and the other back
    >>> (cycle,) = ug.zero_cycles(G)
    >>> [(edge, sign) for edge, sign in cycle if edge[0] == edge[1]]
    [(('h', 'h', 0), -1), (('h', 'h', 0), -1), (('h', 'h', 1), 1)]
    >>> cycle.check()
    True
    """
    graph = as_delay_graph(G, delay)
    cycles, reached = _independent(graph)
    found = []
    for own in cycles:
        for combination in kernel([total for _, total in own], graph.dimension):
            segments = []
            for k, count in sorted(combination.items()):
                walk = _loop(graph, reached, own[k][0])
                if count < 0:
                    walk = tuple((edge, -sign) for edge, sign in reversed(walk))
                segments.append((walk, abs(count)))
            found.append(ZeroCycle(graph, tuple(segments)))
    return tuple(found)


def _independent(
    graph: DelayGraph,
) -> tuple[list[list[tuple[int, tuple[int, ...]]]], list[int]]:
    """Edges outside a spanning forest, with the totals of their cycles, component by component.

    Also the edge by which the forest reached each vertex.
    """
    n = len(graph.vertices)
    label = weak_components(n, graph.tails, graph.heads).tolist()
    axes, reached = [], [-1] * n
    for axis in range(graph.dimension):
        weights = graph.delays[:, axis].tolist()
        times, reached = forest_potential(n, graph.tails, graph.heads, weights)
        axes.append(times)
    forest = set(reached)
    found: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in range(max(label, default=-1) + 1)]
    rows = zip(graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True)
    for e, (u, v, delay) in enumerate(rows):
        if e not in forest:
            total = tuple(d + t[u] - t[v] for d, t in zip(delay, axes, strict=True))
            found[label[u]].append((e, total))
    return found, reached


def _loop(graph: DelayGraph, reached: list[int], e: int) -> tuple[Step, ...]:
    """From the root of the forest to an edge, through it, and back to the root."""
    arrays = graph.tails, graph.heads
    there = way_from_root(*arrays, reached, int(graph.tails[e]))
    back = way_from_root(*arrays, reached, int(graph.heads[e]))
    steps = [*there, (e, 1), *((k, -sign) for k, sign in reversed(back))]
    return tuple((graph.edges[k], sign) for k, sign in steps)
