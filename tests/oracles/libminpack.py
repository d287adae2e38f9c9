"""The oracle: the original MINPACK, Debian's libminpack.so.1. See `minpack_calls` for the interface."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_double, c_int, c_void_p
from functools import cached_property, partial
from typing import Any

from oracles.minpack_calls import Callback, Minpack

INT = POINTER(c_int)
RESIDUALS = CFUNCTYPE(None, INT, INT, c_void_p, c_void_p, INT)
RESIDUALS_OR_JACOBIAN = CFUNCTYPE(None, INT, INT, c_void_p, c_void_p, c_void_p, INT, INT)


class LibMinpack(Minpack):
    """Every argument by reference; one function for both residuals and Jacobian."""

    @cached_property
    def library(self) -> ctypes.CDLL:
        return ctypes.CDLL("libminpack.so.1")

    def routine(self, name: str) -> Any:
        return getattr(self.library, f"{name}_")

    def scalar(self, value: c_int | c_double) -> Any:
        return ctypes.byref(value)

    def fcn(self, residuals: Callback, jacobian: Callback | None) -> list[Any]:
        if jacobian is None:
            return [RESIDUALS(partial(answer, residuals))]
        return [RESIDUALS_OR_JACOBIAN(partial(answer_either, residuals, jacobian))]


def answer(residuals: Callback, m: Any, n: Any, x: int, fvec: int, iflag: Any) -> None:
    iflag[0] = residuals.evaluate(m[0], n[0], x, fvec)


def answer_either(residuals: Callback, jacobian: Callback, m: Any, n: Any, x: int, fvec: int, fjac: int, ldfjac: Any,
                  iflag: Any) -> None:
    """In: iflag 1 asks for residuals, 2 for the Jacobian."""
    if iflag[0] == 1:
        iflag[0] = residuals.evaluate(m[0], n[0], x, fvec)
    else:
        iflag[0] = jacobian.evaluate(m[0], n[0], x, fjac, ldfjac[0])


libminpack = LibMinpack()
