"""Read and write delay graphs as GraphML, an XML format.

Vertices are strings; attributes are strings, numbers and booleans. If an attribute has integers and
floats, all its values become floats. A delay in Z is written as an integer, a delay in Z^d as a
string, ``1;0``. A graph that would be read back differently is rejected. A multigraph has a graph
attribute ``multigraph``; its edges have the ids e0, e1, ... and, if their keys are not the default
ones, an attribute ``key``.

The parser of networkx is used after checks. A document type declaration is rejected, so that no
entities are resolved and no files fetched. Files in which networkx would merge vertices or edges,
or add undeclared vertices, are rejected. Default values are copied to vertices and edges.
"""

from __future__ import annotations

import warnings
from typing import Any, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

import networkx as nx

from unrollgraph.errors import FormatError
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import check_round_trip, read_delays, with_texts

_SPACE = "{http://graphml.graphdrawing.org/xmlns}"
_MARK = "multigraph"
_KEY = "key"  # the edge attribute of the key in a multigraph
_ENDS = ("source", "target")
_OWN = ("node_default", "edge_default")  # where the parser stores default values


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as a string; `FormatError` if GraphML cannot represent it."""
    graph = as_delay_graph(G, delay)
    H = with_texts(graph)
    for name in (_MARK, *_OWN):
        if name in H.graph:
            raise FormatError(f"the graph attribute {name!r} is reserved in GraphML; rename it")
    try:
        if graph.multigraph:
            H = _with_ids(H)
        writer = nx.GraphMLWriter(infer_numeric_types=True)
        writer.add_graph_element(H)
        text = f"{writer}\n"
    except (nx.NetworkXError, TypeError, ValueError) as error:
        raise FormatError(
            f"GraphML cannot represent the graph: {error}; write JSON instead"
        ) from None
    try:
        back = loads(text, graph.delay_name)
    except FormatError as error:
        raise FormatError(
            f"GraphML cannot represent the graph: {error}; write JSON instead"
        ) from None
    check_round_trip(graph, back, "GraphML")
    return text


def loads(text: str, delay: str = "delay") -> nx.DiGraph[Any]:
    """Read a delay graph from a string."""
    _check_plain(text)
    try:
        root = ElementTree.fromstring(text)
        graphs = len(root.findall(f".//{_SPACE}graph"))
        if graphs != 1:
            raise FormatError(
                f"the file has {graphs} elements <graph> in the namespace {_SPACE[1:-1]}, but it "
                "must have exactly one; write each graph to a separate file"
            )
        G = _parsed(text, many=False)
        if G.graph.get(_MARK) is True:
            G = _with_keys(_parsed(text, many=True))
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # the parser may raise any exception
        raise FormatError(f"not GraphML: {error}") from None
    for kind, count, named in (("node", len(G), ("id",)), ("edge", len(G.edges), _ENDS)):
        listed = [element for element in root.iter() if element.tag.rpartition("}")[2] == kind]
        if len(listed) != count or not all(name in x.attrib for x in listed for name in named):
            raise FormatError(
                f"the file has {len(listed)} elements <{kind}>, but defines {count} different "
                f"{kind}s; ids must be unique, and source and target of an edge ids of nodes"
            )
    for data, name in zip((G.nodes, G.edges), _OWN, strict=True):
        defaults = G.graph.pop(name)
        for item in data:
            for key, value in defaults.items():
                data[item].setdefault(key, value)
    return read_delays(G, delay)


def _with_ids(G: Any) -> Any:
    """Replace keys by ids that are unique in the graph, and store non-default keys."""
    H: Any = nx.MultiDiGraph()
    plain: Any = nx.MultiDiGraph()
    H.graph.update({**G.graph, _MARK: True})
    H.add_nodes_from(G)
    for v in G:
        H.nodes[v].update(G.nodes[v])
    for k, (u, v, key, data) in enumerate(G.edges(keys=True, data=True)):
        if _KEY in data:
            raise FormatError(
                f"the edge attribute {_KEY!r} is reserved for multigraphs in GraphML; rename it"
            )
        H.add_edge(u, v, f"e{k}")
        default = type(key) is int and key == plain.new_edge_key(u, v)
        plain.add_edge(u, v, key)
        H.edges[u, v, f"e{k}"].update(data if default else {**data, _KEY: key})
    return H


def _with_keys(G: Any) -> Any:
    """Restore the keys of a graph written by `_with_ids`."""
    H: Any = nx.MultiDiGraph()
    H.graph.update({name: value for name, value in G.graph.items() if name != _MARK})
    H.add_nodes_from(G)
    for v in G:
        H.nodes[v].update(G.nodes[v])
    for u, v, _, data in G.edges(keys=True, data=True):
        key = data.pop(_KEY) if _KEY in data else H.new_edge_key(u, v)
        if H.has_edge(u, v, key):
            raise FormatError(f"the edge {(u, v, key)!r} occurs twice")
        H.add_edge(u, v, key)
        H.edges[u, v, key].update(data)
    return H


def _parsed(text: str, *, many: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about drawing extensions
        return nx.parse_graphml(text, force_multigraph=many)


def _check_plain(text: str) -> None:
    """Raise `FormatError` if a string is not XML or has a document type declaration."""

    def refuse(*_: Any) -> NoReturn:
        raise FormatError(
            "the file declares a document type, which can load entities and other files; remove "
            "the declaration"
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise FormatError(f"not XML: {error}") from None
