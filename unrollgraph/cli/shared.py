"""What several commands read and print: files and windows; failures, counts, names and proofs."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import unrollgraph as ug
from unrollgraph.errors import show_vertex
from unrollgraph.graph.delay_graph import delay_like_attribute
from unrollgraph.nn.saving import read_graph


def fail(message: str) -> int:
    """Print an error in one line on standard error; return the exit code for it."""
    note(message)
    return 2


def note(message: str) -> None:
    """Print a message in one line on standard error."""
    text = " ".join(message.split())
    if len(text) > 1000:  # it quotes a long value from a file
        text = f"{text[:600]} ... {text[-300:]}"
    if sys.stderr:
        with suppress(OSError):  # the status says it all the same
            print("unrollgraph:", text, file=sys.stderr, flush=True)


def count(things: Sequence[Any], one: str, many: str) -> str:
    """How many things there are, with their name."""
    return f"{len(things)} {one if len(things) == 1 else many}"


def plain(value: Any) -> Any:
    """Vertices, keys and what holds them, as JSON does: tuples become lists."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, tuple | list) else value


def names(vertices: Sequence[Any], most: int = 4) -> str:
    """Names of vertices, the first few."""
    rest = len(vertices) - most
    shown = ", ".join(map(show_vertex, vertices[:most]))
    return shown + (f" and {rest} more" if rest > 0 else "")


def summary(graph: ug.DelayGraph, column: int = 11) -> list[str]:
    """What a graph has, in one line."""
    power = "" if graph.dimension == 1 else f"^{graph.dimension}"
    return [
        f"{'graph':<{column}}{count(graph.vertices, 'vertex', 'vertices')}, "
        f"{count(graph.edges, 'edge', 'edges')}, delays in Z{power}"
    ]


def form(slope: tuple[int, ...], offset: int = 0) -> str:
    """An affine form of time, such as ``2*t1 - t2 + 3``."""
    names = ["t"] if len(slope) == 1 else [f"t{axis}" for axis in range(1, len(slope) + 1)]
    text = ""
    for x, name in zip((*slope, offset), (*names, ""), strict=True):
        if x:
            factors = [str(abs(x))] if abs(x) > 1 or not name else []
            sign = (" - " if x < 0 else " + ") if text else ("-" if x < 0 else "")
            text += sign + "*".join(factors + [name] * bool(name))
    return text or "0"


def offsets(proof: ug.Schedule, most: int = 8) -> str:
    """What the proof gives to each vertex: an offset, or its forms."""
    shown = []
    for k, vertex in enumerate(proof.graph.vertices[:most]):
        if proof.is_linear:
            value = str(proof.stages[0].offsets[k])
        else:
            value = f"({', '.join(form(s.slopes[k], s.offsets[k]) for s in proof.stages)})"
        shown.append(f"{show_vertex(vertex)}: {value}")
    rest = len(proof.graph.vertices) - len(shown)
    return ", ".join(shown) + (f", and {rest} more (--json lists them)" if rest else "")


def numbers(values: Any) -> str:
    """Return numbers as one line of text."""
    return " ".join(f"{float(value):7.4f}" for value in values)


_WINDOW = re.compile(r"(-?[0-9]{1,999}):(-?[0-9]{1,999})|([0-9]{1,999})")


def is_network(path: str) -> bool:
    """Whether a file is one that `unrollgraph.nn.save` wrote, by its suffix."""
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
