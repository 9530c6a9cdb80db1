"""``unrollgraph run``: a saved network over the steps of its inputs, from file to file."""

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
    """Declare the command and its options."""
    command = commands.add_parser(
        "run",
        help="run a saved network over a sequence",
        description="Run a network, as nn.save and nn.fit write it, over the steps of its inputs.",
    )
    command.add_argument("file", metavar="FILE", help="a saved network")
    command.add_argument(
        "--inputs",
        required=True,
        metavar="X",
        help="a .npy of shape (steps, size) or (steps, batch, size), integers without the size "
        "for an embedding; for several inputs a .npz with an array of the name of each vertex",
    )
    command.add_argument(
        "--vertex",
        action="append",
        metavar="NAME",
        help="whose values are wanted; may be repeated; unless given, those that nobody reads",
    )
    command.add_argument(
        "-o", "--output", metavar="OUT", help="a .npy for one vertex, a .npz for any number"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run a saved network, and print or write what comes out."""
    net = nn.load(options.file)
    names = {show_vertex(vertex): vertex for vertex in net.graph.vertices}
    wanted = options.vertex or _unread(net)
    for name in wanted:
        if name not in names:
            return fail(f"{options.file} has no vertex {name}; it has {', '.join(names)}")
    suffix = Path(options.output).suffix.lower() if options.output else None
    if suffix not in {None, ".npy", ".npz"} or (suffix == ".npy" and len(wanted) > 1):
        many = " holds one array; write a .npz" if suffix == ".npy" else " is no .npy or .npz"
        return fail(f"{options.output}{many} for the values of {', '.join(wanted)}")
    inputs = _arrays(options.inputs, net)
    try:
        done = net.forward({names.get(name, name): inputs[name] for name in inputs})
    except ValueError as error:  # delays that are vectors
        return fail(str(error))
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
    data = read_bytes(path)
    try:
        many = arrays_of(data) if data.startswith(b"PK") else None
        found = array_of(data, "it") if many is None else None
    except ug.FormatError as error:
        raise ug.FormatError(
            f"{path} is not a file of arrays of numbers ({error}); write it with numpy.save or "
            "numpy.savez"
        ) from None
    if many is not None:
        for name in many:
            if name not in takers:
                raise ug.FormatError(
                    f"{path} has an array called {name}, but the inputs are "
                    f"{', '.join(takers) or 'none'}"
                )
        if missing := [name for name in takers if name not in many]:
            raise ug.FormatError(
                f"{path} has no array called {missing[0]}; the inputs are {', '.join(takers)}"
            )
        return many
    if len(takers) != 1:
        raise ug.FormatError(
            f"{path} is one array, but the inputs are {', '.join(takers) or 'none'}; write a .npz "
            "with an array for each"
        )
    if found is None or not found.ndim:
        raise ug.FormatError(f"{path} holds a single number; write an array of shape (steps, size)")
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
    lines = [f"    t = {t}   {numbers(row[:8])}" for t, row in enumerate(first[:most])]
    return lines + (["    ..."] if len(first) > most or first.shape[1] > 8 else [])
