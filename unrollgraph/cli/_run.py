"""``unrollgraph run``: run a saved network over the steps of its inputs."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.cli.shared import fail, numbers
from unrollgraph.errors import show_vertex
from unrollgraph.io.files import read_bytes, write_whole
from unrollgraph.nn.saving import array_of, arrays_of, packed


def add_to(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "run",
        help="run a saved network over a sequence",
        description="Run a network saved by nn.save or nn.fit over the steps of its inputs.",
    )
    command.add_argument("file", metavar="FILE", help="a saved network")
    command.add_argument(
        "--inputs",
        required=True,
        metavar="X",
        help="a .npy file of shape (steps, size) or (steps, batch, size), for an embedding "
        "integers of shape (steps,) or (steps, batch); for several inputs a .npz file with one "
        "array for each input vertex, under its name",
    )
    command.add_argument(
        "--vertex",
        action="append",
        metavar="NAME",
        help="vertex whose values are printed or written; may be repeated; default: the vertices "
        "without out-edges, or all if every vertex has one",
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="a .npy file for one vertex, a .npz file for any number",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run a saved network, and print or write the values of some vertices."""
    net = nn.load(options.file)
    names = {show_vertex(vertex): vertex for vertex in net.delay_graph.vertices}
    wanted = options.vertex or _unread(net)
    for name in wanted:
        if name not in names:
            return fail(
                f"{options.file} has no vertex {name!r}; its vertices are {', '.join(names)}"
            )
    suffix = Path(options.output).suffix.lower() if options.output else None
    if suffix not in {None, ".npy", ".npz"} or (suffix == ".npy" and len(wanted) > 1):
        many = (
            "a .npy file holds one array" if suffix == ".npy" else "the suffix must be .npy or .npz"
        )
        return fail(f"{options.output}: {many}; write a .npz file for {', '.join(wanted)}")
    inputs = _arrays(options.inputs, net)
    try:
        done = net.forward({names.get(name, name): inputs[name] for name in inputs})
    except ValueError as error:  # vector delays
        return fail(str(error))
    found = {name: done.values[names[name]] for name in wanted}
    if options.output:
        _write_arrays(options.output, found)
    for name, values in found.items():
        several = values.ndim == 3 and values.shape[1] > 1 and not options.output
        first = "; the first sequence begins with" if several else ""
        print(f"{name}: {' x '.join(map(str, values.shape))}{first}")
        if not options.output:
            print("\n".join(_steps(values)))
    return 0


def _unread(net: nn.Network) -> list[str]:
    """Names of the vertices without out-edges, or of all if every vertex has one."""
    graph = net.delay_graph
    last = [v for v, out in zip(graph.vertices, graph.out_numbers, strict=True) if not len(out)]
    return [show_vertex(vertex) for vertex in last or graph.vertices]


def _arrays(path: str, net: nn.Network) -> dict[str, Any]:
    """Input arrays of a file, by the names of the input vertices."""
    takers = [
        show_vertex(vertex)
        for vertex, data in zip(net.delay_graph.vertices, net.delay_graph.vertex_data, strict=True)
        if isinstance(data["op"], nn.Input | nn.Embedding)
    ]
    data = read_bytes(path)
    try:
        many = arrays_of(data) if data.startswith(b"PK") else None
        found = array_of(data, "it") if many is None else None
    except ug.errors.FormatError as error:
        raise ug.errors.FormatError(
            f"{path} is not a file of arrays of numbers ({error}); write it with numpy.save or "
            "numpy.savez"
        ) from None
    if many is not None:
        for name in many:
            if name not in takers:
                raise ug.errors.FormatError(
                    f"{path} has an array {name!r} that is not named after an input vertex; rename "
                    f"or remove it; input vertices: {', '.join(takers) or 'none'}"
                )
        if missing := [name for name in takers if name not in many]:
            raise ug.errors.FormatError(
                f"{path} has no array {missing[0]!r}; write one array for each of the input "
                f"vertices: {', '.join(takers)}"
            )
        return many
    if len(takers) != 1:
        raise ug.errors.FormatError(
            f"{path} is a single array, but the network has {len(takers)} input vertices; write a "
            f".npz file with an array for each; input vertices: {', '.join(takers) or 'none'}"
        )
    if found is None or not found.ndim:
        raise ug.errors.FormatError(
            f"{path} holds a single number; write an array of shape (steps, size)"
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
    """First steps of the first sequence, one line each."""
    first = values[:, 0] if values.ndim == 3 else values
    lines = [f"    t = {t}   {numbers(row[:8])}" for t, row in enumerate(first[:most])]
    return lines + (["    ..."] if len(first) > most or first.shape[1] > 8 else [])
