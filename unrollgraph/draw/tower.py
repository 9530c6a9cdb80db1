"""The storeys of a tower of covers, their maps and their shifts, as plain data for a page.

Vertices are told by the numbers under which they are drawn, and -1 stands for what is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unrollgraph.draw.panels import Data, cells, panel, rings
from unrollgraph.draw.storeys import Storey
from unrollgraph.graph.delay_graph import DelayGraph

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
