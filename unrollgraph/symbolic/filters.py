"""Linear delay networks: what a filter does to signals.

Let each vertex hold the sum of what its in-edges bring, each edge multiply by its gain and wait
for its delay, and one vertex hear an input besides:

    x_v(t) = u_v(t) + sum of gain(e) x_u(t - d(e)) over the edges e: u -> v.

With z for one step of delay, the response of a vertex to an input at another is the *transfer
function*

    H(z) = [(I - A(z))^-1]_{source, target},

the walks from source to target, each with the product of the gains along it. Books on signal
processing write z^-1 where this package writes z.

By Mason's rule H = (sum of P_k Delta_k) / Delta: P_k are the simple paths, Delta is 1 - (the sum
of all simple cycles) + (the sum of products of two that share no vertex) - ..., and Delta_k is the
same of the cycles that do not touch path k. And Delta = det(I - A(z)).

The *state* of the network are the values that will still be heard of later. It moves by

    s(t + 1) = A s(t) + B u(t),    y(t) = C s(t) + D u(t),

and H(z) = D + z C (I - z A)^-1 B.

References
----------
S. J. Mason, Feedback theory: further properties of signal flow graphs, Proc. IRE 44 (1956).
A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing (Pearson, 2010), ch. 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx
import sympy

from unrollgraph.errors import CyclicCoverError, check_size, show_edge, show_walk
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, delay_hint, each_vertex
from unrollgraph.graph.digraph import cycle_among, levels
from unrollgraph.limits import MOST_STATES
from unrollgraph.symbolic.polynomials import (
    Wires,
    at,
    determinant_of,
    gains_of,
    minor_of,
    units_of,
    vanishes,
    vertices_on_walks,
)


def transfer_function(
    G: Any,
    source: Any,
    target: Any,
    z: Any,
    gain: str | None = "gain",
    *,
    method: str = "matrix",
    delay: str = "delay",
) -> sympy.Expr:
    """Find the response of one vertex of a linear network to an input at another.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    source, target : vertices of G
        Where the input enters, and where the response is read.
    z : sympy expression, or tuple of d of them
        The unit of delay; z^-1 in books on signal processing.
    gain : str or None
        The edge attribute that holds gains: numbers or SymPy expressions, 1 where it is absent.
        A float stands for the decimal that it prints as. None: all are 1.
    method : {"matrix", "mason"}
        Whether to solve the equations by determinants, or to add up paths and cycles by Mason's
        rule. They agree.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    sympy.Expr
        A rational function, in lowest terms where gains are rational; 0 if no walk leads from
        source to target.

    Raises
    ------
    ValueError
        If the equations have no one solution, since det(I - A(z)) of what lies between source
        and target is zero, or as by `adjacency`.

    Notes
    -----
    It solves the equations, also where cycles without delay let no order compute them, and where
    delays are negative; which series it stands for is said by `walk_series`, given the same
    ``gain``. By the matrix O(n^3) products of polynomials, by Mason's rule all simple paths and
    cycles, and all sets of cycles that do not touch.

    Examples
    --------
    A decaying memory hears a, a^2, a^3, ... of what it heard once.

    >>> import networkx as nx
    >>> import sympy
    >>> import unrollgraph as ug
    >>> z, a = sympy.symbols("z a")
    >>> G = nx.DiGraph()
    >>> G.add_edge("x", "h")
    >>> G.add_edge("h", "h", delay=1, gain=a)
    >>> H = ug.symbolic.transfer_function(G, "x", "h", z)
    >>> H
    -1/(a*z - 1)
    >>> sympy.series(H, z, 0, 4)
    1 + a*z + a**2*z**2 + a**3*z**3 + O(z**4)
    """
    if method not in ("matrix", "mason"):
        raise ValueError(f"the method is 'matrix' or 'mason', not {method!r}")
    graph = as_delay_graph(G, delay)
    units, gains = units_of(graph, z), gains_of(graph, gain)
    inner = vertices_on_walks(graph, source, target)
    if not inner:
        return sympy.S.Zero
    wires = Wires(graph, gains, inner)
    ends = inner.index(graph.number[source]), inner.index(graph.number[target])
    own = [sympy.Dummy(f"z{axis}") for axis in range(graph.dimension)]
    if method == "matrix":
        above, below = at(minor_of(wires, *ends), own), at(determinant_of(wires), own)
    else:
        above, below = map(wires.given, _mason(wires.entries(own), *ends))
    named = dict(zip(own, units, strict=True))
    if vanishes(below) or vanishes(below.xreplace(named)):
        raise ValueError(
            "the equations have no one solution, since det(I - A(z)) is zero between source and "
            "target; change the gain of an edge on a cycle, or give the cycle a delay"
        )
    quotient = (above / below).xreplace(named)
    # with radicals SymPy may search for common divisors for hours
    return sympy.cancel(quotient) if wires.rational else quotient


@dataclass(frozen=True)
class StateSpace:
    """A linear network as matrices: s(t + 1) = A s(t) + B u(t), y(t) = C s(t) + D u(t).

    Attributes
    ----------
    A, B, C, D : sympy.ImmutableMatrix
        The matrices.
    states : tuple of (vertex, int)
        What the state holds: ``(v, k)`` is the value of v at k steps before.
    inputs, outputs : tuple of vertices
        Where inputs enter, and what is read.
    """

    A: sympy.ImmutableMatrix
    B: sympy.ImmutableMatrix
    C: sympy.ImmutableMatrix
    D: sympy.ImmutableMatrix
    states: tuple[tuple[Any, int], ...]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


def state_space(
    G: Any,
    inputs: Iterable[Any] | None = None,
    outputs: Iterable[Any] | None = None,
    gain: str | None = "gain",
    *,
    delay: str = "delay",
) -> StateSpace:
    """Write a linear network as a system in state space.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph with delays in Z, none of them negative.
    inputs, outputs : iterable of vertices, optional
        Where inputs enter, and what is read; unless given the vertices without in-edges, and
        those without out-edges.
    gain : str or None
        As `transfer_function` takes it.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    StateSpace
        The matrices, and what their rows and columns mean.

    Raises
    ------
    CyclicCoverError
        If edges without delay form a cycle.
    ValueError
        If a delay is negative or not in Z, inputs or outputs are not named and no vertex is
        without in-edges or without out-edges, or as by `adjacency`.

    Notes
    -----
    The state has one entry for each vertex and step up to the largest delay out of it: by
    retiming, fewer.

    Examples
    --------
    >>> import networkx as nx
    >>> import sympy
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("x", "h", gain=sympy.Symbol("b"))
    >>> G.add_edge("h", "h", delay=1, gain=sympy.Symbol("a"))
    >>> G.add_edge("h", "y")
    >>> system = ug.symbolic.state_space(G)
    >>> system.A, system.B, system.C, system.D, system.states
    (Matrix([[a]]), Matrix([[b]]), Matrix([[a]]), Matrix([[b]]), (('h', 1),))
    """
    graph = as_delay_graph(G, delay)
    _check_forward(graph)
    gains = gains_of(graph, gain)
    chosen = _chosen(graph, inputs, graph.in_numbers, "inputs")
    read = _chosen(graph, outputs, graph.out_numbers, "outputs")
    n, delays = len(graph.vertices), graph.delays[:, 0].tolist()
    tails, heads = graph.tails.tolist(), graph.heads.tolist()
    longest = [max((delays[e] for e in graph.out_numbers[v]), default=0) for v in range(n)]
    check_size(sum(longest), MOST_STATES, "the state", "use a larger unit of time")
    states = [(v, k) for v in range(n) for k in range(1, longest[v] + 1)]
    place = {state: k for k, state in enumerate(states)}
    now, past = sympy.eye(n), sympy.zeros(n, len(states))
    for u, v, d, number in zip(tails, heads, delays, gains, strict=True):
        if d:
            past[v, place[u, d]] += number
        else:
            now[v, u] -= number
    # triangular in an order along the edges without delay, with ones on the diagonal
    at_once = now.inv().applyfunc(sympy.expand) if n else now
    heard = (at_once * past).applyfunc(sympy.expand)
    A, B = sympy.zeros(len(states)), sympy.zeros(len(states), len(chosen))
    for (v, k), row in place.items():
        if k > 1:
            A[row, place[v, k - 1]] = 1
        else:
            A[row, :] = heard[v, :]
            B[row, :] = at_once.extract([v], chosen)
    return StateSpace(
        sympy.ImmutableMatrix(A),
        sympy.ImmutableMatrix(B),
        sympy.ImmutableMatrix(heard.extract(read, list(range(len(states))))),
        sympy.ImmutableMatrix(at_once.extract(read, chosen)),
        tuple((graph.vertices[v], k) for v, k in states),
        tuple(graph.vertices[v] for v in chosen),
        tuple(graph.vertices[v] for v in read),
    )


def _chosen(graph: DelayGraph, names: Any, edges: Sequence[Sequence[int]], what: str) -> list[int]:
    """Numbers of the vertices named, or of those without edges on one side."""
    if names is None:
        ends = [v for v, own in enumerate(edges) if not own]
        if not ends:
            side = "in-edges" if what == "inputs" else "out-edges"
            raise ValueError(f"no vertex is without {side}; name the {what}")
        return ends
    return [graph.number[name] for name in each_vertex(graph, names, what)]


def _check_forward(graph: DelayGraph) -> None:
    if graph.dimension > 1:
        raise ValueError(f"a state is one of time, but delays are in Z^{graph.dimension}")
    for edge, d in zip(graph.edges, graph.times, strict=True):
        if d < 0:
            raise ValueError(
                f"the edge {show_edge(edge)} has the delay {d}, but a state remembers the past "
                "alone; unrollgraph.retime may move delays until none is negative"
            )
    at_once = graph.delays[:, 0] == 0
    tails, heads = graph.tails[at_once], graph.heads[at_once]
    level = levels(len(graph.vertices), tails, heads)
    if level.min(initial=0) < 0:
        still = at_once.nonzero()[0]
        walk = [graph.edges[still[e]] for e in cycle_among(level, tails, heads)]
        raise CyclicCoverError(
            f"no order computes the network, since no edge of the cycle {show_walk(walk)} has a "
            "delay; give one of them a delay, or compute the transfer_function"
            f"{delay_hint(graph)}"
        )


# -- Mason's rule ------------------------------------------------------------------------------


def _mason(matrix: sympy.Matrix, source: int, target: int) -> tuple[sympy.Expr, sympy.Expr]:
    """Numerator and denominator: paths and cycles as networkx lists them."""
    D: Any = nx.DiGraph()
    n = range(matrix.rows)
    D.add_nodes_from(n)
    D.add_edges_from((u, v) for u in n for v in n if matrix[u, v] != 0)
    cycles = [(frozenset(c), _along(matrix, [*c, c[0]])) for c in nx.simple_cycles(D)]
    paths = [[source]] if source == target else nx.all_simple_paths(D, source, target)
    above = sum(
        _along(matrix, path) * _untouched([c for c in cycles if c[0].isdisjoint(path)])
        for path in paths
    )
    return sympy.expand(above), sympy.expand(_untouched(cycles))


def _along(matrix: sympy.Matrix, stops: Sequence[int]) -> sympy.Expr:
    return sympy.Mul(*(matrix[u, v] for u, v in pairwise(stops)))


def _untouched(cycles: Sequence[tuple[frozenset[int], sympy.Expr]]) -> sympy.Expr:
    """One minus the cycles, plus the products of two that share no vertex, and so on."""

    def terms(first: int, taken: frozenset[int], product: sympy.Expr) -> Iterator[sympy.Expr]:
        yield product
        for k in range(first, len(cycles)):
            vertices, weight = cycles[k]
            if vertices.isdisjoint(taken):
                yield from terms(k + 1, taken | vertices, -product * weight)

    return sympy.Add(*terms(0, frozenset(), sympy.S.One))
