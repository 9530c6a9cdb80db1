"""Pictures into files, by suffix: the same bytes every time, and whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from unrollgraph.draw.render import must_be_axes, printed
from unrollgraph.draw.tikz import to_tikz
from unrollgraph.errors import FormatError
from unrollgraph.io.files import write_whole

_PRINTED = (".svg", ".pdf", ".png")


def save(ax: Any, path: str | os.PathLike[str], *, dpi: float = 200) -> None:
    """Save the figure of some axes to a file, by its suffix.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of this package returned.
    path : path
        A file whose suffix is ``.svg``, ``.pdf``, ``.png`` or, for TikZ, ``.tex``.
    dpi : float
        Points per inch of a ``.png``, fewer if a side would have more than 10,000.

    Raises
    ------
    FormatError
        If the suffix is another.
    TypeError, ValueError
        If ``ax`` are no axes, or ``dpi`` is not positive.
    OSError
        If the file cannot be written; what stood there before still does.

    Notes
    -----
    Unlike ``ax.figure.savefig`` it writes the same bytes for the same picture.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import unrollgraph as ug
    >>> path = Path(mkdtemp()) / "seed.svg"
    >>> ug.draw.save(ug.draw.rolled(ug.gallery.seed_network()), path)
    >>> path.read_text().startswith("<?xml")
    True
    """
    must_be_axes(ax)
    if not dpi > 0:
        raise ValueError(f"dpi={dpi!r} is no density of points; give a number above 0")
    suffix = Path(path).suffix.lower()
    if suffix == ".tex":
        write_whole(path, to_tikz(ax).encode("utf-8"))
    elif suffix in _PRINTED:
        write_whole(path, printed(ax, suffix[1:], dpi))
    else:
        known = f"{', '.join(_PRINTED)} or .tex"
        raise FormatError(f"{path}: the suffix {suffix!r} names no format of pictures; use {known}")
