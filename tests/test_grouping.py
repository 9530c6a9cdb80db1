"""Networks of many small vertices are computed in groups, with the results of single vertices."""

import gc
import pickle
import weakref

import networkx as nx
import numpy as np
import pytest
from certified import QUARTER
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import grouping
from unrollgraph.nn.executors import grouped

ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
    "linear": lambda a: a,
}


@pytest.fixture(autouse=True)
def small_networks_too(monkeypatch):
    monkeypatch.setattr(grouping, "FEWEST", 0)


class Scaled(nn.Op):
    """A custom operation with a parameter."""

    def size_of(self, sizes):
        return sizes[0]

    def parameters(self, sizes):
        return {"scale": nn.Parameter((sizes[0],), 1.0)}

    def forward(self, sources, parameters):
        return sources[0] * parameters["scale"]

    def adjoint(self, gradient, _, sources, parameters):
        total = (gradient * sources[0]).sum(axis=0)
        return [gradient * parameters["scale"]], {"scale": total}


def random_network(seed, mixed):
    """Vertices of sizes 1 to 3, parallel edges, and delays of both signs if these are mixed.

    Among the layers are operations that are not computed in groups.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 16))
    clock = rng.integers(0, 3, n) if mixed else np.zeros(n, int)
    G = nx.MultiDiGraph()
    G.add_node("x", op=nn.Input(2))
    G.add_node("c", op=nn.Constant([1.0, -2.0]))
    G.add_node("k", op=nn.Embedding(4, 2))
    for v in range(n):
        size, activation = int(rng.integers(1, 4)), str(rng.choice(list(ACTIVATIONS)))
        G.add_node(v, op=nn.Dense(size, activation, bias=bool(rng.integers(2))))
    for v in range(n):
        G.add_edge("x", v, delay=int(rng.integers(0, 3)))
        if not rng.integers(3):
            G.add_edge("c", v, delay=0)
        if not rng.integers(3):
            G.add_edge("k", v, delay=0)
        for u in rng.integers(0, n, 3).tolist():
            delay = int(rng.integers(u >= v, 4))
            G.add_edge(u, v, delay=int(delay + clock[v] - clock[u]))
    for j in range(n // 3):
        u = int(rng.integers(n))
        alike = [v for v in range(n) if G.nodes[v]["op"].size == G.nodes[u]["op"].size]
        G.add_node(("e", j), op=[nn.Add(), nn.Multiply()][j % 2])
        for v in (u, int(rng.choice(alike)), int(rng.choice(alike))):
            G.add_edge(v, ("e", j), delay=int(rng.integers(0, 3)))
        G.add_edge(("e", j), int(rng.integers(n)), delay=5)
    for j in range(n // 3):
        op = [Scaled(), nn.Concat(), nn.Activation("softmax")][rng.integers(3)]
        G.add_node(("o", j), op=op)
        for v in rng.integers(0, n, 2 if isinstance(op, nn.Concat) else 1).tolist():
            G.add_edge(v, ("o", j), delay=int(rng.integers(0, 3)))
        G.add_edge(("o", j), int(rng.integers(n)), delay=5)
    return G


def inputs(T, batch, rng):
    return {"x": rng.normal(size=(T, batch, 2)), "k": rng.integers(4, size=(T, batch))}


def copy_by_copy(net, G, given, initial):
    """Values of all copies from the definition, each computed when it is needed."""
    T, batch = given["k"].shape
    edges = {v: sorted(net.delay_graph.in_numbers[net.delay_graph.number[v]]) for v in G}
    known = {}

    def value(v, t):
        if not 0 <= t < T:
            if v in initial and t < 0 and len(initial[v]) + t >= 0:
                return initial[v][t]
            return np.zeros((batch, net.size(v)))
        if (v, t) not in known:
            op = G.nodes[v]["op"]
            read = [
                value(net.delay_graph.edges[e][0], t - int(net.delay_graph.delays[e, 0]))
                for e in edges[v]
            ]
            if isinstance(op, nn.Input):
                known[v, t] = given[v][t]
            elif isinstance(op, nn.Embedding):
                known[v, t] = net.parameters[f"{v}.weight"][given[v][t]]
            elif isinstance(op, Scaled):
                known[v, t] = read[0] * net.parameters[f"{v}.scale"]
            elif isinstance(op, nn.Concat):
                known[v, t] = np.concatenate(read, axis=1)
            elif isinstance(op, nn.Activation):
                powers = np.exp(read[0])
                known[v, t] = powers / powers.sum(axis=1, keepdims=True)
            elif isinstance(op, nn.Constant):
                known[v, t] = np.broadcast_to(op.value, (batch, len(op.value)))
            elif isinstance(op, nn.Dense):
                total = np.concatenate(read, axis=1) @ net.parameters[f"{v}.weight"].T
                total = total + net.parameters[f"{v}.bias"] if op.bias else total
                known[v, t] = ACTIVATIONS[op.activation](total)
            else:
                combine = np.add if isinstance(op, nn.Add) else np.multiply
                known[v, t] = combine.reduce(read)
        return known[v, t]

    return {v: np.stack([value(v, t) for t in range(T)]) for v in G}


@pytest.mark.parametrize("mixed", [False, True])
@QUARTER
@given(seed=st.integers(0, 10**6), T=st.integers(1, 8), batch=st.integers(1, 3))
def test_groups_have_the_values_of_the_definition(mixed, seed, T, batch):
    G = random_network(seed, mixed)
    net = nn.Network(G, seed=seed)
    assert net.plans.grouped
    rng = np.random.default_rng(seed)
    x = inputs(T, batch, rng)
    initial = {
        v: rng.normal(size=(max(d for *_, d in G.out_edges(v, data="delay")), batch, net.size(v)))
        for v in G
        if any(d > 0 for *_, d in G.out_edges(v, data="delay"))
    }
    run = net.forward(x, initial=initial)
    expected = copy_by_copy(net, G, x, initial)
    for v in G:
        assert np.allclose(run.values[v], expected[v], rtol=1e-10, atol=1e-10), v
        kept = initial.get(v, np.zeros((0, batch, net.size(v))))
        state = np.concatenate([kept, expected[v]])[T:]
        assert np.allclose(run.state.get(v, state[:0]), state[: len(kept)], atol=1e-10), v


@pytest.mark.parametrize("mixed", [False, True])
@QUARTER
@given(seed=st.integers(0, 10**6), T=st.integers(1, 6), to_state=st.booleans())
def test_gradients_of_groups_are_those_of_single_copies(mixed, seed, T, to_state):
    """The same network over the unrolled graph, vertex by vertex and level by level."""
    G = random_network(seed, mixed)
    net = nn.Network(G, seed=seed)
    rng = np.random.default_rng(seed)
    x = inputs(T, 2, rng)
    some = [v for v in G if rng.integers(2)]
    weights = {v: rng.normal(size=(T, 2, net.size(v))) for v in some}
    a = net.forward(x).backward(weights, to_state=to_state)
    b = net.forward(x, over=ug.unroll(G, T)).backward(weights)
    near = {"rtol": 1e-9, "atol": 1e-9}
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], **near), name
        assert np.allclose(a.copies(name), b.copies(name), **near), name
    for v in G:
        assert np.allclose(a.of(v), b.of(v), **near), v
    sums = {}
    for part in (a.initial, a.final):
        for v, gradient in part.items():
            sums[v] = sums.get(v, 0) + gradient.sum(axis=0)
    for v, total in sums.items():
        assert np.allclose(total, b.initial[v], **near), v


@QUARTER
@given(seed=st.integers(0, 10**6))
def test_gradients_of_groups_are_difference_quotients(seed):
    G = random_network(seed, mixed=False)
    for v in G:  # ReLU has no derivative at 0
        if getattr(G.nodes[v]["op"], "activation", "") == "relu":
            G.nodes[v]["op"] = nn.Dense(G.nodes[v]["op"].size)
    net = nn.Network(G, seed=seed)
    x = inputs(4, 2, np.random.default_rng(seed))
    targets = {v: np.zeros((4, 2, net.size(v))) for v in (0, 1)}
    assert nn.check_gradients(net, x, targets, seed=seed).error < 1e-6


def recurrent(n, degree=4, seed=0, size=1):
    """Neurons that read others one step ago, with an input and an output."""
    rng = np.random.default_rng(seed)
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(1))
    for v in range(n):
        G.add_node(v, op=nn.Dense(size))
        G.add_edge("x", v, delay=0)
    for v in range(n):
        G.add_edges_from((int(u), v, {"delay": 1}) for u in rng.choice(n, degree, replace=False))
    G.add_node("y", op=nn.Dense(1, "linear"))
    G.add_edges_from((v, "y", {"delay": 0}) for v in range(n))
    return G


def test_neurons_that_wait_for_each_other_take_one_sparse_product_a_step():
    net = nn.Network(recurrent(40))
    run = net.forward({"x": np.ones((3, 1))})
    loop, output = net.plans.groups.stages
    (level,) = loop.levels
    assert (loop.sign, output.sign) == (1, 0)
    (group,) = level.groups
    assert [function for function, *_ in group.recipe.calls] == [np.tanh]
    calls = [function.__name__ for function, _ in run._binding._bound[net.plans.over_steps]._kept]
    assert calls == ["copyto", "csr_matvec", "tanh"] * 3 + ["matmul", "add"]


def test_few_edges_and_large_vertices_are_computed_one_by_one(monkeypatch):
    monkeypatch.setattr(grouping, "FEWEST", 50)
    assert nn.Network(recurrent(40)).plans.grouped
    assert not nn.Network(recurrent(8)).plans.grouped
    assert nn.Network(recurrent(40, size=10)).plans.grouped
    assert not nn.Network(recurrent(40, size=20)).plans.grouped
    G = recurrent(40)
    G.add_edge(0, 1, delay=10**8)
    assert not nn.Network(G).plans.grouped
    for name in nn.architectures.__all__:
        if name != "grid_2d":
            assert not nn.Network(getattr(nn.architectures, name)(2, 3, 2)).plans.grouped


def test_a_full_layer_is_a_dense_product():
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(3))
    layers = [[(k, j) for j in range(5)] for k in range(3)]
    for k, layer in enumerate(layers):
        for v in layer:
            G.add_node(v, op=nn.Dense(1))
            G.add_edges_from((u, v, {"delay": k % 2}) for u in (layers[k - 1] if k else ["x"]))
    net = nn.Network(G)
    run = net.forward({"x": np.ones((4, 2, 3))})
    calls = run._binding._bound[net.plans.over_steps]._kept
    assert {function.__name__ for function, _ in calls} == {"matmul", "add", "tanh"}


def test_infinite_values_reach_their_readers_only():
    """A matrix with gaps is not multiplied as a dense one: 0 times infinity would be NaN."""
    G = nx.disjoint_union(recurrent(6, degree=5), recurrent(6, degree=5, seed=1))
    net = nn.Network(G)
    one, other = (v for v in G if isinstance(G.nodes[v]["op"], nn.Input))
    x = np.ones((5, 1))
    with np.errstate(invalid="ignore"):
        run = net.forward({one: np.full((5, 1), np.nan), other: x})
    clean = net.forward({one: x, other: x})
    far = max(G)
    assert np.array_equal(run.values[far], clean.values[far])
    assert np.isnan(run.values[7]).all()
    again = net.forward({one: x, other: x})  # in the arrays that held NaN
    del run
    assert np.array_equal(net.forward({one: x, other: x}).values[7], again.values[7])


def test_long_sums_of_single_values_are_cut(monkeypatch):
    """Expressions are not nested deeper than a bound, and calls are not kept beyond another."""
    monkeypatch.setattr(grouped, "MOST_CALLS", 10)
    G = recurrent(12)
    G.add_node("all", op=nn.Multiply())
    G.add_edges_from((v, "all", {"delay": v % 3}) for v in range(12))
    net = nn.Network(G)
    x = {"x": np.random.default_rng(0).normal(size=(5, 2, 1))}
    run, over = net.forward(x), net.forward(x, over=ug.unroll(G, 5))
    assert np.allclose(run.values["all"], over.values["all"], atol=1e-13)
    g = {"all": np.ones((5, 2, 1))}
    a, b = run.backward(g), over.backward(g)
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], atol=1e-13), name


@pytest.mark.parametrize("common", [0.0, 2.0])
@pytest.mark.parametrize("combine", ["add", "concat"])
def test_gradients_of_weights_do_not_depend_on_how_they_are_summed(monkeypatch, common, combine):
    monkeypatch.setattr(grouped, "COMMON", common)
    G = recurrent(15)
    for v in range(0, 15, 2):
        G.nodes[v]["op"] = nn.Dense(1, combine=combine)
    net = nn.Network(G)
    x = {"x": np.random.default_rng(0).normal(size=(5, 2, 1))}
    g = {"y": np.random.default_rng(1).normal(size=(5, 2, 1))}
    a = net.forward(x).backward(g)
    b = net.forward(x, over=ug.unroll(G, 5)).backward(g)
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], atol=1e-13), name


def test_runs_in_parts_have_the_bits_of_one_run():
    net = nn.Network(recurrent(20))
    x = np.random.default_rng(0).normal(size=(9, 2, 1))
    whole = net.forward({"x": x})
    first = net.forward({"x": x[:4]})
    second = net.forward({"x": x[4:]}, initial=first.state)
    assert np.array_equal(whole.values["y"][4:], second.values["y"])
    assert np.array_equal(whole.values["y"][:4], first.values["y"])


def test_runs_do_not_share_what_they_hold():
    net = nn.Network(recurrent(20))
    x = np.random.default_rng(0).normal(size=(2, 6, 1))
    g = {"y": np.ones((6, 1))}
    a, b = net.forward({"x": x[0]}), net.forward({"x": x[1]})
    one, two = a.backward(g), b.backward(g)
    assert not np.allclose(one.parameters["3.weight"], two.parameters["3.weight"])
    copy = pickle.loads(pickle.dumps(net))
    again = copy.forward({"x": x[0]}).backward(g)
    assert np.array_equal(one.of(5), again.of(5))
    assert np.array_equal(one.of(5), one.of(5))
    for name, gradient in one.parameters.items():
        assert np.array_equal(gradient, again.parameters[name])
    net.parameters["3.weight"][...] += 1
    assert not np.array_equal(
        net.forward({"x": x[0]}).values["y"], copy.forward({"x": x[0]}).values["y"]
    )


@pytest.mark.parametrize("options", [{}, {"checkpoints": 2}, {"truncate": (4, 2)}])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_grouped_networks_are_trained(options, dtype):
    """In segments too, with the losses of the network whose vertices are computed one by one."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3, 1)), rng.normal(size=(9, 3, 1))
    mask = np.arange(9)[:, None] < np.array([9, 5, 7])
    found = []
    for fewest in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(grouping, "FEWEST", fewest)
            net = nn.Network(recurrent(20), dtype=dtype)
        loss, gradients = nn.loss_and_gradients(net, {"x": x}, {"y": y}, mask=mask, **options)
        found.append((loss, gradients))
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    assert found[0][0] == pytest.approx(found[1][0], rel=tolerance)
    for name, gradient in found[0][1].items():
        assert gradient.dtype == dtype
        assert np.allclose(gradient, found[1][1][name], atol=tolerance), name


def test_a_grouped_network_without_an_order_is_refused():
    G = recurrent(6)
    G.add_edge(0, 1, delay=-2)
    G.add_edge(1, 0, delay=1)
    with pytest.raises(ug.errors.CyclicCoverError, match="total delay"):
        nn.Network(G).forward({"x": np.ones((3, 1))})


def chain_before_neurons():
    G = nx.DiGraph([("x", "p"), ("p", "q")])
    G.nodes["x"]["op"], G.nodes["p"]["op"] = nn.Input(1), nn.Activation("gelu")
    G.nodes["q"]["op"] = nn.Activation("tanh")
    for v in range(10):
        G.add_node(v, op=nn.Dense(1, "leaky_relu"))
        G.add_edge("q", v)
        G.add_edge(v, v, delay=1)
    return G


def test_gradients_on_request_do_not_depend_on_earlier_requests():
    G = chain_before_neurons()
    net = nn.Network(G)

    def gradients(seed, order, **over):
        rng = np.random.default_rng(seed)
        x, g = {"x": rng.normal(size=(6, 1))}, {v: rng.normal(size=(6, 1)) for v in range(10)}
        found = net.forward(x, **over).backward(g)
        return [found.of(v) for v in order]

    gradients(0, ["q", "p", "x"])
    for a, b in zip(
        gradients(1, ["p", "x"]), gradients(1, ["p", "x"], over=ug.unroll(G, 6)), strict=True
    ):
        assert np.allclose(a, b, atol=1e-13)
    size = net.plans.free[6, 1][0][0].size()
    gradients(2, ["x", "q"])
    gradients(2, ["q", "x", "p"])
    gradients(2, [])
    assert net.plans.free[6, 1][0][0].size() <= size


def test_a_grouped_network_is_pickled_after_a_run():
    net = nn.Network(chain_before_neurons())
    x = {"x": np.ones((4, 1))}
    y = net.forward(x)
    y.backward({3: np.ones((4, 1))})
    assert np.array_equal(pickle.loads(pickle.dumps(net)).forward(x).values[3], y.values[3])


def test_bindings_are_released_with_their_runs():
    net = nn.Network(chain_before_neurons())
    gc.disable()
    try:
        run = net.forward({"x": np.ones((4, 1))})
        run.backward({3: np.ones((4, 1))})
        left = weakref.ref(run._binding)
        net.plans.free.clear()
        del run
        net.plans.free.clear()
        assert left() is None
    finally:
        gc.enable()


def test_a_complement_beside_neurons_passes_minus_its_gradient():
    """Also where rows are read with a stride of eight numbers, which np.negative mistakes."""
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(1))
    for v in range(60):
        G.add_node(v, op=nn.Dense(1))
        G.add_edge("x", v)
        G.add_edge(v, v, delay=1)
    G.add_node("c", op=nn.Complement())
    G.add_edge(0, "c")
    net = nn.Network(G)
    x = {"x": np.random.default_rng(0).normal(size=(6, 1))}
    g = {v: np.random.default_rng(1).normal(size=(6, 1)) for v in [*range(1, 8), "c"]}
    a = net.forward(x).backward(g)
    b = net.forward(x, over=ug.unroll(G, 6)).backward(g)
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], atol=1e-13), name
