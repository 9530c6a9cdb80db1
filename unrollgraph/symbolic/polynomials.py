"""Adjacency, determinant, zeta function and walk counts of a delay graph.

With z for one unit of delay, the *adjacency matrix* A(z) has the entries

    A(z)[u, v] = sum of gain times z^d over the edges u -> v of delay d.

Walks are listed by total delay in (I - A(z))^-1 = I + A(z) + A(z)^2 + ..., a series in z if all
cycles have positive total delay, in 1/z if all have negative. The determinant D(z) = det(I - A(z))
is a Laurent polynomial, invariant under retiming. The *zeta function* is 1/D. Without gains,
-z D'(z) / D(z) is the sum of N_k z^k, where N_k is the number of closed walks of total delay k,
each with the k steps at which it may begin. If all delays are >= 1, N_k is the trace of B^k, where
B is the adjacency matrix of the graph with each edge of delay d replaced by a path of d edges.

SymPy is exact and fast for polynomials with rational coefficients. So each row is multiplied by a
power of z and the denominators of its gains; symbols replace z and terms such as sqrt(2).

References
----------
D. Lind and B. Marcus, An Introduction to Symbolic Dynamics and Coding, 2nd ed. (Cambridge, 2021),
section 6.4. R. P. Stanley, Enumerative Combinatorics 1, 2nd ed. (Cambridge, 2012), section 4.7.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import sympy
from sympy.polys.matrices import DomainMatrix

from unrollgraph.errors import check_size
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph, known
from unrollgraph.graph.digraph import strong_components, vertices_between
from unrollgraph.graph.times import check_integer
from unrollgraph.limits import MOST_OBJECTS, MOST_TERMS
from unrollgraph.measure.acyclicity import acyclicity_certificate

Laurent = dict[tuple[int, ...], sympy.Expr]  # coefficients by exponents, one for each axis


class Wires:
    """Edges between given vertices, with symbols for non-rational terms of gains."""

    def __init__(
        self, graph: DelayGraph, gains: Sequence[sympy.Expr], inner: Sequence[int]
    ) -> None:
        self._names: dict[sympy.Expr, sympy.Dummy] = {}
        place = {v: k for k, v in enumerate(inner)}
        self.size, self.axes = len(inner), graph.dimension
        self.wires = [  # tail, head, gain, delay; the vertices by their place in `inner`
            (place[u], place[v], self._renamed(gain), tuple(delay))
            for u, v, gain, delay in zip(
                graph.tails.tolist(),
                graph.heads.tolist(),
                gains,
                graph.delays.tolist(),
                strict=True,
            )
            if u in place and v in place
        ]

    def _renamed(self, gain: sympy.Expr) -> sympy.Expr:
        """Return a gain with a symbol for each term that is not a rational function."""
        if gain.is_Rational or gain.is_Symbol:
            return gain
        if gain.is_Add or gain.is_Mul:
            return gain.func(*map(self._renamed, gain.args))
        if gain.is_Pow and gain.exp.is_Integer:
            return self._renamed(gain.base) ** gain.exp
        return self._names.setdefault(gain, sympy.Dummy("gain"))

    @property
    def rational(self) -> bool:
        """Whether all gains are rational functions."""
        return not self._names

    def given(self, expression: sympy.Expr) -> sympy.Expr:
        """Restore the terms that symbols replace."""
        return expression.xreplace({name: gain for gain, name in self._names.items()})

    def entries(self, units: Sequence[sympy.Expr]) -> sympy.Matrix:
        """Return A at the given units, with the symbols in place."""
        rows = [[sympy.S.Zero] * self.size for _ in range(self.size)]
        for u, v, gain, delay in self.wires:
            rows[u][v] += gain * _power(units, delay)
        return sympy.Matrix(self.size, self.size, [*chain(*rows)])


def determinant_of(wires: Wires) -> Laurent:
    """Return the determinant of I - A(z)."""
    return _determinant(wires, range(wires.size), range(wires.size))


def minor_of(wires: Wires, source: int, target: int) -> Laurent:
    """Return the entry (source, target) of the adjugate of I - A(z)."""
    rows = [k for k in range(wires.size) if k != target]
    columns = [k for k in range(wires.size) if k != source]
    sign = (-1) ** (source + target)
    return {power: sign * c for power, c in _determinant(wires, rows, columns).items()}


def _determinant(wires: Wires, rows: Iterable[int], columns: Iterable[int]) -> Laurent:
    """Return the determinant of some rows and columns of I - A(z)."""
    degree = sum(max(map(abs, delay), default=0) for *_, delay in wires.wires)
    check_size(degree, MOST_OBJECTS, "the polynomial in z", "use a larger unit of time")
    kept = [*columns]
    units = [sympy.Dummy(f"z{axis}") for axis in range(wires.axes)]
    cleared, divisor, shift = [], sympy.S.One, [0] * wires.axes
    for row in rows:
        own = [wire for wire in wires.wires if wire[0] == row]
        low = [-min([0, *(wire[3][axis] for wire in own)]) for axis in range(wires.axes)]
        under = sympy.lcm_list([sympy.fraction(sympy.together(wire[2]))[1] for wire in own] or [1])
        entries = dict.fromkeys(range(wires.size), sympy.S.Zero)
        entries[row] += under * _power(units, low)
        for _, v, gain, delay in own:
            power = [x + y for x, y in zip(low, delay, strict=True)]
            entries[v] -= sympy.cancel(gain * under) * _power(units, power)
        cleared.append([entries[k] for k in kept])
        divisor, shift = divisor * under, [x + y for x, y in zip(shift, low, strict=True)]
    found = _polynomial(cleared, units)
    laurent = {
        tuple(x - y for x, y in zip(power, shift, strict=True)): sympy.expand(
            wires.given(c if divisor == 1 else sympy.cancel(c / divisor))
        )
        for power, c in found.items()
    }
    return {power: c for power, c in laurent.items() if c != 0}


def _polynomial(rows: Sequence[Sequence[sympy.Expr]], units: Sequence[sympy.Symbol]) -> Laurent:
    """Return the determinant of a matrix of polynomials, as a dict by exponents."""
    if not rows:
        return {(0,) * len(units): sympy.S.One}
    matrix = DomainMatrix.from_Matrix(sympy.Matrix(rows).applyfunc(sympy.expand))
    value = matrix.domain.to_sympy(matrix.det())
    return {power: c for power, c in sympy.Poly(value, *units).terms() if c != 0}


def at(laurent: Laurent, units: Sequence[sympy.Expr]) -> sympy.Expr:
    """Evaluate a Laurent polynomial; raise `ValueError` at a pole."""
    value = sympy.expand(sympy.Add(*(c * _power(units, power) for power, c in laurent.items())))
    check_finite_value(value, "det(I - A(z))", units)
    return value


def check_finite_value(value: Any, what: str, units: Sequence[sympy.Expr]) -> None:
    """Raise `ValueError` for an infinite or undefined value, such as 1/z at z = 0."""
    if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise ValueError(
            f"{what} has no value at z = {', '.join(map(str, units))}; pass a symbol or another "
            "number for z"
        )


def vanishes(value: sympy.Expr) -> bool:
    """Whether an expression is zero, also by identities such as sin^2 + cos^2 = 1."""
    if value == 0 or value.is_rational_function():
        return bool(sympy.cancel(value) == 0)
    return bool(value.equals(0))


def _power(units: Sequence[sympy.Expr], exponents: Sequence[int]) -> sympy.Expr:
    return sympy.Mul(*(unit**k for unit, k in zip(units, exponents, strict=True)))


def adjacency(
    G: GraphLike, z: Any, *, gain: str | None = None, delay: str = "delay"
) -> sympy.ImmutableMatrix:
    """Compute the adjacency matrix of a delay graph as a function of z.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    z : sympy expression, or tuple of d of them
        The unit of delay, for each axis: a symbol, or the value at which to evaluate.
    gain : str or None
        Edge attribute of the gains, numbers or SymPy expressions; a missing gain is 1. A float is
        converted to the decimal that it prints as. None: all gains are 1.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    sympy.ImmutableMatrix
        Row u, column v, in vertex order: the sum of gain times ``z**delay``. Costs O(m + n^2).

    Raises
    ------
    ValueError
        If z does not have d entries, a gain is not a number or expression, or an entry is infinite.

    Examples
    --------
    >>> import sympy
    >>> import unrollgraph as ug
    >>> z = sympy.Symbol("z")
    >>> ug.symbolic.adjacency(ug.gallery.bouquet(1, 2), z)
    Matrix([[z**2 + z]])
    """
    graph = as_delay_graph(G, delay)
    wires = Wires(graph, gains_of(graph, gain), range(len(graph.vertices)))
    units = units_of(graph, z)
    matrix = sympy.ImmutableMatrix(wires.entries(units).applyfunc(wires.given))
    check_finite_value(matrix, "A(z)", units)
    return matrix


def determinant(
    G: GraphLike, z: Any, *, gain: str | None = None, delay: str = "delay"
) -> sympy.Expr:
    """Compute det(I - A(z)), where A(z) is the adjacency matrix.

    Parameters
    ----------
    G, z, gain, delay
        As in `adjacency`, with the same errors.

    Returns
    -------
    sympy.Expr
        A Laurent polynomial; 1 for an acyclic graph. Retiming and reversing all edges do not change
        it. Costs O(n^3) products of polynomials.

    Examples
    --------
    >>> import sympy
    >>> import unrollgraph as ug
    >>> z = sympy.Symbol("z")
    >>> ug.symbolic.determinant(ug.gallery.bouquet(1, 2), z)
    -z**2 - z + 1
    >>> ug.symbolic.determinant(ug.gallery.seed_network(), z)
    1 - z
    """
    graph = as_delay_graph(G, delay)
    wires = Wires(graph, gains_of(graph, gain), range(len(graph.vertices)))
    return at(determinant_of(wires), units_of(graph, z))


def zeta(G: GraphLike, z: Any, *, gain: str | None = None, delay: str = "delay") -> sympy.Expr:
    """Compute the zeta function, the exponential of the sum of ``N_k z**k / k``.

    Parameters
    ----------
    G, z, gain, delay
        As in `adjacency`.

    Returns
    -------
    sympy.Expr
        ``1 / determinant(G, z)``, at the same cost. In its series, the factor of a strong component
        is expanded in 1/z if its cycles have negative total delay, otherwise in z.

    Raises
    ------
    CyclicCoverError
        If a closed walk has total delay 0; then infinitely many have.
    ValueError
        If the determinant is zero, or as in `adjacency`.

    Examples
    --------
    >>> import sympy
    >>> import unrollgraph as ug
    >>> z = sympy.Symbol("z")
    >>> zeta = ug.symbolic.zeta(ug.gallery.bouquet(1, 2), z)
    >>> zeta
    1/(-z**2 - z + 1)
    >>> sympy.series(sympy.log(zeta), z, 0, 5)
    z + 3*z**2/2 + 4*z**3/3 + 7*z**4/4 + O(z**5)
    """
    graph = as_delay_graph(G, delay)
    acyclicity_certificate(graph)
    value = determinant(graph, z, gain=gain)
    if value == 0:
        raise ValueError(
            "the zeta function is undefined: det(I - A(z)) is zero; change a gain or pass another z"
        )
    return 1 / value


def closed_walk_counts(G: GraphLike, n: int, *, delay: str = "delay") -> tuple[int, ...]:
    """Count the closed walks of total delay 1, 2, ..., n.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    n : int
        The largest total delay.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    tuple of int
        The numbers N_1, ..., N_n. A closed walk of total delay k counts for each of the k steps at
        which it may begin, or k / r times if it repeats a shorter one r times. Costs a determinant
        for each strong component, and n times its degree.

    Raises
    ------
    CyclicCoverError
        If a closed walk has total delay 0; then infinitely many have.
    ValueError
        If the delays are not in Z, or n is not an integer >= 0.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.symbolic.closed_walk_counts(ug.gallery.bouquet(1, 2), 8)
    (1, 3, 4, 7, 11, 18, 29, 47)
    """
    graph, last = as_delay_graph(G, delay), check_integer(n, "the largest total delay")
    check_size(last, MOST_TERMS, "the series", "pass a smaller n")
    _in_time(graph, "closed_walk_counts requires delays in Z")
    acyclicity_certificate(graph)
    label = strong_components(len(graph.vertices), graph.tails, graph.heads)
    totals, ones = [0] * (last + 1), [sympy.S.One] * len(graph.edges)
    for part in range(int(label.max(initial=-1)) + 1):
        wires = Wires(graph, ones, np.flatnonzero(label == part).tolist())
        shape = {power: int(c) for (power,), c in determinant_of(wires).items()}
        if min(shape) < 0:
            continue
        sums = [0]
        for k in range(1, last + 1):
            rest = sum(c * sums[k - j] for j, c in shape.items() if 0 < j < k)
            sums.append(-k * shape.get(k, 0) - rest)
            totals[k] += sums[k]
    return tuple(totals[1:])


def walk_series(
    G: GraphLike, source: Any, target: Any, n: int, *, gain: str | None = None, delay: str = "delay"
) -> tuple[Any, ...]:
    """Count the walks from one vertex to another by total delay, or sum their gains.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    source, target : vertices of G
        The first and the last vertex of the walks.
    n : int
        The largest total delay.
    gain : str or None
        As in `adjacency`; the default differs from "gain" in `transfer_function` and `state_space`.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    tuple of n + 1 numbers
        For k = 0, ..., n, the number of walks of total delay k, an int; with gains, the sum over
        these walks of the product of gains (impulse response), a SymPy expression. Costs two
        determinants, and n times their degree.

    Raises
    ------
    CyclicCoverError
        If a closed walk between source and target has total delay 0.
    ValueError
        If delays are not in Z, the walks meet cycles of positive and of negative total delay, or
        an argument is not valid.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.symbolic.walk_series(ug.gallery.bouquet(1, 2), "a", "a", 8)
    (1, 1, 2, 3, 5, 8, 13, 21, 34)
    """
    graph, last = as_delay_graph(G, delay), check_integer(n, "the largest total delay")
    check_size(last, MOST_TERMS, "the series", "pass a smaller n")
    _in_time(graph, "walk_series requires delays in Z")
    gains = gains_of(graph, gain)
    inner = vertices_on_walks(graph, source, target)
    whole = (lambda number: number) if gain is not None else int
    if not inner:
        return (whole(sympy.S.Zero),) * (last + 1)
    sign = _direction(graph, inner, (source, target))
    wires = Wires(graph, gains, inner)
    ends = (inner.index(graph.number[v]) for v in (source, target))
    above = {sign * k: c for (k,), c in minor_of(wires, *ends).items()}
    below = {sign * k: c for (k,), c in determinant_of(wires).items()}
    series = _quotient(above, below, last if sign > 0 else 0)
    return tuple(whole(series.get(sign * k, sympy.S.Zero)) for k in range(last + 1))


# -- gains and units ----------------------------------------------------------------------------


def gains_of(graph: DelayGraph, gain: str | None) -> list[sympy.Expr]:
    """Return the gain of each edge as an exact SymPy expression."""
    values = [1] * len(graph.edges) if gain is None else graph.edge_values(gain, 1)
    return [_exactly(value, edge) for value, edge in zip(values, graph.edges, strict=True)]


def _exactly(value: Any, edge: Any) -> sympy.Expr:
    """Convert a gain to SymPy; floats become exact decimals."""
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return sympy.Rational(str(value))
    if isinstance(value, complex | np.complexfloating) and np.isfinite(value):
        return _exactly(value.real, edge) + sympy.I * _exactly(value.imag, edge)
    if not isinstance(value, bool | np.bool_):
        found = _expression(value)
        if found is not None:
            return found
    raise ValueError(
        f"invalid gain {value!r} on edge {edge!r}: a gain must be a finite number or a SymPy "
        "expression such as sympy.Symbol('a')"
    )


_NOT_FINITE = (sympy.oo, -sympy.oo, sympy.zoo, sympy.nan, sympy.AccumBounds)


def _expression(value: Any) -> sympy.Expr | None:
    """Convert a number or expression to SymPy; None for other objects and for text."""
    try:
        found = sympy.sympify(value, strict=True)
    except sympy.SympifyError:
        return None
    if not isinstance(found, sympy.Expr) or not found.is_commutative or found.has(*_NOT_FINITE):
        return None
    decimals = {x: sympy.Rational(str(x)) for x in found.atoms(sympy.Float)}
    return found.xreplace(decimals)


def units_of(graph: DelayGraph, z: Any) -> list[sympy.Expr]:
    """Return the units of delay, one for each axis."""
    units = [_expression(unit) for unit in (z if isinstance(z, tuple | list) else (z,))]
    found = [unit for unit in units if unit is not None]
    if len(found) != graph.dimension or len(units) != graph.dimension:
        d = graph.dimension
        wanted = "one symbol or number" if d == 1 else f"a tuple of {d} symbols or numbers"
        raise ValueError(
            f"invalid z {z!r}: it must be {wanted}, since delays are in "
            f"{'Z' if d == 1 else f'Z^{d}'}"
        )
    return found


# -- series ------------------------------------------------------------------------------------


def _quotient(
    above: dict[int, sympy.Expr], below: dict[int, sympy.Expr], last: int
) -> dict[int, sympy.Expr]:
    """Return coefficients of a quotient; the divisor must be 1 plus higher powers."""
    series: dict[int, sympy.Expr] = {}
    if not above:
        return series
    higher = {j: c for j, c in below.items() if j}
    for k in range(min(above), last + 1):
        value = above.get(k, sympy.S.Zero)
        value -= sum(c * series[k - j] for j, c in higher.items() if k - j in series)
        series[k] = sympy.expand(value)
    return series


def vertices_on_walks(graph: DelayGraph, source: Any, target: Any) -> list[int]:
    """Return the numbers of the vertices on walks from source to target."""
    for what, vertex in (("source", source), ("target", target)):
        if not known(vertex, graph.number):
            raise ValueError(
                f"the {what} {vertex!r} is not a vertex of the graph; pass one of its vertices"
            )
    n, ends = len(graph.vertices), (graph.number[source], graph.number[target])
    found: list[int] = vertices_between(n, graph.tails, graph.heads, *ends).tolist()
    return found


def _direction(graph: DelayGraph, inner: list[int], ends: Any) -> int:
    """Return the sign of the total delays of the inner cycles; 1 without cycles."""
    names = [graph.vertices[v] for v in inner]
    schedule = acyclicity_certificate(graph.base.subgraph(names), delay=graph.delay_name)
    if not schedule.is_linear:
        raise ValueError(
            f"the cycles between {ends[0]!r} and {ends[1]!r} have positive and negative total "
            "delays, so no power series in z or 1/z lists the walks; use unrollgraph.path_count to "
            "count the walks of one total delay"
        )
    return -1 if schedule.time_direction == "backward" else 1


def _in_time(graph: DelayGraph, what: str) -> None:
    if graph.dimension > 1:
        raise ValueError(
            f"{what}, but the delays of the graph are in Z^{graph.dimension}; use zeta or "
            "transfer_function, which accept them"
        )
