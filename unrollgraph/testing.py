"""Hypothesis strategies for tests of functions that take delay graphs.

Needs the package ``hypothesis``.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
from hypothesis import strategies as st


@st.composite
def delay_graphs(
    draw: Any,
    *,
    dimension: int = 1,
    vertices: int = 5,
    edges: int = 8,
    delays: int = 3,
    least: int | None = None,
    multigraph: bool | None = None,
) -> Any:
    """Draw delay graphs, with self-loops and parallel edges.

    Parameters
    ----------
    dimension : int
        Number of integers in a delay; if it is not one, some edge is drawn.
    vertices, edges : int
        Largest numbers of vertices (at least one is drawn) and edges.
    delays : int
        Largest entry of a delay.
    least : int, optional
        Smallest entry; ``-delays`` unless given.
    multigraph : bool, optional
        The kind of graph; both are drawn unless given. A simple graph keeps the
        last of parallel edges.

    Returns
    -------
    strategy
        Of `networkx.DiGraph` and `networkx.MultiDiGraph` whose vertices are the
        letters a, b, ...

    Examples
    --------
    >>> from hypothesis import given
    >>> import unrollgraph as ug
    >>> from unrollgraph.testing import delay_graphs
    >>> @given(delay_graphs())
    ... def shifting_all_clocks_changes_nothing(G):
    ...     assert ug.is_retiming(G, ug.retime(G, {v: 5 for v in G}))
    >>> shifting_all_clocks_changes_nothing()
    """
    kind = draw(st.booleans()) if multigraph is None else multigraph
    names = "abcdefghijklmnopqrstuvwxyz"[: draw(st.integers(1, vertices))]
    entry = st.integers(-delays if least is None else least, delays)
    delay = entry if dimension == 1 else st.tuples(*[entry] * dimension)
    vertex = st.sampled_from(names)
    # without an edge nothing would tell the dimension
    fewest = 0 if dimension == 1 else 1
    wires = draw(st.lists(st.tuples(vertex, vertex, delay), min_size=fewest, max_size=edges))
    G: Any = nx.MultiDiGraph() if kind else nx.DiGraph()
    G.add_nodes_from(names)
    G.add_weighted_edges_from(wires, weight="delay")
    return G
