"""uncertainty: NIST's standard errors, and combinations of parameters that no data can tell."""

import re
import warnings
from itertools import product

import numpy as np
import pytest
import scipy.optimize
from numpy.testing import assert_allclose, assert_array_equal

from helpers.bits import assert_same_bits
from problems import nist
from problems.sound_fits import problems
from pyminpack import curve_fit, kernels, leastsq, uncertainty

pytestmark = pytest.mark.last_bits

T = np.linspace(0, 3, 40)
NOISE = 0.05 * np.random.default_rng(1).standard_normal(T.size)
LAST_CERTIFIED = 0.5e-10    # relative to the parameter, at most: half a unit of the 11th digit


def infodict_at(problem, b):
    """What leastsq would return of a fit that ends at b with its Jacobian there."""
    a, ipvt, rdiag, _ = kernels.qrfac(problem.jacobian(b))
    np.fill_diagonal(a, rdiag)
    return {"fvec": problem.residuals(b), "njev": 1, "fjac": a.T, "ipvt": ipvt}


@pytest.mark.parametrize("problem", [p for p in nist.PROBLEMS if p.name != "Lanczos1"], ids=str)
def test_certified_standard_errors_to_the_digits_that_the_certified_parameters_allow(problem):
    """Lanczos1 apart: its residuals, 1e-13, are below the last digit of its certified parameters."""
    def standard_errors(b):
        return uncertainty(b, None, infodict_at(problem, b)).standard_errors

    errors = standard_errors(problem.certified)
    steps = np.diag(LAST_CERTIFIED * problem.certified)
    uncertain = sum(abs(standard_errors(problem.certified + step) - errors) for step in steps)
    allowed = uncertain + LAST_CERTIFIED * problem.certified_sd
    assert np.all(abs(errors - problem.certified_sd) <= 2 * allowed)
    assert np.all(allowed <= 1e-6 * problem.certified_sd)


E = np.exp(-T)
ONES = np.ones_like(T)

# A model, its Jacobian's columns at x, x, and a basis of what does not change the model, which may depend on x.
DEFICIENT = {
    "a sum": (lambda p: (p[0] + p[1]) + p[2] * T, lambda p: [ONES, ONES, T], [1, 2, 3], [[1, -1, 0]]),
    "a sum of three": (lambda p: (p[0] + p[1] + p[2]) * E, lambda p: [E, E, E], [1.5, 0.2, 0.7],
                       [[1, -1, 0], [1, 0, -1]]),
    "weighted": (lambda p: (p[0] + 3 * p[2]) * T + p[1], lambda p: [T, ONES, 3 * T], [1, 2, 3], [[3, 0, -1]]),
    "a product": (lambda p: p[0] * p[1] * np.exp(-p[2] * T),
                  lambda p: [p[1] * np.exp(-p[2] * T), p[0] * np.exp(-p[2] * T), -p[0] * p[1] * T * np.exp(-p[2] * T)],
                  [1, 2, 1], lambda x: [[x[0], -x[1], 0]]),
    "a factor and a shift": (lambda p: p[0] * np.exp(p[1] - p[2] * T),
                             lambda p: [np.exp(p[1] - p[2] * T), p[0] * np.exp(p[1] - p[2] * T),
                                        -p[0] * T * np.exp(p[1] - p[2] * T)], [1, 2, 1], lambda x: [[x[0], -1, 0]]),
    "not used": (lambda p: p[0] + p[2] * T, lambda p: [ONES, 0 * T, T], [1, 2, 3], [[0, 1, 0]]),
    "nothing used": (lambda p: E + 0 * p[0], lambda p: [0 * T, 0 * T], [1, 2], [[1, 0], [0, 1]]),
    "two pairs": (lambda p: (p[0] - p[2]) * E + (p[1] + 2 * p[3]) * T, lambda p: [E, T, -E, 2 * T], [1, 2, 3, 4],
                  [[1, 0, 1, 0], [0, 2, 0, -1]]),
}


def fitted(model, columns, x0):
    """What leastsq returns, by Dfun if columns are given; it may warn, rightly."""
    y = model(np.array(x0, float)) + NOISE
    Dfun = None if columns is None else lambda p: np.column_stack(columns(p))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return leastsq(lambda p: model(p) - y, 1.1 * np.array(x0), Dfun=Dfun, full_output=True)


@pytest.mark.parametrize("by", ["Dfun", "differences"])
@pytest.mark.parametrize(("model", "columns", "x0", "basis"), DEFICIENT.values(), ids=DEFICIENT)
def test_what_the_data_do_not_determine_is_found(model, columns, x0, basis, by):
    x, cov_x, infodict, _, _ = fitted(model, columns if by == "Dfun" else None, x0)
    found = uncertainty(x, cov_x, infodict)
    last_step = 1e-3 if callable(basis) else 0  # from where the last Jacobian was asked for, to x
    basis = np.array(basis(x) if callable(basis) else basis, float)
    assert found.rank == x.size - len(basis)
    assert found.freedom == T.size - found.rank
    coefficients = np.linalg.lstsq(basis.T, found.null_space.T, rcond=None)[0]
    assert_allclose(basis.T @ coefficients, found.null_space.T, rtol=0, atol=1e-6 + last_step)
    assert np.linalg.matrix_rank(coefficients) == len(basis)

    free = basis.any(axis=0)
    assert_array_equal(found.null_space.any(axis=0), free)
    assert_array_equal(np.isinf(found.standard_errors), free)
    assert_array_equal(np.isinf(found.covariance), np.diag(free))
    assert_array_equal(np.isnan(found.covariance), (free | free[:, np.newaxis]) & ~np.diag(free))
    assert_array_equal(np.diag(found.correlations), 1)


@pytest.mark.parametrize("absolute", [False, True])
def test_the_others_are_as_certain_as_without_what_is_not_determined(absolute):
    """As in a fit in which the second of the two has a value that is known."""
    x, cov_x, infodict, _, _ = fitted(lambda p: (p[0] + p[1]) * E + p[2] * T + p[3], None, [1, 2, 3, 4])
    found = uncertainty(x, cov_x, infodict, absolute=absolute)
    expected = uncertainty(*fitted(lambda p: (p[0] + 2) * E + p[1] * T + p[2], None, [1, 3, 4])[:3], absolute=absolute)
    assert_allclose(found.standard_errors[2:], expected.standard_errors[1:], rtol=1e-6)
    assert_allclose(found.covariance[2:, 2:], expected.covariance[1:, 1:], rtol=1e-6)
    assert_allclose(found.correlations[2:, 2:], expected.correlations[1:, 1:], rtol=1e-6)
    assert_allclose(found.variance, expected.variance, rtol=1e-6)
    assert found.freedom == expected.freedom


def decay(t, a, k, c):
    return a * np.exp(-k * t) + c


X0 = np.array([2.0, 1.0, 0.5])
Y = decay(T, *X0) + NOISE


def residuals(p):
    return decay(T, *p) - Y


@pytest.mark.parametrize("absolute", [False, True])
def test_the_covariance_is_that_of_curve_fit_to_the_bit(absolute):
    _, pcov = curve_fit(decay, T, Y, X0, absolute_sigma=absolute)
    found = uncertainty(*leastsq(residuals, X0, full_output=True)[:3], absolute=absolute)
    assert_same_bits(found.covariance, pcov)
    assert_same_bits(found.standard_errors, np.sqrt(np.diag(pcov)))
    assert_allclose(found.correlations, pcov / np.outer(found.standard_errors, found.standard_errors), rtol=1e-12)
    assert_same_bits(found.correlations, found.correlations.T)


def test_without_cov_x_it_comes_from_the_last_jacobian():
    x, cov_x, infodict, _, _ = leastsq(residuals, X0, full_output=True)
    with_it, without = (uncertainty(x, cov, infodict) for cov in (cov_x, None))
    for value, expected in zip(without, with_it, strict=True):
        assert_allclose(value, expected, rtol=1e-12)
    stopped = leastsq(residuals, X0 + 1, maxfev=1, full_output=True)
    assert stopped[1] is None
    with pytest.warns(RuntimeWarning):
        assert np.isfinite(uncertainty(*stopped[:3]).standard_errors).all()


@pytest.mark.needs("scipy==1.14.1")
@pytest.mark.parametrize("first", [0, 1])
def test_the_outputs_of_scipy_will_do(first):
    """SciPy counts ipvt from 0 since 1.15."""
    ours = uncertainty(*leastsq(residuals, X0, full_output=True)[:3])
    x, cov_x, infodict, _, _ = scipy.optimize.leastsq(residuals, X0, full_output=True)
    theirs = uncertainty(x, cov_x, infodict | {"ipvt": infodict["ipvt"] - 1 + first})
    for value, expected in zip(theirs, ours, strict=True):
        assert_allclose(value, expected, rtol=1e-9)


def test_units_do_not_matter():
    """Powers of two, so that no bit may change."""
    units = np.array([2.0**-30, 1.0, 2.0**30, 2.0**-20])
    x, _, infodict, _, _ = fitted(lambda p: (p[0] + p[1]) * E + p[2] * T + p[3], None, [1, 2, 3, 4])
    order = infodict["ipvt"] - 1
    found = uncertainty(x, None, infodict)
    scaled = infodict | {"fjac": infodict["fjac"] / units[order, np.newaxis]}
    rescaled = uncertainty(x * units, None, scaled)
    assert rescaled.rank == found.rank == 3
    assert_same_bits(rescaled.standard_errors, found.standard_errors * units)
    assert_same_bits(rescaled.covariance, found.covariance * np.outer(units, units))
    assert_same_bits(rescaled.correlations, found.correlations)
    own = units[(found.null_space == 1).argmax(axis=1)]
    assert_same_bits(rescaled.null_space, found.null_space * units / own[:, np.newaxis])


def test_units_that_mislead_covar_alone_do_not_matter():
    jacobian = np.column_stack([ONES, T, E]) * [2.0**-30, 1.0, 2.0**30]
    a, ipvt, rdiag, _ = kernels.qrfac(jacobian)
    np.fill_diagonal(a, rdiag)
    assert kernels.covar(a[:3], ipvt, 1e-6).rank == 1
    found = uncertainty(X0, None, {"fvec": NOISE, "fjac": a.T, "ipvt": ipvt}, absolute=True)
    assert found.rank == 3
    assert_allclose(np.linalg.inv(found.covariance), jacobian.T @ jacobian, rtol=1e-9)


@pytest.mark.parametrize(("tol", "rank"), [(None, 3), (0.0, 3), (0.999, 1)])
def test_tol_is_relative_to_the_first_column(tol, rank):
    assert uncertainty(*leastsq(residuals, X0, full_output=True)[:3], tol=tol).rank == rank


def test_no_degree_of_freedom_is_enough_for_residuals_in_units_of_their_errors():
    x, cov_x, infodict, _, _ = leastsq(lambda p: residuals(p)[::15], X0, full_output=True)
    with pytest.raises(ValueError, match="3 residuals have no degrees of freedom left at rank 3"):
        uncertainty(x, cov_x, infodict)
    found = uncertainty(x, cov_x, infodict, absolute=True)
    assert_same_bits(found.covariance, cov_x)
    assert np.isnan(found.variance)


@pytest.mark.parametrize(("change", "text"), [
    ({"x": [1.0, 2.0]}, r"x has shape \(2,\); expected \(3,\)"),
    ({"x": 1.0}, r"x has shape \(\); expected \(3,\)"),
    ({"cov_x": np.eye(2)}, r"cov_x has shape \(2, 2\); expected \(3, 3\)"),
    ({"fjac": np.ones((3, 39))}, r"infodict\['fjac'\] has shape \(3, 39\); expected \(3, 40\)"),
    ({"ipvt": np.array([], np.int32)}, r"infodict\['fjac'\] has shape \(3, 40\); expected \(0, 40\)"),
    ({"fjac": np.full((3, 40), np.nan)}, r"infodict\['fjac'\] is not finite"),
    ({"tol": -1e-9}, "tol is -1e-09; expected at least 0"),
    ({"tol": np.nan}, "tol is nan"),
    ({"tol": 1}, "tol is 1; expected at least 0 and less than 1"),
])
def test_what_does_not_fit_together_is_refused(change, text):
    x, cov_x, infodict, _, _ = leastsq(residuals, X0, full_output=True)
    arguments = {"x": x, "cov_x": cov_x, "infodict": infodict}
    for name, value in change.items():
        (infodict if name in infodict else arguments)[name] = value
    with pytest.raises(ValueError, match=f"^uncertainty: {text}"):
        uncertainty(**arguments)


def test_the_arguments_are_not_changed():
    x, cov_x, infodict, _, _ = leastsq(residuals, X0, full_output=True)
    before = [np.copy(value) for value in (x, cov_x, *infodict.values())]
    uncertainty(x, cov_x, infodict)
    for value, expected in zip((x, cov_x, *infodict.values()), before, strict=True):
        assert_array_equal(value, expected)


@pytest.mark.parametrize("fit", [curve_fit, scipy.optimize.curve_fit], ids=["pyminpack", "SciPy"])
@pytest.mark.parametrize("options", [
    {}, {"sigma": 0.3}, {"sigma": 0.1 + T}, {"sigma": 0.1 + T, "absolute_sigma": True},
], ids=["no sigma", "number", "errors", "absolute"])
def test_what_curve_fit_returns_is_taken_as_it_is(fit, options):
    popt, pcov, infodict, _, _ = fit(decay, T, Y, X0, full_output=True, **options)
    absolute = "absolute_sigma" in options
    found = uncertainty(popt, pcov, infodict, absolute=absolute)
    assert_same_bits(found.covariance, pcov)
    assert found.covariance is not pcov
    expected = uncertainty(popt, None, infodict, absolute=not absolute)
    assert_allclose(uncertainty(popt, pcov, infodict, absolute=not absolute).covariance, expected.covariance, rtol=1e-9)


def test_curve_fit_without_residuals_has_a_covariance_of_zero():
    """Of data without noise the last residuals may be zero, and pcov with them."""
    popt, pcov, infodict, _, _ = curve_fit(lambda t, a, b: a * t + b, T, 2 * T + 1, full_output=True)
    infodict["fvec"][:] = 0
    assert_array_equal(uncertainty(popt, 0 * pcov, infodict).covariance, 0)
    assert (uncertainty(popt, 0 * pcov, infodict, absolute=True).standard_errors > 0).all()


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_matrix_without_a_finite_entry_counts_as_None(value):
    x, _, infodict, _, _ = leastsq(residuals, X0, full_output=True)
    found, expected = (uncertainty(x, cov_x, infodict) for cov_x in (np.full((3, 3), value), None))
    for one, other in zip(found, expected, strict=True):
        assert_same_bits(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("change", [
    lambda c: 2 * c, lambda c: -c, lambda c: c[::-1], np.linalg.inv, lambda c: c * (1 + 1e-5),
    lambda c: np.where(np.eye(3), c, 0), lambda c: np.where(np.eye(3), np.inf, c),
])
def test_another_matrix_is_refused_and_the_text_says_what_to_give(change):
    x, cov_x, infodict, _, _ = leastsq(residuals, X0, full_output=True)
    with pytest.raises(ValueError, match=r"^uncertainty: cov_x does not belong to infodict; expected .* or None"):
        uncertainty(x, change(cov_x), infodict)


@pytest.mark.parametrize("ipvt", [[1, 1, 3], [0, 0, 1], [1, 2, 4], [2, 3, 4], [-1, 0, 1], [1.0, 2.0, 3.0]], ids=str)
def test_an_ipvt_that_is_no_permutation_is_refused(ipvt):
    x, cov_x, infodict, _, _ = leastsq(residuals, X0, full_output=True)
    with pytest.raises(ValueError, match=r"^uncertainty: infodict\['ipvt'\] is .*; expected each number from 1 to 3"):
        uncertainty(x, cov_x, infodict | {"ipvt": np.array(ipvt)})


UNFINISHED = "^uncertainty: the fit has not reached a minimum: the next step would change x by "


@pytest.mark.parametrize("Dfun", [False, True], ids=["differences", "Dfun"])
@pytest.mark.parametrize("maxfev", range(1, 13))
def test_of_a_fit_that_has_not_ended_a_warning_says_so(maxfev, Dfun):
    def jacobian(p):
        e = np.exp(-p[1] * T)
        return np.column_stack([e, -p[0] * T * e, ONES])

    x, cov_x, infodict, _, ier = leastsq(
        residuals, [9, 5, 3], Dfun=jacobian if Dfun else None, maxfev=maxfev, full_output=True
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        uncertainty(x, cov_x, infodict)
    step = np.linalg.norm(x - leastsq(residuals, X0)[0])
    if ier == 5 and step > 0.05:
        (warning,) = caught
        assert re.match(UNFINISHED, str(warning.message))
        assert (warning.category, warning.filename) == (RuntimeWarning, __file__)
    if ier != 5:
        assert caught == []


def test_sound_fits_have_no_warning():
    """In units from 1e-12 to 1e12, with noise from 1e-9 to 0.3; and NIST's problems from near the solution."""
    rng, fits = np.random.default_rng(3), 0
    for problem in problems(80, seed=3):
        for solve, Dfun in product((leastsq, scipy.optimize.leastsq), (None, problem.jacobian)):
            x0 = problem.near * rng.uniform(0.9, 1.1, problem.near.size)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = solve(problem.residuals, x0, Dfun=Dfun, full_output=True)
            if fit[4] in (1, 2, 3, 4):
                fits += 1
                uncertainty(*fit[:3], absolute=True)
    assert fits > 400, fits


@pytest.mark.parametrize("truth", [[2.0, 0.7, 0.5], [2.0, 0.7, 0.0], [0.3, 1.9, -1.0]], ids=str)
def test_fits_without_noise_have_no_warning(truth):
    for factor in np.linspace(0.8, 1.3, 20):
        y = decay(T, *truth)
        fit = leastsq(lambda p, y=y: decay(T, *p) - y, factor * np.array(truth) + 0.01, full_output=True)
        uncertainty(*fit[:3])


@pytest.mark.parametrize("positive", [
    np.exp, np.square, lambda u: np.sqrt(u * u + 1) - 1, lambda u: (np.sin(u) + 1) / 2, lambda u: 1 / (1 + np.exp(-u)),
], ids=["exp", "square", "sqrt", "sin", "sigmoid"])
def test_a_parameter_at_a_bound_kept_by_a_transformation_is_no_unfinished_fit(positive):
    for offset in np.linspace(0.05, 0.5, 10):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # leastsq may find its column to be zero
            fit = leastsq(
                lambda u, offset=offset: decay(T, u[0], u[1], positive(u[2]) + offset) - decay(T, 5, 0.8, 0) - NOISE,
                [3.0, 1.0, 0.4], full_output=True,
            )  # fmt: skip
        uncertainty(*fit[:3])
