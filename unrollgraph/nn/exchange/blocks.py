"""What an exported network computes: blocks of rows, and what each of them reads.

The rows of a group (`unrollgraph.nn.grouping`) are a *block*, an array of shape ``(T, rows,
batch)``. A *section* is a level of groups with the blocks that it reads, each at a shift in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.arrays import vertex_number
from unrollgraph.nn.grouping import Entries, Level, Reading, Stored, grouping_of
from unrollgraph.nn.lowering import lower
from unrollgraph.nn.network import Network, check_network

Tensor = Any  # an array of the framework
IntArray = NDArray[np.int64]
MOST_SLICES = 16  # of which an array is joined, instead of gathering its entries


class Framework(Protocol):
    """The functions of a framework that a window function calls."""

    @property
    def kernels(self) -> Mapping[str, Callable[..., Tensor]]: ...
    def given(self, array: Any, like: Tensor, *, indices: bool) -> Tensor: ...
    def zeros(self, shape: Sequence[int], like: Tensor) -> Tensor: ...
    def constant(self, array: NDArray[Any], like: Tensor) -> Tensor: ...
    def concat(self, arrays: Sequence[Tensor], axis: int) -> Tensor: ...
    def take(self, array: Tensor, indices: IntArray, axis: int) -> Tensor: ...
    def embedding(self, table: Tensor, indices: Tensor) -> Tensor: ...
    def flipped(self, array: Tensor) -> Tensor: ...
    def full_matrix(self, shape: tuple[int, int], places: IntArray, values: Tensor) -> Tensor: ...
    def sums(self, products: Tensor, rows: IntArray, count: int) -> Tensor: ...
    def where(self, condition: Tensor, one: Tensor, other: Tensor) -> Tensor: ...
    def scan(
        self, body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, given: Any, steps: int
    ) -> tuple[Any, dict[int, Tensor]]: ...


class Block(NamedTuple):
    """Consecutive rows of an array of a grouping."""

    array: int
    start: int
    stop: int


class Piece(NamedTuple):
    """A block that is read at a shift in time: ``x[t + shift]``."""

    block: int
    shift: int


@dataclass(frozen=True)
class Product:
    """A matrix of parameters times pieces, one below the other."""

    pieces: tuple[Piece, ...]
    entries: Entries  # the columns are counted over all pieces
    width: int

    @cached_property
    def places(self) -> IntArray:
        """Position of each entry in the matrix, row by row."""
        return self.entries.rows * self.width + self.entries.columns


@dataclass(frozen=True)
class Selection:
    """Entries of an array along an axis, by their numbers."""

    numbers: IntArray

    @cached_property
    def ranges(self) -> list[slice] | None:
        """The numbers as few ranges, which are faster than a gather, or None."""
        starts = np.flatnonzero(np.diff(self.numbers, prepend=self.numbers[:1] - 2) != 1)
        if len(starts) > MOST_SLICES:
            return None
        parts = np.split(self.numbers, starts[1:])
        return [slice(int(part[0]), int(part[-1]) + 1) for part in parts]

    def of(self, framework: Framework, array: Tensor, axis: int) -> Tensor:
        """Take the entries; ``axis`` is 0, or -2 of at least two."""
        if self.ranges is None or not len(self.numbers):
            return framework.take(array, self.numbers, axis)
        if self.ranges == [slice(0, array.shape[axis])]:
            return array
        parts = [array[one] if axis == 0 else array[..., one, :] for one in self.ranges]
        return joined(framework, parts, axis)


@dataclass(frozen=True)
class Gather:
    """Rows of pieces, one below the other."""

    pieces: tuple[Piece, ...]
    rows: Selection


@dataclass(frozen=True)
class Section:
    """A level with what it reads."""

    blocks: tuple[int, ...]  # one for each group
    level: Level
    outer: Product | None  # from blocks that are computed before
    inner: Product | None  # from blocks of the same scan
    leaves: tuple[tuple[Gather, ...], ...]  # for each group


def pieces_of(section: Section) -> Iterable[Piece]:
    """What a section reads."""
    for product in (section.outer, section.inner):
        yield from product.pieces if product else ()
    for gathers in section.leaves:
        for gather in gathers:
            yield from gather.pieces


class BlockPlan:
    """The blocks and sections of a network over a window.

    Parameters
    ----------
    net : Network
        The network.
    outputs : iterable of vertices, optional
        Vertices whose values are returned (default: those without out-edges).
    framework : Framework
        The framework.
    """

    def __init__(self, net: Network, outputs: Iterable[Any] | None, framework: Framework) -> None:
        check_network(net)
        graph = net.delay_graph
        if graph.dimension > 1:
            raise ValueError(
                f"the delays are in Z^{graph.dimension}, but only networks over a window can be "
                "exported, with delays in Z"
            )
        self.packing = net.plans.packing
        self.names = sorted(self.packing.shapes, key=self.packing.start)
        forward = lower(graph, summed=True)
        self.values, self.vertices = forward.values, graph.vertices
        self.inputs = {graph.vertices[v]: forward.inputs[v] for v in forward.inputs}
        if not self.inputs:
            raise ValueError("a network without inputs cannot be exported; add an nn.Input")
        self.outputs = self._outputs(net, outputs)
        given = frozenset(forward.inputs.values()) | {
            k for k, value in enumerate(self.values) if value.kind == "constant"
        }
        chosen = [k for k in range(len(self.values)) if k not in given]
        kept = frozenset(range(forward.vertices))
        stored = Stored(self.packing, {}, 0)
        self.grouping = grouping_of(graph, self.values, chosen, given, kept, stored)
        self._check_kinds(chosen, framework.kernels)
        self._make_blocks(sorted(given))
        self._make_sections()
        # blocks of scans that nothing outside of them reads but the outputs
        outside = {
            piece.block
            for made, stage in zip(self.sections, self.grouping.stages, strict=True)
            for section in made
            for piece in pieces_of(section)
            if not stage.sign or piece.block not in {b for one in made for b in one.blocks}
        }
        self.private = {b for made in self.sections for s in made for b in s.blocks} - outside
        self.reach = [[0, 0] for _ in self.blocks]  # times before and after the window
        for piece in (p for made in self.sections for s in made for p in pieces_of(s)):
            near = self.reach[piece.block]
            near[0], near[1] = max(near[0], -piece.shift), max(near[1], piece.shift)

    def _outputs(self, net: Network, outputs: Iterable[Any] | None) -> dict[Any, int]:
        graph = net.delay_graph
        if outputs is None:
            ends = [v for v, edges in enumerate(graph.out_numbers) if not edges]
            chosen = ends or list(range(len(graph.vertices)))
        else:
            chosen = [vertex_number(graph, name, "outputs") for name in outputs]
        return {graph.vertices[v]: v for v in chosen}

    def _check_kinds(self, chosen: Iterable[int], kernels: Iterable[str]) -> None:
        known = {*kernels, "bias", "product", "products", "embedding"}
        for k in chosen:
            value = self.values[k]
            own = value.kind == "opaque" and hasattr(value.extra, "array_forward")
            if value.kind not in known and not own:
                vertex = self.vertices[value.vertex]
                what = (
                    f"operation {type(value.extra).__name__} has no method array_forward(xp, "
                    "sources, parameters)"
                    if value.kind == "opaque"
                    else f"activation {value.kind!r} is defined by NumPy functions"
                )
                raise TypeError(f"cannot export vertex {vertex!r}: its {what}")

    def output_rows(self, block: int) -> IntArray:
        """Rows of a block that are outputs."""
        array, first, stop = self.blocks[block]
        places = sorted(self.grouping.places[v] for v in self.outputs.values())
        own = [p for p in places if p.array == array and first <= p.start < stop]
        rows = [k - first for p in own for k in range(p.start, p.stop)]
        return np.array(rows, dtype=np.int64)

    # -- blocks and what is read of them --------------------------------------------------

    def _make_blocks(self, given: list[int]) -> None:
        self.blocks: list[Block] = []
        self.given: list[list[int]] = []  # values of the first blocks, in the order of their rows
        places = self.grouping.places
        for array in dict.fromkeys(places[k].array for k in given):
            own = sorted((k for k in given if places[k].array == array), key=lambda k: places[k])
            self.blocks.append(Block(array, places[own[0]].start, places[own[-1]].stop))
            self.given.append(own)
        for stage in self.grouping.stages:
            for level in stage.levels:
                self.blocks.extend(Block(*group.out) for group in level.groups)
        self.owner = {
            array: np.full(rows, -1, dtype=np.int64) for array, rows in self.grouping.sizes.items()
        }
        for number, block in enumerate(self.blocks):
            self.owner[block.array][block.start : block.stop] = number

    def _make_sections(self) -> None:
        self.sections: list[list[Section]] = []
        number = len(self.given)
        for stage in self.grouping.stages:
            count = sum(len(level.groups) for level in stage.levels)
            own = range(number, number + count) if stage.sign else range(0)
            made = []
            for level in stage.levels:
                outer, inner = self._products(level, own)
                leaves = tuple(tuple(map(self._gather, group.leaves)) for group in level.groups)
                blocks = tuple(range(number, number + len(level.groups)))
                made.append(Section(blocks, level, outer, inner, leaves))
                number += len(blocks)
            self.sections.append(made)

    def _products(self, level: Level, own: range) -> tuple[Product | None, Product | None]:
        """Products with blocks from outside and from inside of the scan."""
        parts: list[tuple[list[Piece], list[Entries], int]] = [([], [], 0), ([], [], 0)]
        for array, entries in level.products.items():
            owners = self.owner[array][entries.columns]
            keys = np.unique(np.stack([owners, entries.shifts]), axis=1).T.tolist()
            for block, shift in keys:
                some = entries.chosen(np.flatnonzero((owners == block) & (entries.shifts == shift)))
                side = int(block in own)
                pieces, found, width = parts[side]
                start = self.blocks[block].start
                found.append(some._replace(columns=some.columns - start + width))
                pieces.append(Piece(block, shift))
                parts[side] = pieces, found, width + self.blocks[block].stop - start
        products = []
        for pieces, found, width in parts:
            joined = Entries(*map(np.concatenate, zip(*found, strict=True))) if found else None
            products.append(Product(tuple(pieces), joined, width) if joined else None)
        return products[0], products[1]

    def _gather(self, reading: Reading) -> Gather:
        owners = self.owner[reading.array][reading.rows]
        keys = np.stack([owners, reading.shifts])
        pieces, of = np.unique(keys, axis=1, return_inverse=True)
        starts = np.array([self.blocks[b].start for b in pieces[0].tolist()])
        sizes = [self.blocks[b].stop - self.blocks[b].start for b in pieces[0].tolist()]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        of = of.ravel()
        found = tuple(Piece(block, shift) for block, shift in pieces.T.tolist())
        return Gather(found, Selection(reading.rows - starts[of] + offsets[of]))


def joined(framework: Framework, parts: Sequence[Tensor], axis: int) -> Tensor:
    """Concatenate arrays if they are several."""
    return parts[0] if len(parts) == 1 else framework.concat(parts, axis)
