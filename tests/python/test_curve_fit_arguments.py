"""What curve_fit says of its arguments and of what f and jac return: by their names, and as leastsq would."""

import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from numpy.testing import assert_allclose

from helpers.bits import assert_same_bits
from helpers.isolated import run_isolated
from pyminpack import NonFiniteError, curve_fit

T = np.linspace(0, 4, 25)
P0 = [1.0, 1.0, 0.0]
FOURTH = np.arange(25) == 4
SEVENTH = np.arange(25) == 7
ERRORS = 0.1 + 0.01 * T
COVARIANCE = np.outer(ERRORS, ERRORS) * 0.5 ** abs(np.subtract.outer(np.arange(25), np.arange(25)))


def decay(t, a, k, c):
    return a * np.exp(-k * t) + c


def decay_by(t, a, k, c):
    e = np.exp(-k * t)
    return np.column_stack([e, -a * t * e, np.ones_like(t)])


Y = decay(T, 3, 0.7, 0.2) + 0.01 * np.cos(9 * T)
HOLED = np.where(FOURTH, np.nan, Y)


def fitted(fit=curve_fit, f=decay, x=T, y=Y, **options):
    """The result, and the categories and texts of the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = fit(f, x, y, P0, **options)
    return result, [(w.category, str(w.message)) for w in caught]


def masked(values, where=FOURTH):
    return np.ma.array(values, mask=np.broadcast_to(where, np.shape(values)))


@pytest.mark.parametrize(
    ("given", "plain", "text"),
    [
        ({"x": masked(T)}, {}, r"xdata has 1 of 25 entries masked, the first at \[4\]"),
        ({"y": masked(Y)}, {}, r"ydata has 1 of 25 entries masked, the first at \[4\]"),
        ({"sigma": masked(ERRORS)}, {"sigma": ERRORS}, r"sigma has 1 of 25 entries masked, the first at \[4\]"),
        (
            {"sigma": masked(COVARIANCE)},
            {"sigma": COVARIANCE},
            r"sigma has 25 of 625 entries masked, the first at \[0, 4\]",
        ),
        ({"x": masked(T), "y": masked(Y)}, {}, r"xdata has 1 .*; ydata has 1 "),
        ({"x": (masked(T), T), "f": lambda t, *p: decay(t[0], *p)}, {}, r"xdata\[0\] has 1 of 25 entries masked"),
        *(
            (
                {"jac": lambda *p: masked(decay_by(*p), FOURTH[:, None]), "sigma": sigma},
                {"jac": decay_by, "sigma": sigma},
                "jac returned a masked array in call 1: .* the first at index 12",
            )
            for sigma in (None, ERRORS, COVARIANCE)
        ),
    ],
)
def test_masked_entries_count_and_one_warning_says_so(given, plain, text):
    (popt, pcov), said = fitted(**given)
    (expected, expected_pcov), silence = fitted(**plain)
    assert_same_bits(popt, expected)
    assert_same_bits(pcov, expected_pcov)
    assert silence == []
    ((category, found),) = said
    assert category is RuntimeWarning
    assert re.search(f"^curve_fit: {text}.*points out of xdata, ydata and sigma$", found), found


@pytest.mark.needs("scipy==1.14.1")
@pytest.mark.parametrize("sigma", [None, 0.1, ERRORS, COVARIANCE], ids=["none", "number", "errors", "covariance"])
def test_masked_entries_of_what_f_returns_are_told_of(sigma):
    """Of a covariance, SciPy refuses them."""
    given = {"f": lambda *p: masked(decay(*p)), "sigma": sigma}
    (popt, _), ((category, text),) = fitted(**given)
    assert category is RuntimeWarning
    assert re.match("curve_fit: f returned a masked array in call 1: .* the first at index 4;", text), text
    if sigma is not COVARIANCE:
        assert_same_bits(popt, fitted(scipy.optimize.curve_fit, **given)[0][0])


@pytest.mark.parametrize("given", [{"x": masked(T, False)}, {"y": masked(Y, False)}, {"sigma": masked(ERRORS, False)}])
def test_a_masked_array_without_masked_entries_is_an_array(given):
    assert fitted(**given)[1] == []


COMPLEX = "is complex; expected real numbers"
UNSAFE = "expected real numbers that cast safely to float64"


# What is given; the error; what its text begins with, and, after a |, has later on.
REFUSED = {
    "complex ydata": ({"y": Y + 1j}, TypeError, f"curve_fit: ydata {COMPLEX}"),
    "a list of complex ydata": ({"y": list(Y + 1j)}, TypeError, f"curve_fit: ydata {COMPLEX}"),
    "complex xdata": ({"x": T + 0j}, TypeError, f"curve_fit: xdata {COMPLEX}"),
    "complex sigma": ({"sigma": ERRORS + 0j}, TypeError, f"curve_fit: sigma is an array of dtype complex128; {UNSAFE}"),
    "a column as ydata": ({"y": Y[:, None]}, TypeError, "curve_fit: ydata has shape (25, 1); expected one dimension"),
    "a row as ydata": ({"y": Y[None]}, TypeError, "curve_fit: ydata has shape (1, 25); expected one dimension"),
    "a column omitted from": (
        {"y": HOLED[:, None], "nan_policy": "omit"},
        TypeError,
        "curve_fit: ydata has shape (25, 1)",
    ),
    "a column as sigma": (
        {"sigma": ERRORS[:, None]},
        ValueError,
        "`sigma` has incorrect shape. It is (25, 1); expected",
    ),
    "f returns a column": (
        {"f": lambda *p: decay(*p)[:, None]},
        TypeError,
        "curve_fit: f '<lambda>' returned an array of shape (25, 1); expected one dimension",
    ),
    "ydata of NaN": ({"y": HOLED}, ValueError, "array must not contain infs or NaNs: ydata[4] is nan"),
    "xdata of inf": (
        {"x": np.array([T, np.where(SEVENTH, -np.inf, T)]), "f": lambda t, *p: decay(t[0], *p)},
        ValueError,
        "array must not contain infs or NaNs: xdata[1, 7] is -inf",
    ),
    "NaN by a policy": (
        {"y": HOLED, "nan_policy": "raise"},
        ValueError,
        "The input contains nan values: ydata[4] is nan",
    ),
    "a covariance of NaN": (
        {"sigma": np.where(np.diag(SEVENTH), np.nan, COVARIANCE)},
        ValueError,
        "array must not contain infs or NaNs: sigma[7, 7] is nan",
    ),
    "a covariance of zero": (
        {"sigma": np.where(np.diag(SEVENTH), 0, np.diag(ERRORS))},
        ValueError,
        "`sigma` must be positive definite. As a covariance, sigma[7, 7] is 0",
    ),
    "an indefinite covariance": (
        {"sigma": np.full((25, 25), 1 - 2e-9) + 1e-9 * np.eye(25) - 1e-9 * np.diag(FOURTH) * 3},
        ValueError,
        "`sigma` must be positive definite. As a covariance, its lowest eigenvalue is -",
    ),
    "sigma of words": (
        {"sigma": ["a"] * 25},
        TypeError,
        f"curve_fit: sigma is a list whose entry [0] is of type str; {UNSAFE}",
    ),
    "sigma of None": (
        {"sigma": [1.0, None]},
        TypeError,
        f"curve_fit: sigma is a list whose entry [1] is None; {UNSAFE}",
    ),
    "unlike things as xdata": (
        {"x": (T, "left")},
        ValueError,
        "setting an array element with a sequence|(xdata is a tuple whose entry [1] is of type str;",
    ),
    "lengths unlike": (
        {"x": (T, T[:3])},
        ValueError,
        "setting an array element|(xdata is a tuple whose entries [0] and [1] have shapes (25,) and (3,);",
    ),
    "dicts as xdata": (
        {"x": [{}]},
        TypeError,
        "float() argument must be|(xdata is a list whose entry [0] is of type dict;",
    ),
    "an object as ydata": ({"y": object()}, TypeError, "float() argument must be|(ydata is of type object;"),
    "ragged p0": (
        {"p0": [1, [2, 3]]},
        ValueError,
        "curve_fit: p0 is a list that makes no array: setting an array element",
    ),
    "None in p0": ({"p0": [None, 1, 1]}, TypeError, f"curve_fit: p0[0] is None; {UNSAFE}"),
    "empty p0": ({"p0": []}, TypeError, "curve_fit: p0 is empty"),
    "f returns None": ({"f": lambda *p: None}, TypeError, f"curve_fit: f '<lambda>' returned None; {UNSAFE}"),
    "f returns words": ({"f": lambda *p: "abc"}, TypeError, "curve_fit: f '<lambda>' returned an array of dtype <U3"),
    "f returns complex": (
        {"f": lambda *p: decay(*p) + 0j},
        TypeError,
        "curve_fit: f '<lambda>' returned an array of dtype comp",
    ),
    "f returns a tuple": (
        {"f": lambda *p: (decay(*p), 1)},
        ValueError,
        "curve_fit: f '<lambda>' returned a tuple that makes no array: setting",
    ),
    "f returns too few": (
        {"f": lambda t, *p: decay(t[:5], *p)},
        ValueError,
        "operands could not be broadcast together|(f returned an array of shape (5,), and ydata has shape (25,))",
    ),
    "jac is nothing": ({"jac": lambda *p: None}, TypeError, f"curve_fit: jac '<lambda>' returned None; {UNSAFE}"),
    "jac is sparse": (
        {"jac": lambda *p: scipy.sparse.csr_array(decay_by(*p)), "sigma": ERRORS},
        TypeError,
        "curve_fit: jac '<lambda>' returned an object of type csr_array",
    ),
    **{
        f"jac transposed, {name}": (
            {"jac": lambda *p: decay_by(*p).T, "sigma": sigma},
            TypeError,
            "curve_fit: there is a mismatch between the input and output shape of the 'jac' argument '<lambda>'. Shape"
            " should be (25, 3) but it is (3, 25). Transpose it, or pass col_deriv=True.",
        )
        for name, sigma in (("no sigma", None), ("a number", 0.1), ("errors", ERRORS), ("covariance", COVARIANCE))
    },
    "jac of NaN with a covariance": (
        {"jac": lambda *p: np.where(FOURTH[:, None], np.nan, decay_by(*p)), "sigma": COVARIANCE},
        ValueError,
        "array must not contain infs or NaNs: jac is nan at point 4, which a cov",
    ),
    "a tolerance": ({"ftol": "a"}, TypeError, "curve_fit: ftol must be a real number, not str"),
    "diag": ({"diag": [1, 2]}, ValueError, "curve_fit: diag has length 2; expected length 3"),
    "callback": ({"callback": 3}, TypeError, "curve_fit: callback must be callable, not int"),
    "workers": ({"workers": "a"}, TypeError, "curve_fit: workers must be"),
    "workers with jac": ({"workers": 2, "jac": decay_by}, ValueError, "curve_fit: workers |jac"),
    "nonfinite": ({"nonfinite": "a"}, ValueError, "curve_fit: nonfinite is 'a'"),
}


@pytest.mark.parametrize(("given", "error", "text"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("builtin_solver")
def test_errors_speak_of_the_arguments_of_curve_fit(given, error, text):
    options = {"f": decay, "xdata": T, "ydata": Y, "p0": P0} | {
        {"x": "xdata", "y": "ydata"}.get(k, k): v for k, v in given.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error) as caught:
            curve_fit(**options)
    assert type(caught.value) is error
    begin, _, later = text.partition("|")
    assert str(caught.value).startswith(begin)
    assert later in str(caught.value)
    assert not re.search(r"\b(func|x0|leastsq|Dfun)\b", str(caught.value)), str(caught.value)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"f": lambda *p: decay(*p) * np.where(FOURTH, np.nan, 1)},
            "fvec is not finite; .* index 4 of what f returned in call 1",
        ),
        ({"jac": lambda *p: decay_by(*p) * np.nan}, "pcov is not finite; .* index 0 of what jac returned in call 1"),
        ({"f": lambda t, a, k, c: a * t + k}, r"in the last Jacobian all derivatives with respect to popt\[2\]"),
        ({"jac": lambda *p: -decay_by(*p)}, "popt never moved, but p0 is not a minimum .* jac may have the wrong sign"),
        ({"diag": [np.nan, 1, 1]}, "fvec is not finite; .* index 0 of diag"),
    ],
)
def test_warnings_of_the_fit_speak_of_the_arguments_of_curve_fit(given, text):
    _, said = fitted(**given)
    (found,) = (text for category, text in said if category is RuntimeWarning)
    assert re.match(f"curve_fit: {text}", found), found
    assert not re.search(r"\b(func|x0|leastsq|Dfun|x\[)\b", found), found


def test_NaN_in_p0_is_told_of_by_its_name():
    with pytest.warns() as caught:
        curve_fit(decay, T, Y, [1, np.nan, 0])
    assert str(caught[0].message) == "curve_fit: fvec is not finite; the first NaN or inf is at index 1 of p0"


BAD_SIGMA = {
    "zero": (np.where(SEVENTH, 0, ERRORS), "sigma[7] is 0"),
    "NaN": (np.where(SEVENTH, np.nan, ERRORS), "sigma[7] is nan"),
    "minus zero": (np.where(SEVENTH, -0.0, ERRORS), "sigma[7] is -0"),
    "too small to divide by": (np.where(SEVENTH, 1e-310, ERRORS), "sigma[7] is 1e-310"),
    "integers": (np.where(SEVENTH, 0, 1), "sigma[7] is 0"),
    "many": (np.where(T > 1, 0, ERRORS), "sigma[7] is 0"),
    "a number": (0.0, "sigma is 0"),
    "a list of one": ([np.nan], "sigma[0] is nan"),
}


@pytest.mark.needs("scipy==1.14.1")
@pytest.mark.parametrize(("sigma", "text"), BAD_SIGMA.values(), ids=BAD_SIGMA)
@pytest.mark.parametrize("jac", [None, decay_by], ids=["differences", "jac"])
def test_sigma_is_blamed_for_what_it_makes_infinite(sigma, text, jac):
    if np.size(sigma) == 1:
        jac = None  # which SciPy cannot
    (popt, pcov), said = fitted(sigma=sigma, jac=jac)
    (expected, expected_pcov), theirs = fitted(scipy.optimize.curve_fit, sigma=sigma, jac=jac)
    assert_same_bits(popt, expected)
    assert_same_bits(pcov, expected_pcov)
    (ours,) = (text for category, text in said if category is RuntimeWarning)
    assert ours.startswith(f"curve_fit: {text}, so that the residuals are not finite")
    assert [w for w in said if w[0] is not RuntimeWarning] == [w for w in theirs if w[0] is not RuntimeWarning]


DROPS_THE_OPTIONS = """
import gc, sys
import numpy as np
from pyminpack import LevenbergMarquardt, curve_fit

class Number:
    def __float__(self):
        for holder in gc.get_referrers(self):
            if isinstance(holder, dict):
                holder.clear()
        gc.collect()
        return 1e-8

def options():
    return {"ftol": Number(), "diag": [2.0, 3.0 + len(sys.argv)], "factor": 50.0 + len(sys.argv)}

t = np.linspace(0, 1, 9)
gc.disable()
curve_fit(lambda t, a, b: a * np.exp(-b * t), t, np.exp(-t), [2.0, 2.0], **options())
assert LevenbergMarquardt([2.0, 2.0], **options()).diag.tolist() == [2, 4]
"""


def test_an_option_that_drops_the_others_while_it_is_read_harms_nothing():
    run_isolated(DROPS_THE_OPTIONS)


@pytest.mark.parametrize("name", [
    "tolerance", "m", "names", "evaluate", "on_nonfinite", "values", "func", "x0", "Dfun",
])  # fmt: skip
def test_a_keyword_that_nobody_knows_or_that_curve_fit_sets_is_the_error_of_scipy(name):
    texts = []
    for fit in (curve_fit, scipy.optimize.curve_fit):
        with pytest.raises(TypeError) as caught:
            fit(decay, T, Y, P0, **{name: print})
        texts.append(str(caught.value).rpartition(".")[2])
    assert texts[0] == texts[1]
    assert texts[0].startswith("leastsq() got ")


@pytest.mark.needs("scipy==1.14.1")
def test_a_negative_or_infinite_sigma_is_taken_as_by_scipy():
    for sigma in (-ERRORS, np.where(SEVENTH, np.inf, ERRORS)):
        (popt, pcov), said = fitted(sigma=sigma)
        (expected, expected_pcov), _ = fitted(scipy.optimize.curve_fit, sigma=sigma)
        assert_same_bits(popt, expected)
        assert_allclose(pcov, expected_pcov, rtol=1e-9)
        assert said == []


@pytest.mark.usefixtures("builtin_solver")
def test_the_error_of_nonfinite_blames_f_or_sigma():
    nan = np.where(FOURTH, np.nan, 1)
    with pytest.raises(
        NonFiniteError, match=r"^curve_fit: .* index 4 of what f returned in call 1, at popt = "
    ) as caught:
        fitted(f=lambda *p: decay(*p) * nan, nonfinite="raise")
    assert caught.value.function == "f"
    with pytest.raises(NonFiniteError, match=r"^curve_fit: .* in call 1, since sigma\[7\] is 0, at popt = "):
        fitted(sigma=np.where(SEVENTH, 0, ERRORS), nonfinite="raise")


@pytest.mark.parametrize("where", ["xdata", "ydata", "both"])
@pytest.mark.parametrize("kind", ["number", "errors", "covariance", "rest of errors", "rest of covariance", "list"])
def test_sigma_loses_the_points_that_nan_policy_omits(kind, where):
    kept = ~(FOURTH | (SEVENTH & (where == "both")))
    x, y = (
        np.where(hole, np.nan, values) for values, hole in ((T, SEVENTH if where == "both" else FOURTH), (Y, FOURTH))
    )
    x, y = (x if where != "ydata" else T), (y if where != "xdata" else Y)
    rest = {
        "number": 0.1,
        "covariance": COVARIANCE[np.ix_(kept, kept)],
        "rest of covariance": COVARIANCE[np.ix_(kept, kept)],
    }
    rest = rest.get(kind, ERRORS[kept])
    sigma = {"errors": ERRORS, "covariance": COVARIANCE, "list": ERRORS.tolist()}.get(kind, rest)
    for jac in (None, decay_by) if kind != "number" else (None,):
        (popt, pcov), said = fitted(x=x, y=y, sigma=sigma, jac=jac, nan_policy="omit")
        expected, expected_pcov = curve_fit(decay, T[kept], Y[kept], P0, rest, jac=jac)
        assert_same_bits(popt, expected)
        assert_same_bits(pcov, expected_pcov)
        assert said == []


def test_an_entry_of_sigma_is_named_where_the_user_has_it_though_points_are_omitted():
    _, said = fitted(y=HOLED, sigma=np.where(SEVENTH, 0, ERRORS), nan_policy="omit")
    assert said[0][1].startswith("curve_fit: sigma[7] is 0")
    _, said = fitted(y=HOLED, sigma=np.where(FOURTH, 0, ERRORS), nan_policy="omit")
    assert said == []
    with pytest.raises(ValueError, match=r"sigma\[7, 7\] is nan"):
        fitted(y=HOLED, sigma=np.where(np.diag(SEVENTH), np.nan, COVARIANCE), nan_policy="omit")


@pytest.mark.parametrize("kind", [Fraction, Decimal, np.longdouble])
def test_a_list_that_f_returns_is_read_as_by_leastsq(kind):
    def listed(*p):
        return [kind(v) for v in decay(*p).tolist()]

    (popt, _), said = fitted(f=listed)
    assert_same_bits(popt, curve_fit(decay, T, Y, P0)[0])
    assert said == []


@pytest.mark.parametrize("shape", [(25,), (1, 25), (25, 1)])
@pytest.mark.parametrize("sigma", [None, 0.1, ERRORS, COVARIANCE], ids=["none", "number", "errors", "covariance"])
def test_the_jacobian_of_one_parameter_may_have_each_shape(shape, sigma):
    popt, pcov = curve_fit(lambda t, a: a * t, T, Y, sigma=sigma, jac=lambda t, a: t.reshape(shape))
    expected = curve_fit(lambda t, a: a * t, T, Y, sigma=sigma, jac=lambda t, a: t)
    assert_same_bits(popt, expected[0])
    assert_same_bits(pcov, expected[1])


def test_a_variance_of_one_datum_is_not_one_of_many_values():
    with pytest.raises(ValueError, match=r"^`sigma` has incorrect shape. It is \(1, 1\), but .* has shape \(3,\)$"):
        curve_fit(lambda t, a: a * np.ones(3), T, 2.0, sigma=[[4.0]])


class Metres:
    """Values with a unit: what is subtracted from them without one is an error of their own."""

    class UnitError(ValueError, TypeError):
        pass

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __sub__(self, other):
        raise self.UnitError("metres and numbers")


def test_what_the_arithmetic_of_the_users_objects_raises_passes_if_their_shape_is_right():
    with pytest.raises(TypeError, match=r"^curve_fit: f '<lambda>' returned an array of shape \(25, 1\); expected one"):
        fitted(f=lambda *p: Metres(decay(*p)[:, None]))
    with pytest.raises(Metres.UnitError, match=r"^metres and numbers$"):
        fitted(f=lambda *p: Metres(decay(*p)))
