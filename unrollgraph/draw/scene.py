"""A picture before it is drawn: discs, strokes, bands and texts, in units of the paper.

What a figure shows is decided here and in the modules that make scenes; how it is put on
paper is the business of a canvas. So the geometry can be tested, and one scene serves
matplotlib and TikZ alike. One unit is the distance between two rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrollgraph.draw.palette import INK, Colour

__all__ = [
    "Badge",
    "Band",
    "Disc",
    "Helix",
    "Points",
    "Scene",
    "Strand",
    "Stroke",
    "Text",
    "badge_width",
    "shifted",
]

Points = NDArray[np.float64]


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

    ``points`` has shape (3 k + 1, 2): ends and control points of k cubics. It fades from
    ``fade[0]`` to ``fade[1]``, where 0 is the full colour and 1 is paper.
    """

    key: Any
    points: Points
    colour: Colour
    width: float = 1.6
    arrow: bool = True
    fade: tuple[float, float] = (0.0, 0.0)


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


@dataclass(frozen=True)
class Badge:
    """A delay, written on its edge."""

    at: tuple[float, float]
    words: str
    colour: Colour


def badge_width(words: str) -> float:
    """About how wide a badge is."""
    return 0.2 + 0.145 * len(words)


@dataclass(frozen=True)
class Scene:
    """All that a figure shows."""

    discs: tuple[Disc, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    bands: tuple[Band, ...] = ()
    texts: tuple[Text, ...] = ()
    badges: tuple[Badge, ...] = field(default=())

    def __add__(self, other: Scene) -> Scene:
        return Scene(
            self.discs + other.discs,
            self.strokes + other.strokes,
            self.bands + other.bands,
            self.texts + other.texts,
            self.badges + other.badges,
        )


@dataclass(frozen=True)
class Strand:
    """An edge in space, as points on paper with their depths, from tail to head.

    Depths grow away from the eye. It fades from ``fade[0]`` to ``fade[1]``, where 1 is paper.
    """

    key: Any
    points: Points
    depth: Points
    colour: Colour
    fade: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Helix:
    """All that the picture shows: discs and strands, fibres, and the floor."""

    discs: tuple[Disc, ...]
    strands: tuple[Strand, ...]
    fibres: tuple[tuple[float, float, float, Colour], ...]  # x, bottom, top
    floor: tuple[float, float, float, float]  # middle and half axes


def shifted(scene: Scene, by: float) -> Scene:
    """Move a scene to the right."""
    step = np.array([by, 0.0])

    def moved(at: tuple[float, float]) -> tuple[float, float]:
        return at[0] + by, at[1]

    return Scene(
        tuple(replace(disc, at=moved(disc.at)) for disc in scene.discs),
        tuple(replace(stroke, points=stroke.points + step) for stroke in scene.strokes),
        tuple(replace(b, left=b.left + by, right=b.right + by) for b in scene.bands),
        tuple(replace(text, at=moved(text.at)) for text in scene.texts),
        tuple(replace(badge, at=moved(badge.at)) for badge in scene.badges),
    )
