"""Backpropagation through time: losses and gradients, of long sequences in little memory too.

A window is run in segments, each from the state in which the one before it ended. The
state is all that a segment reads of what was before it; so backward, the gradient by the
state with which a segment began is the gradient that arrives from outside at the last
steps of the segment before it, and the sum over the segments is the exact gradient.

*Checkpoints.* Backward, a segment needs its own values only. They are computed again,
from a kept state. If all states are kept, each segment is computed twice; if only s fit,
states are kept where they save most, by the binomial schedule of Griewank and Walther:
with s states and no segment computed ahead more than r times one comes through
``C(s + r, s)`` segments, and ``r l - C(s + r, r - 1)`` computations ahead are the fewest
possible for l of them.

*Truncation.* BPTT(h; h') of Williams and Peng goes back every h' steps: the losses of the
last h' steps, through the last h steps. It is the exact gradient of each such piece over
a window of h steps, for a state that is taken as given.

Both need a network that can be computed step by step: no edge reads from a later step.

A gradient is checked along a random direction. The derivative of a loss f along a direction d is
``<gradient, d>``. It is compared with the difference quotient ``(f(w + h d) - f(w - h d)) / 2
h``, whose error is of the order h^2, and of the order h^4 after two step lengths are combined as
Richardson did. A random direction finds an error in any parameter, almost surely, by four values
of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from math import comb, isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import show_edge
from unrollgraph.graph.times import check_integer
from unrollgraph.nn.losses import LossAndGradients, Task
from unrollgraph.nn.network import Network

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network


Array = NDArray[Any]


# -- the schedule ------------------------------------------------------------------------


def advances(length: int, snapshots: int) -> int:
    """Fewest computations ahead that go back through a chain, with so many states kept.

    Examples
    --------
    >>> advances(10, 3)
    15
    """
    repeats = _repeats(length, snapshots)
    return repeats * length - comb(snapshots + repeats, repeats - 1) if repeats else 0


def _repeats(length: int, snapshots: int) -> int:
    repeats = 0
    while comb(snapshots + repeats, snapshots) < length:
        repeats += 1
    return repeats


def schedule(length: int, snapshots: int) -> Iterator[tuple[int, int]]:
    """Go back through a chain with as few computations ahead as possible.

    Parameters
    ----------
    length : int
        Number of links.
    snapshots : int
        How many states may be kept, that before the first link among them.

    Yields
    ------
    (int, int)
        ``(i, j)`` with i < j: go from the kept state before link i ahead to that before
        link j, and keep it. ``(i, i)``: go through link i, and back; the state before it
        is not needed any more.

    Examples
    --------
    >>> list(schedule(3, 2))
    [(0, 1), (1, 2), (2, 2), (1, 1), (0, 0)]
    """
    ahead = [(0, length, snapshots)]
    while ahead:
        start, stop, free = ahead.pop()
        n = stop - start
        if n == 1:
            yield start, start
        elif free == 1:
            for last in range(stop - 1, start, -1):
                yield start, last
                yield last, last
            yield start, start
        else:
            repeats = _repeats(n, free)
            first = max(1, comb(free + repeats - 2, free), n - comb(free + repeats - 1, free - 1))
            yield start, start + first
            ahead += [(start, start + first, free), (start + first, stop, free - 1)]


# -- what is refused --------------------------------------------------------------------


def _check_causal(net: Network, what: str) -> None:
    if net.graph.dimension > 1:
        raise ValueError(f"{what} need a window of steps, but the delays are in Z^d with d > 1")
    for e, delay in enumerate(net.graph.delays[:, 0].tolist()):
        if delay < 0:
            raise ValueError(
                f"{what} need a network computed step by step, but the edge "
                f"{show_edge(net.graph.edges[e])} of delay {delay} reads from a later step; "
                "retime the network, or take the whole window at once"
            )


# -- the three ways --------------------------------------------------------------------------


def _whole(task: Task, initial: Mapping[Any, ArrayLike]) -> LossAndGradients:
    """Take the whole window at once."""
    task.back(task.run(0, task.steps, initial), task.steps, None)
    return task.result()


def _checkpointed(task: Task, initial: Mapping[Any, ArrayLike], snapshots: Any) -> LossAndGradients:
    """Take segments of about the square root of the window, with few states kept."""
    net = task.net
    _check_causal(net, "checkpoints")
    kept = None if snapshots is True else check_integer(snapshots, "checkpoints, if not True,", 1)
    length = isqrt(max(0, task.steps - 1)) + 1
    ends = [*range(length, task.steps, length), task.steps]
    begins = [0, *ends[:-1]]
    states: dict[int, Mapping[Any, ArrayLike]] = {0: initial}
    carried: dict[Any, Array] | None = None
    for i, j in schedule(len(ends), kept or len(ends)):
        if i == j:
            run = task.run(begins[i], ends[i], states.pop(i))
            if carried is None:
                carried = {v: np.zeros_like(rows) for v, rows in run.state.items()}
            carried = task.back(run, ends[i], carried)
            del run
            if ends[i] - begins[i] != length:  # the last one, whose length does not come again
                net.plans.forget(ends[i] - begins[i])
            continue
        state = states[i]
        for k in range(i, j):
            state = task.run(begins[k], ends[k], state).state
        states[j] = state
    return task.result()


def _truncated(task: Task, initial: Mapping[Any, ArrayLike], lengths: Any) -> LossAndGradients:
    """Go back every so many steps, through so many."""
    _check_causal(task.net, "truncated gradients")
    pair = lengths if isinstance(lengths, tuple) else (lengths, lengths)
    if len(pair) != 2:
        raise ValueError(f"truncate is one integer or a pair of them, not {lengths!r}")
    h, every = (check_integer(number, "a length in truncate", 1) for number in pair)
    if h < every:
        raise ValueError(
            f"going back {h} steps every {every} leaves steps out; let the first number be "
            "the larger"
        )
    state, begin = initial, 0
    for start in range(0, task.steps, every):
        stop = min(start + every, task.steps)
        run = task.run(begin, stop, state)
        task.back(run, stop, None, losses=stop - start)
        following = max(begin, min(start + 2 * every, task.steps) - h)
        state, begin = run.state_after(following - begin), following
    return task.result()


# -- what users call ----------------------------------------------------------------------


def loss(
    net: Network,
    inputs: Mapping[Any, ArrayLike],
    targets: Mapping[Any, ArrayLike],
    loss: str = "mse",
    *,
    mask: ArrayLike | None = None,
    over: Any = None,
    initial: Mapping[Any, ArrayLike] | None = None,
) -> float:
    """Compute a loss, and nothing else.

    Parameters
    ----------
    net, inputs, targets, loss, mask, over, initial
        As `loss_and_gradients` takes them.

    Returns
    -------
    float
        The mean over all that counts.

    Raises
    ------
    ShapeError, ValueError
        As by `loss_and_gradients`.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(2, 3, 65))
    >>> net.parameters["out.weight"][...] = 0
    >>> classes = np.zeros(25, int)
    >>> round(nn.loss(net, {"in": np.ones((25, 2))}, {"out": classes}, "cross_entropy"), 6)
    4.174387
    """
    return _value(Task(net, inputs, targets, loss, mask=mask, over=over), initial)


def _value(task: Task, initial: Mapping[Any, ArrayLike] | None) -> float:
    """The loss of a task that is taken at once."""
    task.compare(task.run(0, task.steps, initial or {}), task.steps)
    return task.value


def loss_and_gradients(  # noqa: PLR0913  (options)
    net: Network,
    inputs: Mapping[Any, ArrayLike],
    targets: Mapping[Any, ArrayLike],
    loss: str = "mse",
    *,
    mask: ArrayLike | None = None,
    over: Any = None,
    initial: Mapping[Any, ArrayLike] | None = None,
    checkpoints: bool | int | None = None,
    truncate: int | tuple[int, int] | None = None,
) -> LossAndGradients:
    """Compute a loss and its gradient by the parameters, and nothing else.

    Parameters
    ----------
    net : Network
        A network.
    inputs : mapping
        As `Network.forward` takes them.
    targets : mapping
        For some vertices, what their values are compared with, of the shape of these;
        for ``"cross_entropy"`` integers, without the axis of the size.
    loss : str
        Name of a loss: ``"mse"``, ``"binary_cross_entropy"`` or ``"cross_entropy"``; `nn.losses`
        tells what they are. Several vertices: the sum of their losses.
    mask : array_like, optional
        Which steps count, of shape ``(T,)`` or ``(T, batch)``: booleans or weights. The
        loss is then the mean over what counts, as for sequences of different lengths
        that are filled up at their ends (see `nn.padded`). Targets where it is 0, and
        inputs that no step that counts can read, may be NaN, infinite or no index.
        In a network with negative delays, all sequences must end at the same step.
    over : GraphMap or anything with a projection, optional
        As `Network.forward` takes it.
    initial : mapping, optional
        As `Network.forward` takes it.
    checkpoints : bool or int, optional
        Whether to work in segments of about the square root of the number of steps,
        keeping the states between them: all of them if True, else so many at a time.
        The gradient is exact, and the memory that of one segment and the states.
    truncate : int or pair of int, optional
        ``(h, k)``: go back every k steps, from the losses of the last k, through the
        last h; one number stands for both. Not the exact gradient.

    Returns
    -------
    LossAndGradients
        ``loss``, and ``parameters``: a gradient for each parameter.

    Raises
    ------
    ShapeError
        If an array does not fit its vertex.
    ValueError
        If it is to be done in segments and an edge reads from a later step, there is no
        such loss, the mask counts nothing, or sequences end at different steps and an
        edge reads from a later step.

    Notes
    -----
    With all states kept, a segment is computed forward twice and back once. With
    fewer, it is computed as rarely as possible [1]_; `nn.bptt.advances` tells.

    References
    ----------
    .. [1] A. Griewank and A. Walther, "Algorithm 799: Revolve", ACM Transactions on
       Mathematical Software 26, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(2, 3, 1))
    >>> x, y = {"in": np.ones((1000, 2))}, {"out": np.zeros((1000, 1))}
    >>> loss, gradients = nn.loss_and_gradients(net, x, y, checkpoints=True)
    >>> whole = nn.loss_and_gradients(net, x, y)
    >>> bool(np.allclose(gradients["A.weight"], whole.parameters["A.weight"]))
    True
    """
    if truncate is not None and checkpoints:
        raise ValueError("truncated gradients need no checkpoints; give one of both")
    if over is not None and (truncate is not None or checkpoints):
        raise ValueError("segments are those of a window; over another graph take the whole")
    task = Task(net, inputs, targets, loss, mask=mask, over=over)
    if truncate is not None:
        return _truncated(task, initial or {}, truncate)
    if checkpoints is not None and checkpoints is not False:
        return _checkpointed(task, initial or {}, checkpoints)
    return _whole(task, initial or {})


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
        return _value(Task(twin, inputs, targets, loss, mask=mask, over=over), initial)

    wide, narrow = ((at(h) - at(-h)) / (2 * h) for h in (STEP, STEP / 2))
    numeric = (4 * narrow - wide) / 3
    norm = math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in gradients.values()))
    noise = 1e-8 * (1 + abs(at(0.0)))  # a norm below it is hidden by the rounding of the loss
    return GradientCheck(exact, numeric, abs(exact - numeric) / max(norm, noise))
