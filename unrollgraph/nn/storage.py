"""Storage: which values of a window need no room of their own.

At large sizes a step costs the memory that it moves. Two kinds of values need none:

* a value of a loop that is read in its own step only is *transient*: all steps write it
  in one place, which stays in the nearest cache;
* a value computed for all steps at once that is read once, by a value that goes on from it
  entry by entry, is *overwritten* by that value.

Both are lost when a program has run. What somebody asks for later is computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.fusion import shift_of
from unrollgraph.nn.lowering import ForwardValues, lower_adjoint
from unrollgraph.nn.plan import Bulk, Loop, Program
from unrollgraph.nn.values import Ref

__all__ = [
    "Passing",
    "brief",
    "kept_for_gradients",
    "one_place",
    "overwritten",
    "passing",
    "transient",
]

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
    return Passing(frozenset(found), {})


class Passing(NamedTuple):
    """The values of a program that need no room of their own.

    Attributes
    ----------
    transient : frozenset of int
        Those read in their own step only.
    overwritten : dict
        Which value each value takes the place of.
    """

    transient: frozenset[int]
    overwritten: dict[int, int]

    def over(
        self, groups: list[list[int]], shapes: Mapping[int, tuple[int, ...]]
    ) -> dict[int, int]:
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


def passing(program: Program, kept: frozenset[int]) -> Passing:
    """Find the values of a program that need no room of their own."""
    return Passing(transient(program, kept), overwritten(program, kept))


def one_place(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Make an array whose entries along the first axis are all kept in one place."""
    single = np.empty(shape[1:], dtype)
    return np.lib.stride_tricks.as_strided(single, shape, (0, *single.strides), writeable=True)
