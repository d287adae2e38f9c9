"""`python -m pyminpack`: --info, and --selftest with its record."""

import json
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from problems import mgh
from processes.record_selftest import FILE, recorded
from pyminpack import __main__, _minpack, _selftest, show_config

pytestmark = pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one")

NUMBERS = {  # MINPACK's, of Moré, Garbow and Hillstrom's problems
    "linear_full_rank": 1, "linear_rank_1": 2, "rosenbrock": 4, "powell_singular": 6, "freudenstein_roth": 7,
    "bard": 8, "kowalik_osborne": 9, "watson": 11, "chebyquad": 15, "brown_almost_linear": 16,
}  # fmt: skip


def python_m(*arguments):
    command = [sys.executable, "-W", "error", "-m", "pyminpack", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_record_is_what_libminpack1_gives():
    assert json.loads(FILE.read_text()) == recorded()


def test_the_installed_package_has_the_record():
    assert _selftest.RECORDED.read_text() == FILE.read_text()


@pytest.mark.parametrize(("residuals", "x0"), _selftest.PROBLEMS,
                         ids=[f"{residuals.__name__}-{len(x0)}" for residuals, x0 in _selftest.PROBLEMS])
def test_its_problems_are_those_of_Moré_Garbow_and_Hillstrom(residuals, x0):
    """But for the last digits: the other formulas have pow and NumPy's sums."""
    _, formula, formula_jacobian = mgh.FORMULAS[NUMBERS[residuals.__name__]]
    x = np.array(x0) + np.linspace(0.1, 0.2, len(x0))
    r, jacobian = _selftest.func_of(residuals)(x), _selftest.Dfun_of(residuals)(x)
    i = np.arange(1.0, len(r) + 1)
    np.testing.assert_allclose(r, formula(i, x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jacobian, formula_jacobian(i, x), rtol=1e-11, atol=1e-11)


def test_its_floats_are_rounded_once():
    """On a 32-bit x86 the 387 would round them twice, in one of 2000 operations."""
    with _selftest.rounding_once():
        for a, b in zip(*(_selftest.random_numbers(5000, seed) for seed in (8, 9)), strict=True):
            exact = Fraction(a) / Fraction(b)
            assert abs(Fraction(a / b) - exact) <= Fraction(np.spacing(abs(a / b))) / 2


def test_selftest_passes_on_every_solver_and_instruction_set_and_says_so_in_one_line():
    process = python_m("--selftest")
    assert (process.returncode, process.stderr) == (0, "")
    ways = [*_minpack.instruction_sets(), *(f"{solver} solver" for solver in _minpack.solvers()[1:])]
    calls = len(ways) * len([*_selftest.cases()])
    line = rf"pyminpack {show_config('dicts')['version']}: {calls} calls have MINPACK's bits \({', '.join(ways)}\); "
    assert re.fullmatch(line + r"\d+\.\d s\n", process.stdout)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of doubted fits
def test_selftest_finds_every_output_that_is_one_bit_off():
    record = json.loads(FILE.read_text())
    for case in _selftest.cases():
        assert _selftest.complaint(case, "builtin", record[case.name]) is None
        for name, text in record[case.name].items():
            *numbers, last = text.split()
            following = np.nextafter(0.0 if last == "nan" else float.fromhex(last), -np.inf).hex()
            wrong = record[case.name] | {name: " ".join([*numbers, following])}
            place = f"{name}[{len(numbers)}]"
            assert _selftest.complaint(case, "builtin", wrong) == f"{place} is {last}, MINPACK's {following}", case.name


def test_selftest_names_each_wrong_call_and_leaves_the_instruction_set_as_it_was(monkeypatch, capsys, tmp_path):
    record = json.loads(FILE.read_text())
    record["enorm ordinary"]["norm"] = "0x1.0000000000000p+0"
    record["qrfac 5 x 3"]["ipvt"] += " 0x1.0000000000000p+2"
    monkeypatch.setattr(_selftest, "RECORDED", tmp_path / "record.json")
    _selftest.RECORDED.write_text(json.dumps(record))
    before = _minpack.instruction_set_in_use()
    assert __main__.main(["--selftest"]) == 1
    assert _minpack.instruction_set_in_use() == before
    *wrong, last = capsys.readouterr().out.splitlines()
    ways = len(_minpack.instruction_sets()) + len(_minpack.solvers()) - 1
    assert sum(line.startswith("enorm ordinary, ") for line in wrong) == ways
    assert sum(line.endswith(": ipvt has 3 numbers, MINPACK's 4") for line in wrong) == ways
    assert len(wrong) == 2 * ways
    assert last.startswith(f"FAILED: {2 * ways} of ")


def test_an_exception_in_a_call_is_a_failure_that_is_named(monkeypatch):
    def fail(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr(_selftest.kernels, "qrfac", fail)
    case = next(case for case in _selftest.cases() if case.routine == "qrfac")
    assert _selftest.complaint(case, "builtin", {}) == "MemoryError: no room"


def test_info_prints_what_show_config_prints(capsys):
    process = python_m("--info")
    show_config()
    assert (process.returncode, process.stdout, process.stderr) == (0, capsys.readouterr().out, "")


@pytest.mark.parametrize(("arguments", "status"), [
    (["--help"], 0), (["-h"], 0), ([], 2), (["--selftest", "--info"], 2), (["--nothing"], 2), (["-x"], 2),
])  # fmt: skip
def test_anything_else_is_answered_by_the_usage(capsys, arguments, status):
    assert __main__.main(arguments) == status
    printed = capsys.readouterr()
    assert printed[status == 2].startswith("usage: python -m pyminpack ")
    assert printed[status != 2] == ""
