"""Conversion of times, delays and rational numbers to exact Python integers.

A time is a Python int, or for delays in Z^d with d >= 2 a tuple of d ints. A cost or a duration
may be an integer, a fraction, a decimal or a float. All are rational; a list of them is multiplied
by its common denominator, so that sums are exact.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

import numpy as np


def check_shift(value: Any, vertex: Any, dimension: int) -> tuple[int, ...]:
    """Return a shift in time as a tuple of d Python ints; `ValueError` if it is invalid."""
    parts = value if isinstance(value, tuple) else (value,)
    try:
        vector = tuple(integer(part) for part in parts)
    except TypeError:
        vector = ()
    if len(vector) != dimension:
        wanted = "an integer" if dimension == 1 else f"a tuple of {dimension} integers"
        raise ValueError(f"the shift of {vertex!r} is {value!r}, but it must be {wanted}")
    return vector


def integer(value: Any) -> int:
    """Return an integer as a Python int; `TypeError` for a bool or another value."""
    if isinstance(value, bool | np.bool_):
        raise TypeError("a bool is not an integer")
    return operator.index(value)


def check_integer(value: Any, name: str, least: int = 0) -> int:
    """Return an integer as a Python int; `ValueError` if it is not an integer >= ``least``."""
    try:
        number = integer(value)
    except TypeError:
        number = least - 1
    if number < least:
        wanted = "a positive integer" if least else "an integer >= 0"
        raise ValueError(f"{name} is {value!r}, but it must be {wanted}")
    return number


LISTED = 1_000_000  # times that `box` stores at once


Time = Any  # an int, or a tuple of d >= 2 ints


def as_time(time: Any, dimension: int) -> Time | None:
    """Return a time as Python ints, also from equal floats; None if it is not a time in Z^d."""
    try:
        if dimension == 1:
            return operator.index(time)
        if isinstance(time, tuple) and len(time) == dimension:
            return tuple(map(operator.index, time))
    except TypeError:
        parts = time if dimension > 1 else (time,)
        if all(isinstance(part, int | float) and part == part // 1 for part in parts):
            return as_time(tuple(map(int, parts)) if dimension > 1 else int(time), dimension)
    return None


def add(time: Time, delay: Any, sign: int) -> Time:
    """Return ``time + sign * delay``."""
    if isinstance(time, tuple):
        return tuple(t + sign * d for t, d in zip(time, delay, strict=True))
    return time + sign * delay


def box(axes: Sequence[range]) -> Iterator[tuple[int, ...]]:
    """Iterate over the points of a box, also if its sides are too long to store."""
    if sum(axis.stop - axis.start for axis in axes) <= LISTED:  # len() fails for 2**63 and more
        yield from product(*axes)
        return
    for t in axes[0]:
        yield from ((t, *others) for others in box(axes[1:]))


def leaving(axes: Sequence[range], step: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Iterate over the times t of a box for which t + step is outside, in order."""
    axis, d = axes[0], step[0]
    gone = (
        range(max(axis.start, axis.stop - d), axis.stop)
        if d >= 0
        else range(axis.start, min(axis.stop, axis.start - d))
    )
    if len(axes) == 1:
        yield from ((t,) for t in gone)
        return
    for t in axis:
        rest = box(axes[1:]) if t in gone else leaving(axes[1:], step[1:])
        yield from ((t, *others) for others in rest)


class ExactNumbers(NamedTuple):
    """Rational numbers ``whole[k] / unit``; `floats` is true if one of them was a float."""

    whole: Sequence[int]
    unit: int
    floats: bool


def exact(value: Any) -> Fraction:
    """Return a rational number as a fraction; `TypeError` for other values."""
    if isinstance(value, bool | np.bool_):
        raise TypeError("a bool is not a rational number")
    if isinstance(value, numbers.Rational | Decimal | float | np.integer | np.floating):
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, float | Decimal) and not math.isfinite(plain):
            raise TypeError("infinite or NaN")
        if not isinstance(plain, np.generic):  # a longdouble has no equal Python number
            return Fraction(plain)
    raise TypeError("not a rational number")


def scaled(values: Iterable[Any], name: Any) -> ExactNumbers:
    """Convert numbers to a common denominator; ``name(k)`` names the k-th in an error."""
    listed = list(values)
    if all(kind is int for kind in set(map(type, listed))):
        return ExactNumbers(listed, 1, floats=False)
    fractions = []
    for k, value in enumerate(listed):
        try:
            fractions.append(exact(value))
        except TypeError:
            raise ValueError(
                f"{name(k)} is {value!r}, but it must be a number: an integer, a fraction, a "
                "decimal or a finite float"
            ) from None
    unit = math.lcm(*(number.denominator for number in fractions))
    whole = [number.numerator * (unit // number.denominator) for number in fractions]
    floats = any(isinstance(value, float | np.floating) for value in listed)
    return ExactNumbers(whole, unit, floats)
