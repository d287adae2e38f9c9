"""Tests by four threads each at once, and under a free-threaded interpreter the suite as well.

    python tests/parallel/run.py [--quick]

pytest-run-parallel lets each test run in several threads at the same time, and finds by itself which use what threads
share: warnings, output, monkeypatch. What else is left out stands in the tables below, with the reason. Under the GIL
they take turns as often as can be (--quick: some of the files). Under a free-threaded interpreter they run at once,
after all of tests/python by one thread. The exit status is 1 if a test fails, or if anything turned the GIL on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = Path("tests/python")  # from there, as in the names by which pytest knows tests
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
THREADS = 4

# Of these no test is to run in several threads at once.
OF_THEIR_OWN_THREADS = dict.fromkeys(
    ["test_gil.py", "test_threads.py", "test_told_by_threads.py", "test_races.py", "test_greenlets.py"],
    "has threads of its own, and sets how often they take turns",
)
OF_THEIR_OWN_PROCESSES = dict.fromkeys(
    ["test_docs.py", "test_examples.py", "test_extension.py", "test_main.py", "test_memory.py", "test_paths.py",
     "test_typing.py"],
    "runs programs in processes of their own, or measures this one",
)  # fmt: skip
NOT_AT_ONCE = {
    **OF_THEIR_OWN_THREADS,
    **OF_THEIR_OWN_PROCESSES,
    "test_patch.py": "changes SciPy for the whole process",
    "test_check_jacobian.py::test_bad_input_is_refused_by_an_error_that_names_it": "a func counts calls in the table",
    "test_many_points.py": "starts processes of its own by fork, and counts them",
    "test_saved_fits.py::test_a_wrong_entry_is_an_error_or_harmless": "takes 20 s, and shares nothing",
    "test_saved_fits.py::test_random_damage": "likewise",
}

# What cannot run where the interpreter is free-threaded.
NO_ORACLE = "compares with SciPy 1.14.1, which has no free-threaded wheel"
RESIZED = "a NumPy array is resized while it is read: nothing guards that there (docs/threads.md)"
NOT_FREE_THREADED = {
    "test_contract_same.py": NO_ORACLE,
    "test_contract_different.py": NO_ORACLE,
    "test_curve_fit.py": NO_ORACLE,
    "test_patch.py": NO_ORACLE,
    "test_nonfinite.py::test_from_natural_causes_the_bits_are_those_of_scipy_and_recovery_is_silent": NO_ORACLE,
    "test_uncertainty.py::test_the_outputs_of_scipy_will_do": NO_ORACLE,
    "test_docs.py": "the pages' programs need dask, matplotlib and others",
    "test_examples.py": "likewise",
    "test_typing.py": "type checkers look at files, whatever the interpreter",
    "test_greenlets.py": "greenlet turns the GIL on",
    "test_gil.py": "tells when the GIL is given away",
    "test_told_by_threads.py::test_a_jacobian_that_another_thread_changes_while_it_is_copied": RESIZED,
    "test_hostile.py::test_the_result_has_the_bits_of_a_well_behaved_twin_s_if_the_function[is compiled by numba]":
        "Numba has no free-threaded wheel",
    "test_hostile.py::test_the_result_has_the_bits_of_a_well_behaved_twin_s_if_the_function[changes the strides":
        "NumPy 2.4 warns of strides that are set",
}  # fmt: skip

QUICK = ["test_callback.py", "test_doubt.py", "test_levenberg_marquardt.py", "test_nonfinite_raise.py",
         "test_python_kernels.py", "test_typical_x.py"]  # fmt: skip


def run(name: str, *left_out: dict[str, str], files: list[str] | None = None, options: tuple[str, ...] = ()) -> bool:
    """Run pytest without the tests of some tables; whether it passed."""
    tests = [TESTS / file for file in files or [""]]
    names = [TESTS / name for name in dict.fromkeys(name for table in left_out for name in table)]
    reject = [f"--deselect={name}" if "::" in name.name else f"--ignore={name}" for name in names]
    print(f"-- {name}", flush=True)
    command = [sys.executable, "-X", "faulthandler", "-m", "pytest", "-q", "-m", "not slow", *reject, *options, *tests]
    return subprocess.run(command, check=False, cwd=ROOT).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests by several threads each at once.")
    parser.add_argument("--quick", action="store_true", help="some of the files, in half a minute")
    quick = parser.parse_args().quick
    passed = True
    if FREE_THREADED and not quick:
        passed &= run("without the GIL", NOT_FREE_THREADED)
    missing = NOT_FREE_THREADED if FREE_THREADED else {}
    passed &= run(f"each test in {THREADS} threads at once, {'without' if FREE_THREADED else 'with'} the GIL",
                  NOT_AT_ONCE, missing, files=QUICK if quick else None,
                  options=(f"--parallel-threads={THREADS}", "--skip-thread-unsafe=1", "-rfE"))  # fmt: skip
    return not passed


if __name__ == "__main__":
    sys.exit(main())
