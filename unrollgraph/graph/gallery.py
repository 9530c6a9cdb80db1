"""Example delay graphs without operations: recurrent networks, crystal nets, voltage graphs.

Each function returns a new networkx `DiGraph`, or a `MultiDiGraph` if there may be parallel edges.
In recurrent networks the input is ``x`` and the output ``y``, or the last layer (``in`` and ``out``
in the seed network). Crystal nets have delays in Z^3, and finite covers of `bouquet`, `dipole` and
`dumbbell` are well-known graphs. These graphs contain each edge in one direction; `with_reverses`
adds the opposite edges.

References
----------
S. Zhang et al., Architectural complexity measures of recurrent neural networks, NIPS 2016, arXiv
1602.08210. R. Pascanu et al., How to construct deep recurrent neural networks, ICLR 2014, arXiv
1312.6026. J. Koutnik et al., A clockwork RNN, ICML 2014. S. Chang et al., Dilated recurrent neural
networks, NIPS 2017, arXiv 1710.02224. A. Graves, S. Fernandez, J. Schmidhuber, Multi-dimensional
recurrent neural networks, ICANN 2007. J. L. Gross, T. W. Tucker, Topological Graph Theory (1987),
ch. 2. T. Sunada, Crystals that nature might miss creating, Notices of the AMS 55 (2008).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import networkx as nx

__all__ = [
    "bidirectional",
    "bottom_up",
    "bouquet",
    "clockwork",
    "deep_output",
    "deep_transition",
    "diamond",
    "dilated",
    "dipole",
    "driven_rings",
    "dumbbell",
    "elman",
    "grid_2d",
    "lstm",
    "narx",
    "opposed_pair",
    "recurrent_highway",
    "regular_skip",
    "same_layer_skips",
    "seed_network",
    "skip",
    "srs",
    "stacked",
    "top_down",
]

_Wire = tuple[Any, Any, Any]


def seed_network() -> nx.DiGraph[str]:
    """Return the path ``in -> A -> B -> C -> out`` with an edge ``C -> A`` of delay 1.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> list(ug.gallery.seed_network().edges(data="delay"))  # doctest: +NORMALIZE_WHITESPACE
    [('in', 'A', 0), ('A', 'B', 0), ('B', 'C', 0), ('C', 'A', 1), ('C', 'out', 0)]
    """
    return _simple(
        [("in", "A", 0), ("A", "B", 0), ("B", "C", 0), ("C", "A", 1), ("C", "out", 0)],
        vertices=["in", "A", "B", "C", "out"],
    )


def elman() -> nx.DiGraph[str]:
    """Return an Elman network: one layer ``h`` with a loop of delay 1."""
    return _simple([("x", "h", 0), ("h", "h", 1), ("h", "y", 0)])


def stacked(layers: int = 2) -> nx.DiGraph[str]:
    """Return stacked recurrent layers ``h1, h2, ...``, each with a loop of delay 1."""
    _at_least(1, layers=layers)
    return _simple(_stack([1] * layers, "y"))


def bottom_up(delay: int = 1) -> nx.MultiDiGraph[str]:
    """Return two stacked layers with a second edge ``h1 -> h2`` of the given delay."""
    return _parallel([*_stack([1, 1], "y"), ("h1", "h2", delay)])


def top_down(delay: int = 1) -> nx.DiGraph[str]:
    """Return two stacked layers with an edge ``h2 -> h1`` of the given delay."""
    return _simple([*_stack([1, 1], "y"), ("h2", "h1", delay)])


def skip(delay: int) -> nx.MultiDiGraph[str]:
    """Return one recurrent layer with a second loop of the given delay."""
    return _parallel([("x", "h", 0), ("h", "h", 1), ("h", "h", delay), ("h", "y", 0)])


def same_layer_skips(delay: int) -> nx.MultiDiGraph[str]:
    """Return two stacked layers, each with a second loop of the given delay."""
    return _parallel([*_stack([1, 1], "y"), ("h1", "h1", delay), ("h2", "h2", delay)])


def regular_skip(layers: int, delay: int) -> nx.MultiDiGraph[str]:
    """Return stacked layers, the first with a second loop; the last layer is the output."""
    _at_least(1, layers=layers)
    return _parallel([*_stack([1] * layers, None), ("h1", "h1", delay)])


def deep_transition(shortcut: bool = False) -> nx.DiGraph[str]:
    """Return a DT-RNN, with a layer ``m`` between states ``h``; with a loop at ``h`` DT(S)-RNN."""
    edges = [("x", "m", 0), ("h", "m", 1), ("m", "h", 0), ("h", "y", 0)]
    return _simple([*edges, ("h", "h", 1)] if shortcut else edges)


def deep_output(shortcut: bool = False) -> nx.DiGraph[str]:
    """Return a DOT-RNN: `deep_transition` with a layer ``o`` before the output."""
    edges = [("x", "m", 0), ("h", "m", 1), ("m", "h", 0), ("h", "o", 0), ("o", "y", 0)]
    return _simple([*edges, ("h", "h", 1)] if shortcut else edges)


def recurrent_highway(depth: int) -> nx.DiGraph[str]:
    """Return a path of ``depth`` layers with an edge of delay 1 from the last to the first."""
    _at_least(1, depth=depth)
    chain = [(f"s{i}", f"s{i + 1}", 0) for i in range(1, depth)]
    return _simple([("x", "s1", 0), *chain, (f"s{depth}", "s1", 1), (f"s{depth}", "y", 0)])


def narx(order: int) -> nx.MultiDiGraph[str]:
    """Return one layer with loops of delay 1, 2, ..., ``order``."""
    _at_least(1, order=order)
    return _memory(range(1, order + 1))


def dilated(layers: int) -> nx.DiGraph[str]:
    """Return stacked layers with loops of delay 1, 2, 4, ...; the last layer is the output."""
    _at_least(1, layers=layers)
    return _simple(_stack([2**i for i in range(layers)], None))


def clockwork(
    periods: Sequence[int] = (1, 2, 4), ticks: bool = False
) -> nx.DiGraph[tuple[int, int]]:
    """Return a clockwork RNN, in which one step consists of ``lcm(periods)`` ticks.

    Vertex ``(i, g)`` is module g at tick i of a step, for each i that is divisible by its period.
    It has edges from all modules of the same or a longer period. Delays are in steps, to draw and
    run the network. With ``ticks`` they are in ticks, to measure depths; then the cover consists
    of ``lcm(periods)`` copies of the network.
    """
    edges = _clockwork(periods)
    if ticks:
        return _simple([(u, v, v[0] - u[0] + d) for u, v, d in edges])
    return _simple([(u, v, d // _lcm(periods)) for u, v, d in edges])


def driven_rings(first: int = 2, second: int = 3, start: int = 2) -> nx.DiGraph[str]:
    """Return rings ``a0, a1, ...`` and ``b0, b1, ...`` that a vertex ``h`` drives, delays 1.

    There are edges from h to a0 and to the vertex of number ``start`` of the second ring. If its
    length and that of the first ring have no common factor, h is a common cause of a0 and b0,
    after a number of steps that can be as large as the product of the lengths.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> G = ug.gallery.driven_rings(7, 8, 3)
    >>> ug.common_ancestors(G, ("a0", 0), ("b0", 0)).nearest
    ('h', -22)
    """
    _at_least(1, first=first, second=second)
    if not 0 <= start < second:
        raise ValueError(f"start={start!r} must be in range({second})")
    rings = [("a", first), ("b", second)]
    edges = [(f"{x}{k}", f"{x}{(k + 1) % n}", 1) for x, n in rings for k in range(n)]
    names = [*(f"a{k}" for k in range(first)), "h", *(f"b{k}" for k in range(second))]
    return _simple([*edges, ("h", "a0", 1), ("h", f"b{start}", 1)], vertices=names)


def bidirectional() -> nx.DiGraph[str]:
    """Return a layer ``f`` with a loop of delay 1 and a layer ``b`` with a loop of delay -1."""
    return _simple(
        [("x", "f", 0), ("x", "b", 0), ("f", "f", 1), ("b", "b", -1), ("f", "y", 0), ("b", "y", 0)]
    )


def lstm() -> nx.DiGraph[str]:
    """Return an LSTM cell with a vertex for each gate.

    The gates ``i``, ``f``, ``o`` and the candidate ``g`` depend on the input ``x`` and the
    previous output ``h``; ``fc`` is ``f`` times the previous cell value ``c``, ``ig`` is ``i``
    times ``g``, and ``tc`` is the activation of ``c``.
    """
    gates = [(u, gate, d) for gate in "ifog" for u, d in (("x", 0), ("h", 1))]
    return _simple(
        [
            *gates,
            ("f", "fc", 0),
            ("c", "fc", 1),
            ("i", "ig", 0),
            ("g", "ig", 0),
            ("fc", "c", 0),
            ("ig", "c", 0),
            ("c", "tc", 0),
            ("o", "h", 0),
            ("tc", "h", 0),
        ]
    )


def grid_2d() -> nx.MultiDiGraph[str]:
    """Return a two-dimensional recurrent layer, with loops of delay (1, 0) and (0, 1)."""
    return _parallel(
        [("x", "h", (0, 0)), ("h", "h", (1, 0)), ("h", "h", (0, 1)), ("h", "y", (0, 0))]
    )


def opposed_pair() -> nx.DiGraph[str]:
    """Return a graph whose cover is acyclic but has no linear schedule.

    It has loops of delay (1, 0) and (-1, 0), connected by a cycle of total delay (0, 1).
    """
    return _simple(
        [("a", "a", (1, 0)), ("b", "b", (-1, 0)), ("a", "b", (0, 1)), ("b", "a", (0, 0))]
    )


def diamond() -> nx.MultiDiGraph[str]:
    """Return the diamond net: two atoms per cell with four bonds."""
    return _parallel([("a", "b", d) for d in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))])


def srs() -> nx.DiGraph[int]:
    """Return the srs net (K4 crystal); its cover is the maximal abelian cover of K4."""
    return _simple(
        [
            (1, 2, (0, 0, 0)),
            (1, 3, (0, 0, 0)),
            (1, 4, (0, 0, 0)),
            (2, 3, (1, 0, 0)),
            (3, 4, (0, 1, 0)),
            (4, 2, (0, 0, 1)),
        ]
    )


def bouquet(*delays: Any) -> nx.MultiDiGraph[str]:
    """Return one vertex ``a`` with loops of the given delays; default: 1 and 2.

    With reverse edges, the default has the cyclic covers K5 modulo 5 and octahedron modulo 6.
    """
    return _parallel([("a", "a", d) for d in delays or (1, 2)])


def dipole(*delays: Any) -> nx.MultiDiGraph[str]:
    """Return parallel edges ``a -> b`` of the given delays; default: 0, 1 and 3.

    With reverse edges, its cyclic cover modulo 7 is the Heawood graph, for 0, 1, 2 modulo 3 K3,3.
    """
    return _parallel([("a", "b", d) for d in delays or (0, 1, 3)])


def dumbbell(k: int = 2) -> nx.DiGraph[str]:
    """Return vertices ``a`` and ``b`` with loops of delay 1 and k, and an edge of delay 0.

    With reverse edges, its cyclic cover modulo n is the generalized Petersen graph G(n, k).

    Examples
    --------
    >>> import networkx as nx
    >>> import unrollgraph as ug
    >>> lift = ug.cyclic_cover(ug.with_reverses(ug.gallery.dumbbell()), 5)
    >>> nx.is_isomorphic(nx.Graph(lift), nx.petersen_graph())
    True
    """
    return _simple([("a", "a", 1), ("a", "b", 0), ("b", "b", k)])


def _stack(loops: Sequence[int], output: str | None) -> list[_Wire]:
    """Return the edges of layers ``h1, h2, ...`` with loops of the given delays."""
    layers = [f"h{i}" for i in range(1, len(loops) + 1)]
    wires: list[_Wire] = [("x", "h1", 0)]
    for i, (layer, delay) in enumerate(zip(layers, loops, strict=True)):
        wires.append((layer, layer, delay))
        if i + 1 < len(layers):
            wires.append((layer, layers[i + 1], 0))
    return [*wires, (layers[-1], output, 0)] if output else wires


def _memory(delays: Iterable[int]) -> nx.MultiDiGraph[str]:
    return _parallel([("x", "h", 0), *(("h", "h", d) for d in delays), ("h", "y", 0)])


def _lcm(periods: Sequence[int]) -> int:
    _at_least(1, modules=len(periods))
    for period in periods:
        _at_least(1, period=period)
    return math.lcm(*periods)


def _clockwork(periods: Sequence[int]) -> list[tuple[tuple[int, int], tuple[int, int], int]]:
    """Return the edges, with delay 0 or, from the previous step, the number of ticks of a step."""
    ticks = _lcm(periods)
    wires = []
    for i in range(ticks):
        for g, period in enumerate(periods):
            if i % period:
                continue
            for slow, slower in enumerate(periods):
                if slower < period:
                    continue
                # the last tick before i at which the slower module was computed
                last = (i - 1) // slower * slower
                wires.append(((last % ticks, slow), (i, g), 0 if last >= 0 else ticks))
    return wires


def _simple(wires: Iterable[_Wire], vertices: Iterable[Any] = ()) -> nx.DiGraph[Any]:
    G: nx.DiGraph[Any] = nx.DiGraph()
    G.add_nodes_from(vertices)
    G.add_weighted_edges_from(wires, weight="delay")
    return G


def _parallel(wires: Iterable[_Wire]) -> nx.MultiDiGraph[Any]:
    G: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    G.add_weighted_edges_from(wires, weight="delay")
    return G


def _at_least(least: int, **given: int) -> None:
    for name, value in given.items():
        if value < least:
            raise ValueError(f"{name} is {value}, but it must be at least {least}")
