"""What the commands read: delay graphs, saved networks, and windows as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import unrollgraph as ug

__all__ = ["FORMATS", "graph_of", "is_network", "window_of"]

FORMATS = (
    "a delay graph: node-link .json, .gml, .graphml, or .csv/.tsv with the columns "
    "source,target,delay (vectors as 1;0); or a saved network, a .npz"
)
_WINDOW = re.compile(r"(-?[0-9]{1,999}):(-?[0-9]{1,999})|([0-9]{1,999})")


def is_network(path: str) -> bool:
    """Whether a file is one that `unrollgraph.nn.Network.save` wrote, by its suffix."""
    return Path(path).suffix.lower() == ".npz"


def graph_of(path: str) -> Any:
    """Read a delay graph; of a saved network its graph, without the operations."""
    if not is_network(path):
        return ug.io.read(path)
    G = ug.nn.load(path).graph.base.copy()
    for _, data in G.nodes(data=True):
        del data["op"]
    return G


def window_of(text: str, G: Any) -> Any:
    """Read a window of a delay graph as it is written on the command line."""
    axes = []
    for part in text.split(","):
        match = _WINDOW.fullmatch(part.strip())
        if not match:
            raise ug.WindowError(
                f"the window {text!r} is not understood; write A:B for the times A to B - 1, as "
                "in --window=-2:6, or N for 0:N",
                window=text,
            )
        start, stop, length = match.groups()
        axes.append(range(int(length)) if length else range(int(start), int(stop)))
    dimension = ug.DelayGraph(G).dimension
    if len(axes) != dimension:
        has = "1 axis" if len(axes) == 1 else f"{len(axes)} axes"
        delays = "Z" if dimension == 1 else f"Z^{dimension}"
        like = ",".join(["0:4"] * min(dimension, 3)) + ",..." * (dimension > 3)
        raise ug.WindowError(
            f"the window {text} has {has}, but the delays are in {delays}; write {dimension}, as "
            f"in --window={like}",
            window=text,
        )
    return axes[0] if len(axes) == 1 else tuple(axes)
