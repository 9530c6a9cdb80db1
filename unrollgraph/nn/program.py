"""Intermediate representation of a network: a list of values.

Each operation is lowered to elementary steps: matrix products, sums, biases and nonlinearities.
A step computes one *value*: a vector at each copy of one vertex. A value reads other values

* at the same copy,
* through an edge of the base graph: at the copy where the edge over it begins, or
* back through an edge: summed over the copies where the edges over it end.

The list does not depend on the total graph. Over a window, an edge becomes a delay; over any
other graph, a gather. A gradient is a list of values of the same form, in which "back" is the
transpose of "through".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple


class Ref(NamedTuple):
    """Reference to a value, at the same copy or through an edge."""

    value: int  # number of the value that is read
    edge: int | None = None  # number of the base edge; None at the same copy
    back: bool = False  # whether the value is read back through the edge
    columns: tuple[int, int] | None = None  # None for all


class Weight(NamedTuple):
    """A parameter or a range of its columns, transposed and scaled if required."""

    name: str
    columns: tuple[int, int] | None = None
    transposed: bool = False
    scale: float = 1.0


@dataclass(frozen=True)
class Value:
    """One step, computed at each copy of one vertex."""

    vertex: int  # number of the vertex
    size: int  # length of the vector at each copy
    kind: str  # key of primitives.TABLE
    args: tuple[Ref, ...] = ()  # values that are read
    weights: tuple[Weight, ...] = ()  # parameters, the same at all copies
    extra: Any = None  # a constant or a custom operation, if the kind requires one


class Term(NamedTuple):
    """A term of a gradient: a value that is read, multiplied by a weight if there is one."""

    ref: Ref
    weight: Weight | None = None


def redirected(ref: Ref, value: int) -> Ref:
    """The same reference to another value."""
    return Ref(value, ref.edge, ref.back, ref.columns)  # _replace takes longer


def reading(value: Value, args: Sequence[Ref]) -> Value:
    """The same value with other arguments."""
    found = tuple(args)
    return value if found == value.args else replace(value, args=found)


@dataclass
class Values:
    """A list of values under construction."""

    items: list[Value] = field(default_factory=list)

    def add(
        self,
        vertex: int,
        size: int,
        kind: str,
        *args: Ref,
        weights: tuple[Weight, ...] = (),
        extra: Any = None,
    ) -> Ref:
        """Append a value and return a reference to it."""
        self.items.append(Value(vertex, size, kind, args, weights, extra))
        return Ref(len(self.items) - 1)

    def chain(self, kind: str, vertex: int, size: int, refs: list[Ref]) -> Ref:
        """Combine references from left to right; copy a single reference."""
        if len(refs) == 1:
            return self.add(vertex, size, "copy", refs[0])
        total = self.add(vertex, size, kind, refs[0], refs[1])
        for ref in refs[2:]:
            total = self.add(vertex, size, kind, total, ref)
        return total

    def size_of(self, ref: Ref) -> int:
        """Length of the vectors that a reference reads."""
        if ref.columns is not None:
            return ref.columns[1] - ref.columns[0]
        return self.items[ref.value].size
