"""Band structure: eigenvalues of the Bloch matrix as functions of the angle.

The values of all bands form the spectrum of the delay cover, and the eigenvalues of its cyclic
covers lie on the bands. With several axes of time, the angles run along a path in the Brillouin
zone. A flat band has eigenfunctions of finite support.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.draw.layout import smooth
from unrollgraph.draw.render import on_paper
from unrollgraph.draw.scene import (
    INK,
    QUIET,
    Color,
    Formula,
    Scene,
    Stroke,
    Text,
    ramp,
    vertex_colors,
)
from unrollgraph.draw.style import Style
from unrollgraph.graph.delay_graph import DelayGraph, GraphLike, as_delay_graph
from unrollgraph.measure.periodic_graphs import bloch_matrices, has_reverses

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width


_WIDE, _HIGH = 9.0, 5.0
_STEPS = 48  # least number of intervals between two corners
_FINEST = 20  # intervals per period
_LONGEST = 20_000  # largest number of intervals between two corners
_MOST = 200  # bands
_FEW = 15  # most bands with wide lines
Floats = NDArray[np.float64]


def bands(
    G: GraphLike,
    *,
    path: Sequence[Any] | None = None,
    ax: Axes | None = None,
    palette: Any = None,
    width: Width | None = None,
    delay: str = "delay",
) -> Axes:
    """Draw the eigenvalues of the delay cover as functions of the Bloch angle.

    Parameters
    ----------
    G : networkx.DiGraph, DelayGraph, DelayCover or Network
        The delay graph; every edge must have a reverse of the opposite delay.
    path : sequence, optional
        Corners of the path of angles, each d numbers in multiples of pi (default: -1, 0, 1 for
        d = 1; (0, 0), (1, 0), (1, 1), (0, 0) for d = 2, and so on).
    ax, width, delay
        See `rolled`.
    palette : sequence, optional
        Colors of the bands, from the lowest to the highest (default: a colormap).

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If an edge has no reverse, ``path`` is invalid, there are 0 or more than 200 vertices,
        or the eigenvalues may have more than 1000 periods between two corners.

    Notes
    -----
    One eigenvalue problem of the size of G for each of >= 49 angles a segment and >= 20 a period.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.bands(ug.with_reverses(ug.gallery.diamond()))
    >>> "eigenvalue" in [text.get_text() for text in ax.texts]
    True
    """
    graph = G.delay_graph if isinstance(G, DelayCover) else as_delay_graph(G, delay)
    _check_bands(graph)
    scene = _scene(graph, _corners(path, graph.dimension), palette)
    return on_paper(lambda _: scene, Style(), ax, width)


def _check_bands(graph: DelayGraph) -> None:
    count = len(graph.vertices)
    if not has_reverses(graph):
        raise ValueError(
            "cannot draw bands: not every edge has a reverse of the opposite delay, so eigenvalues "
            "may be complex; draw unrollgraph.with_reverses(G) instead"
        )
    if not 0 < count <= _MOST:
        raise ValueError(
            f"cannot draw {count} bands, one for each vertex; draw a graph with 1 to {_MOST} "
            "vertices"
        )


def _corners(path: Sequence[Any] | None, dimension: int) -> Floats:
    """Corners of the path in multiples of pi, of shape (corners, d)."""
    if path is None:
        if dimension == 1:
            return np.array([[-1.0], [0.0], [1.0]])
        ones = np.tri(dimension + 1, dimension, -1)
        return np.vstack([ones, np.zeros((1, dimension))])
    try:
        found = np.array([np.reshape(corner, -1) for corner in path], dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 2 or found.shape[1] != dimension or not np.isfinite(found).all():
        wanted = "a finite number" if dimension == 1 else f"{dimension} finite numbers"
        raise ValueError(f"invalid path={path!r}: each corner must be {wanted}, in multiples of pi")
    away = np.array([a.tolist() != b.tolist() for a, b in pairwise(found)], dtype=bool)
    if not away.size or not away.all():
        raise ValueError(
            f"invalid path={path!r}: give at least two corners, with no two equal in a row"
        )
    return found


def _scene(graph: DelayGraph, corners: Floats, palette: Any) -> Scene:
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(lengths)]) * (_WIDE / lengths.sum())
    parts = [np.linspace(0.0, 1.0, _steps(graph, b - a) + 1)[:, None] for a, b in pairwise(corners)]
    legs = [a + share * (b - a) for share, (a, b) in zip(parts, pairwise(corners), strict=True)]
    found = [np.linalg.eigvalsh(bloch_matrices(graph, np.pi * leg)) for leg in legs]
    low = math.floor(min(leg.min() for leg in found) + 1e-9)
    high = max(math.ceil(max(leg.max() for leg in found) - 1e-9), low + 1)
    count = len(graph.vertices)
    shares = [0.85 * k / max(count - 1, 1) for k in range(count)]  # a ramp without pale colors
    hues = ramp(shares) if palette is None else [*vertex_colors(range(count), palette).values()]
    strokes = [*_frame(at.tolist(), (low, high))]
    pen = 2.0 if count <= _FEW else 1.2
    for (left, right), leg in zip(pairwise(at.tolist()), found, strict=True):
        x = np.linspace(left, right, len(leg))
        for k, values in enumerate(leg.T):
            y = (values - low) * (_HIGH / (high - low))
            line = smooth(np.column_stack([x, y]))
            strokes.append(Stroke(("band", k), line, hues[k], (), pen, arrow=False))
    return Scene(strokes=tuple(strokes), texts=(*_words(corners, at.tolist(), (low, high)),))


def _steps(graph: DelayGraph, leg: Floats) -> int:
    waves = float(np.abs(graph.delays @ leg).max(initial=0)) / 2
    if waves * _FINEST > _LONGEST:
        raise ValueError(
            f"the eigenvalues may have {waves:.6g} periods between two corners of the path, but at "
            f"most {_LONGEST // _FINEST} can be drawn; choose a path with shorter segments"
        )
    return max(_STEPS, math.ceil(waves * _FINEST))


def _frame(at: list[float], limits: tuple[int, int]) -> Iterable[Stroke]:
    for k, x in enumerate(at):
        yield _line(("corner", k), (x, 0.0), (x, _HIGH), QUIET)
    for y, key in ((0.0, "floor"), (_HIGH, "ceiling")):
        yield _line(key, (at[0], y), (at[-1], y), QUIET)
    low, high = limits
    if low < 0 < high:
        zero = -low * _HIGH / (high - low)
        yield _line("zero", (at[0], zero), (at[-1], zero), QUIET, dashed=True)


def _line(
    key: Any,
    a: tuple[float, float],
    b: tuple[float, float],
    color: Color,
    *,
    dashed: bool = False,
) -> Stroke:
    return Stroke(key, np.array([a, b]), color, (0.09, 0.09) if dashed else (), 0.8, arrow=False)


def _words(corners: Floats, at: list[float], limits: tuple[int, int]) -> Iterable[Text]:
    low, high = limits
    for corner, x in zip(corners, at, strict=True):
        names = [_multiple(share) for share in corner.tolist()]
        words = names[0] if len(names) == 1 else f"({', '.join(names)})"
        yield Text((x, -0.4), Formula(words), INK, 0.26)
    step = max(1, math.ceil((high - low) / 8))
    for value in range(-(-low // step) * step, high + 1, step):  # multiples, so 0 is one
        y = (value - low) * _HIGH / (high - low)
        yield Text((at[0] - 0.2, y), Formula(value), QUIET, 0.26, "right")
    yield Text((at[0], _HIGH + 0.35), "eigenvalue", QUIET, 0.26, "left")
    yield Text((at[-1], -0.85), "angle", QUIET, 0.26, "right")


def _multiple(share: float) -> str:
    ratio = Fraction(share).limit_denominator(12)
    if abs(ratio - share) > 1e-9:
        return rf"{share:.3g}\pi"
    if not ratio:
        return "0"
    sign = "-" if ratio < 0 else ""
    above = "" if abs(ratio.numerator) == 1 else str(abs(ratio.numerator))
    below = "" if ratio.denominator == 1 else f"/{ratio.denominator}"
    return rf"{sign}{above}\pi{below}"
