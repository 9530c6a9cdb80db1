"""Bands: the eigenvalues of the infinite cover, as the angle of its waves turns.

Each band is one eigenvalue of the Bloch matrix as a function of the angle; its heights together
are the spectrum of the cover, and the eigenvalues of cyclic covers are points on it. Angles
of more axes than one are followed along a path from corner to corner of the zone, as
crystallographers do. A flat band belongs to functions that stay in one place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.draw._rolled import on_paper
from unrollgraph.draw.layout import smooth
from unrollgraph.draw.scene import INK, QUIET, Colour, Formula, Scene, Stroke, Text, vertex_colours
from unrollgraph.graph.delay_graph import DelayGraph, as_delay_graph
from unrollgraph.measure.periodic_graphs import bloch_matrices, has_reverses

_WIDE, _HIGH = 9.0, 5.0
_STEPS = 48  # points of a band between two corners, at least
_FINEST = 20  # points of a wave, and
_LONGEST = 20_000  # as many at most between two corners
_MOST = 200  # bands
Floats = NDArray[np.float64]


def bands(
    G: Any,
    *,
    path: Sequence[Any] | None = None,
    ax: Any = None,
    palette: Any = None,
    delay: str = "delay",
) -> Any:
    """Draw the eigenvalues of the infinite cover over the angle of its waves.

    Parameters
    ----------
    G : networkx.DiGraph, networkx.MultiDiGraph, DelayGraph or DelayCover
        A delay graph in which every edge has its reverse, of the opposite delay.
    path : sequence, optional
        Corners to pass, each a number, or d of them, in multiples of pi. Unless given from -1 to
        1 where d = 1, else from the origin along one axis after another, and back.
    ax : matplotlib.axes.Axes, optional
        Where to draw; unless given a new figure of the right size is made.
    palette : sequence, optional
        Colours of the bands, from below.
    delay : str
        The edge attribute that holds the delay.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If an edge has no reverse, so that eigenvalues are complex, if the path has not two
        corners of d numbers, if there are no bands, or more than 200, or if delays are so long
        that their waves could not be told apart.

    Notes
    -----
    One eigenvalue problem of the size of the base for each of 48 angles between two corners, and
    more where delays are long: 20 for a wave of the longest.

    Examples
    --------
    >>> import unrollgraph as ug
    >>> ax = ug.draw.bands(ug.with_reverses(ug.gallery.diamond()))
    >>> "eigenvalue" in [text.get_text() for text in ax.texts]
    True
    """
    graph = G.delay_graph if isinstance(G, DelayCover) else as_delay_graph(G, delay)
    _check_bands(graph)
    return on_paper(_scene(graph, _corners(path, graph.dimension), palette), ax)


def _check_bands(graph: DelayGraph) -> None:
    count = len(graph.vertices)
    if not has_reverses(graph):
        raise ValueError(
            "bands are drawn of graphs in which every edge has its reverse, since other spectra "
            "are complex; draw those of unrollgraph.with_reverses(G)"
        )
    if not 0 < count <= _MOST:
        raise ValueError(
            f"the graph has {count} bands, one for each vertex, but 1 to {_MOST} can be drawn"
        )


def _corners(path: Sequence[Any] | None, dimension: int) -> Floats:
    """Corners of the path, an angle for each axis, in multiples of pi."""
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
        wanted = "a number" if dimension == 1 else f"{dimension} numbers"
        raise ValueError(f"path={path!r} is no path; give corners of {wanted}, in multiples of pi")
    away = np.array([a.tolist() != b.tolist() for a, b in pairwise(found)], dtype=bool)
    if not away.size or not away.all():
        raise ValueError(
            f"path={path!r} is no path; give two corners or more, no two alike in a row"
        )
    return found


def _scene(graph: DelayGraph, corners: Floats, palette: Any) -> Scene:
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    at = np.concatenate([[0.0], np.cumsum(lengths)]) * (_WIDE / lengths.sum())
    shares = [
        np.linspace(0.0, 1.0, _steps(graph, b - a) + 1)[:, None] for a, b in pairwise(corners)
    ]
    legs = [a + share * (b - a) for share, (a, b) in zip(shares, pairwise(corners), strict=True)]
    found = [np.linalg.eigvalsh(bloch_matrices(graph, np.pi * leg)) for leg in legs]
    low = math.floor(min(leg.min() for leg in found) + 1e-9)
    high = max(math.ceil(max(leg.max() for leg in found) - 1e-9), low + 1)
    hues = vertex_colours(range(len(graph.vertices)), palette)
    strokes = [*_frame(at.tolist(), (low, high))]
    for (left, right), leg in zip(pairwise(at.tolist()), found, strict=True):
        x = np.linspace(left, right, len(leg))
        for k, values in enumerate(leg.T):
            y = (values - low) * (_HIGH / (high - low))
            line = smooth(np.column_stack([x, y]))
            strokes.append(Stroke(("band", k), line, hues[k], 2.0, arrow=False))
    return Scene(strokes=tuple(strokes), texts=(*_words(corners, at.tolist(), (low, high)),))


def _steps(graph: DelayGraph, leg: Floats) -> int:
    """Between how many angles a band is drawn from one corner to another."""
    waves = float(np.abs(graph.delays @ leg).max(initial=0)) / 2
    if waves * _FINEST > _LONGEST:
        raise ValueError(
            f"the longest delay makes {waves:.6g} waves between two corners of the path, which "
            f"could not be told apart; give a shorter path, of at most {_LONGEST // _FINEST} waves"
        )
    return max(_STEPS, math.ceil(waves * _FINEST))


def _frame(at: list[float], limits: tuple[int, int]) -> Iterable[Stroke]:
    """Verticals at the corners, and a line where the eigenvalue is zero."""
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
    colour: Colour,
    *,
    dashed: bool = False,
) -> Stroke:
    return Stroke(key, np.array([a, b]), colour, 0.8, arrow=False, dashed=dashed)


def _words(corners: Floats, at: list[float], limits: tuple[int, int]) -> Iterable[Text]:
    low, high = limits
    for corner, x in zip(corners, at, strict=True):
        names = [_multiple(share) for share in corner.tolist()]
        words = names[0] if len(names) == 1 else f"({', '.join(names)})"
        yield Text((x, -0.4), Formula(words), INK, 0.26)
    step = max(1, math.ceil((high - low) / 8))
    for value in range(low, high + 1, step):
        y = (value - low) * _HIGH / (high - low)
        yield Text((at[0] - 0.2, y), Formula(value), QUIET, 0.26, "right")
    yield Text((at[0], _HIGH + 0.35), "eigenvalue", QUIET, 0.26, "left")
    yield Text((at[-1], -0.85), "angle", QUIET, 0.26, "right")


def _multiple(share: float) -> str:
    """A multiple of pi as a formula."""
    ratio = Fraction(share).limit_denominator(12)
    if abs(ratio - share) > 1e-9:
        return rf"{share:.3g}\pi"
    if not ratio:
        return "0"
    sign = "-" if ratio < 0 else ""
    above = "" if abs(ratio.numerator) == 1 else str(abs(ratio.numerator))
    below = "" if ratio.denominator == 1 else f"/{ratio.denominator}"
    return rf"{sign}{above}\pi{below}"
