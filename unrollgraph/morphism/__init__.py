"""A map between two graphs: its laws, and lifting along it.

Which page answers which question:

* `graph_map` -- what a map is, its fibres, composition;
* `laws` -- whether arcs lift uniquely, and every place where they do not;
* `walks` -- the lift of a walk;
* `factoring` -- one covering through another;
* `decks` -- the symmetries of a covering.
"""

from unrollgraph.morphism.decks import deck_group, is_regular, monodromy
from unrollgraph.morphism.factoring import factor
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
