"""What a plan looks like: what is in bulk, what is stepped, in which direction, and when kept."""

import fixtures
import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn.execution_order import Bulk, Loop, Schedule
from unrollgraph.nn.lowering import lower, lower_adjoint

A = nn.architectures


def schedules(G, outside):
    """Forward and backward schedule of a network, with their values."""
    graph = ug.DelayGraph(G)
    forward = lower(graph)
    given = {"input", "indices", "constant"}
    chosen = [k for k, v in enumerate(forward.values) if v.kind not in given]
    adjoint = lower_adjoint(forward, frozenset(graph.number[v] for v in outside))
    back = adjoint.needed - set(adjoint.external.values())
    return (
        Schedule(graph, forward.values, chosen, back=False),
        Schedule(graph, adjoint.values, back, back=True),
    )


def kinds(schedule, part):
    """Kinds of the values that are stepped, or are in bulk."""
    found = []
    for step in schedule.steps:
        names = [step.value] if isinstance(step, Bulk) else step.values
        if isinstance(step, part):
            found += [schedule.values[k].kind for k in names]
    return sorted(found)


def test_products_with_the_input_and_slopes_fall_out_of_the_loop():
    """An LSTM steps its products with h and what follows them, forward and backward."""
    forward, back = schedules(A.lstm(3, 4, 2), ["y"])
    assert kinds(forward, Loop) == sorted(
        ["product", "add"] * 4 + ["sigmoid"] * 3 + ["tanh"] * 2 + ["multiply"] * 3 + ["add"]
    )
    # the four products with x, their four biases, and the output's
    assert kinds(forward, Bulk) == sorted(["product", "bias"] * 4 + ["product", "bias"])
    assert "product" in kinds(back, Loop)
    assert not any("slope" in kind for kind in kinds(back, Loop))
    assert kinds(back, Bulk).count("sigmoid slope") == 3
    assert kinds(back, Bulk).count("tanh slope") == 2


def test_a_network_without_cycles_has_no_loop():
    G = nx.path_graph(4, create_using=nx.DiGraph)
    nx.set_edge_attributes(G, 2, "delay")
    ops = {0: nn.Input(1), 1: nn.Dense(2), 2: nn.Dense(2), 3: nn.Dense(1)}
    nx.set_node_attributes(G, ops, "op")
    for schedule in schedules(G, [3]):
        assert not kinds(schedule, Loop)


def test_a_bidirectional_network_has_a_loop_in_each_direction():
    forward, back = schedules(A.bidirectional(1, 2, 1), ["y"])
    for schedule in (forward, back):
        loops = [step for step in schedule.steps if isinstance(step, Loop)]
        assert sorted(loop.sign for loop in loops) == [-1, 1]


def test_signed_delays_are_stepped_with_clocks():
    G = fixtures.retimed_top_down()
    G.add_edge("x", "h1", delay=0)
    ops = {"x": nn.Input(1), "h1": nn.Dense(2), "h2": nn.Dense(2)}
    nx.set_node_attributes(G, ops, "op")
    (loop,) = (step for step in schedules(G, ["h2"])[0].steps if isinstance(step, Loop))
    assert loop.sign == 1
    assert len(set(loop.clocks)) > 1
    assert min(loop.clocks) == 0


def test_every_chosen_value_is_planned_once_and_after_what_it_reads():
    for name in A.__all__:
        G = getattr(A, name)(2, 3, 1)
        if ug.DelayGraph(G).dimension > 1:
            continue
        out = [v for v in G if G.out_degree(v) == 0] or ["y"]
        for schedule in schedules(G, out):
            planned = []
            for step in schedule.steps:
                group = [step.value] if isinstance(step, Bulk) else list(step.values)
                ready = {*planned, *group}
                for k in group:
                    reads = {ref.value for ref in schedule.values[k].args}
                    assert reads & set(schedule.chosen) <= ready
                planned += group
            assert sorted(planned) == list(schedule.chosen)


def test_copies_of_gradients_are_read_past():
    """No value of a gradient merely copies another at the same place."""
    _, back = schedules(A.lstm(3, 4, 2), ["y"])
    for k in back.chosen:
        value = back.values[k]
        if value.kind == "copy":
            assert value.args[0].edge is not None or value.args[0].columns is not None


def test_plans_are_kept_for_graphs_that_cannot_change(monkeypatch):
    calls = []
    plan = nn.plans.plan_copies
    monkeypatch.setattr(nn.plans, "plan_copies", lambda *a: calls.append(a) or plan(*a))
    net = nn.Network(A.elman(1, 2, 1))
    U = ug.unroll(net, 3)
    x = {"x": np.ones((3, 1))}
    first = net.forward(x, over=U)
    assert np.array_equal(net.forward(x, over=U).values["y"], first.values["y"])
    assert len(calls) == 1
    stored = U.copy()
    p = ug.GraphMap(stored, U.base, {node: node[0] for node in U})
    net.forward(x, over=p)
    stored.remove_edge(("h", 0), ("h", 1))
    cut = net.forward(x, over=p)
    assert len(calls) == 3
    assert not np.array_equal(cut.values["y"][1], first.values["y"][1])
    free = U.copy()
    view = ug.GraphMap(free.subgraph(list(free)), U.base, {node: node[0] for node in U})
    net.forward(x, over=view)
    free.remove_edge(("h", 0), ("h", 1))
    assert np.array_equal(net.forward(x, over=view).values["y"], cut.values["y"])
    calls.clear()
    calls.extend([None] * 3)
    for length in range(4, 4 + nn.plans.PLANS_KEPT):
        net.forward({"x": np.ones((length, 1))}, over=ug.unroll(net, length))
    assert len(net.plans.copies) == nn.plans.PLANS_KEPT
    net.forward(x, over=U)
    assert len(calls) == 4 + nn.plans.PLANS_KEPT


@pytest.mark.parametrize("steps", [1, 50])
def test_a_program_is_planned_once_whatever_the_arrays(steps, monkeypatch):
    from unrollgraph.nn import execution_order

    net = nn.Network(A.lstm(1, 2, 1))
    net.forward({"x": np.ones((7, 1))}).backward({"y": np.ones((7, 1))})
    monkeypatch.setattr(execution_order, "plan_window", None)  # would be called to plan again
    run = net.forward({"x": np.ones((steps, 3, 1))})
    run.backward({"y": np.ones((steps, 3, 1))})


def test_a_program_prints_one_line_for_each_value():
    class Half(nn.Op):
        def size_of(self, sizes):
            return sizes[0]

    G = nx.MultiDiGraph()
    G.add_node("x", op=nn.Input(1))
    G.add_node(("a", 1), op=nn.Dense(2, "linear", bias=False, combine="add"))
    G.add_node("b", op=Half())
    G.add_edge("x", ("a", 1), delay=-2)
    G.add_edge("x", ("a", 1), delay=3)
    G.add_edge(("a", 1), "b")
    net = nn.Network(G)
    assert str(net.program).splitlines() == [
        "x        = input()",
        "('a', 1) = add(%3, %4)",
        "b        = Half(('a', 1))",
        "%3       = ('a', 1).weight x[t + 2]",
        "%4       = ('a', 1).weight x[t - 3]",
    ]
    assert not str(nn.Network(nx.DiGraph()).program)
    grid = nn.Network(nn.architectures.grid_2d(1, 2, 1))
    assert "h[t - (1, 0)]" in str(grid.program)
    many = nx.DiGraph((u, v, {"delay": 1}) for u in range(8) for v in range(8))
    nx.set_node_attributes(many, nn.Dense(1), "op")
    lines = str(nn.Network(many).program).splitlines()
    assert lines[8].startswith("%8  = 0.weight[:, 0:1] 0[t - 1] + 0.weight[:, 1:2] 1[t - 1] + ")
    assert len(lines) == 24
