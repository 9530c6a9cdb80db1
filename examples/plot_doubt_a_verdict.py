"""
Doubt a verdict
===============

A verdict on an infinite graph need not be believed. Here its certificates are written
down as plain numbers, and checked by two functions that know nothing of the library.
"""

import networkx as nx

import unrollgraph as ug


def increases(G, forms):
    """Whether lists of affine forms grow along every arc of the unrolling, first come first."""
    for u, v, d in G.edges(data="delay"):
        for (slope, offset), (slope_v, offset_v) in zip(forms[u], forms[v], strict=True):
            if slope != slope_v:
                return False  # the growth would depend on the time
            growth = sum(x * y for x, y in zip(slope, d, strict=True)) + offset_v - offset
            if growth:
                break
        if growth <= 0:
            return False
    return True


def returns(G, segments):
    """Whether (walk, count) pairs make one closed walk of the graph, of total delay zero."""
    here = start = segments[0][0][0][0]
    total = [0, 0]
    for walk, count in segments:
        first = here
        for u, v, key in walk:
            if u != here:
                return False
            here = v
            delay = G.edges[u, v, key]["delay"]
            total = [a + count * b for a, b in zip(total, delay, strict=True)]
        if count > 1 and here != first:
            return False
    return here == start and total == [0, 0]


pair = ug.gallery.opposed_pair()
stages = ug.acyclicity_certificate(pair).stages
forms = {v: [(s.slopes[k], s.offsets[k]) for s in stages] for k, v in enumerate(pair)}
print(forms)
print("acyclic:", increases(pair, forms))
ug.draw.save(ug.draw.side_by_side(pair, (4, 4)), "pair.svg")

triangle = nx.MultiDiGraph()
for delay in [(20_001, -1), (-1, 20_003), (-10_007, -10_009)]:
    triangle.add_edge("h", "h", delay=delay)
segments = ug.find_zero_walk(triangle).segments
print([count for _, count in segments])
print("cyclic:", returns(triangle, segments))

# Change one number of a certificate: is it found out?
