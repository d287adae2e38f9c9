"""leastsq on NIST's nonlinear regression collection: each problem, both starts, with and without Jacobian."""

import warnings
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import leastsq as scipy_leastsq

from problems import nist
from problems.nist_digits import FAILURES, ROWS, TOLERANCES
from pyminpack import leastsq, uncertainty

pytestmark = pytest.mark.last_bits

EPS = np.finfo(float).eps
DEFAULT_FTOL = 1.49012e-8
ROUNDING_ERROR = 1e-13          # of an entry of the scaled J'J
DIFFERENCES_ERROR = 1e-3        # the same, by differences and one step away
PROBLEMS = {problem.name: problem for problem in nist.PROBLEMS}


class Fit(NamedTuple):
    """What leastsq returned, and where it asked for its last Jacobian (None: it took differences)."""

    x: np.ndarray
    cov_x: np.ndarray
    info: dict
    mesg: str
    ier: int
    last_jacobian_at: np.ndarray
    warnings: list

    @property
    def rss(self):
        """Residual sum of squares."""
        return np.dot(self.info["fvec"], self.info["fvec"])


@cache
def fit(name, start, jacobian, tolerances, solver=leastsq):
    """The Fit of one row of the tables, computed once for all tests."""
    problem = PROBLEMS[name]
    asked_at = [None]

    def analytic(b):
        asked_at.append(b.copy())
        return problem.jacobian(b)

    dfun = analytic if jacobian == "analytic" else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = solver(problem.residuals, problem.starts[start], Dfun=dfun, full_output=True,
                        **TOLERANCES[tolerances])
    return Fit(*result, asked_at[-1], [str(warning.message) for warning in caught])


def each(rows):
    """Run a test once for each row of a table, under the row's name."""
    return pytest.mark.parametrize("row", rows, ids=lambda row: "-".join(row[:4]))


def verify(problem, fit):
    """The conditions of a minimum, whatever the solver: gradient, factorisation, covariance.

    The Jacobian J is the analytic one, its columns scaled to length 1 so that units do not matter. If leastsq
    used it, J is taken where leastsq last asked for it, and R'R = P'J'JP must hold up to rounding. If leastsq
    took differences, J is taken at the solution, and that must hold up to their error and the last step's.
    The covariance C is held against R instead of J, as RP' C PR' = I: C is that of the last Jacobian, and in
    this form it must be right up to rounding even where J'J is nearly singular.
    """
    x, cov_x, info, _, _, asked_at, _ = fit
    fvec = info["fvec"]
    assert_array_equal(fvec, problem.residuals(x))
    rounding = EPS * np.linalg.norm(problem.response) / np.linalg.norm(fvec)
    assert cosine(problem.jacobian(x), fvec) < np.sqrt(DEFAULT_FTOL) + rounding

    J = problem.jacobian(x if asked_at is None else asked_at)
    scale = np.linalg.norm(J, axis=0)
    J /= scale
    P = np.eye(x.size)[:, info["ipvt"] - 1]
    RP = np.triu(info["fjac"].T[: x.size]) @ P.T / scale
    error = DIFFERENCES_ERROR if asked_at is None else ROUNDING_ERROR
    assert_allclose(RP.T @ RP, J.T @ J, rtol=0, atol=error)
    if asked_at is not None:
        f = problem.residuals(asked_at)
        assert_allclose(RP.T @ info["qtf"], J.T @ f, rtol=0, atol=ROUNDING_ERROR * np.linalg.norm(f))

    assert_array_equal(cov_x, cov_x.T)
    C = cov_x * np.outer(scale, scale)
    assert_allclose(RP @ C @ RP.T, np.eye(x.size), rtol=0, atol=10 * EPS * np.linalg.cond(RP)**2)


def cosine(J, f):
    """The largest cosine, in absolute value, of the angle between f and a column of J."""
    return np.max(np.abs(J.T @ f) / np.linalg.norm(J, axis=0)) / np.linalg.norm(f)


def assert_digits(fitted, certified, floor):
    """Each fitted value agrees with its certified one to at least its floor of digits."""
    reached = nist.digits(fitted, certified)
    assert np.all(reached >= floor), f"reached {reached.round(2)}, floor {floor}"


@each(ROWS)
def test_certified_parameters_are_reached(row):
    fitted = fit(*row[:4])
    assert_digits(fitted.x, PROBLEMS[row.problem].certified, row.parameters)


@each(ROWS)
def test_certified_standard_errors_are_reached(row):
    problem, fitted = PROBLEMS[row.problem], fit(*row[:4])
    for cov_x in (fitted.cov_x, None):
        found = uncertainty(fitted.x, cov_x, fitted.info)
        assert_digits(found.standard_errors, problem.certified_sd, row.errors)
        assert (found.rank, found.freedom) == (fitted.x.size, problem.dof)


@each(ROWS)
def test_certified_sum_of_squares_is_reached(row):
    assert_digits(fit(*row[:4]).rss, PROBLEMS[row.problem].rss, row.rss)


@each(ROWS)
def test_the_fit_is_a_minimum(row):
    fitted = fit(*row[:4])
    assert fitted.ier in (1, 2, 3, 4), fitted.mesg
    verify(PROBLEMS[row.problem], fitted)


@each(ROWS)
def test_no_warning_is_given(row):
    assert fit(*row[:4]).warnings == []


@each(FAILURES)
def test_a_failure_that_looks_like_success_is_warned_of(row):
    """One has moved, and no column is zero: of that nothing can be told."""
    fitted = fit(*row[:4])
    is_told = fitted.ier in (1, 2, 3, 4) and row[:3] != ("BoxBOD", "start1", "analytic")
    assert [text[:30] for text in fitted.warnings] == [
        "leastsq: in the last Jacobian " if row.problem == "BoxBOD" else "leastsq: x never moved, but x0"
    ] * is_told


@each(FAILURES)
def test_minpack_fails_in_its_own_way(row):
    fitted = fit(*row[:4])
    assert fitted.ier == row.ier, fitted.mesg
    assert fitted.rss >= row.rss_ratio * PROBLEMS[row.problem].rss, row.reason


@each([*ROWS, *FAILURES])
def test_scipy_ends_at_the_same_bits(row):
    ours, scipys = fit(*row[:4]), fit(*row[:4], scipy_leastsq)
    assert (ours.ier, ours.mesg, ours.info["nfev"]) == (scipys.ier, scipys.mesg, scipys.info["nfev"])
    assert_array_equal(ours.x, scipys.x)
    assert_array_equal(ours.info["fvec"], scipys.info["fvec"])


def test_each_start_reaches_the_minimum_or_fails_even_with_tight_tolerances():
    ends = [row[:3] for row in [*ROWS, *FAILURES] if row in ROWS or row.tolerances == "tight"]
    assert sorted(ends) == sorted(product(PROBLEMS, ("start1", "start2"), ("differences", "analytic")))


@pytest.mark.parametrize("problem", nist.PROBLEMS, ids=str)
def test_jacobian_is_the_derivative_of_the_residuals(problem):
    step = 1e-30        # a complex step loses no digits, however short
    for start in problem.starts.values():
        columns = [problem.residuals(start + 1j * step * axis).imag / step for axis in np.eye(start.size)]
        J = problem.jacobian(start)
        scale = np.linalg.norm(J, axis=0)
        assert_allclose(J / scale, np.column_stack(columns) / scale, rtol=0, atol=1e-12)


@pytest.mark.parametrize("problem", [p for p in nist.PROBLEMS if p.name != "Lanczos1"], ids=str)
def test_certified_values_belong_to_the_data(problem):
    """Lanczos1 apart: its residuals, 1e-13, are below the last digit of its certified parameters."""
    f = problem.residuals(problem.certified)
    assert nist.digits(np.dot(f, f), problem.rss) > 9.5
    assert nist.digits(np.sqrt(problem.rss / problem.dof), problem.rsd) > 10
    assert f.size - problem.certified.size == problem.dof


@pytest.mark.parametrize(("fitted", "certified", "expected"), [
    (2.0, 2.0, 11),                     # all that NIST certifies
    (1 + 1e-13, 1.0, 11),
    (1.001, 1.0, 3),
    (-0.999, -1.0, 3),
    (1e-9 * 1.00001, 1e-9, 5),          # relative
    (3.0, 1.0, 0),                      # worse than none is none
    (np.nan, 1.0, 0),
    (np.inf, 1.0, 0),
])
def test_digits_counts_the_log_relative_error(fitted, certified, expected):
    assert_allclose(nist.digits(fitted, certified), expected, atol=1e-9)
