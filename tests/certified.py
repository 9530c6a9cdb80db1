"""Verdicts whose certificates are verified by `oracle`, which shares nothing with the package."""

import json
from pathlib import Path

import networkx as nx
import oracle
from hypothesis import settings

import unrollgraph as ug

CASES = json.loads((Path(__file__).parent / "data" / "reference_cases.json").read_text())["cases"]

# for laws whose examples are windows of thousands of vertices
QUARTER = settings(max_examples=max(50, settings.default.max_examples // 4))


def stages_of(schedule):
    return [
        dict(zip(schedule.graph.vertices, zip(s.slopes, s.offsets, strict=True), strict=True))
        for s in schedule.stages
    ]


def decide(G):
    """The verdict, its certificate verified independently."""
    dimension = max((len(d) for *_, d in G.edges(data="delay") if isinstance(d, tuple)), default=1)
    try:
        schedule = ug.acyclicity_certificate(G)
    except ug.errors.CyclicCoverError as error:
        walk = error.walk
    else:
        walk = None
    if walk is not None:
        assert walk.check()
        assert oracle.proves_cyclic(G, walk.segments, dimension)
        return walk
    assert schedule.check()
    assert oracle.proves_acyclic(G, stages_of(schedule), dimension)
    return schedule


def graph_of(edges):
    G = nx.MultiDiGraph()
    for u, v, d in edges:
        G.add_edge(u, v, delay=tuple(d) if isinstance(d, list) else d)
    return G
