"""Lifts: graphs with a projection to a base graph; and base graphs of graphs.

* `delay_cover` -- the infinite delay cover, one vertex at a time; the maximal abelian cover
* `_unroll` -- windows of the delay cover, cyclic covers, lifts of maps with a time function
* `windows` -- the sheets of windows and cyclic covers, boundaries, edges as arrays
* `lift` -- the common interface of all finite lifts
* `voltages` -- coverings from permutations or group elements on the edges; random coverings
* `trees` -- balls of the universal cover, in-trees and out-trees
* `quotients` -- the delay graph of a window, and the minimal base of any graph
"""

from unrollgraph.cover._unroll import clock_lift, cyclic_cover, unroll
from unrollgraph.cover.delay_cover import DelayCover, PeriodMap, abelianize, period_map
from unrollgraph.cover.lift import Lift, LiftArrays
from unrollgraph.cover.quotients import minimal_base, roll
from unrollgraph.cover.trees import in_tree, out_tree, universal_cover
from unrollgraph.cover.voltages import derived_graph, permutation_lift, random_lift

__all__ = [
    "DelayCover",
    "Lift",
    "LiftArrays",
    "PeriodMap",
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
