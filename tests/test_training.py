"""Training: losses, masks, optimizers, fits that go on, and gradients that are checked."""

import json
import math
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import losses

A = nn.architectures
CAUSAL = ["elman", "jordan", "gru", "lstm", "peephole_lstm", "stacked", "dilated", "narx"]
CAUSAL += ["recurrent_highway", "seed"]
LOSSES = ["mse", "binary_cross_entropy", "cross_entropy"]


def ends(name):
    return ("in", "out") if name == "seed" else ("x", "y")


def net_called(name, *sizes, **more):
    """With biases that are not zero, which padding would show."""
    net = nn.Network(getattr(A, name)(*(sizes or (2, 3, 4))), seed=1, **more)
    rng = np.random.default_rng(7)
    for array in net.parameters.values():
        if array.ndim == 1:
            array[...] = rng.normal(size=array.shape)
    return net


def targets_for(loss, rng, shape):
    if loss == "cross_entropy":
        return rng.integers(shape[-1], size=shape[:-1])
    return rng.uniform(size=shape)


def sequence(name, T, loss="mse", seed=0, batch=()):
    x, y = ends(name)
    rng = np.random.default_rng([seed, T])
    inputs = {x: rng.normal(size=(T, *batch, 2))}
    return inputs, {y: targets_for(loss, rng, (T, *batch, 4))}


# -- losses ----------------------------------------------------------------------------------


def by_hand(loss, values, targets):
    """Losses as they are written in books, of entries or of vectors."""
    if loss == "mse":
        return (values - targets) ** 2
    if loss == "cross_entropy":
        return -np.take_along_axis(special.log_softmax(values, axis=-1), targets[..., None], -1)
    p = special.expit(values)
    return -(special.xlogy(targets, p) + special.xlogy(1 - targets, 1 - p))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("batch", [(), (5,)])
def test_a_loss_is_the_mean_of_what_books_say(loss, batch):
    net = net_called("lstm")
    inputs, targets = sequence("lstm", 6, loss, batch=batch)
    values = net.forward(inputs).values["y"]
    expected = np.mean(by_hand(loss, values, targets["y"]))
    assert nn.loss(net, inputs, targets, loss) == pytest.approx(expected, rel=1e-13)
    assert nn.loss_and_gradients(net, inputs, targets, loss).loss == pytest.approx(
        expected, rel=1e-13
    )


@pytest.mark.parametrize("name", [*CAUSAL, "bidirectional"])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_losses_agree_with_difference_quotients(name, loss):
    check = nn.check_gradients(net_called(name), *sequence(name, 6, loss, batch=(2,)), loss)
    assert check.error < 1e-8
    assert check.exact != 0


@pytest.mark.parametrize("size", [1e3, 1e300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_large_logits_have_finite_losses(size, dtype):
    size = min(size, 1e30) if dtype == np.float32 else size
    net = nn.Network(A.seed(1, 1, 2), dtype=dtype)
    for name, array in net.parameters.items():
        array[...] = 0
        if name == "out.bias":
            array[...] = [size, -size]
    x = {"in": np.ones((3, 1))}
    right = nn.loss_and_gradients(net, x, {"out": np.zeros(3, int)}, "cross_entropy")
    wrong = nn.loss_and_gradients(net, x, {"out": np.ones(3, int)}, "cross_entropy")
    assert right.loss == 0
    assert wrong.loss == pytest.approx(2 * size, rel=1e-6)
    assert wrong.parameters["out.bias"].tolist() == [1, -1]
    shares = {"out": np.tile([1.0, 1.0], (3, 1))}
    found = nn.loss_and_gradients(net, x, shares, "binary_cross_entropy")
    assert found.loss == pytest.approx(size / 2, rel=1e-6)
    assert found.parameters["out.bias"].tolist() == [0, -0.5]


def test_a_network_that_knows_nothing_has_the_published_loss():
    """Of 65 characters over 25 steps: 25 ln 65, as min-char-rnn prints before it learns."""
    net = nn.Network(A.lstm(65, 4, 65))
    net.parameters["y.weight"][...] = 0
    rng = np.random.default_rng(0)
    x = {"x": np.eye(65)[rng.integers(65, size=25)]}
    found = nn.loss(net, x, {"y": rng.integers(65, size=25)}, "cross_entropy")
    assert 25 * found == pytest.approx(104.35968174739092, rel=1e-14)


def test_two_vertices_add_their_losses():
    net = net_called("lstm")
    inputs, targets = sequence("lstm", 6)
    both = targets | {"c": np.zeros((6, 3))}
    alone = nn.loss(net, inputs, {"c": np.zeros((6, 3))})
    assert nn.loss(net, inputs, both) == pytest.approx(
        nn.loss(net, inputs, targets) + alone, rel=1e-14
    )


@pytest.mark.parametrize(
    ("loss", "target", "message"),
    [
        ("cross_entropy", np.zeros((9, 4)), "has dtype float64; class indices must be integers"),
        ("cross_entropy", np.full(9, 4), "has class indices from 4 to 4; they must be from 0 to 3"),
        ("cross_entropy", np.full(9, -1), "has class indices from -1 to -1; they must be from"),
        (
            "cross_entropy",
            np.zeros((9, 4), int),
            r"\(9, 4\), but class indices of shape \(9,\) are required",
        ),
        (
            "binary_cross_entropy",
            np.full((9, 4), 1.5),
            "has values from 1.5 to 1.5; they must be from 0",
        ),
        (
            "binary_cross_entropy",
            np.full((9, 4), np.nan),
            "has values from nan to nan; they must be from 0",
        ),
        ("mse", np.zeros(9), r"has shape \(9,\), but its values have shape \(9, 4\)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, target, message):
    with pytest.raises(ug.errors.ShapeError, match=message):
        nn.loss(net_called("elman"), {"x": np.ones((9, 2))}, {"y": target}, loss)


# -- masks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("loss", LOSSES)
def test_filled_up_sequences_train_as_they_do_alone(name, loss):
    """The mean over all steps that count, of each sequence by itself."""
    net = net_called(name)
    alone = [sequence(name, T, loss, seed=k) for k, T in enumerate((5, 2, 9, 1))]
    together = nn.pad_sequences(alone)
    steps = [len(next(iter(targets.values()))) for _, targets in alone]
    assert np.asarray(together.mask).sum(axis=0).tolist() == steps
    for how in ({}, {"checkpoints": True}, {"truncate": (9, 4)}):
        found = nn.loss_and_gradients(
            net, together.inputs, together.targets, loss, mask=together.mask, **how
        )
        parts = [nn.loss_and_gradients(net, *pair, loss) for pair in alone]
        expected = np.average([part.loss for part in parts], weights=steps)
        assert found.loss == pytest.approx(expected, rel=1e-12)
        for key, gradient in found.parameters.items():
            mean = np.average([part.parameters[key] for part in parts], axis=0, weights=steps)
            assert np.allclose(gradient, mean, atol=1e-13), key


def test_what_fills_up_does_not_count():
    net = net_called("gru")
    pairs = [sequence("gru", T, seed=T) for T in (3, 7)]
    data = nn.pad_sequences(pairs)
    plain = nn.loss_and_gradients(net, data.inputs, data.targets, mask=data.mask)
    data.inputs["x"][3:, 0] = 1e3
    data.targets["y"][3:, 0] = -1e3
    again = nn.loss_and_gradients(net, data.inputs, data.targets, mask=data.mask)
    assert again.loss == plain.loss
    for key, gradient in plain.parameters.items():
        assert np.array_equal(gradient, again.parameters[key])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_mask_may_weigh_and_only_shares_matter(loss):
    net = net_called("elman")
    inputs, targets = sequence("elman", 6, loss, batch=(3,))
    weights = np.random.default_rng(3).uniform(size=(6, 3))
    values = net.forward(inputs).values["y"]
    entries = by_hand(loss, values, targets["y"]).mean(axis=-1)
    expected = np.average(entries, weights=weights)
    for mask in (weights, 10 * weights):
        assert nn.loss(net, inputs, targets, loss, mask=mask) == pytest.approx(expected, rel=1e-12)
    last = [0, 0, 0, 0, 0, 1]
    assert nn.loss(net, inputs, targets, loss, mask=last) == pytest.approx(entries[-1].mean())
    assert nn.loss(net, inputs, targets, loss, mask=np.ones(6, bool)) == pytest.approx(
        entries.mean()
    )


WITHOUT_MEANING = {"mse": math.nan, "binary_cross_entropy": math.inf, "cross_entropy": -100}


@pytest.mark.parametrize("loss", WITHOUT_MEANING)
@pytest.mark.parametrize("over", [False, True], ids=["window", "graph"])
def test_what_does_not_count_may_be_anything(loss, over):
    net = nn.Network(nn.architectures.elman(2, 3, 3))
    rng = np.random.default_rng(1)
    x = {"x": rng.normal(size=(4, 2, 2))}
    shape = (4, 2) if loss == "cross_entropy" else (4, 2, 3)
    targets = rng.integers(0, 2, size=shape)
    targets = targets if loss == "cross_entropy" else targets.astype(float)
    mask = np.array([[1, 1], [1, 0], [0.5, 0], [1, 0]])
    spoilt = targets.copy()
    spoilt[mask == 0] = WITHOUT_MEANING[loss]
    more = {"over": ug.unroll(net, 4)} if over else {}
    right = nn.loss_and_gradients(net, x, {"y": targets}, loss, mask=mask, **more)
    found = nn.loss_and_gradients(net, x, {"y": spoilt}, loss, mask=mask, **more)
    assert found.loss == right.loss
    for name, gradient in right.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], gradient)


def test_what_overflows_after_the_end_of_a_sequence_is_not_in_its_loss():
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(1))
    G.add_node("h", op=nn.Dense(1, "linear", bias=False))
    G.add_edge("x", "h")
    G.add_edge("h", "h", delay=1)
    net = nn.Network(G)
    net.parameters["h.weight"][...] = [[1, 3.0]]
    long = {"x": np.zeros((700, 1))}, {"h": np.zeros((700, 1))}
    short = {"x": np.ones((3, 1))}, {"h": np.ones((3, 1))}
    both = nn.pad_sequences([short, long])
    with np.errstate(over="ignore", invalid="ignore"):
        found = nn.loss(net, both.inputs, both.targets, mask=both.mask)
    assert found == pytest.approx(3 * nn.loss(net, *short) / 703)


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_the_gradient_of_what_does_not_count_is_zero(loss, value):
    values, weights = np.array([[1.0], [value]]), np.array([[1.0], [0.0]])
    with np.errstate(invalid="ignore"):
        total, gradient = losses.LOSSES[loss].summed(values, np.zeros((2, 1)), weights)
    assert math.isfinite(total)
    assert math.isfinite(gradient[0, 0])
    assert gradient[1, 0] == 0


@pytest.mark.parametrize("target", [0, 1, 0.25])
def test_logits_far_from_their_targets_keep_their_precision(target):
    for y in (-40.0, -17.0, 0.0, 17.0, 40.0):
        exact = (1 - target) * special.expit(y) - target * special.expit(-y)
        for dtype, digits in ((np.float64, 1e-13), (np.float32, 1e-5)):
            values = np.array([[y]], dtype)
            _, (found,) = losses.LOSSES["binary_cross_entropy"].summed(
                values, values * 0 + target, None
            )
            assert found[0] == pytest.approx(exact, rel=digits)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((6, 2)), r"the mask has shape \(6, 2\), but \(6, 3\) or \(6,\) is expected"),
        (np.ones(5), "the mask has shape"),
        (np.zeros(6), "the mask is zero at every step"),
        ([1, 1, 1, 1, 1, -1], "weights that are negative or not finite"),
        ([1, 1, 1, 1, 1, np.nan], "weights that are negative or not finite"),
        (["a"] * 6, "the mask has dtype <U1; booleans"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        nn.loss(net_called("elman"), *sequence("elman", 6, batch=(3,)), mask=mask)


def test_sequences_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ug.errors.ShapeError, match="sequences is empty"):
        nn.pad_sequences([])
    with pytest.raises(
        ug.errors.ShapeError, match=r"of sequence 1 have different lengths, \[2, 3\]"
    ):
        nn.pad_sequences([sequence("gru", 3), ({"x": np.ones((2, 2))}, {"y": np.ones((3, 4))})])
    with pytest.raises(
        ug.errors.ShapeError, match=r"sequence 1 has arrays of 'y', but sequence 0 of 'x', 'y'"
    ):
        nn.pad_sequences([sequence("gru", 3), ({}, {"y": np.ones((3, 4))})])
    for odd in ({"x": 1}, [1, 2], [({"x": 3}, {"y": 4})]):
        with pytest.raises(
            TypeError, match="sequences must be pairs of inputs and targets, each a map"
        ):
            nn.pad_sequences(odd)
    with pytest.raises(
        ug.errors.ShapeError, match=r"'x' in sequence 1 has shape \(T, \*\(3,\)\), but that in sequ"
    ):
        nn.pad_sequences([sequence("gru", 3), ({"x": np.ones((3, 3))}, {"y": np.ones((3, 4))})])


@pytest.mark.parametrize("name", ["lstm", "bidirectional"])
@pytest.mark.parametrize("loss", LOSSES)
def test_over_another_graph_the_loss_is_that_of_the_window(name, loss):
    net = net_called(name)
    inputs, targets = sequence(name, 5, loss, batch=(2,))
    mask = np.arange(10).reshape(5, 2)
    U = ug.unroll(net, 5)
    found = nn.loss_and_gradients(net, inputs, targets, loss, mask=mask, over=U)
    expected = nn.loss_and_gradients(net, inputs, targets, loss, mask=mask)
    assert found.loss == pytest.approx(expected.loss, rel=1e-13)
    for key, gradient in expected.parameters.items():
        assert np.allclose(found.parameters[key], gradient, atol=1e-14)
    with pytest.raises(ValueError, match="checkpoints and truncate apply to a window only"):
        nn.loss_and_gradients(net, inputs, targets, loss, over=U, truncate=2)


def test_on_a_grid_gradients_agree_with_difference_quotients():
    net = net_called("grid_2d")
    rng = np.random.default_rng(0)
    U = ug.unroll(net, (3, 4))
    given = {"x": rng.normal(size=(12, 2, 2))}, {"y": rng.normal(size=(12, 2, 4))}
    assert nn.check_gradients(net, *given, over=U).error < 1e-8


# -- checking gradients ------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong(nn.Op):
    """Its adjoint is a little too large."""

    def size_of(self, sizes):
        return sizes[0]

    def forward(self, sources, parameters):
        del parameters
        return np.sin(sources[0])

    def adjoint(self, gradient, value, sources, parameters):
        del value, parameters
        return [1.001 * np.cos(sources[0]) * gradient], {}


def test_a_wrong_adjoint_is_found_and_parameters_stay():
    G = A.elman(2, 3, 4)
    G.add_node("s", op=Wrong())
    G.remove_edge("h", "y")
    G.add_edges_from([("h", "s"), ("s", "y")])
    net = nn.Network(G)
    before = {name: array.tobytes() for name, array in net.parameters.items()}
    assert nn.check_gradients(net, *sequence("elman", 6)).error > 1e-5
    assert before == {name: array.tobytes() for name, array in net.parameters.items()}
    single = net_called("lstm", dtype=np.float32)
    assert nn.check_gradients(single, *sequence("lstm", 6)).error < 1e-4


def test_without_parameters_there_is_no_gradient_to_check():
    G = ug.gallery.elman()
    for v, op in {"x": nn.Input(2), "h": nn.Add(), "y": nn.Add()}.items():
        G.nodes[v]["op"] = op
    with pytest.raises(ValueError, match="has no parameters, so there is no gradient to check"):
        nn.check_gradients(nn.Network(G), {"x": np.ones((3, 2))}, {"y": np.ones((3, 2))})


# -- optimizers --------------------------------------------------------------------------------


@given(st.floats(0.01, 1.0), st.floats(0, 0.95), st.integers(1, 12))
def test_descent_on_a_parabola_is_a_power_of_a_matrix(rate, momentum, steps):
    """Of f(w) = w^2 / 2 the pair (w, v) goes by a linear map."""
    optimizer = nn.SGD(rate, momentum)
    parameters = {"w": np.array([1.0])}
    state = optimizer.start(parameters)
    for _ in range(steps):
        optimizer.step(parameters, {"w": parameters["w"].copy()}, state)
    step = np.array([[1 - rate, -rate * momentum], [1.0, momentum]])
    expected = np.linalg.matrix_power(step, steps) @ [1.0, 0.0]
    assert parameters["w"][0] == pytest.approx(expected[0], abs=1e-9)


def test_adam_follows_its_definition_step_by_step():
    rng = np.random.default_rng(0)
    optimizer = nn.Adam(0.01, beta1=0.8, beta2=0.95, epsilon=1e-6)
    gradients = rng.normal(size=(20, 3))
    parameters = {"w": np.zeros(3)}
    state = optimizer.start(parameters)
    for g in gradients:
        optimizer.step(parameters, {"w": g}, state)
    w = np.zeros(3)
    for k in range(1, 21):  # the means as sums, not as recurrences
        ages = np.arange(k)[::-1, None]
        m = 0.2 * np.sum(0.8**ages * gradients[:k], axis=0) / (1 - 0.8**k)
        s = 0.05 * np.sum(0.95**ages * gradients[:k] ** 2, axis=0) / (1 - 0.95**k)
        w -= 0.01 * m / (np.sqrt(s) + 1e-6)
    assert np.allclose(parameters["w"], w, rtol=1e-12)


def test_clipping_keeps_the_direction():
    gradients = {"a": np.array([[3.0, 0.0]]), "b": np.array([4.0])}
    assert nn.clip_by_global_norm(gradients, 5.0)["a"] is gradients["a"]
    short = nn.clip_by_global_norm(gradients, 1.0)
    assert short["a"].tolist() == [[pytest.approx(0.6), 0.0]]
    assert short["b"].tolist() == [pytest.approx(0.8)]
    assert gradients["b"].tolist() == [4.0]
    huge = nn.clip_by_global_norm({"a": np.array([1e200, -1e200])}, 1.0)["a"]
    assert np.allclose(huge, [math.sqrt(0.5), -math.sqrt(0.5)])
    tiny = {"a": np.array([1e-200])}
    assert nn.clip_by_global_norm(tiny, 1.0)["a"] is tiny["a"]
    assert np.isinf(nn.clip_by_global_norm({"a": np.array([np.inf])}, 1.0)["a"]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.SGD(0), "learning_rate is 0, but it must be positive and finite"),
        (lambda: nn.SGD(0.1, 1.0), "momentum is 1.0, but it must be at least 0 and less than 1"),
        (lambda: nn.Adam(math.nan), "learning_rate is nan"),
        (lambda: nn.Adam(beta1=-0.1), "beta1 is -0.1"),
        (lambda: nn.Adam(beta2="x"), "beta2 is 'x'"),
        (lambda: nn.Adam(epsilon=0), "epsilon is 0"),
        (lambda: nn.clip_by_global_norm({}, -1), "max_norm is -1"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- fitting -----------------------------------------------------------------------------------

OPTIMISERS = [nn.SGD(0.1), nn.SGD(0.05, 0.9), nn.Adam(0.01)]


def data(count=7, T=5, seed=0):
    inputs, targets = sequence("lstm", T, seed=seed, batch=(count,))
    return nn.Sequences(inputs, targets)


def bits(net):
    return {name: array.tobytes() for name, array in net.parameters.items()}


@pytest.mark.parametrize("optimizer", OPTIMISERS)
def test_a_fit_is_the_loop_that_one_would_write(optimizer):
    net, own = net_called("lstm"), net_called("lstm")
    given = data()
    history = nn.fit(net, given, optimizer, epochs=4, clip=0.5)
    state, losses = optimizer.start(own.parameters), []
    for _ in range(4):
        loss, gradients = nn.loss_and_gradients(own, given.inputs, given.targets)
        losses.append(loss)
        optimizer.step(own.parameters, nn.clip_by_global_norm(gradients, 0.5), state)
    assert history == nn.History(tuple(losses), (), 3, False)
    assert bits(net) == bits(own)
    assert losses == sorted(losses, reverse=True)


def test_a_history_is_told_in_one_line():
    assert repr(nn.History()) == "<History of 0 epochs>"
    assert repr(nn.History((0.5,))) == "<History of 1 epoch, loss 0.5>"
    assert repr(nn.History((0.5, 0.001234))) == "<History of 2 epochs, loss 0.00123>"


def test_an_epoch_takes_every_sequence_once_in_an_order_of_its_own():
    net = net_called("lstm")
    numbers = np.arange(7.0)
    given = nn.Sequences(
        {"x": np.tile(numbers[:, None], (5, 1, 2))}, {"y": np.zeros((5, 7, 4))}, np.ones((5, 7))
    )
    seen = []

    def gradients(net, inputs, targets, *, loss, mask):
        assert loss == "mse"
        assert mask.shape == targets["y"].shape[:2]
        seen.append(inputs["x"][0, :, 0].tolist())
        return nn.LossAndGradients(
            float(len(seen)), {name: np.zeros_like(a) for name, a in net.parameters.items()}
        )

    history = nn.fit(net, given, epochs=2, batch_size=3, gradients=gradients)
    assert [len(part) for part in seen] == [3, 3, 1, 3, 3, 1]
    first, second = ([k for part in own for k in part] for own in (seen[:3], seen[3:]))
    assert sorted(first) == sorted(second) == numbers.tolist()
    assert first != second != numbers.tolist() != first
    assert history.losses == (pytest.approx((3 + 6 + 3) / 7), pytest.approx((12 + 15 + 6) / 7))
    again = list(seen)
    seen.clear()
    nn.fit(net, given, epochs=2, batch_size=3, gradients=gradients)
    assert seen == again
    seen.clear()
    nn.fit(net, given, epochs=2, batch_size=3, gradients=gradients, seed=1)
    assert seen != again


def test_truncated_and_averaged_gradients_can_be_followed():
    given = data(T=12)
    whole, cut = net_called("lstm"), net_called("lstm")
    truncating = partial(nn.loss_and_gradients, truncate=3)
    nn.fit(whole, given, epochs=3)
    nn.fit(cut, given, epochs=3, gradients=truncating)
    assert bits(whole) != bits(cut)


def settings(path, **more):
    common = {"epochs": 6, "batch_size": 3, "clip": 0.7, "seed": 5, "checkpoint": path}
    return common | more


@pytest.mark.parametrize("optimizer", OPTIMISERS)
@pytest.mark.parametrize("patience", [None, 2, 50])
def test_an_interrupted_fit_goes_on_to_the_same_bits(tmp_path, optimizer, patience):
    watched = {} if patience is None else {"validation": data(3, seed=9), "patience": patience}
    whole = net_called("lstm")
    history = nn.fit(whole, data(), optimizer, **settings(tmp_path / "whole.npz", **watched))
    for stop in range(1, 18):  # in the middle of an epoch, at its end, at its beginning
        path, calls = tmp_path / f"{stop}.npz", []

        def gradients(*args, calls=calls, stop=stop, **more):
            calls.append(1)
            if len(calls) == stop:
                raise KeyboardInterrupt
            return nn.loss_and_gradients(*args, **more)

        net = net_called("lstm")
        with suppress(KeyboardInterrupt):
            nn.fit(net, data(), optimizer, **settings(path, gradients=gradients, **watched))
        assert (len(calls) == stop) or (history.stopped and stop > 3 * len(history.losses))
        assert path.exists() == (stop > 3)
        # in another process nothing is left but the file
        fresh = net_called("lstm")
        found = nn.fit(fresh, data(), optimizer, **settings(path, **watched))
        assert found == history
        assert bits(fresh) == bits(whole)
        assert path.read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_a_fit_goes_on_to_more_epochs_and_is_done_when_it_is(tmp_path):
    watched = {"validation": data(3, seed=9), "patience": 100}
    whole, parts = net_called("lstm"), net_called("lstm")
    expected = nn.fit(whole, data(), nn.Adam(), **settings(tmp_path / "a.npz", **watched))
    nn.fit(
        parts,
        data(),
        nn.Adam(),
        **settings(
            tmp_path / "b.npz",
            **watched,
        )
        | {"epochs": 2},
    )
    best = nn.load(tmp_path / "b.npz")
    assert bits(best) == bits(parts)  # what the fit left is what the file gives
    other = net_called("lstm")
    found = nn.fit(other, data(), nn.Adam(), **settings(tmp_path / "b.npz", **watched))
    assert (found, bits(other)) == (expected, bits(whole))
    done = net_called("lstm")
    assert nn.fit(done, data(), nn.Adam(), **settings(tmp_path / "b.npz", **watched)) == expected
    assert bits(done) == bits(whole)


def test_patience_stops_and_puts_the_best_parameters_back(tmp_path):
    """Steps along and against the gradient: at first the loss falls, then it rises."""
    net = net_called("lstm")
    kept = []

    def gradients(net, *args, **more):
        found = nn.loss_and_gradients(net, *args, **more)
        sign = 1 if len(kept) < 4 else -1
        return found._replace(parameters={k: sign * g for k, g in found.parameters.items()})

    def keep(net, history):
        kept.append(bits(net))
        assert len(history.losses) == len(history.validation) == len(kept)

    history = nn.fit(
        net,
        data(),
        nn.SGD(0.1),
        epochs=50,
        validation=data(),
        patience=3,
        gradients=gradients,
        callback=keep,
        checkpoint=tmp_path / "fit.npz",
    )
    assert history.stopped
    assert history.best == 3
    assert len(kept) == 7
    assert history.validation[3] == min(history.validation)
    assert bits(net) == kept[3] == bits(nn.load(tmp_path / "fit.npz"))
    again = net_called("lstm")
    calls = []
    found = nn.fit(
        again,
        data(),
        nn.SGD(0.1),
        epochs=50,
        validation=data(),
        patience=3,
        gradients=gradients,
        callback=lambda *_: calls.append(1),
        checkpoint=tmp_path / "fit.npz",
    )
    assert found == history
    assert not calls
    assert bits(again) == kept[3]


def test_a_validation_loss_that_is_no_number_is_never_the_best():
    told = iter([math.nan, 3.0, math.nan, 2.0, 5.0, math.nan])
    net = net_called("lstm")
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.training, "loss_of", lambda *_, **__: next(told))
        history = nn.fit(
            net,
            data(),
            epochs=9,
            validation=data(),
            patience=2,
            callback=lambda net, _: kept.append(bits(net)),
        )
    assert (history.best, len(history.losses), history.stopped) == (3, 6, True)
    assert bits(net) == kept[3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.training, "loss_of", lambda *_, **__: math.nan)
        history = nn.fit(net, data(), epochs=9, validation=data(), patience=2)
    assert (history.best, len(history.losses), history.stopped) == (-1, 2, True)


def test_a_loss_that_stays_is_no_better():
    """Of epochs that are alike the first is the best."""

    def still(net, *_, **__):
        return nn.LossAndGradients(1.0, {n: np.zeros_like(a) for n, a in net.parameters.items()})

    history = nn.fit(
        net_called("lstm"), data(), epochs=9, validation=data(), patience=2, gradients=still
    )
    assert (history.best, len(history.losses), history.stopped) == (0, 3, True)


def test_a_callback_ends_a_fit():
    history = nn.fit(
        net_called("lstm"), data(), epochs=9, callback=lambda _, history: len(history.losses) == 4
    )
    assert len(history.losses) == 4
    assert history.stopped
    of_numpy = nn.fit(net_called("lstm"), data(), epochs=9, callback=lambda *_: np.bool_(True))
    assert (len(of_numpy.losses), of_numpy.stopped) == (1, True)
    assert not nn.fit(net_called("lstm"), data(), epochs=2, callback=lambda *_: "go on").stopped


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_fit_that_diverges_says_so_before_it_spoils_the_parameters(bad):
    net = net_called("lstm")
    before = bits(net)
    given = data()
    given.inputs["x"][0, 0, 0] = bad
    where = f"the input of 'x' is {bad} at step 0, sequence 0, entry 0; correct the data"
    with pytest.raises(
        ug.errors.DivergenceError, match=f"is (nan|not finite) in epoch 0, because {where}"
    ):
        nn.fit(net, given, epochs=2)
    assert bits(net) == before
    given.inputs["x"][0, 0, 0] = 0
    given.targets["y"][2, 1, 0] = bad
    with pytest.raises(
        ug.errors.DivergenceError,
        match=f"because the target of 'y' is {bad} at step 2, sequence 1, entry 0",
    ):
        nn.fit(net, given, epochs=2)
    assert bits(net) == before

    def gradients(net, *_, **__):
        return nn.LossAndGradients(
            1.0, {n: np.full_like(a, bad) for n, a in net.parameters.items()}
        )

    with pytest.raises(ArithmeticError, match="is not finite in epoch 0; use a smaller lea"):
        nn.fit(net, data(), epochs=2, gradients=gradients, clip=1.0)
    assert bits(net) == before


@pytest.mark.parametrize("change", [{"optimizer": nn.SGD()}, {"net": net_called("gru")}])
def test_a_checkpoint_of_another_network_or_optimizer_is_refused(tmp_path, change):
    path = tmp_path / "fit.npz"
    nn.fit(net_called("lstm"), data(), nn.Adam(), **settings(path, epochs=1))
    before = path.read_bytes()
    given = {"net": net_called("lstm"), "data": data(), "optimizer": nn.Adam(), **settings(path)}
    given |= change
    parameters = bits(given["net"])
    with pytest.raises(ug.errors.FormatError, match=r"fit\.npz"):
        nn.fit(**given)
    assert bits(given["net"]) == parameters
    assert path.read_bytes() == before


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "net.npz"
    nn.save(net_called("lstm"), path)
    with pytest.raises(
        ug.errors.FormatError, match=r"net.npz is not a checkpoint of a fit; choose anoth"
    ):
        nn.fit(net_called("lstm"), data(), **settings(path))
    path.write_text("hello")
    with pytest.raises(ug.errors.FormatError, match=r"net.npz: not a saved network: "):
        nn.fit(net_called("lstm"), data(), **settings(path))


def test_a_full_disk_loses_nothing_that_was_saved(tmp_path):
    """The size of files is limited while the fit goes on, as a full disk would."""
    script = f"""
import resource, signal, numpy as np
from unrollgraph import nn
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
net = nn.Network(nn.architectures.lstm(2, 3, 4))
x = np.random.default_rng(0).normal(size=(5, 6, 2))
data = nn.Sequences({{"x": x}}, {{"y": np.zeros((5, 6, 4))}})

def callback(net, history):
    if len(history.losses) == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))

try:
    nn.fit(net, data, epochs=9, checkpoint={str(tmp_path / "fit.npz")!r}, callback=callback)
except OSError as error:
    print(error.filename, error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == str(tmp_path / "fit.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["fit.npz"]
    net = nn.Network(A.lstm(2, 3, 4))
    x = np.random.default_rng(0).normal(size=(5, 6, 2))
    given = nn.Sequences({"x": x}, {"y": np.zeros((5, 6, 4))})
    history = nn.fit(net, given, epochs=3, checkpoint=tmp_path / "fit.npz")
    whole = nn.Network(A.lstm(2, 3, 4))
    assert history == nn.fit(whole, given, epochs=3)
    assert bits(net) == bits(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs is 0, but it must be a positive integer"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"batch_size": True}, "batch_size is True"),
        ({"patience": 2}, "patience requires a validation loss; give validation"),
        ({"loss": "mae"}, "unknown loss 'mae'"),
        ({"clip": 0}, "clip is 0"),
        (
            {"data": nn.Sequences(*sequence("lstm", 5)), "batch_size": 2},
            r"has shape \(5, 2\), but it must have 3 axes: time, batch, size",
        ),
        (
            {"data": data(0), "batch_size": 2},
            "the arrays have 0 sequences; give at l",
        ),
        ({"seed": -1}, "seed is -1, but it must be an integer >= 0"),
        ({"seed": None}, "seed is None, but it must be an integer >= 0"),
        (
            {"data": nn.Sequences(data(7).inputs, data(6).targets), "batch_size": 2},
            "different numbers of sequences: the input of 'x' has 7, the target of 'y' has 6",
        ),
    ],
)
def test_fits_that_cannot_be_are_refused(change, message):
    given = {"net": net_called("lstm"), "data": data()} | change
    with pytest.raises(ValueError, match=message):
        nn.fit(**given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": None}, "data is None; give nn.Sequences"),
        (
            {"data": {"x": 1}},
            r"data must be nn.Sequences, not a dict; write nn.Sequences\(inputs, ta",
        ),
        ({"validation": (1, 2)}, "validation must be nn.Sequences, not a tuple"),
        ({"optimizer": "adam"}, r"'adam' is not an optimizer; give one such as nn.Adam\(1e-3\)"),
        ({"optimizer": nn.Adam}, "is not an optimizer"),
        (
            {"gradients": lambda *_, **__: (1.0, {})},
            r"gradients= must return nn.LossAndGradients\(.*\), not a tuple",
        ),
        (
            {"data": nn.Sequences(data().inputs, None)},
            "targets must be a mapping from vertices to a",
        ),
    ],
)
def test_what_is_something_else_is_refused(change, message):
    given = {"net": net_called("lstm"), "data": data()} | change
    with pytest.raises(TypeError, match=message):
        nn.fit(**given)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda _: {},
            r"a gradient of shape \(3, 5\) for the parameter 'i.weight', but returned no gradient",
        ),
        (
            lambda found: {k: g[:1] for k, g in found.items()},
            r"for the parameter 'i.weight', but returned one of shape \(1, 5\)",
        ),
    ],
)
def test_gradients_of_other_shapes_are_refused(spoil, message):
    def gradients(*args, **more):
        found = nn.loss_and_gradients(*args, **more)
        return found._replace(parameters=spoil(found.parameters))

    with pytest.raises(ug.errors.ShapeError, match=message):
        nn.fit(net_called("lstm"), data(), gradients=gradients)


def test_batches_of_which_nothing_counts_are_left_out():
    given = data()
    mask = np.zeros((5, 7))
    mask[:, 2] = 1
    net, own = net_called("lstm"), net_called("lstm")
    history = nn.fit(net, nn.Sequences(given.inputs, given.targets, mask), batch_size=1, epochs=3)
    alone = given.chosen([2])
    assert history == nn.fit(own, alone, epochs=3)
    assert bits(net) == bits(own)
    with pytest.raises(ValueError, match="the mask is zero at every step"):
        nn.fit(net, nn.Sequences(given.inputs, given.targets, 0 * mask), batch_size=1)


def test_numbers_of_numpy_are_numbers(tmp_path):
    path = tmp_path / "fit.npz"
    numbers = {"batch_size": np.int64(3), "seed": np.int64(5), "clip": np.float32(0.5)}
    nn.fit(net_called("lstm"), data(), epochs=np.int64(2), checkpoint=path, **numbers)
    plain = {"batch_size": 3, "seed": 5, "clip": 0.5}
    history = nn.fit(net_called("lstm"), data(), epochs=3, checkpoint=path, **plain)
    assert len(history.losses) == 3


def test_sequences_know_how_many_they_are():
    assert len(data(7)) == 7
    assert len(nn.Sequences(*sequence("lstm", 5))) == 1
    assert len(nn.Sequences({"x": np.zeros((5, 3), int)}, {"y": np.zeros((5, 3, 4))})) == 3
    assert len(nn.Sequences({"x": np.zeros((5, 3), int)}, {"y": np.zeros((5, 3), int)})) == 3


def test_a_bar_is_shown_and_missed_in_one_sentence(capsys, monkeypatch):
    nn.fit(net_called("lstm"), data(), epochs=3, progress=True)
    shown = capsys.readouterr().err
    assert "3/3" in shown
    assert "loss=" in shown
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match="progress=True requires tqdm, which is not installed"):
        nn.fit(net_called("lstm"), data(), epochs=3, progress=True)


def test_integers_train_an_embedding():
    G = A.elman(3, 4, 5)
    G.nodes["x"]["op"] = nn.Embedding(5, 3)
    net = nn.Network(G)
    text = np.random.default_rng(0).integers(5, size=(8, 6))
    given = nn.Sequences({"x": text[:-1]}, {"y": text[1:]})
    assert nn.check_gradients(net, given.inputs, given.targets, "cross_entropy").error < 1e-8
    history = nn.fit(net, given, nn.Adam(0.05), loss="cross_entropy", epochs=200, batch_size=3)
    assert history.losses[0] == pytest.approx(math.log(5), rel=0.3)
    assert history.losses[-1] < 0.8
    json.dumps(history.losses)


# -- what does not count, and what is not finite ---------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", CAUSAL)
def test_what_the_mask_leaves_out_behind_the_end_may_be_anything(name, bad):
    net = net_called(name)
    both = nn.pad_sequences([sequence(name, 3), sequence(name, 6)])
    expected = nn.loss_and_gradients(net, both.inputs, both.targets, mask=both.mask)
    spoilt = {key: np.where(both.mask[..., None], x, bad) for key, x in both.inputs.items()}
    targets = {key: np.where(both.mask[..., None], y, bad) for key, y in both.targets.items()}
    for more in ({}, {"checkpoints": True}):
        found = nn.loss_and_gradients(net, spoilt, targets, mask=both.mask, **more)
        assert found.loss == pytest.approx(expected.loss, rel=1e-12)
        for key, gradient in expected.parameters.items():
            np.testing.assert_allclose(found.parameters[key], gradient, atol=1e-12)
    assert nn.loss(net, spoilt, targets, mask=both.mask) == pytest.approx(expected.loss, rel=1e-12)
    assert nn.fit(net, nn.Sequences(spoilt, targets, both.mask), epochs=2).losses[0] > 0


def test_a_value_that_a_later_step_reads_is_not_left_out():
    net = net_called("elman")
    inputs, targets = sequence("elman", 6, batch=(2,))
    mask = np.ones((6, 2), bool)
    mask[2, 1] = False
    inputs["x"][2, 1, 1] = np.nan
    assert math.isnan(nn.loss(net, inputs, targets, mask=mask))
    with pytest.raises(
        ug.errors.DivergenceError, match="input of 'x' is nan at step 2, sequence 1, entry 1"
    ):
        nn.fit(net, nn.Sequences(inputs, targets, mask))


def test_without_delays_any_step_may_be_left_out():
    G = nx.DiGraph([("x", "y")])
    G.nodes["x"]["op"], G.nodes["y"]["op"] = nn.Input(2), nn.Dense(4)
    net = nn.Network(G)
    inputs, targets = sequence("elman", 6)
    mask = np.array([True, False, True, True, False, True])
    expected = nn.loss_and_gradients(net, inputs, targets, mask=mask).parameters["y.weight"]
    inputs["x"][[1, 4]] = np.nan
    found = nn.loss_and_gradients(net, inputs, targets, mask=mask).parameters["y.weight"]
    np.testing.assert_array_equal(found, expected)


def test_an_index_behind_the_end_may_be_none():
    net = nn.Network(A.elman(2, 3, 4))
    G = net.delay_graph.to_networkx()
    G.nodes["x"]["op"] = nn.Embedding(5, 2)
    net = nn.Network(G)
    indices = np.array([[0, 1], [2, 3], [-1, 4]])
    mask = np.array([[1, 1], [1, 1], [0, 1]])
    _, targets = sequence("elman", 3, batch=(2,))
    found = nn.loss(net, {"x": indices}, targets, mask=mask)
    assert found == nn.loss(net, {"x": np.maximum(indices, 0)}, targets, mask=mask)
    with pytest.raises(ug.errors.ShapeError, match="has indices from -1 to 4"):
        nn.loss(net, {"x": indices}, targets)


def test_sequences_of_different_lengths_need_delays_that_are_not_negative():
    net = nn.Network(A.bidirectional(2, 3, 4))
    pairs = [sequence("elman", 3), sequence("elman", 6)]
    both = nn.pad_sequences(pairs)
    text = r"different steps, such as 2 and 5, but the edge \('b', 'b'\) has a negative delay"
    for call in (
        lambda: nn.loss(net, both.inputs, both.targets, mask=both.mask),
        lambda: nn.loss_and_gradients(net, both.inputs, both.targets, mask=both.mask),
        lambda: nn.fit(net, both),
        lambda: nn.fit(net, both, batch_size=1),
        lambda: nn.fit(net, nn.pad_sequences(pairs[:1]), validation=both),
        lambda: nn.sharded_gradients(net, both.inputs, both.targets, mask=both.mask, shards=2),
    ):
        with pytest.raises(ValueError, match=text):
            call()
    same = nn.pad_sequences([sequence("elman", 6, seed=k) for k in range(2)])
    assert nn.fit(net, same, batch_size=1).losses
    same.mask[:3] = False  # some steps that do not count, in all sequences
    assert nn.fit(net, nn.Sequences(same.inputs, same.targets, same.mask)).losses


def test_masked_arrays_are_not_stripped_of_their_masks():
    net = net_called("elman")
    inputs, targets = sequence("elman", 4, batch=(2,))
    hidden = np.ma.masked_invalid
    for call in (
        lambda: net.forward({"x": hidden(inputs["x"])}),
        lambda: net.forward(inputs, initial={"h": hidden(np.ones(3))}),
        lambda: net.forward(inputs).backward({"y": hidden(targets["y"])}),
        lambda: nn.loss(net, {"x": hidden(inputs["x"])}, targets),
        lambda: nn.loss(net, inputs, {"y": hidden(targets["y"])}),
        lambda: nn.loss(net, inputs, targets, mask=hidden(np.ones(4))),
        lambda: nn.pad_sequences([({"x": hidden(np.ones((3, 2)))}, {"y": np.ones((3, 4))})]),
        lambda: nn.fit(net, nn.Sequences({"x": hidden(inputs["x"])}, targets), batch_size=1),
        lambda: nn.fit(net, nn.Sequences(inputs, {"y": hidden(targets["y"])})),
        lambda: nn.fit(net, nn.Sequences(inputs, targets, hidden(np.ones((4, 2)))), batch_size=1),
    ):
        with pytest.raises(TypeError, match="is a masked array, whose mask would be ignored"):
            call()


def test_inputs_and_targets_may_be_booleans():
    net = net_called("elman")
    bits = np.random.default_rng(0).integers(2, size=(5, 2)).astype(bool)
    targets = np.ones((5, 4), bool)
    found = nn.loss_and_gradients(net, {"x": bits}, {"y": targets})
    expected = nn.loss_and_gradients(net, {"x": bits.astype(float)}, {"y": targets.astype(float)})
    assert found.loss == expected.loss


# -- numbers in checkpoints ----------------------------------------------------------------------


@dataclass(frozen=True)
class Counting:
    """An optimizer whose state holds plain numbers."""

    learning_rate: float = 0.1

    def start(self, _):
        return {"steps": 0, "scale": 1.0}

    def step(self, parameters, gradients, state):
        state["steps"] += 1
        state["scale"] *= 0.5
        for name, array in parameters.items():
            array -= self.learning_rate * state["scale"] * gradients[name]


def in_float32(net, *given, **more):
    found = nn.loss_and_gradients(net, *given, **more)
    return nn.LossAndGradients(np.float32(found.loss), found.parameters)


def test_a_fit_goes_on_from_numbers_of_any_type(tmp_path):
    given = nn.Sequences(*sequence("elman", 5, batch=(3,)))
    whole, parts = net_called("elman"), net_called("elman")
    nn.fit(whole, given, Counting(0.25), epochs=4, gradients=in_float32)
    file = tmp_path / "fit.npz"
    nn.fit(parts, given, Counting(0.25), epochs=2, gradients=in_float32, checkpoint=file)
    resumed = nn.Network(A.elman(2, 3, 4))
    history = nn.fit(
        resumed, given, Counting(np.float64(0.25)), epochs=4, gradients=in_float32, checkpoint=file
    )
    assert bits(resumed) == bits(whole)
    assert len(history.losses) == 4


# -- found by an independent reviewer ----------------------------------------------------------


def one_step_back():
    G = nx.DiGraph()
    G.add_edge("x", "y", delay=1)
    G.nodes["x"]["op"], G.nodes["y"]["op"] = nn.Input(1), nn.Dense(1)
    return G


def test_a_step_that_no_counted_step_reads_may_be_anything():
    net = nn.Network(one_step_back())
    x, y, mask = np.ones((6, 1)), np.zeros((6, 1)), np.arange(6) == 5
    clean = nn.loss_and_gradients(net, {"x": x}, {"y": y}, mask=mask)
    for bad in (np.nan, np.inf):
        x[0] = bad
        for over in (None, ug.unroll(net, 6)):
            found = nn.loss_and_gradients(net, {"x": x}, {"y": y}, mask=mask, over=over)
            assert found.loss == pytest.approx(clean.loss)
            for name, gradient in clean.parameters.items():
                np.testing.assert_allclose(found.parameters[name], gradient)
    x[4] = np.nan  # which step 5 reads
    assert not math.isfinite(nn.loss(net, {"x": x}, {"y": y}, mask=mask))


def test_padded_sequences_over_a_window_need_delays_that_are_not_negative():
    net = nn.Network(A.bidirectional(2, 3, 4))
    both = nn.pad_sequences([sequence("elman", 3), sequence("elman", 6)])
    U = ug.unroll(net, 6)
    for over in (U, U.projection):
        with pytest.raises(ValueError, match="has a negative delay"):
            nn.loss(net, both.inputs, both.targets, mask=both.mask, over=over)


def test_with_a_mask_wrong_types_and_large_indices_are_treated_as_without_it():
    net = net_called("elman")
    inputs, targets = sequence("elman", 4)
    mask = np.array([1, 1, 1, 0])
    for odd in (inputs["x"].astype(str), inputs["x"].astype("M8[s]"), inputs["x"].astype(object)):
        with pytest.raises(ug.errors.ShapeError, match="real numbers are required"):
            nn.loss(net, {"x": odd}, targets, mask=mask)
    G = net.delay_graph.to_networkx()
    G.nodes["x"]["op"] = nn.Embedding(5, 2)
    found = [
        nn.loss(nn.Network(G), {"x": np.array([1, 2, 3, last])}, targets, mask=mask)
        for last in (0, 99)
    ]
    assert found[0] == found[1]
    with pytest.raises(TypeError, match="masked array"):
        net.forward({"x": [np.ma.masked_invalid(row) for row in inputs["x"]]})


def test_a_value_in_the_validation_data_that_is_not_finite_is_named():
    net = net_called("elman")
    inputs, targets = sequence("elman", 4, batch=(2,))
    bad = {"x": np.where(np.arange(4)[:, None, None] == 2, np.nan, inputs["x"])}
    given, validation = nn.Sequences(inputs, targets), nn.Sequences(bad, targets)
    with pytest.raises(
        ug.errors.DivergenceError, match="in the validation data, the input of 'x' is nan at"
    ):
        nn.fit(net, given, validation=validation)


@dataclass(frozen=True)
class Positive(nn.Op):
    """1 where an entry is positive, else 0: also for NaN, which it does not pass on."""

    def size_of(self, sizes):
        return sizes[0]

    def forward(self, sources, _):
        return (sources[0] > 0).astype(float)

    def adjoint(self, _, __, sources, *___):
        return [np.zeros_like(sources[0])], {}


def test_an_infinite_input_that_an_operation_makes_finite_is_not_cleared():
    G = nx.DiGraph()
    G.add_edge("x", "s", delay=1)
    G.add_edge("s", "y", delay=0)
    nx.set_node_attributes(G, {"x": nn.Input(1), "s": Positive(), "y": nn.Dense(1)}, "op")
    net = nn.Network(G)
    x, y, mask = np.ones((4, 1)), np.zeros((4, 1)), np.array([0, 1, 1, 1])
    expected = nn.loss(net, {"x": x}, {"y": y}, mask=mask)
    x[0] = np.inf  # which step 1 reads, as a positive number
    assert nn.loss(net, {"x": x}, {"y": y}, mask=mask) == expected


def test_a_graph_is_not_a_network():
    G, given = nn.architectures.elman(1, 2, 1), sequence("elman", 3)
    for call in (
        lambda: nn.fit(G, data()),
        lambda: nn.loss(G, *given),
        lambda: nn.loss_and_gradients(G, *given),
        lambda: nn.check_gradients(G, *given),
        lambda: nn.save(G, "net.npz"),
    ):
        with pytest.raises(TypeError, match=r"net must be an nn.Network, not a DiGraph; "):
            call()
    with pytest.raises(TypeError, match="callback=3 must be callable"):
        nn.fit(net_called("lstm"), data(), callback=3)
