"""``unrollgraph unroll``: a window of the unrolling of a file, written to another file."""

from __future__ import annotations

import argparse
import re
from typing import Any

import unrollgraph as ug

__all__ = ["LARGEST_FILE", "unroll", "window_of"]

LARGEST_FILE = 1_000_000
_WINDOW = re.compile(r"(-?[0-9]{1,999}):(-?[0-9]{1,999})|([0-9]{1,999})")


def unroll(options: argparse.Namespace) -> int:
    """Write a window of a file."""
    U = ug.unroll(ug.io.read(options.file), window_of(options.window))
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


def window_of(text: str) -> Any:
    """Read a window as it is written on the command line."""
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
    return axes[0] if len(axes) == 1 else tuple(axes)
