"""Fits in greenlets (gevent's tasks) that take turns on one thread: the bits that each has alone."""

import pytest

from helpers.isolated import run_isolated
from pyminpack import _minpack

pytestmark = [
    pytest.mark.needs("greenlet"),
    pytest.mark.thread_unsafe(reason="has threads of its own, and sets how often they take turns"),
]

# Two fits, each of whose func and Dfun gives way to the other fit in every call; they end at different times.
SOURCE = """
import numpy as np
from greenlet import greenlet
from pyminpack import leastsq

t = np.linspace(0.0, 1.0, 20)
STARTS = ([0.5, 0.5], [0.5])


def fit(start, with_Dfun, give_way=lambda: None):
    powers = np.vander(t, len(start))

    def func(p):
        give_way()
        return np.exp(powers @ p) - 1.0 - np.sin(t)

    def Dfun(p):
        give_way()
        return np.exp(powers @ p)[:, np.newaxis] * powers

    return leastsq(func, start, Dfun=Dfun if with_Dfun else None, full_output=True, solver=SOLVER)


def fits_in_turns(with_Dfun):
    results, fits = [None, None], [None, None]

    def give_way(number):
        if not fits[1 - number].dead:
            fits[1 - number].switch()

    def run(number):
        results[number] = fit(STARTS[number], with_Dfun, lambda: give_way(number))

    fits[:] = [greenlet(lambda: run(0)), greenlet(lambda: run(1))]
    while not all(fit.dead for fit in fits):
        for one in fits:
            one.switch()
    return results


for with_Dfun in (False, True):
    for start, (x, cov_x, infodict, mesg, ier) in zip(STARTS, fits_in_turns(with_Dfun), strict=True):
        alone = fit(start, with_Dfun)
        assert (mesg, ier) == alone[3:]
        assert x.tobytes() == alone[0].tobytes()
        assert all(np.asarray(infodict[key]).tobytes() == np.asarray(alone[2][key]).tobytes() for key in alone[2])
"""


@pytest.mark.parametrize("solver", _minpack.solvers())
def test_fits_may_take_turns_in_greenlets(solver):
    run_isolated(f"SOLVER = {solver!r}\n{SOURCE}")
