"""Training: minimize a loss over sequences, epoch by epoch.

An *epoch* uses each sequence once, in batches whose order depends on the seed and the number of the
epoch only. The state of a fit (parameters, optimizer, losses) can be saved after each epoch; a fit
that resumes from the file computes bitwise the same as one without interruption.

`sharded_gradients` computes the gradient of a batch in several processes with joblib, as the sum of
the gradients of its shards in a fixed order, so that the result does not depend on the processes.
``joblib.parallel_config(n_jobs=4)`` uses four processes, and
``joblib.parallel_config(backend="dask")`` a Dask cluster.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import DivergenceError, FormatError, ShapeError, show_kind
from unrollgraph.graph.times import check_integer
from unrollgraph.io.files import check_suffix, write_whole
from unrollgraph.morphism.graph_map import MapLike
from unrollgraph.nn.bptt import loss as loss_of
from unrollgraph.nn.bptt import loss_and_gradients
from unrollgraph.nn.losses import LossAndGradients, Task
from unrollgraph.nn.network import Network, check_network
from unrollgraph.nn.optimizers import Adam, Optimizer, check_positive, clip_by_global_norm
from unrollgraph.nn.saving import PARAMETERS, opened, read_arrays, take_over, written
from unrollgraph.nn.sequences import Sequences, check_batched

Array = NDArray[Any]
MEMORY = "optimizer/"  # prefix of the state of the optimizer in a file
LAST = "last/"  # prefix of the last parameters, if the network has those of the best epoch
ADVICE = "; use a smaller learning rate, or clip the gradient"


@dataclass(frozen=True)
class History:
    """Losses of a fit, epoch by epoch.

    Attributes
    ----------
    losses : tuple of float
        Mean loss of the batches of each epoch, each computed before the step of its batch.
    validation : tuple of float
        Loss of the validation sequences after each epoch; empty without them.
    best : int
        Epoch, from 0, with the least validation loss, or without validation the last epoch; -1
        before the first one.
    stopped : bool
        Whether ``patience`` or the callback ended the fit early.
    """

    losses: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    best: int = -1
    stopped: bool = False

    def __repr__(self) -> str:
        last = f", loss {self.losses[-1]:.3g}" if self.losses else ""
        epochs = "1 epoch" if len(self.losses) == 1 else f"{len(self.losses)} epochs"
        return f"<History of {epochs}{last}>"


def fit(  # noqa: PLR0913  (what a fit is made of)
    net: Network,
    data: Sequences,
    optimizer: Optimizer | None = None,
    *,
    loss: str = "mse",
    epochs: int = 1,
    batch_size: int | None = None,
    seed: int = 0,
    clip: float | None = None,
    validation: Sequences | None = None,
    patience: int | None = None,
    over: MapLike | None = None,
    gradients: Callable[..., Any] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    callback: Callable[[Network, History], Any] | None = None,
    progress: bool = False,
) -> History:
    """Train a network.

    Parameters
    ----------
    net : Network
        The network; its parameters change in place.
    data : Sequences
        Training sequences; see `pad_sequences` for sequences of different lengths.
    optimizer : Optimizer, optional
        The optimizer (default: ``Adam()``).
    loss : str
        Name of the loss, as in `loss_and_gradients`.
    epochs : int
        Number of epochs in total, including those in the checkpoint.
    batch_size : int, optional
        Number of sequences per step (default: all). They are shuffled in each epoch.
    seed : int
        Seed of the shuffling.
    clip : float, optional
        Largest norm of a gradient, as in `clip_by_global_norm` (default: infinite).
    validation : Sequences, optional
        Sequences whose loss is computed after each epoch.
    patience : int, optional
        Stop after this number of epochs without a lower validation loss. At the end, the parameters
        of the best epoch are restored.
    over : GraphMap or graph with a projection, optional
        Acyclic graph to run over (default: a window of T steps).
    gradients : callable, optional
        Function that computes loss and gradients (default: `loss_and_gradients`), called as
        ``gradients(net, inputs, targets, loss=..., mask=...)``, with ``over=...`` if it is given.
        For example ``functools.partial(nn.loss_and_gradients, truncate=20)``.
    checkpoint : path, optional
        A ``.npz`` file in which the state is saved after each complete epoch. If it exists, the fit
        resumes from it; use the same data and arguments. `nn.load` reads the network from it.
    callback : callable, optional
        Called after each epoch as ``callback(net, history)``; the fit ends if it returns True.
    progress : bool
        Whether to show a progress bar with tqdm.

    Returns
    -------
    History
        The losses.

    Raises
    ------
    DivergenceError
        If a loss or a gradient is infinite or NaN; the parameters are those before this step.
    ShapeError
        If an array does not fit its vertex, or arrays have different numbers of sequences.
    ValueError, TypeError
        If an argument has another type or is out of range, ``patience`` is given without
        ``validation``, or ``gradients`` does not return a `LossAndGradients`.
    FormatError
        If the checkpoint is not one of this network and optimizer, or cannot store the network.
    ImportError
        If ``progress`` is True and tqdm is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(1, 4, 1))
    >>> x = np.random.default_rng(0).uniform(-1, 1, size=(8, 32, 1))
    >>> data = nn.Sequences({"in": x}, {"out": np.cumsum(x, axis=0) / 4})
    >>> history = nn.fit(net, data, nn.Adam(1e-2), epochs=100)
    >>> history.losses[-1] < history.losses[0] / 10
    True
    """
    optimizer = Adam() if optimizer is None else optimizer
    _check_arguments(
        optimizer,
        {"epochs": epochs, "batch_size": batch_size, "patience": patience, "seed": seed},
        {"data": data, "validation": validation},
    )
    if data is None:
        raise TypeError("data is None; give nn.Sequences(inputs, targets)")
    check_network(net)
    if clip is not None:
        check_positive("clip", clip)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback={callback!r} must be callable, as callback(net, history)")
    if patience is not None and validation is None:
        raise ValueError("patience requires a validation loss; give validation sequences")
    if batch_size is not None:
        check_batched(net, data, loss, over=over)
    more: dict[str, Any] = {"loss": loss} | ({} if over is None else {"over": over})
    compute = loss_and_gradients if gradients is None else gradients
    state = _State(History(), optimizer.start(net.parameters), {})
    if checkpoint is not None:
        check_suffix(checkpoint, ".npz", "a checkpoint")
        if Path(checkpoint).exists():
            state = _found(checkpoint, net, state)
    with _shown(state.history, epochs, progress=progress) as show:
        for epoch in range(len(state.history.losses), 0 if state.history.stopped else epochs):
            losses = []
            for part in _batches(data, batch_size, np.random.default_rng([seed, epoch])):
                with np.errstate(over="ignore", invalid="ignore"):
                    found = compute(net, part.inputs, part.targets, mask=part.mask, **more)
                _check_gradients(found, net)
                step = (
                    found.parameters
                    if clip is None
                    else clip_by_global_norm(found.parameters, clip)
                )
                if problem := _non_finite(found.loss, step):
                    fault = _fault(net, data, more)
                    reason = f", because {fault}; correct the data" if fault else ADVICE
                    raise DivergenceError(f"{problem} in epoch {epoch}{reason}")
                optimizer.step(net.parameters, step, state.memory)
                losses.append((float(found.loss), len(part)))
            watched = None
            if validation is not None:
                given = validation.inputs, validation.targets
                watched = float(loss_of(net, *given, mask=validation.mask, **more))
                if not math.isfinite(watched) and (fault := _fault(net, validation, more)):
                    raise DivergenceError(f"in the validation data, {fault}; correct the data")
            state = state.after(net, _mean(losses), watched, patience)
            if checkpoint is not None:
                write_whole(checkpoint, state.written(net))
            show(state.history)
            done = callback(net, state.history) if callback is not None else None
            if isinstance(done, bool | np.bool_) and done:
                state = replace(state, history=replace(state.history, stopped=True))
            if state.history.stopped:
                break
    for name, array in state.best.items():
        net.parameters[name][...] = array
    return state.history


@dataclass(frozen=True)
class _State:
    """State of a fit after an epoch, except for the parameters of the network."""

    history: History
    memory: dict[str, Array]  # state of the optimizer, which updates it in place
    best: dict[str, Array]  # parameters of the best epoch, if they must be restored

    def after(
        self, net: Network, loss: float, watched: float | None, patience: int | None
    ) -> _State:
        """Return the state after one more epoch."""
        old = self.history
        number = len(old.losses)
        least = min((x for x in old.validation if not math.isnan(x)), default=math.inf)
        better = watched is None or watched < least
        best = number if better else old.best
        history = History(
            (*old.losses, loss),
            old.validation if watched is None else (*old.validation, watched),
            best,
            patience is not None and number - best >= patience,
        )
        kept = self.best
        if patience is not None and better:
            kept = {name: array.copy() for name, array in net.parameters.items()}
        return _State(history, self.memory, kept)

    def written(self, net: Network) -> bytes:
        """Return the bytes of a checkpoint; its network is the result if the fit ends now."""
        arrays = {f"{MEMORY}{name}": np.asarray(array) for name, array in self.memory.items()}
        if self.best:
            arrays |= {f"{LAST}{name}": array for name, array in net.parameters.items()}
            arrays |= {f"{PARAMETERS}{name}": array for name, array in self.best.items()}
        return written(net, arrays, {"history": dataclasses.asdict(self.history)})


def _found(path: Any, net: Network, start: _State) -> _State:
    """Read the state in a file, and set the parameters of the network to those in it."""
    kinds = map(type, net.delay_graph.vertex_values("op"))
    archive = opened(path, {f"{kind.__module__}:{kind.__qualname__}": kind for kind in kinds})
    try:
        found = archive.notes["history"]
        history = History(
            tuple(map(float, found["losses"])),
            tuple(map(float, found["validation"])),
            int(found["best"]),
            bool(found["stopped"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FormatError(
            f"{path} is not a checkpoint of a fit; choose another path, or move this file"
        ) from None
    fresh = {n: np.asarray(a) for n, a in start.memory.items()}
    memory = read_arrays(archive, MEMORY, {n: (a.shape, a.dtype) for n, a in fresh.items()}, path)
    numbers = {n for n, a in start.memory.items() if not isinstance(a, np.ndarray)}
    best: dict[str, Array] = {}
    if any(name.startswith(LAST) for name in archive.members.namelist()):
        expected = {name: (a.shape, a.dtype) for name, a in net.parameters.items()}
        best = read_arrays(archive, PARAMETERS, expected, path)
    take_over(net, archive, LAST if best else PARAMETERS, path)
    return _State(history, {n: a.item() if n in numbers else a for n, a in memory.items()}, best)


def _batches(
    data: Sequences, batch_size: int | None, rng: np.random.Generator
) -> Iterator[Sequences]:
    """Yield all sequences in a random order, in batches."""
    if batch_size is None:
        yield data
        return
    order = rng.permutation(len(data))
    for start in range(0, len(order), batch_size):
        part = data.chosen(order[start : start + batch_size])
        if part.mask is None or np.any(part.mask):  # no step of other batches counts
            yield part


def _mean(losses: list[tuple[float, int]]) -> float:
    """Mean of the losses of batches, weighted by their numbers of sequences."""
    if not losses:
        raise ValueError("the mask is zero at every step; at least one weight must be positive")
    if len(losses) == 1:
        return losses[0][0]
    return sum(loss * size for loss, size in losses) / sum(size for _, size in losses)


# -- checks ------------------------------------------------------------------------------------


def _check_arguments(optimizer: Any, numbers: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Raise an error if an argument has another type or a number is out of range."""
    methods = [getattr(optimizer, name, None) for name in ("start", "step")]
    if isinstance(optimizer, type) or not all(map(callable, methods)):
        raise TypeError(f"{optimizer!r} is not an optimizer; give one such as nn.Adam(1e-3)")
    for name, number in numbers.items():
        if number is not None or name == "seed":
            check_integer(number, name, 0 if name == "seed" else 1)
    for name, sequences in data.items():
        if sequences is not None and not isinstance(sequences, Sequences):
            raise TypeError(
                f"{name} must be nn.Sequences, not {show_kind(sequences)}; write "
                "nn.Sequences(inputs, targets)"
            )


def _check_gradients(found: Any, net: Network) -> None:
    """Raise an error if the result has another type or a gradient another shape."""
    if not isinstance(found, LossAndGradients):
        raise TypeError(
            f"gradients= must return nn.LossAndGradients(loss, gradients), not {show_kind(found)}"
        )
    for name, array in net.parameters.items():
        shape = np.shape(found.parameters[name]) if name in found.parameters else None
        if shape != array.shape:
            what = "no gradient" if shape is None else f"one of shape {shape}"
            raise ShapeError(
                f"gradients= must return a gradient of shape {array.shape} for the parameter "
                f"{name!r}, but returned {what}",
                expected=array.shape,
                found=shape,
            )


def _non_finite(loss: float, gradients: Mapping[str, Array]) -> str | None:
    """Describe the loss or the first gradient that is infinite or NaN, if any."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    for name, gradient in gradients.items():
        if not np.isfinite(gradient).all():
            return f"the gradient of {name!r} is not finite"
    return None


def _fault(net: Network, data: Sequences, more: Mapping[str, Any]) -> str | None:
    """Describe the first value in the data that counts and is not finite, if any."""
    return Task(net, data.inputs, data.targets, mask=data.mask, **more).non_finite()


# -- progress and shards -------------------------------------------------------------------------


@contextmanager
def _shown(history: History, epochs: int, *, progress: bool) -> Iterator[Callable[[History], None]]:
    """Show a progress bar of tqdm, if requested."""
    if not progress:
        yield lambda _: None
        return
    try:
        from tqdm import tqdm  # noqa: PLC0415  (optional)
    except ImportError:
        raise ImportError(
            "progress=True requires tqdm, which is not installed; install it, or omit progress"
        ) from None
    with tqdm(initial=len(history.losses), total=epochs, unit="epoch") as bar:

        def show(history: History) -> None:
            bar.set_postfix(loss=f"{history.losses[-1]:.4g}", refresh=False)
            bar.update()

        yield show


def sharded_gradients(
    net: Network,
    inputs: Mapping[Any, ArrayLike],
    targets: Mapping[Any, ArrayLike],
    loss: str = "mse",
    *,
    shards: int,
    mask: ArrayLike | None = None,
    over: MapLike | None = None,
) -> LossAndGradients:
    """Compute a loss and its gradient by shards of the batch, in parallel with joblib.

    Parameters
    ----------
    net, inputs, targets, loss, mask, over
        As in `loss_and_gradients`; arrays must have a batch axis.
    shards : int
        Number of parts of about the same size into which the batch is split.

    Returns
    -------
    LossAndGradients
        Loss and gradient of the whole batch. They are bitwise the same for all numbers of
        processes, and equal those of `loss_and_gradients` up to rounding.

    Raises
    ------
    ShapeError, ValueError
        As in `loss_and_gradients`; also if there are more shards than sequences.
    ImportError
        If joblib is not installed.

    Notes
    -----
    In `fit`, pass ``gradients=functools.partial(nn.sharded_gradients, shards=4)``. In another
    process, a shard plans the network again, which takes about 20 ms; use shards that compute for
    longer.

    Examples
    --------
    >>> import joblib, numpy as np
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(1, 4, 1))
    >>> given = {"in": np.ones((8, 32, 1))}, {"out": np.zeros((8, 32, 1))}
    >>> with joblib.parallel_config(n_jobs=1):
    ...     found = nn.sharded_gradients(net, *given, shards=4)
    >>> bool(np.isclose(found.loss, nn.loss(net, *given)))
    True
    """
    joblib = _joblib()
    data = Sequences(inputs, targets, mask)
    counts = Task(net, inputs, targets, loss, mask=mask, over=over).counts
    check_batched(net, data, loss, over=over)
    if not isinstance(shards, (int, np.integer)) or not 1 <= shards <= len(data):
        raise ValueError(
            f"{len(data)} sequences cannot be split into {shards!r} shards; use 1 to {len(data)}"
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
    """Loss and gradients of a shard, divided by the counts of the whole batch."""
    task = Task(net, part.inputs, part.targets, loss, mask=part.mask, over=over)
    task.counts = counts
    task.back(task.run(0, task.steps, {}), task.steps, None)
    return task.result()


def _joblib() -> Any:
    try:
        import joblib  # noqa: PLC0415  (optional)
    except ImportError:
        raise ImportError(
            "nn.sharded_gradients requires joblib, which is not installed; install it"
        ) from None
    return joblib
