"""Losses over sequences, and their gradients.

A loss compares the values y of a vertex with targets t. ``mse`` and ``binary_cross_entropy`` are
means over all entries. ``cross_entropy`` is a mean over all vectors; its targets are class indices,
without the axis of the size.

====================  =========================  ====================  ======================
name                  term                       gradient              target
====================  =========================  ====================  ======================
mse                   (y - t)^2                  2 (y - t)             real number
binary_cross_entropy  log(1 + e^y) - t y         sigmoid(y) - t        number from 0 to 1
cross_entropy         log(sum of e^y) - y[t]     softmax(y) - e_t      integer, 0 to size - 1
====================  =========================  ====================  ======================

For the last two, y are *logits*: the vertex should have a linear activation, because the loss
includes the sigmoid or softmax and computes it without overflow. A mask gives each step of each
sequence a weight >= 0; the loss is then the weighted mean.

A loss is computed as a sum divided by the number of terms (with a mask: by the sum of their
weights) of all sequences. A `Task` can therefore add it up over segments of a window and over
shards of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError
from unrollgraph.nn.arrays import check_mapping, find_non_finite, plain_array

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network, Run


Array = NDArray[Any]


@dataclass(frozen=True)
class Loss:
    """Definition of a loss, with checks of its targets."""

    # weighted sum and gradient, from values, targets and weights of shape (..., 1) or None for ones
    summed: Callable[[Array, Array, Array | None], tuple[float, Array]]
    of_classes: bool  # whether a target is one class index for a vector
    refuses: Callable[[Array, int], str]  # why targets for vectors of a size are invalid, or ""

    def checked(self, name: Any, targets: Array, size: int) -> Array:
        """Return the targets of a vertex; raise `ShapeError` if they are invalid."""
        why = self.refuses(targets, size) if targets.size else ""
        if why:
            raise ShapeError(f"the target of {name!r} {why}", vertex=name)
        return targets

    def shape(self, values: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of targets for values of a given shape."""
        return values[:-1] if self.of_classes else values

    def terms(self, size: int) -> int:
        """Number of terms for one vector of a given size."""
        return 1 if self.of_classes else size


def _mse(values: Array, targets: Array, weights: Array | None) -> tuple[float, Array]:
    difference = values - targets
    squares = np.square(difference)
    difference *= 2
    return _weighted(squares, difference, weights)


def _binary(values: Array, targets: Array, weights: Array | None) -> tuple[float, Array]:
    losses = np.logaddexp(0, values) - targets * values
    # sigmoid(y) and sigmoid(-y), each accurate where it is small
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
    if weights is not None:  # values of weight 0 may be infinite or NaN
        losses = np.where(weights > 0, losses * weights, 0)
        gradient = np.where(weights > 0, gradient * weights, 0)
    return float(losses.sum(dtype=np.float64)), gradient.astype(gradient.dtype, copy=False)


def _no_numbers(targets: Array, _: int) -> str:
    if targets.dtype.kind not in "fiub":
        return f"has dtype {targets.dtype}; real numbers are required"
    return ""


def _no_shares(targets: Array, size: int) -> str:
    why = _no_numbers(targets, size)
    if not why and not (targets.min() >= 0 and targets.max() <= 1):
        return f"has values from {targets.min()} to {targets.max()}; they must be from 0 to 1"
    return why


def _no_classes(targets: Array, size: int) -> str:
    if targets.dtype.kind not in "iu":
        return f"has dtype {targets.dtype}; class indices must be integers"
    if targets.min() < 0 or targets.max() >= size:
        return (
            f"has class indices from {targets.min()} to {targets.max()}; they must be from 0 to "
            f"{size - 1}"
        )
    return ""


LOSSES: dict[str, Loss] = {
    "mse": Loss(_mse, False, _no_numbers),
    "binary_cross_entropy": Loss(_binary, False, _no_shares),
    "cross_entropy": Loss(_classes, True, _no_classes),
}


def loss_called(name: str) -> Loss:
    """Return the loss of a name; raise `ValueError` if there is no such loss."""
    if not isinstance(name, str) or name not in LOSSES:
        known = ", ".join(map(repr, LOSSES))
        raise ValueError(f"unknown loss {name!r}; use one of {known}")
    return LOSSES[name]


class LossAndGradients(NamedTuple):
    """A loss, and its gradient with respect to each parameter by name."""

    loss: float
    parameters: dict[str, Array]


class Task:
    """A network with inputs and targets, and the loss and gradient that are added up.

    ``counts`` has for each vertex with targets the number of terms, or the sum of their weights.
    """

    def __init__(
        self,
        net: Network,
        inputs: Mapping[Any, ArrayLike],
        targets: Mapping[Any, ArrayLike],
        loss: str,
        *,
        mask: ArrayLike | None = None,
        over: Any = None,
    ) -> None:
        check_mapping("inputs", inputs)
        check_mapping("targets", targets)
        self.net, self.loss, self.over = net, loss_called(loss), over
        self.inputs = {
            name: plain_array(array, f"the input of {name!r}") for name, array in inputs.items()
        }
        if not targets:
            raise ValueError("targets is empty; give targets of at least one vertex")
        self.targets: dict[Any, Array] = {}
        arrays = {
            name: plain_array(array, f"the target of {name!r}") for name, array in targets.items()
        }
        named = [*self.inputs.items(), *arrays.items()]
        lengths = {len(array) if array.ndim else 0 for _, array in named}
        if len(lengths) > 1 and over is None:
            shown = ", ".join(f"{array.shape} of {name!r}" for name, array in named)
            raise ShapeError(
                f"inputs and targets have different numbers of steps: the shapes are {shown}; give "
                "arrays of the same length"
            )
        self.steps = lengths.pop() if over is None else 0
        self._weights: dict[Any, Array] = {}
        self.counts: dict[Any, float] = {}
        for name, array in arrays.items():
            size = net.size(name, "targets")
            target, lead = array, array.shape if self.loss.of_classes else array.shape[:-1]
            counted: float = math.prod(lead)
            if mask is not None:
                weights = _weights(mask, lead)
                counted = float(weights.sum())
                self._weights[name] = weights
                counting = (weights[..., 0] if self.loss.of_classes else weights) > 0
                # targets of weight 0 may be invalid
                target = np.where(counting, array, np.zeros((), array.dtype))
            self.targets[name] = self.loss.checked(name, target, size)
            self.counts[name] = counted * self.loss.terms(size)
        self.value = 0.0
        self.gradients: dict[str, Array] = {}
        if mask is not None:
            counts = next(iter(self._weights.values()))[..., 0] > 0
            if over is None or is_window(over):
                check_ends(net, counts)
                unread = ~_steps_read(net, counts)
                self.inputs = {name: _cleared(x, unread) for name, x in self.inputs.items()}
            self._clear_what_does_not_count()

    def run(self, start: int, stop: int, state: Mapping[Any, ArrayLike]) -> Run:
        """Run forward over the steps from ``start`` to ``stop``, or over another graph."""
        if self.over is not None:
            return self.net.forward(self.inputs, self.over, state)
        inputs = {name: array[start:stop] for name, array in self.inputs.items()}
        return self.net.forward(inputs, initial=state, steps=stop - start)

    def compare(self, run: Run, stop: int, losses: int | None = None) -> dict[Any, Array]:
        """Add the loss of a run and return its gradients by vertex; see `back`."""
        return {name: self._compared(run, name, stop, losses) for name in self.targets}

    def back(
        self, run: Run, stop: int, carried: Mapping[Any, Array] | None, *, losses: int | None = None
    ) -> dict[Any, Array]:
        """Add the loss and the gradient of a run that ends before step ``stop``.

        ``losses`` is the number of its last steps that are compared (default: all). ``carried`` has
        the gradients with respect to the state at its end; if it is given, those with respect to
        the state at its start are returned.
        """
        given = self.compare(run, stop, losses)
        for name, gradient in (carried or {}).items():
            if name not in given:
                given[name] = np.zeros_like(run.read(name))
            inside = min(run.steps, len(gradient))
            given[name][run.steps - inside :] += gradient[len(gradient) - inside :]
        gradients = run.backward(given, to_state=carried is not None)
        for name, gradient in gradients.parameters.items():
            if name in self.gradients:
                self.gradients[name] += gradient
            else:
                self.gradients[name] = gradient.copy()
        if carried is None:
            return {}
        before = gradients.initial
        for name, gradient in carried.items():
            if len(gradient) > run.steps:  # some of its steps precede this run
                before[name][run.steps :] += gradient[: len(gradient) - run.steps]
        return before

    def _compared(self, run: Run, name: Any, stop: int, losses: int | None) -> Array:
        values = run.read(name)
        n = len(values)
        count = n if losses is None else losses
        targets = self.targets[name]
        expected = self.loss.shape((self.steps or n, *values.shape[1:]))
        if targets.shape != expected:
            wanted = (
                f"class indices of shape {expected} are required"
                if self.loss.of_classes
                else f"its values have shape {expected}"
            )
            raise ShapeError(
                f"the target of {name!r} has shape {targets.shape}, but {wanted}",
                vertex=name,
                expected=expected,
                found=targets.shape,
            )
        part = slice(stop - count, stop) if self.over is None else slice(None)
        compared = targets[part]
        if not self.loss.of_classes:
            compared = np.asarray(compared, values.dtype)
        weights = self._weights.get(name)
        if weights is not None:
            weights = weights[part].astype(values.dtype)
        total, gradient = self.loss.summed(values[n - count :], compared, weights)
        self.value += total / self.counts[name]
        given: Array = np.zeros_like(values) if count < n else np.empty_like(values)
        np.divide(gradient, self.counts[name], out=given[n - count :], casting="same_kind")
        return given

    def _clear_what_does_not_count(self) -> None:
        """Set inputs that are NaN or infinite to 0 if the loss does not depend on them."""
        odd = {k: ~np.isfinite(x) for k, x in self.inputs.items() if x.dtype.kind == "f"}
        odd = {name: where for name, where in odd.items() if where.any()}
        if not odd:
            return
        # their products with zero gradients would be NaN; the loss does not depend on them if it is
        # finite with NaN in their place and the same with 0 (an operation may map NaN to a number)
        given = self.inputs
        spoilt, cleared = (
            given | {name: np.where(where, x, given[name]) for name, where in odd.items()}
            for x in (np.nan, 0)
        )
        with np.errstate(invalid="ignore"):
            free = math.isfinite(self._loss_of(spoilt)) and self._loss_of(given) == self._loss_of(
                cleared
            )
        self.inputs = cleared if free else given

    def _loss_of(self, inputs: Mapping[Any, Array]) -> float:
        """Compute the loss for other inputs."""
        self.inputs = dict(inputs)
        self.compare(self.run(0, self.steps, {}), self.steps)
        value, self.value = self.value, 0.0
        return value

    def non_finite(self) -> str | None:
        """Describe the first input or target that counts and is infinite or NaN, if any."""
        for what, arrays in (("input", self.inputs), ("target", self.targets)):
            for name, array in arrays.items():
                if found := find_non_finite(f"the {what} of", name, array):
                    return found
        return None

    def result(self) -> LossAndGradients:
        """Return the loss and the gradient so far."""
        return LossAndGradients(self.value, self.gradients)


def _weights(mask: ArrayLike, lead: tuple[int, ...]) -> Array:
    """Return a mask as weights of shape ``(*lead, 1)``."""
    array = plain_array(mask, "the mask")
    if array.dtype.kind not in "fiub":
        raise ShapeError(f"the mask has dtype {array.dtype}; booleans or weights are required")
    if array.shape not in {lead, lead[:1]}:
        wanted = f"{lead} or {lead[:1]}" if len(lead) > 1 else f"{lead}"
        raise ShapeError(
            f"the mask has shape {array.shape}, but {wanted} is expected: steps, then batch",
            expected=lead,
            found=array.shape,
        )
    array = array.astype(np.float64)
    if not (np.isfinite(array).all() and array.min(initial=0) >= 0):
        raise ValueError("the mask has weights that are negative or not finite; they must be >= 0")
    array = np.broadcast_to(array if array.shape == lead else array[:, None], lead)
    if not array.any():
        raise ValueError("the mask is zero at every step; at least one weight must be positive")
    weights: Array = array[..., None]
    return weights


def check_ends(net: Network, counts: Array) -> None:
    """Reject sequences that end at different steps if an edge has a negative delay."""
    if counts.ndim < 2:
        return
    ends = {int(np.flatnonzero(column)[-1]) for column in counts.T if column.any()}
    late = np.flatnonzero((net.delay_graph.delays < 0).any(axis=1))
    if len(ends) > 1 and len(late):
        edge = net.delay_graph.edges[int(late[0])]
        raise ValueError(
            f"sequences end at different steps, such as {min(ends)} and {max(ends)}, but the edge "
            f"{edge!r} has a negative delay, so the network would read the padding after a "
            "sequence; put only sequences of the same length into a batch"
        )


def _steps_read(net: Network, counts: Array) -> Array:
    """Steps that the steps that count can read, by the signs of the delays."""
    delays = net.delay_graph.delays
    earlier = np.logical_or.accumulate(counts[::-1])[::-1] if (delays > 0).any() else counts
    later = np.logical_or.accumulate(counts) if (delays < 0).any() else counts
    both = (delays > 0).any() and (delays < 0).any()
    return np.ones_like(counts) if both else earlier | later


def _cleared(array: Array, unread: Array) -> Array:
    """Set inputs at unread steps to 0, where they may be NaN or invalid indices."""
    if array.ndim < 1 or array.shape[: unread.ndim] != unread.shape:
        return array  # the network reports the shape
    if array.dtype.kind not in "fiu" or (array.dtype.kind == "f" and np.isfinite(array).all()):
        return array
    unread = unread.reshape(*unread.shape, *[1] * (array.ndim - unread.ndim))
    return np.where(unread, np.zeros((), array.dtype), array)


def is_window(over: Any) -> bool:
    """Whether ``over`` is a window of time steps, or the projection of one."""
    lift = getattr(over, "total", over)
    return isinstance(getattr(lift, "window", None), range)
