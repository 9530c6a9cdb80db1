"""Drawing a window of 5,000 edges, and saving it.

    python tests/benchmarks/drawing.py

Printed are the medians and the spread (least to most). Exits 1 when a figure is missed.
"""

import io
import sys

import matplotlib as mpl
import numpy as np
from rounds import MISSED, figure, shown

import unrollgraph as ug

mpl.use("Agg")

from matplotlib import pyplot as plt


def draw(U):
    ax = ug.draw.unrolled(U, max_edges=10_000, width=1200)  # so that all steps are drawn
    plt.close(ax.figure)
    return ax


def stills():
    U = ug.unroll(ug.gallery.seed_network(), 1000)
    assert U.number_of_edges() == 4999
    ax = draw(U)
    assert len(ax.collections[-1].get_offsets()) == len(U)
    times = shown(
        {
            "draw.unrolled, 4,999 edges": lambda: draw(U),
            "saving it as PNG": lambda: ax.figure.savefig(io.BytesIO(), dpi=10),
        },
        5,
    )
    figure("drawn", float(np.median(times["draw.unrolled, 4,999 edges"])), 1, " s")


if __name__ == "__main__":
    stills()
    sys.exit(bool(MISSED))
