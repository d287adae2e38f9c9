"""`leastsq`: SciPy's interface to MINPACK's drivers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal, NotRequired, SupportsFloat, SupportsIndex, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyminpack import _minpack
from pyminpack._callback import by_keyword
from pyminpack._names import LEASTSQ, Names
from pyminpack._nonfinite import refusal
from pyminpack._reports import warn_of
from pyminpack._warnings import warn
from pyminpack._workers import Evaluator, Workers, evaluator

Real = SupportsFloat | SupportsIndex


class InfoDict(TypedDict):
    """The `infodict` of `leastsq`; the keys are described there."""

    fvec: NDArray[np.float64]
    nfev: int
    njev: NotRequired[int]
    fjac: NDArray[np.float64]
    ipvt: NDArray[np.int32]
    qtf: NDArray[np.float64]


class Options(TypedDict, total=False):
    """The options of `leastsq`, for type checkers; they are described there."""

    col_deriv: int
    ftol: Real
    xtol: Real
    gtol: Real
    maxfev: SupportsIndex
    epsfcn: Real | None
    factor: Real
    diag: ArrayLike | None
    solver: Literal["builtin", "original"] | None
    callback: Callable[..., Any] | None
    vectorized: bool
    workers: Workers | None
    nonfinite: Literal["propagate", "raise"]
    typical_x: ArrayLike | None


_Short = tuple[NDArray[np.float64], int]
_Full = tuple[NDArray[np.float64], NDArray[np.float64] | None, InfoDict, str, int]


@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: Literal[False, 0] = False,
    *more: Any,
    **options: Unpack[Options],
) -> _Short: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    *,
    full_output: Literal[True, 1],
    **options: Unpack[Options],
) -> _Full: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any,
    Dfun: Callable[..., Any] | None,
    full_output: Literal[True, 1],
    *more: Any,
    **options: Unpack[Options],
) -> _Full: ...
@overload
def leastsq(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    Dfun: Callable[..., Any] | None = None,
    full_output: int = False,
    *more: Any,
    **options: Unpack[Options],
) -> _Short | _Full: ...
def leastsq(  # type: ignore[misc]  # the overloads' *more: options by position, which type checkers do not check
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
    *,
    solver: Literal["builtin", "original"] | None = None,
    callback: Callable[..., Any] | None = None,
    vectorized: bool = False,
    workers: Workers | None = None,
    nonfinite: Literal["propagate", "raise"] = "propagate",
    typical_x: ArrayLike | None = None,
) -> _Short | _Full:
    """Minimise the sum of squares of a set of functions.

    Finds ``argmin(sum(func(x)**2))`` over x by MINPACK's Levenberg-Marquardt method, from the initial guess `x0`.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` returns the m real residuals as a vector (a scalar counts as one residual): an array whose
        dtype casts safely to float64, or a list, whose entries may also be numbers of another package. x is a float64
        array of shape (n,). m must be at least n, and the same in every call.
    x0 : array_like
        Initial guess: n numbers that cast safely to float64, of any shape, flattened in C order. It is not changed.
    args : tuple, default ()
        Extra arguments for `func` and `Dfun`; anything but a tuple is passed as the only one.
    Dfun : callable, optional
        ``Dfun(x, *args)`` returns the Jacobian of `func`, shape (m, n): entry (i, j) is the derivative of residual i
        with respect to x[j]. By default it is computed by forward differences, with n more calls of `func` each.
    full_output : bool, default False
        Whether to return all outputs.
    col_deriv : bool, default False
        Whether `Dfun` returns the transposed Jacobian, shape (n, m), which is faster to copy.
    ftol : float, default 1.49012e-8
        Stop if the actual and predicted relative reductions of the sum of squares are at most this. Not negative.
    xtol : float, default 1.49012e-8
        Stop if the relative error between two iterates is at most this. Not negative.
    gtol : float, default 0.0
        Stop if the cosine of the angle between the residuals and every column of the Jacobian is at most this in
        absolute value. Not negative.
    maxfev : int, default 0
        Number of calls of `func` after which to stop. 0 or less means 200*(n + 1), or 100*(n + 1) with `Dfun`. It is
        checked only after a step, so forward differences may exceed it by up to n.
    epsfcn : float, optional
        Relative error of the residuals; forward differences step by ``sqrt(epsfcn)*abs(x)``. Default: the machine
        epsilon of the dtype that `func` returns first. Anything below float64's counts as float64's.
    factor : float, default 100
        Bound on the first step, relative to ``norm(diag*x)`` with abs(x) at least `typical_x` (absolute if that is 0).
        Positive.
    diag : array_like, shape (n,), optional
        Positive scale factors of the variables. Default: the norms of the Jacobian's columns, the largest so far.
    solver : {"builtin", "original"}, optional
        ``"original"``: MINPACK's own Fortran, if this build has it (see `show_config`), with the same results to the
        bit. Default: the environment variable ``PYMINPACK_SOLVER``, else ``"builtin"``. The original solver supports
        none of the options below: they raise NotImplementedError.
    callback : callable, optional
        Called after every trial step: as ``callback(intermediate_result=r)`` if this is the name of its only parameter
        (SciPy's convention), else as ``callback(x)``. `r` has the attributes of `LevenbergMarquardt`; arrays are
        copies. StopIteration ends the fit with the best x so far and `ier` -2; any other exception propagates.
    vectorized : bool, default False
        `func` takes points of shape (k, n) and returns residuals of shape (k, m), so that the n points of a Jacobian
        take one call. Points come first, unlike in SciPy's differential_evolution. The bits are the same if `func`
        computes each row as it would by itself.
    workers : int or map-like callable, optional
        Evaluates `func` in parallel at the n points of a difference Jacobian: a number of processes, -1 for one per
        core, which end with the fit; or a map, called as ``workers(func, points)``, such as the `map` or
        `imap_unordered` of a pool, whose results may come in any order. `nfev` and the bits are the same.
    nonfinite : {"propagate", "raise"}, default "propagate"
        ``"raise"`` ends the fit at the first NaN or inf that a function returns with `NonFiniteError`.
    typical_x : float or array_like, shape (n,), optional
        Typical sizes of x, positive, for parameters that start at or near 0. Forward differences step by
        ``sqrt(epsfcn) * max(abs(x), typical_x)``, and the first step, with `Dfun` too, is bounded by
        ``factor * norm(diag * max(abs(x), typical_x))``: too large a value makes it overshoot. Default: MINPACK's
        ``sqrt(epsfcn) * abs(x)``, ``sqrt(epsfcn)`` where x is 0, and ``factor * norm(diag * x)``.

    Returns
    -------
    x : ndarray, shape (n,)
        The solution, or the best point reached.
    cov_x : ndarray, shape (n, n), or None
        Inverse of ``J.T @ J`` with J the last Jacobian; times the variance of the residuals, the covariance of x.
        None if `ier` is not 1 to 4, or if J is exactly singular. Only with `full_output`.
    infodict : dict
        Only with `full_output`:

        ``fvec`` : ndarray, shape (m,)
            Residuals at x.
        ``nfev`` : int
            Calls of `func`.
        ``njev`` : int
            Calls of `Dfun`; only with `Dfun`.
        ``fjac`` : ndarray, shape (n, m)
            Its transpose holds R of the factorisation ``J P = Q R`` in the upper triangle, with diagonal entries of
            non-increasing magnitude, and the Householder vectors of Q below it.
        ``ipvt`` : ndarray of int32, shape (n,)
            Column j of J P is column ``ipvt[j]`` of J, counted from 1.
        ``qtf`` : ndarray, shape (n,)
            First n entries of ``Q.T @ fvec``.
    mesg : str
        `ier` in words. Only with `full_output`.
    ier : int
        Why the iteration stopped: 1 by ftol, 2 by xtol, 3 by both, 4 by gtol; 5 by maxfev; 6, 7, 8: ftol, xtol or gtol
        is too small for the machine precision; -2 by `callback`. 1 to 4 mean success. 0 (only with `full_output`):
        improper input.

    Raises
    ------
    TypeError
        If `func` or `Dfun` is not callable, or returns something that does not cast safely to float64, has the wrong
        number of dimensions or, for `Dfun`, the wrong shape; if there are fewer residuals than variables; if `x0` does
        not cast safely to float64; if an option has the wrong type; and, without `full_output`, if `ier` is 0: a
        negative tolerance, a `factor` or an entry of `diag` that is not positive, or an empty `x0`.
    ValueError
        If `diag` and `x0` differ in length; if the number of residuals changes after the first call of `func`; if
        `solver` is unknown; if `typical_x` is not positive; or if `workers` is combined with `Dfun` or `vectorized`.
    ImportError
        If `solver` is not in this build.
    NotImplementedError
        If the original solver is asked for `callback`, `vectorized`, `workers`, `nonfinite` or `typical_x`.
    NonFiniteError
        With ``nonfinite="raise"``; a FloatingPointError.
    OverflowError
        If `maxfev` or the number of variables or residuals does not fit in a C int.
    MemoryError
        If the m x n Jacobian does not fit in memory.
    Exception
        Exceptions of `func` and `Dfun` propagate unchanged; from a worker process, as a RuntimeError with their text if
        they cannot be pickled and unpickled.
    BrokenProcessPool
        If a process of ``workers=2`` ends before it returns; a RuntimeError, of concurrent.futures.process.

    Warns
    -----
    RuntimeWarning
        If `ier` is 5 to 8, without `full_output`. With or without it: if x, fvec or cov_x is not finite; if `func` or
        `Dfun` returned a masked array with masked entries, which count like any other; and, where `ier` is 1 to 4, if a
        column of the last Jacobian is exactly zero and the residuals are not (unless by a forward difference whose
        parameter, and with it the step, fell to 0.01 of its start or less); if x is bit-identical to `x0`, but a
        column's cosine with the residuals exceeds 0.01 and the Gauss-Newton step exceeds 1e-6 of x (and, if m = n, a
        change of x by its own size would change the norm of the residuals by more than 0.001 of it); or if x moved, but
        the Gauss-Newton step exceeds x itself (unless `diag` is given). The warnings do not affect the results.

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
    found: _Short | _Full = fit(
        LEASTSQ, func, x0, args, Dfun, full_output, col_deriv, ftol, xtol, gtol, maxfev, epsfcn, factor, diag, solver,
        typical_x, callback=callback, vectorized=vectorized, workers=workers, nonfinite=nonfinite,
    )  # fmt: skip
    return found


def fit(
    names: Names, /, func: Any, x0: Any, args: Any = (), Dfun: Any = None, full_output: Any = False,
    col_deriv: Any = False, *values: Any, callback: Any = None, vectorized: Any = False, workers: Any = None,
    nonfinite: Any = "propagate", **options: Any,
) -> Any:  # fmt: skip
    """`leastsq` with its arguments under other names. `values` are options, too, in its order."""
    if not callable(func):
        raise TypeError(f"{names.caller}: {names.func} must be callable, not {type(func).__name__}")
    if not (Dfun is None or callable(Dfun)):
        raise TypeError(f"{names.caller}: {names.Dfun} must be callable, not {type(Dfun).__name__}")
    if not isinstance(args, tuple):
        args = (args,)
    problem = names, func, x0, args, Dfun, full_output, col_deriv, values, options, vectorized
    if callback is None and workers is None and nonfinite == "propagate":
        outcome = _minpack.leastsq(*problem, None, None, None)
    else:
        callback = by_keyword(callback, names.caller)
        refusing = refusal(nonfinite, names)
        evaluate = evaluator(workers, func, args, names.caller, names.func)
        _check_together(names, Dfun, vectorized, evaluate)
        with evaluate or nullcontext():
            outcome = _minpack.leastsq(*problem, callback, evaluate, refusing)
    x, ier, infodict, cov_x, mesg, reports = outcome
    if reports is not None:
        warn_of(reports, names)
    if infodict is not None:
        assert mesg is not None
        return x, cov_x, infodict, mesg, ier
    if ier == 0:
        raise TypeError(mesg)
    if mesg is not None:
        warn(mesg, RuntimeWarning)
    return x, ier


fit.__qualname__ = "leastsq"  # in Python's own errors about curve_fit's keywords


def _check_together(names: Names, Dfun: Any, vectorized: bool, evaluate: Evaluator | None) -> None:
    """Reject keywords that exclude each other."""
    if evaluate is not None and Dfun is not None:
        raise ValueError(
            f"{names.caller}: workers cannot be combined with {names.Dfun}:"
            f" they evaluate {names.func} for forward differences"
        )
    if evaluate is not None and vectorized:
        raise ValueError(
            f"{names.caller}: workers cannot be combined with vectorized:"
            f" {names.func} gets all points in one call there"
        )
