"""Fits in fresh processes that have imported NumPy and one package: malloc is as that package leaves it.

    python benchmarks/fresh.py

Prints the table of docs/benchmarks.md; status 1 if a fit is slower than SciPy's. With the arguments PACKAGE CASE, it is
one of these processes, and prints page faults and seconds of a fit.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

ROUNDS = 5  # with a turn of each package
SECONDS = 0.2  # of measurement in a process
SLOWER = 1.0

Fit = Callable[[Any], Callable[[], Any]]  # a package -> its fit


def curve(m: int, n: int) -> tuple[Any, Any, Any]:
    """A polynomial's basis, data and start."""
    t = np.linspace(0, 1, m)
    return np.vander(t, n, increasing=True), np.cos(3 * t) + 0.1 * np.sin(1e4 * t), np.ones(n)


def differences(m: int, n: int) -> Fit:
    basis, y, x0 = curve(m, n)
    return lambda package: lambda: package.leastsq(lambda p: basis @ p - y, x0)


def by_Dfun(m: int, n: int, dtype: Any = float) -> Fit:
    basis, y, x0 = curve(m, n)
    jacobian = basis.astype(dtype)
    return lambda package: lambda: package.leastsq(lambda p: jacobian @ p - y, x0, Dfun=lambda p: jacobian)


def told(m: int, n: int) -> Fit:
    """By SciPy, as `differences`."""
    basis, y, x0 = curve(m, n)

    def fit(package: Any) -> Any:
        fit = package.LevenbergMarquardt(x0)
        while not fit.done:
            fit.tell(np.array([basis @ x - y for x in fit.ask()]))
        return fit.result()

    return lambda package: lambda: fit(package) if hasattr(package, "LevenbergMarquardt") else package.leastsq(
        lambda p: basis @ p - y, x0)  # fmt: skip


def power_law(m: int, n: int) -> Fit:
    t = np.linspace(1, 5, m)
    y = 3 * t**-1.5 + 0.01 * np.sin(1e4 * t)
    return lambda package: lambda: package.leastsq(
        lambda p: p[0] * t ** p[1] - y, [1.0, -1.0], col_deriv=True,
        Dfun=lambda p: np.array([t ** p[1], p[0] * t ** p[1] * np.log(t)]),
    )  # fmt: skip


def equal_columns(m: int, n: int) -> Fit:
    t, x0 = np.linspace(0, 1, m), np.arange(n) + 1.0
    y = np.cos(3 * t)
    return lambda package: lambda: package.leastsq(
        lambda p: sum(p) * t - y, x0, Dfun=lambda p: np.array([t] * n), col_deriv=True
    )


def one_iteration(m: int, n: int) -> Fit:
    f, jacobian = np.random.default_rng(0).standard_normal((2, m, n))
    f = f[:, 0].copy()
    return lambda package: lambda: package.leastsq(lambda p: f, np.ones(n), Dfun=lambda p: jacobian, maxfev=1)


def constant(m: int, n: int) -> Fit:
    f, x0 = np.ones(m), np.ones(n)
    return lambda package: lambda: package.leastsq(lambda p: f, x0)


def zeros(m: int, n: int) -> Fit:
    f, jacobian, x0 = np.ones(m), np.zeros((m, n)), np.ones(n)
    return lambda package: lambda: package.leastsq(lambda p: f, x0, Dfun=lambda p: jacobian)


def line_by_curve_fit(m: int, n: int) -> Fit:
    t = np.linspace(0, 1, m)
    y = 1 + 2 * t + 0.1 * np.sin(1e4 * t)
    return lambda package: lambda: package.curve_fit(lambda t, a, b: a + b * t, t, y, [0.5, 0.5])


# What, m, n, and the number of threads at once.
CASES: dict[str, tuple[Callable[[int, int], Fit], int, int, int]] = {
    f"{what}, {m} x {n}" + ("" if threads == 1 else f", {threads} threads"): (make, m, n, threads)
    for what, make, threads, sizes in [
        ("polynomial, differences", differences, 1, [(16_000, 1), (16_384, 1), (10_000, 2), (8000, 3)]),
        ("polynomial, differences", differences, 2, [(10_000, 2)]),
        ("polynomial, ask and tell", told, 1, [(10_000, 2)]),
        ("polynomial, Dfun", by_Dfun, 1, [(16_000, 1), (10_000, 2)]),
        ("polynomial, curve_fit", line_by_curve_fit, 1, [(10_000, 2)]),
        ("polynomial, Dfun of float32", lambda m, n: by_Dfun(m, n, np.float32), 1, [(30_000, 2)]),
        ("power law, Dfun", power_law, 1, [(10_000, 2), (50_000, 2)]),
        ("equal columns, Dfun", equal_columns, 1, [(10_000, 2)]),
        ("one iteration, Dfun", one_iteration, 1, [(10_000, 8), (16_384, 9), (3000, 40), (100_000, 1), (200_000, 2)]),
        ("one iteration, Dfun", one_iteration, 2, [(10_000, 8)]),
        ("constant func, differences", constant, 1, [(100, 3), (200_000, 2)]),
        ("zero Jacobian, Dfun", zeros, 1, [(1000, 16), (200, 100), (3000, 9)]),
    ]
    for m, n in sizes
}  # fmt: skip


def measure(package: str, case: str) -> None:
    """Print the page faults and seconds of a fit."""
    warnings.simplefilter("ignore")
    make, m, n, threads = CASES[case]
    fit = make(m, n)(import_module(package))
    found: list[tuple[float, float]] = []

    def fits() -> None:
        for _ in range(5):
            fit()
        times: list[float] = []
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        while sum(times) < SECONDS or len(times) < 5:
            start = time.thread_time()
            fit()
            times.append(time.thread_time() - start)
        faults = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before
        found.append((faults / len(times), statistics.median(times)))

    if threads == 1:
        fits()
    else:
        started = [threading.Thread(target=fits) for _ in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
    print(*max(found))


def in_own_process(package: str, case: str) -> list[float]:
    command = [sys.executable, __file__, package, case]
    return [*map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())]


def rows() -> tuple[list[list[str]], list[str]]:
    """The table's rows, and the cases where SciPy is faster."""
    table, slower = [], []
    for case in CASES:
        turns = [[in_own_process(package, case) for package in ("pyminpack", "scipy.optimize")] for _ in range(ROUNDS)]
        (our_faults, our_seconds), (faults, _) = ([*map(statistics.median, zip(*of, strict=True))]
                                                  for of in zip(*turns, strict=True))  # fmt: skip
        ratios = [theirs[1] / ours[1] for ours, theirs in turns]
        low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
        table.append([case, f"{our_seconds * 1e6:.4g}", f"{ratio:.2f} ({low:.2f} to {high:.2f})", f"{our_faults:.0f}",
                      f"{faults:.0f}"])  # fmt: skip
        if ratio < SLOWER:
            slower.append(f"{case}, in a fresh process: SciPy / ours {ratio:.3f}")
    return table, slower


def main() -> int:
    table, slower = rows()
    for row in table:
        print(f"| {' | '.join(row)} |")
    for case in slower:
        print(f"slower: {case}", file=sys.stderr)
    return bool(slower)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(*sys.argv[1:])
    else:
        sys.exit(main())
