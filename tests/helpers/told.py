"""Ask-and-tell fits run to their end, and snapshots of an iteration."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from pyminpack import LevenbergMarquardt

NUMBERS = ("fnorm", "gnorm", "xnorm", "pnorm", "delta", "par", "ratio", "trial_fnorm")
COUNTS = ("nit", "nfev", "njev", "ier", "mesg", "accepted", "request", "wanted", "done")
ARRAYS = ("x", "fvec", "diag", "trial_x")
ATTRIBUTES = (*NUMBERS, *COUNTS, *ARRAYS)


def moment(iteration: Any) -> SimpleNamespace:
    """A snapshot of all attributes of an iteration."""
    return SimpleNamespace(**{name: getattr(iteration, name) for name in ATTRIBUTES})


def same(value: Any) -> Any:
    """A value in a form whose == compares types, shapes and bits."""
    match value:
        case np.ndarray():
            return value.dtype.str, value.shape, value.tobytes()
        case float():
            return np.float64(value).tobytes()
        case dict():
            return {key: same(entry) for key, entry in value.items()}
        case tuple():
            return tuple(map(same, value))
        case SimpleNamespace():
            return same(vars(value))
        case _:
            return type(value), value


def answer(fit: LevenbergMarquardt, func: Callable[..., Any], Dfun: Callable[..., Any] | None = None) -> Any:
    """The values that the fit asks for."""
    points = fit.ask()
    if fit.request == "jacobian":
        assert Dfun is not None
        return Dfun(points[0])
    return [func(x) for x in points]


def tell_all(
    fit: LevenbergMarquardt,
    func: Callable[..., Any],
    Dfun: Callable[..., Any] | None = None,
    between: Callable[[LevenbergMarquardt], LevenbergMarquardt] = lambda fit: fit,
) -> LevenbergMarquardt:
    """Run a fit to its end, replacing it by between(fit) before each tell; return the last."""
    while not fit.done:
        fit = between(fit)
        fit.tell(answer(fit, func, Dfun))
    return fit
