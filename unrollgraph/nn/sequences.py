"""Sequences for training: inputs, targets and a mask along a batch axis.

Sequences of different lengths are padded at their ends, and a mask states which steps count. The
padding changes neither values nor gradients if no delay is negative. Otherwise the network would
read it, so sequences of different lengths are rejected; use batches of one length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError
from unrollgraph.nn.arrays import plain_array, vertex_number
from unrollgraph.nn.losses import check_ends, is_window, loss_called
from unrollgraph.nn.ops import Embedding

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network

Array = NDArray[Any]


@dataclass(frozen=True)
class Sequences:
    """Inputs, targets and mask of several sequences.

    Attributes
    ----------
    inputs, targets : mapping
        Arrays by vertex, as in `loss_and_gradients`; the second axis is that of the sequences.
    mask : array, optional
        Weights of shape ``(T,)`` or ``(T, sequences)``, as in `loss_and_gradients`.
    """

    inputs: Mapping[Any, ArrayLike]
    targets: Mapping[Any, ArrayLike]
    mask: ArrayLike | None = None

    def __len__(self) -> int:
        """Number of sequences; 1 if the arrays have no axis for them."""
        arrays = [np.asanyarray(array) for array in (*self.inputs.values(), *self.targets.values())]
        if any(array.ndim == 3 for array in arrays):
            arrays = [array for array in arrays if array.ndim == 3]
        else:
            arrays = [array for array in arrays if array.ndim == 2 and array.dtype.kind in "iu"]
        return max((int(array.shape[1]) for array in arrays), default=1)

    def chosen(self, numbers: Any) -> Sequences:
        """Return the sequences with the given indices."""

        def part(array: Any) -> Array:
            found: Array = np.asanyarray(array)[:, numbers]  # a masked array is rejected later
            return found

        mask = self.mask if self.mask is None or np.ndim(self.mask) < 2 else part(self.mask)
        return Sequences(
            {name: part(array) for name, array in self.inputs.items()},
            {name: part(array) for name, array in self.targets.items()},
            mask,
        )


def pad_sequences(
    sequences: Sequence[tuple[Mapping[Any, ArrayLike], Mapping[Any, ArrayLike]]],
) -> Sequences:
    """Combine sequences of different lengths, padded with zeros at their ends.

    Parameters
    ----------
    sequences : sequence of pairs
        Inputs and targets of each sequence, by vertex: arrays without a batch axis, of shape
        ``(T, size)``, or integers of shape ``(T,)``.

    Returns
    -------
    Sequences
        With a mask of shape ``(T, sequences)`` that is True at the steps of each sequence.

    Raises
    ------
    ShapeError
        If there are no sequences, arrays of one sequence differ in length, or two sequences have
        different vertices or sizes.
    TypeError
        If the sequences are not pairs of mappings.

    Notes
    -----
    The loss is a mean over the steps that count, so a long sequence has more weight than a short
    one. Networks with negative delays reject sequences of different lengths.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> short, long = np.ones((2, 1)), np.ones((3, 1))
    >>> both = nn.pad_sequences([({"x": short}, {"y": short}), ({"x": long}, {"y": long})])
    >>> both.inputs["x"].shape, both.mask.astype(int).tolist()
    ((3, 2, 1), [[1, 1], [1, 1], [0, 1]])
    """
    if not len(sequences):
        raise ShapeError("sequences is empty; give at least one sequence")
    lengths = [_length(k, sequences) for k in range(len(sequences))]
    steps = max(lengths)

    def beside(part: int) -> dict[Any, Array]:
        found: dict[Any, Array] = {}
        for name, first in sequences[0][part].items():
            arrays = [
                plain_array(sequence[part][name], f"{name!r} of sequence {k}")
                for k, sequence in enumerate(sequences)
            ]
            shape = np.shape(first)[1:]
            for k, array in enumerate(arrays):
                if array.shape[1:] != shape:
                    raise ShapeError(
                        f"the array of {name!r} in sequence {k} has shape (T, *{array.shape[1:]}), "
                        f"but that in sequence 0 has (T, *{shape})",
                        vertex=name,
                    )
            whole = np.zeros((steps, len(arrays), *shape), np.result_type(*arrays))
            for k, array in enumerate(arrays):
                whole[: len(array), k] = array
            found[name] = whole
        return found

    mask = np.arange(steps)[:, None] < np.array(lengths)
    return Sequences(beside(0), beside(1), mask)


def _length(number: int, sequences: Any) -> int:
    """Length of a sequence; raise an error if it does not match the first sequence."""
    try:
        own, first = sequences[number], sequences[0]
        names = [[set(part) for part in pair] for pair in (own, first)]
        lengths = {np.shape(array)[0] for part in own for array in part.values()}
    except (KeyError, TypeError, AttributeError, IndexError):
        raise TypeError(
            "sequences must be pairs of inputs and targets, each a mapping from vertices to "
            "arrays, for example [({'x': x}, {'y': y}), ...]"
        ) from None
    if len(own) != 2 or names[0] != names[1]:
        raise ShapeError(
            f"sequence {number} has arrays of {', '.join(sorted(map(repr, own[0] | own[-1])))}, "
            f"but sequence 0 of {', '.join(sorted(map(repr, first[0] | first[-1])))}"
        )
    if len(lengths) != 1:
        raise ShapeError(
            f"the arrays of sequence {number} have different lengths, {sorted(lengths)}; the "
            "lengths must be equal"
        )
    return int(lengths.pop())


def check_batched(net: Network, data: Sequences, loss: str, *, over: Any = None) -> None:
    """Check that all arrays have the same number of sequences, on the second axis.

    Over a window, also check with `check_ends` that no edge reads padding.
    """
    counts: dict[str, int] = {}

    def count(what: str, name: Any, given: Any, wanted: int) -> None:
        array = plain_array(given, f"the {what} of {name!r}")
        if array.ndim != wanted:
            raise ShapeError(
                f"the {what} of {name!r} has shape {array.shape}, but it must have {wanted} axes: "
                f"time, batch{', size' if wanted == 3 else ''}",
                vertex=name,
                found=array.shape,
            )
        counts[f"the {what} of {name!r}"] = array.shape[1]

    for name, given in data.inputs.items():
        op = net.delay_graph.vertex_data[vertex_number(net.delay_graph, name, "inputs")]["op"]
        count("input", name, given, 2 if isinstance(op, Embedding) else 3)
    for name, given in data.targets.items():
        vertex_number(net.delay_graph, name, "targets")
        count("target", name, given, 2 if loss_called(loss).of_classes else 3)
    if data.mask is not None and np.ndim(data.mask) > 1:
        mask = plain_array(data.mask, "the mask")
        counts["the mask"] = mask.shape[1]
        if over is None or is_window(over):
            check_ends(net, mask > 0)
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{what} has {count}" for what, count in counts.items())
        raise ShapeError(f"arrays have different numbers of sequences: {shown}")
    if 0 in counts.values():
        raise ShapeError("the arrays have 0 sequences; give at least one")
