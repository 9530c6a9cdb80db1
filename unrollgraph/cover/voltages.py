"""Lifts by voltages: each edge permutes the sheets.

Let every edge carry a permutation of n sheets, its *voltage*. Above each vertex lie n
copies, and an edge ``u -> v`` of voltage a has the copies ``(u, s) -> (v, a(s))``. The
projection is a covering, since a permutation leads to every sheet from exactly one; and
every covering with n sheets arises so (Gross & Tucker). It is the finite counterpart of
the delay cover, in which an edge moves the time by its delay.

If the sheets are the elements of a group, and the voltage of an edge multiplies by one of
them from the right, this is the *derived graph*: multiplying by any element from the
left is a deck transformation, so that all copies of a vertex look alike.

References
----------
J. L. Gross, Voltage graphs, Discrete Mathematics 9 (1974). J. L. Gross and T. W. Tucker,
Topological Graph Theory (Wiley, 1987), ch. 2. A. Amit and N. Linial, Random graph
coverings I, Combinatorica 22 (2002).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.lift import make_lift
from unrollgraph.cover.windows import Fold, climb
from unrollgraph.errors import VoltageError, check_size, show_edge, show_kind
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.graph.frozen import FrozenDict
from unrollgraph.graph.times import as_time, check_integer, integer
from unrollgraph.limits import MOST_ARCS, MOST_OBJECTS

IntArray = NDArray[Any]

_ABSENT: Any = object()


@dataclass(frozen=True, eq=False)
class Permuted:
    """Sheets that are permuted by the edges.

    ``names[s]`` is sheet s as it is written in a vertex. Edge e leads from it to sheet
    ``table[which[e], s]``.
    """

    graph: DelayGraph
    names: Sequence[Any]
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

    def fold(self, edges: IntArray, columns: list[IntArray], dtype: Any) -> Fold:
        n, sheets = len(self.graph.vertices), len(self)
        ends = np.cumsum(np.bincount(self.graph.tails[edges], minlength=n))
        starts = np.zeros(n * sheets + 1, dtype=dtype)
        climb(ends.astype(dtype), 0, len(edges), sheets, starts[1:])
        heads = self.table.T.astype(dtype)[:, self.which[edges]] * dtype(n)
        heads += self.graph.heads[edges].astype(dtype)
        return Fold(starts, heads.ravel(), [np.tile(column, sheets) for column in columns])

    def residues(self) -> None:
        return None


# -- constructors ----------------------------------------------------------------------


def permutation_lift(G: Any, *, voltage: str = "voltage", delay: str = "delay") -> Any:
    """Lift a graph along permutations on its edges.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A graph whose edges carry permutations of 0, ..., n - 1, all of the same n: as
        sequences of the images ``(a(0), ..., a(n - 1))``, or as SymPy permutations. An
        edge without one leaves the sheets in place.
    voltage : str
        The edge attribute that holds the permutation.
    delay : str
        The edge attribute that holds the delay; delays are kept, and play no part.

    Returns
    -------
    Lift
        Vertices ``(v, s)`` with 0 <= s < n; an arc ``(u, s) -> (v, a(s))`` for every
        edge of voltage a and every s. Its projection is a covering.

    Raises
    ------
    VoltageError
        If a voltage is no permutation, two differ in length, or there is none.

    Notes
    -----
    O(size of G, its voltages included); nothing is stored per arc.

    References
    ----------
    J. L. Gross and T. W. Tucker, Generating all graph coverings by permutation voltage
    assignments, Discrete Mathematics 18 (1977).

    Examples
    --------
    The figure eight, covered three times.

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
            f"no edge carries a permutation as its attribute {voltage!r}, so there is nothing to "
            "tell the number of sheets; give one to some edge, if only the identity"
        )
    lengths = [len(form or ()) for form in forms]
    sheets = max(lengths)
    longest = graph.edges[lengths.index(sheets)]
    for edge, form in zip(graph.edges, forms, strict=True):
        if form is not None and not _fits(form, sheets):
            raise VoltageError(
                f"edge {show_edge(edge)} permutes {len(form)} sheets, but edge "
                f"{show_edge(longest)} permutes {sheets}; write all of them out to the same length",
                edge=edge,
                value=form,
            )
    table, which = _tabled(forms, sheets)
    return make_lift(graph, Permuted(graph, range(sheets), table, which))


def derived_graph(G: Any, group: Any, *, voltage: str = "voltage", delay: str = "delay") -> Any:
    """Lift a graph along elements of a finite group on its edges.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A graph whose edges carry elements of the group, as SymPy permutations or in their
        array forms. An edge without one carries the identity.
    group : sympy.combinatorics.PermutationGroup
        The group.
    voltage : str
        The edge attribute that holds the element.
    delay : str
        The edge attribute that holds the delay; delays are kept, and play no part.

    Returns
    -------
    Lift
        Vertices ``(v, g)`` for every element g, named by its array form, identity first
        and then in lexicographic order; an arc ``(u, g) -> (v, g * a)`` for every edge of
        voltage a and every g. As in SymPy ``g * a`` is first g and then a. Its projection
        is a covering, and ``(v, g) -> (v, h * g)`` a deck transformation for every h.

    Raises
    ------
    VoltageError
        If a voltage is no element of the group.
    TypeError
        If ``group`` is no group of SymPy, or ``G`` no directed graph of networkx.
    ValueError
        If the group is too large for its elements to be listed.

    Notes
    -----
    The group is listed once: O(order x degree), and as much for each of the different
    voltages. Nothing is stored per arc. Before that SymPy finds a chain of stabilisers,
    which takes seconds for degrees beyond 50.

    References
    ----------
    J. L. Gross, Voltage graphs, Discrete Mathematics 9 (1974).

    Examples
    --------
    One vertex and two loops: the Cayley graph of the group of the triangle.

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
    hint = "take a smaller group, or fewer voltages"
    check_size(len(images) * len(elements), MOST_OBJECTS, "the table of products", hint)
    table = np.empty((len(images), len(elements)), dtype=np.int64)
    for row, image in enumerate(images):
        # the products are the elements in another order, or none of them is one
        found, at = np.unique(image[elements], axis=0, return_inverse=True)
        table[row] = at.ravel()
        if not np.array_equal(found, elements):
            e = int(np.flatnonzero(which == row)[0])
            raise _stranger(graph.edges[e], forms[e])
    names = tuple(map(tuple, elements.tolist()))
    return make_lift(graph, Permuted(graph, names, table, which))


def random_lift(G: Any, sheets: Any, seed: Any = None, *, delay: str = "delay") -> Any:
    """Lift a graph along random permutations, each edge by its own.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph or DelayGraph
        A directed graph.
    sheets : int
        Number of sheets, at least 1.
    seed : int or numpy.random.Generator, optional
        What `numpy.random.default_rng` takes; with an int the lift is always the same.
    delay : str
        The edge attribute that holds the delay; delays are kept, and play no part.

    Returns
    -------
    Lift
        Vertices ``(v, s)`` with 0 <= s < sheets. Its projection is a covering, drawn
        uniformly from all that `permutation_lift` makes with so many sheets.

    Raises
    ------
    ValueError
        If ``sheets`` is no positive integer, or so large that there are more than 10**9
        arcs.

    Notes
    -----
    O(edges x sheets). Where edges are walked both ways take
    ``with_reverses(random_lift(G, sheets))``, not the other way about, which would lift an
    edge and its reverse independently.

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
    """Images under a permutation that leaves in place whatever it does not mention."""

    __slots__ = ()


def _array_forms(graph: DelayGraph, name: str) -> list[tuple[int, ...] | None]:
    """Images of 0, 1, ... under the permutation of each edge; None where there is none."""
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
        hint = "; an integer is a delay, as for cyclic_cover" if isinstance(value, int) else ""
        raise VoltageError(
            f"edge {show_edge(edge)} has the voltage {value!r}, but a voltage is a permutation: "
            f"a sequence in which each of 0, ..., n - 1 stands once{hint}",
            edge=edge,
            value=value,
        )
    return form


def _fits(form: tuple[int, ...], degree: int) -> bool:
    return len(form) == degree or (isinstance(form, _Open) and len(form) < degree)


def _tabled(forms: list[tuple[int, ...] | None], degree: int) -> tuple[IntArray, IntArray]:
    """Return the different permutations as rows, and the row of each edge."""
    rows: dict[tuple[int, ...], int] = {}
    which = []
    for form in forms:
        known = form or ()
        whole = (*known, *range(len(known), degree))
        which.append(rows.setdefault(whole, len(rows)))
    table = np.array(list(rows), dtype=np.int64).reshape(-1, degree)
    return table, np.array(which, dtype=np.int64)


def _elements(group: Any) -> IntArray:
    """All elements of a permutation group in their array forms, in lexicographic order.

    An element is a product of one representative of each step of a chain of stabilisers.
    """
    if not hasattr(group, "basic_transversals"):
        raise TypeError(
            "the group is a sympy.combinatorics.PermutationGroup, not "
            f"{show_kind(group)}; for permutations of sheets use permutation_lift"
        )
    order, degree = int(group.order()), int(group.degree)
    if not degree:
        raise ValueError("the group permutes nothing; give it a degree, as in SymmetricGroup(1)")
    hint = "take a smaller group, or permutation_lift over the points it permutes"
    check_size(order * degree, MOST_OBJECTS, "the list of the elements of the group", hint)
    elements = np.arange(degree)[None, :]
    for transversal in reversed(group.basic_transversals):
        steps = np.array([step.array_form for step in transversal.values()])
        elements = steps[:, elements].reshape(-1, degree)
    return elements[np.lexsort(elements.T[::-1])]


def _stranger(edge: Any, form: Any) -> VoltageError:
    return VoltageError(
        f"edge {show_edge(edge)} has the voltage {tuple(form)!r}, which is no element of the "
        "group; add it to the generators, or take one that is",
        edge=edge,
        value=tuple(form),
    )
