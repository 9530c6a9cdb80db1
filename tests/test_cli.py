"""The command line as a new user meets it, with wrong input too."""

import io
import json
import math
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import networkx as nx
import numpy as np
import oracle
import pytest

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.cli import main

DATA = Path(__file__).parent.parent / "examples" / "data"


def run(capsys, *arguments):
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def cyclic(tmp_path):
    path = tmp_path / "cyclic.csv"
    path.write_text("source,target,delay\na,a,2\na,a,-3\n")
    return path


@pytest.mark.parametrize("name", ["seed.json", "lstm.json", "s382.json"])
def test_check_and_unroll_run_on_the_shipped_data(capsys, tmp_path, name):
    code, out, err = run(capsys, "check", DATA / name)
    assert (code, err) == (0, "")
    assert "verdict    ACYCLIC: every cycle has a positive total delay" in out
    assert len(out.splitlines()) <= 8
    target = tmp_path / "window.json"
    code, out, err = run(capsys, "unroll", DATA / name, "--window=-2:6", "-o", target)
    assert (code, err) == (0, "")
    G = ug.io.read(DATA / name)
    U = ug.io.read(target)
    assert f"{len(U)} vertices, {U.number_of_edges()} edges" in out
    assert sorted(U.edges) == sorted(oracle.window_arcs(G, [range(-2, 6)]))


@pytest.mark.parametrize("name", ["seed.json", "lstm.json", "s382.json"])
def test_the_json_report_is_a_certificate(capsys, name):
    code, out, _ = run(capsys, "check", DATA / name, "--json")
    report = json.loads(out)
    G = ug.io.read(DATA / name)
    stages = [{r["vertex"]: (r["slope"], r["offset"]) for r in s} for s in report["schedule"]]
    assert code == 0
    assert report["acyclic"]
    assert report["linear"]
    assert oracle.proves_acyclic(G, stages)
    assert len(report["boundary"]) == sum(1 for *_, d in G.edges(data="delay") if d)


def test_a_cyclic_graph_exits_1_with_its_walk(capsys, cyclic):
    code, out, err = run(capsys, "check", cyclic)
    assert (code, err) == (1, "")
    assert "CYCLIC" in out
    walk = "(a -> a (key 0, delay 2)) x 3, then (a -> a (key 1, delay -3)) x 2"
    assert f"{walk} has total delay 0 (5 edges)" in out
    code, out, _ = run(capsys, "check", "--json", cyclic)
    report = json.loads(out)
    segments = [([tuple(e) for e in part["walk"]], part["times"]) for part in report["zero_walk"]]
    assert code == 1
    assert not report["acyclic"]
    assert oracle.proves_cyclic(ug.io.read(cyclic), segments)


@pytest.mark.parametrize(
    ("wires", "lines"),
    [
        (
            "x,b,0\nb,b,-1\n",
            ["every cycle has a negative total delay", r"b \(delay -1\)"],
        ),
        (
            "f,f,1\nb,b,-1\n",
            ["of positive and of negative total delay", r"f: \(", "cuts up to 2 edges"],
        ),
        (
            "h,h,1;0\nh,h,0;1\n",
            ["delays in Z\\^2", r" t1 \+ t2 \+ offset", "along one", r"\(delay \(1, 0\)\)"],
        ),
        (
            "a,a,1;0\nb,b,-1;0\na,b,0;1\nb,a,\n",
            [
                "no directed closed walk",
                "lexicographic",
                r"a: \(2\*t2 \+ 1, t1 \+ t2\), b: \(2\*t2, -t1\)",
            ],
        ),
        ("a,b,0\n", ["boundary   none", "ACYCLIC: there are no cycles"]),
    ],
)
def test_check_reads_well_on_other_kinds(capsys, tmp_path, wires, lines):
    path = tmp_path / "net.csv"
    path.write_text("source,target,delay\n" + wires)
    code, out, _ = run(capsys, "check", path)
    assert code == 0
    for line in lines:
        assert re.search(line, out), out


def test_windows_of_the_plane(capsys, tmp_path):
    (tmp_path / "grid.csv").write_text("source,target,delay\nh,h,1;0\nh,h,0;1\n")
    out_file = tmp_path / "grid.json"
    code, out, _ = run(capsys, "unroll", tmp_path / "grid.csv", "--window=0:3,-1:2", "-o", out_file)
    assert code == 0
    assert "9 vertices, 12 edges" in out
    assert ("h", (2, 1)) in ug.io.read(out_file)


def test_demo_tells_the_story(capsys):
    code, out, err = run(capsys, "demo")
    assert (code, err) == (0, "")
    assert "C_0 -> A_1" in out
    assert "20 vertices and 19 edges" in out
    assert "C_-1 -> A_0 enters and C_3 -> A_4 leaves" in out
    assert "it leads from A_0 to A_1" in out
    rows = {tuple(line.split("[")[0].split()): line.split("[")[1:] for line in out.splitlines()}
    matrices = {
        name: [[float(x) for x in part.split("]")[0].split()] for part in row]
        for name, row in rows.items()
        if row
    }
    total = np.sum([matrices["copy", str(t)] for t in range(4)], axis=0)
    assert np.allclose(total, matrices["sum",], atol=3e-4)
    assert np.allclose(total / 4, matrices["mean",], atol=2e-4)
    assert "a -> B -> C -> A has total delay 0".lower() in out.lower()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("rolled", "out.svg"),
        ("side-by-side", "out.png"),
        ("unrolled", "out.pdf"),
        ("helix", "out.tex"),
        ("ring", "out.svg"),
        ("wavefronts", "out.SVG"),
    ],
)
def test_draw_draws_every_kind_into_every_kind_of_file(capsys, tmp_path, kind, name):
    target = tmp_path / name
    window = [] if kind == "rolled" else ["--window=0:3"]
    command = ["draw", DATA / "seed.json", "--kind", kind, *window, "-o", target]
    code, out, err = run(capsys, *command)
    assert (code, err) == (0, "")
    begins = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF", ".tex": b"\\document"}
    assert target.read_bytes().startswith(begins[target.suffix.lower()])
    assert out == f"{target}: {kind}, {target.stat().st_size} bytes\n"


def test_draw_draws_what_moves(capsys, tmp_path):
    target = tmp_path / "out.gif"
    arguments = ("draw", DATA / "seed.json", "--kind", "unrolling", "--window=2", "-o", target)
    assert run(capsys, *arguments)[0] == 0
    assert target.read_bytes().startswith(b"GIF8")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--kind=rolled", "--window=0:4"],
            "draws the base graph, which has no window; omit --window",
        ),
        (["--kind=ring", "--window=0"], "the window has length 0, but 1 is the minimum"),
        (["--kind=ring", "--window=3:3"], "the window has length 0, but 1 is the minimum"),
        (["--kind=ring", f"--window=0:{10**20}"], "more than sys.maxsize; take fewer"),
        (["--kind=unrolling", f"--window=0:{10**20}"], "edges: the limit is 2000"),
        (["--kind=unrolling", "--window=1"], "the window has length 1, but 2 is the minimum"),
    ],
)
def test_draw_refuses_windows_that_mean_nothing(capsys, tmp_path, words, message):
    target = tmp_path / ("a.gif" if "--kind=unrolling" in words else "a.svg")
    code, out, err = run(capsys, "draw", DATA / "seed.json", *words, "-o", target)
    assert (code, out) == (2, "")
    assert message in err
    assert not target.exists()


def test_nothing_that_is_read_is_overwritten(capsys, tmp_path):
    file = tmp_path / "g.json"
    file.write_bytes((DATA / "seed.json").read_bytes())
    (tmp_path / "link.json").symlink_to(file)
    for output in (file, tmp_path / "link.json", tmp_path / "." / "g.json"):
        code, _, err = run(capsys, "unroll", file, "--window=3", "-o", output)
        assert code == 2
        assert "is an input file and would be overwritten; write to another file" in err
    assert file.read_bytes() == (DATA / "seed.json").read_bytes()


def test_no_screen_is_asked_for():
    """Whatever MPLBACKEND says: a notebook sets one that another environment may lack."""
    command = [sys.executable, "-m", "unrollgraph", "check", str(DATA / "seed.json")]
    for backend in ("foo", "module://nosuch"):
        environment = os.environ | {"MPLBACKEND": backend}
        done = subprocess.run(command, capture_output=True, check=False, text=True, env=environment)
        assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_is_no_traceback(capsys, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("unrollgraph.cli._demo.demo", interrupted)
    code, out, err = run(capsys, "demo")
    assert (code, out, err) == (130, "", "")


def test_bad_input_is_one_clear_line_and_exit_2(capsys, tmp_path):
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "float.csv").write_text("source,target,delay\na,b,1.5\n")
    (tmp_path / "mixed.csv").write_text("source,target,delay\na,a,-1;1\na,b,1\n")
    (tmp_path / "grid.csv").write_text("source,target,delay\na,a,1;1\n")
    seed, out_file = DATA / "seed.json", tmp_path / "out.json"
    cases = [
        (["check", tmp_path / "nowhere.json"], "nowhere.json: No such file"),
        (["check", tmp_path], "is not supported"),
        (["check", tmp_path / "broken.json"], "not JSON"),
        (["check", tmp_path / "float.csv"], "invalid delay '1.5' in line 2"),
        (["check", tmp_path / "mixed.csv"], "has dimension 1, but the delay on edge ('a', 'a')"),
        (["unroll", seed, "--window=", "-o", out_file], "invalid window ''"),
        (["unroll", seed, "--window=3:3", "-o", out_file], "is empty"),
        (["unroll", seed, "--window=0", "-o", out_file], "is empty"),
        (["unroll", seed, "--window=a:b", "-o", out_file], "invalid window 'a:b'"),
        (["unroll", seed, "--window=0:2,0:2", "-o", out_file], "has 2 axes"),
        (["unroll", tmp_path / "grid.csv", "--window=0:2", "-o", out_file], "--window=0:4,0:4\n"),
        (["unroll", seed, "--window=4", "-o", tmp_path / "out.png"], "is not supported"),
        (["unroll", seed, "--window=4", "-o", tmp_path / "out.csv"], "write JSON"),
        (["unroll", seed, "--window=4", "-o", tmp_path / "no" / "out.json"], "No such file"),
        (["draw", seed, "-o", tmp_path / "out.jpg"], "unknown picture format '.jpg'"),
        (["draw", seed, "-o", tmp_path / "out.gif"], ".gif file requires --kind unrolling"),
        (
            ["draw", seed, "--kind", "unrolling", "-o", tmp_path / "out.svg"],
            "--kind unrolling requires a .gif file",
        ),
        (["draw", seed, "--kind", "pie", "-o", tmp_path / "out.svg"], "invalid choice: 'pie'"),
        (
            ["draw", seed, "--window=9999", "-o", tmp_path / "out.svg"],
            "edges: the limit is 2000; draw a smaller window\n",
        ),
        (
            ["draw", seed, "--kind", "ring", "--window=9999", "-o", tmp_path / "o.svg"],
            "draw a smaller window\n",
        ),
        (
            ["draw", seed, "--kind", "ring", "--window=2,2", "-o", tmp_path / "o.svg"],
            "--window=0:4\n",
        ),
        (
            ["draw", tmp_path / "grid.csv", "--kind", "ring", "--window=2,2", "-o", out_file],
            "choose another --kind",
        ),
        (["draw", seed, "-o", tmp_path / "no" / "out.svg"], "No such file"),
        (["draw", tmp_path / "nowhere.json", "-o", tmp_path / "out.svg"], "No such file"),
        (
            ["draw", tmp_path / "grid.csv", "--kind", "helix", "--window=2,2", "-o", out_file],
            "cannot draw times in Z^2 in this picture",
        ),
    ]
    before = sorted(tmp_path.iterdir())
    for arguments, text in cases:
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (2, ""), arguments
        assert text in err, (arguments, err)
        assert err.startswith("unrollgraph: ")
        assert err.count("\n") == 1, err
        assert sorted(tmp_path.iterdir()) == before


def test_hostile_files_and_terminals_get_one_line(capsys, tmp_path):
    digits, deep = tmp_path / "digits.json", tmp_path / "deep.json"
    node = '{"directed": true, "edges": [], "nodes": [{"id": 1, "x": %s}]}'
    digits.write_text(node % ("9" * 5000))
    deep.write_text(node % ("[" * 900 + "]" * 900))
    for path in (digits, deep):
        code, out, err = run(capsys, "check", path)
        assert (code, out, err.count("\n")) in {(2, "", 1), (0, out, 0)}, err
    odd = tmp_path / "odd.json"
    odd.write_text('{"directed": true, "edges": [], "nodes": [{"id": "\\ud800"}, {"id": "a\\nb"}]}')
    for encoding in ("ascii", "utf-8"):
        done = subprocess.run(
            [sys.executable, "-m", "unrollgraph", "check", str(odd)],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"'a\\nb'" in done.stdout


def test_a_window_too_large_for_a_file_is_refused(capsys, tmp_path):
    out_file = tmp_path / "out.json"
    for window, text in [("0:99999999999", "at most 1000000"), ("9" * 26, "more than sys.maxsize")]:
        code, out, err = run(
            capsys, "unroll", DATA / "seed.json", f"--window={window}", "-o", out_file
        )
        assert (code, out) == (2, "")
        assert text in err
    assert not out_file.exists()


def test_argparse_explains_the_window(capsys):
    code, out, _ = run(capsys, "unroll", "--help")
    assert code == 0
    assert "--window=-2:6" in out
    code, _, err = run(capsys, "unroll", DATA / "seed.json", "-o", "x.json")
    assert code == 2
    assert "--window" in err


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    """As in ``unrollgraph check big.csv --json | head -c 1``."""
    path = tmp_path / "big.csv"
    rows = "".join(f"v{k},v{k + 1},1\n" for k in range(50_000))
    path.write_text("source,target,delay\n" + rows)
    call = f"sys.exit(main(['check', '--json', {str(path)!r}]))"
    child = subprocess.Popen(
        [sys.executable, "-c", f"import sys; from unrollgraph.cli import main; {call}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    child.stdout.read(1)
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == 141


def test_the_installed_command_runs():
    command = Path(sys.executable).parent / "unrollgraph"
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.strip() == f"unrollgraph {ug.__version__}"


def test_the_shipped_wirings_are_those_of_the_gallery():
    assert nx.utils.graphs_equal(ug.io.read(DATA / "seed.json"), ug.gallery.seed_network())
    assert nx.utils.graphs_equal(ug.io.read(DATA / "lstm.json"), ug.gallery.lstm())
    s382 = ug.io.read(DATA / "s382.json")
    assert (len(s382), s382.number_of_edges()) == (112, 256)


def test_measure_prints_what_the_functions_say(capsys):
    code, out, err = run(capsys, "measure", DATA / "seed.json")
    assert (code, err) == (0, "")
    lines = [line.split("  ") for line in out.splitlines()]
    table = {line[0].strip() or line[1].strip(): [x.strip() for x in line if x] for line in lines}
    assert table["recurrent depth"][1:] == ["3", "A -> B -> C -> A"]
    assert table["skip coefficient"][1] == "1/3"
    assert table["feed-forward depth"][1:] == ["4", "in to out"]
    assert table["clock period"][1] == "5"
    assert table["least, retimed"][1:] == ["3", "in -> A -> B"]
    code, out, _ = run(capsys, "measure", "--json", DATA / "s382.json")
    report, G = json.loads(out), ug.io.read(DATA / "s382.json")
    assert code == 0
    assert report["recurrent_depth"]["value"] == str(ug.recurrent_depth(G))
    shifts = {row["vertex"]: row["shift"] for row in report["shifts"]}
    period = ug.clock_period(ug.retime(G, shifts))
    assert report["least_clock_period"] == str(period) == "1"


def test_measure_reads_durations_and_says_what_there_is_not(capsys, tmp_path):
    G = nx.DiGraph()
    G.add_node("a", time=1.5)
    G.add_node("b", time=2)
    G.add_edge("a", "b", delay=-1)
    G.add_edge("b", "a", delay=2)
    ug.io.write(G, tmp_path / "g.json")
    code, out, _ = run(capsys, "measure", tmp_path / "g.json", "--duration", "time")
    assert code == 0
    assert "iteration bound     7/2      a -> b -> a" in out
    assert "clock period" not in out  # there are negative delays
    assert "least, retimed    7/2" in out
    (tmp_path / "line.csv").write_text("source,target,delay\na,b,1\n")
    code, out, _ = run(capsys, "measure", tmp_path / "line.csv")
    assert (code, "none: the graph has no cycle" in out) == (0, True)
    (tmp_path / "back.csv").write_text("source,target,delay\na,a,-1\n")
    (tmp_path / "plane.csv").write_text("source,target,delay\na,a,1;1\n")
    for arguments, text in (
        (["back.csv"], "the cycle a -> a has total delay -1"),
        (["plane.csv"], "in Z^2"),
        (["line.csv", "--duration", "time"], "vertex 'a' has no duration in attribute 'time'"),
    ):
        code, out, err = run(capsys, "measure", tmp_path / arguments[0], *arguments[1:])
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert text in err


# -- run -----------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    net = nn.Network(nn.architectures.seed(2, 3, 4), seed=1)
    nn.save(net, tmp_path / "net.npz")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(10, 5, 2)))
    return net


def test_run_runs_what_was_saved(capsys, tmp_path, saved):
    values = saved.forward({"in": np.load(tmp_path / "x.npy")}).values
    command = ["run", tmp_path / "net.npz", "--inputs", tmp_path / "x.npy"]
    code, out, err = run(capsys, *command)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "out: 10 x 5 x 4; the first sequence begins with"
    assert [float(x) for x in lines[1].split("t = 0")[1].split()] == pytest.approx(
        values["out"][0, 0], abs=1e-4
    )
    assert len(lines) == 10
    assert lines[-1].strip() == "..."
    assert run(capsys, *command, "-o", tmp_path / "y.npy")[:2] == (0, "out: 10 x 5 x 4\n")
    assert np.array_equal(np.load(tmp_path / "y.npy"), values["out"])
    code, out, _ = run(capsys, *command, "--vertex", "A", "--vertex", "C", "-o", tmp_path / "y.npz")
    assert (code, out) == (0, "A: 10 x 5 x 3\nC: 10 x 5 x 3\n")
    with np.load(tmp_path / "y.npz") as file:
        assert sorted(file.files) == ["A", "C"]
        assert np.array_equal(file["C"], values["C"])
    np.savez(tmp_path / "x.npz", **{"in": np.load(tmp_path / "x.npy")[:, 0]})
    command[3] = tmp_path / "x.npz"
    code, out, _ = run(capsys, *command)
    assert code == 0
    assert out.splitlines()[:2] == ["out: 10 x 4", lines[1]]


@pytest.mark.usefixtures("saved")
def test_every_command_takes_a_saved_network(capsys, tmp_path):
    ug.io.write(ug.gallery.seed_network(), tmp_path / "seed.json")
    for command, more in (("check", ["--json"]), ("measure", ["--json"])):
        of_network = run(capsys, command, tmp_path / "net.npz", *more)
        assert of_network == run(capsys, command, tmp_path / "seed.json", *more)
        assert of_network[0] == 0
    for command, name in (("unroll", "out.json"), ("draw", "out.svg"), ("explore", "out.html")):
        target = tmp_path / name
        assert run(capsys, command, tmp_path / "net.npz", "--window=0:3", "-o", target)[0] == 0
        assert target.stat().st_size
    assert len(ug.io.read(tmp_path / "out.json")) == 15


def test_run_takes_files_of_several_inputs_and_networks_that_read_themselves(capsys, tmp_path):
    G = nn.architectures.jordan(2, 3, 1)
    G.add_node("file", op=nn.Embedding(5, 2))  # a name that NumPy has a use for
    G.add_edge("file", "h")
    nn.save(nn.Network(G), tmp_path / "net.npz")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as whole:
        for name, array in {"x": np.ones((3, 2)), "file": np.arange(3)}.items():
            page = io.BytesIO()
            np.save(page, array)
            whole.writestr(f"{name}.npy", page.getvalue())
    command = ["run", tmp_path / "net.npz", "--inputs", tmp_path / "x.npz"]
    code, out, err = run(capsys, *command, "-o", tmp_path / "y.npz")
    assert (code, err) == (0, "")
    assert out.splitlines() == ["x: 3 x 2", "h: 3 x 3", "y: 3 x 1", "file: 3 x 2"]
    with np.load(tmp_path / "y.npz") as file:
        assert sorted(file.files) == ["file", "h", "x", "y"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: "x.npy"}, r"x.npy: not a saved network: File is not a zip file"),
        ({0: "nowhere.npz"}, r"nowhere.npz: No such file"),
        ({2: "nowhere.npy"}, r"nowhere.npy: No such file"),
        (
            {2: "text.npy"},
            r"text.npy is not a file of arrays of numbers .it is not an array: .*; write it",
        ),
        (
            {2: "net.npz"},
            r"net.npz has an array '.*' that is not named after .* input vertices: in\n",
        ),
        ({2: "empty.npz"}, r"empty.npz has no array 'in'; .* input vertices: in\n"),
        ({2: "single.npy"}, r"single.npy holds a single number; write an array of shape"),
        (
            {3: "-o=x.npy"},
            r"x.npy is an input file and would be overwritten; write to another file",
        ),
        ({3: "-o=./net.npz"}, r"net.npz is an input file and would be overwritten"),
        ({2: "short.npy"}, r"the input of 'in' has shape \(4, 3\), but \(4, 2\) is expected"),
        ({3: "--vertex=Q"}, r"net.npz has no vertex 'Q'; its vertices are in, A, B, C, out"),
        ({3: "-o=y.txt"}, r"y.txt: the suffix must be .npy or .npz; write a .npz file for out"),
        (
            {3: "-o=y.npy", 4: "--vertex=A", 5: "--vertex=B"},
            r"y.npy: a .npy file holds one array; write a .npz",
        ),
    ],
)
@pytest.mark.usefixtures("saved")
def test_run_refuses_in_one_line(capsys, tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    Path("text.npy").write_text("hello")
    np.save("short.npy", np.ones((4, 3)))
    np.save("single.npy", 3.0)
    np.savez("empty.npz")
    words = {0: "net.npz", 1: "--inputs", 2: "x.npy"} | change
    code, out, err = run(capsys, "run", *(words[k] for k in sorted(words)))
    assert (code, out) == (2, "")
    assert re.search(message, err), err
    assert err.count("\n") == 1
    assert not [*tmp_path.glob("y.*")]


def test_run_refuses_a_plane(capsys, tmp_path):
    nn.save(nn.Network(nn.architectures.grid_2d(2, 3, 1)), tmp_path / "net.npz")
    np.save(tmp_path / "x.npy", np.ones((4, 2)))
    code, _, err = run(capsys, "run", tmp_path / "net.npz", "--inputs", tmp_path / "x.npy")
    assert code == 2
    assert "the delays are in Z^2, so a window of steps is not defined" in err


def test_the_demo_learns_the_parity(capsys):
    code, out, err = run(capsys, "demo")
    assert (code, err) == (0, "")
    losses = [float(x) for x in re.findall(r"loss (\d\.\d+)", out)]
    assert losses[0] == pytest.approx(math.log(2), rel=0.1)
    assert losses[-1] < 0.002
    assert float(re.search(r"([\d.]+) % of them", out)[1]) > 99


# -- delays under another name -------------------------------------------------------------


@pytest.fixture
def links(tmp_path):
    path = tmp_path / "links.csv"
    path.write_text("cause,effect,lag\nprice,sales,1\nsales,price,2\n")
    return path


NAMES = ["--source", "cause", "--target", "effect"]


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["measure"],
        ["unroll", "--window=3", "-o", "out.json"],
        ["draw", "-o", "out.svg"],
        ["draw", "--kind", "rolled", "-o", "rolled.svg"],
        ["draw", "--kind", "ring", "-o", "ring.svg"],
        ["explore", "-o", "out.html"],
    ],
)
def test_every_command_reads_delays_under_another_name(
    capsys, tmp_path, monkeypatch, links, command
):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *command, links, *NAMES, "--delay", "lag")
    assert (code, err) == (0, "")
    assert "CYCLIC" not in out.replace("ACYCLIC", "")
    code, out, err = run(capsys, *command, links, *NAMES)
    assert "if the attribute 'lag' is the delay, add --delay lag" in err
    code, out, err = run(capsys, *command, links, *NAMES, "--delay", "tau")
    assert (code, out) == (2, "")
    assert "there is no column 'tau'; the columns are 'cause', 'effect', 'lag'" in err


def test_unrolling_writes_the_graph_of_the_delays_that_were_named(capsys, tmp_path, links):
    out = tmp_path / "window.json"
    run(capsys, "unroll", links, *NAMES, "--delay", "lag", "--window=3", "-o", out)
    assert set(ug.io.read(out, delay="lag").edges) == {
        (("price", 0), ("sales", 1)),
        (("price", 1), ("sales", 2)),
        (("sales", 0), ("price", 2)),
    }


def test_a_saved_network_has_its_own_delays(capsys, tmp_path):
    path = tmp_path / "net.npz"
    nn.save(nn.Network(nn.architectures.elman(1, 2, 1)), path)
    for command in (["check"], ["explore", "-o", tmp_path / "out.html"]):
        code, _, err = run(capsys, *command, path, "--delay", "lag")
        assert code == 2
        assert "a saved network contains its delays; omit --delay" in err
