"""Solves in many threads, and in one another's call-backs: the bits of the same solves one after another."""

import _thread
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from threading import Barrier, Event

import pytest

from problems import mgh
from problems.hostile import assert_same_result
from pyminpack import leastsq

pytestmark = [
    pytest.mark.usefixtures("many_switches"),
    pytest.mark.thread_unsafe(reason="has threads of its own, and sets how often they take turns"),
]

THREADS = 8
TIMEOUT = 60    # seconds


def fit(problem, with_Dfun, act=lambda: None):
    """A solve; func and Dfun do act() after they have computed."""
    def acting(function):
        return lambda x: (function(x), act())[0]

    Dfun = acting(problem.jacobian) if with_Dfun else None
    return leastsq(acting(problem.residuals), problem.start(), Dfun=Dfun, full_output=True, maxfev=80)


def calls(result):
    return result[2]["nfev"] + result[2].get("njev", 0)


SERIAL = {
    case: result for problem in mgh.PROBLEMS if problem.m < 20 and "zeros" not in problem.name  # that one warns
    for case in ((problem, False), (problem, True)) if calls(result := fit(*case)) >= 10
}  # fmt: skip
CASES = list(SERIAL)


def check(case, act=lambda: None):
    """A case has the bits that it has by itself."""
    assert_same_result(fit(*case, act), SERIAL[case])


def at(call, act):
    """What does act() when it is called for the call-th time."""
    numbers = count(1)
    return lambda: act() if next(numbers) == call else None


def in_threads(tasks):
    """Do all tasks at the same time; what one raises is raised here."""
    tasks = list(tasks)
    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(task) for task in tasks]:
            future.result(TIMEOUT)


def test_independent_solves():
    def solve_all(first):
        for case in CASES[first:] + CASES[:first]:
            check(case)

    in_threads(partial(solve_all, first) for first in range(THREADS))


def test_nested_solves():
    def solve_nested(outer, middle, inner):
        check(outer, at(4, lambda: check(middle, at(3, partial(check, inner)))))

    in_threads(partial(solve_nested, *CASES[first : first + 3]) for first in range(THREADS))


def test_solves_that_are_all_in_a_call_back_at_once():
    barrier = Barrier(THREADS, timeout=TIMEOUT)
    meetings = min(calls(SERIAL[case]) for case in CASES[:THREADS])

    def meeting():
        numbers = count()
        return lambda: barrier.wait() if next(numbers) < meetings else None

    in_threads(partial(check, case, meeting()) for case in CASES[:THREADS])


def test_a_solve_started_in_a_call_back_that_waits_for_it():
    def solve_both(outer, inner):
        check(outer, at(4, lambda: in_threads([partial(check, inner)])))

    in_threads(partial(solve_both, *CASES[first : first + 2]) for first in range(THREADS))


def test_a_solve_that_outlives_the_one_in_whose_call_back_it_was_started():
    def solve_both(outer, inner):
        started, ended = Event(), Event()
        with ThreadPoolExecutor(1) as pool:
            def start():
                future.append(pool.submit(check, inner, at(3, lambda: (started.set(), ended.wait(TIMEOUT)))))
                assert started.wait(TIMEOUT)

            future = []
            check(outer, at(4, start))
            ended.set()
            future[0].result(TIMEOUT)

    in_threads(partial(solve_both, *CASES[first : first + 2]) for first in range(THREADS))


def test_an_error_ends_the_solve_of_its_own_thread_alone():
    barrier = Barrier(THREADS, timeout=TIMEOUT)

    def fail(case):
        def act():
            barrier.wait()
            raise LookupError(case)

        with pytest.raises(LookupError):
            fit(*case, at(4, act))

    in_threads(partial(fail, case) if number % 2 else partial(check, case, at(4, barrier.wait))
               for number, case in enumerate(CASES[:THREADS]))  # fmt: skip


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_reaches_the_main_thread_alone():
    """It waits there for a lock, which the simulated signal does not end: the solve goes on meanwhile."""
    ready, ended = Event(), Event()

    def solve():
        assert ready.wait(TIMEOUT)
        check(CASES[0], at(4, _thread.interrupt_main))
        ended.set()

    def solve_in_a_thread():
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(solve)
            ready.set()
            future.result(TIMEOUT)

    with pytest.raises(KeyboardInterrupt):
        solve_in_a_thread()
    assert ended.is_set()
