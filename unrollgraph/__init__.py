"""Unroll directed graphs with cycles into acyclic covers, and run networks on them.

A *delay graph* is a networkx ``DiGraph`` or ``MultiDiGraph`` whose edges have an attribute
``delay``: an integer (default: 0), or a tuple of d integers for time in Z^d. Its *delay cover* is
the infinite graph with a vertex ``(v, t)`` for every vertex v and every time t, and for every edge
``u -> v`` of delay d the edges ``(u, t) -> (v, t + d)``. It is acyclic iff no directed closed walk
has total delay 0. A *window* is the finite part of the cover with times in a given range.

>>> import networkx as nx
>>> import unrollgraph as ug
>>> G = nx.DiGraph([("x", "h"), ("h", "y")])  # delay 0
>>> G.add_edge("h", "h", delay=1)  # h reads its own value of the previous step
>>> U = ug.unroll(G, 4)  # times 0, 1, 2, 3
>>> list(U.predecessors(("h", 2)))
[('h', 1), ('x', 2)]
>>> ug.is_acyclic(G), nx.is_directed_acyclic_graph(U)
(True, True)

Where to begin:

* `delay_feedback` sets the delays of a graph with cycles so that its cover is acyclic;
* `unroll` returns a window, given by n for the times 0, ..., n - 1 or by a range; it is a networkx
  graph with a projection to ``G``;
* `is_acyclic` decides whether the infinite cover is acyclic; if it is not, `find_zero_walk` returns
  a closed walk of total delay 0;
* `DelayCover` is the infinite cover. It answers queries about vertices and edges, and functions of
  networkx such as ``nx.shortest_path`` accept it;
* `nn.Network` runs and trains a network over a delay graph whose vertices have operations (node
  attribute ``op``); `nn.architectures` has ready-made ones;
* `draw.side_by_side` draws a graph and a window of its cover; `explorer.explore` makes an
  interactive page; the command ``unrollgraph demo`` shows an example.

Functions of a delay graph accept a networkx graph, a `DelayGraph` (read and checked once), a
`DelayCover` or an `nn.Network`. A question such as ``is_acyclic(G)`` is about the delay cover of
``G``.

=============  =================================================================
subpackage     contents
=============  =================================================================
`nn`           operations, networks, backpropagation, training
`draw`         figures by matplotlib, also for TeX
`explorer`     interactive HTML pages
`symbolic`     exact algebra by SymPy: transfer functions, zeta functions
`io`           files and tables of delay graphs
`gallery`      named example graphs
`graph`        delay graphs, retiming, isomorphism of covers
`morphism`     graph maps, coverings, lifting of walks, deck transformations
`cover`        windows, cyclic covers, universal covers, voltage lifts, quotients
`measure`      exact answers about the delay cover, and their certificates
`errors`       all exceptions
`testing`      Hypothesis strategies for random delay graphs (needs hypothesis)
=============  =================================================================

The functions of `graph`, `morphism`, `cover` and `measure` are listed below; the classes of their
results are in these subpackages.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrollgraph import errors
from unrollgraph.cover import (
    DelayCover,
    Lift,
    abelianize,
    clock_lift,
    cyclic_cover,
    derived_graph,
    in_tree,
    minimal_base,
    out_tree,
    period_map,
    permutation_lift,
    random_lift,
    roll,
    universal_cover,
    unroll,
)
from unrollgraph.errors import UnrollgraphError
from unrollgraph.graph import (
    DelayGraph,
    delay_feedback,
    find_retiming,
    gallery,
    is_retiming,
    isomorphic_covers,
    retime,
    with_reverses,
)
from unrollgraph.graph.frozen import drawn_by
from unrollgraph.measure import (
    acyclicity_certificate,
    bloch_matrix,
    clock_period,
    common_ancestors,
    components,
    coordination_sequence,
    d_separated,
    feedforward_depth,
    find_active_walk,
    find_cycle,
    find_zero_walk,
    has_path,
    is_acyclic,
    is_maximal_abelian,
    is_universal,
    iteration_bound,
    latent_projection,
    longest_path_length,
    longest_path_lengths,
    max_cycle_ratio,
    mean_recurrent_length,
    min_cycle_ratio,
    min_period_retiming,
    path_count,
    receptive_field,
    recurrent_depth,
    same_component,
    shortest_path,
    shortest_path_length,
    shortest_path_lengths,
    skip_coefficient,
    spectrum,
    strong_components,
    time_direction,
    zero_cycles,
)
from unrollgraph.morphism import (
    GraphMap,
    check_covering,
    deck_group,
    factor,
    is_covering,
    is_fibration,
    is_homomorphism,
    is_opfibration,
    is_regular,
    lift_walk,
    monodromy,
    obstructions,
)

if TYPE_CHECKING:
    from unrollgraph import draw, explorer, io, nn, symbolic
    from unrollgraph import testing as testing


def _picture(value: Any) -> str | None:
    """Load `draw` on first use for the figures that notebooks show."""
    picture: str | None = import_module("unrollgraph.draw.output").svg(value)
    return picture


drawn_by(_picture)

__version__ = "0.1.0.dev0"

__all__ = [
    "DelayCover",
    "DelayGraph",
    "GraphMap",
    "Lift",
    "UnrollgraphError",
    "abelianize",
    "acyclicity_certificate",
    "bloch_matrix",
    "check_covering",
    "clock_lift",
    "clock_period",
    "common_ancestors",
    "components",
    "coordination_sequence",
    "cyclic_cover",
    "d_separated",
    "deck_group",
    "delay_feedback",
    "derived_graph",
    "draw",
    "errors",
    "explorer",
    "factor",
    "feedforward_depth",
    "find_active_walk",
    "find_cycle",
    "find_retiming",
    "find_zero_walk",
    "gallery",
    "has_path",
    "in_tree",
    "io",
    "is_acyclic",
    "is_covering",
    "is_fibration",
    "is_homomorphism",
    "is_maximal_abelian",
    "is_opfibration",
    "is_regular",
    "is_retiming",
    "is_universal",
    "isomorphic_covers",
    "iteration_bound",
    "latent_projection",
    "lift_walk",
    "longest_path_length",
    "longest_path_lengths",
    "max_cycle_ratio",
    "mean_recurrent_length",
    "min_cycle_ratio",
    "min_period_retiming",
    "minimal_base",
    "monodromy",
    "nn",
    "obstructions",
    "out_tree",
    "path_count",
    "period_map",
    "permutation_lift",
    "random_lift",
    "receptive_field",
    "recurrent_depth",
    "retime",
    "roll",
    "same_component",
    "shortest_path",
    "shortest_path_length",
    "shortest_path_lengths",
    "skip_coefficient",
    "spectrum",
    "strong_components",
    "symbolic",
    "time_direction",
    "universal_cover",
    "unroll",
    "with_reverses",
    "zero_cycles",
]

# `testing` needs hypothesis, so it is not in __all__: help() and star imports load all of that
_ON_FIRST_USE = {"draw", "explorer", "io", "nn", "symbolic", "testing"}


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return import_module(f"unrollgraph.{name}")
    raise AttributeError(f"module 'unrollgraph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
