"""Read and write graphs in the format given by the suffix of the file.

The suffixes are ``.json`` (`node_link`), ``.csv`` and ``.tsv`` (`tables`), ``.gml`` (`gml`),
``.graphml`` (`graphml`) and ``.dot`` (`dot`, write only).

A graph that a format cannot represent exactly is not written. Reading evaluates no code, resolves
no entities and fetches no files. Files are written to a temporary file in the same folder, which
then replaces the old file; temporary files of killed processes are removed by the next write.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import networkx as nx

from unrollgraph.errors import FormatError
from unrollgraph.graph.delay_graph import GraphLike
from unrollgraph.io import dot, gml, graphml, node_link, tables

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".unrollgraph-"


def check_suffix(path: str | os.PathLike[str], suffix: str, what: str) -> None:
    """Raise `FormatError` if a file name does not have the required suffix."""
    if Path(path).suffix.lower() != suffix:
        better = Path(path).with_suffix(suffix).name
        raise FormatError(f"{path}: {what} must have the suffix {suffix}; name it {better}")


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a file; `FormatError` if the path is invalid, `OSError` if it cannot be read."""
    with _path_as_given(path):
        return Path(path).read_bytes()


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file atomically, with the permissions of the old file; also to a pipe or device.

    `FormatError` if the path is invalid, `OSError` if it cannot be written.
    """
    with _path_as_given(path):
        target = Path(path).resolve()
        if target.is_symlink():  # a loop of links; Python before 3.13 raises RuntimeError
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        _replace(target, data)


@contextmanager
def _path_as_given(path: str | os.PathLike[str]) -> Iterator[None]:
    """Re-raise errors with the path of the user; `FormatError` if the path is invalid."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    except RuntimeError:  # from `Path.resolve`
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    except ValueError as error:  # a NUL character, or an unpaired surrogate
        text = str(error).partition(":")[0]
        raise FormatError(f"invalid file name {str(path)!r:.60}: {text}") from None


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(data)
        return
    _remove_left_behind(path.parent)
    handle, name = _temporary(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
            if fcntl:  # while the lock prevents its removal by other writers
                Path(name).replace(path)
        if not fcntl:
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _temporary(folder: Path) -> tuple[int, str]:
    """Make a temporary file that is locked while it is open."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX)
        if not fcntl:
            return handle, name
        with suppress(OSError):  # without locks, other writers do not remove files either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, name
        os.close(handle)  # another writer removed it before it was locked


def _remove_left_behind(folder: Path) -> None:
    """Remove unlocked temporary files of earlier writers."""
    if not fcntl:
        return
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


_Codec = TypeVar("_Codec")

READERS: dict[str, Callable[..., nx.DiGraph[Any]]] = {
    ".json": node_link.loads,
    ".csv": tables.loads,
    ".tsv": tables.loads,
    ".gml": gml.loads,
    ".graphml": graphml.loads,
}
DELIMITERS = {".csv": ",", ".tsv": "\t"}
WRITERS: dict[str, Callable[[Any, str], str]] = {
    ".json": node_link.dumps,
    ".csv": lambda G, delay: tables.dumps(G, ",", delay),
    ".tsv": lambda G, delay: tables.dumps(G, "\t", delay),
    ".gml": gml.dumps,
    ".graphml": graphml.dumps,
    ".dot": dot.dumps,
}


def read(
    path: str | os.PathLike[str],
    *,
    delay: str = "delay",
    source: str | None = None,
    target: str | None = None,
) -> nx.DiGraph[Any]:
    """Read a delay graph from a file.

    Parameters
    ----------
    path : path
        File with the suffix ``.json``, ``.csv``, ``.tsv``, ``.gml`` or ``.graphml``.
    delay : str
        Edge attribute of the delays, or column of the delays in an edge list.
    source, target : str, optional
        Columns of the ends of edges in an edge list (``.csv``, ``.tsv``); default: ``source`` or
        ``from``, and ``target`` or ``to``, in any case.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        The delay graph.

    Raises
    ------
    FormatError
        If the suffix is unknown, the file does not contain a delay graph, or ``delay`` is not
        the default and no edge has this attribute.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import unrollgraph as ug
    >>> path = Path(mkdtemp()) / "seed.csv"
    >>> ug.io.write(ug.gallery.seed_network(), path)
    >>> print(path.read_text())
    source,target,delay
    in,A,0
    A,B,0
    B,C,0
    C,A,1
    C,out,0
    <BLANKLINE>
    >>> ug.is_retiming(ug.io.read(path), ug.gallery.seed_network())
    True
    """
    path = Path(path)
    loads = _chosen(READERS, path, "read")
    delimiter = DELIMITERS.get(path.suffix.lower())
    if delimiter is None and (source, target) != (None, None):
        raise FormatError(f"{path}: source and target are used for .csv and .tsv files only")
    try:
        text = io.TextIOWrapper(io.BytesIO(read_bytes(path)), encoding="utf-8-sig").read()
    except UnicodeDecodeError:
        raise FormatError(f"{path}: not a text file in UTF-8") from None
    try:
        if delimiter is None:
            return loads(text, delay)
        return loads(text, delimiter, delay, source, target)
    except ValueError as error:  # FormatError, DelayError
        raise FormatError(f"{path}: {error}") from None


def write(G: GraphLike, path: str | os.PathLike[str], *, delay: str = "delay") -> None:
    """Write a delay graph, or a lift, to a file.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    path : path
        File with the suffix ``.json``, ``.csv``, ``.tsv``, ``.gml``, ``.graphml`` or ``.dot``;
        an old file is replaced atomically.
    delay : str
        Edge attribute of the delays.

    Raises
    ------
    FormatError
        If the suffix is unknown, or the format cannot represent the graph exactly.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> U = ug.unroll(ug.gallery.seed_network(), range(-2, 6))
    >>> path = Path(mkdtemp()) / "window.json"
    >>> ug.io.write(U, path)
    >>> nx.utils.graphs_equal(ug.io.read(path), U.copy())
    True
    """
    path = Path(path)
    text = _chosen(WRITERS, path, "written")(G, delay)
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError(
            f"the character {error.object[error.start]!r} cannot be encoded in UTF-8; remove it"
        ) from None
    write_whole(path, data)


def _chosen(formats: dict[str, _Codec], path: Path, done: str) -> _Codec:
    """Return the function that reads or writes files with this suffix."""
    suffix = path.suffix.lower()
    if suffix in formats:
        return formats[suffix]
    known = f"{', '.join(list(formats)[:-1])} or {list(formats)[-1]}"
    why = f"cannot be {done}" if suffix in WRITERS else "is not supported"
    raise FormatError(f"{path}: the suffix {path.suffix!r} {why}; use {known}")
