"""Dicts and graphs that can be read and copied but never written.

networkx walks through the attribute dicts of a graph, copies them and pickles
them, and expects to find dicts. So a frozen one is a dict too: it refuses every
way of writing, and every way of copying it (`copy`, `copy.deepcopy`, pickling)
gives a plain dict that its owner may change.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NoReturn, TypeAlias

import networkx as nx

from unrollgraph.errors import FrozenError
from unrollgraph.graph.collection import without_collection

Pairs: TypeAlias = Iterable[tuple[Any, dict[Any, Any]]]


class FrozenDict(dict[Any, Any]):
    """A dict that refuses writing and whose copies are plain dicts."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise FrozenError(
            "this belongs to a frozen value, which never changes; change a copy of it, as by copy()"
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def copy(self) -> dict[Any, Any]:
        """Return a plain dict of the same items."""
        return dict(self)

    def __copy__(self) -> dict[Any, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return {copy.deepcopy(k, memo): copy.deepcopy(v, memo) for k, v in self.items()}

    def __reduce__(self) -> tuple[type, tuple[dict[Any, Any]]]:
        return dict, (dict(self),)


def stored_graph(multigraph: bool, vertices: Pairs, edges: Pairs) -> Any:
    """Make a networkx directed graph that holds the attribute dicts it is given.

    Vertices and edges come as pairs with their attributes. Several times as fast as
    networkx's own way for multigraphs, which looks every edge up again for its attributes.
    """
    return _filled(multigraph, vertices, edges, dict)


def frozen_graph(multigraph: bool, data: FrozenDict, vertices: Pairs, edges: Pairs) -> Any:
    """Make a frozen networkx directed graph of frozen attributes.

    `networkx.freeze` stops the methods that add and remove; here no dict that networkx hands
    out can be written to either.
    """
    graph = _filled(multigraph, vertices, edges, FrozenDict)
    graph.graph = data
    return nx.freeze(graph)


def frozen_copy(graph: Any) -> Any:
    """Make a frozen copy of a networkx directed graph, its attributes included."""
    edges = graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True)
    return frozen_graph(
        graph.is_multigraph(),
        FrozenDict(graph.graph),
        [(node, FrozenDict(data)) for node, data in graph.nodes(data=True)],
        ((tuple(edge), FrozenDict(data)) for *edge, data in edges),
    )


@without_collection
def _filled(multigraph: bool, vertices: Pairs, edges: Pairs, row: type[dict[Any, Any]]) -> Any:
    graph: Any = nx.MultiDiGraph() if multigraph else nx.DiGraph()
    held = list(vertices)
    graph.add_nodes_from(vertex for vertex, _ in held)
    graph._node.update(held)
    succ, pred = graph._succ, graph._pred
    for (tail, head, *key), data in edges:
        if multigraph:
            keyed = succ[tail].get(head)
            if keyed is None:
                succ[tail][head] = pred[head][tail] = keyed = row()
            dict.__setitem__(keyed, key[0], data)
        else:
            succ[tail][head] = pred[head][tail] = data
    return graph
