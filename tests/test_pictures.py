"""Pictures of any lift: geometry, colors, walks lit up, and what is refused."""

import math
from itertools import combinations

import fixtures
import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import gallery, nn

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.patches import ConnectionStyle

from unrollgraph.draw._helix import helix_of
from unrollgraph.draw._plane import plane_scene
from unrollgraph.draw._projection import projection_scene
from unrollgraph.draw._ring import ring_scene
from unrollgraph.draw._tree import tree_scene
from unrollgraph.draw.layout import GAP, Spot, passing, ports, rows_of, smooth, trimmed
from unrollgraph.draw.output import lift_scene
from unrollgraph.draw.render import painted
from unrollgraph.draw.scene import (
    INK,
    MARKER,
    QUIET,
    Scene,
    Text,
    delay_colors,
    flattened,
    ramp,
    shifted,
    text_width,
    vertex_colors,
)
from unrollgraph.draw.style import RADIUS, Style, plain


def planar():
    """Delays in Z^2 of all kinds: loops, parallel edges, far ones, backward ones."""
    G = nx.MultiDiGraph()
    wires = [("a", "b", (0, 0)), ("b", "c", (0, 0)), ("a", "c", (0, 0)), ("c", "a", (1, 0))]
    wires += [("b", "b", (0, 1)), ("c", "b", (1, 1)), ("a", "a", (2, 0)), ("b", "b", (0, 0))]
    wires += [("b", "a", (-1, 1)), ("b", "a", (-1, 1))]
    for u, v, delay in wires:
        G.add_edge(u, v, delay=delay)
    return G


def twisted():
    """Two parallel edges, and permutations of three sheets."""
    G = nx.MultiDiGraph()
    G.add_edge("u", "v", voltage=(1, 2, 0))
    G.add_edge("u", "v", voltage=(0, 1, 2))
    G.add_edge("v", "u", voltage=(1, 0, 2))
    G.add_edge("u", "u", voltage=(2, 1, 0))
    return G


SEED = gallery.seed_network()
RINGS = {
    "petersen": ug.cyclic_cover(gallery.dumbbell(2), 5),
    "seed": ug.cyclic_cover(SEED, 6),
    "two": ug.cyclic_cover(gallery.narx(3), 2),
    "one": ug.cyclic_cover(gallery.narx(2), 1),
    "back": ug.cyclic_cover(gallery.bidirectional(), 5),
    "twisted": ug.permutation_lift(twisted()),
    "lstm": ug.cyclic_cover(gallery.lstm(), 4),
}
TREES = {
    "bouquet": ug.universal_cover(gallery.bouquet(1, 1), "a", 3),
    "seed": ug.universal_cover(SEED, "A", 4),
    "line": ug.universal_cover(gallery.bouquet(1), "a", 4),
    "out": ug.out_tree(gallery.bidirectional(), "x", 4),
    "in": ug.in_tree(ug.unroll(gallery.elman(), 4), ("y", 3)),
    "lstm": ug.in_tree(gallery.lstm(), "h", 4),
    "root": ug.universal_cover(SEED, "B", 0),
}
PLANES = {
    "grid": gallery.grid_2d(),
    "planar": planar(),
    "opposed": gallery.opposed_pair(),
    "bouquet": gallery.bouquet((1, 0), (0, 1), (1, -1), (2, 1)),
}


def plane(G, ghosts):
    return plane_scene(ug.DelayGraph(G), (range(-1, 3), range(3)), Style(), ghosts=ghosts)


SCENES = {
    **{f"ring {name}": (ring_scene(L, Style()), L) for name, L in RINGS.items()},
    **{f"tree {name}": (tree_scene(L, Style()), L) for name, L in TREES.items()},
    **{
        f"plane {name}": (plane(G, False), ug.unroll(G, (range(-1, 3), range(3))))
        for name, G in PLANES.items()
    },
}
scenes = pytest.mark.parametrize(("scene", "lift"), SCENES.values(), ids=list(SCENES))


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def arcs(lift):
    return list(lift.edges(keys=True)) if lift.is_multigraph() else list(lift.edges)


# -- geometry ------------------------------------------------------------------------------


@scenes
def test_no_two_vertices_of_a_lift_overlap(scene, lift):
    assert [disc.key for disc in scene.discs if disc.key not in lift] == []
    assert len({disc.key for disc in scene.discs}) == len(lift)
    for one, other in combinations(scene.discs, 2):
        assert math.dist(one.at, other.at) > 2.2 * RADIUS


@scenes
def test_every_arc_is_drawn_once_from_rim_to_rim(scene, lift):
    inside = [stroke for stroke in scene.strokes if stroke.fade == (0, 0)]
    assert sorted(str(s.key) for s in inside) == sorted(map(str, arcs(lift)))
    discs = {disc.key: disc for disc in scene.discs}
    for stroke in scene.strokes:
        for end, node in ((0, stroke.key[0]), (-1, stroke.key[1])):
            if node in discs:
                x, y = np.abs(stroke.points[end] - discs[node].at)
                gap = math.hypot(max(x - discs[node].wide, 0), y) - RADIUS
                assert gap == pytest.approx(GAP)


@scenes
def test_no_arc_runs_through_a_vertex_or_upon_another(scene, lift):
    assert len(lift) == len(scene.discs)
    middles = {disc.key: np.array(disc.at) for disc in scene.discs}
    lines = {}
    for stroke in scene.strokes:
        line = flattened(stroke.points)
        for key, middle in middles.items():
            if key not in stroke.key[:2]:
                assert np.hypot(*(line - middle).T).min() > RADIUS, stroke.key
        lines.setdefault(frozenset(stroke.key[:2]), []).append(line[len(line) // 2])
    for middle in lines.values():
        for one, other in combinations(middle, 2):
            assert math.dist(one, other) > 0.08


@scenes
def test_a_fibre_has_one_color_and_an_arc_that_of_its_delay(scene, lift):
    colors = {}
    for disc in scene.discs:
        below = lift.project(disc.key)
        below = below[0] if isinstance(lift.base, ug.Lift) else below
        colors.setdefault(below, set()).add(disc.fill)
    assert all(len(own) == 1 for own in colors.values())
    assert len({own.pop() for own in colors.values()}) == len(colors)
    graph = getattr(lift, "delay_graph", None) or ug.DelayGraph(lift.base)
    tint = delay_colors(graph.times)
    for stroke in scene.strokes:
        if stroke.key[0] in lift and stroke.key[1] in lift:
            edge = lift.projection.edge(stroke.key)
            assert stroke.color == tint[graph.times[graph.edge_number[edge]]]


@pytest.mark.parametrize("name", ["petersen", "seed", "back"])
def test_turning_the_ring_by_a_spoke_is_a_deck_transformation(name):
    lift = RINGS[name]
    n = len(lift.fibre(next(iter(lift.base))))
    scene = ring_scene(lift, Style(pills=False))
    at = {disc.key: np.array(disc.at) for disc in scene.discs}
    angle = -2 * math.pi / n
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    for (v, t), place in at.items():
        assert place @ turn == pytest.approx(at[v, (t + 1) % n])
    lines = {stroke.key: flattened(stroke.points) for stroke in scene.strokes}
    for (a, b, *key), line in lines.items():
        moved = ((a[0], (a[1] + 1) % n), (b[0], (b[1] + 1) % n), *key)
        assert np.abs(line @ turn - lines[moved]).max() < 1e-6


def test_petersens_graph_is_drawn_as_everybody_draws_it():
    scene = ring_scene(RINGS["petersen"], Style())
    at = {disc.key: math.hypot(*disc.at) for disc in scene.discs}
    assert max(at["b", t] for t in range(5)) < min(at["a", t] for t in range(5))
    for stroke in scene.strokes:  # all fifteen are straight
        line = flattened(stroke.points)
        along = (line[-1] - line[0]) / math.dist(line[-1], line[0])
        away = (line - line[0]) @ np.array([-along[1], along[0]])
        assert np.abs(away).max() < 1e-9


@pytest.mark.parametrize("name", list(TREES))
def test_a_tree_goes_on_where_its_boundary_is(name):
    lift = TREES[name]
    scene = SCENES[f"tree {name}"][0]
    fading = [stroke.key for stroke in scene.strokes if stroke.fade != (0, 0)]
    boundary = [*lift.boundary_in(), *lift.boundary_out()]
    assert sorted(map(str, fading)) == sorted(map(str, boundary))
    at = {disc.key: disc.at for disc in scene.discs}
    root = next(iter(lift))
    for a, b in lift.edges():  # whoever is farther from the root below is so on paper
        near, far = sorted((a, b), key=lambda node: len(node[1]))
        assert math.dist(at[near], at[root]) < math.dist(at[far], at[root])


@pytest.mark.parametrize("G", PLANES.values(), ids=list(PLANES))
def test_in_the_plane_time_is_a_translation(G):
    scene = plane(G, ghosts=True)
    at = {disc.key: np.array(disc.at) for disc in scene.discs}
    first, second = [], []
    for (v, (s, t)), place in at.items():
        if (v, (s + 1, t)) in at:
            first.append(at[v, (s + 1, t)] - place)
        if (v, (s, t + 1)) in at:
            second.append(at[v, (s, t + 1)] - place)
    assert np.ptp(first, axis=0) == pytest.approx([0, 0])
    assert first[0][1] == pytest.approx(0) == second[0][0]
    assert first[0][0] == pytest.approx(second[0][1])
    shapes = {}
    for stroke in scene.strokes:
        (u, s), (v, t) = stroke.key[:2]
        edge = (u, v, *stroke.key[2:], t[0] - s[0], t[1] - s[1])
        shapes.setdefault(edge, []).append(stroke.points - at[u, s])
    assert all(np.ptp(points, axis=0).max() < 1e-9 for points in shapes.values())
    ghosts = {disc.key for disc in scene.discs if disc.ghost}
    met = {end for stroke in scene.strokes for end in stroke.key[:2]}
    assert ghosts <= met


@pytest.mark.parametrize(
    "lift",
    [
        ug.random_lift(SEED, 4, seed=1),
        ug.permutation_lift(twisted()),
        RINGS["petersen"],
        ug.universal_cover(SEED, "A", 3),
        ug.unroll(gallery.narx(3), 5),
        ug.unroll(gallery.grid_2d(), (2, 2)),
    ],
    ids=["random", "twisted", "petersen", "tree", "window", "plane"],
)
def test_every_copy_stands_in_the_row_of_what_it_lies_over(lift):
    scene = projection_scene(lift, Style())
    at = {disc.key: disc.at for disc in scene.discs}
    assert set(at) == {*lift, *lift.base}
    for node in lift:
        assert at[node][1] == pytest.approx(at[lift.project(node)][1])
        assert at[node][0] > at[lift.project(node)][0] + 1
    for one, other in combinations(scene.discs, 2):
        assert math.dist(one.at, other.at) > 2.2 * RADIUS
    drawn = [str(s.key) for s in scene.strokes if s.key != "projection"]
    below = [tuple(edge) for edge in arcs(lift.base)]
    assert sorted(drawn) == sorted([*map(str, below), *map(str, arcs(lift))])


def test_arcs_along_a_row_run_above_it_forward_and_below_it_backward():
    scene = projection_scene(RINGS["petersen"], Style())
    at = {disc.key: disc.at for disc in scene.discs}
    heights = {
        stroke.key: flattened(stroke.points)[16, 1] - at[stroke.key[0]][1]
        for stroke in scene.strokes
        if stroke.key[0] in at and stroke.key[0][0] == stroke.key[1][0] and len(stroke.key[0]) == 2
    }
    assert len(heights) == 10
    for (a, b), height in heights.items():
        assert (height > RADIUS) == (b[1] > a[1])
        assert (height < -RADIUS) == (b[1] < a[1])


@pytest.mark.parametrize("name", ["grid", "opposed"])
def test_in_the_plane_vertices_stand_so_that_edges_are_straight(name):
    for stroke in SCENES[f"plane {name}"][0].strokes:
        line = flattened(stroke.points)
        assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(
            math.dist(line[0], line[-1])
        )


def test_permutations_are_written_on_the_edges_below():
    scene = projection_scene(ug.permutation_lift(twisted()), Style())
    assert sorted(badge.words for badge in scene.badges) == ["(0 1 2)", "(0 1)", "(0 2)"]


def test_any_map_between_graphs_has_a_picture():
    p = ug.minimal_base(nx.cycle_graph(6, create_using=nx.DiGraph))
    scene = projection_scene(p, Style())
    assert len(scene.discs) == 7
    onto = ug.minimal_base(ug.cyclic_cover(SEED, 3))  # a lift, mapped to another base than its own
    assert {disc.key for disc in projection_scene(onto, Style()).discs} >= set(onto.base)
    pairs = nx.DiGraph([(("u", 0), ("v", 0)), (("u", 1), ("v", 0))])
    pairs.add_node(("v", 1))
    below = {node: node[0] for node in pairs}
    folded = projection_scene(ug.GraphMap(pairs, nx.DiGraph([("u", "v")]), below), Style())
    assert not folded.badges  # no covering, so no permutation
    broken = ug.GraphMap(nx.DiGraph([(0, 1)]), nx.DiGraph([("a", "b")]), {0: "b", 1: "a"})
    assert INK in {stroke.color for stroke in projection_scene(broken, Style()).strokes}
    ug.draw.projection(p)


# -- routes --------------------------------------------------------------------------------

points = st.tuples(st.floats(-4, 4), st.floats(-4, 4))


@given(st.lists(points, max_size=4))
def test_a_route_passes_by_what_stands_in_its_way(obstacles):
    ends = (Spot(0.0, 0.0), Spot(5.0, 0.0))
    others = [p for p in obstacles if all(math.dist(p, end[:2]) > 1.2 for end in ends)]
    route, bow = passing(*ends, np.array([(*p, 0.0) for p in others]).reshape(-1, 3))
    line = flattened(route)
    assert all(np.hypot(*(line - p).T).min() > RADIUS for p in others)
    straight = [p for p in others if 0 <= p[0] <= 5 and abs(p[1]) < RADIUS]
    assert (bow != 0) >= bool(straight)


def test_parallel_routes_part():
    nobody = np.zeros((0, 3))
    taken = []
    for _ in range(4):
        taken.append(passing(Spot(0, 0), Spot(3, 1), nobody, taken)[1])
    assert taken[0] == 0
    assert all(abs(a - b) > 0.25 for a, b in combinations(taken, 2))


def test_trimming_and_smoothing():
    line = np.column_stack([np.linspace(0, 4, 60), np.zeros(60)])
    short = trimmed(line, (Spot(0.0, 0.0), Spot(4.0, 0.0, 0.1)))
    assert short[[0, -1], 0] == pytest.approx([RADIUS + GAP, 3.9 - RADIUS - GAP])
    curve = np.column_stack([np.cos(np.linspace(0, 3, 12)), np.sin(np.linspace(0, 3, 12))])
    assert np.hypot(*flattened(smooth(curve)).T) == pytest.approx(1, abs=0.01)


def test_ports_are_in_the_order_in_which_edges_turn_away():
    """From one vertex two go up and two down; the nearer is further out, a loop between."""
    spans = [(1.0, 2.0), (1.0, 3.0), (1.0, 1.0), (1.0, 0.0), (1.0, -1.0)]
    leave = [turns[0] for turns in ports(spans, [0, 1, 0, 0, 1])]
    assert leave[0] > leave[1] > leave[2] > leave[4] > leave[3]
    assert ports([(3.0, 1.0)], [0]) == [(0.0, 0.0)]
    (leave, enter), (outer_leave, outer_enter) = ports([(0.0, 0.0)] * 2, [0, 1])
    assert outer_leave > leave > enter > outer_enter  # loops lie in each other


# -- wavefronts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "U",
    [ug.unroll(gallery.grid_2d(), (4, 3)), ug.unroll(gallery.stacked(3), 5)],
    ids=["plane", "line"],
)
def test_fronts_are_the_topological_generations(U):
    scene = painted(ug.draw.wavefronts(U))
    generation = {v: k for k, front in enumerate(nx.topological_generations(U)) for v in front}
    assert {disc.key: disc.label for disc in scene.discs} == {
        v: str(k) for v, k in generation.items()
    }
    fill = {}
    for disc in scene.discs:
        fill.setdefault(disc.label, set()).add(disc.fill)
    assert all(len(own) == 1 for own in fill.values())
    assert len({own.pop() for own in fill.values()}) == len(fill)


def test_what_has_no_fronts_is_refused():
    with pytest.raises(ug.errors.LiftError, match=r"no wavefronts.*cycle over a -> b -> a; change"):
        ug.draw.wavefronts(ug.unroll(nx.DiGraph([("a", "b"), ("b", "a")]), 2))
    ax = ug.draw.wavefronts(ug.unroll(SEED, 2), labels={"A": "a"}, palette=["#000000", "#ffffff"])
    scene = painted(ax)
    assert [disc.label for disc in scene.discs if disc.key[0] == "A"] == ["1", "4"]
    assert "a" in [text.words for text in scene.texts]
    assert scene.discs[0].fill == (0, 0, 0)


# -- gradients -------------------------------------------------------------------------------


def gradients(steps, last_only=True):
    net = nn.Network(nn.architectures.elman(inputs=1, hidden=4, outputs=1), seed=3)
    run = net.forward({"x": np.random.default_rng(0).normal(size=(steps, 1))})
    given = np.zeros((steps, 1)) if last_only else np.ones((steps, 1))
    given[-1] = 1
    return run.backward({"y": given})


@pytest.mark.parametrize("steps", [1, 6, 40])
def test_cells_are_as_bright_as_gradients_are_large(steps):
    found = gradients(steps)
    scene = painted(ug.draw.gradient_flow(found, palette=["#000000", "#ffffff"]))
    for name in ("h.weight", "h.bias", "y.weight"):
        cells = [shape for shape in scene.shapes if shape.key[0] == name]
        assert len(cells) == steps
        sizes = np.linalg.norm(found.copies(name).reshape(steps, -1), axis=1)
        bright = [cell.fill[0] for cell, size in zip(cells, sizes, strict=True) if size]
        order = np.argsort(sizes[sizes > 0], kind="stable")
        assert np.all(np.diff(np.array(bright)[order]) >= 0)
        silent = [c.fill for c, size in zip(cells, sizes, strict=True) if not size]
        assert all(max(fill) < 1 and fill[0] != fill[2] for fill in silent)
    if steps == 6:  # the network stands above, its columns over those of the strip
        centers = {round(float(shape.points[:, 0].mean()), 6) for shape in cells}
        assert {round(disc.at[0], 6) for disc in scene.discs} == centers
    if steps == 40:
        assert not scene.discs


def test_scales_can_be_shared_and_wrong_ones_are_refused():
    scene = painted(ug.draw.gradient_flow(gradients(5), limits=(1e-3, 1e3)))
    powers = [text.words for text in scene.texts if text.words.startswith("10^")]
    assert powers == [f"10^{{{k}}}" for k in range(-3, 4)]
    for limits in ((1, 1), (0, 1), (2, 1), (1, math.inf)):
        with pytest.raises(ValueError, match="must be 0 < least < largest"):
            ug.draw.gradient_flow(gradients(3), limits=limits)
    with pytest.raises(TypeError, match="as run.backward returns it, not an int"):
        ug.draw.gradient_flow(3)


def test_gradients_over_another_graph_are_a_strip_of_their_copies():
    net = nn.Network(nn.architectures.elman(inputs=1, hidden=3, outputs=1), seed=0)
    lift = ug.unroll(net, 3)
    run = net.forward({"x": np.ones((3, 1))}, over=lift.projection)
    found = run.backward({"y": np.ones((3, 1))})
    assert found.steps is None
    assert not painted(ug.draw.gradient_flow(found)).discs


def test_what_is_no_number_is_black():
    net = nn.Network(nn.architectures.elman(inputs=1, hidden=3, outputs=1), seed=0)
    given = np.ones((6, 1))
    given[3] = math.nan
    with np.errstate(invalid="ignore"):
        found = net.forward({"x": np.ones((6, 1))}).backward({"y": given})
        scene = painted(ug.draw.gradient_flow(found))
    sizes = np.linalg.norm(found.copies("h.weight").reshape(6, -1), axis=1)
    cells = [shape.fill for shape in scene.shapes if shape.key[0] == "h.weight"]
    assert [fill == INK for fill in cells] == np.isnan(sizes).tolist() == [True] * 4 + [False] * 2
    assert "black: infinite or NaN" in [text.words for text in scene.texts]


def test_a_scale_between_powers_of_ten_has_its_ends():
    scene = painted(ug.draw.gradient_flow(gradients(5), limits=(2e-3, 5e-3)))
    words = [text.words for text in scene.texts]
    assert [w for w in words if "cdot" in w] == [r"2 \cdot 10^{-3}", r"5 \cdot 10^{-3}"]


def test_nothing_flows_where_nothing_is_given():
    net = nn.Network(nn.architectures.elman(inputs=1, hidden=3, outputs=1), seed=0)
    found = net.forward({"x": np.ones((3, 1))}).backward({"y": np.zeros((3, 1))})
    scene = painted(ug.draw.gradient_flow(found))
    assert len({shape.fill for shape in scene.shapes if shape.key != "scale"}) == 1


# -- walks -----------------------------------------------------------------------------------

CYCLE = [("A", "B"), ("B", "C"), ("C", "A")]


def lit_keys(ax):
    return {stroke.key for stroke in painted(ax).strokes if stroke.halo == MARKER}


def test_a_walk_is_lit_below_and_its_lift_above():
    lift = ug.lift_walk(ug.DelayCover(SEED), CYCLE * 2, ("A", 0))
    assert lit_keys(ug.draw.side_by_side(SEED, 4, walk=CYCLE * 2)) == {*CYCLE, *lift}
    assert lit_keys(ug.draw.rolled(SEED, walk=CYCLE)) == {*CYCLE}
    U = ug.unroll(SEED, 4)
    assert lit_keys(ug.draw.unrolled(U, walk=lift)) == {*lift}
    assert lit_keys(ug.draw.wavefronts(U, walk=lift)) == {*lift}
    assert lit_keys(ug.draw.projection(U, walk=lift)) == {*CYCLE, *lift}
    ring = RINGS["seed"]
    around = ug.lift_walk(ring, CYCLE * 6, ("A", 2))
    assert lit_keys(ug.draw.ring(ring, walk=around)) == {*around}
    assert lit_keys(ug.draw.projection(ring, walk=around)) == {*CYCLE, *around}
    ball = ug.universal_cover(SEED, "A", 4)
    inside = ug.lift_walk(ball, CYCLE, ("A", ()))
    assert lit_keys(ug.draw.tree(ball, walk=inside)) == {*inside}
    helix = painted(ug.draw.helix(SEED, 3, walk=CYCLE))
    lit = {stroke.key for stroke in helix.strokes if stroke.color == MARKER}
    assert lit == {*CYCLE, *lift[:3]}


def test_a_walk_back_in_time_begins_late_enough():
    G = gallery.bidirectional()
    back = [("b", "b")] * 2
    lift = ug.lift_walk(ug.DelayCover(G), back, ("b", 5))
    assert lit_keys(ug.draw.side_by_side(G, range(3, 6), walk=back)) == {*back, *lift}
    grid = gallery.grid_2d()
    way = [("h", "h", 0), ("h", "h", 1)]
    assert len(lit_keys(ug.draw.side_by_side(grid, (2, 2), walk=way))) == 4


def test_other_edges_step_back_and_no_walk_is_no_picture_of_one():
    plain, walked = (painted(ug.draw.rolled(SEED, walk=w)) for w in (None, [("A", "B")]))
    before = {stroke.key: stroke.color for stroke in plain.strokes}
    for stroke in walked.strokes:
        paler = sum(stroke.color) > sum(before[stroke.key])
        assert paler == (stroke.key != ("A", "B"))
    assert plain.badges[0].color != walked.badges[0].color
    two = painted(ug.draw.rolled(gallery.stacked(2), walk=[("h1", "h1")]))
    first, second = two.badges
    assert first.color != second.color  # of the same delay, but one is not walked on


@pytest.mark.parametrize(
    ("walk", "message"),
    [
        ([("A", "C")], r"\('A', 'C'\), which is not in the graph that is drawn"),
        (
            [("A", "B"), ("C", "A")],
            r"connected: edge \('C', 'A'\) does not start where edge \('A', 'B'\) ends",
        ),
        ([("A",)], r"invalid edge \('A',\) in walk: .* each as \(u, v\)$"),
        (["AB"], r"invalid edge 'AB' in walk: .* each as \(u, v\)$"),
        ("AB", "invalid walk='AB': give its edges in order"),
        (7, "invalid walk=7: give its edges in order"),
        ([([], "B")], r"\(\[\], 'B'\), which is not in the graph that is drawn"),
    ],
)
def test_what_is_no_walk_is_refused(walk, message):
    with pytest.raises(ug.errors.LiftError, match=message):
        ug.draw.rolled(SEED, walk=walk)
    with pytest.raises(ug.errors.LiftError, match=message):
        ug.draw.helix(SEED, 4, walk=walk)


def test_a_walk_that_leaves_the_window_is_refused():
    with pytest.raises(ValueError, match="needs 4 times, but the window has 3; use a longer"):
        ug.draw.side_by_side(SEED, 3, walk=CYCLE * 3)


# -- what is refused, what is chosen, what is stored ------------------------------------------


def test_lifts_of_the_wrong_kind_are_refused():
    with pytest.raises(TypeError, match="needs a Lift, not a DiGraph; make one with unroll"):
        ug.draw.ring(SEED)
    with pytest.raises(ValueError, match="fibres have 2 to 3 vertices.*draw.projection.*draw.tree"):
        ug.draw.ring(ug.universal_cover(SEED, "A", 4))
    with pytest.raises(TypeError, match="needs a tree .*, not a DiLift; .* with draw.projection"):
        ug.draw.tree(RINGS["seed"])
    with pytest.raises(ValueError, match="cannot draw 5000 edges: the limit is 2000"):
        ug.draw.ring(ug.cyclic_cover(SEED, 1000))
    with pytest.raises(ValueError, match="cannot draw 3000 edges"):
        ug.draw.projection(ug.minimal_base(nx.cycle_graph(3000, create_using=nx.DiGraph)))
    with pytest.raises(TypeError, match="needs a Lift, not an int"):
        ug.draw.projection(3)


def test_the_picture_is_chosen_by_what_the_lift_is():
    assert lift_scene(ug.unroll(SEED, 2), Style(), 99).bands
    assert lift_scene(RINGS["seed"], Style(), 99).shapes
    assert len(lift_scene(ug.unroll(gallery.grid_2d(), (2, 2)), Style(), 99).shapes) == 4
    assert not lift_scene(TREES["seed"], Style(), 99).bands
    deep = lift_scene(ug.unroll(gallery.diamond(), (2, 2, 2)), Style(), 99)
    assert len(deep.discs) == 16 + 2


@pytest.mark.parametrize(
    "lift",
    [ug.unroll(gallery.lstm(), 3), RINGS["petersen"], RINGS["two"], TREES["seed"]],
    ids=["window", "petersen", "parallel", "tree"],
)
def test_a_decorated_copy_is_what_networkx_displays(lift):
    H = ug.draw.decorated(lift, labels={"A": "a"})
    assert nx.utils.edges_equal(H.edges, lift.edges, directed=True)
    assert not nx.is_frozen(H)
    H.add_node("more", pos=(0, -1))
    H.remove_node("more")
    places = [H.nodes[v]["pos"] for v in H]
    assert all(math.dist(a, b) > 2 * RADIUS for a, b in combinations(places, 2))
    assert all(to_rgb(H.nodes[v]["color"]) for v in H)
    curved = {}
    for *ends, data in H.edges(data=True):
        assert to_rgb(data["color"])
        if ends[0] != ends[1]:
            curved.setdefault(tuple(ends), []).append(data.get("curvature", ""))
    assert all(len(set(own)) == len(own) for own in curved.values())  # parallel arcs part
    figure, axes = plt.subplots()
    assert nx.display(H, canvas=axes) is H
    figure.canvas.draw()


def test_display_bends_the_way_we_say():
    """arc3 with a positive rad bows to the right of its direction, by half of it times the way."""
    path = ConnectionStyle("arc3", rad=0.4)((0, 0), (10, 0), shrinkA=0, shrinkB=0)
    start, control, end = path.vertices
    middle = (start + 2 * control + end) / 4
    assert middle == pytest.approx([5, -2])


@pytest.mark.parametrize("name", ["seed", "narx", "lstm", "planar"])
def test_what_is_displayed_runs_through_no_vertex(name):
    lift = {
        "seed": ug.unroll(SEED, 3),
        "narx": ug.unroll(gallery.narx(3), 5),
        "lstm": ug.unroll(gallery.lstm(), 2),
        "planar": ug.unroll(planar(), (3, 2)),
    }[name]
    H = ug.draw.decorated(lift)
    at = {v: np.array(H.nodes[v]["pos"]) for v in H}
    for a, b, data in H.edges(data=True):
        if a == b:
            continue
        bend = float(data.get("curvature", "arc3,rad=0").partition("=")[2])
        style = ConnectionStyle("arc3", rad=bend)
        path = style(at[a], at[b], shrinkA=0, shrinkB=0).vertices
        s = np.linspace(0, 1, 40)[:, None]
        start, control, end = path
        line = (1 - s) ** 2 * start + 2 * s * (1 - s) * control + s**2 * end
        for v, place in at.items():
            if v not in (a, b):
                assert np.hypot(*(line - place).T).min() > 0.8 * RADIUS, (a, b, v)


# -- small things ------------------------------------------------------------------------------


def test_scenes_move_as_a_whole():
    scene, _ = SCENES["ring petersen"]
    moved = shifted(scene, 2.0, -1.0)
    for one, other in zip(scene.discs, moved.discs, strict=True):
        assert np.subtract(other.at, one.at) == pytest.approx([2, -1])
    for one, other in zip(scene.shapes, moved.shapes, strict=True):
        assert other.points - one.points == pytest.approx(np.tile([2, -1], (len(one.points), 1)))
    assert shifted(Scene(texts=(Text((0, 0), "x"),)), 1).texts[0].at == (1, 0)


def test_colors_by_name_by_list_and_by_vertex():
    assert ramp([0, 1], ["#ff0000", "#0000ff"]) == [(1, 0, 0), (0, 0, 1)]
    assert len(set(ramp([0, 0.5, 1], "magma"))) == 3
    assert vertex_colors(["a", "b"], {"a": "red"}) == {"a": (1, 0, 0), "b": QUIET}


def test_rows_are_in_the_order_given_where_edges_leave_it_open():
    G = ug.retime(SEED, {"C": 1, "out": 1})
    assert list(rows_of(ug.DelayGraph(G))) == ["in", "C", "A", "B", "out"]


def test_delays_are_read_from_the_attribute_that_the_lift_was_made_with():
    G = nx.DiGraph()
    G.add_edge("a", "b", lag=2)
    scene = painted(ug.draw.unrolled(ug.unroll(G, 4, delay="lag")))
    assert {s.key[1][1] - s.key[0][1] for s in scene.strokes} == {2}
    cover = ug.DelayCover(G, delay="lag")
    assert cover.delay_graph.times == (2,)


# -- bands --------------------------------------------------------------------------


def test_bands_stand_at_the_eigenvalues():
    """The square lattice has one band, 2 cos x + 2 cos y, known along any path."""
    G = ug.with_reverses(gallery.bouquet((1, 0), (0, 1)))
    scene = painted(ug.draw.bands(G, path=[(0, 0), (1, 1)]))
    (band,) = (stroke for stroke in scene.strokes if stroke.key == ("band", 0))
    x, y = band.points[0::3].T
    np.testing.assert_allclose(y * 8 / 5 - 4, 4 * np.cos(np.pi * x / 9), atol=1e-9)
    words = [text.words for text in scene.texts]
    assert words[:2] == ["(0, 0)", r"(\pi, \pi)"]
    assert {"-4", "0", "4"} <= set(words)


@pytest.mark.parametrize("delay", [1, 7, 48, 96, 900])
def test_bands_of_long_delays_are_waves_in_full(delay):
    scene = painted(ug.draw.bands(ug.with_reverses(gallery.bouquet(delay))))
    points = np.concatenate([s.points[0::3] for s in scene.strokes if s.key == ("band", 0)])
    np.testing.assert_allclose(
        points[:, 1] * 4 / 5 - 2, 2 * np.cos(delay * np.pi * (points[:, 0] * 2 / 9 - 1)), atol=1e-6
    )
    assert points[:, 1].min() < 0.1
    assert points[:, 1].max() > 4.9


def test_waves_that_could_not_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="have 5000 periods between two corners"):
        ug.draw.bands(ug.with_reverses(gallery.bouquet(10_000)))
    assert ug.draw.bands(ug.with_reverses(gallery.bouquet(10_000)), path=[0, 0.01])


def test_bands_follow_a_path_from_corner_to_corner():
    scene = painted(ug.draw.bands(ug.with_reverses(gallery.diamond()), palette=["red", "blue"]))
    found = [stroke for stroke in scene.strokes if stroke.key[0] == "band"]
    assert len(found) == 2 * 4
    assert {stroke.color for stroke in found} == {(1.0, 0.0, 0.0), (0.0, 0.0, 1.0)}
    for one, other in zip(found[:-2], found[2:], strict=True):  # each goes on where it left off
        np.testing.assert_allclose(one.points[-1], other.points[0], atol=1e-9)


def test_corners_of_bands_are_told_in_parts_of_pi():
    G = ug.with_reverses(gallery.bouquet(1))
    for corner, words in [(1 / 3, r"\pi/3"), (-1.5, r"-3\pi/2"), (0.1234, r"0.123\pi")]:
        scene = painted(ug.draw.bands(ug.DelayCover(G), path=[0, corner]))
        assert [text.words for text in scene.texts][:2] == ["0", words]


def test_bands_of_what_has_none_are_refused():
    with pytest.raises(ValueError, match="not every edge has a reverse"):
        ug.draw.bands(gallery.seed_network())
    with pytest.raises(ValueError, match="cannot draw 0 bands"):
        ug.draw.bands(nx.DiGraph())
    G = ug.with_reverses(gallery.bouquet((1, 0), (0, 1)))
    for path in ([(0, 0)], [0, 1], [(0, 0), (0, 0)], "x", [(0, 0), (0, float("nan"))], 3):
        with pytest.raises(ValueError, match="invalid path="):
            ug.draw.bands(G, path=path)


@pytest.mark.parametrize("G", [gallery.narx(5), fixtures.mist(6), gallery.narx(8)])
def test_long_loops_of_a_helix_lie_beside_each_other(G):
    graph = ug.DelayGraph(G)
    strands = helix_of(graph, range(2), Style()).strands
    below = [strand.points for strand in strands if strand.key in graph.edge_number]
    assert len(below) == len(graph.edges)
    for one, other in combinations(below, 2):
        assert one.shape != other.shape or np.abs(one - other).max() > 0.02


def test_a_helix_is_drawn_on_axes():
    with pytest.raises(TypeError, match="axes, not a Figure; pass one of its axes"):
        ug.draw.helix(SEED, 2, ax=plt.figure())


@pytest.mark.parametrize(
    "lift",
    [
        ug.random_lift(gallery.dipole(0, 1), 2, seed=0),
        ug.random_lift(SEED, 1, seed=0),
        ug.random_lift(SEED, 2, seed=0),
        ug.cyclic_cover(gallery.lstm(), 5),
    ],
)
def test_the_projection_leads_from_the_lift_to_the_base(lift):
    scene = painted(ug.draw.projection(lift))
    (arrow,) = (stroke.points for stroke in scene.strokes if stroke.key == "projection")
    base, lift = (text for text in scene.texts if text.words in ("base", "lift"))
    from_lift, to_base = arrow[0, 0], arrow[-1, 0]
    assert base.at[0] + text_width(base) / 2 < to_base < from_lift - 0.6
    assert from_lift < lift.at[0] - text_width(lift) / 2


@pytest.mark.parametrize("times", [1, 2, 4])
def test_what_is_unrolled_stands_clear_of_what_is_rolled(times):
    scene = painted(ug.draw.side_by_side(SEED, times, ghosts=False))
    (arrow,) = (stroke.points for stroke in scene.strokes if stroke.key == "projection")
    left, right = (text for text in scene.texts if text.words in ("rolled", "unrolled"))
    assert left.at[0] + text_width(left) / 2 < arrow[-1, 0] < arrow[0, 0] - 0.6
    assert arrow[0, 0] < right.at[0] - text_width(right) / 2


def test_names_of_rows_stand_left_of_all_arcs():
    for G in (gallery.lstm(), gallery.clockwork(), SEED):
        scene = painted(ug.draw.wavefronts(ug.unroll(G, 4)))
        names = [text for text in scene.texts if text.align == "right"]
        assert {text.at[1] for text in names} == {disc.at[1] for disc in scene.discs}
        assert sorted(" ".join(text.words for text in names).split()) == sorted(map(plain, G))
        left = min(flattened(stroke.points)[:, 0].min() for stroke in scene.strokes)
        assert all(text.at[0] < left - 0.1 for text in names)


def test_words_outside_of_the_axes_are_not_shown():
    _, (one, other) = plt.subplots(1, 2, figsize=(9, 3))
    ug.draw.side_by_side(SEED, 6, ax=one)
    one.set_xlim(1, 4)
    one.figure.draw_without_rendering()
    for text in one.texts:
        x, y = text.get_position()
        assert text.get_visible() == (1 <= x <= 4 and one.get_ylim()[0] <= y <= one.get_ylim()[1])
    assert 0 < sum(text.get_visible() for text in one.texts) < len(one.texts)
    one.set_xlim(-9, 19)
    one.figure.draw_without_rendering()
    assert all(text.get_visible() for text in one.texts)
    assert not other.texts


def test_pictures_on_a_part_of_a_figure_are_saved(tmp_path):
    left, _ = plt.figure(figsize=(6, 3)).subfigures(1, 2)
    ug.draw.save(ug.draw.rolled(SEED, ax=left.subplots()), tmp_path / "a.png")
    assert plt.imread(tmp_path / "a.png").shape[:2] == (600, 1200)


def test_paper_is_white_whatever_the_style(tmp_path):
    with plt.style.context("dark_background"):
        ug.draw.save(ug.draw.rolled(SEED), tmp_path / "a.png")
    assert plt.imread(tmp_path / "a.png")[0, 0].tolist() == [1, 1, 1, 1]


def test_pieces_of_a_strand_reach_beyond_their_halos():
    strokes = painted(ug.draw.helix(SEED, 2, walk=[("A", "B")])).strokes
    solid = [np.ptp(stroke.points, axis=0) for stroke in strokes if not stroke.dash]
    halos, strands = solid[::2], solid[1::2]
    assert len(halos) == len(strands) > 100
    for halo, strand in zip(halos, strands, strict=True):
        assert np.hypot(*strand) > 1.2 * np.hypot(*halo)
