"""One call for each way through the extension, for the tests that repeat them, starve them, or watch their memory.

The functions are C functions that allocate their result at most: what the tests see is then the extension's own doing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from operator import attrgetter, methodcaller
from types import SimpleNamespace
from typing import Any

import numpy as np

from helpers.told import ATTRIBUTES
from pyminpack import LevenbergMarquardt, NonFiniteError, _minpack, leastsq
from pyminpack._names import LEASTSQ

BIG_ENDIAN, COMPLEX, FLOAT32 = np.dtype(">f8"), np.dtype(complex), np.dtype(np.float32)
EYE = np.eye(2)
NAN = np.full((2, 2), np.nan)
PIVOTS = np.array([2, 1])
X0, ZERO, TWOS, ONE = np.array([0.5, 0.25]), np.zeros(2), np.full(2, 2.0), np.ones(1)
START, SIZES = X0.tobytes(), (np.ones(2), np.ones(3))
SPARSE = type("Sparse", (), {"toarray": None})()
MASKED = np.ma.masked_array(EYE, EYE == 0)
HALVES = [[Fraction(1, 2), 0], [0, Fraction(1, 2)]]
KEPT: deque[Any] = deque(maxlen=3)

identity = np.asarray  # the residuals x; it returns its argument
astype = np.ndarray.astype  # astype(x, dtype): the residuals x, of another type
fail = methodcaller("no_such_method")


def constant(value: Any) -> Callable[[Any], Any]:
    """A C function of x that returns `value` and allocates nothing: x goes unused, as getattr's default."""
    return partial(getattr, SimpleNamespace(value=value), "value")


def keep(x):
    """The residuals x - 1, by a user who keeps x."""
    KEPT.append(x)
    return x - 1


def change_size(x):
    """Three residuals at X0, two elsewhere."""
    return SIZES[x.tobytes() == START]


OURS = "builtin"  # of what MINPACK's own drivers cannot do, whatever the environment chooses


def solve(func, x0, args, Dfun, full_output, col_deriv, values, new):
    """The extension's leastsq; `new`: typical_x, and what is not an option of MINPACK's."""
    new = {"vectorized": False, "callback": None, "workers": None, "on_nonfinite": None} | new
    options = {"typical_x": new.pop("typical_x")} if "typical_x" in new else {}
    return partial(_minpack.leastsq, LEASTSQ, func, x0, args, Dfun, full_output, col_deriv, values, options,
                   *new.values())


def lmdif(func, x0=X0, args=(), *, full_output=True, ftol=1e-8, maxfev=1, epsfcn=None, diag=None, **new):
    values = ftol, 1e-8, 0.0, maxfev, epsfcn, 100.0, diag, OURS if new else None
    return solve(func, x0, args, None, full_output, False, values, new)


def lmder(func, Dfun, x0=X0, *, full_output=True, col_deriv=False, ftol=1e-8, diag=None, **new):
    values = ftol, 1e-8, 0.0, 100, None, 100.0, diag, OURS if new else None
    return solve(func, x0, (), Dfun, full_output, col_deriv, values, new)


def keep_result(intermediate_result):
    """A callback whose user keeps what it is given."""
    KEPT.append(intermediate_result)


def stop(intermediate_result):
    raise StopIteration


def fail_by_keyword(intermediate_result):
    intermediate_result.no_such_attribute()


def told(tells, values=(X0, EYE, X0), **options):
    """A fit told so often, at X0, of the residuals x (or, with jacobian=True, of theirs and EYE)."""
    fit = LevenbergMarquardt(X0, **options)
    for value in values[:tells]:
        fit.tell(value)
    return fit


def told_points(points, values=ZERO, **options):
    """A fit that wants differences, told these points of them."""
    fit = told(1, **options)
    for point in points:
        fit.tell(values, point=point)
    return fit


def points_wanted(points, values=ZERO):
    return tuple(told_points(points, values).wanted)


def told_result(tells, **options):
    return told(tells, **options).result()


def restored(state):
    """A fit read from its state, and that state again."""
    fit = LevenbergMarquardt.__new__(LevenbergMarquardt)
    fit.__setstate__(state)
    return fit.__getstate__()


attributes = attrgetter(*ATTRIBUTES)
NEW_FIT, STATE = LevenbergMarquardt.__new__(LevenbergMarquardt), told(3, jacobian=True).__getstate__()


# By name, a call without arguments.
RESULTS = {
    "lmdif": lmdif(identity, maxfev=100),
    "lmdif, short": lmdif(identity, full_output=False),
    "lmdif, at the solution": lmdif(identity, ZERO),
    "lmdif, improper input": lmdif(identity, ftol=-1.0),
    "args": lmdif(np.subtract, args=(EYE[0],)),
    "epsfcn": lmdif(identity, epsfcn=1),
    "diag": lmdif(identity, diag=TWOS),
    "diag is a list": lmdif(identity, diag=[1, 2.0]),
    "start is a list": lmdif(identity, [1, 2]),
    "start is a scalar": lmdif(identity, 1),
    "start is a matrix": lmdif(np.ravel, EYE[:, :1]),
    "start is big-endian": lmdif(identity, X0.astype(BIG_ENDIAN)),
    "start is empty": lmdif(identity, []),
    "x is kept": lmdif(keep),
    "residuals are a list": lmdif(np.ndarray.tolist),
    "residuals are a tuple": lmdif(tuple),
    "residuals are a scalar": lmdif(np.ndarray.item, ONE),
    "residuals are a memoryview": lmdif(memoryview),
    "residuals are big-endian": lmdif(astype, args=(BIG_ENDIAN,)),
    "residuals are float32": lmdif(astype, args=(FLOAT32,)),
    "residuals are not contiguous": lmdif(constant(EYE[:, 0])),
    "residuals are NaN": lmdif(constant(NAN[0])),
    "residuals are Fractions in a list": lmdif(constant(HALVES[0])),
    "residuals are a Fraction": lmdif(constant(HALVES[0][0]), ONE),
    "residuals are longdoubles in a list": lmdif(constant([*np.ones(2, np.longdouble)])),
    "residuals are masked": lmdif(constant(MASKED[0])),
    "residuals are constant": lmdif(constant(TWOS), maxfev=100),
    "lmder, wrong sign": lmder(identity, constant(-EYE)),
    "lmder, a zero column": lmder(constant(TWOS), constant(np.diag(EYE[0]))),
    "Jacobian is Fractions": lmder(identity, constant(HALVES)),
    "Jacobian is masked": lmder(identity, constant(MASKED)),
    "lmdif, start is NaN": lmdif(identity, NAN[0]),
    "lmder": lmder(identity, constant(EYE)),
    "lmder, short": lmder(identity, constant(EYE), full_output=False),
    "lmder, col_deriv": lmder(identity, constant(EYE), col_deriv=True),
    "lmder, diag": lmder(identity, constant(EYE), diag=[1, 2]),
    "lmder, improper input": lmder(identity, constant(EYE), ftol=-1.0),
    "lmder, one variable": lmder(identity, constant(ONE), ONE),
    "lmder, singular": lmder(constant(TWOS), constant(EYE[:, :1] * EYE)),
    "Jacobian is lists": lmder(identity, constant(EYE.tolist())),
    "Jacobian is big-endian": lmder(identity, constant(EYE.astype(BIG_ENDIAN))),
    "Jacobian is float32": lmder(identity, constant(EYE.astype(FLOAT32))),
    "Jacobian is NaN": lmder(identity, constant(NAN)),
    "typical_x": lmdif(identity, ZERO, typical_x=1),
    "typical_x is a list": lmdif(identity, typical_x=[1, 2.0]),
    "callback": lmdif(identity, maxfev=100, callback=dict),
    "callback keeps what it is given": lmdif(identity, maxfev=100, callback=keep_result),
    "callback stops": lmdif(identity, maxfev=100, callback=stop),
    "callback, Dfun": lmder(identity, constant(EYE), callback=dict),
    "vectorized": lmdif(identity, maxfev=100, vectorized=True),
    "workers": lmdif(identity, maxfev=100, workers=constant(([X0, X0], True))),
    "told": partial(told_result, 3),
    "told, Jacobian": partial(told_result, 3, jacobian=True),
    "told, diag and typical_x": partial(told_result, 3, diag=[1, 2], typical_x=[1, 2]),
    "told, at the start": partial(told_result, 0),
    "told, residuals": partial(told_result, 1),
    "told, to its end": partial(told_result, 2, jacobian=True, gtol=1.0),
    "saved with a point": partial(LevenbergMarquardt.__getstate__, told_points([1])),
    "told, a point": partial(points_wanted, [1]),
    "told, point by point": partial(points_wanted, [1, 0]),
    "told, masked points": partial(points_wanted, [1, 0], MASKED[0]),
    "told, attributes": partial(attributes, told(3, jacobian=True)),
    "told, ask": partial(LevenbergMarquardt.ask, told(1)),
    "saved": partial(LevenbergMarquardt.__getstate__, told(3, jacobian=True)),
    "saved, at the start": partial(LevenbergMarquardt.__getstate__, told(0, diag=[1, 2])),
    "reduced": partial(LevenbergMarquardt.__reduce_ex__, told(3), 4),
    "restored": partial(restored, STATE),
    "restored with a point": partial(restored, told_points([1]).__getstate__()),
    "enorm": partial(_minpack.enorm, "builtin", X0),
    "qrfac": partial(_minpack.qrfac, "builtin", EYE, True),
    "qrsolv": partial(_minpack.qrsolv, "builtin", EYE, PIVOTS, TWOS, X0),
    "lmpar": partial(_minpack.lmpar, "builtin", EYE, PIVOTS, TWOS, X0, 0.1, 0.0),
    "fdjac2": partial(_minpack.fdjac2, "builtin", identity, X0, X0, 0.0),
    "fdjac2, fcn returns a masked array": partial(_minpack.fdjac2, "builtin", constant(MASKED[0]), X0, X0, 0.0),
    "chkder, a neighbour": partial(_minpack.chkder, "builtin", X0, None, None, None),
    "chkder": partial(_minpack.chkder, "builtin", X0, X0, EYE, TWOS),
    "covar": partial(_minpack.covar, None, EYE, PIVOTS, 0.0),
    "qrfac of lists": partial(_minpack.qrfac, "builtin", EYE.tolist(), False),
    "real_array": partial(_minpack.real_array, "curve_fit", "f", "returned", identity, HALVES),
    "answer, residuals": partial(_minpack.answer, "check_jacobian", "func", identity, HALVES[0], 1, 0, 0, False),
    "answer, a masked Jacobian": partial(_minpack.answer, "check_jacobian", "Dfun", identity, MASKED, 1, 2, 2, True),
    "start_vector": partial(_minpack.start_vector, "check_jacobian", "x0", X0),
    "solvers": _minpack.solvers,
    "leastsq": partial(leastsq, identity, ZERO),
    "leastsq, full": partial(leastsq, identity, ZERO, full_output=True),
    "leastsq, Dfun": partial(leastsq, identity, X0, Dfun=constant(EYE)),
    "leastsq, Dfun, full": partial(leastsq, identity, X0, Dfun=constant(EYE), full_output=True),
    "leastsq, improper input, full": partial(leastsq, identity, X0, ftol=-1, full_output=True),
}

tell = partial(partial, LevenbergMarquardt.tell)
set_state = partial(partial, LevenbergMarquardt.__setstate__, NEW_FIT)

# By name, the error and a call that raises it.
ERRORS = {
    "too few arguments": (TypeError, partial(_minpack.leastsq, identity, X0)),
    "names are too few": (TypeError, partial(_minpack.leastsq, LEASTSQ[:3], *lmdif(identity).args[1:])),
    "real_array of None, of a function that wraps": (
        TypeError,
        partial(_minpack.real_array, "curve_fit", "f", "returned", SimpleNamespace(__wrapped__=identity), None),
    ),
    "real_array of complex numbers": (TypeError, partial(_minpack.real_array, "curve_fit", "sigma", "is", None, 1j)),
    "answer, other residuals": (
        ValueError,
        partial(_minpack.answer, "check_jacobian", "func", identity, ONE, 2, 2, 0, False),
    ),
    "answer, a vector as Jacobian": (
        TypeError,
        partial(_minpack.answer, "check_jacobian", "Dfun", identity, ONE, 1, 2, 2, False),
    ),
    "start_vector of None": (TypeError, partial(_minpack.start_vector, "check_jacobian", "x0", None)),
    "args is a list": (TypeError, lmdif(identity, args=[])),
    "ftol is a string": (TypeError, lmdif(identity, ftol="1")),
    "maxfev is huge": (OverflowError, lmdif(identity, maxfev=2**70)),
    "start is complex": (TypeError, lmdif(identity, [1j])),
    "diag is complex": (TypeError, lmdif(identity, diag=EYE[0].astype(COMPLEX))),
    "diag is too short": (ValueError, lmdif(identity, diag=ONE)),
    "diag is a matrix": (ValueError, lmdif(identity, diag=EYE)),
    "func raises": (AttributeError, lmdif(fail)),
    "fewer residuals than variables": (TypeError, lmdif(constant(ONE))),
    "residuals are None": (TypeError, lmdif(constant(None))),
    "fewer residuals than variables, a scalar": (TypeError, lmdif(constant(1.0))),
    "residuals are a list with None": (TypeError, lmdif(constant([1.0, None]))),
    "residuals are a list with a set": (TypeError, lmdif(constant([HALVES[0][0], {1.0}]))),
    "residuals are a namespace": (TypeError, lmdif(constant(SimpleNamespace()))),
    "Jacobian is None": (TypeError, lmder(identity, constant(None))),
    "Jacobian is sparse": (TypeError, lmder(identity, constant(SPARSE))),
    "start is None": (TypeError, lmdif(identity, None)),
    "start is a list of Fractions": (TypeError, lmdif(identity, HALVES[0])),
    "start is text": (TypeError, lmdif(identity, "text")),
    "residuals are complex": (TypeError, lmdif(astype, args=(COMPLEX,))),
    "residuals are complex numbers in a list": (TypeError, lmdif(constant([1j, 2.0]))),
    "residuals are a matrix": (TypeError, lmdif(constant(EYE))),
    "residuals change size": (ValueError, lmdif(change_size)),
    "Dfun raises": (AttributeError, lmder(identity, fail)),
    "Jacobian is a vector": (TypeError, lmder(identity, identity)),
    "Jacobian is transposed": (TypeError, lmder(constant(np.ones(3)), constant(np.ones((2, 3))))),
    "Jacobian is complex": (TypeError, lmder(identity, constant(EYE.astype(COMPLEX)))),
    "callback raises": (AttributeError, lmdif(identity, callback=fail_by_keyword)),
    "workers are too few": (ValueError, lmdif(identity, workers=constant(([ONE], True)))),
    "workers return a number": (TypeError, lmdif(identity, workers=constant((ONE[0], True)))),
    "workers return text": (TypeError, lmdif(identity, workers=constant((["a", "b"], False)))),
    "vectorized returns a vector": (TypeError, lmdif(np.ravel, vectorized=True)),
    "typical_x is zero": (ValueError, lmdif(identity, typical_x=[1, 0])),
    "typical_x is too short": (ValueError, lmdif(identity, typical_x=[1])),
    "told None": (TypeError, tell(told(0), None)),
    "told too few residuals": (TypeError, tell(told(0), ONE)),
    "told a vector as Jacobian": (TypeError, tell(told(1, jacobian=True), ONE)),
    "told a Jacobian with None": (TypeError, tell(told(1, jacobian=True), [[1, 0], [0, None]])),
    "told a point twice": (ValueError, tell(told_points([1]), ZERO, point=1)),
    "told no point": (ValueError, tell(told(1), ZERO, point=2)),
    "told a point that is no number": (TypeError, tell(told(1), ZERO, point="1")),
    "told a point of other residuals": (ValueError, tell(told(1), ONE, point=1)),
    "restored with points that are none": (ValueError, set_state({**STATE, "points_told": PIVOTS})),
    "told other residuals": (ValueError, tell(told(2), ONE)),
    "told, improper input": (TypeError, partial(LevenbergMarquardt, X0, factor=-1)),
    "restored from a list": (ValueError, set_state([])),
    "restored without ipvt": (ValueError, set_state({**STATE, "ipvt": None})),
    "restored, ipvt is no permutation": (ValueError, set_state({**STATE, "ipvt": STATE["ipvt"] * 0})),
    "restored, fjac is short": (ValueError, set_state({**STATE, "fjac": EYE[:1]})),
    "restored, factor is improper": (ValueError, set_state({**STATE, "factor": -1.0})),
    "restored, attributes": (ValueError, set_state({**STATE, "attributes": {}})),
    "fdjac2, fcn raises": (AttributeError, partial(_minpack.fdjac2, "builtin", fail, X0, X0, 0.0)),
    "fdjac2, fvec is short": (ValueError, partial(_minpack.fdjac2, "builtin", identity, X0, ONE, 0.0)),
    "enorm of a matrix": (ValueError, partial(_minpack.enorm, "builtin", EYE)),
    "enorm of complex numbers": (TypeError, partial(_minpack.enorm, "builtin", COMPLEX.type(1).reshape(1))),
    "ipvt is no permutation": (ValueError, partial(_minpack.qrsolv, "builtin", EYE, PIVOTS - 1, TWOS, X0)),
    "ipvt is of floats": (TypeError, partial(_minpack.qrsolv, "builtin", EYE, X0, TWOS, X0)),
    "diag and r do not fit": (ValueError, partial(_minpack.qrsolv, "builtin", EYE, PIVOTS, ONE, X0)),
    "par is a string": (TypeError, partial(_minpack.lmpar, "builtin", EYE, PIVOTS, TWOS, X0, 1.0, "1")),
    "an unknown solver": (ValueError, partial(_minpack.enorm, "ours", X0)),
    "leastsq, improper input": (TypeError, partial(leastsq, identity, X0, ftol=-1)),
    "leastsq, func raises": (AttributeError, partial(leastsq, fail, X0)),
    "leastsq, residuals change size": (ValueError, partial(leastsq, change_size, X0)),
    "leastsq, residuals are complex": (TypeError, partial(leastsq, astype, X0, COMPLEX)),
    "leastsq, Jacobian is a vector": (TypeError, partial(leastsq, identity, X0, Dfun=identity)),
    "leastsq, NaN is refused": (NonFiniteError, partial(leastsq, constant(NAN[0]), X0, nonfinite="raise", solver=OURS)),
}

PATHS = RESULTS | {name: path for name, (_, path) in ERRORS.items()}
