"""Conversion of networks from and to other libraries.

`torch` and `jax` are for PyTorch and JAX; `windows` executes a network in both, by the plan of
`blocks`; `parameters` copies parameters between them.
"""

from unrollgraph.nn.exchange.jax import to_jax
from unrollgraph.nn.exchange.parameters import copy_parameters
from unrollgraph.nn.exchange.torch import from_torch, to_torch

__all__ = ["copy_parameters", "from_torch", "to_jax", "to_torch"]
