"""The tests' call-backs: an exception that arrives in one, at whatever moment, is raised; it is no differing bit."""

from __future__ import annotations

import ctypes
import gc
import signal
import sys
import threading

import numpy as np
import pytest

from fuzz.cases import Case
from helpers.c_face import c_face
from oracles.libminpack import libminpack
from problems.routine_inputs import cubic, cubic_jacobian

X = [1.0, 2.0, 3.0]


class Arrived(BaseException):
    """As KeyboardInterrupt, or a test's timeout."""


def by_signal():
    signal.raise_signal(signal.SIGUSR1)


def by_another_thread():
    """As one would do it; the exception is pending until this thread looks for one."""
    this = ctypes.c_ulong(threading.get_ident())
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(this, ctypes.py_object(Arrived)) == 1


CALLS = {
    "fdjac2 of the original": lambda: libminpack.fdjac2(cubic, X, cubic(X)),
    "lmder of the original": lambda: libminpack.lmder(cubic, cubic_jacobian, X, 5, maxfev=2),
    "fdjac2 of ours": lambda: c_face.fdjac2(cubic, X, cubic(X)),
    "lmder of ours": lambda: c_face.lmder(cubic, cubic_jacobian, X, 5, maxfev=2),
    "a case of the fuzz tests": lambda: Case("lmder", n=2, maxfev=2).check(),
    "a case with a stop": lambda: Case("lmdif", n=2, stop=(2, -1)).check(),
}


@pytest.fixture(autouse=True)
def no_collection():
    """hypothesis has the garbage collector call a Python function of its own: what arrives in there, Python ignores."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def raised_by_signal(monkeypatch):
    """The signal raises Arrived. In the end the hook is pytest's again, though the exception may come before that."""
    def handler(number, frame):
        raise Arrived

    before = signal.signal(signal.SIGUSR1, handler)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    signal.signal(signal.SIGUSR1, before)


def watched(call, at, arrive):
    """Call, let the exception arrive at that event, of Python functions and C functions begun and left; count them."""
    events = 0

    def profile(frame, event, argument):
        nonlocal events
        events += 1
        if events == at:
            sys.setprofile(None)
            arrive()

    sys.setprofile(profile)
    try:
        with np.errstate(all="ignore"):
            call()
    finally:
        sys.setprofile(None)
    return events


@pytest.mark.slow
@pytest.mark.parametrize("arrive", [by_signal, by_another_thread], ids=lambda arrive: arrive.__name__)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_exception_that_arrives_at_any_moment_is_raised(call, arrive):
    call()
    events = watched(call, 0, arrive)
    assert events > 100
    for at in range(1, events):
        with pytest.raises(Arrived):
            watched(call, at, arrive)
