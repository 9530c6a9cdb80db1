"""Common recurrent networks, as networkx delay graphs with operations.

``inputs``, ``hidden`` and ``outputs`` are the sizes of vectors. Input and output are the vertices
``"x"`` and ``"y"`` (``"in"`` and ``"out"`` in `seed`). A returned graph may be changed before
`Network` reads it. Topologies that `graph.gallery` has are taken from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

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

Graph = TypeVar("Graph", bound="nx.DiGraph[Any]")


def seed(inputs: int, hidden: int, outputs: int) -> nx.DiGraph[Any]:
    """Seed network: ``in -> A -> B -> C -> out``, and ``C -> A`` with delay 1."""
    layers = {name: Dense(hidden) for name in "ABC"}
    last = Dense(outputs, "linear")
    return _with(gallery.seed_network(), {"in": Input(inputs), **layers, "out": last})


def elman(inputs: int, hidden: int, outputs: int) -> nx.DiGraph[Any]:
    """Elman network: one recurrent layer that reads its own previous value."""
    return _with(gallery.elman(), _ends(inputs, outputs) | {"h": Dense(hidden)})


def jordan(inputs: int, hidden: int, outputs: int) -> nx.DiGraph[Any]:
    """Jordan network: one layer that reads the previous output."""
    G: nx.DiGraph[str] = nx.DiGraph()
    G.add_weighted_edges_from([("x", "h", 0), ("h", "y", 0), ("y", "h", 1)], weight="delay")
    return _with(G, _ends(inputs, outputs) | {"h": Dense(hidden)})


def stacked(inputs: int, hidden: int, outputs: int, layers: int = 2) -> nx.DiGraph[Any]:
    """Stack of recurrent layers."""
    return _layered(gallery.stacked(layers), inputs, hidden, outputs)


def dilated(inputs: int, hidden: int, outputs: int, layers: int = 3) -> nx.DiGraph[Any]:
    """Stack of layers that read their own values of 1, 2, 4, ... steps ago."""
    G = gallery.dilated(layers)
    G.add_edge(f"h{layers}", "y", delay=0)
    return _layered(G, inputs, hidden, outputs)


def narx(inputs: int, hidden: int, outputs: int, order: int = 3) -> nx.MultiDiGraph[Any]:
    """One layer that reads its own values of 1, 2, ..., ``order`` steps ago."""
    return _layered(gallery.narx(order), inputs, hidden, outputs)


def recurrent_highway(inputs: int, hidden: int, outputs: int, depth: int = 3) -> nx.DiGraph[Any]:
    """Recurrent highway network: ``depth`` gated layers in each step.

    Zilly et al. (2017): ``s = h t + s' (1 - t)`` with ``h = tanh(W s')`` and the gate
    ``t = sigmoid(W s')``, where s' is the value of the previous layer; the first layer also reads
    the input.
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


def clockwork(
    inputs: int, hidden: int, outputs: int, periods: Sequence[int] = (1, 2, 4)
) -> nx.DiGraph[Any]:
    """Clockwork network: each module is computed at the ticks that its period divides.

    A step has ``lcm(periods)`` ticks. Vertex ``(i, g)`` is module g at tick i; ``("x", i)`` and
    ``("y", i)`` are the input and the output of tick i. An output reads the latest value of each
    module. Each tick of a module is a separate vertex with its own parameters.
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


def bidirectional(inputs: int, hidden: int, outputs: int) -> nx.DiGraph[Any]:
    """One layer forward in time and one backward."""
    layers = {"f": Dense(hidden), "b": Dense(hidden)}
    return _with(gallery.bidirectional(), _ends(inputs, outputs) | layers)


def grid_2d(inputs: int, hidden: int, outputs: int) -> nx.MultiDiGraph[Any]:
    """Recurrent layer in two dimensions, with delays (1, 0) and (0, 1)."""
    return _with(gallery.grid_2d(), _ends(inputs, outputs) | {"h": Dense(hidden)})


def gru(inputs: int, hidden: int, outputs: int) -> nx.DiGraph[Any]:
    """Gated recurrent unit (Cho et al., 2014), with a vertex for each gate.

    ``h = (1 - z) n + z h'`` with ``n = tanh(W x + r (U h'))``: the reset gate r follows the
    recurrent product.
    """
    G: nx.DiGraph[str] = nx.DiGraph()
    G.add_weighted_edges_from(gru_wires("x", ""), weight="delay")
    G.add_edge("h", "y", delay=0)
    return _with(G, _ends(inputs, outputs) | gru_ops(hidden, ""))


def lstm(inputs: int, hidden: int, outputs: int) -> nx.DiGraph[Any]:
    """LSTM (Hochreiter and Schmidhuber, 1997), with a vertex for each gate."""
    G = gallery.lstm()
    G.add_edge("h", "y", delay=0)
    return _with(G, _ends(inputs, outputs) | lstm_ops(hidden, ""))


def peephole_lstm(inputs: int, hidden: int, outputs: int) -> nx.DiGraph[Any]:
    """LSTM whose gates also read the cell (Gers and Schmidhuber, 2000).

    The input and forget gates read its previous value, the output gate the current one.
    """
    G = lstm(inputs, hidden, outputs)
    G.add_weighted_edges_from([("c", "i", 1), ("c", "f", 1), ("c", "o", 0)], weight="delay")
    return G


# -- shared parts ----------------------------------------------------------------------


def gru_wires(source: str, suffix: str, step: int = 1) -> list[tuple[str, str, int]]:
    """Edges ``(u, v, delay)`` of a GRU; the names of its vertices end in ``suffix``."""
    wires = [(source, f"{gate}", 0) for gate in ("r", "z", "xn")]
    wires += [("h", gate, step) for gate in ("r", "z", "hn")]
    wires += [("r", "rn", 0), ("hn", "rn", 0), ("xn", "sn", 0), ("rn", "sn", 0), ("sn", "n", 0)]
    wires += [("z", "k", 0), ("k", "kn", 0), ("n", "kn", 0), ("z", "zh", 0), ("h", "zh", step)]
    wires += [("kn", "h", 0), ("zh", "h", 0)]
    return [(u if u == source else u + suffix, v + suffix, d) for u, v, d in wires]


def gru_ops(hidden: int, suffix: str, *, bias: bool = True) -> dict[str, Op]:
    """Operations of a GRU, by vertex."""
    ops: dict[str, Op] = {gate: Dense(hidden, "sigmoid", bias=bias) for gate in "rz"}
    ops |= {part: Dense(hidden, "linear", bias=bias) for part in ("xn", "hn")}
    ops |= {"rn": Multiply(), "sn": Add(), "n": Activation("tanh"), "k": Complement()}
    ops |= {"kn": Multiply(), "zh": Multiply(), "h": Add()}
    return {name + suffix: op for name, op in ops.items()}


def lstm_ops(hidden: int, suffix: str, *, bias: bool = True) -> dict[str, Op]:
    """Operations of the LSTM of the gallery, by vertex."""
    ops: dict[str, Op] = {gate: Dense(hidden, "sigmoid", bias=bias) for gate in "ifo"}
    ops |= {"g": Dense(hidden, "tanh", bias=bias), "fc": Multiply(), "ig": Multiply()}
    ops |= {"c": Add(), "tc": Activation("tanh"), "h": Multiply()}
    return {name + suffix: op for name, op in ops.items()}


def _ends(inputs: int, outputs: int) -> dict[str, Op]:
    return {"x": Input(inputs), "y": Dense(outputs, "linear")}


def _layered(G: Graph, inputs: int, hidden: int, outputs: int) -> Graph:
    ends = _ends(inputs, outputs)
    return _with(G, {node: ends.get(node, Dense(hidden)) for node in G})


def _with(G: Graph, ops: Mapping[Any, Op]) -> Graph:
    nx.set_node_attributes(G, dict(ops), "op")
    return G
