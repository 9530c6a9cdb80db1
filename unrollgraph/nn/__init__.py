"""Networks: operations on the vertices of a delay graph, run forward and backward.

A network runs over a window of time steps or over any acyclic graph above its base; the
runner sees the projection, never how that graph was built. Parameters live on the base,
are used by all copies, and their gradients are summed back down the fibres.

Which page answers which question:

* `ops` -- what a vertex can compute, and how to add an operation of your own;
* `network` -- running forward, and back;
* `gradients` -- the exact gradient, that of each copy, and their mean;
* `architectures` -- named networks;
* `torch_modules` -- networks made from PyTorch's modules;
* `segments`, `losses` -- losses, and long sequences in little memory;
* `values`, `primitives`, `lowering` -- a network and its gradient as lists of steps;
* `plan` -- in which order they are computed;
* `window`, `copies`, `binding` -- where, over a window and over any other graph;
* `elimination`, `folding`, `fusion`, `storage`, `weights`, `sums` -- what makes a window fast;
* `calls`, `stepping`, `compiled` -- the calls that are left, of NumPy or by Numba.
"""

from unrollgraph.nn import architectures
from unrollgraph.nn.gradients import Gradients
from unrollgraph.nn.network import Network, Run
from unrollgraph.nn.ops import (
    Activation,
    Add,
    Complement,
    Concat,
    Constant,
    Dense,
    Embedding,
    Input,
    Multiply,
    Op,
    Parameter,
)
from unrollgraph.nn.segments import LossAndGradients
from unrollgraph.nn.torch_modules import from_torch

__all__ = [
    "Activation",
    "Add",
    "Complement",
    "Concat",
    "Constant",
    "Dense",
    "Embedding",
    "Gradients",
    "Input",
    "LossAndGradients",
    "Multiply",
    "Network",
    "Op",
    "Parameter",
    "Run",
    "architectures",
    "from_torch",
]
