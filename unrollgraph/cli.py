"""The command line: ``unrollgraph check``, ``measure``, ``unroll``, ``draw``, ``run``, ``demo``.

Exit codes: 0 when all is well, 1 when the question was answered with no (the
unrolling is cyclic), 2 on bad input, which is told in one line on standard error.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import signal
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import networkx as nx
import numpy as np

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.errors import show_edge, show_stops, show_vertex, show_walk
from unrollgraph.files import write_whole
from unrollgraph.graph.order import levels
from unrollgraph.nn.archive import packed

__all__ = ["main"]

_KINDS = ("side-by-side", "rolled", "unrolled", "helix", "ring", "wavefronts", "unrolling")
LARGEST_FILE = 1_000_000
_WINDOW = re.compile(r"(-?[0-9]{1,999}):(-?[0-9]{1,999})|([0-9]{1,999})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    if sys.stdout is None:  # where a shell has closed it
        sys.stdout = io.StringIO()
    parser = _parser()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names that the terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, head for instance, has seen enough
        _forget_output()
        return 128 + signal.SIGPIPE
    except ug.UnrollgraphError as error:
        return _fail(str(error))
    except OSError as error:
        if error.filename is None:  # of the standard output, a full disk for instance
            _forget_output()
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError:
        return _fail("not enough memory for a graph or a window of this size")
    return code


def _forget_output() -> None:
    """Send what waits to be printed nowhere, so that Python does not try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> int:
    text = " ".join(message.split())
    if len(text) > 1000:  # it quotes something from a file that nobody wants to read
        text = f"{text[:600]} ... {text[-300:]}"
    if sys.stderr:
        with suppress(OSError):  # the status says it all the same
            print("unrollgraph:", text, file=sys.stderr, flush=True)
    return 2


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise SystemExit(_fail(f"{message}; {self.prog} --help tells more"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="unrollgraph",
        description="Unroll directed graphs with cycles into their acyclic covers.",
    )
    parser.add_argument("--version", action="version", version=f"unrollgraph {ug.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    formats = (
        "a delay graph: node-link .json, .gml, .graphml, or .csv/.tsv with the columns "
        "source,target,delay"
    )

    check = commands.add_parser(
        "check",
        help="is the infinite unrolling acyclic? with proof",
        description="Decide whether the infinite unrolling of a delay graph is acyclic, and "
        "prove it. Exits 1 if it is cyclic.",
    )
    check.add_argument("file", metavar="FILE", help=formats)
    check.add_argument("--json", action="store_true", help="print the answer for machines")
    check.set_defaults(run=_check)

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
    measure.set_defaults(run=_measure)

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
    unroll.set_defaults(run=_unroll)

    draw = commands.add_parser(
        "draw",
        help="a picture of the network, its unrolling, or both",
        description="Draw a delay graph and what lies above it.",
    )
    draw.add_argument("file", metavar="FILE", help=formats)
    draw.add_argument(
        "--kind",
        default="side-by-side",
        choices=_KINDS,
        metavar="KIND",
        help=f"one of {', '.join(_KINDS)}; a ring has a copy for each time of the window, and an "
        "unrolling is a .gif in which the cycles open",
    )
    draw.add_argument(
        "--window", default="0:4", metavar="A:B", help="as for unroll; 0:4 unless given"
    )
    draw.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="a .svg, .pdf, .png or .tex file; a .gif for an unrolling",
    )
    draw.set_defaults(run=_draw)

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
    run.set_defaults(run=_run)

    demo = commands.add_parser("demo", help="the seed network, unrolled, checked and trained")
    demo.set_defaults(run=_demo)
    return parser


# -- check -------------------------------------------------------------------------


def _check(options: argparse.Namespace) -> int:
    graph = ug.DelayGraph(ug.io.read(options.file))
    try:
        proof: ug.Schedule | ug.ZeroWalk = ug.verdict(graph)
    except ug.CyclicCoverError as error:
        proof = error.walk
    proof.check()
    report = _report(graph, proof)
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print("\n".join([*_summary(graph), *_proof_lines(proof), *_boundary_lines(graph)]))
    return 0 if report["acyclic"] else 1


def _report(graph: ug.DelayGraph, proof: ug.Schedule | ug.ZeroWalk) -> dict[str, Any]:
    name = [_plain(vertex) for vertex in graph.vertices]
    report: dict[str, Any] = {
        "vertices": len(graph.vertices),
        "edges": len(graph.edges),
        "dimension": graph.dimension,
        "acyclic": isinstance(proof, ug.Schedule),
    }
    if isinstance(proof, ug.Schedule):
        if graph.dimension == 1:
            report["time_direction"] = proof.time_direction
        report["linear"] = proof.is_linear
        report["schedule"] = [
            [
                {"vertex": v, "slope": list(slope), "offset": offset}
                for v, slope, offset in zip(name, stage.slopes, stage.offsets, strict=True)
            ]
            for stage in proof.stages
        ]
    else:
        report["zero_walk"] = [
            {"walk": [[_plain(part) for part in edge] for edge in walk], "times": count}
            for walk, count in proof.segments
        ]
    report["boundary"] = [
        {"edge": [_plain(part) for part in edge], "delay": list(delay)}
        for edge, delay in _crossing(graph)
    ]
    return report


def _count(things: Sequence[Any], one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"


def _plain(value: Any) -> Any:
    """Vertices, keys and what holds them, as JSON does: tuples become lists."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value


def _summary(graph: ug.DelayGraph, column: int = 11) -> list[str]:
    power = "" if graph.dimension == 1 else f"^{graph.dimension}"
    return [
        f"{'graph':<{column}}{_count(graph.vertices, 'vertex', 'vertices')}, "
        f"{_count(graph.edges, 'edge', 'edges')}, delays in Z{power}"
    ]


def _proof_lines(proof: ug.Schedule | ug.ZeroWalk) -> list[str]:
    if isinstance(proof, ug.ZeroWalk):
        return [
            "verdict    CYCLIC: the unrolling has a directed cycle",
            f"because    the closed walk {proof} has total delay 0 ({proof.length} edges)",
        ]
    lines = [f"verdict    ACYCLIC: {_reason(proof)}"]
    if proof.is_linear:
        slope = proof.stages[0].slopes[0] if proof.graph.vertices else (1,)
        lines.append(
            f"because    {_form(slope)} + offset(v) increases along every arc, with the offsets"
        )
    else:
        lines.append("because    these tuples increase along every arc, in lexicographic order:")
    return [*lines, f"           {_offsets(proof)}"]


def _reason(schedule: ug.Schedule) -> str:
    """What the cycles of an acyclic unrolling do, in a few words."""
    graph = schedule.graph
    if levels(len(graph.vertices), graph.tails, graph.heads).min(initial=0) >= 0:
        return "there are no cycles"
    if graph.dimension > 1:
        return (
            "every cycle goes forward along one direction"
            if schedule.is_linear
            else "cycles go against one another, but never cancel"
        )
    return {
        "forward": "every cycle takes time forward",
        "backward": "every cycle takes time backward",
        "mixed": "cycles go both ways in time, but never meet",
    }[schedule.time_direction]


def _form(slope: tuple[int, ...], offset: int = 0) -> str:
    """An affine form of time, such as ``2*t1 - t2 + 3``."""
    names = ["t"] if len(slope) == 1 else [f"t{axis}" for axis in range(1, len(slope) + 1)]
    text = ""
    for x, name in zip((*slope, offset), (*names, ""), strict=True):
        if x:
            factors = [str(abs(x))] if abs(x) > 1 or not name else []
            sign = (" - " if x < 0 else " + ") if text else ("-" if x < 0 else "")
            text += sign + "*".join(factors + [name] * bool(name))
    return text or "0"


def _offsets(proof: ug.Schedule, most: int = 8) -> str:
    """What the proof gives to each vertex: an offset, or its forms."""
    shown = []
    for k, vertex in enumerate(proof.graph.vertices[:most]):
        if proof.is_linear:
            value = str(proof.stages[0].offsets[k])
        else:
            value = f"({', '.join(_form(s.slopes[k], s.offsets[k]) for s in proof.stages)})"
        shown.append(f"{show_vertex(vertex)}: {value}")
    rest = len(proof.graph.vertices) - len(shown)
    return ", ".join(shown) + (f", and {rest} more (--json lists them)" if rest else "")


def _crossing(graph: ug.DelayGraph) -> list[tuple[tuple[Any, ...], tuple[int, ...]]]:
    """Edges that cross the boundary of a window, with their delays."""
    rows = zip(graph.edges, graph.delays.tolist(), strict=True)
    return [(edge, tuple(delay)) for edge, delay in rows if any(delay)]


def _boundary_lines(graph: ug.DelayGraph, most: int = 6) -> list[str]:
    crossing = _crossing(graph)
    if not crossing:
        return ["boundary   none: no edge leaves its own time"]
    lines = []
    if graph.dimension == 1:
        arcs = sum(abs(delay[0]) for _, delay in crossing)
        lines.append(f"boundary   a window of T steps cuts up to {arcs} arcs at either end,")
        lines.append("           min(|delay|, T) of each of the edges")
    else:
        lines.append("boundary   a window cuts arcs of each of the edges")
    shown = [
        f"{show_edge(edge)} by {delay[0] if len(delay) == 1 else delay}"
        for edge, delay in crossing[:most]
    ]
    rest = len(crossing) - len(shown)
    lines.append("           " + ", ".join(shown) + (f", and {rest} more" if rest else ""))
    return lines


# -- measure -----------------------------------------------------------------------


def _measure(options: argparse.Namespace) -> int:
    graph = ug.DelayGraph(ug.io.read(options.file))
    try:
        report = _measures(graph, options.duration)
    except ValueError as error:  # delays that are vectors, or durations that are no numbers
        return _fail(str(error))
    if options.json:
        print(json.dumps(_plain(report), ensure_ascii=False))
        return 0
    depth, skip, bound = (
        report[k] for k in ("recurrent_depth", "skip_coefficient", "iteration_bound")
    )
    lines = [*_summary(graph, 20)]
    if depth is None:
        lines.append("recurrent depth     none: the graph has no cycle")
    else:
        lines += [
            f"recurrent depth     {depth['value']:<8} {show_walk(depth['cycle'], 8)}",
            f"skip coefficient    {skip['value']:<8} {show_walk(skip['cycle'], 8)}",
        ]
    if report["feedforward_depth"] is not None:
        ends = (_names(report[key]) for key in ("sources", "targets"))
        lines.append(f"feed-forward depth  {report['feedforward_depth']:<8} {' to '.join(ends)}")
    if report["clock_period"] is not None:
        lines.append(f"clock period        {report['clock_period']}")
    path = show_stops(report["critical_path"], 8)
    lines.append(f"  least, retimed    {report['least_clock_period']:<8} {path}")
    if bound is not None:
        lines.append(f"iteration bound     {bound['value']:<8} {show_walk(bound['cycle'], 8)}")
    print("\n".join(lines))
    return 0


def _measures(graph: ug.DelayGraph, duration: str | None) -> dict[str, Any]:
    """Everything that there is to measure; fractions as text, None where there is none."""
    retiming = ug.min_period_retiming(graph, duration)
    negative = graph.delays.min(initial=0) < 0
    ends = [
        [v for v, near in zip(graph.vertices, numbers, strict=True) if not near]
        for numbers in (graph.in_numbers, graph.out_numbers)
    ]
    report: dict[str, Any] = {
        "vertices": len(graph.vertices),
        "edges": len(graph.edges),
        "recurrent_depth": None,
        "skip_coefficient": None,
        "feedforward_depth": None,
        "sources": ends[0],
        "targets": ends[1],
        "clock_period": None if negative else str(ug.clock_period(graph, duration)),
        "least_clock_period": str(retiming.period),
        "critical_path": retiming.critical_path,
        "shifts": [{"vertex": v, "shift": r} for v, r in retiming.shifts.items()],
        "iteration_bound": None,
    }
    with suppress(nx.NetworkXNoCycle):
        greatest, least = ug.max_cycle_ratio(graph), ug.min_cycle_ratio(graph)
        bound = ug.iteration_bound(graph, duration)
        report["recurrent_depth"] = {"value": str(greatest.ratio), "cycle": greatest.cycle}
        report["skip_coefficient"] = {"value": str(1 / least.ratio), "cycle": least.cycle}
        report["iteration_bound"] = {"value": str(bound.ratio), "cycle": bound.cycle}
        with suppress(nx.NetworkXNoPath):
            report["feedforward_depth"] = str(ug.feedforward_depth(graph, *ends))
    return report


def _names(vertices: Sequence[Any], most: int = 4) -> str:
    rest = len(vertices) - most
    shown = ", ".join(map(show_vertex, vertices[:most]))
    return shown + (f" and {rest} more" if rest > 0 else "")


# -- unroll ------------------------------------------------------------------------


def _unroll(options: argparse.Namespace) -> int:
    U = ug.unroll(ug.io.read(options.file), _window(options.window))
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


def _window(text: str) -> Any:
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


# -- draw --------------------------------------------------------------------------


def _draw(options: argparse.Namespace) -> int:
    moves = Path(options.output).suffix.lower() == ".gif"
    if moves != (options.kind == "unrolling"):
        return _fail(
            f"{options.output}: a picture that moves is a .gif of the kind unrolling, and nothing "
            "else is; write another suffix, or another --kind"
        )
    G, window = ug.io.read(options.file), _window(options.window)
    try:
        if moves:
            _save_moving(ug.draw.animate_unrolling(G, _length(window)), options.output)
        else:
            ug.draw.save(_picture(options.kind, G, window), options.output)
    except ug.UnrollgraphError:
        raise
    except ValueError as error:  # too large to be drawn, or times in too many dimensions
        return _fail(str(error))
    print(f"{options.output}: {options.kind}, {Path(options.output).stat().st_size} bytes")
    return 0


def _picture(kind: str, G: Any, window: Any) -> Any:
    """Draw a still picture of some kind."""
    if kind == "rolled":
        return ug.draw.rolled(G)
    if kind == "unrolled":
        return ug.draw.unrolled(ug.unroll(G, window), ghosts=True)
    if kind == "wavefronts":
        return ug.draw.wavefronts(ug.unroll(G, window))
    if kind == "ring":
        return ug.draw.ring(ug.cyclic_cover(G, _length(window)))
    if kind == "helix":
        return ug.draw.helix(G, window)
    return ug.draw.side_by_side(G, window)


def _length(window: Any) -> int:
    if not isinstance(window, range):
        raise ug.WindowError(
            "a ring and an unrolling have one axis; give one window", window=window
        )
    return len(window)


def _save_moving(animation: Any, output: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.gif"
        animation.save(path, writer="pillow", dpi=60)
        write_whole(output, path.read_bytes())


# -- run -----------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    net = nn.load(options.file)
    names = {show_vertex(vertex): vertex for vertex in net.graph.vertices}
    wanted = options.vertex or _unread(net)
    for name in wanted:
        if name not in names:
            return _fail(f"{options.file} has no vertex {name}; it has {', '.join(names)}")
    suffix = Path(options.output).suffix.lower() if options.output else None
    if suffix not in {None, ".npy", ".npz"} or (suffix == ".npy" and len(wanted) > 1):
        many = " holds one array; write a .npz" if suffix == ".npy" else " is no .npy or .npz"
        return _fail(f"{options.output}{many} for the values of {', '.join(wanted)}")
    inputs = _arrays(options.inputs, net)
    try:
        done = net.forward({names.get(name, name): inputs[name] for name in inputs})
    except ValueError as error:  # delays that are vectors
        return _fail(str(error))
    found = {name: done.values[names[name]] for name in wanted}
    if options.output:
        _write_arrays(options.output, found)
    for name, values in found.items():
        several = values.ndim == 3 and values.shape[1] > 1 and not options.output
        first = ", of which the first sequence begins" if several else ""
        print(f"{name}: {' x '.join(map(str, values.shape))}{first}")
        if not options.output:
            print("\n".join(_steps(values)))
    return 0


def _unread(net: nn.Network) -> list[str]:
    """Names of the vertices that nobody reads, or of all if there are none."""
    graph = net.graph
    last = [v for v, out in zip(graph.vertices, graph.out_numbers, strict=True) if not len(out)]
    return [show_vertex(vertex) for vertex in last or graph.vertices]


def _arrays(path: str, net: nn.Network) -> dict[str, Any]:
    """Arrays of a file by the names of the vertices that take them."""
    takers = [
        show_vertex(vertex)
        for vertex, data in zip(net.graph.vertices, net.graph.vertex_data, strict=True)
        if isinstance(data["op"], nn.Input | nn.Embedding)
    ]
    try:
        found = np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False)
        many = {name: found[name] for name in found} if hasattr(found, "files") else None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        if isinstance(error, OSError) and error.filename:
            raise
        raise ug.FormatError(
            f"{path} holds no arrays of numbers; write it with numpy.save or numpy.savez"
        ) from None
    if many is not None:
        for name in many:
            if name not in takers:
                raise ug.FormatError(
                    f"{path} has an array called {name}, but the inputs are "
                    f"{', '.join(takers) or 'none'}"
                )
        return many
    if len(takers) != 1:
        raise ug.FormatError(
            f"{path} is one array, but the inputs are {', '.join(takers) or 'none'}; write a .npz "
            "with an array for each"
        )
    return {takers[0]: found}


def _write_arrays(path: str, arrays: dict[str, Any]) -> None:
    page = io.BytesIO()
    if Path(path).suffix.lower() == ".npy":
        (array,) = arrays.values()
        np.save(page, array, allow_pickle=False)
    else:
        page.write(packed(arrays))
    write_whole(path, page.getvalue())


def _steps(values: Any, most: int = 8) -> list[str]:
    """The first steps of some values, of the first sequence."""
    first = values[:, 0] if values.ndim == 3 else values
    lines = [f"    t = {t}   {_numbers(row[:8])}" for t, row in enumerate(first[:most])]
    return lines + (["    ..."] if len(first) > most or first.shape[1] > 8 else [])


# -- demo --------------------------------------------------------------------------


def _demo(_: argparse.Namespace) -> int:
    _demo_unrolling()
    _demo_network()
    _demo_training()
    return 0


def _demo_unrolling() -> None:
    """Unroll the seed network, check it, and show what the delay is for."""
    G = ug.gallery.seed_network()
    U = ug.unroll(G, 4)
    cover = ug.DelayCover(G)
    lifted = ug.lift_walk(cover, [("A", "B"), ("B", "C"), ("C", "A")], ("A", 0))
    schedule = ug.verdict(G)
    print(
        """The seed network has a cycle, A -> B -> C -> A, of total delay 1:

    in -> A -> B -> C -> out
          ^---------+  delay 1

Unrolled over four steps:
"""
    )
    for t in U.window:
        print("   ", ",  ".join(_arc(arc) for arc in U.edges if arc[0][1] == t))
    first, last = _copy(lifted[0][0]), _copy(lifted[-1][1])
    (before,), (after,) = U.boundary_in(), U.boundary_out()
    print(
        f"""
{U.number_of_nodes()} vertices and {U.number_of_edges()} arcs. The projection (v, t) -> v is a
covering but for the boundary: {_arc(before)} enters and {_arc(after)} leaves.

For ever in both directions it is a covering: {ug.is_covering(cover)}. And it is acyclic, since
{_form(schedule.stages[0].slopes[0])} + offset(v) increases along every arc, with the offsets
    {_offsets(schedule)}

The cycle is closed below and open above: it leads from {first} to {last}.

With delay 0 on C -> A it would be closed above too:"""
    )
    G.edges["C", "A"]["delay"] = 0
    try:
        ug.verdict(G)
    except ug.CyclicCoverError as error:
        print(f"    {error}.")


def _demo_network() -> None:
    """Run the seed network over four steps, and back."""
    net = nn.Network(nn.architectures.seed(1, 2, 1))
    steps = range(4)
    run = net.forward({"in": [[1.0], [0.5], [-0.5], [-1.0]]}, initial={"C": [0.0, 0.0]})
    print(
        """
Now each vertex is a vector: A, B and C of two entries, A = tanh(M_A (in, C of the step
before) + b), and so on. Run over four steps, with C zero before the first:
"""
    )
    print("         ", "".join(f"{f't = {t}':<18}" for t in steps).rstrip())
    for vertex in ("in", "A", "B", "C", "out"):
        cells = (f"{_numbers(run[vertex, t]):<18}" for t in steps)
        print(f"    {vertex:<6}", "".join(cells).rstrip())
    gradients = run.backward({"out": run.values["out"]})
    copies = gradients.copies("A.weight")
    print(
        """
Backward through the unrolled network, for the loss (out_0^2 + ... + out_3^2)/2, each copy
of M_A gets a gradient of its own, here its two rows:
"""
    )
    for t in steps:
        print(f"    copy {t}  {_rows(copies[t])}")
    print(f"    sum     {_rows(gradients.parameters['A.weight'])}   the exact gradient")
    print(f"    mean    {_rows(gradients.mean()['A.weight'])}   the same direction")


def _demo_training() -> None:
    """Teach the seed network the parity of a stream of bits."""
    rng = np.random.default_rng(0)
    net = nn.Network(nn.architectures.seed(1, 8, 1))
    print(
        """
Now trained, by backpropagation through its unrolling over 12 steps: is the number of ones so
far odd? The loss begins near log 2 = 0.69, that of one who knows nothing:
"""
    )

    def shown(_: nn.Network, history: nn.History) -> bool:
        loss, epoch = history.losses[-1], len(history.losses)
        done = loss < 0.002
        if epoch % 25 == 1 or done:
            print(f"    epoch {epoch:<4} loss {loss:.4f}  {'#' * round(60 * min(loss, 1.0))}")
            sys.stdout.flush()
        return done

    # a bar beside the losses, for those who look on
    watched = sys.stderr is not None and sys.stderr.isatty() and find_spec("tqdm") is not None
    history = nn.fit(
        net,
        nn.Sequences(*_parity(rng, 12, 128)),
        nn.Adam(0.01),
        loss="binary_cross_entropy",
        epochs=600,
        batch=64,
        clip=1.0,
        callback=shown,
        progress=watched,
    )
    inputs, targets = _parity(rng, 1000, 32)
    right = (net.forward(inputs).values["out"] > 0) == (targets["out"] > 0.5)
    print(
        f"""
After {len(history.losses)} epochs: the weights are those of the five vertices below, so the network
can be unrolled as far as one likes. Over 1000 steps, of bits it never saw, it is right at
{100 * right.mean():.1f} % of them."""
    )


def _parity(rng: Any, steps: int, count: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Streams of bits as 1 and -1, and whether the number of ones so far is odd."""
    bits = rng.integers(2, size=(steps, count, 1))
    return {"in": 2.0 * bits - 1}, {"out": bits.cumsum(axis=0) % 2}


def _numbers(values: Any) -> str:
    return " ".join(f"{float(value):7.4f}" for value in values)


def _rows(matrix: Any) -> str:
    return "  ".join(f"[{_numbers(row)}]" for row in matrix)


def _copy(node: tuple[Any, Any]) -> str:
    return f"{node[0]}_{node[1]}"


def _arc(arc: tuple[Any, ...]) -> str:
    return f"{_copy(arc[0])} -> {_copy(arc[1])}"


if __name__ == "__main__":
    sys.exit(main())
