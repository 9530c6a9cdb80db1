"""What a picture of any lift needs to know of what lies below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unrollgraph.draw.palette import INK, Colour
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import arcs_of, as_graph_map


def graph_below(over: Any) -> DelayGraph:
    """The base of a lift, or of any map, with its delays."""
    p = as_graph_map(over)
    known = getattr(p.total, "delay_graph", None)
    return known if known is not None and known.base is p.base else DelayGraph(p.base)


def short_index(node: Any) -> str:
    """What tells a copy from the others, if it is short."""
    if not isinstance(node, tuple) or len(node) != 2:
        return ""
    words = ",".join(map(str, node[1])) if isinstance(node[1], tuple) else str(node[1])
    return words if len(words) <= 7 else ""


def arcs_over(over: Any) -> Iterator[tuple[tuple[Any, ...], int | None]]:
    """Each arc of a lift, or above any map, and the number of the edge below it.

    Instead of the number None for what lies over no edge, where a map is no homomorphism.
    """
    p = as_graph_map(over)
    number = graph_below(p).edge_number
    return ((arc, number.get(p.edge(arc))) for arc in map(tuple, arcs_of(p.total)))


def arc_colour(graph: DelayGraph, tint: Mapping[Any, Colour], edge: int | None) -> Colour:
    """Colour of an arc: that of the delay of the edge below it."""
    return INK if edge is None else tint[graph.times[edge]]
