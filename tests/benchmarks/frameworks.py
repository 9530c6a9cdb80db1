"""Exported networks beside programs written by hand for the same framework.

    python tests/benchmarks/frameworks.py

It needs PyTorch and JAX. Both programs run in one process on one thread, in turn; a value and the
gradient of all parameters are computed over 100 steps. Exits 1 when a figure is missed.
"""

import os
import sys

os.environ |= {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import torch
from rounds import MISSED, figure, shown

from unrollgraph import nn

STEPS, INPUTS = 100, 8
torch.set_num_threads(1)


def compare(exported, by_hand, limit, what):
    times = shown({f"exported, {what}": exported, f"by hand, {what}": by_hand}, 21)
    ours, theirs = times.values()
    ratio = float(np.median([a / b for a, b in zip(ours, theirs, strict=True)]))
    figure(f"{what}: exported / by hand", ratio, limit)


def weights(hidden, gates):
    rng = np.random.default_rng(0)
    shapes = {"x": (INPUTS, gates * hidden), "h": (hidden, gates * hidden), "b": (gates * hidden,)}
    return {k: (0.1 * rng.normal(size=s)).astype(np.float32) for k, s in shapes.items()}


def lstm_step(w, pre, state):
    h, c = state
    i, f, g, o = jnp.split(pre + h @ w["h"], 4, -1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru_step(w, pre, state):
    (h,) = state
    size = h.shape[-1]
    sums = h @ w["h"]
    r, z = jnp.split(jax.nn.sigmoid(pre[..., : 2 * size] + sums[..., : 2 * size]), 2, -1)
    n = jnp.tanh(pre[..., 2 * size :] + r * sums[..., 2 * size :])
    h = (1 - z) * n + z * h
    return (h,), h


def cells_in_jax(name, hidden, batch):
    x = np.random.default_rng(1).normal(size=(STEPS, batch, INPUTS)).astype(np.float32)
    net = nn.Network(getattr(nn.architectures, name)(INPUTS, hidden, 1), dtype=np.float32)
    function, parameters = nn.to_jax(net, outputs=["h"])
    ours = jax.jit(jax.grad(lambda p: (function(p, {"x": x})[0]["h"] ** 2).sum()))
    step, gates, states = {"lstm": (lstm_step, 4, 2), "gru": (gru_step, 3, 1)}[name]

    def by_hand(w):
        start = (jnp.zeros((batch, hidden), jnp.float32),) * states
        pre = x @ w["x"] + w["b"]
        return (jax.lax.scan(lambda s, p: step(w, p, s)[0:2], start, pre)[1] ** 2).sum()

    theirs, w = jax.jit(jax.grad(by_hand)), weights(hidden, gates)
    compare(
        lambda: jax.block_until_ready(ours(parameters)),
        lambda: jax.block_until_ready(theirs(w)),
        1.3,
        f"JAX, {name}, {hidden} hidden units, batch {batch}",
    )


def neurons_in_jax(n, batch):
    rng = np.random.default_rng(0)
    sources = np.stack([rng.choice(n, 10, replace=False) for _ in range(n)])
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(1))
    G.add_nodes_from(range(n), op=nn.Dense(1, "tanh"))
    G.add_edges_from((int(u), v, {"delay": 1}) for v in range(n) for u in sources[v])
    G.add_edge("x", 0)
    x = rng.normal(size=(STEPS, batch, 1)).astype(np.float32)
    net = nn.Network(G, dtype=np.float32)
    function, parameters = nn.to_jax(net, outputs=[n - 1], packed=True)
    ours = jax.jit(jax.grad(lambda p: (function(p, {"x": x})[0][n - 1] ** 2).sum()))
    rows = np.repeat(np.arange(n), 10)

    def by_hand(w):
        def step(h, t):
            sums = jax.ops.segment_sum(
                h[sources.ravel()] * w["h"][:, None], rows, n, indices_are_sorted=True
            )
            h = jnp.tanh((sums + w["b"]).at[0].add(t[:, 0] * w["x"]))
            return h, h[-1]

        return (jax.lax.scan(step, jnp.zeros((n, batch), jnp.float32), x)[1] ** 2).sum()

    w = {"h": jnp.full(len(rows), 0.1), "b": jnp.zeros((n, 1)), "x": jnp.float32(0.1)}
    theirs = jax.jit(jax.grad(by_hand))
    compare(
        lambda: jax.block_until_ready(ours(parameters)),
        lambda: jax.block_until_ready(theirs(w)),
        1.3,
        f"JAX, {n} neurons, batch {batch}",
    )


def lstm_in_torch(hidden, batch):
    x = torch.randn(STEPS, batch, INPUTS)
    net = nn.Network(nn.architectures.lstm(INPUTS, hidden, 1), dtype=np.float32)
    module = nn.to_torch(net, outputs=["h"])
    cell, whole = torch.nn.LSTMCell(INPUTS, hidden), torch.nn.LSTM(INPUTS, hidden)

    def ours():
        (module({"x": x})[0]["h"] ** 2).sum().backward()

    def by_hand():
        state, found = None, []
        for t in range(STEPS):
            state = cell(x[t], state)
            found.append(state[0])
        (torch.stack(found) ** 2).sum().backward()

    what = f"PyTorch, LSTM, {hidden} hidden units, batch {batch}"
    compare(ours, by_hand, 1.5, what)
    shown({"torch.nn.LSTM": lambda: (whole(x)[0] ** 2).sum().backward()}, 21)


if __name__ == "__main__":
    for name in ("lstm", "gru"):
        for hidden, batch in ((16, 1), (64, 1), (64, 32)):
            cells_in_jax(name, hidden, batch)
    for batch in (1, 8):
        neurons_in_jax(1000, batch)
    for hidden, batch in ((16, 1), (64, 1), (64, 32)):
        lstm_in_torch(hidden, batch)
    if MISSED:
        sys.exit("missed: " + "; ".join(MISSED))
