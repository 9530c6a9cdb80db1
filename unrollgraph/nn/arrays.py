"""Arrays that users give: their shapes, their types, and values that are not finite."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.lowering import ForwardValues

Array = NDArray[Any]


def plain_array(given: ArrayLike, what: str) -> Array:
    """Return an array; `TypeError` for a masked array, whose mask NumPy would drop."""
    if type(given) is np.ndarray:
        return given
    parts = given if isinstance(given, list | tuple) else ()
    if any(isinstance(part, np.ma.MaskedArray) for part in (given, *parts)):
        raise TypeError(
            f"{what} is a masked array, whose mask would be ignored; give its filled() array, and "
            "as mask= which steps count"
        )
    return np.asarray(given)


def find_non_finite(what: str, name: Any, array: Array) -> str | None:
    """Describe the first value that is infinite or NaN, and where it is.

    Parameters
    ----------
    what : str
        Such as "the input of".
    name : object
        The vertex.
    array : ndarray
        Of shape ``(steps, size)`` or ``(steps, sequences, size)``.

    Returns
    -------
    str or None
        None if all values are finite.
    """
    if array.dtype.kind != "f":
        return None
    bad = ~np.isfinite(array)
    if not bad.any():
        return None
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    axes = ("step", "sequence", "entry") if array.ndim == 3 else ("step", "entry")
    place = ", ".join(f"{axis} {i}" for axis, i in zip(axes, where, strict=False))
    return f"{what} {show_vertex(name)} is {array[where]} at {place}"


def check_mapping(what: str, given: Any) -> None:
    """Refuse what does not tell which array belongs to which vertex."""
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{what} a mapping from vertices to arrays, not {show_kind(given)}; write "
            "for example {'x': array}"
        )


def vertex_number(graph: DelayGraph, name: Any, what: str) -> int:
    """The number of a vertex that a caller names; `ShapeError` if there is none."""
    if name not in graph.number:
        raise ShapeError(f"{what} names {name!r}, which is no vertex", vertex=name)
    return graph.number[name]


def count_steps(inputs: Mapping[Any, ArrayLike], steps: int | None) -> int:
    """The number of steps of a window, as inputs tell or as given."""
    check_mapping("inputs are", inputs)
    found = [np.shape(inputs[name])[:1] for name in inputs]
    if steps is None and not (found and found[0]):
        raise ShapeError("the number of steps is told by no input; give steps")
    try:
        T = int(found[0][0]) if steps is None else operator.index(steps)
    except TypeError:
        raise ShapeError(f"the number of steps is an integer, not {steps!r}") from None
    if T < 1:
        raise ShapeError(f"a window has at least one step, not {T}")
    return T


def read_inputs(
    graph: DelayGraph,
    forward: ForwardValues,
    inputs: Mapping[Any, ArrayLike],
    lengths: dict[int, int],
    finite_as: np.dtype[Any] | None,
) -> tuple[dict[int, Array], int | None]:
    """Read inputs as (copies, batch, size); the batch is None where there is no such axis.

    Values that are infinite or NaN in the type ``finite_as`` are rejected, if one is given.
    """
    check_mapping("inputs are", inputs)
    for name in inputs:
        if vertex_number(graph, name, "inputs") not in forward.inputs:
            raise ShapeError(f"{show_vertex(name)} takes no input", vertex=name)
    arrays: dict[int, Array] = {}
    batch: int | None = None
    first = True
    for v, k in forward.inputs.items():
        name, value = graph.vertices[v], forward.values[k]
        if name not in inputs and not lengths[v]:
            continue  # no copy of it anywhere
        if name not in inputs:
            raise ShapeError(f"the input of {show_vertex(name)} is missing", vertex=name)
        array = plain_array(inputs[name], f"the input of {show_vertex(name)}")
        indices = value.kind == "indices"
        if indices:
            array = _as_indices(name, graph.vertex_data[v]["op"].vocabulary, array)[..., None]
        elif array.dtype.kind not in "fiub":
            raise ShapeError(
                f"the input of {show_vertex(name)} holds {array.dtype}, not real numbers",
                vertex=name,
            )
        own = array.shape[1] if array.ndim == 3 else None
        if own == 0:
            raise ShapeError(f"the batch of {show_vertex(name)} is empty", vertex=name)
        if first:
            batch, first = own, False
        expected = (lengths[v], *((batch,) if batch is not None else ()), value.size)
        if array.shape != expected:
            shown = (expected[:-1], array.shape[:-1]) if indices else (expected, array.shape)
            raise ShapeError(
                f"the input of {show_vertex(name)} has shape {shown[1]}, but {shown[0]} is "
                "expected: steps or copies, then batch if there is one, then size",
                vertex=name,
                expected=shown[0],
                found=shown[1],
            )
        if finite_as is not None:
            check_finite(name, array, finite_as)
        arrays[k] = array.reshape(lengths[v], batch or 1, value.size)
    return arrays, batch


def check_finite(name: Any, given: ArrayLike, dtype: np.dtype[Any]) -> None:
    """Raise `ValueError` at the first value that is infinite or NaN in a type."""
    with np.errstate(over="ignore"):  # what the network's precision cannot hold is infinite
        array = np.asarray(given).astype(dtype)
    if problem := find_non_finite("the value of", name, array):
        raise ValueError(problem)


def _as_indices(name: Any, vocabulary: int, array: Array) -> Array:
    if array.dtype.kind not in "iu":
        raise ShapeError(
            f"the input of {show_vertex(name)} holds {array.dtype}, not integers", vertex=name
        )
    if array.size and (array.min() < 0 or array.max() >= vocabulary):
        raise ShapeError(
            f"the input of {show_vertex(name)} goes from {array.min()} to {array.max()}, but "
            f"its vocabulary is 0 to {vocabulary - 1}",
            vertex=name,
        )
    return array


def as_real(what: str, name: Any, given: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Read real numbers that belong to a vertex."""
    array = plain_array(given, f"{what} of {show_vertex(name)}")
    if array.dtype.kind not in "fiub":
        raise ShapeError(
            f"{what} of {show_vertex(name)} holds {array.dtype}, not real numbers", vertex=name
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
    """Read a boundary value of shape (size,), with or without the batch axis."""
    found = as_real("the boundary value", name, array, dtype)
    given = found.shape
    if found.ndim == len(shape) - 1 > 1:
        found = found[:, None]
    if given == shape[-1:] or found.shape in {shape, (*shape[:-2], 1, shape[-1])}:
        return np.broadcast_to(found, shape)
    wanted = shape if batched else (*shape[:-2], shape[-1])
    raise ShapeError(
        f"the boundary value of {show_vertex(name)} has shape {given}, but {wanted} or "
        f"{shape[-1:]} is expected",
        vertex=name,
        expected=wanted,
        found=given,
    )
