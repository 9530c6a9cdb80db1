"""Which picture suits what: the one that is shown when nothing more is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrollgraph.cover.trees import TreeLift
from unrollgraph.draw.fibres import projection_scene
from unrollgraph.draw.growth import tree_scene
from unrollgraph.draw.options import must_be_lift
from unrollgraph.draw.rings import ring_scene
from unrollgraph.draw.scene import Scene
from unrollgraph.draw.stills import window_scene


def lift_scene(lift: Any, labels: Mapping[Any, str], palette: Any, most: int) -> Scene:
    """Picture of a lift: a window, a tree, a ring, or copies beside their base."""
    must_be_lift(lift, most)
    axes = getattr(lift, "window", ())
    if isinstance(axes, range) or len(axes) == 2:
        return window_scene(lift, labels, palette, ghosts=False)
    if isinstance(lift, TreeLift):
        return tree_scene(lift, labels, palette)
    if axes == () and len({len(lift.fibre(v)) for v in lift.base}) == 1:
        return ring_scene(lift, labels, palette)
    return projection_scene(lift, labels, palette)
