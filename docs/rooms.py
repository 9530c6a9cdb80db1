"""The picture of the rooms: the package as a house, drawn anew by every build."""

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.patches import Polygon, Rectangle

from unrollgraph.draw.scene import INK, PAPER, QUIET, mixed, vertex_colours

# from below: name, what lives there, share of the floor
HOUSE = [
    [
        ("graph", "delay graph, orders,\npotentials, retiming", 3),
        ("limits", "sizes", 1),
        ("errors", "what is\nsaid", 1),
    ],
    [("io", "files, tables and JSON values, read and written", 1)],
    [("morphism", "a map between two graphs: laws, lifting, deck group, monodromy", 1)],
    [("cover", "everything above a graph, with its map down; and the way back", 1)],
    [
        ("measure", "numbers and verdicts,\nwith certificates", 1),
        ("nn", "networks that run,\nforward and back", 1),
    ],
    [
        ("draw", "pictures", 5),
        ("symbolic", "algebra", 5),
        ("backend", "networkx's\nfunctions", 5),
        ("testing", "drawn\ngraphs", 4),
    ],
    [("explorer", "an interactive page", 1)],
    [("cli", "the command line", 1)],
]
WIDTH, STOREY = 10.0, 1.15
TINTS = list(vertex_colours(range(7)).values())


def picture():
    """Draw the house in section, and return its axes."""
    ax = plt.figure(figsize=(9, 8.6)).add_axes((0, 0, 1, 1))
    for floor, rooms in enumerate(HOUSE):
        left, low = 0.0, floor * STOREY
        attic = floor == len(HOUSE) - 1
        if attic:
            roof = [(-0.35, low), (WIDTH + 0.35, low), (WIDTH / 2, low + 1.55)]
            ax.add_patch(Polygon(roof, fc=mixed(INK, PAPER, 0.86), ec=PAPER, lw=3))
        for name, words, share in rooms:
            wide = WIDTH * share / sum(share for *_, share in rooms)
            if not attic:
                fill = mixed(TINTS[floor], PAPER, 0.72)
                ax.add_patch(Rectangle((left, low), wide, STOREY, fc=fill, ec=PAPER, lw=3))
            middle = left + wide / 2
            top = low + (0.62 if attic else 0.86) - 0.08 * ("\n" not in words)
            how = {"ha": "center", "va": "center", "color": INK}
            ax.text(middle, top, name, family="monospace", size=14, weight="bold", **how)
            below = 0.3 if "\n" not in words else 0.42
            ax.text(middle, top - below, words, size=10, linespacing=1.15, **how)
            left += wide
    arrow = {"arrowstyle": "-|>", "color": QUIET, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    ends = (-0.7, len(HOUSE) * STOREY - 1.3), (-0.7, 0.1)
    ax.annotate("", xy=ends[1], xytext=ends[0], arrowprops=arrow)
    middle = sum(y for _, y in ends) / 2
    words = {"rotation": 90, "ha": "center", "va": "center", "color": QUIET, "size": 11}
    ax.text(-1.0, middle, "imports go down", **words)
    ax.set(xlim=(-1.3, WIDTH + 0.5), ylim=(-0.1, len(HOUSE) * STOREY + 0.5), aspect="equal")
    ax.set_axis_off()
    return ax


if __name__ == "__main__":
    mpl.use("Agg")
    picture().figure.savefig("rooms.png")
