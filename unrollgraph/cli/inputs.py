"""What the commands read: delay graphs, saved networks, and windows as they are written."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any

import unrollgraph as ug
from unrollgraph.cli.output import note
from unrollgraph.graph.delay_graph import delay_like_attribute
from unrollgraph.nn.saving import read_graph

_WINDOW = re.compile(r"(-?[0-9]{1,999}):(-?[0-9]{1,999})|([0-9]{1,999})")


def is_network(path: str) -> bool:
    """Whether a file is one that `unrollgraph.nn.Network.save` wrote, by its suffix."""
    return Path(path).suffix.lower() == ".npz"


def add_file(command: Any) -> None:
    """Declare the file that a command reads, and the options that say how to read it."""
    command.add_argument(
        "file",
        metavar="FILE",
        help="a delay graph: node-link .json, .gml, .graphml, or .csv/.tsv with the columns "
        "source,target,delay (vectors as 1;0); or a saved network, a .npz",
    )
    command.add_argument(
        "--delay", metavar="NAME", help="the edge attribute or column that holds the delay"
    )
    for end, other in (("source", "from"), ("target", "to")):
        command.add_argument(
            f"--{end}",
            metavar="NAME",
            help=f"the column of a .csv/.tsv that holds the {end} of an edge; default: {end} "
            f"or {other}",
        )


def graph_of(options: argparse.Namespace) -> ug.DelayGraph:
    """Read a delay graph; of a saved network its graph, without the operations.

    If no edge has a delay but another attribute looks like one, a note on standard error says so.
    """
    path = options.file
    if is_network(path):
        check_own_delays(options)
        return ug.DelayGraph(read_graph(path))
    name = options.delay or "delay"
    G = ug.io.read(path, delay=name, source=options.source, target=options.target)
    graph = ug.DelayGraph(G, name)
    if like := delay_like_attribute(graph):
        note(
            f"{path}: no edge has a delay, so every delay is 0; edges have {like!r}, which may "
            f"be the delay: read it with --delay {shlex.quote(like)}"
        )
    return graph


def check_own_delays(options: argparse.Namespace) -> None:
    """Reject the options of a delay graph for a saved network, whose graph is complete."""
    for name in ("delay", "source", "target"):
        if getattr(options, name) is not None:
            raise ug.FormatError(
                f"{options.file}: a saved network has its own delays; leave out --{name}"
            )


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
