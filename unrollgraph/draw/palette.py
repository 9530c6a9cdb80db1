"""Colours: one for each vertex of the base, one for each delay.

Vertices take the palette of Okabe and Ito, which people with any kind of colour vision tell
apart; beyond its seven hues it repeats, lighter and darker. Whatever fades is mixed toward
the paper and never made transparent, since transparent strokes darken where they overlap.

References
----------
M. Okabe and K. Ito, Color universal design (2008). WCAG 2.2, section 1.4.3, on contrast.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, to_rgb

__all__ = [
    "INK",
    "MARKER",
    "PAPER",
    "QUIET",
    "Colour",
    "delay_colours",
    "mixed",
    "on",
    "ramp",
    "vertex_colours",
]

Colour: TypeAlias = tuple[float, float, float]

PAPER: Colour = (1.0, 1.0, 1.0)
INK: Colour = to_rgb("#20262e")
_BLACK: Colour = (0.0, 0.0, 0.0)
QUIET: Colour = to_rgb("#9aa1ad")
MARKER: Colour = to_rgb("#ffd84d")
_FIBRES = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#f0e442"]
_DELAYS = ["#c0392b", "#7d3c98", "#1f618d", "#935116", "#0e6655", "#6e2c00"]


def vertex_colours(vertices: Sequence[Hashable], palette: Any = None) -> dict[Any, Colour]:
    """Colour each vertex: from the palette in turn, or as a mapping says."""
    if isinstance(palette, Mapping):
        return {v: to_rgb(palette.get(v, QUIET)) for v in vertices}
    hues = [to_rgb(colour) for colour in (palette or _FIBRES)]
    found = {}
    for k, vertex in enumerate(vertices):
        turn, hue = divmod(k, len(hues))
        toward = PAPER if turn % 2 else INK  # first time pure, then lighter, then darker
        share = min(0.6, 0.5 * ((turn + 1) // 2) - (0.25 if turn and not turn % 2 else 0))
        found[vertex] = mixed(hues[hue], toward, share)
    return found


def delay_colours(delays: Sequence[Any]) -> dict[Any, Colour]:
    """Colour each delay that occurs, zero in ink and the others by their size."""
    moving = sorted({d for d in delays if any(_parts(d))}, key=lambda d: (_size(d), _parts(d)))
    found = {d: to_rgb(_DELAYS[k % len(_DELAYS)]) for k, d in enumerate(moving)}
    return found | {d: INK for d in delays if not any(_parts(d))}


def _parts(delay: Any) -> tuple[int, ...]:
    return delay if isinstance(delay, tuple) else (delay,)


def _size(delay: Any) -> int:
    return sum(map(abs, _parts(delay)))


def ramp(shares: Sequence[float], palette: Any = None) -> list[Colour]:
    """Colours from 0 to 1 along a colormap of matplotlib, or between the colours of a list."""
    if palette is None or isinstance(palette, str):
        shades = colormaps[palette or "viridis"]
    else:
        shades = LinearSegmentedColormap.from_list("given", [to_rgb(c) for c in palette])
    return [to_rgb(shades(float(share))) for share in shares]


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """Mix a colour with a share of another."""
    r, g, b = (a + share * (c - a) for a, c in zip(colour, other, strict=True))
    return r, g, b


def on(background: Colour) -> Colour:
    """Black or white, whichever reads better: one of them has a contrast of 4.58 or more."""
    light = _luminance(background) + 0.05
    return _BLACK if light / 0.05 >= 1.05 / light else PAPER


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
