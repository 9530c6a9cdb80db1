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

from typing import Any

from unrollgraph.cover.delay_cover import as_cover
from unrollgraph.graph.cycle_space import Forest, spanning_forest
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.measure.certificates import ZeroWalk
from unrollgraph.measure.lattices import kernel


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
    forest = spanning_forest(len(graph.vertices), graph.tails, graph.heads)
    label = forest.component[graph.tails[forest.cotree]].tolist()
    count = int(forest.component.max(initial=-1)) + 1
    found: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in range(count)]
    rows = zip(forest.cotree.tolist(), forest.totals(graph.delays).tolist(), strict=True)
    for own, (e, total) in zip(label, rows, strict=True):
        found[own].append((e, tuple(total)))
    return found, forest
