"""The way in: what the commands and their options are, and how they end."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import unrollgraph as ug
from unrollgraph.cli import checking, drawing, exploring, measuring, running, showing, unrolling
from unrollgraph.cli.saying import fail

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    if sys.stdout is None:  # where a shell has closed it
        sys.stdout = io.StringIO()
    parser = _parser()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names that the terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")
    options = parser.parse_args(arguments)
    try:
        if name := _overwritten(options):
            return fail(f"{name} is read and would be overwritten; write to another file")
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, head for instance, has seen enough
        _forget_output()
        return 128 + signal.SIGPIPE
    except ug.UnrollgraphError as error:
        return fail(str(error))
    except OSError as error:
        if error.filename is None:  # of the standard output, a full disk for instance
            _forget_output()
        return fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except MemoryError:
        return fail("not enough memory for a graph or a window of this size")
    return code


def _overwritten(options: argparse.Namespace) -> str | None:
    """The output, if it is one of the files that are read."""
    output: Any = getattr(options, "output", None)
    for name in ("file", "inputs"):
        given: Any = getattr(options, name, None)
        there = output and given and Path(output).exists() and Path(given).exists()
        if there and Path(output).samefile(given):
            return str(output)
    return None


def _forget_output() -> None:
    """Send what waits to be printed nowhere, so that Python does not try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise SystemExit(fail(f"{message}; {self.prog} --help tells more"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="unrollgraph",
        description="Unroll directed graphs with cycles into their acyclic covers.",
    )
    parser.add_argument("--version", action="version", version=f"unrollgraph {ug.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    formats = (
        "a delay graph: node-link .json, .gml, .graphml, or .csv/.tsv with the columns "
        "source,target,delay (vectors as 1;0); or a saved network, a .npz"
    )

    check = commands.add_parser(
        "check",
        help="is the infinite unrolling acyclic? with proof",
        description="Decide whether the infinite unrolling of a delay graph is acyclic, and "
        "prove it. Exits 1 if it is cyclic.",
    )
    check.add_argument("file", metavar="FILE", help=formats)
    check.add_argument("--json", action="store_true", help="print the answer for machines")
    check.set_defaults(run=checking.check)

    measure = commands.add_parser(
        "measure",
        help="depth, skips and clock periods, exactly",
        description="Measure a delay graph that runs forward in time: how many operations a step "
        "adds, how many steps one can skip, and how fast the graph can be clocked.",
    )
    measure.add_argument("file", metavar="FILE", help=formats)
    measure.add_argument(
        "--duration",
        metavar="NAME",
        help="the vertex attribute that holds how long a vertex computes; 1 unless given",
    )
    measure.add_argument("--json", action="store_true", help="print the answer for machines")
    measure.set_defaults(run=measuring.measure)

    unroll = commands.add_parser(
        "unroll",
        help="write a window of the unrolling",
        description="Unroll a delay graph over a window of time and write the result.",
    )
    unroll.add_argument("file", metavar="FILE", help=formats)
    unroll.add_argument(
        "--window",
        required=True,
        metavar="A:B",
        help="times from A to B - 1, or N for 0:N; write the sign =, as in --window=-2:6, and "
        "for delays in Z^d one window for each axis, as in --window=0:3,0:4",
    )
    unroll.add_argument("-o", "--output", required=True, metavar="OUT", help="a .json or .dot file")
    unroll.set_defaults(run=unrolling.unroll)

    draw = commands.add_parser(
        "draw",
        help="a picture of the network, its unrolling, or both",
        description="Draw a delay graph and what lies above it.",
    )
    draw.add_argument("file", metavar="FILE", help=formats)
    draw.add_argument(
        "--kind",
        default="side-by-side",
        choices=drawing.KINDS,
        metavar="KIND",
        help=f"one of {', '.join(drawing.KINDS)}; a ring has a copy for each time of the window, "
        "and an unrolling is a .gif in which the cycles open",
    )
    draw.add_argument(
        "--window", metavar="A:B", help="as for unroll; 0:4 unless given; rolled has none"
    )
    draw.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="a .svg, .pdf, .png or .tex file; a .gif for an unrolling",
    )
    draw.set_defaults(run=drawing.draw)

    explore = commands.add_parser(
        "explore",
        help="an interactive page: walk, and see the lift climb",
        description="Write a page on which one walks on a delay graph and sees the lift of the "
        "walk in its covers. The page is one file and works without a network.",
    )
    explore.add_argument("file", metavar="FILE", help=formats)
    explore.add_argument(
        "--window", metavar="A:B", help="as for unroll; what fits on a page unless given"
    )
    explore.add_argument(
        "--sheets", type=int, default=3, metavar="N", help="of the cyclic cover; 3 unless given"
    )
    explore.add_argument("--root", metavar="NAME", help="the vertex at which the walk begins")
    explore.add_argument("-o", "--output", required=True, metavar="OUT", help="a .html file")
    explore.set_defaults(run=exploring.explore)

    run = commands.add_parser(
        "run",
        help="run a saved network over a sequence",
        description="Run a network, as net.save and nn.fit write it, over the steps of its inputs.",
    )
    run.add_argument("file", metavar="FILE", help="a saved network")
    run.add_argument(
        "--inputs",
        required=True,
        metavar="X",
        help="a .npy of shape (steps, size) or (steps, batch, size), integers without the size "
        "for an embedding; for several inputs a .npz with an array of the name of each vertex",
    )
    run.add_argument(
        "--vertex",
        action="append",
        metavar="NAME",
        help="whose values are wanted; may be repeated; unless given, those that nobody reads",
    )
    run.add_argument(
        "-o", "--output", metavar="OUT", help="a .npy for one vertex, a .npz for any number"
    )
    run.set_defaults(run=running.run)

    demo = commands.add_parser("demo", help="the seed network, unrolled, checked and trained")
    demo.set_defaults(run=showing.demo)
    return parser
