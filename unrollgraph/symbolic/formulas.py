"""The values of an unrolled network and the chain rule, as lines for LaTeX.

Each copy ``(v, t)`` has a line such as ``A_1 = tanh(M_A [in_1; C_0] + b_A)``, and a line for the
gradient of the loss with respect to it. `tanh` and `relu` replace SymPy's `tanh` and `Max`, which
spend minutes on simplifying the large arguments in unrolled networks. They evaluate numbers, have
derivatives and work with `sympy.lambdify`; ``doit`` returns SymPy's functions.
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

ACTIVATIONS = {"tanh": "\\tanh", "sigmoid": "\\sigma", "sin": "\\sin", "exp": "\\exp"}
SPECIAL = {"\\": "\\backslash{}", "~": "\\sim{}", "^": "\\wedge{}", " ": "\\ "}


def copies_in_order(graph: DelayGraph, steps: Any) -> list[tuple[Any, int]]:
    """Return the copies in a window in topological order, ties by time and vertex."""
    U = unroll(graph, steps)
    return list(
        nx.lexicographical_topological_sort(U, key=lambda copy: (copy[1], graph.number[copy[0]]))
    )


def equations(graph: DelayGraph, steps: int, weights: Mapping[str, Any]) -> list[str]:
    """Return a line for the value of each copy; inputs have no line."""
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
    """Return a line for the gradient by each copy, last first, and each parameter."""
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
    """Return the letter of a parameter: M for a weight, b for a bias, else its name."""
    return {"weight": "M", "bias": "b"}.get(own, own)


def _parameter(vertex: Any, own: str) -> str:
    letter = _name(weight_letter(own))
    return f"{letter}_{{{_name(vertex)}}}"


def _told(op: Any, vertex: Any, t: int, sources: Sequence[str], parameters: Sequence[str]) -> str:
    """Return the LaTeX of an operation applied to its sources and parameters."""
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
    shown = ACTIVATIONS.get(activation, "\\operatorname{" + activation.replace("_", "\\_") + "}")
    return f"{shown}\\left({inside}\\right)"


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
    """Return the LaTeX of a copy of a vertex; outside the window it is zero."""
    return f"{_name(vertex)}_{{{t}}}" if 0 <= t < steps else "\\mathbf{0}"


def _by(what: str) -> str:
    return f"\\frac{{\\partial L}}{{\\partial {what}}}"


def _back(value: str, by: str) -> str:
    return f"\\left(\\frac{{\\partial {value}}}{{\\partial {by}}}\\right)^{{\\top}}"


def text_of(vertex: Any) -> str:
    """Return the text of a vertex in names of parameters."""
    return vertex if isinstance(vertex, str) else repr(vertex)


def check_differ(graph: DelayGraph) -> None:
    """Raise `ValueError` if two vertices have one name in LaTeX, such as 1 and "1"."""
    seen: dict[str, Any] = {}
    for v in graph.vertices:
        other = seen.setdefault(_name(v), v)
        if other is not v:
            raise ValueError(
                f"the vertices {other!r} and {v!r} would have the same name in LaTeX; rename one, "
                "for example with networkx.relabel_nodes"
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
    """Hyperbolic tangent that SymPy does not simplify."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """Return the value at a number, or None for other arguments."""
        return sympy.tanh(x) if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the derivative."""
        del argindex
        return 1 - self**2

    def doit(self, **hints: Any) -> Any:
        """Return SymPy's own `tanh`."""
        return sympy.tanh(self.args[0].doit(**hints))


class relu(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """The function max(x, 0), with derivative 0 at 0."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """Return the value at a number, otherwise None."""
        return sympy.Max(x, 0) if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the derivative: 0 for x <= 0, otherwise 1."""
        del argindex
        return sympy.Heaviside(self.args[0], 0)

    def doit(self, **hints: Any) -> Any:
        """Return SymPy's own `Max`."""
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
