"""Pictures that move, pictures for TeX, pictures in files and in notebooks."""

import math
import os
import re
import shutil
import subprocess
import sys
import unicodedata
import warnings
import xml.etree.ElementTree as ET

import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest
from PIL import Image

import unrollgraph as ug
from unrollgraph import gallery

mpl.use("Agg")

from matplotlib import pyplot as plt

from unrollgraph.draw import tikz
from unrollgraph.draw.animation import _bends, _Flat
from unrollgraph.draw.render import painted
from unrollgraph.draw.scene import flattened
from unrollgraph.draw.style import RADIUS, Style

SEED = gallery.seed_network()
CYCLE = [("A", "B"), ("B", "C"), ("C", "A")]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


# -- pictures that move ---------------------------------------------------------------------


def saved(animation, tmp_path):
    path = tmp_path / "moving.gif"
    animation.save(path, writer="pillow", dpi=15)
    with Image.open(path) as image:
        return image.n_frames


def tokens(ax):
    (own,) = [c for c in ax.collections if len(c.get_offsets()) == 2]
    return np.array(own.get_offsets())


def test_a_token_walks_below_and_its_lift_above(tmp_path):
    animation = ug.draw.animate_walk(SEED, CYCLE)
    (ax,) = animation._fig.axes
    places = {tuple(place) for place in ax.collections[-3].get_offsets().tolist()}
    last = animation._save_count - 1
    animation._func(0)
    start = tokens(ax)
    animation._func(last)
    end = tokens(ax)
    assert {tuple(start[0]), tuple(start[1])} <= places
    # below it is back, but for the rim; above it is one column on
    assert math.dist(start[0], end[0]) < 1.5 * RADIUS
    assert end[1][1] == pytest.approx(start[1][1], abs=1.5 * RADIUS)
    assert end[1][0] - start[1][0] > 1
    assert saved(animation, tmp_path) > 20


def test_in_the_plane_a_token_walks_as_well(tmp_path):
    way = [("h", "h", 0), ("h", "h", 1)]
    assert saved(ug.draw.animate_walk(gallery.grid_2d(), way), tmp_path) > 20


def test_walks_that_cannot_be_animated_are_refused():
    with pytest.raises(ug.errors.LiftError, match="the walk has no edges"):
        ug.draw.animate_walk(SEED, [])
    with pytest.raises(ug.errors.LiftError, match="which is not in the graph that is drawn"):
        ug.draw.animate_walk(SEED, [("A", "out")])
    with pytest.raises(ValueError, match="needs 2 times, but the window has 1"):
        ug.draw.animate_walk(SEED, CYCLE, window=1)


@pytest.mark.parametrize("make", [gallery.seed_network, gallery.elman, gallery.bidirectional])
@pytest.mark.parametrize("copies", [1, 2, 3])
def test_on_the_way_a_network_is_its_cyclic_covers(make, copies):
    """With a whole number of copies the ring is the cyclic cover, arcs and all."""
    G = make()
    scene = _Flat(ug.DelayGraph(G), 3, Style()).bent(float(copies), 0.0)
    cover = ug.cyclic_cover(G, copies)
    assert {disc.key for disc in scene.discs} == set(cover)
    arcs = {
        ((u, s), (v, t % copies)) for (u, s), (v, t) in (stroke.key[:2] for stroke in scene.strokes)
    }
    loops = {arc for arc in cover.edges() if arc[0] == arc[1]}  # in time, on a ring of one copy
    assert arcs | loops == set(cover.edges())
    at = {disc.key: np.array(disc.at) for disc in scene.discs}
    for stroke in scene.strokes:  # where the head would be on the line is where it is on the ring
        (_, _), (v, t) = stroke.key[:2]
        assert math.dist(stroke.points[-1], at[v, t % copies]) < 1.4 * RADIUS


def test_between_two_covers_a_copy_parts_from_the_first():
    flat = _Flat(ug.DelayGraph(SEED), 3, Style())
    at = {disc.key: disc.at for disc in flat.bent(1.1, 0.0).discs}
    assert {t for _, t in at} == {0, 1}
    later = {disc.key: disc.at for disc in flat.bent(1.3, 0.0).discs}
    for v in SEED:
        assert 0 < math.dist(at[v, 0], at[v, 1]) < math.dist(later[v, 0], later[v, 1])


def test_on_the_ring_edges_between_the_same_copies_part_and_loops_are_seen():
    G = nx.MultiDiGraph()
    for u, v, delay in [("a", "b", 0), ("b", "a", 1), ("b", "a", 1), ("a", "a", 0)]:
        G.add_edge(u, v, delay=delay)
    scene = _Flat(ug.DelayGraph(G), 4, Style()).bent(3.0, 0.0)
    assert len(scene.strokes) == 3 * 4
    lines = {stroke.key: flattened(stroke.points) for stroke in scene.strokes}
    one, other = (lines[("b", 0), ("a", 1), k] for k in (0, 1))
    assert np.hypot(*(one[len(one) // 2] - other).T).min() > 0.1
    assert np.ptp(lines[("a", 1), ("a", 1), 0], axis=0).min() > 0.2


def test_at_the_end_it_is_the_window():
    scene = _Flat(ug.DelayGraph(SEED), 4, Style()).bent(4.0, 1.0)
    U = ug.unroll(SEED, 4)
    assert {disc.key for disc in scene.discs} == set(U)
    assert {stroke.key for stroke in scene.strokes} == set(U.edges)
    at = {disc.key: disc.at for disc in scene.discs}
    assert {round(y, 6) for _, y in at.values()} == {0, 1, 2, 3, 4}
    steps = {round(at[v, t + 1][0] - at[v, t][0], 6) for v, t in U if t < 3}
    assert len(steps) == 1


def test_an_unrolling_moves_without_leaps(tmp_path):
    flat = _Flat(ug.DelayGraph(gallery.elman()), 3, Style())
    before = None
    for bend in _bends(3):
        at = {disc.key: disc.at for disc in flat.bent(*bend).discs}
        if before:
            assert max(math.dist(at[key], before[key]) for key in before) < 1.2
        before = at
    animation = ug.draw.animate_unrolling(gallery.elman(), 2)
    assert saved(animation, tmp_path) > 30


def test_unrollings_that_cannot_be_animated_are_refused():
    with pytest.raises(ValueError, match="invalid steps=1: must be an integer of at least 2"):
        ug.draw.animate_unrolling(SEED, 1)
    with pytest.raises(ValueError, match="times in Z.2 in this picture; .* delays in Z$"):
        ug.draw.animate_unrolling(gallery.grid_2d(), 2)
    with pytest.raises(ValueError, match=r"invalid steps=\(2, 2\): must be an integer"):
        ug.draw.animate_unrolling(SEED, (2, 2))
    with pytest.raises(ValueError, match="cannot animate a delay of absolute value 1000000"):
        ug.draw.animate_unrolling(nx.DiGraph([("a", "a", {"delay": 10**6})]), 3)


# -- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png", "tex"])
def test_a_saved_picture_is_the_same_every_time_and_whole(tmp_path, suffix):
    paths = [tmp_path / f"{k}.{suffix}" for k in range(2)]
    for path in paths:
        ug.draw.save(ug.draw.side_by_side(SEED, 3, walk=CYCLE), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == paths


def test_a_picture_that_cannot_be_saved_leaves_nothing(tmp_path):
    ax = ug.draw.rolled(SEED)
    with pytest.raises(ug.errors.FormatError, match=r"unknown picture format '.jpg'; use"):
        ug.draw.save(ax, tmp_path / "seed.jpg")
    with pytest.raises(FileNotFoundError, match=r"nowhere/seed.svg"):
        ug.draw.save(ax, tmp_path / "nowhere" / "seed.svg")
    assert not list(tmp_path.iterdir())


def test_what_is_no_picture_cannot_be_saved(tmp_path):
    with pytest.raises(TypeError, match="axes, not a Figure; pass one of its axes"):
        ug.draw.save(plt.figure(), tmp_path / "x.svg")
    with pytest.raises(ValueError, match="invalid dpi=0: must be a positive number"):
        ug.draw.save(ug.draw.rolled(SEED), tmp_path / "x.png", dpi=0)
    assert not [*tmp_path.iterdir()]


def test_a_large_picture_has_not_too_many_points(tmp_path):
    tall = nx.path_graph(120, create_using=nx.DiGraph)
    ug.draw.save(ug.draw.rolled(tall), tmp_path / "tall.png")
    with Image.open(tmp_path / "tall.png") as image:
        assert max(image.size) in range(9_990, 10_001)


def test_saving_changes_no_settings(tmp_path):
    before = dict(mpl.rcParams)
    ug.draw.save(ug.draw.rolled(SEED), tmp_path / "seed.svg")
    assert dict(mpl.rcParams) == before


# -- TeX -------------------------------------------------------------------------------------

FORMULAS = {
    "in": r"$\text{in}$",
    "A": r"$\mathbb{R}\operatorname{y}\dfrac{1}{2}$",
    "B": "$\N{GREEK SMALL LETTER ALPHA}_1$",
    "C": "$a&b$",
    "out": r"$\boldsymbol{h}\hat{y}\leq 1$",
}
PICTURES = {
    "side by side": lambda: ug.draw.side_by_side(gallery.lstm(), 3),
    "walk": lambda: ug.draw.side_by_side(SEED, 3, walk=CYCLE),
    "helix": lambda: ug.draw.helix(SEED, 2, walk=CYCLE),
    "ring": lambda: ug.draw.ring(ug.cyclic_cover(gallery.dumbbell(2), 5)),
    "tree": lambda: ug.draw.tree(ug.universal_cover(SEED, "A", 3)),
    "plane": lambda: ug.draw.wavefronts(ug.unroll(gallery.grid_2d(), (2, 2))),
    "formulas": lambda: ug.draw.rolled(SEED, labels=FORMULAS),
    "names": lambda: ug.draw.rolled(names(), labels={"β Λλ é": r"$\alpha^{(1)}$"}),
}


def names():
    G = nx.DiGraph()
    G.add_edge("a_b", "$x$&", delay=2)
    G.add_edge("$x$&", "50%#", delay=-1)
    G.add_edge("50%#", "{e}^2~\\", delay=0)
    G.add_edge("{e}^2~\\", "β Λλ é", delay=(10**6))
    G.add_edge("β Λλ é", '<"|">', delay=0)
    return G


@pytest.mark.parametrize("name", list(PICTURES))
def test_everything_drawn_is_written_for_tex(name):
    ax = PICTURES[name]()
    text = ug.draw.to_tikz(ax)
    scene = painted(ax)
    nodes = re.findall(r"\\node\[(?:vertex|pill)[^\]]*\] \((\w+)\) at", text)
    assert len(nodes) == len({*nodes}) == len(scene.discs)
    assert text.count(r"\node") == len(scene.discs) + len(scene.texts) + len(scene.badges)
    halos = [stroke for stroke in scene.strokes if stroke.halo]
    assert text.count(r"\draw[") == len(scene.strokes) + len(halos)
    drawn = re.findall(r"\\draw\[edge\S* ?.*\] \((\w+)\) .*\((\w+)\);", text)
    assert {end for ends in drawn for end in ends if not end[0].isdigit()} <= {*nodes}
    used = set(re.findall(r"(?:fill=|draw=|text=|color=|\[|,)((?:vertex|edge|shade)[0-9]+)", text))
    assert used == set(re.findall(r"\\definecolor\{((?:vertex|edge|shade)[0-9]+)\}", text))
    assert text.count("definecolor") <= 14
    assert text.isascii() or name == "names"


def test_a_picture_for_tex_is_short_and_its_edges_lead_from_node_to_node():
    text = ug.draw.to_tikz(ug.draw.unrolled(ug.unroll(SEED, 4)))
    assert len(text.splitlines()) <= 75
    for t in range(4):
        assert rf"\draw[edge,ink] (A{t}) -- (B{t});" in text
    for t in range(3):
        assert re.search(rf"\\draw\[edge,edge1\] \(C{t}\) \.\. controls .* \(A{t + 1}\);", text)


def test_pdflatex_compiles_all_of_it_to_one_page_each(tmp_path):
    if not shutil.which("pdflatex") and not os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
        pytest.skip("pdflatex is not installed")
    for name, make in PICTURES.items():
        (tmp_path / "picture.tex").write_text(ug.draw.to_tikz(make()), encoding="utf-8")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        log = (tmp_path / "picture.log").read_text(encoding="latin-1")
        assert done.returncode == 0, (name, log[-1500:])
        assert "(1 page" in log, name
        assert "Overfull" not in log, name
        assert "Missing character" not in log, name


def test_pdflatex_compiles_every_character_that_is_written(tmp_path):
    """And those with an accent that stands alone."""
    if not shutil.which("pdflatex") and not os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
        pytest.skip("pdflatex is not installed")
    candidates = [chr(k) for k in range(33, 0x3000) if chr(k).isprintable()]
    known = [c for c in candidates if written_for_tex(c)]
    assert {*"–—’“…€½µ°±×·§→²äřñß"} <= {*known}  # noqa: RUF001
    words = [*known, unicodedata.normalize("NFD", "äéñç")]
    picture = ug.draw.to_tikz(ug.draw.rolled(SEED))
    size = r"font=\fontsize{9}{9}\selectfont"
    lines = [rf"\node[{size}] at (1,1) {{{tikz._set(word)}}};" for word in words]
    text = picture.replace(r"\end{tikzpicture}", "\n".join([*lines, r"\end{tikzpicture}"]))
    (tmp_path / "picture.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "picture.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-1500:]
    assert "Missing character" not in log


def written_for_tex(character):
    try:
        tikz._character(character)
    except ValueError:
        return False
    return True


def test_figures_do_not_stay_open_in_pyplot_where_nothing_is_shown():
    plt.close("all")
    ug.draw.to_tikz(ug.draw.rolled(SEED))
    ug.draw.helix(SEED, 3)
    ug.unroll(SEED, 3)._repr_svg_()
    assert not plt.get_fignums()


def test_figures_are_held_by_pyplot_where_they_are_shown(monkeypatch):
    monkeypatch.setattr(mpl, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    ug.draw.rolled(SEED)
    assert len(plt.get_fignums()) == 1
    plt.close("all")


def test_a_formula_that_tex_cannot_set_is_refused():
    ax = ug.draw.rolled(SEED, labels={"A": "$x_{\N{LATIN SMALL LETTER A WITH ACUTE}}$"})
    with pytest.raises(ValueError, match="pdflatex cannot set .* in a formula; pass labels"):
        ug.draw.to_tikz(ax)


def test_letters_with_names_of_their_own_and_ligatures_are_written_for_tex():
    words = "\N{LATIN SMALL LETTER SHARP S}\N{LATIN SMALL LETTER O WITH STROKE}--``''?`"
    text = ug.draw.to_tikz(ug.draw.rolled(SEED, labels={"A": words}))
    assert r"\ss{}\o{}{-}{-}{`}{`}{'}{'}?{`}" in text


def test_in_tex_markers_lie_below_all_lines_and_many_labels_are_left_out():
    walked = ug.draw.to_tikz(ug.draw.rolled(SEED, walk=CYCLE)).splitlines()
    strokes = [line for line in walked if line.startswith(r"\draw")]
    broad = [k for k, line in enumerate(strokes) if "line width=8.40pt" in line]
    assert broad == list(range(len(CYCLE)))
    many = ug.draw.to_tikz(ug.draw.unrolled(ug.unroll(SEED, 61), max_edges=305, width=100))
    assert many.count(r"\node") == many.count("{};") == 305


def test_what_tex_cannot_write_is_refused():
    with pytest.raises(TypeError, match="matplotlib axes, not a Figure; pass one of its"):
        ug.draw.to_tikz(plt.figure())
    with pytest.raises(ValueError, match="nothing on these axes was drawn by unrollgraph"):
        ug.draw.to_tikz(plt.figure().add_axes((0, 0, 1, 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # only some machines have a font with this character
        ax = ug.draw.rolled(nx.DiGraph([("猫", "b")]))
    with pytest.raises(ValueError, match=r"cannot set the character '猫' \(CJK .*; pass labels"):
        ug.draw.to_tikz(ax)
    ax = ug.draw.rolled(nx.DiGraph([("猫", "b")]), labels={"猫": "cat"})
    assert "cat" in ug.draw.to_tikz(ax)


# -- notebooks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        ug.DelayGraph(SEED),
        ug.unroll(SEED, 3),
        ug.cyclic_cover(SEED, 3),
        ug.universal_cover(SEED, "A", 3),
        ug.cyclic_cover(SEED, 3).projection,
        ug.minimal_base(ug.cyclic_cover(SEED, 3)),
        ug.DelayCover(SEED),
        ug.DelayCover(gallery.bouquet((1, 0), (0, 1))),
        ug.unroll(gallery.diamond(), (2, 2, 2)),
        ug.DelayGraph(nx.empty_graph(3, create_using=nx.DiGraph)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_show_themselves_in_notebooks(value):
    text = value._repr_svg_()
    assert ET.fromstring(text.partition("?>")[2].partition(">")[2]).tag.endswith("svg")
    assert value._repr_svg_() == text
    assert not plt.get_fignums()  # nothing that a notebook would show a second time


@pytest.mark.parametrize(
    "value",
    [
        ug.unroll(SEED, 1000),
        ug.DelayGraph(nx.empty_graph(0, create_using=nx.DiGraph)),
        ug.DelayCover(gallery.diamond()),
        ug.DelayCover(SEED).projection,
        ug.GraphMap(
            nx.DiGraph([(0, 1)]), nx.DiGraph([("a", "b", {"delay": 0.5})]), {0: "a", 1: "b"}
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_picture_shows_none(value):
    assert value._repr_svg_() is None


def test_pictures_in_notebooks_are_loaded_on_first_use():
    code = (
        "import sys, unrollgraph as ug; U = ug.unroll(ug.gallery.elman(), 2); "
        "print('matplotlib' in sys.modules); U._repr_svg_(); print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
