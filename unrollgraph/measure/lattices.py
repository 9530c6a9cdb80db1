"""Lattices and convex hulls of integer vectors, in exact arithmetic.

The vectors are total delays of closed walks. A lattice A is stored by its unique *Hermite basis*:
rows in echelon form with positive pivots, in which the entries above a pivot are nonnegative and
less than the pivot. Reduction by this basis yields a unique representative of each class modulo A.

The *Smith form* determines Z^d / A: unimodular matrices (determinant 1 or -1) transform the basis
to a diagonal ``a_1, a_2, ...`` in which each entry divides the next. Then Z^d / A is
``Z/a_1 + Z/a_2 + ...`` plus a Z for each remaining dimension.

`nearest_point` decides Gordan's alternative for vectors ``p``: either some ``y`` has ``y . p > 0``
for all of them, or some of them have a positive combination that is zero. If the point of their
convex hull nearest to the origin is not zero, it is the ``y`` of widest margin. If it is zero, its
weights are the combination.

All arithmetic is in Python ints and `fractions.Fraction`, for few vectors and small d.

References
----------
H. Cohen, A Course in Computational Algebraic Number Theory (Springer, 1993), section 2.4.

P. Wolfe, Finding the nearest point in a polytope, Mathematical Programming 11 (1976).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

Matrix = list[list[int]]


class Lattice:
    """A lattice in Z^d as a Hermite basis, extended by one vector at a time."""

    def __init__(self, dimension: int) -> None:
        self.generators: list[tuple[int, ...]] = []  # the vectors that enlarged the lattice
        self._rows: dict[int, list[int]] = {}  # by pivot column: a vector, then its combination
        self._dimension = dimension

    @property
    def basis(self) -> Matrix:
        """The rows of the Hermite basis."""
        return [self._rows[c][: self._dimension] for c in sorted(self._rows)]

    @property
    def combination(self) -> Matrix:
        """Each row of the basis as a combination of the generators."""
        wide = len(self.generators)
        rows = [self._rows[c][self._dimension :] for c in sorted(self._rows)]
        return [[*row, *[0] * (wide - len(row))] for row in rows]

    def add(self, vector: Sequence[int]) -> bool:
        """Add a vector; return whether the lattice grew."""
        if not any(reduced(vector, self._rows)):
            return False
        rest = [*vector, *[0] * len(self.generators), 1]
        self.generators.append(tuple(vector))
        for column in range(self._dimension):
            here = rest[column]
            row = self._rows.get(column)
            if not here:
                continue
            if row is None:
                self._rows[column] = rest if here > 0 else [-x for x in rest]
                break
            row = [*row, *[0] * (len(rest) - len(row))]
            pivot = row[column]
            # row and vector become one with the gcd in this column and one with zero
            g, a, b = _extended_gcd(pivot, here)
            self._rows[column] = [a * x + b * y for x, y in zip(row, rest, strict=True)]
            rest = [pivot // g * y - here // g * x for x, y in zip(row, rest, strict=True)]
        self._reduce()
        return True

    def _reduce(self) -> None:
        """Reduce the entries above each pivot to less than the pivot."""
        wide = self._dimension + len(self.generators)
        done: dict[int, list[int]] = {}
        for column in sorted(self._rows, reverse=True):
            row = self._rows[column]
            row = [*row, *[0] * (wide - len(row))]
            for other in sorted(done):
                factor = row[other] // done[other][other]
                if factor:
                    row = [x - factor * y for x, y in zip(row, done[other], strict=True)]
            done[column] = row
        self._rows = done


def reduced(vector: Sequence[int], rows: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """Return the representative of a vector modulo rows, given by pivot column."""
    found = list(vector)
    for column in sorted(rows):
        factor = found[column] // rows[column][column]
        if factor:
            found = [x - factor * y for x, y in zip(found, rows[column], strict=False)]
    return tuple(found)


def pivots(basis: Sequence[Sequence[int]]) -> dict[int, Sequence[int]]:
    """Return the rows of a basis in echelon form by pivot column."""
    return {next(c for c, x in enumerate(row) if x): row for row in basis}


def _extended_gcd(a: int, b: int) -> tuple[int, int, int]:
    """Return ``(g, x, y)`` with ``a x + b y = g > 0``."""
    x, y, u, v = 1, 0, 0, 1
    while b:
        q = a // b
        a, b = b, a - q * b
        x, u = u, x - q * u
        y, v = v, y - q * v
    return (a, x, y) if a > 0 else (-a, -x, -y)


def smith(rows: Sequence[Sequence[int]], dimension: int) -> tuple[Matrix, list[int], Matrix]:
    """Smith form ``(left, diagonal, right)`` of linearly independent rows.

    ``left`` and ``right`` are unimodular, and ``left rows right`` is the matrix with the positive
    integers ``diagonal``, each a divisor of the next, on its diagonal and zeros elsewhere.
    """
    size = len(rows)
    work = [[*row, *unit] for row, unit in zip(rows, identity(size), strict=True)]
    right = identity(dimension)
    for k in range(size):
        while True:
            entries = [
                (abs(work[i][j]), i, j)
                for i in range(k, size)
                for j in range(k, dimension)
                if work[i][j]
            ]
            _, i, j = min(entries)
            work[k], work[i] = work[i], work[k]
            for row in (*work, *right):
                row[k], row[j] = row[j], row[k]
            corner = work[k][k]
            for i in range(k + 1, size):
                factor = work[i][k] // corner
                if factor:
                    work[i] = [x - factor * y for x, y in zip(work[i], work[k], strict=True)]
            for j in range(k + 1, dimension):
                factor = work[k][j] // corner
                if factor:
                    for row in (*work, *right):
                        row[j] -= factor * row[k]
            if any(work[i][k] for i in range(k + 1, size)) or any(work[k][k + 1 : dimension]):
                continue
            # a row with an entry that the corner does not divide makes the corner smaller
            odd = next(
                (i for i in range(k + 1, size) if any(x % corner for x in work[i][:dimension])),
                None,
            )
            if odd is None:
                break
            work[k] = [x + y for x, y in zip(work[k], work[odd], strict=True)]
        if work[k][k] < 0:
            work[k] = [-x for x in work[k]]
    diagonal = [work[k][k] for k in range(size)]
    return [row[dimension:] for row in work], diagonal, right


def kernel(rows: Sequence[Sequence[int]], dimension: int) -> list[dict[int, int]]:
    """Basis of the lattice of integer combinations of the rows that are zero.

    Each combination is a dict from row numbers to coefficients. The rows are brought into echelon
    form by operations that are invertible over the integers, so the zero rows yield a basis.
    """
    echelon: dict[int, tuple[list[int], dict[int, int]]] = {}
    found = []
    for k, row in enumerate(rows):
        rest, own = list(row), {k: 1}
        for column in range(dimension):
            if not rest[column]:
                continue
            if column not in echelon:
                echelon[column] = rest, own
                break
            top, its = echelon[column]
            g, a, b = _extended_gcd(top[column], rest[column])
            u, v = top[column] // g, rest[column] // g
            echelon[column] = (
                [a * x + b * y for x, y in zip(top, rest, strict=True)],
                _combined(its, a, own, b),
            )
            rest = [u * y - v * x for x, y in zip(top, rest, strict=True)]
            own = _combined(own, u, its, -v)
        else:
            found.append(own)
    return found


def _combined(one: dict[int, int], a: int, other: dict[int, int], b: int) -> dict[int, int]:
    """Return ``a * one + b * other`` for combinations, without zeros."""
    total = {k: a * one.get(k, 0) + b * other.get(k, 0) for k in {**one, **other}}
    return {k: x for k, x in total.items() if x}


def identity(size: int) -> Matrix:
    """Return the identity matrix."""
    return [[int(i == j) for j in range(size)] for i in range(size)]


def product(a: Sequence[Sequence[int]], b: Sequence[Sequence[int]]) -> Matrix:
    """Return the matrix product."""
    columns = list(zip(*b, strict=True))
    return [[sum(x * y for x, y in zip(row, c, strict=True)) for c in columns] for row in a]


def is_unimodular(matrix: Sequence[Sequence[int]]) -> bool:
    """Whether a square matrix has determinant 1 or -1: whether its rows generate Z^n."""
    lattice = Lattice(len(matrix))
    for row in matrix:
        lattice.add(row)
    return lattice.basis == identity(len(matrix))


Vector = Sequence[int]


def dot(a: Sequence[int], b: Sequence[int]) -> int:
    """Inner product of integer vectors."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def primitive(vector: Sequence[Fraction | int]) -> tuple[int, ...]:
    """Return the integers without a common divisor on the ray of a rational vector."""
    scale = lcm(*(Fraction(x).denominator for x in vector))
    whole = [int(x * scale) for x in vector]
    divisor = gcd(*whole) or 1
    return tuple(x // divisor for x in whole)


def orthogonal(vectors: Sequence[Vector], dimension: int) -> tuple[tuple[int, ...], ...]:
    """Return an integer basis of the orthogonal complement of the vectors."""
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
    """Return coefficients with which the columns sum to a target in their span.

    The number of nonzero coefficients is at most the rank of the columns.
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
    """Return the point of a convex hull nearest to the origin, and its weights.

    The point y is zero or has ``y . p >= y . y > 0`` for all points p. It is a combination of
    affinely independent points; their weights are positive, by number of the point. Wolfe's
    algorithm in rationals, in which it is finite.
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
        # move to the nearest point of the affine hull, or to the boundary of the convex hull
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
    """Return small integers z on nearly the same ray as y, with ``z . p > 0`` for all points.

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
    """Return the weights, with sum 1, of the point of an affine hull nearest to zero."""
    size = len(points)
    # it is orthogonal to all differences: its inner products with the points are equal
    columns = [[*(dot(p, q) for q in points), 1] for p in points] + [[-1] * size + [0]]
    return solve(columns, [0] * size + [1])[:-1]


def _reduced(rows: Sequence[Sequence[int]]) -> tuple[list[list[int]], list[int], int]:
    """Return the reduced echelon form of integer rows, without zero rows.

    Returns the rows, their pivot columns, and the common value of all pivots. Bareiss' algorithm:
    every entry is a minor of the matrix, so the divisions are exact and entries stay small.
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
