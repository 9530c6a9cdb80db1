"""Delay graphs as edge lists: CSV or TSV with the columns source, target, delay.

One row for each edge, below a header. Delays in Z^d are written ``1;0``; an empty
delay is zero, and a delay may be a whole number written as 1.0. Vertices are strings. Two
rows with the same ends are parallel edges and make a multigraph; their keys are 0, 1, ...
unless a column ``key`` names them. Further columns are attributes of the edges, as strings;
an empty field means no attribute.

As other programs write them, edge lists are read with columns ``from`` and ``to``, in any
case, with semicolons or tabs between the fields of a ``.csv``, and with a first column that
has no name and numbers the rows, as pandas writes its index, which is ignored.

An edge list holds less than a graph does: no isolated vertices, no attributes of
vertices. A graph that would lose one is rejected; JSON holds it. Three changes are made without
a message: the order of vertices and edges may change, a multigraph without parallel edges comes
back as a simple graph, and a missing delay becomes 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import networkx as nx

from unrollgraph.errors import DelayError, FormatError, show_edge, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.io.texts import delay_of, text_of

_SYNONYMS = {"source": ("source", "from"), "target": ("target", "to"), "delay": ("delay",)}


class Columns(NamedTuple):
    """Names of the columns of an edge list; ``delay`` is None if there is no such column."""

    source: Any
    target: Any
    delay: Any


def find_columns(
    names: Sequence[Any], delay: str = "delay", source: str | None = None, target: str | None = None
) -> Columns:
    """Find the columns of an edge list by the names that were given, or by usual ones.

    Raises
    ------
    FormatError
        If there is no such column, or there are several.
    """

    def find(role: str, given: str | None) -> Any:
        if given is not None:
            if given not in names:
                raise FormatError(f"there is no column {given!r}; the columns are {shown}")
            return given
        if role in names:
            return role
        near = [name for name in names if str(name).strip().lower() in _SYNONYMS[role]]
        if len(near) > 1:
            raise FormatError(f"the columns {near[0]!r} and {near[1]!r} could both be the {role}")
        return near[0] if near else None

    shown = ", ".join(map(repr, names)) or "none"
    found = Columns(
        find("source", source),
        find("target", target),
        find("delay", None if delay == "delay" else delay),
    )
    for role in ("source", "target"):
        if getattr(found, role) is None:
            raise FormatError(
                f"an edge list needs a column {role!r}, but the columns are {shown}; choose one "
                f"of them with the option {role!r}"
            )
    used = [name for name in found if name is not None]
    if len(set(used)) < len(used):
        raise FormatError(
            "source, target and delay must be different columns, but they are "
            f"{found.source!r}, {found.target!r} and {found.delay!r}"
        )
    return found


def dumps(G: Any, delimiter: str, delay: str = "delay") -> str:
    """Write a delay graph as text, or say what an edge list cannot hold of it."""
    graph = as_delay_graph(G, delay)
    _check_fits(graph)
    names = list(
        dict.fromkeys(k for data in graph.edge_data for k in data if k != graph.delay_name)
    )
    keyed = graph.multigraph and not _has_default_keys(graph)
    header = ["source", "target", graph.delay_name, *(["key"] if keyed else []), *names]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    for edge, delays, data in zip(graph.edges, graph.delays.tolist(), graph.edge_data, strict=True):
        row = [edge[0], edge[1], text_of(tuple(delays)), *(edge[2:] if keyed else [])]
        writer.writerow([*row, *(data.get(name, "") for name in names)])
    return out.getvalue()


def loads(
    text: str,
    delimiter: str,
    delay: str = "delay",
    source: str | None = None,
    target: str | None = None,
) -> Any:
    """Read a delay graph from text."""
    rows, columns = _rows_and_columns(text, delimiter, delay, source, target)
    header = rows[0]
    edges = []
    for line, row in enumerate(rows[1:], 2):
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(header):
            raise FormatError(
                f"line {line} has {len(row)} fields, but the header has {len(header)}"
            )
        fields = dict(zip(header, row, strict=True))
        ends = (fields.pop(columns.source).strip(), fields.pop(columns.target).strip())
        if not all(ends):
            raise FormatError(f"line {line} lacks a source or a target")
        field = fields.pop(columns.delay, "")
        time = delay_of(field, f"line {line}") if field.strip() else None
        key = fields.pop("key", None)
        data: dict[str, Any] = {column: value for column, value in fields.items() if value}
        edges.append((ends, key, data if time is None else {**data, delay: time}))
    parallel = "key" in header or len({ends for ends, _, _ in edges}) < len(edges)
    G: Any = nx.MultiDiGraph() if parallel else nx.DiGraph()
    for ends, key, data in edges:
        if key is not None and G.has_edge(*ends, key):
            raise FormatError(f"the edge {show_edge((*ends, key))} stands there twice")
        added = G.add_edge(*ends, key) if parallel else G.add_edge(*ends)
        G.edges[(*ends, added) if parallel else ends].update(data)
    try:
        DelayGraph(G, delay)
    except DelayError as error:
        raise FormatError(str(error)) from None
    return G


def _rows_and_columns(
    text: str, delimiter: str, delay: str, source: str | None, target: str | None
) -> tuple[list[list[str]], Columns]:
    """Split a text into rows, by the delimiter for which the header names the columns."""
    problem = None
    for mark in dict.fromkeys([delimiter, ",", ";", "\t"]):
        try:
            rows = list(csv.reader(io.StringIO(text), delimiter=mark, strict=True))
            header = [name.strip() for name in rows[0]] if rows else []
            columns = find_columns(header, delay, source, target)
        except (csv.Error, FormatError) as error:
            problem = problem or error
            continue
        if len(set(header)) < len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise FormatError(f"the first row names the column {twice!r} twice")
        return _without_index([header, *rows[1:]]), columns
    what = "" if isinstance(problem, FormatError) else "not an edge list: "
    raise FormatError(f"{what}{problem}") from None


def _without_index(rows: list[list[str]]) -> list[list[str]]:
    """Leave out a first column without a name that numbers the rows."""
    index = [row[0] for row in rows[1:] if row]
    numbers = {field.removesuffix(".0") for field in index}
    numbered = len(numbers) == len(index) and all(map(str.isdecimal, numbers))
    return [row[1:] for row in rows] if rows[0][0] in {"", "Unnamed: 0"} and numbered else rows


def _check_fits(graph: DelayGraph) -> None:
    """Refuse what an edge list would lose."""
    hint = "; write JSON, which holds it"
    name = graph.delay_name
    if name in {"source", "target", "key"} or not _is_line(name) or name != name.strip():
        raise FormatError(f"an edge list has no column of delays named {name!r}{hint}")
    fixed = {"source", "target", "key", name.lower()}
    joined = {*graph.tails.tolist(), *graph.heads.tolist()}
    for k, (vertex, data) in enumerate(zip(graph.vertices, graph.vertex_data, strict=True)):
        if not _is_line(vertex) or vertex.strip() != vertex:
            raise FormatError(
                f"an edge list names vertices by single lines of text without blanks around "
                f"them, and {vertex!r} is none{hint}"
            )
        if k not in joined:
            raise FormatError(
                f"an edge list has no isolated vertices, and {show_vertex(vertex)} is one{hint}"
            )
        if data:
            raise FormatError(
                f"an edge list has no attributes of vertices, and {show_vertex(vertex)} has "
                f"some{hint}"
            )
    if graph.graph_data:
        raise FormatError(f"an edge list has no attributes of the graph, and this has some{hint}")
    for edge, data in zip(graph.edges, graph.edge_data, strict=True):
        for name, value in data.items():
            if name == graph.delay_name:
                continue
            taken = _is_line(name) and (name.lower() in fixed or name != name.strip())
            if not _is_line(value) or not _is_line(name) or taken:
                raise FormatError(
                    f"an edge list holds single lines of text as attributes, and {name!r} of "
                    f"{show_edge(edge)} is {_shown(value)}{hint}"
                )
    if graph.multigraph and not _has_default_keys(graph):
        for edge in graph.edges:
            if not _is_line(edge[2]):
                raise FormatError(
                    "an edge list names keys by single lines of text, and "
                    f"{show_edge(edge)} has another{hint}"
                )


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer of thousands of digits
        return show_kind(value)


def _is_line(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.splitlines() == [value]
        and len(value) <= csv.field_size_limit()  # what can be read again
    )


def _has_default_keys(graph: DelayGraph) -> bool:
    """Whether the keys are those that networkx gives to edges added in this order."""
    met: dict[Any, int] = {}
    for u, v, key in graph.edges:
        if type(key) is not int or key != met.get((u, v), 0):
            return False
        met[u, v] = key + 1
    return True
