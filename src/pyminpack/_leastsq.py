"""`leastsq`: SciPy's interface over MINPACK's drivers."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any, Literal, NotRequired, SupportsFloat, SupportsIndex, TypedDict, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import _minpack
from pyminpack._reports import describe

_INT_MAX = 2**31 - 1

Real = SupportsFloat | SupportsIndex

# MINPACK's reasons to stop, in the words that programs written for SciPy compare with; of ftol, xtol, gtol, maxfev.
_MESSAGES = {
    0: "Improper input parameters.",
    1: "Both actual and predicted relative reductions in the sum of squares\n  are at most {0:f}",
    2: "The relative error between two consecutive iterates is at most {1:f}",
    3: "Both actual and predicted relative reductions in the sum of squares\n  are at most {0:f}"
    " and the relative error between two consecutive iterates is at \n  most {1:f}",
    4: "The cosine of the angle between func(x) and any column of the\n  Jacobian"
    " is at most {2:f} in absolute value",
    5: "Number of calls to function has reached maxfev = {3:d}.",
    6: "ftol={0:f} is too small, no further reduction in the sum of squares\n  is possible.",
    7: "xtol={1:f} is too small, no further improvement in the approximate\n  solution is possible.",
    8: "gtol={2:f} is too small, func(x) is orthogonal to the columns of\n  the Jacobian to machine precision.",
}


class InfoDict(TypedDict):
    """What `leastsq` tells of its course; the keys are described there."""

    fvec: NDArray[np.float64]
    nfev: int
    njev: NotRequired[int]
    fjac: NDArray[np.float64]
    ipvt: NDArray[np.int32]
    qtf: NDArray[np.float64]


_Full = tuple[NDArray[np.float64], NDArray[np.float64] | None, InfoDict, str, int]


@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: Literal[False, 0] = False,
    col_deriv: int = False,
    ftol: Real = 1.49012e-8,
    xtol: Real = 1.49012e-8,
    gtol: Real = 0.0,
    maxfev: SupportsIndex = 0,
    epsfcn: Real | None = None,
    factor: Real = 100,
    diag: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], int]: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    *,
    full_output: Literal[True, 1],
    col_deriv: int = False,
    ftol: Real = 1.49012e-8,
    xtol: Real = 1.49012e-8,
    gtol: Real = 0.0,
    maxfev: SupportsIndex = 0,
    epsfcn: Real | None = None,
    factor: Real = 100,
    diag: ArrayLike | None = None,
) -> _Full: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any,
    Dfun: Callable[..., Any] | None,
    full_output: Literal[True, 1],
    col_deriv: int = False,
    ftol: Real = 1.49012e-8,
    xtol: Real = 1.49012e-8,
    gtol: Real = 0.0,
    maxfev: SupportsIndex = 0,
    epsfcn: Real | None = None,
    factor: Real = 100,
    diag: ArrayLike | None = None,
) -> _Full: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: int = False,
    col_deriv: int = False,
    ftol: Real = 1.49012e-8,
    xtol: Real = 1.49012e-8,
    gtol: Real = 0.0,
    maxfev: SupportsIndex = 0,
    epsfcn: Real | None = None,
    factor: Real = 100,
    diag: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], int] | _Full: ...
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: int = False,
    col_deriv: int = False,
    ftol: Real = 1.49012e-8,
    xtol: Real = 1.49012e-8,
    gtol: Real = 0.0,
    maxfev: SupportsIndex = 0,
    epsfcn: Real | None = None,
    factor: Real = 100,
    diag: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], int] | _Full:
    """Minimise the sum of squares of a set of functions.

    Finds ``argmin(sum(func(x)**2))`` over x by MINPACK's Levenberg-Marquardt method, from the start `x0`.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` returns the m residuals, real, as a vector (a scalar counts as one residual): an array
        whose dtype casts safely to float64, or a list, whose entries may also be numbers of another package. x is a
        float64 array of shape (n,), m must not be less than n, and m must be the same in every call.
    x0 : array_like
        Start, n numbers that cast safely to float64; any shape, flattened in C order. It is not changed.
    args : tuple, default ()
        Further arguments of `func` and `Dfun`; anything but a tuple is passed as the only one.
    Dfun : callable, optional
        ``Dfun(x, *args)`` returns the Jacobian of `func`, shape (m, n), entry (i, j) the derivative of residual i by
        x[j]. By default derivatives are forward differences, each Jacobian n more calls of `func`.
    full_output : bool, default False
        Whether to return all outputs.
    col_deriv : bool, default False
        Whether `Dfun` returns the transposed Jacobian, shape (n, m), which is copied faster.
    ftol : float, default 1.49012e-8
        Stop if the actual and predicted relative reductions of the sum of squares are at most this. Not negative.
    xtol : float, default 1.49012e-8
        Stop if the relative error between two iterates is at most this. Not negative.
    gtol : float, default 0.0
        Stop if the cosine of the angle between the residuals and every column of the Jacobian is at most this in
        absolute value. Not negative.
    maxfev : int, default 0
        Number of calls of `func` after which to stop. 0 or less means 200*(n + 1), or 100*(n + 1) with `Dfun`. It is
        compared after a step only, so that the Jacobian's differences may pass it by up to n.
    epsfcn : float, optional
        Relative error of the residuals; forward differences step by ``sqrt(epsfcn)*abs(x)``. Default: the machine
        epsilon of the type that `func` returns first. Less than float64's counts as float64's.
    factor : float, default 100
        Bound on the first step, relative to ``norm(diag*x)`` (or absolute where that is 0). Positive.
    diag : array_like, shape (n,), optional
        Positive scale factors of the variables. Default: the norms of the Jacobian's columns, the largest met.

    Returns
    -------
    x : ndarray, shape (n,)
        The solution, or the best point reached.
    cov_x : ndarray, shape (n, n), or None
        Inverse of ``J.T @ J`` with J the last Jacobian. Times the variance of the residuals it is the covariance of x.
        None if `ier` is not 1 to 4, or where J is exactly singular. Only with `full_output`.
    infodict : dict
        Only with `full_output`:

        ``fvec`` : ndarray, shape (m,)
            Residuals at x.
        ``nfev`` : int
            Calls of `func`.
        ``njev`` : int
            Calls of `Dfun`; only with `Dfun`.
        ``fjac`` : ndarray, shape (n, m)
            Its transpose holds, in the upper triangle, R of the factorisation ``J P = Q R`` with diagonal of
            non-increasing size, and Q in the form of Householder vectors below it.
        ``ipvt`` : ndarray of int32, shape (n,)
            Column j of J P is column ``ipvt[j]`` of J, counted from 1.
        ``qtf`` : ndarray, shape (n,)
            First n entries of ``Q.T @ fvec``.
    mesg : str
        `ier` in words. Only with `full_output`.
    ier : int
        Why the iteration stopped: 1 by ftol, 2 by xtol, 3 by both, 4 by gtol; 5 by maxfev; 6, 7, 8: ftol, xtol or gtol
        ask for more than the machine's precision. 1 to 4 mean success. 0 (with `full_output` only): improper input.

    Raises
    ------
    TypeError
        If `func` or `Dfun` is not callable or returns what does not cast safely to float64, has the wrong number of
        dimensions or, for `Dfun`, the wrong shape; if there are fewer residuals than variables; if `x0` does not cast
        safely to float64; if an option has the wrong type; and, without `full_output`, where ier is 0: a negative
        tolerance, a `factor` or an entry of `diag` that is not positive, or an empty `x0`.
    ValueError
        If `diag` has not the length of `x0`, or if `func` returns another number of residuals than in its first call.
    OverflowError
        If `maxfev` or the number of variables or residuals does not fit a C int.
    MemoryError
        If the m x n Jacobian does not fit in memory.
    Exception
        Whatever `func` and `Dfun` raise passes unchanged.

    Warns
    -----
    RuntimeWarning
        Where `ier` is 5 to 8, without `full_output`. And, with or without it: where the returned fvec or cov_x is not
        finite; where `func` or `Dfun` returned a masked array with masked entries, which count like any other; and
        where `ier` is 1 to 4 though a column of the last Jacobian is exactly zero and the residuals are not (unless
        that of a difference whose parameter, and with it the step, fell to 0.01 of its start or less), or though x is
        `x0` to the bit, a column's cosine with the residuals exceeds 0.01 and the Gauss-Newton step 1e-6 of x.
        The numbers are the same as without these warnings.

    References
    ----------
    J. J. Moré, *The Levenberg-Marquardt algorithm: implementation and theory*, Lecture Notes in Mathematics 630, 1978.
    J. J. Moré, B. S. Garbow, K. E. Hillstrom, *User guide for MINPACK-1*, ANL-80-74, 1980.

    Examples
    --------
    The lowest point of a parabola:

    >>> from pyminpack import leastsq
    >>> leastsq(lambda x: 2*(x-3)**2 + 1, 0)
    (array([2.99999999]), 1)

    An exponential decay through five points, with standard errors:

    >>> import numpy as np
    >>> t = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    >>> y = np.array([5.1, 2.9, 1.9, 1.1, 0.6])
    >>> def residuals(p, t, y):
    ...     amplitude, rate = p
    ...     return amplitude * np.exp(-rate * t) - y
    >>> x, cov_x, infodict, mesg, ier = leastsq(residuals, [1.0, 1.0], args=(t, y), full_output=True)
    >>> x.round(3)
    array([5.066, 0.518])
    >>> variance = np.sum(infodict["fvec"] ** 2) / (t.size - x.size)
    >>> np.sqrt(np.diag(cov_x) * variance).round(3)
    array([0.091, 0.018])
    """
    if not callable(func):
        raise TypeError(f"leastsq: func must be callable, not {type(func).__name__}")
    if not (Dfun is None or callable(Dfun)):
        raise TypeError(f"leastsq: Dfun must be callable, not {type(Dfun).__name__}")
    if not isinstance(args, tuple):
        args = (args,)
    x0 = _as_array(x0)
    limit = _limit(maxfev)
    if limit <= 0:
        limit = min((200 if Dfun is None else 100) * (x0.size + 1), _INT_MAX)
    if Dfun is None:
        x, ier, infodict, cov_x, reports = _minpack.lmdif(
            func, x0, args, full_output, ftol, xtol, gtol, limit, epsfcn, factor, diag
        )
    else:
        x, ier, infodict, cov_x, reports = _minpack.lmder(
            func, Dfun, x0, args, full_output, col_deriv, ftol, xtol, gtol, limit, factor, diag
        )
    for report in reports or ():
        warnings.warn(describe(report), RuntimeWarning, stacklevel=2)
    if infodict is None and 1 <= ier <= 4:
        return x, ier
    mesg = _MESSAGES[ier].format(float(ftol), float(xtol), float(gtol), limit)
    if infodict is not None:
        return x, cov_x, infodict, mesg, ier
    if ier == 0:
        raise TypeError(" ".join([mesg, *_improper(x, ftol, xtol, gtol, factor, diag)]))
    warnings.warn(mesg, RuntimeWarning, stacklevel=2)
    return x, ier


def _as_array(x0: ArrayLike) -> NDArray[Any]:
    """x0 as an array of whatever type."""
    try:
        return np.asarray(x0)
    except ValueError as error:
        if not isinstance(x0, (list, tuple)):
            raise
        raise ValueError(f"leastsq: x0 is a {type(x0).__name__} that makes no array: {error}") from error


def _improper(
    x: NDArray[np.float64], ftol: Real, xtol: Real, gtol: Real, factor: Real, diag: ArrayLike | None
) -> list[str]:
    """A sentence for every argument that MINPACK calls improper."""
    found = ["x0 is empty."] if x.size == 0 else []
    for name, tolerance in {"ftol": ftol, "xtol": xtol, "gtol": gtol}.items():
        if float(tolerance) < 0:
            found.append(f"{name} is {tolerance}; expected at least 0.")
    if float(factor) <= 0:
        found.append(f"factor is {factor}; expected a positive number.")
    scales = [] if diag is None else np.asarray(diag, float).tolist()
    found += [f"diag[{j}] is {scale}; expected a positive number." for j, scale in enumerate(scales) if scale <= 0][:1]
    return found


def _limit(maxfev: SupportsIndex) -> int:
    """Maxfev as an integer that fits a C int."""
    if isinstance(maxfev, np.bool_):
        maxfev = bool(maxfev)
    try:
        limit = operator.index(maxfev)
    except TypeError as error:
        raise TypeError(f"leastsq: maxfev must be an integer, not {type(maxfev).__name__}") from error
    if not -_INT_MAX - 1 <= limit <= _INT_MAX:
        raise OverflowError(f"leastsq: maxfev is {limit}; expected a C int, at most {_INT_MAX}")
    return limit
