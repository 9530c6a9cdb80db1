"""``unrollgraph draw``: draw a delay graph, its unrolling, or both."""

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
    """Add the command and its options."""
    command = commands.add_parser(
        "draw",
        help="draw the network, its unrolling, or both",
        description="Draw a delay graph, its unrolling, or another of its covers.",
    )
    add_file(command)
    command.add_argument(
        "--kind",
        default="side-by-side",
        choices=KINDS,
        metavar="KIND",
        help=f"one of {', '.join(KINDS)}; default: side-by-side; a ring has one copy for each time "
        "of the window; an unrolling is an animated .gif",
    )
    command.add_argument(
        "--window", metavar="A:B", help="as for unroll; default: 0:4; not for rolled"
    )
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="a .svg, .pdf, .png or .tex file; for --kind unrolling a .gif file",
    )
    command.set_defaults(run=draw)


def draw(options: argparse.Namespace) -> int:
    """Draw a delay graph to a file."""
    moves = Path(options.output).suffix.lower() == ".gif"
    if moves != (options.kind == "unrolling"):
        return fail(
            f"{options.output}: a .gif file requires --kind unrolling, and --kind unrolling "
            "requires a .gif file; change the suffix or --kind"
        )
    G = graph_of(options)
    if options.kind == "rolled" and options.window is not None:
        return fail(
            "--kind rolled draws the base graph, which has no window; omit --window or choose "
            "another --kind"
        )
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
    """Draw a still picture of the given kind."""
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
        raise ug.errors.WindowError(
            f"--kind ring and --kind unrolling need delays in Z, but the window has {len(window)} "
            "axes; choose another --kind",
            window=window,
        )
    length = window.stop - window.start  # len() fails beyond sys.maxsize
    if length < least:
        raise ug.errors.WindowError(
            f"the window has length {length}, but {least} is the minimum; use a longer one",
            window=window,
        )
    return length


def _save_moving(animation: Any, output: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.gif"
        animation.save(path, writer="pillow", dpi=60)
        write_whole(output, path.read_bytes())
