"""Delay graphs as GraphML, the XML format of the graph drawing community.

Vertices are strings, attributes strings, numbers and booleans; of an attribute with integers
and floats all values become floats. A delay in Z is written as an integer, a delay in Z^d as
text, ``1;0``. What does not come back as it was is rejected on writing. A multigraph is marked
by an attribute of the graph. Its edges have the ids e0, e1, ..., and their keys, where they are
not the default ones, are an attribute.

The parser is networkx's, behind a door of our own: a document type declaration is
refused, so that no entity is ever resolved and nothing fetched; ends, identifiers and
parallel edges are checked, which networkx would pass over or merge in silence; and
default values, which it keeps aside, are given to the vertices and edges that have none.
"""

from __future__ import annotations

import re
import warnings
from typing import Any, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

import networkx as nx

from unrollgraph.errors import FormatError, show_edge
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import must_return, read_delays, with_texts

_SPACE = "{http://graphml.graphdrawing.org/xmlns}"
_MARK = "multigraph"
_KEY = "key"  # the edge attribute that holds the key in a marked file
_OWN = ("node_default", "edge_default")  # where the parser keeps default values
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,4000}\s*")


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
    must_return(graph, back, "GraphML")
    return text


def loads(text: str, delay: str = "delay") -> Any:
    """Read a delay graph from text."""
    _must_be_plain(text)
    try:
        root = ElementTree.fromstring(text)
        _must_be_sound(root)
        G = _parsed(text, many=False)
        if G.graph.get(_MARK) is True:
            G = _with_keys(_parsed(text, many=True))
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # whatever a parser trips over in a hostile file
        raise FormatError(f"not GraphML: {error}") from None
    if G.number_of_edges() != len(list(root.iter(f"{_SPACE}edge"))):
        raise FormatError(
            "two parallel edges of the file have the same key, or an edge stands outside the "
            "graph; give an id of its own to each or to none"
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


def _must_be_plain(text: str) -> None:
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


def _must_be_sound(root: Any) -> None:
    """Refuse what the parser would pass over: missing, repeated or unknown names."""
    graphs = list(root.iter(f"{_SPACE}graph"))
    if root.tag != f"{_SPACE}graphml" or len(graphs) != 1:
        raise FormatError(
            f"the file holds {len(graphs)} elements <graph> of GraphML, but exactly one is read"
        )
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind in {"graph", "node", "edge", "key", "data"} and element.tag != _SPACE + kind:
            raise FormatError(f"an element <{kind}> is not in the namespace of GraphML")
    _must_have_sound_keys(root)
    names: set[str] = set()
    for k, node in enumerate(root.iter(f"{_SPACE}node")):
        name = _needed(node, "id", f"node {k}")
        if name in names:
            raise FormatError(f"node {k} has the id {name!r}, which stands there before")
        names.add(name)
    met: set[tuple[str, str, str]] = set()
    for k, edge in enumerate(root.iter(f"{_SPACE}edge")):
        ends = (_needed(edge, "source", f"edge {k}"), _needed(edge, "target", f"edge {k}"))
        for end in ends:
            if end not in names:
                raise FormatError(f"edge {k} joins {end!r}, which is the id of no node")
        if "id" in edge.attrib:
            if (*ends, edge.attrib["id"]) in met:
                raise FormatError(f"edge {k} has the id of another edge from {ends[0]!r}")
            met.add((*ends, edge.attrib["id"]))


def _must_have_sound_keys(root: Any) -> None:
    """Refuse keys and data of which the parser would take one and pass over another."""
    integers = set()
    met: set[Any] = set()
    for key in root.iter(f"{_SPACE}key"):
        own, name, what = key.get("id"), key.get("attr.name"), key.get("for", "all")
        if own in met or (what, name) in met:
            raise FormatError(f"the key {own!r} or its name {name!r} stands there twice")
        met |= {own, (what, name)}
        if key.find(f"{_SPACE}default") is not None and what == "all":
            raise FormatError(
                f"the key {own!r} has a default value for all things; say for which, node or edge"
            )
        if what in {"graph", "all"} and name in _OWN:
            raise FormatError(f"a key is named {name!r}, which the parser keeps for itself")
        if key.get("attr.type") in {"int", "integer", "long"}:
            integers.add(own)
    for element in root.iter():
        data = element.findall(f"{_SPACE}data")
        keys = [item.get("key") for item in data]
        if len(set(keys)) < len(keys):
            raise FormatError("an element has two values of one key")
        for item in data:
            if item.get("key") in integers and (
                len(item) or not _INTEGER.fullmatch(item.text or "")
            ):
                raise FormatError(f"a value of the key {item.get('key')!r} is no integer")


def _needed(element: Any, name: str, where: str) -> str:
    if name not in element.attrib:
        raise FormatError(f'{where} has no "{name}"')
    value: str = element.attrib[name]
    return value
