"""Transformations of values over a window that leave few calls in a loop.

*Elimination* moves computation out of loops. A gradient is linear in the gradients that it reads;
the other factors, such as slopes, depend on forward values only. They are called *coefficients*
and are computed for all steps at once. With coefficients a and b, a gradient g, and ``[x]`` for a
value read at the same copy and by no other value, the rules are::

    [g a] b    ->  g (a b)              -[g a]         ->  g (-a)
    [-g] b     ->  g (-b)               [g a] + [g b]  ->  g (a + b)

A loop keeps one multiplication for each path between two sums of gradients.

*Folding* computes a sigmoid by tanh, which is much faster in NumPy: ``1/(1 + exp(-a)) =
(1 + tanh(a/2))/2``. If ``a`` is a sum of products and biases without other readers, their weights
are halved (exact in binary), and a *unit* ``(1 + t)/2`` overwrites the tanh. One call of tanh then
serves all gates of a cell. Gradients are derived before folding.

*Fusion* joins calls of one kernel on adjacent columns of arrays. Vertices whose products read one
value in a loop, such as the gates of a cell, are the *lanes* of a *stack*. Values of different
lanes that are computed in the same way have one *role* and share an array, in the order of the
lanes. All products of a stack are then one product. In the backward pass, `gathered` writes a sum
of products ``W_1^T g_1 + W_2^T g_2 + ...`` as one value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations
from typing import Any, NamedTuple

import numpy as np

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.execution_order import Loop, Schedule
from unrollgraph.nn.lowering import BackwardValues, closure
from unrollgraph.nn.primitives import ACTIVATIONS, TABLE
from unrollgraph.nn.program import Ref, Value, Weight, reading, redirected

Lanes = dict[int, tuple[int, int]]
MOST_TRIED = 6


class Location(NamedTuple):
    """Range of columns of an array, in which step t is row ``t + shift``."""

    array: int
    shift: int
    start: int
    stop: int


@dataclass(frozen=True)
class Call:
    """One call of a kernel, for one value or for several in adjacent columns."""

    value: Value  # the value that is computed, or the first of several
    sources: tuple[Location, ...]
    weights: tuple[tuple[Weight, ...], ...]  # for each argument, the weights of all values
    out: Location
    clock: int = 0  # number of steps by which the call lags in a loop
    lanes: int = 1  # number of values; they may share a source

    def is_shared(self, source: Location) -> bool:
        """Whether several values read the same columns of a source."""
        width = self.out.stop - self.out.start
        return TABLE[self.value.kind].columnwise and source.stop - source.start < width


def shift_of(graph: DelayGraph, ref: Ref) -> int:
    """Number of steps from a reader to the value that it reads."""
    if ref.edge is None:
        return 0
    delay = int(graph.delays[ref.edge, 0])
    return delay if ref.back else -delay


# -- stacks ----------------------------------------------------------------------------


def lanes_of(schedule: Schedule) -> Lanes:
    """Find the stacks of a schedule; return the stack and lane of each vertex in one."""
    values = schedule.values
    stack: dict[int, set[int]] = {}
    for part in schedule.steps:
        if not isinstance(part, Loop):
            continue
        readers: dict[Any, set[int]] = {}
        for k in part.values:
            if values[k].kind == "product":
                (ref,) = values[k].args
                key = (ref.value, shift_of(schedule.graph, ref), ref.columns, values[k].size)
                readers.setdefault(key, set()).add(values[k].vertex)
        for together in readers.values():
            joined = set.union(together, *(stack.get(v, set()) for v in together))
            stack.update(dict.fromkeys(joined, joined))
    lanes: Lanes = {}
    for v in sorted(stack):
        if v not in lanes and len(stack[v]) > 1:
            ordered = _ordered(values, sorted(stack[v]))
            lanes.update({u: (v, lane) for lane, u in enumerate(ordered)})
    return lanes


def _ordered(values: Sequence[Value], vertices: list[int]) -> list[int]:
    """Order lanes so that few neighbors differ in nonlinearity or destination."""
    readers: dict[int, list[int]] = {}
    for k, value in enumerate(values):
        for ref in value.args:
            readers.setdefault(ref.value, []).append(k)

    # backward, lanes with one destination read their gradients from the same value
    def goal(k: int) -> int:
        while len(readers.get(k, ())) == 1 and values[readers[k][0]].kind in {"multiply", "add"}:
            k = readers[k][0]
        return k

    marks = {v: (values[v].kind, goal(v)) for v in vertices}

    def breaks(order: Sequence[int]) -> int:
        return sum(
            x != y for a, b in pairwise(order) for x, y in zip(marks[a], marks[b], strict=True)
        )

    if len(vertices) > MOST_TRIED:
        return sorted(vertices, key=lambda v: (*marks[v], v))
    return min(map(list, permutations(vertices)), key=breaks)


def shared(
    graph: DelayGraph, values: Sequence[Value], chosen: Iterable[int], lanes: Lanes
) -> list[list[int]]:
    """Group values by array: values of one role in a stack share one."""
    known: dict[int, Any] = {}

    def role(k: int) -> Any:
        if k not in known:
            value = values[k]
            parts = [
                role(ref.value) if ref.edge is None and values[ref.value].vertex == value.vertex
                else "from elsewhere"
                for ref in value.args
            ]  # fmt: skip
            if value.kind == "product":
                (ref,) = value.args
                parts = [(ref.value, shift_of(graph, ref), ref.columns)]
            known[k] = (_alike(value.kind), value.size, *parts)
            if value.kind == "unit":  # a unit overwrites its argument
                known[k] = parts[0]
        return known[k]

    groups: dict[Any, list[int]] = {}
    names = set(chosen)
    operands = _operands(values, names)
    for k in sorted(names):
        value = values[k]
        if k in operands:
            continue
        if value.vertex not in lanes or value.kind in {"indices", "external"}:
            groups[k] = [k]
            continue
        stack, lane = lanes[value.vertex]
        group = groups.setdefault((stack, role(k)), [])
        if any(lanes[values[other].vertex][1] == lane for other in group):
            groups[k] = [k]  # a second value of this role in the lane
        else:
            group.append(k)
    found = [sorted(g, key=lambda k: lanes.get(values[k].vertex, (0, 0))) for g in groups.values()]
    return found + [[ref.value for ref in values[k].args] for k in sorted(set(operands.values()))]


def _alike(kind: str) -> str:
    """What a kind has in common with kinds that may share an array."""
    name, _, slope = kind.partition(" ")
    if kind == "unit" or (name in ACTIVATIONS and TABLE.get(kind, TABLE["copy"]).columnwise):
        return slope or "activation"
    return kind


def _operands(values: Sequence[Value], chosen: set[int]) -> dict[int, int]:
    """Map the operands of each sum of products, which share an array, to the sum."""
    found: dict[int, int] = {}
    for k in sorted(chosen):
        reads = [ref.value for ref in values[k].args]
        if (
            values[k].kind == "products"
            and len(set(reads)) == len(reads)
            and all(ref == Ref(ref.value) for ref in values[k].args)
            and all(r in chosen and r not in found for r in reads)
        ):
            found.update(dict.fromkeys(reads, k))
    return found


# -- calls -----------------------------------------------------------------------------


def call_of(value: Value, sources: Sequence[Location], out: Location, clock: int) -> Call:
    """Return the call of one value; adjacent sources of a sum of products are joined."""
    weights = tuple((weight,) for weight in value.weights)
    if value.kind != "products":
        return Call(value, tuple(sources), weights, out, clock)
    wide: list[tuple[Location, tuple[Weight, ...]]] = []
    for source, own in sorted(zip(sources, weights, strict=True), key=lambda pair: pair[0]):
        if wide and wide[-1][0][:2] == source[:2] and wide[-1][0].stop == source.start:
            before, others = wide.pop()
            wide.append((before._replace(stop=source.stop), others + own))
        else:
            wide.append((source, own))
    return Call(value, tuple(w[0] for w in wide), tuple(w[1] for w in wide), out, clock)


def fused(calls: Iterable[Call]) -> list[Call]:
    """Join calls of one kernel on adjacent columns."""
    # a call joins the first group of its kernel that follows all groups whose outputs it reads
    calls = list(calls)
    widths: dict[int, int] = {}
    for call in calls:
        widths[call.out.array] = max(call.out.stop, widths.get(call.out.array, 0))
    # the last group that writes each column of each array
    last = {array: np.full(width, -1) for array, width in widths.items()}
    groups: list[list[Call]] = []
    alike: dict[Any, list[int]] = {}
    for call in calls:
        reads = [last[s.array][s.start : s.stop] for s in call.sources if s.array in last]
        after = max((int(columns.max(initial=-1)) for columns in reads), default=-1)
        own = alike.setdefault(_likeness(call) or len(groups), [])
        place = bisect_right(own, after)
        if place == len(own):
            own.append(len(groups))
            groups.append([])
        groups[own[place]].append(call)
        columns = last[call.out.array][call.out.start : call.out.stop]
        np.maximum(columns, own[place], out=columns)
    result = []
    for group in groups:
        ordered = sorted(group, key=lambda call: call.out)
        wide = [ordered[0]]
        for call in ordered[1:]:
            if _beside(wide[-1], call):
                wide[-1] = _joined(wide[-1], call)
            else:
                wide.append(call)
        result += wide
    return result


def _likeness(call: Call) -> tuple[Any, ...] | None:
    """What two calls must have in common to be joined, or None for calls that are never joined."""
    kind = call.value.kind
    if kind == "product" and not call.weights[0][0].transposed:
        return kind, call.clock, call.out.array, call.sources
    if TABLE[kind].columnwise:
        return kind, call.clock, call.out.array, tuple(source[:2] for source in call.sources)
    return None


def _beside(a: Call, b: Call) -> bool:
    """Whether b continues a in adjacent columns, with adjacent or shared sources."""
    if a.out.stop != b.out.start:
        return False
    if a.value.kind == "product":
        return True
    return all(_way(a, x, y) for x, y in zip(a.sources, b.sources, strict=True))


def _way(a: Call, x: Location, y: Location) -> str:
    """How a source continues in the next call: "on" (adjacent), "same", or ""."""
    first = x.stop - x.start == y.stop - y.start
    whole = x.stop - x.start == a.out.stop - a.out.start
    if whole and x.stop == y.start:
        return "on"
    alone = first and (not whole or a.lanes == 1)
    return "same" if x == y and alone and a.value.kind in {"multiply", "add"} else ""


def _joined(a: Call, b: Call) -> Call:
    sources = a.sources
    if a.value.kind != "product":
        sources = tuple(
            x._replace(stop=y.stop) if _way(a, x, y) == "on" else x
            for x, y in zip(a.sources, b.sources, strict=True)
        )
    weights = tuple(x + y for x, y in zip(a.weights, b.weights, strict=True))
    out = a.out._replace(stop=b.out.stop)
    return replace(a, sources=sources, weights=weights, out=out, lanes=a.lanes + b.lanes)


# -- sums of products --------------------------------------------------------------------


def gathered(
    graph: DelayGraph, adjoint: BackwardValues, first: int, lanes: Lanes
) -> BackwardValues:
    """Write each sum of products read over one delay as one value, for a window.

    Values keep their numbers; new ones follow.
    """
    before, values = adjoint.values, list(adjoint.values)
    readers = [0] * len(values)
    for k in adjoint.needed:
        for ref in before[k].args:
            readers[ref.value] += 1

    def is_part(ref: Ref) -> bool:
        """Whether a term is a sum without other readers."""
        return ref == Ref(ref.value) and before[ref.value].kind == "add" and readers[ref.value] == 1

    def leaves(ref: Ref) -> list[Ref]:
        parts = before[ref.value].args if is_part(ref) else ()
        return [leaf for arg in parts for leaf in leaves(arg)] or [ref]

    sums = [k for k in sorted(adjoint.needed) if before[k].kind == "add" and k >= first]
    inner = {ref.value for k in sums for ref in before[k].args if is_part(ref)}
    for k in sums:
        if k in inner:
            continue
        terms = [leaf for arg in before[k].args for leaf in leaves(arg)]
        families: dict[Any, list[Ref]] = {}
        for ref in terms:
            value = before[ref.value]
            if value.kind == "product" and ref.value >= first and readers[ref.value] == 1:
                families.setdefault((shift_of(graph, ref), ref.columns), []).append(ref)
        for family in families.values():
            if len(family) > 1:
                family.sort(key=lambda ref: lanes.get(before[ref.value].vertex, (-1, ref.value)))
                values.append(_sum_of_products([before[ref.value] for ref in family]))
                terms = [ref for ref in terms if ref not in family]
                terms.append(redirected(family[0], len(values) - 1))
        values[k] = _summed(values, before[k], terms)
    return replace(adjoint, values=tuple(values), needed=closure(values, first, adjoint.asked))


def _sum_of_products(parts: list[Value]) -> Value:
    """Return the sum of several products as one value."""
    return replace(
        parts[0],
        kind="products",
        args=tuple(arg for part in parts for arg in part.args),
        weights=tuple(weight for part in parts for weight in part.weights),
    )


def _summed(values: list[Value], like: Value, terms: list[Ref]) -> Value:
    """Return the sum of some terms as a replacement of a value."""
    if len(terms) == 1:
        return replace(like, kind="copy", args=(terms[0],))
    total = terms[0]
    for ref in terms[1:-1]:
        values.append(replace(like, kind="add", args=(total, ref)))
        total = Ref(len(values) - 1)
    return replace(like, kind="add", args=(total, terms[-1]))


def eliminated(graph: DelayGraph, adjoint: BackwardValues, first: int) -> BackwardValues:
    """Rewrite a gradient over a window so that few values need a loop."""
    values = [_without_edges(graph, value) for value in adjoint.values]
    values = [
        reading(value, [_behind_copies(values, ref, first) for ref in value.args])
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
    """Follow a reference through gradients that only copy another value."""
    while ref.value >= first and values[ref.value].kind == "copy":
        (source,) = values[ref.value].args
        if source != Ref(source.value):
            break
        ref = redirected(ref, source.value)
    return ref


def _without_edges(graph: DelayGraph, value: Value) -> Value:
    """Read at the same copy instead of through an edge of delay 0."""
    args = [
        Ref(ref.value, columns=ref.columns)
        if ref.edge is not None and not shift_of(graph, ref)
        else ref
        for ref in value.args
    ]
    return reading(value, args)


class _Rewriting:
    """Applies the rules of elimination to a list of values, in place."""

    def __init__(self, values: list[Value], first: int) -> None:
        self.values, self.first = values, first
        self.coefficients: set[int] = set()
        self.readers: dict[int, int] = {}
        self.negatives: dict[Ref, Ref] = {}

    def round(self, needed: frozenset[int]) -> bool:
        """Try the rules on each value once; return whether one applied."""
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
        """Find gradients that depend on forward values and coefficients only."""
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
        """The value of a reference if it has this kind and no other reader."""
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


def folded(values: Sequence[Value], outputs: int) -> tuple[Value, ...]:
    """Write sigmoids of sums of products and biases by tanh.

    Values keep their numbers; new ones follow. The first ``outputs`` values are outputs of vertices
    and are not halved, because other vertices may read them.
    """
    found = list(values)
    readers = [0] * len(values)
    for value in values:
        for ref in value.args:
            readers[ref.value] += 1
    for y, value in enumerate(values):
        if value.kind != "sigmoid":
            continue
        parts = _summands(values, readers, outputs, value.args[0])
        if parts is None:
            continue
        for k in parts:
            halves = tuple(weight._replace(scale=0.5) for weight in values[k].weights)
            found[k] = replace(values[k], weights=halves)
        found.append(replace(value, kind="tanh"))
        found[y] = replace(value, kind="unit", args=(Ref(len(found) - 1),))
    return tuple(found)


def _summands(
    values: Sequence[Value], readers: Sequence[int], outputs: int, ref: Ref
) -> list[int] | None:
    """Products and biases whose sum is read; None if the value is not such a sum."""
    value = values[ref.value]
    if ref != Ref(ref.value) or ref.value < outputs or readers[ref.value] > 1:
        return None
    if value.kind == "product":
        return [ref.value]
    if value.kind not in {"add", "bias"}:
        return None
    found = [ref.value] if value.kind == "bias" else []
    for arg in value.args:
        inner = _summands(values, readers, outputs, arg)
        if inner is None:
            return None
        found += inner
    return found
