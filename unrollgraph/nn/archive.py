"""Networks in files: a ``.npz`` of arrays, with a page of JSON among them.

The page, ``network.json``, is the delay graph as `graph.node_link` writes it, whose vertices
bear their operations: a type and the fields from which it is made again. A type of this package
is named by its class, one of yours by its module and its name in there, as in
``"cells:Square"``. Parameters lie in ``parameters/``, each as an array of NumPy's format, so
that ``numpy.load`` reads them too. Nothing is pickled, and nothing in a file is run but the
import of the modules that it names and the making of operations that are subclasses of `Op`.
"""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import FormatError, show_vertex
from unrollgraph.graph import node_link
from unrollgraph.nn import ops

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network

__all__ = ["PARAMETERS", "Archive", "opened", "packed", "page_of", "written"]

Array = NDArray[Any]
PAGE = "network.json"
PARAMETERS = "parameters/"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same network, whenever it is saved


class Archive(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    graph : networkx.DiGraph or networkx.MultiDiGraph
        A delay graph with operations.
    dtype : str
        In what is computed.
    arrays : dict
        All arrays, by their names in the file.
    notes : dict
        What else is written on a page ``fit.json``; empty without one.
    """

    graph: Any
    dtype: str
    arrays: dict[str, Array]
    notes: dict[str, Any]


def written(net: Network, arrays: Mapping[str, Array] | None = None, notes: Any = None) -> bytes:
    """A network as the bytes of a file, with other arrays and notes if there are any."""
    pages = {PAGE: page_of(net)}
    if notes is not None:
        pages["fit.json"] = json.dumps(notes)
    named = {f"{PARAMETERS}{name}": array for name, array in net.parameters.items()}
    return packed({**named, **(arrays or {})}, pages)


def packed(arrays: Mapping[str, Array], pages: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Arrays and pages of text as the bytes of a file."""
    members = {name: text.encode("utf-8") for name, text in pages.items()}
    for name, array in arrays.items():
        if "\0" in name:
            raise FormatError(f"a file cannot hold an array named {name!r}; rename the vertex")
        page = io.BytesIO()
        np.lib.format.write_array(page, np.asarray(array, order="C"), allow_pickle=False)
        members[f"{name}.npy"] = page.getvalue()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        for name, data in members.items():
            whole.writestr(zipfile.ZipInfo(name, _LONG_AGO), data)
    return file.getvalue()


def page_of(net: Network) -> str:
    """The page of JSON of a network."""
    graph = net.graph
    G: Any = nx.MultiDiGraph() if graph.multigraph else nx.DiGraph()
    G.graph["network"] = {"dtype": net.dtype.name}
    for v, data in zip(graph.vertices, graph.vertex_data, strict=True):
        G.add_node(v, op=_described(data["op"], v))
    for edge, data, time in zip(graph.edges, graph.edge_data, graph.times, strict=True):
        order = {"order": data["order"]} if "order" in data else {}
        G.add_edge(*edge, delay=time, **order)
    return node_link.dumps(G)


def opened(path: str | os.PathLike[str]) -> Archive:
    """Read a file.

    Raises
    ------
    FormatError
        If it is no saved network.
    OSError
        If it cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        members = _members(data)
        if PAGE not in members:
            raise FormatError(f"there is no {PAGE} in it; save a network with net.save(path)")
        G, dtype = _graph_of(members[PAGE].decode("utf-8"))
        arrays = {
            name.removesuffix(".npy"): _array(name, member)
            for name, member in members.items()
            if name.endswith(".npy")
        }
        notes = json.loads(members.get("fit.json", b"{}"))
    except (FormatError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FormatError(f"{path}: no saved network: {error}") from None
    return Archive(G, dtype, arrays, notes)


def _members(data: bytes) -> dict[str, bytes]:
    """The members of a file, by name; `FormatError` if it is spoilt."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return {name: file.read(name) for name in file.namelist()}
    # besides its own error, what that module passes on of streams, flags and lengths
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise FormatError(str(error)) from None
    except (NotImplementedError, RuntimeError, ValueError, struct.error) as error:
        raise FormatError(str(error)) from None


def _array(name: str, data: bytes) -> Array:
    """An array of a file, none of whose entries is an object."""
    try:
        array: Array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise FormatError(f"{name} holds no array: {error}") from None
    return array


def _graph_of(page: str) -> tuple[Any, str]:
    """The graph of a page of JSON, with its operations."""
    G = node_link.loads(page)
    found = G.graph.pop("network", None)
    dtype = found.get("dtype") if isinstance(found, dict) else None
    if dtype not in {"float64", "float32"}:
        raise FormatError(f'{PAGE} names no "network" of a "dtype" float64 or float32')
    for v, data in G.nodes(data=True):
        data["op"] = _made(data.get("op"), v)
    return G, str(dtype)


# -- operations ------------------------------------------------------------------------------


def _described(op: Any, vertex: Any) -> dict[str, Any]:
    """Type and fields of an operation."""
    kind = type(op)
    where = f"the operation of {show_vertex(vertex)} is of the class {kind.__qualname__}, which"
    if kind.__name__ in ops.__all__ and kind is getattr(ops, kind.__name__):
        name = kind.__name__
    else:
        name = f"{kind.__module__}:{kind.__qualname__}"
        if kind.__module__ == "__main__" or "<locals>" in name:
            raise FormatError(
                f"{where} a file cannot name, since it stands in no module that can be imported; "
                "move the class to the top of a module of its own"
            )
    if dataclasses.is_dataclass(op):
        fields = {f.name: _number(getattr(op, f.name)) for f in dataclasses.fields(op) if f.init}
    elif vars(op):
        raise FormatError(
            f"{where} a file cannot hold, since nothing says from what it is made; decorate the "
            "class with dataclasses.dataclass"
        )
    else:
        fields = {}
    return {"type": name, "fields": fields}


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _made(found: Any, vertex: Any) -> Any:
    """An operation from its type and fields."""
    where = f"the operation of {show_vertex(vertex)}"
    if not isinstance(found, dict) or set(found) != {"type", "fields"}:
        raise FormatError(f'{where} is {found!r}, not an object of "type" and "fields"')
    name, fields = found["type"], found["fields"]
    if not isinstance(name, str) or not isinstance(fields, dict):
        raise FormatError(f"{where} has the type {name!r} and the fields {fields!r}")
    try:
        kind = _class_called(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise FormatError(
            f"{where} is {name}, which cannot be imported: {error}; make it importable"
        ) from None
    if not (isinstance(kind, type) and issubclass(kind, ops.Op)):
        raise FormatError(f"{where} is {name}, which is no subclass of nn.Op")
    try:
        return kind(**fields)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{where}, {name}, cannot be made: {error}") from None


def _class_called(name: str) -> Any:
    """A class by its name: one of this package, or ``module:name``."""
    module, colon, own = name.rpartition(":")
    if not colon:
        if name not in ops.__all__:
            raise ValueError("it is no operation of this package")
        return getattr(ops, name)
    found: Any = importlib.import_module(module)
    for part in own.split("."):
        found = getattr(found, part)
    return found
