"""Other clocks for the same cover, as plain data for a page.

Where some vertices move their clocks one step ahead, delays change and the cover does not: the same
vertices and arcs are drawn again, some of them one column further. Rows stay where they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from unrollgraph.draw.layout import rows_of
from unrollgraph.draw.palette import INK, PAPER, Colour, delay_colours, mixed
from unrollgraph.draw.panels import Data, base_panel, panel, path
from unrollgraph.draw.scene import Scene, shifted
from unrollgraph.draw.stills import rolled_scene, unrolled_scene
from unrollgraph.draw.storeys import Storey
from unrollgraph.errors import show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.retiming import retime

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
