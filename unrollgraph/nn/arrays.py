"""Validation of arrays from users: shapes, types, and values that are not finite."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.lowering import ForwardValues

Array = NDArray[Any]


def plain_array(given: ArrayLike, what: str) -> Array:
    """Return an array; raise `TypeError` for a masked array."""
    if type(given) is np.ndarray:
        return given
    parts = given if isinstance(given, list | tuple) else ()
    if any(isinstance(part, np.ma.MaskedArray) for part in (given, *parts)):
        raise TypeError(
            f"{what} is a masked array, whose mask would be ignored; give its filled() array, and "
            "the steps that count as mask="
        )
    return np.asarray(given)


def find_non_finite(what: str, name: Any, array: Array) -> str | None:
    """Describe the first infinite or NaN value and its place; None if all are finite."""
    if array.dtype.kind != "f":
        return None
    bad = ~np.isfinite(array)
    if not bad.any():
        return None
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    axes = ("step", "sequence", "entry") if array.ndim == 3 else ("step", "entry")
    place = ", ".join(f"{axis} {i}" for axis, i in zip(axes, where, strict=False))
    return f"{what} {name!r} is {array[where]} at {place}"


def check_mapping(what: str, given: Any) -> None:
    """Raise `TypeError` if an argument is not a mapping."""
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{what} must be a mapping from vertices to arrays, not {show_kind(given)}; write "
            "for example {'x': array}"
        )


def vertex_number(graph: DelayGraph, name: Any, what: str) -> int:
    """Number of a vertex; raise `ShapeError` if there is no such vertex."""
    if name not in graph.number:
        raise ShapeError(f"{what}: {name!r} is not a vertex of the network", vertex=name)
    return graph.number[name]


def count_steps(inputs: Mapping[Any, ArrayLike], steps: int | None) -> int:
    """Number of steps of a window, from the inputs or from ``steps``."""
    check_mapping("inputs", inputs)
    found = [np.shape(inputs[name])[:1] for name in inputs]
    if steps is None and not (found and found[0]):
        raise ShapeError("without inputs the number of steps is unknown; give steps")
    try:
        T = int(found[0][0]) if steps is None else operator.index(steps)
    except TypeError:
        raise ShapeError(f"the number of steps must be an integer, not {steps!r}") from None
    if T < 1:
        raise ShapeError(f"a window must have at least one step, not {T}")
    return T


def read_inputs(
    graph: DelayGraph,
    forward: ForwardValues,
    inputs: Mapping[Any, ArrayLike],
    lengths: dict[int, int],
    finite_as: np.dtype[Any] | None,
) -> tuple[dict[int, Array], int | None]:
    """Return inputs of shape ``(copies, batch, size)``, and the batch size or None."""
    check_mapping("inputs", inputs)
    for name in inputs:
        if vertex_number(graph, name, "inputs") not in forward.inputs:
            raise ShapeError(f"inputs: {name!r} is not an input vertex; remove it", vertex=name)
    arrays: dict[int, Array] = {}
    batch: int | None = None
    first = True
    for v, k in forward.inputs.items():
        name, value = graph.vertices[v], forward.values[k]
        if name not in inputs and not lengths[v]:
            continue  # the vertex has no copies
        if name not in inputs:
            raise ShapeError(f"the input of {name!r} is missing", vertex=name)
        array = plain_array(inputs[name], f"the input of {name!r}")
        indices = value.kind == "indices"
        if indices:
            array = _as_indices(name, graph.vertex_data[v]["op"].vocabulary, array)[..., None]
        elif array.dtype.kind not in "fiub":
            raise ShapeError(
                f"the input of {name!r} has dtype {array.dtype}; real numbers are required",
                vertex=name,
            )
        own = array.shape[1] if array.ndim == 3 else None
        if own == 0:
            raise ShapeError(f"the batch of {name!r} is empty", vertex=name)
        if first:
            batch, first = own, False
        expected = (lengths[v], *((batch,) if batch is not None else ()), value.size)
        if array.shape != expected:
            shown = (expected[:-1], array.shape[:-1]) if indices else (expected, array.shape)
            raise ShapeError(
                f"the input of {name!r} has shape {shown[1]}, but {shown[0]} is expected: steps "
                "or copies, then batch (if any), then size (unless indices)",
                vertex=name,
                expected=shown[0],
                found=shown[1],
            )
        if finite_as is not None:
            check_finite(name, array, finite_as)
        arrays[k] = array.reshape(lengths[v], batch or 1, value.size)
    return arrays, batch


def check_finite(name: Any, given: ArrayLike, dtype: np.dtype[Any]) -> None:
    """Raise `ValueError` for the first value that is infinite or NaN in a dtype."""
    with np.errstate(over="ignore"):  # values out of the range of the dtype become infinite
        array = np.asarray(given).astype(dtype)
    if problem := find_non_finite("the value of", name, array):
        raise ValueError(problem)


def _as_indices(name: Any, vocabulary: int, array: Array) -> Array:
    if array.dtype.kind not in "iu":
        raise ShapeError(
            f"the input of {name!r} has dtype {array.dtype}; integers are required", vertex=name
        )
    if array.size and (array.min() < 0 or array.max() >= vocabulary):
        raise ShapeError(
            f"the input of {name!r} has indices from {array.min()} to {array.max()}; they must be "
            f"from 0 to {vocabulary - 1}",
            vertex=name,
        )
    return array


def as_real(what: str, name: Any, given: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Return an array of real numbers for a vertex."""
    array = plain_array(given, f"{what} of {name!r}")
    if array.dtype.kind not in "fiub":
        raise ShapeError(
            f"{what} of {name!r} has dtype {array.dtype}; real numbers are required", vertex=name
        )
    return array.astype(dtype, copy=False)


def as_boundary(
    name: Any,
    array: ArrayLike,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    *,
    batched: bool = True,
) -> Array:
    """Return a boundary value in a shape; the batch axis and the steps are optional."""
    found = as_real("the boundary value", name, array, dtype)
    given = found.shape
    if found.ndim == len(shape) - 1 > 1:
        found = found[:, None]
    if given == shape[-1:] or found.shape in {shape, (*shape[:-2], 1, shape[-1])}:
        return np.broadcast_to(found, shape)
    wanted = shape if batched else (*shape[:-2], shape[-1])
    raise ShapeError(
        f"the boundary value of {name!r} has shape {given}, but {wanted} or "
        f"{shape[-1:]} is expected",
        vertex=name,
        expected=wanted,
        found=given,
    )
