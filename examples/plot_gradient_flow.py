"""
Where gradients vanish, and where they explode
==============================================

One loss, at the last step. Each copy of the recurrent weights has a gradient of its own: with
small weights those of early copies vanish, with large ones they explode. Inputs are so small
here that nothing is squashed.
"""

import numpy as np
from matplotlib import pyplot as plt

import unrollgraph as ug
from unrollgraph import nn

steps = 12
x = 1e-6 * np.random.default_rng(0).normal(size=(steps, 1))
last = np.zeros((steps, 1))
last[-1] = 1

figure, strips = plt.subplots(2, 1, figsize=(9, 6))
for scale, ax in zip((0.4, 2.0), strips, strict=True):
    net = nn.Network(nn.architectures.elman(inputs=1, hidden=8, outputs=1), seed=3)
    recurrent = net.parameters["h.weight"][:, 1:]
    recurrent *= scale / np.abs(np.linalg.eigvals(recurrent)).max()
    gradients = net.forward({"x": x}).backward({"y": last})
    ug.draw.gradient_flow(gradients, ax=ax)
    ax.set_title(f"spectral radius {scale}")
    sizes = np.linalg.norm(gradients.copies("h.bias"), axis=1)
    print(f"spectral radius {scale}: first copy {sizes[0]:.0e}, last {sizes[-1]:.0e}")
figure.savefig("gradient_flow.svg")

# What do inputs of the usual size change? Take the factor 1e-6 away.
