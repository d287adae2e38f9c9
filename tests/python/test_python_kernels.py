"""pyminpack.kernels: what its functions take, refuse, call and leave alone, and how a solver is chosen.

That they have the bits of the original is tested in test_routines.
"""

from __future__ import annotations

import ctypes
import itertools
import weakref

import numpy as np
import pytest

from helpers.bits import assert_same_bits
from helpers.marked import marked
from pyminpack import _minpack, kernels, leastsq

pytestmark = pytest.mark.any_numpy

every_solver = pytest.mark.parametrize("solver", _minpack.solvers())
ROUTINES = [name for name in kernels.__all__ if name.islower()]


# Inputs

R, IPVT, DIAG, QTB = [[3.0, 1.0], [9.0, 2.0]], [2, 1], [1.0, 2.0], [5.0, 4.0]
X, FVEC, FJAC = [1.0, 2.0], [2.0, 4.0, 3.0], [[2.0, 1.0], [0.0, 4.0], [1.0, 1.0]]


def functions(x):
    return np.array([x[0] * x[1], x[1] ** 2, x[0] + x[1]])


CALLS = {  # the arguments, arrays as lists, of a call that works
    "enorm": [X],
    "qrfac": [FJAC],
    "qrsolv": [R, IPVT, DIAG, QTB],
    "lmpar": [R, IPVT, DIAG, QTB, 0.5, 0.1],
    "fdjac2": [functions, X, FVEC, 1e-8],
    "chkder": [X, FVEC, FJAC, [2.125, 4.25, 3.125], 2],
    "covar": [R, IPVT, 0.0],
}
every_routine = pytest.mark.parametrize("routine", CALLS)

LAYOUTS = {
    "by rows": lambda a: np.array(a, order="C"),
    "by columns": lambda a: np.array(a, order="F"),
    "spread": lambda a: np.repeat(np.repeat([a], 2, axis=0), 2, axis=-1)[0, ..., ::2],
    "backwards": lambda a: np.array(a)[::-1].copy()[::-1],
    "big-endian": lambda a: np.array(a).astype(np.array(a).dtype.newbyteorder(">")),
    "narrow": lambda a: np.array(a).astype(np.float16 if np.array(a).dtype == float else np.int8),
    "a subclass": lambda a: np.ma.array(a),
}


def outputs(result):
    return [np.asarray(output) for output in (result if isinstance(result, tuple) else [result])]


def test_every_routine_is_tried_here():
    assert set(CALLS) == set(ROUTINES)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@every_routine
def test_inputs_of_any_layout_give_the_same_bits_and_are_not_changed(routine, layout):
    expected = outputs(getattr(kernels, routine)(*CALLS[routine]))
    arguments = [layout(value) if isinstance(value, list) else value for value in CALLS[routine]]
    before = [value.tobytes() if isinstance(value, np.ndarray) else value for value in arguments]
    for value in arguments:
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    for actual, wanted in zip(outputs(getattr(kernels, routine)(*arguments)), expected, strict=True):
        assert_same_bits(actual, wanted)
    assert [value.tobytes() if isinstance(value, np.ndarray) else value for value in arguments] == before


@every_routine
def test_no_output_shares_memory_with_an_input(routine):
    arguments = [np.asfortranarray(value) if isinstance(value, list) else value for value in CALLS[routine]]
    for output, value in itertools.product(outputs(getattr(kernels, routine)(*arguments)), arguments):
        assert not (isinstance(value, np.ndarray) and np.shares_memory(output, value))


def broadcast(*shape):
    """An array of any size that takes no memory."""
    return np.broadcast_to(0.0, shape)


def changed(routine, position, value):
    """The arguments of a call of which one is wrong."""
    arguments = list(CALLS[routine])
    arguments[position] = value
    return routine, arguments


ERRORS = {
    "enorm: x has 2 dimensions; expected 1": (ValueError, changed("enorm", 0, [[1.0]])),
    "enorm: x has 0 dimensions; expected 1": (ValueError, changed("enorm", 0, 1.0)),
    "enorm: x is empty; expected at least one element": (ValueError, changed("enorm", 0, [])),
    "enorm: x is an array of dtype complex128; expected real numbers that cast safely to float64":
        (TypeError, changed("enorm", 0, np.array([1j]))),
    "enorm: x is a list whose entry [0] is of type complex; expected real": (TypeError, changed("enorm", 0, [1j])),
    "enorm: x is a list whose entry [0] is None; expected real": (TypeError, changed("enorm", 0, [None])),
    "enorm: x is None; expected real numbers that cast safely to float64": (TypeError, changed("enorm", 0, None)),
    "enorm: x is a list whose entry [0] is of type str; expected real": (TypeError, changed("enorm", 0, ["1"])),
    "enorm: x is a list that makes no array: setting an": (ValueError, changed("enorm", 0, [[1.0], [1, 2]])),
    "enorm: dimension 0 of x is 3000000000; expected at most 2147483583":
        (OverflowError, changed("enorm", 0, broadcast(3 * 10**9))),
    "qrfac: a has 1 dimensions; expected 2": (ValueError, changed("qrfac", 0, X)),
    "qrfac: a is empty": (ValueError, changed("qrfac", 0, np.zeros((0, 3)))),
    "qrfac: dimension 1 of a is 2147483647": (OverflowError, changed("qrfac", 0, broadcast(1, 2**31 - 1))),
    "qrsolv: r has shape (3, 2); expected a square matrix": (ValueError, changed("qrsolv", 0, FJAC)),
    "qrsolv: ipvt has length 3; expected 2, as r has columns": (ValueError, changed("qrsolv", 1, [1, 2, 3])),
    "qrsolv: ipvt has 2 dimensions; expected 1": (ValueError, changed("qrsolv", 1, [[1, 2]])),
    "qrsolv: ipvt[0] is 0; expected each of 1 to 2 once, as MINPACK counts":
        (ValueError, changed("qrsolv", 1, [0, 1])),
    "qrsolv: ipvt[1] is 3; expected": (ValueError, changed("qrsolv", 1, [1, 3])),
    "qrsolv: ipvt[0] is -1; expected": (ValueError, changed("qrsolv", 1, [-1, 1])),
    "qrsolv: ipvt[1] is 4294967297; expected": (ValueError, changed("qrsolv", 1, [2, 2**32 + 1])),
    "qrsolv: ipvt[1] is 2; expected each of 1 to 2 once": (ValueError, changed("qrsolv", 1, [2, 2])),
    "qrsolv: ipvt has dtype float64; expected integers": (TypeError, changed("qrsolv", 1, [1.0, 2.0])),
    "qrsolv: ipvt has dtype bool; expected integers": (TypeError, changed("qrsolv", 1, [True, True])),
    "qrsolv: ipvt[1] is 18446744073709551615; expected each":
        (ValueError, changed("qrsolv", 1, np.array([1, 2**64 - 1], np.uint64))),
    "qrsolv: diag has length 1; expected 2, as r has columns": (ValueError, changed("qrsolv", 2, [1.0])),
    "qrsolv: qtb has length 3; expected 2, as r has columns": (ValueError, changed("qrsolv", 3, FVEC)),
    "lmpar: r has shape (3, 2); expected a square matrix": (ValueError, changed("lmpar", 0, FJAC)),
    "lmpar: ipvt[0] is 7; expected": (ValueError, changed("lmpar", 1, [7, 1])),
    "lmpar: delta must be a real number, not str": (TypeError, changed("lmpar", 4, "1")),
    "lmpar: par must be a real number, not list": (TypeError, changed("lmpar", 5, [1.0])),
    "lmpar: par is too large; expected a float64": (OverflowError, changed("lmpar", 5, 10**400)),
    "fdjac2: fcn must be callable, not list": (TypeError, changed("fdjac2", 0, X)),
    "fdjac2: x has 2 dimensions; expected 1": (ValueError, changed("fdjac2", 1, [X])),
    "fdjac2: fvec is a list whose entry [0] is of type complex": (TypeError, changed("fdjac2", 2, [1j])),
    "fdjac2: epsfcn must be a real number, not NoneType": (TypeError, changed("fdjac2", 3, None)),
    "fdjac2: fcn 'functions' returned 3 residuals; expected 2, as fvec has":
        (ValueError, changed("fdjac2", 2, X)),
    "chkder: mode 1 takes x alone": (TypeError, changed("chkder", 4, 1)),
    "chkder: mode 2 needs fvec, fjac and fvecp": (TypeError, changed("chkder", 2, None)),
    "chkder: mode is 3; expected 1 or 2": (ValueError, changed("chkder", 4, 3)),
    "chkder: fjac has shape (2, 2); expected (3, 2), by the lengths of fvec and x":
        (ValueError, changed("chkder", 2, R)),
    "chkder: fvecp has length 2; expected 3, as fvec": (ValueError, changed("chkder", 3, X)),
    "covar: r has shape (3, 2); expected a square matrix": (ValueError, changed("covar", 0, FJAC)),
    "covar: ipvt[1] is 1; expected each of 1 to 2 once": (ValueError, changed("covar", 1, [1, 1])),
    "covar: tol must be a real number, not str": (TypeError, changed("covar", 2, "0")),
}


@pytest.mark.parametrize("text", marked(ERRORS, dict.fromkeys([
    "enorm: x is a list that makes no array: setting an",
], pytest.mark.needs("numpy>=1.24"))))  # which makes no array of objects of a ragged list
def test_bad_input_is_refused_by_an_error_that_names_the_argument(text):
    error, (routine, arguments) = ERRORS[text]
    with pytest.raises(error) as caught:
        getattr(kernels, routine)(*arguments)
    assert caught.type is error
    assert str(caught.value).startswith(text)


# The function that fdjac2 calls


class Own(BaseException):
    """An exception that nobody else raises."""


@every_solver
@pytest.mark.parametrize("at", [1, 2])
def test_what_fcn_raises_passes_unchanged_and_ends_the_calls(at, solver):
    calls, error = itertools.count(1), Own()
    counted = []

    def failing(x):
        counted.append(1)
        if next(calls) == at:
            raise error
        return functions(x)

    with pytest.raises(Own) as caught:
        kernels.fdjac2(failing, X, FVEC, solver=solver)
    assert caught.value is error
    assert len(counted) == at


@every_solver
def test_fcn_may_call_the_routines_and_leastsq(solver):
    def nested(x):
        assert leastsq(lambda p: p - 3.0, [0.0])[0] == pytest.approx(3.0)
        inner = kernels.fdjac2(functions, x, functions(x), solver=solver)
        assert_same_bits(inner, kernels.fdjac2(functions, x, functions(x), solver="builtin"))
        return functions(x)

    assert_same_bits(kernels.fdjac2(nested, X, FVEC, solver=solver), kernels.fdjac2(functions, X, FVEC))


@every_solver
def test_what_fcn_does_to_its_x_has_no_effect(solver):
    def spoiling(x):
        values = functions(x)
        x[:] = np.nan
        return values

    assert_same_bits(kernels.fdjac2(spoiling, X, FVEC, solver=solver), kernels.fdjac2(functions, X, FVEC))


def test_fcn_is_let_go():
    class Function:
        def __call__(self, x):
            return functions(x)

    function = Function()
    gone = weakref.ref(function)
    kernels.fdjac2(function, X, FVEC)
    del function
    assert gone() is None


# The keyword solver

FE_OVERFLOW = 8  # on x86


def overflows(call):
    """Whether a call raises the processor's flag of overflow."""
    libm = ctypes.CDLL("libm.so.6")
    libm.feclearexcept(FE_OVERFLOW)
    call()
    return libm.fetestexcept(FE_OVERFLOW) != 0


@every_solver
def test_each_name_runs_its_own_solver(solver):
    """They differ in nothing but the flags: ours squares before it knows what overflows."""
    assert overflows(lambda: kernels.enorm([1.0, 1e200], solver=solver)) == (solver == "builtin")


@every_solver
def test_the_variable_chooses_in_each_call_and_the_keyword_wins(solver, monkeypatch):
    monkeypatch.setenv("PYMINPACK_SOLVER", solver)
    assert overflows(lambda: kernels.enorm([1.0, 1e200])) == (solver == "builtin")
    assert overflows(lambda: kernels.enorm([1.0, 1e200], solver="builtin"))
    monkeypatch.setenv("PYMINPACK_SOLVER", "")
    assert overflows(lambda: kernels.enorm([1.0, 1e200]))


@pytest.mark.parametrize("routine", CALLS)
def test_another_solver_is_refused_by_every_routine(routine):
    with pytest.raises(ValueError, match=rf"^{routine}: solver is 'other'; expected 'builtin' or 'original'$"):
        getattr(kernels, routine)(*CALLS[routine], solver="other")


def test_a_wrong_variable_is_named_as_the_cause(monkeypatch):
    monkeypatch.setenv("PYMINPACK_SOLVER", "ours")
    with pytest.raises(ValueError, match=r"^enorm: PYMINPACK_SOLVER is 'ours'; expected 'builtin' or 'original'$"):
        kernels.enorm(X)


def test_the_original_has_no_covar_and_the_variable_does_not_ask_for_it(monkeypatch):
    with pytest.raises(NotImplementedError, match=r"^covar: solver is 'original', which has no such routine$"):
        kernels.covar(*CALLS["covar"], solver="original")
    monkeypatch.setenv("PYMINPACK_SOLVER", "original")
    assert kernels.covar(*CALLS["covar"]).rank == 2


@every_routine
def test_the_extension_counts_its_arguments(routine):
    with pytest.raises(TypeError, match=rf"^{routine}\(\) takes \d arguments \(0 given\)$"):
        getattr(_minpack, routine)()
