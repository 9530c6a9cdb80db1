"""Immutable dicts and graphs, comparison of attributes, and pictures in notebooks.

networkx requires that attributes are dicts. A `FrozenDict` is a dict that cannot be changed; its
copies (`copy`, `copy.deepcopy`, pickling) are plain dicts. Attributes may be arrays or NaN, for
which ``==`` is not an equality, so `same_attributes` compares them.

`without_collection` disables the garbage collector: a function that makes and keeps a million
tuples takes half the time without it. `Pictured` is the base class of values with a picture in
notebooks; the function that draws them is registered by `drawn_by`.
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
    """Decorate a function to run with the garbage collector disabled."""

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
    """An immutable dict whose copies are plain dicts."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise FrozenError(
            "this dict belongs to a frozen object and cannot be changed; change a copy, from copy()"
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def copy(self) -> dict[Any, Any]:
        """Return a plain dict with the same items."""
        return dict(self)

    def __copy__(self) -> dict[Any, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return {copy.deepcopy(k, memo): copy.deepcopy(v, memo) for k, v in self.items()}

    def __reduce__(self) -> tuple[type, tuple[dict[Any, Any]]]:
        return dict, (dict(self),)


def stored_graph(multigraph: bool, vertices: Pairs, edges: Pairs) -> nx.DiGraph[Any]:
    """Make a networkx directed graph of pairs (vertex, dict) and (edge, dict), without copying.

    Several times as fast as networkx for multigraphs.
    """
    return _filled(multigraph, vertices, edges, dict)


def frozen_graph(
    multigraph: bool, data: FrozenDict, vertices: Pairs, edges: Pairs
) -> nx.DiGraph[Any]:
    """Make a networkx directed graph whose structure and attribute dicts cannot be changed.

    `networkx.freeze` alone disables only the methods that add and remove.
    """
    graph: Any = _filled(multigraph, vertices, edges, FrozenDict)
    graph.graph = data
    frozen: nx.DiGraph[Any] = nx.freeze(graph)
    return frozen


def frozen_copy(graph: Any) -> nx.DiGraph[Any]:
    """Make an immutable copy of a networkx directed graph and its attributes."""
    edges = graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True)
    return frozen_graph(
        graph.is_multigraph(),
        FrozenDict(graph.graph),
        [(node, FrozenDict(data)) for node, data in graph.nodes(data=True)],
        ((tuple(edge), FrozenDict(data)) for *edge, data in edges),
    )


@without_collection
def _filled(
    multigraph: bool, vertices: Pairs, edges: Pairs, row: type[dict[Any, Any]]
) -> nx.DiGraph[Any]:
    graph: Any = nx.MultiDiGraph() if multigraph else nx.DiGraph()
    made: nx.DiGraph[Any] = graph
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
    return made


def same_attributes(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether two attribute dicts have equal names and values."""
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
    return bool(a == b) or (a != a and b != b)  # noqa: PLR0124  (NaN)


_DRAWERS: list[Callable[[Any], str | None]] = []


def drawn_by(drawer: Callable[[Any], str | None]) -> None:
    """Register the function that returns a value as SVG, or None if it does not draw it."""
    _DRAWERS[:] = [drawer]


class Pictured:
    """A value that notebooks show as a picture."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        """Return this value as SVG, or None if it is too large."""
        return next((drawer(self) for drawer in _DRAWERS), None)
