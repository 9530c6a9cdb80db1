"""Exceptions of the package, and the text of vertices, edges and walks in their messages.

Every exception derives from `UnrollgraphError` and from a built-in or networkx exception.
A message states the fault, the object and how to fix it; attributes hold the objects.
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
    "SeparatedError",
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
    """Base class of the exceptions of the package; keywords become attributes."""

    def __init__(self, message: str, **witness: Any) -> None:
        super().__init__(message)
        self.__dict__.update(witness)


class DelayError(UnrollgraphError, ValueError):
    """An invalid delay: not an integer vector, too large, or of the wrong dimension.

    The attributes ``edge`` and ``value`` are the edge and its delay.
    """

    edge: Any = None
    value: Any = None


class VoltageError(UnrollgraphError, ValueError):
    """A voltage that is not a permutation of the sheets, or not an element of the group.

    The attributes ``edge`` (None if the error concerns no edge) and ``value`` are the edge and its
    voltage.
    """

    edge: Any = None
    value: Any = None


class WindowError(UnrollgraphError, ValueError):
    """A window that is empty, has gaps or the wrong number of axes: the attribute ``window``."""

    window: Any = None


class FrozenError(UnrollgraphError, nx.NetworkXError, TypeError):
    """An attempt to change an immutable object."""


class CyclicCoverError(UnrollgraphError, nx.NetworkXUnfeasible):
    """A closed walk of total delay zero, so that the cover has a directed cycle.

    The attribute ``walk`` is the closed walk, a `ZeroWalk`.
    """

    walk: Any = None


class UnboundedError(UnrollgraphError, nx.NetworkXUnbounded):
    """A cycle of total delay <= 0, where every cycle must have a positive total delay.

    The attribute ``cycle`` is the tuple of its edges.
    """

    cycle: tuple[Any, ...] = ()


class InfinitePathsError(UnrollgraphError, nx.NetworkXUnfeasible):
    """Infinitely many walks, where their number must be finite.

    The attribute ``cycles`` is a tuple of cycles that the walks can repeat.
    """

    cycles: tuple[Any, ...] = ()


class InfiniteCoverError(UnrollgraphError, nx.NetworkXNotImplemented, TypeError):
    """An operation without a result, or a finite one, for an infinite cover."""


class RadiusError(UnrollgraphError, nx.ExceededMaxIterations, ValueError):
    """A search that needs a radius, or that found no path within its radius."""


class SeparatedError(UnrollgraphError, nx.NetworkXNoPath):
    """No active walk between two sets of vertices, since a third set d-separates them.

    The attribute ``separation`` is the proof, a `Separation`.
    """

    separation: Any = None


class TimeLimitError(UnrollgraphError, TimeoutError):
    """A computation that exceeded its time limit."""


class TooLargeError(UnrollgraphError, ValueError):
    """A result or computation that exceeds a limit of the package, see `unrollgraph.limits`."""


class CertificateError(UnrollgraphError, ValueError):
    """A certificate that does not prove its claim.

    The attribute ``edge`` is the edge at which the check fails, or None.
    """

    edge: Any = None


class NotACoveringError(UnrollgraphError, ValueError):
    """A map of graphs under which edges do not lift uniquely.

    The attribute ``obstruction`` is the first vertex and edge at which unique lifting fails.
    """

    obstruction: Any = None


class LiftError(UnrollgraphError, ValueError):
    """A vertex, edge or walk that does not lift, or not uniquely.

    The attribute ``node`` is the vertex at which lifting stops, ``edge`` the edge that does not
    lift there, or None, and ``walk`` a closed undirected walk whose lift is not closed, as a tuple
    of ``(edge, sign)``, or ().
    """

    node: Any = None
    edge: Any = None
    walk: tuple[tuple[Any, int], ...] = ()


class NotPeriodicError(UnrollgraphError, ValueError):
    """A graph that is not a window of an unrolling, because its time steps differ.

    The attribute ``found`` is a vertex or an edge of the graph, or None; ``missing`` is its copy at
    another time, which is missing or differs, or None. A missing vertex is a pair (base vertex,
    time).
    """

    found: Any = None
    missing: Any = None


class NotARetimingError(UnrollgraphError, ValueError):
    """Two delay graphs that are not retimings of each other.

    The attribute ``walk`` is a closed walk whose total delays differ, as a tuple of
    ``(edge, sign)`` with sign -1 for an edge against its direction; () if the graphs differ
    otherwise.
    """

    walk: tuple[tuple[Any, int], ...] = ()


class ShapeError(UnrollgraphError, ValueError):
    """Values of the wrong shape.

    The attribute ``vertex`` is the vertex of the values; ``expected`` and ``found`` are the
    required shape and the shape of the values.
    """

    vertex: Any = None
    expected: Any = None
    found: Any = None


class StaleRunError(UnrollgraphError, ValueError):
    """A backward pass after the parameters of the forward pass have changed."""


class DivergenceError(UnrollgraphError, ArithmeticError):
    """An infinite or NaN loss or gradient; the failed training step changes no parameters."""


class FormatError(UnrollgraphError, ValueError):
    """A file that does not hold a delay graph, or a graph that the format cannot hold."""


def check_size(count: int, most: int, what: str, hint: str) -> None:
    """Raise `TooLargeError` if a result would have more than ``most`` entries."""
    if count > most:
        shown = str(count) if count < 10**30 else "more than 10**30"
        raise TooLargeError(f"{what} would have {shown} entries, more than {most}; {hint}")


def show_kind(thing: Any) -> str:
    """Return the name of the type of a value with an article, or 'None' for None."""
    name = type(thing).__name__
    return "None" if thing is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def show_vertex(vertex: Any) -> str:
    """Return the text of a vertex: a printable string without quotes, other values by repr."""
    bare = isinstance(vertex, str) and vertex.isprintable() and vertex
    return vertex if bare else repr(vertex)


def show_edge(edge: tuple[Any, ...]) -> str:
    """Return the text of an edge: ``C -> A``, with its key in a multigraph."""
    arrow = f"{show_vertex(edge[0])} -> {show_vertex(edge[1])}"
    return arrow if len(edge) == 2 else f"{arrow} (key {edge[2]!r})"


def show_walk(
    walk: Iterable[tuple[Any, ...]],
    most: int = 12,
    delay: Callable[[Any], Any] | None = None,
    parallel: Callable[[Any], bool] | None = None,
) -> str:
    """Return the text of a walk with at most ``most`` vertices, such as ``a -> b -> a``.

    The key of an edge is shown if ``parallel(edge)`` is true (default: always). If a key is shown,
    all delays are, from ``delay(edge)``: ``a -> b (key 1, delay 3) -> a (delay -3)``.
    """
    edges = list(walk)
    if not edges:
        return "(empty walk)"
    keyed = [len(edge) > 2 and (parallel is None or parallel(edge)) for edge in edges]
    stops = [show_vertex(edges[0][0])]
    for edge, with_key in zip(edges, keyed, strict=True):
        more = [f"key {edge[2]!r}"] if with_key else []
        more += [f"delay {delay(edge)}"] if any(keyed) and delay is not None else []
        stops.append(show_vertex(edge[1]) + (f" ({', '.join(more)})" if more else ""))
    return _shortened(stops, most)


def show_stops(vertices: Iterable[Any], most: int = 12) -> str:
    """Return the text of the vertices of a walk, shortened to at most ``most`` vertices."""
    return _shortened([show_vertex(vertex) for vertex in vertices], most)


def _shortened(stops: list[str], most: int) -> str:
    if len(stops) > most:
        stops = [*stops[: most - 2], "...", stops[-1]]
    return " -> ".join(stops)
