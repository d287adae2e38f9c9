"""What run.py asks of a build, in a process of its own that imports it: prints JSON.

    fits, calls     how many of FITS random fits and CALLS batches of calls of single routines differ from
                    libminpack.so.1, on any instruction set
    state           what importing and fitting has changed of the floating-point state
    sees nan        whether a NaN from func is still noticed
    threads         whether two threads that factorise at the same time leave each other alone
    original        what solver="original" gives: the bits of "builtin", or an ImportError that says how to get it
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

FITS, CALLS = 300, 60


def floating_point_state() -> dict[str, Any]:
    """What a program can tell of it, and the control registers of x86-64."""
    libm = ctypes.CDLL("libm.so.6")
    environment = ctypes.create_string_buffer(1024)  # a fenv_t is 32 bytes there
    assert libm.fegetenv(environment) == 0
    tiny = np.array([1e-310, 2.2250738585072014e-308])
    state = {"denormals": [x.hex() for x in (tiny * np.array([1.0, 0.5])).tolist()], "rounding": libm.fegetround()}
    if np._core._multiarray_umath.__cpu_baseline__[:1] == ["SSE"]:
        # Without the flags of exceptions, which are not promised.
        state["x87"] = int.from_bytes(environment[0:2], "little")
        state["mxcsr"] = int.from_bytes(environment[28:32], "little") & ~0x3F
    return state


def changes_of_state() -> list[str]:
    before = floating_point_state()
    import pyminpack

    imported = floating_point_state()
    pyminpack.leastsq(lambda x: x**2 - np.arange(3), np.ones(3), full_output=True)
    after = floating_point_state()
    return [f"{name}: {before[name]} -> {imported[name]} -> {after[name]}"
            for name in before if not before[name] == imported[name] == after[name]]  # fmt: skip


def sees_nan() -> bool:
    import pyminpack

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pyminpack.leastsq(lambda x: np.full(3, np.nan), np.ones(3))
    return len(caught) == 1


def threads() -> bool:
    from helpers.c_face import c_face

    rng = np.random.default_rng(0)
    matrices = [rng.standard_normal((5000, n)) for n in (6, 7)]

    def work(a: Any) -> set[bytes]:
        return {c_face.qrfac(a).rdiag.tobytes() for _ in range(200)}

    alone = [{c_face.qrfac(a).rdiag.tobytes()} for a in matrices]
    with ThreadPoolExecutor() as pool:
        return list(pool.map(work, matrices)) == alone


def different(strategy: Any, number: int) -> int:
    """How many of so many random cases differ on any instruction set of this machine."""
    from hypothesis import HealthCheck, given, settings

    from fuzz.cases import Mismatch
    from helpers.c_face import c_face
    from pyminpack import _minpack

    count = [0, 0]  # cases, different ones

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def test(case: Any) -> None:
        count[0] += 1
        try:
            for name in _minpack.instruction_sets():
                c_face.use_instruction_set(name)
                case.check()
        except Mismatch:
            count[1] += 1

    rng = random.Random(0)
    with np.errstate(all="ignore"):
        while count[0] < number:
            test.hypothesis.fuzz_one_input(rng.randbytes(1000))
    return count[1]


def original() -> str:
    """One of "same bits", "other bits", "not in the build", or the wrong text of the error."""
    import pyminpack

    def fit(solver: Any) -> bytes:
        return pyminpack.leastsq(lambda x: np.exp(x) - np.arange(1, 4), np.ones(3), solver=solver)[0].tobytes()

    try:
        return "same bits" if fit("original") == fit("builtin") else "other bits"
    except ImportError as error:
        os.environ["PYMINPACK_SOLVER"] = "original"
        try:
            fit(None)
        except ImportError as by_variable:
            texts = str(error), str(by_variable).replace("PYMINPACK_SOLVER", "solver")
            if texts[0] == texts[1] and re.match(r"leastsq: solver is 'original', which .* minpack-dev .* or with -C",
                                                 texts[0]):  # fmt: skip
                return "not in the build"
        return f"{error}"


def main() -> None:
    found: dict[str, Any] = {"state": changes_of_state(), "sees nan": sees_nan(), "threads": threads(),
                             "original": original()}  # fmt: skip
    from fuzz import strategies

    found["fits"] = different(strategies.solves(), FITS)
    found["calls"] = different(strategies.batches(), CALLS)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
