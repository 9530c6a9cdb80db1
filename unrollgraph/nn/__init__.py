"""Neural networks on delay graphs: forward passes, gradients and training.

A `Network` is a delay graph with an operation at each vertex. It runs over a window of time steps,
or over any acyclic graph with a map to its base graph, such as an unrolling. All copies of a vertex
share its parameters; the gradient of a parameter is the sum of the gradients of its copies.

Modules:

* `ops`, `network`, `gradients`: operations, forward and backward pass, gradients
* `losses`, `bptt`: losses over sequences, backpropagation through time, gradient check
* `training`, `optimizers`, `sequences`: training and its data
* `saving`, `architectures`, `initializers`: files, common networks, initial parameters
* `exchange`: conversion from and to PyTorch and JAX
* `arrays`: validation of arrays from users
* `program`, `primitives`, `lowering`: a network and its gradient as lists of values
* `execution_order`, `compiler`: the order of computation, and values merged into one call
* `buffers`, `plans`: memory of the values, and compiled programs kept for the next run
* `executors`: execution over a window or over another graph
"""

from unrollgraph.nn import architectures, initializers
from unrollgraph.nn.bptt import GradientCheck, check_gradients, loss, loss_and_gradients
from unrollgraph.nn.exchange import copy_parameters, from_torch, to_jax, to_torch
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
from unrollgraph.nn.optimizers import SGD, Adam, Optimizer, clip_by_global_norm
from unrollgraph.nn.primitives import register_activation
from unrollgraph.nn.program import Program
from unrollgraph.nn.saving import load, save
from unrollgraph.nn.sequences import Sequences, pad_sequences
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
    "Optimizer",
    "Parameter",
    "Program",
    "Run",
    "Sequences",
    "architectures",
    "check_gradients",
    "clip_by_global_norm",
    "copy_parameters",
    "fit",
    "from_torch",
    "initializers",
    "load",
    "loss",
    "loss_and_gradients",
    "pad_sequences",
    "register_activation",
    "save",
    "sharded_gradients",
    "to_jax",
    "to_torch",
]
