"""Exact measures of the infinite cover, computed from the finite base graph.

Modules:

* `acyclicity` -- acyclicity of the cover and its direction of time
* `certificates` -- proofs of acyclicity (`Schedule`) and of cycles (`ZeroWalk`)
* `linear_schedule` -- slopes that are positive on the total delays of cycles
* `cycle_ratio` -- greatest and least cycle ratio, with a proof
* `path_lengths` -- lengths of longest and shortest paths; depth and skips of a network
* `clocking` -- clock period of a circuit and retiming to the least period
* `paths`, `path_search` -- existence of paths and shortest paths
* `counting` -- number of paths
* `walk_totals` -- total delays of the walks between two vertices
* `_receptive_field` -- times at which an input affects an output
* `separation` -- d-separation in causal time-series graphs, with a proof
* `ancestors` -- windows of ancestors, and pairs of vertices with a common ancestor
* `_common_ancestors`, `_latent_projection` -- common causes; graphs with latent variables
* `periodic_graphs` -- coordination sequence, spectrum; universal and maximal abelian covers
* `_components` -- weak and strong components
* `lattices` -- lattices and convex hulls of integer vectors

Results that carry a proof have a method ``check``, which verifies it.
"""

from unrollgraph.measure._common_ancestors import CommonAncestors, common_ancestors
from unrollgraph.measure._components import (
    ComponentFamily,
    components,
    same_component,
    strong_components,
)
from unrollgraph.measure._latent_projection import latent_projection
from unrollgraph.measure._receptive_field import ReceptiveField, receptive_field
from unrollgraph.measure.acyclicity import (
    acyclicity_certificate,
    find_cycle,
    find_zero_walk,
    is_acyclic,
    time_direction,
)
from unrollgraph.measure.certificates import Schedule, Stage, ZeroWalk
from unrollgraph.measure.clocking import (
    PathSegment,
    Retiming,
    clock_period,
    iteration_bound,
    min_period_retiming,
)
from unrollgraph.measure.counting import path_count
from unrollgraph.measure.cycle_ratio import CycleRatio, max_cycle_ratio, min_cycle_ratio
from unrollgraph.measure.path_lengths import (
    feedforward_depth,
    longest_path_length,
    longest_path_lengths,
    mean_recurrent_length,
    recurrent_depth,
    shortest_path_lengths,
    skip_coefficient,
)
from unrollgraph.measure.paths import has_path, shortest_path, shortest_path_length
from unrollgraph.measure.periodic_graphs import (
    bloch_matrix,
    coordination_sequence,
    is_maximal_abelian,
    is_universal,
    spectrum,
    zero_cycles,
)
from unrollgraph.measure.separation import ActiveWalk, Separation, d_separated, find_active_walk

__all__ = [
    "ActiveWalk",
    "CommonAncestors",
    "ComponentFamily",
    "CycleRatio",
    "PathSegment",
    "ReceptiveField",
    "Retiming",
    "Schedule",
    "Separation",
    "Stage",
    "ZeroWalk",
    "acyclicity_certificate",
    "bloch_matrix",
    "clock_period",
    "common_ancestors",
    "components",
    "coordination_sequence",
    "d_separated",
    "feedforward_depth",
    "find_active_walk",
    "find_cycle",
    "find_zero_walk",
    "has_path",
    "is_acyclic",
    "is_maximal_abelian",
    "is_universal",
    "iteration_bound",
    "latent_projection",
    "longest_path_length",
    "longest_path_lengths",
    "max_cycle_ratio",
    "mean_recurrent_length",
    "min_cycle_ratio",
    "min_period_retiming",
    "path_count",
    "receptive_field",
    "recurrent_depth",
    "same_component",
    "shortest_path",
    "shortest_path_length",
    "shortest_path_lengths",
    "skip_coefficient",
    "spectrum",
    "strong_components",
    "time_direction",
    "zero_cycles",
]
