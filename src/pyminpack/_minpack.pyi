"""Types of the C extension."""

from collections.abc import Callable
from typing import Any, SupportsIndex

from numpy import float64
from numpy.typing import ArrayLike, NDArray

from pyminpack._leastsq import InfoDict, Real
from pyminpack._reports import Report

# (x, ier, infodict, cov_x, mesg, reports)
_Outcome = tuple[
    NDArray[float64],
    int,
    InfoDict | None,
    NDArray[float64] | None,
    str | None,
    list[Report] | None,
]

def leastsq(
    func: Callable[..., Any],
    Dfun: Callable[..., Any] | None,
    x0: ArrayLike,
    args: tuple[Any, ...],
    full_output: int,
    col_deriv: int,
    ftol: Real,
    xtol: Real,
    gtol: Real,
    maxfev: SupportsIndex,
    epsfcn: Real | None,
    factor: Real,
    diag: ArrayLike | None,
    solver: str | None,
    /,
) -> _Outcome: ...
def solvers() -> tuple[str, ...]: ...
def instruction_sets() -> tuple[str, ...]: ...
def instruction_set_in_use() -> str: ...
def use_instruction_set(name: str, /) -> None: ...
