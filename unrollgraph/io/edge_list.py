"""Delay graphs as edge lists: CSV or TSV with the columns source, target, delay.

One row for each edge, below a header. Delays in Z^d are written ``1;0``; an empty
delay is zero. Vertices are strings. Two rows with the same ends are parallel edges and
make a multigraph; their keys are 0, 1, ... unless a column ``key`` names them. Further
columns are attributes of the edges, as strings, an empty field meaning none.

An edge list holds less than a graph does: no isolated vertices, no attributes of
vertices. A graph that would lose one is refused; JSON holds it. Three things go without a
word: the order of vertices and edges may change, a multigraph without parallel edges comes
back as a simple graph, and where there was no delay there is 0.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import networkx as nx

from unrollgraph.errors import DelayError, FormatError, show_edge, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.io.texts import delay_of, text_of

__all__ = ["dumps", "loads"]

_FIXED = ("source", "target", "delay", "key")


def dumps(G: Any, delimiter: str, delay: str = "delay") -> str:
    """Write a delay graph as text, or say what an edge list cannot hold of it."""
    graph = as_delay_graph(G, delay)
    _must_fit(graph)
    names = list(
        dict.fromkeys(k for data in graph.edge_data for k in data if k != graph.delay_name)
    )
    keyed = graph.multigraph and not _has_default_keys(graph)
    header = ["source", "target", "delay", *(["key"] if keyed else []), *names]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    for edge, delays, data in zip(graph.edges, graph.delays.tolist(), graph.edge_data, strict=True):
        row = [edge[0], edge[1], text_of(tuple(delays)), *(edge[2:] if keyed else [])]
        writer.writerow([*row, *(data.get(name, "") for name in names)])
    return out.getvalue()


def loads(text: str, delimiter: str, name: str = "delay") -> Any:
    """Read a delay graph from text."""
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise FormatError(f"not an edge list: {error}") from None
    header = [name.strip() for name in rows[0]] if rows else []
    if "source" not in header or "target" not in header or len(set(header)) != len(header):
        raise FormatError(
            "the first row must name the columns, each once: source, target, and delay unless "
            f"all are zero; it is {delimiter.join(header)!r}"
        )
    for column in header:
        if column not in _FIXED and column.lower() in _FIXED:
            raise FormatError(f"the column {column!r} is to be written {column.lower()!r}")
    if name != "delay" and name in header:
        raise FormatError(
            f"the column of delays is called delay, whatever they become; it or {name!r} is to be "
            "renamed"
        )
    edges = []
    for line, row in enumerate(rows[1:], 2):
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(header):
            raise FormatError(
                f"line {line} has {len(row)} fields, but the header has {len(header)}"
            )
        fields = dict(zip(header, row, strict=True))
        ends = (fields.pop("source").strip(), fields.pop("target").strip())
        if not all(ends):
            raise FormatError(f"line {line} lacks a source or a target")
        field = fields.pop("delay", "")
        time = delay_of(field, f"line {line}") if field.strip() else None
        key = fields.pop("key", None)
        data: dict[str, Any] = {column: value for column, value in fields.items() if value}
        edges.append((ends, key, data if time is None else {**data, name: time}))
    parallel = "key" in header or len({ends for ends, _, _ in edges}) < len(edges)
    G: Any = nx.MultiDiGraph() if parallel else nx.DiGraph()
    for ends, key, data in edges:
        if key is not None and G.has_edge(*ends, key):
            raise FormatError(f"the edge {show_edge((*ends, key))} stands there twice")
        added = G.add_edge(*ends, key) if parallel else G.add_edge(*ends)
        G.edges[(*ends, added) if parallel else ends].update(data)
    try:
        DelayGraph(G, name)
    except DelayError as error:
        raise FormatError(str(error)) from None
    return G


def _must_fit(graph: DelayGraph) -> None:
    """Refuse what an edge list would lose."""
    hint = "; write JSON, which holds it"
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
            taken = _is_line(name) and (name.lower() in _FIXED or name != name.strip())
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
