"""Failed asserts in shared helpers are explained as those in tests are; and fixtures for several modules."""

import os
import signal
import sys

import pytest

from helpers.instruction_sets import INSTRUCTION_SETS, running_on

pytest.register_assert_rewrite("helpers.contract", "helpers.warned")


@pytest.fixture(scope="module", params=INSTRUCTION_SETS)
def every_instruction_set(request):
    """The solver runs for each instruction set of this machine, in the extension and in the tests' library."""
    with running_on(request.param):
        yield request.param


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt, which it does not in a process that a shell started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def builtin_solver():
    """What MINPACK's own drivers cannot do is tested with ours, whatever the environment chooses."""
    chosen = os.environ.pop("PYMINPACK_SOLVER", None)  # no monkeypatch, with which ./dev parallel leaves tests out
    yield
    if chosen is not None:
        os.environ["PYMINPACK_SOLVER"] = chosen


@pytest.fixture
def many_switches():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
