"""Execution of programs on arrays.

Modules:

* `window`: execution over a window of time steps;
* `graph`: execution over any other acyclic graph;
* `loops`: source code of loops, for Python or Numba;
* `weight_gradients`: gradients of products and biases, summed over steps and copies; those of
  embeddings and custom operations are in `unrollgraph.nn.gradients`.
"""

__all__: list[str] = []
