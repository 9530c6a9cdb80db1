"""Graphs above a graph, and the way back.

Which page answers which question:

* `delay_cover` -- the infinite unrolling, one vertex at a time;
* `unrolling` -- a finite window of it;
* `cyclic` -- time modulo n;
* `voltages` -- coverings by permutations, by a finite group, at random;
* `trees` -- balls of the universal cover, in-trees and out-trees: nothing shared;
* `clocked` -- maps with a clock, and their lifts to the unrolling;
* `abelian` -- delays that undo the abelian part of all cycles;
* `rolling` -- from a window back to the graph below;
* `bases` -- the smallest graph above which a graph lies;
* `lift` -- what all finite graphs above a base have in common;
* `sheets` -- how edges move from copy to copy, also as arrays.
"""

from unrollgraph.cover.abelian import Periods, abelianize, period_map
from unrollgraph.cover.bases import minimal_base
from unrollgraph.cover.clocked import clock_lift
from unrollgraph.cover.cyclic import cyclic_cover
from unrollgraph.cover.delay_cover import DelayCover
from unrollgraph.cover.lift import Lift, LiftArrays
from unrollgraph.cover.rolling import roll
from unrollgraph.cover.trees import in_tree, out_tree, universal_cover
from unrollgraph.cover.unrolling import unroll
from unrollgraph.cover.voltages import derived_graph, permutation_lift, random_lift

__all__ = [
    "DelayCover",
    "Lift",
    "LiftArrays",
    "Periods",
    "abelianize",
    "clock_lift",
    "cyclic_cover",
    "derived_graph",
    "in_tree",
    "minimal_base",
    "out_tree",
    "period_map",
    "permutation_lift",
    "random_lift",
    "roll",
    "universal_cover",
    "unroll",
]
