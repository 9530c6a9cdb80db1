"""Mutated files of every format, over all readers and the command line, in one process.

By default some hundred; ``UNROLLGRAPH_MUTANTS=100000`` runs as many, and ``UNROLLGRAPH_SEED``
draws others. A file is read, or refused by an error of the package; the command line answers, or
refuses in one line and writes nothing.
"""

import contextlib
import io
import json
import os
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.cli import main

COUNT = int(os.environ.get("UNROLLGRAPH_MUTANTS", "600"))
SEED = int(os.environ.get("UNROLLGRAPH_SEED", "0"))
SUFFIXES = [".json", ".csv", ".tsv", ".gml", ".graphml"]
TOKENS = [
    b"", b"\0", b"\xff", b"\r", b"\n", b"9" * 30, b"9" * 5000, b"1e999", b"-1", b"NaN", b"null",
    b"[", b"]", b"[" * 2000, b"(" * 3000, b"-" * 3000, b"{", b"}", b'"', b"'", b";", b",", b":",
    b"<", b">", b"&x;", b"<!DOCTYPE g>", b"]]>", b"node [", b"1;0", b"2147483649", b"true",
    b"\xc3\xa9", b"\xef\xbb\xbf", b"label", b"id", b"delay", b"source", b"from", b"to", b"key",
    b"PK\x03\x04", b"\x93NUMPY", b"<f8", b"|O", b"1.5", b"1.0", b"\xed\xa0\x80", b"os:system",
    b"Dense", b"10000000000",
]  # fmt: skip


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """Files of every format that are read, by suffix."""
    folder = tmp_path_factory.mktemp("valid")
    files = {suffix: [] for suffix in [*SUFFIXES, ".npz", ".npy"]}
    for suffix in SUFFIXES:
        for name in ("seed_network", "diamond", "dipole"):
            G = getattr(ug.gallery, name)(*[3] * (name == "dipole"))
            ug.io.write(G, folder / f"a{suffix}")
            files[suffix].append((folder / f"a{suffix}").read_bytes())
    multi = nx.MultiDiGraph([("a", ("b", 1), "k", {"delay": 1, "w": (1, [2.5])}), (("b", 1), "a")])
    files[".json"].append(json.dumps(nx.node_link_data(multi)).encode())
    files[".csv"].append(b";from;to;lag\n0;a;b;1.0\n1;b;a;\n")
    files[".gml"].append(b'graph [ directed 1 node [ id 0 name "x" ] edge [ source 0 target 0 ] ]')
    net = nn.Network(nn.architectures.elman(1, 2, 1))
    nn.save(net, folder / "a.npz")
    data = nn.Sequences({"x": np.ones((3, 2, 1))}, {"y": np.ones((3, 2, 1))})
    nn.fit(net, data, checkpoint=folder / "b.npz")
    files[".npz"] = [(folder / f"{name}.npz").read_bytes() for name in "ab"]
    np.save(folder / "a.npy", np.ones((3, 1)))
    np.savez_compressed(folder / "c.npz", x=np.ones((3, 1)))
    files[".npy"] = [(folder / name).read_bytes() for name in ("a.npy", "c.npz")]
    return files


def mutated(rng, data):
    """Some pieces cut out, doubled, exchanged or replaced; of an archive also within a member."""
    if data.startswith(b"PK") and rng.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = {name: file.read(name) for name in file.namelist()}
        name = rng.choice(list(members))
        members[name] = mutated(rng, members[name])
        page = io.BytesIO()
        kind = rng.choice([zipfile.ZIP_STORED] * 4 + [zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(page, "w", kind) as file:
            for key, member in members.items():
                file.writestr(key, member)
        return page.getvalue()
    for _ in range(rng.randint(1, 3)):
        a = rng.randint(0, len(data))
        b = min(len(data), a + rng.randint(0, 20))
        kind = rng.randrange(5)
        if kind == 0:
            piece = rng.choice(TOKENS)
        elif kind == 1:
            piece = rng.randbytes(rng.randint(1, 5))
        elif kind == 2:
            piece = data[a:b] * 2
        elif kind == 3:
            c = rng.randint(0, len(data))
            piece = data[c : c + rng.randint(0, 30)]
        else:
            piece = b""
        data = data[:a] + piece + (b"" if rng.randrange(6) == 0 else data[b:])
    return data


def commands(suffix, path, net, out):
    """What is called with a file."""
    if suffix == ".npy":
        return [["run", net, "--inputs", path]]
    given = [
        ["check", path],
        ["measure", path],
        ["unroll", path, "--window=-1:2", "-o", out / "out.json"],
    ]
    return [*given, ["run", path, "--inputs", path]] if suffix == ".npz" else given


def read(suffix, path):
    if suffix == ".npz":
        nn.load(path)
    elif suffix != ".npy":
        ug.io.read(path)


def answered(code, out, err):
    """Whether a command answered, or refused in one line."""
    note = r"(unrollgraph: [^\n]*no edge has a delay[^\n]*\n)?"
    if code == 2:
        return out == "" and re.fullmatch(note + r"unrollgraph: [^\n]{1,1100}\n", err)
    return code in {0, 1} and out and re.fullmatch(note, err)


@pytest.mark.filterwarnings("error")
def test_mutated_files_are_read_or_refused(tmp_path, valid):
    rng = random.Random(SEED)
    good = tmp_path / "good.npz"
    nn.save(nn.Network(nn.architectures.elman(1, 2, 1)), good)
    refused = 0
    for k in range(COUNT):
        suffix = rng.choice(list(valid))
        data = mutated(rng, rng.choice(valid[suffix]))
        path = tmp_path / f"net{suffix}"
        path.write_bytes(data)
        try:
            read(suffix, path)
        except ug.UnrollgraphError as error:
            named = str(path) in str(error)
            refused += 1
        except Exception as error:
            raise AssertionError(f"file {k}, {suffix}: {data!r}") from error
        else:
            named = True
        assert named, (k, suffix, data)
        arguments = rng.choice(commands(suffix, path, good, tmp_path))
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main([str(a) for a in arguments])
        except Exception as error:
            raise AssertionError(f"file {k}, {arguments}: {data!r}") from error
        told = out.getvalue(), err.getvalue()
        assert answered(code, *told), (k, arguments, code, told, data)
        assert code != 2 or not (tmp_path / "out.json").exists()
        (tmp_path / "out.json").unlink(missing_ok=True)
        path.unlink()
    assert COUNT / 3 < refused < COUNT
    print(f"{COUNT} files, {refused} refused")


def test_mutated_files_in_processes_of_their_own(tmp_path, valid):
    rng = random.Random(SEED + 1)
    good = tmp_path / "good.npz"
    nn.save(nn.Network(nn.architectures.elman(1, 2, 1)), good)
    for _ in range(50 if "UNROLLGRAPH_MUTANTS" in os.environ else 4):
        suffix = rng.choice(list(valid))
        path = tmp_path / f"net{suffix}"
        path.write_bytes(mutated(rng, rng.choice(valid[suffix])))
        arguments = rng.choice(commands(suffix, path, good, tmp_path))
        done = subprocess.run(
            [sys.executable, "-m", "unrollgraph", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert answered(done.returncode, done.stdout, done.stderr), (done, path.read_bytes())
        Path(tmp_path / "out.json").unlink(missing_ok=True)
