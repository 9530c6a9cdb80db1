"""``unrollgraph explore``: write an interactive HTML page of walks and their lifts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.cli.shared import add_file, check_own_delays, fail, graph_of, is_network, window_of
from unrollgraph.errors import show_vertex


def add_to(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "explore",
        help="write an interactive page of walks and their lifts",
        description="Write an interactive page that shows a walk on a delay graph and its lifts to "
        "covers. The page is a single file and works offline.",
    )
    add_file(command)
    command.add_argument(
        "--window", metavar="A:B", help="as for unroll; default: a window that fits on the page"
    )
    command.add_argument(
        "--sheets",
        type=int,
        default=3,
        metavar="N",
        help="sheets of the cyclic cover; default: 3",
    )
    command.add_argument("--root", metavar="NAME", help="the vertex at which the walk begins")
    command.add_argument("-o", "--output", required=True, metavar="OUT", help="a .html file")
    command.set_defaults(run=explore)


def explore(options: argparse.Namespace) -> int:
    """Write the page of a delay graph or of a saved network."""
    if Path(options.output).suffix.lower() not in {".html", ".htm"}:
        return fail(f"{options.output}: the suffix must be .html or .htm")
    G: nn.Network | ug.DelayGraph
    if is_network(options.file):
        check_own_delays(options)
        G = nn.load(options.file)
    else:
        G = graph_of(options)
    graph = G.delay_graph if isinstance(G, nn.Network) else G
    names = {show_vertex(v): v for v in graph.vertices}
    if options.root is not None and options.root not in names:
        return fail(
            f"{options.file} has no vertex {options.root!r}; its vertices are {', '.join(names)}"
        )
    window = None if options.window is None else window_of(options.window, graph)
    try:
        page = ug.explorer.explore(
            G,
            window=window,
            sheets=options.sheets,
            root=names.get(options.root),
            title=f"{Path(options.file).stem}: walks and their lifts",
        )
    except ug.UnrollgraphError:
        raise
    except ValueError as error:  # too large to be drawn
        return fail(str(error))
    page.save(options.output)
    print(f"{options.output}: {Path(options.output).stat().st_size} bytes; open it in a browser")
    return 0
