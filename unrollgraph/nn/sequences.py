"""Sequences: what a network is trained on, many beside each other.

Sequences of different lengths are filled up at their ends, and a mask says which steps count.
If no edge has a negative delay, what comes after the end of a sequence reaches neither its values
nor its gradient. If one does, a filled-up sequence would not be the sequence alone, so that
sequences of different lengths are rejected; give sequences of one length together then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, show_vertex
from unrollgraph.nn.arrays import plain_array, vertex_number
from unrollgraph.nn.losses import check_ends, is_window, loss_called
from unrollgraph.nn.ops import Embedding

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network

Array = NDArray[Any]


@dataclass(frozen=True)
class Sequences:
    """Inputs, targets, and which steps count.

    Attributes
    ----------
    inputs, targets : mapping
        By vertex, as `loss_and_gradients` takes them; the sequences lie along the
        second axis.
    mask : array, optional
        As there, of shape ``(T,)`` or ``(T, sequences)``.
    """

    inputs: Mapping[Any, ArrayLike]
    targets: Mapping[Any, ArrayLike]
    mask: ArrayLike | None = None

    def __len__(self) -> int:
        """Number of sequences; 1 if arrays have no axis for them."""
        arrays = [np.asanyarray(array) for array in (*self.inputs.values(), *self.targets.values())]
        if any(array.ndim == 3 for array in arrays):
            arrays = [array for array in arrays if array.ndim == 3]
        else:
            arrays = [array for array in arrays if array.ndim == 2 and array.dtype.kind in "iu"]
        return max((int(array.shape[1]) for array in arrays), default=1)

    def chosen(self, numbers: Any) -> Sequences:
        """Some of the sequences."""

        def part(array: Any) -> Array:
            found: Array = np.asanyarray(array)[:, numbers]  # a masked array is rejected later
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
        If the arrays of one sequence differ in length, or those of two sequences in size or name.
    TypeError
        If they are no pairs of mappings.

    Notes
    -----
    The loss is a mean over the steps that count, so a long sequence has more weight than a
    short one. Networks with negative delays would read what the shorter ones are filled up with,
    so that they reject sequences of different lengths.

    Examples
    --------
    >>> import numpy as np
    >>> from unrollgraph import nn
    >>> short, long = np.ones((2, 1)), np.ones((3, 1))
    >>> both = nn.padded([({"x": short}, {"y": short}), ({"x": long}, {"y": long})])
    >>> both.inputs["x"].shape, both.mask.astype(int).tolist()
    ((3, 2, 1), [[1, 1], [1, 1], [0, 1]])
    """
    if not len(sequences):
        raise ShapeError("there are no sequences to put beside each other; give at least one")
    lengths = [_length(k, sequences) for k in range(len(sequences))]
    steps = max(lengths)

    def beside(part: int) -> dict[Any, Array]:
        found: dict[Any, Array] = {}
        for name, first in sequences[0][part].items():
            arrays = [
                plain_array(sequence[part][name], f"{show_vertex(name)} of sequence {k}")
                for k, sequence in enumerate(sequences)
            ]
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


def _length(number: int, sequences: Any) -> int:
    """Length of a sequence, which all its arrays have; they are those of the first one."""
    try:
        own, first = sequences[number], sequences[0]
        names = [[set(part) for part in pair] for pair in (own, first)]
        lengths = {np.shape(array)[0] for part in own for array in part.values()}
    except (KeyError, TypeError, AttributeError, IndexError):
        raise TypeError(
            "sequences are pairs of inputs and targets, each a mapping from vertices to arrays; "
            "write for example [({'x': x}, {'y': y}), ...]"
        ) from None
    if len(own) != 2 or names[0] != names[1]:
        raise ShapeError(
            f"sequence {number} gives arrays of {sorted(map(show_vertex, own[0] | own[-1]))}, but "
            f"sequence 0 of {sorted(map(show_vertex, first[0] | first[-1]))}"
        )
    if len(lengths) != 1:
        raise ShapeError(
            f"the arrays of sequence {number} are of different lengths, {sorted(lengths)}"
        )
    return int(lengths.pop())


def check_batched(net: Network, data: Sequences, loss: str, *, over: Any = None) -> None:
    """Refuse arrays that have no axis for the sequences, or axes of different lengths.

    Over a window also sequences that end at different steps, if the network reads later ones.
    """
    counts: dict[str, int] = {}

    def count(what: str, name: Any, given: Any, wanted: int) -> None:
        array = plain_array(given, f"the {what} of {show_vertex(name)}")
        if array.ndim != wanted:
            raise ShapeError(
                f"the {what} of {show_vertex(name)} has shape {array.shape}, without an axis of "
                "sequences, which is the second; give one, or take all at once",
                vertex=name,
                found=array.shape,
            )
        counts[f"the {what} of {show_vertex(name)}"] = array.shape[1]

    for name, given in data.inputs.items():
        op = net.graph.vertex_data[vertex_number(net.graph, name, "inputs")]["op"]
        count("input", name, given, 2 if isinstance(op, Embedding) else 3)
    for name, given in data.targets.items():
        vertex_number(net.graph, name, "targets")
        count("target", name, given, 2 if loss_called(loss).of_classes else 3)
    if data.mask is not None and np.ndim(data.mask) > 1:
        mask = plain_array(data.mask, "the mask")
        counts["the mask"] = mask.shape[1]
        if over is None or is_window(over):
            check_ends(net, mask > 0)
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{what} has {count}" for what, count in counts.items())
        raise ShapeError(f"arrays hold different numbers of sequences: {shown}")
    if 0 in counts.values():
        raise ShapeError("there are no sequences to take batches from; give at least one")
