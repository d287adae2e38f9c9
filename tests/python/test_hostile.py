"""Whatever func and Dfun do, a solve does not crash, corrupt, leak, print, or hide a failure."""

import numpy as np
import pytest

from helpers.isolated import run_isolated
from helpers.marked import marked
from problems.hostile import FAILING, HARMLESS, ROLES
from pyminpack import check_jacobian, kernels, leastsq

pytestmark = pytest.mark.any_numpy


@pytest.mark.parametrize("row", marked(HARMLESS, {
    "is compiled by numba": pytest.mark.others("numba"),
    **dict.fromkeys(["changes the strides of x", "changes the strides of one element"],
                    pytest.mark.needs("numpy<2.4")),  # 2.4 warns of it
}))
def test_the_result_has_the_bits_of_a_well_behaved_twin_s_if_the_function(row):
    run_isolated(f"from problems import hostile; hostile.check({row!r})")


@pytest.mark.parametrize("row", marked(FAILING, {
    "reshapes its result at a garbage collection": pytest.mark.needs("numpy>=2"),  # to 61 dimensions
}))
def test_the_error_comes_from_any_call_at_once_if_the_function(row):
    run_isolated(f"from problems import hostile; hostile.check({row!r})")


@pytest.mark.parametrize("roles", [("func",), ROLES], ids="-".join)
def test_C_functions_are_interrupted_within_one_evaluation(roles):
    run_isolated(f"import signal; from problems import hostile; hostile.check_interrupt({roles}, signal.SIGINT)")


@pytest.mark.parametrize("roles", [("func",), ROLES], ids="-".join)
def test_a_signal_handler_may_call_leastsq_in_the_midst_of_a_solve(roles):
    run_isolated(f"""
import signal
from problems import hostile
def handler(*arguments):
    assert hostile.leastsq(lambda p: p - 3, 1.0)[0] == 3
hostile.check_interrupt({roles}, signal.SIGUSR1, handler)
""")


@pytest.mark.parametrize("role", ROLES)
def test_solves_may_be_nested_50_deep(role):
    run_isolated(f"from problems import hostile; hostile.check_recursion({role!r}, 50)")


@pytest.mark.parametrize(("source", "symptom"), [
    ("import ctypes; ctypes.string_at(0)", "exit code -11\nFatal Python error: Segmentation fault"),
    ("import sys; sys.exit(3)", "exit code 3\n"),
    ("import sys; print('a word', file=sys.stderr)", "exit code 0\na word\n"),
    ("import warnings; warnings.warn('mine')", "exit code 1\n.*UserWarning: mine"),
])  # fmt: skip
def test_what_must_not_happen_is_seen(source, symptom):
    with pytest.raises(AssertionError, match=f"(?s)^{symptom}"):
        run_isolated(source)


def test_what_a_flag_raises_when_its_truth_is_asked_passes_and_no_other_flag_is_asked():
    class Undecided:
        def __bool__(self):
            raise LookupError("undecided")

    class NotAsked:
        __bool__ = pytest.fail

    with pytest.raises(LookupError, match=r"^undecided$"):
        leastsq(pytest.fail, [0.0], full_output=Undecided(), col_deriv=NotAsked())
    with pytest.raises(LookupError, match=r"^undecided$"):
        leastsq(pytest.fail, [0.0], col_deriv=Undecided())


class Mute(ValueError):
    """Of NumPy's kind for ragged lists, and without words."""

    def __str__(self):
        raise LookupError


class Converting:
    """An array that raises as it becomes one."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@pytest.mark.parametrize("error", [Mute(), ValueError("mine")], ids=repr)
@pytest.mark.parametrize("fit", [
    lambda entry: leastsq(lambda p: [entry, 1.0], 1.0),
    lambda entry: leastsq(lambda p: p, 1.0, Dfun=lambda p: [entry]),
    lambda entry: kernels.fdjac2(lambda p: [entry], [1.0], [1.0]),
    lambda entry: check_jacobian(lambda p: [entry], [1.0], np.diag),
    lambda entry: check_jacobian(np.copy, [1.0], lambda p: [entry]),
], ids=["func", "Dfun", "fcn", "check func", "check Dfun"])
def test_what_an_entry_raises_passes_as_the_same_object_though_it_is_a_ValueError(fit, error):
    with pytest.raises(type(error)) as caught:
        fit(Converting(error))
    assert caught.value is error


@pytest.mark.parametrize("error", [Mute(), ValueError("mine")], ids=repr)
def test_what_an_entry_of_x0_raises_passes_as_the_same_object(error):
    with pytest.raises(type(error)) as caught:
        leastsq(pytest.fail, [Converting(error), 1.0])
    assert caught.value is error
