"""
What only the future can tell
=============================

At every step: is there a mark anywhere in the sequence? Who has seen one knows. Who has not can
only guess, and how well he guesses at best can be computed: with marks of chance p in T steps
the least loss is the mean of (1 - p)^(t + 1) H(t), where H(t) is the entropy of a mark among
the T - 1 - t steps to come. A layer forward in time comes near that; a bidirectional one
goes far below.
"""

import sys

import numpy as np
from matplotlib import pyplot as plt

from unrollgraph import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(seed)
T, p = 12, 0.1


def problem(count):
    """Streams of rare marks, and whether there is any."""
    marks = (rng.uniform(size=(T, count, 1)) < p).astype(float)
    return nn.Sequences({"x": marks}, {"y": np.broadcast_to(marks.max(axis=0), marks.shape)})


later = 1 - (1 - p) ** np.arange(T - 1, 0, -1)  # after the last step nothing is to come
entropy = -later * np.log(later) - (1 - later) * np.log(1 - later)
best = np.sum((1 - p) ** np.arange(1, T) * entropy) / T
print(f"without the future no loss is below {best:.3f}")

data, test = problem(4000), problem(20_000)
figure, ax = plt.subplots(figsize=(7, 4))
found = {}
for name in ("elman", "bidirectional"):
    make = getattr(nn.architectures, name)
    net = nn.Network(make(inputs=1, hidden=8, outputs=1), seed=seed)
    history = nn.fit(
        net, data, nn.Adam(0.02), loss="binary_cross_entropy", epochs=20, batch_size=50, seed=seed
    )
    found[name] = nn.loss(net, test.inputs, test.targets, "binary_cross_entropy")
    print(f"{name}: {found[name]:.4f}")
    ax.semilogy(history.losses, label=name)
assert 0.97 * best < found["elman"] < 1.1 * best
assert found["bidirectional"] < 0.01

ax.axhline(best, color="gray", linestyle=":", label="best without the future")
ax.set(xlabel="epoch", ylabel="loss")
ax.legend()
figure.savefig("future.svg")

# Ask only at the last step: give Sequences a mask. What does the layer forward in time do then?
