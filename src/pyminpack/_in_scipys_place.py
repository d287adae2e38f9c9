"""What `patch_scipy` installs in SciPy: `leastsq`, and the two functions of `scipy.optimize._minpack` below it."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, NamedTuple

from pyminpack import _minpack
from pyminpack._names import CURVE_FIT, LEASTSQ, Names
from pyminpack._reports import warn_of
from pyminpack._warnings import warn

# SciPy's functions that call what is replaced, and the names under which users know them.
_CALLERS = {
    "curve_fit": CURVE_FIT,
    "_root_leastsq": Names("root", "fun", "jac", "x0"),
    "call_minpack": Names("least_squares", "fun", "jac", "x0"),
}
_LMDIF, _LMDER = LEASTSQ._replace(caller="_lmdif"), LEASTSQ._replace(caller="_lmder")


class Dialect(NamedTuple):
    """What differs between releases of SciPy."""

    first_column: int  # number of the first column in ipvt
    error: type[Exception]  # raised if func's result is not an array of floats


_dialect: Dialect | None = None


def speak(dialect: Dialect) -> None:
    """Use the dialect of a release from now on; it also applies to calls that come after `unpatch_scipy`."""
    global _dialect
    _dialect = dialect


def entry(func, x0, args=(), Dfun=None, full_output=False, col_deriv=False,  # type: ignore[no-untyped-def]  # SciPy's
          ftol=1.49012e-8, xtol=1.49012e-8, gtol=0.0, maxfev=0, epsfcn=None, factor=100, diag=None):  # fmt: skip
    # SciPy's leastsq gets this code, but its globals have none of our names.
    from pyminpack._in_scipys_place import leastsq

    return leastsq(func, x0, args, Dfun, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag)


def leastsq(
    func: Any, x0: Any, args: Any, Dfun: Any, full_output: Any, col_deriv: Any, ftol: Any, xtol: Any, gtol: Any,
    maxfev: Any, epsfcn: Any, factor: Any, diag: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """`scipy.optimize.leastsq`, with as many calls of `func` and `Dfun` as SciPy makes."""
    if not isinstance(args, tuple):
        args = (args,)
    names = _names(LEASTSQ, sys._getframe(1).f_back)
    if names is CURVE_FIT and hasattr(func, "last_params"):
        # curve_fit caches the first result for SciPy's two extra calls, which we do not make.
        for function in (func, Dfun):
            if function is not None:
                function.skip_lookup = True
    else:
        _evaluate_as_scipy(names, (func, Dfun, func), x0, args)
    x, ier, infodict, cov_x, mesg = _solve(
        names, func, x0, args, Dfun, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag
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
    names = _names(_LMDIF, sys._getframe().f_back)
    _evaluate_as_scipy(names, (func,), x0, args)
    return _short(full_output, *_solve(
        names, func, x0, args, None, full_output, False, ftol, xtol, gtol, maxfev, epsfcn, factor, diag
    ))  # fmt: skip


def lmder(
    func: Any, Dfun: Any, x0: Any, args: Any = (), full_output: Any = 0, col_deriv: Any = 1, ftol: Any = 1.49012e-8,
    xtol: Any = 1.49012e-8, gtol: Any = 0.0, maxfev: Any = -10, factor: Any = 100.0, diag: Any = None, /,
) -> tuple[Any, ...]:  # fmt: skip
    """`scipy.optimize._minpack._lmder`; as `lmdif`."""
    names = _names(_LMDER, sys._getframe().f_back)
    _evaluate_as_scipy(names, (func,), x0, args)
    return _short(full_output, *_solve(
        names, func, x0, args, Dfun, full_output, col_deriv, ftol, xtol, gtol, maxfev, None, factor, diag
    ))  # fmt: skip


def _short(full_output: Any, x: Any, ier: int, infodict: Any, *_: Any) -> tuple[Any, ...]:
    return (x, infodict, ier) if full_output else (x, ier)


def _names(replaced: Names, frame: FrameType | None) -> Names:
    """The names of the function that the user called, rather than of the replaced one below it."""
    return replaced if frame is None else _CALLERS.get(frame.f_code.co_name, replaced)


def _evaluate_as_scipy(names: Names, functions: tuple[Any, ...], x0: Any, args: Any) -> None:
    """Make SciPy's extra calls at the start: root counts them, and lmfit subtracts 2 from its count."""
    x = _minpack.start_vector(names.caller, names.x0, x0)
    for function in functions:
        if function is not None:
            function(x.copy(), *args)


def _solve(
    names: Names, func: Any, x0: Any, args: Any, Dfun: Any, full_output: Any, col_deriv: Any, *values: Any
) -> tuple[Any, ...]:
    """The extension's (x, ier, infodict, cov_x, mesg), in SciPy's dialect."""
    assert _dialect is not None
    try:
        x, ier, infodict, cov_x, mesg, reports = _minpack.leastsq(
            names, func, x0, args, Dfun, full_output, col_deriv, values, {}, False, None, None, None
        )
    except TypeError as error:
        if not _is_refusal(error, names):
            raise
        raise _dialect.error(str(error)) from error.__cause__
    if reports is not None:  # "zero columns" and "stuck" question a success, which SciPy's callers do not
        warn_of((report for report in reports if report[0] == "not finite"), names, also="scipy")
    if infodict is not None and _dialect.first_column == 0:
        infodict["ipvt"] -= 1
    return x, ier, infodict, cov_x, mesg


def _is_refusal(error: TypeError, names: Names) -> bool:
    """Whether the extension rejected what a function returned; an error raised by the function has a traceback."""
    inside = type(error) is TypeError and error.__traceback__ is not None and error.__traceback__.tb_next is None
    return inside and str(error).startswith((f"{names.caller}: {names.func}", f"{names.caller}: {names.Dfun}"))
