"""The problems of Moré, Garbow and Hillstrom: every output has the bits of the original MINPACK."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers.bits import assert_same_outputs
from helpers.c_face import c_face
from oracles.libminpack import libminpack
from oracles.minpack_calls import Solution, UserFunction
from problems import mgh
from pyminpack import leastsq

pytestmark = pytest.mark.usefixtures("every_instruction_set")

FILE22 = Path("/usr/share/doc/minpack-dev/examples/file22")
DRIVERS = ("lmdif", "lmder")
FACTORS = (1, 10, 100)

# Options of leastsq, for n variables.
OPTIONS: dict[str, Callable[[int], dict[str, Any]]] = {
    "defaults": lambda n: {},
    "few calls": lambda n: {"maxfev": n + 3},
    "own scaling": lambda n: {"maxfev": 150, "diag": 0.5 + np.arange(n)},
    "tight": lambda n: {"maxfev": 150, "ftol": 0.0, "xtol": 0.0},
    "loose": lambda n: {"maxfev": 150, "ftol": 1e-2, "xtol": 1e-2},
    "gradient test": lambda n: {"maxfev": 150, "gtol": 1e-3},
    "short first step": lambda n: {"maxfev": 150, "factor": 0.1},
    "long differences": lambda n: {"maxfev": 150, "epsfcn": 1e-6},
    "all": lambda n: {
        "ftol": 1e-12, "xtol": 1e-9, "gtol": 1e-12, "maxfev": 60, "factor": 3.0, "diag": 1.0 / (1 + np.arange(n)),
        "epsfcn": 1e-13,
    },
}


def options_for(driver: str, name: str, n: int) -> dict[str, Any]:
    """Keyword arguments for a driver; lmder has no differences."""
    return {key: value for key, value in OPTIONS[name](n).items() if driver == "lmdif" or key != "epsfcn"}


def functions(driver: str, problem: mgh.Problem) -> list[UserFunction]:
    return [problem.residuals] if driver == "lmdif" else [problem.residuals, problem.jacobian]


def solve(library: Any, driver: str, problem: mgh.Problem, factor: float, options: str) -> Solution:
    """What a library makes of a case."""
    run: Callable[..., Solution] = getattr(library, driver)
    start = problem.start(factor)
    return run(*functions(driver, problem), start, problem.m, **options_for(driver, options, problem.n))


@cache
def original(driver: str, problem: mgh.Problem, factor: float, options: str) -> Solution:
    """What libminpack.so.1 makes of a case, computed once for all tests."""
    return solve(libminpack, driver, problem, factor, options)


def installed(driver: str, problem: mgh.Problem, factor: float, options: str) -> dict[str, Any]:
    """What the installed leastsq makes of it, under the names of Solution."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of residuals that are not finite, as some of these are
        x, _, info, _, ier = leastsq(
            problem.residuals, problem.start(factor), Dfun=problem.jacobian if driver == "lmder" else None,
            full_output=True, **options_for(driver, options, problem.n),
        )
    return {**info, "fjac": info["fjac"].T, "x": x, "info": ier}


def stopping(at: int, iflag: int, *user: UserFunction) -> list[UserFunction]:
    """The user's functions, of which the call number `at`, counted over all of them, asks for a stop."""
    calls = itertools.count(1)
    return [lambda x, f=f: iflag if next(calls) == at else f(x) for f in user]


every_problem = pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
every_factor = pytest.mark.parametrize("factor", FACTORS)
every_driver = pytest.mark.parametrize("driver", DRIVERS)
every_option = pytest.mark.parametrize("options", OPTIONS)


@every_option
@every_driver
@every_factor
@every_problem
def test_leastsq_equals_the_original(problem, factor, driver, options):
    assert_same_outputs(installed(driver, problem, factor, options), original(driver, problem, factor, options))


@every_option
@every_driver
@every_factor
@every_problem
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
        original(driver, problem, factor, options).info
        for problem in mgh.PROBLEMS for factor in FACTORS for options in OPTIONS
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
