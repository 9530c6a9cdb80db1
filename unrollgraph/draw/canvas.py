"""Putting a scene on paper with matplotlib.

Everything goes on in collections, so that thousands of edges are drawn in a fraction of a
second: one of lines, one of arrowheads, one of discs, one of bands. Texts are set one by one,
as large as fits, and left out where there are too many edges to read them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.textpath import TextPath

from unrollgraph.draw.layout import RADIUS
from unrollgraph.draw.palette import INK, PAPER, QUIET, Colour, mixed, on
from unrollgraph.draw.routes import flattened
from unrollgraph.draw.scene import Disc, Helix, Scene, Stroke, badge_width

__all__ = ["extent", "new_axes", "paint"]

INCH = 0.62  # inches in a unit
HEAD = 0.17  # length of an arrowhead
MARGIN = 0.35
MOST_LABELLED = 300  # edges, beyond which labels could not be read


def new_axes(scene: Scene) -> Any:
    """Make axes of the size of a scene."""
    return _axes_for(extent(scene))


def _axes_for(box: tuple[float, float, float, float]) -> Any:
    from matplotlib import pyplot as plt  # noqa: PLC0415  (chooses a backend on first use)

    left, bottom, right, top = box
    figure = plt.figure(figsize=((right - left) * INCH, (top - bottom) * INCH))
    return figure.add_axes((0, 0, 1, 1))


def extent(scene: Scene) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of everything in a scene."""
    points = [np.array([disc.at]) + s * disc.radius for disc in scene.discs for s in (-1, 1)]
    points += [flattened(stroke.points, 6) for stroke in scene.strokes]
    points += [np.array([text.at]) + s * text.size for text in scene.texts for s in (-1, 1)]
    points += [np.array([[band.left, band.at], [band.right, band.at]]) for band in scene.bands]
    points += [
        np.array([[badge.at[0] + s * badge_width(badge.words) / 2, badge.at[1] + 0.2 * s]])
        for badge in scene.badges
        for s in (-1, 1)
    ]
    every = np.concatenate([*points, np.zeros((1, 2))])
    low, high = every.min(axis=0) - MARGIN, every.max(axis=0) + MARGIN
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def paint(scene: Scene, axes: Any) -> Any:
    """Draw a scene on axes, in its own units and at equal aspect; return the axes."""
    left, bottom, right, top = extent(scene)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal", adjustable="box")
    axes.set_axis_off()
    _bands(scene, axes)
    _strokes(scene.strokes, axes)
    _discs(scene.discs, axes)
    if len(scene.strokes) <= MOST_LABELLED:
        _words(scene, axes, right - left, top - bottom)
    return axes


def _words(scene: Scene, axes: Any, width: float, height: float) -> None:
    box = axes.get_window_extent()
    points = min(box.width / width, box.height / height)
    unit = points * 72 / axes.figure.dpi
    for disc in scene.discs:
        if disc.label:
            words = subscripted(disc.label, disc.index)
            size = min(0.3, 1.55 * disc.radius / _width(words)) * unit
            axes.text(
                *disc.at,
                words,
                ha="center",
                va="center",
                fontsize=size,
                color=on(disc.fill),
                weight="bold",
                zorder=5,
            )
    for text in scene.texts:
        axes.text(
            *text.at,
            text.words,
            ha="center",
            va="center",
            fontsize=text.size * unit,
            color=text.colour,
            zorder=5,
        )
    for badge in scene.badges:
        axes.text(
            *badge.at,
            badge.words,
            ha="center",
            va="center",
            fontsize=0.26 * unit,
            color=badge.colour,
            zorder=6,
            bbox={"boxstyle": "round,pad=0.25", "fc": PAPER, "ec": badge.colour, "lw": 1.2},
        )


def paint_helix(helix: Helix, axes: Any) -> Any:
    """Draw a helix on axes, from what is farthest away to what is nearest."""
    reach = max((float(np.abs(strand.depth).max()) for strand in helix.strands), default=1.0)
    middle, floor, wide, high = helix.floor
    pieces, heads = [], []
    for strand in helix.strands:
        share = np.linspace(*strand.fade, len(strand.points) - 1)
        for k, s in enumerate(share.tolist()):
            depth = float(strand.depth[k : k + 2].mean())
            pale = mixed(strand.colour, PAPER, 0.25 * (1 + depth / reach))
            pieces.append((depth, strand.points[k : k + 2], mixed(pale, PAPER, s)))
        heads.append(_midway(strand.points, mixed(strand.colour, PAPER, max(strand.fade) * 0.6)))
    pieces.sort(key=lambda piece: -piece[0])
    # each piece has a casing of paper, which parts it from what runs behind it; it reaches a
    # little farther than its casing, so that it is not parted from what it is a piece of
    lines = [
        part for _, (a, b), _ in pieces for part in ((a, b), (a - 0.3 * (b - a), b + 0.3 * (b - a)))
    ]
    shades = [shade for _, _, colour in pieces for shade in (PAPER, colour)]
    drawn = LineCollection(lines, colors=shades, linewidths=[5.0, 1.9] * len(pieces), zorder=3)
    dashes = LineCollection(
        [[(x, low), (x, top)] for x, low, top, _ in helix.fibres],
        colors=[mixed(colour, PAPER, 0.35) for *_, colour in helix.fibres],
        linewidths=1.1,
        linestyles=(0, (4, 4)),
        zorder=2,
    )
    shade = mixed(QUIET, PAPER, 0.86)
    axes.add_collection(
        EllipseCollection(
            [2 * wide],
            [2 * high],
            [0],
            units="xy",
            offsets=[(middle, floor)],
            transOffset=axes.transData,
            facecolors=[shade],
            edgecolors="none",
            zorder=1,
        )
    )
    axes.add_collection(dashes)
    axes.add_collection(drawn)
    axes.add_collection(
        PolyCollection(
            [head for head, _ in heads],
            facecolors=[colour for _, colour in heads],
            edgecolors="none",
            zorder=3.5,
        )
    )
    scene = Scene(helix.discs)
    box = _helix_extent(helix)
    axes.set_xlim(box[0], box[2])
    axes.set_ylim(box[1], box[3])
    axes.set_aspect("equal", adjustable="box")
    axes.set_axis_off()
    _discs(scene.discs, axes)
    if len(helix.strands) <= MOST_LABELLED:
        _words(scene, axes, box[2] - box[0], box[3] - box[1])
    return axes


def new_helix_axes(helix: Helix) -> Any:
    """Make axes of the size of a helix."""
    return _axes_for(_helix_extent(helix))


def _helix_extent(helix: Helix) -> tuple[float, float, float, float]:
    middle, floor, wide, high = helix.floor
    ends = [(middle - wide, floor - high), (middle + wide, floor + high)]
    points = [*(disc.at for disc in helix.discs), *ends]
    every = np.concatenate([np.array(points), *(strand.points for strand in helix.strands)])
    low, high_ = every.min(axis=0) - RADIUS - MARGIN, every.max(axis=0) + RADIUS + MARGIN
    return float(low[0]), float(low[1]), float(high_[0]), float(high_[1])


def _midway(points: Any, colour: Colour) -> tuple[Any, Colour]:
    """Make an arrowhead half-way along a line."""
    k = len(points) // 2
    along = points[k] - points[k - 1]
    along = along / (np.linalg.norm(along) or 1.0)
    across = np.array([-along[1], along[0]]) * HEAD * 0.42
    tip, root = points[k] + along * HEAD / 2, points[k] - along * HEAD / 2
    return np.array([tip, root + across, root - across]), colour


def _bands(scene: Scene, axes: Any) -> None:
    boxes, colours = [], []
    for band in scene.bands:
        low, high = band.at - band.height / 2, band.at + band.height / 2
        cuts = np.linspace(band.left, band.right, 2)
        shades = [0.0]
        if band.fades:
            edge = np.linspace(0, 1.6, 17)
            cuts = np.concatenate([band.left + edge, (band.right - edge)[::-1]])
            rise = 1 - edge[1:] / 1.6
            shades = [*rise, 0.0, *rise[::-1]]
        for a, b, shade in zip(cuts[:-1], cuts[1:], shades, strict=True):
            boxes.append([(a, low), (b, low), (b, high), (a, high)])
            colours.append(mixed(band.colour, PAPER, float(shade)))
    axes.add_collection(
        PolyCollection(boxes, facecolors=colours, edgecolors=colours, linewidths=0.4, zorder=1)
    )


def _strokes(strokes: tuple[Stroke, ...], axes: Any) -> None:
    lines, shades, widths, heads, fills = [], [], [], [], []
    for stroke in strokes:
        points = flattened(stroke.points)
        if stroke.arrow:
            points, head = _headed(points)
            heads.append(head)
            fills.append(mixed(stroke.colour, PAPER, stroke.fade[1]))
        if stroke.fade == (0.0, 0.0):
            lines.append(points)
            shades.append(stroke.colour)
            widths.append(stroke.width)
            continue
        share = np.linspace(*stroke.fade, len(points) - 1)
        for a, b, s in zip(points[:-1], points[1:], share, strict=True):
            lines.append(np.array([a, b]))
            shades.append(mixed(stroke.colour, PAPER, float(s)))
            widths.append(stroke.width)
    axes.add_collection(
        LineCollection(lines, colors=shades, linewidths=widths, capstyle="butt", zorder=2)
    )
    axes.add_collection(PolyCollection(heads, facecolors=fills, edgecolors="none", zorder=3))


def _headed(points: Any) -> tuple[Any, Any]:
    """Cut a line short for its arrowhead, and return both."""
    tip = points[-1]
    away = np.linalg.norm(points - tip, axis=1)
    k = int(np.flatnonzero(away >= HEAD)[-1]) if np.any(away >= HEAD) else 0
    inner, outer = away[k + 1], away[k]
    share = (HEAD - inner) / (outer - inner) if outer > inner else 0.0
    root = points[k + 1] + share * (points[k] - points[k + 1])
    along = (tip - root) / np.linalg.norm(tip - root)
    across = np.array([-along[1], along[0]]) * HEAD * 0.38
    line = np.vstack([points[: k + 1], root + along * HEAD * 0.3])
    return line, np.array([tip, root + across, root - across])


def _discs(discs: tuple[Disc, ...], axes: Any) -> None:
    if not discs:
        return
    sizes = [2 * disc.radius for disc in discs]
    rims = [mixed(disc.fill, INK, 0.08) if disc.ghost else PAPER for disc in discs]
    axes.add_collection(
        EllipseCollection(
            sizes,
            sizes,
            np.zeros(len(discs)),
            units="xy",
            offsets=[disc.at for disc in discs],
            transOffset=axes.transData,
            facecolors=[disc.fill for disc in discs],
            edgecolors=rims,
            linewidths=1.4,
            zorder=4,
        )
    )


def subscripted(label: str, index: str) -> str:
    """Set a label in bold, with an index below if there is one, whatever the label holds."""
    if re.fullmatch(r"[A-Za-z0-9]+", label):
        return rf"$\mathbf{{{label}}}$" if not index else rf"$\mathbf{{{label}}}_{{{index}}}$"
    plain = label.replace("\\", r"\\").replace("$", r"\$")
    return plain if not index else rf"{plain}$_{{{index}}}$"


@lru_cache(maxsize=4096)
def _width(words: str) -> float:
    """Width of words in units of their size."""
    box = TextPath((0, 0), words, size=100).get_extents()
    return max(box.width / 100 * 1.1, 0.2)
