"""``unrollgraph demo``: unroll, check, run and train the seed network."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.cli.shared import form, numbers, offsets


def add_to(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser("demo", help="unroll, check, run and train the seed network")
    command.set_defaults(run=demo)


def demo(_: argparse.Namespace) -> int:
    """Print examples of the main functions of the package, on the seed network."""
    _demo_unrolling()
    _demo_network()
    _demo_training()
    return 0


def _demo_unrolling() -> None:
    """Unroll the seed network, and check it with and without its delay."""
    G = ug.gallery.seed_network()
    U = ug.unroll(G, 4)
    cover = ug.DelayCover(G)
    lifted = ug.lift_walk(cover, [("A", "B"), ("B", "C"), ("C", "A")], ("A", 0))
    schedule = ug.acyclicity_certificate(G)
    print(
        """The seed network has one cycle, A -> B -> C -> A, of total delay 1:

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
{U.number_of_nodes()} vertices and {U.number_of_edges()} edges. The projection (v, t) -> v is a
covering except at the boundary, where {_arc(before)} enters and {_arc(after)} leaves.

The infinite unrolling is a covering: {ug.is_covering(cover)}. It is acyclic, because
{form(schedule.stages[0].slopes[0])} + offset(v) increases along every edge, with the offsets
    {offsets(schedule)}

The cycle is closed in the base graph. Its lift is not closed: it leads from {first} to {last}.

If edge C -> A has delay 0, the unrolling is cyclic:"""
    )
    G.edges["C", "A"]["delay"] = 0
    try:
        ug.acyclicity_certificate(G)
    except ug.errors.CyclicCoverError as error:
        print(f"    {error}.")


def _demo_network() -> None:
    """Run the seed network over four steps, forward and backward."""
    net = nn.Network(nn.architectures.seed(1, 2, 1))
    steps = range(4)
    run = net.forward({"in": [[1.0], [0.5], [-0.5], [-1.0]]}, initial={"C": [0.0, 0.0]})
    print(
        """
A network: each vertex has a vector. A, B and C have two entries, and at time t,
A_t = tanh(M_A (in_t, C_t-1) + b_A). A run over four steps, with C = 0 before the first:
"""
    )
    print("         ", "".join(f"{f't = {t}':<18}" for t in steps).rstrip())
    for vertex in ("in", "A", "B", "C", "out"):
        cells = (f"{numbers(run[vertex, t]):<18}" for t in steps)
        print(f"    {vertex:<6}", "".join(cells).rstrip())
    gradients = run.backward({"out": run.values["out"]})
    copies = gradients.copies("A.weight")
    print(
        """
Backpropagation through the unrolled network, for the loss (out_0^2 + ... + out_3^2)/2, computes
a gradient for each copy of M_A. Its two rows are:
"""
    )
    for t in steps:
        print(f"    copy {t}  {_rows(copies[t])}")
    print(f"    sum     {_rows(gradients.parameters['A.weight'])}   the gradient of M_A")
    print(f"    mean    {_rows(gradients.mean()['A.weight'])}   a quarter of the sum")


def _demo_training() -> None:
    """Train the seed network on the parity of a stream of bits."""
    rng = np.random.default_rng(0)
    net = nn.Network(nn.architectures.seed(1, 16, 1))
    print(
        """
Training, by backpropagation through the unrolling over 12 steps: is the number of ones so far odd?
The loss begins near log 2 = 0.69, the loss of the constant prediction 1/2:
"""
    )

    def shown(_: nn.Network, history: nn.History) -> bool:
        loss, epoch = history.losses[-1], len(history.losses)
        done = loss < 0.001
        if epoch % 25 == 1 or done:
            print(f"    epoch {epoch:<4} loss {loss:.4f}  {'#' * round(60 * min(loss, 1.0))}")
            sys.stdout.flush()
        return done

    # a progress bar, on a terminal only
    watched = sys.stderr is not None and sys.stderr.isatty() and find_spec("tqdm") is not None
    history = nn.fit(
        net,
        nn.Sequences(*_parity(rng, 12, 128)),
        nn.Adam(0.01),
        loss="binary_cross_entropy",
        epochs=600,
        batch_size=64,
        clip=1.0,
        callback=shown,
        progress=watched,
    )
    inputs, targets = _parity(rng, 1000, 32)
    right = (net.forward(inputs).values["out"] > 0) == (targets["out"] > 0.5)
    print(
        f"""
Training took {len(history.losses)} epochs. The parameters belong to the five base vertices, so the
network runs over any number of steps. Over 1000 steps of new bits, it is correct at
{100 * right.mean():.1f} % of them."""
    )


def _parity(rng: Any, steps: int, count: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Streams of bits as 1 and -1, and whether the number of ones so far is odd."""
    bits = rng.integers(2, size=(steps, count, 1))
    return {"in": 2.0 * bits - 1}, {"out": bits.cumsum(axis=0) % 2}


def _rows(matrix: Any) -> str:
    return "  ".join(f"[{numbers(row)}]" for row in matrix)


def _copy(node: tuple[Any, Any]) -> str:
    return f"{node[0]}_{node[1]}"


def _arc(arc: tuple[Any, ...]) -> str:
    return f"{_copy(arc[0])} -> {_copy(arc[1])}"
