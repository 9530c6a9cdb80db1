"""
From a table with time stamps back to the network
=================================================

A tool elsewhere has unrolled something for you: each vertex is a name with a time stamp.
Rolling it up finds the graph with delays of which it is a window, or says which arc is
missing.
"""

import networkx as nx

import unrollgraph as ug

# Wind drives power at once and one step later, and is itself persistent.
arcs = []
for t in range(6):
    arcs.append((f"wind@{t}", f"power@{t}"))
    if t + 1 < 6:
        arcs += [(f"wind@{t}", f"wind@{t + 1}"), (f"wind@{t}", f"power@{t + 1}")]
table = nx.DiGraph(arcs)


def name(vertex):
    """What a vertex is a copy of."""
    return vertex.split("@")[0]


def time(vertex):
    """And when."""
    return int(vertex.split("@")[1])


G = ug.roll(table, node=name, time=time)
for u, v, delay in G.edges(data="delay"):
    print(f"{u} -> {v}, delay {delay}")

ug.draw.save(ug.draw.side_by_side(G, 6), "table.svg")

# Now it is a network: without end it is one connected piece, and acyclic.
cover = ug.DelayCover(G)
print(ug.components(cover)[0], ug.is_acyclic(cover))

# One arc is lost in the mail.
table.remove_edge("wind@3", "wind@4")
try:
    ug.roll(table, node=name, time=time)
except ug.errors.NotPeriodicError as error:
    print(error)
