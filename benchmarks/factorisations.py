"""QR with column pivoting of one matrix: our qrfac on each instruction set, the original, LAPACK's geqp3."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_double, c_int, c_void_p
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cython_lapack

from helpers.c_face import c_face
from oracles.libminpack import libminpack
from oracles.minpack_calls import Factorisation
from pyminpack import _minpack

Array = NDArray[np.float64]

SIZES = [(200, 5), (200, 8), (1000, 10), (10_000, 10), (200, 12), (500, 20), (100_000, 20), (200, 50), (1000, 50),
         (1000, 100), (300, 300), (2000, 200), (10_000, 200)]  # fmt: skip
OURS = [f"pyminpack, {name}" for name in _minpack.instruction_sets()]
CONTESTANTS = [*OURS, "libminpack1", "geqp3"]


class Contestant:
    """One contestant's arrays; `run` factorises the matrix in place."""

    def __init__(self, name: str, m: int, n: int) -> None:
        self.name = name
        self.matrix = matrix(m, n)
        self.a = aligned(m * n, m * ((n - 1) % 8 + 1)).reshape(n, m).T  # so that panels do not straddle lines
        self.ipvt = np.zeros(n, np.int32)
        self.rdiag, self.acnorm, self.wa = np.zeros((3, n))
        self.run: Callable[[], Any] = getattr(self, name.split(",")[0])(m, n)

    def turn(self, runs: int) -> float:
        """Seconds for that many factorisations, not counting the restoring of the matrix."""
        if self.name in OURS:
            c_face.use_instruction_set(self.name.partition(", ")[2])
        seconds = 0.0
        for _ in range(runs):
            self.a[...] = self.matrix
            self.ipvt[...] = 0
            start = time.perf_counter()
            self.run()
            seconds += time.perf_counter() - start
        self.check()
        return seconds

    def pyminpack(self, m: int, n: int) -> Callable[[], Any]:
        library = c_face.library
        lwork = library.minpack_lwork(m, n)
        self.work = aligned(lwork)
        types = [c_int, c_int, c_void_p, c_int, c_int, *[c_void_p] * 5, c_int]
        function = CFUNCTYPE(None, *types)(("minpack_qrfac", library))
        arrays = addresses(self.ipvt, self.rdiag, self.acnorm, self.wa, self.work)
        arguments = (m, n, self.a.ctypes.data, m, 1, *arrays, lwork)
        return lambda: function(*arguments)

    def libminpack1(self, m: int, n: int) -> Callable[[], Any]:
        function = CFUNCTYPE(None, *[c_void_p] * 10)(("qrfac_", libminpack.library))
        self.numbers = c_int(m), c_int(n), c_int(1)
        rows, columns, pivot = map(ctypes.addressof, self.numbers)
        a, ipvt, *arrays = addresses(self.a, self.ipvt, self.rdiag, self.acnorm, self.wa)
        arguments = (rows, columns, a, rows, pivot, ipvt, columns, *arrays)
        return lambda: function(*arguments)

    def geqp3(self, m: int, n: int) -> Callable[[], Any]:
        self.numbers = c_int(m), c_int(n), c_int(-1), c_int(0)
        rows, columns, lwork, info = map(ctypes.addressof, self.numbers)
        size = c_double()
        a, ipvt, tau = addresses(self.a, self.ipvt, self.rdiag)
        function = geqp3()
        function(rows, columns, a, rows, ipvt, tau, ctypes.addressof(size), lwork, info)
        self.work, self.numbers[2].value = np.zeros(int(size.value)), int(size.value)
        arguments = (rows, columns, a, rows, ipvt, tau, self.work.ctypes.data, lwork, info)
        return lambda: function(*arguments)

    def check(self) -> None:
        """MINPACK's bits; for LAPACK, the same pivots and the same absolute values on R's diagonal."""
        expected = original(*self.a.shape)
        np.testing.assert_array_equal(self.ipvt, expected.ipvt)
        if self.name == "geqp3":
            np.testing.assert_allclose(np.abs(np.diag(self.a)), np.abs(expected.rdiag), rtol=1e-9)
        else:
            assert self.a.tobytes("F") == expected.a.tobytes("F")
            assert self.rdiag.tobytes() == expected.rdiag.tobytes()


def aligned(size: int, at: int = 0) -> Array:
    """Zeros whose element `at` starts a cache line."""
    buffer = np.zeros(size + 8)
    shift = -(buffer.ctypes.data // 8 + at) % 8
    return buffer[shift : shift + size]


def addresses(*arrays: NDArray[Any]) -> list[int]:
    return [array.ctypes.data for array in arrays]


@cache
def geqp3() -> Any:
    """LAPACK's dgeqp3, from SciPy's OpenBLAS."""
    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype, python.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    python.PyCapsule_GetPointer.restype = c_void_p
    python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsule = cython_lapack.__pyx_capi__["dgeqp3"]
    return CFUNCTYPE(None, *[c_void_p] * 9)(python.PyCapsule_GetPointer(capsule, python.PyCapsule_GetName(capsule)))


@cache
def matrix(m: int, n: int) -> Array:
    return np.asfortranarray(np.random.default_rng(m * n).standard_normal((m, n)))


@cache
def original(m: int, n: int) -> Factorisation:
    return libminpack.qrfac(matrix(m, n))
