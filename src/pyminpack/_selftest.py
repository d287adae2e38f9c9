"""`python -m pyminpack --selftest`: check for MINPACK's bits on each instruction set of this installation.

_selftest.json has the expected results of every call, to the bit, recorded from libminpack1. The problems are from
Moré, Garbow and Hillstrom, *Testing Unconstrained Optimization Software*, ACM TOMS 7(1), 1981, whose formulas need only
``+ - * /`` and a square root. By IEEE 754 these round the same everywhere, unlike exp or ``x**2``. They are computed
with Python's own floats, in `rounding_once`.
"""

from __future__ import annotations

import ctypes
import json
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyminpack import _minpack, kernels, leastsq
from pyminpack._config import CONFIG

RECORDED = Path(__file__).with_name("_selftest.json")
Numbers = list[Any]  # floats, or Duals
Residuals = Callable[[Numbers], Numbers]

OUTPUTS = {
    "enorm": ["norm"],
    "qrfac": ["a", "ipvt", "rdiag", "acnorm"],
    "qrsolv": ["r", "x", "sdiag"],
    "lmpar": ["par", "x"],
    "fdjac2": ["fjac"],
    "chkder": ["xp"],
    "lmdif": ["x", "ipvt", "qtf", "nfev", "info"],
    "lmder": ["x", "ipvt", "qtf", "nfev", "njev", "info"],
}


class Case(NamedTuple):
    """One call of a routine."""

    name: str
    routine: str  # MINPACK's, of OUTPUTS
    arguments: tuple[Any, ...]  # of pyminpack.kernels; lmdif: func, x0; lmder: func, Dfun, x0


class Dual:
    """A number with its derivatives with respect to each variable, for + - * and /."""

    def __init__(self, value: float, slopes: list[float]) -> None:
        self.value, self.slopes = value, slopes

    def __neg__(self) -> Dual:
        return Dual(-self.value, [-s for s in self.slopes])

    def __add__(self, other: Any) -> Dual:
        if not isinstance(other, Dual):
            return Dual(self.value + other, self.slopes)
        return Dual(self.value + other.value, [s + t for s, t in zip(self.slopes, other.slopes, strict=True)])

    def __sub__(self, other: Any) -> Dual:
        return self.__add__(-other)

    def __rsub__(self, other: float) -> Dual:
        return -self + other

    def __mul__(self, other: Any) -> Dual:
        if not isinstance(other, Dual):
            return Dual(self.value * other, [s * other for s in self.slopes])
        slopes = [s * other.value + t * self.value for s, t in zip(self.slopes, other.slopes, strict=True)]
        return Dual(self.value * other.value, slopes)

    def __truediv__(self, other: Any) -> Dual:
        if not isinstance(other, Dual):
            return Dual(self.value / other, [s / other for s in self.slopes])
        ratio = self.value / other.value
        return Dual(ratio, [(s - t * ratio) / other.value for s, t in zip(self.slopes, other.slopes, strict=True)])

    def __rtruediv__(self, other: float) -> Dual:
        return Dual(other, [0.0 for _ in self.slopes]) / self

    __radd__, __rmul__ = __add__, __mul__


def func_of(residuals: Residuals) -> Callable[[Any], list[float]]:
    """The residuals as leastsq calls them."""
    return lambda x: residuals(x.tolist())


def Dfun_of(residuals: Residuals) -> Callable[[Any], list[list[float]]]:
    """Their Jacobian."""

    def Dfun(x: Any) -> list[list[float]]:
        units = np.eye(x.size).tolist()
        return [r.slopes for r in residuals([Dual(*pair) for pair in zip(x.tolist(), units, strict=True)])]

    return Dfun


def total(terms: Iterable[Any]) -> Any:
    """The sum term by term; Python's own is more exact from 3.12 on."""
    result: Any = 0.0
    for term in terms:
        result = result + term
    return result


def linear_full_rank(x: Numbers) -> Numbers:
    mean = total(x) * 2.0 / 10.0
    return [x[i] - mean - 1.0 if i < len(x) else -mean - 1.0 for i in range(10)]


def linear_rank_1(x: Numbers) -> Numbers:
    product = total(j * x_j for j, x_j in enumerate(x, 1))
    return [i * product - 1.0 for i in range(1, 11)]


def rosenbrock(x: Numbers) -> Numbers:
    return [10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]]


def powell_singular(x: Numbers) -> Numbers:
    a, b = x[1] - 2.0 * x[2], x[0] - x[3]
    return [x[0] + 10.0 * x[1], sqrt(5.0) * (x[2] - x[3]), a * a, sqrt(10.0) * b * b]


def freudenstein_roth(x: Numbers) -> Numbers:
    return [-13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1], -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1]]


def bard(x: Numbers) -> Numbers:
    y = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
    return [y[i - 1] - (x[0] + i / ((16 - i) * x[1] + min(i, 16 - i) * x[2])) for i in range(1, 16)]


def kowalik_osborne(x: Numbers) -> Numbers:
    y = [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
    u = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]
    return [y_i - x[0] * (u_i * (u_i + x[1])) / (u_i * (u_i + x[2]) + x[3]) for y_i, u_i in zip(y, u, strict=True)]


def watson(x: Numbers) -> Numbers:
    residuals = []
    for i in range(1, 30):
        p: Any = 0.0 * x[0]
        slope = p
        for x_j in reversed(x):
            slope = slope * (i / 29) + p
            p = p * (i / 29) + x_j
        residuals.append(slope - p * p - 1.0)
    return [*residuals, x[0] * 1.0, x[1] - x[0] * x[0] - 1.0]


def chebyquad(x: Numbers) -> Numbers:
    y = [2.0 * x_j - 1.0 for x_j in x]
    before: Numbers = [1.0 for _ in x]
    now, residuals = y, []
    for i in range(1, len(x) + 1):
        residuals.append(total(now) / len(x) + (0.0 if i % 2 else 1.0 / (i * i - 1)))
        before, now = now, [2.0 * a * b - c for a, b, c in zip(y, now, before, strict=True)]
    return residuals


def brown_almost_linear(x: Numbers) -> Numbers:
    product: Any = 1.0
    for x_j in x:
        product = product * x_j
    distance = total(x) - (len(x) + 1.0)
    return [*(x_j + distance for x_j in x[:-1]), product - 1.0]


PROBLEMS: list[tuple[Residuals, list[float]]] = [
    (linear_full_rank, 5 * [1.0]),
    (linear_rank_1, 5 * [1.0]),
    (rosenbrock, [-1.2, 1.0]),
    (powell_singular, [3.0, -1.0, 0.0, 1.0]),
    (freudenstein_roth, [0.5, -2.0]),
    (bard, 3 * [1.0]),
    (kowalik_osborne, [0.25, 0.39, 0.415, 0.39]),
    (watson, 6 * [0.0]),
    (watson, 20 * [0.0]),
    (chebyquad, [j / 9 for j in range(1, 9)]),
    (brown_almost_linear, 10 * [0.5]),
]


def scaled(residuals: Residuals, scale: float) -> Residuals:
    """The residuals in another unit."""
    return lambda x: [scale * r for r in residuals(x)]


def random_numbers(count: int, seed: int) -> list[float]:
    """Numbers between -1 and 1, from Lehmer's generator."""
    numbers = []
    for _ in range(count):
        seed = seed * 16807 % 2147483647
        numbers.append(seed / 2**30 - 1.0)
    return numbers


def matrix(numbers: list[float], n: int) -> list[list[float]]:
    """A matrix with n columns."""
    return [numbers[start : start + n] for start in range(0, len(numbers), n)]


VECTORS = {
    "ordinary": random_numbers(20, 1),
    "large": [1e30 * x for x in random_numbers(5, 2)],
    "small": [1e-30 * x for x in random_numbers(5, 3)],
    "of all sizes": [1e-300, 1e-100, 3.8e-20, 1e-5, 1.0, 1e10, 1.304e19, 1e100],
    "denormal": [5e-324, -15e-324, 35e-324],
    "too large": [1.7e308, 1.7e308],
    "nan": [1.0, float("nan"), 2.0],
}
MATRICES = {
    "5 x 3": matrix(random_numbers(15, 4), 3),
    "11 x 9": matrix(random_numbers(99, 5), 9),
    "of equal columns": [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [3.0, 3.0, 3.0]],
    "of tiny and huge": [[1e-200, 3e-200, 1e200], [2e-200, 1e-200, 3e200], [5e-200, 2e-200, -1e200]],
    "with nan": [[1.0, 2.0], [float("nan"), 4.0], [5.0, 7.0]],
}
SYSTEMS = {
    "of 2": ([[3.0, 1.0], [0.0, 2.0]], [2, 1], [1.0, 2.0], [5.0, 4.0]),
    "singular": ([[3.0, 1.0, 2.0], [0.0, 2.0, 1.0], [0.0, 0.0, 0.0]], [3, 1, 2], [1.0, 2.0, 3.0], [1.0, 1.0, 2.0]),
    "of 5": (matrix(random_numbers(25, 6), 5), [2, 4, 1, 3, 5], [1.0, 0.5, 3.0, 0.1, 7.0], random_numbers(5, 7)),
}


def cases() -> Iterator[Case]:
    """All calls; their names are unique."""
    for name, vector in VECTORS.items():
        yield Case(f"enorm {name}", "enorm", (vector,))
    for name, rows in MATRICES.items():
        yield Case(f"qrfac {name}", "qrfac", (rows,))
    for name, system in SYSTEMS.items():
        yield Case(f"qrsolv {name}", "qrsolv", system)
        for delta in (0.01, 0.5):
            yield Case(f"lmpar {name}, delta {delta}", "lmpar", (*system, delta))
    point = [1.5, -2.5, 0.0, 1e-3]
    yield Case("fdjac2", "fdjac2", (func_of(powell_singular), point, powell_singular(point)))
    yield Case("chkder", "chkder", (point,))
    for residuals, x0 in PROBLEMS:
        name = f"{residuals.__name__}, n = {len(x0)}"
        yield Case(f"lmdif {name}", "lmdif", (func_of(residuals), x0))
        yield Case(f"lmder {name}", "lmder", (func_of(residuals), Dfun_of(residuals), [10.0 * x or 10.0 for x in x0]))
    for scale in (1e-160, 1e150):
        residuals = scaled(bard, scale)
        yield Case(f"lmder bard in units of {scale}", "lmder", (func_of(residuals), Dfun_of(residuals), 3 * [1.0]))


@contextmanager
def rounding_once() -> Iterator[None]:
    """Round floats directly to double on the x87 of a 32-bit x86, which otherwise rounds to 64 bits first.

    NumPy's float64 are affected, too, unless NumPy was built with SSE2. libc's fenv_t begins with the control word.
    """
    if 1.0 + float.fromhex("0x1.00002p-53") > 1.0:
        yield
        return
    libc = ctypes.CDLL(None)
    before, within = (ctypes.c_uint16 * 32)(), (ctypes.c_uint16 * 32)()
    for environment in (before, within):
        libc.fegetenv(environment)
    within[0] = within[0] & ~0x300 | 0x200  # a significand of 53 bits
    libc.fesetenv(within)
    try:
        yield
    finally:
        libc.fesetenv(before)


def call(case: Case, solver: kernels.Solver) -> dict[str, Any]:
    """The outputs of a call."""
    if case.routine in kernels.__all__:
        result = getattr(kernels, case.routine)(*case.arguments, solver=solver)
        return {name: getattr(result, name, result) for name in OUTPUTS[case.routine]}
    func, *Dfun, x0 = case.arguments
    x, _, infodict, _, ier = leastsq(func, x0, Dfun=Dfun[0] if Dfun else None, full_output=True, solver=solver)
    found = {"x": x, "info": ier, **infodict}
    return {name: found[name] for name in OUTPUTS[case.routine]}


def bits(output: Any) -> str:
    """Numbers as text that differs if their bits do; all NaNs are equal."""
    return " ".join(float(number).hex() for number in np.ravel(output))


def complaint(case: Case, solver: kernels.Solver, recorded: dict[str, str]) -> str | None:
    """What is wrong with a call, if anything."""
    try:
        outputs = call(case, solver)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    for name, output in outputs.items():
        ours, theirs = bits(output).split(), recorded[name].split()
        for place, pair in enumerate(zip(ours, theirs, strict=False)):
            if pair[0] != pair[1]:
                return f"{name}[{place}] is {pair[0]}, MINPACK's {pair[1]}"
        if len(ours) != len(theirs):
            return f"{name} has {len(ours)} numbers, MINPACK's {len(theirs)}"
    return None


@rounding_once()
def run() -> int:
    """Compare every call with its record, print the differences and a summary line, and return the exit status."""
    start = time.perf_counter()
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    before = _minpack.instruction_set_in_use()
    ways: list[tuple[kernels.Solver, str]] = [("builtin", name) for name in _minpack.instruction_sets()]
    if "original" in _minpack.solvers():
        ways.append(("original", before))
    wrong = calls = 0
    try:
        for solver, instruction_set in ways:
            _minpack.use_instruction_set(instruction_set)
            for case in cases():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    text = complaint(case, solver, recorded[case.name])
                calls += 1
                if text is not None:
                    wrong += 1
                    print(f"{case.name}, {solver} solver, {instruction_set}: {text}")
    finally:
        _minpack.use_instruction_set(before)
    seconds = time.perf_counter() - start
    on = ", ".join(instruction_set if solver == "builtin" else f"{solver} solver" for solver, instruction_set in ways)
    if wrong:
        print(f"FAILED: {wrong} of {calls} calls do not have MINPACK's bits; see python -m pyminpack --info")
        return 1
    print(f"pyminpack {CONFIG['version']}: {calls} calls have MINPACK's bits ({on}); {seconds:.1f} s")
    return 0
