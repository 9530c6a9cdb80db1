"""Costs, durations and delays as exact numbers.

A measure adds up numbers that a user has written on edges and vertices: integers,
fractions, decimals or floats. All of them are rational, a float too, whose value is a
fraction with a power of two below; so each list of them is multiplied by its common
denominator and from then on is a list of Python integers. No sum of those is ever
rounded. Where one of the numbers was a float, that is said along with the result.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from unrollgraph.errors import show_edge, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, each_vertex


class Weights(NamedTuple):
    """Numbers as integers over one denominator.

    Attributes
    ----------
    whole : sequence of int
        The numbers times `unit`.
    unit : int
        Their common denominator.
    floats : bool
        Whether one of them was a float.
    """

    whole: Sequence[int]
    unit: int
    floats: bool


def exact(value: Any) -> Fraction:
    """Return the value of a real number as a fraction, or raise `TypeError` if it is none."""
    if isinstance(value, bool | np.bool_):
        raise TypeError("a bool is no number here")
    if isinstance(value, numbers.Rational | Decimal | float | np.integer | np.floating):
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, float | Decimal) and not math.isfinite(plain):
            raise TypeError("infinite, or not a number")
        if not isinstance(plain, np.generic):  # longdouble has no Python number of its size
            return Fraction(plain)
    raise TypeError("not a rational number")


def scaled(values: Iterable[Any], name: Any) -> Weights:
    """Bring numbers to a common denominator; ``name(k)`` tells in an error what the k-th is."""
    listed = list(values)
    if all(kind is int for kind in set(map(type, listed))):
        return Weights(listed, 1, floats=False)
    fractions = []
    for k, value in enumerate(listed):
        try:
            fractions.append(exact(value))
        except TypeError:
            raise ValueError(
                f"{name(k)} is {value!r}, but it must be a number: an integer, a fraction, a "
                "decimal or a finite float"
            ) from None
    unit = math.lcm(*(number.denominator for number in fractions))
    whole = [number.numerator * (unit // number.denominator) for number in fractions]
    floats = any(isinstance(value, float | np.floating) for value in listed)
    return Weights(whole, unit, floats)


def edge_weights(graph: DelayGraph, cost: Any) -> Weights:
    """Numbers on edges: 1 each, or an attribute's values, or those of a mapping."""
    for edge in cost if isinstance(cost, Mapping) else ():
        if edge not in graph.edge_number:
            raise ValueError(f"the mapping of costs names {edge!r}, which is no edge of the graph")
    return _read(
        cost, graph.edges, graph.edge_values, lambda edge: f"the edge {show_edge(edge)}", "cost"
    )


def durations_of(graph: DelayGraph, duration: Any) -> Weights:
    """Numbers on vertices, none of them negative: 1 each, an attribute's, or a mapping's."""
    if isinstance(duration, Mapping):
        each_vertex(graph, duration, "the mapping of durations")
    found = _read(duration, graph.vertices, graph.vertex_values, show_vertex, "duration")
    for vertex, number in zip(graph.vertices, found.whole, strict=True):
        if number < 0:
            raise ValueError(
                f"the duration of {show_vertex(vertex)} is {Fraction(number, found.unit)}, but "
                "nothing takes less than no time"
            )
    return found


def _read(source: Any, things: Sequence[Any], attribute: Any, show: Any, what: str) -> Weights:
    """Numbers of edges or vertices, from wherever the user has written them."""
    if source is None:
        return Weights([1] * len(things), 1, floats=False)
    mapping = isinstance(source, Mapping)
    values = [source.get(thing) for thing in things] if mapping else attribute(source)
    for thing, value in zip(things, values, strict=True):
        if value is None:
            where = "in the mapping" if mapping else f"under {source!r}"
            raise ValueError(
                f"{show(thing)} has no {what} {where}; give it one, or leave {what} out for 1 each"
            )
    return scaled(values, lambda k: f"the {what} of {show(things[k])}")
