"""Pieces of the universal, maximal abelian, delay and cyclic cover, and the maps between them.

A vertex of the universal cover is a reduced walk from a root r. A vertex of any other cover is
``(v, sheet)``, and an edge e adds the vector ``delays[e]`` to the sheet, modulo the number n of
sheets in the cyclic cover. The maps are

    walk from r to v  ->  (v, x), x the sum of the abelian delays along it
    (v, x)            ->  (v, M x + c_v), see `period_map`
    (v, t)            ->  (v, t mod n),

translated such that the start copies of r are mapped to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.cover._unroll import cyclic_cover, unroll
from unrollgraph.cover.delay_cover import DelayCover, abelianize, period_map
from unrollgraph.cover.trees import universal_cover
from unrollgraph.draw._ring import ring_scene
from unrollgraph.draw._tree import tree_scene
from unrollgraph.draw._unrolled import window_scene
from unrollgraph.draw.layout import Routes, Spot, fibre_colors, turned
from unrollgraph.draw.scene import Scene, Stroke, delay_colors
from unrollgraph.draw.style import Style
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.measure.periodic_graphs import is_maximal_abelian, is_universal
from unrollgraph.morphism.graph_map import arcs_at

Shift = tuple[str, str, tuple[int, ...]]

_BALL = 64  # most vertices of a ball
_CELLS = 4  # most vertices in a cell of the plane
_RADIUS = 6  # largest radius of a tree
_AXES = 3  # with more axes the page writes a sheet as a sum of unit vectors


@dataclass(frozen=True)
class Level:
    """A piece of a cover that is drawn."""

    key: str  # name in the data
    name: str  # name on the page
    says: str  # explanation on the page
    scene: Scene  # the keys of discs are vertices, and those of strokes are edges
    delays: tuple[tuple[int, ...], ...] | None  # what each edge adds to the sheet; None in a tree
    modulus: tuple[int, ...] | None  # of sheets in a cyclic cover
    start: Any  # default start of lifts, a copy of the root
    # deck transformations: descriptions of it and its inverse, and what it adds to the sheet
    shifts: tuple[Shift, ...] = ()

    @property
    def vertices(self) -> list[Any]:
        """Vertices in the order of the discs."""
        return [disc.key for disc in self.scene.discs]

    def shifted(self, node: Any, by: tuple[int, ...]) -> Any:
        """Image of a vertex under a translation of the sheet, drawn or not."""
        moved = tuple(x + y for x, y in zip(_vector(node[1]), by, strict=True))
        return node[0], _sheet(_modulo(moved, self.modulus))


def storeys_of(
    graph: DelayGraph, window: Any, sheets: tuple[int, ...], root: Any, style: Style
) -> list[Level]:
    """Pieces of the universal, maximal abelian, delay and cyclic cover, in this order."""
    delay = _delay_level(graph, window, root, style)
    cyclic = _cyclic_level(graph, sheets, delay.start, style)
    abelian = _abelian_level(graph, window, root, style)
    return [_universal_level(graph, root, style), abelian, delay, cyclic]


def images(graph: DelayGraph, levels: Sequence[Level]) -> dict[tuple[str, str], list[int]]:
    """Maps from each cover to each later one, as numbers of vertices, or -1 if not drawn."""
    _, abelian, delay, cyclic = levels
    steps: list[Callable[[Any], Any]] = [
        _abelian_class(graph, abelian),
        _periods(graph, abelian, delay),
        lambda node: (node[0], _sheet(_modulo(_vector(node[1]), cyclic.modulus))),
    ]
    found = {}
    for k, upper in enumerate(levels):
        nodes = upper.vertices
        for below, step in zip(levels[k + 1 :], steps[k:], strict=False):
            nodes = [step(node) for node in nodes]
            number = {node: i for i, node in enumerate(below.vertices)}
            found[upper.key, below.key] = [number.get(node, -1) for node in nodes]
    return found


# -- covers -------------------------------------------------------------------------------------


def _delay_level(graph: DelayGraph, window: Any, root: Any, style: Style) -> Level:
    axes = (window,) if isinstance(window, range) else window
    origin = []
    for axis, times in enumerate(axes):
        least, most = graph.delays[:, axis].min(initial=0), graph.delays[:, axis].max(initial=0)
        ends = {(True, False): times[0], (False, True): times[-1]}
        origin.append(ends.get((bool(least >= 0), bool(most <= 0)), times[(len(times) - 1) // 2]))
    start = root, _sheet(tuple(origin))
    if len(axes) <= 2:
        scene = window_scene(unroll(graph, window), style, ghosts=True)
    else:
        scene = _ball_scene(graph, start, style)
    cover = DelayCover(graph)
    says = "Each vertex has a copy at every time, and an edge of delay d adds d to the time."
    if is_universal(cover):
        says += " Its components are universal covers: without directions they are trees."
    elif is_maximal_abelian(cover):
        says += " Its components are maximal abelian covers."
    return Level(
        "delay", "Delay cover", says, scene, _as_vectors(graph), None, start, _steps(len(axes))
    )


def _cyclic_level(graph: DelayGraph, sheets: tuple[int, ...], start: Any, style: Style) -> Level:
    lift = cyclic_cover(graph, sheets if len(sheets) > 1 else sheets[0])
    count = " x ".join(map(str, sheets))
    says = (
        f"Times are modulo {count}: the lift of a closed walk is closed if and only if its total "
        f"delay is zero modulo {count}."
    )
    place = _sheet(_modulo(_vector(start[1]), sheets))
    return Level(
        "cyclic",
        f"Cyclic cover, {count} sheets",
        says,
        ring_scene(lift, style),
        _as_vectors(graph),
        sheets,
        (start[0], place),
        _steps(len(sheets)),
    )


def _abelian_level(graph: DelayGraph, window: Any, root: Any, style: Style) -> Level:
    free = DelayGraph(abelianize(graph), graph.delay_name)
    cycles = free.dimension if free.delays.any() else 0
    steps = 1 if not cycles else len(window if isinstance(window, range) else window[0])
    at = (0,) * free.dimension
    if cycles < 2:
        scene = window_scene(unroll(free, steps), style, ghosts=bool(cycles))
    elif cycles == 2 and len(free.vertices) <= _CELLS:
        scene = window_scene(unroll(free, (steps, steps)), style, ghosts=True)
    else:
        scene = _ball_scene(free, (root, at), style)
    says = "The graph has no undirected cycles, so this cover is the graph itself."
    if cycles:
        says = (
            "The sheet counts how often a walk goes around each independent cycle of the graph; "
            f"there {'is one' if cycles == 1 else f'are {cycles}'}."
        )
    if cycles > _AXES:
        says += " Here e3 means once around cycle 3."
    return Level(
        "abelian",
        "Maximal abelian cover",
        says,
        scene,
        _as_vectors(free),
        None,
        (root, _sheet(at)),
        _rounds(cycles),
    )


def _universal_level(graph: DelayGraph, root: Any, style: Style) -> Level:
    tree = universal_cover(graph, root, 1)
    for radius in range(2, _RADIUS + 1):
        shell = len(tree.boundary_in()) + len(tree.boundary_out())  # each edge adds one vertex
        if not 0 < shell <= _BALL - len(tree):
            break
        tree = universal_cover(graph, root, radius)
    says = (
        "Its vertices are the walks from the root that never go straight back along an edge. "
        "Without directions it is a tree: a lift is closed only if the walk retraces its steps."
    )
    scene = tree_scene(tree, style)
    return Level("universal", "Universal cover", says, scene, None, None, next(iter(tree)))


def _steps(axes: int) -> tuple[Shift, ...]:
    if axes == 1:
        return (("one step later", "one step earlier", (1,)),)
    return tuple(
        (f"one step along axis {k}", f"one step back along axis {k}", tuple(unit))
        for k, unit in enumerate(np.eye(axes, dtype=int).tolist(), 1)
    )


def _rounds(cycles: int) -> tuple[Shift, ...]:
    """Shifts around one of the first six cycles."""
    return tuple(
        (f"once more around cycle {k}", f"once less around cycle {k}", tuple(unit))
        for k, unit in enumerate(np.eye(cycles, dtype=int).tolist()[:6], 1)
    )


# -- maps between covers ------------------------------------------------------------------------


def _abelian_class(graph: DelayGraph, abelian: Level) -> Callable[[Any], Any]:
    """Map from the universal to the maximal abelian cover: the sum of the delays of a walk."""
    assert abelian.delays is not None
    delays, begin = abelian.delays, _vector(abelian.start[1])

    def image(node: Any) -> Any:
        v, walk = node
        total = np.array(begin)
        for edge, sign in walk:
            total += sign * np.array(delays[graph.edge_number[edge]])
        return v, _sheet(tuple(total.tolist()))

    return image


def _periods(graph: DelayGraph, abelian: Level, delay: Level) -> Callable[[Any], Any]:
    """Map from the maximal abelian to the delay cover, translated to map start to start."""
    down = period_map(graph)
    away = np.array(_vector(delay.start[1])) - np.array(_vector(down(abelian.start)[1]))

    def image(node: Any) -> Any:
        v, time = down(node)
        return v, _sheet(tuple((np.array(_vector(time)) + away).tolist()))

    return image


def _as_vectors(graph: DelayGraph) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in graph.delays.tolist())


def _vector(time: Any) -> tuple[int, ...]:
    return time if isinstance(time, tuple) else (time,)


def _sheet(vector: tuple[int, ...]) -> Any:
    return vector if len(vector) > 1 else vector[0]


def _modulo(vector: tuple[int, ...], modulus: tuple[int, ...] | None) -> tuple[int, ...]:
    if modulus is None:
        return vector
    return tuple(x % n for x, n in zip(vector, modulus, strict=True))


# -- balls --------------------------------------------------------------------------------------


def _ball_scene(graph: DelayGraph, root: Any, style: Style) -> Scene:
    """Scene of a ball of a delay cover that has no layout by time."""
    cover = DelayCover(graph)
    nodes = _ball(cover, root)
    arcs = [arc for node in nodes for arc in arcs_at(cover, node, "out") if arc[1] in nodes]
    fill, tint = fibre_colors(graph, style.palette), delay_colors(graph.times)
    at = _spread(nodes, arcs)
    discs = tuple(style.disc(node, at[node], fill[node[0]], style.label(node[0])) for node in nodes)
    spots = {node: Spot(*place) for node, place in at.items()}
    routes = Routes(spots)
    strokes = []
    for arc in arcs:
        a, b = arc[:2]
        points = (
            turned(spots[a], routes.held(a, a), 0.6, 1.2) if a == b else routes.between(a, b)[0]
        )
        edge = (a[0], b[0], *arc[2:])
        strokes.append(Stroke(arc, points, tint[graph.times[graph.edge_number[edge]]]))
    return Scene(discs, tuple(strokes))


def _ball(cover: DelayCover, root: Any) -> dict[Any, None]:
    """Vertices of the largest ball around a root with at most 64 vertices, or of radius 1."""
    found, shell = {root: None}, [root]
    while shell:
        near = [n for node in shell for n in (*cover.successors(node), *cover.predecessors(node))]
        shell = [n for n in dict.fromkeys(near) if n not in found]
        if len(found) > 1 and len(found) + len(shell) > _BALL:
            break
        found |= dict.fromkeys(shell)
    return found


def _spread(nodes: Any, arcs: Sequence[Any]) -> dict[Any, tuple[float, float]]:
    """Places by the Kamada-Kawai layout, scaled to keep most discs apart."""
    near: nx.Graph[Any] = nx.Graph()
    near.add_nodes_from(nodes)
    near.add_edges_from(arc[:2] for arc in arcs if arc[0] != arc[1])
    places = nx.kamada_kawai_layout(near)
    points = np.array([places[node] for node in near])
    if len(points) > 1:
        apart = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
        np.fill_diagonal(apart, np.inf)
        points *= 1.0 / max(1e-3, float(np.quantile(apart.min(axis=1), 0.1)))
    return {node: (float(x), float(y)) for node, (x, y) in zip(near, points, strict=True)}
