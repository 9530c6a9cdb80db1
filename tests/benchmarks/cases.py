"""The benchmarks that `compare.py` runs on two commits.

A case is a function that prepares its data and returns what is timed. It uses public names
only, so that it outlives a change of the structure. Run as a program, this file reads names of
cases from standard input and answers each with the seconds of one run, or nan where it fails.
"""

import io
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
if hasattr(os, "sched_setaffinity"):  # one core may be slower than another
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])

import matplotlib as mpl
import networkx as nx
import numpy as np
import sympy

import unrollgraph as ug
from unrollgraph import nn

mpl.use("Agg")

from matplotlib import pyplot as plt

LEAST = 0.02  # seconds for which a case runs in a round
CASES = {}


def case(function):
    """Enter a function in the table of cases."""
    CASES[function.__name__] = function
    return function


def random_graph(n, m, delays=(0, 4), dimension=1, seed=0):
    """Vertices 0..n-1 and m random edges with a delay and a cost; acyclic where delays are 0."""
    rng = np.random.default_rng(seed)
    G = nx.MultiDiGraph()
    G.add_nodes_from(range(n))
    ends = rng.integers(n, size=(m, 2)).tolist()
    costs = rng.integers(1, 100, size=m).tolist()
    times = rng.integers(*delays, size=(m, dimension)).tolist()
    for (u, v), cost, delay in zip(ends, costs, times, strict=True):
        if dimension > 1:
            G.add_edge(u, v, delay=tuple(delay), cost=cost)
        else:
            G.add_edge(u, v, delay=delay[0] or int(u >= v), cost=cost)
    return G


@case
def read_a_graph():
    G = random_graph(5000, 15000)
    return lambda: ug.DelayGraph(G)


@case
def matrix_of_a_window():
    U = ug.unroll(random_graph(1000, 3000), 300)
    return U.to_csr


@case
def copy_of_a_window():
    U = ug.unroll(random_graph(200, 600), 20)
    return U.copy


@case
def neighbors_in_the_cover():
    cover = ug.DelayCover(ug.gallery.seed_network())
    return lambda: [list(cover.successors((v, t))) for t in range(200) for v in cover.base]


@case
def lift_by_permutations():
    G = random_graph(100, 300)
    rng = np.random.default_rng(0)
    for edge in G.edges:
        G.edges[edge]["voltage"] = rng.permutation(100)
    return lambda: ug.permutation_lift(G)


@case
def minimal_base():
    G = random_graph(5000, 15000)
    return lambda: ug.minimal_base(G)


@case
def roll_up():
    U = ug.unroll(random_graph(50, 150), 8).copy()
    return lambda: ug.roll(U)


@case
def is_acyclic():
    cover = ug.DelayCover(random_graph(5000, 15000))
    return lambda: ug.is_acyclic(cover)


@case
def is_acyclic_with_signs():
    G = random_graph(5000, 15000)
    shift = np.random.default_rng(4).integers(-1000, 1000, len(G)).tolist()
    for u, v, data in G.edges(data=True):
        data["delay"] += shift[v] - shift[u]
    return lambda: ug.is_acyclic(ug.DelayCover(G))


@case
def is_acyclic_in_the_plane():
    covers = [ug.DelayCover(random_graph(12, 30, (-1, 5), 2, seed)) for seed in range(8)]
    return lambda: [ug.is_acyclic(cover) for cover in covers]


@case
def components():
    cover = ug.DelayCover(random_graph(2000, 6000, (-3, 4), 3))
    return lambda: ug.components(cover)


@case
def least_cycle_ratio():
    G = random_graph(2000, 6000)
    return lambda: ug.min_cycle_ratio(G, "cost")


@case
def recurrent_depth():
    G = random_graph(2000, 6000)
    return lambda: ug.recurrent_depth(G)


@case
def longest_path_over_many_steps():
    G = ug.gallery.seed_network()
    return lambda: ug.longest_path_length(G, ("in", 0), ("out", 10**9))


@case
def least_clock_period():
    G = random_graph(300, 900)
    return lambda: ug.min_period_retiming(G)


@case
def shortest_path_far():
    cover = ug.DelayCover(ug.gallery.seed_network())
    return lambda: ug.shortest_path_length(cover, ("in", 0), ("out", 10**6))


@case
def has_path_far():
    cover = ug.DelayCover(random_graph(300, 900, (-2, 5), 1, 1))
    return lambda: ug.has_path(cover, (0, 0), (17, 10**6))


@case
def number_of_paths():
    cover = ug.DelayCover(ug.gallery.seed_network())
    return lambda: ug.path_count(cover, ("in", 0), ("out", 200))


@case
def coordination_sequence():
    cover = ug.DelayCover(ug.with_reverses(ug.gallery.diamond()))
    return lambda: ug.coordination_sequence(cover, ("a", (0, 0, 0)), 40)


@case
def feedback_edges():
    G = random_graph(60, 120, (0, 1))
    for _, _, data in G.edges(data=True):
        del data["delay"]
    return lambda: ug.delay_feedback(G)


@case
def isomorphic_covers():
    G = random_graph(60, 180)
    H = nx.relabel_nodes(G, {v: f"n{v}" for v in G})
    return lambda: ug.isomorphic_covers(G, H)


def pass_of(G, size, over=None):
    """One pass forward and backward of a network with vertices `x` and `h`."""
    batch, hidden, steps = size
    net = nn.Network(G)
    rng = np.random.default_rng(0)
    x, w = (rng.normal(size=(steps, batch, hidden)) for _ in range(2))
    more = {} if over is None else {"over": over}
    return lambda: net.forward({"x": x}, **more).backward({"y": w})


@case
def lstm_small():
    return pass_of(nn.architectures.lstm(16, 16, 16), (1, 16, 100))


@case
def lstm_batch():
    return pass_of(nn.architectures.lstm(64, 64, 64), (32, 64, 50))


@case
def gru_small():
    return pass_of(nn.architectures.gru(16, 16, 16), (1, 16, 100))


@case
def elman_batch():
    return pass_of(nn.architectures.elman(64, 64, 64), (32, 64, 50))


@case
def grid_over_a_graph():
    G = nn.architectures.grid_2d(8, 8, 8)
    return pass_of(G, (4, 8, 144), ug.unroll(G, (12, 12)))


@case
def first_run_of_an_lstm():
    x = np.ones((50, 16))
    return lambda: (
        nn.Network(nn.architectures.lstm(16, 16, 16)).forward({"x": x}).backward({"y": x})
    )


@case
def loss_with_checkpoints():
    net = nn.Network(nn.architectures.lstm(16, 16, 16))
    x = np.ones((400, 4, 16))
    return lambda: nn.loss_and_gradients(net, {"x": x}, {"y": x}, checkpoints=True)


@case
def draw_a_window():
    U = ug.unroll(ug.gallery.seed_network(), 60)
    return lambda: plt.close(ug.draw.unrolled(U, max_edges=10_000).figure)


@case
def draw_a_figure_and_save_it():
    G = ug.gallery.seed_network()

    def run():
        ax = ug.draw.rolled(G)
        ax.figure.savefig(io.BytesIO(), format="svg")
        plt.close(ax.figure)

    return run


@case
def explorer_page():
    G = ug.gallery.seed_network()
    folder = Path(tempfile.mkdtemp())
    return lambda: ug.explorer.explore(G).save(folder / "page.html")


@case
def write_and_read_json():
    G, folder = random_graph(1000, 3000), Path(tempfile.mkdtemp())

    def run():
        ug.io.write(G, folder / "graph.json")
        return ug.io.read(folder / "graph.json")

    return run


@case
def zeta_function():
    G, z = ug.gallery.seed_network(), sympy.Symbol("z")
    return lambda: ug.symbolic.zeta(G, z)


def seconds_of_a_run(run):
    """Seconds of the fastest of as many runs in a row as fit into `LEAST`."""
    times = []
    while sum(times) < LEAST:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def serve():
    """Answer each name on standard input with seconds, an empty line with all names."""
    prepared = {}
    for line in sys.stdin:
        name = line.strip()
        if not name:
            print(*CASES, flush=True)
            continue
        try:
            if name not in prepared:
                prepared[name] = CASES[name]()
                prepared[name]()
            print(seconds_of_a_run(prepared[name]), flush=True)
        except Exception:  # of a function that has another name in this tree, for instance
            traceback.print_exc()
            print("nan", flush=True)


if __name__ == "__main__":
    serve()
