"""leastsq's callback: what it is called with, and how it may end a fit."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.told import ARRAYS, COUNTS, NUMBERS, moment
from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import leastsq
from pyminpack.kernels import enorm

pytestmark = [pytest.mark.usefixtures("builtin_solver"), pytest.mark.any_numpy]

T = np.linspace(0, 4, 50)
DATA = 5 * np.exp(-0.5 * T) + 0.3 + 0.01 * np.sin(40 * T)
START = [1.0, 1.0, 0.0]


def decay(x):
    return x[0] * np.exp(-x[1] * T) + x[2] - DATA


def jacobian(x):
    e = np.exp(-x[1] * T)
    return np.stack([e, -x[0] * T * e, np.ones_like(T)], axis=1)


def watched(**options):
    """A fit, what its callback saw at each call, and the objects that it was given, kept."""
    seen, kept = [], []

    def callback(intermediate_result):
        seen.append(moment(intermediate_result))
        kept.append(intermediate_result)

    return leastsq(decay, START, full_output=True, callback=callback, **options), seen, kept


@pytest.mark.parametrize("Dfun", [None, jacobian], ids=["differences", "Dfun"])
@pytest.mark.parametrize("factor", [1, 10, 100])
@pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # far starts
def test_a_fit_that_is_watched_has_the_bits_of_one_that_is_not(problem, factor, Dfun):
    fit = functools.partial(leastsq, problem.residuals, problem.start(factor), full_output=True, maxfev=200,
                            Dfun=None if Dfun is None else problem.jacobian)  # fmt: skip
    trials = []
    assert_same_result(fit(callback=lambda intermediate_result: trials.append(intermediate_result.ratio)), fit())
    assert trials or fit()[4] == 4


@pytest.mark.parametrize("Dfun", [None, jacobian], ids=["differences", "Dfun"])
def test_what_it_is_told_is_the_state_after_each_trial(Dfun):
    (x, _, infodict, mesg, ier), seen, _ = watched(Dfun=Dfun)
    for r in seen:
        assert_same_bits(r.fvec, decay(r.x))
        assert r.fnorm == enorm(r.fvec)
        assert r.trial_fnorm == enorm(decay(r.trial_x))
        assert r.xnorm == enorm(r.diag * r.x)
        assert r.accepted == (r.ratio >= 1e-4)
        assert r.accepted == (r.trial_x.tobytes() == r.x.tobytes())
    assert [r.nit for r in seen] == list(np.cumsum([r.accepted for r in seen]))
    last = seen[-1]
    assert (last.ier, last.mesg, last.nfev, last.done, last.request) == (ier, mesg, infodict["nfev"], True, None)
    assert last.njev == infodict.get("njev", 0)
    assert {(r.ier, r.mesg, r.done) for r in seen[:-1]} == {(None, None, False)}
    assert {r.request for r in seen[:-1]} == {"residuals", "jacobian" if Dfun else "differences"}
    assert_same_bits(last.x, x)


def test_who_keeps_it_keeps_that_moment():
    _, seen, kept = watched()
    assert len({id(result) for result in kept}) == len(seen)
    for then, now in zip(seen, map(moment, kept), strict=True):
        for name in (*NUMBERS, *COUNTS):
            assert getattr(now, name) == getattr(then, name), name
        for name in ARRAYS:
            assert_same_bits(getattr(now, name), getattr(then, name), name)


def test_its_arrays_are_copies():
    def spoil(intermediate_result):
        for name in ARRAYS:
            getattr(intermediate_result, name)[:] = np.nan

    assert_same_result(leastsq(decay, START, full_output=True, callback=spoil), leastsq(decay, START, full_output=True))


def test_it_is_read_only_and_nobody_makes_one():
    def change(intermediate_result):
        with pytest.raises(AttributeError):
            intermediate_result.x = 1
        with pytest.raises(TypeError):
            type(intermediate_result)()

    leastsq(decay, START, callback=change)


class Method:
    def __init__(self):
        self.seen = []

    def by_x(self, x):
        self.seen.append(x)

    def by_result(self, intermediate_result):
        self.seen.append(intermediate_result.x)

    def __call__(self, intermediate_result):
        self.seen.append(intermediate_result.x)


def ways_to_see(seen):
    """Callbacks of all kinds that append x to seen."""
    method = Method()
    method.seen = seen
    return {
        "a parameter of any name": lambda xk: seen.append(xk),
        "more than that parameter": lambda intermediate_result, more=None: seen.append(intermediate_result),
        "the parameter of this name": lambda intermediate_result: seen.append(intermediate_result.x),
        "the same by keyword alone": lambda *, intermediate_result: seen.append(intermediate_result.x),
        "a method": method.by_x,
        "a method with this name": method.by_result,
        "an object": method,
        "a partial": functools.partial(lambda more, intermediate_result: seen.append(intermediate_result.x), 0),
        "a builtin": seen.append,
    }


@pytest.mark.parametrize("way", ways_to_see([]))
def test_it_is_called_by_SciPys_convention(way):
    expected = [r.x for r in watched()[1]]
    seen = []
    leastsq(decay, START, callback=ways_to_see(seen)[way])
    assert_same_bits(np.array(seen), np.array(expected))


@pytest.mark.parametrize("Dfun", [None, jacobian], ids=["differences", "Dfun"])
@pytest.mark.parametrize("at", [1, 2, 5, "last"])
def test_StopIteration_ends_the_fit_with_the_best_so_far(at, Dfun):
    _, seen, _ = watched(Dfun=Dfun)
    at = len(seen) if at == "last" else at
    then, calls = seen[at - 1], []

    def stop(intermediate_result):
        calls.append(1)
        if len(calls) == at:
            raise StopIteration

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, cov_x, infodict, mesg, ier = leastsq(decay, START, Dfun=Dfun, full_output=True, callback=stop)
        calls.clear()
        short = leastsq(decay, START, Dfun=Dfun, callback=stop)
    assert (ier, cov_x, short[1], len(calls)) == (-2, None, -2, at)
    assert mesg == "The fit was stopped before its end; this is the best point so far."
    assert infodict["nfev"] == then.nfev
    for array in (x, short[0]):
        assert_same_bits(array, then.x)
    assert_same_bits(infodict["fvec"], then.fvec)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, RuntimeWarning, StopAsyncIteration])
def test_any_other_exception_passes(error):
    raised = error("of the callback")

    def callback(intermediate_result):
        raise raised

    with pytest.raises(error) as caught:
        leastsq(decay, START, callback=callback)
    assert caught.value is raised
    frame = caught.tb
    while frame.tb_next:
        frame = frame.tb_next
    kept = frame.tb_frame.f_locals["intermediate_result"]
    assert kept.nit in (0, 1)
    assert_same_bits(kept.fvec, decay(kept.x))


def test_a_StopIteration_of_func_is_an_error_like_any_other():
    with pytest.raises(StopIteration):
        leastsq(lambda x: next(iter(())), START)


def test_a_fit_within_a_callback():
    alone = leastsq(decay, START, full_output=True)

    def fit_again(intermediate_result):
        before = moment(intermediate_result)
        assert_same_result(leastsq(decay, START, full_output=True, callback=lambda x: None), alone)
        assert_same_bits(intermediate_result.x, before.x)

    assert_same_result(leastsq(decay, START, full_output=True, callback=fit_again), alone)


@pytest.mark.parametrize("callback", [3, "f", [print]], ids=repr)
def test_what_cannot_be_called_is_refused(callback):
    with pytest.raises(TypeError, match=f"^leastsq: callback must be callable, not {type(callback).__name__}$"):
        leastsq(decay, START, callback=callback)
