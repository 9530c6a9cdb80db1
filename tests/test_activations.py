"""Activations: values from their definitions, slopes from difference quotients."""

import math

import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import grouping, primitives

DEFINED = {
    "tanh": math.tanh,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    "relu": lambda a: max(a, 0.0),
    "leaky_relu": lambda a: a if a > 0 else 0.01 * a,
    "elu": lambda a: a if a > 0 else math.exp(a) - 1,
    "gelu": lambda a: a * (1 + math.erf(a / math.sqrt(2))) / 2,
    "silu": lambda a: a / (1 + math.exp(-a)),
    "softplus": lambda a: math.log(1 + math.exp(a)),
    "sin": math.sin,
    "exp": math.exp,
    "abs": abs,
    "square": lambda a: a * a,
    "linear": lambda a: a,
}


def layer(op, before=None):
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(3))
    G.add_node("h", op=before or nn.Dense(3, bias=False))
    G.add_node("v", op=op)
    G.add_edge("x", "h")
    G.add_edge("h", "v")
    G.add_edge("v", "h", delay=1)
    return G


def test_every_activation_is_in_the_list():
    assert {*DEFINED, "softmax"} == set(primitives.BUILT_IN)
    with pytest.raises(
        ValueError,
        match="unknown activation .tanhh.; register it .* one of tanh, sigmoid, .*softmax",
    ):
        nn.Dense(1, "tanhh")


@pytest.mark.parametrize("name", DEFINED)
def test_values_are_those_of_the_definition(name):
    net = nn.Network(layer(nn.Activation(name)))
    for scale in (1, 30):
        x = scale * np.random.default_rng(0).normal(size=(4, 2, 3))
        run = net.forward({"x": x})
        expected = np.vectorize(DEFINED[name], otypes=[float])(run.values["h"])
        assert np.allclose(run.values["v"], expected, rtol=1e-12, atol=1e-15)


def test_large_arguments_have_finite_values():
    far = np.array([[-1000.0, 0.0, 1000.0]])
    G = layer(nn.Activation("linear"), nn.Dense(3, "linear", bias=False, combine="add"))
    limits = {
        "tanh": [-1, 0, 1],
        "sigmoid": [0, 0.5, 1],
        "elu": [-1, 0, 1000],
        "gelu": [0, 0, 1000],
        "silu": [0, 0, 1000],
        "softplus": [0, math.log(2), 1000],
        "softmax": [0, 0, 1],
    }
    for name, values in limits.items():
        G.nodes["v"]["op"] = nn.Activation(name)
        net = nn.Network(G)
        net.parameters["h.weight"][...] = np.eye(3)
        run = net.forward({"x": far})
        assert np.allclose(run.values["v"][0], values, atol=1e-12), name
        gradients = run.backward({"v": np.ones((1, 3))})
        assert np.isfinite(gradients.of("x")).all(), name


@pytest.mark.parametrize("fewest", [0, 10**9])
@pytest.mark.parametrize("op", [nn.Dense, nn.Activation])
@pytest.mark.parametrize("name", primitives.BUILT_IN)
def test_slopes_are_difference_quotients(monkeypatch, name, op, fewest):
    """In groups and one by one, in a loop, over a window and over its unrolled graph."""
    monkeypatch.setattr(grouping, "FEWEST", fewest)
    G = layer(op(3, name) if op is nn.Dense else op(name))
    net = nn.Network(G, seed=1)
    assert net.plans.grouped == (fewest == 0)
    rng = np.random.default_rng(0)
    x, weights = {"x": rng.normal(size=(4, 2, 3))}, {"v": rng.normal(size=(4, 2, 3))}
    assert nn.check_gradients(net, x, weights).error < 1e-7
    a = net.forward(x).backward(weights)
    b = net.forward(x, over=ug.unroll(G, 4)).backward(weights)
    assert np.allclose(a.of("x"), b.of("x"), atol=1e-12)
    for key, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[key], atol=1e-12), key


@pytest.mark.parametrize("name", primitives.BUILT_IN)
def test_single_precision_is_kept(name):
    net = nn.Network(layer(nn.Activation(name)), dtype=np.float32)
    x = np.random.default_rng(0).normal(size=(4, 2, 3))
    run = net.forward({"x": x})
    double = nn.Network(layer(nn.Activation(name))).forward({"x": x})
    assert run.values["v"].dtype == np.float32
    assert np.allclose(run.values["v"], double.values["v"], rtol=1e-4, atol=1e-5)
    assert run.backward({"v": np.ones((4, 2, 3))}).of("x").dtype == np.float32


@pytest.fixture
def bump():
    nn.register_activation("bump", lambda a: np.exp(-a * a), lambda a: -2 * a * np.exp(-a * a))
    yield "bump"
    for kind in ("bump", "bump slope"):
        del primitives.TABLE[kind]
    primitives.ACTIVATIONS.remove("bump")


@pytest.mark.parametrize("fewest", [0, 10**9])
def test_an_activation_of_the_user_is_like_the_others(monkeypatch, tmp_path, bump, fewest):
    monkeypatch.setattr(grouping, "FEWEST", fewest)
    net = nn.Network(layer(nn.Dense(3, bump)), seed=1)
    x = {"x": np.random.default_rng(0).normal(size=(4, 2, 3))}
    run = net.forward(x)
    assert nn.check_gradients(net, x, {"v": np.zeros((4, 2, 3))}).error < 1e-7
    nn.save(net, tmp_path / "net.npz")
    again = nn.load(tmp_path / "net.npz").forward(x)
    assert np.array_equal(run.values["v"], again.values["v"])
    with pytest.raises(TypeError, match="the registered activation 'bump' has no SymPy formula"):
        ug.symbolic.unrolled(net, 2)


def test_names_of_activations_are_taken_once(bump):
    for name in (bump, "tanh", "softmax", "linear", "add", "bump slope", "two words", "", 3):
        with pytest.raises(ValueError, match="taken|must be an identifier"):
            nn.register_activation(name, np.tanh, np.cos)
    with pytest.raises(TypeError, match="derivative must be callable, not None"):
        nn.register_activation("other", np.tanh, None)
    assert "other" not in primitives.TABLE


def test_a_function_cannot_overwrite_the_values_that_it_reads(bump, monkeypatch):
    kernel = primitives._written(lambda a: np.maximum(a, 0, out=a))
    monkeypatch.setitem(primitives.TABLE, bump, primitives.Row(kernel, columnwise=True))
    net = nn.Network(layer(nn.Activation(bump)))
    with pytest.raises(ValueError, match="read-only"):
        net.forward({"x": np.ones((2, 3))})
