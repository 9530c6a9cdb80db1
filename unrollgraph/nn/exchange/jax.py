"""Export of networks to JAX, as pure functions of parameters, inputs and state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from unrollgraph.nn.exchange.windows import packed_parameters, window_function
from unrollgraph.nn.network import Network

Tensor = Any


def to_jax(
    net: Network, *, outputs: Iterable[Any] | None = None, packed: bool = False
) -> tuple[Callable[..., tuple[dict[Any, Tensor], Any]], Any]:
    """Return a network as a pure function of JAX, and its parameters.

    Parameters
    ----------
    net : Network
        The network, with delays in Z.
    outputs : iterable of vertices, optional
        Vertices whose values the function returns (default: vertices without out-edges).
    packed : bool
        Whether the parameters are one array. JAX compiles thousands of arrays slowly, so use it for
        a network of thousands of neurons.

    Returns
    -------
    function : callable
        ``function(parameters, inputs, state=None)`` returns the pair of a dict of output arrays
        and the state after the window. Inputs and outputs have the shapes of `Network.forward`;
        the state is a tuple of arrays, for the next window. ``jax.jit``, ``jax.grad`` and
        ``jax.vmap`` apply; steps on cycles are a ``jax.lax.scan``.
    parameters : dict of jax.Array, or jax.Array
        The parameters, by the names of ``net.parameters``, or all in one array.

    Raises
    ------
    ImportError
        If JAX is not installed.
    TypeError
        If an operation of the network has no form in JAX; the message names its vertex.
    ValueError
        If the delays are vectors.

    Notes
    -----
    JAX computes in float32 unless ``jax.config.update("jax_enable_x64", True)`` is called first.

    Examples
    --------
    >>> import jax, numpy as np  # doctest: +SKIP
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.seed(2, 3, 1))
    >>> f, parameters = nn.to_jax(net)  # doctest: +SKIP
    >>> outputs, state = jax.jit(f)(parameters, {"in": np.ones((4, 2))})  # doctest: +SKIP
    >>> outputs["out"].shape  # doctest: +SKIP
    (4, 1)
    """
    framework = _Jax()
    function = window_function(net, outputs, framework)

    def run(parameters: Any, inputs: Any, state: Any = None) -> tuple[dict[Any, Tensor], Any]:
        found, later = function(parameters, inputs, state)
        return OrderedDict(found), later  # JAX would sort the keys of a dict

    if packed:
        return run, framework.jnp.array(packed_parameters(net))
    return run, {name: framework.jnp.array(array) for name, array in net.parameters.items()}


class _Jax:
    """The functions of JAX that a window function calls."""

    def __init__(self) -> None:
        try:
            jax: Any = import_module("jax")
        except ImportError as error:
            raise ImportError("to_jax needs JAX; install it with: pip install jax") from error
        self.jax, self.jnp = jax, jax.numpy
        nn, jnp = jax.nn, jax.numpy
        self.kernels: dict[str, Callable[..., Tensor]] = {
            "copy": lambda a: a,
            "add": jnp.add,
            "multiply": jnp.multiply,
            "complement": lambda a: 1 - a,
            "concatenate": lambda *a: jnp.concatenate(a, -2),
            "softmax": lambda a: nn.softmax(a, -2),
            "tanh": jnp.tanh,
            "sigmoid": nn.sigmoid,
            "relu": nn.relu,
            "leaky_relu": nn.leaky_relu,
            "elu": nn.elu,
            "gelu": lambda a: nn.gelu(a, approximate=False),
            "silu": nn.silu,
            "softplus": nn.softplus,
            "sin": jnp.sin,
            "exp": jnp.exp,
            "abs": jnp.abs,
            "square": jnp.square,
        }

    def given(self, array: Any, like: Tensor, *, indices: bool) -> Tensor:
        return self.jnp.asarray(array, None if indices else like.dtype)

    def zeros(self, shape: Sequence[int], like: Tensor) -> Tensor:
        return self.jnp.zeros(tuple(shape), like.dtype)

    def constant(self, array: Any, like: Tensor | None) -> Tensor:
        return self.jnp.asarray(array, None if like is None else like.dtype)

    def concat(self, arrays: Sequence[Tensor], axis: int) -> Tensor:
        return self.jnp.concatenate(arrays, axis)

    def take(self, array: Tensor, indices: Any, axis: int) -> Tensor:
        return self.jnp.take(array, indices, axis, mode="clip")

    def embedding(self, table: Tensor, indices: Tensor) -> Tensor:
        return self.jnp.take(table, indices, 0, mode="clip")

    def flipped(self, array: Tensor) -> Tensor:
        return array[::-1]

    def full_matrix(self, shape: tuple[int, int], places: Any, values: Tensor) -> Tensor:
        flat = self.jnp.zeros(int(np.prod(shape)), values.dtype)
        return flat.at[places].add(values).reshape(shape)

    def sums(self, products: Tensor, rows: Any, count: int) -> Tensor:
        shape = (*products.shape[:-2], count, products.shape[-1])
        total = self.jnp.zeros(shape, products.dtype)
        return total.at[..., rows, :].add(products, indices_are_sorted=True)

    def where(self, condition: Tensor, one: Tensor, other: Tensor) -> Tensor:
        return self.jnp.where(condition, one, other)

    def scan(self, body: Any, carry: Any, given: Any, steps: int) -> Any:
        # keys of dictionaries in JAX must be sortable, so the arrays are passed as lists
        keys = list(given)

        def step(carry: Any, arrays: Any) -> Any:
            return body(carry, dict(zip(keys, arrays, strict=True)))

        return self.jax.lax.scan(step, carry, [given[key] for key in keys], steps)
