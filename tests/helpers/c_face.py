"""Our solver, through its C interface minpack.h. See `oracles.minpack_calls` for the methods; covar is only here."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, c_double, c_int, c_void_p
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.build import build
from oracles.minpack_calls import UNTOUCHED, Array, Callback, Minpack, matrix, vector, work
from pyminpack import _minpack

RESIDUALS = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_void_p, c_void_p, c_int)
JACOBIAN = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_void_p, c_void_p, c_int)
CONTEXT = 0xC0DE            # an address that is passed through, never dereferenced
WRONG_CONTEXT = -999        # the info of a solve whose callback got another one


@dataclass(frozen=True)
class Covariance:
    """What covar returns."""

    r: Array  # (ldr, n): the covariance
    rank: int


class CFace(Minpack):
    """Inputs by value; separate residuals and Jacobian, with a context."""

    sequences = {
        routine: [name for name in names if name not in ("nprint", "lipvt")]
        for routine, names in Minpack.sequences.items()
    }
    for routine in ("qrfac", "lmdif", "lmder"):
        sequences[routine] += ["work", "lwork"]
    for routine in ("qrsolv", "lmpar"):
        sequences[routine].append("work")
    sequences["fdjac2"].append("typical_x")
    sequences["covar"] = ["n", "r", "ldr", "ipvt", "tol", "rank", "wa"]

    @cached_property
    def library(self) -> ctypes.CDLL:
        """The shared library, set to the instruction set that pyminpack uses."""
        library = ctypes.CDLL(str(build()))
        library.minpack_use_instruction_set(_minpack.instruction_set_in_use().encode())
        return library

    def use_instruction_set(self, name: str) -> None:
        assert self.library.minpack_use_instruction_set(name.encode()) == 0, name

    def routine(self, name: str) -> Any:
        return getattr(self.library, f"minpack_{name}")

    def scalar(self, value: c_int | c_double) -> Any:
        return value

    def fcn(self, residuals: Callback, jacobian: Callback | None) -> list[Any]:
        context = c_void_p(CONTEXT)
        if jacobian is None:
            return [RESIDUALS(partial(answer_residuals, residuals)), context]
        return [RESIDUALS(partial(answer_residuals, residuals)), JACOBIAN(partial(answer, jacobian)), context]

    def lwork(self, m: int, n: int) -> int:
        length = self.library.minpack_lwork(m, n)
        assert isinstance(length, int)
        return length

    def covar(self, r: ArrayLike, ipvt: ArrayLike, tol: float = 0.0, *, padding: int = 0) -> Covariance:
        n = np.size(ipvt)
        covariance, rank = matrix(r, padding), c_int(UNTOUCHED)
        self.call("covar", n=n, r=covariance, ldr=n + padding, ipvt=vector(ipvt, np.int32), tol=tol, rank=rank,
                  wa=work(n))
        return Covariance(covariance, rank.value)


def answer(callback: Callback, context: int, *arguments: int) -> int:
    return callback.evaluate(*arguments) if context == CONTEXT else WRONG_CONTEXT


def answer_residuals(callback: Callback, context: int, m: int, n: int, x: int, fvec: int, purpose: int) -> int:
    return answer(callback, context, m, n, x, fvec)


c_face = CFace()
