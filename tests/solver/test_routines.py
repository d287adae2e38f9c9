"""Each routine of MINPACK through pyminpack.kernels, by each solver in the build: the bits of the original.

Random cases come from fixed seeds. covar, which the original library lacks, is compared with rational arithmetic.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.bits import assert_same_bits, assert_same_outputs
from helpers.instruction_sets import INSTRUCTION_SETS, running_on
from oracles.exact_covariance import exact_covariance
from oracles.libminpack import libminpack
from problems.routine_inputs import (
    BETWEEN,
    DELTAS,
    DENORMAL,
    EPSMCH,
    INF,
    KINDS,
    MATRICES,
    NAN,
    NORMS,
    PARS,
    RDWARF,
    RUNS,
    cubic,
    cubic_jacobian,
    every_kind,
    every_pivoting,
    every_point,
    every_system,
    make_dependent,
    make_permutation,
    make_regular,
    make_triangle,
)
from pyminpack import _minpack, kernels

ORIGINAL = ["original"] if "original" in _minpack.solvers() else []


@pytest.fixture(scope="module", params=[*INSTRUCTION_SETS, *ORIGINAL])
def solver(request):
    """Each solver in the build; ours for each instruction set of this machine."""
    if request.param == "original":
        yield "original"
    else:
        with running_on(request.param):
            yield "builtin"


def assert_agree(routine, solver, *arguments, **options):
    """A function of kernels and the original's routine give the same bits in every output."""
    __tracebackhide__ = True
    actual = getattr(kernels, routine)(*arguments, **options, solver=solver)._asdict()
    expected = getattr(libminpack, routine)(*arguments, **options)
    if routine == "qrfac" and not options.get("pivot", True):  # the routine leaves ipvt alone
        assert_same_bits(actual.pop("ipvt"), np.arange(1, actual["a"].shape[1] + 1, dtype=np.int32))
    if routine == "lmpar" and expected.par == 0:  # and lmpar sdiag
        assert_same_bits(actual.pop("sdiag"), np.zeros(len(actual["x"])))
    assert_same_outputs(actual, expected)


# enorm


@pytest.mark.parametrize("x", [x for x in NORMS.values() if x], ids=[name for name, x in NORMS.items() if x])
def test_enorm_equals_the_original(x, solver):
    assert_same_bits(kernels.enorm(x, solver=solver), libminpack.enorm(x))


@every_kind
def test_enorm_of_random_vectors_equals_the_original(kind, solver):
    rng = np.random.default_rng(1)
    for case in range(400):
        x = KINDS[kind](rng, int(rng.integers(1, 40 if case < 300 else 1000)))
        assert_same_bits(kernels.enorm(x, solver=solver), libminpack.enorm(x), f"case {case}")


@pytest.mark.parametrize("length", [20, 200, 1000])
def test_enorm_of_runs_of_every_kind_of_component_equals_the_original(length, solver):
    rng = np.random.default_rng(length)
    for case in range(1500):
        n = int(rng.integers(1, length))
        cuts = np.sort(rng.integers(0, n + 1, rng.integers(0, 5)))
        x = np.concatenate([RUNS[rng.integers(len(RUNS))](rng, n, run.size) for run in np.split(np.zeros(n), cuts)])
        assert_same_bits(kernels.enorm(x, solver=solver), libminpack.enorm(x), f"case {case}")


@pytest.mark.parametrize("scale", [1.0, 1e-19])
@pytest.mark.parametrize("odd", [0.0, DENORMAL, 1e-30, 3e-20, RDWARF, 1e18, 1e30, INF, NAN])
def test_enorm_of_a_long_vector_notices_an_odd_component_wherever_it_is(odd, scale, solver):
    for at in range(600):
        x = scale * np.random.default_rng(at).uniform(1, 2, 600)
        x[at] = odd
        assert_same_bits(kernels.enorm(x, solver=solver), libminpack.enorm(x), f"component {at}")


# qrfac


@every_pivoting
@pytest.mark.parametrize("a", MATRICES.values(), ids=MATRICES)
def test_qrfac_equals_the_original(a, pivot, solver):
    assert_agree("qrfac", solver, a, pivot=pivot)


@every_pivoting
@every_kind
def test_qrfac_of_random_matrices_equals_the_original(kind, pivot, solver):
    rng = np.random.default_rng(2)
    for case in range(200):
        a = KINDS[kind](rng, tuple(rng.integers(1, 14 if case < 180 else 70, 2)))
        with np.errstate(all="ignore"):
            make_dependent(rng, a)
        assert_agree("qrfac", solver, a, pivot=pivot)


@every_pivoting
@every_kind
@pytest.mark.parametrize(
    ("m", "n"), [(8, 8), (17, 8), (40, 9), (33, 16), (16, 33), (50, 17), (64, 31), (300, 24), (600, 8)]
)
def test_qrfac_of_larger_matrices_equals_the_original(m, n, kind, pivot, solver):
    rng = np.random.default_rng(3)
    for dependent in (False, True):
        a = KINDS[kind](rng, (m, n))
        if dependent:
            with np.errstate(all="ignore"):
                make_dependent(rng, a)
        assert_agree("qrfac", solver, a, pivot=pivot)


def test_qrfac_renews_norms_by_twelve_digits_of_the_precision(solver):
    """Columns fall, in the first step, to sqrt(20 EPSMCH) of their norm, to rounding.

    Between 2**-52 and EPSMCH the last bits decide whether a norm is renewed, and that the next pivot.
    """
    rng = np.random.default_rng(9)
    for _ in range(100):
        rest = rng.standard_normal((10, 3))
        rest *= np.sqrt(20 * 2.0**-52 * rng.uniform(0.99, 1.01, 3)) / np.linalg.norm(rest, axis=0)
        columns = rng.uniform(0.9, 0.901, 3) * np.vstack([np.sqrt(1 - np.sum(rest**2, axis=0)), rest])
        assert_agree("qrfac", solver, np.column_stack([np.eye(11)[0], columns]))


# qrsolv and lmpar


@every_system
def test_qrsolv_equals_the_original(system, solver):
    assert_agree("qrsolv", solver, *system)


@every_kind
def test_qrsolv_of_random_systems_equals_the_original(kind, solver):
    rng = np.random.default_rng(4)
    for _ in range(400):
        n = int(rng.integers(1, 10))
        diag = np.where(rng.random(n) < 0.2, 0.0, KINDS[kind](rng, n))
        assert_agree("qrsolv", solver, make_triangle(rng, kind, n), make_permutation(rng, n), diag, KINDS[kind](rng, n))


@every_system
def test_lmpar_equals_the_original(system, solver):
    for delta, par in itertools.product(DELTAS, PARS):
        assert_agree("lmpar", solver, *system, delta, par)


@every_kind
def test_lmpar_of_random_systems_equals_the_original(kind, solver):
    rng = np.random.default_rng(5)
    for _ in range(300):
        n = int(rng.integers(1, 10))
        diag = np.abs(KINDS[kind](rng, n))
        diag[diag == 0] = 1
        qtb = KINDS[kind](rng, n)
        delta = rng.choice(DELTAS) if rng.random() < 0.2 else np.linalg.norm(diag) * 10 ** rng.uniform(-4, 4)
        par = rng.choice([*PARS, 10 ** rng.uniform(-5, 5)])
        assert_agree("lmpar", solver, make_triangle(rng, kind, n), make_permutation(rng, n), diag, qtb, float(delta),
                     float(par))


# fdjac2

@pytest.mark.parametrize("epsfcn", [0.0, -1.0, 1e-16, BETWEEN, 1e-12, 1e-4, 1.0, 1e300, INF, NAN])
@every_point
def test_fdjac2_equals_the_original(x, epsfcn, solver):
    points = []

    def recorded(x):
        points.append(x)  # each x is the caller's to keep
        return cubic(x)

    expected = libminpack.fdjac2(cubic, x, cubic(x), epsfcn)
    assert_same_bits(kernels.fdjac2(recorded, x, cubic(x), epsfcn, solver=solver), expected.fjac)
    assert_same_bits(points, expected.points)


# chkder


def neighbour(x):
    """Mode 1 of the original's chkder, for five functions."""
    return libminpack.chkder(x, np.zeros(5), np.zeros((5, 3)), np.zeros(5), mode=1).xp


def assert_same_grades(solver, *arguments):
    """Mode 2 of chkder gives the same bits in both."""
    __tracebackhide__ = True
    assert_same_bits(kernels.chkder(*arguments, mode=2, solver=solver), libminpack.chkder(*arguments, mode=2).err)


@every_point
def test_chkder_finds_the_original_neighbour(x, solver):
    assert_same_bits(kernels.chkder(x, solver=solver), neighbour(x))


@every_point
@pytest.mark.parametrize("error", [0.0, 1e-8, 1e-7, 1e-5, 1.0, INF, NAN])
def test_chkder_grades_as_the_original(x, error, solver):
    """Derivatives with a relative error: from 1 by a logarithm to 0."""
    with np.errstate(all="ignore"):
        fjac = cubic_jacobian(x) * (1 + error)
    assert_same_grades(solver, x, cubic(x), fjac, cubic(neighbour(x)))


def test_chkder_grades_errors_at_its_step_as_the_original(solver):
    """Relative errors of one step, sqrt(EPSMCH), to rounding: from there on the grade is 0."""
    fvecp = np.arange(2.0, 40.0)
    fvec, total = np.ones_like(fvecp), 1 + fvecp
    fjac = ((fvecp - 1) / np.sqrt(EPSMCH) - total)[:, np.newaxis]
    assert_same_grades(solver, [1.0], fvec, fjac, fvecp)


def test_chkder_tells_right_from_wrong(solver):
    x = np.array([1.5, 2.5, 0.5])
    fvec, fvecp, fjac = cubic(x), cubic(kernels.chkder(x, solver=solver)), cubic_jacobian(x)
    assert np.all(kernels.chkder(x, fvec, fjac, fvecp, mode=2, solver=solver) > 0.9)
    assert np.all(kernels.chkder(x, fvec, 10 * fjac, fvecp, mode=2, solver=solver) == 0)


@every_kind
def test_chkder_of_random_functions_equals_the_original(kind, solver):
    rng = np.random.default_rng(6)
    for _ in range(200):
        m, n = map(int, rng.integers(1, 8, 2))
        x, fvec, fjac = (KINDS[kind](rng, shape) for shape in (n, m, (m, n)))
        with np.errstate(all="ignore"):
            fvecp = fvec * (1 + rng.choice([0.0, 1e-14, 1e-8, 0.5]) * rng.standard_normal(m))
        assert_same_bits(kernels.chkder(x, solver=solver), libminpack.chkder(x, fvec, fjac, fvecp, mode=1).xp)
        assert_same_grades(solver, x, fvec, fjac, fvecp)


# covar


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5, 6, "full"])
def test_covar_is_the_exact_covariance_of_the_leading_columns(rank):
    """To rounding; symmetric to the bit, zero for the other columns."""
    rng = np.random.default_rng(8)
    for case in range(60):
        n = int(rng.integers(1 if rank == "full" else rank + 1, 8))
        r, ipvt = make_regular(rng, n)
        tol, order = [0.0, 0.05][case % 2], n if rank == "full" else rank
        if order < n:
            r[order, order] = rng.choice([-1, 1]) * tol * r[0, 0]  # singular from here on, whatever follows
        covariance, found = kernels.covar(r, ipvt, tol)
        exact = exact_covariance(r, ipvt, order)
        assert found == order
        assert_allclose(covariance, exact, rtol=0, atol=1e-14 * exact.max())
        assert_same_bits(covariance, covariance.T)
        assert_same_bits(covariance[ipvt[order:] - 1], np.zeros((n - order, n)))


@pytest.mark.parametrize(("r", "tol", "rank"), [
    ([[0.0, 1.0], [0.0, 1.0]], 0.0, 0),
    ([[-0.0, 1.0], [0.0, 1.0]], 0.0, 0),
    ([[1.0, 1.0], [0.0, 1e-300]], 0.0, 2),
    ([[1.0, 1.0], [0.0, -1e-3]], 1e-3, 1),
    ([[-1.0, 1.0], [0.0, 1e-3]], np.nextafter(1e-3, 0), 2),
    ([[1.0, 1.0], [0.0, 1.0]], 1.0, 0),
])
def test_covar_counts_the_columns_before_a_diagonal_within_tol(r, tol, rank):
    assert kernels.covar(r, [2, 1], tol).rank == rank
