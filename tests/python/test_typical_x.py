"""typical_x: sizes below which a parameter does not count as small, for the steps of differences."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.told import answer
from problems.hostile import assert_same_result
from pyminpack import LevenbergMarquardt, leastsq

pytestmark = [pytest.mark.usefixtures("builtin_solver"), pytest.mark.any_numpy]

EPSMCH = 2.22044604926e-16


def steps(x, **options):
    """What is added to each x[j] in the first Jacobian, as it is added."""
    points = []
    leastsq(lambda p: (points.append(np.copy(p)), np.concatenate([p, np.ones(3)]))[1], x, maxfev=1, **options)
    return np.array([points[1 + j][j] for j in range(len(x))])


@pytest.mark.filterwarnings("ignore:Number of calls")
@pytest.mark.parametrize("epsfcn", [None, 1e-10, 0.0, 1e-4])
@pytest.mark.parametrize(("x", "typical_x"), [
    ([0.0, 1.0, -2.0], 1.0), ([0.0, 1e-9, -3.0], [1.0, 10.0, 2.0]), ([5.0, -1e3, 1e9], 1.0), ([1e-30, 0.0, 1.0], 1e-5),
    ([1.0, 2.0, 3.0], 1e-300), ([0.0, -0.0, 1e-320], 5e-324),
], ids=str)  # fmt: skip
def test_the_step_is_the_root_of_epsfcn_times_the_larger_of_abs_x_and_typical_x(x, typical_x, epsfcn):
    eps = np.sqrt(max(2.0**-52 if epsfcn is None else epsfcn, EPSMCH))
    h = eps * np.maximum(np.abs(x), typical_x)
    h[h == 0] = eps
    assert_same_bits(steps(x, epsfcn=epsfcn, typical_x=typical_x), np.array(x) + h)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_NaN_stays_one_as_in_MINPACK():
    found = steps([np.nan, 0.0, 1.0], typical_x=1.0)
    assert np.isnan(found[0])
    assert found[1] == np.sqrt(EPSMCH)


def residuals(x):
    t = np.arange(1.0, 8.0)
    return x[0] / (x[1] + t) + x[2] - 1 / t


def shifted(x):
    """residuals, whose solution is not at 0."""
    return residuals(x) + 0.01 * np.arange(7.0)


@pytest.mark.parametrize("typical_x", [1e-9, [1e-9, 1e-12, 1e-30], np.float32(1e-9), 1e-9 * np.ones(3, np.float32)],
                         ids=str)  # fmt: skip
def test_where_x_is_larger_the_bits_are_those_without(typical_x):
    x0, seen = [1.0, 0.5, 0.25], []
    plain = leastsq(shifted, x0, full_output=True, callback=seen.append)
    assert np.all(np.abs(seen) > typical_x)
    assert_same_result(leastsq(shifted, x0, full_output=True, typical_x=typical_x), plain)


def test_all_ways_to_a_jacobian_take_the_same_steps():
    x0, typical_x = [0.0, 0.0, 0.0], [1.0, 0.1, 10.0]
    by_calls = leastsq(residuals, x0, full_output=True, typical_x=typical_x)
    options = {"full_output": True, "typical_x": typical_x}
    assert_same_result(leastsq(lambda x: [*map(residuals, x)], x0, vectorized=True, **options), by_calls)
    assert_same_result(leastsq(residuals, x0, workers=map, **options), by_calls)
    fit = LevenbergMarquardt(x0, typical_x=typical_x)
    while not fit.done:
        fit.tell([residuals(x) for x in fit.ask()])
    assert_same_result(fit.result(), by_calls)


def test_it_helps_where_a_parameter_starts_at_0_and_func_rounds():
    def rounded(x):
        return np.round(np.array([x[0] - 3, x[1] - 2, x[0] + x[1]]), 4)

    with pytest.warns(RuntimeWarning, match=r"all derivatives.*exactly zero.*1\.49e-08"):
        leastsq(rounded, [0.0, 0.0])
    x = leastsq(rounded, [0.0, 0.0], typical_x=1e6)[0]
    assert np.allclose(x, [4 / 3, 1 / 3], atol=1e-2)


def test_the_warning_of_zero_columns_names_the_steps_that_were_taken():
    with pytest.warns(RuntimeWarning, match=r"x\[1\] are exactly zero.*in a difference step of 1.49e-06"):
        leastsq(lambda x: np.array([x[0] - 1, x[0] + 1]), [0.5, 0.0], typical_x=100.0)


REFUSED = {
    "zero": (ValueError, "leastsq: typical_x is 0.0; expected a positive number or a vector of 3 of them", 0),
    "negative": (ValueError, "leastsq: typical_x[1] is -2.0; expected a positive number", [1, -2, 3]),
    "NaN": (ValueError, "leastsq: typical_x[2] is nan; expected a positive number", [1, 2, np.nan]),
    "inf": (ValueError, "leastsq: typical_x is inf; expected a positive number or", np.inf),
    "too short": (ValueError, "leastsq: typical_x has length 2; expected a positive number or a vector of 3", [1, 2]),
    "a matrix": (ValueError, "leastsq: typical_x has 2 dimensions; expected a positive number or", [[1, 2, 3]]),
    "text": (ValueError, "leastsq: typical_x must be a positive number or a vector of 3 of them, not str", "a"),
    "complex": (TypeError, "leastsq: typical_x must be a positive number or a vector of 3 of them, not complex", 1j),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_positive_numbers_is_refused(case):
    error, text, typical_x = REFUSED[case]
    with pytest.raises(error) as caught:
        leastsq(residuals, [1.0, 1.0, 1.0], typical_x=typical_x)
    assert str(caught.value).startswith(text)


T = np.linspace(0.0, 4.0, 25)
A = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]])
TYPICAL = {"a number": 1.0, "a vector": [0.5, 2.0], "a large one": 10.0, "none": None}


def line(x):
    return A @ x - 1e5


def line_jacobian(x):
    return A


@pytest.mark.parametrize("factor", [100, 0.5])
@pytest.mark.parametrize("case", TYPICAL)
@pytest.mark.parametrize("x0", [[1e-12, -1e-30], [0.0, 0.0], [1.5, 1e-3]], ids=str)
def test_the_first_step_is_bound_by_factor_times_the_larger_of_abs_x_and_typical_x(x0, case, factor):
    """MINPACK keeps the bound to a tenth; at x of 0 without typical_x it is factor, and differences are lost."""
    options = {"typical_x": TYPICAL[case], "factor": factor}
    D = np.linalg.norm(A, axis=0)
    bound = factor * (np.linalg.norm(D * np.maximum(np.abs(x0), TYPICAL[case] or 0)) or 1)

    def first(intermediate_result):
        pnorms.append(intermediate_result.pnorm)
        raise StopIteration

    pnorms = []
    for Dfun in (line_jacobian, None)[: 1 if options["typical_x"] is None else 2]:
        leastsq(line, x0, Dfun=Dfun, callback=first, **options)
    fit = LevenbergMarquardt(x0, jacobian=True, **options)
    for _ in range(3):
        fit.tell(answer(fit, line, line_jacobian))
    for pnorm in [*pnorms, fit.pnorm]:
        assert 0.89 * bound <= pnorm <= 1.11 * bound


def phase(p):
    return np.sin(T + p[0]) + p[1] - np.sin(T + 0.3) - 0.5


def phase_jacobian(p):
    return np.stack([np.cos(T + p[0]), np.ones_like(T)], axis=1)


@pytest.mark.parametrize("Dfun", [None, phase_jacobian], ids=["differences", "Dfun"])
@pytest.mark.parametrize("exponent", [11, 12, 16, 30, 50])
def test_a_tiny_start_is_left_with_it(exponent, Dfun):
    x, _ = leastsq(phase, 2 * [10.0**-exponent], Dfun=Dfun, typical_x=1.0)
    assert np.allclose(x, [0.3, 0.5])


def test_with_Dfun_the_bits_are_those_without_where_x_is_larger():
    plain = leastsq(phase, [1.0, 0.7], Dfun=phase_jacobian, full_output=True)
    found = leastsq(phase, [1.0, 0.7], Dfun=phase_jacobian, full_output=True, typical_x=[1e-9, 0.7])
    assert_same_result(found, plain)
