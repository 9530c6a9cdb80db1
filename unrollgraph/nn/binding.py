"""Bindings: where the values of a plan are kept, and how they are computed.

A binding gives every value an array of shape ``(places, batch, size)`` and knows how
one value reads another. Kernels always see arrays of shape ``(rows, size)``.

*Over a window* the places are the steps, with a few more before and after them, as far
as anything reads. A delay is then a shift of the array, and the boundary needs no
special case: the rows before the first step hold the initial values, and gradients read
zeros where the window has ended.

*Over any other graph* the places are the copies in a fibre and one more, which holds
the value that is read where an arc is missing. Reading through an edge is a gather,
reading back a gather or, where several arcs over one edge leave a copy, a sum.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.order import Incidence
from unrollgraph.nn.plan import Copies, Level, Loop, Program
from unrollgraph.nn.primitives import kernel_of
from unrollgraph.nn.values import Ref, Value, Weight

__all__ = ["Binding", "CopiesBinding", "Weights", "WindowBinding"]

Array = NDArray[Any]


class Weights:
    """The parameters as a run found them, in the layouts that steps use."""

    def __init__(self, parameters: dict[str, Array]) -> None:
        self.parameters = {name: array.copy() for name, array in parameters.items()}
        self._layouts: dict[Weight, Array] = {}

    def layout(self, value: Value, weight: Weight) -> Array:
        """The array of a weight; for a product the factor on the right."""
        if value.kind != "product":
            return self.parameters[weight.name]
        if weight not in self._layouts:
            block = self.parameters[weight.name]
            if weight.columns is not None:
                block = block[:, slice(*weight.columns)]
            self._layouts[weight] = np.ascontiguousarray(block if weight.transposed else block.T)
        return self._layouts[weight]


class Binding(Protocol):
    """Where values are kept, and how they are computed."""

    buffers: dict[int, Array]
    batch: int

    def another(self) -> Binding:
        """Return a binding that sees the values of this one and adds its own."""

    def open(self, values: Sequence[Value], chosen: Iterable[int]) -> None:
        """Make room for the chosen values."""

    def fill(self, value: int, data: Array) -> None:
        """Write the whole of a value that is given from outside."""

    def compute(self, program: Program, weights: Weights) -> None:
        """Compute the chosen values of a program, of which the others are there."""

    def read(self, ref: Ref) -> Array:
        """What a reference reads at all copies, of shape ``(copies, batch, size)``."""

    def outside(self, vertex: int, refs: Sequence[Ref], side: str) -> Array | None:
        """Gradient of what is read from outside at a vertex, of what its readers pass back."""


def _rows(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1])


def _columns(array: Array, ref: Ref) -> Array:
    return array if ref.columns is None else array[..., slice(*ref.columns)]


def _allocated(
    values: Sequence[Value], shapes: Mapping[int, tuple[int, ...]], dtype: Any
) -> dict[int, Array]:
    """Arrays of these shapes, cut from one piece of memory.

    A single large piece is given out in large pages, which are much quicker to get.
    """
    sizes = {k: math.prod(shape) for k, shape in shapes.items() if values[k].kind != "indices"}
    whole = np.empty(sum(sizes.values()), dtype)
    ends = np.cumsum([*sizes.values()]).tolist()
    found = {
        k: whole[end - size : end].reshape(shapes[k])
        for (k, size), end in zip(sizes.items(), ends, strict=True)
    }
    integers = {k: np.empty(shapes[k], np.int64) for k in shapes if k not in sizes}
    return found | integers


class WindowBinding:
    """Values over a window of steps."""

    def __init__(self, graph: DelayGraph, steps: int, batch: int, dtype: Any) -> None:
        self.graph, self.steps, self.batch, self.dtype = graph, steps, batch, dtype
        self.delays: list[int] = graph.delays[:, 0].tolist()
        self.buffers: dict[int, Array] = {}
        self.before: dict[int, int] = {}

    def another(self) -> WindowBinding:
        other = copy.copy(self)
        other.buffers, other.before = dict(self.buffers), dict(self.before)
        return other

    def shift(self, ref: Ref) -> int:
        """Steps from a reader to what it reads."""
        if ref.edge is None:
            return 0
        return self.delays[ref.edge] if ref.back else -self.delays[ref.edge]

    def open(self, values: Sequence[Value], chosen: Iterable[int]) -> None:
        rooms = {k: [0, 0] for k in chosen}
        for value in values:
            for ref in value.args:
                if ref.value in rooms:
                    room, shift = rooms[ref.value], self.shift(ref)
                    room[0], room[1] = max(room[0], -shift), max(room[1], shift)
        shapes = {
            k: (before + self.steps + after, self.batch, values[k].size)
            for k, (before, after) in rooms.items()
        }
        for k, buffer in _allocated(values, shapes, self.dtype).items():
            before, _ = rooms[k]
            buffer[:before] = 0
            buffer[before + self.steps :] = 0
            self.buffers[k], self.before[k] = buffer, before

    def fill(self, value: int, data: Array) -> None:
        self.read(Ref(value))[...] = data

    def read(self, ref: Ref) -> Array:
        start = self.before[ref.value] + self.shift(ref)
        return _columns(self.buffers[ref.value][start : start + self.steps], ref)

    def outside(self, vertex: int, refs: Sequence[Ref], side: str) -> Array | None:
        """Continue the gradient of an output into the rows before or after the window."""
        before, (places, _, size) = self.before[vertex], self.buffers[vertex].shape
        times = range(-before, 0) if side == "before" else range(self.steps, places - before)
        if not times:
            return None
        result = np.zeros((len(times), self.batch, size), self.dtype)
        for ref in refs:
            d = self.shift(ref)
            passed = _columns(self.buffers[ref.value], ref)
            inside = range(max(times.start, -d), min(times.stop, self.steps - d))
            if inside:
                at = self.before[ref.value] + d
                rows = slice(inside.start - times.start, inside.stop - times.start)
                result[rows] += passed[at + inside.start : at + inside.stop]
        return result

    def compute(self, program: Program, weights: Weights) -> None:
        for part in program.steps:
            if isinstance(part, Loop):
                self._step(program.values, part, weights)
            else:
                value = program.values[part.value]
                args = [_rows(self.read(ref)) for ref in value.args]
                args += [weights.layout(value, weight) for weight in value.weights]
                kernel_of(value)(*args, _rows(self.read(Ref(part.value))))

    def _step(self, values: Sequence[Value], loop: Loop, weights: Weights) -> None:
        """Run a loop: in each step one call for each value, all views made beforehand."""
        latest = max(loop.clocks)
        kernels: list[Callable[..., Any]] = []
        columns: list[list[Any]] = []
        for k, clock in zip(loop.values, loop.clocks, strict=True):
            value = values[k]
            views: list[Any] = [list(self.read(ref))[:: loop.sign] for ref in value.args]
            views += [repeat(weights.layout(value, weight)) for weight in value.weights]
            views.append(list(self.read(Ref(k)))[:: loop.sign])
            calls = list(zip(*views, strict=False))
            kernels.append(kernel_of(value))
            columns.append([None] * clock + calls + [None] * (latest - clock))
        if not latest:
            for step in zip(*columns, strict=True):
                for kernel, call in zip(kernels, step, strict=True):
                    kernel(*call)
            return
        for step in zip(*columns, strict=True):
            for kernel, call in zip(kernels, step, strict=True):
                if call is not None:
                    kernel(*call)


class CopiesBinding:
    """Values over a graph given by its fibres."""

    def __init__(
        self,
        graph: DelayGraph,
        copies: Copies,
        levels: tuple[Level, ...],
        batch: int,
        dtype: Any,
    ) -> None:
        self.graph, self.copies, self.levels = graph, copies, levels
        self.batch, self.dtype = batch, dtype
        self.buffers: dict[int, Array] = {}
        self._targets: dict[int, Incidence] = {}

    def another(self) -> CopiesBinding:
        other = copy.copy(self)
        other.buffers = dict(self.buffers)
        return other

    def open(self, values: Sequence[Value], chosen: Iterable[int]) -> None:
        fibres = self.copies.fibres
        shapes = {
            k: (len(fibres[values[k].vertex]) + 1, self.batch, values[k].size) for k in chosen
        }
        for k, buffer in _allocated(values, shapes, self.dtype).items():
            buffer[-1] = 0
            self.buffers[k] = buffer

    def fill(self, value: int, data: Array) -> None:
        self.buffers[value][:-1] = data

    def read(self, ref: Ref) -> Array:
        return self._read_at(ref, None)

    def _read_at(self, ref: Ref, rows: Array | None) -> Array:
        buffer = _columns(self.buffers[ref.value], ref)
        if ref.edge is None:
            return buffer[:-1] if rows is None else buffer[rows]
        if not ref.back:
            source = self.copies.sources[ref.edge]
            return buffer[source if rows is None else source[rows]]
        return self._gathered_back(ref.edge, buffer, rows)

    def outside(self, vertex: int, refs: Sequence[Ref], side: str) -> Array | None:
        """Sum what is passed back along arcs that are missing."""
        missing = {e: self.copies.sources[e] < 0 for e in self.graph.out_numbers[vertex]}
        if side == "after" or not any(one.any() for one in missing.values()):
            return None
        result = np.zeros((self.batch, self.buffers[vertex].shape[-1]), self.dtype)
        for ref in refs:
            if ref.edge is not None:
                passed = _columns(self.buffers[ref.value], ref)[:-1]
                result += passed[missing[ref.edge]].sum(axis=0)
        return result

    def _gathered_back(self, edge: int, buffer: Array, rows: Array | None) -> Array:
        """Sum over the arcs over an edge that leave each copy, zero where none does."""
        tails = len(self.copies.fibres[int(self.graph.tails[edge])])
        if edge not in self._targets:
            # copies that read from nowhere are grouped behind the last tail
            source = self.copies.sources[edge]
            self._targets[edge] = Incidence(tails + 1, np.where(source < 0, tails, source))
        arcs = self._targets[edge]
        chosen = np.arange(tails) if rows is None else rows
        counts = arcs.starts[chosen + 1] - arcs.starts[chosen]
        result = np.zeros((len(chosen), *buffer.shape[1:]), buffer.dtype)
        some = np.flatnonzero(counts)
        ends = np.cumsum(counts[some])
        begins = ends - counts[some]
        inner = np.arange(int(counts.sum())) - np.repeat(begins, counts[some])
        heads = arcs.edges[np.repeat(arcs.starts[chosen[some]], counts[some]) + inner]
        if len(some):
            result[some] = np.add.reduceat(buffer[heads], begins, axis=0)
        return result

    def compute(self, program: Program, weights: Weights) -> None:
        for level in self.levels[::-1] if program.back else self.levels:
            for k in program.at_vertex.get(level.vertex, ()):
                value = program.values[k]
                args = [_rows(self._read_at(ref, level.rows)) for ref in value.args]
                args += [weights.layout(value, weight) for weight in value.weights]
                out = np.empty((len(level.rows) * self.batch, value.size), self.dtype)
                kernel_of(value)(*args, out)
                self.buffers[k][level.rows] = out.reshape(len(level.rows), self.batch, value.size)
