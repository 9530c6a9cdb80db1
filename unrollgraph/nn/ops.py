"""Operations: the functions that the vertices of a network compute.

The operation of a vertex is its attribute ``op``. It reads the values at the tails of its in-edges,
in the order of the edge attribute ``order`` (default: the order of ``G.edges``).

Subclass `Op` to define another operation. Arrays have shape ``(rows, size)``, with one row for each
copy of the vertex and each member of the batch. A row of the result must depend on the same row of
the sources only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.errors import ShapeError
from unrollgraph.graph.times import check_integer
from unrollgraph.nn.initializers import Initializer
from unrollgraph.nn.primitives import ACTIVATIONS
from unrollgraph.nn.program import Ref, Values, Weight

Array = NDArray[Any]


@dataclass(frozen=True)
class Parameter:
    """Shape and initialization of a parameter of an operation.

    Attributes
    ----------
    shape : tuple of int
        Shape of the array.
    bound : float
        Initial values are drawn uniformly from [-bound, bound]; 0 means zeros.
    init : callable, optional
        Function of a `numpy.random.Generator` and the shape that returns the initial values, such
        as those of `nn.initializers`; ``bound`` is not used then.
    """

    shape: tuple[int, ...]
    bound: float = 0.0
    init: Initializer | None = None

    def draw(self, rng: np.random.Generator) -> Array:
        """Draw the initial values."""
        if self.init is None:
            return rng.uniform(-self.bound, self.bound, self.shape)
        found = np.asarray(self.init(rng, self.shape))
        if found.shape != self.shape:
            raise ShapeError(
                f"the initializer of a parameter returned shape {found.shape}, but must return "
                f"{self.shape}",
                expected=self.shape,
                found=found.shape,
            )
        return found


@dataclass
class Site:
    """Context in which an operation reads its sources and appends its values."""

    values: Values
    vertex: int
    name: str  # of the vertex; the prefix of the names of its parameters
    sources: list[Ref]
    inner: list[bool]  # whether each source lies on a cycle with this vertex
    summed: bool = False  # whether a sum of products is one value

    def sizes(self) -> list[int]:
        """Lengths of the vectors of the sources."""
        return [self.values.size_of(ref) for ref in self.sources]

    def add(self, size: int, kind: str, *args: Ref, **more: Any) -> Ref:
        """Append a value at this vertex and return a reference to it."""
        return self.values.add(self.vertex, size, kind, *args, **more)

    def outer_first(self, refs: Sequence[Ref]) -> tuple[list[Ref], list[Ref]]:
        """Split references, one per source, into those off the cycle and those on it."""
        # the sum of the former is computed for all steps at once
        off = [ref for ref, inner in zip(refs, self.inner, strict=True) if not inner]
        on = [ref for ref, inner in zip(refs, self.inner, strict=True) if inner]
        return off, on


class Op:
    """Base class of operations.

    Subclasses define `size_of`, `forward`, `adjoint` and, if they have any, `parameters`.

    Examples
    --------
    >>> from unrollgraph import nn
    >>> class Square(nn.Op):
    ...     def size_of(self, sizes):
    ...         (size,) = sizes
    ...         return size
    ...
    ...     def forward(self, sources, parameters):
    ...         return sources[0] ** 2
    ...
    ...     def adjoint(self, gradient, value, sources, parameters):
    ...         return [2 * sources[0] * gradient], {}
    """

    def size_of(self, sizes: Sequence[int]) -> int:
        """Return the length of the result; raise `ValueError` if the sources do not fit."""
        raise NotImplementedError

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        """Return the length of the result, or None if it needs a length that is None."""
        known = [size for size in sizes if size is not None]
        return self.size_of(known) if len(known) == len(sizes) else None

    def parameters(self, sizes: Sequence[int]) -> Mapping[str, Parameter]:
        """Return the parameters by name, for sources of these lengths."""
        del sizes
        return {}

    def forward(self, sources: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        """Return values of shape ``(rows, size)`` for sources of shape ``(rows, size_i)``."""
        raise NotImplementedError

    def adjoint(
        self,
        gradient: Array,
        value: Array,
        sources: Sequence[Array],
        parameters: Mapping[str, Array],
    ) -> tuple[Sequence[Array], Mapping[str, Array]]:
        """Return the gradients of the sources, and of the parameters summed over rows."""
        raise NotImplementedError

    def lower(self, site: Site) -> Ref:
        """Append the values of this operation and return a reference to its result."""
        sizes = site.sizes()
        weights = tuple(Weight(f"{site.name}.{name}") for name in self.parameters(sizes))
        return site.add(self.size_of(sizes), "opaque", *site.sources, weights=weights, extra=self)


@dataclass(frozen=True)
class Input(Op):
    """Input of the network: a vector for each copy."""

    size: int

    def __post_init__(self) -> None:
        _positive("Input", self.size)

    def size_of(self, sizes: Sequence[int]) -> int:
        _exactly(0, sizes)
        return self.size

    def lower(self, site: Site) -> Ref:
        return site.add(self.size, "input")


@dataclass(frozen=True)
class Embedding(Op):
    """Input of the network: an integer for each copy, looked up in a table of vectors."""

    vocabulary: int
    size: int

    def __post_init__(self) -> None:
        _positive("Embedding", self.vocabulary, self.size)

    def size_of(self, sizes: Sequence[int]) -> int:
        _exactly(0, sizes)
        return self.size

    def parameters(self, sizes: Sequence[int]) -> Mapping[str, Parameter]:
        del sizes
        return {"weight": Parameter((self.vocabulary, self.size), 1.0)}

    def lower(self, site: Site) -> Ref:
        indices = site.add(1, "indices")
        return site.add(self.size, "embedding", indices, weights=(Weight(f"{site.name}.weight"),))


@dataclass(frozen=True)
class Constant(Op):
    """Constant vector, the same at every copy."""

    value: tuple[float, ...]

    def __init__(self, value: ArrayLike) -> None:
        array = np.atleast_1d(np.array(value, dtype=np.float64))
        if array.ndim != 1 or not array.size:
            raise ValueError(
                f"invalid value of shape {array.shape}: nn.Constant requires a vector with at "
                "least one entry"
            )
        object.__setattr__(self, "value", tuple(array.tolist()))

    def size_of(self, sizes: Sequence[int]) -> int:
        _exactly(0, sizes)
        return len(self.value)

    def lower(self, site: Site) -> Ref:
        return site.add(len(self.value), "constant", extra=self.value)


@dataclass(frozen=True)
class Dense(Op):
    """Fully connected layer: ``activation(W x + b)``.

    Parameters
    ----------
    size : int
        Length of the result.
    activation : str
        One of ``"tanh"``, ``"sigmoid"``, ``"relu"``, ``"leaky_relu"`` (slope 0.01 for negative
        arguments), ``"elu"``, ``"gelu"``, ``"silu"``, ``"softplus"``, ``"sin"``, ``"exp"``,
        ``"abs"``, ``"square"``, ``"linear"`` and ``"softmax"``, or a name given to
        `register_activation`.
    bias : bool
        Whether to add a bias.
    combine : {"concat", "add"}
        Whether x is the concatenation of the sources or their sum.
    """

    size: int
    activation: str = "tanh"
    bias: bool = True
    combine: str = "concat"

    def __post_init__(self) -> None:
        _positive("Dense", self.size)
        _known_activation(self.activation)
        if self.combine not in {"concat", "add"}:
            raise ValueError(f"combine must be 'concat' or 'add', not {self.combine!r}")

    def size_of(self, sizes: Sequence[int]) -> int:
        if not sizes:
            raise ValueError("it requires at least one in-edge; add one")
        if self.combine == "add":
            _alike(sizes)
        return self.size

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        del sizes
        return self.size

    def parameters(self, sizes: Sequence[int]) -> Mapping[str, Parameter]:
        width = sizes[0] if self.combine == "add" else sum(sizes)
        # Glorot and Bengio (2010); for ReLU, He et al. (2015)
        bound = math.sqrt(6 / width if self.activation == "relu" else 6 / (width + self.size))
        found = {"weight": Parameter((self.size, width), bound)}
        return found | ({"bias": Parameter((self.size,))} if self.bias else {})

    def lower(self, site: Site) -> Ref:
        weights, at = [], 0
        for size in site.sizes():
            columns = (at, at + size) if self.combine == "concat" else None
            at += size
            weights.append(Weight(f"{site.name}.weight", columns))
        total = (self._sum_as_one if site.summed else self._sum_in_parts)(site, weights)
        return total if self.activation == "linear" else site.add(self.size, self.activation, total)

    def _sum_as_one(self, site: Site, weights: Sequence[Weight]) -> Ref:
        total = site.add(self.size, "products", *site.sources, weights=tuple(weights))
        bias = (Weight(f"{site.name}.bias"),)
        return site.add(self.size, "bias", total, weights=bias) if self.bias else total

    def _sum_in_parts(self, site: Site, weights: Sequence[Weight]) -> Ref:
        blocks = [
            site.add(self.size, "product", ref, weights=(weight,))
            for ref, weight in zip(site.sources, weights, strict=True)
        ]
        off, on = site.outer_first(blocks)
        bias = (Weight(f"{site.name}.bias"),)
        total = None
        for part in (off, on):
            refs = ([total] if total else []) + part
            if len(refs) > 1:
                total = site.values.chain("add", site.vertex, self.size, refs)
            elif refs:
                total = refs[0]
            if part is off and self.bias and total:
                total = site.add(self.size, "bias", total, weights=bias)
        assert total is not None
        if self.bias and not off:
            total = site.add(self.size, "bias", total, weights=bias)
        return total


@dataclass(frozen=True)
class Concat(Op):
    """Concatenation of the sources."""

    def size_of(self, sizes: Sequence[int]) -> int:
        if not sizes:
            raise ValueError("it requires at least one in-edge; add one")
        return sum(sizes)

    def lower(self, site: Site) -> Ref:
        if len(site.sources) == 1:
            return site.add(sum(site.sizes()), "copy", site.sources[0])
        return site.add(sum(site.sizes()), "concatenate", *site.sources)


class _Elementwise(Op):
    """Elementwise combination of sources of the same length."""

    _kind = ""

    def size_of(self, sizes: Sequence[int]) -> int:
        if not sizes:
            raise ValueError("it requires at least one in-edge; add one")
        return _alike(sizes)

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        return _any_known(sizes)

    def lower(self, site: Site) -> Ref:
        off, on = site.outer_first(site.sources)
        return site.values.chain(self._kind, site.vertex, site.sizes()[0], off + on)


@dataclass(frozen=True)
class Add(_Elementwise):
    """Sum of the sources."""

    _kind = "add"


@dataclass(frozen=True)
class Multiply(_Elementwise):
    """Elementwise product of the sources."""

    _kind = "multiply"


class _OneSource(Op):
    """Operation on one source that keeps its length."""

    def size_of(self, sizes: Sequence[int]) -> int:
        _exactly(1, sizes)
        return sizes[0]

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        return _any_known(sizes)


@dataclass(frozen=True)
class Activation(_OneSource):
    """Nonlinearity applied to one source."""

    name: str

    def __post_init__(self) -> None:
        _known_activation(self.name)

    def lower(self, site: Site) -> Ref:
        kind = "copy" if self.name == "linear" else self.name
        return site.add(site.sizes()[0], kind, site.sources[0])


@dataclass(frozen=True)
class Complement(_OneSource):
    """One minus the source."""

    def lower(self, site: Site) -> Ref:
        return site.add(site.sizes()[0], "complement", site.sources[0])


BUILT_IN = {
    kind.__name__: kind
    for kind in (Activation, Add, Complement, Concat, Constant, Dense, Embedding, Input, Multiply)
}


def _positive(what: str, *sizes: int) -> None:
    for size in sizes:
        check_integer(size, f"the size of {what}", 1)


def _known_activation(name: str) -> None:
    if name not in ACTIVATIONS:
        raise ValueError(
            f"unknown activation {name!r}; register it with nn.register_activation, or use one of "
            f"{', '.join(ACTIVATIONS)}"
        )


def _exactly(count: int, sizes: Sequence[int]) -> None:
    if len(sizes) != count:
        wanted = "no in-edges" if not count else f"exactly {count} in-edge"
        raise ValueError(f"it requires {wanted}, but has {len(sizes)}")


def _any_known(sizes: Sequence[int | None]) -> int | None:
    return next((size for size in sizes if size is not None), None)


def _alike(sizes: Sequence[int]) -> int:
    if len(set(sizes)) > 1:
        raise ValueError(f"its sources must have the same length, but have lengths {list(sizes)}")
    return sizes[0]
