"""Scenes, runs, retimings and maps as plain data, from which a page draws them.

Lengths are those of the scene with y counted downward; paths are those of SVG. Colours are told by
number: that of a fibre by the vertex of the base, that of an edge by the edge.

A small network is run through a window step by step, one wavefront after the other, forward and
then backward, for the loss

    L = (sum of the squares of all entries of all outputs) / 2,

so that the gradient by an output is its value. What is told of a vector is its only entry, or its
length if there are several. Gradients of the copies of a weight are gathered in the order in which
the backward run reaches them.

Where some vertices move their clocks one step ahead, delays change and the cover does not: the same
vertices and arcs are drawn again, some of them one column further. Rows stay where they were.

In maps and shifts vertices are told by the numbers under which they are drawn, and -1 stands for
what is not drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.draw._rolled import rolled_scene, unrolled_scene
from unrollgraph.draw.layout import rows_of
from unrollgraph.draw.render import extent
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    Colour,
    Formula,
    Points,
    Scene,
    Shape,
    delay_colours,
    mixed,
    shifted,
)
from unrollgraph.errors import CyclicCoverError, show_vertex
from unrollgraph.explorer.levels import Storey
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.retiming import retime
from unrollgraph.nn import Dense, Embedding, Input, Network, Op

Data = dict[str, Any]
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def base_panel(graph: DelayGraph, scene: Scene) -> Data:
    """The base: its vertices in the order of the graph, arcs in that of its edges."""
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
    """Something above the base: arcs between what is drawn, and stubs of those that lead on."""
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
    """A chain of cubics for SVG."""
    xy = [f"{_round(x)} {_round(-y)}" for x, y in points.tolist()]
    return f"M{xy[0]}C{' '.join(xy[1:])}"


def _bounds(scene: Scene) -> list[float]:
    """Left, top, width and height of a scene, and a little more."""
    left, low, right, high = extent(scene)
    return [_round(x) for x in (left - 0.2, -high - 0.2, right - left + 0.4, high - low + 0.4)]


def _vertex(graph: DelayGraph, disc: Any, below: Any) -> Data:
    data = {"over": graph.number[below], **_point(disc.at), "label": disc.label}
    if disc.index:
        data["index"] = disc.index
    return data | ({"ghost": True} if disc.ghost else {})


def rings(graph: DelayGraph, shapes: Sequence[Shape]) -> list[Data]:
    """The fibres on a ring: the outer rims, less half of the width of a fibre."""
    return [
        {
            "over": graph.number[shape.key],
            "radius": _round(float(np.hypot(*shape.points[0])) - 0.31),
        }
        for shape in shapes
        if shape.fill != PAPER
    ]


def cells(shapes: Sequence[Shape]) -> list[Data]:
    """The cells of the plane."""
    corners = [(shape.points.min(axis=0), shape.points.max(axis=0)) for shape in shapes]
    return [
        {**_point((low[0], high[1])), "size": _round(high[0] - low[0])} for low, high in corners
    ]


def _plain(text: Any) -> str:
    """Words without the marks of TeX."""
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
    """The network of a graph whose vertices all carry operations; else one of single units.

    Then each vertex is a number, the hyperbolic tangent of a weighted sum of what it reads, and
    those that read nothing are inputs. None if no order computes it, or nothing is an input.
    """
    G = graph.to_networkx()
    if not all(isinstance(G.nodes[v].get("op"), Op) for v in G):
        for v in G:
            G.nodes[v]["op"] = Dense(1) if G.in_degree(v) else Input(1)
    if all(G.in_degree(v) for v in G):
        return None
    ready = DelayGraph(G, graph.delay_name)
    # of ten draws one in which no weight is so small that nothing is seen to flow
    return max((Network(ready, seed=seed) for seed in range(10)), key=_least)


def _least(net: Network) -> float:
    return min((float(np.abs(w).min()) for w in net.parameters.values() if w.any()), default=0.0)


def session(net: Network, U: Any, number: Mapping[Any, int]) -> Data | None:
    """Run a network over a window; None if the window has a cycle."""
    try:
        fronts = [[*front] for front in nx.topological_generations(U)]
        run = net.forward(_inputs(net, U), over=U)
    except (nx.NetworkXUnfeasible, CyclicCoverError):
        return None
    outputs = [v for v in net.graph.vertices if not net.graph.out_numbers[net.graph.number[v]]]
    outputs = outputs or list(net.graph.vertices)
    gradients = run.backward({v: run.values[v] for v in outputs})
    place = {node: k for v in net.graph.vertices for k, node in enumerate(U.fibre(v))}
    values = {v: np.asarray(run.values[v]) for v in net.graph.vertices}
    slopes = {v: gradients.of(v) for v in net.graph.vertices}
    return {
        "fronts": [[number[node] for node in front] for front in fronts],
        "values": {number[n]: _told(values[n[0]][k]) for n, k in place.items()},
        "gradients": {number[n]: _told(slopes[n[0]][k]) for n, k in place.items()},
        "outputs": [net.graph.number[v] for v in outputs],
        "weights": [_gathered(name, net, gradients, U, fronts, number) for name in net.parameters],
    }


def _gathered(
    name: str, net: Network, gradients: Any, U: Any, fronts: Any, number: Mapping[Any, int]
) -> Data:
    """A weight, the gradient of each of its copies, and their sum as it grows."""
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
    """Something to see: a few digits, the same every time."""
    rng = np.random.default_rng(3)
    found: dict[Any, Any] = {}
    for v, data in net.graph.base.nodes(data=True):
        op, count = data["op"], len(U.fibre(v))
        if isinstance(op, Input):
            found[v] = rng.integers(-9, 10, (count, op.size)) / 10
        elif isinstance(op, Embedding):
            found[v] = rng.integers(0, op.vocabulary, count)
    return found


def _told(array: Any) -> str:
    """A number, or between bars the length of a vector, in a few digits."""
    flat = np.ravel(array)
    number = float(flat[0]) if flat.size == 1 else float(np.linalg.norm(flat))
    text = f"{abs(number):.2g}"
    if flat.size > 1:
        return f"|{text}|"
    return "\N{MINUS SIGN}" + text if number < 0 else text


_CLOCKS = 12  # are offered at the most


def other_clocks(
    graph: DelayGraph, window: Any, storey: Storey, style: tuple[Any, Any]
) -> Iterator[Data]:
    """The same base and the same cover with some clocks one step ahead."""
    if not isinstance(window, range):
        return
    rows = rows_of(graph)  # they stay, and only columns move
    wide = range(window.start - 1, window.stop + 2)
    for ahead in _ahead(graph):
        names = [style[0].get(v, show_vertex(v)) for v in ahead]
        most = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        moved = DelayGraph(retime(graph, dict.fromkeys(ahead, 1)), graph.delay_name)
        below = rolled_scene(moved, *style, rows=rows)
        yield {
            "name": f"{most} one step later",
            "ahead": [int(v in ahead) for v in graph.vertices],
            "base": {
                **base_panel(graph, below),
                "colours": edge_colours(moved),
                "delays": [str(d) for d in moved.times],
            },
            "cover": _redrawn(
                unrolled_scene(moved, wide, *style, ghosts=False, rows=rows),
                moved,
                window,
                set(ahead),
                storey,
            ),
        }


def _ahead(graph: DelayGraph) -> list[tuple[Any, ...]]:
    """Sets of vertices: each with all that it feeds at once, so that no delay becomes negative."""
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


def _redrawn(
    scene: Scene, moved: DelayGraph, window: range, ahead: set[Any], storey: Storey
) -> Data:
    """The vertices and arcs of the delay cover that are shown, at their new times."""
    discs = {disc.key: disc for disc in scene.discs}
    strokes = {stroke.key: stroke for stroke in scene.strokes}

    def renamed(node: Any) -> Any:
        return node[0], node[1] + (node[0] in ahead)

    kept = [discs[renamed(node)] for node in storey.vertices]
    lines = []
    for stroke in storey.scene.strokes:
        u, v, *key = stroke.key
        lines.append(strokes[(renamed(u), renamed(v), *key)])
    marks = scene.texts[1 : 1 + len(window) + 1]
    ends = {v: [disc.at[0] for disc in kept if disc.key[0] == v] for v in moved.vertices}
    bands = tuple(
        replace(band, left=min(ends[band.key]) - 0.5, right=max(ends[band.key]) + 0.5)
        for band in scene.bands
    )
    first = discs[moved.vertices[0], window.start]  # its column stays where it is
    shown = shifted(Scene(tuple(kept), tuple(lines), bands, marks), -first.at[0])
    data = panel(moved, shown)
    return {
        **{key: data[key] for key in ("box", "vertices", "bands", "texts")},
        "arcs": [{"path": path(line.points)} for line in shown.strokes],
    }


def edge_colours(graph: DelayGraph) -> list[list[str]]:
    """Of each edge the colour of its line, by day and by night."""
    tint = delay_colours(graph.times)
    night = {d: mixed(c, PAPER, 0.85 if c == INK else 0.5) for d, c in tint.items()}
    return [[as_hex(tint[d]), as_hex(night[d])] for d in graph.times]


def as_hex(colour: Colour) -> str:
    """A colour as a page writes it."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


Maps = Mapping[tuple[str, str], Sequence[int]]


def told(graph: DelayGraph, storey: Storey, onto: Maps) -> Data:
    """A storey: what is drawn of it, its deck transformations, and its maps to those below."""
    nodes = storey.vertices
    data = panel(graph, storey.scene)
    if storey.modulus is None:
        data["cells"] = cells(storey.scene.shapes)
    else:
        data["rings"] = rings(graph, storey.scene.shapes)
    number = {node: k for k, node in enumerate(nodes)}
    for vertex, (_, place) in zip(data["vertices"], nodes, strict=True):
        if storey.delays is None:
            vertex["word"] = [[graph.edge_number[edge], sign] for edge, sign in place]
        else:
            vertex["sheet"] = list(place) if isinstance(place, tuple) else [place]
    return {
        "key": storey.key,
        "name": storey.name,
        "says": storey.says,
        **data,
        "delays": storey.delays,
        "modulus": storey.modulus,
        "shifts": [
            {
                "name": name,
                "inverse": inverse,
                "to": [number.get(storey.shifted(node, by), -1) for node in nodes],
                "back": [
                    number.get(storey.shifted(node, tuple(-x for x in by)), -1) for node in nodes
                ],
            }
            for name, inverse, by in storey.shifts
        ],
        "onto": {low: image for (up, low), image in onto.items() if up == storey.key},
    }


def homes(graph: DelayGraph, storeys: Sequence[Storey], onto: Maps) -> list[Data]:
    """For each vertex of the base the copies at which its lifts begin, above each other.

    They lie below the highest vertex whose image in the delay cover is drawn inside the window:
    the nearest to the root in the tree, if there is one; -1 stands for what is not drawn.
    """
    delay = next(storey for storey in storeys if storey.key == "delay")
    inside = [not disc.ghost for disc in delay.scene.discs]
    found_homes = []
    for v in graph.vertices:
        home = dict.fromkeys((storey.key for storey in storeys), -1)
        for storey in storeys:
            image = onto.get((storey.key, "delay"), range(len(inside)))
            mine = [k for k, node in enumerate(storey.vertices) if node[0] == v]
            found = next((k for k in mine if image[k] >= 0 and inside[image[k]]), None)
            if found is not None:
                home[storey.key] = found
                home |= {low: onto[up, low][found] for up, low in onto if up == storey.key}
                break
        found_homes.append(home)
    return found_homes
