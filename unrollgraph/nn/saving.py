"""Networks in files: a ``.npz`` of arrays with a JSON text among them.

The text, ``network.json``, is the delay graph as `io.node_link` writes it, whose vertices
bear their operations: a type and the fields from which it is made again. A type of this package
is named by its class, one of yours by its module and its name in there, as in
``"cells:Square"``. Parameters lie in ``parameters/``, each as an array of NumPy's format, so
that ``numpy.load`` reads them too.

A file is not trusted. Nothing is pickled and no module is imported: a type of yours must be
given by the caller, or be a subclass of `Op` in a module that is imported already. Members are
stored without compression, and arrays have the shapes that the network says, so that memory grows
with the length of the file only, whatever sizes it declares.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import struct
import sys
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import FormatError, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.io import node_link
from unrollgraph.io.files import check_suffix, read_bytes, write_whole
from unrollgraph.nn import ops
from unrollgraph.nn.lowering import lower
from unrollgraph.nn.network import Network
from unrollgraph.nn.ops import Op

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network


Array = NDArray[Any]
PAGE = "network.json"
NOTES = "fit.json"
PARAMETERS = "parameters/"
LONGEST_HEADER = 20_000  # NumPy reads headers of up to 10,000 characters
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same network, whenever it is saved


class Archive(NamedTuple):
    """A file that is open for reading.

    Attributes
    ----------
    graph : networkx.DiGraph or networkx.MultiDiGraph
        A delay graph with operations.
    dtype : str
        The type in which the network computes.
    notes : dict
        The content of a member ``fit.json``; empty without one.
    members : zipfile.ZipFile
        The arrays, to be read by `read_arrays`.
    """

    graph: Any
    dtype: str
    notes: dict[str, Any]
    members: zipfile.ZipFile


def written(net: Network, arrays: Mapping[str, Array] | None = None, notes: Any = None) -> bytes:
    """A network as the bytes of a file, with other arrays and notes if there are any."""
    pages = {PAGE: page_of(net)}
    if notes is not None:
        pages[NOTES] = json.dumps(notes)
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


def opened(
    path: str | os.PathLike[str], operations: Mapping[str, type[ops.Op]] | None = None
) -> Archive:
    """Open a file for reading.

    Parameters
    ----------
    path : path
        The file.
    operations : mapping, optional
        Classes of operations by name, for those that are not of this package.

    Raises
    ------
    FormatError
        If it is not a saved network.
    OSError
        If it cannot be read.
    """
    with _named(path):
        members = _members(read_bytes(path))
        G, dtype = _graph_of(_text(members, PAGE))
        for v, data in G.nodes(data=True):
            data["op"] = _made(data.get("op"), v, operations or {})
        notes = json.loads(_text(members, NOTES)) if NOTES in members.namelist() else {}
    return Archive(G, dtype, notes, members)


def read_graph(path: str | os.PathLike[str]) -> Any:
    """Read the delay graph of a saved network without its operations; errors as by `opened`."""
    with _named(path):
        G, _ = _graph_of(_text(_members(read_bytes(path)), PAGE))
    for _, data in G.nodes(data=True):
        data.pop("op", None)
    return G


def read_arrays(
    archive: Archive,
    prefix: str,
    expected: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]],
    path: Any,
) -> dict[str, Array]:
    """Read the arrays of a file whose names begin with a prefix.

    Parameters
    ----------
    archive : Archive
        The file.
    prefix : str
        The beginning of their names.
    expected : mapping
        Shape and type of each, by the rest of its name.
    path : path
        The file, for messages.

    Raises
    ------
    FormatError
        If there are others, or an array has another shape or type. Nothing is read then.
    """
    names = archive.members.namelist()
    own = {n[len(prefix) : -4] for n in names if n.startswith(prefix) and n.endswith(".npy")}
    what = prefix.rstrip("s/")
    if wrong := sorted(own ^ set(expected)):
        there = "has no" if wrong[0] in expected else "has an unknown"
        raise FormatError(f"{path}: the file {there} {what} {wrong[0]}")
    arrays = {}
    with _named(path):
        for name, (shape, dtype) in expected.items():
            data = _read(archive.members, f"{prefix}{name}.npy")
            found = _header(data, f"{prefix}{name}.npy")[:2]
            if found != (shape, dtype):
                raise FormatError(
                    f"the {what} {name} is {found[1]} of shape {found[0]}, but the network has "
                    f"{dtype} of shape {shape}"
                )
            arrays[name] = array_of(data, f"{prefix}{name}.npy")
    return arrays


def array_of(data: bytes, name: str) -> Array:
    """Read an array in NumPy's format, of no more memory than the data.

    Raises
    ------
    FormatError
        If the data is not such an array, or its header does not fit its length.
    """
    shape, dtype, columns, start = _header(data, name)
    if dtype.hasobject:
        raise FormatError(f"{name} holds Python objects, which are not read")
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise FormatError(f"{name} is damaged: its shape is {shape}, which its length does not fit")
    try:
        flat = np.frombuffer(data, dtype, offset=start) if len(data) > start else np.empty(0, dtype)
        array: Array = flat.reshape(shape, order="F" if columns else "C").copy()
    except ValueError as error:  # an axis of 0 beside one of 10**20
        raise FormatError(f"{name} is not an array: {error}") from None
    return array


def arrays_of(data: bytes) -> dict[str, Array]:
    """Read all arrays of a ``.npz`` that NumPy wrote, compressed or not; errors as by `array_of`.

    A member is read if it is as long as its header says.
    """
    arrays = {}
    members = _members(data)
    with _damaged():
        for info in members.infolist():
            if not info.filename.endswith(".npy"):
                continue
            with members.open(info) as file:
                shape, dtype, _, start = _header(file.read(LONGEST_HEADER), info.filename)
            if info.file_size != start + math.prod(shape) * dtype.itemsize:
                raise FormatError(f"{info.filename} is damaged: its shape {shape} does not fit it")
            name = info.filename.removesuffix(".npy")
            arrays[name] = array_of(members.read(info), info.filename)
    return arrays


def _header(data: bytes, name: str) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    """Shape, type, order of an array in NumPy's format, and where its entries begin."""
    file = io.BytesIO(data)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        if version not in read:
            raise ValueError(f"version {version} of the format is not read")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, columns, dtype = read[version](file)
    except Exception as error:  # the parser is Python's own and raises errors of many kinds
        reason = f"{error!s:.200}".splitlines() or [type(error).__name__]
        raise FormatError(f"{name} is not an array: {reason[0]}") from None
    if any(type(length) is not int or length < 0 for length in shape):
        raise FormatError(f"{name} is not an array: its shape is {shape}")
    return shape, dtype, columns, file.tell()


@contextmanager
def _named(path: Any) -> Iterator[None]:
    """Name the file in errors about its content."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{path}: not a saved network: {error}") from None
    except (ValueError, RecursionError) as error:  # of JSON, of text, of long integers
        raise FormatError(f"{path}: not a saved network: {str(error).partition(';')[0]}") from None


def _members(data: bytes) -> zipfile.ZipFile:
    """Open a file of members; `FormatError` if it is damaged."""
    with _damaged():
        file = zipfile.ZipFile(io.BytesIO(data))
        names = file.namelist()
    if len(set(names)) < len(names):
        raise FormatError("a member occurs twice in it")
    return file


def _read(members: zipfile.ZipFile, name: str) -> bytes:
    """Read a member, which must be stored without compression."""
    info = members.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise FormatError(f"{name} is compressed; save the network with nn.save(net, path)")
    with _damaged():
        data = members.read(name)
    return data  # noqa: RET504  (to mypy, a context may have caught an error)


def _text(members: zipfile.ZipFile, name: str) -> str:
    if name not in members.namelist():
        raise FormatError(f"there is no {name} in it; save a network with nn.save(net, path)")
    return _read(members, name).decode("utf-8")


@contextmanager
def _damaged() -> Iterator[None]:
    """Turn what `zipfile` raises for streams, flags and lengths into a `FormatError`."""
    try:
        yield
    except FormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError) as error:
        raise FormatError(str(error)) from None
    except (NotImplementedError, RuntimeError, ValueError, OverflowError) as error:
        raise FormatError(str(error)) from None


def _graph_of(page: str) -> tuple[Any, str]:
    """The graph of a text, whose operations are not made, and the type of numbers."""
    G = node_link.loads(page)
    found = G.graph.pop("network", None)
    dtype = found.get("dtype") if isinstance(found, dict) else None
    if not isinstance(dtype, str) or dtype not in {"float64", "float32"}:
        raise FormatError(f'{PAGE} names no "network" of a "dtype" float64 or float32')
    return G, dtype


# -- operations ------------------------------------------------------------------------------


def _described(op: Any, vertex: Any) -> dict[str, Any]:
    """Type and fields of an operation."""
    kind = type(op)
    where = f"the operation of {show_vertex(vertex)} is of the class {kind.__qualname__}, which"
    if kind is ops.BUILT_IN.get(kind.__name__):
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


def _made(found: Any, vertex: Any, operations: Mapping[str, type[ops.Op]]) -> Any:
    """An operation from its type and fields."""
    where = f"the operation of {show_vertex(vertex)}"
    if not isinstance(found, dict) or set(found) != {"type", "fields"}:
        raise FormatError(f'{where} is {found!r:.60}, not an object of "type" and "fields"')
    name, fields = found["type"], found["fields"]
    if not isinstance(name, str) or not isinstance(fields, dict):
        raise FormatError(f"{where} has the type {name!r:.60} and the fields {fields!r:.60}")
    kind = _class_called(name, operations)
    if kind is None:
        raise FormatError(
            f"{where} is {name!r:.60}, which is not an operation of this package; import its "
            "module before, or give the class: nn.load(path, operations={"
            f"{name.rpartition(':')[2]!r:.60}: ...}})"
        )
    if not (isinstance(kind, type) and issubclass(kind, ops.Op)):
        raise FormatError(f"{where} is {name!r:.60}, which is not a subclass of nn.Op")
    try:
        return kind(**fields)
    except Exception as error:  # whatever an operation raises for fields of any kind
        raise FormatError(f"{where}, {name}, cannot be made: {error!s:.200}") from None


def _class_called(name: str, operations: Mapping[str, type[ops.Op]]) -> Any:
    """A class by its name; None if it is not known. Nothing is imported."""
    module, colon, own = name.rpartition(":")
    for known in (name, own):
        if known in operations:
            return operations[known]
    if not colon:
        return ops.BUILT_IN.get(name)
    # through dicts, since a module may import others when an attribute is missing
    found: Any = sys.modules.get(module)
    for part in own.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found


def save(net: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, whole or not at all.

    Parameters
    ----------
    net : Network
        A network.
    path : path
        A file whose suffix is ``.npz``; `nn.load` reads it, and `numpy.load` its arrays.

    Raises
    ------
    FormatError
        If the suffix is another, or a file cannot hold it: a vertex that is no string,
        integer or tuple of those, or an operation that stands in no module or does not tell
        its fields.
    OSError
        If the file cannot be written; what stood there before still does.

    Notes
    -----
    The same network gives the same bytes. Of attributes, operations, delays and orders are
    kept; the backend is not.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from unrollgraph import nn
    >>> path = Path(mkdtemp()) / "net.npz"
    >>> nn.save(nn.Network(nn.architectures.seed(2, 3, 1)), path)
    >>> nn.load(path)
    <Network of 5 vertices, 46 parameters>
    """
    check_suffix(path, ".npz", "a saved network")
    write_whole(path, written(net))


def load(
    path: str | os.PathLike[str],
    *,
    backend: str = "numpy",
    operations: Mapping[str, type[Op]] | None = None,
) -> Network:
    """Read a network from a file that `save` or `fit` wrote.

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
    >>> nn.save(net, path)
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
