"""Architectures: named networks as plain delay graphs with operations.

Each function returns a networkx graph that is yours to change before `Network` reads
it. Inputs are at ``x`` and outputs at ``y`` (``in`` and ``out`` in the seed network).
Wirings that the gallery has are taken from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx

from unrollgraph.graph import gallery
from unrollgraph.nn.ops import Activation, Add, Complement, Dense, Input, Multiply, Op

__all__ = [
    "bidirectional",
    "clockwork",
    "dilated",
    "elman",
    "grid_2d",
    "gru",
    "jordan",
    "lstm",
    "narx",
    "peephole_lstm",
    "recurrent_highway",
    "seed",
    "stacked",
]


def seed(inputs: int, hidden: int, outputs: int) -> Any:
    """The seed network: ``in -> A -> B -> C -> out`` and ``C -> A`` one step later."""
    layers = {name: Dense(hidden) for name in "ABC"}
    last = Dense(outputs, "linear")
    return _with(gallery.seed_network(), {"in": Input(inputs), **layers, "out": last})


def elman(inputs: int, hidden: int, outputs: int) -> Any:
    """One recurrent layer that reads its own last value."""
    return _with(gallery.elman(), _ends(inputs, outputs) | {"h": Dense(hidden)})


def jordan(inputs: int, hidden: int, outputs: int) -> Any:
    """One layer that reads the last output of the network."""
    G: nx.DiGraph[str] = nx.DiGraph()
    G.add_weighted_edges_from([("x", "h", 0), ("h", "y", 0), ("y", "h", 1)], weight="delay")
    return _with(G, _ends(inputs, outputs) | {"h": Dense(hidden)})


def stacked(inputs: int, hidden: int, outputs: int, layers: int = 2) -> Any:
    """Recurrent layers one on another."""
    return _layered(gallery.stacked(layers), inputs, hidden, outputs)


def dilated(inputs: int, hidden: int, outputs: int, layers: int = 3) -> Any:
    """Stacked layers that read their own values of 1, 2, 4, ... steps ago."""
    G = gallery.dilated(layers)
    G.add_edge(f"h{layers}", "y", delay=0)
    return _layered(G, inputs, hidden, outputs)


def narx(inputs: int, hidden: int, outputs: int, order: int = 3) -> Any:
    """One layer that reads its values of 1, 2, ..., ``order`` steps ago."""
    return _layered(gallery.narx(order), inputs, hidden, outputs)


def recurrent_highway(inputs: int, hidden: int, outputs: int, depth: int = 3) -> Any:
    """``depth`` layers within each step, each a gated mixture of the last and of new.

    Zilly et al. (2017): ``s = h t + s' (1 - t)`` with ``h = tanh(W s')`` and the gate
    ``t = sigmoid(W s')``; the first layer reads the input besides.
    """
    if depth < 1:
        raise ValueError(f"depth is {depth}, but it must be at least 1")
    G: nx.DiGraph[str] = nx.DiGraph()
    ops: dict[str, Op] = _ends(inputs, outputs)
    for i in range(1, depth + 1):
        last, delay = (f"s{i - 1}", 0) if i > 1 else (f"s{depth}", 1)
        ops |= {f"h{i}": Dense(hidden), f"t{i}": Dense(hidden, "sigmoid"), f"k{i}": Complement()}
        ops |= {f"ht{i}": Multiply(), f"sk{i}": Multiply(), f"s{i}": Add()}
        readers = [("x", 0), (last, delay)] if i == 1 else [(last, delay)]
        G.add_weighted_edges_from(
            [(u, f"{part}{i}", d) for part in "ht" for u, d in readers], weight="delay"
        )
        G.add_weighted_edges_from(
            [
                (f"t{i}", f"k{i}", 0),
                (f"h{i}", f"ht{i}", 0),
                (f"t{i}", f"ht{i}", 0),
                (last, f"sk{i}", delay),
                (f"k{i}", f"sk{i}", 0),
                (f"ht{i}", f"s{i}", 0),
                (f"sk{i}", f"s{i}", 0),
            ],
            weight="delay",
        )
    G.add_edge(f"s{depth}", "y", delay=0)
    return _with(G, ops)


def clockwork(inputs: int, hidden: int, outputs: int, periods: Sequence[int] = (1, 2, 4)) -> Any:
    """Modules that are computed at the ticks that their periods divide.

    A step is ``lcm(periods)`` ticks. Vertex ``(i, g)`` is module g at tick i,
    ``("x", i)`` and ``("y", i)`` are the input and the output of that tick. An output
    reads each module's last value. Copies of a module at different ticks have
    parameters of their own.
    """
    G: Any = gallery.clockwork(periods)
    ops: dict[Any, Op] = {node: Dense(hidden) for node in G}
    ticks = range(math.lcm(*periods))
    G.add_nodes_from(("x", i) for i in ticks)
    for i, g in list(ops):
        G.add_edge(("x", i), (i, g), delay=0)
    for i in ticks:
        ops[("x", i)], ops[("y", i)] = Input(inputs), Dense(outputs, "linear")
        for g, period in enumerate(periods):
            G.add_edge((i // period * period, g), ("y", i), delay=0)
    return _with(G, ops)


def bidirectional(inputs: int, hidden: int, outputs: int) -> Any:
    """One layer forward in time and one backward."""
    layers = {"f": Dense(hidden), "b": Dense(hidden)}
    return _with(gallery.bidirectional(), _ends(inputs, outputs) | layers)


def grid_2d(inputs: int, hidden: int, outputs: int) -> Any:
    """A recurrent layer over the plane, with delays (1, 0) and (0, 1)."""
    return _with(gallery.grid_2d(), _ends(inputs, outputs) | {"h": Dense(hidden)})


def gru(inputs: int, hidden: int, outputs: int) -> Any:
    """A gated recurrent unit at the level of its gates.

    Cho et al. (2014), with the reset gate behind the recurrent product:
    ``h = (1 - z) n + z h'`` with ``n = tanh(W x + r (U h'))``.
    """
    G: nx.DiGraph[str] = nx.DiGraph()
    G.add_weighted_edges_from(gru_wires("x", ""), weight="delay")
    G.add_edge("h", "y", delay=0)
    return _with(G, _ends(inputs, outputs) | gru_ops(hidden, ""))


def lstm(inputs: int, hidden: int, outputs: int) -> Any:
    """A long short-term memory at the level of its gates (Hochreiter and Schmidhuber, 1997)."""
    G = gallery.lstm()
    G.add_edge("h", "y", delay=0)
    return _with(G, _ends(inputs, outputs) | lstm_ops(hidden, ""))


def peephole_lstm(inputs: int, hidden: int, outputs: int) -> Any:
    """An LSTM whose gates also read the cell (Gers and Schmidhuber, 2000).

    Input and forget gate read its last value, the output gate the new one.
    """
    G = lstm(inputs, hidden, outputs)
    G.add_weighted_edges_from([("c", "i", 1), ("c", "f", 1), ("c", "o", 0)], weight="delay")
    return G


# -- parts that are used more than once ------------------------------------------------


def gru_wires(source: str, suffix: str, step: int = 1) -> list[tuple[str, str, int]]:
    """Wires of a gated recurrent unit whose vertices end in a suffix."""
    wires = [(source, f"{gate}", 0) for gate in ("r", "z", "xn")]
    wires += [("h", gate, step) for gate in ("r", "z", "hn")]
    wires += [("r", "rn", 0), ("hn", "rn", 0), ("xn", "sn", 0), ("rn", "sn", 0), ("sn", "n", 0)]
    wires += [("z", "k", 0), ("k", "kn", 0), ("n", "kn", 0), ("z", "zh", 0), ("h", "zh", step)]
    wires += [("kn", "h", 0), ("zh", "h", 0)]
    return [(u if u == source else u + suffix, v + suffix, d) for u, v, d in wires]


def gru_ops(hidden: int, suffix: str, *, bias: bool = True) -> dict[str, Op]:
    """Operations of a gated recurrent unit."""
    ops: dict[str, Op] = {gate: Dense(hidden, "sigmoid", bias=bias) for gate in "rz"}
    ops |= {part: Dense(hidden, "linear", bias=bias) for part in ("xn", "hn")}
    ops |= {"rn": Multiply(), "sn": Add(), "n": Activation("tanh"), "k": Complement()}
    ops |= {"kn": Multiply(), "zh": Multiply(), "h": Add()}
    return {name + suffix: op for name, op in ops.items()}


def lstm_ops(hidden: int, suffix: str, *, bias: bool = True) -> dict[str, Op]:
    """Operations of the gallery's `lstm`."""
    ops: dict[str, Op] = {gate: Dense(hidden, "sigmoid", bias=bias) for gate in "ifo"}
    ops |= {"g": Dense(hidden, "tanh", bias=bias), "fc": Multiply(), "ig": Multiply()}
    ops |= {"c": Add(), "tc": Activation("tanh"), "h": Multiply()}
    return {name + suffix: op for name, op in ops.items()}


def _ends(inputs: int, outputs: int) -> dict[str, Op]:
    return {"x": Input(inputs), "y": Dense(outputs, "linear")}


def _layered(G: Any, inputs: int, hidden: int, outputs: int) -> Any:
    ends = _ends(inputs, outputs)
    return _with(G, {node: ends.get(node, Dense(hidden)) for node in G})


def _with(G: Any, ops: Mapping[Any, Op]) -> Any:
    nx.set_node_attributes(G, dict(ops), "op")
    return G
