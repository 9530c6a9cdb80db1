"""Determinants of I - A(z) as Laurent polynomials, exactly.

SymPy is exact and fast where the entries of a matrix are polynomials with rational coefficients.
Where they are not it is slow, or gives quotients that it cannot reduce. So it gets nothing else:
each row is multiplied by the power of z that makes its exponents >= 0 and by the denominators of
its gains, and what is no rational function, sqrt(2) or exp(a), gets a name for as long as the
computation takes. The unit of delay has a name of its own too, so that gains may speak of a z.

A Laurent polynomial is here a dict from exponents, one for each axis, to coefficients free of z.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import sympy
from sympy.polys.matrices import DomainMatrix

from unrollgraph.errors import check_size
from unrollgraph.graph.delay_graph import DelayGraph

MOST_TERMS = 10_000_000  # of a polynomial, whose powers of z SymPy stores densely

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
    check_size(degree, MOST_TERMS, "the polynomial in z", "use a larger unit of time")
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
    must_be_finite(value, "det(I - A(z))", units)
    return value


def must_be_finite(value: Any, what: str, units: Sequence[sympy.Expr]) -> None:
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
