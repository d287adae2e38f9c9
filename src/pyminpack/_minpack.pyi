"""Types of the C extension."""

from collections.abc import Callable
from typing import Any

from numpy import float64
from numpy.typing import ArrayLike, NDArray

from pyminpack._leastsq import InfoDict, Real
from pyminpack._reports import Report

# (x, info, infodict, cov_x, reports)
_Outcome = tuple[
    NDArray[float64],
    int,
    InfoDict | None,
    NDArray[float64] | None,
    list[Report] | None,
]

def lmdif(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: tuple[Any, ...],
    full_output: int,
    ftol: Real,
    xtol: Real,
    gtol: Real,
    maxfev: int,
    epsfcn: Real | None,
    factor: Real,
    diag: ArrayLike | None,
    /,
) -> _Outcome: ...
def lmder(
    func: Callable[..., Any],
    Dfun: Callable[..., Any],
    x0: ArrayLike,
    args: tuple[Any, ...],
    full_output: int,
    col_deriv: int,
    ftol: Real,
    xtol: Real,
    gtol: Real,
    maxfev: int,
    factor: Real,
    diag: ArrayLike | None,
    /,
) -> _Outcome: ...

def instruction_sets() -> tuple[str, ...]: ...
def instruction_set_in_use() -> str: ...
def use_instruction_set(name: str, /) -> None: ...
