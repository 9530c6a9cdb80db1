"""
The sum, the mean, and what is cut off
======================================

The seed network is to repeat what it heard four steps ago. Each copy of a weight has a gradient
of its own. Their *sum* is the exact gradient. Their *mean* over T steps is the sum divided by T:
the same direction, slower at the same rate, and the same to the last bit at T times the rate
(T is a power of two here). *Truncated* at two steps the gradient does not reach the step that
matters, and nothing is learnt; at six it does.
"""

import sys
from functools import partial

import numpy as np
from matplotlib import pyplot as plt

from unrollgraph import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(seed)
T, lag, count = 16, 4, 100

heard = rng.choice([-1.0, 1.0], size=(T, count, 1))
said = np.concatenate([np.zeros((lag, count, 1)), heard[:-lag]])
data = nn.Sequences({"in": heard}, {"out": said})


def mean(net, inputs, targets, *, loss, mask):
    """Loss, and the mean of the gradients of the copies."""
    assert (loss, mask) == ("mse", None)
    run = net.forward(inputs)
    difference = run.values["out"] - targets["out"]
    gradients = run.backward({"out": 2 * difference / difference.size})
    return nn.LossAndGradients(float(np.mean(difference**2)), gradients.mean())


def truncated(steps, every):
    """Back through so many steps, every so many."""
    return partial(nn.loss_and_gradients, truncate=(steps, every))


ways = {
    "sum": (None, 1),
    "mean": (mean, 1),
    "mean, T times the rate": (mean, T),
    "truncated at 6": (truncated(6, 2), 1),
    "truncated at 2": (truncated(2, 1), 1),
}
losses = {}
figure, ax = plt.subplots(figsize=(8, 4.5))
for name, (gradients, factor) in ways.items():
    net = nn.Network(nn.architectures.seed(inputs=1, hidden=24, outputs=1), seed=seed)
    optimizer = nn.SGD(0.05 * factor, momentum=0.9)
    losses[name] = nn.fit(net, data, optimizer, epochs=250, gradients=gradients).losses
    ax.semilogy(losses[name], "--" if factor > 1 else "-", label=name)
    print(f"{name:<24} loss {losses[name][-1]:.4f}")

silent = np.mean(said**2)
print(f"who says nothing         loss {silent:.4f}")
assert losses["sum"] == losses["mean, T times the rate"]
assert max(losses["sum"][-1], losses["truncated at 6"][-1]) < 0.01
assert losses["mean"][-1] > 5 * losses["sum"][-1]
assert losses["truncated at 2"][-1] > 0.6 * silent

ax.axhline(silent, color="gray", linestyle=":", label="who says nothing")
ax.set(xlabel="epoch", ylabel="mean squared error")
ax.legend()
figure.savefig("sum_mean_truncation.svg")

# With nn.Adam the sum and the mean learn alike at the same rate. Why?
