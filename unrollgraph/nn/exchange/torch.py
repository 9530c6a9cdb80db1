"""Conversion of PyTorch's recurrent modules to networks, and of networks to PyTorch modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.graph import gallery
from unrollgraph.nn.architectures import gru_ops, gru_wires, lstm_ops
from unrollgraph.nn.exchange.windows import window_function
from unrollgraph.nn.network import Network
from unrollgraph.nn.ops import Concat, Dense, Input, Op

# from_torch does not import PyTorch: a caller that has a module has imported it already.

Tensor = Any

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


# -- networks to modules ------------------------------------------------------------------


def to_torch(net: Network, *, outputs: Iterable[Any] | None = None) -> Any:
    """Return a network as a module of PyTorch.

    Parameters
    ----------
    net : Network
        The network, with delays in Z.
    outputs : iterable of vertices, optional
        Vertices whose values the module returns (default: vertices without out-edges).

    Returns
    -------
    torch.nn.Module
        ``module(inputs, state=None)`` returns the pair of a dict of output tensors and the state
        after the window. Inputs are a dict of tensors; inputs and outputs have the shapes of
        `Network.forward`. The state is a tuple of tensors, for the next window. The names of
        parameters, also in ``state_dict``, are those of ``net.parameters``, and their dtype is
        that of the network.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError
        If an operation of the network has no form in PyTorch; the message names its vertex.
    ValueError
        If the delays are vectors, or the name of a vertex is not possible in a module.

    Examples
    --------
    >>> import torch  # doctest: +SKIP
    >>> from unrollgraph import nn
    >>> module = nn.to_torch(nn.Network(nn.architectures.seed(2, 3, 1)))  # doctest: +SKIP
    >>> outputs, state = module({"in": torch.ones(4, 2, dtype=torch.float64)})  # doctest: +SKIP
    >>> outputs["out"].shape  # doctest: +SKIP
    torch.Size([4, 1])
    """
    try:
        torch: Any = import_module("torch")
    except ImportError as error:
        raise ImportError("to_torch needs PyTorch; install it with: pip install torch") from error
    function = window_function(net, outputs, _Torch(torch))

    class NetworkModule(torch.nn.Module):  # type: ignore[misc]
        """A network of unrollgraph."""

        def forward(self, inputs: Any, state: Any = None) -> Any:
            return function(dict(self.named_parameters()), inputs, state)

        def __reduce__(self) -> Any:
            return _module_of, (net, outputs, self.state_dict())

    module = NetworkModule()
    for name, array in net.parameters.items():
        owner = module
        *path, last = name.split(".")
        for part in path:
            if part and not hasattr(owner, part):
                owner.add_module(part, torch.nn.Module())
            elif part not in dict(owner.named_children()):
                raise ValueError(
                    f"the parameter {name!r} cannot be a parameter of a module, because the module "
                    f"has another attribute {part!r}, or the name is empty; rename the vertex"
                )
            owner = getattr(owner, part)
        setattr(owner, last, torch.nn.Parameter(torch.from_numpy(array.copy())))
    return module


def _module_of(net: Network, outputs: Any, state: Any) -> Any:
    """Make a module with given parameters, to copy and to unpickle it."""
    module = to_torch(net, outputs=outputs)
    module.load_state_dict(state)
    return module


class _Torch:
    """The functions of PyTorch that a window function calls."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        nn = torch.nn.functional
        self.kernels: dict[str, Callable[..., Tensor]] = {
            "copy": lambda a: a,
            "add": torch.add,
            "multiply": torch.mul,
            "complement": lambda a: 1 - a,
            "concatenate": lambda *a: torch.cat(a, -2),
            "softmax": lambda a: torch.softmax(a, -2),
            "tanh": torch.tanh,
            "sigmoid": torch.sigmoid,
            "relu": torch.relu,
            "leaky_relu": nn.leaky_relu,
            "elu": nn.elu,
            "gelu": nn.gelu,
            "silu": nn.silu,
            # torch's own softplus is linear from 20 on
            "softplus": lambda a: torch.logaddexp(a, torch.zeros_like(a)),
            "sin": torch.sin,
            "exp": torch.exp,
            "abs": torch.abs,
            "square": torch.square,
        }
        self._indices: dict[tuple[int, Any], tuple[Any, Tensor]] = {}

    def given(self, array: Any, like: Tensor, *, indices: bool) -> Tensor:
        dtype = self.torch.long if indices else like.dtype
        return self.torch.as_tensor(array, dtype=dtype, device=like.device)

    def zeros(self, shape: Sequence[int], like: Tensor) -> Tensor:
        return like.new_zeros(tuple(shape))

    def constant(self, array: Any, like: Tensor | None) -> Tensor:
        return self.torch.as_tensor(array) if like is None else like.new_tensor(array)

    def concat(self, arrays: Sequence[Tensor], axis: int) -> Tensor:
        return self.torch.cat(tuple(arrays), axis)

    def indices(self, array: Any, like: Tensor) -> Tensor:
        """Indices on the device of a tensor, kept for the next step."""
        key = id(array), like.device
        if key not in self._indices:  # the array is kept, so its id remains its own
            self._indices[key] = array, self.torch.as_tensor(array, device=like.device)
        return self._indices[key][1]

    def take(self, array: Tensor, indices: Any, axis: int) -> Tensor:
        return array.index_select(axis, self.indices(indices, array))

    def embedding(self, table: Tensor, indices: Tensor) -> Tensor:
        return table[indices]

    def flipped(self, array: Tensor) -> Tensor:
        return array.flip(0)

    def full_matrix(self, shape: tuple[int, int], places: Any, values: Tensor) -> Tensor:
        flat = values.new_zeros(shape[0] * shape[1])
        return flat.index_add(0, self.indices(places, values), values).reshape(shape)

    def sums(self, products: Tensor, rows: Any, count: int) -> Tensor:
        shape = (*products.shape[:-2], count, products.shape[-1])
        return products.new_zeros(shape).index_add(-2, self.indices(rows, products), products)

    def where(self, condition: Tensor, one: Tensor, other: Tensor) -> Tensor:
        return self.torch.where(condition.to(one.device), one, other)

    def scan(self, body: Any, carry: Any, given: Any, steps: int) -> Any:
        columns = {key: values.unbind(0) for key, values in given.items()}
        found: list[dict[int, Tensor]] = []
        for s in range(steps):
            carry, new = body(carry, {key: column[s] for key, column in columns.items()})
            found.append(new)
        stacked = {key: self.torch.stack([new[key] for new in found]) for key in found[0]}
        return carry, stacked
