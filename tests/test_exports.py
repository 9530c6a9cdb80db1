"""Networks in PyTorch and JAX, differentiated by these, beside the gradients of this package.

Skipped where the frameworks are not installed, unless UNROLLGRAPH_ALL_TOOLS says that they must be.
"""

import copy
import os
import pickle
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from test_grouping import random_network

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import architectures
from unrollgraph.nn.exchange.windows import packed_parameters
from unrollgraph.nn.primitives import BUILT_IN

if os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
    import jax
    import torch
else:
    torch = pytest.importorskip("torch")
    jax = pytest.importorskip("jax")

jax.config.update("jax_enable_x64", True)
T, BATCH = 7, 3


class Data:
    """A network with random parameters, inputs and output gradients, and its own answers."""

    def __init__(self, G, seed=0):
        self.rng = np.random.default_rng(seed)
        self.net = nn.Network(G)
        for array in self.net.parameters.values():
            array[...] = self.rng.normal(size=array.shape) / 2
        self.inputs = {}
        for v, op in nx.get_node_attributes(G, "op").items():
            if isinstance(op, nn.Input):
                self.inputs[v] = self.rng.normal(size=(T, BATCH, op.size))
            elif isinstance(op, nn.Embedding):
                self.inputs[v] = self.rng.integers(0, op.vocabulary, (T, BATCH))
        self.run = self.net.forward(self.inputs)
        self.outputs = list(self.net.delay_graph.vertices)
        self.given = {v: self.rng.normal(size=self.run.values[v].shape) for v in self.outputs}
        given = {v: g for v, g in self.given.items() if v not in self.inputs}
        self.gradients = self.run.backward(given).parameters


def in_torch(data, outputs=None):
    module = nn.to_torch(data.net, outputs=outputs)
    inputs = {v: torch.from_numpy(array) for v, array in data.inputs.items()}
    found, state = module(inputs)
    kept = {v: a for v, a in found.items() if v not in data.inputs}
    sum((a * torch.from_numpy(data.given[v])).sum() for v, a in kept.items()).backward()
    gradients = {
        name: np.zeros(p.shape) if p.grad is None else p.grad.numpy()
        for name, p in module.named_parameters()
    }
    return {v: a.detach().numpy() for v, a in found.items()}, gradients, state


def in_jax(data, outputs=None):
    run, parameters = nn.to_jax(data.net, outputs=outputs)

    def loss(parameters):
        found, state = run(parameters, data.inputs)
        kept = {v: a for v, a in found.items() if v not in data.inputs}
        return sum((a * data.given[v]).sum() for v, a in kept.items()), (found, state)

    gradients, (found, state) = jax.jit(jax.grad(loss, has_aux=True))(parameters)
    return {v: np.asarray(a) for v, a in found.items()}, dict(gradients), state


def agrees(data, answer, gradients=True):
    found, theirs, _ = answer
    for v, array in found.items():
        np.testing.assert_allclose(array, data.run.values[v], rtol=1e-12, atol=1e-12)
    assert theirs.keys() == data.gradients.keys()
    for name in theirs if gradients else ():
        scale = max(1, np.abs(data.gradients[name]).max())
        np.testing.assert_allclose(
            np.asarray(theirs[name]) / scale, data.gradients[name] / scale, rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("framework", [in_torch, in_jax])
@pytest.mark.parametrize("name", [n for n in architectures.__all__ if n != "grid_2d"])
def test_architectures_agree(name, framework):
    data = Data(getattr(architectures, name)(2, 4, 3))
    agrees(data, framework(data, data.outputs))
    # with the default outputs, other values of a loop are not returned
    ends = [v for v, count in data.net.delay_graph.base.out_degree if not count]
    data.given = {v: data.given[v] for v in ends or data.outputs if v not in data.inputs}
    data.gradients = data.run.backward(data.given).parameters
    answer = framework(data)
    assert list(answer[0]) == (ends or data.outputs)
    agrees(data, answer)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_random_networks_agree_in_torch(seed, mixed):
    data = Data(plain(random_network(seed, mixed)), seed)
    agrees(data, in_torch(data, data.outputs))


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(20, 90))
def test_many_random_networks_agree_in_torch(seed, mixed):
    test_random_networks_agree_in_torch(seed, mixed)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_random_networks_agree_in_jax(seed, mixed):
    data = Data(plain(random_network(seed, mixed)), seed)
    agrees(data, in_jax(data, data.outputs))


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(4, 8))
def test_many_random_networks_agree_in_jax(seed, mixed):
    test_random_networks_agree_in_jax(seed, mixed)


def plain(G):
    """The network with operations of the package only."""
    for v, op in nx.get_node_attributes(G, "op").items():
        if type(op).__module__ != "unrollgraph.nn.ops":
            G.nodes[v]["op"] = nn.Activation("tanh")
    return G


@pytest.mark.parametrize("framework", [in_torch, in_jax])
def test_every_activation_agrees(framework):
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(2))
    for name in BUILT_IN:
        G.add_node(name, op=nn.Dense(3, name))
        G.add_edge("x", name)
    data = Data(G)
    agrees(data, framework(data))


@pytest.mark.parametrize("framework", [in_torch, in_jax])
@pytest.mark.parametrize("name", ["lstm", "narx", "dilated", "clockwork", "memory"])
def test_a_window_continues_another(name, framework):
    data = Data(memory() if name == "memory" else getattr(architectures, name)(2, 4, 3))
    if framework is in_torch:
        module = nn.to_torch(data.net)
        inputs = {v: torch.from_numpy(array) for v, array in data.inputs.items()}
    else:
        run, parameters = nn.to_jax(data.net)
        module, inputs = (lambda *given: run(parameters, *given)), data.inputs
    state, parts = None, []
    for some in (slice(0, 1), slice(1, 5), slice(5, T)):
        found, state = module({v: array[some] for v, array in inputs.items()}, state)
        parts.append(
            {v: np.asarray(getattr(a, "detach", lambda a=a: a)()) for v, a in found.items()}
        )
    for v in parts[0]:
        whole = np.concatenate([part[v] for part in parts])
        np.testing.assert_allclose(whole, data.run.values[v], atol=1e-12)
    with pytest.raises(ug.errors.ShapeError, match="state must be a tuple"):
        module(inputs, ())
    with pytest.raises(ug.errors.ShapeError, match="with a batch of 3"):
        module(inputs, tuple(array[:, :, :1] for array in state))


def memory():
    """A vertex that reads its last three values, which nothing else reads."""
    G = nx.MultiDiGraph()
    G.add_edge("x", "h")
    G.add_edges_from(("h", "h", {"delay": k}) for k in (1, 2, 3))
    nx.set_node_attributes(G, {"x": nn.Input(2), "h": nn.Dense(3, "tanh")}, "op")
    return G


def neurons(n, seed=0):
    rng = np.random.default_rng(seed)
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(2))
    for v in range(n):
        G.add_node(v, op=nn.Dense(1, "tanh"))
    for v in range(n):
        G.add_edge("x", v)
        G.add_weighted_edges_from(
            [(int(u), v, int(rng.integers(1, 3))) for u in rng.choice(n, 4, replace=False)],
            weight="delay",
        )
    return G


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_thousand_neurons_agree(framework):
    data = Data(neurons(1000))
    given = {0: data.given[0], 500: data.given[500]}
    gradients = data.run.backward(given).parameters
    if framework == "jax":
        run, parameters = nn.to_jax(data.net, outputs=given, packed=True)

        def loss(parameters):
            found, _ = run(parameters, data.inputs)
            return sum((found[v] * given[v]).sum() for v in given)

        packed = np.array(jax.jit(jax.grad(loss))(parameters))
        assert np.array_equal(np.asarray(parameters), packed_parameters(data.net))
        found = data.net.plans.packing.views(packed)
    else:
        module = nn.to_torch(data.net, outputs=given)
        values, _ = module({"x": torch.from_numpy(data.inputs["x"])})
        sum((values[v] * torch.from_numpy(given[v])).sum() for v in given).backward()
        found = {name: p.grad.numpy() for name, p in module.named_parameters()}
    scale = max(np.abs(g).max() for g in gradients.values())
    for name, gradient in gradients.items():
        np.testing.assert_allclose(found[name] / scale, gradient / scale, rtol=0, atol=1e-12)


class Cube(nn.Op):
    def size_of(self, sizes):
        return sizes[0]

    def parameters(self, sizes):
        return {"scale": nn.Parameter((sizes[0],), 1.0)}

    def forward(self, sources, parameters):
        return sources[0] ** 3 * parameters["scale"]

    def adjoint(self, gradient, _, sources, parameters):
        back = 3 * sources[0] ** 2 * parameters["scale"] * gradient
        return [back], {"scale": (sources[0] ** 3 * gradient).sum(axis=0)}


class ExportedCube(Cube):
    def array_forward(self, _, sources, parameters):
        return self.forward(sources, parameters)


def custom(op):
    G = nx.DiGraph()
    G.add_weighted_edges_from([("x", "h", 0), ("h", "o", 0), ("o", "h", 1)], weight="delay")
    nx.set_node_attributes(G, {"x": nn.Input(2), "h": nn.Dense(2, "tanh"), "o": op}, "op")
    return G


@pytest.mark.parametrize("framework", [in_torch, in_jax])
def test_custom_operations_are_exported_by_their_own_function(framework):
    data = Data(custom(ExportedCube()))
    agrees(data, framework(data, data.outputs))


@pytest.mark.parametrize("export", [nn.to_torch, nn.to_jax])
def test_what_cannot_be_exported_is_named(export):
    with pytest.raises(TypeError, match=r"vertex 'o': its operation Cube has no method array_for"):
        export(nn.Network(custom(Cube())))
    if "third" not in nn.primitives.TABLE:
        nn.register_activation("third", lambda a: a / 3, lambda a: 0 * a + 1 / 3)
    with pytest.raises(TypeError, match="vertex 'o': its activation 'third' is defined by NumPy"):
        export(nn.Network(custom(nn.Activation("third"))))
    with pytest.raises(ValueError, match=r"delays are in Z\^2"):
        export(nn.Network(architectures.grid_2d(2, 3, 1)))
    G = nx.DiGraph([("h", "h", {"delay": 1})])
    G.nodes["h"]["op"] = nn.Dense(2)
    with pytest.raises(ValueError, match="without inputs cannot be exported"):
        export(nn.Network(G))
    with pytest.raises(TypeError, match="net must be an nn.Network"):
        export(custom(Cube()))
    with pytest.raises(ValueError, match="outputs"):
        export(nn.Network(architectures.elman(2, 3, 1)), outputs=["nothing"])


def test_a_module_has_the_names_and_the_type_of_the_network():
    net = nn.Network(architectures.lstm(2, 4, 3), dtype=np.float32)
    module = nn.to_torch(net)
    assert set(module.state_dict()) == set(net.parameters)
    x = torch.ones(T, BATCH, 2)
    values, state = module({"x": x})
    assert values["y"].dtype == torch.float32
    assert values["y"].shape == (T, BATCH, 3)
    single, _ = module({"x": x[:, 0]})
    assert single["y"].shape == (T, 3)
    torch.testing.assert_close(single["y"], values["y"][:, 0])
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        torch.testing.assert_close(other({"x": x})[0]["y"], values["y"])
    with torch.no_grad():
        module.get_parameter("y.weight").zero_()
    assert not module({"x": x})[0]["y"].sub(module.get_parameter("y.bias")).any()
    assert len(state) == 2


def test_a_module_trains():
    torch.manual_seed(0)
    data = Data(architectures.gru(2, 4, 3))
    module = nn.to_torch(data.net)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    target = torch.zeros(T, BATCH, 3, dtype=torch.float64)
    x = {"x": torch.from_numpy(data.inputs["x"])}
    theirs, ours = [], []
    for _ in range(30):
        optimizer.zero_grad()
        loss = ((module(x)[0]["y"] - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        theirs.append(float(loss.detach()))
        found = nn.loss_and_gradients(data.net, data.inputs, {"y": target.numpy()})
        ours.append(found.loss)
        for name, gradient in found.parameters.items():
            data.net.parameters[name] -= 0.05 * gradient
    np.testing.assert_allclose(theirs, ours, rtol=1e-9)


def test_parameters_are_copied_both_ways():
    net, other = (nn.Network(architectures.gru(2, 4, 3), seed=seed) for seed in (0, 1))
    module, (run, parameters) = nn.to_torch(net), nn.to_jax(net)
    nn.copy_parameters(module, other)
    x = np.ones((T, 2))
    expected = net.forward({"x": x}).values["y"]
    np.testing.assert_array_equal(other.forward({"x": x}).values["y"], expected)
    third = nn.Network(architectures.gru(2, 4, 3), seed=2)
    nn.copy_parameters(third, module)
    nn.copy_parameters(third, parameters)
    wanted = third.forward({"x": x}).values["y"]
    np.testing.assert_allclose(run(parameters, {"x": x})[0]["y"], wanted, atol=1e-12)
    np.testing.assert_allclose(
        module({"x": torch.from_numpy(x)})[0]["y"].detach(), wanted, atol=1e-12
    )
    nn.copy_parameters(nn.to_jax(third, packed=True)[1], other)
    np.testing.assert_array_equal(other.forward({"x": x}).values["y"], wanted)
    with pytest.raises(ug.errors.ShapeError, match=r"must have shape \(\d+,\), not \(3,\)"):
        nn.copy_parameters(np.ones(3), other)
    before = {name: array.copy() for name, array in other.parameters.items()}
    with pytest.raises(ug.errors.ShapeError, match="'r.weight' has shape"):
        nn.copy_parameters(nn.Network(architectures.gru(5, 4, 3)), other)
    with pytest.raises(ug.errors.ShapeError, match="same parameters; differing"):
        nn.copy_parameters(nn.Network(architectures.elman(2, 4, 3)), module)
    with pytest.raises(TypeError, match="source must be an nn.Network"):
        nn.copy_parameters(3, other)
    for name, array in before.items():
        np.testing.assert_array_equal(other.parameters[name], array)


def test_transformations_of_jax_apply():
    data = Data(architectures.elman(2, 4, 3))
    run, parameters = nn.to_jax(data.net)
    many = np.stack([data.inputs["x"], 2 * data.inputs["x"]])
    found = jax.vmap(lambda x: run(parameters, {"x": x})[0]["y"])(many)
    for k, x in enumerate(many):
        np.testing.assert_allclose(found[k], data.net.forward({"x": x}).values["y"], atol=1e-12)


@pytest.mark.parametrize("export", ["torch", "jax"])
def test_inputs_that_do_not_fit_are_rejected(export):
    net = nn.Network(architectures.elman(2, 4, 3))
    if export == "torch":
        module = nn.to_torch(net)
        make = torch.from_numpy
    else:
        run, parameters = nn.to_jax(net)
        module, make = (lambda x: run(parameters, x)), np.asarray
    with pytest.raises(ug.errors.ShapeError, match="given for 'x', not for 'z'"):
        module({"z": make(np.ones((3, 2)))})
    with pytest.raises(ug.errors.ShapeError, match="input of 'x' has shape"):
        module({"x": make(np.ones((3, 5, 4)))})
    for wrong in (np.ones(3), np.ones(()), np.ones((0, 2))):
        with pytest.raises(ug.errors.ShapeError, match="input of 'x' has shape"):
            module({"x": make(wrong)})
    with pytest.raises(TypeError, match="inputs must be a mapping"):
        module(np.ones((3, 2)))
    assert str(module({"x": np.ones((3, 2), int)})[0]["y"].dtype).endswith("float64")


def test_names_that_a_module_has_already():
    G = nx.DiGraph([("x", "forward")])
    nx.set_node_attributes(G, {"x": nn.Input(2), "forward": nn.Dense(3)}, "op")
    for name in ("forward", "", "a..b"):
        H = nx.relabel_nodes(G, {"forward": name})
        with pytest.raises(ValueError, match=r"weight' cannot be a parameter of a module"):
            nn.to_torch(nn.Network(H))
    assert nn.to_torch(nn.Network(nx.relabel_nodes(G, {"forward": "a.b"})), outputs=[])(
        {"x": torch.ones(T, 2)}
    ) == ({}, ())


def test_the_export_of_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (block,) = re.findall(r"```python\n(module = .*?)```", readme, re.DOTALL)
    names = {"nn": nn, "torch": torch, "net": nn.Network(architectures.seed(2, 3, 1))}
    exec(block, names)
    assert names["outputs"]["out"].shape == (4, 1)
    found, _ = names["function"](names["parameters"], {"in": np.ones((4, 2))})
    np.testing.assert_allclose(found["out"], names["outputs"]["out"].detach(), atol=1e-12)
