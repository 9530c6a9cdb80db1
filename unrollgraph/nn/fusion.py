"""Fusion: steps that do the same, beside each other in memory, are one wider step.

Over a window all vertices have the same places, so that values of several vertices may
stand beside each other as columns of one array. Vertices whose products read the same
value within a loop, as the gates of a cell do, are the *lanes* of a stack. The values at
them that are made in the same way, in the same *role*, share an array, in the order of the
lanes; and calls of one kernel whose arguments and results stand beside each other are
made as one. Then all products of a stack are one product with the matrices beside
each other, and all its sigmoids one call.

Backward, what is passed to the value that all lanes read is a sum of products,
``W_1^T g_1 + W_2^T g_2 + ...``; with the gradients beside each other it is one product too.
`gathered` writes it as one value.

Nothing here knows the name of a cell: stacks come from what reads what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations
from typing import Any, NamedTuple

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.lowering import BackwardValues, closure
from unrollgraph.nn.plan import Loop, Program
from unrollgraph.nn.values import Ref, Value, Weight

Lanes = dict[int, tuple[int, int]]
MOST_TRIED = 6

# kernels that compute each column from the same column of their arguments
COLUMNWISE = frozenset(
    [
        "copy", "tanh", "tanh slope", "sigmoid", "sigmoid slope", "unit", "relu", "relu slope",
        "add", "multiply", "complement", "negative", "bias",
    ]
)  # fmt: skip
_ALIKE = dict.fromkeys(("tanh", "sigmoid", "unit", "relu"), "activation")
_ALIKE |= {f"{kind} slope": "slope" for kind in _ALIKE}


class Location(NamedTuple):
    """Where something is read or written: an array, a delay, and a range of columns."""

    array: int
    shift: int
    start: int
    stop: int


@dataclass(frozen=True)
class Call:
    """One call of a kernel, for one value or for several beside each other.

    Attributes
    ----------
    value : Value
        What is computed, or the first of several.
    sources : tuple of Location
        What is read.
    weights : tuple of tuple of Weight
        The parameters; those of several values are taken beside each other.
    out : Location
        What is written.
    clock : int
        By how many steps it is behind, in a loop.
    lanes : int
        How many values are computed; a source may be one that all of them read.
    """

    value: Value
    sources: tuple[Location, ...]
    weights: tuple[tuple[Weight, ...], ...]
    out: Location
    clock: int = 0
    lanes: int = 1

    def is_shared(self, source: Location) -> bool:
        """Whether a source is one that several values read."""
        width = self.out.stop - self.out.start
        return self.value.kind in COLUMNWISE and source.stop - source.start < width


def shift_of(graph: DelayGraph, ref: Ref) -> int:
    """Steps from a reader to what it reads."""
    if ref.edge is None:
        return 0
    delay = int(graph.delays[ref.edge, 0])
    return delay if ref.back else -delay


# -- stacks ----------------------------------------------------------------------------


def lanes_of(program: Program) -> Lanes:
    """Find the stacks of a program, and give each vertex in one its stack and lane.

    Lanes are ordered so that those of one non-linearity are neighbours.
    """
    values = program.values
    stack: dict[int, set[int]] = {}
    for part in program.steps:
        if not isinstance(part, Loop):
            continue
        readers: dict[Any, set[int]] = {}
        for k in part.values:
            if values[k].kind == "product":
                (ref,) = values[k].args
                key = (ref.value, shift_of(program.graph, ref), ref.columns, values[k].size)
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
    """Order lanes so that those alike are neighbours: by non-linearity, and by where they lead.

    Backward, the gradients of lanes that lead to one place come from there.
    """
    readers: dict[int, list[int]] = {}
    for k, value in enumerate(values):
        for ref in value.args:
            readers.setdefault(ref.value, []).append(k)

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
    """Group values into arrays: those of one role in a stack together, others alone."""
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
            known[k] = (_ALIKE.get(value.kind, value.kind), value.size, *parts)
            if value.kind == "unit":  # which is written where its argument was
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
            groups[k] = [k]  # the same twice at one vertex
        else:
            group.append(k)
    found = [sorted(g, key=lambda k: lanes.get(values[k].vertex, (0, 0))) for g in groups.values()]
    return found + [[ref.value for ref in values[k].args] for k in sorted(set(operands.values()))]


def _operands(values: Sequence[Value], chosen: set[int]) -> dict[int, int]:
    """What sums of products read, by the sum: it stands beside each other whatever its role."""
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
    """Return the call of one value; of a sum of products, what stands beside each other is one."""
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
    """Make one call of those that do the same on columns beside each other.

    A call may be made with an earlier one if it reads nothing that is written from
    there on.
    """
    groups: list[list[Call]] = []
    for call in calls:
        place = None
        for k in range(len(groups) - 1, -1, -1):
            if any(_meet(other.out, source) for other in groups[k] for source in call.sources):
                break
            if _alike(groups[k][0], call):
                place = k
        if place is None:
            groups.append([call])
        else:
            groups[place].append(call)
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


def _meet(a: Location, b: Location) -> bool:
    """Whether two locations have columns of one array in common, at whatever step."""
    return a.array == b.array and a.start < b.stop and b.start < a.stop


def _alike(a: Call, b: Call) -> bool:
    if (a.value.kind, a.clock, a.out.array) != (b.value.kind, b.clock, b.out.array):
        return False
    if a.value.kind == "product":
        transposed = a.weights[0][0].transposed or b.weights[0][0].transposed
        return a.sources == b.sources and not transposed
    same = all(x[:2] == y[:2] for x, y in zip(a.sources, b.sources, strict=False))
    return a.value.kind in COLUMNWISE and len(a.sources) == len(b.sources) and same


def _beside(a: Call, b: Call) -> bool:
    """Whether b continues a: in all columns, or reading once more what a reads in each."""
    if a.out.stop != b.out.start:
        return False
    if a.value.kind == "product":
        return True
    return all(_way(a, x, y) for x, y in zip(a.sources, b.sources, strict=True))


def _way(a: Call, x: Location, y: Location) -> str:
    """How a source of a call goes on in the next: "on", "same", or not at all."""
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
    """Write sums of products that come over one delay as one value, for a window.

    Values keep their numbers; new ones follow.
    """
    before, values = adjoint.values, list(adjoint.values)
    readers = [0] * len(values)
    for k in adjoint.needed:
        for ref in before[k].args:
            readers[ref.value] += 1

    def is_part(ref: Ref) -> bool:
        """Whether a term is itself a sum, and read by no other."""
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
        families: dict[int, list[Ref]] = {}
        for ref in terms:
            value = before[ref.value]
            if value.kind == "product" and ref.value >= first and readers[ref.value] == 1:
                families.setdefault(shift_of(graph, ref), []).append(ref)
        for family in families.values():
            if len(family) > 1:
                family.sort(key=lambda ref: lanes.get(before[ref.value].vertex, (-1, ref.value)))
                values.append(_sum_of_products([before[ref.value] for ref in family]))
                terms = [ref for ref in terms if ref not in family]
                terms.append(replace(family[0], value=len(values) - 1))
        values[k] = _summed(values, before[k], terms)
    return replace(adjoint, values=tuple(values), needed=closure(values, first, adjoint.asked))


def _sum_of_products(parts: list[Value]) -> Value:
    """One value that is the sum of several products."""
    return replace(
        parts[0],
        kind="products",
        args=tuple(arg for part in parts for arg in part.args),
        weights=tuple(weight for part in parts for weight in part.weights),
    )


def _summed(values: list[Value], like: Value, terms: list[Ref]) -> Value:
    """The sum of some terms, as the value that takes the place of another."""
    if len(terms) == 1:
        return replace(like, kind="copy", args=(terms[0],))
    total = terms[0]
    for ref in terms[1:-1]:
        values.append(replace(like, kind="add", args=(total, ref)))
        total = Ref(len(values) - 1)
    return replace(like, kind="add", args=(total, terms[-1]))
