"""A window of steps: values in arrays along time, loops and what is done for all steps at once.

The places of a value are the steps, with a few more before and after them, as far as
anything reads. A delay is then a shift of the array, and the boundary needs no special
case: the rows before the first step hold the initial values, and gradients read zeros
where the window has ended.

Where all of a program goes one way through time, it is computed block by block of steps,
and what is not asked for later has rows for one block only, in a *ring*: before the next
block, the rows that this one reads of the last are copied to its edge.

A part of a program that is in bulk is one call for all steps of a block, a loop one
function that makes its calls step by step. Views of arrays are made here, once.
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
    rows_of,
)
from unrollgraph.nn.compiler import Call, Lanes, Location, call_of, fused, shift_of
from unrollgraph.nn.execution_order import Bulk, Loop, Program
from unrollgraph.nn.executors.loops import compiled_loop, instruction, step_program
from unrollgraph.nn.executors.weight_gradients import Sums
from unrollgraph.nn.program import Ref, Value

Array = NDArray[Any]
NEAR = 2**20  # bytes that a chain of bulk calls may touch
_Calls = list[Callable[[], None]]


class Window(Protocol):
    """What is asked of the binding of a window."""

    batch: int
    dtype: Any
    backend: str
    arrays: dict[int, Array]
    rings: dict[int, tuple[int, int]]

    def place(self, ref: Ref) -> Location:
        """Where a reference reads."""

    def view(self, at: Location, block: slice) -> Array:
        """A location at some steps."""

    def blocks(self, program: Program) -> list[slice]:
        """The blocks of steps of a program, in the order in which they are computed."""


def bound_calls(window: Window, program: Program, weights: Weights, sums: Sums | None) -> _Calls:
    """Calls that compute a program, and the sums of its gradients."""
    parts = _parts(window, program)
    blocks = window.blocks(program)
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


def _parts(window: Window, program: Program) -> list[list[Call] | tuple[Loop, list[Call]]]:
    """The calls of a program: lists of those in bulk, and loops with theirs."""

    def call(k: int, clock: int = 0) -> Call:
        value: Value = program.values[k]
        sources = [window.place(ref) for ref in value.args]
        return call_of(value, sources, window.place(Ref(k)), clock)

    parts: list[list[Call] | tuple[Loop, list[Call]]] = []
    bulk: list[Call] = []
    for part in program.steps:
        if isinstance(part, Bulk):
            bulk.append(call(part.value))
            continue
        parts += _chains(fused(bulk))
        bulk = []
        parts.append((part, fused(map(call, part.values, part.clocks))))
    return parts + _chains(fused(bulk))


def _chains(calls: list[Call]) -> list[list[Call]]:
    """Take bulk calls apart into chains that read of each other the same step only."""
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
    """Let the rings hold zeros beyond the window."""
    n = first.stop - first.start
    margins = [
        margin
        for name, (before, _) in window.rings.items()
        for margin in (window.arrays[name][:before], window.arrays[name][before + n :])
    ]
    return [partial(margin.fill, 0) for margin in margins if margin.size]


def _carried(window: Window, following: slice) -> _Calls:
    """Copy the first rows of a block to where the block before it in time reads them.

    Only gradients are read from a later step and live in rings.
    """
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
    """A product of one row as it would be among others.

    Alone it would go to another routine, which rounds differently; so that a sequence
    taken step by step has the bits of one taken at once, it does not go alone.
    """
    out[...] = (np.concatenate((row, row)) @ weight)[:1]


class _Binder:
    """Binds the calls of a block of steps."""

    def __init__(self, window: Window, weights: Weights, block: slice) -> None:
        self.window, self.weights, self.block = window, weights, block
        self.steps = block.stop - block.start

    def bulk(self, chain: list[Call]) -> _Calls:
        """Run a chain piece by piece of the steps, each small enough for a near cache."""
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
        """In each step one call for each group of values, views made beforehand."""
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
        """Views of each step, made once for all calls that use them."""
        known: dict[tuple[Location, bool, int], list[Array]] = {}

        def views(at: Location, flat: bool, lanes: int) -> list[Array]:
            """Views of shape (batch, [lanes,] size), or without batch if it is a single one."""
            if (at, flat, lanes) not in known:
                view = self.window.view(at, self.block)
                view = view[:, 0] if flat and self.window.batch == 1 else view
                if lanes:
                    view = view.reshape(*view.shape[:-1], lanes, -1)
                # what all steps have in one place is one view, not many of the same
                still = not self.window.arrays[at.array].strides[0]
                each = [view[0]] * len(view) if still else list(view)
                known[at, flat, lanes] = each[::sign]
            return known[at, flat, lanes]

        return views


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
