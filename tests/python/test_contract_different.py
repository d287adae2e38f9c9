"""Where pyminpack differs by docs/contract.md: what SciPy does, where that is safe to see, and what pyminpack does."""

import _thread
import math
import operator
import re
import signal
import subprocess
import sys
import warnings
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.sparse
import sympy
from scipy.optimize._minpack import error as MinpackError

from helpers.contract import (
    MATRIX,
    SLOPES,
    SOLVERS,
    Case,
    T,
    assert_same,
    decay,
    decay_jacobian,
    each,
    line,
    plane,
    then,
)
from helpers.contract_page import CASES

pytestmark = [pytest.mark.last_bits, pytest.mark.needs("scipy==1.14.1")]

UNSAFE = "SciPy's side reads or writes where it must not"
START = [1.0, 1.0]
COMPLEX = getattr(np, "exceptions", np).ComplexWarning  # NumPy 1.23 has no np.exceptions, and finds tests here, too


class Raises:
    """Equal to an exception of just this type, with this pattern in its text and a cause of just that type, or none.

    prints: whether something appears on stderr.
    """

    def __init__(self, kind, pattern, cause=None, prints=False):
        self.kind, self.pattern, self.cause, self.prints = kind, pattern, cause, prints

    def __eq__(self, error):
        if type(error) is not self.kind or re.search(self.pattern, str(error)) is None:
            return False
        return error.__cause__ is None if self.cause is None else type(error.__cause__) is self.cause

    def __repr__(self):
        return f"{self.kind.__name__} with {self.pattern!r} because of {self.cause}"


class Row(NamedTuple):
    """A key of docs/contract.md; what to do with a leastsq; what it answers with SciPy's, and with ours."""

    key: str
    scenario: Any
    scipy: Any
    pyminpack: Any
    case: str = ""
    scipy_warns: Any = None     # the category
    warns: tuple = ()           # what pyminpack's texts begin with


# Scenarios: each takes a leastsq and returns what there is to see.


def call(func, x0, pick=lambda result: result[1], **options):
    """The scenario of one plain call; pick says what to look at, by default ier."""
    return lambda leastsq: pick(leastsq(func, x0, **options))


class Counting:
    """A function that counts its calls and keeps copies of its x."""

    def __init__(self, function):
        self.function, self.points = function, []

    def __call__(self, p, *args):
        self.points.append(p.copy())
        return self.function(p, *args)

    @property
    def calls(self):
        return len(self.points)


def calls_beyond_those_reported(leastsq, **options):
    func, Dfun = Counting(decay), Counting(decay_jacobian)
    info = leastsq(func, START, Dfun=Dfun, full_output=True, **options)[2]
    return func.calls - info["nfev"], Dfun.calls - info["njev"]


def calls_before_the_error(leastsq, x0=START, **options):
    func = Counting(lambda p: np.ones(3))
    with pytest.raises((TypeError, ValueError)):
        leastsq(func, x0, **options)
    return func.calls


def dtype_of_first_x(leastsq):
    func = Counting(line)
    leastsq(func, 1)
    return func.points[0].dtype.kind


def is_undisturbed(func, leastsq, **options):
    """Whether a fit comes to the same end as that of decay by itself."""
    return leastsq(func, START, **options)[0].tolist() == leastsq(decay, START)[0].tolist()


def same_buffer(leastsq):
    buffer = np.empty(6)
    return is_undisturbed(lambda p: np.copyto(buffer, decay(p)) or buffer, leastsq)


def cached_array(leastsq):
    cache = {}
    leastsq(lambda p: cache.setdefault(tuple(p), decay(p)), START)
    return all(np.array_equal(decay(p), cached) for p, cached in cache.items())


def array_of_args(leastsq):
    return is_undisturbed(lambda p, out: np.copyto(out, decay(p)) or out, leastsq, args=np.empty(6))


def x_computed_in_place(leastsq):
    return leastsq(lambda p: np.subtract(p, [2.0, 3.0], out=p), START)[0].tolist()


def x_changed_in_place(leastsq):
    return is_undisturbed(then(lambda p: p.fill(0.5), decay), leastsq)


def resized_x(leastsq):
    return is_undisturbed(then(lambda p: p.resize(500, refcheck=False), decay), leastsq)


def changed_diag(leastsq):
    def nfev(func, diag):
        return leastsq(partial(func, diag), START, diag=diag, full_output=True)[2]["nfev"]

    def changing(diag, p):
        diag *= 2
        return decay(p)

    return nfev(changing, np.array([1.0, 10.0])) == nfev(lambda diag, p: decay(p), np.array([1.0, 10.0]))


def kept_x(leastsq):
    kept, func = [], Counting(decay)
    leastsq(lambda p: kept.append(p) or func(p), START)
    return np.array_equal(kept, func.points)


def x_in_a_traceback(leastsq):
    seen = []

    def failing(p):
        seen.append(p.tolist())
        if len(seen) == 5:
            raise LookupError
        return decay(p)

    with pytest.raises(LookupError) as raised:
        leastsq(failing, START)
    return raised.traceback[-1].locals["p"].tolist() == seen[-1]


class Result:
    """A residual whose conversion to an array raises, but not at the first calls."""

    def __init__(self, p, calls, error):
        self.p, self.calls, self.error = p, calls, error

    def __array__(self, dtype=None, copy=None):
        if self.calls > 4:
            raise self.error
        return decay(self.p)


def conversion_raises(error, leastsq):
    func = Counting(decay)
    return leastsq(lambda p: Result(p, (func(p), func.calls)[1], error), START)


def Dfun_returns_later(jacobian, leastsq):
    Dfun = Counting(lambda p: MATRIX if Dfun.calls == 1 else jacobian)
    return leastsq(plane, START, Dfun=Dfun)[1]


def evaluations_after_interrupt(leastsq):
    """func is a C function that hands out residuals; with the fourth comes a Ctrl-C. How many more are asked for?"""
    def residuals(p):
        return SLOPES * p**2 - 2
    recorded = Counting(residuals)
    leastsq(recorded, 5.0)
    answers = [residuals(p) for p in recorded.points]
    interrupt = filter(None, map(_thread.interrupt_main, [signal.SIGINT]))
    rest = iter(answers[3:])
    with pytest.raises(KeyboardInterrupt):
        leastsq(partial(next, chain(answers[:3], interrupt, rest)), 5.0)
    left = operator.length_hint(rest)
    return len(answers[3:]) - left if left else "all"


def first_step_from_zero(leastsq):
    func = Counting(line)
    leastsq(func, 0.0)
    return next(float(p[0]) for p in func.points if p[0])


def refuses(dtype, role="func"):
    """pyminpack's error for numbers of a wrong dtype (a pattern)."""
    return Raises(TypeError, f"^leastsq: {role} '<lambda>' returned an array of dtype {dtype};"
                             " expected real numbers that cast safely to float64$", cause=TypeError)


def returned(what, role="func", cause=None, hint=""):
    """pyminpack's error for what is no array of numbers at all (a pattern)."""
    return Raises(TypeError, f"^leastsq: {role} '<lambda>' returned {what};"
                             f" expected real numbers that cast safely to float64{hint}$", cause=cause)


def entry(index, what, cause=None, role="func", of="list"):
    return returned(rf"a {of} whose entry \[{index}\] is {what}", role, cause)


NOTHING = r" \(is there a return statement\?\)"


TRANSPOSED = " Transpose it, or pass col_deriv=True."


def wrong_shape(expected, got, name=" '<lambda>'", blank=" ", hint=""):
    """Both solvers' error for the shape of a Jacobian; only pyminpack's has the blank, and a hint."""
    return Raises(TypeError, "^" + re.escape(
        "leastsq: there is a mismatch between the input and output shape of the 'Dfun' argument"
        f"{name}.{blank}Shape should be {expected} but it is {got}.{hint}") + "$")


def two_dimensional(shape):
    """pyminpack's error for a residual that is no vector."""
    return Raises(TypeError, "^" + re.escape(
        f"leastsq: func '<lambda>' returned an array of shape {shape}; expected one dimension (use .ravel())") + "$")


class Dense:
    """A sparse matrix of a package that knows .todense() alone."""

    def todense(self):
        raise NotImplementedError


FLAT = ("leastsq: in the last Jacobian all derivatives with respect to x[0] are exactly zero, but the residuals are"
        " not",)
RAGGED = Raises(ValueError, "^setting an array element with a sequence")
NEAR_OVERFLOW = np.array([[0.0, 1.0], [1e300, 1e300]])
NOT_FLOATS = Raises(MinpackError, "Result from function call is not a proper array of floats", prints=True)
NOT_REAL = {
    "complex128": lambda p: decay(p) + 0j,
    "complex64": lambda p: decay(p).astype(np.complex64),
    "object": lambda p: decay(p).astype(object),
    np.dtype(np.longdouble).name: lambda p: decay(p).astype(np.longdouble),
    r"timedelta64\[s\]": lambda p: np.ones(6, "m8[s]"),
    r"datetime64\[s\]": lambda p: np.ones(6, "M8[s]"),
}
ROWS = [
    Row("evaluations", calls_beyond_those_reported, (2, 1), (0, 0)),
    Row("evaluations", partial(calls_beyond_those_reported, ftol=-1), (2, 1), (1, 0), "ier 0"),
    Row("dtype-of-x", dtype_of_first_x, "i", "f"),
    Row("dtype-of-x", call(lambda p: p**-2 - 4.0, 2), Raises(ValueError, "negative integer powers"), 2, "power"),
    Row("dtype-of-x", call(lambda p: p * np.float32(0.3) - np.array([1, 3], "f4") + np.sin(p),
                           np.array([0.1, 0.2], "f4"), lambda result: result[2]["nfev"], full_output=True),
        49, 36, "float32"),
    Row("unsafe-x0", partial(calls_before_the_error, x0=[1j]), 1, 0, "complex"),
    Row("unsafe-x0", partial(calls_before_the_error, x0=np.ones(2, object)), 1, 0, "object"),
    Row("unsafe-x0", partial(calls_before_the_error, x0=np.ones(2, np.longdouble)), 1, 0, "longdouble"),
    Row("unsafe-x0", partial(calls_before_the_error, x0=None), 1, 0, "None"),
    *(Row("unsafe-x0", call(lambda p: np.ones(3), x0), Raises(TypeError, "^Cannot cast array data from "),
          Raises(TypeError, f"^leastsq: {what}; expected real numbers that cast safely to float64: Cannot cast array"
                            " data from ", TypeError), f"{x0!r}, text")
      for x0, what in ((None, "x0 is None"), ([1.0, None], r"x0\[1\] is None"), ({"a": 1.0}, "x0 is of type dict"),
                       ({1.0}, "x0 is of type set"), (["a", "b"], "x0 is an array of dtype <U1"),
                       ([1j, 2], "x0 is an array of dtype complex128"), ([[1.0], [{}]], r"x0\[1, 0\] is of type dict"),
                       ([Fraction(1, 2)], r"x0\[0\] is of type Fraction"),
                       (np.array([1.0, 2], object), "x0 is an array of objects"))),
    *(Row("unsafe-x0", call(lambda p: np.ones(3), x0), Raises(ValueError, "^setting an array element"),
          Raises(ValueError, "^leastsq: x0 is a (list|tuple) that makes no array: setting an array", ValueError),
          f"{x0}, text") for x0 in ([[1.0], [1.0, 2.0]], ([1.0], 2.0))),
    *(Row("improper-text", call(decay, START, **{name: value}), Raises(TypeError, "^Improper input parameters.$"),
          Raises(TypeError, f"^Improper input parameters. {re.escape(text)}.$"), f"{name} {value}")
      for name, value, text in (("ftol", -1e-9, "ftol is -1e-09; expected at least 0"),
                                ("xtol", -1, "xtol is -1; expected at least 0"),
                                ("gtol", -np.inf, "gtol is -inf; expected at least 0"),
                                ("factor", 0, "factor is 0; expected a positive number"),
                                ("diag", [1.0, 0.0], "diag[1] is 0; expected a positive number"))),
    Row("improper-text", call(decay, START, ftol=-1, factor=-2), Raises(TypeError, "^Improper input parameters.$"),
        Raises(TypeError, "^Improper input parameters. ftol is -1; .* factor is -2; expected"), "two"),
    Row("improper-text", call(lambda p: [1.0], []), Raises(TypeError, "^Improper input parameters.$"),
        Raises(TypeError, "^Improper input parameters. x0 is empty.$"), "empty"),
    Row("one-number", call(lambda p: np.sum(decay(p) ** 2), START), Raises(TypeError, "M=1$"),
        Raises(TypeError, "^Improper input: func input vector length N=2 must not exceed func output vector length M=1:"
                          " func '<lambda>' returned a scalar; expected the vector of residuals, not the sum of their"
                          " squares$")),
    Row("maxfev-0.0", call(decay, START, maxfev=0.0), 1, Raises(TypeError, "maxfev .* not float", cause=TypeError)),
    Row("negative-maxfev", call(lambda p: np.exp(-p), 0.0, operator.itemgetter(3), full_output=True, ftol=0, xtol=0,
                                maxfev=-7),
        "Number of calls to function has reached maxfev = -7.",
        "Number of calls to function has reached maxfev = 400."),
    *(Row("NumPy-bool", call(decay, START, len, Dfun=decay_jacobian, **{name: value}), length, length,
          f"{name} {value}", DeprecationWarning)
      for name, value, length in (("full_output", np.True_, 5), ("full_output", np.False_, 2),
                                  ("col_deriv", np.False_, 2))),
    Row("NumPy-bool", call(lambda p: p - 3, 3.0, maxfev=np.True_), 4, 4, "maxfev", DeprecationWarning),
    *(Row("truth-value", call(decay, START, len, full_output=value), Raises(kind, ""), length, f"full_output {value!r}")
      for value, kind, length in (("yes", TypeError, 5), ("", TypeError, 2), (2.0, TypeError, 5), (None, TypeError, 2),
                                  ([], TypeError, 2), (2**40, OverflowError, 5))),
    *(Row("truth-value", call(plane, START, Dfun=lambda p, value=value: MATRIX.T if value else MATRIX, col_deriv=value),
          Raises(TypeError, ""), 3, f"col_deriv {value!r}") for value in ("yes", None, 2.0, [])),
    Row("argument-texts", call(3, 1.0), Raises(TypeError, "^'int' object is not callable"),
        Raises(TypeError, "^leastsq: func must be callable, not int$"), "func"),
    Row("argument-texts", call(line, 1.0, ftol="1"), Raises(TypeError, "^must be real number, not str"),
        Raises(TypeError, "^leastsq: ftol must be a real number, not str$", TypeError), "ftol"),
    Row("argument-texts", call(line, 1.0, gtol=Decimal("sNaN")), Raises(ValueError, "^cannot convert signaling NaN"),
        Raises(ValueError, "^leastsq: gtol must be a real number; this decimal.Decimal is not$", ValueError),
        "gtol"),
    Row("argument-texts", call(line, 1.0, xtol=10**400), Raises(OverflowError, "^int too large to convert to float"),
        Raises(OverflowError, "^leastsq: xtol is too large; expected a float64$", OverflowError), "xtol"),
    Row("argument-texts", call(plane, START, diag=["a", "b"]), Raises(ValueError, "^could not convert string"),
        Raises(ValueError, "^leastsq: diag must be a vector of 2 real numbers, not list$", ValueError), "diag"),
    Row("improper-with-Dfun", call(decay, START, lambda result: result[4], Dfun=lambda p: 1 / 0, factor=0,
                                   full_output=True), Raises(ZeroDivisionError, ""), 0, "raises"),
    Row("improper-with-Dfun", call(decay, START, Dfun=lambda p: decay_jacobian(p).T, factor=-1),
        Raises(TypeError, "mismatch"), Raises(TypeError, "^Improper input parameters. factor is -1; "), "shape"),
    Row("improper-arrays", call(decay, START, full_output=True, ftol=-1,
                                pick=lambda result: [result[2][key].tolist() for key in ("fjac", "ipvt", "qtf")]),
        UNSAFE, [[[0.0] * 6] * 2, [1, 2], [0.0, 0.0]]),
    Row("diag-length", call(decay, START, diag=[1.0, 10.0, 100.0]), 1,
        Raises(ValueError, "^leastsq: diag has length 3; expected length 2, an entry for each parameter$"),
        "too long"),
    Row("diag-length", call(decay, START, diag=[1.0]), UNSAFE,
        Raises(ValueError, "^leastsq: diag has length 1; expected length 2, an entry for each parameter$"),
        "too short"),
    Row("diag-length", call(decay, START, diag=[]), UNSAFE,
        Raises(ValueError, "^leastsq: diag has length 0; expected length 2, an entry for each parameter$"), "empty"),
    Row("diag-length", partial(calls_before_the_error, diag=[1.0]), UNSAFE, 0, "calls"),

    *(Row("not-real", call(func, START), NOT_FLOATS, refuses(dtype), dtype) for dtype, func in NOT_REAL.items()),
    *(Row("not-real", call(decay, START, Dfun=lambda p, dtype=dtype: decay_jacobian(p).astype(dtype)), NOT_FLOATS,
          refuses(dtype, "Dfun"), f"Dfun {dtype}") for dtype in ("complex128", "object", np.dtype(np.longdouble).name)),
    *(Row("not-real", call(lambda p, values=values: np.array([*p, *values], object), 1.0), scipy, refuses(
        rf"object whose entry \[{index}\] is {what}"), f"object with {what}")
      for values, scipy, index, what in (([2.0, None], NOT_FLOATS, 2, "None"), ([1j], NOT_FLOATS, 1, "of type complex"),
                                         (["2"], NOT_FLOATS, 1, "of type str"))),
    Row("not-real", call(plane, START, Dfun=lambda p: np.array([[1, 2], [3, None], [5, 7]])), NOT_FLOATS,
        refuses(r"object whose entry \[1, 1\] is None", "Dfun"), "Dfun object with None"),
    Row("not-real", call(lambda p: (q for q in p), 1.0), NOT_FLOATS,
        returned("an object of type generator"), "generator"),
    Row("not-real", call(lambda p: {}, 1.0), NOT_FLOATS, returned("an object of type dict"), "dict"),
    Row("not-real", call(lambda p: "text", 1.0), NOT_FLOATS, refuses("<U4"), "text"),
    Row("not-real", call(lambda p: 1j, 1.0), NOT_FLOATS, refuses("complex128"), "complex scalar"),
    *(Row("sparse", call(lambda p, kind=kind: kind([[1.0]]), 1.0), NOT_FLOATS,
          returned(f"an object of type {kind.__name__}", hint=r" \(use .toarray\(\)\)"),
          kind.__name__) for kind in (scipy.sparse.csr_array, scipy.sparse.coo_matrix)),
    Row("sparse", call(plane, START, Dfun=lambda p: scipy.sparse.csc_array(MATRIX)),
        wrong_shape("(3, 2)", "(1,)", blank=""),
        returned("an object of type csc_array", "Dfun", hint=r" \(use .toarray\(\)\)"), "Dfun"),
    Row("sparse", call(lambda p: Dense(), 1.0), NOT_FLOATS,
        returned("an object of type Dense", hint=r" \(use .todense\(\)\)"), "another package's"),
    Row("not-real", call(lambda p: decay(p) if p[0] == 1 else decay(p) + 0j, START), NOT_FLOATS,
        refuses("complex128"), "complex later"),
    Row("not-real", call(partial(lambda p: decay(p) + 0j), START), NOT_FLOATS,
        Raises(TypeError, "^leastsq: func returned an array of dtype complex128;", TypeError), "no name"),
    Row("imaginary", call(lambda p: [np.complex128(q - 3 + 1j) for q in p], START), 2,
        entry(0, "of type numpy.complex128"), scipy_warns=COMPLEX),
    Row("imaginary", call(plane, START, Dfun=lambda p: [[np.complex128(q) for q in row] for row in MATRIX]), 3,
        entry("0, 0", "of type numpy.complex128", role="Dfun"), "Dfun", scipy_warns=COMPLEX),
    Row("entries", call(lambda p: [p[0], None], START), 4, entry(1, "None"), "None"),
    Row("entries", call(lambda p: (Fraction(1), 2.0, None), START), 4, entry(2, "None", of="tuple"),
        "None among Fractions"),
    Row("entries", call(lambda p: [str(q - 3) for q in p], START), 2, entry(0, "of type str"), "texts"),
    Row("entries", call(lambda p: [p[0] - 3, b"1"], START), 3, entry(1, "of type bytes"), "bytes"),
    Row("entries", call(lambda p: [p[0] - 3, np.str_("1")], START), 3, entry(1, "of type numpy.str_"), "NumPy's text"),
    Row("entries", call(lambda p: [Fraction(1), {1}], START), NOT_FLOATS, entry(1, "of type set"), "a set"),
    Row("entries", call(lambda p: [p[0] - 3, np.timedelta64(1, "s")], START), 3,
        entry(1, "of type numpy.timedelta64"), "time"),
    Row("entries", call(lambda p: [2.0, 1j], START), NOT_FLOATS, entry(1, "of type complex"), "complex"),
    Row("entries", call(lambda p: [Fraction(1), 1j], START), NOT_FLOATS, entry(1, "of type complex"),
        "complex among Fractions"),
    Row("entries", call(lambda p: [1.0, sympy.Symbol("a")], START), NOT_FLOATS,
        entry(1, "of type Symbol", TypeError), "a symbol"),
    Row("entries", call(lambda p: [sympy.I, 1.0], START), NOT_FLOATS,
        entry(0, "of type ImaginaryUnit", TypeError), "a symbolic complex number"),
    Row("entries", call(lambda p: [1.0, 10**400], START), NOT_FLOATS, Raises(OverflowError, "int too large"),
        "10**400"),
    *(Row("ragged", call(lambda p, result=result: result, START), RAGGED,
          Raises(ValueError, f"^leastsq: func '<lambda>' returned a {type(result).__name__} that makes no array:"
                             " setting an array element with a sequence", cause=ValueError), f"func {result}")
      for result in ((np.ones(3), 2.0), [[1.0], [2.0, 3.0]])),
    Row("ragged", call(plane, START, Dfun=lambda p: [[1, 2], [3], [5, 7]]), RAGGED,
        Raises(ValueError, "^leastsq: Dfun '<lambda>' returned a list that makes no array: ", cause=ValueError),
        "Dfun"),
    Row("entries", call(plane, START, Dfun=lambda p: [[1, 2], [3, "4"], [5, 7]]), 3,
        entry("1, 1", "of type str", role="Dfun"), "Dfun"),
    Row("returned-None", call(lambda p: None, 1.0), 4, returned("None", hint=NOTHING), "func"),
    Row("returned-None", call(lambda p: decay(p) if p[0] == 1 else None, START), Raises(ValueError, "changed size"),
        returned("None", hint=NOTHING),
        "later"),
    Row("returned-None", call(decay, START, Dfun=lambda p: None), wrong_shape("(6, 2)", "(1,)", blank=""),
        returned("None", "Dfun", hint=NOTHING), "Dfun"),
    Row("two-dimensional", call(lambda p: decay(p)[:, None], START), NOT_FLOATS,
        two_dimensional("(6, 1)"), "column"),
    Row("two-dimensional", call(lambda p: decay(p)[None], START), Raises(TypeError, "N=2 must not exceed .* M=1"),
        two_dimensional("(1, 6)"), "row"),
    Row("two-dimensional", call(lambda p: line(p)[None], 1.0), NOT_FLOATS,
        two_dimensional("(1, 3)"), "row, n 1"),
    *(Row("changed-size", call(lambda p, then=then: decay(p) if p[0] == 1 else then, START),
          Raises(ValueError, "^The array returned by a function changed size between calls$"),
          Raises(ValueError, "^The array returned by a function changed size between calls: func '<lambda>' returned"
                             f" {size} residuals, after 6 in its first call$"), f"{size} of {np.ndim(then)} dimensions")
      for then, size in ((np.ones(5), 5), (np.ones(7), 7), ([], 0), (1.0, 1))),
    *(Row("scalar", call(lambda p, kind=kind: kind(p.item() - 3), 1.0, lambda result: np.shape(result[2]["fvec"]),
                         full_output=True), (), (1,), kind.__name__, warns=warns)
      for kind, warns in ((float, ()), (int, FLAT), (bool, FLAT), (np.float64, ()), (np.float32, ()), (np.array, ()),
                          (Fraction, ()), (Decimal, ()), (np.longdouble, ()), (sympy.Float, ()))),
    Row("zero-column", call(lambda p: decay(np.float32(p)), START), 4, 4, "float32", warns=(
        "leastsq: in the last Jacobian all derivatives with respect to x[0], x[1] are exactly zero, but the residuals"
        " are not: none changed in a difference step of 1.49e-08, 1.49e-08, so the fit could not move them.",)),
    Row("zero-column", call(decay, START, Dfun=lambda p: decay_jacobian(p) * [1, 0]), 4, 4, "Dfun", warns=(
        "leastsq: in the last Jacobian all derivatives with respect to x[1] are exactly zero, but the residuals are"
        " not; the fit could not move them. Check these columns of Dfun",)),
    Row("stuck", call(decay, START, Dfun=lambda p: -decay_jacobian(p)), 3, 3, "wrong sign", warns=(
        "leastsq: x never moved, but x0 is not a minimum by the Jacobian: the cosine between the residuals and its"
        " column 0, of x[0], is 0.94, and the Gauss-Newton step is 4 times x,",)),
    Row("stuck", call(decay, START, Dfun=lambda p: decay_jacobian(p) * [-1, 1]), 2, 2, "one wrong sign", warns=(
        "leastsq: x never moved, but x0 is not a minimum by the Jacobian: the cosine between the residuals and its"
        " column 0, of x[0], is 0.94, and the Gauss-Newton step is 4 times x,",)),
    Row("tiny-start", call(decay, [1e-12, 1e-12], Dfun=decay_jacobian), 1, 1, warns=(
        "leastsq: x moved, but it is not a minimum by the Jacobian: the cosine between the residuals and its",)),
    *(Row("masked", call(lambda p: np.ma.masked_array(decay(p), T > 3), START, len, full_output=full_output),
          length, length, f"full_output {full_output}", warns=(
              "leastsq: func returned a masked array in call 1: 2 of its 6 entries are masked, the first at index 4;"
              " they count like any other. Leave them out by .compressed(), or make them zero by .filled(0)",))
      for full_output, length in ((False, 2), (True, 5))),
    Row("masked", call(decay, START, Dfun=lambda p: np.ma.masked_less(decay_jacobian(p), -1e3), full_output=True,
                       pick=len), 5, 5, "nothing masked"),
    Row("reused-array", same_buffer, False, True, "buffer"),
    Row("reused-array", call(lambda p, out: np.copyto(out, decay(p)) or out, START, lambda result: (
        result[0].tolist() == START, result[1]), args=np.empty(6)), (True, 4), (False, 1), "buffer, ier"),
    Row("reused-array", cached_array, False, True, "cache"),
    Row("reused-array", array_of_args, False, True, "args"),
    Row("reused-array", x_computed_in_place, UNSAFE, [2.0, 3.0], "x"),
    Row("cov_x-overflow", call(lambda p: 1e-200 * (p - 1), 3.0, lambda result: result[1].tolist(), full_output=True),
        [[np.inf]], [[np.inf]], "", RuntimeWarning,
        ("leastsq: cov_x is not finite, though func and Dfun returned finite numbers only",)),

    Row("kept-x", kept_x, UNSAFE, True, "history"),
    Row("kept-x", x_in_a_traceback, UNSAFE, True, "traceback"),
    Row("changed-x", x_changed_in_place, False, True),
    Row("resized-x", resized_x, Raises(ValueError, "cannot resize this array"), True),
    Row("changed-diag", changed_diag, False, True),
    *(Row("conversion-raises", partial(conversion_raises, kind("mine")),
          NOT_FLOATS if kind is not SystemExit else UNSAFE, Raises(kind, "^mine$"), kind.__name__)
      for kind in (ValueError, TypeError, KeyboardInterrupt, SystemExit)),
    Row("Ctrl-C", evaluations_after_interrupt, "all", 1),

    Row("Dfun-shape", partial(Dfun_returns_later, MATRIX.T), 2, wrong_shape("(3, 2)", "(2, 3)", "", hint=TRANSPOSED),
        "later"),
    Row("Dfun-shape", partial(Dfun_returns_later, MATRIX.ravel()), 3, wrong_shape("(3, 2)", "(6,)", ""), "later flat"),
    Row("Dfun-shape", partial(Dfun_returns_later, MATRIX[:2]), Raises(ValueError, "changed size"),
        wrong_shape("(3, 2)", "(2, 2)", ""), "later smaller"),
    Row("Dfun-shape", call(line, 1.0, Dfun=lambda p: SLOPES[:2]), Raises(ValueError, "changed size"),
        wrong_shape("(3, 1)", "(2,)"), "n = 1, smaller"),
    Row("Dfun-shape", call(line, 1.0, Dfun=lambda p: SLOPES[:, None, None]), NOT_FLOATS,
        wrong_shape("(3, 1)", "(3, 1, 1)"), "n = 1, 3-D"),
    Row("Dfun-shape", call(lambda p: p - 3, 1.0, Dfun=lambda p: 1.0), NOT_FLOATS, wrong_shape("(1, 1)", "()"),
        "n = m = 1, scalar"),
    Row("Dfun-text", call(plane, START, Dfun=lambda p: MATRIX.T), wrong_shape("(3, 2)", "(2, 3)", blank=""),
        wrong_shape("(3, 2)", "(2, 3)", hint=TRANSPOSED)),
    Row("Dfun-text", call(plane, START, Dfun=partial(lambda p: MATRIX.T)),
        wrong_shape("(3, 2)", "(2, 3)", "", blank=""), wrong_shape("(3, 2)", "(2, 3)", "", hint=TRANSPOSED),
        "no name"),
    Row("Dfun-text", call(plane, START, Dfun=lambda p: 1.0), wrong_shape("(3, 2)", "(1,)", blank=""),
        wrong_shape("(3, 2)", "()"), "scalar"),

    Row("NaN-epsfcn", call(decay, START, epsfcn=np.nan), 4, 1),
    Row("NaN-paru", call(lambda p: NEAR_OVERFLOW @ p - 1, START, Dfun=lambda p: NEAR_OVERFLOW, factor=0.01), 2, 4),
    Row("SciPy-1.15-ipvt", call(plane, START, lambda result: result[2]["ipvt"].tolist(), full_output=True),
        [2, 1], [2, 1]),
    Row("SciPy-1.15-bits", first_step_from_zero, math.sqrt(2.22044604926e-16), math.sqrt(2.22044604926e-16)),
]


def answer(scenario, leastsq):
    """What a scenario returns or raises, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return scenario(leastsq), caught
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            return error, caught


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.key}: {row.case}".strip(": "))
def test_difference(row, capfd):
    if row.scipy is not UNSAFE:
        theirs, caught = answer(row.scenario, SOLVERS["scipy"])
        assert theirs == row.scipy
        assert {warning.category for warning in caught} == ({row.scipy_warns} if row.scipy_warns else set())
        assert (capfd.readouterr().err != "") == getattr(row.scipy, "prints", False)
    ours, caught = answer(row.scenario, SOLVERS["pyminpack"])
    assert ours == row.pyminpack
    assert len(caught) == len(row.warns)
    for warning, text in zip(caught, row.warns, strict=True):
        assert str(warning.message).startswith(text)
    assert {warning.filename for warning in caught} <= {__file__}
    assert capfd.readouterr() == ("", "")


def spoilt(function, where, value, when=lambda p: True):
    """A function, one entry of whose result is NaN or inf, where its x is as asked for."""
    def spoilt_function(p):
        result = function(p)
        if when(p):
            result[where] = value
        return result
    return spoilt_function


NOT_FINITE = "leastsq: {} is not finite; the first NaN or inf is at index {} of what {} returned in call {}"
NAN_IN_X0 = "leastsq: fvec is not finite; the first NaN or inf is at index {} of x0"


@each(
    Case("NaN", spoilt(decay, 3, np.nan), START, told=NOT_FINITE.format("fvec", 3, "func", 1)),
    Case("inf", spoilt(decay, 0, -np.inf), START, told=NOT_FINITE.format("fvec", 0, "func", 1)),
    Case("NaN, with Dfun", spoilt(decay, 5, np.nan), START, told=NOT_FINITE.format("fvec", 5, "func", 1),
         Dfun=decay_jacobian),
    Case("NaN, with the warning of ier 5", spoilt(decay, 3, np.nan), START, maxfev=1, gtol=np.nan,
         told=NOT_FINITE.format("fvec", 3, "func", 1)),
    Case("NaN, with the error of ier 0", spoilt(decay, 3, np.nan), START, ftol=-1,
         goes_on=" ftol is -1; expected at least 0.", told=NOT_FINITE.format("fvec", 3, "func", 1)),
    Case("NaN in a difference", spoilt(decay, 2, np.nan, lambda p: p[1] != 1), START,
         told=NOT_FINITE.format("fvec", 2, "func", 3)),
    Case("NaN at a trial point, not taken", spoilt(decay, 2, np.nan, lambda p: p[0] > 4), START, maxfev=30),
    Case("NaN in Dfun", decay, START, told=NOT_FINITE.format("cov_x", 2, "Dfun", 1),
         Dfun=spoilt(decay_jacobian, (1, 0), np.nan)),
    Case("NaN in Dfun, by columns", decay, START, told=NOT_FINITE.format("fvec", 7, "Dfun", 1),
         Dfun=spoilt(lambda p: decay_jacobian(p).T.copy(), (1, 1), np.nan), col_deriv=True),
    Case("inf in Dfun, second call", decay, START, told=NOT_FINITE.format("cov_x", 11, "Dfun", 2),
         Dfun=spoilt(decay_jacobian, (5, 1), np.inf, lambda p: p[0] != 1)),
    Case("NaN start", plane, [np.nan, 1.0], told=NAN_IN_X0.format(0)),
    Case("NaN start, second", plane, [1.0, np.inf], told=NAN_IN_X0.format(1)),
    Case("NaN diag", decay, START, diag=[np.nan, 1.0],
         told="leastsq: fvec is not finite; the first NaN or inf is at index 0 of diag"),
    Case("NaN factor", decay, START, told="leastsq: fvec is not finite; factor is NaN", factor=np.nan),
)
def test_the_numbers_are_the_same_but_what_is_not_finite_is_warned_of(case):
    assert_same(case)


LIMITED = """
import resource
import numpy as np
from pyminpack import leastsq
resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
calls = []
try:
    leastsq(lambda p: (calls.append(1), {residuals})[1], {x0})
except (MemoryError, OverflowError):
    print("refused after", len(calls))
"""


def run(code):
    """Another Python's (exit status, what it printed, to stderr too)."""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return process.returncode, process.stdout, process.stderr


@pytest.mark.parametrize(("residuals", "x0", "calls"), [
    ("np.broadcast_to(0.0, 50_000)", "np.zeros(50_000)", 1),
    ("np.broadcast_to(0.0, 2**31)", "0.0", 1),
    ("np.broadcast_to(0.0, 2**59)", "0.0", 1),
    ("0.0", "np.broadcast_to(0.0, 2**31)", 0),
    ("0.0", "np.broadcast_to(0.0, 2**59)", 0),
])
def test_what_does_not_fit_in_memory_is_an_error_before_the_solve(residuals, x0, calls):
    assert run(LIMITED.format(residuals=residuals, x0=x0)) == (0, f"refused after {calls}\n", "")


EXITING = """
from {module} import leastsq
class Result:
    def __array__(self, dtype=None, copy=None):
        calls.append(1)
        if len(calls) > 4:
            raise SystemExit(3)
        return self.p**2 - 2
calls, result = [], Result()
def func(p):
    result.p = p
    return result
try:
    leastsq(func, 1.0)
except SystemExit as error:
    print("caught", error)
"""


def test_SystemExit_in_a_conversion_ends_the_process_with_scipy_only():
    assert run(EXITING.format(module="scipy.optimize")) == (3, "", "")
    assert run(EXITING.format(module="pyminpack")) == (0, "caught 3\n", "")


def test_every_difference_in_the_contract_is_shown_here_and_every_row_here_is_in_it_once():
    keys = {row.key for row in ROWS}
    here = keys | {name for name in globals() if name.startswith("test_")}
    assert [case.case for case in CASES if case.differs and not here.intersection(case.tests)] == []
    named = [name for case in CASES for name in case.tests if not name.startswith("test_")]
    assert sorted(named) == sorted(keys)
