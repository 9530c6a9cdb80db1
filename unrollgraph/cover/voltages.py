"""Lifts by voltages: each edge permutes the sheets.

Every edge carries a permutation a of n sheets, its *voltage*. The lift has the vertices ``(v, s)``
for every base vertex v and every sheet s, and an edge ``u -> v`` of voltage a has the copies
``(u, s) -> (v, a(s))``. The projection is a covering, and every covering with n sheets is
isomorphic to such a lift (J. L. Gross and T. W. Tucker, Topological Graph Theory, 1987, ch. 2). The
delay cover is the infinite analogue: an edge adds its delay to the time.

If the sheets are the elements of a group and the voltage of an edge multiplies them by an element
from the right, the lift is the *derived graph*. Multiplication by an element from the left is then
a deck transformation, and these act transitively on every fibre.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.lift import Lift, make_lift
from unrollgraph.cover.windows import EdgeBlocks, write_shifted
from unrollgraph.errors import VoltageError, check_size, show_kind
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import as_time, check_integer, integer
from unrollgraph.limits import MOST_ARCS, MOST_OBJECTS

if TYPE_CHECKING:
    from sympy.combinatorics import PermutationGroup

IntArray = NDArray[Any]

_ABSENT: Any = object()


@dataclass(frozen=True, eq=False)
class Permuted:
    """Sheets that the edges permute: edge e maps sheet s to ``table[which[e], s]``."""

    graph: DelayGraph
    names: Sequence[Any]  # label of each sheet in the vertices
    table: IntArray
    which: IntArray

    @cached_property
    def _number(self) -> dict[Any, int]:
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def _inverse(self) -> IntArray:
        return np.argsort(self.table, axis=1)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.names)

    def find(self, sheet: Any) -> Any:
        try:
            if isinstance(self.names, range):
                number = as_time(sheet, 1)
                return number if number in self.names else None
            return self.names[self._number[sheet]]
        except (KeyError, TypeError):
            return None

    def entering(self, vertex: int, sheet: Any) -> Sequence[int]:
        tails, number = self.graph.tails, self._number_of(sheet)
        edges = self.graph.in_numbers[vertex]
        return sorted(edges, key=lambda e: (self._inverse[self.which[e], number], tails[e]))

    def _number_of(self, sheet: Any) -> int:
        number: int = sheet if isinstance(self.names, range) else self._number[sheet]
        return number

    def forward(self, edge: int, sheet: Any) -> Any:
        return self.names[self.table[self.which[edge], self._number_of(sheet)]]

    def backward(self, edge: int, sheet: Any) -> Any:
        return self.names[self._inverse[self.which[edge], self._number_of(sheet)]]

    def data(self, edge: int, sheet: Any) -> FrozenDict:  # noqa: ARG002
        return self.graph.edge_data[edge]

    def count(self) -> int:
        return len(self) * len(self.graph.edges)

    def boundary(self, edge: int, side: str) -> Iterator[tuple[Any, Any]]:  # noqa: ARG002
        return iter(())

    def blocks(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> EdgeBlocks:
        n, sheets = len(self.graph.vertices), len(self)
        ends = np.cumsum(np.bincount(self.graph.tails[edges], minlength=n))
        starts = np.zeros(n * sheets + 1, dtype=dtype)
        write_shifted(ends.astype(dtype), 0, len(edges), sheets, starts[1:])
        heads = self.table.T.astype(dtype)[:, self.which[edges]] * dtype(n)
        heads += self.graph.heads[edges].astype(dtype)
        return EdgeBlocks(starts, heads.ravel(), [np.tile(column, sheets) for column in columns])

    def residues(self) -> None:
        # parallel edges can have the same head at some sheets and not at others
        return None


# -- constructors ----------------------------------------------------------------------


def permutation_lift(G: GraphLike, *, voltage: str = "voltage", delay: str = "delay") -> Lift:
    """Lift a graph by a permutation of the sheets on each edge.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    voltage : str
        Edge attribute of the permutations of 0, ..., n - 1, with the same n on all edges: the
        sequence of images ``(a(0), ..., a(n - 1))`` or a SymPy permutation. Without the attribute
        an edge carries the identity.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Lift
        Vertices ``(v, s)`` with 0 <= s < n. Every edge of voltage a has a copy
        ``(u, s) -> (v, a(s))`` for each s, with the same delay. The projection is a covering. Cost:
        O(size of G and its voltages); edges are computed on access, not stored.

    Raises
    ------
    VoltageError
        If a voltage is not a permutation, two have different lengths, or no edge has one.

    References
    ----------
    J. L. Gross and T. W. Tucker, Generating all graph coverings by permutation voltage assignments,
    Discrete Mathematics 18 (1977).

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> G = nx.MultiDiGraph()
    >>> edges = [("v", "v", "a", {"voltage": (1, 2, 0)}), ("v", "v", "b", {"voltage": (1, 0, 2)})]
    >>> _ = G.add_edges_from(edges)
    >>> lift = ug.permutation_lift(G)
    >>> list(lift.edges(("v", 2), keys=True))
    [(('v', 2), ('v', 0), 'a'), (('v', 2), ('v', 2), 'b')]
    >>> ug.is_covering(lift)
    True
    """
    graph = as_delay_graph(G, delay)
    forms = _array_forms(graph, voltage)
    if not any(forms):
        raise VoltageError(
            f"no edge has a permutation as attribute {voltage!r}, so the number of sheets is "
            "unknown; set the attribute on at least one edge, for example to the identity"
        )
    lengths = [len(form or ()) for form in forms]
    sheets = max(lengths)
    longest = graph.edges[lengths.index(sheets)]
    for edge, form in zip(graph.edges, forms, strict=True):
        if form is not None and not _fits(form, sheets):
            raise VoltageError(
                f"the voltage of edge {edge!r} permutes {len(form)} sheets, but that of edge "
                f"{longest!r} permutes {sheets}; give all voltages the same length",
                edge=edge,
                value=form,
            )
    table, which = _tabled(forms, sheets)
    return make_lift(graph, Permuted(graph, range(sheets), table, which))


def derived_graph(
    G: GraphLike, group: PermutationGroup, *, voltage: str = "voltage", delay: str = "delay"
) -> Lift:
    """Lift a graph by an element of a finite group on each edge.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    group : sympy.combinatorics.PermutationGroup
        The group.
    voltage : str
        Edge attribute of the group elements, as SymPy permutations or their array forms. Without
        the attribute an edge carries the identity.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Lift
        Vertices ``(v, g)`` for the array forms g of all elements, in lexicographic order. Every
        edge of voltage a has a copy ``(u, g) -> (v, g * a)`` for each g, with the same delay; as in
        SymPy, ``g * a`` applies g first. The projection is a covering, and ``(v, g) -> (v, h * g)``
        is a deck transformation for every h. Cost: O(order x degree) for the list of elements and
        for each distinct voltage; edges are computed on access, not stored. SymPy first computes a
        stabilizer chain, which takes seconds for degrees above 50.

    Raises
    ------
    VoltageError
        If a voltage is not an element of the group.
    TypeError, ValueError
        If ``group`` is not a SymPy permutation group of degree >= 1 or is too large, or ``G`` is
        not a directed graph.

    References
    ----------
    J. L. Gross, Voltage graphs, Discrete Mathematics 9 (1974).

    Examples
    --------
    >>> import networkx as nx
    >>> from sympy.combinatorics import SymmetricGroup
    >>> import unrollgraph as ug
    >>> G = nx.MultiDiGraph()
    >>> edges = [("v", "v", "r", {"voltage": (1, 2, 0)}), ("v", "v", "s", {"voltage": (1, 0, 2)})]
    >>> _ = G.add_edges_from(edges)
    >>> cayley = ug.derived_graph(G, SymmetricGroup(3))
    >>> len(cayley), list(cayley.successors(("v", (0, 2, 1))))
    (6, [('v', (1, 0, 2)), ('v', (1, 2, 0))])
    """
    graph = as_delay_graph(G, delay)
    elements = _elements(group)
    degree = elements.shape[1]
    forms = _array_forms(graph, voltage)
    for edge, form in zip(graph.edges, forms, strict=True):
        if form is not None and not _fits(form, degree):
            raise _stranger(edge, form)
    images, which = _tabled(forms, degree)
    hint = "take a smaller group, or fewer distinct voltages"
    check_size(len(images) * len(elements), MOST_OBJECTS, "the table of products", hint)
    table = np.empty((len(images), len(elements)), dtype=np.int64)
    for row, image in enumerate(images):
        # if the voltage is in the group, its products are the elements in another order
        found, at = np.unique(image[elements], axis=0, return_inverse=True)
        table[row] = at.ravel()
        if not np.array_equal(found, elements):
            e = int(np.flatnonzero(which == row)[0])
            raise _stranger(graph.edges[e], forms[e])
    names = tuple(map(tuple, elements.tolist()))
    return make_lift(graph, Permuted(graph, names, table, which))


def random_lift(
    G: GraphLike,
    sheets: int,
    seed: int | np.random.Generator | None = None,
    *,
    delay: str = "delay",
) -> Lift:
    """Lift a graph by a random permutation of the sheets on each edge.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph.
    sheets : int
        Number of sheets, at least 1.
    seed : int or numpy.random.Generator, optional
        Argument of `numpy.random.default_rng`; an int makes the result reproducible.
    delay : str
        Edge attribute of the delays.

    Returns
    -------
    Lift
        Vertices ``(v, s)`` with 0 <= s < sheets. The permutations are independent and uniformly
        distributed. The projection is a covering. Cost: O(edges x sheets). To walk along edges in
        both directions, use ``with_reverses(random_lift(G, sheets))``:
        ``random_lift(with_reverses(G), sheets)`` would lift an edge and its reverse independently.

    Raises
    ------
    ValueError
        If ``sheets`` is not a positive integer, or the lift would have more than 10**9 edges.

    References
    ----------
    A. Amit and N. Linial, Random graph coverings I, Combinatorica 22 (2002).

    Examples
    --------
    >>> import unrollgraph as ug
    >>> lift = ug.random_lift(ug.gallery.lstm(), 5, seed=0)
    >>> ug.is_covering(lift), len(lift.fibre("h"))
    (True, 5)
    """
    graph = as_delay_graph(G, delay)
    n = check_integer(sheets, "the number of sheets", 1)
    m = len(graph.edges)
    check_size(max(m, 1) * n, MOST_ARCS, "the random permutations", "take fewer sheets")
    rows = np.broadcast_to(np.arange(n), (m, n))
    table = np.random.default_rng(seed).permuted(rows, axis=1)
    return make_lift(graph, Permuted(graph, range(n), table, np.arange(m)))


# -- permutations as arrays --------------------------------------------------------------


class _Open(tuple[int, ...]):
    """Images under a permutation that fixes all larger numbers."""

    __slots__ = ()


def _array_forms(graph: DelayGraph, name: str) -> list[tuple[int, ...] | None]:
    """Images of 0, 1, ... under the voltage of each edge, or None without a voltage."""
    values = graph.edge_values(name, _ABSENT)
    return [
        None if value is _ABSENT else _array_form(value, edge)
        for edge, value in zip(graph.edges, values, strict=True)
    ]


def _array_form(value: Any, edge: Any) -> tuple[int, ...]:
    images = getattr(value, "array_form", None)
    form: tuple[int, ...] | None = None
    try:
        if images is not None:
            form = _Open(images)
        elif isinstance(value, Sequence | np.ndarray):
            form = tuple(map(integer, value))
    except TypeError:
        pass
    if form is None or sorted(form) != list(range(len(form))) or (images is None and not form):
        hint = "; use cyclic_cover for integer delays" if isinstance(value, int) else ""
        raise VoltageError(
            f"invalid voltage {value!r} on edge {edge!r}: a voltage must be a permutation, a "
            f"sequence that contains each of 0, ..., n - 1 once{hint}",
            edge=edge,
            value=value,
        )
    return form


def _fits(form: tuple[int, ...], degree: int) -> bool:
    return len(form) == degree or (isinstance(form, _Open) and len(form) < degree)


def _tabled(forms: list[tuple[int, ...] | None], degree: int) -> tuple[IntArray, IntArray]:
    """Return the distinct permutations as rows, and the row of each edge."""
    rows: dict[tuple[int, ...], int] = {}
    which = []
    for form in forms:
        known = form or ()
        whole = (*known, *range(len(known), degree))
        which.append(rows.setdefault(whole, len(rows)))
    table = np.array(list(rows), dtype=np.int64).reshape(-1, degree)
    return table, np.array(which, dtype=np.int64)


def _elements(group: Any) -> IntArray:
    """Array forms of all elements of a permutation group, in lexicographic order."""
    if not hasattr(group, "basic_transversals"):
        raise TypeError(
            "group must be a sympy.combinatorics.PermutationGroup, not "
            f"{show_kind(group)}; for permutations of sheets use permutation_lift"
        )
    order, degree = int(group.order()), int(group.degree)
    if not degree:
        raise ValueError("the group has degree 0; use a positive degree, as in SymmetricGroup(1)")
    hint = "take a smaller group, or use permutation_lift with the permuted points as sheets"
    check_size(order * degree, MOST_OBJECTS, "the list of the elements of the group", hint)
    # an element is a product with one factor from each transversal of the stabilizer chain
    elements = np.arange(degree)[None, :]
    for transversal in reversed(group.basic_transversals):
        steps = np.array([step.array_form for step in transversal.values()])
        elements = steps[:, elements].reshape(-1, degree)
    return elements[np.lexsort(elements.T[::-1])]


def _stranger(edge: Any, form: Any) -> VoltageError:
    return VoltageError(
        f"invalid voltage {tuple(form)!r} on edge {edge!r}: it is not an element of the group; "
        "add it to the generators, or use an element of the group",
        edge=edge,
        value=tuple(form),
    )
