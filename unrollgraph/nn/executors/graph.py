"""Execution over a general acyclic graph, level by level.

A value has one place for each copy of its vertex, in the order of levels, and a last place for the
value that is read where an edge is missing. Reading through an edge is a gather. Reading back is a
gather or, if several edges over one base edge leave a copy, a sum. Values computed at all copies
at once are computed in blocks that fit into the cache. A value that is read only in its own block
or level is not stored.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import Incidence
from unrollgraph.nn.buffers import Binding, Passing, Weights, allocated, columns_of, passed, rows_of
from unrollgraph.nn.execution_order import Part, Schedule, Wavefronts
from unrollgraph.nn.executors.weight_gradients import Sums
from unrollgraph.nn.lowering import BackwardValues, ForwardValues
from unrollgraph.nn.primitives import kernel_of
from unrollgraph.nn.program import Ref, Term, Value

Array = NDArray[Any]
ROWS = 512  # rows of a block: number of copies times batch size


class CopiesBinding:
    """Values over a graph given by its fibres."""

    def __init__(self, graph: DelayGraph, fronts: Wavefronts, batch: int, dtype: Any) -> None:
        self.graph, self.fronts = graph, fronts
        self.batch, self.dtype = batch, dtype
        self.buffers: dict[int, Array] = {}
        self.gradients: dict[Any, list[Any]] = {}
        self.sums: Any = None
        self._lost: set[int] = set()
        self._targets: dict[int, Incidence] = {}
        self._scratch: dict[Any, Array] = {}
        self._bytes = 0

    def another(self) -> CopiesBinding:
        other = copy.copy(self)
        other.buffers, other.gradients, other.sums = dict(self.buffers), {}, None
        other._lost, other._scratch, other._bytes = set(), {}, 0
        return other

    def open(
        self, values: Sequence[Value], chosen: Iterable[int], passing: Passing | None = None
    ) -> None:
        brief = passing.transient if passing else frozenset()
        order = self.fronts.order
        shapes = {
            k: (len(order[values[k].vertex]) + 1, self.batch, values[k].size)
            for k in chosen
            if k not in brief
        }
        self.buffers |= allocated(values, shapes, self.dtype)
        for k in shapes:
            self.buffers[k][-1] = 0
            self._bytes += self.buffers[k].nbytes
        self._lost |= brief

    def lost(self) -> set[int]:
        return self._lost

    def clear(self) -> None:
        """Set the values that are read where an edge is missing to zero."""
        for buffer in self.buffers.values():
            buffer[-1] = 0

    def size(self) -> int:
        over: list[Binding] = [own for free in self.gradients.values() for own, _ in free]
        return sum((binding.size() for binding in over), self._bytes)

    def fill(self, value: int, vertex: int, data: Array) -> None:
        places = self.buffers[value][:-1]
        if data.ndim < places.ndim:
            places[...] = data
        else:
            places[...] = data[self.fronts.order[vertex]]

    def in_order(self, vertex: int, array: Array) -> Array:
        found = np.empty_like(array)
        found[self.fronts.order[vertex]] = array
        return found

    def read(self, ref: Ref) -> Array:
        return self._read_at(ref, slice(0, self._readers(ref)))

    def _readers(self, ref: Ref) -> int:
        """Number of copies at which a reference can be read."""
        if ref.edge is None:
            return len(self.buffers[ref.value]) - 1
        ends = self.graph.tails if ref.back else self.graph.heads
        return len(self.fronts.order[int(ends[ref.edge])])

    def _read_at(self, ref: Ref, places: slice, scratch: Array | None = None) -> Array:
        """Read at some copies; gathered data may be written to ``scratch``."""
        buffer = self.buffers[ref.value]
        if ref.edge is None:
            return columns_of(buffer[places], ref)
        if ref.back and not self.fronts.single[ref.edge]:
            return self._gathered_back(ref.edge, columns_of(buffer, ref), places)
        ends = self.fronts.targets if ref.back else self.fronts.sources
        found = buffer.take(ends[ref.edge][places], axis=0, out=scratch, mode="clip")
        return columns_of(found, ref)

    def outside(
        self, vertex: int, terms: Sequence[Term], side: str, weights: Weights
    ) -> Array | None:
        """Sum the gradients that are passed back along missing edges."""
        edges = self.graph.out_numbers[vertex]
        missing = {e: self.fronts.sources[e] == len(self.fronts.order[vertex]) for e in edges}
        if side == "after" or not any(one.any() for one in missing.values()):
            return None
        result = np.zeros((self.batch, self.buffers[vertex].shape[-1]), self.dtype)
        for term in terms:
            if term.ref.edge is not None:
                array = passed(self, term, weights)
                result += array[missing[term.ref.edge]].sum(axis=0)
        return result

    def summed(
        self, forward: ForwardValues, backward: BackwardValues, schedule: Schedule, weights: Weights
    ) -> Sums:
        """Return the gradients of the parameters, bound to the arrays."""
        return Sums(forward, backward, schedule, self, weights)

    def place(self, ref: Ref) -> Ref:
        return ref

    def beside(self, values: Sequence[int]) -> list[list[int]]:
        return [[k] for k in values]

    def pairs(
        self, schedule: Schedule, group: Sequence[int], columns: tuple[int, int], source: Ref | None
    ) -> Sequence[tuple[Array, Array]]:
        del schedule
        return _Pairs(self, Ref(group[0], columns=columns), source)

    def pair_at(self, places: slice, gradient: Ref, source: Ref | None) -> tuple[Array, Array]:
        """Gradient at some copies, transposed, and the values read there."""
        left = rows_of(self._read_at(gradient, places))
        if source is None:
            return left.T, np.ones((len(left), 1), self.dtype)
        right = self._read_at(source, places, self._room("pair", 0, source, places))
        return left.T, rows_of(right)

    def blocks(self, copies: int) -> Iterator[slice]:
        """Yield blocks of copies that fit into the cache."""
        length = max(1, ROWS // self.batch)
        for start in range(0, copies, length):
            yield slice(start, min(start + length, copies))

    def _gathered_back(self, edge: int, buffer: Array, places: slice) -> Array:
        """Sum over the edges that lie over an edge and leave each copy."""
        if edge not in self._targets:
            # copies without such an edge are grouped after the last tail
            tails = len(self.fronts.order[int(self.graph.tails[edge])])
            self._targets[edge] = Incidence(tails + 1, self.fronts.sources[edge])
        arcs = self._targets[edge]
        chosen = np.arange(places.start, places.stop)
        counts = arcs.starts[chosen + 1] - arcs.starts[chosen]
        result = np.zeros((len(chosen), *buffer.shape[1:]), buffer.dtype)
        some = np.flatnonzero(counts)
        if len(some):
            begins = arcs.starts[chosen[some]]
            heads = arcs.edges[begins[0] : arcs.starts[places.stop]]
            result[some] = np.add.reduceat(buffer[heads], begins - begins[0], axis=0)
        return result

    # -- computing -----------------------------------------------------------------------

    def compute(self, schedule: Schedule, weights: Weights, sums: Sums | None = None) -> None:
        steps = {
            k: (value, kernel_of(value), [weights.layout(value.kind, (w,)) for w in value.weights])
            for k, value in ((k, schedule.values[k]) for k in schedule.chosen)
        }
        for part in schedule.parts:
            for vertex, places in self._pieces_of(part, back=schedule.back):
                held: dict[int, Array] = {}  # values that are not stored
                for k in part.at[vertex]:
                    self._compute_at(k, *steps[k], places, held)
        if sums:
            sums.gather()

    def _pieces_of(self, part: Part, *, back: bool) -> Iterator[tuple[int, slice]]:
        """Yield the vertices and copies at which a part is computed, in order."""
        if part.stepped:
            levels = self.fronts.levels[::-1] if back else self.fronts.levels
            for level in levels:
                if level.vertex in part.at:
                    yield level.vertex, slice(level.start, level.stop)
            return
        (vertex,) = part.at
        for places in self.blocks(len(self.fronts.order[vertex])):
            yield vertex, places

    def _compute_at(
        self,
        k: int,
        value: Value,
        kernel: Any,
        layouts: list[Array],
        places: slice,
        held: dict[int, Array],
    ) -> None:
        args = []
        for number, ref in enumerate(value.args):
            if ref.value in held:
                array = columns_of(held[ref.value], ref)
            else:
                array = self._read_at(ref, places, self._room("read", number, ref, places))
            args.append(rows_of(array))
        if k in self.buffers:
            out = self.buffers[k][places]
        else:
            shape = places.stop - places.start, self.batch, value.size
            held[k] = out = self._piece(("held", k), shape)
        kernel(*args, *layouts, rows_of(out))

    def _room(self, what: str, number: int, ref: Ref, places: slice) -> Array | None:
        """Scratch array for a reference through an edge; None for other references."""
        buffer = self.buffers[ref.value]
        if ref.edge is None or buffer.dtype != self.dtype:
            return None
        shape = places.stop - places.start, *buffer.shape[1:]
        return self._piece((what, number), shape)

    def _piece(self, key: Any, shape: tuple[int, ...]) -> Array:
        """Scratch array that is reused for one purpose."""
        count, width = shape[0], shape[-1]
        if (key, width) not in self._scratch or len(self._scratch[key, width]) < count:
            self._scratch[key, width] = np.empty(shape, self.dtype)
        return self._scratch[key, width][:count]


class _Pairs(Sequence[tuple[Array, Array]]):
    """Gradients with the values read, gathered block by block at each access."""

    def __init__(self, binding: CopiesBinding, gradient: Ref, source: Ref | None) -> None:
        self._binding, self._gradient, self._source = binding, gradient, source
        self._blocks = list(binding.blocks(len(binding.buffers[gradient.value]) - 1))

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, number: Any) -> Any:
        return self._binding.pair_at(self._blocks[number], self._gradient, self._source)
