"""Fitting: parameters that follow the gradient of a loss, epoch by epoch.

An *epoch* goes once through all sequences, in batches whose order is drawn from the seed and the
number of the epoch. So the state in which an epoch ends is all there is to know: parameters,
what the optimiser remembers, and the losses so far. It can be kept in a file after each epoch,
written whole or not at all; and a fit that goes on from it computes the same bits as one that
was never interrupted.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import DivergenceError, FormatError, ShapeError, show_kind
from unrollgraph.io.files import must_end_in, write_whole
from unrollgraph.morphism.graph_map import arcs_of, as_graph_map
from unrollgraph.nn.archive import PARAMETERS, opened, page_of, read_arrays, written
from unrollgraph.nn.network import Network
from unrollgraph.nn.optimisers import Adam, Optimiser, clipped
from unrollgraph.nn.saving import take_over
from unrollgraph.nn.sequences import Sequences, must_be_batched
from unrollgraph.nn.tasks import LossAndGradients, Task

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
        Name of a loss, as `Network.loss_and_gradients` takes it.
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
        mask=...)``, with ``over=...`` if that is given. `Network.loss_and_gradients` unless
        given; ``functools.partial(nn.Network.loss_and_gradients, truncate=20)`` truncates.
    checkpoint : path, optional
        A file, ``.npz``, in which the state is kept after each epoch. If it is there already,
        the fit goes on from it, up to ``epochs`` in all. `nn.load` reads the network in it.
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
        If a number is out of its range, ``patience`` has nothing to watch, or the checkpoint is
        that of a fit with other settings or other data. (Functions of your own, given as
        ``gradients``, are not compared.)
    TypeError
        If something is no optimiser or no sequences, or ``gradients`` returns something else.
    FormatError
        If the checkpoint is none, or a file cannot hold the network.
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
    _must_be_sound(
        optimiser,
        {"epochs": epochs, "batch": batch, "patience": patience, "seed": seed},
        {"data": data, "validation": validation},
    )
    if data is None:
        raise TypeError("there is nothing to train on; give nn.Sequences(inputs, targets)")
    if patience is not None and validation is None:
        raise ValueError("patience waits for a lower validation loss; give validation sequences")
    if batch is not None:
        must_be_batched(net, data, loss, over=over)
    more = {"loss": loss} | ({} if over is None else {"over": over})
    compute = Network.loss_and_gradients if gradients is None else gradients
    state = _State(History(), optimiser.start(net.parameters), {})
    settings: dict[str, Any] = {}
    if checkpoint is not None:
        must_end_in(checkpoint, ".npz", "a checkpoint")
        settings = {"loss": loss, "clip": None if clip is None else float(clip)}
        for name, number in (("batch", batch), ("patience", patience), ("seed", seed)):
            settings[name] = None if number is None else int(number)
        settings |= {"optimiser": _named(optimiser), "network": _digest(page_of(net).encode())}
        settings |= {"gradients": _told_more(gradients), "over": _outlined(over)}
        settings |= {"sequences": _fingerprint(data), "validation": _fingerprint(validation)}
        if Path(checkpoint).exists():
            state = _found(checkpoint, net, state, settings)
    with _shown(state.history, epochs, progress=progress) as show:
        for epoch in range(len(state.history.losses), 0 if state.history.stopped else epochs):
            losses = []
            for part in _batches(data, batch, np.random.default_rng([seed, epoch])):
                with np.errstate(over="ignore", invalid="ignore"):
                    found = compute(net, part.inputs, part.targets, mask=part.mask, **more)
                _must_be_gradients(found, net)
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
                watched = float(net.loss(*given, mask=validation.mask, **more))
                if not math.isfinite(watched) and (fault := _fault(net, validation, more)):
                    raise DivergenceError(f"in the validation data, {fault}; repair the data")
            state = state.after(net, _mean(losses), watched, patience)
            if checkpoint is not None:
                write_whole(checkpoint, state.written(net, settings))
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

    def written(self, net: Network, settings: dict[str, Any]) -> bytes:
        """The bytes of a file; the network in it is what the fit would leave if it ended now."""
        arrays = {f"{MEMORY}{name}": np.asarray(array) for name, array in self.memory.items()}
        if self.best:
            arrays |= {f"{LAST}{name}": array for name, array in net.parameters.items()}
            arrays |= {f"{PARAMETERS}{name}": array for name, array in self.best.items()}
        notes = {"settings": settings, "history": dataclasses.asdict(self.history)}
        return written(net, arrays, notes)


OTHERS = {
    "network": "the network is another",
    "sequences": "other sequences data",
    "validation": "other validation data",
    "over": "the graph to run over is another",
}


def _found(path: Any, net: Network, start: _State, settings: dict[str, Any]) -> _State:
    """The state in a file; the parameters of the network become what they were."""
    kinds = map(type, net.graph.vertex_values("op"))
    archive = opened(path, {f"{kind.__module__}:{kind.__qualname__}": kind for kind in kinds})
    try:
        kept, found = archive.notes["settings"], archive.notes["history"]
        history = History(
            tuple(map(float, found["losses"])),
            tuple(map(float, found["validation"])),
            int(found["best"]),
            bool(found["stopped"]),
        )
        other = [name for name in settings if kept[name] != settings[name]]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FormatError(
            f"{path} holds no fit that could go on; name another file, or move this one away"
        ) from None
    if other:
        (name, *_) = other
        plain = f"{name} is {kept[name]!r} there and {settings[name]!r} here"
        what = OTHERS.get(name, plain)
        raise ValueError(
            f"{path} holds a fit with other settings: {what}; name another file, or move this one "
            "away"
        )

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


def _must_be_sound(optimiser: Any, numbers: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Refuse what is no optimiser, no number, or no sequences."""
    methods = [getattr(optimiser, name, None) for name in ("start", "step")]
    if isinstance(optimiser, type) or not all(map(callable, methods)):
        raise TypeError(f"{optimiser!r} is no optimiser; give one such as nn.Adam(1e-3)")
    for name, number in numbers.items():
        least = 0 if name == "seed" else 1
        whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        if (number is not None or name == "seed") and not (whole and number >= least):
            kind = "positive" if least else "non-negative"
            raise ValueError(f"{name} is {number!r}, but it must be a {kind} integer")
    for name, sequences in data.items():
        if sequences is not None and not isinstance(sequences, Sequences):
            raise TypeError(
                f"{name} is {show_kind(sequences)}, not nn.Sequences; write "
                "nn.Sequences(inputs, targets)"
            )


def _must_be_gradients(found: Any, net: Network) -> None:
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


def _named(optimiser: Any) -> str:
    """An optimiser by its class and the values of its fields, whatever their types of number."""
    kind = type(optimiser)
    told = dataclasses.fields(optimiser) if dataclasses.is_dataclass(optimiser) else ()
    fields = {field.name: _plain(getattr(optimiser, field.name)) for field in told}
    return f"{kind.__qualname__}({', '.join(f'{k}={v!r}' for k, v in fields.items())})"


def _plain(value: Any) -> Any:
    """A number as a Python number, a float if it is real."""
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    value = value.item() if isinstance(value, np.generic) else value
    return float(value) if type(value) is int else value


def _told_more(gradients: Any) -> str:
    """What `Network.loss_and_gradients` is told beyond the task; empty for other functions."""
    if not isinstance(gradients, functools.partial):
        return ""
    if gradients.func is not Network.loss_and_gradients:
        return ""
    return ", ".join(f"{k}={_plain(x)!r}" for k, x in sorted(gradients.keywords.items()))


def _outlined(over: Any) -> str:
    """What tells a graph to run over from others."""
    if over is None:
        return ""
    p = as_graph_map(over)
    arcs = [(arc, p.edge(arc)) for arc in arcs_of(p.total)]
    return _digest(repr(([(x, p(x)) for x in p.total], arcs)).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fingerprint(data: Sequences | None) -> str:
    """What tells sequences from others."""
    if data is None:
        return ""
    known = hashlib.sha256()
    parts = {"input": data.inputs, "target": data.targets}
    parts["mask"] = {} if data.mask is None else {"": data.mask}
    for part, arrays in parts.items():
        for name, given in arrays.items():
            array = np.ascontiguousarray(given)
            known.update(repr((part, name, array.dtype.str, array.shape)).encode())
            known.update(array.tobytes())
    return known.hexdigest()


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
