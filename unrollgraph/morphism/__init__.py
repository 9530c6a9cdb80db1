"""Maps of directed graphs: homomorphisms, coverings, and lifting.

* `graph_map` -- the class `GraphMap`, fibres, composition, the lift of a walk
* `coverings` -- tests for fibrations and coverings, obstructions, the lift of a map
* `deck` -- the deck group and the monodromy group of a covering
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
