"""Delay graphs: validation, feedback delays, retiming, isomorphism and examples.

Modules: `delay_graph` defines `DelayGraph`; `feedback` chooses the edges that get the delay 1;
`retiming` and `isomorphism` find isomorphisms of covers; `gallery` contains example graphs;
`digraph`, `cycle_space` and `potentials` contain algorithms on graphs given by arrays; `times`
converts times and numbers; `frozen` contains immutable dicts and graphs.
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
