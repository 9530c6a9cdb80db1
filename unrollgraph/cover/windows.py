"""Windows and tori of times: which copy an edge leads to, and which edges a window cuts.

Every lift here has the vertices ``(v, s)`` for v in the base and s in a set of
*sheets*, the same above each vertex; an edge e leads from the sheet s at its tail to
``forward(e, s)`` at its head, or nowhere. That is all such a lift is: how its sheets are
moved by its edges. Three kinds, two of them here:

* `Window`: the sheets are the times in a box of Z^d; an edge adds its delay, and
  leads nowhere if that leaves the box.
* `Torus`: the sheets are the times modulo n (in each axis); an edge adds its delay
  modulo n, and what it carries over is the delay of its copy;
* `unrollgraph.cover.voltages.Permuted`: an edge permutes the sheets.

Times run with the first axis outermost. Axes are folded one after another when
arrays are made: a window of Z^d is a window of Z whose base is a window of Z^(d-1).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import WindowError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import Time, add, as_time, box, integer, leaving

IntArray = NDArray[Any]


class Sheets(Protocol):
    """What a lift needs to know of its sheets."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...

    def find(self, sheet: Any) -> Any:
        """Return a sheet as it is written in a vertex, or None if there is no such sheet."""

    def entering(self, vertex: int, sheet: Any) -> Sequence[int]:
        """Edges into a vertex, in the order of the tails of their copies that enter a sheet.

        This is the order in which a copy of the lift lists predecessors.
        """

    def forward(self, edge: int, sheet: Any) -> Any:
        """Sheet to which an edge leads from a sheet, or None."""

    def backward(self, edge: int, sheet: Any) -> Any:
        """Sheet from which an edge leads to a sheet, or None."""

    def data(self, edge: int, sheet: Any) -> Mapping[Any, Any]:
        """Attributes of the copy of an edge that leaves a sheet."""

    def count(self) -> int:
        """Number of copies of all edges together."""

    def boundary(self, edge: int, side: str) -> Iterator[tuple[Any, Any]]:
        """Sheets, inside and outside, that an edge joins across the boundary."""

    def fold(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> Fold:
        """Copy edges, given by number and sorted by their tails, over all sheets."""

    def residues(self) -> IntArray | None:
        """Delays up to what makes no difference to where an edge leads, shape (m, d).

        None where parallel edges may lead to the same sheet from some sheets only.
        """


@dataclass(frozen=True)
class Window:
    """A box of times: one range for each axis of Z^d."""

    graph: DelayGraph
    axes: tuple[range, ...]

    def __len__(self) -> int:
        return math.prod(map(len, self.axes))

    def __iter__(self) -> Iterator[Time]:
        return iter(self.axes[0]) if len(self.axes) == 1 else box(self.axes)

    def find(self, sheet: Time) -> Time | None:
        time = as_time(sheet, len(self.axes))
        return time if time is not None and self._holds(time) else None

    @cached_property
    def _in_numbers(self) -> tuple[tuple[int, ...], ...]:
        """Edges into each vertex by the time and the number of the tail, the same from any time."""
        tails, delays = self.graph.tails.tolist(), self.graph.delays.tolist()

        def place(e: int) -> tuple[list[int], int]:
            return [-d for d in delays[e]], tails[e]

        return tuple(tuple(sorted(own, key=place)) for own in self.graph.in_numbers)

    def entering(self, vertex: int, sheet: Time) -> Sequence[int]:  # noqa: ARG002
        return self._in_numbers[vertex]

    def _holds(self, time: Time) -> bool:
        if len(self.axes) == 1:
            return time in self.axes[0]
        return all(t in axis for t, axis in zip(time, self.axes, strict=True))

    def forward(self, edge: int, sheet: Time) -> Time | None:
        time = add(sheet, self.graph.times[edge], 1)
        return time if self._holds(time) else None

    def backward(self, edge: int, sheet: Time) -> Time | None:
        time = add(sheet, self.graph.times[edge], -1)
        return time if self._holds(time) else None

    def data(self, edge: int, sheet: Time) -> FrozenDict:  # noqa: ARG002
        return self.graph.edge_data[edge]

    def count(self) -> int:
        lengths = [len(axis) for axis in self.axes]
        sizes = np.maximum(0, lengths - np.abs(self.graph.delays))
        exact = np.int64 if len(self) * len(self.graph.edges) < 2**62 else object
        return int(sizes.astype(exact).prod(axis=1).sum())

    def boundary(self, edge: int, side: str) -> Iterator[tuple[Time, Time]]:
        """Pairs (inside, outside) in the order of the times inside."""
        sign = -1 if side == "in" else 1
        step = [sign * d for d in self.graph.delays[edge].tolist()]
        for inside in leaving(self.axes, step):
            yield (
                inside if len(step) > 1 else inside[0],
                add(inside, step, 1) if len(step) > 1 else inside[0] + step[0],
            )

    def fold(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> Fold:
        lengths = [len(axis) for axis in self.axes]
        fits = np.all(np.abs(self.graph.delays[edges]) < lengths, axis=1)
        fold = stack(self.graph, edges[fits], [column[fits] for column in columns], dtype)
        for length in reversed(lengths):
            fold = fold_window(fold, length)
        return fold

    def residues(self) -> IntArray:
        return self.graph.delays


@dataclass(frozen=True)
class Torus:
    """Times modulo n, one modulus for each axis of Z^d."""

    graph: DelayGraph
    moduli: tuple[int, ...]

    def __len__(self) -> int:
        return math.prod(self.moduli)

    def __iter__(self) -> Iterator[Time]:
        axes = [range(n) for n in self.moduli]
        return iter(axes[0]) if len(axes) == 1 else box(axes)

    def find(self, sheet: Time) -> Time | None:
        time = as_time(sheet, len(self.moduli))
        if time is None:
            return None
        parts = (time,) if len(self.moduli) == 1 else time
        return time if all(0 <= t < n for t, n in zip(parts, self.moduli, strict=True)) else None

    def entering(self, vertex: int, sheet: Time) -> Sequence[int]:
        tails = self.graph.tails
        edges = self.graph.in_numbers[vertex]
        return sorted(edges, key=lambda e: (self.backward(e, sheet), tails[e]))

    def _split(self, edge: int, sheet: Time, sign: int) -> tuple[Time, Time]:
        """Quotient and remainder of the time that an edge leads to."""
        time, d = add(sheet, self.graph.times[edge], sign), len(self.moduli)
        pairs = [
            divmod(t, n) for t, n in zip((time,) if d == 1 else time, self.moduli, strict=True)
        ]
        carried, rest = zip(*pairs, strict=True)
        return (carried[0], rest[0]) if d == 1 else (carried, rest)

    def forward(self, edge: int, sheet: Time) -> Time:
        return self._split(edge, sheet, 1)[1]

    def backward(self, edge: int, sheet: Time) -> Time:
        return self._split(edge, sheet, -1)[1]

    def data(self, edge: int, sheet: Time) -> FrozenDict:
        carried = self._split(edge, sheet, 1)[0]
        return FrozenDict({**self.graph.edge_data[edge], self.graph.delay_name: carried})

    def count(self) -> int:
        return len(self) * len(self.graph.edges)

    def boundary(self, edge: int, side: str) -> Iterator[tuple[Time, Time]]:  # noqa: ARG002
        return iter(())

    def fold(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> Fold:
        fold = stack(self.graph, edges, columns, dtype)
        for modulus in reversed(self.moduli):
            fold = fold_torus(fold, modulus)
        return fold

    def residues(self) -> IntArray:
        return np.mod(self.graph.delays, np.array(self.moduli, dtype=np.int64))


# -- reading windows and moduli --------------------------------------------------


def as_window(graph: DelayGraph, window: Any) -> Window:
    """Read a window: a range, an int n for ``range(n)``, or a tuple of those per axis."""
    d = graph.dimension
    parts = window if isinstance(window, tuple) else (window,)
    if len(parts) != d:
        raise WindowError(
            f"the window {window!r} has {len(parts)} {'axis' if len(parts) == 1 else 'axes'}, but "
            f"the delays are in Z^{d}; "
            f"give {'one range' if d == 1 else f'a tuple of {d} ranges'}",
            window=window,
        )
    axes = tuple(_as_range(part, window) for part in parts)
    _check_countable(graph, [axis.stop - axis.start for axis in axes], window)
    return Window(graph, axes)


def _as_range(part: Any, window: Any) -> range:
    if isinstance(part, range):
        axis = part
    else:
        try:
            axis = range(integer(part))
        except TypeError:
            raise WindowError(
                f"the window {window!r} is made of {type(part).__name__}; each axis is a range, "
                "or an int n for range(n)",
                window=window,
            ) from None
    if axis.step != 1 or axis.stop <= axis.start:
        raise WindowError(
            f"the window {window!r} {'has gaps' if axis.step != 1 and axis else 'is empty'}; "
            "each axis is a "
            "non-empty range of step 1, such as range(-2, 6)",
            window=window,
        )
    return axis


def as_torus(graph: DelayGraph, n: Any) -> Torus:
    """Read the moduli of a cyclic cover: a positive int, or a tuple of them per axis."""
    d = graph.dimension
    parts = n if isinstance(n, tuple) else (n,)
    try:
        moduli = tuple(integer(part) for part in parts)
    except TypeError:
        moduli = ()
    if len(moduli) != d or any(modulus < 1 for modulus in moduli):
        wanted = "a positive integer" if d == 1 else f"a tuple of {d} positive integers"
        raise WindowError(f"the number of sheets is {n!r}, but it must be {wanted}", window=n)
    _check_countable(graph, moduli, n)
    return Torus(graph, moduli)


def _check_countable(graph: DelayGraph, lengths: Sequence[int], given: Any) -> None:
    """Python counts no more things than ``sys.maxsize``."""
    size = math.prod(lengths) * max(1, len(graph.vertices))
    if size > sys.maxsize:
        raise WindowError(
            f"{given!r} makes {size} vertices, more than can be counted; take fewer, or ask "
            "DelayCover about single ones",
            window=given,
        )


# -- arrays ----------------------------------------------------------------------


@dataclass(frozen=True)
class Fold:
    """Copies of edges as arrays, sorted by their tails.

    ``starts`` has the form of a CSR row pointer. Each of ``columns`` holds one number
    per copy, the same for all copies of an edge.
    """

    starts: IntArray
    heads: IntArray
    columns: list[IntArray]


def stack(graph: DelayGraph, edges: IntArray, columns: list[IntArray], dtype: Any) -> Fold:
    """Start a fold: the edges above a single sheet, their delays as the last columns."""
    starts = np.zeros(len(graph.vertices) + 1, dtype=dtype)
    np.cumsum(np.bincount(graph.tails[edges], minlength=len(starts) - 1), out=starts[1:])
    delays = graph.delays[edges]
    axes = [delays[:, axis] for axis in range(graph.dimension)]
    return Fold(starts, graph.heads[edges].astype(dtype), [*columns, *axes])


def fold_window(fold: Fold, length: int) -> Fold:
    """Unroll along one axis, by the delays in the last column.

    Which edges end inside changes only at the times ``-delay`` and ``length - delay``.
    Between two of them the blocks of the steps are the same up to a constant, so one
    block is made and climbed like a staircase. No edge may be longer than the window.
    """
    n = len(fold.starts) - 1
    *columns, delay = fold.columns
    shifted = fold.heads + (delay * n).astype(fold.heads.dtype)
    total = int((length - np.abs(delay)).sum())
    starts = np.empty(n * length + 1, dtype=fold.starts.dtype)
    heads = np.empty(total, dtype=fold.heads.dtype)
    copies = [np.empty(total, dtype=column.dtype) for column in columns]
    starts[0] = at = 0
    cuts = np.unique(np.clip(np.concatenate(([0, length], -delay, length - delay)), 0, length))
    for begin, end in pairwise(cuts.tolist()):
        inside = np.flatnonzero((begin + delay >= 0) & (begin + delay < length))
        size, rows = len(inside), end - begin
        block = slice(at, at + rows * size)
        ends = np.searchsorted(inside, fold.starts[1:]).astype(fold.starts.dtype)
        climb(ends, at, size, rows, starts[1 + begin * n : 1 + end * n])
        climb(shifted[inside], begin * n, n, rows, heads[block])
        for column, copy in zip(columns, copies, strict=True):
            climb(column[inside], 0, 0, rows, copy[block])
        at += rows * size
    return Fold(starts, heads, copies)


def fold_torus(fold: Fold, modulus: int) -> Fold:
    """Wrap along one axis, by the delays in the last column."""
    n, m = len(fold.starts) - 1, len(fold.heads)
    *columns, delay = fold.columns
    heads = fold.heads + (np.arange(modulus)[:, None] + delay) % modulus * n
    starts = np.zeros(n * modulus + 1, dtype=fold.starts.dtype)
    climb(fold.starts[1:], 0, m, modulus, starts[1:])
    return Fold(
        starts,
        heads.ravel().astype(fold.heads.dtype),
        [np.tile(column, modulus) for column in columns],
    )


def climb(pattern: IntArray, base: int, rise: int, rows: int, out: IntArray) -> None:
    """Write ``pattern + base + i * rise`` for i < rows, one after another.

    A short pattern is first doubled until it fills a few pages, so that the inner
    loops are long and their source stays in the cache.
    """
    size = len(pattern)
    if not size:
        return
    np.add(pattern, base, out=out[:size])
    done = 1
    while done * size < 8192 and 2 * done <= rows:
        np.add(out[: done * size], done * rise, out=out[done * size : 2 * done * size])
        done *= 2
    whole = rows // done
    grid = out[: whole * done * size].reshape(whole, done * size)
    steps = np.arange(1, whole, dtype=out.dtype) * (done * rise)
    np.add(grid[0], steps[:, None], out=grid[1:])
    rest = (rows - whole * done) * size
    np.add(grid[0, :rest], whole * done * rise, out=out[whole * done * size :])
