"""Scenes as plain data, from which a page draws them.

Lengths are those of the scene with y counted downward; paths are those of SVG. Colours are told by
number: that of a fibre by the vertex of the base, that of an edge by the edge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from unrollgraph.draw.canvas import extent
from unrollgraph.draw.palette import PAPER
from unrollgraph.draw.scene import Formula, Points, Scene, Shape
from unrollgraph.graph.delay_graph import DelayGraph

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
