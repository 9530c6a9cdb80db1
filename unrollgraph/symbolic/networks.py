"""A small network written out: its outputs and its gradients as closed expressions.

Unrolled over T steps, the copy of a vertex v at step t is the vector ``v_t``: ``A_0``, ``C_1``.
What it computes is what its operation says of the copies that it reads; those before the first
step, and after the last, are zero. Written into each other, they express the copy by inputs and
weights: by ``M_A``, the matrix of A, and ``b_A``, its bias.

A weight has a copy at each step, and each copy a gradient of its own. With the gradients ``g_v_t``
of a loss by the outputs given from outside, the chain rule goes through the unrolled graph arc by
arc, against the arcs:

    dL/du_s = g_u_s + sum over the arcs (u, s) -> (v, t) of (dv_t / du_s)^T dL/dv_t,

and the gradient of the copy at t of a weight of v is (dv_t / dM)^T dL/dv_t. Along a fibre the
derivatives dv_t / du_s are one expression, only at other values: they are found once, on the base,
by SymPy. The gradient of the weight is the sum over its copies.

The logistic function 1 / (1 + exp(-a)) is written (1 + tanh(a / 2)) / 2, which is the same. An
operation of your own is run on expressions, and differentiated: what its `adjoint` says plays no
part.
Expressions become long: this is for reading and for checking, with a few units and steps.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np
import sympy

from unrollgraph.errors import CyclicCoverError, ShapeError, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, delay_hint, each_vertex
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import check_integer
from unrollgraph.nn.lowering import ForwardValues, lower
from unrollgraph.nn.network import Network
from unrollgraph.nn.primitives import opaque_parts
from unrollgraph.nn.program import Ref, Value
from unrollgraph.symbolic.formulas import (
    chain_rule,
    check_differ,
    copies_in_order,
    equations,
    relu,
    tanh,
    text_of,
    weight_letter,
)

Vector = tuple[sympy.Expr, ...]
Copy = tuple[Any, int]


@dataclass(frozen=True)
class _Written:
    """What is written out of a network over some steps."""

    graph: DelayGraph = field(repr=False)
    steps: int
    inputs: Mapping[Copy, Any] = field(repr=False)
    weights: Mapping[str, Any] = field(repr=False)

    def latex(self) -> str:
        """Write it for LaTeX."""
        raise NotImplementedError

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


@dataclass(frozen=True)
class Unrolled(_Written):
    """A network over some steps, as expressions.

    In a notebook it shows its equations.

    Attributes
    ----------
    graph : DelayGraph
        The base.
    steps : int
        Number T of steps.
    inputs : mapping
        For each copy of an input, the symbol that stands for it: a column vector
        `sympy.MatrixSymbol`, or an integer `sympy.Symbol` for an `nn.Embedding`.
    weights : mapping
        For each parameter by its name, such as ``"A.weight"``, its symbol: a
        `sympy.MatrixSymbol`; vectors are columns.
    values : mapping
        For each copy of each vertex its value, a column of expressions in inputs and weights.
    """

    values: Mapping[Copy, sympy.ImmutableMatrix] = field(repr=False)

    def latex(self) -> str:
        r"""Write what each copy computes, in the order of time, for LaTeX.

        Examples
        --------
        >>> import unrollgraph as ug
        >>> from unrollgraph import nn
        >>> net = nn.Network(nn.architectures.seed(1, 1, 1))
        >>> print(ug.symbolic.unrolled(net, 2).latex().splitlines()[6])
        B_{1} &= \tanh\left(M_{B} A_{1} + b_{B}\right) \\
        """
        return _aligned(equations(self.graph, self.steps, self.weights))


@dataclass(frozen=True)
class SymbolicGradients(_Written):
    """The gradient of a loss through an unrolled network, as expressions.

    In a notebook it shows the chain rule, arc by arc.

    Attributes
    ----------
    graph, steps, inputs, weights
        As of `Unrolled`.
    outside : mapping
        For each copy of an output the symbol of the gradient of the loss by it, a column.
    vertices : mapping
        For each copy of each vertex the gradient of the loss by it, a column.
    copies : mapping
        For each parameter by name the gradient of each of its T copies, of its shape.
    sums : mapping
        For each parameter by name their sum, the gradient of the parameter.
    """

    outside: Mapping[Copy, Any] = field(repr=False)
    vertices: Mapping[Copy, sympy.ImmutableMatrix] = field(repr=False)
    copies: Mapping[str, tuple[sympy.ImmutableMatrix, ...]] = field(repr=False)
    sums: Mapping[str, sympy.ImmutableMatrix] = field(repr=False)

    def latex(self) -> str:
        """Write the chain rule through the unrolled graph, arc by arc, for LaTeX."""
        return _aligned(chain_rule(self.graph, self.steps, self.outside, self.weights))


def unrolled(net: Network, steps: int) -> Unrolled:
    """Write the values of a small network as closed expressions in its inputs and weights.

    Parameters
    ----------
    net : nn.Network
        A network with delays in Z; its numbers play no part.
    steps : int
        Number of steps.

    Returns
    -------
    Unrolled
        The expressions, and the symbols that they are made of.

    Raises
    ------
    CyclicCoverError
        If the unrolling has a directed cycle.
    TypeError
        If ``net`` is no `nn.Network`, or an operation of your own cannot compute with SymPy's
        expressions.
    ValueError
        If delays are not in Z, steps is no positive number, two vertices or symbols would get one
        name, a parameter has more than two axes, or an operation of your own divides by zero.
    ShapeError
        If an operation of your own returns another number of entries than its size.

    Notes
    -----
    Expressions share their parts in memory; written out, they may grow exponentially with the
    number of steps, and SymPy writes them out to print them or to turn them into functions, by
    ``sympy.lambdify(..., cse=True)``.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(1, 1, 1))
    >>> U = ug.symbolic.unrolled(net, 2)
    >>> U.values["B", 0]
    Matrix([[tanh(tanh(M_A[0, 0]*in_0[0, 0] + b_A[0, 0])*M_B[0, 0] + b_B[0, 0])]])
    """
    graph, forward, copies = _window(net, steps)
    weights, inputs = _symbols(graph, forward, steps)
    values: dict[Copy, Vector] = {}
    for v, t in copies:
        sources = {
            e: values.get((graph.vertices[int(graph.tails[e])], t - graph.times[e]))
            for e in graph.in_numbers[v]
        }
        values[graph.vertices[v], t] = _computed(
            graph, forward, v, sources, weights, inputs.get((graph.vertices[v], t))
        )
    columns = {copy: sympy.ImmutableMatrix(list(value)) for copy, value in values.items()}
    return Unrolled(graph, steps, FrozenDict(inputs), FrozenDict(weights), FrozenDict(columns))


def gradients(net: Network, steps: int, outputs: Iterable[Any] | None = None) -> SymbolicGradients:
    """Write the gradient of each copy of each weight, and their sums, as closed expressions.

    Parameters
    ----------
    net : nn.Network
        A network with delays in Z; its numbers play no part.
    steps : int
        Number of steps.
    outputs : iterable of vertices, optional
        The vertices that a loss looks at; unless given those without out-edges, or all of them if
        there are none such.

    Returns
    -------
    SymbolicGradients
        Expressions in inputs, weights, and the gradients of the loss by the outputs.

    Raises
    ------
    CyclicCoverError, TypeError
        As by `unrolled`.
    ValueError
        If an output is no vertex, or as by `unrolled`.

    Notes
    -----
    The derivatives of each vertex of the base are found once; then the chain rule against the
    arcs. As long as those of `unrolled`.

    Examples
    --------
    The gradient of the first copy of the last matrix, and of its bias, the sum over two copies.

    >>> import unrollgraph as ug
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(1, 1, 1))
    >>> D = ug.symbolic.gradients(net, 2)
    >>> D.copies["out.weight"][0]
    Matrix([[tanh(tanh(tanh(M_A[0, 0]*in_0[0, 0] + b_A[0, 0])*M_B[0, 0] + b_B[0, 0])*M_C[0, 0] +
    b_C[0, 0])*g_out_0[0, 0]]])
    >>> D.sums["out.bias"]
    Matrix([[g_out_0[0, 0] + g_out_1[0, 0]]])
    """
    done = unrolled(net, steps)
    graph = done.graph
    forward = lower(graph)
    chosen = _outputs(graph, outputs)
    outside = {
        (v, t): sympy.MatrixSymbol(
            _identifier(f"g_{text_of(v)}_{t}"), forward.values[graph.number[v]].size, 1
        )
        for v in chosen
        for t in range(steps)
    }
    _apart([*outside.values(), *done.inputs.values(), *done.weights.values()])
    rules = [_Rule(graph, forward, v, done.weights) for v in range(len(graph.vertices))]
    sums: dict[Copy, list[sympy.Expr]] = {}
    for copy, value in done.values.items():
        given = outside.get(copy)
        sums[copy] = [sympy.S.Zero if given is None else given[i, 0] for i in range(value.rows)]
    copies: dict[str, dict[int, sympy.ImmutableMatrix]] = {name: {} for name in done.weights}
    for v, t in reversed(list(done.values)):  # in the order in which they were computed
        rules[graph.number[v]].pass_back(t, sums[v, t], done, sums, copies)
    return SymbolicGradients(
        graph,
        steps,
        done.inputs,
        done.weights,
        FrozenDict(outside),
        FrozenDict({copy: sympy.ImmutableMatrix(column) for copy, column in sums.items()}),
        FrozenDict({name: tuple(own[t] for t in range(steps)) for name, own in copies.items()}),
        FrozenDict(
            {
                name: sum(own.values(), sympy.ImmutableMatrix.zeros(*done.weights[name].shape))
                for name, own in copies.items()
            }
        ),
    )


# -- what a copy computes ------------------------------------------------------------------------


def _computed(
    graph: DelayGraph,
    forward: ForwardValues,
    v: int,
    sources: Mapping[int, Vector | None],
    weights: Mapping[str, Any],
    given: Any,
) -> Vector:
    """The value of a copy of vertex v, from what it reads through its edges; None is zero."""
    known: dict[int, Vector] = {}

    def read(ref: Ref) -> Vector:
        if ref.edge is None:
            value = compute(ref.value)
        else:
            value = sources[ref.edge] or (sympy.S.Zero,) * forward.values[ref.value].size
        return value if ref.columns is None else value[slice(*ref.columns)]

    def compute(k: int) -> Vector:
        if k not in known:
            item = forward.values[k]
            if item.kind in {"input", "indices"}:
                known[k] = (given,) if item.kind == "indices" else tuple(given)
            else:
                own = [_block(weights[w.name], w.columns) for w in item.weights]
                known[k] = tuple(_row(graph, item, [read(ref) for ref in item.args], own))
        return known[k]

    return compute(v)


def _block(weight: Any, columns: tuple[int, int] | None) -> list[list[sympy.Expr]]:
    """A weight, or some of its columns, as rows of entries."""
    first, last = columns or (0, weight.shape[1])
    return [[weight[i, j] for j in range(first, last)] for i in range(weight.shape[0])]


def _times(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    """A product; SymPy would search what zero is multiplied by for what is infinite."""
    return a * b if a != 0 and b != 0 else sympy.S.Zero


def _sigmoid(a: sympy.Expr) -> sympy.Expr:
    # 1 / (1 + exp(-a)), but SymPy would expand what an exponential is taken of
    return (1 + tanh(a / 2)) / 2


ENTRIES: dict[str, Callable[..., sympy.Expr]] = {
    "copy": lambda a: a,
    "tanh": tanh,
    "sigmoid": _sigmoid,
    "relu": relu,
    "complement": lambda a: 1 - a,
    "add": operator.add,
    "multiply": _times,
}


def _row(graph: DelayGraph, item: Value, args: list[Vector], weights: list[Any]) -> Sequence[Any]:
    """What a step of a network computes, told anew in SymPy."""
    if item.kind in ENTRIES:
        return [ENTRIES[item.kind](*entries) for entries in zip(*args, strict=True)]
    if item.kind == "constant":
        return [sympy.Integer(int(x)) if x.is_integer() else sympy.Float(x) for x in item.extra]
    if item.kind == "concatenate":
        return [entry for arg in args for entry in arg]
    if item.kind == "product":
        return [
            sympy.Add(*(w * x for w, x in zip(row, args[0], strict=True))) for row in weights[0]
        ]
    if item.kind == "bias":
        return [x + w for x, (w,) in zip(args[0], weights[0], strict=True)]
    if item.kind == "embedding":
        ((index,),) = args
        table = weights[0][0][0].parent
        return [table[index, j] for j in range(item.size)]
    return _by_its_own_code(graph, item, args, weights)


def _by_its_own_code(
    graph: DelayGraph, item: Value, args: list[Vector], weights: list[Any]
) -> Sequence[Any]:
    """Run a user's operation on expressions in place of numbers."""
    op, names = opaque_parts(item)
    arrays = [np.array([arg], dtype=object).reshape(1, len(arg)) for arg in args]
    own = {name: np.array(w, dtype=object) for name, w in zip(names, weights, strict=True)}
    shapes = op.parameters([len(arg) for arg in args])
    own = {name: array.reshape(shapes[name].shape) for name, array in own.items()}
    who = f"the operation {type(op).__name__} of {show_vertex(graph.vertices[item.vertex])}"
    try:
        result = np.asarray(op.forward(arrays, own), dtype=object).reshape(-1).tolist()
        entries = [sympy.sympify(entry) for entry in result]
    except Exception as error:  # a user's code may raise anything
        raise TypeError(
            f"{who} cannot compute with SymPy's expressions; write its forward with arithmetic "
            "alone, or leave it out"
        ) from error
    if len(entries) != item.size:
        raise ShapeError(
            f"{who} returned {len(entries)} entries, but its size is {item.size}",
            expected=(1, item.size),
            found=(1, len(entries)),
        )
    if any(entry.has(sympy.zoo, sympy.nan) for entry in entries):
        raise ValueError(
            f"{who} divides by zero, perhaps before the first step, where all that it reads is zero"
        )
    return entries


# -- and passes back ---------------------------------------------------------------------------


class _Rule:
    """The derivatives of what a vertex computes, found once for all of its copies."""

    def __init__(
        self, graph: DelayGraph, forward: ForwardValues, v: int, weights: Mapping[str, Any]
    ) -> None:
        self._graph, self._v = graph, v
        self._sources = {
            e: tuple(sympy.Dummy(f"s{i}") for i in range(forward.values[int(graph.tails[e])].size))
            for e in graph.in_numbers[v]
        }
        items = [item for item in forward.values if item.vertex == v]
        self._own = sorted({w.name for item in items for w in item.weights})
        self._given = sympy.Dummy("index", integer=True)
        looks_up = any(item.kind == "indices" for item in items)
        given = self._given if looks_up else [sympy.S.Zero] * forward.values[v].size
        value = _computed(graph, forward, v, self._sources, weights, given)
        self._by_source = {
            e: [[y.diff(s) for s in entries] for y in value] for e, entries in self._sources.items()
        }
        self._by_weight = {
            name: [[_derived(y, x) for x in weights[name]] for y in value] for name in self._own
        }

    def pass_back(
        self,
        t: int,
        gradient: list[sympy.Expr],
        done: Unrolled,
        sums: dict[Copy, list[sympy.Expr]],
        copies: dict[str, dict[int, sympy.ImmutableMatrix]],
    ) -> None:
        """Add to the gradients of what the copy at t reads, and tell those of its weights."""
        graph = self._graph
        here: dict[Any, Any] = {self._given: done.inputs.get((graph.vertices[self._v], t))}
        tails = {}
        for e, entries in self._sources.items():
            tails[e] = graph.vertices[int(graph.tails[e])], t - graph.times[e]
            value = done.values.get(tails[e], sympy.zeros(len(entries), 1))
            here.update(zip(entries, value, strict=True))

        def passed(rows: list[list[sympy.Expr]], column: int) -> sympy.Expr:
            slopes = (row[column].xreplace(here) for row in rows)
            return sympy.Add(*map(_times, slopes, gradient))

        for e, tail in tails.items():
            if tail in sums:
                for i in range(len(self._sources[e])):
                    sums[tail][i] += passed(self._by_source[e], i)
        for name in self._own:
            rows = self._by_weight[name]
            shape = done.weights[name].shape
            flat = [passed(rows, k) for k in range(shape[0] * shape[1])]
            copies[name][t] = sympy.ImmutableMatrix(*shape, flat)


def _derived(y: sympy.Expr, weight: sympy.Expr) -> sympy.Expr:
    """A derivative by an entry of a matrix, which an index may choose."""
    return y.diff(weight).replace(
        lambda part: isinstance(part, sympy.KroneckerDelta),
        lambda part: sympy.KroneckerDelta(*part.args[:2]),
    )


# -- symbols -------------------------------------------------------------------------------------


def _window(net: Any, steps: Any) -> tuple[DelayGraph, ForwardValues, list[tuple[int, int]]]:
    """The base, its values, and the copies in an order in which they can be computed."""
    if not isinstance(net, Network):
        raise TypeError(f"a network is an unrollgraph.nn.Network, not {show_kind(net)}")
    graph = net.graph
    if not check_integer(steps, "the number of steps"):
        raise ValueError("a network is unrolled over one step at least")
    if graph.dimension > 1:
        raise ValueError(f"a network is unrolled over steps, but delays are in Z^{graph.dimension}")
    check_differ(graph)
    try:
        order = copies_in_order(graph, steps)
    except nx.NetworkXUnfeasible as error:
        raise CyclicCoverError(
            "the unrolling has a directed cycle, so no order computes it; unrollgraph.find_cycle "
            f"returns one{delay_hint(graph)}"
        ) from error
    return graph, lower(graph), [(graph.number[v], t) for v, t in order]


def _symbols(
    graph: DelayGraph, forward: ForwardValues, steps: int
) -> tuple[dict[str, Any], dict[Copy, Any]]:
    weights = {}
    for name, parameter in forward.parameters.items():
        if len(parameter.shape) > 2:
            raise ValueError(f"{name} has {len(parameter.shape)} axes, but a matrix has two")
        shape = (*parameter.shape, 1, 1)[:2]
        vertex, _, own = name.rpartition(".")
        symbol = _identifier(f"{weight_letter(own)}_{vertex}")
        weights[name] = sympy.MatrixSymbol(symbol, *shape)
    inputs: dict[Copy, Any] = {}
    for v, k in forward.inputs.items():
        item, name = forward.values[k], graph.vertices[v]
        for t in range(steps):
            symbol = f"{text_of(name)}_{t}"
            inputs[name, t] = (
                sympy.Symbol(_identifier(f"i_{symbol}"), integer=True)
                if item.kind == "indices"
                else sympy.MatrixSymbol(_identifier(symbol), item.size, 1)
            )
    _apart([*weights.values(), *inputs.values()])
    return weights, inputs


def _identifier(name: str) -> str:
    """A name that code can have, as `sympy.lambdify` needs."""
    word = re.sub(r"\W", "_", name)
    return word if word.isidentifier() else f"v{word}"


def _apart(symbols: Iterable[Any]) -> None:
    """Refuse two symbols of one name, which SymPy would take for one."""
    seen = set()
    for symbol in symbols:
        if symbol.name in seen:
            raise ValueError(
                f"two symbols would be named {symbol.name}; rename a vertex, for example with "
                "networkx.relabel_nodes, or a parameter of your own operation"
            )
        seen.add(symbol.name)


def _outputs(graph: DelayGraph, outputs: Any) -> list[Any]:
    if outputs is not None:
        return each_vertex(graph, outputs, "outputs")
    ends = [v for v, out in zip(graph.vertices, graph.out_numbers, strict=True) if not out]
    return ends or list(graph.vertices)


def _aligned(lines: Sequence[str]) -> str:
    return "\n".join(["\\begin{aligned}", *(f"{line} \\\\" for line in lines), "\\end{aligned}"])
