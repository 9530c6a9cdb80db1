"""Lengths of paths of the unrolling, against windows, networkx and closed forms."""

import networkx as nx
import oracle
import pytest
from forward import forward_graphs
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.measure import path_lengths as page


@given(forward_graphs(vertices=4, edges=7, delays=2, shift=2), st.data())
def test_lengths_are_those_of_a_large_window(G, data):
    source, target = (data.draw(st.sampled_from(sorted(G))) for _ in range(2))
    window = range(-5, 16)  # clocks stray by four at most
    for lengths, best in ((ug.longest_path_lengths, max), (ug.shortest_path_lengths, min)):
        brute = oracle.path_lengths(G, source, window, best)
        expected = tuple(brute.get((target, n)) for n in range(10))
        assert lengths(G, source, target, range(10)) == expected
        if best is max:
            for n, length in enumerate(expected):
                if length is None:
                    with pytest.raises(nx.NetworkXNoPath, match=f", {n}\\)"):
                        ug.longest_path_length(G, (source, 0), (target, n))
                else:
                    assert ug.longest_path_length(G, (source, 0), (target, n)) == length


@given(forward_graphs(), st.data())
def test_leaping_and_stepping_come_to_the_same(G, data):
    source, target = (data.draw(st.sampled_from(sorted(G))) for _ in range(2))
    wiring = page._Between(ug.DelayGraph(G), source, target)
    if wiring.joined:
        stepped = wiring._stepped(70, 1)
        for n in (1, 2, 3, 17, 69):
            assert wiring._leapt(n, *wiring._memory()) == stepped[n]


def test_leaping_and_stepping_agree_where_leaping_is_in_python_integers():
    G = ug.gallery.top_down(3)
    for n in (10**17, 10**18 + 5, 10**30):
        length = ug.longest_path_length(G, ("x", 0), ("y", n))
        assert length == n + 3
        assert type(length) is int
    far = ug.longest_path_length(ug.gallery.seed_network(), ("in", 0), ("out", 10**40))
    assert far == 3 * 10**40 + 4


def test_lengths_of_a_stored_window_are_those_of_networkx():
    for G, source, target in (
        (ug.gallery.seed_network(), "in", "out"),
        (ug.gallery.lstm(), "x", "h"),
        (ug.gallery.dilated(4), "x", "h4"),
    ):
        stored = ug.unroll(G, 40).copy()
        order = list(nx.topological_sort(stored))
        longest = {(source, 0): 0}
        for node in order:
            for head in stored.successors(node):
                if node in longest:
                    longest[head] = max(longest.get(head, 0), longest[node] + 1)
        shortest = nx.single_source_shortest_path_length(stored, (source, 0))
        for n in range(40):
            assert ug.longest_path_length(G, (source, 0), (target, n)) == longest[target, n]
        found = ug.shortest_path_lengths(G, source, target, range(40))
        assert found == tuple(shortest[target, n] for n in range(40))


def test_only_cycles_on_the_way_must_take_time():
    G = ug.gallery.elman()
    G.add_edge("z", "z", delay=-1)
    G.add_edge("h", "w", delay=0)
    G.add_edge("w", "w", delay=0)
    assert ug.longest_path_length(G, ("x", 0), ("y", 5)) == 7
    with pytest.raises(ug.errors.UnboundedError, match="the cycle w -> w has total delay 0"):
        ug.longest_path_length(G, ("x", 0), ("w", 5))
    assert ug.longest_path_lengths(G, "y", "x", range(2)) == (None, None)


def test_clocks_may_be_moved_and_time_may_begin_before():
    G = ug.retime(ug.gallery.elman(), {"y": -3, "h": 100})
    assert ug.longest_path_lengths(G, "x", "y", range(2)) == (5, 6)
    assert ug.longest_path_length(G, ("x", 0), ("y", -3)) == 2
    with pytest.raises(nx.NetworkXNoPath, match=r"from \('x', 0\) to \('y', -4\)"):
        ug.longest_path_length(G, ("x", 0), ("y", -4))


def test_delays_beyond_the_last_step_cost_nothing_and_others_are_refused_in_time():
    G = ug.gallery.skip(2**31)
    assert ug.longest_path_length(G, ("x", 0), ("y", 1000)) == 1002
    assert ug.shortest_path_lengths(G, "x", "y", range(3)) == (2, 3, 4)
    with pytest.raises(ValueError, match="steps would have .* entries, more than 100000000"):
        ug.longest_path_length(G, ("x", 0), ("y", 10**11))
    with pytest.raises(ValueError, match="2147483653 steps would have 2147483653 entries"):
        ug.shortest_path_lengths(G, "x", "y", range(2**31 + 5))


def test_refusals():
    G = ug.gallery.elman()
    with pytest.raises(ug.errors.LiftError, match="'z', 0. is not a vertex of the cover"):
        ug.longest_path_length(G, ("z", 0), ("y", 3))
    with pytest.raises(ValueError, match="in Z.2"):
        ug.longest_path_length(ug.gallery.grid_2d(), ("x", (0, 0)), ("y", (3, 0)))
    with pytest.raises(TypeError, match="steps must be a range, such as range.4., not 5"):
        ug.longest_path_lengths(G, "x", "y", 5)
    assert ug.longest_path_lengths(G, "x", "y", range(0)) == ()
    assert ug.longest_path_lengths(G, "x", "y", range(6, -3, -4)) == (8, 4, None)
    for ends in (("x", "y"), ("y", "x")):
        with pytest.raises(ValueError, match="steps would have .* entries, more than"):
            ug.longest_path_lengths(G, *ends, range(10**12))
    with pytest.raises(ValueError, match="steps is empty"):
        ug.mean_recurrent_length(G, "x", "y", range(0))
    with pytest.raises(nx.NetworkXNoPath, match=r"\('y', 0\) to \('x', 0\)"):
        ug.mean_recurrent_length(G, "y", "x", range(2))


def test_questions_about_lengths_that_make_no_sense():
    G = ug.gallery.seed_network()
    for node in (["in"], ("in", 2.5), ("in", "x")):
        with pytest.raises(ug.errors.LiftError, match="is not a vertex of the cover"):
            ug.longest_path_length(G, node, ("out", 3))
    with pytest.raises(ValueError, match="'z' is not a vertex of the graph"):
        ug.shortest_path_lengths(G, "z", "out", range(3))
