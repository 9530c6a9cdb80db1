"""Any graph above the base: values at the copies of its vertices, level by level.

The places of a value are the copies in a fibre and one more, which holds the value that
is read where an arc is missing. Reading through an edge is a gather, reading back a
gather or, where several arcs over one edge leave a copy, a sum.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.order import Incidence
from unrollgraph.nn.binding import allocated, columns_of, rows_of
from unrollgraph.nn.plan import Copies, Level, Program
from unrollgraph.nn.primitives import kernel_of
from unrollgraph.nn.storage import Passing
from unrollgraph.nn.values import Ref, Value
from unrollgraph.nn.weights import Weights

__all__ = ["CopiesBinding"]

Array = NDArray[Any]


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
        self.gradients: dict[Any, list[Any]] = {}
        self.sums: Any = None

    def another(self) -> CopiesBinding:
        other = copy.copy(self)
        other.buffers, other.gradients, other.sums = dict(self.buffers), {}, None
        return other

    def lost(self) -> set[int]:
        return set()

    def open(
        self, values: Sequence[Value], chosen: Iterable[int], passing: Passing | None = None
    ) -> None:
        del passing  # all are kept
        fibres = self.copies.fibres
        shapes = {
            k: (len(fibres[values[k].vertex]) + 1, self.batch, values[k].size) for k in chosen
        }
        for k, buffer in allocated(values, shapes, self.dtype).items():
            buffer[-1] = 0
            self.buffers[k] = buffer

    def size(self) -> int:
        return sum(array.nbytes for array in self.buffers.values())

    def fill(self, value: int, data: Array) -> None:
        self.buffers[value][:-1] = data

    def read(self, ref: Ref) -> Array:
        return self._read_at(ref, None)

    def _read_at(self, ref: Ref, rows: Array | None) -> Array:
        buffer = columns_of(self.buffers[ref.value], ref)
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
                passed = columns_of(self.buffers[ref.value], ref)[:-1]
                result += passed[missing[ref.edge]].sum(axis=0)
        return result

    def place(self, ref: Ref) -> Ref:
        return ref

    def beside(self, values: Sequence[int]) -> list[tuple[list[int], Array]]:
        return [([k], rows_of(self.read(Ref(k)))) for k in values]

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
        self.sums = None  # what is gathered is gathered anew
        for level in self.levels[::-1] if program.back else self.levels:
            for k in program.at_vertex.get(level.vertex, ()):
                value = program.values[k]
                args = [rows_of(self._read_at(ref, level.rows)) for ref in value.args]
                args += [weights.layout(value.kind, (weight,)) for weight in value.weights]
                out = np.empty((len(level.rows) * self.batch, value.size), self.dtype)
                kernel_of(value)(*args, out)
                self.buffers[k][level.rows] = out.reshape(len(level.rows), self.batch, value.size)
