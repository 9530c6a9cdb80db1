"""How a program of calls is bound to arrays and run.

Which module answers which question:

* `window` -- over a window of time steps;
* `graph` -- over any other acyclic graph above the base;
* `loops` -- the steps of a loop as source, for Python or for Numba;
* `weight_gradients` -- gradients of products and biases, summed over steps and copies; `gradients`
  adds those of embeddings and of custom operations.
"""

__all__: list[str] = []
