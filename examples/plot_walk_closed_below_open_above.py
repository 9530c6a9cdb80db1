"""
Closed below, open above
========================

A walk twice round the cycle of the network, and its lift: the one comes back to where it began,
the other has climbed two steps. So the unrolling has no cycle although the network has.
"""

import unrollgraph as ug

G = ug.gallery.seed_network()
walk = [("A", "B"), ("B", "C"), ("C", "A")] * 2

ax = ug.draw.side_by_side(G, 4, walk=walk)
ug.draw.save(ax, "walk.svg")

lift = ug.lift_walk(ug.DelayCover(G), walk, ("A", 0))
print("below from", walk[0][0], "to", walk[-1][1])
print("above from", lift[0][0], "to", lift[-1][1])

# The same as a moving picture, for a talk.
animation = ug.draw.animate_walk(G, walk[:3])
animation.save("walk.gif", writer="pillow", dpi=50)

# Which walks are closed above as well? Try a delay of 0 on C -> A.
