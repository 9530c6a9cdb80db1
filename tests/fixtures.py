"""Delay graphs that tests share."""

from itertools import pairwise

import networkx as nx


def simple(edges):
    G = nx.DiGraph()
    G.add_weighted_edges_from(edges, weight="delay")
    return G


def retimed_top_down():
    """The recurrent core of ``gallery.top_down`` with the clock of ``h2`` three steps late."""
    return simple([("h1", "h1", 1), ("h1", "h2", 3), ("h2", "h2", 1), ("h2", "h1", -2)])


def mist(delays):
    """One layer that reads its values of 1, 2, 4, ..., ``2**(delays - 1)`` steps ago."""
    loops = [("h", "h", 2**i) for i in range(delays)]
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from([("x", "h", 0), *loops, ("h", "y", 0)], weight="delay")
    return G


def ring(recurrent, feedforward):
    """A cycle of ``recurrent`` layers reached through a chain.

    It has recurrent depth ``recurrent`` and feed-forward depth ``feedforward``.
    """
    last = f"a{recurrent}"
    stops = ["x", *(f"f{i}" for i in range(1, feedforward - 1)), last]
    chain = [(u, v, 0) for u, v in pairwise(stops)]
    round_ = [(f"a{i}", f"a{i + 1}", 0) for i in range(1, recurrent)]
    return simple([*chain, *round_, (last, "a1", 1), (last, "y", 0)])


def opposed_quartet():
    """Two opposed pairs in Z^3, against one another: a schedule needs three stages."""
    return simple(
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
