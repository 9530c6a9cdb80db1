"""The interactive pages that the documentation shows in frames, made anew by every build."""

import unrollgraph as ug
from unrollgraph import nn

SHOWN = {
    "seed": nn.architectures.seed(1, 1, 1),
    "lstm": nn.architectures.lstm(1, 1, 1),
    "bidirectional": nn.architectures.bidirectional(1, 1, 1),
    "grid": nn.architectures.grid_2d(1, 1, 1),
}


def write(folder):
    """Write a page for each network into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, G in SHOWN.items():
        ug.explorer.explore(G, title=name).save(folder / f"{name}.html")
