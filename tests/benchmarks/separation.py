"""d-separation and latent projection in the infinite cover of random causal graphs.

    python tests/benchmarks/separation.py

Printed are the medians and the spread (least to most). Exits 1 when a figure is missed.
"""

import random
import sys
import time

import networkx as nx
import scipy.sparse.csgraph  # noqa: F401  (else the first query would load it)
from rounds import MISSED, figure, show

import unrollgraph as ug


def causal_graph(variables, edges, lag, seed):
    """A random time-series graph: lags from 0, and no cycle of lag 0."""
    rng = random.Random(seed)
    G = nx.MultiDiGraph()
    G.add_nodes_from(range(variables))
    while G.number_of_edges() < edges:
        u, v, d = rng.randrange(variables), rng.randrange(variables), rng.randint(0, lag)
        if d or u < v:
            G.add_edge(u, v, delay=d)
    return G


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def queries(size):
    print(f"\n50 variables, 150 edges, lags 0 to 5, sets of {size}")
    first, later = [], []
    for seed in range(20):
        G, rng = causal_graph(50, 150, 5, seed), random.Random(seed)
        cover = ug.DelayCover(G)
        for seconds in (first, *[later] * 5):
            nodes = rng.sample([(v, t) for v in G for t in range(6)], 3 * size)
            sets = nodes[:size], nodes[size : 2 * size], nodes[2 * size :]
            seconds.append(timed(lambda sets=sets, cover=cover: ug.d_separated(cover, *sets)))
    print(show("first query", first))
    print(show("further queries", later))
    figure("first query, most", max(first) * 1e3, 500, " ms")
    figure("further query, most", max(later) * 1e3, 50, " ms")


def far():
    print("\nRings of 101 and 103 variables that one variable drives at different places")
    G = ug.gallery.driven_rings(101, 103, 50)
    ends = ("a0", 0), ("b0", 0)
    for ask in (ug.d_separated, ug.find_active_walk, ug.common_ancestors):
        seconds = [timed(lambda ask=ask: ask(G, *ends)) for _ in range(5)]
        print(show(ask.__name__, seconds))
        figure(f"{ask.__name__}, most", max(seconds), 1, " s")


def projections():
    print("\n20 observed of 100 variables over 10 steps")
    observed = [(v, t) for v in range(20) for t in range(10)]
    graphs = [causal_graph(100, 300, 5, seed) for seed in range(5)]
    seconds = [timed(lambda G=G: ug.latent_projection(G, observed)) for G in graphs]
    print(show("latent_projection", seconds))
    figure("latent_projection, most", max(seconds), 5, " s")


if __name__ == "__main__":
    queries(10)
    queries(1)
    far()
    projections()
    if MISSED:
        sys.exit("missed: " + "; ".join(MISSED))
