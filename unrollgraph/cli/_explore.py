"""``unrollgraph explore``: an interactive page of a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.cli.shared import add_file, check_own_delays, fail, graph_of, is_network, window_of
from unrollgraph.errors import show_vertex


def add_to(commands: Any) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "explore",
        help="an interactive page: walk, and see the lift climb",
        description="Write a page on which one walks on a delay graph and sees the lift of the "
        "walk in its covers. The page is one file and works without a network.",
    )
    add_file(command)
    command.add_argument(
        "--window", metavar="A:B", help="as for unroll; what fits on a page unless given"
    )
    command.add_argument(
        "--sheets", type=int, default=3, metavar="N", help="of the cyclic cover; 3 unless given"
    )
    command.add_argument("--root", metavar="NAME", help="the vertex at which the walk begins")
    command.add_argument("-o", "--output", required=True, metavar="OUT", help="a .html file")
    command.set_defaults(run=explore)


def explore(options: argparse.Namespace) -> int:
    """Write the page of a delay graph, or of a saved network."""
    if Path(options.output).suffix.lower() not in {".html", ".htm"}:
        return fail(f"{options.output}: a page is a .html file; write that suffix")
    G: nn.Network | ug.DelayGraph
    if is_network(options.file):
        check_own_delays(options)
        G = nn.load(options.file)
    else:
        G = graph_of(options)
    graph = G.graph if isinstance(G, nn.Network) else G
    names = {show_vertex(v): v for v in graph.vertices}
    if options.root is not None and options.root not in names:
        return fail(f"{options.file} has no vertex {options.root}; it has {', '.join(names)}")
    window = None if options.window is None else window_of(options.window, graph)
    try:
        page = ug.explorer.explore(
            G,
            window=window,
            sheets=options.sheets,
            root=names.get(options.root),
            title=f"{Path(options.file).stem}: walk, and watch it unroll",
        )
    except ug.UnrollgraphError:
        raise
    except ValueError as error:  # too large to be drawn
        return fail(str(error))
    page.save(options.output)
    print(f"{options.output}: {Path(options.output).stat().st_size} bytes; open it in a browser")
    return 0
