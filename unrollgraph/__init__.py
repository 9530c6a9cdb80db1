"""Unroll directed graphs with cycles into their acyclic covers.

Downstairs stands a finite directed graph whose edges carry integer delays. Upstairs
stand its covers: vertices become ``(v, t)``, an edge ``u -> v`` of delay d becomes
``(u, t) -> (v, t + d)``, cycles become paths. Between them the stairs: maps that know,
for every vertex above, the vertex below.

=============  ==========================================================
subpackage     subject
=============  ==========================================================
`graph`        the delay graph, feedback delays, retiming, a gallery
`morphism`     maps between graphs: covering laws, lifting
`cover`        everything above a graph, and the way back
`measure`      verdicts about the infinite cover, with certificates
`nn`           operations, networks, running forward and backward
`draw`         pictures
`explorer`     an interactive page
`symbolic`     its algebra, exactly, by SymPy
`io`           reading and writing delay graphs
`backend`      networkx's own functions on the infinite cover
`testing`      Hypothesis strategies for your own tests
=============  ==========================================================

Examples
--------
>>> import unrollgraph as ug
>>> G = ug.gallery.seed_network()
>>> U = ug.unroll(G, 4)
>>> list(U.predecessors(("A", 1)))
[('C', 0), ('in', 1)]
>>> ug.is_acyclic(ug.DelayCover(G))
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrollgraph import cover, errors, graph, measure, morphism
from unrollgraph.cover import *
from unrollgraph.errors import *
from unrollgraph.graph import *
from unrollgraph.graph.frozen import drawn_by
from unrollgraph.measure import *
from unrollgraph.morphism import *

if TYPE_CHECKING:
    from unrollgraph import draw, explorer, io, nn, symbolic
    from unrollgraph import testing as testing


def _picture(value: Any) -> str | None:
    """Have `draw`, loaded on first use, make the pictures that notebooks show."""
    picture: str | None = import_module("unrollgraph.draw.output").svg(value)
    return picture


drawn_by(_picture)

__version__ = "0.1.0.dev0"

__all__ = ["draw", "errors", "explorer", "io", "nn", "symbolic"]
__all__ += cover.__all__ + errors.__all__ + graph.__all__ + measure.__all__ + morphism.__all__

# `testing` needs hypothesis, so it is not in __all__: help() and star imports load all of that
_ON_FIRST_USE = {"draw", "explorer", "io", "nn", "symbolic", "testing"}


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return import_module(f"unrollgraph.{name}")
    raise AttributeError(f"module 'unrollgraph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
