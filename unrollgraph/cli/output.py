"""Saying things in a few words: failures in one line, counts, names, and the forms of a proof."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import unrollgraph as ug
from unrollgraph.errors import show_vertex


def fail(message: str) -> int:
    """Print what is wrong in one line on standard error; return the exit code for it."""
    note(message)
    return 2


def note(message: str) -> None:
    """Print a message in one line on standard error."""
    text = " ".join(message.split())
    if len(text) > 1000:  # it quotes something from a file that nobody wants to read
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
    """Numbers beside each other."""
    return " ".join(f"{float(value):7.4f}" for value in values)
