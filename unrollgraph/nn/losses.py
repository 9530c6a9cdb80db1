"""Losses: numbers to be made small, and their gradients.

A loss compares the values of some vertices with targets, and is a mean over all their
entries; so that it can be taken segment by segment, it is written as a sum divided by
the number of entries of the whole.

====  =========================  =====================
name  of an entry                gradient of an entry
====  =========================  =====================
mse   (y - target)^2             2 (y - target)
====  =========================  =====================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOSSES", "loss_called"]

Array = NDArray[Any]
Loss = Callable[[Array, Array], tuple[float, Array]]


def _mse(values: Array, targets: Array) -> tuple[float, Array]:
    difference = values - targets
    total = float(np.square(difference).sum(dtype=np.float64))
    difference *= 2
    return total, difference


LOSSES: dict[str, Loss] = {"mse": _mse}


def loss_called(name: str) -> Loss:
    """Return the sum over the entries of a loss, and its gradient by the values.

    Raises
    ------
    ValueError
        If there is no such loss.
    """
    if name not in LOSSES:
        known = ", ".join(map(repr, LOSSES))
        raise ValueError(f"there is no loss {name!r}; there is {known}")
    return LOSSES[name]
