"""Networks: operations on the vertices of a delay graph, run forward and backward.

A network runs over a window of time steps or over any acyclic graph above its base; the
runner sees the projection, never how that graph was built. Parameters live on the base,
are used by all copies, and their gradients are summed back down the fibres.

Which module answers which question:

* `ops` -- what a vertex can compute, and how to add an operation of your own;
* `network` -- running forward, and back;
* `gradients` -- the exact gradient, that of each copy, and their mean;
* `losses` -- losses of outputs over a sequence;
* `bptt` -- backpropagation through time, also with checkpoints or truncated, and its check;
* `training`, `optimizers`, `sequences` -- training, and what it trains on;
* `saving` -- networks in files;
* `architectures` -- named networks;
* `exchange` -- networks made from modules of PyTorch;
* `arrays` -- arrays that users give, checked.

How a network is compiled and run:

* `program`, `primitives`, `lowering` -- a network and its gradient as lists of values;
* `execution_order` -- in which order they are computed;
* `compiler` -- which of them become one call;
* `buffers` -- where they are stored;
* `plans` -- compiled programs, and arrays that are kept for the next run;
* `executors` -- the calls that are left, over a window or over any other graph.
"""

from unrollgraph.nn import architectures
from unrollgraph.nn.bptt import GradientCheck, check_gradients, loss, loss_and_gradients
from unrollgraph.nn.exchange import from_torch
from unrollgraph.nn.gradients import Gradients
from unrollgraph.nn.losses import LossAndGradients
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
from unrollgraph.nn.optimizers import SGD, Adam, Optimiser, clipped
from unrollgraph.nn.saving import load, save
from unrollgraph.nn.sequences import Sequences, padded
from unrollgraph.nn.training import History, fit, sharded_gradients

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
    "architectures",
    "check_gradients",
    "clipped",
    "fit",
    "from_torch",
    "load",
    "loss",
    "loss_and_gradients",
    "padded",
    "save",
    "sharded_gradients",
]
