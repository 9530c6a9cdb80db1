"""Lowering of a network to values, and differentiation of the values.

`lower` replaces the operation of each vertex by one or more values. One of them is the output,
which other vertices read through their edges.

`lower_adjoint` writes the gradient in reverse mode. The gradient of a value is the sum of the
terms of its readers (see `primitives`) and of the gradient given by the caller. The term of a
reader that reads through an edge is read back through that edge. The gradient is therefore a list
of values over the same base graph, and the same code plans and runs it. This is backpropagation
through the unrolled graph; it does not use times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from unrollgraph.errors import ShapeError, show_kind
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import strong_components
from unrollgraph.nn.ops import Op, Parameter, Site
from unrollgraph.nn.primitives import TABLE
from unrollgraph.nn.program import Ref, Value, Values, Weight, reading, redirected


@dataclass(frozen=True)
class ForwardValues:
    """A network as values.

    Attributes
    ----------
    values : tuple of Value
        All values; value v is the output of vertex v.
    vertices : int
        Number of vertices.
    inputs : dict
        Numbers of the values given by the caller, by vertex number.
    parameters : dict
        The parameters, by name.
    """

    values: tuple[Value, ...]
    vertices: int
    inputs: dict[int, int]
    parameters: dict[str, Parameter]


@dataclass(frozen=True)
class BackwardValues:
    """The gradient of a network as values, numbered after the forward values.

    Attributes
    ----------
    values : tuple of Value
        Forward values, followed by backward values.
    gradients : dict
        Number of the gradient of each forward value that has one.
    terms : dict
        For each vertex, the values that are added to the gradient of its output and read back
        through edges.
    sums : dict
        For each vertex whose gradient has a sum of products, its number.
    external : dict
        Numbers of the gradients given by the caller, by vertex number.
    uses : tuple of (int, int)
        Forward values that use parameters, each with its gradient.
    asked : frozenset of int
        Backward values read by the gradients of parameters and, with `to_state`, by those of
        initial values.
    needed : frozenset of int
        `asked`, and the backward values on which `asked` depends.
    """

    values: tuple[Value, ...]
    gradients: dict[int, int]
    terms: dict[int, tuple[Ref, ...]]
    sums: dict[int, int]
    external: dict[int, int]
    uses: tuple[tuple[int, int], ...]
    asked: frozenset[int]
    needed: frozenset[int]


def in_order(graph: DelayGraph, vertex: int) -> list[int]:
    """In-edges of a vertex in the order of its operation's arguments."""
    edges = list(graph.in_numbers[vertex])
    given = [graph.edge_data[e].get("order") for e in edges]
    if all(place is None for place in given):
        return edges
    if any(place is None for place in given):
        odd = edges[given.index(None)]
        raise ShapeError(
            f"some in-edges of vertex {graph.vertices[vertex]!r} have the attribute 'order', but "
            f"edge {graph.edges[odd]!r} does not; set it on all of them or on none",
            vertex=graph.vertices[vertex],
        )
    return sorted(edges, key=lambda e: (graph.edge_data[e]["order"], e))


def lower(graph: DelayGraph, *, summed: bool = False) -> ForwardValues:
    """Lower every vertex, after checking the sizes along all edges.

    The output of vertex v is value v; the other values follow. With ``summed``, the products of a
    `Dense` are one value.
    """
    ops = [_operation(graph, v) for v in range(len(graph.vertices))]
    ordered = any(place is not None for place in graph.edge_values("order"))
    inward = graph.in_numbers
    reads = [in_order(graph, v) if ordered else list(inward[v]) for v in range(len(ops))]
    tail = graph.tails.tolist()
    tails = [[tail[e] for e in edges] for edges in reads]
    sizes = _sizes(graph, ops, tails)
    component = strong_components(len(ops), graph.tails, graph.heads).tolist()
    values = Values([Value(v, size, "copy") for v, size in enumerate(sizes)])
    parameters: dict[str, Parameter] = {}
    for v, op in enumerate(ops):
        vertex = graph.vertices[v]
        name = vertex if isinstance(vertex, str) else repr(vertex)
        for own, parameter in op.parameters([sizes[u] for u in tails[v]]).items():
            if not own.isidentifier():
                raise ShapeError(
                    f"invalid parameter name {own!r} at vertex {vertex!r}: names of parameters "
                    "must be Python identifiers",
                    vertex=vertex,
                )
            if f"{name}.{own}" in parameters:
                raise ShapeError(
                    f"two vertices have a parameter named {name + '.' + own!r}; rename one of "
                    "the vertices",
                    vertex=vertex,
                )
            parameters[f"{name}.{own}"] = parameter
        sources = [Ref(u, e) for u, e in zip(tails[v], reads[v], strict=True)]
        inner = [component[u] == component[v] for u in tails[v]]
        result = op.lower(Site(values, v, name, sources, inner, summed))
        if result == Ref(len(values.items) - 1):
            values.items[v] = values.items.pop()
        else:
            values.items[v] = Value(v, sizes[v], "copy", (result,))
    given = {
        value.vertex: k
        for k, value in enumerate(values.items)
        if value.kind in {"input", "indices"}
    }
    return ForwardValues(tuple(values.items), len(ops), given, parameters)


def lower_adjoint(
    forward: ForwardValues, outside: frozenset[int], *, to_state: bool = False
) -> BackwardValues:
    """Write the gradient as values, for gradients given at some vertices' outputs.

    Values on which these outputs do not depend have no gradient.
    """
    values = Values(list(forward.values))
    count = len(forward.values)
    # on a cycle, a reader can precede the value that it reads: first number all gradients
    reached = _reached(forward.values, outside)
    slots = {y: count + k for k, y in enumerate(sorted(reached))}
    for y in slots:
        values.add(forward.values[y].vertex, forward.values[y].size, "copy")
    external = {}
    terms: dict[int, list[Ref]] = {y: [] for y in slots}
    products: dict[int, list[tuple[Ref, Weight]]] = {}
    for v in sorted(outside):
        external[v] = values.add(v, forward.values[v].size, "external").value
        terms[v].append(Ref(external[v]))
    for y, slot in slots.items():
        value = forward.values[y]
        if value.kind == "products":
            for arg, weight in zip(value.args, value.weights, strict=True):
                back = Ref(slot, arg.edge, arg.edge is not None)
                products.setdefault(arg.value, []).append((back, weight._replace(transposed=True)))
            continue
        rule = TABLE[value.kind].adjoint
        assert rule is not None
        for arg, passed in zip(value.args, rule(values, y, Ref(slot)), strict=True):
            if passed is not None:
                back = Ref(passed.value, arg.edge, arg.edge is not None, passed.columns)
                terms[arg.value].append(back)
    sums = {}
    for y, slot in slots.items():
        value = forward.values[y]
        added = list(terms[y])
        if y in products:
            refs, weights = zip(*products[y], strict=True)
            total = values.add(value.vertex, value.size, "products", *refs, weights=weights)
            added.append(total)
            if y < forward.vertices:
                sums[y] = total.value
        values.chain("add", value.vertex, value.size, added)
        values.items[slot] = values.items.pop()  # the last value that chain appended
    ends = _ends(values.items, count)
    items = [
        reading(value, [_directly(ref, values.items, ends, count) for ref in value.args])
        for value in values.items
    ]
    uses = []
    for y, slot in slots.items():
        if forward.values[y].weights:
            ref = _directly(Ref(slot), values.items, ends, count)
            uses.append((y, ref.value if ref == Ref(ref.value) else slot))
    through = {
        y: tuple(ref for ref in refs if ref.back)
        for y, refs in terms.items()
        if y < forward.vertices
    }
    asked = {g for _, g in uses}
    if to_state:
        asked |= {ref.value for refs in through.values() for ref in refs}
        asked |= {ref.value for k in sums.values() for ref in items[k].args if ref.back}
    needed = closure(items, count, asked)
    plan = tuple(items), slots, through, sums, external, tuple(uses), frozenset(asked), needed
    return BackwardValues(*plan)


def _ends(values: list[Value], first: int) -> list[int]:
    """For each value, the value that it copies, if it is a backward value that copies all of it."""
    ends = list(range(len(values)))
    for k in range(first, len(values)):
        path = [k]
        while path[-1] >= first and values[path[-1]].kind == "copy":
            (source,) = values[path[-1]].args
            if source != Ref(source.value):
                break
            path.append(ends[source.value])
        for place in path:
            ends[place] = path[-1]
    return ends


def _directly(ref: Ref, values: list[Value], ends: list[int], first: int) -> Ref:
    """Follow a reference through backward values that only copy another value."""
    if ends[ref.value] != ref.value:
        ref = redirected(ref, ends[ref.value])
    if ref.value >= first and ref.edge is None and values[ref.value].kind == "copy":
        (source,) = values[ref.value].args
        if ref.columns is None or source.columns is None:
            return source._replace(columns=ref.columns or source.columns)
    return ref


def _reached(values: tuple[Value, ...], outside: frozenset[int]) -> set[int]:
    """Values on which the given outputs depend, without indices."""
    reached = set(outside)
    queue = list(outside)
    for y in queue:  # the loop appends to the queue
        value = values[y]
        for arg in value.args:
            if arg.value not in reached and values[arg.value].kind != "indices":
                reached.add(arg.value)
                queue.append(arg.value)
    return reached


def closure(
    values: Sequence[Value], first: int, roots: Iterable[int], known: frozenset[int] = frozenset()
) -> frozenset[int]:
    """Roots and the values from ``first`` on that they depend on, without known ones."""
    found = set(roots) - known
    queue = list(found)
    for k in queue:  # the loop appends to the queue
        for arg in values[k].args:
            if arg.value >= first and arg.value not in found and arg.value not in known:
                found.add(arg.value)
                queue.append(arg.value)
    return frozenset(found)


def _operation(graph: DelayGraph, v: int) -> Op:
    op = graph.vertex_data[v].get("op")
    vertex = graph.vertices[v]
    if op is None:
        raise ShapeError(
            f"vertex {vertex!r} has no operation; set its node attribute 'op'",
            vertex=graph.vertices[v],
        )
    if not isinstance(op, Op):
        raise TypeError(
            f"the operation of vertex {vertex!r} is {show_kind(op)}, not an unrollgraph.nn.Op; "
            "use an instance of an operation, such as nn.Dense(3)"
        )
    return op


def _sizes(graph: DelayGraph, ops: list[Op], tails: list[list[int]]) -> list[int]:
    """Size of each vertex; hints are propagated until no further size is found."""
    sizes: list[int | None] = [None] * len(ops)
    changed = True
    while changed:
        changed = False
        for v, op in enumerate(ops):
            if sizes[v] is None:
                sizes[v] = _at(graph, v, lambda op=op, v=v: op.hint([sizes[u] for u in tails[v]]))
                changed = changed or sizes[v] is not None
    known = {v: size for v, size in enumerate(sizes) if size is not None}
    for v in range(len(ops)):
        if v not in known:
            raise ShapeError(
                f"the size of vertex {graph.vertices[v]!r} is not determined by its in-edges; at "
                "least one vertex of its cycle needs an operation of fixed size, such as nn.Dense",
                vertex=graph.vertices[v],
            )
    for v, op in enumerate(ops):
        read = [known[u] for u in tails[v]]
        size = _at(graph, v, lambda op=op, read=read: op.size_of(read))
        if size != sizes[v]:
            raise ShapeError(
                f"vertex {graph.vertices[v]!r} has size {size}, but its readers expect size "
                f"{sizes[v]}; change the size of one of the operations",
                vertex=graph.vertices[v],
                expected=sizes[v],
                found=size,
            )
    return [known[v] for v in range(len(ops))]


def _at(graph: DelayGraph, v: int, ask: Any) -> Any:
    """Call a method of an operation; an error names the vertex."""
    try:
        return ask()
    except ShapeError:
        raise
    except ValueError as error:
        op = type(graph.vertex_data[v]["op"]).__name__
        raise ShapeError(
            f"{op} at vertex {graph.vertices[v]!r} does not fit: {error}",
            vertex=graph.vertices[v],
        ) from error
