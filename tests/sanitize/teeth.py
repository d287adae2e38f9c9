"""Bugs for the tools of run.py to find: our code is handed memory that is not what it says, and cannot know.

    python tests/sanitize/teeth.py BUG
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import c_double, c_int, c_void_p
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from pyminpack import leastsq

X0 = [1.0, 2.0]


def kernel(name: str) -> Any:
    function = getattr(ctypes.CDLL(os.environ["PYMINPACK_KERNELS"]), f"minpack_{name}")
    function.restype = c_double if name == "enorm" else None
    return function


def address(array: np.ndarray, offset: int = 0) -> c_void_p:
    return c_void_p(array.ctypes.data + offset)


def short_vector_in_Fortran() -> None:
    kernel("enorm")(c_int(9), address(np.ones(8)))


def misaligned_vector_in_Fortran() -> None:
    kernel("enorm")(c_int(7), address(np.ones(8), 1))


def index_out_of_bounds_in_Fortran() -> None:
    """It stays within the memory: only -fcheck=bounds can tell."""
    padded = np.ones(16)
    ipvt = np.array([1, 3], dtype=np.int32)
    vectors = [address(padded.copy()) for _ in range(6)]
    kernel("qrsolv")(c_int(2), address(np.eye(4)), c_int(2), address(ipvt), *vectors)


def short_residuals_in_C() -> None:
    leastsq(lambda x: as_strided(np.ones(8), (9,), (8,)), X0)


def short_Jacobian_in_C() -> None:
    leastsq(lambda x: np.ones(9), X0, Dfun=lambda x: as_strided(np.ones(17), (9, 2), (16, 8)))


def misaligned_state_in_C() -> None:
    kernel("memory")(address(np.ones(99), 1))


def lost_array() -> None:
    """The x that a user keeps, with a reference too many."""
    kept = []
    leastsq(lambda x: (kept.append(x), x - 1)[1], X0)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept[0]))


def unset_vector_in_Fortran() -> None:
    kernel("enorm")(c_int(8), address(np.empty(8)))


def unset_residuals_in_C() -> None:
    leastsq(lambda x: np.empty(8), X0)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
