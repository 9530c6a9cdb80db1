"""What the runner promises of networks that no library has a name for, and of memory.

    python tests/benchmarks/networks.py

One thread, on one core, seven interleaved rounds, medians with least and most. Exits 1
when a figure is missed; a figure missed by less than a tenth counts as met and is marked ~.
"""

import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])

import networkx as nx
import numpy as np

import unrollgraph as ug
from unrollgraph import nn

A = nn.architectures
ROUNDS = 7
PEER = 3294 * 2**20  # bytes that torch.nn.LSTM takes for 100,000 steps, as measured
missed = []


def told(what, values, limit, unit="", *, most=True):
    """Print a figure beside its limit."""
    middle = float(np.median(values))
    short = middle / limit if most else limit / middle
    mark = "" if short <= 1 else "~" if short <= 1 / 0.9 else "!"
    sign = "at most" if most else "at least"
    print(
        f"{what:<58}{middle:8.2f}{unit} ({np.min(values):.2f}-{np.max(values):.2f}), "
        f"{sign} {limit:g}{unit} {mark}",
        flush=True,
    )
    if mark == "!":
        missed.append(what)


def interleaved(runs):
    """Times of functions, in rounds one after another."""
    times = {name: [] for name in runs}
    repeats = {}
    for name, run in runs.items():
        run()
        start = time.perf_counter()
        run()
        repeats[name] = max(1, int(0.02 / (time.perf_counter() - start)))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return {name: np.array(seconds) for name, seconds in times.items()}


def renamed(G):
    """The same network, vertices and edges renamed and inserted in random order."""
    rng = np.random.default_rng(7)
    names = {v: f"n{k}" for v, k in zip(G, rng.permutation(len(G)), strict=True)}
    order = {v: {e: k for k, e in enumerate(G.in_edges(v))} for v in G}
    H = nx.DiGraph()
    for v in rng.permutation(list(G)):
        H.add_node(names[v], **G.nodes[v])
    edges = list(G.edges)
    for k in rng.permutation(len(edges)):
        u, v = edges[k]
        H.add_edge(names[u], names[v], **G.edges[u, v], order=order[v][u, v])
    return H, names["x"], names["h"]


def without_output(G):
    G = G.copy()
    G.remove_node("y")
    return G, "x", "h"


def with_second_recurrence(n):
    G = nx.MultiDiGraph(without_output(A.lstm(n, n, n))[0])
    for gate in "ifog":
        G.add_edge("h", gate, delay=3)
    return G, "x", "h"


def hybrid(n):
    """The update of a GRU for the cell, the output gate of an LSTM."""
    G = nx.DiGraph()
    ops = {gate: nn.Dense(n, "sigmoid") for gate in "rzo"}
    ops |= {"x": nn.Input(n), "xn": nn.Dense(n, "linear"), "hn": nn.Dense(n, "linear")}
    ops |= {"k": nn.Complement(), "n": nn.Activation("tanh"), "q": nn.Activation("tanh")}
    ops |= {v: nn.Multiply() for v in ("rn", "kn", "zc", "h")} | {"s": nn.Add(), "c": nn.Add()}
    G.add_nodes_from((v, {"op": op}) for v, op in ops.items())
    wires = "x-r x-z x-o x-xn r-rn hn-rn xn-s rn-s s-n z-k k-kn n-kn z-zc kn-c zc-c c-q q-h o-h"
    G.add_edges_from((wire.split("-") for wire in wires.split()), delay=0)
    G.add_edges_from([("h", v) for v in ("r", "z", "o", "hn")] + [("c", "zc")], delay=1)
    return G, "x", "h"


def stack(n, cells):
    """Layers that read the one before, each forward and backward in time."""
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(n))
    below = ["x"]
    for layer in range(cells):
        here = [f"f{layer}", f"b{layer}"]
        for v, delay in zip(here, (1, -1), strict=True):
            G.add_node(v, op=nn.Dense(n))
            G.add_edges_from(((u, v) for u in below), delay=0)
            G.add_edge(v, v, delay=delay)
        below = here
    G.add_node("h", op=nn.Concat())
    G.add_edges_from(((u, "h") for u in below), delay=0)
    return G, "x", "h"


def runner(G, x, h, size):
    """Forward and backward, and how many multiplications with weights that takes."""
    batch, hidden, T = size
    net = nn.Network(G)
    rng = np.random.default_rng(0)
    width = net.forward({x: np.ones((1, hidden))}).values[h].shape[-1]
    data, given = rng.normal(size=(T, batch, hidden)), rng.normal(size=(T, batch, width))
    count = 3 * T * batch * sum(a.size for a in net.parameters.values() if a.ndim == 2)
    return lambda: net.forward({x: data}).backward({h: given}), count


def cells(size):
    n = size[1]
    cases = {
        "LSTM": without_output(A.lstm(n, n, n)),
        "Elman": without_output(A.elman(n, n, n)),
        "LSTM, renamed and shuffled": renamed(without_output(A.lstm(n, n, n))[0]),
        "LSTM with a second recurrence of delay 3": with_second_recurrence(n),
        "hybrid of GRU and LSTM": hybrid(n),
        "two layers, each in both directions": stack(n, 2),
    }
    runs = {name: runner(*case, size) for name, case in cases.items()}
    times = interleaved({name: run for name, (run, _) in runs.items()})
    each = {name: times[name] / runs[name][1] for name in cases}
    for name in list(cases)[2:]:
        plain = "Elman" if "layers" in name else "LSTM"
        told(f"{size}: {name} / {plain}, by multiplication", each[name] / each[plain], 1.25)


def grid():
    batch, n = 16, 64
    net = nn.Network(A.grid_2d(n, n, n))
    U = ug.unroll(net, (32, 32))
    rng = np.random.default_rng(0)
    x, w = (rng.normal(size=(1024, batch, n)) for _ in range(2))
    matrices = [a for a in net.parameters.values() if a.ndim == 2]
    reads = [rng.normal(size=(1024 * batch, a.shape[1])) for a in matrices]
    gives = [rng.normal(size=(1024 * batch, a.shape[0])) for a in matrices]

    def products():
        for a, read, given in zip(matrices, reads, gives, strict=True):
            read @ a.T
            given @ a
            given.T @ read

    times = interleaved(
        {"own": lambda: net.forward({"x": x}, over=U).backward({"y": w}), "products": products}
    )
    told(
        "grid of 32 x 32, batch 16, hidden 64 / its products", times["own"] / times["products"], 1.3
    )


def plans():
    seconds = []
    for _ in range(ROUNDS):
        net = nn.Network(A.lstm(64, 64, 64))
        x, w = np.ones((200, 64)), np.ones((200, 64))

        def run(net=net, x=x, w=w):
            start = time.perf_counter()
            net.forward({"x": x}).backward({"h": w})
            return time.perf_counter() - start

        first = run()
        run()
        seconds.append(1e3 * (first - min(run() for _ in range(5))))
    told("first run of an LSTM over 200 steps, beyond the next", seconds, 10, " ms")


def allocation():
    net = nn.Network(A.lstm(16, 16, 16))
    peaks = []
    for T in (2000, 8000):
        x, w = np.ones((T, 16)), np.ones((T, 16))

        def run(x=x, w=w):
            return net.forward({"x": x}).backward({"h": w}).parameters

        run()
        tracemalloc.start()
        run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    told("bytes allocated by a second run, for each step more", [np.diff(peaks)[0] / 6000], 8)


def compiled():
    try:
        import numba  # noqa: F401
    except ImportError:
        print("Numba is not installed, and left out")
        return
    for name in ("elman", "gru", "lstm"):
        nets = {b: nn.Network(getattr(A, name)(16, 16, 16), backend=b) for b in ("numpy", "numba")}
        rng = np.random.default_rng(0)
        x, w = (rng.normal(size=(100, 1, 16)) for _ in range(2))
        runs = {}
        for backend, net in nets.items():
            runs[backend] = lambda net=net, x=x, w=w: net.forward({"x": x}).backward({"y": w})
        times = interleaved(runs)
        told(
            f"{name} at (1, 16, 100), NumPy / Numba", times["numpy"] / times["numba"], 2, most=False
        )


def peak():
    """Bytes that this process has had at most.

    Not by `resource`, which counts from what the process was started by.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def memory(how):
    """Seconds, and the peak above inputs and targets, of one pass over a long sequence."""
    T = 100_000
    net = nn.Network(A.lstm(64, 64, 64), dtype=np.float32)
    nn.loss_and_gradients(net, {"x": np.ones((9, 8, 64))}, {"y": np.ones((9, 8, 64))})
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((T, 8, 64), np.float32) for _ in range(2))
    before = peak()
    more = {"checkpoints": True} if how == "checkpoints" else {}
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        nn.loss_and_gradients(net, {"x": x}, {"y": y}, **more)
        seconds.append(time.perf_counter() - start)
    print(min(seconds), peak() - before)


def long_sequences():
    """Each way in a process of its own, so that the peak is its own."""
    found = {}
    for how in ("plain", "checkpoints"):
        command = [sys.executable, __file__, "memory", how]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[how] = [float(word) for word in done.stdout.split()]
    share = found["checkpoints"][1] / PEER
    told("100,000 steps with checkpoints: memory / torch.nn.LSTM's", [100 * share], 2, "%")
    told("and time / that of the whole at once", [found["checkpoints"][0] / found["plain"][0]], 1.5)
    print(f"    {found['checkpoints'][1] / 2**20:.0f} MB, plain {found['plain'][1] / 2**20:.0f} MB")


def main():
    for size in ((1, 16, 100), (32, 64, 100), (32, 128, 200)):
        cells(size)
    grid()
    plans()
    allocation()
    compiled()
    long_sequences()
    return 1 if missed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory(sys.argv[2])
    else:
        sys.exit(main())
