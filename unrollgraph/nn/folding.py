"""Half-folded sigmoids: the gates of a cell are one call of tanh.

A sigmoid is a shifted tanh, ``1/(1 + exp(-a)) = (1 + tanh(a/2))/2``, and NumPy's tanh is
many times quicker than its exponential and a division. Where ``a`` is a sum of products
and a bias that nobody else reads, half of it is the same sum with half the weights. So
over a window a sigmoid is written as a tanh of such a sum and a *unit*, ``(1 + t)/2``,
which is computed in the place of the tanh; and a stack whose gates are sigmoids and tanhs
needs a single call for all of them.

Halves are exact in binary, so that nothing is rounded that was not before. Gradients do
not read what is halved here, and are written for the network as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unrollgraph.nn.values import Ref, Value


def folded(values: Sequence[Value], outputs: int) -> tuple[Value, ...]:
    """Write sigmoids of sums of products by tanh; values keep their numbers, new ones follow.

    The first values, as many as there are outputs, are read from outside and stay whole.
    """
    found = list(values)
    readers = [0] * len(values)
    for value in values:
        for ref in value.args:
            readers[ref.value] += 1
    for y, value in enumerate(values):
        if value.kind != "sigmoid":
            continue
        parts = _summands(values, readers, outputs, value.args[0])
        if parts is None:
            continue
        for k in parts:
            halves = tuple(replace(weight, scale=0.5) for weight in values[k].weights)
            found[k] = replace(values[k], weights=halves)
        found.append(replace(value, kind="tanh"))
        found[y] = replace(value, kind="unit", args=(Ref(len(found) - 1),))
    return tuple(found)


def _summands(
    values: Sequence[Value], readers: Sequence[int], outputs: int, ref: Ref
) -> list[int] | None:
    """The products and biases of which something is the sum; None if it is anything else."""
    value = values[ref.value]
    if ref != Ref(ref.value) or ref.value < outputs or readers[ref.value] > 1:
        return None
    if value.kind == "product":
        return [ref.value]
    if value.kind not in {"add", "bias"}:
        return None
    found = [ref.value] if value.kind == "bias" else []
    for arg in value.args:
        inner = _summands(values, readers, outputs, arg)
        if inner is None:
            return None
        found += inner
    return found
