"""Networks from files: the graph, its operations and its parameters, bit by bit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from unrollgraph.errors import FormatError, ShapeError
from unrollgraph.nn.archive import PARAMETERS, Archive, opened
from unrollgraph.nn.network import Network

__all__ = ["load", "network_of", "take_over"]

Array = NDArray[Any]


def load(path: str | os.PathLike[str], *, backend: str = "numpy") -> Network:
    """Read a network from a file that `Network.save` or `fit` wrote.

    Parameters
    ----------
    path : path
        The file.
    backend : str
        What runs it, as `Network` takes it.

    Returns
    -------
    Network
        With the parameters as they were, bit by bit.

    Raises
    ------
    FormatError
        If the file holds no network, or an operation that cannot be imported.
    OSError
        If it cannot be read.

    Notes
    -----
    Nothing is unpickled. Modules that the file names for operations of its own are imported:
    read files only from where you would take a module.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from unrollgraph import nn
    >>> path = Path(mkdtemp()) / "net.npz"
    >>> net = nn.Network(nn.architectures.seed(2, 3, 1))
    >>> net.save(path)
    >>> bool((nn.load(path).parameters["A.weight"] == net.parameters["A.weight"]).all())
    True
    """
    return network_of(opened(path), path, backend)


def network_of(archive: Archive, path: Any, backend: str = "numpy") -> Network:
    """The network of a file that was read."""
    try:
        net = Network(archive.graph, dtype=archive.dtype, backend=backend)
    except ShapeError as error:
        raise FormatError(f"{path}: no network: {error}") from None
    own = {n: a for n, a in archive.arrays.items() if n.startswith(PARAMETERS)}
    take_over(net, {n.removeprefix(PARAMETERS): a for n, a in own.items()}, path)
    return net


def take_over(net: Network, arrays: Mapping[str, Array], path: Any) -> None:
    """Write arrays into the parameters of a network, which must be of their names and shapes."""
    wrong = sorted(set(net.parameters) ^ set(arrays))
    if wrong:
        there = "has no" if wrong[0] in net.parameters else "has an unknown"
        raise FormatError(f"{path}: the file {there} parameter {wrong[0]}")
    for name, parameter in net.parameters.items():
        array = arrays[name]
        if (array.shape, array.dtype) != (parameter.shape, parameter.dtype):
            raise FormatError(
                f"{path}: the parameter {name} is {array.dtype} of shape {array.shape}, but the "
                f"network has {parameter.dtype} of shape {parameter.shape}"
            )
    for name, parameter in net.parameters.items():
        parameter[...] = arrays[name]
