"""Draw delay graphs and their covers with matplotlib.

Modules:

* `scene` -- a picture as data: shapes, colors, highlighted walks;
* `style` -- labels and sizes for a printed width;
* `ranks` -- the layered layout of a time step;
* `layout` -- routes of edges;
* `render` -- drawing a scene with matplotlib, and checks of common parameters;
* `tikz` -- export to TikZ;
* `animation` -- animations of a walk and of an unrolling;
* `output` -- pictures in files, in notebooks, and for `networkx.display`.

Each other module makes the picture after which it is named; `_plane` draws windows over Z^2.
"""

from unrollgraph.draw._bands import bands
from unrollgraph.draw._gradient_flow import gradient_flow
from unrollgraph.draw._helix import helix
from unrollgraph.draw._projection import projection
from unrollgraph.draw._ring import ring
from unrollgraph.draw._rolled import rolled
from unrollgraph.draw._tree import tree
from unrollgraph.draw._unrolled import side_by_side, unrolled
from unrollgraph.draw._wavefronts import wavefronts
from unrollgraph.draw.animation import animate_unrolling, animate_walk
from unrollgraph.draw.output import decorated, save
from unrollgraph.draw.tikz import to_tikz

__all__ = [
    "animate_unrolling",
    "animate_walk",
    "bands",
    "decorated",
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
