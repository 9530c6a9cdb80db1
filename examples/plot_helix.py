"""
The line over the circle
========================

Closed below, open above: a walk round the cycle of a network comes back to where it began, and
its lift has climbed one turn for every step of delay.
"""

import unrollgraph as ug

G = ug.gallery.seed_network()
ax = ug.draw.helix(G, 3)
ug.draw.save(ax, "helix.svg")

cover = ug.DelayCover(G)
walk = [("A", "B"), ("B", "C"), ("C", "A")] * 2
print("the walk begins and ends in", walk[0][0], "and", walk[-1][1])
print("its lift begins in", ("A", 0), "and ends in", ug.lift_walk(cover, walk, ("A", 0))[-1][1])

# What does the helix of a loop of delay 2 look like? ug.gallery.bouquet(2)
