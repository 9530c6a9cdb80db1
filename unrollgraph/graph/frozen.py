"""Dicts and graphs that can be read and copied but never written.

networkx walks through the attribute dicts of a graph, copies them and pickles
them, and expects to find dicts. So a frozen one is a dict too: it refuses every
way of writing, and every way of copying it (`copy`, `copy.deepcopy`, pickling)
gives a plain dict that its owner may change.
"""

from __future__ import annotations

import copy
from typing import Any, NoReturn

import networkx as nx

from unrollgraph.errors import FrozenError

__all__ = ["FrozenDict", "frozen_graph"]


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


def frozen_graph(graph: Any) -> Any:
    """Freeze a networkx directed graph that nobody else holds, its attributes included.

    `networkx.freeze` stops the methods that add and remove; here the attribute
    dicts are replaced by frozen ones as well.
    """
    for node, data in graph._node.items():
        graph._node[node] = FrozenDict(data)
    for tail, row in graph._succ.items():
        for head, data in row.items():
            if graph.is_multigraph():
                frozen = FrozenDict({key: FrozenDict(item) for key, item in data.items()})
            else:
                frozen = FrozenDict(data)
            row[head] = graph._pred[head][tail] = frozen
    graph.graph = FrozenDict(graph.graph)
    return nx.freeze(graph)
