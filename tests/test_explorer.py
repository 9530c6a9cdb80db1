"""What the explorer's page is made of: covers, maps, clocks and numbers; files and notebooks."""

import json
import re

import networkx as nx
import numpy as np
import oracle
import pytest
import traitlets

import unrollgraph as ug
from unrollgraph import cli, nn

A = nn.architectures
GRAPHS = {
    "seed": ug.gallery.seed_network(),
    "lstm": A.lstm(1, 1, 1),
    "bidirectional": A.bidirectional(1, 2, 1),
    "grid": A.grid_2d(1, 1, 1),
    "two loops": ug.gallery.bouquet(1, 2),
    "opposed": ug.gallery.opposed_pair(),
    "diamond": ug.gallery.diamond(),
    "cyclic": nx.DiGraph([("a", "b"), ("b", "a"), ("c", "d")]),
    "one": nx.empty_graph(1, create_using=nx.DiGraph),
    "gap": ug.gallery.skip(7),
}
PAGES = {name: ug.explorer.explore(G) for name, G in GRAPHS.items()}
# windows that do not begin at zero, long ways round, parallel edges, components of their own
long = nx.DiGraph([(k, (k + 1) % 40, {"delay": int(k % 7 == 0)}) for k in range(40)])
long.add_edges_from([(0, 20, {"delay": 2}), (5, 33)])
GRAPHS |= {
    "later": GRAPHS["seed"],
    "earlier": ug.gallery.bouquet(1, 2),
    "long": long,
    "parallel": ug.gallery.dipole(0, 0, 1, -1),
    "apart": nx.disjoint_union(nx.DiGraph(ug.gallery.skip(2)), nx.DiGraph(ug.gallery.elman())),
}
WINDOWS = {"later": range(4, 9), "earlier": range(-7, -2)}
PAGES |= {
    name: ug.explorer.explore(GRAPHS[name], window=WINDOWS.get(name))
    for name in ("later", "earlier", "long", "parallel", "apart")
}
each = pytest.mark.parametrize("name", GRAPHS)


def covers(name):
    return {cover["key"]: cover for cover in PAGES[name].data["covers"]}


def place(vertex):
    return vertex["over"], tuple(map(tuple, vertex["word"])) if "word" in vertex else tuple(
        vertex["sheet"]
    )


@each
def test_what_lies_above_lies_over_the_graph(name):
    G = GRAPHS[name]
    base = PAGES[name].data["base"]
    vertices, edges = list(G), list(G.edges(keys=True) if G.is_multigraph() else G.edges())
    assert [(arc["tail"], arc["head"]) for arc in base["arcs"]] == [
        (vertices.index(e[0]), vertices.index(e[1])) for e in edges
    ]
    for cover in covers(name).values():
        places = [place(v) for v in cover["vertices"]]
        assert len(set(places)) == len(places)
        for arc in cover["arcs"]:
            edge = base["arcs"][arc["edge"]]
            ends = [cover["vertices"][arc[end]]["over"] for end in ("tail", "head")]
            assert ends == [edge["tail"], edge["head"]]


@each
def test_arcs_are_those_of_the_covers_by_brute_force(name):
    """Between vertices inside the window none is missing, and none is too many."""
    for key, cover in covers(name).items():
        if key == "universal":
            continue
        inside = {place(v): k for k, v in enumerate(cover["vertices"]) if not v.get("ghost")}
        expected = set()
        for (over, sheet), k in inside.items():
            for e, arc in enumerate(PAGES[name].data["base"]["arcs"]):
                if arc["tail"] != over:
                    continue
                moved = tuple(a + b for a, b in zip(sheet, cover["delays"][e], strict=True))
                if cover["modulus"]:
                    moved = tuple(a % n for a, n in zip(moved, cover["modulus"], strict=True))
                if (arc["head"], moved) in inside:
                    expected.add((e, k, inside[arc["head"], moved]))
        numbers = set(inside.values())
        found = [(a["edge"], a["tail"], a["head"]) for a in cover["arcs"]]
        assert len(set(found)) == len(found)
        assert {arc for arc in found if {*arc[1:]} <= numbers} == expected


@each
def test_the_tree_is_a_ball_of_reduced_walks(name):
    page, G = PAGES[name].data, GRAPHS[name]
    tree = covers(name)["universal"]
    edges = list(G.edges(keys=True) if G.is_multigraph() else G.edges())
    radius = max(len(v["word"]) for v in tree["vertices"])
    wanted = {
        (list(G).index(end), tuple((edges.index(e), s) for e, s in walk))
        for walk, end in oracle.reduced_walks(G, list(G)[page["root"]], radius)
    }
    assert {place(v) for v in tree["vertices"]} == wanted
    assert len(tree["arcs"]) == len(wanted) - 1


@each
def test_maps_from_storey_to_storey_are_homomorphisms_that_commute(name):
    tower = covers(name)
    for key, cover in tower.items():
        for below, image in cover["onto"].items():
            lower = tower[below]
            arcs = {(a["edge"], a["tail"], a["head"]) for a in lower["arcs"]}
            for vertex, k in zip(cover["vertices"], image, strict=True):
                assert k < 0 or lower["vertices"][k]["over"] == vertex["over"]
            for a in cover["arcs"]:
                tail, head = image[a["tail"]], image[a["head"]]
                drawn = tail >= 0 and head >= 0
                ghost = drawn and all(lower["vertices"][k].get("ghost") for k in (tail, head))
                assert not drawn or ghost or (a["edge"], tail, head) in arcs, (key, below)
            for lowest, further in lower["onto"].items():
                whole = cover["onto"][lowest]
                for k, middle in enumerate(image):
                    assert middle < 0 or further[middle] == whole[k]


@each
def test_lifts_begin_above_each_other(name):
    page, tower = PAGES[name].data, covers(name)
    for v, home in enumerate(page["home"]):
        for key, k in home.items():
            assert k < 0 or tower[key]["vertices"][k]["over"] == v
    root = page["home"][page["root"]]
    assert min(root.values()) >= 0
    for home in page["home"]:
        assert home["delay"] >= 0
        assert not tower["delay"]["vertices"][home["delay"]].get("ghost")
        for key, cover in tower.items():
            for below, image in cover["onto"].items():
                assert home[key] < 0 or image[home[key]] == home[below]


@each
def test_shifts_are_deck_transformations(name):
    for cover in covers(name).values():
        arcs = {(a["edge"], a["tail"]): a["head"] for a in cover["arcs"]}
        ghost = [bool(v.get("ghost")) for v in cover["vertices"]]
        for shift in cover["shifts"]:
            to = shift["to"]
            assert all(shift["back"][k] == v for v, k in enumerate(to) if k >= 0)
            for (edge, tail), head in arcs.items():
                if min(to[tail], to[head]) >= 0 and not (ghost[to[tail]] and ghost[to[head]]):
                    assert arcs[edge, to[tail]] == to[head]


def test_a_ball_that_is_too_large_is_never_made(monkeypatch):
    sizes = []

    def counted(*words):
        tree = ug.universal_cover(*words)
        sizes.append(len(tree))
        return tree

    monkeypatch.setattr("unrollgraph.explorer.levels.universal_cover", counted)
    ug.explorer.explore(ug.gallery.bouquet(*range(1, 21)), window=2, sheets=1)
    assert sizes == [41]  # of radius two there would be 1,601


def test_other_clocks_redraw_the_same_cover():
    G = GRAPHS["seed"]
    page, cover = PAGES["seed"].data, covers("seed")["delay"]
    assert [clock["name"] for clock in page["clocks"]] == [
        "A, B, C and 1 more one step later",
        "B, C, out one step later",
        "C, out one step later",
        "out one step later",
    ]
    moved = ug.retime(G, {"B": 1, "C": 1, "out": 1})
    clock = page["clocks"][1]
    assert clock["base"]["delays"] == [str(d) for *_, d in moved.edges(data="delay", default=0)]
    width = sorted({v["x"] for v in cover["vertices"]})
    column = width[1] - width[0]
    for given, moved_to in zip(cover["vertices"], clock["cover"]["vertices"], strict=True):
        x, y, index = (moved_to[key] for key in ("x", "y", "index"))
        ahead = page["base"]["names"][given["over"]] in {"B", "C", "out"}
        assert (x, y) == (pytest.approx(given["x"] + column * ahead), given["y"])
        assert given.get("ghost") or int(index) == int(given["index"]) + ahead
    assert len(clock["cover"]["arcs"]) == len(cover["arcs"])
    assert all(arc["path"] for arc in clock["cover"]["arcs"])


def number(text):
    return float(text.strip("|").replace("\N{MINUS SIGN}", "-"))


def near(text, value):
    size = np.linalg.norm(value) if np.size(value) > 1 else float(np.ravel(value)[0])
    return number(text) == pytest.approx(size, rel=0.06, abs=1e-12)


def test_the_run_is_that_of_the_network():
    net = nn.Network(A.bidirectional(1, 2, 1), seed=5)
    page = ug.explorer.explore(net, window=4).data
    run, cover = page["network"], page["covers"][2]
    where = {place(v): str(k) for k, v in enumerate(cover["vertices"])}
    number_of = net.delay_graph.number
    values = {int(k): text for k, text in run["values"].items()}
    x = np.array([number(values[int(where[number_of["x"], (t,)])]) for t in range(4)])
    done = net.forward({"x": x[:, None]})  # stepped, where the page went by wavefronts
    back = done.backward({"y": done.values["y"]})
    for v in net.delay_graph.vertices:
        for t in range(4):
            k = int(where[number_of[v], (t,)])
            assert near(run["values"][k], done.values[v][t])
            assert near(run["gradients"][k], back.of(v)[t])
    assert [w["name"] for w in run["weights"]] == list(net.parameters)
    for weight in run["weights"]:
        name = weight["name"]
        assert near(weight["value"], net.parameters[name])
        assert near(weight["sums"][-1], back.parameters[name])
        for copy, gradient in zip(weight["copies"], back.copies(name), strict=True):
            assert near(copy["gradient"], gradient)
    fronts = {k: n for n, front in enumerate(run["fronts"]) for k in front}
    assert all(
        fronts[a["tail"]] < fronts[a["head"]]
        for a in cover["arcs"]
        if a["tail"] in fronts and a["head"] in fronts
    )


def test_sums_grow_as_copies_are_reached():
    page = PAGES["seed"].data
    run = page["network"]
    (bias,) = [w for w in run["weights"] if w["name"] == "out.bias"]
    gradient = {copy["vertex"]: number(copy["gradient"]) for copy in bias["copies"]}
    total = 0.0
    for front, shown in zip(reversed(run["fronts"]), bias["sums"], strict=True):
        total += sum(gradient.get(k, 0.0) for k in front)
        assert number(shown) == pytest.approx(total, abs=0.06)  # of summands of two digits


def test_without_operations_every_vertex_is_one_unit_and_where_none_can_run_none_does():
    assert {w["name"] for w in PAGES["gap"].data["network"]["weights"]} == {
        "h.weight",
        "h.bias",
        "y.weight",
        "y.bias",
    }
    for name in ("two loops", "opposed", "diamond", "cyclic"):
        assert PAGES[name].data["network"] is None


def test_other_attributes_of_that_name_do_no_harm():
    G = nx.DiGraph([("x", "h")])
    G.nodes["h"]["op"] = "relu"
    names = {w["name"] for w in ug.explorer.explore(G).data["network"]["weights"]}
    assert names == {"h.weight", "h.bias"}


def test_tables_are_looked_up():
    G = nx.DiGraph()
    G.add_node("i", op=nn.Embedding(3, 2))
    G.add_node("h", op=nn.Dense(1))
    G.add_edges_from([("i", "h"), ("h", "h", {"delay": 1})])
    run = ug.explorer.explore(G).data["network"]
    assert all(text.startswith("|") for text in list(run["values"].values())[:1])
    assert {w["name"] for w in run["weights"]} == {"i.weight", "h.weight", "h.bias"}


# -- files and notebooks ------------------------------------------------------------------------


def test_a_page_is_called_html(tmp_path):
    with pytest.raises(
        ug.errors.FormatError, match=r"page must have the suffix .html; name it seed.html"
    ):
        PAGES["seed"].save(tmp_path / "seed.pdf")
    assert not list(tmp_path.iterdir())


@each
def test_the_page_is_one_file_that_loads_nothing(name, tmp_path):
    PAGES[name].save(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    again = ug.explorer.explore(GRAPHS[name], window=WINDOWS.get(name))
    assert text == again.to_html()  # and the same every time
    assert not re.search(
        r"""(?:src|href)=["']|url\(["']?http|@import|fetch\(|\bimport\b[ {*(]""", text
    )
    assert set(re.findall(r"https?://[^\s\"'`)]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_names_cannot_leave_the_data_that_holds_them():
    bad = "</script><img src=x onerror=alert(1)>\N{LINE SEPARATOR}"
    text = ug.explorer.explore(nx.DiGraph([(bad, "b")]), title=bad).to_html()
    assert text.count("</script>") == 1
    assert "<img" not in text
    assert "\N{LINE SEPARATOR}" not in text.partition("<main>")[2].partition("</main>")[2]
    frame = ug.explorer.explore(nx.DiGraph([(bad, "b")]), title='"><b>')._repr_html_()
    assert frame.count("<") == 2
    assert 'sandbox="allow-scripts"' in frame


def test_the_data_are_plain():
    for page in PAGES.values():
        json.dumps(page.data, allow_nan=False)


def test_a_widget_shares_its_walk():
    widget = PAGES["seed"].widget()
    assert (widget.start, widget.walk) == (1, [])
    widget.walk = [[1, 1], [2, 1]]
    assert widget.spec["base"]["names"] == ["in", "A", "B", "C", "out"]
    assert "export default" in str(widget._esm)
    widget.walk = [[0, -1]]
    assert widget.start == 1
    for wrong, text in (
        ([[99, 1]], "invalid step"),
        ([[1]], "invalid step"),
        ([[1, 2]], "invalid step"),
        ([[1, 1], [4, 1]], "is not connected"),
        ([("A", "B")], "invalid step"),
    ):
        with pytest.raises(traitlets.TraitError, match=text):
            widget.walk = wrong
    with pytest.raises(traitlets.TraitError, match="must be the number of a vertex"):
        widget.start = 5


def test_a_widget_styles_itself_alone():
    rules = re.sub(r":not\([^)]*\)", "", str(PAGES["seed"].widget()._css))
    for block in re.sub(r"@[^{]*{", "", rules).split("}"):
        for selector in block.partition("{")[0].split(","):
            own = selector.strip()
            assert own.startswith(".ug") or own in {"", "from"}, own


@pytest.mark.parametrize(
    ("ask", "error", "text"),
    [
        (lambda: ug.explorer.explore(nx.DiGraph()), ValueError, "the graph has no vertices"),
        (
            lambda: ug.explorer.explore(GRAPHS["seed"], root="q"),
            ValueError,
            "root='q' is not a vertex",
        ),
        (lambda: ug.explorer.explore(GRAPHS["seed"], sheets=0), ValueError, "positive integer"),
        (
            lambda: ug.explorer.explore(GRAPHS["seed"], sheets=999),
            ValueError,
            "explore fewer sheets",
        ),
        (lambda: ug.explorer.explore(GRAPHS["seed"], window=999), ValueError, "a smaller window"),
        (lambda: ug.explorer.explore(GRAPHS["grid"], window=3), ValueError, "window"),
        (lambda: ug.explorer.explore(nx.Graph()), TypeError, "a delay graph must be directed"),
        (
            lambda: ug.explorer.explore(GRAPHS["seed"], labels="A"),
            TypeError,
            "labels must be a mapping",
        ),
    ],
)
def test_what_cannot_be_explored_is_refused_in_one_sentence(ask, error, text):
    with pytest.raises(error, match=re.escape(text)):
        ask()


def test_the_command_writes_a_page(tmp_path, capsys):
    source, page = tmp_path / "g.json", tmp_path / "page.html"
    ug.io.write(GRAPHS["seed"], source)
    assert cli.main(["explore", str(source), "--root", "B", "--window=-1:3", "-o", str(page)]) == 0
    assert "open it in a browser" in capsys.readouterr().out
    assert "g: walks and their lifts" in page.read_text(encoding="utf-8")
    net = tmp_path / "net.npz"
    nn.save(nn.Network(A.seed(1, 2, 1)), net)
    assert cli.main(["explore", str(net), "-o", str(page)]) == 0
    for wrong, words in (
        (["-o", "page.txt"], "the suffix must be .html or .htm"),
        (["--root", "q", "-o", str(page)], "has no vertex 'q'; its vertices are in, A, B, C, out"),
        (["--sheets", "0", "-o", str(page)], "must be a positive integer"),
        (["--window", "x", "-o", str(page)], "window"),
    ):
        assert cli.main(["explore", str(source), *wrong]) == 2
        captured = capsys.readouterr()
        assert words in captured.err
        assert captured.err.count("\n") == 1
