"""How far from a minimum a fit is by its last Jacobian, against NumPy's least squares."""

from __future__ import annotations

from ctypes import Structure, byref, c_double, c_int, c_void_p

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.c_face import c_face
from pyminpack import kernels

pytestmark = pytest.mark.usefixtures("every_instruction_set")


class Departure(Structure):
    """As minpack.h has it."""

    _fields_ = [("column", c_int), *((name, c_double) for name in ("cosine", "slope", "change", "reduction"))]


def departure(J, f, x, D, shrunk=0.0, slight=0.0, fvec=None):
    """The departure, and the step, of residuals f with Jacobian J; fvec: those at x, where the last step led."""
    n = J.shape[1]
    r, ipvt, rdiag, _ = kernels.qrfac(J)
    r = np.triu(r)
    r[:n][np.diag_indices(n)] = rdiag
    qtf = np.linalg.lstsq(r[:n].T, J[:, ipvt - 1].T @ f, rcond=None)[0]
    return departure_by(r, ipvt, qtf, f if fvec is None else fvec, x, D, shrunk, slight)


def departure_by(r, ipvt, qtf, fvec, x, D, shrunk, slight):
    m, n = r.shape
    kept = [np.array(array, float, order="F") for array in (x, fvec, r, qtf, D, np.empty(n), np.empty(n))]
    x, fvec, r, qtf, D, wa1, wa2 = (c_void_p(array.ctypes.data) for array in kept)
    pivots = np.array(ipvt, np.int32)
    ipvt = c_void_p(pivots.ctypes.data)
    found, step = Departure(), c_double()
    library = c_face.library
    library.minpack_departure(m, n, x, fvec, r, m, ipvt, qtf, D, c_double(shrunk), c_double(slight), byref(found), wa1,
                              wa2)
    library.minpack_step(n, x, r, m, ipvt, qtf, D, c_double(shrunk), byref(step), wa1, wa2)
    return found, step.value


@pytest.fixture(params=[(2, 2), (7, 3), (40, 9)], ids=str)
def problem(request):
    """J, f, x and D."""
    rng = np.random.default_rng(3)
    m, n = request.param
    J = rng.standard_normal((m, n)) * 10.0 ** rng.uniform(-3, 3, n)
    return J, rng.standard_normal(m), rng.standard_normal(n), np.linalg.norm(J, axis=0)


def test_angles_and_step_are_those_of_the_problem(problem):
    J, f, x, D = problem
    found, step = departure(J, f, x, D)
    norm = np.linalg.norm(f)
    cosines = J.T @ f / (np.linalg.norm(J, axis=0) * norm)
    p, *_ = np.linalg.lstsq(J, f, rcond=None)
    assert found.column == np.argmax(np.abs(cosines)) + 1
    assert_allclose(found.cosine, cosines[found.column - 1], rtol=1e-9)
    assert_allclose(found.slope, np.linalg.norm(J.T @ f * x) / norm**2, rtol=1e-9)
    assert_allclose(found.change, np.linalg.norm(np.linalg.norm(J, axis=0) * x) / norm, rtol=1e-9)
    assert_allclose(found.reduction, np.linalg.norm(J @ p) ** 2 / norm**2, rtol=1e-9)
    assert_allclose(step, np.linalg.norm(D * p) / np.linalg.norm(D * x), rtol=1e-9)


def test_residuals_that_fell_with_the_last_step_make_no_cosine_above_1(problem):
    J, f, x, D = problem
    found, _ = departure(J, J[:, 0], x, D, fvec=1e-9 * f)
    assert_allclose([found.column, found.cosine, found.reduction], [1, 1, 1], rtol=1e-12)
    assert found.change > 1e6


def test_a_column_that_has_shrunk_counts_neither_for_the_cosine_nor_for_the_step(problem):
    J, f, x, D = problem
    every, _ = departure(J, f, x, D)
    shrunk = D.copy()
    shrunk[every.column - 1] *= 11
    found, step = departure(J, f, x, shrunk, shrunk=0.1)
    p, *_ = np.linalg.lstsq(J, f, rcond=None)
    p[every.column - 1] = 0
    assert found.column not in (0, every.column)
    assert abs(found.cosine) < abs(every.cosine)
    assert_allclose(step, np.linalg.norm(D * p) / np.linalg.norm(shrunk * x), rtol=1e-9)
    assert departure(J, f, x, 9 / 11 * shrunk, shrunk=0.1)[0].column == every.column


def test_a_column_that_hardly_changes_the_residuals_counts_not_if_so_asked(problem):
    J, f, x, D = problem
    every, _ = departure(J, f, x, D)
    x = 1 / D
    x[every.column - 1] *= 0.9e-3
    assert departure(J, f, x, D, slight=1e-3)[0].column not in (0, every.column)
    x[every.column - 1] *= 1.2
    assert departure(J, f, x, D, slight=1e-3)[0].column == every.column


def test_an_x_of_zero_counts_as_1_for_changes_and_makes_the_step_infinite():
    J, f = np.array([[2.0], [0.0]]), np.array([3.0, 4.0])
    found, step = departure(J, f, [0.0], [2.0])
    assert_allclose([found.cosine, found.change, found.slope], [0.6, 0.4, 0.24], rtol=1e-12)
    assert step == np.inf


def test_a_zero_column_counts_not_and_a_NaN_is_seen():
    J, f = np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([1.0, 0.0])
    found, step = departure(J, f, [1.0, 1.0], [1.0, 1.0])
    assert_allclose([found.column, found.cosine, step], [2, 0.5**0.5, 0.5 / 2**0.5], rtol=1e-12)
    r = np.array([[1.0, 3.0], [0.0, np.nan]])
    assert np.isnan(departure_by(r, [1, 2], [1.0, 0.5], f, [1.0, 1.0], [1.0, 1.0], 0.0, 0.0)[0].cosine)
