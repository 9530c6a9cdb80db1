"""The command line: ``unrollgraph check``, ``measure``, ``unroll``, ``draw``, ``explore``, ``run``.

Exit codes: 0 when all is well, 1 when the question was answered with no (the
unrolling is cyclic), 2 on bad input, which is told in one line on standard error.

Which page answers which question:

* `entry` -- what the commands are, and how they end;
* `checking`, `measuring`, `unrolling`, `drawing`, `exploring`, `running`,
  `showing` -- what each does;
* `reading` -- what they read alike;
* `saying` -- what they say alike.
"""

import os

os.environ["MPLBACKEND"] = "agg"  # nothing is shown: pictures are written to files

from unrollgraph.cli.entry import main

__all__ = ["main"]
