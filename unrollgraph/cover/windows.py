"""Sheets of lifts: where each edge leads, boundaries, and edges as arrays.

An implicit lift has the vertices ``(v, s)`` for v in the base graph and s in a set of *sheets*. An
edge e leads from the sheet s at its tail to the sheet ``forward(e, s)`` at its head; if that is
None, it has no copy there. Times are in lexicographic order. Arrays are built one axis after
another, since a window of Z^d is a window of Z whose base graph is a window of Z^(d-1).

* `Window`: the times in a box of Z^d, or in all of Z^d (`AllTimes`). An edge adds its delay.
* `Torus`: times modulo n on each axis. The quotient by n is the delay of the copy of the edge.
* `unrollgraph.cover.voltages.Permuted`: an edge permutes the sheets.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NoReturn, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import InfiniteCoverError, WindowError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import Time, add, as_time, box, integer, leaving

IntArray = NDArray[Any]
WindowLike: TypeAlias = int | range | tuple[int | range, ...]


class Sheets(Protocol):
    """Interface of the sheets of an implicit lift."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...

    def find(self, sheet: Any) -> Any:
        """Return a sheet as vertices contain it, or None if there is no such sheet."""

    def entering(self, vertex: int, sheet: Any) -> Sequence[int]:
        """Edges into a vertex, in the order of their tails in a copy of the lift."""

    def forward(self, edge: int, sheet: Any) -> Any:
        """Sheet of the head of an edge whose tail is in a sheet, or None."""

    def backward(self, edge: int, sheet: Any) -> Any:
        """Sheet of the tail of an edge whose head is in a sheet, or None."""

    def data(self, edge: int, sheet: Any) -> Mapping[Any, Any]:
        """Attributes of the copy of an edge whose tail is in a sheet."""

    def count(self) -> int:
        """Number of edges of the lift."""

    def boundary(self, edge: int, side: str) -> Iterator[tuple[Any, Any]]:
        """Pairs (inside, outside) of sheets that an edge joins across the boundary."""

    def blocks(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> EdgeBlocks:
        """Copies of edges over all sheets; the edge numbers are sorted by tails."""

    def residues(self) -> IntArray | None:
        """Residues of the delays that determine where edges lead, shape (m, d), or None."""


@dataclass(frozen=True)
class AllTimes:
    """All times of Z^d: the sheets of the delay cover."""

    graph: DelayGraph

    def __len__(self) -> int:
        return self.refuse()

    def __iter__(self) -> Iterator[Time]:
        return self.refuse()

    def refuse(self) -> NoReturn:
        """Raise the error of operations on all vertices."""
        raise InfiniteCoverError(
            "the delay cover is infinite; take a finite part of it with "
            "unrollgraph.unroll(G, window)"
        )

    def find(self, sheet: Time) -> Time | None:
        time = as_time(sheet, self.graph.dimension)
        return time if time is not None and self._holds(time) else None

    @cached_property
    def _in_numbers(self) -> tuple[tuple[int, ...], ...]:
        """Edges into each vertex, sorted by the time and the number of the tail."""
        tails, delays = self.graph.tails.tolist(), self.graph.delays.tolist()

        def place(e: int) -> tuple[list[int], int]:
            return [-d for d in delays[e]], tails[e]

        return tuple(tuple(sorted(own, key=place)) for own in self.graph.in_numbers)

    def entering(self, vertex: int, sheet: Time) -> Sequence[int]:  # noqa: ARG002
        return self._in_numbers[vertex]

    def _holds(self, time: Time) -> bool:  # noqa: ARG002
        return True

    def forward(self, edge: int, sheet: Time) -> Time | None:
        time = add(sheet, self.graph.times[edge], 1)
        return time if self._holds(time) else None

    def backward(self, edge: int, sheet: Time) -> Time | None:
        time = add(sheet, self.graph.times[edge], -1)
        return time if self._holds(time) else None

    def data(self, edge: int, sheet: Time) -> FrozenDict:  # noqa: ARG002
        return self.graph.edge_data[edge]

    def count(self) -> int:
        return self.refuse()

    def boundary(self, edge: int, side: str) -> Iterator[tuple[Time, Time]]:  # noqa: ARG002
        return iter(())

    def blocks(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> EdgeBlocks:  # noqa: ARG002
        return self.refuse()

    def residues(self) -> IntArray:
        return self.graph.delays


@dataclass(frozen=True)
class Window(AllTimes):
    """The times in a box: one range for each axis of Z^d."""

    axes: tuple[range, ...]

    def __len__(self) -> int:
        return math.prod(map(len, self.axes))

    def __iter__(self) -> Iterator[Time]:
        return iter(self.axes[0]) if len(self.axes) == 1 else box(self.axes)

    def _holds(self, time: Time) -> bool:
        if len(self.axes) == 1:
            return time in self.axes[0]
        return all(t in axis for t, axis in zip(time, self.axes, strict=True))

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

    def blocks(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> EdgeBlocks:
        lengths = [len(axis) for axis in self.axes]
        fits = np.all(np.abs(self.graph.delays[edges]) < lengths, axis=1)
        blocks = one_sheet(self.graph, edges[fits], [column[fits] for column in columns], dtype)
        for length in reversed(lengths):
            blocks = unroll_axis(blocks, length)
        return blocks


@dataclass(frozen=True)
class Torus:
    """Times modulo n, with one modulus for each axis of Z^d."""

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
        """Quotient and remainder of the time at the other end of an edge."""
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

    def blocks(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> EdgeBlocks:
        blocks = one_sheet(self.graph, edges, columns, dtype)
        for modulus in reversed(self.moduli):
            blocks = wrap_axis(blocks, modulus)
        return blocks

    def residues(self) -> IntArray:
        return np.mod(self.graph.delays, np.array(self.moduli, dtype=np.int64))


# -- conversion of windows and moduli --------------------------------------------


def as_window(graph: DelayGraph, window: Any) -> Window:
    """Convert a range, an int n for ``range(n)``, or a tuple of them to a `Window`."""
    d = graph.dimension
    parts = window if isinstance(window, tuple) else (window,)
    if len(parts) != d:
        raise WindowError(
            f"invalid window {window!r}: it has {len(parts)} "
            f"{'axis' if len(parts) == 1 else 'axes'}, but the delays are in Z^{d}; "
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
                f"invalid window {window!r}: an axis is of type {type(part).__name__}; each axis "
                "must be a range, or an int n for range(n)",
                window=window,
            ) from None
    if axis.step != 1 or axis.stop <= axis.start:
        raise WindowError(
            f"invalid window {window!r}: "
            f"{'its step is not 1' if axis.step != 1 and axis else 'it is empty'}; each axis must "
            "be a positive int, or a non-empty range of step 1 such as range(-2, 6)",
            window=window,
        )
    return axis


def as_torus(graph: DelayGraph, n: Any) -> Torus:
    """Convert a positive int, or a tuple with one for each axis, to a `Torus`."""
    d = graph.dimension
    parts = n if isinstance(n, tuple) else (n,)
    try:
        moduli = tuple(integer(part) for part in parts)
    except TypeError:
        moduli = ()
    if len(moduli) != d or any(modulus < 1 for modulus in moduli):
        wanted = "a positive integer" if d == 1 else f"a tuple of {d} positive integers"
        raise WindowError(f"invalid number of sheets {n!r}: it must be {wanted}", window=n)
    _check_countable(graph, moduli, n)
    return Torus(graph, moduli)


def _check_countable(graph: DelayGraph, lengths: Sequence[int], given: Any) -> None:
    """Check that ``len`` works: there are at most ``sys.maxsize`` vertices."""
    size = math.prod(lengths) * max(1, len(graph.vertices))
    if size > sys.maxsize:
        raise WindowError(
            f"{given!r} is too large: the lift would have {size} vertices, more than sys.maxsize; "
            "take fewer times, or query single vertices of a DelayCover",
            window=given,
        )


# -- arrays ----------------------------------------------------------------------


@dataclass(frozen=True)
class EdgeBlocks:
    """Copies of edges sorted by tails: row pointer (CSR), heads, and edge values."""

    starts: IntArray
    heads: IntArray
    columns: list[IntArray]


def one_sheet(
    graph: DelayGraph, edges: IntArray, columns: list[IntArray], dtype: Any
) -> EdgeBlocks:
    """Make the blocks of edges over a single sheet, with their delays as last columns."""
    starts = np.zeros(len(graph.vertices) + 1, dtype=dtype)
    np.cumsum(np.bincount(graph.tails[edges], minlength=len(starts) - 1), out=starts[1:])
    delays = graph.delays[edges]
    axes = [delays[:, axis] for axis in range(graph.dimension)]
    return EdgeBlocks(starts, graph.heads[edges].astype(dtype), [*columns, *axes])


def unroll_axis(blocks: EdgeBlocks, length: int) -> EdgeBlocks:
    """Unroll along one axis by the delays d in the last column, |d| < ``length``.

    The set of edges with both ends in the window changes only at the times ``-delay`` and
    ``length - delay``. Between two such times the entries of successive steps differ by a constant,
    so that `write_shifted` computes them from those of one step.
    """
    n = len(blocks.starts) - 1
    *columns, delay = blocks.columns
    shifted = blocks.heads + (delay * n).astype(blocks.heads.dtype)
    total = int((length - np.abs(delay)).sum())
    starts = np.empty(n * length + 1, dtype=blocks.starts.dtype)
    heads = np.empty(total, dtype=blocks.heads.dtype)
    copies = [np.empty(total, dtype=column.dtype) for column in columns]
    starts[0] = at = 0
    cuts = np.unique(np.clip(np.concatenate(([0, length], -delay, length - delay)), 0, length))
    for begin, end in pairwise(cuts.tolist()):
        inside = np.flatnonzero((begin + delay >= 0) & (begin + delay < length))
        size, rows = len(inside), end - begin
        block = slice(at, at + rows * size)
        ends = np.searchsorted(inside, blocks.starts[1:]).astype(blocks.starts.dtype)
        write_shifted(ends, at, size, rows, starts[1 + begin * n : 1 + end * n])
        write_shifted(shifted[inside], begin * n, n, rows, heads[block])
        for column, copy in zip(columns, copies, strict=True):
            write_shifted(column[inside], 0, 0, rows, copy[block])
        at += rows * size
    return EdgeBlocks(starts, heads, copies)


def wrap_axis(blocks: EdgeBlocks, modulus: int) -> EdgeBlocks:
    """Wrap around along one axis by the delays in the last column."""
    n, m = len(blocks.starts) - 1, len(blocks.heads)
    *columns, delay = blocks.columns
    heads = blocks.heads + (np.arange(modulus)[:, None] + delay) % modulus * n
    starts = np.zeros(n * modulus + 1, dtype=blocks.starts.dtype)
    write_shifted(blocks.starts[1:], 0, m, modulus, starts[1:])
    return EdgeBlocks(
        starts,
        heads.ravel().astype(blocks.heads.dtype),
        [np.tile(column, modulus) for column in columns],
    )


def write_shifted(pattern: IntArray, base: int, rise: int, rows: int, out: IntArray) -> None:
    """Write the rows ``pattern + base + i * rise`` for i < ``rows`` to ``out``."""
    size = len(pattern)
    if not size:
        return
    np.add(pattern, base, out=out[:size])
    # doubling a short pattern makes the inner loops long, and they read from the cache
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
