"""Threads that do not wait for each other at one object: the bits of a fit, or an error that says so; never a crash.

Under a free-threaded interpreter they do run at once (`./dev freethreaded`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

import numpy as np
import pytest

from helpers.told import answer
from problems.hostile import assert_same_result
from pyminpack import LevenbergMarquardt, leastsq, patch_scipy, scipy_is_patched, unpatch_scipy

pytestmark = [
    pytest.mark.usefixtures("builtin_solver", "many_switches"),
    pytest.mark.thread_unsafe(reason="has threads of its own, and sets how often they take turns"),
]

THREADS = 4
TIMEOUT = 60  # seconds
T = np.linspace(0, 4, 20)
Y = 2 * np.exp(-T) + 0.01 * np.cos(40 * T)
X0 = [1.0, 0.5]


def residuals(x):
    return x[0] * np.exp(-x[1] * T) - Y


def at_once(*tasks):
    """What tasks return that begin at the same time; what one raises is raised here."""
    barrier = Barrier(len(tasks))

    def run(task):
        barrier.wait(TIMEOUT)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(TIMEOUT) for future in [pool.submit(run, task) for task in tasks]]


def begun():
    """A fit that has been told its first residuals."""
    fit = LevenbergMarquardt(X0)
    fit.tell(residuals(X0))
    return fit


def outcome(task):
    """None, or the RuntimeError that says that another thread uses it."""
    try:
        task()
    except RuntimeError as error:
        assert "already in use" in str(error)  # noqa: PT017
        return error
    return None


SAVED = LevenbergMarquardt(X0).__getstate__()
STARTS = {"__init__": lambda fit: fit.__init__(X0), "__setstate__": lambda fit: fit.__setstate__(SAVED)}
EMPTY_OR_BEGUN = {"empty": lambda: LevenbergMarquardt.__new__(LevenbergMarquardt), "begun": begun}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("make", EMPTY_OR_BEGUN.values(), ids=EMPTY_OR_BEGUN)
def test_threads_that_start_one_fit(start, make):
    for _ in range(200):
        fit = make()
        errors = at_once(*[lambda fit=fit: outcome(lambda: start(fit))] * THREADS)
        assert None in errors
        assert fit.nfev == 0
        assert fit.x.tolist() == X0


def test_threads_that_read_one_fit_do_not_hinder_each_other():
    fit = begun()
    state = fit.__getstate__()

    def read():
        for _ in range(200):
            assert fit.x.tolist() == X0
            assert fit.fvec.tobytes() == state["fvec"].tobytes()
            assert fit.ask().shape == (2, 2)
            assert fit.__getstate__()["fnorm"] == state["fnorm"]

    at_once(*[read] * THREADS)


def test_threads_that_tell_one_fit_under_a_lock():
    fit, lock = LevenbergMarquardt(X0), Lock()

    def take_turns():
        done = False
        while not done:
            with lock:
                done = fit.done
                if not done:
                    fit.tell(answer(fit, residuals))

    at_once(*[take_turns] * THREADS)
    assert_same_result(fit.result(), leastsq(residuals, X0, full_output=True))


def test_a_thread_that_tells_while_others_read():
    """Who is refused tries again."""
    fit, ended = LevenbergMarquardt(X0), Event()

    def tell():
        done = []
        while done != [True]:
            outcome(lambda: fit.tell(answer(fit, residuals)) if not fit.done else done.append(True))
        ended.set()

    def read():
        while not ended.is_set():
            outcome(lambda: (fit.x, fit.nfev, fit.__getstate__()))

    at_once(tell, *[read] * (THREADS - 1))
    assert_same_result(fit.result(), leastsq(residuals, X0, full_output=True))


def test_results_of_one_fit_asked_for_at_once():
    fit = LevenbergMarquardt(X0)
    while not fit.done:
        fit.tell(answer(fit, residuals))
    expected = fit.result()

    def ask():
        for _ in range(100):
            results = []
            outcome(lambda results=results: results.append(fit.result()))
            for result in results:
                assert_same_result(result, expected)

    at_once(*[ask] * THREADS)


def test_what_a_callback_shows_is_read_by_others_while_the_fit_goes_on_and_ends():
    shown, steps = [], []
    leastsq(residuals, X0, callback=lambda intermediate_result: steps.append(intermediate_result.x.tobytes()))

    def fit():
        for _ in range(50):
            leastsq(residuals, X0, callback=lambda intermediate_result: shown.append(intermediate_result))
        ended.set()

    def read():
        while not ended.is_set():
            for one in shown[-3:]:
                try:
                    assert one.x.tobytes() in steps
                    assert np.isfinite(one.fvec).all()
                    assert one.mesg is None or "%" not in one.mesg
                except RuntimeError as error:  # it is just being copied
                    assert "in use" in str(error)  # noqa: PT017

    ended = Event()
    at_once(fit, *[read] * (THREADS - 1))
    assert [one.x.tobytes() for one in shown] == steps * 50


def test_attributes_that_another_thread_changes_while_they_are_set():
    class Named(LevenbergMarquardt):
        __slots__ = tuple(f"slot{i}" for i in range(20))

    fit = Named(X0)
    for name in Named.__slots__:
        setattr(fit, name, [name])
    state = fit.__getstate__()
    slots = state["attributes"][1]
    names, stop = [*slots], Event()

    def alter():
        while not stop.is_set():
            for name in names:
                slots[name] = [name]
                slots.pop(name)
            for name in names:
                slots[name] = [name]

    def read():
        for _ in range(300):
            twin = Named.__new__(Named)
            twin.__setstate__(state)
            assert all(getattr(twin, name, [name]) == [name] for name in names)
        stop.set()

    at_once(alter, read)


def test_variables_of_the_environment_set_meanwhile(monkeypatch):
    monkeypatch.setenv("PYMINPACK_TEST", "")
    expected, stop = leastsq(residuals, X0, full_output=True), Event()

    def alter():
        while not stop.is_set():
            for size in range(0, 2000, 100):
                os.environ["PYMINPACK_TEST"] = "x" * size

    def fit():
        for _ in range(300):
            assert_same_result(leastsq(residuals, X0, full_output=True), expected)
        stop.set()

    at_once(alter, fit)


@pytest.mark.parametrize("solver", ["builtin", pytest.param("original", marks=pytest.mark.needs_original)])
def test_each_thread_has_the_error_of_its_own_func(solver):
    def fail(number):
        calls = [0]

        def func(x):
            calls[0] += 1
            if calls[0] == 3 + number:
                raise KeyError(number)
            return residuals(x)

        for _ in range(200):
            calls[0] = 0
            with pytest.raises(KeyError, match=f"^{number}$"):
                leastsq(func, X0, solver=solver)

    at_once(*[lambda number=number: fail(number) for number in range(THREADS)])


def test_threads_that_patch_scipy_while_others_fit():
    """A fit is SciPy's or ours, and its solution in any case."""
    from scipy.optimize import curve_fit

    expected, stop = leastsq(residuals, X0)[0], Event()

    def patch():
        for _ in range(20):
            patch_scipy()
            unpatch_scipy()
        stop.set()

    def fit():
        while not stop.is_set():
            popt, _ = curve_fit(lambda t, a, b: a * np.exp(-b * t), T, Y, X0)
            np.testing.assert_allclose(popt, expected, rtol=1e-6)

    at_once(patch, patch, fit, fit)
    assert not scipy_is_patched()
