"""Rolling up: unrolling and rolling is doing nothing, and what is no window is refused."""

import networkx as nx
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.testing import delay_graphs


def parts(time):
    return time if isinstance(time, tuple) else (time,)


@st.composite
def windows(draw):
    d = draw(st.sampled_from([1, 2]))
    G = draw(delay_graphs(dimension=d, vertices=4, edges=7))
    axes = []
    for _ in range(d):
        start = draw(st.integers(-3, 3))
        axes.append(range(start, start + draw(st.integers(1, 5))))
    for v in G:
        if draw(st.booleans()):
            G.nodes[v]["op"] = draw(st.sampled_from(["sum", ("max", 2)]))
    for k, edge in enumerate(list(G.edges)):
        if draw(st.booleans()):
            G.edges[edge]["weight"] = k
        if not any(parts(G.edges[edge]["delay"])) and d == 1 and draw(st.booleans()):
            del G.edges[edge]["delay"]  # absent means zero
    G.graph["name"] = "drawn"
    return G, tuple(axes)


def expected(G, axes):
    """The graph without the edges of which no copy lies inside, its delays written out."""
    H = G.copy()
    for u, v, key, d in oracle.wires(G, dimension=len(axes)):
        if any(abs(x) >= len(axis) for x, axis in zip(d, axes, strict=True)):
            H.remove_edge(u, v, *key)
        else:
            H.edges[(u, v, *key)]["delay"] = oracle.plain(d)
    return H


@given(windows())
def test_rolling_up_undoes_unrolling(case):
    G, axes = case
    U = ug.unroll(G, axes if len(axes) > 1 else axes[0])
    H = expected(G, axes)
    for window in (U, U.copy()):
        R = ug.roll(window)
        assert type(R) is type(H)
        assert nx.utils.graphs_equal(R, H)
        assert list(R) == list(H)
    if U.number_of_edges():
        again = ug.unroll(R, U.window)
        assert nx.utils.graphs_equal(again.copy(), ug.unroll(H, U.window).copy())


@given(windows(), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_names_of_a_window_matter(case, random):
    G, axes = case
    U = ug.unroll(G, axes if len(axes) > 1 else axes[0])
    names = {node: f"copy {k}" for k, node in enumerate(U)}
    halves = {name: node for node, name in names.items()}
    nodes = list(U)
    random.shuffle(nodes)
    H = type(U.copy())()
    H.graph.update(U.graph)
    H.add_nodes_from((names[node], U.nodes[node]) for node in nodes)
    arcs = [(a, b, *key) for a, b, *key in (U.edges(keys=True) if U.is_multigraph() else U.edges)]
    random.shuffle(arcs)
    for a, b, *key in arcs:
        H.add_edge(names[a], names[b], *key, **U.edges[(a, b, *key)])
    R = ug.roll(
        H,
        node=lambda name: halves[name][0],
        time=lambda name: np.int64(halves[name][1]) if len(axes) == 1 else list_free(halves[name]),
    )
    assert nx.utils.graphs_equal(R, expected(G, axes))


def list_free(node):
    return tuple(map(np.int64, node[1]))


@given(delay_graphs(vertices=4, edges=8, multigraph=False), st.integers(7, 9))
def test_the_order_of_edges_is_that_of_the_graph_below(G, steps):
    """It is the order in which a vertex reads; some step has all edges, since delays are <= 3."""
    assert list(ug.roll(ug.unroll(G, steps)).edges) == list(G.edges)


def test_where_no_step_has_all_edges_the_orders_of_several_are_merged():
    G = nx.MultiDiGraph()
    for key, delay in (("b", -2), ("c", 0), ("a", 2)):
        G.add_edge("v", "v", key=key, delay=delay)
    assert list(ug.roll(ug.unroll(G, 3)).edges(keys=True)) == list(G.edges(keys=True))
    H = nx.DiGraph()  # whose vertices read in two orders
    H.add_nodes_from((v, t) for t in range(3) for v in "ab")
    H.add_edges_from([(("a", 0), ("a", 0)), (("a", 0), ("b", 0)), (("a", 1), ("b", 1))])
    H.add_edges_from([(("a", 1), ("a", 1)), (("a", 2), ("a", 2)), (("a", 2), ("b", 2))])
    assert sorted(ug.roll(H).edges) == [("a", "a"), ("a", "b")]


def test_two_delays_between_a_pair_make_a_multigraph():
    H = nx.DiGraph()
    for t in range(4):
        H.add_node(("h", t))
        for d in (1, 3, -2):
            if 0 <= t + d < 4:
                H.add_edge(("h", t), ("h", t + d), gain=d * 10)
    G = ug.roll(H)
    assert isinstance(G, nx.MultiDiGraph)
    assert list(G.edges(data=True)) == [
        ("h", "h", {"gain": d * 10, "delay": d}) for d in (1, 3, -2)
    ]
    again = nx.DiGraph(ug.unroll(G, 4))
    assert set(again.edges) == set(H.edges)


def test_keys_are_kept_unless_two_edges_would_have_the_same():
    M = nx.MultiDiGraph()
    M.add_nodes_from(("h", t) for t in range(3))
    for t in range(3):
        for d, key in ((1, "slow"), (2, "slow"), (0, "self")):
            if t + d < 3:
                M.add_edge(("h", t), ("h", t + d), key)
    G = ug.roll(M)
    assert sorted((d, key) for _, _, key, d in G.edges(keys=True, data="delay")) == [
        (0, "self"),
        (1, "slow"),
        (2, 0),
    ]


def test_only_keys_that_clash_are_given_anew():
    H = nx.MultiDiGraph()
    H.add_nodes_from((v, t) for t in range(2) for v in "uv")
    H.add_edge(("u", 0), ("v", 1), key=0, name="late")
    for t in range(2):
        H.add_edge(("u", t), ("v", t), key=0, name="first")
        H.add_edge(("u", t), ("v", t), key=1, name="second")
    found = {name: key for *_, key, name in ug.roll(H).edges(keys=True, data="name")}
    assert found["second"] == 1
    assert {found["late"], found["first"]} == {0, 2}


def test_many_edges_at_one_vertex_of_a_lift_are_looked_at_once():
    """If each were looked up at its vertex, this would take minutes."""
    U = ug.unroll(nx.DiGraph(("h", k) for k in range(5000)), 2)
    assert ug.roll(U).number_of_edges() == 5000
    assert len(ug.out_tree(U, ("h", 0), 1)) == 5001


def test_copies_may_carry_equal_arrays_and_their_delay_or_none():
    H = ug.unroll(ug.gallery.elman(), 3).copy()
    for t in range(3):
        H.nodes["h", t]["value"] = np.arange(3.0)
        H.nodes["y", t]["value"] = float("nan")
    del H.edges[("h", 0), ("h", 1)]["delay"]
    G = ug.roll(H)
    assert G.nodes["h"]["value"].tolist() == [0, 1, 2]
    assert G.edges["h", "h"] == {"delay": 1}


def test_what_was_unrolled_elsewhere_comes_back_with_its_own_names():
    """A table of causes with lags, as time-series tools write them: one column, one lag."""
    series, reach = ["wind", "power"], 3
    H = nx.DiGraph()
    H.add_nodes_from(f"{name} lag{lag}" for name in series for lag in range(reach))
    for lag in range(reach - 1):
        H.add_edge(f"wind lag{lag + 1}", f"wind lag{lag}")
        H.add_edge(f"wind lag{lag + 1}", f"power lag{lag}")
    for lag in range(reach):
        H.add_edge(f"wind lag{lag}", f"power lag{lag}")
    G = ug.roll(H, node=lambda name: name.split()[0], time=lambda name: -int(name.split("lag")[1]))
    assert sorted(G.edges(data="delay")) == [
        ("wind", "power", 0),
        ("wind", "power", 1),
        ("wind", "wind", 1),
    ]


def test_attributes_are_kept_and_an_empty_graph_stays_empty():
    H = ug.unroll(ug.gallery.elman(), 3).copy()
    nx.set_node_attributes(H, {node: {"unit": node[0].upper()} for node in H})
    G = ug.roll(H)
    assert G.nodes["h"] == {"unit": "H"}
    assert len(ug.roll(nx.DiGraph())) == 0
    alone = nx.DiGraph()
    alone.add_nodes_from([("a", 0), ("b", 0)])
    assert list(ug.roll(alone)) == ["a", "b"]
    named = ug.roll(ug.unroll(ug.gallery.elman(), 3), delay="lag")
    assert named.edges["h", "h"] == {"delay": 1, "lag": 1}


def window(change):
    H = ug.unroll(ug.gallery.elman(), range(2, 6)).copy()
    change(H)
    return H


def late(H):
    H.remove_node(("x", 5))


def gap(H):
    H.remove_nodes_from([(v, 3) for v in "xhy"])


def no_pair(H):
    H.add_node("h")


def no_time(H):
    H.add_node(("h", 2.5))


def mixed_times(H):
    H.add_node(("h", (1, 2)))


def lost(H):
    H.remove_edge(("h", 3), ("h", 4))


def extra(H):
    H.add_edge(("x", 4), ("y", 4))


def other_value(H):
    H.nodes["h", 4]["value"] = 7


def other_gain(H):
    H.edges[("x", 2), ("h", 2)]["gain"] = 1


def wrong_delay(H):
    H.edges[("h", 4), ("h", 5)]["delay"] = 2


def arrays(H):
    for t in range(2, 6):
        H.nodes["h", t]["value"] = np.arange(3.0) + t // 5


REFUSED = [
    (late, "the copy of 'x' at time 5 is missing; .* window range\\(2, 6\\)", None, ("x", 5)),
    (gap, "the copy of 'x' at time 3 is missing", None, ("x", 3)),
    (no_pair, "the vertex 'h' is not a pair", "h", None),
    (no_time, "invalid time 2.5 of .* a time must be an integer", ("h", 2.5), None),
    (mixed_times, "invalid time \\(1, 2\\) of .* a time must be an integer", ("h", (1, 2)), None),
    (lost, "exists, but its shift .* does not", (("h", 2), ("h", 3)), (("h", 3), ("h", 4))),
    (extra, "exists, but its shift .* does not", (("x", 4), ("y", 4)), (("x", 2), ("y", 2))),
    (other_value, "their attributes differ: {} and {'value': 7}", ("h", 2), ("h", 4)),
    (other_gain, "their attributes differ", (("x", 2), ("h", 2)), (("x", 3), ("h", 3))),
    (wrong_delay, "differ by 1, but its attribute 'delay' is 2", (("h", 4), ("h", 5)), None),
    (arrays, "their attributes differ", ("h", 2), ("h", 5)),
]


@pytest.mark.parametrize(
    ("change", "text", "found", "missing"), REFUSED, ids=[row[0].__name__ for row in REFUSED]
)
def test_what_is_no_window_is_refused_with_what_is_missing(change, text, found, missing):
    with pytest.raises(ug.errors.NotPeriodicError, match=text) as caught:
        ug.roll(window(change))
    assert caught.value.found == found
    assert caught.value.missing == missing


def test_a_vertex_twice_at_a_time_is_refused():
    H = nx.DiGraph([("a0", "b0"), ("A0", "b0")])
    with pytest.raises(
        ug.errors.NotPeriodicError, match="'a0' and 'A0' are both the copy of 'a' at time 0"
    ):
        ug.roll(H, node=lambda name: name[0].lower(), time=lambda name: int(name[1]))


def test_what_cannot_be_a_vertex_is_refused():
    with pytest.raises(
        TypeError, match="node returns ..'x'., 'x'. for the vertex .* must be hashable"
    ):
        ug.roll(window(nx.freeze), node=lambda name: (["x"], name[0]))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"node": {"x": "a"}}, "node must be a callable that takes a vertex, not"),
        ({"time": 3}, "time must be a callable that takes a vertex, not 3"),
        ({"node": lambda name: None}, "node returns None for the vertex .* must be hashable"),  # noqa: ARG005
    ],
)
def test_what_is_no_function_of_a_vertex_is_refused(options, text):
    with pytest.raises(TypeError, match=text):
        ug.roll(window(nx.freeze), **options)


def test_a_time_without_coordinates_is_refused():
    with pytest.raises(
        ug.errors.NotPeriodicError, match="invalid time .. of .* a time must be an integer"
    ):
        ug.roll(window(nx.freeze), time=lambda name: ())  # noqa: ARG005


def test_times_far_apart_are_refused_at_once():
    for far in (10**15, 10**30):
        H = nx.DiGraph([(("a", 0), ("a", far))])
        with pytest.raises(ug.errors.DelayError, match=r"must be at most 2\*\*31"):
            ug.roll(H)
        H.add_node(("b", 0))
        with pytest.raises(
            ug.errors.NotPeriodicError, match="the copy of 'a' at time 1 is missing"
        ):
            ug.roll(H)
    for far in (10**15, 2**63):
        H = nx.DiGraph([(("a", (0, 0)), ("a", (far, far)))])
        H.add_node(("a", (0, -1)))
        with pytest.raises(
            ug.errors.NotPeriodicError, match="the copy of 'a' at time .0, 1. is missing"
        ):
            ug.roll(H)
    with pytest.raises(TypeError, match="not a Graph"):
        ug.roll(nx.Graph())


def test_a_cyclic_cover_is_not_rolled_by_its_sheets():
    """Its arcs wrap around, so they are no shifts of each other."""
    with pytest.raises(ug.errors.NotPeriodicError):
        ug.roll(ug.cyclic_cover(ug.gallery.elman(), 3))


# -- templates ---------------------------------------------------------------------------------


@given(delay_graphs(least=0) | delay_graphs(dimension=2, least=0), st.integers(-3, 3))
def test_a_template_gives_the_graph_whose_edges_it_lists(G, now):
    """Each edge once, from the past of its tail to the same present."""
    rows = list(G.edges(data="delay", default=0))
    T = nx.MultiDiGraph()
    for u, v, d in rows:
        past = now - d if isinstance(d, int) else tuple(now - x for x in d)
        T.add_edge((u, past), (v, now if isinstance(d, int) else (now,) * len(d)))
    R = ug.roll(T)
    assert sorted(R.edges(data="delay")) == sorted(rows)
    assert set(R) == {v for row in rows for v in row[:2]}


def test_a_template_keeps_attributes_and_later_causes():
    T = nx.DiGraph()
    T.add_edge(("x", -2), ("y", 0), weight=0.5)
    T.add_edge(("y", 1), ("x", 0), weight=2.0)
    assert list(ug.roll(T).edges(data=True)) == [
        ("x", "y", {"weight": 0.5, "delay": 2}),
        ("y", "x", {"weight": 2.0, "delay": -1}),
    ]


def test_a_damaged_window_is_not_taken_for_a_template():
    H = ug.unroll(ug.gallery.elman(), 3).copy()
    H.remove_node(("x", 0))
    with pytest.raises(
        ug.errors.NotPeriodicError, match="a template, where each edge occurs once and all end at"
    ):
        ug.roll(H)
    delayed = nx.DiGraph([(("x", 1), ("x", 2))])
    delayed.add_node(("x", 0))  # begins no arc
    with pytest.raises(ug.errors.NotPeriodicError, match="its shift .* does not"):
        ug.roll(delayed)
