"""Execution over a window in frameworks with their own differentiation.

The groups of a network are executed with functions that return new arrays, so that PyTorch and JAX
can differentiate them. Blocks on no cycle are computed for all steps at once, the others in a scan
over the steps, whose carry has the last values of each block, as many as are read.

The products of a level are one matrix product with the blocks that it reads, at their delays, one
below the other. The matrix is full or sparse, depending on the share of its entries that are
parameters. Products with blocks from outside of a scan are computed before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import ShapeError
from unrollgraph.nn.arrays import check_mapping
from unrollgraph.nn.exchange.blocks import (
    MOST_SLICES,
    BlockPlan,
    Framework,
    Gather,
    IntArray,
    Piece,
    Product,
    Section,
    Selection,
    Tensor,
    joined,
)
from unrollgraph.nn.grouping import Group, Shape
from unrollgraph.nn.network import Network
from unrollgraph.nn.primitives import opaque_parts
from unrollgraph.nn.program import Value

Parameters = Mapping[str, Tensor] | Tensor  # by name, or all of them in one array
Outputs = tuple[dict[Any, Tensor], tuple[Tensor, ...]]  # values by vertex, and the state
FULL = 0.1  # share of entries from which a matrix of weights is full


def window_function(
    net: Network, outputs: Iterable[Any] | None, framework: Framework
) -> Callable[[Parameters, Mapping[Any, Tensor], Any], Outputs]:
    """Return a network over a window as a function of parameters, inputs and state."""
    plan = BlockPlan(net, outputs, framework)

    def run(parameters: Parameters, inputs: Mapping[Any, Tensor], state: Any) -> Outputs:
        one = _WindowRun(plan, framework, parameters, inputs, state)
        for stage, sections in zip(plan.grouping.stages, plan.sections, strict=True):
            if stage.sign:
                one.scan(sections, stage.sign)
            else:
                for section in sections:
                    one.at_once(section)
        return one.results()

    return run


class _WindowRun:
    """One execution over a window."""

    def __init__(
        self,
        plan: BlockPlan,
        framework: Framework,
        parameters: Parameters,
        inputs: Any,
        state: Any,
    ) -> None:
        self.plan, self.framework = plan, framework
        check_mapping("inputs", inputs)
        if inputs.keys() != plan.inputs.keys():
            raise ShapeError(
                f"inputs must be given for {', '.join(map(repr, plan.inputs))}, not for "
                f"{', '.join(map(repr, inputs))}"
            )
        self.flat: Tensor = parameters
        if isinstance(parameters, Mapping):
            flat = [parameters[name].reshape(-1) for name in plan.names]
            self.flat = self.framework.concat(flat, 0)
        kinds = {name: plan.values[k].kind == "indices" for name, k in plan.inputs.items()}
        self.inputs = {
            name: framework.given(array, self.flat, indices=kinds[name])
            for name, array in inputs.items()
        }
        name, some = next(iter(self.inputs.items()))
        self.batched = some.ndim == (2 if kinds[name] else 3)
        self.steps = some.shape[0] if some.ndim else 0
        self.batch = some.shape[1] if self.batched else 1
        if not self.steps:
            raise ShapeError(f"the input of {name!r} has shape {tuple(some.shape)}, without steps")
        before = [block for block, (first, _) in enumerate(plan.reach) if first]
        shapes = [(plan.reach[block][0], self._height(block), self.batch) for block in before]
        if state is not None and [tuple(array.shape) for array in state] != shapes:
            raise ShapeError(
                f"state must be a tuple of {len(before)} arrays, as returned for the window before "
                f"with a batch of {self.batch}"
            )
        self.initial = dict(zip(before, state or (), strict=bool(state)))
        self.whole: dict[int, Tensor] = {}  # blocks, with the times before and after the window
        self._biases: dict[int, list[Tensor]] = {}
        self._named: dict[str, Tensor] = {}
        self.few: dict[int, Tensor] = {}  # of private blocks the rows of outputs
        self.last: dict[int, Sequence[Tensor]] = {}  # and the last values
        for block, values in enumerate(plan.given):
            rows = list(map(self._given, values))
            self.store(block, joined(self.framework, rows, -2))

    def _given(self, k: int) -> Tensor:
        """Rows of a given value, of shape (T, size, batch)."""
        value = self.plan.values[k]
        if value.kind == "constant":
            rows = self.framework.constant(np.asarray(value.extra)[:, None], self.flat)
            return rows + self.framework.zeros((self.steps, value.size, self.batch), self.flat)
        name = self.plan.vertices[value.vertex]
        array = self.inputs[name] if self.batched else self.inputs[name][:, None]
        array = array[..., None] if value.kind == "indices" else array
        if tuple(array.shape) != (self.steps, self.batch, value.size):
            raise ShapeError(
                f"the input of {name!r} has shape {tuple(self.inputs[name].shape)}, which does not "
                f"fit its size {value.size} and {self.steps} steps",
                vertex=name,
            )
        return array.swapaxes(1, 2)

    def outside(self, block: int) -> Tensor:
        """Values of a block before the window."""
        if block not in self.initial:
            start, stop = self.plan.blocks[block][1:]
            shape = self.plan.reach[block][0], stop - start, self.batch
            self.initial[block] = self.framework.zeros(shape, self.flat)
        return self.initial[block]

    def store(self, block: int, values: Tensor) -> None:
        """Store the values of a block in the window."""
        before, after = self.plan.reach[block]
        parts = [self.outside(block)] if before else []
        parts.append(values)
        if after:
            parts.append(self.framework.zeros((after, *values.shape[1:]), self.flat))
        self.whole[block] = joined(self.framework, parts, 0)

    def read(self, piece: Piece) -> Tensor:
        """A stored block at a shift in time."""
        first = self.plan.reach[piece.block][0] + piece.shift
        return self.whole[piece.block][first : first + self.steps]

    def joined(self, pieces: Sequence[Piece], read: Callable[[Piece], Tensor]) -> Tensor:
        """Pieces, one below the other."""
        return joined(self.framework, [read(piece) for piece in pieces], -2)

    def multiplied(self, product: Product, rows: int) -> Callable[[Tensor], Tensor]:
        """Return the function that multiplies by the matrix of a product."""
        entries, fw = product.entries, self.framework
        if len(entries.rows) >= FULL * rows * product.width:
            matrix = self._matrix(product, rows)
            return lambda x: matrix @ x
        weights = Selection(entries.parameters).of(fw, self.flat, 0)
        return lambda x: fw.sums(
            fw.take(x, entries.columns, -2) * weights[:, None], entries.rows, rows
        )

    def _matrix(self, product: Product, rows: int) -> Tensor:
        """The matrix of a product, full: of slices of the parameters if they are few."""
        fw, shape = self.framework, (rows, product.width)
        numbers = np.full(shape, -1)
        numbers.ravel()[product.places] = product.entries.parameters
        once = len(np.unique(product.places)) == len(product.places) == numbers.size
        cuts = np.cumsum([self._height(piece.block) for piece in product.pieces])[:-1]
        columns = [_slices(part) for part in np.split(numbers, cuts, axis=1)] if once else [None]
        if not all(columns):
            weights = Selection(product.entries.parameters).of(fw, self.flat, 0)
            return fw.full_matrix(shape, product.places, weights)
        parts = [joined(fw, [self._slice(one) for one in found], 0) for found in columns if found]
        return joined(fw, parts, 1)

    def _slice(self, part: _Slice) -> Tensor:
        """A matrix of consecutive parameters in each row."""
        first = part.first + part.columns - part.stride
        if first < 0:  # the rows would begin before the first parameter
            numbers = part.first + part.stride * np.arange(part.rows)[:, None]
            numbers = (numbers + np.arange(part.columns)).ravel()
            return self.framework.take(self.flat, numbers, 0).reshape(part.rows, part.columns)
        whole = self.flat[first : first + part.rows * part.stride]
        return whole.reshape(part.rows, part.stride)[:, part.stride - part.columns :]

    def _height(self, block: int) -> int:
        return self.plan.blocks[block].stop - self.plan.blocks[block].start

    def groups(
        self, section: Section, total: Tensor | None, read: Callable[[Piece], Tensor]
    ) -> list[Tensor]:
        """Values of the groups of a level from its sums of products."""
        parts = []
        start = section.level.groups[0].out.start
        for group, gathers in zip(section.level.groups, section.leaves, strict=True):
            leaves = [self._leaf(gather, read) for gather in gathers]
            own = None
            if total is not None:
                whole = len(section.level.groups) == 1
                first, last = group.out.start - start, group.out.stop - start
                own = total if whole else total[..., first:last, :]
            parts.append(self._value(group, own, leaves))
        return parts

    def _leaf(self, gather: Gather, read: Callable[[Piece], Tensor]) -> Tensor:
        return gather.rows.of(self.framework, self.joined(gather.pieces, read), -2)

    def _value(self, group: Group, total: Tensor | None, leaves: list[Tensor]) -> Tensor:
        if group.alone is not None:
            return self._alone(group.alone, leaves)
        biases = self.biases(group)

        def value(shape: Shape) -> Tensor:
            kind, *parts = shape
            if kind == "sum":
                return total
            if kind == "leaf":
                return leaves[parts[0]]
            if kind == "bias":
                return value(parts[0]) + biases[parts[1]]
            return self.framework.kernels[kind](*map(value, parts))

        return value(group.shape)

    def parameter(self, name: str) -> Tensor:
        """A parameter by its name, found once: a scan must not read all parameters."""
        if name not in self._named:
            shape = self.plan.packing.shapes[name]
            first = self.plan.packing.start(name)
            self._named[name] = self.flat[first : first + int(np.prod(shape))].reshape(shape)
        return self._named[name]

    def biases(self, group: Group) -> list[Tensor]:
        """The parameters that a group adds, found once."""
        if id(group) not in self._biases:
            found = [Selection(one).of(self.framework, self.flat, 0) for one in group.biases]
            self._biases[id(group)] = [one[:, None] for one in found]
        return self._biases[id(group)]

    def _alone(self, value: Value, leaves: list[Tensor]) -> Tensor:
        fw = self.framework
        if value.kind == "concatenate":
            return fw.concat(leaves, -2)
        if value.kind == "embedding":
            table = self.parameter(value.weights[0].name)
            return fw.embedding(table, leaves[0][..., 0, :]).swapaxes(-1, -2)
        if value.kind == "opaque":
            op, names = opaque_parts(value)
            own = {
                name: self.parameter(weight.name)
                for name, weight in zip(names, value.weights, strict=True)
            }
            sources = [leaf.swapaxes(-1, -2) for leaf in leaves]
            return op.array_forward(fw, sources, own).swapaxes(-1, -2)
        return fw.kernels[value.kind](*leaves)

    def at_once(self, section: Section) -> None:
        """Compute a level for all steps."""
        total = None
        if section.level.sums is not None:
            assert section.outer is not None
            rows = section.level.sums.stop - section.level.sums.start
            product = section.outer
            total = self.multiplied(product, rows)(self.joined(product.pieces, self.read))
        for block, values in zip(
            section.blocks, self.groups(section, total, self.read), strict=True
        ):
            self.store(block, values)

    def scan(self, sections: Sequence[Section], sign: int) -> None:
        """Compute levels step by step."""
        fw = self.framework
        clock = {block: one.level.clock for one in sections for block in one.blocks}
        length = self.steps + max(clock.values())

        def aligned(values: Tensor, block: int) -> Tensor:
            """Values at all steps, in the order in which a block is computed."""
            values = values if sign > 0 else fw.flipped(values)
            parts = [
                (clock[block], *values.shape[1:]),
                (length - self.steps - clock[block], *values.shape[1:]),
            ]
            ends = [fw.zeros(shape, self.flat) for shape in parts]
            return fw.concat([ends[0], values, ends[1]], 0) if length > self.steps else values

        def back(piece: Piece, reader: int) -> int:
            """Number of steps ago at which a block of the scan was computed."""
            return clock[reader] - clock[piece.block] - sign * piece.shift

        given: dict[Any, Tensor] = {}
        depth = dict.fromkeys(clock, 0)
        factors: dict[int, Callable[[Tensor], Tensor]] = {}
        for section in sections:
            for group in section.level.groups:
                self.biases(group)
                for weight in group.alone.weights if group.alone else ():
                    self.parameter(weight.name)
            reader = section.blocks[0]
            inner = list(section.inner.pieces) if section.inner else []
            for piece in [p for gathers in section.leaves for g in gathers for p in g.pieces]:
                if piece.block in clock:
                    inner.append(piece)
                elif (reader, piece) not in given:
                    given[reader, piece] = aligned(self.read(piece), reader)
            for piece in inner:
                depth[piece.block] = max(depth[piece.block], back(piece, reader))
            if section.level.sums is not None:
                rows = section.level.sums.stop - section.level.sums.start
                if section.outer:
                    product = section.outer
                    total = self.multiplied(product, rows)(self.joined(product.pieces, self.read))
                    given[reader, "sum"] = aligned(total, reader)
                if section.inner:
                    factors[reader] = self.multiplied(section.inner, rows)
        masks = {block for block in clock if length > self.steps}
        for block in masks:
            inside = np.arange(length) - clock[block]
            inside = (inside >= 0) & (inside < self.steps)
            given[block, "inside"] = fw.constant(inside[:, None, None], None)
            edge = [self._boundary(block, clock[block] - s, sign) for s in range(clock[block])]
            start, stop = self.plan.blocks[block][1:]
            rest = fw.zeros((length - len(edge), stop - start, self.batch), self.flat)
            given[block, "edge"] = fw.concat([*(one[None] for one in edge), rest], 0)
        carry = {
            block: tuple(
                self._boundary(block, back + clock[block], sign) for back in range(1, count + 1)
            )
            for block, count in depth.items()
        }

        def body(carry: Any, given: Any) -> tuple[Any, Any]:
            new: dict[int, Tensor] = {}
            for section in sections:
                reader = section.blocks[0]

                def read(piece: Piece, reader: int = reader) -> Tensor:
                    if piece.block not in clock:
                        return given[reader, piece]
                    ago = back(piece, reader)
                    return carry[piece.block][ago - 1] if ago else new[piece.block]

                total = given.get((reader, "sum"))
                if section.inner:
                    own = factors[reader](self.joined(section.inner.pieces, read))
                    total = own if total is None else total + own
                found = self.groups(section, total, read)
                for block, value in zip(section.blocks, found, strict=True):
                    new[block] = value
                    if block in masks:
                        inside, edge = given[block, "inside"], given[block, "edge"]
                        new[block] = fw.where(inside, value, edge)
            later = {
                block: (new[block], *past[:-1]) if past else past for block, past in carry.items()
            }
            return later, {
                k: new[k] if k in stored else few[k].of(fw, new[k], -2) for k in returned
            }

        private = self.plan.private & clock.keys() if length == self.steps and sign > 0 else set()
        stored = clock.keys() - private
        few = {block: Selection(self.plan.output_rows(block)) for block in private}
        returned = [*stored, *(block for block in private if len(few[block].numbers))]
        last, found = fw.scan(body, carry, given, length)
        for block in stored:
            own = found[block][clock[block] : clock[block] + self.steps]
            self.store(block, own if sign > 0 else fw.flipped(own))
        for block in private:
            self.few[block] = found.get(block)
            self.last[block] = last[block][::-1]

    def _boundary(self, block: int, distance: int, sign: int) -> Tensor:
        """Values of a block at a distance before the window, in the direction of the scan."""
        start, stop = self.plan.blocks[block][1:]
        before = self.plan.reach[block][0]
        if sign > 0 and distance <= before:
            return self.outside(block)[before - distance]
        return self.framework.zeros((stop - start, self.batch), self.flat)

    def results(self) -> Outputs:
        """Values of the outputs, and the last values of blocks that are read with a delay."""
        plan, outputs = self.plan, {}
        for name, v in plan.outputs.items():
            array, start, stop = plan.grouping.places[v]
            block = int(plan.owner[array][start])
            if block in self.few:
                first = int(
                    np.flatnonzero(plan.output_rows(block) == start - plan.blocks[block].start)[0]
                )
                values = self.few[block][:, first : first + stop - start]
            else:
                first = start - plan.blocks[block].start
                values = self.read(Piece(block, 0))[:, first : first + stop - start]
            values = values.swapaxes(1, 2)
            outputs[name] = values if self.batched else values[:, 0]
        state = []
        for block, (before, _) in enumerate(plan.reach):
            if before and block in self.last:
                rows = [row[None] for row in self.last[block]]
                state.append(joined(self.framework, rows, 0))
            elif before:
                state.append(self.whole[block][self.steps : self.steps + before])
        return outputs, tuple(state)


def packed_parameters(net: Network) -> NDArray[Any]:
    """All parameters of a network in one array, in the order of its packing."""
    flat = np.empty(net.plans.packing.size, net.dtype)
    for name, view in net.plans.packing.views(flat).items():
        view[...] = net.parameters[name]
    return flat


class _Slice(NamedTuple):
    """Rows of consecutive numbers that begin at a constant distance."""

    first: int
    rows: int
    columns: int
    stride: int


def _slices(numbers: IntArray) -> list[_Slice]:
    """Split a matrix of numbers into few slices of rows, if possible."""
    rows, columns = numbers.shape
    if not np.array_equal(numbers, numbers[:, :1] + np.arange(columns)):
        return []
    steps = np.diff(numbers[:, 0])
    found: list[_Slice] = []
    at = 0
    while at < rows and len(found) < MOST_SLICES:
        stride = int(steps[at]) if at < rows - 1 and steps[at] >= columns else columns
        other = np.flatnonzero(steps[at:] != stride)
        stop = at + 1 + (int(other[0]) if len(other) else rows - 1 - at)
        found.append(_Slice(int(numbers[at, 0]), stop - at, columns, stride))
        at = stop
    return found if at == rows else []
