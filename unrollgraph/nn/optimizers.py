"""Optimisers: how parameters follow their gradients.

An optimiser is a value, such as ``Adam(rate=1e-3)``. What it remembers from step to step is a
dictionary of arrays that `start` makes and `step` writes into, so that it can be kept in a file
with the parameters.

=====  =====================================================================================
SGD    ``v = momentum v + g``, then ``w -= rate v``
Adam   ``m = b1 m + (1 - b1) g`` and ``s = b2 s + (1 - b2) g^2``, then, at step k,
       ``w -= rate (m / (1 - b1^k)) / (sqrt(s / (1 - b2^k)) + epsilon)``
=====  =====================================================================================

References
----------
D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks",
ICML 2013, on clipping the norm.
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


class Optimiser(Protocol):
    """What `fit` asks of an optimiser; write your own as a frozen dataclass with these two."""

    def start(self, parameters: Mapping[str, Array]) -> State:
        """Make what is remembered from step to step, before the first one."""

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], state: State
    ) -> None:
        """Write into the parameters and into what is remembered."""


@dataclass(frozen=True)
class SGD:
    """Steps against the gradient, with momentum if wanted.

    Attributes
    ----------
    rate : float
        The learning rate.
    momentum : float
        Share of the last step that is kept, from 0 to less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> parameters, optimiser = {"w": np.array([1.0])}, nn.SGD(rate=0.5)
    >>> state = optimiser.start(parameters)
    >>> optimiser.step(parameters, {"w": np.array([0.5])}, state)
    >>> parameters["w"]
    array([0.75])
    """

    rate: float = 0.01
    momentum: float = 0.0

    def __post_init__(self) -> None:
        _above_zero("rate", self.rate)
        _share("momentum", self.momentum)

    def start(self, parameters: Mapping[str, Array]) -> State:
        """Velocities of zero; none without momentum."""
        if not self.momentum:
            return {}
        return {f"velocity/{name}": np.zeros_like(w) for name, w in parameters.items()}

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], state: State
    ) -> None:
        """Take a step, in place."""
        for name in parameters:
            v = gradients[name]
            if self.momentum:
                v = state[f"velocity/{name}"]
                v *= self.momentum
                v += gradients[name]
            parameters[name][...] -= self.rate * v


@dataclass(frozen=True)
class Adam:
    """Steps of about one size, by the moments of the gradient.

    Attributes
    ----------
    rate : float
        The learning rate.
    first, second : float
        How much of the means of gradients and of their squares is kept, from 0 to less than 1.
    epsilon : float
        What keeps the step small where gradients are tiny.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> parameters, optimiser = {"w": np.array([1.0])}, nn.Adam(rate=0.1)
    >>> state = optimiser.start(parameters)
    >>> optimiser.step(parameters, {"w": np.array([1e-3])}, state)
    >>> parameters["w"].round(4)
    array([0.9])
    """

    rate: float = 1e-3
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _above_zero("rate", self.rate)
        _share("first", self.first)
        _share("second", self.second)
        _above_zero("epsilon", self.epsilon)

    def start(self, parameters: Mapping[str, Array]) -> State:
        """Moments of zero, and the number of steps."""
        state = {"steps": np.zeros((), np.int64)}
        for moment in ("first", "second"):
            state |= {f"{moment}/{name}": np.zeros_like(w) for name, w in parameters.items()}
        return state

    def step(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], state: State
    ) -> None:
        """Take a step, in place."""
        state["steps"] += 1
        k = int(state["steps"])
        rate = self.rate / (1 - self.first**k)
        unbiased = 1 / math.sqrt(1 - self.second**k)
        for name in parameters:
            g, m, s = gradients[name], state[f"first/{name}"], state[f"second/{name}"]
            m *= self.first
            m += (1 - self.first) * g
            s *= self.second
            s += (1 - self.second) * (g * g)
            parameters[name][...] -= rate * m / (np.sqrt(s) * unbiased + self.epsilon)


def clipped(gradients: Mapping[str, Array], largest: float) -> dict[str, Array]:
    """Shorten gradients, all by one factor, if their common norm is larger than allowed.

    Parameters
    ----------
    gradients : mapping
        Arrays by name.
    largest : float
        The largest norm: the root of the sum of the squares of all entries.

    Returns
    -------
    dict
        Arrays by name: the same ones if their norm is at most the largest.

    Raises
    ------
    ValueError
        If the largest norm is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> nn.clipped({"v": np.array([3.0]), "w": np.array([4.0])}, 1.0)
    {'v': array([0.6]), 'w': array([0.8])}
    """
    _above_zero("the largest norm", largest)
    # of numbers whose squares leave the range of floats the norm is finite all the same
    top = max((float(np.abs(g).max(initial=0)) for g in gradients.values()), default=0.0)
    if not 0 < top < math.inf:
        return dict(gradients)
    squares = (np.square(g / top, dtype=np.float64).sum() for g in gradients.values())
    norm = top * math.sqrt(float(sum(squares)))
    if norm <= largest:
        return dict(gradients)
    share = float(largest / norm)
    return {name: g * share for name, g in gradients.items()}


def _above_zero(what: str, number: Any) -> None:
    if not _is_number(number) or not 0 < number < math.inf:
        raise ValueError(f"{what} is {number!r}, but it must be a number above 0")


def _share(what: str, number: Any) -> None:
    if not _is_number(number) or not 0 <= number < 1:
        raise ValueError(f"{what} is {number!r}, but it must be from 0 to less than 1")


def _is_number(number: Any) -> bool:
    return isinstance(number, (int, float, np.integer, np.floating)) and number is not True
