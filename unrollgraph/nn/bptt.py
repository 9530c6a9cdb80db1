"""Backpropagation through time: losses, gradients and their numerical check.

A window is split into segments, each of which starts from the state at the end of the previous one
and depends on earlier steps through this state only. Backward, the gradient with respect to the
initial state of a segment is added to the gradient at the last steps of the previous segment. The
sum over all segments is the exact gradient.

*Checkpoints.* The values of a segment are recomputed from a stored state when its backward pass
needs them. If all states are stored, each segment is computed forward twice. With s stored states,
the binomial schedule of Griewank and Walther (2000) advances over each segment at most r times,
where r is the least number with ``C(s + r, s) >= l`` for l segments. It needs
``r l - C(s + r, r - 1)`` advances, the fewest possible.

*Truncation.* BPTT(h; h') of Williams and Peng (1990) propagates, every h' steps, the losses of the
last h' steps back through the last h steps: the exact gradient of these losses over a window of h
steps with a constant initial state. Both methods require that no edge has a negative delay.

*Check.* The derivative ``<gradient, d>`` of a loss f in a random direction d is compared with the
central difference ``(f(w + h d) - f(w - h d)) / (2 h)``. Richardson extrapolation from two step
lengths reduces its error from O(h^2) to O(h^4). A random direction detects an error in any
parameter with probability 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from math import comb, isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.graph.times import check_integer
from unrollgraph.morphism.graph_map import MapLike
from unrollgraph.nn.losses import LossAndGradients, Task
from unrollgraph.nn.network import Network, check_network

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network, check_network


Array = NDArray[Any]


# -- the schedule ------------------------------------------------------------------------


def advances(length: int, snapshots: int) -> int:
    """Fewest advances in a backward pass with ``snapshots`` stored states.

    The forward computation of a segment just before its backward computation is not counted.

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
    """Yield the steps of a backward pass with the fewest advances.

    ``snapshots`` is the number of states that may be stored, including the initial state. A pair
    ``(i, j)`` with i < j: advance from the stored state before segment i to the state before
    segment j, and store it. ``(i, i)``: compute segment i forward and backward; the state before it
    is no longer needed.

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


# -- checks -------------------------------------------------------------------------------


def _check_causal(net: Network, what: str) -> None:
    if net.delay_graph.dimension > 1:
        raise ValueError(
            f"{what} require a window of steps, but the delays are in "
            f"Z^{net.delay_graph.dimension}; omit checkpoints and truncate"
        )
    for e, delay in enumerate(net.delay_graph.delays[:, 0].tolist()):
        if delay < 0:
            raise ValueError(
                f"{what} require delays >= 0, but the edge {net.delay_graph.edges[e]!r} has delay "
                f"{delay}; retime the network, or omit checkpoints and truncate"
            )


# -- three methods ---------------------------------------------------------------------------


def _whole(task: Task, initial: Mapping[Any, ArrayLike]) -> LossAndGradients:
    """Run the whole window at once."""
    task.back(task.run(0, task.steps, initial), task.steps, None)
    return task.result()


def _checkpointed(task: Task, initial: Mapping[Any, ArrayLike], snapshots: Any) -> LossAndGradients:
    """Run segments of about sqrt(steps) steps, with stored states between them."""
    net = task.net
    _check_causal(net, "checkpoints")
    kept = None if snapshots is True else check_integer(snapshots, "checkpoints", 1)
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
            if ends[i] - begins[i] != length:  # only the last segment has this length
                net.plans.forget(ends[i] - begins[i])
            continue
        state = states[i]
        for k in range(i, j):
            state = task.run(begins[k], ends[k], state).state
        states[j] = state
    return task.result()


def _truncated(task: Task, initial: Mapping[Any, ArrayLike], lengths: Any) -> LossAndGradients:
    """Run BPTT(h; h') with ``lengths`` h and h'."""
    _check_causal(task.net, "truncated gradients")
    pair = lengths if isinstance(lengths, tuple) else (lengths, lengths)
    if len(pair) != 2:
        raise ValueError(f"truncate must be an integer or a pair of integers, not {lengths!r}")
    h, every = (check_integer(number, "a length in truncate", 1) for number in pair)
    if h < every:
        raise ValueError(
            f"truncate=({h}, {every}) skips steps: the first number must not be less than the "
            "second"
        )
    state, begin = initial, 0
    for start in range(0, task.steps, every):
        stop = min(start + every, task.steps)
        run = task.run(begin, stop, state)
        task.back(run, stop, None, losses=stop - start)
        following = max(begin, min(start + 2 * every, task.steps) - h)
        state, begin = run.state_after(following - begin), following
    return task.result()


# -- public functions ---------------------------------------------------------------------


def loss(
    net: Network,
    inputs: Mapping[Any, ArrayLike],
    targets: Mapping[Any, ArrayLike],
    loss: str = "mse",
    *,
    mask: ArrayLike | None = None,
    over: MapLike | None = None,
    initial: Mapping[Any, ArrayLike] | None = None,
) -> float:
    """Compute the loss of a network.

    Parameters
    ----------
    net, inputs, targets, loss, mask, over, initial
        As in `loss_and_gradients`.

    Returns
    -------
    float
        The loss.

    Raises
    ------
    ShapeError, ValueError
        As in `loss_and_gradients`.

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
    check_network(net)
    return _value(Task(net, inputs, targets, loss, mask=mask, over=over), initial)


def _value(task: Task, initial: Mapping[Any, ArrayLike] | None) -> float:
    """Loss of a task that is run at once."""
    task.compare(task.run(0, task.steps, initial or {}), task.steps)
    return task.value


def loss_and_gradients(  # noqa: PLR0913  (options)
    net: Network,
    inputs: Mapping[Any, ArrayLike],
    targets: Mapping[Any, ArrayLike],
    loss: str = "mse",
    *,
    mask: ArrayLike | None = None,
    over: MapLike | None = None,
    initial: Mapping[Any, ArrayLike] | None = None,
    checkpoints: bool | int | None = None,
    truncate: int | tuple[int, int] | None = None,
) -> LossAndGradients:
    """Compute a loss and its gradient with respect to the parameters.

    Parameters
    ----------
    net : Network
        The network.
    inputs : mapping
        Inputs, as in `Network.forward`.
    targets : mapping
        For some vertices, targets of the shape of their values; for ``"cross_entropy"`` class
        indices, without the axis of the size.
    loss : {"mse", "binary_cross_entropy", "cross_entropy"}
        Name of the loss; see `nn.losses`. The losses of several vertices are added.
    mask : array_like, optional
        Booleans or weights >= 0 of shape ``(T,)`` or ``(T, batch)``; the loss is the weighted mean.
        Used for padded sequences (see `nn.pad_sequences`). Targets of weight 0, and inputs that no
        step of positive weight can read, may be NaN, infinite or invalid indices. With negative
        delays, all sequences must end at the same step.
    over : GraphMap or graph with a projection, optional
        Acyclic graph to run over (default: a window of T steps).
    initial : mapping, optional
        Initial values, as in `Network.forward`.
    checkpoints : bool or int, optional
        Whether to compute in segments of about sqrt(T) steps and store the states between them: all
        of them if True, else at most this number at a time. The gradient is exact; the memory is
        that of one segment and of the states.
    truncate : int or (int, int), optional
        ``(h, k)``: every k steps, propagate the losses of the last k steps back through the last h
        steps. An integer h means ``(h, h)``. The gradient is not exact.

    Returns
    -------
    LossAndGradients
        ``loss``, and ``parameters``: a gradient for each parameter.

    Raises
    ------
    ShapeError
        If an array does not fit its vertex.
    ValueError
        If there is no such loss, the mask is zero everywhere, options exclude each other, or a
        delay is negative with ``checkpoints``, with ``truncate``, or with sequences that end at
        different steps.

    Notes
    -----
    If all states are stored, each segment is computed forward twice and backward once; with fewer
    states, the number of forward computations is minimal [1]_ (see `nn.bptt.advances`).

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
    check_network(net)
    if truncate is not None and checkpoints:
        raise ValueError("truncate and checkpoints exclude each other; give only one of them")
    if over is not None and (truncate is not None or checkpoints):
        raise ValueError("checkpoints and truncate apply to a window only; omit them with over=")
    task = Task(net, inputs, targets, loss, mask=mask, over=over)
    if truncate is not None:
        return _truncated(task, initial or {}, truncate)
    if checkpoints is not None and checkpoints is not False:
        return _checkpointed(task, initial or {}, checkpoints)
    return _whole(task, initial or {})


STEP = 1e-3  # the truncation error STEP**4 and the rounding error eps / STEP are about equal


class GradientCheck(NamedTuple):
    """Directional derivative of a loss, computed in two ways.

    Attributes
    ----------
    exact : float
        Inner product of the gradient with the direction.
    numeric : float
        Finite difference.
    error : float
        Absolute difference of both, divided by the norm of the gradient.
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
    over: MapLike | None = None,
    initial: Mapping[Any, ArrayLike] | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient of a loss with a finite difference in a random direction.

    Parameters
    ----------
    net, inputs, targets, loss, mask, over, initial
        As in `loss_and_gradients`; the parameters of ``net`` do not change.
    seed : int
        Seed of the direction.

    Returns
    -------
    GradientCheck
        For smooth operations, the error is below 1e-8 in double precision and below 1e-4 in single
        precision (with a finite difference in double precision). ReLU has no derivative at 0, so a
        finite difference across 0 does not approximate the gradient.

    Raises
    ------
    ShapeError, ValueError
        As in `loss_and_gradients`; also if the network has no parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(2, 3, 1))
    >>> check = nn.check_gradients(net, {"in": np.ones((6, 2))}, {"out": np.zeros((6, 1))})
    >>> check.error < 1e-8
    True
    """
    check_network(net)
    if not net.parameters:
        raise ValueError("the network has no parameters, so there is no gradient to check")
    rng = np.random.default_rng(seed)
    direction = {name: rng.normal(size=array.shape) for name, array in net.parameters.items()}
    length = math.sqrt(sum(float((d * d).sum()) for d in direction.values()))
    given: dict[str, Any] = {"mask": mask, "over": over, "initial": initial}
    gradients = loss_and_gradients(net, inputs, targets, loss, **given).parameters
    exact = sum(float((gradients[name] * d).sum()) for name, d in direction.items()) / length
    twin = Network(net.delay_graph)
    start = {name: array.astype(np.float64) for name, array in net.parameters.items()}

    def at(step: float) -> float:
        for name, d in direction.items():
            twin.parameters[name][...] = start[name] + step / length * d
        return _value(Task(twin, inputs, targets, loss, mask=mask, over=over), initial)

    wide, narrow = ((at(h) - at(-h)) / (2 * h) for h in (STEP, STEP / 2))
    numeric = (4 * narrow - wide) / 3
    norm = math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in gradients.values()))
    noise = 1e-8 * (1 + abs(at(0.0)))  # the rounding of the loss hides smaller norms
    return GradientCheck(exact, numeric, abs(exact - numeric) / max(norm, noise))
