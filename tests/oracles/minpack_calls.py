"""MINPACK's routines in front of NumPy, whichever shared library holds them.

`oracles.libminpack` and `helpers.c_face` are two libraries with one Python interface, the methods of `Minpack`; they
differ in how an argument is passed. No method changes an array that it is handed. Outputs come back as MINPACK stored
them: what it did not write is UNTOUCHED, the rows of a leading dimension beyond the matrix included.

Source: Moré, Garbow, Hillstrom, *User guide for MINPACK-1*, ANL-80-74: the calling sequences.
"""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from ctypes import c_double, c_int, c_void_p
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.swallowed import swallowed_raised

Array = NDArray[np.float64]
Integers = NDArray[np.int32]
UserFunction = Callable[[Array], ArrayLike]  # an int, MINPACK's iflag, stands for no answer: negative to stop

UNTOUCHED = -7
LEASTSQ_TOL = 1.49012e-8  # leastsq's default of ftol and xtol

SEQUENCES = {
    "enorm": "n x",
    "qrfac": "m n a lda pivot ipvt lipvt rdiag acnorm wa",
    "qrsolv": "n r ldr ipvt diag qtb x sdiag wa",
    "lmpar": "n r ldr ipvt diag qtb delta par x sdiag wa1 wa2",
    "fdjac2": "fcn m n x fvec fjac ldfjac iflag epsfcn wa",
    "chkder": "m n x fvec fjac ldfjac xp fvecp mode err",
    "lmdif": "fcn m n x fvec ftol xtol gtol maxfev epsfcn diag mode factor nprint info nfev fjac ldfjac ipvt qtf"
    " wa1 wa2 wa3 wa4",
    "lmder": "fcn m n x fvec fjac ldfjac ftol xtol gtol maxfev diag mode factor nprint info nfev njev ipvt qtf"
    " wa1 wa2 wa3 wa4",
}


@dataclass(frozen=True)
class Factorisation:
    """What qrfac returns."""

    a: Array  # (lda, n): reflectors on and below the diagonal, R above
    ipvt: Integers
    rdiag: Array
    acnorm: Array


@dataclass(frozen=True)
class Solve:
    """What qrsolv returns."""

    r: Array  # (ldr, n): R, and S' below the diagonal
    x: Array
    sdiag: Array


@dataclass(frozen=True)
class Parameter(Solve):
    """What lmpar returns."""

    par: float


@dataclass(frozen=True)
class Differences:
    """What fdjac2 returns."""

    x: Array
    fjac: Array  # (ldfjac, n)
    iflag: int
    points: Array  # (calls, n), where residuals were asked for


@dataclass(frozen=True)
class Check:
    """What chkder returns; xp in mode 1, err in mode 2."""

    xp: Array
    err: Array


@dataclass(frozen=True)
class Solution:
    """What lmdif and lmder return."""

    x: Array
    fvec: Array
    fjac: Array  # (ldfjac, n)
    ipvt: Integers
    qtf: Array
    diag: Array
    nfev: int
    njev: int  # lmdif: 0
    info: int
    points: Array  # (calls, n), where residuals were asked for


class Callback:
    """A user's function as MINPACK sees it. Its first exception is kept, and stops MINPACK."""

    def __init__(self, function: UserFunction) -> None:
        self.function = function
        self.points: list[Array] = []
        self.error: BaseException | None = None

    def evaluate(self, m: int, n: int, x: int, out: int, ldfjac: int | None = None) -> int:
        """The m doubles at address `out`, or the m x n with a leading dimension, <- function(x). Returns iflag."""
        point = doubles(x, n).copy()
        self.points.append(point)
        try:
            answer = self.function(point.copy())
            if isinstance(answer, int):
                return answer
            target = doubles(out, m) if ldfjac is None else doubles(out, n * ldfjac).reshape(n, ldfjac).T[:m]
            if np.shape(answer) != target.shape:
                raise TypeError(f"the function returned shape {np.shape(answer)}, expected {target.shape}")
            target[...] = answer
        except BaseException as error:
            self.error = error
            return -1
        return 0


class Minpack(ABC):
    """MINPACK's routines in one shared library."""

    sequences: ClassVar = {routine: names.split() for routine, names in SEQUENCES.items()}

    @abstractmethod
    def routine(self, name: str) -> Any:
        """The library's function for a MINPACK routine."""

    @abstractmethod
    def scalar(self, value: c_int | c_double) -> Any:
        """How an input that is one number is passed."""

    @abstractmethod
    def fcn(self, residuals: Callback, jacobian: Callback | None) -> list[Any]:
        """How the user's functions are passed."""

    def lwork(self, m: int, n: int) -> int:
        """The length of the work array of qrfac, lmdif and lmder, where they have one."""
        return 0

    def call(self, routine: str, *callbacks: Callback | None, **arguments: Any) -> Any:
        """Call a routine with arguments by name: arrays, numbers, and ctypes numbers where it answers in them."""
        parameters = []
        for name in self.sequences[routine]:
            if name == "fcn":
                residuals, jacobian = callbacks
                assert residuals is not None, f"{routine} calls residuals, and none are given"
                parameters += self.fcn(residuals, jacobian)
            elif isinstance(value := arguments[name], np.ndarray):
                parameters.append(c_void_p(value.ctypes.data))
            elif value is None:
                parameters.append(c_void_p())
            elif isinstance(value, c_int | c_double):
                parameters.append(ctypes.byref(value))
            else:
                parameters.append(self.scalar(c_int(value) if isinstance(value, int) else c_double(value)))
        function = self.routine(routine)
        function.restype = c_double if routine == "enorm" else None
        with swallowed_raised() if callbacks else nullcontext():
            result = function(*parameters)
        for callback in callbacks:
            if callback is not None and callback.error is not None:
                raise callback.error
        return result

    def enorm(self, x: ArrayLike) -> float:
        x = vector(x)
        return float(self.call("enorm", n=x.size, x=x))

    def qrfac(self, a: ArrayLike, *, pivot: bool = True, padding: int = 0) -> Factorisation:
        m, n = np.shape(a)
        out = Factorisation(matrix(a, padding), untouched(n, np.int32), untouched(n), untouched(n))
        lwork = self.lwork(m, n)
        self.call("qrfac", m=m, n=n, lda=m + padding, pivot=pivot, lipvt=n, wa=work(n), work=work(lwork), lwork=lwork,
                  **vars(out))
        return out

    def qrsolv(self, r: ArrayLike, ipvt: ArrayLike, diag: ArrayLike, qtb: ArrayLike, *, padding: int = 0) -> Solve:
        n = np.size(diag)
        out = Solve(matrix(r, padding), untouched(n), untouched(n))
        self.call("qrsolv", n=n, ldr=n + padding, ipvt=vector(ipvt, np.int32), diag=vector(diag), qtb=vector(qtb),
                  wa=work(n), work=work(4 * n), **vars(out))
        return out

    def lmpar(self, r: ArrayLike, ipvt: ArrayLike, diag: ArrayLike, qtb: ArrayLike, delta: float, par: float = 0.0,
              *, padding: int = 0) -> Parameter:
        n = np.size(diag)
        out = Solve(matrix(r, padding), untouched(n), untouched(n))
        answer = c_double(par)
        self.call("lmpar", n=n, ldr=n + padding, ipvt=vector(ipvt, np.int32), diag=vector(diag), qtb=vector(qtb),
                  delta=delta, par=answer, wa1=work(n), wa2=work(n), work=work(4 * n),
                  **vars(out))
        return Parameter(**vars(out), par=answer.value)

    def fdjac2(self, residuals: UserFunction, x: ArrayLike, fvec: ArrayLike, epsfcn: float = 0.0, *,
               padding: int = 0) -> Differences:
        m, n = np.size(fvec), np.size(x)
        x, fjac, iflag, callback = vector(x), untouched((m + padding, n)), c_int(0), Callback(residuals)
        self.call("fdjac2", callback, None, m=m, n=n, x=x, fvec=vector(fvec), fjac=fjac, ldfjac=m + padding,
                  iflag=iflag, epsfcn=epsfcn, wa=work(m), typical_x=None)
        return Differences(x, fjac, iflag.value, np.array(callback.points))

    def chkder(self, x: ArrayLike, fvec: ArrayLike, fjac: ArrayLike, fvecp: ArrayLike, mode: int, *,
               padding: int = 0) -> Check:
        m, n = np.size(fvec), np.size(x)
        out = Check(untouched(n), untouched(m))
        self.call("chkder", m=m, n=n, x=vector(x), fvec=vector(fvec), fjac=matrix(fjac, padding), ldfjac=m + padding,
                  fvecp=vector(fvecp), mode=mode, **vars(out))
        return out

    def lmdif(self, residuals: UserFunction, x: ArrayLike, m: int, *, maxfev: int | None = None, epsfcn: float = 0.0,
              **options: Any) -> Solution:
        """Options as leastsq has them, and those of `minimise`."""
        if maxfev is None:
            maxfev = 200 * (np.size(x) + 1)
        return self.minimise("lmdif", Callback(residuals), None, x, m, maxfev, epsfcn=epsfcn, **options)

    def lmder(self, residuals: UserFunction, jacobian: UserFunction, x: ArrayLike, m: int, *,
              maxfev: int | None = None, **options: Any) -> Solution:
        """Options as leastsq has them, and those of `minimise`."""
        if maxfev is None:
            maxfev = 100 * (np.size(x) + 1)
        return self.minimise("lmder", Callback(residuals), Callback(jacobian), x, m, maxfev, **options)

    def minimise(self, driver: str, residuals: Callback, jacobian: Callback | None, x: ArrayLike, m: int, maxfev: int,
                 *, ftol: float = LEASTSQ_TOL, xtol: float = LEASTSQ_TOL, gtol: float = 0.0, epsfcn: float = 0.0,
                 factor: float = 100.0, diag: ArrayLike | None = None, padding: int = 0) -> Solution:
        """lmdif or lmder, with ldfjac = m + padding, nprint = 0, and mode 2 if diag is given."""
        n = np.size(x)
        lwork = self.lwork(m, n)
        info, nfev, njev = c_int(UNTOUCHED), c_int(UNTOUCHED), c_int(0)
        arrays = {
            "x": vector(x),
            "fvec": untouched(m),
            "fjac": untouched((m + max(padding, 0), n)),
            "ipvt": untouched(n, np.int32),
            "qtf": untouched(n),
            "diag": untouched(n) if diag is None else vector(diag),
        }
        self.call(driver, residuals, jacobian, m=m, n=n, ldfjac=m + padding, ftol=ftol, xtol=xtol, gtol=gtol,
                  maxfev=maxfev, epsfcn=epsfcn, mode=1 if diag is None else 2, factor=factor, nprint=0, info=info,
                  nfev=nfev, njev=njev, wa1=work(n), wa2=work(n), wa3=work(n), wa4=work(m), work=work(lwork),
                  lwork=lwork, **arrays)
        points = np.array(residuals.points)
        return Solution(**arrays, nfev=nfev.value, njev=njev.value, info=info.value, points=points)


def doubles(address: int, size: int) -> Array:
    """The `size` >= 1 doubles at an address, not copied."""
    buffer: Any = (c_double * size).from_address(address)
    return np.ndarray(size, np.float64, buffer)


def vector(values: ArrayLike, dtype: Any = np.float64) -> NDArray[Any]:
    """A copy that C can use."""
    return np.array(values, dtype=dtype, ndmin=1)


def matrix(values: ArrayLike, padding: int) -> Array:
    """A copy by columns, with a leading dimension larger by `padding`."""
    m, n = np.shape(values)
    stored = untouched((m + padding, n))
    stored[:m] = values
    return stored


def untouched(shape: int | tuple[int, int], dtype: Any = np.float64) -> NDArray[Any]:
    """A vector, or a matrix by columns, to write to."""
    return np.full(shape, UNTOUCHED, dtype, order="F")


def work(size: int) -> Array:
    """A work array: what is read before it is written spoils the result."""
    return np.full(size, np.nan)
