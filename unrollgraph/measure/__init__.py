"""Questions about the infinite cover, answered exactly on its finite base.

Which page answers which question:

* `acyclicity` -- whether the cover is acyclic, and in which direction time runs;
* `certificates` -- what proves it, and how a proof is checked.
"""

from unrollgraph.measure.acyclicity import (
    find_cycle,
    find_zero_walk,
    is_acyclic,
    schedule,
    time_direction,
    verdict,
)
from unrollgraph.measure.certificates import Schedule, Stage, ZeroWalk

__all__ = [
    "Schedule",
    "Stage",
    "ZeroWalk",
    "find_cycle",
    "find_zero_walk",
    "is_acyclic",
    "schedule",
    "time_direction",
    "verdict",
]
