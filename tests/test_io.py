"""Files: exact round trips, refusals that say where, and never half a file."""

import json
import string

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.io import node_link, tables
from unrollgraph.testing import delay_graphs

NAMES = st.recursive(
    st.text(string.printable + "äß→\U0001f300", max_size=4) | st.integers(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.text(max_size=3).filter(lambda k: k != "tuple"), inner, max_size=2)
    ),
    max_leaves=5,
)


@st.composite
def decorated(draw):
    """A delay graph with odd names, keys and attributes."""
    G = draw(delay_graphs(dimension=draw(st.sampled_from([1, 2]))))
    names = draw(st.lists(NAMES, min_size=len(G), max_size=len(G), unique=True))
    G = nx.relabel_nodes(G, dict(zip(list(G), names, strict=True)))
    for data in [
        G.graph,
        *(d for _, d in G.nodes(data=True)),
        *(e[-1] for e in G.edges(data=True)),
    ]:
        data.update(draw(st.dictionaries(st.sampled_from(["op", "self", "u of edge"]), VALUES)))
    return G


@given(decorated())
def test_json_round_trips_exactly(G):
    H = node_link.loads(node_link.dumps(G))
    assert type(H) is type(G)
    assert nx.utils.graphs_equal(H, G)
    assert list(H.nodes(data=True)) == list(G.nodes(data=True))
    assert list(H.edges(data=True)) == list(G.edges(data=True))
    assert ug.DelayGraph(H) == ug.DelayGraph(G)
    assert {type(d) for *_, d in H.edges(data="delay")} <= {int, tuple}


@given(delay_graphs(multigraph=True), st.sampled_from([range(-2, 3), range(4)]))
def test_an_unrolling_round_trips_exactly(G, window):
    U = ug.unroll(G, window)
    H = node_link.loads(node_link.dumps(U))
    assert nx.utils.graphs_equal(H, U.copy())
    assert list(H) == list(U)


def test_json_is_networkx_node_link_data():
    G = ug.gallery.lstm()
    document = json.loads(node_link.dumps(G))
    assert document["unrollgraph"] == 1
    assert nx.utils.graphs_equal(nx.node_link_graph(document, edges="edges"), G)
    del document["unrollgraph"]
    assert nx.utils.graphs_equal(node_link.loads(json.dumps(document)), G)
    old = nx.node_link_data(G, edges="links")
    assert nx.utils.graphs_equal(node_link.loads(json.dumps(old)), G)


@given(delay_graphs(dimension=2, vertices=6), st.sampled_from(",\t"))
def test_edge_lists_round_trip(G, delimiter):
    G.remove_nodes_from(list(nx.isolates(G)))
    H = tables.loads(tables.dumps(G, delimiter), delimiter)
    assert set(H) == set(G)
    if G.is_multigraph() and not H.is_multigraph():
        H = nx.MultiDiGraph(H)
    assert sorted(H.edges(data="delay")) == sorted(G.edges(data="delay"))


def test_edge_lists_hold_keys_attributes_and_odd_text():
    G = nx.MultiDiGraph()
    G.add_edge('a"b', "c, d", "slow", delay=-3, color="red; blue")
    G.add_edge('a"b', "c, d", "fast")
    H = tables.loads(tables.dumps(G, ","), ",")
    assert [(k, d) for *_, k, d in H.edges(keys=True, data=True)] == [
        ("slow", {"delay": -3, "color": "red; blue"}),
        ("fast", {"delay": 0}),
    ]


def test_the_column_of_delays_has_the_name_that_is_given():
    G = tables.loads("source,target,delay,lag\na,b,1,5\n", ",", "lag")
    assert G.edges["a", "b"] == {"lag": 5, "delay": "1"}
    assert tables.loads(tables.dumps(G, ",", "lag"), ",", "lag").edges["a", "b"]["lag"] == 5
    with pytest.raises(
        ug.errors.FormatError, match="no column 'tau'; the columns are 'source', 'target'"
    ):
        tables.loads("source,target,lag\na,b,1\n", ",", "tau")


@pytest.mark.parametrize("name", ["source", "target", "key", " w", "two\nlines"])
def test_a_column_of_delays_that_could_not_be_read_is_not_written(tmp_path, name):
    G = nx.DiGraph()
    G.add_edge("a", "b", **{name: 1})
    with pytest.raises(ug.errors.FormatError, match="cannot have a delay column named"):
        ug.io.write(G, tmp_path / "graph.csv", delay=name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "from,to,delay\na,b,1\nb,a,0\n",
        "Source,Target,Delay\na,b,1\nb,a,0\n",
        "FROM;TO;DELAY\na;b;1.0\nb;a;0.0\n",
        "source\ttarget\tdelay\na\tb\t1\nb\ta\t0\n",
        ",source,target,delay\n0,a,b,1\n1,b,a,0\n",
        "Unnamed: 0,source,target,delay\n7,a,b,1.0\n3,b,a,0.0\n",
        '"delay";"to";"from"\n1;b;a\n0;a;b\n',
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_edge_lists_of_other_programs(tmp_path, text, suffix):
    path = tmp_path / f"net.{suffix}"
    path.write_text(text)
    G = ug.io.read(path)
    assert list(G.edges(data=True)) == [("a", "b", {"delay": 1}), ("b", "a", {"delay": 0})]


def test_the_columns_of_ends_may_have_any_name(tmp_path):
    path = tmp_path / "links.csv"
    path.write_text("cause,effect,lag,source\nprice,sales,1,x\nsales,price,2,y\n")
    G = ug.io.read(path, source="cause", target="effect", delay="lag")
    assert list(G.edges(data=True)) == [
        ("price", "sales", {"lag": 1, "source": "x"}),
        ("sales", "price", {"lag": 2, "source": "y"}),
    ]
    path.with_suffix(".json").write_text(LOOP % 1)
    with pytest.raises(ug.errors.FormatError, match=r"are used for .csv and .tsv files only"):
        ug.io.read(path.with_suffix(".json"), source="cause")


@pytest.mark.parametrize("options", [{"source": "to"}, {"delay": "to"}, {"target": "from"}])
def test_ends_and_delays_are_different_columns(options):
    with pytest.raises(ug.errors.FormatError, match="must be different columns, but they are '"):
        tables.loads("from,to,lag\na,b,1\n", ",", **options)


def test_a_first_column_that_does_not_number_the_rows_is_an_attribute():
    G = tables.loads("Unnamed: 0,source,target\nx,a,b\n", ",")
    assert G.edges["a", "b"] == {"Unnamed: 0": "x"}
    assert tables.loads("0,source,target\n5,a,b\n", ",").edges["a", "b"] == {"0": "5"}


@pytest.mark.parametrize("name", ["source", "target", "key"])
def test_a_delay_that_would_hide_an_end_or_key_is_refused(tmp_path, name):
    G = nx.MultiDiGraph()
    G.add_edge("a", "b", 5)
    G.edges["a", "b", 5][name] = 1
    with pytest.raises(
        ug.errors.FormatError, match=f"the name '{name}' of the delay is reserved in JSON"
    ):
        ug.io.write(G, tmp_path / "graph.json", delay=name)
    assert not list(tmp_path.iterdir())
    plain = nx.DiGraph()
    plain.add_edge("a", "b", **{"key": 1})
    ug.io.write(plain, tmp_path / "graph.json", delay="key")
    assert nx.utils.graphs_equal(ug.io.read(tmp_path / "graph.json", delay="key"), plain)


def test_the_whole_of_an_error_about_a_delay_is_told():
    text = '{"directed": true, "nodes": [{"id": "x;y"}], "edges": [%s]}'
    edge = '{"source": "x;y", "target": "x;y", "delay": 1.5}'
    with pytest.raises(
        ug.errors.FormatError, match=r"delay 1.5 on edge \('x;y', 'x;y'\): .*; round it"
    ):
        node_link.loads(text % edge)


def test_an_edge_list_as_people_write_it(tmp_path):
    path = tmp_path / "net.CSV"
    path.write_bytes(
        b"\xef\xbb\xbfsource, target,delay,note\r\na,b,1,\r\n\r\nb,a,,back\r\n a ,b,2,\r\n"
    )
    G = ug.io.read(path)
    assert G.is_multigraph()
    assert list(G.edges(keys=True, data=True)) == [
        ("a", "b", 0, {"delay": 1}),
        ("a", "b", 1, {"delay": 2}),
        ("b", "a", 0, {"note": "back"}),
    ]


LOOP = (
    '{"directed": true, "nodes": [{"id": 1}], "edges": [{"source": 1, "target": 1, "delay": %s}]}'
)
BAD = {
    "not json.json": ("{", "not JSON: .* line 1"),
    "empty.json": ("", "not JSON"),
    "list.json": ("[]", 'no list "nodes"'),
    "no edges.json": ('{"directed": true, "nodes": [], "edge": []}', 'no list "edges"'),
    "kind.json": (
        '{"directed": true, "nodes": [], "multigraph": "false"}',
        "must be true or false",
    ),
    "version.json": ('{"directed": true, "nodes": [], "unrollgraph": true}', "version True"),
    "infinite.json": (
        '{"directed": true, "nodes": [{"id": 1, "x": 1e999}]}',
        "1e999 is not a finite number",
    ),
    "digits.json": ("9" * 5000, "integer string conversion"),
    "tuple.json": (
        '{"directed": true, "nodes": [{"id": {"tuple": [1], "b": 2}}]}',
        "node 0 has the vertex",
    ),
    "nodes.json": ('{"nodes": 3, "directed": true}', '"nodes" is 3, but it must be a list'),
    "undirected.json": ('{"nodes": []}', "not directed"),
    "future.json": ('{"nodes": [], "directed": true, "unrollgraph": 7}', "version 7 .*newer"),
    "no id.json": ('{"directed": true, "nodes": [{}]}', 'node 0 has no "id"'),
    "float id.json": (
        '{"directed": true, "nodes": [{"id": 1.5}]}',
        "node 0 has the vertex or key 1.5",
    ),
    "bool id.json": (
        '{"directed": true, "nodes": [{"id": true}]}',
        "node 0 has the vertex or key true",
    ),
    "list id.json": (
        '{"directed": true, "nodes": [{"id": [1, 0.5]}]}',
        r"node 0 has the vertex or key 0.5",
    ),
    "twice.json": (
        '{"directed": true, "nodes": [{"id": 1}, {"id": 1}]}',
        "node 1 has the same id 1 as an earlier node",
    ),
    "stranger.json": (
        '{"directed": true, "nodes": [{"id": 1}], "edges": [{"source": 1, "target": 2}]}',
        "edge 0 has the end 2, which is not a node",
    ),
    "parallel.json": (
        '{"directed": true, "nodes": [{"id": 1}], "edges": [{"source": 1, "target": 1}, '
        '{"source": 1, "target": 1}]}',
        r"edge 1, \(1, 1\), occurs twice; .*multigraph",
    ),
    "float delay.json": (
        LOOP % "0.5",
        r"invalid delay 0.5 on edge \(1, 1\): ",
    ),
    "null delay.json": (
        LOOP % "null",
        r"invalid delay None on edge \(1, 1\): ",
    ),
    "nan.json": (
        '{"directed": true, "nodes": [{"id": 1, "x": NaN}]}',
        "NaN is not a finite number",
    ),
    "repeat.json": ('{"directed": true, "nodes": [], "nodes": []}', 'has the name "nodes" twice'),
    "deep.json": ("[" * 100_000, "nested too deeply|not JSON"),
    "edge.json": (
        '{"directed": true, "nodes": [], "edges": [3]}',
        "edge 0 is 3, but it must be an object",
    ),
    "empty.csv": ("", "needs a column 'source'"),
    "no header.csv": ("a,b,1\n", "needs a column 'source'"),
    "twice.csv": ("source,target,source\n", "the header has the column 'source' twice"),
    "short.csv": ("source,target,delay\na,b\n", "line 2 has 2 fields, but the header has 3"),
    "no target.csv": ("source,target\na,\n", "line 2 lacks"),
    "word.csv": ("source,target,delay\na,b,soon\n", "invalid delay 'soon' in line 2: "),
    "float.csv": ("source,target,delay\na,b,1.5\n", "invalid delay '1.5' in line 2: "),
    "both.json": ('{"directed": true, "nodes": [], "edges": [], "links": []}', "both .edges. and"),
    "two.csv": ("from,From,to\na,b,c\n", "'from' and 'From' could both be the source"),
    "mixed.csv": ("source,target,delay\na,b,1\nb,a,1;0\n", "it has dimension 2, but"),
    "large.csv": ("source,target,delay\na,b,99999999999\n", r"must be at most 2\*\*31"),
    "key.csv": ("source,target,key\na,b,k\na,b,k\n", "occurs twice"),
    "quote.csv": ('source,target\n"a,b\n', "not an edge list"),
    "graph.xml": ("<x/>", "suffix '.xml' is not supported"),
    "graph": ("", "suffix '' is not supported"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_naming_it_and_the_place(tmp_path, name):
    content, text = BAD[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ug.errors.FormatError, match=text) as caught:
        ug.io.read(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "noise.json").write_bytes(bytes(range(256)))
    with pytest.raises(ug.errors.FormatError, match="not a text file in UTF-8"):
        ug.io.read(tmp_path / "noise.json")


def graph(*, node=None, edge=None, vertex="a", key=None, name=None):
    G = nx.MultiDiGraph() if key is not None else nx.DiGraph()
    G.add_node(vertex, **(node or {}))
    G.add_edge(vertex, "b", **({"key": key} if key is not None else {}), **(edge or {}))
    if name:
        G.graph["name"] = name
    return G


@pytest.mark.parametrize(
    ("G", "text"),
    [
        (graph(vertex=1.5), "but 1.5 is a float; relabel it"),
        (graph(vertex=True), "True is a bool"),
        (graph(vertex=frozenset()), "a frozenset"),
        (graph(key=2.5), "2.5 is a float"),
        (graph(node={"op": object}), "'op' of vertex 'a' is"),
        (graph(edge={"w": float("nan")}), r"'w' of edge \('a', 'b'\) is nan"),
        (graph(edge={"w": {1: 2}}), "a dict that JSON cannot represent"),
        (graph(edge={"w": {"tuple": 2}}), "a dict that JSON cannot represent"),
        (graph(node={"id": 3}), "attribute named 'id'"),
        (graph(edge={"source": 3}), "attribute named 'source'"),
        (graph(vertex="\ud800"), "cannot be encoded in UTF-8"),
    ],
)
def test_what_json_would_lose_is_refused_and_nothing_is_written(tmp_path, G, text):
    path = tmp_path / "graph.json"
    path.write_text("old")
    with pytest.raises(ug.errors.FormatError, match=text):
        ug.io.write(G, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("G", "text"),
    [
        (graph(vertex=1), "the vertex 1: vertices must be single lines .*; write JSON"),
        (graph(vertex=" a"), "the vertex ' a': vertices must be"),
        (graph(vertex=("a", 0)), r"the vertex \('a', 0\): vertices must be"),
        (graph(vertex="a\rb"), "the vertex .*: vertices must be"),
        (graph(node={"op": "x"}), "attributes of the vertex 'a'"),
        (graph(name="net"), "attributes of the graph"),
        (graph(edge={"w": 3}), r"'w' of edge \('a', 'b'\), 3: "),
        (graph(key=7), "keys must be single lines"),
        (graph(edge={"w": "x" * 200_000}), "must be single lines of text"),
        (graph(edge={"w": 10**5000}), r"'w' of edge \('a', 'b'\), an int: .*; write JSON"),
        (nx.DiGraph([("a", "b")]), None),
        (nx.empty_graph(["a"], create_using=nx.DiGraph), "the isolated vertex 'a'"),
    ],
)
def test_what_an_edge_list_would_lose_is_refused(tmp_path, G, text):
    if text is None:
        ug.io.write(G, tmp_path / "graph.tsv")
        assert (tmp_path / "graph.tsv").read_text() == "source\ttarget\tdelay\na\tb\t0\n"
        return
    with pytest.raises(ug.errors.FormatError, match=text):
        ug.io.write(G, tmp_path / "graph.csv")
    assert not list(tmp_path.iterdir())


def test_a_failing_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "graph.json"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space"):
        ug.io.write(ug.gallery.elman(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_hostile_values_are_refused_on_writing(tmp_path):
    itself = []
    itself.append(itself)
    for value in (itself, 10**5000):
        with pytest.raises(ug.errors.FormatError, match="nested too deeply|JSON cannot represent"):
            ug.io.write(graph(node={"op": value}), tmp_path / "graph.json")
    assert not list(tmp_path.iterdir())


def test_errors_of_the_disk_name_the_target(tmp_path):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OSError, match="folder.json"):
        ug.io.write(ug.gallery.elman(), tmp_path / "folder.json")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]


def test_links_and_permissions_stay(tmp_path):
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    ug.io.write(ug.gallery.elman(), link)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert nx.utils.graphs_equal(ug.io.read(target), ug.gallery.elman())


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_the_delay_may_have_another_name_in_a_file(tmp_path, suffix):
    G = nx.DiGraph()
    G.add_edge("a", "b", lag=(1, 0))
    path = tmp_path / f"net{suffix}"
    ug.io.write(G, path, delay="lag")
    assert nx.utils.graphs_equal(ug.io.read(path, delay="lag"), G)


def test_written_files_have_ordinary_permissions(tmp_path):
    (tmp_path / "plain").write_text("")
    ug.io.write(ug.gallery.elman(), tmp_path / "graph.json")
    assert (tmp_path / "graph.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
