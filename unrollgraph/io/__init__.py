"""Reading and writing delay graphs.

Which page answers which question:

* `files` -- reading and writing by suffix;
* `node_link` -- the JSON format, which holds everything;
* `edge_list` -- CSV and TSV.
"""

from unrollgraph.io.files import read, write

__all__ = ["read", "write"]
