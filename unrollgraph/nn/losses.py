"""Losses: numbers to be made small, and their gradients.

A loss compares the values y of some vertices with targets t, and is a mean over what counts;
so that it can be taken segment by segment, or by several processes, it is written as a sum
divided by the number of terms of the whole. A mask gives each step of each sequence a weight,
0 or 1 or anything between and beyond: then the sum is weighted, and divided by the sum of the
weights.

====================  ==============================  ====================  ===================
name                  of an entry, or of a vector     gradient              a target is
====================  ==============================  ====================  ===================
mse                   (y - t)^2                       2 (y - t)             a number
binary_cross_entropy  log(1 + e^y) - t y              sigmoid(y) - t        a share, 0 to 1
cross_entropy         log(sum of e^y) - y[t]          softmax(y) - e_t      a class, 0 to size-1
====================  ==============================  ====================  ===================

The values of the last two are *logits*: the vertex that is compared is linear, and sigmoid or
softmax is part of the loss, where it can be computed without overflow. The first two are taken
entry by entry and are means over all entries; `cross_entropy` is taken vector by vector, its
targets are integers without the axis of the size, and it is a mean over steps and sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import ShapeError, show_vertex

Array = NDArray[Any]


@dataclass(frozen=True)
class Loss:
    """A loss.

    Attributes
    ----------
    summed : callable
        From values of shape ``(..., size)``, targets and weights of shape ``(..., 1)``, or
        None for weights that are all 1, the weighted sum and its gradient by the values.
    of_classes : bool
        Whether a target is one integer for a whole vector.
    refuses : callable
        Why targets for vectors of a size will not do; the empty word if they will.
    """

    summed: Callable[[Array, Array, Array | None], tuple[float, Array]]
    of_classes: bool
    refuses: Callable[[Array, int], str]

    def checked(self, name: Any, targets: Array, size: int) -> Array:
        """Targets of a vertex whose values are vectors of a size; `ShapeError` if they are none."""
        why = self.refuses(targets, size) if targets.size else ""
        if why:
            raise ShapeError(f"the target of {show_vertex(name)} {why}", vertex=name)
        return targets

    def shape(self, values: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of targets for values of a shape."""
        return values[:-1] if self.of_classes else values

    def terms(self, size: int) -> int:
        """How many terms a vector of a size has in the sum."""
        return 1 if self.of_classes else size


def _mse(values: Array, targets: Array, weights: Array | None) -> tuple[float, Array]:
    difference = values - targets
    squares = np.square(difference)
    difference *= 2
    return _weighted(squares, difference, weights)


def _binary(values: Array, targets: Array, weights: Array | None) -> tuple[float, Array]:
    losses = np.logaddexp(0, values) - targets * values
    # the sigmoids of y and -y, each to full precision where it is small
    above, below = (np.exp(-np.logaddexp(0, x)) for x in (-values, values))
    gradient = (1 - targets) * above - targets * below
    return _weighted(losses, gradient, weights)


def _classes(values: Array, targets: Array, weights: Array | None) -> tuple[float, Array]:
    shifted = values - values.max(axis=-1, keepdims=True)
    gradient = np.exp(shifted)
    totals = gradient.sum(axis=-1, keepdims=True)
    chosen = targets[..., None]
    losses = np.log(totals) - np.take_along_axis(shifted, chosen, axis=-1)
    gradient /= totals
    hit = np.take_along_axis(gradient, chosen, axis=-1) - 1
    np.put_along_axis(gradient, chosen, hit, axis=-1)
    return _weighted(losses, gradient, weights)


def _weighted(losses: Array, gradient: Array, weights: Array | None) -> tuple[float, Array]:
    if weights is not None:  # where nothing counts, values may be infinite
        losses = np.where(weights > 0, losses * weights, 0)
        gradient = np.where(weights > 0, gradient * weights, 0)
    return float(losses.sum(dtype=np.float64)), gradient.astype(gradient.dtype, copy=False)


def _no_numbers(targets: Array, _: int) -> str:
    if targets.dtype.kind not in "fiub":
        return f"holds {targets.dtype}, not real numbers"
    return ""


def _no_shares(targets: Array, size: int) -> str:
    why = _no_numbers(targets, size)
    if not why and not (targets.min() >= 0 and targets.max() <= 1):
        return f"goes from {targets.min()} to {targets.max()}, but a share is from 0 to 1"
    return why


def _no_classes(targets: Array, size: int) -> str:
    if targets.dtype.kind not in "iu":
        return f"holds {targets.dtype}, but classes are integers"
    if targets.min() < 0 or targets.max() >= size:
        return f"goes from {targets.min()} to {targets.max()}, but its classes are 0 to {size - 1}"
    return ""


LOSSES: dict[str, Loss] = {
    "mse": Loss(_mse, False, _no_numbers),
    "binary_cross_entropy": Loss(_binary, False, _no_shares),
    "cross_entropy": Loss(_classes, True, _no_classes),
}


def loss_called(name: str) -> Loss:
    """Return a loss.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if not isinstance(name, str) or name not in LOSSES:
        known = ", ".join(map(repr, LOSSES))
        raise ValueError(f"there is no loss {name!r}; there is {known}")
    return LOSSES[name]
