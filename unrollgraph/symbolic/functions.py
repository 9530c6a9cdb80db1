"""Functions of networks that SymPy leaves as they are written.

SymPy's own `tanh`, `Max` and `Piecewise` look into their arguments for what might simplify. In an
unrolled network arguments hold the whole past, and that takes minutes. These are the same
functions, with values for numbers, derivatives, and code for `sympy.lambdify`; ``doit`` gives
SymPy's own.
"""

from __future__ import annotations

from typing import Any

import sympy


class tanh(sympy.Function):  # type: ignore[misc]  # noqa: N801 - SymPy prints this name
    """The hyperbolic tangent."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """Numbers have a value."""
        return sympy.tanh(x) if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """The slope."""
        del argindex
        return 1 - self**2

    def doit(self, **hints: Any) -> Any:
        """SymPy's own function."""
        return sympy.tanh(self.args[0].doit(**hints))


class relu(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """The rectifier max(x, 0), with slope 0 at 0."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """Numbers have a value."""
        return sympy.Max(x, 0) if x.is_number else None

    def fdiff(self, argindex: int = 1) -> Any:
        """The slope: 0 up to 0, then 1."""
        del argindex
        return sympy.Heaviside(self.args[0], 0)

    def doit(self, **hints: Any) -> Any:
        """SymPy's own function."""
        return sympy.Max(self.args[0].doit(**hints), 0)

    def _numpycode(self, printer: Any) -> str:
        return f"{printer._module_format('numpy.maximum')}({printer._print(self.args[0])}, 0)"

    def _pythoncode(self, printer: Any) -> str:
        return f"max({printer._print(self.args[0])}, 0)"

    _mpmathcode = _pythoncode

    def _ccode(self, printer: Any) -> str:
        return f"fmax({printer._print(self.args[0])}, 0)"

    def _latex(self, printer: Any) -> str:
        return rf"\operatorname{{relu}}\left({printer._print(self.args[0])}\right)"
