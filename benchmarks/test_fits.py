"""The speed of leastsq: contestants take turns, and every result is checked. See `./dev bench`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.optimize

import pyminpack
from fits import EPSFCN, Contestant, Fit, replay_time
from helpers.bits import assert_same_bits
from oracles.libminpack import libminpack
from rows import FITS

SOLVERS = {"pyminpack": pyminpack.leastsq, f"SciPy {scipy.__version__}": scipy.optimize.leastsq}
HAS_MINPACKS_BITS = {"pyminpack", "SciPy 1.14.1"}


@pytest.mark.filterwarnings("ignore")  # of fits to NaN
@pytest.mark.parametrize("replayed", [False, True], ids=["whole", "outside func"])
@pytest.mark.parametrize("fit", FITS, ids=str)
def test_fit(measure, fit, replayed):
    contestants = {name: Contestant(leastsq, fit, replayed=replayed) for name, leastsq in SOLVERS.items()}
    ours, scipys = contestants.values()
    x, ier = original(fit)
    for name, contestant in contestants.items():
        assert contestant.expected[1] == ier
        if name in HAS_MINPACKS_BITS:
            assert_same_bits(contestant.expected[0], x)
        else:
            np.testing.assert_allclose(contestant.expected[0], x, rtol=1e-10)
    # Same steps, or the times would not be comparable; SciPy evaluates the start twice more.
    assert scipys.answers == [count + extra for count, extra in zip(ours.answers, (2, 1), strict=False)]
    measure({name: contestant.turn for name, contestant in contestants.items()}, row=str(fit), replayed=replayed,
            m=fit.m, answers=ours.answers)  # fmt: skip


@lru_cache(1)
def original(fit: Fit) -> tuple[Any, int]:
    """libminpack1's x and ier."""
    if fit.Dfun:
        solution = libminpack.lmder(fit.residuals, lambda x: by_rows(fit, x), fit.x0, fit.m)
    else:
        solution = libminpack.lmdif(fit.residuals, fit.x0, fit.m, epsfcn=EPSFCN)
    return solution.x, solution.info


def by_rows(fit: Fit, x: Any) -> Any:
    jacobian = fit.jacobian(x)
    return np.transpose(jacobian) if fit.col_deriv else jacobian


def test_a_replayed_answer(keep):
    """Not a contest: the seconds for a call of the recording."""
    keep(replay=replay_time())
