"""Formats of other programs: what is written comes back as it was, or is refused."""

import json
import re

import networkx as nx
import numpy as np
import pandas as pd
import pydot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

import unrollgraph as ug
from unrollgraph.io import dot, gml, graphml, node_link, tables
from unrollgraph.testing import delay_graphs

FORMATS = {
    "json": (node_link.dumps, node_link.loads),
    "csv": (lambda G: tables.dumps(G, ","), lambda text: tables.loads(text, ",")),
    "gml": (gml.dumps, gml.loads),
    "graphml": (graphml.dumps, graphml.loads),
}

words = st.text(max_size=4) | st.sampled_from(["a", "b", "id", "label", "1", "source", "key"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda parts: st.lists(parts, max_size=2) | st.dictionaries(words, parts, max_size=2),
    max_leaves=3,
)
data = st.dictionaries(words, values, max_size=2)


@st.composite
def laden_graphs(draw):
    """Delay graphs with names and attributes of every kind."""
    d = draw(st.integers(1, 3))
    entry = st.integers(-(2**31), 2**31)
    names = draw(st.lists(words | st.integers(-2, 2), min_size=1, max_size=4, unique_by=repr))
    G = draw(st.sampled_from([nx.DiGraph, nx.MultiDiGraph]))()
    for name in names:
        G.add_node(name)
        G.nodes[name].update(draw(data))
    for _ in range(draw(st.integers(0, 4))):
        ends = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        key = [draw(st.none() | st.integers(0, 2) | words)] if G.is_multigraph() else []
        added = G.add_edge(*ends, *key)
        item = G.edges[(*ends, added) if G.is_multigraph() else ends]
        item.update(draw(data))
        if draw(st.booleans()):
            item["delay"] = draw(entry) if d == 1 else draw(st.tuples(*[entry] * d))
    G.graph.update(draw(data))
    return G


def exactly(G):
    """All that a delay graph is, with types and order."""
    edges = G.edges(keys=True, data=True) if G.is_multigraph() else G.edges(data=True)
    rows = [(ends, {k: repr(x) for k, x in item.items()}) for *ends, item in edges]
    nodes = [(v, {k: repr(x) for k, x in item.items()}) for v, item in G.nodes(data=True)]
    graph = {k: repr(x) for k, x in G.graph.items()}
    return repr((G.is_multigraph(), graph, nodes, rows))


@pytest.mark.parametrize("name", ["json", "gml", "graphml"])
@given(G=laden_graphs())
def test_what_is_written_comes_back_exactly_or_is_refused(name, G):
    dumps, loads = FORMATS[name]
    try:
        ug.DelayGraph(G)
    except ug.errors.DelayError:
        return
    try:
        text = dumps(G)
    except ug.errors.FormatError:
        return
    back = loads(text)
    if name == "json":
        assert ug.DelayGraph(back) == ug.DelayGraph(G)
    else:
        for H in (G, back):
            H.graph = dict(sorted(H.graph.items(), key=repr))
        assert ug.DelayGraph(back).vertices == ug.DelayGraph(G).vertices
        assert nx.utils.graphs_equal(back, G) or "nan" in exactly(G)
        assert sorted(exactly(back)) == sorted(exactly(G))


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(delay_graphs(dimension=2, delays=2**31) | delay_graphs(delays=2**31))
def test_plain_delay_graphs_are_held_by_every_format(name, G):
    dumps, loads = FORMATS[name]
    G.remove_nodes_from(list(nx.isolates(G)))  # which an edge list has not
    if not G:
        return
    back = loads(dumps(G))
    if name == "csv":
        wires = [sorted((u, v, d) for u, v, d in H.edges(data="delay")) for H in (G, back)]
        assert wires[0] == wires[1]
    else:
        assert exactly(back) == exactly(G)


@pytest.mark.parametrize("suffix", [".json", ".csv", ".tsv", ".gml", ".graphml"])
@pytest.mark.parametrize("name", ["seed_network", "lstm", "diamond"])
def test_files_of_every_suffix(tmp_path, suffix, name):
    G = getattr(ug.gallery, name)()
    path = tmp_path / f"net{suffix}"
    ug.io.write(G, path)
    back = ug.io.read(path)
    assert sorted(G.edges(data="delay")) == sorted(back.edges(data="delay"))


def test_networkx_reads_what_we_write_and_we_read_what_it_writes(tmp_path):
    G = ug.gallery.seed_network()
    ug.io.write(G, tmp_path / "a.gml")
    ug.io.write(G, tmp_path / "a.graphml")
    for H in (nx.read_gml(tmp_path / "a.gml"), nx.read_graphml(tmp_path / "a.graphml")):
        assert {e: int(d) for *e, d in H.edges(data="delay") for e in [tuple(e)]} == {
            e: d for *e, d in G.edges(data="delay") for e in [tuple(e)]
        }
    nx.write_gml(G, tmp_path / "b.gml")
    nx.write_graphml(G, tmp_path / "b.graphml")
    assert exactly(ug.io.read(tmp_path / "b.gml")) == exactly(G)
    assert exactly(ug.io.read(tmp_path / "b.graphml")) == exactly(G)


@pytest.mark.parametrize(
    ("suffix", "change", "text"),
    [
        ("gml", lambda G: nx.relabel_nodes(G, {"A": 1}), "GML cannot represent the vertex 1"),
        ("gml", lambda G: G.add_node("z", on=True), "the attribute 'on' of 'z', True"),
        ("gml", lambda G: G.add_node("z", w=2**40), "the attribute 'w' of 'z'"),
        ("gml", lambda G: G.add_node("z", **{"a b": 1}), "GML cannot represent the graph"),
        ("gml", lambda G: G.add_node("z", w=(1, 2)), "the attribute 'w' of 'z'"),
        (
            "graphml",
            lambda G: nx.relabel_nodes(G, {"A": 1}),
            "GraphML cannot represent the vertex 1",
        ),
        ("graphml", lambda G: G.add_node("z", on=[1]), "GraphML cannot represent the graph"),
        ("graphml", lambda G: G.add_node("z", s="\r"), "the attribute 's' of 'z'"),
        ("graphml", lambda G: G.add_node("z\0"), "GraphML cannot represent the graph: not XML"),
        ("graphml", lambda G: G.graph.update(multigraph=1), "is reserved in GraphML"),
        ("graphml", lambda G: G.graph.update(edge_default="x"), "is reserved in GraphML"),
        (
            "graphml",
            lambda _: nx.MultiDiGraph([("a", "b", 7), ("a", "b", "x")]),
            r"edge \('a', 'b', 7\) at its place",
        ),
        ("gml", lambda _: ug.unroll(ug.gallery.elman(), 2), "the vertex "),
        ("graphml", lambda _: ug.unroll(ug.gallery.elman(), 2), "the vertex "),
    ],
)
def test_what_a_format_would_lose_is_refused_by_name(tmp_path, suffix, change, text):
    G = ug.gallery.seed_network()
    G = change(G) or G
    with pytest.raises(ug.errors.FormatError, match=text) as caught:
        ug.io.write(G, tmp_path / f"net.{suffix}")
    assert "JSON" in str(caught.value) or "rename it" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_multigraph_without_parallel_edges_stays_one():
    G = nx.MultiDiGraph([("a", "b", 3)])
    for name in ("gml", "graphml"):
        dumps, loads = FORMATS[name]
        assert exactly(loads(dumps(G))) == exactly(G)


XML = '<?xml version="1.0"?>{}<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{}</graphml>'
KEY = '<key id="d" for="edge" attr.name="delay" attr.type="int"/>'
LOOP = (
    KEY
    + '{}<graph edgedefault="directed"><node id="a"/><edge source="a" target="a">{}</edge></graph>'
)
GML = 'graph [ directed 1 node [ id 0 label "a" ] edge [ source 0 target 0 {} ] ]'
GRAPH = '<graph edgedefault="directed"><node id="a"/>{}</graph>'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "graphml",
            XML.format('<!DOCTYPE g [<!ENTITY x "y">]>', GRAPH),
            "declares a document type",
        ),
        (
            "graphml",
            XML.format('<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
            "declares a document type",
        ),
        ("graphml", XML.format('<!DOCTYPE g SYSTEM "g.dtd">', GRAPH), "declares a document type"),
        ("graphml", XML.format("", GRAPH.format("&x;")), "not XML: undefined entity"),
        ("graphml", "", "not XML"),
        ("graphml", '<graphml xsi:a="b"/>', "not GraphML: unbound prefix"),
        (
            "graphml",
            XML.format(
                "",
                GRAPH.format('<edge source="a" target="a"/><edge id="0" source="a" target="a"/>'),
            ),
            "defines 1 different edges",
        ),
        (
            "graphml",
            XML.format("", '<key id="d" for="all"><default>1</default></key>' + GRAPH.format("")),
            "Unknown key for id d",
        ),
        ("graphml", "<graphml/>", "0 elements <graph>"),
        ("graphml", "<graphml><graph/></graphml>", "0 elements <graph> in the namespace http"),
        ("graphml", XML.format("", GRAPH + GRAPH), "2 elements <graph>"),
        (
            "graphml",
            XML.format("", GRAPH.format(f'<node id="a">{GRAPH}</node>')),
            "2 elements <graph>",
        ),
        ("graphml", XML.format("", GRAPH.format("<node/>")), "2 elements <node>"),
        ("graphml", XML.format("", GRAPH.format('<node id="a"/>')), "defines 1 different nodes"),
        ("graphml", XML.format("", GRAPH.format('<edge source="a"/>')), "different nodes"),
        ("graphml", XML.format("", GRAPH.format('<edge target="a"/>')), "different nodes"),
        (
            "graphml",
            XML.format("", GRAPH.format('<edge source="a" target="b"/>')),
            "defines 2 different nodes",
        ),
        (
            "graphml",
            XML.format("", GRAPH.format('<edge id="0" source="a" target="a"/>' * 2)),
            "defines 1 different edges",
        ),
        (
            "graphml",
            XML.format("", GRAPH.format('<edge source="a" target="a"><data key="d"/></edge>')),
            "no key d",
        ),
        ("graphml", XML.format("", '<graph edgedefault="undirected"/>'), "not directed"),
        (
            "gml",
            GML.format("delay 1 delay 0"),
            "several delays",
        ),
        ("gml", "", "not GML"),
        ("gml", "graph [", "not GML"),
        ("gml", 'graph [ node [ id 0 label "a" ] ]', "not directed"),
        ("gml", 'graph [ directed 1 node [ label "a" ] ]', "'id'"),
        ("gml", 'graph [ directed 1 node [ id 0 label "a" ] edge [ source 0 ] ]', "'target'"),
        ("gml", 'graph [ directed 1 node [ id 0 label "a" ] edge [ target 0 ] ]', "'source'"),
        (
            "gml",
            'graph [ directed 1 node [ id 0 label "a" ] edge [ source 0 target 0 delay "x" ] ]',
            r"invalid delay 'x' on edge \('a', 'a'\): ",
        ),
        (
            "gml",
            'graph [ directed 1 node [ id 0 label "a" ] edge [ source 0 target 0 delay 1.5 ] ]',
            "1.5",
        ),
        ("gml", "graph " + "[ a " * 5000, "nested too deeply"),
    ],
)
def test_broken_and_hostile_texts_are_told_in_one_sentence(name, text, message):
    with pytest.raises(ug.errors.FormatError, match=message) as caught:
        FORMATS[name][1](text)
    assert len(str(caught.value)) < 300


def test_default_delays_of_graphml_count():
    key = '<key id="d" for="edge" attr.name="delay" attr.type="int"><default>1</default></key>'
    loop = '<edge source="a" target="a"/>'
    G = graphml.loads(XML.format("", key + GRAPH.format(loop)))
    assert list(G.edges(data="delay")) == [("a", "a", 1)]
    assert G.graph == {}


@pytest.mark.parametrize(
    "text", ["1_0", "\u0661", "1;", ";", "0x1", "1.5", "1e0", "1,0", "9" * 5000]
)
def test_a_delay_is_written_in_plain_digits(text):
    with pytest.raises(
        ug.errors.FormatError, match="invalid delay .* in line 2|the delay in line 2 has 5000 "
    ):
        tables.loads(f'source,target,delay\na,b,"{text}"\n', ",")


@pytest.mark.parametrize("name", ["Delay", "SOURCE", "target", "Key", " w"])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_what_could_not_be_read_again_is_not_written(tmp_path, name, suffix):
    G = nx.DiGraph()
    G.add_edge("a", "b", delay=1, **{name: "1"})
    with pytest.raises(ug.errors.FormatError, match=rf"'{name}' of edge \('a', 'b'\)"):
        ug.io.write(G, tmp_path / f"graph.{suffix}")
    assert not [*tmp_path.iterdir()]


# -- files of other programs ---------------------------------------------------------------


@pytest.mark.parametrize(
    "G",
    [
        ug.unroll(ug.gallery.elman(), 3).copy(),
        ug.unroll(ug.gallery.dipole(3), 2).copy(),
        ug.gallery.diamond(),
        nx.DiGraph([(1, "a"), ("a", 1)]),
    ],
    ids=["window", "multi window", "diamond", "mixed"],
)
def test_node_link_json_travels_both_ways(G):
    H = nx.node_link_graph(json.loads(node_link.dumps(G)))
    for *_, data in H.edges(data=True):
        if isinstance(data.get("delay"), list):  # networkx keeps lists in attributes
            data["delay"] = tuple(data["delay"])
    assert nx.utils.graphs_equal(H, G)
    assert nx.utils.graphs_equal(node_link.loads(json.dumps(nx.node_link_data(G))), G)


def test_nested_vertices_and_keys_that_are_tuples_are_read_from_networkx():
    G = nx.MultiDiGraph()
    G.add_edge(("a", (0, 1)), ("a", (1, 1)), key=("k", 2), delay=(1, 0))
    assert nx.utils.graphs_equal(node_link.loads(json.dumps(nx.node_link_data(G))), G)
    assert nx.utils.graphs_equal(node_link.loads(node_link.dumps(G)), G)


def test_edges_of_a_graphml_multigraph_have_ids_of_their_own():
    G = nx.MultiDiGraph()
    G.add_edge("a", "b", delay=0)
    G.add_edge("a", "b", key="second", delay=2)
    G.add_edge("b", "a", delay=1)
    text = graphml.dumps(G)
    ids = re.findall('<edge [^>]*id="([^"]*)"', text)
    assert len(set(ids)) == len(ids) == 3
    assert exactly(graphml.loads(text)) == exactly(G)
    assert sorted(d for *_, d in nx.parse_graphml(text).edges(data="delay")) == [0, 1, 2]
    G.edges["a", "b", 0]["key"] = "mine"
    with pytest.raises(ug.errors.FormatError, match="edge attribute 'key' is reserved for multi"):
        graphml.dumps(G)


def test_graphml_types_numbers_as_other_programs_expect():
    G = nx.DiGraph()
    G.add_edge("a", "b", delay=1, weight=1)
    G.add_edge("b", "a", delay=0, weight=0.5)
    text = graphml.dumps(G)
    types = dict(re.findall('attr.name="(.*?)" attr.type="(.*?)"', text))
    assert types == {"delay": "long", "weight": "double"}
    assert graphml.loads(text).edges["a", "b"] == {"delay": 1, "weight": 1.0}


DOUBLE = KEY.replace('"int"', '"double"')
LOOP_OF_DOUBLE = LOOP.replace(KEY, DOUBLE)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("graphml", XML.format("", LOOP_OF_DOUBLE.format("", '<data key="d">1</data>'))),
        ("gml", GML.format("delay 1.0")),
        ("json", json.dumps(nx.node_link_data(nx.DiGraph([("a", "a", {"delay": 1.0})])))),
        ("csv", "source,target,delay\na,a,1.0\n"),
    ],
)
def test_whole_numbers_may_be_written_as_doubles(name, text):
    G = FORMATS[name][1](text)
    assert repr(list(G.edges(data="delay"))) == "[('a', 'a', 1)]"
    with pytest.raises(ug.errors.FormatError, match="1.5"):
        FORMATS[name][1](text.replace("1.0", "1.5").replace(">1<", ">1.5<"))


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ('node [ id 0 name "x" ] node [ id 1 name "y" ]', ["x", "y"]),  # igraph
        ("node [ id 7 ] node [ id 1 ]", ["7", "1"]),  # M. Newman's collection
        ('node [ id 0 label "x" name "n" ] node [ id 1 label "y" ]', ["x", "y"]),
    ],
)
def test_gml_without_labels(nodes, names):
    ends = re.findall("id ([0-9])", nodes)
    edge = f"edge [ source {ends[0]} target {ends[1]} delay 1 ]"
    G = gml.loads(f'Creator "test" graph [ directed 1 {nodes} {edge} ]')
    assert list(G) == names
    assert list(G.edges(data="delay")) == [(*names, 1)]


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ('node [ id 0 label "x" ] node [ id 1 ]', "node 1 has no 'label'"),
        ('node [ id 0 name "x" ] node [ id 1 name "x" ]', "two nodes have the same 'name'"),
        ("node [ id 0 name [ a 1 ] ]", "node 0 has no 'name'"),
    ],
)
def test_gml_names_that_do_not_name_are_refused(nodes, text):
    with pytest.raises(ug.errors.FormatError, match=text):
        gml.loads(f"graph [ directed 1 {nodes} ]")


# -- DOT -------------------------------------------------------------------------------


quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the parser's own parser


@quiet
@pytest.mark.parametrize("name", ["lstm", "srs", "diamond", "opposed_pair"])
def test_another_parser_finds_every_edge_of_a_dot_file(name):
    G = getattr(ug.gallery, name)()
    (found,) = pydot.graph_from_dot_data(dot.dumps(G))
    assert found.get_type() == "digraph"
    assert len(found.get_nodes()) == len(G)
    edges = [(e.get_source(), e.get_destination(), e.get("delay")) for e in found.get_edges()]
    texts = {
        d: ";".join(map(str, d)) if isinstance(d, tuple) else d for *_, d in G.edges(data="delay")
    }
    wires = G.edges(data="delay")
    assert sorted(edges) == sorted((f'"{u}"', f'"{v}"', f'"{texts[d]}"') for u, v, d in wires)
    labeled = [e for e in found.get_edges() if e.get("label")]
    assert len(labeled) == sum(1 for *_, d in wires if np.any(d))


@quiet
def test_odd_names_are_quoted_and_told_apart():
    G = nx.DiGraph([("1", 1), ('say "x"', "back\\slash"), ("two\nlines", "node")])
    (found,) = pydot.graph_from_dot_data(dot.dumps(G))
    assert len(found.get_nodes()) == 6
    assert len(found.get_edges()) == 3
    U = ug.unroll(ug.gallery.elman(), 2)
    assert "\"('h', 0)\" -> \"('h', 1)\"" in dot.dumps(U)


def test_dot_is_written_and_not_read(tmp_path):
    ug.io.write(ug.gallery.elman(), tmp_path / "net.dot")
    assert 'label="1"' in (tmp_path / "net.dot").read_text()
    with pytest.raises(
        ug.errors.FormatError, match="'.dot' cannot be read; use .json, .csv, .tsv, .gml or"
    ):
        ug.io.read(tmp_path / "net.dot")


# -- tables in memory ------------------------------------------------------------------


@given(delay_graphs(dimension=2))
def test_sparse_arrays_count_edges_and_come_back(G):
    arrays = ug.io.to_scipy_sparse_arrays(G)
    total = sum(a.toarray() for a in arrays.values())
    assert np.array_equal(total, nx.to_numpy_array(G, weight=None))
    assert list(arrays) == sorted({d for *_, d in G.edges(data="delay")})
    assert all(isinstance(a, csr_array) for a in arrays.values())
    back = ug.io.from_scipy_sparse_arrays(arrays, list(G))
    assert list(back) == list(G)
    assert sorted(back.edges(data="delay")) == sorted(G.edges(data="delay"))


def test_arrays_count_the_walks_of_fibonacci():
    """Row 51: loops of delay 1 and 2; walks of total n are counted by A(z)'s powers."""
    G = nx.MultiDiGraph()
    G.add_edge("h", "h", delay=1)
    G.add_edge("h", "h", delay=2)
    arrays = ug.io.to_scipy_sparse_arrays(G)
    walks = [np.eye(1)]
    for n in range(1, 10):
        walks.append(sum(walks[n - d] @ a.toarray() for d, a in arrays.items() if d <= n))
    assert [int(w[0, 0]) for w in walks] == [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]


@pytest.mark.parametrize(
    ("arrays", "vertices", "text"),
    [
        ({0: [[0, 1]]}, None, "square"),
        ({0: [[1]], 1: [[1, 0], [0, 0]]}, None, "of the same shape"),
        ({0: [[0.5]]}, None, "0.5, but entries must be integers"),
        ({0: [[-1]]}, None, "-1, but entries must be integers"),
        ({0: [[float("nan")]]}, None, "nan, but entries must be integers"),
        ({0: [[float("inf")]]}, None, "inf, but entries must be integers"),
        ({0: [[1j]]}, None, "1j, but entries must be integers"),
        ({0: [[1]]}, "ab", "vertices must be 1 different names, but is 'ab'"),
        ({0: np.ones((2, 2))}, "aa", "different names"),
        ({"x": [[1]]}, None, "delay"),
        ({1: [[1]], (1, 0): [[1]]}, None, "dimension"),
    ],
)
def test_arrays_that_are_no_delay_graph_are_refused(arrays, vertices, text):
    with pytest.raises(ValueError, match=text):
        ug.io.from_scipy_sparse_arrays(arrays, vertices)


@given(delay_graphs(dimension=2, delays=2**31) | delay_graphs())
def test_data_frames_hold_the_edges(G):
    G.remove_nodes_from(list(nx.isolates(G)))
    table = ug.io.to_pandas_edgelist(G)
    assert len(table) == G.number_of_edges()
    back = ug.io.from_pandas_edgelist(table)
    edges = [
        sorted(H.edges(keys=True, data=True) if H.is_multigraph() else H.edges(data=True), key=repr)
        for H in (G, back)
    ]
    assert edges[0] == edges[1]


def test_a_frame_with_gaps_and_attributes():
    table = pd.DataFrame(
        {"source": ["a", "b"], "target": ["b", "a"], "lag": [1.0, None], "op": [None, "x"]}
    )
    G = ug.io.from_pandas_edgelist(table, delay="lag")
    assert list(G.edges(data=True)) == [("a", "b", {"lag": 1}), ("b", "a", {"op": "x"})]
    assert list(ug.io.to_pandas_edgelist(G, delay="lag").columns) == [
        "source",
        "target",
        "lag",
        "op",
    ]
    assert ug.io.to_pandas_edgelist(nx.MultiDiGraph()).columns.tolist() == [
        "source",
        "target",
        "key",
        "delay",
    ]


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"source": ["a"]}, "needs a column 'target'"),
        ({"source": ["a"], "target": [None]}, "row 0 lacks a source or a target"),
        ({"source": ["a"], "target": ["b"], "key": [None]}, "row 0 lacks a key"),
        ({"source": ["a"] * 2, "target": ["b"] * 2, "key": [1, 1]}, "occurs twice"),
        ({"source": ["a"], "target": ["b"], "delay": [1.5]}, "1.5"),
    ],
)
def test_frames_that_are_no_edge_list_are_refused(columns, text):
    with pytest.raises(ug.errors.FormatError, match=text):
        ug.io.from_pandas_edgelist(pd.DataFrame(columns))


def test_integers_beside_gaps_and_floats_stay_integers():
    G = nx.DiGraph()
    G.add_edge(2**60 + 1, 0.5, delay=1, w=2**60 + 1)
    G.add_edge(0.5, 1, delay=2)
    back = ug.io.from_pandas_edgelist(ug.io.to_pandas_edgelist(G))
    assert list(back.edges(data=True)) == list(G.edges(data=True))
    assert [type(v) for v in back] == [int, float, int]


def test_an_attribute_named_like_a_column_is_refused():
    for G in (nx.MultiDiGraph(), nx.DiGraph()):
        G.add_edge("a", "b")
        for *_, data in G.edges(data=True):
            data["key"] = 1
        with pytest.raises(ug.errors.FormatError, match="'key' has the same name as a column"):
            ug.io.to_pandas_edgelist(G)


@pytest.mark.parametrize("name", ["diamond", "srs"])
def test_nets_as_their_programs_write_them(name):
    G = getattr(ug.gallery, name)()
    text = ug.io.to_periodic_graph(G)
    back = ug.io.from_periodic_graph(text)
    assert ug.io.to_periodic_graph(back) == text
    names = dict(enumerate(G, 1))
    wires = [(names[u], names[v], d) for u, v, d in back.edges(data="delay")]
    assert wires == list(G.edges(data="delay"))
    # the primitive cubic net, as the documentation of PeriodicGraphs.jl has it
    pcu = ug.io.from_periodic_graph("3 1 1 0 0 1 1 1 0 1 0 1 1 1 0 0")
    assert len(pcu) == 1
    assert sorted(d for *_, d in pcu.edges(data="delay")) == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with its dimension"),
        ("0", "must begin with its dimension"),
        ("2 1 1 0", "4 integers"),
        ("1 1 1 x", "must consist of integers"),
        ("1 1 2 1_0", "must consist of integers"),
        ("1 1 3 0", "without gaps"),
        ("1 1 1 1 1 1 -1", "each edge once"),
        ("1 0 1 0", "without gaps"),
        ("1 1 1 99999999999", r"must be at most 2\*\*31"),
        ("1 1 1000000000000 0", "without gaps"),
    ],
)
def test_texts_that_are_no_net_are_refused(text, message):
    with pytest.raises(ug.errors.FormatError, match=message):
        ug.io.from_periodic_graph(text)


@pytest.mark.parametrize(
    "edges",
    [
        [("a", "b", 1), ("a", "b", 1)],
        [("a", "b", 1), ("b", "a", -1)],
        [("a", "a", 0)],
        [("a", "a", 1), ("a", "a", -1)],
    ],
)
def test_graphs_that_are_no_net_are_refused(edges):
    G = nx.MultiDiGraph()
    G.add_weighted_edges_from(edges, weight="delay")
    with pytest.raises(ug.errors.FormatError, match="each edge once"):
        ug.io.to_periodic_graph(G)
    G.add_node("z")
    with pytest.raises(ug.errors.FormatError, match="isolated vertices, but 'z'"):
        ug.io.to_periodic_graph(G)


def test_a_table_of_another_library_is_named():
    class DataFrame:
        __module__ = "polars.dataframe.frame"
        columns: tuple[str, ...] = ("source", "target")

        def to_pandas(self):
            raise NotImplementedError

    for table, text in (
        (DataFrame(), r"not polars\..*DataFrame; convert it with its method to_pandas\(\)"),
        ([("a", "b")], "not builtins.list"),
    ):
        with pytest.raises(TypeError, match="expected a pandas.DataFrame, " + text):
            ug.io.from_pandas_edgelist(table)


def test_a_frame_may_name_its_columns_otherwise():
    table = pd.DataFrame({"From": ["a", "b"], "To": ["b", "a"], "lag": [1.0, None], "w": [1, 2]})
    G = ug.io.from_pandas_edgelist(table, delay="lag")
    assert list(G.edges(data=True)) == [("a", "b", {"w": 1, "lag": 1}), ("b", "a", {"w": 2})]
    back = table.rename(columns={"From": "x", "To": "y"})
    assert nx.utils.graphs_equal(
        ug.io.from_pandas_edgelist(back, delay="lag", source="x", target="y"), G
    )
