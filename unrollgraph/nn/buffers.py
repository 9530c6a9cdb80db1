"""Memory of values and parameters, and the interface of executors.

Two kinds of values are not stored in full over a window:

* a *transient* value of a loop is read only in its own step: all steps write the same memory,
  which stays in the cache;
* an *overwritten* value is computed for all steps at once and read once, by an elementwise kernel
  that writes its result over it.

Both are lost after a run; if they are needed later, they are computed again.

A *binding* stores each value as an array of shape ``(places, batch, size)`` and reads values
through edges; kernels see arrays of shape ``(rows, size)``. `executors.window` has the binding for
windows, `executors.graph` the one for other graphs. A run leases a binding, which later runs of
the same shape use again.

All parameters are stored in one array. Parameters of the lanes of a stack (see `compiler`) whose
shapes differ in the number of rows only are *packed*: they are stored one after another and form
one matrix. Copying them, transposing them or writing their gradient then takes one call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.compiler import Lanes, shared, shift_of
from unrollgraph.nn.execution_order import Bulk, Loop, Schedule
from unrollgraph.nn.lowering import ForwardValues
from unrollgraph.nn.primitives import TABLE
from unrollgraph.nn.program import Ref, Term, Value, Values, Weight


def kept_for_gradients(forward: ForwardValues) -> frozenset[int]:
    """Forward values needed later: outputs, and the values that gradients read."""
    count = len(forward.values)
    found = set(range(forward.vertices))
    terms = Values([*forward.values])
    for y, value in enumerate(forward.values):
        rule = TABLE[value.kind].adjoint
        if rule is not None:
            rule(terms, y, Ref(count))
        if value.weights and value.kind != "bias":  # the gradient of a weight reads its source
            found.update(ref.value for ref in value.args)
        if value.kind == "opaque":
            found.add(y)
    reads = {ref.value for value in terms.items[count:] for ref in value.args}
    return frozenset(found | {k for k in reads if k < count})


def transient(schedule: Schedule, kept: frozenset[int]) -> frozenset[int]:
    """Values of loops that are read only in their own step."""
    clock: dict[int, tuple[int, int]] = {}
    for number, part in enumerate(schedule.steps):
        if isinstance(part, Loop):
            clock |= {k: (number, c) for k, c in zip(part.values, part.clocks, strict=True)}
    found = set(clock) - kept
    for k in schedule.chosen:
        for ref in schedule.values[k].args:
            here = clock.get(ref.value)
            if here and (clock.get(k) != here or shift_of(schedule.graph, ref)):
                found.discard(ref.value)
    return frozenset(found)


def overwritten(schedule: Schedule, kept: frozenset[int]) -> dict[int, int]:
    """Map each value that overwrites an argument to that argument."""
    bulk = {part.value for part in schedule.steps if isinstance(part, Bulk)}
    readers: dict[int, int] = {}
    for k in schedule.chosen:
        for ref in schedule.values[k].args:
            readers[ref.value] = readers.get(ref.value, 0) + 1
    places: dict[int, int] = {}
    for k in sorted(bulk):
        value = schedule.values[k]
        if not TABLE[value.kind].in_place:
            continue
        for ref in value.args:
            free = ref.value in bulk and ref.value not in kept and readers[ref.value] == 1
            whole = ref == Ref(ref.value) and schedule.values[ref.value].size == value.size
            if free and whole:
                places[k] = ref.value
                break
    for k in bulk:
        value = schedule.values[k]
        if value.kind == "unit" and value.args[0].value in places:  # a unit overwrites its argument
            places[k] = places.pop(value.args[0].value)
    return places


def brief(schedule: Schedule, kept: frozenset[int]) -> Passing:
    """Find the values read only at their own copy and by values of the same part."""
    part = {
        k: number for number, p in enumerate(schedule.parts) for ks in p.at.values() for k in ks
    }
    found = set(part) - kept
    for k in schedule.chosen:
        for ref in schedule.values[k].args:
            if ref.edge is not None or part.get(ref.value) != part[k]:
                found.discard(ref.value)
    return Passing(frozenset(found), {}, frozenset())


class Passing(NamedTuple):
    """Values of a schedule that are not stored in full."""

    transient: frozenset[int]  # values read only in their own step
    overwritten: dict[int, int]  # for each value that overwrites another, the other
    rings: frozenset[int]  # values that may be stored for one block of steps only

    def over(self, groups: list[list[int]], shapes: Mapping[int, Room]) -> dict[int, int]:
        """Map groups to the groups that they overwrite completely, by first values."""
        whole = {tuple(group): group[0] for group in groups}
        found = {}
        for group in groups:
            under = tuple(self.overwritten.get(k, -1) for k in group)
            if under in whole and shapes[whole[under]] == shapes[group[0]]:
                found[group[0]] = whole[under]
        return found


def passing(schedule: Schedule, kept: frozenset[int], whole: frozenset[int]) -> Passing:
    """Find the values of a schedule over a window that are not stored in full.

    Values in ``kept`` are read after the run: those in ``whole`` at all steps at once, the others
    block by block.
    """
    rings = frozenset(schedule.chosen) - whole if _goes_one_way(schedule) else frozenset()
    return Passing(transient(schedule, kept), overwritten(schedule, kept), rings)


def _goes_one_way(schedule: Schedule) -> bool:
    """Whether a schedule can be computed block by block, in one direction of time."""
    sign = -1 if schedule.back else 1
    own = set(schedule.chosen)
    return all(
        ref.value not in own or sign * shift_of(schedule.graph, ref) <= 0
        for k in own
        for ref in schedule.values[k].args
    )


NOTHING_PASSES = Passing(frozenset(), {}, frozenset())


class Room(NamedTuple):
    """Shape of an array: rows before and after the window, and columns."""

    before: int
    after: int
    width: int


class Arrangement(NamedTuple):
    """Assignment of values to arrays; a group of values is given by its first value."""

    groups: dict[int, list[int]]  # values in adjacent columns
    rooms: dict[int, tuple[int, int]]  # rows of each value read before and after the window
    root: dict[int, int]  # group whose array each group uses: itself or one that it overwrites
    arrays: dict[int, Room]  # shape of each array
    still: frozenset[int]  # groups whose steps all use the same memory
    rings: frozenset[int]  # arrays that may store one block of steps only
    inside: dict[int, int]  # for each value overwritten by a unit, the unit
    lost: frozenset[int]  # values lost after a run, in addition to those in rings


def arranged(
    graph: DelayGraph,
    values: Sequence[Value],
    chosen: Sequence[int],
    lanes: Lanes,
    passing: Passing,
) -> Arrangement:
    """Assign the chosen values to arrays over a window."""
    inside = {values[k].args[0].value: k for k in chosen if values[k].kind == "unit"}
    rooms = {k: (0, 0) for k in chosen if k not in inside}
    for value in values:
        for ref in value.args:
            if ref.value in rooms:
                (before, after), shift = rooms[ref.value], shift_of(graph, ref)
                rooms[ref.value] = max(before, -shift), max(after, shift)
    groups = {group[0]: group for group in shared(graph, values, rooms, lanes)}
    arrays = {
        first: Room(
            max(rooms[k][0] for k in group),
            max(rooms[k][1] for k in group),
            sum(values[k].size for k in group),
        )
        for first, group in groups.items()
    }
    over = passing.over([*groups.values()], arrays)
    root = {}
    for k in groups:
        under = k
        while under in over:
            under = over[under]
        root[k] = under
    still = {k for k, group in groups.items() if passing.transient.issuperset(group)}
    still -= set(over.values())
    whole = {root[k] for k, group in groups.items() if not passing.rings.issuperset(group)}
    rings = set(root.values()) - whole - still
    lost = {k for first in (*still, *over.values()) for k in groups[first]}.union(inside)
    own = {k: arrays[k] for k in root.values()}
    return Arrangement(
        groups, rooms, root, own, frozenset(still), frozenset(rings), inside, frozenset(lost)
    )


def one_place(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Make an array whose entries along the first axis share their memory."""
    single = np.empty(shape[1:], dtype)
    return np.lib.stride_tricks.as_strided(single, shape, (0, *single.strides), writeable=True)


Array = NDArray[Any]


class Place(NamedTuple):
    """Block of columns of consecutive parameters in the array of all parameters."""

    start: int  # range of the parameters in the array of all
    stop: int
    width: int  # length of a row; 1 for vectors
    columns: tuple[int, int]

    def of(self, flat: Array) -> Array:
        """Return the block as a matrix."""
        return flat[self.start : self.stop].reshape(-1, self.width)[:, slice(*self.columns)]

    def before(self, other: Place) -> bool:
        """Whether another place continues this one in the same columns."""
        return (self.stop, self.width, self.columns) == (other.start, other.width, other.columns)


class Packing:
    """Position of each parameter in the array of all parameters.

    Attributes
    ----------
    shapes : dict
        The shape of each parameter, by name.
    size : int
        Total number of entries.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], order: Sequence[str]) -> None:
        self.shapes = dict(shapes)
        self._starts: dict[str, int] = {}
        self.size = 0
        for name in order:
            self._starts[name] = self.size
            self.size += math.prod(shapes[name])
        self._widths = {name: math.prod(shape[1:]) for name, shape in self.shapes.items()}

    def views(self, flat: Array) -> dict[str, Array]:
        """Return each parameter as a view of the array of all parameters."""
        return {
            name: flat[self._starts[name] :][: math.prod(shape)].reshape(shape)
            for name, shape in self.shapes.items()
        }

    def start(self, name: str) -> int:
        """Return the position of the first entry of a parameter."""
        return self._starts[name]

    def strides(self, weight: Weight) -> tuple[int, int, int]:
        """Return the position of the first entry of a weight, and the distances of its entries.

        They are the distances of entries in consecutive rows and columns.
        """
        name, columns, transposed, _ = weight
        first = self._starts[name] + (columns[0] if columns else 0)
        return (first, 1, self._widths[name]) if transposed else (first, self._widths[name], 1)

    def place(self, weight: Weight) -> Place:
        """Return the position of a weight."""
        shape, start = self.shapes[weight.name], self._starts[weight.name]
        width = math.prod(shape[1:])
        return Place(start, start + math.prod(shape), width, weight.columns or (0, width))


def packing_of(
    shapes: Mapping[str, tuple[int, ...]], values: Iterable[Value], lanes: Lanes
) -> Packing:
    """Order parameters so that those of the lanes of a stack are consecutive."""
    owner = {weight.name: value.vertex for value in values for weight in value.weights}
    at: dict[int, list[str]] = {}
    for name in shapes:
        if name in owner:
            at.setdefault(owner[name], []).append(name)

    def key(name: str) -> tuple[Any, ...]:
        vertex = owner.get(name, -1)
        if vertex not in lanes:
            return (vertex, -1, (), 0)
        stack, lane = lanes[vertex]
        return (stack, at[vertex].index(name), shapes[name][1:], lane)

    return Packing(shapes, sorted(shapes, key=key))


class Pick:
    """Parameters that are written to places of an array as long as this object exists."""

    def __init__(self, numbers: NDArray[np.int64], out: Array, at: Any) -> None:
        self.numbers, self.out, self.at = numbers, out, at

    def fill(self, flat: Array) -> None:
        """Write the parameters."""
        self.out[self.at] = flat[self.numbers]


class Weights:
    """Parameters of a run, in the layouts that its calls use.

    `refresh` fills the layouts in place, so that calls can be bound to them.

    Attributes
    ----------
    packing : Packing
        Positions of the parameters.
    flat : ndarray
        All parameters.
    parameters : dict
        Each parameter, by name.
    """

    def __init__(self, packing: Packing, flat: Array) -> None:
        self.packing, self.flat = packing, flat.copy()
        self.parameters = packing.views(self.flat)
        self._layouts: dict[tuple[str, tuple[Weight, ...]], Array] = {}
        self._copies: list[tuple[Array, Array, Any]] = []
        self._picks: WeakSet[Pick] = WeakSet()

    def picked(self, numbers: NDArray[np.int64], out: Array, at: Any = ...) -> Pick:
        """Write some parameters to places of an array, now and after each change."""
        pick = Pick(numbers, out, at)
        pick.fill(self.flat)
        self._picks.add(pick)
        return pick

    def refresh(self, flat: Array) -> None:
        """Copy changed parameters into the layouts."""
        np.copyto(self.flat, flat)
        for layout, block, scale in self._copies:
            np.multiply(block, scale, layout)
        for pick in self._picks:
            pick.fill(flat)

    def are(self, flat: Array) -> bool:
        """Whether the parameters equal these, bit for bit."""
        return flat.tobytes() == self.flat.tobytes()

    def layout(self, kind: str, weights: tuple[Weight, ...]) -> Array:
        """Return some weights as one array; for products, as the right factor."""
        whole = len(weights) == 1 and weights[0].scale == 1
        if whole and kind not in {"product", "products"}:
            return self.parameters[weights[0].name]
        if (kind, weights) not in self._layouts:
            self._layouts[kind, weights] = self._filled(kind, weights)
        return self._layouts[kind, weights]

    def _filled(self, kind: str, weights: tuple[Weight, ...]) -> Array:
        """Make a layout, with as few copies as the packing allows."""
        turned = not weights[0].transposed  # rows of the layout are columns of the weight
        runs: list[tuple[Place, list[float]]] = []
        for weight in weights:
            place = self.packing.place(weight)
            scales = [weight.scale] * ((place.stop - place.start) // place.width)
            if runs and runs[-1][0].before(place):
                last, before = runs.pop()
                runs.append((last._replace(stop=place.stop), before + scales))
            else:
                runs.append((place, scales))
        rows = sum(len(scales) for _, scales in runs)
        begin, end = runs[0][0].columns
        layout = np.empty((end - begin, rows) if turned else (rows, end - begin), self.flat.dtype)
        at = 0
        for place, scales in runs:
            end = at + len(scales)
            block = place.of(self.flat)
            part = layout[:, at:end].T if turned else layout[at:end]
            column = np.array(scales, self.flat.dtype)[:, None]
            self._copies.append((part, block, column if np.ptp(column) else column[0, 0]))
            at = end
        for part, block, scale in self._copies[-len(runs) :]:
            np.multiply(block, scale, part)
        return layout[0] if kind == "bias" else layout


LINE = 64  # bytes of a cache line
LARGEST_KEPT = 2**30  # bytes of the arrays that a network keeps for later runs
_B = TypeVar("_B", bound="Binding")


class Lease(Generic[_B]):
    """A binding in use; when the lease is deleted, other runs can use the binding.

    Attributes
    ----------
    weights : Weights
        The parameters to which the calls of the binding are bound.
    free : list
        List of free bindings to which the binding returns.
    under : Lease, optional
        Lease of another binding whose arrays this one needs.
    """

    def __init__(
        self, binding: _B, weights: Weights, free: list[Any], under: Lease[Any] | None = None
    ) -> None:
        self.binding, self.weights, self.free, self.under = binding, weights, free, under

    def __del__(self) -> None:
        if not self.free and self.binding.size() <= LARGEST_KEPT:
            self.free.append((self.binding, self.weights))


def fits(lists: Iterable[list[tuple[Binding, Weights]]]) -> bool:
    """Whether free bindings use at most the memory that may be kept."""
    return sum(binding.size() for free in lists for binding, _ in free) <= LARGEST_KEPT


class Binding(Protocol):
    """Storage of values, and their computation."""

    buffers: dict[int, Array]
    batch: int
    gradients: dict[Any, list[Any]]  # free bindings of gradients over this one
    sums: Any  # sums of gradients that are bound to its arrays

    def size(self) -> int:
        """Bytes of its arrays and of the free gradient bindings over it."""

    def another(self) -> Binding:
        """Return a binding that shares the values of this one and can add others."""

    def open(
        self, values: Sequence[Value], chosen: Iterable[int], passing: Passing | None = None
    ) -> None:
        """Allocate arrays for the chosen values, except for transient ones."""

    def lost(self) -> set[int]:
        """Values that have been computed and are not kept."""

    def fill(self, value: int, vertex: int, data: Array) -> None:
        """Write a given value at all copies of its vertex, in the order of the fibre."""

    def compute(self, schedule: Schedule, weights: Weights, sums: Any = None) -> None:
        """Compute the chosen values of a schedule, and gradient sums."""

    def read(self, ref: Ref) -> Array:
        """Values that a reference reads, of shape ``(copies, batch, size)``."""

    def in_order(self, vertex: int, array: Array) -> Array:
        """Sort data that was read at a vertex into the order of its fibre."""

    def outside(
        self, vertex: int, terms: Sequence[Term], side: str, weights: Weights
    ) -> Array | None:
        """Gradient of the values that are read in place of missing copies of a vertex."""

    def place(self, ref: Ref) -> Any:
        """Key that is equal for references that read the same data."""

    def beside(self, values: Sequence[int]) -> list[list[int]]:
        """Group values that are stored in adjacent columns."""

    def pairs(
        self, schedule: Schedule, group: Sequence[int], columns: tuple[int, int], source: Ref | None
    ) -> Sequence[tuple[Array, Array]]:
        """Pairs of gradient columns of a group, transposed, and the rows read with them.

        There is a pair for each block of the schedule. Without a source, the rows are ones. The
        pairs are read again after each computation.
        """


def rows_of(array: Array) -> Array:
    """Reshape to a matrix with a row for each place and member of the batch."""
    return array.reshape(-1, array.shape[-1])


class Readable(Protocol):
    """Stored values that can be read."""

    def read(self, ref: Ref) -> Array:
        """Values that a reference reads, of shape ``(copies, batch, size)``."""


def passed(binding: Readable, term: Term, weights: Weights) -> Array:
    """Return a term of a gradient at all copies, before it is read back through an edge."""
    array = binding.read(Ref(term.ref.value, columns=term.ref.columns))
    if term.weight is None:
        return array
    product: Array = array @ weights.layout("product", (term.weight,))
    return product


class OverSteps(Readable, Protocol):
    """Stored values over a window."""

    graph: DelayGraph
    steps: int
    batch: int
    dtype: Any
    buffers: dict[int, Array]
    before: dict[int, int]  # rows of each output before the window


def outside_window(
    binding: OverSteps, vertex: int, terms: Sequence[Term], side: str, weights: Weights
) -> Array | None:
    """Gradient of an output in the rows before or after the window."""
    before, (places, _, size) = binding.before[vertex], binding.buffers[vertex].shape
    steps = binding.steps
    times = range(-before, 0) if side == "before" else range(steps, places - before)
    if not times:
        return None
    result = np.zeros((len(times), binding.batch, size), binding.dtype)
    for term in terms:
        d = shift_of(binding.graph, term.ref)
        inside = range(max(times.start, -d), min(times.stop, steps - d))
        if inside:
            rows = slice(inside.start - times.start, inside.stop - times.start)
            result[rows] += passed(binding, term, weights)[inside.start + d : inside.stop + d]
    return result


def columns_of(array: Array, ref: Ref) -> Array:
    """Return the columns that a reference reads."""
    return array if ref.columns is None else array[..., slice(*ref.columns)]


def aligned(size: int, dtype: Any) -> Array:
    """Allocate an array that begins at a cache line."""
    whole = np.empty(size * dtype.itemsize + LINE, np.uint8)
    begin = -whole.ctypes.data % LINE
    return whole[begin : begin + size * dtype.itemsize].view(dtype)


def allocated(
    values: Sequence[Value], shapes: Mapping[int, tuple[int, ...]], dtype: Any
) -> dict[int, Array]:
    """Allocate arrays of these shapes in one piece of memory.

    The system allocates one large piece faster than many small ones, because it uses large pages.
    Each array begins at a cache line.
    """
    line = LINE // dtype.itemsize
    sizes = {k: math.prod(shape) for k, shape in shapes.items() if values[k].kind != "indices"}
    ends = np.cumsum([-(-size // line) * line for size in sizes.values()], dtype=int).tolist()
    whole = aligned(ends[-1] if ends else 0, dtype)
    found = {
        k: whole[begin : begin + sizes[k]].reshape(shapes[k])
        for k, begin in zip(sizes, [0, *ends], strict=False)
    }
    integers = {k: np.empty(shapes[k], np.int64) for k in shapes if k not in sizes}
    return found | integers
