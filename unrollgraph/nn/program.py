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

from unrollgraph.graph.delay_graph import DelayGraph


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


@dataclass(frozen=True)
class Program:
    """A network as a list of values, as `Network.program` returns it.

    ``print(program)`` shows one line for each value: the output of a vertex by the name of the
    vertex, other values by their numbers. ``h[t - 1]`` is the value of h one step before.

    Attributes
    ----------
    values : tuple of Value
        All values; value v is the output of vertex v.
    graph : DelayGraph
        The delay graph of the network, with vertices and edges in the order of their numbers.

    Examples
    --------
    >>> from unrollgraph import nn
    >>> print(nn.Network(nn.architectures.seed(2, 3, 1)).program)
    in  = input()
    A   = tanh(%8)
    B   = tanh(%10)
    C   = tanh(%12)
    out = bias(%13, out.bias)
    %5  = A.weight[:, 0:2] in
    %6  = A.weight[:, 2:5] C[t - 1]
    %7  = bias(%5, A.bias)
    %8  = add(%7, %6)
    %9  = B.weight[:, 0:3] A
    %10 = bias(%9, B.bias)
    %11 = C.weight[:, 0:3] B
    %12 = bias(%11, C.bias)
    %13 = out.weight[:, 0:3] C
    """

    values: tuple[Value, ...]
    graph: DelayGraph

    def __str__(self) -> str:
        names = [self._name(k) for k in range(len(self.values))]
        width = max(map(len, names), default=0)
        return "\n".join(
            f"{name:<{width}} = {self._written(value)}"
            for name, value in zip(names, self.values, strict=True)
        )

    def _name(self, k: int) -> str:
        vertices = self.graph.vertices
        if k >= len(vertices):
            return f"%{k}"
        return vertices[k] if isinstance(vertices[k], str) else repr(vertices[k])

    def _written(self, value: Value) -> str:
        parts = [self._read(ref) for ref in value.args]
        weights = [self._weight(weight) for weight in value.weights]
        if value.kind in {"product", "products"}:
            parts = [f"{w} {x}" for w, x in zip(weights, parts, strict=True)]
            return " + ".join(parts)
        if value.kind == "constant":
            parts = [repr(entry) for entry in value.extra]
        kind = type(value.extra).__name__ if value.kind == "opaque" else value.kind
        return f"{kind}({', '.join(parts + weights)})"

    def _read(self, ref: Ref) -> str:
        name = self._name(ref.value)
        if ref.edge is None:
            return name
        delay = self.graph.time_of(self.graph.edges[ref.edge])
        if isinstance(delay, tuple):
            return f"{name}[t - {delay}]" if any(delay) else name
        return f"{name}[t {'-' if delay > 0 else '+'} {abs(delay)}]" if delay else name

    @staticmethod
    def _weight(weight: Weight) -> str:
        if weight.columns is None:
            return weight.name
        return f"{weight.name}[:, {weight.columns[0]}:{weight.columns[1]}]"


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
