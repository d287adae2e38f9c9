"""workers=2: processes of our own, which answer, fail and end; and func's exceptions from any other process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from helpers.process_pool import ProcessPool
from problems.hostile import assert_same_result
from pyminpack import leastsq

pytestmark = [
    pytest.mark.usefixtures("builtin_solver"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning"),
    pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one"),
]

PROGRAM = Path(__file__).parents[1] / "processes" / "fit_by_workers.py"
METHODS = multiprocessing.get_all_start_methods()
X0 = np.array([3.0, 1.0, -2.0])
T = np.linspace(0, 2, 12)


def cubic(x, shift=0.0):
    return x[0] + x[1] * T + x[2] * T * T - T * T * T - shift


def fit(func=cubic, **options):
    return leastsq(func, X0, full_output=True, **options)


class Elsewhere:
    """cubic; but in another process what `act` does there."""

    def __init__(self, act):
        self.act = act

    def __call__(self, x):
        return cubic(x) if multiprocessing.parent_process() is None else self.act()


# Exceptions of a func.


class Special(Exception):
    """Has two arguments, and keeps them."""

    def __init__(self, a, b):
        super().__init__(a, b)
        self.a, self.b = a, b


class Diverged(Exception):
    """Pickled, but not unpickled, as many classes of exceptions are."""

    def __init__(self, text, step):
        super().__init__(f"{text} at step {step}")


class Holds(Exception):
    def __init__(self, text, held):
        super().__init__(text)
        self.held = held


class Reduced(Exception):
    """Unpickled by a function of one's own."""

    def __init__(self, text, reduce):
        super().__init__(text)
        self.reduce = reduce

    def __reduce__(self):
        return self.reduce()


def fail(*_):
    raise SystemExit("on being pickled or unpickled")


def wait(*_):
    time.sleep(1000)


def special():
    raise Special(3, "b")


def diverged():
    raise Diverged("integration diverged", 7)


def holds_a_lock():
    raise Holds("integration diverged", threading.Lock())


def holds_a_lambda():
    raise Holds("integration diverged", lambda: None)


def fails_when_pickled():
    raise Reduced("integration diverged", fail)


def fails_when_unpickled():
    raise Reduced("integration diverged", lambda: (fail, ()))


def becomes_a_number():
    raise Reduced("integration diverged", lambda: (int, ()))


def hangs_when_pickled():
    raise Reduced("integration diverged", wait)


def hangs_when_unpickled():
    raise Reduced("integration diverged", lambda: (wait, ()))


NOT_PICKLED = [diverged, holds_a_lock, holds_a_lambda, fails_when_pickled, fails_when_unpickled, becomes_a_number,
               pytest.param(hangs_when_pickled, marks=pytest.mark.slow),
               pytest.param(hangs_when_unpickled, marks=pytest.mark.slow)]  # fmt: skip


@pytest.fixture(params=["2", "Pool.map", "Pool.imap_unordered", "executor.map"])
def workers(request):
    if request.param == "2":
        yield 2
        return
    kind, _, method = request.param.partition(".")
    with {"Pool": ProcessPool, "executor": ProcessPoolExecutor}[kind](2) as pool:
        yield getattr(pool, method)


@pytest.mark.parametrize("act", NOT_PICKLED)
def test_an_exception_that_cannot_be_unpickled_comes_with_its_text_and_traceback(act, workers):
    with pytest.raises(RuntimeError, match=r"integration diverged.*cannot be pickled and unpickled") as caught:
        fit(Elsewhere(act), workers=workers)
    assert act.__name__ in "".join(traceback.format_exception(caught.value))


def test_an_exception_that_can_be_unpickled_passes_with_its_traceback(workers):
    with pytest.raises(Special) as caught:
        fit(Elsewhere(special), workers=workers)
    assert (caught.value.a, caught.value.b) == (3, "b")
    assert "in special" in "".join(traceback.format_exception(caught.value))


class Raises:
    def __init__(self, error):
        self.error = error

    def __call__(self):
        raise self.error


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_so_does_one_that_would_end_a_program(error):
    with pytest.raises(error):
        fit(Elsewhere(Raises(error)), workers=2)


def test_in_the_same_process_it_is_the_same_object():
    error = Holds("integration diverged", threading.Lock())
    with pytest.raises(Holds) as caught:
        fit(lambda x: cubic(x) if np.array_equal(x, X0) else Raises(error)(), workers=map)
    assert caught.value is error


# Processes that end.


def leave_a_child():
    if os.fork() == 0:
        time.sleep(3)  # and has what its parent had open
        os._exit(0)
    os._exit(3)


ENDS = {
    "exits": (lambda: os._exit(3), "exited with status 3 while it evaluated func at"),
    "is killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), "was killed by SIGKILL while it evaluated func at"),
    "is told to end": (lambda: os.kill(os.getpid(), signal.SIGTERM), "exited with status 143 while it evaluated"),
    "exits, and a child of it goes on": (leave_a_child, "exited with status 3 while it evaluated func at"),
}


@pytest.mark.usefixtures("new_children")
@pytest.mark.parametrize("case", ENDS)
def test_a_process_that_ends_by_itself_is_an_error_that_tells_how(case):
    act, text = ENDS[case]
    with pytest.raises(BrokenProcessPool, match=f"^leastsq: a process of workers=2 {text}"):
        fit(Elsewhere(act), workers=2)


def test_a_result_that_cannot_be_sent_is_an_error_that_says_so():
    with pytest.raises(TypeError, match="leastsq: func returned a generator, which cannot be sent from a worker"):
        fit(Elsewhere(lambda: (x for x in T)), workers=2)


@pytest.mark.usefixtures("new_children")
def test_an_exception_ends_the_evaluations_of_other_points_at_once():
    def act():
        if multiprocessing.current_process().name.endswith(first):
            raise LookupError
        time.sleep(100)

    number = int(multiprocessing.Process().name.rpartition("-")[2])
    first = f"-{number + 1}"
    start = time.monotonic()
    with pytest.raises(LookupError):
        fit(Elsewhere(act), workers=2)
    assert time.monotonic() - start < 20


def test_an_exception_of_the_fit_ends_the_processes(new_children):
    def stop(intermediate_result):
        assert len(new_children()) == 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(workers=2, callback=stop)


def fit_in_a_pool(shift):
    return fit(workers=2, args=(shift,))


def test_a_daemonic_process_evaluates_by_itself():
    with ProcessPool(1) as pool:
        assert_same_result(pool.apply(fit_in_a_pool, (0.5,)), fit(args=(0.5,)))


def fit_of_a_fit(x):
    leastsq(cubic, X0, workers=2)
    return cubic(x)


def test_a_func_in_a_process_may_have_processes_of_its_own():
    assert_same_result(fit(fit_of_a_fit, workers=2), fit())


def test_a_lambda_goes_to_processes_that_are_forked():
    assert_same_result(fit(lambda x: cubic(x), workers=2), fit())


def test_where_others_reap_all_children_the_fit_ends_as_soon():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        start = time.monotonic()
        assert_same_result(fit(workers=2), fit())
        assert time.monotonic() - start < 5
    finally:
        signal.signal(signal.SIGCHLD, before)


# Programs, by each start method.


def start(method, case):
    """PROGRAM, in a process group of its own."""
    return subprocess.Popen([sys.executable, PROGRAM, method, case], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip


def results(program):
    """What a program prints and what to stderr, until no process has these open."""
    try:
        return program.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        raise


@pytest.mark.parametrize("method", METHODS)
def test_every_start_method_has_the_bits_of_a_fit_without(method):
    program = start(method, "same")
    assert results(program) == ("", "")
    assert program.returncode == 0


@pytest.mark.parametrize("method", METHODS)
def test_every_start_method_keeps_the_text_of_an_exception(method):
    output, errors = results(start(method, "raises"))
    assert "integration diverged at step 7" in output
    assert errors == ""


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_what_cannot_be_sent_to_a_process_is_an_error_that_names_workers(method):
    output, errors = results(start(method, "lambda"))
    assert "leastsq: workers=2 cannot send func to its processes: " in output
    assert errors == ""


def test_a_program_without_the_guard_is_told_to_have_one(tmp_path):
    program = tmp_path / "unguarded.py"
    program.write_text(
        "import multiprocessing\nfrom pyminpack import leastsq\n"
        "multiprocessing.set_start_method('spawn', force=True)\nleastsq(abs, 1.0, workers=2)\n"
    )
    process = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert 'a program needs the guard `if __name__ == "__main__":`' in process.stderr.splitlines()[-1]


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGINT", "SIGTERM", "SIGKILL"])
@pytest.mark.parametrize(("method", "case"), [*((method, "wait") for method in METHODS), ("fork", "stubborn")])
@pytest.mark.usefixtures("interruptible")
def test_processes_end_with_the_fit_s_and_without_a_word(method, how, case):
    program = start(method, case)
    assert [program.stdout.readline() for _ in range(2)] == ["started\n"] * 2
    if how == "Ctrl-C":
        os.killpg(program.pid, signal.SIGINT)
    else:
        program.send_signal(getattr(signal, how))
    output, errors = results(program)
    assert program.returncode == -(signal.SIGINT if how == "Ctrl-C" else signal.Signals[how])
    assert output.count("cleaned") == (2 if case == "wait" else 0)
    assert errors.count("Traceback") == (how in ("Ctrl-C", "SIGINT"))
    assert errors.count("KeyboardInterrupt") == (how in ("Ctrl-C", "SIGINT"))


@pytest.mark.parametrize("method", METHODS)
def test_a_fit_in_a_daemon_thread_does_not_keep_the_program(method):
    program = start(method, "daemon")
    assert [program.stdout.readline() for _ in range(2)] == ["started\n"] * 2
    output, _ = results(program)
    assert program.returncode == 0
    assert output.split() == ["cleaned"] * 2
