"""
Unroll a network of your own
============================

A plain directed graph says nothing about time. Depth-first search finds edges that
close its cycles; delayed by one step, they make the unrolling acyclic. Change the
roots and see which edges become the memory of the network.
"""

import networkx as nx

import unrollgraph as ug

G = nx.DiGraph([("eye", "cortex"), ("cortex", "hand"), ("hand", "world"), ("world", "eye")])

for root in G:
    network = ug.delay_feedback(G, roots=[root])
    (memory,) = ((u, v) for u, v, delay in network.edges(data="delay") if delay)
    U = ug.unroll(network, 3)
    order = [f"{v}_{t}" for v, t in nx.topological_sort(U)]
    print(f"delay on {memory[0]} -> {memory[1]}: {' '.join(order[:5])} ...")

# All four choices are one network seen from four clocks: each is a retiming of the
# others, so their infinite unrollings are the same graph.
choices = [ug.delay_feedback(G, roots=[root]) for root in G]
print("one cover:", all(ug.is_retiming(choices[0], other) for other in choices))
ug.draw.save(ug.draw.side_by_side(choices[0], 4), "own.svg")

# Is the same true of a graph with two cycles that share a vertex? And of two that do
# not?
