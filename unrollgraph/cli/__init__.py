"""Command line: ``unrollgraph check|measure|unroll|draw|explore|run|demo``.

Exit codes: 0 on success, 1 if ``check`` finds that the unrolling is cyclic, 2 on invalid input,
which is reported in one line on standard error.

Modules:

* `_main`: the parser, errors and exit codes;
* `_check`, `_measure`, `_unroll`, `_draw`, `_explore`, `_run`, `_demo`: one command each;
* `shared`: input files, options and output that several commands use.
"""

import os

os.environ["MPLBACKEND"] = "agg"  # pictures are written to files: no display is needed

from unrollgraph.cli._main import main

__all__ = ["main"]
