"""
The gradient of each copy
=========================

Unrolled over time, a network has a copy of each matrix for every step, and each copy
has a gradient of its own. Their sum is the exact gradient of the shared matrix. With a
loss at the last step alone one sees how far back it reaches: change the scale of the
recurrent weights and watch gradients vanish or explode.
"""

import numpy as np

import unrollgraph as ug
from unrollgraph import nn

T = 12
x = np.random.default_rng(0).normal(size=(T, 1))
at_the_end = np.zeros((T, 1))
at_the_end[-1] = 1

for scale in (0.5, 1.0, 1.5):
    net = nn.Network(nn.architectures.elman(inputs=1, hidden=8, outputs=1), seed=3)
    recurrent = net.parameters["h.weight"][:, 1:]
    recurrent *= scale / np.abs(np.linalg.eigvals(recurrent)).max()
    gradients = net.forward({"x": x}).backward({"y": at_the_end})
    sizes = np.linalg.norm(gradients.copies("h.weight"), axis=(1, 2))
    print(f"spectral radius {scale}: " + " ".join(f"{size:.0e}" for size in sizes))

ug.draw.save(ug.draw.gradient_flow(gradients), "copies.svg")

# The first copies matter least at 0.5. At 1.5 the non-linearity holds them back: what
# would happen with activation="linear"?
