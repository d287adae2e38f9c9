"""Types of the C extension."""

from collections.abc import Callable
from typing import Any, SupportsIndex

from numpy import float64, int32
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

# MINPACK's routines, for pyminpack.kernels.
def enorm(solver: str | None, x: ArrayLike, /) -> float: ...
def qrfac(
    solver: str | None, a: ArrayLike, pivot: bool, /
) -> tuple[NDArray[float64], NDArray[int32], NDArray[float64], NDArray[float64]]: ...
def qrsolv(
    solver: str | None, r: ArrayLike, ipvt: ArrayLike, diag: ArrayLike, qtb: ArrayLike, /
) -> tuple[NDArray[float64], NDArray[float64], NDArray[float64]]: ...
def lmpar(
    solver: str | None, r: ArrayLike, ipvt: ArrayLike, diag: ArrayLike, qtb: ArrayLike, delta: Real, par: Real, /
) -> tuple[NDArray[float64], float, NDArray[float64], NDArray[float64]]: ...
def fdjac2(
    solver: str | None,
    fcn: Callable[[NDArray[float64]], NDArray[float64]],
    x: ArrayLike,
    fvec: ArrayLike,
    epsfcn: Real,
    /,
) -> NDArray[float64]: ...
def chkder(
    solver: str | None, x: ArrayLike, fvec: ArrayLike | None, fjac: ArrayLike | None, fvecp: ArrayLike | None, /
) -> NDArray[float64]: ...
def covar(solver: str | None, r: ArrayLike, ipvt: ArrayLike, tol: Real, /) -> tuple[NDArray[float64], int]: ...
