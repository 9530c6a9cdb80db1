"""PyTorch's recurrent modules: values and all gradients, to 1e-10.

Skipped where PyTorch is not installed, unless UNROLLGRAPH_ALL_TOOLS says that it must be.
"""

import os

import networkx as nx
import numpy as np
import pytest

from unrollgraph import nn

if os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
    import torch
else:
    torch = pytest.importorskip("torch")

TOLERANCE = 1e-10
GATES = {"RNN": ("h",), "LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n")}
KINDS = [
    ("RNN", {"nonlinearity": "tanh"}),
    ("RNN", {"nonlinearity": "relu"}),
    ("GRU", {}),
    ("LSTM", {}),
]


def initial_states(module, kind, states):
    """The module's (layers x directions, batch, hidden) states as boundary values."""
    found = {}
    for k in range(module.num_layers * (1 + module.bidirectional)):
        layer, direction = divmod(k, 1 + module.bidirectional)
        for name, state in zip(("h", "c") if kind == "LSTM" else ("h",), states, strict=True):
            side = found.setdefault("final" if direction else "initial", {})
            side[f"{name}_{layer}_{direction}"] = state[k : k + 1].detach().numpy()
    return found


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("both", [False, True], ids=["forward", "both ways"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("kind", "more"), KINDS, ids=str)
def test_values_and_gradients_are_those_of_the_module(kind, more, layers, both, bias):
    torch.manual_seed(0)
    module = getattr(torch.nn, kind)(
        3, 4, num_layers=layers, bidirectional=both, bias=bias, dtype=torch.float64, **more
    )
    T, batch = 7, 5
    x = torch.randn(T, batch, 3, dtype=torch.float64, requires_grad=True)
    count = 2 if kind == "LSTM" else 1
    states = [
        torch.randn(layers * (1 + both), batch, 4, dtype=torch.float64, requires_grad=True)
        for _ in range(count)
    ]
    output, _ = module(x, tuple(states) if count == 2 else states[0])
    w = torch.randn_like(output)
    (output * w).sum().backward()

    net = nn.from_torch(module)
    run = net.forward({"x": x.detach().numpy()}, **initial_states(module, kind, states))
    gradients = run.backward({"y": w.numpy()})

    def close(a, b):
        b = b.detach().numpy()
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= TOLERANCE

    close(run.values["y"], output)
    close(gradients.inputs["x"], x.grad)
    names = ("h", "c")[:count]
    for k in range(layers * (1 + both)):
        layer, direction = divmod(k, 1 + both)
        suffix = f"_{layer}_{direction}"
        ending = f"_l{layer}" + ("_reverse" if direction else "")
        found = gradients.final if direction else gradients.initial
        for name, state in zip(names, states, strict=True):
            close(found[name + suffix][0], state.grad[k])
        width = getattr(module, f"weight_ih{ending}").shape[1]
        for g, gate in enumerate(GATES[kind]):
            rows = slice(4 * g, 4 * g + 4)
            if gate == "n":
                parts = {("xn", "ih"): slice(None), ("hn", "hh"): slice(None)}
            else:
                parts = {(gate, "ih"): slice(0, width), (gate, "hh"): slice(width, None)}
            for (vertex, side), columns in parts.items():
                own = gradients.parameters[f"{vertex}{suffix}.weight"][:, columns]
                close(own, getattr(module, f"weight_{side}{ending}").grad[rows])
                if bias:
                    own = gradients.parameters[f"{vertex}{suffix}.bias"]
                    close(own, getattr(module, f"bias_{side}{ending}").grad[rows])


def test_float32_modules_make_float32_networks():
    net = nn.from_torch(torch.nn.GRU(2, 3))
    assert net.dtype == np.float32
    assert net.forward({"x": np.ones((4, 2))}).values["y"].dtype == np.float32


@pytest.mark.parametrize("more", [{"batch_first": True}, {"dropout": 0.5}], ids=str)
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_the_order_of_axes_and_dropout_in_evaluation_change_no_value(kind, more):
    torch.manual_seed(0)
    module = getattr(torch.nn, kind)(3, 4, num_layers=2, dtype=torch.float64, **more).eval()
    x = torch.randn(7, 5, 3, dtype=torch.float64)
    first = "batch_first" in more
    output, _ = module(x.transpose(0, 1) if first else x)
    expected = output.transpose(0, 1) if first else output
    found = nn.from_torch(module).forward({"x": x.numpy()}).values["y"]
    assert np.abs(found - expected.detach().numpy()).max() <= TOLERANCE


def test_dropout_of_one_layer_and_subclasses_that_compute_the_same_are_taken():
    class Named(torch.nn.GRU):
        pass

    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        module = Named(2, 3, dropout=0.5)
    assert len(nn.from_torch(module).delay_graph.vertices) == 13


class Doubled(torch.nn.LSTM):
    def forward(self, x, state=None):
        output, state = super().forward(x, state)
        return 2 * output, state


def hooked():
    module = torch.nn.LSTM(2, 3)
    module.register_forward_hook(lambda _, __, output: (2 * output[0], output[1]))
    return module


@pytest.mark.parametrize(
    ("module", "error", "text"),
    [
        (
            lambda: torch.nn.Linear(2, 3),
            TypeError,
            "expected a torch.nn.RNN, GRU or LSTM, not Linear",
        ),
        (lambda: torch.nn.LSTM(2, 3, proj_size=2), ValueError, "proj_size"),
        (
            lambda: torch.nn.GRU(2, 3, num_layers=2, dropout=0.5),
            ValueError,
            r"dropout 0.5 in training mode; call module.eval\(\) first",
        ),
        (lambda: Doubled(2, 3), TypeError, "cannot convert Doubled, which overrides forward"),
        (hooked, ValueError, "a module that has forward hooks"),
    ],
)
def test_modules_that_have_no_network_are_refused(module, error, text):
    with pytest.raises(error, match=text):
        nn.from_torch(module())


# -- training ----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy", "cross_entropy"])
@pytest.mark.parametrize("size", [1.0, 50.0])
def test_losses_and_their_gradients_are_those_of_torch(loss, size):
    rng = np.random.default_rng(0)
    values = size * rng.normal(size=(6, 5, 4))
    classes = loss == "cross_entropy"
    targets = rng.integers(4, size=(6, 5)) if classes else rng.uniform(size=(6, 5, 4))
    theirs = {
        "mse": torch.nn.functional.mse_loss,
        "binary_cross_entropy": torch.nn.functional.binary_cross_entropy_with_logits,
        "cross_entropy": torch.nn.functional.cross_entropy,
    }[loss]
    logits = torch.tensor(values.reshape(-1, 4), requires_grad=True)
    flat = targets.reshape(-1) if classes else targets.reshape(-1, 4)
    expected = theirs(logits, torch.tensor(flat))
    expected.backward()
    G = nx.DiGraph([("x", "y")])
    G.nodes["x"]["op"], G.nodes["y"]["op"] = nn.Input(4), nn.Dense(4, "linear", bias=False)
    net = nn.Network(G)
    net.parameters["y.weight"][...] = np.eye(4)
    found = nn.loss_and_gradients(net, {"x": values}, {"y": targets}, loss)
    assert found.loss == pytest.approx(expected.detach().item(), rel=1e-13)
    gradient = logits.grad.numpy().T @ values.reshape(-1, 4)
    assert np.allclose(found.parameters["y.weight"], gradient, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (nn.SGD(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
        (nn.SGD(0.05, 0.9), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
        (nn.Adam(0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
        (
            nn.Adam(0.02, 0.7, 0.9, 1e-3),
            lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.7, 0.9), eps=1e-3),
        ),
    ],
)
@pytest.mark.parametrize("clip", [None, 0.05])
def test_a_network_trained_is_the_module_trained(ours, theirs, clip):
    """Thirty steps of the same optimizer, with the same clipping, from the same parameters."""
    torch.manual_seed(0)
    module = torch.nn.LSTM(3, 4).double()
    module.bias_hh_l0.requires_grad_(False)  # a network has the sum of both biases
    net = nn.from_torch(module)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 5, 3)), rng.uniform(-1, 1, size=(7, 5, 4))
    nn.fit(net, nn.Sequences({"x": x}, {"y": y}), ours, epochs=30, clip=clip)
    own = [p for p in module.parameters() if p.requires_grad]
    optimizer = theirs(own)
    for _ in range(30):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(module(torch.tensor(x))[0], torch.tensor(y))
        loss.backward()
        if clip:
            norm = torch.nn.utils.clip_grad_norm_(own, float("inf"))
            for p in own:  # their own factor has 1e-6 added to the norm
                p.grad *= min(1.0, clip / float(norm))
        optimizer.step()
    again = nn.from_torch(module)
    assert net.parameters.keys() == again.parameters.keys()
    for name, array in net.parameters.items():
        assert np.allclose(array, again.parameters[name], rtol=1e-9, atol=1e-11), name
