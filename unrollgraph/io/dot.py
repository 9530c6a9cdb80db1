"""Delay graphs and lifts as DOT, the language of Graphviz, for drawing; written only.

Each edge carries its delay as an attribute, and as a label where it is not zero. Other
attributes are left out, since DOT would take many of them for styles.
"""

from __future__ import annotations

from typing import Any

from unrollgraph.errors import FormatError, show_vertex
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import text_of


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as text."""
    graph = as_delay_graph(G, delay)
    names = [show_vertex(vertex) for vertex in graph.vertices]
    if len(set(names)) < len(names):
        names = [repr(vertex) for vertex in graph.vertices]
    if len(set(names)) < len(names):
        raise FormatError("DOT names vertices by their text, and two of them have the same")
    quoted = [_quoted(name) for name in names]
    lines = [f"  {name};" for name in quoted]
    ends = zip(graph.tails.tolist(), graph.heads.tolist(), graph.delays.tolist(), strict=True)
    for u, v, times in ends:
        text = _quoted(text_of(times))
        label = f", label={text}" if any(times) else ""
        lines.append(f"  {quoted[u]} -> {quoted[v]} [delay={text}{label}];")
    return "\n".join(["digraph {", *lines, "}"]) + "\n"


def _quoted(name: str) -> str:
    """Quote a name; a backslash is doubled, since labels read it as an escape."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
