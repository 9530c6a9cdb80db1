"""What can be wrong, arranged as the mathematics is.

Every error of the package descends from `UnrollgraphError` and also from the
built-in or networkx exception that a newcomer would catch. Each keeps the
object that breaks the law as an attribute, and its message says which law is
broken, by what, and what would mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import networkx as nx

__all__ = [
    "CertificateError",
    "CyclicCoverError",
    "DelayError",
    "DivergenceError",
    "FormatError",
    "FrozenError",
    "InfiniteCoverError",
    "InfinitePathsError",
    "LiftError",
    "NotACoveringError",
    "NotARetimingError",
    "NotPeriodicError",
    "RadiusError",
    "ShapeError",
    "StaleRunError",
    "TimeLimitError",
    "TooLargeError",
    "UnboundedError",
    "UnrollgraphError",
    "VoltageError",
    "WindowError",
]


class UnrollgraphError(Exception):
    """Root of the package's errors; keywords become attributes."""

    def __init__(self, message: str, **witness: Any) -> None:
        super().__init__(message)
        self.__dict__.update(witness)


class DelayError(UnrollgraphError, ValueError):
    """A delay that is no integer vector, or of another dimension than the rest.

    Attributes
    ----------
    edge : tuple
        The edge that carries it.
    value : object
        What stands there.
    """

    edge: Any = None
    value: Any = None


class VoltageError(UnrollgraphError, ValueError):
    """A voltage that is no permutation of the sheets, or no element of the group.

    Attributes
    ----------
    edge : tuple or None
        The edge that carries it.
    value : object
        What stands there.
    """

    edge: Any = None
    value: Any = None


class WindowError(UnrollgraphError, ValueError):
    """A window that is empty, has gaps, or has the wrong number of axes.

    Attributes
    ----------
    window : object
        The window as it was given.
    """

    window: Any = None


class FrozenError(UnrollgraphError, nx.NetworkXError, TypeError):
    """An attempt to write to a value that never changes."""


class CyclicCoverError(UnrollgraphError, nx.NetworkXUnfeasible):
    """A closed walk has total delay zero, so the cover has a directed cycle.

    Attributes
    ----------
    walk : ZeroWalk
        The closed walk of total delay zero.
    """

    walk: Any = None


class UnboundedError(UnrollgraphError, nx.NetworkXUnbounded):
    """A cycle of total delay zero or less, along which depth grows and time does not.

    Attributes
    ----------
    cycle : tuple of edges
        The cycle.
    """

    cycle: tuple[Any, ...] = ()


class InfinitePathsError(UnrollgraphError, nx.NetworkXUnfeasible):
    """Infinitely many walks, where a finite number of them is needed.

    Attributes
    ----------
    cycles : tuple of walks
        The cycles along which they go round.
    """

    cycles: tuple[Any, ...] = ()


class InfiniteCoverError(UnrollgraphError, nx.NetworkXNotImplemented):
    """A function of networkx that has no answer, or no finite one, for an infinite cover."""


class RadiusError(UnrollgraphError, nx.ExceededMaxIterations, ValueError):
    """A search that nothing bounds, without a radius, or that found nothing within it."""


class TimeLimitError(UnrollgraphError, TimeoutError):
    """A search that was not finished within its time limit."""


class TooLargeError(UnrollgraphError, ValueError):
    """An answer of more numbers than are computed or kept in memory."""


class CertificateError(UnrollgraphError, ValueError):
    """A certificate that does not prove what it claims.

    Attributes
    ----------
    edge : tuple or None
        The edge at which it fails.
    """

    edge: Any = None


class NotACoveringError(UnrollgraphError, ValueError):
    """A map under which arcs do not lift uniquely.

    Attributes
    ----------
    obstruction : Obstruction
        The first vertex and edge at which unique lifting fails.
    """

    obstruction: Any = None


class LiftError(UnrollgraphError, ValueError):
    """Something below that has no image, or no unique one, above.

    Attributes
    ----------
    node : object
        The vertex above at which lifting stops.
    edge : tuple or None
        The edge below that does not lift there.
    walk : tuple
        An undirected walk, pairs of an arc and a sign, that is closed where its lift is open.
    """

    node: Any = None
    edge: Any = None
    walk: tuple[tuple[Any, int], ...] = ()


class NotPeriodicError(UnrollgraphError, ValueError):
    """A graph that is no window of an unrolling, since its steps are not alike.

    Attributes
    ----------
    found : object or None
        A vertex, or an arc, of the graph.
    missing : object or None
        Its copy at another time, which is missing or differs: a vertex or an arc by the
        names of the graph, or, where a vertex is missing, the pair of what it would be a
        copy of and its time.
    """

    found: Any = None
    missing: Any = None


class NotARetimingError(UnrollgraphError, ValueError):
    """Two delay graphs of which neither is a retiming of the other.

    Attributes
    ----------
    walk : tuple of (edge, sign)
        A closed walk whose totals differ; sign -1 goes against the edge.
        Empty when the graphs have not even the same vertices and edges.
    """

    walk: tuple[tuple[Any, int], ...] = ()


class ShapeError(UnrollgraphError, ValueError):
    """Values whose shape does not fit the vertex or the edges that they meet.

    Attributes
    ----------
    vertex : object
        The vertex at which they meet.
    expected, found : object
        What fits, and what was given.
    """

    vertex: Any = None
    expected: Any = None
    found: Any = None


class StaleRunError(UnrollgraphError, ValueError):
    """A run that would go backward with other parameters than it went forward."""


class DivergenceError(UnrollgraphError, ArithmeticError):
    """A loss or a gradient that is infinite, or no number, while a network is trained.

    The parameters are those before the step that was not taken.
    """


class FormatError(UnrollgraphError, ValueError):
    """A file that does not hold a delay graph, or a graph that a format cannot hold."""


def check_size(count: int, most: int, what: str, hint: str) -> None:
    """Raise `TooLargeError` if an answer has more numbers than it may have."""
    if count > most:
        shown = str(count) if count < 10**30 else "more than 10**30"
        raise TooLargeError(f"{what} would have {shown} entries, more than {most}; {hint}")


def show_kind(thing: Any) -> str:
    """Text of what kind of thing something is, with its article; None is just None."""
    name = type(thing).__name__
    return "None" if thing is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def show_vertex(vertex: Any) -> str:
    """Text of a vertex in a message: strings bare, all else as Python writes it."""
    bare = isinstance(vertex, str) and vertex.isprintable() and vertex
    return vertex if bare else repr(vertex)


def show_edge(edge: tuple[Any, ...]) -> str:
    """Text of an edge in a message: ``C -> A``, with its key where it has one."""
    arrow = f"{show_vertex(edge[0])} -> {show_vertex(edge[1])}"
    return arrow if len(edge) == 2 else f"{arrow} (key {edge[2]!r})"


def show_walk(
    walk: Iterable[tuple[Any, ...]], most: int = 12, delay: Callable[[Any], Any] | None = None
) -> str:
    """Text of a walk in a message, its middle left out when it is long.

    Edges of a multigraph are shown as ``a -> b (key 0, delay 1)``, with the delay if a function
    gives it.
    """
    edges = list(walk)
    if not edges:
        return "(empty walk)"
    stops = [show_vertex(edges[0][0])]
    for edge in edges:
        more = [f"key {edge[2]!r}"] if len(edge) > 2 else []
        more += [f"delay {delay(edge)}"] if more and delay is not None else []
        stops.append(show_vertex(edge[1]) + (f" ({', '.join(more)})" if more else ""))
    return _shortened(stops, most)


def show_stops(vertices: Iterable[Any], most: int = 12) -> str:
    """Text of the vertices along a walk, its middle left out when it is long."""
    return _shortened([show_vertex(vertex) for vertex in vertices], most)


def _shortened(stops: list[str], most: int) -> str:
    if len(stops) > most:
        stops = [*stops[: most - 2], "...", stops[-1]]
    return " -> ".join(stops)
