"""Conversion of PyTorch's recurrent modules to networks, with their parameters."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.graph import gallery
from unrollgraph.nn.architectures import gru_ops, gru_wires, lstm_ops
from unrollgraph.nn.network import Network
from unrollgraph.nn.ops import Concat, Dense, Input, Op

# PyTorch is not imported: a caller that has a module has imported it already.

# Gates in the order of their blocks of `hidden` rows in the weights of a module.
_GATES = {"RNN_TANH": ("h",), "RNN_RELU": ("h",), "LSTM": ("i", "f", "g", "o")}


def from_torch(module: Any) -> Network:
    """Convert a recurrent module of PyTorch to a network that computes the same.

    Parameters
    ----------
    module : torch.nn.RNN, torch.nn.GRU or torch.nn.LSTM
        Any number of layers, in one or both directions, without projection. Dropout between layers
        must be inactive: call ``module.eval()`` first.

    Returns
    -------
    Network
        For an input ``"x"`` of shape ``(T, batch, size)``, the values of ``"y"`` are the ``output``
        of the module, also if it has ``batch_first=True``. Names of vertices of layer l and
        direction d (0 forward, 1 backward) end in ``_l_d``. If the module has two biases of a gate,
        the network has their sum.

    Raises
    ------
    TypeError
        If it is not such a module, or a subclass that overrides ``forward``.
    ValueError
        If it has a projection, active dropout, or hooks on ``forward``.

    Examples
    --------
    >>> import torch  # doctest: +SKIP
    >>> nn.from_torch(torch.nn.GRU(3, 4))  # doctest: +SKIP
    <Network of 13 vertices, 100 parameters>
    """
    mode = getattr(module, "mode", None)
    if mode not in {*_GATES, "GRU"}:
        raise TypeError(f"expected a torch.nn.RNN, GRU or LSTM, not {type(module).__name__}")
    _check_plain(module)
    G: Any = nx.DiGraph()
    ops: dict[str, Op] = {"x": Input(module.input_size), "y": Concat()}
    directions = 2 if module.bidirectional else 1
    source = "x"
    for layer in range(module.num_layers):
        for direction in range(directions):
            suffix, step = f"_{layer}_{direction}", 1 - 2 * direction
            G.add_weighted_edges_from(_wires(mode, source, suffix, step), weight="delay")
            ops |= _operations(mode, module, suffix)
        outs = [f"h_{layer}_{direction}" for direction in range(directions)]
        source = "y" if layer + 1 == module.num_layers else f"y_{layer}"
        ops[source] = Concat()
        G.add_weighted_edges_from([(h, source, 0) for h in outs], weight="delay")
    nx.set_node_attributes(G, ops, "op")
    dtype = np.asarray(module.weight_hh_l0.detach().cpu()).dtype
    net = Network(G, dtype=dtype)
    for layer in range(module.num_layers):
        for direction in range(directions):
            _copy_parameters(net, mode, module, layer, direction)
    return net


def _check_plain(module: Any) -> None:
    """Raise an error if the mode and the weights do not define the module's function."""
    kind = type(module)
    owner = next((base for base in kind.__mro__ if "forward" in vars(base)), kind)
    if owner.__module__ != "torch.nn.modules.rnn":
        raise TypeError(
            f"cannot convert {kind.__name__}, which overrides forward; give a plain torch.nn.RNN, "
            "GRU or LSTM"
        )
    if module._forward_hooks or module._forward_pre_hooks:
        raise ValueError("cannot convert a module that has forward hooks; remove them first")
    if getattr(module, "proj_size", 0):
        raise ValueError("cannot convert a module with proj_size; use one without projection")
    if module.dropout and module.num_layers > 1 and module.training:
        raise ValueError(
            f"cannot convert a module with dropout {module.dropout} in training mode; call "
            "module.eval() first"
        )


def _wires(mode: str, source: str, suffix: str, step: int) -> list[tuple[str, str, int]]:
    if mode == "GRU":
        return gru_wires(source, suffix, step)
    if mode == "LSTM":
        edges: Any = gallery.lstm().edges(data="delay")
        return [(source if u == "x" else u + suffix, v + suffix, d * step) for u, v, d in edges]
    return [(source, "h" + suffix, 0), ("h" + suffix, "h" + suffix, step)]


def _operations(mode: str, module: Any, suffix: str) -> dict[str, Op]:
    if mode == "GRU":
        return gru_ops(module.hidden_size, suffix, bias=module.bias)
    if mode == "LSTM":
        return lstm_ops(module.hidden_size, suffix, bias=module.bias)
    activation = "relu" if mode == "RNN_RELU" else "tanh"
    return {"h" + suffix: Dense(module.hidden_size, activation, bias=module.bias)}


def _copy_parameters(net: Network, mode: str, module: Any, layer: int, direction: int) -> None:
    """Split the module's stacked rows into gates, and join the weights of x and h."""
    ending = f"_l{layer}" + ("_reverse" if direction else "")
    suffix = f"_{layer}_{direction}"

    def blocks(name: str) -> list[Any]:
        array = np.asarray(getattr(module, name + ending).detach().cpu())
        return list(array.reshape(-1, module.hidden_size, *array.shape[1:]))

    names = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if module.bias else ()))
    from_x, from_h, *biases = map(blocks, names)
    for k, gate in enumerate(_GATES.get(mode, ("r", "z"))):
        net.parameters[f"{gate}{suffix}.weight"][...] = np.hstack([from_x[k], from_h[k]])
        if biases:
            net.parameters[f"{gate}{suffix}.bias"][...] = biases[0][k] + biases[1][k]
    if mode == "GRU":
        for gate, weight, bias in (("xn", from_x, biases[:1]), ("hn", from_h, biases[1:])):
            net.parameters[f"{gate}{suffix}.weight"][...] = weight[2]
            if bias:
                net.parameters[f"{gate}{suffix}.bias"][...] = bias[0][2]
