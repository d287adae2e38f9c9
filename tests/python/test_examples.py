"""examples/: the algorithm in Python has the bits of leastsq, and fits that are saved, spread, pinned and watched."""

import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.contract_page import tables
from oracles.libminpack import libminpack
from problems import mgh
from problems.mgh_fits import OPTIONS, every_factor, every_problem, installed, original
from problems.routine_inputs import random_fit
from pyminpack import _minpack

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "levenberg_marquardt.py"
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


def test_lmdif_is_some_fifty_lines():
    lines = EXAMPLE.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("def lmdif("))
    last = next(i for i, line in enumerate(lines) if i > first and line.startswith("    return"))
    assert 40 <= last - first + 1 <= 65


def command(name, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYMINPACK_SOLVER"}
    return {"args": [sys.executable, str(EXAMPLES / name), *map(str, arguments)], "env": environment}


def output(name, *arguments):
    """What an example prints; it must succeed and complain of nothing."""
    process = subprocess.run(**command(name, *arguments), capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, ""), process.stderr
    return process.stdout


def test_a_fit_survives_kill_9(tmp_path):
    state = tmp_path / "state"
    for _ in range(3):
        process = subprocess.Popen(**command("survives_kill.py", state))
        before = state.stat().st_mtime_ns if state.exists() else 0
        while not state.exists() or state.stat().st_mtime_ns == before:  # until it has saved something
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert output("survives_kill.py", state) == output("survives_kill.py", tmp_path / "another")


def test_the_points_of_a_jacobian_may_be_evaluated_by_anybody():
    assert output("parallel_jacobian.py").splitlines() == [
        f"{name}: the bits of leastsq: True" for name in ("asyncio", "concurrent.futures", "dask")
    ]


def test_pinned_steps_are_found_again_and_a_difference_is_named(tmp_path):
    pinned = tmp_path / "pinned.json"
    assert output("pinned_steps.py", pinned) == ""
    assert output("pinned_steps.py", pinned).endswith(" steps, all the same\n")
    pinned.write_text(pinned.read_text().replace('"accepted": true', '"accepted": false', 1))
    process = subprocess.run(**command("pinned_steps.py", pinned), capture_output=True, text=True)
    assert process.returncode == 1
    assert process.stdout == "step 2: accepted is True, and was False\n"


def test_a_fit_can_be_drawn(tmp_path):
    assert output("watch.py", tmp_path / "watch.png") == ""
    assert (tmp_path / "watch.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.slow
def test_digits_against_tolerances_are_those_of_the_page():
    """To half a digit, for the last bit of exp on other machines."""
    _, *parts = re.split(r"^(\w+ alone, \w+)$", output("gallery/plot_tolerances.py"), flags=re.MULTILINE)
    found = {
        (curve, float(tolerance)): [float(median), float(worst)]
        for curve, lines in zip(parts[::2], parts[1::2], strict=True)
        for tolerance, median, worst in re.findall(r"(1e-\d+): median +([\d.]+), worst +([\d.]+) ", lines)
    }
    (rows,) = (rows for head, rows in tables(EXAMPLES.parent / "docs" / "tolerances.md") if head[0] == "tolerance")
    curves = [f"{name} alone, {jacobian}" for jacobian in ("differences", "Dfun") for name in ("ftol", "xtol")]
    for tolerance, *cells in rows:
        for curve, cell in zip(curves, cells, strict=True):
            said = [float(digits) for digits in re.findall(r"\d+\.\d", cell)]
            np.testing.assert_allclose(found[curve, float(tolerance)], said, atol=0.5, err_msg=f"{curve}, {tolerance}")
