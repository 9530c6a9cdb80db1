"""Reading delay graphs: what is accepted, what is refused, and that it never changes."""

import copy
import gc
import math
import pickle
from decimal import Decimal
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.testing import delay_graphs


def one_edge(delay):
    G = nx.DiGraph()
    G.add_edge("u", "v", delay=delay)
    return G


@pytest.mark.parametrize(
    "value",
    [
        True,
        np.True_,
        1.0,
        float("nan"),
        None,
        "1",
        (),
        (1, 2.0),
        (1, None),
        [[1]],
        Fraction(2),
        Decimal(1),
        2**31 + 1,
        -(2**31) - 1,
        (0, 2**40),
        -(2**63),
        2**63 - 1,
        10**30,
    ],
    ids=repr,
)
def test_what_is_no_delay_is_refused_naming_edge_and_value(value):
    with pytest.raises(
        ug.errors.DelayError, match=r"invalid delay .* on edge \('u', 'v'\): "
    ) as caught:
        ug.DelayGraph(one_edge(value))
    assert caught.value.edge == ("u", "v")
    assert caught.value.value is value
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, [0]),
        (-3, [-3]),
        (2**31, [2**31]),
        (-(2**31), [-(2**31)]),
        (np.int8(-4), [-4]),
        (np.uint64(7), [7]),
        ((5,), [5]),
        ((1, -2), [1, -2]),
        ((np.int64(1), 0, 3), [1, 0, 3]),
        (np.array([1, 2]), [1, 2]),
    ],
    ids=repr,
)
def test_integers_and_tuples_of_integers_are_delays(value, read):
    graph = ug.DelayGraph(one_edge(value))
    assert graph.delays.tolist() == [read]
    assert graph.delays.dtype == np.int64
    parts = graph.times[0] if len(read) > 1 else (graph.times[0],)
    assert all(type(part) is int for part in parts)


def test_mixed_dimensions_are_refused_naming_both_edges():
    G = one_edge((1, 0))
    G.add_edge("v", "w", delay=1)
    with pytest.raises(
        ug.errors.DelayError,
        match=r"edge \('v', 'w'\): .* dimension 1, but .* edge \('u', 'v'\) has dimension 2",
    ) as caught:
        ug.DelayGraph(G)
    assert caught.value.edge == ("v", "w")


def test_an_absent_delay_is_zero_in_every_dimension():
    G = nx.DiGraph([("a", "b")])
    assert ug.DelayGraph(G).delays.tolist() == [[0]]
    G.add_edge("b", "a", delay=(1, -1))
    assert ug.DelayGraph(G).delays.tolist() == [[0, 0], [1, -1]]


def test_the_key_is_named_for_a_parallel_edge():
    G = nx.MultiDiGraph()
    G.add_edge("u", "v", "slow", delay="x")
    with pytest.raises(ug.errors.DelayError, match=r"edge \('u', 'v', 'slow'\): "):
        ug.DelayGraph(G)


@pytest.mark.parametrize("G", [nx.Graph(), nx.MultiGraph()])
def test_an_undirected_graph_is_refused_with_the_mend(G):
    with pytest.raises(TypeError, match="write each edge once, with a delay, in a DiGraph"):
        ug.DelayGraph(G)


@pytest.mark.parametrize("thing", [[("a", "b")], {"a": ["b"]}, None, 3])
def test_what_is_no_graph_is_refused(thing):
    with pytest.raises(TypeError, match="networkx"):
        ug.DelayGraph(thing)


def test_later_changes_of_the_graph_do_not_show():
    G = one_edge(1)
    G.nodes["u"]["op"] = "dense"
    graph = ug.DelayGraph(G)
    G.edges["u", "v"]["delay"] = 5
    G.nodes["u"]["op"] = "changed"
    G.add_edge("v", "u")
    assert graph.delays.tolist() == [[1]]
    assert graph.vertex_data[0] == {"op": "dense"}
    assert graph.edges == (("u", "v"),)


def test_nothing_of_it_can_be_written():
    graph = ug.DelayGraph(one_edge(1))
    with pytest.raises(ug.errors.FrozenError):
        graph.vertices = ()
    with pytest.raises(ug.errors.FrozenError):
        del graph.vertices
    with pytest.raises(ValueError, match="read-only"):
        graph.delays[0] = 2
    for numbers in (graph.number, graph.edge_number):
        with pytest.raises(ug.errors.FrozenError):
            numbers["w"] = 0
    writes = [
        lambda d: d.__setitem__("delay", 2),
        lambda d: d.__delitem__("delay"),
        lambda d: d.__ior__({"delay": 2}),
        lambda d: d.setdefault("x", 2),
        lambda d: d.pop("delay"),
        lambda d: d.popitem(),
        lambda d: d.clear(),
        lambda d: d.update(delay=2),
    ]
    for write in writes:
        with pytest.raises(ug.errors.FrozenError):
            write(graph.edge_data[0])
    assert graph.edge_data[0] == {"delay": 1}
    assert type(graph.edge_data[0] | {}) is dict
    with pytest.raises(TypeError):
        graph.base.edges["u", "v"]["delay"] = 2
    with pytest.raises(nx.NetworkXError):
        graph.base.add_edge("v", "u")


@given(delay_graphs())
def test_copies_pickles_and_the_way_through_networkx_are_equal(G):
    graph = ug.DelayGraph(G)
    for other in (
        ug.DelayGraph(G.copy()),
        ug.DelayGraph(graph.to_networkx()),
        ug.DelayGraph(graph.base),
        ug.DelayGraph(graph),
        pickle.loads(pickle.dumps(graph)),
        copy.deepcopy(graph),
    ):
        assert other == graph
        assert hash(other) == hash(graph)
        assert not other.delays.flags.writeable
    assert nx.utils.graphs_equal(graph.to_networkx(), G)


def test_equality_sees_delays_kinds_order_and_attributes():
    G = one_edge(1)
    graph = ug.DelayGraph(G)
    assert graph != ug.DelayGraph(one_edge(2))
    assert graph != ug.DelayGraph(nx.MultiDiGraph(G))
    G.nodes["u"]["op"] = "dense"
    assert graph != ug.DelayGraph(G)
    twin = one_edge(1)
    twin.edges["u", "v"]["color"] = "red"
    assert graph != ug.DelayGraph(twin)
    twin = one_edge(1)
    twin.graph["name"] = "net"
    assert graph != ug.DelayGraph(twin)
    absent, explicit = nx.DiGraph([("u", "v")]), one_edge(0)
    assert ug.DelayGraph(absent) == ug.DelayGraph(explicit)
    assert graph != 3


def test_the_delay_may_have_another_name():
    G = nx.DiGraph()
    G.add_edge("h", "h", lag=1)
    assert ug.DelayGraph(G, delay="lag").times == (1,)
    assert ug.DelayGraph(G).times == (0,)
    assert ug.retime(G, {"h": 3}, delay="lag").edges["h", "h"] == {"lag": 1}
    assert ug.cyclic_cover(G, 2, delay="lag").edges[("h", 1), ("h", 0)] == {"lag": 1}


@given(delay_graphs())
def test_edges_at_a_vertex_are_numbered_in_the_order_of_the_graph(G):
    graph = ug.DelayGraph(G)
    for k, v in enumerate(graph.vertices):
        assert [graph.edges[e] for e in graph.out_numbers[k]] == [
            e for e in graph.edges if e[0] == v
        ]
        assert [graph.edges[e] for e in graph.in_numbers[k]] == [
            e for e in graph.edges if e[1] == v
        ]


def test_the_garbage_collector_is_left_as_it_was():
    assert gc.isenabled()
    ug.minimal_base(nx.DiGraph([("a", "b")]))
    assert gc.isenabled()
    with pytest.raises(ug.errors.DelayError):
        ug.DelayGraph(nx.DiGraph([("a", "b", {"delay": 0.5})]))
    assert gc.isenabled()
    gc.disable()
    try:
        ug.DelayGraph(nx.DiGraph([("a", "b")]))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_another_attribute_may_be_read_from_a_delay_graph():
    H = nx.DiGraph()
    H.add_edge("a", "b", lag=2)
    H.add_edge("b", "a", lag=1)
    graph = ug.DelayGraph(H)
    assert graph.times == (0, 0)
    assert ug.DelayGraph(graph, "lag").times == (2, 1)
    assert ug.unroll(graph, 3, delay="lag").size() == ug.unroll(H, 3, delay="lag").size() == 3
    assert ug.acyclicity_certificate(graph, delay="lag").check()
    with pytest.raises(ug.errors.CyclicCoverError):
        ug.acyclicity_certificate(graph)
    lagging = ug.DelayGraph(H, "lag")
    assert ug.DelayGraph(lagging) == lagging  # "delay" is what is read unless said otherwise
    assert ug.unroll(lagging, 3).size() == 3
    for one in (H, graph):
        written = ug.delay_feedback(one, delay="lag")
        assert sorted(d for *_, d in written.edges(data="lag")) == [0, 1]


@pytest.mark.parametrize("kind", [list, np.array])
def test_delays_that_their_owner_may_change_are_copied(kind):
    delay = kind([1, 0])
    graph = ug.DelayGraph(one_edge(delay))
    delay[0] = 7
    for same in (graph, pickle.loads(pickle.dumps(graph)), copy.deepcopy(graph)):
        assert same.times == ((1, 0),)
        assert same == graph
    assert ug.unroll(graph, (9, 1)).edges[("u", (0, 0)), ("v", (1, 0))] == {"delay": (1, 0)}


def test_graphs_of_equal_arrays_are_equal():
    def graph(last):
        G = one_edge(1)
        G.add_node("w", weights=np.array([1.0, last, math.nan]), pair=(math.nan, [last]))
        G.nodes["w"]["parts"] = [{"a": np.zeros(2)}, np.array(["x", np.zeros(2)], dtype=object)]
        G.edges["u", "v"]["gain"] = math.nan
        G.graph["table"] = np.zeros(2)
        return ug.DelayGraph(G)

    one = graph(2.0)
    assert one == pickle.loads(pickle.dumps(one)) == graph(2.0)
    assert one != graph(3.0)
    assert ug.DelayCover(one) == ug.DelayCover(graph(2.0))
    assert ug.DelayGraph(ug.roll(ug.unroll(one, 3))) == one
    other = graph(2.0).to_networkx()
    for parts in ([{"a": np.zeros(3)}], [{"a": np.zeros(2)}, np.zeros(2)], ()):
        other.nodes["w"]["parts"] = parts
        assert one != ug.DelayGraph(other)


# -- delays under another name -------------------------------------------------------------


READERS = [
    (ug.DelayGraph, ()),
    (ug.unroll, (3,)),
    (ug.acyclicity_certificate, ()),
    (ug.DelayCover, ()),
    (ug.max_cycle_ratio, ()),
    (ug.retime, ({},)),
    (nn.Network, ()),
]


@pytest.mark.parametrize(("function", "more"), READERS)
@pytest.mark.parametrize("name", [None, 5, [], ("delay",)])
def test_the_name_of_a_delay_is_a_string(function, more, name):
    with pytest.raises(TypeError, match="delay=.* must be a string, the name of an edge attribute"):
        function(nn.architectures.elman(1, 2, 1), *more, delay=name)


@pytest.mark.parametrize(("function", "more"), READERS)
def test_a_named_delay_that_no_edge_has_is_an_error(function, more):
    G = nn.architectures.elman(1, 2, 1)
    with pytest.raises(
        ug.errors.DelayError, match="no edge has the attribute 'lag' .* attributes found: 'delay'"
    ):
        function(G, *more, delay="lag")


def test_a_graph_without_edges_has_any_delay():
    G = nx.empty_graph(["a"], create_using=nx.DiGraph)
    assert ug.DelayGraph(G, "lag").dimension == 1


LOOKALIKES = [
    ("lag", [1, 2]),
    ("Time_Lag", [0, 1]),
    ("tau", ["1", "2"]),
    ("to_jimage", [(1, 0, 0), [0, 0, 1]]),
    ("timeLag", [1.0, None]),
    ("weight", [3, 2]),
]


@pytest.mark.parametrize(("name", "values"), LOOKALIKES)
def test_a_cyclic_cover_names_the_attribute_that_looks_like_a_delay(name, values):
    G = nx.DiGraph([("a", "b"), ("b", "a")])
    for edge, value in zip(G.edges, values, strict=True):
        if value is not None:
            G.edges[edge].update({name: value, "color": 1})
    hint = f"no edge has the attribute 'delay', so every delay is 0, but edges have {name!r}"
    nx.set_node_attributes(G, nn.Dense(1), "op")
    for question in (ug.acyclicity_certificate, lambda G: nn.Network(G).forward({}, steps=2)):
        with pytest.raises(ug.errors.CyclicCoverError, match=hint):
            question(G)


@pytest.mark.parametrize(
    ("name", "values"),
    [("weight", [0.5, 1.0]), ("lag", [0, 0]), ("lag", ["long", 1]), ("cost", [1, 2]), (3, [1, 2])],
)
def test_other_attributes_are_not_taken_for_delays(name, values):
    G = nx.DiGraph([("a", "b"), ("b", "a")])
    nx.set_edge_attributes(G, dict(zip(G.edges, values, strict=True)), name)
    with pytest.raises(ug.errors.CyclicCoverError) as caught:
        ug.acyclicity_certificate(G)
    assert "pass delay=" not in str(caught.value)
    G.edges["a", "b"].update(delay=0, lag=5)
    with pytest.raises(ug.errors.CyclicCoverError) as caught:
        ug.acyclicity_certificate(G)
    assert "pass delay=" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "mend"),
    [(1.5, "round it or rescale"), ("1", r"convert it with int\(\)"), (None, "omit")],
)
def test_an_invalid_delay_is_named_with_its_edge_and_a_way_out(value, mend):
    G = nx.DiGraph()
    G.add_edge("a", "b", delay=value)
    with pytest.raises(
        ug.errors.DelayError, match=rf"delay {value!r} on edge \('a', 'b'\).*{mend}"
    ):
        ug.unroll(G, 3)
