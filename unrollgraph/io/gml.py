"""Read and write delay graphs as GML, the graph format of M. Himsolt (1997).

Vertices are strings; attributes are numbers, strings and nested lists of these. A delay in Z is
written as a number, a delay in Z^d as a string, ``"1;0"``. Vertices are named by their ``label``,
in a file without labels by ``name`` (as in igraph), else by ``id``. The parser of networkx is used;
it evaluates no code. A graph that would be read back differently is rejected.
"""

from __future__ import annotations

from typing import Any

import networkx as nx

from unrollgraph.errors import FormatError
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import check_round_trip, read_delays, with_texts


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as a string; `FormatError` if GML cannot represent it."""
    graph = as_delay_graph(G, delay)
    try:
        text = "\n".join(nx.generate_gml(with_texts(graph))) + "\n"
    except (nx.NetworkXError, RecursionError) as error:
        raise FormatError(f"GML cannot represent the graph: {error}; write JSON instead") from None
    except ValueError as error:  # an integer of thousands of digits
        raise FormatError(
            f"GML cannot represent the graph: {str(error).partition(';')[0]}"
        ) from None
    check_round_trip(graph, loads(text, graph.delay_name), "GML")
    return text


def loads(text: str, delay: str = "delay") -> nx.DiGraph[Any]:
    """Read a delay graph from a string."""
    try:
        G = _labeled(nx.parse_gml(text, label="id"))
    except FormatError:
        raise
    except RecursionError:
        raise FormatError("not GML: brackets are nested too deeply") from None
    except MemoryError:
        raise
    except Exception as error:  # the parser may raise any exception
        raise FormatError(f"not GML: {error}") from None
    return read_delays(G, delay)


def _labeled(G: Any) -> Any:
    """Relabel the vertices, which are ids, by their labels or names."""
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
