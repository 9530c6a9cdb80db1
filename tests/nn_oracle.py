"""A network run copy by copy, in plain formulas: slow, obvious, and sharing no code.

Reads operations by the names of their classes and fields. A graph above the base is
given by ``reads``: for each copy the list of (source copy or None, edge) that its
operation reads, in order.
"""

import numpy as np


def in_edges(G, v):
    """In-edges of a vertex in the order of the graph, or of their attribute ``order``."""
    edges = [e for e in (G.edges(keys=True) if G.is_multigraph() else G.edges()) if e[1] == v]
    return sorted(edges, key=lambda e: G.edges[e].get("order", 0))


def window_reads(G, T):
    """What each copy of a window reads; the source may lie outside."""
    return {
        (v, t): [((e[0], t - G.edges[e].get("delay", 0)), e) for e in in_edges(G, v)]
        for t in range(T)
        for v in G
    }


def topological(reads):
    left = {node: sum(s in reads for s, _ in sources) for node, sources in reads.items()}
    readers = {}
    for node, sources in reads.items():
        for source, _ in sources:
            if source in reads:
                readers.setdefault(source, []).append(node)
    ready = [node for node, count in left.items() if not count]
    for node in ready:
        for reader in readers.get(node, []):
            left[reader] -= 1
            if not left[reader]:
                ready.append(reader)
    assert len(ready) == len(reads)
    return ready


def activation(name, x):
    if name == "tanh":
        return np.tanh(x)
    if name == "sigmoid":
        return 1 / (1 + np.exp(-x))
    return np.maximum(x, 0) if name == "relu" else x


def slope(name, y):
    return {"tanh": 1 - y**2, "sigmoid": y * (1 - y), "relu": (y > 0) * 1.0}.get(name, 1 + 0 * y)


class Result:
    """Values by copy, gradients of parameters by name and copy, of sources outside."""

    def __init__(self, values, copies, inputs, outside):
        self.values, self.copies, self.inputs, self.outside = values, copies, inputs, outside


def run(G, below, reads, inputs, outside, parameters, gradients):
    """Forward and backward.

    below: vertex of a copy; inputs: copy -> (batch, size); outside: source copy that is
    not in ``reads`` -> (batch, size); gradients: copy -> (batch, size).
    """
    ops = {v: G.nodes[v]["op"] for v in G}
    kind = {v: type(op).__name__ for v, op in ops.items()}
    name = {v: v if isinstance(v, str) else repr(v) for v in G}
    order = topological(reads)
    values, given = {}, {}
    for node in order:
        v = below(node)
        op, xs = ops[v], [values[s] if s in reads else outside(s) for s, _ in reads[node]]
        given[node] = xs
        if kind[v] == "Input":
            values[node] = inputs[node]
        elif kind[v] == "Embedding":
            values[node] = parameters[f"{name[v]}.weight"][inputs[node]]
        elif kind[v] == "Constant":
            batch = len(next(iter(inputs.values())))
            values[node] = np.tile(np.atleast_1d(op.value), (batch, 1)).astype(float)
        elif kind[v] == "Dense":
            x = np.hstack(xs) if op.combine == "concat" else sum(xs)
            pre = x @ parameters[f"{name[v]}.weight"].T
            if op.bias:
                pre = pre + parameters[f"{name[v]}.bias"]
            values[node] = activation(op.activation, pre)
        elif kind[v] == "Concat":
            values[node] = np.hstack(xs)
        elif kind[v] == "Add":
            values[node] = sum(xs)
        elif kind[v] == "Multiply":
            values[node] = np.prod(xs, axis=0)
        elif kind[v] == "Activation":
            values[node] = activation(op.name, xs[0])
        elif kind[v] == "Complement":
            values[node] = 1 - xs[0]
        elif kind[v] == "Square":  # the tests' own operation
            values[node] = parameters[f"{name[v]}.scale"] * xs[0] ** 2
    pending = {node: np.zeros_like(values[node]) for node in order}
    for node, g in gradients.items():
        pending[node] = pending[node] + g
    copies = {p: {} for p in parameters}
    beyond = {}
    for node in reversed(order):
        v, g, xs = below(node), pending[node], given[node]
        op, y = ops[v], values[node]
        back = []
        if kind[v] == "Dense":
            weight = f"{name[v]}.weight"
            x = np.hstack(xs) if op.combine == "concat" else sum(xs)
            d = g * slope(op.activation, y)
            copies[weight][node] = d.T @ x
            if op.bias:
                copies[f"{name[v]}.bias"][node] = d.sum(axis=0)
            dx = d @ parameters[weight]
            cuts = np.cumsum([a.shape[1] for a in xs])[:-1]
            back = np.split(dx, cuts, axis=1) if op.combine == "concat" else [dx] * len(xs)
        elif kind[v] == "Embedding":
            table = np.zeros_like(parameters[f"{name[v]}.weight"])
            for row, index in zip(g, inputs[node], strict=True):
                table[index] += row
            copies[f"{name[v]}.weight"][node] = table
        elif kind[v] == "Concat":
            back = np.split(g, np.cumsum([a.shape[1] for a in xs])[:-1], axis=1)
        elif kind[v] == "Add":
            back = [g] * len(xs)
        elif kind[v] == "Multiply":
            back = [
                g * np.prod([b for j, b in enumerate(xs) if j != i] or [np.ones_like(g)], axis=0)
                for i in range(len(xs))
            ]
        elif kind[v] == "Activation":
            back = [g * slope(op.name, y)]
        elif kind[v] == "Complement":
            back = [-g]
        elif kind[v] == "Square":
            scale = parameters[f"{name[v]}.scale"]
            copies[f"{name[v]}.scale"][node] = (g * xs[0] ** 2).sum(axis=0)
            back = [2 * scale * xs[0] * g]
        for (source, edge), part in zip(reads[node], back, strict=False):
            if source in reads:
                pending[source] = pending[source] + part
            else:
                beyond.setdefault((source, edge[0]), []).append(part)
    found = {n: pending[n] for n in order if kind[below(n)] == "Input"}
    return Result(values, copies, found, {k: sum(v) for k, v in beyond.items()})
