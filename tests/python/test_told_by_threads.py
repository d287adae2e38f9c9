"""LevenbergMarquardt in several threads: fits side by side, one told in turn, and a RuntimeError for two at once."""

from __future__ import annotations

import copy
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Event, Thread

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.isolated import run_isolated
from helpers.told import ATTRIBUTES, answer, moment, same, tell_all
from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import LevenbergMarquardt, leastsq

pytestmark = [
    pytest.mark.usefixtures("builtin_solver"),
    pytest.mark.thread_unsafe(reason="has threads of its own, and sets how often they take turns"),
]

TIMEOUT = 60  # seconds
IN_USE = "^LevenbergMarquardt: already in use, by another thread or by the call still in progress$"
X0 = [1.0, 1.0]
T = np.linspace(0, 4, 20)


def bend(x):
    return x[0] * (1 + x[1] * T) * (1 + x[1] * T) - np.exp(-T)


def bend_jacobian(x):
    return np.stack([(1 + x[1] * T) * (1 + x[1] * T), 2 * x[0] * T * (1 + x[1] * T)], axis=1)


def expected(Dfun=None):
    return leastsq(bend, X0, Dfun=Dfun, full_output=True)


class Acting:
    """Numbers that do something when they are looked at as an array."""

    def __init__(self, values, act):
        self.values, self.act = np.asarray(values), act

    def __array__(self, dtype=None, copy=None):
        self.act()
        return self.values


USES = {
    **{name: lambda fit, name=name: getattr(fit, name) for name in ATTRIBUTES},
    "ask": lambda fit: fit.ask(),
    "tell": lambda fit: fit.tell(np.ones(20)),
    "tell nothing": lambda fit: fit.tell(None),
    "result": lambda fit: fit.result(),
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "__getstate__": lambda fit: fit.__getstate__(),
    "__setstate__": lambda fit: fit.__setstate__(LevenbergMarquardt(X0).__getstate__()),
    "__init__": lambda fit: fit.__init__(X0),
}


def all_are_refused(fit):
    for use in USES.values():
        with pytest.raises(RuntimeError, match=IN_USE):
            use(fit)
    assert repr(fit) == "<pyminpack.LevenbergMarquardt>"


@pytest.mark.parametrize("Dfun", [None, bend_jacobian], ids=["differences", "jacobian"])
def test_while_a_thread_tells_no_other_may_do_anything(Dfun):
    fit = LevenbergMarquardt(X0, jacobian=Dfun is not None)
    with ThreadPoolExecutor(1) as pool:
        while not fit.done:
            told, go_on = Event(), Event()
            values = Acting(answer(fit, bend, Dfun), lambda told=told, go_on=go_on: (told.set(), go_on.wait(TIMEOUT)))
            future = pool.submit(fit.tell, values)
            assert told.wait(TIMEOUT)
            try:
                all_are_refused(fit)
            finally:
                go_on.set()
            future.result(TIMEOUT)
    assert_same_result(fit.result(), expected(Dfun))


@pytest.mark.parametrize("Dfun", [None, bend_jacobian], ids=["differences", "jacobian"])
def test_nor_may_what_is_told(Dfun):
    """A tell within a tell, and everything else there."""
    fit = LevenbergMarquardt(X0, jacobian=Dfun is not None)
    while not fit.done:
        values, before = answer(fit, bend, Dfun), same(fit.__getstate__())
        with pytest.raises(RuntimeError, match=IN_USE):
            fit.tell(Acting(values, lambda: fit.tell(bend(fit.ask()[0]))))
        assert same(fit.__getstate__()) == before
        fit.tell(Acting(values, lambda: all_are_refused(fit)))
    assert_same_result(fit.result(), expected(Dfun))


def test_what_is_told_may_drop_the_last_reference():
    fits = [LevenbergMarquardt(X0)]
    fits[0].tell(Acting(np.ones(20), fits.clear))
    assert fits == []


def test_a_start_may_use_the_fit_that_it_is_for():
    """x0 is looked at before anything of the old fit goes."""
    fit = LevenbergMarquardt(X0)
    fit.tell(bend(X0))
    found = []
    fit.__init__(Acting(X0, lambda: (found.append(moment(fit)), fit.tell(np.ones((2, 20))))))
    assert found[0].nfev == 1
    assert fit.nfev == 0
    fit.__init__(Acting(X0, lambda: fit.__init__([5.0])))
    assert_same_bits(fit.x, np.array(X0))
    assert_same_result(tell_all(fit, bend).result(), expected())


@pytest.mark.parametrize("problem", mgh.PROBLEMS[::5], ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_one_fit_told_by_threads_in_turn(problem):
    fit = LevenbergMarquardt(problem.start(10))
    with ThreadPoolExecutor(1) as a, ThreadPoolExecutor(1) as b, ThreadPoolExecutor(1) as c:
        for pool in cycle((a, b, c)):
            if fit.done:
                break
            pool.submit(lambda: fit.tell(answer(fit, problem.residuals))).result(TIMEOUT)
    assert_same_result(fit.result(), leastsq(problem.residuals, problem.start(10), full_output=True))


@pytest.mark.usefixtures("many_switches")
def test_many_fits_side_by_side():
    problems = [problem for problem in mgh.PROBLEMS if problem.m < 20 and "zeros" not in problem.name]
    alone = [leastsq(problem.residuals, problem.start(), full_output=True) for problem in problems]

    def tell_them_all(first):
        fits = [LevenbergMarquardt(problem.start()) for problem in problems]
        while not all(fit.done for fit in fits):  # one tell of each in turn
            for fit, problem in zip(fits[first:] + fits[:first], problems[first:] + problems[:first], strict=True):
                if not fit.done:
                    fit.tell(answer(fit, problem.residuals))
        for fit, result in zip(fits, alone, strict=True):
            assert_same_result(fit.result(), result)

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(tell_them_all, first) for first in range(6)]:
            future.result(TIMEOUT)


@pytest.mark.usefixtures("many_switches")
def test_a_fit_that_is_read_all_the_time_has_its_bits():
    """So large that others run while it factorises: they read a moment, or get a RuntimeError."""
    m, n = 4000, 30
    a = np.random.default_rng(0).standard_normal((m, n))
    start = np.full(n, 1e-3)
    fit, ended, refused, read = LevenbergMarquardt(start), Event(), [0], []

    def func(x):
        return np.tanh(a @ x) - 0.1

    def look():
        while not ended.is_set():
            try:
                read.append((fit.nit, fit.nfev, pickle.loads(pickle.dumps(fit)).nfev))
            except RuntimeError:
                refused[0] += 1

    threads = [Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        while True:  # they may be reading just when it is to be told
            try:
                if fit.done:
                    break
                points = fit.ask()
                values = [func(x) for x in points]
                fit.tell(values)
            except RuntimeError:
                refused[0] += 1
    finally:
        ended.set()
        for thread in threads:
            thread.join(TIMEOUT)
    assert_same_result(fit.result(), leastsq(func, start, full_output=True))
    assert all(nit <= nfev <= later for nit, nfev, later in read)
    assert refused[0] + len(read) > 0


@pytest.mark.needs_gil  # without it nothing guards an array that is resized while it is read (docs/threads.md)
@pytest.mark.usefixtures("many_switches")
def test_a_jacobian_that_another_thread_changes_while_it_is_copied_can_be_told_again():
    """It goes in slices: where it is refused between two, the old one and its factorisation are gone."""
    m, n = 100_000, 30
    good = np.random.default_rng(0).standard_normal((m, n))
    fit = LevenbergMarquardt(np.zeros(n), jacobian=True)
    for values in (good[:, 0] + 1, good, good[:, 1]):
        fit.tell(values)
    assert fit.request == "jacobian"
    assert fit.result()[2]["fjac"] is not None
    before, torn = same(moment(fit)), [False]
    for attempt in range(200):  # it may be changed before the first slice, or after the last
        twin, kept, begun = copy.copy(fit), np.full((m, n), np.nan), Event()

        def alter(kept=kept, begun=begun, after=attempt % 8 / 1000):
            begun.wait(TIMEOUT)
            time.sleep(after)
            kept.resize(3, refcheck=False)

        thread = Thread(target=alter)
        thread.start()
        try:
            begun.set()
            twin.tell(kept)
        except TypeError as error:
            assert "tell was given an array of shape (3,); expected (100000, 30)" in str(error)  # noqa: PT017
            assert same(moment(twin)) == before
            torn = [twin.result()[2][name] is None for name in ("fjac", "ipvt", "qtf")]
        finally:
            thread.join(TIMEOUT)
        if any(torn):
            break
    assert all(torn)
    for told in (twin, fit):
        told.tell(good)
    assert same(moment(twin)) == same(moment(fit))
    assert same(twin.__getstate__()) == same(fit.__getstate__())


CLEARED = """
import sys, time
from threading import Event, Thread
import numpy as np
from pyminpack import LevenbergMarquardt

sys.setswitchinterval(1e-6)
fit = LevenbergMarquardt(np.zeros(30), jacobian=True)
fit.tell(np.ones(150_000))  # more than 32 MB, which malloc gives back at once
for attempt in range(40):
    state, begun = fit.__getstate__(), Event()

    def clear():
        begun.wait()
        time.sleep(attempt / 1000)
        state.clear()

    thread = Thread(target=clear)
    thread.start()
    begun.set()
    try:
        fit.__setstate__(state)
    except ValueError as error:
        assert "is missing" in str(error)
    thread.join()
    assert not fit.__getstate__()["fjac"].any()
"""


@pytest.mark.slow
def test_a_state_that_another_thread_clears_while_it_is_read():
    run_isolated(CLEARED)
