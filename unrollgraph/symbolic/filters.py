"""Linear delay networks: transfer functions and state space.

The value of a vertex is its input plus the weighted and delayed values of its predecessors,

    x_v(t) = u_v(t) + sum of gain(e) x_u(t - d(e)) over the edges e: u -> v.

With A(z) as in `polynomials`, the *transfer function* H(z) = [(I - A(z))^-1]_{source, target} is
the response of the target to an input at the source: the sum over all walks of the product of the
terms gain(e) z^d(e). Textbooks on signal processing write z^-1 for this z. By Mason's rule H is the
sum of P_k Delta_k / Delta over the simple paths, where P_k is the product along path k. Delta is
det(I - A(z)) = 1 - (sum of all simple cycles) + (sum of products of two disjoint cycles) - ..., and
Delta_k uses only the cycles disjoint from path k. The *state* s(t) consists of past values:

    s(t + 1) = A s(t) + B u(t),    y(t) = C s(t) + D u(t),    H(z) = D + z C (I - z A)^-1 B.

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

from unrollgraph.errors import CyclicCoverError, check_size
from unrollgraph.graph.delay_graph import (
    DelayGraph,
    GraphLike,
    as_delay_graph,
    delay_hint,
    each_vertex,
)
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
    G: GraphLike,
    source: Any,
    target: Any,
    z: Any,
    gain: str | None = "gain",
    *,
    method: str = "matrix",
    delay: str = "delay",
) -> sympy.Expr:
    """Compute the response of one vertex of a linear network to an input at another.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph. Delays may be negative, and cycles may have delay 0.
    source, target : vertices of G
        The vertex of the input and the vertex of the response.
    z : sympy expression, or tuple of d of them
        The unit of delay, for each axis; z^-1 in textbooks on signal processing.
    gain : str or None
        As in `adjacency`.
    method : {"matrix", "mason"}
        Compute determinants, with O(n^3) products of polynomials, or apply Mason's rule to all
        simple paths and all sets of disjoint cycles. The results are equal.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    sympy.Expr
        A rational function of z, 0 without walks from source to target; in lowest terms if all
        gains are rational functions. `walk_series` with the same ``gain`` returns its series.

    Raises
    ------
    ValueError
        If det(I - A(z)) is zero between source and target, or an argument is not valid.

    Examples
    --------
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
        raise ValueError(f"unknown method {method!r}: pass method='matrix' or method='mason'")
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
            "the equations do not have a unique solution: det(I - A(z)) is zero for the vertices "
            f"between {source!r} and {target!r}; change the gain or the delay of an edge on a "
            "cycle, or pass another z"
        )
    quotient = (above / below).xreplace(named)
    # with radicals, SymPy's search for common divisors may take hours
    return sympy.cancel(quotient) if wires.rational else quotient


@dataclass(frozen=True)
class StateSpace:
    """A linear network: s(t + 1) = A s(t) + B u(t), y(t) = C s(t) + D u(t).

    Attributes
    ----------
    A, B, C, D : sympy.ImmutableMatrix
        The matrices.
    states : tuple of (vertex, int)
        The entries of the state: ``(v, k)`` is the value of v from k steps earlier.
    inputs, outputs : tuple of vertices
        The vertices of the entries of u and of y.
    """

    A: sympy.ImmutableMatrix
    B: sympy.ImmutableMatrix
    C: sympy.ImmutableMatrix
    D: sympy.ImmutableMatrix
    states: tuple[tuple[Any, int], ...]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


def state_space(
    G: GraphLike,
    inputs: Iterable[Any] | None = None,
    outputs: Iterable[Any] | None = None,
    gain: str | None = "gain",
    *,
    delay: str = "delay",
) -> StateSpace:
    """Convert a linear network to a state-space system.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; delays must be integers >= 0.
    inputs, outputs : iterable of vertices, optional
        The vertices of u and of y; default: those without in-edges, and those without out-edges.
    gain : str or None
        As in `adjacency`.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    StateSpace
        The matrices. The state has an entry ``(v, k)`` for each k from 1 to the largest delay of an
        out-edge of v; retiming may reduce their number.

    Raises
    ------
    CyclicCoverError
        If edges of delay 0 form a cycle.
    ValueError
        If a delay is negative or not in Z, a default has no vertex, or an argument is not valid.

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
    # invertible: triangular with unit diagonal in topological order of the edges of delay 0
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
    """Return the numbers of the given vertices, by default of those without edges."""
    if names is None:
        ends = [v for v, own in enumerate(edges) if not own]
        if not ends:
            side = "in-edges" if what == "inputs" else "out-edges"
            raise ValueError(f"no default {what}: every vertex has {side}; pass {what}=[...]")
        return ends
    return [graph.number[name] for name in each_vertex(graph, names, what)]


def _check_forward(graph: DelayGraph) -> None:
    if graph.dimension > 1:
        raise ValueError(
            "state_space requires delays in Z, but the delays of the graph are in "
            f"Z^{graph.dimension}; use transfer_function, which accepts them"
        )
    for edge, d in zip(graph.edges, graph.times, strict=True):
        if d < 0:
            raise ValueError(
                f"negative delay {d} on edge {edge!r}: state_space requires delays >= 0; shift "
                "the vertices with unrollgraph.retime, or use transfer_function"
            )
    at_once = graph.delays[:, 0] == 0
    tails, heads = graph.tails[at_once], graph.heads[at_once]
    level = levels(len(graph.vertices), tails, heads)
    if level.min(initial=0) < 0:
        still = at_once.nonzero()[0]
        walk = [graph.edges[still[e]] for e in cycle_among(level, tails, heads)]
        raise CyclicCoverError(
            "the network has no order of computation: every edge of the cycle "
            f"{graph.show_walk(walk)} has delay 0; give one of them a delay, or use "
            f"transfer_function{delay_hint(graph)}"
        )


# -- Mason's rule ------------------------------------------------------------------------------


def _mason(matrix: sympy.Matrix, source: int, target: int) -> tuple[sympy.Expr, sympy.Expr]:
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
    """Return 1 - (sum of the cycles) + (sum of products of two disjoint cycles) - ..."""

    def terms(first: int, taken: frozenset[int], product: sympy.Expr) -> Iterator[sympy.Expr]:
        yield product
        for k in range(first, len(cycles)):
            vertices, weight = cycles[k]
            if vertices.isdisjoint(taken):
                yield from terms(k + 1, taken | vertices, -product * weight)

    return sympy.Add(*terms(0, frozenset(), sympy.S.One))
