"""`NonFiniteError`: what `nonfinite="raise"` ends a fit with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NoReturn

import numpy as np
from numpy.typing import NDArray


class NonFiniteError(FloatingPointError):
    """A function of a fit returned NaN or inf, and ``nonfinite="raise"`` was asked for.

    Attributes
    ----------
    function : {"func", "Dfun"}
        Which function.
    index : int
        Where in what it returned, flattened in C order, from 0.
    call : int
        In which of its calls, from 1.
    point : ndarray, shape (n,)
        Where it was called.
    x : ndarray, shape (n,)
        The last x of the iteration: the best point so far, where all was finite; `x0` if it happened there.
    """

    def __init__(
        self,
        function: Literal["func", "Dfun"],
        index: int,
        call: int,
        point: NDArray[np.float64],
        x: NDArray[np.float64],
    ) -> None:
        super().__init__(function, index, call, point, x)
        self.function: Literal["func", "Dfun"] = function
        self.index: int = index
        self.call: int = call
        self.point: NDArray[np.float64] = point
        self.x: NDArray[np.float64] = x

    def __str__(self) -> str:
        return (
            f"leastsq: the first NaN or inf is at index {self.index} of what {self.function} returned in call"
            f" {self.call}, at x = {self.point}; the best x before was {self.x}"
        )


def refusal(nonfinite: str) -> Callable[..., NoReturn] | None:
    """What the extension calls at the first NaN or inf; None where that goes through."""
    if nonfinite not in ("propagate", "raise"):
        raise ValueError(f"leastsq: nonfinite is {nonfinite!r}; expected 'propagate' or 'raise'")
    return _refuse if nonfinite == "raise" else None


def _refuse(
    function: Literal["func", "Dfun"], index: int, call: int, point: NDArray[np.float64], x: NDArray[np.float64]
) -> NoReturn:
    raise NonFiniteError(function, index, call, point, x)
