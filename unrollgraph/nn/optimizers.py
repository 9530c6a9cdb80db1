"""Optimizers: gradient descent, Adam, and clipping of gradients.

An optimizer is a frozen object such as ``Adam(learning_rate=1e-3)``. Its state is a dictionary of
arrays that `start` returns and `step` updates in place, so that it can be saved.

=====  =====================================================================================
SGD    ``v = momentum v + g``, then ``w -= learning_rate v``
Adam   ``m = beta1 m + (1 - beta1) g`` and ``s = beta2 s + (1 - beta2) g^2``, then, at step k,
       ``w -= learning_rate (m / (1 - beta1^k)) / (sqrt(s / (1 - beta2^k)) + epsilon)``
=====  =====================================================================================

Sources: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015; for clipping,
Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
State = dict[str, Array]


class Optimizer(Protocol):
    """Protocol of optimizers for `fit`; implement it as a frozen dataclass."""

    def start(self, parameters: Mapping[str, Array]) -> State:
        """Return the state before the first step."""

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], state: State
    ) -> None:
        """Update the parameters and the state in place."""


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, with or without momentum.

    Attributes
    ----------
    learning_rate : float
        The learning rate.
    momentum : float
        Factor of the previous step, at least 0 and less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> parameters, optimizer = {"w": np.array([1.0])}, nn.SGD(learning_rate=0.5)
    >>> state = optimizer.start(parameters)
    >>> optimizer.step(parameters, {"w": np.array([0.5])}, state)
    >>> parameters["w"]
    array([0.75])
    """

    learning_rate: float = 0.01
    momentum: float = 0.0

    def __post_init__(self) -> None:
        check_positive("learning_rate", self.learning_rate)
        _share("momentum", self.momentum)

    def start(self, parameters: Mapping[str, Array]) -> State:
        """Return velocities of zero, or an empty state without momentum."""
        if not self.momentum:
            return {}
        return {f"velocity/{name}": np.zeros_like(w) for name, w in parameters.items()}

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], state: State
    ) -> None:
        """Update the parameters and the state in place."""
        for name in parameters:
            v = gradients[name]
            if self.momentum:
                v = state[f"velocity/{name}"]
                v *= self.momentum
                v += gradients[name]
            parameters[name][...] -= self.learning_rate * v


@dataclass(frozen=True)
class Adam:
    """Adam: steps scaled by running means of the gradient and its square.

    Attributes
    ----------
    learning_rate : float
        The learning rate.
    beta1, beta2 : float
        Decay rates of the means of gradients and of their squares, at least 0 and less than 1.
    epsilon : float
        Number that is added to the denominator.
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_positive("learning_rate", self.learning_rate)
        _share("beta1", self.beta1)
        _share("beta2", self.beta2)
        check_positive("epsilon", self.epsilon)

    def start(self, parameters: Mapping[str, Array]) -> State:
        """Return moments of zero and the number of steps."""
        state = {"steps": np.zeros((), np.int64)}
        for moment in ("first", "second"):
            state |= {f"{moment}/{name}": np.zeros_like(w) for name, w in parameters.items()}
        return state

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], state: State
    ) -> None:
        """Update the parameters and the state in place."""
        state["steps"] += 1
        k = int(state["steps"])
        rate = self.learning_rate / (1 - self.beta1**k)
        unbiased = 1 / math.sqrt(1 - self.beta2**k)
        for name in parameters:
            g, m, s = gradients[name], state[f"first/{name}"], state[f"second/{name}"]
            m *= self.beta1
            m += (1 - self.beta1) * g
            s *= self.beta2
            s += (1 - self.beta2) * (g * g)
            parameters[name][...] -= rate * m / (np.sqrt(s) * unbiased + self.epsilon)


def clip_by_global_norm(gradients: Mapping[str, Array], max_norm: float) -> dict[str, Array]:
    """Scale gradients by one factor so that their joint norm is at most ``max_norm``.

    Parameters
    ----------
    gradients : mapping
        Arrays by name.
    max_norm : float
        Largest norm: the root of the sum of the squares of all entries.

    Returns
    -------
    dict
        Arrays by name; the given ones if their norm is at most ``max_norm`` or infinite.

    Raises
    ------
    ValueError
        If ``max_norm`` is not a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> nn.clip_by_global_norm({"v": np.array([3.0]), "w": np.array([4.0])}, 1.0)
    {'v': array([0.6]), 'w': array([0.8])}
    """
    check_positive("max_norm", max_norm)
    # entries are scaled, because their squares may overflow or underflow
    top = max((float(np.abs(g).max(initial=0)) for g in gradients.values()), default=0.0)
    if not 0 < top < math.inf:
        return dict(gradients)
    squares = (np.square(g / top, dtype=np.float64).sum() for g in gradients.values())
    norm = top * math.sqrt(float(sum(squares)))
    if norm <= max_norm:
        return dict(gradients)
    share = float(max_norm / norm)
    return {name: g * share for name, g in gradients.items()}


def check_positive(what: str, number: Any) -> None:
    """Raise `ValueError` if an argument is not a positive finite number."""
    if not _is_number(number) or not 0 < number < math.inf:
        raise ValueError(f"{what} is {number!r}, but it must be positive and finite")


def _share(what: str, number: Any) -> None:
    if not _is_number(number) or not 0 <= number < 1:
        raise ValueError(f"{what} is {number!r}, but it must be at least 0 and less than 1")


def _is_number(number: Any) -> bool:
    return isinstance(number, (int, float, np.integer, np.floating)) and number is not True
