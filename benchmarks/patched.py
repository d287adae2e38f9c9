"""The gain from patching SciPy: fits of an exponential, 3 parameters and 50 points, with SciPy's functions.

usage: python benchmarks/patched.py

"_minpack alone": SciPy's Python stays, only `_lmdif` and `_lmder` below it are ours. Ratios are medians over rounds in
which each takes a turn.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import scipy
from scipy.optimize import curve_fit, least_squares, leastsq, root

import pyminpack

ROUNDS, CALLS = 60, 30
T = np.linspace(0, 4, 50)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.2 * np.random.default_rng(1).normal(size=T.size)
START = [1.0, 1.0, 1.0]
SCIPYS: Any = leastsq.__code__


def model(t: Any, a: float, b: float, c: float) -> Any:
    """An exponential on a background."""
    return a * np.exp(-b * t) + c


def residuals(p: Any) -> Any:
    """Of the model."""
    return p[0] * np.exp(-p[1] * T) + p[2] - Y


FITS: dict[str, Callable[[], Any]] = {
    "curve_fit": lambda: curve_fit(model, T, Y),
    "curve_fit with p0": lambda: curve_fit(model, T, Y, START),
    "leastsq": lambda: leastsq(residuals, START),
    "leastsq, full_output": lambda: leastsq(residuals, START, full_output=True),
    'root, method="lm"': lambda: root(residuals, START, method="lm"),
    'least_squares, method="lm"': lambda: least_squares(residuals, START, method="lm"),
}


def minpack_alone() -> None:
    """Patch, and restore SciPy's own leastsq."""
    pyminpack.patch_scipy()
    leastsq.__code__ = SCIPYS


WAYS = {"SciPy": pyminpack.unpatch_scipy, "_minpack alone": minpack_alone, "patch_scipy": pyminpack.patch_scipy}


def seconds(fit: Callable[[], Any]) -> float:
    """Of one fit."""
    start = perf_counter()
    for _ in range(CALLS):
        fit()
    return (perf_counter() - start) / CALLS


def main() -> None:
    """Print the table."""
    print(f"SciPy {scipy.__version__}\n\n| fit | SciPy, µs | _minpack alone | patch_scipy |\n|---|---|---|---|")
    for name, fit in FITS.items():
        times: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, enter in WAYS.items():
                pyminpack.unpatch_scipy()
                enter()
                times[way].append(seconds(fit))
        ratios = [median(theirs / ours for theirs, ours in zip(times["SciPy"], times[way], strict=True))
                  for way in ("_minpack alone", "patch_scipy")]
        print(f"| {name} | {1e6 * median(times['SciPy']):.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} |")


if __name__ == "__main__":
    main()
