"""Entry point of ``python -m unrollgraph``, which is the command ``unrollgraph``."""

import sys

from unrollgraph.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
