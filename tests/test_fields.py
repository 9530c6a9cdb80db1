"""Receptive fields, beside all totals that a wide window shows, and proofs that are spoilt."""

from dataclasses import replace

import networkx as nx
import pytest
from certified import graph_of
from hypothesis import given
from hypothesis import strategies as st
from test_paths import WIDE, lengths

import unrollgraph as ug
from unrollgraph.testing import delay_graphs


@given(st.data())
def test_lags_are_the_totals_that_a_wide_window_shows(data):
    G = data.draw(delay_graphs(vertices=3, edges=6, delays=2))
    source = data.draw(st.sampled_from(list(G)))
    reached = lengths(G, source, WIDE)
    for target in G:
        field = ug.receptive_field(G, source, target)
        assert field.check()
        expected = [t for t in range(-20, 21) if (target, t) in reached]
        assert field.lags(range(-20, 21)) == tuple(expected)
        cover = ug.DelayCover(G)
        for t in data.draw(st.lists(st.integers(-(10**12), 10**12), max_size=2)):
            assert (t in field) == ug.has_path(cover, (source, 0), (target, t))


@given(st.data())
def test_lags_have_ends_exactly_where_they_stop(data):
    G = data.draw(delay_graphs(vertices=3, edges=5, delays=2))
    source, target = (data.draw(st.sampled_from(list(G))) for _ in range(2))
    field, reached = ug.receptive_field(G, source, target), lengths(G, source, WIDE)
    lags = [t for t in WIDE if (target, t) in reached]
    assert field.earliest == (lags[0] if lags and lags[0] > WIDE[12] else None)
    assert field.latest == (lags[-1] if lags and lags[-1] < WIDE[-13] else None)


@pytest.mark.parametrize(
    ("G", "ends", "progressions", "classes"),
    [
        (ug.gallery.seed_network(), ("in", "out"), ((0, 1),), ()),
        (ug.gallery.bidirectional(), ("x", "y"), ((0, 1), (0, -1)), ()),
        (graph_of([("a", "a", 2)]), ("a", "a"), ((0, 2),), ()),
        (graph_of([("a", "a", 4), ("a", "a", -6)]), ("a", "a"), (), ((0, 2),)),
        (graph_of([("a", "a", 3), ("a", "b", 1), ("b", "b", -1)]), ("a", "b"), (), ((0, 1),)),
        (graph_of([("a", "b", 5), ("a", "b", -1)]), ("a", "b"), ((-1, 0), (5, 0)), ()),
        (graph_of([("a", "b", 5)]), ("b", "a"), (), ()),
        (graph_of([("a", "a", 3), ("a", "a", 5)]), ("a", "a"), ((0, 3), (5, 3), (10, 3)), ()),
        # a way round by a vertex that goes back for ever, and one that first goes on, then back
        (
            graph_of([("a", "c", 0), ("a", "b", 0), ("b", "b", -1), ("b", "c", 0), ("c", "c", 2)]),
            ("a", "c"),
            (),
            ((0, 1),),
        ),
        (
            graph_of([("a", "a", 1), ("a", "c", 0), ("a", "b", 2), ("b", "c", -3)]),
            ("a", "c"),
            ((-1, 1),),
            (),
        ),
        (ug.gallery.dilated(4), ("x", "h4"), ((0, 1),), ()),
    ],
)
def test_fields_are_told_in_few_words(G, ends, progressions, classes):
    field = ug.receptive_field(G, *ends)
    assert (field.progressions, field.classes) == (progressions, classes)
    assert field.check()


def test_a_dilated_network_without_recurrence_sees_as_far_as_its_delays_add_up():
    G = nx.MultiDiGraph()
    for layer in range(5):
        G.add_edge(layer, layer + 1, delay=0)
        G.add_edge(layer, layer + 1, delay=2**layer)
    field = ug.receptive_field(G, 0, 5)
    assert (field.earliest, field.latest) == (0, 31)
    assert field.lags(range(-5, 40)) == tuple(range(32))


@given(st.data())
def test_a_spoilt_proof_is_refused(data):
    G = data.draw(delay_graphs(vertices=3, edges=6, delays=2))
    source, target = (data.draw(st.sampled_from(list(G))) for _ in range(2))
    field = ug.receptive_field(G, source, target)
    if not field.families:
        return
    k = data.draw(st.integers(0, len(field.families) - 1))
    family = field.families[k]

    def with_family(*new):
        return replace(field, families=(*field.families[:k], *new, *field.families[k + 1 :]))

    spoilt = [replace(field, progressions=(*field.progressions, (1000, 0)))]
    if family.modulus:
        key = data.draw(st.sampled_from(sorted(family.table, key=repr)))
        total = family.table[key]
        wrong = 10**6 if total is None else total + family.modulus
        spoilt.append(with_family(replace(family, table={**family.table, key: wrong})))
    else:
        spoilt.append(with_family(replace(family, table={})))
    if family.first:
        spoilt.append(with_family())
    for one in spoilt:
        with pytest.raises(ug.errors.CertificateError):
            one.check()


def test_questions_about_fields_that_make_no_sense():
    G = ug.gallery.seed_network()
    field = ug.receptive_field(G, "in", "out")
    assert "a" not in field
    assert 0.5 not in field
    with pytest.raises(ug.errors.WindowError, match="must be listed in a range"):
        field.lags(5)
    with pytest.raises(ValueError, match="contains 'Z', which is not a vertex"):
        ug.receptive_field(G, "in", "Z")
    with pytest.raises(ValueError, match=r"vectors in Z\^2, but they must be integers here"):
        ug.receptive_field(ug.gallery.grid_2d(), *list(ug.gallery.grid_2d())[:2])
    with pytest.raises(ValueError, match="take a window with"):
        ug.receptive_field(graph_of([("a", "a", 10**8)]), "a", "a")


def test_a_proof_that_leaves_out_what_its_table_knows_is_refused():
    field = ug.receptive_field(ug.gallery.seed_network(), "in", "out")
    silent = tuple(replace(family, first={}) for family in field.families)
    with pytest.raises(ug.errors.CertificateError, match="do not agree with the table"):
        replace(field, families=silent, progressions=(), classes=()).check()
    with pytest.raises(ug.errors.CertificateError, match="the tables do not cover all walks"):
        replace(field, families=(), progressions=(), classes=()).check()


def test_coins_of_a_hundred_thousand_are_told_in_seconds():
    """By Sylvester and Frobenius: a b - a - b cannot be paid with coins a and b, all above can."""
    a, b = 99_991, 100_003
    field = ug.receptive_field(ug.gallery.bouquet(a, b), "a", "a")
    assert len(field.progressions) == a
    firsts = {first for first, step in field.progressions if step == a}
    assert firsts == {k * b for k in range(a)}
    assert a * b - a - b not in field
    assert a * b - a - b + 1 in field
