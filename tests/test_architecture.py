"""The shape of the package: who imports whom, what is loaded when, what is documented."""

import ast
import doctest
import importlib
import inspect
import operator
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import settings

import unrollgraph as ug
from unrollgraph import errors

ROOT = Path(__file__).parent.parent
PACKAGE = Path(ug.__file__).parent
FLOORS = {
    "errors": 0,
    "graph": 0,
    "limits": 0,
    "io": 1,
    "morphism": 2,
    "cover": 3,
    "measure": 4,
    "nn": 4,
    "backend": 5,
    "draw": 5,
    "symbolic": 5,
    "testing": 5,
    "explorer": 6,
    "cli": 7,
}


def modules():
    return [
        name.removeprefix("unrollgraph.")
        for _, name, _ in pkgutil.walk_packages(ug.__path__, "unrollgraph.")
        if name != "unrollgraph.__main__"  # imports `cli` from above all layers
    ]


def path_of(name):
    path = PACKAGE / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


class RunTime(ast.NodeTransformer):
    """Leaves out what only type checkers read."""

    def visit_If(self, node):
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def imported(path, tree=None):
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(tree or ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module
            if node.module == "unrollgraph":
                yield from (f"unrollgraph.{alias.name}" for alias in node.names)


def test_every_room_has_its_floor():
    assert {name.split(".")[0] for name in modules()} == set(FLOORS)


def test_the_picture_of_the_rooms_is_that_of_the_package(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    house = importlib.import_module("rooms").HOUSE
    assert {name: k for k, floor in enumerate(house) for name, *_ in floor} == FLOORS


@pytest.mark.parametrize("name", modules())
def test_imports_go_down_the_stairs(name):
    room = name.split(".")[0]
    for module in imported(path_of(name)):
        if not module.startswith("unrollgraph"):
            continue
        other = module.split(".")[1] if "." in module else None
        if other is None or other not in FLOORS:
            assert FLOORS[room] == max(FLOORS.values()), f"{name} imports the root"
        else:
            assert other == room or FLOORS[other] < FLOORS[room] or other in {"errors", "limits"}, (
                f"{name} imports {module}, which is not below it"
            )


def test_no_module_imports_itself_by_way_of_others():
    """What stands under TYPE_CHECKING is not imported when the program runs."""
    below = {}
    for name in modules():
        tree = ast.parse(path_of(name).read_text())
        typed = [
            n
            for n in ast.walk(tree)
            if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)
        ]
        typed = {id(inner) for node in typed for inner in ast.walk(node)}
        below[name] = {
            module.removeprefix("unrollgraph.")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and id(node) not in typed
            for module in [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        } & set(modules())
        below[name] -= {name.rpartition(".")[0]}
    graph = nx.DiGraph([(name, other) for name, found in below.items() for other in found])
    assert [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1] == []


# private to other libraries, which have no public name for it
FOREIGN = {"_replace", "_adj", "_succ", "_pred", "_node", "_print", "_module_format"}
FOREIGN |= {"_forward_hooks", "_forward_pre_hooks"}


@pytest.mark.parametrize("name", modules())
def test_what_is_private_is_read_in_its_own_module(name):
    tree = ast.parse(path_of(name).read_text())
    own = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    own |= {
        n.attr
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and ast.unparse(n.value) in {"self", "cls"}
    }
    own |= {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        names = [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.ImportFrom) and node.module.startswith("unrollgraph"):
            names = [a.name for a in node.names if f"{node.module}.{a.name}"[12:] not in modules()]
        for read in names:
            private = read.startswith("_") and not read.endswith("__")
            assert not private or read in own | FOREIGN, f"{name} reads {read} of another module"


def test_no_module_bears_the_name_of_a_public_function():
    functions = {name for name in ug.__all__ if inspect.isfunction(getattr(ug, name))}
    assert not functions & {name.split(".")[-1] for name in modules()}


def test_the_oracle_imports_nothing_of_the_package():
    assert not [m for m in imported(ROOT / "tests" / "oracle.py") if "unrollgraph" in m]


def test_no_two_tests_of_a_file_have_the_same_name():
    for path in (ROOT / "tests").glob("test_*.py"):
        names = [node.name for node in ast.parse(path.read_text()).body if hasattr(node, "name")]
        assert len(names) == len(set(names)), path


def test_importing_loads_networkx_and_numpy_and_nothing_heavier():
    code = (
        "import sys, networkx, numpy; before = set(sys.modules); import unrollgraph as ug; "
        "G = ug.gallery.seed_network(); ug.unroll(G, 4); ug.is_acyclic(ug.DelayCover(G)); "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "unrollgraph" in loaded
    assert not loaded & {"scipy", "sympy", "matplotlib", "pandas", "hypothesis", "argparse", "csv"}
    own = {m for m in loaded if m not in sys.stdlib_module_names}
    assert own <= {"unrollgraph", "numpy"}  # numpy.typing


WITHOUT_EXTRAS = (
    "import sys; sys.modules.update(dict.fromkeys(('hypothesis', 'pandas', 'tqdm', 'joblib'))); "
)


@pytest.mark.parametrize(
    "code",
    [
        "import unrollgraph; help(unrollgraph)",
        "import pydoc; sys.argv[1:] = ['unrollgraph']; pydoc.cli()",
        "from unrollgraph import *; print(unroll, nn, draw)",
        "import runpy; sys.argv[1:] = ['demo']; runpy.run_module('unrollgraph', None, '__main__')",
    ],
)
def test_first_contact_needs_no_optional_package(code):
    command = [sys.executable, "-c", WITHOUT_EXTRAS + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "unroll" in done.stdout


def test_dir_lists_public_names_only():
    assert dir(ug) == sorted(ug.__all__)
    assert ug.testing.delay_graphs


def test_nothing_below_its_door_imports_a_heavy_library():
    doors = {
        "scipy": {
            "graph.digraph",
            "graph.feedback",
            "cover.lift",
            "draw.ranks",
            "io.tables",
            "measure.ancestors",
            "measure.path_search",
            "nn.executors.grouped",
            "nn.primitives",
        },
        "hypothesis": {"testing"},
        "pandas": {"io.tables"},
        "numba": {"nn.executors.loops"},
        "joblib": {"nn.training"},
        "sympy": {
            "morphism.deck",
            "symbolic.filters",
            "symbolic.formulas",
            "symbolic.polynomials",
            "symbolic.groups",
            "symbolic.networks",
        },
        "tqdm": {"nn.training"},
        "anywidget": {"explorer.page"},
        "matplotlib": {"draw.render", "draw.scene", "draw.style", "draw.tikz"},
    }
    for name in modules():
        path = path_of(name)
        for module in imported(path, RunTime().visit(ast.parse(path.read_text()))):
            library = module.split(".")[0]
            if library in doors:
                assert name in doors.get(library, set()), f"{name} imports {library}"


PUBLIC = [name for name in ug.__all__ if callable(getattr(ug, name))]
PICTURES = [f"draw.{name}" for name in ug.draw.__all__] + ["explorer.explore"]


ALGEBRA = [f"symbolic.{name}" for name in ug.symbolic.__all__]
TRAINING = [f"nn.{name}" for name in ug.nn.__all__ if inspect.isfunction(getattr(ug.nn, name))]


def documented(text):
    """Names in the section on parameters of a docstring in numpydoc form."""
    section = re.search(r"Parameters\n-+\n(.*?)(?=\n\n[A-Z][a-z]+\n-+|\Z)", text, re.DOTALL)
    lines = re.findall(r"^(\S.*?)(?: :.*)?$", section[1], re.MULTILINE) if section else []
    return {name.strip() for line in lines for name in line.split(",")}


@pytest.mark.parametrize("name", [*PUBLIC, *PICTURES, *ALGEBRA, *TRAINING])
def test_what_is_public_is_typed_and_documented_with_an_example(name):
    thing = operator.attrgetter(name)(ug)
    text = inspect.getdoc(thing)
    assert text, name
    if inspect.isfunction(thing):
        signature = inspect.signature(thing)
        assert signature.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not p.empty for p in signature.parameters.values())
        assert documented(text) >= set(signature.parameters), name
    if inspect.isfunction(thing) or name in {"DelayGraph", "DelayCover", "Lift", "GraphMap"}:
        assert doctest.DocTestParser().get_examples(text), f"{name} has no example"


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_its_subject_is(name):
    module = importlib.import_module(f"unrollgraph.{name}")
    assert len(module.__doc__.split()) >= 8
    namespaces = {"errors", "graph.gallery", "nn.architectures", "nn.initializers"}
    listed = hasattr(module, "__path__") or name in namespaces
    assert hasattr(module, "__all__") == listed
    assert all(hasattr(module, item) for item in getattr(module, "__all__", ()))


def test_the_root_exports_functions_and_subpackages_the_classes_of_results():
    apart = {"DelayGraph", "DelayCover", "GraphMap", "Lift"}
    for name in ("graph", "morphism", "cover", "measure"):
        subpackage = importlib.import_module(f"unrollgraph.{name}")
        for item in subpackage.__all__:
            assert (item in ug.__all__) == (item[0].islower() or item in apart), item
            assert getattr(ug, name) is subpackage
    assert set(ug.__all__) <= set(dir(ug))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ug.nothing


def test_the_reference_has_an_entry_for_every_public_name():
    pages = " ".join(path.read_text() for path in (ROOT / "docs" / "api").glob("*.rst"))
    entries = set(re.findall(r"^   (\w+)$", pages, re.M))
    assert set(PUBLIC) <= entries
    assert set(ug.gallery.__all__) <= entries
    assert set(ug.nn.__all__) - {"architectures", "initializers"} <= entries
    assert set(ug.draw.__all__) | set(ug.explorer.__all__) <= entries
    assert set(ug.symbolic.__all__) <= entries
    assert set(ug.nn.architectures.__all__) | set(ug.nn.initializers.__all__) <= entries


def test_errors_descend_from_the_root_and_from_what_a_newcomer_catches():
    builtin = (ValueError, TypeError, ArithmeticError, TimeoutError, ug.errors.nx.NetworkXException)
    for name in ug.errors.__all__:
        error = getattr(ug.errors, name)
        assert issubclass(error, ug.UnrollgraphError)
        if error is not ug.UnrollgraphError:
            assert issubclass(error, builtin)


def test_a_keyword_of_an_error_is_an_attribute_that_its_class_declares():
    for path in PACKAGE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                error = getattr(errors, call.func.id, None)
                if isinstance(error, type) and issubclass(error, errors.UnrollgraphError):
                    names = [word.arg for word in call.keywords]
                    assert all(hasattr(error, name) for name in names), (path, call.lineno)


def test_the_default_examples_repeat_and_the_thorough_ones_do_not():
    assert settings.get_profile("default").derandomize
    assert not settings.get_profile("thorough").derandomize
    assert settings.get_profile("thorough").max_examples == 2000


def test_the_version_is_said_once():
    text = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.*)"$', text, re.M).group(1) == ug.__version__
    cited = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.*)$", cited, re.M).group(1) == ug.__version__


def test_the_library_has_no_unfinished_business():
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        if path != Path(__file__):
            assert not re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text()), path


def test_no_line_of_code_is_wider_than_a_page_of_the_site():
    for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "peers").glob("*.md")]:
        for block in re.findall(r"```(?:python|sh)\n(.*?)```", path.read_text(), re.S):
            assert [line for line in block.splitlines() if len(line) > 100] == [], path.name
