"""Graphs above a graph, and the way back.

Which module answers which question:

* `delay_cover` -- the infinite unrolling, one vertex at a time; the maximal abelian cover;
* `_unroll` -- finite windows of it, time modulo n, maps that keep time;
* `windows` -- which copies of an edge a window has, which ones it cuts, also as arrays;
* `lift` -- what all finite graphs above a base have in common;
* `voltages` -- coverings by permutations, by a finite group, at random;
* `trees` -- balls of the universal cover, in-trees and out-trees: nothing shared;
* `quotients` -- from a window back to its base, and to the smallest base of any graph.
"""

from unrollgraph.cover._unroll import clock_lift, cyclic_cover, unroll
from unrollgraph.cover.delay_cover import DelayCover, Periods, abelianize, period_map
from unrollgraph.cover.lift import Lift, LiftArrays
from unrollgraph.cover.quotients import minimal_base, roll
from unrollgraph.cover.trees import in_tree, out_tree, universal_cover
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
