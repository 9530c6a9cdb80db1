"""The command line: ``unrollgraph check``, ``measure``, ``unroll``, ``draw``, ``explore``, ``run``.

Exit codes: 0 when all is well, 1 when the question was answered with no (the
unrolling is cyclic), 2 on bad input, which is told in one line on standard error.

Which module answers which question:

* `_main` -- what the commands are, and how they end;
* `_check`, `_measure`, `_unroll`, `_draw`, `_explore`, `_run`, `_demo` -- one command each;
* `shared` -- files and options that several of them read, and what several of them print.
"""

import os

os.environ["MPLBACKEND"] = "agg"  # nothing is shown: pictures are written to files

from unrollgraph.cli._main import main

__all__ = ["main"]
