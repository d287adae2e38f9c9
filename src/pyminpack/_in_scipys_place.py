"""What `patch_scipy` puts in SciPy's place: `leastsq`, and the two functions of `scipy.optimize._minpack` below it."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from pyminpack import _minpack
from pyminpack._reports import describe
from pyminpack._warnings import warn

# SciPy's own functions that call what is replaced, by the names under which users know them.
_CALLERS = {"curve_fit": "curve_fit", "_root_leastsq": "root", "call_minpack": "least_squares"}


class Dialect(NamedTuple):
    """What one release of SciPy has of its own."""

    first_column: int  # from where ipvt counts
    error: type[Exception]  # what it raises where func's result is no array of floats


_NOTHING_MORE: tuple[Any, ...] = (None, None, None, False, None, None)  # of our own options; PYMINPACK_SOLVER counts
_dialect: Dialect | None = None


def speak(dialect: Dialect) -> None:
    """Answer in a release's own way from now on; the last one counts in calls that come after `unpatch_scipy`, too."""
    global _dialect
    _dialect = dialect


def entry(func, x0, args=(), Dfun=None, full_output=False, col_deriv=False,  # type: ignore[no-untyped-def]  # SciPy's
          ftol=1.49012e-8, xtol=1.49012e-8, gtol=0.0, maxfev=0, epsfcn=None, factor=100, diag=None):  # fmt: skip
    # Its code becomes that of SciPy's leastsq, whose globals have none of our names.
    from pyminpack._in_scipys_place import leastsq

    return leastsq(func, x0, args, Dfun, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag)


def leastsq(
    func: Any, x0: Any, args: Any, Dfun: Any, full_output: Any, col_deriv: Any, ftol: Any, xtol: Any, gtol: Any,
    maxfev: Any, epsfcn: Any, factor: Any, diag: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """`scipy.optimize.leastsq`, with as many calls of `func` and `Dfun` as SciPy makes."""
    if not isinstance(args, tuple):
        args = (args,)
    caller = _caller("leastsq", sys._getframe(1).f_back)
    if caller == "curve_fit" and hasattr(func, "last_params"):
        # curve_fit remembers the first result for SciPy's two further calls; without them it need not.
        for function in (func, Dfun):
            if function is not None:
                function.skip_lookup = True
    else:
        _evaluate_as_scipy(func, Dfun, x0, args)
    x, ier, infodict, cov_x, mesg = _solve(
        caller, func, Dfun, x0, args, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag
    )
    if full_output:
        return x, cov_x, infodict, mesg, ier
    if ier == 0:
        raise TypeError(mesg)
    if mesg is not None:
        warn(mesg, RuntimeWarning, also="scipy")
    return x, ier


def lmdif(
    func: Any, x0: Any, args: Any = (), full_output: Any = 0, ftol: Any = 1.49012e-8, xtol: Any = 1.49012e-8,
    gtol: Any = 0.0, maxfev: Any = -10, epsfcn: Any = 0.0, factor: Any = 100.0, diag: Any = None, /,
) -> tuple[Any, ...]:  # fmt: skip
    """`scipy.optimize._minpack._lmdif`; (x, infodict, info), or (x, info) without `full_output`."""
    caller = _caller("_lmdif", sys._getframe().f_back)
    return _short(full_output, *_solve(
        caller, func, None, x0, args, full_output, False, ftol, xtol, gtol, maxfev, epsfcn, factor, diag
    ))  # fmt: skip


def lmder(
    func: Any, Dfun: Any, x0: Any, args: Any = (), full_output: Any = 0, col_deriv: Any = 1, ftol: Any = 1.49012e-8,
    xtol: Any = 1.49012e-8, gtol: Any = 0.0, maxfev: Any = -10, factor: Any = 100.0, diag: Any = None, /,
) -> tuple[Any, ...]:  # fmt: skip
    """`scipy.optimize._minpack._lmder`; as `lmdif`."""
    caller = _caller("_lmder", sys._getframe().f_back)
    return _short(full_output, *_solve(
        caller, func, Dfun, x0, args, full_output, col_deriv, ftol, xtol, gtol, maxfev, None, factor, diag
    ))  # fmt: skip


def _short(full_output: Any, x: Any, ier: int, infodict: Any, *_: Any) -> tuple[Any, ...]:
    return (x, infodict, ier) if full_output else (x, ier)


def _caller(replaced: str, frame: FrameType | None) -> str:
    """With what texts begin: the function that the user called, not the one below it that is replaced."""
    return replaced if frame is None else _CALLERS.get(frame.f_code.co_name, replaced)


def _evaluate_as_scipy(func: Any, Dfun: Any, x0: Any, args: tuple[Any, ...]) -> None:
    """The calls at the start that SciPy makes besides MINPACK's: root counts them, and lmfit takes 2 off its count."""
    try:
        x = np.asarray(x0).flatten().astype(np.float64, casting="safe")
    except (TypeError, ValueError):
        return  # the extension says what is wrong with x0
    func(x.copy(), *args)
    if Dfun is not None:
        Dfun(x.copy(), *args)
    func(x, *args)


def _solve(caller: str, *problem: Any) -> tuple[Any, ...]:
    """The extension's (x, ier, infodict, cov_x, mesg), in SciPy's dialect."""
    assert _dialect is not None
    try:
        x, ier, infodict, cov_x, mesg, reports = _minpack.leastsq(caller, *problem, *_NOTHING_MORE)
    except TypeError as error:
        if not _is_refusal(error, caller):
            raise
        raise _dialect.error(str(error)) from error.__cause__
    for report in reports or ():
        if report[0] == "not finite":  # others doubt a success, which SciPy's callers do not
            warn(describe(report, caller), RuntimeWarning, also="scipy")
    if infodict is not None and _dialect.first_column == 0:
        infodict["ipvt"] -= 1
    return x, ier, infodict, cov_x, mesg


def _is_refusal(error: TypeError, caller: str) -> bool:
    """Whether the extension refused what a function returned; what the function itself raised has a traceback."""
    inside = type(error) is TypeError and error.__traceback__ is not None and error.__traceback__.tb_next is None
    return inside and str(error).startswith((f"{caller}: func", f"{caller}: Dfun"))
