"""Delay graphs as GML, the Graph Modelling Language of M. Himsolt (1997).

Vertices are strings, attributes numbers, strings and nested lists of those. A delay in Z is
written as a number, a delay in Z^d as text, ``"1;0"``. Vertices are named by their ``label``; in
a file without labels by their ``name``, as igraph writes it, else by their ``id``. The parser is
networkx's; it evaluates nothing. What does not come back as it was is refused on writing.
"""

from __future__ import annotations

from typing import Any

import networkx as nx

from unrollgraph.errors import FormatError
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import check_round_trip, read_delays, with_texts


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as text, or say what GML cannot hold of it."""
    graph = as_delay_graph(G, delay)
    try:
        text = "\n".join(nx.generate_gml(with_texts(graph))) + "\n"
    except (nx.NetworkXError, RecursionError) as error:
        raise FormatError(f"GML cannot hold it: {error}; write JSON, which holds it") from None
    except ValueError as error:  # an integer of thousands of digits
        raise FormatError(f"GML cannot hold it: {str(error).partition(';')[0]}") from None
    check_round_trip(graph, loads(text, graph.delay_name), "GML")
    return text


def loads(text: str, delay: str = "delay") -> Any:
    """Read a delay graph from text."""
    try:
        G = _labelled(nx.parse_gml(text, label="id"))
    except FormatError:
        raise
    except RecursionError:
        raise FormatError("not GML: brackets are nested too deeply") from None
    except MemoryError:
        raise
    except Exception as error:  # whatever a parser trips over in a hostile file
        raise FormatError(f"not GML: {error}") from None
    read_delays(G, delay)
    return G


def _labelled(G: Any) -> Any:
    """Name the vertices of a graph whose vertices are ids."""
    nodes = dict(G.nodes(data=True))
    given = [name for name in ("label", "name") if any(name in data for data in nodes.values())]
    if not given:
        return nx.relabel_nodes(G, {v: str(v) for v in nodes})
    names = {v: data.pop(given[0], None) for v, data in nodes.items()}
    for v, name in names.items():
        if isinstance(name, list | dict | None):
            raise FormatError(f"node {v} has no {given[0]!r}, which other nodes have")
    if len(set(names.values())) < len(names):
        raise FormatError(f"two nodes have the same {given[0]!r}")
    return nx.relabel_nodes(G, names)
