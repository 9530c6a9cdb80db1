"""Feedback delays make every unrolling acyclic, by the least that each method promises."""

import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.testing import delay_graphs


def delayed(G):
    edges = G.edges(keys=True, data="delay") if G.is_multigraph() else G.edges(data="delay")
    return {tuple(edge[:-1]) for edge in edges if edge[-1]}


def without(G, edges):
    H = G.copy()
    H.remove_edges_from(edges)
    return H


@given(delay_graphs(vertices=6, edges=14), st.sampled_from(["dfs", "greedy", "exact"]))
def test_undelayed_edges_hold_no_cycle_and_delays_are_0_and_1(G, method):
    H = ug.delay_feedback(G, method=method)
    assert type(H) is type(G)
    assert list(H.edges) == list(G.edges)
    assert {d for *_, d in H.edges(data="delay")} <= {0, 1}
    assert nx.is_directed_acyclic_graph(without(H, delayed(H)))
    assert ug.is_acyclic(ug.DelayCover(H))


@given(delay_graphs(vertices=6, edges=14), st.randoms(use_true_random=False))
def test_an_order_delays_exactly_the_edges_that_do_not_go_forward(G, random):
    order = list(G)
    random.shuffle(order)
    H = ug.delay_feedback(G, order=order)
    assert delayed(H) == {e for e in H.edges if order.index(e[0]) >= order.index(e[1])}


def test_depth_first_delays_the_backward_edge_of_the_seed_network():
    G = ug.gallery.seed_network()
    assert delayed(ug.delay_feedback(G)) == {("C", "A")}
    assert delayed(ug.delay_feedback(G, roots=["B"])) == {("A", "B")}


def test_an_acyclic_graph_gets_no_delays_and_a_loop_gets_one():
    G = nx.DiGraph([(1, 2), (2, 3), (1, 3), (2, 2)])
    for method in ("dfs", "greedy", "exact"):
        assert delayed(ug.delay_feedback(G, method=method)) == {(2, 2)}


def test_the_greedy_order_keeps_its_bound_on_tournaments():
    """Eades, Lin and Smyth (1993): at most m/2 - n/6 where no edge has its reverse."""
    for seed in range(20):
        G = nx.tournament.random_tournament(9, seed=seed)
        late = delayed(ug.delay_feedback(G, method="greedy"))
        assert len(late) <= G.number_of_edges() / 2 - len(G) / 6


def test_the_greedy_order_puts_sinks_last_and_sources_first():
    G = nx.DiGraph([("t", "s"), ("m", "t"), ("s", "m"), ("first", "m"), ("m", "last")])
    assert delayed(ug.delay_feedback(G, method="greedy")) == {("m", "t")}


def fewest(G, weight=None):
    """Least number or weight of backward edges of an order, by dynamic programming over sets."""
    vertices = list(G)
    number = {v: k for k, v in enumerate(vertices)}
    edges = nx.MultiDiGraph(G).edges(data=weight, default=1)
    ends = [(number[u], number[v], w if weight else 1) for u, v, w in edges]
    least = [0] * 2 ** len(vertices)
    for front in range(1, len(least)):
        least[front] = min(
            least[front & ~(1 << last)]
            + sum(w for u, v, w in ends if u == last and bool(front >> v & 1))
            for last in range(len(vertices))
            if front >> last & 1
        )
    return least[-1]


@given(delay_graphs(vertices=7, edges=20))
def test_the_exact_method_delays_as_few_edges_as_any_order(G):
    assert len(delayed(ug.delay_feedback(G, method="exact"))) == fewest(G)


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_method_on_denser_graphs(seed):
    G = nx.gnm_random_graph(10, [25, 40, 60][seed % 3], seed, directed=True)
    late = delayed(ug.delay_feedback(G, method="exact"))
    assert nx.is_directed_acyclic_graph(without(G, late))
    assert len(late) == fewest(G)


def test_of_each_pair_of_opposite_edges_one_is_delayed():
    G = nx.complete_graph(17, create_using=nx.DiGraph)
    assert len(delayed(ug.delay_feedback(G, method="exact"))) == 17 * 16 / 2


def test_the_exact_method_counts_components_one_by_one_and_says_its_limit():
    small = nx.gnm_random_graph(12, 40, 1, directed=True)
    many = nx.disjoint_union_all([small] * 12)
    alone = delayed(ug.delay_feedback(small, method="exact"))
    assert len(delayed(ug.delay_feedback(many, method="exact"))) == 12 * len(alone)


def test_the_exact_method_is_limited_by_time_and_not_by_size():
    G = nx.gnm_random_graph(300, 600, seed=1, directed=True)
    # 25: igraph 0.11, feedback_arc_set(method="ip")
    assert len(delayed(ug.delay_feedback(G, method="exact"))) == 25
    with pytest.raises(
        ug.errors.TimeLimitError, match="within time_limit=0 seconds; raise time_limit"
    ):
        ug.delay_feedback(G, method="exact", time_limit=0)
    dense = nx.gnm_random_graph(120, 2400, seed=1, directed=True)
    start = time.monotonic()
    with pytest.raises(ug.errors.TimeLimitError, match="or use method='greedy'"):
        ug.delay_feedback(dense, method="exact", time_limit=1)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_method_finds_the_least_weight(seed):
    G = nx.gnm_random_graph(8, 24, seed, directed=True)
    rng = np.random.default_rng(seed)
    for *_, data in G.edges(data=True):
        data["cost"] = int(rng.integers(0, 9)) if seed % 2 else float(rng.exponential())
    late = delayed(ug.delay_feedback(G, method="exact", weight="cost"))
    assert sum(G.edges[e]["cost"] for e in late) == pytest.approx(fewest(G, "cost"), abs=1e-5)
    assert nx.is_directed_acyclic_graph(without(G, late))


@pytest.mark.parametrize(
    ("weight", "value", "text"),
    [
        ("cost", 1, "no edge has the attribute 'cost'"),
        ("w", -1, r"weight -1 on edge \('A', 'B'\): the attribute 'w' must be a number from 0 to"),
        ("w", float("nan"), "invalid weight nan on edge"),
        ("w", 10**400, "must be a number from 0 to"),
        ("w", 1e17, "must be a number from 0 to"),
        ("w", "2", "invalid weight '2' on edge"),
    ],
)
def test_weights_are_checked(weight, value, text):
    G = ug.gallery.seed_network()
    G.edges["A", "B"]["w"] = value
    with pytest.raises(ValueError, match=text):
        ug.delay_feedback(G, method="exact", weight=weight)


def test_a_set_that_is_not_proved_smallest_is_not_returned(monkeypatch):
    from scipy import optimize

    solve = optimize.milp

    def lazy(*args, **options):
        found = solve(*args, **options)
        found.mip_dual_bound -= 1
        return found

    monkeypatch.setattr(optimize, "milp", lazy)
    with pytest.raises(ug.errors.TimeLimitError, match="did not prove a solution optimal"):
        ug.delay_feedback(ug.gallery.seed_network(), method="exact")


def test_old_delays_do_not_matter_even_when_they_are_none():
    G = nx.DiGraph()
    G.add_edge("a", "a", delay="late", color="red")
    H = ug.delay_feedback(G)
    assert H.edges["a", "a"] == {"delay": 1, "color": "red"}
    assert G.edges["a", "a"]["delay"] == "late"
    again = ug.delay_feedback(ug.DelayGraph(H))
    assert nx.utils.graphs_equal(again, H)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"order": ["A", "B"]}, "order lacks 'in'"),
        ({"order": ["A", "A", "B", "C", "in", "out"]}, "twice"),
        ({"order": ["A", "Z"]}, "'Z', which is not a vertex"),
        ({"roots": ["Z"]}, "'Z', which is not a vertex"),
        ({"order": [], "roots": ["A"]}, "cannot be combined with roots"),
        ({"order": [], "method": "greedy"}, "cannot be combined with roots or method"),
        ({"roots": ["A"], "method": "greedy"}, "roots"),
        ({"weight": "w"}, "weight is used by method='exact' only"),
        ({"method": "exact", "time_limit": "5"}, "time_limit is '5', but it must be a number"),
        ({"method": "exact", "time_limit": float("nan")}, "time_limit is nan"),
        ({"method": "magic"}, "'dfs', 'greedy' or 'exact'"),
        ({"roots": ["A"], "method": "exact"}, "roots"),
    ],
)
def test_bad_choices_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        ug.delay_feedback(ug.gallery.seed_network(), **options)


@pytest.mark.parametrize("name", ["order", "roots"])
def test_one_vertex_is_no_list_of_vertices(name):
    with pytest.raises(
        TypeError, match=f"{name} must be an iterable of vertices, such as .5., not 5"
    ):
        ug.delay_feedback(ug.gallery.seed_network(), **{name: 5})


def test_a_deep_path_does_not_recurse():
    G = nx.path_graph(20_000, create_using=nx.DiGraph)
    G.add_edge(19_999, 0)
    assert delayed(ug.delay_feedback(G)) == {(19_999, 0)}
