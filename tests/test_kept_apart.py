"""What a network computes stays what it was, whoever goes on computing with it."""

import sys
import threading

import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn


def signal(*shape):
    return np.random.default_rng(3).normal(size=shape)


@pytest.mark.parametrize("windowed", [True, False], ids=["window", "graph"])
def test_values_outlive_their_run(windowed):
    net = nn.Network(nn.architectures.seed(2, 3, 1))
    x = signal(4, 2)
    over = None if windowed else ug.unroll(net, 4)
    kept = [net.forward({"in": k * x}, over).values for k in (1, -1, 2)]
    for k, values in zip((1, -1, 2), kept, strict=True):
        again = net.forward({"in": k * x}, over)
        for v in values:
            np.testing.assert_array_equal(values[v], again.values[v])


@pytest.fixture
def hasty():
    """Threads take turns a thousand times as often."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def threaded(work, count=4):
    """Run a piece of work in several threads; what any of them raised is raised."""
    raised = []

    def caught():
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=caught) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


@pytest.mark.parametrize("windowed", [True, False], ids=["window", "graph"])
def test_a_run_goes_back_in_several_threads(windowed):
    net = nn.Network(nn.architectures.seed(2, 64, 1))
    run = net.forward({"in": signal(30, 16, 2)}, None if windowed else ug.unroll(net, 30))
    one = np.ones((30, 16, 1))
    right = run.backward({"out": one}).parameters["A.weight"].copy()

    def work():
        for _ in range(40):
            found = run.backward({"out": one}).parameters["A.weight"]
            np.testing.assert_array_equal(found, right)

    threaded(work)


@pytest.mark.usefixtures("hasty")
def test_a_network_is_planned_in_several_threads():
    x = signal(12, 2)
    expected = nn.Network(nn.architectures.seed(2, 3, 1))
    right = [expected.forward({"in": x[:T]}).values["out"] for T in range(1, 13)]
    net = nn.Network(nn.architectures.seed(2, 3, 1))

    def work():
        for T in np.random.default_rng().permutation(np.arange(1, 13)):
            run = net.forward({"in": x[:T]})
            np.testing.assert_array_equal(run.values["out"], right[T - 1])
            run.backward({"out": np.ones((T, 1))})

    threaded(work, 6)


def test_the_gradient_of_what_nothing_depends_on_is_zero():
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(2))
    G.add_node("h", op=nn.Dense(1))
    G.add_node("z", op=nn.Dense(1, "linear"))
    G.add_edges_from([("x", "h"), ("x", "z")])
    x = signal(4, 2)
    x[0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        found = nn.Network(G).forward({"x": x}).backward({"h": np.zeros((4, 1))}).of("z")
    assert found.tobytes() == np.zeros((4, 1)).tobytes()
