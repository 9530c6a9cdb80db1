"""Hypothesis strategies for tests of functions on delay graphs; requires ``hypothesis``."""

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
    """Generate random delay graphs with self-loops and parallel edges.

    Parameters
    ----------
    dimension : int
        Dimension d of the delays; if it is not 1, there is at least one edge.
    vertices, edges : int
        Maximum numbers of vertices and edges. There is at least one vertex.
    delays : int
        Maximum entry of a delay.
    least : int, optional
        Minimum entry of a delay; default: ``-delays``.
    multigraph : bool, optional
        Whether to generate multigraphs; default: both kinds. A simple graph keeps the last
        of several parallel edges.

    Returns
    -------
    strategy
        Strategy of `networkx.DiGraph` and `networkx.MultiDiGraph` with vertices 'a', 'b', ...

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
    # the delays of the edges determine the dimension
    fewest = 0 if dimension == 1 else 1
    wires = draw(st.lists(st.tuples(vertex, vertex, delay), min_size=fewest, max_size=edges))
    G: Any = nx.MultiDiGraph() if kind else nx.DiGraph()
    G.add_nodes_from(names)
    G.add_weighted_edges_from(wires, weight="delay")
    return G
