"""d-separation in the infinite cover, beside windows that reach far enough back, and arithmetic."""

import json
import random
from dataclasses import replace
from itertools import pairwise
from math import gcd, lcm
from pathlib import Path

import networkx as nx
import oracle
import pytest
from certified import graph_of

import unrollgraph as ug

BACK = range(-60, 13)


def random_case(rng):
    """A graph whose cycles have totals of one sign, a window, and three sets."""
    n = rng.randint(2, 5)
    edges = set()
    for _ in range(rng.randint(1, 9)):
        u, v, d = rng.randrange(n), rng.randrange(n), rng.randint(0, rng.randint(1, 3))
        if d or u < v:
            edges.add((u, v, d))
    shift = [rng.choice([0, 0, rng.randint(-2, 2)]) for _ in range(n)]
    sign = rng.choice([1, 1, -1])
    G = nx.MultiDiGraph()
    G.add_nodes_from(range(n))
    for u, v, d in sorted(edges):
        G.add_edge(u, v, delay=sign * (d + shift[v] - shift[u]))
    times = BACK if sign > 0 else range(-BACK[-1], -BACK[0] + 1)
    nodes = [(v, sign * t) for v in range(n) for t in range(4)]
    rng.shuffle(nodes)
    k, m = rng.randint(1, 2), rng.randint(3, 4)
    return (
        G,
        oracle.window_arcs(G, [times]),
        nodes[:k],
        nodes[k:m],
        nodes[m : m + rng.randint(0, 5)],
    )


DATA = json.loads((Path(__file__).parent / "data" / "tigramite_separations.json").read_text())


def test_separation_is_that_of_tigramite_where_its_window_suffices():
    for case in DATA["cases"]:
        links = {v: list(map(tuple, found)) for v, found in enumerate(case["links"])}
        G = ug.io.from_causal(links)
        x, y, given = ([tuple(node) for node in case[name]] for name in ("x", "y", "given"))
        assert ug.d_separated(G, x, y, given) == case["separated"]


def agrees(G, arcs, x, y, given):
    cover = ug.DelayCover(G)
    apart = oracle.separated(arcs, x, y, given)
    assert ug.d_separated(cover, x, y, given) == apart
    if apart:
        with pytest.raises(ug.errors.SeparatedError) as caught:
            ug.find_active_walk(cover, x, y, given)
        assert caught.value.separation.check()
        assert oracle.proves_separation(G, x, y, given, caught.value.separation)
    else:
        walk = ug.find_active_walk(cover, x, y, given)
        assert walk.check()
        assert oracle.proves_connection(G, walk.nodes, x, y, given)
        assert set(walk.colliders) <= set(given)


@pytest.mark.parametrize("seed", range(4))
def test_separation_is_that_of_a_window(seed):
    rng = random.Random(seed)
    for _ in range(100):
        agrees(*random_case(rng))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 54))
def test_separation_is_that_of_a_window_in_many_graphs(seed):
    test_separation_is_that_of_a_window(seed)


@pytest.mark.parametrize(
    ("p", "q", "start"),
    [(2, 2, 1), (4, 6, 1), (4, 6, 2), (7, 8, 3), (29, 31, 16), (9, 15, 4), (101, 103, 50)],
)
def test_rings_have_the_common_cause_of_arithmetic(p, q, start):
    G = ug.gallery.driven_rings(p, q, start)
    # walks from h have lag 1 + i p to a0, and lag 1 - start + j q, if positive, to b0
    lags = [1 + i * p for i in range(q + 1) if i * p + start >= 0 and not (i * p + start) % q]
    joined = not start % gcd(p, q)
    assert ug.d_separated(G, ("a0", 0), ("b0", 0)) == (not joined)
    found = ug.common_ancestors(G, ("a0", 0), ("b0", 0))
    assert found.check()
    assert found.progressions == ({"h": ((-lags[0], -lcm(p, q)),)} if joined else {})
    assert found.nearest == (("h", -lags[0]) if joined else None)
    if joined:
        walk = ug.find_active_walk(G, ("a0", 0), ("b0", 0))
        assert oracle.proves_connection(G, walk.nodes, {("a0", 0)}, {("b0", 0)}, ())
        assert [v for v, _ in walk.nodes].count("h") == 1


def test_a_given_common_cause_separates():
    G = ug.gallery.driven_rings(7, 8, 3)
    first = ug.common_ancestors(G, ("a0", 0), ("b0", 0)).nearest
    assert not ug.d_separated(G, ("a0", 0), ("b0", 0), first)  # an earlier one is still there
    assert ug.d_separated(G, ("a0", 0), ("b0", 0), {("a0", -7)})
    assert ug.d_separated(G, ("h", 0), ("h", -7))
    walk = ug.find_active_walk(G, ("h", 0), ("h", -7), ("a3", 4))
    assert walk.check()
    assert walk.colliders == (("a3", 4),)


@pytest.mark.parametrize("seed", range(4))
def test_common_ancestors_are_those_of_a_window(seed):
    rng = random.Random(seed)
    for _ in range(60):
        G, arcs, x, y, _ = random_case(rng)
        H = nx.DiGraph([arc[:2] for arc in arcs])
        H.add_nodes_from([*x, *y])
        a, b = x[0], y[0]
        expected = (nx.ancestors(H, a) | {a}) & (nx.ancestors(H, b) | {b})
        found = ug.common_ancestors(G, a, b)
        assert found.check()
        near = [(v, t) for v in G for t in range(-30, 31)]
        assert {c for c in near if c in found} == {c for c in expected if abs(c[1]) <= 30}
        assert bool(found) == bool(expected)
        if found:
            back = any(step > 0 for times in found.progressions.values() for _, step in times)
            times = [c[1] for c in expected]
            if max(len(times), 1) > 1 and any(
                step for p in found.progressions.values() for _, step in p
            ):
                assert found.nearest[1] == (min(times) if back else max(times))


def projected(G, arcs, rng):
    observed = [(v, t) for v in G for t in range(-2, 3) if rng.random() < 0.4][:8]
    P = ug.latent_projection(G, observed)
    assert list(P) == observed
    steps = {(u, v, d) for u, v, _, (d,) in oracle.wires(G)}
    for a, b, kind, data in P.edges(keys=True, data=True):
        path = data["path"]
        assert (path[0], path[-1], data["kind"]) == (a, b, kind)
        assert not set(path[1:-1]) & set(observed)
        forward = [(p[0], q[0], q[1] - p[1]) in steps for p, q in pairwise(path)]
        up = forward.count(False)
        assert forward == [False] * up + [True] * (len(path) - 1 - up)
        assert all((q[0], p[0], p[1] - q[1]) in steps for p, q in pairwise(path[: up + 1]))
        assert (0 < up < len(path) - 1) == (kind == "bidirected")
    edges = list(P.edges(keys=True))
    for _ in range(8):
        sets = rng.sample(observed, len(observed))
        x, y, given = sets[:1], sets[1:2], sets[2 : 2 + rng.randint(0, 3)]
        if x and y:
            apart = oracle.separated(arcs, x, y, given)
            assert oracle.m_separated(edges, x, y, given) == apart


@pytest.mark.parametrize("seed", range(4))
def test_the_latent_projection_has_the_separations_of_the_cover(seed):
    rng = random.Random(seed)
    for _ in range(40):
        G, arcs, *_ = random_case(rng)
        projected(G, arcs, rng)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 29))
def test_the_latent_projection_of_many_graphs(seed):
    test_the_latent_projection_has_the_separations_of_the_cover(seed)


def test_the_functions_of_networkx_give_the_separations_of_the_cover():
    G = ug.gallery.driven_rings(7, 8, 3)
    cover = ug.DelayCover(G)
    assert not nx.is_d_separator(cover, ("a0", 0), ("b0", 0), set())
    separator = nx.find_minimal_d_separator(cover, ("a0", 0), ("b0", 0))
    assert nx.is_minimal_d_separator(cover, ("a0", 0), ("b0", 0), separator)
    assert nx.is_d_separator(cover, ("a0", 0), ("b0", 0), separator)
    assert nx.find_minimal_d_separator(cover, ("a0", 0), ("a1", 1)) is None
    with pytest.raises(nx.NodeNotFound, match="not a vertex of the cover"):
        nx.is_d_separator(cover, ("a0", 0), "nothing", set())
    with pytest.raises(nx.NetworkXError, match="must be disjoint"):
        nx.is_d_separator(cover, ("a0", 0), ("b0", 0), {("b0", 0)})
    with pytest.raises(nx.NetworkXError, match="included must be a subset of restricted"):
        nx.find_minimal_d_separator(
            cover, ("a0", 0), ("b0", 0), included={("h", 0)}, restricted={("h", 1)}
        )
    with pytest.raises(nx.NetworkXError, match="included must be a subset of z"):
        nx.is_minimal_d_separator(cover, ("a0", 0), ("b0", 0), set(), included={("h", 0)})
    with pytest.raises(nx.NetworkXError, match="z must be a subset of restricted"):
        nx.is_minimal_d_separator(cover, ("a0", 0), ("b0", 0), {("h", 0)}, restricted=set())


@pytest.mark.parametrize("seed", range(3))
def test_minimal_separators_are_those_of_a_window(seed):
    rng = random.Random(seed)
    for _ in range(60):
        G, _, x, y, rest = random_case(rng)
        arcs = oracle.window_arcs(G, [range(-20, 21)])
        H = nx.DiGraph([arc[:2] for arc in arcs])
        H.add_nodes_from([*x, *y, *rest])
        cover, included = ug.DelayCover(G), set(rest[:1]) if rng.random() < 0.3 else set()
        restricted = None if rng.random() < 0.4 else included | set(rest)
        found = nx.find_minimal_d_separator(
            cover, set(x), set(y), included=included, restricted=restricted
        )
        if restricted is not None:
            assert found == nx.find_minimal_d_separator(
                H, set(x), set(y), included=included, restricted=restricted
            )
        if found is not None:
            assert included <= found
            assert oracle.separated(arcs, x, y, found)
            assert nx.is_minimal_d_separator(cover, set(x), set(y), found, included=included)
            assert not any(oracle.separated(arcs, x, y, found - {z}) for z in found - included)
        z = set(rest) | included
        assert nx.is_minimal_d_separator(cover, set(x), set(y), z) == nx.is_minimal_d_separator(
            H, set(x), set(y), z
        )


def test_a_spoilt_separation_is_not_accepted():
    G = graph_of([("h", "h", 1), ("h", "x", 0), ("h", "y", 1), ("k", "x", 1), ("l", "y", 2)])
    with pytest.raises(ug.errors.SeparatedError) as caught:
        ug.find_active_walk(G, ("x", 0), ("y", 3), {("h", 0)})
    proof = caught.value.separation
    assert proof.check()
    spoilt = [replace(proof, reached=proof.reached - {item}) for item in proof.reached]
    spoilt += [replace(proof, apart=proof.apart - {pair}) for pair in proof.apart]
    spoilt += [replace(proof, apart=proof.apart | {("h", "h", 0)})]
    spoilt += [replace(proof, first=proof.first + 1), replace(proof, x=frozenset({("y", 1)}))]
    spoilt += [replace(proof, reached=proof.reached | {(("y", 3), "up")})]
    spoilt += [replace(proof, shifts=dict(proof.shifts, h=100)), replace(proof, sign=2)]
    spoilt += [replace(proof, first=float("nan")), replace(proof, first=-(10**9))]
    spoilt += [replace(proof, reached=proof.reached | {(("none", 0), "up")})]
    spoilt += [replace(proof, apart=proof.apart | {("none", "h", 1)})]
    spoilt += [replace(proof, given=proof.given | proof.x)]
    for wrong in spoilt:
        with pytest.raises(ug.errors.CertificateError):
            wrong.check()


def test_a_proof_with_another_unit_of_time_is_not_accepted():
    G = graph_of([("v", "x", 1), ("w", "y", 2), ("c", "v", 3), ("c", "w", 2)])
    assert not ug.d_separated(G, ("x", 0), ("y", 0))  # c at time -4 is a common cause
    x, y = frozenset({("x", 0)}), frozenset({("y", 0)})
    reached = frozenset((node, way) for node in [("x", 0), ("v", -1)] for way in ("up", "down"))
    apart = frozenset({("v", "w", 2), ("c", "w", 2)})
    shifts = dict.fromkeys("xyvwc", 0)
    forged = ug.measure.Separation(
        ug.DelayCover(G), x, y, frozenset(), 2, shifts, 0, reached, apart
    )
    with pytest.raises(ug.errors.CertificateError, match="sign is 2"):
        forged.check()
    assert not oracle.proves_separation(G, x, y, (), forged)


def test_a_proof_whose_times_go_back_before_the_given_vertices_is_not_accepted():
    # p and q have the common ancestor c, but not among the moves of these times
    G = graph_of([("p", "x", 1), ("q", "y", 1), ("c", "p", 1), ("c", "q", 1)])
    x, y = frozenset({("x", 0)}), frozenset({("y", 0)})
    reached = frozenset((node, way) for node in [("x", 0), ("p", -1)] for way in ("up", "down"))
    shifts = {"x": 0, "y": 0, "p": 0, "q": -1, "c": 5}
    apart = frozenset({("p", "q", 1), ("c", "q", 5)})
    forged = ug.measure.Separation(
        ug.DelayCover(G), x, y, frozenset(), 1, shifts, 0, reached, apart
    )
    with pytest.raises(ug.errors.CertificateError, match="goes back in ordered time"):
        forged.check()
    assert not oracle.proves_separation(G, x, y, (), forged)


def test_spoilt_common_ancestors_are_not_accepted():
    G, H = (graph_of([("h", "a", 1), ("h", "b", lag)]) for lag in (1, 2))
    found = ug.common_ancestors(G, ("a", 0), ("b", 0))
    assert found.check()
    with pytest.raises(ug.errors.CertificateError, match="another graph"):
        replace(found, cover=ug.DelayCover(H)).check()
    with pytest.raises(ug.errors.CertificateError, match="do not agree"):
        replace(found, progressions={}).check()
    with pytest.raises(ug.errors.CertificateError, match="all base vertices"):
        replace(found, fields=found.fields[1:]).check()
    assert ("none", 0) not in found
    assert not ug.common_ancestors(H, ("a", 0), ("b", 0))


def test_times_can_be_far_from_zero():
    G = ug.gallery.driven_rings(7, 8, 3)
    late = 10**30
    assert not ug.d_separated(G, ("a0", late), ("b0", late))
    assert ug.latent_projection(G, [("a0", late), ("b0", late)]).number_of_edges() == 1
    assert ug.common_ancestors(G, ("a0", late), ("b0", late)).nearest == ("h", late - 22)


def test_a_common_ancestor_can_be_later_by_the_delays_of_a_retiming():
    G = graph_of([("h", "h", 1), ("h", "a", -5), ("h", "b", -5)])
    assert ug.common_ancestors(G, ("a", 0), ("b", 0)).progressions == {"h": ((5, -1),)}


def test_a_spoilt_walk_is_not_accepted():
    G = graph_of([("h", "x", 0), ("h", "y", 1), ("x", "z", 0), ("y", "z", 0)])
    walk = ug.find_active_walk(G, ("x", 0), ("y", 1))
    assert str(walk) == "(x, 0) <- (h, 0) -> (y, 1)"
    with pytest.raises(ug.errors.CertificateError, match="blocked at"):
        replace(walk, given=frozenset({("h", 0)})).check()
    for wrong in ((("none", 0),), walk.nodes[:2]):
        with pytest.raises(ug.errors.CertificateError, match="from x to y"):
            replace(walk, nodes=wrong).check()
    with pytest.raises(ug.errors.CertificateError, match="not a vertex of the cover"):
        replace(walk, nodes=(walk.nodes[0], ("none", 0), walk.nodes[-1])).check()
    with pytest.raises(ug.errors.CertificateError, match="no edge between"):
        replace(walk, nodes=(("x", 0), ("y", 1))).check()
    with pytest.raises(ug.errors.CertificateError, match="end of the walk is given"):
        replace(walk, given=frozenset({("x", 0)})).check()


def test_wrong_questions_are_rejected():
    G = graph_of([("a", "b", 0), ("b", "a", 1)])
    with pytest.raises(ValueError, match=r"\('a', 0\) is in x and in given"):
        ug.d_separated(G, ("a", 0), ("b", 0), [("a", 0)])
    with pytest.raises(ug.errors.LiftError, match="'a' is not a vertex of the cover"):
        ug.d_separated(G, "a", ("b", 0))
    with pytest.raises(ug.errors.LiftError, match=r"^\('c', 0\) is not a vertex of the cover"):
        ug.d_separated(G, ("c", 0), ("b", 0))
    with pytest.raises(ug.errors.LiftError, match="None is not a vertex"):
        ug.latent_projection(G, None)
    with pytest.raises(ug.errors.LiftError, match="7 is not a vertex"):
        ug.d_separated(G, 7, ("b", 0))
    still = graph_of([("a", "b", 1), ("b", "a", -1), ("c", "c", 1)])
    with pytest.raises(ug.errors.CyclicCoverError, match="a -> b -> a"):
        ug.d_separated(still, ("a", 0), ("c", 0))
    assert ug.d_separated(still, ("c", 0), ("c", 1)) is False  # its ancestors have no such cycle
    both = graph_of([("a", "a", 1), ("b", "b", -2), ("b", "c", 0), ("a", "c", 0)])
    with pytest.raises(ug.errors.UnboundedError, match=r"b -> b \(total -2\)") as caught:
        ug.d_separated(both, ("c", 0), ("a", 0))
    assert caught.value.cycle == (("b", "b", 0),)
    with pytest.raises(ValueError, match=r"vectors in Z\^2"):
        ug.d_separated(graph_of([("a", "a", [1, 0])]), ("a", (0, 0)), ("a", (1, 0)))
    wide = graph_of([("a", "a", 10**9), ("b", "b", 10**9 - 1), ("a", "c", 1), ("b", "c", 1)])
    with pytest.raises(ug.errors.TooLargeError, match="larger unit of time"):
        ug.d_separated(wide, ("c", 0), ("a", 1))
    far = graph_of([("a", "a", 1), ("a", "b", 1)])
    with pytest.raises(ug.errors.TooLargeError, match="latent ancestors"):
        ug.latent_projection(far, [("a", 0), ("b", 10**9)])
    long = graph_of([("x", "x", 1), ("h", "h", 1), ("h", "x", 20_000), ("h", "y", 20_000)])
    with pytest.raises(ug.errors.TooLargeError, match="parents before the given vertices"):
        ug.d_separated(long, ("x", 20_000), ("y", 20_000), [("y", 0)])


def test_empty_sets_are_separated():
    G = graph_of([("a", "a", 1)])
    assert ug.d_separated(G, [], ("a", 0))
    assert not ug.latent_projection(G, []).edges
