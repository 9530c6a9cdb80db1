"""
The adding problem
==================

Of a stream of numbers between 0 and 1 two are marked, one in each half; at the end their sum
is asked for (Hochreiter and Schmidhuber, 1997). Who always answers 1 has the mean squared error
1/6. A layer that reads itself stays there for long: over 60 steps its gradients vanish. An LSTM
comes down.
"""

import sys

import numpy as np
from matplotlib import pyplot as plt

from unrollgraph import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(seed)
T = 60


def problem(count):
    """Streams of numbers and marks, and at the end the sum of what is marked."""
    numbers, marks = rng.uniform(size=(T, count)), np.zeros((T, count))
    for half in (0, T // 2):
        marks[half + rng.integers(T // 2, size=count), np.arange(count)] = 1
    answer = np.zeros((T, count, 1))
    answer[-1, :, 0] = (numbers * marks).sum(axis=0)
    at_the_end = np.arange(T) == T - 1  # only there it is asked for
    return nn.Sequences({"x": np.stack([numbers, marks], axis=-1)}, {"y": answer}, at_the_end)


data, test = problem(2000), problem(500)
figure, ax = plt.subplots(figsize=(7, 4))
found = {}
for name, make in (("LSTM", nn.architectures.lstm), ("tanh", nn.architectures.elman)):
    net = nn.Network(make(inputs=2, hidden=32, outputs=1), seed=seed, dtype=np.float32)
    if name == "LSTM":
        net.parameters["f.bias"][...] = 1  # to remember at first
    history = nn.fit(
        net,
        data,
        nn.Adam(0.01),
        epochs=40 if name == "LSTM" else 15,
        batch_size=50,
        clip=1.0,
        callback=lambda _, history: history.losses[-1] < 0.003,
    )
    ax.semilogy(history.losses, label=name)
    found[name] = nn.loss(net, test.inputs, test.targets, mask=test.mask)
    print(f"{name}: {len(history.losses)} epochs, error on sums it never saw {found[name]:.4f}")
print(f"who always answers 1: {1 / 6:.4f}")
assert found["LSTM"] < 0.01

ax.axhline(1 / 6, color="gray", linestyle=":", label="1/6")
ax.set(xlabel="epoch", ylabel="mean squared error")
ax.legend()
figure.savefig("adding.svg")

# Gradients of the tanh layer vanish: draw them, as in the example of an RNN beside an LSTM.
