"""examples/levenberg_marquardt.py: the algorithm in Python, on MINPACK's routines, has the bits of leastsq."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from oracles.libminpack import libminpack
from problems import mgh
from problems.mgh_fits import OPTIONS, every_factor, every_problem, installed, original
from problems.routine_inputs import random_fit
from pyminpack import _minpack

EXAMPLE = Path(__file__).parents[2] / "examples" / "levenberg_marquardt.py"
UNSCALED = {name for name in OPTIONS if "diag" not in OPTIONS[name](1)}  # the example has no diag

OUTPUTS = ("x", "fvec", "fjac", "ipvt", "qtf", "nfev", "info")

every_solver = pytest.mark.parametrize("solver", _minpack.solvers())
every_option = pytest.mark.parametrize("options", sorted(UNSCALED))


@pytest.fixture(scope="module")
def lmdif():
    return runpy.run_path(str(EXAMPLE))["lmdif"]


@pytest.mark.slow
@every_solver
@every_option
@every_factor
@every_problem
def test_it_has_the_bits_of_leastsq_and_of_MINPACK(problem, factor, options, solver, lmdif):
    with np.errstate(all="ignore"):
        fit = lmdif(problem.residuals, problem.start(factor), **OPTIONS[options](problem.n), solver=solver)
    expected = installed("lmdif", problem, factor, options)
    reference = original("lmdif", problem, factor, options)
    fit = {**fit, "fjac": fit["fjac"].T, "info": fit["ier"]}
    for name in OUTPUTS:
        assert_same_bits(fit[name], expected[name], name)
        assert_same_bits(fit[name], getattr(reference, name), name)


@every_solver
def test_random_functions_with_special_answers_give_the_bits_of_MINPACK(solver, lmdif):
    """NaN and infinities among them."""
    for fit in map(random_fit, range(600)):
        options = {name: value for name, value in fit.options.items() if name != "diag"}  # which the example has not
        reference = libminpack.lmdif(fit.functions()[0], fit.x, fit.m, **options)
        with np.errstate(all="ignore"):
            found = lmdif(fit.functions()[0], fit.x, **options, solver=solver)
        found = {**found, "fjac": found["fjac"].T, "info": found["ier"]}
        for name in OUTPUTS:
            assert_same_bits(found[name], getattr(reference, name), f"seed {fit.seed}, {name}")


def test_these_fits_reach_every_reason_to_stop():
    reached = {original("lmdif", problem, factor, options).info
               for problem in mgh.PROBLEMS for factor in (1, 10, 100) for options in UNSCALED}
    assert reached == {1, 2, 3, 4, 5, 6, 7, 8}


def test_as_a_program_it_says_so_for_each_solver_of_the_build():
    process = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")
    for solver in ("builtin", "original"):
        said = sum(f" {solver} " in line and line.endswith("the bits of leastsq: True")
                   for line in process.stdout.splitlines())
        assert said == (3 if solver in _minpack.solvers() else 0)
    assert ("is without the original MINPACK" in process.stdout) == (_minpack.solvers() == ("builtin",))


def test_lmdif_is_some_fifty_lines():
    lines = EXAMPLE.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("def lmdif("))
    last = next(i for i, line in enumerate(lines) if i > first and line.startswith("    return"))
    assert 40 <= last - first + 1 <= 65
