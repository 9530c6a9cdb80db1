"""Spectrum and distances of a delay cover, and its kind of covering.

*Spectrum.* On functions with ``f(v, t + s) = exp(i theta . s) f(v, t)`` the adjacency of the cover,
``(A f)(u) = sum of f(head)`` over the out-edges of u, acts as the *Bloch matrix*, with a row and a
column for each vertex of the base graph:

    A(theta)[u, v] = sum of exp(i theta . d) over the edges u -> v of delay d.

The spectrum of a cyclic cover of n sheets along each axis is the union, with multiplicity, of the
spectra of the Bloch matrices at the multiples of ``2 pi / n``. As n grows, these spectra become
dense in the spectrum of the infinite cover, the union over all theta. If every edge has a reverse
edge of opposite delay, the matrices are Hermitian, and the spectrum is a union of intervals, the
*bands*. Retiming changes no eigenvalue.

*Distances.* Breadth-first search finds the *shells* of a vertex, the vertices at each distance. The
times within k steps lie in a box, k times the least and the greatest delay along each axis; an edge
adds a constant to the cell numbers of its tail. The shell sizes of a crystal net with its reverses
are its *coordination sequence*; for large distances they are a polynomial for each residue modulo a
period (Nakamura et al.).

*Coverings.* Let G be connected with ``b = m - n + 1`` independent cycles. Their total delays define
a linear map from H_1(G) = Z^b to Z^d. A component of the delay cover is the *maximal abelian* cover
iff the map is injective. It is the *universal* cover, a tree, iff ``b = 0``, or ``b = 1`` and the
cycle has a nonzero total; if ``b >= 2``, the closed walk ``a b a^-1 b^-1`` along two cycles has
total zero. `zero_cycles` computes a basis of the kernel.

References
----------
Y. Nakamura, R. Sakamoto, T. Mase, J. Nakagawa, Coordination sequences of crystals are of
quasi-polynomial type, Acta Crystallographica A77 (2021). M. O'Keeffe, Coordination sequences for
lattices, Zeitschrift fuer Kristallographie 210 (1995). J. H. Conway, N. J. A. Sloane,
Low-dimensional lattices VII: coordination sequences, Proceedings of the Royal Society A 453 (1997).
T. Sunada, Topological Crystallography (Springer, 2013). J. Baez, Topological crystals, arXiv
1607.07748. C. Kittel, Introduction to Solid State Physics (tight binding).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.cover.windows import as_torus
from unrollgraph.errors import check_size
from unrollgraph.graph.cycle_space import Forest, forest_of
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph
from unrollgraph.graph.times import add, check_integer
from unrollgraph.limits import MOST_NUMBERS, MOST_OBJECTS
from unrollgraph.measure.certificates import ZeroWalk
from unrollgraph.measure.lattices import kernel


def bloch_matrix(
    G: GraphLike, theta: float | Sequence[float], *, delay: str = "delay"
) -> NDArray[np.complex128]:
    """Compute the Bloch matrix of a delay cover.

    It is the adjacency of the cover on functions with ``f(v, t + s) = exp(i theta . s) f(v, t)``.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    theta : float, or sequence of d floats
        Angle in radians for each axis.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    ndarray of complex128, shape (n, n)
        Row u, column v: the sum of ``exp(i theta . d)`` over the edges u -> v of delay d.
        Rows and columns are in the order of the n vertices.

    Raises
    ------
    ValueError
        If theta does not consist of one finite number for each axis.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("h", "h", delay=2)
    >>> ug.bloch_matrix(G, 0.5)
    array([[0.54030231+0.84147098j]])
    """
    graph = as_delay_graph(G, delay)
    try:
        angles = np.array(theta, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        angles = np.array([np.nan])
    if angles.shape != (graph.dimension,) or not np.isfinite(angles).all():
        wanted = "a finite number" if graph.dimension == 1 else f"{graph.dimension} finite numbers"
        raise ValueError(f"invalid theta {theta!r}: must be {wanted}, an angle for each axis")
    matrix: NDArray[np.complex128] = bloch_matrices(graph, angles[None])[0]
    return matrix


def spectrum(G: GraphLike, n: int | tuple[int, ...], *, delay: str = "delay") -> NDArray[Any]:
    """Compute the eigenvalues of a cyclic cover from its Bloch matrices.

    O(N k^3) for N sheets and k vertices, instead of O(N^3 k^3) for the matrix of the cover. Errors
    are about 1e-13 times the largest degree if the matrices are Hermitian. If they have no basis of
    eigenvectors, errors are the square root of that or larger.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    n : int, or tuple of d ints
        Number of sheets along each axis.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    ndarray
        All eigenvalues with multiplicity, ascending: floats if every edge has a reverse edge of
        opposite delay, otherwise complex numbers ordered by real, then imaginary part.

    Raises
    ------
    WindowError
        If n is not a positive integer for each axis.
    TooLargeError
        If the Bloch matrices would have more than 100,000,000 entries.

    Examples
    --------
    A cycle of six vertices, with edges in both directions.

    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.MultiDiGraph()
    >>> _ = G.add_edges_from([("a", "a", {"delay": 1}), ("a", "a", {"delay": -1})])
    >>> ug.spectrum(ug.DelayCover(G), 6).round(6).tolist()
    [-2.0, -1.0, -1.0, 1.0, 1.0, 2.0]
    """
    graph = as_delay_graph(G, delay)
    sheets = np.array(as_torus(graph, n).moduli)
    entries = prod(sheets.tolist()) * max(1, len(graph.vertices)) ** 2
    check_size(entries, MOST_NUMBERS, "the spectrum", "use fewer sheets")
    waves = np.array([*product(*map(range, sheets.tolist()))])
    # reduce modulo full turns in integers, so that large delays lose no digits
    shares = (waves[:, None] * (graph.delays % sheets) % sheets / sheets).sum(axis=2)
    matrices = _matrices(graph, 2 * np.pi * shares)
    if has_reverses(graph):
        return np.sort(np.linalg.eigvalsh(matrices), axis=None)
    return np.sort(np.linalg.eigvals(matrices), axis=None)


def has_reverses(graph: DelayGraph) -> bool:
    """Whether every edge has its own reverse edge of opposite delay."""
    counts: dict[Any, int] = {}
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True)
    for u, v, delay in ends:
        there, back = (u, v, *delay), (v, u, *(-x for x in delay))
        if there != back:
            counts[there] = counts.get(there, 0) + 1
            counts[back] = counts.get(back, 0) - 1
    return not any(counts.values())


def bloch_matrices(graph: DelayGraph, angles: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Bloch matrices, of shape (waves, n, n), at angles of shape (waves, d)."""
    return _matrices(graph, angles @ graph.delays.T.astype(np.float64))


def _matrices(graph: DelayGraph, phases: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Matrices of shape (waves, n, n), from phases of shape (waves, m)."""
    n = len(graph.vertices)
    result = np.zeros((n, n, len(phases)), dtype=np.complex128)
    ends: Any = (graph.tails, graph.heads)
    np.add.at(result, ends, np.exp(1j * phases.T))
    return result.transpose(2, 0, 1)


IntArray = NDArray[np.int64]
LARGEST = 2**28  # cells of a box; memory that no shell reaches is never touched


def coordination_sequence(
    G: GraphLike, node: Any, n: int, *, delay: str = "delay"
) -> tuple[int, ...]:
    """Count the vertices of the cover at each distance from a vertex.

    O(m) array operations for each distance, and memory for a box of n times the delays; if the box
    is too large, sets of vertices are used.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph, with directed edges; for a crystal net pass ``with_reverses(G)``.
    node : vertex of the cover
        A pair ``(v, t)`` of a vertex of the base graph and a time.
    n : int
        Largest distance.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    tuple of int
        n + 1 sizes; the first is 1.

    Raises
    ------
    LiftError
        If ``node`` is not a vertex of the cover.
    ValueError
        If n is not an integer >= 0.
    TooLargeError
        If the result, or the set of nearer vertices, would have more than 10,000,000 entries.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> diamond = ug.DelayCover(ug.with_reverses(ug.gallery.diamond()))
    >>> ug.coordination_sequence(diamond, ("a", (0, 0, 0)), 6)
    (1, 4, 12, 24, 42, 64, 92)
    """
    last = check_integer(n, "the distance")
    shells = _shells(as_cover(G, delay), node, last)
    sizes = [sum(map(len, cells.values())) for cells in _first(shells, last + 1)]
    check_size(last, MOST_OBJECTS, "the list of sizes", "use a smaller distance")
    return (*sizes, *[0] * (last + 1 - len(sizes)))


def descendants_at_distance(cover: DelayCover, node: Any, distance: int) -> set[Any]:
    """Return the vertices of the cover at a distance from a vertex, along edges."""
    last = check_integer(distance, "the distance")
    shells = _shells(cover, node, last)
    for k, shell in enumerate(shells.layers()):
        if k < last:
            continue
        return {vertex for v, cells in shell.items() for vertex in shells.named(v, cells)}
    return set()


def distances_within(cover: DelayCover, node: Any, cutoff: int) -> dict[Any, int]:
    """Distance from a vertex to each vertex at distance <= ``cutoff``, nearest first."""
    last = check_integer(cutoff, "the distance")
    shells = _shells(cover, node, last)
    return {
        vertex: k
        for k, shell in enumerate(_first(shells, last + 1))
        for v, cells in sorted(shell.items())
        for vertex in shells.named(v, cells)
    }


class _Box:
    """Shells as arrays of cell numbers of a box of times, by base vertex."""

    def __init__(self, graph: DelayGraph, start: int, time: tuple[int, ...], radius: int) -> None:
        low, high = _reach(graph, radius)
        self._graph, self._start = graph, start
        self._shape = tuple(b - a + 1 for a, b in zip(low, high, strict=True))
        self._corner = tuple(t + a for t, a in zip(time, low, strict=True))
        strides = [math.prod(self._shape[k + 1 :]) for k in range(len(self._shape))]
        self._origin = -sum(a * s for a, s in zip(low, strides, strict=True))
        steps = graph.delays @ np.array(strides, dtype=np.int64)
        ends = zip(graph.tails.tolist(), graph.heads.tolist(), steps.tolist(), strict=True)
        self._moves = list(dict.fromkeys(ends))

    def layers(self) -> Iterator[Mapping[int, IntArray]]:
        """Yield one shell after another while they are not empty."""
        seen: dict[int, Any] = {}

        def marks(v: int) -> Any:
            if v not in seen:
                seen[v] = np.zeros(math.prod(self._shape), dtype=bool)
            return seen[v]

        shell = {self._start: np.array([self._origin])}
        marks(self._start)[self._origin] = True
        while shell:
            yield shell
            found: dict[int, list[IntArray]] = {}
            for u, v, step in self._moves:
                if u in shell:
                    cells = shell[u] + step
                    new = cells[~marks(v)[cells]]
                    if len(new):
                        marks(v)[new] = True
                        found.setdefault(v, []).append(new)
            shell = {v: np.concatenate(parts) for v, parts in found.items()}

    def named(self, v: int, cells: IntArray) -> Iterator[Any]:
        """The vertices of the cover in some cells, by time."""
        axes = np.unravel_index(np.sort(cells), self._shape)
        corners = zip(axes, self._corner, strict=True)
        lists = [[t + a for t in axis.tolist()] for axis, a in corners]  # of any size
        times = lists[0] if len(lists) == 1 else zip(*lists, strict=True)
        vertex = self._graph.vertices[v]
        return ((vertex, time) for time in times)


class _Sets:
    """Shells as sets of times, for boxes that are too large."""

    def __init__(self, graph: DelayGraph, start: int, time: Any) -> None:
        self._graph, self._start, self._time = graph, start, time

    def layers(self) -> Iterator[Mapping[int, set[Any]]]:
        """Yield one shell after another while they are not empty."""
        graph = self._graph
        moves = list(
            dict.fromkeys(zip(graph.tails.tolist(), graph.heads.tolist(), graph.times, strict=True))
        )
        seen: dict[int, set[Any]] = {v: set() for v in range(len(graph.vertices))}
        shell = {self._start: {self._time}}
        while shell:
            yield shell
            for v, times in shell.items():
                seen[v] |= times
            met = sum(map(len, seen.values()))
            check_size(met, MOST_OBJECTS, "the set of nearer vertices", "use a smaller distance")
            found: dict[int, set[Any]] = {}
            for u, v, step in moves:
                new = {add(time, step, 1) for time in shell.get(u, ())} - seen[v]
                if new:
                    found.setdefault(v, set()).update(new)
            shell = found

    def named(self, v: int, times: set[Any]) -> Iterator[Any]:
        """The vertices of the cover at some times, by time."""
        vertex = self._graph.vertices[v]
        return ((vertex, time) for time in sorted(times))


def _first(shells: Any, count: int) -> Iterator[Any]:
    """The first ``count`` shells, for counts of any size."""
    return islice(shells.layers(), min(count, sys.maxsize))


def _shells(cover: DelayCover, node: Any, radius: int) -> Any:
    """Shells around a vertex, in a box if it is small enough."""
    vertex, time = cover.locate(node)
    graph = cover.delay_graph
    start = graph.number[vertex]
    low, high = _reach(graph, radius)
    cells = math.prod(b - a + 1 for a, b in zip(low, high, strict=True))
    if cells * len(graph.vertices) > LARGEST:
        return _Sets(graph, start, time)
    return _Box(graph, start, time if isinstance(time, tuple) else (time,), radius)


def _reach(graph: DelayGraph, radius: int) -> tuple[list[int], list[int]]:
    """Least and greatest change of time along each axis within ``radius`` steps."""
    low = np.minimum(graph.delays.min(axis=0, initial=0), 0).tolist()
    high = np.maximum(graph.delays.max(axis=0, initial=0), 0).tolist()
    return [radius * a for a in low], [radius * b for b in high]


def is_universal(G: GraphLike, *, delay: str = "delay") -> bool:
    """Whether the components of a delay cover are universal covers.

    O(n + m).

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    bool
        Whether all components of the cover are trees, ignoring the directions of edges.

    Examples
    --------
    A skip connection closes an undirected cycle.

    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> ug.is_universal(ug.DelayCover(ug.gallery.seed_network()))
    True
    >>> skip = ug.DelayCover(nx.DiGraph([("x", "h"), ("h", "y"), ("x", "y")]))
    >>> ug.is_acyclic(skip), ug.is_universal(skip)
    (True, False)
    """
    cycles, _ = _independent(as_delay_graph(G, delay))
    return all(not own or (len(own) == 1 and any(own[0][1])) for own in cycles)


def is_maximal_abelian(G: GraphLike, *, delay: str = "delay") -> bool:
    """Whether the components of a delay cover are maximal abelian covers.

    O(n + m), and exact row operations on at most d rows for each weak component.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    bool
        Whether the total delays of independent cycles are linearly independent in each component.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.narx(2)  # loops of delay 1 and 2: two cycles, but one direction of time
    >>> ug.is_maximal_abelian(ug.DelayCover(G))
    False
    >>> ug.is_maximal_abelian(ug.DelayCover(ug.abelianize(G)))
    True
    """
    graph = as_delay_graph(G, delay)
    cycles, _ = _independent(graph)
    return all(
        len(own) <= graph.dimension and not kernel([t for _, t in own], graph.dimension)
        for own in cycles
    )


def zero_cycles(G: GraphLike, *, delay: str = "delay") -> tuple[ZeroWalk, ...]:
    """Compute a basis of the cycles of a delay graph that have total delay zero.

    O(n + m), the size of the walks, and d exact row operations for each independent cycle.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    tuple of ZeroWalk
        Closed undirected walks of total delay zero. The classes of those in a weak component of G
        are a basis of the lattice of classes of total delay zero in H_1 of that component. Empty
        iff `is_maximal_abelian`.

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
    cycles, forest = _independent(graph)
    found = []
    for own in cycles:
        for combination in kernel([total for _, total in own], graph.dimension):
            segments = []
            for k, count in sorted(combination.items()):
                walk = [(graph.edges[e], sign) for e, sign in forest.loop(own[k][0])]
                if count < 0:
                    walk = [(edge, -sign) for edge, sign in reversed(walk)]
                segments.append((tuple(walk), abs(count)))
            found.append(ZeroWalk(graph, tuple(segments), signed=True))
    return tuple(found)


def _independent(graph: DelayGraph) -> tuple[list[list[tuple[int, tuple[int, ...]]]], Forest]:
    """Cotree edges with the totals of their cycles, by component, and the forest."""
    forest = forest_of(graph)
    label = forest.component[graph.tails[forest.cotree]].tolist()
    count = int(forest.component.max(initial=-1)) + 1
    found: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in range(count)]
    rows = zip(forest.cotree.tolist(), forest.totals(graph.delays).tolist(), strict=True)
    for own, (e, total) in zip(label, rows, strict=True):
        found[own].append((e, tuple(total)))
    return found, forest
