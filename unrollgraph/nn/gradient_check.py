"""Checking gradients: along a random direction, and by an inner product.

The derivative of a loss f along a direction d is ``<gradient, d>``. It is compared with the
difference quotient ``(f(w + h d) - f(w - h d)) / 2 h``, whose error is of the order h^2, and of
the order h^4 after two step lengths are combined as Richardson did. A random direction finds
an error in any parameter, almost surely, by four values of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unrollgraph.nn.bptt import loss as loss_of
from unrollgraph.nn.bptt import loss_and_gradients
from unrollgraph.nn.network import Network

STEP = 1e-3  # of which the fourth power, and the precision of floats over it, are about as small


class GradientCheck(NamedTuple):
    """A derivative found in two ways.

    Attributes
    ----------
    exact : float
        The inner product of the gradient with the direction.
    numeric : float
        The difference quotient.
    error : float
        Their distance, as a share of the norm of the gradient.
    """

    exact: float
    numeric: float
    error: float


def check_gradients(  # noqa: PLR0913  (what a loss is made of)
    net: Network,
    inputs: Mapping[Any, ArrayLike],
    targets: Mapping[Any, ArrayLike],
    loss: str = "mse",
    *,
    mask: ArrayLike | None = None,
    over: Any = None,
    initial: Mapping[Any, ArrayLike] | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient of a loss with its difference quotient along a random direction.

    Parameters
    ----------
    net : Network
        Its parameters stay as they are.
    inputs, targets, loss, mask, over, initial
        As `loss_and_gradients` takes them.
    seed : int
        Seed of the direction.

    Returns
    -------
    GradientCheck
        For smooth operations the error is below 1e-8 in double precision, and below 1e-4 of a
        network in single precision, whose difference quotient is taken in double.

    Raises
    ------
    ShapeError, ValueError
        As by `loss_and_gradients`; also if the network has no parameters.

    Notes
    -----
    Rectified units have no derivative at zero: a difference across that point is none.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(2, 3, 1))
    >>> check = nn.check_gradients(net, {"in": np.ones((6, 2))}, {"out": np.zeros((6, 1))})
    >>> check.error < 1e-8
    True
    """
    if not net.parameters:
        raise ValueError("the network has no parameters, so there is no gradient to check")
    rng = np.random.default_rng(seed)
    direction = {name: rng.normal(size=array.shape) for name, array in net.parameters.items()}
    length = math.sqrt(sum(float((d * d).sum()) for d in direction.values()))
    given: dict[str, Any] = {"mask": mask, "over": over, "initial": initial}
    gradients = loss_and_gradients(net, inputs, targets, loss, **given).parameters
    exact = sum(float((gradients[name] * d).sum()) for name, d in direction.items()) / length
    twin = Network(net.graph)
    start = {name: array.astype(np.float64) for name, array in net.parameters.items()}

    def at(step: float) -> float:
        for name, d in direction.items():
            twin.parameters[name][...] = start[name] + step / length * d
        return loss_of(twin, inputs, targets, loss, **given)

    wide, narrow = ((at(h) - at(-h)) / (2 * h) for h in (STEP, STEP / 2))
    numeric = (4 * narrow - wide) / 3
    norm = math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in gradients.values()))
    noise = 1e-8 * (1 + abs(at(0.0)))  # a norm below it is hidden by the rounding of the loss
    return GradientCheck(exact, numeric, abs(exact - numeric) / max(norm, noise))
