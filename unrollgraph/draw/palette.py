"""Colours: one for each vertex of the base, one for each delay.

Vertices take the palette of Okabe and Ito, which people with any kind of colour vision tell
apart; beyond its seven hues it repeats, lighter and darker, and beyond 35 colours alike.
Whatever fades is mixed toward the paper and never made transparent, since transparent strokes
darken where they overlap.

References
----------
M. Okabe and K. Ito, Color universal design (2008). WCAG 2.2, section 1.4.3, on contrast.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, is_color_like, to_rgb

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
        named = dict(zip(palette, _listed([*palette.values()]), strict=True)) if palette else {}
        return {v: named.get(v, QUIET) for v in vertices}
    hues = _listed(_FIBRES if palette is None else palette)
    return {vertex: _shade(hues, k) for k, vertex in enumerate(vertices)}


def _shade(hues: Sequence[Colour], k: int) -> Colour:
    """Colour of the k-th thing: first time pure, then lighter, then darker."""
    turn, hue = divmod(k, len(hues))
    toward = PAPER if turn % 2 else INK
    share = min(0.6, 0.5 * ((turn + 1) // 2) - (0.25 if turn and not turn % 2 else 0))
    return mixed(hues[hue], toward, share)


def _listed(palette: Any) -> list[Colour]:
    """Colours of a palette that was given; `TypeError` or `ValueError` if it is none."""
    if isinstance(palette, str) or not isinstance(palette, Iterable):
        raise TypeError(
            f"palette={palette!r} is no list of colours; give one such as ['tab:blue', '#e69f00']"
        )
    colours = [*palette]
    for colour in colours:
        if not is_color_like(colour):
            raise ValueError(
                f"palette= holds {colour!r}, which is no colour; give a name such as 'tab:blue', "
                "'#e69f00', or three numbers from 0 to 1"
            )
    if not colours:
        raise ValueError("palette= holds no colours; give at least one")
    return [to_rgb(colour) for colour in colours]


def delay_colours(delays: Sequence[Any]) -> dict[Any, Colour]:
    """Colour each delay that occurs, zero in ink and the others by their size."""
    moving = sorted({d for d in delays if any(_parts(d))}, key=lambda d: (_size(d), _parts(d)))
    hues = _listed(_DELAYS)
    found = {d: _shade(hues, k) for k, d in enumerate(moving)}
    return found | {d: INK for d in delays if not any(_parts(d))}


def _parts(delay: Any) -> tuple[int, ...]:
    return delay if isinstance(delay, tuple) else (delay,)


def _size(delay: Any) -> int:
    return sum(map(abs, _parts(delay)))


def ramp(shares: Sequence[float], palette: Any = None) -> list[Colour]:
    """Colours from 0 to 1 along a colormap of matplotlib, or between the colours of a list."""
    if isinstance(palette, Mapping):
        raise TypeError("palette= here is a colormap or a list of colours, from least to most")
    if palette is None or isinstance(palette, str):
        if palette is not None and palette not in colormaps:
            raise ValueError(
                f"palette={palette!r} names no colormap of matplotlib; take 'viridis', 'magma' or "
                "another of those, or a list of colours"
            )
        shades = colormaps[palette or "viridis"]
    else:
        colours = _listed(palette)
        shades = LinearSegmentedColormap.from_list(
            "given", [*colours, colours[-1]][: max(2, len(colours))]
        )
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
