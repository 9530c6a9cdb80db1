"""Read and write delay graphs.

Modules: `files` reads and writes files by their suffix; `node_link` is the canonical format, JSON;
`gml`, `graphml` and `dot` are formats of other programs; `tables` contains edge lists (CSV, TSV,
pandas), SciPy arrays and crystal nets; `causal` contains causal time-series graphs; `texts`
contains shared functions.
"""

from unrollgraph.io.causal import from_causal, projection_to_causal, to_causal
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
    "from_causal",
    "from_pandas_edgelist",
    "from_periodic_graph",
    "from_scipy_sparse_arrays",
    "projection_to_causal",
    "read",
    "to_causal",
    "to_pandas_edgelist",
    "to_periodic_graph",
    "to_scipy_sparse_arrays",
    "write",
]
