"""Pictures that stand on one page of the documentation each, drawn anew by every build."""

import matplotlib as mpl
import networkx as nx
import numpy as np
import rooms
import towers
from matplotlib import pyplot as plt

import unrollgraph as ug
from unrollgraph import gallery, nn

SEED = gallery.seed_network()
TWO, THREE = ("a", "a", 0), ("a", "a", 1)  # the loops of two steps on and of three back
FIVE = [TWO, TWO, THREE, TWO, THREE]

NAMES = {"in": "$x$", "A": "$h^1$", "B": "$h^2$", "C": "$h^3$", "out": "$y$"}
GREYS = {"in": "0.9", "A": "0.55", "B": "0.55", "C": "0.55", "out": "0.9"}


def graphene():
    G = nx.MultiDiGraph()
    for cell in [(0, 0), (1, 0), (0, 1)]:
        G.add_edge("a", "b", delay=cell)
    return ug.with_reverses(G)


def three_loops():
    G = nx.MultiDiGraph([("x", "h"), ("h", "y"), ("x", "y")])
    for delay in (1, 2, 4):
        G.add_edge("h", "h", delay=delay)
    return G


def learning():
    """The fit of the page on training, and its loss."""
    rng = np.random.default_rng(0)
    bits = rng.integers(2, size=(12, 128, 1))
    data = nn.Sequences({"in": 2.0 * bits - 1}, {"out": bits.cumsum(axis=0) % 2})
    net = nn.Network(nn.architectures.seed(inputs=1, hidden=16, outputs=1), seed=0)
    options = {"loss": "binary_cross_entropy", "batch_size": 64, "clip": 1.0}
    losses = nn.fit(net, data, nn.Adam(0.01), epochs=300, progress=False, **options).losses
    _, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
    ax.semilogy(losses, color="#0072b2", lw=2)
    ax.axhline(np.log(2), color="0.6", lw=1, ls="--")
    ax.text(300, np.log(2) * 1.15, "log 2: it knows nothing", ha="right", color="0.4")
    ax.set(xlabel="epoch", ylabel="loss", xlim=(0, 300), ylim=(None, 2))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def two_networks():
    G = nx.DiGraph([("in", "A"), ("in", "B"), ("A", "B"), ("B", "out")])
    H = G.copy()
    H.add_edge("B", "A", delay=1)
    figure = plt.figure(figsize=(7, 3.4))
    for k, network in enumerate((G, H)):
        ug.draw.rolled(network, ax=figure.add_axes((0.5 * k, 0, 0.5, 1)))
    return figure.axes[0]


def paper_panels():
    figure = plt.figure(figsize=(7, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    ug.draw.side_by_side(SEED, 3, ax=left, labels=NAMES)
    ug.draw.helix(SEED, 2, ax=right, labels=NAMES)
    left.set_title("a", loc="left", fontweight="bold")
    right.set_title("b", loc="left", fontweight="bold")
    return left


def long_names():
    G = nx.DiGraph([("input_embedding", "hidden_state_1"), ("hidden_state_1", "output_logits")])
    G.add_edge("hidden_state_1", "hidden_state_1", delay=1)
    return ug.draw.side_by_side(G, 4, width="text")


def paper_serif():
    with mpl.rc_context({"font.family": "serif", "mathtext.fontset": "cm"}):
        return ug.draw.side_by_side(SEED, 3, labels=NAMES, width="column")


def active_walk():
    G = gallery.driven_rings()
    walk = ug.find_active_walk(G, ("a0", 0), ("b0", 0))
    return ug.draw.unrolled(ug.unroll(G, range(-5, 1)), walk=walk.edges)


def latent_projection():
    """A mixed graph, by the functions of networkx."""
    observed = [(v, t) for t in (0, 1) for v in ("a0", "b0")]
    P = ug.latent_projection(gallery.driven_rings(), observed)
    _, ax = plt.subplots(figsize=(4.2, 2.6), layout="constrained")
    place = {(v, t): (1.5 * t, v == "a0") for v, t in P}
    color = ["#e69f00" if v == "a0" else "#cc79a7" for v, _ in P]
    names = {(v, t): f"${v[0]}{v[1]}_{{{t}}}$" for v, t in P}
    nx.draw_networkx_nodes(P, place, node_color=color, node_size=900, ax=ax)
    nx.draw_networkx_labels(P, place, names, font_size=12, ax=ax)
    look = {"bidirected": {"arrowstyle": "<|-|>", "style": "dashed"}, "directed": {}}
    for kind, how in look.items():
        edges = [edge for edge in P.edges if edge[2] == kind]
        nx.draw_networkx_edges(P, place, edges, node_size=900, arrowsize=14, ax=ax, **how)
    ax.margins(0.2)
    ax.set_axis_off()
    return ax


PICTURES = {
    "active_walk": active_walk,
    "latent_projection": latent_projection,
    "paper_column": lambda: ug.draw.side_by_side(SEED, 4, width="column"),
    "paper_names": long_names,
    "paper_serif": paper_serif,
    "paper_lstm": lambda: ug.draw.side_by_side(nn.architectures.lstm(1, 2, 1), 3),
    "helix_small": lambda: ug.draw.helix(gallery.bouquet(1), 4),
    "graphene": lambda: ug.draw.bands(graphene(), path=[(0, 0), (1, 0), (2 / 3, -2 / 3), (0, 0)]),
    "paper_labels": lambda: ug.draw.side_by_side(SEED, 3, labels=NAMES, palette=GREYS),
    "paper_panels": paper_panels,
    "two_networks": two_networks,
    "learning": learning,
    "rooms": rooms.picture,
    "tower": towers.picture,
    "cancel": lambda: ug.draw.side_by_side(gallery.bouquet(2, -3), 7, walk=FIVE),
    "opposed": lambda: ug.draw.side_by_side(gallery.opposed_pair(), (4, 4)),
    "paper_own": lambda: ug.draw.side_by_side(three_loops(), 6),
}


def write(folder):
    """Draw all of them into a folder."""
    for name, make in PICTURES.items():
        ug.draw.save(make(), folder / f"{name}.svg")
        plt.close("all")
