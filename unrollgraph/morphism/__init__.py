"""A map between two graphs: its laws, and lifting along it.

Which page answers which question:

* `graph_map` -- what a map is, its fibres, composition;
* `laws` -- whether arcs lift uniquely, and every place where they do not;
* `walks` -- the lift of a walk.
"""

from unrollgraph.morphism.graph_map import GraphMap
from unrollgraph.morphism.laws import (
    Obstruction,
    check_covering,
    is_covering,
    is_fibration,
    is_homomorphism,
    is_opfibration,
    obstructions,
)
from unrollgraph.morphism.walks import lift_walk

__all__ = [
    "GraphMap",
    "Obstruction",
    "check_covering",
    "is_covering",
    "is_fibration",
    "is_homomorphism",
    "is_opfibration",
    "lift_walk",
    "obstructions",
]
