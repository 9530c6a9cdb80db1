"""Gradients along the unrolling: how large that of each copy is.

Below the network unrolled lies a strip of cells: a row for each parameter, a column for each
copy, coloured by the size of its gradient on a scale of powers of ten. Where the strip pales
toward the past gradients vanish, where it darkens they explode.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from unrollgraph.draw._rolled import on_paper, unrolled_scene
from unrollgraph.draw.layout import rows_of
from unrollgraph.draw.render import as_labels, extent
from unrollgraph.draw.scene import (
    INK,
    PAPER,
    QUIET,
    Formula,
    Scene,
    Shape,
    Text,
    mixed,
    ramp,
    shifted,
)
from unrollgraph.errors import show_kind

_LONGEST = 14  # steps over which the network is drawn above
_CELL = 0.62  # height of a row
_WIDEST = 17.0  # of a strip alone


def gradient_flow(
    gradients: Any,
    *,
    ax: Any = None,
    labels: Mapping[str, str] | None = None,
    palette: Any = None,
    limits: tuple[float, float] | None = None,
) -> Any:
    """Draw the norm of the gradient of each copy of each parameter, over time.

    Parameters
    ----------
    gradients : Gradients
        What `backward` of a run returns.
    ax : matplotlib.axes.Axes, optional
        Where to draw; unless given a new figure of the right size is made.
    labels : mapping, optional
        What to write beside a row instead of the name of its parameter.
    palette : str or sequence, optional
        The name of a colormap, or colours from small to large.
    limits : pair of float, optional
        The least and the largest norm on the scale, to compare several pictures.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If ``gradients`` are none.
    ValueError
        If the network has no parameters, or the limits are not 0 < least < largest.

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
    graph: Any = None
    if gradients.steps is not None and gradients.steps <= _LONGEST:
        graph = unrolled_scene(gradients.graph, range(gradients.steps), {}, None, ghosts=False)
        graph = Scene(graph.discs, graph.strokes, graph.bands)
        centres = sorted({disc.at[0] for disc in graph.discs})
    else:
        count = max(map(len, norms.values()))
        width = min(0.8, _WIDEST / count)
        centres = [width * k for k in range(count)]
    strip = _strip(norms, centres, (low, high), as_labels(labels), palette)
    if graph is not None:
        strip += shifted(graph, 0.0, extent(strip)[3] - extent(graph)[1] - 0.5)
    return on_paper(strip, ax)


def _norms(gradients: Any) -> dict[str, Any]:
    """Norm of each copy, parameters in the order of the rows, from above."""
    if not hasattr(gradients, "copies"):
        raise TypeError(
            "gradient flow is drawn of gradients, as run.backward returns them, not of "
            f"{show_kind(gradients)}"
        )
    rows = rows_of(gradients.graph)
    owner = gradients.vertices
    if not owner:
        raise ValueError("the network has no parameters, so no gradients flow to them")
    names = sorted(owner, key=lambda name: -rows[owner[name]])
    copies = {name: gradients.copies(name) for name in names}
    return {name: np.linalg.norm(g.reshape(len(g), -1), axis=1) for name, g in copies.items()}


def _limits(norms: Mapping[str, Any], limits: Any) -> tuple[float, float]:
    """Powers of ten between which colours lie."""
    if limits is not None:
        least, largest = limits
        if not 0 < least < largest < math.inf:
            raise ValueError(f"the limits are {limits!r}, but they must be 0 < least < largest")
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
    centres: list[float],
    limits: tuple[float, float],
    labels: Mapping[str, str],
    palette: Any,
) -> Scene:
    low, high = limits
    width = centres[1] - centres[0] if len(centres) > 1 else 1.0
    cell = width * (0.98 if width > 0.3 else 1.03)  # no gaps between what is narrow
    shapes, texts = [], []
    left = centres[0] - width / 2
    for row, (name, sizes) in enumerate(norms.items()):
        y = -row * _CELL
        texts.append(Text((left - 0.2, y), labels.get(name, name), INK, 0.26, "right"))
        with np.errstate(divide="ignore"):
            shares = np.clip((np.log10(sizes) - low) / (high - low), 0, 1)
        shades = ramp(np.nan_to_num(shares).tolist(), palette)
        for x, size, shade in zip(centres, sizes.tolist(), shades, strict=False):
            fill = shade if size > 0 else mixed(QUIET, PAPER, 0.8)  # nothing flows here
            fill = fill if math.isfinite(size) else INK
            shapes.append(Shape((name, x), _box(x, y, cell, _CELL * 0.92), fill))
    below = -len(norms) * _CELL
    step = max(1, math.ceil(len(centres) / 16))
    texts += [
        Text((centres[k], below - 0.05), Formula(k), QUIET, 0.24)
        for k in range(0, len(centres), step)
    ]
    middle = (centres[0] + centres[-1]) / 2
    if not all(np.isfinite(sizes).all() for sizes in norms.values()):
        texts.append(Text((middle, below - 1.65), "black: infinite, or no number", QUIET, 0.24))
    scale = _scale(middle, below - 0.75, limits, palette)
    return Scene(texts=tuple(texts), shapes=tuple(shapes)) + scale


def _scale(middle: float, y: float, limits: tuple[float, float], palette: Any) -> Scene:
    """The scale of powers of ten."""
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
    """Powers of ten on a scale, or its ends where there are not two of them."""
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
