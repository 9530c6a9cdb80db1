"""Walking in the infinite cover: shells beside breadth-first search over tuples, and far paths.

    python tests/benchmarks/walking.py

What is compared runs in one process, in interleaved rounds; printed are the medians and the
spread (least to most). Exits 1 when a figure is missed.
"""

import sys

import numpy as np
from rounds import MISSED, figure, shown

import unrollgraph as ug


def tuples(cover, node, n):
    """Sizes of the shells by breadth-first search, vertices being pairs and times tuples."""
    out = {}
    graph = cover.delay_graph
    for (u, v, *_), d in zip(graph.edges, graph.times, strict=True):
        out.setdefault(u, []).append((v, d))
    seen, shell, sizes = {node}, [node], [1]
    for _ in range(n):
        new = []
        for u, (x, y, z) in shell:
            for v, (a, b, c) in out[u]:
                found = (v, (x + a, y + b, z + c))
                if found not in seen:
                    seen.add(found)
                    new.append(found)
        shell = new
        sizes.append(len(shell))
    return tuple(sizes)


def shells():
    print("\nThe coordination sequence of the diamond net to shell 60")
    cover = ug.DelayCover(ug.with_reverses(ug.gallery.diamond()))
    node = ("a", (0, 0, 0))
    assert ug.coordination_sequence(cover, node, 60) == tuples(cover, node, 60)
    times = shown(
        {
            "breadth-first search over tuples": lambda: tuples(cover, node, 60),
            "ug.coordination_sequence": lambda: ug.coordination_sequence(cover, node, 60),
        },
        7,
    )
    theirs, own = times.values()
    ratio = float(np.median([a / b for a, b in zip(theirs, own, strict=True)]))
    figure("tuples / ours, median of the rounds", ratio, 20, least=True)


def far():
    print("\nThe seed network over 10**6 steps, from in to out")
    cover = ug.DelayCover(ug.gallery.seed_network())
    ends = ("in", 0), ("out", 10**6)
    assert ug.shortest_path_length(cover, *ends) == 3 * 10**6 + 4
    times = shown(
        {
            "ug.has_path": lambda: ug.has_path(cover, *ends),
            "ug.shortest_path_length": lambda: ug.shortest_path_length(cover, *ends),
        },
        15,
    )
    for name, seconds in times.items():
        figure(name, float(np.median(seconds)) * 1e3, 50, " ms")


if __name__ == "__main__":
    shells()
    far()
    if MISSED:
        sys.exit("missed: " + "; ".join(MISSED))
