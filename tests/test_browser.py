"""The explorer in a real Chromium: by mouse, finger and key, and for those who hear it."""

import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.explorer.page import _module

pytestmark = pytest.mark.browser

A = nn.architectures
GRAPHS = {
    "seed": A.seed(1, 1, 1),
    "lstm": A.lstm(1, 1, 1),
    "bidirectional": A.bidirectional(1, 1, 1),
    "grid": A.grid_2d(1, 1, 1),
    "two loops": ug.gallery.bouquet(1, 2),
    "opposed": ug.gallery.opposed_pair(),
    "diamond": ug.gallery.diamond(),
}
SHOWN = ["seed", "lstm", "bidirectional", "grid"]


@pytest.fixture
def opened(chromium, tmp_path):
    """Open the page of a graph; in the end nothing was loaded, and nothing complained."""
    contexts, complaints, requests = [], [], []

    def opener(name, *, page=None, **options):
        path = tmp_path / "page.html"
        (page or ug.explorer.explore(GRAPHS[name])).save(path)
        size = options.pop("viewport", {"width": 1280, "height": 1000})
        context = chromium.new_context(viewport=size, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(path.as_uri())
        return tab

    yield opener
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(url.startswith("file:") for url in requests)
    assert len(requests) == len(contexts)


def says(tab):
    return tab.locator(".status").inner_text()


def disc(tab, label, side="below"):
    return tab.locator(f".{side} .vertex", has=tab.locator(f"text=/^{label}$/")).first


def middle(locator):
    box = locator.locator("circle").first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def step(tab, label, times=1):
    for _ in range(times):
        tab.get_by_role("group", name="Next step").get_by_role("button", name=label).first.click()


def chosen(tab, cover):
    tab.get_by_role("group", name="Which cover").get_by_role("button", name=cover).click()


def tower(tab):
    rows = tab.locator(".tower tbody tr").all()
    return {r.locator("th").inner_text(): r.locator("td").all_inner_texts() for r in rows}


def test_parallel_edges_of_one_delay_have_buttons_of_their_own(opened):
    tab = opened("", page=ug.explorer.explore(ug.gallery.bouquet(1, 1, 2)))
    names = tab.get_by_role("group", name="Next step").get_by_role("button").all_inner_texts()
    along = {name.removeprefix("\N{RIGHTWARDS ARROW} ") for name in names}
    assert {"[0]a, delay 1", "[1]a, delay 1", "a, delay 2"} < along
    assert len({*names}) == len(names) == 6


# -- the lift ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(chromium):
    """The page's script alone, where its functions can be called."""
    tab = chromium.new_page()
    tab.add_script_tag(
        type="module", content=f"{_module()}\nwindow.ug = {{ lift, indexed, mount }};"
    )
    tab.wait_for_function("window.ug")
    yield tab
    tab.close()


LIFT = """([spec, key, start, walk]) => {
  const cover = window.ug.indexed(spec.covers.find((one) => one.key === key));
  const passed = window.ug.lift(spec.base, cover, start, walk);
  return passed.map(({ place, vertex, arc }) => [place, vertex, arc]);
}"""


def walks(G, rng, count, length, signs):
    """Walks drawn at random, along edges or either way, as numbers of edges with signs."""
    edges = list(G.edges(keys=True) if G.is_multigraph() else G.edges())
    for _ in range(count):
        begin = here = list(G)[rng.integers(len(G))]
        walk = []
        for _ in range(length):
            ways = [(k, s) for k, e in enumerate(edges) for s in signs if e[s < 0] == here]
            if not ways:
                break
            k, s = ways[rng.integers(len(ways))]
            walk.append([k, s])
            here = edges[k][s > 0]
        yield begin, walk


@pytest.mark.parametrize("name", GRAPHS)
def test_the_lift_is_that_of_python(module, name):
    G = GRAPHS[name]
    spec = ug.explorer.explore(G).data
    names, edges = list(G), list(G.edges(keys=True) if G.is_multigraph() else G.edges())
    shown = {cover["key"]: cover for cover in spec["covers"]}
    rng = np.random.default_rng(0)

    def placed(place):
        sheet = place["sheet"]
        return names[place["over"]], tuple(sheet) if len(sheet) > 1 else sheet[0]

    sheets = (3,) * ug.DelayGraph(G).dimension
    around = ug.cyclic_cover(G, sheets if len(sheets) > 1 else 3)
    above = {
        "delay": ug.DelayCover(G),
        "abelian": ug.DelayCover(ug.abelianize(G)),
        "cyclic": around,
    }
    for begin, walk in walks(G, rng, 6, 9, (1,)):
        for key, cover in above.items():
            start = spec["home"][names.index(begin)][key]
            found = module.evaluate(LIFT, [spec, key, start, walk])
            nodes = [placed(place) for place, *_ in found]
            lifted = ug.lift_walk(cover, [edges[k] for k, _ in walk], nodes[0])
            assert nodes[1:] == [arc[1] for arc in lifted]
            for (place, k, _), node in zip(found, nodes, strict=True):
                drawn = {placed(v): i for i, v in enumerate(shown[key]["vertices"])}
                assert k == drawn.get(node, -1), place
    for begin, walk in walks(G, rng, 6, 9, (1, -1)):
        start = spec["home"][names.index(begin)]["universal"]
        if start < 0:
            continue
        found = module.evaluate(LIFT, [spec, "universal", start, walk])
        word = [tuple(s) for s in shown["universal"]["vertices"][start]["word"]]
        arcs = shown["universal"]["arcs"]
        ends = [[found[i][1], found[i + 1][1]][:: walk[i][1]] for i in range(len(walk))]
        for (place, _, arc), (k, s), (tail, head) in zip(found[1:], walk, ends, strict=True):
            wanted = {"edge": k, "tail": tail, "head": head}
            assert (arc >= 0) == (min(tail, head) >= 0)
            assert arc < 0 or wanted.items() <= arcs[arc].items()
            word = word[:-1] if word and word[-1] == (k, -s) else [*word, (k, s)]
            assert place["word"] == list(map(list, word))
        # and back along the same edges it is where it began
        back = [[k, -s] for k, s in reversed(walk)]
        k = module.evaluate(LIFT, [spec, "universal", start, walk + back])[-1][1]
        assert k == start


# -- by mouse, finger and key ---------------------------------------------------------------------


def test_a_walk_closed_below_is_open_above(opened):
    tab = opened("seed")
    assert says(tab).startswith("The walk begins at A.")
    for label in ("B", "C", "A"):
        disc(tab, label).click()
    lift = "The walk is closed, and its lift is open: from (A, 0) to (A, 1)."
    assert says(tab) == f"3 steps: A → B → C → A. {lift}"
    assert tower(tab)["The graph"] == ["A", "closed"]
    assert tower(tab)["Delay cover"] == ["(A, 1)", "open"]
    assert tab.locator(".above .halo").count() == 3
    tab.get_by_role("button", name="Undo").click()
    assert says(tab).startswith("2 steps: A → B → C.")
    tab.get_by_role("button", name="Clear").click()
    assert says(tab).startswith("The walk begins at A.")
    tab.keyboard.press("Backspace")  # takes that back
    assert says(tab).startswith("2 steps")


def test_the_cyclic_cover_closes_when_it_has_gone_round(opened):
    tab = opened("seed")
    chosen(tab, "Cyclic cover")
    for turn in (1, 2, 3):
        for label in ("B", "C", "A"):
            step(tab, label)
        closed = "its lift is closed" in says(tab)
        assert closed == (turn == 3)
    assert tower(tab)["Cyclic cover, 3 sheets"] == ["(A, 0)", "closed"]
    assert tower(tab)["Universal cover"][1] == "open"


def test_one_draws_a_walk_with_the_mouse(opened):
    tab = opened("seed")
    tab.mouse.move(*middle(disc(tab, "A")))
    tab.mouse.down()
    for label in ("B", "C"):
        tab.mouse.move(*middle(disc(tab, label)), steps=5)
    tab.mouse.up()
    assert says(tab).startswith("2 steps: A → B → C.")
    # and from elsewhere it begins anew
    tab.mouse.move(*middle(disc(tab, "in")))
    tab.mouse.down()
    tab.mouse.move(*middle(disc(tab, "A")), steps=5)
    tab.mouse.up()
    assert says(tab).startswith("1 step: in → A.")


def test_a_drag_passes_over_what_is_no_neighbor(opened):
    tab = opened("lstm")
    step(tab, "ig")
    before = says(tab)
    tab.mouse.move(*middle(disc(tab, "ig")))
    tab.mouse.down()
    tab.mouse.move(*middle(disc(tab, "h")), steps=20)  # over c, a neighbor, and tc, one of c
    tab.mouse.up()
    assert says(tab) != before
    assert says(tab).startswith("4 steps: i → ig → c → tc → h.")
    tab.mouse.move(*middle(disc(tab, "g")))
    tab.mouse.down()
    tab.mouse.move(*middle(disc(tab, "f")), steps=20)  # no edge leads there
    tab.mouse.up()
    assert says(tab).startswith("4 steps: i → ig → c → tc → h.")


def test_a_drag_along_parallel_edges_asks(opened):
    page = ug.explorer.explore(nx.MultiDiGraph([("a", "b", {"delay": d}) for d in (0, 1, 2)]))
    tab = opened(None, page=page)
    tab.mouse.move(*middle(disc(tab, "a")))
    tab.mouse.down()
    tab.mouse.move(*middle(disc(tab, "b")), steps=9)
    tab.mouse.up()
    assert says(tab) == "More than one edge leads there: choose a step from a."


def swiped(tab, points):
    """Draw a finger over the glass."""
    session = tab.context.new_cdp_session(tab)
    for k, (x, y) in enumerate(points):
        event = {"type": "touchMove" if k else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        session.send("Input.dispatchTouchEvent", event)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_on_a_phone_one_taps_and_draws(opened):
    tab = opened(
        "seed",
        viewport={"width": 390, "height": 780},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    tab.touchscreen.tap(*middle(disc(tab, "B")))
    tab.touchscreen.tap(*middle(disc(tab, "C")))
    assert says(tab).startswith("2 steps: A → B → C.")
    tab.get_by_role("button", name="Clear").tap()
    swiped(tab, [middle(disc(tab, label)) for label in ("A", "B", "C")])
    assert says(tab).startswith("2 steps: A → B → C.")
    # the page is no wider than the phone, and discs are large enough for a finger
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    sizes = [b.bounding_box() for b in tab.get_by_role("button").all() if b.is_visible()]
    assert all(box["height"] >= 18 for box in sizes)
    # the walk below and its lift above are seen together
    for label, side in (("A", "below"), ("in0", "above"), ("out0", "above")):
        assert middle(disc(tab, label, side))[1] < 780


def test_on_a_phone_the_page_is_pushed_from_between_the_vertices(opened):
    tab = opened("seed", viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    panel = tab.locator(".below svg").bounding_box()
    beside = panel["x"] + 10, panel["y"] + panel["height"] / 2
    for x, y in (middle(disc(tab, "B")), beside):
        swiped(tab, [(x, y - 20 * k) for k in range(8)])
        assert (tab.evaluate("scrollY") > 0) == ((x, y) == beside)


@pytest.mark.parametrize("name", SHOWN)
def test_on_a_phone_everything_can_be_read_and_touched(opened, name):
    tab = opened(name, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    for cover in ("Delay", "Cyclic", "Maximal", "Universal"):
        chosen(tab, cover)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        for side in ("below", "above"):
            token = tab.locator(f".{side} .token").first.bounding_box()
            assert 0 <= token["x"] <= 390 - token["width"]  # the end of the walk is in sight
            box = tab.locator(f".{side} .vertex circle").first.bounding_box()
            assert box["width"] >= 13


def test_everything_can_be_done_by_keys(opened):
    tab = opened("seed")
    disc(tab, "in").focus()
    tab.keyboard.press("Enter")  # against the edge to A
    assert says(tab).startswith("1 step: A → in.")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press(" ")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    assert says(tab).startswith("3 steps: A → in → A → B.")
    focused = tab.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "B, end of the walk"
    # the key stays where it was while steps are taken and taken back
    button = tab.get_by_role("group", name="Next step").get_by_role("button").first
    button.focus()
    for _ in range(3):
        tab.keyboard.press("Enter")
    assert says(tab).startswith("6 steps")
    tab.keyboard.press("Backspace")
    assert says(tab).startswith("5 steps")
    tab.get_by_role("button", name="Clear").focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.closest('.below') !== null")
    tab.keyboard.press("Backspace")
    assert says(tab).startswith("5 steps")
    # each panel is one stop of the tabulator
    assert tab.locator("svg [tabindex='0']").count() == 2
    disc(tab, "B0", "above").focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == "(B, 3)"
    tab.keyboard.press("Enter")  # no neighbor of the end: the lift begins there
    assert says(tab).startswith("The walk begins at B.")
    assert tower(tab)["Delay cover"][0] == "(B, 3)"


def test_loops_and_parallel_edges_are_told_apart(opened):
    tab = opened("two loops")
    disc(tab, "a").click()
    assert says(tab) == "More than one edge leads there: choose a step from a."
    step(tab, "delay 2")
    assert says(tab).endswith("from (a, 0) to (a, 2).")
    tab.locator(".below .hit").first.dispatch_event("click")
    assert says(tab).endswith("from (a, 0) to (a, 3).")


def test_where_edges_lead_there_and_back_one_goes_along(opened):
    page = ug.explorer.explore(nx.DiGraph([("a", "b"), ("b", "a", {"delay": 1}), ("b", "c")]))
    tab = opened(None, page=page)
    disc(tab, "b").click()
    disc(tab, "a").click()
    assert says(tab).endswith("The walk is closed, and its lift is open: from (a, 0) to (a, 1).")
    # a shift that is used up hands the keyboard on
    shift = tab.get_by_role("button", name="Shift the lift one step later")
    shift.focus()
    for _ in range(5):
        tab.keyboard.press("Enter")
    assert shift.is_disabled()
    assert tab.evaluate("document.activeElement.closest('.above svg') !== null")


# -- what covers are ------------------------------------------------------------------------------


def test_the_lift_begins_on_any_sheet_and_is_shifted(opened):
    tab = opened("seed")
    step(tab, "B")
    tab.get_by_label("Start at").select_option(label="(A, 2)")
    assert says(tab).endswith("from (A, 2) to (B, 2).")
    tab.get_by_role("button", name="Shift the lift one step later").click()
    assert says(tab).endswith("from (A, 3) to (B, 3).")
    disc(tab, "A1", "above").click()
    assert says(tab).endswith("from (A, 1) to (B, 1).")
    assert tower(tab)["Cyclic cover, 3 sheets"][0] == "(B, 1)"
    disc(tab, "B1", "above").click()  # there the lift is already
    assert says(tab).startswith("1 step")
    disc(tab, "C1", "above").click()  # a neighbor of the end: a step
    assert says(tab).endswith("from (A, 1) to (C, 1).")


def test_lifts_lie_above_each_other_wherever_they_begin(opened):
    tab = opened("seed")
    tab.get_by_label("Start at").select_option(label="(A, 3)")
    assert tower(tab)["Maximal abelian cover"][0] == "(A, 3)"
    assert tower(tab)["Universal cover"] == ["its start is not drawn"]
    chosen(tab, "Universal cover")
    step(tab, "B")
    assert says(tab).endswith("The start of its lift is not drawn.")
    tab.get_by_label("Start at").select_option(index=1)
    rows = tower(tab)
    assert rows["Universal cover"][0].startswith("(B, ")
    assert rows["Delay cover"][0] == "(B, 0)"
    for label in ("out", "C"):
        chosen(tab, "Delay cover")
        disc(tab, label).click()
        assert "(" in tower(tab)["Delay cover"][0]


def test_fibres_and_images_are_shown(opened):
    tab = opened("seed")
    disc(tab, "B").hover()
    assert tab.locator(".above .vertex.same").count() == 7  # five copies and two ghosts
    chosen(tab, "Universal cover")
    tab.get_by_label("Project to").select_option("delay")
    assert tab.locator(".under .vertex").count() == 35
    tab.locator(".above .scroll").first.locator(".vertex").first.hover()
    assert tab.locator(".under .vertex.same").count() == 1
    assert tab.locator(".below .vertex.same").count() == 1


def test_arcs_at_a_vertex_are_as_many_above(opened):
    tab = opened("seed")
    tab.get_by_label("number the edges at the end").check()
    assert tab.locator(".below .tags > g").count() == 3
    assert tab.locator(".above .tags > g").count() == 3
    text = tab.inner_text(".above")
    assert "A has in-degree 2 and out-degree 1. Each of these edges has exactly one lift" in text
    assert "at (A, 0), as in every covering." in text
    for label in 5 * ["B", "C", "A"] + ["B", "C"]:
        step(tab, label)
    assert says(tab).endswith("to (C, 5).")
    assert "(1 not drawn), as in every covering." in tab.inner_text(".above")


def test_other_clocks_show_the_same_cover(opened):
    tab = opened("seed")
    for label in ("B", "C", "A"):
        step(tab, label)
    arcs = tab.locator(".above .arc").count()
    before = middle(disc(tab, "B2", "above"))
    tab.get_by_label("Retiming").select_option(label="B, C, out one step later")
    tab.wait_for_timeout(900)
    assert tab.locator(".above .arc").count() == arcs
    after = middle(disc(tab, "B3", "above"))
    assert after[0] > before[0] + 20
    assert after[1] == pytest.approx(before[1], abs=30)
    assert tab.locator(".below .badges text").text_content() == "delay 1"
    assert says(tab).endswith("from (A, 0) to (A, 1).")
    # times are told by those clocks wherever the lift goes, and modulo three as well
    for label in 5 * ["B", "C", "A"]:
        step(tab, label)
    assert says(tab).endswith("from (A, 0) to (A, 6). The end of the lift is not drawn.")
    step(tab, "B")
    assert says(tab).endswith("to (B, 7). The end of the lift is not drawn.")
    assert tower(tab)["Cyclic cover, 3 sheets"][0] == "(B, 1)"
    chosen(tab, "Cyclic cover")
    assert tower(tab)["Cyclic cover, 3 sheets"][0] == "(B, 0)"
    chosen(tab, "Delay cover")
    assert tab.get_by_label("Retiming").input_value() == "-1"
    assert tab.locator(".below .badges rect").count() == 1
    assert says(tab).endswith("to (B, 6). The end of the lift is not drawn.")


def test_the_network_runs_forward_and_back(opened):
    tab = opened("seed")
    chosen(tab, "Cyclic cover")
    tab.get_by_role("button", name="One step on").click()
    assert tab.get_by_role("button", name="Delay cover").get_attribute("aria-pressed") == "true"
    slider = tab.get_by_label("Step of the run")
    count = int(slider.get_attribute("max")) // 2
    slider.fill(str(count))
    run = ug.explorer.explore(GRAPHS["seed"]).data["network"]
    shown = [t for t in tab.locator(".above .value").all_text_contents() if t]
    assert sorted(shown) == sorted(run["values"].values())
    assert not any(tab.locator("td.sum").all_inner_texts())
    slider.fill(str(2 * count))
    slopes = [t for t in tab.locator(".above .slope").all_text_contents() if t]
    assert sorted(slopes) == sorted(run["gradients"].values())
    sums = [weight["sums"][-1] for weight in run["weights"]]
    assert tab.locator("td.sum").all_inner_texts() == sums
    assert tab.locator(".copy.in").count() == sum(len(w["copies"]) for w in run["weights"])
    tab.get_by_role("button", name="Play").click()
    tab.wait_for_timeout(1700)
    tab.get_by_role("button", name="Pause").click()
    turn = int(slider.input_value())
    assert turn > 0
    assert f"Forward, {turn} of" in tab.inner_text("main")
    tab.get_by_role("button", name="Play").click()
    chosen(tab, "Universal cover")  # who looks elsewhere is left in peace
    turn = int(slider.input_value())
    tab.wait_for_timeout(900)
    assert int(slider.input_value()) == turn
    assert tab.get_by_role("button", name="Universal cover").get_attribute("aria-pressed") == "true"
    tab.get_by_label("Project to").select_option("delay")
    known = sum(len(front) for front in run["fronts"][:turn])
    assert sum(map(bool, tab.locator(".under .value").all_text_contents())) == known


# -- for everyone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_nothing(opened, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    tab = opened(name, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    for cover in ("Delay", "Cyclic", "Maximal", "Universal"):
        chosen(tab, cover)
        tab.get_by_role("group", name="Next step").get_by_role("button").first.click()
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()


def test_who_wants_no_motion_sees_none(opened):
    tab = opened("seed", reduced_motion="reduce")
    moving = "e => getComputedStyle(e).transitionDuration + getComputedStyle(e).animationName"
    assert tab.locator(".above .vertex").first.evaluate(moving) == "0snone"
    tab = opened("seed")
    assert tab.locator(".above .vertex").first.evaluate(moving).startswith("0.6s")


def test_names_are_shown_and_never_run(opened):
    bad = "<img src=x onerror=alert(1)>"
    G = nx.DiGraph([(bad, "b"), ("b", bad, {"delay": 1})])
    tab = opened(None, page=ug.explorer.explore(G, title="<b>"))
    assert tab.locator("img").count() == 0
    assert tab.locator("h1").inner_text() == "<b>"
    assert bad in says(tab)


def test_a_notebook_shows_the_page_in_a_frame(chromium, tmp_path):
    tab = chromium.new_page()
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html>{ug.explorer.explore(GRAPHS['seed'])._repr_html_()}")
    tab.goto(path.as_uri())
    frame = tab.frame_locator("iframe")
    frame.get_by_role("button", name="→ B").click()
    assert frame.locator(".status").inner_text().startswith("1 step: A → B.")
    tab.close()


def test_a_widget_tells_and_is_told_of_the_walk(module):
    spec = ug.explorer.explore(GRAPHS["seed"]).data
    module.evaluate(
        """async ([source, spec]) => {
          const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
          const { default: widget } = await import(address);
          const state = { spec, start: spec.root, walk: [] }, heard = {};
          window.model = {
            get: (key) => state[key],
            set: (key, value) => { state[key] = value; heard[`change:${key}`](); },  // at once
            save_changes: () => {},
            on: (event, call) => { heard[event] = call; },
            off: () => {},
          };
          window.tell = (walk) => { state.walk = walk; heard["change:walk"](); };
          document.body.replaceChildren(document.createElement("div"));
          window.leave = widget.render({ model: window.model, el: document.body.firstChild });
        }""",
        [_module(), spec],
    )
    step(module, "B")
    assert module.evaluate("[model.get('start'), model.get('walk')]") == [1, [[1, 1]]]
    module.evaluate("tell([[1, 1], [2, 1]])")
    assert says(module).startswith("2 steps: A → B → C.")
    # a walk from another vertex: both change, and what the model says meanwhile is an echo
    disc(module, "out4", "above").click()
    assert module.evaluate("[model.get('start'), model.get('walk')]") == [4, []]
    assert tower(module)["Delay cover"][0] == "(out, 4)"
    module.get_by_role("button", name="Undo").click()
    assert says(module).startswith("2 steps: A → B → C.")
    module.evaluate("tell([[4, 1]])")  # that is no walk from A
    assert says(module).startswith("2 steps: A → B → C.")
    module.get_by_role("button", name="Play").click()
    module.evaluate("leave()")
    module.wait_for_timeout(900)
    assert module.get_by_label("Step of the run").input_value() == "0"
