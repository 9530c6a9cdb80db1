"""
Layers with clocks of their own
===============================

A dilated network reads further back the higher the layer; a clockwork network updates some of
its units less often. Unrolled, both are seen at a glance.
"""

import unrollgraph as ug

for name, G in (
    ("dilated", ug.gallery.dilated(3)),
    ("clockwork", ug.gallery.clockwork((1, 2), ticks=True)),
):
    labels = {v: v if isinstance(v, str) else f"{'abc'[v[0]]}{v[1]}" for v in G}
    ax = ug.draw.side_by_side(G, 6, labels=labels)
    ug.draw.save(ax, f"{name}.svg")
    depth, skip = ug.recurrent_depth(G), ug.skip_coefficient(G)
    print(f"{name}: recurrent depth {depth}, skip coefficient {skip}")

# How far back does the top of four dilated layers see? ug.gallery.dilated(4)
