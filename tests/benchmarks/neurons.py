"""Networks of single neurons: random graphs beside programs in SciPy, JAX and PyTorch.

Usage: ``python tests/benchmarks/neurons.py [random|levels|growth ...]``; one thread, 100 steps. A
network has one input, n neurons with 10 in-edges each and one linear output, which reads all
neurons. A backward pass computes the gradients of all weights for a gradient at the output. JAX
and PyTorch are timed where they are installed.
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


def random_graph(n, longest, rng, *, still=0.0):
    """Edges with delays from 1 to `longest`, and 0 for a share of the forward edges."""
    heads = np.repeat(np.arange(n), DEGREE)
    tails = np.concatenate([np.sort(rng.choice(n, DEGREE, replace=False)) for _ in range(n)])
    delays = rng.integers(1, longest + 1, n * DEGREE)
    delays[(tails < heads) & (rng.random(n * DEGREE) < still)] = 0
    return tails, heads, delays, ["tanh"] * n


def ring(length, chains):
    """A ring of zero-delay edges closed by one delay, and chains beside it."""
    n = length * (chains + 1)
    tails = np.array([k for k in range(n) if (k + 1) % length])
    closing = np.arange(1, chains + 2) * length - 1
    heads = np.concatenate(
        [tails + 1, np.zeros(chains + 1, int), np.arange(1, chains + 1) * length]
    )
    delays = np.concatenate([np.zeros(len(tails), int), np.ones(2 * chains + 1, int)])
    tails = np.concatenate([tails, closing, np.full(chains, length - 1)])
    order = np.lexsort((tails, heads))
    return tails[order], heads[order], delays[order], ["tanh"] * n


def evolved(n, levels, rng):
    """Mixed activations in levels of zero-delay edges, some delays from 1 to 5 among all."""
    level = np.sort(rng.integers(0, levels, n))
    edges = {}
    for v in range(n):
        first = int(np.searchsorted(level, level[v]))
        for u in rng.integers(max(0, first - 200), first, 3).tolist() if first else []:
            edges[u, v] = 0
        if rng.random() < 0.3:
            edges.setdefault((int(rng.integers(n)), v), int(rng.integers(1, 6)))
    tails, heads = np.array(sorted(edges, key=lambda edge: edge[::-1])).T
    delays = np.array([edges[edge] for edge in zip(tails.tolist(), heads.tolist(), strict=True)])
    activations = [str(rng.choice(["tanh", "sigmoid", "relu", "linear"])) for _ in range(n)]
    return tails, heads, delays, activations


def network(tails, heads, delays, activations, dtype=np.float64, *, only_graph=False):
    """The graph with an input and an output."""
    G = nx.DiGraph()
    for v, activation in enumerate(activations):
        G.add_node(v, op=nn.Dense(1, activation))
    G.add_node("x", op=nn.Input(1))
    G.add_edges_from(
        (int(u), int(v), {"delay": int(d)}) for u, v, d in zip(tails, heads, delays, strict=True)
    )
    G.add_node("y", op=nn.Dense(1, "linear"))
    G.add_edges_from(("x", v, {"delay": 0}) for v in range(len(activations)))
    G.add_edges_from((v, "y", {"delay": 0}) for v in range(len(activations)))
    return G if only_graph else nn.Network(G, dtype=dtype)


class ByHand:
    """The same network for delays >= 0, written in NumPy and SciPy.

    Neurons are sorted by level and activation. Delays are columns of one CSR matrix for each level
    over the last steps; the gradient of the weights is computed at its entries only, or for all
    pairs if these are few.
    """

    def __init__(self, net, tails, heads, delays, activations):
        self.n = n = len(activations)
        self.longest = longest = int(delays.max())
        level = self.level_of(n, tails, heads, delays)
        names = np.array(activations)
        order = np.lexsort((names, level))
        self.place = place = np.empty(n, int)
        place[order] = np.arange(n)
        weights = [net.parameters[f"{v}.weight"][0] for v in range(n)]
        self.input = np.array([w[-1] for w in weights])[order, None]
        self.bias = np.array([net.parameters[f"{v}.bias"][0] for v in range(n)])[order, None]
        data = np.concatenate([w[:-1] for w in weights])
        self.out = net.parameters["y.weight"][:, order]
        self.sorted = by_row = np.argsort(place[heads], kind="stable")
        self.rows, self.data = place[heads][by_row], data[by_row]
        self.columns = ((longest - delays) * n + place[tails])[by_row].astype(np.int32)
        self.levels = []
        for k in range(level.max() + 1):
            begin, end = np.searchsorted(level[order], [k, k + 1])
            own = slice(*np.searchsorted(self.rows, [begin, end]))
            starts = np.searchsorted(self.rows[own], np.arange(begin, end + 1)).astype(np.int32)
            shape = end - begin, n * (longest + 1)
            numbered = csr_array(
                (np.arange(own.start + 1, own.stop + 1), self.columns[own], starts), shape=shape
            )
            back = numbered.T.tocsr()
            parts = [
                (name, begin + int(at.min()), begin + int(at.max()) + 1)
                for name in np.unique(names[order][begin:end])
                for at in [np.flatnonzero(names[order][begin:end] == name)]
            ]
            transposed = back.indptr.astype(np.int32), back.indices.astype(np.int32), back.data - 1
            self.levels.append((int(begin), int(end), own, starts, transposed, parts))

    @staticmethod
    def level_of(n, tails, heads, delays):
        still = nx.DiGraph()
        still.add_nodes_from(range(n))
        here = delays == 0
        still.add_edges_from(zip(tails[here].tolist(), heads[here].tolist(), strict=True))
        level = np.zeros(n, int)
        for k, some in enumerate(nx.topological_generations(still)):
            level[some] = k
        return level

    def forward(self, x):
        n, longest, batch = self.n, self.longest, x.shape[1]
        state = np.zeros((STEPS + longest, n, batch), x.dtype)
        state[longest:] = self.input * x.transpose(0, 2, 1) + self.bias
        for t in range(STEPS):
            read = state[t : t + longest + 1].reshape(-1)
            for begin, end, own, starts, _, parts in self.levels:
                _sparsetools.csr_matvecs(
                    end - begin, n * (longest + 1), batch, starts, self.columns[own],
                    self.data[own], read, state[t + longest, begin:end].reshape(-1),
                )  # fmt: skip
                for name, first, last in parts:
                    now = state[t + longest, first:last]
                    if name == "tanh":
                        np.tanh(now, out=now)
                    elif name == "relu":
                        np.maximum(now, 0, out=now)
                    elif name == "sigmoid":
                        np.multiply(now, 0.5, out=now)
                        np.tanh(now, out=now)
                        np.multiply(now, 0.5, out=now)
                        np.add(now, 0.5, out=now)
        return state, self.out @ state[longest:]

    def backward(self, x, state, gradient):
        n, longest, batch = self.n, self.longest, x.shape[1]
        passed = np.zeros_like(state)
        passed[longest:] = self.out.T * gradient.transpose(0, 2, 1)
        sums = np.empty((STEPS, n, batch), x.dtype)
        data = [self.data[numbers] for *_, (_, _, numbers), _ in self.levels]
        for t in reversed(range(STEPS)):
            window = passed[t : t + longest + 1].reshape(-1)
            for level, weights in zip(reversed(self.levels), reversed(data), strict=True):
                begin, end, _, _, (starts, columns, _), parts = level
                for name, first, last in parts:
                    y, z = state[t + longest, first:last], sums[t, first:last]
                    if name == "tanh":
                        np.multiply(y, y, out=z)
                        np.subtract(1, z, out=z)
                    elif name == "relu":
                        np.greater(y, 0, out=z)
                    elif name == "sigmoid":
                        np.subtract(1, y, out=z)
                        np.multiply(y, z, out=z)
                    else:
                        z[...] = 1
                    z *= passed[t + longest, first:last]
                _sparsetools.csr_matvecs(
                    n * (longest + 1), end - begin, batch, starts, columns, weights,
                    sums[t, begin:end].reshape(-1), window,
                )  # fmt: skip
        output = np.einsum("tnb,tb->n", state[longest:], gradient[:, :, 0])
        inputs = np.einsum("tnb,tb->n", sums, x[:, :, 0])
        return self.of_weights(state, sums), inputs, sums.sum(axis=(0, 2)), output

    def of_weights(self, state, sums):
        n, longest = self.n, self.longest
        found = np.zeros_like(self.data)
        if len(found) > 0.02 * n * n * (longest + 1):
            for shift in range(longest + 1):
                own = self.columns // n == shift
                pairs = np.tensordot(sums, state[shift : shift + STEPS], axes=((0, 2), (0, 2)))
                found[own] = pairs[self.rows[own], self.columns[own] % n]
            return found
        several = max(DEGREE, 2**17 // sums.shape[2])
        for begin in range(0, len(found), several):
            rows, columns = (a[begin : begin + several] for a in (self.rows, self.columns))
            for t in range(STEPS):
                read = state[t : t + longest + 1].reshape(-1, sums.shape[2])[columns]
                found[begin : begin + several] += np.einsum("eb,eb->e", sums[t][rows], read)
        return found


def in_jax(net, tails, heads, delays, dtype):
    """Functions that compute the output, and the gradient of all weights, compiled by JAX."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == np.float64)
    n, longest = len(net.delay_graph.vertices) - 2, int(delays.max())
    weights = {
        "edges": np.concatenate([net.parameters[f"{v}.weight"][0, :-1] for v in range(n)]),
        "input": np.array([net.parameters[f"{v}.weight"][0, -1] for v in range(n)]),
        "bias": np.array([net.parameters[f"{v}.bias"][0] for v in range(n)]),
        "out": net.parameters["y.weight"][0],
    }
    columns = (longest - delays) * n + tails

    def output(weights, x):
        def step(history, now):
            read = history.reshape(longest * n, -1)[columns] * weights["edges"][:, None]
            sums = jax.ops.segment_sum(read, heads, n, indices_are_sorted=True)
            sums = sums + weights["input"][:, None] * now[:, 0] + weights["bias"][:, None]
            state = jnp.tanh(sums)
            return jnp.concatenate([history[1:], state[None]]), weights["out"] @ state

        start = jnp.zeros((longest, n, x.shape[1]), x.dtype)
        return jax.lax.scan(step, start, x)[1]

    run = jax.jit(output)
    back = jax.jit(jax.grad(lambda weights, x, g: (output(weights, x) * g[:, :, 0]).sum()))
    return (
        lambda x: np.asarray(run(weights, x)),
        lambda x, g: np.asarray(back(weights, x, g)["edges"]),
    )


def in_torch(net, tails, heads, delays, dtype):
    """The same in PyTorch, by gather and index_add."""
    import torch

    torch.set_num_threads(1)
    n, longest = len(net.delay_graph.vertices) - 2, int(delays.max())

    def tensor(array):
        return torch.tensor(np.asarray(array, dtype))

    edges = tensor(np.concatenate([net.parameters[f"{v}.weight"][0, :-1] for v in range(n)]))
    inputs = tensor([net.parameters[f"{v}.weight"][0, -1] for v in range(n)])[:, None]
    bias = tensor([net.parameters[f"{v}.bias"][0] for v in range(n)])[:, None]
    out = tensor(net.parameters["y.weight"][0])
    columns, rows = torch.tensor((longest - delays) * n + tails), torch.tensor(heads)
    every = [edges, inputs, bias, out]

    def output(x):
        history = [torch.zeros(n, x.shape[1], dtype=x.dtype)] * longest
        found = []
        for now in x:
            read = torch.cat(history[-longest:])[columns] * edges[:, None]
            sums = (inputs * now[:, 0] + bias).index_add(0, rows, read)
            history.append(torch.tanh(sums))
            found.append(out @ history[-1])
        return torch.stack(found)

    def forward(x):
        with torch.no_grad():
            return output(torch.tensor(x)).numpy()

    def both(x, g):
        for one in every:
            one.requires_grad_(True)
            one.grad = None
        (output(torch.tensor(x)) * torch.tensor(g[:, :, 0])).sum().backward()
        return edges.grad.numpy()

    return forward, both


def rivals(*given):
    """Programs in the libraries that are installed, by name."""
    found = {}
    for name, make in (("JAX", in_jax), ("torch", in_torch)):
        try:
            found[name] = make(*given)
        except ImportError:
            print(f"  {name} is not installed")
    return found


def compared(what, edges, batch, dtype, limit, *, rounds=7, others=False):
    """Time one network beside the program by hand, which must have its results."""
    start = time.perf_counter()
    net = network(*edges, dtype)
    rng = np.random.default_rng(0)
    x, g = (rng.normal(size=(STEPS, batch, 1)).astype(dtype) for _ in range(2))
    net.forward({"x": x}).backward({"y": g})
    first = time.perf_counter() - start
    hand = ByHand(net, *edges)
    run = net.forward({"x": x})
    gradients = run.backward({"y": g})
    y = run.values["y"][:, :, 0] - net.parameters["y.bias"]
    state, by_hand = hand.forward(x)
    near = {"rtol": 1e-2, "atol": 5e-2} if dtype == np.float32 else {"rtol": 1e-8, "atol": 1e-8}
    assert np.allclose(y, by_hand[:, 0], **near)
    n = len(edges[3])
    found = np.concatenate([gradients.parameters[f"{v}.weight"][0, :-1] for v in range(n)])
    assert np.allclose(found[hand.sorted], hand.backward(x, state, g)[0], **near)
    del run, gradients
    runs = {
        "forward": lambda: net.forward({"x": x}),
        "both": lambda: net.forward({"x": x}).backward({"y": g}),
        "forward by hand": lambda: hand.forward(x),
        "both by hand": lambda: hand.backward(x, hand.forward(x)[0], g),
    }
    for name, (forward, both) in rivals(net, *edges[:3], dtype).items() if others else ():
        assert np.allclose(forward(x), y, **near), name
        assert np.allclose(both(x, g), found, **near), name
        runs[f"forward {name}"] = lambda forward=forward: forward(x)
        runs[f"both {name}"] = lambda both=both: both(x, g)
    times = interleaved(runs, rounds)
    what = f"{what}, batch {batch}, {np.dtype(dtype).name}"
    print(f"{what}: graph, network and first run {first:.2f} s")
    for name, seconds in times.items():
        print(show(f"  {name}", seconds))
    for name in ("forward", "both"):
        ratio = np.median(np.divide(times[name], times[f"{name} by hand"]))
        figure(f"{what}: {name} / by hand", float(ratio), limit)
        for other in ("JAX", "torch"):
            if f"{name} {other}" in times:
                ratio = np.median(np.divide(times[f"{name} {other}"], times[name]))
                least = 1.0 if n >= 1000 and batch >= 8 else 0.0
                figure(f"{what}: {name}, {other} / ours", float(ratio), least, least=True)


def random():
    """Random graphs of several sizes, delays, batches and precisions."""
    for n in (100, 300, 1000, 10000):
        for longest, batch, dtype in [
            (1, 8, np.float64), (3, 8, np.float64), (1, 1, np.float64), (1, 64, np.float64),
            (1, 8, np.float32), (1, 1, np.float32),
        ]:  # fmt: skip
            edges = random_graph(n, longest, np.random.default_rng(n))
            what = f"n={n}, delays 1 to {longest}"
            rounds = 7 if n * batch < 50000 else 3
            compared(what, edges, batch, dtype, 1.5, rounds=rounds, others=n <= 1000)


def levels():
    """Graphs with many levels in a step."""
    rng = np.random.default_rng(0)
    for n in (300, 1000):
        edges = random_graph(n, 3, rng, still=1.0)
        compared(f"n={n}, forward edges of delay 0", edges, 8, np.float64, 1.5)
    compared("a ring of 255 and 4 chains", ring(255, 4), 8, np.float64, 1.5, rounds=3)
    for n, count, limit in ((30, 5, 2), (100, 8, 2), (300, 15, 2), (10000, 250, 3)):
        edges = evolved(n, count, rng)
        what = f"evolved, n={n} in {count} levels"
        compared(what, edges, 8, np.float64, limit, rounds=3 if n > 1000 else 7)


def growth():
    """Seconds to make a network and run it first, forward and forward and backward."""
    for n in (10**3, 10**4, 10**5):
        G = network(*random_graph(n, 1, np.random.default_rng(n)), only_graph=True)
        times = [time.perf_counter()]
        net = nn.Network(G)
        times.append(time.perf_counter())
        run = net.forward({"x": np.ones((10, 1))})
        times.append(time.perf_counter())
        run.backward({"y": np.ones((10, 1))})
        times.append(time.perf_counter())
        made, forward, back = np.diff(times)
        print(f"n={n}: network {made:.2f} s, first run {forward:.2f} s, backward {back:.2f} s")
        if n == 10**4:
            figure("n=10000: network and first run", made + forward, 3, " s")


if __name__ == "__main__":
    for part in sys.argv[1:] or ["random", "levels", "growth"]:
        {"random": random, "levels": levels, "growth": growth}[part]()
    print("missed:", MISSED or "none")
