"""Lifts: finite graphs with a projection to a base graph.

A `Lift` is a networkx graph whose vertices are pairs of a base vertex and a label that
distinguishes its copies. It is frozen; ``copy()`` returns an ordinary networkx graph. An edge has
the key and the attributes of its base edge; only a cyclic cover changes the delays.

Most lifts are implicit graphs. Their vertices are ``(v, s)`` for the base vertices v and the sheets
s, ordered by sheet (in a window: by time). Their adjacency is computed from the base graph on
access, so making one costs the same for every number of sheets. All networkx functions for directed
graphs work on them. Trees have no sheets and are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import networkx as nx
import numpy as np
from networkx.classes.reportviews import (
    InEdgeView,
    InMultiEdgeView,
    OutEdgeView,
    OutMultiEdgeView,
)
from numpy.typing import NDArray

from unrollgraph.cover.windows import Sheets, Window
from unrollgraph.errors import FrozenError, check_size
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.frozen import FrozenDict, Pictured
from unrollgraph.limits import MOST_ARCS
from unrollgraph.morphism.graph_map import GraphMap

if TYPE_CHECKING:
    import scipy.sparse


IntArray = NDArray[Any]


@dataclass(frozen=True)
class LiftArrays:
    """Edges of a lift as arrays, sorted by their tails.

    ``tails`` and ``heads`` are positions in ``list(lift)``; ``edges`` are numbers of base edges.
    """

    tails: IntArray
    heads: IntArray
    edges: IntArray


class Lift(Pictured, nx.DiGraph):  # type: ignore[type-arg]
    """A finite graph with a projection to a base graph; the class of all lifts.

    A lift is a networkx `DiGraph`, or a `MultiDiGraph` if its base graph is one. Use `unroll`,
    `cyclic_cover` or another function to make one.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> U = ug.unroll(ug.gallery.seed_network(), 4)
    >>> isinstance(U, ug.Lift), isinstance(U, nx.DiGraph)
    (True, True)
    >>> list(U.successors(("C", 0)))
    [('A', 1), ('out', 0)]
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an empty networkx graph, for calls of ``G.__class__()`` in networkx."""
        kind: Any = nx.MultiDiGraph if issubclass(cls, nx.MultiDiGraph) else nx.DiGraph
        return kind(*args, **kwargs)

    # -- the projection --------------------------------------------------------

    @property
    def base(self) -> nx.DiGraph[Any]:
        """The base graph, a frozen networkx graph."""
        raise NotImplementedError

    @cached_property
    def projection(self) -> GraphMap:
        """The map ``(v, s) -> v`` to the base graph."""
        raise NotImplementedError

    def project(self, node: Any) -> Any:
        """Base vertex of a vertex."""
        return self.projection(node)

    def fibre(self, vertex: Any) -> tuple[Any, ...]:
        """All vertices over a base vertex, in the order of the lift."""
        return self.projection.fibre(vertex)

    @property
    def window(self) -> range | tuple[range, ...]:
        """The range of times of a window, or the tuple of ranges."""
        raise AttributeError(
            "this lift is not a window of the delay cover; only lifts made by unroll have a window"
        )

    # -- the boundary ------------------------------------------------------------

    def boundary_in(self) -> tuple[Any, ...]:
        """Edges that enter a window or a truncated tree from outside; otherwise empty."""
        return self._boundary("in")

    def boundary_out(self) -> tuple[Any, ...]:
        """Edges that leave a window or a truncated tree; otherwise empty."""
        return self._boundary("out")

    def _boundary(self, side: str) -> tuple[Any, ...]:
        raise NotImplementedError

    # -- arrays ------------------------------------------------------------------

    def to_arrays(self) -> LiftArrays:
        """Return all edges as `LiftArrays`, sorted by tails and then by base edges.

        Vertices are numbered as in ``list(lift)``. Cost: O(edges), and sorting for trees.

        Examples
        --------
        >>> import unrollgraph as ug
        >>> arrays = ug.unroll(ug.gallery.elman(), 2).to_arrays()
        >>> arrays.tails.tolist(), arrays.heads.tolist(), arrays.edges.tolist()
        ([0, 1, 1, 3, 4], [1, 4, 2, 4, 5], [0, 1, 2, 0, 2])
        """
        raise NotImplementedError

    def to_csr(self) -> scipy.sparse.csr_array:
        """Return the adjacency matrix; entry (a, b) is the number of edges from a to b.

        Returns
        -------
        scipy.sparse.csr_array
            Rows and columns in the order of ``list(lift)``. Indices are int32, or int64 for 2**31
            or more vertices or edges. Data are int64, so that powers of the matrix count walks.
            Cost: O(edges); for windows and cyclic covers without sorting the edges.

        Examples
        --------
        >>> import unrollgraph as ug
        >>> ug.unroll(ug.gallery.elman(), 2).to_csr().toarray()[1].tolist()
        [0, 0, 1, 0, 1, 0]
        """
        import scipy.sparse  # noqa: PLC0415  (heavy: loaded on first use)

        (tails, heads), n = self._ends(), len(self)
        starts = np.zeros(n + 1, dtype=heads.dtype)
        np.cumsum(np.bincount(tails, minlength=n), out=starts[1:])
        ones = np.ones(len(heads), dtype=np.int64)
        matrix = scipy.sparse.csr_array((ones, heads, starts), shape=(n, n))
        matrix.sum_duplicates()
        return matrix

    def _ends(self) -> tuple[Any, Any]:
        """Tails and heads of the edges as vertex numbers, sorted by tails."""
        arrays = self.to_arrays()
        return arrays.tails, arrays.heads

    def _index_type(self) -> Any:
        largest = max(len(self), self.number_of_edges())
        return np.int32 if largest < 2**31 else np.int64

    # -- methods that change a graph raise -------------------------------------------

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise FrozenError("a lift is frozen; change a copy instead: H = lift.copy()")

    add_node = add_nodes_from = remove_node = remove_nodes_from = _refuse
    add_edge = add_edges_from = add_weighted_edges_from = _refuse
    remove_edge = remove_edges_from = update = clear = clear_edges = _refuse
    frozen = True


class SheetLift(Lift):
    """A lift whose adjacency is computed from the base graph and the sheets."""

    _graph: DelayGraph
    _sheets: Sheets
    _node: Mapping[Any, Any]
    _succ: Mapping[Any, Any]

    @property
    def base(self) -> nx.DiGraph[Any]:
        """The base graph, a frozen networkx graph."""
        return self._graph.base

    @property
    def delay_graph(self) -> DelayGraph:
        """The base graph as a `DelayGraph`."""
        return self._graph

    @cached_property
    def projection(self) -> GraphMap:
        """The map ``(v, s) -> v`` to the base graph."""
        return GraphMap.projecting(self, self.base, _FirstHalves(self))

    @property
    def window(self) -> range | tuple[range, ...]:
        """The range of times of a window, or the tuple of ranges."""
        if not isinstance(self._sheets, Window):
            return super().window
        axes = self._sheets.axes
        return axes[0] if len(axes) == 1 else axes

    def _boundary(self, side: str) -> tuple[Any, ...]:
        arcs = []
        for number, (u, v, *key) in enumerate(self._graph.edges):
            for inside, outside in self._sheets.boundary(number, side):
                a, b = (outside, inside) if side == "in" else (inside, outside)
                arcs.append(((u, a), (v, b), *key))
        return tuple(arcs)

    def _check_countable(self) -> None:
        count = len(self._node) + self.number_of_edges()
        check_size(
            count, MOST_ARCS, "the arrays of the lift", "take a smaller window or fewer sheets"
        )

    def to_arrays(self) -> LiftArrays:
        """Return all edges as arrays."""
        self._check_countable()
        edges = np.argsort(self._graph.tails, kind="stable")
        dtype = self._index_type()
        blocks = self._sheets.blocks(edges, [edges.astype(dtype)], dtype)
        tails = np.repeat(np.arange(len(self), dtype=dtype), np.diff(blocks.starts))
        return LiftArrays(tails, blocks.heads, blocks.columns[0])

    def to_csr(self) -> scipy.sparse.csr_array:
        """Return the adjacency matrix; entry (a, b) is the number of edges from a to b."""
        self._check_countable()
        residues = self._sheets.residues()
        if residues is None:
            return super().to_csr()
        import scipy.sparse  # noqa: PLC0415  (heavy: loaded on first use)

        graph = self._graph
        keys = [graph.heads, *residues.T[::-1], graph.tails]
        order = np.lexsort(keys)
        fresh = np.ones(len(order), dtype=bool)
        for key in keys:
            fresh[1:] &= key[order[1:]] == key[order[:-1]]
        fresh[1:] = ~fresh[1:]
        first = np.flatnonzero(fresh)
        times = np.diff(np.append(first, len(order)))
        repeated = bool(np.any(times > 1))
        blocks = self._sheets.blocks(order[first], [times] if repeated else [], self._index_type())
        data = blocks.columns[0] if repeated else np.ones(len(blocks.heads), dtype=np.int64)
        shape = (len(self), len(self))
        matrix = scipy.sparse.csr_array((data, blocks.heads, blocks.starts), shape=shape)
        if isinstance(self._sheets, Window):  # rows are sorted by time, then by vertex
            matrix.has_canonical_format = True
        return matrix

    # -- methods of networkx with a closed formula ------------------------------------

    def number_of_edges(self, u: Any = None, v: Any = None) -> int:
        """Number of edges, or of the edges from u to v."""
        if u is None:
            return self._sheets.count()
        row = self._succ[u]
        return len(row.get(v, ())) if self._graph.multigraph else int(v in row)

    def size(self, weight: str | None = None) -> Any:
        """Number of edges, or sum of the edge attribute ``weight``."""
        if weight is None:
            return self.number_of_edges()
        return super().size(weight)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return make_lift, (self._graph, self._sheets)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} of {len(self._graph.vertices)} vertices: "
            f"{len(self._node)} nodes, {self.number_of_edges()} edges>"
        )


class _Counted:
    """A view of all edges of a lift, with ``len`` computed without iteration."""

    __slots__ = ()
    _graph: Any

    def __len__(self) -> int:
        return int(self._graph.number_of_edges())


class _OutArcs(_Counted, OutEdgeView):  # type: ignore[type-arg]
    ...


class _InArcs(_Counted, InEdgeView):  # type: ignore[type-arg]
    ...


class _OutMultiArcs(_Counted, OutMultiEdgeView):  # type: ignore[type-arg]
    ...


class _InMultiArcs(_Counted, InMultiEdgeView):  # type: ignore[type-arg]
    ...


class DiLift(SheetLift):
    """A lift of a `DiGraph`."""

    edges = cached_property(_OutArcs)
    out_edges = cached_property(_OutArcs)
    in_edges = cached_property(_InArcs)


class MultiDiLift(SheetLift, nx.MultiDiGraph):  # type: ignore[type-arg]
    """A lift of a `MultiDiGraph`."""

    edges = cached_property(_OutMultiArcs)
    out_edges = cached_property(_OutMultiArcs)
    in_edges = cached_property(_InMultiArcs)


def make_lift(graph: DelayGraph, sheets: Sheets) -> Lift:
    """Make the lift of a delay graph with the given sheets."""
    lift: Any = object.__new__(MultiDiLift if graph.multigraph else DiLift)
    lift._graph = graph
    lift._sheets = sheets
    lift.graph = graph.graph_data
    lift._node = _Nodes(lift)
    lift._succ = lift._adj = _Adjacency(lift, "out")
    lift._pred = _Adjacency(lift, "in")
    lift.__networkx_cache__ = {}
    made: Lift = lift
    return made


# -- the mappings that networkx reads ------------------------------------------------


class _OverNodes(Mapping[Any, Any]):
    """A mapping whose keys are the vertices of a lift."""

    __slots__ = ("_lift",)

    def __init__(self, lift: Any) -> None:
        self._lift = lift

    def __len__(self) -> int:
        return len(self._lift._graph.vertices) * len(self._lift._sheets)

    def __iter__(self) -> Iterator[Any]:
        vertices = self._lift._graph.vertices
        return ((vertex, sheet) for sheet in self._lift._sheets for vertex in vertices)

    def _find(self, node: Any) -> tuple[int, Any]:
        """Return the number of the base vertex and the sheet, or raise `KeyError`."""
        if isinstance(node, tuple) and len(node) == 2:
            sheet = self._lift._sheets.find(node[1])
            if sheet is not None:
                return self._lift._graph.number[node[0]], sheet
        raise KeyError(node)

    def __contains__(self, node: Any) -> bool:
        try:
            self._find(node)
        except KeyError:
            return False
        return True

    def written(self, node: Any) -> Any:
        """Return the vertex of the lift that is equal to ``node``."""
        number, sheet = self._find(node)
        return self._lift._graph.vertices[number], sheet


class _Nodes(_OverNodes):
    """Attributes of the vertices, those of their base vertices."""

    __slots__ = ()

    def __getitem__(self, node: Any) -> FrozenDict:
        data: FrozenDict = self._lift._graph.vertex_data[self._find(node)[0]]
        return data


class _FirstHalves(_OverNodes):
    """The projection of the vertices as a mapping."""

    __slots__ = ()

    def __getitem__(self, node: Any) -> Any:
        return self._lift._graph.vertices[self._find(node)[0]]

    def fibre(self, vertex: Any) -> tuple[Any, ...]:
        """All vertices over a base vertex, in the order of the sheets."""
        return tuple([(vertex, sheet) for sheet in self._lift._sheets])


class _Adjacency(_OverNodes):
    """Successors or predecessors of each vertex, with the attributes of the edges."""

    __slots__ = ("_side",)

    def __init__(self, lift: Any, side: str) -> None:
        super().__init__(lift)
        self._side = side

    def __getitem__(self, node: Any) -> FrozenDict:
        number, sheet = self._find(node)
        graph, sheets = self._lift._graph, self._lift._sheets
        row: dict[Any, Any] = {}
        outward = self._side == "out"
        for e in graph.out_numbers[number] if outward else sheets.entering(number, sheet):
            other = sheets.forward(e, sheet) if outward else sheets.backward(e, sheet)
            if other is None:
                continue
            edge = graph.edges[e]
            data = sheets.data(e, sheet if outward else other)
            neighbor = (edge[1] if outward else edge[0], other)
            if graph.multigraph:
                row.setdefault(neighbor, {})[edge[2]] = data
            else:
                row[neighbor] = data
        if graph.multigraph:
            row = {neighbor: FrozenDict(keyed) for neighbor, keyed in row.items()}
        return FrozenDict(row)
