"""Arrays that users give: masked arrays are rejected, and values that are not finite are found."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import show_vertex

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
