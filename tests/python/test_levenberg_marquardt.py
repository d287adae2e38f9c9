"""LevenbergMarquardt: the bits of leastsq by ask and tell, what a fit tells of itself, and what it may be told."""

from __future__ import annotations

import gc
import inspect
import sys
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.marked import marked
from helpers.told import ARRAYS, ATTRIBUTES, COUNTS, NUMBERS, answer, moment, same, tell_all
from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import LevenbergMarquardt, leastsq

pytestmark = [pytest.mark.usefixtures("builtin_solver"), pytest.mark.any_numpy]

T = np.linspace(0, 4, 12)
DATA = 5 * np.exp(-0.5 * T) + 0.3 + 0.01 * np.sin(40 * T)
START = [1.0, 1.0, 0.0]
M, N = 12, 3


def decay(x):
    return x[0] * np.exp(-x[1] * T) + x[2] - DATA


def jacobian(x):
    e = np.exp(-x[1] * T)
    return np.stack([e, -x[0] * T * e, np.ones_like(T)], axis=1)


def transposed(x):
    return jacobian(x).T


MODES = {
    "differences": ({}, {}, None),
    "jacobian": ({"jacobian": True}, {"Dfun": jacobian}, jacobian),
    "col_deriv": ({"jacobian": True, "col_deriv": True}, {"Dfun": transposed, "col_deriv": True}, transposed),
}
every_mode = pytest.mark.parametrize("mode", MODES)


def begun(mode="differences", **more):
    return LevenbergMarquardt(START, **MODES[mode][0], **more)


def told(fit, mode="differences", tells=0):
    """A fit told so many times more, or to its end."""
    for _ in range(tells):
        fit.tell(answer(fit, decay, MODES[mode][2]))
    return fit if tells else tell_all(fit, decay, MODES[mode][2])


def expected(mode="differences", **more):
    return leastsq(decay, START, full_output=True, **MODES[mode][1], **more)


# The bits


@pytest.mark.parametrize("with_jacobian", [False, True], ids=["differences", "jacobian"])
@pytest.mark.parametrize("factor", [1, 10, 100])
@pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far starts
def test_it_has_the_bits_of_leastsq_and_its_number_of_calls(problem, factor, with_jacobian):
    Dfun = problem.jacobian if with_jacobian else None
    points = []

    def func(x):
        points.append(x)
        return problem.residuals(x)

    fit = tell_all(LevenbergMarquardt(problem.start(factor), jacobian=with_jacobian), func, Dfun)
    assert_same_result(fit.result(), leastsq(problem.residuals, problem.start(factor), Dfun=Dfun, full_output=True))
    assert len(points) == fit.nfev


OPTIONS = {
    "ftol": {"ftol": 1e-3}, "xtol": {"xtol": 1e-2, "ftol": 0}, "gtol": {"gtol": 1e-2}, "all zero": {
        "ftol": 0, "xtol": 0}, "maxfev": {"maxfev": 6}, "factor": {"factor": 0.1}, "diag": {"diag": [1, 2.5, 30]},
}  # fmt: skip


@every_mode
@pytest.mark.parametrize("options", OPTIONS)
def test_options_do_what_they_do_in_leastsq(options, mode):
    assert_same_result(told(begun(mode, **OPTIONS[options]), mode).result(), expected(mode, **OPTIONS[options]))


@pytest.mark.parametrize("options", [{"epsfcn": 1e-6}, {"typical_x": [0.1, 2, 10]}, {"epsfcn": 0}], ids=str)
def test_and_so_do_those_of_differences(options):
    assert_same_result(told(begun(**options)).result(), expected(**options))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # zero columns
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64, bool], ids=lambda dtype: dtype.__name__)
def test_the_first_residuals_decide_the_difference_step_as_in_leastsq(dtype):
    def rounded(x):
        return np.round(3 * decay(x)).astype(dtype)

    points = []
    leastsq(lambda x: (points.append(np.copy(x)), rounded(x))[1], START, gtol=1)  # ends with the first Jacobian
    fit = begun()
    fit.tell(rounded(fit.ask()[0]))
    assert_same_bits(fit.ask(), np.array(points[1 : 1 + N]))


STARTS = [3.0, [3], np.float32(2.5), np.array([[3.0, 1.0], [2.0, 5.0]]), np.array([1, 2], ">i2"), (1, True)]


@pytest.mark.parametrize("x0", STARTS, ids=repr)
def test_any_start_that_leastsq_takes(x0):
    def func(x):
        return np.concatenate([x * x - 2, x - 1])

    assert_same_result(tell_all(LevenbergMarquardt(x0), func).result(), leastsq(func, x0, full_output=True))


def test_the_start_is_copied():
    x0 = np.array(START)
    fit = LevenbergMarquardt(x0)
    x0[:] = np.nan
    assert_same_result(told(fit).result(), expected())
    assert np.isnan(x0).all()


@every_mode
def test_after_each_trial_it_is_as_the_callback_of_leastsq_sees_it(mode):
    seen, found = [], []
    leastsq(decay, START, **MODES[mode][1],
            callback=lambda intermediate_result: seen.append(moment(intermediate_result)))  # fmt: skip
    fit = begun(mode)
    while not fit.done:
        is_trial = fit.request == "residuals" and fit.nfev > 0
        told(fit, mode, 1)
        if is_trial:
            found.append(moment(fit))
    assert [*map(same, found)] == [*map(same, seen)]


# Asking


@every_mode
def test_what_it_wants(mode):
    fit, requests, shapes = begun(mode), [], []
    while not fit.done:
        requests.append(fit.request)
        shapes.append(fit.ask().shape)
        told(fit, mode, 1)
    wanted = "differences" if mode == "differences" else "jacobian"
    assert requests[:3] == ["residuals", wanted, "residuals"]
    assert set(requests) == {"residuals", wanted}
    points = N if mode == "differences" else 1
    assert {*zip(requests, shapes, strict=True)} == {("residuals", (1, N)), (wanted, (points, N))}
    assert fit.request is None


@every_mode
def test_asking_changes_nothing_and_the_points_are_the_callers(mode):
    def ask_and_spoil(fit):
        points = fit.ask()
        again = fit.ask()
        assert points.flags.owndata
        assert points.flags.writeable
        assert_same_bits(again, points)
        points[:] = np.nan
        assert_same_bits(fit.ask(), again)
        return fit

    fit = tell_all(begun(mode), decay, MODES[mode][2], between=ask_and_spoil)
    assert_same_result(fit.result(), expected(mode))


@every_mode
def test_after_the_end_there_is_nothing_to_ask_or_tell(mode):
    fit = told(begun(mode), mode)
    before = same(fit.__getstate__())
    for method in (fit.ask, partial(fit.tell, decay(fit.x)), partial(fit.tell, None)):
        text = rf"^LevenbergMarquardt: (ask|tell)\(\) after the fit has ended, with ier {fit.ier};"
        with pytest.raises(RuntimeError, match=text):
            method()
    assert same(fit.__getstate__()) == before
    assert_same_result(fit.result(), expected(mode))


# What it tells of itself

KNOWN = {  # by number of tells
    0: {"x", "nit", "nfev", "njev", "request", "wanted", "done"},
    1: {"fvec", "fnorm"},
    2: {"gnorm", "xnorm", "delta", "diag"},
    3: {"pnorm", "par", "ratio", "trial_x", "trial_fnorm", "accepted"},
}


@every_mode
def test_what_is_not_known_yet_is_None(mode):
    fit, known = begun(mode), set()
    for tells, more in KNOWN.items():
        known |= more
        assert {name for name in ATTRIBUTES if getattr(fit, name) is not None} == known, tells
        assert fit.done is False
        told(fit, mode, 1)
    told(fit, mode)
    assert {name for name in ATTRIBUTES if getattr(fit, name) is None} == {"request"}
    assert fit.done is True


def test_the_scaling_of_the_user_is_known_from_the_start():
    diag = np.array([1.0, 2, 3])
    fit = begun(diag=diag)
    diag[:] = 7
    assert_same_bits(fit.diag, np.array([1.0, 2, 3]))
    assert_same_bits(told(fit).diag, np.array([1.0, 2, 3]))


def test_types():
    fit = told(begun())
    kinds = {**dict.fromkeys(NUMBERS, float), **dict.fromkeys(ARRAYS, np.ndarray), **dict.fromkeys(COUNTS, int),
             "mesg": str, "done": bool, "wanted": list, "accepted": bool, "request": type(None)}  # fmt: skip
    assert {name: type(getattr(fit, name)) for name in ATTRIBUTES} == kinds


@every_mode
def test_its_arrays_are_copies(mode):
    def spoil(fit):
        for name in ARRAYS:
            if (array := getattr(fit, name)) is not None:
                array[:] = np.nan
        return fit

    assert_same_result(tell_all(begun(mode), decay, MODES[mode][2], between=spoil).result(), expected(mode))


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_are_read_only(name):
    with pytest.raises(AttributeError):
        setattr(begun(), name, 1)
    with pytest.raises(AttributeError):
        delattr(begun(), name)


def test_its_repr_says_where_it_is():
    fit = begun()
    assert repr(fit) == "<pyminpack.LevenbergMarquardt: nit 0, nfev 0, fnorm None, request 'residuals'>"
    told(fit, tells=1)
    assert repr(fit) == f"<pyminpack.LevenbergMarquardt: nit 0, nfev 1, fnorm {fit.fnorm}, request 'differences'>"
    told(fit)
    numbers = f"nit {fit.nit}, nfev {fit.nfev}, fnorm {fit.fnorm}, ier {fit.ier}"
    assert repr(fit) == f"<pyminpack.LevenbergMarquardt: {numbers}>"


# Its result


@every_mode
def test_before_the_end_the_result_is_the_best_so_far(mode):
    fit = begun(mode)
    keys = list(expected(mode)[2])
    while not fit.done:
        x, cov_x, infodict, mesg, ier = fit.result()
        assert (cov_x, ier) == (None, -2)
        assert mesg == "The fit was stopped before its end; this is the best point so far."
        assert_same_bits(x, fit.x)
        assert list(infodict) == keys
        assert infodict["nfev"] == fit.nfev
        assert infodict.get("njev", 0) == fit.njev
        assert same(infodict["fvec"]) == same(fit.fvec)
        for name, shape in ("fjac", (N, M)), ("ipvt", (N,)), ("qtf", (N,)):
            array = infodict[name]
            assert (array is None) == (fit.gnorm is None)
            assert array is None or array.shape == shape
        told(fit, mode, 1)
    assert_same_result(fit.result(), expected(mode))


@every_mode
def test_before_the_end_it_is_what_leastsq_returns_when_its_callback_stops_it(mode):
    def stop(intermediate_result):
        if intermediate_result.nit == 2:
            raise StopIteration

    fit = begun(mode)
    while fit.nit < 2:
        told(fit, mode, 1)
    assert_same_result(fit.result(), expected(mode, callback=stop))


@every_mode
def test_a_result_is_the_callers_own(mode):
    fit = told(begun(mode), mode)
    x, cov_x, infodict, _, _ = fit.result()
    for array in (x, cov_x, infodict["fvec"], infodict["fjac"], infodict["ipvt"], infodict["qtf"]):
        array[:] = 0
    assert_same_result(fit.result(), expected(mode))


WARNINGS = {
    "a zero column": (lambda x: [x[0] - 1, x[0] + 1], [0.5, 2.0],
                      r"in the last Jacobian all derivatives with respect to x\[1\] are exactly zero"),
    "NaN": (lambda x: x * np.nan, [0.5], r"fvec is not finite; .* index 0 of what tell was given in call 1$"),
    "masked": (lambda x: np.ma.masked_array([*x, 1.0], [False, True]), [0.5],
               "tell was given a masked array in call 1: 1 of its 2 entries are masked"),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNINGS)
def test_its_end_warns_as_leastsq_does_at_the_callers_line(case):
    func, x0, text = WARNINGS[case]
    with pytest.warns(RuntimeWarning) as by_leastsq:
        leastsq(func, x0)
    fit = LevenbergMarquardt(x0)
    while not fit.done:
        fit.tell(func(fit.ask()[0]) if len(fit.ask()) == 1 else [func(x) for x in fit.ask()])
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match="^LevenbergMarquardt: " + text) as warned:
            fit.result()
        assert len(warned) == len(by_leastsq)
        assert {entry.filename for entry in warned} == {__file__}


# What it may be told


@pytest.mark.parametrize("change", [
    list, tuple, memoryview, lambda v: v.astype(">f8"), lambda v: np.repeat(v, 2)[::2], lambda v: v[None],
    lambda v: [v.tolist()], lambda v: [*map(Fraction, v)],
], ids=["list", "tuple", "memoryview", "big-endian", "strided", "(1, m)", "lists", "Fractions"])  # fmt: skip
def test_residuals_of_every_kind(change):
    fit = begun()
    while not fit.done:
        values = answer(fit, decay)
        fit.tell(change(values[0]) if len(values) == 1 else values)
    assert_same_result(fit.result(), expected())


def test_one_buffer_may_be_told_again_and_again():
    buffer = np.empty((N, M))

    def tell(fit):
        points = fit.ask()
        for row, x in zip(buffer, points, strict=False):
            row[:] = decay(x)
        fit.tell(buffer[: len(points)])
        buffer[:] = np.nan

    fit = begun()
    while not fit.done:
        tell(fit)
    assert_same_result(fit.result(), expected())


class Raises:
    """An exception, once it is looked at as an array."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


# Residuals that leastsq refuses, whatever their number.
RAGGED = {"ragged": pytest.mark.needs("numpy>=1.24")}  # NumPy 1.23 makes an array of objects, and warns
NO_RESIDUALS = {
    "None": None, "complex": np.ones(M, complex), "complex numbers in a list": [1j] * M, "text": "text",
    "a dict": {}, "a generator": (i for i in range(M)), "an iterator": iter([1.0] * M),
    "objects": np.array([object()] * M),
    "None in a list": [None] * M, "longdoubles": np.ones(M, np.longdouble), "times": np.ones(M, "m8[s]"),
    "ragged": [[1.0], [1.0, 2.0]], "bytes": b"bytes", "texts in a list": ["1"] * M, "a set": {1.0},
    "three dimensions": np.ones((1, 1, M)),
}  # fmt: skip


def texts(error):
    return str(error).replace("leastsq: func 'hostile' returned", "LevenbergMarquardt: tell was given")


@pytest.mark.parametrize("value", marked(NO_RESIDUALS, RAGGED))
def test_what_leastsq_does_not_take_from_func_is_refused_by_the_same_error(value):
    def hostile(x):
        return NO_RESIDUALS[value]

    with pytest.raises((TypeError, ValueError)) as by_leastsq:
        leastsq(hostile, START)
    fit = begun()
    for _ in range(4):
        before = same(fit.__getstate__())
        with pytest.raises(type(by_leastsq.value)) as caught:
            fit.tell(NO_RESIDUALS[value])
        if value != "three dimensions":
            assert texts(caught.value) == texts(by_leastsq.value)
        assert same(fit.__getstate__()) == before
        told(fit, tells=1)
    assert_same_result(told(fit).result(), expected())


BAD_SHAPES = {  # by number of tells before, whether a Jacobian is told, and shape
    (0, False, (2,)): (TypeError, "input vector length N=3 must not exceed .* length M=2"),
    (0, False, ()): (TypeError, "input vector length N=3 must not exceed .* length M=1"),
    (0, False, (0,)): (TypeError, "N=3 must not exceed .* M=0"),
    (0, False, (2, M)): (TypeError, r"^LevenbergMarquardt: tell was given .* shape \(2, 12\); expected \(1, m\),"),
    (1, False, (M,)): (TypeError, r"of shape \(12,\); expected \(3, 12\), the residuals at 3 points, one row for each"),
    (1, False, (M, N)): (TypeError, r"of shape \(12, 3\); expected \(3, 12\)"),
    (1, False, (N, M - 1)): (ValueError, "changed size between calls: tell was given 11 residuals, after 12"),
    (1, False, (N, 0)): (ValueError, "changed size between calls: tell was given 0 residuals, after 12"),
    (1, False, (0, M)): (TypeError, r"of shape \(0, 12\); expected \(3, 12\)"),
    (2, False, (M + 1,)): (ValueError, "changed size between calls: tell was given 13 residuals, after 12"),
    (2, False, (1, M + 1)): (ValueError, "changed size between calls: tell was given 13 residuals, after 12"),
    (2, False, (N, M)): (TypeError, r"of shape \(3, 12\); expected \(1, 12\), the residuals at 1 point$"),
    (1, True, (M,)): (TypeError, r"array of shape \(12,\); expected \(12, 3\), the Jacobian$"),
    (1, True, (N, M)): (TypeError, r"of shape \(3, 12\); expected \(12, 3\), the Jacobian\..* pass col_deriv=True\.$"),
    (1, True, (1, M, N)): (TypeError, r"array of shape \(1, 12, 3\); expected \(12, 3\), the Jacobian$"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_SHAPES, ids=str)
def test_a_wrong_shape_is_refused_and_the_right_one_taken_then(case):
    error, text = BAD_SHAPES[case]
    tells, with_jacobian, shape = case
    mode = "jacobian" if with_jacobian else "differences"
    fit = begun(mode)
    if tells:
        told(fit, mode, tells)
    before = same(fit.__getstate__())
    with pytest.raises(error, match=text):
        fit.tell(np.ones(shape))
    assert same(fit.__getstate__()) == before
    assert_same_result(told(fit, mode).result(), expected(mode))


BAD_JACOBIANS = {
    "None": None, "complex": np.ones((M, N), complex), "lists with None": [[1.0, 2.0, None]] * M, "text": "text",
    "objects": np.full((M, N), object()), "ragged": [[1.0], [2.0, 3.0]], "longdoubles": np.ones((M, N), np.longdouble),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["jacobian", "col_deriv"])
@pytest.mark.parametrize("value", marked(BAD_JACOBIANS, RAGGED))
def test_what_is_no_jacobian_is_refused(value, mode):
    value = BAD_JACOBIANS[value]
    fit = told(begun(mode), mode, 1)
    while not fit.done:
        if fit.request == "jacobian":
            before = same(moment(fit)), same(fit.ask())
            with pytest.raises((TypeError, ValueError), match=r"^LevenbergMarquardt: tell was given"):
                fit.tell(value)
            assert (same(moment(fit)), same(fit.ask())) == before
        told(fit, mode, 1)
    assert_same_result(fit.result(), expected(mode))


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, StopIteration, MemoryError])
def test_what_telling_raises_passes_and_the_fit_can_be_told_again(error):
    fit = begun()
    while not fit.done:
        raised, before = error("of __array__"), same(fit.__getstate__())
        with pytest.raises(error) as caught:
            fit.tell(Raises(raised))
        assert caught.value is raised
        assert same(fit.__getstate__()) == before
        told(fit, tells=1)
    assert_same_result(fit.result(), expected())


# Making one

IMPROPER = [
    {"ftol": -1}, {"xtol": -1e-300}, {"gtol": -np.inf}, {"factor": 0}, {"factor": -1}, {"diag": [1, 0, 1]},
    {"diag": [1, 2]}, {"diag": [1, 2, 3, 4]}, {"diag": np.eye(3)}, {"diag": "text"}, {"diag": [1j, 1, 1]},
    {"ftol": "1"}, {"xtol": None}, {"gtol": 1j}, {"factor": []}, {"epsfcn": "1"}, {"maxfev": 1.0}, {"maxfev": None},
    {"maxfev": 2**70}, {"maxfev": 2**31}, {"typical_x": 0}, {"typical_x": [1, 2]}, {"typical_x": "a"},
]  # fmt: skip


@pytest.mark.parametrize("options", IMPROPER, ids=str)
def test_improper_options_are_the_errors_of_leastsq(options):
    with pytest.raises(Exception, match=r".") as by_leastsq:
        leastsq(decay, START, **options)
    with pytest.raises(type(by_leastsq.value)) as caught:
        LevenbergMarquardt(START, **options)
    assert caught.type is by_leastsq.type
    assert str(caught.value) == str(by_leastsq.value).replace("leastsq", "LevenbergMarquardt")


@pytest.mark.parametrize("x0", [
    None, "text", [1j], pytest.param([[1], [2, 3]], marks=RAGGED["ragged"]), [Fraction(1, 2)],
    np.ones(2, "m8[s]"),
], ids=repr)
def test_a_bad_start_is_the_error_of_leastsq(x0):
    with pytest.raises((TypeError, ValueError)) as by_leastsq:
        leastsq(decay, x0)
    with pytest.raises(by_leastsq.type) as caught:
        LevenbergMarquardt(x0)
    assert str(caught.value) == str(by_leastsq.value).replace("leastsq", "LevenbergMarquardt")


@pytest.mark.parametrize(("arguments", "options", "error", "text"), [
    ((), {}, TypeError, "x0"),
    ((START, 1e-8), {}, TypeError, "positional"),
    ((START,), {"tolerance": 1}, TypeError, "tolerance"),
    ((START,), {"full_output": True}, TypeError, "full_output"),
    ((START,), {"solver": "builtin"}, TypeError, "solver"),
    (([],), {}, TypeError, "^Improper input parameters"),
])  # fmt: skip
def test_wrong_arguments(arguments, options, error, text):
    with pytest.raises(error, match=text):
        LevenbergMarquardt(*arguments, **options)


def test_the_environment_does_not_choose_its_solver(monkeypatch):
    monkeypatch.setenv("PYMINPACK_SOLVER", "original")
    fit = tell_all(LevenbergMarquardt(START), decay)
    assert_same_result(fit.result(), expected(solver="builtin"))


USES = {
    **{name: lambda fit, name=name: getattr(fit, name) for name in ATTRIBUTES},
    "ask": lambda fit: fit.ask(), "tell": lambda fit: fit.tell(decay(START)), "result": lambda fit: fit.result(),
    "__getstate__": lambda fit: fit.__getstate__(), "__reduce__": lambda fit: fit.__reduce__(),
}  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_without___init___there_is_nothing_in_it(use):
    empty = LevenbergMarquardt.__new__(LevenbergMarquardt)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"^LevenbergMarquardt: not initialised"):
            USES[use](empty)
    with pytest.raises(TypeError, match="ftol"):
        empty.__init__(START, ftol="1")
    with pytest.raises(RuntimeError, match=r": not initialised: __init__ was not called, or raised$"):
        USES[use](empty)
    assert repr(empty) == "<pyminpack.LevenbergMarquardt>"
    empty.__init__(START)
    assert_same_result(told(empty).result(), expected())


@every_mode
@pytest.mark.parametrize("tells", range(5))
def test_a_second___init___begins_again_unless_it_fails(tells, mode):
    fit = begun("differences")
    if tells:
        told(fit, tells=tells)
    before = same(fit.__getstate__())
    with pytest.raises(TypeError, match="Improper input"):
        fit.__init__([1.0, 2.0], ftol=-1)
    assert same(fit.__getstate__()) == before
    fit.__init__(START, **MODES[mode][0])
    assert_same_result(told(fit, mode).result(), expected(mode))


class Counted(LevenbergMarquardt):
    """With an attribute, arguments and a method of its own."""

    def __init__(self, x0, name):
        super().__init__(x0)
        self.name, self.tells = name, 0

    def tell(self, values, *, point=None):
        self.tells += 1
        super().tell(values, point=point)


class Slotted(LevenbergMarquardt):
    __slots__ = ("more",)


def test_subclasses():
    fit = Counted(START, "a")
    assert_same_result(tell_all(fit, decay).result(), expected())
    assert (fit.name, fit.tells > 5) == ("a", True)
    fit = Slotted(START)
    fit.more = fit  # a cycle
    assert_same_result(tell_all(fit, decay).result(), expected())
    assert repr(fit).startswith("<Slotted: nit")


@pytest.mark.parametrize("kind", [LevenbergMarquardt, Slotted, type("Plain", (LevenbergMarquardt,), {})])
def test_what_goes_leaves_no_reference_to_its_type(kind):
    def come_and_go():
        for _ in range(20):
            told(kind(START), tells=3)
            kind.__new__(kind)
            fit = kind(START)
            if kind is not LevenbergMarquardt:
                fit.more = fit
        gc.collect()
        return sys.getrefcount(kind)

    come_and_go()
    assert come_and_go() == come_and_go()


def test_its_signature_is_that_of_leastsqs_options():
    own, of_leastsq = (inspect.signature(function).parameters for function in (LevenbergMarquardt, leastsq))
    assert {*own} - {*of_leastsq} == {"jacobian"}
    for name in {*own} & {*of_leastsq} - {"x0"}:
        assert own[name].kind == inspect.Parameter.KEYWORD_ONLY
        assert own[name].default == of_leastsq[name].default, name


def test_a_subclass_that_does_not_call___init___has_nothing_in_it():
    class Empty(LevenbergMarquardt):
        def __init__(self):
            pass

    with pytest.raises(RuntimeError, match=r"^Empty: not initialised"):
        Empty().ask()


def test_the_type_cannot_be_changed():
    with pytest.raises(TypeError):
        LevenbergMarquardt.ask = None
