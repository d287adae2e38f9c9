"""What only the C face has, with the bits of the original: leading dimensions, stops, all that lmdif and lmder leave.

The routines' results for all kinds of input are tested through pyminpack.kernels, in test_routines.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from helpers.bits import assert_same_bits, assert_same_outputs
from helpers.c_face import c_face
from oracles.libminpack import libminpack
from oracles.minpack_calls import UNTOUCHED, Array, Solution, UserFunction
from problems.routine_inputs import (
    BETWEEN,
    INF,
    KINDS,
    MATRICES,
    NAN,
    cubic,
    cubic_jacobian,
    every_kind,
    every_pivoting,
    every_point,
    every_system,
    make_dependent,
    make_permutation,
    make_regular,
    make_triangle,
    random_fit,
)
from pyminpack import kernels

pytestmark = pytest.mark.usefixtures("every_instruction_set")


def assert_agree(routine: str, *arguments: Any, **options: Any) -> None:
    """Our routine and the original's give the same bits in every output."""
    __tracebackhide__ = True
    actual, expected = (getattr(library, routine)(*arguments, **options) for library in (c_face, libminpack))
    assert_same_outputs(vars(actual), expected)


def test_the_norm_of_no_components_is_the_original_s():
    assert_same_bits(c_face.enorm([]), libminpack.enorm([]))


# Leading dimensions: the same bits, and nothing is written beyond the matrix


@every_pivoting
@pytest.mark.parametrize("a", MATRICES.values(), ids=MATRICES)
def test_qrfac_with_a_leading_dimension(a, pivot):
    assert_agree("qrfac", a, pivot=pivot, padding=3)


@every_pivoting
@every_kind
def test_qrfac_of_random_matrices_with_a_leading_dimension(kind, pivot):
    rng = np.random.default_rng(2)
    for case in range(100):
        a = KINDS[kind](rng, tuple(rng.integers(1, 14 if case < 90 else 70, 2)))
        with np.errstate(all="ignore"):
            make_dependent(rng, a)
        assert_agree("qrfac", a, pivot=pivot, padding=case % 4)


@every_system
def test_qrsolv_and_lmpar_with_a_leading_dimension(system):
    assert_agree("qrsolv", *system, padding=2)
    for delta, par in [(0.1, 0.0), (1.0, 1.0), (1e8, 0.0), (NAN, NAN)]:
        assert_agree("lmpar", *system, delta, par, padding=2)


@every_kind
def test_qrsolv_and_lmpar_of_random_systems_with_a_leading_dimension(kind):
    rng = np.random.default_rng(4)
    for case in range(100):
        n = int(rng.integers(1, 10))
        system = make_triangle(rng, kind, n), make_permutation(rng, n), KINDS[kind](rng, n), KINDS[kind](rng, n)
        assert_agree("qrsolv", *system, padding=case % 3)
        r, ipvt, diag, qtb = system
        diag = np.where(diag == 0, 1.0, np.abs(diag))
        assert_agree("lmpar", r, ipvt, diag, qtb, 10 ** rng.uniform(-4, 4), 0.0, padding=case % 3)


@every_point
def test_fdjac2_and_chkder_with_a_leading_dimension(x):
    with np.errstate(all="ignore"):
        fvec, fjac = cubic(x), cubic_jacobian(x)
        assert_agree("fdjac2", cubic, x, fvec, 1e-8, padding=4)
        assert_agree("chkder", x, fvec, fjac, cubic(1.0000001 * np.array(x)), mode=2, padding=2)


def test_covar_with_a_leading_dimension():
    rng = np.random.default_rng(8)
    for n in range(1, 8):
        r, ipvt = make_regular(rng, n)
        padded, expected = c_face.covar(r, ipvt, padding=2), kernels.covar(r, ipvt)
        assert_same_bits(padded.r[:n], expected.r)
        assert np.all(padded.r[n:] == UNTOUCHED)


# fdjac2, stopped


def unanswered(at: int, iflag: int) -> UserFunction:
    """cubic, but call number `at` answers with an iflag alone."""
    calls = itertools.count(1)
    return lambda x: iflag if next(calls) == at else cubic(x)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_stop_in_fdjac2_leaves_the_original_outputs(at):
    x = np.array([1.0, 2.0, 3.0])
    for library in (c_face, libminpack):
        actual = library.fdjac2(unanswered(at, -9), x, cubic(x))
        assert actual.iflag == -9
        assert actual.points.shape == (at, 3)
        assert_same_bits(actual.x, actual.points[-1])  # the stopped variable stays stepped
        assert_same_bits(actual.fjac[:, :at - 1], libminpack.fdjac2(cubic, x, cubic(x)).fjac[:, :at - 1])
        assert np.all(actual.fjac[:, at - 1:] == UNTOUCHED)


def test_a_positive_answer_does_not_stop_fdjac2():
    x = [1.0, 2.0, 3.0]
    for at in (1, 2, 3):
        ours, theirs = (library.fdjac2(unanswered(at, 5), x, cubic(x)) for library in (c_face, libminpack))
        assert len(ours.points) == 3
        assert_same_outputs(vars(ours), theirs)


# lmdif and lmder beyond the problems of test_mgh

IMPROPER: dict[str, tuple[int, dict[str, Any]]] = {  # m for three variables, options
    "m < n": (2, {}),
    "ldfjac < m": (5, {"padding": -1}),
    "negative ftol": (5, {"ftol": -1e-300}),
    "negative xtol": (5, {"xtol": -1.0}),
    "negative gtol": (5, {"gtol": -INF}),
    "no calls": (5, {"maxfev": 0}),
    "negative calls": (5, {"maxfev": -1}),
    "no factor": (5, {"factor": 0.0}),
    "negative factor": (5, {"factor": -1.0}),
    "zero scaling": (5, {"diag": [1.0, 2.0, 0.0]}),
    "negative scaling": (5, {"diag": [-1.0, 2.0, 3.0]}),
}
STRANGE: dict[str, dict[str, Any]] = {
    "one call": {"maxfev": 1},
    "two calls": {"maxfev": 2},
    "negative zeros": {"ftol": -0.0, "xtol": -0.0, "gtol": -0.0},
    "inf ftol": {"ftol": INF},
    "inf xtol": {"xtol": INF},
    "inf gtol": {"gtol": INF},
    "nan ftol": {"ftol": NAN},
    "nan xtol": {"xtol": NAN},
    "nan gtol": {"gtol": NAN},
    "nan epsfcn": {"epsfcn": NAN},
    "huge factor": {"factor": 1e300},
    "inf factor": {"factor": INF},
    "tiny factor": {"factor": 1e-300},
    "nan factor": {"factor": NAN},
    "nan scaling": {"diag": [1.0, NAN, 1.0]},
    "inf scaling": {"diag": [1.0, 2.0, INF]},
    "unequal scaling": {"diag": [1e-200, 1.0, 1e200]},
    "padded": {"padding": 3},
}

every_driver = pytest.mark.parametrize("driver", ["lmdif", "lmder"])


def run(library: Any, driver: str, residuals: UserFunction, jacobian: UserFunction, *arguments: Any,
        **options: Any) -> Solution:
    """lmdif or lmder with the functions and options that it takes."""
    if driver == "lmder":
        options.pop("epsfcn", None)
        arguments = (jacobian, *arguments)
    drive: Callable[..., Solution] = getattr(library, driver)
    return drive(residuals, *arguments, **options)


@every_driver
@pytest.mark.parametrize(("m", "options"), IMPROPER.values(), ids=IMPROPER)
def test_improper_input_is_refused_untouched(m, options, driver):
    functions, x = (cubic, cubic_jacobian), [1.0, 2.0, 3.0]
    ours, theirs = (run(library, driver, *functions, x, m, **options) for library in (c_face, libminpack))
    assert (ours.info, ours.nfev, ours.njev, ours.points.size) == (0, 0, 0, 0)
    assert_same_outputs(vars(ours), theirs)


@every_driver
def test_no_variables_are_improper_input(driver):
    ours, theirs = (run(library, driver, cubic, cubic_jacobian, [], 5) for library in (c_face, libminpack))
    assert ours.info == 0
    assert_same_outputs(vars(ours), theirs)


@every_driver
def test_a_positive_answer_does_not_stop(driver):
    x = [1.0, 2.0, 3.0]
    ours, theirs = (run(library, driver, unanswered(1, 5), cubic_jacobian, x, 5) for library in (c_face, libminpack))
    assert len(ours.points) > 1
    assert_same_outputs(vars(ours), theirs)


@every_driver
@pytest.mark.parametrize("options", STRANGE.values(), ids=STRANGE)
def test_strange_options_give_the_original_outputs(options, driver):
    functions, x = (cubic, cubic_jacobian), [1.0, 2.0, -3.0]
    ours, theirs = (run(library, driver, *functions, x, 5, **options) for library in (c_face, libminpack))
    assert_same_outputs(vars(ours), theirs)


@pytest.mark.parametrize(("info", "residual", "slope", "options"), [
    (6, np.sqrt(BETWEEN), 1.0, {}),             # the predicted reduction is BETWEEN
    (7, 1.0, 0.0, {"factor": 2 * BETWEEN}),     # so is the bound on the step, halved as nothing is gained
    (8, BETWEEN, 1.0, {}),                      # so is the cosine
])
def test_too_small_is_at_most_twelve_digits_of_the_precision(info, residual, slope, options):
    def residuals(x: Array) -> Array:
        return np.array([residual + slope * (x[0] - 1), 1.0])

    def jacobian(x: Array) -> Array:
        return np.array([[1.0], [0.0]])

    ours, theirs = (library.lmder(residuals, jacobian, [1.0], 2, ftol=0.0, xtol=0.0, **options)
                    for library in (c_face, libminpack))
    assert theirs.info == info
    assert_same_outputs(vars(ours), theirs)


@pytest.mark.parametrize(("start", "trial", "factor"), [
    ((0.015625, 0.9998779222360098), (0.9999694819561995, 0.0), 100.0),     # 0.25
    ((1.0, 0.0), (0.9650572258776937, 0.0), 0.046875),                      # 0.75, the bound on the step reached
    ((1e-200, 1.0), (0.0, 1.0), 100.0),                                     # 0, as the predicted reduction underflows
])
def test_a_ratio_just_at_its_limit_gives_the_original_outputs(start, trial, factor):
    def run(library: Any) -> Solution:
        answers = itertools.chain([start, trial], ((trial[0] * 0.9**k, trial[1]) for k in itertools.count(1)))
        return library.lmder(lambda x: next(answers), lambda x: [[1.0], [0.0]], [1.0], 2, factor=factor)

    assert_same_outputs(vars(run(c_face)), run(libminpack))


@every_driver
def test_random_functions_with_special_answers_give_the_original_outputs(driver):
    for fit in map(random_fit, range(600)):
        ours, theirs = (run(library, driver, *fit.functions(), fit.x, fit.m, **fit.options)
                        for library in (c_face, libminpack))
        assert_same_outputs(vars(ours), theirs)
