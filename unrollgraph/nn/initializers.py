"""Initial values of parameters of operations, as functions of a random generator and a shape.

In a weight of shape ``(size, width)``, each of the ``size`` rows is multiplied by ``width`` values.

References
----------
X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks,
AISTATS (2010). K. He et al., Delving deep into rectifiers, ICCV (2015). A. M. Saxe,
J. L. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear
neural networks, ICLR (2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Initializer: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Array]

__all__ = ["constant", "glorot", "he", "normal", "orthogonal", "uniform"]


def constant(value: float) -> Initializer:
    """Set all entries to a value."""
    return partial(_constant, value)


def uniform(bound: float = 1.0) -> Initializer:
    """Draw entries uniformly from [-bound, bound]."""
    return partial(_uniform, bound)


def normal(std: float = 1.0) -> Initializer:
    """Draw entries from the normal distribution of mean zero and a standard deviation."""
    return partial(_normal, std)


def glorot() -> Initializer:
    """Draw entries uniformly from [-b, b] with b = sqrt(6 / (size + width))."""
    return _glorot


def he() -> Initializer:
    """Draw entries uniformly from [-b, b] with b = sqrt(6 / width), for ReLU."""
    return _he


def orthogonal(scale: float = 1.0) -> Initializer:
    """Draw a matrix with orthonormal rows or columns, times a scale.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> weight = nn.initializers.orthogonal()(np.random.default_rng(0), (3, 3))
    >>> bool(np.allclose(weight @ weight.T, np.eye(3)))
    True
    """
    return partial(_orthogonal, scale)


# functions of modules, not closures, so that networks can be pickled


def _constant(value: float, _: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.full(shape, value)


def _uniform(bound: float, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.uniform(-bound, bound, shape)


def _normal(std: float, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.normal(0.0, std, shape)


def _glorot(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return _uniform(math.sqrt(6 / sum(_sizes(shape))), rng, shape)


def _he(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return _uniform(math.sqrt(6 / _sizes(shape)[1]), rng, shape)


def _orthogonal(scale: float, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    size, width = _sizes(shape)
    square = rng.normal(size=(max(size, width), min(size, width)))
    q, r = np.linalg.qr(square)
    q *= np.sign(np.diag(r))  # uniformly distributed
    return scale * (q if size >= width else q.T).reshape(shape)


def _sizes(shape: tuple[int, ...]) -> tuple[int, int]:
    """Number of rows, and of entries in a row."""
    if not shape or 0 in shape:
        raise ValueError(f"a parameter of shape {shape} has no rows with entries")
    return shape[0], math.prod(shape[1:])
