"""pytest plugin: count the calls that reach our extension; a session in which none does fails.

Calls are counted where they enter the extension; those made in child processes are not. So are its doubts of a success
(doubt.h), with the test that met them.
"""

import itertools
import os

import pytest

from pyminpack import _minpack

CALLS = pytest.StashKey[int]()
DOUBTS = ("zero columns", "stuck")
_counter = itertools.count()  # its next() is atomic: threads lose no call
_doubts = []


def _counted(solve):
    """`solve`, an entry point of the extension, counting its calls."""

    def count_and_solve(*args):
        next(_counter)
        outcome = solve(*args)
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        _doubts.extend(f"{report} in {test}" for report in outcome[-1] or () if report[0] in DOUBTS)
        return outcome

    return count_and_solve


_minpack.leastsq = _counted(_minpack.leastsq)


def pytest_sessionfinish(session):
    """Fail if nothing was put to the test."""
    calls = session.config.stash[CALLS] = next(_counter)
    if calls == 0 and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    """Print the line that run.py reads."""
    calls = config.stash.get(CALLS, 0)
    terminalreporter.write_line(f"pyminpack.leastsq was called {calls} times", red=calls == 0)
    for doubt in _doubts:
        terminalreporter.write_line(f"pyminpack.leastsq doubted: {doubt}")
