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
* `losses`, `tasks`, `segments` -- losses, and long sequences in little memory;
* `fitting`, `optimisers`, `sequences` -- training, and what it trains on;
* `checking` -- whether a gradient is one;
* `archive`, `saving` -- networks in files;
* `parallel` -- many processes;
* `values`, `primitives`, `lowering` -- a network and its gradient as lists of steps;
* `plan` -- in which order they are computed;
* `window`, `copies`, `binding` -- where, over a window and over any other graph;
* `elimination`, `folding`, `fusion`, `storage`, `weights`, `sums` -- what makes a window fast;
* `calls`, `stepping`, `compiled` -- the calls that are left, of NumPy or by Numba.
"""

from unrollgraph.nn import architectures
from unrollgraph.nn.checking import GradientCheck, check_gradients
from unrollgraph.nn.fitting import History, fit
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
from unrollgraph.nn.optimisers import SGD, Adam, Optimiser, clipped
from unrollgraph.nn.parallel import Trial, sharded_gradients, sweep
from unrollgraph.nn.saving import load
from unrollgraph.nn.sequences import Sequences, padded
from unrollgraph.nn.tasks import LossAndGradients
from unrollgraph.nn.torch_modules import from_torch

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "Add",
    "Complement",
    "Concat",
    "Constant",
    "Dense",
    "Embedding",
    "GradientCheck",
    "Gradients",
    "History",
    "Input",
    "LossAndGradients",
    "Multiply",
    "Network",
    "Op",
    "Optimiser",
    "Parameter",
    "Run",
    "Sequences",
    "Trial",
    "architectures",
    "check_gradients",
    "clipped",
    "fit",
    "from_torch",
    "load",
    "padded",
    "sharded_gradients",
    "sweep",
]
