"""Types of the C extension."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsIndex, final, type_check_only

from numpy import float64, int32
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from pyminpack._leastsq import InfoDict, Real
from pyminpack._names import Names
from pyminpack._reports import Masked, Report

# (x, ier, infodict, cov_x, mesg, reports)
_Outcome = tuple[
    NDArray[float64],
    int,
    InfoDict | None,
    NDArray[float64] | None,
    str | None,
    list[Report] | None,
]

@type_check_only
class _Iteration:
    @property
    def x(self) -> NDArray[float64]: ...
    @property
    def fvec(self) -> NDArray[float64] | None: ...
    @property
    def fnorm(self) -> float | None: ...
    @property
    def gnorm(self) -> float | None: ...
    @property
    def xnorm(self) -> float | None: ...
    @property
    def pnorm(self) -> float | None: ...
    @property
    def delta(self) -> float | None: ...
    @property
    def par(self) -> float | None: ...
    @property
    def ratio(self) -> float | None: ...
    @property
    def diag(self) -> NDArray[float64] | None: ...
    @property
    def nit(self) -> int: ...
    @property
    def nfev(self) -> int: ...
    @property
    def njev(self) -> int: ...
    @property
    def ier(self) -> int | None: ...
    @property
    def mesg(self) -> str | None: ...
    @property
    def trial_x(self) -> NDArray[float64] | None: ...
    @property
    def trial_fnorm(self) -> float | None: ...
    @property
    def accepted(self) -> bool | None: ...
    @property
    def request(self) -> Literal["residuals", "differences", "jacobian"] | None: ...
    @property
    def wanted(self) -> list[int]: ...
    @property
    def done(self) -> bool: ...

@final
class IntermediateResult(_Iteration): ...

@disjoint_base
class LevenbergMarquardt(_Iteration):
    def __init__(
        self,
        x0: ArrayLike,
        *,
        ftol: Real = ...,
        xtol: Real = ...,
        gtol: Real = ...,
        maxfev: SupportsIndex = ...,
        epsfcn: Real | None = ...,
        factor: Real = ...,
        diag: ArrayLike | None = ...,
        jacobian: bool = ...,
        col_deriv: bool = ...,
        typical_x: ArrayLike | None = ...,
    ) -> None: ...
    def ask(self) -> NDArray[float64]: ...
    def tell(self, values: ArrayLike, /, *, point: SupportsIndex | None = None) -> None: ...
    def result(self) -> tuple[NDArray[float64], NDArray[float64] | None, InfoDict, str, int]: ...
    def __getstate__(self) -> dict[str, Any]: ...
    def __setstate__(self, state: dict[str, Any], /) -> None: ...

def real_array(
    caller: str, role: str, gave: str, function: Callable[..., Any] | None, value: Any, /
) -> NDArray[Any]: ...
def answer(
    caller: str, role: str, function: Callable[..., Any], value: Any, call: int, m: int, n: int, col_deriv: bool, /
) -> tuple[NDArray[float64], float, Masked | None]: ...
def start_vector(caller: str, name: str, x0: ArrayLike, /) -> NDArray[float64]: ...
def leastsq(
    names: Names,
    func: Callable[..., Any],
    x0: ArrayLike,
    args: tuple[Any, ...],
    Dfun: Callable[..., Any] | None,
    full_output: int,
    col_deriv: int,
    values: tuple[Any, ...],
    options: dict[str, Any],
    vectorized: bool,
    callback: Callable[..., Any] | None,
    workers: Callable[[list[NDArray[float64]]], tuple[Sequence[Any], bool]] | None,
    on_nonfinite: Callable[..., Any] | None,
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
    fcn: Callable[[NDArray[float64]], Any],
    x: ArrayLike,
    fvec: ArrayLike,
    epsfcn: Real,
    /,
) -> tuple[NDArray[float64], Masked | None]: ...
def chkder(
    solver: str | None, x: ArrayLike, fvec: ArrayLike | None, fjac: ArrayLike | None, fvecp: ArrayLike | None, /
) -> NDArray[float64]: ...
def covar(solver: str | None, r: ArrayLike, ipvt: ArrayLike, tol: Real, /) -> tuple[NDArray[float64], int]: ...
