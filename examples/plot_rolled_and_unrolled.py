"""
Rolled and unrolled
===================

The network that started it: in, A, B, C, out, and a backward edge from C to A that takes one
step. Below, the same with the gates of an LSTM.
"""

import unrollgraph as ug

for name, G in (("seed", ug.gallery.seed_network()), ("lstm", ug.gallery.lstm())):
    ax = ug.draw.side_by_side(G, 4)
    for suffix in ("svg", "png"):
        ug.draw.save(ax, f"{name}.{suffix}")
    print(f"{name}.svg and {name}.png: {len(G)} fibres over four steps")

# Which window, and which colors, would show your own network best?
