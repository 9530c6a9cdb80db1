"""Networks of single neurons: random graphs beside a program in SciPy, JAX and PyTorch.

Usage: ``python tests/benchmarks/neurons.py [n ...]``; one thread, float64, 100 steps. A network has
one input, n neurons with 10 in-edges each and one linear output, which reads all neurons. The
time of a backward pass is that of the gradients of all weights, for a gradient at the output.
JAX and PyTorch are timed where they are installed.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import sys
import time

import networkx as nx
import numpy as np
from rounds import MISSED, figure, interleaved, show
from scipy.sparse import _sparsetools, csr_array

from unrollgraph import nn

STEPS, DEGREE = 100, 10


def random_graph(n, longest, rng, *, still=0.0, activations=("tanh",)):
    """Edges and activations: delays from 1 to `longest`, and 0 for a share of forward edges."""
    heads = np.repeat(np.arange(n), DEGREE)
    tails = np.concatenate([np.sort(rng.choice(n, DEGREE, replace=False)) for _ in range(n)])
    delays = rng.integers(1, longest + 1, n * DEGREE)
    delays[(tails < heads) & (rng.random(n * DEGREE) < still)] = 0
    return tails, heads, delays, [str(rng.choice(activations)) for _ in range(n)]


def network(tails, heads, delays, activations, dtype=np.float64):
    """The random graph with an input and an output."""
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(1))
    for v, activation in enumerate(activations):
        G.add_node(v, op=nn.Dense(1, activation))
        G.add_edge("x", v, delay=0)
    G.add_edges_from(
        (int(u), int(v), {"delay": int(d)}) for u, v, d in zip(tails, heads, delays, strict=True)
    )
    G.add_node("y", op=nn.Dense(1, "linear"))
    G.add_edges_from((v, "y", {"delay": 0}) for v in range(len(activations)))
    return nn.Network(G, dtype=dtype)


class ByHand:
    """The same network for positive delays, written in NumPy and SciPy.

    Delays are columns of one CSR matrix over the last steps; the gradient of the weights is
    computed at its entries only, or for all pairs if these are few.
    """

    def __init__(self, net, tails, heads, delays):
        self.n = n = len(net.delay_graph.vertices) - 2
        self.longest = longest = int(delays.max())
        weights = [net.parameters[f"{v}.weight"][0] for v in range(n)]
        self.input = np.array([w[0] for w in weights])[:, None]
        self.bias = np.array([net.parameters[f"{v}.bias"][0] for v in range(n)])[:, None]
        self.data = np.concatenate([w[1:] for w in weights])
        self.out = net.parameters["y.weight"]
        self.rows = heads
        self.columns = ((longest - delays) * n + tails).astype(np.int32)
        self.starts = np.arange(0, n * DEGREE + 1, DEGREE, dtype=np.int32)
        numbered = csr_array(
            (np.arange(1, n * DEGREE + 1), self.columns, self.starts), shape=(n, n * longest)
        )
        back = numbered.T.tocsr()
        self.order = back.data - 1
        self.back = back.indptr.astype(np.int32), back.indices.astype(np.int32)

    def forward(self, x):
        n, longest, batch = self.n, self.longest, x.shape[1]
        state = np.zeros((STEPS + longest, n, batch), x.dtype)
        drive = self.input * x.transpose(0, 2, 1) + self.bias
        for t, now in enumerate(drive):
            _sparsetools.csr_matvecs(
                n, n * longest, batch, self.starts, self.columns, self.data,
                state[t : t + longest].reshape(-1), now.reshape(-1),
            )  # fmt: skip
            np.tanh(now, out=state[t + longest])
        return state, self.out @ state[longest:]

    def backward(self, x, state, gradient):
        n, longest, batch = self.n, self.longest, x.shape[1]
        passed = np.zeros_like(state)
        passed[longest:] = self.out.T * gradient.transpose(0, 2, 1)
        sums = np.empty((STEPS, n, batch), x.dtype)
        data = self.data[self.order]
        for t in reversed(range(STEPS)):
            np.multiply(state[t + longest], state[t + longest], out=sums[t])
            np.subtract(1, sums[t], out=sums[t])
            sums[t] *= passed[t + longest]
            _sparsetools.csr_matvecs(
                n * longest, n, batch, *self.back, data,
                sums[t].reshape(-1), passed[t : t + longest].reshape(-1),
            )  # fmt: skip
        output = np.einsum("tnb,tb->n", state[longest:], gradient[:, :, 0])
        inputs = np.einsum("tnb,tb->n", sums, x[:, :, 0])
        return self.of_weights(state, sums), inputs, sums.sum(axis=(0, 2)), output

    def of_weights(self, state, sums):
        n, longest = self.n, self.longest
        found = np.zeros_like(self.data)
        if 0.02 * n * longest < DEGREE:
            for shift in range(longest):
                own = self.columns // n == shift
                pairs = np.tensordot(sums, state[shift : shift + STEPS], axes=((0, 2), (0, 2)))
                found[own] = pairs[self.rows[own], self.columns[own] % n]
            return found
        several = max(DEGREE, 2**17 // sums.shape[2])
        for begin in range(0, len(found), several):
            rows, columns = (a[begin : begin + several] for a in (self.rows, self.columns))
            for t in range(STEPS):
                read = state[t : t + longest].reshape(-1, sums.shape[2])[columns]
                found[begin : begin + several] += np.einsum("eb,eb->e", sums[t][rows], read)
        return found


def compared(n, longest, batch, dtype, rounds=7):
    """Time one network beside the program by hand, which must have its results."""
    rng = np.random.default_rng(n)
    edges = random_graph(n, longest, rng)
    start = time.perf_counter()
    net = network(*edges, dtype)
    x = rng.normal(size=(STEPS, batch, 1)).astype(dtype)
    g = rng.normal(size=(STEPS, batch, 1)).astype(dtype)
    net.forward({"x": x}).backward({"y": g})
    first = time.perf_counter() - start
    hand = ByHand(net, *edges[:3])
    run = net.forward({"x": x})
    gradients = run.backward({"y": g})
    state, y = hand.forward(x)
    weights, *_ = hand.backward(x, state, g)
    near = {"rtol": 1e-2, "atol": 1e-2} if dtype == np.float32 else {"rtol": 1e-8, "atol": 1e-9}
    assert np.allclose(run.values["y"] - net.parameters["y.bias"], y.transpose(0, 2, 1), **near)
    found = np.concatenate([gradients.parameters[f"{v}.weight"][0, 1:] for v in range(n)])
    assert np.allclose(found, weights, **near)
    del run, gradients
    times = interleaved(
        {
            "forward": lambda: net.forward({"x": x}),
            "forward by hand": lambda: hand.forward(x),
            "both": lambda: net.forward({"x": x}).backward({"y": g}),
            "both by hand": lambda: hand.backward(x, hand.forward(x)[0], g),
        },
        rounds,
    )
    what = f"n={n}, delays 1 to {longest}, batch {batch}, {np.dtype(dtype).name}"
    print(f"{what}: first run {first:.2f} s")
    for name, seconds in times.items():
        print(show(f"  {name}", seconds))
    for name in ("forward", "both"):
        ratio = np.median(np.divide(times[name], times[f"{name} by hand"]))
        figure(f"{what}: {name} / by hand", float(ratio), 1.5)


if __name__ == "__main__":
    sizes = [int(n) for n in sys.argv[1:]] or [100, 300, 1000, 10000]
    for n in sizes:
        for longest, batch, dtype in [
            (1, 8, np.float64), (3, 8, np.float64), (1, 1, np.float64), (1, 64, np.float64),
            (1, 8, np.float32),
        ]:  # fmt: skip
            compared(n, longest, batch, dtype, rounds=7 if n < 10000 else 3)
    print("missed:", MISSED or "none")
