"""What a notebook shows of a value when nothing more is said: its picture, if it is not large."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import networkx as nx

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.cover.lift import Lift
from unrollgraph.cover.windows import unroll
from unrollgraph.draw.canvas import hidden_axes, paint, printed
from unrollgraph.draw.choice import lift_scene
from unrollgraph.draw.fibres import projection_scene
from unrollgraph.draw.scene import Scene
from unrollgraph.draw.stills import beside, rolled_scene, window_scene
from unrollgraph.errors import UnrollgraphError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import GraphMap

_MOST = 150  # edges, beyond which a picture takes longer than one waits for
_STEPS = 4  # of an unrolling without end


def svg(thing: Any) -> str | None:
    """Picture of a delay graph, a lift, a map or a cover as SVG; None if it is too large."""
    scene = None
    with suppress(UnrollgraphError):  # of a map between graphs whose delays cannot be read
        scene = _scene(thing)
    if scene is None:
        return None
    return printed(paint(scene, hidden_axes(scene)), "svg").decode("utf-8")


def _scene(thing: Any) -> Scene | None:
    if isinstance(thing, DelayGraph):
        return rolled_scene(thing, {}, None) if 0 < _size(thing.base) <= _MOST else None
    if isinstance(thing, DelayCover):
        graph = thing.delay_graph
        if graph.dimension > 2 or not 0 < _size(graph.base) * _STEPS**graph.dimension <= _MOST:
            return None
        window = unroll(graph, (_STEPS,) * graph.dimension if graph.dimension > 1 else _STEPS)
        right = window_scene(window, {}, None, ghosts=True)
        return beside(rolled_scene(graph, {}, None), right)
    if isinstance(thing, Lift):
        return lift_scene(thing, {}, None, _MOST) if 0 < _size(thing) <= _MOST else None
    if isinstance(thing, GraphMap) and isinstance(thing.total, nx.Graph):
        return projection_scene(thing, {}, None) if 0 < _size(thing.total) <= _MOST else None
    return None


def _size(graph: Any) -> int:
    """Number of edges, and of vertices if there are none."""
    return int(graph.number_of_edges()) or len(graph)
