"""Data of the explorer in JSON form: scenes, maps, retimings and a run of a network.

Lengths are in units of the scene, with y downward; paths are SVG paths. In maps and shifts, a
vertex is given by its number in the scene, or -1 if it is not drawn.

A small network runs over the window, one wavefront after the other, forward and then backward, for
the loss ``L = (sum of the squares of all entries of all outputs) / 2``, so the gradient with
respect to an output is its value. A vector of several entries is shown by its norm. A retiming
moves some vertices one column to the right; it changes delays, but not the cover.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.draw._rolled import rolled_scene
from unrollgraph.draw._unrolled import unrolled_scene
from unrollgraph.draw.ranks import column_of
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    Color,
    Formula,
    Points,
    Scene,
    Shape,
    delay_colors,
    extent,
    mixed,
    shifted,
)
from unrollgraph.draw.style import Style
from unrollgraph.errors import CyclicCoverError
from unrollgraph.explorer.levels import Level
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.retiming import retime
from unrollgraph.nn import Dense, Embedding, Input, Network, Op

Data = dict[str, Any]
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def base_panel(graph: DelayGraph, scene: Scene) -> Data:
    """Data of the base graph, with vertices and edges in the order of the graph."""
    at = {disc.key: disc for disc in scene.discs}
    strokes = {stroke.key: stroke for stroke in scene.strokes}
    return {
        "box": _bounds(scene),
        "vertices": [_vertex(graph, at[v], v) for v in graph.vertices],
        "arcs": [
            {
                "edge": e,
                "tail": graph.number[edge[0]],
                "head": graph.number[edge[1]],
                "path": path(strokes[edge].points),
            }
            for e, edge in enumerate(graph.edges)
        ],
        "badges": [
            {"edge": graph.edge_number[b.key], **_point(b.at), "words": b.words}
            for b in scene.badges
        ],
    }


def panel(graph: DelayGraph, scene: Scene) -> Data:
    """Data of a cover, with stubs of the edges that have an end that is not drawn."""
    number = {disc.key: k for k, disc in enumerate(scene.discs)}
    arcs, stubs = [], []
    for stroke in scene.strokes:
        (u, v), key = stroke.key[:2], stroke.key[2:]
        edge = graph.edge_number[u[0], v[0], *key]
        if u in number and v in number:
            arc = {"edge": edge, "tail": number[u], "head": number[v], "path": path(stroke.points)}
            arcs.append(arc | ({"pale": True} if any(stroke.fade) else {}))
        else:
            stubs.append({"edge": edge, "path": path(stroke.points)})
    return {
        "box": _bounds(scene),
        "vertices": [_vertex(graph, disc, disc.key[0]) for disc in scene.discs],
        "arcs": arcs,
        "stubs": stubs,
        "bands": [
            {
                "over": graph.number[band.key],
                "x": _round(band.left),
                "y": _round(-band.at - band.height / 2),
                "width": _round(band.right - band.left),
                "height": _round(band.height),
            }
            for band in scene.bands
        ],
        "texts": [
            {**_point(text.at), "words": _plain(text), "align": text.align}
            for text in scene.texts
            if text.words != "..."
        ],
    }


def path(points: Points) -> str:
    """SVG path of a chain of cubics."""
    xy = [f"{_round(x)} {_round(-y)}" for x, y in points.tolist()]
    return f"M{xy[0]}C{' '.join(xy[1:])}"


def _bounds(scene: Scene) -> list[float]:
    left, low, right, high = extent(scene)
    return [_round(x) for x in (left - 0.2, -high - 0.2, right - left + 0.4, high - low + 0.4)]


def _vertex(graph: DelayGraph, disc: Any, below: Any) -> Data:
    data = {"over": graph.number[below], **_point(disc.at), "label": disc.label}
    if disc.index:
        data["index"] = disc.index
    return data | ({"ghost": True} if disc.ghost else {})


def rings(graph: DelayGraph, shapes: Sequence[Shape]) -> list[Data]:
    """Circles of the fibres of a ring: base vertex and radius."""
    return [
        {
            "over": graph.number[shape.key],
            "radius": _round(float(np.hypot(*shape.points[0])) - 0.31),
        }
        for shape in shapes
        if shape.fill != PAPER
    ]


def cells(shapes: Sequence[Shape]) -> list[Data]:
    """Squares of the cells of a window over Z^2: upper left corner and size."""
    corners = [(shape.points.min(axis=0), shape.points.max(axis=0)) for shape in shapes]
    return [
        {**_point((low[0], high[1])), "size": _round(high[0] - low[0])} for low, high in corners
    ]


def _plain(text: Any) -> str:
    words: str = text.words
    return (
        re.sub(r"_(\d)", lambda m: m[1].translate(_LOW), words)
        if isinstance(text.words, Formula)
        else words
    )


def _point(at: tuple[float, float]) -> Data:
    return {"x": _round(at[0]), "y": _round(-at[1])}


def _round(x: float) -> float:
    return round(float(x), 3) + 0.0


def network_over(graph: DelayGraph) -> Network | None:
    """Network of a graph, or None without inputs; Dense(1), Input(1) if an operation is missing."""
    G = graph.to_networkx()
    if not all(isinstance(G.nodes[v].get("op"), Op) for v in G):
        for v in G:
            G.nodes[v]["op"] = Dense(1) if G.in_degree(v) else Input(1)
    if all(G.in_degree(v) for v in G):
        return None
    ready = DelayGraph(G, graph.delay_name)
    # of ten seeds, the one whose smallest weight is largest, so that no values vanish
    return max((Network(ready, seed=seed) for seed in range(10)), key=_least)


def _least(net: Network) -> float:
    return min((float(np.abs(w).min()) for w in net.parameters.values() if w.any()), default=0.0)


def session(net: Network, U: Any, number: Mapping[Any, int]) -> Data | None:
    """Values and gradients of a network over a window; None if the window has a cycle."""
    try:
        fronts = [[*front] for front in nx.topological_generations(U)]
        run = net.forward(_inputs(net, U), over=U)
    except (nx.NetworkXUnfeasible, CyclicCoverError):
        return None
    outputs = [
        v
        for v in net.delay_graph.vertices
        if not net.delay_graph.out_numbers[net.delay_graph.number[v]]
    ]
    outputs = outputs or list(net.delay_graph.vertices)
    gradients = run.backward({v: run.values[v] for v in outputs})
    place = {node: k for v in net.delay_graph.vertices for k, node in enumerate(U.fibre(v))}
    values = {v: np.asarray(run.values[v]) for v in net.delay_graph.vertices}
    slopes = {v: gradients.of(v) for v in net.delay_graph.vertices}
    return {
        "fronts": [[number[node] for node in front] for front in fronts],
        "values": {number[n]: _told(values[n[0]][k]) for n, k in place.items()},
        "gradients": {number[n]: _told(slopes[n[0]][k]) for n, k in place.items()},
        "outputs": [net.delay_graph.number[v] for v in outputs],
        "weights": [_gathered(name, net, gradients, U, fronts, number) for name in net.parameters],
    }


def _gathered(
    name: str, net: Network, gradients: Any, U: Any, fronts: Any, number: Mapping[Any, int]
) -> Data:
    """A weight, the gradients of its copies, and their sum after each backward wavefront."""
    fibre = U.fibre(gradients.vertices[name])
    copies = dict(zip(fibre, gradients.copies(name), strict=True))
    total = np.zeros_like(net.parameters[name])
    sums = []
    for front in reversed(fronts):
        for node in front:
            total = total + copies.get(node, 0.0)
        sums.append(_told(total))
    return {
        "name": name,
        "value": _told(net.parameters[name]),
        "copies": [{"vertex": number[node], "gradient": _told(g)} for node, g in copies.items()],
        "sums": sums,
    }


def _inputs(net: Network, U: Any) -> dict[Any, Any]:
    """Reproducible random inputs: multiples of 0.1, or indices for an embedding."""
    rng = np.random.default_rng(3)
    found: dict[Any, Any] = {}
    for v, data in net.delay_graph.base.nodes(data=True):
        op, count = data["op"], len(U.fibre(v))
        if isinstance(op, Input):
            found[v] = rng.integers(-9, 10, (count, op.size)) / 10
        elif isinstance(op, Embedding):
            found[v] = rng.integers(0, op.vocabulary, count)
    return found


def _told(array: Any) -> str:
    """A number, or the norm of a vector between bars, with two significant digits."""
    flat = np.ravel(array)
    number = float(flat[0]) if flat.size == 1 else float(np.linalg.norm(flat))
    text = f"{abs(number):.2g}"
    if flat.size > 1:
        return f"|{text}|"
    return "\N{MINUS SIGN}" + text if number < 0 else text


_CLOCKS = 12  # largest number of retimings


def other_clocks(graph: DelayGraph, window: Any, level: Level, style: Style) -> Iterator[Data]:
    """Retimed base graphs, with the same cover at the new times; only for delays in Z."""
    if not isinstance(window, range):
        return
    places = column_of(graph)  # rows are unchanged
    wide = range(window.start - 1, window.stop + 2)
    for ahead in _ahead(graph):
        names = [style.label(v) for v in ahead]
        most = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        moved = DelayGraph(retime(graph, dict.fromkeys(ahead, 1)), graph.delay_name)
        below = rolled_scene(moved, style, places=places)
        yield {
            "name": f"{most} one step later",
            "ahead": [int(v in ahead) for v in graph.vertices],
            "base": {
                **base_panel(graph, below),
                "colors": edge_colors(moved),
                "delays": [str(d) for d in moved.times],
            },
            "cover": _redrawn(
                unrolled_scene(moved, wide, style, ghosts=False, places=places),
                moved,
                window,
                set(ahead),
                level,
            ),
        }


def _ahead(graph: DelayGraph) -> list[tuple[Any, ...]]:
    """Sets of vertices to delay: each vertex, with all reached from it by edges of delay < 1."""
    found: dict[tuple[Any, ...], None] = {}
    for v in range(len(graph.vertices)):
        taken, waiting = {v}, [v]
        while waiting:
            for e in graph.out_numbers[waiting.pop()]:
                w = int(graph.heads[e])
                if graph.times[e] < 1 and w not in taken:
                    taken.add(w)
                    waiting.append(w)
        found[tuple(graph.vertices[w] for w in sorted(taken))] = None
    return [ahead for ahead in found if len(ahead) < len(graph.vertices)][:_CLOCKS]


def _redrawn(scene: Scene, moved: DelayGraph, window: range, ahead: set[Any], level: Level) -> Data:
    """Vertices and edges of the delay cover at their new times."""
    discs = {disc.key: disc for disc in scene.discs}
    strokes = {stroke.key: stroke for stroke in scene.strokes}

    def renamed(node: Any) -> Any:
        return node[0], node[1] + (node[0] in ahead)

    kept = [discs[renamed(node)] for node in level.vertices]
    lines = []
    for stroke in level.scene.strokes:
        u, v, *key = stroke.key
        lines.append(strokes[(renamed(u), renamed(v), *key)])
    marks = scene.texts[1 : 1 + len(window) + 1]
    ends = {v: [disc.at[0] for disc in kept if disc.key[0] == v] for v in moved.vertices}
    bands = tuple(
        replace(band, left=min(ends[band.key]) - 0.5, right=max(ends[band.key]) + 0.5)
        for band in scene.bands
    )
    first = discs[moved.vertices[0], window.start]  # the origin of the drawing
    shown = shifted(Scene(tuple(kept), tuple(lines), bands, marks), -first.at[0])
    data = panel(moved, shown)
    return {
        **{key: data[key] for key in ("box", "vertices", "bands", "texts")},
        "arcs": [{"path": path(line.points)} for line in shown.strokes],
    }


def edge_colors(graph: DelayGraph) -> list[list[str]]:
    """Color of each edge in the light and in the dark theme."""
    tint = delay_colors(graph.times)
    night = {d: mixed(c, PAPER, 0.85 if c == INK else 0.5) for d, c in tint.items()}
    return [[as_hex(tint[d]), as_hex(night[d])] for d in graph.times]


def as_hex(color: Color) -> str:
    """Hexadecimal code of a color."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)


Maps = Mapping[tuple[str, str], Sequence[int]]


def level_data(graph: DelayGraph, level: Level, onto: Maps) -> Data:
    """Data of a cover: its scene, deck transformations and maps to the covers below it."""
    nodes = level.vertices
    data = panel(graph, level.scene)
    if level.modulus is None:
        data["cells"] = cells(level.scene.shapes)
    else:
        data["rings"] = rings(graph, level.scene.shapes)
    number = {node: k for k, node in enumerate(nodes)}
    for vertex, (_, place) in zip(data["vertices"], nodes, strict=True):
        if level.delays is None:
            vertex["word"] = [[graph.edge_number[edge], sign] for edge, sign in place]
        else:
            vertex["sheet"] = list(place) if isinstance(place, tuple) else [place]
    return {
        "key": level.key,
        "name": level.name,
        "says": level.says,
        **data,
        "delays": level.delays,
        "modulus": level.modulus,
        "shifts": [
            {
                "name": name,
                "inverse": inverse,
                "to": [number.get(level.shifted(node, by), -1) for node in nodes],
                "back": [
                    number.get(level.shifted(node, tuple(-x for x in by)), -1) for node in nodes
                ],
            }
            for name, inverse, by in level.shifts
        ],
        "onto": {low: image for (up, low), image in onto.items() if up == level.key},
    }


def homes(graph: DelayGraph, levels: Sequence[Level], onto: Maps) -> list[Data]:
    """For each base vertex, the copy in each cover at which lifts start by default, or -1."""
    # Start from the largest cover with a copy over the window, and map this copy to the others.
    delay = next(level for level in levels if level.key == "delay")
    inside = [not disc.ghost for disc in delay.scene.discs]
    found_homes = []
    for v in graph.vertices:
        home = dict.fromkeys((level.key for level in levels), -1)
        for level in levels:
            image = onto.get((level.key, "delay"), range(len(inside)))
            mine = [k for k, node in enumerate(level.vertices) if node[0] == v]
            found = next((k for k in mine if image[k] >= 0 and inside[image[k]]), None)
            if found is not None:
                home[level.key] = found
                home |= {low: onto[up, low][found] for up, low in onto if up == level.key}
                break
        found_homes.append(home)
    return found_homes
