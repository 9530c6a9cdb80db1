"""Values and gradients of a small unrolled network as symbolic expressions.

Unrolled over T steps, a vertex v has a copy (v, t) for each step t, with a vector ``v_t`` such as
``A_0`` as its value, which is zero before the first and after the last step. Substitution expresses
each value by the inputs and the parameters: ``M_A`` is the weight matrix of A and ``b_A`` its bias.
For given gradients ``g_v_t`` of a loss with respect to outputs, the chain rule is applied from the
last copy to the first:

    dL/du_s = g_u_s + sum over the edges (u, s) -> (v, t) of (dv_t / du_s)^T dL/dv_t.

The gradient of a parameter M of v is the sum of the gradients (dv_t / dM)^T dL/dv_t of its copies,
one for each step t. Derivatives are computed once for each vertex of the base graph; for a custom
operation from its `forward`, not its `adjoint`. The sigmoid is written as (1 + tanh(a / 2)) / 2.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import networkx as nx
import numpy as np
import sympy

from unrollgraph.errors import CyclicCoverError, ShapeError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph, delay_hint, each_vertex
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import check_integer
from unrollgraph.nn.lowering import ForwardValues, lower
from unrollgraph.nn.network import Network
from unrollgraph.nn.primitives import ACTIVATIONS, TABLE, opaque_parts
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
    graph: DelayGraph = field(repr=False)
    steps: int
    inputs: Mapping[Copy, Any] = field(repr=False)
    weights: Mapping[str, Any] = field(repr=False)

    def latex(self) -> str:
        raise NotImplementedError

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


@dataclass(frozen=True)
class Unrolled(_Written):
    """A network over some steps, as expressions; a notebook shows its equations.

    Attributes
    ----------
    graph, steps : DelayGraph, int
        The base graph and the number T of steps.
    inputs : mapping
        For each copy of an input, its symbol: a column `sympy.MatrixSymbol`, or an integer
        `sympy.Symbol` for an `nn.Embedding`.
    weights : mapping
        For each parameter name (``"A.weight"``), its `sympy.MatrixSymbol`; vectors are columns.
    values : mapping
        For each copy of each vertex, its value: a column of expressions.
    """

    values: Mapping[Copy, sympy.ImmutableMatrix] = field(repr=False)

    def latex(self) -> str:
        r"""Return the equations of all copies except inputs, as LaTeX."""
        return _aligned(equations(self.graph, self.steps, self.weights))


@dataclass(frozen=True)
class SymbolicGradients(_Written):
    """Gradients through an unrolled network; a notebook shows the chain rule.

    Attributes
    ----------
    graph, steps, inputs, weights
        As in `Unrolled`.
    outside : mapping
        For each copy of an output, the symbol of the given gradient of the loss, a column.
    vertices : mapping
        For each copy of each vertex, the gradient of the loss, a column of expressions.
    copies : mapping
        For each parameter name, the gradients of its T copies, in the shape of the parameter.
    sums : mapping
        For each parameter name, the sum of these gradients: the gradient of the parameter.
    """

    outside: Mapping[Copy, Any] = field(repr=False)
    vertices: Mapping[Copy, sympy.ImmutableMatrix] = field(repr=False)
    copies: Mapping[str, tuple[sympy.ImmutableMatrix, ...]] = field(repr=False)
    sums: Mapping[str, sympy.ImmutableMatrix] = field(repr=False)

    def latex(self) -> str:
        """Return the chain rule through the unrolled graph, edge by edge, as LaTeX."""
        return _aligned(chain_rule(self.graph, self.steps, self.outside, self.weights))


def unrolled(net: Network, steps: int) -> Unrolled:
    """Compute the values of a small network as expressions in inputs and parameters.

    Parameters
    ----------
    net : nn.Network
        A network with delays in Z; the values of its parameters are ignored.
    steps : int
        Number of steps, at least 1.

    Returns
    -------
    Unrolled
        The expressions and their symbols. They share parts in memory, but printing them and
        `sympy.lambdify`, even with ``cse=True``, may take time exponential in the number of steps.

    Raises
    ------
    CyclicCoverError
        If the network unrolled over these steps has a directed cycle.
    TypeError
        If ``net`` is not an `nn.Network`, or a custom operation fails on SymPy expressions.
    ValueError
        If delays are not in Z, ``steps`` is not a positive integer, names of vertices or symbols
        coincide, a parameter has more than two axes, or a custom operation divides by zero.
    ShapeError
        If the result of a custom operation does not have its declared size.

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
    """Compute the gradients of the parameters of a small network as expressions.

    Parameters
    ----------
    net, steps
        As in `unrolled`.
    outputs : iterable of vertices, optional
        The vertices that the loss depends on; default: the vertices without out-edges, or all
        vertices if each has an out-edge.

    Returns
    -------
    SymbolicGradients
        Expressions in inputs, parameters and loss gradients, as large as those of `unrolled`.

    Raises
    ------
    CyclicCoverError, TypeError, ValueError, ShapeError
        As in `unrolled`; ValueError also if an output is not a vertex.

    Examples
    --------
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
    for v, t in reversed(list(done.values)):  # `values` is in order of computation
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


# -- values --------------------------------------------------------------------------------------


def _computed(
    graph: DelayGraph,
    forward: ForwardValues,
    v: int,
    sources: Mapping[int, Vector | None],
    weights: Mapping[str, Any],
    given: Any,
) -> Vector:
    """Return the value of a copy of v from those of its in-edges; None means zero."""
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
    first, last = columns or (0, weight.shape[1])
    return [[weight[i, j] for j in range(first, last)] for i in range(weight.shape[0])]


def _times(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    """Return a product; for a zero factor, without SymPy's search for infinities."""
    return a * b if a != 0 and b != 0 else sympy.S.Zero


ENTRIES: dict[str, Callable[..., sympy.Expr]] = {
    "copy": lambda a: a,
    "complement": lambda a: 1 - a,
    "add": operator.add,
    "multiply": _times,
}


@cache
def _formula(kind: str) -> tuple[sympy.Symbol, sympy.Expr]:
    """Return an activation as an expression in a symbol."""
    formula = TABLE[kind].formula
    if formula is None:
        raise TypeError(
            f"the registered activation {kind!r} has no SymPy formula; use a built-in activation, "
            "or an nn.Op whose forward uses only arithmetic"
        )
    a = sympy.Dummy("a")
    return a, sympy.sympify(formula, locals={"a": a, "tanh": tanh, "relu": relu})


def _row(graph: DelayGraph, item: Value, args: list[Vector], weights: list[Any]) -> Sequence[Any]:
    if item.kind in ENTRIES:
        return [ENTRIES[item.kind](*entries) for entries in zip(*args, strict=True)]
    if item.kind in ACTIVATIONS and item.kind != "softmax":
        symbol, formula = _formula(item.kind)
        return [formula.xreplace({symbol: entry}) for entry in args[0]]
    if item.kind == "softmax":
        powers = [sympy.exp(entry) for entry in args[0]]
        return [power / sympy.Add(*powers) for power in powers]
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
    op, names = opaque_parts(item)
    arrays = [np.array([arg], dtype=object).reshape(1, len(arg)) for arg in args]
    own = {name: np.array(w, dtype=object) for name, w in zip(names, weights, strict=True)}
    shapes = op.parameters([len(arg) for arg in args])
    own = {name: array.reshape(shapes[name].shape) for name, array in own.items()}
    who = f"the operation {type(op).__name__} of vertex {graph.vertices[item.vertex]!r}"
    try:
        result = np.asarray(op.forward(arrays, own), dtype=object).reshape(-1).tolist()
        entries = [sympy.sympify(entry) for entry in result]
    except Exception as error:  # a user's code may raise anything
        raise TypeError(
            f"{who} fails on SymPy expressions; use only arithmetic in its forward, or remove the "
            "operation"
        ) from error
    if len(entries) != item.size:
        raise ShapeError(
            f"{who} returned {len(entries)} entries, but its size is {item.size}; correct its "
            "forward or its size_of",
            expected=(1, item.size),
            found=(1, len(entries)),
        )
    if any(entry.has(sympy.zoo, sympy.nan) for entry in entries):
        raise ValueError(
            f"{who} divides by zero; its forward must accept zeros, the values before the first "
            "step"
        )
    return entries


# -- gradients ---------------------------------------------------------------------------------


class _Rule:
    """Derivatives of the value of a vertex, computed once for all copies."""

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
        """Add the gradients of the sources of the copy at t; store its parameters'."""
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
    """Return a derivative by a weight entry, without index ranges in Kronecker deltas."""
    return y.diff(weight).replace(
        lambda part: isinstance(part, sympy.KroneckerDelta),
        lambda part: sympy.KroneckerDelta(*part.args[:2]),
    )


# -- symbols -------------------------------------------------------------------------------------


def _window(net: Any, steps: Any) -> tuple[DelayGraph, ForwardValues, list[tuple[int, int]]]:
    """Return the base graph, its values, and the copies in topological order."""
    if not isinstance(net, Network):
        raise TypeError(
            f"net must be an unrollgraph.nn.Network, but is {show_kind(net)}; build one with "
            "unrollgraph.nn.Network(G)"
        )
    graph = net.delay_graph
    if not check_integer(steps, "the number of steps"):
        raise ValueError("the number of steps is 0, but it must be at least 1")
    if graph.dimension > 1:
        raise ValueError(
            f"the delays of the network are in Z^{graph.dimension}; pass a network with delays in Z"
        )
    check_differ(graph)
    try:
        order = copies_in_order(graph, steps)
    except nx.NetworkXUnfeasible as error:
        raise CyclicCoverError(
            "the unrolled network has a directed cycle, so it has no order of computation; change "
            "the delay of an edge on the cycle that unrollgraph.find_cycle returns"
            f"{delay_hint(graph)}"
        ) from error
    return graph, lower(graph), [(graph.number[v], t) for v, t in order]


def _symbols(
    graph: DelayGraph, forward: ForwardValues, steps: int
) -> tuple[dict[str, Any], dict[Copy, Any]]:
    weights = {}
    for name, parameter in forward.parameters.items():
        if len(parameter.shape) > 2:
            raise ValueError(
                f"the parameter {name!r} has {len(parameter.shape)} axes, but it must have at most "
                "2 to be written as a matrix; reshape it in its operation"
            )
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
    """Return a valid Python identifier, as `sympy.lambdify` requires."""
    word = re.sub(r"\W", "_", name)
    return word if word.isidentifier() else f"v{word}"


def _apart(symbols: Iterable[Any]) -> None:
    """Raise `ValueError` if two symbols have one name: SymPy would identify them."""
    seen = set()
    for symbol in symbols:
        if symbol.name in seen:
            raise ValueError(
                f"two symbols would have the name {symbol.name!r}; rename a vertex, for example "
                "with networkx.relabel_nodes, or a parameter of a custom operation"
            )
        seen.add(symbol.name)


def _outputs(graph: DelayGraph, outputs: Any) -> list[Any]:
    if outputs is not None:
        return each_vertex(graph, outputs, "outputs")
    ends = [v for v, out in zip(graph.vertices, graph.out_numbers, strict=True) if not out]
    return ends or list(graph.vertices)


def _aligned(lines: Sequence[str]) -> str:
    return "\n".join(["\\begin{aligned}", *(f"{line} \\\\" for line in lines), "\\end{aligned}"])
