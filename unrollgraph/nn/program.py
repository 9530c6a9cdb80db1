"""Values: a network as a list of small steps, before any array exists.

A vertex of a network is a layer, and a layer is several steps: products with the
blocks of its matrix, sums, a bias, a non-linearity. Each step computes one *value*,
which lives at the copies of one vertex. A value reads others

* at the same copy, or
* through an edge: at the copy from which the arc over that edge comes, or
* back through an edge: summed over the copies to which the arcs over it go.

So a list of values says what is computed above *any* graph over the base; a window
turns "through an edge" into a delay, a general graph into a gather. The gradient is a
list of values of the same form, and "back" is the transpose of "through".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ref:
    """What a value reads: a value, the way to it, and which of its columns.

    Attributes
    ----------
    value : int
        Number of the value that is read.
    edge : int or None
        Number of the base edge on the way; None at the same copy.
    back : bool
        Whether the edge is taken against its direction.
    columns : (int, int) or None
        Range of columns; None for all.
    """

    value: int
    edge: int | None = None
    back: bool = False
    columns: tuple[int, int] | None = None


@dataclass(frozen=True)
class Weight:
    """A parameter, or a block of its columns, as a step uses it: transposed, or a part of it."""

    name: str
    columns: tuple[int, int] | None = None
    transposed: bool = False
    scale: float = 1.0


@dataclass(frozen=True)
class Value:
    """One step at the copies of one vertex.

    Attributes
    ----------
    vertex : int
        Number of the vertex at whose copies it is computed.
    size : int
        Length of the vector at each copy.
    kind : str
        Row of `unrollgraph.nn.primitives.TABLE`.
    args : tuple of Ref
        What it reads.
    weights : tuple of Weight
        The parameters it uses, the same at all copies.
    extra : object
        What else the row needs: a constant, or an operation of the user's.
    """

    vertex: int
    size: int
    kind: str
    args: tuple[Ref, ...] = ()
    weights: tuple[Weight, ...] = ()
    extra: Any = None


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
        """Append a value and return the reference to it."""
        self.items.append(Value(vertex, size, kind, args, weights, extra))
        return Ref(len(self.items) - 1)

    def chain(self, kind: str, vertex: int, size: int, refs: list[Ref]) -> Ref:
        """Combine references two by two, from the left; a single one is copied."""
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
