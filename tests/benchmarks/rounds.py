"""Timing for the benchmarks: interleaved rounds, and figures that are met or missed."""

import time

import numpy as np

MISSED = []


def interleaved(runs, rounds):
    """Seconds of each run, by name, over rounds that visit all of them in turn."""
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return times


def show(name, seconds, unit=1e3, suffix="ms"):
    """The median and the spread, least to most."""
    low, middle, high = min(seconds) * unit, np.median(seconds) * unit, max(seconds) * unit
    return f"{name:<46} {middle:10.2f} {suffix}   ({low:.2f} to {high:.2f})"


def shown(runs, rounds):
    """Time some runs, and print how long they took."""
    times = interleaved(runs, rounds)
    for name, seconds in times.items():
        print(show(name, seconds), flush=True)
    return times


def figure(text, value, limit, unit="", *, least=False):
    """Print a figure beside its limit, and remember one that is missed."""
    met = value >= limit if least else value <= limit
    sign = "at least" if least else "at most"
    number = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    print(f"  {'met   ' if met else 'MISSED'} {text}: {number}{unit}, {sign} {limit}{unit}")
    if not met:
        MISSED.append(text)
