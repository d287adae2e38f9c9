"""Each routine of our solver against the original's: the same bits, whatever the input.

Random cases come from fixed seeds. libminpack.so.1 does not export covar (nm -D), so rational arithmetic is its oracle.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import ArrayLike

from helpers.bits import assert_same_bits, assert_same_outputs
from helpers.c_face import c_face
from oracles.libminpack import libminpack
from oracles.minpack_calls import UNTOUCHED, Array, Check, Integers, Solution, UserFunction

pytestmark = pytest.mark.usefixtures("every_instruction_set")

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


def assert_agree(routine: str, *arguments: Any, **options: Any) -> None:
    """Our routine and the original's give the same bits in every output."""
    __tracebackhide__ = True
    actual, expected = (getattr(library, routine)(*arguments, **options) for library in (c_face, libminpack))
    assert_same_outputs(vars(actual), expected)


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


@pytest.mark.parametrize("x", NORMS.values(), ids=NORMS)
def test_enorm_equals_the_original(x):
    assert_same_bits(c_face.enorm(x), libminpack.enorm(x))


@every_kind
def test_enorm_of_random_vectors_equals_the_original(kind):
    rng = np.random.default_rng(1)
    for case in range(400):
        x = KINDS[kind](rng, int(rng.integers(1, 40 if case < 300 else 1000)))
        assert_same_bits(c_face.enorm(x), libminpack.enorm(x), f"case {case}, {x!r}")


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


@pytest.mark.parametrize("length", [20, 200, 1000])
def test_enorm_of_runs_of_every_kind_of_component_equals_the_original(length):
    rng = np.random.default_rng(length)
    for case in range(1500):
        n = int(rng.integers(1, length))
        cuts = np.sort(rng.integers(0, n + 1, rng.integers(0, 5)))
        x = np.concatenate([RUNS[rng.integers(len(RUNS))](rng, n, run.size) for run in np.split(np.zeros(n), cuts)])
        assert_same_bits(c_face.enorm(x), libminpack.enorm(x), f"case {case}, {x!r}")


@pytest.mark.parametrize("scale", [1.0, 1e-19])
@pytest.mark.parametrize("odd", [0.0, DENORMAL, 1e-30, 3e-20, RDWARF, 1e18, 1e30, INF, NAN])
def test_enorm_of_a_long_vector_notices_an_odd_component_wherever_it_is(odd, scale):
    for at in range(600):
        x = scale * np.random.default_rng(at).uniform(1, 2, 600)
        x[at] = odd
        assert_same_bits(c_face.enorm(x), libminpack.enorm(x), f"component {at}")


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
    "unequal columns": np.diag([1e-150, 1e-5, 1e5, 1e150]) + 1e-160,
    "huge": HUGE * np.array([[0.5, 0.25], [0.5, -0.5], [0.1, 0.9]]),
    "denormal": DENORMAL * np.array([[3.0, 5.0], [7.0, 2.0], [1.0, 9.0]]),
    "nan": np.array([[1.0, 2.0, 3.0], [4.0, NAN, 1.0], [2.0, 2.0, 5.0]]),
    "nan column first": np.array([[NAN, 2.0, 3.0], [NAN, 5.0, 1.0], [NAN, 2.0, 5.0]]),
    "inf": np.array([[1.0, 2.0, 3.0], [4.0, INF, 1.0], [2.0, 2.0, 5.0]]),
    "zero column beside inf": np.array([[INF, 1.0, 0.0], [1.0, 2.0, 0.0]]),
    "inf and nan": np.array([[1.0, INF, 3.0], [4.0, 6.0, NAN], [2.0, 2.0, 5.0]]),
}

every_pivoting = pytest.mark.parametrize("pivot", [True, False], ids=["pivoted", "not pivoted"])


@pytest.mark.parametrize("padding", [0, 3])
@every_pivoting
@pytest.mark.parametrize("a", MATRICES.values(), ids=MATRICES)
def test_qrfac_equals_the_original(a, pivot, padding):
    assert_agree("qrfac", a, pivot=pivot, padding=padding)


def make_dependent(rng: Random, a: Array) -> None:
    """Make some columns combinations, copies, zeros or near copies of others."""
    n = a.shape[1]
    for _ in range(rng.integers(0, n + 1)):
        i, j, k = rng.integers(0, n, 3)
        scale, noise = rng.choice([1.0, -1.0, 0.3]), rng.choice([0.0, 0.0, 1e-16, 1e-8])
        a[:, i] = scale * a[:, j] + noise * a[:, k] if rng.random() < 0.75 else 0.0


@every_pivoting
@every_kind
def test_qrfac_of_random_matrices_equals_the_original(kind, pivot):
    rng = np.random.default_rng(2)
    for _ in range(200):
        a = KINDS[kind](rng, tuple(rng.integers(1, 14, 2)))
        with np.errstate(all="ignore"):
            make_dependent(rng, a)
        assert_agree("qrfac", a, pivot=pivot, padding=int(rng.integers(0, 3)))


@every_pivoting
@every_kind
@pytest.mark.parametrize(
    ("m", "n"), [(8, 8), (17, 8), (40, 9), (33, 16), (16, 33), (50, 17), (64, 31), (300, 24), (600, 8)]
)
def test_qrfac_of_larger_matrices_equals_the_original(m, n, kind, pivot):
    rng = np.random.default_rng(3)
    for dependent in (False, True):
        a = KINDS[kind](rng, (m, n))
        if dependent:
            with np.errstate(all="ignore"):
                make_dependent(rng, a)
        assert_agree("qrfac", a, pivot=pivot)


def test_qrfac_renews_norms_by_twelve_digits_of_the_precision():
    """Columns fall, in the first step, to sqrt(20 EPSMCH) of their norm, to rounding.

    Between 2**-52 and EPSMCH the last bits decide whether a norm is renewed, and that the next pivot.
    """
    rng = np.random.default_rng(9)
    for _ in range(100):
        rest = rng.standard_normal((10, 3))
        rest *= np.sqrt(20 * 2.0**-52 * rng.uniform(0.99, 1.01, 3)) / np.linalg.norm(rest, axis=0)
        columns = rng.uniform(0.9, 0.901, 3) * np.vstack([np.sqrt(1 - np.sum(rest**2, axis=0)), rest])
        assert_agree("qrfac", np.column_stack([np.eye(11)[0], columns]))


# qrsolv and lmpar


def make_triangle(rng: Random, kind: str, n: int) -> Array:
    """R, often singular; what stands below the diagonal must not matter."""
    r = KINDS[kind](rng, (n, n))
    for j in rng.integers(0, n, rng.integers(0, 2) * 2):
        r[j, j] = rng.choice([0.0, -0.0])
    if rng.random() < 0.3:
        zeros = rng.integers(0, n)
        r[zeros:, zeros:] = 0
    return r


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


@pytest.mark.parametrize("padding", [0, 2])
@every_system
def test_qrsolv_equals_the_original(system, padding):
    assert_agree("qrsolv", *system, padding=padding)


@every_kind
def test_qrsolv_of_random_systems_equals_the_original(kind):
    rng = np.random.default_rng(4)
    for _ in range(400):
        n = int(rng.integers(1, 10))
        diag = np.where(rng.random(n) < 0.2, 0.0, KINDS[kind](rng, n))
        assert_agree("qrsolv", make_triangle(rng, kind, n), make_permutation(rng, n), diag, KINDS[kind](rng, n),
                     padding=int(rng.integers(0, 3)))


@every_system
def test_lmpar_equals_the_original(system):
    for delta, par in itertools.product(DELTAS, PARS):
        assert_agree("lmpar", *system, delta, par)


@every_kind
def test_lmpar_of_random_systems_equals_the_original(kind):
    rng = np.random.default_rng(5)
    for _ in range(300):
        n = int(rng.integers(1, 10))
        diag = np.abs(KINDS[kind](rng, n))
        diag[diag == 0] = 1
        qtb = KINDS[kind](rng, n)
        delta = rng.choice(DELTAS) if rng.random() < 0.2 else np.linalg.norm(diag) * 10 ** rng.uniform(-4, 4)
        par = rng.choice([*PARS, 10 ** rng.uniform(-5, 5)])
        assert_agree("lmpar", make_triangle(rng, kind, n), make_permutation(rng, n), diag, qtb, float(delta),
                     float(par), padding=int(rng.integers(0, 3)))


# fdjac2

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


def cubic(x: ArrayLike) -> Array:
    """Five functions of three variables."""
    x0, x1, x2 = np.asarray(x)
    with np.errstate(all="ignore"):
        return np.array([x0 * x1, x1**3 - x2, x0 + x1 + x2, x2 * x0**2, 1 / x1])


def cubic_jacobian(x: ArrayLike) -> Array:
    x0, x1, x2 = np.asarray(x)
    with np.errstate(all="ignore"):
        return np.array([[x1, x0, 0], [0, 3 * x1**2, -1], [1, 1, 1], [2 * x0 * x2, 0, x0**2], [0, -1 / x1**2, 0]])


every_point = pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)


@pytest.mark.parametrize("padding", [0, 4])
@pytest.mark.parametrize("epsfcn", [0.0, -1.0, 1e-16, BETWEEN, 1e-12, 1e-4, 1.0, 1e300, INF, NAN])
@every_point
def test_fdjac2_equals_the_original(x, epsfcn, padding):
    assert_agree("fdjac2", cubic, x, cubic(x), epsfcn, padding=padding)


def unanswered(at: int, iflag: int) -> UserFunction:
    """cubic, but call number `at` answers with an iflag alone."""
    calls = itertools.count(1)
    return lambda x: iflag if next(calls) == at else cubic(x)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_stop_in_fdjac2_leaves_the_original_outputs(at):
    x = np.array([1.0, 2.0, 3.0])
    for library in (c_face, libminpack):
        actual = library.fdjac2(unanswered(at, -9), x, cubic(x))
        assert actual.iflag == -9
        assert actual.points.shape == (at, 3)
        assert_same_bits(actual.x, actual.points[-1])  # the stopped variable stays stepped
        assert_same_bits(actual.fjac[:, :at - 1], libminpack.fdjac2(cubic, x, cubic(x)).fjac[:, :at - 1])
        assert np.all(actual.fjac[:, at - 1:] == UNTOUCHED)


def test_a_positive_answer_does_not_stop_fdjac2():
    x = [1.0, 2.0, 3.0]
    for at in (1, 2, 3):
        ours, theirs = (library.fdjac2(unanswered(at, 5), x, cubic(x)) for library in (c_face, libminpack))
        assert len(ours.points) == 3
        assert_same_outputs(vars(ours), theirs)


# chkder


def neighbour(library: Any, x: ArrayLike) -> Array:
    """Mode 1 of chkder, for five functions."""
    check: Check = library.chkder(x, np.zeros(5), np.zeros((5, 3)), np.zeros(5), mode=1)
    return check.xp


@every_point
def test_chkder_finds_the_original_neighbour(x):
    assert_same_bits(neighbour(c_face, x), neighbour(libminpack, x))


@every_point
@pytest.mark.parametrize("error", [0.0, 1e-8, 1e-7, 1e-5, 1.0, INF, NAN])
def test_chkder_grades_as_the_original(x, error):
    """Derivatives with a relative error: from 1 by a logarithm to 0."""
    xp = neighbour(libminpack, x)
    with np.errstate(all="ignore"):
        fjac = cubic_jacobian(x) * (1 + error)
    assert_agree("chkder", x, cubic(x), fjac, cubic(xp), mode=2, padding=2)


def test_chkder_grades_errors_at_its_step_as_the_original():
    """Relative errors of one step, sqrt(EPSMCH), to rounding: from there on the grade is 0."""
    fvecp = np.arange(2.0, 40.0)
    fvec, total = np.ones_like(fvecp), 1 + fvecp
    fjac = ((fvecp - 1) / np.sqrt(EPSMCH) - total)[:, np.newaxis]
    assert_agree("chkder", [1.0], fvec, fjac, fvecp, mode=2)


def test_chkder_tells_right_from_wrong():
    x = np.array([1.5, 2.5, 0.5])
    fvec, fvecp, fjac = cubic(x), cubic(neighbour(c_face, x)), cubic_jacobian(x)
    assert np.all(c_face.chkder(x, fvec, fjac, fvecp, mode=2).err > 0.9)
    assert np.all(c_face.chkder(x, fvec, 10 * fjac, fvecp, mode=2).err == 0)


@every_kind
def test_chkder_of_random_functions_equals_the_original(kind):
    rng = np.random.default_rng(6)
    for _ in range(200):
        m, n = map(int, rng.integers(1, 8, 2))
        x, fvec, fjac = (KINDS[kind](rng, shape) for shape in (n, m, (m, n)))
        with np.errstate(all="ignore"):
            fvecp = fvec * (1 + rng.choice([0.0, 1e-14, 1e-8, 0.5]) * rng.standard_normal(m))
        for mode in (1, 2):
            assert_agree("chkder", x, fvec, fjac, fvecp, mode=mode)


# lmdif and lmder beyond the problems of test_mgh

IMPROPER: dict[str, tuple[int, dict[str, Any]]] = {  # m for three variables, options
    "m < n": (2, {}),
    "ldfjac < m": (5, {"padding": -1}),
    "negative ftol": (5, {"ftol": -1e-300}),
    "negative xtol": (5, {"xtol": -1.0}),
    "negative gtol": (5, {"gtol": -INF}),
    "no calls": (5, {"maxfev": 0}),
    "negative calls": (5, {"maxfev": -1}),
    "no factor": (5, {"factor": 0.0}),
    "negative factor": (5, {"factor": -1.0}),
    "zero scaling": (5, {"diag": [1.0, 2.0, 0.0]}),
    "negative scaling": (5, {"diag": [-1.0, 2.0, 3.0]}),
}
STRANGE: dict[str, dict[str, Any]] = {
    "one call": {"maxfev": 1},
    "two calls": {"maxfev": 2},
    "negative zeros": {"ftol": -0.0, "xtol": -0.0, "gtol": -0.0},
    "inf ftol": {"ftol": INF},
    "inf xtol": {"xtol": INF},
    "inf gtol": {"gtol": INF},
    "nan ftol": {"ftol": NAN},
    "nan xtol": {"xtol": NAN},
    "nan gtol": {"gtol": NAN},
    "nan epsfcn": {"epsfcn": NAN},
    "huge factor": {"factor": 1e300},
    "inf factor": {"factor": INF},
    "tiny factor": {"factor": 1e-300},
    "nan factor": {"factor": NAN},
    "nan scaling": {"diag": [1.0, NAN, 1.0]},
    "inf scaling": {"diag": [1.0, 2.0, INF]},
    "unequal scaling": {"diag": [1e-200, 1.0, 1e200]},
    "padded": {"padding": 3},
}

every_driver = pytest.mark.parametrize("driver", ["lmdif", "lmder"])


def run(library: Any, driver: str, residuals: UserFunction, jacobian: UserFunction, *arguments: Any,
        **options: Any) -> Solution:
    """lmdif or lmder with the functions and options that it takes."""
    if driver == "lmder":
        options.pop("epsfcn", None)
        arguments = (jacobian, *arguments)
    drive: Callable[..., Solution] = getattr(library, driver)
    return drive(residuals, *arguments, **options)


@every_driver
@pytest.mark.parametrize(("m", "options"), IMPROPER.values(), ids=IMPROPER)
def test_improper_input_is_refused_untouched(m, options, driver):
    functions, x = (cubic, cubic_jacobian), [1.0, 2.0, 3.0]
    ours, theirs = (run(library, driver, *functions, x, m, **options) for library in (c_face, libminpack))
    assert (ours.info, ours.nfev, ours.njev, ours.points.size) == (0, 0, 0, 0)
    assert_same_outputs(vars(ours), theirs)


@every_driver
def test_no_variables_are_improper_input(driver):
    ours, theirs = (run(library, driver, cubic, cubic_jacobian, [], 5) for library in (c_face, libminpack))
    assert ours.info == 0
    assert_same_outputs(vars(ours), theirs)


@every_driver
def test_a_positive_answer_does_not_stop(driver):
    x = [1.0, 2.0, 3.0]
    ours, theirs = (run(library, driver, unanswered(1, 5), cubic_jacobian, x, 5) for library in (c_face, libminpack))
    assert len(ours.points) > 1
    assert_same_outputs(vars(ours), theirs)


@every_driver
@pytest.mark.parametrize("options", STRANGE.values(), ids=STRANGE)
def test_strange_options_give_the_original_outputs(options, driver):
    functions, x = (cubic, cubic_jacobian), [1.0, 2.0, -3.0]
    ours, theirs = (run(library, driver, *functions, x, 5, **options) for library in (c_face, libminpack))
    assert_same_outputs(vars(ours), theirs)


@pytest.mark.parametrize(("info", "residual", "slope", "options"), [
    (6, np.sqrt(BETWEEN), 1.0, {}),             # the predicted reduction is BETWEEN
    (7, 1.0, 0.0, {"factor": 2 * BETWEEN}),     # so is the bound on the step, halved as nothing is gained
    (8, BETWEEN, 1.0, {}),                      # so is the cosine
])
def test_too_small_is_at_most_twelve_digits_of_the_precision(info, residual, slope, options):
    def residuals(x: Array) -> Array:
        return np.array([residual + slope * (x[0] - 1), 1.0])

    def jacobian(x: Array) -> Array:
        return np.array([[1.0], [0.0]])

    ours, theirs = (library.lmder(residuals, jacobian, [1.0], 2, ftol=0.0, xtol=0.0, **options)
                    for library in (c_face, libminpack))
    assert theirs.info == info
    assert_same_outputs(vars(ours), theirs)


@pytest.mark.parametrize(("start", "trial", "factor"), [
    ((0.015625, 0.9998779222360098), (0.9999694819561995, 0.0), 100.0),     # 0.25
    ((1.0, 0.0), (0.9650572258776937, 0.0), 0.046875),                      # 0.75, the bound on the step reached
    ((1e-200, 1.0), (0.0, 1.0), 100.0),                                     # 0, as the predicted reduction underflows
])
def test_a_ratio_just_at_its_limit_gives_the_original_outputs(start, trial, factor):
    def run(library: Any) -> Solution:
        answers = itertools.chain([start, trial], ((trial[0] * 0.9**k, trial[1]) for k in itertools.count(1)))
        return library.lmder(lambda x: next(answers), lambda x: [[1.0], [0.0]], [1.0], 2, factor=factor)

    assert_same_outputs(vars(run(c_face)), run(libminpack))


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


@every_driver
def test_random_functions_with_special_answers_give_the_original_outputs(driver):
    for seed in range(600):
        rng = np.random.default_rng([7, seed])
        n = int(rng.integers(1, 6))
        m = n + int(rng.integers(0, 6))
        x = rng.choice([0.0, 1.0], n) * rng.standard_normal(n)
        options = {
            "maxfev": 60, "ftol": rng.choice([0.0, 1e-8]), "xtol": rng.choice([0.0, 1e-8]),
            "gtol": rng.choice([0.0, 1e-3]), "factor": rng.choice([0.1, 1.0, 100.0]),
            "diag": rng.uniform(0.1, 10, n) if rng.random() < 0.3 else None,
        }
        ours, theirs = (run(library, driver, *make_functions(seed, m, n), x, m, **options)
                        for library in (c_face, libminpack))
        assert_same_outputs(vars(ours), theirs)


# covar


def make_regular(rng: Random, n: int) -> tuple[Array, Integers]:
    """A well-conditioned R over numbers that must not matter, and a permutation."""
    r = rng.uniform(-1, 1, (n, n))
    r[np.diag_indices(n)] = rng.choice([-1.0, 1.0], n) * rng.uniform(1, 3, n)
    r[np.tril_indices(n, -1)] = NAN
    return r, make_permutation(rng, n)


def exact_covariance(r: Array, ipvt: Integers, rank: int) -> Array:
    """(A'A)^-1 for A P = Q R by rational arithmetic, of the leading rank columns; zero for those left out."""
    u = [[Fraction(value) for value in row[:rank]] for row in np.triu(np.nan_to_num(r))[:rank]]
    v = [[Fraction(0)] * rank for _ in range(rank)]  # the inverse of u
    for j in range(rank):
        for i in range(j, -1, -1):
            v[i][j] = ((i == j) - sum(u[i][k] * v[k][j] for k in range(i + 1, j + 1))) / u[i][i]
    covariance = np.zeros(r.shape)
    for i, j in itertools.product(range(rank), repeat=2):
        covariance[ipvt[i] - 1, ipvt[j] - 1] = sum(v[i][k] * v[j][k] for k in range(rank))
    return covariance


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5, 6, "full"])
def test_covar_is_the_exact_covariance_of_the_leading_columns(rank):
    """To rounding; symmetric to the bit, zero for the other columns, and nothing is written beyond the matrix."""
    rng = np.random.default_rng(8)
    for case in range(60):
        n = int(rng.integers(1 if rank == "full" else rank + 1, 8))
        r, ipvt = make_regular(rng, n)
        tol, order = [0.0, 0.05][case % 2], n if rank == "full" else rank
        if order < n:
            r[order, order] = rng.choice([-1, 1]) * tol * r[0, 0]  # singular from here on, whatever follows
        actual = c_face.covar(r, ipvt, tol, padding=2)
        covariance, exact = actual.r[:n], exact_covariance(r, ipvt, order)
        assert actual.rank == order
        assert_allclose(covariance, exact, rtol=0, atol=1e-14 * exact.max())
        assert_same_bits(covariance, covariance.T)
        assert_same_bits(covariance[ipvt[order:] - 1], np.zeros((n - order, n)))
        assert np.all(actual.r[n:] == UNTOUCHED)


@pytest.mark.parametrize(("r", "tol", "rank"), [
    ([[0.0, 1.0], [0.0, 1.0]], 0.0, 0),
    ([[-0.0, 1.0], [0.0, 1.0]], 0.0, 0),
    ([[1.0, 1.0], [0.0, 1e-300]], 0.0, 2),
    ([[1.0, 1.0], [0.0, -1e-3]], 1e-3, 1),
    ([[-1.0, 1.0], [0.0, 1e-3]], np.nextafter(1e-3, 0), 2),
    ([[1.0, 1.0], [0.0, 1.0]], 1.0, 0),
])
def test_covar_counts_the_columns_before_a_diagonal_within_tol(r, tol, rank):
    assert c_face.covar(r, [2, 1], tol).rank == rank
