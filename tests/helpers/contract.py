"""One call of SciPy's leastsq and of ours: what the caller sees, in a form that == compares."""

import sys
import warnings

import numpy as np
import pytest
import scipy.optimize
from numpy.testing import assert_allclose, assert_array_equal

import pyminpack

SOLVERS = {"scipy": scipy.optimize.leastsq, "pyminpack": pyminpack.leastsq}
UNDEFINED_BY_SCIPY = ("fjac", "ipvt", "qtf")    # if ier is 0

T = np.arange(6.0)
Y = np.array([5.1, 2.9, 1.9, 1.1, 0.6, 0.5])
SLOPES = np.array([1.0, 2.0, 3.0])
MATRIX = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])


@np.errstate(all="ignore")
def decay(p, *shifts):
    """Six residuals of an exponential decay, two variables; further arguments are added to them."""
    return p[0] * np.exp(-p[1] * T) - Y + sum(shifts)


@np.errstate(all="ignore")
def decay_jacobian(p, *shifts):
    return np.stack([np.exp(-p[1] * T), -p[0] * T * np.exp(-p[1] * T)], axis=1)


def line(p):
    """Three residuals of one variable."""
    return SLOPES * p[0] - [1.0, 2.0, 2.0]


def plane(p):
    """Three residuals, linear in two variables."""
    return MATRIX @ p - [1.0, 2.0, 3.0]


def then(change, function):
    """A function that modifies its x, and insists on getting it unmodified."""
    def changing(p):
        assert (p.shape, p.dtype, p.flags.carray) == ((2,), np.float64, True)
        result = function(p)
        change(p)
        return result
    return changing


class Case:
    """One call of leastsq.

    own_words: why our error has SciPy's type but not its text; None if the text is the same.
    goes_on: what our error appends to SciPy's text; None if nothing.
    told: the beginning of the warning that only pyminpack gives; None if there is none.
    """

    def __init__(self, name, func, x0, own_words=None, goes_on=None, told=None, **options):
        self.name, self.func, self.x0, self.options = name, func, x0, options
        self.own_words, self.goes_on, self.told = own_words, goes_on, told


def each(*cases):
    """Run a test once for each case, under its name."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def frozen(value):
    """A value in a form whose == compares types, dtypes, shapes, order and bits; all NaNs are equal."""
    match value:
        case np.ndarray():
            bits = np.where(np.isnan(value), np.nan, value) if value.dtype.kind == "f" else value
            return type(value), value.dtype.str, value.shape, value.flags.c_contiguous, bits.tobytes()
        case dict():
            return [(key, frozen(entry)) for key, entry in value.items()]
        case tuple() | list():
            return type(value), [frozen(entry) for entry in value]
        case _:
            return type(value), repr(value)


def observed(leastsq, case, full_output):
    """What the caller sees: (outcome, warnings, cov_x); cov_x is separate because its bits are not guaranteed."""
    given = [case.x0, case.options.get("diag"), case.options.get("args")]
    before = frozen(given)
    cov_x = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            calling_line = sys._getframe().f_lineno + 1
            result = leastsq(case.func, case.x0, full_output=full_output, **case.options)
        except Exception as error:
            outcome = type(error), str(error)
        else:
            if full_output:
                result, cov_x = result[:1] + result[2:], result[1]
                if result[-1] == 0:
                    for key in UNDEFINED_BY_SCIPY:
                        result[1][key].fill(0)
            outcome = frozen(result)
    assert frozen(given) == before, "an argument was changed"
    for warning in caught:
        assert (warning.filename, warning.lineno) == (__file__, calling_line)
    return outcome, [(warning.category, str(warning.message)) for warning in caught], cov_x


def assert_same(case):
    """With both solvers, short and full output: the caller sees no difference but those in the case."""
    for full_output in (False, True):
        (theirs, their_warnings, their_cov), (ours, our_warnings, our_cov) = (
            observed(leastsq, case, full_output) for leastsq in SOLVERS.values()
        )
        if case.own_words:
            assert ours[0] is theirs[0]
            assert ours[1].startswith("leastsq: ")
            assert ours[1] != theirs[1], "own_words is no longer true"
        elif case.goes_on and isinstance(theirs[0], type) and issubclass(theirs[0], Exception):
            assert ours == (theirs[0], theirs[1] + case.goes_on)
        else:
            assert ours == theirs
        ours_alone = [warning for warning in our_warnings if warning not in their_warnings]
        assert our_warnings == ours_alone + their_warnings
        assert len(ours_alone) == (1 if case.told else 0)
        for category, text in ours_alone:
            assert category is RuntimeWarning
            assert text.startswith(case.told)
        if their_cov is None or our_cov is None:
            assert our_cov is their_cov
        else:
            assert frozen(our_cov)[:-1] == frozen(their_cov)[:-1]
            assert_array_equal(our_cov, our_cov.T)
            assert_allclose(our_cov, their_cov, rtol=1e-9)
