"""Steps that do the same are made as one, whatever the network is called; rooms are used again."""

import gc

import fixtures
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import buffers
from unrollgraph.nn.compiler import lanes_of
from unrollgraph.nn.executors import window
from unrollgraph.nn.executors import window as calls

A = nn.architectures


def shuffled(G, seed):
    """The same network with other names, in another order."""
    rng = np.random.default_rng(seed)
    names = {v: f"n{k}" for v, k in zip(G, rng.permutation(len(G)), strict=True)}
    order = {v: {e: k for k, e in enumerate(G.in_edges(v, **keyed(G)))} for v in G}
    H = type(G)()
    vertices = [list(G)[k] for k in rng.permutation(len(G))]
    H.add_nodes_from((names[v], G.nodes[v]) for v in vertices)
    edges = list(G.edges(**keyed(G)))
    for k in rng.permutation(len(edges)):
        u, v, *key = edges[k]
        H.add_edge(names[u], names[v], *key, **G.edges[edges[k]], order=order[v][edges[k]])
    return H, names


def keyed(G):
    return {"keys": True} if G.is_multigraph() else {}


def loops(monkeypatch, G, inputs, outputs, T=5):
    """The kinds of the calls in each loop, forward and backward."""
    found = []
    step = calls.step_program

    def noted(calls, *rest):
        found.append([call.value.kind for call in calls])
        return step(calls, *rest)

    monkeypatch.setattr(calls, "step_program", noted)
    net = nn.Network(G)
    run = net.forward(
        {
            v: np.ones((T, net.delay_graph.vertex_data[net.delay_graph.number[v]]["op"].size))
            for v in inputs
        }
    )
    run.backward({v: np.ones_like(run.values[v]) for v in outputs})
    return found


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_the_gates_of_a_cell_are_one_product_and_one_tanh(monkeypatch, seed):
    G, x, y = A.lstm(3, 4, 2), "x", "y"
    if seed is not None:
        G, names = shuffled(G, seed)
        x, y = names["x"], names["y"]
    forward, back = loops(monkeypatch, G, [x], [y])
    assert sorted(forward) == sorted(
        ["product", "add", "tanh", "unit", "multiply", "multiply", "add", "tanh", "multiply"]
    )
    # the gradients of h and of c, what goes from one to the other, three gates, and one product
    assert sorted(back) == sorted(
        ["add", "multiply", "multiply", "add", "multiply", "multiply", "products"]
    )


def test_a_gated_unit_steps_one_product_and_its_gates_together(monkeypatch):
    forward, back = loops(monkeypatch, A.gru(3, 4, 2), ["x"], ["y"])
    assert forward.count("product") == 1
    assert forward.count("unit") == 1
    assert forward.count("sigmoid") == 0
    assert len(forward) == 12
    assert back.count("products") == 1
    assert back.count("negative") == 0
    assert len(back) <= 9


def test_lanes_are_the_vertices_that_read_one_value_in_a_loop():
    net = nn.Network(A.lstm(3, 4, 2))
    number = net.delay_graph.number
    lanes = lanes_of(net.plans.schedule)
    assert set(lanes) == {number[v] for v in "ifog"}
    places = {v: lanes[number[v]][1] for v in "ifog"}
    assert sorted(places[v] for v in "ifo") in ([0, 1, 2], [1, 2, 3])  # sigmoids are neighbors
    for plain in (A.elman(3, 4, 2), A.narx(3, 4, 2), A.seed(3, 4, 2)):
        assert not lanes_of(nn.Network(plain).plans.schedule)
    assert not lanes_of(nn.Network(A.stacked(3, 4, 2)).plans.schedule)


cells = st.sampled_from(["lstm", "gru", "peephole_lstm", "stacked", "bidirectional", "narx"])


@given(cells, st.integers(0, 99), st.integers(1, 4), st.sampled_from([None, 1, 3]))
def test_names_and_order_do_not_matter(name, seed, T, batch):
    """The same parameters under other names give the same gradients, copy by copy."""
    G = getattr(A, name)(2, 3, 2)
    H, names = shuffled(G, seed)
    first, second = nn.Network(G, seed=5), nn.Network(H)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(T, *([batch] if batch else []), 2))
    for key, array in first.parameters.items():
        vertex, own = key.split(".")
        second.parameters[f"{names[vertex]}.{own}"][...] = array
    one, two = first.forward({"x": x}), second.forward({names["x"]: x})
    w = rng.normal(size=one.values["y"].shape)
    assert np.allclose(one.values["y"], two.values[names["y"]], atol=1e-13)
    a, b = one.backward({"y": w}), two.backward({names["y"]: w})
    for key, gradient in a.parameters.items():
        vertex, own = key.split(".")
        assert np.allclose(gradient, b.parameters[f"{names[vertex]}.{own}"], atol=1e-12)
        assert np.allclose(a.copies(key), b.copies(f"{names[vertex]}.{own}"), atol=1e-12)


def same_by_levels(net, inputs, given, T):
    """A window gives the gradients of an unrolled graph that is taken level by level."""
    run, above = net.forward(inputs), net.forward(inputs, over=ug.unroll(net, T))
    a, b = run.backward(given), above.backward(given)
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], atol=1e-12), name
        assert np.allclose(a.copies(name), b.copies(name), atol=1e-12), name
    for v, gradient in a.inputs.items():
        assert np.allclose(gradient, b.inputs[v], atol=1e-12), v
    sums = {}
    for one in (a.initial, a.final):
        for v, gradient in one.items():
            sums[v] = sums.get(v, 0) + gradient.sum(axis=0)
    for v, total in sums.items():
        assert np.allclose(total, b.initial[v], atol=1e-12), v


@pytest.mark.parametrize("name", [name for name in A.__all__ if name != "grid_2d"])
def test_gradients_given_at_one_vertex_agree_with_levels(name):
    """Where others pass gradients on only, they are eliminated."""
    make = getattr(A, name)
    net = nn.Network(make(2, 3, 2))
    rng = np.random.default_rng(1)
    T, graph = 6, net.delay_graph
    sizes = {v: net.plans.forward.values[graph.number[v]].size for v in graph.vertices}
    sources = [v for v in graph.vertices if not graph.in_numbers[graph.number[v]]]
    inputs = {v: rng.normal(size=(T, 2, sizes[v])) for v in sources}
    for v in graph.vertices:
        same_by_levels(net, inputs, {v: rng.normal(size=(T, 2, sizes[v]))}, T)


@given(st.integers(0, 10**6))
def test_random_gated_networks_agree_with_levels(seed):
    """Products, sums and complements on cycles, some of them retimed."""
    rng = np.random.default_rng(seed)
    names = [f"v{k}" for k in range(int(rng.integers(3, 9)))]
    G = nx.MultiDiGraph()
    G.add_node("x", op=nn.Input(2))
    kinds = [nn.Dense(2), nn.Dense(2, "sigmoid"), nn.Multiply(), nn.Add(), nn.Complement()]
    for v in names:
        G.add_node(v, op=kinds[rng.integers(len(kinds))])
    for k, v in enumerate(names):
        single = isinstance(G.nodes[v]["op"], nn.Complement)
        for _ in range(1 if single else int(rng.integers(1, 4))):
            u = int(rng.integers(-1, len(names)))
            delay = int(rng.integers(u >= k, 3)) if u >= 0 else 0
            G.add_edge(names[u] if u >= 0 else "x", v, delay=delay)
    if rng.random() < 0.3:
        G = ug.retime(G, {v: int(rng.integers(-2, 3)) for v in G})
    try:
        net = nn.Network(G)
    except ug.errors.ShapeError:  # a cycle on which no operation tells its size
        return
    T = int(rng.integers(1, 6))
    given = {names[k]: rng.normal(size=(T, 2, 2)) for k in rng.integers(len(names), size=2)}
    same_by_levels(net, {"x": rng.normal(size=(T, 2, 2))}, given, T)


def test_what_a_run_has_given_stays_when_its_rooms_are_used_again():
    net = nn.Network(A.lstm(2, 3, 1))
    x = np.random.default_rng(0).normal(size=(6, 2, 2))
    run = net.forward({"x": x}, initial={"c": np.ones(3)})
    values, state = run.values["h"], run.state
    gradients = run.backward({"h": np.ones((6, 2, 3))})
    parameters, copies = gradients.parameters, gradients.copies("i.weight")
    kept = [values, *state.values(), *parameters.values(), copies, *gradients.inputs.values()]
    before = [array.copy() for array in kept]
    rooms = run._binding
    del run, gradients
    gc.collect()
    other = net.forward({"x": 9 * x})
    other.backward({"h": -np.ones((6, 2, 3))})
    assert other._binding is rooms
    assert all(np.array_equal(a, b) for a, b in zip(kept, before, strict=True))
    # what was given from before the window is forgotten
    fresh = nn.Network(A.lstm(2, 3, 1)).forward({"x": 9 * x})
    assert np.array_equal(other.values["c"], fresh.values["c"])


def test_rooms_are_used_again_only_when_nobody_holds_them():
    net = nn.Network(A.elman(2, 3, 1))
    x = np.ones((4, 2))
    first = net.forward({"x": x})
    second = net.forward({"x": 2 * x})
    assert first._binding is not second._binding
    gradients = first.backward({"y": np.ones((4, 1))})
    held = first._binding
    del first
    assert net.forward({"x": x})._binding is not held  # the gradients still read it
    expected = net.forward({"x": x}).backward({"y": np.ones((4, 1))})
    assert np.array_equal(gradients.copies("h.weight"), expected.copies("h.weight"))
    del gradients, second
    net.plans.free.clear()
    one = net.forward({"x": x})
    room = one._binding
    del one
    assert net.forward({"x": x})._binding is room


def test_few_lengths_are_kept_and_large_rooms_are_not(monkeypatch):
    net = nn.Network(A.elman(1, 2, 1))
    for T in range(1, 3 * nn.plans.PLANS_KEPT):
        net.forward({"x": np.ones((T, 1))})
    assert len(net.plans.free) <= nn.plans.PLANS_KEPT
    one = net.plans.free[23, 1][0][0].size()
    monkeypatch.setattr(buffers, "LARGEST_KEPT", one)
    net.forward({"x": np.ones((50, 1))})
    assert not net.plans.free[50, 1]
    kept = [binding.size() for free in net.plans.free.values() for binding, _ in free]
    assert kept
    assert sum(kept) <= one  # older lengths have gone
    monkeypatch.undo()
    U = ug.unroll(net, 3)
    for batch in range(1, 3 * nn.plans.PLANS_KEPT):
        net.forward({"x": np.ones((3, batch, 1))}, over=U)
    ((*_, free),) = net.plans.copies.values()
    assert len(free) <= nn.plans.PLANS_KEPT


def test_a_second_run_allocates_nothing_per_step():
    import tracemalloc

    net = nn.Network(A.lstm(4, 8, 4))
    peaks = []
    for T in (50, 500):
        x, w = np.ones((T, 4)), np.ones((T, 8))

        def run(x=x, w=w):
            return net.forward({"x": x}).backward({"h": w}).parameters

        run()
        tracemalloc.start()
        run()
        peaks.append(tracemalloc.get_traced_memory()[1] - x.nbytes - w.nbytes)
        tracemalloc.stop()
    series = 8 * 450 * 8  # a vector of the state's length at each step more
    assert peaks[1] - peaks[0] < 5 * series  # of which all values and gradients are 40


def test_a_plan_goes_with_the_network_that_is_copied_or_stored():
    import copy
    import pickle

    net = nn.Network(nx.DiGraph(A.elman(1, 2, 1)))
    net.forward({"x": np.ones((3, 1))})
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert not other.plans.free
        assert np.array_equal(
            other.forward({"x": np.ones((3, 1))}).values["y"],
            net.forward({"x": np.ones((3, 1))}).values["y"],
        )


def test_loops_at_different_clocks_run_from_a_list():
    G = fixtures.retimed_top_down()
    G.add_edge("x", "h1", delay=0)
    ops = {"x": nn.Input(1), "h1": nn.Dense(2), "h2": nn.Dense(2)}
    nx.set_node_attributes(G, ops, "op")
    net = nn.Network(G)
    x = np.random.default_rng(1).normal(size=(7, 1))
    over = ug.unroll(net, 7)
    assert np.allclose(
        net.forward({"x": x}).values["h2"], net.forward({"x": x}, over=over).values["h2"]
    )


def test_what_is_read_in_its_own_step_only_has_one_place():
    """Of a gated cell the sums before the gates and what becomes the gates."""
    net = nn.Network(A.lstm(2, 3, 1))
    run = net.forward({"x": np.ones((7, 2))})
    lost = run._binding._lost
    kinds = {net.plans.over_steps.values[k].kind for k in lost}
    assert kinds == {"product", "add", "tanh"}
    assert min(lost) >= len(net.delay_graph.vertices)
    assert not lost & set(run._binding.buffers)  # nobody reads what is not there
    arrays = run._binding.arrays.values()
    assert sum(a.shape[-1] for a in arrays if not a.strides[0]) == 2 * 4 * 3  # of h, and the sums


def test_gradients_that_were_not_kept_are_computed_again_when_asked_for():
    net = nn.Network(A.peephole_lstm(2, 3, 1))
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(5, 2, 2)), rng.normal(size=(5, 2, 3))
    initial = {v: rng.normal(size=3) for v in ("h", "c")}
    gradients = net.forward({"x": x}, initial=initial).backward({"h": w})
    assert gradients._binding._lost
    U = ug.unroll(net, 5)
    above = net.forward({"x": x}, over=U, initial=initial).backward({"h": w})
    for _ in range(2):  # twice, since asking makes room for what was lost
        assert np.allclose(gradients.inputs["x"], above.inputs["x"], atol=1e-13)
        for v in initial:
            assert np.allclose(gradients.initial[v].sum(axis=0), above.initial[v], atol=1e-13)
    for name in net.parameters:
        assert np.allclose(gradients.copies(name), above.copies(name), atol=1e-13)
    del gradients
    again = net.forward({"x": x}, initial=initial).backward({"h": w})
    assert np.allclose(again.inputs["x"], above.inputs["x"], atol=1e-13)


def delayed_path():
    """No cycle, so that all is in bulk; what is read is some steps before or behind."""
    G = nx.DiGraph()
    wires = [("x", "a", 2), ("a", "b", -3), ("b", "c", 1), ("c", "y", -1), ("a", "y", 4)]
    G.add_weighted_edges_from(wires, weight="delay")
    ops = {"x": nn.Input(2), "a": nn.Dense(3), "b": nn.Activation("tanh"), "c": nn.Complement()}
    nx.set_node_attributes(G, ops | {"y": nn.Dense(2)}, "op")
    return G


def test_what_two_read_in_bulk_is_not_written_over():
    G = nx.DiGraph([("x", "a"), ("x", "b"), ("a", "p"), ("b", "p"), ("p", "y"), ("p", "z")])
    ops = {"x": nn.Input(2), "a": nn.Dense(3), "b": nn.Dense(3), "p": nn.Multiply()}
    nx.set_node_attributes(G, ops | {"y": nn.Dense(2), "z": nn.Dense(2)}, "op")
    rng = np.random.default_rng(2)
    given = {v: rng.normal(size=(4, 2, 2)) for v in "yz"}
    same_by_levels(nn.Network(G), {"x": rng.normal(size=(4, 2, 2))}, given, 4)


@pytest.mark.parametrize("name", ["lstm", "gru", "bidirectional", "narx", "stacked", "path"])
def test_pieces_of_what_is_in_bulk_change_nothing(monkeypatch, name):
    G = delayed_path() if name == "path" else getattr(A, name)(2, 3, 2)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(9, 4, 2)), rng.normal(size=(9, 4, 2))
    found = []
    for size in (1, 2000, 2**40):
        monkeypatch.setattr(calls, "NEAR", size)
        run = nn.Network(G).forward({"x": x})
        gradients = run.backward({"y": w})
        found.append([run.values["y"], gradients.inputs["x"], *gradients.parameters.values()])
    for one in found[:2]:
        assert all(np.allclose(a, b, atol=1e-13) for a, b in zip(one, found[2], strict=True))


def in_blocks(monkeypatch, steps):
    """Let rings have so many steps, however large they are."""
    monkeypatch.setattr(window, "BLOCK", 1)
    monkeypatch.setattr(window, "SHORTEST", steps)
    monkeypatch.setattr(window, "LARGEST", 2**60)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("name", [name for name in A.__all__ if name != "grid_2d"])
def test_blocks_of_steps_change_nothing(monkeypatch, name, steps):
    """Rings, their edges, sums block by block, and what is computed again when asked for."""
    in_blocks(monkeypatch, steps)
    net = nn.Network(getattr(A, name)(2, 3, 2))
    rng = np.random.default_rng(1)
    T, graph = 8, net.delay_graph
    sizes = {v: net.plans.forward.values[graph.number[v]].size for v in graph.vertices}
    sources = [v for v in graph.vertices if not graph.in_numbers[graph.number[v]]]
    inputs = {v: rng.normal(size=(T, 2, sizes[v])) for v in sources}
    for v in graph.vertices:
        for _ in range(2):  # the second time in rooms that were used
            same_by_levels(net, inputs, {v: rng.normal(size=(T, 2, sizes[v]))}, T)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_what_reads_ahead_is_not_computed_in_blocks(monkeypatch, steps):
    in_blocks(monkeypatch, steps)
    rng = np.random.default_rng(0)
    given = {"y": rng.normal(size=(9, 2, 2))}
    same_by_levels(nn.Network(delayed_path()), {"x": rng.normal(size=(9, 2, 2))}, given, 9)


class Scaled(nn.Op):
    """A user's operation with a parameter."""

    def size_of(self, sizes):
        return sizes[0]

    def parameters(self, sizes):
        return {"scale": nn.Parameter((sizes[0],), 1.0)}

    def forward(self, inputs, parameters):
        return inputs[0] * parameters["scale"]

    def adjoint(self, gradient, _, inputs, parameters):
        total = (gradient * inputs[0]).sum(axis=0)
        return [gradient * parameters["scale"]], {"scale": total}


@pytest.mark.parametrize("steps", [1, 3])
def test_gradients_that_are_no_products_are_kept_whole_in_blocks(monkeypatch, steps):
    in_blocks(monkeypatch, steps)
    G = nx.DiGraph()
    ops = {"x": nn.Embedding(5, 3), "s": Scaled(), "h": nn.Dense(3), "y": nn.Dense(2)}
    G.add_nodes_from((v, {"op": op}) for v, op in ops.items())
    G.add_weighted_edges_from([("x", "s", 0), ("s", "h", 0), ("h", "y", 0)], weight="delay")
    G.add_edge("h", "h", delay=1)
    net = nn.Network(G)
    rng = np.random.default_rng(0)
    x, w = rng.integers(5, size=(8, 2)), rng.normal(size=(8, 2, 2))
    a = net.forward({"x": x}).backward({"y": w})
    b = net.forward({"x": x}, over=ug.unroll(G, 8)).backward({"y": w})
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], atol=1e-13), name
        assert np.allclose(a.copies(name), b.copies(name), atol=1e-13), name


def test_a_sum_that_two_read_is_not_halved():
    from unrollgraph.nn.compiler import folded
    from unrollgraph.nn.program import Ref, Value, Weight

    product = Value(0, 2, "product", (Ref(0, edge=0),), (Weight("w"),))
    outputs = (Value(0, 2, "sigmoid", (Ref(2),)), Value(0, 2, "sigmoid", (Ref(2),)))
    assert folded((*outputs, product), 2) == (*outputs, product)
    alone = Value(0, 2, "sigmoid", (Ref(1),))
    new = folded((alone, product), 1)
    assert [value.kind for value in new] == ["unit", "product", "tanh"]
    assert new[1].weights[0].scale == 0.5


def test_a_gradient_is_added_to_what_another_source_wrote_in_part():
    """One of two lanes reads another source as well, through the same weight."""
    G = nx.DiGraph()
    both = nn.Dense(2, combine="add")
    ops = {"x": nn.Input(2), "a": both, "b": both, "h": nn.Multiply()}
    G.add_nodes_from((v, {"op": op}) for v, op in ops.items())
    G.add_edges_from([("x", "a"), ("a", "h"), ("b", "h")], delay=0)
    G.add_edges_from([("h", "a"), ("h", "b")], delay=1)
    net = nn.Network(G)
    assert len(lanes_of(net.plans.over_steps)) == 2
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(5, 2, 2)), rng.normal(size=(5, 2, 2))
    given = {"h": np.full(2, 0.5)}
    a = net.forward({"x": x}, initial=given).backward({"h": w})
    b = net.forward({"x": x}, over=ug.unroll(G, 5), initial=given).backward({"h": w})
    for name, gradient in a.parameters.items():
        assert np.allclose(gradient, b.parameters[name], atol=1e-13), name


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_random_gated_networks_agree_in_blocks(seed, steps):
    with pytest.MonkeyPatch.context() as patched:
        in_blocks(patched, steps)
        test_random_gated_networks_agree_with_levels.hypothesis.inner_test(seed)


@pytest.mark.parametrize("name", ["lstm", "gru", "stacked", "narx"])
def test_gradients_by_the_state_are_kept_in_blocks(monkeypatch, name):
    net = nn.Network(getattr(A, name)(2, 3, 2))
    rng = np.random.default_rng(0)
    x, y = {"x": rng.normal(size=(30, 2, 2))}, {"y": rng.normal(size=(30, 2, 2))}
    plain = nn.loss_and_gradients(net, x, y)
    in_blocks(monkeypatch, 2)
    found = nn.loss_and_gradients(nn.Network(net), x, y, checkpoints=True)
    for key, gradient in plain.parameters.items():
        assert np.allclose(gradient, found.parameters[key], atol=1e-13)


def test_a_long_window_has_rings_where_all_goes_one_way():
    T, batch = 200, 8
    for name, rings in (("lstm", True), ("gru", True), ("bidirectional", False)):
        net = nn.Network(getattr(A, name)(16, 32, 16))
        run = net.forward({"x": np.ones((T, batch, 16))})
        gradients = run.backward({"y": np.ones((T, batch, 16))})
        assert bool(gradients._binding.rings) == rings
        if rings:
            blocks = gradients._binding.blocks(
                net.plans.adjoint(frozenset([net.delay_graph.number["y"]]), window=True)[1]
            )
            assert len(blocks) > 1
            assert sorted(t for b in blocks for t in range(b.start, b.stop)) == list(range(T))


def test_products_of_different_columns_are_not_one():
    """A vertex that is read by two concatenations at different columns."""
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(2))
    G.add_node("v", op=nn.Dense(2))
    G.add_edge("x", "v")
    for k, order in enumerate([("x", "v"), ("v", "x")]):
        G.add_node(f"c{k}", op=nn.Concat())
        for place, v in enumerate(order):
            G.add_edge(v, f"c{k}", order=place)
        G.add_node(f"o{k}", op=nn.Dense(1, "linear"))
        G.add_edge(f"c{k}", f"o{k}")
    x = {"x": np.random.default_rng(0).normal(size=(4, 2))}
    targets = {"o0": np.zeros((4, 1)), "o1": np.zeros((4, 1))}
    assert nn.check_gradients(nn.Network(G), x, targets).error < 1e-8
