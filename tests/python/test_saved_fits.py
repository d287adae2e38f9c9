"""A LevenbergMarquardt that is saved before every tell has the bits of leastsq; a damaged state is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import LevenbergMarquardt, leastsq

pytestmark = pytest.mark.usefixtures("builtin_solver")

WAYS = {"pickle": lambda fit: pickle.loads(pickle.dumps(fit)), "copy": copy.copy, "deepcopy": copy.deepcopy}


def answer(fit, problem):
    """What a fit asks for."""
    points = fit.ask()
    if fit.request == "jacobian":
        return problem.jacobian(points[0])
    return [problem.residuals(point) for point in points]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far starts
@pytest.mark.parametrize("jacobian", [False, True], ids=["differences", "jacobian"])
@pytest.mark.parametrize("factor", [1, 10, 100])
@pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
def test_saved_before_every_tell_it_has_the_bits_of_leastsq(problem, factor, jacobian):
    fit = LevenbergMarquardt(problem.start(factor), jacobian=jacobian)
    while not fit.done:
        told = answer(fit, problem)
        fit = WAYS["pickle"](fit)
        fit.tell(told)
    Dfun = problem.jacobian if jacobian else None
    assert_same_result(fit.result(), leastsq(problem.residuals, problem.start(factor), Dfun=Dfun, full_output=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_goes_on_by_itself(way):
    problem = mgh.PROBLEMS[6]
    fit = LevenbergMarquardt(problem.start())
    for _ in range(5):
        fit.tell(answer(fit, problem))
    copied, before = WAYS[way](fit), fit.nfev
    while not copied.done:
        copied.tell(answer(copied, problem))
    assert fit.nfev == before
    assert_same_result(copied.result(), leastsq(problem.residuals, problem.start(), full_output=True))


def halfway():
    fit = LevenbergMarquardt([1.0, 1.0])
    for values in ([3.0, 4.0, 5.0], np.arange(6.0).reshape(2, 3)):
        fit.tell(values)
    return fit.__getstate__()


WRONG = [None, "text", -1, 10**30, np.nan, np.zeros(0), np.zeros((2, 2)), np.array([1, 1], np.int32), object()]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("name", halfway())
def test_a_damaged_state_is_refused_or_can_be_told_to_its_end(name, value):
    state = halfway()
    state[name] = value
    fit = LevenbergMarquardt([7.0])
    try:
        fit.__setstate__(state)
    except ValueError:
        assert fit.x.tolist() == [7.0]
        return
    for _ in range(2000):
        if fit.done:
            break
        fit.tell(np.ones((len(fit.ask()), 3)))
    assert fit.done


@pytest.mark.parametrize("name", halfway())
def test_what_is_missing_is_named(name):
    state = halfway()
    del state[name]
    with pytest.raises(ValueError, match=f"the saved state's {name} is missing"):
        LevenbergMarquardt([7.0]).__setstate__(state)


def test_another_version_is_refused():
    with pytest.raises(ValueError, match="the saved state has version 2; expected 1"):
        LevenbergMarquardt([7.0]).__setstate__(halfway() | {"version": 2})


def test_a_tell_within_a_tell_and_an_object_without_init_are_errors():
    fit = LevenbergMarquardt([1.0])

    class Nested:
        def __array__(self, dtype=None, copy=None):
            for act in (fit.ask, fit.result, fit.__getstate__, lambda: fit.tell([1.0]), lambda: fit.x):
                with pytest.raises(RuntimeError, match="somebody is at work on it"):
                    act()
            return np.ones(1)

    fit.tell(Nested())
    assert fit.fvec.tolist() == [1.0]
    with pytest.raises(RuntimeError, match="__init__ has not been called"):
        LevenbergMarquardt.__new__(LevenbergMarquardt).ask()
