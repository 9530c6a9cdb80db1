"""The polynomial of a delay graph, and what it counts.

Write z for one unit of delay. The *adjacency* of a delay graph is the matrix with

    A(z)[u, v] = sum of z^d over the edges u -> v of delay d,

each term times the gain of its edge if there are gains. Its powers list walks by their total
delay, and so does

    (I - A(z))^-1 = I + A(z) + A(z)^2 + ...,

as a power series in z where all cycles gain time, in 1/z where all lose it. The *determinant*
D(z) = det(I - A(z)) is a Laurent polynomial that retiming does not change, and the *zeta function*
is 1/D: all that go round, counted by

    -z D'(z) / D(z) = sum of N_k z^k.

N_k is the number of closed walks of total delay k, each counted with the k steps of time at which
it may begin: the trace of B^k, where B is the adjacency of the graph whose edges are cut into
pieces of delay one.

Determinants are computed as Laurent polynomials. SymPy is exact and fast where the entries of a
matrix are polynomials with rational coefficients. Where they are not it is slow, or gives
quotients that it cannot reduce. So it gets nothing else: each row is multiplied by the power of z
that makes its exponents >= 0 and by the denominators of its gains, and what is no rational
function, sqrt(2) or exp(a), gets a name for as long as the computation takes. The unit of delay
has a name of its own too, so that gains may speak of a z.

A Laurent polynomial is here a dict from exponents, one for each axis, to coefficients free of z.

References
----------
D. Lind and B. Marcus, An Introduction to Symbolic Dynamics and Coding, 2nd ed. (Cambridge,
2021), section 6.4. R. P. Stanley, Enumerative Combinatorics 1, 2nd ed. (Cambridge, 2012),
section 4.7.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import sympy
from sympy.polys.matrices import DomainMatrix

from unrollgraph.errors import check_size, show_edge, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.graph.digraph import strong_components, vertices_between
from unrollgraph.graph.times import check_integer
from unrollgraph.limits import MOST_OBJECTS, MOST_TERMS
from unrollgraph.measure.acyclicity import verdict

Laurent = dict[tuple[int, ...], sympy.Expr]


class Wires:
    """The wires of a delay graph between some of its vertices, with gains that are renamed.

    Attributes
    ----------
    size : int
        Number of vertices.
    axes : int
        Number of entries of a delay.
    wires : list of (int, int, sympy.Expr, tuple of int)
        Tail and head by their place among the vertices, gain, and delay.
    """

    def __init__(
        self, graph: DelayGraph, gains: Sequence[sympy.Expr], inner: Sequence[int]
    ) -> None:
        self._names: dict[sympy.Expr, sympy.Dummy] = {}
        place = {v: k for k, v in enumerate(inner)}
        self.size, self.axes = len(inner), graph.dimension
        self.wires = [
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
        """A rational function with rational coefficients: what is none gets a name."""
        if gain.is_Rational or gain.is_Symbol:
            return gain
        if gain.is_Add or gain.is_Mul:
            return gain.func(*map(self._renamed, gain.args))
        if gain.is_Pow and gain.exp.is_Integer:
            return self._renamed(gain.base) ** gain.exp
        return self._names.setdefault(gain, sympy.Dummy("gain"))

    @property
    def rational(self) -> bool:
        """Whether nothing had to be renamed."""
        return not self._names

    def given(self, expression: sympy.Expr) -> sympy.Expr:
        """Give what was renamed its own form again."""
        return expression.xreplace({name: gain for gain, name in self._names.items()})

    def entries(self, units: Sequence[sympy.Expr]) -> sympy.Matrix:
        """The matrix A at some units, one for each axis, in the names."""
        rows = [[sympy.S.Zero] * self.size for _ in range(self.size)]
        for u, v, gain, delay in self.wires:
            rows[u][v] += gain * _power(units, delay)
        return sympy.Matrix(self.size, self.size, [*chain(*rows)])


def determinant_of(wires: Wires) -> Laurent:
    """The determinant of I - A(z)."""
    return _determinant(wires, range(wires.size), range(wires.size))


def minor_of(wires: Wires, source: int, target: int) -> Laurent:
    """The entry of the adjugate of I - A(z) that stands for walks from source to target."""
    rows = [k for k in range(wires.size) if k != target]
    columns = [k for k in range(wires.size) if k != source]
    sign = (-1) ** (source + target)
    return {power: sign * c for power, c in _determinant(wires, rows, columns).items()}


def _determinant(wires: Wires, rows: Iterable[int], columns: Iterable[int]) -> Laurent:
    """The determinant of some rows and columns of I - A(z)."""
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
    """The determinant of a matrix of polynomials, by exponents of the units."""
    if not rows:
        return {(0,) * len(units): sympy.S.One}
    matrix = DomainMatrix.from_Matrix(sympy.Matrix(rows).applyfunc(sympy.expand))
    value = matrix.domain.to_sympy(matrix.det())
    return {power: c for power, c in sympy.Poly(value, *units).terms() if c != 0}


def at(laurent: Laurent, units: Sequence[sympy.Expr]) -> sympy.Expr:
    """The value of a Laurent polynomial; `ValueError` where it has none."""
    value = sympy.expand(sympy.Add(*(c * _power(units, power) for power, c in laurent.items())))
    check_finite_value(value, "det(I - A(z))", units)
    return value


def check_finite_value(value: Any, what: str, units: Sequence[sympy.Expr]) -> None:
    """Refuse a value that is none, such as 1/z at z = 0."""
    if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise ValueError(
            f"{what} has no value at z = {', '.join(map(str, units))}; give a symbol or another "
            "number"
        )


def vanishes(value: sympy.Expr) -> bool:
    """Whether an expression is zero, by an identity perhaps, such as sin(a)**2 + cos(a)**2 = 1."""
    if value == 0 or value.is_rational_function():
        return bool(sympy.cancel(value) == 0)
    return bool(value.equals(0))


def _power(units: Sequence[sympy.Expr], exponents: Sequence[int]) -> sympy.Expr:
    return sympy.Mul(*(unit**k for unit, k in zip(units, exponents, strict=True)))


def adjacency(
    G: Any, z: Any, *, gain: str | None = None, delay: str = "delay"
) -> sympy.ImmutableMatrix:
    """Write the adjacency of a delay graph, as Laurent polynomials in the unit delay.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    z : sympy expression, or tuple of d of them
        The unit of delay, along each axis: a symbol, or what is to be put in its place.
    gain : str, optional
        The edge attribute that holds gains: numbers or SymPy expressions; where it is absent
        the gain is 1. A float stands for the decimal that it prints as. All are 1 unless given.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    sympy.ImmutableMatrix
        Row u, column v, in the order of the vertices: the sum of gain times ``z**delay``.

    Raises
    ------
    ValueError
        If z has not as many entries as delays, a gain is no number and no expression, or there is
        no value, as of 1/z at z = 0.

    Notes
    -----
    O(m + n^2).

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


def determinant(G: Any, z: Any, *, gain: str | None = None, delay: str = "delay") -> sympy.Expr:
    """Expand the determinant of I - A(z).

    Parameters
    ----------
    G, z, gain, delay
        As `adjacency` takes them.

    Returns
    -------
    sympy.Expr
        A Laurent polynomial; 1 for graphs without cycles.

    Raises
    ------
    ValueError
        As by `adjacency`.

    Notes
    -----
    O(n^3) products of polynomials. Retiming does not change it, nor does reversing all edges.

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


def zeta(G: Any, z: Any, *, gain: str | None = None, delay: str = "delay") -> sympy.Expr:
    """Write the zeta function, the exponential of the sum of ``N_k z**k / k``.

    Parameters
    ----------
    G, z, gain, delay
        As `adjacency` takes them.

    Returns
    -------
    sympy.Expr
        ``1 / determinant(G, z)``. As a series each strong component is expanded in the
        direction of its cycles.

    Raises
    ------
    CyclicCoverError
        If a closed walk has total delay zero: then infinitely many have.
    ValueError
        If the determinant is zero, or as by `adjacency`.

    Notes
    -----
    As `determinant`.

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
    verdict(graph)
    value = determinant(graph, z, gain=gain)
    if value == 0:
        raise ValueError(
            "the zeta function has no value, since det(I - A(z)) is zero; change a gain, or give "
            "another z"
        )
    return 1 / value


def closed_walk_counts(G: Any, n: int, *, delay: str = "delay") -> tuple[int, ...]:
    """Count the closed walks of total delay 1, 2, ..., n, with where in time they begin.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    n : int
        The largest total delay.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    tuple of int
        The numbers N_1, ..., N_n: a closed walk of total k counts once for each of the k steps
        at which it may begin, or k / r times if it goes r times round another. Cycles that lose
        time take no part.

    Raises
    ------
    CyclicCoverError
        If a closed walk has total delay zero: then infinitely many have.
    ValueError
        If delays are not in Z, or n is negative.

    Notes
    -----
    The determinant of each strong component, then n times its degree steps, by Newton's
    identities.

    Examples
    --------
    The numbers of Lucas.

    >>> import unrollgraph as ug
    >>> ug.symbolic.closed_walk_counts(ug.gallery.bouquet(1, 2), 8)
    (1, 3, 4, 7, 11, 18, 29, 47)
    """
    graph, last = as_delay_graph(G, delay), check_integer(n, "the largest total delay")
    check_size(last, MOST_TERMS, "the series", "take a smaller n")
    _in_time(graph, "closed walks are counted by their total delay")
    verdict(graph)
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
    G: Any, source: Any, target: Any, n: int, *, gain: str | None = None, delay: str = "delay"
) -> tuple[Any, ...]:
    """Expand the entry of (I - A(z))^-1 that lists the walks from one vertex to another.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    source, target : vertices of G
        The first vertex of the walks, and the last.
    n : int
        The largest total delay.
    gain : str, optional
        As `adjacency` takes it: unless given walks are counted, while `transfer_function` and
        `state_space` look for the attribute ``"gain"`` by themselves.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    tuple of n + 1 numbers
        How many walks have total delay 0, 1, ..., n; the sum of the products of gains along
        them if there are gains: the impulse response. Integers without gains, else of SymPy.

    Raises
    ------
    CyclicCoverError
        If a closed walk between source and target has total delay zero.
    ValueError
        If delays are not in Z, if cycles between source and target gain time and others lose
        it, so that no one series lists the walks, or as by `adjacency`.

    Notes
    -----
    Two determinants, then n times their degree steps.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ug.symbolic.walk_series(ug.gallery.bouquet(1, 2), "a", "a", 8)
    (1, 1, 2, 3, 5, 8, 13, 21, 34)
    """
    graph, last = as_delay_graph(G, delay), check_integer(n, "the largest total delay")
    check_size(last, MOST_TERMS, "the series", "take a smaller n")
    _in_time(graph, "walks are listed by their total delay")
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
    """Gain of each edge, exactly."""
    values = [1] * len(graph.edges) if gain is None else graph.edge_values(gain, 1)
    return [_exactly(value, edge) for value, edge in zip(values, graph.edges, strict=True)]


def _exactly(value: Any, edge: Any) -> sympy.Expr:
    """A gain as SymPy writes it: floats by their decimals, all else as it is."""
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return sympy.Rational(str(value))
    if isinstance(value, complex | np.complexfloating) and np.isfinite(value):
        return _exactly(value.real, edge) + sympy.I * _exactly(value.imag, edge)
    if not isinstance(value, bool | np.bool_):
        found = _expression(value)
        if found is not None:
            return found
    raise ValueError(
        f"the gain of the edge {show_edge(edge)} is {value!r}, but it must be a finite number or "
        "a SymPy expression such as sympy.Symbol('a')"
    )


_NOT_FINITE = (sympy.oo, -sympy.oo, sympy.zoo, sympy.nan, sympy.AccumBounds)


def _expression(value: Any) -> sympy.Expr | None:
    """A number or an expression as SymPy has it; None if it is neither. Text is never read."""
    try:
        found = sympy.sympify(value, strict=True)
    except sympy.SympifyError:
        return None
    if not isinstance(found, sympy.Expr) or not found.is_commutative or found.has(*_NOT_FINITE):
        return None
    decimals = {x: sympy.Rational(str(x)) for x in found.atoms(sympy.Float)}
    return found.xreplace(decimals)


def units_of(graph: DelayGraph, z: Any) -> list[sympy.Expr]:
    """The units of delay, one for each axis."""
    units = [_expression(unit) for unit in (z if isinstance(z, tuple | list) else (z,))]
    found = [unit for unit in units if unit is not None]
    if len(found) != graph.dimension or len(units) != graph.dimension:
        wanted = "one symbol" if graph.dimension == 1 else f"a tuple of {graph.dimension} symbols"
        raise ValueError(
            f"z is {z!r}, but it must be {wanted}, since delays are in Z"
            f"{'' if graph.dimension == 1 else f'^{graph.dimension}'}"
        )
    return found


# -- series ------------------------------------------------------------------------------------


def _quotient(
    above: dict[int, sympy.Expr], below: dict[int, sympy.Expr], last: int
) -> dict[int, sympy.Expr]:
    """Coefficients of a quotient up to some power; the divisor is 1 and higher powers."""
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
    """Vertices on walks from one vertex to another, by their numbers."""
    for what, vertex in (("source", source), ("target", target)):
        if not known(vertex, graph.number):
            raise ValueError(f"the {what} {show_vertex(vertex)} is no vertex of the graph")
    n, ends = len(graph.vertices), (graph.number[source], graph.number[target])
    found: list[int] = vertices_between(n, graph.tails, graph.heads, *ends).tolist()
    return found


def _direction(graph: DelayGraph, inner: list[int], ends: Any) -> int:
    """The sign of the totals of the cycles among some vertices; 1 if there are none."""
    names = [graph.vertices[v] for v in inner]
    schedule = verdict(graph.base.subgraph(names), delay=graph.delay_name)
    if not schedule.is_linear:
        raise ValueError(
            f"cycles between {show_vertex(ends[0])} and {show_vertex(ends[1])} gain time and "
            "others lose it, so no one power series lists the walks; "
            "unrollgraph.path_count counts those of one total delay"
        )
    return -1 if schedule.time_direction == "backward" else 1


def _in_time(graph: DelayGraph, what: str) -> None:
    if graph.dimension > 1:
        raise ValueError(f"{what} in Z, but delays are in Z^{graph.dimension}")
