"""The maximal abelian cover, as a delay cover.

Choose a spanning forest of G and give its edges the delay 0, and each of the b other
edges a direction of its own in Z^b. The total delay of a closed walk is then its class in
the first homology group H_1(G) = Z^b: it says how often each independent cycle was gone
round, and forgets the order. So each component of the delay cover is the *maximal
abelian cover* of the component of G below it: it covers every connected regular covering
whose deck group is abelian.

A directed closed walk uses some edges forward and none backward, so its class is not
zero: the maximal abelian cover of any directed graph is acyclic, whatever its delays.

The delays of G are totals of closed walks too, hence a linear map of that class: if the
k-th independent cycle has the total delay ``M_k`` and the forest gives v the time ``c_v``,

    (v, x) -> (v, M x + c_v)

maps the maximal abelian cover into the delay cover of G, onto one component above each
component of G. In crystallography the columns of M are the *periods* of a net.

References
----------
T. Sunada, Topological Crystallography (Springer, 2013), ch. 6. J. Baez, Topological
crystals, arXiv 1607.07748.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrollgraph.cover.sheets import as_time
from unrollgraph.errors import LiftError, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.potentials import forest_potential

MOST_ENTRIES = 10**8  # of all delays together


@dataclass(frozen=True)
class Periods:
    """The map ``(v, x) -> (v, M x + c_v)`` from a maximal abelian cover to a delay cover.

    Call it with a vertex of the one to find that of the other.

    Attributes
    ----------
    matrix : tuple of tuple of int
        M, one row for each axis of the delays, one column for each independent cycle.
    offsets : dict
        The time ``c_v`` of each vertex, an int or a tuple of ints.
    """

    matrix: tuple[tuple[int, ...], ...]
    offsets: Mapping[Any, Any]

    def __call__(self, node: Any) -> Any:
        """Image of a vertex ``(v, x)``."""
        vertex, x = node if isinstance(node, tuple) and len(node) == 2 else (None, None)
        cycles = len(self.matrix[0])
        place = as_time(x, max(1, cycles))
        if place is None or not known(vertex, self.offsets):
            wanted = "an integer" if cycles < 2 else f"a tuple of {cycles} integers"
            raise LiftError(
                f"{show_vertex(node)} is no vertex of the maximal abelian cover; its vertices are "
                f"pairs of a vertex of the base and {wanted}",
                node=node,
            )
        parts = place if cycles > 1 else (place,) * cycles
        offset = self.offsets[vertex]
        start = offset if len(self.matrix) > 1 else (offset,)
        time = tuple(
            c + sum(m * p for m, p in zip(row, parts, strict=True))
            for c, row in zip(start, self.matrix, strict=True)
        )
        return vertex, time if len(time) > 1 else time[0]


def abelianize(G: Any, *, delay: str = "delay") -> Any:
    """Give a graph the delays whose cover is its maximal abelian cover.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        A copy with delays in Z^b, b = m - n + (number of components): 0 on a spanning
        forest, a unit vector on each other edge. For b = 1 they are integers, for b = 0 all
        are 0. Each component of its delay cover is the maximal abelian cover of a component
        of ``G``, and is acyclic; `period_map` maps it into the delay cover of ``G``.

    Raises
    ------
    ValueError
        If m delays of b entries are too many to be stored.

    Notes
    -----
    O(m + n) for each dimension, and b**2 for the unit vectors.

    References
    ----------
    T. Sunada, Topological Crystallography (Springer, 2013), ch. 6.

    Examples
    --------
    Two loops: time forgets which of them was taken, the maximal abelian cover forgets
    only in which order.

    >>> import unrollgraph as ug
    >>> A = ug.abelianize(ug.gallery.narx(2))
    >>> list(A.edges(data="delay"))
    [('x', 'h', (0, 0)), ('h', 'h', (1, 0)), ('h', 'h', (0, 1)), ('h', 'y', (0, 0))]
    >>> ug.is_acyclic(ug.DelayCover(A))
    True
    """
    graph = as_delay_graph(G, delay)
    m = len(graph.edges)
    _, others = _forest_times(graph)
    if len(others) * m > MOST_ENTRIES:
        raise ValueError(
            f"the graph has {len(others)} independent cycles, so {m} delays of as many entries, "
            "more than can be stored; take a smaller graph, or delays of your own"
        )
    units = np.eye(len(others), dtype=np.int64).tolist()
    zero = (0,) * len(others) if len(others) > 1 else 0
    delays: list[Any] = [zero] * m
    for e, unit in zip(others, units, strict=True):
        delays[e] = tuple(unit) if len(others) > 1 else 1
    return graph.with_delays(delays)


def period_map(G: Any, *, delay: str = "delay") -> Periods:
    """Map the cover of ``abelianize(G)`` into the delay cover of ``G``.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    Periods
        The map ``(v, x) -> (v, M x + c_v)``. It is onto one component over each component
        of ``G``.

    Notes
    -----
    O(m + n) for each dimension.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> down = ug.period_map(ug.gallery.narx(2))
    >>> down.matrix, down(("h", (3, 1))), down(("h", (1, 2)))
    (((1, 2),), ('h', 5), ('h', 5))
    """
    graph = as_delay_graph(G, delay)
    potentials, others = _forest_times(graph)
    tails, heads = graph.tails.tolist(), graph.heads.tolist()
    matrix = tuple(
        tuple(int(d[e]) + p[tails[e]] - p[heads[e]] for e in others)
        for d, p in zip(graph.delays.T.tolist(), potentials, strict=True)
    )
    times = potentials[0] if graph.dimension == 1 else list(zip(*potentials, strict=True))
    return Periods(matrix, FrozenDict(zip(graph.vertices, times, strict=True)))


def _forest_times(graph: DelayGraph) -> tuple[list[Any], list[int]]:
    """Time of each vertex along a spanning forest, for each axis, and the other edges."""
    potentials = []
    reached: list[int] = []
    for axis in range(graph.dimension):
        weights = graph.delays[:, axis].tolist()
        potential, reached = forest_potential(
            len(graph.vertices), graph.tails, graph.heads, weights
        )
        potentials.append(potential)
    forest = set(reached)
    return potentials, [e for e in range(len(graph.edges)) if e not in forest]
