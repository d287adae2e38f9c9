"""What MINPACK's routines are called with: vectors, matrices, triangles and functions, ordinary and special.

Random ones are drawn from a generator that is handed in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from oracles.minpack_calls import Array, Integers, UserFunction

INF, NAN = np.inf, np.nan
HUGE, TINY, DENORMAL = np.finfo(float).max, np.finfo(float).tiny, 5e-324
RDWARF, RGIANT = 3.834e-20, 1.304e19  # MINPACK's bounds of what enorm squares unscaled; the upper one over n
EPSMCH = 2.22044604926e-16  # MINPACK's precision
BETWEEN = 2.220446049255e-16  # less than EPSMCH, more than 2**-52

SPECIAL = [0.0, -0.0, 1.0, -1.0, 3.0, DENORMAL, -TINY, HUGE, -HUGE, INF, -INF, NAN]

Random = np.random.Generator
Shape = int | tuple[int, int]


def magnitudes(low: int, high: int) -> Callable[[Random, Shape], Array]:
    """Random numbers of every decimal exponent from low to high."""
    return lambda rng, shape: rng.uniform(-10, 10, shape) * 10.0 ** rng.integers(low, high, shape)


def spiked(rng: Random, shape: Shape) -> Array:
    """Ordinary numbers, one or two of which are special."""
    values = rng.standard_normal(shape)
    values.flat[rng.integers(0, values.size, 2)] = rng.choice(SPECIAL, 2)
    return values


KINDS: dict[str, Callable[[Random, Shape], Array]] = {
    "ordinary": lambda rng, shape: rng.standard_normal(shape),
    "small integers": lambda rng, shape: rng.integers(-2, 3, shape).astype(float),
    "a few values": lambda rng, shape: rng.choice([-1.0, -0.0, 0.0, 1.0], shape),
    "some magnitudes": magnitudes(-12, 12),
    "all magnitudes": magnitudes(-323, 308),
    "about rdwarf": magnitudes(-23, -17),
    "about rgiant": magnitudes(15, 22),
    "denormal": magnitudes(-323, -308),
    "near overflow": magnitudes(300, 308),
    "spiked": spiked,
    "special": lambda rng, shape: rng.choice(SPECIAL, shape),
}

every_kind = pytest.mark.parametrize("kind", KINDS)

# enorm

NORMS: dict[str, list[float]] = {
    "empty": [],
    "one": [3.0],
    "one negative": [-3.0],
    "one zero": [0.0],
    "one negative zero": [-0.0],
    "one denormal": [DENORMAL],
    "one huge": [HUGE],
    "zeros": [0.0, -0.0, 0.0],
    "pythagorean": [3.0, -4.0],
    "denormals": [DENORMAL, 3 * DENORMAL, -7 * DENORMAL],
    "denormal and zero": [0.0, DENORMAL, 0.0],
    "the smallest normal": [TINY, TINY],
    "overflow of the norm": [HUGE, HUGE],
    "overflow of the squares": [1e200, -1e250, 1e300],
    "underflow of the squares": [1e-200, 1e-250, -1e-300],
    "rising": [1e-300, 1e-100, 1.0, 1e100, 1e300],
    "falling": [1e300, 1e100, 1.0, 1e-100, 1e-300],
    "equal large": [1e30, -1e30, 1e30],
    "equal small": [1e-30, -1e-30, 1e-30],
    "small ones beside a mid one": [1e-21, 1e-19, 1e-25],
    "small ones larger than the sum of mid squares": [3.8e-20, 3.835e-20],
    "mid ones beside a large one": [1e19, 1e10, 1.0, 1e-30],
    "many small ones beside a mid one": [2e-10] + 10000 * [3.8e-20],
    "at rdwarf": [RDWARF, 5e-21],
    "over rdwarf": [np.nextafter(RDWARF, 1), 5e-21],
    "under rdwarf": [np.nextafter(RDWARF, 0), 5e-21],
    "at rgiant over n": [RGIANT / 2, 3e17],
    "over rgiant over n": [np.nextafter(RGIANT / 2, INF), 3e17],
    "under rgiant over n": [np.nextafter(RGIANT / 2, 0), 3e17],
    "inf": [1.0, INF, 2.0],
    "minus inf first": [-INF, 1.0],
    "two infs": [INF, 1.0, INF],
    "nan": [1.0, NAN, 2.0],
    "nan first": [NAN, 1.0],
    "nan alone": [NAN],
    "nan and large": [1e30, NAN, 1e31],
    "nan and inf": [NAN, INF],
    "inf and nan": [INF, NAN],
    "nan and small": [1e-30, NAN, 1e-31],
}

# What enorm adds in different sums, or leaves out: drawn for a vector of length n.
RUNS: list[Callable[[Random, int, int], Array]] = [
    lambda rng, n, size: rng.standard_normal(size),
    lambda rng, n, size: rng.uniform(-RDWARF, RDWARF, size),
    lambda rng, n, size: rng.choice([-1.0, 1.0], size) * 10.0 ** rng.uniform(-23, -17, size),
    lambda rng, n, size: 10.0 ** rng.uniform(-320, 0, size),
    lambda rng, n, size: rng.uniform(0.5, 2, size) * RGIANT / n,
    lambda rng, n, size: rng.standard_normal(size) * 1e25,
    lambda rng, n, size: rng.choice([0.0, -0.0, RDWARF, np.nextafter(RDWARF, 1), RGIANT / n, DENORMAL], size),
    lambda rng, n, size: np.exp(-rng.uniform(20, 45, size)),
    lambda rng, n, size: rng.choice([1e-30, NAN, INF, 1e30], size, p=[0.9, 0.03, 0.03, 0.04]),
]


# qrfac


def vandermonde(m: int, n: int) -> Array:
    """Columns ever closer to dependence."""
    return np.linspace(0.1, 1, m)[:, np.newaxis] ** np.arange(n)


def almost_equal_columns(m: int, n: int) -> Array:
    """Each differs from the first in a row of its own: once that is gone, a norm is what one row says."""
    rng = np.random.default_rng(10)
    a = np.repeat(rng.standard_normal((m, 1)), n, axis=1)
    a[rng.permutation(m)[:n], np.arange(n)] += 1e-9 * rng.uniform(1, 2, n)
    return a


def few_columns(values: Array, m: int, n: int) -> Array:
    """Zeros of both signs, but for some columns."""
    a = np.where(np.arange(m * n).reshape(m, n) % 3, 0.0, -0.0)
    for k, value in enumerate(values):
        a[:, (5 * k + 3) % n] = value * np.cos(np.arange(m) * (k + 1))
    return a


MATRICES: dict[str, Array] = {
    "1 x 1": np.array([[2.0]]),
    "1 x 1 negative": np.array([[-2.0]]),
    "1 x 1 zero": np.array([[0.0]]),
    "1 x 1 negative zero": np.array([[-0.0]]),
    "1 x 1 nan": np.array([[NAN]]),
    "one column": np.array([[1.0], [2.0], [-3.0]]),
    "one row": np.array([[1.0, -3.0, 2.0]]),
    "wide": np.array([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 2.0]]),
    "identity": np.eye(4),
    "negative identity": -np.eye(4),
    "equal columns": np.ones((5, 4)),
    "equal norms": np.array([[1.0, 2.0, 3.0, 1.0], [2.0, 3.0, 1.0, 3.0], [3.0, 1.0, 2.0, 2.0]]),
    "opposite columns": np.array([[1.0, -1.0], [2.0, -2.0], [3.0, -3.0]]),
    "zeros": np.zeros((4, 3)),
    "negative zeros": -np.zeros((4, 3)),
    "zero column first": np.array([[0.0, 1.0, 2.0], [0.0, 3.0, 1.0], [0.0, 1.0, 1.0]]),
    "zero columns": np.array([[1.0, 0.0, 2.0, -0.0], [3.0, 0.0, 1.0, 0.0], [1.0, -0.0, 1.0, 0.0]]),
    "rank 1": np.outer([1.0, 2.0, 3.0, 4.0], [1.0, -1.0, 2.0]),
    "nearly dependent": vandermonde(12, 9),
    "almost equal columns": almost_equal_columns(150, 100),
    "equal columns of many rows": np.repeat(np.cos(np.arange(200.0))[:, np.newaxis], 3, axis=1),
    "unequal columns": np.diag([1e-150, 1e-5, 1e5, 1e150]) + 1e-160,
    "huge": HUGE * np.array([[0.5, 0.25], [0.5, -0.5], [0.1, 0.9]]),
    "denormal": DENORMAL * np.array([[3.0, 5.0], [7.0, 2.0], [1.0, 9.0]]),
    "nan": np.array([[1.0, 2.0, 3.0], [4.0, NAN, 1.0], [2.0, 2.0, 5.0]]),
    "nan column first": np.array([[NAN, 2.0, 3.0], [NAN, 5.0, 1.0], [NAN, 2.0, 5.0]]),
    "inf": np.array([[1.0, 2.0, 3.0], [4.0, INF, 1.0], [2.0, 2.0, 5.0]]),
    "zero column beside inf": np.array([[INF, 1.0, 0.0], [1.0, 2.0, 0.0]]),
    "inf and nan": np.array([[1.0, INF, 3.0], [4.0, 6.0, NAN], [2.0, 2.0, 5.0]]),
    # From 8 columns on, in panels.
    "many zeros": few_columns(np.array([]), 40, 19),
    "one column among zeros": few_columns(np.array([-2.0]), 40, 19),
    "three columns among zeros": few_columns(np.array([1.0, 3.0, 1e-200]), 40, 19),
    "many zeros beside inf": few_columns(np.array([1.0, INF]), 40, 19),
    "many zeros beside nan": few_columns(np.array([NAN, 2.0]), 40, 19),
    "many zeros beside overflow": few_columns(np.array([HUGE, HUGE]), 40, 19),
}

every_pivoting = pytest.mark.parametrize("pivot", [True, False], ids=["pivoted", "not pivoted"])


def make_dependent(rng: Random, a: Array) -> None:
    """Make some columns combinations, copies, zeros or near copies of others."""
    n = a.shape[1]
    for _ in range(rng.integers(0, n + 1)):
        i, j, k = rng.integers(0, n, 3)
        scale, noise = rng.choice([1.0, -1.0, 0.3]), rng.choice([0.0, 0.0, 1e-16, 1e-8])
        a[:, i] = scale * a[:, j] + noise * a[:, k] if rng.random() < 0.75 else 0.0


# qrsolv, lmpar and covar


def make_triangle(rng: Random, kind: str, n: int) -> Array:
    """R, often singular; what stands below the diagonal must not matter."""
    r = KINDS[kind](rng, (n, n))
    for j in rng.integers(0, n, rng.integers(0, 2) * 2):
        r[j, j] = rng.choice([0.0, -0.0])
    if rng.random() < 0.3:
        zeros = rng.integers(0, n)
        r[zeros:, zeros:] = 0
    return r


def make_regular(rng: Random, n: int) -> tuple[Array, Integers]:
    """A well-conditioned R over numbers that must not matter, and a permutation."""
    r = rng.uniform(-1, 1, (n, n))
    r[np.diag_indices(n)] = rng.choice([-1.0, 1.0], n) * rng.uniform(1, 3, n)
    r[np.tril_indices(n, -1)] = NAN
    return r, make_permutation(rng, n)


def make_permutation(rng: Random, n: int) -> Integers:
    return rng.permutation(n).astype(np.int32) + 1


SYSTEMS: dict[str, tuple[Any, ...]] = {  # r, ipvt, diag, qtb
    "1 x 1": ([[2.0]], [1], [3.0], [5.0]),
    "1 x 1 singular": ([[0.0]], [1], [3.0], [5.0]),
    "1 x 1 without D": ([[2.0]], [1], [0.0], [5.0]),
    "1 x 1 nothing": ([[0.0]], [1], [0.0], [5.0]),
    "1 x 1 negative zeros": ([[-0.0]], [1], [-0.0], [-0.0]),
    "permuted": ([[3.0, 1.0, 2.0], [9.0, 2.0, 1.0], [9.0, 9.0, 1.0]], [3, 1, 2], [1.0, 2.0, 3.0], [1.0, -1.0, 2.0]),
    "singular last": ([[3.0, 1.0, 2.0], [0.0, 2.0, 1.0], [0.0, 0.0, 0.0]], [3, 1, 2], [1.0, 2.0, 3.0], [1.0, 1.0, 2.0]),
    "singular first": ([[0.0, 1.0], [0.0, 2.0]], [2, 1], [1.0, 1.0], [1.0, 1.0]),
    "some of D zero": ([[0.0, 1.0], [0.0, 2.0]], [2, 1], [0.0, 1.0], [1.0, 1.0]),
    "no D at a singular R": ([[2.0, 1.0], [0.0, 0.0]], [1, 2], [0.0, 0.0], [1.0, 1.0]),
    "equal rotation": ([[1.0, 1.0], [0.0, 1.0]], [1, 2], [1.0, -1.0], [1.0, 1.0]),
    "no right-hand side": (np.eye(3), [2, 3, 1], [1.0, 2.0, 3.0], [0.0, -0.0, 0.0]),
    "underflow": (1e-200 * np.eye(2), [2, 1], [1.0, 1.0], [1e-200, 1e-200]),
    "overflow": (1e200 * np.eye(2), [2, 1], [1e200, 1e-200], [1e200, 1e200]),
    "nan in R": ([[1.0, NAN], [0.0, 1.0]], [1, 2], [1.0, 1.0], [1.0, 1.0]),
    "nan on the diagonal": ([[NAN, 1.0], [0.0, 1.0]], [1, 2], [1.0, 1.0], [1.0, 1.0]),
    "nan in D": (np.eye(2), [1, 2], [NAN, 1.0], [1.0, 1.0]),
    "nan in qtb": (np.eye(2), [1, 2], [1.0, 1.0], [1.0, NAN]),
    "inf in R": ([[1.0, INF], [0.0, 1.0]], [1, 2], [1.0, 1.0], [1.0, 1.0]),
    "inf in D": (np.eye(2), [1, 2], [1.0, INF], [1.0, 1.0]),
    "inf in qtb": (np.eye(2), [1, 2], [1.0, 1.0], [INF, 1.0]),
}
DELTAS = [1e-300, 1e-8, 0.1, 1.0, 10.0, 1e8, 1e300, 0.0, INF, NAN]
PARS = [0.0, -0.0, TINY, 1e-3, 1.0, 1e10, HUGE, INF, NAN]

every_system = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)


# fdjac2 and chkder

POINTS: dict[str, list[float]] = {
    "ordinary": [1.5, -2.5, 1e-3],
    "zeros": [0.0, 1.0, 0.0],
    "negative zeros": [-0.0, -0.0, 1.0],
    "the step underflows": [1e-320, -DENORMAL, TINY],
    "the step vanishes": [1e300, 1.0, 1e-300],
    "huge": [HUGE, -HUGE, 1.0],
    "inf": [INF, 1.0, -INF],
    "nan": [1.0, NAN, 1.0],
}

every_point = pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)


def cubic(x: ArrayLike) -> Array:
    """Five functions of three variables."""
    x0, x1, x2 = np.asarray(x)
    with np.errstate(all="ignore"):
        return np.array([x0 * x1, x1**3 - x2, x0 + x1 + x2, x2 * x0**2, 1 / x1])


def cubic_jacobian(x: ArrayLike) -> Array:
    x0, x1, x2 = np.asarray(x)
    with np.errstate(all="ignore"):
        return np.array([[x1, x0, 0], [0, 3 * x1**2, -1], [1, 1, 1], [2 * x0 * x2, 0, x0**2], [0, -1 / x1**2, 0]])


# lmdif and lmder


def make_functions(seed: int, m: int, n: int) -> tuple[UserFunction, UserFunction]:
    """Random nonlinear residuals and their Jacobian, which from some call on may answer with special numbers."""
    rng = np.random.default_rng(seed)
    a, b, curvature = rng.standard_normal((m, n)), rng.standard_normal(m), rng.choice([0.0, 0.1, 1.0, 10.0])
    a *= 10.0 ** rng.integers(-3, 4, n) if rng.random() < 0.3 else 1.0
    if rng.random() < 0.3:
        make_dependent(rng, a)
    if rng.random() < 0.2:
        a *= rng.choice([1e-160, 1e150])
    first, last = sorted(rng.integers(1, 40, 2))
    spoilt, deaf = rng.random(2) < (0.7, 0.3)
    calls = itertools.count(1)

    def spoil(values: Array) -> Array:
        if spoilt and first <= next(calls) <= last:
            values.flat[rng.integers(0, values.size, 2)] = rng.choice(SPECIAL, 2)
        return values

    def hear(x: Array) -> Array:
        """x, or something finite: a deaf function does not answer NaN to NaN, and the solver goes on."""
        return np.nan_to_num(x, nan=0.5, posinf=1, neginf=-1) if deaf else x

    def residuals(x: Array) -> Array:
        x = hear(x)
        with np.errstate(all="ignore"):
            return spoil((a * (x + curvature * np.sin(x))).sum(axis=1) - b)

    def jacobian(x: Array) -> Array:
        x = hear(x)
        with np.errstate(all="ignore"):
            return spoil(a * (1 + curvature * np.cos(x)))

    return residuals, jacobian


@dataclass(frozen=True)
class RandomFit:
    """A fit of make_functions: m residuals from x, with options of lmder; lmdif has them all, too."""

    seed: int
    m: int
    x: Array
    options: dict[str, Any]

    def functions(self) -> tuple[UserFunction, UserFunction]:
        """New ones, which count their calls from the first."""
        return make_functions(self.seed, self.m, self.x.size)


def random_fit(seed: int) -> RandomFit:
    rng = np.random.default_rng([7, seed])
    n = int(rng.integers(1, 6))
    m = n + int(rng.integers(0, 6))
    x = rng.choice([0.0, 1.0], n) * rng.standard_normal(n)
    return RandomFit(seed, m, x, {
        "maxfev": 60, "ftol": rng.choice([0.0, 1e-8]), "xtol": rng.choice([0.0, 1e-8]),
        "gtol": rng.choice([0.0, 1e-3]), "factor": rng.choice([0.1, 1.0, 100.0]),
        "diag": rng.uniform(0.1, 10, n) if rng.random() < 0.3 else None,
    })
