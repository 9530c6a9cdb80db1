"""Sequences in segments: checkpoints, truncation, streaming, and the schedule behind them."""

import functools
import tracemalloc

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import bptt

A = nn.architectures
CAUSAL = [name for name in A.__all__ if name not in {"grid_2d", "bidirectional"}]


def task(name, T, batch=2, seed=0):
    """A network, inputs for it, and targets for all that nobody reads."""
    net = nn.Network(getattr(A, name)(2, 3, 2), seed=seed)
    rng = np.random.default_rng(seed)
    graph = net.delay_graph

    def series(v):
        size = net.plans.forward.values[v].size
        return rng.normal(size=(T, *((batch,) if batch else ()), size))

    inputs = {graph.vertices[v]: series(v) for v in net.plans.forward.inputs}
    sinks = [v for v in range(len(graph.vertices)) if not graph.out_numbers[v]]
    return net, inputs, {graph.vertices[v]: series(v) for v in sinks or [0]}


def agree(a, b):
    assert a.loss == pytest.approx(b.loss, rel=1e-13)
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], rtol=1e-12, atol=1e-12), name


# -- the schedule --------------------------------------------------------------------------


@functools.cache
def hidden_state_memorization(t, m):
    """Computations of links in all, by the recurrence of Gruslys et al. (2016)."""
    if m >= t:
        return 2 * t - 1
    if m == 1:
        return t * (t + 1) // 2
    return min(
        y + hidden_state_memorization(t - y, m - 1) + hidden_state_memorization(y, m)
        for y in range(1, t)
    )


def test_advances_are_those_of_published_tables():
    published = {(10, 3): 15, (10, 2): 20, (100, 5): 316, (100, 10): 222, (1000, 10): 3636}
    for (length, kept), count in {**published, (56, 3): 210}.items():
        assert bptt.advances(length, kept) == count
    in_all = {(10, 2): 30, (10, 3): 25, (10, 5): 23, (100, 5): 416, (100, 10): 322}
    for (length, kept), count in {**in_all, (1000, 10): 4636, (1000, 50): 2948}.items():
        assert length + bptt.advances(length, kept) == count


def test_no_recurrence_finds_fewer_advances():
    for t in range(1, 60):
        for m in range(1, 12):
            assert t + bptt.advances(t, m) == hidden_state_memorization(t, m)


@given(st.integers(1, 300), st.integers(1, 40))
def test_a_schedule_goes_through_every_link_and_keeps_no_more_than_it_may(length, kept):
    states, done, moved = {0}, [], 0
    for i, j in bptt.schedule(length, kept):
        assert i in states
        if i == j:
            done.append(i)
            states.remove(i)
        else:
            moved += j - i
            states.add(j)
            # one more only if it is gone through at once
            assert len(states) <= kept + 1
    assert done == [*range(length)][::-1]
    assert moved == bptt.advances(length, kept)


def test_a_schedule_keeps_the_states_it_is_allowed():
    states, most = {0}, 0
    steps = list(bptt.schedule(20, 3))
    for (i, j), following in zip(steps, [*steps[1:], None], strict=True):
        if i == j:
            states.remove(i)
            continue
        states.add(j)
        if following != (j, j):
            most = max(most, len(states))
    assert most == 3


# -- checkpoints -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("checkpoints", [True, 1, 2, 3])
def test_checkpoints_give_the_plain_gradients(name, checkpoints):
    for T in (1, 2, 5, 23):
        net, inputs, targets = task(name, T)
        plain = nn.loss_and_gradients(net, inputs, targets)
        agree(nn.loss_and_gradients(net, inputs, targets, checkpoints=checkpoints), plain)


@given(st.integers(0, 10**6))
def test_long_delays_reach_over_several_segments(seed):
    rng = np.random.default_rng(seed)
    G = nx.MultiDiGraph()
    G.add_node("x", op=nn.Input(2))
    names = [f"v{k}" for k in range(int(rng.integers(1, 5)))]
    for v in names:
        G.add_node(v, op=nn.Dense(2) if rng.random() < 0.7 else nn.Add())
        G.add_edge("x", v, delay=int(rng.integers(0, 9)))
    for _ in range(int(rng.integers(1, 8))):
        u, v = rng.choice(names, size=2)
        later = names.index(u) >= names.index(v)
        G.add_edge(u, v, delay=int(rng.integers(later, 12)))
    net = nn.Network(G, seed=seed % 100)
    T = int(rng.integers(1, 30))
    x, y = (rng.normal(size=(T, 2)) for _ in range(2))
    k = {v: max((d for _, _, d in G.out_edges(v, data="delay")), default=0) for v in G}
    initial = {v: rng.normal(size=(k[v], 2)) for v in G if k[v]}
    given = {"x": x}, {names[-1]: y}
    plain = nn.loss_and_gradients(net, *given, initial=initial)
    values = net.forward({"x": x}, initial=initial).values[names[-1]]
    assert plain.loss == pytest.approx(np.mean((values - y) ** 2), rel=1e-12)
    for checkpoints in (True, 1, 2):
        agree(nn.loss_and_gradients(net, *given, initial=initial, checkpoints=checkpoints), plain)


def test_the_loss_is_a_mean_and_its_gradient_is_numbers():
    net, inputs, targets = task("lstm", 6)
    (name,) = targets
    loss, gradients = nn.loss_and_gradients(net, inputs, targets)
    run = net.forward(inputs)
    difference = run.values[name] - targets[name]
    assert loss == pytest.approx(np.mean(difference**2), rel=1e-14)
    expected = run.backward({name: 2 * difference / difference.size})
    for key, gradient in gradients.items():
        assert np.allclose(gradient, expected.parameters[key], atol=1e-15)


def test_segments_are_computed_no_more_often_than_the_schedule_says(monkeypatch):
    net, inputs, targets = task("elman", 100)
    calls = []
    forward = nn.Network.forward
    monkeypatch.setattr(
        nn.Network, "forward", lambda *args, **more: calls.append(1) or forward(*args, **more)
    )
    for checkpoints in (True, 1, 3, 50):
        calls.clear()
        nn.loss_and_gradients(net, inputs, targets, checkpoints=checkpoints)
        kept = 10 if checkpoints is True else checkpoints
        assert len(calls) == hidden_state_memorization(10, kept)


def test_memory_grows_with_the_root_of_the_steps():
    net = nn.Network(A.lstm(4, 8, 4), dtype=np.float32)
    peaks = []
    for T in (400, 6400):
        x, y = np.ones((T, 2, 4), np.float32), np.ones((T, 2, 4), np.float32)

        def run(x=x, y=y):
            return nn.loss_and_gradients(net, {"x": x}, {"y": y}, checkpoints=True)

        run()
        net.plans.free.clear()
        tracemalloc.start()
        run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 5 * peaks[0]  # 16 times the steps


# -- truncation --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("lengths", [(23, 1), (23, 5), (40, 7), (23, 23), 23, 50])
def test_going_back_through_all_steps_is_exact(name, lengths):
    net, inputs, targets = task(name, 23)
    plain = nn.loss_and_gradients(net, inputs, targets)
    agree(nn.loss_and_gradients(net, inputs, targets, truncate=lengths), plain)


@pytest.mark.parametrize("name", ["lstm", "elman", "narx", "dilated", "stacked"])
@pytest.mark.parametrize("lengths", [(1, 1), (3, 1), (4, 4), (5, 2), (7, 3), 4])
def test_truncation_leaves_out_the_copies_before(name, lengths):
    """Of the exact gradient of each piece of the loss, the copies of the last h steps."""
    T = 16
    net, inputs, targets = task(name, T)
    h, every = lengths if isinstance(lengths, tuple) else (lengths, lengths)
    run = net.forward(inputs)
    expected = {key: np.zeros_like(array) for key, array in net.parameters.items()}
    for start in range(0, T, every):
        stop = min(start + every, T)
        given = {}
        for v, target in targets.items():
            given[v] = np.zeros_like(target)
            piece = slice(start, stop)
            given[v][piece] = 2 * (run.values[v] - target)[piece] / target.size
        gradients = run.backward(given)
        for key in expected:
            expected[key] += gradients.copies(key)[max(0, stop - h) : stop].sum(axis=0)
    found = nn.loss_and_gradients(net, inputs, targets, truncate=lengths)
    for key, gradient in found.parameters.items():
        assert np.allclose(gradient, expected[key], atol=1e-13), key
    assert found.loss == pytest.approx(nn.loss_and_gradients(net, inputs, targets).loss)


# -- streaming ---------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 1, 2, 8])
@pytest.mark.parametrize("name", ["elman", "gru", "lstm", "stacked", "narx"])
def test_one_step_at_a_time_gives_the_same_bits(name, batch):
    net = nn.Network(getattr(A, name)(16, 16, 8))
    x = np.random.default_rng(1).normal(size=(20, *((batch,) if batch else ()), 16))
    whole = net.forward({"x": x})
    state, found = {}, []
    for t in range(len(x)):
        run = net.forward({"x": x[t : t + 1]}, initial=state)
        found.append(run.values["y"][0])
        state = run.state
        for v, rows in whole.state_after(t + 1).items():
            assert np.array_equal(rows, state[v])
    assert np.array_equal(found, whole.values["y"])


def test_a_state_in_the_middle_begins_the_rest():
    net, inputs, _ = task("narx", 12)
    whole = net.forward(inputs)
    for t in range(12):
        rest = net.forward({v: a[t:] for v, a in inputs.items()}, initial=whole.state_after(t))
        for v in net.delay_graph.vertices:
            assert np.allclose(rest.values[v], whole.values[v][t:], atol=1e-15)
    with pytest.raises(
        ValueError, match="steps must be from 0 to 12, the length of this run, not 13"
    ):
        whole.state_after(13)
    with pytest.raises(ValueError, match=r"steps must be an integer, not 2\.5"):
        whole.state_after(2.5)


# -- what is refused ---------------------------------------------------------------------------


def test_what_reads_from_later_steps_is_refused_by_its_edge():
    net = nn.Network(A.bidirectional(2, 3, 2))
    x, y = {"x": np.ones((9, 2))}, {"y": np.ones((9, 2))}
    assert nn.loss_and_gradients(net, x, y).loss > 0
    for how in ({"checkpoints": True}, {"truncate": 3}):
        with pytest.raises(ValueError, match="has delay -1; retime the network"):
            nn.loss_and_gradients(net, x, y, **how)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "mae"}, "unknown loss 'mae'; use one of 'mse'"),
        ({"checkpoints": 0}, "checkpoints is 0, but it must be a positive integer"),
        ({"checkpoints": 2.5}, "is 2.5, but it must be a positive integer"),
        ({"truncate": 0}, "a length in truncate is 0, but it must be a positive integer"),
        ({"truncate": True}, "a length in truncate is True, but"),
        ({"truncate": (2, 3)}, r"truncate=\(2, 3\) skips steps"),
        ({"truncate": (2, 3, 4)}, "an integer or a pair"),
        ({"truncate": 3, "checkpoints": 2}, "give only one of them"),
        ({"targets": {}}, "targets is empty"),
        ({"targets": {"q": np.ones((9, 2))}}, "targets: 'q' is not a vertex"),
        (
            {"targets": {"y": np.ones((8, 2))}},
            r"different numbers of steps: the shapes are \(9, 2\) of .x., \(8, 2\) of .y.",
        ),
        ({"targets": {"y": np.ones((9, 3))}}, r"the target of 'y' has shape \(9, 3\)"),
        ({"targets": {"y": np.float64(1)}}, "different numbers of steps"),
        (
            {"targets": {"y": np.ones((9, 2), complex)}},
            "has dtype complex128; real numbers are required",
        ),
        ({"targets": {"y": [["a", "b"]] * 9}}, "has dtype <U1; real numbers are required"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    net = nn.Network(A.elman(2, 3, 2))
    given = {"inputs": {"x": np.ones((9, 2))}, "targets": {"y": np.ones((9, 2))}} | change
    with pytest.raises(ValueError, match=message):
        nn.loss_and_gradients(net, **given)


def test_a_grid_has_no_segments():
    net = nn.Network(A.grid_2d(2, 3, 2))
    (x,) = (net.delay_graph.vertices[v] for v in net.plans.forward.inputs)
    with pytest.raises(ValueError, match="require a window of steps"):
        nn.loss_and_gradients(net, {x: np.ones((9, 2))}, {x: np.ones((9, 2))}, checkpoints=True)


def test_a_run_over_another_graph_has_no_steps():
    net = nn.Network(A.elman(2, 3, 2))
    run = net.forward({"x": np.ones((4, 2))}, over=ug.unroll(net, 4))
    with pytest.raises(ValueError, match="state is defined over a window only"):
        run.state_after(2)
    with pytest.raises(ValueError, match="steps is defined over a window only"):
        assert run.steps
