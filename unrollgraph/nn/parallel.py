"""Many processes: gradients of a batch in shards, and fits side by side, through joblib.

The loss is a sum over sequences, divided by what counts of all of them; so the gradient of a
batch is the sum of those of its shards, each divided by what counts of the whole. The shards
are added in their order, so that the numbers do not depend on who computed them, nor when.

Where the work goes is joblib's to say: ``joblib.parallel_config(n_jobs=4)`` takes four
processes, and ``joblib.parallel_config(backend="dask")`` a cluster of Dask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unrollgraph.nn.network import Network
from unrollgraph.nn.sequences import Sequences, must_be_batched
from unrollgraph.nn.tasks import LossAndGradients, Task


def sharded_gradients(
    net: Network,
    inputs: Mapping[Any, ArrayLike],
    targets: Mapping[Any, ArrayLike],
    loss: str = "mse",
    *,
    shards: int,
    mask: ArrayLike | None = None,
    over: Any = None,
) -> LossAndGradients:
    """Compute a loss and its gradient shard by shard of the batch, by joblib.

    Parameters
    ----------
    net, inputs, targets, loss, mask, over
        As `Network.loss_and_gradients` takes them; with an axis for the batch.
    shards : int
        In how many parts of about one size the batch is split.

    Returns
    -------
    LossAndGradients
        Those of the whole batch: the same bits whatever computes the shards, and but for
        rounding those of `Network.loss_and_gradients`.

    Raises
    ------
    ShapeError, ValueError
        As by `Network.loss_and_gradients`; also if there are more shards than sequences.
    ImportError
        If joblib is not installed.

    Notes
    -----
    To be given to `fit` as ``gradients=functools.partial(nn.sharded_gradients, shards=4)``.
    In another process a shard gets the network, and plans it anew, which takes some 20 ms; so
    that is worthwhile where a shard computes for longer.

    Examples
    --------
    >>> import joblib, numpy as np
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(1, 4, 1))
    >>> given = {"in": np.ones((8, 32, 1))}, {"out": np.zeros((8, 32, 1))}
    >>> with joblib.parallel_config(n_jobs=1):
    ...     found = nn.sharded_gradients(net, *given, shards=4)
    >>> bool(np.isclose(found.loss, net.loss(*given)))
    True
    """
    joblib = _joblib()
    data = Sequences(inputs, targets, mask)
    counts = Task(net, inputs, targets, loss, mask=mask, over=over).counts
    must_be_batched(net, data, loss, over=over)
    if not isinstance(shards, (int, np.integer)) or not 1 <= shards <= len(data):
        raise ValueError(
            f"{len(data)} sequences cannot be split into {shards} shards; take 1 to {len(data)}"
        )
    parts = [data.chosen(numbers) for numbers in np.array_split(np.arange(len(data)), shards)]
    parts = [part for part in parts if part.mask is None or np.any(part.mask)]
    found = joblib.Parallel()(
        joblib.delayed(_shard)(net, part, loss, over, counts) for part in parts
    )
    first, *others = found
    gradients = {name: gradient.copy() for name, gradient in first.parameters.items()}
    for other in others:
        for name, gradient in other.parameters.items():
            gradients[name] += gradient
    return LossAndGradients(sum(shard.loss for shard in found), gradients)


def _shard(
    net: Network, part: Sequences, loss: str, over: Any, counts: dict[Any, float]
) -> LossAndGradients:
    """Loss and gradients of a shard, divided by what counts of the whole batch."""
    task = Task(net, part.inputs, part.targets, loss, mask=part.mask, over=over)
    task.counts = counts
    task.back(task.run(0, task.steps, {}), task.steps, None)
    return task.result()


class Trial(NamedTuple):
    """One of the calls of a sweep.

    Attributes
    ----------
    setting : dict
        What the function was called with.
    result : Any
        What it returned.
    """

    setting: dict[str, Any]
    result: Any


def sweep(function: Callable[..., Any], /, **values: Iterable[Any]) -> list[Trial]:
    """Call a function with all combinations of some values, by joblib.

    Parameters
    ----------
    function : callable
        Called with a keyword for each name, for instance to train a network and return a loss.
    **values : iterable
        The values of each keyword.

    Returns
    -------
    list of Trial
        What it was called with and what it returned, the last keyword varying fastest.

    Raises
    ------
    TypeError
        If the values of a keyword cannot be gone through.
    ImportError
        If joblib is not installed.

    Examples
    --------
    >>> from unrollgraph import nn
    >>> trials = nn.sweep(lambda rate, seed: rate * seed, rate=(0.1, 0.01), seed=(1, 2))
    >>> min(trials, key=lambda trial: trial.result).setting
    {'rate': 0.01, 'seed': 1}
    """
    joblib = _joblib()
    for name, given in values.items():
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(
                f"{name}={given!r}, but a sweep takes the values of each keyword; write "
                f"{name}=[...]"
            )
    settings = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    results = joblib.Parallel()(joblib.delayed(function)(**setting) for setting in settings)
    return [Trial(*pair) for pair in zip(settings, results, strict=True)]


def _joblib() -> Any:
    try:
        import joblib  # noqa: PLC0415  (optional)
    except ImportError:
        raise ImportError(
            "work in several processes needs joblib, which is not installed; install it"
        ) from None
    return joblib
