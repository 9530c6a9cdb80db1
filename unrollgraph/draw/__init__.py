"""Pictures of delay graphs and of what lies above them, by matplotlib.

Which page answers which question:

* `layout` -- where vertices stand;
* `routes` -- how edges run;
* `palette` -- colours of fibres and of delays;
* `scene` -- a picture before it is drawn;
* `stills` -- the network rolled and unrolled;
* `turns` -- the unrolling as a helix over the network;
* `canvas` -- putting a scene on paper.
"""

from unrollgraph.draw.stills import rolled, side_by_side, unrolled
from unrollgraph.draw.turns import helix

__all__ = ["helix", "rolled", "side_by_side", "unrolled"]
