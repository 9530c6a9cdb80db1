"""Delays as strings, and the check that a written graph is read back unchanged.

A delay in Z^d is written as integers joined by semicolons, ``1;0``. Integers may also be read from
floats such as 1.0. Many formats cannot represent every networkx graph, so `check_round_trip`
compares a graph with the graph that is read back, and raises an error at the first difference.
"""

from __future__ import annotations

import re
from typing import Any

import networkx as nx

from unrollgraph.errors import DelayError, FormatError
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph

_DELAY = re.compile(r"\s*[+-]?[0-9]+(\.0*)?\s*(;\s*[+-]?[0-9]+(\.0*)?\s*)*")


def text_of(delay: tuple[int, ...]) -> str:
    """Return a delay as integers joined by semicolons."""
    return ";".join(map(str, delay))


def delay_of(text: str, where: str) -> Any:
    """Read a delay: an integer, also in the form 1.0, or a tuple of several integers."""
    if not _DELAY.fullmatch(text):
        raise FormatError(
            f"invalid delay {text.strip()[:40]!r} {where}: a delay must be an integer, or integers "
            "joined by semicolons such as 1;0"
        )
    if len(text) > 4000:
        raise FormatError(f"the delay {where} has {len(text)} characters, more than 4000")
    parts = tuple(int(part.partition(".")[0]) for part in text.split(";"))
    return parts if len(parts) > 1 else parts[0]


def with_texts(graph: DelayGraph) -> Any:
    """Return the networkx graph, with delays as strings if d >= 2."""
    G = graph.to_networkx()
    for edge, times in zip(graph.edges, graph.delays.tolist(), strict=True):
        if graph.delay_name in G.edges[edge]:
            G.edges[edge][graph.delay_name] = times[0] if len(times) == 1 else text_of(times)
    return G


def read_delays(G: Any, delay: str) -> nx.DiGraph[Any]:
    """Convert delays from strings to integers and tuples, in place; return the graph."""
    if not G.is_directed():
        raise FormatError("the graph is not directed; a delay graph must be directed")
    for edge in G.edges(keys=True) if G.is_multigraph() else G.edges:
        value = G.edges[edge].get(delay)
        if isinstance(value, list):
            raise FormatError(f"edge {edge!r} has several delays; write one")
        if isinstance(value, str):
            G.edges[edge][delay] = delay_of(value, f"on edge {edge!r}")
        elif value is not None:
            G.edges[edge][delay] = whole(value)
    try:
        as_delay_graph(G, delay)
    except DelayError as error:
        raise FormatError(str(error)) from None
    made: nx.DiGraph[Any] = G
    return made


def check_round_trip(graph: DelayGraph, back: Any, name: str) -> None:
    """Raise `FormatError` if a graph read back differs in value, type or order.

    An int that became an equal float is not a difference.
    """
    other = as_delay_graph(back, graph.delay_name)
    problem = _difference(graph, other)
    if problem:
        raise FormatError(f"{name} cannot represent {problem}; write JSON instead")


def _difference(graph: DelayGraph, other: DelayGraph) -> str:
    """Return a description of the first difference of two graphs, or ''."""
    for k, vertex in enumerate(graph.vertices):
        if k >= len(other.vertices) or not _same(vertex, other.vertices[k]):
            return f"the vertex {vertex!r}"
    if graph.multigraph != other.multigraph:
        return "that the graph is " + ("a multigraph" if graph.multigraph else "not a multigraph")
    for k, edge in enumerate(graph.edges):
        if k >= len(other.edges) or not _same(edge, other.edges[k]):
            return f"edge {edge!r} at its place in the order of edges"
    pairs = [
        ("the graph", graph.graph_data, other.graph_data),
        *zip(map(repr, graph.vertices), graph.vertex_data, other.vertex_data, strict=True),
        *zip(map(repr, graph.edges), graph.edge_data, other.edge_data, strict=True),
    ]
    for where, mine, theirs in pairs:
        for key in {**mine, **theirs}:
            if key not in mine:
                return f"that {where} has no attribute {key!r}"
            if key not in theirs or not _same(mine[key], theirs[key]):
                return f"the attribute {key!r} of {where}, {mine[key]!r}"
    return ""


def _same(a: Any, b: Any) -> bool:
    """Whether two values and their types are equal, recursively; an int may equal a float."""
    if type(a) is int and type(b) is float:
        return a == b
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[key], b[key]) for key in a)
    return repr(a) == repr(b)


def whole(value: Any) -> Any:
    """Convert a delay from a file: integral floats to ints, lists to tuples."""
    if isinstance(value, list | tuple):
        return tuple(map(whole, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value
