"""What a network computes, and the chain rule through it, as lines for LaTeX.

One line for each copy, ``A_1 = tanh(M_A [in_1; C_0] + b_A)``, and against the arcs one for the
gradient of the loss by it, with a term for each arc.

SymPy's own `tanh`, `Max` and `Piecewise` look into their arguments for what might simplify. In an
unrolled network arguments hold the whole past, and that takes minutes. These are the same
functions, with values for numbers, derivatives, and code for `sympy.lambdify`; ``doit`` gives
SymPy's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import networkx as nx
import sympy

from unrollgraph.cover._unroll import unroll
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn import ops
from unrollgraph.nn.lowering import in_order

ACTIVATIONS = {"tanh": "\\tanh", "sigmoid": "\\sigma", "relu": "\\operatorname{relu}"}
SPECIAL = {"\\": "\\backslash{}", "~": "\\sim{}", "^": "\\wedge{}", " ": "\\ "}


def copies_in_order(graph: DelayGraph, steps: Any) -> list[tuple[Any, int]]:
    """The copies of a window, each after those that it reads, and by time where they are free."""
    U = unroll(graph, steps)
    return list(
        nx.lexicographical_topological_sort(U, key=lambda copy: (copy[1], graph.number[copy[0]]))
    )


def equations(graph: DelayGraph, steps: int, weights: Mapping[str, Any]) -> list[str]:
    """What each copy computes; inputs are given and have no line."""
    own = [name.rpartition(".") for name in weights]
    lines = []
    for v, t in copies_in_order(graph, steps):
        k = graph.number[v]
        op = graph.vertex_data[k]["op"]
        if not isinstance(op, ops.Input):
            sources = [
                _copy(graph.vertices[int(graph.tails[e])], t - graph.times[e], steps)
                for e in in_order(graph, k)
            ]
            letters = [_parameter(v, end) for vertex, _, end in own if vertex == text_of(v)]
            lines.append(f"{_copy(v, t, steps)} &= {_told(op, v, t, sources, letters)}")
    return lines


def chain_rule(
    graph: DelayGraph, steps: int, outside: Iterable[Any], weights: Mapping[str, Any]
) -> list[str]:
    """The gradient by each copy, from the last to the first, then by each parameter."""
    given = set(outside)
    lines = []
    for v, t in reversed(copies_in_order(graph, steps)):
        k = graph.number[v]
        if isinstance(graph.vertex_data[k]["op"], ops.Input) and (v, t) not in given:
            continue
        terms = [f"g_{{{_name(v)},{t}}}"] if (v, t) in given else []
        for e in graph.out_numbers[k]:
            w, s = graph.vertices[int(graph.heads[e])], t + graph.times[e]
            if 0 <= s < steps:
                there = _copy(w, s, steps)
                terms.append(f"{_back(there, _copy(v, t, steps))} {_by(there)}")
        lines.append(f"{_by(_copy(v, t, steps))} &= {' + '.join(dict.fromkeys(terms)) or '0'}")
    for name in weights:
        vertex, _, own = name.rpartition(".")
        symbol = _parameter(vertex, own)
        copy = f"{_name(vertex)}_{{t}}"
        total = f"\\sum_{{t=0}}^{{{steps - 1}}} {_back(copy, symbol)} {_by(copy)}"
        lines.append(f"{_by(symbol)} &= {total}")
    return lines


def weight_letter(own: str) -> str:
    """The letter of a parameter: M for a weight, b for a bias, else its own name."""
    return {"weight": "M", "bias": "b"}.get(own, own)


def _parameter(vertex: Any, own: str) -> str:
    """A parameter of a vertex: its letter, and below it the vertex."""
    letter = _name(weight_letter(own))
    return f"{letter}_{{{_name(vertex)}}}"


def _told(op: Any, vertex: Any, t: int, sources: Sequence[str], parameters: Sequence[str]) -> str:
    """What an operation makes of its sources and, one of your own, of its parameters."""
    own = _name(vertex)
    if isinstance(op, ops.Dense):
        joined = _stacked(sources) if op.combine == "concat" else _sum(sources)
        inside = f"M_{{{own}}} {joined}" + (f" + b_{{{own}}}" if op.bias else "")
        return _applied(op.activation, inside)
    if isinstance(op, ops.Embedding):
        return f"M_{{{own}}}\\left[i_{{{own},{t}}}\\right]"
    if isinstance(op, ops.Constant):
        return _stacked([_number(x) for x in op.value])
    if isinstance(op, ops.Activation):
        return _applied(op.name, sources[0])
    if isinstance(op, ops.Complement):
        return f"1 - {sources[0]}"
    if isinstance(op, ops.Concat):
        return _stacked(sources)
    if isinstance(op, ops.Add):
        return " + ".join(sources)
    if isinstance(op, ops.Multiply):
        return " \\odot ".join(sources)
    inside = ", ".join([*sources, *parameters])
    return f"{_name(type(op).__name__)}\\left({inside}\\right)"


def _applied(activation: str, inside: str) -> str:
    if activation == "linear":
        return inside
    return f"{ACTIVATIONS[activation]}\\left({inside}\\right)"


def _stacked(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    rows = " \\\\ ".join(parts)
    return f"\\begin{{bmatrix}} {rows} \\end{{bmatrix}}"


def _number(x: float) -> str:
    return str(int(x)) if x.is_integer() and abs(x) < 1e6 else str(sympy.latex(sympy.Float(x)))


def _sum(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"\\left({' + '.join(parts)}\\right)"


def _copy(vertex: Any, t: int, steps: int) -> str:
    """A copy of a vertex; zero beyond the window."""
    return f"{_name(vertex)}_{{{t}}}" if 0 <= t < steps else "\\mathbf{0}"


def _by(what: str) -> str:
    return f"\\frac{{\\partial L}}{{\\partial {what}}}"


def _back(value: str, by: str) -> str:
    return f"\\left(\\frac{{\\partial {value}}}{{\\partial {by}}}\\right)^{{\\top}}"


def text_of(vertex: Any) -> str:
    """A vertex as it begins the names of parameters."""
    return vertex if isinstance(vertex, str) else repr(vertex)


def check_differ(graph: DelayGraph) -> None:
    """Refuse vertices that are printed alike, such as 1 and "1"."""
    seen: dict[str, Any] = {}
    for v in graph.vertices:
        other = seen.setdefault(_name(v), v)
        if other is not v:
            raise ValueError(
                f"the vertices {other!r} and {v!r} would be printed alike; rename one, for example "
                "with networkx.relabel_nodes"
            )


def _name(vertex: Any) -> str:
    text = text_of(vertex)
    if len(text) == 1 and text.isalpha():
        return text
    safe = (
        f"\\{c}" if c in "#$%&_{}" else SPECIAL.get(c, c if c.isprintable() else "\\ ")
        for c in text
    )
    return f"\\mathrm{{{''.join(safe)}}}"


class tanh(sympy.Function):  # type: ignore[misc]  # noqa: N801 - SymPy prints this name
    """The hyperbolic tangent."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """Numbers have a value."""
        return sympy.tanh(x) if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """The slope."""
        del argindex
        return 1 - self**2

    def doit(self, **hints: Any) -> Any:
        """SymPy's own function."""
        return sympy.tanh(self.args[0].doit(**hints))


class relu(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """The rectifier max(x, 0), with slope 0 at 0."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """Numbers have a value."""
        return sympy.Max(x, 0) if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """The slope: 0 up to 0, then 1."""
        del argindex
        return sympy.Heaviside(self.args[0], 0)

    def doit(self, **hints: Any) -> Any:
        """SymPy's own function."""
        return sympy.Max(self.args[0].doit(**hints), 0)

    def _numpycode(self, printer: Any) -> str:
        return f"{printer._module_format('numpy.maximum')}({printer._print(self.args[0])}, 0)"

    def _pythoncode(self, printer: Any) -> str:
        return f"max({printer._print(self.args[0])}, 0)"

    _mpmathcode = _pythoncode

    def _ccode(self, printer: Any) -> str:
        return f"fmax({printer._print(self.args[0])}, 0)"

    def _latex(self, printer: Any) -> str:
        return rf"\operatorname{{relu}}\left({printer._print(self.args[0])}\right)"
