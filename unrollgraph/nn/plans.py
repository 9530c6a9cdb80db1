"""Compiled form of a network, and reuse of the arrays of its runs.

A network is lowered once, and ordered once for windows and once for each total graph. The gradient
for losses at some vertices is lowered on first use. Arrays are kept for later runs of the same
shape, up to a limit.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from unrollgraph.errors import CyclicCoverError
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.morphism.graph_map import GraphMap
from unrollgraph.nn.buffers import (
    Lease,
    Packing,
    Passing,
    Weights,
    brief,
    fits,
    kept_for_gradients,
    packing_of,
    passing,
)
from unrollgraph.nn.compiler import Lanes, eliminated, folded, gathered, lanes_of
from unrollgraph.nn.execution_order import Copies, Schedule, Wavefronts, plan_copies, plan_levels
from unrollgraph.nn.executors.graph import CopiesBinding
from unrollgraph.nn.executors.grouped import GroupedBinding
from unrollgraph.nn.executors.weight_gradients import SUMMED
from unrollgraph.nn.executors.window import WindowBinding
from unrollgraph.nn.grouping import Grouping, Stored, grouping_of, is_grouped
from unrollgraph.nn.lowering import BackwardValues, lower, lower_adjoint

Array = NDArray[Any]
PLANS_KEPT = 8


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect no garbage: planning makes many objects, and all of them are kept."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Plans:
    """Forward and backward schedules of a network, and the arrays kept for them.

    Attributes
    ----------
    forward : ForwardValues
        The network as values.
    schedule, over_steps : Schedule
        Order of the values over a graph, and of the folded values over a window.
    lock : threading.RLock
        Must be held while plans and arrays are looked up, because threads share them.
    """

    def __init__(self, graph: DelayGraph, dtype: np.dtype[Any], backend: str) -> None:
        self.graph, self.dtype, self.backend = graph, dtype, backend
        self.forward = lower(graph, summed=True)
        self.grouped = is_grouped(graph, self.forward)
        if not self.grouped:
            self.forward = lower(graph)
        given = {"input", "indices", "constant"}
        chosen = [k for k, v in enumerate(self.forward.values) if v.kind not in given]
        self.schedule = Schedule(graph, self.forward.values, chosen, back=False)
        values = self.forward.values
        if not self.grouped:
            values = folded(values, self.forward.vertices)
        chosen += range(len(self.forward.values), len(values))
        self.over_steps = Schedule(graph, values, chosen, back=False)
        self.backward: dict[tuple[Any, ...], tuple[BackwardValues, Schedule]] = {}
        self.copies: dict[int, tuple[GraphMap, Copies, Wavefronts, dict[int, list[Any]]]] = {}
        self.free: dict[tuple[int, int], list[Any]] = {}
        self._groupings: dict[Schedule, Grouping] = {}
        self.lock = threading.RLock()

    def over_window(self, steps: int, batch: int, flat: Array) -> Lease[Any]:
        """Return a free binding over a window, or a new one."""
        free = _rooms(self.free, (steps, batch))
        if free:
            binding, weights = free.pop()
            binding.clear()
            return Lease(binding, weights, free)
        values = self.over_steps.values
        if self.grouped:
            groups = GroupedBinding(self.graph, steps, batch, self.dtype, self.packing)
            groups.open(values, range(len(values)), self.groups)
            return Lease(groups, Weights(self.packing, flat), free)
        binding = WindowBinding(
            self.graph, steps, batch, self.dtype, self.lanes, backend=self.backend
        )
        binding.open(values, range(len(values)), self.kept)
        return Lease(binding, Weights(self.packing, flat), free)

    def over_graph(
        self, fronts: Wavefronts, batch: int, free: dict[int, list[Any]], flat: Array
    ) -> Lease[CopiesBinding]:
        """Return a free binding over a graph, or a new one."""
        known = _rooms(free, batch)
        if known:
            binding, weights = known.pop()
            binding.clear()
            return Lease(binding, weights, known)
        binding = CopiesBinding(self.graph, fronts, batch, self.dtype)
        kept = kept_for_gradients(self.forward)
        binding.open(
            self.forward.values, range(len(self.forward.values)), brief(self.schedule, kept)
        )
        return Lease(binding, Weights(self.packing, flat), known)

    def forget(self, steps: int) -> None:
        """Release the arrays kept for windows with this number of steps."""
        with self.lock:
            for key in [key for key in self.free if key[0] == steps]:
                del self.free[key]

    @cached_property
    def packing(self) -> Packing:
        """Positions of the parameters in one array."""
        shapes = {name: p.shape for name, p in self.forward.parameters.items()}
        try:
            lanes = self.lanes if self.graph.dimension == 1 and not self.grouped else {}
        except CyclicCoverError:  # the network cannot run over windows
            lanes = {}
        return packing_of(shapes, self.forward.values, lanes)

    @cached_property
    def lanes(self) -> Lanes:
        """Stacks of the network over a window."""
        return lanes_of(self.over_steps)

    @cached_property
    @no_collection()
    def groups(self) -> Grouping:
        """Groups of the values over a window."""
        values = self.forward.values
        given = frozenset(range(len(values))) - frozenset(self.schedule.chosen)
        kept = kept_for_gradients(self.forward)
        stored = Stored(self.packing, {}, 0)
        return grouping_of(self.graph, values, self.schedule.chosen, given, kept, stored)

    @cached_property
    def kept(self) -> Passing:
        """Forward values that are not stored in full over a window."""
        kept = kept_for_gradients(self.forward)
        return passing(self.over_steps, kept, kept)

    @no_collection()
    def adjoint(
        self, outside: frozenset[int], *, window: bool, to_state: bool = False
    ) -> tuple[BackwardValues, Schedule]:
        """Return the gradient for losses at some vertices, planned on first use."""
        if (outside, window, to_state) not in self.backward:
            adjoint = lower_adjoint(self.forward, outside, to_state=to_state)
            if window and not self.grouped:
                count = len(self.forward.values)
                adjoint = eliminated(self.graph, adjoint, count)
                adjoint = gathered(self.graph, adjoint, count, self.lanes)
            chosen = adjoint.needed - set(adjoint.external.values())
            schedule = Schedule(self.graph, adjoint.values, chosen, back=True)
            self.backward[outside, window, to_state] = adjoint, schedule
        return self.backward[outside, window, to_state]

    @no_collection()
    def storage(
        self, adjoint: BackwardValues, schedule: Schedule, *, window: bool
    ) -> Passing | Grouping:
        """Return the gradient values that are not stored in full, or the groups of all."""
        given = adjoint.external.values()
        asked = adjoint.asked.union(given)
        if window and self.grouped:
            if schedule not in self._groupings:
                stored = Stored(self.packing, self.groups.places, len(self.groups.sizes))
                self._groupings[schedule] = grouping_of(
                    self.graph, schedule.values, schedule.chosen, given, asked, stored
                )
            return self._groupings[schedule]
        if not window:
            return brief(schedule, asked)
        # gradients of products and biases are read block by block
        kinds = {g: self.forward.values[y].kind in SUMMED for y, g in adjoint.uses}
        whole = frozenset(g for g in asked if not kinds.get(g, False))
        return passing(schedule, asked, whole)

    def plan(self, p: GraphMap) -> tuple[Copies, Wavefronts, dict[int, list[Any]]]:
        """Return the plan over a total graph and its free bindings; cached for lifts."""
        kept = self.copies.get(id(p))
        if kept is not None and kept[0] is p:
            return kept[1:]
        copies = plan_copies(self.graph, p)
        fronts = plan_levels(self.graph, copies)
        free: dict[int, list[Any]] = {}
        # a frozen view changes with its graph, a lift never changes
        if nx.is_frozen(p.total) and getattr(p.total, "projection", None) is p:
            while len(self.copies) >= PLANS_KEPT:
                self.copies.pop(next(iter(self.copies)))
            self.copies[id(p)] = p, copies, fronts, free
        return copies, fronts, free

    def __getstate__(self) -> dict[str, Any]:
        kept = {k: x for k, x in self.__dict__.items() if k not in {"lock", "groups"}}
        return {**kept, "copies": {}, "free": {}, "_groupings": {}}  # plans are computed again

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.RLock()


def _rooms(kept: dict[Any, list[Any]], shape: Any) -> list[Any]:
    """Free bindings of a shape; evicts the oldest other shapes beyond the limits."""
    found = kept.pop(shape, [])
    while len(kept) >= PLANS_KEPT or not fits(kept.values()):
        kept.pop(next(iter(kept)))
    kept[shape] = found
    return found
