"""Where docs/contract.md says "=": SciPy 1.14.1 and pyminpack on the same calls, outcome against outcome."""

import warnings
from collections import deque, namedtuple
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from functools import partial
from inspect import signature

import numpy as np
import pytest
import sympy

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
    frozen,
    line,
    plane,
    then,
)
from helpers.contract_page import MESG
from pyminpack import leastsq

pytestmark = [pytest.mark.last_bits, pytest.mark.needs("scipy==1.14.1")]

FLAT_ALONE = ("leastsq: in the last Jacobian all derivatives with respect to x[0] are exactly zero, but the residuals"
              " are not")
FLAT = ("leastsq: in the last Jacobian all derivatives with respect to x[0], x[1] are exactly zero, but the residuals"
        " are not")
STUCK = "leastsq: x never moved, but x0 is not a minimum by the Jacobian"
MOVED = "leastsq: x moved, but it is not a minimum by the Jacobian"
EMPTY = np.empty((6, 2))


def wave(p):
    """As many residuals as variables, however many those are."""
    return np.sin(p) + 0.1 * np.arange(1.0, p.size + 1)


# The start


@each(
    Case("float", line, 1.0),
    Case("int", line, 1),
    Case("0-d", line, np.array(1.0)),
    Case("list", plane, [1.0, 2.0]),
    Case("nested list", plane, [[1.0], [2.0]]),
    Case("2-D", wave, np.arange(6.0).reshape(2, 3)),
    Case("2-D in Fortran order", wave, np.asfortranarray(np.arange(6.0).reshape(2, 3))),
    Case("every other entry", plane, np.arange(4.0)[::2]),
    Case("ints", plane, np.array([1, 2])),
    Case("uint64", plane, np.array([1, 2], np.uint64)),
    Case("bools", plane, [True, False]),
    Case("float16", plane, np.array([1, 2], np.float16)),
    Case("float32", plane, np.array([1, 2], np.float32)),
    Case("big-endian", plane, np.array([1, 2], ">f8")),
    Case("masked", plane, np.ma.masked_array([1.0, 2.0], [False, True])),
    Case("read-only", plane, np.broadcast_to(1.0, 2)),
    Case("tuple", plane, (1.0, 2.0)),
)
def test_any_start_is_flattened_to_a_float64_vector_of_its_own(case):
    assert_same(case)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_is_flattened_too():
    assert_same(Case("matrix", plane, np.matrix([[1.0, 2.0]])))


@each(
    Case("complex", lambda p: np.ones(3), [1j, 2], own_words="NumPy's; ours names x0"),
    Case("complex scalar", lambda p: np.ones(3), 1j, own_words="NumPy's; ours names x0"),
    Case("object", lambda p: np.ones(3), np.array([1, 2], object), own_words="NumPy's; ours names x0"),
    Case("fractions", lambda p: np.ones(3), [Fraction(1, 2)], own_words="NumPy's; ours names x0"),
    Case("longdouble", lambda p: np.ones(3), np.ones(2, np.longdouble), own_words="NumPy's; ours names x0"),
    Case("timedelta", lambda p: np.ones(3), np.ones(2, "m8[s]"), own_words="NumPy's; ours names x0"),
    Case("ragged", lambda p: np.ones(3), [[1.0], [1.0, 2.0]], own_words="NumPy's; ours names x0"),
)
def test_a_start_that_is_not_real_float64_numbers_is_refused(case):
    assert_same(case)


@each(
    Case("empty, no residuals", lambda p: [], [],
         goes_on=" x0 is empty."),
    Case("empty, one residual", lambda p: [1.0], [],
         goes_on=" x0 is empty."),
    Case("empty 2-D", lambda p: [1.0], np.empty((0, 2)),
         goes_on=" x0 is empty."),
    Case("ftol negative", decay, [1.0, 1.0], ftol=-1e-9,
         goes_on=" ftol is -1e-09; expected at least 0."),
    Case("xtol negative", decay, [1.0, 1.0], xtol=-1,
         goes_on=" xtol is -1; expected at least 0."),
    Case("gtol negative", decay, [1.0, 1.0], gtol=-np.inf,
         goes_on=" gtol is -inf; expected at least 0."),
    Case("factor zero", decay, [1.0, 1.0], factor=0,
         goes_on=" factor is 0; expected a positive number."),
    Case("factor negative", decay, [1.0, 1.0], factor=-1.5,
         goes_on=" factor is -1.5; expected a positive number."),
    Case("diag with a zero", decay, [1.0, 1.0], diag=[1.0, 0.0],
         goes_on=" diag[1] is 0; expected a positive number."),
    Case("diag with a negative entry", decay, [1.0, 1.0], diag=[-1.0, 1.0],
         goes_on=" diag[0] is -1; expected a positive number."),
    Case("gtol negative, with Dfun", decay, [1.0, 1.0], Dfun=decay_jacobian, gtol=-1,
         goes_on=" gtol is -1; expected at least 0."),
)
def test_improper_input_is_refused_or_with_full_output_reported(case):
    assert_same(case)


@each(
    Case("m 1, n 2", lambda p: p[:1], [1.0, 2.0]),
    Case("m 0, n 1", lambda p: [], 1.0),
    Case("m 1 by a scalar, n 2", lambda p: 1.0, [1.0, 2.0],
         goes_on=": func '<lambda>' returned a scalar; expected the vector of residuals, not the sum of their squares"),
    Case("m 1, n 2, with Dfun", lambda p: p[:1], [1.0, 2.0], Dfun=lambda p: [[1.0, 0.0]]),
)
def test_fewer_residuals_than_variables_are_refused(case):
    assert_same(case)


# Arguments


Pair = namedtuple("Pair", "first second")


@each(
    Case("none", decay, [1.0, 1.0], args=()),
    Case("tuple", decay, [1.0, 1.0], args=(0.1, 0.2)),
    Case("namedtuple", decay, [1.0, 1.0], args=Pair(0.1, 0.2)),
    Case("number", decay, [1.0, 1.0], args=0.1),
    Case("array", decay, [1.0, 1.0], args=0.1 * T),
    Case("list", lambda p, shifts: decay(p, *shifts), [1.0, 1.0], args=[0.1, 0.2]),
    Case("None", lambda p, none: decay(p) if none is None else None, [1.0, 1.0], args=None),
    Case("text", lambda p, text: decay(p, len(text)), [1.0, 1.0], args="ab"),
    Case("tuple, with Dfun", decay, [1.0, 1.0], args=(0.1, 0.2), Dfun=decay_jacobian),
    Case("array, with Dfun", decay, [1.0, 1.0], args=0.1 * T, Dfun=decay_jacobian),
)
def test_args_that_are_no_tuple_are_one_argument(case):
    assert_same(case)


def decline(p):
    """A residual that falls for ever, one unit of p by each step."""
    return np.exp(-p)


class Falsy:
    """A callable that is false, as an empty container is."""

    def __init__(self, function):
        self.function = function

    def __len__(self):
        return 0

    def __call__(self, *arguments):
        return self.function(*arguments)


@each(
    Case("0", decay, [1.0, 1.0], maxfev=0),
    Case("default reached", decline, 0.0, ftol=0, xtol=0),
    Case("default reached, with Dfun", decline, 0.0, ftol=0, xtol=0, Dfun=lambda p: -decline(p)),
    Case("default reached, with Dfun that is false", decline, 0.0, ftol=0, xtol=0, Dfun=Falsy(lambda p: -decline(p))),
    Case("-1", decay, [1.0, 1.0], maxfev=-1),
    Case("-2**31", decay, [1.0, 1.0], maxfev=-2**31),
    Case("1", decay, [1.0, 1.0], maxfev=1),
    Case("7, passed by 2", decay, [1.0, 1.0], maxfev=7),
    Case("3, with Dfun", decay, [1.0, 1.0], maxfev=3, Dfun=decay_jacobian),
    Case("True", decay, [1.0, 1.0], maxfev=True),
    Case("False", decay, [1.0, 1.0], maxfev=False),
    Case("int8", decay, [1.0, 1.0], maxfev=np.int8(5)),
    Case("int64", decay, [1.0, 1.0], maxfev=np.int64(5)),
    Case("0-d", decay, [1.0, 1.0], maxfev=np.array(5)),
    Case("2**31 - 1", decay, [1.0, 1.0], maxfev=2**31 - 1),
    Case("2**31", decay, [1.0, 1.0], maxfev=2**31, own_words="CPython's on C ints"),
    Case("-2**31 - 1", decay, [1.0, 1.0], maxfev=-2**31 - 1, own_words="CPython's on C ints"),
    Case("2**70", decay, [1.0, 1.0], maxfev=2**70, own_words="CPython's on C longs"),
    Case("uint64", decay, [1.0, 1.0], maxfev=np.uint64(2**63), own_words="CPython's on C longs"),
    Case("3.0", decay, [1.0, 1.0], maxfev=3.0, own_words="CPython's; ours names maxfev"),
    Case("None", decay, [1.0, 1.0], maxfev=None, own_words="CPython's; ours names maxfev"),
    Case("'3'", decay, [1.0, 1.0], maxfev="3", own_words="CPython's; ours names maxfev"),
)
def test_maxfev(case):
    assert_same(case)


@each(
    *(Case(f"{name} {value}", decay, [1.0, 1.0], **{name: value})
      for name in ("ftol", "xtol", "gtol") for value in (0, np.nan, 1, True, np.float32(1e-3), np.inf)),
    *(Case(f"{name} {value!r}", decay, [1.0, 1.0], own_words=f"CPython's; ours names {name}", **{name: value})
      for name in ("ftol", "xtol", "gtol", "factor") for value in (None, "1")),
    Case("epsfcn '1'", decay, [1.0, 1.0], epsfcn="1", own_words="CPython's; ours names epsfcn"),
    Case("ftol complex", decay, [1.0, 1.0], ftol=1j, own_words="CPython's; ours names ftol"),
    Case("all 0", decay, [1.0, 1.0], ftol=0, xtol=0, gtol=0),
    Case("all NaN", decay, [1.0, 1.0], ftol=np.nan, xtol=np.nan, gtol=np.nan, maxfev=50),
    *(Case(f"factor {value}", decay, [1.0, 1.0], factor=value) for value in (1, 0.1, 1e-300, 1e300, np.inf)),
    Case("factor inf, start at 0", decay, [0.0, 0.0], factor=np.inf),
)
def test_tolerances_and_factor(case):
    assert_same(case)


@each(
    Case("list", decay, [1.0, 1.0], diag=[1.0, 10.0]),
    Case("ints", decay, [1.0, 1.0], diag=(1, 10)),
    Case("float32", decay, [1.0, 1.0], diag=np.array([1, 10], np.float32)),
    Case("every other entry", decay, [1.0, 1.0], diag=np.array([1.0, 0.0, 10.0, 0.0])[::2]),
    Case("read-only", decay, [1.0, 1.0], diag=np.broadcast_to(3.0, 2)),
    Case("with Dfun", decay, [1.0, 1.0], diag=[1.0, 10.0], Dfun=decay_jacobian),
    Case("0-d", line, 1.0, diag=1.0, own_words="NumPy's; ours names diag"),
    Case("2-D", decay, [1.0, 1.0], diag=[[1.0, 10.0]], own_words="NumPy's; ours names diag"),
)
def test_diag(case):
    assert_same(case)


@each(
    Case("func", 3, 1.0, own_words="CPython's; ours names func"),
    Case("func None", None, 1.0, own_words="CPython's; ours names func"),
    Case("Dfun", line, 1.0, Dfun=3, own_words="CPython's; ours names Dfun"),
    Case("Dfun False", line, 1.0, Dfun=False, own_words="CPython's; ours names Dfun"),
)
def test_functions_must_be_callable(case):
    assert_same(case)


# Steps of the differences


def decay_in(dtype):
    """`decay`, rounded to dtype."""
    return np.errstate(all="ignore")(lambda p: decay(p).astype(dtype))


def decay_in_float32_at_the_start(p):
    return decay(p).astype(np.float32 if p[0] == 1 else np.float64)


@each(
    *(Case(dtype, decay_in(dtype), [1.0, 1.0], maxfev=30) for dtype in ("f2", ">f2", "f4", ">f4")),
    *(Case(dtype, decay_in(dtype), [1.0, 1.0], maxfev=30, told=FLAT) for dtype in ("i8", "?")),
    Case("list of float32", lambda p: list(decay(p).astype("f4")), [1.0, 1.0], maxfev=30),
    Case("float32 in the first result only", decay_in_float32_at_the_start, [1.0, 1.0], maxfev=30),
    Case("float32, but epsfcn given", decay_in("f4"), [1.0, 1.0], epsfcn=1e-16, maxfev=30, told=FLAT),
    *(Case(f"epsfcn {value}", decay, [1.0, 1.0], epsfcn=value, maxfev=30)
      for value in (0, -1.0, 1, 1e-8, 1e-20, 1e10, np.float32(1e-6))),
)
def test_steps_of_the_differences(case):
    seen = {name: [] for name in SOLVERS}
    for name, solver in SOLVERS.items():
        def spy(p, steps=seen[name]):
            steps.append(p.tobytes())
            return case.func(p)
        with warnings.catch_warnings(action="ignore"):
            solver(spy, case.x0, **case.options)
    assert seen["pyminpack"] == seen["scipy"][2:], "SciPy evaluates the start twice more"
    assert_same(case)


# Reasons to stop


@pytest.mark.parametrize(("ier", "case"), [
    (0, Case("", decay, [1.0, 1.0], ftol=-1, goes_on=" ftol is -1; expected at least 0.")),
    (1, Case("", decay, [1.0, 1.0], xtol=0)),
    (1, Case("", decay, [1.0, 1.0], ftol=0.25)),
    (2, Case("", decay, [1.0, 1.0], ftol=0)),
    (2, Case("", decay, [1.0, 1.0], ftol=0, xtol=0.125)),
    (3, Case("", line, [1.0])),
    (3, Case("", line, [1.0], ftol=0.5, xtol=0.25)),
    (4, Case("", lambda p: SLOPES * (p[0] - 2), [2.0])),
    (4, Case("", decay, [1.0, 1.0], gtol=0.75)),
    (5, Case("", decay, [1.0, 1.0], maxfev=5)),
    (5, Case("", decay, [1.0, 1.0], maxfev=5, Dfun=decay_jacobian)),
    (6, Case("", line, 1.0, ftol=0, xtol=0)),
    (7, Case("", decay, [1.0, 1.0], ftol=0, xtol=0)),
    (8, Case("", lambda p: np.array([p[0] - 1, 1e17]), [5.0], ftol=0, xtol=0)),
])
def test_every_reason_to_stop_is_reached_with_its_message_and_warning(ier, case):
    assert_same(case)
    with warnings.catch_warnings(action="ignore"):
        *_, mesg, stopped_by = leastsq(case.func, case.x0, full_output=True, **case.options)
    assert stopped_by == ier
    text, names = MESG[ier]
    defaults = signature(leastsq).parameters
    assert mesg == text % tuple(case.options.get(name, defaults[name].default) for name in names)


# What func returns


@each(
    Case("list", lambda p: decay(p).tolist(), [1.0, 1.0]),
    Case("tuple", lambda p: tuple(decay(p)), [1.0, 1.0]),
    Case("list of ints and bools", lambda p: [True, 2, 0], [1.0, 1.0], told=FLAT),
    Case("int64", lambda p: np.rint(1e3 * decay(p)).astype(int), [1.0, 1.0], told=FLAT),
    Case("bool", lambda p: decay(p) > 0, [1.0, 1.0]),
    Case("every other entry", lambda p: np.repeat(decay(p), 2)[::2], [1.0, 1.0]),
    Case("reversed", lambda p: decay(p)[::-1], [1.0, 1.0]),
    Case("big-endian", lambda p: decay(p).astype(">f8"), [1.0, 1.0]),
    Case("unaligned", lambda p: np.frombuffer(b"-" + decay(p).tobytes(), offset=1), [1.0, 1.0]),
    Case("read-only", lambda p: np.broadcast_to(p[0] - 2, 3), 1.0),
    Case("masked", lambda p: np.ma.masked_array(decay(p), decay(p) > 0.5), [1.0, 1.0],
         told="leastsq: func returned a masked array in call 4: 5 of its 6 entries are masked, the first at index 1"),
    Case("no entry masked", lambda p: np.ma.masked_array(decay(p), False), [1.0, 1.0]),
    *(Case(f"{kind.__name__} in a {form.__name__}", lambda p, kind=kind, form=form: form(map(kind, decay(p).tolist())),
           [1.0, 1.0])
      for kind in (Fraction, Decimal, np.longdouble, sympy.Float, np.float64) for form in (list, tuple, deque)),
    Case("integers beyond 64 bits", lambda p: [2**70 * int(p[0] > 2), int(1e6 * p[0])], 1.0, told=FLAT_ALONE),
    Case("symbolic array", lambda p: sympy.Array(decay(p).tolist()), [1.0, 1.0]),
    Case("ints, floats and Fractions", lambda p: [1, *decay(p), Fraction(1, 3), np.float32(0.1)], [1.0, 1.0]),
    Case("memoryview", lambda p: memoryview(decay(p)), [1.0, 1.0]),
    Case("not the same kind every time", lambda p: decay(p).tolist() if p[0] > 2 else decay(p), [1.0, 1.0]),
    Case("one residual", lambda p: p - 3, 1.0),
    Case("as many residuals as variables", wave, np.linspace(0.1, 2, 7)),
)
def test_any_real_vector_is_a_residual(case):
    assert_same(case)


def reshape(p):
    p.shape = (2, 1)


def reinterpret(p):
    p.dtype = np.int64


def protect(p):
    p.flags.writeable = False


@each(
    *(Case(f"func: {change.__name__}", then(change, decay), [1.0, 1.0]) for change in (reshape, reinterpret, protect)),
    *(Case(f"Dfun: {change.__name__}", decay, [1.0, 1.0], Dfun=then(change, decay_jacobian))
      for change in (reshape, reinterpret, protect)),
)
def test_shape_and_flags_of_its_x_are_free_to_change(case):
    assert_same(case)


# Dfun


@each(
    Case("(m, n)", plane, [1.0, 1.0], Dfun=lambda p: MATRIX),
    Case("(m, n) in Fortran order", plane, [1.0, 1.0], Dfun=lambda p: np.asfortranarray(MATRIX)),
    Case("(m, n) with gaps", plane, [1.0, 1.0], Dfun=lambda p: np.repeat(np.repeat(MATRIX, 2, 0), 3, 1)[::2, ::3]),
    Case("(m, n) backwards", plane, [1.0, 1.0], Dfun=lambda p: MATRIX[::-1, ::-1].copy()[::-1, ::-1]),
    Case("(n, m)", plane, [1.0, 1.0], Dfun=lambda p: MATRIX.T.copy(), col_deriv=True),
    Case("(n, m) in Fortran order", plane, [1.0, 1.0], Dfun=lambda p: MATRIX.T, col_deriv=1),
    Case("(n, m) with gaps", plane, [1.0, 1.0], Dfun=lambda p: np.repeat(MATRIX.T, 2, 1)[:, ::2], col_deriv=True),
    *(Case(str(dtype), plane, [1.0, 1.0], Dfun=lambda p, dtype=dtype: MATRIX.astype(dtype))
      for dtype in ("f2", "f4", ">f8", "i4", "u8")),
    Case("bool, wrong", plane, [1.0, 1.0], Dfun=lambda p: MATRIX > 2, told=MOVED),
    Case("list", plane, [1.0, 1.0], Dfun=lambda p: MATRIX.tolist()),
    Case("masked", plane, [1.0, 1.0], Dfun=lambda p: np.ma.masked_array(MATRIX, MATRIX > 3),
         told="leastsq: Dfun returned a masked array in call 1: 3 of its 6 entries are masked, the first at index 3"),
    *(Case(f"{kind.__name__} in lists", plane, [1.0, 1.0],
           Dfun=lambda p, kind=kind: [[kind(value) for value in row] for row in MATRIX.tolist()])
      for kind in (Fraction, Decimal, np.longdouble, sympy.Float)),
    Case("list of arrays of objects", plane, [1.0, 1.0], Dfun=lambda p: list(MATRIX.astype(object))),
    Case("symbolic matrix", plane, [1.0, 1.0], Dfun=lambda p: sympy.Matrix(MATRIX.tolist())),
    Case("memoryview", plane, [1.0, 1.0], Dfun=lambda p: memoryview(MATRIX)),
    Case("read-only", plane, [1.0, 1.0], Dfun=lambda p: np.broadcast_to(MATRIX[0], (3, 2))),
    Case("the same array every time", decay, [1.0, 1.0],
         Dfun=lambda p: np.copyto(EMPTY, decay_jacobian(p)) or EMPTY),
    Case("not linear", decay, [1.0, 1.0], Dfun=decay_jacobian),
    Case("many variables", wave, np.linspace(0.1, 2, 20), Dfun=lambda p: np.diag(np.cos(p))),
    Case("many rows", lambda p: np.repeat(decay(p), 50), [1.0, 1.0],
         Dfun=lambda p: np.repeat(decay_jacobian(p), 50, axis=0)),
    *(Case(f"n = 1, {shape}, col_deriv={col_deriv}", line, 1.0, col_deriv=col_deriv,
           Dfun=lambda p, shape=shape: SLOPES.reshape(shape))
      for shape in (3, (1, 3), (3, 1)) for col_deriv in (False, True)),
    Case("n = 1, every other entry", line, 1.0, Dfun=lambda p: np.repeat(SLOPES, 2)[::2]),
    *(Case(f"n = m = 1, {shape}", lambda p: p**2 - 3, 1.0, Dfun=lambda p, shape=shape: (2 * p).reshape(shape))
      for shape in (1, (1, 1))),
    Case("singular", lambda p: SLOPES * (p[0] + p[1]) - 1, [1.0, 1.0], Dfun=lambda p: np.stack([SLOPES, SLOPES], 1)),
    Case("all zero", plane, [1.0, 1.0], Dfun=lambda p: np.zeros((3, 2)), told=FLAT),
    Case("wrong", decay, [1.0, 1.0], Dfun=lambda p: -decay_jacobian(p), told=STUCK),
)
def test_any_real_matrix_is_a_jacobian(case):
    assert_same(case)


@each(
    Case("transposed", plane, [1.0, 1.0], Dfun=lambda p: MATRIX.T),
    Case("transposed, col_deriv", plane, [1.0, 1.0], Dfun=lambda p: MATRIX, col_deriv=True),
    Case("flat", plane, [1.0, 1.0], Dfun=lambda p: MATRIX.ravel()),
    Case("3-D", plane, [1.0, 1.0], Dfun=lambda p: MATRIX[None]),
    Case("no name", plane, [1.0, 1.0], Dfun=partial(lambda p: MATRIX.T)),
)
def test_a_first_jacobian_of_the_wrong_shape_is_refused(case):
    """The text is SciPy's, with a blank after a full stop, and a hint if transposed: see test_contract_different."""
    with pytest.raises(TypeError) as theirs:
        SOLVERS["scipy"](case.func, case.x0, **case.options)
    with pytest.raises(TypeError) as ours:
        leastsq(case.func, case.x0, **case.options)
    text, _, hint = str(ours.value).partition(" Transpose it, or ")
    assert text == str(theirs.value).replace(".Shape", ". Shape")
    assert hint == {"flat": "", "3-D": "", "transposed, col_deriv": "leave out col_deriv=True."}.get(
        case.name, "pass col_deriv=True.")


# What func does


class Failing:
    """A function that raises at its k-th call."""

    def __init__(self, function, k, error):
        self.function, self.left, self.error = function, k, error

    def __call__(self, p):
        self.left -= 1
        if self.left == 0:
            raise self.error
        return self.function(p)


class OwnError(BaseException):
    """An exception that no `except Exception` catches."""


@pytest.mark.parametrize("leastsq", SOLVERS.values(), ids=SOLVERS)
@pytest.mark.parametrize("role", ["func", "Dfun"])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("error", [ValueError("mine"), TypeError(), StopIteration(1), MemoryError(), OwnError(),
                                   KeyboardInterrupt(), SystemExit(3)], ids=lambda error: type(error).__name__)
def test_what_a_function_raises_passes_as_the_same_object(leastsq, role, k, error, capfd):
    failing = Failing({"func": decay, "Dfun": decay_jacobian}[role], k, error)
    functions = {"func": decay, "Dfun": decay_jacobian if k % 2 else None} | {role: failing}
    with pytest.raises(type(error)) as raised:
        leastsq(x0=[1.0, 1.0], **functions)
    assert raised.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert raised.traceback[-1].name == "__call__"
    assert failing.left == 0
    assert capfd.readouterr() == ("", "")


def nested(depth):
    """Residuals that come from a fit whose residuals come from a fit, and so on."""
    def func(p, leastsq):
        inner = leastsq(nested(depth - 1), 1.0, (leastsq,))[0] if depth else 0.25
        return SLOPES * p[0] ** 2 - inner
    return func


@pytest.mark.parametrize("Dfun", [None, lambda p, leastsq: 2 * SLOPES * p[0]], ids=["differences", "Dfun"])
def test_func_may_call_leastsq_again(Dfun):
    theirs, ours = (leastsq(nested(2), 1.0, (leastsq,), Dfun, full_output=True) for leastsq in SOLVERS.values())
    assert frozen(ours[:1] + ours[2:]) == frozen(theirs[:1] + theirs[2:])


def test_threads_do_not_disturb_each_other():
    def fit(leastsq, shift):
        return frozen(leastsq(decay, [1.0, 1.0], (shift,), decay_jacobian if shift > 0.1 else None))
    shifts = np.linspace(0, 0.2, 200)
    with ThreadPoolExecutor(8) as pool:
        ours = list(pool.map(partial(fit, leastsq), shifts))
    assert ours == [fit(SOLVERS["scipy"], shift) for shift in shifts]


@each(
    Case("list", decay, [1.0, 1.0]),
    Case("float64", decay, np.array([1.0, 1.0])),
    Case("with Dfun and diag", decay, np.array([1.0, 1.0]), Dfun=decay_jacobian, diag=np.array([1.0, 10.0])),
    Case("ier 0", decay, np.array([1.0, 1.0]), gtol=-1),
    Case("n = m", lambda p: p, np.array([1.0, 1.0])),
)
def test_every_array_that_comes_back_is_the_callers_own(case):
    returned = []
    x, cov_x, info, *_ = leastsq(lambda p: returned.append(case.func(p)) or returned[-1], case.x0, full_output=True,
                                 **case.options)
    arrays = [x, info["fvec"], info["fjac"], info["ipvt"], info["qtf"]] + ([] if cov_x is None else [cov_x])
    given = [*returned, np.asarray(case.x0), np.asarray(case.options.get("diag", 0))]
    for i, array in enumerate(arrays):
        assert array.flags.owndata
        assert array.flags.carray
        assert not any(np.may_share_memory(array, other) for other in arrays[:i] + given)
