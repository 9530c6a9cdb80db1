"""What is asked of a picture, checked before anything is drawn, and what lies below a lift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unrollgraph.cover.lift import Lift
from unrollgraph.draw.render import no_formula
from unrollgraph.draw.scene import INK, Colour, Formula
from unrollgraph.errors import show_kind
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import arcs_of, as_graph_map

MOST_EDGES = 2000  # more cannot be told apart


def as_labels(labels: Any) -> Mapping[Any, str]:
    """Labels as a mapping from vertices to words of one line; between dollars is a formula."""
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise TypeError(
            f"labels= is a mapping from vertices to words, not {show_kind(labels)}; write "
            "for example labels={'A': 'input'}"
        )
    for vertex, words in labels.items():
        if not isinstance(words, str):
            raise TypeError(
                f"labels= gives {vertex!r} {show_kind(words)}, but a label is a str; write "
                f"{str(words)!r}"
            )
        if not words.isprintable():
            raise ValueError(f"labels= gives {vertex!r} {words!r}, but a label is one line of text")
    return {vertex: _set(vertex, words) for vertex, words in labels.items()}


def _set(vertex: Any, words: str) -> str:
    """A label, as a formula if it stands between dollars."""
    if len(words) < 3 or words[0] != "$" or words[-1] != "$":
        return words
    if reason := no_formula(words):
        raise ValueError(
            f"labels= gives {vertex!r} {words!r}, which is no formula that matplotlib can set "
            f"({reason}); mend it, or leave out the dollars"
        )
    return Formula(words[1:-1])


def must_be_few(
    graph: Any, most: int, arcs: int | None = None, mend: str = "draw fewer, or raise max_edges"
) -> None:
    """Refuse a graph without vertices, or with more arcs than can be drawn."""
    if not len(graph):
        raise ValueError("there are no vertices, so there is nothing to draw; draw another graph")
    arcs = graph.number_of_edges() if arcs is None else arcs
    if arcs > most:
        raise ValueError(f"{arcs} edges are more than can be told apart, which are {most}; {mend}")


def must_be_lift(lift: Any, most: int) -> None:
    """Refuse what is no lift, or has more arcs than can be drawn."""
    if not isinstance(lift, Lift):
        raise TypeError(
            f"what is drawn over its base is a lift, not {show_kind(lift)}; make one with "
            "unroll, cyclic_cover, permutation_lift, universal_cover or their like"
        )
    must_be_few(lift, most)


def must_be_drawable(U: Any, most: int, axes: int = 2) -> None:
    """Refuse what is no window, has too many axes, or more arcs than can be drawn."""
    if not isinstance(U, Lift) or not hasattr(U, "window"):
        raise TypeError(
            f"what is drawn unrolled is a window of a delay cover, not {show_kind(U)}; make "
            "one with unroll(G, window)"
        )
    if not isinstance(U.window, range):
        must_be_flat(len(U.window), axes)
    must_be_few(U, most)


def must_be_flat(dimension: int, axes: int) -> None:
    """Refuse times that have no place on paper."""
    if dimension > axes:
        where = "one line" if axes == 1 else "a plane"
        raise ValueError(
            f"times in Z^{dimension} do not stand in {where}; draw a window of a graph with "
            f"delays in {'Z' if axes == 1 else 'Z or Z^2'}"
        )


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
