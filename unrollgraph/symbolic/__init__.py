"""Exact algebra of delay graphs, with SymPy.

* `polynomials` -- adjacency matrix in z, determinant, zeta function, counts of walks;
* `filters` -- linear networks: transfer functions and state space;
* `groups` -- fundamental group, H_1, and the group of total delays;
* `networks` -- values and gradients of a small network as expressions;
* `formulas` -- the same as lines of LaTeX.
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
