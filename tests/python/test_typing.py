"""The types of the installed package, as mypy --strict and pyright see them from a user's program."""

import inspect
import json
import re
import subprocess
import sys
import typing

import pytest

from pyminpack import _curve_fit, _leastsq

pytestmark = pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one")

PROGRAM = """
from typing import assert_type
import numpy as np
from numpy.typing import NDArray
from pyminpack import InfoDict, Uncertainty, check_jacobian, curve_fit, kernels, leastsq, uncertainty

Vector = NDArray[np.float64]
Short = tuple[Vector, int]
Full = tuple[Vector, Vector | None, InfoDict, str, int]

def residuals(p: Vector, t: Vector, y: Vector) -> Vector:
    model: Vector = p[0] * np.exp(-p[1] * t)
    return model - y

def jacobian(p: Vector, t: Vector, y: Vector) -> list[list[float]]:
    return [[1.0, 2.0]]

def single(p: Vector) -> float:
    return float(p[0])

t = np.linspace(0, 1, 5)
flag = bool(t.size)

assert_type(leastsq(single, 0), Short)
assert_type(leastsq(residuals, [1, 1], (t, t)), Short)
assert_type(leastsq(residuals, t, args=(t, t), Dfun=jacobian, col_deriv=True), Short)
assert_type(leastsq(single, 0, full_output=False, ftol=0, gtol=0.0, maxfev=7, epsfcn=1e-8, factor=1, diag=[1]), Short)
assert_type(leastsq(single, 0, t, None, False, False, 0, 0, 0, 7, None, 0.1, t), Short)
assert_type(leastsq(single, 0, full_output=True), Full)
assert_type(leastsq(residuals, (1.0, 1.0), (t, t), jacobian, True), Full)
assert_type(leastsq(residuals, [1, 1], args=(t, t), Dfun=jacobian, full_output=True, diag=t), Full)
assert_type(leastsq(single, 0, full_output=flag), Short | Full)
assert_type(leastsq(single, 0, full_output=1, col_deriv=0), Full)
assert_type(leastsq(residuals, (1.0, 1.0), (t, t), jacobian, 1), Full)
assert_type(leastsq(single, 0, full_output=0, col_deriv=1), Short)
assert_type(leastsq(single, 0, (), None, 0), Short)
assert_type(leastsq(single, 0, full_output=int(flag)), Short | Full)
assert_type(leastsq(single, 0, ftol=np.float32(1), maxfev=np.int64(3), factor=np.float64(1), epsfcn=t[0]), Short)
assert_type(leastsq(single, 0, (), None, flag), Short | Full)

x, cov_x, infodict, mesg, ier = leastsq(single, 0, full_output=True)
assert_type(infodict["fvec"], Vector)
assert_type(infodict["fjac"], Vector)
assert_type(infodict["qtf"], Vector)
assert_type(infodict["ipvt"], NDArray[np.int32])
assert_type(infodict["nfev"], int)
assert_type(infodict.get("njev"), int | None)

assert_type(kernels.enorm(t, solver="original"), float)
a, ipvt, rdiag, acnorm = kernels.qrfac([[1, 2], [3, 4]], pivot=flag)
assert_type(ipvt, NDArray[np.int32])
assert_type(kernels.qrsolv(a, ipvt, rdiag, acnorm).x, Vector)
assert_type(kernels.lmpar(a, ipvt, rdiag, acnorm, 1, t[0]).par, float)
assert_type(kernels.fdjac2(single, [1.0], [2.0], epsfcn=1e-8), Vector)
assert_type(kernels.chkder(t, t, a, t, mode=2, solver=None), Vector)
assert_type(kernels.covar(a, ipvt, 0).rank, int)
assert_type(check_jacobian(residuals, t, jacobian, (t, t), col_deriv=flag).scores, Vector)
assert_type(check_jacobian(residuals, t, jacobian).worst, tuple[int, int])

def line(t: Vector, a: float, b: float) -> Vector:
    return a * t + b

Curve = tuple[Vector, Vector]
FullCurve = tuple[Vector, Vector, InfoDict, str, int]
assert_type(curve_fit(line, t, t), Curve)
assert_type(curve_fit(line, None, [1, 2], [1, 1], t, True, jac=jacobian, nan_policy="omit", maxfev=7), Curve)
assert_type(curve_fit(line, t, t, 1, sigma=t, full_output=True, ftol=1e-3, bounds=(-np.inf, np.inf)), FullCurve)
assert_type(curve_fit(line, t, t, full_output=1, method="lm", absolute_sigma=flag, check_finite=False), FullCurve)
assert_type(curve_fit(line, t, t, full_output=flag), Curve | FullCurve)
assert_type(uncertainty(x, cov_x, infodict), Uncertainty)
assert_type(uncertainty(x, None, infodict, absolute=flag, tol=0).standard_errors, Vector)
assert_type(uncertainty([1], [[1]], {"fvec": t, "fjac": a, "ipvt": ipvt}).rank, int)
"""

ERRORS = {
    "leastsq(3, 0)": "call-overload",
    "leastsq(single)": "call-overload",
    "leastsq(single, 0, Dfun=3)": "call-overload",
    "leastsq(single, 0, ftol='1')": "call-overload",
    "leastsq(single, 0, maxfev=1.5)": "call-overload",
    "leastsq(single, 0, maxfev=None)": "call-overload",
    "leastsq(single, 0, full_output='yes')": "call-overload",
    "leastsq(single, 0, diag=single)": "call-overload",
    "leastsq(single, 0, tolerance=1e-8)": "call-overload",
    "wanting, three, more = leastsq(single, 0)": "misc",
    "one, other = leastsq(single, 0, full_output=True)": "misc",
    "infodict['fev']": "typeddict-item",
    "kernels.enorm(t, solver='ours')": "arg-type",
    "kernels.chkder(t, mode=3)": "arg-type",
    "curve_fit(line, t)": "call-overload",
    "curve_fit(line, t, t, jac='2-point')": "call-overload",
    "curve_fit(line, t, t, method='trf')": "call-overload",
    "curve_fit(line, t, t, args=(1,))": "call-overload",
    "uncertainty(x, cov_x)": "call-arg",
    "cov_x.T": "union-attr",
    "assert_type(x, int)": "assert-type",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The codes of mypy's errors, line by line, in the program followed by the lines of ERRORS."""
    folder = tmp_path_factory.mktemp("typing")
    (folder / "program.py").write_text(PROGRAM + "\n".join(ERRORS))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "program.py"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.stderr == ""
    codes = [set() for line in (PROGRAM + "\n".join(ERRORS)).splitlines()]
    for number, text in re.findall(r"^program\.py:(\d+): error: (.*)$", process.stdout, re.MULTILINE):
        codes[int(number) - 1].add(re.search(r"\[([a-z-]+)\]$", text)[1])
    assert "checked 1 source file" in process.stdout
    return codes


@pytest.mark.others("mypy")
def test_a_right_program_is_clean(found):
    clean = len(PROGRAM.splitlines())
    assert found[:clean] == [set()] * clean


@pytest.mark.others("mypy")
@pytest.mark.parametrize(("number", "code"), [*enumerate(ERRORS.values())], ids=ERRORS)
def test_a_wrong_statement_is_found(found, number, code):
    assert found[len(PROGRAM.splitlines()) + number] == {code}


@pytest.mark.others("pyright")
def test_pyright_finds_the_wrong_statements_and_no_other(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM + "\n".join(ERRORS))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "program.py"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    lines = {entry["range"]["start"]["line"] for entry in json.loads(process.stdout)["generalDiagnostics"]}
    first = len(PROGRAM.splitlines())
    assert lines == {*range(first, first + len(ERRORS))}


@pytest.mark.parametrize(("function", "options", "first", "apart"), [
    (_leastsq.leastsq, _leastsq.Options, "col_deriv", ()),
    (_curve_fit.curve_fit, _curve_fit._Options, "sigma", ("full_output", "kwargs")),
], ids=["leastsq", "curve_fit"])  # fmt: skip
def test_the_options_for_type_checkers_are_the_keywords(function, options, first, apart):
    """By name and type; stubtest does not look into the TypedDict that the overloads have."""
    hints = typing.get_type_hints(function)
    names = list(inspect.signature(function).parameters)
    own = {name: hints[name] for name in names[names.index(first):] if name not in apart}
    inherited = typing.get_type_hints(_leastsq.Options) if "kwargs" in apart else {}
    assert typing.get_type_hints(options) == inherited | own
