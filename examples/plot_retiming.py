"""
Retiming changes the clocks, not the network
============================================

Two networks that look different: in the second, C reads B one step late and feeds A at once.
Unrolled they are one graph. Only the rows have moved against each other: a retiming is another
choice of which copy of each vertex is called the first.
"""

from matplotlib import pyplot as plt

import unrollgraph as ug

G = ug.gallery.seed_network()
H = ug.retime(G, {"C": 1, "out": 1})

colors = dict(zip(G, ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00"), strict=True))
walk = [("A", "B"), ("B", "C"), ("C", "A")] * 2
figure, pictures = plt.subplots(2, 1, figsize=(9, 9))
for network, ax in zip((G, H), pictures, strict=True):
    ug.draw.side_by_side(network, 4, ax=ax, palette=colors, walk=walk)
    print("delays", [f"{u} -> {v}: {d}" for u, v, d in network.edges(data="delay") if d])
figure.savefig("retiming.svg")

print("one is the other, seen by other clocks:", ug.find_retiming(G, H))

# Which retiming gives the pipeline in which every edge but one has a delay?
