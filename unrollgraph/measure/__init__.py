"""Questions about the infinite cover, answered exactly on its finite base.

Which page answers which question:

* `acyclicity` -- whether the cover is acyclic, and in which direction time runs;
* `certificates` -- what proves it, and how a proof is checked;
* `ratios` -- how fast its longest and shortest paths grow;
* `depth` -- recurrent depth, feed-forward depth and skips of a network;
* `lengths` -- how long they are after a number of steps;
* `clocking` -- how fast a circuit can be clocked, and the retiming that makes it so;
* `paths` -- whether a path leads from here to there, and a shortest one;
* `counting` -- how many paths lead from here to there;
* `fields` -- from which times an input reaches an output;
* `shells` -- how many vertices lie at each distance, and which;
* `bloch` -- the spectrum of its adjacency;
* `weak_components` -- into how many components the cover falls apart;
* `strong_parts` -- which vertices are reached from each other;
* `universality` -- whether they are trees, or maximal abelian, and what they forget.
"""

from unrollgraph.measure.acyclicity import (
    find_cycle,
    find_zero_walk,
    is_acyclic,
    schedule,
    time_direction,
    verdict,
)
from unrollgraph.measure.bloch import bloch_matrix, spectrum
from unrollgraph.measure.certificates import Schedule, Stage, ZeroWalk
from unrollgraph.measure.clocking import (
    Piece,
    Retiming,
    clock_period,
    iteration_bound,
    min_period_retiming,
)
from unrollgraph.measure.counting import path_count
from unrollgraph.measure.depth import feedforward_depth, recurrent_depth, skip_coefficient
from unrollgraph.measure.fields import ReceptiveField, receptive_field
from unrollgraph.measure.lengths import (
    longest_path_length,
    longest_path_lengths,
    mean_recurrent_length,
    shortest_path_lengths,
)
from unrollgraph.measure.paths import has_path, shortest_path, shortest_path_length
from unrollgraph.measure.ratios import CycleRatio, max_cycle_ratio, min_cycle_ratio
from unrollgraph.measure.shells import (
    coordination_sequence,
    descendants_at_distance,
    distances_within,
)
from unrollgraph.measure.strong_parts import strong_components
from unrollgraph.measure.universality import (
    ZeroCycle,
    is_maximal_abelian,
    is_universal,
    zero_cycles,
)
from unrollgraph.measure.weak_components import ComponentFamily, components, same_component

__all__ = [
    "ComponentFamily",
    "CycleRatio",
    "Piece",
    "ReceptiveField",
    "Retiming",
    "Schedule",
    "Stage",
    "ZeroCycle",
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
