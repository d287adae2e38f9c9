"""The points of a difference Jacobian told one by one: in any order the fit of leastsq, and no evaluation lost."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest

from helpers.told import moment, same, tell_all
from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import LevenbergMarquardt, leastsq

pytestmark = pytest.mark.usefixtures("builtin_solver")

T = np.linspace(0, 4, 12)
DATA = 5 * np.exp(-0.5 * T) + 0.3 + 0.01 * np.sin(40 * T)
START = [1.0, 1.0, 0.0]
M, N = 12, 3
ORDERS = [*itertools.permutations(range(N))]


def decay(x):
    return x[0] * np.exp(-x[1] * T) + x[2] - DATA


def jacobian(x):
    e = np.exp(-x[1] * T)
    return np.stack([e, -x[0] * T * e, np.ones_like(T)], axis=1)


def begun():
    """A fit that wants the points of its first Jacobian."""
    fit = LevenbergMarquardt(START)
    fit.tell(decay(START))
    return fit


def tell_points(fit, func, order, between=lambda fit: fit):
    """A fit told to its end point by point, in the given order of those of a Jacobian."""
    while not fit.done:
        points = fit.ask()
        for j in sorted(fit.wanted, key=order.index):
            fit = between(fit)
            fit.tell(func(points[j]), point=j)
    return fit


def expected(**options):
    return leastsq(decay, START, full_output=True, **options)


def pickled(fit):
    return pickle.loads(pickle.dumps(fit))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_in_every_order_the_fit_is_that_of_leastsq(order):
    calls = []

    def func(x):
        calls.append(x)
        return decay(x)

    assert_same_result(tell_points(LevenbergMarquardt(START), func, order).result(), expected())
    assert len(calls) == expected()[2]["nfev"]


@pytest.mark.parametrize("problem", mgh.PROBLEMS[::4], ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far starts
def test_saved_and_read_before_every_point_it_makes_no_evaluation_twice(problem):
    calls = []

    def func(x):
        calls.append(x)
        return problem.residuals(x)

    order = [*range(problem.n)][::-1]
    fit = tell_points(LevenbergMarquardt(problem.start(10)), func, order, between=pickled)
    alone = leastsq(problem.residuals, problem.start(10), full_output=True)
    assert_same_result(fit.result(), alone)
    assert len(calls) == alone[2]["nfev"]


def test_wanted_lists_what_has_not_been_told_and_ask_gives_all_points():
    fit, ended = LevenbergMarquardt(START), tell_all(LevenbergMarquardt(START), decay)
    assert fit.wanted == [0]
    fit = begun()
    points = fit.ask()
    for j, wanted in ((1, [0, 2]), (2, [0]), (0, [0])):  # after the last one, a trial point
        fit.tell(decay(points[j]), point=j)
        assert fit.wanted == wanted
        if len(wanted) > 1:
            assert same(fit.ask()) == same(points)
    assert fit.request == "residuals"
    assert ended.wanted == []


def test_until_the_last_point_everything_is_as_it_was():
    fit = begun()
    while not fit.done:
        points, before, result = fit.ask(), moment(fit), fit.result()
        for j in fit.wanted[1:]:
            fit.tell(decay(points[j]), point=j)
            now = moment(fit)
            assert now.wanted == [k for k in range(N) if k not in range(1, j + 1)]
            now.wanted = before.wanted
            assert same(now) == same(before)
            assert same(fit.result()) == same(result)
        fit.tell(decay(points[0]), point=0)
    assert_same_result(fit.result(), expected())


@pytest.mark.parametrize("told", range(N))
def test_all_points_may_be_told_at_any_time_which_replaces_what_was(told):
    fit = LevenbergMarquardt(START)
    while not fit.done:
        points = fit.ask()
        for j in fit.wanted[:told] if len(points) > 1 else ():
            fit.tell(np.full(M, 7.0), point=j)
        fit.tell([decay(x) for x in points])
    assert_same_result(fit.result(), expected())


def test_the_only_point_may_be_told_by_its_number_the_jacobians_too():
    fit = LevenbergMarquardt(START, jacobian=True)
    while not fit.done:
        assert fit.wanted == [0]
        function = jacobian if fit.request == "jacobian" else decay
        fit.tell(function(fit.ask()[0]), point=0)
    assert_same_result(fit.result(), expected(Dfun=jacobian))
    fit = tell_points(LevenbergMarquardt([3.0]), lambda x: x**2 - 2, [0])  # one point of differences
    assert_same_result(fit.result(), leastsq(lambda x: x**2 - 2, [3.0], full_output=True))


@pytest.mark.parametrize("shape", [(M,), (1, M)], ids=str)
@pytest.mark.parametrize("kind", [np.int64, np.uint8, bool], ids=lambda kind: kind.__name__)
def test_an_answer_has_the_shape_of_one_point_and_its_number_is_any_integer(kind, shape):
    fit = begun()
    points = fit.ask()
    for j in (2, 0, 1):
        fit.tell(decay(points[j]).reshape(shape), point=j if kind is bool and j > 1 else kind(j))
    assert_same_result(tell_all(fit, decay).result(), expected())


REFUSED = {  # by what is told and of which point, where point 1 has been told
    "a second answer": (np.ones(M), 1, ValueError, "point 1 has already been told; `wanted` lists those"),
    "a negative point": (np.ones(M), -1, ValueError, r"point is -1; expected 0 to 2, a row of ask\(\)$"),
    "a point too far": (np.ones(M), N, ValueError, r"point is 3; expected 0 to 2, a row of ask\(\)$"),
    "a huge point": (np.ones(M), -(2**70), ValueError, r"point is -\d+; expected 0 to 2"),
    "a float": (np.ones(M), 0.0, TypeError, r"point must be an integer or None, not float$"),
    "a list": (np.ones(M), [0], TypeError, r"point must be an integer or None, not list$"),
    "too many residuals": (np.ones(M + 1), 0, ValueError, "between calls: tell was given 13 residuals, after 12"),
    "all points": (np.ones((N, M)), 0, TypeError, r"shape \(3, 12\); expected \(1, 12\), the residuals at 1"),
    "complex numbers": (np.ones(M, complex), 0, TypeError, r"tell was given an array of dtype complex128"),
    "None": (None, 0, TypeError, r"tell was given None"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_the_fit_is_as_it_was(case):
    values, point, error, text = REFUSED[case]
    fit = begun()
    fit.tell(decay(fit.ask()[1]), point=1)
    before = same(fit.__getstate__())
    with pytest.raises(error, match=text):
        fit.tell(values, point=point)
    assert same(fit.__getstate__()) == before
    assert_same_result(tell_points(fit, decay, [2, 1, 0]).result(), expected())


def test_a_point_is_a_keyword_and_after_the_end_there_is_none():
    fit = begun()
    with pytest.raises(TypeError, match=r"^LevenbergMarquardt: tell\(\) takes 1 positional argument"):
        fit.tell(decay(START), 0)
    with pytest.raises(TypeError, match=r"^LevenbergMarquardt: tell\(\) takes no keyword but point .*'row'"):
        fit.tell(decay(START), row=0)
    with pytest.raises(ValueError, match=r"point is 1; expected 0, the only row of ask\(\)$"):
        LevenbergMarquardt(START).tell(decay(START), point=1)
    fit = tell_all(fit, decay)
    with pytest.raises(RuntimeError, match=r"^LevenbergMarquardt: tell\(\) after the fit has ended"):
        fit.tell(decay(START), point=0)


def not_finite_at(*entries):
    return lambda x, j: np.where([(j, i) in entries for i in range(M)], np.nan, decay(x))


def masked_at(*entries):
    return lambda x, j: np.ma.masked_array(decay(x), [(j, i) in entries for i in range(M)])


@pytest.mark.parametrize("answer", [
    not_finite_at((2, 0)), not_finite_at((1, 5), (2, 0), (1, 7)), masked_at((2, 3)), masked_at((0, 7), (1, 2), (2, 1)),
], ids=["a NaN", "three NaN", "a masked entry", "three masked entries"])  # fmt: skip
@pytest.mark.parametrize("save", [False, True], ids=["", "saved"])
def test_warnings_and_counts_are_the_same_in_every_order(answer, save):
    """They are those of all points told at once, as one array."""

    def outcome(fit):
        with pytest.warns(RuntimeWarning) as caught:
            result = tell_all(fit, decay).result()
        return [str(entry.message) for entry in caught], same(fit.__getstate__()), same(result)

    fit = begun()
    fit.tell(np.ma.stack([answer(x, j) for j, x in enumerate(fit.ask())]))
    at_once = outcome(fit)
    assert " in call 2" in at_once[0][0]
    for order in ORDERS:
        fit = begun()
        for j in order:
            fit.tell(answer(fit.ask()[j], j), point=j)
            fit = pickled(fit) if save else fit
        assert outcome(fit) == at_once


def test_a_state_holds_what_has_been_told_and_no_more():
    fit = begun()
    assert fit.__getstate__()["answers"].shape == (0, M)
    points = fit.ask()
    for j in (2, 0):
        fit.tell(decay(points[j]), point=j)
    state = fit.__getstate__()
    assert state["points_told"].tolist() == [0, 2]
    assert same(state["answers"]) == same(np.array([decay(points[0]), decay(points[2])]))
    fit.tell(decay(points[1]), point=1)
    assert fit.__getstate__()["answers"].shape == (0, M)
