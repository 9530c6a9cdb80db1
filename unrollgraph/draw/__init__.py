"""Pictures of delay graphs and of what lies above them, by matplotlib.

Which page answers which question:

* `layout` -- where vertices stand;
* `routes` -- how edges run;
* `palette` -- colours of fibres and of delays;
* `scene` -- a picture before it is drawn;
* `options` -- what is asked of a picture, checked before it is drawn;
* `highlight` -- walks lit up;
* `stills` -- the network rolled and unrolled;
* `plane` -- windows over Z^2;
* `turns` -- the unrolling as a helix over the network;
* `rings` -- cyclic covers on a ring;
* `fibres` -- any lift over its base;
* `growth` -- trees;
* `waves` -- what can be computed at the same moment;
* `heat` -- gradients along the unrolling;
* `waving` -- the spectrum of the unrolling, in bands;
* `exploring` -- an interactive page, or a widget;
* `storeys` -- the tower of covers that it shows, and the maps between them;
* `panels`, `tower`, `clocks` -- scenes, covers with their maps, and retimings, as plain data;
* `session` -- a network run step by step, as plain data;
* `widgets` -- the page inside Jupyter;
* `motion` -- a walk and its lift, and the cycle that opens into a line;
* `stored` -- lifts that `networkx.display` draws well;
* `choice` -- which picture suits what;
* `below` -- what lies below any lift;
* `canvas` -- putting a scene on paper;
* `tikz` -- writing one down for TeX;
* `saving` -- pictures into files;
* `notebook` -- what a notebook shows of a value.
"""

from unrollgraph.draw.exploring import Explorer, explore
from unrollgraph.draw.fibres import projection
from unrollgraph.draw.growth import tree
from unrollgraph.draw.heat import gradient_flow
from unrollgraph.draw.motion import animate_unrolling, animate_walk
from unrollgraph.draw.rings import ring
from unrollgraph.draw.saving import save
from unrollgraph.draw.stills import rolled, side_by_side, unrolled
from unrollgraph.draw.stored import decorated
from unrollgraph.draw.tikz import to_tikz
from unrollgraph.draw.turns import helix
from unrollgraph.draw.waves import wavefronts
from unrollgraph.draw.waving import bands

__all__ = [
    "Explorer",
    "animate_unrolling",
    "animate_walk",
    "bands",
    "decorated",
    "explore",
    "gradient_flow",
    "helix",
    "projection",
    "ring",
    "rolled",
    "save",
    "side_by_side",
    "to_tikz",
    "tree",
    "unrolled",
    "wavefronts",
]
