"""nonfinite="raise": a fit ends at the first NaN or inf, and the error says where it came from."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from problems.hostile import assert_same_result
from pyminpack import NonFiniteError, leastsq

pytestmark = pytest.mark.usefixtures("builtin_solver")

X0 = [3.0, 1.0]
T = np.linspace(0, 2, 6)


def line(x):
    return x[0] + x[1] * T * T - T


def line_jacobian(x):
    return np.stack([np.ones_like(T), T * T], axis=1)


def spoiled(function, at, value=np.nan, index=2):
    """A function whose call number `at` has a NaN, at this index of what it returns in C order."""
    calls = [0]

    def call(x):
        calls[0] += 1
        result = np.array(function(x))
        if calls[0] == at:
            result.flat[index] = value
        return result

    return call


def points(func, **options):
    """Where a function is called."""
    found = []
    leastsq(lambda x: (found.append(np.copy(x)), func(x))[1], X0, **options)
    return found


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 7])
def test_in_a_call_of_func(at, value):
    """1: at x0; 2 and 3: differences; 4: the first trial; ..."""
    called = points(line)
    with pytest.raises(NonFiniteError) as caught:
        leastsq(spoiled(line, at, value), X0, nonfinite="raise")
    error = caught.value
    assert isinstance(error, FloatingPointError)
    assert (error.function, error.index, error.call) == ("func", 2, at)
    assert_same_bits(error.point, called[at - 1])
    best = called[0] if at <= 4 else called[3]
    assert_same_bits(error.x, best)
    assert str(error) == (f"leastsq: the first NaN or inf is at index 2 of what func returned in call {at},"
                          f" at x = {error.point}; the best x before was {error.x}")  # fmt: skip


@pytest.mark.parametrize("at", [1, 2])
def test_in_a_call_of_Dfun(at):
    with pytest.raises(NonFiniteError) as caught:
        leastsq(line, X0, Dfun=spoiled(line_jacobian, at, index=5), nonfinite="raise")
    error = caught.value
    assert (error.function, error.index, error.call) == ("Dfun", 5, at)
    assert_same_bits(error.point, error.x)


def test_in_a_vectorized_call():
    def rows(x):
        return np.array([line(row) for row in x])

    with pytest.raises(NonFiniteError) as caught:
        leastsq(spoiled(rows, 2, index=8), X0, vectorized=True, nonfinite="raise")
    error = caught.value
    assert (error.function, error.index, error.call) == ("func", 8, 2)
    assert_same_bits(error.point, points(line)[2])
    assert_same_bits(error.x, np.array(X0))


def test_by_workers():
    with pytest.raises(NonFiniteError) as caught:
        leastsq(spoiled(line, 3), X0, workers=map, nonfinite="raise")
    assert (caught.value.function, caught.value.index, caught.value.call) == ("func", 2, 3)
    assert_same_bits(caught.value.point, points(line)[2])


@pytest.mark.parametrize("nonfinite", ["propagate", "raise"])
def test_where_all_is_finite_nothing_changes(nonfinite):
    for options in ({}, {"Dfun": line_jacobian}):
        assert_same_result(leastsq(line, X0, full_output=True, nonfinite=nonfinite, **options),
                           leastsq(line, X0, full_output=True, **options))  # fmt: skip


def test_the_error_can_be_pickled():
    with pytest.raises(NonFiniteError) as caught:
        leastsq(spoiled(line, 4), X0, nonfinite="raise")
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert (again.function, again.index, again.call) == ("func", 2, 4)
    assert_same_bits(again.x, caught.value.x)


@pytest.mark.parametrize("nonfinite", ["warn", "", None, 1, True], ids=repr)
def test_other_values_are_refused(nonfinite):
    with pytest.raises(ValueError, match=r"^leastsq: nonfinite is .*; expected 'propagate' or 'raise'$"):
        leastsq(line, X0, nonfinite=nonfinite)
