"""Grouping of small values: one product and few elementwise calls for many vertices.

A network of single neurons has a value for each neuron and step; a call for each of them takes
longer than its computation. A *group* is a set of values that do not depend on each other within a
step and are computed in the same way. Over a window it is a range of rows of one array of shape
``(time, rows, batch)``.

All products that the groups of a step read are one sparse matrix. An array with R rows is also a
matrix with a row for each time and row, so the value that is read d steps ago is d R rows earlier,
and a single product with a matrix of constant structure reads all delays::

    sum_k W_k x[t + s_k]  =  M (x[t + a], ..., x[t + b]),   column of s and row r:  (s - a) R + r

The gradient is a list of values of the same form, in which the delays have the opposite sign and
the weights are transposed, so it is grouped in the same way.

A value that is read once, at the same copy, is computed within its reader: a group is an
*expression* of kernels over stored values and at most one sum of products.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import levels, strong_components
from unrollgraph.nn.buffers import Packing
from unrollgraph.nn.compiler import shift_of
from unrollgraph.nn.execution_order import clocks_of, cyclic_error
from unrollgraph.nn.lowering import ForwardValues
from unrollgraph.nn.primitives import TABLE
from unrollgraph.nn.program import Ref, Value, Weight

IntArray = NDArray[np.int64]

FEWEST = 50  # products of a network; with fewer, a call for each is fast enough
LARGEST = 128  # weights of a product on average; with more, dense products are faster
# All arrays have rows before the window for the longest delay. A longer delay than this is allowed
# if these rows have at most so many entries for each member of the batch.
LONGEST, BEFORE = 64, 10**6
DEEPEST = 6  # kernels of an expression above each other
SUMS = frozenset(["product", "products"])


def is_grouped(graph: DelayGraph, forward: ForwardValues) -> bool:
    """Whether a network has many products, and small ones on average."""
    if graph.dimension != 1:
        return False
    values = forward.values
    longest = int(np.abs(graph.delays).max(initial=0))
    if longest > LONGEST and longest * sum(value.size for value in values) > BEFORE:
        return False
    sums = [value for value in values if value.kind in SUMS]
    products = sum(len(value.args) for value in sums)
    weights = sum(value.size * values[ref.value].size for value in sums for ref in value.args)
    return products >= FEWEST and weights <= LARGEST * products


# -- expressions ---------------------------------------------------------------------

# a kind with shapes or numbers: ("add", ("sum",), ("leaf", 0)); ("alone", k) for value k, whose
# kernel is not elementwise
Shape = tuple[Any, ...]


@dataclass(frozen=True)
class Expression:
    """How a stored value is computed: a shape, and the references and weights at its leaves."""

    value: int
    shape: Shape
    leaves: tuple[Ref, ...]
    biases: tuple[Weight, ...]
    sum: int | None  # number of the sum of products, if there is one


def expressions(
    values: Sequence[Value], chosen: Iterable[int], kept: frozenset[int]
) -> list[Expression]:
    """Write the chosen values as expressions over stored values; kept ones are stored."""
    own = set(chosen)
    readers = Counter(ref.value for k in own for ref in values[k].args)
    once = {k for k in own if k not in kept and readers[k] == 1 and not _is_alone(values[k])}
    inner = {
        ref.value
        for k in own
        if TABLE[values[k].kind].columnwise
        for ref in values[k].args
        if ref.value in once and ref == Ref(ref.value)
    }
    found = []
    waiting = sorted(own - inner)
    for root in waiting:  # the loop appends to the list
        part = _Parts(values, inner, [], [], [], waiting)
        shape = part.shape(root, 0, in_place=True)
        total = part.sums[0] if part.sums else None
        found.append(Expression(root, shape, tuple(part.leaves), tuple(part.biases), total))
    return found


def _is_alone(value: Value) -> bool:
    return not TABLE[value.kind].columnwise and value.kind not in SUMS


@dataclass
class _Parts:
    """Collects what an expression reads."""

    values: Sequence[Value]
    inner: set[int]  # values that can be computed within their reader
    leaves: list[Ref]
    biases: list[Weight]
    sums: list[int]
    others: list[int]  # inner values that are stored after all

    def shape(self, k: int, depth: int, *, in_place: bool) -> Shape:
        """Shape of a value; with ``in_place``, a sum below it can be where its result will be."""
        value = self.values[k]
        if value.kind in SUMS:
            self.sums.append(k)
            return ("sum",)
        if _is_alone(value):
            self.leaves += value.args
            return ("alone", k)
        in_place = in_place and (TABLE[value.kind].in_place or value.kind == "copy")
        parts: list[Any] = []
        for ref in value.args:
            is_sum = self.values[ref.value].kind in SUMS
            fits = depth < DEEPEST and not (is_sum and (self.sums or not in_place))
            if ref.value in self.inner and fits:
                parts.append(self.shape(ref.value, depth + 1, in_place=in_place))
                continue
            if ref.value in self.inner:
                self.others.append(ref.value)
            self.leaves.append(ref)
            parts.append(("leaf", len(self.leaves) - 1))
        if value.kind == "bias":
            self.biases.append(value.weights[0])
            parts.append(len(self.biases) - 1)
        return (value.kind, *parts)


Operand = Any  # "out", ("leaf", k), ("bias", k), ("scratch", k) or a constant


class Recipe(NamedTuple):
    """Calls that compute an expression, after its sum of products is in its place."""

    calls: tuple[tuple[Any, ...], ...]  # a function and its operands, the output last
    start: int | None  # number of the bias that is added to the sum first
    scratch: int  # number of further arrays


def recipe_of(shape: Shape) -> Recipe:
    """Write the calls of an expression."""
    calls: list[tuple[Any, ...]] = []
    start: list[int] = []
    scratch = 0

    def fresh() -> Operand:
        nonlocal scratch
        scratch += 1
        return ("scratch", scratch - 1)

    def write(part: Shape, target: Operand) -> Operand:
        kind, *parts = part
        if kind == "leaf":
            return part
        if kind == "sum":
            return "out"
        if kind == "bias":
            source, number = parts
            if source == ("sum",):
                start.append(number)
                return "out"
            calls.append((np.add, write(source, target), ("bias", number), target))
            return target
        if len(parts) == 2:  # add, multiply
            first, second = sorted(parts, key=lambda one: not _has_sum(one))
            one = write(first, target)
            calls.append((TABLE[kind].kernel, one, write(second, fresh()), target))
            return target
        row = TABLE[kind]
        source = write(parts[0], target if row.in_place or kind == "copy" else fresh())
        if kind == "copy" and source == target:
            return target
        names = {"a": source, "out": target}
        for function, *operands in row.recipe or ((row.kernel, "a", "out"),):
            calls.append((function, *(names.get(x, x) for x in operands)))
        return target

    if shape[0] != "alone":
        write(shape, "out")
    return Recipe(tuple(calls), start[0] if start else None, scratch)


def _has_sum(shape: Any) -> bool:
    return isinstance(shape, tuple) and (shape == ("sum",) or any(map(_has_sum, shape)))


# -- sparse matrices ------------------------------------------------------------------------


class Entries(NamedTuple):
    """Entries of a sparse matrix: row, column at a shift in time, and parameter."""

    rows: IntArray
    shifts: IntArray
    columns: IntArray
    parameters: IntArray

    def chosen(self, some: IntArray) -> Entries:
        """Return some of the entries."""
        return Entries(*(one[some] for one in self))


# row and number of rows; shift, first column and number of columns; first parameter, and the
# distances of parameters in consecutive rows and columns
_Block = tuple[int, ...]


def _entries_of(blocks: Sequence[_Block]) -> Entries:
    """List the entries of blocks, sorted by row."""
    row, rows, shift, column, columns, start, down, across = np.array(blocks, dtype=np.int64).T
    sizes = rows * columns
    of = np.repeat(np.arange(len(blocks)), sizes)
    local = np.arange(len(of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    i, j = local // columns[of], local % columns[of]
    found = Entries(
        row[of] + i, shift[of], column[of] + j, start[of] + i * down[of] + j * across[of]
    )
    return found.chosen(np.argsort(found.rows, kind="stable"))


# -- groups ------------------------------------------------------------------------------


class Rows(NamedTuple):
    """Range of rows of an array."""

    array: int
    start: int
    stop: int


@dataclass(frozen=True)
class Reading:
    """Rows that the members of a group read at a shift in time, one for each row of the group."""

    array: int
    shifts: IntArray
    rows: IntArray

    @cached_property
    def range(self) -> tuple[int, Rows] | None:
        """Shift and range, if the rows are consecutive and read at the same step."""
        first, shift = int(self.rows[0]), int(self.shifts[0])
        whole = np.all(self.shifts == shift) and np.all(np.diff(self.rows) == 1)
        return (shift, Rows(self.array, first, first + len(self.rows))) if whole else None


@dataclass(frozen=True)
class Group:
    """Values that are computed by the same calls."""

    out: Rows
    shape: Shape
    leaves: tuple[Reading, ...]
    biases: tuple[IntArray, ...]  # numbers of the parameters that are added
    alone: Value | None  # the only member, if its kernel is not elementwise

    @cached_property
    def recipe(self) -> Recipe:
        """The calls that compute the group."""
        return recipe_of(self.shape)


@dataclass(frozen=True)
class Level:
    """Groups of a step that do not depend on each other, and the sums of products they use."""

    clock: int  # number of steps by which the level lags in a loop
    groups: tuple[Group, ...]
    sums: Rows | None
    products: dict[int, Entries]  # by the array that is read; rows are counted from those of sums
    starts: tuple[IntArray, IntArray]  # rows of the sums with a bias, and its parameters


@dataclass(frozen=True)
class Stage:
    """Levels in the order of computation: step by step, or each for all steps at once."""

    sign: int  # 1 forward in time, -1 backward, 0 for all steps at once
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Grouping:
    """Rows and order of the chosen values of a program over a window.

    Attributes
    ----------
    places : dict
        For each stored value, its rows.
    sizes : dict
        Number of rows of each new array.
    integers : int
        The array of given integers.
    sums : dict
        For each sum of products, the rows in which it is computed.
    stages : tuple of Stage
        The order of computation.
    lost : frozenset of int
        Values that are computed within others and not stored.
    """

    places: dict[int, Rows]
    sizes: dict[int, int]
    integers: int
    sums: dict[int, Rows]
    stages: tuple[Stage, ...]
    lost: frozenset[int]


class Stored(NamedTuple):
    """Parameters and values that are stored before a schedule is computed."""

    packing: Packing
    places: dict[int, Rows]
    arrays: int


class _Key(NamedTuple):
    """What the members of a group have in common, in the order of computation."""

    depth: int
    sign: int
    level: int
    clock: int
    plain: bool  # whether there is no sum of products
    shape: int


def grouping_of(
    graph: DelayGraph,
    values: Sequence[Value],
    chosen: Sequence[int],
    given: Iterable[int],
    kept: frozenset[int],
    stored: Stored,
) -> Grouping:
    """Group the chosen values of a program; given values get rows, too."""
    first = stored.arrays
    parts = expressions(values, chosen, kept)
    sums = [values[part.sum] for part in parts if part.sum is not None]
    read = {ref.value for value in sums for ref in value.args}
    # values that products read or that are computed, other given values, given integers
    sizes = {first: 0, first + 1: 0, first + 2: 0}
    places: dict[int, Rows] = {}

    def put(k: int, array: int) -> None:
        places[k] = Rows(array, sizes[array], sizes[array] + values[k].size)
        sizes[array] = places[k].stop

    for k in sorted(given):
        put(k, first if k in read else first + 1 + (values[k].kind == "indices"))
    arrays = {k: rows.array for k, rows in (stored.places | places).items()}
    arrays.update(dict.fromkeys((part.value for part in parts), first))
    keys = _keys(graph, values, parts, arrays)
    groups: list[tuple[_Key, list[Expression]]] = []
    for i in sorted(range(len(parts)), key=lambda i: (keys[i], parts[i].value)):
        if not groups or groups[-1][0] != keys[i]:
            groups.append((keys[i], []))
        groups[-1][1].append(parts[i])
        put(parts[i].value, first)
    writer = _Writer(graph, values, stored.places | places, stored.packing)
    lost = frozenset(chosen) - {part.value for part in parts}
    computed = {part.sum: places[part.value] for part in parts if part.sum is not None}
    return Grouping(places, sizes, first + 2, computed, tuple(_stages(groups, writer)), lost)


def _keys(
    graph: DelayGraph,
    values: Sequence[Value],
    parts: Sequence[Expression],
    arrays: dict[int, int],
) -> list[_Key]:
    """Find the place of each expression in the order of computation."""
    number = {part.value: i for i, part in enumerate(parts)}
    wires = [
        (number[ref.value], i, -shift_of(graph, ref))
        for i, part in enumerate(parts)
        for ref in (*part.leaves, *(values[part.sum].args if part.sum is not None else ()))
        if ref.value in number
    ]
    tails, heads, delays = np.array(wires, dtype=np.int64).reshape(-1, 3).T
    component = strong_components(len(parts), tails, heads)
    within = component[tails] == component[heads]
    count = int(component.max(initial=-1)) + 1
    depth = levels(count, component[tails[~within]], component[heads[~within]])
    sign, level, clock = (np.zeros(len(parts), dtype=np.int64) for _ in range(3))
    inner = np.flatnonzero(within)
    inner = inner[np.argsort(component[tails[inner]], kind="stable")]
    cuts = np.flatnonzero(np.diff(component[tails[inner]])) + 1
    for wired in np.split(inner, cuts) if len(inner) else []:
        members, ends = np.unique([tails[wired], heads[wired]], return_inverse=True)
        ends = ends.reshape(2, -1)
        clocks, order, direction = clocks_of(len(members), ends[0], ends[1], delays[wired])
        if not direction:
            raise cyclic_error(graph, [values[parts[i].value] for i in members])
        sign[members], level[members], clock[members] = direction, order, clocks
    shapes: dict[Any, int] = {}
    found = []
    for i, part in enumerate(parts):
        alike = part.shape, tuple(arrays[ref.value] for ref in part.leaves)
        place = int(depth[component[i]]), int(sign[i]), int(level[i]), int(clock[i])
        found.append(_Key(*place, part.sum is None, shapes.setdefault(alike, len(shapes))))
    return found


def _stages(groups: list[tuple[_Key, list[Expression]]], writer: _Writer) -> Iterator[Stage]:
    """Yield the stages of groups that are in order."""
    at = 0
    while at < len(groups):
        depth, sign, *_ = groups[at][0]
        levels_found = []
        while at < len(groups) and groups[at][0][:2] == (depth, sign):
            key, stop = groups[at][0], at + 1
            while stop < len(groups) and groups[stop][0][:-1] == key[:-1]:
                stop += 1
            levels_found.append(writer.level(key.clock, [one for _, one in groups[at:stop]]))
            at = stop
        yield Stage(sign, tuple(levels_found))


class _Writer:
    """Writes groups and levels for values whose rows are known."""

    def __init__(
        self,
        graph: DelayGraph,
        values: Sequence[Value],
        places: dict[int, Rows],
        packing: Packing,
    ) -> None:
        self.values, self.places, self.packing = values, places, packing
        self.delays = graph.delays[:, 0].tolist()

    def level(self, clock: int, groups: list[list[Expression]]) -> Level:
        """Return a level of groups in consecutive rows."""
        written = tuple(self.group(members) for members in groups)
        if groups[0][0].sum is None:
            none = np.empty(0, dtype=np.int64)
            return Level(clock, written, None, {}, (none, none))
        sums = written[0].out._replace(stop=written[-1].out.stop)
        blocks: dict[int, list[_Block]] = {}
        starts: list[tuple[IntArray, IntArray]] = []
        for members, group in zip(groups, written, strict=True):
            if group.recipe.start is not None:
                inside = np.arange(group.out.start, group.out.stop) - sums.start
                starts.append((inside, group.biases[group.recipe.start]))
            for part in members:
                assert part.sum is not None
                value, row = self.values[part.sum], self.places[part.value].start - sums.start
                for ref, weight in zip(value.args, value.weights, strict=True):
                    array, *source = self.source(ref)
                    blocks.setdefault(array, []).append(
                        (row, value.size, *source, *self.packing.strides(weight))
                    )
        products = {array: _entries_of(found) for array, found in blocks.items()}
        none = np.empty(0, dtype=np.int64)
        rows = np.concatenate([none, *(one for one, _ in starts)])
        biases = np.concatenate([none, *(numbers for _, numbers in starts)])
        return Level(clock, written, sums, products, (rows, biases))

    def group(self, members: Sequence[Expression]) -> Group:
        """Return the group of some expressions of one shape, in the order of their rows."""
        one = members[0]
        out = self.places[one.value]._replace(stop=self.places[members[-1].value].stop)
        leaves = tuple(
            self.reading([part.leaves[k] for part in members]) for k in range(len(one.leaves))
        )
        biases = tuple(
            np.concatenate([_numbers(self.packing, part.biases[k]) for part in members])
            for k in range(len(one.biases))
        )
        alone = self.values[one.value] if one.shape[0] == "alone" else None
        return Group(out, one.shape, leaves, biases, alone)

    def source(self, ref: Ref) -> tuple[int, int, int, int]:
        """Array, shift, row and number of rows that a reference reads."""
        value, edge, back, columns = ref
        array, start, stop = self.places[value]
        shift = 0 if edge is None else self.delays[edge] if back else -self.delays[edge]
        begin, end = columns or (0, stop - start)
        return array, shift, start + begin, end - begin

    def reading(self, refs: Sequence[Ref]) -> Reading:
        """Rows that some references read; they must be in one array."""
        arrays, shifts, starts, counts = np.array([self.source(ref) for ref in refs]).T
        assert len(set(arrays.tolist())) == 1
        ends = np.cumsum(counts)
        local = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
        return Reading(int(arrays[0]), np.repeat(shifts, counts), np.repeat(starts, counts) + local)


def _numbers(packing: Packing, weight: Weight) -> IntArray:
    place = packing.place(weight)
    return np.arange(place.start, place.stop)
