"""Forward and backward through time, a loss at every step, beside PyTorch and JAX.

    python tests/benchmarks/execution.py            all sizes
    python tests/benchmarks/execution.py 1,64,200   some of them

One thread, on one core. Everything that is compared runs in one process, in interleaved rounds, in
each as often in a row as fits into a fiftieth of a second. A cell is the median over the
rounds of the peer's time divided by ours, so that above 1 we are ahead, with the least
and the most behind it. Gradients are compared before anything is timed. A peer that is
not installed is left out. Exits 1 when a figure is missed, which is marked !; a cell
within a tenth below its figure counts as met and is marked ~. A figure against JAX that the
bare matrix products by themselves would not reach is marked ^: there JAX takes less than so
many times their time, and who computes them with this BLAS cannot be ahead so far.
"""

import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
if hasattr(os, "sched_setaffinity"):  # JAX has no setting that keeps it to one thread
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])

import numpy as np
import torch

from unrollgraph import nn

torch.set_num_threads(1)
ROUNDS = 7
LEAST = 0.02  # seconds for which each runs in a round, as it would in a training loop
SIZES = [(1, 16, 100), (1, 64, 200), (32, 64, 100), (32, 128, 200), (64, 256, 100), (128, 512, 50)]
# least ratios to torch.nn in float64: RNN, then GRU and LSTM
FIGURES = {
    (1, 16, 100): (10, 9),
    (1, 64, 200): (7, 5),
    (32, 64, 100): (1.3, 1.3),
    (32, 128, 200): (1.1, 1.0),
    (64, 256, 100): (0.97, 1.0),
    (128, 512, 50): (0.95, 0.95),
}
# least ratios to JAX in float64; others are reported only
AGAINST_JAX = {(32, 64, 100): 1.0, (32, 128, 200): 1.3, (64, 256, 100): 1.3, (128, 512, 50): 1.2}
# most of our time over that of the bare matrix products
PRODUCTS = {
    (1, 64, 200): 3.0,
    (32, 64, 100): 2.2,
    (32, 128, 200): 1.7,
    (64, 256, 100): 1.5,
    (128, 512, 50): 1.3,
}


def torch_run(module, x, w):
    x, w = torch.from_numpy(x), torch.from_numpy(w)

    def run():
        module.zero_grad(set_to_none=True)
        output, _ = module(x)
        (output * w).sum().backward()

    return run


def own_run(net, x, w):
    def run():
        return net.forward({"x": x}).backward({"y": w})

    return run


def products(kind, batch, hidden, T, dtype):
    """The matrix products that no implementation can do without, and nothing else."""
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    rng = np.random.default_rng(0)
    W = rng.normal(size=(hidden, gates * hidden)).astype(dtype)
    V = np.ascontiguousarray(W.T)
    h = rng.normal(size=(T * batch, hidden)).astype(dtype)
    g = rng.normal(size=(T * batch, gates * hidden)).astype(dtype)
    a, b = (np.empty((batch, n), dtype) for n in (gates * hidden, hidden))
    hs, gs = h.reshape(T, batch, hidden), g.reshape(T, batch, gates * hidden)

    def run():
        h @ W  # inputs, all steps at once
        for t in range(T):
            np.matmul(hs[t], W, a)
        for t in range(T):
            np.matmul(gs[t], V, b)
        h.T @ g  # gradients of the weights that read the input
        h.T @ g  # and of those that read the state

    return run


def jax_run(module, kind, x, w):
    """A jitted lax.scan of the same cell, where JAX is installed."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    P = [jnp.array(getattr(module, n + "_l0").detach().numpy()) for n in ("weight_ih", "weight_hh")]
    P += [jnp.array(getattr(module, n + "_l0").detach().numpy()) for n in ("bias_ih", "bias_hh")]
    H = module.hidden_size

    def cell(P, state, xt):
        h, c = state
        a, b = xt @ P[0].T + P[2], h @ P[1].T + P[3]
        if kind == "RNN":
            h = jnp.tanh(a + b)
        elif kind == "GRU":
            r, z = (jax.nn.sigmoid(a[:, k : k + H] + b[:, k : k + H]) for k in (0, H))
            n = jnp.tanh(a[:, 2 * H :] + r * b[:, 2 * H :])
            h = (1 - z) * n + z * h
        else:
            i, f, g, o = jnp.split(a + b, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def loss(P, x):
        zero = jnp.zeros((x.shape[1], H), x.dtype)
        _, hs = jax.lax.scan(lambda s, xt: cell(P, s, xt), (zero, zero), x)
        return (hs * w).sum()

    gradient = jax.jit(jax.grad(loss))
    x = jnp.array(x)
    return lambda: [a.block_until_ready() for a in gradient(P, x)]


def compare(kind, size, dtype):
    batch, hidden, T = size
    torch.manual_seed(0)
    module = getattr(torch.nn, kind)(hidden, hidden, dtype=getattr(torch, dtype))
    rng = np.random.default_rng(0)
    x, w = (rng.normal(size=(T, batch, hidden)).astype(dtype) for _ in range(2))
    net = nn.from_torch(module)
    own, peer = own_run(net, x, w), torch_run(module, x, w)
    peer()
    gate = "xn" if kind == "GRU" else "h" if kind == "RNN" else "g"
    row = slice(2 * hidden, 3 * hidden) if kind != "RNN" else slice(None)
    expected = module.weight_ih_l0.grad[row].numpy()
    found = own().parameters[f"{gate}_0_0.weight"][:, :hidden]
    tolerance = 1e-9 if dtype == "float64" else 1e-2
    assert np.abs(found - expected).max() <= tolerance * (1 + np.abs(expected).max())
    runs = {"own": own, "torch": peer, "products": products(kind, batch, hidden, T, dtype)}
    if jax := jax_run(module, kind, x, w):
        runs["jax"] = jax
    repeats = {}
    for name, run in runs.items():
        run()
        start = time.perf_counter()
        run()
        repeats[name] = max(1, int(LEAST / (time.perf_counter() - start)))
    times = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.perf_counter() - start) / repeats[name])
    own_times = np.array(times.pop("own"))
    ratios = {name: np.array(seconds) / own_times for name, seconds in times.items()}
    ratios["products"] = 1 / ratios["products"]
    return np.median(own_times), ratios


def cell(ratios, figure=None, *, least=True, out_of_reach=False):
    middle = float(np.median(ratios))
    text = f"{middle:6.2f} ({ratios.min():.2f}-{ratios.max():.2f})"
    if figure is None:
        return f"{text:<22}", True
    short = figure / middle if least else middle / figure
    mark = " " if short <= 1 else "~" if short <= 1 / 0.9 else "^" if out_of_reach else "!"
    return f"{text + mark:<22}", mark != "!"


def main(sizes):
    good = True
    print(
        f"{'batch,hidden,T':<15}{'dtype':<9}{'cell':<6}{'ours ms':>9}  {'torch.nn / ours':<22}"
        f"{'JAX / ours':<22}{'ours / products':<22}"
    )
    for dtype in ("float64", "float32"):
        for size in sizes:
            for kind in ("RNN", "GRU", "LSTM"):
                seconds, ratios = compare(kind, size, dtype)
                figure = FIGURES[size][kind != "RNN"]
                if dtype == "float32" and kind == "LSTM" and size[0] <= 32:
                    figure = 0.65  # torch has a fused kernel there
                against_torch, a = cell(ratios["torch"], figure)
                counts = dtype == "float64" or kind != "LSTM"
                limit = PRODUCTS.get(size) if counts else None
                against_products, b = cell(ratios["products"], limit, least=False)
                against_jax, c = f"{'-':<22}", True
                if "jax" in ratios:
                    figure = AGAINST_JAX.get(size) if dtype == "float64" else None
                    bare = np.median(ratios["jax"]) * np.median(ratios["products"])
                    far = figure is not None and bool(bare < figure)
                    against_jax, c = cell(ratios["jax"], figure, out_of_reach=far)
                good = good and a and b and c
                print(
                    f"{','.join(map(str, size)):<15}{dtype:<9}{kind:<6}{seconds * 1e3:9.2f}  "
                    f"{against_torch}{against_jax}{against_products}",
                    flush=True,
                )
    return 0 if good else 1


if __name__ == "__main__":
    chosen = [tuple(map(int, text.split(","))) for text in sys.argv[1:]] or SIZES
    sys.exit(main(chosen))
