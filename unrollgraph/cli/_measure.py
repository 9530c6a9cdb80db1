"""``unrollgraph measure``: depth, skip coefficient and clock periods, exactly."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from typing import Any

import networkx as nx

import unrollgraph as ug
from unrollgraph.cli.shared import add_file, fail, graph_of, names, plain, summary
from unrollgraph.errors import show_stops


def add_to(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "measure",
        help="compute depth, skip coefficient and clock periods, exactly",
        description="Compute the recurrent depth (operations per time step), the skip coefficient, "
        "the feed-forward depth and the clock periods of a delay graph. Every cycle must have a "
        "positive total delay.",
    )
    add_file(command)
    command.add_argument(
        "--duration",
        metavar="NAME",
        help="vertex attribute of the computation times; default: every vertex takes time 1",
    )
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command.set_defaults(run=measure)


def measure(options: argparse.Namespace) -> int:
    """Print the measures of a delay graph."""
    graph = graph_of(options)
    try:
        report = _measures(graph, options.duration)
    except ValueError as error:  # vector delays, or durations that are not numbers
        return fail(str(error))
    if options.json:
        print(json.dumps(plain(report), ensure_ascii=False))
        return 0
    depth, skip, bound = (
        report[k] for k in ("recurrent_depth", "skip_coefficient", "iteration_bound")
    )

    def shown(found: dict[str, Any]) -> str:
        return graph.show_walk(found["cycle"], 8)

    lines = [*summary(graph, 20)]
    if depth is None:
        lines.append("recurrent depth     none: the graph has no cycle")
    else:
        lines += [
            f"recurrent depth     {depth['value']:<8} {shown(depth)}",
            f"skip coefficient    {skip['value']:<8} {shown(skip)}",
        ]
    if report["feedforward_depth"] is not None:
        ends = (names(report[key]) for key in ("sources", "targets"))
        lines.append(f"feed-forward depth  {report['feedforward_depth']:<8} {' to '.join(ends)}")
    if report["clock_period"] is not None:
        lines.append(f"clock period        {report['clock_period']}")
    path = show_stops(report["critical_path"], 8)
    lines.append(f"  least, retimed    {report['least_clock_period']:<8} {path}")
    if bound is not None:
        lines.append(f"iteration bound     {bound['value']:<8} {shown(bound)}")
    print("\n".join(lines))
    return 0


def _measures(graph: ug.DelayGraph, duration: str | None) -> dict[str, Any]:
    """Compute all measures: fractions as strings, undefined ones as None."""
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
