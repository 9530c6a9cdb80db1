"""Frozen graphs and dicts, the comparison of attributes, and pictures in notebooks.

networkx walks through the attribute dicts of a graph, copies them and pickles
them, and expects to find dicts. So a frozen one is a dict too: it refuses every
way of writing, and every way of copying it (`copy`, `copy.deepcopy`, pickling)
gives a plain dict that its owner may change.

Attributes may be numbers, arrays, NaN, operations, and containers of those. Python compares
arrays entry by entry, and NaN with nothing, so `same_attributes` compares them.

Python's garbage collector looks through all containers again and again while many are made.
A function that makes a million tuples and keeps them all takes half the time without it.

Notebooks ask a value for ``_repr_svg_``. The values are defined here, below `draw`, which
registers the function that draws them.
"""

from __future__ import annotations

import copy
import functools
import gc
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, ParamSpec, TypeAlias, TypeVar

import networkx as nx
import numpy as np

from unrollgraph.errors import FrozenError

P = ParamSpec("P")
R = TypeVar("R")


def without_collection(build: Callable[P, R]) -> Callable[P, R]:
    """Let the garbage collector rest while a function runs, if it was on."""

    @functools.wraps(build)
    def resting(*args: P.args, **kwargs: P.kwargs) -> R:
        if not gc.isenabled():
            return build(*args, **kwargs)
        gc.disable()
        try:
            return build(*args, **kwargs)
        finally:
            gc.enable()

    return resting


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


def same_attributes(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two sets of attributes have the same names and values."""
    if one is other:
        return True
    return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)


def _equal(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if type(a) is not type(b) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype == object:
            return all(map(_equal, a.ravel(), b.ravel()))
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM"))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return same_attributes(a, b)
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b) or (a != a and b != b)  # noqa: PLR0124  (not a number)


_DRAWERS: list[Callable[[Any], str | None]] = []


def drawn_by(drawer: Callable[[Any], str | None]) -> None:
    """Have pictures made by a function that returns SVG, or None for what it does not draw."""
    _DRAWERS[:] = [drawer]


class Pictured:
    """A value with a picture."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        """Picture of this value, if it is not large."""
        return next((drawer(self) for drawer in _DRAWERS), None)
