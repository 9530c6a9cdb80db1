"""When the attributes of two things are the same.

Attributes are whatever their owner wrote: numbers, arrays, NaN, operations. Python compares the
first two in different ways, and NaN with nothing, so it is said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["same_attributes"]


def same_attributes(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two sets of attributes have the same names and values."""
    if one is other:
        return True
    return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    return a is b or bool(a == b) or (a != a and b != b)  # noqa: PLR0124  (not a number)
