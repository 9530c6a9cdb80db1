"""Norms of the gradients of all copies of each parameter.

The picture is a table of colored cells with a row for each parameter and a column for each copy;
colors are on a logarithmic scale. A run of at most 14 steps is drawn above the table. Over times in
Z^2, there is a heat map for each parameter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrollgraph.draw._unrolled import unrolled_scene
from unrollgraph.draw.layout import rows_of
from unrollgraph.draw.render import on_paper
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    QUIET,
    Color,
    Formula,
    Scene,
    Shape,
    Text,
    extent,
    mixed,
    ramp,
    shifted,
)
from unrollgraph.draw.style import Style, as_labels, plain
from unrollgraph.errors import show_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrollgraph.draw.style import Width
    from unrollgraph.nn.gradients import Gradients


_LONGEST = 14  # most steps for which the unrolled network is drawn
_ABREAST = 4  # most heat maps side by side
_CELL = 0.62  # height of a row
_WIDEST = 17.0  # largest width of the table without the network


def gradient_flow(
    gradients: Gradients,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    palette: Any = None,
    limits: tuple[float, float] | None = None,
    width: Width | None = None,
) -> Axes:
    """Draw the gradient norm of each copy of each parameter over time.

    Parameters
    ----------
    gradients : Gradients
        Gradients of a run, as ``run.backward`` returns them.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on (default: axes of a new figure).
    labels : mapping, optional
        Labels of parameters (default: their names); ``"$h_1$"`` is set as a formula.
    palette : str or sequence, optional
        Name of a colormap, or colors from the least value to the largest.
    limits : pair of float, optional
        Least and largest norm of the color scale (default: powers of ten around the norms).
    width
        See `rolled`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``gradients`` is not a Gradients object.
    ValueError
        If the network has no parameters, or ``limits`` are not 0 < least < largest < infinity.

    Examples
    --------
    >>> import numpy as np, unrollgraph as ug
    >>> from unrollgraph import nn
    >>> net = nn.Network(nn.architectures.elman(inputs=1, hidden=3, outputs=1), seed=0)
    >>> run = net.forward({"x": np.ones((6, 1))})
    >>> ax = ug.draw.gradient_flow(run.backward({"y": np.ones((6, 1))}))
    >>> sum(text.get_text().startswith("h.") for text in ax.texts)
    2
    """
    norms = _norms(gradients)
    low, high = _limits(norms, limits)
    names = {**_names(gradients), **as_labels(labels)}

    planes = {name: _cells(gradients.fibre(name)) for name in norms}
    over_time = gradients.steps is not None

    def build(style: Style) -> Scene:
        if all(cells is not None for cells in planes.values()):
            return _planes(norms, planes, (low, high), names, palette)
        graph: Any = None
        if style.ghosts and gradients.steps is not None and gradients.steps <= _LONGEST:
            style = replace(style, steps=_LONGEST)
            graph = unrolled_scene(gradients.graph, range(gradients.steps), style, ghosts=False)
            first = graph.discs[0].key[0]
            left = graph.discs[0].at[0] - graph.texts[0].at[0]
            centers = [disc.at[0] - left for disc in graph.discs if disc.key[0] == first]
            graph = Scene(graph.discs, graph.strokes, graph.bands)
        else:
            count = max(map(len, norms.values()))
            step = min(0.8, _WIDEST / count)
            centers = [step * k for k in range(count)]
        strip = _strip(norms, centers, (low, high), names, palette, over_time)
        if graph is not None:
            strip += shifted(graph, 0.0, extent(strip)[3] - extent(graph)[1] - 0.5)
        return strip

    # where the network does not fit, a style without ghosts, which has the strip alone
    return on_paper(build, Style(steps=1), ax, width)


def _names(gradients: Any) -> dict[str, str]:
    """Default label of each parameter."""
    owner = gradients.vertices
    return {name: f"{plain(v)}.{name.rpartition('.')[2]}" for name, v in owner.items()}


def _norms(gradients: Any) -> dict[str, Any]:
    """Gradient norms of the copies of each parameter, in the order of the rows from the top."""
    if not hasattr(gradients, "copies"):
        raise TypeError(
            "gradients must be a Gradients object, as run.backward returns it, not "
            f"{show_kind(gradients)}"
        )
    rows = rows_of(gradients.graph)
    owner = gradients.vertices
    if not owner:
        raise ValueError("the network has no parameters, so there are no gradients to draw")
    names = sorted(owner, key=lambda name: (-rows[owner[name]], name))
    copies = {name: gradients.copies(name) for name in names}
    return {name: np.linalg.norm(g.reshape(len(g), -1), axis=1) for name, g in copies.items()}


def _limits(norms: Mapping[str, Any], limits: Any) -> tuple[float, float]:
    """Base-10 logarithms of the ends of the color scale."""
    if limits is not None:
        least, largest = limits
        if not 0 < least < largest < math.inf:
            raise ValueError(f"invalid limits={limits!r}: must be 0 < least < largest < infinity")
        return math.log10(least), math.log10(largest)
    sizes = np.concatenate(list(norms.values()))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if not sizes.size:
        return -1.0, 0.0
    high = math.ceil(math.log10(sizes.max()) - 1e-9)
    low = math.floor(math.log10(sizes.min()) + 1e-9)
    return float(max(low, high - 16)), float(max(high, low + 1))


def _strip(
    norms: Mapping[str, Any],
    centers: list[float],
    limits: tuple[float, float],
    labels: Mapping[str, str],
    palette: Any,
    over_time: bool,
) -> Scene:
    width = centers[1] - centers[0] if len(centers) > 1 else 1.0
    cell = width - 0.04 if width > 0.6 else 1.03 * width  # narrow cells overlap, to hide gaps
    shapes, texts = [], []
    left = centers[0] - width / 2
    for row, (name, sizes) in enumerate(norms.items()):
        y = -row * _CELL
        texts.append(Text((left - 0.2, y), labels[name], INK, 0.26, "right"))
        for x, fill in zip(centers, _fills(sizes, limits, palette), strict=False):
            shapes.append(Shape((name, x), _box(x, y, cell, _CELL - 0.04), fill))
    below = -len(norms) * _CELL
    step = max(1, math.ceil(len(centers) / 16))
    texts += [
        Text((centers[k], below - 0.05), Formula(k), QUIET, 0.24)
        for k in range(0, len(centers), step)
    ]
    axis = Formula("t") if over_time else "copy"
    texts.append(Text((left - 0.2, below - 0.05), axis, QUIET, 0.26, "right"))
    middle = (centers[0] + centers[-1]) / 2
    texts += _key(norms, (middle, below - 1.65))
    scale = _scale(middle, below - 0.75, limits, palette)
    return Scene(texts=tuple(texts), shapes=tuple(shapes)) + scale


def _fills(sizes: Any, limits: tuple[float, float], palette: Any) -> list[Color]:
    """Color of each norm: gray for zero, black for infinity and NaN."""
    low, high = limits
    with np.errstate(divide="ignore"):
        shares = np.clip((np.log10(sizes) - low) / (high - low), 0, 1)
    shades = ramp(np.nan_to_num(shares).tolist(), palette)
    zero = mixed(QUIET, PAPER, 0.7)
    return [
        (shade if size > 0 else zero) if math.isfinite(size) else INK
        for size, shade in zip(sizes.tolist(), shades, strict=True)
    ]


def _cells(fibre: tuple[Any, ...]) -> list[tuple[int, int]] | None:
    """Times in Z^2 of the copies of a vertex, or None if they have no such times."""
    times = [node[1] for node in fibre if isinstance(node, tuple) and len(node) == 2]
    pairs = [t for t in times if isinstance(t, tuple) and len(t) == 2]
    return pairs if pairs and len(pairs) == len(fibre) else None


def _planes(
    norms: Mapping[str, Any],
    planes: Mapping[str, Any],
    limits: tuple[float, float],
    labels: Mapping[str, str],
    palette: Any,
) -> Scene:
    """Heat maps side by side, one for each parameter, with times in Z^2 as axes."""
    times = np.array([t for cells in planes.values() for t in cells])
    low, high = times.min(axis=0), times.max(axis=0)
    wide, tall = ((high - low + 1) * _CELL).tolist()
    shapes, texts = [], []
    for k, (name, sizes) in enumerate(norms.items()):
        x0 = (k % _ABREAST) * (max(wide, 2.0) + 1.5)
        y0 = -(k // _ABREAST) * (tall + 1.9)
        for (t, s), fill in zip(planes[name], _fills(sizes, limits, palette), strict=True):
            x, y = x0 + (t - low[0]) * _CELL, y0 + (s - low[1]) * _CELL
            shapes.append(Shape((name, (t, s)), _box(x, y, _CELL - 0.04, _CELL - 0.04), fill))
        right, top = x0 + wide - _CELL, y0 + tall - _CELL
        texts.append(Text(((x0 + right) / 2, top + 0.65), labels[name], INK, 0.28))
        for x, t in ((x0, low[0]), (right, high[0])):
            texts.append(Text((x, y0 - 0.55), Formula(t), QUIET, 0.24))
        for y, s in ((y0, low[1]), (top, high[1])):
            texts.append(Text((x0 - 0.45, y), Formula(s), QUIET, 0.24, "right"))
        texts.append(Text(((x0 + right) / 2, y0 - 0.6), Formula("t_1"), QUIET, 0.26))
        texts.append(Text((x0 - 0.45, (y0 + top) / 2), Formula("t_2"), QUIET, 0.26, "right"))
    bottom = min(text.at[1] for text in texts)
    ends = [float(shape.points[:, 0].max()) for shape in shapes]
    scale = _scale(max(ends) / 2, bottom - 0.9, limits, palette)
    texts += _key(norms, (max(ends) / 2, bottom - 1.8))
    return Scene(texts=tuple(texts), shapes=tuple(shapes)) + scale


def _key(norms: Mapping[str, Any], at: tuple[float, float]) -> list[Text]:
    """Meaning of the colors that are not on the scale, if there are any."""
    sizes = np.concatenate(list(norms.values()))
    words = ["gray: zero"] * bool(np.any(sizes == 0))
    words += ["black: infinite or NaN"] * bool(not np.isfinite(sizes).all())
    return [Text(at, ", ".join(words), QUIET, 0.24)] if words else []


def _scale(middle: float, y: float, limits: tuple[float, float], palette: Any) -> Scene:
    low, high = limits
    wide, steps = 5.0, 60
    shades = ramp([k / (steps - 1) for k in range(steps)], palette)
    x = middle + wide * ((np.arange(steps) + 0.5) / steps - 0.5)
    cells = tuple(
        Shape("scale", _box(at, y, wide / steps * 1.05, 0.24), shade)
        for at, shade in zip(x.tolist(), shades, strict=True)
    )
    texts = []
    for power, words in _ticks(low, high):
        at = middle + wide * ((power - low) / (high - low) - 0.5)
        texts.append(Text((at, y - 0.4), Formula(words), QUIET, 0.24))
    name = Text((middle - wide / 2 - 0.3, y), "norm of the gradient", QUIET, 0.26, "right")
    return Scene(texts=(*texts, name), shapes=cells)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of ten on the scale with their labels; the ends if there are fewer than two."""
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if first < last:
        powers = range(first, last + 1, max(1, math.ceil((last - first) / 6)))
        return [(float(power), f"10^{{{power}}}") for power in powers]
    found = []
    for end in (low, high):
        power = math.floor(end + 1e-9)
        found.append((end, rf"{10 ** (end - power):.3g} \cdot 10^{{{power}}}"))
    return found


def _box(x: float, y: float, width: float, height: float) -> Any:
    a, b = width / 2, height / 2
    return np.array([(x - a, y - b), (x + a, y - b), (x + a, y + b), (x - a, y + b)])
