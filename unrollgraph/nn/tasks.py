"""Tasks: what a network is given, and what its values are compared with.

A loss is a sum over the steps of all sequences, divided by what counts of the whole. So it can
be taken window by window and sequence by sequence, and what is added up is the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, show_kind, show_vertex
from unrollgraph.nn.losses import loss_called

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network, Run

__all__ = ["LossAndGradients", "Task", "must_be_mapping"]

Array = NDArray[Any]


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


def must_be_mapping(what: str, given: Any) -> None:
    """Refuse what does not tell which array belongs to which vertex."""
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{what} a mapping from vertices to arrays, not {show_kind(given)}; write "
            "for example {'x': array}"
        )


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
        must_be_mapping("inputs are", inputs)
        must_be_mapping("targets are", targets)
        self.net, self.loss, self.over = net, loss_called(loss), over
        self.inputs = {name: np.asarray(array) for name, array in inputs.items()}
        if not targets:
            raise ValueError("targets names no vertex to compare")
        self.targets: dict[Any, Array] = {}
        arrays = {name: np.asarray(array) for name, array in targets.items()}
        given = [*self.inputs.values(), *arrays.values()]
        lengths = {len(array) if array.ndim else 0 for array in given}
        if len(lengths) > 1 and over is None:
            raise ShapeError(f"inputs and targets are of different lengths, {sorted(lengths)}")
        self.steps = lengths.pop() if over is None else 0
        self._weights: dict[Any, Array] = {}
        self.counts: dict[Any, float] = {}
        for name, array in arrays.items():
            size = net._forward.values[net._vertex(name, "targets")].size
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
                given[name] = np.zeros_like(run._read(name))
            inside = min(run.steps, len(gradient))
            given[name][run.steps - inside :] += gradient[len(gradient) - inside :]
        gradients = run._backward(given, to_state=carried is not None)
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
        values = run._binding.in_order(run._network.graph.number[name], run._read(name))
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

    def result(self) -> LossAndGradients:
        """What was found."""
        return LossAndGradients(self.value, self.gradients)


def _weights(mask: ArrayLike, lead: tuple[int, ...]) -> Array:
    """A mask for targets of a shape but for their size, with an axis for that."""
    array = np.asarray(mask)
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
