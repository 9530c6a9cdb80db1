"""The algebra of a delay graph, exactly, by SymPy.

Which module answers which question:

* `polynomials` -- the adjacency in z, its determinant, and what they count;
* `filters` -- linear networks: transfer functions and state space;
* `groups` -- loops, cycles, and what time hears of them;
* `networks` -- a small network written out, and its gradients;
* `formulas` -- the same as lines for LaTeX, of functions that SymPy leaves as they are.
"""

from unrollgraph.symbolic.filters import StateSpace, state_space, transfer_function
from unrollgraph.symbolic.groups import (
    FundamentalGroup,
    HomologyBasis,
    LocalGroup,
    fundamental_group,
    homology_basis,
    local_group,
)
from unrollgraph.symbolic.networks import SymbolicGradients, Unrolled, gradients, unrolled
from unrollgraph.symbolic.polynomials import (
    adjacency,
    closed_walk_counts,
    determinant,
    walk_series,
    zeta,
)

__all__ = [
    "FundamentalGroup",
    "HomologyBasis",
    "LocalGroup",
    "StateSpace",
    "SymbolicGradients",
    "Unrolled",
    "adjacency",
    "closed_walk_counts",
    "determinant",
    "fundamental_group",
    "gradients",
    "homology_basis",
    "local_group",
    "state_space",
    "transfer_function",
    "unrolled",
    "walk_series",
    "zeta",
]
