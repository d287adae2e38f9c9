"""check_jacobian: right Jacobians pass, wrong ones fail, and the report names the entry."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from problems import mgh, nist
from pyminpack import check_jacobian, kernels

pytestmark = pytest.mark.last_bits

FACTORS = (1, 10, 100)
every_problem = pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)

T = np.linspace(0.5, 4, 12)
P = [2.0, 0.7, 0.3]


def decay(p, t=T):
    """Twelve residuals of three variables, all of whose derivatives matter."""
    return 1.5 - p[0] * np.exp(-p[1] * t) - p[2] * t


def decay_jacobian(p, t=T):
    e = np.exp(-p[1] * t)
    return np.column_stack([-e, p[0] * t * e, -t])


def square(p):
    """As many residuals as variables."""
    return np.array([p[0] ** 2 * p[1], p[1] * p[2] + p[0], np.sin(p[2]) + 3 * p[0]])


def square_jacobian(p):
    return np.array([[2 * p[0] * p[1], p[0] ** 2, 0], [1, p[2], p[1]], [3, 0, np.cos(p[2])]])


def with_entry(row, column, change):
    """decay_jacobian with one entry changed by a function."""
    def jacobian(p):
        fjac = decay_jacobian(p)
        fjac[row, column] = change(fjac[row, column])
        return fjac

    return jacobian


@pytest.mark.parametrize("factor", FACTORS)
@every_problem
def test_right_jacobians_pass(problem, factor):
    with np.errstate(all="ignore"):
        check = check_jacobian(problem.residuals, problem.start(factor), problem.jacobian)
    assert check.ok, str(check)


WRONG = {
    "the sign": lambda fjac: -fjac,
    "a factor of 2": lambda fjac: 2 * fjac,
    "half": lambda fjac: fjac / 2,
    "nothing": lambda fjac: 0 * fjac,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("factor", FACTORS)
@every_problem
def test_wrong_jacobians_fail_in_every_residual_that_depends_on_x(problem, factor, wrong):
    start = problem.start(factor)
    with np.errstate(all="ignore"):
        check = check_jacobian(problem.residuals, start, lambda x: wrong(problem.jacobian(x)))
        # What the row makes of a step, against the residual that it would drown in.
        matters = np.abs(problem.jacobian(start)) @ np.abs(start) > 0.1 * np.abs(problem.residuals(start))
        depends = problem.jacobian(start).any(axis=1)
    assert not check.ok
    assert np.all(check.scores[matters & depends] < 0.5)


@pytest.mark.parametrize("start", ["start1", "start2"])
@pytest.mark.parametrize("problem", nist.PROBLEMS, ids=str)
def test_the_Jacobians_of_the_problems_of_NIST_pass_and_their_negatives_fail(problem, start):
    x0 = problem.starts[start]
    check = check_jacobian(problem.residuals, x0, problem.jacobian)
    assert check.ok, str(check)
    assert not check_jacobian(problem.residuals, x0, lambda b: -problem.jacobian(b))


@pytest.mark.parametrize("row", [0, 5, 11])
@pytest.mark.parametrize("column", range(3))
@pytest.mark.parametrize("change", [lambda d: -d, lambda d: 2 * d, lambda d: d + 1, lambda d: 0.0])
def test_the_wrong_entry_is_named(row, column, change):
    check = check_jacobian(decay, P, with_entry(row, column, change))
    assert not check.ok
    assert check.worst == (row, column)
    assert np.flatnonzero(check.scores < 0.5).tolist() == [row]
    assert f"1 of 12 residuals fail (score below 0.5).\nWorst: row {row}, column {column} " in str(check)


@pytest.mark.parametrize("column", range(3))
def test_a_wrong_column_is_named(column):
    def jacobian(p):
        fjac = decay_jacobian(p)
        fjac[:, column] *= 3
        return fjac

    check = check_jacobian(decay, P, jacobian)
    assert not check
    assert check.worst[1] == column


def test_exchanged_columns_fail_where_the_variables_are_equal():
    """There they cancel in the direction of x: other points are tried."""
    assert not check_jacobian(decay, [1.0, 1.0, 1.0], lambda p: decay_jacobian(p)[:, ::-1])


@pytest.mark.parametrize(("jacobian", "hint"), [
    (lambda p: -square_jacobian(p), "With the opposite sign Dfun agrees."),
    (lambda p: square_jacobian(p).T, "With rows and columns exchanged Dfun agrees."),
])
def test_the_report_says_what_would_agree(jacobian, hint):
    check = check_jacobian(square, P, jacobian)
    assert not check.ok
    assert str(check).endswith(hint)
    assert "Dfun agrees" not in str(check_jacobian(square, P, lambda p: 2 * square_jacobian(p)))


def test_the_report_gives_the_numbers_of_Dfun_and_of_a_difference():
    check = check_jacobian(decay, P, with_entry(4, 1, lambda d: 1.0))
    difference = kernels.fdjac2(decay, P, decay(np.array(P)))[4, 1]
    assert f"where Dfun has 1 and a forward difference gives {difference:g}\nat x = [2.  0.7 0.3]." in str(check)


def test_the_report_of_a_long_problem_is_short():
    check = check_jacobian(lambda x: x**2, np.arange(1.0, 1001), lambda x: np.diag(x))
    assert not check
    assert len(str(check)) < 500


# Where chkder alone would be wrong


@pytest.mark.parametrize(("func", "x0", "jacobian"), [
    (lambda p: p - 1, [1.0, 1.0], lambda p: np.eye(2)),                         # residuals zero at x0
    (lambda p: decay(p) - decay(np.array(P)), P, decay_jacobian),
    (lambda p: np.append(p, 7.0), [1.0, 2.0], lambda p: np.eye(3, 2)),          # a constant residual
    (lambda p: np.append(p, 0.0), [1.0, 2.0], lambda p: np.eye(3, 2)),
    (lambda p: np.array([p[0] - p[1], p[0]]), [1.0, 1.0], lambda p: np.array([[1.0, -1], [1, 0]])),     # cancels
    (lambda p: p**2, [0.0, 1.0], lambda p: np.diag(2 * p)),                     # the derivative is zero at x0
    (lambda p: p**3, [0.0, 0.0], lambda p: np.diag(3 * p**2)),
    (lambda p: 1e6 + p, [1.0, 2.0], lambda p: np.eye(2)),                       # drowned by a constant
    (lambda p: 1e-200 * p, [1.0, 2.0], lambda p: 1e-200 * np.eye(2)),
    (lambda p: 1e200 * p, [1.0, 2.0], lambda p: 1e200 * np.eye(2)),
    (lambda p: p, [1e-150, 1e150], lambda p: np.eye(2)),
    (lambda p: p, [0.0, -0.0], lambda p: np.eye(2)),
])
def test_right_jacobians_of_awkward_residuals_pass_and_their_negatives_fail(func, x0, jacobian):
    right, wrong = (check_jacobian(func, x0, lambda p, sign=sign: sign * jacobian(p)) for sign in (1, -1))
    assert right.ok, str(right)
    assert not wrong.ok


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_Jacobian_that_is_not_finite_fails_at_that_entry(value):
    check = check_jacobian(decay, P, with_entry(3, 2, lambda d: value))
    assert np.flatnonzero(check.scores < 0.5).tolist() == [3]
    assert check.scores[3] == 0
    assert check.worst == (3, 2)
    assert f"Dfun has {value:g} and" in str(check)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_residual_that_is_not_finite_fails(value):
    def func(p):
        return np.append(decay(p)[:-1], value)

    check = check_jacobian(func, P, decay_jacobian)
    assert np.flatnonzero(check.scores < 0.5).tolist() == [11]
    assert check.worst[0] == 11
    assert f"There func returns {value:g} for this residual." in str(check)


@pytest.mark.parametrize("value", [np.nan, np.inf, np.finfo(float).max])
def test_an_x0_that_is_not_finite_or_nearly_so_fails_or_passes_without_a_word_from_numpy(value):
    check = check_jacobian(lambda p: p / 4, [value, 1.0], lambda p: np.eye(2) / 4)
    assert check.scores[1] == 1
    assert check.ok == np.isfinite(value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_report_says_that_a_func_of_less_than_float64_may_be_why(dtype):
    check = check_jacobian(lambda p: decay(p).astype(dtype), P, decay_jacobian)
    assert check.ok == (dtype is np.float64)
    assert ("func returns less than float64" in str(check)) == (not check.ok)
    assert "less than float64" not in str(check_jacobian(decay, P, lambda p: -decay_jacobian(p)))


def test_a_neighbour_out_of_the_domain_does_not_count():
    """Half of the neighbours of 1 are beyond it."""
    def func(p):
        with np.errstate(invalid="ignore"):
            return np.sqrt(1.001 - p)

    def jacobian(p):
        with np.errstate(invalid="ignore"):
            return np.diag(-0.5 / np.sqrt(1.001 - p))

    assert check_jacobian(func, np.ones(6), jacobian)
    assert not check_jacobian(func, np.ones(6), lambda p: -jacobian(p))


def test_scores_are_between_zero_and_one_and_fall_with_the_error():
    rows = [check_jacobian(decay, P, lambda p, e=e: (1 + e) * decay_jacobian(p)).scores
            for e in (0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, -2)]
    assert all(np.all((scores >= 0) & (scores <= 1)) for scores in rows)
    assert np.all(np.diff(rows, axis=0)[1:] <= 0)
    assert np.all(rows[0] > 0.9)
    assert np.all(rows[-1] < 0.1)


# A func that is less exact than float64


def noisy(noise):
    """decay with an error of this size, different from row to row and in every step."""
    def func(p):
        return decay(p) + noise * np.sin(1e7 * np.sum(p) + 1e3 * np.arange(T.size) * np.sum(p) ** 2)

    return func


@pytest.mark.parametrize("noise", [1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5])
def test_with_epsfcn_a_noisy_func_is_checked(noise):
    assert check_jacobian(noisy(noise), P, decay_jacobian, epsfcn=noise), noise
    assert not check_jacobian(noisy(noise), P, lambda p: -decay_jacobian(p), epsfcn=noise)
    assert not check_jacobian(noisy(noise), P, lambda p: 2 * decay_jacobian(p), epsfcn=noise)
    assert check_jacobian(noisy(noise), P, with_entry(4, 1, lambda d: -d), epsfcn=noise).worst == (4, 1)


@pytest.mark.parametrize("noise", [1e-9, 1e-8, 1e-7, 1e-6])
def test_without_epsfcn_the_report_says_that_a_longer_step_gives_another_difference(noise):
    hint = "pass epsfcn, the relative error of func"
    report = str(check_jacobian(noisy(noise), P, decay_jacobian))
    assert report.endswith(hint + ".")
    assert "But with a step of 1.5e-05 times x the difference is " in report
    assert hint in str(check_jacobian(lambda p: np.sin(1e7 * p), [2.0], lambda p: 1e7 * np.cos(1e7 * p)))
    for wrong in (lambda p: -decay_jacobian(p), lambda p: 1.01 * decay_jacobian(p), with_entry(4, 1, lambda d: 2 * d)):
        assert hint not in str(check_jacobian(decay, P, wrong))


@pytest.mark.parametrize(("dtype", "epsfcn"), [(np.float32, 1.2e-7), (np.float16, 9.8e-4)])
def test_less_than_float64_is_checked_with_the_epsfcn_that_the_report_names(dtype, epsfcn):
    def func(p):
        return decay(p).astype(dtype)

    assert f"; pass epsfcn={epsfcn:.2g}." in str(check_jacobian(func, P, decay_jacobian))
    assert check_jacobian(func, P, decay_jacobian, epsfcn=epsfcn)
    assert not check_jacobian(func, P, lambda p: -decay_jacobian(p), epsfcn=epsfcn)


@pytest.mark.parametrize("epsfcn", [0, 1e-20, -1.0, np.nan, np.float32(1e-30)])
def test_the_least_epsfcn_is_the_precision_as_in_leastsq(epsfcn):
    plain, other = (check_jacobian(decay, P, with_entry(4, 1, lambda d: 1.1 * d), epsfcn=eps) for eps in (None, epsfcn))
    assert other.scores.tobytes() == plain.scores.tobytes()
    assert str(other) == str(plain)


@pytest.mark.parametrize(("epsfcn", "error", "text"), [
    ("a", TypeError, "check_jacobian: epsfcn must be a real number, not str"),
    (1j, TypeError, "check_jacobian: epsfcn must be a real number, not complex"),
    (1, ValueError, "check_jacobian: epsfcn is 1; expected a relative error, below 1"),
    (np.inf, ValueError, "check_jacobian: epsfcn is inf; expected a relative error, below 1"),
])
def test_another_epsfcn_is_refused(epsfcn, error, text):
    with pytest.raises(error) as caught:
        check_jacobian(decay, P, decay_jacobian, epsfcn=epsfcn)
    assert str(caught.value) == text


# The Python face


def test_col_deriv_and_args_are_those_of_leastsq():
    t = T + 1
    assert check_jacobian(decay, P, lambda p, t: decay_jacobian(p, t).T, args=(t,), col_deriv=True)
    assert check_jacobian(decay, P, decay_jacobian, t)
    assert not check_jacobian(decay, P, lambda p, t: -decay_jacobian(p, t), t)


@pytest.mark.parametrize("shape", [(4,), (1, 4), (4, 1)])
@pytest.mark.parametrize("col_deriv", [False, True])
def test_the_Jacobian_of_one_variable_has_the_shapes_that_leastsq_takes(shape, col_deriv):
    t = np.arange(1.0, 5)
    assert check_jacobian(lambda p: p[0] * t, 2.0, lambda p: t.reshape(shape), col_deriv=col_deriv)


def test_more_variables_than_residuals_do():
    assert check_jacobian(lambda p: p[0] * p[1], [2.0, 3.0], lambda p: [[p[1], p[0]]])


def test_the_outcome_is_a_named_tuple_that_is_true_if_it_passes():
    right, wrong = (check_jacobian(decay, P, lambda p, sign=sign: sign * decay_jacobian(p)) for sign in (1, -1))
    assert right.scores.shape == (12,)
    assert right.scores.dtype == np.float64
    assert (type(right.ok), right.ok, bool(right), wrong.ok, bool(wrong)) == (bool, True, True, False, False)
    assert [type(index) for index in wrong.worst] == [int, int]
    assert str(right) == repr(right) == right.report
    assert right.report.startswith("check_jacobian: Dfun belongs to func, by 5 points; the lowest score is 1.00, of")


def test_the_calls_are_as_many_as_documented_and_each_x_is_the_users_own():
    seen = {"func": [], "Dfun": []}

    def func(x):
        seen["func"].append(x)
        return square(x)

    def jacobian(x):
        seen["Dfun"].append(x)
        return square_jacobian(x)

    start = np.array(P)
    check_jacobian(func, start, jacobian)
    assert {name: len(points) for name, points in seen.items()} == {"func": 10 + 3, "Dfun": 5}
    assert len({id(x) for points in seen.values() for x in points}) == 18
    for points in seen.values():
        for x in points:
            x[:] = 0.0
    assert_allclose(start, P, rtol=0, atol=0)


def test_the_points_are_the_same_in_every_call():
    checks = [check_jacobian(decay, P, with_entry(4, 1, lambda d: 1.1 * d)) for _ in range(2)]
    assert checks[0].scores.tobytes() == checks[1].scores.tobytes()
    assert str(checks[0]) == str(checks[1])


@pytest.mark.parametrize(("func", "x0", "jacobian", "error", "text"), [
    (3, P, square_jacobian, TypeError, "func must be callable, not int"),
    (square, P, None, TypeError, "Dfun must be callable, not NoneType"),
    (square, [], square_jacobian, ValueError, "x0 is empty; expected at least one number"),
    (lambda p: [], P, square_jacobian, ValueError, "func returned no residuals; expected at least one"),
])
@pytest.mark.thread_unsafe(reason="a func counts calls in the table")
def test_bad_input_is_refused_by_an_error_that_names_it(func, x0, jacobian, error, text):
    with pytest.raises(error) as caught:
        check_jacobian(func, x0, jacobian)
    assert str(caught.value).startswith(f"check_jacobian: {text}")


@pytest.mark.parametrize("role", ["func", "Dfun"])
def test_what_func_and_Dfun_raise_passes_unchanged(role):
    error = KeyboardInterrupt()

    def fail(p):
        raise error

    functions = {"func": square, "Dfun": square_jacobian} | {role: fail}
    with pytest.raises(KeyboardInterrupt) as caught:
        check_jacobian(functions["func"], P, functions["Dfun"])
    assert caught.value is error


def test_a_jacobian_whose_rows_overflow_does_not_pass():
    assert not check_jacobian(lambda x: x, [1.0, 2.0], lambda x: np.full((2, 2), 1.7e308))


def test_a_symmetric_jacobian_is_not_said_to_agree_with_its_transpose():
    report = str(check_jacobian(lambda x: x * 1.0, [1.0, 2.0], lambda x: np.eye(2) * (1 + 5e-4)))
    assert "does not belong" in report
    assert "Dfun agrees" not in report


def test_the_report_counts_the_points_that_have_a_verdict():
    def jacobian(x):
        return np.eye(2) if x[0] == 1 else np.full((2, 2), np.nan)

    assert "by 1 point;" in str(check_jacobian(lambda x: x, [1.0, 2.0], jacobian))
