"""Which tests run where, and at the same time; explained asserts in shared helpers; fixtures for several modules."""

import fcntl
import multiprocessing
import os
import signal
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from helpers.instruction_sets import INSTRUCTION_SETS, running_on

pytest.register_assert_rewrite("helpers.contract", "helpers.warned")


def is_installed(requirement):
    requirement = Requirement(requirement)
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def can_run(item):
    if item.get_closest_marker("needs_gil") and sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    return all(is_installed(*marker.args) for name in ("needs", "others") for marker in item.iter_markers(name))


def pytest_collection_modifyitems(config, items):
    """What needs something that is not here is not run, and pytest says of how many tests."""
    left_out = [item for item in items if not can_run(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if can_run(item)]


if "PYTEST_XDIST_WORKER" in os.environ:
    # Locks of two files that are there, for all workers: whose turn it is to begin, and what runs.
    TURN, RUNNING = (os.open(Path(__file__).with_name(name), os.O_RDONLY) for name in ("conftest.py", "README.md"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item):
        """A test marked `alone` begins when the others have ended; whatever comes after it waits for its turn."""
        fcntl.flock(TURN, fcntl.LOCK_EX)
        fcntl.flock(RUNNING, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        fcntl.flock(TURN, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            fcntl.flock(RUNNING, fcntl.LOCK_UN)


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
def new_children():
    """The processes started since the test began, and not yet ended. None are left when it ends."""
    before = {*multiprocessing.active_children()}  # other tests' pools may still be ending

    def new():
        return {*multiprocessing.active_children()} - before

    yield new
    assert new() == set()


@pytest.fixture
def many_switches():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
