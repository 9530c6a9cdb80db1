"""Elimination: gradients that are only passed on are not computed in the loop.

A gradient is linear in the gradients that arrive. What stands between two of them,
slopes and factors, depends on the forward values alone: it is a *coefficient*, and
coefficients need no loop. So a chain ``(g a) b`` is written ``g (a b)``, and what
arrives from one gradient by two ways, ``g a + g b``, as ``g (a + b)``; the brackets are
computed for all steps at once. What is left in a loop is one multiplication for each way
that a gradient takes from one place where it gathers to the next.

For gated cells this gives by itself the backward pass that one would derive by hand.

Rules, where ``[x]`` is read at its own copy and by no other value, g is no coefficient,
and a and b are:

    [g a] b    ->  g (a b)
    [-g] b     ->  g (-b)
    -[g a]     ->  g (-a)
    [g a] + [g b]  ->  g (a + b)

Values keep their numbers and what they mean; coefficients get new ones.
"""

from __future__ import annotations

from dataclasses import replace

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.fusion import shift_of
from unrollgraph.nn.lowering import BackwardValues, closure
from unrollgraph.nn.values import Ref, Value


def eliminated(graph: DelayGraph, adjoint: BackwardValues, first: int) -> BackwardValues:
    """Write a gradient over a window with as few values as possible that need a loop."""
    values = [_without_edges(graph, value) for value in adjoint.values]
    values = [
        replace(value, args=tuple(_behind_copies(values, ref, first) for ref in value.args))
        for value in values
    ]
    uses = tuple((y, _behind_copies(values, Ref(g), first).value) for y, g in adjoint.uses)
    before = {g for _, g in adjoint.uses}
    roots = adjoint.asked - before | {g for _, g in uses}
    needed = closure(values, first, roots)
    rewriting = _Rewriting(values, first)
    while rewriting.round(needed):
        needed = closure(values, first, roots)
    needed = closure(values, first, roots)
    return replace(adjoint, values=tuple(values), uses=uses, asked=frozenset(roots), needed=needed)


def _behind_copies(values: list[Value], ref: Ref, first: int) -> Ref:
    """Read what a gradient that is the copy of another is a copy of."""
    while ref.value >= first and values[ref.value].kind == "copy":
        (source,) = values[ref.value].args
        if source != Ref(source.value):
            break
        ref = replace(ref, value=source.value)
    return ref


def _without_edges(graph: DelayGraph, value: Value) -> Value:
    """Read at the same step what an edge of delay zero leads to: over a window it is there."""
    args = tuple(
        Ref(ref.value, columns=ref.columns)
        if ref.edge is not None and not shift_of(graph, ref)
        else ref
        for ref in value.args
    )
    return replace(value, args=args)


class _Rewriting:
    """The rules, applied to a list of values in place."""

    def __init__(self, values: list[Value], first: int) -> None:
        self.values, self.first = values, first
        self.coefficients: set[int] = set()
        self.readers: dict[int, int] = {}
        self.negatives: dict[Ref, Ref] = {}

    def round(self, needed: frozenset[int]) -> bool:
        """Try the rules on each value once; tell whether one applied."""
        self.readers = {}
        for k in needed:
            for ref in self.values[k].args:
                self.readers[ref.value] = self.readers.get(ref.value, 0) + 1
        self._find_coefficients(needed)
        changed = False
        for k in sorted(needed):
            if k >= self.first and k not in self.coefficients:
                new = self._rewritten(self.values[k])
                if new is not None:
                    self.values[k], changed = new, True
        return changed

    def _find_coefficients(self, needed: frozenset[int]) -> None:
        """Values of the gradient that read forward values and coefficients only."""
        self.coefficients = set()
        grown = True
        while grown:
            grown = False
            for k in needed:
                value = self.values[k]
                fresh = k >= self.first and k not in self.coefficients
                if fresh and value.args and all(map(self._is_coefficient, value.args)):
                    self.coefficients.add(k)
                    grown = True

    def _is_coefficient(self, ref: Ref) -> bool:
        return ref.value < self.first or ref.value in self.coefficients

    def _inner(self, ref: Ref, kind: str) -> Value | None:
        """The value behind a reference, if it is of a kind and read nowhere else."""
        value = self.values[ref.value]
        alone = ref == Ref(ref.value) and self.readers.get(ref.value) == 1
        return value if alone and ref.value >= self.first and value.kind == kind else None

    def _split(self, value: Value | None) -> tuple[Ref, Ref] | None:
        """The gradient and the coefficient of a product of both."""
        if value is None or value.kind != "multiply":
            return None
        a, b = value.args
        if self._is_coefficient(a):
            a, b = b, a
        return (a, b) if self._is_coefficient(b) and not self._is_coefficient(a) else None

    def _rewritten(self, value: Value) -> Value | None:
        if value.kind == "negative":
            pair = self._split(self._inner(value.args[0], "multiply"))
            return self._times(value, pair[0], self._negative(value, pair[1])) if pair else None
        if value.kind == "add":
            one, two = (self._split(self._inner(ref, "multiply")) for ref in value.args)
            if one and two and one[0] == two[0]:
                return self._times(value, one[0], self._new(value, "add", one[1], two[1]))
            return None
        pair = self._split(value)
        if pair is None:
            return None
        gradient, coefficient = pair
        before = self._split(self._inner(gradient, "multiply"))
        if before:
            return self._times(
                value, before[0], self._new(value, "multiply", before[1], coefficient)
            )
        turned = self._inner(gradient, "negative")
        if turned:
            return self._times(value, turned.args[0], self._negative(value, coefficient))
        return None

    def _times(self, like: Value, gradient: Ref, coefficient: Ref) -> Value:
        return replace(like, kind="multiply", args=(gradient, coefficient))

    def _negative(self, like: Value, ref: Ref) -> Ref:
        if ref not in self.negatives:
            self.negatives[ref] = self._new(like, "negative", ref)
        return self.negatives[ref]

    def _new(self, like: Value, kind: str, *args: Ref) -> Ref:
        self.values.append(replace(like, kind=kind, args=args))
        self.coefficients.add(len(self.values) - 1)
        return Ref(len(self.values) - 1)
