"""A window of steps: values in arrays along time, loops and what is done for all steps at once.

The places of a value are the steps, with a few more before and after them, as far as
anything reads. A delay is then a shift of the array, and the boundary needs no special
case: the rows before the first step hold the initial values, and gradients read zeros
where the window has ended.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.binding import Binding, allocated, columns_of, rows_of
from unrollgraph.nn.compiled import compiled_loop
from unrollgraph.nn.fusion import Call, Lanes, Location, call_of, fused, shared, shift_of
from unrollgraph.nn.plan import Bulk, Loop, Program
from unrollgraph.nn.stepping import instruction, step_program
from unrollgraph.nn.storage import Passing, one_place
from unrollgraph.nn.values import Ref, Value
from unrollgraph.nn.weights import Weights

__all__ = ["WindowBinding"]

Array = NDArray[Any]
BLOCK = 2**20  # bytes that a block of steps may touch


def _as_of_many(row: Array, weight: Array, out: Array) -> None:
    """A product of one row as it would be among others.

    Alone it would go to another routine, which rounds differently; so that a sequence
    taken step by step has the bits of one taken at once, it does not go alone.
    """
    out[...] = (np.concatenate((row, row)) @ weight)[:1]


class WindowBinding:
    """Values over a window of steps.

    Values of one role in a stack are columns of one array; see `fusion`.
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
        self._arrays: dict[int, Array] = {}
        self._places: dict[int, Location] = {}
        self._margins: list[Array] = []
        self._lost: set[int] = set()
        self._bytes = 0
        self._bound: WeakKeyDictionary[Program, list[Callable[[], None]]] = WeakKeyDictionary()
        self.gradients: dict[Any, list[Any]] = {}
        self.sums: Any = None

    def another(self) -> WindowBinding:
        other = copy.copy(self)
        other.buffers, other.before = dict(self.buffers), dict(self.before)
        other._arrays, other._places = dict(self._arrays), dict(self._places)
        other._bound, other.gradients, other._margins = WeakKeyDictionary(), {}, []
        other._lost, other._bytes, other.sums = set(), 0, None
        return other

    def open(
        self,
        values: Sequence[Value],
        chosen: Iterable[int],
        passing: Passing | None = None,
    ) -> None:
        passing = passing or Passing(frozenset(), {})
        chosen = list(chosen)
        inside = {values[k].args[0].value: k for k in chosen if values[k].kind == "unit"}
        rooms = {k: [0, 0] for k in chosen if k not in self._places and k not in inside}
        for value in values:
            for ref in value.args:
                if ref.value in rooms:
                    room, shift = rooms[ref.value], shift_of(self.graph, ref)
                    room[0], room[1] = max(room[0], -shift), max(room[1], shift)
        groups = shared(self.graph, values, rooms, self.lanes)
        shapes, befores = {}, {}
        for group in groups:
            before, after = (max(rooms[k][side] for k in group) for side in (0, 1))
            width = sum(values[k].size for k in group)
            shapes[group[0]] = (before + self.steps + after, self.batch, width)
            befores[group[0]] = before
        over = passing.over(groups, shapes)
        still = {g[0] for g in groups if passing.transient.issuperset(g)} - set(over.values())
        own = {k: shape for k, shape in shapes.items() if k not in over and k not in still}
        arrays = allocated(values, own, self.dtype)
        arrays |= {k: one_place(shapes[k], self.dtype) for k in still}
        names: dict[int, int] = {}
        for group in groups:
            first, start = group[0], 0
            while first in over:
                first = over[first]
            array, before = arrays[first], befores[group[0]]
            name = names.setdefault(first, len(self._arrays) + len(names))
            margins = [array[:before], array[before + self.steps :]]
            self._margins += [margin for margin in margins if len(margin)]
            for k in group:
                stop = start + values[k].size
                ahead, behind = rooms[k]
                end = before + self.steps + behind
                self._places[k] = Location(name, before, start, stop)
                self.buffers[k] = array[before - ahead : end, :, start:stop]
                self.before[k] = ahead
                start = stop
        self._arrays |= {name: arrays[first] for first, name in names.items()}
        self._bytes += sum(int(arrays[first].nbytes) for first in own)
        members = {group[0]: group for group in groups}
        self._lost |= {k for first in (*still, *over.values()) for k in members[first]}
        for k, unit in inside.items():  # which is written in its place
            self._places[k], self.buffers[k] = self._places[unit], self.buffers[unit]
            self.before[k] = self.before[unit]
        self._lost |= set(inside)
        self.clear()

    def lost(self) -> set[int]:
        """Take leave of values that a program has computed and not kept; return them all."""
        for k in self._lost & set(self._places):
            del self._places[k], self.buffers[k], self.before[k]
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
        self, group: Sequence[int], columns: tuple[int, int], source: Ref | None
    ) -> list[tuple[Array, Array]]:
        at = self._places[group[0]]
        start, stop = (at.start + column for column in columns)
        left = rows_of(self._view(at._replace(start=start, stop=stop)))
        if source is None:
            return [(left.T, np.ones((len(left), 1), self.dtype))]
        return [(left.T, rows_of(self.read(source)))]

    def compute(self, program: Program, weights: Weights) -> None:
        if program not in self._bound:
            self._bound[program] = self._bind(program, weights)
        for call in self._bound[program]:
            call()

    # -- binding calls to arrays -------------------------------------------------------

    def _bind(self, program: Program, weights: Weights) -> list[Callable[[], None]]:
        """Calls without arguments that compute a program, one after another."""
        calls: list[Callable[[], None]] = []
        bulk: list[Call] = []
        for part in [*program.steps, None]:
            if isinstance(part, Bulk):
                bulk.append(self._call(program.values, part.value, 0))
                continue
            for chain in self._chains(fused(bulk)):
                calls += self._blocks(chain, weights)
            bulk = []
            if part is not None:
                calls.append(self._loop(program.values, part, weights))
        return calls

    def _call(self, values: Sequence[Value], k: int, clock: int) -> Call:
        sources = [self.place(ref) for ref in values[k].args]
        return call_of(values[k], sources, self.place(Ref(k)), clock)

    def place(self, ref: Ref) -> Location:
        array, before, start, stop = self._places[ref.value]
        if ref.columns is not None:
            start, stop = start + ref.columns[0], start + ref.columns[1]
        return Location(array, before + shift_of(self.graph, ref), start, stop)

    def _view(self, at: Location) -> Array:
        return self._arrays[at.array][at.shift : at.shift + self.steps, :, at.start : at.stop]

    def _chains(self, calls: list[Call]) -> list[list[Call]]:
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

    def _blocks(self, chain: list[Call], weights: Weights) -> list[Callable[[], None]]:
        """Run a chain block of steps by block, each small enough to stay in a near cache."""
        ends = [at for call in chain for at in (*call.sources, call.out)]
        step = sum(at.stop - at.start for at in set(ends)) * self.batch * self.dtype.itemsize
        length = max(1, BLOCK // step) if len(chain) > 1 else self.steps
        begins = range(0, self.steps, length)
        return [
            self._bulk(call, weights, slice(begin, begin + length))
            for begin in begins
            for call in chain
        ]

    def _bulk(self, call: Call, weights: Weights, steps: slice) -> Callable[[], None]:
        views = [rows_of(self._view(x)[steps]) for x in (*call.sources, call.out)]
        if any(map(call.is_shared, call.sources)):
            lanes = call.lanes
            shapes = [1 if call.is_shared(x) else lanes for x in (*call.sources, call.out)]
            views = [v.reshape(len(v), n, -1) for v, n in zip(views, shapes, strict=True)]
        *sources, out = views
        kernel, arrays = instruction(call, sources, weights)
        if kernel is np.matmul and len(out) == 1:
            kernel = _as_of_many
        return partial(kernel, *arrays, out)

    def _loop(self, values: Sequence[Value], loop: Loop, weights: Weights) -> Callable[[], None]:
        """Bind a loop: in each step one call for each group of values, views made beforehand."""
        calls = fused(
            self._call(values, k, clock) for k, clock in zip(loop.values, loop.clocks, strict=True)
        )
        run = None
        if self.backend == "numba":
            run = compiled_loop(calls, self._arrays, self.steps, loop.sign, weights)
        return run or step_program(calls, self._series(loop.sign), weights)

    def _series(self, sign: int) -> Callable[[Location, bool, int], list[Array]]:
        """Views of each step, made once for all calls that use them."""
        known: dict[tuple[Location, bool, int], list[Array]] = {}

        def views(at: Location, flat: bool, lanes: int) -> list[Array]:
            """Views of shape (batch, [lanes,] size), or without batch if it is a single one."""
            if (at, flat, lanes) not in known:
                view = self._view(at)
                view = view[:, 0] if flat and self.batch == 1 else view
                if lanes:
                    view = view.reshape(*view.shape[:-1], lanes, -1)
                known[at, flat, lanes] = list(view)[::sign]
            return known[at, flat, lanes]

        return views
