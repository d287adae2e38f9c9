"""The problems of Moré, Garbow and Hillstrom: every output has the bits of the original MINPACK."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.bits import assert_same_outputs
from helpers.c_face import c_face
from oracles.libminpack import libminpack
from oracles.minpack_calls import UserFunction
from problems import mgh
from problems.mgh_fits import (
    FITS,
    every_driver,
    every_fit,
    every_problem,
    functions,
    installed,
    original,
    solve,
)

pytestmark = pytest.mark.usefixtures("every_instruction_set")

FILE22 = Path("/usr/share/doc/minpack-dev/examples/file22")


def stopping(at: int, iflag: int, *user: UserFunction) -> list[UserFunction]:
    """The user's functions, of which the call number `at`, counted over all of them, asks for a stop."""
    calls = itertools.count(1)
    return [lambda x, f=f: iflag if next(calls) == at else f(x) for f in user]


@every_driver
@every_fit
def test_leastsq_equals_the_original(problem, factor, driver, options):
    assert_same_outputs(installed(driver, problem, factor, options), original(driver, problem, factor, options))


@pytest.mark.slow
@every_driver
@every_fit
def test_kernels_equal_the_original(problem, factor, driver, options):
    actual = solve(c_face, driver, problem, factor, options)
    assert_same_outputs(vars(actual), original(driver, problem, factor, options))


@every_driver
@every_problem
def test_a_stop_at_any_call_leaves_the_original_outputs(problem, driver):
    """At the first calls, around the first trial point, and at the last call."""
    user, n = functions(driver, problem), problem.n
    whole = original(driver, problem, 1, "defaults")
    calls = whole.points.shape[0] + whole.njev
    for at in sorted({at for at in (1, 2, 3, n + 1, n + 2, n + 3, calls) if at <= calls}):
        ours, theirs = (getattr(library, driver)(*stopping(at, -at, *user), problem.start(), problem.m)
                        for library in (c_face, libminpack))
        assert ours.info == -at
        assert_same_outputs(vars(ours), theirs)


@every_driver
def test_the_cases_reach_every_reason_to_stop(driver):
    reached = {
        original(driver, problem, factor, options).info for problem, factor, options in FITS
    }
    assert reached == {1, 2, 3, 4, 5, 6, 7, 8}


def test_the_problems_are_those_of_the_original_driver():
    rows = [tuple(map(int, line.split())) for line in FILE22.read_text().splitlines()]
    assert [(p.number, p.n, p.m, p.tries) for p in mgh.PROBLEMS] == rows[: rows.index((0, 0, 0, 0))]


@every_problem
def test_jacobians_are_the_derivatives_of_the_residuals(problem):
    """By a complex step, which loses no digits, however short."""
    i, step = np.arange(1.0, problem.m + 1), 1e-30
    x = problem.start() + 0.01
    columns = [problem.formula(i, x + 1j * step * axis).imag / step for axis in np.eye(problem.n)]
    jacobian = problem.jacobian(x)
    assert_allclose(jacobian, np.column_stack(columns), rtol=0, atol=1e-12 * np.abs(jacobian).max())
