"""networkx's own functions, on the infinite cover.

networkx hands a function called with a `DelayCover` to this page, its backend, and the answer is
exact: for the infinite graph, from its finite base.

>>> import networkx as nx
>>> import unrollgraph as ug
>>> cover = ug.DelayCover(ug.gallery.seed_network())
>>> nx.is_directed_acyclic_graph(cover)
True
>>> nx.has_path(cover, ("in", 0), ("out", 10**6))
True
>>> nx.number_weakly_connected_components(cover)
1

A function that has no answer here raises `InfiniteCoverError`, which is a
`networkx.NetworkXNotImplemented` and says what to do instead; so does one whose answer is
infinite. (A `NotImplementedError` would not arrive: networkx catches it, to try its other
backends, and says something else.) Nothing is converted, and no call runs for ever. Windows
(`unroll`) and other lifts are networkx graphs of their own and do not come here.

networkx finds a backend by the entry points of installed packages, so this needs unrollgraph to
be installed, not only to lie on the path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, NoReturn

import networkx as nx

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.errors import InfiniteCoverError, LiftError, RadiusError, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.times import add, box
from unrollgraph.measure import (
    ComponentFamily,
    components,
    descendants_at_distance,
    distances_within,
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


class Component(AbstractSet[Any]):
    """One component of the cover: an infinite set, given by a membership test.

    Attributes
    ----------
    family : ComponentFamily
        The components that are like it.
    node : vertex of the cover
        One of its vertices.

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
        raise TypeError(
            "a component of the cover is infinite; ask whether it contains a vertex, or take the "
            "components of a window, unrollgraph.unroll(G, window)"
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
        """What is in both: of a finite set its part, and two components are equal or disjoint."""
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
        """Whether it has no vertex in common with another set."""
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
    """What networkx asks for a function by its name."""

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
        """Whether a call concerns an infinite cover."""
        if any(isinstance(value, DelayCover) for value in (*args, *kwargs.values())):
            return True
        return "unrollgraph answers questions about a DelayCover, and converts no other graph"

    should_run = can_run


def _unanswered(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise _refusal(f"nx.{name}")

    return refuse


def _refusal(what: str, mend: str = "") -> InfiniteCoverError:
    mend = mend or "take a finite piece of it with unrollgraph.unroll(G, window)"
    return InfiniteCoverError(f"{what} has no answer for an infinite cover; {mend}")


# -- whole cover -----------------------------------------------------------------------


def _is_directed_acyclic_graph(G: DelayCover) -> bool:
    return is_acyclic(G)


def _find_cycle(G: DelayCover, source: Any = None, orientation: Any = None) -> list[Any]:
    if source is not None or orientation not in (None, "original"):
        raise _refusal("nx.find_cycle from a source, or against the arcs,", "leave both out")
    return list(find_cycle(G))


def _is_bipartite(G: DelayCover) -> bool:
    # of closed walks, the totals with the number of edges (against an edge -1) form a lattice; an
    # odd closed walk of the cover has total zero and an odd number
    graph = G.delay_graph
    longer = graph.with_delays([(*delay, 1) for delay in graph.delays.tolist()])
    odd = (*[0] * graph.dimension, 1)
    for family in families_of(DelayGraph(longer, graph.delay_name)):
        lattice = Lattice(graph.dimension + 1)
        for row in (*family.basis, tuple(2 * x for x in odd)):
            lattice.add(row)
        if not lattice.add(odd):  # it is there already
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
            "nx.weakly_connected_components, of which there are infinitely many,",
            "unrollgraph.components(cover) tells what they are",
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
            "nx.strongly_connected_components, of which there are infinitely many,",
            "unrollgraph.strong_components(cover) tells those that are not single vertices",
        )
    return _each(strong_components(G))


def _count(families: tuple[ComponentFamily, ...]) -> float:
    return sum(family.copies for family in families)


def _each(families: tuple[ComponentFamily, ...]) -> Iterator[Component]:
    """Every component of families that are finitely many: one for each reduced shift."""
    for family in families:
        vertex = family.vertices[0]
        for shift in box([range(row[k]) for k, row in enumerate(family.basis)]):
            by = shift[0] if family.graph.dimension == 1 else shift
            yield Component(family, (vertex, add(family.offsets[vertex], by, 1)))


def _check_vertices(G: DelayCover) -> None:
    if not G.delay_graph.vertices:
        raise nx.NetworkXPointlessConcept("the cover of a graph without vertices has none")


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
    if distance < 0 or distance % 1:  # as networkx takes it
        return set()
    return descendants_at_distance(G, source, int(distance))


def _single_source_shortest_path_length(
    G: DelayCover, source: Any, cutoff: Any = None
) -> dict[Any, int]:
    if cutoff is None or cutoff == math.inf:
        raise _refusal("nx.single_source_shortest_path_length without a cutoff", "give it one")
    _check_contains(G, source)
    return distances_within(G, source, max(0, math.ceil(cutoff)))


def _walked(ask: Callable[..., Any], G: DelayCover, source: Any, target: Any, **how: Any) -> Any:
    """Ask about a path, in networkx's own errors."""
    for node, side in ((source, "source"), (target, "target")):
        if node is None:
            raise _refusal(f"a path without a {side}", "give both ends")
        _check_contains(G, node)
    try:
        return ask(G, source, target, **how)
    except RadiusError as error:
        raise InfiniteCoverError(
            f"{error}: unrollgraph.{ask.__name__}(cover, source, target, radius=...)"
        ) from None


def _weights(G: DelayCover, weight: Any) -> Any:
    """Lengths of the edges as networkx reads them: those without one have length 1."""
    if weight is None:
        return None
    if callable(weight):
        raise _refusal(
            "a length that is a function of the ends", "name an attribute of the edges of the base"
        )
    graph = G.delay_graph
    return dict(zip(graph.edges, graph.edge_values(weight, 1), strict=True))


def _check_method(method: Any) -> None:
    if method not in (None, "dijkstra", "bellman-ford"):
        raise ValueError(f"method not supported: {method}")


def _check_contains(G: DelayCover, node: Any) -> None:
    if node not in G:
        raise nx.NodeNotFound(f"{show_vertex(node)} is no vertex of the cover")


dispatcher = _Dispatcher(
    {
        answer.__name__.removeprefix("_"): answer
        for answer in (
            _bidirectional_shortest_path,
            _descendants_at_distance,
            _dijkstra_path,
            _dijkstra_path_length,
            _find_cycle,
            _has_path,
            _is_bipartite,
            _is_directed_acyclic_graph,
            _is_forest,
            _is_strongly_connected,
            _is_tree,
            _is_weakly_connected,
            _number_strongly_connected_components,
            _number_weakly_connected_components,
            _shortest_path,
            _shortest_path_length,
            _single_source_shortest_path_length,
            _strongly_connected_components,
            _weakly_connected_components,
        )
    }
)
