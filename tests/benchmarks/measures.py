"""Cycle ratios and path lengths, each beside what it is compared with.

    python tests/benchmarks/measures.py

Needs the package ``digraphx`` besides. What is compared runs in one process, in interleaved
rounds; printed are the medians and the spread (least to most). Exits 1 when a figure is
missed.
"""

import sys
from fractions import Fraction

import networkx as nx
import numpy as np
from digraphx.min_cycle_ratio import MinCycleRatioSolver, set_default
from rounds import MISSED, figure, shown

import unrollgraph as ug


def random_graph(n, m, seed, least=1):
    """Costs 1..100 and delays least..9; a random graph of this size has many cycles."""
    rng = np.random.default_rng(seed)
    G = nx.DiGraph()
    G.add_nodes_from(range(n))
    for u, v, cost, delay in rng.integers([0, 0, 1, least], [n, n, 101, 10], (m, 4)).tolist():
        if not delay and u >= v:
            delay = 1  # no cycle of delay 0
        G.add_edge(u, v, cost=cost, time=delay, delay=delay)
    return G


def beside_digraphx():
    print("\nLeast cycle ratio, exact; networkx graph read included; 1,000 vertices, 3,000 edges")
    ratios = []
    for seed in range(3):
        G = random_graph(1000, 3000, seed)

        def peer(G=G):
            plain = {u: dict(row) for u, row in G.adjacency()}
            set_default(plain, "time", 1)
            start = Fraction(101)  # above every ratio, as the solver asks
            return MinCycleRatioSolver(plain).run(dict.fromkeys(G, Fraction(0)), start)[0]

        assert ug.min_cycle_ratio(G, "cost").ratio == peer()
        times = shown(
            {
                f"digraphx, graph {seed}": peer,
                f"ug.min_cycle_ratio, graph {seed}": lambda G=G: ug.min_cycle_ratio(G, "cost"),
            },
            5,
        )
        theirs, own = times.values()
        ratios += [a / b for a, b in zip(theirs, own, strict=True)]
    ratio = float(np.median(ratios))
    figure("digraphx / ours, median of the rounds", ratio, 10, least=True)


def large():
    print("\nLeast cycle ratio, exact; networkx graph read included; 100,000 vertices")
    cases = {
        "delays 1..9": random_graph(10**5, 3 * 10**5, 1),
        "delays 0..9": random_graph(10**5, 3 * 10**5, 2, least=0),
    }
    signed = random_graph(10**5, 3 * 10**5, 3, least=0)
    gauge = np.random.default_rng(4).integers(-1000, 1000, 10**5).tolist()
    for u, v, data in signed.edges(data=True):
        data["delay"] += gauge[v] - gauge[u]
    cases["delays of both signs, by a random gauge"] = signed
    ring = nx.cycle_graph(10**5, create_using=nx.DiGraph)
    nx.set_edge_attributes(ring, 1, "delay")
    nx.set_edge_attributes(ring, {(u, v): u % 7 for u, v in ring.edges}, "cost")
    ring.add_edges_from(((u, u // 3) for u in range(1, 10**5, 2)), cost=5, delay=3)
    cases["a ring with chords back"] = ring
    ladder, costs = nx.DiGraph(), np.random.default_rng(5).integers(1, 1000, (10**5, 3)).tolist()
    for u, row in enumerate(costs):
        for k, cost in enumerate(row, start=1):
            ladder.add_edge(u, (u + k) % 10**5, cost=cost, delay=int(u + k >= 10**5))
    cases["a long ladder with delays at its end"] = ladder
    for name, G in cases.items():
        found = ug.min_cycle_ratio(G, "cost")
        assert found.check()
        times = shown({name: lambda G=G: ug.min_cycle_ratio(G, "cost")}, 3)[name]
        seconds = float(np.median(times))
        figure(name, seconds, 5, " s")


def lengths():
    print("\nLongest path of the seed network")
    G = ug.gallery.seed_network()
    stored = ug.unroll(G, 10**5).copy()
    assert nx.dag_longest_path_length(stored, weight="none") == ug.longest_path_length(
        G, ("in", 0), ("out", 10**5 - 1)
    )
    times = shown(
        {
            "ug.longest_path_length, 10**6 steps": lambda: ug.longest_path_length(
                G, ("in", 0), ("out", 10**6)
            ),
            "the same, 10**12 steps": lambda: ug.longest_path_length(G, ("in", 0), ("out", 10**12)),
        },
        31,
    )
    shown(
        {
            "networkx.dag_longest_path_length, 10**5 stored": lambda: nx.dag_longest_path_length(
                stored, weight="none"
            )
        },
        3,
    )
    milliseconds = float(np.median(times["ug.longest_path_length, 10**6 steps"])) * 1e3
    figure("10**6 steps", milliseconds, 10, " ms")


if __name__ == "__main__":
    beside_digraphx()
    large()
    lengths()
    sys.exit(bool(MISSED))
