"""Kernels and adjoint rules of the elementary steps.

A *kernel* takes the arguments, the weights and, last, the output array; most kernels are NumPy
functions. All arrays have shape ``(rows, size)``, and a row of the output depends only on the
same row of the arguments. The same kernel thus computes one time step, all steps at once, or a
level of a general graph.

An *adjoint rule* takes the gradient g of a value and returns, for each argument, a reference to
the term that is added to the gradient of that argument. It appends a new value only if the term
must be computed:

============  =====================  ==========================================
kind          value                  terms
============  =====================  ==========================================
copy          a                      g
tanh          y = tanh(a)            (1 - y^2) g
sigmoid       y = 1/(1 + exp(-a))    y (1 - y) g
relu          y = max(a, 0)          [y > 0] g
add           a + b                  g, g
multiply      a b                    b g, a g
complement    1 - a                  -g
concatenate   (a, b, ...)            the columns of g
product       W a                    W^T g;  weight: g a^T
bias          a + w                  g;      weight: g
embedding     row of W               weight: g at that row
opaque        custom operation       result of its method `adjoint`
============  =====================  ==========================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import ShapeError
from unrollgraph.nn.program import Ref, Value, Values, Weight

Array = NDArray[Any]
Adjoint = Callable[[Values, int, Ref], list[Ref | None]]


@dataclass(frozen=True)
class Row:
    """Kernel and adjoint rule; only kinds to which operations are lowered have a rule."""

    kernel: Callable[..., Any] | None
    adjoint: Adjoint | None = None


# -- kernels that are not NumPy functions ---------------------------------------------

# Sequences of NumPy calls: "a" is the argument, "out" the output.
RECIPES: dict[str, tuple[tuple[Any, ...], ...]] = {
    "sigmoid": (
        (np.multiply, "a", 0.5, "out"),
        (np.tanh, "out", "out"),
        (np.multiply, "out", 0.5, "out"),
        (np.add, "out", 0.5, "out"),
    ),
    "unit": ((np.multiply, "a", 0.5, "out"), (np.add, "out", 0.5, "out")),
    "sigmoid slope": ((np.subtract, 1, "a", "out"), (np.multiply, "a", "out", "out")),
    "tanh slope": ((np.multiply, "a", "a", "out"), (np.subtract, 1, "out", "out")),
    "relu slope": ((np.greater, "a", 0, "out"),),
    "complement": ((np.subtract, 1, "a", "out"),),
}


def _by_recipe(kind: str) -> Callable[..., Any]:
    def kernel(a: Array, out: Array) -> None:
        arrays = {"a": a, "out": out}
        for function, *operands in RECIPES[kind]:
            function(*(arrays.get(operand, operand) for operand in operands))

    return kernel


def _relu(a: Array, out: Array) -> None:
    np.maximum(a, 0, out=out)  # NumPy deprecates a positional out here


def _concatenate(*arrays: Array) -> None:
    *parts, out = arrays
    np.concatenate(parts, axis=-1, out=out)


def _embedding(indices: Array, table: Array, out: Array) -> None:
    np.take(table, indices[:, 0], axis=0, out=out, mode="clip")


def _products(*arrays: Array) -> None:
    *given, out = arrays
    half = len(given) // 2
    np.matmul(given[0], given[half], out)
    for source, factor in zip(given[1:half], given[half + 1 :], strict=True):
        out += source @ factor


# -- adjoint rules ---------------------------------------------------------------------


def _pass(_: Values, __: int, g: Ref) -> list[Ref | None]:
    return [g]


def _by_slope(slope: str) -> Adjoint:
    def rule(values: Values, y: int, g: Ref) -> list[Ref | None]:
        value = values.items[y]
        factor = values.add(value.vertex, value.size, slope, Ref(y))
        return [values.add(value.vertex, value.size, "multiply", g, factor)]

    return rule


def _multiply(values: Values, y: int, g: Ref) -> list[Ref | None]:
    value = values.items[y]
    a, b = value.args
    return [values.add(value.vertex, value.size, "multiply", g, other) for other in (b, a)]


def _negate(values: Values, y: int, g: Ref) -> list[Ref | None]:
    value = values.items[y]
    return [values.add(value.vertex, value.size, "negative", g)]


def _columns(values: Values, y: int, g: Ref) -> list[Ref | None]:
    parts: list[Ref | None] = []
    at = 0
    for ref in values.items[y].args:
        size = values.size_of(ref)
        parts.append(Ref(g.value, columns=(at, at + size)))
        at += size
    return parts


def _product(values: Values, y: int, g: Ref) -> list[Ref | None]:
    value = values.items[y]
    (weight,), (source,) = value.weights, value.args
    back = Weight(weight.name, weight.columns, transposed=True)
    size = values.size_of(source)
    return [values.add(value.vertex, size, "product", g, weights=(back,))]


def _no_gradient(values: Values, y: int, __: Ref) -> list[Ref | None]:
    return [None] * len(values.items[y].args)


def _opaque_adjoint(values: Values, y: int, g: Ref) -> list[Ref | None]:
    """Return the gradients of a custom operation as columns of one value."""
    value = values.items[y]
    sizes = [values.size_of(ref) for ref in value.args]
    if not sizes:
        return []
    together = values.add(
        value.vertex,
        sum(sizes),
        "opaque back",
        g,
        Ref(y),
        *value.args,
        weights=value.weights,
        extra=value.extra,
    )
    parts: list[Ref | None] = []
    at = 0
    for size in sizes:
        parts.append(Ref(together.value, columns=(at, at + size)))
        at += size
    return parts


TABLE: dict[str, Row] = {
    "input": Row(None, _no_gradient),
    "indices": Row(None, _no_gradient),
    "constant": Row(None, _no_gradient),
    "external": Row(None),
    "copy": Row(np.positive, _pass),
    "tanh": Row(np.tanh, _by_slope("tanh slope")),
    "tanh slope": Row(_by_recipe("tanh slope")),
    "sigmoid": Row(_by_recipe("sigmoid"), _by_slope("sigmoid slope")),
    "sigmoid slope": Row(_by_recipe("sigmoid slope")),
    "unit": Row(_by_recipe("unit")),
    "relu": Row(_relu, _by_slope("relu slope")),
    "relu slope": Row(_by_recipe("relu slope")),
    "add": Row(np.add, lambda _, __, g: [g, g]),
    "multiply": Row(np.multiply, _multiply),
    "complement": Row(_by_recipe("complement"), _negate),
    "negative": Row(np.negative),
    "concatenate": Row(_concatenate, _columns),
    "product": Row(np.matmul, _product),
    "bias": Row(np.add, _pass),
    "embedding": Row(_embedding, _no_gradient),
    "opaque": Row(None, _opaque_adjoint),
    "opaque back": Row(None),
    "products": Row(_products),
}


def opaque_parts(value: Value) -> tuple[Any, list[str]]:
    """Custom operation of an opaque value, and its parameter names."""
    return value.extra, [weight.name.rpartition(".")[2] for weight in value.weights]


def read_only(array: Array) -> Array:
    """Return a read-only view of an array, for custom operations."""
    view = array.view()
    view.flags.writeable = False
    return view


def _check_has(array: Array, shape: tuple[int, ...], who: str) -> None:
    if np.shape(array) != shape:
        raise ShapeError(
            f"{who} returned an array of shape {np.shape(array)}, but must return shape {shape}",
            expected=shape,
            found=np.shape(array),
        )


def kernel_of(value: Value) -> Callable[..., Any]:
    """Return the kernel of a value; for a custom operation, wrap its methods."""
    row = TABLE[value.kind]
    if row.kernel is not None:
        return row.kernel
    op, names = opaque_parts(value)
    count = len(names)

    def forward(*arrays: Array) -> None:
        out = arrays[-1]
        sources = list(map(read_only, arrays[:-1]))
        weights = sources[len(sources) - count :] if count else []
        sources = sources[: len(sources) - count]
        result = op.forward(sources, dict(zip(names, weights, strict=True)))
        _check_has(result, out.shape, f"{type(op).__name__}.forward")
        out[...] = result

    def back(*arrays: Array) -> None:
        g, y, *sources = map(read_only, arrays[:-1])
        out = arrays[-1]
        weights = sources[len(sources) - count :] if count else []
        sources = sources[: len(sources) - count]
        gradients, _ = op.adjoint(g, y, sources, dict(zip(names, weights, strict=True)))
        if len(gradients) != len(sources):
            raise ShapeError(
                f"{type(op).__name__}.adjoint returned {len(gradients)} gradients for "
                f"{len(sources)} sources; return one gradient for each source"
            )
        for gradient, source in zip(gradients, sources, strict=True):
            _check_has(gradient, source.shape, f"{type(op).__name__}.adjoint")
        np.concatenate(gradients, axis=-1, out=out, casting="same_kind")

    return forward if value.kind == "opaque" else back
