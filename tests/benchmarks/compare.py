"""Benchmarks of two commits, run in turn: ratios of this tree's time to that of BASE.

    python tests/benchmarks/compare.py BASE                   all cases of cases.py
    python tests/benchmarks/compare.py BASE lstm is_acyclic   those whose name has one of these

BASE is checked out in a git worktree. Each tree runs in a process of its own, both on the same
core and with one thread, and in each round of a case they take turns. Printed are the medians,
and the median of the ratios of the rounds with the least and the greatest. Exits 1 when a
median ratio is above 1.1.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
LIMIT = 1.1


def worker(tree):
    """A process that times cases with the package of a tree, and with its cases if it has any."""
    cases = tree / "tests" / "benchmarks" / "cases.py"
    return subprocess.Popen(
        [sys.executable, str(cases if cases.exists() else HERE / "cases.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=os.environ | {"PYTHONPATH": str(tree)},
    )


def ask(process, line):
    """The answer of a worker to one line."""
    print(line, file=process.stdin)
    answer = process.stdout.readline()
    if not answer:
        sys.exit(f"{line or 'a worker'} failed in {process.args[1]}; its error is above")
    return answer


def compare(base, words, rounds):
    """Print one line per case, and return the names of those that became slower."""
    workers = worker(base), worker(HERE.parents[1])
    names = [set(ask(process, "").split()) for process in workers]
    slower = []
    for name in sorted(names[0] & names[1]):
        if words and not any(word in name for word in words):
            continue
        if "nan" in [ask(process, name).strip() for process in workers]:
            print(f"{name:<32}fails in one of the trees", flush=True)
            continue
        times = np.empty((rounds, 2))
        for k in range(rounds):
            for side in (0, 1) if k % 2 else (1, 0):
                times[k, side] = float(ask(workers[side], name))
        ratios = times[:, 1] / times[:, 0]
        before, after = np.median(times, 0) * 1e3
        ratio = np.median(ratios)
        print(
            f"{name:<32}{before:10.3f} ->{after:10.3f} ms   {ratio:5.2f} "
            f"({ratios.min():.2f} to {ratios.max():.2f}){' SLOWER' * bool(ratio > LIMIT)}",
            flush=True,
        )
        if ratio > LIMIT:
            slower.append(name)
    for process in workers:
        process.stdin.close()
        process.wait()
    return slower


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="a commit, a branch or a tag")
    parser.add_argument("words", nargs="*", help="parts of the names of cases")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "base"
        git = ["git", "-C", str(HERE), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), given.base], check=True)
        try:
            slower = compare(tree, given.words, given.rounds)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
    sys.exit("slower: " + ", ".join(slower) if slower else 0)


if __name__ == "__main__":
    main()
