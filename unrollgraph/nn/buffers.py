"""The arrays of values and of parameters: which are shared, and how one value reads another.

At large sizes a step costs the memory that it moves. Two kinds of values need none:

* a value of a loop that is read in its own step only is *transient*: all steps write it
  in one place, which stays in the nearest cache;
* a value computed for all steps at once that is read once, by a value that goes on from it
  entry by entry, is *overwritten* by that value.

Both are lost when a program has run. What somebody asks for later is computed again.

A *binding* gives every value an array of shape ``(places, batch, size)`` and knows how
one value reads another. Kernels always see arrays of shape ``(rows, size)``. There is one
over a window of steps, see `executors.window`, and one over any other
graph, see `executors.graph`.

Bindings are leased: what is made for one run serves the next one of the same shape.

All parameters lie in one array, in the layouts that steps use. Parameters of the lanes of a stack
(see `compiler`) that have the same shape but for their
rows are *packed*: they stand below each other, so that together they are one matrix.
What is done with all of them, such as taking them over, transposing them, or writing
their gradient, is then one call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.compiler import Lanes, shared, shift_of
from unrollgraph.nn.execution_order import Bulk, Loop, Program
from unrollgraph.nn.lowering import ForwardValues, lower_adjoint
from unrollgraph.nn.program import Ref, Value, Weight

# kernels that may write over what they read
IN_PLACE = frozenset(
    ["bias", "add", "multiply", "negative", "complement", "tanh", "sigmoid", "relu"]
)


def kept_for_gradients(forward: ForwardValues) -> frozenset[int]:
    """Forward values that are asked for later: outputs, and what their gradient reads."""
    count = len(forward.values)
    adjoint = lower_adjoint(forward, frozenset(range(forward.vertices)))
    reads = {ref.value for value in adjoint.values[count:] for ref in value.args}
    for y, _ in adjoint.uses:
        value = forward.values[y]
        if value.kind != "bias":  # whose gradient needs no source
            reads.update(ref.value for ref in value.args)
        if value.kind == "opaque":
            reads.add(y)
    return frozenset(range(forward.vertices)) | {k for k in reads if k < count}


def transient(program: Program, kept: frozenset[int]) -> frozenset[int]:
    """Values of loops that are read in their own step only."""
    clock: dict[int, tuple[int, int]] = {}
    for number, part in enumerate(program.steps):
        if isinstance(part, Loop):
            clock |= {k: (number, c) for k, c in zip(part.values, part.clocks, strict=True)}
    found = set(clock) - kept
    for k in program.chosen:
        for ref in program.values[k].args:
            here = clock.get(ref.value)
            if here and (clock.get(k) != here or shift_of(program.graph, ref)):
                found.discard(ref.value)
    return frozenset(found)


def overwritten(program: Program, kept: frozenset[int]) -> dict[int, int]:
    """Values computed in bulk that take the place of one that they read, which is given."""
    bulk = {part.value for part in program.steps if isinstance(part, Bulk)}
    readers: dict[int, int] = {}
    for k in program.chosen:
        for ref in program.values[k].args:
            readers[ref.value] = readers.get(ref.value, 0) + 1
    places: dict[int, int] = {}
    for k in sorted(bulk):
        value = program.values[k]
        if value.kind not in IN_PLACE:
            continue
        for ref in value.args:
            free = ref.value in bulk and ref.value not in kept and readers[ref.value] == 1
            whole = ref == Ref(ref.value) and program.values[ref.value].size == value.size
            if free and whole:
                places[k] = ref.value
                break
    for k in bulk:
        value = program.values[k]
        if value.kind == "unit" and value.args[0].value in places:  # it stands where that stands
            places[k] = places.pop(value.args[0].value)
    return places


def brief(program: Program, kept: frozenset[int]) -> Passing:
    """Find the values that need no room over a graph that is no window.

    They are read at their own copy only, by values that are computed with them.
    """
    part = {k: number for number, p in enumerate(program.parts) for ks in p.at.values() for k in ks}
    found = set(part) - kept
    for k in program.chosen:
        for ref in program.values[k].args:
            if ref.edge is not None or part.get(ref.value) != part[k]:
                found.discard(ref.value)
    return Passing(frozenset(found), {}, frozenset())


class Passing(NamedTuple):
    """The values of a program that need no room of their own.

    Attributes
    ----------
    transient : frozenset of int
        Those read in their own step only.
    overwritten : dict
        Which value each value takes the place of.
    rings : frozenset of int
        Those that need room for one block of steps only.
    """

    transient: frozenset[int]
    overwritten: dict[int, int]
    rings: frozenset[int]

    def over(self, groups: list[list[int]], shapes: Mapping[int, Room]) -> dict[int, int]:
        """Which array each array takes the place of, by their first values.

        One does if each of its values takes the place of the value in the same columns
        of the other.
        """
        whole = {tuple(group): group[0] for group in groups}
        found = {}
        for group in groups:
            under = tuple(self.overwritten.get(k, -1) for k in group)
            if under in whole and shapes[whole[under]] == shapes[group[0]]:
                found[group[0]] = whole[under]
        return found


def passing(program: Program, kept: frozenset[int], whole: frozenset[int]) -> Passing:
    """Find the values of a program that need no room of their own.

    Those that are kept are read when all is computed; of these, the whole ones at all
    steps at once, the others block by block.
    """
    rings = frozenset(program.chosen) - whole if _goes_one_way(program) else frozenset()
    return Passing(transient(program, kept), overwritten(program, kept), rings)


def _goes_one_way(program: Program) -> bool:
    """Whether a program can be computed block by block of steps, one after another.

    Then it reads nothing of itself that is computed later, so that its loops go that way
    and need no clocks.
    """
    sign = -1 if program.back else 1
    own = set(program.chosen)
    return all(
        ref.value not in own or sign * shift_of(program.graph, ref) <= 0
        for k in own
        for ref in program.values[k].args
    )


NOTHING_PASSES = Passing(frozenset(), {}, frozenset())


class Room(NamedTuple):
    """An array of some values: rows before and after the steps, and columns."""

    before: int
    after: int
    width: int


class Arrangement(NamedTuple):
    """Which values share arrays, and what these are like.

    Attributes
    ----------
    groups : dict
        Values that stand beside each other, by the first of them.
    rooms : dict
        For each value, how many rows before and after the steps are read.
    root : dict
        Whose array each group has: its own, or that of a group that it overwrites.
    arrays : dict
        What the arrays are like.
    still : frozenset of int
        Arrays all of whose steps are in one place.
    rings : frozenset of int
        Arrays that may have room for one block of steps only.
    inside : dict
        Values written in the place of another, their unit.
    lost : frozenset of int
        Values that are not there any more when all is computed, whatever the rings.
    """

    groups: dict[int, list[int]]
    rooms: dict[int, tuple[int, int]]
    root: dict[int, int]
    arrays: dict[int, Room]
    still: frozenset[int]
    rings: frozenset[int]
    inside: dict[int, int]
    lost: frozenset[int]


def arranged(
    graph: DelayGraph,
    values: Sequence[Value],
    chosen: Sequence[int],
    lanes: Lanes,
    passing: Passing,
) -> Arrangement:
    """Arrange the chosen values in arrays over a window."""
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
    """Make an array whose entries along the first axis are all kept in one place."""
    single = np.empty(shape[1:], dtype)
    return np.lib.stride_tricks.as_strided(single, shape, (0, *single.strides), writeable=True)


Array = NDArray[Any]


class Place(NamedTuple):
    """A block of some columns of parameters below each other, in the array of all.

    Attributes
    ----------
    start, stop : int
        Where their rows begin and end.
    width : int
        Length of a row; 1 for vectors.
    columns : (int, int)
        Those of the block.
    """

    start: int
    stop: int
    width: int
    columns: tuple[int, int]

    def of(self, flat: Array) -> Array:
        """The block, of two axes."""
        return flat[self.start : self.stop].reshape(-1, self.width)[:, slice(*self.columns)]

    def before(self, other: Place) -> bool:
        """Whether another goes on where this one ends, in the same columns."""
        return (self.stop, self.width, self.columns) == (other.start, other.width, other.columns)


class Packing:
    """Where each parameter stands in the array of all.

    Attributes
    ----------
    shapes : dict
        The shape of each parameter, by name.
    size : int
        Number of entries of all.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], order: Sequence[str]) -> None:
        self.shapes = dict(shapes)
        self._starts: dict[str, int] = {}
        self.size = 0
        for name in order:
            self._starts[name] = self.size
            self.size += math.prod(shapes[name])

    def views(self, flat: Array) -> dict[str, Array]:
        """Each parameter as a part of an array of all."""
        return {
            name: flat[self._starts[name] :][: math.prod(shape)].reshape(shape)
            for name, shape in self.shapes.items()
        }

    def place(self, weight: Weight) -> Place:
        """Where a weight stands."""
        shape, start = self.shapes[weight.name], self._starts[weight.name]
        width = math.prod(shape[1:])
        return Place(start, start + math.prod(shape), width, weight.columns or (0, width))


def packing_of(
    shapes: Mapping[str, tuple[int, ...]], values: Iterable[Value], lanes: Lanes
) -> Packing:
    """Order parameters so that those of the lanes of a stack stand below each other."""
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


class Weights:
    """The parameters as a run found them, in the layouts that steps use.

    Layouts stay where they are, so that calls can be bound to them; `refresh` fills
    them anew.

    Attributes
    ----------
    packing : Packing
        Where each stands.
    flat : ndarray
        All of them.
    parameters : dict
        Each, by name.
    """

    def __init__(self, packing: Packing, flat: Array) -> None:
        self.packing, self.flat = packing, flat.copy()
        self.parameters = packing.views(self.flat)
        self._layouts: dict[tuple[str, tuple[Weight, ...]], Array] = {}
        self._copies: list[tuple[Array, Array, Any]] = []

    def refresh(self, flat: Array) -> None:
        """Take over parameters that have changed."""
        np.copyto(self.flat, flat)
        for layout, block, scale in self._copies:
            np.multiply(block, scale, layout)

    def are(self, flat: Array) -> bool:
        """Whether parameters are these, bit by bit."""
        return flat.tobytes() == self.flat.tobytes()

    def layout(self, kind: str, weights: tuple[Weight, ...]) -> Array:
        """The array of some weights beside each other; for products the factor on the right."""
        whole = len(weights) == 1 and weights[0].scale == 1
        if whole and kind not in {"product", "products"}:
            return self.parameters[weights[0].name]
        if (kind, weights) not in self._layouts:
            self._layouts[kind, weights] = self._filled(kind, weights)
        return self._layouts[kind, weights]

    def _filled(self, kind: str, weights: tuple[Weight, ...]) -> Array:
        """Make a layout, with as few copies as the packing allows."""
        turned = not weights[0].transposed  # a row of it is a column of the weight
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


LINE = 64  # bytes of a line of the cache
LARGEST_KEPT = 2**30  # bytes of the rooms that a network keeps for its next runs
_B = TypeVar("_B", bound="Binding")


class Lease(Generic[_B]):
    """A binding in use; it is free for another run when nobody holds the lease any more.

    Attributes
    ----------
    binding : Binding
        The binding.
    weights : Weights
        The parameters to which its calls are bound.
    free : list
        Where it goes.
    under : Lease, optional
        Another, without whose arrays this one is of no use.
    """

    def __init__(
        self, binding: _B, weights: Weights, free: list[Any], under: Lease[Any] | None = None
    ) -> None:
        self.binding, self.weights, self.free, self.under = binding, weights, free, under

    def __del__(self) -> None:
        if not self.free and self.binding.size() <= LARGEST_KEPT:
            self.free.append((self.binding, self.weights))


def fits(lists: Iterable[list[tuple[Binding, Weights]]]) -> bool:
    """Whether free bindings take no more memory than may be kept."""
    return sum(binding.size() for free in lists for binding, _ in free) <= LARGEST_KEPT


class Binding(Protocol):
    """Where values are kept, and how they are computed."""

    buffers: dict[int, Array]
    batch: int
    gradients: dict[Any, list[Any]]  # bindings over this one that are free
    sums: Any  # of gradients, once they are bound to its arrays

    def size(self) -> int:
        """Bytes of the arrays made for it, and for the gradients that are free over it."""

    def another(self) -> Binding:
        """Return a binding that sees the values of this one and adds its own."""

    def open(
        self, values: Sequence[Value], chosen: Iterable[int], passing: Passing | None = None
    ) -> None:
        """Make room for the chosen values, but for those that only pass."""

    def lost(self) -> set[int]:
        """Values that have been computed and are not kept."""

    def fill(self, value: int, vertex: int, data: Array) -> None:
        """Write the whole of a value at a vertex that is given from outside, in the order there."""

    def compute(self, program: Program, weights: Weights, sums: Any = None) -> None:
        """Compute the chosen values of a program, of which the others are there, and sums."""

    def read(self, ref: Ref) -> Array:
        """What a reference reads at all copies, of shape ``(copies, batch, size)``."""

    def in_order(self, vertex: int, array: Array) -> Array:
        """What was read at a vertex, in the order of its fibre."""

    def outside(self, vertex: int, refs: Sequence[Ref], side: str) -> Array | None:
        """Gradient of what is read from outside at a vertex, of what its readers pass back."""

    def place(self, ref: Ref) -> Any:
        """What two references have in common if they read the same."""

    def beside(self, values: Sequence[int]) -> list[list[int]]:
        """Group values that stand beside each other."""

    def pairs(
        self, program: Program, group: Sequence[int], columns: tuple[int, int], source: Ref | None
    ) -> Sequence[tuple[Array, Array]]:
        """Some columns of a group of values, turned, and the rows that were read with them.

        In pieces, as a program computes them; without a source, a column of ones. Is gone
        through again whenever all is computed anew.
        """


def rows_of(array: Array) -> Array:
    """All places and members of the batch below each other."""
    return array.reshape(-1, array.shape[-1])


def columns_of(array: Array, ref: Ref) -> Array:
    """The columns that a reference reads."""
    return array if ref.columns is None else array[..., slice(*ref.columns)]


def aligned(size: int, dtype: Any) -> Array:
    """Memory for so many entries, beginning with a line of the cache."""
    whole = np.empty(size * dtype.itemsize + LINE, np.uint8)
    begin = -whole.ctypes.data % LINE
    return whole[begin : begin + size * dtype.itemsize].view(dtype)


def allocated(
    values: Sequence[Value], shapes: Mapping[int, tuple[int, ...]], dtype: Any
) -> dict[int, Array]:
    """Arrays of these shapes, cut from one piece of memory.

    A single large piece is given out in large pages, which are much quicker to get. Each
    array begins with a line of the cache.
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
