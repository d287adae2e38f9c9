"""Fits of the problems of mgh: the options, and what the original MINPACK and the installed leastsq make of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
import pytest

from oracles.libminpack import libminpack
from oracles.minpack_calls import Solution, UserFunction
from problems import mgh
from pyminpack import leastsq

DRIVERS = ("lmdif", "lmder")
FACTORS = (1, 10, 100)

# Options of leastsq, for n variables.
OPTIONS: dict[str, Callable[[int], dict[str, Any]]] = {
    "defaults": lambda n: {},
    "few calls": lambda n: {"maxfev": n + 3},
    "own scaling": lambda n: {"maxfev": 150, "diag": 0.5 + np.arange(n)},
    "tight": lambda n: {"maxfev": 150, "ftol": 0.0, "xtol": 0.0},
    "loose": lambda n: {"maxfev": 150, "ftol": 1e-2, "xtol": 1e-2},
    "gradient test": lambda n: {"maxfev": 150, "gtol": 1e-3},
    "short first step": lambda n: {"maxfev": 150, "factor": 0.1},
    "long differences": lambda n: {"maxfev": 150, "epsfcn": 1e-6},
    "all": lambda n: {
        "ftol": 1e-12, "xtol": 1e-9, "gtol": 1e-12, "maxfev": 60, "factor": 3.0, "diag": 1.0 / (1 + np.arange(n)),
        "epsfcn": 1e-13,
    },
}


def options_for(driver: str, name: str, n: int) -> dict[str, Any]:
    """Keyword arguments for a driver; lmder has no differences."""
    return {key: value for key, value in OPTIONS[name](n).items() if driver == "lmdif" or key != "epsfcn"}


def functions(driver: str, problem: mgh.Problem) -> list[UserFunction]:
    return [problem.residuals] if driver == "lmdif" else [problem.residuals, problem.jacobian]


def solve(library: Any, driver: str, problem: mgh.Problem, factor: float, options: str) -> Solution:
    """What a library makes of a case."""
    run: Callable[..., Solution] = getattr(library, driver)
    start = problem.start(factor)
    return run(*functions(driver, problem), start, problem.m, **options_for(driver, options, problem.n))


@cache
def original(driver: str, problem: mgh.Problem, factor: float, options: str) -> Solution:
    """What libminpack.so.1 makes of a case, computed once for all tests."""
    return solve(libminpack, driver, problem, factor, options)


def installed(driver: str, problem: mgh.Problem, factor: float, options: str) -> dict[str, Any]:
    """What the installed leastsq makes of it, under the names of Solution."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of residuals that are not finite, as some of these are
        x, _, info, _, ier = leastsq(
            problem.residuals, problem.start(factor), Dfun=problem.jacobian if driver == "lmder" else None,
            full_output=True, **options_for(driver, options, problem.n),
        )
    return {**info, "fjac": info["fjac"].T, "x": x, "info": ier}


def fits_by(names: Iterable[str]) -> list[tuple[mgh.Problem, int, str]]:
    """Problem, factor, options: all three starts with the first and the last options, one in turn with the others."""
    first, *others, last = names
    whole = [(problem, factor, options) for problem in mgh.PROBLEMS for factor in FACTORS for options in (first, last)]
    return whole + [(problem, FACTORS[(i + j) % len(FACTORS)], options)
                    for i, problem in enumerate(mgh.PROBLEMS) for j, options in enumerate(others)]  # fmt: skip


FITS = fits_by(OPTIONS)

every_problem = pytest.mark.parametrize("problem", mgh.PROBLEMS, ids=str)
every_driver = pytest.mark.parametrize("driver", DRIVERS)
every_fit = pytest.mark.parametrize(("problem", "factor", "options"), FITS, ids=str)
