"""Fitting: parameters that follow the gradient of a loss, epoch by epoch.

An *epoch* goes once through all sequences, in batches whose order is drawn from the seed and the
number of the epoch. So the state in which an epoch ends is all there is to know: parameters,
what the optimiser remembers, and the losses so far. It can be kept in a file after each epoch,
written whole or not at all; and a fit that goes on from it computes the same bits as one that
was never interrupted.

Many processes compute the gradient of a batch in shards, through joblib. The loss is a sum over
sequences, divided by what counts of all of them; so the gradient of a batch is the sum of those
of its shards, each divided by what counts of the whole. The shards are added in their order, so
that the numbers do not depend on who computed them, nor when.

Where the work goes is joblib's to say: ``joblib.parallel_config(n_jobs=4)`` takes four
processes, and ``joblib.parallel_config(backend="dask")`` a cluster of Dask.
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
from unrollgraph.nn.bptt import loss as loss_of
from unrollgraph.nn.bptt import loss_and_gradients
from unrollgraph.nn.losses import LossAndGradients, Task
from unrollgraph.nn.network import Network
from unrollgraph.nn.optimizers import Adam, Optimiser, clipped
from unrollgraph.nn.saving import PARAMETERS, opened, read_arrays, take_over, written
from unrollgraph.nn.sequences import Sequences, check_batched

Array = NDArray[Any]
MEMORY = "optimiser/"  # where a file holds what the optimiser remembers
LAST = "last/"  # and the last parameters, where those of the best epoch are the network's
ADVICE = "; take a smaller learning rate, or clip the gradient"


@dataclass(frozen=True)
class History:
    """What happened, epoch by epoch.

    Attributes
    ----------
    losses : tuple of float
        The mean loss of the batches of each epoch, each as it was before its step.
    validation : tuple of float
        The loss of the validation sequences after each epoch; empty without any.
    best : int
        Number of the epoch, counted from 0, after which the validation loss was the least, or
        without validation the last one; -1 before the first.
    stopped : bool
        Whether it ended early, since the validation loss did not improve or the callback said so.
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
    optimiser: Optimiser | None = None,
    *,
    loss: str = "mse",
    epochs: int = 1,
    batch: int | None = None,
    seed: int = 0,
    clip: float | None = None,
    validation: Sequences | None = None,
    patience: int | None = None,
    over: Any = None,
    gradients: Callable[..., Any] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    callback: Callable[[Network, History], Any] | None = None,
    progress: bool = False,
) -> History:
    """Train a network.

    Parameters
    ----------
    net : Network
        Its parameters are written in place.
    data : Sequences
        What to train on; see `padded` for sequences of different lengths.
    optimiser : Optimiser, optional
        ``Adam()`` unless given.
    loss : str
        Name of a loss, as `loss_and_gradients` takes it.
    epochs : int
        How often to go through all sequences.
    batch : int, optional
        How many sequences to take for a step; all unless given. They are shuffled for each
        epoch.
    seed : int
        Seed of the shuffling.
    clip : float, optional
        The largest norm of a gradient, as for `clipped`.
    validation : Sequences, optional
        Sequences whose loss is computed after each epoch.
    patience : int, optional
        Stop after so many epochs in which the validation loss was not less than before, and put
        the parameters of the best epoch back.
    over : GraphMap or anything with a projection, optional
        What to run over, as `Network.forward` takes it; a window unless given.
    gradients : callable, optional
        What computes loss and gradients, called as ``gradients(net, inputs, targets, loss=...,
        mask=...)``, with ``over=...`` if that is given. `loss_and_gradients` unless
        given; ``functools.partial(nn.loss_and_gradients, truncate=20)`` truncates.
    checkpoint : path, optional
        A file, ``.npz``, in which the parameters, what the optimizer remembers and the losses
        are kept after each epoch. If it is there already, the fit goes on from it, up to
        ``epochs`` in all; the data and the other arguments should be the same. `nn.load` reads
        the network in it.
    callback : callable, optional
        Called after each epoch as ``callback(net, history)``; the fit ends if it returns True.
    progress : bool
        Whether tqdm shows a bar.

    Returns
    -------
    History
        The losses.

    Raises
    ------
    DivergenceError
        If a loss or a gradient is infinite or no number; parameters are as before that step.
    ShapeError
        If an array does not fit its vertex, or arrays hold different numbers of sequences.
    ValueError
        If a number is out of its range, or ``patience`` has nothing to watch.
    TypeError
        If something is no optimiser or no sequences, or ``gradients`` returns something else.
    FormatError
        If the checkpoint is none, or is that of another network or optimizer, or a file cannot
        hold the network.
    ImportError
        If a bar is wanted and tqdm is not installed.

    Notes
    -----
    An interrupt leaves the checkpoint as it was after the last epoch.

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
    optimiser = Adam() if optimiser is None else optimiser
    _check_arguments(
        optimiser,
        {"epochs": epochs, "batch": batch, "patience": patience, "seed": seed},
        {"data": data, "validation": validation},
    )
    if data is None:
        raise TypeError("there is nothing to train on; give nn.Sequences(inputs, targets)")
    if patience is not None and validation is None:
        raise ValueError("patience waits for a lower validation loss; give validation sequences")
    if batch is not None:
        check_batched(net, data, loss, over=over)
    more = {"loss": loss} | ({} if over is None else {"over": over})
    compute = loss_and_gradients if gradients is None else gradients
    state = _State(History(), optimiser.start(net.parameters), {})
    if checkpoint is not None:
        check_suffix(checkpoint, ".npz", "a checkpoint")
        if Path(checkpoint).exists():
            state = _found(checkpoint, net, state)
    with _shown(state.history, epochs, progress=progress) as show:
        for epoch in range(len(state.history.losses), 0 if state.history.stopped else epochs):
            losses = []
            for part in _batches(data, batch, np.random.default_rng([seed, epoch])):
                with np.errstate(over="ignore", invalid="ignore"):
                    found = compute(net, part.inputs, part.targets, mask=part.mask, **more)
                _check_gradients(found, net)
                step = found.parameters if clip is None else clipped(found.parameters, clip)
                if problem := _non_finite(found.loss, step):
                    fault = _fault(net, data, more)
                    reason = f", since {fault}; repair the data" if fault else ADVICE
                    raise DivergenceError(f"{problem} in epoch {epoch}{reason}")
                optimiser.step(net.parameters, step, state.memory)
                losses.append((float(found.loss), len(part)))
            watched = None
            if validation is not None:
                given = validation.inputs, validation.targets
                watched = float(loss_of(net, *given, mask=validation.mask, **more))
                if not math.isfinite(watched) and (fault := _fault(net, validation, more)):
                    raise DivergenceError(f"in the validation data, {fault}; repair the data")
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
    """All there is to know after an epoch, but for the parameters of the network.

    Attributes
    ----------
    history : History
        The losses.
    memory : dict
        What the optimiser remembers, which it writes in place.
    best : dict
        The parameters of the best epoch, if they are to be put back.
    """

    history: History
    memory: dict[str, Array]
    best: dict[str, Array]

    def after(
        self, net: Network, loss: float, watched: float | None, patience: int | None
    ) -> _State:
        """The state after one epoch more."""
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
        """The bytes of a file; the network in it is what the fit would leave if it ended now."""
        arrays = {f"{MEMORY}{name}": np.asarray(array) for name, array in self.memory.items()}
        if self.best:
            arrays |= {f"{LAST}{name}": array for name, array in net.parameters.items()}
            arrays |= {f"{PARAMETERS}{name}": array for name, array in self.best.items()}
        return written(net, arrays, {"history": dataclasses.asdict(self.history)})


def _found(path: Any, net: Network, start: _State) -> _State:
    """The state in a file; the parameters of the network become what they were."""
    kinds = map(type, net.graph.vertex_values("op"))
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
            f"{path} holds no fit that could go on; name another file, or move this one away"
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


def _batches(data: Sequences, batch: int | None, rng: np.random.Generator) -> Iterator[Sequences]:
    """All sequences, in an order that is drawn, so many at a time."""
    if batch is None:
        yield data
        return
    order = rng.permutation(len(data))
    for start in range(0, len(order), batch):
        part = data.chosen(order[start : start + batch])
        if part.mask is None or np.any(part.mask):  # else nothing of it counts
            yield part


def _mean(losses: list[tuple[float, int]]) -> float:
    """Mean of the losses of batches, by how many sequences they have."""
    if not losses:
        raise ValueError("the mask counts no step at all; a loss is a mean over at least one")
    if len(losses) == 1:
        return losses[0][0]
    return sum(loss * size for loss, size in losses) / sum(size for _, size in losses)


# -- what is refused ---------------------------------------------------------------------------


def _check_arguments(optimiser: Any, numbers: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Refuse what is no optimiser, no number, or no sequences."""
    methods = [getattr(optimiser, name, None) for name in ("start", "step")]
    if isinstance(optimiser, type) or not all(map(callable, methods)):
        raise TypeError(f"{optimiser!r} is no optimiser; give one such as nn.Adam(1e-3)")
    for name, number in numbers.items():
        if number is not None or name == "seed":
            check_integer(number, name, 0 if name == "seed" else 1)
    for name, sequences in data.items():
        if sequences is not None and not isinstance(sequences, Sequences):
            raise TypeError(
                f"{name} is {show_kind(sequences)}, not nn.Sequences; write "
                "nn.Sequences(inputs, targets)"
            )


def _check_gradients(found: Any, net: Network) -> None:
    """Refuse what is no loss with a gradient for each parameter, of its shape."""
    if not isinstance(found, LossAndGradients):
        raise TypeError(
            f"gradients= returned {show_kind(found)}, not an nn.LossAndGradients; return "
            "nn.LossAndGradients(loss, gradients)"
        )
    for name, array in net.parameters.items():
        shape = np.shape(found.parameters[name]) if name in found.parameters else None
        if shape != array.shape:
            what = "no gradient" if shape is None else f"a gradient of shape {shape}"
            raise ShapeError(
                f"gradients= returned {what} of {name}, but one of shape {array.shape} is expected",
                expected=array.shape,
                found=shape,
            )


def _non_finite(loss: float, gradients: Mapping[str, Array]) -> str | None:
    """Say whether the loss or a gradient is infinite or NaN."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    for name, gradient in gradients.items():
        if not np.isfinite(gradient).all():
            return f"the gradient of {name} is not finite"
    return None


def _fault(net: Network, data: Sequences, more: Mapping[str, Any]) -> str | None:
    """Describe the first value in the data that counts and is not finite, if there is one."""
    return Task(net, data.inputs, data.targets, mask=data.mask, **more).non_finite()


# -- what is kept and shown ----------------------------------------------------------------------


@contextmanager
def _shown(history: History, epochs: int, *, progress: bool) -> Iterator[Callable[[History], None]]:
    """A bar of tqdm, or nothing."""
    if not progress:
        yield lambda _: None
        return
    try:
        from tqdm import tqdm  # noqa: PLC0415  (optional)
    except ImportError:
        raise ImportError(
            "a progress bar needs tqdm, which is not installed; install it, or leave progress out"
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
    over: Any = None,
) -> LossAndGradients:
    """Compute a loss and its gradient shard by shard of the batch, by joblib.

    Parameters
    ----------
    net, inputs, targets, loss, mask, over
        As `loss_and_gradients` takes them; with an axis for the batch.
    shards : int
        In how many parts of about one size the batch is split.

    Returns
    -------
    LossAndGradients
        Those of the whole batch: the same bits whatever computes the shards, and but for
        rounding those of `loss_and_gradients`.

    Raises
    ------
    ShapeError, ValueError
        As by `loss_and_gradients`; also if there are more shards than sequences.
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
    >>> bool(np.isclose(found.loss, nn.loss(net, *given)))
    True
    """
    joblib = _joblib()
    data = Sequences(inputs, targets, mask)
    counts = Task(net, inputs, targets, loss, mask=mask, over=over).counts
    check_batched(net, data, loss, over=over)
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


def _joblib() -> Any:
    try:
        import joblib  # noqa: PLC0415  (optional)
    except ImportError:
        raise ImportError(
            "work in several processes needs joblib, which is not installed; install it"
        ) from None
    return joblib
