"""Bloch waves: the spectrum of the cover, from one small matrix for each angle.

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

References
----------
T. Sunada, Topological Crystallography (Springer, 2013). C. Kittel, Introduction to Solid
State Physics, on tight binding.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import DelayCover, as_cover
from unrollgraph.cover.sheets import as_torus
from unrollgraph.errors import check_size
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph

MOST_ENTRIES = 10**8  # of the matrices, which are complex


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
    check_size(entries, MOST_ENTRIES, "the spectrum", "take fewer sheets")
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
