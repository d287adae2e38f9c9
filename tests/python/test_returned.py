"""What users' functions return, and where they start, is read in one way by all that takes functions."""

from __future__ import annotations

import itertools
import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from pyminpack import LevenbergMarquardt, check_jacobian, curve_fit, kernels, leastsq

X = [1.5, 2.5]
RESIDUALS, JACOBIAN = [0.5, 0.5, 0.25], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]  # at X
T = [1.0, 2.0, 3.75]


def func(x):
    return [x[0] - 1, x[1] - 2, x[0] + x[1] - 3.75]


def Dfun(x):
    return JACOBIAN


def f(t, *p):
    return [p[0] + 0, p[1] + 0, p[0] + p[1]]


def jac(t, *p):
    return JACOBIAN


# The caller, and what it calls its argument: a right function for it, and a call that returns numbers.
READERS = {
    ("leastsq", "func"): (func, lambda given: leastsq(given, X)[0]),
    ("leastsq", "Dfun"): (Dfun, lambda given: leastsq(func, X, Dfun=given)[0]),
    ("curve_fit", "f"): (f, lambda given: curve_fit(given, T, T, X)[0]),
    ("curve_fit", "jac"): (jac, lambda given: curve_fit(f, T, T, X, jac=given)[0]),
    ("fdjac2", "fcn"): (func, lambda given: kernels.fdjac2(given, X, RESIDUALS)),
    ("check_jacobian", "func"): (func, lambda given: check_jacobian(given, X, Dfun).scores),
    ("check_jacobian", "Dfun"): (Dfun, lambda given: check_jacobian(func, X, given).scores),
}
of_residuals = [(caller, role) for caller, role in READERS if role not in ("Dfun", "jac")]
of_jacobians = [reader for reader in READERS if reader not in of_residuals]


def by(readers):
    return pytest.mark.parametrize(("caller", "role"), readers, ids=map(" ".join, readers))


def call(caller, role, change):
    """A call with a function, by the name of `given`, whose results are changed first."""
    function, reader = READERS[caller, role]

    def given(*arguments):
        return change(function(*arguments))

    return reader(given)


def each(convert):
    """Of a list, nested or not, each entry converted."""
    def change(values):
        return [change(value) if isinstance(value, list) else convert(value) for value in values]

    return change


KINDS = {
    "a tuple": tuple,
    "an array": np.array,
    "by columns": np.asfortranarray,
    "big-endian": lambda values: np.array(values).astype(">f8"),
    **{f"{kind.__name__}s": each(kind) for kind in (float, Fraction, Decimal, np.longdouble, np.array)},
}


@pytest.mark.parametrize("change", KINDS.values(), ids=KINDS)
@by(READERS)
def test_real_numbers_of_any_kind_are_the_same_numbers(caller, role, change):
    assert_same_bits(call(caller, role, change), call(caller, role, lambda values: values))


REAL = "expected real numbers that cast safely to float64"
REFUSED = {
    "None": (lambda values: None, TypeError, f"None; {REAL} (is there a return statement?)"),
    "complex": (lambda values: 1j * np.array(values), TypeError, f"an array of dtype complex128; {REAL}"),
    "longdouble": (lambda values: np.array(values, np.longdouble), TypeError,
                   f"an array of dtype {np.dtype(np.longdouble)}; {REAL}"),
    "a string": (each(str), TypeError, f"a list whose entry FIRST is of type str; {REAL}"),
    "a dict": (lambda values: {}, TypeError, f"an object of type dict; {REAL}"),
    "ragged": (lambda values: ([1.0], [1.0, 2.0]), ValueError, "a tuple that makes no array: setting an array element"),
}


@pytest.mark.parametrize(("change", "error", "text"), REFUSED.values(), ids=REFUSED)
@by(READERS)
def test_what_is_not_real_is_refused_by_the_same_text(caller, role, change, error, text):
    with pytest.raises(error) as caught:
        call(caller, role, change)
    assert caught.type is error
    text = text.replace("FIRST", "[0]" if (caller, role) in of_residuals else "[0, 0]")
    assert str(caught.value).startswith(f"{caller}: {role} 'given' returned {text}")


@by(of_residuals)
def test_residuals_of_two_dimensions_are_refused_by_the_same_text(caller, role):
    with pytest.raises(TypeError) as caught:
        call(caller, role, lambda values: [values])
    assert str(caught.value) == (
        f"{caller}: {role} 'given' returned an array of shape (1, 3); expected one dimension (use .ravel())"
    )


@by(of_jacobians)
def test_a_transposed_jacobian_is_refused_by_the_same_text(caller, role):
    with pytest.raises(TypeError) as caught:
        call(caller, role, lambda values: np.transpose(values))
    assert str(caught.value) == (
        f"{caller}: there is a mismatch between the input and output shape of the '{role}' argument 'given'."
        " Shape should be (3, 2) but it is (2, 3). Transpose it, or pass col_deriv=True."
    )


@by([("leastsq", "func"), ("check_jacobian", "func"), ("fdjac2", "fcn")])
def test_another_number_of_residuals_is_refused_by_the_same_text(caller, role):
    calls = itertools.count(1)
    with pytest.raises(ValueError, match="changed size") as caught:
        call(caller, role, lambda values: values if next(calls) == 1 else values[:2])
    assert str(caught.value) == (
        "The array returned by a function changed size between calls:"
        f" {role} 'given' returned 2 residuals, after 3 in its first call"
    )


@by([reader for reader in READERS if reader != ("curve_fit", "f")])  # NumPy subtracts no ydata from masked entries
def test_masked_entries_count_and_one_warning_at_the_callers_line_says_so(caller, role):
    size = 3 if (caller, role) in of_residuals else 6

    def masked(values):
        return np.ma.masked_array(values, np.arange(size).reshape(np.shape(values)) == 2)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        numbers = call(caller, role, masked)
    assert_same_bits(numbers, call(caller, role, np.array))
    [warning] = caught
    assert (warning.category, warning.filename) == (RuntimeWarning, __file__)
    assert str(warning.message).startswith(
        f"{caller}: {role} returned a masked array in call 1: 1 of its {size} entries are masked,"
        " the first at index 2; they count like any other. Leave "
    )


# Where they start

STARTS = {
    ("leastsq", "x0"): lambda x0: leastsq(func, x0),
    ("curve_fit", "p0"): lambda p0: curve_fit(f, T, T, p0),
    ("check_jacobian", "x0"): lambda x0: check_jacobian(func, x0, Dfun),
    ("LevenbergMarquardt", "x0"): LevenbergMarquardt,
}
REFUSED_STARTS = {
    "complex": ([1j, 1.0], TypeError, f" is an array of dtype complex128; {REAL}: Cannot cast"),
    "objects": ([1.5, Fraction(5, 2)], TypeError, f"[1] is of type Fraction; {REAL}: Cannot cast"),
    "a string": (["a", 1.0], TypeError, f" is an array of dtype <U32; {REAL}: Cannot cast"),
    "ragged": ([[1.0], [1.0, 2.0]], ValueError, " is a list that makes no array: setting an array element"),
}


@pytest.mark.parametrize(("start", "error", "text"), REFUSED_STARTS.values(), ids=REFUSED_STARTS)
@by(STARTS)
def test_a_start_that_is_not_real_is_refused_by_the_same_text(caller, role, start, error, text):
    with pytest.raises(error, match=re.escape(f"{caller}: {role}{text}")) as caught:
        STARTS[caller, role](start)
    assert caught.type is error
