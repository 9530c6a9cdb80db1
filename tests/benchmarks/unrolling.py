"""Building windows, deciding on covers, importing: each beside what it is compared with.

    python tests/benchmarks/unrolling.py

Everything that is compared runs in one process, in interleaved rounds; printed are
the medians and the spread (least to most). Exits 1 when a figure is missed.
"""

import os
import subprocess
import sys

import networkx as nx
import numpy as np
import scipy.sparse
from rounds import MISSED, figure, interleaved, show

import unrollgraph as ug


def random_graph(n, m, seed=0, kind=nx.MultiDiGraph):
    rng = np.random.default_rng(seed)
    G = kind()
    G.add_nodes_from(range(n))
    rows = rng.integers([0, 0, 0], [n, n, 4], (m, 3)).tolist()
    G.add_weighted_edges_from(rows, weight="delay")
    return G


def windows():
    print("\nThe matrix of a window: 1,000 vertices, 3,000 edges of delay 0..3, 1,000 steps")
    n, T = 1000, 1000
    G = random_graph(n, 3000)
    U = ug.unroll(G, T)
    matrix = U.to_csr()
    arrays = [matrix.indptr, matrix.indices, matrix.data]
    targets = [np.empty_like(array) for array in arrays]

    def copy_warm():
        for target, array in zip(targets, arrays, strict=True):
            np.copyto(target, array)

    def copy_fresh():
        for array in arrays:
            np.copyto(np.empty_like(array), array)

    graph = ug.DelayGraph(G)
    by_delay = {
        d: scipy.sparse.coo_array(
            (np.ones(int(k.sum()), np.int64), (graph.tails[k], graph.heads[k])), (n, n)
        ).tocsr()
        for d in range(4)
        for k in [graph.delays[:, 0] == d]
    }

    def kron():
        return sum(
            scipy.sparse.kron(scipy.sparse.eye_array(T, k=d), A, format="csr")
            for d, A in by_delay.items()
        )

    assert (kron() != matrix).nnz == 0
    times = interleaved(
        {
            "np.copyto, into arrays that are there": copy_warm,
            "np.copyto, into new arrays": copy_fresh,
            "U.to_csr()": U.to_csr,
            "U.to_arrays()": U.to_arrays,
        },
        31,
    )
    times |= interleaved({"scipy.sparse.kron": kron}, 3)
    small = ug.unroll(G, 100)
    listed = [((u, s), (v, t)) for (u, s), (v, t), _ in small.edges(keys=True)]
    slow = interleaved({"add": lambda: nx.MultiDiGraph().add_edges_from(listed)}, 3)["add"]
    times["networkx add_edges_from (a tenth, times 10)"] = [10 * t for t in slow]
    base = np.median(times["np.copyto, into arrays that are there"])
    for name, seconds in times.items():
        print(show(name, seconds), f"  x {np.median(seconds) / base:.1f}")
    print(f"  {matrix.nnz / np.median(times['U.to_csr()']) / 1e6:.0f} million arcs a second")
    ratios = [
        own / other
        for own, other in zip(
            times["U.to_csr()"], times["np.copyto, into arrays that are there"], strict=True
        )
    ]
    figure("to_csr / copy, median of the rounds", float(np.median(ratios)), 2)
    made = interleaved({"ug.unroll(G, 10**6), G a DelayGraph": lambda: ug.unroll(graph, 10**6)}, 9)
    for name, seconds in made.items():
        print(show(name, seconds, 1e6, "us"))


def verdicts():
    print("\nIs the cover acyclic? networkx graph read included; 100,000 vertices")
    n, m = 100_000, 300_000
    rng = np.random.default_rng(1)
    place = rng.permutation(n)
    ends = rng.integers(0, n, (m, 2))
    delay = rng.integers(0, 4, m)
    swap = (delay == 0) & (place[ends[:, 0]] > place[ends[:, 1]])
    ends[swap] = ends[swap][:, ::-1]
    delay[(delay == 0) & (ends[:, 0] == ends[:, 1])] = 1

    def graph(ends, delay):
        G = nx.DiGraph()
        G.add_nodes_from(range(n))
        rows = np.column_stack([ends, delay]).tolist()
        G.add_weighted_edges_from(rows, weight="delay")
        return G

    gauge = rng.integers(-(10**6), 10**6, n)
    ring = np.column_stack([np.arange(n), (np.arange(n) + 1) % n])
    around = np.zeros(n, dtype=np.int64)
    around[0] = 1
    signed = delay + gauge[ends[:, 1]] - gauge[ends[:, 0]]
    turned = around + gauge[ring[:, 1]] - gauge[ring[:, 0]]
    against = -2 * around + turned
    cases = {
        "300,000 edges, delays 0..3, hidden order": (graph(ends, delay), 3, True),
        "the same with signed delays by a gauge": (graph(ends, signed), 3, True),
        "a ring with a random gauge, total 1": (graph(ring, turned), 5, True),
        "a ring with a random gauge, total -1": (graph(ring, against), 5, True),
        "a ring with a random gauge, total 0": (graph(ring, turned - around), 5, False),
    }
    for name, (G, limit, acyclic) in cases.items():
        assert ug.is_acyclic(ug.DelayCover(G)) == acyclic
        seconds = interleaved({name: lambda G=G: ug.is_acyclic(ug.DelayCover(G))}, 3)[name]
        print(show(name, seconds, 1, "s "))
        figure(name, float(np.median(seconds)), limit, " s")


def imports():
    print("\nimport unrollgraph beside import networkx, numpy (fresh interpreters)")

    # Installed packages come with their bytecode; let this one have its own too.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def fresh(code):
        subprocess.run([sys.executable, "-c", code], check=True, env=env)

    fresh("import unrollgraph")
    times = interleaved(
        {
            "import networkx, numpy": lambda: fresh("import networkx, numpy"),
            "import unrollgraph": lambda: fresh("import unrollgraph"),
        },
        9,
    )
    for name, seconds in times.items():
        print(show(name, seconds))
    base, own = (np.median(seconds) for seconds in times.values())
    figure("import unrollgraph / import networkx, numpy", own / base, 1.2)


if __name__ == "__main__":
    windows()
    verdicts()
    imports()
    sys.exit(bool(MISSED))
