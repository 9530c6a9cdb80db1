"""Networks in files: what comes back is what was saved, and what is no network is refused."""

import io
import json
import random
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.io import node_link

A = nn.architectures

CELLS = """
from dataclasses import dataclass
import numpy as np
from unrollgraph import nn

@dataclass(frozen=True)
class Power(nn.Op):
    exponent: int
    scales: tuple = (1.0, 0.5)

    def size_of(self, sizes):
        return sizes[0]

    def forward(self, sources, parameters):
        return self.scales[0] * sources[0] ** self.exponent

    def adjoint(self, gradient, value, sources, parameters):
        power = self.exponent * sources[0] ** (self.exponent - 1)
        return [self.scales[0] * power * gradient], {}

class Plain(nn.Op):
    def size_of(self, sizes):
        return sizes[0]

    def forward(self, sources, parameters):
        return sources[0].copy()

class Hidden(Plain):
    def __init__(self, size):
        self.size = size

class Outer:
    class Inner(Plain):
        pass

NUMBER = 3
"""


@pytest.fixture
def cells(tmp_path, monkeypatch):
    (tmp_path / "own_cells.py").write_text(CELLS)
    monkeypatch.syspath_prepend(tmp_path)
    import own_cells

    yield own_cells
    sys.modules.pop("own_cells")


def with_op(op):
    G = A.elman(2, 3, 3)
    G.add_node("s", op=op)
    G.remove_edge("h", "y")
    G.add_edges_from([("h", "s"), ("s", "y")])
    return G


def same(net, other):
    assert list(net.delay_graph.vertices) == list(other.delay_graph.vertices)
    assert net.delay_graph.edges == other.delay_graph.edges
    assert net.delay_graph.times == other.delay_graph.times
    assert net.dtype == other.dtype
    assert list(net.parameters) == list(other.parameters)
    for name, array in net.parameters.items():
        assert array.tobytes() == other.parameters[name].tobytes()
        assert array.shape == other.parameters[name].shape


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", A.__all__)
def test_every_architecture_comes_back_and_runs_to_the_same_bits(tmp_path, name, dtype):
    net = nn.Network(getattr(A, name)(2, 3, 2), seed=3, dtype=dtype)
    nn.save(net, tmp_path / "net.npz")
    other = nn.load(tmp_path / "net.npz")
    same(net, other)
    over = ug.unroll(net, (3, 3)) if net.delay_graph.dimension == 2 else None
    rng = np.random.default_rng(0)
    x = {
        net.delay_graph.vertices[v]: rng.normal(size=(9 if over else 5, 2))
        for v in net.plans.forward.inputs
    }
    one, two = net.forward(x, over), other.forward(x, over and ug.unroll(other, (3, 3)))
    for v in net.delay_graph.vertices:
        assert one.values[v].tobytes() == two.values[v].tobytes()


def test_the_order_of_edges_names_and_parallel_edges_come_back(tmp_path):
    G = nx.MultiDiGraph()
    G.add_node(("x", 1), op=nn.Embedding(7, 2), color=object())
    G.add_node("ha/lt 猫", op=nn.Dense(np.int64(3), "relu", combine="concat"))
    G.add_node(3, op=nn.Constant([0.1, 2e-300]))
    G.add_edge("ha/lt 猫", "ha/lt 猫", key="b", lag=2, order=2)
    G.add_edge("ha/lt 猫", "ha/lt 猫", key="a", lag=1, order=1)
    G.add_edge(("x", 1), "ha/lt 猫", order=3)
    G.add_edge(3, "ha/lt 猫", order=0, delay="none")
    net = nn.Network(G, delay="lag")
    nn.save(net, tmp_path / "net.npz")
    other = nn.load(tmp_path / "net.npz")
    same(net, other)
    x = {("x", 1): np.arange(7)}
    values = [n.forward(x).values["ha/lt 猫"] for n in (net, other)]
    assert np.array_equal(*values)
    with np.load(tmp_path / "net.npz") as file:
        assert np.array_equal(file["parameters/ha/lt 猫.weight"], net.parameters["ha/lt 猫.weight"])
    with zipfile.ZipFile(tmp_path / "net.npz") as file:
        H = node_link.loads(file.read("network.json").decode())  # a delay graph as any other
    assert list(H) == list(G)
    assert ug.DelayGraph(H).times == net.delay_graph.times


def test_the_same_network_has_the_same_bytes(tmp_path):
    for k in range(2):
        nn.save(nn.Network(A.lstm(2, 3, 4), seed=1), tmp_path / f"{k}.npz")
    assert (tmp_path / "0.npz").read_bytes() == (tmp_path / "1.npz").read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".npz"]


def test_operations_of_ones_own_come_back_by_their_module(tmp_path, cells):
    for op in (cells.Power(2, (2.0, 1.0)), cells.Plain(), cells.Outer.Inner()):
        net = nn.Network(with_op(op))
        nn.save(net, tmp_path / "net.npz")
        other = nn.load(tmp_path / "net.npz")
        same(net, other)
        found = other.delay_graph.vertex_data[other.delay_graph.number["s"]]["op"]
        assert type(found) is type(op)
        if isinstance(op, cells.Power):
            assert found == op
            x = {"x": np.ones((4, 2))}
            assert np.array_equal(net.forward(x).values["y"], other.forward(x).values["y"])


def test_in_another_process_a_module_that_is_not_there_is_named(tmp_path, cells):
    nn.save(nn.Network(with_op(cells.Power(2))), tmp_path / "net.npz")
    code = f"""
from unrollgraph import nn
try:
    nn.load({str(tmp_path / "net.npz")!r})
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout.startswith("FormatError ")
    assert "the operation of 's' is 'own_cells:Power', which is not an operation of" in done.stdout
    assert "import its module first, or pass the class: nn.load(path, operations=" in done.stdout


class Here(nn.Op):
    def size_of(self, sizes):
        return sizes[0]


def test_operations_that_a_file_cannot_hold_are_refused(tmp_path, cells, monkeypatch):
    class Local(Here):
        pass

    path = tmp_path / "net.npz"
    with pytest.raises(
        ug.errors.FormatError,
        match="cannot save the operation of 's': its class .*Local is not at the top level",
    ):
        nn.save(nn.Network(with_op(Local())), path)
    with pytest.raises(
        ug.errors.FormatError, match="Hidden has attributes, but is not a dataclass"
    ):
        nn.save(nn.Network(with_op(cells.Hidden(3))), path)
    with pytest.raises(ug.errors.FormatError, match="JSON cannot represent exactly"):
        nn.save(nn.Network(with_op(cells.Power(2, (object(),)))), path)
    monkeypatch.setattr(Here, "__module__", "__main__")
    with pytest.raises(
        ug.errors.FormatError,
        match="Here is not at the top level of a module that can be imported; move it",
    ):
        nn.save(nn.Network(with_op(Here())), path)
    G = nx.relabel_nodes(A.elman(2, 3, 3), {"h": 2.5})
    with pytest.raises(ug.errors.FormatError, match=r"2\.5 is a float; relabel it"):
        nn.save(nn.Network(G), path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["net", "net.json", "net.tar.gz"])
def test_a_saved_network_is_called_npz(tmp_path, name):
    net = nn.Network(A.elman(1, 2, 1))
    with pytest.raises(
        ug.errors.FormatError, match=r"saved network must have the suffix .npz; name it net.*npz"
    ):
        nn.save(net, tmp_path / name)
    data = nn.Sequences({"x": np.ones((3, 2, 1))}, {"y": np.ones((3, 2, 1))})
    with pytest.raises(ug.errors.FormatError, match=r"a checkpoint must have the suffix .npz"):
        nn.fit(net, data, checkpoint=tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_network_that_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "net.npz"
    nn.save(nn.Network(A.lstm(2, 3, 4)), path)
    before = path.read_bytes()
    net = nn.Network(nx.relabel_nodes(A.elman(2, 3, 3), {"h": 2.5}))
    with pytest.raises(ug.errors.FormatError):
        nn.save(net, path)
    assert path.read_bytes() == before
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.save(nn.Network(A.elman(2, 3, 3)), tmp_path / "nowhere" / "net.npz")


def changed(path, **members):
    """The file with some members replaced, or taken away."""
    with zipfile.ZipFile(path) as file:
        found = {name: file.read(name) for name in file.namelist()}
    found |= members
    with zipfile.ZipFile(path, "w") as file:
        for name, data in found.items():
            if data is not None:
                file.writestr(name, data)
    return path


def array(value, **more):
    page = io.BytesIO()
    np.save(page, value, **more)
    return page.getvalue()


def page(change):
    """The page of the network, changed."""
    net = nn.Network(A.elman(2, 3, 2))
    document = json.loads(nn.saving.page_of(net))
    change(document)
    return json.dumps(document)


def op(**fields):
    return lambda document: document["nodes"][0].update(op=fields)


BIAS = "parameters/h.bias.npy"
BROKEN = {
    "no page": ({"network.json": None}, "there is no member network.json; save a network with"),
    "no JSON": ({"network.json": "{"}, "not JSON"),
    "no text": ({"network.json": b"\xff\xfe"}, "codec can't decode"),
    "no network": (
        {"network.json": page(lambda d: d["graph"].clear())},
        'must have a "network" with',
    ),
    "odd type of numbers": (
        {"network.json": page(lambda d: d["graph"].update(network={"dtype": ["float64"]}))},
        'must have a "network" with',
    ),
    "no operation": ({"network.json": page(lambda d: d["nodes"][0].clear())}, 'node 0 has no "id"'),
    "odd operation": (
        {"network.json": page(op(type="Dense"))},
        'not an object with "type" and "fie',
    ),
    "odd type": ({"network.json": page(op(type=3, fields={}))}, "has the type 3"),
    "unknown": (
        {"network.json": page(op(type="Desne", fields={}))},
        "'Desne', which is not an operation of this package",
    ),
    "a builtin": (
        {"network.json": page(op(type="builtins:exec", fields={}))},
        "is 'builtins:exec', which is not a subclass of nn.Op",
    ),
    "another class": (
        {"network.json": page(op(type="pathlib:Path", fields={}))},
        "is 'pathlib:Path', which is not a subclass of nn.Op",
    ),
    "a function": (
        {"network.json": page(op(type="os:system", fields={}))},
        "not a subclass of nn.Op",
    ),
    "no name": (
        {"network.json": page(op(type="os:", fields={}))},
        "not an operation of this package",
    ),
    "no module": (
        {"network.json": page(op(type=":x", fields={}))},
        "not an operation of this package",
    ),
    "wrong fields": (
        {"network.json": page(op(type="Dense", fields={"width": 3}))},
        "the operation of 'x', Dense, cannot be created: .*width",
    ),
    "wrong values": (
        {"network.json": page(op(type="Input", fields={"size": "many"}))},
        "the size of Input is 'many'",
    ),
    "other sizes": (
        {"network.json": page(op(type="Input", fields={"size": 7}))},
        r"the array 'parameters/h.weight' is float64 of shape \(3, 5\), but must be",
    ),
    "no order": (
        {"network.json": page(lambda d: d["edges"][1].update(delay=0))},
        "not a saved network: .*cycle|cannot be computed",
    ),
    "missing": ({BIAS: None}, "the array 'parameters/h.bias' is missing"),
    "unknown parameter": (
        {"parameters/q.npy": array(1)},
        "the array 'parameters/q' is not expected",
    ),
    "shape": ({BIAS: array(np.zeros(4))}, r"h.bias' is float64 of shape \(4,\)"),
    "dtype": ({BIAS: array(np.zeros(3, np.float32))}, "h.bias' is float32 of shape"),
    "objects": ({BIAS: array(np.array([{}] * 3), allow_pickle=True)}, "is object of shape"),
    "garbage": ({BIAS: b"garbage"}, "h.bias.npy is not an array"),
    "short": ({BIAS: array(np.zeros(3))[:-5]}, "h.bias.npy is damaged"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_network_is_refused(tmp_path, case):
    members, message = BROKEN[case]
    path = tmp_path / "net.npz"
    nn.save(nn.Network(A.elman(2, 3, 2)), path)
    if case == "no order":
        net = nn.load(changed(path, **members))
        with pytest.raises(ug.errors.CyclicCoverError):
            net.forward({"x": np.ones((3, 2))})
        return
    with pytest.raises(ug.errors.FormatError, match=message) as error:
        nn.load(changed(path, **members))
    assert str(error.value).startswith(str(path))


def test_what_is_no_file_of_arrays_is_refused(tmp_path):
    path = tmp_path / "net.npz"
    for data in (b"", b"PK\x03\x04", b"hello", array(np.zeros(3))):
        path.write_bytes(data)
        with pytest.raises(ug.errors.FormatError, match=r"net.npz: not a saved network: "):
            nn.load(path)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(ug.errors.FormatError, match="no member network.json"):
        nn.load(path)
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "nowhere.npz")


def test_files_that_were_spoilt_are_refused_or_read_as_they_were(tmp_path):
    """Bytes changed, cut off or repeated: an error of ours, or the same network."""
    path = tmp_path / "net.npz"
    net = nn.Network(A.elman(2, 3, 2))
    nn.save(net, path)
    whole = path.read_bytes()
    rng = random.Random(0)
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        kind = rng.randrange(3)
        if kind == 0:
            for _ in range(rng.randint(1, 4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 1:
            del data[rng.randrange(len(data)) :]
        else:
            at = rng.randrange(len(data))
            data[at:at] = data[at : at + rng.randint(1, 50)]
        path.write_bytes(data)
        try:
            other = nn.load(path)
        except ug.errors.FormatError:
            refused += 1
        else:
            same(net, other)
    assert refused > 200


def test_another_backend_may_run_what_is_read(tmp_path):
    nn.save(nn.Network(A.elman(2, 3, 2)), tmp_path / "net.npz")
    with pytest.raises(ValueError, match="backend must be 'numpy' or 'numba', not 'jax'"):
        nn.load(tmp_path / "net.npz", backend="jax")


# -- files that are not to be trusted ------------------------------------------------------------


def test_no_module_that_a_file_names_is_imported(tmp_path):
    path = tmp_path / "net.npz"
    for name in ("antigravity:x", "unittest.__main__:main", "this:s", "unrollgraph.nn.extra:x"):
        nn.save(nn.Network(A.elman(2, 3, 2)), path)
        changed(path, **{"network.json": page(op(type=name, fields={}))})
        code = (
            f"import sys; from unrollgraph import nn\ntry: nn.load({str(path)!r})\n"
            "except ValueError as e: print(e)\n"
            f"assert {name.partition(':')[0]!r} not in sys.modules"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "is not an operation of this package" in done.stdout


def test_an_attribute_that_a_module_imports_when_asked_is_not_fetched(tmp_path, monkeypatch):
    module = types.ModuleType("lazy_cells")
    module.__getattr__ = lambda name: pytest.fail(f"{name} was fetched")
    monkeypatch.setitem(sys.modules, "lazy_cells", module)
    path = tmp_path / "net.npz"
    nn.save(nn.Network(A.elman(2, 3, 2)), path)
    changed(path, **{"network.json": page(op(type="lazy_cells:Square", fields={}))})
    with pytest.raises(ug.errors.FormatError, match="not an operation of this package"):
        nn.load(path)


def test_operations_come_from_the_caller(tmp_path, cells):
    path = tmp_path / "net.npz"
    net = nn.Network(with_op(cells.Power(2)))
    nn.save(net, path)
    kind = cells.Power
    sys.modules.pop("own_cells")
    with pytest.raises(ug.errors.FormatError, match=r"operations=\{'Power': \.\.\.\}"):
        nn.load(path)
    for name in ("Power", "own_cells:Power"):
        same(net, nn.load(path, operations={name: kind}))
    with pytest.raises(ug.errors.FormatError, match="not a subclass of nn.Op"):
        nn.load(path, operations={"Power": dict})
    sys.modules["own_cells"] = cells


def npy(shape, dtype="<f8", data=b"", header=None):
    """An array in NumPy's format with any header."""
    text = header or repr({"descr": dtype, "fortran_order": False, "shape": shape})
    text = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


HOSTILE = {
    "huge": npy((10**14,)),
    "huge and nothing": npy((0, 10**20)),
    "booleans": npy((True, 2), data=bytes(16)),
    "negative": npy((-3,), data=bytes(24)),
    "brackets": npy((), header="(" * 9000),
    "minus signs": npy((), header="-" * 9000 + "1"),
    "digits": npy(
        (), header=f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({'9' * 5000},)}}"
    ),
    "too long": npy((), header=" " * 20_000),
    "no dict": npy((), header="3"),
    "objects": npy((3,), "|O", bytes(24)),
    "odd type": npy((3,), "<f99", bytes(24)),
    "words": npy((3,), "a b c", bytes(24)),
    "format 9": b"\x93NUMPY\x09\x00" + bytes(100),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_array_is_refused_in_little_memory(tmp_path, case):
    path = tmp_path / "net.npz"
    nn.save(nn.Network(A.elman(2, 3, 2)), path)
    with pytest.raises(ug.errors.FormatError, match=r"net.npz: not a saved network: .*h.bias"):
        nn.load(changed(path, **{BIAS: HOSTILE[case]}))
    with pytest.raises(ug.errors.FormatError):
        nn.saving.array_of(HOSTILE[case], "x")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "Input", "fields": {"size": 10**10}},
        {"type": "Input", "fields": {"size": 10**30}},
        {"type": "Embedding", "fields": {"vocabulary": 10**10, "size": 2}},
        {"type": "Input", "fields": {"size": -1}},
        {"type": "Input", "fields": {"size": True}},
        {"type": "Constant", "fields": {"value": "x"}},
        {"type": "Dense", "fields": {"size": 10**12}},
        {"type": "Op", "fields": {}},
    ],
    ids=str,
)
def test_sizes_that_the_file_does_not_hold_are_not_allocated(tmp_path, fields):
    path = tmp_path / "net.npz"
    nn.save(nn.Network(A.elman(2, 3, 2)), path)
    with pytest.raises(ug.errors.FormatError):
        nn.load(changed(path, **{"network.json": page(op(**fields))}))


def test_compressed_doubled_and_unknown_members_are_not_read(tmp_path):
    path = tmp_path / "net.npz"
    net = nn.Network(A.elman(2, 3, 2))
    nn.save(net, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("notes.txt", bytes(10**7))
    same(net, nn.load(path))
    for name in (BIAS, "network.json", "fit.json"):
        bomb = changed(path, **{name: None})
        with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as file:
            file.writestr(name, bytes(10**7))
        with pytest.raises(ug.errors.FormatError, match=f"{name} is compressed; save the network"):
            nn.load(bomb)
        nn.save(net, path)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as file:
        file.writestr(BIAS, array(np.zeros(3)))
    with pytest.raises(ug.errors.FormatError, match="two members have the same name"):
        nn.load(path)


def test_every_operation_that_is_exported_can_be_named_in_a_file():
    exported = {name: getattr(nn, name) for name in nn.__all__}
    kinds = {n: x for n, x in exported.items() if isinstance(x, type) and issubclass(x, nn.Op)}
    assert {name: kind for name, kind in kinds.items() if kind is not nn.Op} == nn.ops.BUILT_IN


NOTES = ["{", "[" * 10**5, "9" * 5000, '{"history": 3}', '{"history": {}}', "null"]


@pytest.mark.parametrize("notes", NOTES, ids=range(len(NOTES)))
def test_hostile_notes_of_a_checkpoint_are_refused(tmp_path, notes):
    path = tmp_path / "fit.npz"
    data = nn.Sequences({"x": np.ones((3, 2, 2))}, {"y": np.ones((3, 2, 2))})
    net = nn.Network(A.elman(2, 3, 2))
    nn.fit(net, data, checkpoint=path)
    with pytest.raises(ug.errors.FormatError, match=r"fit\.npz"):
        nn.fit(net, data, epochs=2, checkpoint=changed(path, **{"fit.json": notes}))


def test_files_with_more_than_is_told_cost_no_more_memory(tmp_path):
    """Under a limit of 400 MB above what the imports need."""
    path = tmp_path / "net.npz"
    nn.save(nn.Network(A.elman(2, 3, 2)), path)
    files = [tmp_path / f"{k}.npz" for k in range(3)]
    for file, members in zip(
        files,
        (
            {BIAS: npy((10**14,))},
            {"network.json": page(op(type="Input", fields={"size": 10**10}))},
            {BIAS: None},
        ),
        strict=True,
    ):
        file.write_bytes(path.read_bytes())
        changed(file, **members)
    with zipfile.ZipFile(files[2], "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr(BIAS, npy((10**8,), data=bytes(8 * 10**8)))
    code = f"""
import resource
from unrollgraph import nn
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for k in range(3):
    try:
        nn.load({str(tmp_path)!r} + f"/{{k}}.npz")
    except nn.saving.FormatError as error:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", ["refused"] * 3)


# -- writers that were killed --------------------------------------------------------------------


def test_what_a_killed_writer_left_behind_is_removed_by_the_next(tmp_path):
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom unrollgraph.io import files\n"
        "Path.chmod = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"files.write_whole({str(tmp_path / 'net.npz')!r}, b'half')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    nn.save(nn.Network(A.elman(2, 3, 2)), tmp_path / "net.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


def test_a_writer_at_work_is_not_disturbed(tmp_path):
    """Twenty writers of one folder, each of which cleans up at every start."""
    code = (
        "import sys\nfrom unrollgraph.io import files\n"
        "for k in range(100): files.write_whole(sys.argv[1], sys.argv[1].encode())"
    )
    names = [str(tmp_path / f"{k}.npz") for k in range(8)]
    writers = [subprocess.Popen([sys.executable, "-c", code, name]) for name in names]
    assert [writer.wait() for writer in writers] == [0] * 8
    assert sorted(map(str, tmp_path.iterdir())) == names
    assert all(Path(name).read_text() == name for name in names)


BAD_PATHS = ["a\0.npz", "\ud800.npz"]


@pytest.mark.parametrize("name", BAD_PATHS, ids=["NUL", "surrogate"])
def test_a_name_that_no_file_can_have_is_told_alike_everywhere(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    net = nn.Network(A.elman(1, 2, 1))
    data = nn.Sequences({"x": np.ones((3, 2, 1))}, {"y": np.ones((3, 2, 1))})
    stem = name.partition(".")[0]
    for call in (
        lambda: nn.save(net, name),
        lambda: nn.load(name),
        lambda: nn.fit(net, data, checkpoint=name),
        lambda: ug.io.read(f"{stem}.json"),
        lambda: ug.io.write(ug.gallery.elman(), f"{stem}.json"),
        lambda: ug.draw.save(ug.draw.rolled(ug.gallery.elman()), f"{stem}.svg"),
        lambda: ug.explorer.explore(ug.gallery.elman()).save(f"{stem}.html"),
    ):
        with pytest.raises(ug.errors.FormatError, match="invalid file name .*: "):
            call()
    assert not list(tmp_path.iterdir())


def test_links_that_lead_round_are_an_error_of_the_system(tmp_path):
    for suffix in ("npz", "json", "svg"):
        a, b = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
        a.symlink_to(b)
        b.symlink_to(a)
    for call in (
        lambda: nn.save(nn.Network(A.elman(1, 2, 1)), tmp_path / "a.npz"),
        lambda: nn.load(tmp_path / "a.npz"),
        lambda: ug.io.read(tmp_path / "a.json"),
        lambda: ug.io.write(ug.gallery.elman(), tmp_path / "a.json"),
        lambda: ug.draw.save(ug.draw.rolled(ug.gallery.elman()), tmp_path / "a.svg"),
    ):
        with pytest.raises(OSError, match=r"Too many levels of symbolic links: '.*a\.\w+'"):
            call()
