"""The problems of MINPACK-2: every output has the bits of the original MINPACK, and the fit is the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.bits import assert_same_outputs
from helpers.c_face import c_face
from oracles.libminpack import libminpack
from problems import minpack2

pytestmark = [pytest.mark.last_bits, pytest.mark.usefixtures("every_instruction_set")]

every_problem = pytest.mark.parametrize("problem", minpack2.PROBLEMS, ids=str)


@pytest.mark.parametrize("driver", ["lmdif", "lmder"])
@every_problem
def test_a_fit_equals_the_original_and_reaches_the_optimum(problem, driver):
    user = [problem.residuals, problem.jacobian][: 1 + (driver == "lmder")]
    ours, theirs = (getattr(library, driver)(*user, np.array(problem.x0), problem.m, ftol=1e-10, xtol=1e-10)
                    for library in (c_face, libminpack))
    assert_same_outputs(vars(ours), theirs)
    assert_allclose(ours.fvec @ ours.fvec, problem.optimum, rtol=5e-6)


@every_problem
def test_jacobians_are_the_derivatives_of_the_residuals(problem):
    """By a complex step, which loses no digits, however short."""
    x = np.array(problem.x0) * 1.01
    columns = [problem.residuals(x + 1e-30j * axis).imag / 1e-30 for axis in np.eye(x.size)]
    fjac = problem.jacobian(x)
    assert_allclose(fjac, np.column_stack(columns), rtol=0, atol=1e-11 * np.abs(fjac).max())
