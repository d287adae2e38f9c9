"""The build with -Dchecks=true: each of its conditions ends a process whose data break it, and lets right data through.

`./dev checks` runs random cases on this build, which no condition may end.
"""

import os
import subprocess
import sys

import pytest

from helpers.build import build_with_checks

# NumPy arrays become pointers, integers int, floats double.
CALL = """
import ctypes, sys
import numpy as np
library = ctypes.CDLL(sys.argv[1])

def call(routine, *arguments):
    kinds = {int: ctypes.c_int, float: ctypes.c_double, np.ndarray: lambda a: ctypes.c_void_p(a.ctypes.data)}
    function = library["minpack_" + routine]
    function.restype = ctypes.c_int64
    return function(*[kinds.get(type(a), lambda a: a)(a) for a in arguments])

def integers(*values):
    return np.array(values, np.int32)

def matrix(*rows):
    return np.array(rows, float, order="F")

def before(r):
    return ctypes.c_int64(call("check_fingerprint", len(r), r, len(r)))

nan = np.nan
R = matrix([3, 1], [0, 2])                              # a QR factorisation's, with its columns' norms
NORMS = np.array([5 ** 0.5, 3])[[1, 0]]
D, P, S = np.array([4.0, 0]), integers(1, 2), np.array([5.0, 2.0])
"""

SIZES = "call('check_sizes', {})"
QRFAC = "call('check_qrfac', 2, 2, {a}, 2, {pivot}, {ipvt}, np.array([{rdiag}]), np.array([{acnorm}]))"
QRSOLV = "r = matrix([3, 1], [{s}, 2]); h = before(r); r[{changed}] += {by}; " \
    "call('check_qrsolv', 2, r, 2, integers({ipvt}), np.array([4., 0]), np.array([{sdiag}]), h)"  # fmt: skip
LMPAR = "call('check_lmpar', {})"
COVAR = "call('check_covar', 2, matrix({r}), 2, integers({ipvt}), {rank})"
LM = "call('check_lm', {})"
TRIAL = "call('check_trial', 2, np.array([1., 2]), np.array([{diag}]), integers({ipvt}), np.array([.5, {p}]), " \
    "np.array([1.5, 2]))"  # fmt: skip
qrfac = {"a": "matrix([0, 1], [0, 0])", "pivot": "1", "ipvt": "integers(2, 1)", "rdiag": "-3., 2", "acnorm": "5**.5, 3"}
qrsolv = {"s": "0.6", "changed": "0, 0", "by": "0", "ipvt": "1, 2", "sdiag": "5., 2.1540659228538015"}
covar = {"r": "[2, 1], [1, 2]", "ipvt": "2, 1", "rank": "2"}
trial = {"diag": "1., 1", "ipvt": "2, 1", "p": "0"}
RIGHT = [
    SIZES.format("3, 2, 3, 2, 2"),
    QRFAC.format_map(qrfac),
    QRFAC.format_map(qrfac | {"rdiag": "nan, nan", "acnorm": "nan, 3"}),
    QRFAC.format_map(qrfac | {"pivot": "0", "ipvt": "integers(9, 9)", "acnorm": "3., 5**.5"}),
    QRSOLV.format_map(qrsolv),
    QRSOLV.format_map(qrsolv | {"changed": "1, 0"}),
    QRSOLV.format_map(qrsolv | {"sdiag": "nan, nan"}),
    *[LMPAR.format(values) for values in
      ("1.0999, 1., 0., 0., 0", "0., 1., 0., 0., 0", "0.9, 1., 2., 1., 0", "1.0999, 1., 2., 1., 0", "2., 1., 2., 1., 1",
       "0.5, 1., 2., 0., 0", "nan, 1., 2., 1., 0", "2., nan, 2., 1., 0")],
    COVAR.format_map(covar),
    COVAR.format_map(covar | {"r": "[0, 0], [0, 2]", "rank": "1"}),
    COVAR.format_map(covar | {"r": "[nan, nan], [nan, nan]"}),
    LM.format("2, 4, 0, 0, 1., 1., 1., 0."),
    LM.format("4, 4, 1, 1, nan, nan, nan, nan"),
    TRIAL.format_map(trial),
    TRIAL.format_map(trial | {"diag": "1., nan"}),
]  # fmt: skip
WRONG = [
    (SIZES.format("-1, 2, 3, 2, 2"), "checks: m is negative"),
    (SIZES.format("3, -1, 3, 2, 2"), "checks: n is negative"),
    (SIZES.format("3, 2, 2, 2, 2"), "checks: the leading dimension is less than the rows"),
    (SIZES.format("3, 2, 3, 1, 2"), "checks: the work array is too short"),
    (QRFAC.format_map(qrfac | {"ipvt": "integers(2, 2)"}), "qrfac: ipvt is not a permutation"),
    (QRFAC.format_map(qrfac | {"ipvt": "integers(2, 3)"}), "qrfac: ipvt is not a permutation"),
    (QRFAC.format_map(qrfac | {"acnorm": "-1., 3"}), "qrfac: a norm in acnorm is negative"),
    (QRFAC.format_map(qrfac | {"rdiag": "-3., 2.000001"}), "qrfac: a column of R has not the norm of A's column"),
    (QRFAC.format_map(qrfac | {"rdiag": "-1., 2"} | {"acnorm": "5**.5, 1"}), "qrfac: the diagonal of R increases"),
    (QRSOLV.format_map(qrsolv | {"ipvt": "2, 2"}), "qrsolv: ipvt is not a permutation"),
    (QRSOLV.format_map(qrsolv | {"changed": "0, 1", "by": "3e-16"}), "qrsolv: R has changed on or above its diagonal"),
    (QRSOLV.format_map(qrsolv | {"changed": "1, 1", "by": "1"}), "qrsolv: R has changed on or above its diagonal"),
    (QRSOLV.format_map(qrsolv | {"sdiag": "5., 2.15407"}),
     "qrsolv: a column of S has not the norm of R's column over D's"),
    (LMPAR.format("1., 1., -1., 1., 0"), "lmpar: par is negative"),
    (LMPAR.format("1.11, 1., 0., 0., 0"), "lmpar: par is 0, and ||D x|| exceeds 1.1 delta"),
    (LMPAR.format("1.11, 1., 2., 0., 0"), "lmpar: R is singular, and ||D x|| exceeds 1.1 delta"),
    (LMPAR.format("1.11, 1., 2., 1., 0"), "lmpar: ||D x|| is not within 0.1 delta of delta"),
    (LMPAR.format("0.89, 1., 2., 1., 0"), "lmpar: ||D x|| is not within 0.1 delta of delta"),
    (COVAR.format_map(covar | {"ipvt": "1, 1"}), "covar: ipvt is not a permutation"),
    (COVAR.format_map(covar | {"rank": "3"}), "covar: the rank is not one of an n x n matrix"),
    (COVAR.format_map(covar | {"r": "[2, 1], [1, -2]"}), "covar: a variance is negative"),
    (COVAR.format_map(covar | {"r": "[2, 1], [1.0000000000000002, 2]"}), "covar: the covariance is not symmetric"),
    (COVAR.format_map(covar | {"rank": "1"}), "covar: not zero beyond the rank"),
    (LM.format("0, 4, 0, 0, 1., 1., 1., 0."), "lm: the request is none of its requests"),
    (LM.format("2, 4, 0, 1, 1., 1., 1., 0."), "lm: it has ended without a reason, or goes on with one"),
    (LM.format("4, 4, 1, 0, 1., 1., 1., 0."), "lm: it has ended without a reason, or goes on with one"),
    (LM.format("2, 4, 0, 0, 1., 1.1, 1., 0."), "lm: fnorm is not the norm of fvec"),
    (LM.format("2, 4, 0, 0, 1., 1., -1., 0."), "lm: delta is negative"),
    (LM.format("2, 4, 0, 0, 1., 1., 1., -1."), "lm: par is negative"),
    (TRIAL.format_map(trial | {"ipvt": "1, 1"}), "lm: ipvt is not a permutation"),
    (TRIAL.format_map(trial | {"diag": "1., 0"}), "lm: an entry of diag is not positive"),
    (TRIAL.format_map(trial | {"p": "0.5"}), "lm: the trial point is not x + p"),
]

# Calls of the routines, with what breaks their conditions from inside.
IN_USE = [
    ("call('qrfac', 3, 2, np.ones(6), 2, 1, P, S, S.copy(), D, np.ones(9), 9)", "checks: the leading dimension"),
    ("call('qrfac', 3, 2, np.ones(6), 3, 1, P, S, S.copy(), D, np.ones(9), 1)", "checks: the work array"),
    ("call('qrsolv', 2, R, 2, integers(1, 1), D, D, S, S.copy(), S.copy(), np.ones(8))", "qrsolv: ipvt"),
    # x lies in R
    ("call('qrsolv', 2, R, 2, P, D, D, R, S, S.copy(), np.ones(8))", "qrsolv: R has changed"),
    ("call('covar', 2, R, 2, integers(1, 1), 0.0, integers(0), D)", "covar: ipvt is not a permutation"),
]


@pytest.fixture(scope="module")
def library():
    return build_with_checks()


def run(library, source):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CALL + source, str(library)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_right_data_pass(library):
    process = run(library, "\n".join(RIGHT))
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(("source", "text"), WRONG, ids=[text for _, text in WRONG])
def test_wrong_data_end_the_process(library, source, text):
    process = run(library, source)
    assert process.returncode == 1
    assert process.stderr.splitlines()[0] == f"ERROR STOP {text}"


@pytest.mark.slow
@pytest.mark.parametrize(("source", "text"), IN_USE, ids=[text for _, text in IN_USE])
def test_the_routines_call_their_checks(library, source, text):
    assert run(library, source).stderr.startswith(f"ERROR STOP {text}")
