"""Reading and writing delay graphs.

Which module answers which question:

* `files` -- reading and writing by suffix, and writing a file whole or not at all;
* `node_link` -- JSON, which holds everything exactly;
* `gml`, `graphml`, `dot` -- formats of other programs;
* `tables` -- CSV and TSV files, pandas, SciPy and the text of crystal nets;
* `texts` -- delays as text, and proof that nothing was lost.
"""

from unrollgraph.io.files import read, write
from unrollgraph.io.tables import (
    from_pandas_edgelist,
    from_periodic_graph,
    from_scipy_sparse_arrays,
    to_pandas_edgelist,
    to_periodic_graph,
    to_scipy_sparse_arrays,
)

__all__ = [
    "from_pandas_edgelist",
    "from_periodic_graph",
    "from_scipy_sparse_arrays",
    "read",
    "to_pandas_edgelist",
    "to_periodic_graph",
    "to_scipy_sparse_arrays",
    "write",
]
