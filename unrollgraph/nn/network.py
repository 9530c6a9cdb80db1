"""Networks: forward and backward computation over windows and acyclic graphs.

Every copy of a vertex computes the operation of the vertex with the same parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, StaleRunError, check_size, show_kind
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph, known
from unrollgraph.limits import MOST_NUMBERS
from unrollgraph.morphism.graph_map import MapLike, as_graph_map
from unrollgraph.nn.arrays import (
    as_boundary,
    as_real,
    check_mapping,
    count_steps,
    read_inputs,
    vertex_number,
)
from unrollgraph.nn.arrays import (
    check_finite as check_finite_values,
)
from unrollgraph.nn.buffers import (
    Binding,
    Lease,
)
from unrollgraph.nn.execution_order import Copies, Schedule
from unrollgraph.nn.executors.grouped import GroupedBinding
from unrollgraph.nn.executors.loops import check_numba
from unrollgraph.nn.executors.window import WindowBinding
from unrollgraph.nn.gradients import Gradients
from unrollgraph.nn.lowering import BackwardValues
from unrollgraph.nn.plans import Plans, no_collection
from unrollgraph.nn.program import Program, Ref

Array = NDArray[Any]


class Network:
    """Neural network: a delay graph with an operation at each vertex.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph or Network
        The delay graph; every vertex must have an attribute ``op``.
    seed : int
        Seed of the initial parameters. They are drawn in the order of the vertices: weights of
        `Dense` uniformly by the scheme of Glorot and Bengio (for ReLU: of He et al.), weights of
        `Embedding` uniformly from [-1, 1]; biases are zero.
    dtype : dtype
        ``numpy.float64`` or ``numpy.float32``, used for all computations.
    delay : str
        Edge attribute of the delays.
    backend : {"numpy", "numba"}
        Backend for the steps of a window. Numba compiles them in the first run; it is faster for
        batch 1 and small sizes. A network of many small products always runs in NumPy.

    Attributes
    ----------
    parameters : dict
        Arrays by name, such as ``"A.weight"``; change them in place.
    delay_graph : DelayGraph
        The delay graph.

    Raises
    ------
    ShapeError
        If sizes do not fit along an edge, or a vertex has no operation.
    TypeError
        If an ``op`` is not an operation, or ``G`` is not a directed graph or is a lift.
    ValueError
        If ``dtype`` or ``backend`` has another value.
    ImportError
        If ``backend="numba"`` and Numba is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import unrollgraph as ug
    >>> from unrollgraph import nn
    >>> G = nn.architectures.seed(2, 3, 1)
    >>> net = nn.Network(G)
    >>> {name: array.shape for name, array in net.parameters.items()}["A.weight"]
    (3, 5)
    >>> run = net.forward({"in": np.ones((4, 2))})
    >>> run.values["out"].shape, run[("A", 2)].shape
    ((4, 1), (3,))
    >>> gradients = run.backward({"out": np.ones((4, 1))})
    >>> gradients.copies("A.weight").shape
    (4, 3, 5)
    """

    parameters: dict[str, Array]
    delay_graph: DelayGraph

    @no_collection()
    def __init__(
        self,
        G: GraphLike,
        seed: int = 0,
        *,
        dtype: Any = np.float64,
        delay: str = "delay",
        backend: str = "numpy",
    ) -> None:
        if hasattr(G, "projection"):
            raise TypeError(
                f"cannot build a network on a {type(G).__name__}, which is a lift of a delay "
                "graph: build it on the base graph, nn.Network(G), and run it over the lift, "
                "net.forward(inputs, over=lift)"
            )
        self.delay_graph = as_delay_graph(G, delay)
        self.dtype = np.dtype(dtype)
        if self.dtype not in {np.dtype(np.float64), np.dtype(np.float32)}:
            raise ValueError(f"dtype must be float64 or float32, not {self.dtype}")
        if backend not in {"numpy", "numba"}:
            raise ValueError(f"backend must be 'numpy' or 'numba', not {backend!r}")
        if backend == "numba":
            check_numba()
        self.backend = backend
        self.plans = Plans(self.delay_graph, self.dtype, backend)
        self._longest = int(np.abs(self.delay_graph.delays).max(initial=0))
        rng = np.random.default_rng(seed)
        self._flat = np.empty(self.plans.packing.size, self.dtype)
        self.parameters = self.plans.packing.views(self._flat)
        for name, p in self.plans.forward.parameters.items():
            self.parameters[name][...] = p.draw(rng)
        self._views = dict(self.parameters)

    def forward(
        self,
        inputs: Mapping[Any, ArrayLike],
        over: MapLike | None = None,
        initial: Mapping[Any, ArrayLike] | None = None,
        *,
        final: Mapping[Any, ArrayLike] | None = None,
        steps: int | None = None,
        check_finite: bool = False,
    ) -> Run:
        """Run the network forward and return the values at all copies.

        Parameters
        ----------
        inputs : mapping
            For each `Input` vertex, an array of shape ``(T, size)`` or ``(T, batch, size)``; for
            each `Embedding` vertex, integers of shape ``(T,)`` or ``(T, batch)``. With ``over``, T
            is the number of copies of the vertex, in the order of its fibre.
        over : GraphMap or graph with a projection, optional
            Acyclic graph to run over (default: a window of T steps).
        initial : mapping, optional
            Values before the window (default: zeros). For a vertex v, an array of shape
            ``(k, [batch,] size)``, where k is the largest delay of its out-edges, or ``(size,)``
            for all k steps. With ``over``: shape ``([batch,] size)``, for missing in-edges.
        final : mapping, optional
            Values after the window for edges of negative delay, in the same form as ``initial``.
        steps : int, optional
            T, required for a network without inputs.
        check_finite : bool
            Whether to reject inputs and boundary values that are NaN or infinite in ``dtype``.

        Returns
        -------
        Run
            The values, with a method for the backward pass.

        Raises
        ------
        ShapeError
            If an array does not fit its vertex.
        CyclicCoverError
            If the unrolling, or ``over``, has a directed cycle.
        LiftError
            If ``over`` does not map to the base graph, or two in-edges of a copy map to one edge.
        ValueError
            If delays are in Z^d with d > 1 and ``over`` is missing, ``final`` or ``steps`` is given
            with ``over``, or ``check_finite`` rejects a value.
        TypeError
            If inputs or boundary values are not a mapping, or ``over`` has no projection.
        TooLargeError
            If delays longer than the window require too many values outside of it.

        Notes
        -----
        Over a window, values that are not on a cycle are computed for all steps at once, the others
        step by step; over another graph, level by level. Threads may share a network while its
        parameters do not change.
        """
        for what, given in (("initial", initial), ("final", final)):
            if given is not None:
                check_mapping(what, given)
        if check_finite:
            for given in (initial or {}, final or {}):
                for name, array in given.items():
                    check_finite_values(name, array, self.dtype)
        finite_as = self.dtype if check_finite else None
        if over is None:
            return self._over_window(inputs, initial or {}, final or {}, steps, finite_as)
        if final:
            raise ValueError("final applies to a window only; with over=, give initial instead")
        if steps is not None:
            raise ValueError("steps applies to a window only; omit it with over=")
        with self.plans.lock:
            copies, fronts, free = self.plans.plan(as_graph_map(over))
        lengths = {v: len(copies.fibres[v]) for v in self.plans.forward.inputs}
        arrays, batch = read_inputs(
            self.delay_graph, self.plans.forward, inputs, lengths, finite_as
        )
        with self.plans.lock:
            lease = self.plans.over_graph(fronts, batch or 1, free, self._flat)
        binding = lease.binding
        self._fill(binding, arrays)
        for name, array in (initial or {}).items():
            v = vertex_number(self.delay_graph, name, "initial")
            if not self.delay_graph.out_numbers[v]:
                raise ShapeError(
                    f"initial has values of {name!r}, which has no out-edges; remove them",
                    vertex=name,
                )
            size = self.plans.forward.values[v].size
            binding.buffers[v][-1] = as_boundary(name, array, (batch or 1, size), self.dtype)
        return self._run(lease, copies, batched=batch is not None)

    def _over_window(
        self,
        inputs: Mapping[Any, ArrayLike],
        initial: Mapping[Any, ArrayLike],
        final: Mapping[Any, ArrayLike],
        steps: int | None,
        finite_as: np.dtype[Any] | None,
    ) -> Run:
        if self.delay_graph.dimension > 1:
            raise ValueError(
                f"the delays are in Z^{self.delay_graph.dimension}, so a window of steps is not "
                "defined; pass the graph to run over, such as over=unroll(G, (3, 4))"
            )
        T = count_steps(inputs, steps)
        arrays, batch = read_inputs(
            self.delay_graph,
            self.plans.forward,
            inputs,
            dict.fromkeys(self.plans.forward.inputs, T),
            finite_as,
        )
        self._check_delays(T, batch or 1)
        with self.plans.lock:
            lease = self.plans.over_window(T, batch or 1, self._flat)
        binding = lease.binding
        self._fill(binding, arrays)
        for given, what in ((initial, "initial"), (final, "final")):
            for name, array in given.items():
                v = vertex_number(self.delay_graph, name, what)
                buffer, before = binding.buffers[v], binding.before[v]
                room = buffer[:before] if what == "initial" else buffer[before + T :]
                if not len(room):
                    raise ShapeError(
                        f"{what} has values of {name!r}, but no edge reads it from "
                        f"{'before' if what == 'initial' else 'after'} the window; remove them",
                        vertex=name,
                    )
                room[...] = as_boundary(
                    name, array, room.shape, self.dtype, batched=batch is not None
                )
        return self._run(lease, None, batched=batch is not None)

    def _check_delays(self, steps: int, batch: int) -> None:
        """Raise `TooLargeError` if long delays require too many values outside the window."""
        if self._longest <= steps:
            return
        reach = np.zeros(len(self.delay_graph.vertices), dtype=np.int64)
        np.maximum.at(reach, self.delay_graph.tails, np.abs(self.delay_graph.delays[:, 0]))
        rows = sum(k * self.plans.forward.values[v].size for v, k in enumerate(reach.tolist()))
        hint = "use a larger unit of time, so that delays are smaller"
        check_size(rows * batch, MOST_NUMBERS, "the state outside of the window", hint)

    # -- running ---------------------------------------------------------------------

    def _fill(self, binding: Binding, arrays: dict[int, Array]) -> None:
        for k, array in arrays.items():
            binding.fill(k, self.plans.forward.values[k].vertex, array)
        for k, value in enumerate(self.plans.forward.values):
            if value.kind == "constant":
                binding.fill(k, value.vertex, np.asarray(value.extra))

    def _run(self, lease: Lease[Any], copies: Copies | None, *, batched: bool) -> Run:
        lease.weights.refresh(self._all_parameters())
        lease.binding.compute(
            self.plans.schedule if copies else self.plans.over_steps, lease.weights
        )
        lease.binding.lost()
        return Run(self, lease, copies, batched=batched)

    def _all_parameters(self) -> Array:
        """Return all parameters in one array; a new one if some were replaced."""
        if len(self.parameters) == len(self._views) and all(
            self.parameters.get(name) is view for name, view in self._views.items()
        ):
            return self._flat
        if wrong := sorted(map(repr, self.parameters.keys() ^ self._views.keys())):
            raise ShapeError(
                f"the keys of net.parameters must be {', '.join(map(repr, self._views))}; "
                f"added or removed: {', '.join(wrong)}"
            )
        flat = np.empty_like(self._flat)
        for name, view in self.plans.packing.views(flat).items():
            array = np.asarray(self.parameters[name])
            if array.shape != view.shape or array.dtype != self.dtype:
                raise ShapeError(
                    f"the parameter {name!r} is {array.dtype} of shape {array.shape}, but must be "
                    f"{self.dtype} of shape {view.shape}; assign in place: "
                    f"net.parameters[{name!r}][...] = values",
                    expected=view.shape,
                    found=array.shape,
                )
            view[...] = array
        return flat

    @property
    def program(self) -> Program:
        """The values that are computed at each copy of each vertex; print it to read them."""
        return Program(self.plans.forward.values, self.delay_graph)

    def size(self, vertex: Any, what: str = "size") -> int:
        """Return the size of a vertex; ``what`` names the argument in an error."""
        return self.plans.forward.values[vertex_number(self.delay_graph, vertex, what)].size

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._flat = self._all_parameters().copy()
        self.parameters = self.plans.packing.views(self._flat)
        self._views = dict(self.parameters)

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        return f"<Network of {len(self.delay_graph.vertices)} vertices, {count} parameters>"


def check_network(net: Any) -> None:
    """Raise `TypeError` if an argument is not a network."""
    if not isinstance(net, Network):
        raise TypeError(f"net must be an nn.Network, not {show_kind(net)}; write nn.Network(G)")


class Run:
    """Values of one forward pass, with a method for the backward pass.

    Attributes
    ----------
    values : mapping
        For each vertex, an array of shape ``(T, [batch,] size)``: its values at the steps of the
        window, or at its copies in the order of the fibre. Read-only.
    """

    values: Mapping[Any, Array]

    def __init__(
        self,
        network: Network,
        lease: Lease[Any],
        copies: Copies | None,
        *,
        batched: bool,
    ) -> None:
        self._network, self._lease = network, lease
        self._binding, self._weights = lease.binding, lease.weights
        self._copies, self._batched = copies, batched
        self.values = _Outputs(network.delay_graph, lease, batched)

    def __getitem__(self, node: Any) -> Array:
        """Return the value at a copy: ``(v, t)`` in a window, else a vertex of ``over``."""
        if self._copies is not None:
            vertex, place = self._copies.position[node]
            value: Array = self.values[self._network.delay_graph.vertices[vertex]][place]
            return value
        is_copy = isinstance(node, tuple) and len(node) == 2 and known(node[0], self.values)
        if not (is_copy and isinstance(node[1], int | np.integer) and 0 <= node[1] < self.steps):
            raise KeyError(
                f"{node!r} is not a copy in the window; use (vertex, t) with 0 <= t < "
                f"{self.steps}, or values[vertex] for all steps"
            )
        found: Array = self.values[node[0]][node[1]]
        return found

    @property
    def steps(self) -> int:
        """Number of steps of the window; `ValueError` over another graph."""
        return self._window("steps").steps

    @property
    def state(self) -> dict[Any, Array]:
        """Values of this window that the next one reads: its ``initial``.

        For each vertex with a positive delay on an out-edge, its last k values, where k is the
        largest of these delays. Over a window only.
        """
        return self.state_after(self._window("state").steps)

    def state_after(self, steps: int) -> dict[Any, Array]:
        """Return the ``initial`` of a window that starts after ``steps`` steps."""
        binding = self._window("state")
        if not isinstance(steps, (int, np.integer)):
            raise ValueError(f"steps must be an integer, not {steps!r}")
        if not 0 <= steps <= binding.steps:
            raise ValueError(
                f"steps must be from 0 to {binding.steps}, the length of this run, not {steps}"
            )
        found = {}
        for v, name in enumerate(self._network.delay_graph.vertices):
            before = binding.before[v]
            if before:
                last = binding.buffers[v][steps : steps + before].copy()
                found[name] = last if self._batched else last[:, 0]
        return found

    def _window(self, what: str) -> WindowBinding | GroupedBinding:
        if self._copies is not None:
            raise ValueError(f"{what} is defined over a window only, not for a run with over=")
        binding: WindowBinding | GroupedBinding = self._binding
        return binding

    def read(self, vertex: Any) -> Array:
        """Return ``values[vertex]`` without a copy; valid while this run exists."""
        v = self._network.delay_graph.number[vertex]
        array: Array = self._binding.in_order(v, self._binding.read(Ref(v)))
        return array if self._batched else array[:, 0]

    def backward(self, gradients: Mapping[Any, ArrayLike], *, to_state: bool = False) -> Gradients:
        """Compute the gradients of parameters, inputs and initial values.

        May be called repeatedly; runs do not affect each other.

        Parameters
        ----------
        gradients : mapping
            For some vertices v, the gradient of a loss with respect to ``values[v]``.
        to_state : bool
            Whether to compute the gradients of initial values now (default: when they are read).

        Returns
        -------
        Gradients
            Exact gradients of the loss.

        Raises
        ------
        ShapeError
            If an array does not have the shape of the values of its vertex.
        StaleRunError
            If parameters of the network have changed since the forward pass.
        TypeError
            If ``gradients`` is not a mapping.
        """
        network, binding = self._network, self._binding
        if not self._weights.are(network._all_parameters()):
            raise StaleRunError(self._changed())
        check_mapping("gradients", gradients)
        arrays = {}
        for name, given in gradients.items():
            v = vertex_number(network.delay_graph, name, "gradients")
            array = as_real("the gradient", name, given, network.dtype)
            shape = binding.read(Ref(v)).shape
            shape = shape if self._batched else (shape[0], shape[2])
            if array.shape != shape:
                raise ShapeError(
                    f"the gradient of {name!r} has shape {array.shape}, but its values have "
                    f"shape {shape}",
                    vertex=name,
                    expected=shape,
                    found=array.shape,
                )
            arrays[v] = array if self._batched else array[:, None]
        with network.plans.lock:
            adjoint, schedule, lease = self._leased(frozenset(arrays), to_state=to_state)
        own = lease.binding
        for v, k in adjoint.external.items():
            own.fill(k, v, arrays[v])
        own.compute(schedule, self._weights, own.sums)
        return Gradients(
            network.delay_graph,
            network.plans.forward,
            adjoint,
            lease,
            self._copies,
            batched=self._batched,
        )

    def _changed(self) -> str:
        """Message about the parameter that has changed since the forward pass."""
        name = next(
            name
            for name, array in self._network.parameters.items()
            if array.tobytes() != self._weights.parameters[name].tobytes()
        )
        return (
            f"the parameter {name!r} has changed since the forward pass; call net.forward again "
            "before backward"
        )

    def _leased(
        self, outside: frozenset[int], *, to_state: bool
    ) -> tuple[BackwardValues, Schedule, Lease[Any]]:
        """Plan and buffers of the gradient for given gradients at some vertices."""
        network, binding = self._network, self._binding
        window = self._copies is None
        adjoint, schedule = network.plans.adjoint(outside, window=window, to_state=to_state)
        # gradients get separate buffers, because the forward values are still needed
        free = binding.gradients.setdefault((outside, to_state), [])
        if free:
            own, _ = free.pop()
        else:
            own = binding.another()
            own.open(
                schedule.values,
                [*schedule.chosen, *adjoint.external.values()],
                network.plans.storage(adjoint, schedule, window=window),
            )
            own.sums = own.summed(network.plans.forward, adjoint, schedule, self._weights)
        return adjoint, schedule, Lease(own, self._weights, free, self._lease)


class _Outputs(Mapping[Any, Array]):
    """Values by vertex; keeps the buffers of the run in use."""

    def __init__(self, graph: DelayGraph, lease: Lease[Any], batched: bool) -> None:
        self._graph, self._lease, self._batched = graph, lease, batched
        self._found: dict[Any, Array] = {}

    def __getitem__(self, vertex: Any) -> Array:
        if vertex not in self._found:
            v = self._graph.number[vertex]
            binding = self._lease.binding
            array = binding.in_order(v, binding.read(Ref(v)))
            # a copy, because a later run reuses the buffers
            self._found[vertex] = (array if self._batched else array[:, 0]).copy()
            self._found[vertex].flags.writeable = False
        return self._found[vertex]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._graph.vertices)

    def __len__(self) -> int:
        return len(self._graph.vertices)
