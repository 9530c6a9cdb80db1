"""Storage: which values of a window need no room of their own.

At large sizes a step costs the memory that it moves. Two kinds of values need none:

* a value of a loop that is read in its own step only is *transient*: all steps write it
  in one place, which stays in the nearest cache;
* a value computed for all steps at once that is read once, by a value that goes on from it
  entry by entry, is *overwritten* by that value.

Both are lost when a program has run. What somebody asks for later is computed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.fusion import Lanes, shared, shift_of
from unrollgraph.nn.lowering import ForwardValues, lower_adjoint
from unrollgraph.nn.plan import Bulk, Loop, Program
from unrollgraph.nn.values import Ref, Value

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
