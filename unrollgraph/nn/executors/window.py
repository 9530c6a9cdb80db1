"""A window of steps: values in arrays along time, loops and what is done for all steps at once.

The places of a value are the steps, with a few more before and after them, as far as
anything reads. A delay is then a shift of the array, and the boundary needs no special
case: the rows before the first step hold the initial values, and gradients read zeros
where the window has ended.

Where all of a program goes one way through time, it is computed block by block of steps,
and what is not asked for later has rows for one block only, in a *ring*: before the next
block, the rows that this one reads of the last are copied to its edge.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.buffers import (
    NOTHING_PASSES,
    Arrangement,
    Binding,
    Passing,
    Weights,
    allocated,
    arranged,
    columns_of,
    one_place,
    rows_of,
)
from unrollgraph.nn.compiler import Lanes, Location, shift_of
from unrollgraph.nn.execution_order import Program
from unrollgraph.nn.executors.numpy import bound_calls
from unrollgraph.nn.executors.weight_gradients import Sums
from unrollgraph.nn.program import Ref, Value

Array = NDArray[Any]
BLOCK = 2**20  # bytes that the rings of a block of steps should have
SHORTEST = 4  # steps of a block
LARGEST = 2**22  # bytes of the rings of the shortest block from which on blocks do not pay


class WindowBinding:
    """Values over a window of steps.

    Values of one role in a stack are columns of one array; see `compiler`.
    """

    def __init__(
        self,
        graph: DelayGraph,
        steps: int,
        batch: int,
        dtype: Any,
        lanes: Lanes,
        *,
        backend: str = "numpy",
    ) -> None:
        self.graph, self.steps, self.batch, self.dtype = graph, steps, batch, dtype
        self.lanes, self.backend = lanes, backend
        self.buffers: dict[int, Array] = {}
        self.before: dict[int, int] = {}
        self.arrays: dict[int, Array] = {}
        self.rings: dict[int, tuple[int, int]] = {}  # rows before and after a block
        self._places: dict[int, Location] = {}
        self._margins: list[Array] = []
        self._lost: set[int] = set()
        self._in_rings: set[int] = set()
        self._length = steps
        self._bytes = 0
        self._bound: WeakKeyDictionary[Program, list[Callable[[], None]]] = WeakKeyDictionary()
        self.gradients: dict[Any, list[Any]] = {}
        self.sums: Any = None

    def another(self) -> WindowBinding:
        other = copy.copy(self)
        other.buffers, other.before = dict(self.buffers), dict(self.before)
        other.arrays, other._places = dict(self.arrays), dict(self._places)
        other.rings, other._in_rings = {}, set()
        other._bound, other.gradients, other._margins = WeakKeyDictionary(), {}, []
        other._lost, other._bytes, other.sums = set(), 0, None
        return other

    def open(
        self,
        values: Sequence[Value],
        chosen: Iterable[int],
        passing: Passing | None = None,
    ) -> None:
        chosen = list(chosen)
        self._in_rings.difference_update(chosen)
        missing = [k for k in chosen if k not in self._places]
        plan = arranged(self.graph, values, missing, self.lanes, passing or NOTHING_PASSES)
        self._length = self._block(sum(plan.arrays[k].width for k in plan.rings))
        rings = plan.rings if self._length < self.steps else frozenset()
        names = self._make(values, plan, rings)
        for first, group in plan.groups.items():
            root, start = plan.root[first], 0
            before, array = plan.arrays[root].before, self.arrays[names[root]]
            for k in group:
                stop = start + values[k].size
                self._places[k] = Location(names[root], before, start, stop)
                if root not in rings:
                    ahead, behind = plan.rooms[k]
                    rows = slice(before - ahead, before + self.steps + behind)
                    self.buffers[k], self.before[k] = array[rows, :, start:stop], ahead
                start = stop
            if root in rings:
                self._in_rings.update(group)
        for k, unit in plan.inside.items():
            self._places[k] = self._places[unit]
        self._lost |= self._in_rings | plan.lost
        self.clear()

    def _make(
        self, values: Sequence[Value], plan: Arrangement, rings: frozenset[int]
    ) -> dict[int, int]:
        """Make the arrays of an arrangement, and tell their numbers."""
        longest = self._length + self.steps % self._length
        shapes = {}
        for k, (before, after, width) in plan.arrays.items():
            rows = before + (longest if k in rings else self.steps) + after
            shapes[k] = (rows, self.batch, width)
        made = {k: one_place(shapes.pop(k), self.dtype) for k in plan.still}
        self._bytes += sum(math.prod(shape) for shape in shapes.values()) * self.dtype.itemsize
        made |= allocated(values, shapes, self.dtype)
        names = {k: len(self.arrays) + number for number, k in enumerate(made)}
        for k, array in made.items():
            before, after, _ = plan.arrays[k]
            self.arrays[names[k]] = array
            if k in rings:
                self.rings[names[k]] = before, after
            else:
                self._margins += [array[:before], array[before + self.steps :]]
        return names

    def _block(self, width: int) -> int:
        """Steps of a block, of which so many columns are to stay in a near cache."""
        step = width * self.batch * int(self.dtype.itemsize)
        if not step:
            return self.steps
        length = max(SHORTEST, BLOCK // step)
        pays = length * step <= LARGEST and self.steps // length > 1
        return length if pays else self.steps

    def lost(self) -> set[int]:
        """Take leave of values that a program has computed and not kept; return them all."""
        for k in self._lost & set(self._places):
            del self._places[k]
            self.buffers.pop(k, None)
            self.before.pop(k, None)
        return self._lost

    def clear(self) -> None:
        """Forget what lies before and after the window."""
        for array in self._margins:
            array[...] = 0

    def size(self) -> int:
        """Bytes of the arrays made for it, and for the gradients that are free over it."""
        over: list[Binding] = [own for free in self.gradients.values() for own, _ in free]
        return sum((binding.size() for binding in over), self._bytes)

    def fill(self, value: int, vertex: int, data: Array) -> None:
        del vertex
        self.read(Ref(value))[...] = data

    def read(self, ref: Ref) -> Array:
        start = self.before[ref.value] + shift_of(self.graph, ref)
        return columns_of(self.buffers[ref.value][start : start + self.steps], ref)

    def outside(self, vertex: int, refs: Sequence[Ref], side: str) -> Array | None:
        """Continue the gradient of an output into the rows before or after the window."""
        before, (places, _, size) = self.before[vertex], self.buffers[vertex].shape
        times = range(-before, 0) if side == "before" else range(self.steps, places - before)
        if not times:
            return None
        result = np.zeros((len(times), self.batch, size), self.dtype)
        for ref in refs:
            d = shift_of(self.graph, ref)
            passed = columns_of(self.buffers[ref.value], ref)
            inside = range(max(times.start, -d), min(times.stop, self.steps - d))
            if inside:
                at = self.before[ref.value] + d
                rows = slice(inside.start - times.start, inside.stop - times.start)
                result[rows] += passed[at + inside.start : at + inside.stop]
        return result

    def in_order(self, vertex: int, array: Array) -> Array:
        del vertex
        return array

    def beside(self, values: Sequence[int]) -> list[list[int]]:
        groups: list[list[int]] = []
        for k in sorted(values, key=self._places.__getitem__):
            last = self._places[groups[-1][-1]] if groups else None
            here = self._places[k]
            if last and (last.array, last.shift, last.stop) == (here.array, here.shift, here.start):
                groups[-1].append(k)
            else:
                groups.append([k])
        return groups

    def pairs(
        self, program: Program, group: Sequence[int], columns: tuple[int, int], source: Ref | None
    ) -> list[tuple[Array, Array]]:
        at = self._places[group[0]]
        at = at._replace(start=at.start + columns[0], stop=at.start + columns[1])
        found = []
        for block in self.blocks(program):
            left = rows_of(self.view(at, block))
            right = np.ones((len(left), 1), self.dtype)
            if source is not None:
                right = rows_of(self.view(self.place(source), block))
            found.append((left.T, right))
        return found

    def compute(self, program: Program, weights: Weights, sums: Sums | None = None) -> None:
        if program not in self._bound:
            self._bound[program] = bound_calls(self, program, weights, sums)
        for call in self._bound[program]:
            call()

    def place(self, ref: Ref) -> Location:
        array, before, start, stop = self._places[ref.value]
        if ref.columns is not None:
            start, stop = start + ref.columns[0], start + ref.columns[1]
        return Location(array, before + shift_of(self.graph, ref), start, stop)

    def view(self, at: Location, block: slice) -> Array:
        """A location at some steps."""
        first = at.shift if at.array in self.rings else at.shift + block.start
        last = first + block.stop - block.start
        return self.arrays[at.array][first:last, :, at.start : at.stop]

    def blocks(self, program: Program) -> list[slice]:
        """The blocks of steps of a program, one after another as they are computed."""
        if not self._in_rings.intersection(program.chosen):
            return [slice(0, self.steps)]
        lengths = [self._length] * (self.steps // self._length)
        lengths[0] += self.steps % self._length
        ends = np.cumsum(lengths).tolist()
        found = [slice(end - n, end) for n, end in zip(lengths, ends, strict=True)]
        if program.back:
            found = [slice(self.steps - b.stop, self.steps - b.start) for b in found]
        return found
