"""
When is an unrolling acyclic?
=============================

Delays may be negative: a vertex may read the future of another. The infinite
unrolling is acyclic exactly when no closed walk has total delay zero, and the library
proves whichever is the case.
"""

import networkx as nx

import unrollgraph as ug

for back in (-2, -3, -4):
    G = nx.DiGraph()
    G.add_edge("a", "b", delay=3)
    G.add_edge("b", "a", delay=back)
    try:
        schedule = ug.acyclicity_certificate(G)
        keys = [schedule.key(node)[0] for node in (("a", 0), ("b", 3), ("a", 3 + back))]
        print(f"3 and {back}: {schedule.time_direction}, keys {keys} along the cycle")
    except ug.errors.CyclicCoverError as error:
        print(f"3 and {back}: cyclic, {error.walk}")

# Two loops on one vertex, a step of 2 forward and one of 3 backward: no single cycle
# has total zero, yet a closed walk does.
G = nx.MultiDiGraph()
G.add_edge("a", "a", delay=2)
G.add_edge("a", "a", delay=-3)
walk = ug.find_zero_walk(G)
print(f"2 and -3 at one vertex: {walk}, {walk.length} edges")
ug.draw.save(ug.draw.side_by_side(G, 7), "clocks.svg")  # find the cycle of five arcs

# Which delays on the two loops would make the unrolling acyclic?
