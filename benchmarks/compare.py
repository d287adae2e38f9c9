"""Times of pyminpack.leastsq against SciPy 1.14.1's and libminpack1, on one machine in one run.

The three take turns, so that what else the machine does falls on all alike; each row is checked for equal bits first.
libminpack1 is called through ctypes: where func is cheap its column is mostly the price of those call-backs.
`./dev bench` runs it, with tests/ on the path and one thread for all.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

import libminpack
import pyminpack

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A fit, and what leastsq is given besides func and x0."""

    name: str
    residuals: Callable[[Array], Array]
    x0: Array
    jacobian: Callable[[Array], Array] | None = None


def exponential() -> Case:
    """amplitude*exp(-rate*t) + offset on 50 points."""
    t = np.linspace(0, 1, 50)
    y = 2 * np.exp(-t) + 1
    return Case("exponential, 50 x 3", lambda p: p[0] * np.exp(-p[1] * t) + p[2] - y, np.array([1.0, 2.0, 3.0]))


def rosenbrock() -> Case:
    """Rosenbrock's valley from its usual start."""
    return Case("Rosenbrock, 2 x 2", lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.array([-1.2, 1.0]))


def dense(m: int, n: int) -> Case:
    """A mildly nonlinear dense problem with its Jacobian."""
    rng = np.random.default_rng(m + n)
    matrix, y = rng.standard_normal((m, n)), rng.standard_normal(m)

    def residuals(x: Array) -> Array:
        z = matrix @ x
        return z + 0.01 * z**2 - y

    def jacobian(x: Array) -> Array:
        return (1 + 0.02 * (matrix @ x))[:, None] * matrix

    return Case(f"dense with Dfun, {m} x {n}", residuals, np.zeros(n), jacobian)


CASES = [exponential(), rosenbrock(), dense(1000, 100)]


def solvers(case: Case) -> dict[str, Callable[[], Array]]:
    """The contestants, each a call that returns x."""
    m = case.residuals(case.x0).size

    def original() -> Array:
        if case.jacobian is None:
            return libminpack.lmdif(case.residuals, case.x0, m).x
        return libminpack.lmder(case.residuals, case.jacobian, case.x0, m).x

    return {
        "pyminpack": lambda: pyminpack.leastsq(case.residuals, case.x0, Dfun=case.jacobian)[0],
        "SciPy": lambda: scipy.optimize.leastsq(case.residuals, case.x0, Dfun=case.jacobian)[0],
        "libminpack1": original,
    }


def interleaved(calls: dict[str, Callable[[], Array]], seconds: float) -> dict[str, list[float]]:
    """Times of each call, one of each in turn, for about so many seconds; at least 7 rounds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["pyminpack"]) < 7:
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return times


def peak_memory(package: str, m: int, n: int) -> float:
    """MB that a solve of m x n by forward differences adds to the peak of a fresh process."""
    child = f"""
import resource, numpy as np, scipy.optimize, pyminpack
rows = np.arange({m}) / {m}
powers = np.arange({n})
def residuals(x):
    f = np.zeros({m})
    for xj, power in zip(x, powers):
        f += xj * np.cos(power * rows)
    return f - rows
residuals(np.ones({n}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{package}.leastsq(residuals, np.zeros({n}), full_output=True)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    return float(subprocess.run([sys.executable, "-c", child], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print the table."""
    print(f"median of interleaved runs, one thread; NumPy {np.__version__}, SciPy {scipy.__version__}")
    print(f"{'':26} {'pyminpack':>12} {'SciPy':>14} {'libminpack1':>14}")
    for case in CASES:
        calls = solvers(case)
        solutions = [call().tobytes() for call in calls.values()]
        assert solutions.count(solutions[0]) == len(solutions), f"{case.name}: bits differ"
        medians = {name: statistics.median(times) for name, times in interleaved(calls, 5).items()}
        ours = medians.pop("pyminpack")
        others = " ".join(f"{median / ours:10.2f} x ours" [:16].rjust(14) for median in medians.values())
        print(f"{case.name:26} {ours * 1e6:9.1f} us {others}")
    m, n = 100_000, 20
    ours, scipys = peak_memory("pyminpack", m, n), peak_memory("scipy.optimize", m, n)
    print(f"{f'peak memory, {m} x {n}':26} {ours:9.1f} MB {scipys / ours:8.2f} x ours")


if __name__ == "__main__":
    main()
