"""pytest plugin: `scipy.optimize.leastsq` becomes `pyminpack.leastsq`, and a session that never calls it fails.

Use: ``python -m pytest -p swap_leastsq ...`` with this folder in PYTHONPATH. pytest imports a plugin named by -p before
any conftest or test, hence before a client binds the name. There is no wrapper: clients get the function that users
get, which pickles, has its own signature and warns at the caller's line. Calls are counted where they enter the
extension; those made in child processes are not. So are its doubts of a success (doubt.h), with the test that met them.
"""

import itertools
import os
import sys

import pytest
import scipy.optimize

from pyminpack import _minpack, leastsq

CALLS = pytest.StashKey[int]()
DOUBTS = ("zero columns", "stuck")
_counter = itertools.count()  # its next() is atomic: threads lose no call
_doubts = []


def swap(original, ours):
    """Bind `ours` wherever a loaded module binds `original`: scipy.optimize and SciPy's modules below it."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, name, ours)


def _counted(solve):
    """`solve`, an entry point of the extension, counting its calls."""

    def count_and_solve(*args):
        next(_counter)
        outcome = solve(*args)
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        _doubts.extend(f"{report} in {test}" for report in outcome[-1] or () if report[0] in DOUBTS)
        return outcome

    return count_and_solve


swap(scipy.optimize.leastsq, leastsq)
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
