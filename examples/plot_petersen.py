"""
Petersen's graph from a dumbbell
================================

Two vertices, a loop on each and an edge between them; delays 1 and 2 on the loops. Five copies
on a ring are the graph of Petersen, and turning the ring is one of its symmetries.
"""

import networkx as nx

import unrollgraph as ug

dumbbell = ug.gallery.dumbbell(2)
petersen = ug.cyclic_cover(dumbbell, 5)
ug.draw.save(ug.draw.ring(petersen), "petersen.svg")
ug.draw.save(ug.draw.projection(petersen), "petersen_over_dumbbell.svg")

print(nx.is_isomorphic(petersen.to_undirected(), nx.petersen_graph()))

# Which famous graph are ten copies with delays 1 and 3? And eight with 1 and 3?
