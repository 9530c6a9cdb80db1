"""Walks lit up, as with a marker: what they take stands out, and all else steps back.

A walk is a sequence of edges, head to tail, as `lift_walk` takes it. Below it is what it is;
above it is lifted, beginning at the earliest time at which all of it lies in the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from typing import Any

from unrollgraph.draw.palette import MARKER, PAPER, mixed
from unrollgraph.draw.scene import Scene
from unrollgraph.errors import LiftError, show_edge
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import lift_walk

_BACK = 0.7  # how far what is not lit goes toward paper
_BROAD = 2.4


def as_walk(graph: Any, walk: Iterable[Any]) -> tuple[tuple[Any, ...], ...]:
    """Return a walk of a graph as a tuple of edges; `LiftError` if it is none."""
    form = "(u, v, key)" if graph.is_multigraph() else "(u, v)"
    if isinstance(walk, str) or not isinstance(walk, Iterable):
        raise LiftError(f"walk={walk!r} is no walk; give its edges in order, each as {form}")
    given = [*walk]
    for edge in given:
        if not isinstance(edge, tuple | list) or len(edge) != len(form.split()):
            raise LiftError(
                f"walk= holds {edge!r}, which is no edge; give the edges of the walk in order, "
                f"each as {form}"
            )
    edges = tuple(map(tuple, given))
    for k, edge in enumerate(edges):
        if not _is_edge(graph, edge):
            raise LiftError(f"{edge!r} is no edge of the graph that is drawn", edge=edge)
        if k and edges[k - 1][1] != edge[0]:
            raise LiftError(
                f"the walk does not join: after {show_edge(edges[k - 1])} comes {show_edge(edge)}",
                edge=edge,
            )
    return edges


def _is_edge(graph: Any, edge: tuple[Any, ...]) -> bool:
    try:
        return bool(graph.has_edge(*edge))
    except TypeError:  # of what cannot be hashed
        return False


def lifted(U: Any, walk: Iterable[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return a walk of the base, and its lift into a window."""
    edges = as_walk(U.base, walk)
    if not edges:
        return (), ()
    start = edges[0][0], start_of_lift(U.delay_graph, edges, U.window)
    return edges, lift_walk(U, edges, start)


def start_of_lift(graph: DelayGraph, edges: tuple[Any, ...], window: Any) -> Any:
    """Earliest time at which a walk begins whose lift lies in a window."""
    axes = (window,) if isinstance(window, range) else window
    here, seen = [0] * len(axes), [[0] * len(axes)]
    for edge in edges:
        step = graph.delays[graph.edge_number[edge]].tolist()
        here = [a + b for a, b in zip(here, step, strict=True)]
        seen.append(here)
    start = []
    for axis, times in zip(axes, zip(*seen, strict=True), strict=True):
        if max(times) - min(times) >= len(axis):
            raise ValueError(
                f"the lift of the walk takes {max(times) - min(times) + 1} times, but the window "
                f"has {len(axis)}; take a longer window, or a shorter walk"
            )
        start.append(axis.start - min(times))
    return start[0] if isinstance(window, range) else tuple(start)


def lit(strokes: tuple[Any, ...], keys: Set[Any]) -> tuple[Any, ...]:
    """Make some strokes broad, and let the others step back."""
    back = [replace(s, colour=mixed(s.colour, PAPER, _BACK)) for s in strokes if s.key not in keys]
    front = [replace(s, width=_BROAD, halo=MARKER) for s in strokes if s.key in keys]
    return (*back, *front)


def lit_scene(scene: Scene, keys: Set[Any]) -> Scene:
    """Light up the strokes of a scene that have certain keys, and let other badges step back."""
    badges = tuple(
        b if b.key in keys else replace(b, colour=mixed(b.colour, PAPER, _BACK))
        for b in scene.badges
    )
    return replace(scene, strokes=lit(scene.strokes, keys), badges=badges)
