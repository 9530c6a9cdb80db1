"""Sequences: what a network is trained on, many beside each other.

Sequences of different lengths are filled up at their ends, and a mask tells which steps count.
Where no edge reads from a later step that changes nothing: what comes after the end of a
sequence reaches neither its values nor its gradient. Where one does, a filled-up sequence is
not the sequence alone; give sequences of one length together then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, show_vertex

__all__ = ["Sequences", "padded"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Sequences:
    """Inputs, targets, and which steps count.

    Attributes
    ----------
    inputs, targets : mapping
        By vertex, as `Network.loss_and_gradients` takes them; the sequences lie along the
        second axis.
    mask : array, optional
        As there, of shape ``(T,)`` or ``(T, sequences)``.
    """

    inputs: Mapping[Any, ArrayLike]
    targets: Mapping[Any, ArrayLike]
    mask: ArrayLike | None = None

    def __len__(self) -> int:
        """Number of sequences, if arrays have an axis for them."""
        arrays = [*self.inputs.values(), *self.targets.values()]
        return max((np.shape(array)[1] for array in arrays if np.ndim(array) > 1), default=1)

    def chosen(self, numbers: Any) -> Sequences:
        """Some of the sequences."""

        def part(array: Any) -> Array:
            found: Array = np.asarray(array)[:, numbers]
            return found

        mask = self.mask if self.mask is None or np.ndim(self.mask) < 2 else part(self.mask)
        return Sequences(
            {name: part(array) for name, array in self.inputs.items()},
            {name: part(array) for name, array in self.targets.items()},
            mask,
        )


def padded(
    sequences: Sequence[tuple[Mapping[Any, ArrayLike], Mapping[Any, ArrayLike]]],
) -> Sequences:
    """Put sequences of different lengths beside each other, filled up with zeros.

    Parameters
    ----------
    sequences : sequence of pairs
        Of each sequence its inputs and its targets by vertex, arrays without an axis for a
        batch: ``(T, size)``, or integers of shape ``(T,)``.

    Returns
    -------
    Sequences
        With a mask of shape ``(T, sequences)`` that is true within each sequence.

    Raises
    ------
    ShapeError
        If the arrays of one sequence differ in length, or those of two sequences in size.

    Notes
    -----
    The loss is a mean over the steps that count, so a long sequence has more weight than a
    short one. Networks with negative delays read what the shorter ones are filled up with.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> short, long = np.ones((2, 1)), np.ones((3, 1))
    >>> both = nn.padded([({"x": short}, {"y": short}), ({"x": long}, {"y": long})])
    >>> both.inputs["x"].shape, both.mask.astype(int).tolist()
    ((3, 2, 1), [[1, 1], [1, 1], [0, 1]])
    """
    if not sequences:
        raise ShapeError("there are no sequences to put beside each other; give at least one")
    lengths = [_length(k, *pair) for k, pair in enumerate(sequences)]
    steps = max(lengths)

    def beside(part: int) -> dict[Any, Array]:
        found: dict[Any, Array] = {}
        for name, first in sequences[0][part].items():
            arrays = [np.asarray(sequence[part][name]) for sequence in sequences]
            shape = np.shape(first)[1:]
            for k, array in enumerate(arrays):
                if array.shape[1:] != shape:
                    raise ShapeError(
                        f"{show_vertex(name)} of sequence {k} has size {array.shape[1:]}, but that "
                        f"of sequence 0 has {shape}",
                        vertex=name,
                    )
            whole = np.zeros((steps, len(arrays), *shape), np.result_type(*arrays))
            for k, array in enumerate(arrays):
                whole[: len(array), k] = array
            found[name] = whole
        return found

    mask = np.arange(steps)[:, None] < np.array(lengths)
    return Sequences(beside(0), beside(1), mask)


def _length(number: int, inputs: Mapping[Any, Any], targets: Mapping[Any, Any]) -> int:
    """Length of a sequence, whose arrays must all have it."""
    lengths = {np.shape(array)[0] for array in [*inputs.values(), *targets.values()]}
    if len(lengths) != 1:
        raise ShapeError(
            f"the arrays of sequence {number} are of different lengths, {sorted(lengths)}"
        )
    return int(lengths.pop())
