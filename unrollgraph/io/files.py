"""Reading and writing graphs, in the format that the suffix of the file names.

============  ======================================================
suffix        format
============  ======================================================
``.json``     node-link JSON: everything, exactly (`node_link`)
``.csv``      edge list with commas (`tables`)
``.tsv``      edge list with tabs
``.gml``      GML, the Graph Modelling Language (`gml`)
``.graphml``  GraphML (`graphml`)
``.dot``      Graphviz, for drawing; written, not read (`dot`)
============  ======================================================

What a format cannot hold exactly is refused on writing. Reading evaluates no code,
resolves no entities and fetches nothing.

A file is written beside its place first and moved there when it is complete, so that a reader
never finds half of one, and an old file is replaced only by a complete new one. Temporary files of
a writer that was killed are removed by the next writer in the same folder.
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

from unrollgraph.errors import FormatError
from unrollgraph.io import dot, gml, graphml, node_link, tables

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".unrollgraph-"


def check_suffix(path: str | os.PathLike[str], suffix: str, what: str) -> None:
    """Refuse a name by which a file would be taken for something else."""
    if Path(path).suffix.lower() != suffix:
        better = Path(path).with_suffix(suffix).name
        raise FormatError(f"{path}: {what} is a {suffix} file; call it {better}")


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a file.

    Raises
    ------
    FormatError
        If no file can have the name.
    OSError
        If it cannot be read; it names the path as it was given.
    """
    with _path_as_given(path):
        return Path(path).read_bytes()


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all, keeping the permissions of an old one.

    A pipe or a device is written to and not replaced.

    Raises
    ------
    FormatError
        If no file can have the name.
    OSError
        If it cannot be written; it names the path as it was given.
    """
    with _path_as_given(path):
        target = Path(path).resolve()
        if target.is_symlink():  # links that lead round, which Python before 3.13 reports itself
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        _replace(target, data)


@contextmanager
def _path_as_given(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the path in errors as it was given, and in an error of ours if it cannot be a path."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    except RuntimeError:  # of `Path.resolve`
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    except ValueError as error:  # a NUL, or half of a surrogate pair
        text = str(error).partition(":")[0]
        raise FormatError(f"{str(path)!r:.60} cannot be the name of a file: {text}") from None


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
            if fcntl:  # moved while it is locked, so that no other writer removes it
                Path(name).replace(path)
        if not fcntl:
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _temporary(folder: Path) -> tuple[int, str]:
    """Make a file that is locked as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX)
        if not fcntl:
            return handle, name
        with suppress(OSError):  # a file system without locks: no other writer removes it either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, name
        os.close(handle)  # another writer removed it before it was locked


def _remove_left_behind(folder: Path) -> None:
    """Remove temporary files that no writer holds any more."""
    if not fcntl:
        return
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


_Codec = TypeVar("_Codec")

READERS: dict[str, Callable[..., Any]] = {
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
) -> Any:
    """Read a delay graph from a file.

    Parameters
    ----------
    path : path
        A file whose suffix is ``.json``, ``.csv``, ``.tsv``, ``.gml`` or ``.graphml``.
    delay : str
        The edge attribute, or the column of an edge list, that holds the delay.
    source, target : str, optional
        The columns of an edge list (``.csv`` or ``.tsv``) that hold the ends of an edge. By
        default ``source`` or ``from``, and ``target`` or ``to``, in any case.

    Returns
    -------
    networkx.DiGraph or networkx.MultiDiGraph
        The graph, with its delays in that attribute.

    Raises
    ------
    FormatError
        If the suffix is unknown, the file does not hold a delay graph, or no edge
        has the attribute ``delay`` and it is not the default; the message names the file
        and the place.
    OSError
        If there is no such file, or it cannot be read.

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
        raise FormatError(f"{path}: source= and target= name columns of a .csv or .tsv file only")
    try:
        text = io.TextIOWrapper(io.BytesIO(read_bytes(path)), encoding="utf-8-sig").read()
    except UnicodeDecodeError:
        raise FormatError(f"{path}: not a text file in UTF-8") from None
    try:
        if delimiter is None:
            return loads(text, delay)
        return loads(text, delimiter, delay, source, target)
    except ValueError as error:  # of ours
        raise FormatError(f"{path}: {error}") from None


def write(G: Any, path: str | os.PathLike[str], *, delay: str = "delay") -> None:
    """Write a delay graph, or a lift, to a file.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph.
    path : path
        Where to write; its suffix is ``.json``, ``.csv``, ``.tsv``, ``.gml``,
        ``.graphml`` or ``.dot``. A file that stands there is replaced at once or not at
        all.
    delay : str
        The edge attribute that holds the delay.

    Raises
    ------
    FormatError
        If the suffix is unknown, or the format cannot hold the graph exactly.
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
        raise FormatError(f"UTF-8 cannot hold {error.object[error.start]!r}") from None
    write_whole(path, data)


def _chosen(formats: dict[str, _Codec], path: Path, done: str) -> _Codec:
    """What reads or writes a file of this suffix."""
    suffix = path.suffix.lower()
    if suffix in formats:
        return formats[suffix]
    known = f"{', '.join(list(formats)[:-1])} or {list(formats)[-1]}"
    why = f"is not {done}" if suffix in WRITERS else "names no format"
    raise FormatError(f"{path}: the suffix {path.suffix!r} {why}; use {known}")
