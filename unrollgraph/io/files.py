"""Reading and writing files, in the format that their suffix names.

============  ======================================================
suffix        format
============  ======================================================
``.json``     node-link JSON: everything, exactly (`graph.node_link`)
``.csv``      edge list with commas (`edge_list`)
``.tsv``      edge list with tabs
``.gml``      GML, the Graph Modelling Language (`gml`)
``.graphml``  GraphML (`graphml`)
``.dot``      Graphviz, for drawing; written, not read (`dot`)
============  ======================================================

What a format cannot hold exactly is refused on writing. Reading evaluates no code,
resolves no entities and fetches nothing.

A file is written beside its place and moved there when it is whole, so that nobody
finds half of one.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from unrollgraph.errors import FormatError
from unrollgraph.files import read_bytes, write_whole
from unrollgraph.graph import node_link
from unrollgraph.io import dot, edge_list, gml, graphml

_Codec = TypeVar("_Codec")

READERS: dict[str, Callable[..., Any]] = {
    ".json": node_link.loads,
    ".csv": edge_list.loads,
    ".tsv": edge_list.loads,
    ".gml": gml.loads,
    ".graphml": graphml.loads,
}
DELIMITERS = {".csv": ",", ".tsv": "\t"}
WRITERS: dict[str, Callable[[Any, str], str]] = {
    ".json": node_link.dumps,
    ".csv": lambda G, delay: edge_list.dumps(G, ",", delay),
    ".tsv": lambda G, delay: edge_list.dumps(G, "\t", delay),
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
