"""``unrollgraph unroll``: a window of the unrolling of a file, written to another file."""

from __future__ import annotations

import argparse

import unrollgraph as ug
from unrollgraph.cli.reading import graph_of, window_of

__all__ = ["LARGEST_FILE", "unroll"]

LARGEST_FILE = 1_000_000


def unroll(options: argparse.Namespace) -> int:
    """Write a window of a file."""
    G = graph_of(options.file)
    U = ug.unroll(G, window_of(options.window, G))
    size = U.number_of_nodes() + U.number_of_edges()
    if size > LARGEST_FILE:
        raise ug.WindowError(
            f"the window {options.window} has {U.number_of_nodes()} vertices and "
            f"{U.number_of_edges()} arcs, more than the {LARGEST_FILE} that are written to a file; "
            "take a smaller one, or use to_arrays() of unrollgraph.unroll in Python",
            window=options.window,
        )
    ug.io.write(U, options.output)
    print(f"{options.output}: {U.number_of_nodes()} vertices, {U.number_of_edges()} arcs")
    return 0
