"""Write delay graphs and lifts as DOT, the language of Graphviz.

The delay of an edge is its attribute, and its label if it is not zero. Other attributes are not
written, because DOT interprets many of them as styles.
"""

from __future__ import annotations

from typing import Any

from unrollgraph.errors import FormatError, show_vertex
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import text_of


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as a string."""
    graph = as_delay_graph(G, delay)
    names = [show_vertex(vertex) for vertex in graph.vertices]
    if len(set(names)) < len(names):
        names = [repr(vertex) for vertex in graph.vertices]
    if len(set(names)) < len(names):
        raise FormatError("cannot write DOT: two vertices have the same repr; relabel one of them")
    quoted = [_quoted(name) for name in names]
    lines = [f"  {name};" for name in quoted]
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True)
    for u, v, times in ends:
        text = _quoted(text_of(times))
        label = f", label={text}" if any(times) else ""
        lines.append(f"  {quoted[u]} -> {quoted[v]} [delay={text}{label}];")
    return "\n".join(["digraph {", *lines, "}"]) + "\n"


def _quoted(name: str) -> str:
    """Quote a name; backslashes are doubled, because they are escapes in labels."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
