"""Minimal bases, components and lifts by voltages, beside plainer ways.

    python tests/benchmarks/covers.py

What is compared runs in one process, in interleaved rounds; printed are the medians and the
spread (least to most). Exits 1 when a figure is missed.
"""

import sys

import networkx as nx
import numpy as np
from rounds import MISSED, figure, shown

import unrollgraph as ug


def random_graph(n, m, dimension, seed=0):
    rng = np.random.default_rng(seed)
    G = nx.MultiDiGraph()
    G.add_nodes_from(range(n))
    ends = rng.integers(n, size=(m, 2)).tolist()
    delays = rng.integers(-3, 4, size=(m, dimension)).tolist()
    for (u, v), delay in zip(ends, delays, strict=True):
        G.add_edge(u, v, delay=tuple(delay) if dimension > 1 else delay[0])
    return G


def by_rounds(G):
    """Color refinement as it is usually written: all vertices in every round."""
    name = dict.fromkeys(G, 0)
    into = {v: [u for u, _ in G.in_edges(v)] for v in G}
    while True:
        seen = {v: (name[v], tuple(sorted(name[u] for u in into[v]))) for v in G}
        numbers = {key: k for k, key in enumerate(dict.fromkeys(seen.values()))}
        if len(numbers) == len(set(name.values())):
            return len(numbers)
        name = {v: numbers[seen[v]] for v in G}


def bases():
    print("\nMinimal base, networkx graph read included")
    G = random_graph(10**5, 3 * 10**5, 1)
    assert len(ug.minimal_base(G).base) == by_rounds(G)
    times = shown({"100,000 vertices, 300,000 edges": lambda: ug.minimal_base(G)}, 5)
    shown({"the same, every round for all vertices": lambda: by_rounds(G)}, 1)
    (seconds,) = times.values()
    figure("100,000 vertices, 300,000 edges", float(np.median(seconds)), 5, " s")
    lift = ug.random_lift(random_graph(1000, 3000, 1), 100, seed=1).copy()
    path = nx.path_graph(10**5).to_directed()
    tree = nx.balanced_tree(2, 15).to_directed()
    shown(
        {
            "a lift of 100 sheets, 100,000 vertices": lambda: ug.minimal_base(lift),
            "a path of 100,000 vertices, both ways": lambda: ug.minimal_base(path),
            "a binary tree of 65,535 vertices": lambda: ug.minimal_base(tree),
        },
        3,
    )
    short = nx.path_graph(2000).to_directed()
    shown(
        {
            "a path of 2,000 vertices": lambda: ug.minimal_base(short),
            "the same, every round for all vertices": lambda: by_rounds(short),
        },
        3,
    )


def families():
    print("\nComponents of the delay cover, networkx graph read included")
    G = random_graph(10**4, 3 * 10**4, 3)
    (found, *_) = ug.components(ug.DelayCover(G))
    assert found.check()
    times = shown(
        {
            "10,000 vertices, 30,000 edges, in Z^3": lambda: ug.components(ug.DelayCover(G)),
            "its proof checked": found.check,
        },
        7,
    )
    seconds = float(np.median(times["10,000 vertices, 30,000 edges, in Z^3"]))
    figure("10,000 vertices, 30,000 edges, in Z^3", seconds, 1, " s")
    wide = random_graph(100, 300, 32, seed=1)
    shown({"100 vertices, 300 edges, in Z^32": lambda: ug.components(ug.DelayCover(wide))}, 3)


def voltages():
    print("\nA lift by 1,000 permutations of 1,000 sheets: 10**6 arcs")
    G = random_graph(300, 1000, 1)
    rng = np.random.default_rng(0)
    for edge in G.edges:
        G.edges[edge]["voltage"] = rng.permutation(1000)
    lift = ug.permutation_lift(G)
    assert lift.number_of_edges() == 10**6
    times = shown(
        {
            "to_arrays()": lift.to_arrays,
            "to_csr()": lift.to_csr,
            "permutation_lift(G)": lambda: ug.permutation_lift(G),
        },
        7,
    )
    figure("to_arrays()", float(np.median(times["to_arrays()"])), 0.3, " s")


if __name__ == "__main__":
    bases()
    families()
    voltages()
    sys.exit(bool(MISSED))
