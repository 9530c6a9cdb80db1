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

A `Task` is what a network is given and what its values are compared with. Its loss is a sum over
the steps of all sequences, divided by what counts of the whole. So it can be taken window by
window and sequence by sequence, and what is added up is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, show_edge, show_vertex
from unrollgraph.nn.arrays import check_mapping, find_non_finite, plain_array

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network, Run


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


class LossAndGradients(NamedTuple):
    """A loss and its gradient.

    Attributes
    ----------
    loss : float
        The mean over all that counts.
    parameters : dict
        The gradient of each parameter, by name.
    """

    loss: float
    parameters: dict[str, Array]


class Task:
    """A network, what it is given, and what it is compared with.

    Attributes
    ----------
    steps : int
        Number of steps of the window; 0 if it is run over another graph.
    counts : dict
        What the sum of each target is divided by: how many terms count, or their weights.
    value : float
        The loss of what was compared so far.
    gradients : dict
        And its gradient, by name of the parameter.
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
        check_mapping("inputs are", inputs)
        check_mapping("targets are", targets)
        self.net, self.loss, self.over = net, loss_called(loss), over
        self.inputs = {
            name: plain_array(array, f"the input of {show_vertex(name)}")
            for name, array in inputs.items()
        }
        if not targets:
            raise ValueError("targets names no vertex to compare")
        self.targets: dict[Any, Array] = {}
        arrays = {
            name: plain_array(array, f"the target of {show_vertex(name)}")
            for name, array in targets.items()
        }
        given = [*self.inputs.values(), *arrays.values()]
        lengths = {len(array) if array.ndim else 0 for array in given}
        if len(lengths) > 1 and over is None:
            raise ShapeError(f"inputs and targets are of different lengths, {sorted(lengths)}")
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
                # what does not count may be anything, also what is no target
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
        """Forward over some of the steps, or over the graph that was given."""
        if self.over is not None:
            return self.net.forward(self.inputs, self.over, state)
        inputs = {name: array[start:stop] for name, array in self.inputs.items()}
        return self.net.forward(inputs, initial=state, steps=stop - start)

    def compare(self, run: Run, stop: int, losses: int | None = None) -> dict[Any, Array]:
        """Add the loss of the steps of a run, the last before ``stop``.

        Returns
        -------
        dict
            Gradients of the loss by the values that are compared.
        """
        return {name: self._compared(run, name, stop, losses) for name in self.targets}

    def back(
        self, run: Run, stop: int, carried: Mapping[Any, Array] | None, *, losses: int | None = None
    ) -> dict[Any, Array]:
        """Add the loss and gradients of the steps of a run, the last before ``stop``.

        Parameters
        ----------
        run : Run
            Of some steps.
        stop : int
            Where it ended.
        carried : mapping or None
            Gradients by the state in which it ended.
        losses : int, optional
            How many of its last steps are compared; all unless given.

        Returns
        -------
        dict
            Gradients by the state with which it began, if some were carried.
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
            if len(gradient) > run.steps:  # what was before this run already
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
                f"its classes are integers of shape {expected}"
                if self.loss.of_classes
                else f"its values have {expected}"
            )
            raise ShapeError(
                f"the target of {show_vertex(name)} has shape {targets.shape}, but {wanted}",
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
        """Set inputs that are not finite to 0 if the loss does not depend on them.

        Otherwise gradients would be NaN as products with 0. The loss does not depend on them if
        it is finite with NaN in their place, which values computed from them inherit, and the
        same with 0, also where an operation of one's own maps NaN to a number.
        """
        odd = {k: ~np.isfinite(x) for k, x in self.inputs.items() if x.dtype.kind == "f"}
        odd = {name: where for name, where in odd.items() if where.any()}
        if not odd:
            return
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
        """The loss with other inputs."""
        self.inputs = dict(inputs)
        self.compare(self.run(0, self.steps, {}), self.steps)
        value, self.value = self.value, 0.0
        return value

    def non_finite(self) -> str | None:
        """Describe the first input or target that counts and is infinite or NaN, if any is."""
        for what, arrays in (("input", self.inputs), ("target", self.targets)):
            for name, array in arrays.items():
                if found := find_non_finite(f"the {what} of", name, array):
                    return found
        return None

    def result(self) -> LossAndGradients:
        """What was found."""
        return LossAndGradients(self.value, self.gradients)


def _weights(mask: ArrayLike, lead: tuple[int, ...]) -> Array:
    """A mask for targets of a shape but for their size, with an axis for that."""
    array = plain_array(mask, "the mask")
    if array.dtype.kind not in "fiub":
        raise ShapeError(f"the mask holds {array.dtype}, not booleans or weights")
    if array.shape not in {lead, lead[:1]}:
        wanted = f"{lead} or {lead[:1]}" if len(lead) > 1 else f"{lead}"
        raise ShapeError(
            f"the mask has shape {array.shape}, but {wanted} is expected: steps, then batch",
            expected=lead,
            found=array.shape,
        )
    array = array.astype(np.float64)
    if not (np.isfinite(array).all() and array.min(initial=0) >= 0):
        raise ValueError("the mask holds weights that are negative or not finite; give 0 or more")
    array = np.broadcast_to(array if array.shape == lead else array[:, None], lead)
    if not array.any():
        raise ValueError("the mask counts no step at all; a loss is a mean over at least one")
    weights: Array = array[..., None]
    return weights


def check_ends(net: Network, counts: Array) -> None:
    """Reject sequences that end at different steps if an edge reads from a later step.

    Such a network would read what the shorter sequences are filled up with.

    Parameters
    ----------
    net : Network
        The network.
    counts : ndarray of bool, shape (steps,) or (steps, sequences)
        Which steps count.
    """
    if counts.ndim < 2:
        return
    ends = {int(np.flatnonzero(column)[-1]) for column in counts.T if column.any()}
    late = np.flatnonzero((net.graph.delays < 0).any(axis=1))
    if len(ends) > 1 and len(late):
        edge = net.graph.edges[int(late[0])]
        raise ValueError(
            f"the last step that counts is step {min(ends)} in one sequence and step {max(ends)} "
            f"in another, but the edge {show_edge(edge)} has a negative delay, so that the network "
            "would read values after the end of a sequence; run sequences of one length "
            "together, and others by themselves"
        )


def _steps_read(net: Network, counts: Array) -> Array:
    """Steps that a step that counts can read, by the signs of the delays."""
    delays = net.graph.delays
    earlier = np.logical_or.accumulate(counts[::-1])[::-1] if (delays > 0).any() else counts
    later = np.logical_or.accumulate(counts) if (delays < 0).any() else counts
    both = (delays > 0).any() and (delays < 0).any()
    return np.ones_like(counts) if both else earlier | later


def _cleared(array: Array, unread: Array) -> Array:
    """Inputs with 0 at steps that are not read, if something there is not finite or an index."""
    if array.ndim < 1 or array.shape[: unread.ndim] != unread.shape:
        return array  # the network reports the shape
    if array.dtype.kind not in "fiu" or (array.dtype.kind == "f" and np.isfinite(array).all()):
        return array
    unread = unread.reshape(*unread.shape, *[1] * (array.ndim - unread.ndim))
    return np.where(unread, np.zeros((), array.dtype), array)


def is_window(over: Any) -> bool:
    """Whether a graph to run over is a window of steps, or the projection of one."""
    lift = getattr(over, "total", over)
    return isinstance(getattr(lift, "window", None), range)
