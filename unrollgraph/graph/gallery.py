"""Named wirings: delay graphs without operations, to try things on.

Each function returns a new networkx graph that is yours to change: a `DiGraph`,
or a `MultiDiGraph` where two edges join the same pair. Sequences enter at ``x``
and leave at ``y`` (``in`` and ``out`` in the seed network). The recurrent ones are
those by which Zhang et al. (2016) and others measure the depth of architectures. Those
at the end have delays in Z^2 and Z^3, or are voltage graphs of topological graph theory, of
which famous graphs are covers. Those and crystal nets have each edge in one direction, and
`with_reverses` adds the other.

References
----------
S. Zhang et al., Architectural complexity measures of recurrent neural networks,
NIPS 2016, arXiv 1602.08210. R. Pascanu et al., How to construct deep recurrent
neural networks, ICLR 2014, arXiv 1312.6026. J. Koutnik et al., A clockwork RNN,
ICML 2014. S. Chang et al., Dilated recurrent neural networks, NIPS 2017,
arXiv 1710.02224. A. Graves, S. Fernandez, J. Schmidhuber, Multi-dimensional recurrent
neural networks, ICANN 2007. J. L. Gross and T. W. Tucker, Topological Graph Theory (Wiley,
1987), ch. 2. T. Sunada, Crystals that nature might miss creating, Notices
of the AMS 55 (2008).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import networkx as nx

__all__ = [
    "bidirectional",
    "bottom_up",
    "bouquet",
    "clockwork",
    "clockwork_ticks",
    "deep_output",
    "deep_output_shortcut",
    "deep_transition",
    "deep_transition_shortcut",
    "diamond",
    "dilated",
    "dipole",
    "dumbbell",
    "elman",
    "grid_2d",
    "lstm",
    "mist",
    "narx",
    "opposed_pair",
    "opposed_quartet",
    "recurrent_highway",
    "regular_skip",
    "retimed_top_down",
    "ring",
    "same_layer_skips",
    "seed_network",
    "skip",
    "srs",
    "stacked",
    "top_down",
]

_Wire = tuple[Any, Any, Any]


def seed_network() -> nx.DiGraph[str]:
    """``in -> A -> B -> C -> out`` with the backward edge ``C -> A`` of delay 1.

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
    """One recurrent layer: the state ``h`` reads the input and its own last value."""
    return _simple([("x", "h", 0), ("h", "h", 1), ("h", "y", 0)])


def stacked(layers: int = 2) -> nx.DiGraph[str]:
    """Recurrent layers one on another; layer i reads layer i - 1 at the same time."""
    _at_least(1, layers=layers)
    return _simple(_stack([1] * layers, "y"))


def bottom_up(delay: int = 1) -> nx.MultiDiGraph[str]:
    """Two stacked layers and a second edge up, from ``h1`` to ``h2``."""
    return _parallel([*_stack([1, 1], "y"), ("h1", "h2", delay)])


def top_down(delay: int = 1) -> nx.DiGraph[str]:
    """Two stacked layers and an edge down, from ``h2`` to ``h1``."""
    return _simple([*_stack([1, 1], "y"), ("h2", "h1", delay)])


def retimed_top_down() -> nx.DiGraph[str]:
    """The recurrent core of `top_down` with the clock of ``h2`` three steps late."""
    return _simple([("h1", "h1", 1), ("h1", "h2", 3), ("h2", "h2", 1), ("h2", "h1", -2)])


def skip(delay: int) -> nx.MultiDiGraph[str]:
    """One recurrent layer that also reads its value of ``delay`` steps ago."""
    return _parallel([("x", "h", 0), ("h", "h", 1), ("h", "h", delay), ("h", "y", 0)])


def same_layer_skips(delay: int) -> nx.MultiDiGraph[str]:
    """Two stacked layers, each of which also reads its value of ``delay`` steps ago."""
    return _parallel([*_stack([1, 1], "y"), ("h1", "h1", delay), ("h2", "h2", delay)])


def regular_skip(layers: int, delay: int) -> nx.MultiDiGraph[str]:
    """Stacked layers of which the first has a skip loop; the last layer is the output."""
    _at_least(1, layers=layers)
    return _parallel([*_stack([1] * layers, None), ("h1", "h1", delay)])


def deep_transition() -> nx.DiGraph[str]:
    """A hidden layer ``m`` on the way from one state to the next (DT-RNN)."""
    return _simple([("x", "m", 0), ("h", "m", 1), ("m", "h", 0), ("h", "y", 0)])


def deep_transition_shortcut() -> nx.DiGraph[str]:
    """`deep_transition` with a direct edge from state to state (DT(S)-RNN)."""
    return _simple([("x", "m", 0), ("h", "m", 1), ("m", "h", 0), ("h", "y", 0), ("h", "h", 1)])


def deep_output() -> nx.DiGraph[str]:
    """`deep_transition` with a hidden layer ``o`` before the output (DOT-RNN)."""
    return _simple([("x", "m", 0), ("h", "m", 1), ("m", "h", 0), ("h", "o", 0), ("o", "y", 0)])


def deep_output_shortcut() -> nx.DiGraph[str]:
    """`deep_output` with a direct edge from state to state (DOT(S)-RNN)."""
    return _simple(
        [("x", "m", 0), ("h", "m", 1), ("m", "h", 0), ("h", "o", 0), ("o", "y", 0), ("h", "h", 1)]
    )


def recurrent_highway(depth: int) -> nx.DiGraph[str]:
    """``depth`` layers within each step; the last feeds the first a step later."""
    _at_least(1, depth=depth)
    chain = [(f"s{i}", f"s{i + 1}", 0) for i in range(1, depth)]
    return _simple([("x", "s1", 0), *chain, (f"s{depth}", "s1", 1), (f"s{depth}", "y", 0)])


def narx(order: int) -> nx.MultiDiGraph[str]:
    """One layer that reads its values of 1, 2, ..., ``order`` steps ago."""
    _at_least(1, order=order)
    return _memory(range(1, order + 1))


def mist(delays: int) -> nx.MultiDiGraph[str]:
    """One layer that reads its values of 1, 2, 4, ..., ``2**(delays - 1)`` steps ago."""
    _at_least(1, delays=delays)
    return _memory(2**i for i in range(delays))


def ring(recurrent: int, feedforward: int) -> nx.DiGraph[str]:
    """A cycle of ``recurrent`` layers reached through a chain.

    It has recurrent depth ``recurrent`` and feed-forward depth ``feedforward``.
    """
    _at_least(1, recurrent=recurrent)
    _at_least(2, feedforward=feedforward)
    last = f"a{recurrent}"
    stops = ["x", *(f"f{i}" for i in range(1, feedforward - 1)), last]
    chain = [(u, v, 0) for u, v in pairwise(stops)]
    round_ = [(f"a{i}", f"a{i + 1}", 0) for i in range(1, recurrent)]
    return _simple([*chain, *round_, (last, "a1", 1), (last, "y", 0)])


def dilated(layers: int) -> nx.DiGraph[str]:
    """Stacked layers with loops of delay 1, 2, 4, ...; the last layer is the output."""
    _at_least(1, layers=layers)
    return _simple(_stack([2**i for i in range(layers)], None))


def clockwork(periods: Sequence[int] = (1, 2, 4)) -> nx.DiGraph[tuple[int, int]]:
    """Clockwork modules; one step is ``lcm(periods)`` ticks.

    Module g is computed at the ticks that its period divides; an edge leads to it
    from modules of the same or a longer period. Vertex ``(i, g)`` is module g at tick i
    of a step. This is the form to draw and run.
    """
    return _simple([(u, v, d // _lcm(periods)) for u, v, d in _clockwork(periods)])


def clockwork_ticks(periods: Sequence[int] = (1, 2, 4)) -> nx.DiGraph[tuple[int, int]]:
    """`clockwork` with the delays counted in ticks.

    The cover of this form holds ``lcm(periods)`` interleaved copies of the network;
    it is the form in which depths are measured.
    """
    return _simple([(u, v, v[0] - u[0] + d) for u, v, d in _clockwork(periods)])


def bidirectional() -> nx.DiGraph[str]:
    """One layer forward in time and one backward: loops of delay 1 and -1."""
    return _simple(
        [("x", "f", 0), ("x", "b", 0), ("f", "f", 1), ("b", "b", -1), ("f", "y", 0), ("b", "y", 0)]
    )


def lstm() -> nx.DiGraph[str]:
    """An LSTM cell at the level of its gates.

    Gates ``i``, ``f``, ``o`` and candidate ``g`` read the input ``x`` and the last
    output ``h``; ``fc`` is the forget gate times the last cell value ``c``, ``ig``
    the input gate times the candidate, ``tc`` the squashed cell value.
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
    """A recurrent layer over the plane: loops of delay (1, 0) and (0, 1)."""
    return _parallel(
        [("x", "h", (0, 0)), ("h", "h", (1, 0)), ("h", "h", (0, 1)), ("h", "y", (0, 0))]
    )


def opposed_pair() -> nx.DiGraph[str]:
    """Loops of delay (1, 0) and (-1, 0), joined by a cycle of total (0, 1).

    The unrolling is acyclic, but no linear schedule exists: the totals of the loops
    cancel. The second coordinate decides first.
    """
    return _simple(
        [("a", "a", (1, 0)), ("b", "b", (-1, 0)), ("a", "b", (0, 1)), ("b", "a", (0, 0))]
    )


def opposed_quartet() -> nx.DiGraph[str]:
    """Two opposed pairs in Z^3, against one another: a schedule needs three stages."""
    return _simple(
        [
            ("a", "a", (1, 0, 0)),
            ("b", "b", (-1, 0, 0)),
            ("a", "b", (0, 1, 0)),
            ("b", "a", (0, 0, 0)),
            ("c", "c", (1, 0, 0)),
            ("d", "d", (-1, 0, 0)),
            ("c", "d", (0, -1, 0)),
            ("d", "c", (0, 0, 0)),
            ("a", "c", (0, 0, 1)),
            ("c", "a", (0, 0, 0)),
        ]
    )


def diamond() -> nx.MultiDiGraph[str]:
    """The diamond net: two atoms in a cell, joined in four directions."""
    return _parallel([("a", "b", d) for d in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))])


def srs() -> nx.DiGraph[int]:
    """The srs net, or K4 crystal: the maximal abelian cover of the complete graph on 1 to 4."""
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
    """One vertex ``a`` with loops, 1 and 2 unless given.

    Both ways round and modulo 5 it is the complete graph K5, modulo 6 the octahedron.
    """
    return _parallel([("a", "a", d) for d in delays or (1, 2)])


def dipole(*delays: Any) -> nx.MultiDiGraph[str]:
    """Two vertices joined by edges ``a -> b``, of delay 0, 1 and 3 unless given.

    Both ways round and modulo 7 it is the Heawood graph: the points and lines of the plane
    of order two. With delays 0, 1, 2 modulo 3 it is K3,3.
    """
    return _parallel([("a", "b", d) for d in delays or (0, 1, 3)])


def dumbbell(k: int = 2) -> nx.DiGraph[str]:
    """Loops of delay 1 and k, joined by an edge.

    Both ways round and modulo n it is the generalized Petersen graph G(n, k): the Petersen
    graph for n = 5.

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
    """Layers ``h1, h2, ...`` over ``x`` with these loops."""
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
    """Each wire with 0, or the ticks of a period where it reads from the period before."""
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
