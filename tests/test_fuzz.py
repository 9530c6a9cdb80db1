"""Hostile files, arguments and disks: one clear line, exit status 2, nothing half written."""

import contextlib
import io
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import unrollgraph as ug
from unrollgraph.cli import main

DATA = Path(__file__).parent.parent / "examples" / "data"
SUFFIXES = [".json", ".csv", ".tsv", ".gml", ".graphml"]
SEED = ug.gallery.seed_network()


def call(*arguments):
    """Run the command line; return exit status, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code
    return code, out.getvalue(), err.getvalue()


def holds_its_word(folder, path, before):
    """Check and unroll a file: each answers, or refuses in one line and leaves nothing."""
    for arguments in (
        ["check", path],
        ["unroll", path, "--window=-1:2", "-o", folder / "out.json"],
    ):
        code, out, err = call(*arguments)
        assert code in {0, 1, 2}, (code, err)
        if code == 2:
            assert out == ""
            assert re.fullmatch(r"unrollgraph: [^\n]+\n", err), err
            assert len(err) < 1100, err
            assert sorted(folder.iterdir()) == before
        else:
            # the delay may be a column of another name now, such as "delay1"
            assert re.fullmatch(r"(unrollgraph: [^\n]*no edge has a delay[^\n]*\n)?", err), err
            assert err.strip("\n").isprintable()
            assert out.endswith("\n")
        (folder / "out.json").unlink(missing_ok=True)


def written(name, suffix):
    """The bytes of a wiring in a format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"net{suffix}"
        ug.io.write(getattr(ug.gallery, name)(), path)
        return path.read_bytes()


VALID = {suffix: [written(n, suffix) for n in ("seed_network", "diamond")] for suffix in SUFFIXES}
TOKENS = [
    b"", b"\0", b"\xff\xfe", b"\r", b"9" * 30, b"9" * 5000, b"1e999", b"-1", b"NaN", b"null", b"[",
    b"[" * 2000, b"{", b'"', b";", b",", b"<", b"&x;", b"<!DOCTYPE g>", b"]]>", b"node [", b"1;0",
    b"2147483649", b"true", b"\xc3\xa9", b"\xef\xbb\xbf", b"label", b"id",
]  # fmt: skip


@st.composite
def damaged(draw):
    """A valid file with some pieces cut out, doubled, or replaced by odd ones."""
    suffix = draw(st.sampled_from(SUFFIXES))
    text = draw(st.sampled_from(VALID[suffix]))
    for _ in range(draw(st.integers(1, 3))):
        a = draw(st.integers(0, len(text)))
        b = min(len(text), a + draw(st.integers(0, 20)))
        piece = draw(st.sampled_from(TOKENS) | st.binary(max_size=5) | st.just(text[a:b] * 2))
        text = text[:a] + piece + (b"" if draw(st.integers(0, 5)) == 0 else text[b:])
    return suffix, text


@given(damaged() | st.tuples(st.sampled_from(SUFFIXES), st.binary(max_size=60)))
@example((".csv", b"source,target,\0delay\na,b,1\n"))
@example((".csv", b"source,target,delay_\na,b,1\n"))
def test_damaged_files(case):
    suffix, text = case
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / f"net{suffix}"
        path.write_bytes(text)
        holds_its_word(folder, path, [path])


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3)
anything = st.recursive(
    scalars | st.sampled_from(["a", "b", 2**31, 2**31 + 1, 10**40]),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(st.sampled_from(["tuple", "id", "delay", "x"]), parts, max_size=2)
    ),
    max_leaves=4,
)
names = st.sampled_from(["a", "b", 0, {"tuple": ["a", 0]}]) | anything
documents = st.fixed_dictionaries(
    {},
    optional={
        "directed": st.just(True) | anything,
        "multigraph": st.booleans() | anything,
        "unrollgraph": st.just(1) | anything,
        "graph": st.just({}) | anything,
        "nodes": st.lists(st.fixed_dictionaries({"id": names}, optional={"op": anything}))
        | anything,
        "edges": st.lists(
            st.fixed_dictionaries(
                {"source": names, "target": names}, optional={"key": names, "delay": anything}
            )
        )
        | anything,
        "links": anything,
    },
)


@given(documents)
def test_documents_of_wrong_types(document):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "net.json"
        path.write_text(json.dumps(document))
        holds_its_word(folder, path, [path])


WORDS = [
    "check",
    "unroll",
    "demo",
    "--json",
    "--window",
    "--window=2",
    "--window=0:1:2",
    "-o",
    "--help",
    "--version",
    "-o=x",
    "net.json",
    "net.png",
    "-",
    "--",
    "-1",
    "/",
    "~",
    "�",
    "a\x00.json",
]
pieces = st.sampled_from(["", *WORDS]) | st.text(max_size=6)


@given(st.lists(pieces, max_size=5))
def test_arguments_of_every_kind(arguments):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ug.io.write(SEED, folder / "net.json")
        with contextlib.chdir(folder):
            code, out, err = call(*arguments)
        assert code in {0, 1, 2}
        if code == 2:
            assert out == ""
            assert re.fullmatch(r"unrollgraph: [^\n]+\n", err), err
        else:
            assert (err, bool(out)) == ("", True)


windows = st.integers(-5, 5) | st.integers(10**8, 10**30) | st.integers(-(10**30), -(10**8))


@given(st.lists(st.tuples(windows, windows), min_size=1, max_size=3))
def test_windows_of_every_size(axes):
    window = ",".join(f"{a}:{b}" for a, b in axes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target = folder / "out.json"
        for source in ("seed_network", "grid_2d", "diamond"):
            path = folder / f"{source}.json"
            ug.io.write(getattr(ug.gallery, source)(), path)
            code, _, err = call("unroll", path, f"--window={window}", "-o", target)
            assert code in {0, 2}
            assert (code == 0) == target.exists()
            assert code == 0 or re.fullmatch(r"unrollgraph: [^\n]+\n", err), err
            target.unlink(missing_ok=True)


# -- disks, memory and time ------------------------------------------------------------


def child(*arguments, stdout=subprocess.PIPE, limit=None):
    """Run the command line in a process of its own."""

    def bounded():
        resource.setrlimit(*limit)

    return subprocess.run(
        [sys.executable, "-m", "unrollgraph", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=bounded if limit else None,
        check=False,
    )


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    """Real: no file of this process may exceed 5,000 bytes."""
    target = tmp_path / "out.json"
    target.write_text("old")
    limit = (resource.RLIMIT_FSIZE, (5000, 5000))
    done = child("unroll", DATA / "seed.json", "--window=500", "-o", target, limit=limit)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == f"unrollgraph: {target}: File too large\n".encode()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("command", [["check", DATA / "seed.json"], ["demo"]])
def test_a_full_standard_output_is_told_once(command):
    with Path("/dev/full").open("wb") as full:
        done = child(*command, stdout=full)
    assert done.returncode == 2
    assert re.fullmatch(rb"unrollgraph: [^\n]*No space left on device\n", done.stderr)


def test_closed_and_full_outputs_are_no_tracebacks():
    check = f"{sys.executable} -m unrollgraph check"
    for ending, code in [
        (f"{DATA / 'seed.json'} >&-", 0),
        ("nowhere.json 2>&-", 2),
        ("nowhere.json 2>/dev/full", 2),
    ]:
        done = subprocess.run(f"{check} {ending}", shell=True, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (code, b"", b""), ending


def test_a_window_of_thousands_of_digits_is_not_understood():
    code, out, err = call("unroll", DATA / "seed.json", f"--window={'9' * 5000}", "-o", "x.json")
    assert (code, out) == (2, "")
    assert "invalid window" in err
    assert len(err) < 1100


def test_pipes_are_written_to_and_stay(tmp_path):
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert call("unroll", DATA / "seed.json", "--window=2", "-o", pipe)[0] == 0
    assert b'"multigraph"' in os.read(reader, 65536)
    assert pipe.is_fifo()
    os.close(reader)


@pytest.mark.parametrize(
    "target",
    ["no/out.json", "folder.json", "x" * 300 + ".json", "out", "out.exe", "net.json/out.json"],
)
def test_outputs_that_cannot_be_written(tmp_path, target):
    (tmp_path / "folder.json").mkdir()
    ug.io.write(SEED, tmp_path / "net.json")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call("unroll", tmp_path / "net.json", "--window=2", "-o", tmp_path / target)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"unrollgraph: [^\n]+\n", err)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("axes", "text"),
    [
        ("0:1000000000", "5000000000 vertices"),
        ("1000000000", "to_arrays"),
        ("9" * 25, "more than sys.maxsize"),
    ],
)
def test_a_billion_steps_are_refused_at_once(tmp_path, axes, text):
    target = tmp_path / "out.json"
    arguments = ["unroll", str(DATA / "seed.json"), f"--window={axes}", "-o", str(target)]
    code = (
        f"import re, sys; from unrollgraph.cli import main; code = main({arguments!r}); "
        "print(*re.findall(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())); sys.exit(code)"
    )
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert time.perf_counter() - begin < 20
    assert int(done.stdout) < 500_000  # kilobytes
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    assert not target.exists()


def test_too_little_memory_is_one_line(monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr(ug, "acyclicity_certificate", exhausted)
    code, out, err = call("check", DATA / "seed.json")
    assert (code, out) == (2, "")
    assert (
        err
        == "unrollgraph: not enough memory for a graph or window of this size; use a smaller one\n"
    )


def test_nesting_of_a_hundred_thousand_levels(tmp_path):
    deep = 100_000
    texts = {
        ".json": '{"nodes": ' + "[" * deep,
        ".gml": "graph [ directed 1 " + "a [ " * deep,
        ".graphml": "<a>" * deep + "</a>" * deep,
        ".csv": '"' * deep,
    }
    for suffix, text in texts.items():
        path = tmp_path / f"net{suffix}"
        path.write_text(text)
        done = child("check", path)
        assert done.returncode == 2, suffix
        assert re.fullmatch(rb"unrollgraph: [^\n]+\n", done.stderr), suffix
