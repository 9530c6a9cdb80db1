"""The gallery's wirings against the reference rows 1 to 20."""

import json
from collections import Counter
from pathlib import Path

import fixtures
import networkx as nx
import pytest

import unrollgraph as ug
from unrollgraph import gallery

CASES = json.loads((Path(__file__).parent / "data" / "reference_cases.json").read_text())["cases"]
NAMED = {
    "sh": gallery.elman,
    "st": gallery.stacked,
    "bu": gallery.bottom_up,
    "bu, extra edge of delay 0": lambda: gallery.bottom_up(0),
    "td": gallery.top_down,
    "stacked L=3": lambda: gallery.stacked(3),
    "stacked L=5": lambda: gallery.stacked(5),
    **{f"skip k={k}": lambda k=k: gallery.skip(k) for k in (1, 3, 5, 7, 9, 13, 21)},
    **{
        f"two layers, {name} k={k}": lambda k=k, make=make: make(k)
        for k in (5, 9, 17, 21)
        for name, make in {
            "bottom-up skip": gallery.bottom_up,
            "top-down skip": gallery.top_down,
            "same-layer skips": gallery.same_layer_skips,
        }.items()
    },
    "top-down skip k=5, finite path lengths": lambda: gallery.top_down(5),
    "DT-RNN": gallery.deep_transition,
    "DT(S)-RNN": lambda: gallery.deep_transition(shortcut=True),
    "DOT-RNN": gallery.deep_output,
    "DOT(S)-RNN": lambda: gallery.deep_output(shortcut=True),
    "recurrent highway, depth 2": lambda: gallery.recurrent_highway(2),
    "recurrent highway, depth 5": lambda: gallery.recurrent_highway(5),
    "NARX k=3": lambda: gallery.narx(3),
    "NARX k=5": lambda: gallery.narx(5),
    "MIST n_d=4": lambda: fixtures.mist(4),
    "MIST n_d=8": lambda: fixtures.mist(8),
    **{
        f"ring({r},{f})": lambda r=r, f=f: fixtures.ring(r, f) for r in (1, 2, 3) for f in (2, 3, 4)
    },
    **{f"dilated L={n}": lambda n=n: gallery.dilated(n) for n in (3, 4, 5, 8)},
    **{
        f"regular skip, L={n} layers": lambda n=n: gallery.regular_skip(n, 2 ** (n - 1))
        for n in (3, 4, 5, 8)
    },
    "clockwork T=1,2,4, delays in base ticks": lambda: gallery.clockwork(ticks=True),
    "clockwork T=1,2,4, delays in macro-steps of 4 ticks": gallery.clockwork,
    "retimed td": fixtures.retimed_top_down,
    "bidirectional RNN": gallery.bidirectional,
    "recursion in Z^2": gallery.opposed_pair,
    "recursion of depth 2 in Z^3": fixtures.opposed_quartet,
    "diamond": gallery.diamond,
    "srs": gallery.srs,
    "Petersen": gallery.dumbbell,
    "Moebius-Kantor = GP(8,3)": lambda: gallery.dumbbell(3),
    "Heawood": gallery.dipole,
    "K_{3,3}": lambda: gallery.dipole(0, 1, 2),
    "K_5": gallery.bouquet,
    "primitive cubic (pcu)": lambda: gallery.bouquet((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "honeycomb (hcb)": lambda: gallery.dipole((0, 0), (1, 0), (0, 1)),
}


def text(vertex):
    return ":".join(map(str, vertex)) if isinstance(vertex, tuple) else str(vertex)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["row"] <= 20 or c["name"] in NAMED], ids=lambda c: c["name"]
)
def test_wiring_is_that_of_the_reference(case):
    G = NAMED[case["name"]]()
    wires = Counter((text(u), text(v), d) for u, v, d in G.edges(data="delay"))
    delays = [tuple(d) if isinstance(d, list) else d for *_, d in case["edges"]]
    assert wires == Counter((u, v, d) for (u, v, _), d in zip(case["edges"], delays, strict=True))


@pytest.mark.parametrize("name", gallery.__all__)
def test_every_wiring_unrolls_into_an_acyclic_graph(name):
    make = getattr(gallery, name)
    arguments = {"skip": [4], "same_layer_skips": [4], "regular_skip": [2, 4]}
    sizes = {"recurrent_highway": [3], "narx": [3], "dilated": [3]}
    G = make(*{**arguments, **sizes}.get(name, []))
    assert ug.is_acyclic(ug.DelayCover(G))
    assert G is not make(*{**arguments, **sizes}.get(name, []))


def test_the_lstm_has_the_wiring_of_its_equations():
    """c = f * c' + i * g and h = o * tanh(c), gates reading x and h'."""
    G = gallery.lstm()
    reads = {v: {(u, G.edges[u, v]["delay"]) for u in G.predecessors(v)} for v in G}
    assert reads == {
        "x": set(),
        **{gate: {("x", 0), ("h", 1)} for gate in "ifog"},
        "fc": {("f", 0), ("c", 1)},
        "ig": {("i", 0), ("g", 0)},
        "c": {("fc", 0), ("ig", 0)},
        "tc": {("c", 0)},
        "h": {("o", 0), ("tc", 0)},
    }


@pytest.mark.parametrize(
    "call",
    [
        lambda: gallery.stacked(0),
        lambda: gallery.narx(0),
        lambda: gallery.clockwork([1, 0]),
    ],
)
def test_sizes_that_make_no_graph_are_refused(call):
    with pytest.raises(ValueError, match="must be at least"):
        call()


def test_driven_rings_are_two_cycles_and_a_source():
    G = gallery.driven_rings(3, 4, 2)
    assert sorted(map(len, nx.strongly_connected_components(G))) == [1, 3, 4]
    assert set(G.successors("h")) == {"a0", "b2"}
    assert {d for *_, d in G.edges(data="delay")} == {1}
    with pytest.raises(ValueError, match=r"start=4 must be in range\(4\)"):
        gallery.driven_rings(3, 4, 4)
