"""When the attributes of two things are the same.

Attributes are whatever their owner wrote: numbers, arrays, NaN, operations, and containers of
those. Python compares arrays entry by entry, and NaN with nothing, so it is said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def same_attributes(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two sets of attributes have the same names and values."""
    if one is other:
        return True
    return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)


def _equal(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if type(a) is not type(b) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype == object:
            return all(map(_equal, a.ravel(), b.ravel()))
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM"))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return same_attributes(a, b)
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b) or (a != a and b != b)  # noqa: PLR0124  (not a number)
