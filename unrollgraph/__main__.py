"""Entry point of ``python -m unrollgraph``, which is the command ``unrollgraph``."""

import sys

from unrollgraph.cli import main

if __name__ == "__main__":
    sys.exit(main())
