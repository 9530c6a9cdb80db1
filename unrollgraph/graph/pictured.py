"""Values that a notebook shows as pictures.

Notebooks ask a value for ``_repr_svg_``. The values live low in the package and pictures are made
high above; so whoever can draw says so here, and nothing below needs to know who it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_DRAWERS: list[Callable[[Any], str | None]] = []


def drawn_by(drawer: Callable[[Any], str | None]) -> None:
    """Have pictures made by a function that returns SVG, or None for what it does not draw."""
    _DRAWERS[:] = [drawer]


class Pictured:
    """A value with a picture."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        """Picture of this value, if it is not large."""
        return next((drawer(self) for drawer in _DRAWERS), None)
