"""Networks run over windows, lifts, shuffled copies and trees, against a slow oracle."""

import itertools

import networkx as nx
import nn_oracle
import numpy as np
import pytest
from certified import CASES
from hypothesis import assume, given, reject
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.io import node_link

A = nn.architectures
TOLERANCE = 1e-12


class Square(nn.Op):
    """An operation of the user's own: scale * x**2."""

    def size_of(self, sizes):
        (size,) = sizes
        return size

    def hint(self, sizes):
        return sizes[0]

    def parameters(self, sizes):
        return {"scale": nn.Parameter((sizes[0],), 1.0)}

    def forward(self, sources, parameters):
        return parameters["scale"] * sources[0] ** 2

    def adjoint(self, gradient, value, sources, parameters):
        del value
        back = 2 * parameters["scale"] * sources[0] * gradient
        return [back], {"scale": (gradient * sources[0] ** 2).sum(axis=0)}


def with_ops(G, ops):
    nx.set_node_attributes(G, ops, "op")
    return G


def coupled():
    """Two layers that read each other at delays 1, 2 and 3, with parallel edges."""
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(
        [("x", "a", 0), ("a", "a", 1), ("a", "b", 2), ("b", "a", 3), ("a", "b", 0), ("b", "b", 2)]
        + [("x", "b", 1), ("b", "y", 0), ("a", "y", 1)],
        weight="delay",
    )
    ops = {"a": nn.Dense(3), "b": nn.Dense(3, "sigmoid"), "y": nn.Dense(2, "linear")}
    return with_ops(G, {"x": nn.Input(2), **ops})


def mixed():
    """Cycles of both directions, delays of both signs inside one positive cycle."""
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(
        [("x", "a", 0), ("a", "b", 3), ("b", "a", -2), ("x", "c", 1), ("c", "c", -1)]
        + [("c", "c", -2), ("a", "y", 0), ("c", "y", -1), ("b", "y", 2), ("x", "y", -3)],
        weight="delay",
    )
    ops = {"a": nn.Dense(3), "b": nn.Dense(2), "c": nn.Dense(2, combine="concat")}
    return with_ops(G, {"x": nn.Input(2), **ops, "y": nn.Dense(2, "linear", bias=False)})


def every_operation():
    """One vertex for each operation, a user's own among them, in and out of a cycle."""
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(
        [("x", "s", 0), ("h", "s", 1), ("s", "act", 0), ("one", "m", 0), ("act", "m", 0)]
        + [("m", "c", 0), ("c", "sq", 0), ("sq", "h", 0), ("x", "h", 0), ("h", "h", 2)]
        + [("x", "cat", 0), ("h", "cat", 0), ("word", "cat", 1), ("cat", "y", 0)]
        + [("cat", "r", 0), ("r", "y", 1), ("x", "single", 1), ("single", "y", 0)],
        weight="delay",
    )
    ops = {
        "x": nn.Input(3),
        "s": nn.Dense(3, "linear", combine="add"),
        "act": nn.Activation("sigmoid"),
        "one": nn.Constant([0.5, -1.0, 2.0]),
        "m": nn.Multiply(),
        "c": nn.Complement(),
        "sq": Square(),
        "h": nn.Add(),
        "word": nn.Embedding(5, 2),
        "cat": nn.Concat(),
        "r": nn.Dense(2, "relu"),
        "single": nn.Concat(),
        "y": nn.Dense(2),
    }
    return with_ops(G, ops)


NETWORKS = {
    **{name: getattr(A, name) for name in A.__all__ if name not in {"grid_2d"}},
    "coupled": lambda *_: coupled(),
    "mixed": lambda *_: mixed(),
    "every operation": lambda *_: every_operation(),
}


def random_network(rng):
    """Up to five vertices of random operations, joined at random with delays of both signs."""
    G = nx.MultiDiGraph()
    G.add_node("x", op=nn.Input(2))
    kinds = [nn.Dense(2), nn.Dense(2, "sigmoid", combine="add"), nn.Add(), nn.Multiply()]
    kinds += [nn.Complement(), nn.Activation("tanh"), Square()]
    names = [f"v{k}" for k in range(rng.integers(1, 6))]
    for v in names:
        G.add_node(v, op=kinds[rng.integers(len(kinds))])
    for v in names:
        single = isinstance(G.nodes[v]["op"], nn.Complement | nn.Activation | Square)
        for _ in range(1 if single else rng.integers(1, 4)):
            G.add_edge(str(rng.choice(["x", *names])), v, delay=int(rng.integers(-2, 4)))
    return G


class Case:
    """A network with random data, its answers from the oracle, and those of a run."""

    def __init__(self, network, T=6, batch=3, seed=0):
        self.G = NETWORKS[network](2, 3, 2) if isinstance(network, str) else network
        self.T, self.batch = T, batch
        self.rng = np.random.default_rng(seed)
        self.net = nn.Network(self.G, seed=seed)
        for array in self.net.parameters.values():
            array += 0.1 * self.rng.normal(size=array.shape)
        ops = nx.get_node_attributes(self.G, "op")
        self.inputs = {
            v: self.rng.normal(size=(T, batch, op.size))
            if isinstance(op, nn.Input)
            else self.rng.integers(0, op.vocabulary, (T, batch))
            for v, op in ops.items()
            if isinstance(op, nn.Input | nn.Embedding)
        }
        sizes = {v: array.shape[-1] for v, array in self.run().values.items()}
        self.given = {v: self.rng.normal(size=(T, batch, sizes[v])) for v in self.G}
        self.sizes = sizes

    def run(self, **options):
        return self.net.forward(self.inputs, **options)

    def oracle(self, outside=None):
        """The oracle's answers; ``outside`` gives what is read from outside the window."""
        zero = outside or (lambda source: np.zeros((self.batch, self.sizes[source[0]])))
        reads = nn_oracle.window_reads(self.G, self.T)
        return nn_oracle.run(
            self.G,
            lambda node: node[0],
            reads,
            {(v, t): a[t] for v, a in self.inputs.items() for t in range(self.T)},
            zero,
            self.net.parameters,
            {(v, t): g[t] for v, g in self.given.items() for t in range(self.T)},
        )


def close(a, b):
    assert np.shape(a) == np.shape(b)
    assert np.max(np.abs(np.asarray(a) - b), initial=0) <= TOLERANCE * (
        1 + np.max(np.abs(b), initial=0)
    )


def agrees(case, run, gradients, expected):
    for v in case.G:
        close(run.values[v], np.array([expected.values[v, t] for t in range(case.T)]))
    for name, copies in expected.copies.items():
        in_time = [copies[node] for node in sorted(copies, key=lambda node: node[1])]
        close(gradients.copies(name), np.array(in_time))
        close(gradients.parameters[name], sum(in_time))
        close(gradients.mean()[name], sum(in_time) / case.T)
    for v, gradient in gradients.inputs.items():
        close(gradient, np.array([expected.inputs[v, t] for t in range(case.T)]))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_window_agrees_with_the_oracle_copy_by_copy(name):
    case = Case(name)
    run = case.run()
    agrees(case, run, run.backward(case.given), case.oracle())


@pytest.mark.parametrize("name", NETWORKS)
def test_an_explicit_unrolling_agrees_with_the_oracle(name):
    case = Case(name)
    run = case.run(over=ug.unroll(case.G, case.T))
    agrees(case, run, run.backward(case.given), case.oracle())
    assert np.array_equal(run[next(iter(case.G)), 2], run.values[next(iter(case.G))][2])


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stored_copy_with_shuffled_nodes_agrees(name):
    case = Case(name)
    U = ug.unroll(case.G, case.T)
    nodes = list(U)
    case.rng.shuffle(nodes := np.array(nodes + [None], dtype=object)[:-1])
    H = U.__class__()
    H.add_nodes_from(map(tuple, nodes))
    arcs = list(U.edges(keys=True) if U.is_multigraph() else U.edges())
    H.add_edges_from(arcs[k] for k in case.rng.permutation(len(arcs)))
    p = ug.GraphMap(H, U.base, {node: node[0] for node in H})
    order = {v: [t for _, t in p.fibre(v)] for v in case.G}
    run = case.net.forward({v: a[order[v]] for v, a in case.inputs.items()}, over=p)
    gradients = run.backward({v: g[order[v]] for v, g in case.given.items()})
    expected = case.oracle()
    for v in case.G:
        close(run.values[v], np.array([expected.values[v, t] for t in order[v]]))
    for name_, copies in expected.copies.items():
        close(gradients.parameters[name_], sum(copies.values()))


def in_tree(U, root):
    """All walks of a finite graph that end in root, as a tree, with its map to U."""
    multi = U.is_multigraph()
    tree = nx.MultiDiGraph() if multi else nx.DiGraph()
    nodes = {(): root}
    tree.add_node(())
    queue = [()]
    edges = {}
    for walk in queue:
        arcs = U.in_edges(nodes[walk], keys=True) if multi else U.in_edges(nodes[walk])
        for arc in arcs:
            longer = (arc, *walk)
            nodes[longer] = arc[0]
            key = tree.add_edge(longer, walk)
            edges[(longer, walk, key) if multi else (longer, walk)] = arc
            queue.append(longer)
    return ug.GraphMap(tree, U, nodes, edges)


@pytest.mark.parametrize("name", ["seed", "elman", "lstm", "gru", "coupled", "bidirectional"])
def test_a_tree_above_the_window_computes_the_same_root(name):
    """Fully unshared: every walk into the last output has copies of its own."""
    T = 3
    case = Case(name, T=T)
    out = "out" if name == "seed" else "y"
    U = ug.unroll(case.G, T)
    p = in_tree(U, (out, T - 1))
    q = p.then(U)
    case.given = {out: np.zeros_like(case.given[out])}
    case.given[out][-1] = case.rng.normal(size=case.given[out][-1].shape)
    inputs = {v: np.array([a[p(x)[1]] for x in q.fibre(v)]) for v, a in case.inputs.items()}
    run = case.net.forward(inputs, over=q)
    gradients = run.backward({out: case.given[out][-1:]})
    expected = case.oracle()
    close(run[()], expected.values[out, T - 1])
    for name_, copies in expected.copies.items():
        close(gradients.parameters[name_], sum(copies.values()))


def test_the_plane_agrees_with_the_oracle():
    G = A.grid_2d(2, 3, 2)
    net = nn.Network(G)
    U = ug.unroll(G, (3, 4))
    rng = np.random.default_rng(0)
    times = list(itertools.product(range(3), range(4)))
    x, w = rng.normal(size=(12, 2, 2)), rng.normal(size=(12, 2, 2))
    edges = {v: [((e[0], e), G.edges[e]["delay"]) for e in nn_oracle.in_edges(G, v)] for v in G}
    reads = {
        (v, t): [((u, (t[0] - d[0], t[1] - d[1])), e) for (u, e), d in edges[v]]
        for v in G
        for t in times
    }
    at = dict(zip(times, range(12), strict=True))
    expected = nn_oracle.run(
        G,
        lambda node: node[0],
        reads,
        {("x", t): x[k] for t, k in at.items()},
        lambda _: np.full((2, 3), 0.25),
        net.parameters,
        {("y", t): w[k] for t, k in at.items()},
    )
    run = net.forward({"x": x}, over=U, initial={"h": np.full(3, 0.25)})
    gradients = run.backward({"y": w})
    close(run.values["h"], np.array([expected.values["h", t] for t in times]))
    close(run["h", (1, 2)], expected.values["h", (1, 2)])
    for name, copies in expected.copies.items():
        close(gradients.copies(name), np.array([copies[name.split(".")[0], t] for t in times]))
    close(gradients.initial["h"], sum(expected.outside.values()))
    with pytest.raises(ValueError, match=r"delays are in Z\^2.*over=unroll"):
        net.forward({"x": x})


# -- boundary ------------------------------------------------------------------------


def agrees_at_the_boundary(case):
    """Values, gradients and boundary gradients, with random boundary values."""
    delays = {v: [case.G.edges[e]["delay"] for e in _out(case.G, v)] for v in case.G}
    before = {v: max([0, *d]) for v, d in delays.items()}
    after = {v: max([0, *(-x for x in d)]) for v, d in delays.items()}
    initial, final = (
        {v: case.rng.normal(size=(k, case.batch, case.sizes[v])) for v, k in sizes.items() if k}
        for sizes in (before, after)
    )

    def outside(source):
        v, t = source
        return initial[v][t + before[v]] if t < 0 else final[v][t - case.T]

    run = case.run(initial=initial, final=final)
    gradients = run.backward(case.given)
    expected = case.oracle(outside)
    agrees(case, run, gradients, expected)
    for boundary, found, shift in (
        (initial, gradients.initial, before),
        (final, gradients.final, None),
    ):
        assert set(found) == set(boundary)
        for v, array in boundary.items():
            for k in range(len(array)):
                t = k - shift[v] if shift else case.T + k
                close(found[v][k], expected.outside.get(((v, t), v), np.zeros_like(array[k])))


@pytest.mark.parametrize("name", [*NETWORKS])
@pytest.mark.parametrize("T", [1, 2, 6])
def test_boundary_values_and_their_gradients_agree_with_the_oracle(name, T):
    agrees_at_the_boundary(Case(name, T=T))


@given(st.integers(0, 10**9))
def test_random_networks_agree_with_the_oracle(seed):
    rng = np.random.default_rng(seed)
    G = random_network(rng)
    assume(ug.is_acyclic(ug.DelayCover(G)))
    try:
        nn.Network(G)
    except ug.errors.ShapeError:  # a cycle on which no operation tells its size
        reject()
    case = Case(G, T=int(rng.integers(1, 7)), batch=int(rng.integers(1, 4)), seed=seed)
    case.given = {v: g for v, g in case.given.items() if rng.random() < 0.5}
    agrees_at_the_boundary(case)


def _out(G, v):
    return G.out_edges(v, keys=True) if G.is_multigraph() else G.out_edges(v)


@pytest.mark.parametrize("name", ["elman", "lstm", "gru", "coupled", "narx", "dilated", "seed"])
@pytest.mark.parametrize("cut", [1, 2, 5])
def test_the_state_continues_a_sequence(name, cut):
    case = Case(name, T=9)
    whole = case.run()
    first = case.net.forward({v: a[:cut] for v, a in case.inputs.items()})
    second = case.net.forward({v: a[cut:] for v, a in case.inputs.items()}, initial=first.state)
    for v in case.G:
        assert np.array_equal(
            np.concatenate([first.values[v], second.values[v]]), whole.values[v]
        ), v


def test_a_single_vector_stands_for_all_boundary_values():
    net = nn.Network(A.narx(1, 2, 1))
    x = np.ones((4, 1))
    vector = np.array([0.5, -0.5])
    a = net.forward({"x": x}, initial={"h": vector}).values["h"]
    b = net.forward({"x": x}, initial={"h": np.tile(vector, (3, 1))}).values["h"]
    c = net.forward({"x": x[:, None]}, initial={"h": np.tile(vector, (3, 1))}).values["h"]
    assert np.array_equal(a, b)
    assert np.array_equal(a, c[:, 0])


# -- values and gradients by other roads -----------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_agree_with_differences_along_random_directions(name):
    case = Case(name)
    gradients = case.run().backward(case.given)
    step = 1e-6
    towards = {k: case.rng.normal(size=a.shape) for k, a in case.net.parameters.items()}
    sideways = {
        v: case.rng.normal(size=a.shape) for v, a in case.inputs.items() if a.dtype == float
    }
    start = {k: a.copy() for k, a in case.net.parameters.items()}

    def loss(e):
        for k, a in case.net.parameters.items():
            a[...] = start[k] + e * towards[k]
        moved = {v: a + e * sideways[v] if v in sideways else a for v, a in case.inputs.items()}
        run = case.net.forward(moved)
        return sum((run.values[v] * g).sum() for v, g in case.given.items())

    slope = (loss(step) - loss(-step)) / (2 * step)
    exact = sum((towards[k] * g).sum() for k, g in gradients.parameters.items())
    exact += sum((sideways[v] * g).sum() for v, g in gradients.inputs.items())
    assert abs(slope - exact) <= 1e-6 * (1 + abs(exact))


def scalar(gains, activation):
    """h_t = f(sum of gain * source), one unit, gains in the order of the edges."""
    G = nx.MultiDiGraph()
    G.add_edge("x", "h", delay=0)
    for delay in range(1, len(gains)):
        G.add_edge("h", "h", delay=delay)
    net = nn.Network(with_ops(G, {"x": nn.Input(1), "h": nn.Dense(1, activation, bias=False)}))
    net.parameters["h.weight"][...] = [gains]
    return net


def test_reference_row_71_the_linear_gradient_by_hand():
    net = scalar([1, 0.5], "linear")
    run = net.forward({"x": np.ones((3, 1))})
    assert run.values["h"][:, 0].tolist() == [1, 1.5, 1.75]
    gradients = run.backward({"h": [[0], [0], [1]]})
    copies = gradients.copies("h.weight")[:, 0]
    assert copies[:, 0].tolist() == [0.25, 0.5, 1.0]
    assert copies[:, 1].tolist() == [0, 0.5, 1.5]
    assert gradients.parameters["h.weight"].tolist() == [[1.75, 2.0]]
    assert gradients.mean()["h.weight"].tolist() == [[1.75 / 3, 2.0 / 3]]


def test_reference_row_72_tanh_with_delays_1_and_2():
    net = scalar([1, 0.7, -0.4], "tanh")
    run = net.forward({"x": np.array([[0.5], [-0.3], [0.8], [0.1]])})
    expected = [0.4621171573, 0.0234776950, 0.5591443805, 0.4478518981]
    assert np.allclose(run.values["h"][:, 0], expected, atol=1e-10, rtol=0)
    gradient = run.backward({"h": [[0], [0], [0], [1]]}).parameters["h.weight"][0]
    close(gradient, [0.3284077857593685, 0.43269347238602507, 0.19651995491323684])


def test_the_mean_is_no_multiple_of_the_gradient_when_fibres_differ_in_size():
    """Over a tree a vertex near the leaves has more copies than one near the root."""
    case = Case("seed", T=3)
    U = ug.unroll(case.G, 3)
    p = in_tree(U, ("out", 2))
    q = p.then(U)
    inputs = {v: np.array([a[p(x)[1]] for x in q.fibre(v)]) for v, a in case.inputs.items()}
    gradients = case.net.forward(inputs, over=q).backward({"out": np.ones((1, 3, 2))})
    mean = gradients.mean()
    ratios = {
        round(float(np.linalg.norm(mean[k]) / np.linalg.norm(g)), 6)
        for k, g in gradients.parameters.items()
    }
    assert len(ratios) > 1


# -- a run is a value -------------------------------------------------------------------


def test_backward_twice_and_two_runs_do_not_disturb_each_other():
    case = Case("lstm")
    first = case.run()
    once = first.backward(case.given).parameters
    other = case.net.forward({v: 2 * a for v, a in case.inputs.items()})
    other.backward({"y": np.ones_like(case.given["y"])})
    again = first.backward(case.given)
    for name, gradient in once.items():
        assert np.array_equal(gradient, again.parameters[name])
    _ = again.inputs
    _ = again.initial
    for name, gradient in once.items():
        assert np.array_equal(gradient, again.copies(name).sum(axis=0)) or np.allclose(
            gradient, again.copies(name).sum(axis=0), atol=1e-12
        )


def test_gradients_of_one_run_are_values_of_their_own():
    """What is asked of the first after a second, different, backward, and after writing."""
    case = Case("coupled")
    run = case.run()
    first = run.backward(case.given)
    run.backward({v: -3 * g for v, g in case.given.items()})
    for array in (*first.inputs.values(), *first.initial.values(), *run.state.values()):
        array[...] = 99
    agrees(case, run, first, case.oracle())
    again = case.run().backward(case.given)
    for v, gradient in again.initial.items():
        assert np.array_equal(first.initial[v], gradient)


def test_a_users_operation_cannot_write_into_a_run():
    class Rude(Square):
        def forward(self, sources, parameters):
            sources[0][...] = 0
            return sources[0] * parameters["scale"]

    net = nn.Network(net_of([("x", "h", 0)], {"x": nn.Input(2), "h": Rude()}))
    with pytest.raises(ValueError, match="read-only"):
        net.forward({"x": np.ones((4, 2))})


def test_float32_cannot_hold_everything():
    net = nn.Network(A.elman(1, 2, 1), dtype=np.float32)
    with pytest.raises(ValueError, match="the value of 'x' is inf at step 0, entry 0"):
        net.forward({"x": np.full((2, 1), 1e300)}, check_finite=True)


@pytest.mark.parametrize("periods", [(1,), (3,), (2, 4), (2, 3), (1, 2, 4)])
def test_clockwork_has_every_tick(periods):
    G = A.clockwork(1, 2, 1, periods)
    ticks = int(np.lcm.reduce(periods))
    for end in "xy":
        assert sorted(v[1] for v in G if v[0] == end) == list(range(ticks))
    run = nn.Network(G).forward({("x", i): np.ones((2, 1)) for i in range(ticks)})
    assert run.values["y", ticks - 1].shape == (2, 1)
    with pytest.raises(ValueError, match="modules is 0"):
        A.clockwork(1, 2, 1, ())


def test_networks_are_pickled_without_their_plans():
    import pickle

    net = nn.Network(A.elman(1, 2, 1))
    run = net.forward({"x": np.ones((2_000, 1))}, over=ug.unroll(net, 2_000))
    text = pickle.dumps(net)
    assert len(text) < 20_000
    again = pickle.loads(text).forward({"x": np.ones((2_000, 1))})
    close(again.values["y"], run.values["y"])


def test_a_run_refuses_to_go_backward_after_a_step():
    case = Case("elman")
    run = case.run()
    case.net.parameters["h.bias"] -= 0.1
    with pytest.raises(ug.errors.StaleRunError, match=r"parameter 'h.bias' has changed"):
        run.backward(case.given)


def test_values_are_read_only():
    run = Case("elman").run()
    with pytest.raises(ValueError, match="read-only"):
        run.values["h"][0] = 0
    assert set(run.values) == {"x", "h", "y"}
    for stranger in [("h", 6), ("h", -1), ("h", 0.5), ("z", 0), "h", ("h",)]:
        with pytest.raises(
            KeyError, match=r"is not a copy in the window; use \(vertex, t\) with 0 <= t < 6"
        ):
            run[stranger]


def test_what_no_gradient_reaches_has_gradient_zero():
    case = Case("elman")
    gradients = case.run().backward({"h": case.given["h"]})
    assert not gradients.parameters["y.weight"].any()
    assert gradients.copies("y.weight").shape == (6, 2, 3)
    assert not gradients.copies("y.weight").any()
    assert gradients.parameters["h.weight"].any()
    none = case.run().backward({})
    assert not any(g.any() for g in none.parameters.values())
    assert not none.inputs["x"].any()


def test_boundary_gradients_have_the_shape_of_the_boundary_whatever_is_reached():
    """Only the reader at delay 1 gets a gradient; h is read at delay 3 as well."""
    G = net_of(
        [("x", "h", 0), ("h", "a", 1), ("h", "b", 3), ("h", "c", -2)],
        {"x": nn.Input(1), "h": nn.Dense(1), **{v: nn.Dense(1) for v in "abc"}},
    )
    run = nn.Network(G).forward({"x": np.ones((4, 1))})
    gradients = run.backward({"a": np.ones((4, 1))})
    assert gradients.initial["h"].shape == (3, 1)
    assert gradients.initial["h"][:2].tolist() == [[0], [0]]
    assert gradients.initial["h"][2] != 0
    assert gradients.final["h"].tolist() == [[0], [0]]
    over = nn.Network(G).forward({"x": np.ones((4, 1))}, over=ug.unroll(G, 4))
    assert over.backward({"x": np.ones((4, 1))}).initial["h"].tolist() == [0]


def test_a_network_on_a_graph_its_copy_and_its_json_agree_bit_for_bit():
    case = Case("coupled")
    ops = nx.get_node_attributes(case.G, "op")
    bare = case.G.copy()
    for data in bare.nodes.values():
        del data["op"]
    twin = with_ops(node_link.loads(node_link.dumps(bare)), ops)
    expected = case.run().backward(case.given).parameters
    for G in (case.G.copy(), twin, case.G.reverse().reverse()):
        net = nn.Network(G)
        assert list(net.parameters) == list(case.net.parameters)
        for name, array in net.parameters.items():
            array[...] = case.net.parameters[name]
        found = net.forward(case.inputs).backward(case.given).parameters
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_the_order_of_in_edges_can_be_given():
    G = nx.DiGraph()
    G.add_edge("a", "y", order=1)
    G.add_edge("b", "y", order=0)
    with_ops(G, {"a": nn.Input(1), "b": nn.Input(1), "y": nn.Concat()})
    run = nn.Network(G).forward({"a": [[1.0]], "b": [[2.0]]})
    assert run.values["y"].tolist() == [[2.0, 1.0]]
    del G.edges["a", "y"]["order"]
    with pytest.raises(
        ug.errors.ShapeError,
        match=r"'order', but edge \('a', 'y'\) does not; set it on all of them or on none",
    ):
        nn.Network(G)


def test_seeds_and_schemes_of_the_first_parameters():
    G = A.elman(50, 70, 3)
    a, b, c = nn.Network(G, seed=1), nn.Network(G, seed=1), nn.Network(G, seed=2)
    for name in a.parameters:
        assert np.array_equal(a.parameters[name], b.parameters[name])
    assert not np.array_equal(a.parameters["h.weight"], c.parameters["h.weight"])
    bound = np.sqrt(6 / (120 + 70))
    weights = a.parameters["h.weight"]
    assert bound * 0.95 < np.abs(weights).max() <= bound
    assert abs(weights.mean()) < bound / 20
    assert not a.parameters["h.bias"].any()


@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "mixed"])
def test_float32_stays_float32(name):
    case = Case(name)
    net = nn.Network(case.G, dtype=np.float32)
    for k, array in net.parameters.items():
        array[...] = case.net.parameters[k]
    run = net.forward(case.inputs)
    gradients = run.backward(case.given)
    exact = case.run().backward(case.given)
    arrays = [*run.values.values(), *gradients.parameters.values(), *gradients.mean().values()]
    arrays += [*gradients.inputs.values(), *gradients.initial.values(), *run.state.values()]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}
    for k, gradient in gradients.parameters.items():
        assert np.allclose(gradient, exact.parameters[k], rtol=1e-3, atol=1e-3)


def test_without_a_batch_axis_there_is_none_anywhere():
    case = Case("coupled", batch=1)
    run = case.net.forward({v: a[:, 0] for v, a in case.inputs.items()})
    gradients = run.backward({v: g[:, 0] for v, g in case.given.items()})
    batched = case.run()
    expected = batched.backward(case.given)
    for v in case.G:
        assert np.array_equal(run.values[v], batched.values[v][:, 0])
    assert np.array_equal(gradients.inputs["x"], expected.inputs["x"][:, 0])
    assert np.array_equal(gradients.initial["a"], expected.initial["a"][:, 0])
    assert np.array_equal(run.state["a"], batched.state["a"][:, 0])


def test_a_chain_of_100_000_steps_does_not_recurse():
    net = nn.Network(A.elman(1, 2, 1))
    T = 100_000
    run = net.forward({"x": np.full((T, 1), 0.01)})
    gradient = np.zeros((T, 1))
    gradient[-1] = 1
    found = run.backward({"y": gradient})
    assert np.isfinite(found.parameters["h.weight"]).all()
    deep = nx.path_graph(3_000, create_using=nx.DiGraph)
    nx.set_node_attributes(deep, nn.Add(), "op")
    deep.nodes[0]["op"] = nn.Input(1)
    assert nn.Network(deep).forward({0: [[1.0]]}).values[2_999].tolist() == [[1.0]]


# -- refusals ------------------------------------------------------------------------------


def net_of(wires, ops):
    G = nx.MultiDiGraph()
    G.add_nodes_from(ops)
    G.add_weighted_edges_from(wires, weight="delay")
    return with_ops(G, ops)


BAD_NETWORKS = {
    "no operation": (
        lambda: nx.DiGraph([("x", "h")]),
        "vertex 'x' has no operation; set its node attribute 'op'",
    ),
    "not an operation": (
        lambda: net_of([], {"x": 3}),
        "vertex 'x' is an int, not an unrollgraph.nn.Op",
    ),
    "input is fed": (
        lambda: net_of([("a", "b", 0)], {"a": nn.Input(1), "b": nn.Input(1)}),
        "Input at vertex 'b' does not fit: it requires no in-edges, but has 1",
    ),
    "lengths differ": (
        lambda: net_of(
            [("a", "c", 0), ("b", "c", 0)], {"a": nn.Input(2), "b": nn.Input(3), "c": nn.Add()}
        ),
        r"Add at vertex 'c' does not fit: .* the same length, but have lengths \[2, 3\]",
    ),
    "lengths differ on a cycle": (
        lambda: net_of(
            [("a", "b", 0), ("b", "c", 0), ("c", "b", 1)],
            {"a": nn.Input(2), "b": nn.Add(), "c": nn.Dense(3)},
        ),
        r"Add at vertex 'b' does not fit: .*\[2, 3\]",
    ),
    "no source": (
        lambda: net_of([], {"a": nn.Dense(2)}),
        "Dense at vertex 'a' does not fit: .* one in-edge",
    ),
    "two sources": (
        lambda: net_of(
            [("a", "b", 0), ("a", "b", 1)], {"a": nn.Input(2), "b": nn.Activation("tanh")}
        ),
        "Activation at vertex 'b' does not fit: it requires exactly 1 in-edge, but has 2",
    ),
    "size not told": (
        lambda: net_of([("a", "b", 0), ("b", "a", 1)], {"a": nn.Add(), "b": nn.Add()}),
        "size of vertex 'a' is not determined",
    ),
}


@pytest.mark.parametrize("name", BAD_NETWORKS)
def test_networks_that_do_not_fit_are_refused_at_construction(name):
    make, text = BAD_NETWORKS[name]
    with pytest.raises((ug.errors.ShapeError, TypeError), match=text):
        nn.Network(make())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nn.Dense(0), "size of Dense is 0"),
        (lambda: nn.Dense(2.0), "size of Dense is 2.0"),
        (lambda: nn.Dense(2, "softsign"), "one of tanh, sigmoid, relu, "),
        (lambda: nn.Dense(2, combine="max"), "'concat' or 'add'"),
        (lambda: nn.Activation("swish"), "one of tanh"),
        (lambda: nn.Constant([[1.0]]), "a vector"),
        (lambda: nn.Input(True), "size of Input is True"),
        (
            lambda: nn.Network(A.elman(1, 1, 1), dtype=np.int64),
            "dtype must be float64 or float32, not int64",
        ),
    ],
)
def test_operations_that_are_none_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize(
    ("inputs", "options", "text"),
    [
        ({}, {}, "give steps"),
        ({"x": np.ones((4, 3))}, {}, r"input of 'x' has shape \(4, 3\), but \(4, 2\) is expected"),
        ({"x": np.ones((4, 2, 2, 2))}, {}, "has shape"),
        ({"x": np.ones(4)}, {}, "has shape"),
        ({"x": np.ones((4, 2))}, {"steps": 5}, r"has shape \(4, 2\), but \(5, 2\)"),
        ({"x": np.ones((0, 2))}, {}, "at least one step"),
        ({"z": np.ones((4, 2))}, {}, "inputs: 'z' is not a vertex of the network"),
        ({"x": np.ones((4, 2)), "h": np.ones((4, 3))}, {}, "'h' is not an input vertex"),
        ({"x": np.full((4, 2), "a")}, {}, "has dtype <U1; real numbers are required"),
        ({"x": np.full((4, 2), np.nan)}, {"check_finite": True}, "the value of 'x' is nan at"),
        ({"x": np.full((4, 2), np.inf)}, {"check_finite": True}, "the value of 'x' is inf at"),
        (
            {"x": np.ones((4, 2))},
            {"check_finite": True, "initial": {"h": np.full(3, np.nan)}},
            "the value of 'h' is nan",
        ),
        ({"x": np.ones((4, 0, 2))}, {}, "the batch of 'x' is empty"),
        ({"x": 3.0}, {"steps": 4}, "has shape"),
        ({"x": np.ones((4, 2))}, {"steps": 2.5}, "an integer, not 2.5"),
        ({"x": np.ones((4, 2))}, {"initial": {"z": 1}}, "initial: 'z' is not a vertex"),
        ({"x": np.ones((4, 2))}, {"initial": {"y": np.ones(2)}}, "no edge reads it from before"),
        ({"x": np.ones((4, 2))}, {"final": {"h": np.ones(3)}}, "no edge reads it from after"),
        (
            {"x": np.ones((4, 2))},
            {"initial": {"h": np.ones((2, 3))}},
            r"boundary value of 'h' has shape \(2, 3\), but \(1, 3\) or \(3,\)",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(inputs, options, text):
    net = nn.Network(A.elman(2, 3, 2))
    with pytest.raises(ValueError, match=text):
        net.forward(inputs, **options)


def test_two_inputs_must_agree_in_steps_and_batch():
    net = nn.Network(net_of([], {"a": nn.Input(1), "b": nn.Input(1), "w": nn.Embedding(3, 2)}))
    good = {"a": np.ones((4, 1)), "b": np.ones((4, 1)), "w": np.zeros(4, int)}
    net.forward(good)
    for name, array, text in [
        ("b", np.ones((5, 1)), r"input of 'b' has shape \(5, 1\), but \(4, 1\)"),
        ("b", np.ones((4, 2, 1)), r"input of 'b' has shape \(4, 2, 1\), but \(4, 1\)"),
        ("w", np.zeros((4, 2), int), r"input of 'w' has shape \(4, 2\), but \(4,\)"),
        ("w", np.zeros(4), "has dtype float64; integers are required"),
        ("w", np.full(4, 3), "has indices from 3 to 3; they must be from 0 to 2"),
        ("w", np.full(4, -1), "has indices from -1"),
    ]:
        with pytest.raises(ug.errors.ShapeError, match=text):
            net.forward({**good, name: array})


def test_gradients_that_do_not_fit_are_refused():
    run = Case("elman").run()
    with pytest.raises(
        ug.errors.ShapeError, match=r"gradient of 'y' has shape \(6, 2\), but .*\(6, 3, 2\)"
    ):
        run.backward({"y": np.ones((6, 2))})
    with pytest.raises(ug.errors.ShapeError, match="gradients: 'z' is not a vertex"):
        run.backward({"z": np.ones((6, 2))})
    with pytest.raises(KeyError, match=r"no parameter 'z.weight'; its parameters are 'h.weight'"):
        run.backward({}).copies("z.weight")


@pytest.mark.parametrize(
    ("back", "text"),
    [
        (0, r"it: the cycle a -> b -> a has total delay 0; "),
        (
            -1,
            r"a has total delay -1 and the cycle a -> a has total d",
        ),
    ],
)
def test_a_cyclic_unrolling_is_refused_when_it_is_run(back, text):
    ops = {"x": nn.Input(1), "a": nn.Dense(1), "b": nn.Dense(1)}
    net = nn.Network(net_of([("x", "a", 0), ("a", "b", 0), ("b", "a", back), ("a", "a", 1)], ops))
    with pytest.raises(ug.errors.CyclicCoverError, match=text) as caught:
        net.forward({"x": np.ones((3, 1))})
    assert caught.value.walk == (None if back else (("a", "b", 0), ("b", "a", 0)))


def test_graphs_that_cannot_be_run_over_are_refused():
    G = A.elman(1, 2, 1)
    net = nn.Network(G)
    ring = ug.cyclic_cover(G, 3)
    with pytest.raises(
        ug.errors.CyclicCoverError, match=r"cycle \('h', 0\) -> \('h', 1\) -> \('h', 2\)"
    ) as e:
        net.forward({"x": np.ones((3, 1))}, over=ring)
    assert [arc[0] for arc in e.value.walk] == [("h", t) for t in range(3)]
    twice = nx.DiGraph([(0, 2), (1, 2)])
    twice.add_nodes_from([3])
    p = ug.GraphMap(twice, ug.DelayGraph(G).base, {0: "x", 1: "x", 2: "h", 3: "y"})
    with pytest.raises(
        ug.errors.LiftError, match=r"more than one edge into vertex 2 lies over edge \('x', 'h'\)"
    ):
        net.forward({"x": np.ones((2, 1))}, over=p)
    wrong = ug.GraphMap(nx.DiGraph([(0, 1)]), ug.DelayGraph(G).base, {0: "y", 1: "x"})
    with pytest.raises(
        ug.errors.LiftError, match=r"edge \(0, 1\) of the total graph does not lie over an edge"
    ):
        net.forward({"x": np.ones((1, 1))}, over=wrong)
    with pytest.raises(ug.errors.LiftError, match="the base of the projection differs"):
        net.forward({"x": np.ones((3, 1))}, over=ug.unroll(A.stacked(1, 2, 1), 3))
    with pytest.raises(TypeError, match="GraphMap"):
        net.forward({"x": np.ones((3, 1))}, over=nx.DiGraph())
    with pytest.raises(ValueError, match="with over=, give initial instead"):
        net.forward({"x": np.ones((3, 1))}, over=ug.unroll(G, 3), final={"h": np.ones(2)})
    with pytest.raises(ValueError, match="state is defined over a window only"):
        _ = net.forward({"x": np.ones((3, 1))}, over=ug.unroll(G, 3)).state


def test_a_network_without_inputs_runs_for_the_steps_that_are_given():
    G = net_of([("one", "h", 0), ("h", "h", 1)], {"one": nn.Constant([1.0]), "h": nn.Add()})
    run = nn.Network(G).forward({}, steps=5)
    assert run.values["h"][:, 0].tolist() == [1, 2, 3, 4, 5]
    assert run.backward({"h": np.ones((5, 1))}).initial["h"].tolist() == [[5.0]]


class Wrong(Square):
    """A user's operation that returns what does not fit."""

    def __init__(self, forward=None, adjoint=None):
        self._forward, self._adjoint = forward, adjoint

    def forward(self, sources, parameters):
        return self._forward(sources[0]) if self._forward else super().forward(sources, parameters)

    def adjoint(self, *args):
        return self._adjoint(args[0]) if self._adjoint else super().adjoint(*args)


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (Wrong(forward=lambda a: a[:, :1]), r"Wrong.forward returned an array of shape \(4, 1\)"),
        (Wrong(forward=lambda a: a[0]), r"of shape \(2,\), but must return shape \(4, 2\)"),
        (Wrong(adjoint=lambda g: ([g], {})), "for the parameter 'scale', but returned no gradient"),
        (
            Wrong(adjoint=lambda g: ([g], {"scale": g})),
            r"for the parameter 'scale', but returned one of shape \(4, 2\)",
        ),
        (Wrong(adjoint=lambda g: ([g, g], {"scale": g[0]})), "returned 2 gradients for 1 sources"),
        (
            Wrong(adjoint=lambda g: ([g[:, :1]], {"scale": g[0]})),
            r"adjoint returned an array of",
        ),
    ],
)
def test_operations_that_return_what_does_not_fit_are_named(op, text):
    net = nn.Network(net_of([("x", "h", 0)], {"x": nn.Input(2), "h": op}))

    def there_and_back():
        return net.forward({"x": np.ones((4, 2))}).backward({"h": np.ones((4, 2))}).inputs

    with pytest.raises(ug.errors.ShapeError, match=text):
        there_and_back()


def test_parameters_that_are_replaced_by_others_are_refused():
    net = nn.Network(A.elman(1, 2, 1), dtype=np.float32)
    net.parameters["h.bias"] = np.zeros(2)
    with pytest.raises(
        ug.errors.ShapeError, match="'h.bias' is float64 .* must be float32 .*assign in place"
    ):
        net.forward({"x": np.ones((3, 1))})
    net.parameters["h.bias"] = 0
    with pytest.raises(ug.errors.ShapeError, match=r"'h.bias' is int64 of shape \(\), but must be"):
        net.forward({"x": np.ones((3, 1))})


def test_parameters_are_neither_added_nor_taken_away():
    net = nn.Network(A.elman(1, 2, 1))
    net.parameters["y.weigth"] = net.parameters["y.weight"]
    with pytest.raises(
        ug.errors.ShapeError, match=r"must be 'h.weight', .*; added or removed: 'y.weigth'"
    ):
        net.forward({"x": np.ones((3, 1))})
    del net.parameters["y.weigth"], net.parameters["y.weight"]
    with pytest.raises(ug.errors.ShapeError, match=r"; added or removed: 'y.weight'"):
        net.forward({"x": np.ones((3, 1))})


def test_an_input_without_copies_need_not_be_given():
    G = net_of([("x", "y", 0)], {"x": nn.Input(1), "z": nn.Input(2), "y": nn.Dense(1)})
    total = nx.MultiDiGraph([(0, 1, 0)])
    p = ug.GraphMap(total, ug.DelayGraph(G).base, {0: "x", 1: "y"})
    run = nn.Network(G).forward({"x": np.ones((1, 4, 1))}, over=p)
    assert run.values["y"].shape == (1, 4, 1)
    assert run.values["z"].shape == (0, 4, 2)
    with pytest.raises(ValueError, match="steps applies to a window only; omit it with over="):
        nn.Network(G).forward({"x": np.ones((1, 4, 1))}, over=p, steps=1)


def test_equal_operations_are_equal():
    assert nn.Constant([1, 2]) == nn.Constant(np.array([1.0, 2.0]))
    assert nn.Dense(3) == nn.Dense(3) != nn.Dense(4)
    assert ug.DelayGraph(A.lstm(1, 2, 1)) == ug.DelayGraph(A.lstm(1, 2, 1))


def test_nothing_under_nn_names_a_cell():
    import re
    from pathlib import Path

    for path in Path(nn.__file__).parent.rglob("*.py"):
        if path.stem not in {"architectures", "torch"}:
            assert not re.search(r"lstm|gru|elman|jordan|rnn", path.read_text(), re.I), path


def test_rooms_over_a_graph_are_used_again_and_given_values_stay():
    G = A.grid_2d(2, 3, 2)
    net = nn.Network(G)
    U = ug.unroll(net, (4, 5))
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(20, 2, 2)), rng.normal(size=(20, 2, 2))
    first = net.forward({"x": x}, over=U, initial={"h": np.ones(3)})
    held = first._binding
    values, gradients = first.values["h"], first.backward({"y": w})
    kept = [values, gradients.copies("h.weight"), gradients.inputs["x"], gradients.initial["h"]]
    before = [array.copy() for array in kept]
    second = net.forward({"x": -x}, over=U)
    assert second._binding is not held
    del first, gradients, second
    third = net.forward({"x": -x}, over=U)
    fresh = nn.Network(G).forward({"x": -x}, over=U)
    assert np.array_equal(third.values["h"], fresh.values["h"])
    assert all(np.array_equal(a, b) for a, b in zip(kept, before, strict=True))
    a, b = third.backward({"y": w}), fresh.backward({"y": w})
    for name in net.parameters:
        assert np.array_equal(a.parameters[name], b.parameters[name])


@pytest.mark.parametrize("batch", [1, 3, 700])
def test_blocks_of_copies_change_nothing(monkeypatch, batch):
    from unrollgraph.nn.executors import graph

    net = nn.Network(A.grid_2d(2, 3, 2))
    U = ug.unroll(net, (4, 5))
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(20, batch, 2)), rng.normal(size=(20, batch, 2))
    found = []
    for rows in (1, 10, 2**20):
        monkeypatch.setattr(graph, "ROWS", rows)
        gradients = net.forward({"x": x}, over=U).backward({"y": w})
        found.append([gradients.inputs["x"], *gradients.parameters.values()])
    for one in found[:2]:
        assert all(
            np.allclose(a, b, rtol=1e-12, atol=1e-12) for a, b in zip(one, found[2], strict=True)
        )


def test_arcs_of_a_lift_are_read_from_its_arrays_and_of_a_copy_one_by_one():
    """Both ways of reading a graph give one plan."""
    from unrollgraph.nn import execution_order

    for name, window in (("lstm", 4), ("bidirectional", 5), ("grid_2d", (3, 4))):
        graph = ug.DelayGraph(getattr(A, name)(2, 3, 2))
        U = ug.unroll(graph, window)
        fast = execution_order.plan_copies(graph, U.projection)
        stored = nx.MultiDiGraph(U)
        p = ug.GraphMap(stored, U.base, {node: U.projection(node) for node in stored})
        assert execution_order._by_arrays(graph, p, [], {}) is None
        slow = execution_order._by_arcs(graph, U.projection, fast.fibres, fast.position)
        assert all(np.array_equal(a, b) for a, b in zip(fast.sources, slow, strict=True))


def test_reference_row_57_is_the_impulse_response_of_a_filter():
    (case,) = [c for c in CASES if c["row"] == 57]
    G = nx.MultiDiGraph()
    for u, v, d in case["edges"]:
        G.add_edge(u, v, delay=d)
    G.nodes["x"]["op"], G.nodes["y"]["op"] = nn.Input(1), nn.Dense(1, "linear", bias=False)
    net = nn.Network(G)
    net.parameters["y.weight"][:] = case["gains"]
    expected = case["expect"]["impulse_response"]
    impulse = np.zeros((len(expected), 1))
    impulse[0] = 1
    assert net.forward({"x": impulse}).values["y"][:, 0] == pytest.approx(expected, abs=1e-15)


def test_gradients_of_copies_are_told_over_windows_and_other_graphs_alike():
    rng = np.random.default_rng(0)
    net = nn.Network(nn.architectures.bidirectional(2, 3, 2))
    x, g = {"x": rng.normal(size=(5, 4, 2))}, {"y": rng.normal(size=(5, 4, 2))}
    stepped = net.forward(x).backward(g)
    levels = net.forward(x, over=ug.unroll(net, 5)).backward(g)
    for v in net.delay_graph.vertices:
        np.testing.assert_allclose(stepped.of(v), levels.of(v), atol=1e-13)
    np.testing.assert_array_equal(stepped.of("y"), g["y"])
    alone = net.forward({"x": x["x"][:, 1]}).backward({"y": g["y"][:, 1]})
    np.testing.assert_allclose(alone.of("f"), stepped.of("f")[:, 1], atol=1e-13)
    with pytest.raises(KeyError, match="the network has no vertex 'q'"):
        stepped.of("q")


@pytest.mark.parametrize(
    "lift",
    [
        lambda G: ug.unroll(G, 3),
        lambda G: ug.cyclic_cover(G, 2),
        lambda G: ug.universal_cover(G, "h", 2),
        lambda G: ug.random_lift(G, 2, seed=0),
        ug.DelayCover,
    ],
)
def test_a_network_on_a_lift_is_refused_with_the_way_to_run_over_it(lift):
    G = A.elman(2, 3, 2)
    over = lift(G)
    with pytest.raises(
        TypeError, match=r"a lift of a delay graph: build it on the base graph, .* over=lift"
    ):
        nn.Network(over)
