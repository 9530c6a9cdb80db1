"""The cover as a periodic graph: spectrum, distances, and which abelian cover it is.

A function on the vertices of the cover that a shift in time only multiplies by a number
of absolute value 1, ``f(v, t + s) = exp(i theta . s) f(v, t)``, is known when it is known
at time zero. On those functions the adjacency of the cover acts as the *Bloch matrix*

    A(theta)[u, v] = sum of exp(i theta . d) over the edges u -> v of delay d,

one row and column for each vertex of the base: ``(A f)(u) = sum of f(head)`` over the
out-edges of u. On a cyclic cover of n sheets (in each axis) the angles are the multiples
of ``2 pi / n``, its functions are sums of such waves, and so its spectrum is the union of
the spectra of the Bloch matrices at those angles, with multiplicity. As n grows they fill
the spectrum of the infinite cover: the *bands*.

Where every edge has its reverse, of the opposite delay, the matrices are Hermitian and the
eigenvalues real. Retiming multiplies rows and columns by numbers of absolute value 1, and
changes no eigenvalue.

The *shells* of a vertex are the vertices at each distance from it, found by breadth-first search,
which needs only that a vertex has finitely many out-edges. Within k steps no time leaves the box
of k times the least and the greatest delay along each axis, so a copy of a vertex is the number
of a cell in that box, and an edge adds to the numbers of its tail's cells a constant. A shell is
then an array of cells for each vertex of the base, and a step one addition and one look into an
array of marks for each edge. Along one edge no cell is reached twice, so that nothing needs to be
sorted.

The sizes of the shells of a crystal net, a graph with its reverses, are its *coordination
sequence*. They are a polynomial in the distance for each residue modulo some period, as soon
as the distance is large enough (Y. Nakamura, R. Sakamoto, T. Mase, J. Nakagawa, Coordination
sequences of crystals are of quasi-polynomial type, Acta Crystallographica A77 (2021)).

M. O'Keeffe, Coordination sequences for lattices, Zeitschrift fuer Kristallographie 210
(1995). J. H. Conway and N. J. A. Sloane, Low-dimensional lattices VII: coordination
sequences, Proceedings of the Royal Society A 453 (1997).

*Which cover it is.* The components of the delay cover of (G, d) are coverings of the weak
components of G, and which they are is told by the closed undirected walks of total delay zero.
Let G be connected, with ``b = m - n + 1`` independent cycles. Their total delays make a linear
map from H_1(G) = Z^b to Z^d.

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
T. Sunada, Topological Crystallography (Springer, 2013). C. Kittel, Introduction to Solid
State Physics, on tight binding.

J. Baez, Topological crystals, arXiv 1607.07748. T. Sunada, Topological Crystallography (Springer,
2013), chapter 6.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from itertools import islice, product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.cover.windows import as_torus
from unrollgraph.errors import check_size
from unrollgraph.graph.cycle_space import Forest, forest_of
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.graph.times import add, check_integer
from unrollgraph.limits import MOST_NUMBERS, MOST_OBJECTS
from unrollgraph.measure.certificates import ZeroWalk
from unrollgraph.measure.lattices import kernel


def bloch_matrix(G: Any, theta: Any, *, delay: str = "delay") -> NDArray[np.complex128]:
    """Adjacency of the cover on the functions that a shift in time turns by an angle.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph of n vertices.
    theta : float, or sequence of d floats
        The angle, in radians, by which one step of time turns them; one for each axis.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    ndarray of complex128, shape (n, n)
        Row u, column v: the sum of ``exp(i theta . d)`` over the edges u -> v of delay d.
        Rows and columns are in the order of the vertices.

    Raises
    ------
    ValueError
        If theta has not an angle for each axis, or one that is infinite or no number.

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
        wanted = "a number" if graph.dimension == 1 else f"{graph.dimension} numbers"
        raise ValueError(f"theta is {theta!r}, but it must be {wanted}: an angle for each axis")
    matrix: NDArray[np.complex128] = bloch_matrices(graph, angles[None])[0]
    return matrix


def spectrum(cover: DelayCover, n: Any) -> NDArray[Any]:
    """Eigenvalues of the cyclic cover of n sheets, from those of Bloch matrices.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    n : int, or tuple of d ints
        Number of sheets, along each axis.

    Returns
    -------
    ndarray
        All eigenvalues with their multiplicities, ascending: as floats if every edge has its
        reverse, else as complex numbers ordered by real, then imaginary part.

    Raises
    ------
    WindowError
        If n is no positive number of sheets.

    Notes
    -----
    O(N k^3) for N sheets above k vertices, where the whole matrix would cost O(N^3 k^3).
    Eigenvalues are floats, right to about 1e-13 times the largest degree where matrices are
    Hermitian; where they are not and have no basis of eigenvectors, to the square root of
    that or worse, as is the nature of such matrices.

    Examples
    --------
    The cycle of six vertices.

    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.MultiDiGraph()
    >>> _ = G.add_edges_from([("a", "a", {"delay": 1}), ("a", "a", {"delay": -1})])
    >>> ug.spectrum(ug.DelayCover(G), 6).round(6).tolist()
    [-2.0, -1.0, -1.0, 1.0, 1.0, 2.0]
    """
    graph = as_cover(cover).delay_graph
    sheets = np.array(as_torus(graph, n).moduli)
    entries = prod(sheets.tolist()) * max(1, len(graph.vertices)) ** 2
    check_size(entries, MOST_NUMBERS, "the spectrum", "take fewer sheets")
    waves = np.array([*product(*map(range, sheets.tolist()))])
    # whole turns are taken off in integers, so that large delays lose no digits
    shares = (waves[:, None] * (graph.delays % sheets) % sheets / sheets).sum(axis=2)
    matrices = _matrices(graph, 2 * np.pi * shares)
    if has_reverses(graph):
        return np.sort(np.linalg.eigvalsh(matrices), axis=None)
    return np.sort(np.linalg.eigvals(matrices), axis=None)


def has_reverses(graph: DelayGraph) -> bool:
    """Whether there are as many edges each way between two vertices, of opposite delays."""
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
    """Matrices of shape (waves, n, n), from the phase of each edge in each wave."""
    n = len(graph.vertices)
    result = np.zeros((n, n, len(phases)), dtype=np.complex128)
    ends: Any = (graph.tails, graph.heads)
    np.add.at(result, ends, np.exp(1j * phases.T))
    return result.transpose(2, 0, 1)


IntArray = NDArray[np.int64]
LARGEST = 2**28  # cells of a box; pages of it that no shell meets are never touched


def coordination_sequence(cover: DelayCover, node: Any, n: int) -> tuple[int, ...]:
    """Count the vertices at each distance from one of them, up to distance n.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling. Its arcs are followed in their direction; for a crystal net
        give it each edge in both, ``DelayCover(with_reverses(G))``.
    node : vertex of the cover
        A pair of a vertex of the base and a time.
    n : int
        The largest distance.

    Returns
    -------
    tuple of int
        n + 1 sizes, the first of them 1.

    Raises
    ------
    LiftError
        If ``node`` is no vertex of the cover.
    TypeError
        If ``cover`` is none.
    ValueError
        If n is negative, or so large that not even sets fit into memory.

    Notes
    -----
    O(m) array operations a shell, and memory for a box of n times the delays; if that is too
    large, sets of vertices.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> diamond = ug.DelayCover(ug.with_reverses(ug.gallery.diamond()))
    >>> ug.coordination_sequence(diamond, ("a", (0, 0, 0)), 6)
    (1, 4, 12, 24, 42, 64, 92)
    """
    last = check_integer(n, "the distance")
    shells = _shells(as_cover(cover), node, last)
    sizes = [sum(map(len, cells.values())) for cells in _first(shells, last + 1)]
    check_size(last, MOST_OBJECTS, "the list of sizes", "ask for a smaller distance")
    return (*sizes, *[0] * (last + 1 - len(sizes)))


def descendants_at_distance(cover: DelayCover, node: Any, distance: int) -> set[Any]:
    """Find the vertices at a distance from one of them.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    node : vertex of the cover
        A pair of a vertex of the base and a time.
    distance : int
        Number of edges of a shortest path to them.

    Returns
    -------
    set of vertices
        Pairs of a vertex of the base and a time; empty if there are none so far away.

    Raises
    ------
    LiftError
        If ``node`` is no vertex of the cover.
    TypeError
        If ``cover`` is none.
    ValueError
        If the distance is negative, or as for `coordination_sequence`.

    Notes
    -----
    As `coordination_sequence`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> sorted(ug.descendants_at_distance(cover, ("C", -1), 2))
    [('B', 0)]
    """
    last = check_integer(distance, "the distance")
    shells = _shells(as_cover(cover), node, last)
    for k, found in enumerate(shells.layers()):
        if k < last:
            continue
        return {vertex for v, cells in found.items() for vertex in shells.named(v, cells)}
    return set()


def distances_within(cover: DelayCover, node: Any, distance: int) -> dict[Any, int]:
    """Distance from a vertex to every vertex that is not further than a distance, nearest first.

    Parameters
    ----------
    cover : DelayCover
        The infinite unrolling.
    node : vertex of the cover
        A pair of a vertex of the base and a time.
    distance : int
        The largest distance.

    Returns
    -------
    dict
        From vertices, pairs of a vertex of the base and a time, to distances.

    Raises
    ------
    LiftError
        If ``node`` is no vertex of the cover.
    TypeError
        If ``cover`` is none.
    ValueError
        If the distance is negative, or as for `coordination_sequence`.

    Notes
    -----
    As `coordination_sequence`.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> ug.distances_within(cover, ("C", 0), 2)
    {('C', 0): 0, ('A', 1): 1, ('out', 0): 1, ('B', 1): 2}
    """
    last = check_integer(distance, "the distance")
    shells = _shells(as_cover(cover), node, last)
    return {
        vertex: k
        for k, found in enumerate(_first(shells, last + 1))
        for v, cells in sorted(found.items())
        for vertex in shells.named(v, cells)
    }


class _Box:
    """Shells as numbers of cells in a box of times, an array for each vertex of the base."""

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
        """Shell after shell, as long as they are not empty."""
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
        """The vertices of the cover in some cells of a vertex, by time."""
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
        """Shell after shell, as long as they are not empty."""
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
            check_size(met, MOST_OBJECTS, "the set of nearer vertices", "take a smaller distance")
            found: dict[int, set[Any]] = {}
            for u, v, step in moves:
                new = {add(time, step, 1) for time in shell.get(u, ())} - seen[v]
                if new:
                    found.setdefault(v, set()).update(new)
            shell = found

    def named(self, v: int, times: set[Any]) -> Iterator[Any]:
        """The vertices of the cover at some times of a vertex, by time."""
        vertex = self._graph.vertices[v]
        return ((vertex, time) for time in sorted(times))


def _first(shells: Any, count: int) -> Iterator[Any]:
    """The first shells, of which any number may be asked for."""
    return islice(shells.layers(), min(count, sys.maxsize))


def _shells(cover: DelayCover, node: Any, radius: int) -> Any:
    """Shells about a vertex, in a box if it is small enough."""
    vertex, time = cover.locate(node)
    graph = cover.delay_graph
    start = graph.number[vertex]
    low, high = _reach(graph, radius)
    cells = math.prod(b - a + 1 for a, b in zip(low, high, strict=True))
    if cells * len(graph.vertices) > LARGEST:
        return _Sets(graph, start, time)
    return _Box(graph, start, time if isinstance(time, tuple) else (time,), radius)


def _reach(graph: DelayGraph, radius: int) -> tuple[list[int], list[int]]:
    """Least and greatest change of time along each axis within so many steps."""
    low = np.minimum(graph.delays.min(axis=0, initial=0), 0).tolist()
    high = np.maximum(graph.delays.max(axis=0, initial=0), 0).tolist()
    return [radius * a for a in low], [radius * b for b in high]


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


def zero_cycles(G: Any, *, delay: str = "delay") -> tuple[ZeroWalk, ...]:
    """Find what the delay cover forgets of the cycles of its base.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    tuple of ZeroWalk
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
    """Cotree edges with the totals of their cycles, component by component, and the forest."""
    forest = forest_of(graph)
    label = forest.component[graph.tails[forest.cotree]].tolist()
    count = int(forest.component.max(initial=-1)) + 1
    found: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in range(count)]
    rows = zip(forest.cotree.tolist(), forest.totals(graph.delays).tolist(), strict=True)
    for own, (e, total) in zip(label, rows, strict=True):
        found[own].append((e, tuple(total)))
    return found, forest
