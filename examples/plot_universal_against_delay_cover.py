"""
Acyclic, and not universal
==========================

With a skip connection from x to y there are two ways forward, and no cycle. The delay cover is
acyclic, yet no tree: both ways meet again in y. The universal cover keeps them apart, since a
copy in it is a walk, and not only a time.
"""

import networkx as nx
from matplotlib import pyplot as plt

import unrollgraph as ug

G = nx.DiGraph()
G.add_weighted_edges_from([("x", "h", 0), ("h", "y", 0), ("x", "y", 0)], weight="delay")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(1, 2))
ug.draw.unrolled(ug.unroll(G, 3), ax=left)
left.set_title("delay cover, three steps")
ball = ug.universal_cover(G, "x", 6)
ug.draw.tree(ball, ax=right)
right.set_title("universal cover, six edges around x")
figure.savefig("two_covers.svg")

print("acyclic:", ug.is_acyclic(ug.DelayCover(G)))
print("copies of y:", len(ball.fibre("y")), "within six edges, one in each step")

# Instead of the skip connection let y feed back into x, with delay 1. Are the two alike now?
