"""NaN and inf: MINPACK's bits, and if any is returned one warning that says where the first came from."""

import re
import warnings
from itertools import count

import numpy as np
import pytest
import scipy.optimize

from helpers.bits import assert_same_bits
from helpers.warned import warned
from oracles.libminpack import libminpack
from pyminpack import leastsq

ORIGIN = re.compile(r"leastsq: (fvec|cov_x) is not finite;"
                    r" the first NaN or inf is at index (\d+) of (?:what (func|Dfun) returned in call (\d+)|x0)")
SIGNALLING = np.array(0x7FF0000000000001, np.uint64).view(np.float64)[()]
START = [1.0, 0.1]
T = np.linspace(0, 4, 12)
Y = 5 * np.exp(-T / 2) + 0.1 * np.sin(9 * T)


def decay(p):
    """Twelve residuals of an exponential decay."""
    with np.errstate(all="ignore"):
        return p[0] * np.exp(-p[1] * T) - Y


def decay_jacobian(p):
    with np.errstate(all="ignore"):
        return np.stack([np.exp(-p[1] * T), -p[0] * T * np.exp(-p[1] * T)], axis=1)


def origins(texts):
    """(what is not finite, role, index, call) of each warning of that; a fit that is stuck must tell its cause."""
    for text in texts:
        if "not a minimum by the Jacobian" in text:
            assert "the first NaN or inf is at index " in text
    found = [ORIGIN.fullmatch(text) for text in texts if " is not finite" in text]
    return [(what, role or "x0", int(index), int(call or 0)) for what, index, role, call in map(re.Match.groups, found)]


def what_is_not_finite(fvec, cov_x):
    if not np.isfinite(fvec).all():
        return "fvec"
    return None if cov_x is None or np.isfinite(cov_x).all() else "cov_x"


# Where it comes from


class Spoiled:
    """A function whose flat result has another value at one index, in its calls first to last, counted from 1."""

    def __init__(self, function, value, index, first, last):
        self.function, self.value, self.index, self.first, self.last = function, value, index, first, last
        self.calls = count(1)

    def __call__(self, p):
        result = self.function(p)
        if self.first <= next(self.calls) <= self.last:
            result.flat[self.index] = self.value
        return result


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("index", [0, 7, 11])
@pytest.mark.parametrize("value", [np.nan, SIGNALLING, np.inf, -np.inf], ids=["nan", "snan", "inf", "-inf"])
@pytest.mark.parametrize(("role", "driver"), [("func", "lmdif"), ("func", "lmder"), ("Dfun", "lmder")])
def test_at_any_call_the_bits_are_those_of_minpack_and_one_warning_tells_index_and_call(
    role, driver, value, index, lasting
):
    def functions(first=0, last=-1):
        good = {"func": decay, "Dfun": decay_jacobian}
        good[role] = Spoiled(good[role], value, index, first, last)
        return [good["func"]] if driver == "lmdif" else [*good.values()]

    def ours(*calls, **options):
        func, Dfun = (*functions(*calls), None)[:2]
        return warned(func, START, Dfun=Dfun, **options)

    (_, _, info, *_), texts = ours(full_output=True)
    assert texts == []
    for call in range(1, info["nfev" if role == "func" else "njev"] + 1):
        calls = call, np.inf if lasting else call
        expected = getattr(libminpack, driver)(*functions(*calls), START, T.size)
        (x, cov_x, info, _, ier), texts = ours(*calls, full_output=True)
        assert (ier, info["nfev"], info.get("njev", 0)) == (expected.info, expected.nfev, expected.njev)
        assert_same_bits(x, expected.x, "x")
        assert_same_bits(info["fjac"].T, expected.fjac, "fjac")
        for name in ("fvec", "ipvt", "qtf"):
            assert_same_bits(info[name], getattr(expected, name), name)
        what = what_is_not_finite(info["fvec"], cov_x)
        assert origins(texts) == ([(what, role, index, call)] if what else [])

        (short_x, short_ier), texts = ours(*calls)
        assert short_ier == ier
        assert_same_bits(short_x, x, "x")
        assert origins(texts) == ([(what, role, index, call)] if what else [])


@pytest.mark.parametrize("index", [0, 1, 254, 255, 256, 257, 511, 512, 767, 999])
def test_of_many_numbers_the_first_is_told(index):
    fvec = np.where(np.arange(1000) < index, 1.0, np.nan)
    assert origins(warned(lambda p: fvec, 1.0)[1]) == [("fvec", "func", index, 1)]


@pytest.mark.parametrize(("options", "said"), [
    ({"factor": np.nan}, "factor is NaN"),
    ({"diag": [1.0, np.nan]}, "the first NaN or inf is at index 1 of diag"),
    ({"diag": [np.inf, np.nan]}, "the first NaN or inf is at index 0 of diag"),
])  # fmt: skip
@pytest.mark.parametrize("Dfun", [None, decay_jacobian], ids=["differences", "Dfun"])
def test_a_factor_or_a_diag_that_is_not_finite_is_to_blame(options, said, Dfun):
    _, texts = warned(decay, START, Dfun=Dfun, **options)
    assert texts == [f"leastsq: fvec is not finite; {said}"]


def hidden(p):
    """A residual that makes numbers of NaN and inf."""
    return np.nan_to_num(p, nan=0.0, posinf=0.0, neginf=0.0) - 1


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize(("start", "options", "said"), [
    ([2.0, 3.0], {"factor": np.nan}, "factor is NaN"),
    ([2.0, 3.0], {"diag": [1.0, np.nan]}, "the first NaN or inf is at index 1 of diag"),
    ([2.0, np.nan], {}, "the first NaN or inf is at index 1 of x0"),
])  # fmt: skip
def test_an_x_that_is_not_finite_is_told_of_though_func_hides_it(start, options, said, full_output):
    outcome, texts = warned(hidden, start, full_output=full_output, **options)
    assert not np.isfinite(outcome[0]).all()
    assert texts == [f"leastsq: x is not finite; {said}"]


@pytest.mark.parametrize("full_output", [False, True])
def test_a_difference_quotient_that_overflows_is_told_of_in_every_form(full_output):
    def steep(p):
        return 1e302 * np.sign(p[0]) * np.linspace(0, 1, 5) + p[1]

    _, texts = warned(steep, [0.0, 1.0], full_output=full_output)
    assert texts == ["leastsq: cov_x is not finite, though func and Dfun returned finite numbers only"]


@pytest.mark.parametrize("call", [1, 2, 3])
def test_func_is_to_blame_for_what_it_returned_before_the_first_step(call):
    _, texts = warned(Spoiled(decay, np.nan, 3, call, 10**9), START, diag=[1.0, np.inf])
    assert len(texts) == 1
    assert texts[0].endswith(f"the first NaN or inf is at index 3 of what func returned in call {call}")


@pytest.mark.parametrize(("x0", "index"), [([np.nan, 1.0], 0), ([1.0, np.inf], 1), ([1.0, -np.inf], 1)])
@pytest.mark.parametrize("Dfun", [None, decay_jacobian], ids=["differences", "Dfun"])
def test_of_a_start_that_is_not_finite_x0_is_told(x0, index, Dfun):
    with np.errstate(all="ignore"):
        assert origins(warned(decay, x0, Dfun=Dfun)[1]) == [("fvec", "x0", index, 0)]


@pytest.mark.parametrize(("arrange", "col_deriv", "index"), [
    (np.array, False, 3 * 2 + 1),
    (np.asfortranarray, False, 3 * 2 + 1),
    (np.transpose, True, 0 * 12 + 5),
    (lambda jacobian: jacobian.T.copy(), True, 0 * 12 + 5),
    (lambda jacobian: jacobian[::-1].copy()[::-1].tolist(), False, 3 * 2 + 1),
])  # fmt: skip
def test_the_index_in_a_jacobian_is_that_of_what_Dfun_returned_flattened(arrange, col_deriv, index):
    def Dfun(p):
        jacobian = decay_jacobian(p)
        jacobian[3, 1] = jacobian[5, 0] = np.nan
        return arrange(jacobian)

    texts = warned(decay, START, Dfun=Dfun, col_deriv=col_deriv, full_output=True)[1]
    assert origins(texts) == [("cov_x", "Dfun", index, 1)]


def test_the_largest_and_the_smallest_numbers_are_finite():
    largest, smallest = np.finfo(float).max, 5e-324
    assert origins(warned(lambda p: [largest, -largest, smallest, -smallest, 0.0, -0.0], 1.0)[1]) == []


# Natural causes


def natural(function):
    """A function without NumPy's own warnings that records whether all its results were finite."""
    def func(p):
        with np.errstate(all="ignore"):
            values = function(p)
        func.all_finite &= bool(np.isfinite(values).all())
        return values

    func.all_finite = True
    return func


NATURAL = {
    "a step beyond the domain": (lambda p: np.log(p) + 2, [3.0], None),
    "a step beyond the domain in one variable": (lambda p: np.log(p) - [-2.0, 1.0], [3.0, 2.0], None),
    "a step to overflow": (lambda p: np.exp(p) - 1, [-8.0], None),
    "a step to a pole": (lambda p: 1 / np.maximum(p, 0) - 2, [2.0], None),
    "a start outside the domain": (lambda p: np.log(p), [-1.0], "fvec"),
    "a start at the domain's edge": (lambda p: np.log(p) * np.ones(3), [0.0], "fvec"),
    "a start that overflows": (lambda p: np.exp(p) - [1.0, 2.0], [800.0, 1.0], "fvec"),
    "differences beyond the domain": (lambda p: np.arcsin(p) * [1.0, 2.0], [1.0, 0.5], "cov_x"),
    "a start that is NaN": (lambda p: p * [1.0, 2.0] - 3, [np.nan, 1.0], "fvec"),
}


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize("cause", NATURAL)
@pytest.mark.needs("scipy==1.14.1")
def test_from_natural_causes_the_bits_are_those_of_scipy_and_recovery_is_silent(cause, full_output):
    function, x0, what = NATURAL[cause]
    func = natural(function)
    ours, texts = warned(func, x0, full_output=full_output)
    assert not func.all_finite
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = scipy.optimize.leastsq(natural(function), x0, full_output=full_output)
    assert_same_bits(ours[0], theirs[0], "x")
    assert ours[-1] == theirs[-1]
    if full_output:
        for name, value in theirs[2].items():
            assert_same_bits(ours[2][name], value, name)
    assert [found[0] for found in origins(texts)] == ([what] if what else [])


# The warning


def test_func_s_own_warnings_pass_and_no_more_than_them():
    def func(p):
        warnings.warn("mine", stacklevel=1)
        return np.log(p)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nfev = leastsq(func, [-1.0], full_output=True)[2]["nfev"]
    assert [str(warning.message).split()[0] for warning in caught] == ["mine", "invalid"] * nfev + ["leastsq:"]


NOT_FROM_OUTSIDE = "leastsq: cov_x is not finite, though func and Dfun returned finite numbers only"


@pytest.mark.parametrize(("slope", "variance", "expected"), [(1e-200, np.inf, [NOT_FROM_OUTSIDE]), (1e200, 0.0, [])])
def test_overflow_and_underflow_of_cov_x_raise_no_warning_of_NumPy_s(slope, variance, expected):
    with np.errstate(all="raise"):
        (_, cov_x, *_), texts = warned(natural(lambda p: slope * (p - 1)), 3.0, full_output=True)
        np.ones(3) / np.ones(3)
    assert cov_x == [[variance]]
    assert texts == expected


def test_every_call_warns_anew():
    for _ in range(3):
        assert len(warned(lambda p: [np.nan, 1.0], 1.0)[1]) == 1


def test_the_warning_as_an_error_is_raised_from_the_call():
    with pytest.raises(RuntimeWarning, match=r"^leastsq: fvec is not finite"):
        leastsq(lambda p: [1.0, np.nan], 1.0)
