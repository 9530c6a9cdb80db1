"""Unroll directed graphs with cycles into their acyclic covers.

Downstairs stands a finite directed graph whose edges carry integer delays. Upstairs
stand its covers: vertices become ``(v, t)``, an edge ``u -> v`` of delay d becomes
``(u, t) -> (v, t + d)``, cycles become paths. Between them the stairs: maps that know,
for every vertex above, the vertex below.

=============  ==========================================================
room           what lives there
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

from unrollgraph import errors
from unrollgraph.cover import (
    DelayCover,
    Lift,
    LiftArrays,
    Periods,
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
from unrollgraph.errors import (
    CertificateError,
    CyclicCoverError,
    DelayError,
    DivergenceError,
    FormatError,
    FrozenError,
    InfiniteCoverError,
    InfinitePathsError,
    LiftError,
    NotACoveringError,
    NotARetimingError,
    NotPeriodicError,
    RadiusError,
    ShapeError,
    StaleRunError,
    TimeLimitError,
    TooLargeError,
    UnboundedError,
    UnrollgraphError,
    VoltageError,
    WindowError,
)
from unrollgraph.graph import (
    CoverIsomorphism,
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
    ComponentFamily,
    CycleRatio,
    Piece,
    ReceptiveField,
    Retiming,
    Schedule,
    Stage,
    ZeroCycle,
    ZeroWalk,
    bloch_matrix,
    clock_period,
    components,
    coordination_sequence,
    descendants_at_distance,
    distances_within,
    feedforward_depth,
    find_cycle,
    find_zero_walk,
    has_path,
    is_acyclic,
    is_maximal_abelian,
    is_universal,
    iteration_bound,
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
    schedule,
    shortest_path,
    shortest_path_length,
    shortest_path_lengths,
    skip_coefficient,
    spectrum,
    strong_components,
    time_direction,
    verdict,
    zero_cycles,
)
from unrollgraph.morphism import (
    GraphMap,
    Obstruction,
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
    """Have `draw`, loaded on first use, make the pictures that notebooks show."""
    picture: str | None = import_module("unrollgraph.draw.display").svg(value)
    return picture


drawn_by(_picture)

__version__ = "0.1.0.dev0"

__all__ = [
    "CertificateError",
    "ComponentFamily",
    "CoverIsomorphism",
    "CycleRatio",
    "CyclicCoverError",
    "DelayCover",
    "DelayError",
    "DelayGraph",
    "DivergenceError",
    "FormatError",
    "FrozenError",
    "GraphMap",
    "InfiniteCoverError",
    "InfinitePathsError",
    "Lift",
    "LiftArrays",
    "LiftError",
    "NotACoveringError",
    "NotARetimingError",
    "NotPeriodicError",
    "Obstruction",
    "Periods",
    "Piece",
    "RadiusError",
    "ReceptiveField",
    "Retiming",
    "Schedule",
    "ShapeError",
    "Stage",
    "StaleRunError",
    "TimeLimitError",
    "TooLargeError",
    "UnboundedError",
    "UnrollgraphError",
    "VoltageError",
    "WindowError",
    "ZeroCycle",
    "ZeroWalk",
    "abelianize",
    "bloch_matrix",
    "check_covering",
    "clock_lift",
    "clock_period",
    "components",
    "coordination_sequence",
    "cyclic_cover",
    "deck_group",
    "delay_feedback",
    "derived_graph",
    "descendants_at_distance",
    "distances_within",
    "draw",
    "errors",
    "explorer",
    "factor",
    "feedforward_depth",
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
    "schedule",
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
    "verdict",
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
