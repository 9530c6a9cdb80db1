"""The tower of covers over one graph, as far as it can be drawn, and the maps between its storeys.

From above to below stand the universal cover, the maximal abelian cover, the delay cover, a cyclic
cover and the base. Of each a finite piece is shown. A vertex of the universal cover is a reduced
walk from a root r; a vertex of the others is ``(v, sheet)``, and an edge e leads from a sheet to
that sheet plus a vector, ``delays[e]``, modulo something in the cyclic cover. So walks are lifted
by additions, and the maps down are

    walk from r to v  ->  (v, x), x the sum of the abelian delays along it
    (v, x)            ->  (v, M x + c_v), the map of `period_map`
    (v, t)            ->  (v, t mod n).

They are arranged so that the copies of r at which the storeys begin lie above each other.
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
from unrollgraph.draw._rolled import window_scene
from unrollgraph.draw._tree import tree_scene
from unrollgraph.draw.layout import RADIUS, Ways, fibre_colours, turned
from unrollgraph.draw.scene import Disc, Scene, Stroke, delay_colours
from unrollgraph.errors import show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.measure.periodic_graphs import is_maximal_abelian, is_universal

Shift = tuple[str, str, tuple[int, ...]]

_BALL = 64  # vertices of a ball that can still be told apart
_CELLS = 4  # vertices in a cell of the plane
_RADIUS = 6  # of a tree
_AXES = 3  # beyond which the page writes a sheet as a sum of unit vectors


@dataclass(frozen=True)
class Storey:
    """A piece of a cover, as it is drawn.

    Attributes
    ----------
    key, name, says : str
        What it is called in data and on the page, and what it is.
    scene : Scene
        Its picture. The keys of discs are vertices, those of strokes arcs.
    delays : tuple of tuple of int, or None
        By how much each edge moves the sheet; None in a tree.
    modulus : tuple of int, or None
        Modulo what sheets are counted.
    start : vertex
        The copy of the root at which it begins.
    shifts : tuple of (str, str, tuple of int)
        Deck transformations: what they and their inverses do in words, and what they add to the
        sheet.
    """

    key: str
    name: str
    says: str
    scene: Scene
    delays: tuple[tuple[int, ...], ...] | None
    modulus: tuple[int, ...] | None
    start: Any
    shifts: tuple[Shift, ...] = ()

    @property
    def vertices(self) -> list[Any]:
        """The vertices, as they are drawn."""
        return [disc.key for disc in self.scene.discs]

    def shifted(self, node: Any, by: tuple[int, ...]) -> Any:
        """A vertex moved by so many sheets, whether it is drawn or not."""
        moved = tuple(x + y for x, y in zip(_vector(node[1]), by, strict=True))
        return node[0], _sheet(_modulo(moved, self.modulus))


def storeys_of(
    graph: DelayGraph, window: Any, sheets: tuple[int, ...], root: Any, style: tuple[Any, Any]
) -> list[Storey]:
    """The storeys over a graph, from above to below: universal, abelian, delay and cyclic."""
    delay = _delay_storey(graph, window, root, style)
    cyclic = _cyclic_storey(graph, sheets, delay.start, style)
    abelian = _abelian_storey(graph, window, root, style)
    return [_universal_storey(graph, root, style), abelian, delay, cyclic]


def images(graph: DelayGraph, storeys: Sequence[Storey]) -> dict[tuple[str, str], list[int]]:
    """The map from each storey to each below: numbers of vertices, -1 for what is not drawn."""
    _, abelian, delay, cyclic = storeys
    steps: list[Callable[[Any], Any]] = [
        _abelian_class(graph, abelian),
        _periods(graph, abelian, delay),
        lambda node: (node[0], _sheet(_modulo(_vector(node[1]), cyclic.modulus))),
    ]
    found = {}
    for k, upper in enumerate(storeys):
        nodes = upper.vertices
        for below, step in zip(storeys[k + 1 :], steps[k:], strict=False):
            nodes = [step(node) for node in nodes]
            number = {node: i for i, node in enumerate(below.vertices)}
            found[upper.key, below.key] = [number.get(node, -1) for node in nodes]
    return found


# -- storeys ------------------------------------------------------------------------------------


def _delay_storey(graph: DelayGraph, window: Any, root: Any, style: tuple[Any, Any]) -> Storey:
    axes = (window,) if isinstance(window, range) else window
    origin = []
    for axis, times in enumerate(axes):
        least, most = graph.delays[:, axis].min(initial=0), graph.delays[:, axis].max(initial=0)
        ends = {(True, False): times[0], (False, True): times[-1]}
        origin.append(ends.get((bool(least >= 0), bool(most <= 0)), times[(len(times) - 1) // 2]))
    start = root, _sheet(tuple(origin))
    if len(axes) <= 2:
        scene = window_scene(unroll(graph, window), *style, ghosts=True)
    else:
        scene = _ball_scene(graph, start, style)
    cover = DelayCover(graph)
    says = "Every vertex has a copy at every time; an edge of delay d leads d steps on."
    if is_universal(cover):
        says += " Here its pieces are universal covers too: seen without directions they are trees."
    elif is_maximal_abelian(cover):
        says += " Here its pieces are maximal abelian covers too."
    return Storey(
        "delay", "Delay cover", says, scene, _as_vectors(graph), None, start, _steps(len(axes))
    )


def _cyclic_storey(
    graph: DelayGraph, sheets: tuple[int, ...], start: Any, style: tuple[Any, Any]
) -> Storey:
    lift = cyclic_cover(graph, sheets if len(sheets) > 1 else sheets[0])
    count = " x ".join(map(str, sheets))
    says = (
        f"Time is counted modulo {count}: a walk that is closed below and gains a multiple of that "
        "is closed above."
    )
    place = _sheet(_modulo(_vector(start[1]), sheets))
    return Storey(
        "cyclic",
        f"Cyclic cover, {count} sheets",
        says,
        ring_scene(lift, *style),
        _as_vectors(graph),
        sheets,
        (start[0], place),
        _steps(len(sheets)),
    )


def _abelian_storey(graph: DelayGraph, window: Any, root: Any, style: tuple[Any, Any]) -> Storey:
    free = DelayGraph(abelianize(graph), graph.delay_name)
    cycles = free.dimension if free.delays.any() else 0
    steps = 1 if not cycles else len(window if isinstance(window, range) else window[0])
    at = (0,) * free.dimension
    if cycles < 2:
        scene = window_scene(unroll(free, steps), *style, ghosts=bool(cycles))
    elif cycles == 2 and len(free.vertices) <= _CELLS:
        scene = window_scene(unroll(free, (steps, steps)), *style, ghosts=True)
    else:
        scene = _ball_scene(free, (root, at), style)
    says = "There are no cycles, so it is the graph itself."
    if cycles:
        says = (
            "It remembers how often each independent cycle was gone round, and not in which "
            f"order; there {'is one' if cycles == 1 else f'are {cycles}'}."
        )
    if cycles > _AXES:
        says += " Here e3 stands for once round cycle 3."
    return Storey(
        "abelian",
        "Maximal abelian cover",
        says,
        scene,
        _as_vectors(free),
        None,
        (root, _sheet(at)),
        _rounds(cycles),
    )


def _universal_storey(graph: DelayGraph, root: Any, style: tuple[Any, Any]) -> Storey:
    tree = universal_cover(graph, root, 1)
    for radius in range(2, _RADIUS + 1):
        shell = len(tree.boundary_in()) + len(tree.boundary_out())  # each leads to one vertex more
        if not 0 < shell <= _BALL - len(tree):
            break
        tree = universal_cover(graph, root, radius)
    says = (
        "Every way of walking from the root, never straight back, is a vertex of its own. Seen "
        "without directions it is a tree: a walk closes up only by going back as it came."
    )
    scene = tree_scene(tree, *style)
    return Storey("universal", "Universal cover", says, scene, None, None, next(iter(tree)))


def _steps(axes: int) -> tuple[Shift, ...]:
    """Shifts by one step of time."""
    if axes == 1:
        return (("one step later", "one step earlier", (1,)),)
    return tuple(
        (f"one step along axis {k}", f"one step back along axis {k}", tuple(unit))
        for k, unit in enumerate(np.eye(axes, dtype=int).tolist(), 1)
    )


def _rounds(cycles: int) -> tuple[Shift, ...]:
    """Shifts by once more round a cycle; the first few."""
    return tuple(
        (f"once more round cycle {k}", f"once less round cycle {k}", tuple(unit))
        for k, unit in enumerate(np.eye(cycles, dtype=int).tolist()[:6], 1)
    )


# -- maps from storey to storey -----------------------------------------------------------------


def _abelian_class(graph: DelayGraph, abelian: Storey) -> Callable[[Any], Any]:
    """From a walk to its class: the sum of what its edges add."""
    assert abelian.delays is not None
    delays, begin = abelian.delays, _vector(abelian.start[1])

    def image(node: Any) -> Any:
        v, walk = node
        total = np.array(begin)
        for edge, sign in walk:
            total += sign * np.array(delays[graph.edge_number[edge]])
        return v, _sheet(tuple(total.tolist()))

    return image


def _periods(graph: DelayGraph, abelian: Storey, delay: Storey) -> Callable[[Any], Any]:
    """Down to times, so that the two copies of the root at which they begin meet."""
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


def _ball_scene(graph: DelayGraph, root: Any, style: tuple[Any, Any]) -> Scene:
    """Picture of a ball of a delay cover that has no place on paper of its own."""
    labels, palette = style
    cover = DelayCover(graph)
    nodes = _ball(cover, root)
    arcs = [arc for node in nodes for arc in map(tuple, cover.out_edges(node)) if arc[1] in nodes]
    fill, tint = fibre_colours(graph, palette), delay_colours(graph.times)
    at = _spread(nodes, arcs)
    discs = tuple(
        Disc(node, at[node], RADIUS, fill[node[0]], labels.get(node[0], show_vertex(node[0])))
        for node in nodes
    )
    ways = Ways(at)
    strokes = []
    for arc in arcs:
        a, b = arc[:2]
        points = turned(at[a], ways.held(a, a), 0.6, 1.2) if a == b else ways.between(a, b)[0]
        edge = (a[0], b[0], *arc[2:])
        strokes.append(Stroke(arc, points, tint[graph.times[graph.edge_number[edge]]]))
    return Scene(discs, tuple(strokes))


def _ball(cover: DelayCover, root: Any) -> dict[Any, None]:
    """Vertices around a root, shell by shell while they can be told apart."""
    found, shell = {root: None}, [root]
    while shell:
        near = [n for node in shell for n in (*cover.successors(node), *cover.predecessors(node))]
        shell = [n for n in dict.fromkeys(near) if n not in found]
        if len(found) > 1 and len(found) + len(shell) > _BALL:
            break
        found |= dict.fromkeys(shell)
    return found


def _spread(nodes: Any, arcs: Sequence[Any]) -> dict[Any, tuple[float, float]]:
    """Places that keep distances in the graph, and neighbours a disc apart."""
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
