"""Every figure can be printed: legible letters, nothing hidden, nothing outside the frame.

The rules are checked on figures as they are drawn, for 14 networks and for random graphs with
random names of up to 24 letters.
"""

import math
import random
import re

import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import draw, gallery, nn

mpl.use("Agg")

from matplotlib import pyplot as plt

from unrollgraph.draw import style
from unrollgraph.draw.render import painted
from unrollgraph.draw.scene import QUIET, Formula, flattened
from unrollgraph.draw.style import RADIUS, broken, fit_label, measured, short_keys

A = nn.architectures


def edges(*triples, multi=False):
    G = nx.MultiDiGraph() if multi else nx.DiGraph()
    G.add_weighted_edges_from(triples, weight="delay")
    return G


def random_25():
    rng, G = random.Random(7), nx.MultiDiGraph()
    G.add_nodes_from(range(25))
    for _ in range(50):
        u, v, d = rng.randrange(25), rng.randrange(25), rng.choice([0, 0, 1, 1, 2, 3])
        if d == 0 and u >= v:
            u, v = min(u, v), max(u, v)
        G.add_edge(u, v, delay=max(d, 1) if u == v else d)
    return G


def long_names():
    states = ("hidden_state_1", "hidden_state_2")
    forward = [("input_embedding", states[0], 0), (*states, 0), (states[1], "output_logits", 0)]
    return edges(*forward, (states[0], states[0], 1), (states[1], states[0], 1))


LATEX = {"in": "$x$", "out": r"$\hat y$"}
LATEX |= {"A": r"$\mathbf{h}^{(1)}$", "B": r"$\mathbf{h}^{(2)}$", "C": r"$\tilde{h}^{(3)}$"}
MULTI = [("x", "h", 0), ("x", "h", 1), ("x", "h", 2), ("h", "h", 1), ("h", "h", 3), ("h", "y", 0)]
NETWORKS = {
    "seed": (gallery.seed_network(), 4, None),
    "lstm": (A.lstm(1, 2, 1), 4, None),
    "gru": (A.gru(1, 2, 1), 4, None),
    "bidirectional": (A.bidirectional(1, 2, 1), 4, None),
    "clockwork": (A.clockwork(1, 2, 1), 8, None),
    "dilated": (A.dilated(1, 2, 1), 8, None),
    "petersen": (gallery.dumbbell(2), 5, None),
    "grid": (gallery.grid_2d(), (4, 4), None),
    "random": (random_25(), 5, None),
    "long": (long_names(), 4, None),
    "unicode": (edges(("ξ", "ĥ₁", 0), ("ĥ₁", "ŷ", 0), ("ĥ₁", "ĥ₁", 1)), 4, None),
    "latex": (gallery.seed_network(), 4, LATEX),
    "multi": (edges(*MULTI, multi=True), 5, None),
    "40 steps": (gallery.seed_network(), 40, None),
}
KINDS = {
    "rolled": lambda G, _, **how: draw.rolled(G, **how),
    "unrolled": lambda G, window, **how: draw.unrolled(ug.unroll(G, window), **how),
    "side_by_side": draw.side_by_side,
    "wavefronts": lambda G, window, **how: draw.wavefronts(ug.unroll(G, window), **how),
    "projection": lambda G, _, **how: draw.projection(ug.random_lift(G, 3, seed=1), **how),
    "ring": lambda G, window, **how: draw.ring(ug.cyclic_cover(G, window), **how),
    "tree": lambda G, _, **how: draw.tree(
        ug.universal_cover(G, next(iter(ug.DelayGraph(G).vertices)), 2), **how
    ),
    "helix": draw.helix,
}
INCHES = {"column": 3.35, "text": 7.0, "slide": 10.0}
LEAST = {"column": 6.0, "text": 6.0, "slide": 10.0}


def random_graph(seed):
    rng = random.Random(seed)
    letters = "abcdefgh_.ABC"
    sizes = [1, 1, 2, 5, 9, 16, 24]
    names = ["".join(rng.choices(letters, k=rng.choice(sizes))) for _ in range(rng.randint(1, 10))]
    names = list(dict.fromkeys(names))
    G = nx.MultiDiGraph()
    G.add_nodes_from(names)
    for _ in range(rng.randint(0, 2 * len(names))):
        u, v, d = (
            rng.randrange(len(names)),
            rng.randrange(len(names)),
            rng.choice([0, 0, 1, 1, 2, -1]),
        )
        G.add_edge(names[u], names[v], delay=1 if d == 0 and u >= v else d)
    return G


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def to_rims(points, discs):
    away = np.abs(np.asarray(points)[:, None] - np.array([disc.at for disc in discs]))
    x = np.maximum(away[..., 0] - np.array([disc.wide for disc in discs]), 0)
    return np.hypot(x, away[..., 1]) - RADIUS


def must_be_printable(ax, width, *, lines=True):
    """Check all rules on a figure, as it is drawn at its printed width."""
    figure, scene = ax.figure, painted(ax)
    figure.draw_without_rendering()
    assert figure.get_size_inches()[0] == pytest.approx(INCHES[width])
    assert min((text.get_fontsize() for text in ax.texts), default=99) >= LEAST[width] - 0.01
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in ax.texts]
    for box in boxes:
        assert figure.bbox.x0 - 1 <= box.x0 <= box.x1 <= figure.bbox.x1 + 1
        assert figure.bbox.y0 - 1 <= box.y0 <= box.y1 <= figure.bbox.y1 + 1
    across = [set() for _ in boxes]
    for k, box in enumerate(boxes):
        for j in range(k):
            x = min(box.x1, boxes[j].x1) - max(box.x0, boxes[j].x0)
            y = min(box.y1, boxes[j].y1) - max(box.y0, boxes[j].y0)
            if x > 2 and y > 2:
                across[k].add((ax.texts[k].get_text(), ax.texts[j].get_text()))
    assert not set().union(*across)
    for k, disc in enumerate(scene.discs[1:], 1):
        x, y = np.abs(np.array([other.at for other in scene.discs[:k]]) - disc.at).T
        x = np.maximum(x - disc.wide - np.array([other.wide for other in scene.discs[:k]]), 0)
        assert np.hypot(x, y).min() > 2.05 * RADIUS
    arcs = [stroke for stroke in scene.strokes if isinstance(stroke.key, tuple)]
    for stroke in arcs if lines else ():
        others = [disc for disc in scene.discs if disc.key not in stroke.key[:2]]
        if others:
            assert to_rims(flattened(stroke.points), others).min() > 0, stroke.key


# figures that have no place in a width, which their error states
TOO_WIDE = {
    ("random", "text"): {"ring"},
    ("gru", "column"): {"ring"},
    ("grid", "column"): {"side_by_side"},
    ("40 steps", "column"): {"ring"},
}
# figures in which some edges find no way around all vertices
DENSE = {
    ("clockwork", "ring"),
    *((name, "projection") for name in ("clockwork", "random")),
}
DENSE |= {("gru", "projection"), ("lstm", "projection")}
# graphs of which a helix would hide vertices or edges, or would be too long
NO_HELIX = {"lstm", "gru", "bidirectional", "clockwork", "dilated", "grid", "random", "40 steps"}


def drawn(kind, G, window, **how):
    """A figure, or the message of the error if it cannot be drawn."""
    try:
        return KINDS[kind](G, window, **how)
    except (ValueError, ug.errors.LiftError) as error:
        return str(error)


LARGE = {"clockwork", "random"}  # drawn at one width here; at all widths the test is too long
PRINTED = [
    pytest.param(n, w, marks=() if w == "column" else pytest.mark.slow)
    for n in NETWORKS
    for w in INCHES
    if n not in LARGE or w == "text"
]


@pytest.mark.parametrize(("name", "width"), PRINTED)
def test_networks_can_be_printed(name, width):
    G, window, labels = NETWORKS[name]
    how = {"width": width} | ({"labels": labels} if labels else {})
    for kind in KINDS:
        figure = drawn(kind, G, window, **how)
        if kind in TOO_WIDE.get((name, width), ()):
            assert re.search(r"needs a width of [0-9.]+ inches for letters of", figure)
        elif kind == "helix" and (name in NO_HELIX or isinstance(figure, str)):
            hides = name in NO_HELIX or (name, width) == ("long", "column")  # wide shapes
            reasons = r"helix of|draw times in Z\^2" if hides else "needs a width"
            assert re.search(reasons, figure)
        else:
            must_be_printable(figure, width, lines=kind != "helix" and (name, kind) not in DENSE)
        plt.close("all")


@settings(max_examples=min(200, settings().max_examples // 2))  # a figure takes half a second
@given(st.integers(0, 10**6))
def test_random_graphs_with_random_names_can_be_printed(seed):
    kind = list(KINDS)[seed % len(KINDS)]
    plt.close("all")
    width = "slide" if kind in ("ring", "projection") else ("text", "column")[seed // 8 % 2]
    figure = drawn(kind, random_graph(seed), 4, width=width)
    if isinstance(figure, str):
        reasons = {"wavefronts": "it has a cycle", "helix": "helix of this graph would hide"}
        assert reasons.get(kind, "needs a width of") in figure
    else:
        must_be_printable(figure, width, lines=kind not in ("helix", "projection"))


# -- single rules ----------------------------------------------------------------------------


def labels_in(ax):
    return [text.get_text() for text in ax.texts]


def test_names_are_broken_after_underscores_and_dots_and_before_capitals():
    assert broken("hidden_state_1", 1) == ["hidden_state_1"]
    assert broken("hidden_state_1", 2) == ["hidden_", "state_1"]
    assert broken("input.layer.weight", 3) == ["input.", "layer.", "weight"]
    assert broken("hiddenStateOne", 3) == ["hidden", "State", "One"]
    assert broken("unbreakable", 3) == ["unbreakable"]


def test_labels_that_fit_stand_in_discs_and_others_in_pills():
    assert fit_label("A", "12", 0.1).wide == 0
    long = fit_label("hidden_state_1", "12", 0.1)
    assert long.wide > 0
    assert long.label == "hidden_\nstate_1"
    assert fit_label("A", "12", 0.3).wide > fit_label("A", "12", 0.2).wide
    assert fit_label(Formula("A"), "", 0.1).label == "A"


@pytest.mark.parametrize(
    ("label", "index", "stacked"),
    [("h^{(1)}", "3", "h^{(1)}_{3}"), ("h_1", "3", "h_{1,3}"), ("h_{ij}", "-1", "h_{ij,-1}")],
)
def test_indices_of_formulas_stand_under_their_superscripts(label, index, stacked):
    assert fit_label(Formula(label), index, 0.1).label == stacked


def test_names_with_subscripts_of_their_own_have_a_comma_before_the_index():
    assert fit_label("h₁", "2", 0.1).index == ",2"


def test_short_keys_are_different_and_made_of_initials():
    assert short_keys(["hidden_state_1", "hidden_state_2", "input"]) == ["hs1", "hs2", "i"]
    assert short_keys(["out", "output", "other"]) == ["out", "o", "o2"]
    many = [f"layer_{k}_of_many" for k in range(40)]
    assert len(set(short_keys(many))) == 40


def test_keys_are_explained_below_the_figure():
    names = [f"the_{word}_of_a_long_name" for word in "abcdefgh"]
    G = nx.DiGraph([(names[0], name) for name in names[1:]], delay=0)
    ax = draw.rolled(G, width=1.6)
    bottom = min(disc.at[1] for disc in painted(ax).discs)
    below = [text.words for text in painted(ax).texts if text.at[1] < bottom]
    keys = {disc.label for disc in painted(ax).discs}
    assert len(keys) == 8
    assert sorted(word.split("  ")[1] for word in below) == sorted(names)
    assert {word.split("  ")[0] for word in below} == keys


def test_gates_stand_beside_each_other_in_base_and_cover():
    G = A.lstm(1, 2, 1)
    base = {disc.key: disc.at for disc in painted(draw.rolled(G)).discs}
    cover = {disc.key: disc.at for disc in painted(draw.unrolled(ug.unroll(G, 3))).discs}
    assert len({base[v][1] for v in "ifog"}) == 1
    for (v, _), (_, y) in cover.items():
        assert y == base[v][1]
    order = sorted("ifog", key=lambda v: base[v][0])
    assert order == sorted("ifog", key=lambda v: cover[v, 1][0])
    ranks = {y: [v for v in base if base[v][1] == y] for _, y in base.values()}
    still = {(u, v) for u, v, d in G.edges(data="delay", default=0) if not d}
    assert not any((u, v) in still for rank in ranks.values() for u in rank for v in rank)


def test_names_of_a_rank_may_be_text_and_formulas():
    names = {"i": "in_put^2 {a}%$ b\\c", "f": "$x_1$"}
    ax = draw.wavefronts(ug.unroll(A.lstm(1, 2, 1), 2), labels=names)
    ax.figure.draw_without_rendering()
    (row,) = (text for text in labels_in(ax) if "x_1" in text)
    assert r"in\_put\wedge\ 2" in row


def test_long_windows_show_the_first_steps_and_the_last():
    ax = draw.unrolled(ug.unroll(gallery.seed_network(), 40), width="text")
    times = sorted({disc.key[1] for disc in painted(ax).discs})
    assert times[-1] == 39
    assert times[:-1] == list(range(len(times) - 1))
    assert "..." in labels_in(ax)
    cut = [stroke for stroke in painted(ax).strokes if stroke.fade != (0, 0)]
    assert {stroke.key[1][1] for stroke in cut} == {len(times) - 1, 39}
    assert len(painted(draw.unrolled(ug.unroll(gallery.seed_network(), 40), width=60)).discs) == 200


@pytest.mark.parametrize("width", ["page", 0, -1.0, math.inf, math.nan, (3, 4)])
def test_what_is_no_width_is_refused(width):
    with pytest.raises(ValueError, match="invalid width=.*'column', 'text', 'slide', or a number"):
        draw.rolled(gallery.seed_network(), width=width)


def test_figures_that_do_not_fit_say_how_wide_they_must_be():
    U = ug.unroll(gallery.seed_network(), 6)
    with pytest.raises(ValueError, match="needs a width of") as caught:
        draw.unrolled(U, width=0.8)
    needed = float(re.search(r"width of ([0-9.]+) inches", str(caught.value))[1])
    must = draw.unrolled(U, width=needed + 0.05)
    assert must.figure.get_size_inches()[0] == pytest.approx(needed + 0.05)


def test_on_axes_letters_fit_the_axes():
    figure = plt.figure(figsize=(7, 3))
    ax = draw.side_by_side(gallery.seed_network(), 4, ax=figure.add_axes((0, 0, 0.5, 1)))
    assert min(text.get_fontsize() for text in ax.texts) >= 5.99


def test_delays_can_be_told_apart_without_color():
    G = edges(("a", "a", 1), ("a", "b", 2), ("a", "b", 0), ("b", "b", 3), multi=True)
    dashes = {s.key[-1]: s.dash for s in painted(draw.rolled(G)).strokes if s.key[0] != s.key[1]}
    loops = {s.key[0]: s.dash for s in painted(draw.rolled(G)).strokes if s.key[0] == s.key[1]}
    assert dashes[1] == loops["a"] == ()
    assert len({dashes[0], loops["a"], loops["b"]}) == 3
    assert luminance_contrast(QUIET) >= 4.5


def luminance_contrast(color):
    """Contrast with white, by WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_arrowheads_of_a_helix_are_at_the_heads_of_edges():
    scene = painted(draw.helix(gallery.seed_network(), 3))
    discs = {disc.key: disc for disc in scene.discs}
    heads = [shape for shape in scene.shapes if shape.above]
    assert len(heads) > 15
    for head in heads:
        if head.key[1] in discs:
            assert to_rims(head.points[:1], [discs[head.key[1]]])[0, 0] < 0.2


def test_trees_mark_their_root_and_have_shorter_edges_outward():
    lift = ug.universal_cover(gallery.bouquet(1, 1), "a", 2)
    scene = painted(draw.tree(lift))
    assert [disc.key for disc in scene.discs if disc.marked] == [next(iter(lift))]
    radius = sorted({round(float(np.hypot(*disc.at)), 6) for disc in scene.discs})
    assert radius[0] == 0
    assert radius[1] > radius[2] - radius[1] > 0


def test_gradients_over_the_plane_are_heat_maps():
    net = nn.Network(A.grid_2d(1, 2, 1), seed=0)
    U = ug.unroll(net, (3, 2))
    run = net.forward({"x": np.ones((6, 1))}, over=U)
    found = run.backward({"y": np.ones((6, 1))})
    scene = painted(draw.gradient_flow(found, palette=["black", "white"]))
    cells = {s.key[1]: s for s in scene.shapes if s.key[0] == "h.weight"}
    assert set(cells) == {(t, s) for t in range(3) for s in range(2)}
    sizes = np.linalg.norm(found.copies("h.weight").reshape(6, -1), axis=1)
    order = np.argsort(sizes)
    bright = [cells[node[1]].fill[0] for node in found.fibre("h.weight")]
    assert np.all(np.diff(np.array(bright)[order]) >= 0)
    middle = {key: shape.points.mean(axis=0) for key, shape in cells.items()}
    assert middle[1, 0][0] > middle[0, 0][0]
    assert middle[0, 1][1] > middle[0, 0][1]
    assert {"t_1", "t_2"} <= {text.words for text in scene.texts}


def test_characters_that_no_font_has_are_named(monkeypatch):
    without = [font for font in style.fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(style.fontManager, "ttflist", without)
    style._fallback.cache_clear()
    style._measured.cache_clear()
    with pytest.warns(UserWarning, match="no installed font has the characters '猫'"):
        measured("a猫", "bold")
    style._fallback.cache_clear()
    style._measured.cache_clear()


def test_widths_of_letters_depend_on_the_font_at_the_time_of_the_call():
    sans = fit_label("hidden_state", "1", 0.1).wide
    with mpl.rc_context({"font.family": "serif"}):
        serif = fit_label("hidden_state", "1", 0.1).wide
    assert sans != serif
    assert fit_label("hidden_state", "1", 0.1).wide == sans


def test_subtrees_are_as_close_as_their_levels_admit():
    tree = ug.in_tree(NETWORKS["multi"][0], "y", 3)
    at = {disc.key: disc.at for disc in painted(draw.tree(tree)).discs}
    levels = {}
    for x, y in at.values():
        levels.setdefault(round(x, 6), []).append(y)
    gaps = {round(x, 6): np.diff(sorted(ys)) for x, ys in levels.items()}
    step = min(gap.min() for gap in gaps.values() if len(gap))
    assert step == pytest.approx(max(gaps[min(gaps)]))  # the level of the leaves has no gaps
    assert step > 2 * RADIUS
    for node in tree:
        below = [at[child][1] for child in tree.pred[node]]
        if below:
            assert at[node][1] == pytest.approx((min(below) + max(below)) / 2)


@pytest.mark.parametrize(("copies", "index"), [(12, "11"), (13, "")])
def test_copies_on_a_large_ring_have_their_index_outside_only(copies, index):
    scene = painted(draw.ring(ug.cyclic_cover(gallery.seed_network(), copies)))
    assert scene.discs[11].index == index
    assert [text.words for text in scene.texts] == [str(k) for k in range(copies)]


def test_short_names_of_a_rank_stand_in_one_line():
    ax = draw.wavefronts(ug.unroll(A.gru(1, 2, 1), 3), width="text")
    assert {"hn  r  z  xn", "rn  k  zh"} <= set(labels_in(ax))


def test_gray_cells_have_a_key():
    net = nn.Network(A.lstm(1, 2, 1), seed=0)
    run = net.forward({"x": np.ones((3, 1))})
    assert "gray: zero" in labels_in(draw.gradient_flow(run.backward({"y": np.ones((3, 1))})))
    net = nn.Network(A.seed(1, 2, 1), seed=0)
    run = net.forward({"in": np.ones((3, 1))})
    gradients = run.backward({"out": np.ones((3, 1))})
    assert "gray: zero" not in labels_in(draw.gradient_flow(gradients))


def test_gradients_of_a_network_that_does_not_fit_are_drawn_without_it():
    net = nn.Network(A.clockwork(1, 2, 1), seed=0)
    xs = {v: np.ones((8, net.size(v))) for v in net.delay_graph.vertices if v[0] == "x"}
    gradients = net.forward(xs).backward({("y", 0): np.ones((8, net.size(("y", 0))))})
    assert not painted(draw.gradient_flow(gradients, width="text")).discs
    assert painted(draw.gradient_flow(gradients, width=20)).discs


def test_in_the_plane_times_are_beside_the_outermost_vertices():
    scene = painted(draw.side_by_side(gallery.grid_2d(), (3, 3)))
    low = min(y for x, y in (disc.at for disc in scene.discs))
    times = {text.words: text.at for text in scene.texts}
    assert times["t_1 = 0"][1] > low - 1


def test_an_index_as_large_as_its_name_is_left_to_the_columns():
    G = A.clockwork(1, 2, 1)
    scene = painted(draw.unrolled(ug.unroll(G, 3), width="text"))
    assert not any(disc.index for disc in scene.discs)
    for lift, columns in ((ug.random_lift(G, 3, seed=1), 3), (ug.cyclic_cover(G, 4), 4)):
        kind = draw.projection if columns == 3 else draw.ring
        scene = painted(kind(lift, width="text"))
        assert not any(disc.index for disc in scene.discs)
        assert [str(k) for k in range(columns)] == [
            text.words for text in scene.texts if text.words in "0123"
        ]
    scene = painted(draw.unrolled(ug.unroll(NETWORKS["seed"][0], 3)))
    assert all(disc.index for disc in scene.discs)


def test_copies_of_a_long_edge_over_a_row_take_turns_at_several_heights():
    scene = painted(draw.unrolled(ug.unroll(A.dilated(1, 2, 1), 8)))
    tops = [
        round(stroke.points[:, 1].max(), 6)
        for stroke in scene.strokes
        if stroke.key[0][0] == stroke.key[1][0] == "h3"
    ]
    assert len({*tops}) == len(tops) == 4


def test_long_edges_of_delay_zero_are_straight_where_that_is_free():
    scene = painted(draw.rolled(A.lstm(1, 2, 1)))
    (way,) = (stroke.points for stroke in scene.strokes if stroke.key[:2] == ("o", "h"))
    turns = np.diff(np.diff(flattened(way), axis=0), axis=0)
    assert np.abs(turns).max() < 1e-9


def test_edges_of_a_helix_that_pass_vertices_are_apart_in_the_base():
    scene = painted(draw.helix(NETWORKS["petersen"][0], 3))
    loops = {}
    for stroke in scene.strokes:
        if stroke.key[:2] in {("a", "a"), ("b", "b")} and not stroke.arrow:
            loops.setdefault(stroke.key[0], []).append(stroke.points.mean(axis=0))
    one, other = (np.ptp(np.array(own)[:, 0]) for own in loops.values())
    assert abs(one - other) > 0.2
