"""The speed of leastsq: contestants take turns, and each result is checked.

`./dev bench` runs this, with one thread, and writes docs/benchmarks.md with report.py.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.optimize

import libminpack
import pyminpack
from problems import FITS, Fit
from turns import runs, turns

SOLVERS = {"pyminpack": pyminpack.leastsq, f"SciPy {scipy.__version__}": scipy.optimize.leastsq}
HAS_MINPACKS_BITS = {"pyminpack", "SciPy 1.14.1"}


@pytest.mark.parametrize(("fit", "contestant", "turn"), turns(FITS, list(SOLVERS)))
def test_fit(benchmark, fit, contestant, turn):
    m, n = fit.m, fit.x0.size
    solver = SOLVERS[contestant]
    benchmark.extra_info.update(case=fit.name, sweep=fit.sweep, m=m, n=n, contestant=contestant, turn=turn)
    result = benchmark.pedantic(solver, setup=fit.calls(solver), rounds=runs(m, n))
    expected = original(fit)
    if contestant in HAS_MINPACKS_BITS:
        assert result[0].tobytes() == expected.tobytes()
    else:
        np.testing.assert_allclose(result[0], expected, rtol=1e-5, atol=1e-6)


@cache
def original(fit: Fit) -> Any:
    """The x that libminpack1 comes to."""
    if fit.jacobian is None:
        return libminpack.lmdif(fit.residuals, fit.x0, fit.m, epsfcn=2.0**-52).x
    return libminpack.lmder(fit.residuals, fit.jacobian, fit.x0, fit.m).x
