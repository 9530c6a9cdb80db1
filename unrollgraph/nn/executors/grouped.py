"""Execution of groups of values over a window of time steps.

An array has the shape ``(time, rows, batch)`` with further times before and after the window. A
sum of products is a product of a sparse matrix with a slice of the array, seen as a matrix (see
`grouping`); full matrices are multiplied by BLAS.

The gradient of the weights is needed at the entries of the sparse matrix only: for each entry, the
inner product over time and batch of the gradient of a row and the values of a column.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary, proxy

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.buffers import (
    Binding,
    Packing,
    Pick,
    Weights,
    aligned,
    columns_of,
    outside_window,
)
from unrollgraph.nn.compiler import shift_of
from unrollgraph.nn.execution_order import Schedule
from unrollgraph.nn.executors.weight_gradients import SUMMED
from unrollgraph.nn.grouping import (
    Entries,
    Group,
    Grouping,
    Level,
    Reading,
    Rows,
    Stored,
    grouping_of,
)
from unrollgraph.nn.lowering import BackwardValues, ForwardValues
from unrollgraph.nn.primitives import kernel_of
from unrollgraph.nn.program import Ref, Term, Value

Array = NDArray[Any]
IntArray = NDArray[np.int64]
_Call = tuple[Callable[..., Any], tuple[Any, ...]]

NEAR = 2**17  # numbers of the arrays of one elementwise call over several steps
MOST_CALLS = 300_000  # calls that are kept for later runs, of about 300 bytes each
COMMON = 0.02  # share of entries from which all gradients of a pair of arrays are computed


def _sparse_products() -> tuple[Callable[..., None], Callable[..., None]]:
    """SciPy's kernels that add a sparse matrix times a vector, and times a matrix."""
    from scipy.sparse import _sparsetools  # noqa: PLC0415  (heavy: loaded on first use)

    return _sparsetools.csr_matvec, _sparsetools.csr_matvecs


class GroupedBinding:
    """Values over a window in few arrays, computed group by group."""

    def __init__(
        self, graph: DelayGraph, steps: int, batch: int, dtype: Any, packing: Packing
    ) -> None:
        self.graph, self.steps, self.batch, self.dtype = graph, steps, batch, dtype
        self.packing = packing
        delays = graph.delays[:, 0]
        self._reach = int(max(0, delays.max(initial=0))), int(max(0, (-delays).max(initial=0)))
        self.arrays: dict[int, Array] = {}
        self.margins: dict[int, tuple[int, int]] = {}  # times before and after the window
        self.places: dict[int, Rows] = {}
        self.buffers: dict[int, Array] = {}
        self.before: dict[int, int] = {}
        self.gradients: dict[Any, list[Any]] = {}
        self.sums: Any = None
        self.base: Grouping | None = None  # groups of the forward values
        self._opened: Grouping | None = None
        # arrays, places and bytes without those that are opened on request
        self._first: tuple[dict[int, Array], dict[int, Rows], int] = {}, {}, 0
        self._lost: frozenset[int] = frozenset()
        self._bytes = 0
        self._bound: WeakKeyDictionary[Schedule, _Calls] = WeakKeyDictionary()

    def another(self) -> GroupedBinding:
        other = copy.copy(self)
        other.arrays, other.margins = dict(self.arrays), dict(self.margins)
        other.places, other.gradients = dict(self.places), {}
        other._bound, other._lost, other._bytes = WeakKeyDictionary(), frozenset(), 0
        other.sums = None
        return other

    def open(
        self, values: Sequence[Value], chosen: Iterable[int], passing: Grouping | None = None
    ) -> None:
        back, more = bool(self.arrays), passing is None
        if passing is None:
            names = tuple(chosen)
            stored = Stored(self.packing, self.places, len(self.arrays))
            passing = grouping_of(self.graph, values, names, (), frozenset(names), stored)
        before, after = self._reach[::-1] if back else self._reach
        for name, rows in passing.sizes.items():
            shape = before + self.steps + after, rows, self.batch
            dtype = np.dtype(np.int64) if name == passing.integers else self.dtype
            self.arrays[name] = aligned(math.prod(shape), dtype).reshape(shape)
            self.margins[name] = before, after
            self._bytes += self.arrays[name].nbytes
        self.places |= passing.places
        self._opened = passing
        self._lost |= passing.lost
        if not back:
            self.base = passing
            self._make_buffers()
        for name in passing.sizes:
            self._clear(name)
        if not more:
            self._first = dict(self.arrays), dict(self.places), self._bytes

    def _make_buffers(self) -> None:
        """Make the views of the outputs of vertices with the steps that edges read."""
        reach = np.zeros((2, len(self.graph.vertices)), dtype=np.int64)
        delays = self.graph.delays[:, 0]
        np.maximum.at(reach[0], self.graph.tails, delays)
        np.maximum.at(reach[1], self.graph.tails, -delays)
        for v, (ahead, behind) in enumerate(reach.T.tolist()):
            array, start, stop = self.places[v]
            first = self.margins[array][0] - ahead
            view = self.arrays[array][first : first + ahead + self.steps + behind, start:stop]
            self.buffers[v], self.before[v] = view.swapaxes(1, 2), ahead

    def _clear(self, name: int) -> None:
        before, _ = self.margins[name]
        self.arrays[name][:before] = 0
        self.arrays[name][before + self.steps :] = 0

    def clear(self) -> None:
        """Set the rows before and after the window to zero."""
        for name in self.arrays:
            self._clear(name)

    def lost(self) -> frozenset[int]:
        return self._lost

    def size(self) -> int:
        over: list[Binding] = [own for free in self.gradients.values() for own, _ in free]
        return sum((binding.size() for binding in over), self._bytes)

    def fill(self, value: int, vertex: int, data: Array) -> None:
        del vertex
        self.read(Ref(value))[...] = data

    def read(self, ref: Ref) -> Array:
        array, start, stop = self.places[ref.value]
        first = self.margins[array][0] + shift_of(self.graph, ref)
        view = self.arrays[array][first : first + self.steps, start:stop].swapaxes(1, 2)
        return columns_of(view, ref)

    def in_order(self, vertex: int, array: Array) -> Array:
        del vertex
        return array

    def outside(
        self, vertex: int, terms: Sequence[Term], side: str, weights: Weights
    ) -> Array | None:
        return outside_window(self, vertex, terms, side, weights)

    def summed(
        self, forward: ForwardValues, backward: BackwardValues, schedule: Schedule, weights: Weights
    ) -> GroupedSums:
        """Return the gradients of the parameters, bound to the arrays."""
        del schedule
        return GroupedSums(forward, backward, self, weights)

    def compute(
        self, schedule: Schedule, weights: Weights, sums: GroupedSums | None = None
    ) -> None:
        if sums:  # values requested of an earlier gradient are not valid any more
            self.arrays, self.places = dict(self._first[0]), dict(self._first[1])
            self._bytes = self._first[2]
        if schedule not in self._bound:
            assert self._opened is not None
            self._bound[schedule] = _Calls(self, self._opened, weights)
        self._bound[schedule].run()
        if sums:
            sums.compute()


class _Calls:
    """The calls of a grouping, bound to arrays."""

    def __init__(self, binding: GroupedBinding, grouping: Grouping, weights: Weights) -> None:
        # proxies, so that a binding is released with its last user
        self.binding: GroupedBinding = proxy(binding)
        self.grouping = grouping
        self._kept: list[_Call] | None = None
        self._sums = {
            id(level): _Sum(binding, level, weights)
            for stage in grouping.stages
            for level in stage.levels
            if level.sums
        }
        self._picks: list[Pick] = []
        self._indices: dict[int, tuple[int, IntArray]] = {}
        self._biases: dict[int, list[Array]] = {}
        self._alone: dict[int, tuple[Callable[..., None], list[Array]]] = {}
        count = 0
        for stage in grouping.stages:
            for level in stage.levels:
                count += 2 * binding.steps
                for group in level.groups:
                    self._biases[id(group)] = [self._bias(one, weights) for one in group.biases]
                    if group.alone:
                        own = group.alone
                        layouts = [weights.layout(own.kind, (one,)) for one in own.weights]
                        self._alone[id(group)] = kernel_of(own), layouts
                    count += max(1, len(group.recipe.calls)) * binding.steps
        self._few = count <= MOST_CALLS

    def _bias(self, numbers: IntArray, weights: Weights) -> Array:
        found = np.empty((len(numbers), 1), self.binding.dtype)
        self._picks.append(weights.picked(numbers, found[:, 0]))
        return found

    def run(self) -> None:
        """Compute all values."""
        calls: Iterable[_Call] = self._kept if self._kept is not None else self._all()
        if self._kept is None and self._few:
            calls = self._kept = list(calls)
        for function, operands in calls:
            function(*operands)

    def _all(self) -> Iterator[_Call]:
        steps = self.binding.steps
        for stage in self.grouping.stages:
            if not stage.sign:
                for level in stage.levels:
                    yield from self._at_once(level)
                continue
            rooms = {
                id(group): self._room(group, 1) for one in stage.levels for group in one.groups
            }
            for s in range(steps + max(level.clock for level in stage.levels)):
                for level in stage.levels:
                    t = s - level.clock
                    if not 0 <= t < steps:
                        continue
                    t = t if stage.sign > 0 else steps - 1 - t
                    if level.sums:
                        yield from self._sums[id(level)].calls(t)
                    for group in level.groups:
                        yield from self._elementwise(group, slice(t, t + 1), rooms[id(group)])

    def _at_once(self, level: Level) -> Iterator[_Call]:
        """Yield the calls of a level for all steps."""
        steps = self.binding.steps
        if level.sums:
            yield from self._sums[id(level)].at_once(steps)
        for group in level.groups:
            whole = not group.alone and all(leaf.range for leaf in group.leaves)
            size = (group.out.stop - group.out.start) * self.binding.batch
            length = min(steps, max(1, NEAR // size)) if whole else 1
            room = self._room(group, length)
            for start in range(0, steps, length):
                times = slice(start, min(start + length, steps))
                yield from self._elementwise(group, times, room)

    def _room(self, group: Group, length: int) -> list[Array]:
        """Arrays for gathered values and for intermediate results."""
        shape = length, group.out.stop - group.out.start, self.binding.batch
        count = len(group.leaves) + group.recipe.scratch
        return [np.empty(shape, self.binding.dtype) for _ in range(count)]

    def _elementwise(self, group: Group, times: slice, room: list[Array]) -> Iterator[_Call]:
        """Yield the calls of an expression at some steps."""
        if group.alone:
            ends = [leaf.range for leaf in group.leaves if leaf.range]  # all of them: single values
            views = [self._view(rows, times, shift)[0].T for shift, rows in ends]
            kernel, layouts = self._alone[id(group)]
            yield kernel, (*views, *layouts, self._view(group.out, times, 0)[0].T)
            return
        known: dict[Any, Any] = {"out": self._view(group.out, times, 0)}
        count = times.stop - times.start
        for k, leaf in enumerate(group.leaves):
            if leaf.range:
                shift, rows = leaf.range
                known["leaf", k] = self._view(rows, times, shift)
                continue
            known["leaf", k] = room[k][:1]
            source = self.binding.arrays[leaf.array]
            low, numbers = self._gathered(leaf, source.shape[1])
            first = self.binding.margins[leaf.array][0] + times.start + low
            flat = source[first:].reshape(-1, self.binding.batch)
            yield np.take, (flat, numbers, 0, room[k][0], "clip")
        for k in range(group.recipe.scratch):
            known["scratch", k] = room[len(group.leaves) + k][:count]
        for k, bias in enumerate(self._biases[id(group)]):
            known["bias", k] = bias
        for function, *operands in group.recipe.calls:
            yield function, tuple(known.get(x, x) for x in operands)

    def _gathered(self, leaf: Reading, height: int) -> tuple[int, IntArray]:
        """Least shift of a reading, and the rows from there on; the same in all steps."""
        if id(leaf) not in self._indices:
            low = int(leaf.shifts.min())
            self._indices[id(leaf)] = low, (leaf.shifts - low) * height + leaf.rows
        return self._indices[id(leaf)]

    def _view(self, rows: Rows, times: slice, shift: int) -> Array:
        first = self.binding.margins[rows.array][0] + shift
        array = self.binding.arrays[rows.array]
        return array[first + times.start : first + times.stop, rows.start : rows.stop]


class _Sum:
    """The sums of products of a level, bound to arrays."""

    def __init__(self, binding: GroupedBinding, level: Level, weights: Weights) -> None:
        assert level.sums is not None
        self.binding: GroupedBinding = proxy(binding)
        self.rows = level.sums
        count = self.rows.stop - self.rows.start
        self.start = np.zeros((count, 1), binding.dtype)
        self.begins = bool(len(level.starts[0]))
        self.picks = [weights.picked(level.starts[1], self.start[:, 0], level.starts[0])]
        self.factors = [
            _Factor(binding, array, count, entries, weights, self.picks)
            for array, entries in level.products.items()
        ]
        self.factors.sort(key=lambda factor: factor.dense is None)
        self.scratch = np.empty((count, binding.batch), binding.dtype)

    def at_once(self, steps: int) -> Iterator[_Call]:
        """Yield the calls of all steps: one product, if there is one dense matrix."""
        if len(self.factors) > 1 or self.factors[0].dense is None:
            for t in range(steps):
                yield from self.calls(t)
            return
        array, start, stop = self.rows
        first = self.binding.margins[array][0]
        out = self.binding.arrays[array][first : first + steps, start:stop]
        yield np.matmul, (self.factors[0].dense, self.factors[0].matrices(steps), out)
        if self.begins:
            yield np.add, (out, self.start, out)

    def calls(self, t: int) -> Iterator[_Call]:
        """Yield the calls of one step."""
        array, start, stop = self.rows
        out = self.binding.arrays[array][self.binding.margins[array][0] + t, start:stop]
        written = False
        for factor in self.factors:
            if factor.dense is not None:
                target = self.scratch if written else out
                yield np.matmul, (factor.dense, factor.matrix(t), target)
                if written:
                    yield np.add, (out, target, out)
                elif self.begins:
                    yield np.add, (out, self.start, out)
                written = True
                continue
            if not written:
                yield np.copyto, (out, self.start if self.begins else 0)
                written = True
            yield factor.function, (*factor.arguments, factor.vector(t), out.reshape(-1))


class _Factor:
    """A sparse matrix, and the slice of an array that it multiplies at each step."""

    def __init__(
        self,
        binding: GroupedBinding,
        array: int,
        rows: int,
        entries: Entries,
        weights: Weights,
        picks: list[Pick],
    ) -> None:
        self.array, self.batch = binding.arrays[array], binding.batch
        height = self.array.shape[1]
        low = int(entries.shifts.min())
        columns = (entries.shifts - low) * height + entries.columns
        self.begin, end = int(columns.min()), int(columns.max()) + 1
        self.low, self.before = low, binding.margins[array][0]
        columns -= self.begin
        self.width = end - self.begin
        self.dense: Array | None = None
        places = entries.rows * self.width + columns
        # a matrix with gaps is never dense: zero times infinity would be NaN
        if len(places) == rows * self.width == len(np.unique(places)):
            self.dense = np.zeros((rows, self.width), binding.dtype)
            picks.append(weights.picked(entries.parameters, self.dense.reshape(-1), places))
            return
        data = np.empty(len(places), binding.dtype)
        picks.append(weights.picked(entries.parameters, data))
        integer = np.int32 if self.width < 2**31 else np.int64
        starts = np.zeros(rows + 1, integer)
        np.cumsum(np.bincount(entries.rows, minlength=rows), out=starts[1:])
        one, many = _sparse_products()
        self.function = one if self.batch == 1 else many
        sizes = (rows, self.width) if self.batch == 1 else (rows, self.width, self.batch)
        self.arguments = (*sizes, starts, columns.astype(integer), data)

    def vector(self, t: int) -> Array:
        """The slice at a step in one dimension."""
        first = (self.before + t + self.low) * self.array.shape[1] + self.begin
        return self.array.reshape(-1)[first * self.batch : (first + self.width) * self.batch]

    def matrices(self, steps: int) -> Array:
        """The slices of all steps; they overlap if the matrix reads several times."""
        one = self.matrix(0)
        between = self.array.strides[0]
        return np.lib.stride_tricks.as_strided(
            one, (steps, *one.shape), (between, *one.strides), writeable=False
        )

    def matrix(self, t: int) -> Array:
        """The slice at a step with a row for each column of the matrix."""
        return self.vector(t).reshape(self.width, self.batch)


class GroupedSums:
    """Gradients of the parameters of a network that is computed in groups.

    Attributes
    ----------
    flat : ndarray
        The gradients of all parameters, after they are computed.
    """

    def __init__(
        self,
        forward: ForwardValues,
        backward: BackwardValues,
        binding: GroupedBinding,
        weights: Weights,
    ) -> None:
        self.flat = weights.flat
        self._binding: GroupedBinding = proxy(binding)
        assert binding.base is not None
        count = binding.arrays[0].shape[1]
        # array and row of the gradient of each row in which a sum of products is computed
        array, row = np.full(count, -1), np.zeros(count, dtype=np.int64)
        rows: dict[int, list[IntArray]] = {}
        numbers: dict[int, list[IntArray]] = {}
        for y, g in backward.uses:
            value, (name, start, stop) = forward.values[y], binding.places[g]
            if value.kind == "bias":
                first, *_ = weights.packing.strides(value.weights[0])
                rows.setdefault(name, []).append(np.arange(start, stop))
                numbers.setdefault(name, []).append(np.arange(first, first + stop - start))
            elif value.kind in SUMMED:
                own = slice(*binding.base.sums[y][1:])
                array[own], row[own] = name, np.arange(start, stop)
        self._entries = _gradient_entries(binding.base, array, row)
        self._biases = {
            name: (np.concatenate(rows[name]), np.concatenate(numbers[name])) for name in rows
        }

    def compute(self) -> None:
        """Compute the gradients in a new array."""
        self.flat = np.zeros_like(self.flat)
        binding = self._binding
        turned: dict[int, Array] = {}

        def series(array: int) -> Array:
            """An array with a row for each of its rows, and all times and members in it."""
            if array not in turned:
                rows = binding.arrays[array].shape[1]
                turned[array] = binding.arrays[array].swapaxes(0, 1).reshape(rows, -1)
            return turned[array]

        def window(array: int) -> slice:
            first = binding.margins[array][0] * binding.batch
            return slice(first, first + binding.steps * binding.batch)

        for (left, right), entries in self._entries.items():
            gradients = series(left)[:, window(left)]
            first = window(right).start + entries.shifts * binding.batch
            # several entries of `combine="add"` have one parameter
            found = _inner_products(gradients, series(right), entries, first)
            np.add.at(self.flat, entries.parameters, found)
        for array, (rows, numbers) in self._biases.items():
            total = series(array)[:, window(array)].sum(axis=1)
            np.add.at(self.flat, numbers, total[rows])


def _gradient_entries(
    base: Grouping, array: IntArray, row: IntArray
) -> dict[tuple[int, int], Entries]:
    """Entries of all sums of products, with the rows of their gradients, by pairs of arrays."""
    parts: dict[tuple[int, int], list[Entries]] = {}
    for level in (level for stage in base.stages for level in stage.levels):
        for read, entries in level.products.items():
            assert level.sums is not None
            rows = entries.rows + level.sums.start
            for name in np.unique(array[rows]).tolist():
                some = np.flatnonzero(array[rows] == name)
                own = entries.chosen(some)._replace(rows=row[rows[some]])
                parts.setdefault((name, read), []).append(own)
    found = {}
    for pair, several in parts.items():
        if pair[0] >= 0:  # other sums have no gradient
            whole = Entries(*map(np.concatenate, zip(*several, strict=True)))
            found[pair] = whole.chosen(np.argsort(whole.rows, kind="stable"))
    return found


def _inner_products(gradients: Array, values: Array, entries: Entries, first: IntArray) -> Array:
    """Inner products of rows of gradients and of values that begin at other places."""
    length = gradients.shape[1]
    found = np.empty(len(first), gradients.dtype)
    shifts = np.unique(entries.shifts)
    if len(first) >= COMMON * len(gradients) * len(values) * len(shifts):
        for shift in shifts.tolist():
            at = np.flatnonzero(entries.shifts == shift)
            begin = int(first[at[0]])
            product = gradients @ values[:, begin : begin + length].T
            found[at] = product[entries.rows[at], entries.columns[at]]
        return found
    windows = np.lib.stride_tricks.sliding_window_view(values, length, axis=1)
    rows, starts, counts = np.unique(entries.rows, return_index=True, return_counts=True)
    for count in np.unique(counts).tolist():
        alike = np.flatnonzero(counts == count)
        together = max(1, NEAR // (count * length))
        for begin in range(0, len(alike), together):
            some = alike[begin : begin + together]
            at = starts[some][:, None] + np.arange(count)
            read = windows[entries.columns[at], first[at]]
            found[at] = np.matmul(read, gradients[rows[some]][:, :, None])[:, :, 0]
    return found
