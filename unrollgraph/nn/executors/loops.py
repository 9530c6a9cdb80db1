"""Source code of loops: NumPy calls for Python, or scalar code for Numba.

At small sizes, a step takes as long as the overhead of its calls in Python, a few hundred
nanoseconds each. A loop is therefore written as source, with one line for each call of a NumPy
function. Arrays that differ between steps are unpacked from one tuple for each step; everything
else is an argument::

    def run(rows, c0, c1, ...):
        for v0, v1, v2, ... in rows:
            c0(v0, c1, v1)
            c2(v1, v2, v1)
            ...

If the values of a loop run at different clocks, the first and last steps omit some calls; such a
loop runs from a list of calls.

At batch size 1 and small sizes, a call of a NumPy function takes longer than its computation. For
Numba, the same calls are written entry by entry::

    def run(steps, batch, first, step, half, one, a0, a1, ..., w0, ...):
        t = first
        for _ in range(steps):
            for b in range(batch):
                for j in range(16):
                    a1[t + 1, b, j] = np.tanh(a0[t, b, j])
            ...
            t += step

Products are sums of scaled rows of the weights. Each source text is compiled once; the numbers of
steps and of batch members are arguments, so it is not compiled again for others. Loops with custom
operations or different clocks are not compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import repeat
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.compiler import Call, Location
from unrollgraph.nn.primitives import TABLE, kernel_of
from unrollgraph.nn.program import Weight

Array = NDArray[Any]
FEW, SHORT = 4, 512  # up to these numbers of lanes and entries, calls for each lane are faster
Name = tuple[str, int]  # of a view such as ("v", 0) or a constant such as ("c", 0)
Series = Callable[[Location, bool, int], list[Array]]


class Layouts(Protocol):
    """Provider of the arrays of parameters."""

    def layout(self, kind: str, weights: tuple[Weight, ...]) -> Array:
        """Return some weights as one array."""


def instruction(call: Call, sources: list[Array], weights: Layouts) -> tuple[Any, list[Array]]:
    """Return the kernel of a call and its arguments without the output."""
    kind = call.value.kind
    arrays = [weights.layout(kind, one) for one in call.weights]
    if kind == "products" and len(sources) == 1:
        return np.matmul, [*sources, *arrays]
    return kernel_of(call.value), [*sources, *arrays]


class _Writer:
    """Collects the calls of a step, with their constants and their views of each step."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.things: dict[str, list[Any]] = {"v": [], "c": []}
        self.lines: list[tuple[int, tuple[Name, ...]]] = []
        self._names: dict[Any, Name] = {}

    def view(self, at: Location, flat: bool, lanes: int = 0) -> Name:
        """Name of the view of a location; a constant if all steps share one view."""
        key = (at, flat, lanes)
        if key not in self._names:
            views = self.series(*key)
            if len(views) > 1 and views[0] is views[-1]:
                return self.constant(views[0])
            self._named(key, "v", views)
        return self._names[key]

    def constant(self, thing: Any) -> Name:
        """Name of an object that is the same in each step."""
        return self._names.get(id(thing)) or self._named(id(thing), "c", thing)

    def _named(self, key: Any, sort: str, thing: Any) -> Name:
        self._names[key] = (sort, len(self.things[sort]))
        self.things[sort].append(thing)
        return self._names[key]

    def write(self, clock: int, function: Any, *names: Name) -> None:
        """Append a call."""
        self.lines.append((clock, (self.constant(function), *names)))


def step_program(calls: Sequence[Call], series: Series, weights: Layouts) -> Callable[[], None]:
    """Return one function that runs all steps of a loop."""
    writer = _Writer(series)
    for call in calls:
        _write(writer, call, weights)
    latest = max(call.clock for call in calls)
    if latest:
        return _listed(writer, latest)
    views, constants = writer.things["v"], writer.things["c"]
    lines = []
    for _, names in writer.lines:
        function, *arguments = (f"{sort}{k}" for sort, k in names)
        lines.append(f"        {function}({', '.join(arguments)})")
    head = [
        f"def run(rows, {', '.join(f'c{k}' for k in range(len(constants)))}):",
        f"    for {', '.join(f'v{k}' for k in range(len(views)))}, in rows:",
    ]
    space: dict[str, Any] = {}
    exec("\n".join(head + lines), space)  # the source has generated names only
    run, rows = space["run"], list(zip(*views, strict=True))
    return lambda: run(rows, *constants)


def _write(writer: _Writer, call: Call, weights: Layouts) -> None:
    """Write a call as calls of NumPy functions."""
    kind = call.value.kind
    flat = TABLE[kind].columnwise or kind in {"product", "products"}
    if any(map(call.is_shared, call.sources)) and _is_short(call, writer):
        for lane in _apart(call):
            _write(writer, lane, weights)
        return
    if any(map(call.is_shared, call.sources)):
        lanes = [1 if call.is_shared(x) else call.lanes for x in (*call.sources, call.out)]
        views = [writer.view(*x) for x in zip((*call.sources, call.out), repeat(flat), lanes)]
        kernel, _ = instruction(call, [], weights)
        writer.write(call.clock, kernel, *views)
        return
    out = writer.view(call.out, flat)
    example = writer.series(call.out, flat, 0)[0]
    sources = [writer.view(source, flat) for source in call.sources]
    if TABLE[kind].recipe:
        operands = {"a": sources[0], "out": out}
        for function, *parts in TABLE[kind].recipe:
            names = [
                operands[x] if x in operands else writer.constant(_number(x, example.dtype))
                for x in parts
            ]
            writer.write(call.clock, function, *names)
        return
    arrays = [writer.series(source, flat, 0)[0] for source in call.sources]
    kernel, given = instruction(call, arrays, weights)
    constants = [writer.constant(array) for array in given[len(arrays) :]]
    if kernel is np.matmul and all(a.flags.c_contiguous for a in (*arrays, example)):
        kernel = np.dot  # np.dot has less overhead
    writer.write(call.clock, kernel, *sources, *constants, out)


def _is_short(call: Call, writer: _Writer) -> bool:
    """Whether one call for each lane is faster than one broadcast call."""
    return call.lanes <= FEW and writer.series(call.out, False, 0)[0].size <= SHORT


def _apart(call: Call) -> list[Call]:
    """Split a call into one call for each lane."""
    width = (call.out.stop - call.out.start) // call.lanes

    def part(at: Location, lane: int) -> Location:
        start = at.start + lane * width
        return at if call.is_shared(at) else at._replace(start=start, stop=start + width)

    return [
        replace(
            call,
            sources=tuple(part(at, lane) for at in call.sources),
            out=part(call.out, lane),
            lanes=1,
        )
        for lane in range(call.lanes)
    ]


_NUMBERS: dict[tuple[float, Any], Array] = {}


def _number(value: float, dtype: Any) -> Array:
    """Return a number as a 0-d array, which NumPy processes faster."""
    return _NUMBERS.setdefault((value, dtype), np.array(value, dtype))


def _listed(writer: _Writer, latest: int) -> Callable[[], None]:
    """Run a loop with different clocks from a list of calls."""
    count = len(writer.things["v"][0])
    steps: list[list[Any]] = [[] for _ in range(count + latest)]
    for clock, names in writer.lines:
        columns = [
            writer.things[sort][k] if sort == "v" else [writer.things[sort][k]] * count
            for sort, k in names
        ]
        for time, call in enumerate(zip(*columns, strict=True)):
            steps[time + clock].append(call)

    def run() -> None:
        for step in steps:
            for kernel, *arguments in step:
                kernel(*arguments)

    return run


def check_numba() -> None:
    """Raise ImportError if Numba is not installed."""
    try:
        import numba  # noqa: F401, PLC0415
    except ImportError as error:
        raise ImportError(
            "backend='numba' requires Numba, which is not installed; install unrollgraph[numba] or "
            "use backend='numpy'"
        ) from error


def compiled_loop(
    calls: Sequence[Call], arrays: Mapping[int, Array], steps: int, sign: int, weights: Layouts
) -> Callable[[], None] | None:
    """Compile all steps of a loop to one function; None if that is not possible."""
    kinds = {call.value.kind for call in calls} - {"product", "products", "concatenate"}
    if any(call.clock for call in calls) or not all(TABLE[kind].expression for kind in kinds):
        return None
    _, batch, _ = arrays[calls[0].out.array].shape
    dtype = arrays[calls[0].out.array].dtype
    names: dict[int, str] = {}
    layouts: list[Array] = []
    lines: list[str] = []
    for call in calls:
        own = [weights.layout(call.value.kind, one) for one in call.weights]
        held = [f"w{len(layouts) + k}" for k in range(len(own))]
        layouts += own
        for at in (*call.sources, call.out):
            names.setdefault(at.array, f"a{len(names)}")
        lines += _written(call, names, held)
    used = [arrays[number] for number in names]
    inner = [f"            {line}" for line in lines]
    parameters = ["steps", "batch", "first", "step", "half", "one", *names.values()]
    parameters += [f"w{k}" for k in range(len(layouts))]
    source = [
        f"def run({', '.join(parameters)}):",
        "    t = first",
        "    for _ in range(steps):",
        "        for b in range(batch):",
        *inner,
        "        t += step",
    ]
    run = _compiled("\n".join(source))
    first = 0 if sign > 0 else steps - 1
    numbers = np.array([0.5, 1], dtype)
    given = (steps, batch, first, sign, *numbers, *used, *layouts)
    return lambda: run(*given)


def _written(call: Call, names: Mapping[int, str], weights: list[str]) -> list[str]:
    """Lines of generated code for one call, for the member b of the batch at time t."""

    def entry(at: Location, index: str) -> str:
        return f"{names[at.array]}[t + {at.shift}, b, {at.start} + {index}]"

    kind, out = call.value.kind, call.out
    width = out.stop - out.start
    if kind in {"product", "products"}:
        lines = [f"for j in range({width}):", f"    {entry(out, 'j')} = 0"]
        for source, weight in zip(call.sources, weights, strict=True):
            lines += [
                f"for k in range({source.stop - source.start}):",
                f"    x = {entry(source, 'k')}",
                f"    for j in range({width}):",
                f"        {entry(out, 'j')} += x * {weight}[k, j]",
            ]
        return lines
    if kind == "concatenate":
        lines, begin = [], 0
        for source in call.sources:
            size = source.stop - source.start
            lines += [
                f"for j in range({size}):",
                f"    {entry(out, f'{begin} + j')} = {entry(source, 'j')}",
            ]
            begin += size
        return lines
    own = width // call.lanes
    parts = {}
    for name, source in zip("ab", call.sources, strict=False):
        shared = call.is_shared(source)
        parts[name] = entry(source, "j" if shared else f"m * {own} + j")
    expression = TABLE[kind].expression
    assert expression is not None
    value = expression.format(**parts, w=weights[0] if weights else "", j=f"m * {own} + j")
    return [
        f"for m in range({call.lanes}):",
        f"    for j in range({own}):",
        f"        {entry(out, f'm * {own} + j')} = {value}",
    ]


@cache
def _compiled(source: str) -> Callable[..., None]:
    """Compile source with Numba, once for each text."""
    import numba  # noqa: PLC0415

    space: dict[str, Any] = {"np": np}
    exec(source, space)
    run: Callable[..., None] = numba.njit(space["run"], error_model="numpy")
    return run
