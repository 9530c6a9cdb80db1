"""A small network run through a window, step by step, as plain data.

The window is run one wavefront after the other, forward and then backward, for the loss

    L = (sum of the squares of all entries of all outputs) / 2,

so that the gradient by an output is its value. What is told of a vector is its only entry, or its
length if there are several. Gradients of the copies of a weight are gathered in the order in which
the backward run reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from unrollgraph.draw.panels import Data
from unrollgraph.errors import CyclicCoverError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.nn import Dense, Embedding, Input, Network, Op


def network_over(graph: DelayGraph) -> Network | None:
    """The network of a graph whose vertices all carry operations; else one of single units.

    Then each vertex is a number, the hyperbolic tangent of a weighted sum of what it reads, and
    those that read nothing are inputs. None if no order computes it, or nothing is an input.
    """
    G = graph.to_networkx()
    if not all(isinstance(G.nodes[v].get("op"), Op) for v in G):
        for v in G:
            G.nodes[v]["op"] = Dense(1) if G.in_degree(v) else Input(1)
    if all(G.in_degree(v) for v in G):
        return None
    ready = DelayGraph(G, graph.delay_name)
    # of ten draws one in which no weight is so small that nothing is seen to flow
    return max((Network(ready, seed=seed) for seed in range(10)), key=_least)


def _least(net: Network) -> float:
    return min((float(np.abs(w).min()) for w in net.parameters.values() if w.any()), default=0.0)


def session(net: Network, U: Any, number: Mapping[Any, int]) -> Data | None:
    """Run a network over a window; None if the window has a cycle."""
    try:
        fronts = [[*front] for front in nx.topological_generations(U)]
        run = net.forward(_inputs(net, U), over=U)
    except (nx.NetworkXUnfeasible, CyclicCoverError):
        return None
    outputs = [v for v in net.graph.vertices if not net.graph.out_numbers[net.graph.number[v]]]
    outputs = outputs or list(net.graph.vertices)
    gradients = run.backward({v: run.values[v] for v in outputs})
    place = {node: k for v in net.graph.vertices for k, node in enumerate(U.fibre(v))}
    values = {v: np.asarray(run.values[v]) for v in net.graph.vertices}
    slopes = {v: gradients.of(v) for v in net.graph.vertices}
    return {
        "fronts": [[number[node] for node in front] for front in fronts],
        "values": {number[n]: _told(values[n[0]][k]) for n, k in place.items()},
        "gradients": {number[n]: _told(slopes[n[0]][k]) for n, k in place.items()},
        "outputs": [net.graph.number[v] for v in outputs],
        "weights": [_gathered(name, net, gradients, U, fronts, number) for name in net.parameters],
    }


def _gathered(
    name: str, net: Network, gradients: Any, U: Any, fronts: Any, number: Mapping[Any, int]
) -> Data:
    """A weight, the gradient of each of its copies, and their sum as it grows."""
    fibre = U.fibre(gradients.vertices[name])
    copies = dict(zip(fibre, gradients.copies(name), strict=True))
    total = np.zeros_like(net.parameters[name])
    sums = []
    for front in reversed(fronts):
        for node in front:
            total = total + copies.get(node, 0.0)
        sums.append(_told(total))
    return {
        "name": name,
        "value": _told(net.parameters[name]),
        "copies": [{"vertex": number[node], "gradient": _told(g)} for node, g in copies.items()],
        "sums": sums,
    }


def _inputs(net: Network, U: Any) -> dict[Any, Any]:
    """Something to see: a few digits, the same every time."""
    rng = np.random.default_rng(3)
    found: dict[Any, Any] = {}
    for v, data in net.graph.base.nodes(data=True):
        op, count = data["op"], len(U.fibre(v))
        if isinstance(op, Input):
            found[v] = rng.integers(-9, 10, (count, op.size)) / 10
        elif isinstance(op, Embedding):
            found[v] = rng.integers(0, op.vocabulary, count)
    return found


def _told(array: Any) -> str:
    """A number, or between bars the length of a vector, in a few digits."""
    flat = np.ravel(array)
    number = float(flat[0]) if flat.size == 1 else float(np.linalg.norm(flat))
    text = f"{abs(number):.2g}"
    if flat.size > 1:
        return f"|{text}|"
    return "\N{MINUS SIGN}" + text if number < 0 else text
