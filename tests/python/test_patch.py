"""SciPy patched: each way to its MINPACK leads here, and a program sees SciPy's results, counts, errors, warnings."""

import functools
import inspect
import pickle
import re
import threading
import warnings

import numpy as np
import pytest
import scipy
import scipy.optimize
from numpy.testing import assert_allclose
from scipy.optimize import _minpack, _minpack_py, curve_fit, least_squares, leastsq, root

import pyminpack
from helpers.contract import T, Y, decay, decay_jacobian, frozen
from helpers.isolated import run_isolated

pytestmark = [
    pytest.mark.needs("scipy==1.14.1"),
    pytest.mark.thread_unsafe(reason="changes SciPy for the whole process"),
]

X0 = [1.0, 1.0]
SCIPYS = (leastsq.__code__, _minpack._lmdif, _minpack._lmder)
COVARIANCES = ("cov_x", "pcov")  # computed in another way: equal to rounding


def model(t, amplitude, rate):
    return amplitude * np.exp(-rate * t)


def model_jacobian(t, amplitude, rate):
    return decay_jacobian([amplitude, -rate])


# Each takes residuals and a Jacobian, and returns what it found, by names.
WAYS = {
    "leastsq": lambda f, j: dict(zip(("x", "ier"), leastsq(f, X0), strict=True)),
    "leastsq, full": lambda f, j: full(leastsq(f, X0, full_output=True)),
    "leastsq, Dfun": lambda f, j: full(leastsq(f, X0, (), j, True)),
    "leastsq, args": lambda f, j: full(leastsq(f, X0, args=0.125, full_output=True)),
    "leastsq, in a partial": lambda f, j: full(functools.partial(leastsq, full_output=1)(f, X0)),
    "leastsq, diag and factor": lambda f, j: full(leastsq(f, X0, full_output=True, diag=[2.0, 0.5], factor=1)),
    "leastsq, maxfev": lambda f, j: full(leastsq(f, X0, full_output=True, maxfev=4)),
    "curve_fit": lambda f, j: fitted(curve_fit(lambda t, *p: f(p) + Y, T, Y, p0=X0, full_output=True)),
    "curve_fit, jac": lambda f, j: fitted(
        curve_fit(lambda t, *p: f(p) + Y, T, Y, p0=X0, jac=lambda t, *p: j(p), full_output=True)),
    "curve_fit, sigma": lambda f, j: fitted(
        curve_fit(lambda t, *p: f(p) + Y, T, Y, p0=X0, sigma=1 + T, full_output=True)),
    "root": lambda f, j: dict(root(f, X0, method="lm")),
    "root, jac": lambda f, j: dict(root(f, X0, method="lm", jac=j)),
    "least_squares": lambda f, j: dict(least_squares(f, X0, method="lm")),
    "least_squares, jac": lambda f, j: dict(least_squares(f, X0, method="lm", jac=j)),
    "least_squares, x_scale": lambda f, j: dict(least_squares(f, X0, method="lm", x_scale=[2.0, 0.5])),
    "_lmdif": lambda f, j: dict(zip(("x", "infodict", "info"), _minpack._lmdif(f, X0, (), 1), strict=True)),
    "_lmdif, short": lambda f, j: dict(zip(("x", "info"), _minpack._lmdif(f, X0), strict=True)),
    "_lmder": lambda f, j: dict(
        zip(("x", "infodict", "info"), _minpack._lmder(f, lambda p: j(p).T, X0, (), 1), strict=True)),
}


def full(outcome):
    return dict(zip(("x", "cov_x", "infodict", "mesg", "ier"), outcome, strict=True))


def fitted(outcome):
    return dict(zip(("popt", "pcov", "infodict", "mesg", "ier"), outcome, strict=True))


@pytest.fixture
def patched():
    pyminpack.patch_scipy()
    yield
    pyminpack.unpatch_scipy()
    assert_unpatched()


def assert_unpatched():
    assert not pyminpack.scipy_is_patched()
    assert (leastsq.__code__, _minpack._lmdif, _minpack._lmder) == SCIPYS


@pytest.fixture
def reached(monkeypatch):
    """The names with which the extension's leastsq is called."""
    names = []
    original = pyminpack._minpack.leastsq

    def solve(caller, *rest):
        names.append(caller)
        return original(caller, *rest)

    monkeypatch.setattr(pyminpack._minpack, "leastsq", solve)
    return names


def counted(function, calls):
    def counting(p, *args):
        calls.append(tuple(p))
        return function(np.asarray(p), *args)
    return counting


def observed(way):
    """What a way gives: its results, their covariance, where func and Dfun were called."""
    func_calls, jac_calls = [], []
    found = WAYS[way](counted(decay, func_calls), counted(decay_jacobian, jac_calls))
    covariance = [found.pop(name) for name in COVARIANCES if name in found]
    return found, covariance, [func_calls, jac_calls]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_bits_and_makes_the_calls_of_scipy(way, reached):
    theirs, their_covariance, their_calls = observed(way)
    assert reached == []
    pyminpack.patch_scipy()
    try:
        ours, our_covariance, our_calls = observed(way)
    finally:
        pyminpack.unpatch_scipy()
    assert len(reached) == 1
    assert frozen(ours) == frozen(theirs)
    for one, other in zip(our_covariance, their_covariance, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert_allclose(one, other, rtol=1e-9)
    assert our_calls == their_calls
    assert_unpatched()
    observed(way)
    assert len(reached) == 1


# What a program imports, and its fit.
IMPORTS = {
    "leastsq": ("from scipy.optimize import leastsq", "leastsq(decay, X0)"),
    "optimize.leastsq": ("import scipy.optimize as optimize", "optimize.leastsq(decay, X0)"),
    "a class that holds it": ("from scipy.optimize import leastsq\nclass Fitter:\n    solve = staticmethod(leastsq)",
                              "Fitter.solve(decay, X0)"),
    "a default that holds it": ("from scipy.optimize import leastsq\ndef fit(solve=leastsq): solve(decay, X0)",
                                "fit()"),
    "curve_fit": ("from scipy.optimize import curve_fit", "curve_fit(lambda t, a, b: a * t + b, [0, 1, 2], [1, 2, 4])"),
    "root": ("from scipy.optimize import root", "root(decay, X0, method='lm')"),
    "least_squares": ("from scipy.optimize import least_squares", "least_squares(decay, X0, method='lm')"),
    "_minpack": ("from scipy.optimize import _minpack", "_minpack._lmdif(decay, X0)"),
    "_lmdif": ("from scipy.optimize._minpack import _lmdif", "_lmdif(decay, X0)"),
    "_lmder": ("from scipy.optimize._minpack import _lmder",
               "_lmder(decay, lambda p: decay_jacobian(p).T, X0)"),
}


BEFORE_ALL = """
import numpy as np
from pyminpack import _minpack as extension, patch_scipy, unpatch_scipy
X0, T, calls, solve = [1.0, 1.0], np.arange(6.0), [], extension.leastsq
extension.leastsq = lambda *args: (calls.append(args), solve(*args))[1]
def decay(p): return p[0] * np.exp(-p[1] * T) - 1 / (1 + T)
def decay_jacobian(p): return np.stack([np.exp(-p[1] * T), -p[0] * T * np.exp(-p[1] * T)], axis=1)
"""


@pytest.mark.parametrize("first", ["SciPy", "patch_scipy"])
@pytest.mark.parametrize("program", IMPORTS)
def test_whichever_was_imported_first_is_served_and_unserved(program, first):
    imports, fit = IMPORTS[program]
    parts = [imports, "patch_scipy()"] if first == "SciPy" else ["patch_scipy()", imports]
    fits = [fit, "assert len(calls) == 1", "unpatch_scipy()", fit, "assert len(calls) == 1"]
    run_isolated("\n".join([BEFORE_ALL, *parts, *fits]))


@pytest.mark.usefixtures("patched")
def test_scipys_function_stays_itself():
    assert leastsq is _minpack_py.leastsq is scipy.optimize.leastsq
    assert pickle.loads(pickle.dumps(leastsq)) is leastsq
    theirs = [(parameter.name, parameter.default) for parameter in inspect.signature(leastsq).parameters.values()]
    ours = inspect.signature(pyminpack.leastsq).parameters.values()
    assert theirs == [(parameter.name, parameter.default) for parameter in ours][:len(theirs)]


FITS = {
    "leastsq": lambda f: leastsq(f, X0, full_output=True),
    "curve_fit": lambda f: curve_fit(lambda t, *p: f(p), T, Y, p0=X0),
    "root": lambda f: root(f, X0, method="lm"),
    "least_squares": lambda f: least_squares(f, X0, method="lm"),
    "_lmdif": lambda f: _minpack._lmdif(f, X0),
    "_lmder": lambda f: _minpack._lmder(f, lambda p: decay_jacobian(p).T, X0),
}
REFUSED = {
    "complex": (lambda p: decay(p) + 1j, "complex128"),
    "longdouble": (lambda p: decay(p).astype(np.longdouble), "float128"),
}


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("returned", REFUSED)
@pytest.mark.parametrize("name", FITS)
def test_no_array_of_floats_is_scipys_error_under_the_name_that_was_called(name, returned):
    func, dtype = REFUSED[returned]
    role = {"curve_fit": "f", "root": "fun", "least_squares": "fun"}.get(name, "func")
    text = f"^{name}: {role} '.*' returned an array of dtype {dtype}; expected"
    with pytest.raises(_minpack.error, match=text) as ours:
        FITS[name](func)
    pyminpack.unpatch_scipy()
    with pytest.raises(_minpack.error) as theirs:
        FITS[name](func)
    assert ours.type.__name__ == theirs.type.__name__
    assert ours.type.__module__ == theirs.type.__module__
    pyminpack.patch_scipy()


@pytest.mark.usefixtures("patched")
def test_a_dfun_that_is_no_array_of_floats_is_scipys_error():
    with pytest.raises(_minpack.error, match=r"^leastsq: Dfun '.*' returned an array of dtype complex128; expected"):
        leastsq(decay, X0, Dfun=lambda p: decay_jacobian(p) + 1j)


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize(("func", "text"), [(lambda p: None, "returned None"), (lambda p: decay(p)[None], "shape")])
def test_what_scipy_answers_by_a_type_error_is_one(func, text):
    with pytest.raises(TypeError, match=text):
        leastsq(func, X0)


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("call", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("name", ["leastsq", "curve_fit", "root", "_lmdif"])
def test_what_a_function_raises_passes(name, call):
    calls = []
    mine = TypeError(f"{name}: func returned nothing of use")

    def failing(p):
        calls.append(p)
        if len(calls) == call:
            raise mine
        return decay(p)

    with pytest.raises(TypeError) as caught:
        FITS[name](failing)
    assert caught.value is mine


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("name", FITS)
def test_nan_is_told_of_at_the_line_that_called(name):
    def func(p):
        return np.where(T == 3, np.nan, decay(p))

    fit = FITS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if name == "least_squares":     # checks the start itself
            func = _finite_at_first(func)
        try:
            fit(func)
        except ValueError:
            assert name == "least_squares"
    ours = [warning for warning in caught if "is not finite" in str(warning.message)]
    assert len(ours) == 1
    assert ours[0].category is RuntimeWarning
    assert str(ours[0].message).startswith(f"{name}: ")
    assert (ours[0].filename, ours[0].lineno) == (__file__, fit.__code__.co_firstlineno)


def _finite_at_first(func):
    calls = []

    def finite_at_first(p):
        calls.append(p)
        return decay(p) if len(calls) == 1 else func(p)
    return finite_at_first


@pytest.mark.parametrize("patch", [False, True], ids=["SciPy", "patched"])
def test_too_few_calls_are_told_of_as_by_scipy(patch, request):
    if patch:
        request.getfixturevalue("patched")
    with pytest.warns(RuntimeWarning, match=r"^Number of calls to function has reached maxfev = 3\.$") as caught:
        leastsq(decay, X0, maxfev=3)
    assert (caught[0].filename, len(caught)) == (__file__, 1)


@pytest.mark.usefixtures("patched")
def test_improper_input_is_told_of_as_by_scipy():
    assert leastsq(decay, X0, ftol=-1, full_output=True)[3:] == ("Improper input parameters.", 0)
    with pytest.raises(TypeError, match=r"^Improper input parameters\."):
        leastsq(decay, X0, ftol=-1)
    with pytest.raises(TypeError, match=r"^leastsq: x0 is an array of dtype complex128"):
        leastsq(decay, [1j, 1])


@pytest.mark.usefixtures("patched")
def test_no_success_is_doubted():
    """Warnings are errors here; the second parameter does nothing."""
    assert leastsq(lambda p: p[0] * T - Y, X0)[1] in (1, 2, 3)
    with pytest.warns(RuntimeWarning, match="exactly zero"):
        pyminpack.leastsq(lambda p: p[0] * T - Y, X0)


@pytest.mark.parametrize(("version", "first"), [("1.11.0", 1), ("1.14.1", 1), ("1.15.0", 0), ("1.18.1", 0)])
def test_ipvt_counts_as_in_the_release(version, first, monkeypatch):
    monkeypatch.setattr(scipy, "__version__", version)
    pyminpack.patch_scipy()
    try:
        assert sorted(leastsq(decay, X0, full_output=True)[2]["ipvt"]) == [first, first + 1]
    finally:
        pyminpack.unpatch_scipy()


@pytest.mark.parametrize("version", ["1.10.1", "1.19.0", "1.19.0.dev0+7", "2.0.0", "unknown", "1.x"])
def test_an_unknown_scipy_is_refused(version, monkeypatch):
    monkeypatch.setattr(scipy, "__version__", version)
    text = f"patch_scipy: SciPy {version} is not supported; expected 1.11 to 1.18"
    with pytest.raises(NotImplementedError, match=f"^{re.escape(text)}$"):
        pyminpack.patch_scipy()
    assert_unpatched()


@pytest.mark.parametrize(("module", "name", "other"), [
    (_minpack_py, "leastsq", lambda func, x0: (x0, 1)),
    (_minpack_py, "leastsq", functools.partial(leastsq, full_output=True)),
    (_minpack, "_lmdif", None),
    (_minpack, "_lmder", None),
    (_minpack, "error", None),
])
def test_a_scipy_that_somebody_else_changed_is_refused(module, name, other, monkeypatch):
    with monkeypatch.context() as change:
        change.setattr(module, name, other)
        with pytest.raises(NotImplementedError, match=rf"^patch_scipy: \S+{name} is not SciPy 1.14.1's own; expected "):
            pyminpack.patch_scipy()
    assert_unpatched()


def test_without_scipy_it_says_so():
    run_isolated("import sys; sys.modules['scipy'] = None\nimport pyminpack\n"
                 "try: pyminpack.patch_scipy()\nexcept ImportError as error: assert 'scipy' in str(error)\nelse: 1/0")


def test_twice_is_once():
    pyminpack.unpatch_scipy()
    pyminpack.patch_scipy()
    code = leastsq.__code__
    pyminpack.patch_scipy()
    assert (leastsq.__code__, pyminpack.scipy_is_patched()) == (code, True)
    pyminpack.unpatch_scipy()
    assert_unpatched()


def test_threads_may_fit_and_patch_at_once():
    expected = leastsq(decay, X0)[0].tobytes()
    wrong = []

    def work(change):
        for _ in range(100):
            change()
            if leastsq(decay, X0)[0].tobytes() != expected:
                wrong.append(change)

    changes = [pyminpack.patch_scipy, pyminpack.unpatch_scipy, lambda: None, pyminpack.patch_scipy]
    threads = [threading.Thread(target=work, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pyminpack.unpatch_scipy()
    assert wrong == []
    assert_unpatched()


AGAIN = {
    "scipy.optimize": "importlib.reload(scipy.optimize)",
    "the module inside": "importlib.reload(scipy.optimize._minpack_py)",
    "the extension": "importlib.reload(scipy.optimize._minpack)",
    "both": "importlib.reload(scipy.optimize._minpack_py); importlib.reload(scipy.optimize)",
    "a second import": "[sys.modules.pop(name) for name in [*sys.modules] if name.startswith('scipy.optimize')]",
}
SAYS_SO_AND_IS = """
import importlib, sys, scipy.optimize
def reached():
    calls.clear()
    import scipy.optimize._minpack_py as module, scipy.optimize as public
    for leastsq in (public.leastsq, module.leastsq):
        leastsq(decay, X0)
    module.curve_fit(lambda t, a, b: a * t + b, [0, 1, 2], [1, 2, 4])
    public.least_squares(decay, X0, method="lm")
    return [call[0].caller for call in calls]
EVERY_WAY = ["leastsq", "leastsq", "curve_fit", "least_squares"]
first = scipy.optimize.leastsq
"""


@pytest.mark.parametrize("again", AGAIN)
def test_what_is_loaded_again_is_patched_again(again):
    run_isolated("\n".join([
        BEFORE_ALL, SAYS_SO_AND_IS, "patch_scipy()", AGAIN[again],
        "assert reached() == EVERY_WAY", "import pyminpack; assert pyminpack.scipy_is_patched()",
        "unpatch_scipy()", "assert reached() == [] and not pyminpack.scipy_is_patched()",
        "first(decay, X0); assert calls == []", AGAIN[again],
        "assert reached() == [] and not pyminpack.scipy_is_patched()",
        "patch_scipy(); assert reached() == EVERY_WAY and pyminpack.scipy_is_patched()",
    ]))  # fmt: skip


INTERRUPTED = """
import sys, pyminpack
from scipy.optimize import _minpack, _minpack_py, leastsq
def state(): return leastsq.__code__, _minpack._lmdif, _minpack._lmder
SCIPYS = state()
pyminpack.patch_scipy()
OURS = state()
def traced(change, interrupt, line=None, hits=0):
    # Call change, and interrupt at some hit of a line of _patch.py; the lines that were run.
    seen = []
    def trace(frame, event, arg):
        if frame.f_code.co_filename != pyminpack._patch.__file__: return None
        if event == "line":
            seen.append(frame.f_lineno)
            if frame.f_lineno == line and seen.count(line) == hits: interrupt()
        return trace
    sys.settrace(trace)
    try: change()
    except KeyboardInterrupt: pass
    finally: sys.settrace(None)
    return {*seen}
def ctrl_c(): raise KeyboardInterrupt
patch, unpatch = pyminpack.patch_scipy, pyminpack.unpatch_scipy
for before, change in (unpatch, patch), (patch, unpatch):
    before()
    lines = traced(change, None)
    assert len(lines) > 15
    for interrupt in ctrl_c, patch, unpatch:
        for line in lines:
            for hits in 1, 4:
                before()
                traced(change, interrupt, line, hits)
                assert pyminpack.scipy_is_patched() == (state() == OURS), (change, interrupt, line)
                assert state() in (SCIPYS, OURS), (change, interrupt, line)
    unpatch()
    assert state() == SCIPYS
"""


@pytest.mark.slow
def test_at_no_line_does_ctrl_c_or_a_signal_handler_that_patches_leave_scipy_half_patched():
    run_isolated(INTERRUPTED)
