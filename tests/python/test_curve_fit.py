"""curve_fit beside SciPy's: the same results, errors and warnings."""

import functools
import pickle
import warnings

import numpy as np
import pytest
import scipy.optimize
from numpy.testing import assert_allclose

import pyminpack
from helpers.bits import assert_same_bits
from helpers.isolated import run_isolated
from pyminpack import curve_fit

pytestmark = [pytest.mark.last_bits, pytest.mark.needs("scipy==1.14.1")]

EPS = np.finfo(float).eps
T = np.linspace(0, 4, 30)
NOISE = np.random.default_rng(1).standard_normal(T.size)
ERRORS = 0.1 + 0.05 * T
CORRELATED = np.outer(ERRORS, ERRORS) * 0.8 ** abs(np.subtract.outer(np.arange(30), np.arange(30)))


def decay(t, a, k, c):
    return a * np.exp(-k * t) + c


def decay_by(t, a, k, c):
    e = np.exp(-k * t)
    return np.column_stack([e, -a * t * e, np.ones_like(t)])


def transposed(t, a, k, c):
    return decay_by(t, a, k, c).T


def line(t, a, b):
    return a * t + b


def quadratic(t, a, b, c):
    return (a * t + b) * t + c


def flat(t, a, b):
    return a * t


class Model:
    def method(self, t, a, b):
        return a * t + b

    @classmethod
    def of_class(cls, t, a, b):
        return a * t + b

    @staticmethod
    def static(t, a, b):
        return a * t + b

    def __call__(self, t, a, b):
        return a * t + b


def wrapped(function):
    """A decorator as users write them: what inspect says of it is what is said of `function`."""
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


class Column:
    """What curve_fit sees of a pandas Series: no ndarray, but with a dtype, and indexed by a mask."""

    def __init__(self, values):
        self.values, self.dtype = values, values.dtype

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __getitem__(self, kept):
        return Column(self.values[kept])

    def __rmul__(self, a):
        return a * self.values


Y = decay(T, 2.5, 1.3, 0.5) + 0.1 * NOISE
HOLES = np.where(np.arange(30) % 7 == 3, np.nan, Y)

# What is fitted, and with which further arguments. All to the bit.
SAME = {
    "defaults": (decay, T, Y, {}),
    "p0": (decay, T, Y, {"p0": [2, 1, 0.3]}),
    "p0 of two dimensions": (decay, T, Y, {"p0": [[2.0], [1.0], [0.3]]}),
    "p0, a number": (lambda t, a: a * t, T, Y, {"p0": 3}),
    "p0 in float32": (quadratic, T, Y, {"p0": np.ones(3, np.float32)}),
    "lists": (line, [1, 2, 3, 4], [3, 5, 7, 9.5], {}),
    "data in float32": (decay, T.astype(np.float32), Y.astype(np.float32), {}),
    "data as integers": (line, np.arange(6), np.array([1, 1, 5, 7, 8, 12]), {}),
    "data big-endian": (decay, T.astype(">f8"), Y.astype(">f8"), {}),
    "every other datum": (decay, T[::2], Y[::2], {}),
    "xdata None": (lambda _, a, b: a * T + b, None, Y, {}),
    "xdata an object": (lambda model, a, b: model.method(T, a, b), Model(), Y, {}),
    "xdata of two dimensions": (lambda t, a, b: a * t[0] + b * t[1], np.array([T, T**2]), Y, {}),
    "ydata one number": (lambda t, a, b: a * t + b - Y, T, 0, {}),
    "f returns a list": (lambda t, a, b: list(a * t + b), T, Y, {}),
    "sigma": (decay, T, Y, {"sigma": ERRORS}),
    "sigma, a list of integers": (line, np.arange(6), [1, 1, 5, 7, 8, 12], {"sigma": [1, 2, 1, 2, 1, 2]}),
    "sigma in float32": (decay, T, Y, {"sigma": ERRORS.astype(np.float32)}),
    "sigma one number": (decay, T, Y, {"sigma": 0.1}),
    "sigma of one entry": (decay, T, Y, {"sigma": [0.1]}),
    "sigma negative": (decay, T, Y, {"sigma": -ERRORS}),
    "sigma absolute": (decay, T, Y, {"sigma": ERRORS, "absolute_sigma": True}),
    "absolute without sigma": (decay, T, Y, {"absolute_sigma": True}),
    "as many data as parameters": (line, [1.0, 2.0], [3.0, 5.0], {}),
    "as many, absolute": (line, [1.0, 2.0], [3.0, 5.0], {"absolute_sigma": True}),
    "jac": (decay, T, Y, {"jac": decay_by}),
    "jac, sigma": (decay, T, Y, {"jac": decay_by, "sigma": ERRORS}),
    "jac, sigma of one entry": (decay, T, Y, {"jac": decay_by, "sigma": [0.1]}),
    "jac returns a list": (decay, T, Y, {"jac": lambda t, *p: decay_by(t, *p).tolist(), "sigma": ERRORS}),
    "jac, one parameter": (lambda t, a: a * t, T, Y, {"jac": lambda t, a: t}),
    "jac, col_deriv": (decay, T, Y, {"jac": transposed, "col_deriv": True}),
    "a parameter that does nothing": (flat, T, Y, {}),
    "NaN that is not checked": (line, T, HOLES, {"check_finite": False}),
    "NaN left out": (decay, T, HOLES, {"nan_policy": "omit"}),
    "NaN left out of xdata": (line, np.array([HOLES, T])[0], T, {"nan_policy": "omit"}),
    "NaN left out of both": (lambda t, a, b: a * t[0] + b * t[1], np.array([T, HOLES]), HOLES[::-1],
                             {"nan_policy": "omit"}),
    "no NaN to leave out": (decay, T, Y, {"nan_policy": "omit"}),
    "no NaN to raise for": (decay, T, Y, {"nan_policy": "raise"}),
    "no NaN to leave out of fewer data": (lambda t, a: a * t[:6], T, Y[:6], {"nan_policy": "omit"}),
    "checked, so that nan_policy has no say": (decay, T, Y, {"nan_policy": "none", "check_finite": True}),
    "method": (decay, T, Y, {"method": "lm"}),
    "infinite bounds": (decay, T, Y, {"bounds": ([-np.inf] * 3, np.inf)}),
    "infinite Bounds": (decay, T, Y, {"bounds": scipy.optimize.Bounds([-np.inf] * 3, [np.inf] * 3)}),
    "tolerances": (decay, T, Y, {"ftol": 1e-3, "xtol": 1e-3, "gtol": 1e-3}),
    "maxfev, factor, diag, epsfcn": (decay, T, Y, {"maxfev": 40, "factor": 0.1, "diag": [1, 2, 3], "epsfcn": 1e-10}),
    "a method": (Model().method, T, Y, {}),
    "a class's method": (Model.of_class, T, Y, {}),
    "a static method": (Model.static, T, Y, {}),
    "a callable object": (Model(), T, Y, {}),
    "a partial": (functools.partial(quadratic, c=0.5), T, Y, {"p0": [1, 1]}),
    "a partial without p0": (functools.partial(quadratic, T), 0.3, Y, {}),
    "a wrapped function": (wrapped(line), T, Y, {}),
    "a method of a wrapped function": (wrapped(Model.method).__get__(Model()), T, Y, {}),
    "parameters by position only": (eval("lambda t, a, /, b: a * t + b"), T, Y, {}),
    "a parameter by keyword only": (lambda t, a, *, b=1.0: a * t + b, T, Y, {}),
    "a default": (lambda t, a, b=5.0: a * t + b, T, Y, {}),
    "any number of parameters": (lambda t, *p: p[0] * t + p[1], T, Y, {"p0": [1, 2]}),
}


def outcome(function, f, x, y, options):
    """What curve_fit returns, the parameters that f was given (if p0 is), and the warnings that SciPy knows of."""
    asked = []

    def recording(t, *p):
        asked.append(p)
        return f(t, *p)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(recording if "p0" in options else f, x, y, full_output=True, **options)
    return result, asked, [(type(w.message), str(w.message)) for w in caught if w.category is not RuntimeWarning]


def assert_same(ours, theirs, *, pcov=True):
    """Two outcomes with the same bits."""
    (result, asked, said), (expected, expected_asked, expected_said) = ours, theirs
    assert_same_bits(result[0], expected[0])
    if pcov:
        assert_same_bits(result[1], expected[1])
    else:  # SciPy leaves cov_x to LAPACK
        assert_allclose(result[1], expected[1], rtol=1e-9)
    assert result[2].keys() == expected[2].keys()
    for key, value in expected[2].items():
        assert_same_bits(np.asarray(result[2][key]), np.asarray(value))
    assert result[3:] == expected[3:]
    assert said == expected_said
    assert len(asked) == len(expected_asked)
    assert_same_bits(np.array(asked, float), np.array(expected_asked, float))


@pytest.mark.parametrize(("f", "x", "y", "options"), SAME.values(), ids=SAME)
def test_curve_fit_has_the_bits_and_warnings_of_scipy(f, x, y, options):
    assert_same(outcome(curve_fit, f, x, y, options), outcome(scipy.optimize.curve_fit, f, x, y, options), pcov=False)


@pytest.mark.parametrize(("f", "x", "y", "options"), SAME.values(), ids=SAME)
def test_pcov_is_made_by_the_operations_of_scipy(f, x, y, options, monkeypatch):
    ours = outcome(curve_fit, f, x, y, options)
    monkeypatch.setattr("scipy.optimize._minpack_py.leastsq", pyminpack.leastsq)
    assert_same(ours, outcome(scipy.optimize.curve_fit, f, x, y, options))


def assert_agree(ours, theirs, rtol):
    for value, expected in [*zip(ours[:2], theirs[:2], strict=True), (ours[2]["fvec"], theirs[2]["fvec"])]:
        assert_allclose(value, expected, rtol=rtol, atol=rtol * np.max(np.abs(expected)))


def smooth(m, noise):
    """A covariance of errors that change little from one time to the next: the less noise, the worse its condition."""
    t = np.linspace(0, 4, m)
    return np.exp(-0.5 * np.subtract.outer(t, t) ** 2) + noise * np.eye(m)


def rounding(sigma, differences):
    """
    How far fits by two LAPACKs may be apart. Cholesky factors differ by m eps of the covariance (Higham, *Accuracy
    and Stability*, theorem 10.3), so residuals by its condition times that. A difference divides each call's own
    rounding, which the condition of the factor magnifies, the root of the covariance's, by a step of sqrt(eps).
    """
    lower = np.tril(sigma)
    m, condition = len(lower), np.linalg.cond(lower + np.tril(lower, -1).T)
    return m * EPS * (np.sqrt(condition / EPS) if differences else condition)


@pytest.mark.parametrize("options", [
    {"sigma": CORRELATED},
    {"sigma": CORRELATED, "jac": decay_by},
    {"sigma": CORRELATED, "jac": decay_by, "absolute_sigma": True},
    {"sigma": CORRELATED.tolist(), "jac": decay_by},
    {"sigma": np.tril(CORRELATED) - np.triu(CORRELATED, 1), "jac": decay_by},  # the lower triangle is read
    {"sigma": np.diag(ERRORS**2), "jac": decay_by},
    {"sigma": smooth(30, 1e-6), "jac": decay_by, "absolute_sigma": True},
    {"sigma": smooth(150, 1e-6), "jac": decay_by, "absolute_sigma": True},  # of several blocks
])
def test_a_covariance_as_sigma_agrees_with_scipy_to_rounding(options):
    m, rtol = len(options["sigma"]), rounding(options["sigma"], "jac" not in options)
    assert rtol < 1e-5
    t = np.linspace(0, 4, m)
    y = decay(t, 2.5, 1.3, 0.5) + 0.1 * np.resize(NOISE, m)
    with warnings.catch_warnings(action="error"):
        ours, theirs = (function(decay, t, y, full_output=True, **options)
                        for function in (curve_fit, scipy.optimize.curve_fit))
    assert ours[2]["nfev"] == theirs[2]["nfev"]
    assert_agree(ours, theirs, rtol)


@pytest.mark.parametrize("m", [30, 150])  # one block, several
def test_residuals_are_as_exact_as_by_substitution_whatever_the_condition_of_sigma(m):
    """
    The factor times them is the residuals to m eps in each entry (Higham, theorem 8.5), and as much is lost here in
    multiplying. By an inverse of the factor, whose condition is 4e6 or more, it would be about 1e5 eps.
    """
    t, sigma = np.linspace(0, 4, m), smooth(m, 1e-12)
    factor = np.linalg.cholesky(sigma)
    y = decay(t, 2.5, 1.3, 0.5) + factor @ np.resize(NOISE, m)
    popt, _, infodict, _, _ = curve_fit(decay, t, y, [2, 1, 0.3], sigma, jac=decay_by, full_output=True)
    weighed = infodict["fvec"]
    assert np.all(abs(factor @ weighed - (decay(t, *popt) - y)) <= 2 * m * EPS * (abs(factor) @ abs(weighed)))


def test_col_deriv_goes_with_sigma():
    """SciPy multiplies rows for columns there: it raises, or is wrong where m = n."""
    for sigma in (0.1, ERRORS, CORRELATED):
        ours, expected = (curve_fit(decay, T, Y, sigma=sigma, full_output=True, **options)
                          for options in ({"jac": transposed, "col_deriv": True}, {"jac": decay_by}))
        assert_same_bits(ours[0], expected[0])
        assert_same_bits(ours[2]["fjac"], expected[2]["fjac"])


def test_a_covariance_of_one_datum_is_its_variance():
    popt, pcov = curve_fit(lambda t, a: a * t, [2.0], [3.0], sigma=[[4.0]], absolute_sigma=True)
    assert_allclose(popt, [1.5])
    assert_allclose(pcov, [[4 / 2.0**2]])


# Where SciPy raises the same error, or one of the same type with another text.
SAME_ERRORS = {
    "no parameters": (lambda t: t, T, Y, {}),
    "no parameters named": (lambda *args: args, T, Y, {}),
    "a method without parameters": (Model().__init__, T, Y, {}),
    "an unknown signature": (np.power, T, Y, {}),
    "ydata empty": (line, [1.0], [], {}),
    "xdata of NaN": (line, HOLES, Y, {}),
    "ydata of NaN": (line, T, HOLES, {}),
    "ydata of inf": (line, T, np.where(T > 1, np.inf, Y), {"p0": [1, 1], "check_finite": True}),
    "ydata None": (line, T, None, {}),
    "ydata of words": (line, T, ["a"] * 30, {}),
    "NaN to raise for": (line, T, HOLES, {"nan_policy": "raise"}),
    "NaN in xdata to raise for": (line, HOLES, T, {"nan_policy": "raise"}),
    "propagate": (line, T, Y, {"nan_policy": "propagate"}),
    "fewer data than parameters": (decay, T[:2], Y[:2], {}),
    "args": (line, T, Y, {"args": (1,)}),
    "sigma of a wrong length": (line, T, Y, {"sigma": [1, 2, 3]}),
    "sigma of a wrong shape": (line, T, Y, {"sigma": CORRELATED[:, :2]}),
    "no covariance": (line, T, Y, {"sigma": CORRELATED - np.eye(30)}),
    "a covariance of NaN": (line, T, Y, {"sigma": np.full((30, 30), np.nan)}),
    "NaN residuals with a covariance": (lambda t, a, b: a * HOLES + b, T, Y, {"sigma": CORRELATED}),
    "data of two lengths": (line, T, Y[:5], {}),
    "maxfev reached": (decay, T, Y, {"maxfev": 3}),
    "another method's option": (line, T, Y, {"max_nfev": 3}),
    "improper input": (line, T, Y, {"factor": 0}),
    "bounds with lm": (line, T, Y, {"bounds": (0, 3), "method": "lm"}),
    "three bounds": (line, T, Y, {"bounds": (0, 1, 2)}),
    "an unknown method": (line, T, Y, {"method": "newton"}),
    "an unknown policy": (line, T, Y, {"nan_policy": "drop"}),
    "f no callable": (3, T, Y, {}),
    "jac no callable": (line, T, Y, {"jac": "2-point"}),
    "p0 complex": (line, T, Y, {"p0": [1j, 1]}),
    "a transposed Jacobian": (decay, T, Y, {"jac": transposed}),
}
OUR_TEXTS = {
    "an unknown method": "curve_fit: method is 'newton'; expected None or 'lm' (scipy.optimize.curve_fit has more)",
    "an unknown policy": "nan_policy must be one of {None, 'raise', 'omit'}, not 'drop'",
    "f no callable": "curve_fit: f must be callable, not int",
    "jac no callable": "curve_fit: jac must be callable, not str",
    "p0 complex": "curve_fit: p0 is an array of dtype complex128; expected real numbers that cast safely to float64: "
                  "Cannot cast array data from dtype('complex128') to dtype('float64') according to the rule 'safe'",
    "a transposed Jacobian": "curve_fit: there is a mismatch between the input and output shape of the 'jac' argument "
                             "'transposed'. Shape should be (30, 3) but it is (3, 30). Transpose it, or pass "
                             "col_deriv=True.",
    "improper input": "Optimal parameters not found: Improper input parameters.",
}

# What follows SciPy's text in ours.
GOES_ON = {
    "bounds with lm": " Only scipy.optimize.curve_fit has these",
    "xdata of NaN": ": xdata[3] is nan",
    "ydata of NaN": ": ydata[3] is nan",
    "ydata of inf": ": ydata[8] is inf",
    "ydata None": ": ydata is None",
    "ydata of words": " (ydata is a list whose entry [0] is of type str; expected real numbers)",
    "NaN to raise for": ": ydata[3] is nan",
    "NaN in xdata to raise for": ": xdata[3] is nan",
    "sigma of a wrong length": " It is (3,); expected (30,), (30, 30), or a single number",
    "sigma of a wrong shape": " It is (30, 2); expected (30,), (30, 30), or a single number",
    "no covariance": " As a covariance, sigma[0, 0] is -0.99",
    "a covariance of NaN": ": sigma[0, 0] is nan",
    "NaN residuals with a covariance": ": f(xdata, *p) - ydata is nan at point 3, which a covariance as sigma spreads"
                                       " over all residuals",
    "data of two lengths": "(f returned an array of shape (30,), and ydata has shape (5,))",
}


def raised(function, f, x, y, options):
    """The error's type and text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(f, x, y, **options)
        except Exception as error:
            return type(error), str(error)


@pytest.mark.parametrize(("y", "nan_policy"), [(Y, "raise"), (Y, "omit"), (HOLES, "omit")])
def test_nan_policy_takes_a_Series(y, nan_policy):
    """Of which f gets a Series; SciPy raises an error where there is something to leave out."""
    kept = np.isfinite(y)
    popt, _ = curve_fit(line, Column(T), y, nan_policy=nan_policy)
    assert_same_bits(popt, curve_fit(line, T[kept], y[kept])[0])
    with pytest.raises(ValueError, match=r"^The input contains nan values: xdata\[3\] is nan$"):
        curve_fit(line, Column(HOLES), T, nan_policy="raise")


@pytest.mark.parametrize("y", [Y, HOLES], ids=["all", "omit"])
def test_a_Series_will_do_for_ydata_and_sigma(y):
    kept = np.isfinite(y)
    popt, _ = curve_fit(line, T, Column(y), sigma=Column(ERRORS), nan_policy="omit")
    assert_same_bits(popt, curve_fit(line, T[kept], y[kept], sigma=ERRORS[kept])[0])


@pytest.mark.parametrize("name", SAME_ERRORS)
def test_curve_fit_raises_what_scipy_does(name):
    ours, theirs = (raised(function, *SAME_ERRORS[name]) for function in (curve_fit, scipy.optimize.curve_fit))
    said = theirs[1].partition(". Did you mean")[0]  # which CPython 3.13 and later add for functions in Python
    assert ours == (theirs[0], OUR_TEXTS.get(name, said + GOES_ON.get(name, "")))


@pytest.mark.parametrize(("f", "x", "y", "options", "error", "text"), [
    (line, T, Y, {"bounds": (0, 3)}, ValueError, "Method 'lm' only works .* Only scipy.optimize.curve_fit has these$"),
    (line, T, Y, {"bounds": scipy.optimize.Bounds(0, 3)}, ValueError, "Only scipy.optimize.curve_fit has these$"),
    (line, T, Y, {"method": "trf"}, ValueError, "method is 'trf'; expected None or 'lm' .scipy.optimize.curve_fit has"),
    (line, T, Y, {"sigma": [[2.0]]}, ValueError, "`sigma` has incorrect shape"),
    (line, None, Y, {"nan_policy": "omit"}, TypeError, "nan_policy needs an array, a list or a tuple as xdata, not No"),
    (line, T, Y, {"sigma": 1j}, TypeError, "sigma is an array of dtype complex128"),
], ids=lambda value: str(value)[:40] if isinstance(value, dict) else "")
def test_curve_fit_refuses_what_it_cannot_do(f, x, y, options, error, text):
    with pytest.raises(error, match=text):
        curve_fit(f, x, y, **options)


@pytest.mark.parametrize("sigma", [None, 0.1, ERRORS, CORRELATED], ids=["none", "number", "errors", "covariance"])
@pytest.mark.parametrize("options", [
    {"vectorized": True},
    {"vectorized": True, "jac": decay_by},
    {"workers": 2},
    {"workers": map},
    {"callback": lambda intermediate_result: None},
    {"nonfinite": "raise"},
], ids=lambda options: "-".join(options))
@pytest.mark.usefixtures("builtin_solver")
def test_options_of_leastsq_that_change_no_bit(options, sigma):
    ours, expected = (
        curve_fit(decay, T, Y, [2, 1, 0.3], sigma, full_output=True, **given)
        for given in (options, {"jac": options.get("jac")})
    )
    if sigma is CORRELATED and "vectorized" in options:  # BLAS adds in another order
        assert_allclose(ours[0], expected[0], rtol=rounding(sigma, "jac" not in options))
    else:
        assert_same(*((result, [], []) for result in (ours, expected)))


@pytest.mark.usefixtures("builtin_solver")
def test_what_options_of_leastsq_do_comes_through():
    with pytest.raises(pyminpack.NonFiniteError):
        curve_fit(line, T, HOLES, check_finite=False, nonfinite="raise")
    for typical_x in (None, 1e3):
        asked = []

        def recording(t, *p, asked=asked):
            asked.append(p)
            return decay(t, *p)

        curve_fit(recording, T, Y, [2, 1, 0.3], typical_x=typical_x)
        assert (asked[1][0] - 2 > 1e-6) == (typical_x is not None)

    def stop(x):
        raise StopIteration

    with pytest.warns(scipy.optimize.OptimizeWarning):
        popt, pcov, infodict, _, ier = curve_fit(decay, T, Y, callback=stop, full_output=True)
    assert (ier, infodict["nfev"]) == (-2, 5)
    assert np.isinf(pcov).all()
    with pytest.warns(RuntimeWarning, match="has not reached a minimum"):
        assert np.isfinite(pyminpack.uncertainty(popt, pcov, infodict).standard_errors).all()


def test_exceptions_of_f_and_jac_pass_unchanged():
    error = ZeroDivisionError("of the user's")

    def failing(*args):
        raise error

    for arguments in ({"f": failing}, {"f": decay, "jac": failing}, {"f": decay, "jac": failing, "sigma": ERRORS}):
        with pytest.raises(ZeroDivisionError) as caught:
            curve_fit(xdata=T, ydata=Y, p0=[1, 1, 1], **arguments)
        assert caught.value is error


def test_a_datum_without_dimension_is_one_residual():
    """SciPy asks for the length of its scalar fvec, and fails."""
    popt, pcov, infodict, _, _ = curve_fit(lambda t, a: a * t, 2.0, 3.0, absolute_sigma=True, full_output=True)
    assert_allclose(popt, [1.5])
    assert_allclose(pcov, [[0.25]])
    assert infodict["fvec"].shape == (1,)


def test_the_arguments_are_not_changed():
    arguments = {"xdata": T, "ydata": Y, "p0": np.ones(3), "sigma": ERRORS}
    before = {name: value.copy() for name, value in arguments.items()}
    curve_fit(decay, **arguments)
    for name, value in arguments.items():
        assert_same_bits(value, before[name], name)


def test_warnings_point_to_the_line_that_calls_curve_fit():
    with pytest.warns() as caught:
        curve_fit(flat, T, Y)
    assert [w.filename for w in caught] == [__file__] * 2
    assert len({w.lineno for w in caught}) == 1
    assert [w.category for w in caught] == [RuntimeWarning, scipy.optimize.OptimizeWarning]
    assert "exactly zero" in str(caught[0].message)


def test_without_scipy_the_warning_is_ours_and_nothing_slow_is_imported():
    run_isolated("""
import sys, warnings
import numpy as np
before = set(sys.modules)
import pyminpack

class Model:
    def method(self, x, a, b):
        return a * x

x = np.arange(5.0)
warnings.simplefilter("always")
for model in (lambda x, a, b: a * x, Model().method):
    with warnings.catch_warnings(record=True) as caught:
        pyminpack.curve_fit(model, x, 2 * x + 1)
    (category,) = {w.category for w in caught if w.category is not RuntimeWarning}
    assert category is pyminpack.OptimizeWarning and issubclass(category, UserWarning), category
    assert {w.filename for w in caught} == {"<string>"}
new = set(sys.modules) - before
assert not {name for name in new if name.partition(".")[0] in ("scipy", "inspect", "dataclasses")}, new

import scipy.optimize
with warnings.catch_warnings(record=True) as caught:
    pyminpack.curve_fit(model, x, 2 * x + 1)
assert caught[-1].category is scipy.optimize.OptimizeWarning
""")


@pytest.mark.parametrize("sigma", [None, ERRORS, CORRELATED], ids=["none", "errors", "covariance"])
def test_what_leastsq_calls_can_be_pickled_if_f_can(sigma, monkeypatch):
    """For a map over processes. NumPy's functions can, wherever this module is imported from."""
    def by_pickle(names, func, p0, Dfun, **options):
        func, Dfun = pickle.loads(pickle.dumps((func, Dfun)))
        return pyminpack.leastsq(func, p0, Dfun=Dfun, **options)

    arguments = {"f": np.multiply, "xdata": T, "ydata": Y, "p0": 1, "sigma": sigma, "jac": np.subtract}
    popt, _ = curve_fit(**arguments)
    monkeypatch.setattr("pyminpack._curve_fit.fit", by_pickle)
    assert_same_bits(curve_fit(**arguments)[0], popt)
