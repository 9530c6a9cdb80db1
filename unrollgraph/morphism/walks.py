"""Lifting walks: a walk below and a start above give one walk above.

Along an opfibration every walk lifts uniquely from any vertex above its start. That a
walk closed below may be open above is the whole point of a cover: in the delay cover
its lift climbs by the total delay.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unrollgraph.errors import LiftError, show_edge, show_vertex
from unrollgraph.graph.delay_graph import known
from unrollgraph.morphism.graph_map import arcs_at, as_graph_map


def lift_walk(p: Any, walk: Iterable[tuple[Any, ...]], start: Any) -> tuple[tuple[Any, ...], ...]:
    """Lift a walk of the base, beginning at a vertex above its start.

    Parameters
    ----------
    p : GraphMap, Lift or DelayCover
        The map, or a graph that knows it.
    walk : iterable of edges
        Edges of the base, head to tail: ``(u, v)``, or ``(u, v, key)`` in a
        multigraph.
    start : vertex of the total graph
        A vertex above the tail of the first edge.

    Returns
    -------
    tuple of arcs
        The walk above, head to tail; it projects to ``walk``.

    Raises
    ------
    LiftError
        If the edges do not join, the start is not above the first of them, or at
        some vertex no arc, or more than one, lies over the next edge.

    Notes
    -----
    O(length of the walk x largest out-degree).

    Examples
    --------
    The cycle of the seed network, closed below, climbs one step above.

    >>> import unrollgraph as ug
    >>> cover = ug.DelayCover(ug.gallery.seed_network())
    >>> cycle = [("A", "B"), ("B", "C"), ("C", "A")]
    >>> ug.lift_walk(cover, cycle, ("A", 0))[-1]
    (('C', 0), ('A', 1))
    """
    p = as_graph_map(p)
    if start not in p.total:
        raise LiftError(f"{show_vertex(start)} is no vertex of the graph above", node=start)
    # a lift knows how it writes a vertex: with times that are Python ints
    written = getattr(p.nodes, "written", None)
    here, lifted = written(start) if written else start, []
    for step in walk:
        edge = tuple(step) if isinstance(step, Iterable) else (step,)
        parts = 3 if p.base.is_multigraph() else 2
        if len(edge) != parts or not known(edge, p.base.edges):
            raise LiftError(f"{edge!r} is no edge of the base", node=here, edge=edge)
        if edge[0] != p(here):
            raise LiftError(
                f"the walk does not join: the edge {show_edge(edge)} does not leave "
                f"{show_vertex(p(here))}, over which {show_vertex(here)} lies",
                node=here,
                edge=edge,
            )
        arcs = [
            arc
            for arc in arcs_at(p.total, here, "out")
            if p.covers_edge(arc) and p.edge(arc) == edge
        ]
        if len(arcs) != 1:
            raise LiftError(
                f"{'no arc' if not arcs else 'more than one arc'} out of {show_vertex(here)} "
                f"lies over the edge {show_edge(edge)}, so the walk does not lift uniquely there",
                node=here,
                edge=edge,
            )
        lifted.append(arcs[0])
        here = arcs[0][1]
    return tuple(lifted)
