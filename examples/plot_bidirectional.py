"""
Forward and backward at once
============================

A bidirectional network has a loop of delay 1 and one of delay -1. Its unrolling is acyclic,
since the two never meet on a cycle; but there is no single direction of time in which it can be
run step by step.
"""

import unrollgraph as ug

G = ug.gallery.bidirectional()
ax = ug.draw.side_by_side(G, 5)
ug.draw.save(ax, "bidirectional.svg")

schedule = ug.acyclicity_certificate(G)
print(schedule.time_direction, "and acyclic, by the key", schedule.key(("f", 3)), "of f at 3")

# Let the backward layer read the forward one, f -> b. Is it still acyclic? And with b -> f?
