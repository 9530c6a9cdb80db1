"""Questions about the infinite cover, answered exactly on its finite base.

Which module answers which question:

* `acyclicity` -- whether the cover is acyclic, and in which direction time runs;
* `certificates` -- the two proofs of it, a schedule and a zero walk;
* `linear_schedule` -- which form increases along every edge;
* `cycle_ratio` -- how fast its longest and shortest paths grow, with its proof;
* `path_lengths` -- how long they are after a number of steps; depth and skips of a network;
* `clocking` -- how fast a circuit can be clocked, and the retiming that makes it so;
* `paths`, `path_search` -- whether a path leads from here to there, and a shortest one;
* `counting` -- how many paths lead from here to there;
* `walk_totals` -- which total delays the walks between two vertices have;
* `_receptive_field` -- from which times an input reaches an output;
* `periodic_graphs` -- how many vertices lie at each distance, the spectrum of the adjacency, and
  whether components are trees or maximal abelian;
* `_components` -- its weak and its strong components;
* `lattices` -- lattices and convex hulls of total delays, in exact arithmetic.

Every other answer with a proof has a method ``check`` of its own.
"""

from unrollgraph.measure._components import (
    ComponentFamily,
    components,
    same_component,
    strong_components,
)
from unrollgraph.measure._receptive_field import ReceptiveField, receptive_field
from unrollgraph.measure.acyclicity import (
    find_cycle,
    find_zero_walk,
    is_acyclic,
    schedule,
    time_direction,
    verdict,
)
from unrollgraph.measure.certificates import Schedule, Stage, ZeroWalk
from unrollgraph.measure.clocking import (
    Piece,
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
    descendants_at_distance,
    distances_within,
    is_maximal_abelian,
    is_universal,
    spectrum,
    zero_cycles,
)

__all__ = [
    "ComponentFamily",
    "CycleRatio",
    "Piece",
    "ReceptiveField",
    "Retiming",
    "Schedule",
    "Stage",
    "ZeroWalk",
    "bloch_matrix",
    "clock_period",
    "components",
    "coordination_sequence",
    "descendants_at_distance",
    "distances_within",
    "feedforward_depth",
    "find_cycle",
    "find_zero_walk",
    "has_path",
    "is_acyclic",
    "is_maximal_abelian",
    "is_universal",
    "iteration_bound",
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
    "schedule",
    "shortest_path",
    "shortest_path_length",
    "shortest_path_lengths",
    "skip_coefficient",
    "spectrum",
    "strong_components",
    "time_direction",
    "verdict",
    "zero_cycles",
]
