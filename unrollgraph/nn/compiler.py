"""Values of a program rewritten and joined, so that few calls are left in its loops.

*Elimination* keeps gradients that are only passed on out of the loop. A gradient is linear in the
gradients that arrive. What stands between two of them, slopes and factors, depends on the forward
values alone: it is a *coefficient*, and coefficients need no loop. So a chain ``(g a) b`` is
written ``g (a b)``, and what arrives from one gradient by two ways, ``g a + g b``, as ``g (a +
b)``; the brackets are computed for all steps at once. What is left in a loop is one
multiplication for each way that a gradient takes from one place where it gathers to the next.

For gated cells this gives by itself the backward pass that one would derive by hand.

Rules, where ``[x]`` is read at its own copy and by no other value, g is no coefficient,
and a and b are:

    [g a] b    ->  g (a b)
    [-g] b     ->  g (-b)
    -[g a]     ->  g (-a)
    [g a] + [g b]  ->  g (a + b)

Values keep their numbers and what they mean; coefficients get new ones.

*Folding* makes the gates of a cell one call of tanh. A sigmoid is a shifted tanh, ``1/(1 +
exp(-a)) = (1 + tanh(a/2))/2``, and NumPy's tanh is many times quicker than its exponential and a
division. Where ``a`` is a sum of products and a bias that nobody else reads, half of it is the
same sum with half the weights. So over a window a sigmoid is written as a tanh of such a sum and
a *unit*, ``(1 + t)/2``, which is computed in the place of the tanh; and a stack whose gates are
sigmoids and tanhs needs a single call for all of them.

Halves are exact in binary, so that nothing is rounded that was not before. Gradients do
not read what is halved here, and are written for the network as it was.

*Fusion* makes one wider step of steps that do the same and lie beside each other in memory. Over
a window all vertices have the same places, so that values of several vertices may stand beside
each other as columns of one array. Vertices whose products read the same value within a loop, as
the gates of a cell do, are the *lanes* of a stack. The values at them that are made in the same
way, in the same *role*, share an array, in the order of the lanes; and calls of one kernel whose
arguments and results stand beside each other are made as one. Then all products of a stack are
one product with the matrices beside each other, and all its sigmoids one call.

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
from unrollgraph.nn.execution_order import Loop, Program
from unrollgraph.nn.lowering import BackwardValues, closure
from unrollgraph.nn.program import Ref, Value, Weight

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


def folded(values: Sequence[Value], outputs: int) -> tuple[Value, ...]:
    """Write sigmoids of sums of products by tanh; values keep their numbers, new ones follow.

    The first values, as many as there are outputs, are read from outside and stay whole.
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
            halves = tuple(replace(weight, scale=0.5) for weight in values[k].weights)
            found[k] = replace(values[k], weights=halves)
        found.append(replace(value, kind="tanh"))
        found[y] = replace(value, kind="unit", args=(Ref(len(found) - 1),))
    return tuple(found)


def _summands(
    values: Sequence[Value], readers: Sequence[int], outputs: int, ref: Ref
) -> list[int] | None:
    """The products and biases of which something is the sum; None if it is anything else."""
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
