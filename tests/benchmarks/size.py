"""The size of the package: lines of code, modules, long modules, short functions.

    python tests/benchmarks/size.py

Lines of code are lines without docstrings, comments and blanks. Exits 1 when a figure is missed.
"""

import ast
import io
import sys
import tokenize
from pathlib import Path

from rounds import MISSED, figure

PACKAGE = Path(__file__).resolve().parents[2] / "unrollgraph"
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of(node):
    return set(range(node.lineno, node.end_lineno + 1))


def docstrings(tree):
    """The lines of all docstrings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | FUNCTIONS) and ast.get_docstring(node):
            found |= lines_of(node.body[0])
    return found


def code(text):
    """The lines that hold code."""
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in LAYOUT:
            found |= set(range(token.start[0], token.end[0] + 1))
    return found - docstrings(ast.parse(text))


def main():
    texts = {path: path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    counted = {path: code(text) for path, text in texts.items()}
    modules = [path for path in texts if path.name != "__init__.py"]
    lengths = {path: len(text.splitlines()) for path, text in texts.items()}
    functions = [
        len(lines_of(node) & counted[path] - set(range(node.lineno, node.body[0].lineno)))
        for path, text in texts.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, FUNCTIONS)
    ]
    short = sum(size <= 5 for size in functions)
    for folder in sorted({path.parent for path in texts}):
        own = [path for path in texts if path.parent == folder]
        name = folder.relative_to(PACKAGE.parent)
        print(f"{name!s:<32}{sum(len(counted[p]) for p in own):6} lines{len(own):4} files")
    print(f"{len(functions)} functions, {100 * short / len(functions):.0f} % of at most 5 lines")
    figure("lines of code", sum(map(len, counted.values())), 15000)
    figure("modules", len(modules), 95)
    figure("lines of the longest module, all counted", max(lengths.values()), 600)
    for path in sorted(lengths, key=lengths.get, reverse=True)[:5]:
        print(f"    {path.relative_to(PACKAGE.parent)}: {lengths[path]}")


if __name__ == "__main__":
    main()
    sys.exit(bool(MISSED))
