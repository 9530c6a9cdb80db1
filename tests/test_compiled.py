"""Steps compiled by Numba compute what steps of NumPy compute."""

import builtins
import os

import fixtures
import networkx as nx
import numpy as np
import pytest

from unrollgraph import nn

if not os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
    pytest.importorskip("numba")

A = nn.architectures
STEPPED = [name for name in A.__all__ if name != "grid_2d"]


def both(G, inputs, given, **more):
    """A run and its gradients by each backend, with the same parameters."""
    found = []
    for backend in ("numpy", "numba"):
        net = nn.Network(G, seed=3, backend=backend, **more)
        run = net.forward(inputs)
        found.append((net, run, run.backward(given)))
    return found


def agree(found, tolerance=1e-12):
    (net, a, one), (_, b, two) = found
    for v in net.delay_graph.vertices:
        assert np.allclose(a.values[v], b.values[v], rtol=tolerance, atol=tolerance), v
    for name, gradient in one.parameters.items():
        assert np.allclose(gradient, two.parameters[name], rtol=tolerance, atol=tolerance), name
        assert np.allclose(one.copies(name), two.copies(name), rtol=tolerance, atol=tolerance)
    for v, gradient in one.initial.items():
        assert np.allclose(gradient, two.initial[v], rtol=tolerance, atol=tolerance), v


def case(G, T, batch, seed=0, dtype="float64"):
    net, rng = nn.Network(G), np.random.default_rng(seed)
    shape = (T, batch) if batch else (T,)
    sizes = {v: net.plans.forward.values[k].size for v, k in net.delay_graph.number.items()}
    inputs = {
        net.delay_graph.vertices[v]: rng.normal(
            size=(*shape, sizes[net.delay_graph.vertices[v]])
        ).astype(dtype)
        for v in net.plans.forward.inputs
    }
    outputs = [v for v, k in net.delay_graph.number.items() if not net.delay_graph.out_numbers[k]]
    outputs = outputs or [net.delay_graph.vertices[0]]
    return inputs, {v: rng.normal(size=(*shape, sizes[v])).astype(dtype) for v in outputs}


@pytest.mark.parametrize("name", STEPPED)
def test_both_backends_give_the_same_numbers(name):
    G = getattr(A, name)(2, 3, 2)
    for T, batch in ((7, 3), (7, None), (1, 1)):
        agree(both(G, *case(G, T, batch)))


def test_single_precision_agrees_to_its_rounding():
    G = A.lstm(3, 8, 2)
    found = both(G, *case(G, 9, 2, dtype="float32"), dtype=np.float32)
    assert found[1][1].values["y"].dtype == np.float32
    agree(found, tolerance=1e-4)


def test_every_kind_of_step_is_compiled():
    """Products, sums, all non-linearities, complements and columns beside each other."""
    G = nx.MultiDiGraph()
    kinds = {
        "x": nn.Input(2), "a": nn.Dense(2, "relu"), "b": nn.Dense(2, "sigmoid"),
        "c": nn.Complement(), "d": nn.Multiply(), "e": nn.Concat(), "f": nn.Dense(2, "linear"),
        "g": nn.Activation("tanh"), "h": nn.Activation("sigmoid"), "i": nn.Activation("relu"),
        "j": nn.Add(), "k": nn.Dense(2, "tanh", combine="add"),
    }  # fmt: skip
    for v, op in kinds.items():
        G.add_node(v, op=op)
    wires = "xa ab bc cd bd de ae ef fg fh fi gj hj ij jk ak"
    for u, v in wires.split():
        G.add_edge(u, v, delay=0)
    G.add_edge("k", "a", delay=1)
    agree(both(G, *case(G, 6, 2)))
    agree(both(G, *case(G, 6, None, seed=1)))


class Doubled(nn.Op):
    """An operation that is no step of ours."""

    def size_of(self, sizes):
        return sizes[0]

    def forward(self, inputs, _):
        return 2 * inputs[0]

    def adjoint(self, gradient, *_):
        return [2 * gradient], {}


def test_a_users_operation_and_different_clocks_run_uncompiled():
    G = A.elman(2, 3, 2)
    G.add_node("q", op=Doubled())
    G.add_edge("h", "q", delay=0)
    G.add_edge("q", "h", delay=1)
    agree(both(G, *case(G, 5, 2)))
    G = fixtures.retimed_top_down()
    G.add_edge("x", "h1", delay=0)
    ops = {"x": nn.Input(1), "h1": nn.Dense(2), "h2": nn.Dense(2)}
    nx.set_node_attributes(G, ops, "op")
    agree(both(G, *case(G, 5, 2)))


def test_a_new_length_compiles_nothing():
    from unrollgraph.nn.executors import loops

    net = nn.Network(A.elman(2, 5, 2), backend="numba")
    net.forward({"x": np.ones((4, 2))}).backward({"y": np.ones((4, 2))})
    before = loops._compiled.cache_info().misses
    net.forward({"x": np.ones((9, 2))}).backward({"y": np.ones((9, 2))})
    assert loops._compiled.cache_info().misses == before


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="backend must be 'numpy' or 'numba', not 'jax'"):
        nn.Network(A.elman(1, 2, 1), backend="jax")


def test_without_numba_its_backend_says_what_to_install(monkeypatch):
    found = builtins.__import__

    def missing(name, *rest):
        if name == "numba":
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"install unrollgraph\[numba\]"):
        nn.Network(A.elman(1, 2, 1), backend="numba")
    nn.Network(A.elman(1, 2, 1))
