"""
Directions in a plane
=====================

A layer over the plane with the delays (1, 0) and (0, 1) sees at each cell what lies to the left
of it and below. Is there a mark there? That it learns; whether there is one to the right and
above it cannot know. With the delays (-1, 0) and (0, -1) it is the other way round.
"""

import sys

import numpy as np
from matplotlib import pyplot as plt

import unrollgraph as ug
from unrollgraph import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(seed)
n, count = 6, 200

marks = (rng.uniform(size=(n, n, count)) < 0.08).astype(float)
either = np.maximum.accumulate
left_below = either(either(marks, axis=0), axis=1)
right_above = either(either(marks[::-1, ::-1], axis=0), axis=1)[::-1, ::-1]

losses = {}
for sign in (1, -1):
    for name, answer in (("left, below", left_below), ("right, above", right_above)):
        G = nn.architectures.grid_2d(inputs=1, hidden=8, outputs=1)
        for *edge, (right, up) in list(G.edges(keys=True, data="delay", default=(0, 0))):
            G.edges[tuple(edge)]["delay"] = (sign * right, sign * up)
        net = nn.Network(G, seed=seed)
        data = nn.Sequences(
            {"x": marks.reshape(n * n, count, 1)}, {"y": answer.reshape(n * n, count, 1)}
        )
        history = nn.fit(
            net,
            data,
            nn.Adam(0.02),
            loss="binary_cross_entropy",
            epochs=40,
            batch_size=50,
            over=ug.unroll(net, (n, n)),
        )
        losses[sign, name] = history.losses
        print(f"delays {(sign, 0)}, {(0, sign)}; asked {name:<13} loss {history.losses[-1]:.3f}")

for sign, name in losses:
    sees = (sign == 1) == (name == "left, below")
    assert (losses[sign, name][-1] < 0.05) if sees else (losses[sign, name][-1] > 0.4)

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5))
ug.draw.wavefronts(ug.unroll(ug.gallery.grid_2d(), (4, 4)), ax=left)
for (sign, name), curve in losses.items():
    right.semilogy(curve, "-" if sign == 1 else "--", label=f"({sign}, 0), (0, {sign}): {name}")
right.set(xlabel="epoch", ylabel="loss")
right.legend()
figure.savefig("directions.svg")

# Give the layer all four delays. Which theorem says why it cannot be run?
