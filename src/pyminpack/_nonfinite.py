"""`NonFiniteError`, which ends a fit with ``nonfinite="raise"``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from pyminpack._names import LEASTSQ, Names


class NonFiniteError(FloatingPointError):
    """A function of a fit returned NaN or inf, with ``nonfinite="raise"``.

    Attributes
    ----------
    function : {"func", "Dfun", "f", "jac"}
        Which function, of `leastsq` or of `curve_fit`.
    index : int
        Index in what it returned, flattened in C order, from 0.
    call : int
        Which of its calls, from 1.
    point : ndarray, shape (n,)
        Where it was called.
    x : ndarray, shape (n,)
        The iteration's last x: the best point so far, where everything was finite; `x0` if it happened there.
    """

    def __init__(
        self,
        function: str,
        index: int,
        call: int,
        point: NDArray[np.float64],
        x: NDArray[np.float64],
        names: Names = LEASTSQ,
    ) -> None:
        super().__init__(function, index, call, point, x, names)
        self.function: str = function
        self.index: int = index
        self.call: int = call
        self.point: NDArray[np.float64] = point
        self.x: NDArray[np.float64] = x
        self._names = names

    def __str__(self) -> str:
        caller, x, cause = self._names.caller, self._names.x, self._names.cause
        return (
            f"{caller}: the first NaN or inf is at index {self.index} of what {self.function} returned in call"
            f" {self.call}{cause and ', since '}{cause}, at {x} = {self.point}; the best {x} before was {self.x}"
        )


def refusal(nonfinite: str, names: Names) -> Callable[..., NoReturn] | None:
    """What the extension calls at the first NaN or inf; None to let it pass."""
    if nonfinite not in ("propagate", "raise"):
        raise ValueError(f"{names.caller}: nonfinite is {nonfinite!r}; expected 'propagate' or 'raise'")
    return partial(_refuse, names) if nonfinite == "raise" else None


def _refuse(
    names: Names, function: str, index: int, call: int, point: NDArray[np.float64], x: NDArray[np.float64]
) -> NoReturn:
    raise NonFiniteError(function, index, call, point, x, names)
