"""``unrollgraph check``: decide whether the infinite unrolling is acyclic."""

from __future__ import annotations

import argparse
import json
from typing import Any

import unrollgraph as ug
from unrollgraph.cli.shared import add_file, form, graph_of, offsets, plain, summary
from unrollgraph.errors import show_edge
from unrollgraph.graph.digraph import levels


def add_to(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "check",
        help="decide whether the infinite unrolling is acyclic",
        description="Decide whether the infinite unrolling of a delay graph is acyclic, and print "
        "a certificate. The exit code is 1 if it is cyclic.",
    )
    add_file(command)
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    """Print whether the unrolling is acyclic, and why; return 1 if it is cyclic."""
    graph = graph_of(options)
    try:
        proof: ug.measure.Schedule | ug.measure.ZeroWalk = ug.acyclicity_certificate(graph)
    except ug.errors.CyclicCoverError as error:
        proof = error.walk
    proof.check()
    report = _report(graph, proof)
    if options.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print("\n".join([*summary(graph), *_proof_lines(proof), *_boundary_lines(graph)]))
    return 0 if report["acyclic"] else 1


def _report(
    graph: ug.DelayGraph, proof: ug.measure.Schedule | ug.measure.ZeroWalk
) -> dict[str, Any]:
    name = [plain(vertex) for vertex in graph.vertices]
    report: dict[str, Any] = {
        "vertices": len(graph.vertices),
        "edges": len(graph.edges),
        "dimension": graph.dimension,
        "acyclic": isinstance(proof, ug.measure.Schedule),
    }
    if isinstance(proof, ug.measure.Schedule):
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
            {"walk": [[plain(part) for part in edge] for edge in walk], "times": count}
            for walk, count in proof.segments
        ]
    report["boundary"] = [
        {"edge": [plain(part) for part in edge], "delay": list(delay)}
        for edge, delay in _crossing(graph)
    ]
    return report


def _proof_lines(proof: ug.measure.Schedule | ug.measure.ZeroWalk) -> list[str]:
    if isinstance(proof, ug.measure.ZeroWalk):
        return [
            "verdict    CYCLIC: the unrolling has a directed cycle",
            f"because    the closed walk {proof} has total delay 0 ({proof.length} edges)",
        ]
    lines = [f"verdict    ACYCLIC: {_reason(proof)}"]
    if proof.is_linear:
        slope = proof.stages[0].slopes[0] if proof.graph.vertices else (1,)
        lines.append(
            f"because    {form(slope)} + offset(v) increases along every edge, with the offsets"
        )
    else:
        lines.append("because    these tuples increase lexicographically along every edge:")
    return [*lines, f"           {offsets(proof)}"]


def _reason(schedule: ug.measure.Schedule) -> str:
    """Reason why the unrolling is acyclic, in one clause."""
    graph = schedule.graph
    if levels(len(graph.vertices), graph.tails, graph.heads).min(initial=0) >= 0:
        return "there are no cycles"
    if graph.dimension > 1:
        return (
            "the total delay of every cycle is positive along one direction"
            if schedule.is_linear
            else "no directed closed walk has total delay 0"
        )
    return {
        "forward": "every cycle has a positive total delay",
        "backward": "every cycle has a negative total delay",
        "mixed": "no strong component has cycles of positive and of negative total delay",
    }[schedule.time_direction]


def _crossing(graph: ug.DelayGraph) -> list[tuple[tuple[Any, ...], tuple[int, ...]]]:
    """Edges of nonzero delay, with their delays."""
    rows = zip(graph.edges, graph.delays.tolist(), strict=True)
    return [(edge, tuple(delay)) for edge, delay in rows if any(delay)]


def _boundary_lines(graph: ug.DelayGraph, most: int = 6) -> list[str]:
    crossing = _crossing(graph)
    if not crossing:
        return ["boundary   none: every delay is 0"]
    lines = []
    if graph.dimension == 1:
        arcs = sum(abs(delay[0]) for _, delay in crossing)
        noun = "edge" if arcs == 1 else "edges"
        lines.append(f"boundary   a window of T steps cuts up to {arcs} {noun} at each end,")
        lines.append("           min(|delay|, T) over each of the base edges")
    else:
        lines.append("boundary   a window cuts edges over each of the base edges")
    shown = [
        f"{show_edge(edge)} (delay {delay[0] if len(delay) == 1 else delay})"
        for edge, delay in crossing[:most]
    ]
    rest = len(crossing) - len(shown)
    lines.append("           " + ", ".join(shown) + (f", and {rest} more" if rest else ""))
    return lines
