"""Fits to be timed. `replayed` ones get func's answers from a recording, so that only what is outside func is timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Fit:
    """A call of leastsq."""

    name: str
    m: int
    residuals: Function
    x0: Array
    jacobian: Function | None = None
    full_output: bool = False
    replayed: bool = False
    sweep: str = ""  # "m" or "n": it is a point of the plot against that

    def calls(self, leastsq: Callable[..., Any]) -> Callable[[], Arguments]:
        """What makes the arguments of one call of this leastsq."""
        functions = [self.residuals, self.jacobian]
        if self.replayed:
            recordings = [None if function is None else Recording(function) for function in functions]
            leastsq(recordings[0], self.x0, Dfun=recordings[1])

        def arguments() -> Arguments:
            func, Dfun = functions
            if self.replayed:
                func, Dfun = [recording and recording.replay() for recording in recordings]
            return (func, self.x0), {"Dfun": Dfun, "full_output": self.full_output}

        return arguments


class Recording:
    """A function that keeps its answers."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.answers: list[Array] = []

    def __call__(self, x: Array) -> Array:
        self.answers.append(self.function(x))
        return self.answers[-1]

    def replay(self) -> Function:
        """A function that gives the answers again, next(iterator, x), which takes some 70 ns each."""
        return partial(next, iter(self.answers))


def exponential(name: str, **options: Any) -> Fit:
    """amplitude*exp(-rate*t) + offset on 50 points."""
    t = np.linspace(0, 1, 50)
    y = 2 * np.exp(-t) + 1
    return Fit(name, 50, lambda p: p[0] * np.exp(-p[1] * t) + p[2] - y, np.array([1.0, 2.0, 3.0]), **options)


def rosenbrock(name: str) -> Fit:
    """Rosenbrock's valley from its usual start."""
    return Fit(name, 2, lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.array([-1.2, 1.0]))


def dense(m: int, n: int, name: str = "", *, derivatives: bool, **options: Any) -> Fit:
    """A mildly nonlinear dense problem, with its Jacobian or without."""
    rng = np.random.default_rng(m + n)
    matrix, y = rng.standard_normal((m, n)), rng.standard_normal(m)

    def residuals(x: Array) -> Array:
        z = matrix @ x
        return z + 0.01 * z**2 - y

    def jacobian(x: Array) -> Array:
        return (1 + 0.02 * (matrix @ x))[:, None] * matrix

    name = name or f"{m} x {n}, {'Dfun' if derivatives else 'differences'}"
    return Fit(name, m, residuals, np.zeros(n), jacobian if derivatives else None, **options)


SMALL = [(m, n) for n in range(1, 9) for m in (n, 50, 10_000)]
ROWS = [10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000]
COLUMNS = [1, 2, 3, 5, 8, 15, 20, 30, 50, 101, 200, 400]

FITS = [
    exponential("exponential, 50 x 3, outside func", replayed=True),
    exponential("exponential, 50 x 3, full_output, outside func", replayed=True, full_output=True),
    exponential("exponential, 50 x 3, with func"),
    rosenbrock("Rosenbrock, 2 x 2, with func"),
    dense(1000, 100, "1000 x 100, Dfun, with func", derivatives=True),
    dense(300, 300, "300 x 300, Dfun, with func", derivatives=True),
    *(dense(m, n, derivatives=False, replayed=True) for m, n in SMALL),
    *(dense(m, 10, derivatives=True, replayed=True, sweep="m") for m in ROWS),
    *(dense(1000, n, derivatives=True, replayed=True, sweep="n") for n in COLUMNS),
]
