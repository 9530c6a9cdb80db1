"""``unrollgraph draw``: a picture of a file, of its unrolling, or of both."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import unrollgraph as ug
from unrollgraph.cli.shared import add_file, fail, graph_of, window_of
from unrollgraph.draw.render import MOST_EDGES, check_few
from unrollgraph.io.files import write_whole

KINDS = ("side-by-side", "rolled", "unrolled", "helix", "ring", "wavefronts", "unrolling")


def add_to(commands: Any) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "draw",
        help="a picture of the network, its unrolling, or both",
        description="Draw a delay graph and what lies above it.",
    )
    add_file(command)
    command.add_argument(
        "--kind",
        default="side-by-side",
        choices=KINDS,
        metavar="KIND",
        help=f"one of {', '.join(KINDS)}; a ring has a copy for each time of the window, "
        "and an unrolling is a .gif in which the cycles open",
    )
    command.add_argument(
        "--window", metavar="A:B", help="as for unroll; 0:4 unless given; rolled has none"
    )
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="a .svg, .pdf, .png or .tex file; a .gif for an unrolling",
    )
    command.set_defaults(run=draw)


def draw(options: argparse.Namespace) -> int:
    """Draw a file into another file."""
    moves = Path(options.output).suffix.lower() == ".gif"
    if moves != (options.kind == "unrolling"):
        return fail(
            f"{options.output}: a picture that moves is a .gif of the kind unrolling, and nothing "
            "else is; write another suffix, or another --kind"
        )
    G = graph_of(options)
    if options.kind == "rolled" and options.window is not None:
        return fail("what is rolled has no window; leave out --window, or draw another --kind")
    window = None if options.kind == "rolled" else window_of(options.window or "0:4", G)
    try:
        if moves:
            _save_moving(ug.draw.animate_unrolling(G, _length(window, 2)), options.output)
        else:
            ug.draw.save(_picture(options.kind, G, window), options.output)
    except ug.UnrollgraphError:
        raise
    except ValueError as error:  # too large to be drawn, or times in too many dimensions
        return fail(str(error))
    print(f"{options.output}: {options.kind}, {Path(options.output).stat().st_size} bytes")
    return 0


def _picture(kind: str, G: Any, window: Any) -> Any:
    """Draw a still picture of some kind."""
    if kind == "rolled":
        return ug.draw.rolled(G)
    if kind == "ring":
        return ug.draw.ring(_not_many(ug.cyclic_cover(G, _length(window, 1))))
    U = _not_many(ug.unroll(G, window))
    if kind == "unrolled":
        return ug.draw.unrolled(U, ghosts=True)
    if kind == "wavefronts":
        return ug.draw.wavefronts(U)
    if kind == "helix":
        return ug.draw.helix(G, window)
    return ug.draw.side_by_side(G, window)


def _not_many(lift: Any) -> Any:
    check_few(lift, MOST_EDGES, mend="draw a smaller window")
    return lift


def _length(window: Any, least: int) -> int:
    if not isinstance(window, range):
        raise ug.WindowError(
            "a ring and an unrolling have one axis; give one window", window=window
        )
    length = window.stop - window.start  # of any size, which len is not
    if length < least:
        raise ug.WindowError(
            f"the window is of length {length}, but {least} is the least; give a longer one",
            window=window,
        )
    return length


def _save_moving(animation: Any, output: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.gif"
        animation.save(path, writer="pillow", dpi=60)
        write_whole(output, path.read_bytes())
