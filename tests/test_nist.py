"""leastsq on NIST's nonlinear regression collection: every problem, both starts, with and without its Jacobian."""

from functools import cache
from typing import NamedTuple

import nist
import numpy as np
import pytest
from nist_digits import FAILURES, ROWS, TOLERANCES
from numpy.testing import assert_allclose, assert_array_equal
from pyminpack import leastsq

EPS = np.finfo(float).eps
DEFAULT_FTOL = 1.49012e-8
PROBLEMS = {problem.name: problem for problem in nist.PROBLEMS}
STARTS = ("start1", "start2")
JACOBIANS = ("differences", "analytic")


class Fit(NamedTuple):
    """What leastsq returned, and where it asked for its last Jacobian (None: it took differences)."""

    x: np.ndarray
    cov_x: np.ndarray
    info: dict
    mesg: str
    ier: int
    last_jacobian_at: np.ndarray

    @property
    def rss(self):
        """Residual sum of squares."""
        return np.dot(self.info["fvec"], self.info["fvec"])


@cache
def fit(name, start, jacobian, tolerances):
    """The Fit of one row of the tables, computed once for all tests."""
    problem = PROBLEMS[name]
    asked_at = [None]

    def analytic(b):
        asked_at.append(b.copy())
        return problem.jacobian(b)

    result = leastsq(problem.residuals, problem.starts[start], Dfun=analytic if jacobian == "analytic" else None,
                     full_output=True, **TOLERANCES[tolerances])
    return Fit(*result, asked_at[-1])


def each(rows):
    """Run a test once for each row of a table, under the row's name."""
    return pytest.mark.parametrize("row", rows, ids=lambda row: "-".join(row[:4]))


def verify(problem, fit):
    """The conditions of a minimum, whatever the solver: gradient, factorisation, covariance.

    Columns of the Jacobian J are scaled to length 1, so that units do not matter. Where J was analytic, the
    factorisation must be that of the J last asked for, up to rounding; where it was differences, that of the analytic J
    at the solution, up to the length of the last step. A whitened covariance R cov R' (R'R = J'J) is the identity, with
    errors that grow as the condition of J and not, as those of J'J cov do, as its square.
    """
    x, cov_x, info, _, _, at = fit
    n = x.size
    fvec = info["fvec"]
    assert_array_equal(fvec, problem.residuals(x))

    rounding_of_fvec = EPS * np.linalg.norm(problem.response) / np.linalg.norm(fvec)
    assert cosine(problem.jacobian(x), fvec) < np.sqrt(DEFAULT_FTOL) + rounding_of_fvec

    P = np.eye(n)[:, info["ipvt"] - 1]
    R = np.triu(info["fjac"].T[:n])
    if at is None:
        J, f, factor_error, cov_error = problem.jacobian(x), fvec, 1e-3, 1e-2
    else:
        J, f, factor_error = problem.jacobian(at), problem.residuals(at), 1e-13
        cov_error = 10 * EPS * np.linalg.cond(J / np.linalg.norm(J, axis=0))**2
    scale = np.linalg.norm(J, axis=0)
    J, RP = J / scale, R @ P.T / scale
    assert_allclose(RP.T @ RP, J.T @ J, rtol=0, atol=factor_error)
    assert_allclose(RP.T @ info["qtf"], J.T @ f, rtol=0, atol=factor_error * np.linalg.norm(f))

    assert_array_equal(cov_x, cov_x.T)
    whitener = np.linalg.qr(J, mode="r")
    assert_allclose(whitener @ (cov_x * np.outer(scale, scale)) @ whitener.T, np.eye(n), rtol=0, atol=cov_error)


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
    errors = np.sqrt(np.diag(fitted.cov_x) * fitted.rss / problem.dof)
    assert_digits(errors, problem.certified_sd, row.errors)


@each(ROWS)
def test_certified_sum_of_squares_is_reached(row):
    assert_digits(fit(*row[:4]).rss, PROBLEMS[row.problem].rss, row.rss)


@each(ROWS)
def test_the_fit_is_a_minimum(row):
    fitted = fit(*row[:4])
    assert fitted.ier in (1, 2, 3, 4), fitted.mesg
    verify(PROBLEMS[row.problem], fitted)


@each(FAILURES)
def test_minpack_fails_in_its_own_way(row):
    fitted = fit(*row[:4])
    assert fitted.ier == row.ier, fitted.mesg
    assert fitted.rss >= row.rss_ratio * PROBLEMS[row.problem].rss, row.reason


def test_every_start_is_in_the_tables():
    fits = [row[:4] for row in [*ROWS, *FAILURES]]
    assert len(set(fits)) == len(fits)
    assert {row[:3] for row in fits} == {(name, start, jacobian)
                                         for name in PROBLEMS for start in STARTS for jacobian in JACOBIANS}


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


@pytest.mark.parametrize("fitted, certified, expected", [
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
