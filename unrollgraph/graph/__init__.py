"""The finite base graph: reading, order, potentials, retiming, feedback, gallery.

Which module answers which question:

* `delay_graph` -- what a delay graph is, and what is refused as one;
* `feedback` -- which edges of a plain directed graph should be delayed;
* `retiming` -- which delay graphs have the same cover over the same base;
* `isomorphism` -- which have the same cover, up to a symmetry of the base;
* `gallery` -- named wirings;
* `digraph`, `cycle_space`, `potentials` -- levels, cheapest paths, independent cycles and
  potentials of plain arrays;
* `times` -- times, integers and exact numbers as users write them;
* `frozen` -- dicts and graphs that cannot be written, and how attributes are compared.
"""

from unrollgraph.graph import gallery
from unrollgraph.graph.delay_graph import DelayGraph
from unrollgraph.graph.feedback import delay_feedback
from unrollgraph.graph.isomorphism import CoverIsomorphism, isomorphic_covers
from unrollgraph.graph.retiming import find_retiming, is_retiming, retime, with_reverses

__all__ = [
    "CoverIsomorphism",
    "DelayGraph",
    "delay_feedback",
    "find_retiming",
    "gallery",
    "is_retiming",
    "isomorphic_covers",
    "retime",
    "with_reverses",
]
