"""The speed of enorm on each kind of vector, against the original's; see test_fits.py."""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections.abc import Callable
from ctypes import c_double, c_int, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.c_face import c_face
from oracles.libminpack import libminpack

SIZES = [3, 10, 50, 200, 1000, 10_000, 100_000]
SHARE = 0.4  # of the time budget of a fit


def normal(n: int) -> Any:
    return np.random.default_rng(n).standard_normal(n)


def one_nan(n: int) -> Any:
    x = normal(n)
    x[n // 2] = np.nan
    return x


# The tail is a peak's column: from 1e-237 to 1 and back.
KINDS: dict[str, Callable[[int], Any]] = {
    "plain": normal,
    "Gaussian tail": lambda n: np.exp(-(np.linspace(-33, 33, n) ** 2) / 2),
    "plain and zeros": lambda n: normal(n) * (np.arange(n) < n / 10),
    "all small": lambda n: 1e-25 * normal(n),
    "all large": lambda n: 1e25 * normal(n),
    "one NaN": one_nan,
    "all NaN": lambda n: np.full(n, np.nan),
    "zero": np.zeros,
    "one small": lambda n: np.where(np.arange(n) == n // 2, 1e-25, normal(n)),
    "large and small": lambda n: normal(n) * np.where(np.arange(n) % 2, 1e25, 1e-25),
}


@pytest.fixture(scope="module")
def repeat(tmp_path_factory):
    """The library of repeat.c."""
    library = tmp_path_factory.mktemp("repeat") / "repeat.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", Path(__file__).with_name("repeat.c"), "-o", library], check=True)
    return ctypes.CDLL(str(library))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_enorm(measure, repeat, kind, n):
    x = np.ascontiguousarray(KINDS[kind](n))
    expected = libminpack.enorm(x)

    def turn(function: Any, enorm: Any) -> Callable[[int], float]:
        function.restype, function.argtypes = c_double, [c_void_p, c_int, c_void_p, c_int]
        address = ctypes.cast(enorm, c_void_p)

        def run(runs: int) -> float:
            start = time.thread_time()
            norm = function(address, n, x.ctypes.data, runs)
            seconds = time.thread_time() - start
            assert_same_bits(norm, expected)
            return seconds

        return run

    measure({
        "pyminpack": turn(repeat.repeat_by_value, c_face.library.minpack_enorm),
        "libminpack1": turn(repeat.repeat_by_reference, libminpack.library.enorm_),
    }, share=SHARE, row=kind, n=n)  # fmt: skip
