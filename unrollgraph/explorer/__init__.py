"""The explorer: an interactive page that shows walks on a graph and their lifts.

* `page` -- the HTML page and the Jupyter widget;
* `levels` -- the covers on the page and the maps between them;
* `data` -- scenes, maps, retimings and a run of a network as JSON data;
* `script` -- the JavaScript and CSS of the page.
"""

from unrollgraph.explorer.page import Explorer, explore

__all__ = ["Explorer", "explore"]
