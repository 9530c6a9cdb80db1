"""Functions of several commands: input files, windows, messages and output."""

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
    """Print an error in one line on standard error; return exit code 2."""
    note(message)
    return 2


def note(message: str) -> None:
    """Print a message in one line on standard error."""
    text = " ".join(message.split())
    if len(text) > 1000:  # the message quotes a long value from a file
        text = f"{text[:600]} ... {text[-300:]}"
    if sys.stderr:
        with suppress(OSError):  # the exit code reports the error too
            print("unrollgraph:", text, file=sys.stderr, flush=True)


def count(things: Sequence[Any], one: str, many: str) -> str:
    """Number of items, with the singular or plural noun."""
    return f"{len(things)} {one if len(things) == 1 else many}"


def plain(value: Any) -> Any:
    """Convert tuples to lists, recursively, as JSON does."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, tuple | list) else value


def names(vertices: Sequence[Any], most: int = 4) -> str:
    """Names of the first vertices, and the number of the others."""
    rest = len(vertices) - most
    shown = ", ".join(map(show_vertex, vertices[:most]))
    return shown + (f" and {rest} more" if rest > 0 else "")


def summary(graph: ug.DelayGraph, column: int = 11) -> list[str]:
    """Describe a graph in one line."""
    power = "" if graph.dimension == 1 else f"^{graph.dimension}"
    return [
        f"{'graph':<{column}}{count(graph.vertices, 'vertex', 'vertices')}, "
        f"{count(graph.edges, 'edge', 'edges')}, delays in Z{power}"
    ]


def form(slope: tuple[int, ...], offset: int = 0) -> str:
    """Format an affine function of time, such as ``2*t1 - t2 + 3``."""
    names = ["t"] if len(slope) == 1 else [f"t{axis}" for axis in range(1, len(slope) + 1)]
    text = ""
    for x, name in zip((*slope, offset), (*names, ""), strict=True):
        if x:
            factors = [str(abs(x))] if abs(x) > 1 or not name else []
            sign = (" - " if x < 0 else " + ") if text else ("-" if x < 0 else "")
            text += sign + "*".join(factors + [name] * bool(name))
    return text or "0"


def offsets(proof: ug.measure.Schedule, most: int = 8) -> str:
    """Format the offset of each vertex, or its tuple of affine functions."""
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
    """Format numbers as one line."""
    return " ".join(f"{float(value):7.4f}" for value in values)


_WINDOW = re.compile(r"(-?[0-9]{1,999}):(-?[0-9]{1,999})|([0-9]{1,999})")


def is_network(path: str) -> bool:
    """Whether a file has the suffix of `unrollgraph.nn.save`."""
    return Path(path).suffix.lower() == ".npz"


def add_file(command: Any) -> None:
    """Add the input file, and the options that determine how it is read."""
    command.add_argument(
        "file",
        metavar="FILE",
        help="a delay graph: node-link .json, .gml, .graphml, or .csv/.tsv with the columns "
        "source,target,delay (vectors as 1;0); or a saved network, a .npz file",
    )
    command.add_argument(
        "--delay", metavar="NAME", help="edge attribute or column of the delays; default: delay"
    )
    for end, other in (("source", "from"), ("target", "to")):
        command.add_argument(
            f"--{end}",
            metavar="NAME",
            help=f"column of the {end} vertices in a .csv/.tsv file; default: {end} or {other}",
        )


def graph_of(options: argparse.Namespace) -> ug.DelayGraph:
    """Read a delay graph from a graph file or from a saved network.

    If no edge has a delay but another attribute may be the delay, print a note on standard error.
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
            f"{path}: no edge has a delay, so every delay is 0; if the attribute {like!r} is the "
            f"delay, add --delay {shlex.quote(like)}"
        )
    return graph


def check_own_delays(options: argparse.Namespace) -> None:
    """Raise FormatError for options that do not apply to a saved network."""
    for name in ("delay", "source", "target"):
        if getattr(options, name) is not None:
            raise ug.errors.FormatError(
                f"{options.file}: a saved network contains its delays; omit --{name}"
            )


def window_of(text: str, G: Any) -> Any:
    """Convert the window of the command line to a range, or to one range per axis."""
    axes = []
    for part in text.split(","):
        match = _WINDOW.fullmatch(part.strip())
        if not match:
            raise ug.errors.WindowError(
                f"invalid window {text!r}: write A:B for the times A to B - 1, as in "
                "--window=-2:6, or N for 0:N",
                window=text,
            )
        start, stop, length = match.groups()
        axes.append(range(int(length)) if length else range(int(start), int(stop)))
    dimension = ug.DelayGraph(G).dimension
    if len(axes) != dimension:
        has = "1 axis" if len(axes) == 1 else f"{len(axes)} axes"
        delays = "Z" if dimension == 1 else f"Z^{dimension}"
        like = ",".join(["0:4"] * min(dimension, 3)) + ",..." * (dimension > 3)
        raise ug.errors.WindowError(
            f"the window {text!r} has {has}, but the delays are in {delays}; write one window per "
            f"axis, as in --window={like}",
            window=text,
        )
    return axes[0] if len(axes) == 1 else tuple(axes)
