"""Gradients of a run: summed over the fibres, or copy by copy.

A parameter of the base is used by every copy of its vertex. It enters the unrolled
network by the diagonal ``w -> (w, ..., w)``, whose transpose is the sum; so the exact
gradient is the sum of the gradients of the copies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import ShapeError, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, known
from unrollgraph.nn.buffers import Lease
from unrollgraph.nn.execution_order import Program
from unrollgraph.nn.executors.weight_gradients import SUMMED
from unrollgraph.nn.executors.window import WindowBinding
from unrollgraph.nn.lowering import BackwardValues, ForwardValues, closure
from unrollgraph.nn.primitives import read_only
from unrollgraph.nn.program import Ref, Value, Weight

Array = NDArray[Any]


class Gradients:
    """What a run's `backward` returns.

    Attributes
    ----------
    parameters : dict
        The exact gradient of each parameter: the sum over the copies of its vertex,
        and over the batch.
    """

    parameters: dict[str, Array]

    def __init__(
        self,
        graph: DelayGraph,
        forward: ForwardValues,
        backward: BackwardValues,
        lease: Lease[Any],
        *,
        batched: bool,
    ) -> None:
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
        """The graph of the network."""
        return self._graph

    @property
    def steps(self) -> int | None:
        """Number of steps of the window, or None if the run was over another graph."""
        return self._binding.steps if isinstance(self._binding, WindowBinding) else None

    @property
    def vertices(self) -> dict[str, Any]:
        """The vertex to which each parameter belongs."""
        return {
            weight.name: self._graph.vertices[value.vertex]
            for value in self._forward.values
            for weight in value.weights
        }

    # -- parameters --------------------------------------------------------------

    def _parts(self, y: int, g: int) -> tuple[Value, list[Array], Array]:
        """A value that uses parameters, what it reads, and its gradient."""
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
                    f"{type(value.extra).__name__}.adjoint returned "
                    f"{'no gradient' if shape is None else f'a gradient of shape {shape}'} of "
                    f"{name}, but one of shape {parameter.shape} is expected",
                    expected=parameter.shape,
                    found=shape,
                )
        return [(w.name, found[w.name.rpartition(".")[2]]) for w in value.weights]

    def copies(self, name: str) -> Array:
        """Gradient of each copy of a parameter.

        Parameters
        ----------
        name : str
            Name of the parameter.

        Returns
        -------
        ndarray, shape (copies, ...)
            Behind the first axis the shape of the parameter. In the order of the fibre of
            its vertex, over a window in the order of time. The sum over the first axis is
            the exact gradient.

        Raises
        ------
        KeyError
            If there is no such parameter.
        """
        if not known(name, self.parameters):
            raise KeyError(
                f"the network has no parameter {name!r}; it has {', '.join(self.parameters)}"
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
            if value.kind == "product":
                part = (slice(None), *_block(value.weights[0]))
                result[part] += np.matmul(gradient.swapaxes(1, 2), sources[0])
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
        if result is None:  # nothing that was given a gradient depends on it
            count = len(self._binding.read(Ref(vertex)))
            result = np.zeros((count, *shape), self.parameters[name].dtype)
        ordered: Array = self._binding.in_order(vertex, result)
        return ordered

    def mean(self) -> dict[str, Array]:
        """Average of the copies of each parameter, as the unrolling picture has it.

        Over a window of T steps this is the exact gradient divided by T: the same
        direction, so that a step along it is a step along the gradient with another
        learning rate. It is not a multiple of the gradient over a graph whose fibres
        differ in size, since then each parameter is divided by another number; nor is
        an average over the arcs inside a window, of which there are fewer for longer
        delays.

        Returns
        -------
        dict
            By name of the parameter.
        """
        number = self._graph.number
        copies = {
            name: len(self._binding.read(Ref(number[v]))) for name, v in self.vertices.items()
        }
        return {name: g / max(1, copies[name]) for name, g in self.parameters.items()}

    # -- vertices ----------------------------------------------------------------

    def of(self, vertex: Any) -> Array:
        """Gradient of the value of each copy of a vertex; computed when asked for.

        Parameters
        ----------
        vertex : vertex of the base
            Of an `Embedding` the gradient is that of the vectors that were looked up.

        Returns
        -------
        ndarray, shape (copies, [batch,] size)
            In the order of the fibre, over a window in the order of time: how the loss
            changes with that copy, along all paths that lead from it to the loss.

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
            raise KeyError(f"the network has no vertex {show_vertex(vertex)}")
        v = self._graph.number[vertex]
        g = self._backward.gradients.get(v)
        gradient: Array
        if g is None:
            gradient = np.zeros_like(self._binding.read(Ref(v)))
        else:
            self._ensure([g])
            gradient = np.array(self._binding.in_order(v, self._binding.read(Ref(g))))
        return gradient if self._batched else gradient[:, 0]

    # -- what was given from outside ---------------------------------------------

    @property
    def inputs(self) -> dict[Any, Array]:
        """Gradient of each input, in its shape; computed when asked for.

        Integers, as an `Embedding` takes them, have none.
        """
        return {
            self._graph.vertices[v]: self.of(self._graph.vertices[v])
            for v, y in self._forward.inputs.items()
            if self._forward.values[y].kind != "indices"
        }

    @property
    def initial(self) -> dict[Any, Array]:
        """Gradient of each initial value that is read; computed when asked for.

        Over a window of shape (k, [batch,] size), the k steps before the first; over
        another graph of shape ([batch,] size), summed over the arcs that are missing.
        """
        return self._outside("before")

    @property
    def final(self) -> dict[Any, Array]:
        """Gradient of each value that is read from after the window, by negative delays."""
        return self._outside("after")

    def _outside(self, side: str) -> dict[Any, Array]:
        found = {}
        for v, name in enumerate(self._graph.vertices):
            refs = self._backward.terms.get(v, ())
            self._ensure([ref.value for ref in refs])
            gradient = self._binding.outside(v, refs, side)
            if gradient is not None:
                if not self._batched:
                    gradient = gradient[..., 0, :]
                found[name] = gradient
        return found

    def _ensure(self, roots: list[int]) -> None:
        """Compute gradients on which no parameter depends."""
        count = len(self._forward.values)
        more = closure(self._backward.values, count, roots, self._computed)
        if not more:
            return
        fresh = more - set(self._backward.external.values())
        program = Program(self._graph, self._backward.values, fresh, back=True)
        self._binding.open(program.values, program.chosen)
        self._binding.compute(program, self._weights)
        self._computed = self._computed | more


def _block(weight: Weight) -> tuple[Any, ...]:
    return () if weight.columns is None else (slice(None), slice(*weight.columns))
