"""Networks from files: the graph, its operations and its parameters, bit by bit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from unrollgraph.errors import FormatError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn.archive import PARAMETERS, Archive, opened, read_arrays
from unrollgraph.nn.lowering import lower
from unrollgraph.nn.network import Network
from unrollgraph.nn.ops import Op


def load(
    path: str | os.PathLike[str],
    *,
    backend: str = "numpy",
    operations: Mapping[str, type[Op]] | None = None,
) -> Network:
    """Read a network from a file that `Network.save` or `fit` wrote.

    Parameters
    ----------
    path : path
        The file.
    backend : str
        What runs it, as `Network` takes it.
    operations : mapping, optional
        Classes of operations that are not of this package, by the name that the file gives
        them, such as ``"cells:Square"`` or ``"Square"``. By default they are looked up in modules
        that are imported already.

    Returns
    -------
    Network
        With the parameters as they were, bit by bit.

    Raises
    ------
    FormatError
        If the file is not a saved network, or has an operation that is not known.
    OSError
        If it cannot be read.

    Notes
    -----
    A file need not be trusted: nothing is unpickled or imported, and memory grows with the length
    of the file only, whatever sizes it declares. An operation of yours is made from the fields in
    the file.

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
    if operations is not None and not isinstance(operations, Mapping):
        raise TypeError(
            f"operations is a mapping from names to classes, not {show_kind(operations)}"
        )
    return network_of(opened(path, operations), path, backend)


def network_of(archive: Archive, path: Any, backend: str = "numpy") -> Network:
    """Make the network of a file that was opened."""
    dtype = np.dtype(archive.dtype)
    try:
        parameters = lower(DelayGraph(archive.graph)).parameters
    except Exception as error:  # whatever an operation raises for sizes of any kind
        reason = str(error) or f"an operation raises {type(error).__name__}"
        raise FormatError(f"{path}: not a saved network: {reason}") from None
    # before the network allocates them: a file may say any size
    expected = {name: (p.shape, dtype) for name, p in parameters.items()}
    arrays = read_arrays(archive, PARAMETERS, expected, path)
    net = Network(archive.graph, dtype=dtype, backend=backend)
    for name, parameter in net.parameters.items():
        parameter[...] = arrays[name]
    return net


def take_over(net: Network, archive: Archive, prefix: str, path: Any) -> None:
    """Write the arrays of a file into the parameters of a network of the same shapes."""
    expected = {name: (p.shape, p.dtype) for name, p in net.parameters.items()}
    for name, array in read_arrays(archive, prefix, expected, path).items():
        net.parameters[name][...] = array
