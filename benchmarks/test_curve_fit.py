"""The speed of curve_fit, measured as in test_fits.py: whole, and with f's results from a recording."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.optimize

import pyminpack
from fits import EPSFCN, NOISE, Fit
from helpers.bits import assert_same_bits
from models import decays, gaussian, peaks

CURVE_FITS = {"pyminpack": pyminpack.curve_fit, f"SciPy {scipy.__version__}": scipy.optimize.curve_fit}
FITS = [Fit(model, m) for model in (decays(1), peaks(gaussian, 1, 0)) for m in (50, 300)]
WAYS: dict[str, Callable[[Fit], dict[str, Any]]] = {
    "no sigma": lambda fit: {},
    "sigma": lambda fit: {"sigma": np.full(fit.m, NOISE)},
    "covariance": lambda fit: {"sigma": np.diag(np.full(fit.m, NOISE**2))},
    "jac": lambda fit: {"jac": lambda t, *p: np.stack(fit.model.columns(t, np.array(p)), axis=1)},
}


class Contestant:
    """A curve_fit on a fit; if `replayed`, it gets the results that f and jac returned to it in a first fit."""

    def __init__(self, curve_fit: Callable[..., Any], fit: Fit, options: dict[str, Any], *, replayed: bool) -> None:
        self.curve_fit, self.fit, self.replayed = curve_fit, fit, replayed
        self.options = options if "jac" in options else {**options, "epsfcn": EPSFCN}
        self.functions: dict[str, Any] = {"f": self.curve}
        if jac := self.options.pop("jac", None):
            self.functions["jac"] = jac
        self.answers: dict[str, list[Any]] = {name: [] for name in self.functions}
        self.expected = self.call({name: self.recording(name) for name in self.functions})

    def curve(self, t: Any, *p: float) -> Any:
        return self.fit.model.value(t, np.array(p))

    def recording(self, name: str) -> Callable[..., Any]:
        def record(*arguments: Any) -> Any:
            self.answers[name].append(self.functions[name](*arguments))
            return self.answers[name][-1]

        return record

    def replays(self) -> dict[str, Any]:
        iterators = {name: iter(answers) for name, answers in self.answers.items()}
        return {name: lambda *_, answers=answers: next(answers) for name, answers in iterators.items()}

    def call(self, functions: dict[str, Any]) -> Any:
        return self.curve_fit(xdata=self.fit.t, ydata=self.fit.y, p0=self.fit.x0, **functions, **self.options)

    def turn(self, runs: int) -> float:
        """Seconds for that many fits, one after the other."""
        turns = [self.replays() if self.replayed else self.functions for _ in range(runs)]
        start = time.thread_time()
        results = [self.call(functions) for functions in turns]
        seconds = time.thread_time() - start
        for x, _ in results:
            assert_same_bits(x, self.expected[0])
        return seconds


@pytest.mark.parametrize("replayed", [False, True], ids=["whole", "outside f"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fit", FITS, ids=lambda fit: f"{fit.model.name}, {fit.m} x {fit.n}")
def test_curve_fit(measure, fit, way, replayed):
    contestants = {name: Contestant(function, fit, WAYS[way](fit), replayed=replayed)
                   for name, function in CURVE_FITS.items()}  # fmt: skip
    ours, scipys = contestants.values()
    np.testing.assert_allclose(ours.expected[0], scipys.expected[0], rtol=1e-7)
    calls = {name: len(answers) for name, answers in ours.answers.items()}
    assert calls == {name: len(answers) for name, answers in scipys.answers.items()}
    if scipy.__version__ == "1.14.1" and way != "covariance":
        assert_same_bits(ours.expected[0], scipys.expected[0])
    measure({name: contestant.turn for name, contestant in contestants.items()},
            row=f"{fit.model.name}, {fit.m} x {fit.n}, {way}", replayed=replayed, m=fit.m,
            answers=list(calls.values()))  # fmt: skip
