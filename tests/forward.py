"""Graphs that run forward in time, drawn for Hypothesis."""

from hypothesis import strategies as st

from unrollgraph.testing import delay_graphs


@st.composite
def forward_graphs(draw, vertices=5, edges=9, delays=3, shift=3):
    """Every cycle has a positive total: edges of delay 0 go up, then all clocks are moved."""
    G = draw(delay_graphs(vertices=vertices, edges=edges, delays=delays, least=0))
    moved = {v: draw(st.integers(-shift, shift)) for v in G}
    for u, v, data in G.edges(data=True):
        if u >= v and not data["delay"]:
            data["delay"] = 1
        data["delay"] += moved[v] - moved[u]
    return G
