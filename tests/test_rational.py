"""Exact geometry of small integer vectors, against enumeration and SymPy."""

from fractions import Fraction
from itertools import combinations
from math import gcd

import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from unrollgraph.measure.lattices import dot, nearest_point, orthogonal, primitive, rounded, solve


def vectors(dimension, most=6, size=5, fewest=1):
    entry = st.integers(-size, size)
    return st.lists(st.tuples(*[entry] * dimension), min_size=fewest, max_size=most)


@st.composite
def points(draw):
    size = draw(st.sampled_from([2, 9, 2**40]))
    return draw(vectors(draw(st.integers(1, 3)), size=size))


@given(points())
def test_the_nearest_point_is_the_best_of_all_faces(points):
    y, weights = nearest_point(points)
    assert sum(weights.values()) == 1
    assert min(weights.values()) > 0
    assert all(type(w) is Fraction for w in weights.values())
    assert y == tuple(
        sum(w * points[k][axis] for k, w in weights.items()) for axis in range(len(y))
    )
    square = sum(x * x for x in y)
    assert all(sum(a * b for a, b in zip(y, p, strict=True)) >= square for p in points)
    used = sympy.Matrix([[*points[k], 1] for k in weights])
    assert used.rank() == len(weights)  # affinely independent


@given(points())
def test_a_rounded_direction_keeps_half_the_margin(points):
    y, _ = nearest_point(points)
    assume(any(y))
    z = rounded(y, points)
    assert gcd(*z) == 1
    margin = min(Fraction(dot(z, p)) for p in points)
    assert margin > 0
    # in units of y, whose largest entry is rounded to the scale itself
    largest, full = max(map(abs, y)), sum(x * x for x in y)
    assert 2 * margin * largest >= full * max(map(abs, z))


@given(vectors(4, fewest=0))
def test_orthogonal_is_the_nullspace(rows):
    basis = orthogonal(rows, 4)
    matrix = sympy.Matrix(rows) if rows else sympy.zeros(1, 4)
    assert len(basis) == 4 - matrix.rank()
    assert all(dot(b, row) == 0 for b in basis for row in rows)
    assert not basis or sympy.Matrix(basis).rank() == len(basis)
    assert all(gcd(*b) == 1 for b in basis)


@given(vectors(3), st.data())
def test_solve_finds_coefficients_of_few_columns(columns, data):
    factors = [data.draw(st.integers(-9, 9)) for _ in columns]
    target = [sum(f * c[axis] for f, c in zip(factors, columns, strict=True)) for axis in range(3)]
    found = solve(columns, target)
    for axis in range(3):
        assert sum(f * c[axis] for f, c in zip(found, columns, strict=True)) == target[axis]
    assert sum(map(bool, found)) <= sympy.Matrix(columns).rank()


def test_gordan_decides_whether_some_combination_is_zero():
    """All sets of up to four vectors of a small box, by the two signs of every plane."""
    box = [(a, b) for a in (-1, 0, 2) for b in (-2, 0, 1)]
    directions = [(x, y) for x in range(-9, 10) for y in range(-9, 10)]
    for some in combinations(box, 3):
        y, _ = nearest_point(some)
        assert any(y) == any(all(dot(d, p) > 0 for p in some) for d in directions)


def test_primitive_takes_out_common_divisors():
    assert primitive([Fraction(1, 2), Fraction(-3, 4)]) == (2, -3)
    assert primitive([0, 0]) == (0, 0)
