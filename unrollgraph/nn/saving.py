"""Networks in ``.npz`` files.

The member ``network.json`` has the delay graph in the format of `io.node_link`, with type and
fields of each operation. The type is a class name, with the module if it is not of this package,
such as ``"cells:Square"``. Members in ``parameters/`` are arrays in NumPy's format, so that
``numpy.load`` reads them too.

Files need not be trusted. Nothing is unpickled or imported: a custom class must be passed by the
caller, or be a subclass of `Op` in an imported module. Members are not compressed and arrays must
have the shapes that the network requires, so the memory is proportional to the length of the file,
not to declared sizes.
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

from unrollgraph.errors import FormatError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.io import node_link
from unrollgraph.io.files import check_suffix, read_bytes, write_whole
from unrollgraph.nn import ops
from unrollgraph.nn.lowering import lower
from unrollgraph.nn.network import Network, check_network
from unrollgraph.nn.ops import Op

if TYPE_CHECKING:
    from unrollgraph.nn.network import Network, check_network


Array = NDArray[Any]
PAGE = "network.json"
NOTES = "fit.json"
PARAMETERS = "parameters/"
LONGEST_HEADER = 20_000  # NumPy reads headers of up to 10,000 characters
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # a fixed date: the same network gives the same bytes


class Archive(NamedTuple):
    """A saved network that is open for reading."""

    graph: Any  # the delay graph, with operations
    dtype: str
    notes: dict[str, Any]  # the content of fit.json; empty if there is no such member
    members: zipfile.ZipFile  # the arrays, for read_arrays


def written(net: Network, arrays: Mapping[str, Array] | None = None, notes: Any = None) -> bytes:
    """Return the bytes of a file with a network and optional further arrays and notes."""
    pages = {PAGE: page_of(net)}
    if notes is not None:
        pages[NOTES] = json.dumps(notes)
    named = {f"{PARAMETERS}{name}": array for name, array in net.parameters.items()}
    return packed({**named, **(arrays or {})}, pages)


def packed(arrays: Mapping[str, Array], pages: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return the bytes of a ``.npz`` file of arrays and texts."""
    members = {name: text.encode("utf-8") for name, text in pages.items()}
    for name, array in arrays.items():
        if "\0" in name:
            raise FormatError(
                f"cannot save an array with the name {name!r}, which has a null character; rename "
                "the vertex"
            )
        page = io.BytesIO()
        np.lib.format.write_array(page, np.asarray(array, order="C"), allow_pickle=False)
        members[f"{name}.npy"] = page.getvalue()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        for name, data in members.items():
            whole.writestr(zipfile.ZipInfo(name, _LONG_AGO), data)
    return file.getvalue()


def page_of(net: Network) -> str:
    """Return the JSON text of a network."""
    graph = net.delay_graph
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
    """Open a saved network for reading; raise `FormatError` if it is not one."""
    with _named(path):
        members = _members(read_bytes(path))
        G, dtype = _graph_of(_text(members, PAGE))
        for v, data in G.nodes(data=True):
            data["op"] = _made(data.get("op"), v, operations or {})
        notes = json.loads(_text(members, NOTES)) if NOTES in members.namelist() else {}
    return Archive(G, dtype, notes, members)


def read_graph(path: str | os.PathLike[str]) -> Any:
    """Read the delay graph of a saved network, without operations; see `opened`."""
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
    """Read the arrays under ``prefix``; `FormatError` if they are not those expected."""
    names = archive.members.namelist()
    own = {n[len(prefix) : -4] for n in names if n.startswith(prefix) and n.endswith(".npy")}
    if wrong := sorted(own ^ set(expected)):
        problem = "is missing" if wrong[0] in expected else "is not expected"
        raise FormatError(
            f"{path}: the array {prefix + wrong[0]!r} {problem}; the file belongs to another "
            "network or optimizer"
        )
    arrays = {}
    with _named(path):
        for name, (shape, dtype) in expected.items():
            data = _read(archive.members, f"{prefix}{name}.npy")
            found = _header(data, f"{prefix}{name}.npy")[:2]
            if found != (shape, dtype):
                raise FormatError(
                    f"the array {prefix + name!r} is {found[1]} of shape {found[0]}, but must be "
                    f"{dtype} of shape {shape}"
                )
            arrays[name] = array_of(data, f"{prefix}{name}.npy")
    return arrays


def array_of(data: bytes, name: str) -> Array:
    """Read an array in NumPy's format; `FormatError` if it is damaged."""
    shape, dtype, columns, start = _header(data, name)
    if dtype.hasobject:
        raise FormatError(f"{name} has Python objects, which are not loaded")
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise FormatError(f"{name} is damaged: its length does not match its shape {shape}")
    try:
        flat = np.frombuffer(data, dtype, offset=start) if len(data) > start else np.empty(0, dtype)
        array: Array = flat.reshape(shape, order="F" if columns else "C").copy()
    except ValueError as error:  # such as for the shape (0, 10**20)
        raise FormatError(f"{name} is not an array: {error}") from None
    return array


def arrays_of(data: bytes) -> dict[str, Array]:
    """Read all arrays of a ``.npz`` file, compressed or not; see `array_of`."""
    arrays = {}
    members = _members(data)
    with _damaged():
        for info in members.infolist():
            if not info.filename.endswith(".npy"):
                continue
            with members.open(info) as file:
                shape, dtype, _, start = _header(file.read(LONGEST_HEADER), info.filename)
            if info.file_size != start + math.prod(shape) * dtype.itemsize:
                raise FormatError(
                    f"{info.filename} is damaged: its length does not match its shape {shape}"
                )
            name = info.filename.removesuffix(".npy")
            arrays[name] = array_of(members.read(info), info.filename)
    return arrays


def _header(data: bytes, name: str) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    """Shape, dtype, order and start of the entries of an array in NumPy's format."""
    file = io.BytesIO(data)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        if version not in read:
            raise ValueError(f"version {version} of the format is not supported")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers that Python 2 wrote
            shape, columns, dtype = read[version](file)
    except Exception as error:  # Python's parser raises many kinds of errors
        reason = f"{error!s:.200}".splitlines() or [type(error).__name__]
        raise FormatError(f"{name} is not an array: {reason[0]}") from None
    if any(type(length) is not int or length < 0 for length in shape):
        raise FormatError(f"{name} is not an array: its shape is {shape}")
    return shape, dtype, columns, file.tell()


@contextmanager
def _named(path: Any) -> Iterator[None]:
    """Add the path of the file to errors about its content."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{path}: not a saved network: {error}") from None
    except (ValueError, RecursionError) as error:  # from JSON, text encodings or long integers
        raise FormatError(f"{path}: not a saved network: {str(error).partition(';')[0]}") from None


def _members(data: bytes) -> zipfile.ZipFile:
    """Open the bytes of a zip file; `FormatError` if it is damaged."""
    with _damaged():
        file = zipfile.ZipFile(io.BytesIO(data))
        names = file.namelist()
    if len(set(names)) < len(names):
        raise FormatError("two members have the same name")
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
        raise FormatError(f"there is no member {name}; save a network with nn.save(net, path)")
    return _read(members, name).decode("utf-8")


@contextmanager
def _damaged() -> Iterator[None]:
    """Raise `FormatError` for the errors of `zipfile` about damaged files."""
    try:
        yield
    except FormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError) as error:
        raise FormatError(str(error)) from None
    except (NotImplementedError, RuntimeError, ValueError, OverflowError) as error:
        raise FormatError(str(error)) from None


def _graph_of(page: str) -> tuple[Any, str]:
    """Graph of a JSON text, with descriptions of its operations, and the dtype."""
    G = node_link.loads(page)
    found = G.graph.pop("network", None)
    dtype = found.get("dtype") if isinstance(found, dict) else None
    if not isinstance(dtype, str) or dtype not in {"float64", "float32"}:
        raise FormatError(f'{PAGE} must have a "network" with a "dtype" of float64 or float32')
    return G, dtype


# -- operations ------------------------------------------------------------------------------


def _described(op: Any, vertex: Any) -> dict[str, Any]:
    """Type and fields of an operation."""
    kind = type(op)
    where = f"cannot save the operation of {vertex!r}: its class {kind.__qualname__}"
    if kind is ops.BUILT_IN.get(kind.__name__):
        name = kind.__name__
    else:
        name = f"{kind.__module__}:{kind.__qualname__}"
        if kind.__module__ == "__main__" or "<locals>" in name:
            raise FormatError(
                f"{where} is not at the top level of a module that can be imported; move it to "
                "such a module"
            )
    if dataclasses.is_dataclass(op):
        fields = {f.name: _number(getattr(op, f.name)) for f in dataclasses.fields(op) if f.init}
    elif vars(op):
        raise FormatError(
            f"{where} has attributes, but is not a dataclass; decorate it with "
            "dataclasses.dataclass"
        )
    else:
        fields = {}
    return {"type": name, "fields": fields}


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _made(found: Any, vertex: Any, operations: Mapping[str, type[ops.Op]]) -> Any:
    """Create an operation from its type and fields."""
    where = f"the operation of {vertex!r}"
    if not isinstance(found, dict) or set(found) != {"type", "fields"}:
        raise FormatError(f'{where} is {found!r:.60}, not an object with "type" and "fields"')
    name, fields = found["type"], found["fields"]
    if not isinstance(name, str) or not isinstance(fields, dict):
        raise FormatError(
            f"{where} has the type {name!r:.60} and the fields {fields!r:.60}; they must be a "
            "string and an object"
        )
    kind = _class_called(name, operations)
    if kind is None:
        raise FormatError(
            f"{where} is {name!r:.60}, which is not an operation of this package; import its "
            "module first, or pass the class: nn.load(path, operations={"
            f"{name.rpartition(':')[2]!r:.60}: ...}})"
        )
    if not (isinstance(kind, type) and issubclass(kind, ops.Op)):
        raise FormatError(f"{where} is {name!r:.60}, which is not a subclass of nn.Op")
    try:
        return kind(**fields)
    except Exception as error:  # an operation may raise any error for wrong fields
        raise FormatError(f"{where}, {name}, cannot be created: {error!s:.200}") from None


def _class_called(name: str, operations: Mapping[str, type[ops.Op]]) -> Any:
    """Return a class by its name, or None; nothing is imported."""
    module, colon, own = name.rpartition(":")
    for known in (name, own):
        if known in operations:
            return operations[known]
    if not colon:
        return ops.BUILT_IN.get(name)
    # from __dict__, because a module's __getattr__ may import other modules
    found: Any = sys.modules.get(module)
    for part in own.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found


def save(net: Network, path: str | os.PathLike[str]) -> None:
    """Save a network to a file.

    Parameters
    ----------
    net : Network
        The network.
    path : path
        A ``.npz`` file. `nn.load` reads it, and `numpy.load` reads its arrays.

    Raises
    ------
    FormatError
        If the suffix is another one, a vertex is not a string, an integer or a tuple of these, or
        an operation cannot be saved: its class must be importable, and a dataclass if it has
        attributes.
    OSError
        If the file cannot be written; an existing file is then unchanged.

    Notes
    -----
    The same network gives the same bytes. The backend, and attributes other than operations, delays
    and orders, are not saved.

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
    check_network(net)
    check_suffix(path, ".npz", "a saved network")
    write_whole(path, written(net))


def load(
    path: str | os.PathLike[str],
    *,
    backend: str = "numpy",
    operations: Mapping[str, type[Op]] | None = None,
) -> Network:
    """Load a network from a file that `save` or `fit` wrote.

    Parameters
    ----------
    path : path
        The file.
    backend : {"numpy", "numba"}
        Backend of the network, as in `Network`.
    operations : mapping, optional
        Classes of custom operations, by the name in the file, such as ``"cells:Square"`` or
        ``"Square"`` (default: classes in modules that are already imported).

    Returns
    -------
    Network
        With bitwise the same parameters.

    Raises
    ------
    FormatError
        If the file is not a saved network, or has an unknown operation.
    OSError
        If the file cannot be read.

    Notes
    -----
    The file need not be trusted: nothing is unpickled or imported, and the memory is proportional
    to its length. Custom operations are created from the fields in the file.

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
            f"operations must be a mapping from names to classes, not {show_kind(operations)}"
        )
    return network_of(opened(path, operations), path, backend)


def network_of(archive: Archive, path: Any, backend: str = "numpy") -> Network:
    """Create the network of an open file."""
    dtype = np.dtype(archive.dtype)
    try:
        parameters = lower(DelayGraph(archive.graph)).parameters
    except Exception as error:  # an operation may raise any error for wrong sizes
        reason = str(error) or f"an operation raises {type(error).__name__}"
        raise FormatError(f"{path}: not a saved network: {reason}") from None
    # read before the network allocates memory, because a file may declare any size
    expected = {name: (p.shape, dtype) for name, p in parameters.items()}
    arrays = read_arrays(archive, PARAMETERS, expected, path)
    net = Network(archive.graph, dtype=dtype, backend=backend)
    for name, parameter in net.parameters.items():
        parameter[...] = arrays[name]
    return net


def take_over(net: Network, archive: Archive, prefix: str, path: Any) -> None:
    """Set the parameters of a network to the arrays of a file, which have the same shapes."""
    expected = {name: (p.shape, p.dtype) for name, p in net.parameters.items()}
    for name, array in read_arrays(archive, prefix, expected, path).items():
        net.parameters[name][...] = array
