"""Other threads run while a long factorisation or a long copy does, and a short one keeps the GIL."""

from __future__ import annotations

import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from helpers.isolated import run_isolated
from problems.hostile import assert_same_result
from pyminpack import leastsq

pytestmark = [
    pytest.mark.alone,
    pytest.mark.needs_gil,
    pytest.mark.thread_unsafe(reason="has threads of its own, and sets how often they take turns"),
]

LONG, SHORT = (20_000, 40), (50, 3)  # residuals, variables: some 10 ms, and 1 us, for each factorisation


def problem(m, n):
    """A nearly linear problem: residuals, Jacobian, start."""
    a = np.random.default_rng(m).standard_normal((m, n))
    return lambda x: np.tanh(a @ x) - 0.1, lambda x: a / np.cosh(a @ x)[:, None] ** 2, np.full(n, 1e-3)


@pytest.fixture
def ticks():
    """A list of one count, which another thread raises whenever it gets the GIL; it gives it back at once."""
    count, stop = [0], threading.Event()

    def tick():
        while not stop.is_set():
            count[0] += 1
            time.sleep(1e-5)

    thread = threading.Thread(target=tick)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(30)  # so long no thread is made to give the GIL away
    yield count
    sys.setswitchinterval(interval)
    stop.set()
    thread.join()


def ticks_between(ticks, size, with_Dfun):
    """What the other thread counted from the end of each Jacobian to the next call, over a fit."""
    residuals, jacobian, start = problem(*size)
    n, counted, calls, before = start.size, [], [0], [None]

    def note(result, completes_a_jacobian):
        before[0] = ticks[0] if completes_a_jacobian else None
        return result

    def func(x):
        if before[0] is not None:
            counted.append(ticks[0] - before[0])
        calls[0] += 1
        return note(residuals(x), not with_Dfun and calls[0] == n + 1)

    leastsq(func, start, Dfun=(lambda x: note(jacobian(x), True)) if with_Dfun else None, maxfev=1)
    return counted


@pytest.mark.filterwarnings("ignore:Number of calls")
@pytest.mark.parametrize("with_Dfun", [False, True], ids=["differences", "Dfun"])
def test_another_thread_runs_during_a_long_factorisation(ticks, with_Dfun):
    counted = ticks_between(ticks, LONG, with_Dfun)
    assert counted
    assert counted[0] > 0


@pytest.mark.filterwarnings("ignore:Number of calls")
@pytest.mark.parametrize("with_Dfun", [False, True], ids=["differences", "Dfun"])
def test_a_short_factorisation_keeps_the_gil(ticks, with_Dfun):
    counted = ticks_between(ticks, SHORT, with_Dfun)
    assert set(counted) == {0}


@pytest.mark.parametrize("with_Dfun", [False, True], ids=["differences", "Dfun"])
def test_long_fits_side_by_side_have_the_bits_of_one(with_Dfun):
    residuals, jacobian, start = problem(4000, 30)

    def fit(_=None):
        return leastsq(residuals, start, Dfun=jacobian if with_Dfun else None, full_output=True)

    alone = fit()
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(fit, range(4)):
            assert_same_result(result, alone)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_what_the_call_after_a_long_factorisation_raises_passes(error):
    residuals, jacobian, start = problem(*LONG)
    calls = []

    def func(x):
        calls.append(x)
        if len(calls) == 2:
            raise error("2")
        return residuals(x)

    with pytest.raises(error, match=r"^2$"):
        leastsq(func, start, Dfun=jacobian)


def test_a_fit_may_end_with_a_factorisation():
    """ier 4 comes before the next call: the GIL is back all the same."""
    m, n = LONG
    x, ier = leastsq(lambda x: np.concatenate([x, np.zeros(m - n)]), np.zeros(n), Dfun=lambda x: np.eye(m, n))
    assert ier == 4
    assert not x.any()


# Copies of a large Jacobian. One that Dfun has made for its caller alone is copied without the GIL, one that it keeps
# in slices: another thread may get at it between them.
LARGE = (100_000, 30)


def fit_with(jacobian_of, ticks=None):
    """A fit whose Dfun returns jacobian_of(a), and what another thread counted from there to the next call."""
    m, n = LARGE
    a = np.random.default_rng(0).standard_normal((m, n))
    counted = []

    def Dfun(x):
        result = jacobian_of(a)
        counted.append(ticks[0] if ticks else 0)
        return result

    def func(x):
        if counted:
            counted[-1] = (ticks[0] if ticks else 0) - counted[-1]
        return a @ x - 1

    return leastsq(func, np.zeros(n), Dfun=Dfun, full_output=True, gtol=0.5), counted


@pytest.mark.parametrize("jacobian_of", [np.copy, lambda a: a, lambda a: np.asfortranarray(a).T.copy().T], ids=[
    "its own", "kept", "a view of its own",
])  # fmt: skip
def test_however_a_large_jacobian_is_copied_the_result_is_the_same(jacobian_of):
    assert_same_result(fit_with(jacobian_of)[0], fit_with(np.copy)[0])


@pytest.mark.parametrize("change", [
    lambda a: a.resize(3, refcheck=False), lambda a: setattr(a, "shape", a.shape[::-1]),
    lambda a: setattr(a, "dtype", np.complex64),
], ids=["size", "shape", "dtype"])  # fmt: skip
def test_a_kept_jacobian_that_another_thread_changes_while_it_is_copied_is_an_error(change):
    m, n = LARGE
    returned = threading.Event()
    kept = np.ones((m, n))

    def alter():
        returned.wait(60)
        change(kept)

    def Dfun(x):
        returned.set()
        return kept

    thread = threading.Thread(target=alter)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        # It may have been changed before it was looked at, too.
        with pytest.raises(TypeError, match=r"mismatch between .* of the 'Dfun'|dtype complex64|another thread"):
            leastsq(lambda x: np.ones(m), np.zeros(n), Dfun=Dfun)
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_one_file_releases_the_gil():
    """It says what must not be touched then."""
    sources = Path(__file__).parents[2] / "src" / "_minpack"
    words = re.compile(r"PyEval_SaveThread|PyEval_RestoreThread|_ALLOW_THREADS|NPY_BEGIN_THREADS")
    assert {path.name for path in sources.glob("*.[ch]") if words.search(path.read_text())} == {"gil.c"}


# Memory that another thread frees while it may run. Each program ends by itself, or by SIGSEGV.
FREED = """
import sys, threading, time, warnings
import numpy as np
from pyminpack import LevenbergMarquardt, kernels, leastsq

def race(memory, act, delay):
    # What act() raises, while another thread frees the memory of the array memory().
    begun = threading.Event()

    def free():
        begun.wait()
        time.sleep(delay)
        memory().resize(0, refcheck=False)

    thread = threading.Thread(target=free)
    thread.start()
    begun.set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of a fit that ended before: its residuals are constant
            act()
    except (TypeError, ValueError) as error:
        return str(error)
    finally:
        thread.join()

m, n = 400_000, 20

def first():
    values = np.ones(m)
    return lambda: values, lambda: LevenbergMarquardt(np.ones(n)).tell(values)

def wants_jacobian(col_deriv=False):
    fit = LevenbergMarquardt(np.ones(n), jacobian=True, col_deriv=col_deriv)
    fit.tell(np.ones(m))
    return fit

def in_a_tuple():
    fit, job = wants_jacobian(), (np.ones((m, n)),)
    return lambda: job[0], lambda: fit.tell(*job)

def a_view():
    fit, values = wants_jacobian(), np.ones((n, m))
    return lambda: values, lambda: fit.tell(values.T)

def all_points():
    fit, values = LevenbergMarquardt(np.ones(n)), np.ones((n, m))
    fit.tell(np.ones(m))
    return lambda: values, lambda: fit.tell(values)

def one_point():
    fit, values = LevenbergMarquardt(np.ones(n)), np.ones(m)
    fit.tell(np.ones(m))
    return lambda: values, lambda: [fit.tell(values, point=j) for j in range(n)]

def view_by_Dfun():
    values = np.ones((n, m))
    return lambda: values, lambda: leastsq(lambda x: np.zeros(m), np.ones(n), Dfun=lambda x: values.T)

def of_another_type(dtype="f4", step=1):
    fit, values = wants_jacobian(), np.ones((m, n * step), dtype)
    return lambda: values, lambda: fit.tell(values[:, ::step])

def with_gaps():
    return of_another_type(">f8", 2)

def start():
    values = np.ones((10_000_000,), "f4")
    return lambda: values, lambda: LevenbergMarquardt(values, jacobian=True)

def scaling():
    values = np.ones(10_000_000)
    return lambda: values, lambda: LevenbergMarquardt(np.ones(values.size), jacobian=True, diag=values)

def a_state():
    state = wants_jacobian().__getstate__()
    return lambda: state["fjac"], lambda: LevenbergMarquardt.__new__(LevenbergMarquardt).__setstate__(state)

def by_a_kernel():
    values = np.ones((3000, 3000))
    return lambda: values, lambda: kernels.qrsolv(values, [1], [1], [1])

def pivots():
    values = np.arange(1, 3001)
    return lambda: values, lambda: kernels.qrsolv(np.ones((3000, 3000)), values, [1], [1])

def masked():
    mask = np.zeros(2 * m, bool)
    values = np.ma.array(np.ones(m), mask=mask[::2], copy=False)
    return lambda: mask, lambda: LevenbergMarquardt(np.ones(2)).tell(values)

def residuals_by_func():
    values = np.ones(m)
    return lambda: values, lambda: leastsq(lambda x: values, np.ones(n), maxfev=n)

for delay in (0, 0.001, 0.003, 0.01, 0.02, 0.04):
    race(*{name}(), delay)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [
    "first", "in_a_tuple", "a_view", "all_points", "one_point", "of_another_type", "with_gaps", "start", "scaling",
    "a_state", "by_a_kernel", "pivots", "masked", "view_by_Dfun", "residuals_by_func",
])  # fmt: skip
def test_no_memory_is_read_that_another_thread_has_freed(name):
    run_isolated(FREED.replace("{name}", name))
