"""Networks written out: against the runner, tables, and SymPy's own derivative of the whole."""

import math
import os
import shutil
import subprocess

import networkx as nx
import numpy as np
import pytest
import sympy
from certified import CASES, graph_of

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import primitives

ROWS = {case["row"]: case for case in CASES}


def lambdified(symbols, values, entries):
    return sympy.lambdify(symbols, entries, cse=True)(*values)


def part_by_part(symbols, values, entries):
    """What lambdify would give, without writing anything out: each part is computed once."""
    known = {}
    for symbol, value in zip(symbols, values, strict=True):
        for (i, j), x in np.ndenumerate(value):
            known[symbol[i, j]] = float(x)
    rules = {"Add": math.fsum, "Mul": math.prod, "tanh": lambda x: math.tanh(*x)}

    def number(part):
        if part not in known:
            parts = [number(arg) for arg in part.args]
            name = type(part).__name__
            rule = rules.get(name)
            known[part] = (
                parts[0] ** parts[1] if name == "Pow" else rule(parts) if rule else float(part)
            )
        return known[part]

    return [number(entry) for entry in entries]


def numbers(net, written, inputs, entries, outside=(), made=lambdified):
    """Expressions at the parameters of the network; together, so that they share their parts."""
    symbols = [*written.weights.values(), *written.inputs.values(), *(s for s, _ in outside)]
    values = [net.parameters[k].reshape(s.shape) for k, s in written.weights.items()]
    values += [
        int(inputs[v][t]) if isinstance(symbol, sympy.Symbol) else inputs[v][t].reshape(-1, 1)
        for (v, t), symbol in written.inputs.items()
    ]
    values += [np.reshape(g, (-1, 1)) for _, g in outside]
    return np.array(made(symbols, values, entries), dtype=float)


def agrees_with_the_runner(net, T, inputs, outputs=None, made=lambdified):
    """Values of all copies, gradients of all weight copies, and their sums, to 1e-12."""
    rng = np.random.default_rng(1)
    U, D = ug.symbolic.unrolled(net, T), ug.symbolic.gradients(net, T, outputs)
    run = net.forward(inputs)
    read = dict.fromkeys(v for v, _ in D.outside)
    g = {v: rng.normal(size=run.values[v].shape) for v in read}
    back = run.backward(g)
    wanted = [(U.values[v, t], run.values[v][t]) for v, t in U.values]
    wanted += [(D.vertices[v, t], back.of(v)[t]) for v, t in D.vertices]
    for key, copies in D.copies.items():
        wanted += [(copies[t], back.copies(key)[t]) for t in range(T)]
        wanted.append((D.sums[key], back.parameters[key]))
    entries = [entry for matrix, _ in wanted for entry in matrix]
    given = [(s, g[v][t]) for (v, t), s in D.outside.items()]
    found = numbers(net, U, inputs, entries, given, made)
    expected = np.concatenate([np.ravel(array) for _, array in wanted])
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("name", ["seed", "gru", "lstm", "bidirectional"])
def test_closed_gradients_are_those_of_the_runner(name):
    net = nn.Network(getattr(nn.architectures, name)(1, 1, 1))
    (x,) = (v for v, d in net.delay_graph.base.nodes(data=True) if isinstance(d["op"], nn.Input))
    agrees_with_the_runner(net, 3, {x: np.random.default_rng(0).normal(size=(3, 1))})


def test_vectors_are_written_entry_by_entry():
    net = nn.Network(nn.architectures.seed(2, 2, 2))
    agrees_with_the_runner(net, 2, {"in": np.random.default_rng(0).normal(size=(2, 2))})


class Square(nn.Op):
    def size_of(self, sizes):
        (size,) = sizes
        return size

    def parameters(self, sizes):
        return {"scale": nn.Parameter((sizes[0],), 1.0)}

    def forward(self, sources, parameters):
        return parameters["scale"] * sources[0] ** 2

    def adjoint(self, gradient, _, sources, parameters):
        (s,) = sources
        back = 2 * parameters["scale"] * s * gradient
        return [back], {"scale": (gradient * s**2).sum(axis=0)}


DENSE = [
    nn.Dense(2, activation, bias=bias, combine=combine)
    for activation in ("tanh", "sigmoid", "relu", "linear")
    for bias, combine in ((True, "concat"), (False, "add"))
]
ELEMENTWISE = [nn.Add(), nn.Multiply(), nn.Concat()]
SINGLE = [
    *(nn.Activation(name) for name in primitives.BUILT_IN),
    nn.Complement(),
    Square(),
]


def told(op):
    fields = vars(op).values()
    return "-".join([type(op).__name__, *map(str, fields)])


@pytest.mark.parametrize("op", [*DENSE, *ELEMENTWISE, *SINGLE], ids=told)
def test_every_operation_is_written_as_it_runs(op):
    """Between an input and a layer that hears it now and a step later, inside a cycle."""
    G = nx.MultiDiGraph()
    G.add_node("x", op=nn.Input(2))
    G.add_node("h", op=nn.Dense(2))
    G.add_node("v", op=op)
    G.add_edge("x", "h")
    G.add_edge("h", "v")
    if op not in SINGLE:
        G.add_edge("x", "v", delay=1)
    G.add_edge("v", "h", delay=1)
    agrees_with_the_runner(nn.Network(G), 2, {"x": np.random.default_rng(0).normal(size=(2, 2))})


def test_the_rectifier_has_no_slope_where_it_begins():
    G = nx.DiGraph()
    G.add_node("x", op=nn.Input(1))
    G.add_node("h", op=nn.Dense(1, "relu"))
    G.add_edge("x", "h")
    net = nn.Network(G)
    assert not net.parameters["h.bias"].any()
    agrees_with_the_runner(net, 3, {"x": np.array([[0.0], [-1.0], [2.0]])})
    (value,) = ug.symbolic.unrolled(net, 1).values["h", 0]
    assert sympy.latex(value).startswith(r"\operatorname{relu}\left(")
    (x,) = value.args
    assert value.subs(x, -3) == 0
    assert sympy.lambdify(sympy.Symbol("u"), value.subs(x, sympy.Symbol("u")), "math")(4) == 4


def test_tables_and_constants_are_written_as_they_run():
    G = nx.MultiDiGraph()
    G.add_node("i", op=nn.Embedding(3, 2))
    G.add_node("k", op=nn.Constant([0.1, -2.0]))
    G.add_node("h", op=nn.Dense(1))
    G.add_edges_from([("i", "h"), ("k", "h"), ("i", "h", {"delay": 1}), ("h", "h", {"delay": 1})])
    net = nn.Network(G)
    agrees_with_the_runner(net, 3, {"i": np.array([2, 0, 2])}, ["h", "i"])


def test_every_operation_of_the_table_is_among_those_tested():
    tested = {type(op) for op in [*DENSE, *ELEMENTWISE, *SINGLE]}
    tested |= {nn.Input, nn.Embedding, nn.Constant}
    offered = [getattr(nn, name) for name in nn.__all__]
    ours = {op for op in offered if isinstance(op, type) and issubclass(op, nn.Op)} - {nn.Op}
    assert len(ours) == 9
    assert ours <= tested


@pytest.mark.parametrize("row", [71, 72])
def test_reference_gradients(row):
    case = ROWS[row]
    G = graph_of(case["edges"])
    G.add_node("x", op=nn.Input(1))
    G.add_node("h", op=nn.Dense(1, case["activation"], bias=False))
    net = nn.Network(G)
    net.parameters["h.weight"][:] = case["gains"]
    inputs = {"x": np.array(case["inputs"]["x"], dtype=float).reshape(-1, 1)}
    T = len(inputs["x"])
    U, D = ug.symbolic.unrolled(net, T), ug.symbolic.gradients(net, T)
    loss = [(s, [float(t == T - 1)]) for (_, t), s in D.outside.items()]
    values = numbers(net, U, inputs, [U.values["h", t][0] for t in range(T)])
    np.testing.assert_allclose(values, case["expect"]["values"]["h"], atol=1e-9)
    copies = numbers(net, U, inputs, [x for c in D.copies["h.weight"] for x in c], loss)
    sums = numbers(net, U, inputs, list(D.sums["h.weight"]), loss)
    np.testing.assert_allclose(sums, case["expect"]["gradient"], atol=1e-12)
    if "gradient_copies" in case["expect"]:
        wanted = np.array(case["expect"]["gradient_copies"]).T
        np.testing.assert_allclose(copies.reshape(T, -1), wanted, atol=1e-12)


@pytest.mark.parametrize("name", ["seed", "gru"])
def test_the_sum_of_the_copies_is_the_derivative_of_the_whole_expression(name):
    """The chain rule arc by arc against SymPy's derivative of what is written out."""
    net = nn.Network(getattr(nn.architectures, name)(1, 1, 1))
    U, D = ug.symbolic.unrolled(net, 2), ug.symbolic.gradients(net, 2)
    loss = sum(symbol[0, 0] * U.values[copy][0] for copy, symbol in D.outside.items())
    rng = np.random.default_rng(0)
    point = {
        s[i, j]: float(rng.normal())
        for s in [*U.weights.values(), *U.inputs.values(), *D.outside.values()]
        for i in range(s.shape[0])
        for j in range(s.shape[1])
    }
    for key, weight in U.weights.items():
        for i in range(weight.shape[0]):
            for j in range(weight.shape[1]):
                whole = loss.diff(weight[i, j]).xreplace(point)
                assert abs(whole - D.sums[key][i, j].xreplace(point)) < 1e-12


def test_it_is_written_as_books_write_it():
    net = nn.Network(nn.architectures.seed(1, 1, 1))
    lines = ug.symbolic.unrolled(net, 2).latex().splitlines()
    rows = r"\begin{bmatrix} \mathrm{in}_{1} \\ C_{0} \end{bmatrix}"
    assert rf"A_{{1}} &= \tanh\left(M_{{A}} {rows} + b_{{A}}\right) \\" in lines
    assert any(
        r"\begin{bmatrix} \mathrm{in}_{0} \\ \mathbf{0} \end{bmatrix}" in line for line in lines
    )
    chain = ug.symbolic.gradients(net, 2).latex()
    into_c = [
        line for line in chain.splitlines() if line.startswith(r"\frac{\partial L}{\partial C_{0}}")
    ]
    (line,) = into_c  # through the output and through the next step
    assert r"\partial \mathrm{out}_{0}}{\partial C_{0}}" in line
    assert r"\partial A_{1}}{\partial C_{0}}" in line
    assert r"\sum_{t=0}^{1}" in chain


@pytest.mark.parametrize("name", ["peephole_lstm", "recurrent_highway", "clockwork"])
def test_gated_networks_take_no_longer_than_one_waits(name):
    net = nn.Network(getattr(nn.architectures, name)(1, 2, 1))
    x = [v for v, d in net.delay_graph.base.nodes(data=True) if isinstance(d["op"], nn.Input)]
    inputs = {v: np.random.default_rng(0).normal(size=(3, 1)) for v in x}
    agrees_with_the_runner(net, 3, inputs, made=part_by_part)


def test_what_is_written_can_be_given_to_sympy_itself():
    (value,) = ug.symbolic.unrolled(nn.Network(nn.architectures.seed(1, 1, 1)), 1).values["A", 0]
    (inside,) = value.args
    assert value.doit() == sympy.tanh(inside)
    u = sympy.Symbol("u")
    assert type(value)(u).diff(u) == 1 - type(value)(u) ** 2
    relu = type(_rectified())
    assert sympy.ccode(relu(u)) == "fmax(u, 0)"
    assert sympy.lambdify(u, relu(u), "mpmath")(-2) == 0
    assert relu(u).doit() == sympy.Max(0, u)


def _rectified():
    G = nx.DiGraph([("x", "h")])
    G.nodes["x"]["op"], G.nodes["h"]["op"] = nn.Input(1), nn.Activation("relu")
    (value,) = ug.symbolic.unrolled(nn.Network(G), 1).values["h", 0]
    return value


def test_vertices_may_have_any_name():
    names = {"x": "a\nb", "h": (0, 1), "y": "7"}
    net = nn.Network(nx.relabel_nodes(nn.architectures.elman(1, 1, 1), names))
    agrees_with_the_runner(net, 2, {"a\nb": np.random.default_rng(0).normal(size=(2, 1))})
    lines = ug.symbolic.unrolled(net, 2).latex().splitlines()
    assert len(lines) == 6
    assert lines[1].startswith(r"\mathrm{(0,\ 1)}_{0} &=")


def network_of(op, source=None):
    G = nx.DiGraph([("x", "h")])
    G.nodes["x"]["op"], G.nodes["h"]["op"] = source or nn.Input(2), op
    return nn.Network(G)


class Bad(nn.Op):
    def __init__(self, forward):
        self.made = forward

    def size_of(self, sizes):
        return sizes[0]

    def forward(self, sources, _):
        return self.made(sources[0])


def raising(_):
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("forward", "error", "text"),
    [
        (lambda s: s[:, :1], ug.errors.ShapeError, "returned 1 entries, but its size is 2"),
        (lambda s: np.hstack([s, s]), ug.errors.ShapeError, "returned 4 entries"),
        (raising, TypeError, "fails on SymPy expressions"),
        (lambda s: s / 0, ValueError, "divides by zero"),
    ],
)
def test_operations_that_cannot_be_written_are_refused(forward, error, text):
    with pytest.raises(error, match=text):
        ug.symbolic.unrolled(network_of(Bad(forward)), 1)


def test_vertices_that_would_be_printed_alike_are_refused():
    G = nx.DiGraph([(1, "1")])
    G.nodes[1]["op"], G.nodes["1"]["op"] = nn.Input(1), nn.Add()
    with pytest.raises(
        ValueError, match="the vertices 1 and '1' would have the same name in LaTeX"
    ):
        ug.symbolic.unrolled(nn.Network(G), 1)


def test_numbers_and_operations_of_ones_own_are_written_as_mathematics():
    G = nx.DiGraph([("c", "s")])
    G.nodes["c"]["op"] = nn.Constant([1e-30, 1e20, 0.5, -3.0])
    G.nodes["s"]["op"] = Square()
    net = nn.Network(G)
    text = ug.symbolic.unrolled(net, 1).latex()
    assert r"1.0 \cdot 10^{-30} \\ 1.0 \cdot 10^{20} \\ 0.5 \\ -3 \end{bmatrix}" in text
    assert r"\mathrm{Square}\left(c_{0}, \mathrm{scale}_{s}\right)" in text
    both = ug.symbolic.gradients(nn.Network(nn.architectures.elman(1, 1, 1)), 1, ["x", "y"]).latex()
    assert r"\frac{\partial L}{\partial x_{0}} &= g_{x,0} + " in both


def test_pdflatex_sets_it(tmp_path):
    if not shutil.which("pdflatex") and not os.environ.get("UNROLLGRAPH_ALL_TOOLS"):
        pytest.skip("pdflatex is not installed")
    G = nx.relabel_nodes(nn.architectures.lstm(1, 1, 1), {"h": "50 %_#&{~^}\\$"})
    G.add_node("c'", op=nn.Constant([0.1234567, 1.0, 1e-30]))
    G.add_node("square", op=Square())
    G.add_edge("c'", "square", delay=-1)
    net = nn.Network(G)
    pieces = ug.symbolic.unrolled(net, 2), ug.symbolic.gradients(net, 2)
    body = "\n".join(f"\\[{piece.latex()}\\]" for piece in pieces)
    head = "\\documentclass{article}\\usepackage{amsmath}\\begin{document}"
    (tmp_path / "sheet.tex").write_text(f"{head}\n{body}\n\\end{{document}}")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1500:]
    assert "Missing character" not in (tmp_path / "sheet.log").read_text(encoding="latin-1")
