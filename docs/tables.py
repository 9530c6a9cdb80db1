"""What pages of the documentation include: the table of depths, and the equations of a network."""

import ast
from fractions import Fraction

import unrollgraph as ug
from unrollgraph import gallery, nn

ZHANG, CHANG = "Zhang", "Chang"
NAMES = {
    "recurrent_depth": "recurrent",
    "feedforward_depth": "feed-forward",
    "skip_coefficient": "skip",
    "mean_recurrent_length": "mean length",
}

# arguments, inputs and outputs, and what is published; absent: none, x and y, nothing
GALLERY = {
    "seed_network": {"ends": ("in", "out")},
    "elman": {
        "published": {"recurrent_depth": 1, "feedforward_depth": 2, "skip_coefficient": 1},
        "by": ZHANG,
    },
    "stacked": {"published": {"recurrent_depth": 1}, "by": ZHANG},
    "bottom_up": {"published": {"recurrent_depth": 1}, "by": ZHANG},
    "bottom_up(9)": {"published": {"skip_coefficient": 1}, "by": ZHANG},
    "top_down": {"published": {"recurrent_depth": 2}, "by": ZHANG},
    "top_down(9)": {"published": {"skip_coefficient": Fraction(9, 2)}, "by": ZHANG},
    "skip(21)": {"published": {"skip_coefficient": 21}, "by": ZHANG},
    "same_layer_skips(9)": {"published": {"skip_coefficient": 9}, "by": ZHANG},
    "regular_skip(4, 8)": {
        "ends": ("x", "h4"),
        "over": 8,
        "published": {"mean_recurrent_length": Fraction(15, 2)},
        "by": CHANG,
    },
    "deep_transition": {},
    "deep_transition(True)": {},
    "deep_output": {},
    "deep_output(True)": {},
    "recurrent_highway(5)": {},
    "narx(5)": {},
    "dilated(4)": {
        "ends": ("x", "h4"),
        "over": 8,
        "published": {"mean_recurrent_length": Fraction(11, 2)},
        "by": CHANG,
    },
    "clockwork": {"ends": None, "period": 4},
    "clockwork((1, 2, 4), True)": {"ends": None},
    "bidirectional": {},
    "lstm": {"ends": ("x", "h")},
    "grid_2d": {},
    "opposed_pair": {},
    "diamond": {},
    "srs": {},
}
OTHERS = {"bouquet", "dipole", "driven_rings", "dumbbell"}  # no networks, so they have no depth
ARCHITECTURES = {"seed": {"ends": ("in", "out")}, "clockwork": {"ends": None, "period": 4}}


def rows():
    """One row for each network: its name, its measures, and what is published."""
    found = []
    for call, row in GALLERY.items():
        name, _, arguments = call.partition("(")
        given = ast.literal_eval(f"({arguments[:-1]},)") if arguments else ()
        found.append(_row(call, getattr(gallery, name)(*given), row))
    for name in nn.architectures.__all__:
        G = getattr(nn.architectures, name)(1, 2, 1)
        found.append(_row(f"nn {name}", G, ARCHITECTURES.get(name, {})))
    return found


def _row(name, G, row):
    found = {"network": name, "published": row.get("published", {}), "by": row.get("by", "")}
    dimension = ug.DelayGraph(G).dimension
    if dimension > 1:
        return {**found, "why none": f"in Z^{dimension}"}
    if ug.time_direction(G) != "forward":
        return {**found, "why none": "not forward"}
    period, ends = row.get("period", 1), row.get("ends", ("x", "y"))
    found["recurrent_depth"] = ug.recurrent_depth(G, period=period)
    found["skip_coefficient"] = ug.skip_coefficient(G, period=period)
    if ends:
        found["feedforward_depth"] = ug.feedforward_depth(G, *ends)
    if "over" in row:
        found["mean_recurrent_length"] = ug.mean_recurrent_length(G, *ends, range(row["over"]))
    return found


def depths():
    """The table as reStructuredText: ``computed | published`` in a cell that has both."""
    table = [["network", *NAMES.values(), ""]]
    for row in rows():
        cells = [
            " | ".join(str(part[name]) for part in (row, row["published"]) if name in part)
            for name in NAMES
        ]
        table.append([f"``{row['network']}``", *cells, row.get("why none", row["by"])])
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in table:
        lines += [f"   {'  -' if k else '* -'} {cell}" for k, cell in enumerate(cells)]
    return "\n".join(lines) + "\n"


def unrolled():
    """The equations of the seed network over two steps, as Markdown."""
    return f"$$\n{ug.symbolic.unrolled(_seed(), 2).latex()}\n$$\n"


def gradients():
    """What flows into a value that is read twice, and into a matrix, as Markdown."""
    shown = ("\\partial C_{0}} &=", "\\partial M_{A}} &=")
    text = ug.symbolic.gradients(_seed(), 2).latex()
    lines = [line for line in text.splitlines() if any(left in line for left in shown)]
    return "\n".join(["$$", "\\begin{aligned}", *lines, "\\end{aligned}", "$$", ""])


def _seed():
    return ug.nn.Network(ug.nn.architectures.seed(1, 1, 1))
