"""Pictures of delay graphs and of what lies above them, by matplotlib.

Which module answers which question:

* `scene` -- a picture before it is drawn: shapes, colours, walks lit up;
* `layout` -- where vertices stand, and how edges run;
* `render` -- a scene drawn by matplotlib, and the options that all pictures take;
* `tikz` -- a scene written for TeX;
* `animation` -- a walk and its lift, and the cycle that opens into a line;
* `output` -- pictures in files, in notebooks, and by `networkx.display`.

Each other module is one kind of picture, and bears its name: `_rolled` (with `unrolled` and
`side_by_side`), `_plane` (windows over Z^2), `_helix`, `_ring`, `_projection`, `_tree`,
`_wavefronts`, `_gradient_flow`, `_bands`.
"""

from unrollgraph.draw._bands import bands
from unrollgraph.draw._gradient_flow import gradient_flow
from unrollgraph.draw._helix import helix
from unrollgraph.draw._projection import projection
from unrollgraph.draw._ring import ring
from unrollgraph.draw._rolled import rolled, side_by_side, unrolled
from unrollgraph.draw._tree import tree
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
