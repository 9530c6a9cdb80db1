"""The command line: ``unrollgraph check``, ``measure``, ``unroll``, ``draw``, ``run``, ``demo``.

Exit codes: 0 when all is well, 1 when the question was answered with no (the
unrolling is cyclic), 2 on bad input, which is told in one line on standard error.

Which page answers which question:

* `entry` -- what the commands are, and how they end;
* `checking`, `measuring`, `unrolling`, `drawing`, `running`, `showing` -- what each does;
* `saying` -- what they say alike.
"""

from unrollgraph.cli.entry import main

__all__ = ["main"]
