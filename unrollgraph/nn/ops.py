"""Operations: what the vertices of a network compute.

The operation of a vertex is its attribute ``op``. What it reads are the values at the
tails of its in-edges, in the order of the edge attribute ``order`` where that is given,
else in the order of ``G.edges``.

An operation of your own is a class with the methods of `Op`. Arrays have shape
``(rows, size)``: a row is one copy of the vertex and one member of the batch, and rows
do not mix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrollgraph.graph.times import check_integer
from unrollgraph.nn.program import Ref, Values, Weight

Array = NDArray[Any]
ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear")


@dataclass(frozen=True)
class Parameter:
    """A parameter that an operation needs: its shape, and the bound of its first values.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    bound : float
        First values are drawn uniformly from -bound to bound; 0 makes them zero.
    """

    shape: tuple[int, ...]
    bound: float = 0.0


@dataclass
class Site:
    """Where an operation is lowered: what it reads there, and the list it appends to.

    Attributes
    ----------
    values : Values
        The list.
    vertex : int
        Number of the vertex.
    name : str
        Name of the vertex, as it begins the names of parameters.
    sources : list of Ref
        What is read, in order.
    inner : list of bool
        Whether each source lies on a cycle with this vertex.
    """

    values: Values
    vertex: int
    name: str
    sources: list[Ref]
    inner: list[bool]

    def sizes(self) -> list[int]:
        """Lengths of the vectors that are read."""
        return [self.values.size_of(ref) for ref in self.sources]

    def add(self, size: int, kind: str, *args: Ref, **more: Any) -> Ref:
        """Append a value at this vertex."""
        return self.values.add(self.vertex, size, kind, *args, **more)

    def outer_first(self, refs: Sequence[Ref]) -> tuple[list[Ref], list[Ref]]:
        """Split references, one for each source, into those off the cycle and on it.

        Sums that begin with what is off the cycle can be computed for all steps at
        once.
        """
        off = [ref for ref, inner in zip(refs, self.inner, strict=True) if not inner]
        on = [ref for ref, inner in zip(refs, self.inner, strict=True) if inner]
        return off, on


class Op:
    """What a vertex computes. Subclass it for an operation of your own.

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
        """Length of the result for sources of these lengths; `ValueError` if they do not fit."""
        raise NotImplementedError

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        """Length of the result while some sources, on a cycle, are not known yet."""
        known = [size for size in sizes if size is not None]
        return self.size_of(known) if len(known) == len(sizes) else None

    def parameters(self, sizes: Sequence[int]) -> Mapping[str, Parameter]:
        """Parameters needed for sources of these lengths, by name."""
        del sizes
        return {}

    def forward(self, sources: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        """Value of shape ``(rows, size)`` from sources of shapes ``(rows, size_i)``."""
        raise NotImplementedError

    def adjoint(
        self,
        gradient: Array,
        value: Array,
        sources: Sequence[Array],
        parameters: Mapping[str, Array],
    ) -> tuple[Sequence[Array], Mapping[str, Array]]:
        """Gradients of the sources, row by row, and of the parameters, summed over rows."""
        raise NotImplementedError

    def lower(self, site: Site) -> Ref:
        """Append the steps of this operation and return its value."""
        sizes = site.sizes()
        weights = tuple(Weight(f"{site.name}.{name}") for name in self.parameters(sizes))
        return site.add(self.size_of(sizes), "opaque", *site.sources, weights=weights, extra=self)


@dataclass(frozen=True)
class Input(Op):
    """A vector given from outside at every copy."""

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
    """An integer given from outside at every copy, looked up in a table of vectors."""

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
    """The same vector at every copy."""

    value: tuple[float, ...]

    def __init__(self, value: ArrayLike) -> None:
        array = np.atleast_1d(np.array(value, dtype=np.float64))
        if array.ndim != 1 or not array.size:
            raise ValueError(f"a Constant is a vector, but it was given the shape {array.shape}")
        object.__setattr__(self, "value", tuple(array.tolist()))

    def size_of(self, sizes: Sequence[int]) -> int:
        _exactly(0, sizes)
        return len(self.value)

    def lower(self, site: Site) -> Ref:
        return site.add(len(self.value), "constant", extra=self.value)


@dataclass(frozen=True)
class Dense(Op):
    """A matrix product, a bias and a non-linearity: ``activation(W x + b)``.

    Parameters
    ----------
    size : int
        Length of the result.
    activation : {"tanh", "sigmoid", "relu", "linear"}
        The non-linearity.
    bias : bool
        Whether there is a bias.
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
            raise ValueError(f"combine is 'concat' or 'add', not {self.combine!r}")

    def size_of(self, sizes: Sequence[int]) -> int:
        if not sizes:
            raise ValueError("it needs at least one in-edge")
        if self.combine == "add":
            _alike(sizes)
        return self.size

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        del sizes
        return self.size

    def parameters(self, sizes: Sequence[int]) -> Mapping[str, Parameter]:
        width = sizes[0] if self.combine == "add" else sum(sizes)
        # Glorot and Bengio (2010); He et al. (2015) for rectified units
        bound = math.sqrt(6 / width if self.activation == "relu" else 6 / (width + self.size))
        found = {"weight": Parameter((self.size, width), bound)}
        return found | ({"bias": Parameter((self.size,))} if self.bias else {})

    def lower(self, site: Site) -> Ref:
        blocks, at = [], 0
        for ref, size in zip(site.sources, site.sizes(), strict=True):
            columns = (at, at + size) if self.combine == "concat" else None
            at += size
            weight = Weight(f"{site.name}.weight", columns)
            blocks.append(site.add(self.size, "product", ref, weights=(weight,)))
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
        return total if self.activation == "linear" else site.add(self.size, self.activation, total)


@dataclass(frozen=True)
class Concat(Op):
    """The sources beside each other."""

    def size_of(self, sizes: Sequence[int]) -> int:
        if not sizes:
            raise ValueError("it needs at least one in-edge")
        return sum(sizes)

    def lower(self, site: Site) -> Ref:
        if len(site.sources) == 1:
            return site.add(sum(site.sizes()), "copy", site.sources[0])
        return site.add(sum(site.sizes()), "concatenate", *site.sources)


class _Elementwise(Op):
    """Sources of one length combined two by two."""

    _kind = ""

    def size_of(self, sizes: Sequence[int]) -> int:
        if not sizes:
            raise ValueError("it needs at least one in-edge")
        return _alike(sizes)

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        return _any_known(sizes)

    def lower(self, site: Site) -> Ref:
        off, on = site.outer_first(site.sources)
        return site.values.chain(self._kind, site.vertex, site.sizes()[0], off + on)


@dataclass(frozen=True)
class Add(_Elementwise):
    """The sum of the sources."""

    _kind = "add"


@dataclass(frozen=True)
class Multiply(_Elementwise):
    """The product of the sources, entry by entry."""

    _kind = "multiply"


class _OneSource(Op):
    """What keeps the length of a single source."""

    def size_of(self, sizes: Sequence[int]) -> int:
        _exactly(1, sizes)
        return sizes[0]

    def hint(self, sizes: Sequence[int | None]) -> int | None:
        return _any_known(sizes)


@dataclass(frozen=True)
class Activation(_OneSource):
    """A non-linearity applied to one source."""

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
        raise ValueError(f"the activation is one of {', '.join(ACTIVATIONS)}, not {name!r}")


def _exactly(count: int, sizes: Sequence[int]) -> None:
    if len(sizes) != count:
        wanted = "no in-edges" if not count else f"exactly {count} in-edge"
        raise ValueError(f"it takes {wanted}, but has {len(sizes)}")


def _any_known(sizes: Sequence[int | None]) -> int | None:
    return next((size for size in sizes if size is not None), None)


def _alike(sizes: Sequence[int]) -> int:
    if len(set(sizes)) > 1:
        raise ValueError(f"its sources must be of one length, but have lengths {list(sizes)}")
    return sizes[0]
