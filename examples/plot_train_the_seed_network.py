"""
The seed network learns parity
==============================

Is the number of ones so far odd? The network of five vertices is unrolled over 12 steps and
trained by backpropagation through them. Its weights are those of the vertices below, so it can
be unrolled as far as one likes: here over 500 steps, of bits it never saw.
"""

import sys

import numpy as np
from matplotlib import pyplot as plt

import unrollgraph as ug
from unrollgraph import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(seed)


def streams(steps, count):
    """Bits as 1 and -1, and whether the number of ones so far is odd."""
    bits = rng.integers(2, size=(steps, count, 1))
    return nn.Sequences({"in": 2.0 * bits - 1}, {"out": bits.cumsum(axis=0) % 2})


net = nn.Network(nn.architectures.seed(inputs=1, hidden=16, outputs=1), seed=seed)
history = nn.fit(
    net,
    streams(12, 128),
    nn.Adam(0.01),
    loss="binary_cross_entropy",
    epochs=1000,
    batch_size=64,
    clip=1.0,
    callback=lambda _, history: history.losses[-1] < 0.002,
)
assert history.losses[-1] < 0.002

test = streams(500, 64)
run = net.forward(test.inputs)
right = (run.values["out"] > 0) == (test.targets["out"] == 1)
print(f"loss {history.losses[0]:.3f} -> {history.losses[-1]:.3f} in {len(history.losses)} epochs")
print(f"right on the 12 steps it was trained over: {100 * right[:12].mean():.1f} %")
print(f"and on all of 500: {100 * right.mean():.1f} %")
assert right[:12].mean() > 0.99

figure, (above, below) = plt.subplots(2, 1, figsize=(9, 6), height_ratios=(3, 2))
ug.draw.unrolled(ug.unroll(net, 6), ax=above)
below.semilogy(history.losses)
below.set(xlabel="epoch", ylabel="loss")
below.axhline(np.log(2), color="gray", linestyle=":")
below.text(len(history.losses), 0.6, "one who knows nothing", color="gray", ha="right", va="top")
figure.savefig("seed_trained.svg")

# Take clip=1.0 away, or train over 4 steps only. What becomes of the 500?
