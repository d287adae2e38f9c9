"""A success that is none is told of in one warning, and a sound fit in none."""

import warnings
from functools import cache
from itertools import product

import numpy as np
import pytest

from helpers.warned import warned
from problems.sound_fits import MODELS, bounded_problems, problems
from pyminpack import leastsq

pytestmark = pytest.mark.last_bits

T = np.linspace(0, 4, 25)
Y = 2.5 * np.exp(-0.3 * T) + 0.5
START = [1.0, 1.0, 0.0]
ZERO = r"leastsq: in the last Jacobian all derivatives with respect to (.*) are exactly zero, but the residuals are not"
STUCK = "is not a minimum by the Jacobian: the cosine between the residuals and its column "


def model(p):
    return p[0] * np.exp(-p[1] * T) + p[2]


def residuals(p):
    return model(p) - Y


@cache
def cached_model(*p):
    return model(p)


def jacobian(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e, np.ones_like(T)], axis=1)


def quadratic(p):
    return SQUARE @ (p + 0.1 * p**2) - 1


SQUARE = np.array([[2.0, 1.0, 0.5], [-1.0, 3.0, 0.2], [0.3, 0.1, 1.5]])


# What the fits with differences, and with Dfun, are told; and func, x0, and Dfun.
ZERO_COLUMNS = {
    "float32 inside": ("x[0], x[1], x[2]", lambda p: np.float64(model(np.float32(p))) - Y, START),
    "float32 in one": ("x[1]", lambda p: model([p[0], np.float32(p[1]), p[2]]) - Y, START),
    "an index": ("x[1]", lambda p: p[0] * np.roll(np.exp(-T), int(p[1])) + p[2] - Y, [1.0, 2.5, 0.0]),
    "a threshold": ("x[0]", lambda p: np.where(p[0] > T, p[1], p[2]) - np.where(T < 1, -3, 1), [2.55, 0.0, 0.5]),
    "a rounded model": ("x[0], x[1], x[2]", lambda p: np.round(model(p), 4) - Y, START),
    "rounded parameters": ("x[0], x[1], x[2]", lambda p: model(np.round(p, 6)) - Y, START),
    "a cached model": ("x[0], x[1], x[2]", lambda p: cached_model(*np.round(p, 5)) - Y, START),
    "no influence": ("x[3]", lambda p: residuals(p[:3]), [*START, 7.0]),
    "integers": ("x[0], x[1], x[2]", lambda p: (1e3 * residuals(p)).astype(int), START),
    "constant residuals": ("x[0]", lambda p: [1.0, 2.0], 3.0),
    "a small unit": ("x[0]", lambda p: [1.0 + p[0], 2.0 - p[0]], 1e-30),
}
ZERO_COLUMNS_OF_DFUN = {
    "one": ("x[1]", lambda p: jacobian(p) * [1, 0, 1]),
    "minus zero": ("x[2]", lambda p: jacobian(p) * [1, 1, -0.0]),
    "all": ("x[0], x[1], x[2]", lambda p: np.zeros((T.size, 3))),
    "from the second call on": ("x[2]", lambda p: jacobian(p) * [1, 1, p[0] == 1]),
}
WRONG_JACOBIANS = {
    "the wrong sign": lambda p: -jacobian(p),
    "the wrong sign, twice": lambda p: -2 * jacobian(p),
    "columns in another order": lambda p: np.roll(jacobian(p), 1, axis=1),
}


def test_a_column_that_is_zero_is_named_with_the_step_that_it_got():
    _, texts = warned(lambda p: residuals(p[:3]) + 1e-3 * T, [*START, 7.0])
    assert len(texts) == 1
    assert "with respect to x[3] are" in texts[0]
    assert f" difference step of {7 * 2.22044604926e-16**0.5:.3g}," in texts[0]
    assert "epsfcn" in texts[0]


@pytest.mark.parametrize(("x0", "epsfcn", "step"), [(0.0, None, 2.0**-26), (-3.0, 1e-6, 3e-3), (0.0, 1e-4, 0.01)])
def test_the_step_is_that_of_the_differences(x0, epsfcn, step):
    points = []
    (_, _), texts = warned(lambda p: points.append(p[0]) or [1.0, 2.0], x0, epsfcn=epsfcn)
    assert points[1] - points[0] == pytest.approx(step, rel=1e-6)
    assert f" difference step of {step:.3g}," in texts[0]


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize("case", ZERO_COLUMNS)
def test_parameters_without_influence_are_named(case, full_output):
    names, func, x0 = ZERO_COLUMNS[case]
    result, texts = warned(func, x0, full_output=full_output)
    assert result[-1] in (1, 2, 3, 4)
    assert len(texts) == 1
    assert texts[0].startswith(ZERO.replace("(.*)", names))


@pytest.mark.parametrize("case", ZERO_COLUMNS_OF_DFUN)
def test_zero_columns_of_Dfun_are_named(case):
    names, Dfun = ZERO_COLUMNS_OF_DFUN[case]
    for col_deriv in (False, True):
        def arranged(p, col_deriv=col_deriv):
            return Dfun(p).T if col_deriv else Dfun(p)
        _, texts = warned(lambda p: residuals(p) + 0.01 * np.cos(9 * T), START, Dfun=arranged, col_deriv=col_deriv)
        assert len(texts) == 1
        assert texts[0].startswith(ZERO.replace("(.*)", names) + "; ")
        assert texts[0].endswith("heck these columns of Dfun")


# A bound of 0 that the last parameter would cross, kept by a transformation that is flat beyond it or far away.
FLAT_BEYOND = {
    "max": (lambda q: max(q, 0.0), 0.5), "exp": (np.exp, -1.0), "logistic": (lambda q: 1 / (1 + np.exp(-q)), -1.0),
}  # fmt: skip


@pytest.mark.parametrize("case", FLAT_BEYOND)
def test_a_parameter_that_moved_before_its_column_became_zero_may_have_run_off(case):
    bounded, start = FLAT_BEYOND[case]
    (x, _), texts = warned(lambda p: p[0] / (1 + T) + bounded(p[1]) - 1 / (1 + T) + 0.1, [1.3, start])
    assert bounded(x[1]) < 1e-9
    assert len(texts) == 1
    assert "; they moved before, perhaps to where func no longer depends on them, such as" in texts[0]
    assert "could not move" not in texts[0]


def test_a_parameter_that_never_moved_is_said_to_have_been_stuck():
    _, texts = warned(lambda p: residuals(p[:3]) + 1e-3 * T, [*START, 7.0])
    assert ", so the fit could not move them. Compute in float64" in texts[0]
    _, texts = warned(residuals, START, Dfun=lambda p: jacobian(p) * [1, 0, 1])
    assert texts[0] == ZERO.replace("(.*)", "x[1]") + "; the fit could not move them. Check these columns of Dfun"
    _, texts = warned(residuals, START, Dfun=lambda p: jacobian(p) * [1, 1, p[0] == 1])
    assert "; they moved before" in texts[0]


def test_a_parameter_that_rightly_went_to_zero_is_not_named_beside_one_without_influence():
    (x, _), texts = warned(lambda p: np.array([p[0] ** 2 + 0.5, 0.2, 0.1]), [1.0, 1.0])
    assert abs(x[0]) < 0.01
    assert len(texts) == 1
    assert "all derivatives with respect to x[1] are exactly zero" in texts[0]
    assert "so the fit could not move them" in texts[0]


def test_of_many_parameters_the_first_are_named():
    _, texts = warned(lambda p: np.arange(1.0, 101.0), np.ones(100))
    assert "to x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7] and 92 more are exactly zero" in texts[0]


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize("case", WRONG_JACOBIANS)
def test_a_wrong_jacobian_is_told_of(case, full_output):
    result, texts = warned(residuals, START, Dfun=WRONG_JACOBIANS[case], full_output=full_output)
    assert result[-1] in (1, 2, 3, 4)
    assert len(texts) == 1
    assert STUCK in texts[0]
    assert "Dfun may have the wrong sign" in texts[0]


@pytest.mark.parametrize(("unit", "y_unit"), [*product([1e-12, 1.0, 1e12], repeat=2)])
@pytest.mark.parametrize("name", MODELS)
def test_a_wrong_sign_is_told_of_in_any_unit(name, unit, y_unit):
    function, derivative, near = MODELS[name]
    y = function(np.array(near))
    x0 = 1.1 * unit * np.array(near)
    for diag in (None, 1 / np.abs(x0)):
        (x, ier), texts = warned(lambda p: y_unit * (function(p / unit) - y), x0, diag=diag,
                               Dfun=lambda p: -y_unit * derivative(p / unit) / unit)
        assert (x.tolist(), ier in (1, 2, 3)) == (x0.tolist(), True)
        assert len(texts) == 1
        assert texts[0].startswith("leastsq: x never moved, but x0 " + STUCK)


@pytest.mark.parametrize(("cosine", "start", "is_told"), [
    (0.0101, 1.0, True), (0.0099, 1.0, False), (0.5, 0.4e6, True), (0.5, 0.6e6, False), (0.5, -0.4e6, True),
])  # fmt: skip
def test_the_bounds_are_a_cosine_of_a_hundredth_and_a_step_of_a_millionth(cosine, start, is_told):
    """Residuals of norm 1 at the start, one of which grows with x as Dfun says that it falls."""
    rest = np.sqrt(1 - cosine**2)
    (x, ier), texts = warned(lambda p: np.array([cosine + p[0] - start, rest]), start, Dfun=lambda p: [[-1.0], [0.0]])
    assert (x[0], ier in (1, 2, 3)) == (start, True)
    assert len(texts) == is_told
    said = f" is {-cosine:.2g}, and the Gauss-Newton step is {abs(cosine / start):.2g} times x"
    assert all(said in text for text in texts)


def test_the_column_of_the_largest_cosine_is_named():
    _, texts = warned(lambda p: SQUARE @ p - SQUARE[:, 1], np.zeros(3), Dfun=lambda p: -SQUARE)
    assert STUCK + "1, of x[1], is 1," in texts[0]


# Sound fits that drive a parameter to 0, where a step relative to it is lost: a term that the data have not, or a bound
# that is kept by a transformation (sqrt(1 + p**2) - 1 is lmfit's). Each of func and x0, whose vanishing entry is last.
VANISHING = {
    "a quadratic through a line": (lambda p, noise: p[0] + p[1] * T + p[2] * T**2 - 1.3 - 0.7 * T - noise, [1, 2, 1]),
    "an offset of 0": (lambda p, noise: p[0] * np.exp(-p[1] * T) + p[2] - 2.5 * np.exp(-0.7 * T) - noise, [1, 1, 0.5]),
    "an offset of 0 from 0": (lambda p, noise: p[0] * np.exp(-p[1] * T) + p[2] - 2 * np.exp(-T) - noise, [1, 2, 0]),
    "a rate of 0": (lambda p, noise: p[0] * np.exp(-p[1] * T) - 2.5 - noise, [1, 0.1]),
    "a bound by a square": (lambda p, noise: p[0] / (1 + T) + p[1] ** 2 - 1 / (1 + T) + 0.1 - noise, [1.3, 0.5]),
    "a bound as lmfit's": (lambda p, noise: p[0] / (1 + T) + np.hypot(1, p[1]) - 1 / (1 + T) - 0.9 - noise, [1.3, 0.5]),
}


@pytest.mark.parametrize("case", VANISHING)
def test_a_parameter_that_vanishes_at_a_sound_solution_is_not_told_of(case):
    func, x0 = VANISHING[case]
    rng = np.random.default_rng(7)
    for noise in (0, 1e-15, 1e-12, 1e-9, 1e-3):
        for _ in range(40):
            start = np.array(x0) * rng.uniform(0.5, 2, len(x0))
            (x, ier), texts = warned(func, start, args=(noise * rng.standard_normal(T.size),))
            assert ier in (1, 2, 3)
            assert abs(x[-1]) <= max(1e-3, 10 * noise)
            assert texts == []


def test_a_function_whose_least_value_is_at_zero_is_a_solution():
    for x0 in (1.0, -3.0, 1e-3, 1e6):
        assert warned(lambda x: 2 * x**2 + 1, x0)[1] == []


def test_a_parameter_that_vanishes_excuses_no_other():
    """The offset goes to 0, and the index never moves."""
    _, texts = warned(lambda p: p[0] * np.exp(-T) + p[1] ** 2 - np.roll(np.exp(-T), int(p[2])) + 0.1, [1.0, 0.5, 2.5])
    assert len(texts) == 1
    assert "x[2]" in texts[0]


def test_a_wrong_sign_from_a_start_of_zeros_is_told_of():
    for func, Dfun in ((residuals, jacobian), (quadratic, lambda p: SQUARE * (1 + 0.2 * p))):
        (x, _), texts = warned(func, np.zeros(3), Dfun=lambda p, Dfun=Dfun: -Dfun(p))
        assert x.tolist() == [0, 0, 0]
        assert len(texts) == 1


def test_a_model_that_is_NaN_at_every_trial_is_told_of_with_the_place():
    (x, ier), texts = warned(lambda p: np.where(p[0] == 1, residuals(p), np.nan), START, Dfun=jacobian)
    assert (x.tolist(), ier) == (START, 2)
    assert len(texts) == 1
    assert STUCK in texts[0]
    assert "the first NaN or inf is at index 0 of what func returned in call 2" in texts[0]


@pytest.mark.parametrize(("func", "x0", "options"), [
    (residuals, START, {"gtol": 1.0}),
    (residuals, START, {"xtol": 1.0}),
    (residuals, START, {"ftol": 1.0}),
    (residuals, START, {"factor": 1e-300}),
    (residuals, START, {"factor": 1e-9}),
])  # fmt: skip
def test_what_the_user_asked_for_is_no_failure(func, x0, options):
    (_, ier), texts = warned(func, x0, **options)
    assert ier in (1, 2, 3, 4)
    assert texts == []


@pytest.mark.parametrize("options", [{"maxfev": 1}, {"ftol": 0, "xtol": 0, "maxfev": 50}])
def test_where_ier_says_so_already_nothing_is_added(options):
    for full_output, texts in ((True, 0), (False, 1)):
        _, found = warned(residuals, START, full_output=full_output, Dfun=lambda p: -jacobian(p), **options)
        assert len(found) == texts


def test_residuals_of_zero_are_a_solution_whatever_the_jacobian():
    assert warned(lambda p: np.zeros(3), [1.0, 2.0])[1] == []
    assert warned(lambda p: np.zeros(3), [1.0, 2.0], Dfun=lambda p: np.ones((3, 2)))[1] == []


@pytest.mark.parametrize("x0", [0.0, 5.0, 3.0 - 1e-6, 3.0 + 1e-9])
@pytest.mark.parametrize("Dfun", [None, lambda x: 4 * (x - 3)], ids=["differences", "Dfun"])
def test_the_least_value_of_a_function_is_a_solution(x0, Dfun):
    (x, _), texts = warned(lambda x: 2 * (x - 3) ** 2 + 1, x0, Dfun=Dfun)
    assert abs(x[0] - 3) < 1e-3
    assert texts == []
    assert warned(lambda x: 2 * (x - 3) ** 2 + 1, x, Dfun=Dfun)[1] == []


@pytest.mark.parametrize("seed", range(20))
def test_residuals_that_are_rounding_are_a_solution_though_the_jacobian_is_singular(seed):
    def redundant(p):
        return p[0] * p[1] * np.exp(-p[2] * T) + p[3]

    truth = np.array([2.0, 1.5, 0.7, 0.2])
    y = redundant(truth) + 4e-15 * np.random.default_rng(seed).standard_normal(T.size)
    (_, ier), texts = warned(lambda p: redundant(p) - y, truth)
    assert ier in (1, 2, 3, 4)
    assert texts == []


def test_the_numbers_are_those_without_a_warning():
    """They equal SciPy's in test_contract_same; here, whatever becomes of the warning."""
    expected = warned(residuals, START, Dfun=lambda p: -jacobian(p), full_output=True)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        silent = leastsq(residuals, START, Dfun=lambda p: -jacobian(p), full_output=True)
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match=STUCK):
            leastsq(residuals, START, Dfun=lambda p: -jacobian(p))
    for a, b in zip(expected[:2], silent[:2], strict=True):
        assert a.tobytes() == b.tobytes()


# Models whose fits from nearly 0 end at once: the first step, 100 times x0, changes the residuals by less than ftol.
# Each of func, Dfun, and the solution.
TINY = {
    "a phase": (lambda p: np.sin(T + p[0]) + p[1] - np.sin(T + 0.3) - 0.5,
                lambda p: np.stack([np.cos(T + p[0]), np.ones_like(T)], axis=1), [0.3, 0.5]),
    "a decay": (residuals, jacobian, [2.5, 0.3, 0.5]),
    "a line": (lambda p: p[0] * T + p[1] - 2 * T - 1, lambda p: np.stack([T, np.ones_like(T)], axis=1), [2.0, 1.0]),
    "one variable": (lambda p: p[0] * (1 + T) - 3 * (1 + T), lambda p: 1 + T, [3.0]),
    "equations": (lambda p: np.array([p[0] + 0.1 * p[1] ** 2 - 1.4, p[1] - p[0] ** 2 - 1]),
                  lambda p: np.array([[1, 0.2 * p[1]], [-2 * p[0], 1]]), [1.0, 2.0]),
}  # fmt: skip


@pytest.mark.parametrize("exponent", [11, 12, 13, 14, 15, 16, 17, 20, 30, 50])
@pytest.mark.parametrize("case", TINY)
def test_a_failure_from_a_tiny_start_is_told_of(case, exponent):
    func, Dfun, solution = TINY[case]
    x0 = np.full(len(solution), 10.0**-exponent)
    (x, ier), texts = warned(func, x0, Dfun=Dfun)
    assert np.linalg.norm(func(x)) > 0.99 * np.linalg.norm(func(x0))
    assert ier in (1, 2, 3, 4)
    assert len(texts) == 1
    assert ("x never moved, but x0 " if np.array_equal(x, x0) else "x moved, but it ") + STUCK in texts[0]
    assert "set typical_x to the usual size of x, or a larger factor" in texts[0]
    (x, ier), texts = warned(func, x0)
    assert len(texts) == 1 or np.allclose(x, solution)


def test_without_Dfun_the_text_recommends_it():
    func, Dfun, _ = TINY["a line"]
    assert "or pass Dfun" in warned(func, [1e-5, 1e-5], factor=1e-4)[1][0]
    assert "or pass Dfun" not in warned(func, [1e-11, 1e-11], Dfun=Dfun)[1][0]


def test_of_a_diag_of_the_users_nothing_is_said_where_x_moved():
    """It does not tell how long the columns were."""
    func, Dfun, _ = TINY["a line"]
    (x, _), texts = warned(func, [1e-12, 1e-12], Dfun=Dfun, diag=[1.0, 1.0])
    assert 1e-12 < x.max() < 1e-9
    assert texts == []


COUNT = 160  # of the models' problems: with NIST's and with bounds more than 2500 fits
LOOSE = [{name: tolerance} for name in ("ftol", "xtol") for tolerance in (1e-4, 1e-3, 1e-2)]


def test_sound_fits_are_not_told_of():
    """Started near the solution, at it, and 1e-9 off it; by differences and Dfun; with and without diag."""
    rng = np.random.default_rng(11)
    fits, texts = 0, []
    for problem in [*problems(COUNT, seed=11), *bounded_problems(COUNT // 2, seed=11)]:
        for Dfun, diag in product((None, problem.jacobian), (None, 1 / np.abs(problem.near))):
            x = problem.near * rng.uniform(0.95, 1.05, problem.near.size)
            for start in ("near", "solution", "1e-9 off"):
                if start == "1e-9 off":
                    x = x * (1 + 1e-9 * rng.standard_normal(x.size))
                (x, ier), said = warned(problem.residuals, x, Dfun=Dfun, diag=diag)
                fits += ier in (1, 2, 3, 4)
                texts += [f"{problem.name}, {start}: {text}" for text in said if is_doubt(text, problem)]
    assert fits >= 2500, fits
    assert texts == []


def test_of_fits_by_loose_tolerances_only_those_are_told_of_that_had_far_to_go():
    """There the sum of squares falls by more than a tenth of the tolerance still. They are a few of a thousand."""
    fits, told = 0, []
    for problem in [*problems(COUNT, seed=5), *bounded_problems(COUNT, seed=5)]:
        for options in LOOSE:
            (x, _, info, _, ier), said = warned(problem.residuals, problem.near, full_output=True, **options)
            fits += ier in (1, 2, 3, 4)
            for text in said:
                if is_doubt(text, problem):
                    best = leastsq(problem.residuals, x, ftol=1e-12, xtol=1e-12, full_output=True)[2]["fvec"]
                    told.append((problem.name, options, 1 - (best @ best) / (info["fvec"] @ info["fvec"])))
    assert fits >= 1900, fits
    assert len(told) <= fits / 200, told
    assert all(fall > max(options.values()) / 10 for _, options, fall in told), told


def is_doubt(text, problem):
    """Whether a text doubts the fit; a bound of a transformation may make a column exactly zero."""
    return text.startswith("leastsq") and not (problem.is_bounded and "are exactly zero" in text)
