"""Delay graphs as GML, the Graph Modelling Language of M. Himsolt (1997).

Vertices are strings, attributes numbers, strings and nested lists of those; a delay is
written as text, ``"1"`` or ``"1;0"``, and read as text or a number. The parser is
networkx's; it evaluates nothing. What does not come back as it was is refused on writing.
"""

from __future__ import annotations

from typing import Any

import networkx as nx

from unrollgraph.errors import FormatError
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import must_return, read_delays, with_texts

__all__ = ["dumps", "loads"]


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as text, or say what GML cannot hold of it."""
    graph = as_delay_graph(G, delay)
    try:
        text = "\n".join(nx.generate_gml(with_texts(graph))) + "\n"
    except (nx.NetworkXError, RecursionError) as error:
        raise FormatError(f"GML cannot hold it: {error}; write JSON, which holds it") from None
    except ValueError as error:  # an integer of thousands of digits
        raise FormatError(f"GML cannot hold it: {str(error).partition(';')[0]}") from None
    must_return(graph, loads(text, graph.delay_name), "GML")
    return text


def loads(text: str, delay: str = "delay") -> Any:
    """Read a delay graph from text."""
    try:
        G = nx.parse_gml(text)
    except RecursionError:
        raise FormatError("not GML: brackets are nested too deeply") from None
    except MemoryError:
        raise
    except Exception as error:  # whatever a parser trips over in a hostile file
        raise FormatError(f"not GML: {error}") from None
    read_delays(G, delay)
    return G
