"""Execution over a window of time steps.

A value has one row for each step, and further rows before and after the window as far as other
values read them. A delay is therefore a shift of rows, and the boundary is not a special case: the
rows before the first step have the initial values, and gradients read zeros after the last step.

If all of a schedule runs in one direction of time, it is computed block by block of steps. Values
that are not needed later have rows for one block only, in a *ring*: before the next block, the
rows that it reads from this one are copied to the margin of the ring.

Values in bulk take one call for all steps of a block; a loop is one function that makes its calls
step by step. Views of arrays are made once, when the calls are bound.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol
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
    outside_window,
    rows_of,
)
from unrollgraph.nn.compiler import Call, Lanes, Location, call_of, fused, shift_of
from unrollgraph.nn.execution_order import Bulk, Loop, Schedule
from unrollgraph.nn.executors.loops import compiled_loop, instruction, step_program
from unrollgraph.nn.executors.weight_gradients import Sums
from unrollgraph.nn.lowering import BackwardValues, ForwardValues
from unrollgraph.nn.program import Ref, Term, Value

Array = NDArray[Any]
NEAR = 2**20  # bytes that the calls of one piece of a chain access
_Calls = list[Callable[[], None]]


class Window(Protocol):
    """The part of a window's binding that this module uses to bind calls."""

    batch: int
    dtype: Any
    backend: str
    arrays: dict[int, Array]
    rings: dict[int, tuple[int, int]]

    def place(self, ref: Ref) -> Location:
        """Location that a reference reads."""

    def view(self, at: Location, block: slice) -> Array:
        """View of a location at the steps of a block."""

    def blocks(self, schedule: Schedule) -> list[slice]:
        """Blocks of steps of a schedule, in the order of computation."""


def bound_calls(window: Window, schedule: Schedule, weights: Weights, sums: Sums | None) -> _Calls:
    """Return the calls that compute a schedule and the sums of its gradients."""
    parts = _parts(window, schedule)
    blocks = window.blocks(schedule)
    calls: _Calls = [sums.begin] if sums else []
    if len(blocks) > 1:
        calls += _emptied(window, blocks[0])
    for number, block in enumerate(blocks):
        binder = _Binder(window, weights, block)
        for part in parts:
            calls += binder.loop(*part) if isinstance(part, tuple) else binder.bulk(part)
        if sums:
            calls.append(partial(sums.add, number))
        if number + 1 < len(blocks):
            calls += _carried(window, blocks[number + 1])
    return calls


def _parts(window: Window, schedule: Schedule) -> list[list[Call] | tuple[Loop, list[Call]]]:
    """Calls of a schedule: lists of calls in bulk, and loops with their calls."""

    def call(k: int, clock: int = 0) -> Call:
        value: Value = schedule.values[k]
        sources = [window.place(ref) for ref in value.args]
        return call_of(value, sources, window.place(Ref(k)), clock)

    parts: list[list[Call] | tuple[Loop, list[Call]]] = []
    bulk: list[Call] = []
    for part in schedule.steps:
        if isinstance(part, Bulk):
            bulk.append(call(part.value))
            continue
        parts += _chains(fused(bulk))
        bulk = []
        parts.append((part, fused(map(call, part.values, part.clocks))))
    return parts + _chains(fused(bulk))


def _chains(calls: list[Call]) -> list[list[Call]]:
    """Split bulk calls into chains that read each other at the same step only."""
    chains: list[list[Call]] = []
    written: dict[int, int] = {}
    for call in calls:
        apart = any(x.shift != written.get(x.array, x.shift) for x in call.sources)
        if not chains or apart or call.value.kind in {"opaque", "opaque back"}:
            chains.append([])
            written = {}
        chains[-1].append(call)
        written[call.out.array] = call.out.shift
    return chains


def _emptied(window: Window, first: slice) -> _Calls:
    """Return calls that fill the margins of the rings with zeros."""
    n = first.stop - first.start
    margins = [
        margin
        for name, (before, _) in window.rings.items()
        for margin in (window.arrays[name][:before], window.arrays[name][before + n :])
    ]
    return [partial(margin.fill, 0) for margin in margins if margin.size]


def _carried(window: Window, following: slice) -> _Calls:
    """Return calls that copy the first rows of a block to the margin of the next."""
    # only gradients are in rings and read from another block, the later one in time
    n = following.stop - following.start
    return [
        partial(
            np.copyto,
            window.arrays[name][before + n : before + n + after],
            window.arrays[name][before : before + after],
        )
        for name, (before, after) in window.rings.items()
        if after
    ]


def _as_of_many(row: Array, weight: Array, out: Array) -> None:
    """Multiply one row with the rounding of a product of several rows."""
    # NumPy multiplies a single row by another routine, which rounds differently; a sequence run
    # step by step must have the bits of one run at once
    out[...] = (np.concatenate((row, row)) @ weight)[:1]


class _Binder:
    """Binds the calls of a block of steps."""

    def __init__(self, window: Window, weights: Weights, block: slice) -> None:
        self.window, self.weights, self.block = window, weights, block
        self.steps = block.stop - block.start

    def bulk(self, chain: list[Call]) -> _Calls:
        """Bind a chain, in pieces of steps that fit into the cache."""
        ends = {at for call in chain for at in (*call.sources, call.out)}
        size = self.window.batch * self.window.dtype.itemsize
        step = sum(at.stop - at.start for at in ends) * size
        length = max(1, NEAR // step) if len(chain) > 1 else self.steps
        return [
            self._at_once(call, slice(begin, begin + length))
            for begin in range(0, self.steps, length)
            for call in chain
        ]

    def _at_once(self, call: Call, steps: slice) -> Callable[[], None]:
        ends = (*call.sources, call.out)
        views = [rows_of(self.window.view(at, self.block)[steps]) for at in ends]
        if any(map(call.is_shared, call.sources)):
            lanes = call.lanes
            shapes = [1 if call.is_shared(at) else lanes for at in ends]
            views = [v.reshape(len(v), n, -1) for v, n in zip(views, shapes, strict=True)]
        *sources, out = views
        kernel, arrays = instruction(call, sources, self.weights)
        if kernel is np.matmul and len(out) == 1:
            kernel = _as_of_many
        return partial(kernel, *arrays, out)

    def loop(self, loop: Loop, calls: Sequence[Call]) -> _Calls:
        """Bind a loop as one function, with its views made in advance."""
        window, run = self.window, None
        if window.backend == "numba":
            begins = {at.array for call in calls for at in (*call.sources, call.out)}
            arrays = {
                name: window.arrays[name][0 if name in window.rings else self.block.start :]
                for name in begins
            }
            run = compiled_loop(calls, arrays, self.steps, loop.sign, self.weights)
        return [run or step_program(calls, self._series(loop.sign), self.weights)]

    def _series(self, sign: int) -> Callable[[Location, bool, int], list[Array]]:
        """Return a function that makes the views of each step once for each location."""
        known: dict[tuple[Location, bool, int], list[Array]] = {}

        def views(at: Location, flat: bool, lanes: int) -> list[Array]:
            """Views of shape (batch, [lanes,] size); flat ones omit a batch of size 1."""
            if (at, flat, lanes) not in known:
                view = self.window.view(at, self.block)
                view = view[:, 0] if flat and self.window.batch == 1 else view
                if lanes:
                    view = view.reshape(*view.shape[:-1], lanes, -1)
                # steps that share their memory share one view
                still = not self.window.arrays[at.array].strides[0]
                each = [view[0]] * len(view) if still else list(view)
                known[at, flat, lanes] = each[::sign]
            return known[at, flat, lanes]

        return views


BLOCK = 2**20  # bytes that the rings of a block should have
SHORTEST = 4  # smallest number of steps of a block
LARGEST = 2**22  # bytes of the rings of a block; beyond this, the window is not divided


class WindowBinding:
    """Values over a window; values of one role in a stack share an array."""

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
        self._bound: WeakKeyDictionary[Schedule, list[Callable[[], None]]] = WeakKeyDictionary()
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
        """Make the arrays of an arrangement and return their numbers."""
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
        """Number of steps of a block, for rings of this total width."""
        step = width * self.batch * int(self.dtype.itemsize)
        if not step:
            return self.steps
        length = max(SHORTEST, BLOCK // step)
        pays = length * step <= LARGEST and self.steps // length > 1
        return length if pays else self.steps

    def lost(self) -> set[int]:
        """Remove values that are computed but not kept, and return all of them."""
        for k in self._lost & set(self._places):
            del self._places[k]
            self.buffers.pop(k, None)
            self.before.pop(k, None)
        return self._lost

    def clear(self) -> None:
        """Set the rows before and after the window to zero."""
        for array in self._margins:
            array[...] = 0

    def size(self) -> int:
        """Bytes of its arrays and of the free gradient bindings over it."""
        over: list[Binding] = [own for free in self.gradients.values() for own, _ in free]
        return sum((binding.size() for binding in over), self._bytes)

    def fill(self, value: int, vertex: int, data: Array) -> None:
        del vertex
        self.read(Ref(value))[...] = data

    def read(self, ref: Ref) -> Array:
        start = self.before[ref.value] + shift_of(self.graph, ref)
        return columns_of(self.buffers[ref.value][start : start + self.steps], ref)

    def outside(
        self, vertex: int, terms: Sequence[Term], side: str, weights: Weights
    ) -> Array | None:
        return outside_window(self, vertex, terms, side, weights)

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
        self, schedule: Schedule, group: Sequence[int], columns: tuple[int, int], source: Ref | None
    ) -> list[tuple[Array, Array]]:
        at = self._places[group[0]]
        at = at._replace(start=at.start + columns[0], stop=at.start + columns[1])
        found = []
        for block in self.blocks(schedule):
            left = rows_of(self.view(at, block))
            right = np.ones((len(left), 1), self.dtype)
            if source is not None:
                right = rows_of(self.view(self.place(source), block))
            found.append((left.T, right))
        return found

    def compute(self, schedule: Schedule, weights: Weights, sums: Sums | None = None) -> None:
        if schedule not in self._bound:
            self._bound[schedule] = bound_calls(self, schedule, weights, sums)
        for call in self._bound[schedule]:
            call()

    def summed(
        self, forward: ForwardValues, backward: BackwardValues, schedule: Schedule, weights: Weights
    ) -> Sums:
        """Return the gradients of the parameters, bound to the arrays."""
        return Sums(forward, backward, schedule, self, weights)

    def place(self, ref: Ref) -> Location:
        array, before, start, stop = self._places[ref.value]
        if ref.columns is not None:
            start, stop = start + ref.columns[0], start + ref.columns[1]
        return Location(array, before + shift_of(self.graph, ref), start, stop)

    def view(self, at: Location, block: slice) -> Array:
        """View of a location at the steps of a block."""
        first = at.shift if at.array in self.rings else at.shift + block.start
        last = first + block.stop - block.start
        return self.arrays[at.array][first:last, :, at.start : at.stop]

    def blocks(self, schedule: Schedule) -> list[slice]:
        """Blocks of steps of a schedule, in the order of computation."""
        if not self._in_rings or self._in_rings.isdisjoint(schedule.chosen):
            return [slice(0, self.steps)]
        lengths = [self._length] * (self.steps // self._length)
        lengths[0] += self.steps % self._length
        ends = np.cumsum(lengths).tolist()
        found = [slice(end - n, end) for n, end in zip(lengths, ends, strict=True)]
        if schedule.back:
            found = [slice(self.steps - b.stop, self.steps - b.start) for b in found]
        return found
