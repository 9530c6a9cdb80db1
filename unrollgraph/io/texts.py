"""What the text formats share: delays as text, and proof that nothing was lost.

A delay in Z^d is written ``1;0``, the integers joined by semicolons, and a delay in Z as an
integer. Whole numbers may be written as floats, 1.0, as many programs do. Formats that
other programs define hold less than a networkx graph does, each in its own way.
`check_round_trip` therefore compares what was written with what is read back, and refuses
with the first difference; so a format is never trusted to hold what it does not.
"""

from __future__ import annotations

import re
from typing import Any

from unrollgraph.errors import DelayError, FormatError, show_edge, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph

_DELAY = re.compile(r"\s*[+-]?[0-9]+(\.0*)?\s*(;\s*[+-]?[0-9]+(\.0*)?\s*)*")


def text_of(delay: tuple[int, ...]) -> str:
    """Write a delay: its integers joined by semicolons."""
    return ";".join(map(str, delay))


def delay_of(text: str, where: str) -> Any:
    """Read a delay: an integer, also written as 1.0, or a tuple where there are several."""
    if not _DELAY.fullmatch(text):
        raise FormatError(
            f"{where} has the delay {text.strip()[:40]!r}, but a delay is an integer, or integers "
            "joined by semicolons such as 1;0"
        )
    if len(text) > 4000:
        raise FormatError(f"{where} has a delay of {len(text)} characters")
    parts = tuple(int(part.partition(".")[0]) for part in text.split(";"))
    return parts if len(parts) > 1 else parts[0]


def with_texts(graph: DelayGraph) -> Any:
    """Return the networkx graph, with delays in Z^d as text if d is at least 2."""
    G = graph.to_networkx()
    for edge, times in zip(graph.edges, graph.delays.tolist(), strict=True):
        if graph.delay_name in G.edges[edge]:
            G.edges[edge][graph.delay_name] = times[0] if len(times) == 1 else text_of(times)
    return G


def read_delays(G: Any, delay: str) -> None:
    """Turn delays that are text into integers and tuples, in place."""
    if not G.is_directed():
        raise FormatError("the graph is not directed, as a delay graph is")
    for edge in G.edges(keys=True) if G.is_multigraph() else G.edges:
        value = G.edges[edge].get(delay)
        if isinstance(value, list):
            raise FormatError(f"the edge {show_edge(edge)} has several delays")
        if isinstance(value, str):
            G.edges[edge][delay] = delay_of(value, f"the edge {show_edge(edge)}")
        elif value is not None:
            G.edges[edge][delay] = whole(value)
    try:
        as_delay_graph(G, delay)
    except DelayError as error:
        raise FormatError(str(error)) from None


def check_round_trip(graph: DelayGraph, back: Any, name: str) -> None:
    """Refuse what comes back from a format as something else, but for ints that become floats.

    Raises
    ------
    FormatError
        With the first thing that differs, in value, type or order.
    """
    other = as_delay_graph(back, graph.delay_name)
    problem = _difference(graph, other)
    if problem:
        raise FormatError(f"{name} cannot hold {problem}; write JSON, which holds it")


def _difference(graph: DelayGraph, other: DelayGraph) -> str:
    """Tell what of a graph is not so in the other; empty if all is."""
    for k, vertex in enumerate(graph.vertices):
        if k >= len(other.vertices) or not _same(vertex, other.vertices[k]):
            return f"the vertex {vertex!r}"
    if graph.multigraph != other.multigraph:
        return "that the graph is " + ("a multigraph" if graph.multigraph else "no multigraph")
    for k, edge in enumerate(graph.edges):
        if k >= len(other.edges) or not _same(edge, other.edges[k]):
            return f"the edge {show_edge(edge)} as it is in its place"
    pairs = [
        ("the graph", graph.graph_data, other.graph_data),
        *zip(map(show_vertex, graph.vertices), graph.vertex_data, other.vertex_data, strict=True),
        *zip(map(show_edge, graph.edges), graph.edge_data, other.edge_data, strict=True),
    ]
    for where, mine, theirs in pairs:
        for key in {**mine, **theirs}:
            if key not in mine:
                return f"that {where} has no attribute {key!r}"
            if key not in theirs or not _same(mine[key], theirs[key]):
                return f"the attribute {key!r} of {where}, {mine[key]!r}"
    return ""


def _same(a: Any, b: Any) -> bool:
    """Whether two values are equal and of one type, all the way down; 1 and 1.0 are."""
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
    """Return a delay from a file with whole numbers as ints and lists as tuples."""
    if isinstance(value, list | tuple):
        return tuple(map(whole, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value
