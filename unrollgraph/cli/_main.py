"""Entry point of the command line: parser, errors and exit codes."""

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
from unrollgraph.cli import _check, _demo, _draw, _explore, _measure, _run, _unroll
from unrollgraph.cli.shared import fail


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    if sys.stdout is None:  # the shell has closed it
        sys.stdout = io.StringIO()
    parser = _parser()
    if isinstance(sys.stdout, io.TextIOWrapper):  # the terminal may lack characters of names
        sys.stdout.reconfigure(errors="backslashreplace")
    options = parser.parse_args(arguments)
    try:
        if name := _overwritten(options):
            return fail(f"{name} is an input file and would be overwritten; write to another file")
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        _forget_output()
        return 128 + signal.SIGPIPE
    except ug.UnrollgraphError as error:
        return fail(str(error))
    except OSError as error:
        if error.filename is None:  # an error of standard output, such as a full disk
            _forget_output()
        return fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except MemoryError:
        return fail("not enough memory for a graph or window of this size; use a smaller one")
    return code


def _overwritten(options: argparse.Namespace) -> str | None:
    """Return the output if it is also an input file."""
    output: Any = getattr(options, "output", None)
    for name in ("file", "inputs"):
        given: Any = getattr(options, name, None)
        there = output and given and Path(output).exists() and Path(given).exists()
        if there and Path(output).samefile(given):
            return str(output)
    return None


def _forget_output() -> None:
    """Discard pending output, so that Python does not write it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        raise SystemExit(fail(f"{message}; see {self.prog} --help"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="unrollgraph",
        description="Unroll directed graphs with delays into their covers.",
    )
    parser.add_argument("--version", action="version", version=f"unrollgraph {ug.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (_check, _measure, _unroll, _draw, _explore, _run, _demo):
        command.add_to(commands)
    return parser
