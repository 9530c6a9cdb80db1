"""The contact sheet of pictures: all of them, drawn anew by one command.

    python docs/pictures.py

It writes the pictures and the page that shows them to docs/_pictures, and the picture of the
README. The documentation runs it whenever it is built.
"""

import warnings
from pathlib import Path

import matplotlib as mpl
import networkx as nx
import numpy as np
from matplotlib import pyplot as plt

import unrollgraph as ug
from unrollgraph import gallery, nn
from unrollgraph.draw import render

HERE = Path(__file__).parent
SEED = gallery.seed_network()
ROUND = [("A", "B"), ("B", "C"), ("C", "A")]


def hold_figures(*_):
    """Have pyplot hold the figures of an example of the gallery, although nothing is shown."""
    render.shows_figures = lambda: True


def skip():
    G = nx.DiGraph()
    G.add_weighted_edges_from([("x", "h", 0), ("h", "y", 0), ("x", "y", 0)], weight="delay")
    return G


def kagome():
    G = nx.MultiDiGraph()
    for u, v, step in ["abx", "bcy", "caz"]:
        there = {"x": (1, 0), "y": (-1, 1), "z": (0, -1)}[step]
        G.add_edge(u, v, delay=(0, 0))
        G.add_edge(u, v, delay=there)
    return ug.with_reverses(G)


def gradients():
    net = nn.Network(nn.architectures.elman(inputs=1, hidden=8, outputs=1), seed=3)
    given = np.zeros((10, 1))
    given[-1] = 1
    return net.forward({"x": np.sin(np.arange(10.0))[:, None]}).backward({"y": given})


# name, what it shows, how it is drawn
STILLS = [
    ("seed", "The seed network, rolled and unrolled", lambda: ug.draw.side_by_side(SEED, 4)),
    (
        "walk",
        "A walk twice round the cycle, closed below; its lift, open above",
        lambda: ug.draw.side_by_side(SEED, 4, walk=ROUND * 2),
    ),
    (
        "helix",
        "The line over the circle, pulled back to a network",
        lambda: ug.draw.helix(SEED, 3, walk=ROUND * 2),
    ),
    (
        "lstm",
        "A long short-term memory, gate by gate",
        lambda: ug.draw.side_by_side(gallery.lstm(), 3),
    ),
    (
        "bidirectional",
        "A bidirectional network: time in both directions, and no cycle",
        lambda: ug.draw.side_by_side(gallery.bidirectional(), 4),
    ),
    (
        "dilated",
        "Dilated layers: the higher, the further back",
        lambda: ug.draw.side_by_side(gallery.dilated(3), 6),
    ),
    (
        "narx",
        "Three loops at one vertex",
        lambda: ug.draw.side_by_side(gallery.narx(3), 5),
    ),
    (
        "retimed",
        "Negative delays: a retimed network",
        lambda: ug.draw.side_by_side(ug.retime(gallery.top_down(), {"h2": 3}), 4),
    ),
    (
        "petersen",
        "Petersen's graph, the 5-fold cyclic cover of a dumbbell",
        lambda: ug.draw.ring(ug.cyclic_cover(gallery.dumbbell(2), 5)),
    ),
    ("ring", "The seed network modulo six", lambda: ug.draw.ring(ug.cyclic_cover(SEED, 6))),
    (
        "random",
        "A random lift of four sheets over its base",
        lambda: ug.draw.projection(ug.random_lift(SEED, 4, seed=1)),
    ),
    (
        "universal",
        "The universal cover of two loops, three edges around its root",
        lambda: ug.draw.tree(ug.universal_cover(gallery.bouquet(1, 2), "a", 3)),
    ),
    (
        "skip",
        "Acyclic and not universal: with a skip connection the universal cover is a line",
        lambda: ug.draw.tree(ug.universal_cover(skip(), "x", 4)),
    ),
    (
        "skip_unrolled",
        "A skip connection unrolled: no directed cycle, but a triangle in every step",
        lambda: ug.draw.side_by_side(skip(), 3),
    ),
    (
        "in_tree",
        "What an output of an LSTM reads, nothing shared",
        lambda: ug.draw.tree(ug.in_tree(gallery.lstm(), "h", 4)),
    ),
    (
        "plane",
        "A network over the pixels of an image, and its unrolling in the plane",
        lambda: ug.draw.side_by_side(gallery.grid_2d(), (3, 3)),
    ),
    (
        "wavefronts",
        "Wavefronts: one color can be computed at once",
        lambda: ug.draw.wavefronts(ug.unroll(gallery.grid_2d(), (5, 4))),
    ),
    (
        "layers",
        "Wavefronts of three layers in a line of time",
        lambda: ug.draw.wavefronts(ug.unroll(gallery.stacked(3), 6)),
    ),
    (
        "gradients",
        "The gradient of each copy, for a loss at the last step",
        lambda: ug.draw.gradient_flow(gradients()),
    ),
    (
        "bands",
        "Bands of the kagome net: one is flat, two meet in a corner of the zone",
        lambda: ug.draw.bands(kagome(), path=[(0, 0), (1, 0), (2 / 3, -2 / 3), (0, 0)]),
    ),
]
MOVING = [
    ("moving_walk", "A walk and its lift", lambda: ug.draw.animate_walk(SEED, ROUND * 2)),
    (
        "unrolling",
        "The cycle opens, through its cyclic covers, into the line",
        lambda: ug.draw.animate_unrolling(SEED, 3),
    ),
]


def write(folder):
    """Draw all pictures into a folder, and write the page that shows them; return its text."""
    mpl.use("Agg")
    folder.mkdir(exist_ok=True)
    entries = []
    for name, words, make in STILLS:
        ax = make()
        ug.draw.save(ax, folder / f"{name}.svg")
        entries.append((f"{name}.svg", words, ax.figure.get_size_inches()[0]))
        plt.close("all")
    for name, words, make in MOVING:
        animation = make()
        animation.save(folder / f"{name}.gif", writer="pillow", dpi=50)
        entries.append((f"{name}.gif", words, 8))
        plt.close("all")
    lines = []
    for file, words, inches in entries:
        wide = min(100, round(11 * inches))
        lines += [f".. figure:: _pictures/{file}", f"   :width: {wide}%", f"   :alt: {words}", ""]
        lines += [f"   {words}.", ""]
    text = "\n".join(lines)
    (folder / "sheet.rst").write_text(text)
    return text


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write(HERE / "_pictures")
    ug.draw.save(ug.draw.side_by_side(SEED, 4), HERE / "seed.svg")
    print(f"{len(STILLS) + len(MOVING)} pictures in {HERE / '_pictures'}")
