"""Steps as Python source: a loop without anything in it but calls.

At small sizes a step costs what its calls cost in Python, a few hundred nanoseconds each.
So a loop is written as source, with one line for each call of a NumPy function, its
arrays unpacked from one tuple for each step and everything else an argument:

    def run(rows, f0, f1, w0, ...):
        for v0, v1, v2, ... in rows:
            f0(v0, w0, v1)
            f1(v1, v2, v1)
            ...

Where values of a loop run at different clocks, some calls are left out in the first and
last steps; such a loop is run from a list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.fusion import COLUMNWISE, Call, Location
from unrollgraph.nn.primitives import kernel_of
from unrollgraph.nn.values import Weight

__all__ = ["instruction", "step_program"]

Array = NDArray[Any]
Instruction = tuple[Callable[..., Any], tuple[Any, ...]]


Series = Callable[[Location, bool, int], list[Array]]


class Layouts(Protocol):
    """Gives the arrays of parameters."""

    def layout(self, kind: str, weights: tuple[Weight, ...]) -> Array:
        """The array of some weights."""


def instruction(call: Call, sources: list[Array], weights: Layouts) -> tuple[Any, list[Array]]:
    """The kernel of a call and its arguments, but for the last, which is written."""
    kind = call.value.kind
    arrays = [weights.layout(kind, one) for one in call.weights]
    if kind == "products" and len(sources) == 1:
        return np.matmul, [*sources, *arrays]
    return kernel_of(call.value), [*sources, *arrays]


class _Writer:
    """Collects the calls of a step: functions of constants and of what is different each step."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.columns: list[list[Array]] = []
        self.constants: list[Any] = []
        self.lines: list[tuple[int, list[str]]] = []
        self._names: dict[Any, str] = {}

    def view(self, at: Location, flat: bool, lanes: int = 0) -> str:
        """Name of the view of a location, a new one in each step."""
        key = (at, flat, lanes)
        if key not in self._names:
            self._names[key] = f"v{len(self.columns)}"
            self.columns.append(self.series(*key))
        return self._names[key]

    def constant(self, thing: Any) -> str:
        """Name of what is the same in each step."""
        if id(thing) not in self._names:
            self._names[id(thing)] = f"c{len(self.constants)}"
            self.constants.append(thing)
        return self._names[id(thing)]

    def write(self, clock: int, function: Any, *names: str) -> None:
        """Append a call."""
        self.lines.append((clock, [self.constant(function), *names]))


def step_program(calls: Sequence[Call], series: Series, weights: Layouts) -> Callable[[], None]:
    """Make one function of all steps of a loop."""
    writer = _Writer(series)
    for call in calls:
        _write(writer, call, weights)
    latest = max(call.clock for call in calls)
    if latest:
        return _listed(writer, latest)
    names = ", ".join(f"c{k}" for k in range(len(writer.constants)))
    views = ", ".join(f"v{k}" for k in range(len(writer.columns)))
    lines = [f"        {name}({', '.join(rest)})" for _, (name, *rest) in writer.lines]
    source = "\n".join([f"def run(rows, {names}):", f"    for {views}, in rows:", *lines])
    space: dict[str, Any] = {}
    exec(source, space)  # made of names that are numbered here, and of nothing else
    run, rows, constants = space["run"], list(zip(*writer.columns, strict=True)), writer.constants
    return lambda: run(rows, *constants)


def _write(writer: _Writer, call: Call, weights: Layouts) -> None:
    """Write a call as calls of NumPy functions."""
    kind = call.value.kind
    flat = kind in COLUMNWISE or kind in {"product", "products"}
    if any(map(call.is_shared, call.sources)):
        lanes = [1 if call.is_shared(x) else call.lanes for x in (*call.sources, call.out)]
        views = [writer.view(*x) for x in zip((*call.sources, call.out), repeat(flat), lanes)]
        kernel, _ = instruction(call, [], weights)
        writer.write(call.clock, kernel, *views)
        return
    out = writer.view(call.out, flat)
    example = writer.series(call.out, flat, 0)[0]
    sources = [writer.view(source, flat) for source in call.sources]
    if kind == "sigmoid":
        half = writer.constant(_number(0.5, example.dtype))
        writer.write(call.clock, np.multiply, *sources, half, out)
        writer.write(call.clock, np.tanh, out, out)
        writer.write(call.clock, np.multiply, out, half, out)
        writer.write(call.clock, np.add, out, half, out)
        return
    if kind == "complement":
        one = writer.constant(_number(1, example.dtype))
        writer.write(call.clock, np.subtract, one, *sources, out)
        return
    arrays = [writer.series(source, flat, 0)[0] for source in call.sources]
    kernel, given = instruction(call, arrays, weights)
    constants = [writer.constant(array) for array in given[len(arrays) :]]
    if kernel is np.matmul and all(a.flags.c_contiguous for a in (*arrays, example)):
        kernel = np.dot  # which takes less time to begin
    writer.write(call.clock, kernel, *sources, *constants, out)


_NUMBERS: dict[tuple[float, Any], Array] = {}


def _number(value: float, dtype: Any) -> Array:
    """A number as an array without axes, which NumPy takes up faster."""
    return _NUMBERS.setdefault((value, dtype), np.array(value, dtype))


def _listed(writer: _Writer, latest: int) -> Callable[[], None]:
    """Run a loop whose values are computed at different clocks from a list of calls."""
    steps: list[list[Any]] = [[] for _ in range(len(writer.columns[0]) + latest)]
    for clock, (function, *names) in writer.lines:
        kernel = writer.constants[int(function[1:])]
        columns = [
            writer.columns[int(name[1:])]
            if name[0] == "v"
            else [writer.constants[int(name[1:])]] * len(writer.columns[0])
            for name in names
        ]
        for time, arguments in enumerate(zip(*columns, strict=True)):
            steps[time + clock].append((kernel, arguments))

    def run() -> None:
        for step in steps:
            for kernel, arguments in step:
                kernel(*arguments)

    return run
