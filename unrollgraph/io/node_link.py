"""Read and write delay graphs as node-link JSON, the canonical format.

The format is that of ``networkx.node_link_data`` and ``networkx.node_link_graph``:

    {"directed": true, "multigraph": false, "unrollgraph": 1, "graph": {},
     "nodes": [{"id": "A"}, ...],
     "edges": [{"source": "A", "target": "B", "delay": 1}, ...]}

Vertices and keys are strings, integers or nested tuples of these. A tuple is written as a list if
it is a vertex, a key or a delay, and as ``{"tuple": [...]}`` if it is another attribute. networkx
does not read keys that are tuples, or nested tuples. A delay may be read from an integral float.
Values that JSON cannot represent exactly are rejected.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import networkx as nx

from unrollgraph.errors import DelayError, FormatError
from unrollgraph.graph.delay_graph import as_delay_graph
from unrollgraph.io.texts import whole

VERSION = 1


def dumps(G: Any, delay: str = "delay") -> str:
    """Write a delay graph as a string."""
    try:
        return _text_of(G, delay)
    except FormatError:
        raise
    except RecursionError:
        raise FormatError("an attribute is nested too deeply, or contains itself") from None
    except ValueError as error:  # an integer of thousands of digits
        if isinstance(error, DelayError):
            raise
        raise FormatError(
            f"JSON cannot represent the graph: {str(error).partition(';')[0]}"
        ) from None


def _text_of(G: Any, delay: str) -> str:
    graph = as_delay_graph(G, delay)
    name = graph.delay_name
    if name in {"source", "target"} or (name == "key" and graph.multigraph):
        raise FormatError(
            f"the name {name!r} of the delay is reserved in JSON for the ends or keys of edges; "
            "rename it"
        )
    nodes = [
        {"id": _vertex_out(v), **_attributes_out(data, {"id"}, f"vertex {v!r}")}
        for v, data in zip(graph.vertices, graph.vertex_data, strict=True)
    ]
    edges = []
    for edge, data, time in zip(graph.edges, graph.edge_data, graph.times, strict=True):
        item = {"source": _vertex_out(edge[0]), "target": _vertex_out(edge[1])}
        if graph.multigraph:
            item["key"] = _vertex_out(edge[2])
        others = {k: v for k, v in data.items() if k != name}
        item |= _attributes_out(others, {"source", "target", "key"}, f"edge {edge!r}")
        if name in data:
            item[name] = time if graph.dimension == 1 else list(time)
        edges.append(item)
    head = {
        "directed": True,
        "multigraph": graph.multigraph,
        "unrollgraph": VERSION,
        "graph": _attributes_out(graph.graph_data, set(), "the graph"),
    }
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ","]
    for part, items in (("nodes", nodes), ("edges", edges)):
        rows = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in items)
        lines.append(f' "{part}": [\n  {rows}\n ]' if rows else f' "{part}": []')
    return lines[0] + "\n" + ",\n".join(lines[1:]) + "}\n"


def loads(text: str, delay: str = "delay") -> nx.DiGraph[Any]:
    """Read a delay graph from a string."""
    try:
        document = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_no_repeats,
        )
        return _graph_of(document, delay)
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error}") from None
    except FormatError:
        raise
    except DelayError as error:
        raise FormatError(str(error)) from None
    except ValueError as error:  # an integer of thousands of digits
        raise FormatError(str(error).partition(";")[0]) from None
    except RecursionError:
        raise FormatError("not a graph: brackets are nested too deeply") from None


def _graph_of(document: Any, delay: str) -> nx.DiGraph[Any]:
    """Make a graph from a JSON document."""
    if not isinstance(document, dict) or "nodes" not in document:
        raise FormatError('not a node-link graph: there is no list "nodes"')
    version = document.get("unrollgraph", VERSION)
    if type(version) is not int or version != VERSION:
        raise FormatError(
            f"the file has version {version!r} of the format, but only version {VERSION} is "
            "supported; use a newer unrollgraph"
        )
    if document.get("directed") is not True:
        raise FormatError('the graph is not directed; a delay graph must have "directed": true')
    multigraph = document.get("multigraph", False)
    if not isinstance(multigraph, bool):
        raise FormatError(f'"multigraph" is {json.dumps(multigraph)}, but it must be true or false')
    G: Any = nx.MultiDiGraph() if multigraph else nx.DiGraph()
    G.graph.update(_attributes_in(_of_kind(document.get("graph", {}), dict, '"graph"')))
    for k, item in enumerate(_of_kind(document["nodes"], list, '"nodes"')):
        where = f"node {k}"
        rest = dict(_of_kind(item, dict, where))
        vertex = _vertex_in(_take(rest, "id", where), where)
        if vertex in G:
            raise FormatError(f"{where} has the same id {vertex!r} as an earlier node; rename it")
        G.add_node(vertex)
        G.nodes[vertex].update(_attributes_in(rest))
    if "edges" not in document and "links" not in document:
        raise FormatError('not a node-link graph: there is no list "edges"')
    if "edges" in document and "links" in document:
        raise FormatError('both "edges" and "links" are given; remove one of them')
    edges = document.get("edges", document.get("links"))
    for k, item in enumerate(_of_kind(edges, list, '"edges"')):
        where = f"edge {k}"
        rest = dict(_of_kind(item, dict, where))
        ends = [_vertex_in(_take(rest, end, where), where) for end in ("source", "target")]
        for vertex in ends:
            if vertex not in G:
                raise FormatError(f"{where} has the end {vertex!r}, which is not a node; add it")
        key = [_vertex_in(rest.pop("key"), where)] if multigraph and "key" in rest else []
        if G.has_edge(*ends, *key) and (key or not multigraph):
            raise FormatError(
                f"{where}, {(*ends, *key)!r}, occurs twice; parallel edges require "
                '"multigraph": true and different keys'
            )
        added = G.add_edge(*ends, *key)
        data = G.edges[(*ends, added) if multigraph else tuple(ends)]
        data.update(_attributes_in(rest))
        if delay in data:
            data[delay] = whole(data[delay])
    as_delay_graph(G, delay)  # validates the delays
    made: nx.DiGraph[Any] = G
    return made


# -- values ----------------------------------------------------------------------


def _vertex_out(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_vertex_out(part) for part in value]
    if isinstance(value, str) or type(value) is int:
        return value
    raise FormatError(
        f"vertices and keys must be strings, integers or tuples of these, but {value!r} is "
        f"{_article(value)}; relabel it, for example with networkx.relabel_nodes"
    )


def _vertex_in(value: Any, where: str) -> Any:
    if isinstance(value, list):
        return tuple(_vertex_in(part, where) for part in value)
    if isinstance(value, str) or type(value) is int:
        return value
    raise FormatError(
        f"{where} has the vertex or key {json.dumps(value)[:60]}, but vertices and keys must be "
        "strings, integers or lists of these"
    )


def _attributes_out(data: Any, taken: set[str], where: str) -> dict[str, Any]:
    for name in data:
        if not isinstance(name, str) or name in taken:
            raise FormatError(
                f"{where} has an attribute named {name!r}, which is reserved or not a string; "
                "rename it"
            )
    return {name: _value_out(value, f"{name!r} of {where}") for name, value in data.items()}


def _value_out(value: Any, where: str) -> Any:
    if value is None or isinstance(value, str) or type(value) in {bool, int}:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is tuple:
        return {"tuple": [_value_out(part, where) for part in value]}
    if type(value) is list:
        return [_value_out(part, where) for part in value]
    if isinstance(value, dict) and list(value) != ["tuple"] and all(map(_is_text, value)):
        return {k: _value_out(part, where) for k, part in value.items()}
    raise FormatError(
        f"the attribute {where} is {value!r}, {_article(value)} that JSON cannot represent "
        "exactly; use strings, finite numbers, booleans, None, and lists, tuples and dicts of these"
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _value_in(value: Any) -> Any:
    if isinstance(value, list):
        return [_value_in(part) for part in value]
    if isinstance(value, dict):
        if list(value) == ["tuple"] and isinstance(value["tuple"], list):
            return tuple(_value_in(part) for part in value["tuple"])
        return {k: _value_in(part) for k, part in value.items()}
    return value


def _attributes_in(data: dict[str, Any]) -> dict[str, Any]:
    return {name: _value_in(value) for name, value in data.items()}


def _article(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _of_kind(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind):
        wanted = "an object" if kind is dict else "a list"
        raise FormatError(f"{where} is {json.dumps(value)[:60]}, but it must be {wanted}")
    return value


def _take(item: dict[str, Any], name: str, where: str) -> Any:
    if name not in item:
        raise FormatError(f'{where} has no "{name}"')
    return item.pop(name)


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _no_constant(digits)


def _no_constant(name: str) -> NoReturn:
    raise FormatError(f"{name} is not a finite number; replace it")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f'an object has the name "{twice}" twice; remove one')
    return found
