"""Weights: all parameters in one array, and the layouts of them that steps use.

Parameters of the lanes of a stack (see `fusion`) that have the same shape but for their
rows are *packed*: they stand below each other, so that together they are one matrix.
What is done with all of them, such as taking them over, transposing them, or writing
their gradient, is then one call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrollgraph.nn.fusion import Lanes
from unrollgraph.nn.values import Value, Weight

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
