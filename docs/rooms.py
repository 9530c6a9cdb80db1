"""The picture of the structure: layers of subpackages with their modules, drawn by every build."""

import textwrap
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

import unrollgraph
from unrollgraph.draw.scene import INK, PAPER, QUIET, mixed, vertex_colors

# from below: name, what lives there, share of the width
HOUSE = [
    [
        ("graph", "delay graphs and plain digraphs: potentials, cycles, retiming, isomorphism", 5),
        ("limits", "largest sizes", 1),
        ("errors", "what can be wrong", 1),
    ],
    [("io", "files, tables and JSON values, read and written; a new format is a module here", 1)],
    [("morphism", "maps between graphs: fibrations, coverings, lifting, deck groups", 1)],
    [("cover", "the delay cover, its windows and quotients, other covers, and the way back", 1)],
    [
        ("measure", "answers about the infinite cover, with certificates", 5),
        ("nn", "networks: compiled, run forward and back, trained", 6),
    ],
    [
        ("draw", "scenes and pictures; one private module for each kind", 5),
        ("symbolic", "algebra, by SymPy", 4),
        ("backend", "networkx's functions on covers", 2),
        ("testing", "random graphs", 2),
    ],
    [("explorer", "an interactive page", 1)],
    [("cli", "the command line; one private module for each command", 1)],
]
WIDTH, LINE = 20.0, 0.36
TINTS = list(vertex_colors(range(7)).values())


def modules_of(name):
    """Names of the modules of a subpackage, those of its subpackages with a dot."""
    folder = Path(unrollgraph.__file__).parent / name
    found = sorted(path.relative_to(folder) for path in folder.rglob("*.py"))
    return [".".join(path.with_suffix("").parts) for path in found if path.stem != "__init__"]


def texts_of(name, words, width):
    """The lines of a subpackage: description, then modules; and the length of the former."""
    many = int(width * 6.2)
    modules = textwrap.wrap(", ".join(modules_of(name)), many, break_on_hyphens=False)
    return [*textwrap.wrap(words, many), *modules], len(textwrap.wrap(words, many))


def picture():
    """Draw the layers, and return the axes."""
    ax = plt.figure(figsize=(11, 10.5)).add_axes((0, 0, 1, 1))
    low = 0.0
    for floor, rooms in enumerate(HOUSE):
        total = sum(share for *_, share in rooms)
        widths = [WIDTH * share / total for *_, share in rooms]
        lines = [
            texts_of(name, words, w) for (name, words, _), w in zip(rooms, widths, strict=True)
        ]
        height = LINE * (max(len(own) for own, _ in lines) + 2.4)
        left = 0.0
        for (name, *_), wide, (own, described) in zip(rooms, widths, lines, strict=True):
            fill = mixed(TINTS[floor % len(TINTS)], PAPER, 0.75)
            ax.add_patch(Rectangle((left, low), wide, height, fc=fill, ec=PAPER, lw=4))
            how = {"ha": "left", "va": "top", "color": INK}
            top = low + height - 0.22
            ax.text(left + 0.25, top, name, family="monospace", size=13, weight="bold", **how)
            for k, line in enumerate(own):
                family = "monospace" if k >= described else "sans-serif"
                how["color"] = mixed(INK, PAPER, 0.25) if k >= described else INK
                at = top - LINE * (k + 1.5)
                ax.text(left + 0.25, at, line, size=8.3, family=family, **how)
            left += wide
        low += height
    arrow = {"arrowstyle": "-|>", "color": QUIET, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=(-0.5, 0.1), xytext=(-0.5, low - 0.1), arrowprops=arrow)
    words = {"rotation": 90, "ha": "center", "va": "center", "color": QUIET, "size": 11}
    ax.text(-0.95, low / 2, "imports go down", **words)
    ax.set(xlim=(-1.4, WIDTH + 0.3), ylim=(-0.2, low + 0.2))
    ax.set_axis_off()
    return ax


if __name__ == "__main__":
    mpl.use("Agg")
    picture().figure.savefig("rooms.png")
