"""
A model of characters
=====================

An LSTM reads two poems by Lewis Carroll, 25 characters at a time, and says which comes next.
Before it has learnt anything all V characters are alike to it, so that its loss over 25 of them
is 25 log V exactly.
"""

import sys
from pathlib import Path

import numpy as np

import unrollgraph as ug
from unrollgraph import nn

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
text = (Path(sys.argv[0]).parent / "data" / "carroll.txt").read_text(encoding="utf-8")
letters = sorted(set(text))
codes = np.array([letters.index(character) for character in text])

G = nn.architectures.lstm(inputs=1, hidden=96, outputs=len(letters))
G.nodes["x"]["op"] = nn.Embedding(len(letters), 16)
net = nn.Network(G, seed=seed, dtype=np.float32)
net.parameters["y.weight"][...] = 0  # all characters alike

T = 25
windows = codes[np.arange(0, len(codes) - T, T // 2) + np.arange(T + 1)[:, None]]
data = nn.Sequences({"x": windows[:-1]}, {"y": windows[1:]})

before = T * nn.loss(net, data.inputs, data.targets, "cross_entropy")
print(f"{len(letters)} characters; loss over {T} of them {before:.4f}, which is {T} log V")
assert abs(before - T * np.log(len(letters))) < 1e-3

history = nn.fit(
    net, data, nn.Adam(0.005), loss="cross_entropy", epochs=50, batch_size=32, clip=5.0, seed=seed
)
print(f"after {len(history.losses)} epochs {T * history.losses[-1]:.1f}")
assert T * history.losses[-1] < 45

# it writes: each character is drawn, and read in the next step
rng = np.random.default_rng(seed)
state, code, written = {}, letters.index("T"), "T"
for _ in range(300):
    run = net.forward({"x": np.array([code])}, initial=state)
    state = run.state
    chances = np.exp(run.values["y"][0].astype(float) / 0.6)
    code = rng.choice(len(letters), p=chances / chances.sum())
    written += letters[code]
print(f"\n{written}")

ug.draw.save(ug.draw.side_by_side(G, 3), "characters.svg")  # what has been read, gate by gate

# What does it write at a temperature of 0.2 instead of 0.6, and at 1.5?
