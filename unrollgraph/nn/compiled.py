"""Steps compiled by Numba: the same calls of a loop, as loops over numbers.

At batch 1 and small sizes a call of a NumPy function takes longer than what it computes.
So the calls that `stepping` would write as Python source are written here as source for
Numba, entry by entry::

    def run(steps, batch, first, step, half, one, a0, a1, ..., w0, ...):
        t = first
        for _ in range(steps):
            for b in range(batch):
                for j in range(16):
                    a1[t + 1, b, j] = np.tanh(a0[t, b, j])
            ...
            t += step

Products are sums of scaled rows of the weights. Source is compiled once for each text,
and lengths and batches are arguments, so that a new length compiles nothing. Loops with
operations of a user's own, or whose values run at different clocks, stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.fusion import COLUMNWISE, Call, Location
from unrollgraph.nn.stepping import Layouts

Array = NDArray[Any]

# of the sources a and b, the weight w, or numbers in the precision of the network
EXPRESSIONS = {
    "copy": "{a}",
    "tanh": "np.tanh({a})",
    "tanh slope": "one - {a} * {a}",
    "sigmoid": "half * np.tanh(half * {a}) + half",
    "sigmoid slope": "(one - {a}) * {a}",
    "unit": "half * {a} + half",
    "relu": "{a} if not {a} <= 0 else one - one",
    "relu slope": "one if {a} > 0 else one - one",
    "add": "{a} + {b}",
    "multiply": "{a} * {b}",
    "complement": "one - {a}",
    "negative": "-{a}",
    "bias": "{a} + {w}[{j}]",
}


def must_be_there() -> None:
    """Raise ImportError with what mends it, if Numba is not installed."""
    try:
        import numba  # noqa: F401, PLC0415
    except ImportError as error:
        raise ImportError(
            "the backend 'numba' needs Numba, which is not installed; install "
            "unrollgraph[numba], or take the backend 'numpy'"
        ) from error


def compiled_loop(
    calls: Sequence[Call], arrays: Mapping[int, Array], steps: int, sign: int, weights: Layouts
) -> Callable[[], None] | None:
    """Make one function of all steps of a loop; None if it cannot be compiled."""
    kinds = COLUMNWISE | {"product", "products", "concatenate"}
    if any(call.clock or call.value.kind not in kinds for call in calls):
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
    """The lines of one call, for the member b of the batch at the time t."""

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
    value = EXPRESSIONS[kind].format(**parts, w=weights[0] if weights else "", j=f"m * {own} + j")
    return [
        f"for m in range({call.lanes}):",
        f"    for j in range({own}):",
        f"        {entry(out, f'm * {own} + j')} = {value}",
    ]


@cache
def _compiled(source: str) -> Callable[..., None]:
    """Compile source once; it holds names that are numbered here, and nothing else."""
    import numba  # noqa: PLC0415

    space: dict[str, Any] = {"np": np}
    exec(source, space)
    run: Callable[..., None] = numba.njit(space["run"], error_model="numpy")
    return run
