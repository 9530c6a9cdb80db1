"""``unrollgraph unroll``: write a window of the unrolling to a file."""

from __future__ import annotations

import argparse
from typing import Any

import unrollgraph as ug
from unrollgraph.cli.shared import add_file, graph_of, window_of
from unrollgraph.limits import MOST_WRITTEN


def add_to(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "unroll",
        help="write a window of the unrolling to a file",
        description="Unroll a delay graph over a window of time and write the result.",
    )
    add_file(command)
    command.add_argument(
        "--window",
        required=True,
        metavar="A:B",
        help="times A to B - 1, or N for 0:N; a negative A requires the sign =, as in "
        "--window=-2:6; delays in Z^d require one window per axis, as in --window=0:3,0:4",
    )
    command.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="a .json or .dot file"
    )
    command.set_defaults(run=unroll)


def unroll(options: argparse.Namespace) -> int:
    """Write a window of the unrolling of a delay graph."""
    G = graph_of(options)
    U = ug.unroll(G, window_of(options.window, G))
    size = U.number_of_nodes() + U.number_of_edges()
    if size > MOST_WRITTEN:
        raise ug.errors.WindowError(
            f"the window {options.window!r} has {U.number_of_nodes()} vertices and "
            f"{U.number_of_edges()} edges, but at most {MOST_WRITTEN} in total are written to a "
            "file; use a smaller window, or in Python unrollgraph.unroll(G, window).to_arrays()",
            window=options.window,
        )
    ug.io.write(U, options.output)
    print(f"{options.output}: {U.number_of_nodes()} vertices, {U.number_of_edges()} edges")
    return 0
