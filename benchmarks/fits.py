"""A timed call of leastsq, and what times it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from helpers.bits import assert_same_bits
from models import Array, Model

# MINPACK's precision, which sets leastsq's default step; SciPy from 1.15 on uses 2**-52, and so takes other steps.
EPSFCN = 2.22044604926e-16
NOISE = 0.02


@dataclass(frozen=True, eq=False)
class Fit:
    """A model fitted to data made from it."""

    model: Model
    m: int
    Dfun: bool = False
    scale: float = 1.0  # unit of the data and of the parameters linear in them
    weight: float = 1.0  # multiplies the residuals, and with them every column
    noise: bool = True
    col_deriv: bool = False

    def __str__(self) -> str:
        words = [self.model.name, f"{self.m} x {self.n}", "Dfun" if self.Dfun else "differences"]
        words += ["col_deriv"] * self.col_deriv + ["no noise"] * (not self.noise)
        words += [f"data {self.scale:g}"] * (self.scale != 1) + [f"residuals {self.weight:g}"] * (self.weight != 1)
        return ", ".join(words)

    @property
    def n(self) -> int:
        return len(self.model.true)

    def parameters(self, values: list[float]) -> Array:
        p = np.array(values, float)
        p[self.model.linear] *= self.scale
        return p

    @cached_property
    def x0(self) -> Array:
        return self.parameters(self.model.start)

    @cached_property
    def t(self) -> Any:
        return self.model.points(self.m)

    @cached_property
    def y(self) -> Array:
        y = self.model.value(self.t, self.parameters(self.model.true))
        return y + NOISE * self.scale * np.random.default_rng(self.m).standard_normal(self.m) if self.noise else y

    def residuals(self, p: Array) -> Array:
        r = self.model.value(self.t, p) - self.y
        return r if self.weight == 1 else self.weight * r

    def jacobian(self, p: Array) -> Array:
        """(m, n), row-major; (n, m), row-major, for col_deriv."""
        columns = np.stack(self.model.columns(self.t, p), axis=0 if self.col_deriv else 1)
        return columns if self.weight == 1 else self.weight * columns

    @property
    def options(self) -> dict[str, Any]:
        return {"col_deriv": self.col_deriv} if self.Dfun else {"epsfcn": EPSFCN}


class Recording:
    """A function that records its results."""

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self.function = function
        self.answers: list[Array] = []

    def __call__(self, x: Array) -> Array:
        self.answers.append(self.function(x))
        return self.answers[-1]

    def replay(self) -> Callable[[Array], Array]:
        """A function that replays the results by next(iterator, x): no Python code, see `replay_time`."""
        return partial(next, iter(self.answers))


class Contestant:
    """A leastsq on a fit. If `replayed`, it gets the results that func and Dfun returned to it in a first fit.

    Each contestant has its own recording: SciPy evaluates the start three times, we do once.
    """

    def __init__(self, leastsq: Callable[..., Any], fit: Fit, *, replayed: bool) -> None:
        self.leastsq, self.fit = leastsq, fit
        self.functions: list[Any] = [fit.residuals, fit.jacobian] if fit.Dfun else [fit.residuals]
        self.recordings = [Recording(function) for function in self.functions] if replayed else []
        self.expected = self.call(self.recordings or self.functions)

    def call(self, functions: list[Any]) -> tuple[Array, int]:
        func, *Dfun = functions
        x, ier = self.leastsq(func, self.fit.x0, Dfun=Dfun[0] if Dfun else None, **self.fit.options)
        return x, ier

    @property
    def answers(self) -> list[int]:
        """How many results of func, and of Dfun, a recording has."""
        return [len(recording.answers) for recording in self.recordings]

    def turn(self, runs: int) -> float:
        """Seconds for that many fits, one after the other."""
        turns = [[recording.replay() for recording in self.recordings] or self.functions for _ in range(runs)]
        call = self.call
        start = time.thread_time()
        results = [call(functions) for functions in turns]
        seconds = time.thread_time() - start
        for x, ier in results:
            assert_same_bits(x, self.expected[0])
            assert ier == self.expected[1]
        return seconds


def replay_time() -> float:
    """Seconds for a call of a replayed function."""
    calls, x = 100_000, np.zeros(3)
    recording = Recording(lambda x: x)
    recording.answers = [x] * calls
    func = recording.replay()
    start = time.thread_time()
    for _ in range(calls):
        func(x)
    return (time.thread_time() - start) / calls
