"""A network: operations on the vertices of a delay graph, parameters on its base.

A network may be run over a window of steps, or over any acyclic graph above its base.
Either way every copy of a vertex computes the same operation with the same parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError, StaleRunError, check_size, show_vertex
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph, known
from unrollgraph.limits import MOST_NUMBERS
from unrollgraph.morphism.graph_map import as_graph_map
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
from unrollgraph.nn.execution_order import Copies, Program
from unrollgraph.nn.executors.loops import check_numba
from unrollgraph.nn.executors.weight_gradients import Sums
from unrollgraph.nn.executors.window import WindowBinding
from unrollgraph.nn.gradients import Gradients
from unrollgraph.nn.lowering import BackwardValues
from unrollgraph.nn.plans import Plans
from unrollgraph.nn.program import Ref

Array = NDArray[Any]


class Network:
    """A delay graph whose vertices carry operations.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A delay graph whose vertices have an attribute ``op``.
    seed : int
        Seed of the first parameters. They are drawn vertex by vertex in the order of
        the graph: weights uniformly by the scheme of Glorot and Bengio, before
        rectified units by that of He et al.; biases are zero.
    dtype : dtype
        ``numpy.float64`` or ``numpy.float32``, in which everything is computed.
    delay : str
        The edge attribute that holds the delay.
    backend : str
        What runs the steps of a window: ``"numpy"``, or ``"numba"``, which compiles them
        when they are first run. It is the quicker one at batch 1 and small sizes.

    Attributes
    ----------
    parameters : dict
        Arrays by name, such as ``"A.weight"``; to be written in place.
    graph : DelayGraph
        The base.

    Raises
    ------
    ShapeError
        If sizes do not fit along the edges, or a vertex has no operation.
    TypeError
        If ``op`` is not an operation, or ``G`` is not a directed graph of networkx or is a
        lift: a network is built on the base and run ``over`` the lift.
    ValueError
        If there is no such backend, or ``dtype`` is another.
    ImportError
        If the backend is Numba and it is not installed.

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
    graph: DelayGraph

    def __init__(
        self,
        G: Any,
        seed: int = 0,
        *,
        dtype: Any = np.float64,
        delay: str = "delay",
        backend: str = "numpy",
    ) -> None:
        if hasattr(G, "projection"):
            raise TypeError(
                f"a network is built on a delay graph, but {type(G).__name__} is a graph over one: "
                "build it on the base, nn.Network(G), and run it over the lift, "
                "net.forward(inputs, over=lift)"
            )
        self.graph = as_delay_graph(G, delay)
        self.dtype = np.dtype(dtype)
        if self.dtype not in {np.dtype(np.float64), np.dtype(np.float32)}:
            raise ValueError(f"a network computes in float64 or float32, not in {self.dtype}")
        if backend not in {"numpy", "numba"}:
            raise ValueError(f"the backend is 'numpy' or 'numba', not {backend!r}")
        if backend == "numba":
            check_numba()
        self.backend = backend
        self.plans = Plans(self.graph, self.dtype, backend)
        self._longest = int(np.abs(self.graph.delays).max(initial=0))
        rng = np.random.default_rng(seed)
        self._flat = np.empty(self.plans.packing.size, self.dtype)
        self.parameters = self.plans.packing.views(self._flat)
        for name, p in self.plans.forward.parameters.items():
            self.parameters[name][...] = rng.uniform(-p.bound, p.bound, p.shape)
        self._views = dict(self.parameters)

    def forward(
        self,
        inputs: Mapping[Any, ArrayLike],
        over: Any = None,
        initial: Mapping[Any, ArrayLike] | None = None,
        *,
        final: Mapping[Any, ArrayLike] | None = None,
        steps: int | None = None,
        check_finite: bool = False,
    ) -> Run:
        """Compute the values of all copies of all vertices.

        Parameters
        ----------
        inputs : mapping
            For each vertex whose operation is an `Input`, an array of shape
            ``(T, size)`` or ``(T, batch, size)``; for an `Embedding`, integers of
            shape ``(T,)`` or ``(T, batch)``. With ``over``, T is the number of copies
            and the order that of the fibre.
        over : GraphMap or anything with a projection, optional
            An acyclic graph above the base. A window of T steps unless given.
        initial : mapping, optional
            What is read from before the window: for a vertex v of shape
            ``(k, [batch,] size)``, the values at the k steps before the first, where k
            is the largest delay out of v; ``(size,)`` stands for all of them. With
            ``over``, of shape ``([batch,] size)``, what is read where an arc is
            missing. Zero unless given.
        final : mapping, optional
            What negative delays read from after the window, likewise.
        steps : int, optional
            T, for networks without inputs.
        check_finite : bool
            Whether inputs and boundary values are refused that are infinite, or not
            numbers, in the precision of the network.

        Returns
        -------
        Run
            The values, and the way back.

        Raises
        ------
        ShapeError
            If an array does not fit its vertex.
        CyclicCoverError
            If there is no order in which to compute: the unrolling, or the graph
            given as ``over``, has a directed cycle.
        LiftError
            If ``over`` does not lie above the network, or a copy would read one edge
            twice.
        ValueError
            If delays in Z^d have nothing to run over, or ``final`` or ``steps`` goes with
            ``over``.
        TypeError
            If inputs or boundary values are no mapping.

        Notes
        -----
        Over a window, values on no cycle are computed for all steps at once and the
        others step by step; over another graph, level by level. Several threads may run one
        network, as long as none of them writes to its parameters.
        """
        for what, given in (("initial is", initial), ("final is", final)):
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
            raise ValueError("final is read after a window; over another graph give initial")
        if steps is not None:
            raise ValueError("steps is the length of a window; over another graph fibres tell it")
        with self.plans.lock:
            copies, fronts, free = self.plans.plan(as_graph_map(over))
        lengths = {v: len(copies.fibres[v]) for v in self.plans.forward.inputs}
        arrays, batch = read_inputs(self.graph, self.plans.forward, inputs, lengths, finite_as)
        with self.plans.lock:
            lease = self.plans.over_graph(fronts, batch or 1, free, self._flat)
        binding = lease.binding
        self._fill(binding, arrays)
        for name, array in (initial or {}).items():
            v = vertex_number(self.graph, name, "initial")
            if not self.graph.out_numbers[v]:
                raise ShapeError(
                    f"initial gives values of {show_vertex(name)}, which no edge reads",
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
        if self.graph.dimension > 1:
            raise ValueError(
                f"the delays are in Z^{self.graph.dimension}, so there is no window of steps; say "
                "what to run over, as in over=unroll(G, (3, 4))"
            )
        T = count_steps(inputs, steps)
        arrays, batch = read_inputs(
            self.graph,
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
                v = vertex_number(self.graph, name, what)
                buffer, before = binding.buffers[v], binding.before[v]
                room = buffer[:before] if what == "initial" else buffer[before + T :]
                if not len(room):
                    raise ShapeError(
                        f"{what} gives values of {show_vertex(name)}, but no edge reads it from "
                        f"{'before' if what == 'initial' else 'after'} the window",
                        vertex=name,
                    )
                room[...] = as_boundary(
                    name, array, room.shape, self.dtype, batched=batch is not None
                )
        return self._run(lease, None, batched=batch is not None)

    def _check_delays(self, steps: int, batch: int) -> None:
        """Raise `TooLargeError` if delays longer than the window need too many values outside."""
        if self._longest <= steps:
            return
        reach = np.zeros(len(self.graph.vertices), dtype=np.int64)
        np.maximum.at(reach, self.graph.tails, np.abs(self.graph.delays[:, 0]))
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
            self.plans.program if copies else self.plans.over_steps, lease.weights
        )
        lease.binding.lost()
        return Run(self, lease, copies, batched=batched)

    def _all_parameters(self) -> Array:
        """The parameters in one array, of which they are parts unless they were replaced."""
        if len(self.parameters) == len(self._views) and all(
            self.parameters.get(name) is view for name, view in self._views.items()
        ):
            return self._flat
        if wrong := sorted(map(repr, self.parameters.keys() ^ self._views.keys())):
            raise ShapeError(
                f"the parameters of the network are {', '.join(self._views)}; "
                f"{' and '.join(wrong)} has been added or taken away"
            )
        flat = np.empty_like(self._flat)
        for name, view in self.plans.packing.views(flat).items():
            array = np.asarray(self.parameters[name])
            if array.shape != view.shape or array.dtype != self.dtype:
                raise ShapeError(
                    f"the parameter {name} has become {array.dtype} of shape {array.shape}, but it "
                    f"is {self.dtype} of shape {view.shape}; write into it in place",
                    expected=view.shape,
                    found=array.shape,
                )
            view[...] = array
        return flat

    def size(self, vertex: Any, what: str = "size") -> int:
        """Size of the values of a vertex; ``what`` names the argument in the error."""
        return self.plans.forward.values[vertex_number(self.graph, vertex, what)].size

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._flat = self._all_parameters().copy()
        self.parameters = self.plans.packing.views(self._flat)
        self._views = dict(self.parameters)

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        return f"<Network of {len(self.graph.vertices)} vertices, {count} parameters>"


class Run:
    """The values of one forward pass, and the way back.

    Attributes
    ----------
    values : mapping
        For each vertex v, an array of shape ``(T, [batch,] size)``: its values over the
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
        self.values = _Outputs(network.graph, lease, batched)

    def __getitem__(self, node: Any) -> Array:
        """Value at a copy: ``(v, t)`` over a window, else a vertex of the graph run over."""
        if self._copies is not None:
            vertex, place = self._copies.position[node]
            value: Array = self.values[self._network.graph.vertices[vertex]][place]
            return value
        is_copy = isinstance(node, tuple) and len(node) == 2 and known(node[0], self.values)
        if not (is_copy and isinstance(node[1], int | np.integer) and 0 <= node[1] < self.steps):
            raise KeyError(
                f"{node!r} is no copy in the window; name a vertex and a step of 0 to "
                f"{self.steps - 1}, or take values[vertex] for all steps"
            )
        found: Array = self.values[node[0]][node[1]]
        return found

    @property
    def steps(self) -> int:
        """Number of steps; over a window only."""
        return self._window("steps").steps

    @property
    def state(self) -> dict[Any, Array]:
        """What the next window reads from this one: its ``initial``.

        For each vertex v that is read with a positive delay, its last k values, where k
        is the largest delay out of v. Over a window only.
        """
        return self.state_after(self._window("a state").steps)

    def state_after(self, steps: int) -> dict[Any, Array]:
        """What a window reads that begins after so many steps of this one."""
        binding = self._window("a state")
        if not isinstance(steps, (int, np.integer)):
            raise ValueError(f"a state is that after an integer number of steps, not {steps!r}")
        if not 0 <= steps <= binding.steps:
            raise ValueError(f"this run has states after 0 to {binding.steps} steps, not {steps}")
        found = {}
        for v, name in enumerate(self._network.graph.vertices):
            before = binding.before[v]
            if before:
                last = binding.buffers[v][steps : steps + before].copy()
                found[name] = last if self._batched else last[:, 0]
        return found

    def _window(self, what: str) -> WindowBinding:
        if not isinstance(self._binding, WindowBinding):
            raise ValueError(f"{what} belongs to a window; this run was over another graph")
        return self._binding

    def read(self, vertex: Any) -> Array:
        """Return ``values[vertex]`` without a copy; it may change when this run is deleted."""
        v = self._network.graph.number[vertex]
        array: Array = self._binding.in_order(v, self._binding.read(Ref(v)))
        return array if self._batched else array[:, 0]

    def backward(self, gradients: Mapping[Any, ArrayLike], *, to_state: bool = False) -> Gradients:
        """Propagate gradients of some values back to parameters, inputs and initial values.

        Parameters
        ----------
        gradients : mapping
            For some vertices v, the gradient of a loss by ``values[v]``, of its shape.
        to_state : bool
            Whether to compute the gradients by initial values with the others, rather than
            when they are read.

        Returns
        -------
        Gradients
            Exact gradients of the loss.

        Raises
        ------
        ShapeError
            If an array has not the shape of its values.
        StaleRunError
            If the parameters of the network have changed since the run was made.

        Notes
        -----
        May be called again; runs do not disturb each other.
        """
        network, binding = self._network, self._binding
        if not self._weights.are(network._all_parameters()):
            raise StaleRunError(self._changed())
        check_mapping("gradients are", gradients)
        arrays = {}
        for name, given in gradients.items():
            v = vertex_number(network.graph, name, "the gradient")
            array = as_real("the gradient", name, given, network.dtype)
            shape = binding.read(Ref(v)).shape
            shape = shape if self._batched else (shape[0], shape[2])
            if array.shape != shape:
                raise ShapeError(
                    f"the gradient of {show_vertex(name)} has shape {array.shape}, but its values "
                    f"have {shape}",
                    vertex=name,
                    expected=shape,
                    found=array.shape,
                )
            arrays[v] = array if self._batched else array[:, None]
        with network.plans.lock:
            adjoint, program, lease = self._leased(frozenset(arrays), to_state=to_state)
        own = lease.binding
        for v, k in adjoint.external.items():
            own.fill(k, v, arrays[v])
        own.compute(program, self._weights, own.sums)
        return Gradients(
            network.graph,
            network.plans.forward,
            adjoint,
            lease,
            batched=self._batched,
        )

    def _changed(self) -> str:
        """Say which parameter has changed since the run was made."""
        name = next(
            name
            for name, array in self._network.parameters.items()
            if array.tobytes() != self._weights.parameters[name].tobytes()
        )
        return (
            f"the parameter {name} has changed since this run went forward; run forward again "
            "before going backward"
        )

    def _leased(
        self, outside: frozenset[int], *, to_state: bool
    ) -> tuple[BackwardValues, Program, Lease[Any]]:
        """The plan of gradients given at some vertices, and rooms for it beside the values."""
        network, binding = self._network, self._binding
        window = self._copies is None
        adjoint, program = network.plans.adjoint(outside, window=window, to_state=to_state)
        # the rooms of the forward values stay as they are; those of the gradients are others
        free = binding.gradients.setdefault((outside, to_state), [])
        if free:
            own, _ = free.pop()
        else:
            own = binding.another()
            own.open(
                program.values,
                [*program.chosen, *adjoint.external.values()],
                network.plans.storage(adjoint, program, window=window),
            )
            own.sums = Sums(network.plans.forward, adjoint, program, own, self._weights)
        return adjoint, program, Lease(own, self._weights, free, self._lease)


class _Outputs(Mapping[Any, Array]):
    """Values of the vertices, by name; they keep the rooms in which they stand."""

    def __init__(self, graph: DelayGraph, lease: Lease[Any], batched: bool) -> None:
        self._graph, self._lease, self._batched = graph, lease, batched
        self._found: dict[Any, Array] = {}

    def __getitem__(self, vertex: Any) -> Array:
        if vertex not in self._found:
            v = self._graph.number[vertex]
            binding = self._lease.binding
            array = binding.in_order(v, binding.read(Ref(v)))
            # a copy, since another run takes over the rooms when nobody has them any more
            self._found[vertex] = (array if self._batched else array[:, 0]).copy()
            self._found[vertex].flags.writeable = False
        return self._found[vertex]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._graph.vertices)

    def __len__(self) -> int:
        return len(self._graph.vertices)
