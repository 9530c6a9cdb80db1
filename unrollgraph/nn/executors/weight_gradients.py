"""Gradients of weights and biases, with few matrix products.

The gradient of W in ``W a`` is the sum of ``g a^T`` over all copies, that is one product of the
gradients g of all copies with the values a. If the gradients of several values are stored in
adjacent columns and their weights are packed, one product computes the gradients of all these
weights and writes them into the array of all gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.buffers import Binding, Packing, Place, Weights
from unrollgraph.nn.execution_order import Schedule
from unrollgraph.nn.lowering import BackwardValues, ForwardValues
from unrollgraph.nn.program import Ref, Weight

Array = NDArray[Any]
SUMMED = frozenset(["product", "products", "bias"])  # kinds with parameter gradients of this form


class _Use(NamedTuple):
    """A weight, the value that is multiplied by it (None for a bias), and a gradient."""

    weight: Weight
    source: Ref | None
    gradient: int


class _Product(NamedTuple):
    """Pairs whose products are summed in a place, which the first block overwrites."""

    pairs: Sequence[tuple[Array, Array]]
    place: Place
    first: bool


class Sums:
    """Gradients of weights and biases, bound to the arrays of a plan.

    Parameters
    ----------
    forward, backward : ForwardValues, BackwardValues
        A network and its gradient.
    schedule : Schedule
        The schedule that computes the gradient.
    binding : Binding
        Storage of the values.
    weights : Weights
        The parameters.

    Attributes
    ----------
    flat : ndarray
        The gradients of all parameters, after they are computed.
    """

    def __init__(
        self,
        forward: ForwardValues,
        backward: BackwardValues,
        schedule: Schedule,
        binding: Binding,
        weights: Weights,
    ) -> None:
        self._like = self.flat = weights.flat
        self._products: list[_Product] = []
        written = np.zeros(len(weights.flat), bool)
        partly = False
        linear: dict[Any, list[_Use]] = {}
        for y, g in backward.uses:
            value = forward.values[y]
            if value.kind in SUMMED:
                sources = [None] if value.kind == "bias" else value.args
                for weight, source in zip(value.weights, sources, strict=True):
                    reads = None if source is None else binding.place(source)
                    linear.setdefault(reads, []).append(_Use(weight, source, g))
        for uses in linear.values():
            gradients = {use.gradient: backward.values[use.gradient].size for use in uses}
            for group, columns, source, place in _planned(
                gradients, binding, weights.packing, uses
            ):
                pairs = binding.pairs(schedule, group, columns, source)
                block = place.of(written)
                partly = partly or bool(block.any() and not block.all())
                self._products.append(_Product(pairs, place, not block.any()))
                block[...] = True
        # zeros are needed where no product is written, or where one adds to a partly written place
        self._whole = bool(written.all()) and not partly

    def begin(self) -> None:
        """Allocate the gradients, as zeros where they are not overwritten."""
        self.flat = (np.empty_like if self._whole else np.zeros_like)(self._like)

    def add(self, block: int) -> None:
        """Add the products of one block of copies."""
        for pairs, place, first in self._products:
            left, right = pairs[block]
            if first and not block:
                np.matmul(left, right, place.of(self.flat))
            else:
                part = place.of(self.flat)
                part += left @ right

    def gather(self) -> None:
        """Add the products of all blocks."""
        self.begin()
        for pairs, place, first in self._products:
            part = place.of(self.flat)
            if first:
                part[...] = 0
            for left, right in pairs:
                part += left @ right


def _planned(
    sizes: dict[int, int], binding: Binding, packing: Packing, uses: list[_Use]
) -> Iterator[tuple[list[int], tuple[int, int], Ref | None, Place]]:
    """Yield the products of gradients with one array that is read, or with ones."""
    source = uses[0].source
    users: dict[int, list[Weight]] = {}
    for use in uses:
        users.setdefault(use.gradient, []).append(use.weight)
    for group in binding.beside(list(users)):
        start = 0
        runs: list[tuple[Place, int, int]] = []
        for g in group:
            stop = start + sizes[g]
            for weight in users[g]:
                place = packing.place(weight)
                if runs and runs[-1][0].before(place) and runs[-1][2] == start:
                    whole, begin, _ = runs.pop()
                    runs.append((whole._replace(stop=place.stop), begin, stop))
                else:
                    runs.append((place, start, stop))
            start = stop
        for place, begin, end in runs:
            yield group, (begin, end), source, place
