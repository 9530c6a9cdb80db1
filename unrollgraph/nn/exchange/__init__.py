"""Networks made from the modules of other libraries.

Which module answers which question:

* `torch` -- recurrent modules of PyTorch.
"""

from unrollgraph.nn.exchange.torch import from_torch

__all__ = ["from_torch"]
