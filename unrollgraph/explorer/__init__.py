"""The explorer: an interactive page on which one walks and sees the lift of the walk.

Which module answers which question:

* `page` -- the page, and the widget in Jupyter;
* `levels` -- the tower of covers that it shows, and the maps between them;
* `data` -- scenes, maps, retimings and a network run step by step, as plain data.

The folder `script` holds what the browser runs.
"""

from unrollgraph.explorer.page import Explorer, explore

__all__ = ["Explorer", "explore"]
