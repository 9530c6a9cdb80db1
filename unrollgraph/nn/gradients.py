"""Gradients of a run: of parameters, of their copies, and of values.

A parameter is shared by all copies of its vertex: it enters the unrolled network through the
diagonal map ``w -> (w, ..., w)``. The transpose of this map is the sum, so the exact gradient of
the parameter is the sum of the gradients of its copies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import ShapeError
from unrollgraph.graph.delay_graph import DelayGraph, known
from unrollgraph.nn.buffers import Lease
from unrollgraph.nn.execution_order import Copies, Schedule
from unrollgraph.nn.executors.weight_gradients import SUMMED
from unrollgraph.nn.lowering import BackwardValues, ForwardValues, closure
from unrollgraph.nn.primitives import read_only
from unrollgraph.nn.program import Ref, Term, Value, Weight

Array = NDArray[Any]


class Gradients:
    """Gradients of a loss, as `Run.backward` returns them.

    Attributes
    ----------
    parameters : dict
        Exact gradient of each parameter: the sum over the copies of its vertex and over the batch.
    """

    parameters: dict[str, Array]

    def __init__(
        self,
        graph: DelayGraph,
        forward: ForwardValues,
        backward: BackwardValues,
        lease: Lease[Any],
        copies: Copies | None,
        *,
        batched: bool,
    ) -> None:
        self._copies = copies
        self._graph, self._forward, self._backward = graph, forward, backward
        self._lease, self._batched = lease, batched
        self._binding, self._weights = lease.binding, lease.weights
        self._computed = backward.needed - lease.binding.lost()
        flat = lease.binding.sums.flat
        self.parameters = lease.weights.packing.views(flat)
        for y, g in backward.uses:
            if forward.values[y].kind not in SUMMED:
                for name, gradient in self._summed(y, g):
                    self.parameters[name] += gradient

    @property
    def graph(self) -> DelayGraph:
        """Delay graph of the network."""
        return self._graph

    @property
    def steps(self) -> int | None:
        """Number of steps of the window; None if the run was over another graph."""
        return self._binding.steps if self._copies is None else None

    @property
    def vertices(self) -> dict[str, Any]:
        """Vertex of each parameter."""
        return {
            weight.name: self._graph.vertices[value.vertex]
            for value in self._forward.values
            for weight in value.weights
        }

    def fibre(self, name: str) -> tuple[Any, ...]:
        """Return the copies of the vertex of a parameter, in the order of `copies`."""
        vertex = self.vertices[name]
        if self._copies is None:
            return tuple((vertex, t) for t in range(self._binding.steps))
        return self._copies.fibres[self._graph.number[vertex]]

    # -- parameters --------------------------------------------------------------

    def _parts(self, y: int, g: int) -> tuple[Value, list[Array], Array]:
        """Return a value that uses parameters, the arrays that it reads, and its gradient."""
        value = self._forward.values[y]
        reads = () if value.kind == "bias" else value.args
        return value, [self._binding.read(ref) for ref in reads], self._binding.read(Ref(g))

    def _summed(self, y: int, g: int) -> list[tuple[str, Array]]:
        value, sources, gradient = self._parts(y, g)
        *inputs, dy = [a.reshape(-1, a.shape[-1]) for a in (*sources, gradient)]
        if value.kind == "embedding":
            (weight,) = value.weights
            table = np.zeros_like(self.parameters[weight.name])
            np.add.at(table, inputs[0][:, 0], dy)
            return [(weight.name, table)]
        done = self._binding.read(Ref(y)).reshape(dy.shape)
        return self._opaque(value, inputs, done, dy)

    def _opaque(
        self, value: Value, inputs: list[Array], done: Array, dy: Array
    ) -> list[tuple[str, Array]]:
        own = {w.name.rpartition(".")[2]: self._weights.parameters[w.name] for w in value.weights}
        *arrays, dy, done = map(read_only, (*inputs, dy, done))
        own = {name: read_only(array) for name, array in own.items()}
        _, found = value.extra.adjoint(dy, done, arrays, own)
        for name, parameter in own.items():
            shape = np.shape(found[name]) if name in found else None
            if shape != parameter.shape:
                raise ShapeError(
                    f"{type(value.extra).__name__}.adjoint must return a gradient of shape "
                    f"{parameter.shape} for the parameter {name!r}, but returned "
                    f"{'no gradient' if shape is None else f'one of shape {shape}'}",
                    expected=parameter.shape,
                    found=shape,
                )
        return [(w.name, found[w.name.rpartition(".")[2]]) for w in value.weights]

    def copies(self, name: str) -> Array:
        """Return the gradient of each copy of a parameter.

        Parameters
        ----------
        name : str
            Name of the parameter.

        Returns
        -------
        ndarray, shape (copies, ...)
            In the order of the fibre of the vertex (over a window: of time), with the shape of the
            parameter after the first axis. The sum over the first axis is the exact gradient.

        Raises
        ------
        KeyError
            If there is no parameter of this name.
        """
        if not known(name, self.parameters):
            raise KeyError(
                f"the network has no parameter {name!r}; its parameters are "
                f"{', '.join(map(repr, self.parameters))}"
            )
        shape = self.parameters[name].shape
        vertex = self._graph.number[self.vertices[name]]
        result: Array | None = None
        for y, g in self._backward.uses:
            value = self._forward.values[y]
            if name not in {weight.name for weight in value.weights}:
                continue
            self._ensure([g])
            _, sources, gradient = self._parts(y, g)
            if result is None:
                result = np.zeros((len(gradient), *shape), gradient.dtype)
            if value.kind in {"product", "products"}:
                for weight, source in zip(value.weights, sources, strict=True):
                    part = (slice(None), *_block(weight))
                    result[part] += np.matmul(gradient.swapaxes(1, 2), source)
            elif value.kind == "bias":
                result += gradient.sum(axis=1)
            elif value.kind == "embedding":
                places = np.arange(len(gradient))[:, None]
                np.add.at(result, (places, sources[0][:, :, 0]), gradient)
            else:
                done = self._binding.read(Ref(y))
                for k, row in enumerate(gradient):
                    parts = self._opaque(value, [a[k] for a in sources], done[k], row)
                    result[k] += next(found for own, found in parts if own == name)
        if result is None:  # no value with a given gradient depends on the parameter
            count = len(self._binding.read(Ref(vertex)))
            result = np.zeros((count, *shape), self.parameters[name].dtype)
        ordered: Array = self._binding.in_order(vertex, result)
        return ordered

    def mean(self) -> dict[str, Array]:
        """Return the mean gradient of the copies of each parameter, by name.

        Over a window of T steps, this is the exact gradient divided by T. Over a graph whose fibres
        differ in size, it is not a multiple of the gradient: each parameter has its own divisor.
        """
        number = self._graph.number
        copies = {
            name: len(self._binding.read(Ref(number[v]))) for name, v in self.vertices.items()
        }
        return {name: g / max(1, copies[name]) for name, g in self.parameters.items()}

    # -- vertices ----------------------------------------------------------------

    def of(self, vertex: Any) -> Array:
        """Return the gradient of the value of each copy of a vertex.

        Parameters
        ----------
        vertex : hashable
            A vertex of the network. For an `Embedding`, the gradient is that of the vectors from
            the table.

        Returns
        -------
        ndarray, shape (copies, [batch,] size)
            Derivatives of the loss, along all paths from a copy to the loss, in the order of the
            fibre (over a window: of time).

        Raises
        ------
        KeyError
            If there is no such vertex.

        Examples
        --------
        >>> import numpy as np
        >>> from unrollgraph import nn
        >>> net = nn.Network(nn.architectures.seed(inputs=1, hidden=2, outputs=1))
        >>> run = net.forward({"in": np.ones((3, 1))})
        >>> gradients = run.backward({"out": [[0.0], [0.0], [1.0]]})
        >>> gradients.of("out")[:, 0], gradients.of("C").shape
        (array([0., 0., 1.]), (3, 2))
        """
        if not known(vertex, self._graph.number):
            raise KeyError(f"the network has no vertex {vertex!r}")
        v = self._graph.number[vertex]
        g = self._backward.gradients.get(v)
        gradient: Array
        if g is None:
            gradient = np.zeros_like(self._binding.read(Ref(v)))
        else:
            self._ensure([g])
            gradient = np.array(self._binding.in_order(v, self._binding.read(Ref(g))))
        return gradient if self._batched else gradient[:, 0]

    # -- inputs and boundary values ----------------------------------------------

    @property
    def inputs(self) -> dict[Any, Array]:
        """Gradient of each input, in its shape, except for the integers of an `Embedding`."""
        return {
            self._graph.vertices[v]: self.of(self._graph.vertices[v])
            for v, y in self._forward.inputs.items()
            if self._forward.values[y].kind != "indices"
        }

    @property
    def initial(self) -> dict[Any, Array]:
        """Gradient of each initial value that is read.

        Over a window: of shape ``(k, [batch,] size)``, for the k steps before the first one. Over
        another graph: of shape ``([batch,] size)``, summed over the missing in-edges.
        """
        return self._outside("before")

    @property
    def final(self) -> dict[Any, Array]:
        """Gradient of each value after the window that an edge of negative delay reads."""
        return self._outside("after")

    def _outside(self, side: str) -> dict[Any, Array]:
        found = {}
        for v, name in enumerate(self._graph.vertices):
            terms = [Term(ref) for ref in self._backward.terms.get(v, ())]
            if v in self._backward.sums:
                total = self._backward.values[self._backward.sums[v]]
                terms += [
                    Term(*pair)
                    for pair in zip(total.args, total.weights, strict=True)
                    if pair[0].back
                ]
            self._ensure([term.ref.value for term in terms])
            gradient = self._binding.outside(v, terms, side, self._weights)
            if gradient is not None:
                if not self._batched:
                    gradient = gradient[..., 0, :]
                found[name] = gradient
        return found

    def _ensure(self, roots: list[int]) -> None:
        """Compute gradients that the gradients of parameters do not depend on."""
        count = len(self._forward.values)
        more = closure(self._backward.values, count, roots, self._computed)
        if not more:
            return
        fresh = more - set(self._backward.external.values())
        schedule = Schedule(self._graph, self._backward.values, fresh, back=True)
        self._binding.open(schedule.values, schedule.chosen)
        self._binding.compute(schedule, self._weights)
        self._computed = self._computed | more


def _block(weight: Weight) -> tuple[Any, ...]:
    return () if weight.columns is None else (slice(None), slice(*weight.columns))
