"""pytest plugin of run.py: which tests run, and that they run on the right libraries.

Use: ``python -m pytest -p selection --select PART``. An entry below that fits no test any more is an error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import pyminpack._minpack

# By part of run.py and the start of FILE::TEST[CASE]: what it leaves out, and why.
LEFT_OUT = {
    "address": {
        "test_contract_different.py::test_what_does_not_fit": "the sanitizers need more address space than it allows",
        "test_extension.py::test_it_needs_no_library_but_libc_and_libm": "here it needs libgfortran and the sanitizers",
        "test_extension.py::test_it_has_no_state": "AddressSanitizer adds its own, a symbol for each variable",
        "test_greenlets.py": "a greenlet copies its stack, with what AddressSanitizer guards there",
        "test_hostile.py::test_what_must_not_happen_is_seen": "it crashes by intention",
        "test_memory.py::test_many_calls_do_not_grow": "what is freed stays resident a while; leaks.py is stricter",
        "test_typing.py": "mypy reads our stubs: nothing of ours runs",
    },
    "valgrind": {
        "test_routines.py::test_enorm_of_random_vectors": "minutes there, for no line that the others leave out",
        "test_c_face.py::test_random_functions_with_special_answers": "the same",
        "test_contract_different.py::test_difference[cov_x-overflow]": "it has no flag of overflow for NumPy",
        "test_python_kernels.py::test_each_name_runs_its_own_solver": "the same flag",
        "test_python_kernels.py::test_the_variable_chooses_in_each_call": "the same flag",
    },
}

# What it takes, where that is little: how many cases of each test, spread evenly over all it has. valgrind slows Python
# down fifty times and does not follow into other processes; run.py measures how much of our code these execute.
TAKEN = {
    "valgrind": {
        "test_c_face.py": 4,
        "test_callback.py": 2,
        "test_contract_different.py::test_difference": 200,
        "test_doubt.py::test_a_failure_from_a_tiny_start": 2,
        "test_doubt.py::test_the_least_value_of_a_function": 2,
        "test_doubt.py::test_zero_columns_of_Dfun": 2,
        "test_gil.py::test_however_a_large_jacobian_is_copied": 2,
        "test_levenberg_marquardt.py": 3,
        "test_many_points.py::test_what_it_may_return": 4,
        "test_memory.py::test_these_paths": 100,
        "test_mgh.py::test_kernels_equal": 4,
        "test_mgh.py::test_leastsq_equals": 4,
        "test_nonfinite.py::test_a_factor_or_a_diag": 6,
        "test_nonfinite.py::test_an_x_that_is_not_finite": 6,
        "test_nonfinite.py::test_of_a_start": 6,
        "test_python_kernels.py": 60,
        "test_returned.py": 8,
        "test_routines.py": 4,
        "test_routines.py::test_qrfac_of_larger_matrices": 40,
        "test_saved_fits.py::test_a_copy_is_as_the_fit": 2,
        "test_saved_fits.py::test_it_says_what_is_wrong": 30,
        "test_saved_fits.py::test_subclasses": 2,
        "test_solvers.py": 4,
        "test_typical_x.py::test_what_is_not": 8,
        "test_told_by_threads.py::test_nor_may_what_is_told": 2,
    },
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--select", choices=[*LEFT_OUT, *TAKEN], required=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    taken = TAKEN.get(config.getoption("--select"), {})
    files = {entry.partition("::")[0] for entry in taken}
    return True if taken and collection_path.is_file() and collection_path.name not in files else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.getoption("--select")
    left_out, taken = LEFT_OUT.get(part, {}), TAKEN.get(part, {"": sys.maxsize})
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        if not full_name(item).startswith(tuple(left_out)):
            tests.setdefault(full_name(item).partition("[")[0], []).append(item)
    for entry in [*left_out, *taken]:
        if not any(full_name(item).startswith(entry) for item in items):
            raise pytest.UsageError(f"no test is named {entry}, as {Path(__file__).name} says")
    selected = [
        item
        for entry, most in taken.items()
        for test, cases in tests.items()
        if test.startswith(entry)
        for item in spread(cases, most)
    ]
    config.hook.pytest_deselected(items=list(set(items) - set(selected)))
    items[:] = dict.fromkeys(selected)


def full_name(item: pytest.Item) -> str:
    """FILE::TEST[CASE]"""
    return f"{item.path.name}::{item.nodeid.partition('::')[2]}"


def spread(cases: list[pytest.Item], most: int) -> list[pytest.Item]:
    """At most so many of the cases, the first and the last among them."""
    if len(cases) <= most:
        return cases
    return [cases[i * (len(cases) - 1) // (most - 1)] for i in range(most)]


def pytest_sessionfinish() -> None:
    """What was to be watched was not loaded from elsewhere."""
    kernels, extension = Path(os.environ["PYMINPACK_KERNELS"]), Path(pyminpack._minpack.__file__)
    files = map(Path, Path("/proc/self/maps").read_text().split())
    loaded = {file for file in files if (file.parent.name, file.name) in (tail(kernels), tail(extension))}
    if loaded != {kernels, extension} or kernels.parent.parent not in extension.parents:
        raise RuntimeError(f"these libraries were loaded: {sorted(map(str, loaded))}")


def tail(file: Path) -> tuple[str, str]:
    return file.parent.name, file.name
