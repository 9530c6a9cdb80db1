"""
Gradients of an RNN beside those of an LSTM
===========================================

One loss, at the last of 100 steps, and the gradient of each copy of each parameter. In a layer
that reads itself through its weights those of early copies vanish. In an LSTM they go along
the cell, which is multiplied by its forget gate alone; open to begin with, it lets them
through.
"""

import sys

import numpy as np
from matplotlib import pyplot as plt

import unrollgraph as ug
from unrollgraph import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
T, hidden = 100, 32
x = np.random.default_rng(seed).normal(size=(T, 1))
last = np.zeros((T, 1))
last[-1] = 1

figure, strips = plt.subplots(2, 1, figsize=(11, 9), height_ratios=(2, 5))
reach = {}
for name, ax in zip(("elman", "lstm"), strips, strict=True):
    make = getattr(nn.architectures, name)
    net = nn.Network(make(inputs=1, hidden=hidden, outputs=1), seed=seed)
    if name == "lstm":
        net.parameters["f.bias"][...] = 3
    gradients = net.forward({"x": x}).backward({"y": last})
    ug.draw.gradient_flow(gradients, ax=ax, limits=(1e-8, 10))
    ax.set_title(name)
    vertex = "h" if name == "elman" else "g"
    sizes = np.linalg.norm(gradients.copies(f"{vertex}.bias"), axis=1)
    reach[name] = sizes[0] / sizes[-1]
    print(f"{name}: gradient of {vertex}.bias, its first copy over its last: {reach[name]:.0e}")
assert reach["elman"] < 0.1
assert reach["lstm"] > 1
figure.savefig("rnn_lstm.svg")

# What does the LSTM do with a forget bias of -3?
