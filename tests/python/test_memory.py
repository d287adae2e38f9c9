"""Memory: a failing allocation is a MemoryError, no call leaves anything behind, a long fit takes what it must."""

import json
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from helpers.isolated import run_isolated
from problems.memory_paths import ERRORS, PATHS, RESULTS
from pyminpack import _minpack

pytestmark = pytest.mark.thread_unsafe(reason="runs programs in processes of their own, or measures this one")

TESTS = Path(__file__).parents[1]
PROCESSES = TESTS / "processes"

# Paths on which others than the extension lose a MemoryError, so that nothing can be told of it.
NOT_STARVED = {
    "residuals are a memoryview": "where NumPy cannot read a buffer's format, it reads its elements one by one",
    **dict.fromkeys(
        ["callback stops", "callback raises", *(name for name in ERRORS if name.startswith("leastsq"))],
        "CPython 3.11 loses it while it makes a traceback",
    ),
}

CALLS = 5_000  # in each of twenty rounds
BYTES = 2**20  # resident memory may grow by; 16 bytes leaked in each call are more
FEW = 20  # blocks or references that come and go by themselves, even in the round with fewest

REPEATED = [
    "leastsq",
    "leastsq, full",
    "leastsq, Dfun",
    "leastsq, Dfun, full",
    "leastsq, improper input",
    "leastsq, improper input, full",
    "leastsq, func raises",
    "leastsq, residuals change size",
    "leastsq, residuals are complex",
    "leastsq, Jacobian is a vector",
    "diag is a list",
    "diag is too short",
    "x is kept",
    "args",
    "residuals are a list",
    "residuals are Fractions in a list",
    "residuals are a list with None",
    "residuals are masked",
    "lmder, wrong sign",
    "lmder, a zero column",
    "start is None",
    "callback",
    "callback keeps what it is given",
    "callback stops",
    "callback raises",
    "vectorized",
    "workers",
    "workers are too few",
    "workers return text",
    "leastsq, NaN is refused",
    "told, diag and typical_x",
    "told, Jacobian",
    "told, attributes",
    "told a Jacobian with None",
    "told too few residuals",
    "saved",
    "restored",
    "restored, ipvt is no permutation",
    "restored, attributes",
    "qrfac",
    "lmpar",
    "fdjac2",
    "fdjac2, fcn raises",
    "ipvt is no permutation",
]


def run(*command, path=()):
    """The standard output of a command that must succeed; `path` goes before what PYTHONPATH has."""
    python_path = os.pathsep.join(map(str, [*path, *filter(None, [os.environ.get("PYTHONPATH")])]))
    process = subprocess.run(
        list(map(str, command)), env={**os.environ, "PYTHONPATH": python_path}, capture_output=True, text=True
    )
    assert process.returncode == 0, f"{process.returncode}: {process.stderr}"
    return process.stdout


def in_own_process(*arguments, path=()):
    """What starve_and_repeat.py finds."""
    return json.loads(run(sys.executable, PROCESSES / "starve_and_repeat.py", *arguments, path=[TESTS, *path]))


@pytest.fixture(scope="module")
def failing_allocator(tmp_path_factory):
    """The folder of the compiled module of that name."""
    folder = tmp_path_factory.mktemp("failing_allocator")
    includes = [f"-I{sysconfig.get_path('include')}", "-isystem", np.get_include()]
    source, module = PROCESSES / "failing_allocator.c", folder / "failing_allocator.so"
    run("cc", "-std=c11", "-O1", "-shared", "-fPIC", *includes, source, "-o", module)
    return folder


@pytest.mark.parametrize("name", RESULTS)
def test_these_paths_return(name):
    assert isinstance(RESULTS[name](), tuple | np.ndarray | float | dict)


@pytest.mark.parametrize("name", ERRORS)
def test_these_paths_raise(name):
    error, path = ERRORS[name]
    with pytest.raises(error) as caught:
        path()
    assert caught.type is error


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PATHS if name not in NOT_STARVED])
def test_a_failing_allocation_is_a_MemoryError_without_a_leak(name, failing_allocator):
    for rows in in_own_process("starve", name, path=[failing_allocator]):
        outcomes, leaks, same_afterwards = zip(*rows, strict=True)
        assert len(rows) > 1
        assert list(outcomes) == ["MemoryError"] * (len(rows) - 1) + ["as ever"]
        assert not any(leaks)
        assert all(same_afterwards)


@pytest.mark.slow
@pytest.mark.parametrize("name", REPEATED)
def test_many_calls_do_not_grow(name):
    growth = in_own_process("repeat", name, CALLS)
    assert growth["bytes"] < BYTES
    assert growth["blocks"] < FEW
    assert abs(growth["references"]) < FEW


# In a process of its own: the peak counts what other threads, such as those of pytest-xdist, allocate meanwhile.
PEAK = """
import tracemalloc
import numpy as np
from pyminpack import leastsq

m, n = 100_000, 10
t = np.linspace(0, 1, m)
fvec, fjac = np.empty(m), t ** np.arange(n)[:, None]
options = {"Dfun": lambda x: fjac, "col_deriv": True} if {with_Dfun} else {}
tracemalloc.start()
leastsq(lambda x: np.subtract(np.matmul(x, fjac, out=fvec), 1, out=fvec), np.ones(n), full_output=True, **options)
peak = tracemalloc.get_traced_memory()[1]
assert peak < (n + 2) * fvec.nbytes + 50_000, peak
"""


@pytest.mark.slow
@pytest.mark.parametrize("with_Dfun", [False, True], ids=["differences", "Dfun"])
def test_a_long_fit_takes_the_jacobian_and_two_vectors(with_Dfun):
    run_isolated(PEAK.replace("{with_Dfun}", str(with_Dfun)))


# Whose malloc it is: sanitizers and valgrind put theirs in its place by LD_PRELOAD.
GLIBCS_MALLOC = platform.libc_ver()[0] == "glibc" and not any(
    name == "LD_PRELOAD" or name.startswith("MALLOC_") or "glibc.malloc" in value for name, value in os.environ.items()
)
FAULTS = 20  # a fit gives hundreds back where malloc does not keep its memory


@pytest.mark.skipif(not GLIBCS_MALLOC, reason="another malloc, or other settings of it")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("fit", "m", "n"), [
    ("differences", 16_000, 1),
    ("differences", 10_000, 2),
    ("Dfun", 50_000, 2),
    ("one iteration", 16_384, 9),
    ("one iteration", 200_000, 2),
    ("told", 10_000, 3),
    ("curve_fit", 30_000, 2),
    ("original", 10_000, 8),
])  # fmt: skip
def test_a_fit_has_its_memory_from_the_one_before(fit, m, n, threads):
    if fit == "original" and fit not in _minpack.solvers():
        pytest.skip("not in this build")
    faults = float(run(sys.executable, PROCESSES / "page_faults.py", fit, m, n, threads))
    assert faults < FAULTS
