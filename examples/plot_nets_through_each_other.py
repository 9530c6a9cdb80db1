"""
Nets through each other
=======================

The delay cover of a crystal's bonds is the crystal, and may fall apart into nets that pass
through each other without touching. How many there are is the index of a lattice, found in
the finite graph of one cell.
"""

import unrollgraph as ug

diamond = ug.gallery.diamond()
for scale in ((1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 2, 2)):
    G = diamond.copy()
    for edge in G.edges:
        G.edges[edge]["delay"] = tuple(
            s * d for s, d in zip(scale, diamond.edges[edge]["delay"], strict=True)
        )
    cover = ug.DelayCover(G)
    (nets,) = ug.components(cover)
    far = ("a", (10**12 + 1, 0, 0))
    print(
        f"diamond, cells scaled by {scale}: {nets.copies} nets, invariants {nets.invariants}, "
        f"joined to {far}: {ug.same_component(cover, ('a', (0, 0, 0)), far)}"
    )

# One net of diamond, and the waves on it: two bands, which meet at (pi, pi, 0).
ug.draw.save(ug.draw.bands(ug.with_reverses(diamond)), "bands.svg")

# The bonds without a notion of distance: as many directions as independent cycles.
free = ug.abelianize(diamond)
print(ug.DelayGraph(free), ug.components(ug.DelayCover(free))[0].copies, "net")
down = ug.period_map(diamond)
print("(a, (1, 2, 3)) lies above", down(("a", (1, 2, 3))))
