"""A picture before it is drawn: discs, strokes, shapes and texts, in units of the paper.

What a figure shows is decided here and in the modules that make scenes; how it is put on
paper is the business of a canvas. So the geometry can be tested, and one scene serves
matplotlib and TikZ alike. One unit is the distance between two rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.draw.palette import INK, Colour

Points = NDArray[np.float64]


class Formula(str):
    """Words that are mathematics of TeX, without the dollars around them."""

    __slots__ = ()


@dataclass(frozen=True)
class Disc:
    """A vertex."""

    key: Any
    at: tuple[float, float]
    radius: float
    fill: Colour
    label: str = ""
    index: str = ""
    ghost: bool = False


@dataclass(frozen=True)
class Stroke:
    """An edge: a chain of cubic curves, its arrowhead at the end of the last.

    ``points`` has shape (3 k + 1, 2): ends and control points of k cubics; a straight line
    may be given by its two ends. It fades from ``fade[0]`` to ``fade[1]``, where 0 is the full
    colour and 1 is paper. A halo is a broader stroke behind it.
    """

    key: Any
    points: Points
    colour: Colour
    width: float = 1.6
    arrow: bool = True
    fade: tuple[float, float] = (0.0, 0.0)
    dashed: bool = False
    halo: Colour | None = None


@dataclass(frozen=True)
class Shape:
    """A filled polygon: on the floor below everything, or above the lines as arrowheads are."""

    key: Any
    points: Points
    fill: Colour
    above: bool = False


@dataclass(frozen=True)
class Band:
    """The pale stripe behind a fibre, from left to right at a height; its ends may fade."""

    key: Any
    left: float
    right: float
    at: float
    height: float
    colour: Colour
    fades: bool = False


@dataclass(frozen=True)
class Text:
    """Words beside the graph."""

    at: tuple[float, float]
    words: str
    colour: Colour = INK
    size: float = 0.3
    align: str = "center"


@dataclass(frozen=True)
class Badge:
    """A delay, written on its edge."""

    key: Any
    at: tuple[float, float]
    words: str
    colour: Colour


def badge_width(words: str) -> float:
    """About how wide a badge is."""
    return 0.2 + 0.145 * len(words)


def text_width(text: Text) -> float:
    """About how wide words are."""
    formula = isinstance(text.words, Formula)
    words = re.sub(r"\\[a-z]+|[_^{}]", "", text.words) if formula else text.words
    return 0.6 * text.size * len(words)


@dataclass(frozen=True)
class Scene:
    """All that a figure shows."""

    discs: tuple[Disc, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    bands: tuple[Band, ...] = ()
    texts: tuple[Text, ...] = ()
    badges: tuple[Badge, ...] = ()
    shapes: tuple[Shape, ...] = ()

    def __add__(self, other: Scene) -> Scene:
        return Scene(
            self.discs + other.discs,
            self.strokes + other.strokes,
            self.bands + other.bands,
            self.texts + other.texts,
            self.badges + other.badges,
            self.shapes + other.shapes,
        )


def shifted(scene: Scene, right: float, up: float = 0.0) -> Scene:
    """Move a scene."""
    step = np.array([right, up])

    def moved(thing: Any) -> Any:
        return replace(thing, at=(thing.at[0] + right, thing.at[1] + up))

    def carried(thing: Any) -> Any:
        return replace(thing, points=thing.points + step)

    bands = (
        replace(band, left=band.left + right, right=band.right + right, at=band.at + up)
        for band in scene.bands
    )
    return Scene(
        tuple(map(moved, scene.discs)),
        tuple(map(carried, scene.strokes)),
        tuple(bands),
        tuple(map(moved, scene.texts)),
        tuple(map(moved, scene.badges)),
        tuple(map(carried, scene.shapes)),
    )
