"""So that ``python -m unrollgraph.cli`` is the command ``unrollgraph``."""

import sys

from unrollgraph.cli.entry import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
