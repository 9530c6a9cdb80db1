"""Copying of parameters between networks, modules of PyTorch and dictionaries of arrays."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import ShapeError, show_kind
from unrollgraph.nn.network import Network


def copy_parameters(source: Any, target: Any) -> None:
    """Copy all parameters from one object to another, by their names.

    Parameters
    ----------
    source, target : Network, torch.nn.Module or mapping
        A module as `to_torch` returns it, or a mapping from names to arrays, such as the
        parameters of `to_jax`. The arrays of a target mapping are replaced by NumPy arrays. The
        source may also be the array of all parameters of `to_jax` with ``packed=True``, if the
        target is a network.

    Raises
    ------
    ShapeError
        If names or shapes differ; nothing is copied then.
    TypeError
        If an object is of another type.

    Examples
    --------
    >>> from unrollgraph import nn
    >>> G = nn.architectures.seed(2, 3, 1)
    >>> net, other = nn.Network(G, seed=0), nn.Network(G, seed=1)
    >>> nn.copy_parameters(net, other)
    >>> bool((net.parameters["A.weight"] == other.parameters["A.weight"]).all())
    True
    """
    if isinstance(target, Network) and hasattr(source, "shape"):
        packing, flat = target.plans.packing, np.asarray(source)
        if flat.shape != (packing.size,):
            raise ShapeError(
                f"the array of all parameters must have shape {(packing.size,)}, not {flat.shape}"
            )
        source = packing.views(flat)
    given, wanted = _arrays(source, "source"), _arrays(target, "target")
    if wrong := sorted(map(repr, given.keys() ^ wanted.keys())):
        raise ShapeError(f"source and target must have the same parameters; differing: {wrong}")
    for name, array in given.items():
        if array.shape != wanted[name].shape:
            raise ShapeError(
                f"the parameter {name!r} has shape {array.shape} in the source, but "
                f"{wanted[name].shape} in the target",
                expected=wanted[name].shape,
                found=array.shape,
            )
    for name, array in given.items():
        if isinstance(target, MutableMapping):
            target[name] = array.astype(wanted[name].dtype)
        elif isinstance(target, Network):
            target.parameters[name][...] = array
        else:
            parameter = target.get_parameter(name).data
            parameter.copy_(parameter.new_tensor(array))


def _arrays(holder: Any, what: str) -> dict[str, NDArray[Any]]:
    """Return the parameters of an object as NumPy arrays."""
    if isinstance(holder, Network):
        return dict(holder.parameters)
    if isinstance(holder, Mapping):
        return {name: np.asarray(array) for name, array in holder.items()}
    if hasattr(holder, "named_parameters"):
        return {name: p.detach().cpu().numpy() for name, p in holder.named_parameters()}
    raise TypeError(
        f"{what} must be an nn.Network, a torch.nn.Module or a mapping from names to arrays, not "
        f"{show_kind(holder)}"
    )
