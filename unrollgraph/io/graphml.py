"""Delay graphs as GraphML, the XML format of the graph drawing community.

Vertices are strings, attributes strings, numbers and booleans; of an attribute with integers
and floats all values become floats. A delay in Z is written as an integer, a delay in Z^d as
text, ``1;0``. What does not come back as it was is rejected on writing. A multigraph is marked
by an attribute of the graph. Its edges have the ids e0, e1, ..., and their keys, where they are
not the default ones, are an attribute.

The parser is networkx's, behind a door of our own: a document type declaration is
rejected, so that no entity is ever resolved and nothing fetched; vertices and edges are counted,
which networkx would merge or add in silence; and default values, which it keeps aside, are given
to the vertices and edges that have none.
"""

from __future__ import annotations

import warnings
from typing import Any, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

import networkx as nx

from unrollgraph.errors import FormatError, show_edge
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import check_round_trip, read_delays, with_texts

_SPACE = "{http://graphml.graphdrawing.org/xmlns}"
_MARK = "multigraph"
_KEY = "key"  # the edge attribute that holds the key in a marked file
_ENDS = ("source", "target")
_OWN = ("node_default", "edge_default")  # where the parser keeps default values


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as text, or say what GraphML cannot hold of it."""
    graph = as_delay_graph(G, delay)
    H = with_texts(graph)
    for name in (_MARK, *_OWN):
        if name in H.graph:
            raise FormatError(
                f"GraphML keeps the attribute {name!r} of a graph for itself; rename it"
            )
    try:
        if graph.multigraph:
            H = _with_ids(H)
        writer = nx.GraphMLWriter(infer_numeric_types=True)
        writer.add_graph_element(H)
        text = f"{writer}\n"
    except (nx.NetworkXError, TypeError, ValueError) as error:
        raise FormatError(f"GraphML cannot hold it: {error}; write JSON, which holds it") from None
    try:
        back = loads(text, graph.delay_name)
    except FormatError as error:
        raise FormatError(f"GraphML cannot hold it: {error}; write JSON, which holds it") from None
    check_round_trip(graph, back, "GraphML")
    return text


def loads(text: str, delay: str = "delay") -> Any:
    """Read a delay graph from text."""
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
    except Exception as error:  # whatever a parser trips over in a hostile file
        raise FormatError(f"not GraphML: {error}") from None
    for kind, count, named in (("node", len(G), ("id",)), ("edge", len(G.edges), _ENDS)):
        listed = [element for element in root.iter() if element.tag.rpartition("}")[2] == kind]
        if len(listed) != count or not all(name in x.attrib for x in listed for name in named):
            raise FormatError(
                f"the file has {len(listed)} elements <{kind}>, but they name {count} different "
                f"{kind}s; each needs an id of its own, and an edge joins ids of nodes"
            )
    for data, name in zip((G.nodes, G.edges), _OWN, strict=True):
        defaults = G.graph.pop(name)
        for item in data:
            for key, value in defaults.items():
                data[item].setdefault(key, value)
    read_delays(G, delay)
    return G


def _with_ids(G: Any) -> Any:
    """Replace keys by ids that no two edges of the graph share.

    Keys other than those that networkx chooses by default become an attribute.
    """
    H: Any = nx.MultiDiGraph()
    plain: Any = nx.MultiDiGraph()
    H.graph.update({**G.graph, _MARK: True})
    H.add_nodes_from(G)
    for v in G:
        H.nodes[v].update(G.nodes[v])
    for k, (u, v, key, data) in enumerate(G.edges(keys=True, data=True)):
        if _KEY in data:
            raise FormatError(
                f"GraphML keeps the attribute {_KEY!r} of an edge of a multigraph for itself; "
                "rename it"
            )
        H.add_edge(u, v, f"e{k}")
        default = type(key) is int and key == plain.new_edge_key(u, v)
        plain.add_edge(u, v, key)
        H.edges[u, v, f"e{k}"].update(data if default else {**data, _KEY: key})
    return H


def _with_keys(G: Any) -> Any:
    """Restore the keys of a graph that `_with_ids` wrote."""
    H: Any = nx.MultiDiGraph()
    H.graph.update({name: value for name, value in G.graph.items() if name != _MARK})
    H.add_nodes_from(G)
    for v in G:
        H.nodes[v].update(G.nodes[v])
    for u, v, _, data in G.edges(keys=True, data=True):
        key = data.pop(_KEY) if _KEY in data else H.new_edge_key(u, v)
        if H.has_edge(u, v, key):
            raise FormatError(f"the edge {show_edge((u, v, key))} occurs twice")
        H.add_edge(u, v, key)
        H.edges[u, v, key].update(data)
    return H


def _parsed(text: str, *, many: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of extensions for drawing, which we do not need
        return nx.parse_graphml(text, force_multigraph=many)


def _check_plain(text: str) -> None:
    """Refuse what is no XML, and document types, before anything is made of the text."""

    def refuse(*_: Any) -> NoReturn:
        raise FormatError(
            "the file declares a document type, by which XML may name entities and other files; "
            "remove the declaration"
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise FormatError(f"not XML: {error}") from None
