"""
Wavefronts in the plane
=======================

A network over the pixels of an image reads its left and its lower neighbor: delays (1, 0) and
(0, 1). What lies on one anti-diagonal depends on nothing else there, and is computed at once.
"""

import networkx as nx

import unrollgraph as ug

G = ug.gallery.grid_2d()
U = ug.unroll(G, (5, 4))
ax = ug.draw.wavefronts(U)
ug.draw.save(ax, "wavefronts.svg")

fronts = list(nx.topological_generations(U))
print(f"{len(U)} copies in {len(fronts)} moments, at most {max(map(len, fronts))} at once")

# Let h read its upper right neighbor as well, by a delay of (-1, 1). What becomes of the fronts?
