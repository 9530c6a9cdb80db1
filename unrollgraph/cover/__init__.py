"""Graphs above a graph: the delay cover and its windows and quotients.

Which page answers which question:

* `delay_cover` -- the infinite unrolling, one vertex at a time;
* `unrolling` -- a finite window of it;
* `cyclic` -- time modulo n;
* `lift` -- what all finite graphs above a base have in common;
* `sheets` -- how edges move from copy to copy, also as arrays.
"""

from unrollgraph.cover.cyclic import cyclic_cover
from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.cover.lift import Lift, LiftArrays
from unrollgraph.cover.unrolling import unroll

__all__ = ["DelayCover", "Lift", "LiftArrays", "cyclic_cover", "unroll"]
