"""Calls: a program over a window bound to its arrays, as functions without arguments.

A part of a program that is in bulk is one call for all steps of a block, a loop one
function that makes its calls step by step. Views of arrays are made here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.buffers import Weights, rows_of
from unrollgraph.nn.compiler import Call, Location, call_of, fused
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
