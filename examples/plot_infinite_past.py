"""
A common cause that a window of the past misses
===============================================

A hidden variable h drives two rings of 2 and 3 variables; all lags are 1. Are a0 and b0 independent
at the same time? In a window of the last five steps they are. In the infinite past they are not:
their first common cause is h five steps back. The longer the rings, the further back it is.
"""

import networkx as nx
from matplotlib import pyplot as plt

import unrollgraph as ug

G = ug.gallery.driven_rings(2, 3, 2)
a, b = ("a0", 0), ("b0", 0)

short = ug.unroll(G, range(-4, 1))  # five steps
print("independent in a window of 5 steps:", nx.is_d_separator(short, a, b, set()))
print("independent in the infinite cover:", ug.d_separated(G, a, b))

walk = ug.find_active_walk(G, a, b)
print(walk)
ax = ug.draw.unrolled(ug.unroll(G, range(-5, 1)), walk=walk.edges)
ug.draw.save(ax, "infinite_past.svg")

# How many steps must a window have? For rings of p and q variables, up to p q steps.
lags = []
rings = [(3, 4), (5, 6), (7, 8), (13, 15), (29, 31), (59, 61), (101, 103)]
for p, q in rings:
    G = ug.gallery.driven_rings(p, q, q - 1)
    dependent = not ug.d_separated(G, a, b)
    lags.append(-ug.common_ancestors(G, a, b).nearest[1])
    print(f"rings of {p} and {q}: dependent {dependent}, first common cause at lag {lags[-1]}")

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
variables = [p + q for p, q in rings]
ax.loglog(variables, lags, "o-", color="#d55e00")
ax.set(xlabel="variables in the rings", ylabel="lag of the first common cause")
figure.savefig("lags_of_common_causes.svg")
