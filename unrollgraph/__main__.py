"""Run the command ``unrollgraph`` as ``python -m unrollgraph``."""

import sys

from unrollgraph.cli import main

if __name__ == "__main__":
    sys.exit(main())
