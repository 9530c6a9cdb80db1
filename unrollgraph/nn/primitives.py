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
activation    y = f(a)               f'(a) g
softmax       y = exp(a) / sum       y (g - <g, y>)
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

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import ShapeError, show_kind
from unrollgraph.nn.program import Ref, Value, Values, Weight

Array = NDArray[Any]
Adjoint = Callable[[Values, int, Ref], list[Ref | None]]


Recipe = tuple[tuple[Any, ...], ...]  # NumPy calls; "a" is the argument, "out" the output


@dataclass(frozen=True)
class Row:
    """Everything that is known of a kind of value.

    Attributes
    ----------
    kernel : callable or None
        Computes the value; None for given values and custom operations.
    adjoint : callable or None
        The adjoint rule; only kinds to which operations are lowered have one.
    columnwise : bool
        Whether each column is computed from the same column of the arguments.
    in_place : bool
        Whether the output may be the array of an argument.
    recipe : tuple
        The same as the kernel, as NumPy calls.
    expression : str or None
        An entry in generated code, from ``{a}``, ``{b}`` and ``{w}[{j}]``, and from ``one`` and
        ``half`` in the dtype of the network.
    formula : str or None
        The value in SymPy, from ``a``; for activations only.
    """

    kernel: Callable[..., Any] | None
    adjoint: Adjoint | None = None
    columnwise: bool = False
    in_place: bool = False
    recipe: Recipe = ()
    expression: str | None = None
    formula: str | None = None


# -- kernels that are not NumPy functions ---------------------------------------------


def _by_recipe(recipe: Recipe) -> Callable[..., Any]:
    def kernel(a: Array, out: Array) -> None:
        arrays = {"a": a, "out": out}
        for function, *operands in recipe:
            function(*(arrays.get(x, x) if isinstance(x, str) else x for x in operands))

    return kernel


def _relu(a: Array, out: Array) -> None:
    np.maximum(a, 0, out=out)  # NumPy deprecates a positional out here


def _written(function: Callable[[Array], Array]) -> Callable[..., Any]:
    """Kernel of a function that returns a new array."""

    def kernel(a: Array, out: Array) -> None:
        out[...] = function(read_only(a))

    return kernel


def _elu(a: Array) -> Array:
    found: Array = np.where(a > 0, a, np.expm1(np.minimum(a, 0)))
    return found


def _phi(a: Array) -> Array:
    """The normal distribution function."""
    from scipy.special import ndtr  # noqa: PLC0415  (heavy: loaded on first use)

    found: Array = ndtr(a)
    return found


def _gelu_slope(a: Array) -> Array:
    density = np.exp(-0.5 * np.square(np.clip(a, -40, 40))) / math.sqrt(2 * math.pi)
    slope: Array = _phi(a) + a * density
    return slope


def _silu_slope(a: Array) -> Array:
    s = 0.5 + 0.5 * np.tanh(0.5 * a)
    slope: Array = s * (1 + a * (1 - s))
    return slope


def _softmax(a: Array, out: Array) -> None:
    np.exp(a - a.max(axis=-1, keepdims=True), out=out)
    out /= out.sum(axis=-1, keepdims=True)


def _softmax_back(g: Array, y: Array, out: Array) -> None:
    np.multiply(y, g - (g * y).sum(axis=-1, keepdims=True), out=out)


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


def _by_slope(slope: str, *, of_argument: bool = False) -> Adjoint:
    """Rule of an elementwise function, whose slope is found from its value or its argument."""

    def rule(values: Values, y: int, g: Ref) -> list[Ref | None]:
        value = values.items[y]
        source = value.args[0] if of_argument else Ref(y)
        factor = values.add(value.vertex, value.size, slope, source)
        return [values.add(value.vertex, value.size, "multiply", g, factor)]

    return rule


def _softmax_rule(values: Values, y: int, g: Ref) -> list[Ref | None]:
    value = values.items[y]
    return [values.add(value.vertex, value.size, "softmax back", g, Ref(y))]


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


def _columnwise(
    kernel: Callable[..., Any] | Recipe,
    expression: str | None = None,
    adjoint: Adjoint | None = None,
    **more: Any,
) -> Row:
    if isinstance(kernel, tuple):
        return Row(_by_recipe(kernel), adjoint, True, recipe=kernel, expression=expression, **more)
    return Row(kernel, adjoint, True, expression=expression, **more)


_SIGMOID: Recipe = (
    (np.multiply, "a", 0.5, "out"),
    (np.tanh, "out", "out"),
    (np.multiply, "out", 0.5, "out"),
    (np.add, "out", 0.5, "out"),
)

TABLE: dict[str, Row] = {
    "input": Row(None, _no_gradient),
    "indices": Row(None, _no_gradient),
    "constant": Row(None, _no_gradient),
    "external": Row(None),
    "copy": _columnwise(np.positive, "{a}", _pass, formula="a"),
    "unit": _columnwise(
        ((np.multiply, "a", 0.5, "out"), (np.add, "out", 0.5, "out")), "half * {a} + half"
    ),
    "add": _columnwise(np.add, "{a} + {b}", lambda _, __, g: [g, g], in_place=True),
    "multiply": _columnwise(np.multiply, "{a} * {b}", _multiply, in_place=True),
    "complement": _columnwise(
        ((np.subtract, 1, "a", "out"),), "one - {a}", _negate, in_place=True, formula="1 - a"
    ),
    # not np.negative, which NumPy 2.4 computes wrongly for some strides
    "negative": _columnwise(((np.multiply, "a", -1, "out"),), "-{a}", in_place=True),
    "bias": _columnwise(np.add, "{a} + {w}[{j}]", _pass, in_place=True),
    "concatenate": Row(_concatenate, _columns),
    "product": Row(np.matmul, _product),
    "products": Row(_products),
    "embedding": Row(_embedding, _no_gradient),
    "softmax": Row(_softmax, _softmax_rule),
    "softmax back": Row(_softmax_back),
    "opaque": Row(None, _opaque_adjoint),
    "opaque back": Row(None),
}


# -- activations ------------------------------------------------------------------------

ACTIVATIONS: list[str] = ["linear", "softmax"]  # in the order in which they are listed to users


def _activation(
    name: str,
    value: tuple[Any, str | None],
    slope: tuple[Any, str | None],
    formula: str | None = None,
    *,
    of_argument: bool = False,
    in_place: bool = False,
) -> None:
    """Add an elementwise function and its slope, each a kernel and an expression."""
    rule = _by_slope(f"{name} slope", of_argument=of_argument)
    TABLE[name] = _columnwise(*value, rule, in_place=in_place, formula=formula)
    TABLE[f"{name} slope"] = _columnwise(*slope)
    ACTIVATIONS.insert(-2, name)


_activation(
    "tanh",
    (np.tanh, "np.tanh({a})"),
    (((np.multiply, "a", "a", "out"), (np.subtract, 1, "out", "out")), "one - {a} * {a}"),
    "tanh(a)",
    in_place=True,
)
_activation(
    "sigmoid",
    (_SIGMOID, "half * np.tanh(half * {a}) + half"),
    (((np.subtract, 1, "a", "out"), (np.multiply, "a", "out", "out")), "(one - {a}) * {a}"),
    "(1 + tanh(a / 2)) / 2",  # SymPy would expand the argument of exp
    in_place=True,
)
_activation(
    "relu",
    (_relu, "{a} if not {a} <= 0 else one - one"),
    (((np.greater, "a", 0, "out"),), "one if {a} > 0 else one - one"),
    "relu(a)",
    in_place=True,
)
_activation(
    "leaky_relu",
    (_written(lambda a: np.maximum(a, 0.01 * a)), None),
    (_written(lambda y: np.where(y > 0, 1, 0.01)), None),
    "a / 100 + 99 * relu(a) / 100",
)
_activation(
    "elu",
    (_written(_elu), None),
    (_written(lambda y: np.where(y > 0, 1, y + 1)), None),
    "relu(a) + exp(a - relu(a)) - 1",
)
_activation(
    "gelu",
    (_written(lambda a: a * _phi(a)), None),
    (_written(_gelu_slope), None),
    "a * (1 + erf(a / sqrt(2))) / 2",
    of_argument=True,
)
_activation(
    "silu",
    ((*_SIGMOID, (np.multiply, "a", "out", "out")), None),
    (_written(_silu_slope), None),
    "a * (1 + tanh(a / 2)) / 2",
    of_argument=True,
)
_activation(
    "softplus",
    (_written(lambda a: np.logaddexp(a, 0)), None),
    (_written(lambda y: -np.expm1(-y)), None),
    "log(1 + exp(a))",
)
_activation("sin", (np.sin, "np.sin({a})"), (np.cos, "np.cos({a})"), "sin(a)", of_argument=True)
_activation("exp", (np.exp, "np.exp({a})"), (np.positive, "{a}"), "exp(a)", in_place=True)
_activation(
    "abs",
    (np.abs, "abs({a})"),
    (np.sign, "np.sign({a})"),
    "relu(a) + relu(-a)",
    of_argument=True,
)
_activation(
    "square",
    (np.square, "{a} * {a}"),
    (((np.multiply, "a", 2, "out"),), "{a} + {a}"),
    "a**2",
    of_argument=True,
)


BUILT_IN = tuple(ACTIVATIONS)


def register_activation(
    name: str, function: Callable[[Array], Array], derivative: Callable[[Array], Array]
) -> None:
    """Add an elementwise activation, for this session, under a name.

    Parameters
    ----------
    name : str
        The name, for ``nn.Dense(3, name)`` and ``nn.Activation(name)``.
    function : callable
        Returns the values for an array of arguments, elementwise.
    derivative : callable
        Returns the derivative of ``function`` for an array of arguments.

    Raises
    ------
    ValueError
        If the name is not an identifier, or is taken already.
    TypeError
        If ``function`` or ``derivative`` cannot be called.

    Notes
    -----
    A file with a saved network has only the name: register the activation before loading it.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> nn.register_activation("gaussian", lambda a: np.exp(-a * a),
    ...                        lambda a: -2 * a * np.exp(-a * a))
    >>> nn.Dense(3, "gaussian")
    Dense(size=3, activation='gaussian', bias=True, combine='concat')
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f"the name of an activation must be an identifier, not {name!r}")
    if name in TABLE or name in ACTIVATIONS:
        raise ValueError(f"the name {name!r} is taken; choose another name")
    for what, given in (("function", function), ("derivative", derivative)):
        if not callable(given):
            raise TypeError(f"{what} must be callable, not {show_kind(given)}")
    kernels = _written(function), _written(derivative)
    _activation(name, (kernels[0], None), (kernels[1], None), of_argument=True)


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
