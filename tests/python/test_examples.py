"""examples/: the algorithm in Python has the bits of leastsq, and fits that are saved, spread, pinned and watched."""

import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.contract_page import tables
from oracles.libminpack import libminpack
from problems.mgh_fits import FITS, OPTIONS, installed, original
from problems.routine_inputs import random_fit
from pyminpack import _minpack

pytestmark = [
    pytest.mark.needs("matplotlib"),
    pytest.mark.needs("scipy==1.14.1"),
    pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one"),
]

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "levenberg_marquardt.py"
UNSCALED = [fit for fit in FITS if "diag" not in OPTIONS[fit[2]](1)]  # the example has no diag

OUTPUTS = ("x", "fvec", "fjac", "ipvt", "qtf", "nfev", "info")

every_solver = pytest.mark.parametrize("solver", _minpack.solvers())


@pytest.fixture(scope="module")
def lmdif():
    return runpy.run_path(str(EXAMPLE))["lmdif"]


@pytest.mark.slow
@every_solver
@pytest.mark.parametrize(("problem", "factor", "options"), UNSCALED, ids=str)
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
    reached = {original("lmdif", problem, factor, options).info for problem, factor, options in UNSCALED}
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


def test_a_fit_survives_kill_9_and_repeats_only_the_evaluation_that_was_running(tmp_path):
    """It is killed at the first evaluation, at a trial point, and within Jacobians: n is 3."""
    state, evaluations = tmp_path / "state", 0
    for alive in (1, 4, 2, 3, 5):  # evaluations that it begins before it is killed
        with subprocess.Popen(**command("survives_kill.py", state), stdout=subprocess.PIPE, text=True) as process:
            for _ in range(alive):
                assert process.stdout.readline().startswith("simulating at ")
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            evaluations += alive + len(process.stdout.readlines())
    *last, result = output("survives_kill.py", state).splitlines()
    *all_at_once, expected = output("survives_kill.py", tmp_path / "another").splitlines()
    assert result == expected
    assert int(expected.split()[1]) == len(all_at_once)
    assert len(all_at_once) <= evaluations + len(last) <= len(all_at_once) + 5


@pytest.mark.others("distributed")
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


@pytest.fixture(scope="module")
def tolerances():
    """What the example of docs/tolerances.md prints, by head: its indented lines; and the page's two tables."""
    parts = re.split(r"^(?! )(.+)$", output("gallery/plot_tolerances.py"), flags=re.MULTILINE)
    _, digits, calls = tables(EXAMPLES.parent / "docs" / "tolerances.md")
    return dict(zip(parts[1::2], parts[2::2], strict=True)), digits, calls


def between(text):
    """The least and the most that "3" or "3 to 4" says."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    return numbers[0], numbers[-1]


@pytest.mark.last_bits
@pytest.mark.slow
def test_digits_against_tolerances_are_those_of_the_page(tolerances):
    """Whole digits: half a one more or less is the same. The ranges are those of other machines' last bits."""
    printed, (_, rows), _ = tolerances
    for j, curve in enumerate(f"{name} alone, {jac}" for jac in ("differences", "Dfun") for name in ("ftol", "xtol")):
        for tolerance, *cells in rows:
            found = re.search(rf"{float(tolerance):.0e}: median +([\d.]+), worst +([\d.]+) ", printed[curve]).groups()
            for digits, (least, most) in zip(found, map(between, cells[j].split("(")), strict=True):
                assert least - 0.5 <= float(digits) <= most + 0.5, f"{curve}, {tolerance}: {found}, not {cells[j]}"


@pytest.mark.last_bits
@pytest.mark.slow
def test_calls_from_a_far_start_are_those_of_the_page(tolerances):
    """To a tenth, as the page says; in its order."""
    printed, _, ((_, *problems), rows) = tolerances
    for j, problem in enumerate(problems, 1):
        found = re.findall(r"ier (\d), +(\d+) calls, sum of squares (\S+) times", printed[problem])
        for (label, *_), cell, (ier, calls, ratio) in zip(rows, [row[j] for row in rows], found, strict=True):
            least, most = between(cell) if cell[0].isdigit() else (np.inf, 0)
            is_there = (
                cell == "by chance"
                or ("maxfev" in cell and ier == "5")
                or (cell == "no" and float(ratio) > 1.001)
                or (float(ratio) < 1.001 and 0.9 * least <= int(calls) <= 1.1 * most)
            )
            assert is_there, f"{problem}, {label}: ier {ier}, {calls} calls, {ratio}; the page says {cell}"
