"""A map between two graphs: its laws, and lifting along it.

Which module answers which question:

* `graph_map` -- what a map is, its fibres, composition, the lift of a walk;
* `coverings` -- whether arcs lift uniquely, every place where they do not, and the lift of a map;
* `deck` -- the symmetries of a covering.
"""

from unrollgraph.morphism.coverings import (
    Obstruction,
    check_covering,
    factor,
    is_covering,
    is_fibration,
    is_homomorphism,
    is_opfibration,
    obstructions,
)
from unrollgraph.morphism.deck import deck_group, is_regular, monodromy
from unrollgraph.morphism.graph_map import GraphMap, lift_walk

__all__ = [
    "GraphMap",
    "Obstruction",
    "check_covering",
    "deck_group",
    "factor",
    "is_covering",
    "is_fibration",
    "is_homomorphism",
    "is_opfibration",
    "is_regular",
    "lift_walk",
    "monodromy",
    "obstructions",
]
