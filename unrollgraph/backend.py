"""The networkx backend for infinite covers.

networkx dispatches functions with a `DelayCover` as argument to this module. The results are exact
for the infinite graph.

>>> import networkx as nx
>>> import unrollgraph as ug
>>> cover = ug.DelayCover(ug.gallery.seed_network())
>>> nx.is_directed_acyclic_graph(cover)
True
>>> nx.has_path(cover, ("in", 0), ("out", 10**6))
True
>>> nx.number_weakly_connected_components(cover)
1

A function that is not implemented, or whose result is infinite, raises `InfiniteCoverError`, a
`networkx.NetworkXNotImplemented`; its message suggests an alternative. (networkx would catch a
`NotImplementedError`.) Covers are never converted to finite graphs. Windows (`unroll`) and finite
lifts are networkx graphs and do not use this backend. networkx finds backends by the entry points
of installed packages, so unrollgraph must be installed.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, NoReturn

import networkx as nx

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.errors import (
    CyclicCoverError,
    InfiniteCoverError,
    LiftError,
    RadiusError,
    TooLargeError,
    UnboundedError,
    check_size,
    show_vertex,
)
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.times import add, box
from unrollgraph.limits import MOST_OBJECTS
from unrollgraph.measure import (
    ComponentFamily,
    components,
    d_separated,
    find_cycle,
    has_path,
    is_acyclic,
    is_universal,
    shortest_path,
    shortest_path_length,
    strong_components,
)
from unrollgraph.measure._components import families_of
from unrollgraph.measure.lattices import Lattice
from unrollgraph.measure.path_search import time_bounds
from unrollgraph.measure.paths import walks_between
from unrollgraph.measure.periodic_graphs import descendants_at_distance, distances_within
from unrollgraph.measure.separation import find_minimal_separator, is_minimal_separator


class Component(AbstractSet[Any]):
    """A component of the cover, an infinite set with a membership test.

    `family` is its `ComponentFamily`, `node` one of its vertices.

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.DiGraph()
    >>> G.add_edge("h", "h", delay=2)
    >>> even, odd = nx.weakly_connected_components(ug.DelayCover(G))
    >>> ("h", 10**9) in even, ("h", 10**9) in odd
    (True, False)
    """

    def __init__(self, family: ComponentFamily, node: Any) -> None:
        self.family, self.node = family, node

    def __contains__(self, node: object) -> bool:
        try:
            return bool(self.family.component(node) == self.family.component(self.node))
        except (LiftError, TypeError):
            return False

    def _endless(self) -> NoReturn:
        raise InfiniteCoverError(
            "a component of the cover is infinite; test whether it contains a vertex, or compute "
            "the components of a window, unrollgraph.unroll(G, window)"
        )

    def __iter__(self) -> Iterator[Any]:
        return self._endless()

    def __len__(self) -> int:
        return self._endless()

    def __bool__(self) -> bool:
        return True

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return set(it)

    def __and__(self, other: Any) -> Any:
        """Return the intersection with a finite set or a component."""
        if isinstance(other, Component):
            return self if self == other else set()
        return {node for node in other if node in self}

    __rand__ = __and__

    def __le__(self, other: AbstractSet[Any]) -> bool:
        return self == other

    def __lt__(self, other: AbstractSet[Any]) -> bool:
        return False

    def __ge__(self, other: AbstractSet[Any]) -> bool:
        return self == other if isinstance(other, Component) else all(x in self for x in other)

    def __gt__(self, other: AbstractSet[Any]) -> bool:
        return self >= other and self != other

    def isdisjoint(self, other: Any) -> bool:
        """Whether the intersection with another set is empty."""
        return not self & other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Component):
            return NotImplemented
        return self.family == other.family and self.node in other

    def __hash__(self) -> int:
        return hash((self.family.vertices, self.family.component(self.node)))

    def __repr__(self) -> str:
        return f"<the component of {show_vertex(self.node)}>"


class _Dispatcher:
    """The backend object: functions of networkx by their names, as attributes."""

    def __init__(self, answers: dict[str, Callable[..., Any]]) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._answers[name] if name in self._answers else _unanswered(name)

    def __dir__(self) -> list[str]:
        return sorted(self._answers)

    @staticmethod
    def can_run(name: str, args: Any, kwargs: Any) -> bool | str:  # noqa: ARG004
        """Whether an argument of a call is an infinite cover, or the reason why not."""
        if any(isinstance(value, DelayCover) for value in (*args, *kwargs.values())):
            return True
        return "the backend unrollgraph requires a DelayCover as argument"

    should_run = can_run


def _unanswered(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise _refusal(f"nx.{name}")

    return refuse


def _refusal(what: str, mend: str = "") -> InfiniteCoverError:
    mend = mend or "use a window of the cover, unrollgraph.unroll(G, window)"
    return InfiniteCoverError(f"{what} is not supported for an infinite cover; {mend}")


# -- whole cover -----------------------------------------------------------------------


def _is_directed_acyclic_graph(G: DelayCover) -> bool:
    return is_acyclic(G)


def _find_cycle(G: DelayCover, source: Any = None, orientation: Any = None) -> list[Any]:
    if source is not None or orientation not in (None, "original"):
        raise _refusal("nx.find_cycle with source or orientation", "omit both")
    return list(find_cycle(G))


def _is_bipartite(G: DelayCover) -> bool:
    # the pairs (total delay, signed number of edges) of closed walks form a lattice; an odd closed
    # walk of the cover has total delay zero and an odd number of edges
    graph = G.delay_graph
    longer = graph.with_delays([(*delay, 1) for delay in graph.delays.tolist()])
    odd = (*[0] * graph.dimension, 1)
    for family in families_of(DelayGraph(longer, graph.delay_name)):
        lattice = Lattice(graph.dimension + 1)
        for row in (*family.basis, tuple(2 * x for x in odd)):
            lattice.add(row)
        if not lattice.add(odd):  # the lattice contains odd
            return False
    return True


def _is_forest(G: DelayCover) -> bool:
    _check_vertices(G)
    return is_universal(G)


def _is_tree(G: DelayCover) -> bool:
    return _is_forest(G) and _is_weakly_connected(G)


def _number_weakly_connected_components(G: DelayCover) -> float:
    return _count(components(G))


def _is_weakly_connected(G: DelayCover) -> bool:
    _check_vertices(G)
    return _number_weakly_connected_components(G) == 1


def _weakly_connected_components(G: DelayCover) -> Iterator[Component]:
    if math.isinf(_number_weakly_connected_components(G)):
        raise _refusal(
            "nx.weakly_connected_components with infinitely many components",
            "use unrollgraph.components(cover)",
        )
    return _each(components(G))


def _number_strongly_connected_components(G: DelayCover) -> float:
    families = strong_components(G)
    single = len(G.delay_graph.vertices) - sum(len(family.vertices) for family in families)
    return math.inf if single else _count(families)


def _is_strongly_connected(G: DelayCover) -> bool:
    _check_vertices(G)
    return _number_strongly_connected_components(G) == 1


def _strongly_connected_components(G: DelayCover) -> Iterator[Component]:
    if math.isinf(_number_strongly_connected_components(G)):
        raise _refusal(
            "nx.strongly_connected_components with infinitely many components",
            "use unrollgraph.strong_components(cover), for those that are not single vertices",
        )
    return _each(strong_components(G))


def _count(families: tuple[ComponentFamily, ...]) -> float:
    return sum(family.copies for family in families)


def _each(families: tuple[ComponentFamily, ...]) -> Iterator[Component]:
    """Yield the components of families with finitely many: one for each reduced shift."""
    for family in families:
        vertex = family.vertices[0]
        for shift in box([range(row[k]) for k, row in enumerate(family.basis)]):
            by = shift[0] if family.graph.dimension == 1 else shift
            yield Component(family, (vertex, add(family.offsets[vertex], by, 1)))


def _check_vertices(G: DelayCover) -> None:
    if not G.delay_graph.vertices:
        raise nx.NetworkXPointlessConcept("the cover has no vertices; add one to the base graph")


# -- from a vertex -----------------------------------------------------------------------


def _has_path(G: DelayCover, source: Any, target: Any) -> bool:
    return bool(_walked(has_path, G, source, target))


def _shortest_path(
    G: DelayCover, source: Any = None, target: Any = None, weight: Any = None, method: Any = None
) -> Any:
    _check_method(method)
    return _walked(shortest_path, G, source, target, weight=_weights(G, weight))


def _shortest_path_length(
    G: DelayCover, source: Any = None, target: Any = None, weight: Any = None, method: Any = None
) -> Any:
    _check_method(method)
    return _walked(shortest_path_length, G, source, target, weight=_weights(G, weight))


def _dijkstra_path(G: DelayCover, source: Any, target: Any, weight: Any = "weight") -> Any:
    return _shortest_path(G, source, target, weight)


def _dijkstra_path_length(G: DelayCover, source: Any, target: Any, weight: Any = "weight") -> Any:
    return _shortest_path_length(G, source, target, weight)


def _bidirectional_shortest_path(G: DelayCover, source: Any, target: Any) -> Any:
    return _shortest_path(G, source, target)


def _descendants_at_distance(G: DelayCover, source: Any, distance: Any) -> set[Any]:
    _check_contains(G, source)
    if distance < 0 or distance % 1:  # as in networkx
        return set()
    return descendants_at_distance(G, source, int(distance))


def _single_source_shortest_path_length(
    G: DelayCover, source: Any, cutoff: Any = None
) -> dict[Any, int]:
    if cutoff is None or cutoff == math.inf:
        raise _refusal("nx.single_source_shortest_path_length without cutoff", "pass cutoff=")
    _check_contains(G, source)
    return distances_within(G, source, max(0, math.ceil(cutoff)))


def _walked(ask: Callable[..., Any], G: DelayCover, source: Any, target: Any, **how: Any) -> Any:
    """Call a path function, with the exceptions of networkx."""
    for node, side in ((source, "source"), (target, "target")):
        if node is None:
            raise _refusal(f"a path without {side}", "pass source and target")
        _check_contains(G, node)
    try:
        return ask(G, source, target, **how)
    except RadiusError as error:
        raise InfiniteCoverError(
            f"{error}: unrollgraph.{ask.__name__}(cover, source, target, radius=...)"
        ) from None


def _weights(G: DelayCover, weight: Any) -> Any:
    """Return the lengths of the edges as in networkx: 1 if the attribute is missing."""
    if weight is None:
        return None
    if callable(weight):
        raise _refusal(
            "a weight that is a function", "pass the name of an edge attribute of the base graph"
        )
    graph = G.delay_graph
    return dict(zip(graph.edges, graph.edge_values(weight, 1), strict=True))


def _check_method(method: Any) -> None:
    if method not in (None, "dijkstra", "bellman-ford"):
        raise ValueError(f"method not supported: {method}")


def _check_contains(G: DelayCover, node: Any) -> None:
    if node not in G:
        raise nx.NodeNotFound(f"{node!r} is not a vertex of the cover")


def _ego_graph(
    G: DelayCover,
    n: Any,
    radius: float = 1,
    center: bool = True,
    undirected: bool = False,
    distance: Any = None,
) -> nx.DiGraph[Any]:
    if undirected:
        raise _refusal("nx.ego_graph with undirected=True", "use unrollgraph.with_reverses(G)")
    near: Iterable[Any]
    if distance is None:
        near = _single_source_shortest_path_length(G, n, radius)
    else:
        part = _within(G, n, radius, distance, "nx.ego_graph")
        near = nx.single_source_dijkstra_path_length(part, n, radius, distance)
    H = G.subgraph(near)
    if not center:
        H.remove_node(n)
    return H


def _all_shortest_paths(
    G: DelayCover, source: Any, target: Any, weight: Any = None, method: Any = "dijkstra"
) -> Iterator[list[Any]]:
    length = _shortest_path_length(G, source, target, weight, method)
    if weight is None:
        ball = _ego_graph(G, source, length)
    else:
        ball = _in_time(G, source, target) or _within(
            G, source, length, weight, "nx.all_shortest_paths"
        )
    paths: Iterator[list[Any]] = nx.all_shortest_paths(ball, source, target, weight)
    return paths


def _in_time(G: DelayCover, source: Any, target: Any) -> nx.DiGraph[Any] | None:
    """Return a subgraph with all paths between two vertices, or None if times are not bounded."""
    graph, walks, total = walks_between(G, source, target)
    bounds = time_bounds(walks, total) if walks is not None and graph.dimension == 1 else None
    if walks is None or bounds is None or not bounds.sign:
        return None
    times = range(bounds.low, bounds.high + 1)
    count = walks.n * len(times)
    check_size(count, MOST_OBJECTS, "the part of the cover", "choose vertices closer in time")
    first = G.locate(source)[1] + bounds.clock[walks.start]
    names = [graph.vertices[v] for v in walks.vertices.tolist()]
    clocks = list(zip(names, bounds.clock, strict=True))
    return G.subgraph((name, first + t - clock) for t in times for name, clock in clocks)


def _single_source_dijkstra(
    G: DelayCover, source: Any, target: Any = None, cutoff: Any = None, weight: Any = "weight"
) -> Any:
    return nx.single_source_dijkstra(
        _within(G, source, cutoff, weight), source, target, cutoff, weight
    )


def _single_source_dijkstra_path(
    G: DelayCover, source: Any, cutoff: Any = None, weight: Any = "weight"
) -> dict[Any, list[Any]]:
    near = _within(G, source, cutoff, weight)
    paths: dict[Any, list[Any]] = nx.single_source_dijkstra_path(near, source, cutoff, weight)
    return paths


def _single_source_dijkstra_path_length(
    G: DelayCover, source: Any, cutoff: Any = None, weight: Any = "weight"
) -> dict[Any, Any]:
    near = _within(G, source, cutoff, weight)
    lengths: dict[Any, Any] = nx.single_source_dijkstra_path_length(near, source, cutoff, weight)
    return lengths


def _within(
    G: DelayCover, source: Any, cutoff: Any, weight: Any, name: str = "nx.single_source_dijkstra"
) -> nx.DiGraph[Any]:
    """Return a subgraph with all paths from a vertex whose length is at most the cutoff."""
    if cutoff is None or cutoff == math.inf:
        raise _refusal(f"{name} without a limit", "pass cutoff=, or radius= to nx.ego_graph")
    _check_contains(G, source)
    least = min((_weights(G, weight) or {}).values(), default=1)
    if least <= 0:
        raise _refusal(
            f"{name} with an edge of length 0 or less",
            "make all lengths positive, so that finitely many vertices are within a distance",
        )
    return _ball(G, source, max(0, cutoff / least), G.successors)


# -- d-separation -------------------------------------------------------------------------


def _is_d_separator(G: DelayCover, x: Any, y: Any, z: Any) -> bool:
    return bool(_about_sets(d_separated, G, x, y, z))


def _find_minimal_d_separator(
    G: DelayCover, x: Any, y: Any, *, included: Any = None, restricted: Any = None
) -> set[Any] | None:
    included = () if included is None else included
    found: set[Any] | None = _about_sets(find_minimal_separator, G, x, y, included, restricted)
    return found


def _is_minimal_d_separator(
    G: DelayCover, x: Any, y: Any, z: Any, *, included: Any = None, restricted: Any = None
) -> bool:
    included = () if included is None else included
    return bool(_about_sets(is_minimal_separator, G, x, y, z, included, restricted))


def _about_sets(ask: Callable[..., Any], *args: Any) -> Any:
    """Call a function of sets of vertices, with the exceptions of networkx."""
    try:
        return ask(*args)
    except LiftError as error:
        raise nx.NodeNotFound(str(error)) from None
    except TooLargeError:
        raise
    except (ValueError, CyclicCoverError, UnboundedError) as error:
        raise nx.NetworkXError(str(error)) from None


# functions of networkx whose named parameter limits them to finitely many vertices
_BOUNDED = {
    "all_simple_edge_paths": "cutoff",
    "all_simple_paths": "cutoff",
    "bfs_edges": "depth_limit",
    "bfs_successors": "depth_limit",
    "bfs_tree": "depth_limit",
    "dfs_edges": "depth_limit",
    "dfs_labeled_edges": "depth_limit",
    "dfs_postorder_nodes": "depth_limit",
    "dfs_predecessors": "depth_limit",
    "dfs_preorder_nodes": "depth_limit",
    "dfs_successors": "depth_limit",
    "dfs_tree": "depth_limit",
    "predecessor": "cutoff",
    "single_source_shortest_path": "cutoff",
    "single_target_shortest_path": "cutoff",
    "single_target_shortest_path_length": "cutoff",
}


def _bounded(name: str, limit: str) -> Callable[..., Any]:
    """Return a function that calls networkx on the subgraph of the cover within the limit."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        function = getattr(nx, name)
        given = inspect.signature(function).bind(*args, **kwargs).arguments
        G, start = given.pop("G"), given.get("source", given.get("target"))
        if given.get(limit) is None or given[limit] == math.inf:
            raise _refusal(f"nx.{name} without {limit}", f"pass {limit}=")
        if start is None:
            raise _refusal(f"nx.{name} without a source", "pass source=")
        _check_contains(G, start)
        backward = "source" not in given or given.get("reverse")
        # with depth_limit=0 the depth-first functions of networkx still follow edges of the start
        step = G.predecessors if backward else G.successors
        return function(_ball(G, start, given[limit] + 1, step), **given)

    return answer


def _ball(
    G: DelayCover, start: Any, radius: float, step: Callable[[Any], Iterable[Any]]
) -> nx.DiGraph[Any]:
    """Return the subgraph of the cover within a number of steps from a vertex."""
    front, near = [start], {start}
    for _ in range(math.ceil(radius)):
        front = [b for b in dict.fromkeys(b for a in front for b in step(a)) if b not in near]
        near.update(front)
        check_size(len(near), MOST_OBJECTS, "the part of the cover", "take a smaller limit")
        if not front:
            break
    return G.subgraph(near)


dispatcher = _Dispatcher(
    {name: _bounded(name, limit) for name, limit in _BOUNDED.items()}
    | {
        answer.__name__.removeprefix("_"): answer
        for answer in (
            _all_shortest_paths,
            _bidirectional_shortest_path,
            _descendants_at_distance,
            _dijkstra_path,
            _dijkstra_path_length,
            _ego_graph,
            _find_cycle,
            _find_minimal_d_separator,
            _has_path,
            _is_bipartite,
            _is_d_separator,
            _is_directed_acyclic_graph,
            _is_forest,
            _is_minimal_d_separator,
            _is_strongly_connected,
            _is_tree,
            _is_weakly_connected,
            _number_strongly_connected_components,
            _number_weakly_connected_components,
            _shortest_path,
            _shortest_path_length,
            _single_source_dijkstra,
            _single_source_dijkstra_path,
            _single_source_dijkstra_path_length,
            _single_source_shortest_path_length,
            _strongly_connected_components,
            _weakly_connected_components,
        )
    }
)
