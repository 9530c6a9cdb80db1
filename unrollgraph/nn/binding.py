"""Bindings: where the values of a plan are kept, and how they are computed.

A binding gives every value an array of shape ``(places, batch, size)`` and knows how
one value reads another. Kernels always see arrays of shape ``(rows, size)``. There is one
over a window of steps, see `window`, and one over any other graph, see `copies`.

Bindings are leased: what is made for one run serves the next one of the same shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.plan import Program
from unrollgraph.nn.storage import Passing
from unrollgraph.nn.values import Ref, Value
from unrollgraph.nn.weights import Weights

Array = NDArray[Any]
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
