"""Exact linear algebra and convex geometry of a few small integer vectors.

The vectors here are total delays of cycles, in Z^d with d small; there are never many
of them. All arithmetic is in Python integers and `fractions.Fraction`.

`nearest_point` decides what the rest is built on, Gordan's alternative: of vectors
``p`` either some ``y`` has ``y . p > 0`` for all of them, or some of them have a
positive combination that is zero. The point of their convex hull nearest to the origin
shows which: if it is not the origin it is such a ``y``, and the one with the widest
margin; if it is, its weights are the combination.

References
----------
P. Wolfe, Finding the nearest point in a polytope, Mathematical Programming 11 (1976).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

Vector = Sequence[int]


def dot(a: Sequence[int], b: Sequence[int]) -> int:
    """Inner product, in exact integers."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def primitive(vector: Sequence[Fraction | int]) -> tuple[int, ...]:
    """The integers without a common divisor on the ray of a rational vector."""
    scale = lcm(*(Fraction(x).denominator for x in vector))
    whole = [int(x * scale) for x in vector]
    divisor = gcd(*whole) or 1
    return tuple(x // divisor for x in whole)


def orthogonal(vectors: Sequence[Vector], dimension: int) -> tuple[tuple[int, ...], ...]:
    """Integer basis of all that is orthogonal to the vectors."""
    rows, pivots, scale = _reduced(vectors)
    basis = []
    for free in (axis for axis in range(dimension) if axis not in pivots):
        solution = [0] * dimension
        solution[free] = scale
        for row, pivot in zip(rows, pivots, strict=True):
            solution[pivot] = -row[free]
        basis.append(primitive(solution))
    return tuple(basis)


def solve(columns: Sequence[Vector], target: Sequence[int | Fraction]) -> list[Fraction]:
    """Coefficients with which the columns sum up to the target; it must be in their span.

    At most as many of them as the columns have rank are not zero.
    """
    common = lcm(*(Fraction(x).denominator for x in target))
    rows = [
        [*(column[axis] for column in columns), int(value * common)]
        for axis, value in enumerate(target)
    ]
    reduced, pivots, scale = _reduced(rows)
    assert len(columns) not in pivots, "the target is not in the span of the columns"
    found = [Fraction(0)] * len(columns)
    for row, pivot in zip(reduced, pivots, strict=True):
        found[pivot] = Fraction(row[-1], scale * common)
    return found


def nearest_point(points: Sequence[Vector]) -> tuple[tuple[Fraction, ...], dict[int, Fraction]]:
    """The point of a convex hull nearest to the origin, and its weights.

    Returns
    -------
    tuple of Fraction
        The point y. It is zero, or has ``y . p >= y . y > 0`` for all points p.
    dict
        The positive weights, by number of the point, with which it is a combination
        of affinely independent points.

    Notes
    -----
    Wolfe's algorithm, in rationals, where it is finite: the norm falls with every
    set of points that it settles on. Plan: walk to the nearest point of the affine hull
    of some points; where that leaves their convex hull, stop at its boundary and drop
    the points that no longer count; where it does not, take in the point that lies
    farthest against the direction found, until there is none.
    """
    norms = [dot(p, p) for p in points]
    first = min(range(len(points)), key=norms.__getitem__)
    weights = {first: Fraction(1)}
    while True:
        common, y = _combination(points, weights)  # the point is y / common
        against = [dot(y, p) for p in points]
        worst = min(range(len(points)), key=against.__getitem__)
        if common * against[worst] >= dot(y, y):
            return tuple(Fraction(x, common) for x in y), weights
        weights[worst] = Fraction(0)
        while True:
            goal = _affine_weights([points[k] for k in weights])
            onward = dict(zip(weights, goal, strict=True))
            if all(weight > 0 for weight in goal):
                weights = onward
                break
            step = min(w / (w - onward[k]) for k, w in weights.items() if onward[k] <= 0)
            moved = {k: w + step * (onward[k] - w) for k, w in weights.items()}
            weights = {k: w for k, w in moved.items() if w}


def rounded(y: Sequence[Fraction], points: Sequence[Vector]) -> tuple[int, ...]:
    """Small integers near the ray of y that keep half of its margin over each point.

    y has ``y . p >= y . y > 0`` for all points, as `nearest_point` returns it.
    """
    largest, margin = max(map(abs, y)), sum(x * x for x in y)
    scale = 1
    while True:
        z = [round(x * scale / largest) for x in y]
        if all(2 * largest * dot(z, p) >= scale * margin for p in points):
            return primitive(z)
        scale *= 2


def _combination(points: Sequence[Vector], weights: dict[int, Fraction]) -> tuple[int, list[int]]:
    """Return the weighted sum of points as integers over a common denominator."""
    common = lcm(*(weight.denominator for weight in weights.values()))
    whole = [(int(weight * common), points[k]) for k, weight in weights.items()]
    return common, [sum(w * p[axis] for w, p in whole) for axis in range(len(points[0]))]


def _affine_weights(points: list[Vector]) -> list[Fraction]:
    """Weights, of sum one, of the point nearest to the origin of the affine hull.

    It is orthogonal to all differences: ``x . p`` is the same number for all points.
    """
    size = len(points)
    columns = [[*(dot(p, q) for q in points), 1] for p in points] + [[-1] * size + [0]]
    return solve(columns, [0] * size + [1])[:-1]


def _reduced(rows: Sequence[Sequence[int]]) -> tuple[list[list[int]], list[int], int]:
    """Reduced echelon form of integer rows.

    Returns the rows that are not zero, the column of the pivot of each, and the one
    number that stands at all pivots. Bareiss: every entry is a minor of the
    matrix, so that dividing by the pivot before is exact and no number grows beyond that.
    """
    work = [list(row) for row in rows]
    pivots: list[int] = []
    scale = 1
    for column in range(len(work[0]) if work else 0):
        depth = len(pivots)
        at = next((k for k in range(depth, len(work)) if work[k][column]), None)
        if at is None:
            continue
        work[depth], work[at] = work[at], work[depth]
        row = work[depth]
        pivot = row[column]
        for k, other in enumerate(work):
            if k != depth:
                factor = other[column]
                work[k] = [
                    (pivot * x - factor * y) // scale for x, y in zip(other, row, strict=True)
                ]
        scale = pivot
        pivots.append(column)
    return work[: len(pivots)], pivots, scale
