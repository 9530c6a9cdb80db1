"""Pictures: geometry of the scene, what is put on paper, and that it is the same every time."""

import inspect
import io
import math
from itertools import combinations

import fixtures
import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import gallery

mpl.use("Agg")

from matplotlib import pyplot as plt

from unrollgraph.draw._helix import PITCHES, helix_of
from unrollgraph.draw._rolled import rolled_scene
from unrollgraph.draw._unrolled import unrolled_scene, window_scene
from unrollgraph.draw.layout import GAP, rows_of
from unrollgraph.draw.render import painted
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    badge_width,
    delay_colors,
    flattened,
    mixed,
    on,
    ramp,
    vertex_colors,
)
from unrollgraph.draw.style import RADIUS, Style


def to_rims(points, discs):
    """Distance of each point from the rim of each disc or pill; negative inside."""
    away = np.abs(np.asarray(points)[:, None] - np.array([disc.at for disc in discs]))
    x = np.maximum(away[..., 0] - np.array([disc.wide for disc in discs]), 0)
    return np.hypot(x, away[..., 1]) - np.array([disc.radius for disc in discs])


def hard():
    G = nx.MultiDiGraph()
    wires = [("x", "h", 0), ("h", "g", 0), ("g", "y", 0), ("x", "y", 0), ("h", "h", 1)]
    wires += [("h", "h", 2), ("g", "h", 1), ("h", "g", 1), ("g", "y", 2), ("y", "x", -1)]
    G.add_weighted_edges_from(wires, weight="delay")
    return G


def cyclic():
    """Edges of delay zero round in a circle: there is no order to stand in, but a picture."""
    return nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a")])


NETWORKS = {
    "seed": gallery.seed_network,
    "lstm": gallery.lstm,
    "bidirectional": gallery.bidirectional,
    "hard": hard,
    "retimed": fixtures.retimed_top_down,
    "narx": lambda: gallery.narx(5),
    "dilated": lambda: gallery.dilated(4),
    "ring": lambda: fixtures.ring(3, 4),
    "cyclic": cyclic,
    "alone": lambda: nx.empty_graph(2, create_using=nx.DiGraph),
}
NETWORKS["there and back"] = lambda: nx.MultiDiGraph(
    [("a", "b", {"delay": d}) for d in (1, 1, 2, -2, 0)]
    + [("b", "a", {"delay": d}) for d in (-1, -2, 2)]
    + [("a", "a", {"delay": d}) for d in (1, -1, 1, 2, -2)]
)
networks = pytest.mark.parametrize("make", NETWORKS.values(), ids=list(NETWORKS))


def scenes(G, ghosts=True):
    graph = ug.DelayGraph(G)
    return rolled_scene(graph, Style()), unrolled_scene(graph, range(4), Style(), ghosts=ghosts)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


# -- geometry ------------------------------------------------------------------------------


@networks
def test_rows_follow_what_is_computed_first_and_columns_the_time(make):
    G = make()
    graph = ug.DelayGraph(G)
    assert sorted(rows_of(graph).values()) == list(range(len(G)))
    below, above = scenes(G)
    at = {disc.key: disc.at for disc in above.discs}
    still = nx.DiGraph((e[0], e[1]) for e in G.edges if not G.edges[e].get("delay", 0))
    if nx.is_directed_acyclic_graph(still):
        assert all(at[u, 0][1] < at[v, 0][1] for u, v in still.edges)
    steps = {round(at[v, t + 1][0] - at[v, t][0], 9) for v, t in at if (v, t + 1) in at}
    assert len(steps) == 1
    assert min(steps) > 2 * RADIUS
    assert len({(v, y) for (v, _), (_, y) in at.items()}) == len(G)
    place = {disc.key: disc.at for disc in below.discs}
    assert {v: y for v, (_, y) in place.items()} == {v: at[v, 0][1] for v in G}


@networks
def test_no_two_vertices_overlap(make):
    for scene in scenes(make()):
        for one, other in combinations(scene.discs, 2):
            x, y = np.abs(np.subtract(one.at, other.at))
            assert np.hypot(max(x - one.wide - other.wide, 0), y) >= 2.5 * RADIUS


@networks
def test_every_edge_runs_from_rim_to_rim(make):
    G = make()
    below, above = scenes(G)
    assert sorted(map(str, (s.key for s in below.strokes))) == sorted(map(str, G.edges))
    for scene in (below, above):
        discs = {disc.key: disc for disc in scene.discs}
        for stroke in scene.strokes:
            for end, vertex in ((0, stroke.key[0]), (-1, stroke.key[1])):
                (distance,) = to_rims(stroke.points[[end]], [discs[vertex]])[0]
                assert abs(distance - GAP) < 1e-9


@networks
def test_every_arc_of_the_window_is_drawn_once_and_its_boundary_fades(make):
    G = make()
    U = ug.unroll(G, 4)
    above = scenes(G)[1]
    inside = [s for s in above.strokes if s.fade == (0, 0) and s.key[0][1] in U.window]
    arcs = list(U.edges(keys=True)) if U.is_multigraph() else list(U.edges)
    assert sorted(map(str, (s.key for s in inside))) == sorted(map(str, arcs))
    reach = {*range(-1, 5)}
    fading = {s.key for s in above.strokes if s.fade != (0, 0)}
    crossing = [*U.boundary_in(), *U.boundary_out()]
    assert fading == {arc for arc in crossing if {arc[0][1], arc[1][1]} <= reach}
    plain = unrolled_scene(ug.DelayGraph(G), range(4), Style(), ghosts=False)
    assert len(plain.strokes) == len(arcs)
    assert not any(disc.ghost for disc in plain.discs)


@networks
def test_no_edge_runs_through_a_vertex_that_is_none_of_its_ends(make):
    for scene in scenes(make()):
        for stroke in scene.strokes:
            others = [disc for disc in scene.discs if disc.key not in stroke.key[:2]]
            if others:
                assert to_rims(flattened(stroke.points), others).min() > 0, stroke.key


@networks
def test_no_edge_of_the_window_runs_upon_another(make):
    lines = {}
    for stroke in scenes(make(), ghosts=False)[1].strokes:
        lines.setdefault(frozenset(stroke.key[:2]), []).append(flattened(stroke.points))
    for own in lines.values():
        for one, other in combinations(own, 2):
            middle = one[len(one) // 2]
            assert np.hypot(*(other - middle).T).min() > 0.05


@networks
def test_no_badge_hides_another_or_a_vertex(make):
    must_be_clear(rolled_scene(ug.DelayGraph(make()), Style()))


@pytest.mark.parametrize("name", gallery.__all__)
def test_every_wiring_of_the_gallery_can_be_drawn_rolled(name):
    make = getattr(gallery, name)
    needed = [p for p in inspect.signature(make).parameters.values() if p.default is p.empty]
    needed = [p for p in needed if p.kind is not p.VAR_POSITIONAL]
    graph = ug.DelayGraph(make(*(3, 2)[: len(needed)]))
    scene = rolled_scene(graph, Style())
    must_be_clear(scene)
    assert len(scene.badges) == np.count_nonzero(graph.delays.any(axis=1))


def must_be_clear(scene):
    for one, other in combinations(scene.badges, 2):
        width = 0.9 * (badge_width(one.words) + badge_width(other.words)) / 2
        assert abs(one.at[0] - other.at[0]) > width or abs(one.at[1] - other.at[1]) > 0.25
    for badge in scene.badges:
        for disc in scene.discs:
            x, y = np.abs(np.subtract(badge.at, disc.at))
            half = disc.wide + RADIUS + 0.9 * badge_width(badge.words) / 2
            assert x > half or y > RADIUS + 0.1


@networks
def test_on_the_helix_a_step_in_time_is_one_turn_up(make):
    graph = ug.DelayGraph(make())
    picture = helix_of(graph, range(3), Style())
    at = {disc.key: disc.at for disc in picture.discs}
    steps = set()
    for v in graph.vertices:
        column = [at[v], *(at[v, t] for t in range(3))]
        assert np.ptp([x for x, _ in column]) < 1e-9  # the projection is vertical
        steps.add(tuple(np.diff([y for _, y in column[1:]]).round(9)))
        assert column[0][1] < column[1][1]
    (pitches,) = steps
    assert len(set(pitches)) == 1
    assert pitches[0] >= PITCHES[0]
    for one, other in combinations(picture.discs, 2):
        assert np.hypot(*np.subtract(one.at, other.at)) > 2.1 * RADIUS
    fibres = [x for x, *_ in picture.fibres]
    assert all(abs(a - b) > 0.05 for a, b in combinations(fibres, 2))


@networks
def test_the_helix_shows_every_arc_of_the_window_and_those_that_leave_it(make):
    G = make()
    U = ug.unroll(G, 3)
    picture = helix_of(ug.DelayGraph(G), range(3), Style())
    below = list(map(str, G.edges))
    arcs = list(U.edges(keys=True)) if U.is_multigraph() else list(U.edges)
    inside = [s for s in picture.strands if s.fade == (0, 0)]
    assert sorted(str(s.key) for s in inside) == sorted([*below, *map(str, arcs)])
    fading = {s.key for s in picture.strands if s.fade != (0, 0)}
    crossing = [*U.boundary_in(), *U.boundary_out()]
    assert fading == {arc for arc in crossing if {arc[0][1], arc[1][1]} <= {-1, 0, 1, 2, 3}}
    discs = {disc.key: disc for disc in picture.discs}
    for strand in picture.strands:
        assert len(strand.points) == len(strand.depth) >= 2
        for end, vertex in ((0, strand.key[0]), (-1, strand.key[1])):
            gap = np.hypot(*(strand.points[end] - discs[vertex].at)) - discs[vertex].radius
            assert 0 <= gap < 0.6


@pytest.mark.parametrize("name", ["seed", "retimed", "narx"])
def test_on_the_helix_no_edge_is_hidden_by_a_vertex(name):
    picture = helix_of(ug.DelayGraph(NETWORKS[name]()), range(3), Style())
    shown = [disc for disc in picture.discs if not disc.ghost]
    for strand in picture.strands:
        for disc in shown:
            if disc.key not in strand.key[:2]:
                assert np.hypot(*(strand.points - disc.at).T).min() > 0.9 * RADIUS


def test_a_walk_closed_below_is_open_above_on_the_helix():
    """Along the strands, end to end, once round the cycle of the seed network."""
    picture = helix_of(ug.DelayGraph(gallery.seed_network()), range(2), Style())
    at = {disc.key: disc.at for disc in picture.discs}
    keys = {strand.key for strand in picture.strands}
    lift = [(("A", 0), ("B", 0)), (("B", 0), ("C", 0)), (("C", 0), ("A", 1))]
    assert set(lift) <= keys
    heights = [at[a][1] - at[a[0]][1] for a, _ in lift] + [at["A", 1][1] - at["A"][1]]
    assert heights == sorted(heights)
    assert heights[-1] - heights[0] == pytest.approx(at["A", 1][1] - at["A", 0][1])
    ax = ug.draw.helix(gallery.seed_network(), 2)
    assert len([text for text in ax.texts if text.get_text()]) == 5 + 2 * 10


# -- colors -------------------------------------------------------------------------------


def test_a_fibre_has_one_color_and_vertices_next_to_each_other_differ():
    above = scenes(gallery.lstm(), ghosts=False)[1]
    colors = {}
    for disc in above.discs:
        colors.setdefault(disc.key[0], set()).add(disc.fill)
    assert all(len(own) == 1 for own in colors.values())
    assert len({own.pop() for own in colors.values()}) == len(colors)
    given = vertex_colors(["a", "b"], {"a": "#ff0000"})
    assert given["a"] == (1, 0, 0)
    assert len(set(vertex_colors(range(35), None).values())) == 35


def test_labels_read_on_every_color():
    def luminance(color):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for color in vertex_colors(range(21), None).values():
        light, dark = sorted((luminance(color), luminance(on(color))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert on(PAPER) == (0, 0, 0)
    assert on(INK) == PAPER
    assert mixed(INK, PAPER, 1) == pytest.approx(PAPER)


# -- on paper ------------------------------------------------------------------------------


@networks
def test_labels_stay_inside_their_vertices(make):
    ax = ug.draw.unrolled(ug.unroll(make(), 12))
    renderer = ax.figure.canvas.get_renderer()
    discs, unit = painted(ax).discs, ax.transData.transform([(1, 0)])[0, 0]
    unit -= ax.transData.transform([(0, 0)])[0, 0]
    inside = 0
    for text in ax.texts:
        corners = ax.transData.inverted().transform(text.get_window_extent(renderer).corners())
        away = to_rims([corners.mean(axis=0)], discs)[0]
        if away.min() < 0:
            # boxes have corners that letters have not
            assert to_rims(corners, [discs[away.argmin()]]).max() <= 0.16 * RADIUS
            inside += 1
    assert inside >= len(discs)


def test_names_that_mean_something_to_mathematics_are_written_as_they_are():
    G = nx.DiGraph([("a_b", "$x$"), ("$x$", "c\\d"), ("c\\d", "{e}^2")])
    G.add_edge("{e}^2", "a_b", delay=1)
    ax = ug.draw.side_by_side(G, range(-2, 1))
    ax.figure.canvas.draw()
    ax = ug.draw.rolled(G, labels={"a_b": "first"}, palette=["#123456", "#fedcba"])
    assert any("first" in text.get_text() for text in ax.texts)


def test_artists_are_few_and_their_contents_counted():
    U = ug.unroll(gallery.seed_network(), 4)
    ax = ug.draw.unrolled(U)
    bands, lines, heads, discs = ax.collections
    assert len(bands.get_paths()) == 5
    assert len(lines.get_paths()) == len(heads.get_paths()) == U.number_of_edges()
    assert len(discs.get_offsets()) == len(U)
    assert len(ax.texts) == 2 * len(U) + 4
    assert not ax.patches


def test_many_edges_are_drawn_without_labels():
    ax = ug.draw.unrolled(ug.unroll(gallery.seed_network(), 61), width=80)
    assert len(ax.collections[-1].get_offsets()) == 305
    assert not ax.texts


def test_axes_given_are_used_and_nothing_else_is_touched():
    before = dict(mpl.rcParams)
    figure, (left, right) = plt.subplots(1, 2)
    G = gallery.seed_network()
    assert ug.draw.rolled(G, ax=left) is left
    assert ug.draw.unrolled(ug.unroll(G, 3), ax=right, ghosts=True) is right
    assert dict(mpl.rcParams) == before
    assert len(plt.get_fignums()) == 1
    assert figure.axes == [left, right]


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_the_same_picture_has_the_same_bytes(suffix):
    def drawn():
        ax = ug.draw.side_by_side(gallery.lstm(), 3)
        file = io.BytesIO()
        stamp = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[suffix]
        with mpl.rc_context({"svg.hashsalt": "unrollgraph"}):
            ax.figure.savefig(file, format=suffix, metadata=stamp)
        return file.getvalue()

    assert drawn() == drawn()


EMPTY = nx.DiGraph()


@pytest.mark.parametrize(
    "draw",
    [
        ug.draw.rolled,
        lambda G: ug.draw.side_by_side(G, 3),
        lambda G: ug.draw.helix(G, 3),
        lambda G: ug.draw.animate_unrolling(G, 3),
        lambda G: ug.draw.unrolled(ug.unroll(G, 3)),
        lambda G: ug.draw.wavefronts(ug.unroll(G, 3)),
        lambda G: ug.draw.projection(ug.cyclic_cover(G, 3)),
        lambda G: ug.draw.ring(ug.cyclic_cover(G, 3)),
        lambda G: ug.draw.decorated(ug.cyclic_cover(G, 3)),
    ],
)
def test_a_graph_without_vertices_has_no_picture(draw):
    with pytest.raises(ValueError, match="the graph has no vertices, so there is nothing to draw"):
        draw(EMPTY)


@pytest.mark.parametrize(
    ("palette", "error", "message"),
    [
        ("red", TypeError, "invalid palette='red': must be a list of colors, such as"),
        (3, TypeError, "invalid palette=3: must be a list of colors"),
        ([], ValueError, "palette is empty; give at least one color"),
        (["red", "nope"], ValueError, "invalid color 'nope' in palette: give a name"),
        ({"A": 5}, ValueError, "invalid color 5 in palette"),
    ],
)
def test_what_is_no_palette_is_refused(palette, error, message):
    with pytest.raises(error, match=message):
        ug.draw.rolled(gallery.seed_network(), palette=palette)


@pytest.mark.parametrize(
    ("palette", "error", "message"),
    [
        ("red", ValueError, "invalid palette='red': not a colormap of matplotlib"),
        ({"A": "red"}, TypeError, "must be the name of a colormap or a list of colors"),
        ([1], ValueError, "invalid color 1 in palette"),
    ],
)
def test_what_is_no_colormap_is_refused(palette, error, message):
    with pytest.raises(error, match=message):
        ug.draw.wavefronts(ug.unroll(gallery.seed_network(), 2), palette=palette)


def test_one_color_is_a_palette_and_arrays_of_colors_are():
    assert [*vertex_colors("abc", np.eye(3)).values()] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert set(ramp([0.0, 0.5, 1.0], ["red"])) == {(1.0, 0.0, 0.0)}


def test_delays_have_colors_of_their_own():
    assert len(set(delay_colors(range(13)).values())) == 13


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (["a"], TypeError, "must be a mapping from vertices to strings, not a list; write"),
        ({"A": 3}, TypeError, "invalid label 3 for 'A': labels must be strings; write '3'"),
        ({"A": "x\ny"}, ValueError, r"invalid label 'x\\ny' for 'A': labels must be one line"),
        (
            {"A": r"$\nonsense$"},
            ValueError,
            r"'\$\\\\nonsense\$' for 'A': matplotlib cannot set this formula .*; correct it",
        ),
    ],
)
def test_labels_that_are_none_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        ug.draw.rolled(gallery.seed_network(), labels=labels)


def pixels(ax, inches, dpi):
    figure = ax.figure
    figure.set_size_inches(inches)
    figure.set_dpi(dpi)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba(), dtype=float)


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: ug.draw.side_by_side(
            gallery.seed_network(), 4, ax=ax, walk=[("A", "B")], labels={"A": r"$\alpha_1$"}
        ),
        lambda ax: ug.draw.helix(gallery.seed_network(), 3, ax=ax),
        lambda ax: ug.draw.unrolled(ug.unroll(gallery.lstm(), 3), ax=ax),
    ],
    ids=["side_by_side", "helix", "unrolled"],
)
def test_a_smaller_picture_is_the_same_picture(draw):
    shapes = []
    for inches in ((8, 4), (4, 2)):
        ax = plt.figure().add_subplot()  # of another size, when it is drawn on
        shapes.append(pixels(draw(ax), inches, 800 / inches[0]))
        plt.close("all")
    whole, half = shapes
    assert whole.shape == half.shape == (400, 800, 4)
    assert whole.min() < 100
    assert np.abs(whole - half).mean() < 0.5


def test_letters_and_lines_are_as_large_as_their_axes_say():
    for inches, share in ((8, 1.0), (4, 0.5)):
        ax = ug.draw.rolled(gallery.seed_network())
        wide, high = ax.figure.get_size_inches()
        ax.figure.set_size_inches(wide * inches / 8, high * inches / 8)
        ax.figure.canvas.draw()
        (badge,) = (text for text in ax.texts if text.get_bbox_patch())
        (label,) = (text for text in ax.texts if text.get_text() == "A")
        assert badge.get_fontsize() == pytest.approx(0.26 * 0.62 * 72 * share)
        assert ax.collections[-1].get_linewidth() == pytest.approx([1.4 * share] * 5)
        assert label.get_fontsize() == pytest.approx(0.3 * 0.62 * 72 * share)  # 0.62 inches a row


def test_a_label_between_dollars_is_a_formula_and_a_name_is_not():
    formula = ug.draw.rolled(gallery.seed_network(), labels={"A": r"$h^{(1)}$"})
    name = ug.draw.rolled(nx.DiGraph([("$h$", "b")]))
    assert r"$h^{(1)}$" in [text.get_text() for text in formula.texts]
    assert r"\$h\$" in [text.get_text() for text in name.texts]
    price = ug.draw.rolled(gallery.seed_network(), labels={"A": "in US$", "B": "$$", "C": "$1"})
    assert {r"US\$", r"\$\$", r"\$1"} <= {text.get_text() for text in price.texts}
    copy = ug.draw.decorated(ug.unroll(gallery.seed_network(), 2), labels={"A": "$h$"})
    assert copy.nodes["A", 1]["label"] == "$h$ 1"
    assert r"{$h^{(1)}$}" in ug.draw.to_tikz(formula)
    assert r"\textbf{\$h\$}" in ug.draw.to_tikz(name)
    with pytest.raises(
        ValueError, match=r"label '\$x\$' for 'A': the explorer cannot set formulas; write it"
    ):
        ug.explorer.explore(gallery.seed_network(), labels={"A": "$x$"})


def test_blank_names_and_labels_can_be_drawn():
    ug.draw.rolled(nx.DiGraph([(" ", "b")]), labels={"b": "  "})


def parallel():
    G = nx.MultiDiGraph()
    wires = [("a", "b", 0), ("a", "b", 0), ("b", "c", 0), ("c", "a", 1), ("c", "a", 1)]
    wires += [("b", "b", 1), ("b", "b", 1), ("c", "c", 0), ("in", "a", 0), ("in", "a", 0)]
    for u, v, delay in wires:
        G.add_edge(u, v, delay=delay)
    return G


def test_on_the_helix_parallel_edges_part_and_loops_within_a_step_are_seen():
    picture = helix_of(ug.DelayGraph(parallel()), range(3), Style())
    alike = {}
    for strand in picture.strands:
        assert np.ptp(strand.points, axis=0).max() > 0.4
        alike.setdefault(tuple(map(str, strand.key[:2])), []).append(strand.points)
    for lines in alike.values():
        for one, other in combinations(lines, 2):
            k = np.abs(one - one.mean(axis=0)).sum(axis=1).argmax()
            far = [np.hypot(*(points - other).T).min() for points in (one[k], one[len(one) // 2])]
            assert max(far) > 0.05


def test_on_the_helix_long_delays_take_no_time_and_many_vertices_have_room():
    far = nx.DiGraph([("a", "b", {"delay": 10**9}), ("b", "a", {"delay": 1})])
    picture = helix_of(ug.DelayGraph(far), range(3), Style())
    assert max(len(strand.points) for strand in picture.strands) < 400
    fed = nx.DiGraph([(f"i{k}", "h") for k in range(14)])
    fed.add_edge("h", "h", delay=1)
    picture = helix_of(ug.DelayGraph(fed), range(1), Style())
    places = [disc.at for disc in picture.discs]
    assert min(math.dist(a, b) for a, b in combinations(places, 2)) > 2 * RADIUS


@pytest.mark.parametrize("delay", [0, (0, 0), 1])
def test_many_edges_between_two_copies_part(delay):
    """Loops of one vertex in each other, and arcs beside arcs beyond what bows were made for."""
    G = nx.MultiDiGraph()
    for _ in range(8):
        G.add_edge("a", "a" if delay != 1 else "b", delay=delay)
    for _ in range(22):
        G.add_edge("a", "b", delay=1 if delay == 1 else delay)
    U = ug.unroll(G, (1, 1) if isinstance(delay, tuple) else 2)
    scene = window_scene(U, Style(), ghosts=False)
    middles = [flattened(stroke.points)[16] for stroke in scene.strokes]
    assert len(middles) == U.number_of_edges()
    assert min(math.dist(a, b) for a, b in combinations(middles, 2)) > 0.04


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="must be matplotlib axes, not a Figure; pass one of"):
        ug.draw.rolled(gallery.seed_network(), ax=plt.figure())
    G = gallery.seed_network()
    with pytest.raises(TypeError, match="a window of a delay cover, not a DiGraph; make one"):
        ug.draw.unrolled(G)
    with pytest.raises(TypeError, match="a window of a delay cover, not a DiLift"):
        ug.draw.unrolled(ug.cyclic_cover(G, 3))
    with pytest.raises(ValueError, match=r"times in Z.3 in this picture; .* in Z or Z\^2$"):
        ug.draw.unrolled(ug.unroll(gallery.diamond(), (2, 2, 2)))
    with pytest.raises(ValueError, match="cannot draw 4999 edges: .* 2000; .* max_edges"):
        ug.draw.unrolled(ug.unroll(G, 1000))
    with pytest.raises(ValueError, match="times in Z.2 in this picture; .* delays in Z$"):
        ug.draw.helix(gallery.grid_2d(), (2, 2))
    with pytest.raises(ug.errors.WindowError):
        ug.draw.side_by_side(G, range(0))
