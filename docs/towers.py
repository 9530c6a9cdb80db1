"""The picture of the tower of covers of two loops, drawn anew by every build."""

import matplotlib as mpl
from matplotlib import pyplot as plt

import unrollgraph as ug
from unrollgraph.draw.scene import INK, QUIET

G = ug.gallery.bouquet(1, 2)
FREE = ug.abelianize(G)
# name, what it remembers of a walk, how it is drawn on some axes
FLOORS = [
    (
        "universal cover",
        "every turn, in order",
        lambda ax: ug.draw.tree(ug.universal_cover(G, "a", 3), ax=ax),
    ),
    (
        "maximal abelian cover",
        "how often each loop",
        lambda ax: ug.draw.unrolled(ug.unroll(FREE, (4, 4)), ax=ax, ghosts=True),
    ),
    (
        "delay cover",
        "how long it took",
        lambda ax: ug.draw.unrolled(ug.unroll(G, 5), ax=ax, ghosts=True),
    ),
    (
        "cyclic cover",
        "how long, modulo 6",
        lambda ax: ug.draw.ring(ug.cyclic_cover(G, 6), ax=ax),
    ),
    ("the graph", "where it ended", lambda ax: ug.draw.rolled(G, ax=ax)),
]
FORGETS = ["the order", "which loop", "full turns", "time"]


def picture():
    """Draw the tower from left to right, and return the axes of one floor."""
    figure = plt.figure(figsize=(13.5, 3.5))
    wide = [2.4, 2.4, 3.1, 2.2, 1.2]
    gap, left = 0.62, 0.05
    scale = 1 / (sum(wide) + gap * 4 + 0.1)
    for k, (name, remembers, draw) in enumerate(FLOORS):
        share = wide[k] * scale
        ax = figure.add_axes((left * scale, 0.2, share, 0.64))
        draw(ax)
        middle = left * scale + share / 2
        figure.text(middle, 0.93, name, ha="center", size=13, weight="bold", color=INK)
        figure.text(middle, 0.1, remembers, ha="center", size=11, color=INK)
        left += wide[k]
        if k < len(FORGETS):
            start, end = left * scale, (left + gap) * scale
            arrow = {"arrowstyle": "-|>", "color": QUIET, "lw": 1.6}
            ax.annotate("", (end, 0.5), (start, 0.5), "figure fraction", arrowprops=arrow)
            words = {"ha": "center", "size": 9, "color": QUIET}
            figure.text((start + end) / 2, 0.55, f"forget\n{FORGETS[k]}", **words)
        left += gap
    return ax


if __name__ == "__main__":
    mpl.use("Agg")
    picture().figure.savefig("tower.png", dpi=130)
