"""Conversion of networks from other libraries: `torch` for PyTorch."""

from unrollgraph.nn.exchange.torch import from_torch

__all__ = ["from_torch"]
