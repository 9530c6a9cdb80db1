"""From a network to values, and from values to the values of their gradient.

Forward, each vertex is lowered by its operation: one value or several, the last of
which is what other vertices read through their edges.

Backward, the gradient of a value is the sum of what its readers pass back, and of what
the caller gives from outside. A reader passes back at its own copy; if it read through
an edge, what it passes is read back through that edge. So the gradient is again a list
of values above the same base, and is planned and run by the same code. This is
backpropagation through the unrolled graph: nothing in it knows of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from unrollgraph.errors import ShapeError, show_edge, show_kind, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.digraph import strong_components
from unrollgraph.nn.ops import Op, Parameter, Site
from unrollgraph.nn.primitives import TABLE
from unrollgraph.nn.program import Ref, Value, Values


@dataclass(frozen=True)
class ForwardValues:
    """A network as values.

    Attributes
    ----------
    values : tuple of Value
        All steps; value v is the output of vertex v.
    vertices : int
        Number of vertices.
    inputs : dict
        The values to be given from outside, by vertex number.
    parameters : dict
        The parameters, by name.
    """

    values: tuple[Value, ...]
    vertices: int
    inputs: dict[int, int]
    parameters: dict[str, Parameter]


@dataclass(frozen=True)
class BackwardValues:
    """The gradient of a network as values, numbered on from the forward ones.

    Attributes
    ----------
    values : tuple of Value
        Forward and backward values together.
    gradients : dict
        The gradient of each forward value that has one.
    terms : dict
        What is read back through edges into the gradient of each vertex's output.
    external : dict
        The values to be given from outside, by vertex number.
    uses : tuple of (int, int)
        Forward values that use parameters, each with its gradient.
    asked : frozenset of int
        Backward values that are read when all is computed: by gradients of parameters,
        and by those of initial values if they were asked for.
    needed : frozenset of int
        Backward values on which these depend.
    """

    values: tuple[Value, ...]
    gradients: dict[int, int]
    terms: dict[int, tuple[Ref, ...]]
    external: dict[int, int]
    uses: tuple[tuple[int, int], ...]
    asked: frozenset[int]
    needed: frozenset[int]


def in_order(graph: DelayGraph, vertex: int) -> list[int]:
    """In-edges of a vertex as its operation reads them."""
    edges = list(graph.in_numbers[vertex])
    given = [graph.edge_data[e].get("order") for e in edges]
    if all(place is None for place in given):
        return edges
    if any(place is None for place in given):
        odd = edges[given.index(None)]
        raise ShapeError(
            f"some in-edges of {show_vertex(graph.vertices[vertex])} have an order and "
            f"{show_edge(graph.edges[odd])} has none; give it to all or to none",
            vertex=graph.vertices[vertex],
        )
    return sorted(edges, key=lambda e: (graph.edge_data[e]["order"], e))


def lower(graph: DelayGraph) -> ForwardValues:
    """Lower every vertex, after checking that sizes fit along all edges.

    The output of vertex v is value v; the other steps follow.
    """
    ops = [_operation(graph, v) for v in range(len(graph.vertices))]
    reads = [in_order(graph, v) for v in range(len(ops))]
    tails = [[int(graph.tails[e]) for e in edges] for edges in reads]
    sizes = _sizes(graph, ops, tails)
    component = strong_components(len(ops), graph.tails, graph.heads)
    values = Values([Value(v, size, "copy") for v, size in enumerate(sizes)])
    parameters: dict[str, Parameter] = {}
    for v, op in enumerate(ops):
        vertex = graph.vertices[v]
        name = vertex if isinstance(vertex, str) else repr(vertex)
        for own, parameter in op.parameters([sizes[u] for u in tails[v]]).items():
            if not own.isidentifier():
                raise ShapeError(f"{own!r} is no name of a parameter of {name}", vertex=vertex)
            if f"{name}.{own}" in parameters:
                raise ShapeError(f"two vertices name a parameter {name}.{own}", vertex=vertex)
            parameters[f"{name}.{own}"] = parameter
        sources = [Ref(u, e) for u, e in zip(tails[v], reads[v], strict=True)]
        inner = [bool(component[u] == component[v]) for u in tails[v]]
        result = op.lower(Site(values, v, name, sources, inner))
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

    Every forward value gets a slot for its gradient first, since on a cycle a reader
    comes before what it reads; slots that nothing is added to are left out.
    """
    values = Values(list(forward.values))
    count = len(forward.values)
    reached = _reached(forward.values, outside)
    slots = {y: count + k for k, y in enumerate(sorted(reached))}
    for y in slots:
        values.add(forward.values[y].vertex, forward.values[y].size, "copy")
    external = {}
    terms: dict[int, list[Ref]] = {y: [] for y in slots}
    for v in sorted(outside):
        external[v] = values.add(v, forward.values[v].size, "external").value
        terms[v].append(Ref(external[v]))
    for y, slot in slots.items():
        value = forward.values[y]
        rule = TABLE[value.kind].adjoint
        assert rule is not None
        for arg, passed in zip(value.args, rule(values, y, Ref(slot)), strict=True):
            if passed is not None:
                terms[arg.value].append(replace(passed, edge=arg.edge, back=arg.edge is not None))
    for y, slot in slots.items():
        value = forward.values[y]
        values.chain("add", value.vertex, value.size, terms[y])
        values.items[slot] = values.items.pop()  # what chain appended last
    items = [
        replace(value, args=tuple(_directly(ref, values.items, count) for ref in value.args))
        for value in values.items
    ]
    uses = []
    for y, slot in slots.items():
        if forward.values[y].weights:
            ref = _directly(Ref(slot), values.items, count)
            uses.append((y, ref.value if ref == Ref(ref.value) else slot))
    through = {
        y: tuple(ref for ref in refs if ref.back)
        for y, refs in terms.items()
        if y < forward.vertices
    }
    asked = {g for _, g in uses}
    if to_state:
        asked |= {ref.value for refs in through.values() for ref in refs}
    needed = closure(items, count, asked)
    plan = tuple(items), slots, through, external, tuple(uses), frozenset(asked), needed
    return BackwardValues(*plan)


def _directly(ref: Ref, values: list[Value], first: int) -> Ref:
    """Read past gradients that are mere copies of another."""
    while ref.value >= first and values[ref.value].kind == "copy":
        (source,) = values[ref.value].args
        if source.edge is None and source.columns is None:
            ref = replace(ref, value=source.value)
        elif ref.edge is None and (ref.columns is None or source.columns is None):
            return replace(source, columns=ref.columns or source.columns)
        else:
            break
    return ref


def _reached(values: tuple[Value, ...], outside: frozenset[int]) -> set[int]:
    """Values on which the given outputs depend and that a gradient can reach."""
    reached = set(outside)
    queue = list(outside)
    for y in queue:  # grows while it is read
        value = values[y]
        for arg in value.args:
            if arg.value not in reached and values[arg.value].kind != "indices":
                reached.add(arg.value)
                queue.append(arg.value)
    return reached


def closure(
    values: Sequence[Value], first: int, roots: Iterable[int], known: frozenset[int] = frozenset()
) -> frozenset[int]:
    """Values from number ``first`` on that the roots read, directly or not, and are not known."""
    found = set(roots) - known
    queue = list(found)
    for k in queue:  # grows while it is read
        for arg in values[k].args:
            if arg.value >= first and arg.value not in found and arg.value not in known:
                found.add(arg.value)
                queue.append(arg.value)
    return frozenset(found)


def _operation(graph: DelayGraph, v: int) -> Op:
    op = graph.vertex_data[v].get("op")
    vertex = show_vertex(graph.vertices[v])
    if op is None:
        raise ShapeError(
            f"the vertex {vertex} has no operation; give it one as its attribute op",
            vertex=graph.vertices[v],
        )
    if not isinstance(op, Op):
        raise TypeError(
            f"the operation of {vertex} is {show_kind(op)}, which is no unrollgraph.nn.Op; "
            "write one as a subclass of nn.Op"
        )
    return op


def _sizes(graph: DelayGraph, ops: list[Op], tails: list[list[int]]) -> list[int]:
    """Length of the vector at each vertex, on cycles too.

    Most operations tell their size themselves or take over that of any source; a round
    over the vertices tells at least one size more, or none can be told.
    """
    sizes: list[int | None] = [None] * len(ops)
    told = True
    while told:
        told = False
        for v, op in enumerate(ops):
            if sizes[v] is None:
                sizes[v] = _at(graph, v, lambda op=op, v=v: op.hint([sizes[u] for u in tails[v]]))
                told = told or sizes[v] is not None
    known = {v: size for v, size in enumerate(sizes) if size is not None}
    for v in range(len(ops)):
        if v not in known:
            raise ShapeError(
                f"the size of {show_vertex(graph.vertices[v])} is not determined by what it "
                "reads; some vertex of its cycle must tell its size, as nn.Dense does",
                vertex=graph.vertices[v],
            )
    for v, op in enumerate(ops):
        read = [known[u] for u in tails[v]]
        size = _at(graph, v, lambda op=op, read=read: op.size_of(read))
        if size != sizes[v]:
            raise ShapeError(
                f"{show_vertex(graph.vertices[v])} has size {size}, but what reads it expects "
                f"{sizes[v]}",
                vertex=graph.vertices[v],
                expected=sizes[v],
                found=size,
            )
    return [known[v] for v in range(len(ops))]


def _at(graph: DelayGraph, v: int, ask: Any) -> Any:
    """Ask an operation, and say at which vertex it refuses."""
    try:
        return ask()
    except ShapeError:
        raise
    except ValueError as error:
        op = type(graph.vertex_data[v]["op"]).__name__
        raise ShapeError(
            f"{op} at {show_vertex(graph.vertices[v])} does not fit: {error}",
            vertex=graph.vertices[v],
        ) from error
